"""On which side of a limit is a result, measured or given as a limit itself?"""

from __future__ import annotations

from math import floor, isinf, isnan, log10, nan
from typing import NamedTuple

from cartrial.kernels import part

__all__ = [
    *("ABOVE", "MISSING", "OPERATORS", "Limit", "Range"),
    *("fails", "is_missing", "is_undecided", "is_unknown", "meets", "significant_of"),
]

MISSING = nan
"""Stands for a value that was not found."""

DIGITS = 12
"""Significant digits of what is compared with a limit (rules, A9)."""

OPERATORS = ("<", "<=", ">", ">=")
"""Of a limit, each at the place of its number."""

ABOVE = OPERATORS.index(">")


class Range(NamedTuple):
    """Between which numbers a result lies: both are the number where it was measured, nan where there is no result.

    A result as `<5` lies between 0 and the next number below 5 (rules, A8). Of 12 significant digits (A9).
    """

    low: float
    high: float


class Limit(NamedTuple):
    """A threshold with its operator's number."""

    op: int
    value: float


@part
def is_missing(found: Range) -> bool:
    """No result was found."""
    return isnan(found.low)


@part
def meets(found: Range, limit: Limit) -> bool:
    """On the side of a limit that its operator names, in the order of `OPERATORS`, wherever the result lies; a missing one never is."""
    return (found.high < limit.value, found.high <= limit.value, found.low > limit.value, found.low >= limit.value)[limit.op]


@part
def fails(found: Range, limit: Limit) -> bool:
    """On the other side of a limit, wherever the result lies; a missing one never is."""
    return (found.low >= limit.value, found.low > limit.value, found.high <= limit.value, found.high < limit.value)[limit.op]


@part
def is_undecided(found: Range, limit: Limit) -> bool:
    """A result as `<10` may lie on either side of a limit (rules, A8)."""
    return not is_missing(found) and not meets(found, limit) and not fails(found, limit)


@part
def is_unknown(count: Range, limit: Limit) -> bool:
    """A count that was not found, or whose side of the limit cannot be decided (rules, A8)."""
    return is_missing(count) or is_undecided(count, limit)


@part
def significant_of(value: float) -> float:
    """A number of 12 significant digits (rules, A9)."""
    return value if value <= 0 or isinf(value) else round(value, DIGITS - 1 - floor(log10(value)))
