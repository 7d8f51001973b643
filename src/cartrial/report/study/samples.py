"""Which samples of the product's cells were taken, and when?"""

from __future__ import annotations

import polars as pl

from cartrial.report.study.data import ReportData
from cartrial.sdtm.vocabulary.results import ABOVE, AT_LEAST, AT_MOST, BELOW, EXACT, UNREADABLE, significant
from cartrial.sdtm.vocabulary.specimens import CELLS_IN

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
        SUBJ, CARDAY (days from day 0), VALUE (the limit of a result as `>x`), BELOW (not quantifiable), LLOQ (the limit of a result
        as `<x`, where none is given); of a full date up to the cutoff, sorted.
    """
    records = data.records
    if records is None:
        return pl.DataFrame(schema=SCHEMA)
    readable = pl.col("REL").is_not_null() & (pl.col("REL") != UNREADABLE)
    labs = records.labs.filter((pl.col("TEST").cast(pl.String) == test) & pl.col("DONE") & readable & (pl.col("DAY") == pl.col("DAYX")))
    labs = labs.filter(pl.col("SPEC").cast(pl.String).is_in(CELLS_IN).fill_null(True))
    labs = labs.join(records.subjects.select("SUBJ", "DAY0", "CUTOFF"), on="SUBJ")
    labs = labs.filter(pl.col("DAY0").is_not_null() & (pl.col("DAY") <= pl.col("CUTOFF")))
    day = (pl.col("DAY") - pl.col("DAY0")).cast(pl.Float64).alias("CARDAY")
    at_least = pl.when(pl.col("REL").is_in([ABOVE, AT_LEAST])).then("LIMIT")
    low = (significant(pl.col("VALUE")) < significant(pl.col("LLOQ"))).fill_null(False)
    below = ((pl.col("REL") != EXACT) & at_least.is_null()) | low
    limit = pl.coalesce("LLOQ", pl.when(pl.col("REL").is_in([BELOW, AT_MOST])).then("LIMIT"))
    values = (pl.coalesce("VALUE", at_least).alias("VALUE"), below.alias("BELOW"), limit.alias("LLOQ"))
    return labs.select("SUBJ", day, *values).sort("SUBJ", "CARDAY")
