"""What do the kernels of the rules read of a reader's assessments and of the subjects' courses?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cartrial.endpoints.rules.course_kernel import Courses, Reads
from cartrial.study.criteria.codes import NE

if TYPE_CHECKING:
    from cartrial.endpoints.course import Course
    from cartrial.response.arrays import Calls

__all__ = ["courses_of", "reads_of"]


def reads_of(calls: Calls, course: Course) -> Reads:
    """Return one reader's assessments as the kernels read them; one that is dated after the death says nothing (`after-death`)."""
    status = np.where(calls.day > course.death[calls.subject], NE, calls.status)
    return Reads(calls.at, calls.day, status, calls.flags, calls.mrd)


def courses_of(course: Course) -> Courses:
    """Return the subjects' days as the kernels read them."""
    gone = np.minimum(np.minimum(course.withdrawn, course.lost), course.ended)
    return Courses(
        course.day0,
        course.enrolled,
        course.cutoff,
        course.death,
        course.failure,
        gone,
        course.withdrawn,
        course.lost,
        course.alive,
        course.ice,
    )
