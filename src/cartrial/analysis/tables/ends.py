"""With which event, or why without one, did each time to event end?"""

from __future__ import annotations

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.endpoints import kind_of_end
from cartrial.sdtm.vocabulary.terms import value_of

__all__ = ["KINDS", "end_rows"]

KINDS = ("event", "censored", "competing")
"""How a time can end, by the kind that `kind_of_end` gives: 0, 1, 2."""


def end_rows(adtte: pl.DataFrame, labels: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows on how the times to event ended, of every variant.

    Parameters
    ----------
    adtte : polars.DataFrame
        TRIAL, SUBJ, PARAMCD, VARIANT, AVAL, CNSR as recorded, EVNTDESC.
    labels : polars.DataFrame
        PARAMCD, VARIANT and the key columns of the results that follow from them.

    Returns
    -------
    list of polars.DataFrame
        `analysis` censoring, `by` one of `KINDS`: n and N (with a time); `level` what it ended with: n.
    """
    names = pl.col("PARAMCD", "VARIANT").cast(pl.String)
    used = adtte.with_columns(names).filter(pl.col("AVAL").is_not_null() & pl.col("CNSR").is_not_null())
    if used.is_empty():
        return []
    used = used.with_columns(kind_of_end().alias("KIND"), value_of(used, "EVNTDESC").fill_null("not recorded").alias("level"))
    kind = pl.col("KIND").cast(pl.Int32).replace_strict(range(len(KINDS)), list(KINDS), return_dtype=pl.String)
    used = used.with_columns(kind.alias("by"))
    keys = ["PARAMCD", "VARIANT", "TRIAL"]
    totals = used.group_by(keys).agg(pl.len().cast(pl.Int64).alias("N"))
    grid = totals.join(pl.DataFrame({"by": list(KINDS[:2])}), how="cross")
    count = pl.len().cast(pl.Int64).alias("n")
    whole = grid.join(used.group_by(*keys, "by").agg(count), on=[*keys, "by"], how="full", coalesce=True)
    whole = whole.drop("N").join(totals, on=keys).with_columns(pl.col("n").fill_null(0))
    parts = used.group_by(*keys, "by", "level").agg(count)

    def labelled(frame: pl.DataFrame) -> pl.DataFrame:
        joined = frame.join(labels, on=["PARAMCD", "VARIANT"], how="inner", maintain_order="left").rename({"TRIAL": "trial"})
        return joined.sort(*(name for name in ("PARAMCD", "VARIANT", "trial", "by", "level") if name in joined.columns))

    return [build_rows(labelled(whole), ("n", "N"), analysis="censoring"), build_rows(labelled(parts), ("n",), analysis="censoring")]
