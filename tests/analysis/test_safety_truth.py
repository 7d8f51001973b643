"""Is harm counted as a clinician would count it? Seven subjects, every expected value by hand, written before the code ran.

Day 0 is 2022-01-01, the cutoff 2022-09-27; day 28 is 2022-01-29, day 60 2022-03-02, day 90 2022-04-01. T7 was never infused.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from cartrial import analyse, derive
from cartrial.sdtm import Source
from cartrial.study import Study
from sdtm_example import small_study

Row = dict[str, Any]
Value = float | None

CRS, ICANS = "CYTOKINE RELEASE SYNDROME", "IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME"
INFECTIONS = "Infections and infestations"
SIX = ("T1", "T2", "T3", "T4", "T5", "T6")


def _event(who: str, term: str | None, grade: str | None, start: str, end: str | None = None, **more: str) -> Row:
    return {"USUBJID": who, "AEDECOD": term, "AETOXGR": grade, "AESTDTC": start, "AEENDTC": end, "AEBODSYS": "Other", **more}


def _lab(who: str, test: str, date: str, result: str) -> Row:
    number = {} if result[0] in "<>" else {"LBSTRESN": float(result)}
    return {
        **{"USUBJID": who, "LBTESTCD": test, "LBSPEC": "BLOOD", "LBSTRESC": result, "LBSTRESU": "10^9/L", "LBDTC": date},
        **number,
    }


def _call(who: str, date: str, call: str) -> Row:
    return {"USUBJID": who, "RSTESTCD": "OVRLRESP", "RSEVAL": "INDEPENDENT ASSESSOR", "RSSTRESC": call, "RSDTC": date}


def tables() -> dict[str, list[Row]]:
    """Return the records, without keys."""
    alive = {"SSTESTCD": "SURVSTAT", "SSSTRESC": "ALIVE"}
    return {
        "DM": [{"USUBJID": f"T{i}", "DTHDTC": {3: "2022-01-21", 4: "2022-03-02"}.get(i)} for i in range(1, 8)],
        "DS": [{"USUBJID": f"T{i}", "DSDECOD": "ENROLLED", "DSSTDTC": "2021-11-20"} for i in range(1, 8)],
        "EX": [{"USUBJID": who, "EXTRT": "PRODUCT", "EXSTDTC": "2022-01-01"} for who in SIX],
        "SS": [
            *({"USUBJID": who, "SSDTC": "2022-09-20", **alive} for who in ("T1", "T2")),
            {"USUBJID": "T5", "SSDTC": "2022-01-20", **alive},
            {"USUBJID": "T6", "SSDTC": "2022-09-01", **alive},
        ],
        "DD": [
            {"USUBJID": "T3", "DDTESTCD": "PRCDTH", "DDSTRESC": "Cytokine release syndrome", "DDDTC": "2022-01-21"},
            {"USUBJID": "T4", "DDTESTCD": "PRCDTH", "DDSTRESC": "Progressive disease", "DDDTC": "2022-03-02"},
        ],
        "AE": [
            _event("T1", CRS, "2", "2022-01-03", "2022-01-07"),
            _event("T1", CRS, "3", "2022-01-09", "2022-01-11"),
            _event("T1", "IMMUNE EFFECTOR CELL-ASSOCIATED HAEMATOTOXICITY", "3", "2022-02-01"),
            _event("T1", "PNEUMONIA", "3", "2022-02-01", AEBODSYS=INFECTIONS),
            _event("T2", CRS, "1", "2022-01-04", "2022-01-05"),
            _event("T2", "NASOPHARYNGITIS", "2", "2022-03-01", AEBODSYS=INFECTIONS),
            _event("T3", CRS, "4", "2022-01-02", AEOUT="NOT RECOVERED/NOT RESOLVED"),
            _event("T3", ICANS, "3", "2022-01-06"),
            # a month alone: the 15th, day 14; it ends after the cutoff
            _event("T5", CRS, None, "2022-01", "2022-10-05"),
            # not coded: nobody can say that it was no CRS, nor that it was no infection
            _event("T6", None, "2", "2022-01-04", "2022-01-06", AETERM="suspected cytokine release", AEBODSYS=None),  # type: ignore[arg-type]
            _event("T6", "HAEMOPHAGOCYTIC LYMPHOHISTIOCYTOSIS", "4", "2022-02-01"),
        ],
        "CM": [
            {"USUBJID": "T1", "CMTRT": "Tocilizumab", "CMINDC": "CRS", "CMSTDTC": "2022-01-04"},
            # no reason, given while it lasted
            {"USUBJID": "T1", "CMTRT": "Dexamethasone", "CMSTDTC": "2022-01-09"},
            {"USUBJID": "T1", "CMTRT": "Noradrenaline", "CMINDC": "Hypotension", "CMSTDTC": "2022-01-09"},
            # no treatment of what is there: to prevent it, and before it
            {"USUBJID": "T2", "CMTRT": "Tocilizumab", "CMINDC": "CRS prophylaxis", "CMSTDTC": "2022-01-01"},
            {"USUBJID": "T3", "CMTRT": "Tocilizumab", "CMCAT": "CYTOKINE RELEASE SYNDROME TREATMENT", "CMSTDTC": "2022-01-03"},
            {"USUBJID": "T3", "CMTRT": "Dexamethasone", "CMINDC": "ICANS", "CMSTDTC": "2022-01-06"},
            {"USUBJID": "T4", "CMTRT": "Methylprednisolone", "CMINDC": "Rash", "CMSTDTC": "2022-01-10"},
            # neither reason nor day
            {"USUBJID": "T5", "CMTRT": "Prednisone"},
        ],
        "HO": [{"USUBJID": "T1", "HOTERM": "ICU admission", "HODECOD": "ICU", "HOSTDTC": "2022-01-09", "HOENDTC": "2022-01-12"}],
        "DV": [
            {"USUBJID": "T1", "DVTERM": "Consent form outdated", "DVCAT": "Important", "DVSTDTC": "2021-11-20"},
            {"USUBJID": "T1", "DVTERM": "Sample missed", "DVCAT": "Minor", "DVSTDTC": "2022-03-02"},
            {"USUBJID": "T2", "DVTERM": "Sample missed", "DVCAT": "Minor", "DVSTDTC": "2022-03-02"},
            {"USUBJID": "T2", "DVTERM": "Sample missed", "DVCAT": "Minor", "DVSTDTC": "2022-09-28"},
            {"USUBJID": "T7", "DVTERM": "Eligibility", "DVCAT": "Important", "DVSTDTC": "2021-11-20"},
        ],
        "LB": [
            _lab("T1", "NEUT", "2022-01-29", "0.4"),
            _lab("T1", "PLAT", "2022-01-29", "60"),
            _lab("T1", "NEUT", "2022-02-25", "0.3"),
            _lab("T1", "NEUT", "2022-03-08", "0.5"),
            _lab("T1", "PLAT", "2022-03-08", "49"),
            # day 83 is in the window of day 90, day 98 is not
            _lab("T1", "NEUT", "2022-03-25", "0.49"),
            _lab("T1", "PLAT", "2022-04-09", "10"),
            _lab("T2", "NEUT", "2022-01-22", "1.2"),
            _lab("T2", "NEUT", "2022-04-01", "2"),
            _lab("T2", "PLAT", "2022-04-01", "200"),
            _lab("T4", "NEUT", "2022-01-29", "<0.1"),
            _lab("T4", "PLAT", "2022-01-29", "<50"),
            _lab("T6", "NEUT", "2022-01-29", "3"),
            _lab("T6", "PLAT", "2022-01-29", "150"),
            _lab("T6", "NEUT", "2022-03-02", "0.5"),
            _lab("T6", "PLAT", "2022-03-02", "50"),
            # on either side of 0.5
            _lab("T6", "NEUT", "2022-04-01", "<1"),
        ],
        "RS": [
            _call("T1", "2022-01-29", "CR"),
            _call("T2", "2022-01-29", "CR"),
            _call("T2", "2022-04-01", "CR"),
            _call("T4", "2022-01-29", "NR"),
            _call("T6", "2022-01-29", "NE"),
            _call("T6", "2022-04-01", "CR"),
        ],
    }


def source_of(rows: dict[str, list[Row]]) -> Source:
    """Return tables with keys as a source."""
    frames = {}
    for name, table in rows.items():
        if not table:
            continue
        keyed = [
            {"STUDYID": "TRIAL", "ROW": i + 2, **({} if name == "DM" else {f"{name}SEQ": i + 1}), **row} for i, row in enumerate(table)
        ]
        columns = dict.fromkeys(column for row in keyed for column in row)
        frames[name] = pl.DataFrame([{column: row.get(column) for column in columns} for row in keyed], infer_schema_length=None)
    return Source(frames)


def results_of(study: Study, rows: dict[str, list[Row]]) -> pl.DataFrame:
    """Return the results on safety and conduct."""
    from cartrial.sdtm.records import derive_records

    source = source_of(rows)
    return analyse(study, derive(study, source), derive_records(study, source), analyses=["safety", "conduct"])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return small_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def results(study: Study) -> pl.DataFrame:
    return results_of(study, tables())


def values(rows: pl.DataFrame, **key: str) -> dict[str, Value]:
    """Return statistic -> value of the rows that have this key; each statistic once."""
    found = rows.filter(*(pl.col(name) == wanted for name, wanted in key.items()))
    assert not found["statistic"].is_duplicated().any(), found
    return dict(found.select("statistic", "value").iter_rows())


@pytest.mark.shows("RULE-7.11", "EST-grades")
def test_worst_grades_with_their_share(results: pl.DataFrame) -> None:
    """T1 3, T2 1, T3 4, T5 has no grade, T4 none; of T6's event without a term it is not known whether it was one."""
    found = {level: values(results, endpoint="CRS", by="max_grade", level=level)["n"] for level in ("0", "1", "2", "3", "4", "5", "any")}
    assert found == {"0": 1, "1": 1, "2": 0, "3": 1, "4": 1, "5": 0, "any": 4}
    assert values(results, endpoint="CRS", by="max_grade", level="unknown")["n"] == 2
    assert values(results, endpoint="CRS", by="max_grade", level=">=3") == {"n": 2, "N": 6, "rate": 2 / 6}
    assert values(results, endpoint="CRS", by="max_grade", level="3") == {"n": 1, "N": 6, "rate": 1 / 6}
    assert values(results, endpoint="ICANS", by="max_grade", level="any") == {"n": 1, "N": 6, "rate": 1 / 6}
    # the term of T6's event reads like a CRS, and not like ICANS
    assert values(results, endpoint="ICANS", by="max_grade", level="unknown")["n"] == 0


