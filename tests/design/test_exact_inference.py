"""Inference after a trial that could stop early.

Origins: `R` (tests/oracle/design_exact.R: the formulas of Jung and Kim, of Koyama and Chen), `independent` (tests/exact_slow.py, orders
and sums from the definitions, in fractions), `by hand`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.analysis import binomial_limits
from cartrial.design.exact.inference import Inference, estimate_after, estimate_bias, unbiased_estimates
from cartrial.design.exact.looks import design_spending
from cartrial.design.exact.simon import design_simon
from cartrial.design.exact.single import design_single_stage
from cartrial.design.exact.staged import Staged, stopping_probabilities
from cartrial.errors import InputError
from exact_slow import ends, r_figures
from properties import examples

SIMON = Staged("Simon optimal", (19, 54), (4, 15), (None, 16), 0.2, 0.4, "table C1", "Simon 1989")
BOTH = Staged("both", (10, 20, 30), (1, 5, 10), (6, 9, 11), 0.2, 0.5, "a test", "none")
SINGLE = design_single_stage(0.3, 0.5, 0.05, 0.2)


@pytest.mark.parametrize("case", r_figures()["inference"]["planned"])
@pytest.mark.shows("EST-staged-inference")
def test_r_planned(case: dict[str, float]) -> None:
    """origin R 4.2.2: choose, dbinom, pbinom, uniroot."""
    design = Staged("R", (case["n1"], case["n"]), (case["r1"], case["r"]), (None, case["r"] + 1), case["p0"], 0.9, "", "")
    found = estimate_after(design, case["s"])  # type: ignore[arg-type]
    assert found.unbiased == pytest.approx(case["umvue"], rel=1e-12)
    assert found.p_value == pytest.approx(case["p_value"], rel=1e-11)
    got = (found.median_unbiased, found.lower, found.upper)
    assert got == pytest.approx((case["median"], case["lower"], case["upper"]), abs=1e-10)
    assert found.success == (case["s"] > case["r"])


@pytest.mark.parametrize("case", r_figures()["inference"]["another"])
@pytest.mark.shows("EST-staged-inference")
def test_r_another_second_stage(case: dict[str, float]) -> None:
    """origin R 4.2.2: Koyama and Chen's p-value by pbinom and qbeta, its inversion by uniroot."""
    design = Staged("R", (case["n1"], case["n"]), (case["r1"], case["r"]), (None, case["r"] + 1), case["p0"], 0.9, "", "")
    found = estimate_after(design, case["x1"] + case["x2"], n=case["n1"] + case["m"], first=case["x1"])  # type: ignore[arg-type]
    assert found.p_value == pytest.approx(case["p_value"], rel=1e-9)
    got = (found.median_unbiased, found.lower, found.upper)
    assert got == pytest.approx((case["median"], case["lower"], case["upper"]), abs=1e-9)
    reached = ends((case["n1"], case["n1"] + case["m"]), (case["r1"], case["n1"] + case["m"] - 1), (None, case["n1"] + case["m"]), 0.4)  # type: ignore[arg-type]
    assert (1, case["x1"] + case["x2"]) in reached


@pytest.mark.slow
def test_another_size_keeps_the_conditional_type_i_error() -> None:
    """origin independent: with another second stage the null is rejected exactly where the binomial p-value of the second stage is at most
    the conditional type I error of the plan, here by SciPy's binomial."""
    from scipy.stats import binom

    for m in (30, 34, 36, 40):
        for first in (5, 8):
            for second in range(3, 16):
                found = estimate_after(SIMON, first + second, n=19 + m, first=first)
                conditional = binom.sf(second - 1, m, 0.2) <= binom.sf(15 - first, 35, 0.2) + 1e-13
                assert found.success == conditional
                assert found.naive == (first + second) / (19 + m)


def test_limits_of_a_first_stage_are_clopper_pearsons() -> None:
    """origin independent: the package's own Clopper-Pearson limits. Of those who stop at once none but the number of responders counts."""
    for responders in range(5):
        found = estimate_after(SIMON, responders, n=19)
        lower, upper = binomial_limits(np.array([responders]), np.array([19]), "Clopper-Pearson", 0.95)
        assert (found.lower, found.upper) == pytest.approx((lower[0], upper[0]), abs=1e-12)
        assert found.unbiased == pytest.approx(responders / 19)
        assert (found.look, found.success) == (1, False)


