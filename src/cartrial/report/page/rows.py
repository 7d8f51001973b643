"""How does a page look up a row of the results? Every statistic that is shown comes from here, with its row number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypedDict, cast

import polars as pl
from markupsafe import Markup

__all__ = ["ABSENT", "Cell", "ResultRow", "Rows", "Stat", "parts"]


@dataclass(frozen=True)
class Stat:
    """One printed statistic.

    Parameters
    ----------
    text : str
        What is printed: the row's `text`, unchanged.
    key : int
        Number of the row in `results.json`, from 0.
    value : float or None
        For the position of a mark in a figure; None when not estimable.
    hover : str
        What is shown when the pointer rests on it.
    """

    text: str
    key: int
    value: float | None = None
    hover: str = ""

    def __html__(self) -> Markup:
        if self.hover:
            return Markup('<span class="s" data-key="{}" title="{}">{}</span>').format(self.key, self.hover, self.text)
        return Markup('<span class="s" data-key="{}">{}</span>').format(self.key, self.text)

    def __str__(self) -> str:
        return self.text


# what stands in a cell of a table, or in a pattern
Cell = Stat | str | float | None

ABSENT = Markup('<span class="none">–</span>')


class ResultRow(TypedDict):
    """A row of the results, with its number as `key`; columns as in `cartrial.analysis.results`."""

    study: str
    trial: int
    provenance: str
    analysis: str
    endpoint: str
    variant: str
    population: str
    reader: str
    window: str
    strategies: str
    by: str
    level: str
    time: float | None
    unit: str
    method: str
    conf_level: float | None
    statistic: str
    value: float | None
    text: str
    rules: int | None
    key: int


def parts(pattern: str, *pieces: Cell) -> Markup:
    """Put statistics into a pattern, e.g. ``parts("{} of {}", n, total)``; absent when the first is."""
    if pieces and pieces[0] is None:
        return ABSENT
    return Markup(pattern).format(*(ABSENT if piece is None else piece for piece in pieces))


class Rows:
    """The results table, indexed for a page.

    Parameters
    ----------
    results : pl.DataFrame
        Rows in the order of `results.json`, with the contract's columns.
    """

    def __init__(self, results: pl.DataFrame) -> None:
        self.all = [cast(ResultRow, {**row, "key": i}) for i, row in enumerate(results.iter_rows(named=True))]
        self._index: dict[tuple[str, str], list[ResultRow]] = defaultdict(list)
        for row in self.all:
            self._index[row["analysis"], row["endpoint"]].append(row)
        self.endpoints: dict[str, list[str]] = defaultdict(list)
        for analysis, endpoint in self._index:
            self.endpoints[analysis].append(endpoint)

    def where(self, analysis: str, endpoint: str | None = None, **key: object) -> list[ResultRow]:
        """Return the rows of an analysis whose key columns equal those given; a tuple lists what is allowed."""
        if endpoint is None:
            found = [row for name in self.endpoints.get(analysis, ()) for row in self._index[analysis, name]]
        else:
            found = self._index.get((analysis, endpoint), [])
        for column, wanted in key.items():
            if isinstance(wanted, tuple):
                found = [row for row in found if _value(row, column) in wanted]
            else:
                found = [row for row in found if _value(row, column) == wanted]
        return found

    def stat(self, found: list[ResultRow], statistic: str, **key: object) -> Stat | None:
        """Return the first row of that statistic among those found, or None."""
        for row in found:
            if row["statistic"] == statistic and all(_value(row, column) == wanted for column, wanted in key.items()):
                return Stat(row["text"], row["key"], row["value"])
        return None

    def months(self, found: list[ResultRow], end: str = "") -> Stat | None:
        """Return a median, or its limit `end` (``_lower``, ``_upper``), in months: its days stand in the hover."""
        months, days = self.stat(found, f"median_months{end}"), self.stat(found, f"median{end}")
        if months is None or days is None or days.value is None:
            return months or days
        return replace(months, hover=f"{days.text} days")

    def methods(self) -> set[str]:
        """Return the methods that this run used."""
        return {row["method"] for row in self.all if row["method"]}


def _value(row: Mapping[str, object], column: str) -> object:
    return row[column]
