"""Quantiles of very many curves in one pass: R's figures (R), and what is read from the curves (independent: NumPy over whole curves).

The pass is compiled and used from 20,000 subjects on; here it is asked for smaller ones too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis_oracle import km_case, km_cases, oracle, same
from cartrial import kernels
from cartrial.analysis.estimators.km import KaplanMeier, estimate_follow_up, estimate_survival
from cartrial.analysis.estimators.km_kernel import Leaving, find_quantiles
from cartrial.analysis.estimators.risk import TOLERANCE, order_departures
from helpers import ORACLE
from properties import count, examples

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba (extra `fast`) is not installed: curves are made")
QUARTILES = (0.25, 0.5, 0.75)


@contextmanager
def compiled_from(rows: int) -> Iterator[None]:
    """Compile from so many rows on, whatever was done before."""
    with patch.object(kernels, "COMPILE_FROM", rows), patch.object(kernels, "PATIENCE", 1 << 30):
        yield


def both(frame: pl.DataFrame, quantiles: tuple[float, ...] = QUARTILES, **asked) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the summary made in one pass, and the one read from the curves."""
    with compiled_from(0):
        fast = estimate_survival(frame, **asked).summary(quantiles)
    with compiled_from(1 << 60):
        slow = estimate_survival(frame, **asked).summary(quantiles)
    return fast, slow


def passed(fit: KaplanMeier, share: float = 0.5) -> bool:
    """Whether the pass gives the quantile."""
    with compiled_from(0):
        return fit._in_one_pass(share) is not None


def simulate(trials: int, subjects: int, seed: int = 3) -> pl.DataFrame:
    """Whole days of exponential times, censored uniformly, in no order."""
    random = np.random.default_rng(seed)
    event, censored = random.exponential(400, trials * subjects), random.uniform(60, 900, trials * subjects)
    return pl.DataFrame(
        {
            "TRIAL": random.permutation(np.repeat(np.arange(trials), subjects)),
            "AVAL": np.ceil(np.minimum(event, censored)).astype(np.int32),
            "CNSR": (censored < event).astype(np.int8),
        }
    )


HAND_MADE = {path.stem for path in (ORACLE / "data").glob("*.csv")}
CASES = [
    pytest.param(name, group, marks=() if name in HAND_MADE else pytest.mark.slow)  # the public ones need packages that load slowly
    for name, group in km_cases("km_quantile")
]


@needs_numba
@pytest.mark.parametrize(("name", "group"), CASES)
@pytest.mark.shows("EST-km-quantiles")
def test_r_quantiles(name: str, group: str) -> None:
    """origin R: quantile(survfit()); of times that are not whole the pass gives none."""
    frame = km_case(name, group)
    fit = estimate_survival(frame, by=())
    assert passed(fit) == (frame["AVAL"] == frame["AVAL"].round()).all()
    expected = oracle()["km_quantile"][name][group]["log-log"]
    with compiled_from(0):
        row = fit.summary(QUARTILES).row(0, named=True)
    for suffix, key in (("", "estimate"), ("_lower", "lower"), ("_upper", "upper")):
        same([row["q25" + suffix], row["median" + suffix], row["q75" + suffix]], expected[key])


@needs_numba
def test_r_random_sets_in_one_call() -> None:
    """origin R: 200 random sets, estimated together as 200 trials; those of whole times."""
    sets = {name: one for name, one in oracle()["random_sets"].items() if all(float(t).is_integer() for t in one["time"])}
    assert len(sets) >= 20
    frame = pl.concat(
        pl.DataFrame({"TRIAL": i, "AVAL": [float(t) for t in one["time"]], "CNSR": [1 - e for e in one["event"]]})
        for i, one in enumerate(sets.values())
    )
    fit = estimate_survival(frame)
    assert passed(fit)
    with compiled_from(0):
        summary = fit.summary()
    same(summary["median"], [one["median"] for one in sets.values()])
    same(summary["median_lower"], [one["lower"] for one in sets.values()])
    same(summary["median_upper"], [one["upper"] for one in sets.values()])


rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.booleans()), min_size=1, max_size=70)
ALL_CENSORED = [(0, 3, True), (0, 5, True), (1, 2, False)]
HALF_TO_THE_END = [(0, 1, False), (0, 4, False), (0, 6, True), (0, 9, True)]


@needs_numba
@given(rows, st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 0.6, 0.9]), st.sampled_from([0.5, 0.8, 0.95, 0.999]))
@example(ALL_CENSORED, 0.5, 0.95)
@example([(0, 7, False)], 0.5, 0.95)
@example([(0, 7, True)], 0.5, 0.95)
@example([(0, 0, False), (0, 0, True)], 0.5, 0.95)
@example(HALF_TO_THE_END, 0.5, 0.95)
@examples(300)
def test_the_same_as_the_curves(rows: list[tuple[int, int, bool]], share: float, conf_level: float) -> None:
    """origin independent: read from the curves by NumPy, to the last bit; ties, one subject, nobody with an event, nothing reached."""
    frame = pl.DataFrame(rows, schema={"TRIAL": pl.Int32, "AVAL": pl.Int32, "CNSR": pl.Boolean}, orient="row")
    frame = frame.with_columns(pl.col("CNSR").cast(pl.Int8))
    fast, slow = both(frame, (share,), conf_level=conf_level)
    assert fast.equals(slow)


