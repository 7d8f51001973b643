"""How likely are counts of several trials whose log odds are normal around a mean? Exact binomial terms, integrated by quadrature."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import read_counts
from cartrial.analysis.estimators.pooled.likelihood_kernel import integrate
from cartrial.errors import InputError

__all__ = ["POINTS", "Counts", "Likelihood", "hermite_of", "legendre_of", "likelihood", "read_trials"]

Floats = NDArray[np.float64]
POINTS = 41
"""Points of the adaptive Gauss-Hermite rule of each trial."""


class Counts(NamedTuple):
    """Patients with the outcome and all, of each trial."""

    x: Floats
    n: Floats
    constant: float


class Likelihood(NamedTuple):
    """Logarithm of the likelihood, and its derivatives by the mean and by the standard deviation. Shape (points,) each."""

    log: Floats
    by_mean: Floats
    by_spread: Floats


def read_trials(x: np.ndarray, n: np.ndarray) -> Counts:
    """Check the counts of trials.

    Raises
    ------
    InputError
        If there are fewer than two trials, or one without patients.
    """
    from scipy.special import gammaln

    events, patients = read_counts(np.asarray(x), np.asarray(n))
    if events.ndim != 1 or len(events) < 2:
        raise InputError(f"there are {events.size} trials", key="x", right="Give the counts of two or more")
    if (patients < 1).any():
        raise InputError("a trial has no patients", key="n", right="Leave it out")
    a, b = events.astype(np.float64), patients.astype(np.float64)
    return Counts(a, b, float((gammaln(b + 1) - gammaln(a + 1) - gammaln(b - a + 1)).sum()))


@cache
def hermite_of(points: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of a Gauss-Hermite rule; they are found once."""
    return np.polynomial.hermite.hermgauss(points)


@cache
def legendre_of(points: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of a Gauss-Legendre rule; they are found once."""
    return np.polynomial.legendre.leggauss(points)


def likelihood(counts: Counts, mean: Floats, spread: Floats, points: int = POINTS) -> Likelihood:
    """Return the likelihood of the binomial-normal model at pairs of its parameters.

    Each trial's log odds are mean + spread z with z standard normal. The integral over z is taken around its mode, on the scale of the
    curvature there (adaptive Gauss-Hermite; Liu Q, Pierce D. Biometrika 1994;81:624), as R's ``lme4::glmer`` does with ``nAGQ``.

    Parameters
    ----------
    counts : Counts
    mean, spread : ndarray of float64, shape (pairs,)
        Of the log odds; spread 0 or more.

    Returns
    -------
    Likelihood
    """
    nodes, weights = hermite_of(points)
    logs = np.log(weights) + nodes * nodes
    found = np.zeros((3, mean.size))
    integrate(mean.size * counts.x.size * points, counts.x, counts.n, np.stack([mean, spread]), nodes, logs, found)
    return Likelihood(found[0] + counts.constant, found[1], found[2])
