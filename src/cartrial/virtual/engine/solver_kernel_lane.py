"""What is done with the patient of one lane between steps: events, crossings, extinctions, days to write?"""

from __future__ import annotations

import numba as nb
import numpy as np

from cartrial.virtual.engine.kernel_codes import (
    END_STEROIDS,
    END_TOCILIZUMAB,
    I_FAILED,
    I_NEAREST_SENSITIVE,
    I_PEAK_IL6,
    I_REJECTED,
    Q_ALLOGENEIC,
    REJECTION_CAP,
    STEROIDS,
    TOCILIZUMAB,
)
from cartrial.virtual.engine.lanes_kernel import Floats, Singles
from cartrial.virtual.engine.lanes_kernel_functions import exp, log
from cartrial.virtual.engine.solver_kernel_bench import (
    AT_ACCEPTED,
    AT_AIM,
    AT_CUT,
    AT_DAY,
    AT_ERROR,
    AT_EVENT,
    AT_FACTOR,
    AT_FOLLOWING,
    AT_GIVEN,
    AT_H,
    AT_MOVED,
    AT_PATIENT,
    AT_REFUSED,
    AT_T,
    AT_TRIGGERED,
    Bench,
    Patients,
)
from cartrial.virtual.engine.solver_kernel_events import happen
from cartrial.virtual.engine.solver_kernel_write import write_days

__all__ = ["arrive", "conclude"]


@nb.njit(error_model="numpy", nogil=True, forceinline=True)
def _dense(body: Floats, i: int | np.int64, lane: int, s: float) -> float:
    """Return state i of a lane at a share s, 0 to 1, of the step."""
    u = 1.0 - s
    state: float = body[0, i, lane] * u + s * (body[1, i, lane] + u * (body[2, i, lane] + s * (body[3, i, lane] + s * body[4, i, lane])))
    return state


@nb.njit(error_model="numpy", nogil=True)
def _cross(body: Floats, i: int | np.int64, lane: int, level: float, low: float, high: float) -> float:
    """Return where within the step, between `low` and `high`, state i of a lane passes `level`."""
    above = _dense(body, i, lane, low) > level
    for _ in range(45):
        middle = 0.5 * (low + high)
        if (_dense(body, i, lane, middle) > level) == above:
            low = middle
        else:
            high = middle
    return high


@nb.njit(error_model="numpy", nogil=True)
def _write(y: Floats, alive: Floats, o: Singles) -> None:
    """Fill `o`, the quantities of a day, shape (11,), from the state and from which clones exist."""
    o[0] = alive[0] * exp(y[0]) + alive[1] * exp(y[1])
    o[1] = alive[2] * exp(y[2])
    o[2] = exp(y[3])
    functional = exp(y[4]) + exp(y[5])
    o[3] = functional + y[7]
    o[4] = functional
    o[5] = exp(y[8])
    for i in range(3):
        o[6 + i] = y[11 + i]
    o[9] = y[15]
    o[10] = y[16]


@nb.njit(error_model="numpy", nogil=True)
def _do(who: Patients, bench: Bench, lane: int, kind: int, value: float) -> None:
    """Let an event happen to the patient of a lane, now, and shorten the next step."""
    p = bench.tally[AT_PATIENT, lane]
    clock = bench.clock
    happen(
        kind,
        value,
        clock[AT_T, lane],
        bench.body[0, :, lane],
        bench.q[:, lane],
        bench.alive[:, lane],
        who.thresholds[p],
        bench.care[:, lane],
        bench.ends[:, lane],
        who.note[p],
    )
    clock[AT_H, lane] = min(clock[AT_H, lane], 0.02)


@nb.njit(error_model="numpy", nogil=True, forceinline=True)
def arrive(who: Patients, bench: Bench, lane: int) -> bool:
    """Let happen what happens now, and choose the next step; return whether there is one."""
    p, days, n_days = bench.tally[AT_PATIENT, lane], who.days, who.out.shape[1]
    clock, tally, ends = bench.clock, bench.tally, bench.ends
    t = clock[AT_T, lane]
    if clock[AT_MOVED, lane] > 0.0:
        clock[AT_MOVED, lane] = 0.0
        if bench.body[0, 11, lane] > who.note[p, I_PEAK_IL6]:
            who.note[p, I_PEAK_IL6] = bench.body[0, 11, lane]
        for drug in range(2):
            if tally[AT_TRIGGERED + drug, lane] == 1:
                tally[AT_TRIGGERED + drug, lane] = 0
                tally[AT_GIVEN + drug, lane] = 1
                _do(who, bench, lane, TOCILIZUMAB if drug == 0 else STEROIDS, 0.0)
    while tally[AT_EVENT, lane] < who.when.shape[1] and who.when[p, tally[AT_EVENT, lane]] <= t + 1e-9:
        _do(who, bench, lane, who.kind[p, tally[AT_EVENT, lane]], who.value[p, tally[AT_EVENT, lane]])
        tally[AT_EVENT, lane] += 1
    for c in range(2):
        if ends[c, lane] <= t + 1e-9:
            _do(who, bench, lane, END_TOCILIZUMAB if c == 0 else END_STEROIDS, 0.0)
    while tally[AT_DAY, lane] < n_days and days[tally[AT_DAY, lane]] <= t + 1e-9:
        _write(bench.body[0, :, lane], bench.alive[:, lane], who.out[p, tally[AT_DAY, lane]])
        tally[AT_DAY, lane] += 1
    if tally[AT_DAY, lane] >= n_days:
        return False
    stop = days[n_days - 1]
    if tally[AT_EVENT, lane] < who.when.shape[1]:
        stop = min(stop, who.when[p, tally[AT_EVENT, lane]])
    stop = min(stop, min(ends[0, lane], ends[1, lane]))
    h = clock[AT_H, lane]
    clock[AT_AIM, lane] = h
    tally[AT_CUT, lane] = 0
    clock[AT_FOLLOWING, lane] = t + h
    if t + h >= stop - 1e-9:
        tally[AT_CUT, lane] = 1
        clock[AT_FOLLOWING, lane] = stop
        clock[AT_H, lane] = stop - t
    return True


