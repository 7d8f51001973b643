"""Which two-stage design of each size expects the fewest subjects? A search that leaves out only what cannot win."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part

__all__ = ["Binomial", "Rule", "search_simon"]

Floats = NDArray[np.float64]


class Binomial(NamedTuple):
    """Probabilities at one response rate, each of shape (subjects + 1, subjects + 2).

    `mass[n, x]`: x responders of n; `tail[n, x]`: x or more, 0 from x = n + 1 on.
    """

    mass: Floats
    tail: Floats


class Rule(NamedTuple):
    """What a design must keep, and where it is looked for."""

    alpha: float
    """Type I error at most."""
    power: float
    """At least."""
    n1_low: int
    n1_high: int
    """Subjects of the first stage, from and to."""
    efficacy: bool
    """Whether the first stage may end with success."""
    tie: float
    """Expected numbers of subjects this near are equal."""


class Stages(NamedTuple):
    """Two stages of n1 and n2 subjects; the second follows on more than r1 and fewer than e1 responders."""

    n1: int
    n2: int
    r1: int
    e1: int


@kernel
def search_simon(null: Binomial, target: Binomial, mass: Floats, rule: Rule, best: Floats) -> None:
    """Fill the best design of each number of subjects, where it beats every design of fewer subjects.

    Parameters
    ----------
    null, target : Binomial
        At the rates of the null hypothesis and of the alternative.
    mass : ndarray of float64, shape (subjects + 1, subjects + 2)
        Binomial probabilities at the rate at which few subjects are wanted.
    rule : Rule
    best : ndarray of float64, shape (subjects + 1, 5)
        Filled where a design of n subjects expects fewer subjects than all designs of fewer: r1, n1, e1 (n1 + 1: no stop for
        efficacy), r, expected subjects. Elsewhere 0.

    Notes
    -----
    What is left out cannot win: the parts say why; and a first stage as long as the expected number of the best so far expects more.
    Of designs that differ in r alone, the highest r with the power is tried.
    """
    least = np.inf
    for n in range(rule.n1_low + 1, len(best)):
        if not is_in_reach(null, target, rule, n):
            continue
        top = most_needed(target, rule, n)
        for n1 in range(rule.n1_low, min(rule.n1_high, n - 1) + 1):
            if n1 >= least - rule.tie:
                break
            first_e1 = lowest_e1(null, rule, n1)
            for r1 in range(highest_r1(target, rule, n1), -1, -1):
                e1 = max(first_e1, r1 + 2)
                going_on = chance_between(mass, n1, r1, e1)
                # without an efficacy stop a lower r1 goes on more often, and expects more subjects still
                if not rule.efficacy and n1 + going_on * (n - n1) >= least - rule.tie:
                    break
                while e1 <= n1 + 1 and n1 + going_on * (n - n1) < least - rule.tie:
                    stages = Stages(n1, n - n1, r1, e1)
                    # the more responders are needed, the smaller is the type I error
                    need = most_with_power(target, rule, stages, top) if chance_of_success(null, stages, top) <= rule.alpha else 0
                    if need > r1 + 1 and chance_of_success(null, stages, need) <= rule.alpha:
                        least = n1 + going_on * (n - n1)
                        best[n, 0], best[n, 1], best[n, 2], best[n, 3], best[n, 4] = r1, n1, e1, need - 1, least
                        break
                    going_on += mass[n1, e1]
                    e1 += 1


@part
def is_in_reach(null: Binomial, target: Binomial, rule: Rule, n: int) -> bool:
    """The most powerful test of n subjects (Neyman and Pearson's, randomised) has the power."""
    need = n + 1
    while need > 0 and null.tail[n, need - 1] <= rule.alpha:
        need -= 1
    if need == 0:
        return True
    alpha_left = rule.alpha - null.tail[n, need]
    power: float = target.tail[n, need] + target.mass[n, need - 1] * alpha_left / null.mass[n, need - 1]
    return power >= rule.power


@part
def most_needed(target: Binomial, rule: Rule, n: int) -> int:
    """Success can need no more responders than leave a single stage its power: two have less, without an efficacy stop."""
    need = n
    while not rule.efficacy and target.tail[n, need] < rule.power:
        need -= 1
    return need


@part
def highest_r1(target: Binomial, rule: Rule, n1: int) -> int:
    """The highest futility stop that does not spend the type II error alone; -1: even a stop on no responder does."""
    r1 = -1
    futile = target.mass[n1, 0]
    while futile <= 1.0 - rule.power and r1 + 1 < n1:
        r1 += 1
        futile += target.mass[n1, r1 + 1]
    return r1


@part
def lowest_e1(null: Binomial, rule: Rule, n1: int) -> int:
    """The lowest efficacy stop that does not spend the type I error alone; n1 + 1: there is none."""
    e1 = n1 + 1
    while rule.efficacy and e1 > 1 and null.tail[n1, e1 - 1] <= rule.alpha:
        e1 -= 1
    return e1


@part
def chance_between(mass: Floats, n1: int, r1: int, e1: int) -> float:
    """The first stage goes on with r1 + 1 to e1 - 1 responders."""
    chance = 0.0
    for x in range(r1 + 1, e1):
        chance += mass[n1, x]
    return chance


@part
def chance_of_success(rate: Binomial, stages: Stages, need: int) -> float:
    """Enough responders in the first stage to end with success, or in both stages together."""
    mass, tail = rate.mass, rate.tail
    chance: float = tail[stages.n1, stages.e1]
    for x in range(stages.r1 + 1, stages.e1):
        chance += mass[stages.n1, x] * tail[stages.n2, min(max(need - x, 0), stages.n2 + 1)]
    return chance


@part
def most_with_power(target: Binomial, rule: Rule, stages: Stages, top: int) -> int:
    """The most responders of both stages, up to `top`, that success can need and keep the power; r1 + 1: no more than go on."""
    low, high = stages.r1 + 1, top
    while low < high:
        middle = (low + high + 1) // 2
        if chance_of_success(target, stages, middle) >= rule.power:
            low = middle
        else:
            high = middle - 1
    return low
