"""Posterior and predictive monitoring and BOP2 of one rate.

Origin of expected values. `published`: with citation, and where it was read. `R`: printed output of a package's documentation, named.
`independent`: a slow second implementation below, from the definition, in plain Python. `by hand`: from the rule.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from cartrial.design.bayes.bop2 import design_bop2
from cartrial.design.bayes.committee import committee_table
from cartrial.design.bayes.lee_liu import design_lee_liu
from cartrial.design.bayes.monitoring import looks_after, predictive_table, run_sets, shortest_number, tail_table
from cartrial.design.bayes.posterior import design_thall_simon, superiority
from cartrial.design.bayes.predictive import design_predictive
from cartrial.design.exact.staged import Staged, operate
from cartrial.errors import InputError
from properties import count, examples

SETS = count(200, quick=30)


def slow_run(n: Sequence[int], low: Sequence[int | None], high: Sequence[int | None], p: float) -> tuple[float, float]:
    """Probability of crossing the upper boundary and expected subjects: cohort by cohort, a dictionary of counts, math.comb."""
    alive, before, won, subjects = {0: 1.0}, 0, 0.0, 0.0
    for size, below, above in zip(n, low, high, strict=True):
        m = size - before
        after: dict[int, float] = {}
        for x, mass in alive.items():
            for y in range(m + 1):
                after[x + y] = after.get(x + y, 0.0) + mass * math.comb(m, y) * p**y * (1 - p) ** (m - y)
        subjects += m * sum(alive.values())
        won += sum(mass for x, mass in after.items() if above is not None and x >= above)
        alive = {x: v for x, v in after.items() if (below is None or x > below) and (above is None or x < above)}
        before = size
    return won, subjects


def random_looks(draw: random.Random) -> tuple[int, ...]:
    return tuple(sorted(draw.sample(range(1, 31), draw.randint(1, 6))))


def check_operating(design: Staged, draw: random.Random) -> None:
    for p in (design.p0, draw.random()):
        found = operate(design, p)
        won, subjects = slow_run(design.n, design.futility, design.efficacy, p)
        assert found.success == pytest.approx(won, abs=1e-12)
        assert found.expected_n == pytest.approx(subjects, abs=1e-11)


# posterior probability


@pytest.mark.shows("EST-thall-simon")
def test_the_posterior_probability_that_lee_and_liu_print() -> None:
    """published: Lee and Liu 2008, 16 of 23, Beta(0.6, 0.4), P(p > 0.6) = 0.8359808, as quoted in the tests of the R package phase1b."""
    assert tail_table((23,), (0.6, 0.4), 0.6)[0, 16] == pytest.approx(0.8359808, abs=1e-7)


@pytest.mark.parametrize(("a", "b", "c", "d"), [(3, 5, 2, 9), (1, 1, 15, 35), (8, 2, 4, 4), (30, 20, 2, 2)])
def test_superiority_of_whole_shapes_is_a_finite_sum(a: int, b: int, c: int, d: int) -> None:
    """independent: P(X > Y) as a sum of beta functions over i < a, which integration by parts gives for a whole a."""

    def beta(x: float, y: float) -> float:
        return math.exp(math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y))

    exact = sum(beta(c + i, b + d) / ((b + i) * beta(1 + i, b) * beta(c, d)) for i in range(a))
    assert float(superiority((c, d), a, b)) == pytest.approx(exact, abs=1e-13)


@pytest.mark.parametrize(
    ("standard", "a", "b", "delta"),
    [((150, 350), 1, 1, 0.1), ((0.2, 0.8), 3, 10, 0.15), ((2, 0.5), 30, 3, 0.05), ((0.3, 0.3), 0.3, 0.3, 0.1), ((15, 35), 90, 111, 0.2)],
)
def test_superiority_with_a_margin(standard: tuple[float, float], a: float, b: float, delta: float) -> None:
    """independent: adaptive quadrature over the standard's quantiles."""
    c, d = standard
    exact = integrate.quad(
        lambda u: stats.beta.sf(stats.beta.ppf(u, c, d) + delta, a, b), 0, stats.beta.cdf(1 - delta, c, d), epsabs=1e-13, limit=500
    )[0]
    assert float(superiority(standard, a, b, delta)) == pytest.approx(exact, abs=1e-11)