@nb.njit(error_model="numpy", nogil=True, forceinline=True)
def _crossed(level: float, bench: Bench, lane: int, drug: int) -> float:
    """Return where within the step IL-6 passes the level of a drug that was not given at it, 2 where it does not."""
    if bench.tally[AT_GIVEN + drug, lane] == 0 and bench.body[0, 11, lane] < level <= bench.body[1, 11, lane]:
        return float(_cross(bench.body, nb.int64(11), lane, level, 0.0, 1.0))
    return 2.0


@nb.njit(error_model="numpy", nogil=True, forceinline=True)
def _trigger(who: Patients, bench: Bench, lane: int) -> bool:
    """Find which drugs a level of IL-6 gives: the step ends where the first is crossed; return whether it is to be repeated, shorter."""
    p = bench.tally[AT_PATIENT, lane]
    h = bench.clock[AT_H, lane]
    first = 2.0
    for c in range(2):
        at = _crossed(who.levels[p, c], bench, lane, c)
        first = min(first, at)
        # a crossing within 2e-5 day of the step's end counts as it
        bench.tally[AT_TRIGGERED + c, lane] = 1 if at <= 1.0 and ((1.0 - at) * h <= 2e-5 or h <= 1e-4) else 0
    if first > 1.0 or (1.0 - first) * h <= 2e-5 or h <= 1e-4:
        return False
    # each repeat is shorter by more than 1e-5 day
    bench.clock[AT_H, lane] = first * h + 1e-5
    bench.tally[AT_TRIGGERED, lane] = bench.tally[AT_TRIGGERED + 1, lane] = 0
    return True


@nb.njit(error_model="numpy", nogil=True, forceinline=True)
def _lose(who: Patients, bench: Bench, lane: int) -> None:
    """Note how near the clones came to their thresholds in a step, when one is lost, and when the graft is rejected."""
    p = bench.tally[AT_PATIENT, lane]
    t, h, body, note = bench.clock[AT_T, lane], bench.clock[AT_H, lane], bench.body, who.note
    for c in range(3):
        if bench.alive[c, lane] > 0.0:
            threshold = who.thresholds[p, c]
            low = min(body[0, c, lane], body[1, c, lane]) - threshold
            pieces = 4 if low < 3.0 else 1
            for piece in range(pieces):
                s = (piece + 1) / pieces
                v = _dense(body, c, lane, s) - threshold
                if v < note[p, I_NEAREST_SENSITIVE + c]:
                    note[p, I_NEAREST_SENSITIVE + c] = v
                if v < 0.0:
                    note[p, c] = t + h * _cross(body, c, lane, threshold, piece / pieces, s)
                    break
    if bench.q[Q_ALLOGENEIC, lane] > 0.0 and np.isnan(note[p, I_REJECTED]):
        level = log(REJECTION_CAP)
        if body[0, 9, lane] < level <= body[1, 9, lane]:
            note[p, I_REJECTED] = t + h * _cross(body, nb.int64(9), lane, level, 0.0, 1.0)


@nb.njit(error_model="numpy", nogil=True, forceinline=True)
def conclude(who: Patients, bench: Bench, lane: int, lanes: tuple[int, ...]) -> bool:
    """Accept or refuse a step; return whether the patient cannot be solved."""
    p, days, n_days = bench.tally[AT_PATIENT, lane], who.days, who.out.shape[1]
    clock, tally = bench.clock, bench.tally
    h, error, factor = clock[AT_H, lane], clock[AT_ERROR, lane], clock[AT_FACTOR, lane]
    if not error <= 1.0:
        tally[AT_REFUSED, lane] += 1
        h *= factor if 1.0 < error < 1e60 else 0.2
        clock[AT_H, lane] = h
        if h < 1e-9 or tally[AT_REFUSED, lane] > 5000:
            who.note[p, I_FAILED] = 1.0
            return True
        return False
    if _trigger(who, bench, lane):
        return False
    tally[AT_ACCEPTED, lane] += 1
    _lose(who, bench, lane)
    t, following = clock[AT_T, lane], clock[AT_FOLLOWING, lane]
    first = tally[AT_DAY, lane]
    if first < n_days and days[first] < following - 1e-9:
        last = first + 1
        while last < n_days and days[last] < following - 1e-9:
            last += 1
        write_days(bench.body, lane, bench.alive, who.note[p], days, first, last, t, h, who.out[p], bench.written, lanes)
        tally[AT_DAY, lane] = last
    for c in range(3):
        if who.note[p, c] <= following:
            bench.alive[c, lane] = 0.0
    clock[AT_MOVED, lane] = 1.0
    clock[AT_T, lane] = following
    clock[AT_H, lane] = max(h * factor, min(clock[AT_AIM, lane], 0.05)) if tally[AT_CUT, lane] else h * factor
    return False
