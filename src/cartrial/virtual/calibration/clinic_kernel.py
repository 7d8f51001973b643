"""What does a clinic see of a course? Response, MRD, relapse and death of patient after patient."""

from __future__ import annotations

from math import exp, log, sqrt

import numba as nb
import numpy as np
from numpy.typing import NDArray

__all__ = ["observe"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LAST_RESPONSE = 104.0
(R_BEST, R_RESPONSE_DAY, R_MRD_NEGATIVE, R_RELAPSE_DAY, R_RELAPSE_NEGATIVE, R_RELAPSE_APLASTIC, R_DEATH_DAY, R_MONTH3, R_RECOVERY_DAY) = (
    range(9)
)
N_RESULT = 9


@nb.njit(cache=True, error_model="numpy", nogil=True)
def observe(
    visits: Floats,
    marrow: Floats,
    negative: Floats,
    bcell: Floats,
    anc: Floats,
    plt: Floats,
    transplanted: Floats,
    must_clear: Flags,
    noise: Floats,
    chance: Floats,
    numbers: Floats,
    failing: Floats,
    result: Floats,
) -> None:
    """Fill `result`.

    Parameters
    ----------
    visits : ndarray of float64, shape (visits,)
        Days.
    marrow, negative, bcell, anc, plt : ndarray of float64, shape (patients, visits)
        True values: fraction of blasts, CD19-negative share of them, B cells/uL, counts in 1e9/L.
    transplanted : ndarray of float64, shape (patients,)
        Day, NaN: none.
    must_clear : ndarray of bool, shape (patients,)
        Less than 5 % blasts at entry: a response needs MRD-negativity.
    noise : ndarray of float64, shape (patients, visits, 3)
        Standard normal.
    chance : ndarray of float64, shape (patients, 6)
        Uniform.
    numbers : ndarray of float64, shape (9,)
        Error of ln odds of marrow, cells of flow cytometry, B cells/uL that end aplasia, early deaths, other deaths/day, deaths by
        transplant, salvaged, deaths after non-response over after relapse, error of ln counts. CR needs ANC > 1.0 and platelets > 100.
    failing : ndarray of float64, shape (patients,)
        Deaths/day after relapse.
    result : ndarray of float64, shape (patients, 9)
        Best response within 3 months (0, 1 CRi, 2 CR), its day, MRD-negative, day of relapse, CD19-negative, in aplasia, day of death,
        response at month 3 (none after a transplant), day of B-cell recovery; days are infinite where there is none.
    """
    for i in range(len(marrow)):
        best = 0.0
        response = np.inf
        mrd = 0.0
        relapse = np.inf
        relapse_negative = 0.0
        relapse_aplastic = 0.0
        month3 = 0.0
        recovery = np.inf
        early = -log(chance[i, 0])
        if early < numbers[3]:
            death = early / numbers[3] * 45.0
        else:
            death = 45.0 + (early - numbers[3]) / numbers[4]
        if transplanted[i] < death and chance[i, 1] < numbers[5]:
            death = min(death, transplanted[i] - 120.0 * log(chance[i, 2]))
        for v in range(len(visits)):
            t = visits[v]
            if t >= death:
                break
            if recovery == np.inf and t >= 28.0 and bcell[i, v] >= numbers[2]:
                recovery = t
            odds = marrow[i, v] / (1.0 - marrow[i, v]) * exp(numbers[0] * noise[i, v, 0])
            seen = odds / (1.0 + odds)
            counted = numbers[1] * seen + sqrt(numbers[1] * seen) * noise[i, v, 1]
            clear = counted < numbers[1] * 1e-4
            if response == np.inf:
                if t > LAST_RESPONSE:
                    break
                if seen < 0.05 and (clear or not must_clear[i]):
                    response = t
                    mrd = 1.0 if clear else 0.0
            elif seen >= 0.05:
                relapse = t
                relapse_negative = 1.0 if negative[i, v] > 0.5 else 0.0
                relapse_aplastic = 1.0 if bcell[i, v] < numbers[2] else 0.0
                break
            if response < np.inf:
                if clear and t <= LAST_RESPONSE:
                    mrd = 1.0
                full = anc[i, v] * exp(numbers[8] * noise[i, v, 2]) > 1.0 and plt[i, v] * exp(numbers[8] * noise[i, v, 1]) > 100.0
                kind = 2.0 if full else 1.0
                if t <= LAST_RESPONSE:
                    best = max(best, kind)
                if abs(t - 90.0) < 1.0 and not transplanted[i] < t:
                    month3 = kind
        failed = 28.0 if response == np.inf else relapse
        if failed < death and chance[i, 3] >= numbers[6]:
            hazard = failing[i] * (numbers[7] if response == np.inf else 1.0)
            death = min(death, failed - log(chance[i, 4]) / hazard)
        result[i, R_BEST] = best
        result[i, R_RESPONSE_DAY] = response
        result[i, R_MRD_NEGATIVE] = mrd
        result[i, R_RELAPSE_DAY] = relapse
        result[i, R_RELAPSE_NEGATIVE] = relapse_negative
        result[i, R_RELAPSE_APLASTIC] = relapse_aplastic
        result[i, R_DEATH_DAY] = death
        result[i, R_MONTH3] = month3
        result[i, R_RECOVERY_DAY] = recovery
