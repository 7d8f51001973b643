"""How large is a mediastinal mass against its first measurement?"""

from __future__ import annotations

import polars as pl

from cartrial.sdtm.vocabulary.units import MASS, size_of

__all__ = ["with_sizes"]

THIRD = 3.0
"""A mass of at most its first size divided by this is none."""


def with_sizes(fa: pl.DataFrame, *, absent: int, present: int, suspected: int) -> pl.DataFrame:
    """Set PRESENT of mediastinal masses by their sizes, and add MEASURED.

    Parameters
    ----------
    fa : polars.DataFrame
        Records of FA with SUBJ, DAY, WHAT and PRESENT.
    absent, present, suspected : int
        What PRESENT is of a mass of at most a third of the first, of a larger one, and of one that is larger again.

    Notes
    -----
    The first size is that of the first date on which the mass was measured, by the same measure, a diameter or a volume. Of one date the
    largest size counts, by two measures the one that says more disease, and a word says nothing beside a size.
    """
    size, kind = size_of(fa)
    of_mass = (pl.col("WHAT") == MASS).fill_null(False)
    measured = fa.with_columns(size.alias("SIZE"), kind.alias("KIND")).filter(of_mass & pl.col("SIZE").is_not_null())
    whole = measured.filter((pl.col("DAY") == pl.col("DAYX")).fill_null(False))
    daily = whole.group_by("SUBJ", "KIND", "DAY").agg(pl.col("SIZE").max()).sort("SUBJ", "KIND", "DAY")
    first = pl.col("SIZE").first().over("SUBJ", "KIND")
    daily = daily.with_columns((((THIRD * pl.col("SIZE")).round_sig_figs(12) > first) & (pl.col("SIZE") > 0)).alias("LARGE"))
    daily = daily.with_columns((~pl.col("LARGE")).cum_sum().over("SUBJ", "KIND").alias("GONE"))
    # the more disease the higher
    rank = pl.when(~pl.col("LARGE")).then(0).when(pl.col("GONE") > 0).then(1).otherwise(2)
    states = daily.with_columns(rank.alias("RANK")).group_by("SUBJ", "DAY").agg(pl.col("RANK").max())
    joined = fa.join(states, on=["SUBJ", "DAY"], how="left", maintain_order="left")
    by_size = of_mass & pl.col("RANK").is_not_null()
    said = pl.col("RANK").replace_strict({0: absent, 1: suspected, 2: present}, default=None, return_dtype=pl.Int8)
    return joined.with_columns(pl.when(by_size).then(said).otherwise("PRESENT").alias("PRESENT"), by_size.alias("MEASURED")).drop("RANK")
