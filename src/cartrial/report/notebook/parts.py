"""What is a display in a notebook made of? Tables whose every cell is escaped, shortened where they are long, with the count named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any

import polars as pl
from markupsafe import Markup, escape

from cartrial.errors import printable
from cartrial.report.page.render import BANDS

__all__ = ["COLUMNS", "LINES", "band", "cell", "count", "frame", "heading", "joined", "table"]

LINES, COLUMNS = 20, 12
"""Most lines and columns of a table in a notebook; how many there are is said beneath it."""


def joined(*pieces: Markup | None) -> str:
    """Return pieces of a display as one."""
    return str(
        Markup('<div class="cartrial" style="overflow-x: auto">{}</div>').format(Markup("").join(piece for piece in pieces if piece))
    )


def heading(text: str, *facts: str | None) -> Markup:
    """Return a heading with facts beneath it; those that are not known are left out."""
    told = " · ".join(fact for fact in facts if fact)
    return Markup("<p><strong>{}</strong>{}</p>").format(printable(text), Markup("<br>{}").format(printable(told)) if told else "")


def band(provenance: str) -> Markup | None:
    """Return what stands across what is of no patients."""
    words = BANDS.get(provenance, "")
    return Markup("<p><strong>{}</strong></p>").format(words) if words else None


def count(number: int, one: str, many: str = "") -> str:
    """Return a number of things in words."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def cell(value: Any) -> Markup:
    """Return what stands in a cell: text as it is, numbers to six digits, sequences with their length where they are cut."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return Markup("")
    if isinstance(value, float):
        return escape(_plain(value))
    if isinstance(value, list | tuple):
        words = ", ".join(_plain(part) for part in value[:COLUMNS])
        return escape(printable(words if len(value) <= COLUMNS else f"{words} … ({len(value):,} in all)"))
    return escape(printable(str(value)))


def _plain(value: Any) -> str:
    """Return one of several values; none among them is a value too."""
    if isinstance(value, list | tuple):
        return "(" + ", ".join(_plain(part) for part in value) + ")"
    if isinstance(value, float):
        return "not a number" if isnan(value) else f"{value:.6g}"
    return "none" if value is None else str(value)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, of: int | None = None, what: str = "line") -> Markup:
    """Return a table of at most `LINES` lines.

    Parameters
    ----------
    head : sequence of str
    rows : iterable of sequences
        Lines; those after `LINES` are counted and not shown.
    of : int, optional
        How many lines there are, where `rows` has not all of them.
    what : str
        What a line is.

    Examples
    --------
    >>> from cartrial.report.notebook.parts import table
    >>> str(table(("what",), [("<b>",)])).count("&lt;b&gt;")
    1
    """
    lines = list(rows)
    whole, shown = len(lines) if of is None else of, lines[:LINES]
    top = Markup("").join(Markup("<th>{}</th>").format(name) for name in head)
    body = Markup("").join(Markup("<tr>{}</tr>").format(Markup("").join(_shown(value) for value in line)) for line in shown)
    less = Markup("<p>{} of {} are shown.</p>").format(f"{len(shown):,}", count(whole, what)) if len(shown) < whole else Markup("")
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}").format(top, body, less)


def _shown(value: Any) -> Markup:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return Markup('<td style="text-align: {}">{}</td>').format("right" if number else "left", cell(value))


def frame(data: pl.DataFrame) -> Markup:
    """Return a frame: its first lines and columns, and how many there are of both."""
    kept = data.columns[:COLUMNS]
    found = table(kept, data.select(kept).head(LINES).rows(), of=data.height, what="row")
    if len(kept) == data.width:
        return found
    left = ", ".join(data.columns[COLUMNS:])
    return found + Markup("<p>{} of {} are shown; not shown: {}.</p>").format(len(kept), count(data.width, "column"), left)
