"""Which reads of two readers make a pair?

Reads pair by date, the nearest first. A reader who stops after a progression is paired, by that, with what the other read later.
"""

from __future__ import annotations

from typing import NamedTuple

from cartrial.kernels import part
from cartrial.response.sequence_kernel import Flags, Integers, Reads
from cartrial.response.status_kernel import is_in
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import Roles

__all__ = ["FIRST", "PAIR_DAYS", "SECOND", "Panel", "Rows", "Samples", "paired_reads", "reads_after_progression"]

PAIR_DAYS = 7
FIRST, SECOND = 1, 2


class Panel(NamedTuple):
    """Who speaks for the committee, and how its family's statuses agree. `own`: what is recorded as the committee's call."""

    first: Reads
    second: Reads
    adjudicator: Reads
    own: Reads
    agreed: Integers
    """What two calls agree on, `UNDECIDED` where they do not: shape (statuses, statuses)."""
    roles: Roles


class Samples(NamedTuple):
    """Days of marrow samples, by subject and day."""

    at: Integers
    day: Integers


class Rows(NamedTuple):
    """Filled: the committee's calls, by subject. Work space: `settled`, and from `first` on of a pair.

    `first`, `second`: the places of its reads. `given`: the place of the adjudicator's read. `own`: the row of the committee's own call.
    `carried`: which read is the progression after which its reader reads no further, `FIRST` or `SECOND`; 0: both are of the visit.
    """

    at: Integers
    settled: Flags
    day: Integers
    status: Integers
    flags: Integers
    seq: Integers
    first: Integers
    second: Integers
    given: Integers
    own: Integers
    carried: Integers


@part
def paired_reads(panel: Panel, samples: Samples, rows: Rows, s: int, filled: int) -> int:
    """Reads pair by date, the nearest first, each used once (rules, paragraph 4)."""
    first, second = panel.first, panel.second
    while True:
        i, j = nearest_pair(first, second, s)
        if i < 0:
            break
        first.used[i], second.used[j] = True, True
        one, other = first.day[i], second.day[j]
        day = day_of_pair(samples, s, one, other)
        rows.day[filled], rows.seq[filled] = day, source_of(first.seq[i], second.seq[j], one == day)
        rows.first[filled], rows.second[filled] = i, j
        rows.given[filled], rows.own[filled], rows.settled[filled], rows.carried[filled] = -1, -1, False, 0
        filled += 1
    return filled


@part
def reads_after_progression(panel: Panel, day0: int, rows: Rows, s: int, filled: int) -> int:
    """A reader stops after his progression: in pairs with what the other read later, his status is that (rules of lymphoma, L6)."""
    first, second, ends = panel.first, panel.second, panel.roles.ends
    for j in range(second.at[s], second.at[s + 1]):
        i = progression_before(first, ends, s, day0 if second.day[j] > day0 else -FAR, second.day[j])
        if i >= 0 and not second.used[j]:
            second.used[j] = True
            rows.day[filled], rows.seq[filled], rows.first[filled], rows.second[filled] = second.day[j], second.seq[j], i, j
            rows.given[filled], rows.own[filled], rows.settled[filled], rows.carried[filled] = -1, -1, False, FIRST
            filled += 1
    for i in range(first.at[s], first.at[s + 1]):
        j = progression_before(second, ends, s, day0 if first.day[i] > day0 else -FAR, first.day[i])
        if j >= 0 and not first.used[i]:
            first.used[i] = True
            rows.day[filled], rows.seq[filled], rows.first[filled], rows.second[filled] = first.day[i], first.seq[i], i, j
            rows.given[filled], rows.own[filled], rows.settled[filled], rows.carried[filled] = -1, -1, False, SECOND
            filled += 1
    return filled


@part
def progression_before(reads: Reads, ends: int, s: int, since: int, day: int) -> int:
    """The place of a reader's first progression after a day and before another; -1: there is none, or he read on."""
    place = -1
    for i in range(reads.at[s], reads.at[s + 1]):
        if since < reads.day[i] < day and is_in(ends, reads.status[i]) and place < 0:
            place = i
        elif place >= 0 and abs(reads.day[i] - day) <= PAIR_DAYS:
            place = -1
    return place


@part
def nearest_pair(first: Reads, second: Reads, s: int) -> tuple[int, int]:
    """Of the reads not yet used the nearest two within 7 days, the earlier on a tie; -1 where there are none."""
    read, other, nearest = -1, -1, PAIR_DAYS + 1
    for i in range(first.at[s], first.at[s + 1]):
        if first.used[i] or nearest == 0:
            continue
        for j in range(second.at[s], second.at[s + 1]):
            gap = abs(first.day[i] - second.day[j])
            if gap < nearest and not second.used[j]:
                read, other, nearest = i, j, gap
    return read, other


@part
def day_of_pair(samples: Samples, s: int, one: int, other: int) -> int:
    """The day of the sample, else the earlier (rules, paragraph 4)."""
    day = min(one, other)
    if one != other:
        # backwards, since of two samples the earlier is meant
        for i in range(samples.at[s + 1] - 1, samples.at[s] - 1, -1):
            if samples.day[i] == one or samples.day[i] == other:
                day = samples.day[i]
    return day


@part
def source_of(one: int, other: int, is_first_day: bool) -> int:
    """The record of a reader who read on the day of the pair, the first's where both did."""
    return one if is_first_day else other
