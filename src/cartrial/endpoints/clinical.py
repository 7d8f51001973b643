"""Which progressions that a clinician saw are an event of an endpoint that says so (rules of lymphoma, L8)?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cartrial.response.arrays import Calls, offsets, wide
from cartrial.response.clinical import clinical_progressions
from cartrial.sdtm.records import Records
from cartrial.study.criteria.codes import RESPONSES

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["with_clinical"]


def with_clinical(study: Study, records: Records, calls: Calls) -> Calls:
    """Return one reader's assessments with the clinical progressions among them, as assessments of the event of the disease."""
    found = clinical_progressions(study, records)
    if found.is_empty():
        return calls
    many, nothing = found.height, np.full(found.height, -1, np.int64)
    status = np.full(many, RESPONSES.index(study.disease.family.names.ended), np.int64)
    added = (wide(found["DAY"]), status, wide(found["FLAGS"]), wide(found["SEQ"], -1), np.zeros(many, np.int64), nothing)
    own = (calls.day, calls.status, calls.flags, calls.seq, calls.mrd, calls.mrd_seq)
    subject = np.concatenate([calls.subject, wide(found["SUBJ"])])
    columns = [np.concatenate(pair) for pair in zip(own, added, strict=True)]
    # on one date imaging comes first
    order = np.lexsort((np.arange(len(subject)), columns[0], subject))
    return Calls(offsets(subject[order], len(calls.at) - 1), *(column[order] for column in columns))
