"""How long until the event? Kaplan-Meier estimates for many groups (trials, arms, variants) at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import Codes, check_level, check_moments, check_shares, read_horizon, read_status, read_times
from cartrial.analysis.estimators.groups import accumulate, beside, first_true, last_before, segment_minimum
from cartrial.analysis.estimators.km_kernel import Leaving, find_quantiles
from cartrial.analysis.estimators.limits import ConfType, check_conf_type, normal_quantile, probability_limits
from cartrial.analysis.estimators.risk import TOLERANCE, Departures, RiskTable, order_departures, tabulate_departures

__all__ = ["KaplanMeier", "estimate_follow_up", "estimate_survival"]

Floats = NDArray[np.float64]

_SMALLEST = 1e-6
"""Shares nearer to 0 or 1 are not read in one pass: the tolerance would reach the first value of a curve."""


@dataclass(frozen=True)
class KaplanMeier:
    """Kaplan-Meier estimates, one group after the other.

    Matches R survival 3.5 ``survfit(Surv(time, event) ~ group)``. The curves are made when they are first asked for: quantiles of many
    groups do without them.

    Parameters
    ----------
    rows : Departures
        States: 0 event, 1 censored.
    conf_type : "log-log", "log" or "plain"
    conf_level : float
    """

    rows: Departures
    conf_type: ConfType
    conf_level: float

    @cached_property
    def table(self) -> RiskTable:
        """Distinct times of each group. States: 0 event, 1 censored."""
        return tabulate_departures(self.rows)

    @cached_property
    def _curve(self) -> tuple[Floats, Floats, Floats, Floats]:
        return _estimate(self.table, self.conf_type, self.conf_level)

    @property
    def survival(self) -> Floats:
        """S at each row of `table`, shape (rows,)."""
        return self._curve[0]

    @property
    def log_error(self) -> Floats:
        """Greenwood's standard error of log S, shape (rows,)."""
        return self._curve[1]

    @property
    def lower(self) -> Floats:
        """Lower limit of S, shape (rows,)."""
        return self._curve[2]

    @property
    def upper(self) -> Floats:
        """Upper limit of S, shape (rows,)."""
        return self._curve[3]

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Whether the curve of each group has reached 0, shape (groups,)."""
        return np.asarray(self.survival[self.table.offsets[1:] - 1] == 0)

    def summary(self, quantiles: Sequence[float] = (0.5,)) -> pl.DataFrame:
        """Subjects, events, and quantiles with Brookmeyer-Crowley limits.

        Parameters
        ----------
        quantiles : sequence of float
            Shares of subjects with the event; 0.5 is the median.

        Returns
        -------
        polars.DataFrame
            One row for each group: the group's columns, N, events, censored, then `median` (or `q25` ...) with `_lower` and
            `_upper`. Not reached: null.

        Raises
        ------
        InputError
            If a share is not between 0 and 1, or a group's column is named as one of the result (here as in the other methods).
        """
        shares = check_shares(quantiles)
        subjects = self.rows.subjects
        censored = np.add.reduceat(self.rows.packed & 1, self.rows.starts[:-1]) if len(subjects) else subjects
        columns = [pl.Series("N", subjects), pl.Series("events", subjects - censored), pl.Series("censored", censored)]
        for share in shares:
            name = "median" if share == 0.5 else f"q{100 * share:g}"
            found = self._in_one_pass(share)
            if found is None:
                found = self._by_curves(share)
            columns.extend(_null(name + suffix, found[:, i]) for i, suffix in enumerate(("", "_lower", "_upper")))
        return beside(self.rows.keys, columns)

    def _in_one_pass(self, share: float) -> Floats | None:
        """Return the quantile and its limits without the curves, shape (groups, 3); None where they are not for it.

        They are for log(-log) limits of whole times, of so many subjects that compiling is worth it, and where rounding decides nothing.
        """
        rows = self.rows
        if self.conf_type != "log-log" or not rows.apart or not _SMALLEST < share < 1 - _SMALLEST:
            return None
        if not find_quantiles.compiles(len(rows.packed)):
            return None
        leaving = Leaving(rows.packed, rows.starts, rows.values.astype(np.float64))
        found = np.empty((len(rows.subjects), 3))
        doubtful = find_quantiles(len(rows.packed), leaving, share, TOLERANCE, normal_quantile(self.conf_level), found)
        return None if doubtful else found

    def _by_curves(self, share: float) -> Floats:
        """Return the quantile and its limits, shape (groups, 3)."""
        return np.column_stack([self._quantile(curve, share) for curve in (self.survival, self.lower, self.upper)])

    def _quantile(self, curve: Floats, share: float) -> Floats:
        """Return the time at which 1 - curve reaches a share, by R's rule.

        As ``quantile.survfit``: the smallest value at or above the share, equal within the tolerance; where the curve is exactly
        there, the midpoint of that time and the next at which it falls, or the last time where it stays to the end.
        """
        offsets, time = self.table.offsets, self.table.time
        if len(time) == 0:
            return np.zeros(0)
        fallen = 1.0 - curve
        first = self._first_least(fallen, share - TOLERANCE)
        second = self._first_least(fallen, share + TOLERANCE)
        last = fallen[offsets[1:] - 1]
        with np.errstate(invalid="ignore"):
            second = np.where(np.abs(share - last) < TOLERANCE, self.table.last_time, second)
        return (first + second) / 2

    def _first_least(self, fallen: Floats, share: float) -> Floats:
        """Return the first time of the smallest value that is not below a share (limits need not be monotone)."""
        offsets, time = self.table.offsets, self.table.time
        with np.errstate(invalid="ignore"):
            reached = np.where(fallen >= share, fallen, np.inf)
        least = segment_minimum(reached, offsets)
        row = first_true(reached == np.repeat(least, np.diff(offsets)), offsets)
        return np.where(np.isfinite(least), time[np.minimum(row, len(time) - 1)], np.nan)

    def at(self, times: Sequence[float]) -> pl.DataFrame:
        """Survival at given times.

        As ``summary(survfit, times=, extend=TRUE)``: 1 with limits 1 and 1 before a group's first time, flat past its last.

        Parameters
        ----------
        times : sequence of float
            Unit: that of the data.

        Returns
        -------
        polars.DataFrame
            One row for each group and time: the group's columns, time, at_risk (just before the time), survival, standard_error,
            survival_lower, survival_upper, observed (whether the curve is known there: the group's last time is not before the time, or the
            curve has reached 0, where it stays).
        """
        moments = check_moments(times, "times").ravel()
        found = [self.at_each(np.full(len(self.table.subjects), when)) for when in moments]
        return pl.concat(found) if found else self.at_each(np.zeros(len(self.table.subjects))).clear()

    def at_each(self, when: np.ndarray) -> pl.DataFrame:
        """Survival at one time for each group, shape (groups,); columns as `at`."""
        table, offsets = self.table, self.table.offsets
        when = read_horizon(when, len(table.subjects))
        before = last_before(table.time, offsets, when, inclusive=False)
        reached = last_before(table.time, offsets, when)
        row = offsets[:-1] + np.maximum(reached - 1, 0)
        left = offsets[:-1] + before
        risk = np.where(left < offsets[1:], table.at_risk[np.minimum(left, max(len(table.time) - 1, 0))], 0)
        started = reached > 0
        with np.errstate(invalid="ignore"):
            error = self.survival * self.log_error
        return beside(
            table.keys,
            [
                pl.Series("time", when),
                pl.Series("at_risk", risk),
                _null("survival", np.where(started, self.survival[row], 1.0)),
                _null("standard_error", np.where(started, error[row], 0.0)),
                _null("survival_lower", np.where(started, self.lower[row], 1.0)),
                _null("survival_upper", np.where(started, self.upper[row], 1.0)),
                pl.Series("observed", (when <= table.last_time) | self.ended),
            ],
        )

    def steps(self) -> pl.DataFrame:
        """Return the whole curve.

        Returns
        -------
        polars.DataFrame
            One row for each group and distinct time: the group's columns, time, at_risk (just before), events, censored, survival,
            standard_error, survival_lower, survival_upper.
        """
        table = self.table
        with np.errstate(invalid="ignore"):
            error = self.survival * self.log_error
        return beside(
            table.keys[table.group] if table.keys.width else table.keys,
            [
                pl.Series("time", table.time),
                pl.Series("at_risk", table.at_risk),
                pl.Series("events", table.left[:, 0]),
                pl.Series("censored", table.left[:, 1]),
                _null("survival", self.survival),
                _null("standard_error", error),
                _null("survival_lower", self.lower),
                _null("survival_upper", self.upper),
            ],
        )

    def restricted_mean(self, until: float | Sequence[float] | np.ndarray) -> pl.DataFrame:
        """Mean time lived up to a horizon (restricted mean survival time), with Greenwood's variance.

        As R's ``print(survfit, rmean=)``: S is carried flat past the last time. Where it has reached 0 that is right, else it is a guess
        that no subject bears out: `observed` is false.

        Parameters
        ----------
        until : float or ndarray of shape (groups,)
            The horizon, finite. Unit: that of the data.

        Returns
        -------
        polars.DataFrame
            One row for each group: the group's columns, time (the horizon), rmst, standard_error, observed (whether the group's last time
            is not before the horizon, or its curve has reached 0).
        """
        table, offsets = self.table, self.table.offsets
        groups = len(table.subjects)
        horizon = read_horizon(until, groups)
        lengths = np.diff(offsets)
        first = offsets[:-1]
        previous_time, previous = np.empty(len(table.time)), np.empty(len(table.time))
        previous_time[1:], previous[1:] = table.time[:-1], self.survival[:-1]
        previous_time[first], previous[first] = np.minimum(0.0, table.time[first]), 1.0
        end = np.repeat(horizon, lengths)
        area = accumulate(np.add, previous * np.maximum(np.minimum(table.time, end) - np.minimum(previous_time, end), 0.0), offsets)
        tail = self.survival[offsets[1:] - 1] * np.maximum(horizon - table.last_time, 0.0)
        start = np.minimum(0.0, table.time[first])
        whole = area[offsets[1:] - 1] + tail
        events, risk = table.left[:, 0], table.at_risk
        with np.errstate(divide="ignore", invalid="ignore"):
            hazard = np.where((risk > events) & (table.time <= end), events / (risk * (risk - events).astype(np.float64)), 0.0)
        variance = np.bincount(table.group, (np.repeat(whole, lengths) - area) ** 2 * hazard, minlength=groups)
        return beside(
            table.keys,
            [
                pl.Series("time", horizon),
                pl.Series("rmst", whole + start),
                pl.Series("standard_error", np.sqrt(variance)),
                pl.Series("observed", (horizon <= table.last_time) | (self.survival[offsets[1:] - 1] == 0)),
            ],
        )


def _null(name: str, values: np.ndarray) -> pl.Series:
    return pl.Series(name, values).fill_nan(None)


def estimate_survival(
    frame: pl.DataFrame,
    by: Sequence[str] = ("TRIAL",),
    *,
    time: str = "AVAL",
    status: str = "CNSR",
    codes: Codes = "0/1",
    conf_type: ConfType = "log-log",
    conf_level: float = 0.95,
) -> KaplanMeier:
    """Estimate survival by Kaplan and Meier, for every group of a frame at once.

    Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457 (doi:10.1080/01621459.1958.10501452). Variance: Greenwood. Limits of the
    median: Brookmeyer R, Crowley J. Biometrics 1982;38:29 (doi:10.2307/2530286). Matches R ``survfit`` and ``quantile``.

    Parameters
    ----------
    frame : polars.DataFrame
        One row for each subject, in any order.
    by : sequence of str
        Columns that define a group. None: one group.
    time : str
        Column of times. Unit: any, days as a rule.
    status : str
        Column of codes as ADaM's CNSR: 0 event, 1 censored; integers or whole decimals, as XPT has them.
    codes : {"0/1", "ADaM"}
        ADaM: every code above 0 is censored (a code for each reason).
    conf_type : {"log-log", "log", "plain"}
    conf_level : float

    Returns
    -------
    KaplanMeier

    Raises
    ------
    InputError
        If a time or code is missing, unknown or below 0, or another argument cannot be.

    Examples
    --------
    By hand: 3/4 after day 1, half of that after day 3.

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_survival
    >>> curve = estimate_survival(pl.DataFrame({"TRIAL": 1, "AVAL": [1, 2, 3, 4], "CNSR": [0, 1, 0, 0]}))
    >>> curve.steps()["survival"].to_list()
    [0.75, 0.75, 0.375, 0.0]
    >>> curve.summary()["median"].item(), curve.at([2])["at_risk"].item()
    (3.0, 3)
    """
    return _fit(frame, by, read_times(frame, time), read_status(frame, status, 2, codes), conf_type, conf_level)


def estimate_follow_up(
    frame: pl.DataFrame,
    by: Sequence[str] = ("TRIAL",),
    *,
    time: str = "AVAL",
    status: str = "CNSR",
    codes: Codes = "0/1",
    conf_type: ConfType = "log-log",
    conf_level: float = 0.95,
) -> KaplanMeier:
    """Estimate the length of follow-up by the reverse Kaplan-Meier estimate.

    The status is flipped: being censored is the event, as R ``survfit(Surv(time, 1 - event))``. Where a death and a censoring
    stand on one day, the dead are still at risk of being censored on it. Schemper M, Smith TL. Control Clin Trials 1996;17:343
    (doi:10.1016/0197-2456(96)00075-X). Parameters as `estimate_survival`.

    Examples
    --------
    By hand: of the subjects censored on days 2 and 6, one in three was gone after day 2, all after day 6.

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_follow_up
    >>> curve = estimate_follow_up(pl.DataFrame({"TRIAL": 1, "AVAL": [2, 4, 6], "CNSR": [1, 0, 1]}))
    >>> curve.steps()["survival"].round(3).to_list(), curve.summary()["median"].item()
    ([0.667, 0.667, 0.0], 6.0)
    """
    return _fit(frame, by, read_times(frame, time), 1 - read_status(frame, status, 2, codes), conf_type, conf_level)


def _fit(
    frame: pl.DataFrame, by: Sequence[str], times: np.ndarray, states: np.ndarray, conf_type: ConfType, conf_level: float
) -> KaplanMeier:
    rows = order_departures(frame, by, times, states, 2)
    check_conf_type(conf_type)
    return KaplanMeier(rows, conf_type, check_level(conf_level))


def _estimate(table: RiskTable, conf_type: ConfType, conf_level: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return survival, Greenwood's standard error of its logarithm, and its limits at each row of a table."""
    events = table.left[:, 0]
    jump, where = table.keep(events > 0)
    risk = table.at_risk[jump].astype(np.float64)
    lost = events[jump].astype(np.float64)
    with np.errstate(divide="ignore"):
        hazard = lost / (risk * (risk - lost))
    survival_at = accumulate(np.multiply, (risk - lost) / risk, where)
    error_at = np.sqrt(accumulate(np.add, hazard, where))
    lower_at, upper_at = probability_limits(survival_at, error_at, conf_type, conf_level)
    before = np.cumsum(events > 0) - np.repeat(where[:-1], np.diff(table.offsets)) if len(events) else np.zeros(0, np.int64)
    row = np.repeat(where[:-1], np.diff(table.offsets)) + before - 1
    started = before > 0
    edge = np.nan if conf_type == "log-log" else 1.0

    def spread(values: Floats, start: float) -> Floats:
        if len(values) == 0:
            return np.full(len(events), start)
        return np.where(started, values[np.maximum(row, 0)], start)

    error = spread(error_at, 0.0)
    survival = spread(survival_at, 1.0)
    return survival, np.where(survival == 0, np.nan, error), spread(lower_at, edge), spread(upper_at, edge)
