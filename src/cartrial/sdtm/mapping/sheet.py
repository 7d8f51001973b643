"""What stands in a spreadsheet? Its cells as one long table, with headers, comments and colours."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.forms.text import MARKED, marked_byte, shown, shown_text
from cartrial.sdtm.mapping.model import Mapping, Table
from cartrial.sdtm.mapping.parts import Column, Columns
from cartrial.sdtm.mapping.raw import Raw, read_delimited
from cartrial.sdtm.mapping.spelt import NUMBERS, with_numbers
from cartrial.sdtm.mapping.workbook import Workbook, open_workbook
from cartrial.yamlfile import nearest

__all__ = ["Sheet", "cell_text", "column_letter", "letter_column", "place_of", "read_sheets", "runs"]

# what a spreadsheet program shows in place of a value that it could not work out
_ERROR = re.compile(r"#(N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)")
# Excel holds 32,767 characters in a cell. Unit: characters, of all cells together.
_LONGEST, _TEXTS = 32_767, 200_000_000


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
        KIND (`number`, `text`, `date`, `flag`, `error`), PCT, SIGN, LIMIT (`cartrial.sdtm.mapping.spelt`). TEXT of a whole number has no
        decimals; of a date it is ISO 8601. The number of a cell that is shown as a percentage is the stored one × 100.
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
    merged : tuple of (int, int, int, int)
        Merged areas below the headers: first row, first column, last row, last column. The value stands in each row of its column.
    table, long, offset : str, bool, int
        Its name in the mapping, whether a subject has several rows, and what its rows have more in the records' ROW.
    undecoded : tuple of (int, int, int)
        Row, column and byte of each cell with a byte that is no UTF-8 text; it is shown as a sign that is not known.
    beside : tuple of str
        Sheets of its file that no table reads; said of the first table of a file.
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
    merged: tuple[tuple[int, int, int, int], ...] = ()
    table: str = ""
    long: bool = False
    offset: int = 0
    undecoded: tuple[tuple[int, int, int], ...] = ()
    beside: tuple[str, ...] = ()

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


def place_of(sheets: dict[str, Sheet], row: int) -> tuple[str, int]:
    """Return the file and the row in it of a ROW of the records, which goes on from one table to the next."""
    sheet = next(sheet for sheet in reversed(sheets.values()) if row > sheet.offset)
    return sheet.file, row - sheet.offset


def read_sheets(mapping: Mapping, data_folder: str | Path) -> dict[str, Sheet]:
    """Read the sheets that a mapping names.

    Parameters
    ----------
    mapping : Mapping
    data_folder : str or Path
        The folder that holds its files; nothing outside it is read.

    Returns
    -------
    dict of str to Sheet
        By the name of the table; a mapping with one `table` has it under the empty name.

    Raises
    ------
    InputError
        If a file or a sheet is missing, stands outside the folder, or cannot be read.
    """
    books: dict[str, Workbook] = {}
    contents: dict[str, bytes] = {}
    several = [table.file for table in mapping.named.values()]
    sheets: dict[str, Sheet] = {}
    for name, table in mapping.named.items():
        at = ("tables", name) if name else ("table",)
        if table.file not in contents:
            contents[table.file] = _content(mapping, table, Path(data_folder), at)
        content = contents[table.file]
        if Path(table.file).suffix.lower() in (".xlsx", ".xlsm"):
            if table.file not in books:
                books[table.file] = open_workbook(table.file, content)
            title = _title(mapping, table, books[table.file], at)
            looks = any(check.check == "marked" for check in mapping.checks)
            raw = books[table.file].read(title, looks=looks, below=table.header[-1])
        else:
            raw = read_delimited(table.file, content)
        label = f"{table.file} [{raw.title or name}]" if several.count(table.file) > 1 else Path(table.file).name
        offset = sum(sheet.last_row for sheet in sheets.values())
        sheets[name] = _sheet(mapping, name, label, hashlib.sha256(content).hexdigest(), raw, offset)
    for file, book in books.items():
        first, *_ = own = [name for name, table in mapping.named.items() if table.file == file]
        left = [title for title in book.sheets if title not in {sheets[name].name for name in own}]
        sheets[first] = replace(sheets[first], beside=tuple(left))
    return sheets


def _content(mapping: Mapping, table: Table, folder: Path, at: tuple[str, ...]) -> bytes:
    """Return the bytes of a table's file, which stands in the data folder or below it."""
    path = folder / table.file
    inside = folder.resolve()
    if Path(table.file).is_absolute() or not path.resolve().is_relative_to(inside):
        raise mapping.error(
            f"the file {table.file} stands outside the data folder", *at, "file", right="Put it into the folder given as --data"
        )
    if not path.is_file():
        others = sorted(file.name for file in folder.glob(f"*{path.suffix}")) if folder.is_dir() else []
        raise InputError(
            "the mapping reads this file, and it is not in the data folder",
            file=table.file,
            right=f"The folder {folder} holds: {', '.join(others[:5]) or 'no such file'}",
        )
    if path.suffix.lower() not in (".xlsx", ".xlsm", ".csv", ".txt", ".tsv"):
        raise mapping.error(
            f"files of the kind '{path.suffix}' are not read through a mapping", *at, "file", right="Save it as .xlsx or .csv"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", file=table.file, right="Check that you may read it") from None


def _title(mapping: Mapping, table: Table, book: Workbook, at: tuple[str, ...]) -> str:
    shown = ", ".join(book.sheets[:6])
    if table.sheet is None and len(book.sheets) > 1:
        raise mapping.error(f"{book.name} has {len(book.sheets)} sheets", *at, right=f"Name one with sheet: {shown}")
    if table.sheet is not None and table.sheet not in book.sheets:
        raise mapping.error(f"{book.name} has no sheet '{table.sheet}'", *at, "sheet", right=f"Its sheets are: {shown}")
    if not book.sheets:
        raise InputError("the workbook has no sheet of cells", file=book.name, right="Save the sheet that holds the data")
    return table.sheet or book.sheets[0]


def _sheet(mapping: Mapping, name: str, file: str, sha256: str, raw: Raw, offset: int) -> Sheet:
    table = mapping.named[name]
    if raw.last_row <= table.header[-1]:
        raise InputError(f"there is no row below header row {table.header[-1]}", file=file, right="Give the header rows in table.header")
    if raw.width == 0:
        raise InputError("the sheet is empty", file=file, right="Name the sheet that holds the data")
    first, last = table.first_row or table.header[-1] + 1, table.last_row or raw.last_row
    merged = [area for area in raw.merged if area[0] >= first and area[0] <= last]
    held = [
        (row, column, value) for row, column, value in _filled(raw.cells, merged) if first <= row <= last and row not in table.skip_rows
    ]
    flat = [
        (row, column, *known)
        for row, column, value in held
        if (known := _cell(value, (row, column) in raw.percents, file, row, column)) is not None
    ]
    if sum(len(cell[2]) for cell in flat) > _TEXTS:
        raise InputError("the sheet holds more text than a table of a trial does", file=file, right="Leave out the columns of long texts")
    schema = {"ROW": pl.Int64, "COL": pl.Int32, "TEXT": pl.String, "NUM": pl.Float64, "KIND": pl.String, "PCT": pl.Boolean}
    cells = pl.DataFrame(flat, schema=schema, orient="row")
    bad = cells.filter(pl.col("TEXT").str.contains(MARKED)).select("ROW", "COL", "TEXT").rows()
    cells = cells.with_columns(shown(pl.col("TEXT"))) if bad else cells
    marks = pl.DataFrame(raw.styled, schema={"ROW": pl.Int64, "COL": pl.Int32, "FILL": pl.String, "FONT": pl.String}, orient="row")
    return Sheet(
        file,
        raw.title,
        sha256,
        _headers(raw, table.header),
        table.header,
        with_numbers(cells, table.decimal or mapping.decimal).select("ROW", "COL", "TEXT", "KIND", *NUMBERS),
        marks,
        tuple(raw.comments),
        tuple(raw.unstored),
        raw.last_row,
        bool(raw.title),
        tuple(merged),
        name,
        table.long,
        offset,
        tuple((row, column, marked_byte(text)) for row, column, text in bad),
    )


def _filled(cells: list[tuple[int, int, object]], merged: list[tuple[int, int, int, int]]) -> list[tuple[int, int, object]]:
    """Return cells with the value of each merged area in every row of its first column, where a reader sees it."""
    if not merged:
        return cells
    held = {(row, column): value for row, column, value in cells}
    for top, left, bottom, _ in merged:
        if (top, left) in held:
            held |= {(row, left): held[top, left] for row in range(top + 1, bottom + 1)}
    return sorted(((row, column, value) for (row, column), value in held.items()), key=lambda cell: cell[:2])


def _headers(raw: Raw, header_rows: tuple[int, ...]) -> dict[int, tuple[str, ...]]:
    wanted = set(header_rows)
    held = {(row, column): value for row, column, value in raw.cells if row in wanted}
    carried = [""] * len(header_rows)
    headers: dict[int, tuple[str, ...]] = {}
    for column in range(1, raw.width + 1):
        for level, row in enumerate(header_rows):
            value = held.get((row, column))
            text = "" if value is None else " ".join(shown_text(cell_text(value)).split())
            if text:
                carried[level:] = [text] + [""] * (len(header_rows) - level - 1)
            elif level == len(header_rows) - 1:
                carried[level] = ""
        headers[column] = tuple(carried)
    return headers


def _cell(value: object, percent: bool, file: str, row: int, column: int) -> tuple[str, float | None, str, bool] | None:
    """Return text, number, kind of a cell, and whether it is shown as a percentage; None for one that looks blank."""
    if percent and isinstance(value, int | float):
        # rounded as the spreadsheet program does: 0.07 is 7 %, not 7.000000000000001
        value = float(f"{value * 100:.15g}")
    text = cell_text(value)
    if not text:
        return None
    if len(text) > _LONGEST:
        raise InputError(
            f"the cell holds {len(text)} characters", file=file, row=row, key=f"{column_letter(column)}{row}", right="Shorten it"
        )
    if isinstance(value, bool):
        return text, None, "flag", False
    if isinstance(value, int | float):
        return text, float(value), "number", percent
    if isinstance(value, dt.date | dt.time):
        return text, None, "date", False
    return text, None, "error" if _ERROR.fullmatch(text) else "text", False


def cell_text(value: object) -> str:
    """Return the text of a cell as a mapping file names it: a whole number without decimals, a date as ISO 8601."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value).strip()
