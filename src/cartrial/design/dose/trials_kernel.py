"""How does each dose-finding trial run, and which dose does it select? Loops over trials."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel

__all__ = ["CONFIRM_SIX", "DEESCALATION", "ESCALATION_ONLY", "INTERVAL", "OPEN", "run_trials", "select_doses"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Decisions = NDArray[np.int8]

# rules
INTERVAL = 0
ESCALATION_ONLY = 1
DEESCALATION = 2
CONFIRM_SIX = 3
# no dose chosen yet: left to isotonic regression
OPEN = -1

_STAY = 1
_DOWN = 2
_OUT = 3
_SIX = 6


@kernel
def run_trials(
    table: Decisions,
    lowest: Integers,
    sizes: Integers,
    uniform: Floats,
    gap: Floats,
    p: Floats,
    rule: int,
    start: int,
    n_stop: int,
    settled_only: bool,
    window: float,
    stagger: float,
    between: float,
    preparation: float,
    subjects: Integers,
    dlts: Integers,
    eliminated: Integers,
    selected: Integers,
    days: Floats,
) -> None:
    """Fill `subjects`, `dlts`, `eliminated`, `selected` and `days`, all 0 before.

    Parameters
    ----------
    table : ndarray of int8, shape (n + 1, n + 1)
        Decision by subjects and DLTs at the dose: 0 escalate, 1 stay, 2 de-escalate, 3 never again; -1 where there is none.
    lowest : ndarray of int64, shape (n + 1,)
        DLTs at the lowest dose, by its subjects, that stop the trial.
    sizes : ndarray of int64, shape (cohorts,)
        Subjects of each cohort.
    uniform, gap : ndarray of float64, shape (trials, subjects)
        What decides a subject's DLT; days from one subject who can be enrolled to the next.
    p : ndarray of float64, shape (doses,)
        True probabilities of a DLT.
    rule, start, n_stop, settled_only : int, int, int, bool
        One of the rules above; the first dose, from 0. At `n_stop` subjects the trial stops; with `settled_only` unless the decision
        would change the dose.
    window, stagger, between, preparation : float
        Days: see `Calendar`.
    subjects, dlts : ndarray of int64, shape (trials, doses)
        Numbers at each dose.
    eliminated : ndarray of int64, shape (trials,)
        First dose never given again, the number of doses if there is none.
    selected : ndarray of int64, shape (trials,)
        From 1; 0 for none, `OPEN` where isotonic regression decides.
    days : ndarray of float64, shape (trials,)
        From the first place until the last window closes.
    """
    doses = len(p)
    for t in range(len(uniform)):
        d = start
        out = doses
        used = 0
        clock = 0.0
        choice = OPEN
        for c in range(len(sizes)):
            untried = subjects[t, d] == 0
            arrival = clock
            first = 0.0
            last = 0.0
            for i in range(sizes[c]):
                arrival += gap[t, used]
                at = arrival + preparation
                if i == 0:
                    first = at
                else:
                    at = max(at, last + between)
                    if untried:
                        at = max(at, first + stagger)
                last = at
                if uniform[t, used] < p[d]:
                    dlts[t, d] += 1
                used += 1
            subjects[t, d] += sizes[c]
            clock = last + window
            n = subjects[t, d]
            y = dlts[t, d]
            code = table[n, y]
            if code == _OUT and d < out:
                out = d
            if d == 0 and (code == _OUT or y >= lowest[n]):
                out = 0
                choice = 0
                break
            top = d + 1 >= doses
            free = d + 1 < out
            if rule == INTERVAL:
                if n >= n_stop:
                    settled = code == _STAY or (code == _DOWN and d == 0) or (code < _STAY and not free)
                    if settled or not settled_only:
                        break
                if code < _STAY:
                    if free:
                        d += 1
                elif code >= _DOWN and d > 0:
                    d -= 1
            elif code == _OUT:
                if rule == ESCALATION_ONLY or subjects[t, d - 1] >= _SIX:
                    choice = d
                    break
                d -= 1
            elif code < _STAY:
                if free:
                    d += 1
                elif n >= _SIX or (top and rule != CONFIRM_SIX):
                    choice = d + 1
                    break
        eliminated[t] = out
        selected[t] = choice
        days[t] = clock


@kernel
def select_doses(
    subjects: Integers, dlts: Integers, eliminated: Integers, target: float, prior: float, bound: float, selected: Integers
) -> None:
    """Fill `selected` where it is `OPEN`: isotonic regression of the DLT rates of the doses given and not eliminated.

    Parameters
    ----------
    subjects, dlts, eliminated
        As `run_trials` fills them.
    target : float
        DLT rate aimed at.
    prior : float
        Both parameters of the beta prior of the estimates.
    bound : float
        A dose whose estimate is not below it is not selected; above 1 for no bound.
    selected : ndarray of int64, shape (trials,)
        As `run_trials` fills it.
    """
    doses = subjects.shape[1]
    value = np.empty(doses)
    weight = np.empty(doses)
    length = np.empty(doses, np.int64)
    for t in range(len(selected)):
        if selected[t] != OPEN:
            continue
        blocks = 0
        for d in range(eliminated[t]):
            n = subjects[t, d]
            if n == 0:
                continue
            total = n + 2 * prior
            a = dlts[t, d] + prior
            value[blocks] = a / total
            weight[blocks] = total * total * (total + 1) / (a * (total - a))
            length[blocks] = 1
            blocks += 1
            while blocks > 1 and value[blocks - 2] > value[blocks - 1]:
                both = weight[blocks - 2] + weight[blocks - 1]
                value[blocks - 2] = (value[blocks - 2] * weight[blocks - 2] + value[blocks - 1] * weight[blocks - 1]) / both
                weight[blocks - 2] = both
                length[blocks - 2] += length[blocks - 1]
                blocks -= 1
        choice = 0
        nearest = 2.0
        block = 0
        left = length[0]
        rank = 0
        for d in range(eliminated[t]):
            if subjects[t, d] == 0:
                continue
            if left == 0:
                block += 1
                left = length[block]
            left -= 1
            rank += 1
            # a little more at each dose breaks ties: the higher of doses below the target, the lower of doses above it
            estimate = value[block] + rank * 1e-10
            if estimate < bound and abs(estimate - target) < nearest:
                nearest = abs(estimate - target)
                choice = d + 1
        selected[t] = choice
