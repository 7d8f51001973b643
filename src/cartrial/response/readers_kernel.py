"""What does the committee say from two readers and an adjudicator?

One subject after the other. Each part below is one sentence of the rule. A loop of a part runs to its end, and no array is chosen by a
condition: else Numba counts references of all arrays at every call, which takes longer than the rule.

What a pair says depends on pairs before it: a RELAPSE that was overruled dates nothing later, and readers who both saw a remission since
date a later relapse anew. So pairs are settled one after the other, in the order of their days (rules, paragraph 4 and amendment A1).
"""

from __future__ import annotations

from typing import NamedTuple

from cartrial.kernels import kernel, part
from cartrial.response.codes import (
    ADJUDICATED,
    ADJUDICATION_IGNORED,
    COMMITTEE_CALL,
    LOWER_CATEGORY,
    PENDING,
    RELAPSE_DATES_DIFFER,
    RELAPSE_UNADJUDICATED,
    SINGLE_READ,
)
from cartrial.response.pairs_kernel import FIRST, PAIR_DAYS, SECOND, Panel, Rows, Samples, paired_reads, reads_after_progression
from cartrial.response.sequence_kernel import Integers, Reads
from cartrial.response.status_kernel import is_in
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import NE, NOTHING, Roles

__all__ = ["RELAPSE_APART", "UNDECIDED", "Panel", "Rows", "Samples", "assess_committee"]

RELAPSE_APART = 14
UNDECIDED = NOTHING
"""In place of the status of a pair that differs. No role may be asked of it."""


class Span(NamedTuple):
    """One subject's rows: its committee's own calls from `own` on, its pairs from `start` to `end`; and day 0."""

    own: int
    start: int
    end: int
    day0: int


@kernel
def assess_committee(panel: Panel, samples: Samples, day0: Integers, rows: Rows) -> None:
    """Fill the committee's calls: of each subject its own, then pairs, the nearest first, then what one reader alone has read."""
    filled = 0
    for s in range(len(panel.own.at) - 1):
        start = own_calls(panel.own, rows, s, filled)
        end = paired_reads(panel, samples, rows, s, start)
        if panel.roles.stops:
            end = reads_after_progression(panel, day0[s], rows, s, end)
        span = Span(filled, start, end, day0[s])
        stand_for_pairs(rows, span)
        settle_pairs(panel, rows, s, span)
        give_reads(panel, rows, s, span, True)
        leave_pending(panel, rows, span)
        filled = without_stood_for(rows, span)
        filled = single_reads(panel.first, panel, rows, s, filled)
        filled = single_reads(panel.second, panel, rows, s, filled)
        rows.at[s + 1] = filled


@part
def own_calls(own: Reads, rows: Rows, s: int, filled: int) -> int:
    """What is recorded as the committee's call is the committee's call (rules, paragraph 4)."""
    for i in range(own.at[s], own.at[s + 1]):
        rows.day[filled], rows.seq[filled] = own.day[i], own.seq[i]
        rows.status[filled], rows.flags[filled] = own.status[i], own.flags[i] | COMMITTEE_CALL
        rows.own[filled], rows.settled[filled], rows.carried[filled] = -1, True, 0
        filled += 1
    return filled


@part
def stand_for_pairs(rows: Rows, span: Span) -> None:
    """Each of the committee's own calls stands for one pair, the nearest within 7 days (rules, paragraph 4)."""
    for _ in range(span.own, span.start):
        call, pair, nearest = -1, -1, PAIR_DAYS + 1
        for i in range(span.own, span.start):
            for row in range(span.start, span.end):
                gap = abs(rows.day[i] - rows.day[row])
                if gap < nearest and rows.own[i] < 0 and rows.own[row] < 0:
                    call, pair, nearest = i, row, gap
        if pair >= 0:
            rows.own[call], rows.own[pair] = pair, call


@part
def settle_pairs(panel: Panel, rows: Rows, s: int, span: Span) -> None:
    """Pairs are settled in the order of their days; each time, the adjudicator's reads that are left go to the pairs left that differ."""
    roles = panel.roles
    relapse = min(relapse_day(panel.first, roles.ends, s, -FAR, FAR), relapse_day(panel.second, roles.ends, s, -FAR, FAR))
    news = True
    for _ in range(span.start, span.end):
        # what is settled changes others where it overrules a RELAPSE, or is a remission after one
        if news:
            compare(panel, rows, s, span)
            give_reads(panel, rows, s, span, False)
        row = first_unsettled(rows, span)
        remission = last_remission(rows, span, roles.responds, rows.day[row]) > since_when(span, rows.day[row])
        overruled = settle(panel, rows, row, remission)
        news = overruled or (rows.day[row] >= relapse and rows.status[row] != UNDECIDED and is_in(roles.responds, rows.status[row]))


