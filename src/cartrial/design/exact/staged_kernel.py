"""With what probability does a staged design stop at each look? By recursion over the number of responders."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part

__all__ = ["Boundaries", "StagedAnswers", "run_looks"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Boundaries(NamedTuple):
    """When a design looks, and when it stops."""

    n: Integers
    """Cumulative subjects at each look, increasing."""
    low: Integers
    """Stop with so many responders or fewer; -1: never."""
    high: Integers
    """Stop with so many responders or more; n + 1: never."""


class StagedAnswers(NamedTuple):
    """Filled for each rate."""

    futility: Floats
    """Probability of stopping at the look below, shape (rates, looks)."""
    efficacy: Floats
    """The same above."""
    stopped: Floats
    """Where it has rows: probability of stopping at the look with so many responders, shape (rates or 0, looks, last n + 1)."""


class StagedLook(NamedTuple):
    """One look: subjects since the last one, and its boundaries."""

    subjects: int
    low: int
    high: int


class Counts(NamedTuple):
    """The fewest and the most responders with which a trial goes on."""

    first: int
    last: int


@kernel
def run_looks(boundaries: Boundaries, p: Floats, answers: StagedAnswers) -> None:
    """Fill `answers` at true response rates `p`, 0 to 1."""
    n = boundaries.n
    going_on, after, mass = np.zeros(n[-1] + 1), np.zeros(n[-1] + 1), np.zeros(n[-1] + 1)
    for j in range(len(p)):
        going_on[:] = 0.0
        going_on[0] = 1.0
        counts, enrolled = Counts(0, 0), 0
        for k in range(len(n)):
            look = StagedLook(n[k] - enrolled, boundaries.low[k], boundaries.high[k])
            enrolled = n[k]
            fill_binomial(mass, look.subjects, p[j])
            fill_after(after, going_on, mass, counts, look.subjects)
            reached = Counts(counts.first, counts.last + look.subjects)
            answers.futility[j, k], answers.efficacy[j, k] = chances_of_stopping(after, reached, look)
            if len(answers.stopped) > 0:
                fill_stopped(answers.stopped[j, k], after, reached, look)
            counts = Counts(max(reached.first, look.low + 1), min(reached.last, look.high - 1))
            for x in range(counts.first, counts.last + 1):
                going_on[x] = after[x]


@part
def fill_binomial(mass: Floats, m: int, rate: float) -> None:
    """Fill the probabilities of 0 to m responders: products of ratios from the mode outwards, divided by their sum.

    The relative error is a few times the machine's precision, for any number of subjects.
    """
    mass[: m + 1] = 0.0
    if rate <= 0.0:
        mass[0] = 1.0
    elif rate >= 1.0:
        mass[m] = 1.0
    else:
        odds = rate / (1.0 - rate)
        mode = min(int((m + 1) * rate), m)
        mass[mode] = 1.0
        total = 1.0
        for y in range(mode, m):
            mass[y + 1] = mass[y] * (odds * (m - y) / (y + 1))
            total += mass[y + 1]
        for y in range(mode, 0, -1):
            mass[y - 1] = mass[y] * (y / (odds * (m - y + 1)))
            total += mass[y - 1]
        for y in range(m + 1):
            mass[y] /= total


@part
def fill_after(after: Floats, going_on: Floats, mass: Floats, counts: Counts, m: int) -> None:
    """Fill the probability of each number of responders after m more subjects."""
    after[: counts.last + m + 1] = 0.0
    for x in range(counts.first, counts.last + 1):
        for y in range(m + 1):
            after[x + y] += going_on[x] * mass[y]


@part
def chances_of_stopping(after: Floats, reached: Counts, look: StagedLook) -> tuple[float, float]:
    """With so many responders or fewer, and with so many or more."""
    below, above = 0.0, 0.0
    for x in range(reached.first, min(look.low, reached.last) + 1):
        below += after[x]
    for x in range(max(look.high, reached.first), reached.last + 1):
        above += after[x]
    return below, above


@part
def fill_stopped(stopped: Floats, after: Floats, reached: Counts, look: StagedLook) -> None:
    """Fill the probability of stopping with each number of responders."""
    for x in range(reached.first, min(look.low, reached.last) + 1):
        stopped[x] = after[x]
    for x in range(max(look.high, reached.first), reached.last + 1):
        stopped[x] = after[x]
