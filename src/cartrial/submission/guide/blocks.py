"""Of what does a document consist, and how does it become Word or PDF? Headings, paragraphs and tables; equal blocks give equal bytes."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cartrial.extras import require
from cartrial.submission.displays.forms.word import equal_bytes

__all__ = ["NOT_STATED", "Block", "Document", "Heading", "Table", "Text", "docx_bytes", "pdf_bytes", "sections"]

NOT_STATED = "Not stated in the study file."
_FACE = "Libertinus Serif"
# from here on letters are Chinese, Japanese or Korean
_FAR = 0x2E80
_START = """#set document(title: {title}, author: "cartrial", date: datetime(year: {year}, month: {month}, day: {day}))
#set text(font: {face}, size: 10pt, lang: "en", hyphenate: false)
#set par(spacing: 7pt, leading: 4.5pt)
#set page(paper: "a4", margin: (x: 60pt, y: 56pt), header: grid(columns: (1fr, auto), text(size: 8pt, {running}),
  text(size: 8pt, context [Page #counter(page).get().first() of #counter(page).final().first()])))
#set table(stroke: 0.4pt + luma(150), inset: (x: 4pt, y: 3pt))
#show table.cell: set text(size: 8.5pt)
#show table.cell: set par(justify: false)
#show heading: set block(above: 14pt, below: 7pt)
#align(center, text(size: 15pt, weight: "bold", {title}))
#align(center, {under})
#outline(title: none, depth: 2)
#pagebreak()
"""


@dataclass(frozen=True)
class Heading:
    """A heading: its level from 1, and its words with their number."""

    level: int
    words: str


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str


@dataclass(frozen=True)
class Table:
    """A table of words; `wide` has how wide its columns are, as parts of the page."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    wide: tuple[float, ...] = ()


Block = Heading | Text | Table


@dataclass(frozen=True)
class Document:
    """A document: its title, what stands below it, what runs on every page, its blocks, and the date that it carries."""

    title: str
    under: str
    running: str
    blocks: tuple[Block, ...]
    made: dt.date


def docx_bytes(document: Document) -> bytes:
    """Return a document as DOCX.

    Raises
    ------
    InputError
        If python-docx is not installed.
    """
    docx, shared = require("docx", extra="submission"), require("docx.shared", extra="submission")
    made = docx.Document()
    normal = made.styles["Normal"]
    normal.font.name, normal.font.size = "Times New Roman", shared.Pt(10)
    core, day = made.core_properties, dt.datetime(document.made.year, document.made.month, document.made.day)
    core.title, core.author, core.last_modified_by, core.comments = document.title, "cartrial", "cartrial", ""
    core.created = core.modified = day
    made.sections[0].header.paragraphs[0].text = document.running
    made.add_heading(document.title, 0)
    made.add_paragraph(document.under)
    for block in document.blocks:
        if isinstance(block, Heading):
            made.add_heading(block.words, block.level)
        elif isinstance(block, Text):
            made.add_paragraph(block.words)
        else:
            _add_table(made, block, shared.Pt(9))
    held = io.BytesIO()
    made.save(held)
    return equal_bytes(held.getvalue())


def _add_table(made: object, block: Table, size: object) -> None:
    table = made.add_table(rows=0, cols=len(block.head), style="Table Grid")  # type: ignore[attr-defined]
    for place, row in enumerate((block.head, *block.rows)):
        for cell, words in zip(table.add_row().cells, row, strict=True):
            run = cell.paragraphs[0].add_run(words)
            run.bold, run.font.size = place == 0, size
    made.add_paragraph("")  # type: ignore[attr-defined]


def pdf_bytes(document: Document) -> bytes:
    """Return a document as PDF with contents, bookmarks and page x of y.

    Raises
    ------
    InputError
        If typst is not installed.
    """
    typst = require("typst", extra="submission")
    day = document.made
    start = _START.format(
        title=_quoted(document.title),
        under=_quoted(document.under),
        running=_quoted(document.running),
        face=_quoted(_FACE),
        year=day.year,
        month=day.month,
        day=day.day,
    )
    text = start + "\n".join(_set(block) for block in document.blocks)
    stamp = int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())
    # letters that typst's own type has not (Chinese) are taken from the machine's, where it has them
    wide = any(ord(letter) >= _FAR for letter in text)
    made: bytes = typst.compile({"main.typ": text.encode()}, format="pdf", ignore_system_fonts=not wide, timestamp=stamp)
    return made


def _set(block: Block) -> str:
    if isinstance(block, Heading):
        return f"#heading(level: {block.level}, {_quoted(block.words)})\n"
    if isinstance(block, Text):
        return f"#par({_quoted(block.words)})\n"
    wide = ", ".join(f"{part:g}fr" for part in block.wide or (1,) * len(block.head))
    head = ", ".join(f"strong({_quoted(words)})" for words in block.head)
    cells = "".join(f"{', '.join(map(_quoted, row))},\n" for row in block.rows)
    return f"#table(columns: ({wide}), table.header({head}),\n{cells})\n"


def _quoted(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def sections(titles: Sequence[tuple[str, str]], filled: Mapping[str, Sequence[Block]]) -> list[Block]:
    """Return numbered sections with what is known of each; one of which nothing is known, nor of any part of it, says so.

    Parameters
    ----------
    titles : sequence of (str, str)
        Number and title, in their order.
    filled : mapping of str to blocks
        By number.

    Examples
    --------
    >>> from cartrial.submission.guide.blocks import Text, sections
    >>> [block.words for block in sections([("1", "Aim"), ("2", "Risks")], {"1": [Text("To live.")]})]
    ['1 Aim', 'To live.', '2 Risks', 'Not stated in the study file.']
    """
    found: list[Block] = []
    numbers = [number for number, _ in titles]
    for number, title in titles:
        found.append(Heading(number.count(".") + 1, f"{number} {title}"))
        has_parts = any(one.startswith(f"{number}.") for one in numbers)
        found += filled.get(number) or ([] if has_parts else [Text(NOT_STATED)])
    return found
