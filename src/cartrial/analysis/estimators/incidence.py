"""How often does each of several competing events come first? Aalen-Johansen estimates and Gray's test, for many groups at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from cartrial.analysis.estimators.arguments import check_moments, check_states, check_word, read_horizon, read_status, read_times
from cartrial.analysis.estimators.groups import accumulate, beside, last_before
from cartrial.analysis.estimators.limits import ConfType, probability_limits
from cartrial.analysis.estimators.risk import RiskTable, tabulate_risk

__all__ = ["AalenJohansen", "Variance", "estimate_incidence"]

Variance = Literal["survfit", "cuminc"]


@dataclass(frozen=True)
class AalenJohansen:
    """Cumulative incidence of competing events, one group after the other.

    Parameters
    ----------
    table : RiskTable
        States: 0 event of interest, 1 censored, 2 and on competing events.
    causes : tuple of int
        The codes of the events, without 1: what the second axis below means.
    survival : ndarray of float64, shape (rows,)
        Free of every event.
    incidence, standard_error, lower, upper : ndarray of float64, shape (rows, causes)
    variance : "survfit" or "cuminc"
    conf_type : "log", "log-log" or "plain"
    conf_level : float
    """

    table: RiskTable
    causes: tuple[int, ...]
    survival: np.ndarray
    incidence: np.ndarray
    standard_error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    variance: Variance
    conf_type: ConfType
    conf_level: float

    @property
    def ended(self) -> np.ndarray:
        """Whether nobody of a group is left free of every event, bool of shape (groups,)."""
        return np.asarray(self.survival[self.table.offsets[1:] - 1] == 0)

    def summary(self) -> pl.DataFrame:
        """Return one row for each group and cause: the group's columns, cause, N, events (of that cause), censored, last_time."""
        total = self.table.total()
        return pl.concat(
            beside(
                self.table.keys,
                [
                    pl.Series("cause", np.full(len(total), cause)),
                    pl.Series("N", self.table.subjects),
                    pl.Series("events", total[:, cause]),
                    pl.Series("censored", total[:, 1]),
                    pl.Series("last_time", self.table.last_time),
                ],
            )
            for cause in self.causes
        )

    def at(self, times: Sequence[float]) -> pl.DataFrame:
        """Incidence at given times.

        As ``summary(survfit, times=, extend=TRUE)``: 0 with limits 0 and 0 before a group's first time, flat past its last.

        Returns
        -------
        polars.DataFrame
            One row for each group, time and cause: the group's columns, cause, time, at_risk (just before the time), incidence,
            standard_error, incidence_lower, incidence_upper, observed (whether the curve is known there: the group's last time is not
            before the time, or every subject had an event).
        """
        groups = len(self.table.subjects)
        found = [self.at_each(np.full(groups, when)) for when in check_moments(times, "times").ravel()]
        return pl.concat(found) if found else self.at_each(np.zeros(groups)).clear()

    def at_each(self, when: np.ndarray) -> pl.DataFrame:
        """Incidence at one time for each group, shape (groups,); columns as `at`."""
        table, offsets = self.table, self.table.offsets
        when = read_horizon(when, len(table.subjects))
        reached = last_before(table.time, offsets, when)
        left = offsets[:-1] + last_before(table.time, offsets, when, inclusive=False)
        row, started = offsets[:-1] + np.maximum(reached - 1, 0), reached > 0
        risk = np.where(left < offsets[1:], table.at_risk[np.minimum(left, max(len(table.time) - 1, 0))], 0)
        return pl.concat(
            beside(
                table.keys,
                [
                    pl.Series("cause", np.full(len(when), cause)),
                    pl.Series("time", when),
                    pl.Series("at_risk", risk),
                    *(
                        pl.Series(name, np.where(started, values[row, i], 0.0)).fill_nan(None)
                        for name, values in (
                            ("incidence", self.incidence),
                            ("standard_error", self.standard_error),
                            ("incidence_lower", self.lower),
                            ("incidence_upper", self.upper),
                        )
                    ),
                    pl.Series("observed", (when <= table.last_time) | self.ended),
                ],
            )
            for i, cause in enumerate(self.causes)
        )

    def steps(self) -> pl.DataFrame:
        """Return the whole curves.

        Returns
        -------
        polars.DataFrame
            One row for each group, cause and distinct time: the group's columns, cause, time, at_risk (just before), events (of that
            cause), censored, incidence, standard_error, incidence_lower, incidence_upper.
        """
        table = self.table
        keys = table.keys[table.group] if table.keys.width else table.keys
        return pl.concat(
            beside(
                keys,
                [
                    pl.Series("cause", np.full(len(table.time), cause)),
                    pl.Series("time", table.time),
                    pl.Series("at_risk", table.at_risk),
                    pl.Series("events", table.left[:, cause]),
                    pl.Series("censored", table.left[:, 1]),
                    pl.Series("incidence", self.incidence[:, i]),
                    pl.Series("standard_error", self.standard_error[:, i]).fill_nan(None),
                    pl.Series("incidence_lower", self.lower[:, i]).fill_nan(None),
                    pl.Series("incidence_upper", self.upper[:, i]).fill_nan(None),
                ],
            )
            for i, cause in enumerate(self.causes)
        )


