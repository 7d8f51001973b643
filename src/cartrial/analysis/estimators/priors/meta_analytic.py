"""What do several trials foretell of the rate in the next one? The meta-analytic-predictive prior, by quadrature and without a seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import read_counts
from cartrial.analysis.estimators.pooled.likelihood import Counts, hermite_of, legendre_of, likelihood
from cartrial.errors import InputError

__all__ = ["LARGEST_SCALE", "PredictivePrior", "estimate_map", "quantiles_of"]

Floats = NDArray[np.float64]
# nodes of the mean and of the spread, and points of each trial's integral
_MEANS, _SPREADS, _POINTS = 161, 80, 21
# the mean is looked for within so many standard deviations of its prior, and then kept within so many of its posterior
_WIDE, _REACH = 6.0, 12.0
_COARSE = (97, 24)
# the half-normal density of the spread beyond so many scales is nothing
_SCALES = 7.0
_POSTERIOR_POINTS = 400
_NARROW_POINTS = 15
LARGEST_SCALE = 10.0
"""Of the priors of mean and spread, in log odds: beyond it nothing is integrated."""


@dataclass(frozen=True)
class PredictivePrior:
    """A prior of the rate in a new trial, as history has it: exact up to quadrature.

    Parameters
    ----------
    ends : tuple of float
        Between which the mean of the log odds lies; its nodes are those of Gauss and Legendre.
    spreads : ndarray of float64, shape (spreads,)
        Nodes of the standard deviation of the log odds.
    weights : ndarray of float64, shape (means, spreads)
        Posterior weights of the pairs, which sum to 1.
    spread_mean, spread_low, spread_median, spread_high : float
        Of the posterior of the spread: its mean, and 2.5 %, 50 % and 97.5 %.
    notes : tuple of str
    """

    ends: tuple[float, float]
    spreads: Floats
    weights: Floats
    spread_mean: float
    spread_low: float
    spread_median: float
    spread_high: float
    notes: tuple[str, ...]

    @cached_property
    def _means(self) -> Floats:
        nodes, _ = legendre_of(self.weights.shape[0])
        return np.asarray(sum(self.ends) / 2 + self._half * nodes, np.float64)

    @property
    def _half(self) -> float:
        return (self.ends[1] - self.ends[0]) / 2

    @cached_property
    def _narrow(self) -> NDArray[np.bool_]:
        """Spreads below the distance of two nodes of the mean: their sum over nodes would be a comb."""
        return np.asarray(self.spreads < np.pi * self._half / self.weights.shape[0], np.bool_)

    @cached_property
    def _series(self) -> tuple[Floats, Floats]:
        """Legendre coefficients of the density of the mean for each narrow spread, and of its integral."""
        nodes, _ = legendre_of(self.weights.shape[0])
        degrees = np.arange(len(nodes))
        basis = np.polynomial.legendre.legvander(nodes, len(nodes) - 1)
        made = (basis.T @ self.weights[:, self._narrow]) * ((2 * degrees + 1) / 2)[:, None]
        return made, np.asarray(np.polynomial.legendre.legint(made, lbnd=-1), np.float64)

    def _at(self, odds: Floats, below: bool) -> Floats:
        """Return the density of log odds, or the probability below them."""
        from scipy.special import ndtr

        wide = ~self._narrow
        total = np.zeros(len(odds))
        scaled = self.weights if below else self.weights / (np.sqrt(2 * np.pi) * self.spreads)
        for i, one in enumerate(odds):
            z = (one - self._means[:, None]) / self.spreads[wide]
            total[i] = (scaled[:, wide] * (ndtr(z) if below else np.exp(-z * z / 2))).sum()
        nodes, rule = hermite_of(_NARROW_POINTS)
        series = self._series[1 if below else 0]
        narrow = self.spreads[self._narrow]
        at = (odds[:, None, None] - np.sqrt(2) * narrow * nodes[:, None] - sum(self.ends) / 2) / self._half
        values = np.polynomial.legendre.legval(np.clip(at, -1, 1), series, tensor=False)
        if not below:
            values = np.where(np.abs(at) <= 1, values / self._half, 0.0)
        # axes: odds, nodes, narrow spreads
        total += (values * rule[:, None]).sum(axis=(1, 2)) / np.sqrt(np.pi)
        return total

    @property
    def log_odds(self) -> float:
        """Mean of the mean log odds."""
        return float((self.weights * self._means[:, None]).sum())

    @cached_property
    def _moments(self) -> tuple[float, float]:
        from scipy.special import expit

        nodes, rule = hermite_of(41)
        first, second = 0.0, 0.0
        for spread, weights in zip(self.spreads, self.weights.T, strict=True):
            p = expit(self._means[:, None] + np.sqrt(2) * spread * nodes)
            share = weights[:, None] * rule / np.sqrt(np.pi)
            first, second = first + float((share * p).sum()), second + float((share * p * p).sum())
        return first, float(np.sqrt(second - first**2))

    @property
    def mean(self) -> float:
        """Mean rate of a new trial."""
        return self._moments[0]

    @property
    def sd(self) -> float:
        """Standard deviation of the rate of a new trial."""
        return self._moments[1]

    def below(self, p: np.ndarray) -> Floats:
        """Return the probability that a new trial's rate is below rates."""
        from scipy.special import logit

        return self._at(logit(np.atleast_1d(np.asarray(p, np.float64))), below=True)

    def density(self, p: np.ndarray) -> Floats:
        """Return the density at rates."""
        from scipy.special import logit

        p = np.atleast_1d(np.asarray(p, np.float64))
        return np.asarray(self._at(logit(p), below=False) / (p * (1 - p)), np.float64)

    def quantile(self, q: float) -> float:
        """Return the rate below which a new trial lies with a probability."""
        from scipy.optimize import brentq
        from scipy.special import expit

        odds = brentq(lambda at: float(self._at(np.array([at]), below=True)[0]) - q, -30.0, 30.0, xtol=1e-10)
        return float(expit(odds))

    def updated(self, x: int, n: int) -> tuple[float, float, float]:
        """Return the mean of the rate once x of n have responded, and its 95 % interval."""
        if not 0 <= x <= n or n < 1:
            raise InputError(f"{x} of {n} patients cannot be", key="x", right="Give 0 <= x <= n")
        nodes, rule = legendre_of(_POSTERIOR_POINTS)
        centre, reach = np.log((x + 0.5) / (n - x + 0.5)), 9 * np.sqrt(1 / (x + 0.5) + 1 / (n - x + 0.5))
        odds = centre + reach * nodes
        logs = x * odds - n * np.logaddexp(0, odds)
        heights = self._at(odds, below=False) * np.exp(logs - logs.max())
        weights = rule * heights / (rule * heights).sum()
        low, high = quantiles_of(nodes, heights, (0.025, 0.975))
        mean = float((weights / (1 + np.exp(-odds))).sum())
        ends = [float(1 / (1 + np.exp(-(centre + reach * at)))) for at in (low, high)]
        return mean, ends[0], ends[1]


