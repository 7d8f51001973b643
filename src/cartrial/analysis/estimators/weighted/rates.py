"""What is the response rate of weighted patients, and how does it compare with a count of others?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_level, check_word
from cartrial.analysis.estimators.weighted.moments import MomentWeights
from cartrial.errors import InputError

__all__ = ["Contrast", "WeightedRate", "compare_weighted_rates", "estimate_weighted_rate"]

Floats = NDArray[np.float64]
Scale = Literal["odds ratio", "risk ratio", "risk difference"]
RateError = Literal["stacked", "HC0", "HC3"]


@dataclass(frozen=True)
class WeightedRate:
    """A weighted rate with its standard error: stacked (the weights were estimated too), HC0 (as if they were known) and HC3.

    Where all or none responded the patients tell nothing of the error, which is NaN: no rate is known because it was met once.
    """

    rate: float
    stacked: float
    hc0: float
    hc3: float


@dataclass(frozen=True)
class Contrast:
    """A comparison of two rates.

    Parameters
    ----------
    scale : str
    estimate, lower, upper : float
    p_value : float
        Two-sided, Wald. NaN, as the limits are, where all or none responded on a side.
    error : str
        Which standard error the weighted rate has.
    """

    scale: str
    estimate: float
    lower: float
    upper: float
    p_value: float
    error: str


def estimate_weighted_rate(response: Floats, weights: MomentWeights) -> WeightedRate:
    """Estimate the response rate of weighted patients.

    The stacked error is that of the estimating equations of weights and rate together (Stefanski and Boos, Am Stat 2002;56:29,
    doi:10.1198/000313002753631330): what the moments explain of the response does not vary once they are met.

    Parameters
    ----------
    response : ndarray of float64, shape (patients,)
        1 responded, 0 did not.
    weights : MomentWeights

    Examples
    --------
    By hand: weights 3, 1, 1, 1, of whom the first responded: 3 of 6.

    >>> import numpy as np
    >>> from cartrial.analysis import Moment, estimate_moment_weights, estimate_weighted_rate
    >>> weights = estimate_moment_weights([Moment("prior transplant", np.array([1.0, 0.0, 0.0, 0.0]), 0.5)])
    >>> round(estimate_weighted_rate(np.array([1.0, 0.0, 0.0, 0.0]), weights).rate, 6)
    0.5
    """
    _check_binary(response)
    w = weights.weights / weights.weights.sum()
    rate = float(w @ response)
    if response.min() == response.max():
        return WeightedRate(float(response[0]), math.nan, math.nan, math.nan)
    rest = response - rate
    z = np.column_stack([one.values - one.target for one in weights.moments])
    slope = np.linalg.lstsq((z * w[:, None]).T @ z, (z * w[:, None]).T @ rest, rcond=1e-12)[0]

    def error(part: Floats) -> float:
        return float(np.sqrt(((w * part) ** 2).sum()))

    return WeightedRate(rate, error(rest - z @ slope), error(rest), error(rest / (1 - w)))


def compare_weighted_rates(
    response: Floats,
    weights: MomentWeights,
    count: int,
    of: int,
    scale: Scale = "risk difference",
    *,
    error: RateError = "stacked",
    conf_level: float = 0.95,
) -> Contrast:
    """Compare the rate of weighted patients with a count of others, without a common control.

    Parameters
    ----------
    response : ndarray of float64, shape (patients,)
    weights : MomentWeights
    count, of : int
        Of the others.
    scale : {"odds ratio", "risk ratio", "risk difference"}
    error : {"stacked", "HC0", "HC3"}
        HC3 on both sides is what R's ``sandwich::vcovHC`` makes of a weighted model of two groups, and maicplus prints.
    conf_level : float

    Returns
    -------
    Contrast

    Raises
    ------
    InputError
        If none or all responded on a side of a ratio.

    Examples
    --------
    By hand: 3/6 against 1/4.

    >>> import numpy as np
    >>> from cartrial.analysis import Moment, compare_weighted_rates, estimate_moment_weights
    >>> weights = estimate_moment_weights([Moment("prior transplant", np.array([1.0, 0.0, 0.0, 0.0]), 0.5)])
    >>> round(compare_weighted_rates(np.array([1.0, 0.0, 0.0, 0.0]), weights, 1, 4).estimate, 6)
    0.25
    """
    from scipy.special import ndtri

    check_word(scale, get_args(Scale), "scale", "scale")
    check_word(error, get_args(RateError), "error", "standard error")
    check_level(conf_level)
    if not 0 <= count <= of or of < 2:
        raise InputError(f"{count} of {of} is no count to compare with", key="count", right="Give a count that is not above n")
    found = estimate_weighted_rate(response, weights)
    p, q = found.rate, count / of
    spread = {"stacked": found.stacked, "HC0": found.hc0, "HC3": found.hc3}[error]
    other = math.sqrt(q * (1 - q) / of) / ((1 - 1 / of) if error == "HC3" else 1) if 0 < count < of else math.nan
    if scale == "risk difference":
        middle, se = p - q, math.hypot(spread, other)
    elif not (0 < q < 1 and 0 < p < 1):
        raise InputError(f"an {scale} needs responses and none on both sides", key="scale", right="Take the risk difference")
    elif scale == "risk ratio":
        middle, se = math.log(p / q), math.hypot(spread / p, other / q)
    else:
        middle, se = math.log(p / (1 - p) / (q / (1 - q))), math.hypot(spread / (p * (1 - p)), other / (q * (1 - q)))
    z = float(ndtri(0.5 + conf_level / 2))
    estimate, low, high = (end if scale == "risk difference" else math.exp(end) for end in (middle, middle - z * se, middle + z * se))
    p_value = math.erfc(abs(middle) / se / math.sqrt(2)) if se > 0 else math.nan
    return Contrast(scale, estimate, low, high, p_value, error)


def _check_binary(response: Floats) -> None:
    if not np.isin(response, (0.0, 1.0)).all():
        raise InputError("a response is neither 0 nor 1", key="response", right="1 responded, 0 did not")