@part
def compare(panel: Panel, rows: Rows, s: int, span: Span) -> None:
    """What the readers of each pair left agree on, after what is settled."""
    roles = panel.roles
    for row in range(span.start, span.end):
        if not rows.settled[row]:
            i, j = rows.first[row], rows.second[row]
            one, other = panel.first.status[i], panel.second.status[j]
            apart = 0
            if is_in(roles.ends, one) and is_in(roles.ends, other):
                since = last_remission(rows, span, roles.responds, rows.day[row])
                dated = relapse_day(panel.first, roles.ends, s, since, panel.first.day[i])
                apart = abs(dated - relapse_day(panel.second, roles.ends, s, since, panel.second.day[j]))
            common = panel.agreed[one, other]
            rows.status[row], rows.flags[row] = agree(common, one == other, apart if common >= 0 and is_in(roles.ends, common) else 0)
            # where the adjudicator sided with the other, what the other reads later is the committee's
            if rows.carried[row] == FIRST and panel.first.overruled[i]:
                rows.status[row], rows.flags[row] = other, SINGLE_READ
            elif rows.carried[row] == SECOND and panel.second.overruled[j]:
                rows.status[row], rows.flags[row] = one, SINGLE_READ


@part
def since_when(span: Span, day: int) -> int:
    """A remission on or before day 0 is none of a day after it (rules, paragraph 3)."""
    return span.day0 if day > span.day0 else -FAR


@part
def last_remission(rows: Rows, span: Span, responds: int, day: int) -> int:
    """The day of the committee's last remission before a day, as far as it is settled; day 0 (else -FAR) where there is none."""
    since = since_when(span, day)
    for row in range(span.own, span.end):
        if rows.settled[row] and is_in(responds, rows.status[row]):
            if since < rows.day[row] < day:
                since = rows.day[row]
    return since


@part
def relapse_day(reads: Reads, ends: int, s: int, since: int, day: int) -> int:
    """Day of a reader's first relapse after a day, not one that was overruled (rules, paragraph 4 and A1). `day`: of the read itself."""
    for i in range(reads.at[s], reads.at[s + 1]):
        if is_in(ends, reads.status[i]) and not reads.overruled[i] and reads.day[i] > since:
            day = min(day, reads.day[i])
    return day


@part
def agree(status: int, same: bool, apart: int) -> tuple[int, int]:
    """What two readers agree on, the lower category flagged; relapse dates more than 14 days apart disagree (rules, paragraph 4)."""
    if apart > RELAPSE_APART:
        return UNDECIDED, RELAPSE_DATES_DIFFER
    return status, LOWER_CATEGORY if status != UNDECIDED and not same else 0


@part
def give_reads(panel: Panel, rows: Rows, s: int, span: Span, agreed: bool) -> None:
    """The adjudicator's reads go, the nearest first, to pairs that differ, for as long as these are not settled; at the end to the others.

    There they are ignored.
    """
    judge = panel.adjudicator
    if not agreed:
        for i in range(judge.at[s], judge.at[s + 1]):
            judge.used[i] = False
        for row in range(span.start, span.end):
            if not rows.settled[row]:
                rows.given[row] = -1
            elif rows.given[row] >= 0:
                judge.used[rows.given[row]] = True
    for _ in range(judge.at[s], judge.at[s + 1]):
        row, i = nearest_adjudication(panel, rows, s, span, agreed)
        if row >= 0:
            judge.used[i], rows.given[row] = True, i
            if agreed:
                rows.flags[row] |= ADJUDICATION_IGNORED


