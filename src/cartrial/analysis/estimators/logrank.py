"""Do groups differ in their time to the event? Log-rank tests, stratified or not, for many trials at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cartrial.analysis.estimators.arguments import Codes, check_names, check_power, read_status, read_times
from cartrial.analysis.estimators.groups import accumulate, beside, group_rows
from cartrial.analysis.estimators.risk import tabulate_risk

__all__ = ["estimate_logrank", "quadratic_form", "test_columns"]


def estimate_logrank(
    frame: pl.DataFrame,
    group: str,
    by: Sequence[str] = ("TRIAL",),
    *,
    strata: Sequence[str] = (),
    time: str = "AVAL",
    status: str = "CNSR",
    codes: Codes = "0/1",
    rho: float = 0.0,
) -> pl.DataFrame:
    """Log-rank test of the equality of survival curves.

    Mantel N. Cancer Chemother Rep 1966;50:163; weights S(t)^rho of Harrington D, Fleming T. Biometrika 1982;69:553
    (doi:10.1093/biomet/69.3.553). Matches R ``survdiff``, with its hypergeometric variance for ties.

    Parameters
    ----------
    frame : polars.DataFrame
        One row for each subject, in any order.
    group : str
        Column of the groups to compare.
    by : sequence of str
        Columns that define a trial. None: one trial.
    strata : sequence of str
        Columns that define strata: subjects are compared inside them.
    time, status : str
        As ADTTE: time, and 0 event, 1 censored.
    codes : {"0/1", "ADaM"}
        ADaM: every code above 0 is censored.
    rho : float
        0: log-rank; 1: the Peto and Peto modification of the Gehan-Wilcoxon test.

    Returns
    -------
    polars.DataFrame
        One row for each trial, sorted: its columns, groups (compared), N, events, chi_square, df, p_value. Null where fewer than
        two groups could have an event, or the test is singular.

    Raises
    ------
    InputError
        If a time, code, group or stratum is missing or cannot be.

    Examples
    --------
    By hand: A has 2 events, 1/2 + 1/3 are expected, and the variance is 1/4 + 2/9; so chi-square is 49/17.

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_logrank
    >>> frame = pl.DataFrame({"TRIAL": 1, "ARM": ["A", "A", "B", "B"], "AVAL": [1, 2, 3, 4], "CNSR": 0})
    >>> row = estimate_logrank(frame, "ARM").row(0, named=True)
    >>> round(row["chi_square"], 4), row["df"], round(49 / 17, 4)
    (2.8824, 1, 2.8824)
    """
    by, strata = check_names(by, "by"), check_names(strata, "strata")
    power = check_power(rho, "rho")
    times, state = read_times(frame, time), read_status(frame, status, 2, codes)
    level, levels = group_rows(frame, [group], blank=False)
    k = max(levels.height, 1)
    trial, trials = group_rows(frame, by)
    group_rows(frame, strata, blank=False)
    table = tabulate_risk(frame, [*by, *strata], times, level * 2 + state, 2 * k)
    n_trials = trials.height if by else min(frame.height, 1)
    owner = _owner(trial, group_rows(frame, [*by, *strata])[0], len(table.subjects))
    died = table.left[:, 0::2].astype(np.float64)
    risk = table.at_risk_by()
    risk_of = (risk[:, 0::2] + risk[:, 1::2]).astype(np.float64)
    d, n = died.sum(axis=1), table.at_risk.astype(np.float64)
    weight = np.ones(len(n))
    if power:
        survival = accumulate(np.multiply, (n - d) / np.maximum(n, 1), table.offsets)
        left = np.concatenate(([1.0], survival[:-1]))
        left[table.offsets[:-1]] = 1.0
        weight = left**power
    where = owner[table.group]
    share = risk_of / np.maximum(n, 1)[:, None]
    excess = (
        np.column_stack([_sum(where, weight * (died[:, i] - d * share[:, i]), n_trials) for i in range(k)])
        if k
        else np.zeros((n_trials, 0))
    )
    expected = np.column_stack([_sum(where, weight * d * share[:, i], n_trials) for i in range(k)])
    spread = weight**2 * d * np.where(n > 1, (n - d) / np.maximum(n - 1, 1), 0.0)
    variance = np.empty((n_trials, k, k))
    for i in range(k):
        for j in range(i + 1):
            variance[:, i, j] = variance[:, j, i] = _sum(where, spread * share[:, i] * (float(i == j) - share[:, j]), n_trials)
    kept = expected > 0
    chi_square, df = quadratic_form(excess, variance, kept)
    return beside(
        trials,
        [
            pl.Series("groups", kept.sum(axis=1)),
            pl.Series("N", np.bincount(trial, minlength=n_trials)),
            pl.Series("events", np.bincount(trial, state == 0, minlength=n_trials).astype(np.int64)),
            *test_columns(chi_square, df),
        ],
    )


def _owner(trial: np.ndarray, stratum: np.ndarray, strata: int) -> np.ndarray:
    owner = np.zeros(strata, np.int64)
    owner[stratum] = trial
    return owner


def _sum(where: np.ndarray, values: np.ndarray, groups: int) -> np.ndarray:
    return np.bincount(where, values, minlength=groups)


def quadratic_form(score: np.ndarray, variance: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the chi-square of scores that add up to zero, and its degrees of freedom, for each trial.

    Parameters
    ----------
    score : ndarray of float64, shape (trials, groups)
    variance : ndarray of float64, shape (trials, groups, groups)
    kept : ndarray of bool, shape (trials, groups)
        Groups that take part.

    Returns
    -------
    chi_square : ndarray of float64, shape (trials,)
        Not a number where fewer than two groups take part, or the variance has not full rank.
    df : ndarray of int64, shape (trials,)
    """
    both = kept[:, :, None] & kept[:, None, :]
    df = kept.sum(axis=1) - 1
    scale = np.where(kept, np.einsum("tii->ti", variance), 0.0).max(axis=1, initial=0.0)
    scale = np.where(scale > 0, scale, 1.0)
    matrix = np.where(both, variance / scale[:, None, None], 0.0)
    values, vectors = np.linalg.eigh(matrix)
    positive = values > 1e-10
    part = np.einsum("tij,ti->tj", vectors, np.where(kept, score, 0.0)) ** 2
    chi_square = (np.where(positive, part / np.where(positive, values, 1.0), 0.0) / scale[:, None]).sum(axis=1)
    usable = (df > 0) & (positive.sum(axis=1) == df)
    return np.where(usable, chi_square, np.nan), np.maximum(df, 0)


def test_columns(chi_square: np.ndarray, df: np.ndarray) -> list[pl.Series]:
    """Return chi_square, df and p_value as columns; null where there is no test."""
    from scipy.special import chdtrc

    with np.errstate(invalid="ignore"):
        p = np.where(df > 0, chdtrc(np.maximum(df, 1), chi_square), np.nan)
    return [pl.Series("chi_square", chi_square).fill_nan(None), pl.Series("df", df), pl.Series("p_value", p).fill_nan(None)]
