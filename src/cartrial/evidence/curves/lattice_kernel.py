"""Which numbers at risk does a curve stand for? A dynamic programme over whole patients.

A state is the number at risk just before a node: a drop of the curve, or a time at which the number at risk was printed. Between two nodes
some are censored, at a drop some have the event. What a choice costs is how far the curve that it gives lies from the reading, and how
unlike its censorings are to what the stretch leads to expect. Each state keeps the survival that its cheapest path has led to, so that
errors of reading do not add up from drop to drop: that is what tells 400 at risk from 401.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part

__all__ = ["FORBIDDEN", "Nodes", "Settings", "Tables", "fill_tables", "follow_path", "sample_paths"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FORBIDDEN = 1e300
"""Cost of what cannot be."""
EMPTY = 1e-9
TOGETHER = 2.0
TIED = 3.0


class Nodes(NamedTuple):
    """Drops and printed numbers at risk, in the order of time, and an end at which nobody is left.

    `drop`: whether the curve falls here, to `survival`. `low`, `high`: bounds of the number at risk just before. Of the gap that follows:
    `least` are censored at least, `most` at most; `expected` more than `least` are expected; where that is negative any number is as good.
    """

    drop: NDArray[np.bool_]
    survival: Floats
    low: Integers
    high: Integers
    least: Integers
    most: Integers
    expected: Floats


class Settings(NamedTuple):
    """`error`: standard error of a reading of survival. `tilt`: cost of each event. `beam`: states dearer than the cheapest by more go.

    `soft`: costs of paths are added up as probabilities, to sample; otherwise the cheapest counts.
    """

    error: float
    tilt: float
    beam: float
    soft: bool


class Tables(NamedTuple):
    """By node and number at risk: costs and survival before and after the drop; the events and the censored of the cheapest way there.

    `log_factorial`: of whole numbers.
    """

    before: Floats
    after: Floats
    survival: Floats
    survival_after: Floats
    events: Integers
    censored: Integers
    log_factorial: Floats


@part
def at_once(d: int, reading: float) -> float:
    """How unlikely it is that so many have the event at the last moment: a fall to 0 takes all who are left, and says not how many."""
    return TIED * (d - 1) if reading <= EMPTY else 0.0


@part
def misfit(survival: float, reading: float, error: float) -> float:
    """How unlikely a reading is where the curve is at a survival."""
    z = (survival - reading) / error
    return 0.5 * z * z


@part
def surprise(more: int, expected: float, log_factorial: float) -> float:
    """How unlikely so many more are censored than is certain: by Poisson, or, of some gaps, together."""
    if expected < 0.0:
        return 0.0
    if expected == 0.0:
        return 0.0 if more == 0 else FORBIDDEN
    alone = expected - more * math.log(expected) + log_factorial
    together = TOGETHER + math.log1p(expected) + more * math.log1p(1.0 / expected)
    return min(alone, together)


@part
def fewest_events(n: int, survival: float, reading: float) -> int:
    """The whole number of events below the one that the reading says; it, or one more, is meant. All, where the curve is at 0."""
    if reading <= EMPTY:
        return n
    if survival <= EMPTY:
        return n + 1
    return math.floor(n * (1.0 - reading / survival))


@part
def added(one: float, other: float, soft: bool) -> float:
    """The cost of two ways together: of the cheaper, or of their probabilities."""
    if not soft or other >= FORBIDDEN or one >= FORBIDDEN:
        return min(one, other)
    least = min(one, other)
    return least - math.log1p(math.exp(least - max(one, other)))


@kernel
def fill_tables(nodes: Nodes, tables: Tables, settings: Settings) -> int:
    """Fill the tables from the first node to the last; returns the last node that can be reached."""
    before, after, survival, survival_after = tables.before, tables.after, tables.survival, tables.survival_after
    last = len(nodes.drop) - 1
    before[:, :] = FORBIDDEN
    after[:, :] = FORBIDDEN
    low = high = nodes.high[0]
    before[0, high], survival[0, high] = 0.0, 1.0
    cheapest = np.full((2, before.shape[1]), FORBIDDEN)
    for k in range(last):
        # the drop
        least, first, final = FORBIDDEN, before.shape[1], -1
        cheapest[:, :] = FORBIDDEN
        for n in range(low, high + 1):
            cost = before[k, n]
            if cost >= FORBIDDEN:
                continue
            d, d_last = 0, 0
            if nodes.drop[k]:
                d = fewest_events(n, survival[k, n], nodes.survival[k])
                d_last = min(d + 1, n)
                d = max(d, 1)
            while d <= d_last:
                m = n - d
                s = survival[k, n] * (m / n) if d > 0 else survival[k, n]
                way = cost + settings.tilt * d
                if d > 0:
                    way += misfit(s, nodes.survival[k], settings.error) + at_once(d, nodes.survival[k])
                if way < cheapest[0, m]:
                    cheapest[0, m] = way
                    tables.events[k, m], survival_after[k, m] = d, s
                after[k, m] = added(after[k, m], way, settings.soft)
                least, first, final = min(least, way), min(first, m), max(final, m)
                d += 1
        # those censored before the next node
        low, high = before.shape[1], -1
        bottom, top = nodes.low[k + 1], nodes.high[k + 1]
        for m in range(first, final + 1):
            cost = after[k, m]
            if cost > least + settings.beam:
                continue
            c_low = max(nodes.least[k], m - top)
            for c in range(c_low, min(nodes.most[k], m - bottom) + 1):
                more = c - nodes.least[k]
                price = surprise(more, nodes.expected[k], tables.log_factorial[more])
                way = cost + price
                n = m - c
                if way < cheapest[1, n]:
                    cheapest[1, n] = way
                    tables.censored[k + 1, n], survival[k + 1, n] = c, survival_after[k, m]
                before[k + 1, n] = added(before[k + 1, n], way, settings.soft)
                low, high = min(low, n), max(high, n)
                if price > settings.beam and more > nodes.expected[k]:
                    break
        if high < 0:
            return k
    return last


@kernel
def follow_path(nodes: Nodes, tables: Tables, events: Integers, censored: Integers) -> None:
    """Fill the events at each node and the censored in the gap after it, along the cheapest path."""
    last = len(nodes.drop) - 1
    n = nodes.high[last]
    for k in range(last - 1, -1, -1):
        censored[k] = tables.censored[k + 1, n]
        n += censored[k]
        events[k] = tables.events[k, n] if nodes.drop[k] else 0
        n += events[k]


@kernel
def sample_paths(nodes: Nodes, tables: Tables, settings: Settings, chance: Floats, events: Integers, censored: Integers) -> None:
    """Fill events and censored, a row a member, backwards from the end; `chance`: two uniform numbers for each member and node."""
    last = len(nodes.drop) - 1
    width = tables.before.shape[1]
    # no drop has more events than that of the cheapest way to any state, and one
    steepest = np.zeros(last, np.int64)
    for k in range(last):
        for n in range(width):
            steepest[k] = max(steepest[k], tables.events[k, n] + 1)
    for member in range(len(chance)):
        n = nodes.high[last]
        for k in range(last - 1, -1, -1):
            # where it came from before the censored
            reached, chosen = 0.0, -1
            for c in range(nodes.least[k], min(nodes.most[k], width - 1 - n) + 1):
                cost = tables.after[k, n + c]
                if cost < FORBIDDEN and reached <= chance[member, 2 * k]:
                    more = c - nodes.least[k]
                    share = cost + surprise(more, nodes.expected[k], tables.log_factorial[more]) - tables.before[k + 1, n]
                    if share < settings.beam:
                        reached, chosen = reached + math.exp(-share), c
            censored[member, k] = chosen
            n += chosen
            if not nodes.drop[k]:
                events[member, k] = 0
                continue
            # where it came from before the drop
            reached, chosen = 0.0, -1
            for up in range(n + 1, min(n + steepest[k] + 1, width)):
                cost = tables.before[k, up]
                d = up - n
                if cost < FORBIDDEN and reached <= chance[member, 2 * k + 1]:
                    fewest = fewest_events(up, tables.survival[k, up], nodes.survival[k])
                    if d == fewest or d == fewest + 1 or (fewest <= 0 and d == 1):
                        s = tables.survival[k, up] * (n / up)
                        price = misfit(s, nodes.survival[k], settings.error) + at_once(d, nodes.survival[k])
                        share = cost + settings.tilt * d + price - tables.after[k, n]
                        if share < settings.beam:
                            reached, chosen = reached + math.exp(-share), d
            events[member, k] = chosen
            n += chosen