@part
def nearest_adjudication(panel: Panel, rows: Rows, s: int, span: Span, agreed: bool) -> tuple[int, int]:
    """Of the pairs and the adjudicator's reads not yet used the nearest two within 7 days; -1 where there are none."""
    judge = panel.adjudicator
    pair, read, nearest = -1, -1, PAIR_DAYS + 1
    for row in range(span.start, span.end):
        if rows.given[row] >= 0 or rows.own[row] >= 0 or rows.settled[row] != agreed or (rows.status[row] != UNDECIDED) != agreed:
            continue
        one, other = panel.first.day[rows.first[row]], panel.second.day[rows.second[row]]
        if rows.carried[row]:
            one, other = rows.day[row], rows.day[row]
        for i in range(judge.at[s], judge.at[s + 1]):
            gap = min(abs(judge.day[i] - one), abs(judge.day[i] - other))
            if gap < nearest and not judge.used[i]:
                pair, read, nearest = row, i, gap
    return pair, read


@part
def first_unsettled(rows: Rows, span: Span) -> int:
    """The earliest pair left."""
    first, day = -1, FAR
    for row in range(span.start, span.end):
        if not rows.settled[row] and rows.day[row] < day:
            first, day = row, rows.day[row]
    return first


@part
def settle(panel: Panel, rows: Rows, row: int, remission: bool) -> bool:
    """A pair that differs takes the adjudicator's call; a RELAPSE that it, or the committee's own call, overrules dates nothing (A1)."""
    rows.settled[row] = True
    ends, call = panel.roles.ends, NOTHING
    if rows.own[row] >= 0:
        call = rows.status[rows.own[row]]
        # its own call speaks for it, on its own day
        rows.status[row] = NE
    elif rows.given[row] >= 0:
        i = rows.given[row]
        call = panel.adjudicator.status[i]
        rows.status[row], rows.seq[row] = call, panel.adjudicator.seq[i]
        rows.flags[row] |= ADJUDICATED
    one, other = False, False
    if call != NOTHING and is_overruling(panel.roles, call, remission):
        i, j = rows.first[row], rows.second[row]
        one, other = is_in(ends, panel.first.status[i]), is_in(ends, panel.second.status[j])
        panel.first.overruled[i], panel.second.overruled[j] = one, other
    return one or other


@part
def is_overruling(roles: Roles, call: int, remission: bool) -> bool:
    """Neither RELAPSE nor NR or PD after the committee's remission, which is RELAPSE (rules, paragraph 3)."""
    return not is_in(roles.ends, call) and not (remission and roles.becomes != NOTHING and is_in(roles.fails, call))


@part
def leave_pending(panel: Panel, rows: Rows, span: Span) -> None:
    """A pair that differs without adjudication is pending, status NE (rules, paragraph 4); so is a reader's RELAPSE in it (A1)."""
    ends = panel.roles.ends
    for row in range(span.start, span.end):
        if rows.status[row] == UNDECIDED:
            rows.status[row] = NE
            rows.flags[row] |= PENDING
            one, other = panel.first.status[rows.first[row]], panel.second.status[rows.second[row]]
            if not rows.carried[row] and (is_in(ends, one) or is_in(ends, other)):
                rows.flags[row] |= RELAPSE_UNADJUDICATED


@part
def without_stood_for(rows: Rows, span: Span) -> int:
    """A pair that the committee's own call stands for is no row of its own."""
    filled = span.start
    for row in range(span.start, span.end):
        if rows.own[row] < 0:
            rows.day[filled], rows.seq[filled] = rows.day[row], rows.seq[row]
            rows.status[filled], rows.flags[filled] = rows.status[row], rows.flags[row]
            filled += 1
    return filled


@part
def has_own_call(own: Reads, s: int, day: int) -> bool:
    """One of the committee's own calls stands within 7 days."""
    found = False
    for i in range(own.at[s], own.at[s + 1]):
        if abs(own.day[i] - day) <= PAIR_DAYS:
            found = True
    return found


@part
def single_reads(reads: Reads, panel: Panel, rows: Rows, s: int, filled: int) -> int:
    """One read only is pending, status NE (rules, paragraph 4), unless the committee has spoken; a RELAPSE is not adjudicated (A1)."""
    for i in range(reads.at[s], reads.at[s + 1]):
        if not reads.used[i] and not has_own_call(panel.own, s, reads.day[i]):
            rows.day[filled], rows.seq[filled] = reads.day[i], reads.seq[i]
            rows.status[filled], rows.flags[filled] = NE, PENDING | SINGLE_READ
            if is_in(panel.roles.ends, reads.status[i]):
                rows.flags[filled] |= RELAPSE_UNADJUDICATED
            filled += 1
    return filled
