"""Remissions: which are confirmed, what a failed product undoes, and what a row of a non-responder says of itself.

Origin of the expected values: `by hand`, from paragraphs 2, 5 and 6 and amendments A15 and A16 of the rules, written before the code was
run.
"""

from __future__ import annotations

import datetime as dt
import itertools
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.design.protocol.inputs import read_inputs
from cartrial.design.trials.known import derive_known
from cartrial.endpoints import Adam, derive, kind_of_end
from cartrial.endpoints.course import derive_course
from cartrial.endpoints.populations import Populations
from cartrial.report.study.data import REASON_WORDS
from cartrial.response import assess_response
from cartrial.sdtm import Source
from cartrial.sdtm.records import derive_records
from cartrial.study import Study
from helpers import load_study
from properties import every

DAY0 = dt.date(2022, 1, 1)
STUDY = """\
schema: 1
rules: 2
study: {{id: S, title: Remissions, cutoff: {cutoff}, provenance: example}}
product: {{name: product, type: autologous, exposure: [PRODUCT]}}
disease:
  criteria: nccn
  options: {{confirm-days: {confirm}}}
  visits:
    - {{name: day 28, day: 28, minus: 7, plus: 7}}
    - {{name: month 2, day: 60, minus: 10, plus: 10}}
    - {{name: month 3, day: 90, minus: 14, plus: 14}}
readers: {{primary: INV}}
endpoints:
  - id: AT
    label: AT
    type: response-rate
    response: [{response}]
    window: {window}
    population: {population}
    strategies: {{hsct: composite, new-therapy: composite}}
{more}
"""
DOR = """\
  - id: DOR
    label: DOR
    type: time-to-event
    origin: first-response
    population: responders
    events: [relapse, death]
    strategies: {hsct: hypothetical, new-therapy: hypothetical}
  - id: OS
    label: OS
    type: time-to-event
    origin: enrolment
    population: enrolled
    events: [death]
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
"""
WINDOWS = ("{at: month 2}", "{within: month 2}", "{best: cutoff}", "{within-days: 200}", "{within-days: 200, until: progression}")


def date(day: int) -> str:
    return (DAY0 + dt.timedelta(days=day)).isoformat()


def derived(folder: Path, calls: dict[int, str], **asked: Any) -> Adam:
    """Derive what `written` returns."""
    return derive(*written(folder, calls, **asked))


def written(
    folder: Path,
    calls: dict[int, str],
    *,
    window: str = "{best: cutoff}",
    response: str = "CR, CRi",
    confirm: int = 0,
    population: str = "infused",
    infused: bool = True,
    sustained: int = 0,
    events: dict[str, int] | None = None,
    cutoff: int = 269,
) -> tuple[Study, Source]:
    """One subject with calls by the investigator, and events by the word of DS, PR or CM."""
    who = {"STUDYID": "S", "USUBJID": "S1"}
    more = (f"    sustained-days: {sustained}\n" if sustained else "") + DOR
    study = load_study(
        folder, STUDY.format(confirm=confirm, response=response, window=window, population=population, more=more, cutoff=date(cutoff))
    )
    when = {"ENROLLED": -40, **(events or {})}
    kinds = {"ALLOGENEIC STEM CELL TRANSPLANT": "PR", "SUBSEQUENT ANTICANCER THERAPY": "CM"}
    term = {"DS": "DSDECOD", "PR": "PRTRT", "CM": "CMCAT"}
    rows: dict[str, list[dict[str, object]]] = {"DM": [dict(who)], "DS": [], "PR": [], "CM": [], "RS": [], "EX": []}
    for word, day in when.items():
        domain = kinds.get(word, "DS")
        rows[domain].append({**who, f"{domain}SEQ": len(rows[domain]) + 1, term[domain]: word, f"{domain}STDTC": date(day)})
    for i, (day, call) in enumerate(calls.items(), start=1):
        rows["RS"].append({**who, "RSSEQ": i, "RSTESTCD": "OVRLRESP", "RSSTRESC": call, "RSEVAL": "INVESTIGATOR", "RSDTC": date(day)})
    if infused:
        rows["EX"].append({**who, "EXSEQ": 1, "EXTRT": "PRODUCT", "EXSTDTC": date(0)})
    tables = {name: pl.DataFrame(found).with_row_index("ROW", 2).cast({"ROW": pl.Int64}) for name, found in rows.items() if found}
    return study, Source(tables)


