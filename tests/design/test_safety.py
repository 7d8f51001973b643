"""Stopping boundaries for harm.

Origin of expected values. `R`: printed output of a package's documentation, named. `independent`: a slow second implementation below,
from the definition, in plain Python. `by hand`: from the rule.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cartrial.design.bayes.committee import committee_table
from cartrial.design.bayes.monitoring import looks_after
from cartrial.design.bayes.safety import (
    SafetyRule,
    design_safety_bayes,
    design_safety_exact,
    operate_safety,
    safety_boundaries,
)
from cartrial.errors import InputError
from properties import count, examples

EACH = looks_after(1, 30)
RATES = (0.2, 0.25, 0.3, 0.35, 0.4)


def slow_safety(n: Sequence[int], stop: Sequence[int | None], p: float) -> tuple[float, float, float]:
    """Probability of ever stopping, expected subjects and expected events, cohort by cohort."""
    alive, before, ever, subjects, events = {0: 1.0}, 0, 0.0, 0.0, 0.0
    for size, limit in zip(n, stop, strict=True):
        m = size - before
        after: dict[int, float] = {}
        for x, mass in alive.items():
            for y in range(m + 1):
                after[x + y] = after.get(x + y, 0.0) + mass * math.comb(m, y) * p**y * (1 - p) ** (m - y)
        for x in [x for x in after if limit is not None and x >= limit]:
            mass = after.pop(x)
            ever, subjects, events = ever + mass, subjects + mass * size, events + mass * x
        alive, before = after, size
    return ever, subjects + sum(alive.values()) * n[-1], events + sum(x * mass for x, mass in alive.items())


# R: README of stoppingrule (Martens): calc.rule.bin(ns = 1:30, p0 = 0.20, alpha = 0.10, type = "Pocock"), OC.rule.bin(ps = 0.2 ... 0.4)
POCOCK = [2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 11, 11, 11]
POCOCK_STOP = [0.09915263, 0.23312769, 0.42603085, 0.63398556, 0.80576733]
POCOCK_N = [28.16703, 26.04001, 22.98251, 19.37012, 15.75017]
# R: the same README, type = "BB", param = c(0.6, 2.4)
BAYES = [2, 3, 3, 3, 4, 4, 5, 5, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11]
BAYES_STOP = [0.09957367, 0.23832301, 0.43615256, 0.64555222, 0.81491087]
BAYES_EVENTS = [5.651197, 6.536293, 6.926712, 6.819377, 6.355803]


@pytest.mark.shows("EST-safety-boundaries")
def test_pocock_is_that_of_stoppingrule() -> None:
    """R: boundaries, probability of stopping and expected subjects. Boundaries above the subjects are no boundaries."""
    rule = design_safety_exact(EACH, 0.2, false_stop=0.1)
    assert rule.stop == tuple(x if x <= n else None for n, x in zip(EACH, POCOCK, strict=True))
    found = operate_safety(rule, RATES)
    assert found["stop"].to_list() == pytest.approx(POCOCK_STOP, abs=5e-9)
    assert found["expected_n"].to_list() == pytest.approx(POCOCK_N, abs=5e-6)
    assert rule.false_stop == pytest.approx(POCOCK_STOP[0], abs=5e-9)


@pytest.mark.shows("EST-safety-boundaries")
def test_bayes_is_that_of_stoppingrule() -> None:
    """R: boundaries, probability of stopping and expected events."""
    rule = design_safety_bayes(EACH, 0.2, prior=(0.6, 2.4), false_stop=0.1)
    assert rule.stop == tuple(x if x <= n else None for n, x in zip(EACH, BAYES, strict=True))
    found = operate_safety(rule, RATES)
    assert found["stop"].to_list() == pytest.approx(BAYES_STOP, abs=5e-9)
    assert found["expected_events"].to_list() == pytest.approx(BAYES_EVENTS, abs=5e-7)


@pytest.mark.shows("EST-safety-boundaries")
def test_every_figure_is_enumerated_for_200_rules() -> None:
    """independent: `slow_safety`; events are counted one by one, not by Wald's identity."""
    draw = random.Random(5)
    for _ in range(count(200, quick=60)):
        n = tuple(sorted(draw.sample(range(1, 31), draw.randint(1, 8))))
        acceptable, limit = draw.uniform(0.05, 0.4), draw.uniform(0.02, 0.3)
        try:
            rule = draw.choice(
                [
                    lambda n, p, a: design_safety_exact(n, p, false_stop=a),
                    lambda n, p, a: design_safety_exact(n, p, false_stop=a, shape="obrien-fleming"),
                    lambda n, p, a: design_safety_bayes(n, p, false_stop=a),
                    lambda n, p, a: design_safety_bayes(n, p, tau=1 - a, prior=(0.5, 2)),
                ]
            )(n, acceptable, limit)
        except InputError as error:
            assert error.key in ("false_stop", "tau")
            continue
        rates = (acceptable, draw.random(), 0.0, 1.0)
        found = operate_safety(rule, rates)
        for row, p in zip(found.rows(named=True), rates, strict=True):
            ever, subjects, events = slow_safety(n, rule.stop, p)
            early = slow_safety(n, [*rule.stop[:-1], None], p)[0]
            assert (row["stop"], row["stop_early"]) == pytest.approx((ever, early), abs=1e-12)
            assert (row["expected_n"], row["expected_events"]) == pytest.approx((subjects, events), abs=1e-11)
        assert rule.false_stop == pytest.approx(found["stop"][0], abs=1e-13)


