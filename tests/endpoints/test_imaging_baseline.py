"""Endpoints of subjects without imaging, or without disease, before lymphodepletion: rules of lymphoma, paragraphs L7 and L8.

Origin of the expected values: `by hand`, from the rules, written before the code ran.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cartrial.endpoints import Adam, derive
from cartrial.errors import InputError
from cartrial.sdtm import read_sdtm
from helpers import ROOT, load_study
from imaging_example import PET, Scan, Subjects, study_text, write_subjects

TRUTH = ROOT / "tests" / "truth" / "lymphoma"
TEXT = (TRUTH / "study.yaml").read_text(encoding="utf-8")
NODE = {"A": (40, 30)}
SMALL = {"A": (12, 10)}
KEYS = {"STUDYID": "LYM"}


@pytest.mark.shows("RULE-L8.4", "STUDY-endpoints.no-baseline")
def test_no_imaging_at_baseline_by_hand(tmp_path: Path) -> None:
    """L8: censored on day 0, 1 day; a sensitivity keeps deaths. Whom a reader called has a baseline where the reader says so."""
    seen: list[Scan | PET] = [Scan(28, NODE), Scan(90, NODE)]
    subjects: Subjects = {
        "late": seen,
        "died": seen,
        "never": [],
        "called": [],
        "whole": [Scan(-7, NODE), *seen],
        "pet": [PET(-7, "5"), *seen],
    }
    dm: list[dict[str, Any]] = [KEYS | {"DOMAIN": "DM", "USUBJID": who, "DTHFL": None, "DTHDTC": None} for who in subjects]
    dm[1] |= {"DTHFL": "Y", "DTHDTC": "2022-06-02"}
    rs = [
        KEYS
        | {
            "DOMAIN": "RS",
            "USUBJID": "called",
            "RSSEQ": i,
            "RSTESTCD": "OVRLRESP",
            "RSSTRESC": "PR",
            "RSEVAL": "INVESTIGATOR",
            "RSDTC": date,
        }
        for i, date in enumerate(("2022-01-31", "2022-04-03"))
    ]
    data = write_subjects(tmp_path, subjects, DM=dm, RS=rs)
    text = study_text(TEXT).replace("      - {missed-visits: 2}\n", "      - {no-baseline: event}\n")
    adtte = derive(load_study(tmp_path, text), read_sdtm(data)).adtte

    def of(code: str, variant: str) -> dict[str, tuple[float, str]]:
        return {row[0]: row[1:] for row in adtte.filter(PARAMCD=code, VARIANT=variant).select("USUBJID", "AVAL", "EVNTDESC").rows()}

    none = {"late": (1, "no-baseline"), "never": (1, "no-baseline")}
    # 91 days without an assessment since, at the cutoff of day 400: lost
    rest = {"called": (91, "lost"), "whole": (91, "lost"), "pet": (91, "lost")}
    assert of("PFS", "") == {**none, "died": (1, "no-baseline"), **rest, "pet": (1, "lost")}
    assert of("PFS", "no-baseline=event")["died"] == (151, "death") and of("PFS", "no-baseline=event")["late"] == (1, "lost")
    assert of("OS", "")["died"] == (151, "death") and of("OS", "")["late"][1] == "cutoff"
    row = adtte.filter(PARAMCD="PFS", VARIANT="", USUBJID="died").row(0, named=True)
    assert (row["CNSR"], row["CARDAY"], row["SRCDOM"]) == (8, 0, None) and row[
        "RULE"
    ] == "no imaging before lymphodepletion: censored on day 0"


def test_a_study_of_collected_calls_needs_no_baseline(tmp_path: Path) -> None:
    """L10: the worked subjects have calls and no imaging before lymphodepletion; none is censored for it."""
    adtte = derive(load_study(tmp_path, TEXT), read_sdtm(TRUTH / "data")).adtte
    assert "no-baseline" not in adtte["EVNTDESC"].to_list()


def test_where_an_endpoint_has_no_imaging_at_baseline_to_speak_of(tmp_path: Path) -> None:
    text = TEXT.replace("    window: {at: month 3}\n", "    window: {at: month 3}\n    no-baseline: event\n", 1)
    with pytest.raises(InputError, match="belong to a time to event"):
        load_study(tmp_path, text)


def values(adam: Adam, who: str) -> dict[str, object]:
    rates = dict(adam.adrs.filter(USUBJID=who, VARIANT="").select("PARAMCD", "AVALC").rows())
    times = {row[0]: row[1:] for row in adam.adtte.filter(USUBJID=who, VARIANT="").select("PARAMCD", "AVAL", "EVNTDESC").rows()}
    return {name: rates.get(name, times.get(name)) for name in ("ORR3", "CRR", "BOR", "DOR", "DOCR", "PFS")}


@pytest.mark.slow
@pytest.mark.shows("RULE-L7.1", "STUDY-disease.options-of-calls.no-disease")
def test_a_response_without_disease_at_baseline_is_none_where_the_study_says_by_hand(tmp_path: Path) -> None:
    """L7 and L10, subject 20: as-read, CR throughout; non-responder, no response, and PFS 361 as before. Another subject is as before."""
    as_read = {"ORR3": "Y", "CRR": "Y", "BOR": "CR", "DOR": (333, "cutoff"), "DOCR": (333, "cutoff"), "PFS": (361, "cutoff")}
    none = {"ORR3": "N", "CRR": "N", "BOR": "IR", "DOR": None, "DOCR": None, "PFS": (361, "cutoff")}
    for options, expected in (("no-disease: as-read", as_read), ("no-disease: non-responder", none)):
        adam = derive(load_study(tmp_path, study_text(TEXT, options=options, reader="IRC")), read_sdtm(TRUTH / "data"))
        assert values(adam, "LYM-20") == expected
        assert values(adam, "LYM-02") == {
            "ORR3": "N",
            "CRR": "Y",
            "BOR": "CR",
            **dict.fromkeys(("DOR", "DOCR"), (63, "progression")),
            "PFS": (91, "progression"),
        }
        read = adam.adresp.filter(USUBJID="LYM-20", READER="IRC", CARDAY=28).row(0, named=True)
        assert read["ORRES"] == "CR" and "no disease at baseline" in read["FLAGS"]
        assert adam.adsl.filter(USUBJID="LYM-20")["EVALFL"].item() == "N"


def test_normal_nodes_are_no_disease_by_hand(tmp_path: Path) -> None:
    """L2 and L7: a target that is a node of 12 x 10 mm at baseline is normal there: no response, not evaluable, unless it is avid.

    A non-target that is absent at baseline is no disease either (L7); one that is there is, and no measurable one.
    """
    scans: Subjects = {
        "small": [Scan(-7, SMALL), Scan(28, SMALL), Scan(90, SMALL, new={"N1": (20, 15)})],
        "avid": [PET(-7, "5"), Scan(-7, SMALL), PET(28, "3"), Scan(28, SMALL)],
        "beside": [Scan(-7, NODE | {"B": (12, 10)}), Scan(28, {"A": (15, 10), "B": (12, 10)})],
        "gone": [Scan(-7, SMALL, "ABSENT"), Scan(28, SMALL, "ABSENT")],
        "there": [Scan(-7, SMALL, "PRESENT"), Scan(28, SMALL, "ABSENT")],
        "organ": [Scan(-7, {"L": (9, 8)}), Scan(28, {"L": "ABSENT"})],
    }
    adam = derive(load_study(tmp_path, study_text(TEXT)), read_sdtm(write_subjects(tmp_path, scans)))
    rows = adam.adresp.filter((adam.adresp["READER"] == "INV") & (adam.adresp["CARDAY"] > 0)).sort("USUBJID", "CARDAY")
    assert {who: rows.filter(USUBJID=who)["AVALC"].to_list() for who in scans} == {
        **{"small": ["NE", "PD"], "avid": ["CR"]},
        **{"beside": ["CR"], "organ": ["CR"], "gone": ["NE"], "there": ["CR"]},
    }
    assert "no disease at baseline" in rows.filter(USUBJID="small")["FLAGS"][0]
    assert dict(adam.adsl.select("USUBJID", "EVALFL").rows()) == {
        "small": "N",
        "avid": "Y",
        "beside": "Y",
        "organ": "Y",
        "gone": "N",
        "there": "N",
    }


def test_imaging_tells_of_no_disease_where_no_call_does_by_hand(tmp_path: Path) -> None:
    """L7: a CT target or avid disease, else the reader's baseline call. Of the CRs on day 28 those without disease are IR."""
    before: Subjects = {
        **{"normal": [Scan(-7, SMALL)], "not avid": [PET(-7, "2")], "small beside avid": [Scan(-7, SMALL), PET(-7, "5")]},
        **{"other": [Scan(-7, SMALL, "PRESENT")], "marrow": [Scan(-7, SMALL, marrow="POSITIVE")], "spleen": [Scan(-7, SMALL, spleen=140)]},
        **{"mass": [Scan(-7, NODE)], "mass, called CR": [Scan(-7, NODE)], "normal, called SD": [Scan(-7, SMALL)]},
        **{"nothing": [], "called CR": []},
    }
    none = {"normal", "not avid", "called CR"}
    said = {"mass, called CR": "CR", "normal, called SD": "SD", "called CR": "CR"}
    reads = [(who, said[who], "2021-12-27") for who in said] + [(who, "CR", "2022-01-31") for who in before]
    call = KEYS | {"DOMAIN": "RS", "RSTESTCD": "OVRLRESP", "RSEVAL": "INVESTIGATOR"}
    rs = [call | {"USUBJID": who, "RSSEQ": i, "RSSTRESC": word, "RSDTC": date} for i, (who, word, date) in enumerate(reads)]
    data = write_subjects(tmp_path, before, RS=rs)
    adam = derive(load_study(tmp_path, study_text(TEXT, options="no-disease: non-responder")), read_sdtm(data))
    called = dict(adam.adresp.filter(READER="INV", CARDAY=28).select("USUBJID", "AVALC").rows())
    assert called == {who: "IR" if who in none else "CR" for who in before}
    assert set(adam.adsl.filter(EVALFL="Y")["USUBJID"]).isdisjoint(none)
