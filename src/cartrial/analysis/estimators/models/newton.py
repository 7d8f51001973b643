"""Where is the likelihood largest, and where has it fallen by a given amount? Newton's steps, halved, and profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.models.likelihood import Likelihood, Point

__all__ = ["Maximum", "maximise", "profile_drop", "profile_limit"]

Floats = NDArray[np.float64]

BOUND = 10.0
"""A standardised coefficient beyond this is a likelihood that has no largest value (§9, A23)."""

_PRECISE = 1e-9
"""A step, in standardised coefficients, after which no other is needed: the next would be its square."""

_FLAT = 1e-11
"""Information about a direction, as a share of that at 0, below which nothing holds the coefficient."""

_NEAR = 1e-5
_NOISE = 1e-14
"""A step shorter than the first that promises less than this share of the value is the last: the rest is rounding."""

_STEPS = 100
_LONGEST = 2.5
"""Standardised coefficients move by at most this in one step."""


@dataclass(frozen=True)
class Maximum:
    """Where the search ended.

    Parameters
    ----------
    beta : ndarray of float64, shape (terms,)
    point : Point
    converged : bool
    monotone : bool
        Whether it ended because the likelihood rises without end.
    """

    beta: Floats
    point: Point
    converged: bool
    monotone: bool = False


def maximise(likelihood: Likelihood, start: Floats | None = None, fixed: int | None = None) -> Maximum:
    """Search the largest value by Newton's steps, halved until the value does not fall.

    Parameters
    ----------
    likelihood : Likelihood
        Terms centred, each with standard deviation 1.
    start : ndarray of float64, shape (terms,), optional
        Default: 0.
    fixed : int, optional
        A term whose coefficient stays as in `start`.

    Returns
    -------
    Maximum
    """
    terms = likelihood.x.shape[1]
    beta = np.zeros(terms) if start is None else start.copy()
    moving = np.flatnonzero(np.arange(terms) != fixed)
    point = likelihood.at(beta)
    if not len(moving):
        return Maximum(beta, point, bool(np.isfinite(point.value)))
    if not np.isfinite(point.value):
        return Maximum(beta, point, False)
    first = point.information
    for _ in range(_STEPS):
        step = _step(likelihood, beta, point, moving)
        if not likelihood.penalty and _rises(first, beta, point, step):
            return Maximum(beta, point, False, True)
        if step is None:
            return Maximum(beta, point, False)
        longest = float(np.abs(step).max())
        gain = float(step @ point.score)
        found = _halved(likelihood, beta, point, step * min(1.0, _LONGEST / longest) if longest else step)
        if found is None:
            return Maximum(beta, point, False)
        beta, point = found
        if longest < _PRECISE or (longest < _NEAR and gain < _NOISE * (1 + abs(point.value))):
            beyond = not likelihood.penalty and bool(np.abs(beta).max() > BOUND)
            return Maximum(beta, point, not beyond, beyond)
    return Maximum(beta, point, False)


def _step(likelihood: Likelihood, beta: Floats, point: Point, moving: NDArray[np.int64]) -> Floats | None:
    """Return Newton's step, or none where it cannot be computed."""
    matrix = point.information[np.ix_(moving, moving)]
    if likelihood.penalty:
        matrix = _curvature(likelihood, beta, moving, matrix)
    step = np.zeros(len(beta))
    try:
        factor = np.linalg.cholesky(matrix)
        step[moving] = np.linalg.solve(factor.T, np.linalg.solve(factor, point.score[moving]))
    except np.linalg.LinAlgError:
        return None
    return step if np.isfinite(step).all() else None


def _curvature(likelihood: Likelihood, beta: Floats, moving: NDArray[np.int64], information: Floats) -> Floats:
    """Return the negative second derivative of the penalised value, by differences of its score.

    Where the value is not concave, the size of each eigenvalue serves, so that a step rises.
    """
    h = 1e-5
    columns = []
    for term in moving:
        unit = np.zeros(len(beta))
        unit[term] = h
        columns.append((likelihood.at(beta - unit).score - likelihood.at(beta + unit).score)[moving] / (2 * h))
    matrix = np.array(columns)
    if not np.isfinite(matrix).all():
        return information
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    values = np.maximum(np.abs(values), 1e-6 * np.abs(values).max())
    return np.asarray((vectors * values) @ vectors.T)


def _halved(likelihood: Likelihood, beta: Floats, point: Point, step: Floats) -> tuple[Floats, Point] | None:
    """Take a step, or half of it, and so on, until the value rises by a small share of what its slope promises, rounding apart."""
    slack = 10 * _NOISE * (1 + abs(point.value))
    slope = float(step @ point.score)
    for _ in range(40):
        new = beta + step
        found = likelihood.at(new)
        if found.value >= point.value + 1e-4 * slope - slack and np.isfinite(found.score).all():
            return new, found
        step, slope = step / 2, slope / 2
    return None


def _rises(first: Floats, beta: Floats, point: Point, step: Floats | None) -> bool:
    """Tell whether the likelihood rises without end: it has gone flat in some direction, or a coefficient leaves the bound."""
    if step is not None and ((np.abs(beta) > BOUND) & (step * beta > -_PRECISE)).any():
        return True
    try:
        inverse = np.linalg.inv(np.linalg.cholesky(first))
        return bool(np.linalg.eigvalsh(inverse @ point.information @ inverse.T)[0] < _FLAT)
    except np.linalg.LinAlgError:
        return True


def profile_drop(likelihood: Likelihood, top: Maximum, term: int, value: float, near: Floats | None = None) -> tuple[float, Floats]:
    """Return twice the fall of the value where one coefficient is held and the others are at their best, and where that is.

    The search begins at `near`, by default at the top. Not a number where it does not end.
    """
    start = (top.beta if near is None else near).copy()
    start[term] = value
    found = maximise(likelihood, start, fixed=term)
    return (2 * (top.point.value - found.point.value) if found.converged else np.nan), found.beta


def profile_limit(likelihood: Likelihood, top: Maximum, term: int, fall: float, error: float, side: int) -> float:
    """Return the coefficient at which twice the fall of the profile reaches a quantile, on one side of its best value.

    Parameters
    ----------
    likelihood : Likelihood
    top : Maximum
    term : int
    fall : float
        Quantile of the chi-square distribution with one degree of freedom.
    error : float
        Standard error: the first stride of the search.
    side : {-1, 1}

    Returns
    -------
    float
        Not a number if it is not found.
    """
    from scipy.optimize import brentq

    best = top.beta

    def excess(value: float) -> float:
        nonlocal best
        drop, found = profile_drop(likelihood, top, term, value, best)
        if np.isnan(drop):
            raise _NotFoundError
        best = found
        return drop - fall

    near, stride = float(top.beta[term]), max(error, 1e-3) * np.sqrt(fall)
    try:
        for _ in range(60):
            far = near + side * stride
            if excess(far) >= 0:
                return float(brentq(excess, near, far, xtol=1e-11, rtol=1e-11))
            near, stride = far, stride * 1.5
    except (_NotFoundError, ValueError):
        pass
    return float("nan")


class _NotFoundError(Exception):
    """An inner search did not end."""
