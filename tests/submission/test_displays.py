"""Numbered displays: what they print are rows of results, and RTF, DOCX and PDF hold what the displays say.

Origin of the expectations: `independent`, each form is read back by another program than wrote it (striprtf, python-docx's reader,
pdfminer); `by hand`, the numbers of ICH E3 and what stands on a page.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import docx
import polars as pl
import pytest
from pdfminer.high_level import extract_pages
from pdfminer.layout import LAParams, LTTextContainer
from striprtf.striprtf import rtf_to_text

from cartrial.analysis import analyse, sort_results
from cartrial.analysis.further import analyse_further
from cartrial.errors import InputError
from cartrial.report.page.blocks import Figure
from cartrial.report.page.rows import Rows
from cartrial.report.study.data import ReportData
from cartrial.sdtm import join_findings
from cartrial.study import Study
from cartrial.submission import Job
from cartrial.submission.displays import FORMS, Display, Grid, make_displays, write_displays
from cartrial.submission.displays.content.found import Known, caption_notes
from cartrial.submission.displays.content.given import later_displays, product_displays
from cartrial.submission.displays.content.graded import end_displays, grade_displays
from cartrial.submission.displays.content.listings import listing_displays
from cartrial.submission.displays.forms.paper import paper_of
from cartrial.submission.displays.forms.pdf import write_pdf
from cartrial.submission.displays.lacking import ASKED, lacking_displays
from cartrial.submission.displays.model import Piece, Words
from cartrial.submission.displays.write import write_files
from helpers import BASE, WORKED, load_study, run_cli
from report_example import invent

BAND = "VIRTUAL PATIENTS: simulated, not patients"
# what stands beside numbers in a cell of a table of statistics: words of the study file, places on the axis of time, levels of intervals
WORDS = re.compile(r"month \d+|day -?\d+( to \d+)?|\d+(\.\d)? months|95 %|10⁹|within \d+ days|after day \d+|\d+ missed")


def _data(study: Study, n: int) -> ReportData:
    adam = invent(study, n)
    return ReportData(study, None, adam, Rows(sort_results(analyse(study, adam))), join_findings([]), "virtual")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    """A small study with one of each: a rate, a time, a subgroup, a listing."""
    path = tmp_path_factory.mktemp("study") / "study.yaml"
    path.write_text(BASE, encoding="utf-8")
    return _data(Study.load(path), 7)


Written = tuple[list[Display], Path]
SOME = ("baseline", "rate-ORR3", "curve-DOR", "sensitivity", "adverse-events-listed")
"""Displays that take little time: a figure takes as long to draw as ten tables, and a page of PDF as long to read."""


def _write(displays: list[Display], data: ReportData, out: Path) -> None:
    write_files(displays, paper_of(data.study, data, "ab" * 32), out, FORMS, lambda _: None)


@pytest.fixture(scope="module")
def made(data: ReportData) -> list[Display]:
    return make_displays(data.study, data)


@pytest.fixture(scope="module")
def written(data: ReportData, made: list[Display], tmp_path_factory: pytest.TempPathFactory) -> Written:
    """All tables and listings, and one figure."""
    displays = [display for display in made if isinstance(display.body, Grid) or display.id in SOME]
    out = tmp_path_factory.mktemp("displays")
    paper = paper_of(data.study, data, "ab" * 32)
    write_files(displays, paper, out, ["rtf", "docx"], lambda _: None)
    return displays, out


@pytest.fixture(scope="module")
def few(data: ReportData, made: list[Display], tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A display of each kind in every form."""
    displays, out = [display for display in made if display.id in SOME], tmp_path_factory.mktemp("few")
    _write(displays, data, out)
    return displays, out


