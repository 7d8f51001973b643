"""What estimators refuse: one InputError each (by hand, §9 and issue "Right on real data"), and that a valid frame is never refused."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.analysis import (
    analyse,
    best_reads,
    binomial_limits,
    binomial_p_value,
    count_flow,
    count_grades,
    estimate_agreement,
    estimate_cox,
    estimate_fine_gray,
    estimate_firth,
    estimate_follow_up,
    estimate_gray,
    estimate_incidence,
    estimate_kinetics,
    estimate_logrank,
    estimate_rate,
    estimate_survival,
    kappa_of_tables,
    pair_reads,
    results_hash,
    sort_results,
    write_results,
)
from cartrial.analysis.estimators.groups import group_rows
from cartrial.errors import InputError
from cartrial.study import Study
from properties import examples

GOOD = {
    "TRIAL": [1, 1, 1, 1, 2, 2, 2, 2],
    "AVAL": [3, 5, 8, 9, 2, 4, 6, 7],
    "CNSR": [0, 1, 0, 0, 0, 0, 1, 0],
    "X": [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0],
    "G": list("abababab"),
}
TIMED: dict[str, Callable[..., Any]] = {
    "survival": lambda f, **k: estimate_survival(f, **k).summary(),
    "follow_up": lambda f, **k: estimate_follow_up(f, **k).summary(),
    "incidence": lambda f, **k: estimate_incidence(f, **k).at([5]),
    "logrank": lambda f, **k: estimate_logrank(f, "G", **k),
    "gray": lambda f, **k: estimate_gray(f, "G", **k),
    "cox": lambda f, **k: estimate_cox(f, ["X"], **k),
    "firth": lambda f, **k: estimate_firth(f, ["X"], **k),
    "fine_gray": lambda f, **k: estimate_fine_gray(f, ["X"], **k),
}
BY = ("survival", "follow_up", "incidence", "logrank", "gray")
TWO = ("survival", "follow_up", "logrank", "cox", "firth")
MODELS = ("cox", "firth", "fine_gray")
LEVELS = ("survival", "follow_up", "incidence", *MODELS)


def frame(**columns: object) -> pl.DataFrame:
    return pl.DataFrame(GOOD | columns)


def refused(call: Callable[[], object], *words: str) -> None:
    """One InputError, in one line, that says what is wrong and what would be right; and no warning on the terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as caught:
            call()
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text, text


