"""What does the model say of each subject? ADPP: never mixed with what was measured of it, which is ADCK."""

from __future__ import annotations

import hashlib
from math import log

import numpy as np
import polars as pl

from cartrial.kinetics.asked import KineticsFit
from cartrial.kinetics.curves import PARAMETERS, draw_curves
from cartrial.kinetics.fit import PopulationFit

__all__ = ["INVENTED", "SHRUNK", "derive_adpp", "peaks_not_sampled", "values_of"]

INVENTED = 10.0
"""A fitted peak so many times the highest sample was not sampled."""
SHRUNK = 0.3
"""Beyond this share of shrinkage conditional means say more of the population than of the subject."""

_SCHEMA = {
    "USUBJID": pl.String,
    "PARCAT1": pl.String,
    "PARCAT2": pl.String,
    "PARAMCD": pl.String,
    "PARAM": pl.String,
    "AVAL": pl.Float64,
    "ASTDERR": pl.Float64,
    "AVALU": pl.String,
    "SHRINKFL": pl.String,
    "FLAGS": pl.String,
    "MODELVER": pl.String,
}


def derive_adpp(found: KineticsFit, *, auc_to: int, unit: str) -> pl.DataFrame:
    """Derive each subject's parameters by the model.

    Parameters
    ----------
    found : KineticsFit
    auc_to : int
        Last day of the area.
    unit : str
        Of the samples.

    Returns
    -------
    polars.DataFrame
        One row a subject and parameter: USUBJID, PARCAT1 (the test), PARCAT2 (POPULATION MODEL), PARAMCD (RHO or FOLD, TMAX, CMAX, ALPHA,
        FB, BETA, TLAG; THALF, TDOUB, AUC of the model; PEXP, the probability that the cells expanded), PARAM, AVAL (of the mean of the
        logarithm, given the subject's samples), ASTDERR (conditional standard deviation of that logarithm, or logit), AVALU, SHRINKFL
        (Y: shrinkage above 30 %), FLAGS, MODELVER. A subject more likely of the other class has PEXP alone.
    """
    fit = found.fit
    names, random = fit.problem.model.parameters, fit.problem.model.random
    likelihood, shrinkage = fit.polished.likelihood, fit.shrinkage()
    version = hashlib.sha256(repr((found.asked.model_dump(mode="json"), fit.estimate.coefficients.tolist())).encode()).hexdigest()[:12]
    spiked = peaks_not_sampled(found)
    units = {"fold": "", "tmax": "days", "tlag": "days", "cmax": unit, "fb": ""}
    rows = []
    for i, who in enumerate(fit.problem.samples.subjects):
        base = {"USUBJID": who, "PARCAT1": found.test, "PARCAT2": "POPULATION MODEL", "MODELVER": version, "SHRINKFL": "N"}
        expander = float(likelihood.expander[i])
        values = values_of(fit, i)
        if expander >= 0.5:
            for name in names:
                varies = name in random
                row = {"PARAMCD": name.upper(), "PARAM": f"Model: {PARAMETERS[name]}", "AVAL": values[name]}
                row |= {"ASTDERR": float(likelihood.spread[i, random.index(name)]) if varies else None}
                row |= {"AVALU": units.get(name, "1/day"), "SHRINKFL": "Y" if varies and shrinkage[name] > SHRUNK else "N"}
                flag = "peak not sampled" if name == "cmax" and who in spiked else None
                rows.append(base | row | {"FLAGS": flag if varies else "the same for all subjects"})
            doubling = log(2) / values["rho"] if "rho" in values else values["tmax"] * log(2) / max(log(values["fold"]), 1e-12)
            days = np.linspace(0.0, auc_to, 20 * auc_to + 1)
            area = float(np.trapezoid(draw_curves(fit.problem.model.curve, values, days)[0], days))
            more = (
                ("THALF", "Model: half-life of the contraction", log(2) / values["alpha"], "days"),
                ("TDOUB", "Model: doubling time of the growth", doubling, "days"),
                (f"AUC{auc_to}", f"Model: area under the curve, day 0 to {auc_to}", area, f"{unit}*day"),
            )
            rows += [base | {"PARAMCD": code, "PARAM": words, "AVAL": value, "AVALU": of} for code, words, value, of in more]
        rows.append(base | {"PARAMCD": "PEXP", "PARAM": "Model: probability that the cells expanded", "AVAL": expander, "AVALU": ""})
    return pl.DataFrame([{name: row.get(name) for name in _SCHEMA} for row in rows], schema=_SCHEMA)


def values_of(fit: PopulationFit, subject: int) -> dict[str, float]:
    """Return the parameters of a subject, by place: of the means of what varies, given the samples, and of what all share."""
    model, mean = fit.problem.model, fit.polished.likelihood.mean
    own = {name: float(mean[subject, model.random.index(name)]) for name in model.random}
    return {name: fit.natural(name, own.get(name, float(fit.estimate.common[k]))) for k, name in enumerate(model.parameters)}


def peaks_not_sampled(found: KineticsFit) -> tuple[str, ...]:
    """Return subjects whose fitted peak is above ten times their highest sample: the model has invented it between two samples."""
    fit = found.fit
    if "cmax" not in fit.problem.model.parameters:
        return ()
    top = dict(found.samples.filter(pl.col("BLQFL") == "N").group_by("USUBJID").agg(pl.col("AVAL").max()).iter_rows())
    return tuple(
        who for i, who in enumerate(fit.problem.samples.subjects) if who in top and values_of(fit, i)["cmax"] > INVENTED * top[who]
    )
