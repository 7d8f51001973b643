"""How sure is each parameter of the population? Observed information from analytic slopes, and the last steps to the most likely one.

The information is the change of the slope (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x, whose two terms it sums), taken at the same
draws on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cartrial.kinetics.curves_kernel import Floats
from cartrial.kinetics.estimation.aim import aim_draws, assess_fresh
from cartrial.kinetics.estimation.likelihood import Likelihood, assess_likelihood, pack, unpack, weigh_points
from cartrial.kinetics.estimation.proposal import Points, draw_points
from cartrial.kinetics.estimation.saem import Draws, Estimate
from cartrial.kinetics.model import Problem

__all__ = ["LEAST_SIZE", "Assessed", "Polished", "assess", "information", "polish"]

LEAST_SIZE = 100.0
"""Effective draws that every subject needs before a likelihood is shown."""

_NEAR = 0.05
_CLOSE = 0.05
_FAR = 0.5
_MORE = 4
_FARTHEST = 1.0


def information(problem: Problem, estimate: Estimate, points: Points) -> Floats:
    """Return the observed information of the parameters of `pack`."""
    here = weigh_points(problem, estimate, points)
    start = pack(problem, estimate)
    scores = assess_likelihood(problem, estimate, here).scores
    crossed = scores.T @ scores
    scale = 1.0 / np.sqrt(np.maximum(np.diag(crossed), 1e-12))
    found = np.empty((len(start), len(start)))
    p, q = len(problem.names), len(problem.held)
    by_curve = {*range(p, p + q), len(start) - (2 if problem.classes else 1)}
    for j in range(len(start)):
        slopes = []
        for sign in (1.0, -1.0):
            vector = start.copy()
            vector[j] += sign * _NEAR * scale[j]
            other = unpack(problem, vector)
            weighed = weigh_points(problem, other, points) if j in by_curve else here
            slopes.append(assess_likelihood(problem, other, weighed).slope)
        found[:, j] = (slopes[1] - slopes[0]) / (2.0 * _NEAR * scale[j])
    return 0.5 * (found + found.T)


@dataclass(frozen=True)
class Polished:
    """A population after the last steps: likelihood by fresh draws, covariance of `pack` or why there is none, whether steps ended."""

    estimate: Estimate
    likelihood: Likelihood
    covariance: Floats | None
    why: str
    settled: bool
    draws: Draws


def _covariance(found: Floats) -> Floats | None:
    """Return the inverse of an information that is positive definite; otherwise None."""
    if not np.isfinite(found).all() or np.any(np.diag(found) <= 0):
        return None
    scale = 1.0 / np.sqrt(np.diag(found))
    values = np.linalg.eigvalsh(found * np.outer(scale, scale))
    if values[0] <= 1e-6:
        return None
    return np.asarray(np.linalg.inv(found))


class Assessed(NamedTuple):
    """A population, what every subject's own draws show by it, its likelihood by fresh points, and these points."""

    estimate: Estimate
    draws: Draws
    likelihood: Likelihood
    points: Points


def assess(problem: Problem, estimate: Estimate, seed: int, *, size: int = 512) -> Assessed:
    """Aim draws at every subject and assess a population by fresh points."""
    draws = aim_draws(problem, estimate, seed, size=size)
    return Assessed(estimate, draws, *assess_fresh(problem, estimate, draws, seed, size=size))


def polish(problem: Problem, began: Assessed, seed: int, *, size: int = 512, most: int = 6) -> Polished:
    """Take Newton's steps from where a search ended, and assess the end by fresh draws.

    Nothing is moved where too few draws count: a likelihood maximised by few draws finds the noise. Steps that ended lower than they began,
    beyond what the Monte Carlo errors explain, are taken back.

    Parameters
    ----------
    problem : Problem
    began : Assessed
        Where the search ended, by the same seed and size.
    seed : int
    size : int
        Points of a replicate, of which there are eight.
    most : int
        Steps.
    """
    estimate, draws = began.estimate, began.draws
    if began.likelihood.sizes.min() < 2 * LEAST_SIZE:
        size *= _MORE
        began = Assessed(estimate, draws, *assess_fresh(problem, estimate, draws, seed, size=size))
    covariance, steps, why, settled = None, 0, "", False
    points: Points | None = None
    for step in range(most):
        # small steps keep their points, or each would chase the noise of its own
        if points is None:
            points = draw_points(problem, estimate, draws, seed + 7919 * (step + 1), size=size)
        here = assess_likelihood(problem, estimate, weigh_points(problem, estimate, points))
        if not here.sizes.min() >= LEAST_SIZE:
            why = _few(problem, here) if np.isfinite(here.log) else ""
            break
        if step % 2 == 0:
            covariance = _covariance(information(problem, estimate, _some(points)))
        by = covariance if covariance is not None else _by_scores(here)
        move = by @ here.slope
        apart = float(np.max(np.abs(move) / np.sqrt(np.diag(by))))
        estimate = unpack(problem, pack(problem, estimate) + move * min(1.0, _FARTHEST / max(apart, 1e-12)))
        steps += 1
        settled = apart < _CLOSE and covariance is not None
        if settled:
            break
        if apart > _FAR:
            draws, points = aim_draws(problem, estimate, seed, size=size), None
    ended = assess(problem, estimate, seed, size=size) if steps else began
    # what is no number is lower too
    if not ended.likelihood.log >= began.likelihood.log - 3.0 * (ended.likelihood.error + began.likelihood.error):
        ended, settled = began, False
    estimate, draws, found, fresh = ended
    if not why and found.sizes.min() < LEAST_SIZE:
        why = _few(problem, found)
    if not why:
        covariance = _covariance(information(problem, estimate, _some(fresh, 4)))
        why = "" if covariance is not None else "the likelihood has no top here: its information is not positive definite"
    return Polished(estimate, found, covariance if not why else None, why, settled, draws)


def _some(points: Points, replicates: int = 2) -> Points:
    """Return some replicates alone: the information needs fewer draws than the likelihood."""
    kept = points.phi.shape[1] // points.replicates * replicates
    return Points(np.ascontiguousarray(points.phi[:, :kept]), points.log_density[:, :kept], replicates)


def _by_scores(found: Likelihood) -> Floats:
    """Return a covariance from the products of the subjects' slopes: good enough for a step where the information is of no use."""
    crossed = found.scores.T @ found.scores
    return np.asarray(np.linalg.inv(crossed + 0.05 * np.diag(np.diag(crossed)) + 1e-9 * np.eye(len(crossed))))


def _few(problem: Problem, found: Likelihood) -> str:
    worst = int(np.argmin(found.sizes))
    return f"only {found.sizes[worst]:.0f} effective draws of subject {problem.samples.subjects[worst]}, {LEAST_SIZE:.0f} are wanted"
