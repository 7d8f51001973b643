"""How likely are the events under given coefficients? The partial likelihood of Cox and of Fine and Gray, with Firth's penalty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.risk import unite_times

__all__ = ["Likelihood", "Point", "cox_likelihood", "fine_gray_likelihood"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


_RANGE = 600.0
"""Largest distance of two linear predictors: beyond it the hazard of one beside the other is no number."""


@dataclass(frozen=True)
class Point:
    """The likelihood at one vector of coefficients.

    Parameters
    ----------
    value : float
        Logarithm, with the penalty if there is one.
    score : ndarray of float64, shape (terms,)
    information : ndarray of float64, shape (terms, terms)
        Of the likelihood without its penalty.
    """

    value: float
    score: Floats
    information: Floats


@dataclass(frozen=True)
class Likelihood:
    """Subjects sorted by stratum and time, and the events among them. Who left before the first event is in no risk set, and not here.

    Parameters
    ----------
    x : ndarray of float64, shape (subjects, terms)
    offsets : ndarray of int64, shape (strata + 1,)
    event : ndarray of int64, shape (events,)
        Row of each event.
    start : ndarray of int64, shape (events,)
        First row at the event's time: its risk set begins here.
    fraction : ndarray of float64, shape (events,)
        Share of the tied events that has left the risk set (Efron); 0 by Breslow.
    kept : ndarray of float64, shape (subjects,)
        Fine and Gray: 1/G(T-) of who left by a competing event, else 0. G is the curve of being free of censoring.
    free : ndarray of float64, shape (events,)
        Fine and Gray: G(t-) at each event.
    penalty : bool
        Firth's: half the logarithm of the determinant of the information.
    """

    x: Floats
    offsets: Integers
    event: Integers
    start: Integers
    fraction: Floats
    kept: Floats
    free: Floats
    penalty: bool = False

    def penalised(self) -> Likelihood:
        """Return the same with Firth's penalty, ties by Breslow."""
        return replace(self, penalty=True, fraction=np.zeros(len(self.event)))

    def columns(self, chosen: Integers) -> Likelihood:
        """Return the same for some of the terms."""
        return replace(self, x=self.x[:, chosen])

    def standardised(self) -> tuple[Likelihood, Floats]:
        """Return the same with terms of mean 0 and standard deviation 1, and by what they were divided; a constant term becomes 0."""
        x = self.x - self.x.mean(axis=0)
        scale = x.std(axis=0)
        alive = scale > 1e-13
        scale = np.where(alive, scale, 1.0)
        return replace(self, x=np.where(alive, x, 0.0) / scale), scale

    def sums(self, values: Floats) -> Floats:
        """Sum subjects' values over the risk set of each event: shape (subjects, k) to (events, k)."""
        later = np.empty_like(values)
        for first, last in pairwise(self.offsets):
            later[first:last] = np.cumsum(values[first:last][::-1], axis=0)[::-1]
        found = later[self.start]
        if self.fraction.any():
            _, tie = np.unique(self.start, return_inverse=True)
            tied = np.zeros((int(tie.max()) + 1, values.shape[1]))
            np.add.at(tied, tie, values[self.event])
            found = found - self.fraction[:, None] * tied[tie]
        if self.kept.any():
            gone = np.zeros((len(values) + 1, values.shape[1]))
            np.cumsum(self.kept[:, None] * values, axis=0, out=gone[1:])
            found = found + self.free[:, None] * gone[self.start]
        return found

    def at(self, beta: Floats) -> Point:
        """Return value, score and information.

        The penalty's score: half the trace of the inverse information A times its derivative, which over a risk set is the third
        central moment E[(x_k - m_k) (x - m)' A (x - m)].
        """
        x, terms = self.x, self.x.shape[1]
        eta = x @ beta
        eta = eta - eta.max()
        if not eta.min() > -_RANGE:
            return Point(-np.inf, np.full(terms, np.nan), np.full((terms, terms), np.nan))
        risk = np.exp(eta)[:, None]
        square = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
        total = self.sums(np.concatenate([risk, risk * x, risk * square], axis=1))
        whole = total[:, :1]
        value = float((eta[self.event] - np.log(whole[:, 0])).sum())
        mean = total[:, 1 : 1 + terms] / whole
        spread = (total[:, 1 + terms :] / whole).reshape(-1, terms, terms) - mean[:, :, None] * mean[:, None, :]
        score, information = (x[self.event] - mean).sum(axis=0), spread.sum(axis=0)
        if not self.penalty:
            return Point(value, score, information)
        sign, logarithm = np.linalg.slogdet(information)
        if not (sign > 0 and np.isfinite(logarithm)):
            return Point(-np.inf, score, information)
        inverse = np.linalg.inv(information)
        length = ((x @ inverse) * x).sum(axis=1)[:, None]
        third = self.sums(np.concatenate([risk * length, risk * length * x], axis=1)) / whole
        bend = third[:, 1:] - mean * third[:, :1] - 2 * np.einsum("ekl,el->ek", spread, mean @ inverse)
        return Point(value + 0.5 * float(logarithm), score + 0.5 * bend.sum(axis=0), information)

    def residuals(self, beta: Floats) -> Floats:
        """Score residuals of each subject, ties by Breslow: shape (subjects, terms), in the likelihood's order. One stratum."""
        x = self.x
        eta = x @ beta
        risk = np.exp(eta - eta.max())[:, None]
        total = self.sums(np.concatenate([risk, risk * x], axis=1))
        mean = total[:, 1:] / total[:, :1]
        found: Floats = np.zeros_like(x)
        np.add.at(found, self.event, x[self.event] - mean)
        step = np.concatenate([np.ones((len(mean), 1)), mean], axis=1) / total[:, :1]
        passed = self._passed(step)
        found -= risk * (x * passed[:, :1] - passed[:, 1:])
        weighted = self._passed(self.free[:, None] * step)
        later = weighted[-1] - weighted
        found -= risk * self.kept[:, None] * (x * later[:, :1] - later[:, 1:])
        return found

    def _passed(self, step: Floats) -> Floats:
        """Sum what events add up to each subject's own time: shape (events, k) to (subjects, k)."""
        found = np.zeros((len(self.x), step.shape[1]))
        np.add.at(found, self.start, step)
        np.cumsum(found, axis=0, out=found)
        return found