def answer(adam: Adam) -> tuple[object, ...]:
    """Answer, reason, day and record of the response rate."""
    return adam.adrs.filter(PARAMCD="AT", VARIANT="").select("AVALC", "REASON", "CARDAY", "SRCDOM", "SRCSEQ").row(0)


# --- confirmation (A15) ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.shows(
    "RULE-3.12",
    "STUDY-disease.options.confirm-days",
    "STUDY-endpoints.window",
    "STUDY-endpoints.window.at",
    "STUDY-endpoints.window.within",
    "STUDY-endpoints.window.best",
)
def test_an_earlier_remission_confirms_in_every_window(window: str, tmp_path: Path) -> None:
    """A15: CRi on day 28 and CR on day 60 are 32 days apart, so CR alone, confirmed by 28 days, counts on day 60. 20 days are too few."""
    found = derived(tmp_path, {28: "CRi", 60: "CR"}, window=window, response="CR", confirm=28)
    assert answer(found) == ("Y", "response", 60, "RS", 2)
    found = derived(tmp_path, {40: "CRi", 60: "CR"}, window=window, response="CR", confirm=28)
    assert answer(found) == ("N", "not-confirmed", 60, "RS", 2)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.shows("RULE-3.12")
def test_a_later_remission_confirms_in_every_window(window: str, tmp_path: Path) -> None:
    """Paragraph 6: a remission of day 60 confirmed on day 88, 28 days later; on day 87 not."""
    assert answer(derived(tmp_path, {60: "CR", 88: "CRi"}, window=window, response="CR", confirm=28))[:2] == ("Y", "response")
    assert answer(derived(tmp_path, {60: "CR", 87: "CRi"}, window=window, response="CR", confirm=28))[:3] == ("N", "not-confirmed", 60)


@pytest.mark.shows("RULE-3.12")
def test_a_relapse_in_between_confirms_nothing(tmp_path: Path) -> None:
    """Paragraph 3: a CR after the relapse does not count; the CRi of day 28 is no CR."""
    assert answer(derived(tmp_path, {28: "CRi", 45: "RELAPSE", 80: "CR"}, response="CR", confirm=28))[:2] == ("N", "relapse")


@pytest.mark.parametrize("window", every(3, WINDOWS))
@pytest.mark.shows("STUDY-endpoints.sustained-days")
def test_a_remission_that_has_to_last_is_seen_later(window: str, tmp_path: Path) -> None:
    """`sustained-days` asks for a later remission: CRi on day 28 does not do for the CR of day 60, and CRi on day 88 does."""
    assert answer(derived(tmp_path, {28: "CRi", 60: "CR"}, window=window, response="CR", sustained=28))[:2] == ("N", "not-confirmed")
    assert answer(derived(tmp_path, {60: "CR", 88: "CRi"}, window=window, response="CR", sustained=28))[:2] == ("Y", "response")
    # confirmed 32 days before, lasting 28 days: both hold, though nothing is seen 32 days later
    both = derived(tmp_path, {28: "CRi", 60: "CR", 88: "CRi"}, window=window, response="CR", confirm=32, sustained=28)
    assert answer(both)[:2] == ("Y", "response")


def test_what_is_still_wanting_decides_how_long_to_wait(tmp_path: Path) -> None:
    """Confirmed by day 20 with 60 days asked, so only the 28 days that it has to last are awaited: after them it is a non-response.

    The cutoff is day 269. A CR of day 250 lasts until day 278 at the earliest: not yet assessable. One of day 241 was due on day 269.
    """
    window = "{within-days: 270}"
    found = derived(tmp_path, {20: "CRi", 250: "CR"}, window=window, response="CR", confirm=60, sustained=28)
    assert answer(found)[0] == "NYA"
    found = derived(tmp_path, {20: "CRi", 241: "CR"}, window="{within-days: 260}", response="CR", confirm=60, sustained=28)
    assert answer(found)[:3] == ("N", "not-confirmed", 241)


def test_the_first_response_of_a_duration_is_the_first_confirmed(tmp_path: Path) -> None:
    """The two remissions confirm each other: the duration starts on day 28, the first of the two: 60 − 28 + 1 = 33 days."""
    row = derived(tmp_path, {28: "CRi", 60: "CR"}, confirm=28).adtte.filter(PARAMCD="DOR")
    assert row.select("AVAL", kind_of_end()).row(0) == (33, 1)


# --- failure of the product (A16) --------------------------------------------------------------------------------------------------------

BRIDGING = "{within-days: 200, from: enrolment, bridging: true}"
PLAIN = "{within-days: 200, from: enrolment}"