@pytest.mark.shows("RULE-7.11")
def test_onset_and_duration(results: pl.DataFrame) -> None:
    """Onset on days 2, 3, 1 and, of a month alone, 14. T1 lasted from day 2 to day 10, T2 two days; T3 died with it, T5 still has it."""
    assert values(results, endpoint="CRS", by="onset", level="") == {"n": 4, "median": 2.5, "min": 1, "max": 14}
    assert values(results, endpoint="CRS", by="onset", level="imputed") == {"n": 1}
    assert values(results, endpoint="CRS", by="duration") == {"n": 2, "median": 5.5, "min": 2, "max": 9}
    course = {
        level: values(results, endpoint="CRS", by="course", level=level).get("n")
        for level in ("ended", "ongoing at the cutoff", "ongoing at death", "end not known")
    }
    assert course == {"ended": 2, "ongoing at the cutoff": 1, "ongoing at death": 1, "end not known": 0}
    # T3 died with an event of which no end and no outcome is recorded
    assert values(results, endpoint="ICANS", by="course", level="end not known") == {"n": 1, "N": 1}
    assert values(results, endpoint="ICANS", by="duration") == {}


def test_an_event_does_not_end_by_the_death(study: Study) -> None:
    """By hand: of T3, who died on day 20, one that was fatal and one that had not resolved end on that day: both were going on. A call that
    went over into the next (T1, day 2 to 6, to 10) has ended; T2's month alone, ended on day 9, has a duration of an imputed onset."""
    rows = tables()
    rows["AE"] = [
        _event("T1", CRS, "1", "2022-01-03", "2022-01-07", AEOUT="NOT RECOVERED/NOT RESOLVED"),
        _event("T1", CRS, "3", "2022-01-07", "2022-01-11", AEOUT="RECOVERED/RESOLVED"),
        _event("T2", CRS, "1", "2022-01", "2022-01-10", AEOUT="RECOVERED/RESOLVED"),
        _event("T3", CRS, "5", "2022-01-02", "2022-01-21", AEOUT="FATAL"),
        _event("T3", ICANS, "3", "2022-01-06", "2022-01-21", AEOUT="NOT RECOVERED/NOT RESOLVED"),
    ]
    found = results_of(study, rows)
    assert values(found, endpoint="CRS", by="course", level="ongoing at death") == {"n": 1, "N": 3}
    assert values(found, endpoint="CRS", by="course", level="ended")["n"] == 2
    assert values(found, endpoint="CRS", by="duration", level="") == {"n": 2, "median": 5, "min": 1, "max": 9}
    assert values(found, endpoint="CRS", by="duration", level="imputed") == {"n": 1}
    assert values(found, endpoint="ICANS", by="course", level="ongoing at death")["n"] == 1
    assert values(found, endpoint="ICANS", by="duration") == {}


