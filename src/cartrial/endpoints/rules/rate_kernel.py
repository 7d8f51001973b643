"""Is a subject a responder, a non-responder, or not yet assessable?

One subject after the other: what ended the time in which a response counts, which assessment speaks, whether that is final at the
cutoff, and why there is no response. Each part below is one sentence of the rule.
"""

from __future__ import annotations

from typing import NamedTuple

from cartrial.endpoints.rules.codes import (
    AN_EVENT,
    AT,
    COMPOSITE,
    DAYS,
    ENDS_TREATMENT,
    ICE_REASONS,
    R_DEATH,
    R_MRD_MISSING,
    R_MRD_NOT_EVALUABLE,
    R_MRD_POSITIVE,
    R_NO_ASSESSMENT,
    R_NO_RESPONSE,
    R_NOT_CONFIRMED,
    R_OPEN,
    R_PRODUCT_FAILURE,
    R_RELAPSE,
    R_RESPONSE,
    R_WITHDRAWN,
)
from cartrial.endpoints.rules.course_kernel import (
    Codes,
    Courses,
    Members,
    Places,
    Reads,
    Subject,
    first_ice,
    is_free_again,
    is_seen,
    is_seen_again,
    subject_of,
)
from cartrial.kernels import kernel, part
from cartrial.response.codes import AFTER_RELAPSE, MRD_MISSING, MRD_NEGATIVE, MRD_POSITIVE
from cartrial.response.status_kernel import is_adequate, is_in
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import Roles

__all__ = ["Answers", "Rule", "assess_rate"]


class Rule(NamedTuple):
    """What a study says of a response rate: the window, what counts, how it is confirmed, and the strategies."""

    mode: int
    """The kind of window: `AT`, `WITHIN`, `BEST` or `DAYS`."""
    low: int
    high: int
    """Its first and last day, from day 0, or so many days from enrolment."""
    target: int
    """The day of a landmark, from day 0."""
    from_enrolment: bool
    until_progression: bool
    bridging: bool
    counts: int
    """Which statuses are a response, one bit each."""
    mrd_negative: bool
    confirm: int
    sustained: int
    by_sign: bool
    """Whether a sign of no relapse is enough for a remission that has to last."""
    strategy: tuple[int, int, int]
    """Of transplant, re-infusion and new therapy."""
    failure_strategy: int
    roles: Roles


class Answers(NamedTuple):
    """Filled: 1, 0 or -1 (not yet assessable), the reason, and the assessment that decided (-1: none)."""

    value: Codes
    reason: Codes
    chosen: Places


class Read(NamedTuple):
    """One assessment."""

    day: int
    status: int
    flags: int
    mrd: int


class Stop(NamedTuple):
    """What ends the time in which a response counts. `first`: a stop that comes before any composite event."""

    composite: int
    reason: int
    stop: int
    first: bool


class Window(NamedTuple):
    """The days on which an assessment counts, and those of a relapse and a progression among the usable ones.

    `relapsed`, `resisted`: the places of the first relapse, and of the last NR or PD of who was in no remission before it; -1: none.
    """

    opens: int
    begin: int
    end: int
    last: int
    relapse: int
    progression: int
    relapsed: int
    resisted: int


class Found(NamedTuple):
    """What the assessments say.

    `gap`: days between a landmark and its target. `noted`: a remission that its MRD denied, or that was not confirmed. `waits`: a
    confirmation may still come.
    """

    pick: int
    gap: int
    reason: int
    noted: int
    waits: bool


@kernel
def assess_rate(reads: Reads, courses: Courses, member: Members, rule: Rule, answers: Answers) -> None:
    """Fill `answers` for every subject; of who is no member, a non-response without an assessment."""
    for s in range(len(reads.at) - 1):
        subject = subject_of(reads, courses, s)
        if not member[s]:
            value, reason, chosen = 0, R_NO_ASSESSMENT, -1
        elif subject.day0 == FAR and not rule.bridging:
            value, reason, chosen = without_infusion(subject, rule)
        else:
            stop = earliest_stop(subject, rule)
            window = window_of(reads, subject, rule, stop)
            found = at_landmark(reads, subject, rule, stop, window) if rule.mode == AT else within_window(reads, subject, rule, window)
            value, reason, chosen = final_answer(subject, rule, stop, window, found)
        answers.value[s], answers.reason[s], answers.chosen[s] = value, reason, chosen


@part
def without_infusion(subject: Subject, rule: Rule) -> tuple[int, int, int]:
    """Failure and death before infusion decide; leaving or a closed window ends the waiting."""
    if subject.failure < FAR and rule.failure_strategy == COMPOSITE and subject.failure <= subject.death:
        return 0, R_PRODUCT_FAILURE, -1
    if subject.death < FAR:
        return 0, R_DEATH, -1
    if subject.gone < FAR:
        return 0, R_WITHDRAWN, -1
    if rule.mode == DAYS and rule.from_enrolment and subject.enrolled + rule.high <= subject.cutoff:
        return 0, R_NO_ASSESSMENT, -1
    return -1, R_OPEN, -1


