"""Simon's two-stage designs: the tables, every design re-enumerated, and every rival tried.

Origins: `published` (clinfun's manual; mtdesign's README), table C1 (all designs enumerated with SciPy in 2026, the tuples as in Simon
1989, Tables 1 and 2), `independent` (tests/exact_slow.py), `by hand`.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cartrial.design.exact import simon
from cartrial.design.exact.looks import design_fleming, design_spending
from cartrial.design.exact.simon import SimonDesigns, design_simon
from cartrial.design.exact.simon_kernel import search_simon
from cartrial.design.exact.single import design_single_stage
from cartrial.design.exact.staged import Staged, operate
from cartrial.errors import InputError
from exact_slow import all_two_stage, characteristics, two_stage_success
from properties import count, examples

# p0 p1 alpha beta, optimal r1/n1 r/n EN PET, minimax r1/n1 r/n EN PET
C1 = """
.05 .25 .10 .10 0/9 2/24 14.5 .63 0/13 2/20 16.4 .51
.05 .25 .05 .20 0/9 2/17 12.0 .63 0/12 2/16 13.8 .54
.05 .25 .05 .10 0/9 3/30 16.8 .63 0/15 3/25 20.4 .46
.10 .30 .10 .10 1/12 5/35 19.8 .66 1/16 4/25 20.4 .51
.10 .30 .05 .20 1/10 5/29 15.0 .74 1/15 5/25 19.5 .55
.10 .30 .05 .10 2/18 6/35 22.5 .73 2/22 6/33 26.2 .62
.20 .40 .10 .10 3/17 10/37 26.0 .55 3/19 10/36 28.3 .46
.20 .40 .05 .20 3/13 12/43 20.6 .75 4/18 10/33 22.3 .72
.20 .40 .05 .10 4/19 15/54 30.4 .67 5/24 13/45 31.2 .66
.30 .50 .10 .10 7/22 17/46 29.9 .67 7/28 15/39 35.0 .36
.30 .50 .05 .20 5/15 18/46 23.6 .72 6/19 16/39 25.7 .67
.30 .50 .05 .10 8/24 24/63 34.7 .73 7/24 21/53 36.6 .56
.40 .60 .10 .10 7/18 22/46 30.2 .56 11/28 20/41 33.8 .55
.40 .60 .05 .20 7/16 23/46 24.5 .72 17/34 20/39 34.4 .91
.40 .60 .05 .10 11/25 32/66 36.0 .73 12/29 27/54 38.1 .64
.50 .70 .10 .10 11/21 26/45 29.0 .67 11/23 23/39 31.0 .50
.50 .70 .05 .20 8/15 26/43 23.5 .70 12/23 23/37 27.7 .66
.50 .70 .05 .10 13/24 36/61 34.0 .73 14/27 32/53 36.1 .65
.60 .80 .10 .10 6/11 26/38 25.4 .47 18/27 24/35 28.5 .82
.60 .80 .05 .20 7/11 30/43 20.5 .70 8/13 25/35 20.8 .65
.60 .80 .05 .10 12/19 37/53 29.5 .69 15/26 32/45 35.9 .48
.70 .90 .10 .10 6/9 22/28 17.8 .54 11/16 20/25 20.0 .55
.70 .90 .05 .20 4/6 22/27 14.8 .58 19/23 21/26 23.2 .95
"""


def shown(design: Staged) -> list[str]:
    """r1/n1, r/n, expected subjects and early stop under the null, as printed in the tables."""
    found = operate(design, design.p0)
    (r1, r), (n1, n) = design.futility, design.n
    return [f"{r1}/{n1}", f"{r}/{n}", f"{found.expected_n:.1f}", f"{found.early_stop:.2f}"[1:]]


@pytest.mark.parametrize("line", C1.strip().splitlines())
@pytest.mark.shows("EST-simon")
def test_the_tables(line: str) -> None:
    """origin: table C1; tuples exact, EN and PET to the printed digits."""
    *errors, a, b, c, d, e, f, g, h = line.split()
    found = design_simon(*(float(value) for value in errors))
    assert shown(found.optimal) == [a, b, c, d]
    assert shown(found.minimax) == [e, f, g, h]


# r1 n1 r n EN(p0) PET(p0) qLo qHi
CLINFUN = {
    (0.2, 0.4, 0.1, 0.1, 100): ["3 19 10 36 28.26 0.4551 0.691 1.000", "3 17 10 37 26.02 0.5489 0.000 0.691"],
    (0.2, 0.35, 0.05, 0.05, 100): ["15 68 25 95 75.44 0.7244 0.582 1.000", "11 53 26 99 69.88 0.6330 0.000 0.582"],
    (0.2, 0.35, 0.05, 0.05, 150): [
        "15 68 25 95 75.44 0.7244 0.582 1.000",
        "11 53 26 99 69.88 0.6330 0.306 0.582",
        "11 51 27 104 67.68 0.6852 0.109 0.306",
        "11 50 28 109 67.07 0.7107 0.000 0.109",
    ],
    (0.5, 0.7, 0.05, 0.1, 100): [
        "14 27 32 53 36.11 0.6494 0.285 1.000",
        "12 23 34 57 34.52 0.6612 0.112 0.285",
        "13 24 36 61 34.01 0.7294 0.000 0.112",
    ],
}


@pytest.mark.parametrize("case", CLINFUN)
@pytest.mark.shows("EST-simon")
def test_admissible_designs_and_their_weights(case: tuple[float, ...]) -> None:
    """origin published: R clinfun 1.1.6, the printed examples of `ph2simon` and `twostage.admissible` in its manual."""
    *errors, n_max = case
    table = design_simon(*errors, n_max=n_max).table()
    columns = ("r1", "n1", "r", "n", "expected_n_p0", "stop_p0", "weight_from", "weight_to")
    forms = ("d", "d", "d", "d", ".2f", ".4f", ".3f", ".3f")
    found = [" ".join(format(row[name], form) for name, form in zip(columns, forms, strict=True)) for row in table.iter_rows(named=True)]
    assert found == CLINFUN[case]


def test_efficacy_stop() -> None:
    """origin published: README of R mtdesign (Mander and Thompson 2010), p0 .05, p1 .25, alpha .05, beta .2: 0/9 2/17 and 0/12 2/16,
    success with more than 2 at the first stage (type I .047, .043; type II .19, .20; PET .64, .56; EN 11.9, 13.8)."""
    for under in ("p0", "p1"):
        found = design_simon(0.05, 0.25, 0.05, 0.2, efficacy=True, under=under)  # type: ignore[arg-type]
        for design, shape, printed in (
            (found.optimal, ((9, 17), (0, 2), (3, 3)), (".047", ".19", ".64", "11.9")),
            (found.minimax, ((12, 16), (0, 2), (3, 3)), (".043", ".20", ".56", "13.8")),
        ):
            assert (design.n, design.futility, design.efficacy) == shape
            null, target = operate(design, 0.05), operate(design, 0.25)
            digits = (f"{null.success:.3f}"[1:], f"{1 - target.success:.2f}"[1:], f"{null.early_stop:.2f}"[1:], f"{null.expected_n:.1f}")
            assert digits == printed


def _random_errors(count: int) -> list[tuple[float, float, float, float]]:
    """Random null, target and errors, the same each time."""
    random = np.random.default_rng(1989)
    p0 = random.uniform(0.03, 0.65, count)
    columns = (p0, p0 + random.uniform(0.2, 0.32, count), random.uniform(0.01, 0.2, count), random.uniform(0.05, 0.3, count))
    return [tuple(float(value) for value in row) for row in zip(*columns, strict=True)]  # type: ignore[misc]


@pytest.mark.slow
@pytest.mark.shows("EST-simon")
def test_every_design_enumerated_again() -> None:
    """origin independent: random (p0, p1, alpha, beta), every kind of design; type I error, power, expected subjects and early stop by
    path enumeration, to 1e-12, and both errors met."""
    for k, errors in enumerate(_random_errors(count(200, quick=30))):
        p0, p1, alpha, beta = errors
        found = design_simon(*errors, n_max=150)
        designs = [design_single_stage(*errors), design_single_stage(*errors, rule="stable"), *found.admissible]
        designs.append(design_spending(*errors, looks=2 + k % 3, binding=k % 2 == 0))
        if k % 4 == 0:
            designs += design_simon(*errors, n_max=150, efficacy=True).admissible
            designs.append(design_fleming(*errors, stages=2 + k % 3))
        for design in designs:
            exact = [characteristics(design, p) for p in (p0, p1)]
            got = operate(design, [p0, p1])
            for j in range(2):
                assert got.success[j] == pytest.approx(exact[j][0], abs=1e-12)
                assert got.expected_n[j] == pytest.approx(exact[j][1], abs=1e-12 * design.n[-1])
                assert got.early_stop[j] == pytest.approx(exact[j][2], abs=1e-12)
            assert exact[0][0] <= alpha + 2e-12, design
            assert exact[1][0] >= 1 - beta - 2e-12, design


SMALL = [
    (0.05, 0.25, 0.1, 0.2, 22),
    (0.1, 0.4, 0.05, 0.2, 22),
    (0.2, 0.5, 0.1, 0.1, 24),
    (0.3, 0.6, 0.1, 0.2, 24),
    (0.5, 0.8, 0.1, 0.15, 24),
    (0.7, 0.95, 0.08, 0.12, 24),
    (0.02, 0.3, 0.03, 0.1, 22),
    (0.4, 0.75, 0.2, 0.3, 20),
]


def _check_against_all(found: SimonDesigns, rivals: list[tuple[float, int, int, int, int, int]]) -> None:
    """Optimal, minimax and admissible designs against every design that meets the errors."""
    for design in found.admissible:
        (n1, n), (r1, r), e1 = design.n, design.futility, design.efficacy[0]
        assert any(rival[1:] == (n, n1, r1, n1 + 1 if e1 is None else e1, r) for rival in rivals)
    least, fewest = min(rival[0] for rival in rivals), min(rival[1] for rival in rivals)
    expected = {
        d.n: next(v[0] for v in rivals if v[1:4] == (d.n[1], d.n[0], d.futility[0]) and v[4] == (d.efficacy[0] or d.n[0] + 1))
        for d in found.admissible
    }
    assert expected[found.optimal.n] == pytest.approx(least, abs=1e-9)
    assert found.optimal.n[1] == min(rival[1] for rival in rivals if rival[0] <= least + 1e-9)
    assert found.minimax.n[1] == fewest
    assert expected[found.minimax.n] == pytest.approx(min(rival[0] for rival in rivals if rival[1] == fewest), abs=1e-9)
    for design, (low, high) in zip(found.admissible, found.weights, strict=True):
        for w in (low, (low + high) / 2, high):
            risk = min(w * n + (1 - w) * e for e, n, *_ in rivals)
            assert w * design.n[1] + (1 - w) * expected[design.n] == pytest.approx(risk, abs=1e-8)
    assert found.weights[0][1] == 1 and found.weights[-1][0] == 0
    assert all(a[0] == b[1] for a, b in zip(found.weights, found.weights[1:], strict=False))


@pytest.mark.parametrize("case", SMALL)
def test_nothing_beats_them(case: tuple[float, ...]) -> None:
    """origin independent: every design up to n tried, r the highest with the power."""
    *errors, n_max = case
    rivals = list(all_two_stage(*errors, n_max))
    found = design_simon(*errors, n_max=n_max)
    _check_against_all(found, rivals)
    for design in found.admissible:
        same = [v[5] for v in rivals if v[1:4] == (design.n[1], design.n[0], design.futility[0])]
        assert design.futility[1] == max(same)


@pytest.mark.parametrize("case", SMALL[1:4])
@pytest.mark.parametrize("under", ["p0", "p1"])
def test_nothing_beats_them_with_efficacy_stop(case: tuple[float, ...], under: str) -> None:
    """origin independent: every design with futility and efficacy boundary tried, n up to 18."""
    *errors, _ = case
    errors[2] *= 1.5
    rivals = list(all_two_stage(*errors, 18, efficacy=True, under=under))
    _check_against_all(design_simon(*errors, n_max=18, efficacy=True, under=under), rivals)  # type: ignore[arg-type]


def test_the_range_of_the_first_stage() -> None:
    """origin independent: every design with 9 to 12 subjects in the first stage tried."""
    errors = (0.2, 0.5, 0.1, 0.1)
    rivals = [rival for rival in all_two_stage(*errors, 24) if 9 <= rival[2] <= 12]
    _check_against_all(design_simon(*errors, n_max=24, n1_min=9, n1_max=12), rivals)


@examples(40)
@given(st.floats(0.03, 0.65), st.floats(0.18, 0.33), st.floats(0.01, 0.2), st.floats(0.05, 0.3), st.booleans())
def test_what_always_holds(p0: float, gap: float, alpha: float, beta: float, efficacy: bool) -> None:
    """Errors met; minimax and optimal are admissible; along the admissible designs n rises and the expected number falls; an efficacy stop
    never costs expected subjects; success is monotone in the rate."""
    p1 = p0 + gap
    found = design_simon(p0, p1, alpha, beta, n_max=160, efficacy=efficacy)
    assert found.minimax == found.admissible[0] and found.optimal == found.admissible[-1]
    sizes = [design.n[1] for design in found.admissible]
    expected = [float(operate(design, p0).expected_n) for design in found.admissible]
    assert sizes == sorted(set(sizes)) and expected == sorted(expected, reverse=True)
    for design in found.admissible:
        curve = operate(design, np.linspace(0, 1, 51)).success
        assert (np.diff(curve) > -1e-13).all()
        null, power = operate(design, [p0, p1]).success
        assert null <= alpha + 1e-12 and power >= 1 - beta - 1e-12
    single = design_single_stage(p0, p1, alpha, beta)
    # a single stage that needs two responders is also a two-stage design: stop one subject earlier when success is out of reach
    assert sizes[0] <= single.n[0] or single.efficacy == (1,)
    if efficacy:
        assert expected[-1] <= float(operate(design_simon(p0, p1, alpha, beta, n_max=160).optimal, p0).expected_n) + 1e-9


def test_compiled_is_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search gives the same designs both ways."""
    pytest.importorskip("numba")
    for keywords in ({"n_max": 60}, {"n_max": 30, "efficacy": True}):
        errors = (0.2, 0.45, 0.05, 0.1)
        results = []
        for run in (search_simon.function, search_simon.compiled()):
            monkeypatch.setattr(simon, "search_simon", lambda work, *arguments, run=run: run(*arguments))
            try:
                results.append(design_simon(*errors, **keywords))  # type: ignore[arg-type]
            except InputError as error:
                results.append(str(error))  # type: ignore[arg-type]
        assert results[0] == results[1]


