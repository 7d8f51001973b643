"""Cumulative incidence: R's survfit and cuminc (R), the definition (independent), properties."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_oracle import adcr, cr_set, oracle, same
from cartrial.analysis import estimate_incidence, estimate_survival
from cartrial.errors import InputError
from properties import examples

CASES = [(name, group) for name, groups in oracle()["aalen_johansen"].items() for group in groups]
CAUSES = ((0, "cause_1"), (2, "cause_2"))


def case(name: str, group: str) -> pl.DataFrame:
    frame = cr_set(name).sample(fraction=1, shuffle=True, seed=4)
    return frame if group == "all" else frame.filter(pl.col("group") == group)


@pytest.mark.parametrize(("name", "group"), CASES)
@pytest.mark.shows("RULE-7.6", "EST-aalen-johansen")
def test_r_survfit(name: str, group: str) -> None:
    """origin R: summary(survfit(Surv(time, factor(cause))), times =, extend = TRUE)."""
    expected = oracle()["aalen_johansen"][name][group]
    for conf_type in ("log", "log-log", "plain"):
        found = estimate_incidence(case(name, group), (), conf_type=conf_type).at(expected["time"])
        for cause, key in CAUSES:
            one = found.filter(pl.col("cause") == cause)
            same(one["at_risk"], expected["n_risk"])
            same(one["incidence"], expected[key]["estimate"])
            same(one["standard_error"], expected[key]["std_err"])
            same(one["incidence_lower"], expected[key][conf_type]["lower"])
            same(one["incidence_upper"], expected[key][conf_type]["upper"])


@pytest.mark.parametrize("name", list(oracle()["aalen_johansen_curve"]))
@pytest.mark.shows("EST-aalen-johansen")
def test_r_curve(name: str) -> None:
    """origin R: the whole curves of survfit."""
    for group, expected in oracle()["aalen_johansen_curve"][name].items():
        steps = estimate_incidence(case(name, group), ()).steps()
        for cause, key in CAUSES:
            one = steps.filter(pl.col("cause") == cause)
            same(one["time"], expected["time"])
            same(one["at_risk"], expected["n_risk"])
            same(one["events"], expected[key]["n_event"])
            same(one["incidence"], expected[key]["estimate"])
            same(one["standard_error"], expected[key]["std_err"])
            same(one["incidence_lower"], expected[key]["lower"])
            same(one["incidence_upper"], expected[key]["upper"])


@pytest.mark.parametrize("name", list(oracle()["cuminc_gray"]))
@pytest.mark.shows("EST-aalen-johansen")
def test_r_cuminc_variance(name: str) -> None:
    """origin R: cmprsk::timepoints(cuminc()); cuminc has nothing past its curve and omits an absent cause."""
    section = oracle()["cuminc_gray"][name]
    found = {("all", 1): case(name, "all")}
    curves = {**section["all"]["curves"], **section["by_group"]["curves"]}
    for label, curve in curves.items():
        group, number = label.rsplit(" ", 1)
        frame = found.get((group, 1)) if group == "all" else case(name, group)
        fit = estimate_incidence(frame, (), variance="cuminc").at(section["all"]["time"])
        one = fit.filter(pl.col("cause") == (0 if number == "1" else 2))
        known = [i for i, value in enumerate(curve["estimate"]) if value is not None]
        same(one["incidence"].gather(known), [curve["estimate"][i] for i in known])
        same(one["standard_error"].gather(known).to_numpy() ** 2, [curve["var"][i] for i in known], 1e-8)


def test_r_random_sets_in_one_call() -> None:
    """origin R: 60 random sets as 60 trials."""
    sets = oracle()["random_competing"]
    frame = pl.concat(
        adcr(pl.DataFrame({"TRIAL": i, "time": [float(t) for t in one["time"]], "cause": one["cause"]}))
        for i, one in enumerate(sets.values())
    ).sample(fraction=1, shuffle=True, seed=9)
    when = np.array([one["at"] for one in sets.values()], float)
    found, aalen = estimate_incidence(frame).at_each(when), estimate_incidence(frame, variance="cuminc").at_each(when)
    for cause, key in CAUSES:
        one = found.filter(pl.col("cause") == cause)
        for name, column in (
            ("estimate", "incidence"),
            ("std_err", "standard_error"),
            ("lower", "incidence_lower"),
            ("upper", "incidence_upper"),
        ):
            same(one[column], [item[key][name] for item in sets.values()])
        error = aalen.filter(pl.col("cause") == cause)["standard_error"].to_list()
        for value, item in zip(error, sets.values(), strict=True):
            if item[key]["cuminc_var"] is not None:
                assert value**2 == pytest.approx(item[key]["cuminc_var"], rel=1e-8, abs=1e-12)


rows = st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0, 1, 2])), min_size=1, max_size=40)


def frame_of(data: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(data, schema={"AVAL": pl.Int32, "CNSR": pl.Int8}, orient="row")


@given(rows)
@examples(120)
@pytest.mark.shows("EST-aalen-johansen")
def test_by_definition(data: list[tuple[int, int]]) -> None:
    """origin independent: sum of S(u-) dN/Y, and the infinitesimal jackknife subject by subject."""
    steps = estimate_incidence(frame_of(data), ()).steps().filter(pl.col("cause") == 0)
    survival, incidence = 1.0, 0.0
    moved_s, moved_f = np.zeros(len(data)), np.zeros(len(data))
    expected = []
    for t in sorted({t for t, _ in data}):
        risk = np.array([u >= t for u, _ in data], float)
        own = np.array([u == t and c == 0 for u, c in data], float)
        every = np.array([u == t and c != 1 for u, c in data], float)
        n = risk.sum()
        a, b = own.sum() / n, every.sum() / n
        moved_f = moved_f + moved_s * a + survival * (own - risk * a) / n
        moved_s = moved_s * (1 - b) - survival * (every - risk * b) / n
        incidence, survival = incidence + survival * a, survival * (1 - b)
        expected.append((float(t), incidence, float(np.sqrt((moved_f**2).sum()))))
    assert steps["time"].to_list() == [t for t, *_ in expected]
    np.testing.assert_allclose(steps["incidence"].to_numpy(), [f for _, f, _ in expected], atol=1e-12)
    np.testing.assert_allclose(steps["standard_error"].to_numpy(), [e for *_, e in expected], atol=2e-8)


@given(rows)
@examples(80)
def test_parts_add_up_to_the_whole(data: list[tuple[int, int]]) -> None:
    """The incidences of all events and survival free of them add up to one; limits stay within 0 and 1."""
    fit = estimate_incidence(frame_of(data), ())
    np.testing.assert_allclose(fit.incidence.sum(axis=1) + fit.survival, 1, atol=1e-12)
    for limit in (fit.lower, fit.upper):
        assert ((limit >= 0) & (limit <= 1) | np.isnan(limit)).all()
    alone = frame_of([(t, c) for t, c in data]).with_columns(
        pl.when(pl.col("CNSR") == 2).then(1).otherwise(pl.col("CNSR")).cast(pl.Int8).alias("CNSR")
    )
    one = estimate_incidence(alone, ())
    np.testing.assert_allclose(one.incidence[:, 0], 1 - estimate_survival(alone, ()).survival, atol=1e-12)


def test_batches_do_not_change_a_bit() -> None:
    random = np.random.default_rng(5)
    trial = np.repeat(np.arange(50), random.integers(1, 60, 50))
    frame = pl.DataFrame({"TRIAL": trial, "AVAL": random.integers(1, 400, len(trial)), "CNSR": random.integers(0, 3, len(trial))})
    whole = estimate_incidence(frame).steps().sort("TRIAL", "cause", "time")
    parts = pl.concat(estimate_incidence(frame.filter(pl.col("TRIAL") == i)).steps() for i in range(50)).sort("TRIAL", "cause", "time")
    assert whole.equals(parts)
    assert whole.equals(estimate_incidence(frame.reverse()).steps().sort("TRIAL", "cause", "time"))


def test_refuses() -> None:
    with pytest.raises(InputError, match="variance"):
        estimate_incidence(frame_of([(1, 0)]), (), variance="other")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unknown"):
        estimate_incidence(frame_of([(1, 3)]), ())
    with pytest.raises(InputError, match="kind of limits"):
        estimate_incidence(frame_of([(1, 0)]), (), conf_type="probit")  # type: ignore[arg-type]
