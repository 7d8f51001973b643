"""Models against R (R) and the definition: Cox, Firth, Fine-Gray. Random sets stand in test_models_random.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_oracle import adcr, adtte, data_set, models, oracle, same
from cartrial.analysis import (
    estimate_cox,
    estimate_fine_gray,
    estimate_firth,
    estimate_gray,
    estimate_incidence,
    estimate_logrank,
    estimate_survival,
)
from cartrial.errors import InputError
from model_sets import model_set
from properties import examples


def lung(*needed: str) -> pl.DataFrame:
    return adtte(data_set("lung")).with_columns(pl.col("ph_ecog").fill_nan(None)).drop_nulls(needed)


def bmt(time: str, event: str) -> pl.DataFrame:
    return adtte(data_set("bmt"), time, event).with_columns(pl.col("group").cast(pl.Enum(["ALL", "AML-low", "AML-high"])))


COX: dict[str, tuple[Callable[[], pl.DataFrame], list[str], list[str]]] = {
    "aml": (lambda: adtte(data_set("aml")), ["group"], []),
    "lung_sex": (lung, ["sex"], []),
    "lung_sex_age_ph_ecog": (lambda: lung("ph_ecog"), ["sex", "age", "ph_ecog"], []),
    "lung_sex_strata_ph_ecog": (lambda: lung("ph_ecog"), ["sex"], ["ph_ecog"]),
    "lung_sex_age_strata_ph_ecog": (lambda: lung("ph_ecog"), ["sex", "age"], ["ph_ecog"]),
    "whas500_afb": (lambda: adtte(data_set("whas500")), ["afb"], []),
    "whas500_afb_age_gender": (lambda: adtte(data_set("whas500")), ["afb", "age", "gender"], []),
    "bmt_rfs_group": (lambda: bmt("t2", "d3"), ["group"], []),
    "bmt_os_group": (lambda: bmt("t1", "d1"), ["group"], []),
    "waltons": (lambda: adtte(data_set("waltons")), ["group"], []),
    "two_groups_ties": (lambda: adtte(data_set("two_groups_ties")), ["group"], []),
    "two_groups_ties_strata": (lambda: adtte(data_set("two_groups_ties")), ["group"], ["stratum"]),
    "tg_test1": (lambda: adtte(data_set("tg_test1").drop_nulls()), ["x"], []),
}


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("name", COX)
@pytest.mark.shows("RULE-7.7", "EST-cox")
def test_r_cox(name: str, ties: str) -> None:
    """origin R: coxph()."""
    make, covariates, strata = COX[name]
    expected = oracle()["cox"][name][ties]
    found = estimate_cox(make().sample(fraction=1, shuffle=True, seed=1), covariates, strata=strata, ties=ties)
    for column, key in (
        ("coefficient", "coef"),
        ("standard_error", "se"),
        ("hazard_ratio", "hr"),
        ("lower", "lower"),
        ("upper", "upper"),
        ("p_value", "p"),
    ):
        np.testing.assert_allclose(found[column].to_numpy(), expected[key], rtol=1e-8)


@pytest.mark.parametrize("name", ["separated_x", "separated_x_z", "aml", "two_groups_ties"])
@pytest.mark.shows("EST-firth")
def test_firth_by_definition(name: str) -> None:
    """origin R, by definition: loglik + log det(information) / 2, ties by Breslow (good to 1e-6)."""
    expected = oracle()["cox_firth"][name]["breslow"]
    frame = adtte(data_set("separated" if name.startswith("separated") else name))
    covariates = {"separated_x": ["x"], "separated_x_z": ["x", "z"]}.get(name, ["group"])
    found = estimate_firth(frame, covariates)
    np.testing.assert_allclose(found["coefficient"].to_numpy(), expected["coef"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["standard_error"].to_numpy(), expected["se"], rtol=1e-5)


FINE_GRAY: dict[str, tuple[Callable[[], pl.DataFrame], list[str]]] = {
    "bmt_group": (
        lambda: adcr(data_set("bmt"), "t2").with_columns(pl.col("group").cast(pl.Enum(["ALL", "AML-low", "AML-high"]))),
        ["group"],
    ),
    "mgus2_sex_age": (lambda: adcr(data_set("mgus2")), ["sex", "age"]),
    "casebase_disease": (lambda: adcr(data_set("casebase"), "ftime", "Status"), ["D"]),
    "cr8": (lambda: adcr(data_set("cr8")), ["group"]),
    "cr_ties": (lambda: adcr(data_set("cr_ties")), ["group"]),
}


@pytest.mark.parametrize("name", FINE_GRAY)
@pytest.mark.shows("EST-fine-gray")
def test_r_fine_gray(name: str) -> None:
    """origin R: finegray() with coxph(ties = "breslow", cluster = subject); crr() is near, not equal (5e-3; 0.1 with ties in tiny sets)."""
    make, covariates = FINE_GRAY[name]
    for cause, key in ((0, "cause_1"), (2, "cause_2")):
        expected = oracle()["fine_gray"][name][key]
        found = estimate_fine_gray(make(), covariates, cause=cause)
        np.testing.assert_allclose(found["coefficient"].to_numpy(), expected["finegray_breslow"]["coef"], rtol=1e-8)
        np.testing.assert_allclose(found["standard_error"].to_numpy(), expected["finegray_breslow"]["se_robust"], rtol=1e-8)
        np.testing.assert_allclose(found["coefficient"].to_numpy(), expected["crr"]["coef"], rtol=0.1 if name == "cr_ties" else 5e-3)


@pytest.mark.shows("EST-fine-gray")
def test_without_any_censoring() -> None:
    """origin R: who had the competing event stays at risk to the end, coxph(ties = "breslow", cluster = subject)."""
    expected = models()["no_censoring"]
    frame = pl.DataFrame({"AVAL": [5, 8, 12, 20, 25, 30], "CNSR": [0, 2, 0, 0, 2, 0], "G": list("ababab")})
    found = estimate_fine_gray(frame, ["G"]).row(0, named=True)
    assert found["coefficient"] == pytest.approx(expected["coef"], rel=5e-10)
    assert found["standard_error"] == pytest.approx(expected["se"], rel=5e-10)
    assert found["converged"]


def near_ties() -> pl.DataFrame:
    one = models()["near_ties"]
    return pl.DataFrame({name: [float(value) for value in one[name]] for name in ("time", "event", "group", "cause")}).with_columns(
        pl.col("event", "group", "cause").cast(pl.Int8)
    )


@pytest.mark.shows("RULE-7.8")
def test_times_that_differ_by_rounding_are_ties_in_every_estimator() -> None:
    """origin R: relative differences of 1e-9 are ties (timefix); each estimator against its function of R's survival."""
    expected = models()["near_ties"]
    frame, competing = adtte(near_ties()), adcr(near_ties())
    for ties in ("efron", "breslow"):
        found = estimate_cox(frame, ["group"], ties=ties).row(0, named=True)
        same([found["coefficient"], found["standard_error"]], [expected[ties]["coef"], expected[ties]["se"]])
    found = estimate_fine_gray(competing, ["group"]).row(0, named=True)
    same([found["coefficient"], found["standard_error"]], [expected["fine_gray"]["coef"], expected["fine_gray"]["se"]])
    same(estimate_logrank(frame, "group", ())["chi_square"], [expected["chisq"]])
    steps = estimate_survival(frame, ()).steps()
    for name, key in (("at_risk", "n.risk"), ("events", "n.event"), ("censored", "n.censor"), ("survival", "surv")):
        same(steps[name], expected["km"][key])
    incidence = estimate_incidence(competing, ()).steps()
    for cause, key in ((0, "cause_1"), (2, "cause_2")):
        same(incidence.filter(pl.col("cause") == cause)["incidence"], expected["incidence"][key])
    exact = pl.col("time").replace({10.00000001: 10.0, 24.999999975: 25.0, 40.00000004: 40.0, 70.00000007: 70.0})
    ties = adcr(near_ties().with_columns(exact))
    same(estimate_gray(competing, "group", ())["chi_square"], estimate_gray(ties, "group", ())["chi_square"].to_list())


