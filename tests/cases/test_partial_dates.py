"""Enrolment, lymphodepletion and leaving the study on a day that is not known (rules, paragraphs 1.7, 1.9 and 1.12).

Expected values: by hand from the rules, before the code was changed; days are counted on the calendar.
"""

from __future__ import annotations

import polars as pl
import pytest

from cartrial import Study, derive
from cartrial.endpoints import Adam
from cartrial.sdtm import Source
from cases.case import value
from helpers import ROOT

Tables = dict[str, list[dict[str, str]]]
BOTH_WAYS = "partial-date=after-cutoff"


def with_endpoints(folder: str, *names: str) -> Study:
    """Return a study with these endpoints alone."""
    study = Study.load(ROOT / folder)
    return study.model_copy(update={"endpoints": [one for one in study.endpoints if one.id in names]})


def derived(study: Study, subjects: dict[str, Tables], infused: str = "2022-01-01") -> Adam:
    """Derive subjects with these records, each infused on one date."""
    rows: Tables = {"DM": [], "EX": []}
    for subject, tables in subjects.items():
        given = [*tables.get("EX", []), {"EXTRT": study.product.exposure[0], "EXSTDTC": infused}]
        for name, each in {"DM": [{}], **tables, "EX": given}.items():
            seq = f"{name}SEQ"
            rows.setdefault(name, []).extend(
                {"USUBJID": subject, **({} if name == "DM" else {seq: i}), **row} for i, row in enumerate(each)
            )
    frames = {name: pl.from_dicts(each, infer_schema_length=None).with_columns(STUDYID=pl.lit("S")) for name, each in rows.items()}
    return derive(study, Source({name: frame.with_row_index("ROW", 2).cast({"ROW": pl.Int64}) for name, frame in frames.items()}))


def enrolled(*dates: str, consent: str = "2021-11-03", leukapheresis: str = "2021-12-01") -> Tables:
    """Return a subject enrolled on these dates and known alive on 2022-03-01."""
    return {
        "DM": [{"RFICDTC": consent}],
        "DS": [{"DSDECOD": "ENROLLED", "DSSTDTC": date} for date in dates],
        "PR": [{"PRTRT": "LEUKAPHERESIS", "PRSTDTC": leukapheresis}],
        "SS": [{"SSTESTCD": "SURVSTAT", "SSSTRESC": "ALIVE", "SSDTC": "2022-03-01"}],
    }


def call(status: str, date: str, evaluator: str) -> Tables:
    """Return one call."""
    return {"RS": [{"RSTESTCD": "OVRLRESP", "RSEVAL": evaluator, "RSSTRESC": status, "RSDTC": date}]}


ENROLMENTS = {
    # the 15th: 106 days before 2022-03-01, one more in days
    "month": (enrolled("2021-11"), "2021-11-15", 107),
    # who was leukapheresed was enrolled, and who was enrolled had consented
    "early": (enrolled("2021-11", leukapheresis="2021-11-08"), "2021-11-08", 114),
    "late": (enrolled("2021-11", consent="2021-11-20"), "2021-11-20", 102),
    # 1 July, but not before the consent
    "year": (enrolled("2021", consent="2021-05-17"), "2021-07-01", 244),
    "consent": (enrolled("2021", consent="2021-11-17"), "2021-11-17", 105),
    # the whole date of the same enrolment wins
    "whole": (enrolled("2021-11", "2021-11-20"), "2021-11-20", 102),
}


@pytest.mark.shows("RULE-1.7", "RULE-1.12")
def test_an_enrolment_of_which_the_day_is_not_known() -> None:
    """Survival from enrolment, flagged where its date is imputed; a window of 730 days from 2021-11-15 ends on 2023-11-15."""
    study = with_endpoints("tests/truth/allo", "CRR", "OS")
    windows = {date: {**enrolled("2021-11"), **call("CR", date, "INVESTIGATOR")} for date in ("2023-11-15", "2023-11-16")}
    adam = derived(study, {**{name: tables for name, (tables, _, _) in ENROLMENTS.items()}, **windows})
    for name, (_, day, days) in ENROLMENTS.items():
        row = value(adam, "OS", subject=name)
        assert (str(row["STARTDT"]), row["AVAL"]) == (day, days), name
        assert row["FLAGS"] == (None if name == "whole" else "date of enrolment imputed"), name
        assert str(adam.adsl.filter(USUBJID=name)["ENRLDT"][0]) == day
    rows = [value(adam, "CRR", subject=date) for date in windows]
    assert [(row["AVALC"], row["FLAGS"]) for row in rows] == [("Y", "date of enrolment imputed"), ("N", "date of enrolment imputed")]


