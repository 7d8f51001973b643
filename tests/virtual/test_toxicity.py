"""Grades from IL-6, cytopenias from counts, and a transplant before month 3: against their definitions."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cartrial.virtual import load_ensemble, load_population
from cartrial.virtual.calibration.clinic import MEASURES, Cohort, simulate_cohort
from cartrial.virtual.engine import Course, compiled, infuse, simulate_course
from cartrial.virtual.patients.draws import draw_patients
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.patients.randomness import Keys
from cartrial.virtual.patients.toxicity import crs_chance, cytokine_release, cytopenia, graft_versus_host, icans_chance

pytest.importorskip("numba")

NUMBERS = load_model().constants


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Return patients of ELIANA under the ensemble's median."""
    ensemble = load_ensemble()
    middle = {name: float(value) for name, value in ensemble.model.natural(np.median(ensemble.values, axis=0)).items()}
    return simulate_cohort(load_population("eliana"), middle, patients=1500, seed=4, last=90.0, threads=2)


def test_chances_are_those_of_the_grades() -> None:
    """independent: the calibration's chances against the frequency of drawn grades, 4 standard errors."""
    keys = Keys.trials("toxicity", 1, 1, 40_000)
    draws = draw_patients(load_population("mskcc"), load_ensemble(), keys)
    # IL-6 is made up, the same for all: one peak near the threshold
    n, peak = len(keys), float(np.exp(draws.hazards["severe_crs"][0] + 0.4))
    values = np.zeros((n, 29, 11), np.float32)
    values[:, 5:9, 6] = peak
    info = np.zeros((n, 14))
    info[:, 7] = peak
    crs, icans, tocilizumab, steroids = cytokine_release(Course(np.arange(29.0), values, info, np.ones(n)), draws.hazards, keys)
    above = np.full(n, 0.4)
    for found, chance in ((crs.grade >= 3, crs_chance(above)), (icans.grade >= 3, icans_chance(above, draws.hazards["icans"]))):
        assert abs(found.mean() - chance.mean()) < 4 * np.sqrt(chance.mean() / n)
    assert ((icans.grade == 0) | (crs.grade > 0)).all()
    assert ((tocilizumab < 2**30) == (crs.grade >= 2)).all()
    assert ((steroids < 2**30) == ((crs.grade >= 3) | (icans.grade >= 2))).all()
    # by hand: at the threshold half are severe; a ln unit above it 1 / (1 + e^-slope)
    assert crs_chance(np.zeros(1))[0] == 0.5
    assert crs_chance(np.ones(1))[0] == pytest.approx(1 / (1 + np.exp(-NUMBERS["crs-slope"])))


def test_scales_and_products_are_told_apart(cohort: Cohort) -> None:
    assert NUMBERS["crs-penn"] < 0 < NUMBERS["icans-cd28"] and NUMBERS["il6-cd28"] > 1
    assert MEASURES["severe-crs-penn"](cohort, 0) > MEASURES["severe-crs"](cohort, 0) + 0.1
    keys = Keys.trials("toxicity", 1, 1, 10)
    one, other = (draw_patients(load_population(name), load_ensemble(), keys).hazards["icans"] for name in ("zuma3", "inaticel"))
    np.testing.assert_allclose(one - other, NUMBERS["icans-cd28"])


def test_cytopenia_measures_by_day(cohort: Cohort) -> None:
    """independent: every day of one simulated course, not interpolated."""
    days = np.arange(0.0, 61.0)
    course = simulate_course(cohort.draws, days, infuse(cohort.draws), rtol=1e-4)
    half = np.median((np.asarray(course["anc"])[:, 1:] < 0.5).sum(1))
    assert MEASURES["days-neutrophils-below-half"](cohort, 0) == pytest.approx(half, abs=1.5)
    ever = (np.asarray(course["anc"]).min(1) < 1.0).mean()
    assert MEASURES["neutrophils-ever-below-1"](cohort, 0) == pytest.approx(ever, abs=0.01)
    assert MEASURES["platelets-ever-below-50"](cohort, 0) == pytest.approx((np.asarray(course["plt"]).min(1) < 50).mean(), abs=0.01)
    # the event of a trial: grade 3 or more as often as counts below 1.0
    found = cytopenia(days, np.asarray(course["anc"], float), 1.0, 0.5, np.full(len(cohort.draws), 60))
    assert (found.grade >= 3).mean() == pytest.approx(ever, abs=1e-9)
    assert 0.6 < (found.grade == 4).mean() < ever


@pytest.mark.slow
def test_a_transplant_before_month_3_is_no_response_there() -> None:
    """by hand: three patients in remission from day 28, transplanted never, on day 80, on day 95."""
    visits = np.array([28.0, 60.0, 90.0, 120.0])
    shape = (3, 4)
    clean, full = np.full(shape, 1e-6), np.full(shape, 5.0)
    numbers = np.array([0.3, 2e5, 10.0, 0.015, 0.0002, 0.3, 0.1, 1.6, 0.1])
    chance = np.full((3, 6), 0.5)
    # 0.5: no death by treatment; 0.9 for the transplant: survived
    chance[:, 1] = 0.9
    result = np.empty((3, 9))
    transplanted = np.array([np.nan, 80.0, 95.0])
    compiled("calibration.clinic_kernel").observe(
        visits, clean, np.zeros(shape), np.zeros(shape), full, 60 * full, transplanted, np.zeros(3, bool), np.zeros((3, 4, 3)), chance,
        numbers, np.full(3, 0.003), result,
    )  # fmt: skip
    assert result[:, 0].tolist() == [2, 2, 2]
    assert result[:, 7].tolist() == [2, 0, 2]


def test_graft_versus_host_disease_of_an_allogeneic_product_alone() -> None:
    """Independent: of 20 trials of 100 infused, the count is binomial with the population's chance, less those who left or died before."""
    from cartrial.study import Study
    from cartrial.virtual.trial import plan_study, simulate_study

    term = "ACUTE GRAFT VERSUS HOST DISEASE IN SKIN"
    study = Study.load("allo-cd19")
    plan = plan_study(study, n=100, seed=5)
    records = simulate_study(study, plan=plan, trials=20)
    found = records.adverse.filter(pl.col("DECOD") == term)
    gvhd = plan.population.clinic.gvhd
    assert gvhd is not None and (found["TOXGR"].cast(pl.Int64) == 1).all() and found["SUBJ"].n_unique() == found.height
    assert 0.75 * gvhd.value - 4 * 0.007 < found.height / 2000 < gvhd.value + 4 * 0.007
    days = found.join(records.subjects.select("SUBJ", "DAY0"), on="SUBJ").select(pl.col("DAY") - pl.col("DAY0")).to_series()
    assert days.min() >= 14 and days.max() <= 41
    other = simulate_study(Study.load("inaticel"), n=39, trials=2, seed=5)
    assert other.adverse.filter(pl.col("DECOD") == term).is_empty()


def test_graft_versus_host_disease_after_a_transplant_is_not_the_products() -> None:
    """By hand: nothing from the day on which something else may be its cause."""
    keys = Keys.trials("gvhd", 1, 1, 4000)
    free = graft_versus_host(1.0, keys, np.full(4000, 1000))
    assert (free.grade == 1).all() and set(np.unique(free.start)) == set(range(14, 42)) and (free.end >= free.start + 7).all()
    cut = graft_versus_host(1.0, keys, np.full(4000, 20))
    assert ((cut.grade == 1) == (free.start <= 20)).all() and (graft_versus_host(0.0, keys, np.full(4000, 1000)).grade == 0).all()
