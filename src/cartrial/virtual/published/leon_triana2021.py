"""León-Triana 2021: can leukaemia return because its predator starved?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.virtual.published.panel import Line, Panel
from cartrial.virtual.published.solve import solve_courses
from cartrial.virtual.published.tables import arrange_parameters, check_times, read_model

__all__ = ["show_leon_triana2021", "simulate_leon_triana2021"]

Array = NDArray[np.float64]


def simulate_leon_triana2021(times: ArrayLike, parameters: Mapping[str, ArrayLike] | None = None) -> dict[str, Array]:
    """Simulate CAR-T, leukaemia and B cells (León-Triana 2021, equations 4a to 4c, doi:10.1016/j.cnsns.2020.105570).

    Solved in logarithms relative to the start: no population becomes negative or, at any low number, inexact.

    Parameters
    ----------
    times : array of shape (times,)
        Days since infusion.
    parameters : mapping of str to float or array of shape (sets,), optional
        In place of the published values, by the names of the model's table.

    Returns
    -------
    dict of str to array of shape (sets, times)
        ``car``, ``leukaemia``, ``b``: cells in the body.

    Raises
    ------
    InputError
        If times or parameters cannot be used.

    Examples
    --------
    The number of cells infused hardly changes the highest number of CAR-T cells (the abstract's finding), but the day on which it is
    reached.

    >>> import numpy as np
    >>> from cartrial.virtual.published import simulate_leon_triana2021
    >>> days = np.linspace(0, 30, 301)
    >>> car = simulate_leon_triana2021(days, {"car_start": [1e6, 1e7, 1e8]})["car"]
    >>> bool(car.max(axis=1).max() < 1.2 * car.max(axis=1).min())
    True
    >>> bool((np.diff(days[car.argmax(axis=1)]) < 0).all())
    True
    """
    days = check_times(times)
    p = arrange_parameters(read_model("leon_triana2021"), parameters)
    begin = np.column_stack([p["car_start"], p["leukaemia_start"], p["b_start"]])

    def rate(day: float, y: Array, since: float) -> Array:
        cells = begin * np.exp(y)
        change = np.empty_like(y)
        change[:, 0] = p["stimulation"] * (cells[:, 1] + cells[:, 2]) - 1 / p["car_life"]
        change[:, 1] = p["leukaemia_growth"] - p["kill"] * cells[:, 0]
        change[:, 2] = -p["kill"] * cells[:, 0] - 1 / p["b_life"]
        return change

    found = begin.T[:, :, None] * np.exp(solve_courses(rate, np.zeros_like(begin), days))
    return {"car": found[0], "leukaemia": found[1], "b": found[2]}


def show_leon_triana2021() -> dict[str, Panel]:
    """Return the picture: the three populations, then the CAR-T cells at three doses."""
    days = np.linspace(0, 500, 1001)
    doses = {"10 million cells": 1e7, "1 million cells": 1e6, "100 million cells": 1e8}
    course = simulate_leon_triana2021(days, {"car_start": np.array(list(doses.values()))})
    words = {"car": "CAR-T cells", "leukaemia": "leukaemia", "b": "normal B cells"}
    axis = "Days since infusion"
    three = {label: Line(days, course[name][0]) for name, label in words.items()}
    dosed = {label: Line(days, course["car"][k]) for k, label in enumerate(doses)}
    return {
        "cells": Panel(axis, "Cells in the body", three, low=1e3, high=1e12),
        "doses": Panel(axis, "CAR-T cells in the body", dosed, low=1e3, high=1e12),
    }
