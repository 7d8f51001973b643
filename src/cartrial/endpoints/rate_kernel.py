"""Is a subject a responder, a non-responder, or not yet assessable?"""

from __future__ import annotations

from typing import Any

from cartrial.endpoints.codes import (
    AT,
    COMPOSITE,
    DAYS,
    FAR,
    R_DEATH,
    R_HSCT,
    R_MRD_MISSING,
    R_MRD_NOT_EVALUABLE,
    R_MRD_POSITIVE,
    R_NEWTHERAPY,
    R_NO_ASSESSMENT,
    R_NO_RESPONSE,
    R_NOT_CONFIRMED,
    R_OPEN,
    R_PRODUCT_FAILURE,
    R_REINFUSION,
    R_RELAPSE,
    R_RESPONSE,
    R_WITHDRAWN,
    WHILE_ON_TREATMENT,
)
from cartrial.kernels import kernel
from cartrial.response.codes import AFTER_RELAPSE, CR, CRH, CRI, MRD_MISSING, MRD_NEGATIVE, MRD_POSITIVE, NE, PD, RELAPSE

__all__ = ["assess_rate"]


@kernel
def assess_rate(
    at: Any,
    day: Any,
    status: Any,
    flags: Any,
    mrd: Any,
    member: Any,
    day0: Any,
    enrolled: Any,
    cutoff: Any,
    death: Any,
    failure: Any,
    gone: Any,
    ice: Any,
    strategy: Any,
    failure_strategy: int,
    mode: int,
    low: int,
    high: int,
    target: int,
    from_enrolment: bool,
    until_progression: bool,
    bridging: bool,
    counts: Any,
    mrd_negative: bool,
    confirm: int,
    sustained: int,
    value: Any,
    reason: Any,
    chosen: Any,
) -> None:
    """Fill `value` (1, 0, or -1 not yet assessable), `reason` and `chosen` (the deciding assessment, -1 none).

    Parameters
    ----------
    at, day, status, flags, mrd : ndarray of int64
        The reader's assessments by subject, sorted by day.
    member : ndarray of bool, shape (subjects,)
        Who is in the population.
    day0, enrolled, cutoff, death, failure, gone : ndarray of int64, shape (subjects,)
        Days; `FAR` where there is none. `gone`: withdrawn, lost, or taken off study before infusion.
    ice : ndarray of int64, shape (3, subjects)
        First day of transplant, re-infusion and new therapy.
    strategy : ndarray of int64, shape (3,)
        Their strategies.
    mode, low, high, target : int
        The window: days from day 0, or `high` days from enrolment or day 0.
    counts : ndarray of bool, shape (9,)
        Which statuses are a response.
    confirm, sustained : int
        Days after which a remission must be seen again (a landmark is also confirmed by an earlier one for `confirm`).
    """
    for s in range(len(at) - 1):
        value[s] = 0
        reason[s] = R_NO_ASSESSMENT
        chosen[s] = -1
        if not member[s]:
            continue
        infused = day0[s] < FAR
        if not infused and not bridging:
            # enrolled, not infused: failure and death before infusion decide, leaving or a closed window ends the waiting
            if failure[s] < FAR and failure_strategy == COMPOSITE and failure[s] <= death[s]:
                reason[s] = R_PRODUCT_FAILURE
            elif death[s] < FAR:
                reason[s] = R_DEATH
            elif gone[s] < FAR:
                reason[s] = R_WITHDRAWN
            elif mode != DAYS or not from_enrolment or enrolled[s] + high > cutoff[s]:
                value[s] = -1
                reason[s] = R_OPEN
            continue
        composite = FAR
        composite_reason = R_HSCT
        composite_rank = 0
        stop = FAR
        stop_rank = 0
        for k in range(3):
            if strategy[k] == COMPOSITE and ice[k, s] < composite:
                composite = ice[k, s]
                composite_rank = k
                composite_reason = R_HSCT if k == 0 else (R_REINFUSION if k == 1 else R_NEWTHERAPY)
            if strategy[k] == WHILE_ON_TREATMENT and ice[k, s] < stop:
                stop = ice[k, s]
                stop_rank = k
        last = composite if composite < stop else stop
        start = enrolled[s] if from_enrolment else day0[s]
        first_day = enrolled[s] + 1 if bridging else day0[s] + 1
        if mode == DAYS:
            end = start + high
        elif high < FAR:
            end = day0[s] + high
        else:
            end = cutoff[s]
        begin = day0[s] + low if mode == AT else first_day
        relapse = FAR
        progression = FAR
        for i in range(at[s], at[s + 1]):
            if day[i] < first_day or day[i] > last:
                continue
            if status[i] == RELAPSE and day[i] < relapse:
                relapse = day[i]
            if (status[i] == RELAPSE or status[i] == PD) and day[i] < progression and day[i] > day0[s]:
                progression = day[i]
        pick = -1
        best = FAR
        usable = False
        found = R_NO_ASSESSMENT
        before = stop < composite or (stop == composite and stop < FAR and stop_rank < composite_rank)
        landmark_by_stop = mode == AT and before and stop <= end
        undecided_confirmation = False
        telling = 0
        noted = -1
        for i in range(at[s], at[s + 1]):
            d = day[i]
            if status[i] == NE or d < first_day or d > last:
                continue
            if landmark_by_stop:
                pick = i
                usable = True
                continue
            if d < begin or d > end:
                continue
            if until_progression and d >= progression:
                continue
            if mode == AT:
                usable = True
                gap = d - (day0[s] + target) if d > day0[s] + target else day0[s] + target - d
                if gap <= best:
                    best = gap
                    pick = i
                continue
            usable = True
            if found == R_NO_ASSESSMENT:
                found = R_NO_RESPONSE
            if pick >= 0 or not counts[status[i]] or flags[i] & AFTER_RELAPSE:
                continue
            ok = True
            if confirm > 0 or sustained > 0:
                need = confirm if confirm > sustained else sustained
                ok = False
                for j in range(i + 1, at[s + 1]):
                    if status[j] == RELAPSE or day[j] > last:
                        break
                    if day[j] - d >= need and (status[j] == CR or status[j] == CRH or status[j] == CRI):
                        ok = True
                if not ok:
                    if found == R_NO_RESPONSE:
                        found = R_NOT_CONFIRMED
                    if d + need > cutoff[s] and relapse == FAR and death[s] == FAR and last > cutoff[s]:
                        undecided_confirmation = True
            if ok and mrd_negative and mrd[i] != MRD_NEGATIVE:
                ok = False
                # of several remissions the most telling: positive, then not evaluable, then missing
                told = 3 if mrd[i] == MRD_POSITIVE else (1 if mrd[i] == MRD_MISSING else 2)
                if told > telling:
                    telling = told
                    noted = i
                    found = R_MRD_POSITIVE if told == 3 else (R_MRD_MISSING if told == 1 else R_MRD_NOT_EVALUABLE)
            if ok:
                pick = i
        if mode == AT:
            if pick >= 0:
                i = pick
                if counts[status[i]] and not flags[i] & AFTER_RELAPSE:
                    ok = True
                    if confirm > 0 or sustained > 0:
                        ok = False
                        for j in range(at[s], at[s + 1]):
                            if day[j] < first_day or day[j] > last or flags[j] & AFTER_RELAPSE:
                                continue
                            if status[j] == CR or status[j] == CRH or status[j] == CRI:
                                if sustained == 0 and day[i] - day[j] >= confirm:
                                    ok = True
                                if day[j] - day[i] >= (confirm if confirm > sustained else sustained):
                                    ok = True
                        if not ok:
                            found = R_NOT_CONFIRMED
                            need = confirm if confirm > sustained else sustained
                            if day[i] + need > cutoff[s] and relapse == FAR and death[s] == FAR and last > cutoff[s]:
                                undecided_confirmation = True
                    if ok and mrd_negative and mrd[i] != MRD_NEGATIVE:
                        ok = False
                        found = (
                            R_MRD_POSITIVE if mrd[i] == MRD_POSITIVE else (R_MRD_MISSING if mrd[i] == MRD_MISSING else R_MRD_NOT_EVALUABLE)
                        )
                    if ok:
                        found = R_RESPONSE
                elif status[i] == RELAPSE or flags[i] & AFTER_RELAPSE:
                    found = R_RELAPSE
                else:
                    found = R_NO_RESPONSE
        elif pick >= 0:
            found = R_RESPONSE
        decided = end <= cutoff[s]
        if not decided:
            if mode == AT:
                decided = pick >= 0 and cutoff[s] - (day0[s] + target) >= best
            else:
                decided = found == R_RESPONSE
            if death[s] <= cutoff[s] or composite <= cutoff[s] or stop <= cutoff[s] or relapse < FAR:
                decided = True
            if until_progression and progression < FAR:
                decided = True
        if undecided_confirmation and found == R_NOT_CONFIRMED:
            decided = False
        if not infused and found != R_RESPONSE and not decided:
            decided = gone[s] < FAR or (failure[s] < FAR and failure_strategy == COMPOSITE)
        chosen[s] = noted if pick < 0 and telling > 0 else pick
        if not decided:
            value[s] = -1
            reason[s] = R_OPEN
        elif found == R_RESPONSE:
            value[s] = 1
            reason[s] = R_RESPONSE
        else:
            value[s] = 0
            if found == R_NO_ASSESSMENT or (found == R_NO_RESPONSE and mode != AT):
                # what ended the time in which a response could count
                if relapse < FAR and relapse <= end:
                    found = R_RELAPSE
                elif composite <= end:
                    found = composite_reason
                elif death[s] <= end and not usable:
                    found = R_DEATH
                elif not infused and failure[s] < FAR:
                    found = R_PRODUCT_FAILURE
                elif not infused and gone[s] < FAR:
                    found = R_WITHDRAWN
            reason[s] = found
