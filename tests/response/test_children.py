"""Marrow words, the central nervous system and the testis. Origin of every expected value: `by hand` (rules for children, P3 and P6)."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from children_example import STUDY_YAML, derived, infused
from properties import every

DAY0 = dt.date(2022, 1, 3)
STUDY = STUDY_YAML.replace("readers: {primary: IRC}", "readers: {primary: LAB}").split("endpoints:")[0] + (
    """\
endpoints:
  - id: RFS
    label: RFS
    type: time-to-event
    origin: first-response
    population: responders
    events: [relapse, death]
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
  - id: EFS
    label: EFS
    type: time-to-event
    origin: day-0
    population: infused
    events: [non-response, relapse, death]
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
"""
)


def date(day):
    return (DAY0 + dt.timedelta(days=day)).isoformat()


def lab(day, test, value, unit, specimen="BLOOD", name="P1"):
    """Return a result: a number, or a text."""
    number = value if isinstance(value, int | float) else None
    row = {"USUBJID": name, "LBTESTCD": test, "LBSPEC": specimen, "LBSTRESC": str(value), "LBSTRESN": number, "LBSTRESU": unit}
    return {**row, "LBDTC": date(day)}


def marrow(day, value=2, **more):
    """Return a marrow with recovered counts and no circulating blasts."""
    counts = [lab(day, "NEUT", 2, "10^9/L"), lab(day, "PLAT", 150, "10^9/L"), lab(day, "BLAST", 0, "%")]
    return [{**lab(day, "BLAST", value, "%", "BONE MARROW"), **more}, *counts]


def finding(day, obj, word, **more):
    return {"USUBJID": "P1", "FAOBJ": obj, "FATESTCD": "OCCUR", "FASTRESC": word, "FADTC": date(day), **more}


def none_on(*days):
    return [finding(day, "EXTRAMEDULLARY DISEASE", "ABSENT") for day in days]


def statuses(of):
    """Return the laboratory's status of each day after day 0, with its flags."""
    reads = of.adam.adresp.filter((pl.col("READER") == "LAB") & (pl.col("CARDAY") > 0)).sort("CARDAY")
    return {day: (status, flags or "") for day, status, flags in reads.select("CARDAY", "AVALC", "FLAGS").rows()}


def times(of):
    rows = of.adam.adtte.filter(VARIANT="").select("PARAMCD", "AVAL", "EVNTDESC", "FLAGS").rows()
    return {name: (days, event, flags or "") for name, days, event, flags in rows}


def tables(*labs, fa=(), **more):
    return {"EX": [infused("P1")], "LB": [row for part in labs for row in part], "FA": [*none_on(-10), *fa], **more}


@pytest.mark.parametrize(
    ("criteria", "words", "expected"),
    [
        ("nccn", {28: "M1", 60: "M1 marrow", 90: "M3"}, ["CR", "CR", "RELAPSE"]),
        ("nccn", {28: "M2", 60: "m3"}, ["NR", "NR"]),
        # exactly 5 % is no relapse by nccn, so that the word alone does not decide
        ("nccn", {28: "M1", 60: "M2"}, ["CR", "NE"]),
        ("nci-2010", {28: "M1", 60: "M2", 90: "M3"}, ["CR", "INDETERMINATE", "RELAPSE"]),
    ],
)
@pytest.mark.shows("RULE-P3.1")
def test_a_marrow_in_words(tmp_path, criteria, words, expected):
    labs = [marrow(day, word) for day, word in words.items()]
    of = derived(tmp_path, tables(*labs, fa=none_on(*words)), STUDY.replace("criteria: nccn", f"criteria: {criteria}"))
    assert of.findings.filter(SEVERITY="stop").is_empty()
    assert [status for status, _ in statuses(of).values()] == expected


@pytest.mark.shows("RULE-P3.1")
def test_a_number_beside_the_word_of_a_marrow_is_the_result(tmp_path):
    of = derived(tmp_path, tables(marrow(28, "M1", LBSTRESN=7), marrow(60, "M2", LBSTRESN=3), fa=none_on(28, 60)), STUDY)
    assert [status for status, _ in statuses(of).values()] == ["NR", "CR"]


@pytest.mark.parametrize(
    ("found", "status", "rfs", "efs"),
    [
        # subject 7: CNS3 is extramedullary disease; 7b: CNS2 is flagged, and no relapse
        ([finding(90, "CNS STATUS", "CNS3")], "RELAPSE", (63, "relapse"), (91, "relapse")),
        ([finding(90, "CNS STATUS", "CNS2")], "CR", (63, "lost"), (91, "lost")),
        ([finding(90, "CNS STATUS", "CNS2a")], "CR", (63, "lost"), (91, "lost")),
        ([finding(90, "CNS STATUS", "CNS-1")], "CR", (63, "lost"), (91, "lost")),
    ],
)
@pytest.mark.shows("RULE-3.1", "RULE-P3.2")
def test_the_central_nervous_system_by_its_status(tmp_path, found, status, rfs, efs):
    of = derived(tmp_path, tables(*(marrow(day) for day in (28, 60, 90)), fa=[*none_on(28, 60), *found]), STUDY)
    assert statuses(of)[90][0] == status
    flagged = "CNS2" in statuses(of)[90][1]
    assert flagged == found[0]["FASTRESC"].startswith("CNS2")
    assert times(of)["RFS"][:2] == rfs and times(of)["EFS"][:2] == efs
    assert ("CNS2" in times(of)["RFS"][2]) == flagged