def test_superiority_over_itself_is_a_half() -> None:
    """by hand: two equal continuous distributions."""
    assert np.allclose([float(superiority((k, 7.5), k, 7.5)) for k in (0.2, 1, 30)], 0.5, atol=1e-14)


@pytest.mark.shows("EST-thall-simon")
def test_thall_simon_is_what_the_rule_says() -> None:
    """independent: each count tried in turn with scipy.stats; operating characteristics by `slow_run`."""
    draw = random.Random(1)
    made = 0
    while made < SETS:
        n, a, b, p0 = random_looks(draw), draw.uniform(0.2, 3), draw.uniform(0.2, 3), draw.uniform(0.05, 0.8)
        lower, upper, delta = draw.uniform(0.01, 0.3), draw.uniform(0.7, 0.99), draw.choice([0.0, draw.uniform(0, 0.15)])
        low = [max((x for x in range(k + 1) if stats.beta.sf(p0 + delta, a + x, b + k - x) <= lower), default=None) for k in n]
        high = [min((x for x in range(k + 1) if stats.beta.sf(p0, a + x, b + k - x) >= upper), default=None) for k in n]
        if high[-1] in (None, 0) or any(x is not None and y is not None and x >= y for x, y in zip(low, high, strict=True)) or 0 in high:
            continue
        low[-1] = high[-1] - 1
        found = design_thall_simon(n, standard=p0, prior=(a, b), delta=delta, lower=lower, upper=upper)
        assert (list(found.futility), list(found.efficacy)) == (low, high)
        check_operating(found, draw)
        made += 1


@pytest.mark.slow
def test_thall_simon_with_an_uncertain_standard() -> None:
    """independent: the boundary by quadrature, count by count."""
    looks = (10, 20, 30)
    found = design_thall_simon(looks, standard=(15, 35), prior=(0.6, 1.4), delta=0.15, lower=0.1, upper=0.9)

    def above(x: int, n: int, delta: float) -> float:
        return integrate.quad(
            lambda s: stats.beta.pdf(s, 15, 35) * stats.beta.sf(s + delta, 0.6 + x, 1.4 + n - x), 0, 1 - delta, epsabs=1e-12, limit=200
        )[0]

    high = tuple(min(x for x in range(n + 1) if above(x, n, 0.0) >= 0.9) for n in looks)
    low = tuple(max((x for x in range(n + 1) if above(x, n, 0.15) <= 0.1), default=None) for n in looks[:-1])
    assert found.efficacy == high
    assert found.futility[:-1] == low
    assert found.p0 == 0.3


# predictive probability


@pytest.mark.shows("EST-predictive")
def test_the_predictive_probability_that_lee_and_liu_print() -> None:
    """published: Lee and Liu 2008 p. 97, 16 of 23, 40 in all, Beta(0.6, 0.4), p0 0.6, theta_T 0.9: 0.5656; read in R's ph2bayes."""
    least = min(x for x in range(41) if stats.beta.sf(0.6, 0.6 + x, 0.4 + 40 - x) > 0.9)
    assert predictive_table(40, least, (0.6, 0.4))[23, 16] == pytest.approx(0.5655589, abs=1e-7)


@pytest.mark.shows("EST-predictive")
def test_the_predictive_boundary_of_ph2bayes() -> None:
    """R: ph2bayes 0.0.2, stopbound_pred(0.05, "futility", 40, 0.6, 1.4, 0.3, 0.85), the rows of its documented output up to 29."""
    found = design_predictive(range(1, 41), 0.3, theta_t=0.85, theta_l=0.05, prior=(0.6, 1.4))
    steps = {n: x for n, x, before in zip(found.n, found.futility, (None, *found.futility), strict=False) if x != before and n < 30}
    assert steps == {4: 0, 8: 1, 11: 2, 14: 3, 17: 4, 20: 5, 22: 6, 25: 7, 27: 8, 29: 9}


