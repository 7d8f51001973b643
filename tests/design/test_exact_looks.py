"""Boundaries of several looks: error spending and Fleming.

Origins: `R` (tests/oracle/design_exact.R; spending functions by rpact 3.3.4), `independent` (boundaries chosen anew from the definition in
fractions of sums over paths), `by hand`.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.design.exact.looks import Spending, design_fleming, design_spending, spend
from cartrial.design.exact.simon import design_simon
from cartrial.design.exact.staged import operate
from cartrial.errors import InputError
from exact_slow import characteristics, pmf, r_figures
from properties import examples

RPACT = {"asOF": "obrien-fleming", "asP": "pocock"}


@pytest.mark.parametrize("case", r_figures()["spending"])
@pytest.mark.shows("EST-spending")
def test_r_spending_functions(case: dict[str, object]) -> None:
    """origin R: the formulas by qnorm, pnorm, log and exp; rpact 3.3.4, `getDesignGroupSequential(typeOfDesign = "asOF" | "asP" | "asHSD",
    sided = 1)$alphaSpent`, which integrates numerically."""
    kind = RPACT.get(case["type"], case["gamma"])  # type: ignore[call-overload]
    found = [spend(case["alpha"], time, kind) for time in case["time"]]  # type: ignore[arg-type, attr-defined]
    assert found == pytest.approx(case["formula"], rel=1e-12)
    assert found == pytest.approx(case["spent"], abs=5e-8)


def test_spending_by_hand() -> None:
    """origin by hand: gamma 0 is even; none spends at the end alone; all of it at 1, nothing at 0."""
    assert spend(0.05, 0.4, 0) == pytest.approx(0.02)
    assert spend(0.05, 0.4, None) == 0 and spend(0.05, 1, None) == 0.05
    for kind in ("obrien-fleming", "pocock", -4, 2.5):
        assert spend(0.05, 0, kind) == 0 and spend(0.05, 1, kind) == 0.05


def slow_boundaries(
    sizes: tuple[int, ...], p0: float, p1: float, alpha: float, beta: float, efficacy: Spending, futility: Spending, binding: bool
) -> tuple[list[int | None], list[int | None], float]:
    """Boundaries from the definition: probabilities of the states at each look, a trial boundary at a time."""
    null, target = {0: 1.0}, {0: 1.0}
    lows: list[int | None] = []
    highs: list[int | None] = []
    false = missed = power = 0.0
    for k, n in enumerate(sizes):
        m = n - (sizes[k - 1] if k else 0)
        arrived = []
        for states, p in ((null, p0), (target, p1)):
            new: dict[int, float] = {}
            for x, q in states.items():
                for y in range(m + 1):
                    new[x + y] = new.get(x + y, 0.0) + q * pmf(m, y, p)
            arrived.append(new)
        null, target = arrived
        last = k == len(sizes) - 1
        may = alpha if last else spend(alpha, n / sizes[-1], efficacy)
        fits = [e for e in range(1, n + 1) if false + sum(q for x, q in null.items() if x >= e) <= may + 1e-12]
        high = min(fits) if fits else None
        if last:
            if high is None:
                return lows, highs, 0.0
            high = max(high, min(target))
            return [*lows, high - 1], [*highs, high], power + sum(q for x, q in target.items() if x >= high)
        if efficacy is None or (high is not None and high > max(target)):
            high = None
        if high is not None:
            high = max(high, min(target) + 1)
        low = None
        if futility is not None:
            top = max(target) - 1 if high is None else high - 2
            spare = spend(beta, n / sizes[-1], futility) + 1e-12
            fits = [f for f in range(min(target), top + 1) if missed + sum(q for x, q in target.items() if x <= f) <= spare]
            low = max(fits) if fits else None
        lows.append(low)
        highs.append(high)
        up = n + 1 if high is None else high
        down = -1 if low is None else low
        false += sum(q for x, q in null.items() if x >= up)
        power += sum(q for x, q in target.items() if x >= up)
        missed += sum(q for x, q in target.items() if x <= down)
        target = {x: q for x, q in target.items() if down < x < up}
        null = {x: q for x, q in null.items() if x < up and (x > down or not binding)}
    raise AssertionError


CASES: list[tuple[tuple[float, float, float, float], dict[str, object]]] = [
    ((0.2, 0.45, 0.05, 0.1), {}),
    ((0.2, 0.45, 0.05, 0.1), {"looks": 5}),
    ((0.3, 0.55, 0.025, 0.2), {"binding": False}),
    ((0.3, 0.55, 0.05, 0.2), {"efficacy": None, "futility": "pocock"}),
    ((0.1, 0.35, 0.05, 0.1), {"futility": None, "efficacy": "pocock", "looks": 4}),
    ((0.5, 0.75, 0.05, 0.15), {"efficacy": -4, "futility": -2, "looks": (0.4, 0.7, 1)}),
    ((0.05, 0.3, 0.1, 0.1), {"efficacy": 1, "futility": 0, "looks": 2}),
]


@pytest.mark.parametrize(("errors", "keywords"), CASES)
@pytest.mark.shows("EST-spending")
def test_boundaries_and_the_smallest_maximum(errors: tuple[float, float, float, float], keywords: dict[str, object]) -> None:
    """origin independent: boundaries from the definition; every smaller maximum lacks the power."""
    found = design_spending(*errors, **keywords)  # type: ignore[arg-type]
    looks = keywords.get("looks", 3)
    times = [(k + 1) / looks for k in range(looks)] if isinstance(looks, int) else list(looks)  # type: ignore[call-overload]
    efficacy, futility = keywords.get("efficacy", "obrien-fleming"), keywords.get("futility", "obrien-fleming")
    for most in range(len(times), found.n[-1] + 1):
        sizes = tuple(ceil(time * most - 1e-9) for time in times)
        if any(b <= a for a, b in pairwise(sizes)):
            continue
        low, high, power = slow_boundaries(sizes, *errors, efficacy, futility, bool(keywords.get("binding", True)))  # type: ignore[arg-type]
        if most < found.n[-1]:
            assert power < 1 - errors[3]
    assert (found.n, found.futility, found.efficacy) == (sizes, tuple(low), tuple(high))
    assert float(operate(found, errors[1]).success) == pytest.approx(power, abs=1e-12)
    assert characteristics(found, errors[0])[0] <= errors[2] + 1e-12


def test_a_committee_that_goes_on() -> None:
    """origin independent: not binding, so the type I error holds without any futility stop."""
    from cartrial.design.exact.staged import Staged

    found = design_spending(0.2, 0.4, 0.05, 0.1, binding=False)
    past = Staged("past", found.n, (None, None, found.futility[-1]), found.efficacy, 0.2, 0.4, "", "")
    assert characteristics(past, 0.2)[0] <= 0.05
    bound = design_spending(0.2, 0.4, 0.05, 0.1)
    past = Staged("past", bound.n, (None, None, bound.futility[-1]), bound.efficacy, 0.2, 0.4, "", "")
    assert characteristics(past, 0.2)[0] > 0.05


def test_given_looks() -> None:
    """Nothing is searched; the boundaries are those of the definition."""
    found = design_spending(0.2, 0.4, 0.05, 0.1, n=(20, 40, 60))
    low, high, power = slow_boundaries((20, 40, 60), 0.2, 0.4, 0.05, 0.1, "obrien-fleming", "obrien-fleming", True)
    assert (found.n, found.futility, found.efficacy) == ((20, 40, 60), tuple(low), tuple(high))
    assert "looks as given" in found.method and f"{power:.4f}" in found.method
    with pytest.raises(InputError, match=r"n: the looks \[10, 20\] have .* but 0\.\d+"):
        design_spending(0.2, 0.4, 0.05, 0.1, n=(10, 20))


def test_more_subjects_than_needed() -> None:
    """origin independent: with both errors to spare the boundaries of an early look would meet; one number of responders still goes on."""
    errors = (0.2, 0.5, 0.2, 0.3)
    found = design_spending(*errors, n=(40, 60, 80), efficacy="pocock", futility="pocock")
    low, high, _ = slow_boundaries((40, 60, 80), *errors, "pocock", "pocock", True)
    assert (found.futility, found.efficacy) == (tuple(low), tuple(high))
    assert found.efficacy[0] - found.futility[0] == 2  # type: ignore[operator]


@examples(40)
@given(
    st.floats(0.05, 0.6),
    st.floats(0.2, 0.35),
    st.floats(0.01, 0.15),
    st.floats(0.05, 0.3),
    st.integers(2, 6),
    st.sampled_from(["obrien-fleming", "pocock", -3.0, 0.0, 2.0]),
    st.sampled_from(["obrien-fleming", "pocock", -3.0, 0.0, None]),
    st.booleans(),
)
def test_what_always_holds(
    p0: float, gap: float, alpha: float, beta: float, looks: int, efficacy: Spending, futility: Spending, binding: bool
) -> None:
    """Errors met, look by look within what may be spent, success monotone in the rate."""
    p1 = p0 + gap
    found = design_spending(p0, p1, alpha, beta, looks=looks, efficacy=efficacy, futility=futility, binding=binding)
    got = operate(found, [p0, p1])
    assert got.success[0] <= alpha + 1e-11 and got.success[1] >= 1 - beta - 1e-11
    for k in range(looks - 1):
        time = found.n[k] / found.n[-1]
        assert got.stop_efficacy[0, : k + 1].sum() <= spend(alpha, time, efficacy) + 1e-11
        assert got.stop_futility[1, : k + 1].sum() <= spend(beta, time, futility) + 1e-11
    assert (np.diff(operate(found, np.linspace(0, 1, 51)).success) > -1e-12).all()


def test_more_looks_cost_little() -> None:
    """Two looks with futility alone need no fewer subjects than the minimax design, which is the best of them."""
    for errors in ((0.2, 0.4, 0.05, 0.1), (0.3, 0.5, 0.05, 0.2)):
        assert design_spending(*errors, looks=2, efficacy=None).n[-1] >= design_simon(*errors).minimax.n[-1]


@pytest.mark.parametrize("case", r_figures()["fleming"])
@pytest.mark.shows("EST-fleming")
def test_r_fleming(case: dict[str, list[float]]) -> None:
    """origin R 4.2.2: Fleming's points from qnorm. A point outside the sample is no stop."""
    found = design_fleming(case["p0"], 0.95, case["alpha"], n=case["n"])  # type: ignore[arg-type]
    assert found.efficacy[-1] == case["reject"][-1] and found.futility[-1] == case["reject"][-1] - 1
    for k, n in enumerate(case["n"][:-1]):
        assert found.efficacy[k] == (case["reject"][k] if case["reject"][k] <= n else None)
        assert found.futility[k] == (case["accept"][k] if case["accept"][k] >= 0 else None)