def check_rows(displays: list[Display], data: ReportData) -> int:
    """Each statistic is the text of its row, and no number in a table of statistics is anything else. Returns how many there are."""
    found = 0
    for display in displays:
        cells = [cell for row in display.body.rows for cell in row] if isinstance(display.body, Grid) else []
        for words in (display.population, *cells, *display.notes):
            for piece in words:
                if piece.key is not None:
                    found += 1
                    assert piece.text == data.rows.all[piece.key]["text"], (display.id, piece)
        if isinstance(display.body, Grid) and display.kind == "table":
            for row in display.body.rows:
                for at in display.body.numeric:
                    loose = "".join(piece.text for piece in row[at] if piece.key is None)
                    assert not re.search(r"\d", WORDS.sub("", loose)), (display.id, str(row[0]), str(row[at]))
    return found


def _words(text: str) -> Words:
    return Words((Piece(text),))


def _plain(text: str) -> str:
    """A text without what a program may break or space otherwise."""
    return re.sub(r"[\s\u2010\u2011|-]+", "", text)


def _cells(displays: list[Display]) -> list[tuple[Display, str]]:
    return [(display, str(cell)) for display in displays if isinstance(display.body, Grid) for row in display.body.rows for cell in row]


def test_every_statistic_is_the_text_of_a_row(made: list[Display], data: ReportData) -> None:
    assert check_rows(made, data) > 150


@pytest.mark.slow
def test_every_statistic_is_the_text_of_a_row_whatever_the_study() -> None:
    """The pivotal study with all its endpoints and variants."""
    study = Study.load("inaticel")
    data = _data(study, 39)
    displays = make_displays(study, data)
    assert check_rows(displays, data) > 900
    assert len(displays) > 50


@pytest.mark.slow
@pytest.mark.shows("FMT-rtf")
def test_rtf_says_what_the_displays_say(written: Written) -> None:
    displays, out = written
    assert {path.stem for path in out.glob("*.rtf")} == {display.file for display in displays}
    for display in displays:
        raw = (out / f"{display.file}.rtf").read_text(encoding="ascii")
        assert raw.count("{") == raw.count("}")
        head, foot = (re.search(rf"^\{{\\{name} (.*?)^\}}$", raw, re.M | re.S)[1] for name in ("header", "footer"))  # type: ignore[index]
        above, beneath = (_plain(rtf_to_text("{\\rtf1\\uc1 " + part + "}")) for part in (head, foot))
        assert all(_plain(text) in above for text in (display.label, display.title, str(display.population), BAND))
        assert "fldinst PAGE" in head and "fldinst NUMPAGES" in head
        assert all(_plain(str(note)) in beneath for note in display.notes) and "Source:" in beneath
        if isinstance(display.body, Grid):
            assert all(_plain(words) in above for words in display.body.head)
            rows = [line.split("|")[:-1] for line in rtf_to_text(raw).splitlines() if "|" in line][-len(display.body.rows) :]
            for found, row in zip(rows, display.body.rows, strict=True):
                wanted = [str(cell) for cell in row]
                assert [cell.strip() for cell in found] == (wanted if any(wanted[1:]) else wanted[:1])
        else:
            assert "\\pngblip" in raw


@pytest.mark.shows("FMT-docx")
def test_docx_says_what_the_displays_say(written: Written) -> None:
    displays, out = written
    document = docx.Document(str(out / "displays.docx"))
    grids = [display for display in displays if isinstance(display.body, Grid)]
    assert len(document.tables) == len(grids) and len(document.inline_shapes) == len(displays) - len(grids)
    for table, display in zip(document.tables, grids, strict=True):
        assert isinstance(display.body, Grid)
        assert [cell.text for cell in table.rows[0].cells] == list(display.body.head)
        assert table.rows[0]._tr.trPr.xpath("w:tblHeader")
        for found, row in zip(table.rows[1:], display.body.rows, strict=True):
            wanted = [str(cell) for cell in row]
            assert [cell.text for cell in found.cells] == (wanted if any(wanted[1:]) else [wanted[0]] * len(wanted))
    headings = [paragraph.text for paragraph in document.paragraphs if paragraph.style.name == "Heading 2"]
    assert headings == [f"{display.label}\n{display.title}" for display in displays]
    for section, display in zip(list(document.sections)[1:], displays, strict=True):
        again = [paragraph.text for paragraph in section.header.paragraphs]
        assert BAND in again[0] and display.label in again[1] and display.title in again[1]
        for part in (section.footer, section.first_page_footer):
            said = [paragraph.text for paragraph in part.paragraphs]
            assert said[: len(display.notes)] == [str(note) for note in display.notes] and said[-1].startswith("Source: ")
        fields = section.header._element.xpath(".//w:fldSimple/@w:instr")
        assert fields == ["PAGE", "NUMPAGES"]