@pytest.mark.parametrize("shape", ["pocock", "obrien-fleming"])
@pytest.mark.parametrize(("n", "acceptable", "limit"), [((3, 6, 9, 12), 0.2, 0.1), (tuple(range(1, 13)), 0.3, 0.2), ((10, 20), 0.15, 0.05)])
def test_no_level_stops_more_often_within_the_limit(shape: str, n: tuple[int, ...], acceptable: float, limit: float) -> None:
    """independent: a fine grid of levels (or excesses), each tried with scipy.stats."""
    best = 0.0
    tails = {k: [float(stats.binom.sf(x - 1, k, acceptable)) for x in range(k + 1)] for k in n}
    for step in range(1, 1000):
        if shape == "pocock":
            stop = [next((x for x in range(1, k + 1) if tails[k][x] <= step / 2000), None) for k in n]
        else:
            stop = [next((x for x in range(k + 1) if x - k * acceptable >= step / 100), None) for k in n]
        ever = slow_safety(n, stop, acceptable)[0]
        best = max(best, ever if ever <= limit else 0.0)
    rule = design_safety_exact(n, acceptable, false_stop=limit, shape=shape)
    assert rule.false_stop <= limit
    assert rule.false_stop >= best - 1e-12


@pytest.mark.parametrize(("a", "b", "tau"), [(0.2, 0.8, 0.9), (1, 1, 0.95), (0.5, 4.5, 0.8)])
def test_a_given_tau_stops_where_the_posterior_says(a: float, b: float, tau: float) -> None:
    """independent: scipy.stats, count by count."""
    rule = design_safety_bayes((5, 10, 20, 40), 0.2, prior=(a, b), tau=tau)
    assert rule.stop == tuple(
        min((x for x in range(n + 1) if stats.beta.sf(0.2, a + x, b + n - x) > tau), default=None) for n in (5, 10, 20, 40)
    )


def test_every_path_of_eight_subjects() -> None:
    """independent: all 256 sequences, a look after each subject."""
    rule = design_safety_exact(looks_after(1, 8), 0.25, false_stop=0.15)
    ever = subjects = events = 0.0
    for path in product((0, 1), repeat=8):
        mass = math.prod(0.4 if event else 0.6 for event in path)
        end = next((k for k in range(1, 9) if rule.stop[k - 1] is not None and sum(path[:k]) >= rule.stop[k - 1]), None)
        ever += mass * (end is not None)
        subjects += mass * (end or 8)
        events += mass * sum(path[: end or 8])
    row = operate_safety(rule, 0.4).row(0, named=True)
    assert (row["stop"], row["expected_n"], row["expected_events"]) == pytest.approx((ever, subjects, events), abs=1e-12)


