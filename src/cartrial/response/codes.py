"""Which numbers stand for MRD calls and flags?"""

from __future__ import annotations

__all__ = ["MRD"]

# MRD of a remission's sample
MRD_MISSING, MRD_NEGATIVE, MRD_POSITIVE, MRD_NOT_EVALUABLE = range(4)
MRD = (None, "NEGATIVE", "POSITIVE", "NOT EVALUABLE")
"""Calls of residual disease, each at the place of its code."""

# what other tests say of an assessment: nothing; a relapse, and no remission; neither; or a relapse after a remission, and else nothing
NOTHING_SAID, PROVEN, PENDING_PROOF, RETURNED = range(4)

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
LESSER_RESPONSE = 1 << 27
CT_PROGRESSION = 1 << 28
PET_CARRIED = 1 << 29
PET_MISSING = 1 << 30
BEFORE_REMISSION = 1 << 40
