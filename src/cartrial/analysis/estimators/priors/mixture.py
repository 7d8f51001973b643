"""A mixture of beta distributions: a prior of a rate that a trial's counts turn into its posterior in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["BetaMixture", "probability_greater", "rates_rule"]

Floats = NDArray[np.float64]
# points of the rule that integrates over rates
_POINTS = 400


@dataclass(frozen=True)
class BetaMixture(Shown):
    """A mixture of beta distributions.

    Parameters
    ----------
    weights, a, b : tuple of float
        One for each component; weights sum to 1.

    Raises
    ------
    InputError
        If there is no component, a weight is not above 0, they do not sum to 1, or a parameter is not above 0.

    Examples
    --------
    Half of a uniform prior with half of one that is worth 20 patients.

    >>> from cartrial.analysis import BetaMixture
    >>> prior = BetaMixture((0.5, 0.5), (1, 5), (1, 15))
    >>> prior.mean, round(prior.sd, 4)
    (0.375, 0.2485)
    >>> [round(weight, 4) for weight in prior.posterior(3, 10).weights]
    [0.3091, 0.6909]
    """

    weights: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.weights or not len(self.weights) == len(self.a) == len(self.b):
            raise InputError("a mixture has a weight and two parameters for each component", key="weights", right="Give as many of each")
        if not all(np.isfinite(value) and value > 0 for value in (*self.weights, *self.a, *self.b)):
            raise InputError("weights and parameters of a mixture are above 0", key="weights", right="Leave a component of no weight out")
        if abs(sum(self.weights) - 1) > 1e-6:
            raise InputError(f"the weights sum to {sum(self.weights):.6g}", key="weights", right="Make them sum to 1")

    @property
    def mean(self) -> float:
        """Its mean."""
        w, a, b = self._arrays
        return float((w * a / (a + b)).sum())

    @property
    def sd(self) -> float:
        """Its standard deviation."""
        w, a, b = self._arrays
        square = float((w * a * (a + 1) / ((a + b) * (a + b + 1))).sum())
        return float(np.sqrt(square - self.mean**2))

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats, Floats]:
        return np.array(self.weights, np.float64), np.array(self.a, np.float64), np.array(self.b, np.float64)

    def density(self, p: np.ndarray) -> Floats:
        """Return the density at rates."""
        from scipy.special import betaln

        w, a, b = self._arrays
        p = np.asarray(p, np.float64)[..., None]
        logs = (a - 1) * np.log(p) + (b - 1) * np.log1p(-p) - betaln(a, b)
        return np.asarray((w * np.exp(logs)).sum(axis=-1), np.float64)

    def below(self, p: np.ndarray) -> Floats:
        """Return the probability below rates."""
        from scipy.special import betainc

        w, a, b = self._arrays
        return np.asarray((w * betainc(a, b, np.asarray(p, np.float64)[..., None])).sum(axis=-1), np.float64)

    def quantile(self, q: float) -> float:
        """Return the rate below which a probability lies."""
        from scipy.optimize import brentq

        return float(brentq(lambda p: float(self.below(np.array(p))) - q, 0.0, 1.0, xtol=1e-12))

    def robust(self, weight: float) -> BetaMixture:
        """Return the mixture with a uniform component of this weight, for a trial that is unlike its history.

        Examples
        --------
        >>> from cartrial.analysis import BetaMixture
        >>> BetaMixture((1.0,), (5,), (15,)).robust(0.2).weights
        (0.8, 0.2)
        """
        if not 0 <= weight <= 1:
            raise InputError(f"the weight {weight:g} is no share", key="robust", right="Give 0 to 1")
        if weight == 0:
            return self
        if weight == 1:
            return BetaMixture((1.0,), (1.0,), (1.0,))
        return BetaMixture((*(w * (1 - weight) for w in self.weights), weight), (*self.a, 1.0), (*self.b, 1.0))

    def posterior(self, x: int, n: int) -> BetaMixture:
        """Return what the mixture becomes once x of n have responded."""
        from scipy.special import betaln

        if not 0 <= x <= n:
            raise InputError(f"{x} of {n} patients cannot be", key="x", right="Give 0 <= x <= n")
        w, a, b = self._arrays
        logs = np.log(w) + betaln(a + x, b + n - x) - betaln(a, b)
        made = np.exp(logs - logs.max())
        made /= made.sum()
        kept = made > 1e-300
        return BetaMixture(
            tuple((made[kept] / made[kept].sum()).tolist()), tuple((a[kept] + x).tolist()), tuple((b[kept] + n - x).tolist())
        )


def probability_greater(first: BetaMixture, second: BetaMixture, points: int = _POINTS) -> float:
    """Return the probability that a rate of the first is above one of the second, both independent.

    Examples
    --------
    Two that are alike: one half.

    >>> from cartrial.analysis.estimators.priors.mixture import BetaMixture, probability_greater
    >>> round(probability_greater(BetaMixture((1.0,), (3,), (7,)), BetaMixture((1.0,), (3,), (7,))), 10)
    0.5
    """
    p, weights = rates_rule(points)
    return float((weights * first.density(p) * second.below(p)).sum())


@cache
def rates_rule(points: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of an integral over rates.

    An angle stands in place of the rate, so that densities that are infinite at 0 or 1 become smooth.
    """
    nodes, weights = np.polynomial.legendre.leggauss(points)
    angle = (nodes + 1) * np.pi / 4
    return np.sin(angle) ** 2, weights * np.pi / 4 * np.sin(2 * angle)
