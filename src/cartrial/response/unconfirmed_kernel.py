"""Which progressions of a reader count, where imaging can be misled by what the cells do? One subject after the other (rules, L5).

A progression that does not count is indeterminate: it is no response and no event, and can censor.
"""

from __future__ import annotations

from typing import NamedTuple

from cartrial.kernels import kernel, part
from cartrial.response.codes import DATED_BACK, UNCONFIRMED
from cartrial.response.sequence_kernel import Integers, Reads
from cartrial.response.status_kernel import is_adequate, is_in
from cartrial.study.criteria.codes import IR, Roles

__all__ = ["CONFIRMED", "FINAL", "LYRIC", "LYRIC_DAYS", "OVERTURNED", "Progression", "Stops", "date_back", "settle_progressions"]

FINAL, OVERTURNED, CONFIRMED, LYRIC = range(4)
"""Counts as it is seen; unless the next read is a response; where a later read is progression too; by LYRIC 2016."""

LYRIC_DAYS = 84
"""An indeterminate read is settled by the next imaging so many days later at most."""

COUNTS, UNDONE, OPEN = range(3)


class Progression(NamedTuple):
    """What a study says: one of `FINAL`, `OVERTURNED`, `CONFIRMED`, and after how many days a progression is confirmed."""

    rule: int
    days: int


class Stops(NamedTuple):
    """By subject, `FAR` where there is none: day 0, the first transplant or new therapy after it, and the death; none after the cutoff."""

    day0: Integers
    therapy: Integers
    death: Integers
    cutoff: Integers


@kernel
def settle_progressions(reads: Reads, stops: Stops, roles: Roles, progression: Progression) -> None:
    """Make the progressions that do not count indeterminate, in place; what follows one that counts is left as it was read.

    On one date an assessment comes before a therapy (rules, paragraph 1).
    """
    for s in range(len(reads.at) - 1):
        ended = min(stops.therapy[s], stops.death[s]) <= stops.cutoff[s]
        for i in range(reads.at[s], reads.at[s + 1]):
            if reads.day[i] <= stops.day0[s] or not is_in(roles.ends, reads.status[i]):
                continue
            found = OPEN
            for j in range(i + 1, reads.at[s + 1]):
                between = reads.day[i] <= stops.therapy[s] < reads.day[j]
                if found == OPEN and not between and is_adequate(reads.status[j]):
                    found = settled_by(roles, progression, reads.status[j], reads.day[j] - reads.day[i])
            if found == UNDONE or (found == OPEN and progression.rule == CONFIRMED and not ended):
                reads.status[i] = IR
                reads.flags[i] |= UNCONFIRMED
            else:
                break


@part
def settled_by(roles: Roles, progression: Progression, status: int, days: int) -> int:
    """What the next read says: a response overturns; a later progression confirms, anything else but an indeterminate read undoes (L5)."""
    if progression.rule == OVERTURNED:
        return UNDONE if is_in(roles.responds, status) else COUNTS
    if is_in(roles.ends, status):
        return COUNTS if days >= progression.days else OPEN
    return OPEN if status == IR else UNDONE


@kernel
def date_back(reads: Reads, stops: Stops, roles: Roles) -> None:
    """Make the first of the indeterminate reads in a row before a progression the progression, in place (rules of lymphoma, L5).

    Each is followed by the next within 84 days, with no transplant or new therapy between; NE between two of them says nothing.
    """
    for s in range(len(reads.at) - 1):
        first, last = -1, -1
        for i in range(reads.at[s], reads.at[s + 1]):
            if reads.day[i] <= stops.day0[s] or not is_adequate(reads.status[i]):
                continue
            between = last >= 0 and reads.day[last] <= stops.therapy[s] < reads.day[i]
            follows = last >= 0 and reads.day[i] - reads.day[last] <= LYRIC_DAYS and not between
            if is_in(roles.ends, reads.status[i]):
                if follows:
                    reads.status[first] = reads.status[i]
                    reads.flags[first] |= DATED_BACK
                break
            if reads.status[i] != IR:
                first, last = -1, -1
            else:
                first, last = first if follows else i, i
