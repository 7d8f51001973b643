"""What stands in a spreadsheet? Its cells as one long table, with headers, comments and colours."""

from __future__ import annotations

import csv
import datetime as dt
import gc
import hashlib
import io
import math
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.sdtm.mapping.model import Mapping
from cartrial.sdtm.mapping.parts import Column, Columns
from cartrial.yamlfile import nearest

__all__ = ["Sheet", "column_letter", "letter_column", "read_sheet", "runs"]

_PLAIN = frozenset({"FF000000", "FFFFFFFF", "00000000", "00FFFFFF"})
_BOILERPLATE = "Comment:\n"
_NO_VALUE = re.compile(rb"(?:</f>|<f\b[^>]*/>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")


def column_letter(number: int) -> str:
    """Return the letter of a column, the first being 1: 1 is A, 629 is XE."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def letter_column(letters: str) -> int:
    """Return the number of a column from its letter."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def runs(columns: list[int]) -> str:
    """Return columns by letter, neighbours joined: `A–C, F`."""
    parts: list[list[int]] = []
    for column in sorted(set(columns)):
        if parts and column == parts[-1][1] + 1:
            parts[-1][1] = column
        else:
            parts.append([column, column])
    return ", ".join(column_letter(a) if a == b else f"{column_letter(a)}–{column_letter(b)}" for a, b in parts)


@dataclass(frozen=True)
class Sheet:
    """A sheet as it was read.

    Parameters
    ----------
    file, name, sha256 : str
        File, sheet (empty for csv), digest of the file's bytes.
    headers : dict of int to tuple of str
        For each column (from 1) its headers, top to bottom; blank upper ones carried from the left, blank lowest ones empty.
    header_rows : tuple of int
        The rows of the sheet they stand in.
    cells : polars.DataFrame
        Every cell below the headers that is not blank: ROW Int64, COL Int32, TEXT, NUM Float64 (null if it is no finite number),
        KIND (`number`, `text`, `date`, `flag`). TEXT of a whole number has no decimals; of a date it is ISO 8601.
    marks : polars.DataFrame
        Coloured cells below the headers: ROW, COL, FILL, FONT (AARRGGBB or null). Theme colours, black and white are left out.
    comments : tuple of (int, int, str)
        Row, column and text of each cell comment.
    unstored : tuple of (int, int)
        Row and column of each formula without a stored value: its cell reads as blank.
    last_row : int
        The last row of the sheet, blank ones included.
    typed : bool
        Whether the file tells numbers from text (a csv does not).
    """

    file: str
    name: str
    sha256: str
    headers: dict[int, tuple[str, ...]]
    header_rows: tuple[int, ...]
    cells: pl.DataFrame
    marks: pl.DataFrame
    comments: tuple[tuple[int, int, str], ...]
    unstored: tuple[tuple[int, int], ...]
    last_row: int
    typed: bool

    def label(self, column: int) -> str:
        """Return a column for people: its letter and its headers from the second level on."""
        names = [name for name in self.headers.get(column, ())[-2:] if name]
        return f"{column_letter(column)} ({' / '.join(names)})" if names else f"{column_letter(column)} (blank header)"

    def resolve(self, column: Column, mapping: Mapping, *at: str | int) -> int:
        """Return the number of a column of the mapping file.

        Raises
        ------
        InputError
            If no column, or more than one, is meant.
        """
        if column.letter is not None:
            number = letter_column(column.letter)
            if number in self.headers:
                return number
            last = column_letter(max(self.headers))
            raise mapping.error(
                f"{self._where()} has no column {column.letter}",
                *at,
                right=f"Its columns are A to {last}; a header of up to three capitals is written {{header: {column.letter}}}",
            )
        wanted = tuple(name.strip() for name in column.header)
        found = [number for number, names in self.headers.items() if names[-len(wanted) :] == wanted]
        if column.occurrence is not None and len(found) >= column.occurrence:
            return found[column.occurrence - 1]
        if len(found) == 1 and column.occurrence is None:
            return found[0]
        shown = " / ".join(wanted)
        if not found:
            near = nearest(wanted[-1], sorted({names[-1] for names in self.headers.values()}))
            raise mapping.error(
                f"{self._where()} has no column with the header '{shown}'",
                *at,
                right=f"The nearest is '{near}'" if near else "Give its letter or its exact header",
            )
        letters = ", ".join(column_letter(number) for number in found[:8]) + (" ..." if len(found) > 8 else "")
        what = f"{len(found)} columns have the header '{shown}' ({letters})" + (
            f", so there is no occurrence {column.occurrence}" if column.occurrence else ""
        )
        raise mapping.error(what, *at, right="Give the letter, more of the header path, or which occurrence")

    def resolve_all(self, columns: Columns, mapping: Mapping, *at: str | int) -> list[int]:
        """Return the numbers of several columns of the mapping file."""
        if columns.from_ is None or columns.to is None:
            return [self.resolve(column, mapping, *at) for column in columns.list_]
        first, last = self.resolve(columns.from_, mapping, *at, "from"), self.resolve(columns.to, mapping, *at, "to")
        if last < first:
            raise mapping.error(f"column {columns.to} stands before {columns.from_}", *at, right="Give the left one as from")
        return list(range(first, last + 1))

    def header(self, column: int, row: int, mapping: Mapping, *at: str | int) -> str:
        """Return the header of a column in a header row of the sheet."""
        if row not in self.header_rows:
            raise mapping.error(f"row {row} is no header row", *at, right=f"Header rows are {', '.join(str(r) for r in self.header_rows)}")
        return self.headers[column][self.header_rows.index(row)]

    def _where(self) -> str:
        return f"the sheet '{self.name}' of {self.file}" if self.name else self.file


