"""What do events and drugs change in a patient?"""

from __future__ import annotations

import numba as nb
import numpy as np

from cartrial.virtual.engine.kernel_codes import (
    END_STEROIDS,
    END_TOCILIZUMAB,
    I_STEROIDS,
    I_TOCILIZUMAB,
    I_TRANSPLANTED,
    INFUSION,
    LYMPHODEPLETION,
    MARROW_SCALE,
    MARROW_TOP,
    NEW_THERAPY,
    Q_DOSE,
    Q_MEMORY_SHARE,
    STEROID_DAYS,
    STEROID_EXPANSION,
    STEROID_YIELD,
    STEROIDS,
    TOCI_CLEARANCE,
    TOCI_DAYS,
    TOCI_EXPANSION,
    TOCI_SIGNAL,
    TOCILIZUMAB,
    TRANSPLANT,
    TRANSPLANT_BELOW,
    TRANSPLANT_CAR,
    TRANSPLANT_HOST,
    TRANSPLANT_RESERVE,
)
from cartrial.virtual.engine.lanes_kernel import Floats
from cartrial.virtual.engine.lanes_kernel_functions import exp, log

__all__ = ["happen"]

_LOG10 = 2.302585092994046


@nb.njit(error_model="numpy", nogil=True)
def happen(
    kind: int, value: float, t: float, y: Floats, q: Floats, alive: Floats, thresholds: Floats, care: Floats, ends: Floats, note: Floats
) -> None:
    """Change the state by one event.

    `kind` and `value` are those of `Events`, or the end of a drug; `t` is the day. State, parameters, clones and factors of treatment
    as in `rates`; a clone is lost at its threshold (ln cells/uL, shape (3,)). `ends` are the days on which tocilizumab and
    corticosteroids end, infinite: not given. `note` as in `Patients`, one row.
    """
    if kind == INFUSION:
        cells = q[Q_DOSE] * value
        share = q[Q_MEMORY_SHARE]
        if cells > 0.0:
            effector = exp(y[4])
            fresh = effector + cells * (1.0 - share)
            y[6] = -log((effector * exp(-y[6]) + cells * (1.0 - share)) / fresh)
            y[4] = log(fresh)
            y[5] = log(exp(y[5]) + cells * share)
    elif kind == TOCILIZUMAB:
        care[0] *= TOCI_EXPANSION if ends[0] == np.inf else 1.0
        care[1] = TOCI_SIGNAL
        care[3] = TOCI_CLEARANCE
        ends[0] = t + TOCI_DAYS
        if np.isnan(note[I_TOCILIZUMAB]):
            note[I_TOCILIZUMAB] = t
    elif kind == STEROIDS:
        care[0] *= STEROID_EXPANSION if ends[1] == np.inf else 1.0
        care[2] = STEROID_YIELD
        ends[1] = t + STEROID_DAYS
        if np.isnan(note[I_STEROIDS]):
            note[I_STEROIDS] = t
    elif kind == END_TOCILIZUMAB:
        care[0] /= TOCI_EXPANSION
        care[1] = 1.0
        care[3] = 1.0
        ends[0] = np.inf
    elif kind == END_STEROIDS:
        care[0] /= STEROID_EXPANSION
        care[2] = 1.0
        ends[1] = np.inf
    else:
        kill = value * _LOG10
        if kind == LYMPHODEPLETION:
            kill = value / 3.0
            y[8] -= value
            y[9] -= value
            y[14] -= 1.0
        elif kind == TRANSPLANT:
            blasts = 0.0
            for c in range(3):
                if alive[c] > 0.0:
                    blasts += exp(y[c])
            if MARROW_TOP * blasts / (blasts + MARROW_SCALE) >= TRANSPLANT_BELOW:
                return
            note[I_TRANSPLANTED] = t
            y[4] -= TRANSPLANT_CAR
            y[5] -= TRANSPLANT_CAR
            y[7] *= exp(-TRANSPLANT_CAR)
            y[8] = log(TRANSPLANT_HOST)
            y[9] = -30.0
            y[14] = TRANSPLANT_RESERVE
        elif kind == NEW_THERAPY:
            y[14] -= 1.0
        for c in range(3):
            if alive[c] > 0.0:
                y[c] -= kill
                if y[c] < thresholds[c]:
                    alive[c] = 0.0
                    note[c] = t
