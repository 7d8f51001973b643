"""Accrual: expectations and simulated times by hand, by an independent count, and against the virtual trials; bad input."""

from __future__ import annotations

from dataclasses import replace
from math import exp, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cartrial.design.enrolment import accrual
from cartrial.design.enrolment.accrual import estimate_accrual, expected_accrual, expected_day, simulate_accrual
from cartrial.design.enrolment.accrual_plan import DAYS_PER_MONTH, AccrualPlan
from cartrial.design.enrolment.numbers import design_enrolment
from cartrial.errors import InputError
from cartrial.study import Study
from cartrial.virtual.trial import plan_study
from cartrial.virtual.trial.arrivals import NEVER, accrue_trials
from cartrial.virtual.trial.settings import load_trial_settings
from properties import examples

FULL = AccrualPlan(
    sites=6,
    rate=0.5,
    spread=0.6,
    activation=120,
    screening_failure=0.15,
    manufacturing_failure=0.04,
    drop=0.1,
    screening_days=10,
    infusion_days=30,
    screening_spread=0.5,
    infusion_spread=0.2,
)


def row(frame: pl.DataFrame, quantity: str) -> dict:
    """Return one quantity of a summary."""
    return frame.row(by_predicate=pl.col("quantity") == quantity, named=True)


# --------------------------------------------------------------------------------------------------- expectation


@pytest.mark.shows("EST-accrual")
def test_expectation_by_hand():
    # by hand: two sites, the second a month later, two subjects a month each: after two months 4 + 2 consents
    plan = AccrualPlan(
        sites=2, rate=2, openings=(5, 5 + DAYS_PER_MONTH), screening_failure=0.5, drop=0.2, screening_days=10, infusion_days=20
    )
    found = expected_accrual(plan, [-1, 0, DAYS_PER_MONTH, 2 * DAYS_PER_MONTH, 2 * DAYS_PER_MONTH + 30, 2 * DAYS_PER_MONTH + 120])
    assert found["sites_open"].to_list() == [0, 1, 2, 2, 2, 2]
    assert found["screened"].to_list()[:4] == pytest.approx([0, 0, 2, 6])
    # by hand: half are enrolled, 10 days later; four fifths of these infused, 20 days later; assessed 90 days after
    assert found["enrolled"][4] == pytest.approx(0.5 * (6 + 4 * 20 / DAYS_PER_MONTH))
    assert found["infused"][4] == pytest.approx(0.5 * 0.8 * 6)
    assert found["assessed"][5] == pytest.approx(0.5 * 0.8 * 6)


@pytest.mark.parametrize("sites", [1, 2, 7])
def test_expectation_of_random_openings(sites):
    # independent: 200,000 sets of openings from another generator
    plan = AccrualPlan(sites=sites, rate=1.2, activation=150)
    days = np.array([10.0, 80.0, 149.0, 150.0, 300.0])
    opening = np.random.default_rng(7).uniform(0, 150, (200_000, sites))
    opening -= opening.min(1, keepdims=True)
    found = expected_accrual(plan, days)
    for day, screened, open_sites in zip(days, found["screened"], found["sites_open"], strict=True):
        count = 1.2 / DAYS_PER_MONTH * np.clip(day - opening, 0, None).sum(1)
        assert abs(screened - count.mean()) < 4 * count.std() / sqrt(200_000) + 1e-9
        ready = (opening <= day).sum(1)
        assert abs(open_sites - ready.mean()) < 4 * ready.std() / sqrt(200_000) + 1e-9


@examples(30)
@given(n=st.integers(1, 200), sites=st.integers(1, 30), rate=st.floats(0.05, 5), activation=st.floats(0, 400), lost=st.floats(0, 0.8))
def test_expected_day_is_the_inverse(n, sites, rate, activation, lost):
    plan = AccrualPlan(
        sites=sites, rate=rate, activation=activation, screening_failure=lost, drop=lost / 2, screening_days=9, infusion_days=26
    )
    for goal in ("enrolled", "infused"):
        day = expected_day(plan, n, goal)
        assert expected_accrual(plan, [day])[goal][0] == pytest.approx(n, rel=1e-6)
        assert expected_day(plan, n + 1, goal) > day
        # one site more, opening with the others, is never slower
        assert expected_day(replace(plan, sites=sites + 1, activation=0), n, goal) <= expected_day(replace(plan, activation=0), n, goal)


