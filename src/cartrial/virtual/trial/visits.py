"""On which days is an infused subject seen, and on which samples taken?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.virtual.trial.settings import TrialSettings

__all__ = ["EARLY", "LAST_RESPONSE", "Schedule", "draw_schedule", "last_day", "wanted_days"]

# days of the early blood samples; day 28 and later ones come with the visits
EARLY = (0, 1, 3, 7, 10, 14, 21)
# a first remission is looked for up to the end of the visit that holds this day
LAST_RESPONSE = 104
# days on which counts are needed for the end of cytopenias, beside those of the visits
DAILY, WEEKLY = 36, 182
JITTER, MISSED, SAMPLES = 1010, 1020, 1030

Days = NDArray[np.int64]


@dataclass(frozen=True)
class Schedule:
    """Days from day 0 of infused subjects.

    Parameters
    ----------
    visit : ndarray of int64, shape (subjects, visits)
        Day of each visit, had it taken place.
    kept : ndarray of bool, shape (subjects, visits)
        Not missed.
    sampled : ndarray of bool, shape (subjects, early samples)
        Early samples not missed and not within a day of the first visit.
    """

    visit: Days
    kept: NDArray[np.bool_]
    sampled: NDArray[np.bool_]


def last_day(study: Study) -> int:
    """Return the last day on which a subject can complete the study: the end of the last visit's window."""
    return study.disease.visits[-1].day + study.disease.visits[-1].plus


def _reach(study: Study, settings: TrialSettings) -> list[tuple[int, int]]:
    """Return how many days before and after its day each visit can be: its window, at most three standard deviations."""
    most = int(3 * settings.visits.jitter.value)
    return [(min(visit.minus, most), min(visit.plus, most)) for visit in study.disease.visits]


def draw_schedule(study: Study, settings: TrialSettings, keys: Keys) -> Schedule:
    """Return the visits and samples of infused subjects."""
    visits = study.disease.visits
    reach = _reach(study, settings)
    off = np.rint(settings.visits.jitter.value * draw_normal(keys, JITTER, len(visits)))
    off = np.clip(off, [-minus for minus, _ in reach], [plus for _, plus in reach])
    day = (np.array([visit.day for visit in visits]) + off).astype(np.int64)
    kept = draw_uniform(keys, MISSED, len(visits)) >= settings.visits.missed.value
    sampled = draw_uniform(keys, SAMPLES, len(EARLY)) >= settings.visits.missed_sample.value
    sampled[:, 0] = True
    sampled &= np.array(EARLY) < day[:, :1] - 1
    return Schedule(np.maximum(day, 1), kept, sampled)


def wanted_days(study: Study, settings: TrialSettings, last: int) -> NDArray[np.float64]:
    """Return the days on which a course is needed, up to the last day of follow-up."""
    days = [np.arange(DAILY), np.arange(0, WEEKLY + 1, 7)]
    for visit, (minus, plus) in zip(study.disease.visits, _reach(study, settings), strict=True):
        days.append(np.arange(max(visit.day - minus, 1), visit.day + plus + 1))
    every = np.unique(np.concatenate(days))
    return every[every <= max(last, DAILY)].astype(float)
