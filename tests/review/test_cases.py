"""Cases and evidence: which there are, what is shown of them, and what a new data cut changes.

Origin of every expectation: `by hand`, from the small trial of `review_example` and the rules, paragraphs 3 and 4.
"""

from __future__ import annotations

import json

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.review.cases import find_cases
from cartrial.review.compare import differences
from cartrial.review.loaded import bring
from cartrial.review.workflow import settle_cases
from cartrial.sdtm.records import derive_records
from cartrial.study import CRITERIA, Study
from review_example import TRIAL, example_data, load, open_empty


@pytest.mark.shows("RULE-3.1")
def test_each_sample_after_the_infusion_is_a_case_with_the_status_of_its_values() -> None:
    """By hand: CR; ANC 0.5 and platelets 40 fail: CRi; 60 % after remission: RELAPSE; 70 % against 80 % at baseline: NR."""
    data = example_data()
    found = {(case.subject, case.day): case.derived for case in find_cases(data.study, derive_records(data.study, data.source))}
    assert found == {
        **{("S-07-0001", 28): "CR", ("S-07-0001", 90): "CRi", ("S-07-0001", 180): "RELAPSE"},
        **{("S-07-0002", 29): "CR", ("S-07-0002", 91): "CR", ("S-11-0003", 27): "NR"},
    }


def test_evidence_ends_a_week_after_the_case_and_holds_what_is_allowed_alone() -> None:
    """Cells of the product, the investigator's call, site, sex and dates are in no case's evidence; nor is anything later."""
    for case in bring(example_data()).cases:
        text = json.dumps(case.evidence)
        assert not [word for word in ("4.71147", "CARTG", "INDETERMINATE", "SITE-7734", "2022", "S-07", "S-11", '"F"') if word in text]
        assert max(row["day"] for row in case.evidence["rows"]) == case.day
        assert {row["what"] for row in case.evidence["rows"]} == {"marrow", "neutrophils", "platelets", "emd"}


def test_the_values_that_a_status_was_read_from_are_marked() -> None:
    """One row of each finding, of the day of the sample; circulating blasts were not recorded, and that is said."""
    case = bring(example_data()).cases[0]
    near = {(row["what"], row["day"]) for row in case.evidence["rows"] if row["near"]}
    assert near == {(what, 28) for what in ("marrow", "neutrophils", "platelets", "emd")}
    assert case.evidence["facts"] == ["circulating blasts not recorded"]


def test_a_visit_with_a_call_and_no_sample_is_a_case_of_which_the_date_alone_is_taken() -> None:
    data = example_data()
    lb = data.source.domains["LB"].filter(pl.col("LBDTC") != "2022-04-02")
    data.source.domains["LB"] = lb
    cases = {(case.subject, case.day): case for case in bring(data).cases}
    assert cases["S-07-0002", 91].evidence["kind"] == "no sample" and cases["S-07-0002", 91].derived == ""
    assert cases["S-07-0002", 91].evidence["visit"] == "month 3"


def test_calls_of_a_committee_stop_unless_they_are_to_be_read_anew() -> None:
    with pytest.raises(InputError, match="13 calls of a committee already"):
        bring(example_data(committee=True))
    assert bring(example_data(committee=True), replace=True).replaced


def test_criteria_that_derive_no_status_are_refused_in_words() -> None:
    data = example_data()
    disease = Study.load("cnct19-nhl").disease.model_copy(update={"criteria": CRITERIA["iwg-2007"]})
    other = type(data)(Study.load("cnct19-nhl").model_copy(update={"disease": disease}), data.source, data.findings)
    with pytest.raises(InputError, match="nothing to show to a reader"):
        bring(other)


@pytest.mark.slow
def test_a_new_cut_says_of_each_case_what_has_changed() -> None:
    """Platelets of day 28 of the first subject: its own window, and the history of days 90 and 180; the rest is the same."""
    open_empty()
    assert load(example_data()) == {"new": 6}
    assert load(example_data()) == {"same": 6}
    assert load(example_data({("S-07-0001", 28): 149.0})) == {"window": 1, "history": 2, "same": 3}


