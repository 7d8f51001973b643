"""Until when was each responder known to be free of relapse, in a source of best responses alone? (rules, A7)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.course import Course, recorded_free
from cartrial.response.arrays import offsets
from cartrial.response.assess import Calls
from cartrial.response.codes import AFTER_RELAPSE, FREE_ASSUMED, FREE_OF_RELAPSE
from cartrial.sdtm.records import Records
from cartrial.sdtm.records.codes import FAR, INV
from cartrial.study.criteria.codes import RELAPSE, REMISSION, statuses_of

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["is_followed", "undated_relapse", "with_relapse_free"]


def _last_row(rows: pl.DataFrame, course: Course) -> tuple[np.ndarray, np.ndarray]:
    """Return the day (-FAR: none) and the SEQ (-1: none) of each subject's last row up to the cutoff, of rows sorted by day."""
    last, sequence = np.full(len(course.cutoff), -FAR, np.int64), np.full(len(course.cutoff), -1, np.int64)
    rows = rows.filter(pl.Series(rows["DAY"].to_numpy() <= course.cutoff[rows["SUBJ"].to_numpy()]))
    last[rows["SUBJ"].to_numpy()] = rows["DAY"].to_numpy()
    sequence[rows["SUBJ"].to_numpy()] = rows["SEQ"].fill_null(-1).to_numpy()
    return last, sequence


def _days(study: Study, records: Records, course: Course) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the last day of each subject free of relapse, its SEQ (-1 without), and whether the study file assumes the day.

    An assumed day is that of the last contact, a status of SS. No other record is one: the response has one of its own, and nobody looked
    for a relapse on the day of a transplant.
    """
    last, sequence = _last_row(recorded_free(records), course)
    if study.events.relapse_free_until != "last-contact":
        return last, sequence, np.zeros(len(last), bool)
    seen = records.survival.filter(pl.col("ALIVE") & (pl.col("DAY") == pl.col("DAYX")))
    contact, status = _last_row(seen, course)
    assumed = contact > last
    return np.where(assumed, contact, last), np.where(assumed, status, sequence), assumed


def undated_relapse(records: Records, course: Course, calls: Calls, reader: int) -> np.ndarray:
    """Return the earliest day of each subject's relapse whose day is not known, by one reader: int64, `FAR` where there is none.

    A partial date that can contain the whole one of a relapse is of the same relapse. One that is wholly after the cutoff, or wholly before
    the reader's first remission, is of none.
    """
    remission = _is_remission(calls, course)
    first = np.full(len(course.cutoff), FAR, np.int64)
    np.minimum.at(first, calls.subject[remission], calls.day[remission])
    by = (pl.col("READER") == INV) == (reader == INV)
    recorded = records.calls.filter(by & (pl.col("RESP") == RELAPSE))
    whole = recorded.filter(pl.col("DAY") == pl.col("DAYX")).select("SUBJ", pl.col("DAY").alias("WHOLE"))
    partial = recorded.filter(pl.col("DAY") < pl.col("DAYX")).select("SUBJ", "DAY", "DAYX")
    same = partial.join(whole, on="SUBJ").filter(pl.col("WHOLE").is_between(pl.col("DAY"), pl.col("DAYX")))
    partial = partial.join(same, on=["SUBJ", "DAY", "DAYX"], how="anti")
    partial = partial.filter(pl.Series(partial["DAYX"].to_numpy() > first[partial["SUBJ"].to_numpy()]))
    earliest = np.full(len(course.cutoff), FAR, np.int64)
    np.minimum.at(earliest, partial["SUBJ"].to_numpy(), partial["DAY"].to_numpy())
    return np.where(earliest <= course.cutoff, earliest, FAR)


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
    until when a remission was looked for, and neither is a contact by which something may be assumed.
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
    last = np.minimum(last, np.where(course.death < FAR, course.death - 1, FAR))
    extended = {}
    for code, of in calls.items():
        # who relapsed on a day that is not known was not free of relapse on a day that may be after it
        free = last < undated_relapse(records, course, of, code)
        extended[code] = _extended(of, np.where(free, last, -FAR), sequence, assumed, course)
    return extended


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
        # an assumed day is shown as assumed, on the day of the response too
        found = np.flatnonzero((place >= 0) & ~relapsed & ((one > latest) | (assumed & (one == latest))) & (one <= last))
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
