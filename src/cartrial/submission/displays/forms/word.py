"""How do displays become a Word document? One DOCX: contents, then a section a display, by python-docx.

Tables are written as XML of WordprocessingML (ECMA-376, part 1), and take the place of a comment in the document that was saved: cell by
cell through the library 300 rows take 0.4 s, and as parts of its document 46,000 rows take 20 s.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from cartrial.extras import require
from cartrial.submission.displays.forms.paper import CHINESE, FONT, LYING, MARGIN, SIZE, SMALL, Paper, Sheet, column_widths
from cartrial.submission.displays.forms.pictures import Picture
from cartrial.submission.displays.model import Display, Grid

__all__ = ["equal_bytes", "write_docx"]

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_DOCUMENT = "word/document.xml"
_DATED = (1980, 1, 1, 0, 0, 0)
_TOP, _BOTTOM, _EDGE = 70.0, 60.0, 28.0


def write_docx(displays: Sequence[Display], paper: Paper, pictures: Mapping[str, Picture], images: Mapping[str, bytes]) -> bytes:
    """Return displays as one document of Word; equal displays give equal bytes.

    Parameters
    ----------
    displays : sequence of Display
    paper : Paper
    pictures : mapping of str to Picture
        Of the figures, by `Display.id`.
    images : mapping of str to bytes
        The same as PNG.

    Raises
    ------
    InputError
        If python-docx is not installed.
    """
    docx = require("docx", extra="submission")
    document = docx.Document()
    _number_parts(document.part.package)
    _styles(document)
    section = document.sections[0]
    _size_sheet(section, LYING)
    _furnish(section, paper, "", "", paper.stamp)
    document.add_heading(paper.say("Tables, figures and listings"), 1)
    for display in displays:
        document.element.body.insert(-1, _parsed(_link(display)))
    for heading, lines in (("In files of their own", paper.elsewhere), ("Not produced", paper.absent)):
        if lines:
            document.add_heading(paper.say(heading), 1)
        for line in lines:
            document.element.body.insert(-1, _parsed(_paragraph(line, "left")))
    tables: dict[bytes, str] = {}
    for number, display in enumerate(displays):
        picture = pictures.get(display.id)
        section = document.add_section()
        _size_sheet(section, picture.sheet if picture else LYING)
        again = f"{display.label} {display.title} ({paper.say('continued')})"
        _furnish(section, paper, again, str(display.population), "\n".join(_foot(display, paper)))
        _titles(document, display, number)
        if isinstance(display.body, Grid):
            mark = require("lxml.etree", extra="submission").Comment(f"table {number}")
            document.element.body.insert(-1, mark)
            tables[f"<!--table {number}-->".encode()] = _table(display.body)
        elif picture:
            shown = document.add_picture(io.BytesIO(images[display.id]), width=docx.shared.Pt(picture.width))
            shown._inline.docPr.set("descr", str(display.body.document.get("description") or display.title))
    properties = document.core_properties
    properties.title, properties.author, properties.comments = f"{paper.study}: tables, figures and listings", "cartrial", ""
    properties.created = properties.modified = dt.datetime(paper.date.year, paper.date.month, paper.date.day)
    made = io.BytesIO()
    document.save(made)
    return equal_bytes(made.getvalue(), tables)


def equal_bytes(package: bytes, tables: Mapping[bytes, str] | None = None) -> bytes:
    """Return a ZIP package whose parts have one fixed time, so that equal content gives equal bytes.

    Parameters
    ----------
    package : bytes
    tables : mapping of bytes to str, optional
        What takes the place of which comment of the document.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = zipfile.ZipInfo(name, _DATED)
            part.compress_type, part.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(part, _filled(old.read(name), tables) if tables and name == _DOCUMENT else old.read(name))
    return made.getvalue()


def _filled(document: bytes, tables: Mapping[bytes, str]) -> bytes:
    """Return the text of a document with its tables. No text of it has such a comment: it would be escaped."""
    pieces = re.split(rb"(<!--table \d+-->)", document)
    return b"".join(tables[piece].encode() if piece in tables else piece for piece in pieces)


