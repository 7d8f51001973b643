"""Which days can an ISO 8601 date of SDTM mean? The earliest and the latest, as expressions over columns.

A date may be partial (YYYY, YYYY-MM, YYYY---DD), may lack its year (--MM-DD: it means no day), may carry a time, whole or partial
(T-:15), which is not used, and may be an interval, of which the start counts (SDTM Implementation Guide 3.3, sections 4.4.1 and 4.4.2).
A year before 1901 or after 2098 is a slip or a placeholder (1900-01-01, 9999-12-31): such a date is read and means no day.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

__all__ = ["MAX_STUDY_DAY", "choose_date", "earliest_day", "is_date", "is_implausible", "is_interval", "is_partial", "latest_day"]

MAX_STUDY_DAY = 100_000
"""A study day is no further than this from its origin: some 270 years. Unit: days."""

_TIME = r"(?:T(?:\d{2}|-)(?::(?:\d{2}|-)(?::(?:\d{2}(?:\.\d+)?|-))?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)"
_WITH_YEAR = rf"\d{{4}}(?:-\d{{2}}(?:-\d{{2}}{_TIME}?)?|---\d{{2}}{_TIME}?)?"
_WITHOUT_YEAR = rf"(?:--\d{{2}}(?:-\d{{2}})?|-----(?:\d{{2}})?){_TIME}?"
_DATE = rf"(?:{_WITH_YEAR}|{_WITHOUT_YEAR})"
_SPAN = r"P(?:\d+(?:[.,]\d+)?[YMWD])*(?:T(?:\d+(?:[.,]\d+)?[HMS])+)?"
_FORM = rf"^(?:{_DATE}(?:/(?:{_DATE}|{_SPAN}))?|{_SPAN}/{_DATE})$"
# Years that a record of a trial, or the birth of its subject, can have.
_YEARS = (1901, 2098)
# A leap year stands for one that is not given.
_ANY_YEAR = "2000"


def _text(column: pl.Expr) -> pl.Expr:
    """A date without the end of its interval; a duration that only ends on a date starts on none."""
    return column.cast(pl.String).str.extract(r"^([^/]*)", 1)


def _start(column: pl.Expr) -> pl.Expr:
    """First calendar day, null without a year or where there is no such day."""
    text = _text(column)
    text = pl.when(text.str.contains(r"^\d{4}---")).then(text.str.slice(0, 4)).otherwise(text)
    day = pl.when(text.str.len_chars() >= 10).then(text.str.slice(0, 10)).when(text.str.len_chars() == 7).then(text + "-01")
    return day.otherwise(text.str.slice(0, 4) + "-01-01").str.to_date("%Y-%m-%d", strict=False)


def _formed(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.String).str.contains(_FORM).fill_null(False)


def _has_year(column: pl.Expr) -> pl.Expr:
    return _text(column).str.contains(r"^\d{4}").fill_null(False)


def _first(column: pl.Expr) -> pl.Expr:
    day = _start(column)
    return pl.when(_formed(column) & _has_year(column) & day.dt.year().is_between(*_YEARS)).then(day)


def earliest_day(column: pl.Expr) -> pl.Expr:
    """Return the earliest day a date can mean: Int32 days since 1970-01-01, null where it means none."""
    return _first(column).to_physical().cast(pl.Int32)


def latest_day(column: pl.Expr) -> pl.Expr:
    """Return the latest day a date can mean: Int32 days since 1970-01-01, null where it means none."""
    first, text = _first(column), _text(column)
    year_only = text.str.contains("---", literal=True) | (text.str.len_chars() == 4)
    last = (
        pl.when(year_only)
        .then(first.dt.offset_by("1y").dt.offset_by("-1d"))
        .when(text.str.len_chars() == 7)
        .then(first.dt.month_end())
        .otherwise(first)
    )
    return last.to_physical().cast(pl.Int32)


def is_date(column: pl.Expr) -> pl.Expr:
    """Say whether a text is an ISO 8601 date as SDTM permits it: full or partial, with or without a time, or an interval."""
    text = _text(column)
    month_day = text.str.extract(r"^--(\d{2}(?:-\d{2})?)", 1)
    without_year = pl.lit(_ANY_YEAR + "-") + month_day + pl.when(month_day.str.len_chars() == 2).then(pl.lit("-01")).otherwise(pl.lit(""))
    possible = (
        pl.when(_has_year(column))
        .then(_start(column).is_not_null())
        .when(month_day.is_not_null())
        .then(without_year.str.to_date("%Y-%m-%d", strict=False).is_not_null())
        .otherwise(True)
    )
    return (_formed(column) & possible).fill_null(False)


def is_implausible(column: pl.Expr) -> pl.Expr:
    """Say whether a date has a year that no record of a trial has, so that it means no day."""
    return is_date(column) & _has_year(column) & ~_start(column).dt.year().is_between(*_YEARS).fill_null(True)


def is_interval(column: pl.Expr) -> pl.Expr:
    """Say whether a date is an interval."""
    return is_date(column) & column.cast(pl.String).str.contains("/", literal=True)


def is_partial(column: pl.Expr) -> pl.Expr:
    """Say whether a date lacks its day, its month or its year."""
    text = _text(column)
    return is_date(column) & ((text.str.len_chars() < 10) | text.str.contains("^(-|....---)"))


def choose_date(frame: pl.DataFrame, keys: Sequence[str], order: Sequence[str], days: tuple[str, str]) -> pl.DataFrame:
    """Return, of the dates that several records give one event, the one that counts: one row for each `keys`.

    The first in the order of the sources; but a date that lies within it and is more exact than it wins.

    Parameters
    ----------
    frame : polars.DataFrame
        Dated records.
    keys, order : sequence of str
        Columns that name the event; columns that put its sources in order.
    days : (str, str)
        Columns of the earliest and the latest day that each record can mean.
    """
    early, late = days
    ranked = frame.sort(*keys, *order, nulls_last=True, maintain_order=True)
    within = (pl.col(early) >= pl.col(early).first().over(keys)) & (pl.col(late) <= pl.col(late).first().over(keys))
    exact = ranked.filter(within).sort(*keys, pl.col(late) - pl.col(early), maintain_order=True)
    return exact.unique(keys, keep="first", maintain_order=True)
