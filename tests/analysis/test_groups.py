"""Comparisons of groups: log-rank and Gray's test (R), and their definition (independent)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_oracle import adcr, adtte, cr_set, data_set, oracle, same
from cartrial.analysis import estimate_gray, estimate_logrank
from cartrial.analysis.estimators.groups import group_rows
from cartrial.errors import InputError
from properties import examples


def lung() -> pl.DataFrame:
    return adtte(data_set("lung")).with_columns(pl.col("ph_ecog").fill_nan(None))


def whas() -> pl.DataFrame:
    band = pl.when(pl.col("age") <= 60).then(pl.lit("<=60")).when(pl.col("age") <= 75).then(pl.lit("61-75")).otherwise(pl.lit(">75"))
    return adtte(data_set("whas500")).with_columns(band=band)


CASES = {
    "aml": (lambda: adtte(data_set("aml")), "group", (), 0),
    "lung_sex": (lung, "sex", (), 0),
    "lung_sex_strata_ph_ecog": (lambda: lung().drop_nulls("ph_ecog").with_columns(pl.col("ph_ecog").cast(pl.Int8)), "sex", ("ph_ecog",), 0),
    "lung_ph_ecog": (lambda: lung().drop_nulls("ph_ecog").with_columns(pl.col("ph_ecog").cast(pl.Int8)), "ph_ecog", (), 0),
    "whas500_afb": (whas, "afb", (), 0),
    "whas500_ageband": (whas, "band", (), 0),
    "whas500_afb_strata_ageband_gender": (whas, "afb", ("band", "gender"), 0),
    "bmt_rfs_group": (lambda: adtte(data_set("bmt"), "t2", "d3"), "group", (), 0),
    "bmt_os_group": (lambda: adtte(data_set("bmt"), "t1", "d1"), "group", (), 0),
    "waltons": (lambda: adtte(data_set("waltons")), "group", (), 0),
    "two_groups_ties": (lambda: adtte(data_set("two_groups_ties")), "group", (), 0),
    "two_groups_ties_strata": (lambda: adtte(data_set("two_groups_ties")), "group", ("stratum",), 0),
    "aml_peto": (lambda: adtte(data_set("aml")), "group", (), 1),
    "lung_sex_peto": (lung, "sex", (), 1),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.shows("RULE-7.7", "EST-logrank", "EST-logrank-stratified")
def test_r_logrank(name: str) -> None:
    """origin R: survdiff()."""
    make, group, strata, rho = CASES[name]
    expected = oracle()["logrank"][name]
    row = estimate_logrank(make().sample(fraction=1, shuffle=True, seed=2), group, (), strata=strata, rho=rho).row(0, named=True)
    same([row["chi_square"], row["p_value"], row["df"], row["N"]], [expected["chisq"], expected["p"], expected["df"], expected["n"]])


@pytest.mark.shows("EST-logrank")
def test_r_random_sets_in_one_call() -> None:
    """origin R: 200 random sets as 200 trials. R gives 0 where a group has no expected event: here it is null."""
    sets = oracle()["random_sets"]
    frame = pl.concat(
        pl.DataFrame({"TRIAL": i, "AVAL": [float(t) for t in one["time"]], "CNSR": [1 - e for e in one["event"]], "G": one["group"]})
        for i, one in enumerate(sets.values())
    )
    found = estimate_logrank(frame.sample(fraction=1, shuffle=True, seed=1), "G")["chi_square"].to_list()
    for value, one in zip(found, sets.values(), strict=True):
        if value is None:
            assert not one["logrank_chisq"]
        else:
            assert value == pytest.approx(one["logrank_chisq"], rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("name", ["cr8", "cr_ties", "cr_one_cause", "bmt", "mgus2", "casebase_disease", "casebase_phase"])
@pytest.mark.shows("RULE-7.6", "EST-gray")
def test_r_gray(name: str) -> None:
    """origin R: cmprsk::cuminc()$Tests."""
    expected = oracle()["cuminc_gray"][name]["by_group"]["gray"]
    frame = cr_set(name).sample(fraction=1, shuffle=True, seed=2)
    for cause, key in ((0, "cause_1"), (2, "cause_2")):
        row = estimate_gray(frame, "group", (), cause=cause).row(0, named=True)
        if key in expected:
            same([row["chi_square"], row["df"]], [expected[key]["stat"], expected[key]["df"]])
            assert row["p_value"] == pytest.approx(expected[key]["p"], rel=1e-6)
        else:
            assert row["chi_square"] is None


def test_r_random_gray_in_one_call() -> None:
    """origin R: 60 random sets as 60 trials; null where a cause is absent or the test is singular."""
    sets = oracle()["random_competing"]
    frame = pl.concat(
        adcr(pl.DataFrame({"TRIAL": i, "time": [float(t) for t in one["time"]], "cause": one["cause"], "G": one["group"]}))
        for i, one in enumerate(sets.values())
    )
    for cause, key in ((0, "cause_1"), (2, "cause_2")):
        found = estimate_gray(frame, "G", cause=cause)["chi_square"].to_list()
        for value, one in zip(found, sets.values(), strict=True):
            expected = one[key]["gray"]
            if value is None:
                assert expected is None or expected <= 0
            else:
                assert value == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.shows("EST-gray")
def test_strata_of_gray_add_up() -> None:
    """origin by hand: one stratum written twice doubles scores and variances, so the statistic doubles."""
    frame = adcr(data_set("cr_ties"))
    once = estimate_gray(frame, "group", ())["chi_square"][0]
    twice = pl.concat([frame.with_columns(S=pl.lit("a")), frame.with_columns(S=pl.lit("b"))])
    assert estimate_gray(twice, "group", (), strata=("S",))["chi_square"][0] == pytest.approx(2 * once, rel=1e-12)


rows = st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.sampled_from("ABC")), min_size=4, max_size=50)


@given(rows)
@examples(120)
@pytest.mark.shows("EST-logrank")
def test_logrank_by_definition(data: list[tuple[int, bool, str]]) -> None:
    """origin independent: observed minus expected over the tables at each event time."""
    frame = pl.DataFrame(data, schema={"AVAL": pl.Int32, "E": pl.Boolean, "G": pl.String}, orient="row").with_columns(
        CNSR=(~pl.col("E")).cast(pl.Int8)
    )
    levels = sorted({g for *_, g in data})
    excess, expected, variance = np.zeros(len(levels)), np.zeros(len(levels)), np.zeros((len(levels), len(levels)))
    for t in sorted({t for t, e, _ in data if e}):
        risk = np.array([sum(u >= t and g == level for u, _, g in data) for level in levels], float)
        died = np.array([sum(u == t and e and g == level for u, e, g in data) for level in levels], float)
        n, d = risk.sum(), died.sum()
        excess += died - d * risk / n
        expected += d * risk / n
        if n > 1:
            variance += d * (n - d) / (n - 1) * (np.diag(risk / n) - np.outer(risk, risk) / n**2)
    found = estimate_logrank(frame, "G", ()).row(0, named=True)
    kept = np.flatnonzero(expected > 0)
    if len(kept) < 2 or np.linalg.matrix_rank(variance[np.ix_(kept, kept)], tol=1e-9) < len(kept) - 1:
        assert found["chi_square"] is None
    else:
        part = kept[1:]
        assert found["chi_square"] == pytest.approx(
            excess[part] @ np.linalg.solve(variance[np.ix_(part, part)], excess[part]), rel=1e-8, abs=1e-10
        )


@given(rows, rows)
@examples(40)
def test_trials_do_not_touch_each_other(one: list, other: list) -> None:
    frame = pl.concat(
        pl.DataFrame(data, schema={"AVAL": pl.Int32, "E": pl.Boolean, "G": pl.String}, orient="row").with_columns(
            TRIAL=pl.lit(i), CNSR=pl.col("E").cast(pl.Int8)
        )
        for i, data in enumerate((one, other))
    )
    for test in (estimate_logrank, estimate_gray):
        whole = test(frame, "G").select("chi_square", "p_value")
        alone = pl.concat(test(frame.filter(pl.col("TRIAL") == i), "G").select("chi_square", "p_value") for i in (0, 1))
        np.testing.assert_allclose(whole.to_numpy(), alone.to_numpy(), rtol=1e-9, atol=1e-12)


def test_group_codes() -> None:
    frame = pl.DataFrame({"A": ["b", "a", "b"], "B": [900_000_000, -5, -5]})
    codes, keys = group_rows(frame, ["A", "B"])
    assert keys.rows() == [("a", -5), ("b", -5), ("b", 900_000_000)]
    assert codes.tolist() == [2, 0, 1]
    with pytest.raises(InputError, match="no column C"):
        group_rows(frame, ["C"])
    with pytest.raises(InputError, match="empty values"):
        group_rows(pl.DataFrame({"A": [1, None]}), ["A"])
