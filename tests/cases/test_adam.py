"""Do the columns of the ADaM sets say what their names say (rules 9, A21)? Expected values: by hand; day 0 is 2022-01-01."""

from __future__ import annotations

import pytest

from cartrial import analyse, derive
from cartrial.endpoints import CNSR_CODES
from cases.case import value
from cases.test_dates import STUDY, source

AE = {"AEDECOD": "CYTOKINE RELEASE SYNDROME", "AETOXGR": "2", "AESER": "N"}


@pytest.mark.shows("RULE-1.2")
def test_study_days_have_no_day_0():
    """The first day of treatment is day 1, the day before it -1; columns that end in DAY count from 0."""
    days = (("2021-12-31", "2022-01-01"), ("2022-01-01", "2022-01-03"), ("2022-01-11", "2022-01-11"))
    events = [{**AE, "AESTDTC": start, "AEENDTC": end} for start, end in days]
    data = source(AE=events, DM=[{"DTHDTC": "2022-05-20"}], DS=[{"DSDECOD": "ENROLLED", "DSSTDTC": "2021-12-31"}])
    adam = derive(STUDY, data)
    names = ("ASTDY", "AENDY", "CARSTDAY", "CARENDAY", "TRTEMFL", "AETOXGR")
    assert adam.adae.select(names).rows() == [(-1, 1, -1, 0, None, "2"), (1, 3, 0, 2, "Y", "2"), (11, 11, 10, 10, "Y", "2")]
    row = adam.adsl.row(0, named=True)
    # 2022-05-20 is day 139; last known alive on 2022-04-01, day 90; the cutoff 2022-09-27 is day 269
    assert [row[name] for name in ("DTHDY", "LSTALVDY", "CUTDY", "ENRLDY")] == [140, 91, 270, -1]
    assert [row[name] for name in ("DTHDAY", "LSTALDAY", "CUTDAY", "ENRLDAY")] == [139, 90, 269, -1]
    assert (row["DTHFL"], row["EOSSTT"], row["DCSREAS"]) == ("Y", "DISCONTINUED", "DEATH")


def test_an_enrolment_that_nobody_recorded_is_flagged():
    """The day of the first later step, here the infusion, stands for it (docs/decided.md): Y, the whole date is imputed; else blank."""
    for records, expected in ({}, ("2022-01-01", "Y")), ({"DS": [{"DSDECOD": "ENROLLED", "DSSTDTC": "2021-12-31"}]}, ("2021-12-31", None)):
        row = derive(STUDY, source(**records)).adsl.row(0, named=True)
        assert (str(row["ENRLDT"]), row["ENRLDTF"], row["ENRLFL"]) == (*expected, "Y")


def test_onset_is_still_counted_from_day_0():
    """The page and the results count onset from day 0: an event of the day of infusion has onset 0."""
    adam = derive(STUDY, source(AE=[{**AE, "AESTDTC": "2022-01-01", "AEENDTC": "2022-01-03"}]))
    found = analyse(STUDY, adam, analyses=["safety"]).filter(endpoint="CRS", by="onset", statistic="median")
    assert found["value"].to_list() == [0]


@pytest.mark.slow
def test_status_at_the_end_by_the_terms_of_cdisc():
    """A subject alive has a blank death flag; lost and withdrawn are reasons of a discontinuation."""
    alive = [{"SSTESTCD": "SURVSTAT", "SSSTRESC": "ALIVE", "SSDTC": "2022-06-01"}]
    cases = {
        "ONGOING": ([], None),
        "LOST TO FOLLOW-UP": ([{"DSDECOD": "LOST TO FOLLOW-UP", "DSSTDTC": "2022-06-02"}], "DISCONTINUED"),
        "WITHDRAWAL BY SUBJECT": ([{"DSDECOD": "WITHDREW CONSENT", "DSSTDTC": "2022-06-02"}], "DISCONTINUED"),
    }
    for reason, (disposition, status) in cases.items():
        adam = derive(STUDY, source(SS=alive, **({"DS": disposition} if disposition else {})))
        row = adam.adsl.row(0, named=True)
        assert (row["DTHFL"], row["EOSSTT"], row["DCSREAS"]) == (None, status or "ONGOING", reason if status else None)


def test_age_is_the_number_and_its_class_stands_beside_it():
    """AGE 40 belongs to the upper class of the inaticel study (40 years or more); subgroups go by the characteristic's name."""
    adam = derive(STUDY, source(DM=[{"AGE": 40.0}]))
    item = next(item for item in STUDY.baseline if item.id == "AGE")
    assert (adam.adsl["AGE"].to_list(), adam.adsl["AGEGR1"].to_list()) == ([40.0], [item.levels[1]])
    assert "AGEN" not in adam.adsl.columns
    rows = analyse(STUDY, adam, analyses=["baseline"]).filter(endpoint="AGE")
    assert rows.filter(statistic="median")["value"].to_list() == [40.0]
    assert rows.filter(by="AGE", level=item.levels[1], statistic="n")["value"].to_list() == [1]


def test_one_integer_of_cnsr_for_each_reason():
    """0 an event; censored at the cutoff and lost differ; EVNTDESC says which on every row."""
    lost = source(DS=[{"DSDECOD": "LOST TO FOLLOW-UP", "DSSTDTC": "2022-06-02"}])
    dead = source(DM=[{"DTHDTC": "2022-05-20"}])
    rows = [value(derive(STUDY, data), "EFS") for data in (lost, dead)]
    assert [(row["CNSR"], row["EVNTDESC"], row["CNSDTDSC"]) for row in rows] == [(2, "lost", "lost"), (0, "death", None)]
    assert len(set(CNSR_CODES.values())) == len(CNSR_CODES)
