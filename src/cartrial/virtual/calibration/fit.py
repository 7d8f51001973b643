"""Which parameters do the published results accept? Maximum a posteriori, then randomised maximum likelihood.

Randomised maximum likelihood (Kitanidis 1995, doi:10.1029/95WR00084): each member fits its own perturbed targets from its own draw of
the prior, with its own chances, by damped Gauss-Newton steps. Exact for a linear model with normal errors, an approximation here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.calibration.clinic import BEFORE_INFUSION, MEASURES, simulate_cohort
from cartrial.virtual.calibration.targets import Registry, load_targets
from cartrial.virtual.patients.population import Model, Population, load_model, load_population

__all__ = ["SIZES", "Fit", "Problem", "fit_map", "sample_ensemble"]

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]

# enrolled patients of one evaluation, and days of follow-up
SIZES = {
    "eliana": (500, 1826.0),
    "cibmtr": (260, 731.0),
    "mskcc": (280, 1080.0),
    "inaticel": (240, 1080.0),
    "allogeneic-cd19": (200, 720.0),
    "allogeneic-cd19-no-alemtuzumab": (60, 180.0),
    "zuma3": (280, 1080.0),
    "felix": (160, 28.0),
}
_CLIP = 12.0
_STEP = 0.6


@cache
def _population(name: str) -> Population:
    """Return a built-in population, read once."""
    return load_population(name)


@dataclass(frozen=True)
class Problem:
    """What is fitted.

    Parameters
    ----------
    model : Model
    registry : Registry
    fitted : ndarray of bool, shape (targets,)
        Which targets count.
    sizes : mapping of str to (int, float)
        Enrolled patients and days of follow-up by population.
    workers : int
        Threads, each with its own evaluation.
    """

    model: Model = field(default_factory=load_model)
    registry: Registry = field(default_factory=load_targets)
    fitted: NDArray[np.bool_] = field(default_factory=lambda: load_targets().fitted)
    sizes: dict[str, tuple[int, float]] = field(default_factory=lambda: dict(SIZES))
    workers: int = 2

    @property
    def published(self) -> tuple[Floats, Floats]:
        """Targets and their standard deviations on the scale of comparison, each of shape (targets,)."""
        pairs = np.array([target.compared for target in self.registry.targets])
        return pairs[:, 0], pairs[:, 1]

    @property
    def weight(self) -> Floats:
        """Root of the fit's weights, 0 for what is not fitted, shape (targets,)."""
        return np.sqrt([target.weight for target in self.registry.targets]) * self.fitted

    def without(self, trial: str) -> Problem:
        """Return the problem without the targets of one trial."""
        keep = np.array([target.trial != trial for target in self.registry.targets])
        return Problem(self.model, self.registry, self.fitted & keep, self.sizes, self.workers)

    def only(self, trial: str) -> Problem:
        """Return the problem of one trial's targets alone, whatever their use."""
        own = tuple(target for target in self.registry.targets if target.trial == trial)
        registry = self.registry.model_copy(update={"targets": own})
        return Problem(self.model, registry, np.ones(len(own), bool), self.sizes, self.workers)

    def predict(self, values: Floats, seed: int, *, everything: bool = False, factor: float = 1.0) -> Floats:
        """Simulate every target under one parameter set.

        Parameters
        ----------
        values : ndarray of float64, shape (parameters,)
            On the transformed scale.
        seed : int
            Of the patients' chances.
        everything : bool
            Also what is not fitted; else that is NaN where its population is not needed.
        factor : float
            Multiplies the numbers of patients.

        Returns
        -------
        ndarray of float64, shape (targets,)
            On the scale of comparison.
        """
        natural = {name: float(value) for name, value in self.model.natural(values).items()}
        asked = [target for target, used in zip(self.registry.targets, self.fitted, strict=True) if used or everything]
        needed = {name for target in asked for name in target.populations}
        followed = {name for target in asked if target.measure not in BEFORE_INFUSION for name in target.populations}
        cohorts = {}
        for name in sorted(needed):
            patients, last = self.sizes[name]
            # whom nothing is asked of after the infusion needs no course
            last = last if name in followed else 1.0
            cohorts[name] = simulate_cohort(_population(name), natural, patients=int(patients * factor), seed=seed, last=last)
        out = np.full(len(self.registry.targets), np.nan)
        for i, target in enumerate(self.registry.targets):
            if all(name in (followed if target.measure not in BEFORE_INFUSION else cohorts) for name in target.populations):
                band = target.blasts
                seen = {name: cohorts[name].within(band.from_, band.to) if band else cohorts[name] for name in target.populations}
                measured = sum(share * MEASURES[target.measure](seen[name], target.at) for name, share in target.populations.items())
                out[i] = target.compare(measured)
        return out

    def predict_all(
        self,
        sets: Sequence[Floats],
        seeds: Sequence[int],
        *,
        everything: bool = False,
        factor: float = 1.0,
        progress: Progress | None = None,
        label: str = "",
    ) -> Floats:
        """Simulate every target under many parameter sets, shape (sets, targets)."""
        out = np.empty((len(sets), len(self.registry.targets)))
        with ThreadPoolExecutor(self.workers) as pool:
            jobs = [
                pool.submit(self.predict, values, seed, everything=everything, factor=factor)
                for values, seed in zip(sets, seeds, strict=True)
            ]
            try:
                for i, job in enumerate(jobs):
                    out[i] = job.result()
                    if progress is not None:
                        progress(label, (i + 1) / len(jobs))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return out

    def residuals(self, predicted: Floats, shift: Floats | float = 0.0) -> Floats:
        """Return weighted, clipped residuals of the fitted targets, shape (..., fitted)."""
        value, sd = self.published
        z = np.clip((predicted - value) / sd - shift, -_CLIP, _CLIP) * self.weight
        return np.nan_to_num(z[..., self.fitted])


