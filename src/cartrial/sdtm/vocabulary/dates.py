"""Which days can an ISO 8601 date of SDTM mean? The earliest and the latest, as expressions over columns.

A date may be partial (YYYY, YYYY-MM) and may carry a time, which is not used (SDTM Implementation Guide 3.3, section 4.4.2).
"""

from __future__ import annotations

import polars as pl

__all__ = ["earliest_day", "is_date", "is_partial", "latest_day"]

_FORM = r"^\d{4}(-\d{2}(-\d{2}(T\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?)?)?|---\d{2})?$"
_YEARS = (1850, 2200)


def _start(text: pl.Expr) -> pl.Expr:
    day = pl.when(text.str.len_chars() >= 10).then(text.str.slice(0, 10)).when(text.str.len_chars() == 7).then(text + "-01")
    return day.otherwise(text.str.slice(0, 4) + "-01-01")


def _year_known_only(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(r"^\d{4}---\d{2}$")).then(text.str.slice(0, 4)).otherwise(text)


def _first(column: pl.Expr) -> pl.Expr:
    text = _year_known_only(column.cast(pl.String))
    return pl.when(text.str.contains(_FORM)).then(_start(text)).str.to_date("%Y-%m-%d", strict=False)


def earliest_day(column: pl.Expr) -> pl.Expr:
    """Return the earliest day a date can mean: Int32 days since 1970-01-01, null where it is no date."""
    return _first(column).to_physical().cast(pl.Int32)


def latest_day(column: pl.Expr) -> pl.Expr:
    """Return the latest day a date can mean: Int32 days since 1970-01-01, null where it is no date."""
    first = _first(column)
    length = _year_known_only(column.cast(pl.String)).str.len_chars()
    last = (
        pl.when(length >= 10)
        .then(first)
        .when(length == 7)
        .then(first.dt.month_end())
        .otherwise(first.dt.offset_by("1y").dt.offset_by("-1d"))
    )
    return last.to_physical().cast(pl.Int32)


def is_date(column: pl.Expr) -> pl.Expr:
    """Say whether a text is an ISO 8601 date, full or partial, of a year from 1850 to 2200."""
    return _first(column).dt.year().is_between(*_YEARS).fill_null(False)


def is_partial(column: pl.Expr) -> pl.Expr:
    """Say whether a date lacks its day or its month."""
    return is_date(column) & ((column.str.len_chars() < 10) | column.str.contains("---", literal=True))
