"""Which reads of two readers belong together: those of one sample, and the best of each?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cartrial.analysis.estimators.arguments import check_columns, check_texts
from cartrial.response.pairs_kernel import PAIR_DAYS
from cartrial.study.criteria.codes import NE, RESPONSES
from cartrial.study.criteria.leukaemia import LEUKAEMIA

__all__ = ["best_reads", "pair_reads"]


def pair_reads(reads: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """Pair the reads of two readers by date: the nearest within 7 days, each read used once.

    The nearest pair of all is made first, then the nearest of the rest; on a tie the earlier.

    Parameters
    ----------
    reads : polars.DataFrame
        TRIAL, SUBJ, READER, CARDAY (days from day 0), AVALC (the call); as ADRESP.
    first, second : str
        Readers.

    Returns
    -------
    polars.DataFrame
        One row for each pair: TRIAL, SUBJ, CARDAY (of the first), FIRST, SECOND (calls), sorted.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import pair_reads
    >>> reads = {"TRIAL": 1, "SUBJ": 1, "READER": ["IRC", "IRC", "INV"], "CARDAY": [28, 90, 30]}
    >>> reads |= {"AVALC": ["CR", "CR", "CRi"]}
    >>> pair_reads(pl.DataFrame(reads), "IRC", "INV").rows()
    [(1, 1, 28, 'CR', 'CRi')]
    """
    check_columns(reads, "TRIAL", "SUBJ", "READER", "CARDAY", "AVALC")
    check_texts(first=first, second=second)
    own = reads.filter((pl.col("READER") == first) & pl.col("CARDAY").is_not_null()).select("TRIAL", "SUBJ", "CARDAY", FIRST="AVALC")
    other = reads.filter((pl.col("READER") == second) & pl.col("CARDAY").is_not_null()).select(
        "TRIAL", "SUBJ", OTHERDY="CARDAY", SECOND="AVALC"
    )
    own, other = (
        own.sort("TRIAL", "SUBJ", "CARDAY", "FIRST").with_row_index("I"),
        other.sort("TRIAL", "SUBJ", "OTHERDY", "SECOND").with_row_index("J"),
    )
    # reads of one date are each other's nearest: they pair first, and few are left to compare with one another
    same = own.join(other, left_on=["TRIAL", "SUBJ", "CARDAY"], right_on=["TRIAL", "SUBJ", "OTHERDY"], how="inner")
    same = same.filter(pl.col("I").is_first_distinct() & pl.col("J").is_first_distinct())
    own, other = own.join(same, on="I", how="anti"), other.join(same, on="J", how="anti")
    left = (
        own.join(other, on=["TRIAL", "SUBJ"], how="inner")
        .with_columns(GAP=(pl.col("OTHERDY") - pl.col("CARDAY")).abs())
        .filter(pl.col("GAP") <= PAIR_DAYS)
    )
    left = left.sort("GAP", "CARDAY", "OTHERDY", "I", "J").with_row_index("RANK")
    pairs = ["TRIAL", "SUBJ", "CARDAY", "FIRST", "SECOND"]
    found = [same.select(pairs)]
    while left.height:
        nearest = pl.col("RANK") == pl.col("RANK").min()
        made = left.filter(nearest.over("I") & nearest.over("J"))
        found.append(made.select(pairs))
        left = left.join(made, on="I", how="anti").join(made, on="J", how="anti")
    return pl.concat(found).sort(pairs)


def best_reads(reads: pl.DataFrame, first: str, second: str, best_first: Sequence[str] = LEUKAEMIA.best_first) -> pl.DataFrame:
    """Pair the best call of two readers, over subjects that both read after day 0.

    Parameters
    ----------
    reads : polars.DataFrame
        TRIAL, SUBJ, READER, CARDAY, AVALC, USABLE (Y/N); as ADRESP. Of unusable reads only their existence counts: a subject without a
        usable read has NE.
    first, second : str
        Readers.
    best_first : sequence of str
        The calls, the best first.

    Returns
    -------
    polars.DataFrame
        One row for each subject: TRIAL, SUBJ, FIRST, SECOND, sorted.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import best_reads
    >>> reads = {"TRIAL": 1, "SUBJ": 1, "READER": ["IRC", "IRC", "INV"], "CARDAY": [28, 90, 30]}
    >>> reads |= {"AVALC": ["CRi", "CR", "NR"], "USABLE": "Y"}
    >>> best_reads(pl.DataFrame(reads), "IRC", "INV").rows()
    [(1, 1, 'CR', 'NR')]
    """
    check_columns(reads, "TRIAL", "SUBJ", "READER", "CARDAY", "AVALC", "USABLE")
    check_texts(first=first, second=second)
    call = pl.when(pl.col("USABLE") == "Y").then(pl.col("AVALC")).otherwise(pl.lit(RESPONSES[NE]))
    rank = call.replace_strict({name: i for i, name in enumerate(best_first)}, default=len(best_first) - 1, return_dtype=pl.Int8)
    # A relapse follows a remission: alone it says that there was none.
    best = (
        reads.filter(pl.col("READER").is_in([first, second]) & (pl.col("CARDAY") > 0))
        .group_by("TRIAL", "SUBJ", "READER")
        .agg(rank.min().alias("BEST"))
    )
    wide = best.filter(pl.col("READER") == first).join(
        best.filter(pl.col("READER") == second), on=["TRIAL", "SUBJ"], how="inner", suffix="_SECOND"
    )
    names = dict(enumerate(best_first))
    return wide.select(
        "TRIAL",
        "SUBJ",
        FIRST=pl.col("BEST").replace_strict(names, return_dtype=pl.String),
        SECOND=pl.col("BEST_SECOND").replace_strict(names, return_dtype=pl.String),
    ).sort("TRIAL", "SUBJ")