@pytest.mark.slow
@pytest.mark.shows("FMT-pdf")
def test_pdf_says_what_the_displays_say(few: Written) -> None:
    check_pdf(*few)


def check_pdf(displays: list[Display], out: Path, band: str = BAND) -> None:
    """Titles, notes and page x of y on every page, and each word of each cell on the display's pages."""
    read = extract_pages(str(out / "displays.pdf"), laparams=LAParams(boxes_flow=None))
    pages = ["".join(part.get_text() for part in page if isinstance(part, LTTextContainer)) for page in read]
    for at, page in enumerate(pages, 1):
        assert f"Page {at} of {len(pages)}" in page and band in page
    first = [next(at for at, page in enumerate(pages) if f"{display.label}\n" in page and at) for display in displays]
    for display, start, end in zip(displays, first, [*first[1:], len(pages)], strict=True):
        for page in pages[start:end]:
            assert all(_plain(text) in _plain(page) for text in (display.label, display.title, str(display.population)))
            assert all(_plain(str(note))[:40] in _plain(page) for note in display.notes)
        whole = _plain("".join(pages[start:end]))
        assert isinstance(display.body, Grid) or "Source:" in whole
        if isinstance(display.body, Grid):
            assert all(_plain(word) in whole for row in display.body.rows for cell in row for word in str(cell).split())


def test_what_heads_rows_stands_above_them_on_every_page_of_pdf(data: ReportData) -> None:
    """By hand: each page begins with the heading of its first row, and none ends with a heading."""
    body = [(_words(f"Head {k}"), Words()) if j < 0 else (_words(f"row {k}.{j}"), _words("1")) for k in range(5) for j in range(-1, 20 + k)]
    heads = frozenset(at for at, row in enumerate(body) if str(row[0]).startswith("Head"))
    grid = Grid(("What", "Number"), tuple(body), frozenset({1}), heads)
    display = Display("grouped", "table", "14.9", "Grouped", _words("all"), grid)
    raw = write_pdf([display], paper_of(data.study, data), {})
    pages = []
    for page in extract_pages(io.BytesIO(raw), laparams=LAParams(boxes_flow=None)):
        lines = re.findall(r"Head \d|row \d\.\d+", " ".join(part.get_text() for part in page if isinstance(part, LTTextContainer)))
        pages += [lines] if lines else []
    assert len(pages) > 2
    for lines in pages:
        assert lines[0].startswith("Head") and lines[-1].startswith("row")
        for before, line in pairwise(lines):
            assert line.startswith("Head") or line[4] == before.split(".")[0][-1], (before, line)


def test_nothing_is_said_of_a_screen(made: list[Display]) -> None:
    """By hand: what a caption of the page says of pointer and mouse is no note on paper, and the rest of it stands."""
    for said, wanted in (
        ("One line a subject; hover follows one. Triangles: below.", "One line a subject. Triangles: below."),
        (
            "Longest first; green: in remission. A click opens the subject. A bar: a scan.",
            "Longest first; green: in remission. A bar: a scan.",
        ),
    ):
        assert [str(note) for note in caption_notes(Figure({}, said))] == [wanted]
    assert not [display.id for display in made for note in display.notes if re.search(r"\b(click|hover)", str(note))]


def test_equal_displays_give_equal_bytes(data: ReportData, few: Written, tmp_path: Path) -> None:
    _write(few[0], data, tmp_path)
    names = sorted(path.name for path in few[1].iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir()) and len(names) == len(SOME) + 2
    assert all((tmp_path / name).read_bytes() == (few[1] / name).read_bytes() for name in names)


