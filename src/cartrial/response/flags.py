"""Which words stand for the flags of an assessment?"""

from __future__ import annotations

from functools import cache

from cartrial.response.codes import (
    ACCEPTED_RECORD,
    ADJUDICATED,
    ADJUDICATION_IGNORED,
    AFTER_RELAPSE,
    BASELINE_MISSING,
    BEFORE_REMISSION,
    BLOOD_NOT_RECORDED,
    CHANGE_BY_SCORE,
    CHANGE_NOT_RECORDED,
    CLINICAL,
    CLINICAL_DISPOSITION,
    CNS2,
    COMMITTEE_CALL,
    COUNTS_MISSING,
    CT_PROGRESSION,
    DATED_BACK,
    EMD_ASSUMED_ABSENT,
    EMD_NOT_RECORDED,
    EMD_TAKEN_AS_ABSENT,
    EMD_UNPROVEN,
    FLARE_LESION,
    FLARE_SUM,
    FLARE_UPTAKE,
    FREE_ASSUMED,
    FREE_OF_RELAPSE,
    FROM_IMAGING,
    FROM_LAB,
    FROM_PET,
    IMAGING_BASELINE_MISSING,
    INADEQUATE_MARROW,
    INDETERMINATE_WITHOUT_REMISSION,
    LESIONS_JOINED,
    LESSER_RESPONSE,
    LIMIT_UNDECIDED,
    LOWER_CATEGORY,
    MARROW_NOT_CLEARED,
    MRD_OTHER_SAMPLE,
    NEW_LESION_SEEN,
    NO_DISEASE,
    NOT_AVID,
    NR_AFTER_REMISSION,
    PENDING,
    PET_BASELINE_MISSING,
    PET_CARRIED,
    PET_MISSING,
    RELAPSE_DATES_DIFFER,
    RELAPSE_UNADJUDICATED,
    RELAPSE_WITHOUT_REMISSION,
    SINGLE_READ,
    SPLEEN_NOT_MEASURED,
    TARGET_NOT_EVALUATED,
    TRANSFUSED,
    UNCONFIRMED,
)
from cartrial.study.criteria.families import Family
from cartrial.study.criteria.leukaemia import LEUKAEMIA

__all__ = ["FLAGS", "flag_names", "flag_words"]

_FLAGS = {
    COUNTS_MISSING: "counts missing",
    BLOOD_NOT_RECORDED: "circulating blasts not recorded",
    EMD_TAKEN_AS_ABSENT: "EMD not recorded, absent at baseline",
    RELAPSE_WITHOUT_REMISSION: "RELAPSE without an earlier remission, taken as NR",
    NR_AFTER_REMISSION: "NR or PD after remission, taken as RELAPSE",
    AFTER_RELAPSE: "after {event}, does not count",
    LOWER_CATEGORY: "readers agree on the lower category",
    PENDING: "pending",
    ADJUDICATED: "adjudicated",
    ADJUDICATION_IGNORED: "adjudication ignored, readers agree",
    SINGLE_READ: "one read only",
    MRD_OTHER_SAMPLE: "MRD from another sample within 14 days",
    EMD_NOT_RECORDED: "EMD not recorded",
    BASELINE_MISSING: "baseline missing, PD not assessable",
    INADEQUATE_MARROW: "marrow inadequate",
    RELAPSE_DATES_DIFFER: "{event} dates of the readers more than 14 days apart",
    TRANSFUSED: "count within the days after a transfusion",
    COMMITTEE_CALL: "committee call",
    FROM_LAB: "derived from LB",
    INDETERMINATE_WITHOUT_REMISSION: "INDETERMINATE without an earlier remission, taken as NR",
    RELAPSE_UNADJUDICATED: "{ended} by a reader, not adjudicated",
    LIMIT_UNDECIDED: "a result as a limit decides nothing",
    EMD_ASSUMED_ABSENT: "EMD never recorded, absent by assumption of the study file",
    FREE_OF_RELAPSE: "date last known free of {event}",
    FREE_ASSUMED: "free of {event} until the last contact, by assumption of the study file",
    CNS2: "CNS2",
    EMD_UNPROVEN: "disease outside the marrow suspected, no biopsy",
    LESSER_RESPONSE: "lesser response after CR",
    CT_PROGRESSION: "CT progression, PET negative",
    PET_CARRIED: "no PET, the last PET call stands",
    PET_MISSING: "no PET, not evaluable",
    BEFORE_REMISSION: "before the first day of a remission",
    FROM_IMAGING: "derived from TR",
    IMAGING_BASELINE_MISSING: "baseline imaging missing",
    NO_DISEASE: "no disease at baseline",
    TARGET_NOT_EVALUATED: "a target not evaluated",
    SPLEEN_NOT_MEASURED: "enlarged spleen not measured",
    MARROW_NOT_CLEARED: "marrow not cleared",
    NEW_LESION_SEEN: "new lesion",
    CHANGE_NOT_RECORDED: "change of uptake not recorded",
    CHANGE_BY_SCORE: "change of uptake by the scores",
    PET_BASELINE_MISSING: "no PET at baseline, no call by PET",
    NOT_AVID: "no avid disease at baseline, no call by PET",
    LESIONS_JOINED: "split or merged lesions",
    UNCONFIRMED: "{ended} not confirmed",
    ACCEPTED_RECORD: "accepted record",
    FROM_PET: "derived from uptake (FA)",
    CLINICAL: "clinical {event}",
    CLINICAL_DISPOSITION: "clinical {event} (DS)",
    FLARE_SUM: "IR1, the sum of products up by half",
    FLARE_LESION: "IR2, a lesion new or grown",
    FLARE_UPTAKE: "IR3, uptake alone",
    DATED_BACK: "{ended} dated at the indeterminate read",
}


@cache
def flag_words(family: Family) -> dict[int, str]:
    """Return the words of each flag, with the event of a family of criteria.

    Examples
    --------
    >>> from cartrial.response.codes import AFTER_RELAPSE
    >>> from cartrial.response.flags import flag_words
    >>> from cartrial.study import FAMILIES
    >>> [flag_words(family)[AFTER_RELAPSE] for family in FAMILIES.values()]
    ['after relapse, does not count', 'after progression, does not count']
    """
    return {bit: family.names.put(words) for bit, words in _FLAGS.items()}


FLAGS = flag_words(LEUKAEMIA)
"""Bits of an assessment's flags, and their words under criteria of leukaemia."""


def flag_names(flags: int, family: Family = LEUKAEMIA) -> str:
    """Return the flags of a number in words, joined by ``; ``.

    Examples
    --------
    >>> from cartrial.response import FLAGS, flag_names
    >>> flag_names(0b11)
    'counts missing; circulating blasts not recorded'
    >>> flag_names(sum(FLAGS)).count(";") + 1 == len(FLAGS)
    True
    """
    return "; ".join(words for bit, words in flag_words(family).items() if flags & bit)
