"""How much do trials differ, by the fitted results alone, and which parameter sets are those of one trial?

The calibration gives all trials of a population one parameter set. Here each trial has its own, around a common one: in each domain of the
model the numbers of a trial lie off it by a share of their priors' standard deviations. The shares are estimated from the residuals and the
sensitivities of the fit, linear around the most probable parameters, and nothing else: no result for evaluation is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.virtual.calibration.fit import Fit, Problem
from cartrial.virtual.patients.ensemble import Ensemble, load_ensemble
from cartrial.virtual.patients.population import DATA, Model, load_model

__all__ = [
    "SCALE",
    "Linear",
    "Spread",
    "estimate_spread",
    "fitted_trials",
    "linear_of",
    "load_linear",
    "trial_ensemble",
    "trial_moves",
    "write_linear",
]

Floats = NDArray[np.float64]

SCALE = 0.5
"""Scale of the half-normal prior of a domain's spread, in the priors' standard deviations: that of the best score in `assess_spread`."""
_DRAWS = 2000
_SEED = 9
# streams of random numbers
_SPREADS, _ORDER, _TRIALS = range(3)
# parameter sets of a trial for each member of the ensemble
_EACH = 4


@dataclass(frozen=True)
class Linear:
    """The fit, linear around its most probable parameters: residual = `level` + `jacobian` @ x, standard normal where x is true.

    Parameters
    ----------
    targets, trials : tuple of str
        Of each fitted result, and whose it is.
    level : ndarray of float64, shape (targets,)
        Weighted residuals at the prior's mean.
    jacobian : ndarray of float64, shape (targets, parameters)
        Their change by one prior standard deviation.
    model : Model
    """

    targets: tuple[str, ...]
    trials: tuple[str, ...]
    level: Floats
    jacobian: Floats
    model: Model

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains of the model, in the order of their first number."""
        return tuple(dict.fromkeys(free.domain for free in self.model.free))

    def of(self, domain: str) -> NDArray[np.bool_]:
        """Return which parameters are of a domain."""
        return np.array([free.domain == domain for free in self.model.free])

    def variances(self, spread: Floats) -> Floats:
        """Return the variance of each parameter between trials, shape (draws, parameters), of spreads by domain, (draws, domains)."""
        return np.asarray(spread**2 @ np.array([self.of(domain) for domain in self.domains], float))

    def rows(self, trial: str) -> NDArray[np.bool_]:
        """Return which results are a trial's."""
        return np.array([name == trial for name in self.trials])

    def without(self, trial: str) -> Linear:
        """Return the fit without a trial's results."""
        keep = ~self.rows(trial)
        names, trials = (tuple(name for name, kept in zip(some, keep, strict=True) if kept) for some in (self.targets, self.trials))
        return Linear(names, trials, self.level[keep], self.jacobian[keep], self.model)

    def shared(self, variances: Floats) -> Floats:
        """Return the covariance of the residuals by what trials differ in, shape (draws, targets, targets)."""
        names = np.array(self.trials)
        same = names[:, None] == names[None, :]
        return np.asarray(((self.jacobian * variances[:, None, :]) @ self.jacobian.T) * same)


@dataclass(frozen=True)
class Spread:
    """How much trials differ: draws of the spread of each domain, with the weight that the fitted results give them.

    Parameters
    ----------
    domains : tuple of str
    values : ndarray of float64, shape (draws, domains)
        Standard deviations between trials, in prior standard deviations of the numbers.
    weight : ndarray of float64, shape (draws,)
    """

    domains: tuple[str, ...]
    values: Floats
    weight: Floats

    def quantiles(self, shares: tuple[float, ...] = (0.1, 0.5, 0.9)) -> Floats:
        """Return quantiles of each domain's spread, shape (domains, shares)."""
        found = []
        for column in self.values.T:
            order = np.argsort(column)
            found.append(np.interp(shares, np.cumsum(self.weight[order]), column[order]))
        return np.array(found)

    def resample(self, number: int) -> Floats:
        """Return spreads as often as their weight says, shape (number, domains): systematic resampling, in drawn order."""
        at = np.searchsorted(np.cumsum(self.weight), (np.arange(number) + 0.5) / number)
        picked = self.values[np.minimum(at, len(self.values) - 1)]
        return np.asarray(picked[np.random.default_rng([_SEED, _ORDER]).permutation(number)])


