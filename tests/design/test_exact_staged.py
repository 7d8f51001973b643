"""Staged designs: exact operating characteristics, boundaries, and what cannot be a design.

Origins: `independent` (tests/exact_slow.py, from the definition), `R` (tests/oracle/design_exact.R), `by hand`.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.design.exact.staged import Staged, boundaries, operate, stopping_probabilities
from cartrial.design.exact.staged_kernel import Boundaries, StagedAnswers, run_looks
from cartrial.errors import InputError
from exact_slow import characteristics, ends, r_figures
from properties import examples

SIMON = Staged("Simon", (13, 43), (3, 12), (None, 13), 0.2, 0.4, "a test", "none")


@st.composite
def staged(draw: st.DrawFn) -> Staged:
    """Any design with up to five looks."""
    steps = draw(st.lists(st.integers(1, 12), min_size=1, max_size=5))
    n = tuple(int(size) for size in np.cumsum(steps))
    futility: list[int | None] = []
    efficacy: list[int | None] = []
    for size in n[:-1]:
        low = draw(st.none() | st.integers(0, size))
        high = draw(st.none() | st.integers(1, size))
        if low is not None and high is not None and low >= high:
            low = None
        futility.append(low)
        efficacy.append(high)
    last = draw(st.integers(0, n[-1] - 1))
    return Staged("any", n, (*futility, last), (*efficacy, last + 1), 0.3, 0.5, "drawn", "none")


@examples(150)
@given(staged(), st.floats(0, 1))
@pytest.mark.shows("EST-staged")
def test_the_definition(design: Staged, p: float) -> None:
    """origin independent: every outcome enumerated; to 1e-12."""
    found = operate(design, p)
    assert [found.success, found.expected_n, found.early_stop] == pytest.approx(list(characteristics(design, p)), abs=1e-12, rel=1e-12)
    probabilities = stopping_probabilities(design, p)
    expected = ends(design.n, design.futility, design.efficacy, p)
    for (look, x), probability in expected.items():
        assert probabilities[look, x] == pytest.approx(probability, abs=1e-13)
    assert probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert probabilities.sum(axis=1) == pytest.approx(found.stop_futility + found.stop_efficacy, abs=1e-13)


@examples(100)
@given(staged(), st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_what_always_holds(design: Staged, rates: list[float]) -> None:
    """Probabilities sum to 1, expected subjects lie between the looks, and a vector of rates is its rates."""
    found = operate(design, rates)
    assert (found.stop_futility + found.stop_efficacy).sum(axis=1) == pytest.approx(np.ones(len(rates)), abs=1e-12)
    assert (found.expected_n >= design.n[0] - 1e-9).all() and (found.expected_n <= design.n[-1] + 1e-9).all()
    assert [operate(design, p).success for p in rates] == pytest.approx(found.success.tolist(), abs=1e-15)
    assert found.early_stop == pytest.approx(1 - (found.stop_futility + found.stop_efficacy)[:, -1], abs=1e-12)


@pytest.mark.slow
@examples(50)
@given(staged())
def test_success_rises_with_the_rate(design: Staged) -> None:
    """More responders never hurt where boundaries rise from look to look as here: monotone in p."""
    rising = Staged(
        "rising",
        design.n,
        (*(int(0.3 * x) for x in design.n[:-1]), design.futility[-1]),
        (*(None for _ in design.n[:-1]), design.efficacy[-1]),
        0.3,
        0.5,
        "drawn",
        "none",
    )
    assert (np.diff(operate(rising, np.linspace(0, 1, 101)).success) >= -1e-13).all()


def test_fractions() -> None:
    """origin independent: exact rational numbers, also far in the tail, where sums of floats would cancel."""
    for p in (Fraction(1, 5), Fraction(1, 50), Fraction(99, 100)):
        exact = characteristics(SIMON, p)
        found = operate(SIMON, float(p))
        for value, right in zip((found.success, found.expected_n, found.early_stop), exact, strict=True):
            assert value == pytest.approx(float(right), rel=5e-13)


def test_many_subjects() -> None:
    """origin independent: 5,000 subjects, in fractions of powers of two: p = 1/4."""
    design = Staged("large", (2000, 5000), (480, 1270), (None, 1271), 0.25, 0.3, "a test", "none")
    p = Fraction(1, 4)
    stop = sum((_scaled(2000, x) for x in range(481)), 0)
    assert operate(design, 0.25).early_stop == pytest.approx(float(Fraction(stop, 4**2000)), rel=1e-12)
    assert operate(design, float(p)).success + operate(design, 0.25).stop_futility.sum() == pytest.approx(1, abs=1e-12)


def _scaled(n: int, x: int) -> int:
    from math import comb

    return comb(n, x) * 3 ** (n - x)


@pytest.mark.parametrize("case", r_figures()["two_stage"])
@pytest.mark.shows("EST-staged")
def test_r_two_stages(case: dict[str, float]) -> None:
    """origin R 4.2.2: `sum(dbinom(x, n1, p) * pbinom(r - x, n - n1, p, lower.tail = FALSE))`, `pbinom(r1, n1, p)`."""
    design = Staged("two", (case["n1"], case["n"]), (case["r1"], case["r"]), (None, case["r"] + 1), 0.01, 0.9, "R", "none")
    found = operate(design, case["p"])
    assert (found.success, found.expected_n, found.early_stop) == pytest.approx(
        (case["success"], case["expected"], case["stop"]), rel=1e-12
    )


@pytest.mark.parametrize("case", r_figures()["looks"])
@pytest.mark.shows("EST-staged")
def test_r_several_looks(case: dict[str, list[int | None]]) -> None:
    """origin R 4.2.2: `several` of design_exact.R, dbinom look by look; thirty looks among them."""
    design = Staged("looks", case["n"], case["low"], case["high"], 0.01, 0.9, "R", "none")
    found = operate(design, case["p"])
    assert found.stop_futility == pytest.approx(case["futility"], abs=1e-13)
    assert found.stop_efficacy == pytest.approx(case["efficacy"], abs=1e-13)
    assert (found.expected_n, found.success) == pytest.approx((case["expected"], case["success"]), rel=1e-12)


def test_compiled_is_interpreted() -> None:
    """The kernel gives the same numbers both ways, to the last bit but one."""
    pytest.importorskip("numba")
    boundaries = Boundaries(*(np.array(v, np.int64) for v in ((13, 43), (3, 12), (44, 13))))
    results = []
    for run in (run_looks.function, run_looks.compiled()):
        out = [np.zeros((3, 2)), np.zeros((3, 2)), np.zeros((3, 2, 44))]
        run(boundaries, np.array([0.0, 0.2, 1.0]), StagedAnswers(*out))
        results.append(np.concatenate([part.ravel() for part in out]))
    assert results[0] == pytest.approx(results[1], abs=1e-15)


def test_certain_rates() -> None:
    """origin by hand: with p = 0 nobody responds and the trial ends at 13; with p = 1 it succeeds at 43."""
    found = operate(SIMON, [0.0, 1.0])
    assert found.success.tolist() == [0, 1]
    assert found.expected_n.tolist() == [13, 43]


def test_shapes() -> None:
    """A number in, numbers out; a matrix in, matrices out."""
    assert isinstance(operate(SIMON, 0.2).success, float)
    found = operate(SIMON, np.full((2, 3), 0.2))
    assert found.success.shape == (2, 3) and found.stop_futility.shape == (2, 3, 2)
    assert stopping_probabilities(SIMON, np.full((2, 3), 0.2)).shape == (2, 3, 2, 44)
    assert operate(SIMON, []).success.shape == (0,)


def test_boundaries() -> None:
    """origin by hand."""
    expected = pl.DataFrame({"look": [1, 2], "n": [13, 43], "stop_if_at_most": [3, 12], "success_if_at_least": [None, 13]})
    assert boundaries(SIMON).equals(expected.cast(pl.Int32))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"n": (43, 13)}, "n"),
        ({"n": (13, 13)}, "n"),
        ({"n": ()}, "n"),
        ({"n": (0, 43)}, "n"),
        ({"n": (13, None)}, "n"),
        ({"n": (13, 20_000)}, "n"),
        ({"n": 43}, "n"),
        ({"n": (13.5, 43)}, "n"),
        ({"n": ("thirteen", 43)}, "n"),
        ({"n": (True, 43)}, "n"),
        ({"futility": (3,)}, "futility"),
        ({"futility": (14, 12)}, "futility"),
        ({"futility": (-1, 12)}, "futility"),
        ({"futility": (3, 12), "efficacy": (3, 13)}, "futility"),
        ({"efficacy": (0, 13)}, "efficacy"),
        ({"efficacy": (14, 13)}, "efficacy"),
        ({"efficacy": (None, 14)}, "efficacy"),
        ({"efficacy": (None, None)}, "efficacy"),
        ({"futility": (3, None)}, "efficacy"),
        ({"p0": 0}, "p0"),
        ({"p0": float("nan")}, "p0"),
        ({"p1": 1}, "p1"),
        ({"p1": 0.2}, "p1"),
    ],
)
def test_no_design(change: dict[str, object], key: str) -> None:
    """One message that names what is wrong."""
    fields = {"name": "x", "n": (13, 43), "futility": (3, 12), "efficacy": (None, 13), "p0": 0.2, "p1": 0.4, "method": "", "source": ""}
    with pytest.raises(InputError) as error:
        Staged(**{**fields, **change})  # type: ignore[arg-type]
    assert error.value.key == key and error.value.right


@pytest.mark.parametrize("p", [1.1, -0.1, [0.2, float("nan")], "high", None])
def test_no_rate(p: object) -> None:
    with pytest.raises(InputError, match="p: "):
        operate(SIMON, p)  # type: ignore[arg-type]