def test_shells_are_the_same_displays_without_numbers(data: ReportData, made: list[Display]) -> None:
    shells = {display.id: display for display in make_displays(data.study)}
    assert not [key for display in shells.values() for key in display.keys]
    both = [(display, shells[display.id]) for display in made if display.id in shells]
    assert len(both) > 15
    for display, shell in both:
        assert (shell.label, shell.title.split(":")[0]) == (display.label, display.title.split(":")[0])
    for display in shells.values():
        if isinstance(display.body, Grid):
            numbers = [str(row[at]) for row in display.body.rows for at in display.body.numeric]
            assert not [text for text in numbers if re.search(r"\d", WORDS.sub("", text))]


def test_a_listing_has_its_subject_on_every_row(made: list[Display], data: ReportData) -> None:
    """In full, as the data have it: a row after a page break is of somebody."""
    known = set(data.adam.adsl["USUBJID"])
    listings = [display for display in made if display.kind == "listing"]
    assert len(listings) > 4
    for display in listings:
        assert isinstance(display.body, Grid)
        assert {str(row[0]) for row in display.body.rows} <= known


def test_listings_hold_the_records(made: list[Display], data: ReportData) -> None:
    """Adverse events of the infused one by one; of the reads each date and call."""
    by = {display.id: display.body for display in made}
    events, reads = by["adverse-events-listed"], by["reads"]
    assert isinstance(events, Grid) and isinstance(reads, Grid)
    at = events.head.index("Event")
    assert sorted(str(row[at]) for row in events.rows) == sorted(data.adam.adae["AEDECOD"])
    who, day, call = (reads.head.index(name) for name in ("Subject", "Day", "Call"))
    wanted = data.adam.adresp.select("USUBJID", pl.col("CARDAY").cast(pl.String), "AVALC").rows()
    assert sorted((str(row[who]), str(row[day]), str(row[call])) for row in reads.rows) == sorted(wanted)


def test_what_cannot_be_asked_for_is_refused(data: ReportData, tmp_path: Path) -> None:
    for more, words in (
        ({"forms": ["doc"]}, "'doc' is no form of displays"),
        ({"numbering": {"tables": "1"}}, "'tables' is no display of this study"),
        ({"numbering": {"baseline": "14.1.1.1"}}, "'disposition' and 'baseline' have the same number, 14.1.1.1"),
    ):
        with pytest.raises(InputError, match=words):
            write_displays(data.study, data, tmp_path / "out", **more)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
    numbered = make_displays(data.study, data, {"baseline": "14.1.9"})
    assert next(display for display in numbered if display.id == "baseline").label == "Table 14.1.9"


@pytest.mark.slow
def test_the_worked_example_is_written_in_all_forms(tmp_path: Path) -> None:
    """Real file forms: each statistic is the text of its row, and Word's file is a package that opens."""
    from cartrial.run import derive_data, load_data

    loaded = load_data(WORKED, WORKED / "data")
    derived = derive_data(loaded)
    rows = Rows(sort_results(analyse(loaded.study, derived.adam, derived.records)))
    data = ReportData(loaded.study, loaded.source, derived.adam, rows, derived.findings, "example", given=derived.records)
    displays = write_displays(loaded.study, data, tmp_path)
    assert check_rows(displays, data) > 500
    # without listings, whose many pages take minutes to be read
    shown = [display for display in displays if display.kind != "listing"]
    (tmp_path / "shown").mkdir()
    write_files(shown, paper_of(loaded.study, data), tmp_path / "shown", ["pdf"], lambda _: None)
    check_pdf(shown, tmp_path / "shown", "EXAMPLE DATA: invented, not patients")
    text = "".join(paragraph.text for paragraph in docx.Document(io.BytesIO((tmp_path / "displays.docx").read_bytes())).paragraphs)
    assert "Table 14.2.1.1" in text