def read_sheet(mapping: Mapping, data_folder: str | Path) -> Sheet:
    """Read the sheet that a mapping names.

    Parameters
    ----------
    mapping : Mapping
    data_folder : str or Path
        The folder that holds its file.

    Raises
    ------
    InputError
        If the file or the sheet is missing or cannot be read.
    """
    table = mapping.table
    path = Path(data_folder) / table.file
    if not path.is_file():
        others = sorted(file.name for file in Path(data_folder).glob(f"*{path.suffix}")) if Path(data_folder).is_dir() else []
        raise InputError(
            "the mapping reads this file, and it is not in the data folder",
            file=table.file,
            right=f"The folder {data_folder} holds: {', '.join(others[:5]) or 'no such file'}",
        )
    content = path.read_bytes()
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        raw = _read_xlsx(mapping, path.name, content)
    elif path.suffix.lower() in (".csv", ".txt", ".tsv"):
        raw = _Raw(_read_csv(path.name, content))
    else:
        raise mapping.error(
            f"files of the kind '{path.suffix}' are not read through a mapping", "table", "file", right="Save it as .xlsx or .csv"
        )
    return _sheet(mapping, path.name, hashlib.sha256(content).hexdigest(), raw)


@dataclass
class _Raw:
    rows: list[tuple[Any, ...]]
    title: str = ""
    styled: list[tuple[int, int, str | None, str | None]] = field(default_factory=list)
    comments: list[tuple[int, int, str]] = field(default_factory=list)
    unstored: list[tuple[int, int]] = field(default_factory=list)


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


