"""Who comes to which site, when, and gets as far as the infusion? Subjects of one or many trials up to the study's cutoff."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.virtual.patients.draws import draw_patients, marrow_to_blasts
from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform
from cartrial.virtual.patients.supply import supply_allogeneic, supply_autologous
from cartrial.virtual.trial.screening import PASSED, screen

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.virtual.patients.ensemble import Ensemble
    from cartrial.virtual.patients.population import Population
    from cartrial.virtual.trial.choice import Origin
    from cartrial.virtual.trial.settings import TrialSettings

__all__ = ["NEVER", "Accrued", "Plan", "accrue", "accrue_trials"]

Days = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEVER = 2**30
# streams of random numbers of the trial layer
SITES, ARRIVALS, SCREENING = range(1000, 1003)
_TRIAL = 2**32 - 2
_EPOCH = dt.date(1970, 1, 1)
_MONTH = 30.4375
# screened subjects for each infused one before nobody counts as eligible
_MOST = 64


@dataclass(frozen=True)
class Plan:
    """Everything that the subjects of a study's virtual trials come from.

    Parameters
    ----------
    study, settings, population, ensemble, seed
    size : int
        Subjects of each trial who are infused by the cutoff; with `goal` enrolled: who are enrolled.
    goal : {"infused", "enrolled"}
    origin : {"call", "study file", "settings", "default"}
        Who chose the population.
    """

    study: Study
    settings: TrialSettings
    population: Population
    ensemble: Ensemble
    seed: int
    size: int
    goal: Literal["infused", "enrolled"] = "infused"
    origin: Origin = "call"

    @property
    def sites(self) -> int:
        """Number of sites: the study's, else the settings'."""
        return int(self.study.study.sites or self.settings.accrual.sites.value)

    @property
    def cutoff(self) -> int:
        """Days since 1970-01-01."""
        date = self.study.study.cutoff
        if date is None:
            raise InputError(
                "the study has no cutoff, so virtual subjects have no dates", key="study.cutoff", right="Write a date, YYYY-MM-DD"
            )
        return (date - _EPOCH).days

    def keys(self, trial: Days, subject: Days) -> Keys:
        """Return the keys of the random numbers of some subjects."""
        return Keys(self.study.study.id, self.seed, trial, subject)


@dataclass(frozen=True)
class Accrued:
    """Subjects who gave consent, sorted by trial, site and number in the site. Arrays of shape (subjects,).

    Parameters
    ----------
    trial, subject : ndarray of int64
        Keys: the trial and the order of consent in it, from 0.
    site, number : ndarray of int64
        From 1.
    consent, enrolled, infusion, released, lost : ndarray of int64
        Days since 1970-01-01, `NEVER` where it did not happen. `lost`: product failure, death or ineligibility before infusion.
    outcome : ndarray of int64
        Position in `patients.supply.OUTCOMES`; -1 for a subject who failed screening.
    failed : ndarray of int64
        Why screening was failed, as `screening.screen` says; 0 where it was passed.
    attempts : ndarray of int64
        Aphereses, or lots.
    age, marrow, marrow_later : ndarray of float64
        Years; fraction of blasts at screening and before lymphodepletion.
    lowered, female, prior_transplant : ndarray of bool
        Whose blasts bridging lowers; sex; transplant in the history.
    after_failure : ndarray of float64
        Deaths after relapse, 1/day.
    member : ndarray of int64
        Parameter set of the ensemble.
    """

    trial: Days
    subject: Days
    site: Days
    number: Days
    consent: Days
    enrolled: Days
    infusion: Days
    released: Days
    lost: Days
    outcome: Days
    failed: Days
    attempts: Days
    age: Floats
    marrow: Floats
    marrow_later: Floats
    lowered: Flags
    female: Flags
    prior_transplant: Flags
    after_failure: Floats
    member: Days

    def __len__(self) -> int:
        return len(self.trial)

    @property
    def infused(self) -> Flags:
        """Who was infused."""
        return self.infusion < NEVER

    def take(self, rows: NDArray[np.generic]) -> Accrued:
        """Return some subjects."""
        return Accrued(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def accrue_trials(plan: Plan, trials: Days) -> Accrued:
    """Return the subjects of some trials: screened in the order of consent until so many are infused.

    Parameters
    ----------
    plan : Plan
    trials : ndarray of int64
        Numbers of the trials, increasing.

    Raises
    ------
    InputError
        If the cutoff lies before the first visit, or next to nobody is eligible or infused.

    Notes
    -----
    Sites open over `accrual.activation` days, each with a log-normal rate; consents are a Poisson process. Subjects who are not infused are
    replaced. The last infusion is `accrual.follow-up-of-last` days before the study's cutoff.
    """
    first = plan.study.disease.visits[0]
    follow = int(plan.settings.accrual.follow_up_of_last.value)
    if follow < first.day + first.plus:
        raise InputError(
            f"the cutoff is {follow} days after the last infusion, before the end of the first visit (day {first.day + first.plus})",
            key="accrual.follow-up-of-last",
            right=f"Give at least {first.day + first.plus} days",
        )
    plan.cutoff  # noqa: B018 - raises where there is none
    done: list[Accrued] = []
    size = int(1.5 * plan.size) + 12
    left = np.asarray(trials, np.int64)
    while len(left):
        if size > _MOST * (plan.size + 12):
            raise InputError(
                f"of {size // 2} screened subjects fewer than {plan.size} are {plan.goal}: next to nobody is eligible",
                key="eligibility",
                right="Widen the ages, the marrow blasts or the share of other reasons, or use a population that the study can enrol",
            )
        found, enough = accrue(plan, left, size)
        done.append(found)
        left = left[~enough]
        size *= 2
    everyone = Accrued(**{field.name: np.concatenate([getattr(part, field.name) for part in done]) for field in fields(Accrued)})
    return everyone.take(np.lexsort((everyone.number, everyone.site, everyone.trial)))


def accrue(plan: Plan, trials: Days, size: int) -> tuple[Accrued, Flags]:
    """Return the subjects of those trials that have enough among the first `size` screened, and which trials these are."""
    site, arrival = _arrivals(plan, trials, size)
    keys = plan.keys(np.repeat(trials, size), np.tile(np.arange(size), len(trials)))
    draws = draw_patients(plan.population, plan.ensemble, keys)
    u = draw_uniform(keys, SCREENING, 4)
    settings, product = plan.settings, plan.study.product
    supply = (supply_autologous if product.type == "autologous" else supply_allogeneic)(plan.population, draws, keys)

    age = np.floor(draws.covariates["age"].astype(float))
    marrow = draws.covariates["marrow"].astype(float)
    failed = screen(age, marrow, u[:, 0], settings.eligibility)
    eligible = failed == PASSED
    infused = eligible & supply.infused

    shape = (len(trials), size)
    reached = infused if plan.goal == "infused" else eligible
    counted = np.cumsum(reached.reshape(shape), axis=1)
    enough = counted[:, -1] >= plan.size
    before = np.concatenate([np.zeros((shape[0], 1), np.int64), counted[:, :-1]], axis=1)
    keep = ((before < plan.size) & enough[:, None]).ravel()

    shortest, longest = 3.0, 28.0
    wait = np.clip(shortest - np.log(u[:, 1]) * max(settings.accrual.screening.value - shortest, 0.0), 1.0, longest)
    consent = np.floor(arrival.ravel())
    enrolled = consent + np.floor(wait)
    ready = np.ceil(supply.infusion)
    start = settings.treatment.lymphodepletion_start.value
    infusion = np.where(infused, enrolled + np.maximum(ready, start + 2), np.inf)
    released = np.where(eligible, np.minimum(enrolled + np.floor(supply.released), infusion - start), np.inf)
    lost = np.where(eligible & ~supply.infused, enrolled + np.maximum(np.floor(supply.lost), 1), np.inf)
    # a product counts as released only if the subject was still there
    released = np.where(released <= lost, released, np.inf)
    last = np.where(keep & reached, infusion if plan.goal == "infused" else enrolled, -np.inf).reshape(shape).max(1)
    shift = np.where(enough, plan.cutoff - settings.accrual.follow_up_of_last.value - last, 0.0)

    def dated(days: Floats) -> Days:
        return np.where(np.isfinite(days), days + np.repeat(shift, size), NEVER).astype(np.int64)

    # numbers within the site count in the order of consent
    order = np.lexsort((keys.subject, site.ravel(), keys.trial))
    group = keys.trial[order] * (plan.sites + 1) + site.ravel()[order]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    number = np.empty(len(keys), np.int64)
    number[order] = np.arange(len(keys)) - np.repeat(first, np.diff(np.append(first, len(keys)))) + 1
    everyone = Accrued(
        trial=keys.trial,
        subject=keys.subject,
        site=site.ravel(),
        number=number,
        consent=dated(consent),
        enrolled=dated(np.where(eligible, enrolled, np.inf)),
        infusion=dated(infusion),
        released=dated(released),
        lost=dated(lost),
        outcome=np.where(eligible, supply.outcome, -1),
        failed=failed,
        attempts=supply.attempts,
        age=age,
        marrow=marrow,
        marrow_later=supply.marrow,
        lowered=supply.lowered,
        female=u[:, 2] < 0.5,
        prior_transplant=draws.covariates["prior_transplant"].astype(bool),
        after_failure=draws.hazards["after_failure"],
        member=draws.member,
    )
    return everyone.take(np.flatnonzero(keep)), enough


def _arrivals(plan: Plan, trials: Days, size: int) -> tuple[Days, Floats]:
    """Return site (from 1) and day of consent by trial and order: shape (trials, size).

    Unit exponential steps are brought to days by the inverse of the sites' cumulated rate, which is linear between openings.
    """
    accrual, sites = plan.settings.accrual, plan.sites
    of_trial = plan.keys(trials, np.full(len(trials), _TRIAL))
    opening = draw_uniform(of_trial, SITES, sites) * accrual.activation.value
    opening -= opening.min(1, keepdims=True)
    spread = accrual.rate_spread.value
    rate = accrual.rate.value / _MONTH * np.exp(spread * draw_normal(of_trial, SITES + 10, sites) - spread**2 / 2)
    order = np.argsort(opening, axis=1, kind="stable")
    opening, rate = np.take_along_axis(opening, order, 1), np.take_along_axis(rate, order, 1)
    total = np.cumsum(rate, axis=1)
    reached = np.concatenate([np.zeros((len(trials), 1)), np.cumsum(total[:, :-1] * np.diff(opening, axis=1), axis=1)], axis=1)
    keys = plan.keys(np.repeat(trials, size), np.tile(np.arange(size), len(trials)))
    u = draw_uniform(keys, ARRIVALS, 2).reshape(len(trials), size, 2)
    steps = np.cumsum(-np.log(u[:, :, 0]), axis=1)
    open_sites = (reached[:, None, :] <= steps[:, :, None]).sum(-1) - 1
    rows = np.arange(len(trials))[:, None]
    day = opening[rows, open_sites] + (steps - reached[rows, open_sites]) / total[rows, open_sites]
    aim = u[:, :, 1] * total[rows, open_sites]
    chosen = np.minimum((total[:, None, :] <= aim[:, :, None]).sum(-1), open_sites)
    return order[rows, chosen].astype(np.int64) + 1, day


def blasts_in_blood(marrow: Floats, neutrophils: Floats) -> Floats:
    """Return the share of blasts among leukocytes before treatment, from the marrow's share and neutrophils (1e9/L)."""
    blasts = marrow_to_blasts(marrow) * marrow
    return np.asarray(blasts / (blasts + neutrophils * 1000 / 0.65 + 500.0))
