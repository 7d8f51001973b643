"""How is one's own decision table read? Columns n, dlt and decision from CSV or Parquet, every row checked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from cartrial.design.dose.tables import LETTERS, DecisionTable, decision_rows
from cartrial.errors import InputError
from cartrial.files import built_beside
from cartrial.sdtm.forms.columnar import read_parquet_table
from cartrial.sdtm.forms.delimited import read_csv_table

__all__ = ["check_decision_table", "read_decision_table", "write_decision_table"]

_COLUMNS = ("n", "dlt", "decision")
_MOST = 1000


def read_decision_table(source: str | Path | pl.DataFrame, *, file: str | None = None) -> DecisionTable:
    """Read a decision table.

    Parameters
    ----------
    source : path or polars.DataFrame
        A CSV (UTF-8) or Parquet file, or a frame, with the columns `n` (subjects at the dose), `dlt` (of these with a DLT) and `decision`
        (E, S, D or DU, in any case), in any order of rows; other columns are ignored. Each n needs all of 0 to n DLTs.
    file : str, optional
        Name of a frame, for messages.

    Raises
    ------
    InputError
        If the file cannot be read or is empty, a column or row is missing, a value is no whole number, there are more DLTs than subjects, a
        row stands twice, a letter is unknown, or more DLTs lead to a less cautious decision. Rows are counted with the header as row 1.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.design import read_decision_table
    >>> frame = pl.DataFrame({"n": [1, 1], "dlt": [1, 0], "decision": ["d", "e"]})
    >>> read_decision_table(frame)
    DecisionTable(n=(1,), letters=(('E', 'D'),))
    """
    if isinstance(source, pl.DataFrame):
        frame, name = source, file or "decision table"
    else:
        path = Path(source)
        frame, name = _read(path), file or path.name
    names = [column.strip().lower() for column in frame.columns]
    if twice := [column for column in _COLUMNS if names.count(column) > 1]:
        raise InputError(f"the column {twice[0]} stands twice", file=name, key=twice[0], right="The columns are n, dlt and decision")
    frame = frame.select(pl.col(column).alias(low) for column, low in zip(frame.columns, names, strict=True) if low in _COLUMNS)
    if missing := [column for column in _COLUMNS if column not in frame.columns]:
        raise InputError(f"the column {missing[0]} is missing", file=name, key=missing[0], right="The columns are n, dlt and decision")
    if frame.is_empty():
        raise InputError("the decision table has no row", file=name, right="Give one row for each n and number of DLTs")
    found: dict[int, dict[int, tuple[str, int]]] = {}
    records = enumerate(frame.select(_COLUMNS).iter_rows(), start=2)
    InputError.gather(partial(_add, found, record, name, row) for row, record in records)
    return _table(found, name)


def _add(found: dict[int, dict[int, tuple[str, int]]], record: tuple[Any, ...], name: str, row: int) -> None:
    """Add a record's decision by n and DLTs."""
    n, dlt = (_whole(value, name, row, key) for value, key in zip(record[:2], ("n", "dlt"), strict=True))
    if not 1 <= n <= _MOST:
        raise InputError(f"n is {n}", file=name, row=row, key="n", right=f"Give 1 to {_MOST} subjects")
    if not 0 <= dlt <= n:
        raise InputError(f"{dlt} DLTs in {n} subjects are impossible", file=name, row=row, key="dlt", right=f"Give 0 to {n} DLTs")
    letter = str(record[2] if record[2] is not None else "").strip().upper()
    if letter not in LETTERS:
        raise InputError(
            f"the decision {record[2] or ''!r} is unknown",
            file=name,
            row=row,
            key="decision",
            right="Use E (escalate), S (stay), D (de-escalate) or DU (de-escalate, never again)",
        )
    before = found.setdefault(n, {}).get(dlt)
    if before is not None:
        raise InputError(f"n = {n} with {dlt} DLTs stands twice, first in row {before[1]}", file=name, row=row, right="Give each pair once")
    found[n][dlt] = (letter, row)


