"""How likely are all samples under a population, and how does that change with each of its parameters?

The marginal likelihood by importance sampling. Its slope is the mean of the slopes of complete data, weighted by the draws (Fisher's
identity), so no difference of likelihoods is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from cartrial.kinetics.codes import MOST_PARAMETERS
from cartrial.kinetics.curves_kernel import Floats
from cartrial.kinetics.estimation.proposal import Points
from cartrial.kinetics.estimation.saem import Estimate
from cartrial.kinetics.estimation.weigh_kernel import Weights, weigh
from cartrial.kinetics.model import Problem, root_of

__all__ = ["Likelihood", "Weighed", "assess_likelihood", "pack", "shown", "unpack", "weigh_points", "weights_of"]


_LEAST_SPREAD = float(np.log(1e-3))
# nor does a residual vanish, or a division by it would be none
_MOST_LOG_ERROR = 30.0
# a share of expanders stays between one in a million and all but one
_MOST_LOGIT = float(np.log(1e6))


@dataclass(frozen=True)
class Weighed:
    """Likelihood of the samples at every point: it depends on the residual SD and on what all share, not on the rest of the population."""

    points: Points
    found: Weights


@dataclass(frozen=True)
class Likelihood:
    """The marginal likelihood.

    Attributes
    ----------
    log : float
        Its logarithm; of cells the density is that of the logarithms.
    error : float
        Monte Carlo standard error, from replicates.
    sizes : ndarray, shape (subjects,)
        Effective number of draws (Kong 1992), over the probability of expanding, at most all draws: where the cells of a subject hardly
        can have expanded, draws of how they would have matter as little.
    scores : ndarray, shape (subjects, parameters)
        Slope by each parameter of `pack`.
    expander : ndarray, shape (subjects,)
        Probability of the class of expanders.
    mean, spread : ndarray, shape (subjects, random effects)
        Conditional mean and standard deviation of a subject's parameters, of expanders.
    """

    log: float
    error: float
    sizes: Floats
    scores: Floats
    expander: Floats
    mean: Floats
    spread: Floats

    @property
    def slope(self) -> Floats:
        """Slope of the whole likelihood."""
        return np.asarray(self.scores.sum(axis=0))


def weigh_points(problem: Problem, estimate: Estimate, points: Points) -> Weighed:
    """Return the likelihood of the samples at every point."""
    shape = points.phi.shape[:2]
    formula = problem.formula(estimate.common)
    held = len(formula.held)
    found = Weights(np.empty(shape), np.empty(shape), np.empty((*shape, held)), np.zeros(MOST_PARAMETERS))
    weigh(points.phi.shape[1] * len(problem.samples.rows.time), problem.samples.rows, formula, points.phi, float(estimate.error), found)
    return Weighed(points, found)


def pack(problem: Problem, estimate: Estimate) -> Floats:
    """Return the parameters of a population as a vector without limits.

    Coefficients, parameters that all share, the lower triangle of the root of the covariance (its diagonal as logarithm), the logarithm
    of the residual SD, the logit of the share of expanders.
    """
    root = root_of(estimate.omega)
    below = np.tril_indices(len(root), -1)
    off = root[below] if problem.model.full else np.zeros(0)
    held = problem.formula(estimate.common).held
    share = [np.log(estimate.share / (1.0 - estimate.share))] if problem.classes else []
    return np.concatenate([estimate.coefficients, estimate.common[held], np.log(np.diag(root)), off, [np.log(estimate.error)], share])


def unpack(problem: Problem, vector: Floats) -> Estimate:
    """Return the population of a vector."""
    p, held, d = len(problem.names), problem.formula(np.zeros(MOST_PARAMETERS)).held, len(problem.model.random)
    q = len(held)
    common = np.zeros(MOST_PARAMETERS)
    common[held] = vector[p : p + q]
    # a last effect that vanishes stays above nothing, so that its inverse is a number
    root = np.diag(np.exp(np.maximum(vector[p + q : p + q + d], _LEAST_SPREAD)))
    at = p + q + d
    if problem.model.full:
        count = d * (d - 1) // 2
        root[np.tril_indices(d, -1)] = vector[at : at + count]
        at += count
    share = 1.0 / (1.0 + np.exp(-np.clip(vector[at + 1], -_MOST_LOGIT, _MOST_LOGIT))) if problem.classes else 1.0
    error = float(np.exp(np.clip(vector[at], -_MOST_LOG_ERROR, _MOST_LOG_ERROR)))
    return Estimate(vector[:p].copy(), root @ root.T, common, error, float(share))


def shown(problem: Problem, vector: Floats) -> tuple[Floats, Floats]:
    """Return the vector of `pack` as it is shown, and its slopes by that vector.

    In the place of the logarithm of the root's diagonal stands that of the spread, which with correlations is another number.
    """
    found, slopes = vector.copy(), np.eye(len(vector))
    if problem.model.full:
        at, d = len(problem.names) + len(problem.held), len(problem.model.random)
        root = root_of(unpack(problem, vector).omega)
        variance = np.sum(root**2, axis=1)
        found[at : at + d] = 0.5 * np.log(variance)
        slopes[at : at + d, at : at + d] = np.diag(np.diag(root) ** 2 / variance)
        for column, (j, k) in enumerate(zip(*np.tril_indices(d, -1), strict=True)):
            slopes[at + j, at + d + column] = root[j, k] / variance[j]
    return found, slopes


def _logs(problem: Problem, estimate: Estimate, weighed: Weighed) -> tuple[Floats, Floats, Floats]:
    """Return the logarithm of each point's weight, how far it is from the subject's mean, and the root of the covariance."""
    points = weighed.points
    root = root_of(estimate.omega)
    eta = points.phi - (problem.design @ estimate.coefficients)[:, None]
    z = eta @ np.linalg.inv(root).T
    prior = -0.5 * np.sum(z * z, axis=-1) - np.log(np.diag(root)).sum() - 0.5 * len(root) * np.log(2 * np.pi)
    return np.asarray(weighed.found.likelihood + prior - points.log_density, np.float64), eta, root


def weights_of(problem: Problem, estimate: Estimate, weighed: Weighed) -> Floats:
    """Return the weights of points, with sum 1 for each subject."""
    logs = _logs(problem, estimate, weighed)[0]
    return np.asarray(np.exp(logs - logsumexp(logs, axis=1)[:, None]))


def assess_likelihood(problem: Problem, estimate: Estimate, weighed: Weighed) -> Likelihood:
    """Return the marginal likelihood and its slopes from weighed points."""
    points = weighed.points
    subjects, draws, _ = points.phi.shape
    logs, eta, root = _logs(problem, estimate, weighed)
    each = logsumexp(logs, axis=1)
    weights = np.exp(logs - each[:, None])
    marginal = each - np.log(draws)
    never = problem.samples.never
    expander = np.ones(subjects)
    if problem.classes:
        seen = np.log(estimate.share) + marginal
        both = np.where(never, np.logaddexp(seen, np.log1p(-estimate.share)), seen)
        expander = np.exp(seen - both)
    else:
        both = marginal
    parts = logsumexp(logs.reshape(subjects, points.replicates, -1), axis=2) - np.log(draws / points.replicates)
    error = expander * np.exp(parts - marginal[:, None]).std(axis=1, ddof=1).T / np.sqrt(points.replicates)
    mean = _averaged(weights, points.phi)
    spread = np.sqrt(_averaged(weights, (points.phi - mean[:, None]) ** 2))
    scores = _scores(problem, estimate, weighed, weights, eta, root)
    scores *= expander[:, None]
    if problem.classes:
        scores = np.column_stack([scores, expander - estimate.share])
    sizes = np.minimum(1.0 / (np.sum(weights**2, axis=1) * np.maximum(expander, 1e-300)), float(draws))
    return Likelihood(float(both.sum()), float(np.sqrt(np.sum(error**2))), sizes, scores, expander, mean, spread)


def _scores(problem: Problem, estimate: Estimate, weighed: Weighed, weights: Floats, eta: Floats, root: Floats) -> Floats:
    """Return slopes of the logarithm of complete data, weighted: (subjects, parameters), without the share of expanders."""
    precision = np.linalg.inv(estimate.omega)
    first = _averaged(weights, eta)
    second = np.swapaxes(eta * weights[..., None], 1, 2) @ eta
    by_coefficients = np.einsum("iap,ab,ib->ip", problem.design, precision, first)
    by_omega = 0.5 * (precision @ second @ precision - precision)
    by_root = 2.0 * by_omega @ root
    size = len(root)
    columns = [by_coefficients, _averaged(weights, weighed.found.by_common)]
    columns.append(by_root[:, np.arange(size), np.arange(size)] * np.diag(root))
    if problem.model.full:
        below = np.tril_indices(size, -1)
        columns.append(by_root[:, below[0], below[1]])
    columns.append(np.sum(weights * weighed.found.by_error, axis=1)[:, None])
    return np.column_stack(columns)


def _averaged(weights: Floats, values: Floats) -> Floats:
    """Return means over draws: weights (subjects, draws), values (subjects, draws, k)."""
    return np.asarray((weights[:, None] @ values)[:, 0])
