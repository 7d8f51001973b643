"""What does the committee say from two readers and an adjudicator, and what does a sequence of calls make of each call?"""

from __future__ import annotations

from typing import Any

from cartrial.kernels import kernel
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
from cartrial.study.criteria.codes import CR, CRH, CRI, INDETERMINATE, NE, NR, PD, RELAPSE

__all__ = ["assess_committee", "assess_sequence"]

PAIR_DAYS = 7
RELAPSE_APART = 14
UNPAIRED = -(2**40)


@kernel
def assess_sequence(at: Any, day: Any, status: Any, flags: Any, day0: Any) -> None:
    """Make one reader's calls consistent, in place.

    Parameters
    ----------
    at : ndarray of int64, shape (subjects + 1,)
        Where each subject's calls start.
    day, status, flags : ndarray of int64, shape (calls,)
        Sorted by day. NR or PD in remission becomes RELAPSE; RELAPSE without an earlier remission becomes NR; what follows a relapse
        is flagged.
    day0 : ndarray of int64, shape (subjects,)
        A remission on or before day 0 is no earlier remission.
    """
    for s in range(len(at) - 1):
        remission = False
        relapsed = False
        started = False
        for i in range(at[s], at[s + 1]):
            if day[i] > day0[s] and not started:
                started = True
                remission = False
                relapsed = False
            call = status[i]
            if relapsed:
                flags[i] |= AFTER_RELAPSE
                if call == NR or call == PD:
                    status[i] = RELAPSE
                continue
            if call == CR or call == CRH or call == CRI:
                remission = True
            elif remission and (call == NR or call == PD):
                status[i] = RELAPSE
                flags[i] |= NR_AFTER_REMISSION
                relapsed = True
            elif call == RELAPSE and not remission:
                status[i] = NR
                flags[i] |= RELAPSE_WITHOUT_REMISSION
            elif call == INDETERMINATE and not remission:
                status[i] = NR
                flags[i] |= INDETERMINATE_WITHOUT_REMISSION
            elif call == RELAPSE:
                relapsed = True


