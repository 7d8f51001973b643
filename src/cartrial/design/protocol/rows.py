"""How do the figures of a design become data? Flat rows with documented columns: the only origin of what a page prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

__all__ = ["COLUMNS", "KEYS", "PARTS", "Beside", "Row", "Rows", "error_text", "number", "share"]

COLUMNS: dict[str, str] = {
    "part": "what the row belongs to; see the parts",
    "design": "id of a design, an event, an endpoint or an input within its part",
    "variant": "what distinguishes rows of one design beside the other columns: a hypothesis, a population, a strategy",
    "look": "number of the look, from 1; null where there is none",
    "n": "cumulative subjects that the row is about; null where there is no number",
    "truth": "true rate that the row is about (0 to 1); null where there is none",
    "statistic": "what the value is",
    "unit": "proportion, subjects, responders, days, months, events, or blank",
    "value": "the number; null where there is none (no such stop at this look)",
    "error": "standard error of the value in its unit, of simulation and, under a true rate, of finding that rate; null if exact",
    "text": "as the page prints it",
    "method": "stated, assumed, exact, approximate or simulated",
    "source": "where a stated number comes from, or the citation of a method",
}
KEYS = ("part", "design", "variant", "look", "n", "truth", "statistic")
PARTS: dict[str, str] = {
    "input": "numbers that the designs rest on, each with its source",
    "design": "the designs of the response rate: subjects, exact type I error and power, expected numbers",
    "own": "what the study's own design may spend, and has spent, by look",
    "prior": "a prior of published results: what it is worth, and the errors of a trial that borrows beside those of one that does not",
    "boundary": "stopping boundaries by look",
    "curve": "exact figures by true rate",
    "sawtooth": "critical value, type I error and power of a single stage by number of subjects",
    "delayed": "decisions while responses are still awaited",
    "safety": "stopping boundaries of toxicity",
    "toxicity": "response and toxicity together",
    "survival": "designs of a time to event",
    "calendar": "enrolment and calendar time",
    "funnel": "from the population to the infused",
    "simulation": "operating characteristics on virtual trials",
    "contrast": "estimands, denominators, readers and missed visits on the same virtual patients",
}


class Beside(TypedDict, total=False):
    """What of a row's key stands beside part, design and statistic; the columns are explained in `COLUMNS`."""

    variant: str
    look: int | None
    n: int | None
    truth: float | None


@dataclass(frozen=True)
class Row:
    """One figure; the columns are explained in `COLUMNS`."""

    part: str
    design: str
    statistic: str
    value: float | None
    text: str
    unit: str = ""
    variant: str = ""
    look: int | None = None
    n: int | None = None
    truth: float | None = None
    error: float | None = None
    method: str = "exact"
    source: str = ""

    @property
    def key(self) -> tuple[str | float | None, ...]:
        """What makes a row unique."""
        return tuple(getattr(self, name) for name in KEYS)

    def record(self) -> dict[str, str | float | None]:
        """Return the row as JSON has it."""
        return {name: getattr(self, name) for name in COLUMNS}


@dataclass
class Rows:
    """Rows in the order in which they were added, looked up by their key.

    Parameters
    ----------
    rows : list of Row
    """

    rows: list[Row] = field(default_factory=list)
    _index: dict[tuple[object, ...], int] = field(default_factory=dict, repr=False)

    def add(self, part: str, design: str, statistic: str, value: float | None, text: str, **more: Any) -> None:
        """Add a figure.

        Raises
        ------
        ValueError
            If a row of this key is there already.
        """
        row = Row(part, design, statistic, None if value is None else float(value), text, **more)
        if row.key in self._index:
            raise ValueError(f"two rows have the key {row.key}")
        self._index[row.key] = len(self.rows)
        self.rows.append(row)

    def find(self, part: str, design: str, statistic: str, **beside: Unpack[Beside]) -> tuple[int, Row] | None:
        """Return number and row of a key, None where there is none."""
        key = {"variant": "", "look": None, "n": None, "truth": None, **beside}
        place = self._index.get((part, design, key["variant"], key["look"], key["n"], key["truth"], statistic))
        return None if place is None else (place, self.rows[place])

    def where(self, part: str, **wanted: object) -> Iterator[tuple[int, Row]]:
        """Yield number and row of a part whose columns equal those given."""
        for place, row in enumerate(self.rows):
            if row.part == part and all(getattr(row, name) == value for name, value in wanted.items()):
                yield place, row

    def records(self) -> list[Mapping[str, str | float | None]]:
        """Return all rows as JSON has them."""
        return [row.record() for row in self.rows]


def share(value: float | None, digits: int = 1) -> str:
    """Return a probability in percent."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def error_text(row: Row) -> str:
    """Return the standard error of a row as it is printed; in percent, without the sign, where the row is a proportion."""
    error = (row.error or 0.0) * (100 if row.unit == "proportion" else 1)
    return f"{error:.2f}" if error < 0.95 else f"{error:.1f}"


def number(value: float | None, digits: int = 1) -> str:
    """Return a number with fixed decimals."""
    return "–" if value is None else f"{value:.{digits}f}"
