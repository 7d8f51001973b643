"""Readers: whose RELAPSE ends what, which findings ask whom, who is a reader, and which records are the committee's.

Origin of the expected values: `by hand`, from paragraph 4 and amendments A1 and A2 of the rules, written before the code was run.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from cartrial.endpoints import Adam, check_endpoints, derive
from cartrial.sdtm import Source
from cartrial.sdtm.vocabulary.response_criteria import of_another_disease
from cartrial.study import Study
from cases.case import derived, value
from helpers import data_path, needs_data, run_cli
from properties import every

DAY0 = dt.date(2022, 1, 1)
WHO = {
    "INV": ("INVESTIGATOR", None),
    "IRC": ("INDEPENDENT ASSESSOR", None),
    **{name: ("INDEPENDENT ASSESSOR", name) for name in ("READER 1", "READER 2", "ADJUDICATOR")},
}


def date(day: int) -> str:
    return (DAY0 + dt.timedelta(days=day)).isoformat()


def source(reads: dict[str, dict[int, str]], death: int | None = None, **more: object) -> Source:
    """One subject infused on day 0, with what each reader called on which day."""
    who = {"STUDYID": "S", "USUBJID": "S1"}
    rows = [
        {**who, "RSTESTCD": "OVRLRESP", "RSSTRESC": call, "RSEVAL": WHO[name][0], "RSEVALID": WHO[name][1], "RSDTC": date(day), **more}
        for name, calls in reads.items()
        for day, call in calls.items()
    ]
    rs = pl.DataFrame(rows, schema_overrides={"RSEVALID": pl.String}).with_row_index("RSSEQ", 1).cast({"RSSEQ": pl.Int64})
    dm = pl.DataFrame([{**who, "DTHDTC": None if death is None else date(death)}], schema_overrides={"DTHDTC": pl.String})
    ex = pl.DataFrame([{**who, "EXSEQ": 1, "EXTRT": "CNCT19", "EXSTDTC": date(0)}])
    tables = {"DM": dm, "EX": ex, "RS": rs}
    return Source({name: table.with_row_index("ROW", 2).cast({"ROW": pl.Int64}) for name, table in tables.items()})


def found(reads: dict[str, dict[int, str]], death: int | None = None) -> set[tuple[str, int]]:
    """Rule and day of what is asked."""
    study = Study.load("inaticel")
    findings = check_endpoints(study, derive(study, source(reads, death)))
    asked = findings.filter(pl.col("RULE").is_in(["reading-pending", "relapse-unadjudicated"]))
    days = asked["MESSAGE"].str.extract(r"of day (\d+)").cast(pl.Int64)
    return set(zip(asked["RULE"], days, strict=True))


def duration(reads: dict[str, dict[int, str]], reader: str = "IRC") -> tuple[float, str]:
    """DOR in days, and why it ended."""
    study = Study.load("inaticel")
    study = study.model_copy(update={"readers": study.readers.model_copy(update={"primary": reader})})
    adam: Adam = derive(study, source(reads))
    row = adam.adtte.filter(pl.col("PARAMCD") == "DOR", pl.col("VARIANT") == "").row(0, named=True)
    return row["AVAL"], row["EVNTDESC"] or row["CNSDTDSC"]


@pytest.mark.shows("RULE-4.7")
def test_one_readers_relapse_is_asked_for_and_does_not_end_the_committees_response() -> None:
    """A1: pending, a warning `relapse-unadjudicated`, and the CR that both read on day 180 counts: 180 − 28 + 1 = 153 days."""
    reads = {"READER 1": {28: "CR", 90: "RELAPSE", 180: "CR"}, "READER 2": {28: "CR", 90: "CR", 180: "CR"}}
    assert found(reads) == {("reading-pending", 90), ("relapse-unadjudicated", 90)}
    assert duration(reads)[0] == 153


@pytest.mark.shows("RULE-4.7", "STUDY-endpoints.reader")
def test_the_investigators_relapse_is_final_in_his_own_endpoints() -> None:
    """A1: DOR by INV ends on day 90 (63 days) although he calls CR on day 180."""
    reads = {"INV": {28: "CR", 90: "RELAPSE", 180: "CR"}, "IRC": {28: "CR", 90: "CR", 180: "CR"}}
    assert duration(reads, "INV") == (63, "relapse")
    assert duration(reads)[0] == 153


@pytest.mark.slow
@pytest.mark.shows("RULE-4.7")
def test_after_the_committees_own_relapse_nobody_is_asked() -> None:
    """A1: the pair of day 180 is shown, and no finding asks for it; without the agreed relapse of day 90 it is asked for."""
    reads = {"READER 1": {28: "CR", 90: "RELAPSE", 180: "CR"}, "READER 2": {28: "CR", 90: "RELAPSE", 180: "NR"}}
    assert found(reads) == set()
    study = Study.load("inaticel")
    shown = derive(study, source(reads)).adresp.filter(pl.col("READER") == "IRC")
    assert shown["CARDAY"].to_list() == [28, 90, 180]
    assert shown["AVALC"].to_list() == ["CR", "RELAPSE", "NE"]
    reads["READER 1"][90] = reads["READER 2"][90] = "CR"
    assert found(reads) == {("reading-pending", 180), ("relapse-unadjudicated", 180)}


def test_a_pending_reading_can_be_answered_after_a_death_but_not_one_dated_after_it() -> None:
    """docs/decided.md: the sample of day 90 can still be adjudicated when the patient has died on day 100; one of day 120 is an error."""
    reads = {"READER 1": {28: "CR", 90: "CR", 120: "CR"}, "READER 2": {28: "CR", 90: "NR", 120: "NR"}}
    assert {day for _, day in found(reads, death=100)} == {90}


def test_reads_before_day_0_are_not_asked_for() -> None:
    """Paragraph 3: what was read before day 0 is no response; only reads after it are listed."""
    assert found({"READER 1": {-10: "NR", 28: "CR"}, "READER 2": {28: "CR"}}) == set()


# --- who is a reader, and which records are accepted (A2) --------------------------------------------------------------------------------


def committee(data: Source) -> dict[int, tuple[str, str | None]]:
    """Day, call and flags of the committee."""
    shown = derive(Study.load("inaticel"), data).adresp.filter(pl.col("READER") == "IRC")
    return {day: (call, flags) for day, call, flags in shown.select("CARDAY", "AVALC", "FLAGS").iter_rows()}


def accepted(reads: dict[str, dict[int, str]], *rows: int, word: str = "Y") -> Source:
    """The same subject with RSACPTFL in some rows, counted from 0."""
    data = source(reads)
    flag = pl.when(pl.int_range(pl.len()).is_in(list(rows))).then(pl.lit(word)).alias("RSACPTFL")
    return Source({**data.domains, "RS": data.domains["RS"].with_columns(flag)})


@pytest.mark.shows("RULE-4.1")
def test_radiologists_are_readers() -> None:
    """The case `radiologist`: RADIOLOGIST 1 and 2 agree on CR at day 28 and 90: a responder at month 3."""
    row = value(derived("data/radiologist").adam, "ORR3")
    assert row["AVALC"] == "Y" and row["CARDAY"] == 90


@pytest.mark.parametrize(
    "word", every(3, ["RADIOLOGIST 1", "Radiologist1", "radiologist_1", "REVIEWER 1", "Rater 1", "READER-1", "Evaluator #1", "R1"])
)
@pytest.mark.shows("RULE-4.1")
def test_names_of_a_reader(word: str) -> None:
    """A2, and how sponsors spell it: the name and the number decide."""
    data = source({"READER 1": {28: "CR"}, "READER 2": {28: "CR"}})
    named = pl.when(pl.col("RSEVALID") == "READER 1").then(pl.lit(word)).otherwise("RSEVALID").alias("RSEVALID")
    assert committee(Source({**data.domains, "RS": data.domains["RS"].with_columns(named)}))[28][0] == "CR"


@pytest.mark.parametrize(
    ("evaluator", "name"), [("INDEPENDENT ASSESSOR", "RADIOLOGIST 3"), ("ADJUDICATOR", None), ("ADJUDICATOR", "RADIOLOGIST 3")]
)
@pytest.mark.shows("RULE-4.1")
def test_names_of_the_adjudicator(evaluator: str, name: str | None) -> None:
    """A2: RADIOLOGIST 3, or RSEVAL ADJUDICATOR."""
    data = source({"READER 1": {28: "CR"}, "READER 2": {28: "NR"}, "ADJUDICATOR": {28: "CR"}})
    judge = pl.col("RSEVALID") == "ADJUDICATOR"
    renamed = [
        pl.when(judge).then(pl.lit(new, dtype=pl.String)).otherwise(old).alias(old)
        for old, new in (("RSEVAL", evaluator), ("RSEVALID", name))
    ]
    assert committee(Source({**data.domains, "RS": data.domains["RS"].with_columns(renamed)})) == {28: ("CR", "adjudicated")}


@pytest.mark.slow
@pytest.mark.shows("RULE-4.8")
def test_an_accepted_record_is_the_committees_call() -> None:
    """A2, as the case lymphoma/rad: reader 1 CR, reader 2 PD with RSACPTFL Y: PD, not pending; PD without remission stays PD.

    The flag is that of rules-lymphoma, L6: an accepted record is told as one.
    """
    reads = {"READER 1": {30: "CR"}, "READER 2": {30: "PD"}}
    assert committee(accepted(reads, 1)) == {30: ("PD", "committee call; accepted record")}
    assert committee(accepted(reads)) == {30: ("NE", "pending")}
    for word in ("Yes", "y", "TRUE", "1"):
        assert committee(accepted(reads, 1, word=word))[30][0] == "PD"


@pytest.mark.shows("RULE-4.8")
def test_no_other_record_of_that_subject_is_the_committees() -> None:
    """A2: neither the pair of day 90, on which both agree, nor the row without a reader on day 180; readers keep their own rows."""
    reads = {"READER 1": {28: "CR", 90: "CR"}, "READER 2": {28: "NR", 90: "CR"}, "IRC": {180: "CR"}}
    assert list(committee(accepted(reads, 0))) == [28]
    shown = derive(Study.load("inaticel"), accepted(reads, 0)).adresp
    assert shown.filter(pl.col("READER") == "READER 1")["CARDAY"].to_list() == [28, 90]


def test_a_record_of_the_investigator_is_not_accepted_for_the_committee() -> None:
    """A2 speaks of rows of independent readers."""
    reads = {"INV": {28: "NR"}, "READER 1": {28: "CR"}, "READER 2": {28: "CR"}}
    assert committee(accepted(reads, 0)) == {28: ("CR", None)}


def test_the_accepted_call_of_the_adjudicator() -> None:
    """A2: any independent reader's row, here the adjudicator's."""
    reads = {"READER 1": {28: "CR"}, "READER 2": {28: "NR"}, "ADJUDICATOR": {28: "CRi"}}
    assert committee(accepted(reads, 2)) == {28: ("CRi", "committee call; accepted record")}


@pytest.mark.slow
def test_another_test_is_no_overall_call() -> None:
    """Paragraph 4 reads overall calls: a response of the marrow alone (BMRRESP) is none, nor is a record without a test."""
    reads = {"READER 1": {28: "CR"}, "READER 2": {28: "CR"}}
    for test in ("BMRRESP", "TRGRESP", None):
        data = source(reads)
        rs = data.domains["RS"].with_columns(pl.lit(test, dtype=pl.String).alias("RSTESTCD"))
        assert committee(Source({**data.domains, "RS": rs})) == {}


def write(folder: Path, data: Source, **columns: str | None) -> Path:
    """Write a source as CSV, with columns of RS set."""
    folder.mkdir(exist_ok=True)
    changed = [pl.lit(text, dtype=pl.String).alias(name) for name, text in columns.items()]
    for name, table in {**data.domains, "RS": data.domains["RS"].with_columns(changed)}.items():
        table.drop("ROW").with_columns(pl.lit("inaticel-pivotal").alias("STUDYID")).write_csv(folder / f"{name.lower()}.csv")
    return folder


@pytest.mark.slow
@pytest.mark.shows("RULE-4.8")
def test_two_accepted_records_of_one_date_stop(tmp_path: Path) -> None:
    """A2: check names them, derive refuses them; also where they say the same, and where one has a time of day."""
    for call in ("NR", "CR"):
        folder = write(tmp_path / call, accepted({"READER 1": {28: "CR"}, "READER 2": {28: call}}, 0, 1))
        code, out, err = run_cli("check", "inaticel", "--data", folder)
        assert code == 1 and "accepted-twice" in out + err, out + err
        code, _, err = run_cli("derive", "inaticel", "--data", folder, "--out", tmp_path / "out")
        assert code == 2 and "RSACPTFL" in err and not (tmp_path / "out").exists()


def test_two_calls_of_one_reader_on_one_date_stop_whatever_the_time(tmp_path: Path) -> None:
    """Paragraph 4 as decided: a reader has one call a date. A time of day, or another name of the investigator, makes no other."""
    data = source({"INV": {28: "CR", 29: "NR"}})
    rs = data.domains["RS"].with_columns(RSDTC=pl.Series(["2022-01-29T08:00", "2022-01-29T09:30"]), RSEVALID=pl.Series(["DR A", "DR B"]))
    folder = write(tmp_path / "data", Source({**data.domains, "RS": rs}))
    code, out, err = run_cli("check", "inaticel", "--data", folder)
    assert code == 1 and "reader-conflict" in out + err


# --- records of RS that are no calls under criteria of leukaemia -------------------------------------------------------------------------


@pytest.mark.slow
def test_scales_without_an_evaluator_are_read(tmp_path: Path) -> None:
    """A performance scale has no evaluator: no finding stops, with or without the column."""
    data = source({"INV": {-10: "1"}}, RSCAT="ECOG")
    for columns in ({"RSEVAL": None}, {}):
        folder = write(tmp_path / f"data{len(columns)}", data, RSTESTCD="ECOG101", **columns)
        if not columns:
            rs = folder / "rs.csv"
            pl.read_csv(rs).drop("RSEVAL", "RSEVALID").write_csv(rs)
        code, out, err = run_cli("check", "inaticel", "--data", folder)
        assert code == 0 and "0 would stop" in out + err, out + err


@pytest.mark.slow
@pytest.mark.parametrize(
    "category", every(4, ["RECIST 1.1", "recist v1.1", "iRECIST", "IMWG", "LUGANO 2014", "RANO", "CHESON LYMPHOMA 2008", "IWCLL 2018"])
)
def test_criteria_of_another_disease_are_named_and_not_read(category: str, tmp_path: Path) -> None:
    """Reading and `check` go on; `derive` and `report` stop naming them, before any word of theirs."""
    folder = write(tmp_path / "data", source({"INV": {28: "SD", 90: "PR", 180: "VGPR"}}), RSCAT=category)
    code, out, err = run_cli("check", "inaticel", "--data", folder)
    assert code == 1 and "criteria-other" in out + err and "1 would stop" in out + err, out + err
    for command in ("derive", "report"):
        code, _, err = run_cli(command, "inaticel", "--data", folder, "--out", tmp_path / "out")
        assert code == 2 and category in err and "another disease" in err, err


LEUKAEMIA = (
    *("BRUGGEMANN MRD 2010", "DOHNER AML 2010", "ELN DOHNER AML 2017", "IWG CHESON AML 2003", "NCCN ALL MRD 2014"),
    *("PONTE-DI-LEGNO CONSORTIUM 2022", "PROTOCOL DEFINED RESPONSE CRITERIA", "UNSPECIFIED"),
)


def test_criteria_of_leukaemia_and_of_no_disease_are_read() -> None:
    """The sets of CDISC's ONCRSCAT that are of acute leukaemia or of none, and free names."""
    words = (
        *LEUKAEMIA,
        "NCCN",
        "NCI-2010",
        "ALL RESPONSE",
        "DISEASE RESPONSE",
        "ACUTE LYMPHOBLASTIC LEUKEMIA/LYMPHOMA",
        "BLOOD CANCER RESPONSE",
    )
    frame = pl.DataFrame({"RSCAT": words})
    assert not frame.select(of_another_disease(pl.col("RSCAT")).any()).item()


