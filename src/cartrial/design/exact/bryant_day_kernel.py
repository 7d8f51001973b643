"""Which two-stage design for response and toxicity expects the fewest subjects? A search that leaves out only what cannot win."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part

__all__ = ["Binomials", "Rule", "search_bryant_day"]

Floats = NDArray[np.float64]

# endpoints, and the hypotheses of each
RESPONSE, SAFE = 0, 1
NULL, TARGET = 0, 1

# what is kept of two boundaries of one endpoint: the boundaries of both stages; its chance of success with an unacceptable and an
# acceptable rate; its chance of going on to the second stage with both
FIRST, LAST, LOST, WON, ON_NULL, ON_TARGET = range(6)


class Binomials(NamedTuple):
    """Probabilities by endpoint (response, no toxicity) and hypothesis, each of shape (2, 2, subjects + 1, subjects + 2).

    `mass[e, h, n, x]`: x of n subjects; `tail[e, h, n, x]`: x or more.
    """

    mass: Floats
    tail: Floats


class Rule(NamedTuple):
    """What a design must keep, and where it is looked for."""

    alphas: tuple[float, float]
    """Probability of success at most, where only the response rate, or only the toxicity, is unacceptable."""
    power: float
    """Probability of success at least, where both are acceptable."""
    n1_low: int
    n1_high: int
    """Subjects of the first stage, from and to."""
    tie: float
    """Expected numbers of subjects this near are equal."""


class Stages(NamedTuple):
    """Subjects of each of two stages."""

    n1: int
    n2: int


class Pair(NamedTuple):
    """The boundaries of both endpoints, by their places among those kept (-1: none), and the subjects they expect."""

    response: int
    safe: int
    expected: float


@kernel
def search_bryant_day(binomials: Binomials, rule: Rule, best: Floats) -> None:
    """Fill the best design of each number of subjects, where it beats every design of fewer subjects.

    Parameters
    ----------
    binomials : Binomials
    rule : Rule
    best : ndarray of float64, shape (subjects + 1, 6)
        Filled where a design of n subjects expects fewer subjects than all designs of fewer: n1, response at most at each stage, no
        toxicity at most at each stage, expected subjects (the larger of the two with one endpoint unacceptable). Elsewhere 0.

    Notes
    -----
    Response and toxicity are independent, so the probability of success is the product of two one-endpoint two-stage designs. What is
    left out cannot win: each endpoint alone must have the power, so its false success is at most alpha over the power; the other
    endpoint goes on with at least the power. Boundaries are tried from the highest.
    """
    most = len(best) - 1
    least = np.inf
    kept = np.empty((2, (most + 1) * (most + 1), 6))
    for n in range(rule.n1_low + 1, most + 1):
        if not is_in_reach(binomials, rule, n):
            continue
        for n1 in range(rule.n1_low, min(rule.n1_high, n - 1) + 1):
            if n1 >= least - rule.tie:
                break
            stages = Stages(n1, n - n1)
            responses = keep_boundaries(binomials, rule, RESPONSE, stages, least, kept)
            if responses == 0:
                continue
            safe = keep_boundaries(binomials, rule, SAFE, stages, least, kept)
            pair = best_pair(kept, (responses, safe), rule, stages, least)
            if pair.response >= 0:
                least = pair.expected
                best[n, 0], best[n, 5] = n1, least
                best[n, 1], best[n, 2] = kept[RESPONSE, pair.response, FIRST], kept[RESPONSE, pair.response, LAST]
                best[n, 3], best[n, 4] = kept[SAFE, pair.safe, FIRST], kept[SAFE, pair.safe, LAST]


@part
def is_in_reach(binomials: Binomials, rule: Rule, n: int) -> bool:
    """The most powerful test of n subjects (Neyman and Pearson's, randomised) has the power, for each endpoint alone."""
    mass, tail = binomials.mass, binomials.tail
    for endpoint in range(2):
        limit = rule.alphas[endpoint] / rule.power
        need = n + 1
        while need > 0 and tail[endpoint, NULL, n, need - 1] <= limit:
            need -= 1
        if need > 0:
            share = (limit - tail[endpoint, NULL, n, need]) / mass[endpoint, NULL, n, need - 1]
            if tail[endpoint, TARGET, n, need] + share * mass[endpoint, TARGET, n, need - 1] < rule.power:
                return False
    return True


@part
def keep_boundaries(binomials: Binomials, rule: Rule, endpoint: int, stages: Stages, least: float, kept: Floats) -> int:
    """Fill the boundaries with which one endpoint alone keeps its errors and may expect fewer subjects; return how many."""
    n1, n = stages.n1, stages.n1 + stages.n2
    found = 0
    for first in range(n1 - 1, -1, -1):
        on_null, on_target = binomials.tail[endpoint, NULL, n1, first + 1], binomials.tail[endpoint, TARGET, n1, first + 1]
        if on_target < rule.power or n1 + on_null * rule.power * stages.n2 >= least - rule.tie:
            continue
        for last in range(n - 1, first - 1, -1):
            if binomials.tail[endpoint, TARGET, n, last + 1] < rule.power:
                continue
            lost, won = chances_of_success(binomials, endpoint, stages, first, last)
            if lost * rule.power > rule.alphas[endpoint]:
                break
            if won >= rule.power:
                kept[endpoint, found, FIRST], kept[endpoint, found, LAST] = first, last
                kept[endpoint, found, LOST], kept[endpoint, found, WON] = lost, won
                kept[endpoint, found, ON_NULL], kept[endpoint, found, ON_TARGET] = on_null, on_target
                found += 1
    return found


@part
def chances_of_success(binomials: Binomials, endpoint: int, stages: Stages, first: int, last: int) -> tuple[float, float]:
    """More than `first` in the first stage and more than `last` in both, with an unacceptable and with an acceptable rate."""
    mass, tail = binomials.mass, binomials.tail
    lost, won = 0.0, 0.0
    for x in range(first + 1, stages.n1 + 1):
        need = min(max(last + 1 - x, 0), stages.n2 + 1)
        won += mass[endpoint, TARGET, stages.n1, x] * tail[endpoint, TARGET, stages.n2, need]
        lost += mass[endpoint, NULL, stages.n1, x] * tail[endpoint, NULL, stages.n2, need]
    return lost, won


@part
def best_pair(kept: Floats, found: tuple[int, int], rule: Rule, stages: Stages, least: float) -> Pair:
    """Of boundaries that keep the errors together, those that expect the fewest subjects, and fewer than the best so far."""
    best = Pair(-1, -1, least)
    for i in range(found[RESPONSE]):
        for j in range(found[SAFE]):
            going_on = max(
                kept[RESPONSE, i, ON_NULL] * kept[SAFE, j, ON_TARGET],
                kept[RESPONSE, i, ON_TARGET] * kept[SAFE, j, ON_NULL],
            )
            expected = stages.n1 + stages.n2 * going_on
            if expected >= best.expected - rule.tie or kept[RESPONSE, i, WON] * kept[SAFE, j, WON] < rule.power:
                continue
            false_response = kept[RESPONSE, i, LOST] * kept[SAFE, j, WON]
            false_safety = kept[RESPONSE, i, WON] * kept[SAFE, j, LOST]
            if false_response <= rule.alphas[RESPONSE] and false_safety <= rule.alphas[SAFE]:
                best = Pair(i, j, expected)
    return best
