"""Hardiansyah 2019: does interleukin-6 follow the dose or the disease?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.virtual.published.panel import Line, Panel
from cartrial.virtual.published.solve import solve_courses
from cartrial.virtual.published.tables import arrange_parameters, check_times, read_model

__all__ = ["PATIENTS", "SCHEDULE", "show_hardiansyah2019", "simulate_hardiansyah2019"]

Array = NDArray[np.float64]

PATIENTS = ("UPN1", "UPN3")
# Day of each infusion, and its share of the dose.
SCHEDULE = ((0.0, 0.1), (1.0, 0.3), (2.0, 0.6))
STATES = ("b", "effector", "effector_tissue", "memory", "memory_tissue", "il6", "il10", "ifn")
# One cell in a hundred thousand, in the model's unit of 10^9 cells.
TOLERANCE = 1e-14


def simulate_hardiansyah2019(
    times: ArrayLike, parameters: Mapping[str, ArrayLike] | None = None, *, patient: str = "UPN1"
) -> dict[str, Array]:
    """Simulate cells and cytokines (Hardiansyah 2019, supplement's equations 1 to 9, doi:10.1111/cts.12636).

    Parameters
    ----------
    times : array of shape (times,)
        Days since the first infusion. On the day of an infusion: just after it.
    parameters : mapping of str to float or array of shape (sets,), optional
        In place of that patient's values, by the names of the model's table.
    patient : str
        ``UPN1`` or ``UPN3``.

    Returns
    -------
    dict of str to array of shape (sets, times)
        ``b``, ``effector``, ``effector_tissue``, ``memory``, ``memory_tissue`` and ``car`` (effector and memory cells in blood) in
        10^9 cells; ``il6``, ``il10``, ``ifn`` in pg/mL.

    Raises
    ------
    InputError
        If times, parameters or the patient cannot be used.

    Examples
    --------
    The peak of CAR-T cells in the first patient's blood, 2.55 x 10⁹ on day 3.8, as rxode2 has it in nlmixr2lib.

    >>> from cartrial.virtual.published import simulate_hardiansyah2019
    >>> days = [2.8, 3.8, 4.8]
    >>> car = simulate_hardiansyah2019(days)["car"][0]
    >>> round(float(car.max()), 2), days[car.argmax()]
    (2.55, 3.8)
    """
    days = check_times(times)
    p = arrange_parameters(read_model("hardiansyah2019"), parameters, patient)
    begin = np.zeros((p["b_start"].size, len(STATES)))
    begin[:, 0] = p["b_start"]
    begin[:, 5:] = np.column_stack([p["il6_baseline"], p["il10_baseline"], p["ifn_baseline"]])
    shares = dict(SCHEDULE)

    def infuse(day: float, y: Array) -> Array:
        after = y.copy()
        after[:, 1] += shares[day] * p["dose"]
        return after

    def rate(day: float, y: Array, since: float) -> Array:
        b, effector, effector_tissue, memory, memory_tissue, il6, il10, ifn = y.T
        recalled = b / (b + p["recall_half"])
        turned = p["to_memory"] * effector * (1 - recalled) - p["recall"] * memory * recalled
        met = 1e6 * b * effector
        secreted = p["ifn_least"] + (1 - p["ifn_least"]) * p["il10_half"] / (il10 + p["il10_half"])
        homing = p["to_tissue"] * effector - p["to_blood"] * effector_tissue
        homing_memory = p["to_tissue"] * memory - p["to_blood"] * memory_tissue
        return np.column_stack(
            [
                (p["b_growth"] - p["b_loss"] - p["kill"] * effector) * b,
                (p["effector_growth"] * b - p["effector_loss"]) * effector - homing - turned,
                homing,
                (p["memory_growth"] - p["memory_loss"]) * memory - homing_memory + turned,
                homing_memory,
                p["il6_loss"] * (p["il6_baseline"] - il6) + p["il6_production"] * met,
                p["il10_loss"] * (p["il10_baseline"] - il10) + p["il10_production"] * met,
                p["ifn_loss"] * (p["ifn_baseline"] - ifn) + p["ifn_production"] * met * secreted,
            ]
        )

    found = solve_courses(rate, begin, days, breaks=shares, jump=infuse, atol=TOLERANCE)
    # The solution is not negative; what rounding leaves below zero, far less than one cell, is zero.
    course = dict(zip(STATES, np.maximum(found, 0.0), strict=True))
    return course | {"car": course["effector"] + course["memory"]}


def show_hardiansyah2019() -> dict[str, Panel]:
    """Return the picture: IL-6 of both patients, and its peak against multiples of the disease and of the dose."""
    days = np.linspace(0, 60, 601)
    factors = np.linspace(0.5, 2, 16)
    courses, peaks = {}, {}
    for patient in PATIENTS:
        courses[patient] = Line(days, simulate_hardiansyah2019(days, patient=patient)["il6"][0])
        for words, name in (("disease", "b_start"), ("dose", "dose")):
            usual = read_model("hardiansyah2019").chosen(patient)[name].value
            il6 = simulate_hardiansyah2019(days, {name: factors * usual}, patient=patient)["il6"]
            peaks[f"{patient}, {words}"] = Line(factors, il6.max(axis=1), style="curve" if name == "b_start" else "dashed")
    return {
        "il6": Panel("Days since the first infusion", "IL-6 (pg/mL)", courses, low=0.5, high=1e4),
        "peak": Panel("Multiple of the patient's own disease or dose", "Peak of IL-6 (pg/mL)", peaks, low=1.0, high=1e5),
    }
