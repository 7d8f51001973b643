"""What was published? A table of figures, one a row, read and checked before anything is simulated."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cartrial.errors import InputError
from cartrial.sdtm.forms.delimited import read_csv_table
from cartrial.yamlfile import nearest

__all__ = ["COLUMNS", "NOT_STATED", "STATISTICS", "Figure", "read_figures"]

COLUMNS = ("id", "trial", "population", "n", "endpoint", "window", "statistic", "time_months", "count", "value", "lower", "upper")
"""Columns that a table must have."""
OPTIONAL = ("cut", "reader", "hsct", "new-therapy", "source", "sure", "status", "note", "virtual-population", "follow-up")
STATISTICS = ("rate", "survival", "median", "pooled")
NOT_STATED = frozenset({"", "-", "not-stated", "not stated", "na"})
"""Cells that state nothing."""

NOT_REACHED = frozenset({"nr", "ne"})
# rows that nobody has verified
DOUBTFUL = frozenset({"claim", "unverified", "m", "[m]"})
# most patients of one figure; a virtual trial has no more
MOST = 20_000
# a cell may be written over two lines: what is told of it is one
_BREAK = re.compile(r"\s*[\r\n]\s*")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")


@dataclass(frozen=True)
class Figure:
    """One published figure.

    Parameters
    ----------
    row : int
        Of the file, the header being row 1.
    id, trial, cut, population, endpoint, window, reader, hsct, new_therapy, statistic, source, note : str
        As printed; blank where there is none.
    n : int or None
        Patients. None: not stated.
    time : float or None
        Of a survival. Unit: months.
    count : int or None
        Patients with the outcome.
    value : float
        Per cent of a rate or a survival (from the count where that is known), months of a median; infinite where that is not reached.
    lower, upper : float or None
        Limits as printed, infinite where not reached.
    half : float
        Half a unit of the last decimal that is printed of the value; 0 where the count is known.
    virtual_population : str or None
        A built-in population or a file.
    follow_up : float or None
        Median follow-up. Unit: months.
    left_out : str
        Why the figure is not used at all: `claim`, or blank.
    """

    row: int
    id: str
    trial: str
    cut: str
    population: str
    n: int | None
    endpoint: str
    window: str
    reader: str
    hsct: str
    new_therapy: str
    statistic: str
    time: float | None
    count: int | None
    value: float
    lower: float | None
    upper: float | None
    half: float
    source: str
    note: str
    virtual_population: str | None
    follow_up: float | None
    left_out: str


def read_figures(path: str | Path, *, further: Callable[[Figure], object] | None = None) -> tuple[Figure, ...]:
    """Read a table of published figures.

    Parameters
    ----------
    path : str or Path
        A CSV file in UTF-8 with the columns of `COLUMNS`; further ones as the documentation names them. Rates and survival are in per
        cent, times in months, a median or limit that is not reached is NR.
    further : callable, optional
        Asked of each figure, to raise what else is wrong with it: all faults are told together.

    Returns
    -------
    tuple of Figure
        In the order of the file; a row of which `sure` or `status` says claim or UNVERIFIED has `left_out` and no numbers.

    Raises
    ------
    InputError
        With a line for each fault: a column that is missing, a number that is none, a count above n, a value above 100 per cent or
        that contradicts its count, a fraction in place of per cent, limits that are not around the value, an id twice, no row at all.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.predict import read_figures
    >>> head = "id,trial,population,n,endpoint,window,statistic,time_months,count,value,lower,upper"
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "figures.csv"
    ...     _ = file.write_text(head + "\\nr,mskcc,infused,53,CR,best,rate,,44,83,,\\n", encoding="utf-8")
    ...     figure = read_figures(file)[0]
    >>> figure.n, figure.count, round(figure.value, 2)
    (53, 44, 83.02)
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror or error})", file=str(path), right="Name a CSV file of published figures"
        ) from None
    frame = read_csv_table(data, path.name)
    names = {name: name.strip().lower().replace("_", "-") for name in frame.columns}
    wanted = {column.replace("_", "-"): column for column in COLUMNS}
    _check_columns(list(names.values()), list(wanted), path.name)
    if frame.is_empty():
        raise InputError("the table has a header and no figure", file=path.name, right="Each further row is a published figure")
    rows = [
        {wanted.get(names[name], names[name]): _BREAK.sub(" ", value or "").strip() for name, value in row.items()}
        for row in frame.iter_rows(named=True)
    ]
    seen: dict[str, int] = {}
    steps: list[Callable[[], Figure]] = []
    for number, cells in enumerate(rows, 2):
        steps.append(_step(_Cells(cells, number, path.name), seen.get(cells["id"]), further))
        seen.setdefault(cells["id"], number)
    return tuple(InputError.gather(steps))


