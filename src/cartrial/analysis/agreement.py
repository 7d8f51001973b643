"""Do two readers agree? Cross-tables, percent agreement and Cohen's kappa, for many trials at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cartrial.analysis.groups import beside, group_rows
from cartrial.analysis.limits import normal_quantile
from cartrial.study.criteria.codes import BEST_FIRST

__all__ = ["best_reads", "estimate_agreement", "kappa_of_tables", "pair_reads"]

PAIR_DAYS = 7
"""Reads of one sample: their dates are at most this far apart. Unit: days."""


def pair_reads(reads: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """Pair the reads of two readers by date: the nearest within 7 days, each read used once.

    The nearest pair of all is made first, then the nearest of the rest; on a tie the earlier.

    Parameters
    ----------
    reads : polars.DataFrame
        TRIAL, SUBJ, READER, CARDY (days from day 0), AVALC (the call); as ADRESP.
    first, second : str
        Readers.

    Returns
    -------
    polars.DataFrame
        One row for each pair: TRIAL, SUBJ, CARDY (of the first), FIRST, SECOND (calls), sorted.
    """
    own = reads.filter((pl.col("READER") == first) & pl.col("CARDY").is_not_null()).select("TRIAL", "SUBJ", "CARDY", FIRST="AVALC")
    other = reads.filter((pl.col("READER") == second) & pl.col("CARDY").is_not_null()).select(
        "TRIAL", "SUBJ", OTHERDY="CARDY", SECOND="AVALC"
    )
    own, other = (
        own.sort("TRIAL", "SUBJ", "CARDY", "FIRST").with_row_index("I"),
        other.sort("TRIAL", "SUBJ", "OTHERDY", "SECOND").with_row_index("J"),
    )
    # reads of one date are each other's nearest: they pair first, and few are left to compare with one another
    same = own.join(other, left_on=["TRIAL", "SUBJ", "CARDY"], right_on=["TRIAL", "SUBJ", "OTHERDY"], how="inner")
    same = same.filter(pl.col("I").is_first_distinct() & pl.col("J").is_first_distinct())
    own, other = own.join(same, on="I", how="anti"), other.join(same, on="J", how="anti")
    left = (
        own.join(other, on=["TRIAL", "SUBJ"], how="inner")
        .with_columns(GAP=(pl.col("OTHERDY") - pl.col("CARDY")).abs())
        .filter(pl.col("GAP") <= PAIR_DAYS)
    )
    left = left.sort("GAP", "CARDY", "OTHERDY", "I", "J").with_row_index("RANK")
    pairs = ["TRIAL", "SUBJ", "CARDY", "FIRST", "SECOND"]
    found = [same.select(pairs)]
    while left.height:
        nearest = pl.col("RANK") == pl.col("RANK").min()
        made = left.filter(nearest.over("I") & nearest.over("J"))
        found.append(made.select(pairs))
        left = left.join(made, on="I", how="anti").join(made, on="J", how="anti")
    return pl.concat(found).sort(pairs)


def best_reads(reads: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """Pair the best call of two readers, over subjects that both read after day 0.

    Parameters
    ----------
    reads : polars.DataFrame
        TRIAL, SUBJ, READER, CARDY, AVALC, USABLE (Y/N); as ADRESP. Of unusable reads only their existence counts: a subject without a
        usable read has NE.

    Returns
    -------
    polars.DataFrame
        One row for each subject: TRIAL, SUBJ, FIRST, SECOND, sorted.
    """
    call = pl.when(pl.col("USABLE") == "Y").then(pl.col("AVALC")).otherwise(pl.lit("NE"))
    rank = call.replace_strict({name: i for i, name in enumerate(BEST_FIRST)}, default=len(BEST_FIRST) - 1, return_dtype=pl.Int8)
    # A relapse follows a remission: alone it says that there was none.
    best = (
        reads.filter(pl.col("READER").is_in([first, second]) & (pl.col("CARDY") > 0))
        .group_by("TRIAL", "SUBJ", "READER")
        .agg(rank.min().alias("BEST"))
    )
    wide = best.filter(pl.col("READER") == first).join(
        best.filter(pl.col("READER") == second), on=["TRIAL", "SUBJ"], how="inner", suffix="_SECOND"
    )
    names = {i: name for i, name in enumerate(BEST_FIRST)}
    return wide.select(
        "TRIAL",
        "SUBJ",
        FIRST=pl.col("BEST").replace_strict(names, return_dtype=pl.String),
        SECOND=pl.col("BEST_SECOND").replace_strict(names, return_dtype=pl.String),
    ).sort("TRIAL", "SUBJ")


def kappa_of_tables(tables: np.ndarray, conf_level: float = 0.95) -> dict[str, np.ndarray]:
    """Cohen's kappa of square tables.

    Cohen J. Educ Psychol Meas 1960;20:37 (doi:10.1177/001316446002000104). Standard error for the limits: Fleiss J, Cohen J, Everitt B.
    Psychol Bull 1969;72:323 (doi:10.1037/h0028106).

    Parameters
    ----------
    tables : ndarray, shape (trials, calls, calls)
        Counts, the first reader down.
    conf_level : float

    Returns
    -------
    dict of ndarray, shape (trials,)
        N, agreement, chance, kappa, standard_error, lower, upper. Not a number where chance agreement is 1.
    """
    n = tables.sum(axis=(1, 2)).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = tables / n[:, None, None]
        row, column = p.sum(axis=2), p.sum(axis=1)
        same = np.einsum("tii->ti", p)
        observed, chance = same.sum(axis=1), (row * column).sum(axis=1)
        kappa = (observed - chance) / (1 - chance)
        rest = (1 - kappa)[:, None]
        a = (same * (1 - (row + column) * rest) ** 2).sum(axis=1)
        cross = (column[:, :, None] + row[:, None, :]) ** 2 * p
        b = (1 - kappa) ** 2 * (cross.sum(axis=(1, 2)) - np.einsum("tii->ti", cross).sum(axis=1))
        variance = a + b - (kappa - chance * (1 - kappa)) ** 2
        variance = np.where(np.abs(variance) < 1e-14, 0.0, variance)
        error = np.sqrt(variance / (n * (1 - chance) ** 2))
    half = normal_quantile(conf_level) * error
    undefined = ~(chance < 1)
    kappa, error = np.where(undefined, np.nan, kappa), np.where(undefined, np.nan, error)
    return {
        "N": n.astype(np.int64),
        "agreement": observed,
        "chance": chance,
        "kappa": kappa,
        "standard_error": error,
        "lower": np.where(undefined, np.nan, kappa - half),
        "upper": np.where(undefined, np.nan, kappa + half),
    }


def estimate_agreement(
    pairs: pl.DataFrame, by: Sequence[str] = ("TRIAL",), *, first: str = "FIRST", second: str = "SECOND", conf_level: float = 0.95
) -> pl.DataFrame:
    """Estimate agreement and kappa of pairs of calls, for every trial at once.

    Parameters
    ----------
    pairs : polars.DataFrame
        One row for each pair, the calls as text.
    by : sequence of str
        Columns that define a trial. None: one trial.
    first, second : str
        Columns of the calls (or categories) of the two readers.
    conf_level : float

    Returns
    -------
    polars.DataFrame
        One row for each trial, sorted: its columns, N, agreement, chance, kappa, standard_error, lower, upper.
    """
    trial, trials = group_rows(pairs, by)
    calls = pl.concat([pairs[first].cast(pl.String), pairs[second].cast(pl.String)]).to_frame("call")
    code, levels = group_rows(calls, ["call"])
    k, count = max(levels.height, 1), trials.height if by else min(pairs.height, 1)
    cell = (trial * k + code[: pairs.height]) * k + code[pairs.height :]
    tables = np.bincount(cell, minlength=count * k * k).reshape(count, k, k)
    return beside(trials, [pl.Series(name, values).fill_nan(None) for name, values in kappa_of_tables(tables, conf_level).items()])