def write_decision_table(table: DecisionTable, path: str | Path) -> Path:
    """Write a decision table to a file ending in .csv or .parquet, in the form that `read_decision_table` reads.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.design import DecisionTable, read_decision_table, write_decision_table
    >>> table = DecisionTable((1,), (("E", "D"),))
    >>> with TemporaryDirectory() as folder:
    ...     read_decision_table(write_decision_table(table, Path(folder) / "table.csv")) == table
    True
    """
    path = Path(path)
    rows = decision_rows(table)
    writers: dict[str, Callable[[Path], None]] = {".csv": rows.write_csv, ".parquet": rows.write_parquet}
    if path.suffix.lower() not in writers:
        raise InputError("the ending of the file is not known", file=path.name, right="Name a file ending in .csv or .parquet")
    with built_beside(path.parent) as folder:
        writers[path.suffix.lower()](folder / path.name)
    return path


def check_decision_table(table: DecisionTable) -> tuple[str, ...]:
    """Return what is doubtful about a table that can be used, one sentence each.

    With one subject more and the same DLTs the decision should not become more cautious, and with one subject more who has a DLT it should
    not become less cautious; both need neighbouring n, and gaps between the n of the table are bridged by the same rule. A table that never
    eliminates a dose, or never escalates, is named too.

    Examples
    --------
    By hand: one DLT is worse in two subjects than in one.

    >>> from cartrial.design import DecisionTable, check_decision_table
    >>> odd = DecisionTable((1, 2), (("E", "S"), ("E", "D", "DU")))
    >>> check_decision_table(odd)
    ('1 DLTs lead to S in 1 subjects, but to D in 2.',)
    """
    notes = []
    for (a, row), (b, other) in zip(
        zip(table.n, table.letters, strict=True), list(zip(table.n, table.letters, strict=True))[1:], strict=False
    ):
        for dlt, letter in enumerate(row):
            if LETTERS.index(other[dlt]) > LETTERS.index(letter):
                notes.append(f"{dlt} DLTs lead to {letter} in {a} subjects, but to {other[dlt]} in {b}.")
            worse = other[dlt + b - a]
            if LETTERS.index(worse) < LETTERS.index(letter):
                notes.append(f"{dlt} DLTs in {a} subjects lead to {letter}, but {dlt + b - a} in {b} lead to {worse}.")
    used = {letter for row in table.letters for letter in row}
    if "DU" not in used:
        notes.append("No dose is ever eliminated (no DU), so a trial never stops for toxicity at the lowest dose.")
    if "E" not in used:
        notes.append("The dose is never escalated (no E).")
    return tuple(notes)


def _read(path: Path) -> pl.DataFrame:
    """Return a file's records."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError("the decision table cannot be read", file=str(path), right="Name a file that exists") from error
    if path.suffix.lower() != ".parquet":
        return read_csv_table(data, path.name)
    return read_parquet_table(data, path.name)


def _whole(value: object, file: str, row: int, key: str) -> int:
    """Return a whole number."""
    try:
        number = float(str(value).strip())
    except ValueError:
        number = float("nan")
    if not number.is_integer():
        raise InputError(f"{'' if value is None else str(value)!r} is no whole number", file=file, row=row, key=key, right="Give a count")
    return int(number)


def _table(found: dict[int, dict[int, tuple[str, int]]], file: str) -> DecisionTable:
    """Return the table of decisions by n and DLTs."""
    InputError.gather(partial(_whole_row, n, row, file) for n, row in sorted(found.items()))
    ordered = sorted(found)
    return DecisionTable(tuple(ordered), tuple(tuple(found[n][dlt][0] for dlt in range(n + 1)) for n in ordered))


def _whole_row(n: int, row: dict[int, tuple[str, int]], file: str) -> None:
    """Refuse decisions of one n that leave a number of DLTs out, or become less cautious with more of them."""
    missing = [dlt for dlt in range(n + 1) if dlt not in row]
    if missing:
        raise InputError(
            f"n = {n} has no decision at {', '.join(map(str, missing))} DLTs", file=file, key="dlt", right=f"Give all of 0 to {n} DLTs"
        )
    for dlt in range(1, n + 1):
        (less, _), (more, at) = row[dlt - 1], row[dlt]
        if LETTERS.index(more) < LETTERS.index(less):
            raise InputError(
                f"n = {n}: the decision is {less} at {dlt - 1} DLTs but {more} at {dlt}",
                file=file,
                row=at,
                key="decision",
                right="More DLTs never lead to a less cautious decision",
            )