@dataclass(frozen=True)
class Fit:
    """The most probable parameters.

    Parameters
    ----------
    scaled : ndarray of float64, shape (parameters,)
        In prior standard deviations from the prior's mean.
    jacobian : ndarray of float64, shape (fitted, parameters)
        Change of the weighted residuals by one prior standard deviation.
    residual : ndarray of float64, shape (fitted,)
    cost : float
        Sum of squares of residuals and of `scaled`.
    """

    scaled: Floats
    jacobian: Floats
    residual: Floats
    cost: float

    @property
    def informed(self) -> float:
        """Effective number of informed directions: trace of J (J'J + 1)^-1 J'."""
        singular = np.linalg.svd(self.jacobian, compute_uv=False)
        return float((singular**2 / (1 + singular**2)).sum())


def _unscale(problem: Problem, scaled: Floats) -> Floats:
    mean, sd = problem.model.prior
    return mean + scaled * sd


def _jacobian(problem: Problem, scaled: Floats, seed: int, progress: Progress | None) -> Floats:
    n = len(scaled)
    points = [scaled + sign * _STEP * np.eye(n)[i] for i in range(n) for sign in (1, -1)]
    predicted = problem.predict_all([_unscale(problem, p) for p in points], [seed] * len(points), progress=progress, label="sensitivities")
    r = problem.residuals(predicted)
    return ((r[0::2] - r[1::2]) / (2 * _STEP)).T