def estimate_incidence(
    frame: pl.DataFrame,
    by: Sequence[str] = ("TRIAL",),
    *,
    time: str = "AVAL",
    status: str = "CNSR",
    states: int = 3,
    variance: Variance = "survfit",
    conf_type: ConfType = "log",
    conf_level: float = 0.95,
) -> AalenJohansen:
    """Estimate the cumulative incidence of competing events, for every group of a frame at once.

    Aalen O, Johansen S. Scand J Stat 1978;5:141.

    Parameters
    ----------
    frame : polars.DataFrame
        One row for each subject, in any order.
    by : sequence of str
        Columns that define a group. None: one group.
    time : str
        Column of times. Unit: any, days as a rule.
    status : str
        Column of codes: 0 event of interest, 1 censored, 2 and on competing events; integers or whole decimals.
    states : int
        How many codes there are.
    variance : {"survfit", "cuminc"}
        `survfit`: the infinitesimal jackknife of R ``survfit``, which for one initial state is the multinomial estimator of Dinse G,
        Larson M. Biometrika 1986;73:379 (doi:10.1093/biomet/73.2.379). `cuminc`: Aalen O. Ann Stat 1978;6:534
        (doi:10.1214/aos/1176344198) as R ``cmprsk::cuminc``; larger in small sets.
    conf_type : {"log", "log-log", "plain"}
        On the incidence. `log` is R ``survfit``'s default.
    conf_level : float

    Returns
    -------
    AalenJohansen

    Raises
    ------
    InputError
        If a time or code is missing, unknown or below 0, or another argument cannot be.

    Examples
    --------
    By hand: 1/4 on day 1; half are free of both events after day 2, and the one left has it on day 4.

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_incidence
    >>> curves = estimate_incidence(pl.DataFrame({"TRIAL": 1, "AVAL": [1, 2, 3, 4], "CNSR": [0, 2, 1, 0]}))
    >>> curves.at([3, 4]).select("time", "cause", "incidence").rows()
    [(3.0, 0, 0.25), (3.0, 2, 0.25), (4.0, 0, 0.75), (4.0, 2, 0.25)]
    """
    check_word(variance, get_args(Variance), "variance", "variance")
    states = check_states(states)
    table = tabulate_risk(frame, by, read_times(frame, time), read_status(frame, status, states), states)
    offsets = table.offsets
    causes = tuple(code for code in range(states) if code != 1)
    risk = table.at_risk.astype(np.float64)
    died = table.left[:, list(causes)].astype(np.float64)
    lost = died.sum(axis=1)
    survival = accumulate(np.multiply, (risk - lost) / np.maximum(risk, 1), offsets)
    before = np.concatenate(([1.0], survival[:-1])) if len(survival) else survival
    before[offsets[:-1]] = 1.0
    incidence, error, lower, upper = (np.empty((len(risk), len(causes))) for _ in range(4))
    for i in range(len(causes)):
        curve = accumulate(np.add, before * died[:, i] / np.maximum(risk, 1), offsets)
        parts = _variance_parts(variance, curve, survival, before, risk, died[:, i], lost - died[:, i])
        a, b, c = (accumulate(np.add, part, offsets) for part in parts)
        incidence[:, i] = curve
        spread = np.maximum(a - 2 * curve * b + curve**2 * c, 0.0)
        error[:, i] = np.sqrt(np.where(spread < 1e-15 * (a + curve**2 * c), 0.0, spread))
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(error[:, i] == 0, 0.0, error[:, i] / curve)
        lower[:, i], upper[:, i] = probability_limits(curve, relative, conf_type, conf_level)
    return AalenJohansen(table, causes, survival, incidence, error, lower, upper, variance, conf_type, conf_level)


def _variance_parts(
    variance: Variance, curve: np.ndarray, survival: np.ndarray, before: np.ndarray, risk: np.ndarray, own: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for each time u, what it adds to A, B and C of Var F(t) = A - 2 F(t) B + F(t)^2 C.

    A subject's own event at u moves F(t) by S(u-) (1 + (F(u) - F(t)) / S(u)), any other event by S(u-) (F(u) - F(t)) / S(u): both are
    linear in F(t), so their variances are quadratic in it. `survfit` takes the multinomial variance of the two counts, `cuminc` that of
    each alone, with the hypergeometric correction for ties.
    """
    inverse = np.where(survival > 0, 1.0 / np.where(survival > 0, survival, 1.0), 0.0)
    n = np.maximum(risk, 1)
    first, second = before * (1 + curve * inverse), before * curve * inverse
    slope = before * inverse
    if variance == "cuminc":
        spare = np.maximum(n - 1, 1)
        own_weight = own * (1 - np.where(own > 1, (own - 1) / spare, 0.0)) / n**2
        other_weight = other * (1 - np.where(other > 1, (other - 1) / spare, 0.0)) / n**2
        cross = np.zeros_like(n)
    else:
        own_weight, other_weight, cross = own * (n - own) / n**3, other * (n - other) / n**3, own * other / n**3
    return (
        own_weight * first**2 + other_weight * second**2 - 2 * cross * first * second,
        slope * (own_weight * first + other_weight * second - cross * (first + second)),
        slope**2 * (own_weight + other_weight - 2 * cross),
    )