@pytest.mark.parametrize("name", TIMED)
def test_the_frame_that_is_spoilt_below_is_good(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert TIMED[name](frame()).height


TIMES: list[tuple[object, str]] = [
    ([-1, 5, 8, 9, 2, 4, 6, 7], "negative"),
    ([-0.5, 5, 8, 9, 2, 4, 6, 7], "negative"),
    ([math.nan, 5, 8, 9, 2, 4, 6, 7], "finite"),
    ([math.inf, 5, 8, 9, 2, 4, 6, 7], "finite"),
    ([None, 5, 8, 9, 2, 4, 6, 7], "missing"),
    (list("12345678"), "not numbers"),
    ([True] * 8, "not numbers"),
]


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize(("times", "word"), TIMES)
def test_times(name: str, times: object, word: str) -> None:
    refused(lambda: TIMED[name](frame(AVAL=times)), "AVAL", word)
    refused(lambda: TIMED[name](frame().drop("AVAL")), "no column AVAL")
    refused(lambda: TIMED[name](frame(), time="OTHER"), "no column OTHER")


CODES: list[tuple[object, str]] = [
    ([0, 1, -1, 0, 0, 0, 1, 0], "-1"),
    ([0, 1, 7, 0, 0, 0, 1, 0], "7"),
    ([0.5, 1, 0, 0, 0, 0, 1, 0], "no integer"),
    ([math.nan, 1, 0, 0, 0, 0, 1, 0], "no integer"),
    ([math.inf, 1, 0, 0, 0, 0, 1, 0], "no integer"),
    ([None, 1, 0, 0, 0, 0, 1, 0], "missing"),
    (list("01000010"), "no integer"),
    ([True, False] * 4, "flags"),
]


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize(("codes", "word"), CODES)
def test_codes(name: str, codes: object, word: str) -> None:
    refused(lambda: TIMED[name](frame(CNSR=codes)), "CNSR", word)
    refused(lambda: TIMED[name](frame().drop("CNSR")), "no column CNSR")


@pytest.mark.parametrize("name", TWO)
def test_adam_codes_are_refused_with_the_option_and_read_by_it(name: str) -> None:
    reasons = frame(CNSR=[0, 2, 0, 0, 0, 0, 5, 0])
    refused(lambda: TIMED[name](reasons), "above 0 means censored", 'codes="ADaM"')
    assert TIMED[name](reasons, codes="ADaM").equals(TIMED[name](frame()))
    refused(lambda: TIMED[name](frame(), codes="sdtm"), "codes", "Known are: 0/1, ADaM")
    refused(lambda: TIMED[name](frame(CNSR=[0, -2, 0, 0, 0, 0, 5, 0]), codes="ADaM"), "-2")


@pytest.mark.parametrize("name", TIMED)
def test_whole_decimals_are_codes_and_times(name: str) -> None:
    """XPT has every number as a decimal."""
    decimal = frame().with_columns(pl.col("CNSR", "AVAL").cast(pl.Float64))
    assert TIMED[name](decimal).equals(TIMED[name](frame()))


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("level", [0, 1, 95, -0.5, math.nan, math.inf, "0.95", None, True])
def test_confidence_levels(name: str, level: object) -> None:
    refused(lambda: TIMED[name](frame(), conf_level=level), "conf_level", "between 0 and 1")
    pairs = pl.DataFrame({"TRIAL": 1, "FIRST": ["CR", "NR"], "SECOND": ["CR", "CR"]})
    for call in (
        lambda: binomial_limits([1], [2], conf_level=level),
        lambda: estimate_rate(pl.DataFrame({"TRIAL": [1], "AVAL": [1]}), conf_level=level),
        lambda: estimate_agreement(pairs, conf_level=level),
        lambda: kappa_of_tables(np.ones((1, 2, 2), int), conf_level=level),
    ):
        refused(call, "conf_level")


@pytest.mark.parametrize("wrong", ["two.sided", "Greater", "", None, 1, "greater "])
def test_words(wrong: object) -> None:
    refused(lambda: binomial_p_value([8], [10], 0.3, wrong), "alternative", "Known are: greater, less")
    refused(lambda: binomial_limits([8], [10], wrong), "method", "Clopper-Pearson")
    refused(lambda: estimate_rate(frame(AVAL=[1] * 8), method=wrong), "method", "Clopper-Pearson")
    refused(lambda: estimate_survival(frame(), conf_type=wrong), "conf_type", "log-log")
    refused(lambda: estimate_follow_up(frame(), conf_type=wrong), "conf_type", "log-log")
    refused(lambda: estimate_incidence(frame(), conf_type=wrong), "conf_type", "log-log")
    refused(lambda: estimate_incidence(frame(), variance=wrong), "variance", "survfit")
    refused(lambda: estimate_cox(frame(), ["X"], ties=wrong), "ties", "efron")


COUNTS: list[tuple[object, object, str]] = [
    ([1.5], [3], "1.5 is no count"),
    ([1], [3.5], "3.5 is no count"),
    ([-1], [3], "-1 is no count"),
    ([math.nan], [3], "nan is no count"),
    ([None], [3], "no count"),
    ([1], [math.inf], "inf is no count"),
    ([11], [10], "above the number of subjects"),
    (["1"], ["2"], "not numbers"),
    ([True], [True], "not numbers"),
    ([1, 2], [3, 3, 3], "2 numbers of responders and 3 of subjects"),
    ([[1], [2, 3]], [3], "not numbers"),
]


@pytest.mark.parametrize(("x", "n", "words"), COUNTS)
def test_counts(x: object, n: object, words: str) -> None:
    refused(lambda: binomial_limits(x, n), words)
    refused(lambda: binomial_p_value(x, n, 0.3), words)


def test_whole_decimals_are_counts() -> None:
    assert [limit.tolist() for limit in binomial_limits([8.0], [10.0])] == [limit.tolist() for limit in binomial_limits([8], [10])]
    assert binomial_p_value(8, 10, 0.3).item() == binomial_p_value([8], [10], 0.3).item()


@pytest.mark.parametrize("null", [-0.1, 1.1, math.nan, "0.3", None, True, [0.3, 2]])
def test_null_rates(null: object) -> None:
    refused(lambda: binomial_p_value([8, 8], [10, 10], null), "null")


def test_null_rates_of_another_number() -> None:
    refused(lambda: binomial_p_value([8, 8], [10, 10], [0.1, 0.2, 0.3]), "null", "3 null rates")


@pytest.mark.parametrize("values", [["Y", "N"] * 4, [0.5] + [1.0] * 7, [math.nan] + [1.0] * 7, [2] + [1] * 7, [[1]] * 8])
def test_responses(values: object) -> None:
    refused(lambda: estimate_rate(frame(AVAL=values)), "AVAL", "neither 0 nor 1")


@pytest.mark.parametrize("shares", [(50,), (0,), (1,), (-0.5,), (math.nan,), ("0.5",), (None,), (0.5, 0.5), "median"])
def test_quantiles(shares: object) -> None:
    refused(lambda: estimate_survival(frame()).summary(shares), "quantile")


@pytest.mark.parametrize("when", [math.inf, -1, math.nan, "365", None, True])
def test_moments_and_horizons(when: object) -> None:
    fit, curves = estimate_survival(frame()), estimate_incidence(frame())
    refused(lambda: fit.restricted_mean(when), "until")
    if when is not True:  # beside a number it is one
        refused(lambda: fit.restricted_mean([1, when]), "until")
        refused(lambda: fit.at([5, when]), "times")
    refused(lambda: curves.at([when]), "times")
    refused(lambda: fit.restricted_mean([1, 2, 3]), "3 horizons and 2 groups")


@pytest.mark.parametrize("cause", [1, 3, -1, 0.5, "0", None, True])
def test_causes(cause: object) -> None:
    words = "censoring" if cause == 1 and cause is not True else "cause"
    refused(lambda: estimate_gray(frame(), "G", cause=cause), words, "Codes of events are 0, 2")
    refused(lambda: estimate_fine_gray(frame(), ["X"], cause=cause), words, "Codes of events are 0, 2")


@pytest.mark.parametrize("states", [0, 1, -3, 2.5, "3", None, True, 10**9])
def test_states(states: object) -> None:
    refused(lambda: estimate_incidence(frame(), states=states), "states")
    refused(lambda: estimate_gray(frame(), "G", states=states), "states")


@pytest.mark.parametrize("rho", [math.nan, math.inf, "1", None])
def test_weights(rho: object) -> None:
    refused(lambda: estimate_gray(frame(), "G", rho=rho), "rho")
    refused(lambda: estimate_logrank(frame(), "G", rho=rho), "rho")


EMPTY = [["a", None] * 4, ["a", ""] * 4, ["a", "  "] * 4, [1.0, math.nan] * 4]


@pytest.mark.parametrize("values", EMPTY)
def test_empty_groups_strata_and_covariates(values: object) -> None:
    spoilt = frame(G=values, S=values)
    refused(lambda: estimate_logrank(spoilt, "G"), "G")
    refused(lambda: estimate_gray(spoilt, "G"), "G")
    for name in ("cox", "firth", "logrank", "gray"):
        refused(lambda name=name: TIMED[name](frame(S=values), strata=["S"]), "S")
    for fit in (estimate_cox, estimate_firth, estimate_fine_gray):
        refused(lambda fit=fit: fit(spoilt, ["G"]), "G", "missing")


@pytest.mark.parametrize("name", BY)
def test_group_columns(name: str) -> None:
    call = TIMED[name]
    refused(lambda: call(frame(TRIAL=[1, None] * 4)), "TRIAL", "empty")
    refused(lambda: call(frame(TRIAL=[1.0, math.nan] * 4)), "TRIAL")
    refused(lambda: call(frame(TRIAL=[[1], [2]] * 4)), "TRIAL", "no groups")
    refused(lambda: call(frame(), by=["ARM"]), "no column ARM")
    refused(lambda: call(frame(), by=["TRIAL", "TRIAL"]), "twice")
    refused(lambda: call(frame(), by=[1]), "by")
    refused(lambda: call(frame(), by=3), "by")
    assert call(frame(), by="TRIAL").equals(call(frame(), by=["TRIAL"]))


RESERVED = {"survival": "N", "follow_up": "events", "incidence": "cause", "logrank": "chi_square", "gray": "groups"}


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_names(name: str) -> None:
    taken = frame().rename({"TRIAL": RESERVED[name]})
    refused(lambda: TIMED[name](taken, by=[RESERVED[name]]), RESERVED[name], "column of the result")


def test_reserved_names_of_other_results() -> None:
    fit = estimate_survival(frame().rename({"TRIAL": "time"}), ["time"])
    for call in (fit.steps, lambda: fit.at([1]), lambda: fit.restricted_mean(1)):
        refused(call, "time", "column of the result")
    answered = frame(AVAL=[1] * 8).rename({"TRIAL": "rate"})
    refused(lambda: estimate_rate(answered, ["rate"]), "rate", "column of the result")
    refused(lambda: estimate_kinetics(frame().rename({"TRIAL": "n"}), ["n"]), "n", "column of the result")
    pairs = pl.DataFrame({"kappa": 1, "FIRST": ["CR", "NR"], "SECOND": ["CR", "CR"]})
    refused(lambda: estimate_agreement(pairs, ["kappa"]), "kappa", "column of the result")


COVARIATES: list[tuple[object, str]] = [
    ([1.0] * 8, "varies"),
    (["a"] * 8, "varies"),
    ([0.3, 0.1 + 0.2] * 4, "varies"),
    ([math.inf, 1.0] * 4, "finite"),
    ([[1], [2]] * 4, "type"),
]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("values", "word"), COVARIATES)
def test_covariates(name: str, values: object, word: str) -> None:
    fit = TIMED[name]
    refused(lambda: fit(frame(X=values)), "X", word)


