"""Which limits do publications print of a rate? Every interval method in use, so that printed limits can be recognised."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_word, read_counts
from cartrial.analysis.estimators.limits import normal_quantile
from cartrial.analysis.estimators.rates import RateMethod, binomial_limits

__all__ = ["METHODS", "method_limits"]

Floats = NDArray[np.float64]
Limits = tuple[Floats, Floats]


def method_limits(x: np.ndarray, n: np.ndarray, method: str, conf_level: float = 0.95) -> Limits:
    """Confidence limits of a binomial proportion by any method that publications use.

    Newcombe R. Stat Med 1998;17:857 (Wald and Wilson, both with and without correction for continuity; R ``prop.test`` has Wilson's);
    Brown L, Cai T, DasGupta A. Stat Sci 2001;16:101 (Jeffreys, Agresti-Coull, logit, arcsine). Clopper-Pearson, Wilson and mid-p are
    those of `binomial_limits`.

    Parameters
    ----------
    x, n : ndarray of integers, same shape
        Patients with the outcome, and all.
    method : str
        One of `METHODS`.
    conf_level : float

    Returns
    -------
    lower, upper : ndarray of float64, same shape
        Within 0 to 1; not a number where a method has none (logit at 0 and n).

    Examples
    --------
    R's ``prop.test(34, 48)``, corrected for continuity.

    >>> import numpy as np
    >>> from cartrial.analysis.estimators.rate_methods import method_limits
    >>> lower, upper = method_limits(np.array([34]), np.array([48]), "Wilson corrected")
    >>> round(float(lower[0]), 4), round(float(upper[0]), 4)
    (0.5574, 0.826)
    """
    check_word(method, tuple(METHODS), "method", "method")
    x, n = read_counts(x, n)
    if method in get_args(RateMethod):
        return binomial_limits(x, n, method, conf_level)  # type: ignore[arg-type]
    z = normal_quantile(conf_level)
    with np.errstate(divide="ignore", invalid="ignore"):
        lower, upper = _FORMULAS[method](x.astype(np.float64), n.astype(np.float64), z)
        return np.clip(lower, 0.0, 1.0), np.clip(upper, 0.0, 1.0)


def _wilson_corrected(x: Floats, n: Floats, z: float) -> Limits:
    p = x / n
    low = (2 * x + z * z - 1 - z * np.sqrt(z * z - 2 - 1 / n + 4 * p * (n * (1 - p) + 1))) / (2 * (n + z * z))
    high = (2 * x + z * z + 1 + z * np.sqrt(z * z + 2 - 1 / n + 4 * p * (n * (1 - p) - 1))) / (2 * (n + z * z))
    return np.where(x == 0, 0.0, low), np.where(x == n, 1.0, high)


def _jeffreys(x: Floats, n: Floats, z: float) -> Limits:
    from scipy.special import betaincinv, ndtr

    tail = float(ndtr(-z))
    low, high = betaincinv(x + 0.5, n - x + 0.5, tail), betaincinv(x + 0.5, n - x + 0.5, 1 - tail)
    return np.where(x == 0, 0.0, low), np.where(x == n, 1.0, high)


def _agresti_coull(x: Floats, n: Floats, z: float) -> Limits:
    more = n + z * z
    p = (x + z * z / 2) / more
    half = z * np.sqrt(p * (1 - p) / more)
    return p - half, p + half


def _wald(x: Floats, n: Floats, z: float) -> Limits:
    half = z * np.sqrt(x / n * (1 - x / n) / n)
    return x / n - half, x / n + half


def _wald_corrected(x: Floats, n: Floats, z: float) -> Limits:
    low, high = _wald(x, n, z)
    return low - 1 / (2 * n), high + 1 / (2 * n)


def _logit(x: Floats, n: Floats, z: float) -> Limits:
    from scipy.special import expit, logit

    half = z * np.sqrt(1 / x + 1 / (n - x))
    inside = (x > 0) & (x < n)
    return np.where(inside, expit(logit(x / n) - half), np.nan), np.where(inside, expit(logit(x / n) + half), np.nan)


def _arcsine(x: Floats, n: Floats, z: float) -> Limits:
    angle, half = np.arcsin(np.sqrt(x / n)), z / (2 * np.sqrt(n))
    return np.sin(np.maximum(angle - half, 0)) ** 2, np.sin(np.minimum(angle + half, np.pi / 2)) ** 2


_FORMULAS: dict[str, Callable[[Floats, Floats, float], Limits]] = {
    "Wilson corrected": _wilson_corrected,
    "Jeffreys": _jeffreys,
    "Agresti-Coull": _agresti_coull,
    "Wald": _wald,
    "Wald corrected": _wald_corrected,
    "logit": _logit,
    "arcsine": _arcsine,
}
METHODS = (*get_args(RateMethod), *_FORMULAS)
"""The methods by name, the exact one first; corrected is for continuity."""
