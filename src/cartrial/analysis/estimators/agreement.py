"""Do two readers agree? Cross-tables, percent agreement and Cohen's kappa, for many trials at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cartrial.analysis.estimators.arguments import check_column, check_filled
from cartrial.analysis.estimators.groups import beside, group_rows
from cartrial.analysis.estimators.limits import normal_quantile
from cartrial.coded import CODED
from cartrial.errors import InputError

__all__ = ["estimate_agreement", "kappa_of_tables"]


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
        N, agreement, chance, kappa, standard_error, lower, upper (as the formula gives them: they may leave -1 to 1). Not a number where
        chance agreement is 1.

    Raises
    ------
    InputError
        If the tables are not square tables of counts.

    Examples
    --------
    By hand: 35 of 50 agree, half would by chance, so kappa is (0.7 - 0.5)/(1 - 0.5).

    >>> import numpy as np
    >>> from cartrial.analysis import kappa_of_tables
    >>> found = kappa_of_tables(np.array([[[20, 5], [10, 15]]]))
    >>> {name: float(found[name][0].round(3)) for name in ("agreement", "chance", "kappa")}
    {'agreement': 0.7, 'chance': 0.5, 'kappa': 0.4}
    """
    tables = _counts(tables)
    n = tables.sum(axis=(1, 2))
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


def _counts(tables: object) -> np.ndarray:
    """Return tables of counts as decimals."""
    right = "Counts of shape (trials, calls, calls): whole numbers, 0 or above"
    try:
        found = np.asarray(tables)
    except ValueError:
        found = np.zeros(0)
    if found.ndim != 3 or found.shape[1] != found.shape[2] or found.dtype.kind not in "iuf":
        raise InputError("the tables are not square tables of numbers", key="tables", right=right)
    counts = found.astype(np.float64)
    if not (np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts))).all():
        raise InputError("a cell of a table is no count", key="tables", right=right)
    return counts


def estimate_agreement(
    pairs: pl.DataFrame, by: Sequence[str] = ("TRIAL",), *, first: str = "FIRST", second: str = "SECOND", conf_level: float = 0.95
) -> pl.DataFrame:
    """Estimate agreement and kappa of pairs of calls, for every trial at once.

    Parameters
    ----------
    pairs : polars.DataFrame
        One row for each pair, the calls as text; a pair with an empty call is no pair.
    by : sequence of str
        Columns that define a trial. None: one trial.
    first, second : str
        Columns of the calls (or categories) of the two readers.
    conf_level : float

    Returns
    -------
    polars.DataFrame
        One row for each trial, sorted: its columns, N, agreement, chance, kappa, standard_error, lower, upper (within -1 to 1). Where the
        formula's standard error is 0 (full agreement, or a reader who gives one call alone) there are no limits: it is no certainty.

    Raises
    ------
    InputError
        If a call is empty or blank.

    Examples
    --------
    By hand: 3 of 4 agree, 1/2 · 1/4 + 1/2 · 3/4 would by chance.

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_agreement
    >>> pairs = {"TRIAL": 1, "FIRST": ["CR", "CR", "NR", "NR"], "SECOND": ["CR", "NR", "NR", "NR"]}
    >>> estimate_agreement(pl.DataFrame(pairs)).select("N", "agreement", "chance", "kappa").row(0)
    (4, 0.75, 0.5, 0.5)
    """
    trial, trials = group_rows(pairs, by)
    both = [check_column(pairs, name, "of calls") for name in (first, second)]
    for series in both:
        check_filled(series, "a call is empty", "Leave out pairs without both calls before the estimate, and count them")
    calls = pl.concat([series.cast(CODED) for series in both]).to_frame("call")
    code, levels = group_rows(calls, ["call"])
    k, count = max(levels.height, 1), trials.height if by else min(pairs.height, 1)
    cell = (trial * k + code[: pairs.height]) * k + code[pairs.height :]
    tables = np.bincount(cell, minlength=count * k * k).reshape(count, k, k)
    found = kappa_of_tables(tables, conf_level)
    for name in ("lower", "upper"):  # kappa itself is within -1 to 1
        found[name] = np.where(found["standard_error"] > 0, np.clip(found[name], -1.0, 1.0), np.nan)
    return beside(trials, [pl.Series(name, values).fill_nan(None) for name, values in found.items()])
