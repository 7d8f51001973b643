"""Where should draws be aimed, when the chains of a subject have missed a top of its likelihood? Where weighed points are heavy.

Cappé et al. 2004, Population Monte Carlo (doi:10.1198/106186004X12803): parts of the mixture move to points drawn by their weight.
"""

from __future__ import annotations

import numpy as np

from cartrial.kinetics.curves_kernel import Floats
from cartrial.kinetics.estimation.likelihood import Likelihood, assess_likelihood, weigh_points, weights_of
from cartrial.kinetics.estimation.proposal import Points, draw_points
from cartrial.kinetics.estimation.saem import Draws, Estimate, draw_subjects
from cartrial.kinetics.model import Problem

__all__ = ["aim_draws", "assess_fresh"]

_ENOUGH = 300.0
_ROUNDS = 4


def aim_draws(problem: Problem, estimate: Estimate, seed: int, *, size: int = 512) -> Draws:
    """Draw every subject's parameters, and aim again while points of some subject count for too few."""
    draws = draw_subjects(problem, estimate, seed)
    for number in range(_ROUNDS):
        points = draw_points(problem, estimate, draws, seed + 15485863 * (number + 1), size=size)
        weights = weights_of(problem, estimate, weigh_points(problem, estimate, points))
        poor = 1.0 / np.sum(weights**2, axis=1) < _ENOUGH
        if not poor.any():
            break
        draws = _aimed(draws, points, weights, poor)
    return draws


def _aimed(draws: Draws, points: Points, weights: Floats, poor: Floats) -> Draws:
    """Return draws whose second half are points of the poor subjects by weight, with means and covariances that know of them."""
    kept = draws.centres.shape[1]
    at = (np.arange(kept // 2) + 0.5) / (kept // 2)
    mean, covariance, centres = draws.mean.copy(), draws.covariance.copy(), draws.centres.copy()
    for i in np.flatnonzero(poor):
        chosen = points.phi[i, np.minimum(np.searchsorted(np.cumsum(weights[i]), at), weights.shape[1] - 1)]
        centres[i, kept - len(at) :] = chosen
        apart = points.phi[i] - weights[i] @ points.phi[i]
        # half of what is known so far stays: one heavy point is no shape
        covariance[i] = 0.5 * (covariance[i] + (apart * weights[i][:, None]).T @ apart)
        mean[i] = 0.5 * (mean[i] + weights[i] @ points.phi[i])
    return Draws(mean, covariance, centres)


def assess_fresh(problem: Problem, estimate: Estimate, draws: Draws, seed: int, *, size: int = 512) -> tuple[Likelihood, Points]:
    """Return the likelihood by fresh points, never by those that something was maximised or aimed by."""
    points = draw_points(problem, estimate, draws, seed + 104729, size=size)
    return assess_likelihood(problem, estimate, weigh_points(problem, estimate, points)), points
