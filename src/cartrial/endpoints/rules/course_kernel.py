"""What do the rules of rates and of times share? A reader's assessments, a subject's days, its first intercurrent event."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.endpoints.rules.codes import HSCT, NEWTHERAPY, REINFUSION
from cartrial.kernels import part
from cartrial.response.codes import FREE_OF_RELAPSE
from cartrial.response.status_kernel import is_in
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import Roles

__all__ = [
    *("Codes", "Courses", "Days", "First", "Members", "Places", "Reads", "Subject"),
    *("first_ice", "is_free_again", "is_seen", "is_seen_again", "subject_of"),
]

Days = NDArray[np.int64]
Codes = NDArray[np.int64]
"""Statuses, flags, reasons: numbers of a `codes.py`."""
Places = NDArray[np.int64]
"""Positions in another array."""
Members = NDArray[np.bool_]


class Reads(NamedTuple):
    """One reader's assessments, by subject and day: those of subject s stand from `at[s]` to `at[s + 1]`."""

    at: Places
    day: Days
    status: Codes
    flags: Codes
    mrd: Codes


class Courses(NamedTuple):
    """Days of each subject, `FAR` where there is none. `gone`: withdrawn, lost, or taken off study before infusion."""

    day0: Days
    enrolled: Days
    cutoff: Days
    death: Days
    failure: Days
    gone: Days
    withdrawn: Days
    lost: Days
    alive: Days
    """The last day known alive, `-FAR` where there is none."""
    ice: Days
    """First transplant, re-infusion and new therapy: shape (3, subjects)."""


class Subject(NamedTuple):
    """One subject's days, and where its assessments start and end."""

    at: int
    to: int
    day0: int
    enrolled: int
    cutoff: int
    death: int
    failure: int
    gone: int
    withdrawn: int
    lost: int
    alive: int
    ice: tuple[int, int, int]


class First(NamedTuple):
    """The first of several intercurrent events: its day, `FAR` where there is none, and which it is."""

    day: int
    event: int


@part
def subject_of(reads: Reads, courses: Courses, s: int) -> Subject:
    """Take one subject's days out of the arrays."""
    return Subject(
        reads.at[s],
        reads.at[s + 1],
        courses.day0[s],
        courses.enrolled[s],
        courses.cutoff[s],
        courses.death[s],
        courses.failure[s],
        courses.gone[s],
        courses.withdrawn[s],
        courses.lost[s],
        courses.alive[s],
        (courses.ice[HSCT, s], courses.ice[REINFUSION, s], courses.ice[NEWTHERAPY, s]),
    )


@part
def first_ice(ice: tuple[int, int, int], strategy: tuple[int, int, int], among: int, since: int) -> First:
    """The first intercurrent event from a day on whose strategy is one of these; on one date, in the order of `ICES`."""
    first, which = FAR, HSCT
    for event, day in enumerate(ice):
        if since <= day < first and among >> strategy[event] & 1:
            first, which = day, event
    return First(first, which)


@part
def is_seen(reads: Reads, subject: Subject, i: int, days: int, span: tuple[int, int], roles: Roles) -> bool:
    """A response stands so many days later or earlier, on a day that counts, with no event between (rules, amendment A15)."""
    first, last = span
    return is_seen_again(reads, subject, i, days, last, roles) or was_seen(reads, subject, i, days, first, roles)


@part
def is_seen_again(reads: Reads, subject: Subject, i: int, days: int, last: int, roles: Roles) -> bool:
    """A response stands after so many days, up to the last one that counts, with no event between."""
    if days == 0:
        return True
    for j in range(i + 1, subject.to):
        if is_in(roles.ends, reads.status[j]) or reads.day[j] > last:
            return False
        if reads.day[j] - reads.day[i] >= days and is_in(roles.responds, reads.status[j]):
            return True
    return False


@part
def is_free_again(reads: Reads, subject: Subject, i: int, days: int, last: int, roles: Roles) -> bool:
    """A response, or a sign that the disease has not come back, stands after so many days, with no event between."""
    if days == 0:
        return True
    for j in range(i + 1, subject.to):
        if is_in(roles.ends, reads.status[j]) or reads.day[j] > last:
            return False
        if reads.day[j] - reads.day[i] >= days and (is_in(roles.responds, reads.status[j]) or reads.flags[j] & FREE_OF_RELAPSE):
            return True
    return False


@part
def was_seen(reads: Reads, subject: Subject, i: int, days: int, first: int, roles: Roles) -> bool:
    """A response stands so many days earlier, from the first one that counts on, with no event between."""
    for j in range(i - 1, subject.at - 1, -1):
        if is_in(roles.ends, reads.status[j]) or reads.day[j] < first:
            return False
        if reads.day[i] - reads.day[j] >= days and is_in(roles.responds, reads.status[j]):
            return True
    return False
