"""What stands in a file that nobody has described? Its tables as grids of cells, whatever kind of file it is."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cartrial.errors import InputError
from cartrial.sdtm.mapping.raw import Raw, read_delimited
from cartrial.sdtm.mapping.sheet import cell_text, column_letter
from cartrial.sdtm.mapping.workbook import open_workbook

__all__ = ["Cell", "Grid", "Stack", "read_grids"]

_BOOKS, _TEXTS = (".xlsx", ".xlsm"), (".csv", ".tsv", ".txt")
# how old workbooks and encrypted ones begin; they are no archives
_COMPOUND = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Cell:
    """A cell: its row, its value, the text that a mapping file names it by, and whether it is shown as a percentage."""

    row: int
    value: Any
    text: str
    percent: bool = False

    @property
    def number(self) -> float | None:
        """Its number as it is shown (rules, A13); None where it is a text, a date or a flag."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return None
        return float(f"{self.value * 100:.15g}") if self.percent else float(self.value)

    @property
    def is_date(self) -> bool:
        """Whether the file itself says that it is a date."""
        return isinstance(self.value, dt.date)


@dataclass
class Grid:
    """A sheet.

    Parameters
    ----------
    file, sheet : str
        Name of the file, and of the sheet (empty of a text file).
    columns : dict of int to dict of int to Cell
        Cells that are not blank, by column and row; a merged area has its value in each row of its first column.
    width, last_row : int
    merged : list of tuple
        First row, first column, last row, last column.
    unstored : set of (int, int)
        Formulas of which the file holds no value.
    unseen : tuple of int
        Rows that the file does not show.
    hidden, from_1904 : bool
        Whether the sheet is not shown, and whether its day numbers count from 1904.
    """

    file: str
    sheet: str
    columns: dict[int, dict[int, Cell]] = field(default_factory=dict)
    width: int = 0
    last_row: int = 0
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    unstored: set[tuple[int, int]] = field(default_factory=set)
    hidden: bool = False
    unseen: tuple[int, ...] = ()
    from_1904: bool = False

    @property
    def name(self) -> str:
        """How the table is called to people."""
        return f"sheet '{self.sheet}'" if self.sheet else self.file

    @property
    def lead(self) -> str:
        """How a message begins that already names the file: with the sheet, where there are sheets."""
        return f"sheet '{self.sheet}', " if self.sheet else ""

    def row(self, number: int) -> dict[int, Cell]:
        """Return the cells of a row by column."""
        return {column: cells[number] for column, cells in sorted(self.columns.items()) if number in cells}

    def at(self, row: int) -> dict[str, Any]:
        """Return the file and the row that a message names."""
        return {"file": self.file, "row": row}

    def place(self, column: int, row: int) -> str:
        """Return how a cell is called."""
        return f"{column_letter(column)}{row}"


# rows of one sheet in a stack of them, at most
_FAR = 10_000_000


class Stack(Grid):
    """Several sheets of the same columns, one below the other: the rows of each are moved, and told by its name."""

    def __init__(self, grids: list[Grid]) -> None:
        super().__init__(grids[0].file, "", from_1904=any(grid.from_1904 for grid in grids))
        self.grids = grids

    @staticmethod
    def moved(number: int, cell: Cell) -> Cell:
        """Return a cell of a sheet as one of the stack."""
        return replace(cell, row=cell.row + number * _FAR)

    @property
    def name(self) -> str:
        """How the sheets are called to people."""
        return " and ".join(grid.name for grid in self.grids)

    def at(self, row: int) -> dict[str, Any]:
        """Return the file with its sheet, and the row in it."""
        return {"file": f"{self.file}, {self.grids[row // _FAR].name}", "row": row % _FAR}

    def place(self, column: int, row: int) -> str:
        """Return how a cell is called."""
        return f"{column_letter(column)}{row % _FAR} of {self.grids[row // _FAR].name}"


