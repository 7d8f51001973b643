"""How does a display become RTF? A file each: titles, page x of y and column headings in the page's head, notes in its foot.

What stands in head and foot is on every page whatever program breaks the pages; heading rows marked as such are ignored by some.
RTF 1.9.1 (Microsoft, 2008). No library: rtflite 2.6.0 counts rows, so that cells that wrap push others onto pages without titles, and
needs 23 s for a listing of 3,000 rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from cartrial.submission.displays.forms.paper import FONT, LYING, MARGIN, SIZE, SMALL, Paper, Sheet, column_widths
from cartrial.submission.displays.forms.pictures import Picture
from cartrial.submission.displays.model import Display, Grid

__all__ = ["escape_rtf", "join_rtf", "write_rtf"]

_TOP, _BOTTOM, _EDGE = 90.0, 60.0, 28.0
"""Least room above and below the text, and of head and foot from the paper's edge; both grow with what stands in them. Unit: pt."""
_RULE = "\\brdrs\\brdrw8"
_FIELDS = ("{\\field{\\*\\fldinst PAGE}{\\fldrslt 1}}", "{\\field{\\*\\fldinst NUMPAGES}{\\fldrslt 1}}")
_SPECIAL = {"\\": "\\\\", "{": "\\{", "}": "\\}", "\n": "\\line ", "\t": "\\tab "}


def escape_rtf(text: str) -> str:
    """Return text as RTF: what is not ASCII as Unicode, beyond 65535 in two halves.

    Examples
    --------
    >>> from cartrial.submission.displays.forms.rtf import escape_rtf
    >>> escape_rtf("\u2265 3 {x}"), escape_rtf("\U0001d400")
    ('\\\\u8805? 3 \\\\{x\\\\}', '\\\\u-10187?\\\\u-9216?')
    """
    found = []
    for sign in text:
        if sign in _SPECIAL:
            found.append(_SPECIAL[sign])
        elif sign.isascii():
            found.append(sign)
        else:
            units = sign.encode("utf-16-le")
            halves = (int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2))
            found.extend(f"\\u{half}?" for half in halves)
    return "".join(found)


def write_rtf(display: Display, paper: Paper, picture: Picture | None = None, png: bytes = b"") -> bytes:
    """Return a display as a file of RTF.

    Parameters
    ----------
    display : Display
    paper : Paper
    picture : Picture, optional
        Of a figure, with its `png`.
    """
    return _file(f"{display.label} {display.title}", picture.sheet if picture else LYING, [_section(display, paper, picture, png)])


def join_rtf(displays: Sequence[Display], paper: Paper, pictures: Mapping[str, Picture], images: Mapping[str, bytes]) -> bytes:
    """Return several displays as one file of RTF, a section each; pages are counted through all of them.

    Parameters
    ----------
    displays : sequence of Display
    paper : Paper
    pictures : mapping of str to Picture
        Of the figures, by `Display.id`.
    images : mapping of str to bytes
        The same as PNG.
    """
    parts = [_section(one, paper, pictures.get(one.id), images.get(one.id, b"")) for one in displays]
    return _file(f"{paper.study}: tables, figures and listings", LYING, parts)


def _file(title: str, sheet: Sheet, sections: Sequence[str]) -> bytes:
    """Return a file of RTF; the sheet is that of the document, each section has its own."""
    lying = "" if sheet.upright else "\\landscape"
    body = "\\sect\n".join(sections)
    text = (
        f"{{\\rtf1\\ansi\\ansicpg1252\\deff0\\uc1{{\\fonttbl{{\\f0\\froman\\fcharset0 {FONT};}}}}"
        f"{{\\colortbl;\\red138\\green59\\blue0;}}"
        f"{{\\info{{\\title {escape_rtf(title)}}}}}"
        f"\\paperw{_twips(sheet.width)}\\paperh{_twips(sheet.height)}{lying}\\margl{_twips(MARGIN)}\\margr{_twips(MARGIN)}"
        f"\\margt{_twips(_TOP)}\\margb{_twips(_BOTTOM)}"
        f"{body}}}\n"
    )
    return text.encode("ascii")


