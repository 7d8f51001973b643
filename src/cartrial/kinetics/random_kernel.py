"""Which random numbers does a subject get, whatever the order, and which values lie beyond a limit?

Numbers come from a key and a counter, not from a stream: a subject's draws stay the same whoever stands before it.
"""

from __future__ import annotations

import math

from cartrial.kernels import part

__all__ = ["log_tail", "quantile", "scrambled", "tail_draw", "turned"]

_MASK = 0xFFFFFFFF
_ROOT = 0.7071067811865476
_HALF_LOG_2PI = 0.9189385332046727


@part
def turned(x: int, by: int) -> int:
    """Return 32 bits rotated to the left."""
    return ((x << by) | (x >> (32 - by))) & _MASK


@part
def scrambled(key0: int, key1: int, place: int, number: int) -> tuple[int, int]:
    """Return two numbers of 32 bits of a key and a counter: Threefry 2 × 32, 20 rounds (Salmon 2011, doi:10.1145/2063384.2063405)."""
    key2 = 0x1BD11BDA ^ key0 ^ key1
    x, y = (place + key0) & _MASK, (number + key1) & _MASK
    for group in range(5):
        for step in range(4):
            if group % 2 == 0:
                by = 13 if step == 0 else 15 if step == 1 else 26 if step == 2 else 6
            else:
                by = 17 if step == 0 else 29 if step == 1 else 16 if step == 2 else 24
            x = (x + y) & _MASK
            y = turned(y, by) ^ x
        first = key1 if group % 3 == 0 else key2 if group % 3 == 1 else key0
        second = key2 if group % 3 == 0 else key0 if group % 3 == 1 else key1
        x = (x + first) & _MASK
        y = (y + second + group + 1) & _MASK
    return x, y


@part
def quantile(p: float) -> float:
    """Return the normal quantile (Wichura 1988, Algorithm AS 241, doi:10.2307/2347330, PPND7: seven digits, enough for a proposal)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179
        return q * top / (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0)
    r = math.sqrt(-math.log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        r -= 1.6
        top = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
        z = top / ((0.12021132975 * r + 0.73700164250) * r + 1.0)
    else:
        r -= 5.0
        top = ((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150
        z = top / ((0.012258202635 * r + 0.24197894225) * r + 1.0)
    return -z if q < 0.0 else z


@part
def log_tail(z: float) -> float:
    """Return the logarithm of the normal distribution function, by its asymptotic series below -25."""
    if z > -25.0:
        return math.log(0.5 * math.erfc(-z * _ROOT))
    s = 1.0 / (z * z)
    return -0.5 * z * z - _HALF_LOG_2PI - math.log(-z) + math.log(1.0 - s * (1.0 - 3.0 * s * (1.0 - 5.0 * s * (1.0 - 7.0 * s))))


@part
def tail_draw(z: float, u: float) -> float:
    """Return the normal value below z of which a share u of the tail lies below it.

    Beyond -5 by Newton's method on the logarithm of the tail, where the tail itself has too few digits.
    """
    if z > -5.0:
        return min(quantile(max(u * 0.5 * math.erfc(-z * _ROOT), 1e-300)), z)
    aim = math.log(u) + log_tail(z)
    x = -math.sqrt(z * z - 2.0 * math.log(u))
    for _ in range(3):
        log_tail_x = log_tail(x)
        x -= (log_tail_x - aim) * math.exp(log_tail_x + 0.5 * x * x + _HALF_LOG_2PI)
    return min(x, z)