def linear_of(problem: Problem, fit: Fit) -> Linear:
    """Return the linear form of a fit."""
    used = [target for target, fitted in zip(problem.registry.targets, problem.fitted, strict=True) if fitted]
    names, trials = tuple(target.id for target in used), tuple(target.trial for target in used)
    return Linear(names, trials, fit.residual - fit.jacobian @ fit.scaled, fit.jacobian, problem.model)


def write_linear(path: Path, linear: Linear) -> None:
    """Write a fit in its linear form as CSV: target, trial, level, and a column for each parameter."""
    frame = pl.DataFrame({"target": linear.targets, "trial": linear.trials, "level": linear.level})
    columns = [pl.Series(name, column) for name, column in zip(linear.model.names, linear.jacobian.T, strict=True)]
    frame.with_columns(columns).write_csv(path, float_precision=5)


@cache
def load_linear(path: Path = DATA / "sensitivities.csv") -> Linear:
    """Read a fit in its linear form; without a path, that of the built-in calibration.

    Raises
    ------
    InputError
        If the file is missing, or is not of the present model.

    Examples
    --------
    The fit took 58 results of 12 trials.

    >>> from cartrial.virtual.calibration.between import load_linear
    >>> linear = load_linear()
    >>> len(linear.targets), len(set(linear.trials)), linear.jacobian.shape
    (58, 12, (58, 26))
    """
    model = load_model()
    try:
        frame = pl.read_csv(path)
        jacobian = frame.select(model.names).to_numpy().astype(float)
        return Linear(tuple(frame["target"]), tuple(frame["trial"]), frame["level"].to_numpy().astype(float), jacobian, model)
    except (OSError, pl.exceptions.PolarsError) as error:
        right = "Make it again with `cartrial calibrate`"
        raise InputError("the sensitivities are not of the present model", file=path.name, right=right) from error


def fitted_trials() -> tuple[str, ...]:
    """Return the trials of whose own parameters fitted results say something."""
    return tuple(dict.fromkeys(load_linear().trials))


def estimate_spread(linear: Linear, *, scale: float = SCALE, draws: int = _DRAWS, seed: int = _SEED) -> Spread:
    """Estimate how much trials differ in each domain.

    Parameters
    ----------
    linear : Linear
    scale : float
        Of the half-normal prior of each spread, in prior standard deviations of the numbers.
    draws, seed : int
        Spreads are drawn from their prior and weighted by the likelihood of the fitted results, the common parameters integrated out.

    Returns
    -------
    Spread

    Notes
    -----
    A normal hierarchical model, linear in the parameters; the half-normal prior for few trials: Röver et al. 2021,
    doi:10.1002/jrsm.1475.

    Examples
    --------
    Where nothing is observed, the prior stays: the median of a half-normal of scale 0.5 is 0.337.

    >>> from dataclasses import replace
    >>> from cartrial.virtual.calibration.between import estimate_spread, load_linear
    >>> linear = load_linear()
    >>> blind = replace(linear, jacobian=0 * linear.jacobian)
    >>> bool(abs(estimate_spread(blind).quantiles()[:, 1].mean() - 0.337) < 0.01)
    True
    """
    values = scale * np.abs(np.random.default_rng([seed, _SPREADS]).normal(size=(draws, len(linear.domains))))
    common = np.eye(len(linear.level)) + linear.jacobian @ linear.jacobian.T
    found = [_likelihood(linear.level, common + linear.shared(part)) for part in np.array_split(linear.variances(values), 8)]
    logs = np.concatenate(found)
    weight = np.exp(logs - logs.max())
    return Spread(linear.domains, values, weight / weight.sum())


def _likelihood(level: Floats, covariance: Floats) -> Floats:
    """Return the log likelihood of residuals under each covariance, up to a constant, shape (draws,)."""
    solved = np.linalg.solve(covariance, np.broadcast_to(level[:, None], (len(covariance), len(level), 1)))[..., 0]
    return np.asarray(-0.5 * (np.linalg.slogdet(covariance)[1] + solved @ level))


