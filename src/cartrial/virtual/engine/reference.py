"""Is the solver right? The same rates solved by SciPy's LSODA, patient by patient, for comparison only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.engine import Draws, compiled, simulate_course
from cartrial.virtual.engine import kernel_codes as codes

__all__ = ["LIMITS", "compare_with_reference", "solve_reference"]

Floats = NDArray[np.float64]

# limits of quantification, in the order of QUANTITIES: 0.002 blasts/uL is 1e-6 of the marrow, 0.001 CAR-T cells/uL is near 50 copies/ug
LIMITS = np.array([2e-3, 2e-3, 1e-2, 1e-3, 1e-3, 1e-1, 1.0, 1.0, 1.0, 1e-2, 1.0])


def _observe(y: Floats, alive: NDArray[np.bool_]) -> Floats:
    """Return the quantities of states, shape (days, 11)."""
    cells = np.exp(y[:, :3]) * alive
    functional = np.exp(y[:, 4]) + np.exp(y[:, 5])
    columns = [cells[:, 0] + cells[:, 1], cells[:, 2], np.exp(y[:, 3]), functional + y[:, 7], functional, np.exp(y[:, 8])]
    return np.column_stack([*columns, y[:, 11], y[:, 12], y[:, 13], y[:, 15], y[:, 16]])


def solve_reference(draws: Draws, row: int, days: Floats, *, rtol: float = 1e-10) -> tuple[Floats, Floats, Floats]:
    """Solve one patient given one infusion at day 0.

    Parameters
    ----------
    draws : Draws
    row : int
        Which patient.
    days : ndarray of float64, shape (days,)
        From day 0.
    rtol : float, default 1e-10
        Of LSODA; the absolute tolerance is a hundredth of it.

    Returns
    -------
    values : ndarray of float64, shape (days, 11)
    extinct : ndarray of float64, shape (3,)
        Day each clone was lost, NaN: never.
    nearest : ndarray of float64, shape (3,)
        Least distance to the threshold seen at the reference's steps, in ln cells.
    """
    from scipy.integrate import solve_ivp

    rates = compiled("engine.rates_kernel").rates
    q = draws.parameters[row]
    alive = draws.alive[row].copy()
    thresholds = draws.thresholds[row]
    y = draws.initial[row].copy()
    y[4] = np.log(np.exp(y[4]) + q[codes.Q_DOSE] * (1 - q[codes.Q_MEMORY_SHARE]))
    y[5] = np.log(np.exp(y[5]) + q[codes.Q_DOSE] * q[codes.Q_MEMORY_SHARE])
    care, jacobian = np.ones(4), np.zeros((codes.N_STATES, codes.N_STATES))
    values = np.empty((len(days), codes.N_QUANTITIES))
    extinct, nearest = np.full(3, np.nan), np.full(3, np.inf)

    def rhs(_: float, state: Floats) -> Floats:
        d = np.empty(codes.N_STATES)
        rates(state, q, alive, care, d, jacobian, False)
        return d

    def crossing(clone: int) -> Callable[[float, Floats], float]:
        def distance(_: float, state: Floats) -> float:
            return float(state[clone] - thresholds[clone])

        distance.terminal = True  # type: ignore[attr-defined]
        distance.direction = -1  # type: ignore[attr-defined]
        return distance

    t, end = 0.0, float(days[-1])
    todo = np.ones(len(days), bool)
    while todo.any():
        living = [int(c) for c in np.flatnonzero(alive)]
        solution = solve_ivp(
            rhs, (t, end), y, method="LSODA", rtol=rtol, atol=rtol / 100, dense_output=True, events=[crossing(c) for c in living]
        )
        stop = float(solution.t[-1])
        for c in living:
            nearest[c] = min(nearest[c], float((solution.y[c] - thresholds[c]).min()))
        here = todo & (days <= stop)
        if here.any():
            values[here] = _observe(solution.sol(days[here]).T, alive)
        todo &= ~here
        t, y = stop, solution.y[:, -1].copy()
        for c, times in zip(living, solution.t_events or [], strict=False):
            if len(times):
                alive[c] = False
                extinct[c] = times[0]
        if stop >= end:
            break
    return values, extinct, nearest


def compare_with_reference(draws: Draws, days: Floats, *, rtol: float, reference_rtol: float = 1e-10) -> tuple[Floats, int, int, float]:
    """Compare the solver with the reference.

    Parameters
    ----------
    draws : Draws
    days : ndarray of float64, shape (days,)
    rtol : float
        Of the solver.
    reference_rtol : float

    Returns
    -------
    error : ndarray of float64, shape (patients,)
        Largest relative error over days and quantities that are above their limit.
    clones, agreed : int
        Clones that lived at day 0, and those lost by both (within half a day) or by none.
    worst : float
        Largest distance from the threshold, in ln cells, among the others.
    """
    course = simulate_course(draws, days, rtol=rtol)
    error = np.zeros(len(draws))
    clones = agreed = 0
    worst = 0.0
    for row in range(len(draws)):
        values, extinct, nearest = solve_reference(draws, row, days, rtol=reference_rtol)
        seen = values > LIMITS
        # a clone one day from its loss is one cell: far below every limit
        relative = np.abs(course.values[row] / np.where(seen, values, 1.0) - 1.0)
        error[row] = relative[seen].max()
        for c in np.flatnonzero(draws.alive[row]):
            clones += 1
            mine, other = course.extinct[row, c], extinct[c]
            if (np.isnan(mine) and np.isnan(other)) or abs(mine - other) < 0.5:
                agreed += 1
            else:
                worst = max(worst, min(abs(nearest[c]), abs(course.info[row, codes.I_NEAREST_SENSITIVE + c])))
    return error, clones, agreed, worst
