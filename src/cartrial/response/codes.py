"""Which numbers stand for MRD calls and flags?"""

from __future__ import annotations

__all__ = ["FLAGS", "MRD", "flag_names"]

# MRD of a remission's sample
MRD_MISSING, MRD_NEGATIVE, MRD_POSITIVE, MRD_NOT_EVALUABLE = range(4)
MRD = (None, "NEGATIVE", "POSITIVE", "NOT EVALUABLE")
"""Calls of residual disease, each at the place of its code."""

# what other tests say of a marrow: nothing, a relapse, or neither a relapse nor a remission yet
NOTHING_SAID, PROVEN, PENDING_PROOF = range(3)

COUNTS_MISSING = 1 << 0
BLOOD_NOT_RECORDED = 1 << 1
EMD_TAKEN_AS_ABSENT = 1 << 2
RELAPSE_WITHOUT_REMISSION = 1 << 3
NR_AFTER_REMISSION = 1 << 4
AFTER_RELAPSE = 1 << 5
LOWER_CATEGORY = 1 << 6
PENDING = 1 << 7
ADJUDICATED = 1 << 8
ADJUDICATION_IGNORED = 1 << 9
SINGLE_READ = 1 << 10
MRD_OTHER_SAMPLE = 1 << 11
EMD_NOT_RECORDED = 1 << 12
BASELINE_MISSING = 1 << 13
INADEQUATE_MARROW = 1 << 14
RELAPSE_DATES_DIFFER = 1 << 15
TRANSFUSED = 1 << 16
COMMITTEE_CALL = 1 << 17
FROM_LAB = 1 << 18
INDETERMINATE_WITHOUT_REMISSION = 1 << 19
RELAPSE_UNADJUDICATED = 1 << 20
LIMIT_UNDECIDED = 1 << 21
EMD_ASSUMED_ABSENT = 1 << 22
FREE_OF_RELAPSE = 1 << 23
FREE_ASSUMED = 1 << 24
CNS2 = 1 << 25
EMD_UNPROVEN = 1 << 26

FLAGS = {
    COUNTS_MISSING: "counts missing",
    BLOOD_NOT_RECORDED: "circulating blasts not recorded",
    EMD_TAKEN_AS_ABSENT: "EMD not recorded, absent at baseline",
    RELAPSE_WITHOUT_REMISSION: "RELAPSE without an earlier remission, taken as NR",
    NR_AFTER_REMISSION: "NR or PD after remission, taken as RELAPSE",
    AFTER_RELAPSE: "after relapse, does not count",
    LOWER_CATEGORY: "readers agree on the lower category",
    PENDING: "pending",
    ADJUDICATED: "adjudicated",
    ADJUDICATION_IGNORED: "adjudication ignored, readers agree",
    SINGLE_READ: "one read only",
    MRD_OTHER_SAMPLE: "MRD from another sample within 14 days",
    EMD_NOT_RECORDED: "EMD not recorded",
    BASELINE_MISSING: "baseline missing, PD not assessable",
    INADEQUATE_MARROW: "marrow inadequate",
    RELAPSE_DATES_DIFFER: "relapse dates of the readers more than 14 days apart",
    TRANSFUSED: "count within the days after a transfusion",
    COMMITTEE_CALL: "committee call",
    FROM_LAB: "derived from LB",
    INDETERMINATE_WITHOUT_REMISSION: "INDETERMINATE without an earlier remission, taken as NR",
    RELAPSE_UNADJUDICATED: "RELAPSE by a reader, not adjudicated",
    LIMIT_UNDECIDED: "a result as a limit decides nothing",
    EMD_ASSUMED_ABSENT: "EMD never recorded, absent by assumption of the study file",
    FREE_OF_RELAPSE: "date last known free of relapse",
    FREE_ASSUMED: "free of relapse until the last contact, by assumption of the study file",
    CNS2: "CNS2",
    EMD_UNPROVEN: "testis enlarged, no biopsy",
}
"""Bits of an assessment's flags, and their words."""


def flag_names(flags: int) -> str:
    """Return the flags of a number in words, joined by ``; ``.

    Examples
    --------
    >>> from cartrial.response import FLAGS, flag_names
    >>> flag_names(0b11)
    'counts missing; circulating blasts not recorded'
    >>> flag_names(sum(FLAGS)).count(";") + 1 == len(FLAGS)
    True
    """
    return "; ".join(words for bit, words in FLAGS.items() if flags & bit)
