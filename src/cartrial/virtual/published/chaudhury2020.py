"""Chaudhury 2020: does it matter how expansion and killing are written?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.virtual.published.panel import Line, Panel
from cartrial.virtual.published.solve import solve_courses
from cartrial.virtual.published.tables import arrange_parameters, check_times, read_model

__all__ = ["show_chaudhury2020", "simulate_chaudhury2020"]

Array = NDArray[np.float64]
Rate = Callable[[float, Array, float], Array]


def simulate_chaudhury2020(times: ArrayLike, parameters: Mapping[str, ArrayLike] | None = None, *, form: str = "ec50") -> dict[str, Array]:
    """Simulate CAR-T and tumour cells (Chaudhury 2020, equations 7 to 9 and the Lotka–Volterra form, doi:10.1002/jcph.1691).

    Solved in logarithms relative to the start: no population becomes negative. Persisting cells are added in closed form.

    Parameters
    ----------
    times : array of shape (times,)
        Days since infusion.
    parameters : mapping of str to float or array of shape (sets,), optional
        In place of the published values of that form, by the names of the model's table.
    form : str
        ``ec50`` or ``lotka-volterra``.

    Returns
    -------
    dict of str to array of shape (sets, times)
        ``car`` (all CAR-T cells), ``expanding``, ``persisting`` (0 in the Lotka–Volterra form), ``tumour``: cells/µL.

    Raises
    ------
    InputError
        If times, parameters or the form cannot be used.

    Examples
    --------
    On day 9 another solver, Tellurium, has 73.681 tumour cells/µL.

    >>> from cartrial.virtual.published import simulate_chaudhury2020
    >>> round(float(simulate_chaudhury2020([0, 9])["tumour"][0, 1]), 2)
    73.68
    """
    days = check_times(times)
    p = arrange_parameters(read_model("chaudhury2020"), parameters, form)
    begin = np.column_stack([p["car_start"], p["tumour_start"]])
    rate = _saturating(p, begin) if form == "ec50" else _encounters(p, begin)
    logs = solve_courses(rate, np.zeros_like(begin), days, breaks=np.unique(p["tmax"]) if form == "ec50" else ())
    found = begin.T[:, :, None] * np.exp(logs)
    persisting = _persisting(days, p, logs[0]) if form == "ec50" else np.zeros_like(found[0])
    return {"car": found[0] + persisting, "expanding": found[0], "persisting": persisting, "tumour": found[1]}


def _encounters(p: Mapping[str, Array], begin: Array) -> Rate:
    def rate(day: float, y: Array, since: float) -> Array:
        cells = begin * np.exp(y)
        return np.column_stack([p["expansion"] * cells[:, 1] - p["loss"], p["tumour_growth"] - p["kill"] * cells[:, 0]])

    return rate


def _saturating(p: Mapping[str, Array], begin: Array) -> Rate:
    logs = np.log(np.where(begin[:, 1] > 0, begin[:, 1], 1.0))

    def rate(day: float, y: Array, since: float) -> Array:
        car, tumour = (begin * np.exp(y)).T
        growing = p["expansion"] * tumour / (p["half_expansion"] + car + tumour)
        room = 1 - (logs + y[:, 1]) / np.log(p["tumour_most"])
        present = tumour ** p["steepness"]
        alive = present / (present + p["tumour_critical"] ** p["steepness"])
        killed = p["kill"] * car / (p["half_kill"] + car + tumour)
        change = np.where(since < p["tmax"], growing, -(p["to_persisting"] + p["loss"]))
        return np.column_stack([change, alive * p["tumour_growth"] * room - killed])

    return rate


def _persisting(days: Array, p: Mapping[str, Array], log_expanding: Array) -> Array:
    """Persisting cells: what the contracting ones leave behind, less what has died, from the peak on."""
    q = {name: value[:, None] for name, value in p.items()}
    since = np.maximum(days - q["tmax"], 0.0)
    out = q["to_persisting"] + q["loss"]
    excess = (out - q["persisting_loss"]) * since
    safe = np.where(excess == 0, 1.0, excess)
    mean = np.where(excess == 0, 1.0, -np.expm1(-safe) / safe)
    return q["to_persisting"] * q["car_start"] * np.exp(log_expanding + out * since - q["persisting_loss"] * since) * since * mean


def show_chaudhury2020() -> dict[str, Panel]:
    """Return the picture: CAR-T cells and tumour in both forms."""
    days = np.linspace(0, 100, 401)
    forms = {"saturating (EC50)": "ec50", "encounters (Lotka–Volterra)": "lotka-volterra"}
    courses = {label: simulate_chaudhury2020(days, form=form) for label, form in forms.items()}
    axis = "Days since infusion"
    return {
        "cells": Panel(axis, "CAR-T cells (cells/µL)", {k: Line(days, v["car"][0]) for k, v in courses.items()}, low=1.0, high=1e5),
        "tumour": Panel(axis, "Tumour cells (cells/µL)", {k: Line(days, v["tumour"][0]) for k, v in courses.items()}, low=1e-4, high=1e4),
    }
