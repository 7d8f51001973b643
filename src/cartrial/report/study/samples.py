"""Which samples of the product's cells were taken, and when?"""

from __future__ import annotations

import polars as pl

from cartrial.report.study.data import ReportData

__all__ = ["product_samples"]

SCHEMA = {"SUBJ": pl.Int32, "CARDAY": pl.Float64, "VALUE": pl.Float64, "BELOW": pl.Boolean, "LLOQ": pl.Float64}


def product_samples(data: ReportData, test: str) -> pl.DataFrame:
    """Return the samples of the product's cells in blood.

    Parameters
    ----------
    data : ReportData
    test : {"CARTG", "CARTC"}

    Returns
    -------
    pl.DataFrame
        SUBJ, CARDAY (days from day 0), VALUE, BELOW (the limit of quantification), LLOQ; up to the cutoff, sorted.
    """
    records = data.records
    if records is None:
        return pl.DataFrame(schema=SCHEMA)
    labs = records.labs.filter((pl.col("TEST").cast(pl.String) == test) & pl.col("DONE"))
    labs = labs.filter(pl.col("SPEC").is_null() | (pl.col("SPEC").cast(pl.String) == "BLOOD"))
    labs = labs.join(records.subjects.select("SUBJ", "DAY0", "CUTOFF"), on="SUBJ")
    labs = labs.filter(pl.col("DAY0").is_not_null() & (pl.col("DAY") <= pl.col("CUTOFF")))
    day = (pl.col("DAY") - pl.col("DAY0")).cast(pl.Float64).alias("CARDAY")
    return labs.select("SUBJ", day, "VALUE", "BELOW", "LLOQ").sort("SUBJ", "CARDAY")
