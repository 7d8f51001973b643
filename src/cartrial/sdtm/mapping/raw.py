"""What is a table before its headers are known? Its cells by row and column, and what was seen of them; and how is a CSV file one?"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

from cartrial.errors import InputError
from cartrial.sdtm.forms.text import decoded

__all__ = ["Raw", "read_delimited"]


@dataclass
class Raw:
    """A table as a file holds it.

    Parameters
    ----------
    title : str
        Name of the sheet, empty for a text file.
    cells : list of (int, int, value)
        Row, column and value of each cell that is not blank, by row and column.
    width, last_row : int
        The last column with a value, and the last row that the file knows of.
    percents : set of (int, int)
        Cells whose number format is a percentage.
    hidden : list of int
        Rows that are not shown.
    styled, comments, unstored, merged : list
        Colours, comments, formulas without a stored value, merged areas (first row, first column, last row, last column).
    """

    title: str = ""
    cells: list[tuple[int, int, Any]] = field(default_factory=list)
    width: int = 0
    last_row: int = 0
    percents: set[tuple[int, int]] = field(default_factory=set)
    styled: list[tuple[int, int, str | None, str | None]] = field(default_factory=list)
    comments: list[tuple[int, int, str]] = field(default_factory=list)
    unstored: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)


def read_delimited(name: str, content: bytes) -> Raw:
    """Return a text file with commas, semicolons or tabs between its values.

    Raises
    ------
    InputError
        If it is no text, or a row is longer or shorter than the first one. A byte that is no UTF-8 is marked (`cartrial.sdtm.forms.text`).
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("the text is UTF-16, not UTF-8", file=name, right="Save the file as CSV UTF-8")
    text = decoded(content.removeprefix(b"\xef\xbb\xbf"))
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError("the file holds bytes that are no text", file=name, row=line, right="Save it as CSV UTF-8")
    first = text.partition("\n")[0]
    raw = Raw()
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count)), start=1):
            if number == 1:
                raw.width = len(row)
            elif row and len(row) != raw.width:
                what = f"this row has {len(row)} values and the first one has {raw.width}"
                raise InputError(what, file=name, row=number, right="Quote values that hold the separator")
            raw.cells += [(number, column, value) for column, value in enumerate(row, start=1) if value.strip()]
            raw.last_row = number
    except csv.Error as error:
        raise InputError(f"the row cannot be read ({error})", file=name, row=raw.last_row + 1, right="Quotes are closed") from None
    return raw
