"""Which survival is assumed, and how long is each subject seen? Weibull curves, and uniform accrual with follow-up and loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, gamma, inf, isfinite, log
from typing import Required, TypedDict, TypeVar, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from cartrial.design.exact.checks import check_integer
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = [
    "FollowUp",
    "Weibull",
    "accrual_of",
    "benefit",
    "check_above",
    "check_one_sided",
    "expected_events",
    "integrate_time",
    "normal_quantile_of",
    "smallest",
    "weibull",
]

Floats = NDArray[np.float64]
Numbers = TypeVar("Numbers", float, Floats)


def check_above(value: float, key: str, *, above: float = 0.0, inclusive: bool = False, below: float = inf) -> float:
    """Return a finite number inside its range.

    Raises
    ------
    InputError
        Naming the argument, if the number is not above (or with `inclusive` at) `above`, or not below `below`.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{value!r} is no number", key=key, right="Give a number") from None
    low = number >= above if inclusive else number > above
    if not (isfinite(number) and low and number < below):
        least = f"{above:g} or more" if inclusive else f"above {above:g}"
        most = "" if below == inf else f" and below {below:g}"
        raise InputError(f"the value {number:g} cannot be", key=key, right=f"Give a number {least}{most}")
    return number


def check_one_sided(alpha: float, beta: float) -> tuple[float, float]:
    """Return the one-sided type I error and the type II error.

    Raises
    ------
    InputError
        If `alpha` is not between 0 and 0.5, or `beta` not between 0 and 1 - `alpha`.
    """
    alpha = check_above(alpha, "alpha", below=0.5)
    return alpha, check_above(beta, "beta", below=1 - alpha)


@dataclass(frozen=True)
class Weibull(Shown):
    """Survival S(t) = exp(-(t / scale) ** shape); a shape of 1 is the exponential distribution.

    Parameters
    ----------
    scale : float
        Unit of time: the caller's, the same everywhere.
    shape : float
    """

    scale: float
    shape: float = 1.0

    def __post_init__(self) -> None:
        check_above(self.scale, "scale")
        check_above(self.shape, "shape")

    @property
    def median(self) -> float:
        """Time by which half have had the event."""
        return self.time_of(log(2.0))

    @overload
    def cumulative_hazard(self, time: float) -> float: ...
    @overload
    def cumulative_hazard(self, time: Floats) -> Floats: ...
    def cumulative_hazard(self, time: float | Floats) -> float | Floats:
        """Return -log S at times."""
        return (np.asarray(time, np.float64) / self.scale) ** self.shape

    def survival(self, time: Numbers) -> Numbers:
        """Return S at times."""
        share: Numbers = np.exp(-self.cumulative_hazard(time))
        return share

    def time_of(self, cumulative_hazard: Numbers) -> Numbers:
        """Return the times at which the cumulative hazard reaches values: of unit exponential numbers it makes event times."""
        times: Numbers = self.scale * cumulative_hazard ** (1.0 / self.shape)
        return times

    def with_hazard_ratio(self, hazard_ratio: float) -> Weibull:
        """Return the curve with proportional hazards."""
        check_above(hazard_ratio, "hazard_ratio")
        return Weibull(self.scale * hazard_ratio ** (-1.0 / self.shape), self.shape)

    def restricted_mean(self, horizon: Numbers) -> Numbers:
        """Return the mean time lived up to a horizon: the area below S."""
        from scipy.special import gammainc

        inverse = 1.0 / self.shape
        mean: Numbers = self.scale * gamma(1.0 + inverse) * gammainc(inverse, self.cumulative_hazard(horizon))
        return mean


def weibull(
    *,
    shape: float = 1.0,
    median: float | None = None,
    at: float | None = None,
    survival: float | None = None,
    hazard: float | None = None,
) -> Weibull:
    """Make a survival curve from what is known of it.

    Parameters
    ----------
    shape : float
        1: exponential; below 1 the hazard falls with time.
    median : float, optional
    at, survival : float, optional
        Instead: the survival at a landmark.
    hazard : float, optional
        Instead, with a shape of 1: events per unit of time.

    Returns
    -------
    Weibull

    Raises
    ------
    InputError
        If none or more than one of median, survival at a landmark, and hazard is given, or one cannot be.

    Examples
    --------
    By hand: with a constant hazard survival falls from one half at the median to a quarter at twice the median.

    >>> from cartrial.design import weibull
    >>> curve = weibull(median=6)
    >>> round(float(curve.survival(12)), 4)
    0.25
    >>> round(weibull(shape=1.5, at=6, survival=0.5).median, 4)
    6.0
    """
    shape = check_above(shape, "shape")
    landmark = at is not None or survival is not None
    if (median is not None) + landmark + (hazard is not None) != 1:
        raise InputError("the curve is not defined by one fact", key="null", right="Give the median, or `at` and `survival`, or the hazard")
    if median is not None:
        return Weibull(check_above(median, "median") / log(2.0) ** (1.0 / shape), shape)
    if hazard is not None:
        if shape != 1:
            raise InputError("a constant hazard has a shape of 1", key="shape", right="Give the median, or the survival at a landmark")
        return Weibull(1.0 / check_above(hazard, "hazard"))
    if at is None or survival is None:
        key = "at" if at is None else "survival"
        raise InputError("a landmark needs its time and its survival", key=key, right="Give both")
    share = check_above(survival, "survival", below=1.0)
    return Weibull(check_above(at, "at") / (-log(share)) ** (1.0 / shape), shape)


