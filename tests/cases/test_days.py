"""How do the study days of a sheet count? What a mapping declares (rules 9, A21). Expected values: by hand."""

from __future__ import annotations

import polars as pl
import pytest

from cartrial import InputError, Study, derive, read_sdtm
from cartrial.sdtm import Source
from cartrial.sdtm.records import derive_records

MAPPING = """\
schema: 1
study-id: S
source: a sheet
table: {file: data.csv}
subject: id
%s
rules:
  - {id: infusion, domain: EX, set: {EXTRT: CNCT19}, day: infused}
  - {id: call, domain: RS, column: call, test: OVRLRESP, type: text, set: {RSEVAL: INVESTIGATOR}, day: day}
  - {id: crs, domain: AE, set: {AEDECOD: CRS, AETOXGR: "1"}, day: day, also: {AEENDY: {column: end, type: number}}}
"""


def days(tmp_path, declared: str, infused: int, day: int, end: int) -> tuple[int, int]:
    """Return the day of a call and of the end of an event."""
    (tmp_path / "mapping.yaml").write_text(MAPPING % declared)
    (tmp_path / "data.csv").write_text(f"id,infused,call,day,end\nA,{infused},CR,{day},{end}\n")
    records = derive_records(Study.load("inaticel"), read_sdtm(tmp_path))
    return records.calls["DAY"][0], records.adverse["ENDDAY"][0]


CASES = [
    ("", 0, -1, 28, (-1, 28)),
    ("", 1, -1, 29, (-1, 28)),
    ("days: from-0", 0, -1, 28, (-1, 28)),
    ("days: from-1", 1, -1, 29, (-1, 28)),
    ("days: from-1", 1, 1, 91, (0, 90)),
]


@pytest.mark.parametrize(("declared", "infused", "day", "end", "right"), CASES)
@pytest.mark.shows("RULE-1.14")
def test_days_of_a_sheet(tmp_path, declared, infused, day, end, right):
    """From 1 the day before day 1 is -1."""
    assert days(tmp_path, declared, infused, day, end) == right


@pytest.mark.parametrize(
    ("declared", "infused", "day", "words"),
    [("days: from-1", 1, 0, "no day 0"), ("days: from-0", 1, 28, "is on day 0"), ("days: from-1", 2, 28, "is on day 1")],
)
def test_days_that_contradict_the_mapping(tmp_path, declared, infused, day, words):
    """Bad input: one message."""
    with pytest.raises(InputError, match=words):
        days(tmp_path, declared, infused, day, 30)


def test_a_day_0_of_a_calendar_without_one_is_the_day_before_day_1():
    """A21, by hand: the infusion is on day 1, so there is no day 0; a finding names the record, and it is read as -1."""
    who = {"STUDYID": "inaticel-pivotal", "USUBJID": ["S1"], "ROW": [2]}
    ex = {"EXSEQ": [1], "EXTRT": "CNCT19", "EXSTDY": [1.0]}
    rs = {"RSSEQ": [1], "RSTESTCD": "OVRLRESP", "RSSTRESC": "NR", "RSEVAL": "INDEPENDENT ASSESSOR", "RSDY": [0.0]}
    tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    assert derive(Study.load("inaticel"), source).adresp.filter(READER="IRC")["CARDAY"].to_list() == [-1]