@pytest.mark.slow
def test_what_is_given_between_two_events_is_given_for_neither(study: Study) -> None:
    """By hand: T1 had CRS on days 2 to 4 and, after a second infusion, on days 62 to 65. A steroid of day 30 that names no reason is of
    neither, one of day 63 of the second; a stay in between is of neither."""

    def given(day: str, what: str = "corticosteroids") -> dict[str, Value]:
        rows = tables()
        rows["AE"] = [_event("T1", CRS, "1", "2022-01-03", "2022-01-05"), _event("T1", CRS, "2", "2022-03-04", "2022-03-07")]
        rows["CM"] = [{"USUBJID": "T1", "CMTRT": "Dexamethasone", "CMSTDTC": day}]
        rows["HO"] = [{"USUBJID": "T1", "HOTERM": "ICU", "HOSTDTC": "2022-01-31", "HOENDTC": "2022-02-02"}]
        return values(results_of(study, rows), endpoint="CRS", by="treatment", level=what)

    assert given("2022-01-31") == {"n": 0, "N": 1, "rate": 0}
    assert given("2022-03-05") == {"n": 1, "N": 1, "rate": 1, "by_date": 1}
    assert given("2022-01-31", "intensive care") == {"n": 0, "N": 1, "rate": 0}


def test_an_event_without_a_day_has_no_onset(study: Study) -> None:
    """An event that ended before it began, and one without a start: neither has a duration, and only the first an onset, of its own day."""
    rows = tables()
    rows["AE"] = [_event("T1", CRS, "2", "2022-01-08", "2022-01-03"), {**_event("T2", CRS, "1", ""), "AESTDTC": None}]
    found = results_of(study, rows)
    assert values(found, endpoint="CRS", by="onset") == {"n": 1, "median": 7, "min": 7, "max": 7}
    assert values(found, endpoint="CRS", by="duration") == {}
    assert values(found, endpoint="CRS", by="course", level="end not known") == {"n": 2, "N": 2}


