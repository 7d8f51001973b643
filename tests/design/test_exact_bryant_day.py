"""Response and toxicity together: Bryant and Day.

Origins: `published` (Bryant and Day 1995, p. 1379; its figures as in research table C2), `R` (tests/oracle/design_exact.R, all cells by
dmultinom), `independent` (every design tried; sums over cells), `by hand`.
"""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.design.exact import bryant_day
from cartrial.design.exact.bryant_day import BryantDay, design_bryant_day, estimate_corners, operate_bryant_day
from cartrial.design.exact.bryant_day_kernel import search_bryant_day
from cartrial.errors import InputError
from exact_slow import pmf, r_figures, two_stage_success, upper
from properties import examples

PAPER = BryantDay("paper", (19, 33), (5, 12), (11, 22), (0.3, 0.5), (0.6, 0.8), "p. 1379", "Bryant and Day 1995")


def test_the_paper_example_by_table() -> None:
    """origin: table C2 (enumerated 2026): success .1447, .1458, .8542, .0247; early stop .4861, .5277, .0543, .7434; expected subjects
    26.19, 25.61, 32.24, 22.59."""
    corners = {(row["response"], row["safe"]): row for row in estimate_corners(PAPER).iter_rows(named=True)}
    printed = {
        (0.3, 0.8): (".1447", ".4861", "26.19"),
        (0.5, 0.6): (".1458", ".5277", "25.61"),
        (0.5, 0.8): (".8542", ".0543", "32.24"),
        (0.3, 0.6): (".0247", ".7434", "22.59"),
    }
    for corner, digits in printed.items():
        row = corners[corner]
        assert (f"{row['success']:.4f}"[1:], f"{row['early_stop']:.4f}"[1:], f"{row['expected_n']:.2f}") == digits


@pytest.mark.slow
@pytest.mark.shows("EST-bryant-day")
def test_the_paper_example_is_found() -> None:
    """origin published: Bryant and Day 1995, p. 1379: 5/19 and 12/33 responders, 11/19 and 22/33 without toxicity, errors .15."""
    found = design_bryant_day((0.3, 0.5), (0.6, 0.8), 0.15, 0.15, 0.15)
    assert (found.optimal.n, found.optimal.response, found.optimal.safe) == (PAPER.n, PAPER.response, PAPER.safe)
    assert "expected subjects 26.2" in found.optimal.method


@pytest.mark.parametrize("case", r_figures()["bryant_day"])
@pytest.mark.shows("EST-bryant-day")
def test_r_association(case: dict[str, float]) -> None:
    """origin R 4.2.2: dmultinom over all cells, odds ratios .01 to 100."""
    found = operate_bryant_day(PAPER, case["response"], case["safe"], case["phi"])
    assert found.success == pytest.approx(case["success"], abs=1e-12)
    assert found.early_stop == pytest.approx(case["stop"], abs=1e-12)
    assert found.expected_n == pytest.approx(33 - 14 * case["stop"], abs=1e-10)


@st.composite
def joint(draw: st.DrawFn) -> BryantDay:
    """Any design with up to 12 subjects."""
    n1 = draw(st.integers(1, 6))
    n = n1 + draw(st.integers(1, 6))
    pairs = []
    for _ in range(2):
        first = draw(st.integers(0, n1 - 1))
        pairs.append((first, draw(st.integers(first, n - 1))))
    return BryantDay("any", (n1, n), pairs[0], pairs[1], (0.3, 0.5), (0.6, 0.8), "drawn", "none")


def _cells(design: BryantDay, cells: tuple[float, float, float, float]) -> tuple[float, float]:
    """Success and going on, over every table of both stages (neither, response alone, safe alone, both)."""

    def tables(n: int) -> dict[tuple[int, int], float]:
        found: dict[tuple[int, int], float] = {}
        for a in range(n + 1):
            for b in range(n - a + 1):
                for c in range(n - a - b + 1):
                    d = n - a - b - c
                    ways = comb(n, a) * comb(n - a, b) * comb(n - a - b, c)
                    mass = ways * cells[0] ** a * cells[1] ** b * cells[2] ** c * cells[3] ** d
                    found[b + d, c + d] = found.get((b + d, c + d), 0.0) + mass
        return found

    n1, n = design.n
    second = tables(n - n1)
    going = success = 0.0
    for (r, s), mass in tables(n1).items():
        if r > design.response[0] and s > design.safe[0]:
            going += mass
            success += mass * sum(q for (x, y), q in second.items() if r + x > design.response[1] and s + y > design.safe[1])
    return success, going


