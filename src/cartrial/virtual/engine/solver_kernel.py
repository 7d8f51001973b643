"""How do patients' states move through time, several side by side, past events and extinctions?

Rodas5P in the form without matrix products (Hairer and Wanner II, IV.7): coefficients of Steinebach 2023, doi:10.1007/s10543-023-00967-x.
Each lane has its patient, his time and his step; only the arithmetic of a step is done for all of them at once. A lane whose patient
is done takes the next one.
"""

from __future__ import annotations

import numba as nb

from cartrial.virtual.engine.kernel_codes import I_ACCEPTED, I_FAILED, I_REFUSED, N_STATES, Q_ALLOGENEIC
from cartrial.virtual.engine.lanes_kernel import borrow, pick, row, table
from cartrial.virtual.engine.lanes_kernel_functions import exp, larger, log, smaller
from cartrial.virtual.engine.rates_kernel import rates
from cartrial.virtual.engine.solver_kernel_bench import (
    AT_ACCEPTED,
    AT_DAY,
    AT_ERROR,
    AT_FACTOR,
    AT_H,
    AT_MOVED,
    AT_PATIENT,
    AT_REFUSED,
    Bench,
    Patients,
    begin,
    make_bench,
    open_notes,
    rest,
)
from cartrial.virtual.engine.solver_kernel_lane import arrive, conclude
from cartrial.virtual.engine.solver_kernel_linear import factorise
from cartrial.virtual.engine.solver_kernel_step import GAMMA, bounded, step
from cartrial.virtual.engine.solver_kernel_write import PADDING

__all__ = ["PADDING", "Bench", "Patients", "make_bench", "solve"]


@nb.njit(error_model="numpy", nogil=True)
def _try(bench: Bench, rtol: float, lanes: tuple[int, ...]) -> None:
    """Try a step of every lane: the arithmetic that is done side by side."""
    body = table(bench.body, lanes)
    y, z, k2, k3, k4, at = row(body, 0), row(body, 1), row(body, 2), row(body, 3), row(body, 4), row(body, 5)
    k, j, lu, q = table(bench.k, lanes), table(bench.j, lanes), table(bench.lu, lanes), table(bench.q, lanes)
    alive, care, clock = table(bench.alive, lanes), table(bench.care, lanes), table(bench.clock, lanes)
    h, allogeneic = clock[AT_H], q[Q_ALLOGENEIC]
    rates(y, q, alive, care, row(k, 0), j, True)
    factorise(j, 1.0 / (GAMMA * h), allogeneic, lu)
    error = bounded(y, alive) * step(y, q, alive, care, allogeneic, h, rtol, k, j, lu, z, k2, k3, k4, at)
    clock[AT_ERROR] = error
    clock[AT_FACTOR] = smaller(larger(0.9 * exp(-0.1 * log(error + 1e-28)), 0.2), 5.0)


@nb.njit(error_model="numpy", nogil=True)
def _move(bench: Bench, lanes: tuple[int, ...]) -> None:
    """Take the state after the step where it is accepted."""
    body, clock = table(bench.body, lanes), table(bench.clock, lanes)
    moved = clock[AT_MOVED] > 0.0
    for i in range(N_STATES):
        body[0, i] = pick(moved, body[1, i], body[0, i])


@nb.njit(cache=True, error_model="numpy", nogil=True)
def solve(who: Patients, bench: Bench, rtol: float, lanes: tuple[int, ...]) -> int:
    """Solve patients side by side.

    Parameters
    ----------
    who : Patients
    bench : Bench
        Work space.
    rtol : float
        Tolerance of a step.
    lanes : tuple of int
        As long as there shall be patients side by side.

    Returns
    -------
    int
        In how many steps a lane without a patient had an error that is no number: none.
    """
    width = len(lanes)
    who, bench = borrow(who), borrow(bench)
    n = len(who.initial)
    for lane in range(width):
        rest(who, bench, lane)
    upcoming = strange = nb.int64(0)  # a number written out would be compiled as a type of its own
    while True:
        busy = 0
        for lane in range(width):
            while True:
                p = bench.tally[AT_PATIENT, lane]
                if p >= 0:
                    if arrive(who, bench, lane):
                        busy += 1
                        break
                    if not bounded(bench.body[0, :, lane], bench.alive[:, lane]) > 0.0:
                        who.note[p, I_FAILED] = 1.0
                    who.note[p, I_ACCEPTED] = bench.tally[AT_ACCEPTED, lane]
                    who.note[p, I_REFUSED] = bench.tally[AT_REFUSED, lane]
                if upcoming == n:
                    if p >= 0:
                        rest(who, bench, lane)
                    break
                begin(who, upcoming, bench, lane)
                bench.tally[AT_PATIENT, lane] = upcoming
                open_notes(who.note[upcoming], bench.body[0, 11, lane])
                upcoming += 1
        if busy == 0:
            return int(strange)
        _try(bench, rtol, lanes)
        for lane in range(width):
            if bench.tally[AT_PATIENT, lane] < 0:
                strange += not bench.clock[AT_ERROR, lane] >= 0.0
            elif conclude(who, bench, lane, lanes):
                bench.tally[AT_DAY, lane] = who.out.shape[1]
        _move(bench, lanes)
