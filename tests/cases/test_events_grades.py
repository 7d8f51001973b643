"""Which grade says a cell of a sheet, and what is a cell that says none?

Expected values: by hand from rules, paragraphs A3, A5 and A6, and the template's page (a blank cell is missing), written before the code
ran.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cartrial import InputError, analyse
from cartrial.run import derive_data, load_data
from cartrial.sdtm.mapping import read_mapped
from cartrial.sdtm.vocabulary.terms import standard_term
from cases.events_sheet import filled, read

GRADED = ("0", "1", "2", "3", "4", "5", "unknown", "any")


def crs(place: Path, endpoint: str = "CRS") -> dict[str, float | None]:
    """Return how many had which grade."""
    data = read(place)
    done = derive_data(data)
    rows = analyse(data.study, done.adam, done.records, analyses=["safety"]).filter(endpoint=endpoint, by="max_grade", statistic="n")
    return dict(rows.filter(pl.col("level").is_in(GRADED)).select("level", "value").iter_rows())


def counts(**some: int) -> dict[str, int]:
    named = {"unknown": some.pop("unknown", 0), "any": some.pop("any")}
    return {**{level: some.get(f"g{level}", 0) for level in "012345"}, **named}


def graded(folder: Path, *grades: str) -> Path:
    return filled(folder, *({"crs_grade": grade} for grade in grades))


@pytest.mark.slow
def test_a_blank_grade_is_missing_and_no_grade_0(tmp_path: Path) -> None:
    """Three of four had an event; of the fourth it is not known. The grade is also written as a number with a decimal."""
    place = graded(tmp_path, "2.0", "3", "1.0", "")
    assert crs(place) == counts(any=3, g1=1, g2=1, g3=1, unknown=1)
    assert load_data(place, place).findings.filter(RULE="occurrence-unknown", USUBJID="E4").height == 1
    # nobody was asked of ICANS
    assert set(crs(place, "ICANS").values()) == {None}


def test_grades_are_read_as_sites_write_them(tmp_path: Path) -> None:
    assert crs(graded(tmp_path, "G2", "Grade 3", "III", "4级")) == counts(any=4, g2=1, g3=2, g4=1)


def test_spellings_of_a_grade() -> None:
    words = "3|3.0|3,0|G3|g 3|Gr. 3|Grade III|grade-3|Grad 3|III°|Ⅲ|Ⅲ级|3级|3 級|３|三级|CTCAE Grade 3"
    for word in words.split("|"):
        assert standard_term(word, "AETOXGR") == "3", word
    assert [standard_term(word, "AETOXGR") for word in ("keine", "无", "none", "0.0", "Grade 0")] == ["0"] * 5
    assert [standard_term(word, "AETOXGR") for word in ("3-4", ">=3", "2.5", "severe?", "VI", "6")] == [None] * 6


def test_an_unknown_word_is_named(tmp_path: Path) -> None:
    """A3: no word is lost without a word."""
    place = graded(tmp_path, "2", "2-3", "1")
    with pytest.raises(InputError, match=r"events\.csv, row 3, AETOXGR: '2-3' is no known AETOXGR"):
        load_data(place, place)


def test_grade_0_is_an_answer(tmp_path: Path) -> None:
    """Nobody had an event, and of one it is not known: grade 0 in two."""
    assert crs(graded(tmp_path, "0", "none", "")) == counts(any=0, g0=2, unknown=1)


def test_an_onset_without_its_grade_is_an_event(tmp_path: Path) -> None:
    place = filled(tmp_path, {"crs_grade": "2"}, {"crs_date": "2022-01-04"}, {})
    assert crs(place) == counts(any=2, g2=1, unknown=2)


def test_grade_0_makes_no_record(tmp_path: Path) -> None:
    place = graded(tmp_path, "2.0", "0.0", "")
    source = read_mapped(place, place)
    assert source.domains["AE"].select("USUBJID", "AETOXGR", "AEOCCUR").rows() == [("E1", "2.0", None), ("E3", None, "U")]


RULES = """\
schema: 1
study-id: inaticel-pivotal
source: invented
table: {file: t.csv}
subject: id
rules:
  - {id: infusion, domain: EX, set: {EXTRT: CNCT19}, day: 0}
"""


def made(folder: Path, rule: str, *rows: str) -> pl.DataFrame:
    """Return AE of a small sheet with the columns id, crs, grade and icans, and keep its findings beside it."""
    (folder / "mapping.yaml").write_text(RULES + rule, encoding="utf-8")
    (folder / "t.csv").write_text("\n".join(["id,crs,grade,icans", *rows]) + "\n", encoding="utf-8")
    return read_mapped(folder, folder).table("AE", ["USUBJID", "AETOXGR", "AEOCCUR"])


def test_a_yes_or_no_that_is_blank_is_not_known(tmp_path: Path) -> None:
    """Any sheet: E1 yes without a grade, E2 no, E3 not answered."""
    rule = '  - {id: CRS, domain: AE, column: crs, only: ["1"], set: {AEDECOD: CRS}, also: {AETOXGR: grade}}\n'
    rows = made(tmp_path, rule, "E1,1.0,,x", "E2,0,,x", "E3,,,x")
    assert rows.drop("ROW").rows() == [("E1", None, None), ("E3", None, "U")]


def test_a_condition_that_does_not_hold_is_an_answer(tmp_path: Path) -> None:
    """E1 has a grade, E2 had none, of E3 the grade is missing and of E4 all."""
    rule = '  - {id: CRS, domain: AE, column: grade, into: AETOXGR, when: {column: crs, is: "yes"}, set: {AEDECOD: CRS}}\n'
    rows = made(tmp_path, rule, "E1,Yes,2,x", "E2,no,,x", "E3,YES,,x", "E4,,,x")
    assert rows.drop("ROW").rows() == [("E1", "2", None), ("E3", None, "U"), ("E4", None, "U")]


def test_two_columns_of_one_event_are_one_question(tmp_path: Path) -> None:
    """E1 is answered by the first, E2 by the second, E3 by neither."""
    rule = "  - {id: CRS, domain: AE, columns: [crs, grade], into: AETOXGR, set: {AEDECOD: CRS}}\n"
    rows = made(tmp_path, rule, "E1,1,,x", "E2,,2,x", "E3,,,x")
    assert rows.drop("ROW").rows() == [("E1", "1", None), ("E2", "2", None), ("E3", None, "U")]


def test_words_that_no_rule_takes_are_named(tmp_path: Path) -> None:
    """A yes that `only` does not list would be lost; a no is what it leaves out."""
    rule = '  - {id: CRS, domain: AE, column: crs, only: ["ja"], set: {AEDECOD: CRS}}\n'
    made(tmp_path, rule, "E1,Ja,,x", "E2,yes,,x", "E3,nein,,x", "E4,nein,,x")
    found = read_mapped(tmp_path, tmp_path).findings.filter(RULE="word-left-out")
    assert found.select("SEVERITY", "VARIABLE").rows() == [("warning", "B")]
    assert "'nein' (2), 'yes' (1)" in found["MESSAGE"][0]