def test_a_single_stage_is_clopper_pearson() -> None:
    """origin independent: one look is a binomial."""
    for responders in range(SINGLE.n[0] + 1):
        found = estimate_after(SINGLE, responders, conf_level=0.9)
        lower, upper = binomial_limits(np.array([responders]), np.array([SINGLE.n[0]]), "Clopper-Pearson", 0.9)
        assert (found.lower, found.upper) == pytest.approx((lower[0], upper[0]), abs=1e-12)
        assert found.unbiased == pytest.approx(found.naive) and found.naive_bias == pytest.approx(0, abs=1e-12)


@examples(25)
@given(st.floats(0.05, 0.6), st.floats(0.2, 0.35), st.floats(0.02, 0.2), st.floats(0.1, 0.3), st.floats(0.01, 0.99), st.integers(0, 2))
@pytest.mark.shows("EST-staged-inference")
def test_unbiased(p0: float, gap: float, alpha: float, beta: float, p: float, kind: int) -> None:
    """origin independent: the expectation of the estimate, enumerated, is the rate, whatever the rate and the design."""
    errors = (p0, p0 + gap, alpha, beta)
    design = design_spending(*errors, looks=4) if kind == 2 else design_simon(*errors, n_max=150, efficacy=kind == 1).optimal
    outcomes = ends(design.n, design.futility, design.efficacy, p)
    estimates = {(row["look"] - 1, row["responders"]): row["unbiased"] for row in unbiased_estimates(design).iter_rows(named=True)}
    assert sum(q * estimates[end] for end, q in outcomes.items()) == pytest.approx(p, abs=1e-12)
    naive = sum(q * x / design.n[look] for (look, x), q in outcomes.items())
    row = estimate_bias(design, p).row(0, named=True)
    assert (row["mean"], row["bias"]) == pytest.approx((naive, naive - p), abs=1e-12)


def test_unbiased_is_the_mean_given_the_end() -> None:
    """origin independent: Rao and Blackwell, in fractions: the share of the first subject's response among all paths to an end."""
    from itertools import product

    design = Staged("small", (3, 6, 8), (0, 2, 3), (3, 5, 4), 0.2, 0.5, "", "")
    paths: dict[tuple[int, int], list[int]] = {}
    for responses in product((0, 1), repeat=8):
        for look, (n, low, high) in enumerate(zip(design.n, design.futility, design.efficacy, strict=True)):
            x = sum(responses[:n])
            assert low is not None and high is not None
            if x <= low or x >= high:
                if not any(responses[n:]):
                    paths.setdefault((look, x), []).append(responses[0])
                break
    table = unbiased_estimates(design)
    assert table.height == len(paths)
    for row in table.iter_rows(named=True):
        first = paths[row["look"] - 1, row["responders"]]
        assert row["unbiased"] == pytest.approx(float(Fraction(sum(first), len(first))), rel=1e-15)


def _order(design: Staged, ordering: str) -> list[list[tuple[int, int]]]:
    """Every end, from the least to the most in favour, ties together."""
    outcomes = list(ends(design.n, design.futility, design.efficacy, 0.3))
    if ordering == "umvue":
        estimates = {(r["look"] - 1, r["responders"]): round(r["unbiased"], 13) for r in unbiased_estimates(design).iter_rows(named=True)}
        return [[end for end in outcomes if estimates[end] == value] for value in sorted(set(estimates.values()))]
    last = design.looks - 1
    futile = [end for end in outcomes if end[0] < last and design.futility[end[0]] is not None and end[1] <= design.futility[end[0]]]
    final = [end for end in outcomes if end[0] == last]
    good = [end for end in outcomes if end[0] < last and end not in futile]
    order = sorted(futile) + sorted(final) + sorted(good, key=lambda end: (-end[0], end[1]))
    return [[end] for end in order]


@cache
def _all_inferences(design: Staged, ordering: str, level: float) -> dict[tuple[int, int], Inference]:
    return {
        (look, x): estimate_after(design, x, n=design.n[look], conf_level=level, ordering=ordering)  # type: ignore[arg-type]
        for look, x in ends(design.n, design.futility, design.efficacy, 0.3)
    }


@pytest.mark.parametrize("design", [SIMON, BOTH])
@pytest.mark.parametrize("ordering", ["stagewise", "umvue"])
def test_every_end_by_definition(design: Staged, ordering: str) -> None:
    """origin independent: the order written out, its probabilities summed over ends."""
    order = _order(design, ordering)
    for place, group in enumerate(order):
        for end in group:
            found = _all_inferences(design, ordering, 0.9)[end]

            def above(p: float, place: int = place) -> float:
                outcomes = ends(design.n, design.futility, design.efficacy, p)
                return sum(outcomes[e] for some in order[place:] for e in some)

            assert found.p_value == pytest.approx(above(design.p0), rel=1e-11)
            if place:
                assert above(found.lower) == pytest.approx(0.05, abs=1e-9)
                assert above(found.median_unbiased) == pytest.approx(0.5, abs=1e-9)
            else:
                assert found.lower == found.median_unbiased == 0 and found.p_value == pytest.approx(1)
            if place < len(order) - 1:
                assert above(found.upper, place + 1) == pytest.approx(0.95, abs=1e-9)
            else:
                assert found.upper == 1


