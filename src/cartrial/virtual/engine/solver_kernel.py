"""How does one patient's state move through time, past events and extinctions?

Rodas5P in the form without matrix products (Hairer and Wanner II, IV.7): coefficients of Steinebach 2023, doi:10.1007/s10543-023-00967-x.
"""

from __future__ import annotations

from math import exp, log

import numba as nb
import numpy as np

from cartrial.virtual.engine.kernel_codes import (
    END_STEROIDS,
    END_TOCILIZUMAB,
    I_ACCEPTED,
    I_FAILED,
    I_NEAREST_SENSITIVE,
    I_PEAK_IL6,
    I_REFUSED,
    I_REJECTED,
    I_STEROIDS,
    I_TOCILIZUMAB,
    I_TRANSPLANTED,
    INFUSION,
    LYMPHODEPLETION,
    MARROW_SCALE,
    MARROW_TOP,
    N_INFO,
    N_STATES,
    NEW_THERAPY,
    Q_ALLOGENEIC,
    Q_DOSE,
    Q_MEMORY_SHARE,
    REJECTION_CAP,
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
from cartrial.virtual.engine.rates_kernel import Flags, Floats, rates
from cartrial.virtual.engine.solver_kernel_linear import factorise
from cartrial.virtual.engine.solver_kernel_step import GAMMA, step
from cartrial.virtual.engine.solver_kernel_write import BLOCK, Integers, Singles, write_days

__all__ = ["solve"]

_LOG10 = log(10.0)


@nb.njit(cache=True, error_model="numpy", nogil=True)
def _write(y: Floats, alive: Flags, o: Singles) -> None:
    """Fill `o`, the quantities of a day, shape (11,), from the state and from which clones exist."""
    o[0] = (exp(y[0]) if alive[0] else 0.0) + (exp(y[1]) if alive[1] else 0.0)
    o[1] = exp(y[2]) if alive[2] else 0.0
    o[2] = exp(y[3])
    o[4] = exp(y[4]) + exp(y[5])
    o[3] = o[4] + y[7]
    o[5] = exp(y[8])
    for i in range(3):
        o[6 + i] = y[11 + i]
    o[9] = y[15]
    o[10] = y[16]


@nb.njit(cache=True, error_model="numpy", nogil=True)
def _happen(
    kind: int, value: float, t: float, y: Floats, q: Floats, alive: Flags, thresholds: Floats, care: Floats, ends: Floats, note: Floats
) -> None:
    """Change the state by one event.

    `kind` and `value` are those of `Events`, or the end of a drug; `t` is the day. State, parameters, clones and factors of treatment
    as in `rates`; a clone is lost at its threshold (ln cells/uL, shape (3,)). `ends` are the days on which tocilizumab and
    corticosteroids end, infinite: not given. `note` as in `solve`, one row.
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
                if alive[c]:
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
            if alive[c]:
                y[c] -= kill
                if y[c] < thresholds[c]:
                    alive[c] = False
                    note[c] = t


@nb.njit(cache=True, error_model="numpy", nogil=True)
def _dense(y: Floats, z: Floats, k2: Floats, k3: Floats, k4: Floats, i: int, s: float) -> float:
    """Return state i at a share s, 0 to 1, of the step; arrays as in `step`."""
    state: float = y[i] * (1.0 - s) + s * (z[i] + (1.0 - s) * (k2[i] + s * (k3[i] + s * k4[i])))
    return state


@nb.njit(cache=True, error_model="numpy", nogil=True)
def _cross(y: Floats, z: Floats, k2: Floats, k3: Floats, k4: Floats, i: int, level: float, low: float, high: float) -> float:
    """Return where within the step, between `low` and `high`, state i passes `level`."""
    above = _dense(y, z, k2, k3, k4, i, low) > level
    for _ in range(45):
        middle = 0.5 * (low + high)
        if (_dense(y, z, k2, k3, k4, i, middle) > level) == above:
            low = middle
        else:
            high = middle
    return high


@nb.njit(cache=True, error_model="numpy", nogil=True)
def _patient(
    y: Floats,
    q: Floats,
    alive: Flags,
    thresholds: Floats,
    when: Floats,
    kind: Integers,
    value: Floats,
    levels: Floats,
    days: Floats,
    rtol: float,
    out: Singles,
    note: Floats,
    w: Floats,
    k: Floats,
    j: Floats,
    lu: Floats,
    buffer: Floats,
    whole: Integers,
    power: Floats,
) -> None:
    """Solve one patient: fill `out` and `note`, and move `y` and `alive` on.

    Parameters
    ----------
    y, q, alive, thresholds, when, kind, value, levels, days, rtol, out, note
        As in `solve`: one row each.
    w : ndarray of float64, shape (6, 17)
        Work space: `z`, `k2`, `k3`, `k4` and `at` of `step`, and the rates at `y`.
    k, j, lu
        As in `step`.
    buffer : ndarray of float64, shape (2, 64)
        Work space: `at` and `x` of `write_days`.
    whole, power
        As in `write_days`.
    """
    allogeneic = q[Q_ALLOGENEIC] > 0.0
    z, k2, k3, k4, at = w[0], w[1], w[2], w[3], w[4]
    care = np.ones(4)
    ends = np.full(2, np.inf)
    note[:] = np.nan
    note[I_ACCEPTED:N_INFO] = 0.0
    note[I_NEAREST_SENSITIVE : I_NEAREST_SENSITIVE + 3] = np.inf
    note[I_PEAK_IL6] = y[11]
    given = np.zeros(2, np.bool_)
    n_events = len(when)
    n_days = len(days)
    end = days[n_days - 1]
    t = 0.0
    h = 0.02
    e = 0
    i_day = 0
    accepted = 0
    refused = 0
    fresh = True
    while True:
        # events of this moment
        happened = False
        while e < n_events and when[e] <= t + 1e-9:
            _happen(kind[e], value[e], t, y, q, alive, thresholds, care, ends, note)
            e += 1
            happened = True
        for c in range(2):
            if ends[c] <= t + 1e-9:
                _happen(END_TOCILIZUMAB if c == 0 else END_STEROIDS, 0.0, t, y, q, alive, thresholds, care, ends, note)
                happened = True
        if happened:
            h = min(h, 0.02)
            fresh = True
        if i_day < n_days and days[i_day] <= t + 1e-9:
            _write(y, alive, out[i_day])
            i_day += 1
        if i_day >= n_days:
            break
        stop = end
        if e < n_events and when[e] < stop:
            stop = when[e]
        for c in range(2):
            if ends[c] < stop:
                stop = ends[c]
        if fresh:
            rates(y, q, alive, care, k[0], j, True)
            for i in range(N_STATES):
                w[5, i] = k[0, i]
        else:
            for i in range(N_STATES):
                k[0, i] = w[5, i]
        aim = h
        cut = t + h >= stop - 1e-9
        if cut:
            h = stop - t
        factorise(j, 1.0 / (GAMMA * h), allogeneic, lu)
        err = step(y, q, alive, care, allogeneic, h, rtol, k, j, lu, z, k2, k3, k4, at)
        factor = min(5.0, max(0.2, 0.9 * (err + 1e-14) ** -0.2))
        if not err <= 1.0:
            refused += 1
            fresh = False
            h *= factor if err > 1.0 and err < 1e30 else 0.2
            if h < 1e-9 or refused > 5000:
                note[I_FAILED] = 1.0
                break
            continue
        # a drug given at a level of IL-6: the step ends where it is crossed
        triggered = -1
        for c in range(2):
            if not given[c] and y[11] < levels[c] <= z[11]:
                s = _cross(y, z, k2, k3, k4, 11, levels[c], 0.0, 1.0)
                # each repeat is shorter by more than 1e-5 day; a step that ends within 2e-5 day after the crossing counts as it
                if (1.0 - s) * h > 2e-5 and h > 1e-4:
                    h = s * h + 1e-5
                    triggered = 2
                else:
                    triggered = c
                break
        if triggered == 2:
            fresh = False
            continue
        accepted += 1
        for c in range(3):
            if alive[c]:
                low = min(y[c], z[c]) - thresholds[c]
                pieces = 4 if low < 3.0 else 1
                for p in range(pieces):
                    s = (p + 1) / pieces
                    v = _dense(y, z, k2, k3, k4, c, s) - thresholds[c]
                    if v < note[I_NEAREST_SENSITIVE + c]:
                        note[I_NEAREST_SENSITIVE + c] = v
                    if v < 0.0:
                        start = p / pieces
                        note[c] = t + h * _cross(y, z, k2, k3, k4, c, thresholds[c], start, s)
                        break
        if allogeneic and np.isnan(note[I_REJECTED]):
            level = log(REJECTION_CAP)
            if y[9] < level <= z[9]:
                note[I_REJECTED] = t + h * _cross(y, z, k2, k3, k4, 9, level, 0.0, 1.0)
        following = stop if cut else t + h
        while i_day < n_days and days[i_day] < following - 1e-9:
            last = i_day + 1
            while last < n_days and last < i_day + BLOCK and days[last] < following - 1e-9:
                last += 1
            write_days(y, z, k2, k3, k4, alive, note, days[i_day:last], t, h, out[i_day:last], buffer[0], buffer[1], whole, power)
            i_day = last
        for c in range(3):
            if alive[c] and note[c] <= following:
                alive[c] = False
        for i in range(N_STATES):
            y[i] = z[i]
        t = following
        if y[11] > note[I_PEAK_IL6]:
            note[I_PEAK_IL6] = y[11]
        fresh = True
        h = max(h * factor, min(aim, 0.05)) if cut else h * factor
        if triggered >= 0:
            given[triggered] = True
            _happen(TOCILIZUMAB if triggered == 0 else STEROIDS, 0.0, t, y, q, alive, thresholds, care, ends, note)
            h = min(h, 0.02)
    note[I_ACCEPTED] = accepted
    note[I_REFUSED] = refused


@nb.njit(cache=True, error_model="numpy", nogil=True)
def solve(
    initial: Floats,
    parameters: Floats,
    alive: Flags,
    thresholds: Floats,
    when: Floats,
    kind: Integers,
    value: Floats,
    levels: Floats,
    days: Floats,
    rtol: float,
    out: Singles,
    note: Floats,
) -> None:
    """Solve patient after patient.

    Parameters
    ----------
    initial, parameters, alive, thresholds
        As in `Draws`: shape (patients, 17), (patients, 26), (patients, 3), (patients, 3); `alive` of bool, the others of float64.
    when, kind, value : ndarray of float64, int64 and float64, shape (patients, events)
        As in `Events`, sorted by day.
    levels : ndarray of float64, shape (patients, 2)
        IL-6 (pg/mL) at whose first crossing tocilizumab and corticosteroids are given, infinite: not for that.
    days : ndarray of float64, shape (days,)
        Days to write, increasing.
    rtol : float
        Tolerance of a step.
    out : ndarray of float32, shape (patients, days, 11)
        Filled, in the order of `QUANTITIES`.
    note : ndarray of float64, shape (patients, 14)
        Filled, in the order of `kernel_codes.I_*`.
    """
    work = np.zeros((6, N_STATES))
    buffer = np.zeros((2, BLOCK))
    whole = np.zeros(BLOCK, np.int64)
    power = whole.view(np.float64)
    k = np.zeros((8, N_STATES))
    j = np.zeros((N_STATES, N_STATES))
    lu = np.zeros((N_STATES, N_STATES))
    for i in range(len(initial)):
        y: Floats = initial[i].copy()
        living: Flags = alive[i].copy()
        j[:, :] = 0.0
        _patient(
            y,
            parameters[i],
            living,
            thresholds[i],
            when[i],
            kind[i],
            value[i],
            levels[i],
            days,
            rtol,
            out[i],
            note[i],
            work,
            k,
            j,
            lu,
            buffer,
            whole,
            power,
        )
