"""Which MRD sample belongs to an assessment, and what does it say?"""

from __future__ import annotations

from math import inf, isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part
from cartrial.response.codes import MRD_MISSING, MRD_NEGATIVE, MRD_NOT_EVALUABLE, MRD_OTHER_SAMPLE, MRD_POSITIVE

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

    `value`: a fraction, nan where there is none. `below`: reported negative or below the limit. `positive`: reported so. `lod`: limit
    of detection, nan where unknown.
    """

    at: Integers
    day: Integers
    value: Floats
    below: Integers
    positive: Integers
    lod: Floats
    seq: Integers


class MrdCalls(NamedTuple):
    """Filled for each assessment: the call, the flag of another sample beside those that stand there, and the sample's record."""

    call: Integers
    flags: Integers
    source: Integers


class Sample(NamedTuple):
    """One sample's result."""

    value: float
    below: int
    positive: int
    lod: float


class Rank(NamedTuple):
    """How well a sample fits an assessment; the least fits best."""

    other_date: bool
    lod: float
    gap: int
    earliness: int


@kernel
def assess_mrd(assessments: Assessments, cutoff: Integers, samples: MrdSamples, negative_below: float, calls: MrdCalls) -> None:
    """Fill `calls` for every assessment; no sample after a subject's cutoff is used."""
    for i in range(len(assessments.day)):
        s, day = assessments.subject[i], assessments.day[i]
        j = best_sample(samples, s, day, cutoff[s])
        call, source, flags = MRD_MISSING, NO_SAMPLE, 0
        if j != NO_SAMPLE:
            call = call_of(Sample(samples.value[j], samples.below[j], samples.positive[j], samples.lod[j]), negative_below)
            source = samples.seq[j]
            flags = MRD_OTHER_SAMPLE if samples.day[j] != day else 0
        calls.call[i], calls.source[i] = call, source
        calls.flags[i] |= flags


@part
def best_sample(samples: MrdSamples, s: int, day: int, cutoff: int) -> int:
    """The sample of the date, else within 14 days: the most sensitive assay, the nearest, the later (rules, paragraph 3)."""
    best, best_rank = NO_SAMPLE, Rank(True, inf, SAMPLE_DAYS + 1, 0)
    for j in range(samples.at[s], samples.at[s + 1]):
        gap = abs(samples.day[j] - day)
        if gap <= SAMPLE_DAYS and samples.day[j] <= cutoff:
            rank = Rank(gap > 0, known_lod(samples.lod[j]), gap, -samples.day[j])
            # of two that fit equally the later record
            if rank <= best_rank:
                best, best_rank = j, rank
    return best


@part
def known_lod(lod: float) -> float:
    """An unknown limit of detection is less sensitive than any known one."""
    return 2.0 if isnan(lod) else lod


@part
def call_of(sample: Sample, negative_below: float) -> int:
    """Positive at any limit of detection, negative only below it; else not evaluable (rules, paragraph 3)."""
    measured = not isnan(sample.value)
    if (measured and sample.value >= negative_below and not sample.below) or (sample.positive and not measured):
        return MRD_POSITIVE
    if not measured and not sample.below:
        return MRD_MISSING
    return MRD_NEGATIVE if sample.lod <= negative_below else MRD_NOT_EVALUABLE