def estimate_map(x: np.ndarray, n: np.ndarray, *, mean: float = 0.0, mean_sd: float = 2.0, spread_scale: float = 1.0) -> PredictivePrior:
    """Derive the prior of a new trial's rate from the counts of earlier ones.

    The log odds of the trials and of the new one are normal around a mean, whose prior is normal; the prior of their standard deviation
    is half-normal. (Schmidli H et al. Biometrics 2014;70:1023, doi:10.1111/biom.12242; R ``RBesT::gMAP``, by Markov chains.) The
    posterior is taken on a Gauss-Legendre grid of the mean and the square root of the spread, each trial's likelihood by adaptive
    Gauss-Hermite quadrature: equal input, equal digits.

    Parameters
    ----------
    x, n : ndarray of integers, shape (trials,)
        Patients with the outcome, and all.
    mean, mean_sd : float
        Prior of the mean log odds.
    spread_scale : float
        Scale of the half-normal prior of the spread between trials.

    Returns
    -------
    PredictivePrior

    Raises
    ------
    InputError
        If there is no trial, one has no patients, or a scale is not above 0, or above `LARGEST_SCALE`.

    Examples
    --------
    Eight groups given placebo (the set AS of RBesT, which prints 0.255 and 0.0864 by simulation).

    >>> import numpy as np
    >>> from cartrial.analysis import estimate_map
    >>> prior = estimate_map(np.array([23, 12, 19, 9, 39, 6, 9, 10]), np.array([107, 44, 51, 39, 139, 20, 78, 35]))
    >>> round(prior.mean, 4), round(prior.sd, 4), round(prior.spread_mean, 4)
    (0.2583, 0.0874, 0.3795)
    """
    events, patients = read_counts(np.atleast_1d(np.asarray(x)), np.atleast_1d(np.asarray(n)))
    if events.ndim != 1 or not events.size or (patients < 1).any():
        raise InputError("history has one trial or more, each with patients", key="n", right="Leave out those without")
    for name, value in (("mean_sd", mean_sd), ("spread_scale", spread_scale)):
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"the scale {value:g} is not above 0", key=name, right="Give one such as 1")
        if value > LARGEST_SCALE:
            what = f"the scale {value:g} is above {LARGEST_SCALE:g}: odds differ by no such factor between trials"
            raise InputError(what, key=name, right="Give one such as 1")
    counts = Counts(events.astype(np.float64), patients.astype(np.float64), 0.0)
    top = np.sqrt(_SCALES * spread_scale)
    found = _grid(counts, (mean - _WIDE * mean_sd, mean + _WIDE * mean_sd), top, _COARSE, (mean, mean_sd, spread_scale))
    by_mean = found.weights.sum(axis=1)
    middle = float((by_mean * found.means).sum())
    sd = float(np.sqrt((by_mean * (found.means - middle) ** 2).sum()))
    ends = (max(middle - _REACH * sd, mean - _WIDE * mean_sd), min(middle + _REACH * sd, mean + _WIDE * mean_sd))
    found = _grid(counts, ends, top, (_MEANS, _SPREADS), (mean, mean_sd, spread_scale))
    by_spread = found.weights.sum(axis=0)
    low, median, high = quantiles_of(found.nodes, by_spread / found.rule, (0.025, 0.5, 0.975))
    few = ("one trial tells nothing of how much trials differ: the prior of the spread decides",) if events.size == 1 else ()
    return PredictivePrior(
        ends=ends,
        spreads=found.spreads,
        weights=found.weights,
        spread_mean=float((by_spread * found.spreads).sum()),
        **{f"spread_{name}": float((top * (at + 1) / 2) ** 2) for name, at in (("low", low), ("median", median), ("high", high))},
        notes=few,
    )


