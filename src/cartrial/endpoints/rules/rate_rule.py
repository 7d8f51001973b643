"""What does a study say of a response rate, in the numbers that the kernel reads?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cartrial.endpoints.rules import codes
from cartrial.endpoints.rules.codes import STRATEGY_CODES
from cartrial.endpoints.rules.rate_kernel import Answers, Rule
from cartrial.endpoints.rules.responses import counted
from cartrial.endpoints.rules.strategies import strategy_codes
from cartrial.errors import InputError
from cartrial.sdtm.records.codes import FAR

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint

__all__ = ["answers_for", "rule_of", "window_in_words"]


def rule_of(study: Study, endpoint: Endpoint) -> Rule:
    """Return the rule of a response rate.

    Raises
    ------
    InputError
        If the rate is one of samples, which no assessment shows.
    """
    window = endpoint.window
    assert window is not None
    if endpoint.samples is not None:
        what = f"endpoint {endpoint.id} is a rate of samples, and no design is of samples"
        raise InputError(what, key="endpoints", right="Choose an endpoint of assessments")
    mode, low, high, target = _days(study, endpoint)
    return Rule(
        mode,
        low,
        high,
        target,
        from_enrolment=window.from_ == "enrolment",
        until_progression=window.until == "progression",
        bridging=window.bridging,
        counts=counted(study, endpoint),
        mrd_negative=endpoint.mrd == "negative",
        confirm=study.disease.confirm_days,
        sustained=endpoint.sustained_days,
        by_sign=endpoint.sustained_by == "no-relapse",
        strategy=strategy_codes(endpoint),
        failure_strategy=STRATEGY_CODES[endpoint.strategies.product_failure],
        roles=study.disease.family.roles,
    )


def window_in_words(study: Study, endpoint: Endpoint) -> str:
    """Return the window as the end of a sentence."""
    window = endpoint.window
    assert window is not None
    if window.at:
        return f"at {study.visit(window.at).name}"
    if window.within:
        return f"within {study.visit(window.within).name}"
    return "up to the cutoff" if window.best else f"within {window.within_days} days"


def answers_for(subjects: int) -> Answers:
    """Return empty answers."""
    return Answers(*(np.zeros(subjects, np.int64) for _ in range(3)))


def _days(study: Study, endpoint: Endpoint) -> tuple[int, int, int, int]:
    """Return the window's mode, its first and last day, and the target day of a landmark."""
    window = endpoint.window
    assert window is not None
    if window.at:
        visit = study.visit(window.at)
        return codes.AT, visit.day - visit.minus, visit.day + visit.plus, visit.day
    if window.within:
        visit = study.visit(window.within)
        return codes.WITHIN, 1, visit.day + visit.plus, 0
    if window.best:
        return codes.BEST, 1, FAR, 0
    return codes.DAYS, 1, int(window.within_days or 0), 0