# ---------------------------------------------------------------------------------------------------- simulation


def test_times_by_hand_when_all_sites_open_at_once():
    # by hand: the n-th of a Poisson process of 4 x 0.5 a month has a gamma distribution of shape n
    plan = AccrualPlan(sites=4, rate=0.5)
    found = simulate_accrual(plan, 25, "enrolled", trials=8_000, seed=3)
    scale = DAYS_PER_MONTH / 2
    times = found["last_enrolled"].to_numpy()
    assert abs(times.mean() - 25 * scale) < 4 * sqrt(25) * scale / sqrt(8_000)
    assert stats.kstest(times, stats.gamma(25, scale=scale).cdf).pvalue > 1e-4
    assert abs(found["first_consent"].mean() - scale) < 4 * scale / sqrt(8_000)
    assert (found["screened"] == 25).all() and (found["infused"] == 25).all()


def test_unequal_sites_are_slower_by_hand():
    # by hand: the sum of 4 gamma rates of shape 4 has shape 16; the mean of its inverse is 16 / 15 of the inverse of its mean
    plan = AccrualPlan(sites=4, rate=0.5, spread=0.5)
    found = estimate_accrual(simulate_accrual(plan, 25, "enrolled", trials=20_000, seed=3))
    last = row(found, "last_enrolled")
    assert abs(last["mean"] - 25 * DAYS_PER_MONTH / 2 * 16 / 15) < 4 * last["mc_error"]


def test_numbers_on_the_way_by_hand():
    # by hand: screened until 20 are infused has mean 20 / p, and screened until 20 are enrolled 20 / (1 - 0.15)
    found = simulate_accrual(FULL, 20, trials=8_000, seed=1)
    share = 0.85 * 0.96 * 0.9
    screened, enrolled = row(estimate_accrual(found), "screened"), row(estimate_accrual(found), "enrolled")
    assert FULL.share == pytest.approx(share)
    assert abs(screened["mean"] - 20 / share) < 4 * screened["mc_error"]
    assert abs(enrolled["mean"] - 20 / (0.96 * 0.9)) < 4 * enrolled["mc_error"]
    assert (found["infused"] == 20).all()
    goal = simulate_accrual(FULL, 20, "enrolled", trials=8_000, seed=1)
    assert (goal["enrolled"] == 20).all() and abs(goal["infused"].mean() - 20 * 0.96 * 0.9) < 4 * sqrt(20 * 0.96 * 0.9 * 0.136 / 8_000)
    assert (goal["last_enrolled"] <= found["last_enrolled"]).all()


def test_milestones_are_in_order():
    found = simulate_accrual(FULL, 12, trials=500)
    assert (found["first_consent"] < found["last_enrolled"]).all() and (found["last_enrolled"] < found["last_infused"] + 1e-9).mean() > 0.9
    assert (found["last_assessed"] - found["last_infused"]).to_numpy() == pytest.approx(90)
    summary = estimate_accrual(found)
    for name in ("last_enrolled", "last_infused", "last_assessed"):
        values = found[name].to_numpy()
        # independent: numpy's quantiles
        assert row(summary, name)["lower"] == pytest.approx(np.quantile(values, 0.1))
        assert row(summary, name)["upper"] == pytest.approx(np.quantile(values, 0.9))
        assert row(summary, name)["months"] == pytest.approx(np.median(values) / 30.4375)
    # the closed form is close to, and before, the mean of simulated trials
    assert expected_day(FULL, 12) < row(summary, "last_infused")["mean"] < 1.4 * expected_day(FULL, 12)


def test_the_simulation_depends_on_its_key_alone(monkeypatch):
    whole = simulate_accrual(FULL, 15, trials=60, seed=9)
    monkeypatch.setattr(accrual, "_AT_ONCE", 100)
    assert simulate_accrual(FULL, 15, trials=60, seed=9).equals(whole)
    assert simulate_accrual(FULL, 15, trials=20, seed=9).equals(whole.head(20))
    assert not simulate_accrual(FULL, 15, trials=60, seed=10).equals(whole)


