"""Who is in each population?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.course import Course
from cartrial.endpoints.rules.inputs import courses_of, reads_of
from cartrial.endpoints.rules.time_kernel import find_first_response
from cartrial.endpoints.rules.time_rule import origin_of
from cartrial.response.arrays import Calls, wide
from cartrial.response.codes import (
    EMD_NOT_RECORDED,
    FROM_IMAGING,
    FROM_LAB,
    FROM_PET,
    INADEQUATE_MARROW,
    LIMIT_UNDECIDED,
    MRD_NEGATIVE,
    MRD_NOT_EVALUABLE,
    PENDING,
)
from cartrial.response.imaging import disease_by_imaging
from cartrial.sdtm.records import READERS, Records
from cartrial.sdtm.records.codes import FAR
from cartrial.sdtm.vocabulary.results import lacks_limit, result_bounds, significant
from cartrial.study.criteria.codes import NE, Roles, statuses_of

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint

__all__ = ["Populations", "first_response", "hidden_by_lesions"]


def first_response(study: Study, calls: Calls, course: Course, endpoint: Endpoint) -> np.ndarray:
    """Return the first usable response of each subject as an assessment's position, -1 where there is none: int64, shape (subjects,)."""
    first = np.empty(len(course.day0), np.int64)
    find_first_response(len(calls.day), reads_of(calls, course), courses_of(course), origin_of(study, endpoint), first)
    return first


def hidden_by_lesions(calls: Calls) -> np.ndarray:
    """Return which assessments are a remission by the laboratory values but for extramedullary disease: bool, by assessment."""
    undecided = EMD_NOT_RECORDED | INADEQUATE_MARROW | LIMIT_UNDECIDED | FROM_LAB
    return np.asarray((calls.status == NE) & ((calls.flags & undecided) == (EMD_NOT_RECORDED | FROM_LAB)))


