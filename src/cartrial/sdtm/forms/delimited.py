"""How is a CSV or TSV file read? As text, UTF-8, one record a row, every row as long as the header; and how is a CSV file written?"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.forms.text import decoded

__all__ = ["csv_bytes", "read_csv_table"]


def read_csv_table(data: bytes, file: str, *, separator: str = ",", marked: bool = False) -> pl.DataFrame:
    """Return a CSV file as a frame of text columns.

    Parameters
    ----------
    data : bytes
        The file's bytes: UTF-8, with or without a byte order mark, comma between values, quotes as in RFC 4180.
    file : str
        File name, for messages.
    separator : str
        A comma, or a tab.
    marked : bool
        Mark bytes that are no UTF-8 text (`cartrial.sdtm.forms.text`) in place of refusing them.

    Returns
    -------
    polars.DataFrame
        Text columns named as in the header.

    Raises
    ------
    InputError
        If the file is empty, no UTF-8 text, cut off, or a row is longer or shorter than the header.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("the text is UTF-16, not UTF-8", file=file, right="Save the file as CSV UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise InputError("the file is empty", file=file, right="The first row names the variables, each further row is a record")
    if b"\x00" in data:
        row = data.count(b"\n", 0, data.index(b"\x00")) + 1
        raise InputError("the file holds bytes that are no text", file=file, row=row, right="It is a CSV file in UTF-8")
    try:
        return _table(data.decode("utf-8"), file, separator)
    except UnicodeDecodeError as error:
        bad = _not_utf8(data, error, file)
    if not marked:
        raise bad
    try:
        return _table(decoded(data), file, separator)
    except InputError:
        raise bad from None  # no table in any encoding


def _table(text: str, file: str, separator: str) -> pl.DataFrame:
    header, body = _header(text, file, separator)
    if '"' not in text and "\r" not in text.replace("\r\n", ""):
        frame = _plain(body, header, file, separator)
        if frame is not None:
            return frame
    return _quoted(text, header, file, separator)


def _not_utf8(data: bytes, error: UnicodeDecodeError, file: str) -> InputError:
    before = data[: error.start]
    row = before.count(b"\n") + 1
    names = _cells(data.split(b"\n", 1)[0])
    position = len(_cells(before[before.rfind(b"\n") + 1 :])) - 1
    column = names[position].strip() if row > 1 and position < len(names) else f"column {position + 1}"
    byte = data[error.start]
    return InputError(
        f"the byte {byte:#04x} is not UTF-8 text; the file looks like Latin-1 (Windows) text",
        file=file,
        row=row,
        key=column,
        right="Save the file as CSV UTF-8",
    )


def _cells(line: bytes) -> list[str]:
    """Return the cells of a line, as far as they can be told apart."""
    text = line.decode("latin-1").strip("\r")
    try:
        return next(csv.reader([text]), [""])
    except csv.Error:
        return text.split(",")


def _header(text: str, file: str, separator: str) -> tuple[list[str], str]:
    stream = io.StringIO(text, newline="")
    try:
        header = next(csv.reader(stream, strict=True, delimiter=separator))
    except (csv.Error, StopIteration) as error:
        raise InputError(f"the header row cannot be read ({error})", file=file, row=1, right="The first row names the variables") from None
    if len(header) == 1:
        for sign, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars"), (",", "commas")):
            if sign in header[0]:
                wanted = "commas" if separator == "," else "tabs"
                raise InputError(
                    f"the columns are separated by {word}", file=file, row=1, right=f"Save the file with {wanted} between the columns"
                )
    if not any(name.strip() for name in header):
        raise InputError("the header row is blank", file=file, row=1, right="The first row names the variables")
    return header, text[stream.tell() :]


def _plain(body: str, header: list[str], file: str, separator: str) -> pl.DataFrame | None:
    """Read rows without quotes; None when a row's length differs from the header's."""
    names = [f"c{i}" for i in range(len(header))]
    if not body.strip():
        return _frame(header, [[] for _ in header], file)
    try:
        schema = dict.fromkeys(names, pl.String)
        frame = pl.read_csv(body.encode(), has_header=False, new_columns=names, schema=schema, quote_char=None, separator=separator)
    except pl.exceptions.PolarsError:
        return None
    lines = body.count("\n") + (not body.endswith("\n"))
    if frame.height != lines or body.count(separator) != lines * (len(header) - 1):
        return None
    return _frame(header, frame.get_columns(), file)


def _quoted(text: str, header: list[str], file: str, separator: str) -> pl.DataFrame:
    records: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    try:
        for record in reader:
            if len(record) != len(header) and any(record):
                raise InputError(
                    f"the row has {len(record)} values, the header {len(header)}",
                    file=file,
                    row=len(records) + 1,
                    right="Each row has as many values as the header; a value with a comma stands in quotes; a file cut off is sent again",
                )
            records.append(record if len(record) == len(header) else [""] * len(header))
    except csv.Error as error:
        raise InputError(
            f"the row cannot be read ({error})",
            file=file,
            row=len(records) + 1,
            right="Quotes are closed, and a quote inside a value is doubled",
        ) from None
    return _frame(header, [list(column) for column in zip(*records[1:], strict=True)] or [[] for _ in header], file)


def _frame(header: list[str], columns: Sequence[Sequence[str] | pl.Series], file: str) -> pl.DataFrame:
    """Return columns under the header; one without a name must be blank. Names that are there twice are left to the caller to refuse."""
    series = []
    for position, (name, column) in enumerate(zip(header, columns, strict=True)):
        values = pl.Series(name if header.index(name) == position else f"{name}{' ' * position}", column, dtype=pl.String)
        if name.strip():
            series.append(values)
        elif (values.str.strip_chars() != "").any():
            raise InputError(
                f"column {position + 1} has no name", file=file, row=1, right="Each column has an SDTM variable name in the header row"
            )
    return pl.DataFrame(series)


def csv_bytes(frame: pl.DataFrame) -> bytes:
    """Return a frame as CSV: UTF-8, line feeds, a blank for a missing value, a whole number without a decimal point."""
    # a study day is 29 and not 29.0, and none is -0
    numbers = pl.selectors.float().cast(pl.String).str.strip_suffix(".0").str.replace("^-0$", "0")
    return frame.with_columns(numbers).write_csv(line_terminator="\n", null_value="").encode("utf-8")