@pytest.mark.parametrize("window", [BRIDGING, PLAIN, "{at: month 2}", "{best: cutoff}"])
@pytest.mark.shows("RULE-2.7")
def test_a_product_failure_has_no_effect_on_who_was_infused_later(window: str, tmp_path: Path) -> None:
    """A16: the first product failed on day −20, another was given on day 0; CR on day 60."""
    found = derived(tmp_path, {60: "CR"}, window=window, population="enrolled", events={"PRODUCT FAILURE": -20})
    assert answer(found)[:3] == ("Y", "response", 60)


@pytest.mark.shows("RULE-2.7", "STUDY-endpoints.window.bridging")
def test_a_remission_before_infusion_counts_under_bridging_even_if_the_product_fails(tmp_path: Path) -> None:
    """A16: CR on day −10, the product failed on day −5, never infused. One on the date of the failure is before it (paragraph 5)."""
    for day in (-10, -5):
        found = derived(tmp_path, {day: "CR"}, window=BRIDGING, population="enrolled", infused=False, events={"PRODUCT FAILURE": -5})
        assert answer(found)[:2] == ("Y", "response")


@pytest.mark.shows("STUDY-endpoints.strategies.product-failure")
def test_after_a_product_failure_that_ended_it_no_remission_counts(tmp_path: Path) -> None:
    """Paragraph 5, composite: assessments after the event do not count; without bridging none before infusion does."""
    for window, day in ((BRIDGING, -4), (PLAIN, -10)):
        found = derived(tmp_path, {day: "CR"}, window=window, population="enrolled", infused=False, events={"PRODUCT FAILURE": -5})
        assert answer(found)[:2] == ("N", "product-failure")


# --- what a row says of itself -----------------------------------------------------------------------------------------------------------

ICES = {"SUBSEQUENT ANTICANCER THERAPY": "new-therapy", "ALLOGENEIC STEM CELL TRANSPLANT": "hsct"}


@pytest.mark.parametrize(("call", "event", "window"), every(3, itertools.product(("NR", "PD"), ICES, WINDOWS)))
def test_read_before_new_therapy_is_assessed_without_response(call: str, event: str, window: str, tmp_path: Path) -> None:
    """NR or PD on day 28, therapy on day 40: the read says why, with its date and record."""
    found = derived(tmp_path, {28: call}, window=window, events={event: 40})
    assert answer(found) == ("N", "no-response", 28, "RS", 1)
    assert REASON_WORDS["no-response"] == "assessed, no response"


@pytest.mark.parametrize(("event", "window"), every(3, itertools.product(ICES, WINDOWS)))
def test_not_read_before_new_therapy_names_it_with_its_day(event: str, window: str, tmp_path: Path) -> None:
    """Read after it alone: the therapy of day 40 ended the time in which a response counts."""
    for calls in ({45: "CR"}, {45: "NR"}):
        found = derived(tmp_path, {-5: "NR", **calls}, window=window, events={event: 40})
        assert answer(found)[:3] == ("N", ICES[event], 40)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("event", ICES)
def test_never_read_after_day_0_is_not_recorded(event: str, window: str, tmp_path: Path) -> None:
    """A3, by hand: the reader has no call after day 0 in the whole trial, so the answer is null, whatever the therapy of day 40 ended."""
    assert answer(derived(tmp_path, {-5: "NR"}, window=window, events={event: 40}))[:2] == (None, "not-recorded")


def test_in_remission_before_a_transplant_it_is_the_transplant(tmp_path: Path) -> None:
    """NR on day 14, CR on day 28, transplant on day 40: at month 2 it is the transplant that kept from a response."""
    found = derived(tmp_path, {14: "NR", 28: "CR"}, window="{at: month 2}", events={"ALLOGENEIC STEM CELL TRANSPLANT": 40})
    assert answer(found)[:3] == ("N", "hsct", 40)


@pytest.mark.shows("STUDY-endpoints.window.until")
def test_a_progression_that_closed_the_window_is_its_reason(tmp_path: Path) -> None:
    """Until progression: PD on day 28 is read, and is not `nothing usable`."""
    found = derived(tmp_path, {28: "PD", 60: "CR"}, window="{within-days: 200, until: progression}")
    assert answer(found) == ("N", "no-response", 28, "RS", 1)


@pytest.mark.shows("STUDY-endpoints.response")
def test_a_relapse_is_named_with_its_record(tmp_path: Path) -> None:
    """CRi on day 28, relapse on day 45: CR alone is never reached, the relapse of day 45 is final."""
    found = derived(tmp_path, {28: "CRi", 45: "RELAPSE", 80: "CR"}, response="CR")
    assert answer(found) == ("N", "relapse", 45, "RS", 2)


