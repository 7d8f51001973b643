"""Kimmel 2021: why do CAR-T cells need lymphodepletion, and why do they decline?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.errors import InputError
from cartrial.virtual.published.panel import Line, Panel
from cartrial.virtual.published.solve import solve_courses
from cartrial.virtual.published.tables import arrange_parameters, check_times, read_model

__all__ = ["OBSERVED", "show_kimmel2021", "simulate_kimmel2021"]

Array = NDArray[np.float64]

# CAR-T cells/µL of 23 ZUMA-1 patients treated at Moffitt: day, median, quartiles (Results, section d).
OBSERVED = ((7, 27.5, 16.5, 57.5), (14, 9.1, 3.8, 31.1), (28, 2.1, 0.6, 6.1), (90, 0.1, 0.01, 0.4))


def simulate_kimmel2021(times: ArrayLike, parameters: Mapping[str, ArrayLike] | None = None) -> dict[str, Array]:
    """Simulate T cells and tumour (Kimmel 2021, equations 2.1 to 2.3, doi:10.1098/rspb.2021.0229).

    Solved in logarithms relative to the start, so that no population becomes negative and a tumour of a millionth of a cell is as
    exact as one of a billion. The paper's stochastic extinction is not simulated: below one cell the tumour's course has no meaning.

    Parameters
    ----------
    times : array of shape (times,)
        Days since infusion.
    parameters : mapping of str to float or array of shape (sets,), optional
        In place of the published values, by the names of the model's table.

    Returns
    -------
    dict of str to array of shape (sets, times)
        ``normal`` and ``car`` (cells/µL), ``tumour`` (cells).

    Raises
    ------
    InputError
        If times or parameters cannot be used.

    Examples
    --------
    By hand: without CAR-T cells the tumour grows by 0.01 a day, to e times its size within 100 days.

    >>> from cartrial.virtual.published import simulate_kimmel2021
    >>> tumour = simulate_kimmel2021([0, 100], {"car_start": 0})["tumour"][0]
    >>> round(float(tumour[1] / tumour[0]), 4)
    2.7183
    """
    days = check_times(times)
    p = arrange_parameters(read_model("kimmel2021"), parameters)
    begin = np.column_stack([p["normal_start"], p["car_start"], p["tumour_start"]])
    if np.any(begin[:, 0] + begin[:, 1] <= 0):
        raise InputError("there are no T cells at all on day 0", key="normal_start", right="Give normal or CAR-T cells above 0")

    def rate(day: float, y: Array, since: float) -> Array:
        cells = begin[:, :2] * np.exp(y[:, :2])
        total = cells.sum(axis=1)
        gap = (total - p["normal_capacity"]) ** 2
        growth = p["car_growth"] + p["reconstitution"] * gap / (p["inefficiency"] * total**2 + gap)
        change = np.empty_like(y)
        change[:, 0] = -p["normal_growth"] * np.log(total / p["normal_capacity"])
        change[:, 1] = -growth * np.log(total / p["car_capacity"])
        change[:, 2] = p["tumour_growth"] - p["kill"] * cells[:, 1] / (p["half_kill"] + cells[:, 1])
        return change

    found = begin.T[:, :, None] * np.exp(solve_courses(rate, np.zeros_like(begin), days))
    return {"normal": found[0], "car": found[1], "tumour": found[2]}


def show_kimmel2021() -> dict[str, Panel]:
    """Return the picture: CAR-T cells and tumour after lymphodepletion and without it."""
    days = np.linspace(0, 180, 361)
    start = {"after lymphodepletion (6/µL)": 6.0, "half the normal T cells (250/µL)": 250.0, "no lymphodepletion (500/µL)": 500.0}
    course = simulate_kimmel2021(days, {"normal_start": np.array(list(start.values()))})
    seen = np.array(OBSERVED, dtype=np.float64).T
    cells = {label: Line(days, course["car"][k]) for k, label in enumerate(start)}
    cells["ZUMA-1 patients, median and quartiles"] = Line(seen[0], seen[1], seen[2], seen[3], style="points")
    tumour = {label: Line(days, course["tumour"][k]) for k, label in enumerate(start)}
    axis = "Days since infusion"
    return {
        "cells": Panel(axis, "CAR-T cells (cells/µL)", cells, low=1e-2, high=1e2),
        "tumour": Panel(axis, "Tumour (cells)", tumour, low=1e-2, high=1e12, limits={"one cell": 1.0}),
    }
