"""How are results shown? A line for each estimate, with population, window, reader and strategies, and each number beside its own N."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import polars as pl
from markupsafe import Markup

from cartrial.analysis.results import SCHEMA
from cartrial.analysis.wording import PROPORTION
from cartrial.errors import InputError
from cartrial.report.notebook.parts import LINES, band, count, heading, joined, table
from cartrial.shown import Shown

__all__ = ["ShownResults", "are_results", "results_html", "show_results"]

LINE = (
    "study",
    "trial",
    "provenance",
    "analysis",
    "endpoint",
    "variant",
    "population",
    "reader",
    "window",
    "strategies",
    "by",
    "level",
    "time",
)
"""The columns that make a line; its other rows are statistics of one estimate."""
ALWAYS = ("analysis", "endpoint", "population", "reader", "window")
OF = "N"
"""The statistic that is the denominator of its line."""
_ASKS = ("rate", "n")
# analyses whose counts are of steps, cells of a table or sums, and have no N of their own
_WITHOUT = ("flow", "concordance")


class ShownResults(Shown):
    """Results as a notebook shows them.

    Parameters
    ----------
    results : polars.DataFrame
        Rows of `cartrial.analysis.analyse`, or some of them.
    """

    def __init__(self, results: pl.DataFrame) -> None:
        self.results = results

    def _repr_html_(self) -> str:
        return results_html(self.results)


def show_results(results: pl.DataFrame) -> ShownResults:
    """Show results in a notebook: a line an estimate, every number beside its denominator, window, reader and strategies.

    After ``%load_ext cartrial`` a notebook shows any frame of results so, without being asked.

    Parameters
    ----------
    results : polars.DataFrame
        Rows of `cartrial.analysis.analyse`, or some of them. A rate whose denominator is not among them is marked.

    Returns
    -------
    ShownResults
        Shows itself; `results` are the rows.

    Raises
    ------
    InputError
        If a column of the results is missing.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis.results import SCHEMA
    >>> from cartrial.report import show_results
    >>> same = {"analysis": "response", "endpoint": "ORR3", "population": "infused", "reader": "IRC", "window": "at month 3"}
    >>> rows = [same | {"statistic": name, "text": text} for name, text in (("n", "3"), ("N", "4"), ("rate", "75.0"))]
    >>> results = pl.DataFrame(rows, schema=SCHEMA)
    >>> "n 3, N 4, rate 75.0" in show_results(results)._repr_html_()
    True
    """
    if not are_results(results):
        lacking = [name for name in SCHEMA if name not in results.columns]
        raise InputError(
            f"these are no results: the column {lacking[0]} is missing", right="Give rows of `analyse`, with all their columns"
        )
    return ShownResults(results)


def are_results(data: pl.DataFrame) -> bool:
    """Whether a frame has every column of the results."""
    return set(SCHEMA) <= set(data.columns)


def results_html(results: pl.DataFrame) -> str:
    """Return results as HTML."""
    lines = results.group_by(LINE, maintain_order=True).agg("method", "conf_level", "unit", "statistic", "text")
    used = [
        name
        for name in LINE
        if name in ALWAYS or (name not in ("study", "trial", "provenance") and lines[name].cast(pl.String).fill_null("").ne("").any())
    ]
    used = ["study", *used] if lines["study"].n_unique() > 1 else used
    used = ["trial", *used] if lines["trial"].n_unique() > 1 else used
    rows = [(*(row[name] for name in used), _statistics(row)) for row in lines.head(LINES).iter_rows(named=True)]
    provenances = results["provenance"].unique(maintain_order=True).to_list()
    bands = [band(name) for name in provenances if name]
    studies = ", ".join(name for name in results["study"].unique(maintain_order=True) if name)
    head = heading("Results", studies, count(results.height, "row"), f"{count(lines.height, 'estimate')}, one a line")
    return joined(*bands, head, table((*used, "statistics"), rows, of=lines.height, what="estimate"))


def _statistics(row: dict[str, Any]) -> Markup:
    """Return the statistics of a line, those of one method and level together; a rate without its denominator is marked."""
    said = [_told(run) for run in _runs(row)]
    marks = ""
    if OF not in row["statistic"] and row["analysis"] not in _WITHOUT and any(name in row["statistic"] for name in _ASKS):
        marks = " (of N: not among these rows)"
    return Markup("{}{}").format("; ".join(said), marks)


def _runs(row: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    names = ("method", "conf_level", "unit", "statistic", "text")
    ordered = [dict(zip(names, values, strict=True)) for values in zip(*(row[name] for name in names), strict=True)]
    for _, run in groupby(ordered, key=lambda one: (one["method"], one["conf_level"])):
        yield list(run)


def _told(run: list[dict[str, Any]]) -> str:
    numbers = ", ".join(" ".join(part for part in (one["statistic"], one["text"], _unit(one)) if part) for one in run)
    level = run[0]["conf_level"]
    how = [part for part in (f"{100 * level:g} %" if level is not None else "", run[0]["method"]) if part]
    return f"{numbers} [{', '.join(how)}]" if how else numbers


def _unit(one: dict[str, Any]) -> str:
    """Return the unit of what is printed: proportions are printed in per cent, and what is not reached or not estimable has none."""
    if one["text"] in ("NR", "NE"):
        return ""
    return "%" if one["unit"] == PROPORTION else one["unit"] or ""