@examples(60)
@given(joint(), st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.001, 1000))
def test_the_definition(design: BryantDay, response: float, safe: float, phi: float) -> None:
    """origin independent: sums over every table of both stages; the cell of both by bisection on its odds ratio."""
    low, high = max(0.0, response + safe - 1), min(response, safe)
    for _ in range(200):
        both = (low + high) / 2
        odds = both * (1 - response - safe + both)
        low, high = (both, high) if odds < phi * (response - both) * (safe - both) else (low, both)
    cells = (max(1 - response - safe + both, 0.0), response - both, safe - both, both)
    success, going = _cells(design, cells)
    found = operate_bryant_day(design, response, safe, phi)
    assert found.success == pytest.approx(success, abs=1e-11)
    assert found.early_stop == pytest.approx(1 - going, abs=1e-11)
    n1, n = design.n
    assert found.expected_n == pytest.approx(n1 + (n - n1) * going, abs=1e-10)


@examples(60)
@given(joint(), st.floats(0, 1), st.floats(0, 1))
def test_independence_is_a_product(design: BryantDay, response: float, safe: float) -> None:
    """origin independent: without association success is the product of two Simon designs, which share no code with it; success is at least
    that with a lower rate."""
    n1, n = design.n
    parts = [two_stage_success(low, n1, n1 + 1, last, n, p) for (low, last), p in ((design.response, response), (design.safe, safe))]
    found = operate_bryant_day(design, response, safe)
    assert found.success == pytest.approx(parts[0] * parts[1], abs=1e-12)
    assert found.early_stop == pytest.approx(
        1 - upper(n1, design.response[0] + 1, response) * upper(n1, design.safe[0] + 1, safe), abs=1e-12
    )
    assert operate_bryant_day(design, response * 0.9, safe).success <= found.success + 1e-12


def _every_design(
    response: tuple[float, float], safe: tuple[float, float], alphas: tuple[float, float], beta: float, n_max: int
) -> list[tuple[float, int, int, int, int, int, int]]:
    """Every design that meets the errors: expected subjects, n, n1, responses, safe."""
    found = []
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            sides = []
            for null, target in (response, safe):
                side = []
                for first in range(n1):
                    on = [sum(pmf(n1, x, p) for x in range(first + 1, n1 + 1)) for p in (null, target)]
                    for last in range(first, n):
                        won = [two_stage_success(first, n1, n1 + 1, last, n, p) for p in (null, target)]
                        if won[1] >= 1 - beta:
                            side.append((first, last, *on, *won))
                sides.append(side)
            for r1, r, on_r0, on_r1, won_r0, won_r1 in sides[0]:
                for t1, t, on_t0, on_t1, won_t0, won_t1 in sides[1]:
                    if won_r1 * won_t1 >= 1 - beta and won_r0 * won_t1 <= alphas[0] and won_r1 * won_t0 <= alphas[1]:
                        expected = n1 + (n - n1) * max(on_r0 * on_t1, on_r1 * on_t0)
                        found.append((expected, n, n1, r1, r, t1, t))
    return found


@pytest.mark.parametrize(
    ("response", "safe", "alphas", "beta", "n_max"),
    [
        ((0.1, 0.5), (0.5, 0.9), (0.15, 0.15), 0.2, 15),
        ((0.2, 0.6), (0.4, 0.85), (0.1, 0.2), 0.2, 16),
        ((0.05, 0.4), (0.6, 0.95), (0.2, 0.1), 0.25, 14),
    ],
)
def test_nothing_beats_them(
    response: tuple[float, float], safe: tuple[float, float], alphas: tuple[float, float], beta: float, n_max: int
) -> None:
    """origin independent: every design up to n tried."""
    rivals = _every_design(response, safe, alphas, beta, n_max)
    found = design_bryant_day(response, safe, *alphas, beta, n_max=n_max)
    least, fewest = min(rival[0] for rival in rivals), min(rival[1] for rival in rivals)
    for design, best in ((found.optimal, least), (found.minimax, min(rival[0] for rival in rivals if rival[1] == fewest))):
        same = [rival for rival in rivals if rival[1:] == (design.n[1], design.n[0], *design.response, *design.safe)]
        assert len(same) == 1 and same[0][0] == pytest.approx(best, abs=1e-9)
    assert found.minimax.n[1] == fewest
    assert found.optimal.n[1] == min(rival[1] for rival in rivals if rival[0] <= least + 1e-9)


@pytest.mark.slow
@examples(20)
@given(st.floats(0.1, 0.4), st.floats(0.2, 0.35), st.floats(0.5, 0.7), st.floats(0.2, 0.28), st.floats(0.08, 0.2), st.floats(0.1, 0.25))
def test_errors_are_met(r0: float, gap: float, t0: float, apart: float, alpha: float, beta: float) -> None:
    """The three constraints hold for both designs, the optimal expects no more subjects, the minimax has no more."""
    response, safe = (r0, r0 + gap), (t0, t0 + apart)
    found = design_bryant_day(response, safe, alpha, alpha, beta, n_max=120)
    expected = []
    for design in (found.optimal, found.minimax):
        corners = {(row["response"], row["safe"]): row for row in estimate_corners(design).iter_rows(named=True)}
        bad_response, bad_safety = corners[response[0], safe[1]], corners[response[1], safe[0]]
        assert max(bad_response["success"], bad_safety["success"]) <= alpha + 1e-11
        assert corners[response[1], safe[1]]["success"] >= 1 - beta - 1e-11
        expected.append(max(bad_response["expected_n"], bad_safety["expected_n"]))
    assert expected[0] <= expected[1] + 1e-9 and found.minimax.n[1] <= found.optimal.n[1]


