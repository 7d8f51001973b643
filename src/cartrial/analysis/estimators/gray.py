"""Do groups differ in the cumulative incidence of one event? Gray's test, for many trials at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cartrial.analysis.estimators.arguments import check_cause, check_names, check_power, check_states, read_status, read_times
from cartrial.analysis.estimators.groups import accumulate, beside, group_rows
from cartrial.analysis.estimators.logrank import quadratic_form, test_columns
from cartrial.analysis.estimators.risk import RiskTable, tabulate_risk

__all__ = ["estimate_gray"]


def estimate_gray(
    frame: pl.DataFrame,
    group: str,
    by: Sequence[str] = ("TRIAL",),
    *,
    strata: Sequence[str] = (),
    time: str = "AVAL",
    status: str = "CNSR",
    cause: int = 0,
    states: int = 3,
    rho: float = 0.0,
) -> pl.DataFrame:
    """Gray's test of the equality of cumulative incidence functions.

    Gray R. Ann Stat 1988;16:1141 (doi:10.1214/aos/1176350951), weights (1 - F(t-))^rho. Matches R ``cmprsk::cuminc``, with its
    correction of the variance for ties. Without competing events it is not the log-rank test.

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
        Time, and 0 event of interest, 1 censored, 2 and on competing events.
    cause : int
        The code of the event to test.
    states : int
        How many codes there are.
    rho : float

    Returns
    -------
    polars.DataFrame
        One row for each trial, sorted: its columns, groups, N, events (of the cause), chi_square, df, p_value. Null where fewer than two
        groups exist or the test is singular.

    Raises
    ------
    InputError
        If a time, code, group or stratum is missing or cannot be, or the cause is the code of censoring.

    Examples
    --------
    Two groups in which the same happens do not differ.

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_gray
    >>> arm = pl.DataFrame({"TRIAL": 1, "ARM": "A", "AVAL": [1, 2, 3], "CNSR": [0, 2, 1]})
    >>> frame = pl.concat([arm, arm.with_columns(ARM=pl.lit("B"))])
    >>> row = estimate_gray(frame, "ARM").row(0, named=True)
    >>> row["N"], row["events"], round(row["chi_square"], 6), round(row["p_value"], 6)
    (6, 2, 0.0, 1.0)
    """
    by, strata, power = check_names(by, "by"), check_names(strata, "strata"), check_power(rho, "rho")
    states = check_states(states)
    cause = check_cause(cause, states)
    times, codes = read_times(frame, time), read_status(frame, status, states)
    code = np.where(codes == cause, 0, np.where(codes == 1, 1, 2))
    level, levels = group_rows(frame, [group], blank=False)
    group_rows(frame, strata, blank=False)
    trial, trials = group_rows(frame, by)
    stratum = group_rows(frame, [*by, *strata])[0]
    k = max(levels.height, 1)
    table = tabulate_risk(frame, [*by, *strata], times, level * 3 + code, 3 * k)
    score, variance = _scores(table, k, power)
    n_trials = trials.height if by else min(frame.height, 1)
    owner = np.zeros(len(table.subjects), np.int64)
    owner[stratum] = trial
    total, spread = np.zeros((n_trials, k)), np.zeros((n_trials, k, k))
    np.add.at(total, owner, score)
    np.add.at(spread, owner, variance)
    present = np.zeros((n_trials, k), bool)
    present[trial, level] = True
    chi_square, df = quadratic_form(total, spread, present)
    return beside(
        trials,
        [
            pl.Series("groups", present.sum(axis=1)),
            pl.Series("N", np.bincount(trial, minlength=n_trials)),
            pl.Series("events", np.bincount(trial, code == 0, minlength=n_trials).astype(np.int64)),
            *test_columns(chi_square, df),
        ],
    )


def _scores(table: RiskTable, k: int, rho: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores and their covariance for each stratum: shapes (strata, k) and (strata, k, k).

    With Y_r at risk, S_r the estimate of survival free of every event and h_r = Y_r / S_r(t-), the pooled incidence F rises by
    dN / h. A score is the sum of w (dN_i - R_i dN / R), R_r = h_r (1 - F_r(t-)), w = (1 - F(t-))^rho. Under the hypothesis it is,
    over the events of group r, a sum of a_ir + g_r (C_ir(end) - C_ir(t)) for the event itself and g*_r (C_ir(end) - C_ir(t)) for a
    competing one: a_ir = w h_i (1[i = r] - h_r / h), C_ir = the sum of a_ir dF / (1 - F(t-)), g_r = 1 - (1 - F) / S_r,
    g*_r = -(1 - F) / S_r.
    """
    offsets, row_group = table.offsets, table.group
    own, other = table.left[:, 0::3].astype(np.float64), table.left[:, 2::3].astype(np.float64)
    counts = table.at_risk_by()
    risk = (counts[:, 0::3] + counts[:, 1::3] + counts[:, 2::3]).astype(np.float64)
    some = np.maximum(risk, 1)
    first = offsets[:-1]

    def before(values: np.ndarray, start: float) -> np.ndarray:
        shifted = np.empty_like(values)
        shifted[1:] = values[:-1]
        shifted[first] = start
        return shifted

    survival = np.column_stack([accumulate(np.multiply, 1 - (own[:, i] + other[:, i]) / some[:, i], offsets) for i in range(k)])
    survival_before = before(survival, 1.0)
    curve = np.column_stack([accumulate(np.add, survival_before[:, i] * own[:, i] / some[:, i], offsets) for i in range(k)])
    h = np.where(risk > 0, risk / np.where(survival_before > 0, survival_before, 1.0), 0.0)
    weighted = h * (1 - before(curve, 0.0))
    whole, died = np.maximum(h.sum(axis=1), 1e-300), own.sum(axis=1)
    pooled = accumulate(np.add, died / whole, offsets)
    free = 1 - before(pooled, 0.0)
    # where nobody of the cause is left there is nothing to weigh: 0 to a negative power would be infinite
    weight = np.power(free, rho, out=np.zeros_like(free), where=free > 1e-12) if rho else np.ones_like(free)
    denominator = weighted.sum(axis=1)
    share = weighted / np.where(denominator > 0, denominator, 1.0)[:, None]
    step = np.where(died > 0, died / (whole * np.where(free > 0, free, 1.0)), 0.0)
    strata = len(table.subjects)
    score = np.column_stack([np.bincount(row_group, weight * (own[:, i] - died * share[:, i]), minlength=strata) for i in range(k)])
    variance = np.zeros((strata, k, k))
    for r in range(k):
        own_variance, other_variance = _event_variance(risk[:, r], survival_before[:, r], whole, died, other[:, r])
        reach = np.where(survival[:, r] > 0, (1 - pooled) / np.where(survival[:, r] > 0, survival[:, r], 1.0), 0.0)
        own_slope = np.where(survival[:, r] > 0, 1 - reach, 0.0)
        direct, later = [], []
        for i in range(k):
            a = weight * h[:, i] * (float(i == r) - h[:, r] / whole)
            c = accumulate(np.add, a * step, offsets)
            direct.append(a)
            later.append(c[offsets[1:] - 1][row_group] - c)
        for i in range(k):
            for j in range(i + 1):
                part = own_variance * (direct[i] + own_slope * later[i]) * (direct[j] + own_slope * later[j])
                part += other_variance * reach**2 * later[i] * later[j]
                variance[:, i, j] += np.bincount(row_group, part, minlength=strata)
                variance[:, j, i] = variance[:, i, j]
    return score, variance


def _event_variance(
    risk: np.ndarray, survival_before: np.ndarray, whole: np.ndarray, died: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Variance of S dM / Y at each time of one group, for the event (expected from the pooled incidence) and for competing events."""
    here = risk > 0
    expected_risk = whole * survival_before
    tie = 1 - np.where(died > 1, (died - 1) / np.where(expected_risk > 1, expected_risk - 1, 1.0), 0.0)
    own = np.where(here, tie * survival_before * died / (whole * np.maximum(risk, 1)), 0.0)
    tie = 1 - np.where(other > 1, (other - 1) / np.maximum(risk - 1, 1), 0.0)
    return own, np.where(here, tie * survival_before**2 * other / np.maximum(risk, 1) ** 2, 0.0)