@pytest.mark.parametrize("number", range(4))
@pytest.mark.shows("RULE-7.8")
def test_origin_and_scale_do_not_matter(number: int) -> None:
    """origin R: coxph() of a number times 1e-6, plus 20,000,000, and times 1,000,000."""
    expected = models()["origin_and_scale"][number]
    x = pl.col("x") * expected["scale"] + expected["origin"]
    frame = adtte(model_set(0)).with_columns(x.alias("x"))
    found = estimate_cox(frame, ["group", "x"])
    rounding = 1e-7 if expected["origin"] > 1 else 5e-10  # the number itself has lost nine digits
    np.testing.assert_allclose(found["coefficient"].to_numpy(), expected["coef"], rtol=rounding)
    np.testing.assert_allclose(found["standard_error"].to_numpy(), expected["se"], rtol=rounding)


@given(st.integers(0, 1499), st.sampled_from([1e-6, 1e-3, 1.0, 1e6]), st.sampled_from([0.0, -5.0, 2e7]))
@examples(20)
def test_every_model_is_blind_to_origin_scale_and_row_order(number: int, scale: float, origin: float) -> None:
    """Invariance: coefficients times the scale, standard errors likewise, p-values as they are."""
    frame = adcr(model_set(number)) if number % 3 == 0 else adtte(model_set(number))
    if not (frame["CNSR"] == 0).any():
        return
    fits = [estimate_fine_gray] if number % 3 == 0 else [estimate_cox, estimate_firth]
    moved = frame.with_columns(x=pl.col("x") * scale + (origin if scale == 1 else 0)).sample(fraction=1, shuffle=True, seed=number)
    for fit in fits:
        one, other = fit(frame, ["group", "x"]), fit(moved, ["group", "x"])
        factor = np.array([1, scale])
        for name in ("coefficient", "standard_error"):
            expected = one[name].to_numpy()
            np.testing.assert_allclose(other[name].to_numpy() * factor, expected, rtol=1e-6, atol=1e-8 * np.nanmax(np.abs(expected)))
        np.testing.assert_allclose(other["p_value"].to_numpy(), one["p_value"].to_numpy(), rtol=1e-5)
        assert one["method"].to_list() == other["method"].to_list()


