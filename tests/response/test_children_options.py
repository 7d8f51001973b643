"""CNS2 twice, a mass that shrank, biopsies, and the first day of a remission: statuses of children derived from what was measured.

Origin of every expected value: `by hand`, from P3 and P4 of the rules for children and from `docs/decided.md`, before the code was run.
Day 0 is 2022-01-03.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
import yaml

from cartrial.response import assess_response
from cartrial.sdtm import Source
from cartrial.sdtm.checks.frame import Context
from cartrial.sdtm.checks.unread import UNREAD_RULES
from cartrial.sdtm.records import READERS, derive_records
from cartrial.study import Study
from cartrial.study.criteria.codes import RESPONSES
from children_example import STUDY_YAML, infused, keyed

DAY0 = dt.date(2022, 1, 3)
STUDY = STUDY_YAML.replace("readers: {primary: IRC}", "readers: {primary: INV}")
PLAIN = Study.model_validate(yaml.safe_load(STUDY))
Row = dict[str, Any]


def date(day: int) -> str:
    return (DAY0 + dt.timedelta(days=day)).isoformat()


def marrow(name: str, day: int, blasts: float = 2) -> list[Row]:
    """A marrow, counts that have recovered and no blasts in blood."""
    values = (
        ("BLAST", "BONE MARROW", blasts, "%"),
        ("BLAST", "BLOOD", 0, "%"),
        ("NEUT", "BLOOD", 2, "10^9/L"),
        ("PLAT", "BLOOD", 150, "10^9/L"),
    )
    return [
        {"USUBJID": name, "LBTESTCD": test, "LBSPEC": specimen, "LBSTRESN": value, "LBSTRESC": value, "LBSTRESU": unit, "LBDTC": date(day)}
        for test, specimen, value, unit in values
    ]


def seen(name: str, day: int, word: str, what: str = "EXTRAMEDULLARY DISEASE", **more: str) -> Row:
    return {"USUBJID": name, "FATESTCD": "OCCUR", "FAOBJ": what, "FASTRESC": word, "FADTC": date(day), **more}


def nervous(name: str, **by_status: list[int]) -> list[Row]:
    return [seen(name, day, status, "CNS STATUS") for status, days in by_status.items() for day in days]


def biopsy(name: str, day: int, place: str, word: str | None) -> Row:
    return {"USUBJID": name, "MITESTCD": "LEUKEMIA", "MISPEC": place, "MISTRESC": word, "MIDTC": date(day)}


def source_of(tables: dict[str, list[Row]]) -> Source:
    """Tables as they are read from files, without the reading."""
    people = dict.fromkeys(row["USUBJID"] for row in tables["EX"])
    rows = {"DM": [{"USUBJID": name, "AGE": 12.0, "AGEU": "YEARS"} for name in people], **tables}
    frames = {}
    for domain, records in rows.items():
        full = [{**row, "ROW": i} for i, row in enumerate(keyed(domain, records), 2)]
        frames[domain] = pl.DataFrame(full, infer_schema_length=None)
    return Source(frames)


def statuses(study: Study, marrows: dict[str, list[int]], **tables: list[Row]) -> dict[str, dict[int, str]]:
    """By subject: the status of the investigator, for whom the laboratory stands in, by day after day 0."""
    lb = [row for name, days in marrows.items() for day in (-10, *days) for row in marrow(name, day, 60 if day < 0 else 2)]
    fa = [seen(name, day, "ABSENT") for name, days in marrows.items() for day in (-10, *days)]
    own = {"EX": [infused(name) for name in marrows], "LB": lb + tables.pop("LB", []), "FA": fa + tables.pop("FA", [])}
    records = derive_records(study, source_of({**own, **tables}))
    calls = assess_response(study, records)[READERS.index("INV")]
    names, zero = records.subjects["USUBJID"].to_list(), records.subjects["DAY0"].to_list()
    found: dict[str, dict[int, str]] = {name: {} for name in marrows}
    for who, day, status in zip(calls.subject, calls.day, calls.status, strict=True):
        if day > zero[who]:
            found[names[who]][int(day - zero[who])] = RESPONSES[status]
    return found


def said(options: str, criteria: str = "nccn") -> str:
    return STUDY.replace("  criteria: nccn\n", f"  criteria: {criteria}\n  options: {{{options}}}\n")


def with_options(options: str, criteria: str = "nccn") -> Study:
    return Study.model_validate(yaml.safe_load(said(options, criteria)))


@pytest.mark.shows("RULE-P3.2", "STUDY-disease.options", "STUDY-disease.options.cns2")
def test_cns2_twice_is_a_relapse_where_the_study_says_so() -> None:
    marrows = {
        "TWICE": [28, 60, 90, 104],
        "NEAR": [28, 90],
        "BETWEEN": [28, 90, 104],
        "FIRST": [28, 60],
        "ALONE": [28, 104],
        "BEFORE": [28, 60],
        "WEEK": [28, 90],
    }
    fa = [
        *nervous("TWICE", CNS1=[28, 60], CNS2=[90, 104]),
        # six days apart are one
        *nervous("NEAR", CNS2=[90, 96]),
        # a fluid without blasts between begins anew
        *nervous("BETWEEN", CNS2=[90, 104], CNS1=[97]),
        # on the day of the remission it ends none; the second one does
        *nervous("FIRST", CNS2=[28, 60]),
        # without a marrow of its own
        *nervous("ALONE", CNS2=[80, 104]),
        # before the infusion it is none
        *nervous("BEFORE", CNS2=[-5, 28], CNS1=[60]),
        *nervous("WEEK", CNS2=[90, 97]),
    ]
    once = statuses(PLAIN, marrows, FA=list(fa))
    assert all(set(found.values()) == {"CR"} for found in once.values())
    twice = statuses(with_options("cns2: twice"), marrows, FA=list(fa))
    assert twice["TWICE"] == {28: "CR", 60: "CR", 90: "RELAPSE", 104: "RELAPSE"}
    assert twice["FIRST"] == {28: "CR", 60: "RELAPSE"}
    assert twice["ALONE"] == {28: "CR", 80: "RELAPSE", 104: "RELAPSE"}
    assert twice["WEEK"] == {28: "CR", 90: "RELAPSE"}
    assert all(set(twice[name].values()) == {"CR"} for name in ("NEAR", "BETWEEN", "BEFORE"))


def mass(name: str, day: int, size: float, unit: str, test: str = "SIZE") -> Row:
    what = {"FATESTCD": test, "FAOBJ": "MEDIASTINAL MASS", "FASTRESC": f"{size:g}", "FASTRESU": unit}
    return {"USUBJID": name, **what, "FADTC": date(day)}


@pytest.mark.shows("RULE-P3.3", "STUDY-disease.options.mass")
def test_a_mass_of_a_third_of_the_first_is_none_where_the_study_says_so() -> None:
    sizes = {
        # exactly a third; one millimetre more; centimetres; a volume; larger again after it had gone
        "THIRD": [mass("THIRD", -10, 90, "mm"), mass("THIRD", 28, 30, "mm")],
        "MORE": [mass("MORE", -10, 90, "mm"), mass("MORE", 28, 31, "mm")],
        "UNITS": [mass("UNITS", -10, 9, "cm"), mass("UNITS", 28, 30, "mm")],
        "VOLUME": [mass("VOLUME", -10, 100, "mL", "VOLUME"), mass("VOLUME", 28, 33, "mL", "VOLUME")],
        "AGAIN": [mass("AGAIN", -10, 90, "mm"), mass("AGAIN", 28, 20, "mm"), mass("AGAIN", 90, 40, "mm")],
    }
    fa = [row for rows in sizes.values() for row in rows]
    fa += [seen(name, day, "PRESENT", "MEDIASTINAL MASS") for name in sizes for day in (-10, 28)]
    marrows = {name: [28, 90] if name == "AGAIN" else [28] for name in sizes}
    biopsied = [biopsy("AGAIN", 92, "MEDIASTINUM", "LEUKAEMIC INFILTRATE")]
    as_said = statuses(PLAIN, marrows, FA=list(fa))
    assert {name: found[28] for name, found in as_said.items()} == dict.fromkeys(sizes, "NR")
    by_size = with_options("mass: third")
    third = statuses(by_size, marrows, FA=list(fa))
    assert {name: found[28] for name, found in third.items()} == {**dict.fromkeys(sizes, "CR"), "MORE": "NR"}
    # a mass that is larger again is suspected; a biopsy shows that it is disease
    assert third["AGAIN"][90] == "NE"
    assert statuses(by_size, marrows, FA=list(fa), MI=biopsied)["AGAIN"][90] == "RELAPSE"


@pytest.mark.shows("STUDY-disease.criteria.biopsy", "STUDY-disease.options.biopsy")
def test_disease_at_another_site_needs_a_biopsy_where_the_criteria_say_so() -> None:
    names = ("NONE", "SHOWN", "DENIED", "OTHER", "LATE", "METHOD", "CNS")
    fa = [seen(name, 90, "PRESENT", FALOC="SKIN", FAMETHOD="BIOPSY" if name == "METHOD" else "") for name in names[:-1]]
    fa += nervous("CNS", CNS3=[90])
    mi = [
        biopsy("SHOWN", 95, "SKIN", "POSITIVE"),
        biopsy("DENIED", 95, "SKIN", "No leukaemia"),
        biopsy("OTHER", 95, "LIVER", "POSITIVE"),
        # 15 days later
        biopsy("LATE", 105, "SKIN", "POSITIVE"),
    ]
    marrows = {name: [28, 90] for name in names}
    # the absence of the same day is that of the helper: it says nothing beside disease that was found
    as_said = statuses(PLAIN, marrows, FA=list(fa), MI=mi)
    assert {name: found[90] for name, found in as_said.items()} == dict.fromkeys(names, "RELAPSE")
    expected = {"NONE": "NE", "SHOWN": "RELAPSE", "DENIED": "CR", "OTHER": "NE", "LATE": "NE", "METHOD": "RELAPSE", "CNS": "RELAPSE"}
    for study in (with_options("biopsy: every-site"), with_options("", "ponte-di-legno-2022")):
        found = statuses(study, marrows, FA=list(fa), MI=mi)
        assert {name: by_day[90] for name, by_day in found.items()} == expected
    asked = with_options("biopsy: testis", "ponte-di-legno-2022")
    assert statuses(asked, marrows, FA=list(fa), MI=mi)["NONE"][90] == "RELAPSE"


def test_disease_before_the_infusion_needs_no_biopsy() -> None:
    """Known before as disease: still there on day 28 without a biopsy it is suspected; gone, it is a remission."""
    fa = [seen(name, -10, "PRESENT", FALOC="SKIN") for name in ("STILL", "GONE")] + [seen("STILL", 28, "PRESENT", FALOC="SKIN")]
    found = statuses(with_options("biopsy: every-site"), {"STILL": [28], "GONE": [28]}, FA=fa)
    assert found == {"STILL": {28: "NE"}, "GONE": {28: "CR"}}


def messages(rule: str, study: Study, tables: dict[str, list[Row]]) -> list[tuple[int, str]]:
    check = next(each for each in UNREAD_RULES if each.id == rule)
    found = pl.concat(check.find(Context(study, source_of(tables))), how="diagonal_relaxed")
    return found.select("ROW", "MESSAGE").rows()


def test_a_biopsy_that_says_neither_is_a_finding() -> None:
    words = ("FIBROSIS", "TESTICULAR TISSUE", None, "LEUKAEMIC INFILTRATE", "Negative")
    mi = [*(biopsy("A", 92, "TESTIS", word) for word in words), biopsy("A", 92, "SKIN", "FIBROSIS")]
    tables = {"EX": [infused("A")], "MI": mi}
    found = messages("biopsy-unread", PLAIN, tables)
    assert [row for row, _ in found] == [2, 3, 4] and "'FIBROSIS'" in found[0][1] and "'blank'" in found[2][1]
    assert [row for row, _ in messages("biopsy-unread", with_options("biopsy: every-site"), tables)] == [2, 3, 4, 7]
    # it decides nothing: the testis stays suspected
    fa = [seen("A", 90, "PRESENT", "TESTICULAR DISEASE")]
    assert statuses(PLAIN, {"A": [28, 90]}, FA=fa, MI=mi[:1])["A"] == {28: "CR", 90: "NE"}


def test_a_size_that_cannot_be_read_is_named() -> None:
    tables = {"EX": [infused("A")], "FA": [mass("A", -10, 9, "inches"), mass("A", 28, 3, "cm"), mass("A", 60, 3, "mL")]}
    found = messages("lesion-unread", with_options("mass: third"), tables)
    assert [row for row, _ in found] == [2, 4] and "'9 inches'" in found[0][1]
    assert not messages("lesion-unread", PLAIN, tables)


@pytest.mark.shows("RULE-P4.1", "STUDY-disease.criteria.remission-from")
def test_a_remission_counts_from_the_window_of_day_28_on() -> None:
    """Day 28 has 7 days before it: day 20 is too early, day 21 is not. What follows an early one is no relapse."""
    marrows = {"EARLY": [20, 28], "FIRST": [21], "LOST": [14]}
    lb, fa = marrow("LOST", 28, 30), [seen("LOST", 28, "ABSENT")]
    nccn = statuses(PLAIN, marrows, LB=list(lb), FA=list(fa))
    assert (nccn["EARLY"], nccn["FIRST"], nccn["LOST"]) == ({20: "CR", 28: "CR"}, {21: "CR"}, {14: "CR", 28: "RELAPSE"})
    found = statuses(with_options("", "ponte-di-legno-2022"), marrows, LB=list(lb), FA=list(fa))
    assert (found["EARLY"], found["FIRST"], found["LOST"]) == ({20: "NE", 28: "CR"}, {21: "CR"}, {14: "NE", 28: "NR"})


def test_where_no_visit_has_day_28_the_day_itself_is_the_first() -> None:
    study = with_options("", "ponte-di-legno-2022")
    assert study.disease.remission_from == 21
    later = study.disease.model_copy(update={"visits": study.disease.visits[1:]})
    assert later.remission_from == 28 and PLAIN.disease.remission_from == 0


def with_limits(**changes: Any) -> Study:
    """The study with the limits of `nccn` written out, some of them changed."""
    limits = {
        "name": "own",
        "marrow": {"op": "<", "value": 5},
        "neutrophils": {"op": ">", "value": 1},
        "platelets": {"op": ">", "value": 100},
        "relapse-marrow": {"op": ">", "value": 5},
        "relapse-blood": {"op": ">", "value": 0},
        "source": "by hand",
    }
    raw = yaml.safe_load(STUDY)
    raw["disease"]["criteria"] = limits | changes
    return Study.model_validate(raw)


@pytest.mark.shows(
    "STUDY-disease.criteria",
    "STUDY-disease.criteria.marrow",
    "STUDY-disease.criteria.neutrophils",
    "STUDY-disease.criteria.platelets",
    "STUDY-disease.criteria.relapse-marrow",
    "STUDY-disease.criteria.refractory-marrow",
)
def test_limits_that_are_written_out_decide() -> None:
    """A: marrow 2 %, ANC 2, platelets 150 on day 28, 20 % on day 60. B: 4 % before lymphodepletion, 8 % on day 28, twice as much.

    Remission asks for less than 2 %: none. ANC or platelets above what was measured: CRi. A relapse from 25 %: INDETERMINATE. Disease
    from 10 %: the 8 % of B are none, so NR and not PD.
    """

    def found(**changes: Any) -> dict[str, dict[int, str]]:
        lb = [*marrow("A", 60, 20), *marrow("B", -5, 4), *marrow("B", 28, 8)]
        fa = [seen("A", 60, "ABSENT"), seen("B", 28, "ABSENT")]
        return statuses(with_limits(**changes), {"A": [28], "B": []}, LB=lb, FA=fa)

    assert found() == {"A": {28: "CR", 60: "RELAPSE"}, "B": {28: "PD"}}
    assert found(marrow={"op": "<", "value": 2})["A"][28] == "NR"
    assert found(neutrophils={"op": ">", "value": 2})["A"][28] == "CRi"
    assert found(platelets={"op": ">=", "value": 151})["A"][28] == "CRi"
    assert found(**{"relapse-marrow": {"op": ">=", "value": 25}})["A"][60] == "INDETERMINATE"
    assert found(**{"refractory-marrow": {"op": ">=", "value": 10}})["B"][28] == "NR"


@pytest.mark.shows("STUDY-disease.options.aplastic")
def test_a_marrow_in_remission_with_both_counts_far_too_low_is_called_as_the_study_says() -> None:
    """ANC 0.2 and platelets 20: CRi, or by the option MLFS; one count that is not missed by so much leaves CRi."""

    def low(name: str, neutrophils: float) -> list[Row]:
        rows = [row for row in marrow(name, 28) if row["LBSPEC"] != "BLOOD" or row["LBTESTCD"] == "BLAST"]
        like = marrow(name, 28)[2]
        counts = (("NEUT", neutrophils), ("PLAT", 20))
        return rows + [{**like, "LBTESTCD": test, "LBSTRESN": value, "LBSTRESC": value} for test, value in counts]

    lb = [*low("BOTH", 0.2), *low("ONE", 0.8)]
    fa = [seen(name, 28, "ABSENT") for name in ("BOTH", "ONE")]
    plain, option = (
        statuses(study, {"BOTH": [], "ONE": []}, LB=list(lb), FA=list(fa)) for study in (PLAIN, with_options("aplastic: MLFS"))
    )
    assert plain == {"BOTH": {28: "CRi"}, "ONE": {28: "CRi"}}
    assert option == {"BOTH": {28: "MLFS"}, "ONE": {28: "CRi"}}