@kernel
def assess_committee(
    at1: Any,
    day1: Any,
    status1: Any,
    seq1: Any,
    at2: Any,
    day2: Any,
    status2: Any,
    seq2: Any,
    at3: Any,
    day3: Any,
    status3: Any,
    seq3: Any,
    at4: Any,
    day4: Any,
    status4: Any,
    seq4: Any,
    sample_at: Any,
    sample_day: Any,
    used2: Any,
    used3: Any,
    used1: Any,
    out_subject: Any,
    out_day: Any,
    out_status: Any,
    out_flags: Any,
    out_seq: Any,
    out_first: Any,
    out_second: Any,
) -> int:
    """Pair two readers, ask the adjudicator where they differ, and fill the committee's calls.

    Parameters
    ----------
    at1, day1, status1, seq1 : ndarray of int64
        Reader 1 by subject, sorted by day; likewise reader 2, the adjudicator (3) and the committee's own calls (4).
    sample_at, sample_day : ndarray of int64
        Marrow samples by subject.
    used1, used2, used3 : ndarray of int64
        Work space of zeros, one for each call.
    out_* : ndarray of int64
        Filled; long enough for every call of readers 1, 2 and the committee. `out_first` and `out_second` are the dates of a pair.

    Returns
    -------
    int
        How many rows were filled.
    """
    n = 0
    for s in range(len(at1) - 1):
        start_row = n
        first1 = 2**40
        for i in range(at1[s], at1[s + 1]):
            if status1[i] == RELAPSE and day1[i] < first1:
                first1 = day1[i]
        first2 = 2**40
        for j in range(at2[s], at2[s + 1]):
            if status2[j] == RELAPSE and day2[j] < first2:
                first2 = day2[j]
        for k in range(at4[s], at4[s + 1]):
            out_subject[n] = s
            out_day[n] = day4[k]
            out_status[n] = status4[k]
            out_flags[n] = COMMITTEE_CALL
            out_seq[n] = seq4[k]
            out_first[n] = UNPAIRED
            n += 1
        while True:
            # the nearest pair not yet used; the earlier one on a tie
            best_i = -1
            best_j = -1
            best = PAIR_DAYS + 1
            for i in range(at1[s], at1[s + 1]):
                if used1[i] != 0:
                    continue
                for j in range(at2[s], at2[s + 1]):
                    if used2[j] != 0:
                        continue
                    gap = day2[j] - day1[i] if day2[j] > day1[i] else day1[i] - day2[j]
                    if gap < best:
                        best, best_i, best_j = gap, i, j
                    if best == 0:
                        break
                if best == 0:
                    break
            if best_i < 0:
                break
            i, j = best_i, best_j
            used1[i] = 1
            used2[j] = 1
            low = day1[i] if day1[i] < day2[j] else day2[j]
            high = day2[j] if day1[i] < day2[j] else day1[i]
            d = low
            if high > low:
                for k in range(sample_at[s + 1] - 1, sample_at[s] - 1, -1):
                    if sample_day[k] == high:
                        d = high
                for k in range(sample_at[s], sample_at[s + 1]):
                    if sample_day[k] == low:
                        d = low
            a = status1[i]
            b = status2[j]
            f = 0
            call = -1
            if a == b:
                call = a
            elif (a == CR or a == CRH or a == CRI) and (b == CR or b == CRH or b == CRI):
                call = CRI if a == CRI or b == CRI else CRH
                f |= LOWER_CATEGORY
            elif (a == NR or a == PD) and (b == NR or b == PD):
                call = NR
                f |= LOWER_CATEGORY
            if call == RELAPSE and (first1 - first2 > RELAPSE_APART or first2 - first1 > RELAPSE_APART):
                call = -1
                f |= RELAPSE_DATES_DIFFER
            source = seq1[i] if day1[i] == d else seq2[j]
            stands = False
            for k in range(at4[s], at4[s + 1]):
                if day4[k] - d <= PAIR_DAYS and d - day4[k] <= PAIR_DAYS:
                    stands = True
            if not stands:
                out_subject[n] = s
                out_day[n] = d
                out_status[n] = call
                out_flags[n] = f
                out_seq[n] = source
                out_first[n] = day1[i]
                out_second[n] = day2[j]
                n += 1
        # the adjudicator's reads: nearest first to the pairs that differ, then to those that agree, where they are ignored
        for agreed in range(2):
            while True:
                best_row = -1
                best_k = -1
                best = PAIR_DAYS + 1
                for row in range(start_row, n):
                    if out_first[row] == UNPAIRED or (out_status[row] >= 0) != (agreed == 1) or out_flags[row] & ADJUDICATION_IGNORED:
                        continue
                    for k in range(at3[s], at3[s + 1]):
                        if used3[k] != 0:
                            continue
                        gap = day3[k] - out_first[row] if day3[k] > out_first[row] else out_first[row] - day3[k]
                        other = day3[k] - out_second[row] if day3[k] > out_second[row] else out_second[row] - day3[k]
                        if other < gap:
                            gap = other
                        if gap < best:
                            best, best_row, best_k = gap, row, k
                if best_row < 0:
                    break
                used3[best_k] = 1
                if agreed == 1:
                    out_flags[best_row] |= ADJUDICATION_IGNORED
                else:
                    out_status[best_row] = status3[best_k]
                    out_seq[best_row] = seq3[best_k]
                    out_flags[best_row] |= ADJUDICATED
                    out_first[best_row] = UNPAIRED
        for row in range(start_row, n):
            if out_status[row] < 0:
                out_status[row] = NE
                out_flags[row] |= PENDING
        for side in range(2):
            start = at1[s] if side == 0 else at2[s]
            end = at1[s + 1] if side == 0 else at2[s + 1]
            for i in range(start, end):
                used = used1[i] if side == 0 else used2[i]
                if used != 0:
                    continue
                d = day1[i] if side == 0 else day2[i]
                stands = False
                for k in range(at4[s], at4[s + 1]):
                    if day4[k] - d <= PAIR_DAYS and d - day4[k] <= PAIR_DAYS:
                        stands = True
                if not stands:
                    out_subject[n] = s
                    out_day[n] = d
                    out_status[n] = NE
                    out_flags[n] = PENDING | SINGLE_READ
                    out_seq[n] = seq1[i] if side == 0 else seq2[i]
                    out_first[n] = UNPAIRED
                    n += 1
    return n
