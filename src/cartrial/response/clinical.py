"""Which progressions were seen by a clinician, without imaging (rules of lymphoma, L8)?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.response.arrays import usable
from cartrial.response.codes import CLINICAL, CLINICAL_DISPOSITION
from cartrial.sdtm.records import Records
from cartrial.sdtm.vocabulary.dispositions import CLINICAL_PROGRESSION
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.response_criteria import status_of
from cartrial.sdtm.vocabulary.terms import normalised, value_of

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["CLINICAL_TEST", "clinical_progressions"]

CLINICAL_TEST = "CLINRESP"
"""The test of RS of a response that a clinician sees."""


def clinical_progressions(study: Study, records: Records) -> pl.DataFrame:
    """Return what DS and RS (CLINRESP) say of a clinical progression after the infusion: SUBJ, DAY, SEQ and FLAGS.

    Parameters
    ----------
    study : Study
        Its family says what the event is.
    records : Records
        Of whole dates up to the cutoff.
    """
    ended = study.disease.family.names.ended
    told = records.dispositions.filter(pl.col("KIND").str.contains(CLINICAL_PROGRESSION)).select("SUBJ", "DAY", "DAYX", "SEQ")
    parts = [told.with_columns(pl.lit(CLINICAL_DISPOSITION).alias("FLAGS"))]
    rs = records.extra.get("RS")
    if rs is not None and {"RSTESTCD", "DAY", "DAYX"} <= set(rs.columns):
        said = status_of(pl.coalesce(value_of(rs, "RSSTRESC"), value_of(rs, "RSORRES")), study.disease.family) == ended
        seen = rs.filter((normalised(pl.col("RSTESTCD")) == CLINICAL_TEST) & said & happened(rs, "RS"))
        parts.append(seen.select(*told.columns, pl.lit(CLINICAL).alias("FLAGS")))
    start = records.subjects.select("SUBJ", "DAY0")
    found = usable(pl.concat(parts, how="vertical_relaxed"), records.subjects).join(start, on="SUBJ").filter(pl.col("DAY") > pl.col("DAY0"))
    return found.select("SUBJ", "DAY", "SEQ", "FLAGS").sort("SUBJ", "DAY", "SEQ").unique(["SUBJ", "DAY"], keep="first", maintain_order=True)
