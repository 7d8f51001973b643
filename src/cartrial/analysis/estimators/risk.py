"""Who was at risk, and who left, at each time? The table that every estimator over time starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.groups import group_rows
from cartrial.analysis.estimators.risk_kernel import sort_departures

__all__ = ["TOLERANCE", "Departures", "RiskTable", "order_departures", "tabulate_departures", "tabulate_risk", "unite_times"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TOLERANCE = float(np.sqrt(np.finfo(float).eps))
"""Times and probabilities nearer than this are equal, as R's survival has it (sqrt of the machine epsilon)."""

_FEW = 1 << 16
"""Times and states of which a table is made without a thought."""


@dataclass(frozen=True)
class RiskTable:
    """Distinct times of each group, one group after the other.

    Parameters
    ----------
    keys : polars.DataFrame, shape (groups, columns)
        The groups, sorted.
    offsets : ndarray of int64, shape (groups + 1,)
        Where each group's times start.
    time : ndarray of float64, shape (rows,)
        Distinct times, rising in each group. Unit: the caller's.
    left : ndarray of int64, shape (rows, states)
        Subjects that leave at the time, by state.
    at_risk : ndarray of int64, shape (rows,)
        Subjects at risk just before the time.
    subjects : ndarray of int64, shape (groups,)
    """

    keys: pl.DataFrame
    offsets: Integers
    time: Floats
    left: Integers
    at_risk: Integers
    subjects: Integers

    @property
    def group(self) -> Integers:
        """Group of each row, shape (rows,)."""
        return np.repeat(np.arange(len(self.subjects)), np.diff(self.offsets))

    @property
    def last_time(self) -> Floats:
        """Last time of each group, event or not, shape (groups,)."""
        return self.time[self.offsets[1:] - 1]

    def total(self) -> Integers:
        """Subjects of each group by the state in which they leave, shape (groups, states)."""
        if len(self.time) == 0:
            return np.zeros((0, self.left.shape[1]), np.int64)
        return np.add.reduceat(self.left, self.offsets[:-1], axis=0)

    def at_risk_by(self) -> Integers:
        """Subjects at risk just before each time, by the state in which they will leave, shape (rows, states)."""
        before = np.cumsum(self.left, axis=0) - self.left
        group = self.group
        return before[self.offsets[:-1]][group] + self.total()[group] - before

    def keep(self, rows: NDArray[np.bool_]) -> tuple[Integers, Integers]:
        """Return the chosen rows and the offsets among them (groups may become empty)."""
        chosen = np.flatnonzero(rows)
        return chosen, np.searchsorted(chosen, self.offsets)


@dataclass(frozen=True)
class Departures:
    """Subjects in the order in which they leave, one group after the other.

    Parameters
    ----------
    keys : polars.DataFrame, shape (groups, columns)
        The groups, sorted.
    subjects : ndarray of int64, shape (groups,)
    packed : ndarray of int64, shape (rows,)
        ``(group * len(values) + rank of the time) * n_states + state``, rising.
    values : ndarray, shape (times,)
        The times by rank, rising: integers where all are whole, else decimals. Unit: the caller's.
    n_states : int
    """

    keys: pl.DataFrame
    subjects: Integers
    packed: Integers
    values: np.ndarray
    n_states: int

    @property
    def starts(self) -> Integers:
        """How many rows stand before each group, and the number of rows, shape (groups + 1,)."""
        return np.concatenate((np.zeros(1, np.int64), np.cumsum(self.subjects)))

    @property
    def apart(self) -> bool:
        """Whether the times are so far apart that no two are one by rounding: whole, and none so large that its neighbour is near."""
        return self.values.dtype.kind != "f" and (len(self.values) == 0 or bool(self.values[-1] * TOLERANCE < 1))


def order_departures(frame: pl.DataFrame, by: Sequence[str], times: np.ndarray, states: np.ndarray, n_states: int) -> Departures:
    """Order the rows of a frame by group, time and state; parameters as `tabulate_risk`."""
    codes, keys = group_rows(frame, by)
    if len(codes) == 0:
        empty = np.zeros(0, np.int64)
        return Departures(keys, empty, empty, empty, n_states)
    subjects = np.bincount(codes)
    ranks, values = _ranks(times)
    leaving, width = ranks * n_states + states, len(values) * n_states
    if width <= max(_FEW, 4 * len(codes)) and sort_departures.compiles(len(codes)):
        packed = np.empty(len(codes), np.int64)
        starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(subjects)))
        sort_departures(len(codes), codes, leaving, starts, width, packed)
    else:
        packed = np.sort(codes * width + leaving)
    return Departures(keys, subjects, packed, values, n_states)


