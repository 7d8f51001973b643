"""How are subjects, days and doses of what was given counted?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.safety.shares import not_recorded
from cartrial.analysis.wording import PROPORTION

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records

__all__ = ["SHARE", "absent_row", "infused_people", "number_rows", "share_rows"]

SHARE = {"n": "", "N": "", "rate": PROPORTION}
_NUMBERS = ("median", "q25", "q75", "min", "max")


def infused_people(records: Records) -> pl.DataFrame:
    """Return the subjects infused by the cutoff: trial, SUBJ, DAY0, CUTOFF."""
    return records.subjects.filter(pl.col("DAY0") <= pl.col("CUTOFF")).select(pl.col("TRIAL").alias("trial"), "SUBJ", "DAY0", "CUTOFF")


def share_rows(people: pl.DataFrame, found: pl.DataFrame, **labels: str) -> pl.DataFrame:
    """Rows of how many people have a record: n, N, rate; with a column `level`, of each level, the most frequent first.

    Parameters
    ----------
    people : polars.DataFrame
        trial, SUBJ: the denominator.
    found : polars.DataFrame
        SUBJ of the records, and perhaps `level`.
    **labels : str
        Key columns of the results.
    """
    totals = people.group_by("trial").agg(pl.len().cast(pl.Int64).alias("N"))
    by = ["level"] if "level" in found.columns else []
    has = people.select("trial", "SUBJ").join(found.select("SUBJ", *by).unique(), on="SUBJ", how="inner")
    counts = has.group_by("trial", *by).agg(pl.len().cast(pl.Int64).alias("n"))
    joined = totals.join(counts, on="trial", how="inner" if by else "left").with_columns(pl.col("n").fill_null(0))
    joined = joined.with_columns(rate=pl.col("n") / pl.col("N")).sort("trial", -pl.col("n"), *by)
    return build_rows(joined, SHARE, **labels)


def number_rows(people: pl.DataFrame, values: pl.DataFrame, unit: str, **labels: str) -> pl.DataFrame:
    """Rows of a number of each subject: n (with it), N, median, quartiles, least and most; those of nobody are left out.

    Parameters
    ----------
    people : polars.DataFrame
        trial, SUBJ: the denominator.
    values : polars.DataFrame
        SUBJ and VALUE, null where it is not known; perhaps `level`.
    unit : str
        Of the value.
    **labels : str
        Key columns of the results.
    """
    by = ["level"] if "level" in values.columns else []
    totals = people.group_by("trial").agg(pl.len().cast(pl.Int64).alias("N"))
    known = people.select("trial", "SUBJ").join(values.filter(pl.col("VALUE").is_not_null()), on="SUBJ", how="inner")
    value = pl.col("VALUE").cast(pl.Float64)
    found = known.group_by("trial", *by).agg(
        pl.len().cast(pl.Int64).alias("n"),
        value.median().alias("median"),
        value.quantile(0.25, "linear").alias("q25"),
        value.quantile(0.75, "linear").alias("q75"),
        value.min().alias("min"),
        value.max().alias("max"),
    )
    found = found.join(totals, on="trial").sort("trial", *by)
    return build_rows(found, {"n": "", "N": "", **dict.fromkeys(_NUMBERS, unit)}, **labels)


def absent_row(people: pl.DataFrame, **labels: str) -> pl.DataFrame:
    """Return a row that says of each trial that something was not recorded: never a count of zero."""
    trials = people.select("trial").unique().sort("trial").with_columns(n=pl.lit(None, dtype=pl.Int64))
    return not_recorded(build_rows(trials, ("n",), **labels))