def test_predictive_monitoring_is_what_the_rule_says() -> None:
    """independent: the sum over the beta-binomial distribution with scipy.stats, count by count; `slow_run`."""
    draw = random.Random(2)
    made = 0
    while made < SETS:
        n, a, b, p0 = random_looks(draw), draw.uniform(0.2, 3), draw.uniform(0.2, 3), draw.uniform(0.05, 0.8)
        theta_t, theta_l, theta_u = draw.uniform(0.6, 0.98), draw.uniform(0.001, 0.3), draw.choice([1.0, draw.uniform(0.7, 0.999)])
        last = n[-1]
        wins = [x for x in range(last + 1) if stats.beta.sf(p0, a + x, b + last - x) > theta_t]
        if not wins or wins[0] == 0:
            continue
        low: list[int | None] = []
        high: list[int | None] = []
        for k in n[:-1]:
            chance = [float(stats.betabinom.sf(wins[0] - x - 1, last - k, a + x, b + k - x)) for x in range(k + 1)]
            low.append(max((x for x in range(k + 1) if chance[x] < theta_l), default=None))
            high.append(min((x for x in range(k + 1) if theta_u < 1 and chance[x] > theta_u), default=None))
        if 0 in high:
            continue
        found = design_predictive(n, p0, theta_t=theta_t, theta_l=theta_l, theta_u=theta_u, prior=(a, b))
        assert found.futility == (*low, wins[0] - 1)
        assert found.efficacy == (*high, wins[0])
        check_operating(found, draw)
        made += 1


@pytest.mark.slow
@pytest.mark.shows("EST-predictive")
def test_the_search_of_lee_and_liu() -> None:
    """independent: from a first version in a script (sums over the beta-binomial, NumPy recursion), theta_l 0.001."""
    found = design_lee_liu(0.2, 0.4, alpha=0.1, power=0.9, choose="power")
    assert found.design.n[-1] == 36
    steps = {x: n for n, x in reversed(list(zip(found.design.n, found.design.futility, strict=True)))}
    assert steps == {0: 10, 1: 17, 2: 21, 3: 24, 4: 27, 5: 29, 6: 31, 7: 33, 8: 34, 9: 35, 10: 36}
    assert (found.type_one, found.power, found.expected_null) == pytest.approx((0.0877793, 0.9061815, 27.6676681), abs=1e-7)
    assert found.theta_t == pytest.approx((0.8511131, 0.9226639), abs=1e-7)


@pytest.mark.parametrize(("p0", "p1", "alpha", "power"), [(0.2, 0.5, 0.15, 0.8), (0.1, 0.4, 0.1, 0.85), (0.4, 0.7, 0.1, 0.8)])
def test_no_grid_beats_the_search(p0: float, p1: float, alpha: float, power: float) -> None:
    """independent: every number of subjects and of responders, a grid of theta_l, with scipy's beta-binomial and `slow_run`."""
    found = design_lee_liu(p0, p1, alpha=alpha, power=power, first=5)
    n_max, fits = found.design.n[-1], []
    for n in range(6, n_max + 1):
        looks = range(5, n + 1)
        for least, theta in product(range(1, n + 1), (0.001, 0.003, 0.01, 0.02, 0.04, 0.07, 0.1, 0.2)):
            if stats.binom.sf(least - 1, n, p1) < power:
                continue
            low = [
                max((x for x in range(k + 1) if stats.betabinom.sf(least - x - 1, n - k, p0 + x, 1 - p0 + k - x) < theta), default=None)
                for k in looks[:-1]
            ]
            high = [None] * len(low) + [least]
            null, target = slow_run(looks, [*low, least - 1], high, p0), slow_run(looks, [*low, least - 1], high, p1)
            if null[0] <= alpha and target[0] >= power:
                fits.append((n, null[1]))
    assert min(n for n, _ in fits) == n_max
    assert found.expected_null <= min(subjects for _, subjects in fits) + 1e-9
    assert found.region["expected_null"].min() == pytest.approx(found.expected_null, abs=1e-12)
    achieved = operate(found.design, [p0, p1])
    assert achieved.success == pytest.approx([found.type_one, found.power], abs=1e-12)
    assert found.type_one <= alpha
    assert found.power >= power
    assert ((found.region["type_one"] <= alpha) & (found.region["power"] >= power)).all()
    assert (found.region["theta_l_from"] < found.region["theta_l_to"]).all()


# BOP2