def test_the_table_beside_the_designs() -> None:
    """origin independent: its probabilities by enumeration."""
    table = design_simon(0.2, 0.4, 0.05, 0.2).table()
    assert (table["design"][0], table["design"][-1]) == ("Simon minimax", "Simon optimal")
    row = table.row(-1, named=True)
    assert (row["alpha"], row["power"]) == pytest.approx([two_stage_success(3, 13, 14, 12, 43, p) for p in (0.2, 0.4)], abs=1e-12)
    assert row["e1"] is None


def test_a_cap_that_binds_is_said() -> None:
    """origin published: clinfun's manual; with n up to 100 the best has 99 subjects, with n up to 150 it has 109."""
    assert "n = 109, more than allowed, would expect 67.1 in place of 69.9" in design_simon(0.2, 0.35, 0.05, 0.05).optimal.method
    assert "more than allowed" not in design_simon(0.2, 0.35, 0.05, 0.05, n_max=150).optimal.method
    with pytest.raises(InputError, match=r"The smallest design that does has n = 95"):
        design_simon(0.2, 0.35, 0.05, 0.05, n_max=90)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"p1": 0.2}, "p1"),
        ({"p1": 0.1}, "p1"),
        ({"p0": 0.0}, "p0"),
        ({"p1": 1.0}, "p1"),
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1}, "alpha"),
        ({"beta": -0.1}, "beta"),
        ({"beta": "small"}, "beta"),
        ({"n_max": 20}, "n_max"),
        ({"n_max": 1}, "n_max"),
        ({"n_max": 501}, "n_max"),
        ({"n1_min": 100}, "n1_min"),
        ({"n1_min": 0}, "n1_min"),
        ({"n1_max": 3, "n1_min": 5}, "n1_max"),
        ({"n1_max": 3}, "n_max"),
        ({"under": "p2"}, "under"),
    ],
)
def test_bad_input(change: dict[str, object], key: str) -> None:
    """One message that names the argument and says what would be right."""
    with pytest.raises(InputError) as error:
        design_simon(**{"p0": 0.2, "p1": 0.4, "alpha": 0.05, "beta": 0.1, **change})  # type: ignore[arg-type]
    assert error.value.key == key and error.value.right


@examples(30)
@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999), st.floats(1e-6, 0.9), st.floats(1e-6, 0.9), st.integers(2, 40))
def test_ugly_errors(a: float, b: float, alpha: float, beta: float, n_max: int) -> None:
    """Whatever is asked: a design that meets it, or one message."""
    assume(a != b)
    try:
        found = design_simon(min(a, b), max(a, b), alpha, beta, n_max=n_max)
    except InputError as error:
        assert "no two-stage design" in str(error)
        return
    for design in found.admissible:
        null, power = operate(design, [design.p0, design.p1]).success
        assert null <= alpha + 1e-12 and power >= 1 - beta - 1e-12 and design.n[1] <= n_max
