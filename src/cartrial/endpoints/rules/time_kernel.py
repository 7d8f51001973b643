"""When did a subject's time start, when did it end, and by which event or censoring?"""

from __future__ import annotations

from typing import Any

from cartrial.endpoints.rules.codes import (
    C_CUTOFF,
    C_HSCT,
    C_LOST,
    C_MISSED,
    C_NEWTHERAPY,
    C_REINFUSION,
    C_WITHDRAWN,
    COMPOSITE,
    E_DEATH,
    E_HSCT,
    E_NEWTHERAPY,
    E_NONRESPONSE,
    E_REINFUSION,
    E_RELAPSE,
    FAR,
    HYPOTHETICAL,
    TREATMENT_POLICY,
    WHILE_ON_TREATMENT,
)
from cartrial.kernels import kernel
from cartrial.response.codes import AFTER_RELAPSE
from cartrial.study.criteria.codes import CR, CRH, CRI, NE, NR, PD, RELAPSE

__all__ = ["assess_time", "find_first_response"]


@kernel
def find_first_response(at: Any, day: Any, status: Any, flags: Any, day0: Any, ice: Any, strategy: Any, confirm: int, first: Any) -> None:
    """Fill `first`: the first usable CR or CRi of each subject, -1 where there is none.

    Parameters
    ----------
    at, day, status, flags : ndarray of int64
        The reader's assessments by subject, sorted by day.
    day0 : ndarray of int64, shape (subjects,)
    ice : ndarray of int64, shape (3, subjects)
    strategy : ndarray of int64, shape (3,)
        An assessment after an event whose strategy stops it is not usable.
    confirm : int
        Days after which a remission must be seen again.
    """
    for s in range(len(at) - 1):
        first[s] = -1
        if day0[s] >= FAR:
            continue
        last = FAR
        for k in range(3):
            if strategy[k] != TREATMENT_POLICY and ice[k, s] < last:
                last = ice[k, s]
        for i in range(at[s], at[s + 1]):
            if day[i] <= day0[s] or day[i] > last or flags[i] & AFTER_RELAPSE:
                continue
            if status[i] == CR or status[i] == CRH or status[i] == CRI:
                ok = confirm == 0
                for j in range(i + 1, at[s + 1]):
                    if ok or status[j] == RELAPSE or day[j] > last:
                        break
                    if day[j] - day[i] >= confirm and (status[j] == CR or status[j] == CRH or status[j] == CRI):
                        ok = True
                if ok:
                    first[s] = i
                    break


