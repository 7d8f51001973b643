"""How does the fitted course of each subject run, and of the typical one?"""

from __future__ import annotations

import numpy as np
import polars as pl

from cartrial.kinetics.asked import KineticsFit
from cartrial.kinetics.curves import draw_curves
from cartrial.kinetics.posthoc import values_of

__all__ = ["TYPICAL", "derive_courses"]

TYPICAL = ""
"""USUBJID of the typical course: every parameter at its typical value, every covariate at its mean."""
_STEPS = 32

_SCHEMA = {"USUBJID": pl.String, "TEST": pl.String, "AFRLT": pl.Float64, "EVID": pl.Int8, "PRED": pl.Float64}


def derive_courses(found: KineticsFit) -> pl.DataFrame:
    """Derive the course of each subject by the model, from day 0 to the last sample.

    Parameters
    ----------
    found : KineticsFit

    Returns
    -------
    polars.DataFrame
        USUBJID (blank: the typical course), TEST, AFRLT (day: evenly spaced, with the subject's own days and the day of its peak), EVID
        (2: a prediction, no sample), PRED (in the unit of the samples; of the means of the logarithms, given the subject's samples).
        Subjects more likely of the class whose cells never expand have no course.
    """
    fit = found.fit
    rows = fit.problem.samples.rows
    last = float(rows.time.max())
    frames = [_course(found, TYPICAL, typical_values(found), np.array([last]))]
    for i, who in enumerate(fit.problem.samples.subjects):
        if fit.polished.likelihood.expander[i] >= 0.5:
            frames.append(_course(found, who, values_of(fit, i), rows.time[rows.first[i] : rows.first[i + 1]]))
    return pl.concat(frames)


def typical_values(found: KineticsFit) -> dict[str, float]:
    """Return the typical value of each parameter."""
    table = found.fit.parameters().filter(pl.col("kind") == "typical")
    return dict(table.select("parameter", "estimate").iter_rows())


def _course(found: KineticsFit, who: str, values: dict[str, float], own: np.ndarray) -> pl.DataFrame:
    last = float(own.max())
    peak = [values["tmax"]] if values["tmax"] <= last else []
    days = np.unique(np.concatenate([np.linspace(0.0, last, _STEPS + 1), own, peak]))
    height = draw_curves(found.fit.problem.model.curve, values, days)[0]
    return pl.DataFrame({"USUBJID": who, "TEST": found.test, "AFRLT": days, "EVID": 2, "PRED": height}, schema=_SCHEMA)
