"""Which toxicities does a course make? Cytokine release and neurotoxicity (ASTCT) from IL-6, with treatment; cytopenias from counts; graft
versus host disease by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.engine import Course
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.patients.randomness import Keys, draw_uniform

__all__ = ["NONE", "Toxicity", "crs_chance", "cytokine_release", "cytopenia", "graft_versus_host", "icans_chance"]

TOXICITY, GRAFT = 1300, 1301
NONE = 2**30
Days = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Toxicity:
    """One kind of event, at most one for each subject. Days from day 0, `NONE` where there is none or it does not end.

    Parameters
    ----------
    grade, start, end : ndarray of int64, shape (subjects,)
        Grade 0: no event.
    """

    grade: Days
    start: Days
    end: Days


def _logit(u: Floats) -> Floats:
    return np.asarray(np.log(u / (1 - u)))


def _expit(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def crs_chance(above: Floats) -> Floats:
    """Return the chance of cytokine release of grade 3 or more.

    Parameters
    ----------
    above : ndarray of float64, shape (subjects,)
        ln of the untreated peak of IL-6 over the threshold of the grading scale.
    """
    return _expit(load_model().constants["crs-slope"] * above)


def icans_chance(above: Floats, shift: Floats) -> Floats:
    """Return the chance of neurotoxicity of grade 3 or more.

    Parameters
    ----------
    above : ndarray of float64, shape (subjects,)
        ln of the untreated peak of IL-6 over the threshold of ASTCT.
    shift : ndarray of float64, shape (subjects,)
        Logit of neurotoxicity from cytokine release.

    Notes
    -----
    The second chance is integrated over its 32 quantiles; none without cytokine release of any grade.
    """
    numbers = load_model().constants
    latent = (numbers["crs-slope"] * above)[:, None]
    second = numbers["icans-spread"] * _logit((np.arange(32) + 0.5) / 32)
    chance: Floats = _expit(np.minimum(latent + shift[:, None] + second, latent - numbers["crs-any"])).mean(1)
    return chance


def _grade(latent: Floats, any_grade: float) -> Days:
    limits = np.array([any_grade, any_grade / 2, 0.0, load_model().constants["crs-four"]])
    return np.asarray((latent[:, None] > limits).sum(1), np.int64)


def cytokine_release(course: Course, hazards: Mapping[str, Floats], keys: Keys) -> tuple[Toxicity, Toxicity, Days, Days]:
    """Return cytokine release, neurotoxicity, and the days of tocilizumab and of corticosteroids.

    Parameters
    ----------
    course : Course
        Untreated, days 0 to 28: the calibration relates grades to the untreated peak.
    hazards : mapping of str to ndarray of float64, shape (subjects,)
        `severe_crs`: ln of the peak IL-6 (pg/mL) at which half have grade 3 or more; `icans`: logit of neurotoxicity from cytokine release.
    keys : Keys

    Notes
    -----
    Grade 3 or more has the logit slope (ln peak - severe); the other grades are the same logit, shifted. Grades are those of ASTCT.
    Tocilizumab is given a day after IL-6 brings grade 2, corticosteroids a day after it brings grade 3, and from the onset of
    neurotoxicity of grade 2 or more.
    """
    numbers = load_model().constants
    slope, severe, any_crs = numbers["crs-slope"], hazards["severe_crs"], numbers["crs-any"]
    u = draw_uniform(keys, TOXICITY, 6)
    il6 = np.asarray(course["il6"], float)
    peak = np.maximum(course.peak_il6, il6.max(1))
    noise = _logit(u[:, 0])
    latent = slope * (np.log(peak) - severe) + noise
    grade = _grade(latent, any_crs)
    level = np.maximum(10.0, 0.1 * peak)
    high = il6 > level[:, None]
    high[:, 0] = False
    some = high.any(1)
    days = il6.shape[1]
    start = np.where(some, high.argmax(1), 2 + np.floor(4 * u[:, 1])).astype(np.int64)
    last = days - 1 - high[:, ::-1].argmax(1)
    end = np.where(some, np.minimum(last + 1, start + 21), start + 2).astype(np.int64)
    crs = Toxicity(grade, np.where(grade > 0, start, NONE), np.where(grade > 0, end, NONE))

    by_day = slope * (np.log(np.maximum(np.maximum.accumulate(il6, axis=1), 1e-3)) - severe[:, None]) + noise[:, None]
    second = np.maximum((by_day > any_crs / 2).argmax(1), start) + 1
    third = np.maximum((by_day > 0).argmax(1), start) + 1
    tocilizumab = np.where(grade >= 2, second, NONE)
    steroids = np.where(grade >= 3, third, NONE)

    neural = _grade(latent + hazards["icans"] + numbers["icans-spread"] * _logit(u[:, 2]), numbers["icans-any"])
    neural = np.where(grade > 0, neural, 0)
    onset = start + 2 + np.floor(4 * u[:, 3]).astype(np.int64)
    over = onset + 1 - np.floor(4 * np.log(u[:, 4])).astype(np.int64)
    icans = Toxicity(neural, np.where(neural > 0, onset, NONE), np.where(neural > 0, over, NONE))
    steroids = np.minimum(steroids, np.where(neural >= 2, onset, NONE))
    return crs, icans, tocilizumab.astype(np.int64), steroids.astype(np.int64)


def graft_versus_host(chance: float, keys: Keys, until: Days) -> Toxicity:
    """Return acute graft versus host disease by an allogeneic product, grade 1 as all that was published.

    Parameters
    ----------
    chance : float
        Of an infused subject.
    keys : Keys
    until : ndarray of int64, shape (subjects,)
        Last day on which the product can be its cause: before transplant, new therapy or the end of observation.

    Notes
    -----
    Not linked to the course: with 2 of 21 subjects nothing is known of what it depends on. It begins on day 14 to 41 and lasts a week
    or more, two weeks in the median: an assumption.
    """
    u = draw_uniform(keys, GRAFT, 3)
    start = 14 + np.floor(28 * u[:, 1]).astype(np.int64)
    end = start + 7 - np.floor(10 * np.log(u[:, 2])).astype(np.int64)
    some = (u[:, 0] < chance) & (start <= until)
    return Toxicity(some.astype(np.int64), np.where(some, start, NONE), np.where(some, end, NONE))


def cytopenia(days: Floats, counts: Floats, third: float, fourth: float, follow: Days) -> Toxicity:
    """Return the first time that a count is below the limit of grade 3: worst grade, first day, first day above again.

    Parameters
    ----------
    days : ndarray of float64, shape (days,)
    counts : ndarray of float64, shape (subjects, days)
        1e9/L.
    third, fourth : float
        Limits of CTCAE 5.0 grades 3 and 4, 1e9/L.
    follow : ndarray of int64, shape (subjects,)
        Last day of observation.
    """
    known = days[None, :] <= follow[:, None]
    low = (counts < third) & known
    some = low.any(1)
    start = low.argmax(1)
    position = np.arange(len(days))[None, :]
    above = (counts >= third) & known & (position > start[:, None])
    ends = above.any(1)
    end = np.where(ends, above.argmax(1), len(days))
    inside = low & (position < end[:, None])
    worst = np.where(inside, counts, np.inf).min(1)
    grade = np.where(some, np.where(worst < fourth, 4, 3), 0)
    first = np.where(some, days[start], NONE).astype(np.int64)
    last = np.where(some & ends, days[np.minimum(end, len(days) - 1)], NONE).astype(np.int64)
    return Toxicity(grade.astype(np.int64), first, last)