def is_misspelt(word: str, known: str) -> bool:
    """Whether a word is nearly the same as a known one."""
    return difflib.SequenceMatcher(None, word.lower(), known).ratio() > 0.75


def _check_columns(names: list[str], wanted: list[str], file: str) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"the column '{twice[0]}' stands twice", file=file, row=1, right="Keep one of them")
    missing = [name for name in wanted if name not in names]
    known = [*wanted, *OPTIONAL]
    near = {name: nearest(name, known) for name in names if name not in known}
    if missing:
        meant = [f"'{name}' may be meant" for name, likely in near.items() if likely in missing and is_misspelt(name, likely)]
        lacking = [column for column in COLUMNS if column.replace("_", "-") in missing]
        words = f"the column '{lacking[0]}' is missing" if len(lacking) == 1 else f"the columns {', '.join(lacking)} are missing"
        right = f"Columns are: {', '.join(COLUMNS)}" + (f"; {', '.join(meant)}" if meant else "")
        raise InputError(words, file=file, row=1, right=right)


def _step(cells: _Cells, before: int | None, further: Callable[[Figure], object] | None) -> Callable[[], Figure]:
    def read() -> Figure:
        if before is not None:
            raise cells.wrong("id", f"the id '{cells.text('id')}' stands in row {before} already", "Give each figure its own id")
        figure = cells.figure()
        if further:
            further(figure)
        return figure

    return read


