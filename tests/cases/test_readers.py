"""Readers: whose RELAPSE ends what, which findings ask whom, who is a reader, and which records are the committee's.

Origin of the expected values: `by hand`, from paragraph 4 and amendments A1 and A2 of the rules, written before the code was run.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from cartrial.endpoints import Adam, check_endpoints, derive
from cartrial.sdtm import Source
from cartrial.study import Study

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


def test_one_readers_relapse_is_asked_for_and_does_not_end_the_committees_response() -> None:
    """A1: pending, a warning `relapse-unadjudicated`, and the CR that both read on day 180 counts: 180 − 28 + 1 = 153 days."""
    reads = {"READER 1": {28: "CR", 90: "RELAPSE", 180: "CR"}, "READER 2": {28: "CR", 90: "CR", 180: "CR"}}
    assert found(reads) == {("reading-pending", 90), ("relapse-unadjudicated", 90)}
    assert duration(reads)[0] == 153


def test_the_investigators_relapse_is_final_in_his_own_endpoints() -> None:
    """A1: DOR by INV ends on day 90 (63 days) although he calls CR on day 180."""
    reads = {"INV": {28: "CR", 90: "RELAPSE", 180: "CR"}, "IRC": {28: "CR", 90: "CR", 180: "CR"}}
    assert duration(reads, "INV") == (63, "relapse")
    assert duration(reads)[0] == 153


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
