"""How is a number of subjects put against all of them, and how is said that it is not known?"""

from __future__ import annotations

import polars as pl

from cartrial.endpoints.absent import NOT_RECORDED

__all__ = ["infused_of", "not_recorded", "share"]


def infused_of(adsl: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return the infused subjects of ADSL: TRIAL, SUBJ and those of some columns that it has."""
    return adsl.filter(pl.col("INFFL").cast(pl.String) == "Y").select("TRIAL", "SUBJ", *(name for name in columns if name in adsl.columns))


def share(flags: pl.DataFrame, flag: str, by: tuple[str, ...] = ()) -> pl.DataFrame:
    """Count how many have a flag, of those of whom it is known: trial, `by`, n, N, rate, one row a group, sorted.

    Parameters
    ----------
    flags : polars.DataFrame
        TRIAL, one row a subject, the columns of `by` and the flag (Boolean; null: not known).
    """
    keys = ["trial", *by]
    found = flags.rename({"TRIAL": "trial"}).group_by(keys)
    return (
        found.agg(pl.col(flag).sum().cast(pl.Int64).alias("n"), pl.col(flag).count().cast(pl.Int64).alias("N"))
        .with_columns(rate=pl.when(pl.col("N") > 0).then(pl.col("n") / pl.col("N")))
        .sort(keys)
    )


def not_recorded(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows whose figures, but for N, are not recorded: null, and a text that says so (rules, A3)."""
    kept = pl.col("statistic") == "N"
    value, text = pl.when(kept).then("value").alias("value"), pl.when(kept).then("text").otherwise(pl.lit(NOT_RECORDED)).alias("text")
    return rows.with_columns(value, text)