def fit_map(
    problem: Problem,
    *,
    start: Floats | None = None,
    jacobian: Floats | None = None,
    seed: int = 1,
    iterations: int = 10,
    progress: Progress | None = None,
) -> Fit:
    """Find the most probable parameters by Levenberg-Marquardt.

    Parameters
    ----------
    problem : Problem
    start : ndarray of float64, shape (parameters,), optional
        In prior standard deviations; the prior's mean without it.
    jacobian : ndarray of float64, shape (fitted, parameters), optional
        At the start, where it is known: the same patients' chances give the same.
    seed : int
        Of the patients' chances, the same throughout. Derivatives are central differences over 0.6 prior standard deviations, which
        smooths the steps of counting.
    iterations : int
        At most.

    Returns
    -------
    Fit
    """
    n = len(problem.model.names)
    x = np.zeros(n) if start is None else start.copy()
    r = problem.residuals(problem.predict(_unscale(problem, x), seed))
    cost = float(r @ r + x @ x)
    jacobian = _jacobian(problem, x, seed, progress) if jacobian is None else jacobian
    for iteration in range(iterations):
        trials = []
        for damping in (0.05, 0.5, 3.0, 15.0, 60.0):
            step = -np.linalg.solve(jacobian.T @ jacobian + (1 + damping) * np.eye(n), jacobian.T @ r + x)
            trials.append(np.clip(x + np.clip(step, -1.5, 1.5), -4, 4))
        predicted = problem.predict_all(
            [_unscale(problem, t) for t in trials], [seed] * len(trials), progress=progress, label=f"step {iteration + 1}, cost {cost:.1f}"
        )
        rs = problem.residuals(predicted)
        costs = (rs**2).sum(1) + (np.array(trials) ** 2).sum(1)
        best = int(costs.argmin())
        gain = cost - float(costs[best])
        if gain <= 0.3:
            break
        x, r, cost = trials[best], rs[best], float(costs[best])
        jacobian = _jacobian(problem, x, seed, progress)
    return Fit(x, jacobian, r, cost)


def sample_ensemble(
    problem: Problem, fit: Fit, members: int, *, seed: int = 9, iterations: int = 3, keep: float = 0.85, progress: Progress | None = None
) -> Floats:
    """Sample accepted parameter sets by randomised maximum likelihood.

    Parameters
    ----------
    problem : Problem
    fit : Fit
    members : int
        Started; the worst by their own cost are dropped.
    seed : int
        Of the perturbations; each member also has one of 24 seeds of patients' chances.
    iterations : int
        Gauss-Newton steps after the linear start, with sensitivities corrected by ridge regression over the ensemble.
    keep : float
        Share of members kept.

    Returns
    -------
    ndarray of float64, shape (members kept, parameters)
        On the transformed scale.
    """
    random = np.random.default_rng(seed)
    n = len(fit.scaled)
    prior = random.normal(size=(members, n))
    shift = random.normal(size=(members, len(problem.registry.targets)))
    own = [1000 + i % 24 for i in range(members)]
    jacobian = fit.jacobian
    noise = (shift * problem.weight)[:, problem.fitted]
    inverse = np.linalg.inv(jacobian.T @ jacobian + np.eye(n))
    x = np.clip(fit.scaled - ((fit.residual - noise) @ jacobian + fit.scaled - prior) @ inverse, -4, 4)

    def evaluate(sets: Floats, label: str) -> tuple[Floats, Floats, Floats]:
        predicted = problem.predict_all([_unscale(problem, s) for s in sets], own, progress=progress, label=label)
        own_residual = problem.residuals(predicted, shift)
        return problem.residuals(predicted), own_residual, (own_residual**2).sum(1) + ((sets - prior) ** 2).sum(1)

    plain, residual, cost = evaluate(x, "ensemble, start")
    damping = np.full(members, 0.8)
    for iteration in range(iterations):
        dx, dr = x - x.mean(0), plain - plain.mean(0)
        correction = np.linalg.solve(dx.T @ dx + 0.5 * members * np.eye(n), dx.T @ (dr - dx @ jacobian.T)).T
        local = jacobian + correction
        inverse = np.linalg.inv(local.T @ local + np.eye(n))
        step = np.clip((residual @ local + x - prior) @ inverse, -2, 2)
        trial = np.clip(x - damping[:, None] * step, -4.5, 4.5)
        new_plain, new_residual, new_cost = evaluate(trial, f"ensemble, step {iteration + 1}")
        better = new_cost < cost
        x[better], plain[better], residual[better], cost[better] = trial[better], new_plain[better], new_residual[better], new_cost[better]
        damping = np.where(better, 0.8, 0.4 * damping)
    kept = np.argsort(cost)[: max(1, int(keep * members))]
    return _unscale(problem, x[np.sort(kept)])
