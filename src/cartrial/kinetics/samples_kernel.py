"""How likely are one subject's samples, given its curve? Measured ones by density, others by the tail beyond their limit."""

from __future__ import annotations

import math
from typing import NamedTuple

from cartrial.kernels import part
from cartrial.kinetics.codes import BELOW, MEASURED
from cartrial.kinetics.curves_kernel import Bend, Floats, Integers, bend, height, natural
from cartrial.kinetics.random_kernel import log_tail

__all__ = ["Formula", "Sampled", "bent", "likelihood"]

_HALF_LOG_2PI = 0.9189385332046727


class Sampled(NamedTuple):
    """Samples by subject: those of subject i stand from `first[i]` to `first[i + 1]`.

    `value` is the logarithm of a measurement, or of the limit that it lies beyond as `side` says; `amount` is a dose, by subject.
    """

    first: Integers
    time: Floats
    value: Floats
    side: Integers
    amount: Floats


class Formula(NamedTuple):
    """Curve and parameters: `slot`, the places of those that vary between subjects; `held`, the places of those that do not.

    `low`, `high`: limits by place (high 0: none). `common`: the value of each parameter that all subjects share, by place.
    """

    curve: int
    slot: Integers
    held: Integers
    low: Floats
    high: Floats
    common: Floats


@part
def bent(formula: Formula, phi: Floats) -> Bend:
    """Return what the curve needs; `phi` has the parameters at their six places."""
    low, high = formula.low, formula.high
    return bend(
        formula.curve,
        natural(phi[0], low[0], high[0]),
        natural(phi[1], low[1], high[1]),
        natural(phi[2], low[2], high[2]),
        natural(phi[3], low[3], high[3]),
        natural(phi[4], low[4], high[4]),
        natural(phi[5], low[5], high[5]),
    )


@part
def likelihood(samples: Sampled, curve: int, shape: Bend, i: int, error: float) -> float:
    """Return the logarithm of the likelihood of subject i's samples about a curve."""
    found = 0.0
    amount = samples.amount[i]
    constant = math.log(error) + _HALF_LOG_2PI
    for r in range(samples.first[i], samples.first[i + 1]):
        z = (samples.value[r] - height(curve, shape, samples.time[r], amount)) / error
        side = samples.side[r]
        if side == MEASURED:
            found -= 0.5 * z * z + constant
        else:
            found += log_tail(z if side == BELOW else -z)
    return found
