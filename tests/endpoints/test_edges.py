"""Edges of the rules of rates and times: the last day that counts, and what comes first on one date.

Each part of a kernel is a plain function here. Origin of every expected value: `by hand`, from the paragraph of the rules that the part
names; where the rules are silent, `regression`, so that a change is seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cartrial.endpoints.rules.codes import (
    COMPOSITE,
    E_DEATH,
    E_NEWTHERAPY,
    E_NONRESPONSE,
    E_RELAPSE,
    R_DEATH,
    R_PRODUCT_FAILURE,
    TREATMENT_POLICY,
)
from cartrial.endpoints.rules.course_kernel import Subject
from cartrial.endpoints.rules.rate_kernel import Rule as Rate
from cartrial.endpoints.rules.rate_kernel import Window, may_be_confirmed, without_infusion
from cartrial.endpoints.rules.time_kernel import Event, Seen, Visits, is_before, is_nonresponse, nonresponse, visits_missed
from cartrial.endpoints.rules.time_kernel import Rule as Time
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.leukaemia import LEUKAEMIA

SUBJECT = Subject(0, 0, 0, -20, 400, FAR, FAR, FAR, FAR, FAR, -FAR, (FAR, FAR, FAR))
RATE = Rate(
    0, 76, 104, 90, False, False, False, 0, False, 28, 0, False, (COMPOSITE, TREATMENT_POLICY, COMPOSITE), COMPOSITE, LEUKAEMIA.roles
)
TIME = Time(True, True, False, True, 1, 104, True, True, 1, (TREATMENT_POLICY, TREATMENT_POLICY, COMPOSITE), LEUKAEMIA.roles)


def subject(**days: Any) -> Subject:
    return SUBJECT._replace(**days)


@pytest.mark.shows("RULE-1.6")
def test_order_on_one_date() -> None:
    """Paragraph 1: a relapse and a death of one date are one event, reported as relapse; new therapy is before death."""
    assert is_before(Event(60, E_RELAPSE, 0), Event(60, E_DEATH, -1)) and not is_before(Event(60, E_DEATH, -1), Event(60, E_RELAPSE, 0))
    assert is_before(Event(60, E_NEWTHERAPY, -1), Event(60, E_DEATH, -1)) and is_before(Event(59, E_DEATH, -1), Event(60, E_RELAPSE, 0))


@pytest.mark.shows("RULE-6.11", "STUDY-disease.visits.plus", "STUDY-endpoints.missed-visits")
def test_a_visit_is_missed_when_its_whole_window_lies_in_the_gap() -> None:
    """Paragraph 6: without an adequate assessment in its window; a window that holds the event's day is not over (`regression`)."""
    visits = Visits(*(np.array(days, np.int64) for days in ([90], [76], [104])))
    assert visits_missed(visits, TIME, 75, 105) == 1
    assert visits_missed(visits, TIME, 76, 105) == 0 and visits_missed(visits, TIME, 75, 104) == 0
    assert visits_missed(visits, TIME._replace(missed=0), 75, 105) == 0


@pytest.mark.shows("RULE-1.6", "STUDY-endpoints.non-response.dated")
def test_new_therapy_on_the_day_of_the_last_read_leaves_the_read() -> None:
    """Paragraph 6: the earliest of the last NR/PD read, new therapy and death; an assessment is first on one date (paragraph 1)."""
    read = Seen(50, 3)
    assert nonresponse(subject(ice=(FAR, FAR, 50)), TIME, read) == Event(50, E_NONRESPONSE, 3)
    assert nonresponse(subject(ice=(FAR, FAR, 49)), TIME, read) == Event(49, E_NONRESPONSE, -1)
    assert nonresponse(subject(death=40), TIME, read) == Event(40, E_NONRESPONSE, -1)
    assert nonresponse(subject(death=40), TIME._replace(at_assessment=False), read) == Event(0, E_NONRESPONSE, 3)


@pytest.mark.shows("RULE-6.8", "STUDY-endpoints.non-response.loss")
def test_loss_censors_a_non_response_only_before_the_window_closes() -> None:
    """Paragraph 6: loss after one NR read is an event, censoring it a sensitivity; on the last day the window has closed (`regression`)."""
    assert not is_nonresponse(subject(gone=103), TIME, FAR)
    assert is_nonresponse(subject(gone=104), TIME, FAR)
    assert is_nonresponse(subject(gone=103), TIME._replace(loss_censors=False), FAR)
    assert is_nonresponse(subject(gone=90, death=100), TIME, FAR)
    assert not is_nonresponse(subject(cutoff=103), TIME, FAR) and is_nonresponse(subject(cutoff=104), TIME, FAR)


@pytest.mark.shows("RULE-2.6")
def test_product_failure_and_death_before_infusion() -> None:
    """Paragraph 2: both are non-responses; on one date the failure is named (`regression`)."""
    assert without_infusion(subject(day0=FAR, failure=30, death=30), RATE) == (0, R_PRODUCT_FAILURE, -1)
    assert without_infusion(subject(day0=FAR, failure=30, death=29), RATE) == (0, R_DEATH, -1)


def test_a_confirmation_that_is_due_on_the_cutoff_may_not_come_any_more() -> None:
    """Paragraph 1: no record after the cutoff is used; one on it is, and was not there."""
    window = Window(1, 1, 104, FAR, FAR, FAR, -1, -1)
    assert not may_be_confirmed(subject(cutoff=56), window, 28 + 28)
    assert may_be_confirmed(subject(cutoff=55), window, 28 + 28)
    assert not may_be_confirmed(subject(cutoff=55, death=50), window, 28 + 28)
