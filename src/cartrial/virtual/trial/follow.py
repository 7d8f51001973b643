"""What happens to infused subjects, and what do the sites and the readers make of it? Day 0 to the cutoff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.sdtm.records.codes import ADJUDICATOR, INV, READER1, READER2
from cartrial.study.criteria.codes import PD, RELAPSE, statuses_of
from cartrial.study.criteria.leukaemia import RESISTANCE
from cartrial.virtual.engine import Course, Draws, infuse, simulate_course
from cartrial.virtual.patients.draws import draw_patients
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform
from cartrial.virtual.patients.toxicity import NONE, Toxicity, cytokine_release, cytopenia, graft_versus_host
from cartrial.virtual.trial.arrivals import Accrued, Plan
from cartrial.virtual.trial.assays import Measured, measure, measure_before
from cartrial.virtual.trial.readers import READINGS, Reader, agree, evidence, read_visit
from cartrial.virtual.trial.sent.support import Support, give_support, transfused
from cartrial.virtual.trial.visits import EARLY, LAST_RESPONSE, Schedule, draw_schedule, wanted_days

__all__ = ["CONDITIONING", "Followed", "central_readers", "follow_infused"]

TRANSPLANT, DEATHS, LEAVING, THERAPY = range(1400, 1404)
_RTOL = 1e-4
_RTOL_EARLY = 1e-3
_EARLY_DAYS = np.arange(29.0)
_YEAR = 365.25
CONDITIONING = 7
"""Days from conditioning to transplant."""

Days = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Followed:
    """Infused subjects from day 0 to the cutoff. Days from day 0; `NONE` where something did not happen by then.

    Parameters
    ----------
    schedule : Schedule
    measured : Measured
    before : ndarray of float64, shape (subjects, tests)
        Results before lymphodepletion.
    attended : ndarray of bool, shape (subjects, visits)
        Visits that took place.
    sampled : ndarray of bool, shape (subjects, early samples)
    calls : ndarray of int64, shape (subjects, visits, 4)
        Of the investigator, both readers and the adjudicator; -1: none.
    follow : ndarray of int64, shape (subjects,)
        Day of the cutoff, or of the last visit, which completes the study.
    death, lost, withdrawn, therapy, transplant, tocilizumab, steroids : ndarray of int64, shape (subjects,)
    end : ndarray of int64, shape (subjects,)
        Last day on which anything can be known: death, loss, withdrawal, completion or cutoff.
    events : dict of str to Toxicity
        By preferred term.
    support : Support
        Transfusions and growth factor, had nothing ended them.
    supported : ndarray of int64, shape (subjects,)
        Last day of such support: before transplant, new therapy and the end of observation.
    course : Course
    of_disease : ndarray of bool, shape (subjects,)
        Whether the death is that of resistant or relapsed disease; of others the model does not know what of.
    """

    schedule: Schedule
    measured: Measured
    before: Floats
    attended: Flags
    sampled: Flags
    calls: Days
    follow: Days
    death: Days
    lost: Days
    withdrawn: Days
    therapy: Days
    transplant: Days
    tocilizumab: Days
    steroids: Days
    end: Days
    events: dict[str, Toxicity]
    support: Support
    supported: Days
    course: Course
    of_disease: Flags


def follow_infused(plan: Plan, people: Accrued, *, threads: int | None = None) -> Followed:
    """Follow infused subjects.

    Parameters
    ----------
    plan : Plan
    people : Accrued
        Infused subjects alone.
    threads : int, optional
        As in `simulate_course`.
    """
    study, settings = plan.study, plan.settings
    keys = plan.keys(people.trial, people.subject)
    schedule = draw_schedule(study, settings, keys)
    # nothing is recorded after the last visit: deaths known beyond it, with survivors censored at it, would bias every duration
    follow = np.minimum(plan.cutoff - people.infusion, schedule.visit[:, -1])
    draws = draw_patients(plan.population, plan.ensemble, keys, marrow=people.marrow_later, member=people.member)
    course, crs, icans, tocilizumab, steroids = _treated(plan, draws, keys, int(follow.max()) if len(people) else 0, threads)
    measured = measure(settings, schedule, course, keys)
    before = measure_before(settings, people.marrow_later, keys, 1)
    done = np.isfinite(course.transplanted)
    transplant = np.where(done, np.ceil(np.where(done, course.transplanted, 0)), NONE).astype(np.int64)
    support = give_support(settings, course, measured, schedule, crs)
    path = _Path(plan, people, keys, follow, schedule, measured, before, transplant, support)
    attended, calls, death, therapy, of_disease = path.walk()
    end = np.minimum.reduce([follow, death, path.lost, path.withdrawn])

    def known(days: Days, until: Days) -> Days:
        return np.where(days <= until, days, NONE)

    alive = np.where(end == death, end - 1, end)
    counts = {"NEUTROPHIL COUNT DECREASED": ("anc", 1.0, 0.5), "PLATELET COUNT DECREASED": ("plt", 50.0, 25.0)}
    events = {"CYTOKINE RELEASE SYNDROME": crs, "IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME": icans}
    events |= {
        term: cytopenia(course.days, np.asarray(course[name], float), third, fourth, np.minimum(alive, therapy))
        for term, (name, third, fourth) in counts.items()
    }
    gvhd = plan.population.clinic.gvhd
    if gvhd is not None:
        own = np.minimum(np.minimum(alive, therapy), transplant - 1)
        events["ACUTE GRAFT VERSUS HOST DISEASE IN SKIN"] = graft_versus_host(gvhd.value, keys, own)
    early = np.array(EARLY)[None, :]
    return Followed(
        schedule,
        measured,
        before,
        attended,
        schedule.sampled & (early <= alive[:, None]) & (early < therapy[:, None]),
        calls,
        follow,
        known(death, end),
        known(path.lost, end),
        known(path.withdrawn, end),
        known(therapy, alive),
        known(transplant, alive),
        known(tocilizumab, alive),
        known(steroids, alive),
        end,
        events,
        support,
        np.minimum(np.minimum(alive, therapy - 1), np.where(transplant < NONE, transplant - CONDITIONING - 1, NONE)),
        course,
        of_disease,
    )


def _treated(plan: Plan, draws: Draws, keys: Keys, last: int, threads: int | None) -> tuple[Course, Toxicity, Toxicity, Days, Days]:
    """Return the course under treatment of its toxicities, with a transplant where one is planned; and the toxicities."""
    settings, clinic = plan.settings, plan.population.clinic
    untreated = simulate_course(draws, _EARLY_DAYS, infuse(draws), rtol=_RTOL_EARLY, threads=threads)
    crs, icans, tocilizumab, steroids = cytokine_release(untreated, draws.hazards, keys)
    planned = draw_uniform(keys, TRANSPLANT, 1)[:, 0] < clinic.transplant.value
    when = clinic.transplant_day.value * np.exp(settings.treatment.transplant_spread.value * draw_normal(keys, TRANSPLANT + 10, 1)[:, 0])
    events = infuse(draws).add("transplant", np.where(planned, np.rint(when), np.inf), settings.treatment.transplant_kill.value)
    for kind, day in (("tocilizumab", tocilizumab), ("corticosteroids", steroids)):
        events = events.add(kind, np.where(day < NONE, day, np.inf))
    course = simulate_course(draws, wanted_days(plan.study, settings, last), events, rtol=_RTOL, threads=threads)
    return course, crs, icans, tocilizumab, steroids


class _Path:
    """The visits in their order: who comes, what is called, who fails, is treated anew and dies."""

    def __init__(
        self,
        plan: Plan,
        people: Accrued,
        keys: Keys,
        follow: Days,
        schedule: Schedule,
        measured: Measured,
        before: Floats,
        transplant: Days,
        support: Support,
    ) -> None:
        self.plan, self.keys, self.follow, self.schedule = plan, keys, follow, schedule
        self.transplant = transplant
        given = transfused(support, schedule.visit, plan.study.disease.transfusion_free_days)
        self.seen = [
            evidence(plan.study, measured.visit[:, v], measured.lesions[:, v], before, measured.lesions_before, given[:, v])
            for v in range(schedule.visit.shape[1])
        ]
        constants = load_model().constants
        kind = "child" if plan.population.patients.child else "adult"
        self.ratio = constants["failure-ratio"]
        self.chance = draw_uniform(keys, DEATHS, 6)
        self.saved = self.chance[:, 3] < constants[f"salvaged-{kind}"]
        self.hazard = people.after_failure
        leaving = -np.log(draw_uniform(keys, LEAVING, 2))
        visits = plan.settings.visits
        self.lost, self.withdrawn = (
            _whole(leaving[:, i] / max(rate / _YEAR, 1e-12)) for i, rate in enumerate((visits.lost.value, visits.withdrawn.value))
        )
        self.withdrawn = np.where(self.withdrawn <= self.lost, self.withdrawn, NONE)
        self.lost = np.where(self.lost < self.withdrawn, self.lost, NONE)

    def first_death(self) -> tuple[Days, Flags]:
        """Return death without failure: early, by transplant, of other causes; and of those who never respond, and who these are."""
        clinic, survival, u = self.plan.population.clinic, self.plan.settings.survival, self.chance
        early, days = clinic.early_death.value, survival.early_days.value
        spent = -np.log(u[:, 0])
        death = np.where(spent < early, spent / max(early, 1e-12) * days, days + (spent - early) / max(clinic.other_death.value, 1e-12))
        by_transplant = (self.transplant < death) & (u[:, 1] < clinic.transplant_death.value)
        after = self.transplant - survival.transplant_death_days.value * np.log(u[:, 2])
        death = np.where(by_transplant, np.minimum(death, after), death)
        visits = self.plan.study.disease.visits
        responds = np.zeros(len(death), bool)
        for v, seen in enumerate(self.seen):
            if visits[v].day - visits[v].minus <= LAST_RESPONSE:
                responds |= seen.clear
        resistant = 28 - np.log(u[:, 4]) / (self.hazard * self.ratio)
        of_disease = ~(responds | self.saved) & (resistant < death)
        return _whole(np.where(of_disease, resistant, death)), of_disease

    def walk(self) -> tuple[Flags, Days, Days, Days, Flags]:
        """Return attendance, calls, deaths, new therapies, and whether a death is of the disease."""
        plan, day, settings = self.plan, self.schedule.visit, self.plan.settings
        subjects, visits = day.shape
        chance = [draw_uniform(self.keys, stream, 2 * visits).reshape(subjects, visits, 2) for stream in READINGS]
        readers = [Reader(subjects) for _ in READINGS]
        errors = (settings.readers.investigator_error.value, settings.readers.reader_error.value, settings.readers.reader_error.value)
        death, of_disease = self.first_death()
        starts = draw_uniform(self.keys, THERAPY, 2)
        delay = 3 + np.floor(-np.log(starts[:, 1]) * settings.treatment.new_therapy_delay.value).astype(np.int64)
        therapy = np.full(subjects, NONE, np.int64)
        on = np.ones(subjects, bool)
        attended = np.zeros(day.shape, bool)
        calls = np.full((subjects, visits, 4), -1, np.int64)
        windows = plan.study.disease.visits
        last_chance = max([v for v, visit in enumerate(windows) if visit.day - visit.minus <= LAST_RESPONSE], default=0)
        central = central_readers(plan)
        for v in range(visits):
            when, seen = day[:, v], self.seen[v]
            stop = np.minimum.reduce([self.follow, death - 1, therapy - 1, self.lost, self.withdrawn])
            possible = on & (when <= stop)
            here = possible & self.schedule.kept[:, v]
            attended[:, v] = here
            for i, reader in enumerate((INV, READER1, READER2)):
                if i and not central:
                    continue
                call = read_visit(settings, readers[i], seen, chance[i][:, v], errors[i])
                calls[:, v, reader] = np.where(here, call, -1)
                readers[i].note(call, when, here)
            if central:
                self._adjudicate(v, here, calls, readers, chance[3][:, v], when)
            investigator = calls[:, v, INV]
            relapse = here & (investigator == RELAPSE)
            resistant = here & (investigator == PD)
            if v == last_chance:
                resistant |= possible & ~readers[0].remission
            dying = _whole(when - np.log(self.chance[:, 4]) / self.hazard)
            sooner = relapse & ~self.saved & (np.maximum(dying, when + 1) < death)
            death, of_disease = np.where(sooner, np.maximum(dying, when + 1), death), of_disease | sooner
            failed = relapse | resistant
            treated = failed & (starts[:, 0] < settings.treatment.new_therapy.value)
            therapy = np.where(treated, np.minimum(therapy, when + delay), therapy)
            on &= ~failed
        return attended, calls, death, therapy, of_disease

    def _adjudicate(self, v: int, here: Flags, calls: Days, readers: list[Reader], chance: Floats, when: Days) -> None:
        one, two = calls[:, v, READER1], calls[:, v, READER2]
        same, committee = agree(one, two, readers[1], readers[2])
        judge = readers[3]
        own = judge.true(self.seen[v])
        wrong = chance[:, 0] < self.plan.settings.readers.adjudicator_error.value
        verdict = np.where(wrong, np.where(one == own, two, one), own)
        calls[:, v, ADJUDICATOR] = np.where(here & ~same, verdict, -1)
        upheld = (verdict == RELAPSE) | (judge.remission & np.isin(verdict, statuses_of(RESISTANCE)))
        for reader, call in zip(readers[1:3], (one, two), strict=True):
            reader.overrule(here & ~same & ~upheld & (call == RELAPSE))
        judge.note(np.where(same, committee, verdict).astype(np.int64), when, here)


def central_readers(plan: Plan) -> bool:
    """Whether the study names any reading but the investigator's."""
    named: set[str | None] = {plan.study.readers.primary, *plan.study.readers.sensitivity}
    named |= {variant.endpoint.reader for endpoint in plan.study.endpoints for variant in plan.study.variants(endpoint)}
    return bool(named & {"IRC", "READER 1", "READER 2"})


def _whole(days: Floats) -> Days:
    return np.where(days < NONE, np.maximum(np.ceil(np.minimum(days, NONE)), 1), NONE).astype(np.int64)