@pytest.mark.parametrize("fit", [estimate_cox, estimate_firth, estimate_fine_gray])
def test_lists_of_covariates(fit: Callable[..., pl.DataFrame]) -> None:
    refused(lambda: fit(frame(), []), "no covariate")
    refused(lambda: fit(frame(), ["DOSE"]), "no column DOSE")
    refused(lambda: fit(frame(), ["X", "X"]), "twice")
    refused(lambda: fit(frame(), ["AVAL"]), "AVAL")
    refused(lambda: fit(frame(), None), "covariates")
    refused(lambda: fit(frame(CNSR=[1] * 8), ["X"]), "no subject has the event")
    refused(lambda: fit(frame().clear(), ["X"]), "no subject has the event")
    assert fit(frame(), "X").equals(fit(frame(), ["X"]))


def frames() -> list[Callable[[Any], object]]:
    return [
        *(lambda f, call=call: call(f) for call in TIMED.values()),
        lambda f: estimate_rate(f),
        lambda f: estimate_kinetics(f),
        lambda f: estimate_agreement(f),
        lambda f: count_flow(f),
        lambda f: count_grades(f, f, "TERM"),
        lambda f: pair_reads(f, "INV", "IRC"),
        lambda f: best_reads(f, "INV", "IRC"),
        lambda f: group_rows(f, ["TRIAL"]),
    ]