def test_the_range_of_the_first_stage() -> None:
    """The optimal design has its first stage in the range, and is the same as without where it lies in it."""
    free = design_bryant_day((0.3, 0.5), (0.6, 0.8), 0.15, 0.15, 0.15)
    assert design_bryant_day((0.3, 0.5), (0.6, 0.8), 0.15, 0.15, 0.15, n1_min=19, n1_max=25).optimal.n == free.optimal.n
    assert design_bryant_day((0.3, 0.5), (0.6, 0.8), 0.15, 0.15, 0.15, n1_max=15).optimal.n[0] <= 15


def test_compiled_is_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search gives the same designs both ways."""
    pytest.importorskip("numba")
    results = []
    for run in (search_bryant_day.function, search_bryant_day.compiled()):
        monkeypatch.setattr(bryant_day, "search_bryant_day", lambda work, *arguments, run=run: run(*arguments))
        results.append(design_bryant_day((0.1, 0.5), (0.5, 0.9), 0.15, 0.15, 0.2, n_max=20))
    assert results[0] == results[1]


def test_what_a_committee_reads() -> None:
    """origin by hand: of 19 subjects at most 11 without toxicity are 8 or more with it."""
    assert PAPER.boundaries().rows() == [(1, 19, 5, 8), (2, 33, 12, 11)]


def test_shapes() -> None:
    found = operate_bryant_day(PAPER, [0.3, 0.5], 0.8, [[1.0], [2.0]])
    assert found.success.shape == (2, 2)
    assert found.success[0, 1] == operate_bryant_day(PAPER, 0.5, 0.8).success
    assert isinstance(operate_bryant_day(PAPER, 0.5, 0.8).success, float)
    assert operate_bryant_day(PAPER, 1, 1).success == pytest.approx(1)
    assert operate_bryant_day(PAPER, [0.0, 1.0], [1.0, 0.0], 3.0).success.tolist() == [0, 0]
    assert np.isfinite(operate_bryant_day(PAPER, 0.5, 0.5, 1 + 1e-12).success)
    assert estimate_corners(PAPER, (0.5, 1, 2)).height == 12


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"response_rates": (0.5, 0.3)}, "response_rates"),
        ({"response_rates": (0.3, 0.3)}, "response_rates"),
        ({"response_rates": 0.3}, "response_rates"),
        ({"safe_rates": (0.6, 1.0)}, "safe_rates"),
        ({"safe_rates": (0.6, "high")}, "safe_rates"),
        ({"alpha_response": 0}, "alpha_response"),
        ({"alpha_toxicity": 1}, "alpha_toxicity"),
        ({"beta": 0}, "beta"),
        ({"n_max": 10}, "n_max"),
        ({"n_max": 300}, "n_max"),
        ({"n1_min": 0}, "n1_min"),
        ({"n1_min": 10, "n1_max": 5}, "n1_max"),
    ],
)
def test_bad_input(change: dict[str, object], key: str) -> None:
    """One message that names the argument and says what would be right."""
    asked = {"response_rates": (0.3, 0.5), "safe_rates": (0.6, 0.8), "alpha_response": 0.15, "alpha_toxicity": 0.15, "beta": 0.15}
    with pytest.raises(InputError) as error:
        design_bryant_day(**{**asked, **change})  # type: ignore[arg-type]
    assert error.value.key == key and error.value.right


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"n": (19, 19)}, "n"),
        ({"n": 19}, "n"),
        ({"response": (12, 5)}, "response"),
        ({"response": (19, 20)}, "response"),
        ({"safe": (11, 33)}, "safe"),
    ],
)
def test_no_design(change: dict[str, object], key: str) -> None:
    fields = {"n": (19, 33), "response": (5, 12), "safe": (11, 22), "response_rates": (0.3, 0.5), "safe_rates": (0.6, 0.8)}
    with pytest.raises(InputError) as error:
        BryantDay(name="x", method="", **{**fields, **change})  # type: ignore[arg-type]
    assert error.value.key == key


@pytest.mark.parametrize(
    "rates", [(1.1, 0.5, 1), (0.5, -0.1, 1), (0.5, 0.5, 0), (0.5, 0.5, float("inf")), ("a", 0.5, 1), ([0.1, 0.2], [0.1] * 3, 1)]
)
def test_no_rates(rates: tuple[object, object, object]) -> None:
    with pytest.raises(InputError):
        operate_bryant_day(PAPER, *rates)  # type: ignore[arg-type]
