"""Which transfusions and growth factor do low counts bring? Seen on the days on which counts are taken, given by the settings' limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.engine import Course
from cartrial.virtual.patients.toxicity import Toxicity
from cartrial.virtual.trial.assays import NEUT, PLAT, Measured
from cartrial.virtual.trial.visits import DAILY, EARLY, WEEKLY, Schedule

if TYPE_CHECKING:
    from cartrial.virtual.trial.settings import TrialSettings

__all__ = ["Support", "give_support", "transfused"]

Days = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Support:
    """What low counts bring, had nothing ended it: death, loss, transplant and new therapy are left to the caller.

    Parameters
    ----------
    days : ndarray of int64, shape (days,)
        Days from day 0 on which counts are taken: daily, later weekly.
    platelets, red_cells : ndarray of bool, shape (subjects, days)
        Transfused on that day.
    subject, start, stop : ndarray of int64, shape (courses,)
        Courses of growth factor: who, first and last day.
    """

    days: Days
    platelets: Flags
    red_cells: Flags
    subject: Days
    start: Days
    stop: Days


def give_support(settings: TrialSettings, course: Course, measured: Measured, schedule: Schedule, crs: Toxicity) -> Support:
    """Return the transfusions and the growth factor of infused subjects.

    Parameters
    ----------
    settings : TrialSettings
        `support`: the limits of the counts, in 1e9/L, and the days between two transfusions.
    course : Course
        Neutrophils and platelets that the marrow makes. A transfusion does not raise them: an assumption, since it lasts for days.
    measured, schedule : Measured, Schedule
        A count that was sent rules on its day, so that the records fit each other.
    crs : Toxicity
        No growth factor during cytokine release.

    Notes
    -----
    The equations have no haemoglobin. Red cells are given at set intervals while platelets show that the marrow makes next to nothing.
    """
    care = settings.support
    days, neutrophils, platelets = _counts(course, measured, schedule)
    given = _spaced(days, platelets < care.platelets_below.value, int(care.platelets_every.value))
    red = _spaced(days, platelets < care.red_cells_below.value, int(care.red_cells_every.value))
    quiet = (crs.grade == 0)[:, None] | (days[None, :] > crs.end[:, None])
    wanted = (neutrophils < care.growth_factor_below.value) & quiet & (days >= care.growth_factor_from.value)
    enough = neutrophils >= care.growth_factor_until.value
    return Support(days, given, red, *_courses(days, wanted, enough, int(care.growth_factor_days.value)))


def transfused(support: Support, visit: Days, free_days: int) -> Flags:
    """Say of each visit whether a transfusion was given on that day or up to so many days before: shape (subjects, visits).

    Parameters
    ----------
    visit : ndarray of int64, shape (subjects, visits)
        Days from day 0.
    free_days : int
        As the criteria ask for; 0 asks for nothing.
    """
    found = np.zeros(visit.shape, bool)
    if free_days:
        for day, some in zip(support.days, (support.platelets | support.red_cells).T, strict=True):
            found |= some[:, None] & (visit >= day) & (visit - day <= free_days)
    return found


def _counts(course: Course, measured: Measured, schedule: Schedule) -> tuple[Days, Floats, Floats]:
    """Return the days of counts, and neutrophils and platelets on them: those sent, else those of the course."""
    taken = (course.days < DAILY) | ((course.days % 7 == 0) & (course.days <= WEEKLY))
    days = course.days[taken].astype(np.int64)
    found = []
    for name, test in (("anc", NEUT), ("plt", PLAT)):
        counts = np.asarray(course[name][:, taken], float)
        for i, day in enumerate(EARLY):
            at = int(np.searchsorted(days, day))
            counts[:, at] = np.where(schedule.sampled[:, i], measured.early[:, i, test], counts[:, at])
        at_visit = np.minimum(np.searchsorted(days, schedule.visit), len(days) - 1)
        rows, visits = np.nonzero(schedule.kept & (days[at_visit] == schedule.visit))
        counts[rows, at_visit[rows, visits]] = measured.visit[rows, visits, test]
        found.append(counts)
    return days, found[0], found[1]


def _spaced(days: Days, low: Flags, every: int) -> Flags:
    """Return the days of a transfusion: a low count, and the last one at least so many days ago."""
    given = np.zeros(low.shape, bool)
    last = np.full(len(low), -every, np.int64)
    for i, day in enumerate(days):
        given[:, i] = low[:, i] & (day - last >= every)
        last = np.where(given[:, i], day, last)
    return given


def _courses(days: Days, wanted: Flags, enough: Flags, most: int) -> tuple[Days, Days, Days]:
    """Return who has growth factor from which day to which: from a wanted day to the day before recovery, or for so many days."""
    on = np.zeros(len(wanted), bool)
    first = np.zeros(len(wanted), np.int64)
    found = [np.empty((3, 0), np.int64)]
    for i, day in enumerate(days):
        over = np.flatnonzero(on & (enough[:, i] | (day - first >= most) | (i == len(days) - 1)))
        found.append(np.stack([over, first[over], np.minimum(day - 1, first[over] + most - 1)]))
        on[over] = False
        begin = wanted[:, i] & ~on & (i < len(days) - 1)
        first = np.where(begin, day, first)
        on |= begin
    subject, start, stop = np.concatenate(found, axis=1)
    order = np.lexsort((start, subject))
    return subject[order], start[order], stop[order]
