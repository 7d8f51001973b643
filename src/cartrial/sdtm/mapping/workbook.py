"""What does a workbook hold? Its cells, as far as a workbook of trial data can go, and what its look says of them."""

from __future__ import annotations

import gc
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.sdtm.mapping.raw import Raw

__all__ = ["Workbook", "open_workbook"]

_PLAIN = frozenset({"FF000000", "FFFFFFFF", "00000000", "00FFFFFF"})
_BOILERPLATE = "Comment:\n"
_NO_VALUE = re.compile(rb"(?:</f>|<f\b[^>]*/>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
_CELL, _AREA = (
    re.compile(rb"<(?:\w+:)?c[ />]"),
    re.compile(rb"<(?:\w+:)?(?:mergeCell|hyperlink)\b[^>]*?\bref=[\"']\$?([A-Z]+)\$?(\d+)(?::\$?([A-Z]+)\$?(\d+))?[\"']"),
)
# Cells and rows that hold nothing but a format; cells and rows that do not say where they stand, so that none before them may go.
_EMPTY, _EMPTY_ROW = re.compile(rb"<c r=\"[A-Z]+\d+\"(?: [^>]*)?/>"), re.compile(rb"<row [^>]*(?:/>|>\s*</row>)")
_UNPLACED, _ROW = re.compile(rb"<(?:c|row)(?: (?!r=)[^>]*|)>"), re.compile(rb"<row r=\"(\d+)\"")
_BLANKS = 50_000
# Parts of a number format that are shown as they are: quoted and escaped signs, blanks, conditions and colours.
_LITERAL = re.compile(r"\"[^\"]*\"|\\.|_.|\*.|\[[^\]]*\]")
# The 59 patients with 629 columns have 37,000 cells and unpack to 3 MB. Units: cells, bytes.
CELLS, BYTES = 2_000_000, 256 * 2**20
_CHUNK = 2**20
# What reading an archive ends in whose directory, packing or checksum is broken, or that is packed as no workbook is.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, NotImplementedError, RuntimeError, ValueError),
)


class Workbook:
    """An .xlsx file, read once for all the tables that stand in it.

    `hidden` are the sheets that are not shown; `from_1904` says whether its day numbers count from 1904.
    """

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content
        self._without_value, blank = _bounded(name, content)
        self._last: dict[int, int] = {}
        if blank > _BLANKS:
            try:
                self.content = content = self._lightened(content)
            except _BROKEN as error:
                raise _unread(name) from error
        self._book = _load(name, content)
        self.sheets: list[str] = [sheet.title for sheet in self._book.worksheets]
        self.hidden: list[str] = [sheet.title for sheet in self._book.worksheets if sheet.sheet_state != "visible"]
        self.from_1904 = self._book.epoch.year == 1904

    def read(self, title: str, *, looks: bool, below: int) -> Raw:
        """Return the cells of a sheet; with `looks`, the colours of those below row `below` too."""
        sheet = self._book[title]
        raw = Raw(
            title=title, unstored=self._unstored(title), last_row=max(sheet.max_row, self._last.get(self.sheets.index(title), 0)), width=0
        )
        styles: dict[int, tuple[str | None, str | None]] = {}
        percents: dict[str, bool] = {}
        for (row, column), cell in sorted(sheet._cells.items()):
            value = cell.value
            comment = getattr(cell, "comment", None)
            if comment:
                raw.comments.append((row, column, str(comment.text).split(_BOILERPLATE)[-1].strip()))
            if value is not None:
                raw.cells.append((row, column, value))
                raw.width = max(raw.width, column)
                shown = cell.number_format
                if shown not in percents:
                    percents[shown] = "%" in _LITERAL.sub("", shown)
                if percents[shown] and isinstance(value, int | float) and not isinstance(value, bool):
                    raw.percents.add((row, column))
            if not looks or row <= below or not hasattr(cell, "style_id"):
                continue
            style = cell.style_id
            if style not in styles:
                fill = _colour(cell.fill.fgColor) if cell.fill.fill_type else None
                styles[style] = (fill, _colour(cell.font.color))
            if styles[style] != (None, None):
                raw.styled.append((row, column, *styles[style]))
        raw.hidden += sorted(row for row, shown in sheet.row_dimensions.items() if shown.hidden)
        raw.merged += [(area.min_row, area.min_col, area.max_row, area.max_col) for area in sheet.merged_cells.ranges]
        return raw

    def _lightened(self, content: bytes) -> bytes:
        """Return the workbook without cells that hold a format alone: a column formatted to its end has a million of them."""
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
            for part in old.namelist():
                text = old.read(part)
                found = re.fullmatch(r"xl/worksheets/sheet(\d+)\.xml", part)
                if found and not _UNPLACED.search(text):
                    rows = [int(row) for row in _ROW.findall(text)]
                    self._last[int(found[1]) - 1] = max(rows, default=0)
                    text = _EMPTY_ROW.sub(b"", _EMPTY.sub(b"", text))
                new.writestr(part, text)
        return out.getvalue()

    def _unstored(self, title: str) -> list[tuple[int, int]]:
        """Return row and column of the formulas of a sheet whose value was never stored in the file."""
        if not self._without_value:
            return []
        formulas, values = _load(self.name, self.content, values=False)[title]._cells, self._book[title]._cells
        return sorted(place for place, cell in formulas.items() if cell.data_type == "f" and values[place].value is None)


