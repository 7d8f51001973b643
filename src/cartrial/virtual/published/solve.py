"""How are a model's differential equations solved for many parameter sets at once?"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["solve_courses"]

Array = NDArray[np.float64]
# Days: in a shorter time nothing changes, and a solver would not find its first step.
SHORTEST = 1e-9


def solve_courses(
    rate: Callable[[float, Array, float], Array],
    start: Array,
    times: Array,
    *,
    breaks: Iterable[float] = (),
    jump: Callable[[float, Array], Array] | None = None,
    rtol: float = 1e-10,
    atol: float = 1e-12,
) -> Array:
    """Solve independent copies of a system, one for each parameter set, in one run.

    The copies are laid side by side, so that the Jacobian is banded and costs as much for a thousand sets as for one. LSODA bounds the
    largest error of any component, hence every set keeps the tolerance (Petzold, SIAM J Sci Stat Comput 1983;4:136–148,
    doi:10.1137/0904010).

    Parameters
    ----------
    rate : callable
        ``rate(day, y, since)`` with y of shape (sets, states), and `since` the beginning of the present segment, in days; the same shape.
    start : array of shape (sets, states)
        States on day 0.
    times : array of shape (times,)
        Days, increasing.
    breaks : iterable of float
        Days on which the equations or the states change.
    jump : callable, optional
        ``jump(day, y)``: the states just after a break. What is asked for on the day of a break is the state after it.
    rtol, atol : float
        Tolerances.

    Returns
    -------
    array of shape (states, sets, times)

    Raises
    ------
    ArithmeticError
        If the solver gives up.
    """
    from scipy.integrate import solve_ivp

    sets, states = start.shape
    last = float(times[-1])
    edges = [0.0, *sorted({float(day) for day in breaks if 0 < day <= last})]
    found = np.empty((times.size, sets, states))
    y = start.astype(np.float64)
    for number, since in enumerate(edges):
        if jump is not None:
            y = jump(since, y)
        final = number + 1 == len(edges)
        until = last if final else edges[number + 1]
        inside = (times >= since) & ((times <= until) if final else (times < until))
        if until - since < SHORTEST:
            found[inside] = y
            continue
        at = np.append(times[inside], [] if inside.any() and times[inside][-1] == until else until) - since
        solution = solve_ivp(
            lambda day, flat, since=since: rate(since + day, flat.reshape(sets, states), since).ravel(),
            (0.0, until - since),
            y.ravel(),
            method="LSODA",
            t_eval=at,
            rtol=rtol,
            atol=atol,
            lband=states - 1,
            uband=states - 1,
        )
        if not solution.success:
            raise ArithmeticError(f"The equations could not be solved from day {since:g} to {until:g}: {solution.message}")
        course = solution.y.T.reshape(-1, sets, states)
        found[inside] = course[: int(inside.sum())]
        y = course[-1]
    return np.moveaxis(found, (0, 1, 2), (2, 1, 0))
