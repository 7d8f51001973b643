"""Kaplan-Meier: R's figures (R), published ones, figures by hand, and an independent slow second implementation."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_oracle import km_case, km_cases, km_frame, oracle, same
from cartrial.analysis.estimators.km import estimate_follow_up, estimate_survival
from cartrial.errors import InputError
from properties import examples

CONF = ("log-log", "log", "plain")


@pytest.mark.parametrize(("name", "group"), km_cases("km_curve"))
@pytest.mark.shows("RULE-7.4", "EST-kaplan-meier")
def test_r_curve(name: str, group: str) -> None:
    """origin R: survfit()."""
    expected = oracle()["km_curve"][name][group]
    for conf_type in CONF:
        steps = estimate_survival(km_case(name, group), by=(), conf_type=conf_type).steps()
        same(steps["time"], expected["time"])
        same(steps["at_risk"], expected["n_risk"])
        same(steps["events"], expected["n_event"])
        same(steps["censored"], expected["n_censor"])
        same(steps["survival"], expected["surv"])
        same(steps["standard_error"], expected["std_err"])
        same(steps["survival_lower"], expected[conf_type]["lower"])
        same(steps["survival_upper"], expected[conf_type]["upper"])


@pytest.mark.parametrize(("name", "group"), km_cases("km_quantile"))
@pytest.mark.shows("RULE-7.4", "EST-km-quantiles")
def test_r_quantiles(name: str, group: str) -> None:
    """origin R: quantile(survfit())."""
    for conf_type in CONF:
        expected = oracle()["km_quantile"][name][group][conf_type]
        row = estimate_survival(km_case(name, group), by=(), conf_type=conf_type).summary((0.25, 0.5, 0.75)).row(0, named=True)
        for suffix, key in (("", "estimate"), ("_lower", "lower"), ("_upper", "upper")):
            same([row["q25" + suffix], row["median" + suffix], row["q75" + suffix]], expected[key])


@pytest.mark.parametrize(("name", "group"), km_cases("reverse_km"))
@pytest.mark.shows("RULE-6.13", "EST-follow-up")
def test_r_reverse(name: str, group: str) -> None:
    """origin R: quantile(survfit(Surv(time, 1 - event)))."""
    for conf_type in CONF:
        expected = oracle()["reverse_km"][name][group][conf_type]
        row = estimate_follow_up(km_case(name, group), by=(), conf_type=conf_type).summary((0.25, 0.5, 0.75)).row(0, named=True)
        for suffix, key in (("", "estimate"), ("_lower", "lower"), ("_upper", "upper")):
            same([row["q25" + suffix], row["median" + suffix], row["q75" + suffix]], expected[key])


@pytest.mark.parametrize(("name", "group"), km_cases("km_landmark"))
@pytest.mark.shows("EST-km-landmark")
def test_r_landmark(name: str, group: str) -> None:
    """origin R: summary(survfit(), times =, extend = TRUE)."""
    for conf_type in CONF:
        expected = oracle()["km_landmark"][name][group][conf_type]
        found = estimate_survival(km_case(name, group), by=(), conf_type=conf_type).at(expected["time"])
        same(found["at_risk"], expected["n_risk"])
        same(found["survival"], expected["surv"])
        same(found["standard_error"], expected["std_err"])
        same(found["survival_lower"], expected["lower"])
        same(found["survival_upper"], expected["upper"])


@pytest.mark.parametrize(("name", "group"), km_cases("rmst"))
@pytest.mark.shows("EST-rmst")
def test_r_restricted_mean(name: str, group: str) -> None:
    """origin R: summary(survfit(), rmean =); where R stops (horizon before the first time), the mean is the horizon."""
    fit = estimate_survival(km_case(name, group), by=())
    for expected in oracle()["rmst"][name][group]:
        row = fit.restricted_mean(expected["tau"]).row(0, named=True)
        if expected["estimate"] is None:
            assert row["rmst"] == expected["tau"]
            assert row["standard_error"] == 0
        else:
            same(row["rmst"], expected["estimate"])
            same(row["standard_error"], expected["std_err"])


@pytest.mark.shows("EST-kaplan-meier")
def test_r_random_sets_in_one_call() -> None:
    """origin R: 200 random sets, estimated together as 200 trials."""
    sets = oracle()["random_sets"]
    frame = pl.concat(
        pl.DataFrame({"TRIAL": i, "AVAL": [float(t) for t in one["time"]], "CNSR": [1 - e for e in one["event"]]})
        for i, one in enumerate(sets.values())
    ).sample(fraction=1.0, shuffle=True, seed=5)
    fit = estimate_survival(frame)
    summary = fit.summary()
    same(summary["median"], [one["median"] for one in sets.values()])
    same(summary["median_lower"], [one["lower"] for one in sets.values()])
    same(summary["median_upper"], [one["upper"] for one in sets.values()])
    landmark = fit.at_each(np.array([one["at"] for one in sets.values()], float))
    same(landmark["survival"], [one["surv"] for one in sets.values()])
    same(landmark["standard_error"], [one["surv_std_err"] for one in sets.values()])
    same(landmark["survival_lower"], [one["surv_lower"] for one in sets.values()])
    same(landmark["survival_upper"], [one["surv_upper"] for one in sets.values()])
    means = fit.restricted_mean([one["tau"] for one in sets.values()])
    same(means["rmst"], [one["rmst"] for one in sets.values()])
    same(means["standard_error"], [one["rmst_std_err"] for one in sets.values()])


def test_by_hand() -> None:
    """origin by hand: 6 subjects, 2 deaths of 6, 1 of 3 left: S = 4/6, then 4/6 * 2/3."""
    frame = pl.DataFrame({"AVAL": [1, 1, 2, 3, 4, 4], "CNSR": [0, 0, 1, 0, 1, 1]})
    steps = estimate_survival(frame, by=()).steps()
    assert steps["at_risk"].to_list() == [6, 4, 3, 2]
    assert steps["survival"].to_list() == pytest.approx([4 / 6, 4 / 6, 4 / 9, 4 / 9])
    greenwood = 2 / (6 * 4) + 1 / (3 * 2)
    assert steps["standard_error"][3] == pytest.approx(4 / 9 * math.sqrt(greenwood))


@pytest.mark.shows("RULE-7.4")
def test_median_midpoint_with_rounded_half() -> None:
    """origin by hand: S(t) = 0.5 in rounded arithmetic is 0.5, so the median is the midpoint (PSIAIMS/CAMIS issue 95)."""
    for name in ("half", "half_float_above", "half_float_below"):
        row = estimate_survival(km_frame(name), by=()).summary().row(0, named=True)
        same(row["median"], oracle()["km_quantile"][name]["all"]["log-log"]["estimate"][1])


def test_times_that_differ_by_rounding_are_one() -> None:
    """origin by hand: 0.1 + 0.2 is 0.3 (R's timefix)."""
    steps = estimate_survival(pl.DataFrame({"AVAL": [0.3, 0.1 + 0.2, 1.0], "CNSR": [0, 0, 1]}), by=()).steps()
    assert steps["time"].to_list() == [0.3, 1.0]
    assert steps["events"].to_list() == [2, 0]


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        ({"AVAL": [1, None], "CNSR": [0, 1]}, "missing"),
        ({"AVAL": [1.0, math.inf], "CNSR": [0, 1]}, "finite"),
        ({"AVAL": [1, 2], "CNSR": [0, 2]}, "unknown"),
        ({"AVAL": [1, 2], "CNSR": [0, None]}, "missing"),
        ({"AVAL": ["1", "2"], "CNSR": [0, 1]}, "not numbers"),
        ({"AVAL": [1, 2], "STATUS": [0, 1]}, "CNSR"),
    ],
)
def test_refuses(frame: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        estimate_survival(pl.DataFrame(frame), by=())


def test_no_rows() -> None:
    fit = estimate_survival(pl.DataFrame(schema={"TRIAL": pl.Int32, "AVAL": pl.Int32, "CNSR": pl.Int8}))
    assert fit.summary().height == fit.steps().height == fit.at([1.0]).height == fit.restricted_mean(1.0).height == 0


subjects = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12), st.booleans()), min_size=1, max_size=60)