@needs_numba
def test_what_is_not_reached_is_null() -> None:
    """origin by hand: nobody has the event; S stays at exactly one half from day 4 to the last day, 9; one of one has it."""
    frame = pl.DataFrame(
        [*ALL_CENSORED[:2], *((1, t, c) for _, t, c in HALF_TO_THE_END), (2, 7, False)],
        schema={"TRIAL": pl.Int64, "AVAL": pl.Int64, "CNSR": pl.Int64},
        orient="row",
    )
    with compiled_from(0):
        fit = estimate_survival(frame)
        assert fit._in_one_pass(0.5) is not None
        found = fit.summary()
    assert found.select("N", "events", "censored").rows() == [(2, 0, 2), (4, 2, 2), (1, 1, 0)]
    assert found["median"].to_list() == [None, (4 + 9) / 2, 7.0]
    assert found.select("median_lower", "median_upper").rows()[0] == (None, None)
    assert found.select("median_lower", "median_upper").rows()[2] == (None, None)


@needs_numba
def test_many_trials_take_the_pass_by_themselves() -> None:
    """origin independent: 500 trials of 48 are above the limit from which kernels are compiled; and the curves."""
    frame = simulate(500, 48)
    fit = estimate_survival(frame)
    assert fit._in_one_pass(0.5) is not None
    fast, slow = both(frame)
    assert fit.summary(QUARTILES).equals(slow)
    assert fast.equals(slow)
    assert "table" not in estimate_survival(frame).__dict__
    with compiled_from(1 << 60):
        assert estimate_survival(frame).steps().equals(fit.steps())  # sorted by counting or by NumPy
        reverse = estimate_follow_up(frame).summary()
    assert estimate_follow_up(frame).summary().equals(reverse)


@needs_numba
@pytest.mark.slow
def test_ten_thousand_trials() -> None:
    """origin independent: the curves. The same medians and limits in 10,000 of 10,000."""
    frame = simulate(10_000, 48, seed=8)
    fit = estimate_survival(frame)
    assert fit._in_one_pass(0.5) is not None
    fast, slow = both(frame)
    assert fast.height == 10_000
    assert fast.equals(slow)


@needs_numba
def test_neighbours_change_nothing() -> None:
    """origin independent: each trial by itself, one of them large."""
    frame = pl.concat([simulate(20, 30), simulate(1, 2000).with_columns(pl.col("TRIAL") + 20)])
    with compiled_from(0):
        whole = estimate_survival(frame).summary(QUARTILES)
        parts = [estimate_survival(frame.filter(pl.col("TRIAL") == i)).summary(QUARTILES) for i in range(21)]
    assert whole.equals(pl.concat(parts))


@needs_numba
def test_where_rounding_decides_the_curves_do() -> None:
    """origin by hand: a share so that a limit of the curve stands at its edge."""
    fit = estimate_survival(simulate(1, 48))
    edges = [float(1 - value + TOLERANCE) for curve in (fit.survival, fit.lower, fit.upper) for value in curve[12:20]]
    edges = [share for share in edges if 0.01 < share < 0.99]
    assert len(edges) > 10
    for share in edges:
        assert not passed(fit, share)
        assert not passed(fit, share + 3e-12)
        assert passed(fit, share + 1e-9)
        with compiled_from(0):
            found = fit.summary((share,))
        with compiled_from(1 << 60):
            assert found.equals(fit.summary((share,)))


@needs_numba
def test_a_limit_exactly_at_the_share() -> None:
    """origin independent: the curves. By hand: the limit is the share within the tolerance: the midpoint with the next time."""
    frame = simulate(1, 30, seed=5)
    fit = estimate_survival(frame)
    midpoints = 0
    for curve in (fit.survival, fit.lower, fit.upper):
        for share in sorted({float(1 - value) for value in curve if 0.01 < value < 0.99}):
            assert passed(fit, share)
            fast, slow = both(frame, (share,))
            assert fast.equals(slow)
            midpoints += sum(value is not None and value % 1 == 0.5 for value in fast.row(0)[-3:])
    assert midpoints > 10


# a hundred of whom 65 have it on day 1, and one of the last two on day 3: so few are then at risk that the upper limit rises again
RISING_AGAIN = [(1, 0)] * 65 + [(2, 1)] * 33 + [(3, 0), (4, 1)]


