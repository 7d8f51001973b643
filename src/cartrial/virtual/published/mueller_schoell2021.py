"""Mueller-Schoell 2021: how do the phenotypes of CAR-T cells follow from one another, and who expands little?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.errors import InputError
from cartrial.virtual.published.panel import Line, Panel
from cartrial.virtual.published.solve import solve_courses
from cartrial.virtual.published.tables import arrange_parameters, check_times, read_model

__all__ = ["show_mueller_schoell2021", "simulate_mueller_schoell2021", "simulate_mueller_schoell2021_parameters"]

Array = NDArray[np.float64]

STATES = ("naive", "central", "memory", "effector", "tumour")


def simulate_mueller_schoell2021(
    times: ArrayLike,
    parameters: Mapping[str, ArrayLike] | None = None,
    *,
    low_expansion: ArrayLike = 0,
    transplant: ArrayLike = 0,
    cd4_cd8: ArrayLike = 1.0,
) -> dict[str, Array]:
    """Simulate phenotypes and tumour (Mueller-Schoell 2021, equations 5 to 11, doi:10.3390/cancers13112782).

    Solved in logarithms relative to the start: nothing becomes negative.

    Parameters
    ----------
    times : array of shape (times,)
        Days since infusion.
    parameters : mapping of str to float or array of shape (sets,), optional
        In place of the published values, by the names of the model's table.
    low_expansion : 0, 1 or array of shape (sets,)
        Whether the patient is of the low-expansion group.
    transplant : 0, 1 or array of shape (sets,)
        Whether there was an autologous transplant before.
    cd4_cd8 : float or array of shape (sets,)
        Ratio of CD4 to CD8 CAR-T cells on day 7; without effect in the low-expansion group.

    Returns
    -------
    dict of str to array of shape (sets, times)
        ``naive``, ``central`` memory, effector ``memory``, ``effector`` and ``car`` (all four), cells/µL; ``tumour``, mL.

    Raises
    ------
    InputError
        If times, parameters or covariates cannot be used.

    Examples
    --------
    By hand: where no cell kills, a tumour of 85.7 mL grows logistically at 0.0023 a day towards 5,000 mL.

    >>> import numpy as np
    >>> from cartrial.virtual.published import simulate_mueller_schoell2021
    >>> harmless = dict.fromkeys(("kill_naive", "kill_central", "kill_memory", "kill_effector", "expansion_reference"), 0)
    >>> tumour = simulate_mueller_schoell2021([300], harmless)["tumour"][0, 0]
    >>> round(float(tumour / (5000 / (1 + (5000 / 85.7 - 1) * np.exp(-0.0023 * 300)))), 6)
    1.0
    """
    days = check_times(times)
    covariates = {"low_expansion": low_expansion, "transplant": transplant, "cd4_cd8": cd4_cd8}
    p = arrange_parameters(read_model("mueller_schoell2021"), parameters, "", **covariates)
    for name in ("low_expansion", "transplant"):
        if not np.all(np.isin(p[name], (0, 1))):
            raise InputError("a value is neither 0 nor 1", key=name, right="Give 0 (no) or 1 (yes)")
    if not np.all((p["cd4_cd8"] > 0) & np.isfinite(p["cd4_cd8"])):
        raise InputError("a ratio of CD4 to CD8 cells is not above 0", key="cd4_cd8", right="Give finite numbers above 0")
    reference = p["expansion_reference"] * p["cd4_cd8"] ** p["ratio_exponent"]
    expansion = np.where(p["low_expansion"] == 1, p["expansion_low"], reference) * (1 + p["transplant_effect"] * p["transplant"])
    begin = np.column_stack([p["cells_start"]] * 4 + [p["tumour_start"]])
    kills = np.column_stack([p["kill_naive"], p["kill_central"], p["kill_memory"], p["kill_effector"]])

    def rate(day: float, y: Array, since: float) -> Array:
        now = begin * np.exp(y)
        naive, central, memory, effector, tumour = now.T
        fed = expansion * tumour
        leaving = p["memory_growth"] - p["memory_loss"]
        return np.column_stack(
            [
                fed / (p["half_expansion"] + naive) + p["naive_growth"] - p["naive_to_central"] - p["memory_loss"],
                fed / (p["half_expansion"] + central) + leaving - p["central_to_memory"] + p["naive_to_central"] * naive / central,
                fed / (p["half_expansion"] + memory) + leaving - p["memory_to_effector"] + p["central_to_memory"] * central / memory,
                p["memory_to_effector"] * memory / effector - p["effector_loss"],
                p["tumour_growth"] * (1 - tumour / p["tumour_most"]) - (kills * now[:, :4]).sum(axis=1) / (p["half_kill"] + tumour),
            ]
        )

    found = begin.T[:, :, None] * np.exp(solve_courses(rate, np.zeros_like(begin), days))
    course = dict(zip(STATES, found, strict=True))
    return course | {"car": found[:4].sum(axis=0)}


def simulate_mueller_schoell2021_parameters(n: int, seed: int) -> tuple[dict[str, Array], Array]:
    """Draw patients: the mixture and the two log-normal random effects.

    Parameters
    ----------
    n : int
        Patients.
    seed : int

    Returns
    -------
    parameters : dict of str to array of shape (n,)
        Those with a random effect; the low-expansion group has none on its expansion.
    low_expansion : array of shape (n,)
        1 for the low-expansion group, else 0.

    Raises
    ------
    InputError
        If n is not a positive number.

    Examples
    --------
    The published share of the low-expansion group, 0.197, within what chance leaves of 2,000 patients.

    >>> from cartrial.virtual.published import simulate_mueller_schoell2021_parameters
    >>> drawn, low = simulate_mueller_schoell2021_parameters(2000, seed=1)
    >>> bool(abs(low.mean() - 0.197) < 4 * (0.197 * 0.803 / 2000) ** 0.5)
    True
    """
    if n < 1:
        raise InputError("there is nobody to draw", key="n", right="Give a whole number from 1 up")
    chosen = read_model("mueller_schoell2021").chosen()
    random = np.random.default_rng(seed)
    low = (random.random(n) >= chosen["share_reference"].value).astype(np.float64)
    items = [item for item in chosen.values() if "cv" in item.variability]
    spread = {item.name: np.sqrt(np.log1p((item.variability["cv"] / 100) ** 2)) for item in items}
    return {item.name: item.value * np.exp(spread[item.name] * random.standard_normal(n)) for item in items}, low


def show_mueller_schoell2021() -> dict[str, Panel]:
    """Return the picture: phenotypes of the typical patient, and tumour and all CAR-T cells in both groups."""
    days = np.linspace(0, 60, 481)
    course = simulate_mueller_schoell2021(days, low_expansion=np.array([0, 1]))
    words = {"naive": "naive", "central": "central memory", "memory": "effector memory", "effector": "effector"}
    groups = ("reference", "low expansion")
    axis = "Days since infusion"
    phenotypes = {label: Line(days, course[name][0]) for name, label in words.items()}
    cells, tumour = ({label: Line(days, course[name][k]) for k, label in enumerate(groups)} for name in ("car", "tumour"))
    return {
        "phenotypes": Panel(axis, "CAR-T cells, reference (cells/µL)", phenotypes, low=1e-2, high=1e1),
        "cells": Panel(axis, "All CAR-T cells (cells/µL)", cells, low=1e-2, high=1e1),
        "tumour": Panel(axis, "Tumour (mL)", tumour, log=False, low=0.0, high=100.0),
    }