@dataclass(frozen=True)
class Populations:
    """Membership by population and reader.

    Parameters
    ----------
    study, records, calls, course
        What the memberships are derived from; `calls` by reader code.
    """

    study: Study
    records: Records
    calls: dict[int, Calls]
    course: Course

    @property
    def roles(self) -> Roles:
        """What each status does."""
        return self.study.disease.family.roles

    @cached_property
    def trial(self) -> np.ndarray:
        """The trial of each subject, counted from 0 without gaps, shape (subjects,): in a batch TRIAL may be any number."""
        return np.unique(self.records.subjects["TRIAL"].to_numpy(), return_inverse=True)[1]

    @property
    def trials(self) -> int:
        """How many trials there are."""
        return int(self.trial.max()) + 1 if len(self.trial) else 0

    @cached_property
    def readable(self) -> np.ndarray:
        """Who could have been read: infused, alive as the first scheduled assessment opened, and that has closed. bool, by subject."""
        first = min(self.study.disease.visits, key=lambda visit: visit.day, default=None)
        opens, closes = (first.day - first.minus, first.day + first.plus) if first else (1, 1)
        day0 = self.course.day0
        return np.asarray((day0 < FAR) & (day0 + closes <= self.course.cutoff) & (day0 + opens <= self.course.death))

    def unread(self, reader: int) -> np.ndarray:
        """Return in which trials a reader has no call at all, although subjects could have been read: bool, by trial."""
        could = np.zeros(self.trials, bool)
        could[self.trial[self.readable]] = True
        has = self.records.recorded.has(READERS[reader], np.arange(self.trials))
        return np.asarray(could & ~(has & ~self.pending(reader)))

    def pending(self, reader: int) -> np.ndarray:
        """Return in which trials a reader's assessments are all pending: no pair agreed or was adjudicated, and no call was made.

        bool, by trial; of the committee alone, and not of trials that share the declaration of their sources.
        """
        calls = self.calls[reader]
        if self.records.recorded.shared:
            return np.zeros(self.trials, bool)
        trial, open_ = self.trial[calls.subject], (calls.flags & PENDING) != 0
        some, made = np.zeros(self.trials, bool), np.zeros(self.trials, bool)
        later = self.later(calls)
        some[trial[later & open_]] = True
        made[trial[later & ~open_]] = True
        return np.asarray(some & ~made)

    def later(self, calls: Calls) -> np.ndarray:
        """Return which assessments a rule could use: after day 0, or, where remissions from bridging count, of who was never infused."""
        day0 = self.course.day0[calls.subject]
        bridging = any(endpoint.window is not None and endpoint.window.bridging for endpoint in self.study.endpoints)
        return np.asarray((calls.day > day0) | (bridging & (day0 == FAR)))

    def blind(self, reader: int) -> np.ndarray:
        """Return in which trials every call of a reader after day 0 is NE, and not for want of EMD alone: bool, by trial."""
        calls = self.calls[reader]
        later = self.later(calls) & ((calls.flags & PENDING) == 0)
        trial = self.trial[calls.subject]
        some, seen = np.zeros(self.trials, bool), np.zeros(self.trials, bool)
        some[trial[later & (calls.status == NE)]] = True
        seen[trial[later & (calls.status != NE)]] = True
        return np.asarray(some & ~seen & ~self.unknown(reader))

    def unrecorded(self, name: str, reader: int) -> np.ndarray:
        """Return in which trials nothing recorded says of anybody whether he is in a population, although subjects were infused.

        `evaluable`: of no infused subject disease before lymphodepletion is known. `leukapheresed`: nobody has a leukapheresis. bool, by
        trial; no trial that shares the declaration of its sources.
        """
        infused, known = np.zeros(self.trials, bool), np.zeros(self.trials, bool)
        if self.records.recorded.shared or name not in ("evaluable", "leukapheresed"):
            return known
        infused[self.trial[self.course.day0 < FAR]] = True
        if name == "leukapheresed":
            known[self.trial[self.course.frame["LEUK"].is_not_null().to_numpy()]] = True
        else:
            known[self.trial[(self.course.day0 < FAR) & self.disease_known(reader)]] = True
        return np.asarray(infused & ~known)

    def without_limits(self, reader: int) -> np.ndarray:
        """Return in which trials nobody could be MRD-negative, since no negative result of a remission by a reader says its limit.

        bool, by trial: no remission after day 0 is MRD-negative, some are not evaluable, and of each of these the limit is unknown.
        """
        if self.records.recorded.shared:
            return np.zeros(self.trials, bool)
        calls = self.calls[reader]
        remission = np.isin(calls.status, statuses_of(self.roles.responds)) & (calls.day > self.course.day0[calls.subject])
        open_ = remission & (calls.mrd == MRD_NOT_EVALUABLE)
        trial = self.trial[calls.subject]
        some, told = np.zeros(self.trials, bool), np.zeros(self.trials, bool)
        some[trial[open_]] = True
        told[trial[remission & (calls.mrd == MRD_NEGATIVE)]] = True
        samples = self.records.labs.filter(pl.col("TEST") == "MRD").with_columns(lacks_limit().alias("LACKS"))
        used = pl.DataFrame({"SUBJ": calls.subject[open_], "SEQ": calls.mrd_seq[open_]}, schema=dict(samples.select("SUBJ", "SEQ").schema))
        known = used.join(samples.filter(~pl.col("LACKS")), on=["SUBJ", "SEQ"], how="semi")["SUBJ"]
        told[self.trial[known.to_numpy()]] = True
        return np.asarray(some & ~told)

    def disease_known(self, reader: int) -> np.ndarray:
        """Return of whom it is known whether there was disease before lymphodepletion: bool, by subject.

        By a call of the reader, the marrow, or imaging; blood and extramedullary disease tell of disease, and not that there was none.
        """
        calls = self.calls[reader]
        by_measurement = self._by_lab[0] | self._by_lab[1] | self._by_imaging[1]
        return np.asarray((self._last_call(calls) >= 0) | by_measurement)

    def hidden(self, reader: int) -> np.ndarray:
        """Return in which trials every remission by a reader is NE because EMD was never recorded: bool, by TRIAL (rules, A4)."""
        calls, day0 = self.calls[reader], self.course.day0
        never = ~self.records.recorded.has("EMD", np.arange(self.trials))
        after = (calls.day > day0[calls.subject]) & never[self.trial[calls.subject]]
        would = after & hidden_by_lesions(calls)
        some, seen = np.zeros(self.trials, bool), np.zeros(self.trials, bool)
        some[self.trial[calls.subject[would]]] = True
        seen[self.trial[calls.subject[after & np.isin(calls.status, statuses_of(self.roles.responds))]]] = True
        return some & ~seen

    def unknown(self, reader: int) -> np.ndarray:
        """Return in which trials nothing can be said of a response by a reader: bool, by TRIAL."""
        return np.asarray(self.unread(reader) | self.hidden(reader))

    def not_read(self, reader: int) -> np.ndarray:
        """Return which infused subjects have no call by a reader after day 0, and an adequate one by another source: bool, by subject.

        What is pending is no call.
        """
        day0 = self.course.day0
        own, other = np.zeros(len(day0), bool), np.zeros(len(day0), bool)
        for code, calls in self.calls.items():
            after = calls.day > day0[calls.subject]
            if code == reader:
                own[calls.subject[after & ((calls.flags & PENDING) == 0)]] = True
            else:
                other[calls.subject[after & (calls.status != NE)]] = True
        return np.asarray((day0 < FAR) & ~own & other)

    def members(self, endpoint: Endpoint, reader: int) -> np.ndarray:
        """Return who is in an endpoint's population: bool, shape (subjects,)."""
        name = endpoint.population
        if name == "responders":
            return first_response(self.study, self.calls[reader], self.course, endpoint) >= 0
        return self.of(name, reader)

    def survival_recorded(self) -> np.ndarray:
        """Return which trials have a survival status or a death on or before the cutoff at all: bool, by trial."""
        trial, cutoff = self.trial, self.records.subjects["CUTOFF"].to_numpy()
        known = np.full(self.trials, self.records.recorded.shared)
        for table in (self.records.survival, self.records.deaths):
            subject = table["SUBJ"].to_numpy()
            known[trial[subject[table["DAY"].to_numpy() <= cutoff[subject]]]] = True
        return known

    def of(self, name: str, reader: int) -> np.ndarray:
        """Return who is in a population that no strategy touches: bool, shape (subjects,)."""
        frame, course = self.course.frame, self.course
        infused = course.day0 < FAR
        if name == "enrolled":
            return course.enrolled < FAR
        if name == "leukapheresed":
            return frame["LEUK"].is_not_null().to_numpy()
        if name == "infused":
            return infused
        calls = self.calls[reader]
        alive = calls.day <= course.death[calls.subject]
        adequate = (calls.status != NE) & (calls.day > course.day0[calls.subject]) & alive
        first = self._first_day(calls, adequate)
        assessed = infused & (first < FAR)
        if name == "assessed":
            return assessed
        instead = np.minimum(course.death, course.ice[2])
        evaluable: np.ndarray = infused & self._morphologic_disease(calls) & (assessed | (instead < FAR))
        return evaluable

    def _first_day(self, calls: Calls, keep: np.ndarray) -> np.ndarray:
        first = np.full(len(self.course.day0), FAR, np.int64)
        np.minimum.at(first, calls.subject[keep], calls.day[keep])
        return first

    def _last_call(self, calls: Calls) -> np.ndarray:
        """The status of the reader's last adequate call before lymphodepletion, -1 where there is none."""
        before = (calls.status != NE) & (calls.day <= self._base_day[calls.subject])
        call = np.full(len(self.course.day0), -1, np.int64)
        call[calls.subject[before]] = calls.status[before]  # sorted by day: the last one stays
        return call

    def _morphologic_disease(self, calls: Calls) -> np.ndarray:
        """Disease before lymphodepletion by the reader's last call, else by marrow, blood or extramedullary disease in LB and FA."""
        call = self._last_call(calls)
        if self.study.disease.imaging is not None:
            measured, by_call = self._by_imaging[0], call >= 0
            return measured | (by_call & np.isin(call, statuses_of(self.roles.disease)))
        return np.where(call >= 0, np.isin(call, statuses_of(self.roles.disease)), self._by_lab[0])

    @cached_property
    def _by_imaging(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Who had a target or avid disease before lymphodepletion, of whom there was imaging then, and who had any disease."""
        return disease_by_imaging(self.study, self.records)

    def without_baseline(self, reader: int) -> np.ndarray:
        """Return of whom no imaging was before lymphodepletion, in a trial whose statuses of this reader are derived from it: bool.

        Whom the reader called himself has the baseline that he saw.
        """
        calls = self.calls[reader]
        derived = calls.flags & (FROM_IMAGING | FROM_PET) != 0
        measured, called = np.zeros(self.trials, bool), np.zeros(len(self.course.day0), bool)
        measured[self.trial[calls.subject[derived]]] = True
        called[calls.subject[~derived]] = True
        return np.asarray(measured[self.trial] & ~called & ~self._by_imaging[1])

    @cached_property
    def _base_day(self) -> np.ndarray:
        frame = self.course.frame
        return wide(frame["LDSTART"].fill_null(frame["DAY0"]), FAR)

    @cached_property
    def _by_lab(self) -> tuple[np.ndarray, np.ndarray]:
        """Who had disease before lymphodepletion by LB and FA, and whose marrow was measured."""
        count = len(self.course.day0)
        found, measured = np.zeros(count, bool), np.zeros(count, bool)
        if self.study.disease.marrow is None:
            return found, measured
        base = pl.DataFrame({"SUBJ": self.course.frame["SUBJ"], "BASE": self._base_day})
        marrow = self.study.disease.marrow[0].refractory_marrow
        used = (pl.col("TEST") == "BLAST") & pl.col("DONE") & pl.col("SPEC").is_in(["BONE MARROW", "BLOOD"])
        tests = self.records.labs.filter(used).with_columns(result_bounds()).filter(pl.col("LOW").is_not_null())
        # of one date the highest counts (rules, A11); what lies on either side of the limit is no disease for certain
        last = _last_before(tests, base, ["SPEC"], "LOW")
        limit = pl.select(significant(pl.lit(marrow.value))).item()
        reached = pl.col("LOW") > limit if marrow.op == ">" else pl.col("LOW") >= limit
        of_marrow = pl.col("SPEC") == "BONE MARROW"
        disease = last.filter((of_marrow & reached) | ((pl.col("SPEC") == "BLOOD") & (pl.col("LOW") > 0)))["SUBJ"]
        present = _last_before(self.records.lesions.filter(pl.col("PRESENT") >= 0), base, [], "PRESENT").filter(pl.col("PRESENT") == 1)
        found[disease.to_numpy()] = True
        found[present["SUBJ"].to_numpy()] = True
        measured[last.filter(of_marrow)["SUBJ"].to_numpy()] = True
        return found, measured


def _last_before(frame: pl.DataFrame, base: pl.DataFrame, by: list[str], value: str) -> pl.DataFrame:
    rows = frame.filter(pl.col("DAY") == pl.col("DAYX")).join(base, on="SUBJ").filter(pl.col("DAY") <= pl.col("BASE"))
    return rows.sort("SUBJ", *by, "DAY", value, nulls_last=False, maintain_order=True).unique(
        ["SUBJ", *by], keep="last", maintain_order=True
    )
