"""Relapse by `ponte-di-legno-2022`. Origin of every expected value: `by hand` (rules for children, P4, the table; P6, row 10)."""

from __future__ import annotations

import pytest

from children_example import derived
from properties import every
from response.test_children import STUDY, finding, lab, marrow, none_on, statuses, tables, times

PONTE = STUDY.replace("criteria: nccn", "criteria: ponte-di-legno-2022")
FLOW, PCR, NGS, FISH = "FLOW CYTOMETRY", "QUANTITATIVE PCR", "NGS", "FISH"


def residual(day, **by_method):
    """Return residual disease in % by each method, of one marrow."""
    names = {"flow": FLOW, "pcr": PCR, "ngs": NGS, "fish": FISH}
    return [{**lab(day, "MRD", value, "%", "BONE MARROW"), "LBMETHOD": names[name]} for name, value in by_method.items()]


def after_remission(folder, *samples, study=PONTE, fa=()):
    """Return what is derived of a remission on day 28 and 60, and of later marrows: day, blasts and tests."""
    labs = [marrow(28), marrow(60)]
    for day, blasts, tests in samples:
        labs += [marrow(day, blasts), residual(day, **tests)]
    days = [28, 60, *(day for day, _, _ in samples)]
    return derived(folder, tables(*labs, fa=[*none_on(*days), *fa]), study)


ONE_MARROW = [
    (30, {}, "RELAPSE"),
    (25, {}, "RELAPSE"),
    (24.9, {}, "INDETERMINATE"),
    # from 5 to below 25 % one test of at least 1 %
    (10, {"flow": 1}, "RELAPSE"),
    (10, {"flow": 0.9}, "INDETERMINATE"),
    (5, {"pcr": 2}, "RELAPSE"),
    # from 1 to below 5 % two; row 10 of the worked subjects
    (3, {"flow": 3, "pcr": 2}, "RELAPSE"),
    (3, {"flow": 3, "fish": 2}, "RELAPSE"),
    (1, {"flow": 3, "pcr": 2}, "RELAPSE"),
    (3, {"flow": 3}, "INDETERMINATE"),
    # PCR and NGS of a rearrangement are one test
    (3, {"pcr": 2, "ngs": 2}, "INDETERMINATE"),
    (3, {"flow": 0.9, "pcr": 0.9}, "CR"),
    (3, {}, "CR"),
    # below 1 % residual disease alone is no relapse
    (0.9, {"flow": 3, "pcr": 2}, "CR"),
]


@pytest.mark.parametrize(("blasts", "tests", "status"), every(3, ONE_MARROW))
@pytest.mark.shows("RULE-P4.1", "STUDY-disease.criteria.relapse-tests")
def test_a_marrow_after_remission(tmp_path, blasts, tests, status):
    assert statuses(after_remission(tmp_path, (90, blasts, tests)))[90][0] == status


@pytest.mark.parametrize(
    ("first", "second", "status"),
    every(
        3,
        [
            ((90, 3, {"flow": 2}), (100, 0, {"flow": 2, "pcr": 2}), "RELAPSE"),
            ((90, 10, {}), (118, 0, {"flow": 2, "pcr": 2}), "RELAPSE"),
            ((90, 10, {}), (119, 0, {"flow": 2, "pcr": 2}), "INDETERMINATE"),
            ((90, 10, {}), (100, 0, {"flow": 2}), "INDETERMINATE"),
            # below 1 % no second marrow makes it one
            ((90, 0.5, {"flow": 2}), (100, 0, {"flow": 2, "pcr": 2}), "CR"),
        ],
    ),
)
@pytest.mark.shows("RULE-P4.1")
def test_a_second_marrow_dates_the_relapse_at_the_first(tmp_path, first, second, status):
    assert statuses(after_remission(tmp_path, first, second))[90][0] == status


@pytest.mark.slow
@pytest.mark.shows("STUDY-disease.criteria")
def test_row_10_of_the_worked_subjects(tmp_path):
    of = after_remission(tmp_path, (90, 3, {"flow": 3, "pcr": 2}))
    assert times(of)["RFS"][:2] == (63, "relapse") and times(of)["EFS"][:2] == (91, "relapse")
    (tmp_path / "nccn").mkdir()
    of = after_remission(tmp_path / "nccn", (90, 3, {"flow": 3, "pcr": 2}), study=STUDY)
    assert statuses(of)[90][0] == "CR" and times(of)["RFS"][0] == 63 and times(of)["EFS"][:2] == (91, "lost")


@pytest.mark.parametrize(("word", "status"), [("CNS1", "CR"), ("CNS2", "INDETERMINATE"), ("CNS3", "RELAPSE")])
@pytest.mark.shows("RULE-P4.1")
def test_a_remission_needs_cns1(tmp_path, word, status):
    of = derived(tmp_path, tables(marrow(28), marrow(60), marrow(90), fa=[*none_on(28, 60), finding(90, "CNS STATUS", word)]), PONTE)
    assert statuses(of)[90][0] == status


def test_there_is_no_relapse_before_a_remission(tmp_path):
    labs = [marrow(28, 3), residual(28, flow=3, pcr=2), marrow(60, 3), residual(60, flow=2)]
    of = derived(tmp_path, tables(*labs, fa=none_on(28, 60)), PONTE)
    assert [status for status, _ in statuses(of).values()] == ["NR", "NR"]
