"""What are exponential and logarithm of several patients' numbers at once, with the same bits on every processor?

Sums and products in a fixed order, without a branch and without what only some processors have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir

from cartrial.virtual.engine.lanes_kernel import intrinsic, pick, vector

__all__ = ["exp", "larger", "log", "smaller"]

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_ROUND = 6755399441055744.0


def _bits(builder: Any, x: Any) -> tuple[Any, Callable[[int], Any]]:
    """Return a number's bits as an integer, and what makes constants beside it; of a lane, of each."""
    if isinstance(x.type, ir.VectorType):
        width = x.type.count
        return builder.bitcast(x, vector(width, 64)), lambda value: ir.Constant(vector(width, 64), [value] * width)
    return builder.bitcast(x, ir.IntType(64)), lambda value: ir.Constant(ir.IntType(64), value)


@intrinsic
def _power_of_two(_: Any, shifted: Any) -> Any:
    """Return 2^k, given k + `_ROUND`, for whole k above -1023."""

    def emit(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        bits, constant = _bits(builder, arguments[0])
        # the low bits of `_ROUND` are 0: they hold k
        return builder.bitcast(builder.shl(builder.add(bits, constant(1023)), constant(52)), arguments[0].type)

    return shifted(shifted), emit


@intrinsic
def _exponent(_: Any, x: Any) -> Any:
    """Return 2^52 + 1023 + k for x = 2^k f, f from sqrt(1/2) to sqrt(2)."""

    def emit(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        bits, constant = _bits(builder, arguments[0])
        k = builder.lshr(builder.add(bits, constant(0x00095F619980C433)), constant(52))
        return builder.bitcast(builder.or_(k, constant(0x4330000000000000)), arguments[0].type)

    return x(x), emit


@intrinsic
def _mantissa(_: Any, x: Any) -> Any:
    """Return f, from sqrt(1/2) to sqrt(2), for x = 2^k f."""

    def emit(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        bits, constant = _bits(builder, arguments[0])
        moved = builder.add(bits, constant(0x00095F619980C433))
        k = builder.and_(moved, constant(0x7FF0000000000000))
        return builder.bitcast(builder.add(builder.sub(bits, k), constant(0x3FF0000000000000)), arguments[0].type)

    return x(x), emit


@nb.njit(error_model="numpy", forceinline=True)
def larger(a: Any, b: Any) -> Any:
    """Return a where it is above b, else b."""
    return pick(a > b, a, b)


@nb.njit(error_model="numpy", forceinline=True)
def smaller(a: Any, b: Any) -> Any:
    """Return a where it is below b, else b."""
    return pick(a < b, a, b)


@nb.njit(error_model="numpy", forceinline=True)
def exp(x: Any) -> Any:
    """Return e^x to 6e-16 relative; beyond -700 and 700 as at them, of what is no number none."""
    v = pick(x < -700.0, -700.0, x)
    v = pick(v > 700.0, 700.0, v)
    shifted = v * _LOG2_E + _ROUND
    k = shifted - _ROUND
    r = (v - k * _LN2_HIGH) - k * _LN2_LOW
    # Taylor's sum to r^12, |r| up to ln(2) / 2: even and odd terms, so that they are worked out side by side
    z = r * r
    even = 1.0 / 40320.0 + z * (1.0 / 3628800.0 + z * (1.0 / 479001600.0))
    even = 1.0 + z * (0.5 + z * (1.0 / 24.0 + z * (1.0 / 720.0 + z * even)))
    odd = 1.0 / 5040.0 + z * (1.0 / 362880.0 + z * (1.0 / 39916800.0))
    odd = 1.0 + z * (1.0 / 6.0 + z * (1.0 / 120.0 + z * odd))
    return (even + r * odd) * _power_of_two(shifted)


@nb.njit(error_model="numpy", forceinline=True)
def log(x: Any) -> Any:
    """Return ln x of a number from 2e-308 on to 4e-16 relative; of infinity as of 2^1024, of 0, below it and of what is no number none.

    FreeBSD's `e_log.c` (Sun Microsystems 1993): ln(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)), s = f / (2 + f).
    """
    k = _exponent(x) - 4503599627371519.0
    f = _mantissa(x) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    odd = z * (0.6666666666666735130 + w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591)))
    half = 0.5 * f * f
    found = k * _LN2_HIGH - ((half - (s * (half + (even + odd)) + k * _LN2_LOW)) - f)
    return pick(x > 0.0, found, np.nan)
