"""What does a design do that stops for too few responders or for too many toxicities? One pass subject by subject over both counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part

__all__ = ["JointAnswers", "JointBoundaries", "run_joint"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# why a look stops
FEW_RESPONDERS, TOXICITIES, BOTH = 0, 1, 2


class JointBoundaries(NamedTuple):
    """Several sets of boundaries for the same looks."""

    n: Integers
    """Cumulative subjects at each look, increasing."""
    low: Integers
    """Stop with so many responders or fewer, shape (sets, looks); -1: never."""
    high: Integers
    """Stop with so many toxicities or more, shape (sets, looks); n + 1: never."""


class JointAnswers(NamedTuple):
    """Filled for each set of boundaries and each truth."""

    success: Floats
    """Probability of passing every look, shape (sets, truths)."""
    expected: Floats
    """Expected number of subjects, shape (sets, truths)."""
    stops: Floats
    """Where it has rows: probability of stopping at each look, shape (sets or 0, truths, looks, 3), by `FEW_RESPONDERS`,
    `TOXICITIES` and `BOTH`."""


class Cells(NamedTuple):
    """Probabilities of what may be seen in one subject."""

    both: float
    response: float
    toxicity: float
    neither: float


class Counts(NamedTuple):
    """What a trial that goes on can have seen: `first` to `last` responders, and up to `most` toxicities."""

    first: int
    last: int
    most: int


@kernel
def run_joint(boundaries: JointBoundaries, cells: Floats, answers: JointAnswers) -> None:
    """Fill `answers`.

    Parameters
    ----------
    boundaries : JointBoundaries
    cells : ndarray of float64, shape (truths, 4)
        Probability of response with toxicity, response without, no response with toxicity, and neither.
    answers : JointAnswers
    """
    n, keep = boundaries.n, len(answers.stops) > 0
    chance = np.zeros((n[-1] + 1, n[-1] + 1))
    for d in range(len(boundaries.low)):
        for j in range(len(cells)):
            truth = Cells(cells[j, 0], cells[j, 1], cells[j, 2], cells[j, 3])
            counts = Counts(0, 0, 0)
            chance[0, 0] = 1.0
            enrolled, going_on, expected = 0, 1.0, 0.0
            for k in range(len(n)):
                expected += going_on * (n[k] - enrolled)
                counts = enrol(chance, counts, truth, n[k] - enrolled)
                enrolled = n[k]
                low, high = boundaries.low[d, k], boundaries.high[d, k]
                if keep:
                    add_stops(answers.stops[d, j, k], chance, counts, low, high)
                counts = Counts(max(counts.first, low + 1), counts.last, min(counts.most, high - 1))
                going_on = chance_of_going_on(chance, counts)
                if counts.first > counts.last or counts.most < 0:
                    break
            answers.success[d, j] = going_on
            answers.expected[d, j] = expected


@part
def enrol(chance: Floats, counts: Counts, truth: Cells, subjects: int) -> Counts:
    """Move the chances of all counts on by so many subjects, one after the other; return the counts that can be."""
    first, last, most = counts.first, counts.last, counts.most
    for _ in range(subjects):
        last += 1
        most += 1
        for y in range(most + 1):
            chance[last, y] = 0.0
        for x in range(first, last):
            chance[x, most] = 0.0
        # from the highest counts down, so that those of one subject fewer are still there
        for x in range(last, first - 1, -1):
            for y in range(most, -1, -1):
                value = chance[x, y] * truth.neither
                if y > 0:
                    value += chance[x, y - 1] * truth.toxicity
                if x > first:
                    value += chance[x - 1, y] * truth.response
                    if y > 0:
                        value += chance[x - 1, y - 1] * truth.both
                chance[x, y] = value
    return Counts(first, last, most)


@part
def add_stops(stops: Floats, chance: Floats, counts: Counts, low: int, high: int) -> None:
    """Add up with what chance a look stops for too few responders, too many toxicities, or both."""
    for x in range(counts.first, counts.last + 1):
        for y in range(counts.most + 1):
            if x <= low and y >= high:
                stops[BOTH] += chance[x, y]
            elif x <= low:
                stops[FEW_RESPONDERS] += chance[x, y]
            elif y >= high:
                stops[TOXICITIES] += chance[x, y]


@part
def chance_of_going_on(chance: Floats, counts: Counts) -> float:
    """The chance of all counts together with which a trial goes on."""
    total = 0.0
    for x in range(counts.first, counts.last + 1):
        for y in range(counts.most + 1):
            total += chance[x, y]
    return total
