"""Forms of displays side by side: the same files on any number of cores; listings of many rows in files of their own.

Origin of every expectation: `by hand`, what the page of the export says of parts; pdfminer reads the PDFs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document
from pdfminer.high_level import extract_text

from cartrial.processes import spread
from cartrial.study import Study
from cartrial.submission.ars.event import _output
from cartrial.submission.displays import FORMS, Display, Grid, make_displays
from cartrial.submission.displays.forms import volumes
from cartrial.submission.displays.forms.paper import paper_of
from cartrial.submission.displays.forms.volumes import split_listings
from cartrial.submission.displays.model import Piece, Words
from cartrial.submission.displays.write import write_files
from cartrial.submission.job import Shown


def _words(text: str) -> Words:
    return Words((Piece(text),))


def _listing(name: str, number: str, subjects: str) -> Display:
    """A listing with a row a letter, which is its subject."""
    rows = tuple((_words(f"S-{subject}"), _words(f"record{at}")) for at, subject in enumerate(subjects))
    return Display(name, "listing", number, "Records", _words("All"), Grid(("Subject", "Record"), rows), source="ADSL")


@pytest.fixture()
def displays(monkeypatch: pytest.MonkeyPatch) -> list[Display]:
    """Parts of four rows, from eight rows on: a listing of one subject with five rows, one of three, and a short one."""
    monkeypatch.setattr(volumes, "VOLUME", 4)
    monkeypatch.setattr(volumes, "TOGETHER", 8)
    table = replace(_listing("few", "14.1.1", "A"), kind="table", title="Few")
    return [table, _listing("long", "16.2.1", "ABBCCCCCD"), _listing("short", "16.2.2", "AB")]


def _rows(display: Display) -> list[str]:
    assert isinstance(display.body, Grid)
    return [str(row[0])[-1] for row in display.body.rows]


def test_parts_hold_whole_subjects(displays: list[Display]) -> None:
    together, found = split_listings(displays)
    assert [display.id for display in together] == ["few"]
    assert ["".join(_rows(one.display)) for one in found] == ["ABB", "CCCCC", "D", "AB"]
    assert [one.file for one in found] == [*(f"l-16-2-1-part-{at}.pdf" for at in (1, 2, 3)), "l-16-2-2.pdf"]
    assert found[0].line == "Listing 16.2.1 Records, part 1 of 3 (S-A – S-B): l-16-2-1-part-1.pdf"
    assert found[3].line == "Listing 16.2.2 Records: l-16-2-2.pdf" and found[1].display.title == "Records, part 2 of 3"
    assert split_listings([displays[0], displays[2]])[1] == []


def test_files_are_equal_on_any_number_of_cores(displays: list[Display], tmp_path: Path) -> None:
    """The contents name each file; each row stands in one file, under the title of its part."""
    paper = paper_of(Study.load("inaticel"))
    for workers in (1, 3):
        (tmp_path / str(workers)).mkdir()
        write_files(displays, paper, tmp_path / str(workers), FORMS, lambda _: None, workers=workers)
    files = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "3").iterdir()) and len(files) == 4 + 3 + 2
    assert all((tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes() for name in files)
    first = extract_text(str(tmp_path / "3" / "displays.pdf"))
    assert all(name in first for name in files if name.startswith("l-") and name.endswith(".pdf"))
    second = extract_text(str(tmp_path / "3" / "l-16-2-1-part-2.pdf"))
    assert [f"record{at}" in second for at in range(9)] == [3 <= at < 8 for at in range(9)]
    assert "part 2 of 3" in second and "Page 1 of 1" in second
    document = Document(str(tmp_path / "3" / "displays.docx"))
    words = [paragraph.text for paragraph in document.paragraphs]
    assert any("l-16-2-1.rtf" in line for line in words)
    assert len(document.tables) == 1


def test_a_reporting_event_names_the_files_that_hold_a_display() -> None:
    names = ["displays.pdf", "l-16-2-1.rtf", *(f"l-16-2-1-part-{at}.pdf" for at in range(1, 12)), "l-16-2-11.pdf", "t-14-1-1.rtf"]
    files = {name: f"m5/{name}" for name in names}
    long, table = (
        [one["name"] for one in _output(Shown(name, kind, "", "", "", file), files)["fileSpecifications"]]
        for name, kind, file in (("long", "listing", "l-16-2-1"), ("few", "table", "t-14-1-1"))
    )
    assert long == ["l-16-2-1.rtf", *(f"l-16-2-1-part-{at}.pdf" for at in range(1, 12))]
    assert table == ["t-14-1-1.rtf", "displays.pdf"]


@pytest.mark.slow
def test_figures_are_the_same_from_a_process_of_their_own(tmp_path: Path) -> None:
    """Shells of a study: tables, figures and listings in every form."""
    study = Study.load("inaticel")
    shells = make_displays(study)
    for workers in (1, 2):
        (tmp_path / str(workers)).mkdir()
        write_files(shells, paper_of(study), tmp_path / str(workers), FORMS, lambda _: None, workers=workers)
    files = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(files) == len(shells) + 2
    assert all((tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes() for name in files)


@pytest.mark.slow
def test_one_process_can_be_another_than_this() -> None:
    import os

    assert list(spread(os.getpid, [()], 1)) == [os.getpid()] != list(spread(os.getpid, [()], 1, apart=True))
