"""What would a trial of this population publish? The aggregates that stand in the registry of published results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.engine import Course, Draws, compiled, infuse, simulate_course
from cartrial.virtual.patients.chances import CLINIC, Chances, draw_chances
from cartrial.virtual.patients.draws import build_patients
from cartrial.virtual.patients.population import Population, load_model
from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform
from cartrial.virtual.patients.supply import Supply, supply_allogeneic, supply_autologous
from cartrial.virtual.patients.toxicity import crs_chance, icans_chance

__all__ = ["BEFORE_INFUSION", "MEASURES", "Cohort", "simulate_cohort"]

Floats = NDArray[np.float64]

SAMPLES = np.array([1, 3, 5, 7, 9, 11, 14, 17, 21, 28, 42, 60, 90, 180.0])
VISITS = np.array(
    [28, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 360, 420, 480, 540, 600, 660, 720, 810, 900, 990, 1080, 1260, 1440, 1620, 1826.0]
)
MONTH = 30.4375
_LLOQ = 50.0
_RESIDUAL = 0.56
_FLOW_CELLS = 2e5
_MARROW_ERROR = 0.3
_COUNT_ERROR = 0.1
_APLASIA = 10.0
_CYTOPENIA_DAYS = 60.0
_NEVER = 1e4


@dataclass(frozen=True)
class Cohort:
    """Patients of one population, followed.

    Parameters
    ----------
    draws : Draws
    course : Course
    result : ndarray of float64, shape (patients, 9)
        As `clinic_kernel.observe` fills it.
    noise : ndarray of float64, shape (patients, samples)
        Standard normal errors of the kinetic samples.
    supply : Supply
        Of all who were enrolled; `patients` above are the infused.
    """

    draws: Draws
    course: Course
    result: Floats
    noise: Floats
    supply: Supply

    @cached_property
    def responder(self) -> NDArray[np.bool_]:
        """Responded within 3 months, shape (patients,)."""
        return self.result[:, 0] > 0

    @cached_property
    def remission_days(self) -> Floats:
        """Days from response to relapse or death, of responders."""
        r = self.result[self.responder]
        return np.minimum(r[:, 3], r[:, 6]) - r[:, 1]

    @cached_property
    def event_days(self) -> Floats:
        """Days to non-response (day 28), relapse or death, shape (patients,)."""
        r = self.result
        return np.where(self.responder, np.minimum(r[:, 3], r[:, 6]), np.minimum(28.0, r[:, 6]))

    @cached_property
    def samples(self) -> Floats:
        """Copies/ug as measured, 0 below the limit of quantification, at `SAMPLES` of the follow-up; shape (patients, samples)."""
        at = np.searchsorted(self.course.days, SAMPLES[self.course.days[-1] >= SAMPLES])
        measured = self.course.copies[:, at] * np.exp(_RESIDUAL * self.noise[:, : len(at)])
        return np.where(measured < _LLOQ, 0.0, measured)

    @cached_property
    def kinetics(self) -> tuple[Floats, Floats, Floats]:
        """Cmax (copies/ug), Tmax (days) and AUC to day 28; half the limit where nothing was measured."""
        early = SAMPLES <= 28
        days, values = SAMPLES[early], self.samples[:, : early.sum()]
        area = ((values[:, 1:] + values[:, :-1]) / 2 * np.diff(days)).sum(1)
        return np.maximum(values.max(1), _LLOQ / 2), days[values.argmax(1)], np.maximum(area, _LLOQ / 2 * 28)

    def within(self, low: float, high: float) -> Cohort:
        """Return the infused with so many blasts before lymphodepletion: fractions of the marrow, `low` and more, below `high`."""
        marrow = self.draws.covariates["marrow"].astype(float)
        rows = np.flatnonzero((marrow >= low) & (marrow < high))
        course = self.course
        part = Course(course.days, course.values[rows], course.info[rows], course.genomes[rows])
        return Cohort(self.draws.take(rows), part, self.result[rows], self.noise[rows], self.supply)

    def at(self, day: float) -> int:
        """Return the position of a day."""
        return int(np.searchsorted(self.course.days, day))


def _mean(values: Any) -> float:
    return float(np.mean(values)) if np.size(values) else 0.0


def _median_months(days: Floats) -> float:
    return float(np.median(np.minimum(days, _NEVER))) / MONTH if len(days) else 1.0 / MONTH


def _infused(c: Cohort, _: float) -> float:
    return _mean(c.supply.infused)


def _negative_of_relapses(c: Cohort, at: float) -> float:
    r = c.result
    return _mean(r[r[:, 3] < at, 4])


def _negative_in_aplasia(c: Cohort, at: float) -> float:
    r = c.result
    return _mean(r[(r[:, 3] < at) & (r[:, 5] > 0), 4])


def _recovery_ratio(c: Cohort, at: float) -> float:
    """Relapse rate after over before B-cell recovery of the first year, to day `at`."""
    r = c.result[c.responder]
    end = np.minimum(np.minimum(r[:, 3], r[:, 6]), at)
    start = r[:, 1]
    turn = np.where(r[:, 8] <= 365, np.maximum(r[:, 8], start), np.inf)
    event = r[:, 3] <= end
    after = np.maximum(end - turn, 0.0).sum()
    before = (np.minimum(end, turn) - start).sum()
    late = event & (end > turn)
    return float(((late.sum() + 0.5) / (after + 50.0)) / (((event & ~late).sum() + 0.5) / (before + 50.0)))


def _ratio(c: Cohort, which: int) -> float:
    values = np.log(c.kinetics[which])
    yes, no = c.responder, ~c.responder
    return float(np.exp(values[yes].mean() - values[no].mean())) if yes.any() and no.sum() > 2 else 1.0


def _expansion_by_blasts(c: Cohort, _: float) -> float:
    """Fold of Cmax for 50 points more of marrow blasts before lymphodepletion: least squares of ln Cmax."""
    marrow = c.draws.covariates["marrow"].astype(float)
    off = marrow - marrow.mean()
    return float(np.exp(0.5 * (off @ np.log(c.kinetics[0])) / max(float(off @ off), 1e-9)))


def _severe_crs(c: Cohort, shift: float) -> float:
    return _mean(crs_chance(np.log(c.course.peak_il6) - c.draws.hazards["severe_crs"] - shift))


def _severe_icans(c: Cohort, _: float) -> float:
    return _mean(icans_chance(np.log(c.course.peak_il6) - c.draws.hazards["severe_crs"], c.draws.hazards["icans"]))


def _ever_below(c: Cohort, name: str, limit: float) -> float:
    return _mean(c.course[name][:, : c.at(_CYTOPENIA_DAYS) + 1].min(1) < limit)


def _days_below(c: Cohort, name: str, limit: float) -> float:
    """Return the median of days below a limit up to day 60, counts interpolated between samples."""
    days, counts = c.course.days[: c.at(_CYTOPENIA_DAYS) + 1], c.course[name]
    grid = np.arange(1.0, _CYTOPENIA_DAYS + 1)
    right = np.clip(np.searchsorted(days, grid), 1, len(days) - 1)
    part = (grid - days[right - 1]) / (days[right] - days[right - 1])
    daily = counts[:, right - 1] * (1 - part) + counts[:, right] * part
    return max(float(np.median((daily < limit).sum(1))), 0.5)


def _around(values: Floats, share: float) -> float:
    """Return the mean of the fifth of the values around a quantile: smooth where values are days of sampling."""
    ordered = np.sort(values)
    return float(ordered[int((share - 0.1) * len(ordered)) : max(int((share + 0.1) * len(ordered)), 1)].mean())


def _after_failure(c: Cohort, _: float) -> float:
    """Return the median of months from relapse, or from non-response on day 28, to death."""
    failed = np.where(c.responder, c.result[:, 3], 28.0)
    death = c.result[:, 6]
    return _median_months((death - failed)[failed < death])


MEASURES: dict[str, Callable[[Cohort, float], float]] = {
    "infused-of-enrolled": _infused,
    "failed-of-enrolled": lambda c, _: _mean(c.supply.outcome == 1),
    "response": lambda c, _: _mean(c.responder),
    "complete-response": lambda c, _: _mean(c.result[:, 0] == 2),
    "response-month-3": lambda c, _: _mean(c.result[:, 7] > 0),
    "mrd-negative": lambda c, _: _mean(c.responder & (c.result[:, 2] > 0)),
    "mrd-negative-of-responders": lambda c, _: _mean(c.result[c.responder, 2]),
    "remission-free-of-relapse": lambda c, at: _mean(c.remission_days > at),
    "remission-median": lambda c, _: _median_months(c.remission_days),
    "event-free": lambda c, at: _mean(c.event_days > at),
    "event-free-median": lambda c, _: _median_months(c.event_days),
    "alive": lambda c, at: _mean(c.result[:, 6] > at),
    "survival-after-failure-median": _after_failure,
    "survival-median": lambda c, _: _median_months(c.result[:, 6]),
    "relapse-of-responders": lambda c, at: _mean(c.result[c.responder, 3] < at),
    "negative-of-relapses": _negative_of_relapses,
    "negative-of-relapses-in-aplasia": _negative_in_aplasia,
    "relapse-after-b-cell-recovery": _recovery_ratio,
    "transplanted-of-responders": lambda c, _: _mean(c.course.transplanted[c.responder] < c.result[c.responder, 6]),
    "cmax-ratio": lambda c, _: _ratio(c, 0),
    "auc-ratio": lambda c, _: _ratio(c, 2),
    "cmax": lambda c, _: float(np.exp(np.log(c.kinetics[0]).mean())),
    "expansion-by-blasts": _expansion_by_blasts,
    "cmax-spread": lambda c, _: float(np.log(c.kinetics[0]).std()),
    "tmax": lambda c, _: _around(c.kinetics[1], 0.5),
    "tmax-lower-quartile": lambda c, _: _around(c.kinetics[1], 0.25),
    "tmax-upper-quartile": lambda c, _: _around(c.kinetics[1], 0.75),
    "tmax-spread": lambda c, _: max(float(np.log(c.kinetics[1]).std()), 1e-3),
    "copies": lambda c, at: float(np.exp(np.log(np.median(c.course.copies[:, c.at(at)]) + 1e-3))),
    "quantifiable": lambda c, at: _mean(c.course.copies[:, c.at(at)] > _LLOQ),
    "lost": lambda c, at: _mean(c.course.copies[:, c.at(at)] < _LLOQ),
    "aplasia": lambda c, at: _mean(c.course["b_cells"][c.responder, c.at(at)] < _APLASIA),
    "neutrophils-below-1": lambda c, at: _mean(c.course["anc"][:, c.at(at)] < 1.0),
    "platelets-below-50": lambda c, at: _mean(c.course["plt"][:, c.at(at)] < 50.0),
    "grade-4-cytopenia": lambda c, at: _mean((c.course["anc"][:, c.at(at)] < 0.5) | (c.course["plt"][:, c.at(at)] < 25.0)),
    "neutrophils-ever-below-1": lambda c, _: _ever_below(c, "anc", 1.0),
    "platelets-ever-below-50": lambda c, _: _ever_below(c, "plt", 50.0),
    "days-neutrophils-below-half": lambda c, _: _days_below(c, "anc", 0.5),
    "severe-crs": lambda c, _: _severe_crs(c, 0.0),
    "severe-crs-penn": lambda c, _: _severe_crs(c, load_model().constants["crs-penn"]),
    "severe-icans": _severe_icans,
}


BEFORE_INFUSION = frozenset({"infused-of-enrolled", "failed-of-enrolled"})
"""Measures that ask nothing of the course."""


@lru_cache(maxsize=256)
def _fixed_draws(name: str, seed: int, patients: int) -> tuple[Keys, Chances, Floats, Floats, Floats, Floats]:
    """Return the chances of a calibration cohort: common random numbers."""
    keys = Keys.trials(f"calibration {name}", seed, 1, patients)
    n_visits = len(VISITS)
    noise = draw_normal(keys, CLINIC, 3 * n_visits).reshape(patients, n_visits, 3)
    return (
        keys,
        draw_chances(keys),
        noise,
        draw_uniform(keys, CLINIC + 1, 6),
        draw_normal(keys, CLINIC + 2, len(SAMPLES)),
        draw_normal(keys, CLINIC + 3, 1)[:, 0],
    )


def simulate_cohort(
    population: Population, natural: Mapping[str, Any], *, patients: int, seed: int, last: float, rtol: float = 1e-3, threads: int = 1
) -> Cohort:
    """Enrol patients of a population, make their product, and follow the infused as a clinic would.

    Parameters
    ----------
    population : Population
    natural : mapping of str to float
        Calibrated parameters on their natural scale.
    patients, seed : int
        Enrolled patients. The same pair gives the same chances under any parameters.
    last : float
        Days of follow-up.
    rtol, threads
        As in `simulate_course`.

    Returns
    -------
    Cohort
    """
    keys, chances, noise, chance, sample_noise, shift = _fixed_draws(population.id, seed, patients)
    supply_of = supply_allogeneic if population.product.source == "allogeneic" else supply_autologous
    supply = supply_of(population, build_patients(population, natural, chances), keys)
    infused = np.flatnonzero(supply.infused)
    draws = build_patients(population, natural, chances, marrow=supply.marrow).take(infused)
    noise, chance, sample_noise, shift = noise[infused], chance[infused], sample_noise[infused], shift[infused]
    clinic = population.clinic
    planned = np.where(chance[:, 5] < clinic.transplant.value, clinic.transplant_day.value * np.exp(0.25 * shift), np.inf)
    events = infuse(draws).add("transplant", planned, 4.0)
    visits = VISITS[last >= VISITS]
    days = np.union1d(SAMPLES[last >= SAMPLES], visits)
    course = simulate_course(draws, days, events, rtol=rtol, threads=threads)
    at = np.searchsorted(days, visits)
    constants = load_model().constants
    kind = "child" if population.patients.child else "adult"
    numbers = np.array(
        [
            _MARROW_ERROR,
            _FLOW_CELLS,
            _APLASIA,
            clinic.early_death.value,
            clinic.other_death.value,
            clinic.transplant_death.value,
            constants[f"salvaged-{kind}"],
            constants["failure-ratio"],
            _COUNT_ERROR,
        ]
    )
    result = np.empty((len(draws), 9))
    must_clear = (draws.covariates["marrow"].astype(float) < 0.05) & population.patients.mrd_level.must_clear
    seen = [
        np.ascontiguousarray(values[:, at], float)
        for values in (course.marrow, course.negative_share, course["b_cells"], course["anc"], course["plt"])
    ]
    compiled("calibration.clinic_kernel").observe(
        visits, *seen, course.transplanted, must_clear, noise, chance, numbers, draws.hazards["after_failure"], result
    )
    return Cohort(draws, course, result, sample_noise, supply)
