"""Until when was each responder known to be free of relapse, in a source of best responses alone? (rules, A7)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.course import Course
from cartrial.response.arrays import offsets
from cartrial.response.assess import Calls
from cartrial.response.codes import AFTER_RELAPSE, FREE_ASSUMED, FREE_OF_RELAPSE
from cartrial.sdtm.records import Records
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import RELAPSE, REMISSION, statuses_of

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["RELAPSE_FREE", "is_followed", "with_relapse_free"]

RELAPSE_FREE = "RLPSFREE"
"""RSTESTCD of a date on which a subject was last known to be free of relapse."""


def _recorded_days(records: Records) -> np.ndarray:
    """Return the last recorded day of each subject free of relapse, -FAR without one: int64, shape (subjects,)."""
    last = np.full(records.subjects.height, -FAR, np.int64)
    rs = records.extra.get("RS")
    if rs is None or not {"RSTESTCD", "DAY", "DAYX"} <= set(rs.columns):
        return last
    rows = rs.filter((pl.col("RSTESTCD").str.strip_chars().str.to_uppercase() == RELAPSE_FREE) & (pl.col("DAY") == pl.col("DAYX")))
    rows = rows.select("SUBJ", "DAY").join(records.subjects.select("SUBJ", "CUTOFF"), on="SUBJ").filter(pl.col("DAY") <= pl.col("CUTOFF"))
    np.maximum.at(last, rows["SUBJ"].to_numpy(), rows["DAY"].to_numpy())
    return last


def _days(study: Study, records: Records, course: Course) -> tuple[np.ndarray, np.ndarray]:
    """Return the last day of each subject free of relapse, and whether the study file assumes it."""
    recorded = _recorded_days(records)
    if study.events.relapse_free_until != "last-contact":
        return recorded, np.zeros(len(recorded), bool)
    return np.maximum(recorded, course.alive), course.alive > recorded


def _is_remission(calls: Calls) -> np.ndarray:
    return np.asarray(np.isin(calls.status, statuses_of(REMISSION)) & ((calls.flags & AFTER_RELAPSE) == 0))


def is_followed(study: Study, records: Records, course: Course, calls: Calls) -> np.ndarray:
    """Whether it is known until when each subject was free of relapse: recorded, assumed, or a remission seen again: bool, by subject."""
    known = _days(study, records, course)[0] > -FAR
    remission = _is_remission(calls) & ((calls.flags & (FREE_OF_RELAPSE | FREE_ASSUMED)) == 0)
    seen = pl.DataFrame({"SUBJ": calls.subject[remission], "STATUS": calls.status[remission]}).group_by("SUBJ", "STATUS").len()
    known[seen.filter(pl.col("len") > 1)["SUBJ"].to_numpy()] = True
    return known


def with_relapse_free(study: Study, records: Records, calls: dict[int, Calls], course: Course) -> dict[int, Calls]:
    """Add, to each reader's assessments, the last day on which a subject in remission was free of relapse.

    What was known then holds before it: where a transplant or a new therapy stands between, its day is added too.

    Parameters
    ----------
    study : Study
        `events.relapse-free-until` says what is assumed.
    records : Records
        Of a source of best responses.
    calls : dict of int to Calls
        By reader code.
    course : Course
    """
    last, assumed = _days(study, records, course)
    last = np.minimum(np.minimum(last, course.cutoff), np.where(course.death < FAR, course.death - 1, FAR))
    return {code: _extended(of, last, assumed, course) for code, of in calls.items()}


def _extended(calls: Calls, last: np.ndarray, assumed: np.ndarray, course: Course) -> Calls:
    count, subject = len(calls.at) - 1, calls.subject
    relapsed = np.zeros(count, bool)
    relapsed[subject[calls.status == RELAPSE]] = True
    place = np.full(count, -1, np.int64)
    remission = np.flatnonzero(_is_remission(calls))
    place[subject[remission]] = remission  # sorted by day: the last one stays
    latest = np.full(count, -FAR, np.int64)
    np.maximum.at(latest, subject, calls.day)
    days = np.concatenate([last[None], course.ice])
    who, day = [], []
    for one in days:
        found = np.flatnonzero((place >= 0) & ~relapsed & (one > latest) & (one <= last))
        who.append(found)
        day.append(one[found])
    added = pl.DataFrame({"SUBJ": np.concatenate(who), "DAY": np.concatenate(day)}).unique().sort("SUBJ", "DAY")
    if added.is_empty():
        return calls
    new, at = added["SUBJ"].to_numpy(), added["DAY"].to_numpy()
    order = np.lexsort((np.concatenate([calls.day, at]), np.concatenate([subject, new])))
    nothing, without = np.zeros(len(new), np.int64), np.full(len(new), -1, np.int64)

    def joined(old: np.ndarray, more: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.concatenate([old, more])[order])

    return Calls(
        offsets(np.concatenate([subject, new])[order], count),
        joined(calls.day, at),
        joined(calls.status, calls.status[place[new]]),
        joined(calls.flags, np.where(assumed[new], FREE_ASSUMED, FREE_OF_RELAPSE)),
        joined(calls.seq, without),
        joined(calls.mrd, nothing),
        joined(calls.mrd_seq, without),
    )
