"""Who is in each population?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.course import Course
from cartrial.endpoints.rules.inputs import courses_of, reads_of
from cartrial.endpoints.rules.strategies import strategy_codes
from cartrial.endpoints.rules.time_kernel import find_first_response
from cartrial.response.arrays import wide
from cartrial.response.assess import Calls
from cartrial.response.codes import EMD_NOT_RECORDED, FROM_LAB, INADEQUATE_MARROW, LIMIT_UNDECIDED
from cartrial.sdtm.records import READERS, Records
from cartrial.sdtm.records.codes import FAR
from cartrial.sdtm.vocabulary.results import result_bounds, significant
from cartrial.study.criteria.codes import DISEASE, NE, REMISSION, statuses_of

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint

__all__ = ["Populations", "first_response", "hidden_by_lesions"]


def first_response(study: Study, calls: Calls, course: Course, endpoint: Endpoint) -> np.ndarray:
    """Return the first usable CR or CRi of each subject as an assessment's position, -1 where there is none: int64, shape (subjects,)."""
    first = np.empty(len(course.day0), np.int64)
    strategy, confirm = strategy_codes(endpoint), study.disease.confirm_days
    find_first_response(len(calls.day), reads_of(calls, course), courses_of(course), strategy, confirm, first)
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
        return np.asarray(could & ~self.records.recorded.has(READERS[reader], np.arange(self.trials)))

    def hidden(self, reader: int) -> np.ndarray:
        """Return in which trials every remission by a reader is NE because EMD was never recorded: bool, by TRIAL (rules, A4)."""
        calls, day0 = self.calls[reader], self.course.day0
        never = ~self.records.recorded.has("EMD", np.arange(self.trials))
        after = (calls.day > day0[calls.subject]) & never[self.trial[calls.subject]]
        would = after & hidden_by_lesions(calls)
        some, seen = np.zeros(self.trials, bool), np.zeros(self.trials, bool)
        some[self.trial[calls.subject[would]]] = True
        seen[self.trial[calls.subject[after & np.isin(calls.status, statuses_of(REMISSION))]]] = True
        return some & ~seen

    def unknown(self, reader: int) -> np.ndarray:
        """Return in which trials nothing can be said of a response by a reader: bool, by TRIAL."""
        return np.asarray(self.unread(reader) | self.hidden(reader))

    def not_read(self, reader: int) -> np.ndarray:
        """Return which infused subjects have no call by a reader after day 0, and an adequate one by another source: bool, by subject."""
        day0 = self.course.day0
        own, other = np.zeros(len(day0), bool), np.zeros(len(day0), bool)
        for code, calls in self.calls.items():
            after = calls.day > day0[calls.subject]
            if code == reader:
                own[calls.subject[after]] = True
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

    def _morphologic_disease(self, calls: Calls) -> np.ndarray:
        """Disease before lymphodepletion by the reader's last call, else by marrow, blood or extramedullary disease in LB and FA."""
        course, frame = self.course, self.course.frame
        base_day = wide(frame["LDSTART"].fill_null(frame["DAY0"]), FAR)
        before = (calls.status != NE) & (calls.day <= base_day[calls.subject])
        call = np.full(len(course.day0), -1, np.int64)
        call[calls.subject[before]] = calls.status[before]  # sorted by day: the last one stays
        by_reader = np.isin(call, statuses_of(DISEASE))
        base = pl.DataFrame({"SUBJ": frame["SUBJ"], "BASE": base_day})
        marrow = self.study.disease.criteria.refractory_marrow
        used = (pl.col("TEST") == "BLAST") & pl.col("DONE") & pl.col("SPEC").is_in(["BONE MARROW", "BLOOD"])
        tests = self.records.labs.filter(used).with_columns(result_bounds()).filter(pl.col("LOW").is_not_null())
        # of one date the highest counts (rules, A11); what lies on either side of the limit is no disease for certain
        last = _last_before(tests, base, ["SPEC"], "LOW")
        limit = pl.select(significant(pl.lit(marrow.value))).item()
        reached = pl.col("LOW") > limit if marrow.op == ">" else pl.col("LOW") >= limit
        disease = last.filter(((pl.col("SPEC") == "BONE MARROW") & reached) | ((pl.col("SPEC") == "BLOOD") & (pl.col("LOW") > 0)))["SUBJ"]
        lesions = _last_before(self.records.lesions.filter(pl.col("PRESENT") >= 0), base, [], "PRESENT").filter(pl.col("PRESENT") == 1)[
            "SUBJ"
        ]
        by_lab = np.zeros(len(course.day0), bool)
        by_lab[disease.to_numpy()] = True
        by_lab[lesions.to_numpy()] = True
        return np.where(call >= 0, by_reader, by_lab)


def _last_before(frame: pl.DataFrame, base: pl.DataFrame, by: list[str], value: str) -> pl.DataFrame:
    rows = frame.filter(pl.col("DAY") == pl.col("DAYX")).join(base, on="SUBJ").filter(pl.col("DAY") <= pl.col("BASE"))
    return rows.sort("SUBJ", *by, "DAY", value, nulls_last=False, maintain_order=True).unique(
        ["SUBJ", *by], keep="last", maintain_order=True
    )
