"""How likely are the samples of every subject for many drawn parameters, and how does that change with the residual and what all share?"""

from __future__ import annotations

import math
from typing import NamedTuple

from cartrial.kernels import kernel, part
from cartrial.kinetics.codes import BELOW, MEASURED
from cartrial.kinetics.curves_kernel import Floats, height
from cartrial.kinetics.estimation.explore_kernel import placed
from cartrial.kinetics.random_kernel import log_tail
from cartrial.kinetics.samples_kernel import Formula, Sampled, bent

__all__ = ["Weights", "weigh"]

_HALF_LOG_2PI = 0.9189385332046727
_NUDGE = 1e-4


class Weights(NamedTuple):
    """Of subject and draw: log likelihood, its slope by the logarithm of the residual SD, and by each parameter that all share."""

    likelihood: Floats
    by_error: Floats
    by_common: Floats
    full: Floats


@part
def tail_slope(z: float, tail: float) -> float:
    """Return the slope of the logarithm of the normal distribution function at z, of which `tail` is that logarithm."""
    return math.exp(-0.5 * z * z - _HALF_LOG_2PI - tail)


@kernel
def weigh(samples: Sampled, formula: Formula, phi: Floats, error: float, found: Weights) -> None:
    """Fill likelihoods and slopes for draws `phi` of shape (subjects, draws, parameters that vary)."""
    q = len(formula.held)
    for i in range(len(samples.first) - 1):
        amount = samples.amount[i]
        for k in range(phi.shape[1]):
            placed(formula, phi[i, k], found.full)
            shape = bent(formula, found.full)
            like, slope = 0.0, 0.0
            for r in range(samples.first[i], samples.first[i + 1]):
                z = (samples.value[r] - height(formula.curve, shape, samples.time[r], amount)) / error
                if samples.side[r] == MEASURED:
                    like -= 0.5 * z * z + math.log(error) + _HALF_LOG_2PI
                    slope += z * z - 1.0
                else:
                    z = z if samples.side[r] == BELOW else -z
                    tail = log_tail(z)
                    like += tail
                    slope -= z * tail_slope(z, tail)
            found.likelihood[i, k] = like
            found.by_error[i, k] = slope
            for b in range(q):
                found.full[formula.held[b]] += _NUDGE
                above = bent(formula, found.full)
                found.full[formula.held[b]] -= 2.0 * _NUDGE
                below = bent(formula, found.full)
                found.full[formula.held[b]] += _NUDGE
                slope = 0.0
                for r in range(samples.first[i], samples.first[i + 1]):
                    time = samples.time[r]
                    change = (height(formula.curve, above, time, amount) - height(formula.curve, below, time, amount)) / (2.0 * _NUDGE)
                    z = (samples.value[r] - height(formula.curve, shape, time, amount)) / error
                    if samples.side[r] == MEASURED:
                        slope += z * change / error
                    else:
                        z = z if samples.side[r] == BELOW else -z
                        sign = -1.0 if samples.side[r] == BELOW else 1.0
                        slope += sign * tail_slope(z, log_tail(z)) * change / error
                found.by_common[i, k, b] = slope