def cox_likelihood(x: Floats, times: np.ndarray, event: NDArray[np.bool_], strata: Integers, *, efron: bool) -> Likelihood:
    """Sort subjects and events for a Cox model; times equal within the tolerance are ties.

    Parameters
    ----------
    x : ndarray of float64, shape (subjects, terms)
    times : ndarray, shape (subjects,)
    event : ndarray of bool, shape (subjects,)
    strata : ndarray of int64, shape (subjects,)
        0 to strata - 1.
    efron : bool
        Ties by Efron, else by Breslow.
    """
    rank = unite_times(times)
    first = np.full(int(strata.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, strata[event], rank[event])
    order = np.lexsort((~event, rank, strata))
    order = order[rank[order] >= first[strata[order]]]
    stratum, rank, event = strata[order], rank[order], event[order]
    place = stratum * (int(rank.max(initial=0)) + 1) + rank
    rows = np.flatnonzero(event)
    start = np.searchsorted(place, place[rows])
    # events stand first among the subjects of a time
    tied = np.bincount(start, minlength=len(place))[start]
    fraction = (rows - start) / tied if efron else np.zeros(len(rows))
    offsets = np.concatenate(([0], np.cumsum(np.bincount(stratum))))
    return Likelihood(x[order], offsets, rows, start, fraction, np.zeros(len(order)), np.zeros(len(rows)))


def fine_gray_likelihood(x: Floats, times: np.ndarray, codes: Integers) -> Likelihood:
    """Sort subjects and events for a Fine-Gray model, as R's ``finegray``; ties by Breslow.

    Parameters
    ----------
    x : ndarray of float64, shape (subjects, terms)
    times : ndarray, shape (subjects,)
    codes : ndarray of int64, shape (subjects,)
        0 the event (of one subject at least), 1 censored, 2 a competing event. Where an event ties with a censoring, the event comes first.
    """
    rank = unite_times(times)
    order = np.lexsort((codes != 0, rank))
    rank, codes = rank[order], codes[order]
    size = int(rank.max(initial=0)) + 1
    censored = np.bincount(rank[codes == 1], minlength=size).astype(np.float64)
    left = np.bincount(rank[codes != 1], minlength=size)
    after = len(rank) - np.cumsum(left) - np.concatenate(([0.0], np.cumsum(censored)[:-1]))
    curve = np.cumprod(1 - censored / np.maximum(after, 1))
    before = np.concatenate(([1.0], curve[:-1]))[rank]
    held = (codes == 2) | (rank >= rank[codes == 0].min())
    order, rank, codes, before = order[held], rank[held], codes[held], before[held]
    rows = np.flatnonzero(codes == 0)
    kept = np.where(codes == 2, 1 / np.where(before > 0, before, 1.0), 0.0)
    offsets = np.array([0, len(order)])
    return Likelihood(x[order], offsets, rows, np.searchsorted(rank, rank[rows]), np.zeros(len(rows)), kept, before[rows])
