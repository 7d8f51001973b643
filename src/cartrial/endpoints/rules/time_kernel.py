"""When did a subject's time start, when did it end, and by which event or censoring?

One subject after the other: what stops the observation, the first of the endpoint's events, whether visits were missed before it, and
where and why the time is censored. Each part below is one sentence of the rule.
"""

from __future__ import annotations

from typing import NamedTuple

from cartrial.endpoints.rules.codes import (
    AN_EVENT,
    C_CUTOFF,
    C_LOST,
    C_MISSED,
    C_WITHDRAWN,
    E_DEATH,
    E_MRD,
    E_NONRESPONSE,
    E_RELAPSE,
    ENDS_OBSERVATION,
    ENDS_RESPONSE,
    FROM_ALIVE,
    FROM_STOP,
    HYPOTHETICAL,
    ICE_CENSORS,
    ICE_EVENTS,
    NEWTHERAPY,
    PLACE_ON_DATE,
)
from cartrial.endpoints.rules.course_kernel import (
    Codes,
    Courses,
    Days,
    First,
    Places,
    Reads,
    Subject,
    first_ice,
    is_seen,
    subject_of,
)
from cartrial.kernels import kernel, part
from cartrial.response.codes import AFTER_RELAPSE, MRD_NEGATIVE, MRD_POSITIVE
from cartrial.response.status_kernel import is_adequate, is_in
from cartrial.sdtm.records.codes import FAR, NO_CUTOFF
from cartrial.study.criteria.codes import MRD_RELAPSE, Roles

__all__ = ["Origin", "Rule", "Times", "Visits", "assess_time", "find_first_response"]


class Rule(NamedTuple):
    """What a study says of a time to event: its events, the response window, how non-response and missed visits count, the strategies."""

    on_nonresponse: bool
    on_relapse: bool
    on_mrd: bool
    """Whether residual disease that comes back is an event."""
    on_death: bool
    opens: int
    """First day of the response window, from day 0."""
    closes: int
    """Last day of the response window, from day 0."""
    at_assessment: bool
    """Whether non-response is dated at the assessment, and not on day 0."""
    loss_censors: bool
    missed: int
    """Missed visits after which an event is censored; 0: not applied."""
    strategy: tuple[int, int, int]
    """Of transplant, re-infusion and new therapy."""
    roles: Roles


class Origin(NamedTuple):
    """What a study says of a first response: the statuses that are one, a bit for each, how it is confirmed, and the strategies."""

    counts: int
    confirm: int
    strategy: tuple[int, int, int]
    """Of transplant, re-infusion and new therapy."""
    roles: Roles


class Visits(NamedTuple):
    """The schedule, in days from day 0: each visit's day, and the first and the last day of its window."""

    day: Days
    low: Days
    high: Days


class Times(NamedTuple):
    """Filled: the day of the end, the event (-1: censored), why it is censored (-1: an event), and the assessment that shows it.

    Without an assessment `source` is -1, or says what else the day comes from: `FROM_ALIVE`, `FROM_STOP`.
    """

    end: Days
    event: Codes
    censor: Codes
    source: Places


class Event(NamedTuple):
    """An event's day, `FAR` where there is none, what it is, and the assessment that shows it (-1: none)."""

    day: int
    code: int
    source: int


class Seen(NamedTuple):
    """A day, and the assessment that it is the day of (-1: none)."""

    day: int
    source: int


@kernel
def find_first_response(reads: Reads, courses: Courses, rule: Origin, first: Places) -> None:
    """Fill `first`: the first usable response of each subject, seen again after the days to confirm it, or before; -1: there is none.

    An assessment after an event whose strategy stops it is not usable (rules, paragraph 3), nor is one after a relapse.
    """
    for s in range(len(reads.at) - 1):
        first[s] = -1
        subject = subject_of(reads, courses, s)
        if subject.day0 == FAR:
            continue
        last = first_ice(subject.ice, rule.strategy, ENDS_RESPONSE, -FAR).day
        for i in range(subject.at, subject.to):
            if subject.day0 < reads.day[i] <= last and is_in(rule.counts, reads.status[i]) and not reads.flags[i] & AFTER_RELAPSE:
                if is_seen(reads, subject, i, rule.confirm, (subject.day0 + 1, last), rule.roles):
                    first[s] = i
                    break


