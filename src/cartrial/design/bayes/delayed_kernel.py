"""What does a trial do whose outcomes are late? One trial after the other, event by event."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part

__all__ = ["Answers", "Looks", "Rule", "Subjects", "run_delayed"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

# what a look decides
WAIT, STOP, GO_ON = -1, 0, 1


class Looks(NamedTuple):
    """When a design looks, and what it then asks for."""

    n: Integers
    """Subjects enrolled."""
    go: Integers
    """Go on with so many responders or more, all outcomes known."""
    edge: Floats
    """By look and events seen: stop with an effective number of subjects beyond it."""


class Rule(NamedTuple):
    """How late outcomes count."""

    responses_early: bool
    """Responses show when they happen and are the events: stop above the edge. Otherwise failures are: stop below it."""
    wait: bool
    """Suspend accrual at a look until the decision with all outcomes is certain, instead of giving credit to the pending."""


class Subjects(NamedTuple):
    """Subjects of each trial, each of shape (trials, last n). Time is in assessment windows."""

    gap: Floats
    """From one enrolment, or from the end of a suspension, to the next."""
    happens: Flags
    """Whether the event happens."""
    delay: Floats
    """From enrolment until the outcome is known."""


class Answers(NamedTuple):
    """Filled for each trial."""

    success: Flags
    """All looks passed."""
    enrolled: Integers
    end: Floats
    """Time of the last decision."""
    paused: Floats
    """Time during which accrual was suspended."""


class Look(NamedTuple):
    """One look: subjects enrolled, subjects at most in all, and responders with which it goes on."""

    n: int
    most: int
    go: int


class Seen(NamedTuple):
    """What a look sees: outcomes known, events among them, follow-up of all the pending, and when the next outcome is known."""

    known: int
    events: int
    followed: float
    soonest: float


@kernel
def run_delayed(looks: Looks, rule: Rule, subjects: Subjects, answers: Answers) -> None:
    """Fill `answers` for every trial."""
    last, most = len(looks.n) - 1, looks.n[-1]
    start = np.zeros(most)
    for t in range(len(answers.success)):
        clock, paused, enrolled, decision = 0.0, 0.0, 0, WAIT
        for k in range(last + 1):
            look = Look(looks.n[k], most, looks.go[k])
            clock = enrol(subjects.gap, t, enrolled, look.n, clock, start)
            enrolled = look.n
            # the last look waits for all outcomes, and suspends nothing
            now = last_outcome(subjects.delay, t, look.n, clock, start) if k == last else clock
            decision = WAIT
            while decision == WAIT:
                seen = outcomes_at(now, subjects, t, look.n, start)
                decision = decide(seen, look, looks.edge[k, seen.events], rule)
                if decision == WAIT:
                    now = seen.soonest
            if k < last:
                paused += now - clock
            clock = now
            if decision == STOP:
                break
        answers.success[t] = decision == GO_ON
        answers.enrolled[t] = enrolled
        answers.end[t] = clock
        answers.paused[t] = paused


@part
def enrol(gap: Floats, t: int, enrolled: int, n: int, clock: float, start: Floats) -> float:
    """Fill when each subject starts, one after the other, and return when the last one does."""
    for i in range(enrolled, n):
        clock += gap[t, i]
        start[i] = clock
    return clock


@part
def last_outcome(delay: Floats, t: int, n: int, clock: float, start: Floats) -> float:
    """The time from which all outcomes are known, not before the last enrolment."""
    latest = clock
    for i in range(n):
        latest = max(latest, start[i] + delay[t, i])
    return latest


@part
def outcomes_at(now: float, subjects: Subjects, t: int, n: int, start: Floats) -> Seen:
    """Outcomes known at a time; the others are pending, and have been followed since their start."""
    known, events = 0, 0
    followed, soonest = 0.0, np.inf
    for i in range(n):
        known_from = start[i] + subjects.delay[t, i]
        if known_from <= now:
            known += 1
            if subjects.happens[t, i]:
                events += 1
        else:
            followed += now - start[i]
            soonest = min(soonest, known_from)
    return Seen(known, events, followed, soonest)


@part
def decide(seen: Seen, look: Look, edge: float, rule: Rule) -> int:
    """Certain whatever the pending do; else wait while too many are pending, or let each count as the share of its window."""
    pending = look.n - seen.known
    responders = seen.events if rule.responses_early else seen.known - seen.events
    if responders >= look.go:
        return GO_ON
    if responders + pending < look.go:
        return STOP
    if rule.wait or pending * look.most > look.n * look.n:
        return WAIT
    effective = seen.known + seen.followed
    beyond = effective > edge if rule.responses_early else effective < edge
    return STOP if beyond else GO_ON
