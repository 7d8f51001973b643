"""When does a trial look, what does it see, and who has come meanwhile? One design over many trials, on the calendar."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.virtual.trial.arrivals import NEVER

if TYPE_CHECKING:
    from cartrial.design.exact.staged import Staged

__all__ = ["Calendar", "Ended", "count_first", "run_design"]

Days = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Calendar:
    """Subjects of many trials in the order of consent. Arrays of shape (trials, places); days since 1970-01-01, `NEVER`: not happened.

    Parameters
    ----------
    there : ndarray of bool
        Whether a subject stands there.
    counted : ndarray of bool
        Whom a design counts: the infused, or the enrolled, whose result is or will be known.
    start : ndarray of int64
        Day from which a counted subject counts: infusion, or enrolment.
    consent, enrolled, infusion : ndarray of int64
    known : ndarray of int64
        Day on which the result is known.
    response, evaluable : ndarray of bool
    """

    there: Flags
    counted: Flags
    start: Days
    consent: Days
    enrolled: Days
    infusion: Days
    known: Days
    response: Flags
    evaluable: Flags


@dataclass(frozen=True)
class Ended:
    """How each trial ended. Arrays of shape (trials,).

    Parameters
    ----------
    look : ndarray of int64
        From 1.
    success : ndarray of bool
    responders, subjects : ndarray of int64
        Those who decided: the first so many to start. Overrun is not among them.
    enrolled, infused, evaluable : ndarray of int64
        When the trial has ended.
    overrun : ndarray of int64
        Counted subjects beyond `subjects`: enrolled before accrual closed.
    duration : ndarray of int64
        Days from the first consent to the last assessment that decided.
    """

    look: Days
    success: Flags
    responders: Days
    subjects: Days
    enrolled: Days
    infused: Days
    evaluable: Days
    overrun: Days
    duration: Days


def count_first(member: Flags, n: int) -> Flags:
    """Return the first `n` members of each trial in the order of consent: bool, shape (trials, places)."""
    return member & (np.cumsum(member, axis=1) <= n)


def run_design(design: Staged, calendar: Calendar, *, pause: bool) -> Ended:
    """Take trials through the looks of a design.

    Parameters
    ----------
    design : Staged
        Its n count subjects of `calendar.counted`.
    calendar : Calendar
        At least so many counted subjects in each trial; those beyond the design's maximum are left out, in the order of consent.
    pause : bool
        Whether enrolment pauses between the start of the last subject whom a look needs and the look.

    Returns
    -------
    Ended

    Raises
    ------
    InputError
        If a trial has fewer counted subjects than the design.

    Notes
    -----
    A look at n subjects is made on the day on which the results of the first n to start (infused, or enrolled) are all known. Without a
    pause subjects are enrolled until that day; with it, until the n-th starts, and after the look the later ones come as much later.
    Whoever is enrolled when accrual closes is still infused, and is overrun: in the expected numbers, not in the estimate.
    """
    n, last = design.n, design.n[-1]
    if (calendar.counted.sum(axis=1) < last).any():
        raise InputError(f"a trial has fewer than {last} subjects to count", key="n", right="Simulate larger trials")
    everyone = calendar.there & (np.cumsum(calendar.counted, axis=1) - calendar.counted < last)
    counted = calendar.counted & everyone
    start = np.where(counted, calendar.start, NEVER)
    enrolled = np.where(everyone, calendar.enrolled, NEVER)
    known = calendar.known.copy()
    opened = np.where(everyone, calendar.consent, NEVER).min(axis=1)
    trials = len(opened)
    ended = {field.name: np.zeros(trials, bool if field.name == "success" else np.int64) for field in fields(Ended)}
    going = np.ones(trials, bool)
    for look, size in enumerate(n, start=1):
        first = np.argsort(start, axis=1, kind="stable")[:, :size]
        responders = np.take_along_axis(calendar.response, first, 1).sum(axis=1)
        full = np.take_along_axis(start, first[:, -1:], 1)[:, 0]
        when = np.take_along_axis(known, first, 1).max(axis=1)
        low, high = design.futility[look - 1], design.efficacy[look - 1]
        success = responders >= high if high is not None else np.zeros(trials, bool)
        failure = responders <= low if low is not None else np.zeros(trials, bool)
        stops = going & (success | failure)
        close = np.full(trials, NEVER - 1) if look == len(n) else full if pause else when
        inside = enrolled <= close[:, None]
        reached = {
            "look": np.full(trials, look),
            "success": success,
            "responders": responders,
            "subjects": np.full(trials, size),
            "enrolled": inside.sum(axis=1),
            "infused": (inside & (calendar.infusion < NEVER)).sum(axis=1),
            "evaluable": (inside & calendar.evaluable).sum(axis=1),
            "overrun": (inside & counted).sum(axis=1) - size,
            "duration": when - opened,
        }
        for name, values in reached.items():
            ended[name][stops] = values[stops]
        going &= ~stops
        if pause:
            later = (enrolled > full[:, None]) & (enrolled < NEVER)
            wait = np.where(later, np.maximum(when - full, 0)[:, None], 0)
            start, enrolled, known = np.where(counted, start + wait, NEVER), enrolled + wait, known + wait
    return Ended(**ended)