@kernel
def assess_time(reads: Reads, courses: Courses, origin: Days, visits: Visits, rule: Rule, times: Times) -> None:
    """Fill `times` for every subject whose time starts; its origin is `FAR` where it does not."""
    for s in range(len(reads.at) - 1):
        start = origin[s]
        if start == FAR:
            continue
        subject = subject_of(reads, courses, s)
        # an assessment is counted from the origin on, and only after day 0
        since = start if start > subject.day0 else subject.day0 + 1
        stop = first_ice(subject.ice, rule.strategy, ENDS_OBSERVATION, start)
        relapse = first_relapse(reads, subject, rule, since)
        resistance = last_resistance(reads, subject, rule, stop.day)
        event = first_event(subject, rule, start, stop.day, relapse, resistance)
        if rule.on_mrd:
            event = earlier(event, first_mrd_relapse(reads, subject, rule, since))
        stopped = is_stopped(stop, event)
        until = stop.day if stopped else (event.day - 1 if event.day < FAR else subject.cutoff)
        last = last_usable(reads, subject, start, since, until)
        if stopped:
            end = at_stop(rule, stop, last)
        elif event.day < FAR:
            end = at_event(rule, event, last, visits_missed(visits, rule, last.day - subject.day0, event.day - subject.day0))
        else:
            end = without_event(subject, rule, start, last, is_overdue(visits, subject, rule, last.day))
        times.end[s], times.event[s], times.censor[s], times.source[s] = end


@part
def first_relapse(reads: Reads, subject: Subject, rule: Rule, since: int) -> Seen:
    """The first relapse or progression, where it is an event."""
    day, source = FAR, -1
    if rule.on_relapse:
        # runs to its end: a tuple returned from within a loop over arrays makes the compiled kernel count references, and slow
        for i in range(subject.at, subject.to):
            if is_in(rule.roles.ends, reads.status[i]) and since <= reads.day[i] < day:
                day, source = reads.day[i], i
    return Seen(day, source)


@part
def first_mrd_relapse(reads: Reads, subject: Subject, rule: Rule, since: int) -> Event:
    """The first remission called so, or with residual disease after one without it (rules for children, P4)."""
    day, source, cleared = FAR, -1, False
    for i in range(subject.at, subject.to):
        remission = is_in(rule.roles.responds, reads.status[i]) and reads.day[i] > subject.day0
        back = reads.status[i] == MRD_RELAPSE or (remission and cleared and reads.mrd[i] == MRD_POSITIVE)
        if back and since <= reads.day[i] < day:
            day, source = reads.day[i], i
        cleared = cleared or (remission and reads.mrd[i] == MRD_NEGATIVE)
    return Event(day, E_MRD, source)


@part
def last_resistance(reads: Reads, subject: Subject, rule: Rule, stop: int) -> Seen:
    """The last NR or PD of the response window, unless a CR or CRi that is not after a composite event stands in it."""
    day, source = FAR, -1
    if rule.on_nonresponse and subject.day0 < FAR:
        opens, closes = subject.day0 + rule.opens, min(subject.day0 + rule.closes, stop)
        composite = first_ice(subject.ice, rule.strategy, AN_EVENT, -FAR).day
        for i in range(subject.at, subject.to):
            if opens <= reads.day[i] <= closes:
                if is_in(rule.roles.fails, reads.status[i]):
                    day, source = reads.day[i], i
                elif is_in(rule.roles.responds, reads.status[i]) and reads.day[i] <= composite:
                    return Seen(FAR, -1)
    return Seen(day, source)


@part
def last_usable(reads: Reads, subject: Subject, origin: int, since: int, until: int) -> Seen:
    """The last usable assessment up to a day; none after the origin: on the origin (rules, paragraph 6)."""
    day, source = origin, -1
    for i in range(subject.at, subject.to):
        if since <= reads.day[i] <= until and is_adequate(reads.status[i]):
            day, source = reads.day[i], i
    return Seen(day, source)


@part
def visits_missed(visits: Visits, rule: Rule, after: int, before: int) -> int:
    """Where the study asks: the scheduled visits whose whole window is after the last usable assessment and before the event."""
    missed = 0
    if rule.missed > 0:
        for v in range(len(visits.day)):
            if visits.low[v] > after and visits.high[v] < before:
                missed += 1
    return missed


@part
def is_overdue(visits: Visits, subject: Subject, rule: Rule, last: int) -> bool:
    """The last usable assessment is older at the cutoff than one visit interval plus its margin (rules, paragraph 6)."""
    by_assessments = rule.on_relapse or rule.on_nonresponse
    if not by_assessments or subject.cutoff >= NO_CUTOFF or len(visits.day) == 0:
        return False
    following, previous = len(visits.day), 0
    for v in range(len(visits.day)):
        if visits.low[v] <= last - subject.day0:
            previous = visits.day[v]
        elif following == len(visits.day):
            following = v
    if following == len(visits.day):
        # after the last visit the schedule goes on as it ended
        following -= 1
        previous = visits.day[following - 1] if following > 0 else 0
    # the interval ends on the visit's day, its margin with the visit's window
    allowed: int = visits.high[following] - previous
    return subject.cutoff - last > allowed


