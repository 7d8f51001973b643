"""What does the model say of each subject? ADPP: never mixed with what was measured of it, which is ADCK."""

from __future__ import annotations

import hashlib
from math import log

import numpy as np
import polars as pl

from cartrial.kinetics.asked import KineticsFit
from cartrial.kinetics.curves import PARAMETERS, draw_curves
from cartrial.kinetics.fit import PopulationFit

__all__ = ["INVENTED", "SHRUNK", "UNITS", "derive_adpp", "peaks_not_sampled", "values_of"]

UNITS = {"fold": "", "tmax": "days", "tlag": "days", "fb": ""}
"""Of parameters; the peak has that of the samples, the others 1/day."""
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
        (Y: shrinkage above 30 %, of half-life, doubling time and area that of a parameter that they are made of), FLAGS, MODELVER. TDOUB is
        null where the cells do not grow. A subject more likely of the other class has PEXP alone.
    """
    fit = found.fit
    names, random = fit.problem.model.parameters, fit.problem.model.random
    likelihood, shrinkage = fit.polished.likelihood, fit.shrinkage()
    version = hashlib.sha256(repr((found.asked.model_dump(mode="json"), fit.estimate.coefficients.tolist())).encode()).hexdigest()[:12]
    spiked = peaks_not_sampled(found)
    units = {**UNITS, "cmax": unit}
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
            doubling = _doubling(values)
            days = np.linspace(0.0, auc_to, 20 * auc_to + 1)
            area = float(np.trapezoid(draw_curves(fit.problem.model.curve, values, days)[0], days))
            more = (
                ("THALF", "Model: half-life of the contraction", log(2) / values["alpha"], "days", ("alpha",)),
                ("TDOUB", "Model: doubling time of the growth", doubling, "days", ("rho",) if "rho" in values else ("fold", "tmax")),
                (f"AUC{auc_to}", f"Model: area under the curve, day 0 to {auc_to}", area, f"{unit}*day", names),
            )
            for code, words, value, of, made in more:
                row = {"PARAMCD": code, "PARAM": words, "AVAL": value, "AVALU": of}
                rows.append(base | row | _made_of([name for name in made if name in random], shrinkage))
        rows.append(base | {"PARAMCD": "PEXP", "PARAM": "Model: probability that the cells expanded", "AVAL": expander, "AVALU": ""})
    return pl.DataFrame([{name: row.get(name) for name in _SCHEMA} for row in rows], schema=_SCHEMA)


def _doubling(values: dict[str, float]) -> float | None:
    """Return in how many days cells double before the peak; None where they do not grow."""
    if "rho" in values:
        return log(2) / values["rho"]
    return values["tmax"] * log(2) / log(values["fold"]) if values["fold"] > 1 else None


def _made_of(varying: list[str], shrinkage: dict[str, float]) -> dict[str, str]:
    """Return flags of what is computed from parameters that vary: shrunk where one of them is."""
    if not varying:
        return {"FLAGS": "the same for all subjects"}
    return {"SHRINKFL": "Y" if any(shrinkage[name] > SHRUNK for name in varying) else "N"}


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
