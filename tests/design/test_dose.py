"""Conduct of dose-finding trials: published sequences, selection of the dose, and input that cannot be used."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.design.dose.conduct import estimate_mtd, recommend_dose
from cartrial.design.dose.designs import (
    VARIANTS,
    DoseDesign,
    Doses,
    design_boin,
    design_from_table,
    design_mtpi2,
    design_three_plus_three,
)
from cartrial.design.dose.tables import DecisionTable, derive_three_plus_three_table
from cartrial.errors import InputError
from properties import examples


def _follow(design: DoseDesign, outcomes: str) -> list[tuple[int | None, int | None]]:
    """Next dose and selected dose after each cohort."""
    cohorts = outcomes.split()
    found = [recommend_dose(design, " ".join(cohorts[: k + 1]), 5) for k in range(len(cohorts))]
    return [(one.level, one.mtd) for one in found]


@pytest.mark.shows("EST-dose-boin")
def test_boin_published_trial() -> None:
    # published: worked trial of a target of 0.3, Yan et al. 2020 (doi:10.18637/jss.v094.i13); next doses as in tests/testthat/test_boin.R
    # of R escalation. After the tenth cohort the 30 subjects are used and dose 3 is selected.
    found = _follow(design_boin(0.3), "1NNN 2NNN 3NTT 2NTN 3NNN 3NNN 4TTT 3NTN 3NNT 3TNN")
    assert found == [*((level, None) for level in (2, 3, 2, 3, 3, 4, 3, 3, 3)), (None, 3)]


def test_boin_published_stopping() -> None:
    # published: tests/testthat/test_boin.R of R escalation, from the boundaries of R BOIN
    design = design_boin(0.3)
    assert _follow(design, "1N 2TN") == [(2, None), (1, None)]
    assert recommend_dose(design, "1N 2TN 1TT", 5).level == 1
    stopped = recommend_dose(design, "1N 2TN 1TTT", 5)
    assert (stopped.letter, stopped.level, stopped.mtd) == ("DU", None, None)
    assert stopped.words == "The trial ends and no dose is selected."


@pytest.mark.parametrize(
    ("outcomes", "level", "mtd"),
    [
        # published: tests/testthat/test_mtpi2.R of R escalation, after figure 3 of Guo et al. 2017
        ("1NNN", 2, None),
        ("1NTT", 1, None),
        ("1TTT", None, None),
        ("1NNN 1TTT", 1, None),
        ("1NNT 1TTT", None, None),
        ("2NNN 2TTT", 1, None),
        ("2NNN 2NNN 2NTT", 3, None),
        ("2TTT", 1, None),
        ("5NNN", 5, None),
        ("5NTT", 4, None),
        ("5NNN 5NNN 5TTT", 5, None),
    ],
)
@pytest.mark.shows("EST-dose-mtpi2")
def test_mtpi2_published_decisions(outcomes: str, level: int | None, mtd: int | None) -> None:
    found = recommend_dose(design_mtpi2(0.3), outcomes, 5)
    assert (found.level, found.mtd) == (level, mtd)


@pytest.mark.parametrize(
    ("outcomes", "alone", "down", "six"),
    [
        # published: the first two columns (next dose, selected dose) by tests/testthat/test_three_plus_three.R of R escalation, without and
        # with de-escalation. By hand: the third, which differs at the highest dose after 0 of 3 alone.
        ("1NNN", (2, None), (2, None), (2, None)),
        ("1NNT", (1, None), (1, None), (1, None)),
        ("1NTT", (None, None), (None, None), (None, None)),
        ("1NNN 2NTT", (None, 1), (1, None), (1, None)),
        ("1NNN 2NNT 2NNN", (3, None), (3, None), (3, None)),
        ("1NNN 2NNT 2NNT", (None, 1), (1, None), (1, None)),
        ("1NNN 2NNN 3NNN 4NNN 5NNN", (None, 5), (None, 5), (5, None)),
        ("1NNN 2NNN 3NNN 4NNN 5NNT 5NNN", (None, 5), (None, 5), (None, 5)),
        ("1NNN 2NNN 3NNN 4NNN 5NTT", (None, 4), (4, None), (4, None)),
        ("1NTN 1NNN 2NTN 2NNN 3NTT", (None, 2), (None, 2), (None, 2)),
    ],
)
def test_three_plus_three_published(outcomes: str, alone: tuple, down: tuple, six: tuple) -> None:
    for variant, expected in (("escalation-only", alone), ("de-escalation", down), ("confirm-six", six)):
        found = recommend_dose(design_three_plus_three(variant), outcomes, 5)
        assert (found.level, found.mtd) == expected, variant


@pytest.mark.parametrize(
    ("outcomes", "level", "mtd"),
    [
        # published: tests/testthat/test_three_plus_three.R of R escalation, with de-escalation
        ("1NNN 2NNN 3NNN 4NNN 5NNT 5TTT 4NNT", None, 4),
        ("1NNN 2NNN 3NNN 4NNN 5NNT 5TTT 4NTT", 3, None),
        ("1NNN 2NNN 3NNN 4NNN 5NNT 5TTT 4NTT 3NNN", None, 3),
        ("1NNN 2NNN 3NNN 4NNN 5NNT 5TTT 4NTT 3TTT 2NTT 1NNT", None, 1),
        ("1NNN 2NNN 3NNN 4NNN 5NNT 5TTT 4NTT 3TTT 2NTT 1NTT", None, None),
        ("1NNN 2NNN 2NNN 3NTT", None, 2),
        ("1NTN 1NTN 2NTN 2NTN 3NTT", None, None),
        ("2NNT 2NNT", 1, None),
        ("2NNT 2NNT 1NNT", 1, None),
        # by hand: the trial went to dose 3 although dose 2 is unacceptable, so dose 1 needs three more
        ("1NNN 2NNT 2NNT 3NTT", 1, None),
    ],
)
def test_three_plus_three_down(outcomes: str, level: int | None, mtd: int | None) -> None:
    for variant in ("de-escalation", "confirm-six"):
        found = recommend_dose(design_three_plus_three(variant), outcomes, 5)
        assert (found.level, found.mtd) == (level, mtd)


def test_before_the_first_cohort_and_labels() -> None:
    doses = Doses((1e6, 3e6, 1.5e7), "cells/kg")
    assert doses.labels == ("1 × 10⁶ cells/kg", "3 × 10⁶ cells/kg", "1.5 × 10⁷ cells/kg")
    assert Doses((50, 1e8), "cells").labels == ("50 cells", "1 × 10⁸ cells")
    first = recommend_dose(design_boin(0.3, start=2), "", doses)
    assert (first.level, first.words) == (2, "The first cohort receives 3 × 10⁶ cells/kg.")
    assert recommend_dose(design_boin(0.3), [(1, 3, 0)], doses).words == "Escalate: the next cohort receives 3 × 10⁶ cells/kg."
    last = recommend_dose(design_boin(0.3, max_n=6), [(1, 3, 1), (1, 3, 1)], doses)
    assert last.words == "The trial ends and 1 × 10⁶ cells/kg is selected."


def test_n_stop_at_once_or_when_settled() -> None:
    # by hand: 2 of 9 escalate (boundary 2 of 9), 3 of 9 stay
    for outcomes, when, level in (
        ("1NNT 1NNT 1NNN", "reached", None),
        ("1NNT 1NNT 1NNN", "settled", 2),
        ("1NNT 1NNT 1NNT", "settled", None),
    ):
        assert recommend_dose(design_boin(0.3, n_stop=9, stop_when=when), outcomes, 3).level == level


def test_extra_safe_stops_earlier() -> None:
    # by hand: the posterior probability of a rate above 0.3 after 2 of 3 is 1 - 0.3**3 * (4 - 3 * 0.3) = 0.9163, between 0.90 and 0.95
    assert recommend_dose(design_boin(0.3), "1NTT", 3).level == 1
    assert recommend_dose(design_boin(0.3, extra_safe=True), "1NTT", 3).level is None
    assert recommend_dose(design_boin(0.3, extra_safe=True, offset=0.03), "1NTT", 3).level == 1
    assert recommend_dose(design_boin(0.3, extra_safe=True), "2NTT", 3).level == 1
    assert estimate_mtd(design_boin(0.3, extra_safe=True), (3, 3, 0), (2, 0, 0)).level is None


@pytest.mark.shows("EST-dose-conduct")
def test_selection_published() -> None:
    # published: R BOIN select.mtd(0.3, n, y), the example of its help page and of Yan et al. 2020: dose 3
    found = estimate_mtd(design_boin(0.3), (3, 3, 15, 9, 0), (0, 0, 4, 4, 0))
    assert found.level == 3
    # by hand: 0.05 / 3.1, 4.05 / 15.1, 4.05 / 9.1 are in order, so nothing is pooled
    assert found.estimates[:4] == pytest.approx((0.05 / 3.1, 0.05 / 3.1, 4.05 / 15.1, 4.05 / 9.1), abs=1e-12)
    assert found.estimates[4] is None
    assert estimate_mtd(design_boin(0.3), (0, 3, 0, 0, 3), (0, 1, 0, 0, 3)).level == 2


def test_selection_breaks_ties_as_said() -> None:
    # by hand: equal estimates below the target: the highest of them; above it: the lowest
    design = design_boin(0.3)
    assert estimate_mtd(design, (6, 6, 6), (1, 1, 1)).level == 3
    assert estimate_mtd(design, (6, 6, 6), (3, 3, 3)).level == 1
    # lambda_d is 0.3585 and every estimate is about 0.5
    assert estimate_mtd(design_boin(0.3, bound_mtd=True), (6, 6, 6), (3, 3, 3)).level is None
    # 4 of 6 is eliminated, and with it dose 3
    assert estimate_mtd(design, (6, 6, 3), (0, 4, 0)).level == 1
    assert estimate_mtd(design, (0, 0), (0, 0)).level is None
    assert estimate_mtd(design_three_plus_three(), (3, 6, 3), (0, 1, 2)).level == 2


@examples(80)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=6), st.integers(10, 45), st.booleans())
@pytest.mark.shows("EST-dose-conduct")
def test_selection_by_definition(counts: list[tuple[int, int]], percent: int, bound: bool) -> None:
    """Independent: isotonic regression by its min-max formula, and the nearest dose, in exact arithmetic."""
    n = [a for a, _ in counts]
    dlt = [min(a, b) for a, b in counts]
    design = design_boin(percent / 100, max_n=12, bound_mtd=bound)
    out = next((d for d in range(len(n)) if n[d] and design.table.decide(n[d], dlt[d]) == "DU"), len(n))
    tried = [d for d in range(out) if n[d]]
    a = [Fraction(20 * dlt[d] + 1, 20) for d in tried]
    total = [Fraction(10 * n[d] + 1, 10) for d in tried]
    weight = [t**2 * (t + 1) / (x * (t - x)) for x, t in zip(a, total, strict=True)]

    def pooled(i: int, j: int) -> Fraction:
        return sum((weight[k] * a[k] / total[k] for k in range(i, j + 1)), Fraction(0)) / sum(weight[i : j + 1], Fraction(0))

    count = len(tried)
    fit = [max(min(pooled(i, j) for j in range(k, count)) for i in range(k + 1)) for k in range(count)]
    shifted = [value + Fraction(k + 1, 10**10) for k, value in enumerate(fit)]
    allowed = [k for k in range(count) if design.bound is None or shifted[k] < Fraction(design.bound)]
    expected = min(allowed, key=lambda k: abs(shifted[k] - Fraction(percent, 100))) if allowed else None
    found = estimate_mtd(design, n, dlt)
    assert found.level == (None if expected is None else tried[expected] + 1)
    assert [value for value in found.estimates if value is not None] == pytest.approx([float(value) for value in fit], abs=1e-12)


@pytest.mark.shows("EST-dose-own-table")
def test_an_uploaded_table_must_hold_what_the_cohorts_reach() -> None:
    table = derive_three_plus_three_table()
    design = design_from_table(table, 0.25, max_n=18)
    assert design.n_stop == 6
    assert recommend_dose(design, "1NNT 1NNN", 3).mtd == 1
    with pytest.raises(InputError, match="no row for 2 subjects, which these cohorts reach"):
        design_from_table(table, 0.25, cohort=2, max_n=18)
    with pytest.raises(InputError, match="no row for 1 subjects"):
        design_from_table(table, 0.25, cohort=3, max_n=16)
    with pytest.raises(InputError, match="ends at 6 subjects, the trial has 18"):
        design_from_table(table, 0.25, max_n=18, stop_when="settled")
    # cohorts of 3 and 6 reach 3, 6 and 9 at one dose
    with pytest.raises(InputError, match="no row for 9 subjects"):
        design_from_table(table, 0.25, cohort=(3, 6))


def test_the_table_that_a_committee_reads() -> None:
    # by hand: the last of five cohorts has 2 subjects, and a dose with 9 receives no more
    assert design_boin(0.3, max_n=14, n_stop=9).frame().columns == ["dlt", "2", "3", "5", "6", "8", "9"]
    assert design_boin(0.3, max_n=12).frame().columns == ["dlt", "3", "6", "9", "12"]
    assert design_three_plus_three().frame().columns == ["dlt", "3", "6"]
    assert design_three_plus_three().legend()["decision"].to_list() == ["E", "S", "DU"]
    assert design_boin(0.3).legend()["decision"].to_list() == ["E", "S", "D", "DU"]
    assert "0.2365" in design_boin(0.3).method and "at most 30 subjects" in design_boin(0.3).method


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: design_boin(0), "target: 0 is not a number"),
        (lambda: design_boin(1), "target: 1 is not a number"),
        (lambda: design_boin("0.3"), "target: '0.3' is not a number"),
        (lambda: design_boin(0.3, p_saf=0.3), "p_saf"),
        (lambda: design_boin(0.3, cohort=0), "cohort: 0 is no whole number"),
        (lambda: design_boin(0.3, cohort=31), "cohort: 31 is no whole number from 1 to 30"),
        (lambda: design_boin(0.3, cohort=()), "there is no cohort"),
        (lambda: design_boin(0.3, cohort=(3, 0)), "cohort: 0 is no whole number"),
        (lambda: design_boin(0.3, max_n=0), "max_n: 0 is no whole number"),
        (lambda: design_boin(0.3, n_stop=0), "n_stop"),
        (lambda: design_boin(0.3, stop_when="later"), "stop_when"),
        (lambda: design_boin(0.3, start=0), "start"),
        (lambda: design_boin(0.3, extra_safe=True, offset=0.5), "offset"),
        (lambda: design_mtpi2(0.3, epsilon1=0.3), "epsilon1 is 0.3"),
        (lambda: design_mtpi2(0.9, epsilon2=0.1), "epsilon2 is 0.1"),
        (lambda: design_three_plus_three("3+3"), "'3[+]3' is unknown. Known are: " + ", ".join(VARIANTS)),
        (lambda: design_three_plus_three("escalation-only", start=2), "never de-escalates"),
        (lambda: design_from_table(DecisionTable((1,), (("E", "D"),)), 1.5), "target"),
        (lambda: Doses(()), "a dose is missing"),
        (lambda: Doses((1e6, 1e6)), "do not increase"),
        (lambda: Doses((-1, 1e6)), "not positive"),
        (lambda: Doses((1e6,), "mg"), "unit"),
        (lambda: recommend_dose(design_boin(0.3), "1NNX", 3), "cohort '1NNX' cannot be read"),
        (lambda: recommend_dose(design_boin(0.3), "4NNN", 3), "dose 4 does not exist"),
        (lambda: recommend_dose(design_boin(0.3), [(1, 3, 4)], 3), "4 DLTs in 3 subjects"),
        (lambda: recommend_dose(design_boin(0.3), "1NNN", 0), "there is no dose"),
        (lambda: recommend_dose(design_boin(0.3, start=4), "", 3), "the start is dose 4 of 3"),
        (lambda: recommend_dose(design_boin(0.3, max_n=3), "1NNN 1NNN", 3), "no row for 6 subjects. It speaks of 1 to 3"),
        (lambda: recommend_dose(design_three_plus_three(), "1NNNN", 3), "no row for 4 subjects"),
        (lambda: estimate_mtd(design_boin(0.3), (3,), (4,)), "4 DLTs in 3 subjects"),
        (lambda: estimate_mtd(design_boin(0.3), (3, 3), (1,)), "do not pair"),
        (lambda: estimate_mtd(design_boin(0.3), (), ()), "do not pair"),
    ],
)
def test_refused(make, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()