def test_nobody_infused_is_null():
    plan = AccrualPlan(sites=1, rate=1, drop=0.99)
    found = simulate_accrual(plan, 1, "enrolled", trials=50)
    nobody = found.filter(pl.col("infused") == 0)
    assert nobody.height > 0 and nobody["last_infused"].is_null().all() and nobody["last_assessed"].is_null().all()


# ------------------------------------------------------------------------------------------- the virtual trials


@pytest.mark.parametrize("name", ["inaticel", "allo-cd19"])
@pytest.mark.shows("EST-accrual")
def test_numbers_are_those_of_the_virtual_trials(name):
    study = Study.load(name)
    accrual_settings = load_trial_settings(study).accrual
    plan = AccrualPlan.of_study(study, trials=20)
    assert plan.sites == (study.study.sites or accrual_settings.sites.value)
    assert (plan.rate, plan.activation) == (accrual_settings.rate.value, accrual_settings.activation.value)
    # by hand: a log-normal rate of ln sd s has a coefficient of variation of sqrt(exp(s²) - 1)
    assert plan.spread == pytest.approx(sqrt(exp(accrual_settings.rate_spread.value**2) - 1))
    assert plan.assessment == 90


@pytest.mark.parametrize("name", ["inaticel", "allo-cd19"])
def test_means_agree_with_the_virtual_trials(name):
    # independent: arrivals, losses and waits of virtual patients (log-normal rates, mechanistic supply)
    study = Study.load(name)
    virtual = plan_study(study, n=30, seed=11)
    trials = 300
    people = accrue_trials(virtual, np.arange(trials))
    infused = np.where(people.infused, people.infusion, -NEVER)
    first, last = np.full(trials, NEVER), np.full(trials, -NEVER)
    np.minimum.at(first, people.trial, people.consent)
    np.maximum.at(last, people.trial, infused)
    length = (last - first).astype(float)
    screened = np.bincount(people.trial).astype(float)

    found = simulate_accrual(AccrualPlan.of_study(study, trials=200, seed=5), 30, trials=4_000)
    mine = (found["last_infused"] - found["first_consent"]).to_numpy()
    for one, two in ((length, mine), (screened, found["screened"].to_numpy().astype(float))):
        error = sqrt(one.var() / len(one) + two.var() / len(two))
        # parameter sets differ between trials and the shares are measured: 4 standard errors and 1 %
        assert abs(one.mean() - two.mean()) < 4 * error + 0.01 * one.mean()


def test_a_planned_study_without_a_cutoff_has_an_accrual():
    study = Study.load("inaticel")
    planned = study.model_copy(update={"study": study.study.model_copy(update={"cutoff": None})})
    changes = {"accrual": {"rate": 0.7}}
    assert AccrualPlan.of_study(planned, trials=5) == AccrualPlan.of_study(study, trials=5)
    assert AccrualPlan.of_study(planned, trials=5, changes=changes).rate == 0.7


# ------------------------------------------------------------------------------------------- number to enrol


@pytest.mark.shows("EST-accrual")
def test_number_to_enrol_by_hand():
    # by hand: with a share of a half, two enrolled have one infused with probability 3/4
    found = design_enrolment(1, 0.5, certainty=0.75)
    assert (found.enrol, found.probability, found.expected) == (2, pytest.approx(0.75), 2)
    assert design_enrolment(39, 1.0).enrol == 39
    # by hand: Jeffreys' prior after 1 of 1 is Beta(1.5, 0.5): the share of the next one is 3/4
    assert design_enrolment(1, seen=(1, 1), certainty=0.75).enrol == 1


@examples(60)
@given(n=st.integers(1, 150), share=st.floats(0.2, 0.99), certainty=st.floats(0.3, 0.99))
def test_number_to_enrol_is_the_smallest(n, share, certainty):
    found = design_enrolment(n, share, certainty=certainty)
    # independent: scipy's binomial distribution
    assert found.probability == pytest.approx(stats.binom.sf(n - 1, found.enrol, share), abs=1e-12)
    assert found.probability >= certainty > stats.binom.sf(n - 1, found.enrol - 1, share)
    assert design_enrolment(n + 1, share, certainty=certainty).enrol > found.enrol - 1
    assert design_enrolment(n, min(share * 1.1, 1), certainty=certainty).enrol <= found.enrol


