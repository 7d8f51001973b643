"""Decision tables of dose finding: BOIN, 3+3, mTPI-2 and one's own, against published tables and definitions in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import comb
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.design.dose.tables import (
    LETTERS,
    WORDS,
    DecisionTable,
    decision_boundaries,
    decision_frame,
    decision_legend,
    decision_rows,
    derive_boin_interval,
    derive_boin_table,
    derive_mtpi2_table,
    derive_three_plus_three_table,
    exceedance,
)
from cartrial.design.dose.upload import check_decision_table, read_decision_table, write_decision_table
from cartrial.errors import InputError
from properties import examples

percent = st.integers(1, 99).map(lambda k: Fraction(k, 100))


def _above(dlt: int, n: int, x: Fraction) -> Fraction:
    """Posterior probability above x under Beta(1, 1): at most `dlt` successes in n + 1 trials."""
    return sum((comb(n + 1, k) * x**k * (1 - x) ** (n + 1 - k) for k in range(dlt + 1)), Fraction(0))


def _monotone(table: DecisionTable) -> bool:
    return all(LETTERS.index(b) >= LETTERS.index(a) for row in table.letters for a, b in pairwise(row))


# published: interval boundaries with p.saf 0.6 and p.tox 1.4 times the target, to four digits (R BOIN get.boundary, Liu and Yuan 2015)
@pytest.mark.parametrize(
    ("target", "escalate", "deescalate"),
    [
        (0.15, 0.1178, 0.1787),
        (0.20, 0.1572, 0.2385),
        (0.25, 0.1968, 0.2984),
        (0.30, 0.2365, 0.3585),
        (0.35, 0.2763, 0.4189),
        (0.40, 0.3164, 0.4797),
    ],
)
@pytest.mark.shows("EST-dose-boin")
def test_boin_interval(target: float, escalate: float, deescalate: float) -> None:
    found = derive_boin_interval(target)
    assert [round(value, 4) for value in found] == [escalate, deescalate]


def test_boin_interval_of_target_030_to_seven_digits() -> None:
    # published: R escalation, issue 6 (output of R BOIN get.boundary for a target of 0.3)
    assert [round(value, 7) for value in derive_boin_interval(0.3)] == [0.2364907, 0.3585195]


@pytest.mark.shows("EST-dose-boin")
def test_boin_boundaries_of_target_030() -> None:
    # published: R escalation, issue 6, n = 3 to 30 by 3
    rows = decision_boundaries(derive_boin_table(0.3, 30)).filter(pl.col("n") % 3 == 0)
    assert rows["n"].to_list() == list(range(3, 31, 3))
    assert rows["escalate_if_at_most"].to_list() == [0, 1, 2, 2, 3, 4, 4, 5, 6, 7]
    assert rows["deescalate_if_at_least"].to_list() == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert rows["eliminate_if_at_least"].to_list() == [3, 4, 5, 7, 8, 9, 10, 11, 12, 14]


@pytest.mark.parametrize("target", [0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45])
def test_boin_rates_on_a_boundary(target: float) -> None:
    # by hand: with p_tox = 1 - target lambda_d is 1/2, and with the two exchanged lambda_e is; a rate of 1/2 is on the boundary
    high = derive_boin_table(target, 40, p_tox=1 - target, eliminate_from=41)
    low = derive_boin_table(1 - target, 40, p_saf=target, p_tox=1 - target / 2)
    for n in range(2, 41, 2):
        assert low.decide(n, n // 2) == "E"
        assert (high.decide(n, n // 2 - 1) == "D", high.decide(n, n // 2)) == (False, "D")


def test_no_elimination_before_three_subjects() -> None:
    table = derive_boin_table(0.05, 6)
    assert [table.decide(n, n) for n in (1, 2, 3)] == ["D", "D", "DU"]


# published: Guo et al. 2017, figure 3 (target 0.3, both epsilon 0.05, cut-off 0.95), as transcribed by tests/testthat/test_mtpi2.R of
# R escalation
@pytest.mark.parametrize(
    ("n", "letters"),
    [(3, "E S D DU"), (6, "E E S D DU DU DU"), (9, "E E E S D DU DU DU DU DU"), (10, "E E E S D D DU DU DU DU DU")],
)
@pytest.mark.shows("EST-dose-mtpi2")
def test_mtpi2_published(n: int, letters: str) -> None:
    assert " ".join(derive_mtpi2_table(0.3, 10).letters[n - 1]) == letters


def test_mtpi2_tie_is_cautious() -> None:
    # by hand: after 1 of 2 the posterior is symmetric about 0.5, the border of the equivalence interval 0.4 to 0.5 and the next one
    assert derive_mtpi2_table(0.45, 2).decide(2, 1) == "D"


@pytest.mark.shows("EST-dose-three-plus-three")
def test_three_plus_three_table() -> None:
    # by hand: escalate after 0/3 or at most 1/6, three more after 1/3, unacceptable from two DLTs on
    assert decision_frame(derive_three_plus_three_table()).rows() == [
        (0, "E", "E"),
        (1, "S", "E"),
        (2, "DU", "DU"),
        (3, "DU", "DU"),
        (4, None, "DU"),
        (5, None, "DU"),
        (6, None, "DU"),
    ]


@examples(60)
@given(
    percent,
    st.integers(5, 95),
    st.integers(5, 95),
    st.sampled_from([Fraction(8, 10), Fraction(9, 10), Fraction(95, 100)]),
    st.integers(1, 25),
)
def test_boin_by_likelihoods(target: Fraction, low: int, high: int, cutoff: Fraction, most: int) -> None:
    """Independent: escalate where the data are at least as likely under p_saf as under the target, de-escalate where under p_tox."""
    saf, tox = target * low / 100, target + (1 - target) * high / 100
    table = derive_boin_table(float(target), most, p_saf=float(saf), p_tox=float(tox), cutoff=float(cutoff))
    assert _monotone(table)
    for n, row in zip(table.n, table.letters, strict=True):
        for dlt, letter in enumerate(row):
            null, under, over = (p**dlt * (1 - p) ** (n - dlt) for p in (target, saf, tox))
            if n >= 3 and dlt and _above(dlt, n, target) > cutoff:
                assert letter == "DU"
            else:
                assert letter == ("E" if under >= null else "D" if over >= null else "S"), (n, dlt)


@examples(60)
@given(percent, st.integers(1, 20), st.integers(1, 20), st.integers(1, 12), st.integers(1, 4))
def test_mtpi2_in_fractions(target: Fraction, one: int, two: int, most: int, least: int) -> None:
    """Independent: intervals walked from the equivalence interval outwards, masses in exact arithmetic, ties to the cautious side."""
    low, high = target - Fraction(one, 100), target + Fraction(two, 100)
    if low <= 0 or high >= 1:
        with pytest.raises(InputError, match="epsilon"):
            derive_mtpi2_table(float(target), most, epsilon1=one / 100, epsilon2=two / 100)
        return
    length = high - low
    intervals = [(1, low, high)]
    edge = low
    while edge > 0:
        intervals.append((0, max(edge - length, Fraction(0)), edge))
        edge -= length
    edge = high
    while edge < 1:
        intervals.append((2, edge, min(edge + length, Fraction(1))))
        edge += length
    table = derive_mtpi2_table(float(target), most, epsilon1=one / 100, epsilon2=two / 100, eliminate_from=least)
    assert _monotone(table)
    for n, row in zip(table.n, table.letters, strict=True):
        for dlt, letter in enumerate(row):
            if n >= least and dlt and _above(dlt, n, target) > Fraction(95, 100):
                assert letter == "DU"
                continue
            masses = [((_above(dlt, n, a) - _above(dlt, n, b)) / (b - a), side) for side, a, b in intervals]
            best = max(mass for mass, _ in masses)
            assert letter == LETTERS[max(side for mass, side in masses if mass == best)], (n, dlt)


@given(percent, st.integers(1, 60), st.data())
def test_exceedance(target: Fraction, n: int, data: st.DataObject) -> None:
    dlt = data.draw(st.integers(0, n))
    # independent: binomial sum in exact arithmetic
    assert exceedance(dlt, n, float(target)) == pytest.approx(float(_above(dlt, n, target)), rel=1e-10, abs=1e-300)


@examples(40)
@given(st.floats(0.02, 0.7), st.integers(1, 40))
def test_tables_are_coherent(target: float, most: int) -> None:
    """No more cautious with a subject more who has no DLT, no less cautious with one who has: nothing to note."""
    boin = derive_boin_table(target, most, eliminate_from=1)
    mtpi2 = derive_mtpi2_table(target, most, epsilon1=target / 4, epsilon2=min(0.1, (1 - target) / 3))
    for table in (boin, mtpi2):
        assert [note for note in check_decision_table(table) if note[0].isdigit()] == []


def test_frame_and_legend_are_readable() -> None:
    table = derive_boin_table(0.3, 12)
    frame = decision_frame(table, (3, 6, 9))
    assert frame.columns == ["dlt", "3", "6", "9"]
    assert frame.rows()[4] == (4, None, "DU", "D")
    assert decision_legend().rows() == list(WORDS.items())
    assert decision_rows(table).height == sum(n + 1 for n in range(1, 13))
    with pytest.raises(InputError, match="no row for 13 subjects"):
        decision_frame(table, (3, 13))
    with pytest.raises(InputError, match="no number of subjects"):
        decision_frame(table, ())


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"target": 0}, "0 is not a number between 0 and 1"),
        ({"target": 1}, "1 is not a number between 0 and 1"),
        ({"target": 0.3, "p_saf": 0.3}, "p_saf is 0.3, the target 0.3"),
        ({"target": 0.3, "p_saf": 0.0}, "p_saf is 0"),
        ({"target": 0.3, "p_tox": 0.2}, "p_tox is 0.2"),
        ({"target": 0.8}, "p_tox is 1.12"),
        ({"target": 0.3, "cutoff": 1}, "cutoff"),
        ({"target": 0.3, "cutoff": 0.4}, "cut-off of elimination is 0.4"),
        ({"target": 0.3, "eliminate_from": 0}, "eliminate_from"),
        ({"target": 0.3, "most": 0}, "max_n"),
    ],
)
def test_boin_refuses(kwargs: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        derive_boin_table(**{"most": 12, **kwargs})


def test_a_table_refuses_what_it_cannot_decide() -> None:
    table = derive_three_plus_three_table()
    with pytest.raises(InputError, match="4 DLTs in 3 subjects are impossible"):
        table.decide(3, 4)
    with pytest.raises(InputError, match=r"no row for 4 subjects\. It speaks of 3, 6"):
        table.decide(4, 1)
    for n, letters, words in (
        ((), (), "empty"),
        ((3, 2), (("E",) * 4, ("E",) * 3), "do not increase"),
        ((2,), (("E", "S"),), "has 2 decisions"),
        ((1,), (("E", "X"),), "'X' is unknown"),
        ((1,), (("D", "E"),), "D at 0 DLTs but E at 1"),
    ):
        with pytest.raises(InputError, match=words):
            DecisionTable(n, letters)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.shows("EST-dose-own-table", "FMT-decision-table")
def test_a_written_table_reads_back(tmp_path: Path, ending: str) -> None:
    table = derive_mtpi2_table(0.25, 9)
    path = write_decision_table(table, tmp_path / f"table.{ending}")
    assert read_decision_table(path) == table


def test_reading_takes_any_order_case_and_further_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(" DLT ,N,comment,Decision\n1,1,,du\n0,1,why not, e \n", encoding="utf-8")
    assert read_decision_table(path) == DecisionTable((1,), (("E", "DU"),))
    assert read_decision_table(pl.DataFrame({"n": [1.0, 1.0], "dlt": [0, 1], "decision": ["S", "D"]})).letters == (("S", "D"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "t.csv: the file is empty"),
        ("n,dlt,decision\n", "t.csv: the decision table has no row"),
        ("n,dlt\n1,0\n", "t.csv, decision: the column decision is missing"),
        ("n,N,dlt,decision\n1,1,0,E\n", "t.csv, n: the column n stands twice"),
        ("n,dlt,decision\n1,0,E\n", "n = 1 has no decision at 1 DLTs. Give all of 0 to 1 DLTs"),
        ("n,dlt,decision\n2,0,E\n2,2,D\n3,0,E\n", "n = 2 has no decision at 1 DLTs"),
        ("n,dlt,decision\n1,0,E\n1,1,R\n", r"t.csv, row 3, decision: the decision 'R' is unknown"),
        ("n,dlt,decision\n1,0,E\n1,1,\n", r"t.csv, row 3, decision: the decision '' is unknown"),
        ("n,dlt,decision\n1,0,E\n1,2,D\n", "t.csv, row 3, dlt: 2 DLTs in 1 subjects are impossible"),
        ("n,dlt,decision\n1,0,E\n1,-1,D\n", "t.csv, row 3, dlt: -1 DLTs"),
        ("n,dlt,decision\n0,0,E\n", "t.csv, row 2, n: n is 0"),
        ("n,dlt,decision\n1.5,0,E\n", "t.csv, row 2, n: '1.5' is no whole number"),
        ("n,dlt,decision\n1,many,E\n", "t.csv, row 2, dlt: 'many' is no whole number"),
        ("n,dlt,decision\n1,0,E\n1,0,S\n1,1,D\n", "t.csv, row 3: n = 1 with 0 DLTs stands twice, first in row 2"),
        ("n,dlt,decision\n1,0,D\n1,1,E\n", "t.csv, row 3, decision: n = 1: the decision is D at 0 DLTs but E at 1"),
        ("n,dlt,decision\n2,2,D\n2,1,DU\n2,0,E\n", "t.csv, row 2, decision: n = 2: the decision is DU at 1 DLTs but D at 2"),
    ],
)
@pytest.mark.shows("FMT-decision-table")
def test_reading_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_decision_table(path)


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_decision_table(tmp_path / "absent.csv")
    (tmp_path / "t.parquet").write_bytes(b"n,dlt,decision")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_decision_table(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="ending"):
        write_decision_table(derive_three_plus_three_table(), tmp_path / "t.xlsx")
    with pytest.raises(InputError, match=r"mine, row 2, n: '' is no whole number"):
        read_decision_table(pl.DataFrame({"n": [None], "dlt": [0], "decision": ["E"]}), file="mine")


def test_doubtful_tables_are_noted() -> None:
    # by hand: 1 DLT is worse in 2 than in 1; 2 in 2 is better than 1 in 1; nothing is eliminated
    odd = DecisionTable((1, 2), (("E", "S"), ("E", "D", "D")))
    assert check_decision_table(odd) == (
        "1 DLTs lead to S in 1 subjects, but to D in 2.",
        "No dose is ever eliminated (no DU), so a trial never stops for toxicity at the lowest dose.",
    )
    lax = DecisionTable((1, 2), (("S", "DU"), ("S", "S", "D")))
    assert check_decision_table(lax) == ("1 DLTs in 1 subjects lead to DU, but 2 in 2 lead to D.", "The dose is never escalated (no E).")
    assert check_decision_table(derive_three_plus_three_table()) == ()


def test_every_wrong_row_of_a_table_is_said_at_once(tmp_path: Path) -> None:
    """By hand: a letter that is none, more DLTs than subjects, a pair that stands twice."""
    path = tmp_path / "t.csv"
    path.write_text("n,dlt,decision\n1,0,X\n1,1,D\n1,2,D\n1,1,E\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_decision_table(path)
    assert [(error.row, error.key) for error in caught.value.errors] == [(2, "decision"), (4, "dlt"), (5, None)]