def _unstored(name: str, content: bytes, title: str) -> list[tuple[int, int]]:
    """Return row and column of the formulas of a sheet whose value was never stored in the file."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheets = [part for part in parts.namelist() if part.startswith("xl/worksheets/") and part.endswith(".xml")]
        if not any(_NO_VALUE.search(parts.read(part)) for part in sheets):
            return []
    formulas, values = _load(name, content, values=False)[title], _load(name, content)[title]
    cells = (cell for row in formulas.iter_rows() for cell in row if cell.data_type == "f")
    return [(cell.row, cell.column) for cell in cells if values.cell(cell.row, cell.column).value is None]


def _read_xlsx(mapping: Mapping, name: str, content: bytes) -> _Raw:
    book = _load(name, content)
    table = mapping.table
    if table.sheet is None and len(book.sheetnames) > 1:
        raise mapping.error(
            f"{name} has {len(book.sheetnames)} sheets", "table", right=f"Name one with sheet: {', '.join(book.sheetnames[:6])}"
        )
    if table.sheet is not None and table.sheet not in book.sheetnames:
        raise mapping.error(
            f"{name} has no sheet '{table.sheet}'", "table", "sheet", right=f"Its sheets are: {', '.join(book.sheetnames[:6])}"
        )
    sheet = book[table.sheet] if table.sheet else book.worksheets[0]
    wanted = any(check.check == "marked" for check in mapping.checks)
    raw = _Raw([], sheet.title, unstored=_unstored(name, content, sheet.title))
    looks: dict[int, tuple[str | None, str | None]] = {}
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        raw.rows.append(tuple(cell.value for cell in cells))
        raw.comments.extend((number, cell.column, str(cell.comment.text).split(_BOILERPLATE)[-1].strip()) for cell in cells if cell.comment)
        if not wanted or number <= table.header[-1]:
            continue
        for cell in cells:
            style = cell.style_id
            if style not in looks:
                fill = _colour(cell.fill.fgColor) if cell.fill.fill_type else None
                looks[style] = (fill, _colour(cell.font.color))
            if looks[style] != (None, None):
                raw.styled.append((number, cell.column, *looks[style]))
    return raw


def _colour(colour: Any) -> str | None:
    return colour.rgb if colour is not None and colour.type == "rgb" and colour.rgb not in _PLAIN else None


def _read_csv(name: str, content: bytes) -> list[tuple[Any, ...]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8 text", file=name, right="Save it as UTF-8") from error
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = [
        tuple(value if value.strip() else None for value in row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    ]
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows, start=1):
        if len(row) != width and row:
            raise InputError(
                f"this row has {len(row)} values and the first one has {width}",
                file=name,
                row=number,
                right="Quote values that hold the separator",
            )
    return rows


def _sheet(mapping: Mapping, file: str, sha256: str, raw: _Raw) -> Sheet:
    table, rows = mapping.table, raw.rows
    if len(rows) <= table.header[-1]:
        raise InputError(f"there is no row below header row {table.header[-1]}", file=file, right="Give the header rows in table.header")
    width = max(len(row) for row in rows)
    if width == 0:
        raise InputError("the sheet is empty", file=file, right="Name the sheet that holds the data")
    first = table.first_row or table.header[-1] + 1
    flat: list[tuple[int, int, str, float | None, str]] = []
    for number, row in enumerate(rows[first - 1 : table.last_row], start=first):
        flat.extend(
            (number, column, *known)
            for column, value in enumerate(row, start=1)
            if value is not None and (known := _cell(value)) is not None
        )
    cells = pl.DataFrame(
        flat, schema={"ROW": pl.Int64, "COL": pl.Int32, "TEXT": pl.String, "NUM": pl.Float64, "KIND": pl.String}, orient="row"
    )
    marks = pl.DataFrame(raw.styled, schema={"ROW": pl.Int64, "COL": pl.Int32, "FILL": pl.String, "FONT": pl.String}, orient="row")
    return Sheet(
        file,
        raw.title,
        sha256,
        _headers(rows, table.header, width),
        table.header,
        cells,
        marks,
        tuple(raw.comments),
        tuple(raw.unstored),
        len(rows),
        bool(raw.title),
    )


def _headers(rows: list[tuple[Any, ...]], header_rows: tuple[int, ...], width: int) -> dict[int, tuple[str, ...]]:
    carried = [""] * len(header_rows)
    headers: dict[int, tuple[str, ...]] = {}
    for column in range(1, width + 1):
        for level, row in enumerate(header_rows):
            value = rows[row - 1][column - 1] if column <= len(rows[row - 1]) else None
            text = "" if value is None else " ".join(_text(value).split())
            if text:
                carried[level:] = [text] + [""] * (len(header_rows) - level - 1)
            elif level == len(header_rows) - 1:
                carried[level] = ""
        headers[column] = tuple(carried)
    return headers


def _cell(value: Any) -> tuple[str, float | None, str] | None:
    text = _text(value)
    if not text:
        return None
    if isinstance(value, bool):
        return text, None, "flag"
    if isinstance(value, int | float):
        return text, float(value), "number"
    if isinstance(value, dt.date | dt.time):
        return text, None, "date"
    try:
        number = float(text)
    except ValueError:
        return text, None, "text"
    return text, number if math.isfinite(number) and "_" not in text else None, "text"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value).strip()