def small(**columns: list) -> pl.DataFrame:
    return pl.DataFrame({"AVAL": [3, 5, 8, 9, 12, 14, 20, 22], "CNSR": [0, 0, 0, 1, 0, 1, 0, 1], **columns})


@pytest.mark.shows("RULE-7.8", "EST-firth")
def test_a_level_without_events_takes_firth() -> None:
    """origin by hand (§9, A23): B has no event, so its likelihood rises without end; Fine-Gray is not estimable."""
    frame = small(G=["A", "A", "A", "B", "A", "B", "A", "B"])
    found = estimate_cox(frame, ["G"]).row(0, named=True)
    assert found["method"] == "Cox model with Firth's penalty, ties by Breslow, profile limits"
    assert found["converged"]
    assert 0 < found["lower"] < found["hazard_ratio"] < found["upper"] < 1
    assert estimate_firth(frame, ["G"]).row(0, named=True) == found
    none = estimate_fine_gray(frame, ["G"]).row(0, named=True)
    assert "not estimable" in none["method"]
    assert not none["converged"]
    assert [none[name] for name in ("coefficient", "standard_error", "hazard_ratio", "lower", "upper", "p_value")] == [None] * 6


def test_a_level_that_no_event_tells_apart_is_not_estimable() -> None:
    """origin by hand: both C are censored before the first event, so no risk set holds them. A against B stays as without them."""
    frame = small(G=["A", "B", "A", "B", "A", "B", "A", "B"])
    early = pl.DataFrame({"AVAL": [1, 2], "CNSR": [1, 1], "G": ["C", "C"]})
    found = estimate_cox(pl.concat([frame, early]), ["G"])
    alone = estimate_cox(frame, ["G"]).row(0, named=True)
    assert found.row(0, named=True)["coefficient"] == pytest.approx(alone["coefficient"], rel=1e-9)
    assert found["converged"].to_list() == [True, False]
    assert found["coefficient"][1] is None
    assert "not estimable" in found["method"][1]


def test_a_reference_that_no_event_tells_apart_leaves_nothing_against_it() -> None:
    """origin by hand: with A gone before the first event, B and C can be compared with each other alone, and no row does."""
    frame = small(G=["B", "C", "B", "C", "B", "C", "B", "C"])
    early = pl.DataFrame({"AVAL": [1, 2], "CNSR": [1, 1], "G": ["A", "A"]})
    found = estimate_cox(pl.concat([frame, early]), ["G"])
    assert found["converged"].to_list() == [False, False]
    assert found["hazard_ratio"].to_list() == [None, None]


def test_a_sum_of_other_covariates_is_not_estimable() -> None:
    """origin by hand: z = x + y, so none of the three has a coefficient of its own; w has."""
    random = np.random.RandomState(3)
    x, y, w = random.random_sample((3, 8))
    found = estimate_cox(small(x=x, y=y, z=x + y, w=w), ["x", "y", "z", "w"])
    assert found["converged"].to_list() == [False, False, False, True]
    alone = estimate_cox(small(x=x, y=y, w=w), ["x", "y", "w"])
    assert found["coefficient"][3] == pytest.approx(alone["coefficient"][2], rel=1e-8)


def test_strata_are_as_they_are_written() -> None:
    """origin by hand: "a|b" with "c" is another stratum than "a" with "b|c"."""
    frame = small(X=[1.0, 0, 1, 0, 0, 1, 1, 0], S=["a|b", "a", "a|b", "a", "a|b", "a", "a|b", "a"], T=["c", "b|c"] * 4)
    numbered = frame.with_columns(N=pl.Series([2, 1] * 4))
    found = estimate_cox(frame, ["X"], strata=["S", "T"])
    assert found.equals(estimate_cox(numbered, ["X"], strata=["N"]))
    assert not found.equals(estimate_cox(frame, ["X"]))


def test_adam_codes() -> None:
    """origin by hand: in ADaM every CNSR above 0 is censored."""
    frame = small(X=[1.0, 0, 1, 0, 0, 1, 1, 0])
    reasons = frame.with_columns(CNSR=pl.Series([0, 0, 0, 3, 0, 2, 0, 1]))
    for fit in (estimate_cox, estimate_firth):
        assert fit(reasons, ["X"], codes="ADaM").equals(fit(frame, ["X"]))
        with pytest.raises(InputError, match="ADaM"):
            fit(reasons, ["X"])