def frame_of(rows: list[tuple[int, int, bool]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"TRIAL": pl.Int32, "AVAL": pl.Int32, "CNSR": pl.Boolean}, orient="row").with_columns(
        pl.col("CNSR").cast(pl.Int8)
    )


def slow_curve(rows: list[tuple[int, bool]]) -> list[tuple[float, float, float]]:
    """origin independent: the product-limit estimator and Greenwood's sum from their definition."""
    out, s, v = [], 1.0, 0.0
    for t in sorted({t for t, _ in rows}):
        n = sum(u >= t for u, _ in rows)
        d = sum(u == t and not c for u, c in rows)
        s *= 1 - d / n
        v += d / (n * (n - d)) if n > d else math.inf
        out.append((float(t), s, v))
    return out


@given(subjects)
@examples(150)
@pytest.mark.shows("EST-kaplan-meier")
def test_against_the_definition(rows: list[tuple[int, int, bool]]) -> None:
    steps = estimate_survival(frame_of(rows)).steps()
    for trial in {trial for trial, _, _ in rows}:
        expected = slow_curve([(t, c) for g, t, c in rows if g == trial])
        found = steps.filter(pl.col("TRIAL") == trial)
        assert found["time"].to_list() == [t for t, _, _ in expected]
        assert found["survival"].to_list() == pytest.approx([s for _, s, _ in expected], abs=1e-12)
        for (_, s, v), error in zip(expected, found["standard_error"], strict=True):
            assert error is None if s < 1e-12 else error == pytest.approx(s * math.sqrt(v), abs=1e-12)