class _Cells:
    """The cells of one row, and where they stand."""

    def __init__(self, cells: Mapping[str, str], row: int, file: str) -> None:
        self.cells, self.row, self.file = cells, row, file

    def wrong(self, key: str, what: str, right: str) -> InputError:
        return InputError(what, file=self.file, row=self.row, key=key, right=right)

    def text(self, key: str) -> str:
        return self.cells.get(key, "")

    def figure(self) -> Figure:
        """Return the figure, or raise what is wrong with it."""
        for key in ("id", "trial", "endpoint", "population"):
            if not self.text(key):
                raise self.wrong(key, f"the figure has no {key}", "Every figure has an id, a trial, a population and an endpoint")
        doubt = next((self.text(key) for key in ("sure", "status") if self.text(key).lower() in DOUBTFUL), "")
        numbers: dict[str, Any] = dict.fromkeys(("n", "time", "count", "lower", "upper", "follow_up")) | {"value": math.nan, "half": 0.0}
        if not doubt:
            numbers = self.numbers()
        return Figure(
            row=self.row,
            id=self.text("id"),
            trial=self.text("trial"),
            cut=self.text("cut"),
            population=self.text("population"),
            endpoint=self.text("endpoint"),
            window=self.text("window"),
            reader=self.text("reader"),
            hsct=self.text("hsct"),
            new_therapy=self.text("new-therapy"),
            statistic=self.text("statistic").lower(),
            source=self.text("source"),
            note=self.text("note"),
            virtual_population=self.text("virtual-population") or None,
            left_out=doubt and f"nobody has verified it ({doubt})",
            **numbers,
        )

    def numbers(self) -> dict[str, Any]:
        """Return the numbers of the figure, checked against each other."""
        statistic = self.text("statistic").lower()
        if statistic not in STATISTICS:
            near = nearest(statistic, list(STATISTICS))
            right = f"The nearest known one is '{near}'" if near else f"Known are: {', '.join(STATISTICS)}"
            raise self.wrong("statistic", f"there is no statistic '{self.text('statistic')}'", right)
        n, count = self.whole("n", 1, MOST), self.whole("count", 0, MOST)
        time, follow_up = self.positive("time_months"), self.positive("follow-up")
        if statistic == "survival" and time is None:
            raise self.wrong("time_months", "a survival has no time", "Write the months at which it was read")
        value, half = self.value(statistic, n, count)
        lower, upper = self.limit("lower", statistic), self.limit("upper", statistic)
        self.check_limits(value, half, lower, upper)
        return {
            **{"n": n, "time": time, "count": count, "value": value, "half": half},
            **{"lower": lower, "upper": upper, "follow_up": follow_up},
        }

    def whole(self, key: str, least: int, most: int) -> int | None:
        """Return a whole number, None where the cell states nothing."""
        text = self.text(key)
        if text.lower() in NOT_STATED:
            return None
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise self.wrong(key, f"'{text}' is no number of patients", f"Write a whole number from {least} to {most}, or NA")
        return int(text)

    def number(self, key: str) -> float | None:
        """Return a number, infinite for NR, None where the cell states nothing."""
        text = self.text(key)
        if text.lower() in NOT_STATED:
            return None
        if text.lower() in NOT_REACHED:
            return math.inf
        if not _NUMBER.fullmatch(text) or len(text) > 12:
            raise self.wrong(key, f"'{text}' is no number", "Write it with a decimal point and without a sign, NR where it is not reached")
        return float(text)

    def positive(self, key: str) -> float | None:
        """Return a number of months above 0."""
        found = self.number(key)
        if found is not None and not 0 < found <= 600:
            raise self.wrong(key, f"'{self.text(key)}' is no time", "Write months, above 0")
        return found

    def limit(self, key: str, statistic: str) -> float | None:
        """Return a limit; of a share it is finite and at most 100."""
        found = self.number(key)
        if found is not None and found < 0:
            raise self.wrong(key, f"the limit {found:g} is negative", "Write 0 or more")
        if found is not None and statistic != "median" and found > 100:
            raise self.wrong(key, f"the limit {self.text(key)} is above 100 per cent", "Write per cent from 0 to 100")
        return found

    def value(self, statistic: str, n: int | None, count: int | None) -> tuple[float, float]:
        """Return the value, and half a unit of its last printed decimal (0 where it follows from the count)."""
        printed = self.number("value")
        unit = 10.0 ** -len(self.text("value").partition(".")[2])
        if statistic == "median":
            if printed is None or printed <= 0:
                raise self.wrong("value", f"the median '{self.text('value')}' is no time", "Write months above 0, or NR")
            return printed, unit / 2 if math.isfinite(printed) else 0.0
        if count is not None and n is not None and count > n:
            raise self.wrong("count", f"{count} of {n} patients cannot be", "Write a count that is not above n")
        if printed is not None and not 0 <= printed <= 100:
            what = f"the value {self.text('value')} is {'below 0' if printed < 0 else 'above 100 per cent'}"
            raise self.wrong("value", what, "Write per cent from 0 to 100")
        exact = 100 * count / n if count is not None and n is not None else None
        if printed is not None and 0 < printed < 1 and (exact is None or exact >= 1):
            raise self.wrong("value", f"the value {self.text('value')} looks like a fraction", f"Write per cent: {100 * printed:g}")
        if printed is None and exact is None:
            raise self.wrong("value", "the figure has neither a value nor a count of n", "Write one of them")
        if exact is None:
            return float(printed or 0.0), unit / 2
        # a whole unit, since some publications round twice
        if printed is not None and abs(printed - exact) > unit + 1e-9:
            what = f"{count} of {n} is {exact:.1f} per cent, and the value says {self.text('value')}"
            raise self.wrong("value", what, "Write the value of the count, or leave one of them out")
        return exact, 0.0

    def check_limits(self, value: float, half: float, lower: float | None, upper: float | None) -> None:
        """Refuse limits in the wrong order, or that do not hold the value."""
        if lower is not None and upper is not None and lower > upper:
            what = f"the lower limit {self.text('lower')} is above the upper {self.text('upper')}"
            raise self.wrong("lower", what, "Write them in order")
        # an exact value may be rounded apart from its limits
        slack = half or 0.5
        if (lower is not None and value + slack < lower) or (upper is not None and value - slack > upper):
            what = f"the value {value:g} is not between its limits {self.text('lower')} and {self.text('upper')}"
            raise self.wrong("value", what, "Write lower, value and upper in one unit, per cent or months")
