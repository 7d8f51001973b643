"""Do two readers agree? Cross-tables, percent agreement and Cohen's kappa, for many trials at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cartrial.analysis.estimators.groups import beside, group_rows
from cartrial.analysis.estimators.limits import normal_quantile

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
        N, agreement, chance, kappa, standard_error, lower, upper. Not a number where chance agreement is 1.

    Examples
    --------
    By hand: 35 of 50 agree, half would by chance, so kappa is (0.7 - 0.5)/(1 - 0.5).

    >>> import numpy as np
    >>> from cartrial.analysis import kappa_of_tables
    >>> found = kappa_of_tables(np.array([[[20, 5], [10, 15]]]))
    >>> {name: float(found[name][0].round(3)) for name in ("agreement", "chance", "kappa")}
    {'agreement': 0.7, 'chance': 0.5, 'kappa': 0.4}
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
    calls = pl.concat([pairs[first].cast(pl.String), pairs[second].cast(pl.String)]).to_frame("call")
    code, levels = group_rows(calls, ["call"])
    k, count = max(levels.height, 1), trials.height if by else min(pairs.height, 1)
    cell = (trial * k + code[: pairs.height]) * k + code[pairs.height :]
    tables = np.bincount(cell, minlength=count * k * k).reshape(count, k, k)
    return beside(trials, [pl.Series(name, values).fill_nan(None) for name, values in kappa_of_tables(tables, conf_level).items()])