@pytest.mark.parametrize("call", frames())
def test_other_frames_are_refused_by_name(call: Callable[[Any], object]) -> None:
    pandas = pytest.importorskip("pandas")
    refused(lambda: call(pandas.DataFrame(GOOD)), "pandas DataFrame", "polars.from_pandas")
    refused(lambda: call(frame().lazy()), "LazyFrame", "collect")
    refused(lambda: call(GOOD), "dict", "polars.DataFrame")
    refused(lambda: call(None), "NoneType")
    refused(lambda: call(pl.DataFrame({"OTHER": [1]})), "no column")


@pytest.mark.parametrize("values", [[-1.0] + [1.0] * 7, [math.nan] + [1.0] * 7, [math.inf] + [1.0] * 7, list("12345678")])
def test_measurements(values: object) -> None:
    refused(lambda: estimate_kinetics(frame(AVAL=values)), "AVAL")


@pytest.mark.parametrize("call", [None, "", " "])
def test_calls(call: str | None) -> None:
    for first, second in ((["CR", call], ["CR", "NR"]), (["CR", "NR"], ["CR", call])):
        refused(
            lambda first=first, second=second: estimate_agreement(pl.DataFrame({"FIRST": first, "SECOND": second}), ()), "a call is empty"
        )


@pytest.mark.parametrize(
    "tables", [[[1, 2], [3, 4]], np.ones((1, 2, 3)), [[[0.5, 1], [1, 1]]], [[[-1, 1], [1, 1]]], [[[math.nan, 1], [1, 1]]], "x"]
)
def test_tables_of_calls(tables: object) -> None:
    refused(lambda: kappa_of_tables(tables), "tables")