# --- dates before the origin -------------------------------------------------------------------------------------------------------------


def test_an_assessment_dated_after_the_death_says_nothing(tmp_path: Path) -> None:
    """No time is negative: CR dated day 90, death dated day 60. Nobody is assessed after his death; `check` says after-death."""
    found = derived(tmp_path, {90: "CR"}, events={"DEATH": 60})
    assert answer(found)[:3] == ("N", "death", 60)
    assert found.adtte.filter(PARAMCD="DOR").is_empty()
    assert answer(derived(tmp_path, {60: "CR"}, events={"DEATH": 60}))[0] == "Y"


def test_a_death_dated_before_enrolment_gives_no_negative_time(tmp_path: Path) -> None:
    """Enrolled on day −40, death dated day −50, never infused: one day, not −9."""
    found = derived(tmp_path, {-45: "NR"}, infused=False, population="enrolled", window=PLAIN, events={"DEATH": -50})
    assert found.adtte.filter(PARAMCD="OS").select("AVAL", "CNSR").row(0) == (1, 0)


# --- when a response is known ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "days"), [("sustained-days: 28", 132), ("sustained-days: 0", 104)])
def test_the_design_page_waits_for_a_remission_that_has_to_last(key: str, days: int, tmp_path: Path) -> None:
    """The window of month 3 closes on day 104; a response on that day is known when it has been seen again 28 days later: day 132."""
    text = Path(str(files("cartrial.study") / "builtin" / "inaticel.yaml")).read_text(encoding="utf-8")
    head, tail = text.split("  - id: ORR3\n")
    found = read_inputs(load_study(tmp_path, f"{head}  - id: ORR3\n    {key}\n{tail}")).delay
    assert found.days == days and ("seen again 28 days later" in found.source) == (days == 132)


@pytest.mark.shows("STUDY-disease.criteria.confirm-days")
def test_confirmation_by_the_criteria_is_waited_for_too(tmp_path: Path) -> None:
    """`nci-2010` asks for 28 days: 104 + 28."""
    text = Path(str(files("cartrial.study") / "builtin" / "inaticel.yaml")).read_text(encoding="utf-8")
    assert read_inputs(load_study(tmp_path, text.replace("criteria: nccn", "criteria: nci-2010"))).delay.days == 132


HISTORIES = (
    {28: "CRi", 60: "CR"},
    {60: "CR", 95: "CRi"},
    {28: "CRi", 58: "CR", 90: "CR"},
    {28: "NR", 62: "CR"},
    {28: "CR", 45: "RELAPSE", 80: "CR"},
    {55: "CR"},
)


ASKED = ((28, 0), (0, 28), (30, 20), (20, 40))
WHEN = ("{at: month 2}", "{within-days: 70}")


@pytest.mark.parametrize(("history", "asked", "window"), every(5, itertools.product(range(len(HISTORIES)), ASKED, WHEN)))
def test_a_result_is_known_from_the_day_on_which_no_later_cutoff_changes_it(
    history: int, asked: tuple[int, int], window: str, tmp_path: Path
) -> None:
    """`independent`: 160 subjects of one history whose cutoff is day 1, 2, … 160, against the design's day of the last of them."""
    confirm, sustained = asked
    study, source = written(tmp_path, HISTORIES[history], window=window, confirm=confirm, sustained=sustained, cutoff=160)
    records = derive_records(study, again(source, 160))
    populations = Populations(study, records, assess_response(study, records), derive_course(study, records))
    values = derive(study, records).adrs.filter(PARAMCD="AT", VARIANT="").sort("USUBJID")["AVALC"].to_list()
    expected = next(day for day in range(1, 161) if len(set(values[day - 1 :])) == 1)
    known = derive_known(study, populations, study.endpoints[0])[-1] - int(records.subjects["DAY0"][-1])
    assert known == expected, values


def again(source: Source, times: int) -> Source:
    """The subject so many times, the last as it is, each one before infused a day later."""
    tables = {}
    for name, frame in source.domains.items():
        dates = [column for column in frame.columns if column.endswith("DTC")]
        copies = [
            frame.with_columns(
                pl.lit(f"S{number:03d}").alias("USUBJID"),
                *(pl.col(column).str.to_date().dt.offset_by(f"{times - number}d").dt.to_string() for column in dates),
            )
            for number in range(1, times + 1)
        ]
        tables[name] = pl.concat(copies)
    return Source(tables)