@part
def earliest_stop(subject: Subject, rule: Rule) -> Stop:
    """The first intercurrent event that is an outcome, and the first that ends observation; on one date, in the order of `ICES`."""
    outcome = first_ice(subject.ice, rule.strategy, AN_EVENT, -FAR)
    stop = first_ice(subject.ice, rule.strategy, ENDS_TREATMENT, -FAR)
    first = stop.day < outcome.day or (stop.day == outcome.day and stop.day < FAR and stop.event < outcome.event)
    return Stop(outcome.day, ICE_REASONS[outcome.event], stop.day, first)


@part
def window_of(reads: Reads, subject: Subject, rule: Rule, stop: Stop) -> Window:
    """The window in days of the calendar, with the first relapse and progression among what is usable."""
    opens = subject.enrolled + 1 if rule.bridging else subject.day0 + 1
    begin = subject.day0 + rule.low if rule.mode == AT else opens
    end = subject.day0 + rule.high if rule.high < FAR else subject.cutoff
    if rule.mode == DAYS:
        end = (subject.enrolled if rule.from_enrolment else subject.day0) + rule.high
    last = min(stop.composite, stop.stop, without_product(subject, rule))
    roles = rule.roles
    relapse, progression, relapsed, resisted, remission = FAR, FAR, -1, -1, False
    for i in range(subject.at, subject.to):
        if opens <= reads.day[i] <= last:
            if is_in(roles.ends, reads.status[i]) and relapse == FAR:
                relapse, relapsed = reads.day[i], i
            if is_in(roles.progresses, reads.status[i]) and progression == FAR and reads.day[i] > subject.day0:
                progression = reads.day[i]
            if is_in(roles.fails, reads.status[i]) and reads.day[i] <= end and not remission:
                resisted = i
            closed = rule.until_progression and progression < FAR
            remission = remission or (is_in(roles.responds, reads.status[i]) and not closed)
    return Window(opens, begin, end, last, relapse, progression, relapsed, -1 if remission else resisted)


@part
def without_product(subject: Subject, rule: Rule) -> int:
    """Failure of the product, composite, is an event on its date; of no effect on who was infused later (rules, A16)."""
    return subject.failure if subject.day0 == FAR and rule.failure_strategy == COMPOSITE else FAR


@part
def read_at(reads: Reads, i: int) -> Read:
    """Take one assessment out of the arrays."""
    return Read(reads.day[i], reads.status[i], reads.flags[i], reads.mrd[i])


@part
def is_usable(read: Read, window: Window) -> bool:
    """An assessment that says something, while a response can count."""
    return is_adequate(read.status) and window.opens <= read.day <= window.last


@part
def is_in_window(read: Read, rule: Rule, window: Window) -> bool:
    """Usable, within the window, and before a progression that closes it."""
    open_ = not rule.until_progression or read.day < window.progression
    return is_usable(read, window) and window.begin <= read.day <= window.end and open_


@part
def is_response(read: Read, rule: Rule) -> bool:
    """A status that the endpoint counts, not after a relapse."""
    return is_in(rule.counts, read.status) and read.flags & AFTER_RELAPSE == 0


@part
def days_wanting(reads: Reads, subject: Subject, rule: Rule, window: Window, i: int) -> int:
    """Days until a later remission that is still needed: to confirm it where none does, before or after, and where it has to last.

    0 where nothing is needed (rules, amendment A15).
    """
    confirmed = is_seen(reads, subject, i, rule.confirm, (window.opens, window.last), rule.roles)
    lasting = (
        is_free_again(reads, subject, i, rule.sustained, window.last, rule.roles)
        if rule.by_sign
        else is_seen_again(reads, subject, i, rule.sustained, window.last, rule.roles)
    )
    return max(0 if confirmed else rule.confirm, 0 if lasting else rule.sustained)


@part
def may_be_confirmed(subject: Subject, window: Window, due: int) -> bool:
    """The days until a confirmation have not passed at the cutoff, and nothing has ended them."""
    return due > subject.cutoff and window.relapse == FAR and subject.death == FAR and window.last > subject.cutoff


@part
def mrd_reason(mrd: int) -> int:
    """Why a remission that is not known MRD-negative does not count."""
    if mrd == MRD_POSITIVE:
        return R_MRD_POSITIVE
    return R_MRD_MISSING if mrd == MRD_MISSING else R_MRD_NOT_EVALUABLE


@part
def how_telling(mrd: int) -> int:
    """Of several remissions the most telling speaks: positive, then not evaluable, then missing."""
    if mrd == MRD_POSITIVE:
        return 3
    return 1 if mrd == MRD_MISSING else 2


@part
def landmark_pick(reads: Reads, subject: Subject, rule: Rule, stop: Stop, window: Window) -> tuple[int, int]:
    """The usable assessment nearest to the target day, the later on a tie; once treatment has ended, the last one before that."""
    pick, best = -1, FAR
    for i in range(subject.at, subject.to):
        read = read_at(reads, i)
        if stop.first and stop.stop <= window.end:
            if is_usable(read, window):
                pick = i
        elif is_in_window(read, rule, window):
            gap = abs(read.day - subject.day0 - rule.target)
            if gap <= best:
                pick, best = i, gap
    return pick, best