def _number_parts(package: Any) -> None:
    """Name new heads and feet by counting: python-docx (1.2) walks every part of the document for each."""
    free = package.next_partname
    numbers: dict[str, itertools.count[int]] = {}
    uri = require("docx.opc.packuri", extra="submission").PackURI

    def next_partname(template: str) -> Any:
        if template not in numbers:
            first = free(template)
            numbers[template] = itertools.count(first.idx + 1)
            return first
        return uri(template % next(numbers[template]))

    package.next_partname = next_partname


def _parsed(xml: str) -> Any:
    return require("docx.oxml", extra="submission").parse_xml(xml)


def _styles(document: Any) -> None:
    shared, qn = require("docx.shared", extra="submission"), require("docx.oxml.ns", extra="submission").qn
    for name, size in (("Normal", SIZE), ("Heading 1", SIZE + 3), ("Heading 2", SIZE + 1), ("Header", SMALL), ("Footer", SMALL)):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = FONT, shared.Pt(size), shared.RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        # a theme's fonts would win over the name
        for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(theme), None)
        for kind, face in (("w:eastAsia", CHINESE), ("w:cs", FONT), ("w:hAnsi", FONT)):
            fonts.set(qn(kind), face)
        style.paragraph_format.space_before = style.paragraph_format.space_after = shared.Pt(0)


def _size_sheet(section: Any, sheet: Sheet) -> None:
    shared, orient = require("docx.shared", extra="submission"), require("docx.enum.section", extra="submission").WD_ORIENT
    section.orientation = orient.PORTRAIT if sheet.upright else orient.LANDSCAPE
    section.page_width, section.page_height = shared.Pt(sheet.width), shared.Pt(sheet.height)
    section.left_margin = section.right_margin = shared.Pt(MARGIN)
    section.top_margin, section.bottom_margin = shared.Pt(_TOP), shared.Pt(_BOTTOM)
    section.header_distance = section.footer_distance = shared.Pt(_EDGE)


def _furnish(section: Any, paper: Paper, again: str, population: str, foot: str) -> None:
    """Give a section its head and foot: on its first page the titles stand in the text, on the others in the head."""
    section.different_first_page_header_footer = True
    width = section.page_width.pt - 2 * MARGIN
    for header, titles in ((section.first_page_header, ()), (section.header, (again, population))):
        _replace(header, [_running(paper, width), *(_paragraph(text, "center", bold=text == again) for text in titles if text)])
    for footer in (section.first_page_footer, section.footer):
        _replace(footer, [_paragraph(text, "left", top=not at) for at, text in enumerate(foot.split("\n"))])


def _replace(part: Any, paragraphs: Sequence[str]) -> None:
    part.is_linked_to_previous = False
    element = part._element
    for old in list(element):
        element.remove(old)
    for xml in paragraphs:
        element.append(_parsed(xml))


def _foot(display: Display, paper: Paper) -> list[str]:
    return [*map(str, display.notes), f"{paper.say('Source')}: {display.source}. {paper.stamp}"]


def _run(text: str, *, bold: bool = False, size: float = 0.0, colour: str = "") -> str:
    style = ("<w:b/>" if bold else "") + (f'<w:color w:val="{colour}"/>' if colour else "")
    style += f'<w:sz w:val="{round(2 * size)}"/>' if size else ""
    return f'<w:r>{f"<w:rPr>{style}</w:rPr>" if style else ""}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _field(code: str) -> str:
    return f'<w:fldSimple w:instr={quoteattr(code)}><w:r><w:rPr><w:sz w:val="{round(2 * SMALL)}"/></w:rPr><w:t>1</w:t></w:r></w:fldSimple>'


def _running(paper: Paper, width: float) -> str:
    band = f"{_run(paper.band, bold=True, size=SMALL, colour='8A3B00')}" if paper.band else ""
    tabs = f'<w:tab w:val="center" w:pos="{_twips(width / 2)}"/><w:tab w:val="right" w:pos="{_twips(width)}"/>'
    tab = "<w:r><w:tab/></w:r>"
    before, between, after = paper.say("Page {} of {}").split("{}")
    pages = f"{_run(before, size=SMALL)}{_field('PAGE')}{_run(between, size=SMALL)}{_field('NUMPAGES')}"
    pages += _run(after, size=SMALL) if after else ""
    return (
        f'<w:p {W}><w:pPr><w:tabs><w:tab w:val="clear" w:pos="4320"/><w:tab w:val="clear" w:pos="8640"/>{tabs}</w:tabs>'
        f'<w:spacing w:after="80"/></w:pPr>{_run(paper.study, size=SMALL)}{tab}{band}{tab}{pages}</w:p>'
    )


