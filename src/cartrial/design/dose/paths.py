"""What does a small dose-finding trial do exactly? Every path of outcomes, those that meet in one state taken together."""

from __future__ import annotations

from collections import defaultdict
from math import comb

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.design.dose.conduct import estimate_mtd, take_step
from cartrial.design.dose.designs import DoseDesign, Doses
from cartrial.design.dose.results import SCHEMA, DoseResults, Scenarios, check_scenarios, summarise
from cartrial.errors import InputError

__all__ = ["operate_doses"]

Counts = tuple[int, ...]
# dose of the next cohort, subjects and DLTs by dose, first eliminated dose
State = tuple[int, Counts, Counts, int]


def operate_doses(
    design: DoseDesign,
    scenarios: Scenarios,
    *,
    doses: Doses | None = None,
    target: float | None = None,
    most_states: int = 100_000,
) -> DoseResults:
    """Return the exact operating characteristics of a small trial.

    Parameters
    ----------
    design, scenarios, doses, target
        As in `simulate_doses`.
    most_states : int, default 100000
        A trial that can be in more states after a cohort is not enumerated.

    Returns
    -------
    DoseResults
        The frame of `simulate_doses` without durations; `se` is 0.

    Raises
    ------
    InputError
        If the scenarios cannot be run or the trial has too many states.

    Notes
    -----
    After each cohort the trials with equal subjects and DLTs at every dose, the same current dose and the same eliminated doses are one
    state. The steps are those of `take_step`, not of the simulator's kernel, so that each checks the other.

    Examples
    --------
    By hand: where every subject has a DLT with a probability of one half, 3 subjects have none in 1/8 and one in 3/8 of trials, so that 3+3
    escalates with 1/8 + 3/8 x 1/8 = 11/64 and otherwise selects no dose; 11/64 squared selects the second.

    >>> from cartrial.design import design_three_plus_three, operate_doses
    >>> table = operate_doses(design_three_plus_three("escalation-only"), (0.5, 0.5)).table()
    >>> [round(64 * 64 * share) for share in table["selected"]]
    [3392, 583, 121]
    """
    checked = check_scenarios(design, scenarios, doses, target)
    count = len(checked.labels)
    zero = (0,) * count
    states: dict[State, NDArray[np.float64]] = {(design.start - 1, zero, zero, count): np.ones(len(checked.names))}
    ended: dict[tuple[Counts, Counts, int], NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(checked.names)))
    for size in design.sizes(count):
        chance = np.array([comb(size, k) * checked.p**k * (1 - checked.p) ** (size - k) for k in range(size + 1)])
        following: dict[State, NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(checked.names)))
        for (level, n, dlt, out), weight in states.items():
            more = _add(n, level, size)
            for k in range(size + 1):
                events = _add(dlt, level, k)
                share = weight * chance[k, :, level]
                step, eliminated, choice = take_step(design, more, events, level, out)
                if step is not None:
                    following[step, more, events, eliminated] += share
                    continue
                if choice is None:
                    choice = estimate_mtd(design, more, events, eliminated=eliminated + 1).level or 0
                ended[more, events, choice] += share
        if len(following) > most_states:
            raise InputError(
                f"the trial can be in more than {most_states} states", key="most_states", right="Simulate it, or allow more states"
            )
        states = following
    keys = list(ended)
    subjects = np.array([key[0] for key in keys])
    dlts = np.array([key[1] for key in keys])
    selected = np.array([key[2] for key in keys])
    weights = np.array([ended[key] for key in keys])
    rows = []
    for scenario in range(len(checked.names)):
        rows += summarise(design, checked, scenario, selected, subjects, dlts, weights=weights[:, scenario])
    return DoseResults(design, pl.DataFrame(rows, schema=SCHEMA, orient="row"), checked.notes, None, None)


def _add(counts: Counts, level: int, more: int) -> Counts:
    """Return counts with some more at one dose."""
    return (*counts[:level], counts[level] + more, *counts[level + 1 :])
