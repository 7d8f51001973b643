"""What does the committee say from two readers and an adjudicator, and what does a sequence of calls make of each call?

One subject after the other. Each part below is one sentence of the rule. A loop of a part runs to its end, and no array is chosen by a
condition: else Numba counts references of all arrays at every call, which takes longer than the rule.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part
from cartrial.response.codes import (
    ADJUDICATED,
    ADJUDICATION_IGNORED,
    AFTER_RELAPSE,
    COMMITTEE_CALL,
    INDETERMINATE_WITHOUT_REMISSION,
    LOWER_CATEGORY,
    NR_AFTER_REMISSION,
    PENDING,
    RELAPSE_DATES_DIFFER,
    RELAPSE_WITHOUT_REMISSION,
    SINGLE_READ,
)
from cartrial.response.status_kernel import common_status, is_remission, is_resistance
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import INDETERMINATE, NE, NR, RELAPSE

__all__ = ["RELAPSE_APART", "UNDECIDED", "Panel", "Reads", "Rows", "Samples", "assess_committee", "assess_sequence"]

PAIR_DAYS = 7
RELAPSE_APART = 14
UNDECIDED = -1
"""In place of the status of a pair that differs. No role may be asked of it."""

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Reads(NamedTuple):
    """One reader's calls, by subject and day: those of subject s stand from `at[s]` to `at[s + 1]`. `used`: false, work space."""

    at: Integers
    day: Integers
    status: Integers
    flags: Integers
    seq: Integers
    used: Flags


class Panel(NamedTuple):
    """Who speaks for the committee. `own`: what is recorded as the committee's call."""

    first: Reads
    second: Reads
    adjudicator: Reads
    own: Reads


class Samples(NamedTuple):
    """Days of marrow samples, by subject and day."""

    at: Integers
    day: Integers


class Rows(NamedTuple):
    """Filled: the committee's calls, by subject. `first`, `second`: work space, the days on which a pair was read."""

    at: Integers
    day: Integers
    status: Integers
    flags: Integers
    seq: Integers
    first: Integers
    second: Integers


@kernel
def assess_sequence(reads: Reads, day0: Integers) -> None:
    """Make one reader's calls consistent, in place; a remission on or before day 0 is no earlier remission."""
    for s in range(len(reads.at) - 1):
        remission, relapse, infused = False, False, False
        for i in range(reads.at[s], reads.at[s + 1]):
            if not infused and reads.day[i] > day0[s]:
                remission, relapse, infused = False, False, True
            call = int(reads.status[i])
            status = consistent_status(call, remission)
            if relapse or status != call:
                reads.status[i] = status
                reads.flags[i] |= why_inconsistent(call, status, relapse)
            remission = remission or is_remission(status)
            relapse = relapse or status == RELAPSE


@part
def consistent_status(call: int, remission: bool) -> int:
    """NR or PD after a remission is RELAPSE; RELAPSE or INDETERMINATE without one is NR (rules, paragraph 3)."""
    if remission:
        return RELAPSE if is_resistance(call) else call
    return NR if call == RELAPSE or call == INDETERMINATE else call


@part
def why_inconsistent(call: int, status: int, relapse: bool) -> int:
    """What follows a relapse does not count; before one, the change of a call is flagged (rules, paragraph 3)."""
    if relapse:
        return AFTER_RELAPSE
    if status == RELAPSE:
        return NR_AFTER_REMISSION
    return RELAPSE_WITHOUT_REMISSION if call == RELAPSE else INDETERMINATE_WITHOUT_REMISSION


@kernel
def assess_committee(panel: Panel, samples: Samples, rows: Rows) -> None:
    """Fill the committee's calls: of each subject its own, then pairs, the nearest first, then what one reader alone has read."""
    filled = 0
    for s in range(len(panel.own.at) - 1):
        start = own_calls(panel.own, rows, s, filled)
        filled = paired_reads(panel, samples, rows, s, start)
        adjudicate(panel.adjudicator, rows, s, start, filled)
        leave_pending(rows, start, filled)
        filled = single_reads(panel.first, panel.own, rows, s, filled)
        filled = single_reads(panel.second, panel.own, rows, s, filled)
        rows.at[s + 1] = filled


@part
def own_calls(own: Reads, rows: Rows, s: int, filled: int) -> int:
    """What is recorded as the committee's call is the committee's call (rules, paragraph 4)."""
    for i in range(own.at[s], own.at[s + 1]):
        rows.day[filled], rows.seq[filled] = own.day[i], own.seq[i]
        rows.status[filled], rows.flags[filled] = own.status[i], COMMITTEE_CALL
        filled += 1
    return filled