@kernel
def assess_time(
    at: Any,
    day: Any,
    status: Any,
    flags: Any,
    member: Any,
    origin: Any,
    day0: Any,
    cutoff: Any,
    death: Any,
    withdrawn: Any,
    lost: Any,
    alive: Any,
    ice: Any,
    strategy: Any,
    on_nonresponse: bool,
    on_relapse: bool,
    on_death: bool,
    at_assessment: bool,
    loss_censors: bool,
    window_from: int,
    window_to: int,
    missed: int,
    visit_day: Any,
    visit_low: Any,
    visit_high: Any,
    end: Any,
    event: Any,
    censor: Any,
    source: Any,
) -> None:
    """Fill `end` (day), `event` (code, -1 censored), `censor` (code, -1 event) and `source` (assessment, -1 none).

    Parameters
    ----------
    at, day, status, flags : ndarray of int64
        The reader's assessments by subject, sorted by day.
    member : ndarray of bool, shape (subjects,)
    origin, day0, cutoff, death, withdrawn, lost, alive : ndarray of int64, shape (subjects,)
        Days; `FAR` where there is none. `alive`: the last day known alive.
    ice : ndarray of int64, shape (3, subjects)
        First day of transplant, re-infusion and new therapy, in their order on one date.
    strategy : ndarray of int64, shape (3,)
    window_from, window_to : int
        Response window, days from day 0.
    missed : int
        Missed visits in a row after which an event is censored; 0: not applied.
    visit_day, visit_low, visit_high : ndarray of int64, shape (visits,)
        Schedule, days from day 0.

    Notes
    -----
    Order on one date: assessment, transplant, re-infusion, new therapy, death.
    """
    visits = len(visit_day)
    for s in range(len(at) - 1):
        if not member[s]:
            continue
        o = origin[s]
        zero = day0[s]
        # what stops the observation, and composite events: rank orders one date
        stop = FAR
        stop_rank = 9
        stop_code = C_CUTOFF
        stop_hypothetical = False
        event_day = FAR
        event_rank = 9
        event_code = -1
        event_source = -1
        for k in range(3):
            when = ice[k, s]
            if when >= FAR or when < o:
                continue
            if strategy[k] == COMPOSITE:
                if when < event_day:
                    event_day, event_rank = when, k + 1
                    event_code = E_HSCT if k == 0 else (E_REINFUSION if k == 1 else E_NEWTHERAPY)
            elif strategy[k] == HYPOTHETICAL or strategy[k] == WHILE_ON_TREATMENT:
                if when < stop:
                    stop, stop_rank = when, k + 1
                    stop_code = C_HSCT if k == 0 else (C_REINFUSION if k == 1 else C_NEWTHERAPY)
                    stop_hypothetical = strategy[k] == HYPOTHETICAL
        if on_relapse:
            for i in range(at[s], at[s + 1]):
                if status[i] == RELAPSE and day[i] > zero and day[i] >= o:
                    if day[i] <= event_day:
                        event_day, event_rank, event_code, event_source = day[i], 0, E_RELAPSE, i
                    break
        if on_death and death[s] < FAR:
            if death[s] < event_day:
                event_day, event_rank, event_code, event_source = death[s], 4, E_DEATH, -1
        if on_nonresponse and zero < FAR:
            seen = False
            remission = False
            read = -1
            # a remission after a composite event does not count as one
            counted = FAR
            for k in range(3):
                if strategy[k] == COMPOSITE and ice[k, s] < counted:
                    counted = ice[k, s]
            for i in range(at[s], at[s + 1]):
                d = day[i]
                if d < zero + window_from or d > zero + window_to or d > stop:
                    continue
                if status[i] == NR or status[i] == PD:
                    seen = True
                    read = i
                elif (status[i] == CR or status[i] == CRH or status[i] == CRI) and d <= counted:
                    remission = True
            closes = zero + window_to
            closed = closes <= cutoff[s]
            new_therapy = ice[2, s]
            left = withdrawn[s] if withdrawn[s] < lost[s] else lost[s]
            off = death[s] < FAR or new_therapy < FAR or left < FAR or stop < FAR
            by_loss = left < closes and death[s] > closes and new_therapy > closes and stop > closes
            if seen and not remission and (closed or off) and not (loss_censors and by_loss):
                when = zero
                origin_of_read = read
                if at_assessment:
                    when = day[read]
                    if new_therapy < when:
                        when = new_therapy
                        origin_of_read = -1
                    if death[s] < when:
                        when = death[s]
                        origin_of_read = -1
                if when <= event_day:
                    event_day, event_rank, event_code, event_source = when, -1, E_NONRESPONSE, origin_of_read
        stopped = stop < event_day or (stop == event_day and stop_rank < event_rank)
        if stopped:
            event_code = -1
        # the last usable assessment
        limit = stop if stopped else cutoff[s]
        last = o
        last_source = -1
        for i in range(at[s], at[s + 1]):
            if status[i] != NE and day[i] >= o and day[i] > zero and day[i] <= limit:
                last = day[i]
                last_source = i
        if event_code >= 0:
            gap = False
            if missed > 0 and event_code != E_NONRESPONSE:
                before = o
                before_source = -1
                for i in range(at[s], at[s + 1]):
                    if status[i] != NE and day[i] >= o and day[i] > zero and day[i] < event_day:
                        before = day[i]
                        before_source = i
                n = 0
                for v in range(visits):
                    if zero + visit_low[v] > before and zero + visit_high[v] < event_day:
                        n += 1
                if n >= missed:
                    gap = True
                    end[s] = before
                    event[s] = -1
                    censor[s] = C_MISSED
                    source[s] = before_source
            if not gap:
                end[s] = event_day
                event[s] = event_code
                censor[s] = -1
                source[s] = event_source
            continue
        event[s] = -1
        if on_death and not on_relapse and not on_nonresponse and not stopped:
            last = alive[s] if alive[s] > o else o
            last_source = -2
        end[s] = last
        source[s] = last_source
        if stopped:
            censor[s] = stop_code
            if not stop_hypothetical:
                end[s] = stop
                source[s] = -3
            continue
        if withdrawn[s] < FAR and withdrawn[s] <= lost[s]:
            censor[s] = C_WITHDRAWN
        elif lost[s] < FAR:
            censor[s] = C_LOST
        else:
            censor[s] = C_CUTOFF
            if (on_relapse or on_nonresponse) and visits > 0 and cutoff[s] < 2**30:
                # older at the cutoff than one visit interval plus its margin
                here = last - zero
                previous = 0
                following = -1
                for v in range(visits):
                    if visit_low[v] <= here:
                        previous = visit_day[v]
                    elif following < 0:
                        following = v
                if following >= 0:
                    interval = visit_day[following] - previous
                    margin = visit_high[following] - visit_day[following]
                elif visits > 1:
                    interval = visit_day[visits - 1] - visit_day[visits - 2]
                    margin = visit_high[visits - 1] - visit_day[visits - 1]
                else:
                    interval = visit_day[0]
                    margin = visit_high[0] - visit_day[0]
                if cutoff[s] - last > interval + margin:
                    censor[s] = C_LOST
