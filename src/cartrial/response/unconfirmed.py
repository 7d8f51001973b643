"""Which progressions count, by the study's rule? What stops a reader's sequence as the kernel reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from cartrial.response.arrays import wide
from cartrial.response.sequence_kernel import Reads
from cartrial.response.unconfirmed_kernel import CONFIRMED, FINAL, OVERTURNED, Progression, Stops, date_back, settle_progressions
from cartrial.sdtm.records import NO_CUTOFF, Records
from cartrial.sdtm.records.codes import FAR

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["TRANSPLANT", "progression_of", "stops_of"]

_RULES = {"final": FINAL, "overturned": OVERTURNED, "confirmed": CONFIRMED}
_THERAPY = "SUBSEQUENT ANTICANCER THERAPY"
TRANSPLANT = "STEM CELL TRANSPLANT"
"""In the kind of every procedure that is one, whoever gave the cells."""


def progression_of(study: Study, records: Records) -> Callable[[Reads], None]:
    """Return what makes progressions that do not count indeterminate, in place, of one reader's calls.

    Parameters
    ----------
    study : Study
        `disease.progression`: `final` leaves the calls as they are; by `lyric` a progression is dated at the indeterminate read before it.
    records : Records
        Transplants and new therapies after the infusion, and deaths, by the earliest day that they can be on.
    """
    name, days = study.disease.progression
    if name == "final":
        return lambda reads: None
    stops, roles = stops_of(records), study.disease.family.roles
    if name == "lyric":
        return lambda reads: date_back(len(reads.day), reads, stops, roles)
    rule = Progression(_RULES[name], days)
    return lambda reads: settle_progressions(len(reads.day), reads, stops, roles, rule)


def stops_of(records: Records) -> Stops:
    """Return what ends a reader's sequence, by subject: transplants and new therapies after the infusion, and deaths."""
    subjects = records.subjects
    start = subjects.select("SUBJ", "DAY0")
    kinds = [records.therapies.filter(pl.col("KIND") == _THERAPY), records.procedures.filter(pl.col("KIND").str.contains(TRANSPLANT))]
    events = pl.concat([frame.select("SUBJ", "DAY") for frame in kinds]).join(start, on="SUBJ").filter(pl.col("DAY") > pl.col("DAY0"))

    def first(frame: pl.DataFrame) -> pl.Series:
        day = frame.group_by("SUBJ").agg(pl.col("DAY").min())
        return subjects.select("SUBJ").join(day, on="SUBJ", how="left", maintain_order="left")["DAY"]

    return Stops(
        wide(subjects["DAY0"], FAR),
        wide(first(events), FAR),
        wide(first(records.deaths.select("SUBJ", "DAY")), FAR),
        wide(subjects["CUTOFF"], NO_CUTOFF),
    )
