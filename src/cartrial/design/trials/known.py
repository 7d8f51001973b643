"""On which day is a subject's result known? The endpoint is derived again at every day on which anything could have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartrial.endpoints import codes
from cartrial.endpoints.codes import FAR, STRATEGY_CODES
from cartrial.endpoints.populations import Populations, strategy_codes
from cartrial.endpoints.rate_kernel import assess_rate
from cartrial.response.codes import NE
from cartrial.sdtm.records import READERS, RESPONSES

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint

__all__ = ["derive_known"]

Days = NDArray[np.int64]


def derive_known(study: Study, populations: Populations, endpoint: Endpoint) -> Days:
    """Return the day from which each subject's result is what it is at the cutoff.

    Parameters
    ----------
    study : Study
    populations : Populations
        Of records with full dates, as virtual ones are.
    endpoint : Endpoint
        A response rate with a window that ends.

    Returns
    -------
    ndarray of int64, shape (subjects,)
        The earliest day such that the endpoint derived with that day or any later one as cutoff has the final value. The cutoff
        itself where the result is not yet assessable there, or the subject is not in the population.

    Notes
    -----
    What decides early follows from the rules of the endpoint alone: a response within a window; a relapse, where the window says so a
    progression; death; an intercurrent event that ends the time in which a response counts; product failure, and leaving before
    infusion; of a landmark the assessment that no later one can be nearer than. A result is known on the date of the sample: readings
    and adjudication take no time (assumption). A transplant counts from its conditioning, but is known on its own day.
    """
    reader = READERS.index(endpoint.reader or study.readers.primary)
    calls, course = populations.calls[reader], populations.course
    member = populations.members(endpoint, reader)
    mode, low, high, target = _window(study, endpoint)
    window = endpoint.window
    assert window is not None
    counts = np.array([name in endpoint.response for name in RESPONSES])
    if "CRi" in endpoint.response:
        counts[RESPONSES.index("CRh")] = True
    subjects, subject = len(course.day0), calls.subject
    gone = np.minimum(np.minimum(course.withdrawn, course.lost), course.ended)
    told = course.ice.copy()
    told[0] = _transplanted(populations)
    strategies, failing = strategy_codes(endpoint), STRATEGY_CODES[endpoint.strategies.product_failure]
    confirm, sustained = study.disease.confirm_days, endpoint.sustained_days

    def value_on(day: Days) -> Days:
        """Return the values at these cutoffs, one for each subject."""
        value, reason, chosen = (np.zeros(subjects, np.int64) for _ in range(3))
        seen = [np.where(days <= day, days, FAR) for days in (course.day0, course.death, course.failure, gone)]
        day0, death, failure, left = seen
        assess_rate(
            len(calls.day) + subjects,
            *(calls.at, calls.day, np.where(calls.day <= day[subject], calls.status, NE), calls.flags, calls.mrd),
            *(member, day0, course.enrolled, day, death, failure, left, np.where(told <= day, course.ice, FAR), strategies),
            *(failing, mode, low, high, target),
            *(window.from_ == "enrolment", window.until == "progression", window.bridging),
            *(counts, endpoint.mrd == "negative", confirm, sustained),
            *(value, reason, chosen),
        )
        return value

    start = course.enrolled if window.from_ == "enrolment" and mode == codes.DAYS else course.day0
    columns = [course.cutoff, np.where(start < FAR, start + high, FAR), course.day0, course.death, course.failure, gone, *told]
    moments = [calls.day]
    if mode == codes.AT:
        # from this day no later assessment can be nearer
        aim = course.day0[subject] + target
        moments.append(aim + np.abs(calls.day - aim))
    if max(confirm, sustained):
        moments.append(calls.day + max(confirm, sustained))
    most = int(np.diff(calls.at).max(initial=0))
    place = np.arange(len(calls.day)) - calls.at[:-1][subject]
    for days in moments:
        padded = np.full((most, subjects), FAR, np.int64)
        padded[place, subject] = days
        columns += list(padded)
    # everything between two of these days is as on the first of them
    days = np.sort(np.minimum(np.stack(columns), course.cutoff), axis=0)[::-1]
    final = value_on(course.cutoff)
    known = course.cutoff.copy()
    same = member & (final >= 0)
    for day in days:
        if not same.any():
            break
        same &= value_on(day) == final
        known = np.where(same, day, known)
    return known


def _transplanted(populations: Populations) -> Days:
    """Return the day of each subject's transplant itself, which may have begun earlier with its conditioning."""
    import polars as pl

    wanted = populations.course.frame.select("SUBJ", pl.col("HSCT_SEQ").alias("SEQ")).drop_nulls()
    found = populations.records.procedures.join(wanted, on=["SUBJ", "SEQ"])
    days = np.full(len(populations.course.day0), FAR, np.int64)
    days[found["SUBJ"].to_numpy()] = found["DAY"].to_numpy()
    return days


def _window(study: Study, endpoint: Endpoint) -> tuple[int, int, int, int]:
    """Return the mode of a window that ends, its first, last and target day."""
    window = endpoint.window
    assert window is not None
    if window.at:
        visit = study.visit(window.at)
        return codes.AT, visit.day - visit.minus, visit.day + visit.plus, visit.day
    if window.within:
        visit = study.visit(window.within)
        return codes.WITHIN, 1, visit.day + visit.plus, 0
    return codes.DAYS, 1, int(window.within_days or 0), 0