def tabulate_risk(frame: pl.DataFrame, by: Sequence[str], times: np.ndarray, states: np.ndarray, n_states: int) -> RiskTable:
    """Tabulate the distinct times of each group.

    Times that differ by rounding alone are one time: nearer than `TOLERANCE`, or nearer than `TOLERANCE` times the mean of
    the group's times, as R's ``aeqSurv`` (which takes the mean over all groups). The first of them stands for all.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows in any order.
    by : sequence of str
        Columns that define a group.
    times : ndarray, shape (rows,)
        Integers or decimals.
    states : ndarray of int64, shape (rows,)
        How each subject leaves: 0 to `n_states` - 1.
    n_states : int

    Returns
    -------
    RiskTable
    """
    return tabulate_departures(order_departures(frame, by, times, states, n_states))


def tabulate_departures(rows: Departures) -> RiskTable:
    """Tabulate the distinct times of each group, as `tabulate_risk`."""
    n_groups, n_states, values = len(rows.subjects), rows.n_states, rows.values
    if n_groups == 0:
        empty = np.zeros(0, np.int64)
        return RiskTable(rows.keys, np.zeros(1, np.int64), np.zeros(0), np.zeros((0, n_states), np.int64), empty, empty)
    cell, state = np.divmod(rows.packed, n_states)
    new = np.empty(len(cell), bool)
    new[0] = True
    np.not_equal(cell[1:], cell[:-1], out=new[1:])
    group_of = cell // len(values)
    ends = np.cumsum(rows.subjects)
    if not rows.apart:
        new = _merge(new, group_of, values[cell - group_of * len(values)], ends - rows.subjects)
    starts = np.flatnonzero(new)
    block = np.cumsum(new) - 1
    left = np.bincount(block * n_states + state, minlength=len(starts) * n_states).reshape(len(starts), n_states)
    group = group_of[starts]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(group, minlength=n_groups))))
    time = values[cell[starts] - group * len(values)].astype(np.float64)
    return RiskTable(rows.keys, offsets, time, left, ends[group] - starts, rows.subjects)


def unite_times(times: np.ndarray) -> Integers:
    """Rank times, those that differ by rounding alone being one, as R's ``aeqSurv``.

    Parameters
    ----------
    times : ndarray, shape (rows,)
        Finite.

    Returns
    -------
    ndarray of int64, shape (rows,)
        0 for the smallest.
    """
    values, place = np.unique(times.astype(np.float64), return_inverse=True)
    if len(values) == 0:
        return place.astype(np.int64)
    new = np.ones(len(values), bool)
    new[1:] = np.diff(values) > TOLERANCE * max(1.0, float(np.abs(values).mean()))
    return (np.cumsum(new) - 1)[place]


def _ranks(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rank of each time among `values`; whole numbers keep their distance."""
    if times.dtype.kind == "f":
        whole = np.minimum(times, 2.0**60).astype(np.int64)
        if not (whole == times).all():
            values, ranks = np.unique(times, return_inverse=True)
            return ranks.astype(np.int64), values
        times = whole
    low, high = int(times.min()), int(times.max())
    if high - low > max(1 << 20, 4 * len(times)):
        values, ranks = np.unique(times, return_inverse=True)
        return ranks.astype(np.int64), values
    return times.astype(np.int64) - low, np.arange(low, high + 1)


def _merge(new: np.ndarray, group: np.ndarray, time: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Join times that differ by rounding alone."""
    first = np.flatnonzero(new)
    head, owner = time[first], group[first]
    mean = np.bincount(owner, np.abs(head)) / np.bincount(owner)
    gap = np.empty(len(head))
    gap[0] = np.inf
    gap[1:] = np.diff(head)
    same = (gap <= TOLERANCE * np.maximum(1.0, mean[owner])) & ~np.isin(first, starts)
    joined = new.copy()
    joined[first[same]] = False
    return joined