@pytest.mark.shows("EST-bop2")
def test_bop2_finds_the_boundaries_of_the_top_paper() -> None:
    """published: Lin, Coleman, Yuan, arXiv:1810.00709v1 Table 2, all outcomes known: go with 2, 4, 8 and 12 of 10, 20, 30 and 40."""
    found = design_bop2(0.2, 0.4, (10, 20, 30, 40), alpha=0.1)
    assert found.design.futility == (1, 3, 7, 11)
    assert found.design.efficacy == (None, None, None, 12)


@pytest.mark.shows("EST-bop2")
def test_bop2_has_the_boundary_of_bop2fe() -> None:
    """R: README of the package BOP2FE, BOP2FE_binary(H0 = 0.2, n = c(10,5,5,5,5,5,5), lambda = 0.909, gamma = 1), futility boundary."""
    found = design_bop2(0.2, 0.4, looks_after(10, 40, 5), cutoff=(0.909, 1))
    assert found.design.futility == (1, 2, 3, 5, 7, 9, 11)


@pytest.mark.parametrize(
    ("p0", "p1", "looks", "alpha", "power"),
    [
        (0.2, 0.5, (6, 12, 18), 0.1, None),
        (0.3, 0.6, (5, 10, 20), 0.05, None),
        (0.1, 0.35, (8, 16), 0.1, 0.7),
        (0.5, 0.8, (7, 14, 21), 0.1, 0.8),
    ],
)
def test_bop2_is_the_best_of_its_grid(p0: float, p1: float, looks: tuple[int, ...], alpha: float, power: float | None) -> None:
    """independent: the whole grid in plain Python with scipy.stats, boundaries by trying each count, and `slow_run`."""
    tails = {n: [float(stats.beta.sf(p0, p0 + x, 1 - p0 + n - x)) for x in range(n + 1)] for n in looks}
    sets = set()
    for scale, gamma in product(range(1, 100), range(101)):
        cuts = [scale / 100 * (n / looks[-1]) ** (gamma / 100) for n in looks]
        sets.add(tuple(sum(tail < cut for tail in tails[n]) - 1 for n, cut in zip(looks, cuts, strict=True)))
    results = []
    for low in sets:
        if not 0 <= low[-1] < looks[-1]:
            continue
        high = [None] * (len(looks) - 1) + [low[-1] + 1]
        (type_one, null_n), (success, _) = slow_run(looks, low, high, p0), slow_run(looks, low, high, p1)
        if type_one <= alpha:
            results.append((success, null_n))
    found = design_bop2(p0, p1, looks, alpha=alpha, power=power)
    if power is None:
        assert found.power == pytest.approx(max(success for success, _ in results), abs=1e-12)
    else:
        assert found.expected_null == pytest.approx(min(n for success, n in results if success >= power), abs=1e-11)
    assert operate(found.design, [p0, p1]).success == pytest.approx([found.type_one, found.power], abs=1e-12)
    assert operate(found.design, [p0, p1]).expected_n == pytest.approx([found.expected_null, found.expected_target], abs=1e-11)


@pytest.mark.parametrize("often", [False, True])
def test_sets_run_at_once_are_200_slow_runs(often: bool) -> None:
    """independent: `slow_run` for random boundaries, also such as leave nothing."""
    draw = random.Random(3)
    for _ in range(SETS):
        n = random_looks(draw)
        low = [draw.randint(-1, k) for k in n]
        high = [max(x + 1, draw.randint(0, k + 1)) for x, k in zip(low, n, strict=True)]
        p = draw.random()
        crossed, expected = run_sets(n, np.array([low]), np.array([high]), (p, 0.0, 1.0), often=often)
        for j, rate in enumerate((p, 0.0, 1.0)):
            won, subjects = slow_run(n, low, high, rate)
            assert crossed[0, j] == pytest.approx(won, abs=1e-12)
            assert expected[0, j] == pytest.approx(subjects, abs=1e-11)