@given(subjects, st.randoms(use_true_random=False))
@examples(80)
def test_bounded_and_blind_to_row_order(rows: list[tuple[int, int, bool]], random) -> None:
    fit = estimate_survival(frame_of(rows))
    steps = fit.steps().fill_null(0.5)
    for name in ("survival", "survival_lower", "survival_upper"):
        assert steps[name].is_between(0, 1).all()
    shuffled = list(rows)
    random.shuffle(shuffled)
    again = estimate_survival(frame_of(shuffled))
    assert again.steps().equals(fit.steps())
    assert again.summary((0.25, 0.5, 0.75)).equals(fit.summary((0.25, 0.5, 0.75)))


def test_batches_do_not_change_a_bit() -> None:
    """1 batch or 50, alone or beside a large trial: equal to the last bit."""
    random = np.random.default_rng(11)
    sizes = np.concatenate((random.integers(1, 80, 49), [3000]))
    trial = np.repeat(np.arange(50), sizes)
    frame = pl.DataFrame(
        {"TRIAL": trial, "AVAL": random.exponential(200, len(trial)), "CNSR": (random.random(len(trial)) < 0.4).astype(np.int8)}
    )
    whole = estimate_survival(frame)
    parts = [estimate_survival(frame.filter(pl.col("TRIAL") == i)) for i in range(50)]
    assert whole.summary((0.25, 0.5, 0.75)).equals(pl.concat(part.summary((0.25, 0.5, 0.75)) for part in parts))
    assert whole.steps().equals(pl.concat(part.steps() for part in parts))
    assert whole.at([90.0]).equals(pl.concat(part.at([90.0]) for part in parts))
    assert whole.restricted_mean(300.0).equals(pl.concat(part.restricted_mean(300.0) for part in parts))


def test_a_trial_twice_has_equal_rows() -> None:
    frame = km_frame("ties")
    twice = pl.concat([frame.with_columns(TRIAL=pl.lit(0)), frame.with_columns(TRIAL=pl.lit(7))])
    summary = estimate_survival(twice).summary((0.25, 0.5, 0.75))
    assert summary["TRIAL"].to_list() == [0, 7]
    assert summary.drop("TRIAL")[0].equals(summary.drop("TRIAL")[1])