@needs_data("cdisc_ct/sdtmct_2024-03-29_selected.json")
def test_every_set_of_cdiscs_list_is_told_apart() -> None:
    """C124298: all but those of acute leukaemia, of none, and the staging manuals of AJCC, are of another disease."""
    words = json.loads(data_path("cdisc_ct/sdtmct_2024-03-29_selected.json").read_text())["C124298"]["allowed_terms_incl_synonyms"]
    submitted = [word for word in words if word == word.upper() and not word.startswith("AJCC")]
    frame = pl.DataFrame({"RSCAT": submitted}).filter(~of_another_disease(pl.col("RSCAT")))
    assert sorted(set(frame["RSCAT"])) == sorted(LEUKAEMIA)


@pytest.mark.parametrize(("committee", "unused"), [({}, True), ({36: "CR"}, True), ({35: "CR"}, False), ({28: "NR", 90: "CR"}, False)])
@pytest.mark.shows("RULE-4.6")
def test_an_adjudication_that_decides_nothing_is_named(committee: dict[int, str], unused: bool) -> None:
    """Paragraph 4: the adjudicator's read of day 28 belongs to no pair; the committee's own call speaks for it within 7 days."""
    study, reads = Study.load("inaticel"), {"IRC": committee, "ADJUDICATOR": {28: "CR"}, "INV": {28: "CR"}}
    rules = check_endpoints(study, derive(study, source(reads)))["RULE"].to_list()
    assert ("adjudication-unused" in rules) == unused