BLOOD = (4.0, 4.0)  # 10^9 white and 10^12 red cells a litre: white/red 0.001
FLUIDS = [
    # blasts, white and red cells/µL in fluid, counts in blood, the status of the day
    ("NEGATIVE", 8, 0, None, "CNS1"),
    (0, 3, 0, None, "CNS1"),
    ("POSITIVE", 3, 0, None, "CNS2"),
    (40, 4.9, None, None, "CNS2"),
    (40, 5, 0, None, "CNS3"),
    (40, 5, 9, None, "CNS3"),
    (40, 5, None, None, "CNS3"),
    # a traumatic tap: red cells from 10 on
    (40, 6, 10, BLOOD, "CNS3"),
    (40, 10, 10000, BLOOD, "CNS2"),
    (40, 20, 10000, BLOOD, "CNS2"),
    (40, 21, 10000, BLOOD, "CNS3"),
    (40, 6, 10, None, "CNS2"),
    (40, None, None, None, "CNS2"),
]


@pytest.mark.parametrize(("blasts", "white", "red", "blood", "expected"), every(3, FLUIDS))
@pytest.mark.shows("RULE-P3.2")
def test_the_central_nervous_system_by_its_fluid(tmp_path, blasts, white, red, blood, expected):
    fluid = [lab(90, "BLAST", blasts, None if isinstance(blasts, str) else "%", "CSF")]
    fluid += [lab(90, "WBC", white, "cells/uL", "CSF")] if white is not None else []
    fluid += [lab(90, "RBC", red, "10^6/L", "CSF")] if red is not None else []
    fluid += [lab(89, "WBC", blood[0], "10^9/L"), lab(89, "RBC", blood[1], "10^12/L")] if blood else []
    of = derived(tmp_path, tables(*(marrow(day) for day in (28, 60, 90)), fluid, fa=none_on(28, 60)), STUDY)
    status, flags = statuses(of)[90]
    assert (status, "CNS2" in flags) == {"CNS1": ("CR", False), "CNS2": ("CR", True), "CNS3": ("RELAPSE", False)}[expected]


def test_the_status_of_the_central_nervous_system_in_rs(tmp_path):
    keys = {"USUBJID": "P1", "RSEVAL": "INVESTIGATOR", "RSDTC": date(90)}
    rs = [{**keys, "RSTESTCD": "CNSSTAT", "RSSTRESC": "CNS3"}]
    of = derived(tmp_path, tables(*(marrow(day) for day in (28, 60, 90)), fa=none_on(28, 60), RS=rs), STUDY)
    assert of.findings.filter(SEVERITY="stop").is_empty()
    assert statuses(of)[90][0] == "RELAPSE"


@pytest.mark.parametrize(
    ("biopsy", "status"),
    every(
        3,
        [
            (None, "NE"),
            ({"MISPEC": "TESTIS", "MISTRESC": "POSITIVE", "MIDTC": date(92)}, "RELAPSE"),
            ({"MISPEC": "TESTIS", "MISTRESC": "Leukemic infiltrate", "MIDTC": date(80)}, "RELAPSE"),
            ({"MISPEC": "TESTIS", "MISTRESC": "NEGATIVE", "MIDTC": date(92)}, "CR"),
            ({"MISPEC": "SKIN", "MISTRESC": "POSITIVE", "MIDTC": date(92)}, "NE"),
            ({"MISPEC": "TESTIS", "MISTRESC": "POSITIVE", "MIDTC": date(130)}, "NE"),
        ],
    ),
)
@pytest.mark.shows("RULE-P3.3")
def test_an_enlarged_testis_needs_a_biopsy(tmp_path, biopsy, status):
    # subject 8, with the marrow in remission
    found = [finding(90, "TESTICULAR DISEASE", "PRESENT"), *none_on(28, 60)]
    more = {} if biopsy is None else {"MI": [{"USUBJID": "P1", "MITESTCD": "LEUKEMIA", **biopsy}]}
    of = derived(tmp_path, tables(*(marrow(day) for day in (28, 60, 90)), fa=found, **more), STUDY)
    assert statuses(of)[90][0] == status
    assert ("no biopsy" in statuses(of)[90][1]) == (status == "NE")


@pytest.mark.parametrize(
    ("test", "said", "status"),
    [
        # how severe it is says not that it is there: nothing was asked on day 90, and there was none before
        ("SEV", {"FASTRESC": "Y"}, "CR"),
        ("Presence", {"FASTRESC": "Y"}, "RELAPSE"),
        ("GRADE", {"FASTRESC": "3", "FAORRES": "CNS3"}, "RELAPSE"),
    ],
)
def test_what_says_whether_disease_outside_the_marrow_is_there(tmp_path, test, said, status):
    found = [*none_on(28, 60), {**finding(90, "EMD", None), "FATESTCD": test, **said}]
    of = derived(tmp_path, tables(*(marrow(day) for day in (28, 60, 90)), fa=found), STUDY)
    assert statuses(of)[90][0] == status
