"""Single stage: both conventions, sawtooth and power curve.

Origins: `published` (research table C3: enumerated with SciPy in 2026 before this package had designs; A'Hern's printed table was not
at hand), `R` (tests/oracle/design_exact.R), `independent` (tests/exact_slow.py), `by hand`.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.design.exact.single import design_single_stage, estimate_power, estimate_sawtooth
from cartrial.design.exact.staged import Staged, operate
from cartrial.errors import InputError
from exact_slow import r_figures, upper
from properties import examples

# p0, p1, alpha, beta; first n (r), attained alpha and power; stable n (r)
C3 = [
    (0.05, 0.20, 0.05, 0.20, 27, 4, ".0437", ".8177", 33, 5),
    (0.10, 0.30, 0.05, 0.20, 25, 6, ".0334", ".8065", 29, 7),
    (0.20, 0.40, 0.05, 0.20, 35, 12, ".0344", ".8048", 38, 13),
    (0.30, 0.50, 0.05, 0.20, 39, 17, ".0500", ".8316", 43, 19),
    (0.40, 0.65, 0.025, 0.10, 44, 25, ".0178", ".9011", 46, 26),
    (0.20, 0.40, 0.05, 0.10, 47, 15, ".0366", ".9012", 50, 16),
    (0.50, 0.70, 0.05, 0.20, 37, 24, ".0494", ".8071", 42, 27),
    (0.60, 0.80, 0.05, 0.10, 45, 33, ".0446", ".9005", 51, 37),
    (0.70, 0.90, 0.05, 0.20, 28, 24, ".0474", ".8579", 33, 28),
]


@pytest.mark.parametrize("case", C3)
@pytest.mark.shows("EST-single-stage")
def test_both_conventions(case: tuple[float, ...]) -> None:
    """origin: table C3, an enumeration with SciPy; to the printed digits."""
    p0, p1, alpha, beta, n, r, attained, power, stable_n, stable_r = case
    first = design_single_stage(p0, p1, alpha, beta)
    assert (first.n, first.efficacy, first.futility) == ((n,), (r,), (r - 1,))
    assert [f"{value:.4f}"[1:] for value in operate(first, [p0, p1]).success] == [attained, power]
    stable = design_single_stage(p0, p1, alpha, beta, rule="stable")
    assert (stable.n, stable.efficacy) == ((stable_n,), (stable_r,))


@pytest.mark.parametrize("case", r_figures()["single"])
@pytest.mark.shows("EST-single-stage")
def test_r(case: dict[str, float]) -> None:
    """origin R 4.2.2: qbinom, pbinom; rpact 3.3.4 `getSampleSizeRates(groups = 1, normalApproximation = FALSE)` gives the first n or
    the stable one, from row to row."""
    row = estimate_sawtooth(case["p0"], case["p1"], case["alpha"]).row(case["rpact_n"] - 1, named=True)
    assert (row["n"], row["r"]) == (case["rpact_n"], case["r"])
    assert (row["alpha"], row["power"]) == pytest.approx((case["attained"], case["power"]), rel=1e-12)
    errors = (case["p0"], case["p1"], case["alpha"], case["beta"])
    both = {design_single_stage(*errors, rule=rule).n[0] for rule in ("first", "stable")}  # type: ignore[arg-type]
    assert case["rpact_n"] in both


def test_the_sawtooth_falls() -> None:
    """origin: table C3, n = 37 with r = 13 has power .7783 though n = 35 has .8048."""
    table = estimate_sawtooth(0.2, 0.4, 0.05, n_max=40, n_min=35)
    assert table["n"].to_list() == [35, 36, 37, 38, 39, 40]
    assert f"{table['power'][2]:.4f}" == "0.7783"
    assert table["r"][2] == 13


def test_no_critical_value() -> None:
    """origin by hand: of 1 or 2 subjects even all (0.3, 0.09) are too many for alpha 0.05; of 3, all (0.027) are not."""
    table = estimate_sawtooth(0.3, 0.5, 0.05, n_max=3)
    assert table["r"].to_list() == [None, None, 3]
    assert table["alpha"].to_list() == pytest.approx([0, 0, 0.027])
    assert table["power"].to_list() == pytest.approx([0, 0, 0.125])


def test_an_error_that_is_met_exactly() -> None:
    """origin by hand: 8 or more of 10 at p = 1/2 have 56/1024, which as alpha must be allowed."""
    assert estimate_sawtooth(0.5, 0.8, 56 / 1024, n_max=10)["r"][9] == 8


def test_the_sawtooth_by_definition() -> None:
    """origin independent: fractions."""
    p0, p1, alpha = Fraction(3, 10), Fraction(1, 2), Fraction(1, 20)
    table = estimate_sawtooth(0.3, 0.5, 0.05, n_max=40)
    for row in table.filter(table["r"].is_not_null()).iter_rows(named=True):
        assert upper(row["n"], row["r"], p0) <= alpha < upper(row["n"], row["r"] - 1, p0)
        assert row["alpha"] == pytest.approx(float(upper(row["n"], row["r"], p0)), rel=1e-12)
        assert row["power"] == pytest.approx(float(upper(row["n"], row["r"], p1)), rel=1e-12)


@examples(15)
@given(st.floats(0.03, 0.6), st.floats(0.2, 0.35), st.floats(0.005, 0.2), st.floats(0.05, 0.3))
def test_what_each_rule_promises(p0: float, gap: float, alpha: float, beta: float) -> None:
    """Both meet the errors; no smaller n does (first); every larger n does, and the one before does not (stable)."""
    p1 = p0 + gap
    first = design_single_stage(p0, p1, alpha, beta)
    stable = design_single_stage(p0, p1, alpha, beta, rule="stable")
    for design in (first, stable):
        null, power = operate(design, [p0, p1]).success
        assert null <= alpha + 1e-12 and power >= 1 - beta - 1e-12
    power = estimate_sawtooth(p0, p1, alpha)["power"].to_numpy()
    assert (power[: first.n[0] - 1] < 1 - beta).all()
    assert (power[stable.n[0] - 1 :] >= 1 - beta - 1e-12).all()
    assert stable.n[0] == 1 or power[stable.n[0] - 2] < 1 - beta
    assert first.n[0] <= stable.n[0]


def test_what_is_printed() -> None:
    """The convention stands in the sentence and the name."""
    first, stable = (design_single_stage(0.3, 0.5, 0.025, 0.1, rule=rule) for rule in ("first", "stable"))  # type: ignore[arg-type]
    assert "the smallest n that meets both errors" in first.method and first.name == "Single stage, first n"
    assert "from which every n up to 800 meets both errors" in stable.method and stable.name == "Single stage, stable n"


def test_the_stable_n_is_no_artefact_of_the_cap() -> None:
    """origin: table C3. With n up to 36, n = 35 and 36 have the power; 37 has not, so 35 is not stable."""
    for n_max in (36, 37):
        with pytest.raises(InputError, match="stable n"):
            design_single_stage(0.2, 0.4, 0.05, 0.2, rule="stable", n_max=n_max)
    assert design_single_stage(0.2, 0.4, 0.05, 0.2, rule="stable", n_max=38).n == (38,)


@pytest.mark.shows("EST-single-stage")
def test_power_curve() -> None:
    """origin independent: sums over responders."""
    one, two = design_single_stage(0.3, 0.5, 0.05, 0.2), Staged("two", (9, 17), (0, 2), (None, 3), 0.05, 0.25, "", "")
    curve = estimate_power(one, two, p=[0.1, 0.5])
    assert curve["design"].to_list() == [one.name, one.name, "two", "two"]
    assert curve["success"][:2].to_list() == pytest.approx([upper(39, 17, 0.1), upper(39, 17, 0.5)], rel=1e-12)
    assert curve["early_stop"][2] == pytest.approx(0.9**9)
    whole = estimate_power(one)
    assert whole["p"].to_numpy() == pytest.approx(np.arange(101) / 100)
    assert whole["success"][0] == 0 and whole["success"][100] == 1


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"p1": 0.3}, "p1"),
        ({"p1": 0.2}, "p1"),
        ({"p0": 0}, "p0"),
        ({"p1": 1}, "p1"),
        ({"p0": "low"}, "p0"),
        ({"p0": None}, "p0"),
        ({"p0": True}, "p0"),
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1}, "alpha"),
        ({"alpha": float("nan")}, "alpha"),
        ({"beta": 0}, "beta"),
        ({"beta": 1.5}, "beta"),
        ({"n_max": 30}, "n_max"),
        ({"n_max": 0}, "n_max"),
        ({"n_max": 10_000}, "n_max"),
        ({"n_max": 40.5}, "n_max"),
        ({"rule": "best"}, "rule"),
        ({"rule": None}, "rule"),
    ],
)
def test_bad_input(change: dict[str, object], key: str) -> None:
    """One message that names the argument and says what would be right."""
    with pytest.raises(InputError) as error:
        design_single_stage(**{"p0": 0.3, "p1": 0.5, "alpha": 0.05, "beta": 0.2, **change})  # type: ignore[arg-type]
    assert error.value.key == key and error.value.right


def test_bad_numbers_of_the_sawtooth() -> None:
    with pytest.raises(InputError, match="n_min"):
        estimate_sawtooth(0.3, 0.5, 0.05, n_min=50, n_max=40)
    with pytest.raises(InputError, match="designs: there is no design"):
        estimate_power()
