"""What is the hazard ratio of two arms of weighted subjects, and how is their survival drawn?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_level
from cartrial.analysis.estimators.risk import unite_times
from cartrial.analysis.estimators.weighted.cox_kernel import Weighted, fit_hazard, score_residuals
from cartrial.errors import InputError

__all__ = ["Arms", "WeightedHazard", "estimate_weighted_hazard", "estimate_weighted_survival", "order_arms"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Arms:
    """Subjects of two arms as the kernel takes them, and the places where they stood."""

    arm: Floats
    event: Integers
    first: Integers
    order: Integers

    def weighted(self, weights: Floats, copies: Integers | None = None) -> Weighted:
        """Return them with weights, and with how often each is counted; both in the order in which subjects were given."""
        counted = np.ones(len(self.order), np.int64) if copies is None else copies[self.order]
        return Weighted(self.arm, self.event, weights[self.order], counted, self.first)


@dataclass(frozen=True)
class WeightedHazard:
    """A hazard ratio of arm 1 against arm 0.

    Parameters
    ----------
    log_ratio, robust_error, naive_error : float
        The robust error is that of Lin and Wei; the naive one takes weights for numbers of subjects.
    hazard_ratio, lower, upper, p_value : float
        By the robust error.
    """

    log_ratio: float
    robust_error: float
    naive_error: float
    hazard_ratio: float
    lower: float
    upper: float
    p_value: float


def order_arms(time: Floats, event: Integers, arm: Integers) -> Arms:
    """Put subjects in the order of time, the last first.

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial.analysis.estimators.weighted.hazard import order_arms
    >>> found = order_arms(np.array([1.0, 3.0, 3.0]), np.array([1, 0, 1]), np.array([0, 1, 0]))
    >>> found.order.tolist(), found.first.tolist()
    ([1, 2, 0], [0, 2, 3])
    """
    if not len(time) or not (np.isfinite(time).all() and (time >= 0).all()):
        raise InputError("a time is missing, infinite or negative", key="time", right="Times count from the origin: 0 or later")
    rank = unite_times(time)
    order = np.argsort(-rank, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(rank[order]) != 0))
    return Arms(arm[order].astype(float), event[order].astype(np.int64), np.append(starts, len(order)).astype(np.int64), order)


def estimate_weighted_hazard(time: Floats, event: Integers, arm: Integers, weights: Floats, *, conf_level: float = 0.95) -> WeightedHazard:
    """Estimate the hazard ratio of two arms of weighted subjects by Cox, ties by Efron, with a robust error.

    Lin DY, Wei LJ. J Am Stat Assoc 1989;84:1074 (doi:10.1080/01621459.1989.10478874). R ``coxph(Surv(time, event) ~ arm, weights =,
    robust = TRUE)``.

    Parameters
    ----------
    time, weights : ndarray of float64, shape (subjects,)
    event, arm : ndarray of int64, shape (subjects,)
        1 event, 0 censored; 1 or 0.
    conf_level : float

    Returns
    -------
    WeightedHazard

    Raises
    ------
    InputError
        If an arm has no subject, or the likelihood has no largest value.

    Examples
    --------
    By hand: the partial likelihood h/(2h + 1) · 1/(1 + h) is largest at h = 1/sqrt(2).

    >>> import numpy as np
    >>> from cartrial.analysis import estimate_weighted_hazard
    >>> found = estimate_weighted_hazard(np.array([1.0, 2.0, 3.0]), np.ones(3, int), np.array([1, 0, 1]), np.ones(3))
    >>> round(found.hazard_ratio, 6)
    0.707107
    """
    from scipy.special import ndtri

    check_level(conf_level)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise InputError("a weight is missing or negative", key="weights", right="Weights are 0 or more")
    if not {0, 1} >= set(np.unique(event).tolist()) or set(np.unique(arm).tolist()) != {0, 1}:
        raise InputError("there are not two arms, or an event is neither 0 nor 1", key="arm", right="Give subjects of both arms")
    arms = order_arms(time, event, arm)
    subjects = arms.weighted(weights)
    work = 8 * len(time)
    beta, information = fit_hazard(work, subjects, 0.0)
    if not math.isfinite(beta):
        raise InputError(
            "the hazard ratio has no largest likelihood: an arm has no event", key="event", right="Look at the events of both arms"
        )
    residual = np.zeros(len(time))
    score_residuals(work, subjects, beta, residual)
    robust = math.sqrt(float(((residual * subjects.weight) ** 2).sum())) / information
    z = float(ndtri(0.5 + conf_level / 2))
    ratio, low, high = (math.exp(beta + sign * z * robust) for sign in (0, -1, 1))
    p_value = math.erfc(abs(beta) / robust / math.sqrt(2)) if robust > 0 else math.nan
    return WeightedHazard(beta, robust, 1 / math.sqrt(information), ratio, low, high, p_value)


def estimate_weighted_survival(time: Floats, event: Integers, weights: Floats) -> tuple[Floats, Floats]:
    """Estimate survival of weighted subjects: the weighted product-limit estimate, as R ``survfit`` with weights.

    Returns
    -------
    times, survival : ndarray of float64
        At each distinct time of an event.

    Examples
    --------
    By hand: a weight of 2 of 4 dies, then 1 of the 2 that are left.

    >>> import numpy as np
    >>> from cartrial.analysis import estimate_weighted_survival
    >>> times, survival = estimate_weighted_survival(np.array([1.0, 2.0, 3.0]), np.array([1, 1, 0]), np.array([2.0, 1.0, 1.0]))
    >>> times.tolist(), survival.tolist()
    ([1.0, 2.0], [0.5, 0.25])
    """
    rank = unite_times(time)
    times = np.full(rank.max() + 1, np.inf)
    np.minimum.at(times, rank, time)
    died = np.bincount(rank, weights * (event == 1), len(times))
    left = np.bincount(rank, weights, len(times))
    risk = left[::-1].cumsum()[::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        survival = np.cumprod(np.where(risk > 0, 1 - died / risk, 1.0))
    kept = died > 0
    return np.asarray(times[kept], float), np.asarray(survival[kept], float)