@pytest.mark.shows("RULE-1.12")
def test_one_dose_without_its_day_does_not_move_the_baseline() -> None:
    """Lymphodepletion in 2021-12 and on 2021-12-27 began on the 27th, so that the marrow of the 20th (60 % blasts) is before it."""
    given = [{"EXTRT": "FLUDARABINE", "EXSTDTC": date} for date in ("2021-12", "2021-12-27")]
    marrow = {"LBTESTCD": "BLAST", "LBSPEC": "BONE MARROW", "LBSTRESC": "60", "LBSTRESU": "%", "LBDTC": "2021-12-20"}
    tables = {"EX": given, "LB": [marrow], **call("CR", "2022-01-29", "INVESTIGATOR")}
    adsl = derived(with_endpoints("tests/truth/allo", "CRR"), {"S1": tables}).adsl
    assert (str(adsl["LDSTDT"][0]), adsl["EVALFL"][0]) == ("2021-12-27", "Y")


WORKED = with_endpoints("examples/worked", "EFS")
LOST = "LOST TO FOLLOW-UP"


def left(date: str, status: str = "NR", seen: str = "2022-01-29", contact: str | None = None) -> Tables:
    """Return a subject with one call by the committee, lost on a date; a contact is a status ALIVE."""
    alive = {"SS": [{"SSTESTCD": "SURVSTAT", "SSSTRESC": "ALIVE", "SSDTC": contact}]} if contact else {}
    return {**call(status, seen, "INDEPENDENT ASSESSOR"), "DS": [{"DSDECOD": LOST, "DSSTDTC": date}], **alive}


LOSSES = {
    # the 15th of March is day 73: lost while the window, to day 104, is open, and censored at the read of day 28
    "march": (left("2022-03"), 29, "lost"),
    # the 15th of April is day 104, and the 20th, of the last contact, after it: the window had closed
    "april": (left("2022-04"), 1, "non-response"),
    "seen": (left("2022-04", contact="2022-04-20"), 1, "non-response"),
    # a contact after the month is none that the date can follow: the last day of March is day 89
    "later": (left("2022-03", contact="2022-06-01"), 29, "lost"),
}


@pytest.mark.shows("RULE-1.7")
def test_lost_on_a_day_that_is_not_known() -> None:
    """Event-free survival where a loss in the response window censors a non-response; of two dispositions the first is the reason."""
    both = left("2022-07-05", "CR")
    both["DS"] = [*both["DS"], {"DSDECOD": "WITHDRAWAL BY SUBJECT", "DSSTDTC": "2022-07-20"}]
    adam = derived(WORKED, {**{name: tables for name, (tables, _, _) in LOSSES.items()}, "both": both})
    for name, (_, days, end) in LOSSES.items():
        row = value(adam, "EFS", "non-response.loss=censor", name)
        assert (row["AVAL"], row["EVNTDESC"]) == (days, end), name
    assert value(adam, "EFS", subject="both")["CNSDTDSC"] == "lost"
    assert adam.adsl.filter(USUBJID="both")["DCSREAS"].to_list() == [LOST]


@pytest.mark.shows("RULE-1.9")
def test_a_loss_on_either_side_of_the_cutoff() -> None:
    """Infused on 2022-08-01, NR on day 28, cutoff 2022-09-27. Off study by then: non-response; after it: censored on day 28.

    Of a responder it changes the reason for censoring alone, and no value.
    """
    adam = derived(WORKED, {"NR": left("2022-09", seen="2022-08-29")}, infused="2022-08-01")
    assert [(value(adam, "EFS", name)["AVAL"], value(adam, "EFS", name)["CNSR"]) for name in ("", BOTH_WAYS)] == [(1, 0), (29, 1)]
    adam = derived(WORKED, {"CR": left("2022-09", "CR", seen="2022-08-29")}, infused="2022-08-01")
    assert adam.adtte.filter(VARIANT=BOTH_WAYS).is_empty()
