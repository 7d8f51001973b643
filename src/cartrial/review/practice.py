"""On what do readers practise? Virtual patients, of whom the status that the study's criteria give of the findings is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cartrial.errors import InputError
from cartrial.review.loaded import Brought, bring

if TYPE_CHECKING:
    from cartrial.run import Data
    from cartrial.study import Study

__all__ = ["PRACTICE", "PRACTICE_BAND", "bring_practice", "practice_study"]

PRACTICE = "practice"
"""Stands in a workspace for whose data it holds."""

PRACTICE_BAND = "PRACTICE: virtual patients"


def practice_study(study: Study) -> Study:
    """Return the study as it is practised: nothing is said of limits, and no case is asked again.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.review.practice import practice_study
    >>> practised = practice_study(Study.load("inaticel"))
    >>> practised.study.provenance, practised.committee.checks
    ('practice', 'hidden')
    """
    charter = study.committee
    alone = charter.model_copy(update={"checks": "hidden", "re_read": charter.re_read.model_copy(update={"share": 0.0})})
    return study.model_copy(update={"study": study.study.model_copy(update={"provenance": PRACTICE}), "review": alone})


def bring_practice(study: Study, data: Data) -> Brought:
    """Return the cases of virtual patients that readers practise on, each with its known status.

    Parameters
    ----------
    study : Study
        As it was loaded.
    data : cartrial.run.Data
        Its virtual patients.

    Raises
    ------
    InputError
        If the virtual patients have no case with a status.

    Notes
    -----
    What is known of a case is the status by the study's criteria of the patient's simulated findings, without any reader's error; a case
    without such a status (nothing was sampled) is left out.
    """
    brought = bring(data, replace=True)
    known = [case for case in brought.cases if case.derived]
    if not known:
        raise InputError("the virtual patients have no case whose status is known", key="-n", right="Ask for more patients")
    return replace(brought, study=practice_study(study), cases=known)
