"""When is a treatment better than the standard, or not good enough? Posterior probability (Thall and Simon)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cartrial.design.bayes.monitoring import Floats, Integers, check_looks, check_prior, check_share
from cartrial.design.exact.checks import check_rates
from cartrial.design.exact.staged import Staged
from cartrial.errors import InputError

__all__ = ["design_thall_simon", "superiority"]

SOURCE = "Thall PF, Simon R. Biometrics 1994;50:337-349. doi:10.2307/2533377"


def design_thall_simon(
    looks: Sequence[int],
    *,
    standard: tuple[float, float] | float,
    p1: float | None = None,
    prior: tuple[float, float] = (1.0, 1.0),
    delta: float = 0.0,
    lower: float | None = 0.05,
    upper: float = 0.95,
) -> Staged:
    """Monitor the posterior probability that the experimental treatment is better than the standard.

    Parameters
    ----------
    looks : sequence of int
        Cumulative subjects at each look (`looks_after` for continuous monitoring).
    standard : tuple of float, or float
        Beta prior of the standard's rate, as informative as is known of it; or its rate, taken as known.
    p1 : float, optional
        Target rate, kept in the design; nothing else depends on it.
    prior : tuple of float, default (1, 1)
        Beta prior of the experimental rate; flat.
    delta : float, default 0
        Improvement wanted; read by the lower cut-off alone.
    lower : float or None, default 0.05
        Stop, not promising, when P(experimental > standard + delta | data) is at most this. None: never.
    upper : float, default 0.95
        Stop, promising, when P(experimental > standard | data) is at least this.

    Returns
    -------
    Staged
        A trial that ends between the cut-offs counts as not promising. `p0` is the mean of the standard's rate.

    Raises
    ------
    InputError
        For looks, priors or cut-offs that cannot be, or if no number of responders reaches the upper cut-off at the last look.

    Examples
    --------
    By hand: with a flat prior and a known standard of 0.5 the posterior probability that the rate is higher is 1 - 0.5⁵ = 0.97 after 4 of 4
    responders, enough for 0.95, and 0.5⁴ = 0.06 after 0 of 3, which stops at 0.1 or less.

    >>> from cartrial.design import design_thall_simon
    >>> design = design_thall_simon((3, 4), standard=0.5, lower=0.1, upper=0.95)
    >>> design.futility, design.efficacy
    ((0, 3), (None, 4))
    """
    n = check_looks(looks)
    prior = check_prior(prior)
    known = isinstance(standard, int | float)
    rate = check_share(standard, "standard") if known else 0.0
    shape = (0.0, 0.0) if known else check_prior(standard, "standard")
    mean = rate if known else shape[0] / sum(shape)
    delta = check_share(delta, "delta", low=0.0, high=1.0 - mean, ends=delta == 0)
    upper = check_share(upper, "upper")
    lower = None if lower is None else check_share(lower, "lower", high=upper)
    if p1 is not None:
        check_rates(mean, p1)

    def above(gain: float) -> Callable[[Integers, Integers], Floats]:
        given = rate if known else shape
        return lambda x, size: superiority(given, prior[0] + x, prior[1] + size - x, gain)

    sizes = np.asarray(n, np.int64)
    low: list[int | None] = [None] * len(n)
    if lower is not None:
        low = _whole(_last_true(sizes, above(delta), lambda value: value <= lower), lambda x, _: x >= 0)
    high = _whole(_last_true(sizes, above(0.0), lambda value: value < upper) + 1, lambda x, size: x <= size, n)
    if high[-1] is None:
        raise InputError(f"not even {n[-1]} of {n[-1]} responders reach the upper cut-off {upper:g}", key="upper", right="Give a lower one")
    low[-1] = high[-1] - 1
    text = f"{rate:g}" if known else f"Beta({shape[0]:g}, {shape[1]:g})"
    never = "never" if lower is None else f"when P(experimental > standard{f' + {delta:g}' if delta else ''} | data) <= {lower:g}"
    method = (
        f"Stop as promising when P(experimental > standard | data) >= {upper:g}, as not promising {never}; standard {text}, experimental "
        f"prior Beta({prior[0]:g}, {prior[1]:g}); at the last look whatever is not promising fails."
    )
    return Staged("Thall-Simon", n, tuple(low), tuple(high), mean, p1, method, SOURCE)


def superiority(standard: tuple[float, float] | float, a: Any, b: Any, delta: float = 0.0) -> Floats:
    """Return the probability that one rate exceeds another by more than delta.

    Parameters
    ----------
    standard : tuple of float, or float
        Beta distribution of the other rate, or the rate itself.
    a, b : array of float
        Beta distribution of the one rate.
    delta : float, default 0

    Returns
    -------
    ndarray of float64

    Notes
    -----
    Integral over the quantiles of the other rate by the double exponential rule (Takahasi and Mori 1974, doi:10.2977/prims/1195192451),
    whose nodes crowd at both ends, where the quantiles of a Beta distribution may be steep.
    """
    from scipy.special import betaincc, betaincinv

    a, b = np.asarray(a, float), np.asarray(b, float)
    if isinstance(standard, int | float):
        return np.where(standard + delta < 1, betaincc(a, b, min(standard + delta, 1.0)), 0.0)
    c, d = standard
    most = 1.0 if delta <= 0 else 1.0 - float(betaincc(c, d, 1.0 - delta))
    t = np.arange(-160, 161) / 40.0
    half = np.pi / 2 * np.sinh(t)
    share = most / (1.0 + np.exp(-2.0 * half))
    weight = most * np.pi / 4 / 40.0 * np.cosh(t) / np.cosh(half) ** 2
    rate = np.minimum(betaincinv(c, d, share) + delta, 1.0)
    return np.asarray(betaincc(a[..., None], b[..., None], rate) @ weight)


def _last_true(sizes: Integers, value: Callable[[Integers, Integers], Floats], holds: Callable[[Floats], Any]) -> Integers:
    """Return for each look the highest count for which a condition holds that holds for low counts alone; -1 for none."""
    low, high = np.full(len(sizes), -1), sizes + 1
    while (high - low > 1).any():
        middle = np.minimum((low + high) // 2, sizes)
        middle = np.maximum(middle, 0)
        yes = holds(value(middle, sizes))
        open_ = high - low > 1
        low, high = np.where(open_ & yes, middle, low), np.where(open_ & ~yes, middle, high)
    return low


def _whole(values: Any, keep: Callable[[int, int], bool], sizes: Sequence[int] | None = None) -> list[int | None]:
    """Return whole numbers, None where there is no boundary."""
    of = sizes if sizes is not None else [0] * len(values)
    return [int(x) if keep(int(x), size) else None for x, size in zip(values, of, strict=True)]
