"""What do tables say of a curve? Points that were set by hand, and numbers at risk."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from cartrial.errors import InputError
from cartrial.evidence.curves.figures.shapes import Floats
from cartrial.evidence.curves.reading import Reading

__all__ = ["read_points", "read_rows"]

TIME = ("time", "t", "x", "month", "months", "day", "days", "year", "years", "week", "weeks")
SURVIVAL = ("survival", "s", "y", "surv", "km")
AT_RISK = ("at_risk", "at risk", "atrisk", "n_risk", "n.risk", "nrisk", "n", "number at risk")
# standard errors of a point that is set by hand: of survival, and of the axis in time
BY_HAND, BY_HAND_TIME = 0.003, 0.002
PER_CENT = 1.5
# a curve whose points begin lower was not read from its start: even of four patients the first fall leaves 0.75
LEAST_START = 0.75


def read_points(path: Path) -> Reading:
    """Read a curve that was clicked: a CSV with the columns time and survival, in fractions or in per cent.

    Raises
    ------
    InputError
        If a column is missing, a value is no number, or fractions and per cent are mixed.
    """
    time, survival = _columns(path, SURVIVAL, "survival")
    percent = survival.max() > PER_CENT
    small = np.flatnonzero((survival > 0) & (survival <= 1))
    if percent and len(small):
        first = int(small[0])
        # a curve in per cent comes down to 1 by steps, not from 60
        if first == 0 or survival[first - 1] > 10:
            what = f"fractions and per cent are mixed: {survival[first]:g} beside {survival.max():g}"
            raise InputError(
                what, file=path.name, row=first + 2, key="survival", right="Write all of them as fractions, or all in per cent"
            )
    level = survival / 100 if percent else survival
    start = level[time <= 0]
    if len(start) and abs(start[0] - 1) > 0.03:
        right = "A survival curve begins at 1 (100 %); look where the axis begins"
        raise InputError(f"the curve begins at {start[0]:g}, not at 1", file=path.name, row=2, key="survival", right=right)
    if level.max() < LEAST_START and level[0] >= level[-1]:
        what = f"the first point is at {time[0]:g} with {level[0]:g}: the curve before it is missing"
        raise InputError(what, file=path.name, row=2, key="survival", right="Begin at the start of the curve, where survival is 1")
    end = float(time.max())
    return Reading("clicks", time, level, end, None, BY_HAND_TIME * end, BY_HAND)


def read_rows(path: Path) -> list[tuple[float, float]]:
    """Read printed numbers at risk: a CSV with the columns time and at_risk.

    Raises
    ------
    InputError
        If a column is missing or a value is no number.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.evidence.curves import read_rows
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "rows.csv"
    ...     _ = file.write_text("time,at_risk\\n0,10\\n6,8\\n", encoding="utf-8")
    ...     read_rows(file)
    [(0.0, 10.0), (6.0, 8.0)]
    """
    time, count = _columns(path, AT_RISK, "at_risk")
    return [(float(at), float(number)) for at, number in zip(time, count, strict=True)]


def _columns(path: Path, names: tuple[str, ...], wanted: str) -> tuple[Floats, Floats]:
    """Return the times of a table and another column."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", file=path.name, right="Name a CSV file") from None
    except UnicodeDecodeError:
        raise InputError("the file is no text in UTF-8", file=path.name, right="Save it as CSV in UTF-8") from None
    head = text.partition("\n")[0]
    rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=head.count)))
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    columns = [cell.strip().lower() for cell in rows[0]] if rows else []
    places = []
    for known, name in ((TIME, "time"), (names, wanted)):
        found = [place for place, column in enumerate(columns) if column in known]
        if len(found) != 1:
            what = f"the column '{name}' is missing" if not found else f"two columns can be '{name}'"
            raise InputError(what, file=path.name, row=1, right=f"The columns are time and {wanted}")
        places.append(found[0])
    if len(rows) < 2:
        raise InputError("the table has a header and no row", file=path.name, right=f"Each further row has a time and {wanted}")
    values = np.array(
        [[_value(row, place, number, path.name, columns[place]) for place in places] for number, row in enumerate(rows[1:], 2)]
    )
    return values[:, 0], values[:, 1]


def _value(row: list[str], place: int, number: int, file: str, column: str) -> float:
    text = row[place].strip() if place < len(row) else ""
    try:
        value = float(text.rstrip("%"))
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"'{text}' is no number", file=file, row=number, key=column, right="Write it with a decimal point")
    return value