@pytest.mark.shows("RULE-7.11")
def test_what_was_given(results: pl.DataFrame) -> None:
    """Of the four with CRS: tocilizumab T1 and T3; steroids T1, by its date alone, and T5's record says neither why nor when."""

    def given(what: str, of: str = "CRS") -> dict[str, Value]:
        return values(results, endpoint=of, by="treatment", level=what)

    assert given("tocilizumab") == {"n": 2, "N": 4, "rate": 0.5}
    assert given("corticosteroids") == {"n": 1, "N": 4, "rate": 0.25, "by_date": 1, "unknown": 1}
    assert given("vasopressors") == {"n": 1, "N": 4, "rate": 0.25, "by_date": 1}
    assert given("intensive care") == {"n": 1, "N": 4, "rate": 0.25, "by_date": 1}
    # no record of anakinra: nobody can say that nobody had it
    assert given("anakinra") == {"n": None, "N": 4, "rate": None}
    assert given("tocilizumab", "ICANS") == {"n": 0, "N": 1, "rate": 0}
    assert given("corticosteroids", "ICANS") == {"n": 1, "N": 1, "rate": 1}
    assert set(results.filter(endpoint="CRS", by="treatment", level="anakinra", statistic="n")["text"]) == {"not recorded"}


def test_no_medication_is_no_zero(study: Study) -> None:
    """Without CM and HO nothing that was given is recorded."""
    rows = tables()
    del rows["CM"], rows["HO"]
    found = results_of(study, rows).filter(by="treatment", statistic="n")
    assert found.height == 10 and found["value"].null_count() == 10