def test_an_uncertain_share_needs_more():
    known, uncertain = design_enrolment(100, 79 / 97, certainty=0.9), design_enrolment(100, seen=(79, 97), certainty=0.9)
    assert uncertain.enrol > known.enrol
    # independent: scipy's beta-binomial distribution, Jeffreys' prior
    assert uncertain.probability == pytest.approx(stats.betabinom.sf(99, uncertain.enrol, 79.5, 18.5), abs=1e-9)
    assert stats.betabinom.sf(99, uncertain.enrol - 1, 79.5, 18.5) < 0.9


# ------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sites": 0}, "sites: there are 0 sites"),
        ({"sites": 1.5}, "sites: there are 1.5 sites"),
        ({"rate": 0}, "rate: the rate 0 is not above 0: nobody comes"),
        ({"rate": float("nan")}, "rate: the rate nan"),
        ({"drop": 1.1}, "drop: the probability 1.1 cannot be"),
        ({"manufacturing_failure": 1}, "manufacturing_failure: the probability 1 cannot be"),
        ({"screening_failure": -0.1}, "screening_failure: the probability -0.1 cannot be"),
        ({"infusion_days": -3}, "infusion_days: the value -3 is negative"),
        ({"activation": float("inf")}, "activation: the value inf"),
        ({"spread": 4}, "spread: the spread 4 is above 3"),
        ({"openings": (0, 30)}, "openings: there are 2 openings for 6 sites"),
        ({"openings": (0, 30, float("nan"), 1, 2, 3)}, "openings: there are 6 openings for 6 sites"),
    ],
)
def test_bad_plan(changes, words):
    with pytest.raises(InputError) as error:
        replace(FULL, **changes)
    assert words in str(error.value)


def test_other_bad_input():
    cases = [
        (lambda: simulate_accrual(FULL, 0), "n: there are 0 subjects"),
        (lambda: simulate_accrual(FULL, 3, "treated"), "goal: the goal treated is unknown"),
        (lambda: simulate_accrual(FULL, 3, trials=0), "trials: there are 0 trials"),
        (lambda: simulate_accrual(replace(FULL, drop=0.9999999), 3), "a million screened subjects are not enough for 3 infused"),
        (lambda: expected_accrual(FULL, [1, float("nan")]), "days: a day is missing"),
        (lambda: expected_day(FULL, 0), "n: there are 0 subjects"),
        (lambda: estimate_accrual(simulate_accrual(FULL, 3, trials=2), band=1), "band: the band 1 is not between 0 and 1"),
        (
            lambda: estimate_accrual(simulate_accrual(replace(FULL, drop=0.999999), 1, "enrolled", trials=2)),
            "no trial has a value of last_infused",
        ),
        (lambda: AccrualPlan.of_study(Study.load("inaticel"), trials=0), "trials: there are 0 trials"),
        (lambda: AccrualPlan.of_study(Study.load("inaticel"), changes={"accrual": {"rate": -1}}), "the value -1 is not above 0"),
        (lambda: design_enrolment(0, 0.5), "n: there are 0 subjects"),
        (lambda: design_enrolment(5, 0), "share: the share 0 is not above 0"),
        (lambda: design_enrolment(5, 1.2), "share: the share 1.2 is not above 0 and at most 1"),
        (lambda: design_enrolment(5), "share: the share of the infused is not given by one fact"),
        (lambda: design_enrolment(5, 0.5, seen=(1, 2)), "is not given by one fact"),
        (lambda: design_enrolment(5, seen=(3, 2)), "seen: 3 infused of 2 enrolled cannot be used"),
        (lambda: design_enrolment(5, 0.5, certainty=1), "certainty: the certainty 1 is not between 0 and 1"),
        (lambda: design_enrolment(5, 1e-9), "are not enough for 5 infused"),
    ]
    for call, words in cases:
        with pytest.raises(InputError) as error:
            call()
        assert words in str(error.value)