@part
def has_own_call(own: Reads, s: int, day: int) -> bool:
    """The committee's own call within 7 days stands."""
    found = False
    for i in range(own.at[s], own.at[s + 1]):
        if abs(own.day[i] - day) <= PAIR_DAYS:
            found = True
    return found


@part
def paired_reads(panel: Panel, samples: Samples, rows: Rows, s: int, filled: int) -> int:
    """Reads pair by date, the nearest first, each used once; a pair says what its readers agree on (rules, paragraph 4)."""
    first, second = panel.first, panel.second
    apart = abs(relapse_day(first, s) - relapse_day(second, s))
    while True:
        i, j = nearest_pair(first, second, s)
        if i < 0:
            break
        first.used[i], second.used[j] = True, True
        one, other = first.day[i], second.day[j]
        day = day_of_pair(samples, s, one, other)
        if not has_own_call(panel.own, s, day):
            rows.day[filled], rows.seq[filled] = day, source_of(first.seq[i], second.seq[j], one == day)
            rows.status[filled], rows.flags[filled] = agree(first.status[i], second.status[j], apart)
            rows.first[filled], rows.second[filled] = one, other
            filled += 1
    return filled


@part
def relapse_day(reads: Reads, s: int) -> int:
    """Day of a reader's first relapse."""
    day = FAR
    for i in range(reads.at[s], reads.at[s + 1]):
        if reads.status[i] == RELAPSE:
            day = min(day, reads.day[i])
    return day


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


@part
def agree(one: int, other: int, apart: int) -> tuple[int, int]:
    """What two readers agree on, the lower category flagged; relapse dates more than 14 days apart disagree (rules, paragraph 4)."""
    status = common_status(one, other)
    if status == RELAPSE and apart > RELAPSE_APART:
        return UNDECIDED, RELAPSE_DATES_DIFFER
    return status, LOWER_CATEGORY if status != UNDECIDED and one != other else 0


@part
def adjudicate(adjudicator: Reads, rows: Rows, s: int, start: int, end: int) -> None:
    """The adjudicator's reads go, the nearest first, to the pairs that differ; then to those that agree, where they are ignored."""
    for decided in (False, True):
        while True:
            row, i = nearest_adjudication(adjudicator, rows, s, start, end, decided)
            if row < 0:
                break
            adjudicator.used[i] = True
            if decided:
                rows.flags[row] |= ADJUDICATION_IGNORED
            else:
                rows.status[row], rows.seq[row] = adjudicator.status[i], adjudicator.seq[i]
                rows.flags[row] |= ADJUDICATED


@part
def nearest_adjudication(adjudicator: Reads, rows: Rows, s: int, start: int, end: int, decided: bool) -> tuple[int, int]:
    """Of the pairs and the adjudicator's reads not yet used the nearest two within 7 days; -1 where there are none."""
    pair, read, nearest = -1, -1, PAIR_DAYS + 1
    for row in range(start, end):
        if not is_open(rows.status[row], rows.flags[row], decided):
            continue
        for i in range(adjudicator.at[s], adjudicator.at[s + 1]):
            gap = min(abs(adjudicator.day[i] - rows.first[row]), abs(adjudicator.day[i] - rows.second[row]))
            if gap < nearest and not adjudicator.used[i]:
                pair, read, nearest = row, i, gap
    return pair, read


@part
def is_open(status: int, flags: int, decided: bool) -> bool:
    """A pair without an adjudication of its own: one that differs, or one that agrees."""
    return flags & (ADJUDICATED | ADJUDICATION_IGNORED) == 0 and (status != UNDECIDED) == decided


@part
def leave_pending(rows: Rows, start: int, end: int) -> None:
    """A pair that differs without adjudication is pending, status NE (rules, paragraph 4)."""
    for row in range(start, end):
        if rows.status[row] == UNDECIDED:
            rows.status[row] = NE
            rows.flags[row] |= PENDING


@part
def single_reads(reads: Reads, own: Reads, rows: Rows, s: int, filled: int) -> int:
    """One read only is pending, status NE (rules, paragraph 4)."""
    for i in range(reads.at[s], reads.at[s + 1]):
        if not reads.used[i] and not has_own_call(own, s, reads.day[i]):
            rows.day[filled], rows.seq[filled] = reads.day[i], reads.seq[i]
            rows.status[filled], rows.flags[filled] = NE, PENDING | SINGLE_READ
            filled += 1
    return filled