@pytest.mark.slow
def test_a_denied_treatment_is_an_answer(study: Study) -> None:
    """Anakinra was asked for in T1 alone, and not given: of the other three nobody asked (rules, A5)."""
    rows = tables()
    rows["CM"].append({"USUBJID": "T1", "CMTRT": "Anakinra", "CMPRESP": "Y", "CMOCCUR": "N"})
    found = values(results_of(study, rows), endpoint="CRS", by="treatment", level="anakinra")
    assert found == {"n": 0, "N": 4, "rate": 0, "unknown": 3}
    rows["CM"][-1]["CMOCCUR"] = "U"
    # nobody is known to have had it, or not
    assert values(results_of(study, rows), endpoint="CRS", by="treatment", level="anakinra")["n"] is None


@pytest.mark.slow
def test_a_stay_counts_by_any_of_its_days(study: Study) -> None:
    """T1 had CRS from day 2 to day 10: a stay from before to day 2 counts, one to day 1 does not, one without an end may."""

    def stay(start: str, end: str | None) -> dict[str, Value]:
        rows = tables()
        rows["HO"] = [{"USUBJID": "T1", "HOTERM": "ICU", "HOSTDTC": start, "HOENDTC": end}]
        found = values(results_of(study, rows), endpoint="CRS", by="treatment", level="intensive care")
        return {name: found.get(name) for name in ("n", "unknown")}

    assert stay("2022-01-01", "2022-01-03") == {"n": 1, "unknown": None}
    assert stay("2022-01-01", "2022-01-02") == {"n": 0, "unknown": None}
    assert stay("2021-12-20", None) == {"n": 0, "unknown": 1}
    assert stay("2022-01-11", None) == {"n": 1, "unknown": None}
    assert stay("2022-01-12", None) == {"n": 0, "unknown": None}


def test_deaths(results: pl.DataFrame) -> None:
    """T3 died on day 20, T4 on day 60; T5 was last seen on day 19."""
    assert values(results, endpoint="DEATH", by="", window="") == {"n": 2, "N": 6, "rate": 2 / 6}
    for window, n in (("within 30 days of infusion", 1), ("within 90 days of infusion", 2)):
        assert values(results, endpoint="DEATH", by="", window=window) == {"n": n, "N": 6, "rate": n / 6, "shorter": 1}
    causes = results.filter(endpoint="DEATH", by="cause", statistic="n").select("level", "value").rows()
    assert causes == [("cytokine release syndrome", 1), ("relapse or progression", 1)]
    assert values(results, endpoint="DEATH", by="cause", level="relapse or progression") == {"n": 1, "N": 6, "rate": 1 / 6}


