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

__all__ = ["RELAPSE_FREE", "is_followed", "recorded_free", "with_relapse_free"]

RELAPSE_FREE = "RLPSFREE"
"""RSTESTCD of a date on which a subject was last known to be free of relapse."""


def recorded_free(records: Records) -> pl.DataFrame:
    """Return the dates on which subjects were said to be free of relapse: SUBJ, DAY, SEQ, whole dates alone."""
    rs = records.extra.get("RS")
    if rs is None or not {"RSTESTCD", "DAY", "DAYX"} <= set(rs.columns):
        return pl.DataFrame(schema={"SUBJ": pl.Int32, "DAY": pl.Int32, "SEQ": pl.Int64})
    said = pl.col("RSTESTCD").str.strip_chars().str.to_uppercase() == RELAPSE_FREE
    return rs.filter(said & (pl.col("DAY") == pl.col("DAYX"))).select("SUBJ", "DAY", "SEQ").sort("SUBJ", "DAY", maintain_order=True)


def _days(study: Study, records: Records, course: Course) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the last day of each subject free of relapse, its SEQ in RS (-1 without), and whether the study file assumes the day."""
    last, sequence = np.full(len(course.cutoff), -FAR, np.int64), np.full(len(course.cutoff), -1, np.int64)
    rows = recorded_free(records)
    rows = rows.filter(pl.Series(rows["DAY"].to_numpy() <= course.cutoff[rows["SUBJ"].to_numpy()]))
    last[rows["SUBJ"].to_numpy()] = rows["DAY"].to_numpy()  # sorted by day: the last one stays
    sequence[rows["SUBJ"].to_numpy()] = rows["SEQ"].fill_null(-1).to_numpy()
    if study.events.relapse_free_until != "last-contact":
        return last, sequence, np.zeros(len(last), bool)
    assumed = course.alive > last
    return np.maximum(last, course.alive), np.where(assumed, -1, sequence), assumed


def _used(calls: Calls, course: Course) -> np.ndarray:
    """Whether a call is one that was made, up to the cutoff: bool, shape (calls,)."""
    made = (calls.flags & (FREE_OF_RELAPSE | FREE_ASSUMED)) == 0
    return np.asarray(made & (calls.day <= course.cutoff[calls.subject]))


def _is_remission(calls: Calls, course: Course) -> np.ndarray:
    remission = np.isin(calls.status, statuses_of(REMISSION)) & ((calls.flags & AFTER_RELAPSE) == 0)
    return np.asarray(remission & _used(calls, course))


def is_followed(study: Study, records: Records, course: Course, calls: Calls) -> np.ndarray:
    """Whether it is known until when each subject was free of relapse, recorded or assumed: bool, by subject.

    A day before the last remission says nothing of the time after it. A first and a best response are no follow-up: two of them do not say
    until when a remission was looked for.
    """
    remission = _is_remission(calls, course)
    response = np.full(len(course.cutoff), -FAR, np.int64)
    np.maximum.at(response, calls.subject[remission], calls.day[remission])
    last = _days(study, records, course)[0]
    return np.asarray((last > -FAR) & (last >= response))


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
    last, sequence, assumed = _days(study, records, course)
    last = np.minimum(np.minimum(last, course.cutoff), np.where(course.death < FAR, course.death - 1, FAR))
    return {code: _extended(of, last, sequence, assumed, course) for code, of in calls.items()}


def _extended(calls: Calls, last: np.ndarray, sequence: np.ndarray, assumed: np.ndarray, course: Course) -> Calls:
    count, subject, used = len(calls.at) - 1, calls.subject, _used(calls, course)
    relapsed = np.zeros(count, bool)
    relapsed[subject[used & (calls.status == RELAPSE)]] = True
    place = np.full(count, -1, np.int64)
    remission = np.flatnonzero(_is_remission(calls, course))
    place[subject[remission]] = remission  # sorted by day: the last one stays
    latest = np.full(count, -FAR, np.int64)
    np.maximum.at(latest, subject[used], calls.day[used])
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
        joined(calls.seq, sequence[new]),
        joined(calls.mrd, nothing),
        joined(calls.mrd_seq, without),
    )
