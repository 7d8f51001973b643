"""How likely are the counts of each trial at many pairs of a mean and a spread? One integral a trial and pair, around its mode."""

from __future__ import annotations

import math
from typing import Any

from cartrial.kernels import kernel, part

__all__ = ["integrate"]

# of arrays of float64
Floats = Any
STEPS = 60
CLOSE = 1e-4


@part
def softplus(odds: float) -> float:
    """Return log(1 + exp(odds)) without overflow."""
    if odds > 0.0:
        return odds + math.log1p(math.exp(-odds))
    return math.log1p(math.exp(odds))


@part
def chance(odds: float) -> float:
    """Return the probability of log odds."""
    if odds > 0.0:
        return 1.0 / (1.0 + math.exp(-odds))
    fall = math.exp(odds)
    return fall / (1.0 + fall)


@part
def mode(x: float, n: float, mean: float, spread: float) -> float:
    """Return where a trial's integrand is largest, nearly: the rule need not be placed at it exactly."""
    z, low, high = 0.0, spread * (x - n), spread * x
    for _ in range(STEPS):
        p = chance(mean + spread * z)
        slope = spread * (x - n * p) - z
        # the slope falls: its root lies between the ends, and where Newton's step leaves them they are halved
        if slope > 0.0:
            low = z
        else:
            high = z
        before = z
        z += slope / (1.0 + spread * spread * n * p * (1.0 - p))
        if z < low or z > high:
            z = (low + high) / 2.0
        if abs(z - before) < CLOSE:
            break
    return z


@kernel
def integrate(x: Floats, n: Floats, pairs: Floats, nodes: Floats, logs: Floats, found: Floats) -> None:
    """Fill the logarithm of the likelihood and its slopes.

    Parameters
    ----------
    x, n : ndarray of float64, shape (trials,)
        Patients with the outcome, and all.
    pairs : ndarray of float64, shape (2, pairs)
        Mean and spread of the log odds.
    nodes, logs : ndarray of float64, shape (points,)
        Of the Gauss-Hermite rule: nodes, and logarithms of the weights times exp(node^2).
    found : ndarray of float64, shape (3, pairs)
        Filled: the logarithm without the binomial coefficients, its slope by the mean, its slope by the spread.
    """
    for j in range(pairs.shape[1]):
        mean, spread = pairs[0, j], pairs[1, j]
        for i in range(len(x)):
            z = mode(x[i], n[i], mean, spread)
            p = chance(mean + spread * z)
            scale = 1.0 / math.sqrt(1.0 + spread * spread * n[i] * p * (1.0 - p))
            middle = x[i] * (mean + spread * z) - n[i] * softplus(mean + spread * z) - z * z / 2.0
            whole, first, second = 0.0, 0.0, 0.0
            for k in range(len(nodes)):
                at = z + math.sqrt(2.0) * scale * nodes[k]
                odds = mean + spread * at
                share = math.exp(x[i] * odds - n[i] * softplus(odds) - at * at / 2.0 + logs[k] - middle)
                residual = share * (x[i] - n[i] * chance(odds))
                whole += share
                first += residual
                second += residual * at
            found[0, j] += math.log(whole * scale) + middle - 0.5 * math.log(math.pi)
            found[1, j] += first / whole
            found[2, j] += second / whole