@pytest.mark.slow
def test_a_death_whose_day_may_lie_on_either_side(study: Study) -> None:
    """T4 died in January: on the 15th, day 14, or after day 29 at the latest, within 30 days in any case. In February it may be later."""
    rows = tables()
    rows["DD"] = []
    rows["DM"][3]["DTHDTC"] = "2022-01"
    rows["RS"] = [row for row in rows["RS"] if row["USUBJID"] != "T4"]
    rows["LB"] = [row for row in rows["LB"] if row["USUBJID"] != "T4"]
    first = values(results_of(study, rows), endpoint="DEATH", by="", window="within 30 days of infusion")
    assert (first["n"], first.get("unknown")) == (2, None)
    rows["DM"][3]["DTHDTC"] = "2022-02"
    # day 31 to 58
    later = values(results_of(study, rows), endpoint="DEATH", by="", window="within 30 days of infusion")
    assert (later["n"], later.get("unknown")) == (1, None)
    rows["DM"][3]["DTHDTC"] = "2022"
    either = values(results_of(study, rows), endpoint="DEATH", by="", window="within 30 days of infusion")
    assert either["unknown"] == 1


@pytest.mark.slow
def test_a_cause_that_nobody_recorded_is_named(study: Study) -> None:
    rows = tables()
    rows["DD"][0]["DDSTRESC"] = None
    del rows["DD"][1]
    found = results_of(study, rows).filter(endpoint="DEATH", by="cause")
    assert found.select("level", "statistic", "value", "text").rows() == [("", "n", None, "not recorded")]


@pytest.mark.slow
def test_a_fatal_event_is_the_cause_where_no_details_are(study: Study) -> None:
    rows = tables()
    rows["DD"] = []
    rows["AE"].append(_event("T4", "SEPTIC SHOCK", "5", "2022-02-20", "2022-03-02", AEOUT="FATAL", AEBODSYS=INFECTIONS))
    found = results_of(study, rows).filter(endpoint="DEATH", by="cause", statistic="n").select("level", "value").rows()
    assert found == [("infection", 1), ("not recorded", 1)]


@pytest.mark.parametrize(
    ("name", "day", "expected"),
    [
        ("LOW-NEUT", 28, (2, 4, 2)),
        ("LOW-PLAT", 28, (1, 3, 3)),
        ("LOW-EITHER", 28, (2, 3, 3)),
        ("LOW-NEUT", 60, (0, 2, 4)),
        ("LOW-PLAT", 60, (1, 2, 4)),
        ("LOW-EITHER", 60, (1, 2, 4)),
        ("LOW-NEUT", 90, (1, 2, 4)),
        ("LOW-PLAT", 90, (0, 1, 5)),
        # T1 has low neutrophils and no platelets there: he stands beside N, since whoever has one count that is not low does too
        ("LOW-EITHER", 90, (0, 1, 5)),
    ],
)
@pytest.mark.shows(
    "STUDY-safety.cytopenia.days",
    "STUDY-safety.cytopenia.margin",
    "STUDY-safety.cytopenia.last-neutrophils-below",
    "STUDY-safety.cytopenia.last-platelets-below",
)
def test_the_last_count_of_a_window(results: pl.DataFrame, name: str, day: int, expected: tuple[int, int, int]) -> None:
    """Low, with a value, without: the last of the window, both edges in; exactly 0.5 and 50 are not low; `<1` decides nothing."""
    found = values(results, endpoint=name, by="window", level=f"day {day}")
    n, total, missing = expected
    alone = {"low_alone": 1} if (name, day) == ("LOW-EITHER", 90) else {}
    assert found == {"n": n, "N": total, "rate": n / total, "missing": missing, "died": {28: 1, 60: 2, 90: 2}[day], **alone}


