"""What was given, serious events, shifts and how times ended: every expected value by hand, written before the code ran.

Day 0 is 2022-01-01, the cutoff 2022-09-27. T1 to T3 were infused; T4 was enrolled and never infused.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from cartrial import derive
from cartrial.analysis import analyse, check_results
from cartrial.analysis.further import analyse_further
from cartrial.endpoints import Adam
from cartrial.sdtm import Source
from cartrial.sdtm.records import Records, derive_records
from cartrial.study import Study
from helpers import load_study
from sdtm_example import STUDY_YAML

Row = dict[str, Any]


def _given(who: str, agent: str, dose: float, start: str, **more: Any) -> Row:
    return {"USUBJID": who, "EXTRT": agent, "EXDOSE": dose, "EXDOSU": "mg/m2", "EXSTDTC": start, **more}


def _event(who: str, term: str, grade: str, serious: str | None, system: str = "Other") -> Row:
    return {"USUBJID": who, "AEDECOD": term, "AETOXGR": grade, "AESER": serious, "AEBODSYS": system, "AESTDTC": "2022-01-05"}


def _lab(who: str, date: str, value: float, grade: str | None = None) -> Row:
    return {
        **{"USUBJID": who, "LBTESTCD": "NEUT", "LBSPEC": "BLOOD", "LBSTRESC": str(value), "LBSTRESN": value, "LBSTRESU": "10^9/L"},
        **{"LBDTC": date, "LBTOXGR": grade},
    }


TABLES: dict[str, list[Row]] = {
    "DM": [{"USUBJID": f"T{i}", "DTHDTC": "2022-05-01" if i == 2 else None} for i in range(1, 5)],
    "SS": [{"USUBJID": f"T{i}", "SSTESTCD": "SURVSTAT", "SSSTRESC": "ALIVE", "SSDTC": "2022-09-20"} for i in (1, 3)],
    "DS": [
        *({"USUBJID": f"T{i}", "DSDECOD": "ENROLLED", "DSSTDTC": "2021-11-20"} for i in range(1, 5)),
        {"USUBJID": "T1", "DSDECOD": "PRODUCT RELEASED", "DSSTDTC": "2021-12-20"},
        {"USUBJID": "T2", "DSDECOD": "PRODUCT RELEASED", "DSSTDTC": "2021-12-24"},
        # a month alone: no number of days
        {"USUBJID": "T3", "DSDECOD": "PRODUCT RELEASED", "DSSTDTC": "2021-12"},
    ],
    "PR": [
        {"USUBJID": "T1", "PRTRT": "LEUKAPHERESIS", "PRSTDTC": "2021-12-01"},
        {"USUBJID": "T2", "PRTRT": "LEUKAPHERESIS", "PRSTDTC": "2021-12-02"},
        {"USUBJID": "T3", "PRTRT": "LEUKAPHERESIS", "PRSTDTC": "2021-12-03"},
        {"USUBJID": "T1", "PRTRT": "ALLOGENEIC STEM CELL TRANSPLANT", "PRSTDTC": "2022-04-11"},
    ],
    "EX": [
        *({"USUBJID": f"T{i}", "EXTRT": "PRODUCT", "EXDOSE": 40.0 + i, "EXDOSU": "10^6 CELLS", "EXSTDTC": "2022-01-01"} for i in (1, 2, 3)),
        # three days as three records; three days as one record
        *(_given("T1", "FLUDARABINE", 30, f"2021-12-{day}") for day in (27, 28, 29)),
        _given("T2", "FLUDARABINE", 25, "2021-12-27", EXENDTC="2021-12-29"),
        _given("T2", "CYCLOPHOSPHAMIDE", 500, "2021-12-27"),
    ],
    "CM": [
        {"USUBJID": "T1", "CMTRT": "Vincristine", "CMCAT": "BRIDGING THERAPY", "CMSTDTC": "2021-12-05"},
        {"USUBJID": "T1", "CMTRT": "Dexamethasone", "CMCAT": "BRIDGING THERAPY", "CMSTDTC": "2021-12-07"},
        # bridging after the infusion is none
        {"USUBJID": "T2", "CMTRT": "Vincristine", "CMCAT": "BRIDGING THERAPY", "CMSTDTC": "2022-01-20"},
        {"USUBJID": "T2", "CMTRT": "Blinatumomab", "CMCAT": "SUBSEQUENT ANTICANCER THERAPY", "CMSTDTC": "2022-03-02"},
        # after the cutoff
        {"USUBJID": "T3", "CMTRT": "Inotuzumab", "CMCAT": "SUBSEQUENT ANTICANCER THERAPY", "CMSTDTC": "2022-10-02"},
    ],
    "AE": [
        _event("T1", "SEPSIS", "2", "Y", "Infections and infestations"),
        _event("T1", "SEPSIS", "4", "N", "Infections and infestations"),
        _event("T2", "PNEUMONIA", "3", "Y", "Infections and infestations"),
        _event("T3", "NAUSEA", "3", "N"),
    ],
    "LB": [
        _lab("T1", "2021-12-20", 3.0, "0"),
        _lab("T1", "2021-12-28", 0.4, "4"),  # lymphodepletion has begun: neither before nor after
        _lab("T1", "2022-01-10", 0.3, "4"),
        _lab("T1", "2022-01-20", 0.8, "3"),
        _lab("T1", "2022-01-30", 1.0),
        _lab("T2", "2022-01-10", 0.9, "3"),
        _lab("T2", "2022-01-12", 2.0, "0"),
        _lab("T3", "2022-01-10", 5.0),
    ],
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    survival = (
        "  - {id: OS, label: Overall survival, role: secondary, type: time-to-event, origin: day-0, events: [death], population: infused, "
        "strategies: {hsct: treatment-policy, new-therapy: treatment-policy}}\n"
    )
    study = load_study(tmp_path_factory.mktemp("study"), STUDY_YAML + survival)
    product = study.product.model_copy(update={"lymphodepletion": ("FLUDARABINE", "CYCLOPHOSPHAMIDE"), "type": "autologous"})
    return study.model_copy(update={"product": product})


@pytest.fixture(scope="module")
def rows(study: Study) -> pl.DataFrame:
    return _rows(study, TABLES)


def _rows(study: Study, tables: dict[str, list[Row]]) -> pl.DataFrame:
    found = analyse_further(study, *_derived(study, tables))
    check_results(found)
    return found


def _derived(study: Study, tables: dict[str, list[Row]]) -> tuple[Adam, Records]:
    number = {"DM": None, "SS": "SSSEQ", "DS": "DSSEQ", "PR": "PRSEQ", "EX": "EXSEQ", "CM": "CMSEQ", "AE": "AESEQ", "LB": "LBSEQ"}
    domains = {}
    for name, records in tables.items():
        frame = pl.DataFrame(records, infer_schema_length=None).with_columns(
            pl.lit("S").alias("STUDYID"), pl.int_range(2, pl.len() + 2).alias("ROW")
        )
        domains[name] = frame.with_columns(pl.int_range(1, pl.len() + 1).alias(number[name])) if number[name] else frame
    records = derive_records(study, Source(domains))
    return derive(study, records), records


def _of(rows: pl.DataFrame, analysis: str, endpoint: str, by: str = "", level: str = "", **key: str) -> dict[str, str]:
    found = rows.filter(analysis=analysis, endpoint=endpoint, by=by, level=level, **key)
    return dict(found.select("statistic", "text").iter_rows())


def test_days_from_vein_to_vein_are_of_whole_dates(rows: pl.DataFrame) -> None:
    """T1 31, T2 30, T3 29 days from leukapheresis to infusion; to release T1 19 and T2 22, of T3 the day is not known."""
    whole = _of(rows, "treatment", "LEUKAPHERESIS-INFUSION", "interval")
    assert (whole["n"], whole["N"], whole["median"], whole["min"], whole["max"]) == ("3", "3", "30", "29", "31")
    release = _of(rows, "treatment", "LEUKAPHERESIS-RELEASE", "interval")
    assert (release["n"], release["N"], release["median"], release["min"], release["max"]) == ("2", "3", "20.5", "19", "22")


def test_what_was_given_is_counted_once_a_subject(rows: pl.DataFrame) -> None:
    assert _of(rows, "treatment", "BRIDGING") == {"n": "1", "N": "3", "rate": "33.3"}
    assert _of(rows, "treatment", "BRIDGING", "onset")["median"] == "-27"
    assert _of(rows, "treatment", "BRIDGING", "agent", "DEXAMETHASONE") == {"n": "1", "N": "3", "rate": "33.3"}
    assert _of(rows, "treatment", "LYMPHODEPLETION") == {"n": "2", "N": "3", "rate": "66.7"}
    days = _of(rows, "treatment", "LYMPHODEPLETION", "days", "FLUDARABINE")
    assert (days["n"], days["min"], days["max"]) == ("2", "3", "3")
    dose = _of(rows, "treatment", "LYMPHODEPLETION", "dose", "FLUDARABINE, mg/m2")
    assert (dose["n"], dose["median"], dose["min"], dose["max"]) == ("2", "27.5", "25", "30")
    assert _of(rows, "treatment", "LYMPHODEPLETION", "first")["median"] == "-5"
    assert _of(rows, "treatment", "LYMPHODEPLETION", "last")["median"] == "-3"
    amount = _of(rows, "treatment", "DOSE", "unit", "10^6 CELLS")
    assert (amount["n"], amount["median"], amount["max"]) == ("3", "42", "43")


def test_therapies_after_the_infusion_end_with_the_cutoff(rows: pl.DataFrame) -> None:
    assert _of(rows, "treatment", "TRANSPLANT") == {"n": "1", "N": "3", "rate": "33.3"}
    assert _of(rows, "treatment", "TRANSPLANT", "onset")["median"] == "100"
    assert _of(rows, "treatment", "SUBSEQUENT") == {"n": "1", "N": "3", "rate": "33.3"}
    assert _of(rows, "treatment", "SUBSEQUENT", "agent", "BLINATUMOMAB")["n"] == "1"
    assert not _of(rows, "treatment", "SUBSEQUENT", "agent", "INOTUZUMAB")
    assert _of(rows, "treatment", "EITHER") == {"n": "2", "N": "3", "rate": "66.7"}


def test_serious_events_are_those_that_were_called_so(rows: pl.DataFrame) -> None:
    """The sepsis of grade 4 of T1 was not called serious: the worst serious grade is 2."""
    assert _of(rows, "serious", "ANY", "max_grade", "any") == {"n": "2", "N": "3", "rate": "66.7"}
    assert _of(rows, "serious", "ANY", "max_grade", "5")["n"] == "0"
    system = "Infections and infestations"
    assert _of(rows, "serious", system, "max_grade", ">=3", variant="class")["n"] == "1"
    assert _of(rows, "serious", "PNEUMONIA", "max_grade", "any", variant=f"class={system}")["n"] == "1"
    assert rows.filter(analysis="serious", endpoint="NAUSEA").is_empty()


def test_grades_shift_from_before_lymphodepletion_to_the_worst_after(rows: pl.DataFrame) -> None:
    """T1 from 0 to 4; T2 has no grade before, 3 after; T3 none at all."""
    assert _of(rows, "shift", "NEUT", "0", "4") == {"n": "1", "N": "2"}
    assert _of(rows, "shift", "NEUT", "not graded", "3") == {"n": "1", "N": "2"}
    assert rows.filter(analysis="shift", statistic="n").height == 2


def test_counts_recover_after_they_were_low(rows: pl.DataFrame) -> None:
    """Limit 1: T1 low on days 9 and 19, back on day 29 (1.0 is not below); T2 low on day 9, back on day 11; T3 never low."""
    assert _of(rows, "recovery", "NEUT", "low") == {"n": "2", "N": "3", "rate": "66.7"}
    assert _of(rows, "recovery", "NEUT", "recovered") == {"n": "2", "N": "2", "rate": "100.0"}
    back = _of(rows, "recovery", "NEUT", "first-recovery")
    assert (back["median"], back["min"], back["max"]) == ("20", "11", "29")


def test_what_is_absent_is_named(study: Study) -> None:
    """Without CM, PR, LB and seriousness nothing is counted as zero."""
    less = {name: rows for name, rows in TABLES.items() if name not in ("CM", "PR", "LB")}
    less["AE"] = [row | {"AESER": None} for row in TABLES["AE"]]
    less["EX"] = [row for row in TABLES["EX"] if row["EXTRT"] == "PRODUCT"]
    rows = _rows(study, less)
    for analysis, endpoint, by in (
        *(("treatment", name, "") for name in ("BRIDGING", "LYMPHODEPLETION", "TRANSPLANT", "SUBSEQUENT")),
        ("treatment", "LEUKAPHERESIS-INFUSION", "interval"),
        *(("serious", "ANY", ""), ("shift", "", ""), ("recovery", "NEUT", "")),
    ):
        found = _of(rows, analysis, endpoint, by)
        assert found == {"n": "not recorded"}, (analysis, endpoint, found)
    assert not _of(rows, "treatment", "EITHER")


def test_ends_tell_events_and_reasons(rows: pl.DataFrame) -> None:
    """Of the three infused T2 died; T1 and T3 were alive at the end: their reasons make the two censored."""
    assert _of(rows, "censoring", "OS", "event") == {"n": "1", "N": "3"}
    assert _of(rows, "censoring", "OS", "event", "death") == {"n": "1"}
    assert _of(rows, "censoring", "OS", "censored") == {"n": "2", "N": "3"}
    reasons = rows.filter(pl.col("level") != "", analysis="censoring", endpoint="OS", by="censored")
    assert reasons["value"].sum() == 2


def test_an_event_of_grade_0_is_none_serious_or_not(study: Study) -> None:
    """By hand: T1 had a fever of grade 0 called serious, T2 a pneumonia of grade 3 called serious, T3 an event of which none says it."""
    events = [_event("T1", "FEVER", "0", "Y"), _event("T2", "PNEUMONIA", "3", "Y"), _event("T3", "NAUSEA", "1", None)]
    data = _derived(study, TABLES | {"AE": events})
    rows, report = analyse_further(study, *data), analyse(study, *data, analyses=["safety"])
    assert _of(rows, "serious", "ANY", "max_grade", "any") == _of(report, "safety", "SERIOUS") == {"n": "1", "N": "3", "rate": "33.3"}
    assert _of(rows, "serious", "ANY", "answer", "unknown") == _of(report, "safety", "SERIOUS", "answer", "unknown") == {"n": "1", "N": "3"}
    assert rows.filter(analysis="serious", endpoint="FEVER").is_empty()


def test_a_grade_0_is_one_of_each_direction(study: Study) -> None:
    """By hand: T1 from 0, which has no direction, to a low of 4; T2 has no grade before, a low of 2 after; a grade of -3 is none."""
    labs = [_lab("T1", "2021-12-20", 3.0, "0"), _lab("T1", "2022-01-10", 0.3, "4") | {"LBTOXDIR": "LOW"}]
    labs += [_lab("T2", "2022-01-10", 0.9, "2") | {"LBTOXDIR": "LOW"}, _lab("T3", "2022-01-10", 0.9, "-3")]
    rows = _rows(study, TABLES | {"LB": labs})
    assert _of(rows, "shift", "NEUT LOW", "0", "4") == {"n": "1", "N": "2"}
    assert _of(rows, "shift", "NEUT LOW", "not graded", "2") == {"n": "1", "N": "2"}
    assert set(rows.filter(analysis="shift")["endpoint"]) == {"NEUT LOW"}


@pytest.mark.shows("STUDY-product.re-infusion")
def test_the_product_infused_again_is_among_the_agents(study: Study) -> None:
    """By hand: T3 got the product again on day 60, which the study file does not call a re-infusion; T2 blinatumomab."""
    again = {"USUBJID": "T3", "EXTRT": "PRODUCT", "EXDOSE": 40.0, "EXDOSU": "10^6 CELLS", "EXSTDTC": "2022-03-02"}
    rows = _rows(study, TABLES | {"EX": [*TABLES["EX"], again]})
    assert _of(rows, "treatment", "SUBSEQUENT")["n"] == "2"
    once = {"n": "1", "N": "3", "rate": "33.3"}
    assert _of(rows, "treatment", "SUBSEQUENT", "agent", "PRODUCT") == _of(rows, "treatment", "RE-INFUSION") == once
    listed = study.model_copy(update={"product": study.product.model_copy(update={"re_infusion": True})})
    rows = _rows(listed, TABLES | {"EX": [*TABLES["EX"], again]})
    assert _of(rows, "treatment", "SUBSEQUENT")["n"] == "1" and not _of(rows, "treatment", "SUBSEQUENT", "agent", "PRODUCT")