@dataclass(frozen=True)
class _Grid:
    """Means and spreads with the weights of their pairs; nodes and weights of the rule of the square root of the spread."""

    means: Floats
    spreads: Floats
    weights: Floats
    nodes: Floats
    rule: Floats


def _grid(counts: Counts, ends: tuple[float, float], top: float, size: tuple[int, int], prior: tuple[float, float, float]) -> _Grid:
    """Return the posterior on a grid of means between two ends, and of spreads up to the square of `top`."""
    mean, mean_sd, scale = prior
    nodes, weights = legendre_of(size[0])
    means = sum(ends) / 2 + (ends[1] - ends[0]) / 2 * nodes
    roots, rule = legendre_of(size[1])
    u = top * (roots + 1) / 2
    spreads = u * u
    logs = likelihood(counts, np.repeat(means, size[1]), np.tile(spreads, size[0]), _POINTS).log.reshape(size)
    logs = logs - (((means - mean) / mean_sd) ** 2 / 2)[:, None] - (spreads / scale) ** 2 / 2
    # the width of a step of the spread is that of its square root times 2 u
    made = np.outer(weights, rule * 2 * u) * np.exp(logs - logs.max())
    return _Grid(means, spreads, made / made.sum(), roots, rule)


def quantiles_of(nodes: Floats, density: Floats, wanted: tuple[float, ...]) -> list[float]:
    """Return quantiles of a density known at Gauss-Legendre nodes on -1 to 1: its polynomial is integrated."""
    from numpy.polynomial import Legendre
    from scipy.optimize import brentq

    degree = len(nodes) - 1
    weights = legendre_of(len(nodes))[1]
    basis = np.polynomial.legendre.legvander(nodes, degree)
    series = Legendre((basis * (weights * density)[:, None]).sum(axis=0) * (2 * np.arange(degree + 1) + 1) / 2)
    below = series.integ(lbnd=-1)
    whole = float(below(1.0))
    return [float(brentq(lambda at, q=q: float(below(at)) - q * whole, -1, 1, xtol=1e-12)) for q in wanted]
