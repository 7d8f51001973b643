"""Until when was each responder known to be free of relapse, in a source of best responses alone? (rules, A7)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.course import Course, recorded_free
from cartrial.response.arrays import Calls, offsets
from cartrial.response.codes import AFTER_RELAPSE, FREE_ASSUMED, FREE_OF_RELAPSE
from cartrial.sdtm.records import Records
from cartrial.sdtm.records.codes import FAR, INV
from cartrial.sdtm.records.tables import table_calls
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.study.criteria.codes import Roles, statuses_of

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["called", "is_followed", "undated_call", "undated_relapse", "undated_response", "with_relapse_free"]


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


def _every_call(study: Study, records: Records) -> pl.DataFrame | None:
    """Return the calls of a source, those of no known day among them; None where it has no RS."""
    rs = records.extra.get("RS")
    if rs is None or records.every_call is not None:
        return None if rs is None else records.every_call
    return table_calls(study, {"RS": rs.filter(happened(rs, "RS"))}, dated=False)


def _undated(study: Study, records: Records, course: Course, reader: int, statuses: Sequence[int]) -> pl.DataFrame:
    """Return the calls of a reader whose day is not known, up to the cutoff: SUBJ, DAY and DAYX, which may be any day without a date."""
    calls = _every_call(study, records)
    if calls is None:
        return pl.DataFrame(schema={"SUBJ": pl.Int32, "DAY": pl.Int64, "DAYX": pl.Int64})
    by = (pl.col("READER") == INV) == (reader == INV)
    vague = pl.col("DAY").is_null() | (pl.col("DAY") < pl.col("DAYX"))
    calls = calls.filter(by & pl.col("RESP").is_in(statuses) & vague)
    days = (pl.col("DAY").cast(pl.Int64).fill_null(-FAR), pl.col("DAYX").cast(pl.Int64).fill_null(FAR))
    calls = calls.select("SUBJ", *days)
    return calls.filter(pl.Series(calls["DAY"].to_numpy() <= course.cutoff[calls["SUBJ"].to_numpy()]))


def _first_response(roles: Roles, calls: Calls, course: Course) -> np.ndarray:
    remission = _is_response(roles, calls, course)
    first = np.full(len(course.cutoff), FAR, np.int64)
    np.minimum.at(first, calls.subject[remission], calls.day[remission])
    return first


def undated_relapse(study: Study, records: Records, course: Course, calls: Calls, reader: int) -> np.ndarray:
    """Return the earliest day of each subject's relapse whose day is not known, by one reader: int64, `FAR` where there is none.

    A date that can contain the whole one of a relapse is of the same relapse. One that is wholly after the cutoff, or wholly before the
    reader's first remission, is of none.
    """
    roles = study.disease.family.roles
    ends = statuses_of(roles.ends)
    partial = _undated(study, records, course, reader, ends)
    by = (pl.col("READER") == INV) == (reader == INV)
    whole = records.calls.filter(by & pl.col("RESP").is_in(ends) & (pl.col("DAY") == pl.col("DAYX"))).select("SUBJ", WHOLE="DAY")
    same = partial.join(whole, on="SUBJ").filter(pl.col("WHOLE").is_between(pl.col("DAY"), pl.col("DAYX")))
    partial = partial.join(same, on=["SUBJ", "DAY", "DAYX"], how="anti")
    first = _first_response(roles, calls, course)
    partial = partial.filter(pl.Series(partial["DAYX"].to_numpy() > first[partial["SUBJ"].to_numpy()]))
    earliest = np.full(len(course.cutoff), FAR, np.int64)
    np.minimum.at(earliest, partial["SUBJ"].to_numpy(), partial["DAY"].to_numpy())
    return earliest


def undated_response(study: Study, records: Records, course: Course, calls: Calls, reader: int) -> np.ndarray:
    """Whether a remission whose day is not known can be the first that a reader saw of a subject: bool, by subject."""
    roles = study.disease.family.roles
    partial = _undated(study, records, course, reader, statuses_of(roles.responds))
    first = _first_response(roles, calls, course)
    subject, early, late = (partial[name].to_numpy() for name in ("SUBJ", "DAY", "DAYX"))
    # a date that can contain that of the first remission is of the same remission; without any date it is not known to be
    before = (late < first[subject]) | (early == -FAR) | (first[subject] == FAR)
    found = np.zeros(len(course.cutoff), bool)
    found[subject[before]] = True
    return found & (course.day0 < FAR)


def undated_call(study: Study, records: Records, course: Course, reader: int, role: int, window: tuple[int, int]) -> np.ndarray:
    """Whether a reader's call of a role, whose day is not known, can lie in a window of days from day 0: bool, by subject."""
    partial = _undated(study, records, course, reader, statuses_of(role))
    start = course.day0[partial["SUBJ"].to_numpy()]
    inside = (partial["DAY"].to_numpy() <= start + window[1]) & (partial["DAYX"].to_numpy() >= start + window[0])
    found = np.zeros(len(course.cutoff), bool)
    found[partial["SUBJ"].to_numpy()[inside]] = True
    return found & (course.day0 < FAR)


def called(study: Study, records: Records, course: Course) -> np.ndarray:
    """Whether a subject has any call, of whatever reader and day: bool, by subject."""
    found = np.zeros(len(course.cutoff), bool)
    calls = _every_call(study, records)
    if calls is not None:
        found[calls["SUBJ"].to_numpy()] = True
    return found


def _used(calls: Calls, course: Course) -> np.ndarray:
    """Whether a call is one that was made, up to the cutoff: bool, shape (calls,)."""
    made = (calls.flags & (FREE_OF_RELAPSE | FREE_ASSUMED)) == 0
    return np.asarray(made & (calls.day <= course.cutoff[calls.subject]))


def _is_response(roles: Roles, calls: Calls, course: Course) -> np.ndarray:
    remission = np.isin(calls.status, statuses_of(roles.responds)) & ((calls.flags & AFTER_RELAPSE) == 0)
    return np.asarray(remission & _used(calls, course))


def is_followed(study: Study, records: Records, course: Course, calls: Calls) -> np.ndarray:
    """Whether it is known until when each subject was free of relapse, recorded or assumed: bool, by subject.

    A day before the last remission says nothing of the time after it. A first and a best response are no follow-up: two of them do not say
    until when a remission was looked for, and neither is a contact by which something may be assumed.
    """
    remission = _is_response(study.disease.family.roles, calls, course)
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
        free = last < undated_relapse(study, records, course, of, code)
        extended[code] = _extended(study.disease.family.roles, of, (np.where(free, last, -FAR), sequence, assumed), course)
    return extended


def _extended(roles: Roles, calls: Calls, free: tuple[np.ndarray, np.ndarray, np.ndarray], course: Course) -> Calls:
    last, sequence, assumed = free
    count, subject, used = len(calls.at) - 1, calls.subject, _used(calls, course)
    relapsed = np.zeros(count, bool)
    relapsed[subject[used & np.isin(calls.status, statuses_of(roles.ends))]] = True
    place = np.full(count, -1, np.int64)
    remission = np.flatnonzero(_is_response(roles, calls, course))
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
