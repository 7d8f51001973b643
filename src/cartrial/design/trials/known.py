"""On which day is a subject's result known? The endpoint is derived again at every day on which anything could have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartrial.endpoints.populations import Populations
from cartrial.endpoints.rules import codes
from cartrial.endpoints.rules.inputs import courses_of
from cartrial.endpoints.rules.rate_kernel import assess_rate
from cartrial.endpoints.rules.rate_rule import answers_for, rule_of
from cartrial.endpoints.sets.signs import reads_for_rate
from cartrial.sdtm.records import READERS
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import NE

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint

__all__ = ["derive_known"]

Days = NDArray[np.int64]

_TOLD_ON_THEIR_DAY = ("day0", "death", "failure", "gone")


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
    course = populations.course
    member = populations.members(endpoint, reader)
    reads, _ = reads_for_rate(populations, endpoint, reader)
    rule, courses = rule_of(study, endpoint), courses_of(course)
    subjects, subject = len(course.day0), np.repeat(np.arange(len(course.day0)), np.diff(reads.at))
    told = course.ice.copy()
    told[0] = _transplanted(populations)

    def value_on(day: Days) -> Days:
        """Return the values at these cutoffs, one for each subject."""
        then = {name: np.where(days <= day, days, FAR) for name, days in courses._asdict().items() if name in _TOLD_ON_THEIR_DAY}
        so_far = courses._replace(cutoff=day, ice=np.where(told <= day, course.ice, FAR), **then)
        made = reads.day <= day[subject]
        read = reads._replace(status=np.where(made, reads.status, NE), flags=np.where(made, reads.flags, 0))
        answers = answers_for(subjects)
        assess_rate(len(reads.day) + subjects, read, so_far, member, rule, answers)
        values: Days = answers.value
        return values

    start = course.enrolled if rule.from_enrolment and rule.mode == codes.DAYS else course.day0
    columns = [course.cutoff, np.where(start < FAR, start + rule.high, FAR), course.day0, course.death, course.failure, courses.gone, *told]
    moments = [reads.day]
    if rule.mode == codes.AT:
        # from this day no later assessment can be nearer
        aim = course.day0[subject] + rule.target
        moments.append(aim + np.abs(reads.day - aim))
    # a confirmation is due after either number of days, whichever is still wanting
    moments += [reads.day + days for days in (rule.confirm, rule.sustained) if days]
    most = int(np.diff(reads.at).max(initial=0))
    place = np.arange(len(reads.day)) - reads.at[:-1][subject]
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
