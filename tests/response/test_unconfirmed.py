"""Progressions that do not count, readers who agree on a response, accepted records: rules of lymphoma, paragraphs L5 and L6.

Origin of the expected values: `by hand`, L10 of the rules; `independent`, a second implementation with lists on random calls.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cartrial.endpoints import Adam, derive
from cartrial.errors import InputError
from cartrial.response.sequence_kernel import Reads
from cartrial.response.unconfirmed_kernel import CONFIRMED, OVERTURNED, Progression, Stops, settle_progressions
from cartrial.sdtm import Source, check_sdtm, read_sdtm
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import RESPONSES
from cartrial.study.criteria.lymphoma import LYMPHOMA
from helpers import ROOT, load_study
from imaging_example import study_text
from properties import count

TRUTH = ROOT / "tests" / "truth" / "lymphoma"
TEXT = (TRUTH / "study.yaml").read_text(encoding="utf-8")


def under(folder: Path, options: str, change: pl.Expr | None = None) -> Adam:
    """Derive the worked subjects under options; `change` exchanges statuses of RS."""
    source = read_sdtm(TRUTH / "data")
    if change is not None:
        source = Source(source.domains | {"RS": source.domains["RS"].with_columns(change.alias("RSSTRESC"))})
    return derive(load_study(folder, study_text(TEXT, options=options, reader="IRC")), source)


def values(adam: Adam, who: str) -> dict[str, object]:
    """The main values of a subject: rates and best response as text, times in days with how they ended."""
    main = (pl.col("USUBJID") == who) & (pl.col("VARIANT") == "")
    rates = dict(adam.adrs.filter(main).select("PARAMCD", "AVALC").rows())
    times = {row[0]: row[1:] for row in adam.adtte.filter(main).select("PARAMCD", "AVAL", "EVNTDESC").rows()}
    return {"ORR3": rates["ORR3"], "BOR": rates["BOR"], **{name: times.get(name) for name in ("DOR", "DOCR", "PFS")}}


@pytest.mark.shows("RULE-L5.1", "STUDY-disease.options-of-calls.progression")
def test_a_progression_that_the_next_read_overturns_by_hand(tmp_path: Path) -> None:
    """L10, subject 3: PD day 28, CR from day 90 on. ORR at month 3 yes, BOR CR, DOR and DOCR 271, PFS 361; subjects 2 and 4 as before."""
    adam = under(tmp_path, "progression: overturned")
    assert values(adam, "LYM-03") == {"ORR3": "Y", "BOR": "CR", "DOR": (271, "cutoff"), "DOCR": (271, "cutoff"), "PFS": (361, "cutoff")}
    assert values(adam, "LYM-02")["PFS"] == (91, "progression") and values(adam, "LYM-04")["PFS"] == (181, "progression")
    first = adam.adresp.filter(USUBJID="LYM-03", READER="IRC", CARDAY=28).row(0, named=True)
    assert first["AVALC"] == "IR" and "PD not confirmed" in first["FLAGS"] and first["ORRES"] == "PD"


@pytest.mark.slow
@pytest.mark.shows("RULE-L5.1", "STUDY-disease.options-of-calls.progression.confirmed")
def test_a_progression_that_a_later_read_confirms_by_hand(tmp_path: Path) -> None:
    """L5: subject 2, PD day 90, died: it counts. Subject 4, PD day 180 and no later read at the cutoff: IR, PFS censored on day 180."""
    adam = under(tmp_path, "progression: {confirmed: 28}")
    assert values(adam, "LYM-02")["PFS"] == (91, "progression") and values(adam, "LYM-04")["PFS"][0] == 181  # type: ignore[index]
    assert adam.adtte.filter(USUBJID="LYM-04", PARAMCD="PFS", VARIANT="")["CNSR"].item() > 0
    # a second PD 90 days later confirms the first
    again = pl.when((pl.col("USUBJID") == "LYM-03") & (pl.col("RSDTC") == "2022-04-03")).then(pl.lit("PD")).otherwise("RSSTRESC")
    assert values(under(tmp_path, "progression: {confirmed: 28}", again), "LYM-03")["PFS"] == (29, "progression")
    assert values(under(tmp_path, "progression: {confirmed: 63}", again), "LYM-03")["ORR3"] == "N"


@pytest.mark.shows("RULE-L6.1", "STUDY-disease.options-of-calls.agree")
def test_readers_agree_on_a_response_where_the_study_says_by_hand(tmp_path: Path) -> None:
    """L6 and L10, subject 18: PR and CR on day 28 agree on PR, so that the complete response starts on day 90."""
    adam = under(tmp_path, "agree: response")
    assert values(adam, "LYM-18") == {"ORR3": "Y", "BOR": "CR", "DOR": (333, "cutoff"), "DOCR": (271, "cutoff"), "PFS": (361, "cutoff")}
    first = adam.adresp.filter(USUBJID="LYM-18", READER="IRC", CARDAY=28).row(0, named=True)
    assert first["AVALC"] == "PR" and "readers agree on the lower category" in first["FLAGS"] and "ignored" in first["FLAGS"]


def test_an_accepted_record_is_flagged_by_hand(tmp_path: Path) -> None:
    """L6 and L10, subject 19: reader 2's rows are accepted, and carry the flag."""
    adresp = under(tmp_path, "").adresp.filter((pl.col("USUBJID") == "LYM-19") & (pl.col("READER") == "IRC") & (pl.col("CARDAY") > 0))
    assert adresp["AVALC"].to_list()[:2] == ["SD", "SD"] and adresp["FLAGS"].str.contains("accepted record").all()


@pytest.mark.shows("STUDY-disease.options-of-calls.progression")
def test_what_a_progression_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot count as 'sometimes'.*confirmed: 28"):
        load_study(tmp_path, study_text(TEXT, options="progression: sometimes"))


