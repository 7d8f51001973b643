"""Are hazard ratios right: Cox, Firth's penalty, Fine and Gray, and hazards of weighted patients?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy.stats import norm

from cartrial.analysis.estimators.models.cox import estimate_cox, estimate_firth
from cartrial.analysis.estimators.models.fine_gray import estimate_fine_gray
from cartrial.qualify.checks import Check, compare
from cartrial.qualify.figures.curves import competing, survived
from cartrial.qualify.stored import read_stored

__all__ = ["check_models"]

SURVIVAL = "R 4.2.2, survival 3.5-3"
TIES: tuple[Literal["efron", "breslow"], ...] = ("efron", "breslow")
COLUMNS = {"coefficient": "coef", "standard_error": "se", "hazard_ratio": "hr", "lower": "lower", "upper": "upper", "p_value": "p"}
COX = {"two_groups_ties": (["group"], []), "two_groups_ties_strata": (["group"], ["stratum"]), "tg_test1": (["x"], [])}
FIRTH = {"separated_x": ["x"], "separated_x_z": ["x", "z"], "two_groups_ties": ["group"]}


def check_models() -> Iterator[Check]:
    """Yield coefficients, standard errors, limits and p-values of models: with ties, strata, two covariates, few against many."""
    held = read_stored()
    yield from _small(held)
    yield from _random(held["models"])
    yield from _near_ties(held["near_ties"])
    right = held["no_censoring"]
    frame = pl.DataFrame({"AVAL": [5, 8, 12, 20, 25, 30], "CNSR": [0, 2, 0, 0, 2, 0], "G": list("ababab")})
    row = estimate_fine_gray(frame, ["G"]).row(0, named=True)
    found, named = [row["coefficient"], row["standard_error"]], ["nobody censored, coefficient", "nobody censored, standard error"]
    origin = f'{SURVIVAL}: coxph(ties = "breslow", cluster = subject), competing events at risk to the end'
    yield from compare("Fine and Gray's model", named, found, [right["coef"], right["se"]], tolerance=1e-9, origin=origin)


def _small(held: dict[str, Any]) -> Iterator[Check]:
    for name, (covariates, strata) in COX.items():
        frame = survived(held["sets"][name.removesuffix("_strata")]).drop_nulls(covariates)
        for ties in TIES:
            right = held["cox"][name][ties]
            fit = estimate_cox(frame, covariates, strata=strata, ties=ties)
            origin = f'{SURVIVAL}: coxph({right["call"]}, ties = "{ties}")'
            for column, key in COLUMNS.items():
                named = [f"{name}, {ties}, {column.replace('_', ' ')} of {term}" for term in right["names"]]
                yield from compare("Cox model, ties and strata", named, fit[column], right[key], tolerance=1e-8, origin=origin)
    for name, covariates in FIRTH.items():
        right = held["cox_firth"][name]["breslow"]
        fit = estimate_firth(survived(held["sets"]["separated" if name.startswith("separated") else name]), covariates)
        origin = "R 4.2.2: optim of loglik + log(det(information)) / 2, ties by Breslow, good to 1e-6"
        for column, key in (("coefficient", "coef"), ("standard_error", "se")):
            named = [f"{name}, {column.replace('_', ' ')} of {term}" for term in covariates]
            yield from compare("Cox model with Firth's penalty", named, fit[column], right[key], tolerance=1e-5, origin=origin)
    for name in held["fine_gray"]:
        for cause, key in ((0, "cause_1"), (2, "cause_2")):
            right = held["fine_gray"][name][key]["finegray_breslow"]
            row = estimate_fine_gray(competing(held["sets"][name]), ["group"], cause=cause).row(0, named=True)
            named = [f"{name}, {key}, {what}" for what in ("coefficient", "standard error")]
            found, wanted = [row["coefficient"], row["standard_error"]], [right["coef"], right["se_robust"]]
            origin = f'{SURVIVAL}: finegray(), coxph(ties = "breslow", cluster = subject)'
            yield from compare("Fine and Gray's model", named, found, _flat(wanted), tolerance=1e-8, origin=origin)


def _flat(values: list[Any]) -> list[float]:
    return [float(np.ravel(value)[0]) for value in values]


def _random(sets: list[dict[str, Any]]) -> Iterator[Check]:
    """Sets of few against many; one whose likelihood R warns of has no model to compare with, and gives way to Firth's penalty."""
    for one in sets:
        number = one["number"]
        frame, rival = survived(one["data"]), competing(one["data"])
        fits = {
            "cox": ("Cox model, few against many", f"{SURVIVAL}: coxph(Surv(time, event) ~ group)", estimate_cox(frame, ["group"])),
            "cox_two": (
                "Cox model, two covariates",
                f"{SURVIVAL}: coxph(Surv(time, event) ~ group + x)",
                estimate_cox(frame, ["group", "x"]),
            ),
            "fine_gray": (
                "Fine and Gray's model",
                f'{SURVIVAL}: finegray(), coxph(ties = "breslow")',
                estimate_fine_gray(rival, ["group"]),
            ),
        }
        for key, (group, origin, fit) in fits.items():
            right = one[key]
            if right["warned"]:
                if key == "cox":
                    told = "Firth" in fit["method"][0]
                    yield from compare(
                        group, [f"set {number}: Firth's penalty where R warns"], [float(told)], [1.0], tolerance=0, origin=origin
                    )
                continue
            for term, coefficient, error in zip(("group", "x"), right["coef"], right["se"], strict=False):
                row = fit.filter(pl.col("term") == term).row(0, named=True) if "term" in fit.columns else fit.row(0, named=True)
                z = norm.ppf(0.975) * error
                wanted = {
                    "coefficient": coefficient, "standard_error": error, "lower": np.exp(coefficient - z),
                    "upper": np.exp(coefficient + z), "p_value": 2 * norm.sf(abs(coefficient / error)),
                }  # fmt: skip
                named = [f"set {number}, {term}, {column.replace('_', ' ')}" for column in wanted]
                yield from compare(group, named, [row[column] for column in wanted], wanted.values(), tolerance=1e-8, origin=origin)


def _near_ties(one: dict[str, Any]) -> Iterator[Check]:
    """Times that differ by rounding are ties, as R's timefix has it."""
    columns = {name: [float(value) for value in one[name]] for name in ("time", "event", "group", "cause")}
    frame, rival = survived(columns), competing(columns)
    fits = {ties: estimate_cox(frame, ["group"], ties=ties) for ties in TIES} | {"fine_gray": estimate_fine_gray(rival, ["group"])}
    for key, fit in fits.items():
        row = fit.row(0, named=True)
        named = [f"{key.replace('_', '-')}, {what}" for what in ("coefficient", "standard error")]
        found, right = [row["coefficient"], row["standard_error"]], [one[key]["coef"], one[key]["se"]]
        yield from compare("times that differ by rounding", named, found, right, tolerance=1e-9, origin=f"{SURVIVAL}: timefix")