@examples(40)
@given(st.floats(0.05, 0.4), st.floats(0.02, 0.2), st.floats(0.0, 0.1), st.sampled_from(["pocock", "obrien-fleming", "bayes"]))
def test_boundaries_rise_and_a_stricter_rule_needs_more(acceptable: float, limit: float, more: float, shape: str) -> None:
    def make(a: float) -> list[int]:
        made = design_safety_bayes(EACH, acceptable, false_stop=a) if shape == "bayes" else None
        made = made or design_safety_exact(EACH, acceptable, false_stop=a, shape=shape)
        assert made.false_stop <= a
        return [99 if x is None else x for x in made.stop]

    try:
        strict, loose = make(limit), make(limit + more)
    except InputError as error:
        assert error.key == "false_stop"
        return
    assert all(a >= b for a, b in zip(strict, loose, strict=True))
    reached = [x for x in strict if x < 99]
    assert reached == sorted(reached)


def test_obrien_fleming_stops_later_than_pocock() -> None:
    """by hand: the same excess at each look is more of a share when few subjects are known."""
    pocock, late = (design_safety_exact(EACH, 0.2, shape=shape) for shape in ("pocock", "obrien-fleming"))
    assert next(n for n, x in zip(EACH, pocock.stop, strict=True) if x) < next(n for n, x in zip(EACH, late.stop, strict=True) if x)
    assert pocock.stop[-1] > late.stop[-1]  # type: ignore[operator]


def test_the_committee_reads_sentences() -> None:
    """by hand."""
    rule = SafetyRule("x", (1, 2, 3, 4, 5, 6, 10), (None, 2, 2, None, 4, 4, 7), 0.2, 0.1, "severe CRS", "m", "s")
    assert safety_boundaries(rule)["stop_if_at_least"].to_list() == [None, 2, 2, None, 4, 4, 7]
    table = committee_table(rule)
    assert table.columns == ["n_from", "n_to", "stop_if_at_least", "sentence"]
    assert table["sentence"].to_list() == [
        "Stop if 2 or more had severe CRS among 2 to 3 subjects.",
        "Stop if 4 or more had severe CRS among 5 to 6 subjects.",
        "Stop if 7 or more of 10 had severe CRS.",
    ]
    assert committee_table(SafetyRule("x", (3,), (3,), 0.2, 0.1, "ICANS", "m", "s"))["sentence"].to_list() == ["Stop if all 3 had ICANS."]


UGLY = {
    "acceptable 0": (lambda: design_safety_exact(EACH, 0), "acceptable"),
    "acceptable above 1": (lambda: design_safety_bayes(EACH, 1.2, tau=0.9), "acceptable"),
    "false stop 0": (lambda: design_safety_exact(EACH, 0.2, false_stop=0), "false_stop"),
    "false stop 1": (lambda: design_safety_bayes(EACH, 0.2, false_stop=1), "false_stop"),
    "false stop out of reach": (lambda: design_safety_exact((1, 2), 0.3, false_stop=0.01), "false_stop"),
    "unknown shape": (lambda: design_safety_exact(EACH, 0.2, shape="haybittle"), "shape"),
    "looks fall": (lambda: design_safety_exact((10, 5), 0.2), "looks"),
    "neither tau nor false stop": (lambda: design_safety_bayes(EACH, 0.2), "tau"),
    "both tau and false stop": (lambda: design_safety_bayes(EACH, 0.2, tau=0.9, false_stop=0.1), "tau"),
    "tau above 1": (lambda: design_safety_bayes(EACH, 0.2, tau=1.1), "tau"),
    "the prior alone stops": (lambda: design_safety_bayes(EACH, 0.2, prior=(50, 50), tau=0.9), "tau"),
    "prior below 0": (lambda: design_safety_bayes(EACH, 0.2, prior=(-1, 2), tau=0.9), "prior"),
    "a rate above 1": (lambda: operate_safety(design_safety_exact(EACH, 0.2), 1.5), "rates"),
    "a rate in words": (lambda: operate_safety(design_safety_exact(EACH, 0.2), "high"), "rates"),
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