@pytest.mark.parametrize("design", [SIMON, BOTH])
@pytest.mark.parametrize("ordering", ["stagewise", "umvue"])
def test_coverage(design: Staged, ordering: str) -> None:
    """origin independent: probability that the limits hold the rate, summed over ends, at 99 rates and at the limits themselves."""
    found = _all_inferences(design, ordering, 0.9)
    rates = sorted({*np.linspace(0.01, 0.99, 99), *(min(max(i.lower + d, 0.0), 1.0) for i in found.values() for d in (-1e-6, 1e-6))})
    probabilities = stopping_probabilities(design, rates)
    for j, p in enumerate(rates):
        covered = sum(probabilities[j, look, x] for (look, x), i in found.items() if i.lower <= p <= i.upper)
        assert covered >= 0.9 - 1e-9


def test_both_orders_agree_without_efficacy_stop() -> None:
    """Two stages with futility alone: the unbiased estimate rises along the stagewise order."""
    assert _order(SIMON, "umvue") == _order(SIMON, "stagewise")
    for responders in (16, 30):
        one = estimate_after(SIMON, responders)
        two = estimate_after(SIMON, responders, ordering="umvue")
        assert (one.p_value, one.lower, one.upper) == (two.p_value, two.lower, two.upper)


def test_the_decision_agrees_with_the_p_value() -> None:
    """The p-value is at most the design's exact type I error exactly where the design rejects."""
    for design in (SIMON, BOTH):
        size = sum(
            stopping_probabilities(design, design.p0)[look, x]
            for look, x in _all_inferences(design, "stagewise", 0.9)
            if x >= (design.efficacy[look] or 99)
        )
        for found in _all_inferences(design, "stagewise", 0.9).values():
            assert found.success == (found.p_value <= size + 1e-12)


def test_naive_bias_is_that_at_the_estimate() -> None:
    """origin independent: enumerated at the unbiased estimate; a futility stop makes the naive estimate too low."""
    found = estimate_after(SIMON, 21)
    outcomes = ends(SIMON.n, SIMON.futility, SIMON.efficacy, found.unbiased)
    mean = sum(q * x / SIMON.n[look] for (look, x), q in outcomes.items())
    assert found.naive_bias == pytest.approx(mean - found.unbiased, abs=1e-12)
    assert found.naive_bias < 0


@pytest.mark.parametrize(
    ("keywords", "key", "words"),
    [
        ({"responders": 5, "n": 19}, "responders", "goes on"),
        ({"responders": 55}, "responders", "55"),
        ({"responders": -1}, "responders", "-1"),
        ({"responders": 3}, "responders", "stops before"),
        ({"responders": 10.5}, "responders", "10.5"),
        ({"responders": 20, "n": 50}, "first", "Give the responders of the first stage"),
        ({"responders": 20, "n": 50, "first": 4}, "first", "stops after the first stage"),
        ({"responders": 20, "n": 50, "first": 20}, "first", "20"),
        ({"responders": 40, "n": 50, "first": 6}, "responders", "34 responders of 31"),
        ({"responders": 20, "n": 50, "first": 16}, "first", "certain"),
        ({"responders": 3, "n": 15}, "n", "no published method"),
        ({"responders": 20, "conf_level": 1}, "conf_level", "0.95"),
        ({"responders": 20, "ordering": "likelihood"}, "ordering", "stagewise, umvue"),
    ],
)
def test_refused(keywords: dict[str, object], key: str, words: str) -> None:
    """One message that names the argument and says why."""
    with pytest.raises(InputError) as error:
        estimate_after(SIMON, **keywords)  # type: ignore[arg-type]
    assert error.value.key == key and words in str(error.value)


def test_refused_where_no_method_is_published() -> None:
    with pytest.raises(InputError, match="without efficacy stop"):
        estimate_after(BOTH, 12, n=28, first=4)
    reach = Staged("steep", (5, 8), (0, 6), (None, 7), 0.2, 0.5, "", "")
    with pytest.raises(InputError, match="out of reach"):
        estimate_after(reach, 4, n=9, first=1)
