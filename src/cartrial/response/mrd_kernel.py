"""Which MRD sample belongs to an assessment?"""

from __future__ import annotations

from math import inf, isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part
from cartrial.response.codes import MRD_MISSING, MRD_NOT_EVALUABLE, MRD_OTHER_SAMPLE, MRD_POSITIVE

__all__ = ["Assessments", "MrdCalls", "MrdSamples", "assess_mrd"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

SAMPLE_DAYS = 14

NO_SAMPLE = -1


class Assessments(NamedTuple):
    """Subject and day of each assessment."""

    subject: Integers
    day: Integers


class MrdSamples(NamedTuple):
    """MRD samples, by subject and day: those of subject s stand from `at[s]` to `at[s + 1]`.

    `call`: what the sample says by itself. `lod`: limit of detection, nan where unknown.
    """

    at: Integers
    day: Integers
    call: Integers
    lod: Floats
    seq: Integers


class MrdCalls(NamedTuple):
    """Filled for each assessment: the call, the flag of another sample beside those that stand there, and the sample's record."""

    call: Integers
    flags: Integers
    source: Integers


class Rank(NamedTuple):
    """How well a sample fits an assessment; the least fits best."""

    unevaluable: bool
    other_date: bool
    lod: float
    gap: int
    earliness: int
    unlike_positive: bool


@kernel
def assess_mrd(assessments: Assessments, cutoff: Integers, samples: MrdSamples, calls: MrdCalls) -> None:
    """Fill `calls` for every assessment; no sample after a subject's cutoff is used."""
    for i in range(len(assessments.day)):
        s, day = assessments.subject[i], assessments.day[i]
        j = best_sample(samples, s, day, cutoff[s])
        call, source, flags = MRD_MISSING, NO_SAMPLE, 0
        if j != NO_SAMPLE:
            call, source = samples.call[j], samples.seq[j]
            flags = MRD_OTHER_SAMPLE if samples.day[j] != day else 0
        calls.call[i], calls.source[i] = call, source
        calls.flags[i] |= flags


@part
def best_sample(samples: MrdSamples, s: int, day: int, cutoff: int) -> int:
    """An evaluable sample of the date, else within 14 days (rules, A12): the most sensitive assay, the nearest, the later (paragraph 3).

    Of one date and limit a positive one (A8).
    """
    best, best_rank = NO_SAMPLE, Rank(True, True, inf, SAMPLE_DAYS + 1, 0, True)
    for j in range(samples.at[s], samples.at[s + 1]):
        gap = abs(samples.day[j] - day)
        if gap <= SAMPLE_DAYS and samples.day[j] <= cutoff:
            rank = Rank(
                samples.call[j] == MRD_NOT_EVALUABLE,
                gap > 0,
                known_lod(samples.lod[j]),
                gap,
                -samples.day[j],
                samples.call[j] != MRD_POSITIVE,
            )
            # of two that fit equally the later record
            if rank <= best_rank:
                best, best_rank = j, rank
    return best


@part
def known_lod(lod: float) -> float:
    """An unknown limit of detection is less sensitive than any known one."""
    return 2.0 if isnan(lod) else lod