@pytest.mark.shows("EST-kappa")
def test_limits_of_kappa_stay_within_its_range() -> None:
    """By hand: kappa 0.6 with a standard error of 0.256 would reach 1.1."""
    row = estimate_agreement(pl.DataFrame({"FIRST": ["CR", "CR", "NR", "NR"], "SECOND": ["CR", "CR", "NR", "MLFS"]}), ()).row(0, named=True)
    assert (round(row["kappa"], 6), row["upper"]) == (0.6, 1.0)
    worse = pl.DataFrame({"FIRST": ["CR", "CR", "NR", "NR", "NR"], "SECOND": ["NR", "NR", "CR", "CR", "NR"]})
    assert estimate_agreement(worse, ())["lower"].item() == -1.0


@pytest.mark.shows("EST-kappa")
@pytest.mark.parametrize(("second", "kappa"), [(["CR", "CR", "NR"], 1.0), (["CR", "CR", "CR"], 0.0)])
def test_kappa_without_a_width_has_no_limits(second: list[str], kappa: float) -> None:
    """By hand: of full agreement, and of a reader with one call alone, every term of the variance cancels; that is no certainty."""
    row = estimate_agreement(pl.DataFrame({"FIRST": ["CR", "CR", "NR"], "SECOND": second}), ()).row(0, named=True)
    assert (round(row["kappa"], 12), row["standard_error"], row["lower"], row["upper"]) == (kappa, 0.0, None, None)


def test_a_mean_beyond_the_last_time() -> None:
    """By hand (A22): a curve at 0 has its mean up to any horizon, (1 + 2 + 3)/3; the other one's is a guess past day 8, as R's."""
    gone = estimate_survival(pl.DataFrame({"AVAL": [1, 2, 3], "CNSR": [0, 0, 0]}), ()).restricted_mean(1000).row(0, named=True)
    assert gone["rmst"] == pytest.approx(2.0)
    assert gone["observed"]
    left = estimate_survival(pl.DataFrame({"AVAL": [2, 4, 6, 8], "CNSR": [0, 1, 0, 1]}), ()).restricted_mean(1000).row(0, named=True)
    assert left["rmst"] == pytest.approx(2 + 4 * 0.75 + 994 * 0.375)
    assert not left["observed"]


def test_very_large_numbers_of_groups_and_times() -> None:
    """By hand: groups at the ends of 64 bits, and times of 1e18, are still groups and times."""
    ends = pl.DataFrame({"TRIAL": [2**63 - 1, -(2**63), 2**63 - 1], "AVAL": [1.0, 1e18, 2e18], "CNSR": [0, 0, 0]})
    found = estimate_survival(ends).summary()
    assert found["TRIAL"].to_list() == [-(2**63), 2**63 - 1]
    assert found["median"].to_list() == [1e18, pytest.approx((1 + 2e18) / 2)]


