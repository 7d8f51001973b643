"""Rates: R's figures (R), published intervals, exact edges, and the definition (independent)."""

from __future__ import annotations

from math import comb

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_oracle import oracle, same
from cartrial.analysis import binomial_limits, binomial_p_value, estimate_rate
from cartrial.analysis.wording import PROPORTION, text_of
from cartrial.errors import InputError
from properties import examples

METHODS = {"Clopper-Pearson": "clopper_pearson", "Wilson": "wilson", "mid-p": "mid_p"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", ["0.95", "0.90"])
@pytest.mark.shows("RULE-7.1", "EST-clopper-pearson", "EST-wilson", "EST-mid-p")
def test_r_limits(method: str, level: str) -> None:
    """origin R: binom.test, prop.test(correct = FALSE), uniroot for mid-p; all fractions in one call."""
    cases = list(oracle()["proportions"].values())
    lower, upper = binomial_limits(np.array([case["x"] for case in cases]), np.array([case["n"] for case in cases]), method, float(level))
    same(lower, [case[level][METHODS[method]]["lower"] for case in cases])
    same(upper, [case[level][METHODS[method]]["upper"] for case in cases])


@pytest.mark.shows("RULE-7.2", "EST-binomial-test")
def test_r_exact_test() -> None:
    """origin R: binom.test(alternative = "greater" and "less")."""
    for case in oracle()["proportions"].values():
        x, n = np.full(len(case["null"]), case["x"]), np.full(len(case["null"]), case["n"])
        np.testing.assert_allclose(binomial_p_value(x, n, np.array(case["null"])), case["p_greater"], rtol=1e-9)
        np.testing.assert_allclose(binomial_p_value(x, n, np.array(case["null"]), "less"), case["p_less"], rtol=1e-9)


@pytest.mark.parametrize(
    ("x", "n", "lower", "upper"),
    [
        (34, 48, "55.9", "83.0"),  # the paper prints 83.1
        (32, 39, "66.5", "92.5"),
        (44, 53, "70.2", "91.9"),
        (14, 53, "15.3", "40.3"),
        (12, 25, "27.8", "68.7"),
        (39, 55, "57.1", "82.4"),
        (35, 54, "50.6", "77.3"),
        (36, 71, "38.6", "62.8"),
        (65, 79, "72.1", "90.0"),
        (0, 10, "0.0", "30.8"),
        (10, 10, "69.2", "100.0"),
    ],
)
@pytest.mark.shows("EST-clopper-pearson")
def test_published_intervals(x: int, n: int, lower: str, upper: str) -> None:
    """origin published: the printed digits of Clopper-Pearson intervals."""
    low, high = binomial_limits(np.array([x]), np.array([n]))
    frame = pl.DataFrame({"lower": low, "upper": high}).select(
        text_of("lower", PROPORTION).alias("lower"), text_of("upper", PROPORTION).alias("upper")
    )
    assert frame.row(0) == (lower, upper)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.shows("RULE-7.1", "EST-clopper-pearson")
def test_edges_are_exact(method: str) -> None:
    lower, upper = binomial_limits(np.array([0, 10, 0]), np.array([10, 10, 0]), method)
    assert lower[0] == 0 and upper[1] == 1
    assert np.isnan(lower[2]) and np.isnan(upper[2])


def test_p_value_edges() -> None:
    """origin by hand: nobody of n is no evidence; all of n has probability p^n; no subject, no test."""
    p = binomial_p_value(np.array([0, 5, 0]), np.array([5, 5, 0]), 0.3)
    assert p[0] == 1
    assert p[1] == pytest.approx(0.3**5, rel=1e-12)
    assert np.isnan(p[2])


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.01, 0.99))
@examples(150)
@pytest.mark.shows("EST-binomial-test")
def test_p_value_by_enumeration(x: int, n: int, null: float) -> None:
    """origin independent: the sum of binomial probabilities."""
    x = min(x, n)
    expected = sum(comb(n, k) * null**k * (1 - null) ** (n - k) for k in range(x, n + 1))
    assert binomial_p_value(np.array([x]), np.array([n]), null)[0] == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(st.integers(0, 200), st.integers(1, 200), st.sampled_from(sorted(METHODS)))
@examples(200)
def test_bounded_and_mirrored(x: int, n: int, method: str) -> None:
    x = min(x, n)
    lower, upper = binomial_limits(np.array([x, n - x]), np.array([n, n]), method)
    assert 0 <= lower[0] <= x / n <= upper[0] <= 1
    assert lower[0] == pytest.approx(1 - upper[1], abs=1e-12)


def test_groups_in_one_call() -> None:
    """Not yet assessable is left out of N; row order and other groups do not matter."""
    frame = pl.DataFrame({"TRIAL": [2, 1, 1, 1, 1, 2], "AVAL": [None, 1.0, 0.0, 1.0, None, None]})
    found = estimate_rate(frame)
    assert found.select("TRIAL", "n", "N", "not_yet_assessable").rows() == [(1, 2, 3, 1), (2, 0, 0, 2)]
    assert found["rate"].to_list() == [pytest.approx(2 / 3), None]
    assert found.equals(estimate_rate(frame.reverse()))
    assert found[0].equals(estimate_rate(frame.filter(pl.col("TRIAL") == 1)))


def test_refuses() -> None:
    with pytest.raises(InputError, match="neither 0 nor 1"):
        estimate_rate(pl.DataFrame({"TRIAL": [1], "AVAL": [0.5]}))
    with pytest.raises(InputError, match="unknown"):
        binomial_limits(np.array([1]), np.array([2]), "Wald")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="above the number"):
        binomial_limits(np.array([3]), np.array([2]))
    with pytest.raises(InputError, match="null rate"):
        binomial_p_value(np.array([1]), np.array([2]), 1.5)


def test_halves_round_away_from_zero() -> None:
    """origin by hand: 13/16 is 81.25 %, printed 81.3; 1/16 is 6.25 %, printed 6.3."""
    frame = pl.DataFrame({"rate": [13 / 16, 1 / 16, 0.0005, 1.0, None]})
    assert frame.select(text_of("rate", PROPORTION).alias("text"))["text"].to_list() == ["81.3", "6.3", "0.1", "100.0", "NE"]
