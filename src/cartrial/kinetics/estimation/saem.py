"""Which population makes the samples most likely? Stochastic approximation of the EM algorithm.

Kuhn and Lavielle 2005 (doi:10.1016/j.csda.2004.07.002); samples beyond a limit by Samson et al. 2006 (doi:10.1016/j.csda.2006.05.007).
Each round draws parameters for every subject, then moves the population towards them: at first all the way, then by ever less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cartrial.kinetics.codes import MOST_PARAMETERS
from cartrial.kinetics.curves_kernel import Floats
from cartrial.kinetics.estimation.explore_kernel import Chains, Crowd, Sums, Walk, complete, explore
from cartrial.kinetics.model import Problem, keys_of, root_of

__all__ = ["Draws", "Estimate", "Plan", "draw_subjects", "run_saem"]

# moves of a round: from the population, of one parameter (times their number), of all at once
_FROM_CROWD = 2
_AT_ONCE = 3
# a variance falls at first by no more than this share a round, so that chains can cross
_COOLING = 0.95
_LEAST_SD = 1e-3
_LONGEST_STEP = 0.5


@dataclass(frozen=True)
class Plan:
    """How long is searched: rounds that move all the way, rounds that average, chains a subject."""

    explore: int = 300
    settle: int = 200
    chains: int = 2


@dataclass(frozen=True)
class Estimate:
    """A population: coefficients, covariance of random effects, parameters that all share (by place), residual SD, share of expanders."""

    coefficients: Floats
    omega: Floats
    common: Floats
    error: float
    share: float

    def crowd(self, problem: Problem, *, share: float | None = None) -> Crowd:
        """Return the population as kernels read it."""
        root = root_of(self.omega)
        mean = np.ascontiguousarray(problem.design @ self.coefficients)
        never = problem.samples.never.astype(np.int64)
        known = self.share if share is None else share
        return Crowd(mean, root, np.asarray(np.linalg.inv(self.omega), np.float64), float(self.error), float(known), never)


class _Search:
    """Chains and running sums of one search."""

    def __init__(self, problem: Problem, start: Estimate, plan: Plan, seed: int, purpose: str) -> None:
        rows = problem.samples.rows
        subjects, size = len(problem.samples.subjects), len(problem.model.random)
        self.problem, self.plan = problem, plan
        self.keys = keys_of(seed, problem.samples.marks, plan.chains, purpose)
        self.moves = np.array([_FROM_CROWD, 2 * size, _AT_ONCE], np.int64)
        needed = max(int(self.moves.sum()) * (size + 1) + 1, int(np.diff(rows.first).max()))
        self.step = np.sqrt(np.diag(start.omega)) * 0.5
        mean = problem.design @ start.coefficients
        self.chains = Chains(
            phi=np.repeat(mean[None], plan.chains, axis=0).copy(),
            expander=np.ones((plan.chains, subjects), np.int64),
            taken=np.zeros(size),
            noise=np.empty(needed + needed % 2),
            trial=np.empty(size),
            full=np.zeros(MOST_PARAMETERS),
        )
        self.centre, self.spread = mean.copy(), np.repeat(0.2 * start.omega[None], subjects, axis=0)
        self.work = (plan.explore + plan.settle) * plan.chains * len(rows.time) * int(self.moves.sum())

    def round(self, number: int, now: Estimate, *, share: float | None = None) -> Walk:
        """Move all chains once and learn how far moves should go."""
        size = len(self.step)
        floor = 1e-4 * np.diag(np.diag(now.omega))
        block = root_of((2.0 / size) * (self.spread + floor))
        walk = Walk(self.keys, number, self.moves, self.step, block)
        self.chains.taken[:] = 0.0
        formula = self.problem.formula(now.common)
        explore(self.work, self.problem.samples.rows, formula, now.crowd(self.problem, share=share), walk, self.chains)
        tries = self.plan.chains * self.chains.phi.shape[1] * self.moves[1] / size
        self.step = self.step * np.clip(1.0 + (self.chains.taken / tries - 0.4), 0.7, 1.4)
        learn = max(0.02, (number + 2.0) ** -0.7)
        apart = self.chains.phi - self.centre
        self.spread = self.spread + learn * (np.einsum("cia,cib->iab", apart, apart) / len(apart) - self.spread)
        self.centre = self.centre + learn * apart.mean(axis=0)
        return walk


def run_saem(problem: Problem, start: Estimate, plan: Plan, seed: int) -> tuple[Estimate, Floats]:
    """Search the most likely population.

    Returns
    -------
    estimate, trace
        Where the search ended, and a row a round: coefficients, standard deviations of random effects, parameters that all share,
        residual SD, share of expanders.
    """
    search = _Search(problem, start, plan, seed, "search")
    subjects, size = search.centre.shape
    held = problem.formula(start.common).held
    weight, first, second = np.zeros(subjects), np.zeros((subjects, size)), np.zeros((subjects, size, size))
    squares, number = 0.0, 0.0
    curvature = np.zeros((len(held), len(held)))
    now: Estimate = start
    trace: list[Floats] = []
    for k in range(plan.explore + plan.settle):
        gain = 1.0 if k < plan.explore else 1.0 / (k - plan.explore + 1)
        walk = search.round(k, now)
        rows = len(problem.samples.rows.time)
        sums = Sums(np.zeros(1), np.zeros(1), np.zeros(len(held)), np.zeros((len(held), len(held))), np.empty((rows, 1 + len(held))))
        crowd = now.crowd(problem)
        complete(search.work, problem.samples.rows, problem.formula(now.common), crowd, walk, search.chains, sums)
        of_class = search.chains.expander / plan.chains
        phi = search.chains.phi
        weight += gain * (of_class.sum(axis=0) - weight)
        first += gain * (np.einsum("ci,cia->ia", of_class, phi) - first)
        second += gain * (np.einsum("ci,cia,cib->iab", of_class, phi, phi) - second)
        squares += gain * (float(sums.squares[0]) / plan.chains - squares)
        number += gain * (float(sums.number[0]) / plan.chains - number)
        curvature += (gain if k >= plan.explore else 0.1 if k else 1.0) * (sums.curvature / plan.chains - curvature)
        now = _moved(problem, now, (weight, first, second), squares / max(number, 1.0))
        if len(held):
            ridge = 1e-8 * np.eye(len(held)) * max(1.0, float(np.trace(curvature)))
            step = np.linalg.solve(curvature + ridge, sums.slope / plan.chains)
            common = now.common.copy()
            limit = _LONGEST_STEP * np.maximum(1.0, 0.2 * np.abs(common[held]))
            common[held] += min(gain, 0.5) * np.clip(step, -limit, limit)
            now = replace(now, common=common)
        if k < plan.explore // 2:
            now = _cooled(now, walk_from=trace[-1] if trace else None, size=size, coefficients=len(problem.names))
        trace.append(np.concatenate([now.coefficients, np.sqrt(np.diag(now.omega)), now.common[held], [now.error, now.share]]))
    return now, np.array(trace)


def _moved(problem: Problem, now: Estimate, sums: tuple[Floats, Floats, Floats], variance: float) -> Estimate:
    """Return the population that makes what was drawn most likely."""
    weight, first, second = sums
    precision = np.linalg.inv(now.omega)
    x = problem.design
    left = np.einsum("i,iap,ab,ibq->pq", weight, x, precision, x)
    right = np.einsum("iap,ab,ib->p", x, precision, first)
    coefficients = np.linalg.solve(left, right)
    mean = x @ coefficients
    cross = np.einsum("ia,ib->ab", first, mean)
    omega = second.sum(axis=0) - cross - cross.T + np.einsum("i,ia,ib->ab", weight, mean, mean)
    omega /= weight.sum()
    variances = np.maximum(np.diag(omega), _LEAST_SD**2)
    floor = np.diag(variances - np.diag(omega)) + 1e-9 * np.diag(variances)
    omega = omega + floor if problem.model.full else np.diag(variances)
    share = min(float(weight.sum() / len(weight)), 1.0 - 1e-6) if problem.classes else 1.0
    return replace(now, coefficients=coefficients, omega=omega, error=float(np.sqrt(max(variance, 1e-12))), share=share)


def _cooled(now: Estimate, *, walk_from: Floats | None, size: int, coefficients: int) -> Estimate:
    """Return the population with spreads that fell no faster than they may at first."""
    if walk_from is None:
        return now
    before = walk_from[coefficients : coefficients + size]
    spread = np.sqrt(np.diag(now.omega))
    kept = np.maximum(spread, before * np.sqrt(_COOLING))
    scale = kept / spread
    error = max(now.error, float(walk_from[-2]) * float(np.sqrt(_COOLING)))
    return replace(now, omega=now.omega * np.outer(scale, scale), error=error)


@dataclass(frozen=True)
class Draws:
    """What a subject's own draws show, given that its cells expand: mean, covariance and some of the draws themselves."""

    mean: Floats
    covariance: Floats
    centres: Floats


def draw_subjects(problem: Problem, estimate: Estimate, seed: int, *, rounds: int = 200, chains: int = 4, kept: int = 32) -> Draws:
    """Draw parameters of every subject by a population that stands still, all taken to be expanders.

    A class that a subject may not be of would spoil what is drawn for the other.
    """
    search = _Search(problem, estimate, Plan(rounds, 0, chains), seed, "subjects")
    found = []
    for k in range(rounds):
        search.round(k, estimate, share=1.0)
        if k >= rounds // 4:
            found.append(search.chains.phi.copy())
    draws = np.concatenate(found)
    mean = draws.mean(axis=0)
    apart = draws - mean
    covariance = np.einsum("kia,kib->iab", apart, apart) / len(draws)
    covariance += 1e-6 * np.diag(np.diag(estimate.omega))
    centres = draws[np.linspace(0, len(draws) - 1, kept).astype(int)].transpose(1, 0, 2).copy()
    return Draws(mean, covariance, centres)
