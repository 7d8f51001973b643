"""What was the status at each assessment, by each reader, and is it usable? ADRESP, one row by subject, reader and assessment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.course import SOURCES
from cartrial.endpoints.populations import Populations
from cartrial.endpoints.sets.adrs import words_of_flags
from cartrial.endpoints.sets.trace import are_lean, as_dates, constant, domain_of, take
from cartrial.response.arrays import Calls
from cartrial.response.codes import AFTER_RELAPSE, MRD, PENDING
from cartrial.response.modality_kernel import PAIRED_DAYS
from cartrial.sdtm.records import READERS
from cartrial.sdtm.records.codes import CT, FAR, PET
from cartrial.study.criteria.codes import NE, RESPONSES

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["AFTER_DEATH", "derive_adresp"]

AFTER_DEATH = "dated after the death"
_WHY_NOT = (
    "not evaluable",
    "pending: the readers disagree or one has not read",
    "after {event}, which is final",
    AFTER_DEATH,
)


def derive_adresp(study: Study, populations: Populations) -> pl.DataFrame:
    """Return ADRESP.

    Parameters
    ----------
    study : Study
    populations : Populations

    Returns
    -------
    polars.DataFrame
        SUBJ, READER, CARDAY, ADT, AVALC, ADEQUATE, USABLE, REASON, MRD, ORRES, METHOD, SRCDOM, SRCSEQ, FLAGS. USABLE says whether it
        may count before any strategy: adequate, not after a relapse and not after the death; what a strategy stops depends on the endpoint.
    """
    course = populations.course
    dated = course.frame["DATED"].to_numpy()
    frames = []
    for code, reader in enumerate(READERS):
        calls = populations.calls[code]
        subject = calls.subject
        rows = len(subject)
        day0 = course.day0[subject]
        relative = pl.Series(np.where(day0 < FAR, calls.day - day0, 0).astype(np.int32))
        adequate = calls.status != NE
        after = (calls.flags & AFTER_RELAPSE) != 0
        dead = calls.day > course.death[subject]
        usable = adequate & ~after & ~dead
        reason = np.where((calls.flags & PENDING) != 0, 1, np.where(~adequate, 0, np.where(after, 2, -1)))
        reason = np.where(dead, 3, reason)
        frames.append(
            pl.DataFrame(
                {
                    "SUBJ": pl.Series(subject.astype(np.int32)),
                    "READER": constant(reader, rows),
                    "CARDAY": relative.zip_with(pl.Series(day0 < FAR), pl.Series([None], dtype=pl.Int32).new_from_index(0, rows)),
                    "ADT": as_dates(calls.day, dated[subject]),
                    "AVALC": take(RESPONSES, calls.status),
                    "ADEQUATE": take(("N", "Y"), adequate.astype(np.int64)),
                    "USABLE": take(("N", "Y"), usable.astype(np.int64)),
                    **({} if are_lean() else _told(study, calls, reason)),
                }
            )
        )
    if are_lean():
        return pl.concat(frames)
    frame = pl.concat(frames).with_columns(pl.when(pl.col("SRCSEQ") >= 0).then(pl.col("SRCSEQ")).alias("SRCSEQ"))
    frame = frame.with_columns(_methods(study, populations.records.calls, frame))
    if "ORRES" not in populations.records.calls.columns:
        return frame.with_columns(pl.lit(None, dtype=pl.String).alias("ORRES"))
    collected = populations.records.calls.select("SUBJ", pl.col("SEQ").alias("SRCSEQ"), pl.lit("RS").alias("SRCDOM"), "ORRES")
    collected = collected.filter(pl.col("SRCSEQ").is_not_null()).unique(["SUBJ", "SRCSEQ"], keep="first", maintain_order=True)
    return frame.join(collected, on=["SUBJ", "SRCDOM", "SRCSEQ"], how="left", maintain_order="left")


def _told(study: Study, calls: Calls, reason: np.ndarray) -> dict[str, pl.Series]:
    """Return what is told of each assessment beside the call, and from where it is."""
    return {
        "REASON": take([study.disease.family.names.put(words) for words in _WHY_NOT], reason),
        "MRD": take(MRD, calls.mrd),
        "SRCDOM": take(SOURCES, domain_of(calls.flags)),
        "SRCSEQ": pl.Series(calls.seq),
        "FLAGS": words_of_flags(study.disease.family, calls.flags),
    }


def _methods(study: Study, calls: pl.DataFrame, frame: pl.DataFrame) -> pl.Series:
    """Return by what an assessment was made, where its records say so: PET-CT or CT. An overall call is of what its visit has a call by."""
    none = pl.Series("METHOD", [None], dtype=pl.String).new_from_index(0, frame.height)
    if not study.disease.family.modalities or "MODALITY" not in calls.columns:
        return none
    words = pl.col("MODALITY").replace_strict({PET: "PET-CT", CT: "CT"}, default=None, return_dtype=pl.String)
    said = calls.select("SUBJ", pl.col("SEQ").alias("SRCSEQ"), "READER", pl.col("DAY").alias("CALLED"), words.alias("OWN"))
    own = said.filter(pl.col("SRCSEQ").is_not_null()).unique(["SUBJ", "SRCSEQ"], keep="first", maintain_order=True)
    from_rs = pl.when(pl.col("SRCDOM") == "RS").then("SRCSEQ").alias("SRCSEQ")
    asked = frame.with_row_index("AT").select("AT", "SUBJ", from_rs, "SRCDOM").join(own, on=["SUBJ", "SRCSEQ"], how="left")
    parts = said.filter(pl.col("OWN").is_not_null()).select("SUBJ", "READER", pl.col("CALLED").alias("SEEN"), pl.col("OWN").alias("PART"))
    near = asked.filter(pl.col("OWN").is_null() & pl.col("CALLED").is_not_null()).join(parts, on=["SUBJ", "READER"])
    near = near.filter((pl.col("SEEN") - pl.col("CALLED")).abs() <= PAIRED_DAYS).group_by("AT").agg(pl.col("PART").max())
    # a status from measurements is of the domain that it was derived from
    measured = pl.col("SRCDOM").replace_strict({"TR": "CT", "FA": "PET-CT"}, default=None, return_dtype=pl.String)
    return asked.join(near, on="AT", how="left").sort("AT").select(pl.coalesce("OWN", "PART", measured).alias("METHOD"))["METHOD"]
