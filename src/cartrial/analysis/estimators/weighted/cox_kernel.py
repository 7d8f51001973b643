"""Where is the weighted partial likelihood of two arms largest, and how much does each subject move it? Ties by Efron."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from cartrial.kernels import kernel

__all__ = ["Weighted", "fit_hazard", "score_residuals"]

# of arrays of float64 and int64
Floats = Any
Integers = Any

STEPS = 60
CLOSE = 1e-12


class Weighted(NamedTuple):
    """Subjects from the last time to the first; those of one time stand together.

    `arm`: 1 or 0. `event`: 1 or 0. `weight`. `copies`: how often a subject is counted. `first`: where each time starts, and the number
    of subjects.
    """

    arm: Floats
    event: Integers
    weight: Floats
    copies: Integers
    first: Integers


@kernel
def fit_hazard(subjects: Weighted, beta: float) -> tuple[float, float]:
    """Return the log hazard ratio of arm 1 and the information there, from a first guess; nan where it has no largest value."""
    information = 0.0
    for _ in range(STEPS):
        risk, treated, slope, information = 0.0, 0.0, 0.0, 0.0
        ratio = math.exp(beta)
        for t in range(len(subjects.first) - 1):
            dying, dying1, deaths, mass, mass1 = 0.0, 0.0, 0, 0.0, 0.0
            for i in range(subjects.first[t], subjects.first[t + 1]):
                weight = subjects.weight[i] * subjects.copies[i]
                hazard = weight * (ratio if subjects.arm[i] > 0.5 else 1.0)
                risk += hazard
                treated += hazard * subjects.arm[i]
                if subjects.event[i] == 1:
                    deaths += subjects.copies[i]
                    dying += hazard
                    dying1 += hazard * subjects.arm[i]
                    mass += weight
                    mass1 += weight * subjects.arm[i]
            slope += mass1
            for k in range(deaths):
                share = k / deaths
                mean = (treated - share * dying1) / (risk - share * dying)
                slope -= mass / deaths * mean
                information += mass / deaths * mean * (1.0 - mean)
        if information <= 0.0:
            return math.nan, 0.0
        step = slope / information
        if abs(step) > 2.0:
            step = 2.0 if step > 0.0 else -2.0
        beta += step
        if abs(beta) > 30.0:
            return math.nan, 0.0
        if abs(step) < CLOSE * (1.0 + abs(beta)):
            return beta, information
    return math.nan, 0.0


@kernel
def score_residuals(subjects: Weighted, beta: float, residual: Floats) -> None:
    """Fill what one copy of each subject adds to the slope at a log hazard ratio, per unit of its weight.

    A subject is at risk up to its time. Its death has a part 1 - k/d in the k-th of d terms of its time, as Efron's risk set has it.
    """
    risk, treated, hazards, means = 0.0, 0.0, 0.0, 0.0
    ratio = math.exp(beta)
    for t in range(len(subjects.first) - 1):
        dying, dying1, deaths, mass = 0.0, 0.0, 0, 0.0
        for i in range(subjects.first[t], subjects.first[t + 1]):
            weight = subjects.weight[i] * subjects.copies[i]
            own = ratio if subjects.arm[i] > 0.5 else 1.0
            risk += weight * own
            treated += weight * own * subjects.arm[i]
            # what later times take is none of this subject's: it is given back here, and the whole is taken at the end
            residual[i] = own * (subjects.arm[i] * hazards - means)
            if subjects.event[i] == 1:
                deaths += subjects.copies[i]
                dying += weight * own
                dying1 += weight * own * subjects.arm[i]
                mass += weight
        less, less_mean, middle = 0.0, 0.0, 0.0
        for k in range(deaths):
            share = k / deaths
            mean = (treated - share * dying1) / (risk - share * dying)
            rate = mass / deaths / (risk - share * dying)
            hazards += rate
            means += rate * mean
            less += share * rate
            less_mean += share * rate * mean
            middle += mean / deaths
        for i in range(subjects.first[t], subjects.first[t + 1]):
            if subjects.event[i] == 1:
                own = ratio if subjects.arm[i] > 0.5 else 1.0
                residual[i] += subjects.arm[i] - middle + own * (subjects.arm[i] * less - less_mean)
    for i in range(len(residual)):
        own = ratio if subjects.arm[i] > 0.5 else 1.0
        residual[i] -= own * (subjects.arm[i] * hazards - means)