@part
def first_event(subject: Subject, rule: Rule, origin: int, stop: int, relapse: Seen, resistance: Seen) -> Event:
    """The first of the endpoint's events and of the intercurrent events that its strategies make events."""
    composite = first_ice(subject.ice, rule.strategy, AN_EVENT, origin)
    event = Event(composite.day, ICE_EVENTS[composite.event], -1)
    if relapse.day < FAR:
        event = earlier(event, Event(relapse.day, E_RELAPSE, relapse.source))
    if rule.on_death and subject.death < FAR:
        # a date of death before the origin is wrong, and a finding; no time is shorter than a day
        event = earlier(event, Event(max(subject.death, origin), E_DEATH, -1))
    if resistance.day < FAR and is_nonresponse(subject, rule, stop):
        event = earlier(event, nonresponse(subject, rule, resistance))
    return event


@part
def is_before(one: Event, other: Event) -> bool:
    """Order on one date: assessment, transplant, re-infusion, new therapy, death (rules, paragraph 1)."""
    return one.day < other.day or (one.day == other.day and PLACE_ON_DATE[one.code] < PLACE_ON_DATE[other.code])


@part
def earlier(one: Event, other: Event) -> Event:
    """The one that comes first, also on one date."""
    return other if is_before(other, one) else one


@part
def is_nonresponse(subject: Subject, rule: Rule, stop: int) -> bool:
    """The response window has closed or the subject is off study; loss alone censors where the study says so (rules, paragraph 6)."""
    closes = subject.day0 + rule.closes
    ended = min(subject.death, subject.ice[NEWTHERAPY], stop)
    by_loss = subject.gone < closes < ended
    return (closes <= subject.cutoff or min(ended, subject.gone) < FAR) and not (rule.loss_censors and by_loss)


@part
def nonresponse(subject: Subject, rule: Rule, resistance: Seen) -> Event:
    """On day 0, or on the earliest of the last NR or PD read, new therapy and death (rules, paragraph 6)."""
    if not rule.at_assessment:
        return Event(subject.day0, E_NONRESPONSE, resistance.source)
    off_study = min(subject.ice[NEWTHERAPY], subject.death)
    if off_study < resistance.day:
        return Event(off_study, E_NONRESPONSE, -1)
    return Event(resistance.day, E_NONRESPONSE, resistance.source)


@part
def is_stopped(stop: First, event: Event) -> bool:
    """The observation stopped before the event, also on one date."""
    return stop.day < FAR and is_before(Event(stop.day, ICE_EVENTS[stop.event], -1), event)


@part
def at_stop(rule: Rule, stop: First, last: Seen) -> tuple[int, int, int, int]:
    """Hypothetical: censored at the last usable assessment on or before it; while-on-treatment: there (rules, paragraph 5)."""
    if rule.strategy[stop.event] == HYPOTHETICAL:
        return last.day, -1, ICE_CENSORS[stop.event], last.source
    return stop.day, -1, ICE_CENSORS[stop.event], FROM_STOP


@part
def at_event(rule: Rule, event: Event, last: Seen, missed: int) -> tuple[int, int, int, int]:
    """The event; after so many visits missed, censored at the last usable assessment before them (rules, paragraph 6)."""
    if event.code != E_NONRESPONSE and missed >= rule.missed > 0:
        return last.day, -1, C_MISSED, last.source
    return event.day, event.code, -1, event.source


@part
def without_event(subject: Subject, rule: Rule, origin: int, last: Seen, overdue: bool) -> tuple[int, int, int, int]:
    """Survival is censored on the last day known alive, every other time at the last usable assessment (rules, paragraph 6)."""
    reason = why_censored(subject, overdue)
    if rule.on_death and not rule.on_relapse and not rule.on_nonresponse:
        return max(subject.alive, origin), -1, reason, FROM_ALIVE
    return last.day, -1, reason, last.source


@part
def why_censored(subject: Subject, overdue: bool) -> int:
    """Withdrawn or lost if a disposition says so; lost also where an assessment is overdue; else the cutoff (rules, paragraph 6)."""
    if subject.withdrawn < FAR and subject.withdrawn <= subject.lost:
        return C_WITHDRAWN
    return C_LOST if subject.lost < FAR or overdue else C_CUTOFF
