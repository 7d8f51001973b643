"""When does each curve, and each of its log(-log) limits, reach a share? One pass over the subjects as they leave."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from cartrial.kernels import kernel

__all__ = ["Leaving", "find_quantiles"]

# of arrays of int64 and float64
Integers = Any
Floats = Any

CLOSE = 1e-11
"""Two values nearer than this may stand in either order, as logarithms and exponentials are rounded."""


class Leaving(NamedTuple):
    """Subjects in the order in which they leave, one group after the other.

    `packed`: group * width + 2 * rank of the time + state (0 event, 1 censored). `starts`: how many stand before each group, and all.
    `times`: the times by rank, rising.
    """

    packed: Integers
    starts: Integers
    times: Floats


@kernel
def find_quantiles(leaving: Leaving, share: float, tolerance: float, z: float, found: Floats) -> bool:
    """Write the time at which each curve, its lower and its upper limit reach a share, or nan; say whether rounding could decide.

    `share`: of subjects with the event. `found`: float64, shape (groups, 3). What is written is that of `KaplanMeier` read from its
    curves: the smallest value that is not below `share - tolerance`, and the midpoint with the next where it is not above `share +
    tolerance`. A lower limit is not above the curve and an upper limit not below: where that decides, neither is computed.
    """
    low, high = share - tolerance, share + tolerance
    width = 2 * len(leaving.times)
    doubtful = False
    for g in range(len(leaving.starts) - 1):
        i, end = leaving.starts[g], leaving.starts[g + 1]
        base = g * width
        survival, greenwood, fallen = 1.0, 0.0, 0.0
        at, next_at = math.nan, math.nan
        # of each limit the least values from `low` and from `high` on, when, and whether its last value is between the two
        lower, lower_at, lower_next, lower_next_at, lower_within = math.inf, math.nan, math.inf, math.nan, False
        upper, upper_at, upper_next, upper_next_at, upper_within = math.inf, math.nan, math.inf, math.nan, False
        while i < end:
            risk, lost = end - i, 0
            day = (leaving.packed[i] - base) >> 1
            while i < end and (leaving.packed[i] - base) >> 1 == day:
                lost += 1 - ((leaving.packed[i] - base) & 1)
                i += 1
            if lost == 0:
                continue
            time = leaving.times[day]
            survival *= (risk - lost) / risk
            fallen = 1.0 - survival
            doubtful |= abs(fallen - low) < CLOSE or abs(fallen - high) < CLOSE
            if fallen >= low and math.isnan(at):
                at = time
            if fallen >= high and math.isnan(next_at):
                next_at = time
            lower_within = upper_within = False
            if lost == risk:
                continue  # a curve at 0 has no limits
            greenwood += lost / (risk * float(risk - lost))
            log = math.log(survival)
            spread = math.exp(z * math.sqrt(greenwood) / -log)
            if fallen <= lower_next + CLOSE:
                value = 1.0 - math.exp(log * spread)
                doubtful |= abs(value - low) < CLOSE or abs(value - high) < CLOSE
                doubtful |= abs(value - lower) < CLOSE or abs(value - lower_next) < CLOSE
                lower_within = low <= value < high
                if low <= value < lower:
                    lower, lower_at = value, time
                if high <= value < lower_next:
                    lower_next, lower_next_at = value, time
            if fallen >= low - CLOSE:
                value = 1.0 - math.exp(log / spread)
                doubtful |= abs(value - low) < CLOSE or abs(value - high) < CLOSE
                doubtful |= abs(value - upper) < CLOSE or abs(value - upper_next) < CLOSE
                upper_within = low <= value < high
                if low <= value < upper:
                    upper, upper_at = value, time
                if high <= value < upper_next:
                    upper_next, upper_next_at = value, time
        last = leaving.times[(leaving.packed[end - 1] - base) >> 1]
        found[g, 0] = (at + (last if low <= fallen < high else next_at)) / 2.0
        found[g, 1] = (lower_at + (last if lower_within else lower_next_at)) / 2.0
        found[g, 2] = (upper_at + (last if upper_within else upper_next_at)) / 2.0
    return doubtful