def slow(calls: list[tuple[int, str]], therapy: int, death: int, days: int | None) -> list[str]:
    """The calls of one reader after the rule, said with lists; `days`: of a confirmation, None: overturned."""
    out = [status for _, status in calls]
    for i, (day, status) in enumerate(calls):
        if status != "PD" or day <= 0:
            continue
        later = [(other, what) for other, what in calls[i + 1 :] if what != "NE" and not day <= therapy < other]
        if days is None:
            counts = not (later and later[0][1] in ("CR", "PR"))
        else:
            counts = min(therapy, death) <= 400
            for other, what in later:
                if what in ("CR", "PR", "SD") or (what == "PD" and other - day >= days):
                    counts = what == "PD"
                    break
        if counts:
            break
        out[i] = "IR"
    return out


def test_the_kernel_says_what_a_slow_second_one_says() -> None:
    """`independent`: random calls, a therapy and a death that may come."""
    draw = random.Random(21)
    seen = set()
    for _ in range(count(6_000, quick=1_500)):
        on = sorted(draw.sample(range(-20, 300), draw.randint(1, 7)))
        calls = [(day, draw.choice(("PD", "PD", "CR", "PR", "SD", "IR", "NE"))) for day in on]
        therapy, death, days = draw.choice((FAR, 60, 150)), draw.choice((FAR, FAR, 320)), draw.choice((None, 28, 60))
        status = np.array([RESPONSES.index(what) for _, what in calls], np.int64)
        zeros = np.zeros(len(calls), np.int64)
        reads = Reads(
            np.array([0, len(calls)]), np.array(on, np.int64), status, zeros.copy(), zeros, zeros.astype(bool), zeros.astype(bool)
        )
        stops = Stops(np.zeros(1, np.int64), *(np.array([day], np.int64) for day in (therapy, death, 400)))
        settle_progressions.function(reads, stops, LYMPHOMA.roles, Progression(OVERTURNED if days is None else CONFIRMED, days or 0))
        found = [RESPONSES[code] for code in reads.status]
        assert found == slow(calls, therapy, death, days), (calls, therapy, death, days)
        seen |= {(before[1], after) for before, after in zip(calls, found, strict=True)}
    assert ("PD", "IR") in seen and ("PD", "PD") in seen


@pytest.mark.slow
@pytest.mark.shows("RULE-L8.3", "STUDY-endpoints.clinical-progression")
def test_a_clinical_progression_is_an_event_where_the_study_says_by_hand(tmp_path: Path) -> None:
    """L8 and L10, subject 26: clinical progression day 60, therapy day 62. PFS 29, composite 63, as an event 61: by DS or RS."""
    text = TEXT.replace("      - {missed-visits: 2}\n", "      - {missed-visits: 2}\n      - {clinical-progression: event}\n")
    study, source = load_study(tmp_path, text), read_sdtm(TRUTH / "data")
    keys = {"STUDYID": "LYM", "USUBJID": "LYM-26", "ROW": 900}
    ds = {**keys, "DSSEQ": 99, "DSDECOD": "DISEASE PROGRESSION", "DSSTDTC": "2022-03-04"}
    rs = {**keys, "RSSEQ": 99, "RSTESTCD": "CLINRESP", "RSSTRESC": "PD", "RSEVAL": "INVESTIGATOR", "RSDTC": "2022-03-04"}
    for domain, row in (("DS", ds), ("RS", rs)):
        tables = source.domains | {domain: pl.concat([source.domains[domain], pl.DataFrame([row])], how="diagonal_relaxed")}
        rows = derive(study, Source(tables)).adtte.filter(USUBJID="LYM-26", PARAMCD="PFS")
        found = {row[0]: row[1:] for row in rows.select("VARIANT", "AVAL", "EVNTDESC", "SRCDOM").rows()}
        assert found[""][:2] == (29, "new-therapy") and found["hsct=composite;new-therapy=composite"][:2] == (63, "new-therapy")
        assert found["clinical-progression=event"] == (61, "progression", domain)
        said = check_sdtm(study, Source(tables)).filter((pl.col("RULE") == "term-other") & pl.col("MESSAGE").str.contains("DISEASE PROG"))
        assert said.is_empty()
        assert rows.filter(VARIANT="clinical-progression=event")["RULE"].item() == "progression that a clinician saw, an event on its date"
    # where no endpoint reads it, it is listed
    unread = check_sdtm(
        load_study(tmp_path, TEXT),
        Source(source.domains | {"DS": pl.concat([source.domains["DS"], pl.DataFrame([ds])], how="diagonal_relaxed")}),
    )
    assert unread.filter(RULE="term-other")["MESSAGE"].str.contains("DISEASE PROGRESSION").any()
    with pytest.raises(InputError, match="belong to a time to event"):
        load_study(tmp_path, TEXT.replace("    window: {at: month 3}\n", "    window: {at: month 3}\n    clinical-progression: event\n", 1))


@pytest.mark.shows("RULE-L7.1")
def test_a_response_without_disease_at_baseline_is_flagged_by_hand(tmp_path: Path) -> None:
    """L7 and L10, subject 20: CR before lymphodepletion; it counts in the infused, is flagged, and is not evaluable."""
    adam = under(tmp_path, "")
    flagged = adam.adresp.filter(pl.col("FLAGS").str.contains("no disease at baseline").fill_null(False))
    assert set(flagged["USUBJID"]) == {"LYM-20"} and set(flagged["AVALC"]) == {"CR"} and flagged.filter(READER="IRC").height == 5
    assert values(adam, "LYM-20")["ORR3"] == "Y" and adam.adsl.filter(USUBJID="LYM-20")["EVALFL"].item() == "N"