def read_grids(path: Path) -> tuple[list[Grid], bytes, str]:
    """Read every sheet of a file, and return its bytes as they are to be kept, text in UTF-8, and the encoding that was guessed.

    Raises
    ------
    InputError
        If it is not there, empty, of an old kind, encrypted, damaged, or no table.
    """
    if not path.exists():
        raise InputError("the file is not there", file=str(path), right="Name the spreadsheet, an .xlsx or .csv file")
    if path.is_dir():
        raise InputError("this is a folder", file=str(path), right="Name the spreadsheet in it, an .xlsx or .csv file")
    kind = path.suffix.lower()
    content = path.read_bytes()
    if not content.strip():
        raise InputError("the file is empty", file=path.name, right="Name the file that holds the data")
    if kind == ".xls" and not content.startswith(b"PK"):
        raise InputError("this is a workbook of the old kind (.xls)", file=path.name, right="Open it and save it as .xlsx")
    if kind not in (*_BOOKS, *_TEXTS):
        raise InputError(f"files of the kind '{kind or path.name}' are not read", file=path.name, right="Save the table as .xlsx or .csv")
    encoding = ""
    if kind in _BOOKS:
        if content.startswith(_COMPOUND):
            what = "the workbook is encrypted, or of the old kind"
            raise InputError(what, file=path.name, right="Open it, remove the password, and save it as .xlsx")
        book = open_workbook(path.name, content)
        grids = []
        for title in book.sheets:
            grid = _grid(path.name, book.read(title, looks=False, below=0))
            grid.hidden, grid.from_1904 = title in book.hidden, book.from_1904
            grids.append(grid)
    else:
        content, encoding = _as_utf8(path.name, content)
        raw = read_delimited(path.name, content)
        grids = [_grid(path.name, raw)]
    if not any(grid.columns for grid in grids):
        raise InputError("the file holds no cell with a value", file=path.name, right="Name the file that holds the data")
    return grids, content, encoding


def _as_utf8(name: str, content: bytes) -> tuple[bytes, str]:
    """Return a text in UTF-8, whatever program of whichever country wrote it, and the encoding where it had to be guessed."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16").encode("utf-8"), ""
    if b"\0" in content:
        raise InputError("the file holds bytes that are no text", file=name, right="Save it as CSV UTF-8")
    try:
        content.decode("utf-8")
        return content, ""
    except UnicodeDecodeError:
        pass
    # letters of Chinese are two high bytes each, and stand together; those of western languages stand alone
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", content)]
    together = sum(length for length in runs if length > 1) > 0.8 * sum(runs)
    for encoding in ("gb18030", "cp1252") if together else ("cp1252",):
        try:
            return content.decode(encoding).encode("utf-8"), {"gb18030": "GB 18030", "cp1252": "Windows-1252"}[encoding]
        except UnicodeDecodeError:
            continue
    raise InputError("the letters of the file are in no encoding that is known", file=name, right="Save it as CSV UTF-8")


def _grid(file: str, raw: Raw) -> Grid:
    grid = Grid(
        file,
        raw.title,
        width=raw.width,
        last_row=raw.last_row,
        merged=list(raw.merged),
        unstored=set(raw.unstored),
        unseen=tuple(raw.hidden),
    )
    for row, column, value in raw.cells:
        percent = (row, column) in raw.percents
        shown = float(f"{value * 100:.15g}") if percent and not isinstance(value, bool) else value
        if text := cell_text(shown):
            grid.columns.setdefault(column, {})[row] = Cell(row, value, text, percent)
    for top, left, bottom, _ in raw.merged:
        if (cell := grid.columns.get(left, {}).get(top)) is not None:
            for row in range(top + 1, bottom + 1):
                grid.columns[left][row] = Cell(row, cell.value, cell.text, cell.percent)
    if not any(isinstance(cell.value, int | float | dt.date) for cells in grid.columns.values() for cell in cells.values()):
        _with_numbers(grid)
    return grid


def _with_numbers(grid: Grid) -> None:
    """Give the cells of a text file their numbers: it does not tell them from texts."""
    for cells in grid.columns.values():
        for row, cell in cells.items():
            try:
                number = float(cell.text)
            except ValueError:
                continue
            if number == number and abs(number) != float("inf") and not cell.text.lower().startswith(("inf", "nan")):
                cells[row] = Cell(row, int(number) if number.is_integer() and "." not in cell.text else number, cell.text)