@pytest.mark.shows("EST-fleming")
def test_fleming_by_hand() -> None:
    """origin by hand: p0 .3, alpha .05, 20 + 15: z = 1.64485. Reject at 20 from .3 x 20 + z sqrt(35 x .21) = 10.46, 10 + 1; at 35 from
    10.5 + 4.46 = 14.96, 15 + 1. Far rate (3.24037 + .83666 z)^2 / (35 + z^2) = .56524; accept at 20 to .56524 x 20 - z sqrt(35 x .24574) =
    11.30 - 4.82 = 6.48, 6."""
    found = design_fleming(0.3, 0.5, 0.05, n=(20, 35))
    assert (found.efficacy, found.futility) == ((11, 16), (6, 15))


def test_fleming_searched() -> None:
    """origin independent: of the maximum found both exact errors hold; of every smaller one not."""
    found = design_fleming(0.2, 0.4, 0.05, 0.1, stages=3)
    assert characteristics(found, 0.2)[0] <= 0.05 and characteristics(found, 0.4)[0] >= 0.9
    for most in range(20, found.n[-1]):
        sizes = tuple(ceil(most * k / 3 - 1e-9) for k in (1, 2, 3))
        smaller = design_fleming(0.2, 0.4, 0.05, n=sizes)
        assert characteristics(smaller, 0.2)[0] > 0.05 or characteristics(smaller, 0.4)[0] < 0.9
    assert f"exact type I error {characteristics(found, 0.2)[0]:.4f}" in found.method


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"p1": 0.2}, "p1"),
        ({"alpha": 0}, "alpha"),
        ({"beta": 1}, "beta"),
        ({"looks": 1}, "looks"),
        ({"looks": 21}, "looks"),
        ({"looks": (0.5, 0.9)}, "looks"),
        ({"looks": (0.5, 0.5, 1)}, "looks"),
        ({"looks": (0, 1)}, "looks"),
        ({"looks": "three"}, "looks"),
        ({"n": (40, 20)}, "n"),
        ({"n": (20,)}, "n"),
        ({"n": 40}, "n"),
        ({"n": (20, 40.5)}, "n"),
        ({"efficacy": "haybittle"}, "efficacy"),
        ({"efficacy": True}, "efficacy"),
        ({"futility": float("nan")}, "futility"),
        ({"efficacy": None, "futility": None}, "efficacy"),
        ({"n_max": 20}, "n_max"),
        ({"n_max": 5, "looks": 10}, "n_max"),
        ({"n_max": 2000}, "n_max"),
    ],
)
def test_bad_input(change: dict[str, object], key: str) -> None:
    """One message that names the argument and says what would be right."""
    with pytest.raises(InputError) as error:
        design_spending(**{"p0": 0.2, "p1": 0.4, "alpha": 0.05, "beta": 0.1, **change})  # type: ignore[arg-type]
    assert error.value.key == key and error.value.right


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({}, "beta"),
        ({"beta": 0}, "beta"),
        ({"beta": 0.1, "n_max": 12}, "n_max"),
        ({"n": (30, 20)}, "n"),
        ({"n": (1, 2), "alpha": 0.01}, "n"),
        ({"p1": 0.1}, "p1"),
    ],
)
def test_bad_input_fleming(change: dict[str, object], key: str) -> None:
    with pytest.raises(InputError) as error:
        design_fleming(**{"p0": 0.2, "p1": 0.4, "alpha": 0.05, **change})  # type: ignore[arg-type]
    assert error.value.key == key and error.value.right


def test_bad_spending() -> None:
    with pytest.raises(InputError, match="fraction"):
        spend(0.05, 1.2, "pocock")
    with pytest.raises(InputError, match="spending"):
        spend(0.05, 0.5, "quick")
    with pytest.raises(InputError, match="error"):
        spend(0, 0.5, "pocock")
