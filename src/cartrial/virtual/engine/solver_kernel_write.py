"""How are the days inside one step written quickly? All together, quantity by quantity, so that the processor does several at once."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.engine.rates_kernel import Flags, Floats

__all__ = ["BLOCK", "Integers", "Singles", "write_days"]

Integers = NDArray[np.int64]
Singles = NDArray[np.float32]

BLOCK = 64
_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_ROUND = 6755399441055744.0


@nb.njit(cache=True, error_model="numpy", nogil=True)
def _exp(x: Floats, whole: Integers, power: Floats, n: int) -> None:
    """Replace the first n numbers by their exponentials, to 1e-11 relative; below -690 by 0 or near it.

    Parameters
    ----------
    x : ndarray of float64, shape (at least n,)
    whole, power : ndarray of int64 and float64, shape (at least n,)
        Work space: the same bytes, seen as integers and as powers of two.
    """
    for i in range(n):
        v = min(max(x[i], -690.0), 690.0)
        k = (v * _LOG2_E + _ROUND) - _ROUND
        r = (v - k * _LN2_HIGH) - k * _LN2_LOW
        s = 1.0 / 40320.0 + r * (1.0 / 362880.0)
        s = 1.0 / 720.0 + r * (1.0 / 5040.0 + r * s)
        s = 1.0 / 24.0 + r * (1.0 / 120.0 + r * s)
        s = 0.5 + r * (1.0 / 6.0 + r * s)
        x[i] = 1.0 + r * (1.0 + r * s)
        whole[i] = (nb.int64(k) + 1023) << 52
    for i in range(n):
        x[i] *= power[i]


@nb.njit(cache=True, error_model="numpy", nogil=True)
def write_days(
    y: Floats,
    z: Floats,
    k2: Floats,
    k3: Floats,
    k4: Floats,
    alive: Flags,
    lost: Floats,
    days: Floats,
    t: float,
    h: float,
    out: Singles,
    at: Floats,
    x: Floats,
    whole: Integers,
    power: Floats,
) -> None:
    """Write some days inside one step, at most `BLOCK`.

    Parameters
    ----------
    y, z, k2, k3, k4 : ndarray of float64, shape (17,)
        State before and after the step and its continuous extension.
    alive : ndarray of bool, shape (3,)
        Clones at the step's start.
    lost : ndarray of float64, shape (at least 3,)
        Day each clone is lost, NaN: not yet.
    days : ndarray of float64, shape (days,)
    t, h : float
        Start and length of the step, days.
    out : ndarray of float32, shape (days, 11)
        Filled, in the order of `kernel_codes.QUANTITIES`.
    at, x, whole, power : ndarray of float64, float64, int64 and float64, shape (64,)
        Work space; `whole` and `power` are the same bytes.
    """
    n = len(days)
    for i in range(n):
        at[i] = (days[i] - t) / h
    for c in range(17):
        if c == 6 or c == 9 or c == 10 or c == 14:
            continue
        if c < 3 and not alive[c]:
            if c != 1:
                for i in range(n):
                    out[i, 0 if c == 0 else 1] = 0.0
            continue
        a, b, q2, q3, q4 = y[c], z[c], k2[c], k3[c], k4[c]
        for i in range(n):
            s = at[i]
            u = 1.0 - s
            x[i] = a * u + s * (b + u * (q2 + s * (q3 + s * q4)))
        if c < 6 or c == 8:
            _exp(x, whole, power, n)
        if c < 3:
            for i in range(n):
                if lost[c] <= days[i]:
                    x[i] = 0.0
        if c == 0:
            for i in range(n):
                out[i, 0] = x[i]
        elif c == 1:
            for i in range(n):
                out[i, 0] += x[i]
        elif c == 2 or c == 3:
            for i in range(n):
                out[i, c - 1] = x[i]
        elif c == 4:
            for i in range(n):
                out[i, 4] = x[i]
        elif c == 5:
            for i in range(n):
                out[i, 4] += x[i]
        elif c == 7:
            for i in range(n):
                out[i, 3] = out[i, 4] + x[i]
        elif c == 8:
            for i in range(n):
                out[i, 5] = x[i]
        elif c < 14:
            for i in range(n):
                out[i, c - 5] = x[i]
        else:
            for i in range(n):
                out[i, c - 6] = x[i]