def _paragraph(text: str, side: str, *, bold: bool = False, top: bool = False) -> str:
    edge = '<w:pBdr><w:top w:val="single" w:sz="4" w:space="2" w:color="000000"/></w:pBdr>' if top else ""
    return (
        f'<w:p {W}><w:pPr>{edge}<w:spacing w:before="0" w:after="0"/><w:jc w:val="{side}"/></w:pPr>'
        f"{_run(text, bold=bold, size=SIZE if side == 'center' else SMALL)}</w:p>"
    )


def _mark(display: Display) -> str:
    return display.file.replace("-", "_")


def _link(display: Display) -> str:
    """Return a line of the contents, which leads to the display."""
    return (
        f'<w:p {W}><w:pPr><w:tabs><w:tab w:val="left" w:pos="2400"/></w:tabs></w:pPr><w:hyperlink w:anchor="{_mark(display)}">'
        f"{_run(display.label)}<w:r><w:tab/></w:r>{_run(display.title)}</w:hyperlink></w:p>"
    )


def _titles(document: Any, display: Display, number: int) -> None:
    """Add the titles of a display as a heading, to which the contents lead."""
    mark = f'<w:bookmarkStart w:id="{number}" w:name="{_mark(display)}"/><w:bookmarkEnd w:id="{number}"/>'
    heading = (
        f'<w:p {W}><w:pPr><w:pStyle w:val="Heading2"/><w:keepNext/><w:jc w:val="center"/></w:pPr>{mark}'
        f"{_run(display.label)}<w:r><w:br/></w:r>{_run(display.title)}</w:p>"
    )
    who = f'<w:p {W}><w:pPr><w:keepNext/><w:spacing w:after="80"/><w:jc w:val="center"/></w:pPr>{_run(str(display.population))}</w:p>'
    for xml in (heading, who):
        document.element.body.insert(-1, _parsed(xml))


def _twips(points: float) -> int:
    return round(20 * points)


def _table(grid: Grid) -> str:
    """Return a table whose headings stand on each of its pages."""
    widths = column_widths(grid)
    columns = "".join(f'<w:gridCol w:w="{_twips(width)}"/>' for width in widths)
    rule = '<w:{0} w:val="single" w:sz="6" w:space="0" w:color="000000"/>'
    rules = rule.format("top") + rule.format("bottom")
    margins = '<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>'
    look = f'<w:tcBorders>{rules}</w:tcBorders><w:vAlign w:val="bottom"/>'
    heads = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{_twips(widths[at])}" w:type="dxa"/>{look}</w:tcPr>{_cell(grid, at, head, bold=True)}</w:tc>'
        for at, head in enumerate(grid.head)
    )
    rows = "".join(_row(grid, at, widths) for at in range(len(grid.rows)))
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{_twips(sum(widths))}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{rules}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/>{margins}</w:tblPr><w:tblGrid>{columns}</w:tblGrid>'
        f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{heads}</w:tr>{rows}</w:tbl>"
    )


def _cell(grid: Grid, at: int, text: str, *, bold: bool = False, indent: bool = False, keep: bool = False) -> str:
    side = "right" if at in grid.numeric else "left"
    keeps, moved = "<w:keepNext/>" if keep else "", '<w:ind w:left="160"/>' if indent else ""
    return f'<w:p><w:pPr>{keeps}{moved}<w:jc w:val="{side}"/></w:pPr>{_run(text, bold=bold) if text else ""}</w:p>'


def _row(grid: Grid, at: int, widths: Sequence[float]) -> str:
    row, heads = grid.rows[at], at in grid.group
    if heads and not any(row[1:]):
        span = f'<w:tcW w:w="{_twips(sum(widths))}" w:type="dxa"/><w:gridSpan w:val="{len(row)}"/>'
        cells = f"<w:tc><w:tcPr>{span}</w:tcPr>{_cell(grid, -1, str(row[0]), bold=True, keep=True)}</w:tc>"
    else:
        cells = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{_twips(widths[k])}" w:type="dxa"/></w:tcPr>'
            f"{_cell(grid, k, str(words), bold=heads, indent=bool(grid.group) and not heads and not k, keep=heads)}</w:tc>"
            for k, words in enumerate(row)
        )
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>"
