"""BOP2 on response and toxicity together.

Origin of expected values. `R`: printed output of a package's documentation, named. `independent`: a slow second implementation below,
from the definition, in plain Python. `by hand`: from the rule.
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
from scipy import stats

from cartrial.design.bayes.bop2_joint import JointDesign, design_bop2_joint, joint_boundaries, operate_joint
from cartrial.design.bayes.cells import cells_of
from cartrial.design.bayes.committee import committee_table
from cartrial.design.bayes.joint_kernel import JointAnswers, JointBoundaries, run_joint
from cartrial.errors import InputError
from cartrial.kernels import COMPILE_FROM
from properties import examples

NULL, TARGET = (0.15, 0.30, 0.15, 0.40), (0.18, 0.42, 0.02, 0.38)
LOOKS = (10, 15, 20, 25, 30, 35, 40)


def slow_joint(n: Sequence[int], low: Sequence[int], high: Sequence[int], cells: Sequence[float]) -> tuple[float, float, list[list[float]]]:
    """Success, expected subjects and stops by look, with multinomial cohorts in a dictionary of both counts."""
    alive, before, subjects = {(0, 0): 1.0}, 0, 0.0
    stops = []
    for size, few, many in zip(n, low, high, strict=True):
        m = size - before
        after: dict[tuple[int, int], float] = {}
        cohorts = [(a, b, c, m - a - b - c) for a in range(m + 1) for b in range(m + 1 - a) for c in range(m + 1 - a - b)]
        for a, b, c, d in cohorts:
            ways = math.factorial(m) // (math.factorial(a) * math.factorial(b) * math.factorial(c) * math.factorial(d))
            mass = ways * cells[0] ** a * cells[1] ** b * cells[2] ** c * cells[3] ** d
            for (x, y), weight in alive.items():
                key = (x + a + b, y + a + c)
                after[key] = after.get(key, 0.0) + weight * mass
        subjects += m * sum(alive.values())
        look = [0.0, 0.0, 0.0]
        for (x, y), mass in after.items():
            if x <= few or y >= many:
                look[2 if x <= few and y >= many else 0 if x <= few else 1] += mass
        stops.append(look)
        alive = {(x, y): mass for (x, y), mass in after.items() if x > few and y < many}
        before = size
    return sum(alive.values()), subjects, stops


def random_cells(draw: random.Random) -> tuple[float, ...]:
    cells = [draw.random() + 0.02 for _ in range(4)]
    return tuple(value / sum(cells) for value in cells)


@pytest.mark.parametrize("work", [0, COMPILE_FROM])
def test_the_kernel_is_200_slow_runs(work: int) -> None:
    """independent: `slow_joint` at random boundaries and truths; interpreted, and compiled where Numba is installed."""
    draw = random.Random(4)
    for _ in range(200):
        n = tuple(sorted(draw.sample(range(1, 11), draw.randint(1, 4))))
        low, high = [draw.randint(-1, k // 2) for k in n], [draw.randint(0, k + 1) for k in n]
        cells = random_cells(draw)
        success, expected, stops = np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1, len(n), 3))
        boundaries = JointBoundaries(np.array(n), np.array([low]), np.array([high]))
        run_joint(work, boundaries, np.array([cells]), JointAnswers(success, expected, stops))
        won, subjects, by_look = slow_joint(n, low, high, cells)
        assert success[0, 0] == pytest.approx(won, abs=1e-12)
        assert expected[0, 0] == pytest.approx(subjects, abs=1e-11)
        assert stops[0, 0] == pytest.approx(np.array(by_look), abs=1e-12)


def test_every_path_of_six_subjects() -> None:
    """independent: all 4096 sequences of outcomes, looked at after 2, 4 and 6 subjects."""
    n, low, high, cells = (2, 4, 6), (0, 1, 2), (2, 3, 4), (0.2, 0.3, 0.1, 0.4)
    passed = subjects = 0.0
    for path in product(range(4), repeat=6):
        mass, ended = math.prod(cells[k] for k in path), None
        for size, few, many in zip(n, low, high, strict=True):
            if sum(k < 2 for k in path[:size]) <= few or sum(k in (0, 2) for k in path[:size]) >= many:
                ended = size
                break
        passed += mass * (ended is None)
        subjects += mass * (ended or 6)
    design = JointDesign("x", n, low, high, cells, cells, 0.5, 1, cells, {}, 0, 0, 0, "m", "s")
    found = operate_joint(design, cells)
    assert found.success == pytest.approx(passed, abs=1e-13)
    assert found.expected_n == pytest.approx(subjects, abs=1e-12)
    total = sum(found.stop_futility) + sum(found.stop_toxicity) + sum(found.stop_both) + found.success
    assert total == pytest.approx(1, abs=1e-13)


@pytest.mark.shows("EST-bop2")
def test_the_boundaries_of_bop2fe() -> None:
    """R: README of BOP2FE, BOP2FE_jointefftox(H0 = c(0.15, 0.30, 0.15, 0.40), n = c(10,5,5,5,5,5,5), lambda = 0.7, gamma = 1): futility."""
    found = design_bop2_joint(NULL, TARGET, LOOKS, cutoff=(0.7, 1))
    assert found.futility == (3, 5, 8, 10, 13, 16, 19)
    assert found.toxicity == (5, 6, 7, 8, 9, 10, 11)


FUTILE, GOOD, FEW_LOOKS = cells_of(0.3, 0.4, 2.0), cells_of(0.6, 0.15), (3, 6, 9)
TRUTHS = {"futile and toxic": FUTILE, "effective but toxic": cells_of(0.6, 0.4, 2.0), "safe but futile": cells_of(0.3, 0.15, 2.0)}


def slow_grid(scales: range, gammas: range) -> list[tuple[dict[str, float], float]]:
    """independent: the grid in plain Python, boundaries by trying each count with scipy.stats, probabilities by `slow_joint`."""
    looks, sets = FEW_LOOKS, set()
    for scale, gamma in product(scales, gammas):
        bounds = []
        for n in looks:
            cut = scale / 100 * (n / looks[-1]) ** (gamma / 20)
            few = max((x for x in range(n + 1) if stats.beta.sf(0.3, 0.3 + x, 0.7 + n - x) < cut), default=-1)
            many = min((y for y in range(n + 1) if stats.beta.cdf(0.4, 0.4 + y, 0.6 + n - y) < cut), default=n + 1)
            bounds.append((few, many))
        sets.add(tuple(bounds))
    results = []
    for bounds in sets:
        low, high = zip(*bounds, strict=True)
        errors = {name: slow_joint(looks, low, high, cells)[0] for name, cells in TRUTHS.items()}
        results.append((errors, slow_joint(looks, low, high, GOOD)[0]))
    return results


def test_nothing_of_a_coarse_grid_is_better_than_the_search() -> None:
    found = design_bop2_joint(FUTILE, GOOD, FEW_LOOKS, alpha=0.1)
    fits = [power for errors, power in slow_grid(range(5, 100, 10), range(0, 21, 5)) if errors["futile and toxic"] <= 0.1]
    assert fits and max(fits) <= found.power + 1e-12


@pytest.mark.slow
def test_the_search_is_the_best_of_its_grid() -> None:
    null, target, looks, truths = FUTILE, GOOD, FEW_LOOKS, TRUTHS
    results = slow_grid(range(1, 100), range(21))
    free = design_bop2_joint(null, target, looks, alpha=0.1)
    assert free.power == pytest.approx(max(power for errors, power in results if errors["futile and toxic"] <= 0.1), abs=1e-12)
    held = design_bop2_joint(null, target, looks, alpha=0.1, partial_alpha=0.25)
    fits = [power for errors, power in results if errors["futile and toxic"] <= 0.1 and max(errors.values()) <= 0.25]
    assert held.power == pytest.approx(max(fits), abs=1e-12)
    assert max(held.type_one.values()) <= 0.25
    for name, cells in truths.items():
        assert held.type_one[name] == pytest.approx(operate_joint(held, cells).success, abs=1e-13)
    assert held.power == pytest.approx(operate_joint(held, target).success, abs=1e-13)


def test_the_fewest_subjects_with_a_power() -> None:
    """by hand: what is asked for is kept, and fewer subjects are expected than with most power."""
    most = design_bop2_joint(cells_of(0.3, 0.4), cells_of(0.6, 0.15), (10, 20, 30))
    fewest = design_bop2_joint(cells_of(0.3, 0.4), cells_of(0.6, 0.15), (10, 20, 30), power=0.8)
    assert fewest.power >= 0.8
    assert fewest.type_one["futile and toxic"] <= 0.1
    assert fewest.expected_null <= most.expected_null


@examples(60)
@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.01, 100))
def test_cells_have_their_margins_and_odds_ratio(response: float, toxicity: float, ratio: float) -> None:
    both, only, toxic, neither = cells_of(response, toxicity, ratio)
    assert both + only == pytest.approx(response, abs=1e-12)
    assert both + toxic == pytest.approx(toxicity, abs=1e-12)
    assert sum((both, only, toxic, neither)) == pytest.approx(1, abs=1e-12)
    assert min(both, only, toxic, neither) > -1e-15
    assert both * neither == pytest.approx(ratio * only * toxic, rel=1e-6, abs=1e-12)


def test_the_committee_reads_sentences() -> None:
    """by hand."""
    design = JointDesign("x", (5, 10, 20), (None, 0, 7), (None, 10, 8), NULL, TARGET, 0.5, 1, NULL, {}, 0, 0, 0, "m", "s")
    assert joint_boundaries(design).rows() == [(1, 5, None, None), (2, 10, 0, 10), (3, 20, 7, 8)]
    assert committee_table(design)["sentence"].to_list() == [
        "Go on at 5 subjects, whatever they show.",
        "Stop if none of 10 responded or all 10 had toxicity.",
        "Stop if 7 or fewer of 20 responded or 8 or more of 20 had toxicity.",
    ]


UGLY = {
    "three cells": (lambda: design_bop2_joint((0.3, 0.3, 0.4), TARGET, LOOKS), "null"),
    "cells of words": (lambda: design_bop2_joint("many", TARGET, LOOKS), "null"),
    "cells that sum to 2": (lambda: design_bop2_joint(NULL, (0.5, 0.5, 0.5, 0.5), LOOKS), "alternative"),
    "a cell of 0 in the null": (lambda: design_bop2_joint((0.3, 0, 0.3, 0.4), TARGET, LOOKS), "null"),
    "no better response": (lambda: design_bop2_joint(NULL, (0.1, 0.2, 0.1, 0.6), LOOKS), "alternative"),
    "no less toxicity": (lambda: design_bop2_joint(NULL, (0.3, 0.4, 0.1, 0.2), LOOKS), "alternative"),
    "alpha 0": (lambda: design_bop2_joint(NULL, TARGET, LOOKS, alpha=0), "alpha"),
    "partial alpha 2": (lambda: design_bop2_joint(NULL, TARGET, LOOKS, partial_alpha=2), "partial_alpha"),
    "power out of reach": (lambda: design_bop2_joint(NULL, TARGET, LOOKS, power=0.99), "power"),
    "errors out of reach": (lambda: design_bop2_joint(NULL, TARGET, (2, 4), alpha=0.0001), "alpha"),
    "prior of 0": (lambda: design_bop2_joint(NULL, TARGET, LOOKS, prior=(0, 1, 1, 1)), "prior"),
    "always stops": (lambda: design_bop2_joint(NULL, TARGET, (1, 2), cutoff=(0.99, 0)), "cutoff"),
    "odds ratio 0": (lambda: cells_of(0.3, 0.3, 0), "odds_ratio"),
    "rate of 1": (lambda: cells_of(1, 0.3), "efficacy"),
    "a truth that is none": (lambda: operate_joint(design_bop2_joint(NULL, TARGET, LOOKS, cutoff=(0.7, 1)), (1, 1, 1, 1)), "cells"),
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
