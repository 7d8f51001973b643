"""Pooled rates: the exact likelihood, its profile limits, REML with Knapp and Hartung, prediction and influence.

Origin of every expectation: `R`, tests/oracle/evidence.R (integrate, optim and uniroot; lme4; metafor with a threshold of 1e-14), and
`published`: figures that the notes on this room print from R, beside their tests.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from cartrial.analysis import estimate_influence, estimate_pooled, estimate_pooled_normal
from cartrial.analysis.estimators.pooled.likelihood import likelihood, read_trials
from cartrial.analysis.estimators.pooled.likelihood_kernel import integrate
from cartrial.errors import InputError
from helpers import ORACLE

HELD = json.loads((ORACLE / "evidence.json").read_text(encoding="utf-8"))
SETS = {name: (np.array(case["x"]), np.array(case["n"])) for name, case in HELD["pooled_exact"].items()}
PLACEBO, SIX = SETS["placebo"], SETS["six"]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.shows("EST-pooled-exact")
def test_the_exact_likelihood_is_that_of_r(name: str) -> None:
    """R: integrate in place of quadrature, optim and uniroot in place of Newton."""
    case, found = HELD["pooled_exact"][name], estimate_pooled(*SETS[name])
    assert found.mean == pytest.approx(case["mean"], abs=2e-6)
    assert found.heterogeneity == pytest.approx(case["heterogeneity"], abs=2e-6)
    assert found.log_likelihood == pytest.approx(case["log"], abs=1e-8)
    assert (found.lower, found.upper) == pytest.approx(case["limits"], abs=1e-6)
    assert found.mean_rate == pytest.approx(case["mean_rate"], abs=1e-6)


@pytest.mark.parametrize("name", ["placebo", "six", "nine", "two"])
def test_mean_error_and_variance_are_those_of_lme4(name: str) -> None:
    """R: lme4, whose optimum is good to about 1e-5."""
    case, found = HELD["pooled_exact"][name]["lme4"], estimate_pooled(*SETS[name])
    assert (found.mean, found.error, found.heterogeneity) == pytest.approx((case["mean"], case["error"], case["heterogeneity"]), abs=3e-5)


@pytest.mark.shows("EST-pooled-exact")
def test_published_figures_of_the_exact_likelihood() -> None:
    """Published with the notes, from R: eight placebo groups, six trials, nine trials, four equal rates."""
    found = estimate_pooled(*PLACEBO)
    assert [round(value, 6) for value in (found.mean, found.heterogeneity, found.log_likelihood)] == [-1.110828, 0.078565, -22.869507]
    assert [round(value, 6) for value in (found.lower, found.upper)] == [0.190214, 0.314687]
    assert round(found.error, 5) == 0.14905
    found = estimate_pooled(*SIX)
    assert [round(value, 6) for value in (found.mean, found.heterogeneity, found.log_likelihood)] == [1.445943, 0.123943, -15.31118]
    assert [round(value, 6) for value in (found.lower, found.upper, found.rate)] == [0.72582, 0.887084, 0.809373]
    found = estimate_pooled(*SETS["nine"])
    assert [round(value, 5) for value in (found.mean, found.error, found.heterogeneity)] == [1.70436, 0.28517, 0.34147]
    found = estimate_pooled(*SETS["equal"])
    assert found.heterogeneity == 0
    assert [round(value, 6) for value in (found.lower, found.upper)] == [0.728641, 0.8607]


@pytest.mark.parametrize("name", ["placebo", "six", "nine", "equal", "two"])
@pytest.mark.shows("EST-pooled-reml")
def test_reml_is_that_of_metafor(name: str) -> None:
    """R: metafor, without a floor and with k - 1 degrees of freedom for the prediction."""
    case, found = HELD["pooled_normal"][name], estimate_pooled_normal(*SETS[name], floor=False, prediction="k-1")
    assert (found.mean, found.heterogeneity, found.error) == pytest.approx((case["mean"], case["heterogeneity"], case["error"]), abs=1e-8)
    assert (found.lower, found.upper) == pytest.approx(case["limits"], abs=1e-8)
    assert (found.predicted_lower, found.predicted_upper) == pytest.approx(case["prediction"], abs=1e-8)


@pytest.mark.shows("EST-pooled-reml")
def test_published_figures_of_reml() -> None:
    """Published with the notes, from metafor at its usual threshold of 1e-5, to which its last digits are good."""
    found = estimate_pooled_normal(*PLACEBO, prediction="k-1")
    assert (found.mean, found.heterogeneity) == (pytest.approx(-1.08493283, abs=1e-6), pytest.approx(0.0834333811, abs=1e-6))
    assert [round(value, 6) for value in (found.lower, found.upper)] == [0.190367, 0.3269]
    assert [round(value, 6) for value in (found.predicted_lower, found.predicted_upper)] == [0.134904, 0.422727]
    found = estimate_pooled_normal(*SIX, prediction="k-1")
    assert (found.mean, found.heterogeneity) == (pytest.approx(1.39224203, abs=1e-6), pytest.approx(0.151260855, abs=1e-6))
    assert [round(value, 6) for value in (found.lower, found.upper)] == [0.681949, 0.883061]
    assert [round(value, 6) for value in (found.predicted_lower, found.predicted_upper)] == [0.552508, 0.929148]


def test_limits_of_equal_rates_have_a_width() -> None:
    """Published: plain Knapp-Hartung has none; with its floor 0.671258 to 0.886825. Two trials: 0.0140 to 0.9989."""
    found, bare = estimate_pooled_normal(*SETS["equal"]), estimate_pooled_normal(*SETS["equal"], floor=False)
    assert [round(value, 6) for value in (found.lower, found.upper)] == [0.671258, 0.886825] and found.floored
    assert bare.upper - bare.lower == pytest.approx(0, abs=1e-12) and not bare.floored
    two = estimate_pooled_normal(np.array([39, 41]), np.array([55, 48]))
    assert [round(value, 4) for value in (two.lower, two.upper)] == [0.014, 0.9989]
    assert np.isnan(two.predicted_lower)
    assert estimate_pooled_normal(np.array([0, 4, 10]), np.array([10, 10, 10])).corrected == 2


def test_slopes_are_those_of_the_likelihood() -> None:
    """Independent: central differences; and at no spread the binomial likelihood itself."""
    from scipy.stats import binom

    counts, h = read_trials(*SETS["nine"]), 1e-5
    for mean, spread in ((1.2, 0.4), (0.3, 1.5), (2.0, 0.05)):
        at = likelihood(counts, np.array([mean, mean + h, mean - h, mean, mean]), np.array([spread] * 3 + [spread + h, spread - h]))
        assert at.by_mean[0] == pytest.approx((at.log[1] - at.log[2]) / (2 * h), rel=1e-6, abs=1e-6)
        assert at.by_spread[0] == pytest.approx((at.log[3] - at.log[4]) / (2 * h), rel=1e-6, abs=1e-6)
    bare = likelihood(counts, np.array([0.7]), np.array([0.0])).log[0]
    assert bare == pytest.approx(binom.logpmf(*SETS["nine"], 1 / (1 + np.exp(-0.7))).sum(), abs=1e-10)


def test_compiled_and_interpreted_agree() -> None:
    pytest.importorskip("numba")
    nodes, weights = np.polynomial.hermite.hermgauss(21)
    x, n = (values.astype(np.float64) for values in PLACEBO)
    pairs = np.array([[-1.0, 0.5, -30.0], [0.3, 0.0, 4.0]])
    found = np.zeros((2, 3, 3))
    for row, run in zip(found, (integrate.function, integrate.compiled()), strict=True):
        run(x, n, pairs, nodes, np.log(weights) + nodes**2, row)
    assert np.allclose(found[0], found[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_limits_hold_the_estimate_and_the_order_of_trials_is_nothing(seed: int) -> None:
    """By hand: a permutation changes nothing, and successes for failures mirror the rate."""
    rng = np.random.default_rng(seed)
    n = rng.integers(3, 60, 5)
    x = rng.binomial(n, rng.uniform(0.2, 0.9, 5))
    found, order = estimate_pooled(x, n), rng.permutation(5)
    assert found.lower < found.rate < found.upper
    again, mirrored = estimate_pooled(x[order], n[order]), estimate_pooled(n - x, n)
    assert (again.mean, again.heterogeneity) == pytest.approx((found.mean, found.heterogeneity), abs=1e-7)
    assert (1 - mirrored.upper, 1 - mirrored.lower) == pytest.approx((found.lower, found.upper), abs=1e-7)


@pytest.mark.shows("EST-pooled-exact")
def test_influence_leaves_each_trial_out() -> None:
    """By hand: the third without itself is the first two."""
    x, n = np.array([3, 7, 9]), np.array([10, 10, 12])
    assert estimate_influence(x, n)[2] == estimate_pooled(x[:2], n[:2])


@pytest.mark.parametrize(
    ("x", "n", "message"),
    [
        ([3], [10], "there are 1 trials"),
        ([3, 0], [10, 0], "a trial has no patients"),
        ([0, 0], [10, 12], "all or none responded in every trial"),
        ([10, 12], [10, 12], "all or none responded in every trial"),
        ([0, 12], [12, 12], "so unlike that their spread has no estimate"),
        ([11, 3], [10, 12], "x"),
    ],
)
def test_what_cannot_be_pooled_is_said(x: list[int], n: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        estimate_pooled(np.array(x), np.array(n))


def test_of_two_trials_none_is_left_out() -> None:
    with pytest.raises(InputError, match="of two trials none can be left out"):
        estimate_influence(np.array([3, 4]), np.array([10, 10]))
