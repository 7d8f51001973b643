"""Which MRD sample belongs to an assessment, and what does it say?"""

from __future__ import annotations

from typing import Any

from cartrial.kernels import kernel
from cartrial.response.codes import MRD_MISSING, MRD_NEGATIVE, MRD_NOT_EVALUABLE, MRD_OTHER_SAMPLE, MRD_POSITIVE

__all__ = ["assess_mrd"]

SAMPLE_DAYS = 14


@kernel
def assess_mrd(
    subject: Any,
    day: Any,
    cutoff: Any,
    at: Any,
    mrd_day: Any,
    value: Any,
    below: Any,
    positive: Any,
    lod: Any,
    seq: Any,
    limit: float,
    call: Any,
    flags: Any,
    source: Any,
) -> None:
    """Fill the MRD call of every assessment.

    Parameters
    ----------
    subject, day : ndarray of int64, shape (assessments,)
    cutoff : ndarray of int64, shape (subjects,)
        No sample after it is used.
    at : ndarray of int64, shape (subjects + 1,)
        Where each subject's MRD samples start.
    mrd_day, value, below, positive, lod, seq : ndarray, shape (samples,)
        Fraction (nan where none), whether reported negative or below the limit, whether reported positive, limit of detection (nan
        where unknown).
    limit : float
        Negative is below it, by an assay whose limit of detection is at most it.
    call, flags, source : ndarray of int64, shape (assessments,)
        Filled.

    Notes
    -----
    The sample of the same date first, else within 14 days: the most sensitive assay, then the nearest, then the later.
    """
    for i in range(len(day)):
        s = subject[i]
        best = -1
        best_same = False
        best_lod = 0.0
        best_gap = 0
        for j in range(at[s], at[s + 1]):
            if mrd_day[j] > cutoff[s]:
                continue
            gap = mrd_day[j] - day[i] if mrd_day[j] > day[i] else day[i] - mrd_day[j]
            if gap > SAMPLE_DAYS:
                continue
            same = gap == 0
            sensitivity = lod[j] if lod[j] == lod[j] else 2.0
            better = best < 0
            if not better and same != best_same:
                better = same
            elif not better and sensitivity != best_lod:
                better = sensitivity < best_lod
            elif not better and gap != best_gap:
                better = gap < best_gap
            elif not better:
                better = mrd_day[j] >= mrd_day[best]
            if better:
                best, best_same, best_lod, best_gap = j, same, sensitivity, gap
        if best < 0:
            call[i] = MRD_MISSING
            continue
        v = value[best]
        known = v == v
        if (known and v >= limit and not below[best]) or (positive[best] and not known):
            found = MRD_POSITIVE
        elif (below[best] or known) and lod[best] <= limit:
            found = MRD_NEGATIVE
        elif below[best] or known:
            found = MRD_NOT_EVALUABLE
        else:
            found = MRD_MISSING
        call[i] = found
        source[i] = seq[best]
        if not best_same:
            flags[i] |= MRD_OTHER_SAMPLE
