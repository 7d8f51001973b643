"""Dates of one event in several sources, deaths, a partial infusion date, study days without dates (rules 9, A17 to A19 and A21).

Expected values: by hand from the rules, before the code was changed; the paragraph stands beside each. Day 0 is 2022-01-01.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cartrial import InputError, Study, derive
from cartrial.endpoints.course import derive_course
from cartrial.sdtm import Source, check_sdtm, read_sdtm
from cartrial.sdtm.records import derive_records
from cases.case import case_path, checked, value
from properties import every

STUDY = Study.load("inaticel")
KEY = {"STUDYID": "inaticel-pivotal", "USUBJID": "S1"}
CALL = {"RSTESTCD": "OVRLRESP", "RSEVAL": "INDEPENDENT ASSESSOR"}


def source(**tables: list[dict[str, object]]) -> Source:
    """Return S1, infused on 2022-01-01, in CR on days 28 and 90, with further records."""
    calls = [{**CALL, "RSSTRESC": "CR", "RSDTC": date} for date in ("2022-01-29", "2022-04-01")]
    rows = {"DM": [{"RFICDTC": "2021-11-22"}], "EX": [{"EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}], "RS": calls, **tables}

    def record(name: str, number: int, row: dict[str, object]) -> dict[str, object]:
        return {**KEY, **({} if name == "DM" else {f"{name}SEQ": number}), "ROW": number + 1, **row}

    return Source({name: pl.DataFrame([record(name, i, row) for i, row in enumerate(each, 1)]) for name, each in rows.items()})


def rules_of(data: Source, study: Study = STUDY) -> list[str]:
    """Return the rules that have a finding."""
    return check_sdtm(study, data)["RULE"].to_list()


FATAL = {"AEDECOD": "SEPSIS", "AESTDTC": "2022-05-01"}
IN_DS = {"DSDECOD": "DEATH", "DSSTDTC": "2022-05-20"}
DETAIL = {"DDTESTCD": "PRCDTH", "DDDTC": "2022-05-20"}
DEATHS = [
    # A17: the whole date of DS lies in the month of DM: 2022-05-20 is day 139
    ({"DM": [{"DTHDTC": "2022-05"}], "DS": [IN_DS]}, 140, "DS", None),
    # it does not: DM by the order, the 15th is day 134
    ({"DM": [{"DTHDTC": "2022-05"}], "DS": [{"DSDECOD": "DEATH", "DSSTDTC": "2022-06-02"}]}, 135, "DM", "death-disagrees"),
    # the more exact of two partial dates
    ({"DM": [{"DTHDTC": "2022"}], "DS": [{"DSDECOD": "DEATH", "DSSTDTC": "2022-05"}]}, 135, "DS", None),
    ({"DM": [{"DTHDTC": "2022-05"}], "AE": [{**FATAL, "AEOUT": "FATAL", "AEENDTC": "2022-05-25"}]}, 145, "AE", None),
    ({"DM": [{"DTHDTC": "2022-05"}], "SS": [{"SSTESTCD": "SURVSTAT", "SSSTRESC": "DEAD", "SSDTC": "2022-05-28"}]}, 148, "SS", None),
    # A19: DM, DS, DD, AE, SS
    ({"DS": [IN_DS], "AE": [{**FATAL, "AESDTH": "Y", "AEENDTC": "2022-05-25"}]}, 140, "DS", "death-disagrees"),
    ({"AE": [{**FATAL, "AESDTH": "Y", "AEENDTC": "2022-05-25"}]}, 145, "AE", None),
    ({"AE": [{**FATAL, "AETOXGR": "5", "AEENDTC": "2022-05-25"}]}, 145, "AE", None),
    # DD tells by when the subject had died: a date before it is within what it leaves open; alone it is the latest possible day
    ({"DD": [DETAIL], "AE": [{**FATAL, "AEOUT": "FATAL", "AEENDTC": "2022-05-10"}]}, 130, "AE", None),
    ({"DD": [DETAIL], "AE": [{**FATAL, "AEOUT": "FATAL", "AEENDTC": "2022-05-25"}]}, 140, "DD", "death-disagrees"),
    ({"DD": [DETAIL]}, 140, "DD", None),
    ({"DM": [{"DTHDTC": "2022-05"}], "DD": [{"DDTESTCD": "PRCDTH", "DDDTC": "2022-05-10"}]}, 130, "DM", None),
    ({"DM": [{"DTHDTC": "2022-05-20"}], "DD": [{"DDTESTCD": "PRCDTH", "DDDTC": "2022-06-10"}]}, 140, "DM", None),
    # two deaths in one source: the earlier, and a finding
    ({"DS": [{"DSDECOD": "DEATH", "DSSTDTC": d} for d in ("2022-05-26", "2022-05-20")]}, 140, "DS", "death-twice"),
    ({"DS": [{"DSDECOD": "DEATH", "DSSTDTC": d} for d in ("2022-05", "2022-05-20")]}, 140, "DS", None),
]


@pytest.mark.parametrize(("tables", "days", "where", "finding"), every(2, DEATHS))
@pytest.mark.shows("RULE-1.11", "RULE-1.12")
def test_death_by_its_sources(tables, days, where, finding):
    """A17, A19: OS in days, the source that dates the death, and whether the sources contradict each other."""
    data = source(**tables)
    row = value(derive(STUDY, data), "OS")
    assert (row["AVAL"], row["EVNTDESC"], row["SRCDOM"]) == (days, "death", where)
    assert [rule for rule in rules_of(data) if rule in ("death-disagrees", "death-twice")] == ([finding] if finding else [])


@pytest.mark.parametrize("told", [{"AESDTH": "Y"}, {"AEOUT": "FATAL"}, {"AETOXGR": "5"}])
@pytest.mark.shows("RULE-1.11")
def test_death_of_an_event_without_end_has_no_date(told):
    """A19: an adverse event dates a death by its end alone; a death without a date stays an error."""
    data = source(AE=[{**FATAL, **told}])
    with pytest.raises(InputError, match="no source has a date of death"):
        derive(STUDY, data)
    assert "death-undated" in rules_of(data)


@pytest.mark.shows("RULE-1.12")
def test_two_deaths_in_one_source_are_a_finding():
    """A17."""
    code, text = checked("data/two-ds-deaths")
    assert code == 0 and "2022-09-19 and 2022-09-25" in text and "death-twice" in text


HSCT = {"PRTRT": "ALLO-HSCT"}
TRANSPLANTS = [
    # never before its own conditioning, from which the transplant counts: 2022-05-14 is day 133
    ({"PR": [{**HSCT, "PRSTDTC": "2022-05"}], "CM": [{"CMTRT": "TBI", "CMCAT": "CONDITIONING", "CMSTDTC": "2022-05-14"}]}, 133),
    # conditioning of several days
    ({"PR": [{**HSCT, "PRSTDTC": "2022-05"}, *({"PRTRT": "CONDITIONING", "PRSTDTC": f"2022-05-{d}"} for d in ("10", "14"))]}, 129),
    # conditioning more than 14 days before the earliest possible day is not its own
    ({"PR": [{**HSCT, "PRSTDTC": "2022-05"}, {"PRTRT": "CONDITIONING", "PRSTDTC": "2022-04-16"}]}, 120),
    ({"PR": [{**HSCT, "PRSTDTC": "2022-05"}, {"PRTRT": "CONDITIONING", "PRSTDTC": "2022-04-17"}]}, 106),
    # the whole date of the same transplant wins; of another month it is another
    ({"PR": [{**HSCT, "PRSTDTC": d} for d in ("2022-05", "2022-05-20")]}, 139),
    ({"PR": [{**HSCT, "PRSTDTC": d} for d in ("2022-05", "2022-06-20")]}, 120),
]


@pytest.mark.parametrize(("tables", "day"), TRANSPLANTS)
@pytest.mark.shows("RULE-1.8", "RULE-5.1")
def test_transplant_with_a_partial_date(tables, day):
    """A17; 1: a transplant takes the earliest possible day; 5: from its conditioning within 14 days before. 2022-05-01 is day 120."""
    course = derive_course(STUDY, derive_records(STUDY, source(**tables)))
    assert (course.frame["HSCT"] - course.frame["DAY0"]).to_list() == [day]


@pytest.mark.shows("RULE-1.12")
def test_consent_by_the_whole_date():
    """A17: DM 2021-11, DS 2021-11-22."""
    data = source(DM=[{"RFICDTC": "2021-11"}], DS=[{"DSDECOD": "INFORMED CONSENT OBTAINED", "DSSTDTC": "2021-11-22"}])
    assert str(derive(STUDY, data).adsl["RFICDT"][0]) == "2021-11-22"
    data = source(DM=[{"RFICDTC": "2021-11"}], DS=[{"DSDECOD": "INFORMED CONSENT OBTAINED", "DSSTDTC": "2021-12-02"}])
    assert str(derive(STUDY, data).adsl["RFICDT"][0]) == "2021-11-01"


@pytest.mark.shows("RULE-1.13")
def test_partial_infusion_stops_the_report():
    """A17: day 0 moves every window."""
    data = read_sdtm(case_path("data/infusion-partial"))
    with pytest.raises(InputError, match=r"ex.csv, row 3, EXSTDTC: the day of the infusion of subject S1 is not known"):
        derive(STUDY, data)
    code, text = checked("data/infusion-partial")
    assert code == 1 and "infusion-partial" in text


def fifteenth(tmp_path: Path) -> Study:
    """Return the inaticel study with `partial-day-0: 15th`."""
    import cartrial.study

    text = (Path(cartrial.study.__file__).parent / "builtin" / "inaticel.yaml").read_text(encoding="utf-8")
    (tmp_path / "study.yaml").write_text(text + "\npartial-day-0: 15th\n", encoding="utf-8")
    return Study.load(tmp_path / "study.yaml")


@pytest.mark.shows("RULE-1.13", "STUDY-partial-day-0")
def test_partial_infusion_on_the_15th(tmp_path):
    """A17. Reads on 2022-01-29, 04-01, 06-30. From the 15th 04-01 is day 76, from the 1st day 90; from the 31st day 60, before the window.

    EFS is censored at 2022-06-30: day 166 of the 15th, 180 of the 1st, 150 of the 31st; one more in days.
    """
    study = fifteenth(tmp_path)
    data = read_sdtm(case_path("data/infusion-partial"))
    adam = derive(study, data)
    orr = {name: value(adam, "ORR3", name) for name in ("", "day-0=earliest", "day-0=latest")}
    assert [(row["AVALC"], row["CARDAY"]) for row in orr.values()] == [("Y", 76), ("Y", 90), ("N", None)]
    assert [value(adam, "EFS", name)["AVAL"] for name in orr] == [167, 181, 151]
    assert str(adam.adsl["TRTSDT"][0]) == "2022-01-15" and adam.adsl["TRTSDTF"].to_list() == ["D"]
    assert "day 0 imputed" in str(orr[""]["FLAGS"])
    findings = check_sdtm(study, data)
    assert findings.filter(pl.col("RULE") == "infusion-imputed")["SEVERITY"].to_list() == ["warning"]
    assert "stop" not in findings["SEVERITY"].to_list()


@pytest.mark.shows("STUDY-partial-day-0")
def test_infusion_of_an_unknown_month_stops_all_the_same(tmp_path):
    """Decided: the 15th of what month is not known."""
    study, data = fifteenth(tmp_path), source(EX=[{"EXTRT": "CNCT19", "EXSTDTC": "2022"}])
    with pytest.raises(InputError, match="day of the infusion"):
        derive(study, data)
    assert "infusion-partial" in rules_of(data, study)


def test_a_second_infusion_may_be_partial():
    """A17 speaks of day 0: a later product with a partial date is a new therapy on its earliest possible day, 2022-03-01, day 59."""
    data = source(EX=[{"EXTRT": "CNCT19", "EXSTDTC": d} for d in ("2022-01-01", "2022-03")])
    assert value(derive(STUDY, data), "EFS")["AVAL"] == 60
    assert "infusion-partial" not in rules_of(data)


DAY_CASES = [
    # A21: the infusion on 0: days run through; on 1 or later: no day 0
    (0, [-2, -1, 0, 1, 28], [-2, -1, 0, 1, 28]),
    (1, [-2, -1, 1, 2, 29], [-2, -1, 0, 1, 28]),
    (15, [-1, 1, 15, 16, 43], [-15, -14, 0, 1, 28]),
    (-3, [-4, -3, -1, 1, 2], [-1, 0, 2, 3, 4]),
]


@pytest.mark.parametrize(("infusion", "said", "days"), DAY_CASES)
@pytest.mark.shows("RULE-1.14")
def test_study_days_by_the_number_of_the_infusion(infusion, said, days):
    """A21."""
    data = source(
        DM=[{"SITEID": "1"}],
        EX=[{"EXTRT": "CNCT19", "EXSTDY": float(infusion)}],
        RS=[{**CALL, "RSSTRESC": "NR", "RSDY": float(day)} for day in said],
    )
    assert derive_records(STUDY, data).calls["DAY"].to_list() == days


@pytest.mark.shows("RULE-1.14")
def test_dates_rule_over_study_days():
    """A21: the date is used; a study day that SDTM would not count from RFSTDTC is a finding."""
    calls = [{**CALL, "RSSTRESC": "CR", "RSDTC": "2022-04-01", "RSDY": 90.0}]
    data = source(DM=[{"RFSTDTC": "2022-01-01"}], RS=calls)
    assert value(derive(STUDY, data), "ORR3")["CARDAY"] == 90
    found = check_sdtm(STUDY, data).filter(pl.col("RULE") == "study-day-differs")
    assert found["MESSAGE"].to_list() == [
        "RSDY is not the study day of RSDTC counted from RFSTDTC (1 record): 2022-04-01 is day 91 and RSDY says 90. The date is used."
    ]


@pytest.mark.parametrize("date", ["2022-04-01T-:15", "2022-04-01/2022-04-05", "2022-04-01T10:00/P1D"])
def test_permitted_forms_of_a_date(date):
    """Issue 9, kind 12: partial times and intervals are read; of an interval the start counts."""
    assert value(derive(STUDY, source(RS=[{**CALL, "RSSTRESC": "CR", "RSDTC": date}])), "ORR3")["CARDAY"] == 90


@pytest.mark.parametrize("date", ["9999-12-31", "1900-01-01", "--04-01"])
@pytest.mark.shows("RULE-1.10")
def test_dates_that_mean_no_day_are_not_used(date):
    """A18; 1: an assessment without a full date is not usable: nothing usable at month 3."""
    data = source(RS=[{**CALL, "RSSTRESC": "CR", "RSDTC": each} for each in ("2022-01-29", date)])
    assert value(derive(STUDY, data), "ORR3")["AVALC"] == "N"
    assert {"date-implausible", "date-partial"} & set(rules_of(data))


def test_a_placeholder_is_no_infusion_and_no_death():
    """A18; 1: then the infusion and the death have no date."""
    assert "infusion-undated" in rules_of(source(EX=[{"EXTRT": "CNCT19", "EXSTDTC": "1900-01-01"}]))
    assert "death-undated" in rules_of(source(DM=[{"DTHDTC": "9999-12-31"}]))


@pytest.mark.shows("RULE-1.15")
def test_a_slip_of_the_year_is_found():
    """A18."""
    code, text = checked("data/year-typo")
    assert code == 0 and "before-consent" in text and "2021-04-01" in text


@pytest.mark.shows("RULE-1.7")
def test_an_imputed_date_that_decides_is_flagged():
    """Paragraph 1, by hand: imputations are flagged. New therapy in 2022-05 is on 2022-05-01, day 120; in 2022-02 on day 31."""
    later = derive(STUDY, source(CM=[{"CMTRT": "BLINATUMOMAB", "CMCAT": "SUBSEQUENT ANTICANCER THERAPY", "CMSTDTC": "2022-05"}])).adtte
    for name, days in (("EFS", 121), ("DOR", 63)):
        row = later.filter(PARAMCD=name, VARIANT="").row(0, named=True)
        assert row["AVAL"] == days and "date of new therapy imputed" in row["FLAGS"]
    assert later.filter(PARAMCD="OS", VARIANT="")["FLAGS"].to_list() == [None] * later.filter(PARAMCD="OS", VARIANT="").height
    early = derive(STUDY, source(PR=[{"PRTRT": "ALLO-HSCT", "PRSTDTC": "2022-02"}]))
    row = value(early, "ORR3")
    assert (row["AVALC"], row["REASON"], row["FLAGS"]) == ("N", "hsct", "date of transplant imputed")
    # a conditioning with a whole date dates the transplant
    dated = [{"PRTRT": "ALLO-HSCT", "PRSTDTC": "2022-02"}, {"PRTRT": "CONDITIONING", "PRSTDTC": "2022-02-10"}]
    assert value(derive(STUDY, source(PR=dated)), "ORR3")["FLAGS"] is None


@pytest.mark.shows("RULE-1.9")
def test_a_date_on_either_side_of_the_cutoff_is_shown_both_ways():
    """Paragraph 1, by hand: the cutoff is 2022-09-27, day 269. Alive on day 240 and dead in 2022-09: on the 15th, day 257; or after it."""
    alive = {"SSTESTCD": "SURVSTAT", "SSSTRESC": "ALIVE", "SSDTC": "2022-08-29"}
    adam = derive(STUDY, source(DM=[{"DTHDTC": "2022-09"}], SS=[alive]))
    main, other = value(adam, "OS"), value(adam, "OS", "partial-date=after-cutoff")
    assert (main["AVAL"], main["CNSR"], main["EVNTDESC"]) == (258, 0, "death")
    assert (other["AVAL"], other["CNSR"]) == (241, 1)
    # where no day of the month is after the cutoff there is one way alone
    whole = derive(STUDY, source(DM=[{"DTHDTC": "2022-08"}], SS=[{**alive, "SSDTC": "2022-07-29"}]))
    assert whole.adtte.filter(VARIANT="partial-date=after-cutoff").is_empty()
