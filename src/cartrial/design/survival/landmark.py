"""How many subjects show a better survival at a landmark, or more time lived up to a horizon? By Kaplan-Meier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any, Literal, get_args

import numpy as np

from cartrial.design.exact.checks import check_integer
from cartrial.design.survival.curves import (
    FollowUp,
    Weibull,
    accrual_of,
    check_above,
    check_one_sided,
    expected_events,
    integrate_time,
    normal_quantile_of,
    smallest,
)
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["CurveDesign", "Scale", "design_landmark", "design_rmst", "landmark_error", "rmst_error", "scaled"]

Scale = Literal["log-log", "log", "plain", "arcsine"]
_VARIANCE = "variance: Yung G, Liu Y. Biometrics 2020;76:939 (doi:10.1111/biom.13196)"
_SOURCES = {
    "survival": "Kaplan-Meier with Greenwood's variance on a transformed scale: Nagashima K et al. Pharm Stat 2021;20:499 "
    f"(doi:10.1002/pst.2090); {_VARIANCE}",
    "rmst": f"restricted mean survival time: Uno H et al. J Clin Oncol 2014;32:2380 (doi:10.1200/JCO.2014.55.2208); {_VARIANCE}",
}


@dataclass(frozen=True)
class CurveDesign(Shown):
    """A single-arm trial judged by one figure of its Kaplan-Meier curve.

    Parameters
    ----------
    measure : "survival" or "rmst"
        Survival at a landmark, or restricted mean survival time.
    time : float
        Landmark or horizon.
    scale : "log-log", "log", "plain" or "arcsine"
        On which the figure is compared with the null's; a mean is compared as it is.
    null, alternative : Weibull
    value_null, value : float
        The figure under each.
    follow : FollowUp
    n : int
    events : float
        Expected under the alternative, over the whole follow-up.
    error : float
        Standard error of the figure at `n`, under the alternative.
    alpha, beta : float
        One-sided errors that were asked for.
    power : float
        By the normal approximation, at `n`.
    source : str
    """

    measure: Literal["survival", "rmst"]
    time: float
    scale: Scale
    null: Weibull
    alternative: Weibull
    value_null: float
    value: float
    follow: FollowUp
    n: int
    events: float
    error: float
    alpha: float
    beta: float
    power: float
    source: str


def scaled(survival: Any, scale: Scale) -> tuple[Any, Any]:
    """Return survival on a scale that rises with it, and the scale's derivative."""
    s = np.asarray(survival, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "log-log":
            return -np.log(-np.log(s)), -1.0 / (s * np.log(s))
        if scale == "log":
            return np.log(s), 1.0 / s
        if scale == "arcsine":
            return np.arcsin(np.sqrt(s)), 0.5 / np.sqrt(s * (1.0 - s))
    return s, np.ones_like(s)


def landmark_error(curve: Weibull, follow: FollowUp, at: float) -> float:
    """Return the asymptotic standard error of one subject's share in S(at) by Kaplan and Meier: divide by the root of n.

    S(t)² times the integral of dΛ / (G S) up to t (Greenwood's limit).
    """
    square = integrate_time(curve, follow, lambda time, u: exp(u) / float(follow.seen(time)), until=at)
    return float(curve.survival(at)) * sqrt(square)


def rmst_error(curve: Weibull, follow: FollowUp, horizon: float) -> float:
    """Return the asymptotic standard error of one subject's share in the restricted mean: divide by the root of n.

    The integral of A(t)² dΛ / (G S), with A(t) the area below S from t to the horizon.
    """
    whole = float(curve.restricted_mean(horizon))

    def term(time: float, u: float) -> float:
        return (whole - float(curve.restricted_mean(time))) ** 2 * exp(u) / float(follow.seen(time))

    return sqrt(integrate_time(curve, follow, term, until=horizon))


def design_landmark(
    null: Weibull,
    alternative: Weibull,
    at: float,
    *,
    follow_up: float,
    accrual: float | None = None,
    rate: float | None = None,
    loss: float = 0.0,
    restricted: float | None = None,
    scale: Scale = "log-log",
    alpha: float = 0.05,
    beta: float = 0.2,
    most: int = 100_000,
) -> CurveDesign:
    """Find the number of subjects that shows a survival at a landmark better than the null's.

    The null is rejected if the one-sided lower limit of S(at) by Kaplan and Meier, with Greenwood's variance on the scale, is above the
    null's survival.

    Parameters
    ----------
    null, alternative : Weibull
        Their shapes may differ.
    at : float
        Landmark. Unit of time: that of the curves.
    follow_up, accrual, rate, loss, restricted
        As in `design_one_sample_log_rank`.
    scale : {"log-log", "log", "plain", "arcsine"}
    alpha, beta : float
    most : int

    Returns
    -------
    CurveDesign

    Raises
    ------
    InputError
        If the alternative is no better at the landmark, nobody is seen as long as that, or no n up to `most` is enough.

    Examples
    --------
    The vignette of the R package SampleSizeSingleArmSurvival (after Nagashima et al. 2021, Pharm Stat 20:499): 90 % against 96 % at month
    18.

    >>> from cartrial.design import design_landmark, weibull
    >>> null, alternative = weibull(at=18, survival=0.9), weibull(at=18, survival=0.96)
    >>> design_landmark(null, alternative, 18, accrual=24, follow_up=24, scale="arcsine").n
    107
    """
    if scale not in get_args(Scale):
        raise InputError(f"the scale {scale} is unknown", key="scale", right=f"Known are: {', '.join(get_args(Scale))}")
    at = check_above(at, "at")
    values = [float(curve.survival(at)) for curve in (null, alternative)]
    if values[1] <= values[0]:
        what = f"the alternative's survival {values[1]:.4g} is no better than the null's {values[0]:.4g}"
        raise InputError(what, key="alternative", right="Give a better curve")
    places, slopes = scaled(values, scale)
    shift, slope = float(places[1] - places[0]), float(slopes[1])
    follow_of = accrual_of(accrual, rate, follow_up=follow_up, loss=loss, restricted=restricted)
    return _design("survival", at, "at", scale, null, alternative, values, shift, slope, landmark_error, follow_of, alpha, beta, most)


def design_rmst(
    null: Weibull,
    alternative: Weibull,
    horizon: float,
    *,
    follow_up: float,
    accrual: float | None = None,
    rate: float | None = None,
    loss: float = 0.0,
    restricted: float | None = None,
    alpha: float = 0.05,
    beta: float = 0.2,
    most: int = 100_000,
) -> CurveDesign:
    """Find the number of subjects that shows more time lived up to a horizon than under the null.

    The null is rejected if the restricted mean exceeds the null's by its standard error times the normal quantile. Parameters as in
    `design_landmark`; `horizon` is where the mean is restricted.

    Raises
    ------
    InputError
        If the alternative lives no longer, nobody is seen up to the horizon, or no n up to `most` is enough.

    Examples
    --------
    With the smallest n the difference is the sum of both normal quantiles, 1.645 + 0.842, times its standard error, or a little more.

    >>> from cartrial.design import design_rmst, weibull
    >>> design = design_rmst(weibull(at=12, survival=0.3), weibull(at=12, survival=0.5), 12, accrual=24, follow_up=14)
    >>> round((design.value - design.value_null) / design.error, 1)
    2.5
    """
    horizon = check_above(horizon, "horizon")
    values = [float(curve.restricted_mean(horizon)) for curve in (null, alternative)]
    if values[1] <= values[0]:
        what = f"the alternative's mean {values[1]:.4g} up to the horizon is no better than the null's {values[0]:.4g}"
        raise InputError(what, key="alternative", right="Give a better curve")
    follow_of = accrual_of(accrual, rate, follow_up=follow_up, loss=loss, restricted=restricted)
    shift = values[1] - values[0]
    return _design("rmst", horizon, "horizon", "plain", null, alternative, values, shift, 1.0, rmst_error, follow_of, alpha, beta, most)


def _design(
    measure: Literal["survival", "rmst"],
    time: float,
    key: str,
    scale: Scale,
    null: Weibull,
    alternative: Weibull,
    values: list[float],
    shift: float,
    slope: float,
    error_of: Callable[[Weibull, FollowUp, float], float],
    follow_of: Callable[[int], FollowUp],
    alpha: float,
    beta: float,
    most: int,
) -> CurveDesign:
    """Return the design with the smallest n."""
    from scipy.special import ndtr

    alpha, beta = check_one_sided(alpha, beta)
    most = check_integer(most, "most")
    if follow_of(most).seen(time) <= 0:
        longest = follow_of(most).longest
        raise InputError(f"nobody is seen up to {time:g}: follow-up ends at {longest:g}", key=key, right=f"Give a time before {longest:g}")

    known: dict[FollowUp, float] = {}

    def power_of(n: int) -> float:
        follow = follow_of(n)
        if follow.seen(time) <= 0:
            return 0.0
        if follow not in known:
            known[follow] = error_of(alternative, follow, time)
        return float(ndtr(sqrt(n) * shift / (slope * known[follow]) - normal_quantile_of(1 - alpha)))

    n = smallest(lambda n: power_of(n) >= 1 - beta, most)
    if n is None:
        what = f"no number of subjects up to {most} gives a power of {1 - beta:g}; {most} give {power_of(most):.3f}"
        raise InputError(what, key="most", right="Allow more subjects, longer follow-up or a larger effect")
    follow = follow_of(n)
    error = error_of(alternative, follow, time) / sqrt(n)
    events = expected_events(alternative, follow, n)
    return CurveDesign(
        measure,
        time,
        scale,
        null,
        alternative,
        values[0],
        values[1],
        follow,
        n,
        events,
        error,
        alpha,
        beta,
        power_of(n),
        _SOURCES[measure],
    )