def test_other_events_of_interest(results: pl.DataFrame) -> None:
    """As recorded: hematotoxicity T1, HLH T6; infections T1 (3) and T2 (2), and T6 has an event without a class."""
    assert values(results, endpoint="ICAHT", by="max_grade", level="3") == {"n": 1, "N": 6, "rate": 1 / 6}
    assert values(results, endpoint="HLH", by="max_grade", level=">=3") == {"n": 1, "N": 6, "rate": 1 / 6}
    assert values(results, endpoint="INFECTION", by="max_grade", level="any") == {"n": 2, "N": 6, "rate": 2 / 6}
    assert values(results, endpoint="INFECTION", by="max_grade", level=">=3")["n"] == 1
    assert values(results, endpoint="INFECTION", by="max_grade", level="unknown")["n"] == 1


@pytest.mark.slow
def test_no_class_is_no_absence_of_infections(study: Study) -> None:
    rows = tables()
    for row in rows["AE"]:
        row["AEBODSYS"] = None
    found = results_of(study, rows).filter(endpoint="INFECTION", statistic="n")
    assert found.height and found["value"].null_count() == found.height


def test_deviations(results: pl.DataFrame) -> None:
    """T1 two, T2 one before the cutoff, T7 one who was never infused."""
    assert values(results, endpoint="DEVIATION", by="", population="infused") == {"n": 2, "N": 6, "rate": 2 / 6, "records": 3}
    assert values(results, endpoint="DEVIATION", by="category", level="important") == {"n": 1, "N": 6, "rate": 1 / 6, "records": 1}
    assert values(results, endpoint="DEVIATION", by="category", level="minor") == {"n": 2, "N": 6, "rate": 2 / 6, "records": 2}
    assert values(results, endpoint="DEVIATION", population="not infused") == {"records": 1}


@pytest.mark.slow
def test_deviations_that_nobody_recorded(study: Study) -> None:
    rows = tables()
    del rows["DV"]
    found = results_of(study, rows).filter(endpoint="DEVIATION")
    assert found.select("statistic", "value", "text").rows() == [("n", None, "not recorded")]


def test_missed_assessments(results: pl.DataFrame) -> None:
    """Day 28: T5 missed it, T6's could not be read. Month 3: T1 and T5 missed it; T3 and T4 had died."""
    assert values(results, endpoint="VISIT", level="day 28") == {"N": 5, "n": 1, "rate": 0.2, "adequate": 3, "not_evaluable": 1}
    assert values(results, endpoint="VISIT", level="month 3") == {"N": 4, "n": 2, "rate": 0.5, "adequate": 2, "not_evaluable": 0}


@pytest.mark.slow
def test_many_virtual_trials_know_what_was_given_as_one_does() -> None:
    """independent: the records of one virtual trial, and the same as the SDTM of its sites, give the same treatments and causes."""
    from cartrial.endpoints import derive
    from cartrial.sdtm.records import derive_records
    from cartrial.virtual.trial import emit_sdtm, simulate_study

    study = Study.load("inaticel")
    whole = simulate_study(study, n=24, seed=3, trials=1)
    source = emit_sdtm(study, n=24, seed=3)
    found, causes = [], []
    for records, adam in ((whole, derive(study, whole)), (derive_records(study, source), derive(study, source))):
        rows = analyse(study, adam, records, analyses=["safety"])
        causes.append(rows.filter(by="cause", statistic="n").select("level", "value").sort("level"))
        rows = rows.filter(by="treatment")
        found.append(rows.select("endpoint", "level", "statistic", "value").sort("endpoint", "level", "statistic"))
    one, other = found
    known = pl.col("level").is_in(["tocilizumab", "corticosteroids"])
    assert one.filter(known).equals(other.filter(known)) and one.filter(known, statistic="n")["value"].sum() > 0
    assert one.filter(~known, statistic="n")["value"].null_count() == 6
    assert causes[0].equals(causes[1]) and set(causes[0]["level"]) <= {"relapse or progression", "other"} and causes[0].height