def _days(rows: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame([(1, *row) for row in rows], schema={"TRIAL": pl.Int32, "AVAL": pl.Int32, "CNSR": pl.Int8}, orient="row")


@needs_numba
def test_of_limits_that_turn_back_the_least_counts() -> None:
    """origin R: survival 3.5-3, quantile(survfit(Surv(t, e) ~ 1, conf.type = "log-log"), c(.25, .5, .6)); upper limits .443 and .460.

    The median's upper limit is day 3, though the limit is below one half on day 1 already. By hand: for a share between 1 - .460 and
    1 - .443 it is day 1.
    """
    frame = _days(RISING_AGAIN)
    assert passed(estimate_survival(frame))
    with compiled_from(0):
        row = estimate_survival(frame).summary((0.25, 0.5, 0.6, 0.55)).row(0, named=True)
    assert [row[name] for name in ("q25", "median", "q60")] == [1.0, 1.0, 1.0]
    assert [row[name + "_lower"] for name in ("q25", "median", "q60")] == [1.0, 1.0, 1.0]
    assert [row[name + "_upper"] for name in ("q25", "median", "q60")] == [3.0, 3.0, None]
    assert row["q55_upper"] == 1.0


@needs_numba
@pytest.mark.parametrize("lost", [8, 9], ids=["one stays", "nobody stays"])
def test_a_lower_limit_at_the_share_before_the_curve_falls_past_it(lost: int) -> None:
    """origin by hand: of ten, one has it on day 1, where the lower limit is the share, and the curve falls past it on day 2.

    The limit is the midpoint with day 2; where the curve has ended it has no limits, and there is no second day.
    """
    frame = _days([(1, 0)] + [(2, 0)] * lost + [(3, 1)] * (9 - lost))
    share = float(1 - estimate_survival(frame).lower[0])
    assert passed(estimate_survival(frame), share) and 0.1 < share < 0.9
    fast, slow = both(frame, (share,))
    assert fast.equals(slow)
    assert fast.row(0)[-2] == (1.5 if lost == 8 else None)


@needs_numba
def test_limits_that_cannot_be_told_apart_are_read_from_the_curves() -> None:
    """origin by hand: with limits of nearly all the lower one is 0 at the first death and at the second."""
    frame = pl.DataFrame({"TRIAL": [1] * 3, "AVAL": [1, 2, 3], "CNSR": [0, 0, 1]})
    fit = estimate_survival(frame, conf_level=1 - 1e-15)
    assert fit.lower[:2].max() < 1e-20
    assert not passed(fit)
    fast, slow = both(frame, conf_level=1 - 1e-15)
    assert fast.equals(slow)
    assert fast["median_lower"].item() == 1.0


@needs_numba
@pytest.mark.parametrize(
    ("change", "asked"),
    [
        (pl.col("AVAL") + 0.5, {}),
        (pl.col("AVAL") + 100_000_000, {}),
        (pl.col("AVAL"), {"conf_type": "log"}),
        (pl.col("AVAL"), {"conf_type": "plain"}),
    ],
)
def test_what_the_pass_is_not_for(change: pl.Expr, asked: dict) -> None:
    """Halves of days, times so large that neighbours are one, and other limits are read from the curves; sparse whole days are not."""
    frame = simulate(5, 30)
    assert passed(estimate_survival(frame))
    assert passed(estimate_survival(frame.with_columns(pl.col("AVAL") * 30_000)))
    assert not passed(estimate_survival(frame.with_columns(change.alias("AVAL")), **asked))
    assert not passed(estimate_survival(frame), 1e-9)
    fast, slow = both(frame.with_columns(change.alias("AVAL")), **asked)
    assert fast.equals(slow)
    fast, slow = both(frame.with_columns(pl.col("AVAL").cast(pl.Float64) * 30_000))
    assert fast.equals(slow)


@needs_numba
def test_interpreted_and_compiled_are_one() -> None:
    """origin independent: the same function as Python runs it."""
    fit = estimate_survival(simulate(count(40, quick=8), 25))
    leaving = Leaving(fit.rows.packed, fit.rows.starts, fit.rows.values.astype(np.float64))
    found = np.empty((len(fit.rows.subjects), 3))
    assert not find_quantiles.function(leaving, 0.5, TOLERANCE, 1.959963984540054, found)
    with compiled_from(0):
        np.testing.assert_array_equal(found, fit._in_one_pass(0.5))


@needs_numba
@given(st.lists(st.tuples(st.integers(-2, 4), st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=60), st.sampled_from([1, 7_000]))
@examples(60)
def test_rows_are_ordered_by_counting(rows: list[tuple[int, int, int]], step: int) -> None:
    """origin independent: NumPy's sort; three states, gaps between groups and between times."""
    group, time, state = (np.array(column) for column in zip(*rows, strict=True))
    frame, states = pl.DataFrame({"G": group}), state.astype(np.int64)
    with compiled_from(0):
        counted = order_departures(frame, ["G"], time * step, states, 3)
    with compiled_from(1 << 60):
        expected = order_departures(frame, ["G"], time * step, states, 3)
    assert counted.packed.tolist() == expected.packed.tolist() == sorted(expected.packed.tolist())
    assert counted.values[(counted.packed // 3) % len(counted.values)].tolist() == [t for _, t in sorted((g, t * step) for g, t, _ in rows)]


def test_an_unknown_kind_of_limits_is_refused_before_anything_is_read() -> None:
    from cartrial.errors import InputError

    for wrong in ({"conf_type": "logit"}, {"conf_level": 1.0}):
        with pytest.raises(InputError):
            estimate_survival(simulate(1, 3), **wrong)