def test_a_sample_on_another_date_has_moved_and_one_that_is_not_there_is_gone() -> None:
    open_empty()
    load(example_data())
    before = TRIAL["S-11-0003"]
    try:
        TRIAL["S-11-0003"] = {30: before[27]}
        assert load(example_data()) == {"same": 5, "moved": 1}
        TRIAL["S-11-0003"] = {60: before[27]}
        assert load(example_data()) == {"same": 5, "new": 1, "gone": 1}
    finally:
        TRIAL["S-11-0003"] = before


NEEDS = "a complete remission needs above"
COUNTS = [f"Neutrophils of day 57 are 2 × 10⁹/L; {NEEDS} 1 × 10⁹/L.", f"Platelets of day 57 are 150 × 10⁹/L; {NEEDS} 100 × 10⁹/L."]
CR_VALUES = [
    {"what": what, "day": 57, "words": f"{value:g}", "value": value, "kind": "", "near": True}
    for what, value in (("marrow", 2.3), ("neutrophils", 2.0), ("platelets", 150.0))
]


@pytest.mark.parametrize(
    ("derived", "call", "said"),
    [
        ("CR", "CR", []),
        ("CR", "CRi", [*COUNTS]),
        ("CR", "NR", ["Marrow blasts of day 57 are 2.3 %; a complete remission needs below 5 %."]),
        ("CR", "NE", ["Marrow blasts of day 57 are 2.3 %."]),
        ("NR", "PD", []),
        ("", "CR", []),
    ],
)  # fmt: skip
def test_a_difference_is_said_in_words_of_the_values(derived: str, call: str, said: list[str]) -> None:
    """NR and PD are alike where a call and values may contradict each other; without a status there is nothing to differ from."""
    assert differences(Study.load("inaticel"), {"day": 57, "rows": CR_VALUES}, derived, call) == said


def test_a_limit_is_below_itself() -> None:
    """`<5` meets below 5 (rules, A8): no difference is said of the marrow."""
    rows = [row | ({"words": "<5", "value": 5.0, "kind": "below"} if row["what"] == "marrow" else {}) for row in CR_VALUES]
    rows = [row | ({"value": 9.0, "words": "9"} if row["what"] == "platelets" else {}) for row in rows]
    said = differences(Study.load("inaticel"), {"day": 57, "rows": rows}, "CRi", "CR")
    assert said == ["Platelets of day 57 are 9 × 10⁹/L; a complete remission needs above 100 × 10⁹/L."]


@pytest.mark.shows("RULE-4.6")
def test_who_waits_for_whom_is_the_rule_of_the_committee() -> None:
    """Paragraph 4: one read waits; CR and NR differ until the adjudicator; CR and CRi agree on CRi. After the committee's relapse nobody
    is asked (A1)."""
    study, cases = Study.load("inaticel"), {(0, day): True for day in (28, 90, 180, 270)}
    reads = [(0, 28, 1, "CR"), (0, 28, 2, "CRi"), (0, 90, 1, "CR"), (0, 90, 2, "NR"), (0, 180, 1, "CR")]
    found = settle_cases(study, cases, reads)
    assert [found[case].state for case in cases] == ["settled", "differs", "waits", "unread"]
    assert (found[0, 28].status, found[0, 28].why) == ("CRi", "the readers agree on the lower category")
    found = settle_cases(study, cases, [*reads, (0, 90, 3, "CR")])
    assert (found[0, 90].state, found[0, 90].status, found[0, 90].why) == ("settled", "CR", "adjudicated")
    after = [(0, day, seat, "RELAPSE") for day in (180,) for seat in (1, 2)] + [(0, 270, 1, "CR"), (0, 270, 2, "NR")]
    found = settle_cases(study, cases, [*reads[:4], (0, 90, 3, "CR"), *after])
    assert (found[0, 180].status, found[0, 270].state) == ("RELAPSE", "after")
