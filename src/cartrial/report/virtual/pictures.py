"""What does a virtual patient look like, and what do many? Courses of the engine as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.report.figures.course import Line, Panel, draw_panels
from cartrial.report.page.blocks import Figure
from cartrial.report.page.render import BANDS
from cartrial.report.page.svg import COLOURS

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


def _patient(course: Course, i: int, marrow: Floats, words: str, label: str) -> Figure:
    def of(values: NDArray[np.float32]) -> Floats:
        return np.asarray(values[i], float)

    panels = (
        Panel("Blasts in the marrow (%)", 1e-4, 100, [Line("", COLOURS["red"], 100 * marrow[i])], (5.0, "5 %")),
        Panel(
            "Vector copies in blood (copies/µg DNA)",
            1,
            1e6,
            [Line("", COLOURS["blue"], of(course.copies))],
            (_LLOQ, "limit of quantification"),
        ),
        Panel("B cells in blood (cells/µL)", 0.01, 1000, [Line("", COLOURS["green"], of(course["b_cells"]))]),
        Panel("Interleukin 6 (pg/mL)", 1, 1e5, [Line("", COLOURS["orange"], of(course["il6"]))]),
        Panel(
            "Counts (10⁹/L)",
            0.01,
            1000,
            [Line("neutrophils", COLOURS["sky"], of(course["anc"])), Line("platelets", COLOURS["pink"], of(course["plt"]))],
        ),
    )
    title = f"{words}: blasts, CAR-T cells, B cells, interleukin 6 and counts of one virtual patient"
    caption = f"{words}. One virtual patient ({label}), untreated after the infusion; true values, without any assay's error."
    return Figure(draw_panels(course.days, panels, title=title, band=_BAND), caption)


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

    def line(values: ArrayLike, colour: str, label: str = "") -> Line:
        q = np.quantile(np.asarray(values, float), [0.1, 0.25, 0.5, 0.75, 0.9], axis=0)
        return Line(label, COLOURS[colour], q[2], ((q[0], q[4]), (q[1], q[3])))

    targets = [target for target in load_targets().targets if target.measure == "copies" and target.populations.get(population.id) == 1.0]
    points = [(target.at, *target.published) for target in targets]
    panels = (
        Panel("Blasts in the marrow (%)", 1e-4, 100, [line(100 * np.asarray(course.marrow, float), "red")], (5.0, "5 %")),
        Panel("Vector copies in blood (copies/µg DNA)", 1, 1e6, [line(course.copies, "blue")], (_LLOQ, "limit of quantification"), points),
        Panel("B cells in blood (cells/µL)", 0.01, 1000, [line(course["b_cells"], "green")]),
        Panel("Interleukin 6 (pg/mL)", 1, 1e5, [line(course["il6"], "orange")]),
        Panel("Counts (10⁹/L)", 0.01, 1000, [line(course["anc"], "sky", "neutrophils"), line(course["plt"], "pink", "platelets")]),
    )
    said = (
        " Diamonds are published medians with 95 % intervals."
        if points
        else " No published course of this population stands in the registry."
    )
    caption = (
        f"{population.label}: median, and the middle 50 and 80 % of {len(course.info)} virtual patients over the parameter sets of the "
        f"ensemble, without relapse treatment or transplant.{said}"
    )
    return Figure(draw_panels(course.days, panels, title=f"Bands of the population {population.id}", band=_BAND), caption)