def benefit(null: Weibull, hazard_ratio: float | None, at: float | None, survival: float | None) -> float:
    """Return the hazard ratio of an alternative: as given, or from its survival at a landmark (log S1 / log S0).

    Raises
    ------
    InputError
        If it is not defined by one of both, or no better than the null.
    """
    if (hazard_ratio is not None) == (at is not None or survival is not None):
        raise InputError("the alternative is not defined by one fact", key="hazard_ratio", right="Give it, or `at` and `survival`")
    if hazard_ratio is not None:
        ratio = check_above(hazard_ratio, "hazard_ratio")
        if ratio >= 1:
            raise InputError(f"a hazard ratio of {ratio:g} is no benefit", key="hazard_ratio", right="Give one below 1")
        return ratio
    if at is None or survival is None:
        key = "at" if at is None else "survival"
        raise InputError("a landmark needs its time and its survival", key=key, right="Give both")
    share = check_above(survival, "survival", below=1.0)
    ratio = float(-log(share) / null.cumulative_hazard(check_above(at, "at")))
    if ratio >= 1:
        least = float(null.survival(at))
        raise InputError(f"a survival of {share:g} is no better than the null's", key="survival", right=f"Give one above {least:.4g}")
    return ratio


def normal_quantile_of(probability: float) -> float:
    """Return the standard normal quantile of a probability."""
    from scipy.special import ndtri

    return float(ndtri(probability))


@dataclass(frozen=True)
class FollowUp(Shown):
    """How long subjects are seen: uniform accrual, then follow-up of everyone to one calendar time.

    Parameters
    ----------
    accrual : float
        Duration of accrual. Unit of time: the caller's.
    follow_up : float
        From the last entry to the analysis; 0 or more.
    loss : float
        Hazard of loss to follow-up, per unit of time; 0: none.
    restricted : float, optional
        Nobody is followed longer than this after entry.
    """

    accrual: float
    follow_up: float
    loss: float = 0.0
    restricted: float | None = None

    def __post_init__(self) -> None:
        check_above(self.accrual, "accrual")
        check_above(self.follow_up, "follow_up", inclusive=True)
        check_above(self.loss, "loss", inclusive=True)
        if self.restricted is not None:
            check_above(self.restricted, "restricted")

    @property
    def duration(self) -> float:
        """Calendar time from the first entry to the analysis."""
        return self.accrual + self.follow_up

    @property
    def longest(self) -> float:
        """The longest that anybody can be seen."""
        return self.duration if self.restricted is None else min(self.duration, self.restricted)

    def seen(self, time: float | Floats) -> Floats:
        """Return the probability of not being censored before times."""
        time = np.asarray(time, np.float64)
        share = np.clip((self.duration - time) / self.accrual, 0.0, 1.0) * np.exp(-self.loss * time)
        return share if self.restricted is None else np.where(time <= self.restricted, share, 0.0)


def integrate_time(curve: Weibull, follow: FollowUp, term: Callable[[float, float], float], until: float | None = None) -> float:
    """Integrate over the cumulative hazard of a curve, up to the longest that anybody is seen.

    Parameters
    ----------
    curve : Weibull
    follow : FollowUp
    term : callable
        Of time t and cumulative hazard u = Λ(t); the integral is that of term dΛ(t).
    until : float, optional
        An earlier upper limit.

    Notes
    -----
    The variable is Λ itself, so that a shape below 1 has no pole at 0. Relative accuracy: about 1e-10.
    """
    from scipy.integrate import quad

    end = min(follow.longest, inf if until is None else until)
    edges = [0.0, *(t for t in (follow.follow_up,) if 0 < t < end), end]
    # beyond a cumulative hazard of 60 nobody is left (e^-60 is 1e-26)
    hazards = [min(float(curve.cumulative_hazard(t)), 60.0) for t in edges]
    parts = (
        quad(lambda u: term(float(curve.time_of(u)), u), low, high, epsabs=1e-13, epsrel=1e-11, limit=400)[0]
        for low, high in pairwise(hazards)
        if high > low
    )
    return float(sum(parts))


def expected_events(curve: Weibull, follow: FollowUp, n: float = 1.0) -> float:
    """Return the expected number of events among n subjects."""
    return n * integrate_time(curve, follow, lambda time, u: float(follow.seen(time)) * exp(-u))


def smallest(enough: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest n from 1 to `most` that is enough, where every larger one is too; None if none is."""
    most = check_integer(most, "most")
    if most < 1:
        raise InputError(f"no number of subjects is at most {most}", key="most", right="Give at least 1")
    high = 1
    while not enough(high):
        if high >= most:
            return None
        high = min(2 * high, most)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


class Ends(TypedDict, total=False):
    """What ends the time for which subjects are seen, accrual apart: see `FollowUp`."""

    follow_up: Required[float]
    loss: float
    restricted: float | None


def accrual_of(accrual: float | None, rate: float | None, **others: Unpack[Ends]) -> Callable[[int], FollowUp]:
    """Return follow-up as a function of the number of subjects: accrual of fixed duration, or at a fixed rate.

    Raises
    ------
    InputError
        If not exactly one of both is given, or a time cannot be.
    """
    if (accrual is None) == (rate is None):
        raise InputError("accrual is not defined by one fact", key="accrual", right="Give its duration, or subjects per unit of time")
    if rate is None:
        fixed = FollowUp(accrual if accrual is not None else 0.0, **others)
        return lambda n: fixed
    speed = check_above(rate, "rate")
    start = FollowUp(1.0 / speed, **others)
    return lambda n: replace(start, accrual=n / speed)
