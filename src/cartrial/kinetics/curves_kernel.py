"""How high does a curve stand at a time? One curve after the other, for its parameters on the scale of the random effects."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part
from cartrial.kinetics.codes import LAG, LOGISTIC, MONO, ORAL, STEIN

__all__ = ["Bend", "Floats", "Integers", "bend", "fill_curves", "height", "natural"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_NEVER = -700.0


class Bend(NamedTuple):
    """What a curve needs at each time, made once for each vector of parameters.

    Of curves of cells: slope of the rise, day of the peak, logarithm of the peak, slopes of the contraction and of the persistence, the
    logarithms of their shares at the peak, and the day before which nothing happens.
    """

    rise: float
    peak: float
    top: float
    alpha: float
    beta: float
    main: float
    rest: float
    lag: float


@part
def natural(phi: float, low: float, high: float) -> float:
    """Return the logarithm of a parameter: itself, or where it has limits of them and its logit (high 0: no limits)."""
    if high <= 0.0:
        return phi
    return math.log(low + (high - low) / (1.0 + math.exp(-phi)))


@part
def bend(curve: int, p0: float, p1: float, p2: float, p3: float, p4: float, p5: float) -> Bend:
    """Return what a curve needs of its parameters (logarithms; those of `LOGISTIC` as they are).

    Stein et al. 2019 (doi:10.1002/psp4.12388): growth by `fold` until the peak, then a fast and a slow contraction. `RATE` and `LAG` have
    the slope of the growth in the place of its fold.
    """
    if curve == LOGISTIC or curve == ORAL:
        return Bend(p0, p1, p2, 0.0, 0.0, 0.0, 0.0, 0.0)
    peak = math.exp(min(p1, 50.0))
    rise = p0 / peak if curve == STEIN or curve == MONO else math.exp(min(p0, 50.0))
    alpha = math.exp(min(p3, 50.0))
    if curve == STEIN:
        share = min(math.exp(min(p4, 0.0)), 1.0 - 1e-12)
        return Bend(rise, peak, p2, alpha, math.exp(min(p5, 50.0)), math.log1p(-share), math.log(share), 0.0)
    lag = min(math.exp(min(p4, 50.0)), peak) if curve == LAG else 0.0
    return Bend(rise, peak, p2, alpha, 0.0, 0.0, _NEVER, lag)


@part
def height(curve: int, b: Bend, time: float, amount: float) -> float:
    """Return the predicted measurement: of cells the logarithm of their number.

    `LOGISTIC` is R's `SSlogis`, `ORAL` its `SSfol` (one compartment, absorption of first order; logarithms of Ke, Ka and Cl).
    """
    if curve == LOGISTIC:
        return b.rise / (1.0 + math.exp((b.peak - time) / b.top))
    if curve == ORAL:
        ke, ka = math.exp(b.rise), math.exp(b.peak)
        return amount * ke * ka / math.exp(b.top) * (math.exp(-ke * time) - math.exp(-ka * time)) / (ka - ke)
    since = time - b.peak
    if since < 0.0:
        return b.top + b.rise * (max(time, b.lag) - b.peak)
    fast = b.main - b.alpha * since
    if b.rest <= _NEVER:
        return b.top + fast
    slow = b.rest - b.beta * since
    most = max(fast, slow)
    return b.top + most + math.log1p(math.exp(min(fast, slow) - most))


@kernel
def fill_curves(curve: int, phi: Floats, times: Floats, out: Floats) -> None:
    """Fill the heights of the curves of many vectors of parameters, all at the same times; phi has six columns without limits."""
    for i in range(len(phi)):
        shape = bend(curve, phi[i, 0], phi[i, 1], phi[i, 2], phi[i, 3], phi[i, 4], phi[i, 5])
        for j in range(len(times)):
            out[i, j] = height(curve, shape, times[j], 1.0)
