"""Who stands in which lane, and how far is he?"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

from cartrial.virtual.engine.kernel_codes import (
    I_ACCEPTED,
    I_NEAREST_SENSITIVE,
    I_PEAK_IL6,
    N_INFO,
    N_PARAMETERS,
    N_STATES,
)
from cartrial.virtual.engine.lanes_kernel import Flags, Floats, Integers, Singles

__all__ = [
    "AT_ACCEPTED",
    "AT_AIM",
    "AT_CUT",
    "AT_DAY",
    "AT_ERROR",
    "AT_EVENT",
    "AT_FACTOR",
    "AT_FOLLOWING",
    "AT_GIVEN",
    "AT_H",
    "AT_MOVED",
    "AT_PATIENT",
    "AT_REFUSED",
    "AT_T",
    "AT_TRIGGERED",
    "Bench",
    "Patients",
    "begin",
    "make_bench",
    "open_notes",
    "rest",
]

# rows of `Bench.clock` and `Bench.tally`
AT_T, AT_H, AT_AIM, AT_FOLLOWING, AT_ERROR, AT_FACTOR, AT_MOVED = range(7)
AT_PATIENT, AT_EVENT, AT_DAY, AT_ACCEPTED, AT_REFUSED, AT_CUT = range(6)
AT_TRIGGERED, AT_GIVEN = 6, 8  # a row for each drug


class Patients(NamedTuple):
    """Who is to be solved, and where what is found is written.

    Parameters
    ----------
    initial, parameters, alive, thresholds
        As in `Draws`: shape (patients, 17), (patients, 26), (patients, 3), (patients, 3); `alive` of bool, the others of float64.
    when, kind, value : ndarray of float64, int64 and float64, shape (patients, events)
        As in `Events`, sorted by day.
    levels : ndarray of float64, shape (patients, 2)
        IL-6 (pg/mL) at whose first crossing tocilizumab and corticosteroids are given, infinite: not for that.
    days : ndarray of float64, shape (days + `PADDING`,)
        Days to write, increasing; the last ones are there to be read, not written.
    out : ndarray of float32, shape (patients, days, 11)
        Filled, in the order of `QUANTITIES`.
    note : ndarray of float64, shape (patients, 14)
        Filled, in the order of `kernel_codes.I_*`.
    """

    initial: Floats
    parameters: Floats
    alive: Flags
    thresholds: Floats
    when: Floats
    kind: Integers
    value: Floats
    levels: Floats
    days: Floats
    out: Singles
    note: Floats


class Bench(NamedTuple):
    """Where patients stand side by side; the last axis of each array is theirs.

    Parameters
    ----------
    body : ndarray of float64, shape (6, 17, lanes)
        `y`, `z`, `k2`, `k3`, `k4` and `at` of `step`.
    k, j, lu : ndarray of float64, shape (8, 17, lanes) and twice (17, 17, lanes)
        As in `step`.
    q, alive, care : ndarray of float64, shape (26, lanes), (3, lanes), (4, lanes)
        As in `rates`.
    ends : ndarray of float64, shape (2, lanes)
        Days on which tocilizumab and corticosteroids end, infinite: not given.
    clock : ndarray of float64, shape (7, lanes)
        Day, step, the step before it was cut, the day after the step; the step's squared error, the factor of the next, 1 where it moved.
    tally : ndarray of int64, shape (10, lanes)
        Patient (-1: none), next event and day to write, steps accepted and refused, whether the step is cut at a stop, and for each drug
        whether the step triggers it, then whether it was given at its level.
    written : ndarray of float64, shape (17, lanes)
        Work space of `write_days`.
    """

    body: Floats
    k: Floats
    j: Floats
    lu: Floats
    q: Floats
    alive: Floats
    care: Floats
    ends: Floats
    clock: Floats
    tally: Integers
    written: Floats


def make_bench(width: int) -> Bench:
    """Return work space for so many patients side by side."""
    return Bench(
        np.zeros((6, N_STATES, width)),
        np.zeros((8, N_STATES, width)),
        np.zeros((N_STATES, N_STATES, width)),
        np.zeros((N_STATES, N_STATES, width)),
        np.zeros((N_PARAMETERS, width)),
        np.zeros((3, width)),
        np.zeros((4, width)),
        np.zeros((2, width)),
        np.zeros((7, width)),
        np.zeros((10, width), np.int64),
        np.zeros((N_STATES, width)),
    )


@nb.njit(error_model="numpy", nogil=True)
def begin(who: Patients, p: int | np.int64, bench: Bench, lane: int) -> None:
    """Put a patient into a lane, at day 0."""
    for i in range(N_STATES):
        bench.body[0, i, lane] = who.initial[p, i]
    for i in range(N_PARAMETERS):
        bench.q[i, lane] = who.parameters[p, i]
    for i in range(3):
        bench.alive[i, lane] = 1.0 if who.alive[p, i] else 0.0
    for i in range(4):
        bench.care[i, lane] = 1.0
    for i in range(2):
        bench.ends[i, lane] = np.inf
    for i in range(len(bench.clock)):
        bench.clock[i, lane] = 0.0
    bench.clock[AT_H, lane] = 0.02
    for i in range(len(bench.tally)):
        bench.tally[i, lane] = 0


@nb.njit(error_model="numpy", nogil=True)
def open_notes(note: Floats, il6: float) -> None:
    """Fill a patient's notes with what holds before day 0."""
    for i in range(N_INFO):
        note[i] = np.nan if i < I_ACCEPTED else 0.0
    for c in range(3):
        note[I_NEAREST_SENSITIVE + c] = np.inf
    note[I_PEAK_IL6] = il6


@nb.njit(error_model="numpy", nogil=True)
def rest(who: Patients, bench: Bench, lane: int) -> None:
    """Leave a lane without a patient: it repeats the start of the last one, which has nothing that is no number."""
    begin(who, len(who.initial) - 1, bench, lane)
    bench.tally[AT_PATIENT, lane] = -1
