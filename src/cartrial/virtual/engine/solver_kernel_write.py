"""How are the days inside one step written quickly? Several days of one patient at once, each in a lane."""

from __future__ import annotations

import numba as nb

from cartrial.virtual.engine.lanes_kernel import Floats, Singles, pick, span, table
from cartrial.virtual.engine.lanes_kernel_functions import exp

__all__ = ["PADDING", "write_days"]

PADDING = 7
"""So many days follow the last one in `days`, so that whole vectors can be read."""
_WRITTEN = (0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 15, 16)


@nb.njit(error_model="numpy", nogil=True)
def write_days(
    body: Floats,
    column: int,
    alive: Floats,
    lost: Floats,
    days: Floats,
    first: int,
    last: int,
    t: float,
    h: float,
    out: Singles,
    work: Floats,
    lanes: tuple[int, ...],
) -> None:
    """Write some days inside one step.

    Parameters
    ----------
    body : ndarray of float64, shape (5, 17, patients side by side)
        State before and after the step and its continuous extension: `y`, `z`, `k2`, `k3`, `k4`.
    column : int
        Which patient.
    alive : ndarray of float64, shape (3, patients side by side)
        Clones at the step's start.
    lost : ndarray of float64, shape (at least 3,)
        Day each clone is lost, NaN: not yet.
    days : ndarray of float64, shape (days and `PADDING` more,)
    first, last : int
        Positions of the first day, and of the one after the last.
    t, h : float
        Start and length of the step, days.
    out : ndarray of float32, shape (days, 11)
        Filled, in the order of `kernel_codes.QUANTITIES`.
    work : ndarray of float64, shape (17, lanes)
        Work space: states, as cells where they are logarithms.
    lanes : tuple of int
        As many as days are written at once.
    """
    x = table(work, lanes)
    for start in range(first, last, len(lanes)):
        day = span(days, start, lanes)
        s = (day - t) / h
        u = 1.0 - s
        for i in _WRITTEN:
            v = body[0, i, column] * u + s * (
                body[1, i, column] + u * (body[2, i, column] + s * (body[3, i, column] + s * body[4, i, column]))
            )
            if i < 6 or i == 8:
                v = exp(v)
            if i < 3:
                v = pick(lost[i] <= day, 0.0, alive[i, column] * v)
            x[i] = v
        for m in range(min(len(lanes), last - start)):
            o = start + m
            out[o, 0] = work[0, m] + work[1, m]
            out[o, 1] = work[2, m]
            out[o, 2] = work[3, m]
            out[o, 3] = work[4, m] + work[5, m] + work[7, m]
            out[o, 4] = work[4, m] + work[5, m]
            out[o, 5] = work[8, m]
            for i in range(3):
                out[o, 6 + i] = work[11 + i, m]
            out[o, 9] = work[15, m]
            out[o, 10] = work[16, m]
