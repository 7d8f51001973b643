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

_TIME = r"(?:T(?:[0-9]{2}|-)(?::(?:[0-9]{2}|-)(?::(?:[0-9]{2}(?:\.[0-9]+)?|-))?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)"
_WITH_YEAR = rf"[0-9]{{4}}(?:-[0-9]{{2}}(?:-[0-9]{{2}}{_TIME}?)?|---[0-9]{{2}}{_TIME}?)?"
_WITHOUT_YEAR = rf"(?:--[0-9]{{2}}(?:-[0-9]{{2}})?|-----(?:[0-9]{{2}})?){_TIME}?"
_DATE = rf"(?:{_WITH_YEAR}|{_WITHOUT_YEAR})"
_SPAN = r"P(?:[0-9]+(?:[.,][0-9]+)?[YMWD])*(?:T(?:[0-9]+(?:[.,][0-9]+)?[HMS])+)?"
_FORM = rf"^(?:{_DATE}(?:/(?:{_DATE}|{_SPAN}))?|{_SPAN}/{_DATE})$"
# Years that a record of a trial, or the birth of its subject, can have.
_YEARS = (1901, 2098)
# A leap year stands for one that is not given.
_ANY_YEAR = "2000"


# The same dates are asked for by many rules: of columns of so many rows the meaning of each text is kept, until it is of so many texts.
_FEW, _MOST = 4096, 65536
_KNOWN: dict[str, tuple[object, ...]] = {}


def _day_said(text: pl.Expr) -> pl.Expr:
    """First calendar day of a text that begins with a year, null where there is no such day."""
    plain = pl.when(text.str.contains("^[0-9]{4}---")).then(text.str.slice(0, 4)).otherwise(text)
    length = plain.str.len_chars()
    day = pl.when(length >= 10).then(plain.str.slice(0, 10)).when(length == 7).then(plain + "-01")
    return day.otherwise(plain.str.slice(0, 4) + "-01-01").str.to_date("%Y-%m-%d", strict=False)


def _possible() -> pl.Expr:
    """Whether there is such a day in any year."""
    month_day = pl.col("FROM").str.extract("^--([0-9]{2}(?:-[0-9]{2})?)", 1)
    whole = pl.lit(_ANY_YEAR + "-") + month_day + pl.when(month_day.str.len_chars() == 2).then(pl.lit("-01")).otherwise(pl.lit(""))
    without_year = month_day.is_null() | whole.str.to_date("%Y-%m-%d", strict=False).is_not_null()
    return pl.when("YEAR").then(pl.col("SAID").is_not_null()).otherwise(without_year)


def _last(first: pl.Expr) -> pl.Expr:
    year_only = pl.col("FROM").str.contains("---", literal=True) | (pl.col("LENGTH") == 4)
    end = pl.when(year_only).then(first.dt.offset_by("1y").dt.offset_by("-1d"))
    return end.when(pl.col("LENGTH") == 7).then(first.dt.month_end()).otherwise(first)


_MEANINGS = ("EARLY", "LATE", "DATE", "IMPLAUSIBLE", "INTERVAL", "PARTIAL")


def _meanings(texts: pl.Series) -> pl.DataFrame:
    """Return what each text means, columns of `_MEANINGS`: days as Int32, and whether it is such a date."""
    text = pl.col("TEXT")
    frame = texts.alias("TEXT").to_frame()
    # a date without the end of its interval; a duration that only ends on a date starts on none
    frame = frame.with_columns(text.str.contains(_FORM).fill_null(False).alias("FORMED"), text.str.extract("^([^/]*)", 1).alias("FROM"))
    start = pl.col("FROM")
    year = start.str.contains("^[0-9]{4}").fill_null(False)
    frame = frame.with_columns(_day_said(start).alias("SAID"), year.alias("YEAR"), start.str.len_chars().alias("LENGTH"))
    said, date = pl.col("SAID"), pl.col("FORMED") & _possible()
    lived = said.dt.year().is_between(*_YEARS)
    frame = frame.with_columns(
        date.fill_null(False).alias("DATE"),
        lived.fill_null(True).alias("LIVED"),
        pl.when(pl.col("FORMED") & pl.col("YEAR") & lived).then(said).alias("FIRST"),
    )
    first, date = pl.col("FIRST"), pl.col("DATE")
    return frame.select(
        first.to_physical().cast(pl.Int32).alias("EARLY"),
        _last(first).to_physical().cast(pl.Int32).alias("LATE"),
        "DATE",
        (date & pl.col("YEAR") & ~pl.col("LIVED")).alias("IMPLAUSIBLE"),
        (date & text.str.contains("/", literal=True)).fill_null(False).alias("INTERVAL"),
        (date & ((pl.col("LENGTH") < 10) | start.str.contains("^(-|....---)"))).fill_null(False).alias("PARTIAL"),
    )


def _kept(texts: list[str | None], name: str, dtype: type[pl.DataType]) -> pl.Series:
    """Return one column of the meanings of few texts, by looking each up: no plan is made for those met before."""
    unknown = sorted({text for text in texts if text is not None and text not in _KNOWN})
    new = dict(zip(unknown, _meanings(pl.Series(unknown, dtype=pl.String)).iter_rows(), strict=True)) if unknown else {}
    if len(_KNOWN) < _MOST:
        _KNOWN.update(new)
    at, blank = _MEANINGS.index(name), None if dtype == pl.Int32 else False
    return pl.Series([blank if text is None else (new.get(text) or _KNOWN[text])[at] for text in texts], dtype=dtype)


def _meaning(column: pl.Expr, name: str, dtype: type[pl.DataType]) -> pl.Expr:
    """Return one column of the meanings, found once for each text of a column: a column of dates has few."""

    def find(texts: pl.Series) -> pl.Series:
        if len(texts) <= _FEW:
            return _kept(texts.to_list(), name, dtype).alias(texts.name)
        distinct = texts.drop_nulls().unique().sort()
        blank = None if dtype == pl.Int32 else False
        return texts.replace_strict(distinct, _meanings(distinct)[name], default=blank, return_dtype=dtype)

    return column.cast(pl.String).map_batches(find, return_dtype=dtype, is_elementwise=True)


def earliest_day(column: pl.Expr) -> pl.Expr:
    """Return the earliest day a date can mean: Int32 days since 1970-01-01, null where it means none."""
    return _meaning(column, "EARLY", pl.Int32)


def latest_day(column: pl.Expr) -> pl.Expr:
    """Return the latest day a date can mean: Int32 days since 1970-01-01, null where it means none."""
    return _meaning(column, "LATE", pl.Int32)


def is_date(column: pl.Expr) -> pl.Expr:
    """Say whether a text is an ISO 8601 date as SDTM permits it: full or partial, with or without a time, or an interval."""
    return _meaning(column, "DATE", pl.Boolean)


def is_implausible(column: pl.Expr) -> pl.Expr:
    """Say whether a date has a year that no record of a trial has, so that it means no day."""
    return _meaning(column, "IMPLAUSIBLE", pl.Boolean)


def is_interval(column: pl.Expr) -> pl.Expr:
    """Say whether a date is an interval."""
    return _meaning(column, "INTERVAL", pl.Boolean)


def is_partial(column: pl.Expr) -> pl.Expr:
    """Say whether a date lacks its day, its month or its year."""
    return _meaning(column, "PARTIAL", pl.Boolean)


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