def test_searched_designs_have_the_errors_that_they_say() -> None:
    """independent: random rates and errors; each design's own figures by `slow_run`, and both errors within what was asked."""
    draw = random.Random(8)
    made = 0
    while made < SETS:
        p0 = draw.uniform(0.05, 0.6)
        p1 = min(p0 + draw.uniform(0.25, 0.4), 0.98)
        alpha, power = draw.uniform(0.02, 0.2), draw.uniform(0.6, 0.95)
        looks = tuple(sorted(draw.sample(range(4, 41), draw.randint(2, 5))))
        try:
            bop2 = design_bop2(p0, p1, looks, alpha=alpha, power=draw.choice([None, power]))
        except InputError as error:
            assert error.key in ("alpha", "power")
            continue
        small = design_lee_liu(p0, p1, alpha=alpha, power=power, first=draw.randint(3, 10), every=draw.randint(1, 6), n_cap=120)
        assert small.power >= power
        for found in (bop2, small):
            assert found.type_one <= alpha
            n, low, high = found.design.n, found.design.futility, found.design.efficacy
            assert found.type_one == pytest.approx(slow_run(n, low, high, p0)[0], abs=1e-12)
            assert found.expected_null == pytest.approx(slow_run(n, low, high, p0)[1], abs=1e-11)
            assert found.power == pytest.approx(slow_run(n, low, high, p1)[0], abs=1e-12)
        made += 1


# properties