def _posterior(linear: Linear, variances: Floats, trial: str) -> tuple[Floats, Floats]:
    """Return mean and covariance of a trial's own parameters under each spread, in prior standard deviations.

    What the other trials say of the common parameters, with what they differ by, is the trial's prior; its own results then count in
    full. A new trial has none.
    """
    own = linear.rows(trial)
    rest, eye = linear.jacobian[~own], np.eye(linear.jacobian.shape[1])
    noise = np.eye((~own).sum()) + linear.shared(variances)[:, ~own][:, :, ~own]
    weighed = np.linalg.solve(noise, np.broadcast_to(np.column_stack([rest, linear.level[~own]]), (*noise.shape[:2], len(eye) + 1)))
    covariance: Floats = np.asarray(np.linalg.inv(eye + rest.T @ weighed[..., :-1]), float)
    mean: Floats = -(covariance @ (rest.T @ weighed[..., -1:]))[..., 0]
    before: Floats = covariance + variances[:, :, None] * eye
    if not own.any():
        return mean, before
    precision = np.linalg.inv(before)
    after: Floats = np.asarray(np.linalg.inv(precision + linear.jacobian[own].T @ linear.jacobian[own]), float)
    pulled = precision @ mean[..., None] - linear.jacobian[own].T @ linear.level[own][:, None]
    return np.asarray((after @ pulled)[..., 0]), after


def trial_moves(linear: Linear, spread: Floats, trial: str = "") -> tuple[Floats, Floats]:
    """Return by how much a trial's own parameters lie off the common ones of a fit in which trials do not differ.

    Parameters
    ----------
    linear : Linear
    spread : ndarray of float64, shape (draws, domains)
    trial : str
        One of the fit, or "" for a new one.

    Returns
    -------
    mean, covariance : ndarray of float64, shape (draws, parameters) and (draws, parameters, parameters)
        In prior standard deviations: what is added to the mean and to the covariance.
    """
    mean, covariance = _posterior(linear, linear.variances(spread), trial)
    common_mean, common = _posterior(linear, np.zeros((1, len(linear.model.names))), "")
    return mean - common_mean, covariance - common


@cache
def trial_ensemble(trial: str = "") -> Ensemble:
    """Return the parameter sets of one trial: those of the ensemble, moved by what trials differ in.

    Parameters
    ----------
    trial : str
        One of `fitted_trials`, of whose own parameters its fitted results say something; "" is a new trial.

    Returns
    -------
    Ensemble
        Four sets for each member of the built-in ensemble, beside one another, so that a virtual trial has the same member as without.

    Notes
    -----
    Each set is a member plus a normal draw with the difference of two posteriors in the linear model, of the trial's own parameters where
    trials differ and of the common ones where they do not: its mean and its covariance. Spreads are drawn from their posterior.

    Examples
    --------
    A new trial is less sure than one whose own results were fitted, in how often a product is poor as in nearly all.

    >>> from cartrial.virtual import load_ensemble
    >>> from cartrial.virtual.calibration.between import trial_ensemble
    >>> shared, own, new = load_ensemble(), trial_ensemble("MSKCC"), trial_ensemble()
    >>> at = new.model.names.index("poor-adult")
    >>> len(new) == 4 * len(shared), bool(shared.values[:, at].std() < own.values[:, at].std() < new.values[:, at].std())
    (True, True)
    """
    linear, ensemble = load_linear(), load_ensemble()
    if trial and trial not in fitted_trials():
        raise InputError(f"no result of a trial '{trial}' is fitted", right="Name one of: " + ", ".join(fitted_trials()))
    members = np.repeat(ensemble.values, _EACH, axis=0)
    mean, covariance = trial_moves(linear, estimate_spread(linear).resample(len(members)), trial)
    values, vectors = np.linalg.eigh(covariance)
    # the symmetric root, which is unique
    root = (vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    chance = np.random.default_rng([_SEED, _TRIALS, *trial.encode()]).normal(size=mean.shape)
    moved = mean + (root @ chance[..., None])[..., 0]
    # to the decimals that linear algebra gives alike on every machine
    return Ensemble(np.round(members + linear.model.prior[1] * moved, 6), ensemble.model, ensemble.about | {"trial": trial or "new"})
