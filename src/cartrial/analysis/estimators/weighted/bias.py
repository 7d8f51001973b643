"""How strong would what nobody measured have to be? E-values, the tipping of a confounder, the tipping of those not assessed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError

__all__ = ["EValue", "Indirect", "estimate_e_value", "estimate_indirect", "hazard_as_risk", "tip_confounder", "tip_missing"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EValue:
    """What an unmeasured confounder would have to do: on the scale of the risk ratio.

    Parameters
    ----------
    ratio, limit : float
        The ratio and its limit nearer to 1, as risk ratios.
    estimate, nearest : float
        E-values of both; 1 where the limits hold 1.
    """

    ratio: float
    limit: float
    estimate: float
    nearest: float


@dataclass(frozen=True)
class Indirect:
    """Two comparisons with one common control, put together: the log ratio, its error, limits and p-value."""

    difference: float
    error: float
    lower: float
    upper: float
    p_value: float


def hazard_as_risk(ratio: float) -> float:
    """Return a hazard ratio of a common outcome as a risk ratio.

    VanderWeele TJ. Epidemiology 2017;28:e41 (doi:10.1097/EDE.0000000000000672).

    Examples
    --------
    >>> from cartrial.analysis.estimators.weighted.bias import hazard_as_risk
    >>> round(hazard_as_risk(0.56), 4)
    0.6701
    """
    return float((1 - 0.5 ** math.sqrt(ratio)) / (1 - 0.5 ** math.sqrt(1 / ratio)))


def estimate_e_value(ratio: float, lower: float, upper: float, *, common: bool, hazard: bool = False) -> EValue:
    """Return the E-value of a ratio and of its limit nearer to 1.

    VanderWeele TJ, Ding P. Ann Intern Med 2017;167:268 (doi:10.7326/M16-2607): RR + sqrt(RR (RR - 1)).

    Parameters
    ----------
    ratio, lower, upper : float
        A risk ratio or rare odds ratio; with `hazard` a hazard ratio.
    common : bool
        Whether the outcome is common (more than about 15 % by the end of follow-up). Of a risk ratio nothing hangs on it; of a hazard
        ratio it says whether it is near to a risk ratio. It has to be said.
    hazard : bool

    Raises
    ------
    InputError
        If the numbers are no ratio with its limits.

    Examples
    --------
    >>> from cartrial.analysis import estimate_e_value
    >>> found = estimate_e_value(0.80, 0.71, 0.91, common=False)
    >>> round(found.estimate, 2), round(found.nearest, 2)
    (1.81, 1.43)
    """
    if not 0 < lower <= ratio <= upper or not math.isfinite(ratio):
        raise InputError(
            f"{ratio:g} ({lower:g} to {upper:g}) is no ratio with its limits", key="ratio", right="All are above 0 and in order"
        )
    if hazard and common:
        ratio, lower, upper = hazard_as_risk(ratio), hazard_as_risk(lower), hazard_as_risk(upper) if math.isfinite(upper) else math.inf
    limit = 1.0 if lower <= 1 <= upper else upper if ratio < 1 else lower
    return EValue(ratio, limit, _e(ratio), _e(limit))


def _e(ratio: float) -> float:
    above = max(ratio, 1 / ratio)
    return above + math.sqrt(above * (above - 1))


def estimate_indirect(first: float, first_error: float, second: float, second_error: float, *, conf_level: float = 0.95) -> Indirect:
    """Compare two log ratios that have one control (Bucher HC et al. J Clin Epidemiol 1997;50:683, doi:10.1016/S0895-4356(97)00049-8).

    R ``maicplus::bucher``.

    Examples
    --------
    >>> import math
    >>> from cartrial.analysis import estimate_indirect
    >>> found = estimate_indirect(math.log(1.1), 0.2, math.log(1.3), 0.18, conf_level=0.9)
    >>> round(found.difference, 10), round(found.error, 10)
    (-0.1670540847, 0.2690724809)
    """
    from scipy.special import ndtri

    error = math.hypot(first_error, second_error)
    if not error > 0:
        raise InputError("the errors are not above 0", key="error", right="Give the standard errors of both log ratios")
    difference, z = first - second, float(ndtri(0.5 + conf_level / 2))
    p_value = math.erfc(abs(difference) / error / math.sqrt(2))
    return Indirect(difference, error, difference - z * error, difference + z * error, p_value)


def tip_confounder(ratio: float, prevalence: Floats, strength: Floats) -> Floats:
    """Return the ratio that would be left if an unmeasured yes-or-no confounder were taken into account.

    Lin DY, Psaty BM, Kronmal RA. Biometrics 1998;54:948 (doi:10.2307/2533848): the ratio over (1 + p1 (g - 1)) / (1 + p0 (g - 1)), where
    p1 and p0 are its prevalences in both arms and g its own ratio for the outcome.

    Parameters
    ----------
    ratio : float
        As estimated, on the scale of the risk ratio.
    prevalence : ndarray of float64, shape (pairs, 2)
        In arm 1 and in arm 0.
    strength : ndarray of float64, shape (strengths,)

    Returns
    -------
    ndarray of float64, shape (pairs, strengths)

    Examples
    --------
    By hand: half of one arm and none of the other, a ratio of 2: 0.6 / 1.5.

    >>> import numpy as np
    >>> from cartrial.analysis import tip_confounder
    >>> tip_confounder(0.6, np.array([[0.5, 0.0]]), np.array([2.0])).round(6).tolist()
    [[0.4]]
    """
    if ((prevalence < 0) | (prevalence > 1)).any() or (strength <= 0).any() or not ratio > 0:
        raise InputError("a prevalence is no share, or a ratio is not above 0", key="confounder", right="Give shares from 0 to 1")
    p1, p0 = prevalence[:, :1], prevalence[:, 1:]
    return np.asarray(ratio * (1 + p0 * (strength - 1)) / (1 + p1 * (strength - 1)))


def tip_missing(count: int, of: int, missing: int, against: int, against_of: int) -> int | None:
    """Return how many of those not assessed would have to be non-responders until the rate is no longer above the other one.

    Those not assessed are added to the patients; None where the rate stays above even if none of them responded.

    Examples
    --------
    By hand: 8/10 and two not assessed against 7/10. Both responders: 10/12; one: 9/12; none: 8/12, which is below 0.7.

    >>> from cartrial.analysis import tip_missing
    >>> tip_missing(8, 10, 2, 7, 10), tip_missing(8, 10, 1, 7, 10)
    (2, None)
    """
    if not (0 <= count <= of and 0 <= against <= against_of and against_of > 0 and missing >= 0):
        raise InputError("a count is above its number of patients", key="count", right="Give counts that are not above n")
    for lost in range(missing + 1):
        if (count + missing - lost) * against_of <= against * (of + missing):
            return lost
    return None