@part
def at_landmark(reads: Reads, subject: Subject, rule: Rule, stop: Stop, window: Window) -> Found:
    """What the landmark's assessment says."""
    pick, gap = landmark_pick(reads, subject, rule, stop, window)
    if pick < 0:
        return Found(pick, gap, R_NO_ASSESSMENT, -1, False)
    read, waits = read_at(reads, pick), False
    wanting = days_wanting(reads, subject, rule, window, pick)
    if not is_response(read, rule):
        reason = R_RELAPSE if is_in(rule.roles.ends, read.status) or read.flags & AFTER_RELAPSE else R_NO_RESPONSE
    elif wanting > 0:
        reason, waits = R_NOT_CONFIRMED, may_be_confirmed(subject, window, read.day + wanting)
    elif rule.mrd_negative and read.mrd != MRD_NEGATIVE:
        reason = mrd_reason(read.mrd)
    else:
        reason = R_RESPONSE
    return Found(pick, gap, reason, -1, waits)


@part
def within_window(reads: Reads, subject: Subject, rule: Rule, window: Window) -> Found:
    """The first response of a window; without one, what came nearest to it."""
    reason, telling, noted, waits = R_NO_ASSESSMENT, 0, -1, False
    for i in range(subject.at, subject.to):
        read = read_at(reads, i)
        if not is_in_window(read, rule, window):
            continue
        if reason == R_NO_ASSESSMENT:
            reason = R_NO_RESPONSE
        if not is_response(read, rule):
            continue
        wanting = days_wanting(reads, subject, rule, window, i)
        if wanting > 0:
            if reason == R_NO_RESPONSE:
                noted, reason = i, R_NOT_CONFIRMED
            waits = waits or may_be_confirmed(subject, window, read.day + wanting)
        elif rule.mrd_negative and read.mrd != MRD_NEGATIVE:
            if how_telling(read.mrd) > telling:
                telling, noted, reason = how_telling(read.mrd), i, mrd_reason(read.mrd)
        else:
            return Found(i, FAR, R_RESPONSE, -1, waits)
    return Found(-1, FAR, reason, noted, waits)


@part
def is_final(subject: Subject, rule: Rule, stop: Stop, window: Window, found: Found) -> bool:
    """Nothing that may still come can change the answer."""
    if found.waits and found.reason == R_NOT_CONFIRMED:
        final = False
    elif window.end <= subject.cutoff or window.relapse < FAR or (rule.until_progression and window.progression < FAR):
        final = True
    elif min(subject.death, stop.composite, stop.stop) <= subject.cutoff:
        final = True
    elif rule.mode == AT:
        # no later assessment can be nearer to the target
        final = found.pick >= 0 and subject.cutoff - subject.day0 - rule.target >= found.gap
    else:
        final = found.reason == R_RESPONSE
    if subject.day0 == FAR and found.reason != R_RESPONSE and not final:
        final = subject.gone < FAR or (subject.failure < FAR and rule.failure_strategy == COMPOSITE)
    return final


@part
def what_ended_it(subject: Subject, rule: Rule, stop: Stop, window: Window, found: Found) -> int:
    """Where no assessment in the window tells why: a relapse, NR or PD read before, or what ended the time in which a response counts."""
    if window.relapse < FAR and window.relapse <= window.end:
        return R_RELAPSE
    ended = stop.composite <= window.end or (rule.until_progression and window.progression <= window.end)
    if window.resisted >= 0 and ended:
        return R_NO_RESPONSE
    if stop.composite <= window.end:
        return stop.reason
    if subject.death <= window.end and found.reason == R_NO_ASSESSMENT:
        return R_DEATH
    if subject.day0 == FAR and subject.failure < FAR:
        return R_PRODUCT_FAILURE
    if subject.day0 == FAR and subject.gone < FAR:
        return R_WITHDRAWN
    return found.reason


@part
def where_seen(reason: int, window: Window, chosen: int) -> int:
    """The assessment that shows the reason, where none was chosen: the first relapse, or the last NR or PD."""
    if chosen >= 0:
        return chosen
    if reason == R_RELAPSE:
        return window.relapsed
    return window.resisted if reason == R_NO_RESPONSE else -1


@part
def final_answer(subject: Subject, rule: Rule, stop: Stop, window: Window, found: Found) -> tuple[int, int, int]:
    """Response, non-response with its reason, or not yet assessable."""
    if not is_final(subject, rule, stop, window, found):
        return -1, R_OPEN, found.pick
    chosen = found.noted if found.pick < 0 else found.pick
    reason = found.reason
    if reason == R_RESPONSE:
        return 1, reason, chosen
    if reason == R_NO_ASSESSMENT or (reason == R_NO_RESPONSE and rule.mode != AT):
        reason = what_ended_it(subject, rule, stop, window, found)
    return 0, reason, where_seen(reason, window, chosen)