def _section(display: Display, paper: Paper, picture: Picture | None, png: bytes) -> str:
    """Return a display with its head and foot, and the sheet that it has."""
    sheet = picture.sheet if picture else LYING
    grid = display.body if isinstance(display.body, Grid) else None
    widths = column_widths(grid) if grid else []
    # read by Word only with the mark of the section beside that of the document
    lying = "" if sheet.upright else "\\lndscpsxn"
    head = _head(display, paper, sheet) + (_headings(grid, widths) if grid else "")
    body = _picture(png, picture) if picture else ""
    if grid:
        body = "".join(_row(grid, at, widths) for at in range(len(grid.rows)))
    return (
        f"\\sectd{lying}\\pgwsxn{_twips(sheet.width)}\\pghsxn{_twips(sheet.height)}\\headery{_twips(_EDGE)}\\footery{_twips(_EDGE)}\n"
        f"{{\\header {head}}}\n{{\\footer {_foot(display, paper)}}}\n{body}\\pard\\fs2\\par"
    )


def _twips(points: float) -> int:
    return round(20 * points)


def _size(points: float) -> str:
    return f"\\fs{round(2 * points)}"


def _head(display: Display, paper: Paper, sheet: Sheet) -> str:
    before, between, after = map(escape_rtf, paper.say("Page {} of {}").split("{}"))
    pages = f"{before}{_FIELDS[0]}{between}{_FIELDS[1]}{after}"
    lines = [f"\\pard\\plain\\f0{_size(SMALL)}\\tqr\\tx{_twips(sheet.inner)} {escape_rtf(paper.study)}\\tab {pages}\\par\n"]
    if paper.band:
        lines.append(f"\\pard\\plain\\f0{_size(SMALL)}\\qc\\b\\cf1 {escape_rtf(paper.band)}\\b0\\cf0\\par\n")
    lines.append(f"\\pard\\plain\\f0{_size(SIZE + 1)}\\qc\\sb60\\b {escape_rtf(display.label)}\\par\n")
    lines.append(f"\\pard\\plain\\f0{_size(SIZE + 1)}\\qc\\b {escape_rtf(display.title)}\\par\n")
    lines.append(f"\\pard\\plain\\f0{_size(SIZE)}\\qc\\sa80 {escape_rtf(str(display.population))}\\par\n")
    return "".join(lines)


def _foot(display: Display, paper: Paper) -> str:
    notes = [*map(str, display.notes), f"{paper.say('Source')}: {display.source}. {paper.stamp}"]
    lines = [f"\\pard\\plain\\f0{_size(SMALL)}\\ql {escape_rtf(note)}\\par\n" for note in notes]
    return f"\\pard\\plain\\f0\\fs8\\brdrt{_RULE}\\par\n" + "".join(lines)


def _headings(grid: Grid, widths: Sequence[float]) -> str:
    edges = list(accumulate(widths))
    cells = "".join(f"\\clbrdrt{_RULE}\\clbrdrb{_RULE}\\clvertalb\\cellx{_twips(edge)}" for edge in edges)
    texts = "".join(
        f"\\pard\\plain\\intbl\\f0{_size(SIZE)}{_side(grid, at)}\\b {escape_rtf(head)}\\cell\n" for at, head in enumerate(grid.head)
    )
    return f"\\trowd\\trqc\\trgaph60\\trkeep{cells}\n{texts}\\row\n"


def _side(grid: Grid, at: int) -> str:
    return "\\qr" if at in grid.numeric else "\\ql"


def _row(grid: Grid, at: int, widths: Sequence[float]) -> str:
    row, heads = grid.rows[at], at in grid.group
    bold, keep = ("\\b ", "\\keepn") if heads else ("", "")
    if heads and not any(row[1:]):
        start = f"\\trowd\\trqc\\trgaph60\\trkeep\\cellx{_twips(sum(widths))}\n"
        return f"{start}\\pard\\plain\\intbl\\keepn\\f0{_size(SIZE)}\\ql\\b {escape_rtf(str(row[0]))}\\cell\\row\n"
    indent = "\\li160" if grid.group and not heads else ""
    cells = "".join(f"\\cellx{_twips(edge)}" for edge in accumulate(widths))
    texts = "".join(
        f"\\pard\\plain\\intbl{keep}\\f0{_size(SIZE)}{_side(grid, k)}{indent if not k else ''}{bold or ' '}{escape_rtf(str(words))}\\cell\n"
        for k, words in enumerate(row)
    )
    return f"\\trowd\\trqc\\trgaph60\\trkeep{cells}\n{texts}\\row\n"


def _picture(png: bytes, picture: Picture) -> str:
    return f"\\pard\\plain\\qc{{\\pict\\pngblip\\picwgoal{_twips(picture.width)}\\pichgoal{_twips(picture.height)}\n{png.hex()}}}\\par\n"
