"""Where a published value lies among those of virtual trials.

Origin of every expectation: `by hand`, from the rule (5 in 100 trials left out on each side, equal ones a half below), before the code ran.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.predict import Predictions, compare_figure, prediction_lines, predictions_document
from cartrial.predict.check import SCHEMA
from cartrial.predict.trials import follow_up_days
from properties import examples

TRIALS = np.arange(1.0, 101.0)


@pytest.mark.parametrize(
    ("published", "half", "inside", "position"),
    [
        (50.0, 0.0, True, 0.495),
        (6.0, 0.0, True, 0.055),
        (5.9, 0.0, False, 0.05),
        (5.9, 0.1, True, 0.055),
        (95.0, 0.0, True, 0.945),
        (95.2, 0.1, False, 0.95),
        (0.0, 0.0, False, 0.0),
        (math.inf, 0.0, False, 1.0),
    ],
)
@pytest.mark.shows("EST-predictive-check")
def test_five_trials_in_a_hundred_lie_outside_on_each_side(published: float, half: float, inside: bool, position: float) -> None:
    """Of 1 to 100 the interval is 6 to 95; the median is 50.5."""
    found = compare_figure(TRIALS, published, half)
    assert found is not None
    assert (found.lower, found.upper, found.median) == (6.0, 95.0, 50.5)
    assert (found.inside, found.position) == (inside, pytest.approx(position))


def test_a_median_that_is_not_reached_is_no_number_to_be_averaged() -> None:
    """Of twenty trials two did not reach it: the interval leaves one out and ends with one that did not."""
    values = np.array([*np.arange(1.0, 19.0), math.inf, math.inf])
    found = compare_figure(values, math.inf)
    assert found is not None
    assert (found.lower, found.upper, found.inside, found.not_reached) == (2.0, math.inf, True, 0.1)
    assert found.position == pytest.approx(0.95)
    one = compare_figure(np.array([*np.arange(1.0, 20.0), math.inf]), 30.0)
    assert one is not None
    assert (one.upper, one.inside, one.position) == (19.0, False, 0.95)
    alone = compare_figure(np.full(20, math.inf), 3.0)
    assert alone is not None
    assert (alone.median, alone.inside, alone.position) == (math.inf, False, 0.0)


def test_trials_without_a_value_are_counted_and_no_more() -> None:
    found = compare_figure(np.array([math.nan, *np.arange(1.0, 21.0), math.nan]), 10.0)
    assert found is not None
    assert (found.trials, found.without, found.lower, found.upper) == (20, 2, 2.0, 19.0)
    assert compare_figure(np.full(3, math.nan), 1.0) is None


@given(
    st.lists(st.one_of(st.floats(0, 100), st.just(math.inf), st.just(math.nan)), min_size=1, max_size=60),
    st.one_of(st.floats(0, 100), st.just(math.inf)),
    st.randoms(use_true_random=False),
)
@examples(200)
def test_the_order_of_the_trials_does_not_matter_and_no_answer_is_no_number(values: list[float], published: float, chance: object) -> None:
    first = compare_figure(np.array(values), published)
    shuffled = list(values)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert compare_figure(np.array(shuffled), published) == first
    if first is None:
        assert all(math.isnan(value) for value in values)
        return
    assert not any(math.isnan(value) for value in (first.median, first.lower, first.upper, first.position))
    assert first.lower <= first.median <= first.upper
    assert 0 <= first.position <= 1


def test_follow_up_has_the_median_that_was_published() -> None:
    """24 months are 730.5 days; 365 days before and after them enter at a constant rate. By hand for four: 730.5 + 365 (3/4, 1/4 ...)."""
    assert follow_up_days(4, 24).tolist() == [1004, 822, 639, 457]
    assert follow_up_days(1, 1.0).tolist() == [30]
    assert follow_up_days(0, 24).tolist() == []


def test_totals_count_by_use() -> None:
    """By hand: three of five inside, two of four of those that were not fitted; a figure that was not compared counts nowhere."""
    uses = [("fit", True), ("not", True), ("not", False), ("held-out", True), ("consulted", False)]
    rows = [
        dict.fromkeys(SCHEMA) | {"id": str(i), "used": use, "inside": inside, "evaluation": i == 2, "state": "compared"}
        for i, (use, inside) in enumerate(uses)
    ]
    rows.append(dict.fromkeys(SCHEMA) | {"id": "x", "used": "not", "state": "not expressed", "note": "why"})
    found = Predictions(pl.DataFrame(rows, schema=SCHEMA, orient="row"), 500, 1).totals()
    assert found.select("figures", "inside", "compared").rows() == [
        *(("all", 3, 5), ("not fitted", 2, 4), ("evaluation", 0, 1), ("fit", 1, 1), ("consulted", 0, 1), ("held-out", 1, 1), ("not", 1, 2)),
    ]


def test_the_table_says_not_reached_and_no_other_thing() -> None:
    row = dict.fromkeys(SCHEMA) | {
        "id": "a",
        "virtual_population": "mskcc",
        "n": 53,
        "endpoint": "OS",
        "window": "-",
        "statistic": "median",
    }
    row |= {"value": 12.9, "value_lower": 8.7, "value_upper": math.inf, "predicted": math.inf, "lower": 11.0, "upper": math.inf}
    row |= {"inside": True, "position": 0.25, "used": "fit", "state": "compared", "note": "read so"}
    found = Predictions(pl.DataFrame([row], schema=SCHEMA, orient="row"), 500, 1)
    text = "\n".join(prediction_lines(found, notes=True))
    assert "12.9 (8.7 to NR) months" in text
    assert "NR (11.0 to NR)" in text
    assert "1 of 1 inside (100 %), of all figures." in text
    assert "0 of 0 inside, of those that the fit has not used." in text
    assert "a: read so" in text
    assert "nan" not in text
    figure = predictions_document(found)["figures"][0]
    assert (figure["value_upper"], figure["lower"], figure["upper"], figure["count" if "count" in figure else "n"]) == (
        "NR",
        11.0,
        "NR",
        53,
    )
