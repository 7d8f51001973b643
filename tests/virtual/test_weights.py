"""Weights and doses of virtual children. Expected values: `published`, medians of weight for age of the CDC growth charts of 2000 (rounded,
in `virtual/data/weights.yaml`); `by hand`, the middle of a range of doses.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cartrial.endpoints import derive
from cartrial.study import Study
from cartrial.study.dosing import DoseBand
from cartrial.virtual.patients.randomness import Keys
from cartrial.virtual.trial import simulate_study, virtual_source
from cartrial.virtual.trial.sent.weight import asks_for_weight, draw_weights, product_dose


@pytest.mark.parametrize(
    ("age", "female", "median"), [(4, False, 16.3), (10, False, 32.1), (10, True, 33.1), (16, True, 53.9), (40, False, 70.6)]
)
def test_the_median_is_that_of_the_charts(age: int, female: bool, median: float) -> None:
    """The median of 4,001 draws lies within 1.5 % of the published one: the error of a median is 1.25 * 0.16 / sqrt(4001) = 0.3 %."""
    drawn = draw_weights(Keys.trials("W", 3, 1, 4001), np.full(4001, float(age)), np.full(4001, female))
    assert np.median(drawn) == pytest.approx(median, rel=0.015)
    assert 0.15 < np.log(drawn).std() < 0.17


def test_the_dose_is_the_middle_of_the_range_for_the_weight() -> None:
    """By hand, ELIANA's table: up to 50 kg (0.2e6 + 5.0e6) / 2 = 2.6e6 cells/kg, above it (0.1e8 + 2.5e8) / 2 = 1.3e8 in all."""
    keys, age, female = Keys.trials("W", 4, 1, 300), np.full(300, 14.0), np.zeros(300, bool)
    bands = (DoseBand(to=50, boundary="lower", dose="per-kg", low=0.2e6, high=5.0e6), DoseBand(dose="total", low=0.1e8, high=2.5e8))
    weight = draw_weights(keys, age, female)
    given, unit = product_dose(bands, keys, age, female)
    assert given is not None and unit == "10^6 CELLS" and (weight > 50).any() and (weight <= 50).any()
    assert given == pytest.approx(np.where(weight <= 50, 2.6 * weight, 130.0), abs=0.05)
    assert product_dose((), keys, age, female) == (None, "")


def test_a_study_that_asks_for_no_weight_is_sent_none() -> None:
    assert [asks_for_weight(Study.load(name)) for name in ("inaticel", "allo-cd19", "inaticel-children")] == [False, False, True]


@pytest.mark.slow
def test_virtual_children_have_weights_and_doses_in_range() -> None:
    study = Study.load("inaticel-children")
    adsl = derive(study, virtual_source(study, n=8, seed=2)).adsl.filter(pl.col("INFFL") == "Y")
    assert adsl.height == 8 and adsl["WEIGHT"].null_count() == 0
    assert set(adsl["DOSERNG"]) == {"within"}
    assert adsl["DOSEKG"].to_list() == pytest.approx([1.0e6] * 8, rel=1e-3)
    # the records of many trials have the same as the files of one
    many = derive(study, simulate_study(study, n=8, seed=2)).adsl.filter(pl.col("INFFL") == "Y")
    assert many["WEIGHT"].to_list() == adsl["WEIGHT"].to_list() and set(many["DOSERNG"]) == {"within"}
