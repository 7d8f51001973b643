"""Edges of the rules of readers, laboratory values and residual disease: the last day that counts, and which of two equals.

Each part of a kernel is a plain function here. Origin of every expected value: `by hand`, from the paragraph of the rules that the part
names; where the rules are silent, `regression`, so that a change is seen.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from cartrial.response.codes import MRD_NEGATIVE, MRD_NOT_EVALUABLE, MRD_POSITIVE
from cartrial.response.lab import merge_dates
from cartrial.response.lab_kernel import Evidence, Limit, Range, fails, is_confirmed, is_transfused, is_undecided, meets, nearest
from cartrial.response.mrd_kernel import MrdSamples, best_sample
from cartrial.response.pairs_kernel import Samples, day_of_pair, nearest_pair
from cartrial.response.readers_kernel import has_own_call
from cartrial.response.sequence_kernel import Reads


def numbers(*values: float) -> np.ndarray:
    return np.array(values, np.int64)


def evidence(*records: tuple[int, float]) -> Evidence:
    """Records of one subject: day, value."""
    values = np.array([value for _, value in records], float)
    return Evidence(numbers(0, len(records)), numbers(*(day for day, _ in records)), values, values, numbers(*range(1, len(records) + 1)))


def reads(*days: int) -> Reads:
    none = np.zeros(len(days), np.int64)
    return Reads(
        numbers(0, len(days)), numbers(*days), none, none.copy(), none.copy(), np.zeros(len(days), bool), np.zeros(len(days), bool)
    )


@pytest.mark.shows("RULE-3.2")
def test_the_nearest_record_within_seven_days() -> None:
    """Paragraph 3: nearest within ±7 days, the earlier on a tie."""
    assert nearest(evidence((20, 1.0), (21, 2.0)), 0, 28).low == 2.0
    assert math.isnan(nearest(evidence((20, 1.0)), 0, 28).low)
    assert nearest(evidence((35, 3.0)), 0, 28).low == 3.0
    assert nearest(evidence((26, 5.0), (30, 1.0)), 0, 28).low == 5.0


@pytest.mark.shows("RULE-3.2", "RULE-3.18")
def test_one_result_a_date() -> None:
    """Counts the lowest (paragraph 3), blasts the highest (§9, A11), of what lies between two numbers likewise; of equals the later."""
    rows = [(28, 5.0, 5.0, 1), (28, 1.0, 1.0, 2), (29, 0.0, 4.0, 3), (29, 3.0, 3.0, 4), (30, 2.0, 2.0, 5), (30, 2.0, 2.0, 6)]
    frame = pl.DataFrame([(0, *row) for row in rows], schema=["SUBJ", "DAY", "LOW", "HIGH", "SEQ"], orient="row")
    lowest = merge_dates(frame, highest=False).select("DAY", "LOW", "HIGH", "SEQ").rows()
    assert lowest == [(28, 1.0, 1.0, 2), (29, 0.0, 3.0, 4), (30, 2.0, 2.0, 6)]
    highest = merge_dates(frame, highest=True).select("DAY", "LOW", "HIGH", "SEQ").rows()
    assert highest == [(28, 5.0, 5.0, 1), (29, 3.0, 4.0, 3), (30, 2.0, 2.0, 6)]


def number(value: float) -> Range:
    return Range(value, value)


@pytest.mark.shows("RULE-3.3", "STUDY-disease.criteria.marrow.op", "STUDY-disease.criteria.marrow.value")
def test_a_limit_is_on_the_side_that_its_operator_names() -> None:
    """Paragraph 3, fixed points: 4.9 % qualifies and 5.0 % does not; ANC exactly 1.0 fails > 1.0 and meets >= 1.0."""
    assert meets(number(4.9), Limit(0, 5.0)) and not meets(number(5.0), Limit(0, 5.0))
    assert meets(number(5.0), Limit(1, 5.0)) and not meets(number(5.1), Limit(1, 5.0))
    assert not meets(number(1.0), Limit(2, 1.0)) and meets(number(1.0), Limit(3, 1.0))
    for op in range(4):
        missing = number(math.nan)
        assert not meets(missing, Limit(op, 1.0)) and not fails(missing, Limit(op, 1.0)) and not is_undecided(missing, Limit(op, 1.0))
        assert all(meets(number(value), Limit(op, 1.0)) != fails(number(value), Limit(op, 1.0)) for value in (0.9, 1.0, 1.1))


@pytest.mark.shows("RULE-3.15")
def test_a_result_on_either_side_of_a_limit_is_undecided() -> None:
    """§9, A8: below 5 holds for `<5`, not for `<=5` nor `<6`; above 1 holds for `>1`, at least 1 for `>=1`."""
    assert meets(Range(0, 4.99999999999), Limit(0, 5.0))
    assert is_undecided(Range(0, 5.0), Limit(0, 5.0)) and is_undecided(Range(0, 5.99999999999), Limit(0, 5.0))
    assert meets(Range(1.00000000001, math.inf), Limit(2, 1.0)) and is_undecided(Range(1.0, math.inf), Limit(2, 1.0))
    assert meets(Range(1.0, math.inf), Limit(3, 1.0)) and fails(Range(1.0, math.inf), Limit(0, 1.0))


@pytest.mark.shows("RULE-3.12", "STUDY-disease.options.transfusion-free-days")
def test_a_count_on_the_last_day_after_a_transfusion_does_not_count() -> None:
    """docs/study.md: counts within so many days after a transfusion do not count as recovered."""
    transfusion = evidence((10, 1.0))
    assert is_transfused(transfusion, 0, 10, 7) and is_transfused(transfusion, 0, 17, 7)
    assert not is_transfused(transfusion, 0, 18, 7) and not is_transfused(transfusion, 0, 9, 7)


def test_circulating_blasts_are_confirmed_on_another_day_after_baseline() -> None:
    """`regression`: within 7 days, before or after, and after the last day of baseline."""
    assert is_confirmed(evidence((21, 1.0), (28, 2.0)), 0, 28, 0) and is_confirmed(evidence((28, 2.0), (35, 1.0)), 0, 28, 0)
    assert not is_confirmed(evidence((20, 1.0), (28, 2.0)), 0, 28, 0)
    assert not is_confirmed(evidence((21, 1.0), (28, 2.0)), 0, 28, 21) and is_confirmed(evidence((21, 1.0), (28, 2.0)), 0, 28, 20)


@pytest.mark.shows("RULE-4.2")
def test_the_committee_call_of_the_seventh_day_stands() -> None:
    """Paragraph 4: 7 days, as for pairs."""
    assert has_own_call(reads(28), 0, 35) and has_own_call(reads(28), 0, 21)
    assert not has_own_call(reads(28), 0, 36)


@pytest.mark.shows("RULE-4.4")
def test_reads_pair_within_seven_days_the_earlier_on_a_tie() -> None:
    """Paragraph 4."""
    assert nearest_pair(reads(28), reads(35), 0) == (0, 0)
    assert nearest_pair(reads(28), reads(36), 0) == (-1, -1)
    assert nearest_pair(reads(28, 60), reads(29, 61), 0) == (0, 0)
    assert nearest_pair(reads(28, 60), reads(30, 61), 0) == (1, 1)


@pytest.mark.shows("RULE-4.4")
def test_the_day_of_a_pair_is_that_of_the_sample_else_the_earlier() -> None:
    """Paragraph 4; of two samples the earlier (`regression`)."""
    assert day_of_pair(Samples(numbers(0, 0), numbers()), 0, 30, 28) == 28
    assert day_of_pair(Samples(numbers(0, 1), numbers(30)), 0, 30, 28) == 30
    assert day_of_pair(Samples(numbers(0, 2), numbers(28, 30)), 0, 30, 28) == 28


def mrd(*samples: tuple[int, float], calls: tuple[int, ...] = ()) -> MrdSamples:
    """Samples of one subject: day, limit of detection; negative unless said."""
    days, lods = numbers(*(day for day, _ in samples)), np.array([lod for _, lod in samples])
    none = np.zeros(len(samples), np.int64)
    return MrdSamples(numbers(0, len(samples)), days, numbers(*(calls or [MRD_NEGATIVE] * len(samples))), lods, none)


@pytest.mark.shows("RULE-3.14")
def test_the_sample_of_the_date_then_the_most_sensitive_the_nearest_the_later() -> None:
    """Paragraph 3; of two of one date and assay the later record (`regression`)."""
    assert best_sample(mrd((14, 1e-4)), 0, 28, 400) == 0
    assert best_sample(mrd((13, 1e-4)), 0, 28, 400) == -1
    assert best_sample(mrd((20, 1e-6), (28, 1e-4)), 0, 28, 400) == 1
    assert best_sample(mrd((20, 1e-6), (27, 1e-4)), 0, 28, 400) == 0
    assert best_sample(mrd((20, 1e-4), (27, 1e-4)), 0, 28, 400) == 1
    assert best_sample(mrd((26, 1e-4), (30, 1e-4)), 0, 28, 400) == 1
    assert best_sample(mrd((26, 1e-4), (30, 1e-4)), 0, 28, 29) == 0
    assert best_sample(mrd((28, 1e-4), (28, 1e-4)), 0, 28, 400) == 1


@pytest.mark.shows("RULE-3.14")
def test_a_sample_that_is_not_evaluable_gives_way() -> None:
    """§9, A12: to an evaluable one within 14 days; A8: of one date and limit one positive is positive, of another limit the lower."""
    both = (MRD_NOT_EVALUABLE, MRD_NEGATIVE)
    assert best_sample(mrd((28, 1e-6), (42, 1e-4), calls=both), 0, 28, 400) == 1
    assert best_sample(mrd((28, 1e-6), (43, 1e-4), calls=both), 0, 28, 400) == 0
    assert best_sample(mrd((28, 1e-6), (42, 1e-4), calls=both), 0, 28, 41) == 0
    twice = (MRD_POSITIVE, MRD_NEGATIVE)
    assert best_sample(mrd((28, 1e-4), (28, 1e-4), calls=twice), 0, 28, 400) == 0
    assert best_sample(mrd((28, 1e-4), (28, 1e-6), calls=twice), 0, 28, 400) == 1
    assert best_sample(mrd((28, 1e-4), (29, 1e-4), calls=twice[::-1]), 0, 28, 400) == 0
