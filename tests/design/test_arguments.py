"""Numbers that no design can be asked for: one InputError each (by hand: there is no such number of subjects, rate or share)."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from cartrial.design import (
    AccrualPlan,
    BryantDay,
    FollowUp,
    Staged,
    design_boin,
    design_enrolment,
    design_exact_events,
    design_funnel,
    design_landmark,
    design_one_sample_log_rank,
    design_reach,
    estimate_accrual,
    estimate_bias,
    estimate_corners,
    estimate_mtd,
    estimate_one_sample_log_rank,
    estimate_power,
    expected_accrual,
    expected_day,
    log_rank_power,
    recommend_dose,
    simulate_accrual,
    simulate_exact_events,
    weibull,
)
from cartrial.errors import InputError

NULL, OTHER = weibull(median=8), weibull(median=16)
PLAN = AccrualPlan(sites=2, rate=2)
STAGED = Staged("two", (1, 2), (0, 1), (None, 2), 0.3, 0.5, "by hand", "none")
BRYANT = BryantDay("paper", (19, 33), (5, 12), (11, 22), (0.3, 0.5), (0.6, 0.8), "p. 1379")

NUMBERS: dict[str, Callable[[object], object]] = {
    "enrolment-n": lambda v: design_enrolment(v, 0.5),
    "enrolment-share": lambda v: design_enrolment(3, v),
    "enrolment-certainty": lambda v: design_enrolment(3, 0.5, certainty=v),
    "reach-n": lambda v: design_reach(design_funnel(100, draws=1), v, site_share=0.1, sites=2),
    "reach-sites": lambda v: design_reach(design_funnel(100, draws=1), 20, site_share=0.1, sites=v),
    "expected-day": lambda v: expected_day(PLAN, v),
    "accrual-n": lambda v: simulate_accrual(PLAN, v, trials=2),
    "accrual-trials": lambda v: simulate_accrual(PLAN, 2, trials=v),
    "accrual-band": lambda v: estimate_accrual(simulate_accrual(PLAN, 2, trials=2), band=v),
    "log-rank-alpha": lambda v: log_rank_power(NULL, OTHER, FollowUp(5, 3), 20, alpha=v),
    "log-rank-most": lambda v: design_one_sample_log_rank(NULL, hazard_ratio=0.5, accrual=12, follow_up=6, most=v),
    "exact-most": lambda v: design_exact_events(NULL, hazard_ratio=0.5, accrual=12, follow_up=6, most=v),
    "landmark-most": lambda v: design_landmark(NULL, OTHER, 6, accrual=12, follow_up=6, most=v),
    "events-trials": lambda v: simulate_exact_events(design_exact_events(NULL, hazard_ratio=0.5, accrual=12, follow_up=6), trials=v),
    "doses": lambda v: recommend_dose(design_boin(0.3), "1NNN", v),
    "eliminated": lambda v: estimate_mtd(design_boin(0.3), (3, 3), (0, 1), eliminated="x" if v is None else v),
    "dlt": lambda v: estimate_mtd(design_boin(0.3), (3, 3), (0, v)),
    "outcomes": lambda v: recommend_dose(design_boin(0.3), [(1, 3, v)], 3),
    "power": lambda v: estimate_power(STAGED, p=["x"] if v is None else [v]),
    "bias": lambda v: estimate_bias(STAGED, v),
    "one-sample-time": lambda v: estimate_one_sample_log_rank([5, v], [1, 0], NULL),
    "one-sample-event": lambda v: estimate_one_sample_log_rank([5, 8], [1, v], NULL),
    "one-sample-level": lambda v: estimate_one_sample_log_rank([5, 8], [1, 0], NULL, conf_level=v),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [math.nan, -1, "x", None], ids=str)
def test_numbers(name: str, value: object) -> None:
    with pytest.raises(InputError):
        NUMBERS[name](value)


@pytest.mark.parametrize(
    "name",
    [
        "enrolment-n",
        "reach-n",
        "reach-sites",
        "expected-day",
        "accrual-n",
        "accrual-trials",
        "exact-most",
        "doses",
        "eliminated",
        "dlt",
        "outcomes",
    ],
)
@pytest.mark.parametrize("value", [1.5, math.inf, True], ids=str)
def test_counts(name: str, value: object) -> None:
    with pytest.raises(InputError):
        NUMBERS[name](value)


def test_lists_and_words() -> None:
    for call in (
        lambda: log_rank_power(NULL, OTHER, FollowUp(5, 3), 20, formula="wu"),
        lambda: expected_accrual(PLAN, ["x"]),
        lambda: estimate_accrual([1, 2]),
        lambda: estimate_corners(BRYANT, phi=None),
        lambda: estimate_mtd(design_boin(0.3), "33", "01"),
        lambda: estimate_one_sample_log_rank(["a"], [1], NULL),
        lambda: estimate_one_sample_log_rank([1], ["a"], NULL),
        lambda: estimate_one_sample_log_rank([1], [1], ["a"]),
    ):
        with pytest.raises(InputError):
            call()


def test_one_number_is_a_list_of_one() -> None:
    assert expected_accrual(PLAN, 30).equals(expected_accrual(PLAN, [30]))
    assert estimate_corners(BRYANT, phi=2).equals(estimate_corners(BRYANT, phi=(2,)))
    assert estimate_one_sample_log_rank([5, 8], [True, False], NULL) == estimate_one_sample_log_rank([5, 8], [1, 0], NULL)
