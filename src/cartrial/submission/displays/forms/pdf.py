"""How do displays become a PDF? One file, set by typst: contents, bookmarks, titles and notes on every page, figures as they are drawn.

The type is one that typst carries, so that the same displays give the same bytes on every machine.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence

from cartrial.extras import require
from cartrial.submission.displays.forms.paper import LYING, MARGIN, SIZE, SMALL, Paper, column_widths
from cartrial.submission.displays.forms.pictures import Picture
from cartrial.submission.displays.model import Display, Grid

__all__ = ["chinese_face", "forget_pdf", "write_pdf"]

FACE = "Libertinus Serif"
TAGGED = 20_000
"""Cells up to which a PDF is tagged for readers of the screen: tags take twenty times as long, and as much room, as what they tag."""
_KEPT = 11
_CHINESE = re.compile(r"CJK|Source Han|SimSun|Songti|STSong|SimHei|Heiti|PingFang|YaHei|FangSong|KaiTi|WenQuanYi| SC$", re.IGNORECASE)
_FAR = 0x2E80
"""From here on letters are Chinese, Japanese or Korean."""
_START = """#set document(title: {title}, author: "cartrial", date: datetime(year: {year}, month: {month}, day: {day}))
#set text(font: {face}, size: {size}pt, lang: "en", hyphenate: false)
#set par(spacing: 3pt, leading: 3pt)
#set table(stroke: none, inset: (x: 3pt, y: 2pt))
#set table.cell(breakable: false)
#show table.cell: set par(justify: false)
#let running(study, band) = grid(columns: (1fr, auto, 1fr), align: (left, center, right), text(size: {small}pt, study),
  text(size: {small}pt, weight: "bold", fill: rgb("#8a3b00"), band),
  text(size: {small}pt, context [#{before}#counter(page).get().first()#{between}#counter(page).final().first()#{after}]))
#let title(label, words, who) = align(center)[#text(weight: "bold", size: {big}pt)[#label\\ #words]\\ #who]
#let note(words) = block(spacing: 3pt, text(size: {small}pt, words))
#let mark(words) = place(hide(heading(level: 1, outlined: true, bookmarked: true, words)))
#show heading: set text(size: 1pt)
#show outline.entry: set block(spacing: 3.5pt)
#set page(width: {width}pt, height: {height}pt, margin: (x: {margin}pt, top: 52pt, bottom: 32pt), header-ascent: 8pt,
  header: running({study}, {band}))
"""
_CONTENTS = """#text(size: {big}pt, weight: "bold", {contents})
#outline(title: none)
#note({stamp})
"""


def write_pdf(displays: Sequence[Display], paper: Paper, pictures: Mapping[str, Picture], *, contents: bool = True) -> bytes:
    """Return displays as one PDF; equal displays give equal bytes.

    Parameters
    ----------
    displays : sequence of Display
    paper : Paper
    pictures : mapping of str to Picture
        Of the figures, by `Display.id`.
    contents : bool
        Whether it begins with contents; without, as a listing alone, it is called as its first display.

    Raises
    ------
    InputError
        If typst is not installed.
    """
    typst = require("typst", extra="submission")
    day = paper.date
    called = "tables, figures and listings" if contents else f"{displays[0].label} {displays[0].title}"
    start = _START.format(
        title=_text(f"{paper.study}: {called}"),
        year=day.year,
        month=day.month,
        day=day.day,
        face=f"({_text(FACE)}, {_text(chinese_face())})" if paper.words else _text(FACE),
        size=SIZE,
        small=SMALL,
        big=SIZE + 1,
        width=LYING.width,
        height=LYING.height,
        margin=MARGIN,
        study=_text(paper.study),
        band=_text(paper.band),
        **dict(zip(("before", "between", "after"), map(_text, paper.say("Page {} of {}").split("{}")), strict=True)),
    )
    start += _contents(paper) if contents else ""
    files = {"main.typ": (start + "".join(_page(display, paper, pictures.get(display.id)) for display in displays)).encode()}
    files |= {f"{name}.svg": _faced(picture.svg).encode() for name, picture in pictures.items()}
    # letters that typst's own type has not (Chinese) are taken from the machine's, where it has them
    wide = any(ord(sign) >= _FAR for part in files.values() for sign in part.decode())
    cells = sum(len(display.body.rows) * len(display.body.head) for display in displays if isinstance(display.body, Grid))
    made: bytes = typst.compile(files, format="pdf", ignore_system_fonts=not wide, timestamp=_seconds(day), pdf_tags=cells <= TAGGED)
    return made


def forget_pdf() -> None:
    """Let typst forget what it keeps of PDFs that were set, for the next ones of their like: 70 MB for each 1,000 rows.

    It forgets what the last ten did not use.
    """
    typst = require("typst", extra="submission")
    for _ in range(_KEPT):
        typst.compile({"main.typ": b""}, format="pdf", ignore_system_fonts=True)


def chinese_face() -> str:
    """Return a type of the machine that has Chinese letters, blank where it has none."""
    known = set(require("typst", extra="submission").Fonts().families())
    return next((name for name in sorted(known) if _CHINESE.search(name)), "")


def _contents(paper: Paper) -> str:
    """Return the contents, and beneath them what stands in other files and what was not produced."""
    start = _CONTENTS.format(big=SIZE + 1, stamp=_text(paper.stamp), contents=_text(paper.say("Tables, figures and listings")))
    for heading, lines in (("In files of their own", paper.elsewhere), ("Not produced", paper.absent)):
        if lines:
            start += f"#block(above: 8pt, text(weight: {_text('bold')}, {_text(paper.say(heading))}))\n"
            start += "".join(f"#note({_text(line)})\n" for line in lines)
    return start


def _seconds(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())


def _text(text: str) -> str:
    """Return text as a string of typst."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _faced(svg: str) -> str:
    """Return a picture in the type of the document: there is no other."""
    return re.sub(r'font-family="[^"]*"', f'font-family="{FACE}"', svg)


def _page(display: Display, paper: Paper, picture: Picture | None) -> str:
    upright = picture is not None and picture.sheet.upright
    sheet = picture.sheet if picture else LYING
    begin = f"#set page(width: {sheet.width}pt, height: {sheet.height}pt)\n" if upright else "#pagebreak(weak: true)\n"
    end = f"#set page(width: {LYING.width}pt, height: {LYING.height}pt)\n" if upright else ""
    mark = f"#mark({_text(f'{display.label}  {display.title}')})\n"
    titles = f"title({_text(display.label)}, {_text(display.title)}, {_text(str(display.population))})"
    said = [*map(str, display.notes), f"{paper.say('Source')}: {display.source}. {paper.stamp}"]
    notes = "; ".join(f"note({_text(text)})" for text in said)
    if isinstance(display.body, Grid):
        return begin + mark + _table(display.body, titles, notes) + end
    size = f"width: {picture.width:.2f}pt, height: {picture.height:.2f}pt" if picture else ""
    told = f"alt: {_text(str(display.body.document.get('description') or display.title))}"
    shown = f"#align(center, image({_text(f'{display.id}.svg')}, {size}, {told}))\n"
    return f"{begin}{mark}#{titles}\n{shown}#line(length: 100%, stroke: 0.5pt)\n#{{ {notes} }}\n{end}"


def _table(grid: Grid, titles: str, notes: str) -> str:
    """Return a table that has its titles and headings above, and its notes beneath, on each of its pages, and what heads its rows.

    An empty column at either side lets titles and notes be as wide as the page.
    """
    widths = column_widths(grid)
    wide = len(widths)
    sides = ", ".join("right" if at in grid.numeric else "left" for at in range(wide))
    heads = ", ".join(f"table.cell(align: bottom + {_side(grid, at)}, strong({_text(head)}))" for at, head in enumerate(grid.head))
    rows = "".join(_row(grid, at) for at in range(len(grid.rows)))
    rule = f"table.hline(stroke: 0.6pt, start: 1, end: {wide + 1})"
    return (
        f"#table(columns: (1fr, {', '.join(f'{width:.1f}pt' for width in widths)}, 1fr), align: (left, {sides}, left),\n"
        f"table.header(table.cell(colspan: {wide + 2}, inset: (x: 0pt, bottom: 6pt), {titles}), {rule}, [], {heads}, [], {rule}),\n"
        f"{rows}"
        f"table.footer({rule}, table.cell(colspan: {wide + 2}, align: left, inset: (x: 0pt), {{ {notes} }})))\n"
    )


def _side(grid: Grid, at: int) -> str:
    return "right" if at in grid.numeric else "left"


def _row(grid: Grid, at: int) -> str:
    row, heads = grid.rows[at], at in grid.group
    if heads and not any(row[1:]):
        return f"table.header(level: 2, [], table.cell(colspan: {len(row)}, align: left, strong({_text(str(row[0]))})), []),\n"
    cells = []
    for k, words in enumerate(row):
        text = f"strong({_text(str(words))})" if heads else _text(str(words))
        cells.append(f"pad(left: 8pt, {text})" if grid.group and not heads and not k else text)
    line = f"[], {', '.join(cells)}, []"
    return f"table.header(level: 2, {line}),\n" if heads else f"{line},\n"
