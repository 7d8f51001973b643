"""What would virtual trials have published? The trials of one virtual population, through the rules that real data take, batch by batch.

All figures of a population are asked of the same trials: a figure of n patients takes the first n of its population, in the order of their
consent. Those patients do not depend on how many follow them, nor on what else is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.wording import DAYS_PER_MONTH
from cartrial.endpoints.course import derive_course
from cartrial.endpoints.populations import Populations
from cartrial.endpoints.sets.adae import derive_adae
from cartrial.endpoints.sets.adrs import derive_adrs
from cartrial.endpoints.sets.adtte import derive_adtte, kind_of_end
from cartrial.endpoints.sets.trace import lean_sets
from cartrial.predict.express import FROM_ENROLMENT, Question
from cartrial.predict.known import load_published_study
from cartrial.response import assess_response
from cartrial.sdtm.records import READERS, Records
from cartrial.sdtm.records.codes import FAR
from cartrial.virtual.trial import plan_study, virtual_study
from cartrial.virtual.trial.arrivals import Plan, accrue_trials
from cartrial.virtual.trial.assays import TESTS
from cartrial.virtual.trial.emit import records_of
from cartrial.virtual.trial.rows import Rows, make_rows

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint
    from cartrial.virtual.patients.ensemble import Ensemble
    from cartrial.virtual.patients.population import Population

__all__ = ["Asked", "Cohort", "follow_up_days", "plan_cohort"]

Flags = NDArray[np.bool_]
Days = NDArray[np.int64]

ANSWERS = {"TRIAL": pl.Int32, "AVAL": pl.Float64, "CNSR": pl.Int8}
"""Columns of the answers of one question: a row for each of its patients."""

# infused subjects followed at once: memory stays bounded, nothing depends on it
_PIECE = 8000
# among how many infused the first n of a population are looked for, which not everybody is in; the rest of a trial is not asked
_REACH, _SPARE = {"responders": 1.5, "assessed": 1.25, "evaluable": 1.25}, 10
# Least follow-up of the last subject: the window of the first visit has closed. Unit: days.
_LEAST = 35
# Half the time in which a trial recruits, at most: an assumption. Unit: days.
_RECRUITING = 365
# whoever the population has is enrolled, seen on the days of the visits as in the calibration, and followed to the last of them
_CHANGES = {
    "accrual": {"follow-up-of-last": 2100},
    "visits": {"jitter": 0},
    "eligibility": {"age-from": 0, "age-to": 120, "marrow-from": 0, "marrow-to": 100},
}


@dataclass(frozen=True)
class Asked:
    """A question and how many patients of this virtual population it is about. `key`: its place among all questions."""

    key: int
    question: Question
    n: int

    @property
    def reach(self) -> int:
        """How many infused of a trial are looked at."""
        if self.question.of in _REACH:
            return int(_REACH[self.question.of] * self.n) + _SPARE
        return self.n


@dataclass(frozen=True)
class Cohort:
    """The virtual trials of one population and what is asked of them."""

    plan: Plan
    asked: tuple[Asked, ...]

    @property
    def batch(self) -> int:
        """Trials held at once; nothing depends on it."""
        return max(_PIECE // self.plan.size, 1)

    def answer(self, first: int, last: int, *, threads: int | None = None) -> dict[int, pl.DataFrame]:
        """Return the answers of trials `first` to `last`, inclusive, by the key of the question.

        Returns
        -------
        dict of int to polars.DataFrame
            Columns of `ANSWERS`: AVAL is 1 or 0 (a share; null: not yet assessable), or days with CNSR 0 for an event and 1 for a
            censored time.
        """
        people = accrue_trials(self.plan, np.arange(first, last + 1))
        rows = make_rows(self.plan, people, threads=threads)
        records = records_of(self.plan, replace(rows, domains=rows.domains | {"LB": _read_samples(rows)}), names=False)
        return _Batch(self.plan.study, records, np.asarray(people.subject), self.asked).answers()


def _read_samples(rows: Rows) -> pl.DataFrame:
    """Return the samples that a rule reads: all but those of visits, where a reader's call stands for them, without residual disease.

    Every visit has a call of the investigator on its day, by whom the status is read and the subject known alive: its counts and blasts
    decide nothing more. They are most of a trial's records.
    """
    samples = rows.domains["LB"]
    infusion = pl.Series(rows.people.infusion).gather(samples["SUBJ"])
    residual = [i for i, test in enumerate(TESTS) if test.code == "MRD"]
    visited = pl.struct("SUBJ", "DAY").is_in(rows.domains["RS"].select(pl.struct("SUBJ", "DAY")).to_series().implode())
    return samples.filter((samples["DAY"] <= infusion) | pl.col("TEST").is_in(residual) | ~visited)


def plan_cohort(population: Population, asked: Sequence[Asked], seed: int, ensemble: Ensemble | None = None) -> Cohort:
    """Return the virtual trials of a population that hold everybody who is asked about.

    Parameters
    ----------
    population : Population
    asked : sequence of Asked
    seed : int
    ensemble : Ensemble, optional
        The parameter sets that a trial may have; the built-in ensemble without it.

    Raises
    ------
    InputError
        As `plan_study`.
    """
    study = load_published_study(population.product.source)
    if any(item.question.reader == "IRC" for item in asked):
        study = study.model_copy(update={"readers": study.readers.model_copy(update={"sensitivity": ("IRC",)})})
    size = max(item.reach for item in asked)
    study = virtual_study(study).model_copy(update={"endpoints": ()})
    plan = plan_study(study, n=size, seed=seed, population=population, ensemble=ensemble, changes=_CHANGES)
    return Cohort(plan, tuple(asked))


def follow_up_days(number: int, months: float) -> Days:
    """Return for how long each of the first subjects is followed at a cutoff, where their median follow-up is known.

    They entered at a constant rate over at most two years, and the last is followed to day 35 at least, when the window of the first visit
    closes: an assumption.

    Parameters
    ----------
    number : int
        Subjects, in the order of consent.
    months : float
        Median follow-up.

    Returns
    -------
    ndarray of int64, shape (number,)
        Days from infusion (enrolment) to the cutoff, falling; their median is the one asked for.
    """
    median = months * DAYS_PER_MONTH
    spread = float(np.clip(median - _LEAST, 0, _RECRUITING))
    place = (np.arange(number) + 0.5) / max(number, 1)
    return np.rint(median + spread * (1 - 2 * place)).astype(np.int64)


class _Batch:
    """Some trials with everything that was recorded in them, and what the rules make of it."""

    def __init__(self, study: Study, records: Records, order: Days, asked: Sequence[Asked]) -> None:
        self.study, self.records, self.order, self.asked = study, records, order, asked
        self.whole = _apply_rules(study, records)
        self.trial = records.subjects["TRIAL"].to_numpy()

    def answers(self) -> dict[int, pl.DataFrame]:
        """Return the answers by question."""
        members = {item.key: self.members(item) for item in self.asked}
        whole = [item for item in self.asked if item.question.endpoint and item.question.follow_up is None]
        found = _derived(self.study, self.whole, [(item, members[item.key]) for item in whole])
        found |= self.cut([(item, members[item.key]) for item in self.asked if item.question.follow_up is not None])
        for item in self.asked:
            if item.question.kind == "toxicity":
                found[item.key] = self.share(members[item.key], self.toxicity(item.question))
            elif item.question.kind == "flow":
                found[item.key] = self.share(members[item.key], self.flow(item.question))
        return found

    def members(self, item: Asked) -> Flags:
        """Return who is counted: bool, shape (subjects,)."""
        question, course = item.question, self.whole.course
        reader = READERS.index(question.reader)
        early = course.enrolled < FAR if question.of in FROM_ENROLMENT else course.day0 < FAR
        early = self.first(early, item.reach)
        base = self.first(early & self.inside(question, question.of, reader), item.n)
        return base if question.of == question.population else base & self.inside(question, question.population, reader)

    def inside(self, question: Question, name: str, reader: int) -> Flags:
        """Return who is in a population of the rules."""
        if name == "responders":
            if question.endpoint is None:
                return self.whole.of("infused", reader)
            return self.whole.members(question.endpoint.model_copy(update={"population": name}), reader)
        return self.whole.of(name, reader)

    def first(self, mask: Flags, number: int) -> Flags:
        """Return the first subjects of a mask in each trial, in the order of consent."""
        rows = np.flatnonzero(mask)
        rows = rows[np.lexsort((self.order[rows], self.trial[rows]))]
        trial = self.trial[rows]
        place = np.arange(len(rows)) - np.searchsorted(trial, trial)
        kept = np.zeros(len(mask), bool)
        kept[rows[place < number]] = True
        return kept

    def share(self, members: Flags, yes: Flags) -> pl.DataFrame:
        """Return the answers of a share of the members."""
        return _answer(self.trial[members], yes[members].astype(float))

    def toxicity(self, question: Question) -> Flags:
        """Return who had the adverse event of that grade or worse."""
        events = derive_adae(self.study, self.records)
        grade = pl.col("AETOXGR").cast(pl.Int64)
        worse = events.filter((pl.col("SPECIAL").cast(pl.String) == question.what[0]) & (grade >= question.grade))
        had = np.zeros(len(self.trial), bool)
        had[worse["SUBJ"].to_numpy()] = True
        return had

    def flow(self, question: Question) -> Flags:
        """Return who came to that step between enrolment and infusion."""
        course = self.whole.course
        infused, failed = course.day0 < FAR, course.failure < FAR
        steps = {
            "infused": infused,
            "released": course.frame["RELEASED"].is_not_null().to_numpy(),
            "product-failure": ~infused & failed,
            "lost-before-infusion": ~infused & ~failed,
        }
        return np.asarray(steps[question.what[0]])

    def cut(self, asked: Sequence[tuple[Asked, Flags]]) -> dict[int, pl.DataFrame]:
        """Return the answers with everybody followed as the publication says: what comes after its cutoff is not used.

        Subjects who are asked about with two lengths of follow-up stand twice in one longer table, each with its cutoff.
        """
        copies: dict[bytes, tuple[Days, Days]] = {}
        named = {}
        for item, members in asked:
            rows = np.flatnonzero(members)
            cutoff = self.cutoffs(item.question, rows)
            named[item.key] = rows.tobytes() + cutoff.tobytes()
            copies[named[item.key]] = (rows, cutoff)
        if not copies:
            return {}
        records = _stacked(self.records, list(copies.values()))
        ends = np.cumsum([len(rows) for rows, _ in copies.values()])
        place = np.arange(records.subjects.height)
        inside = {
            name: (place >= end - len(rows)) & (place < end) for (name, (rows, _)), end in zip(copies.items(), ends.tolist(), strict=True)
        }
        return _derived(self.study, _apply_rules(self.study, records), [(item, inside[named[item.key]]) for item, _ in asked])

    def cutoffs(self, question: Question, rows: Days) -> Days:
        """Return the cutoff of each of the subjects, by the order of consent in its trial."""
        assert question.follow_up is not None
        course = self.whole.course
        order = np.lexsort((self.order[rows], self.trial[rows]))
        _, count = np.unique(self.trial[rows], return_counts=True)
        follow = np.empty(len(rows), np.int64)
        follow[order] = np.concatenate([follow_up_days(number, question.follow_up) for number in count.tolist()] or [follow])
        origin = course.enrolled if question.population in FROM_ENROLMENT else course.day0
        return np.asarray(np.minimum(course.cutoff[rows], origin[rows] + follow))


def _apply_rules(study: Study, records: Records) -> Populations:
    return Populations(study, records, assess_response(study, records), derive_course(study, records))


def _stacked(records: Records, copies: Sequence[tuple[Days, Days]]) -> Records:
    """Return the records of some subjects, one group after the other, with their own cutoffs; SUBJ counts from 0 again."""
    rows, cutoff = (np.concatenate(parts).astype(np.int32) for parts in zip(*copies, strict=True))
    places = pl.DataFrame({"SUBJ": rows, "PLACE": np.arange(len(rows), dtype=np.int32)})
    made = {}
    for field in fields(records):
        table = getattr(records, field.name)
        if isinstance(table, pl.DataFrame):
            joined = places.join(table, on="SUBJ", how="inner", maintain_order="left_right")
            made[field.name] = joined.with_columns(pl.col("PLACE").alias("SUBJ")).select(table.columns)
    made["subjects"] = made["subjects"].with_columns(pl.Series("CUTOFF", cutoff))
    return records.replace(**made)


def _derived(study: Study, populations: Populations, asked: Sequence[tuple[Asked, Flags]]) -> dict[int, pl.DataFrame]:
    """Return the answers of questions about endpoints, of the subjects beside each; every endpoint is derived once."""
    ids: dict[str, str] = {}
    endpoints: list[Endpoint] = []
    named: dict[int, str] = {}
    for item, _ in asked:
        endpoint = item.question.endpoint
        assert endpoint is not None
        text = endpoint.model_dump_json()
        if text not in ids:
            ids[text] = f"F{len(ids)}"
            endpoints.append(endpoint.model_copy(update={"id": ids[text]}))
        named[item.key] = ids[text]
    if not endpoints:
        return {}
    asking = study.model_copy(update={"endpoints": tuple(endpoints)})
    with lean_sets():
        rates, times = derive_adrs(asking, populations), derive_adtte(asking, populations)
    trial = populations.records.subjects["TRIAL"].to_numpy()
    found = {}
    for item, members in asked:
        question = item.question
        frame = (rates if question.kind == "rate" else times).filter(pl.col("PARAMCD").cast(pl.String) == named[item.key])
        subject = frame["SUBJ"].to_numpy()
        inside = members[subject]
        frame, where = frame.filter(pl.Series(inside)), trial[subject[inside]]
        if question.kind == "rate":
            found[item.key] = _answer(where, frame["AVAL"].to_numpy())
        elif question.kind == "share":
            ended = (frame["CNSR"] == 0) & frame["EVNTDESC"].cast(pl.String).is_in(list(question.what))
            found[item.key] = _answer(where, ended.to_numpy().astype(float))
        else:
            found[item.key] = _answer(where, frame["AVAL"].to_numpy(), frame.select(kind_of_end())["CNSR"].to_numpy())
    return found


def _answer(trial: NDArray[np.generic], value: NDArray[np.generic], censored: NDArray[np.generic] | None = None) -> pl.DataFrame:
    columns = {"TRIAL": trial, "AVAL": value, "CNSR": np.zeros(len(trial), np.int8) if censored is None else censored}
    frame = pl.DataFrame([pl.Series(name, columns[name]).cast(dtype) for name, dtype in ANSWERS.items()])
    return frame.with_columns(pl.col("AVAL").fill_nan(None))