def test_what_was_given_has_displays(job: Job) -> None:
    """By hand: the six were infused, all with lymphodepletion of three days from day -5, 40 days after leukapheresis."""
    further = analyse_further(job.study, job.adam, job.records)
    rows = Rows(sort_results(pl.concat([job.results, further])))
    data = ReportData(job.study, job.source, job.adam, rows, job.findings, "example", given=job.records)
    known = Known(job.study, data, [])
    builders = (product_displays, later_displays, end_displays, grade_displays, listing_displays)
    made = {display.id: display for build in builders for display in build(known)}
    assert check_rows(list(made.values()), data) > 100
    said = {name: {str(row[0]): str(row[1]) for row in made[name].body.rows} for name in ("vein-to-vein", "bridging-lymphodepletion")}
    assert said["vein-to-vein"]["Leukapheresis to infusion (vein to vein), median (range)"] == "40 (40 to 40), n = 6"
    assert said["bridging-lymphodepletion"]["Fludarabine, days given, median (range)"] == "3 (3 to 3), n = 6"
    assert {"ends", "later-therapy", "dose", "recovery", "exposure-listed", "laboratory-listed"} <= set(made)
    assert "shift" not in made and "deviations-listed" not in made


def test_what_was_not_produced_is_listed(data: ReportData, made: list[Display], tmp_path: Path) -> None:
    """By hand: the small study has no subgroup of its own kinds of table; what is made is not listed, what is not made has a reason."""
    lacking = lacking_displays(made)
    told = {asked.number: asked.why for asked in lacking}
    assert "no result has a grade" in told["Table 14.3.4.1"] and "no deviation was recorded" in told["Table 14.1.1.4"]
    assert not {"Table 14.1.1.1", "Table 14.2.1.1", "Figure 14.2.3", "Listing 16.2.6.1"} & set(told)
    assert len({asked.number for asked in ASKED}) == len(ASKED) >= 46
    # what is said to stand elsewhere stands there
    assert "with the demographics" in told["Table 14.1.2.2"]
    less = {asked.number: asked.why for asked in lacking_displays([one for one in made if one.id not in ("baseline", "adverse-events")])}
    assert "demographics" not in less["Table 14.1.2.2"] and less["Table 14.3.1.3"] == "by term they are not counted"
    few = [display for display in made if display.id == "baseline"]
    paper = replace(paper_of(data.study, data), absent=tuple(f"{asked.number}: {asked.why}" for asked in lacking))
    write_files(few, paper, tmp_path, ["docx", "pdf"], lambda _: None)
    said = [paragraph.text for paragraph in docx.Document(str(tmp_path / "displays.docx")).paragraphs]
    assert [line for line in said if line in paper.absent] == list(paper.absent)
    first = next(iter(extract_pages(str(tmp_path / "displays.pdf"), laparams=LAParams(boxes_flow=None))))
    page = _plain("".join(part.get_text() for part in first if isinstance(part, LTTextContainer)))
    assert "Notproduced" in page and _plain(paper.absent[0]) in page


@pytest.mark.shows("CMD-shells")
def test_shells_are_written_from_the_command_line(tmp_path: Path) -> None:
    """One file of RTF has every display with its number; another's file is not replaced, and a figure needs a page."""
    study = load_study(tmp_path, BASE)
    out = tmp_path / "shells.rtf"
    assert run_cli("shells", tmp_path / "study.yaml", "--out", out)[0] == 0
    raw = out.read_text(encoding="ascii")
    assert raw.count("{") == raw.count("}")
    shells = make_displays(study)
    assert raw.count("{\\header ") == len(shells) == raw.count("\\sectd") and raw.count("\\sect\n") == len(shells) - 1
    text = _plain(raw)
    assert all(_plain(display.label) in text for display in shells)
    code, _, said = run_cli("shells", tmp_path / "study.yaml", "--out", out)
    assert code == 2 and "shells.rtf" in said
    code, _, said = run_cli("shells", tmp_path / "study.yaml", "--out", tmp_path / "a.pdf", "--figures", "svg")
    assert code == 2 and "beside a page alone" in said and not (tmp_path / "a.pdf").exists()
    code, _, said = run_cli("shells", tmp_path / "study.yaml", "--out", tmp_path / "a.pptx")
    assert code == 2 and "'.pptx'" in said and not (tmp_path / "a.pptx").exists()
