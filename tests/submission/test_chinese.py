"""Displays in Chinese: one term, one translation; every number and statistic stays in its place; what stays English is told.

Origin of the expectations: `by hand`, the glossary of the table and its slots; forms are read back by python-docx.
"""

from __future__ import annotations

import re
from pathlib import Path

import docx
import polars as pl
import pytest

from cartrial.analysis import sort_results
from cartrial.analysis.further import analyse_further
from cartrial.report.page.rows import Rows
from cartrial.report.study.data import ReportData
from cartrial.submission import Job
from cartrial.submission.displays import Display, Grid, make_displays, write_displays
from cartrial.submission.displays.chinese import read_phrases, translate_displays, translate_words
from cartrial.submission.displays.model import Piece, Words


@pytest.fixture(scope="module")
def data(job: Job) -> ReportData:
    rows = Rows(sort_results(pl.concat([job.results, analyse_further(job.study, job.adam, job.records)])))
    return ReportData(job.study, job.source, job.adam, rows, job.findings, "virtual", given=job.records)


def _cells(display: Display) -> list[Words]:
    rows = display.body.rows if isinstance(display.body, Grid) else ()
    return [display.population, *display.notes, *(cell for row in rows for cell in row)]


def test_a_term_has_one_translation_and_a_phrase_its_slots() -> None:
    """Each phrase with a term of the glossary has the term's Chinese; each has as many slots in both languages, in one script each."""
    terms, phrases = read_phrases()
    for english, chinese in phrases.items():
        assert english.count("{}") == chinese.count("{}"), english
        assert not re.search(r"[\u4e00-\u9fff]", english), english
        for term, wanted in terms.items():
            if re.search(rf"(?<![\w-]){term}s?(?![\w-])", english, re.IGNORECASE):
                assert wanted in chinese, (english, chinese, term)
    assert len(phrases) > 250


def test_words_keep_their_numbers_and_parts() -> None:
    for pieces, wanted in (
        ((Piece("Duration of response (DOR): Kaplan–Meier curve"),), "缓解持续时间（DOR）：Kaplan–Meier 曲线"),
        ((Piece("12", 3), Piece(" ("), Piece("9.5", 4), Piece(" to "), Piece("NR", 5), Piece(")")), "12（9.5 至 NR）"),
        ((Piece("month 3 (day 76 to 104)"),), "第 3 个月（第 76 至 104 天）"),
        ((Piece("Fludarabine, days given, median (range)"),), "氟达拉滨，给药天数，中位数（范围）"),
        ((Piece("CRi"),), "CRi"),
        ((Piece("CR"),), "CR"),
        ((Piece("Words that nobody wrote"),), None),
    ):
        found = translate_words(Words(pieces))
        assert (None if found is None else str(found)) == wanted
        assert found is None or found.keys == Words(pieces).keys


def test_every_statistic_stays_what_it_is(data: ReportData) -> None:
    made = make_displays(data.study, data)
    translated, left = translate_displays(made)
    whole = 0
    for one, other in zip(made, translated, strict=True):
        assert (
            other.number == one.number
            and other.label == f"{'表' if one.kind == 'table' else '图' if one.kind == 'figure' else '清单'} {one.number}"
        )
        for english, chinese in zip(_cells(one), _cells(other), strict=True):
            assert chinese.keys == english.keys
            assert [piece for piece in chinese if piece.key is not None] == [piece for piece in english if piece.key is not None]
            assert re.findall(r"\d+(?:\.\d+)?", str(chinese)) == re.findall(r"\d+(?:\.\d+)?", str(english))
            whole += str(chinese) != str(english)
    titles = [display.title for display in translated]
    assert whole > 100 and sum(bool(re.search(r"[\u4e00-\u9fff]", title)) for title in titles) > 0.8 * len(titles)
    said = {str(cell) for display in made for cell in _cells(display)} | {display.title for display in made}
    said |= {head for display in made if isinstance(display.body, Grid) for head in display.body.head}
    assert left and set(left) <= said


def test_a_document_is_chinese_and_says_what_is_not(data: ReportData, tmp_path: Path) -> None:
    """Where no type has Chinese letters there is no PDF, and the notes say so."""
    small = data.study.model_copy(update={"endpoints": data.study.endpoints[:1]})
    write_displays(small, None, tmp_path, forms=["docx"], language="zh")
    text = "\n".join(paragraph.text for paragraph in docx.Document(str(tmp_path / "displays.docx")).paragraphs)
    assert "表、图和清单" in text and "表 14.1.1.1" in text