RATES = st.tuples(st.floats(0.05, 0.5), st.floats(0.1, 0.4)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@examples(40)
@given(RATES, st.integers(3, 12), st.integers(13, 45), st.floats(0.05, 0.95), st.floats(0, 1))
def test_bop2_boundaries_rise_and_stay_within_the_cut(
    rates: tuple[float, float], first: int, last: int, scale: float, gamma: float
) -> None:
    try:
        found = design_bop2(*rates, looks_after(first, last), cutoff=(scale, gamma))
    except InputError as error:
        assert error.key == "cutoff"
        return
    low = [-1 if x is None else x for x in found.design.futility]
    assert low == sorted(low)
    assert max(np.diff(low), default=0) <= 1
    assert found.type_one <= found.power


@examples(30)
@given(st.floats(0.1, 0.7), st.floats(0.6, 0.9), st.floats(0.01, 0.09))
def test_a_stricter_cut_off_never_succeeds_with_less(p0: float, upper: float, more: float) -> None:
    loose, strict = (design_thall_simon((10, 20, 40), standard=p0, upper=cut, lower=None) for cut in (upper, upper + more))
    for a, b in zip(loose.efficacy, strict.efficacy, strict=True):
        assert b is None or (a is not None and a <= b)


@examples(40)
@given(st.floats(1e-6, 1), st.floats(1e-9, 0.5), st.booleans())
def test_the_shortest_number_lies_between(low: float, width: float, upwards: bool) -> None:
    found = shortest_number(low, low + width, upwards=upwards)
    assert low <= found <= low + width
    assert (found < low + width) if upwards else (found > low)


# what a committee reads


def test_the_committee_reads_sentences() -> None:
    """by hand."""
    design = Staged("x", (3, 10, 15, 30), (None, 0, 3, 13), (3, None, 9, 14), 0.3, None, "m", "s")
    assert committee_table(design)["sentence"].to_list() == [
        "Stop with success if all 3 responded.",
        "Stop if none of 10 responded.",
        "Stop if 3 or fewer of 15 responded. Stop with success if 9 or more of 15 responded.",
        "Success if 14 or more of 30 responded, no success otherwise.",
    ]
    quiet = Staged("x", (5, 10), (None, 3), (None, 4), 0.3, None, "m", "s")
    assert committee_table(quiet, did="were in remission")["sentence"].to_list() == [
        "Go on at 5 subjects, whatever they show.",
        "Success if 4 or more of 10 were in remission, no success otherwise.",
    ]
    with pytest.raises(InputError, match="has no boundaries"):
        committee_table("a design")  # type: ignore[arg-type]


def test_looks() -> None:
    """by hand."""
    assert looks_after(10, 25, every=4) == (10, 14, 18, 22, 25)
    assert looks_after(5, 5) == (5,)


# ugly input

LOOKS = (10, 20, 30)
UGLY = {
    "target below null": (lambda: design_bop2(0.4, 0.2, LOOKS), "p1"),
    "target equals null": (lambda: design_lee_liu(0.3, 0.3), "p1"),
    "null 0": (lambda: design_bop2(0, 0.2, LOOKS), "p0"),
    "alpha 0": (lambda: design_bop2(0.2, 0.4, LOOKS, alpha=0), "alpha"),
    "alpha 1": (lambda: design_lee_liu(0.2, 0.4, alpha=1), "alpha"),
    "power above 1": (lambda: design_bop2(0.2, 0.4, LOOKS, power=1.2), "power"),
    "power out of reach": (lambda: design_bop2(0.2, 0.3, LOOKS, power=0.99), "power"),
    "alpha out of reach": (lambda: design_bop2(0.2, 0.3, (2, 3), alpha=0.001), "alpha"),
    "prior of 0": (lambda: design_bop2(0.2, 0.4, LOOKS, prior=(0, 1)), "prior"),
    "prior of one": (lambda: design_predictive(LOOKS, 0.2, theta_t=0.9, theta_l=0.1, prior=(1,)), "prior"),
    "prior of words": (lambda: design_thall_simon(LOOKS, standard=0.2, prior=("a", "b")), "prior"),
    "lambda above 1": (lambda: design_bop2(0.2, 0.4, LOOKS, cutoff=(1.2, 0.5)), "cutoff"),
    "gamma above 1": (lambda: design_bop2(0.2, 0.4, LOOKS, cutoff=(0.9, 1.5)), "cutoff"),
    "one cut-off": (lambda: design_bop2(0.2, 0.4, LOOKS, cutoff=0.9), "cutoff"),
    "lambda decides nothing": (lambda: design_bop2(0.01, 0.4, (1, 2), cutoff=(0.001, 0)), "cutoff"),
    "upper above 1": (lambda: design_thall_simon(LOOKS, standard=0.3, upper=1.1), "upper"),
    "lower above upper": (lambda: design_thall_simon(LOOKS, standard=0.3, lower=0.96, upper=0.95), "lower"),
    "upper out of reach": (lambda: design_thall_simon((2, 3), standard=0.9, upper=0.99), "upper"),
    "margin too large": (lambda: design_thall_simon(LOOKS, standard=0.8, delta=0.3), "delta"),
    "standard of 0": (lambda: design_thall_simon(LOOKS, standard=(0, 5)), "standard"),
    "target below standard": (lambda: design_thall_simon(LOOKS, standard=0.5, p1=0.4), "p1"),
    "theta_t above 1": (lambda: design_predictive(LOOKS, 0.2, theta_t=1.5, theta_l=0.1), "theta_t"),
    "theta_t out of reach": (lambda: design_predictive((2, 3), 0.9, theta_t=0.999, theta_l=0.1), "theta_t"),
    "theta_l above theta_u": (lambda: design_predictive(LOOKS, 0.2, theta_t=0.9, theta_l=0.9, theta_u=0.5), "theta_l"),
    "looks fall": (lambda: design_bop2(0.2, 0.4, (20, 10)), "looks"),
    "looks equal": (lambda: design_predictive((10, 10), 0.2, theta_t=0.9, theta_l=0.1), "looks"),
    "half a look": (lambda: design_bop2(0.2, 0.4, (10.5, 20)), "looks"),
    "no looks": (lambda: design_bop2(0.2, 0.4, ()), "looks"),
    "a number for looks": (lambda: design_bop2(0.2, 0.4, 30), "looks"),
    "first after last": (lambda: looks_after(30, 20), "n_max"),
    "cap too small": (lambda: design_lee_liu(0.2, 0.4, n_cap=20), "n_cap"),
    "cap no number": (lambda: design_lee_liu(0.2, 0.4, n_cap="many"), "n_cap"),
    "no way to choose": (lambda: design_lee_liu(0.2, 0.4, choose="best"), "choose"),
    "theta_l no range": (lambda: design_lee_liu(0.2, 0.4, theta_l=0.1), "theta_l"),
    "theta_l turned": (lambda: design_lee_liu(0.2, 0.4, theta_l=(0.5, 0.1)), "theta_l"),
}


@pytest.mark.parametrize("name", UGLY)
def test_ugly_input_is_refused_in_one_message(name: str) -> None:
    """by hand: the argument that is wrong is named, and what would be right."""
    call, key = UGLY[name]
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.key == key
    assert caught.value.right
    assert "\n" not in str(caught.value)
