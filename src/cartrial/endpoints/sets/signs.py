"""On which days was there a sign that the disease had not come back, without a marrow? What a rate reads of assessments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.course import recorded_free
from cartrial.endpoints.rules.course_kernel import Reads
from cartrial.endpoints.rules.inputs import reads_of
from cartrial.response.arrays import offsets, usable
from cartrial.response.codes import FREE_OF_RELAPSE, MRD_MISSING
from cartrial.response.lab_kernel import NEAR_DAYS
from cartrial.sdtm.vocabulary.results import result_bounds
from cartrial.study.criteria.codes import NE

if TYPE_CHECKING:
    from cartrial.endpoints.populations import Populations
    from cartrial.study.endpoint import Endpoint

__all__ = ["reads_for_rate"]


def reads_for_rate(populations: Populations, endpoint: Endpoint, reader: int) -> tuple[Reads, np.ndarray]:
    """Return a reader's assessments as a rate reads them, and at which place each stands among his calls.

    Parameters
    ----------
    populations : Populations
    endpoint : Endpoint
        A response rate. With `sustained-by: no-relapse` signs of no relapse stand among the assessments, at place -1.
    reader : int
    """
    calls, course = populations.calls[reader], populations.course
    reads = reads_of(calls, course)
    if not endpoint.sustained_days or endpoint.sustained_by != "no-relapse":
        return reads, np.arange(len(calls.day))
    signs = _signs(populations)
    who, day = signs["SUBJ"].to_numpy().astype(np.int64), signs["DAY"].to_numpy().astype(np.int64)
    kept = day <= course.death[who]
    who, day = who[kept], day[kept]
    subject = np.concatenate([calls.subject, who])
    order = np.lexsort((np.repeat([0, 1], [len(calls.day), len(day)]), np.concatenate([reads.day, day]), subject))

    def joined(values: np.ndarray, added: int) -> np.ndarray:
        return np.ascontiguousarray(np.concatenate([values, np.full(len(day), added, np.int64)])[order])

    place = joined(np.arange(len(calls.day)), -1)
    days = np.ascontiguousarray(np.concatenate([reads.day, day])[order])
    at = offsets(subject[order], len(course.day0))
    return Reads(at, days, joined(reads.status, NE), joined(reads.flags, FREE_OF_RELAPSE), joined(reads.mrd, MRD_MISSING)), place


def _signs(populations: Populations) -> pl.DataFrame:
    """Return the days of blood without blasts, with no disease outside the marrow near, and those recorded as free of relapse."""
    records = populations.records
    blood = pl.col("DONE") & (pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BLOOD")
    blasts = usable(records.labs, records.subjects).filter(blood).with_columns(result_bounds())
    daily = blasts.group_by("SUBJ", "DAY").agg((pl.col("HIGH") == 0).all().alias("CLEAR")).filter("CLEAR").select("SUBJ", "DAY")
    lesions = usable(records.lesions, records.subjects).filter(pl.col("PRESENT") > 0).select("SUBJ", pl.col("DAY").alias("SEEN"))
    near = daily.join(lesions, on="SUBJ").filter((pl.col("DAY") - pl.col("SEEN")).abs() <= NEAR_DAYS)
    daily = daily.join(near.select("SUBJ", "DAY").unique(), on=["SUBJ", "DAY"], how="anti")
    said = usable(recorded_free(records), records.subjects).select("SUBJ", "DAY")
    return pl.concat([daily, said]).unique().sort("SUBJ", "DAY")