def open_workbook(name: str, content: bytes) -> Workbook:
    """Return a workbook.

    Raises
    ------
    InputError
        If it cannot be read, or holds more than data of trials do: cells, merged or linked areas, bytes once unpacked.
    """
    return Workbook(name, content)


def _load(name: str, content: bytes, *, values: bool = True) -> Any:
    openpyxl = require("openpyxl", extra="formats")
    collecting = gc.isenabled()
    gc.disable()  # a third of the time of loading is the collector's, looking through cells that all stay
    try:
        return openpyxl.load_workbook(io.BytesIO(content), data_only=values)
    except Exception as error:
        what = f"this is not a workbook that can be read: {error}"
        raise InputError(what, file=name, right="Save it anew as .xlsx, without a password") from error
    finally:
        if collecting:
            gc.enable()


def _bounded(name: str, content: bytes) -> tuple[bool, int]:
    """Refuse a workbook that would fill the memory, before it is loaded.

    Returns whether a formula in it has no stored value, and how many cells hold a format alone.
    """
    cells = area = blank = 0
    without = False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > BYTES:
                what = f"the workbook unpacks to more than {BYTES // 2**20} MB"
                raise InputError(what, file=name, right="Keep the sheets that the mapping reads, or save them as CSV")
            for part in parts.namelist():
                if not (part.startswith("xl/worksheets/") and part.endswith(".xml")):
                    continue
                for text in _chunks(parts, part):
                    cells += len(_CELL.findall(text))
                    blank += len(_EMPTY.findall(text))
                    area += sum(_size(*found) for found in _AREA.findall(text))
                    without = without or bool(_NO_VALUE.search(text))
                    if cells + area > CELLS:
                        what = f"the workbook has more than {CELLS} cells, or areas that are merged or linked"
                        raise InputError(
                            what, file=name, right="Delete the rows and columns that hold formats alone, or save the sheet as CSV"
                        )
    except _BROKEN as error:
        if isinstance(error, InputError):
            raise
        raise _unread(name) from error
    return without, blank


def _unread(name: str) -> InputError:
    return InputError("this is not a workbook that can be read", file=name, right="Save it anew as .xlsx, without a password")


def _chunks(parts: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Return a part piece by piece, each ending with a whole element."""
    left = b""
    with parts.open(part) as stream:
        while more := stream.read(_CHUNK):
            text = left + more
            end = text.rfind(b"</c>") + 4 if b"</c>" in text[-_CHUNK:] else text.rfind(b">") + 1
            left = text[end:]
            yield text[:end]
    yield left


def _size(left: bytes, top: bytes, right: bytes, bottom: bytes) -> int:
    if not right:
        return 1
    return (_column(right) - _column(left) + 1) * (int(bottom) - int(top) + 1)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters[:4]:
        number = number * 26 + letter - 64
    return number


def _colour(colour: Any) -> str | None:
    return colour.rgb if colour is not None and colour.type == "rgb" and colour.rgb not in _PLAIN else None
