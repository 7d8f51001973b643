"""What does the laboratory report of a course? Errors, limits and rounding of every assay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.engine import Course
from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform
from cartrial.virtual.trial.arrivals import blasts_in_blood
from cartrial.virtual.trial.visits import EARLY, Schedule

if TYPE_CHECKING:
    from cartrial.virtual.trial.settings import TrialSettings

__all__ = ["BELOW", "FOUND", "HEMODILUTE", "NAMED", "TESTS", "UNREAD_CODE", "Measured", "Test", "limits", "measure", "measure_before"]

MARROW, BLOOD, COUNTS, FLOW, COPIES, BCELLS, PROTEINS, INADEQUATE, LESIONS = range(1100, 1109)
BEFORE = 1120
# what a value stands for beside itself
BELOW, HEMODILUTE, FOUND = -1.0, -2.0, -3.0

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Test:
    """A test as a laboratory names it."""

    code: str
    specimen: str
    unit: str | None
    method: str | None
    word: str = "BLQ"
    name: str = ""
    category: str = ""


TESTS = (
    Test("BLAST", "BONE MARROW", "%", "MICROSCOPY", name="Blasts", category="BONE MARROW"),
    Test("MRD", "BONE MARROW", "fraction", "FLOW CYTOMETRY", "NEGATIVE", "Minimal Residual Disease", "BONE MARROW"),
    Test("BLAST", "BLOOD", "%", "MICROSCOPY", name="Blasts", category="HEMATOLOGY"),
    Test("NEUT", "BLOOD", "10^9/L", "AUTOMATED COUNT", name="Neutrophils", category="HEMATOLOGY"),
    Test("PLAT", "BLOOD", "10^9/L", "AUTOMATED COUNT", name="Platelets", category="HEMATOLOGY"),
    Test("CARTG", "BLOOD", "copies/ug", "QUANTITATIVE PCR", name="CAR Transgene", category="CELLULAR KINETICS"),
    Test("BCELL", "BLOOD", "cells/uL", "FLOW CYTOMETRY", name="B Cells", category="IMMUNOLOGY"),
    Test("IL6", "SERUM", "pg/mL", "IMMUNOASSAY", name="Interleukin 6", category="CHEMISTRY"),
    Test("FERRITIN", "SERUM", "ug/L", "IMMUNOASSAY", name="Ferritin", category="CHEMISTRY"),
    Test("CRP", "SERUM", "mg/L", "IMMUNOASSAY", name="C Reactive Protein", category="CHEMISTRY"),
)
BLAST, MRD, CIRCULATING, NEUT, PLAT, CARTG, BCELL, IL6, FERRITIN, CRP = range(len(TESTS))
_LEUKAEMIC = "CD19 Positive Cells/Leukemic Cells", "BONE MARROW"
_STATUS = "CD19 Status of Leukemic Cells", "BONE MARROW"
NAMED = (
    *TESTS,
    Test(
        "MRD", "BONE MARROW", "fraction", "NEXT GENERATION SEQUENCING", "NEGATIVE", "Minimal Residual Disease by Sequencing", "BONE MARROW"
    ),
    Test("CD19", "BONE MARROW", "%", "FLOW CYTOMETRY", "BLQ", *_LEUKAEMIC),
    Test("CD19", "BLOOD", "%", "FLOW CYTOMETRY", "BLQ", *_LEUKAEMIC),
    Test("CD19STAT", "BONE MARROW", None, "FLOW CYTOMETRY", "NEGATIVE", *_STATUS),
    Test("CD19STAT", "BLOOD", None, "FLOW CYTOMETRY", "NEGATIVE", *_STATUS),
)
"""Every test that is sent: those of `Measured`, then what a second look at a sample finds (`trial.sent.second`)."""
UNREAD_CODE = "MRDSEQ"
"""Code of residual disease by sequencing in a study that names no method: under MRD its rules would read it first."""
SEQUENCED, CD19, CD19_STATUS = len(TESTS), len(TESTS) + 1, len(TESTS) + 3


def limits(settings: TrialSettings) -> tuple[list[float | None], list[float | None]]:
    """Return the limits of quantification and of detection of each test of `NAMED`, None where it has none, or each sample its own."""
    assays = settings.assays
    lloq: list[float | None] = [None] * len(NAMED)
    lod: list[float | None] = [None] * len(NAMED)
    lloq[CARTG], lloq[BCELL] = assays.copies_limit.value, assays.b_cell_limit.value
    lod[MRD] = assays.flow_events.value / assays.flow_cells.value
    return lloq, lod


@dataclass(frozen=True)
class Measured:
    """Results of infused subjects, by visit or by early sample.

    Parameters
    ----------
    visit : ndarray of float64, shape (subjects, visits, tests)
        In the units of `TESTS`; NaN: not taken, `BELOW` and `HEMODILUTE` as they say.
    early : ndarray of float64, shape (subjects, early samples, tests)
    lesions : ndarray of bool, shape (subjects, visits)
        Extramedullary disease.
    lesions_before : ndarray of bool, shape (subjects,)
    share : ndarray of float64, shape (subjects, visits)
        Leukaemic cells in each marrow sample, as a fraction: what any method of residual disease looks for.
    """

    visit: Floats
    early: Floats
    lesions: Flags
    lesions_before: Flags
    share: Floats


def _noisy(values: Floats, spread: float, keys: Keys, stream: int, shape: tuple[int, ...]) -> Floats:
    return np.asarray(values * np.exp(spread * draw_normal(keys, stream, int(np.prod(shape[1:]))).reshape(shape)))


def _smear(share: Floats, cells: float, noise: Floats) -> Floats:
    """Return circulating blasts in %, of so many cells counted."""
    mean = cells * share
    # a count that rounds to zero from below is -0.0, and would be written as -0
    return np.asarray(np.clip(np.rint(mean + np.sqrt(mean) * noise), 0, cells) * 100 / cells + 0.0)


def _marrow(settings: TrialSettings, share: Floats, noise: Floats, background: Floats) -> tuple[Floats, Floats]:
    """Return marrow blasts in % as read, and the share of leukaemic cells in the sample."""
    assays = settings.assays
    odds = share / (1 - share) * np.exp(assays.marrow_noise.value * noise)
    seen = odds / (1 + odds)
    normal = np.minimum(assays.marrow_background.value * np.exp(0.5 * background), 0.04)
    return np.round(100 * np.maximum(seen, normal), 1), seen


def measure(settings: TrialSettings, schedule: Schedule, course: Course, keys: Keys) -> Measured:
    """Measure a course at the visits and at the early samples."""
    assays = settings.assays
    subjects, visits = schedule.visit.shape
    rows = np.arange(subjects)[:, None]
    at_visit = np.minimum(np.searchsorted(course.days, schedule.visit), len(course.days) - 1)
    at_early = np.searchsorted(course.days, np.array(EARLY, float))[None, :]
    at = np.concatenate([np.broadcast_to(at_early, (subjects, len(EARLY))), at_visit], axis=1)
    shape = at.shape
    both = np.full((*shape, len(TESTS)), np.nan)

    def seen(name: str) -> Floats:
        values = getattr(course, name) if name in ("marrow", "blood_blasts", "leukocytes", "copies") else course[name]
        return np.asarray(values[rows, at], float)

    counts = draw_normal(keys, COUNTS, 2 * shape[1]).reshape(*shape, 2)
    both[..., NEUT] = np.round(seen("anc") * np.exp(assays.count_noise.value * counts[..., 0]), 2)
    both[..., PLAT] = np.rint(seen("plt") * np.exp(assays.count_noise.value * counts[..., 1]))
    copies = np.rint(_noisy(seen("copies"), assays.copies_noise.value, keys, COPIES, shape))
    copies[:, 0] = 0.0  # drawn before the infusion
    both[..., CARTG] = np.where(copies < assays.copies_limit.value, BELOW, copies)
    b_cells = np.round(_noisy(seen("b_cells"), assays.b_cell_noise.value, keys, BCELLS, shape), 1)
    both[..., BCELL] = np.where(b_cells < assays.b_cell_limit.value, BELOW, b_cells)
    proteins = draw_normal(keys, PROTEINS, 3 * shape[1]).reshape(*shape, 3)
    for i, (test, name) in enumerate(((IL6, "il6"), (FERRITIN, "ferritin"), (CRP, "crp"))):
        both[..., test] = np.round(seen(name) * np.exp(assays.protein_noise.value * proteins[..., i]), 1)

    early, visit = both[:, : len(EARLY)], both[:, len(EARLY) :]
    early[:, 1:, BCELL] = np.nan
    visit[:, 1:, IL6:] = np.nan
    noise = draw_normal(keys, MARROW, 3 * visits).reshape(subjects, visits, 3)
    true = seen("marrow")[:, len(EARLY) :]
    percent, share = _marrow(settings, true, noise[..., 0], noise[..., 1])
    counted = np.rint(assays.flow_cells.value * share + np.sqrt(assays.flow_cells.value * share) * noise[..., 2])
    positive = counted >= assays.flow_events.value
    inadequate = draw_uniform(keys, INADEQUATE, visits) < assays.marrow_inadequate.value
    visit[..., BLAST] = np.where(inadequate, HEMODILUTE, percent)
    visit[..., MRD] = np.where(inadequate, np.nan, np.where(positive, counted / assays.flow_cells.value, BELOW))
    blood = (seen("blood_blasts") / seen("leukocytes"))[:, len(EARLY) :]
    visit[..., CIRCULATING] = _smear(blood, assays.smear_cells.value, draw_normal(keys, BLOOD, visits))
    prone = draw_uniform(keys, LESIONS, 1) < assays.extramedullary.value
    return Measured(visit, early, prone & (true > 0.01), prone[:, 0], share)


def measure_before(settings: TrialSettings, marrow: Floats, keys: Keys, when: int) -> Floats:
    """Return what is measured before treatment: shape (subjects, tests).

    Parameters
    ----------
    marrow : ndarray of float64, shape (subjects,)
        Fraction of blasts.
    when : int
        0 screening, 1 before lymphodepletion.
    """
    assays = settings.assays
    z = draw_normal(keys, BEFORE + 10 * when, 5)
    person = draw_normal(keys, BEFORE + 20, 2)
    out = np.full((len(marrow), len(TESTS)), np.nan)
    spread = assays.screening_spread.value
    neutrophils = assays.screening_neutrophils.value * np.exp(spread * (0.9 * person[:, 0] + 0.4 * z[:, 0]))
    platelets = assays.screening_platelets.value * np.exp(spread * (0.9 * person[:, 1] + 0.4 * z[:, 1]))
    out[:, NEUT], out[:, PLAT] = np.round(neutrophils, 2), np.rint(platelets)
    out[:, BLAST] = _marrow(settings, marrow, z[:, 2], z[:, 3])[0]
    out[:, CIRCULATING] = _smear(blasts_in_blood(marrow, neutrophils), assays.smear_cells.value, z[:, 4])
    return out