subjects = st.lists(
    st.tuples(st.integers(0, 3), st.floats(0, 1e6) | st.integers(0, 50), st.integers(0, 2), st.floats(-1e9, 1e9), st.sampled_from("abc")),
    min_size=1,
    max_size=40,
)


@pytest.mark.slow
@given(subjects)
@examples(60)
def test_a_valid_frame_is_never_refused(rows: list[tuple]) -> None:
    """By hand: a frame of times from 0 on and known codes has estimates, or is refused for want of events or of a covariate that varies."""
    schema = {"TRIAL": pl.Int32, "AVAL": pl.Float64, "CNSR": pl.Int8, "X": pl.Float64, "G": pl.String}
    data = pl.DataFrame([(t, float(a), c, x, g) for t, a, c, x, g in rows], schema=schema, orient="row")
    two = data.with_columns(pl.col("CNSR").clip(0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in BY:
            TIMED[name](two if name in TWO else data)
        for name in MODELS:
            for covariates in (["X"], ["G"], ["X", "G"]):
                fit = {"cox": estimate_cox, "firth": estimate_firth, "fine_gray": estimate_fine_gray}[name]
                used = data if name == "fine_gray" else two
                try:
                    found = fit(used, covariates)
                except InputError as error:
                    assert "no subject has the event" in str(error) or "varies" in str(error)
                    continue
                figures = found.filter("converged").select("coefficient", "standard_error", "p_value")
                assert not figures.null_count().sum_horizontal().sum()
                assert (found.filter("converged")["standard_error"] > 0).all()
                assert found.filter(~pl.col("converged"))["hazard_ratio"].null_count() == (~found["converged"]).sum()
                assert found.filter(~pl.col("converged"))["method"].str.contains("not estimable").all()


@pytest.mark.parametrize("use", [sort_results, results_hash, lambda frame: write_results(frame, "results.json")])
def test_a_frame_that_is_no_results_is_refused_by_each_that_takes_results(use: Callable[[Any], object]) -> None:
    """Expected: `by hand`, from the review: the words of `check_results`."""
    with pytest.raises(InputError, match="the columns of the results are not as they should be: study, trial,"):
        use(pl.DataFrame({"value": ["a"]}))
    with pytest.raises(InputError, match="no polars DataFrame"):
        use(None)


def test_what_is_no_study_is_refused_by_analyse() -> None:
    """Expected: `by hand`, from the review: one message that says what to give."""
    with pytest.raises(InputError, match=r"^study: 'inaticel' is no Study. For example Study.load"):
        analyse("inaticel", None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^adam: None is no Adam. For example derive"):
        analyse(Study.load("inaticel"), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("estimate", [estimate_logrank, estimate_gray])
@pytest.mark.parametrize("rho", [-1e9, 1e9, -10.5, float("inf"), float("nan")])
def test_a_weight_that_overflows_is_refused(estimate: Callable[..., pl.DataFrame], rho: float) -> None:
    """Expected: `by hand`, from the review: from -10 to 10."""
    frame = pl.DataFrame({"TRIAL": 1, "ARM": ["A", "A", "B", "B"], "AVAL": [1, 2, 3, 4], "CNSR": 0})
    with pytest.raises(InputError, match=r"^rho: "):
        estimate(frame, "ARM", rho=rho)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert estimate(frame, "ARM", rho=-10).height == 1


def test_values_of_other_kinds_are_refused_in_one_message():
    """What looks like a number or holds several is no confidence level, cause or column."""
    frame = pl.DataFrame({"TRIAL": 1, "AVAL": [1.0, 2, 3, 4], "CNSR": [0, 1, 2, 0], "G": ["a", "b", "a", "b"]})
    rates = frame.with_columns(pl.Series("AVAL", [0, 1, 0, 1]))
    for call in (
        lambda: estimate_rate(rates, conf_level=Decimal("0.95")),
        lambda: estimate_gray(frame, "G", cause=np.array([0, 2])),
        lambda: estimate_gray(frame, "G", cause=pl.Series([1])),
        lambda: estimate_kinetics(frame, value=["AVAL"]),
    ):
        with pytest.raises(InputError):
            call()
