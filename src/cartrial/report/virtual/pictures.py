"""What does a virtual patient look like, and what do many? Courses of the engine as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.report.figures.panels import Panel, Trace, draw_panels
from cartrial.report.figures.style import COLOURS
from cartrial.report.page.blocks import Figure
from cartrial.report.page.render import BANDS

if TYPE_CHECKING:
    from cartrial.virtual import Course, Draws
    from cartrial.virtual.patients.population import Population

__all__ = ["PATIENTS", "picture_patients", "picture_population"]

Floats = NDArray[np.float64]
PATIENTS = 400
_BAND = BANDS["virtual"]
_LAST = 361.0
# day of the first assessment, and blasts that are morphologic disease
_FIRST, _DISEASE = 28, 0.05
_LLOQ = 50.0


def _draws(population: Population, seed: int, patients: int) -> Draws:
    from cartrial.virtual.patients.draws import draw_patients
    from cartrial.virtual.patients.ensemble import load_ensemble
    from cartrial.virtual.patients.randomness import Keys

    ensemble = load_ensemble()
    keys = Keys.trials("pictures", seed, min(patients, len(ensemble)), max(patients // len(ensemble), 1))
    return draw_patients(population, ensemble, keys)


def picture_patients(population: Population, seed: int = 1, patients: int = PATIENTS) -> list[Figure]:
    """Draw three virtual patients: a lasting remission, a relapse, no remission.

    Parameters
    ----------
    population : Population
    seed : int
    patients : int
        Drawn; the first of each kind is shown. A kind that nobody is of has no figure.
    """
    from cartrial.virtual import simulate_course

    course = simulate_course(_draws(population, seed, patients), np.arange(_LAST))
    marrow = np.asarray(course.marrow, float)
    early = marrow[:, _FIRST] < _DISEASE
    back = early & (marrow[:, _FIRST:120].min(1) < 1e-5) & (marrow[:, -1] > 2 * _DISEASE)
    kinds = (
        ("A lasting remission", early & (marrow.max(1) > 0.3) & (marrow[:, -1] < 1e-5)),
        ("A remission and a relapse", back),
        ("No remission", ~early & (marrow[:, 90] > _DISEASE)),
    )
    figures = []
    for words, who in kinds:
        if who.any():
            figures.append(_patient(course, int(who.argmax()), marrow, words, population.label))
    return figures


def _five(series: dict[str, list[Trace]]) -> list[Panel]:
    """Return the panels of a course, their traces by the quantity's name."""
    return [
        Panel("blasts in the marrow (%)", 1e-4, 100, series["marrow"], limits={"5 %": 5.0}),
        Panel("vector copies in blood (copies/µg DNA)", 1, 1e6, series["copies"], limits={"limit of quantification": _LLOQ}),
        Panel("B cells in blood (cells/µL)", 0.01, 1000, series["b_cells"]),
        Panel("interleukin 6 (pg/mL)", 1, 1e5, series["il6"]),
        Panel("counts (10⁹/L)", 0.01, 1000, series["counts"], "Days since the infusion"),
    ]


def _patient(course: Course, i: int, marrow: Floats, words: str, label: str) -> Figure:
    def line(values: ArrayLike, colour: str, low: float, high: float, label: str = "") -> Trace:
        # what is below the axis lies on its foot
        return Trace(label, COLOURS[colour], course.days, np.clip(np.asarray(values, float), low, high))

    panels = _five(
        {
            "marrow": [line(100 * marrow[i], "red", 1e-4, 100)],
            "copies": [line(course.copies[i], "blue", 1, 1e6)],
            "b_cells": [line(course["b_cells"][i], "green", 0.01, 1000)],
            "il6": [line(course["il6"][i], "orange", 1, 1e5)],
            "counts": [line(course["anc"][i], "sky", 0.01, 1000, "neutrophils"), line(course["plt"][i], "pink", 0.01, 1000, "platelets")],
        }
    )
    title = f"{words}: blasts, CAR-T cells, B cells, interleukin 6 and counts of one virtual patient"
    caption = f"{words}. One virtual patient ({label}), untreated after the infusion; true values, without any assay's error."
    return Figure(draw_panels(panels, title=title, band=_BAND), caption, words)


def picture_population(population: Population, seed: int = 1, patients: int = PATIENTS) -> Figure:
    """Draw the bands of a population, with the published values that the registry has of it.

    Parameters
    ----------
    population : Population
    seed, patients : int
        The patients are spread over the ensemble's parameter sets.
    """
    from cartrial.virtual import load_targets, simulate_course

    course = simulate_course(_draws(population, seed, patients), np.arange(_LAST))

    def line(values: ArrayLike, colour: str, low: float, high: float, label: str = "") -> Trace:
        q = np.clip(np.quantile(np.asarray(values, float), [0.1, 0.25, 0.5, 0.75, 0.9], axis=0), low, high)
        return Trace(label, COLOURS[colour], course.days, q[2], ((q[0], q[4]), (q[1], q[3])))

    targets = [target for target in load_targets().targets if target.measure == "copies" and target.populations.get(population.id) == 1.0]
    days, *published = np.array([(target.at, *target.published) for target in targets], float).reshape(-1, 4).T
    points = [Trace("", COLOURS["black"], days, published[0], [(published[1], published[2])], "points", "published")] if targets else []
    panels = _five(
        {
            "marrow": [line(100 * np.asarray(course.marrow, float), "red", 1e-4, 100)],
            "copies": [line(course.copies, "blue", 1, 1e6), *points],
            "b_cells": [line(course["b_cells"], "green", 0.01, 1000)],
            "il6": [line(course["il6"], "orange", 1, 1e5)],
            "counts": [line(course["anc"], "sky", 0.01, 1000, "neutrophils"), line(course["plt"], "pink", 0.01, 1000, "platelets")],
        }
    )
    said = (
        " Points are published medians with 95 % intervals."
        if targets
        else " No published course of this population stands in the registry."
    )
    caption = (
        f"{population.label}: median, and the middle 50 and 80 % of {len(course.info)} virtual patients over the parameter sets of the "
        f"ensemble, without relapse treatment or transplant.{said}"
    )
    return Figure(draw_panels(panels, title=f"Bands of the population {population.id}", band=_BAND), caption, f"bands-{population.id}")
