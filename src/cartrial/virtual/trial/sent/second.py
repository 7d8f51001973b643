"""What does a second look at a marrow sample find? Residual disease by sequencing, and CD19 on the cells of a relapse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartrial.study.criteria.codes import RELAPSE
from cartrial.virtual.engine import Course
from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform
from cartrial.virtual.trial.assays import BELOW, CIRCULATING, FOUND, HEMODILUTE, MRD, Measured
from cartrial.virtual.trial.visits import Schedule

if TYPE_CHECKING:
    from cartrial.virtual.trial.settings import TrialSettings

__all__ = ["IN_BLOOD", "IN_MARROW", "phenotype", "poisson", "sequence"]

# streams of random numbers, each for one use
INPUT, COUNTED, CLONE, ANTIGEN = range(1600, 1604)
IN_MARROW, IN_BLOOD = 0, 1
# above this mean a count is as good as normal
_MANY = 1e4

Days = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def poisson(mean: Floats, chance: Floats) -> Floats:
    """Return the count at a chance: the smallest one whose distribution function reaches it.

    Parameters
    ----------
    mean, chance : ndarray of float64
        Of one shape; chances inside (0, 1).
    """
    from scipy.special import ndtri, pdtr, pdtrik

    few = np.minimum(mean, _MANY)
    # pdtrik solves for a real count, and may land a hair beside a whole one
    guess = np.nan_to_num(np.ceil(pdtrik(chance, np.maximum(few, 1e-300))), nan=0.0)
    guess = np.maximum(guess - ((guess >= 1) & (pdtr(guess - 1, few) >= chance)), 0.0)
    guess = guess + (pdtr(guess, few) < chance)
    return np.asarray(np.where(mean > _MANY, np.maximum(np.rint(mean + np.sqrt(mean) * ndtri(chance)), 0.0), guess) + 0.0)


def sequence(settings: TrialSettings, measured: Measured, keys: Keys) -> tuple[Floats, Floats]:
    """Return residual disease by sequencing, of the same marrow samples as by flow cytometry.

    Parameters
    ----------
    settings : TrialSettings
    measured : Measured
        `share`: of leukaemic cells in each sample.
    keys : Keys

    Returns
    -------
    result : ndarray of float64, shape (subjects, visits)
        Fraction of cells, `BELOW` where fewer cells were found than a positive result needs, NaN: no sample, or no clone to follow.
    limit : ndarray of float64, shape (subjects, visits)
        Limit of detection: so many cells of those whose DNA was there.
    """
    assays = settings.assays
    visits = measured.share.shape[1]
    cells = np.rint(assays.ngs_cells.value * np.exp(assays.ngs_spread.value * draw_normal(keys, INPUT, visits)))
    found = np.minimum(poisson(cells * measured.share, draw_uniform(keys, COUNTED, visits)), cells)
    followed = draw_uniform(keys, CLONE, 1) < assays.ngs_clone.value
    taken = followed & ~np.isnan(measured.visit[..., MRD])
    result = np.where(found >= assays.ngs_events.value, _three_digits(found / cells), BELOW)
    return np.where(taken, result, np.nan), _three_digits(assays.ngs_events.value / cells)


def _three_digits(values: Floats) -> Floats:
    """Return values to three significant digits."""
    power = 2 - np.floor(np.log10(np.maximum(values, 1e-300)))
    scale = 10.0 ** np.abs(power)
    return np.asarray(np.where(power >= 0, np.rint(values * scale) / scale, np.rint(values / scale) * scale))


def phenotype(
    settings: TrialSettings, schedule: Schedule, course: Course, measured: Measured, investigator: Days, keys: Keys
) -> tuple[Days, Days, Floats, Floats, Days]:
    """Return CD19 on the leukaemic cells of the sample at which the investigator first calls a relapse.

    Parameters
    ----------
    investigator : ndarray of int64, shape (subjects, visits)
        His calls, -1: none.

    Returns
    -------
    subject, visit : ndarray of int64, shape (relapses,)
    share : ndarray of float64, shape (relapses,)
        Leukaemic cells with CD19, %.
    status : ndarray of float64, shape (relapses,)
        `FOUND` from the limit of the settings on, else `BELOW`.
    specimen : ndarray of int64, shape (relapses,)
        `IN_MARROW`, or `IN_BLOOD` where the marrow was inadequate and blasts circulate. With neither there is no result.
    """
    relapse = investigator == RELAPSE
    subject = np.flatnonzero(relapse.any(1))
    visit = relapse[subject].argmax(1)
    at = np.minimum(np.searchsorted(course.days, schedule.visit[subject, visit]), len(course.days) - 1)
    chance = draw_uniform(keys, ANTIGEN, 1)[subject, 0]
    seen = measured.visit[subject, visit]
    marrow, blood = seen[:, 0] != HEMODILUTE, seen[:, CIRCULATING] > 0
    cells = settings.assays.phenotype_cells.value
    negative = np.asarray(course.negative_share[subject, at], float)
    share = np.round(100 * (1 - binomial(cells, negative, chance) / cells), 1) + 0.0
    positive = share >= settings.assays.phenotype_positive.value
    kept = (marrow | blood) & (course.blasts[subject, at] > 0)
    status, specimen = np.where(positive, FOUND, BELOW), np.where(marrow, IN_MARROW, IN_BLOOD)
    return subject[kept], visit[kept], share[kept], status[kept], specimen[kept]


def binomial(number: float, share: Floats, chance: Floats) -> Floats:
    """Return the count of so many at a chance: the smallest one whose distribution function reaches it."""
    from scipy.special import bdtrik, betainc

    inside = np.clip(share, 1e-12, 1 - 1e-12)

    def below(count: Floats) -> Floats:
        return np.asarray(np.where(count >= number, 1.0, betainc(np.maximum(number - count, 1e-9), np.maximum(count, 0) + 1, 1 - inside)))

    guess = np.clip(np.nan_to_num(np.ceil(bdtrik(chance, number, inside)), nan=0.0), 0.0, number)
    guess = np.maximum(guess - ((guess >= 1) & (below(guess - 1) >= chance)), 0.0)
    guess = np.minimum(guess + (below(guess) < chance), number)
    return np.where(share <= 0, 0.0, np.where(share >= 1, number, guess))
