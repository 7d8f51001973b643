"""Are rates of several trials right: limits by every published method, pooled rates, priors, and patients who are weighted?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from cartrial.analysis.estimators.pooled.exact import estimate_pooled
from cartrial.analysis.estimators.pooled.normal import estimate_pooled_normal
from cartrial.analysis.estimators.priors.history import commensurate_prior, normalised_power_posterior
from cartrial.analysis.estimators.priors.meta_analytic import estimate_map
from cartrial.analysis.estimators.priors.mixture import BetaMixture
from cartrial.analysis.estimators.priors.size import effective_size
from cartrial.analysis.estimators.rate_methods import method_limits
from cartrial.analysis.estimators.weighted.bias import estimate_e_value, estimate_indirect
from cartrial.analysis.estimators.weighted.hazard import estimate_weighted_hazard, estimate_weighted_survival
from cartrial.analysis.estimators.weighted.moments import Moment, estimate_moment_weights
from cartrial.analysis.estimators.weighted.propensity import estimate_propensity
from cartrial.analysis.estimators.weighted.rates import estimate_weighted_rate
from cartrial.qualify.checks import Check, compare
from cartrial.qualify.stored import read_stored

__all__ = ["check_pooling", "check_priors", "check_weighted"]

RBEST = "published: RBesT 1.9, outputs of its vignettes, to the printed digits"
NOTES = "independent: two quadratures and a Markov chain, printed before the code was written"
MAICPLUS = "published: R package maicplus, its reference example"
VANDERWEELE = "published: VanderWeele and Ding 2017, doi:10.7326/M16-2607"
PLACEBO = (np.array([23, 12, 19, 9, 39, 6, 9, 10]), np.array([107, 44, 51, 39, 139, 20, 78, 35]))
SIX = (np.array([41, 44, 39, 24, 17, 27]), np.array([48, 53, 55, 35, 20, 29]))
_WEIGHTS = (0.4612914, 0.1917812, 0.1893896, 0.1575378)
VIGNETTE = BetaMixture(
    tuple(weight / sum(_WEIGHTS) for weight in _WEIGHTS),
    (33.9513487, 19.4400089, 12.2692310, 2.2521243),
    (103.0146367, 41.5205219, 55.9202833, 5.4812202),
)


def check_pooling() -> Iterator[Check]:
    """Yield limits of rates by every method that publications use, and pooled rates, exact and normal."""
    held = read_stored()
    for case in held["rate_methods"]:
        x, n = np.array([case["x"]]), np.array([case["n"]])
        for method, right in case["limits"].items():
            found = [float(limit[0]) for limit in method_limits(x, n, method, float(case["level"]))]
            named = [f"{case['x']}/{case['n']}, {case['level']:g}, {method}, {side}" for side in ("lower", "upper")]
            origin = "R 4.2.2: binom.test, prop.test, qbeta, and the formulas of the papers"
            yield from compare("limits of a rate, methods of publications", named, found, right, tolerance=1e-9, origin=origin)
    for name, case in held["pooled_exact"].items():
        fit = estimate_pooled(np.array(case["x"]), np.array(case["n"]))
        pairs = {
            "mean": (fit.mean, case["mean"]), "heterogeneity": (fit.heterogeneity, case["heterogeneity"]),
            "log-likelihood": (fit.log_likelihood, case["log"]), "lower": (fit.lower, case["limits"][0]),
            "upper": (fit.upper, case["limits"][1]), "mean rate": (fit.mean_rate, case["mean_rate"]),
        }  # fmt: skip
        origin = "R 4.2.2: integrate, optim, uniroot, good to 2e-6"
        yield from _pairs("pooled rate, exact likelihood", name, pairs, 2e-6, origin)
        right = held["pooled_normal"].get(name)
        if right is None or name == "nobody":
            continue
        normal = estimate_pooled_normal(np.array(case["x"]), np.array(case["n"]), floor=False, prediction="k-1")
        pairs = {
            "mean": (normal.mean, right["mean"]), "heterogeneity": (normal.heterogeneity, right["heterogeneity"]),
            "error": (normal.error, right["error"]), "lower": (normal.lower, right["limits"][0]),
            "upper": (normal.upper, right["limits"][1]),
            "predicted, lower": (normal.predicted_lower, right["prediction"][0]),
            "predicted, upper": (normal.predicted_upper, right["prediction"][1]),
        }  # fmt: skip
        origin = 'R 4.2.2: metafor, rma(measure = "PLO", method = "REML", test = "knha"), threshold 1e-14'
        yield from _pairs("pooled rate, REML with Knapp and Hartung", name, pairs, 1e-8, origin)


def _pairs(group: str, name: str, pairs: dict[str, tuple[float, float]], tolerance: float, origin: str) -> Iterator[Check]:
    named = [f"{name}, {what}" for what in pairs]
    found, right = zip(*pairs.values(), strict=True)
    yield from compare(group, named, found, right, tolerance=tolerance, origin=origin)


def check_priors() -> Iterator[Check]:
    """Yield priors of earlier trials, and what they are worth, as published."""
    prior = estimate_map(*PLACEBO)
    pairs = {
        "mean of the spread": (round(prior.spread_mean, 5), 0.37946), "spread, lower": (round(prior.spread_low, 4), 0.044),
        "spread, median": (round(prior.spread_median, 4), 0.3529), "spread, upper": (round(prior.spread_high, 4), 0.8748),
        "mean": (round(prior.mean, 5), 0.25828), "standard deviation": (round(prior.sd, 4), 0.0874),
    }  # fmt: skip
    yield from _pairs("meta-analytic-predictive prior", "eight placebo groups", pairs, 1e-9, NOTES)
    six = estimate_map(*SIX)
    pairs = {
        "mean": (round(six.mean, 3), 0.791), "lower": (round(six.quantile(0.025), 3), 0.508),
        "upper": (round(six.quantile(0.975), 3), 0.949),
    }  # fmt: skip
    yield from _pairs("meta-analytic-predictive prior", "six trials", pairs, 1e-9, NOTES)
    pairs = {
        "mean": (round(VIGNETTE.mean, 8), 0.25545885), "standard deviation": (round(VIGNETTE.sd, 8), 0.08662045),
        "elir": (round(effective_size(VIGNETTE, "elir"), 2), 37.61), "moment": (round(effective_size(VIGNETTE, "moment"), 2), 24.35),
        "morita": (round(effective_size(VIGNETTE, "morita"), 2), 94.57),
        "robust by a fifth": (round(effective_size(VIGNETTE.robust(0.2)), 2), 26.5),
    }  # fmt: skip
    yield from _pairs("effective size of a prior", "mixture of the vignette", pairs, 1e-9, RBEST)
    both = normalised_power_posterior((39, 55), (41, 48))
    found = commensurate_prior(39, 55, spread_scale=0.5).updated(41, 48)
    pairs = {"power": (round(both.power, 6), 0.466139), "mean": (round(both.mean, 6), 0.799424)}
    yield from _pairs("power prior", "39/55, then 41/48", pairs, 1e-9, NOTES)
    rows = zip(("mean", "lower", "upper"), found, (0.8067, 0.7046, 0.9001), strict=True)
    pairs = {what: (round(value, 4), right) for what, value, right in rows}
    yield from _pairs("commensurate prior", "39/55, then 41/48", pairs, 1e-9, NOTES)


def check_weighted() -> Iterator[Check]:
    """Yield weights by moments and by propensity, hazards and curves of weighted patients, and what bias would undo a ratio."""
    held = read_stored()
    d = {key: np.array(values) for key, values in held["sets"]["weighted"].items()}
    right, arm, event = held["weighted"], d["arm"].astype(np.int64), d["event"].astype(np.int64)
    x = np.column_stack([d["age"], d["male"], d["ecog"]])
    weights = {"given": d["weight"]}
    estimands: tuple[Literal["treated", "overlap"], ...] = ("treated", "overlap")
    for estimand in estimands:
        fit = estimate_propensity(x, arm, ["age", "male", "ecog"], estimand)
        weights[estimand] = fit.weights
        named = [f"{estimand}, patient {k + 1}" for k in range(arm.size)]
        origin = "R 4.2.2: fitted(glm(arm ~ age + male + ecog, binomial)), odds or overlap"
        found, wanted = fit.weights / fit.weights.sum(), np.array(right["propensity"][estimand])
        yield from compare("weights by propensity", named, found, wanted / wanted.sum(), tolerance=1e-10, origin=origin)
    for name, given in weights.items():
        one = right["hazard" if name == "given" else f"hazard_{name}"]
        ratio = estimate_weighted_hazard(d["time"], event, arm, given)
        pairs = {
            "log ratio": (ratio.log_ratio, one["coef"]), "robust error": (ratio.robust_error, one["robust"]),
            "naive error": (ratio.naive_error, one["naive"]),
        }  # fmt: skip
        if name != "given":
            pairs.pop("naive error")  # it hangs on the scale of the weights
        origin = 'R 4.2.2, survival 3.5-3: coxph(Surv(time, event) ~ arm, weights = w, robust = TRUE, ties = "efron")'
        yield from _pairs("hazard ratio of weighted patients", f"weights {name}", pairs, 1e-8, origin)
    for side, key in ((1, "survival_own"), (0, "survival_other")):
        times, survival = estimate_weighted_survival(d["time"][arm == side], event[arm == side], d["weight"][arm == side])
        found = [float(survival[times <= at][-1]) for at in right["at"]]
        named = [f"arm {side}, at {at:g}" for at in right["at"]]
        origin = "R 4.2.2, survival 3.5-3: survfit(Surv(time, event) ~ 1, weights = w)"
        yield from compare("survival of weighted patients", named, found, right[key], tolerance=1e-9, origin=origin)
    yield from _moments(d, arm == 1, right["moments"])
    yield from _bias()


def _moments(d: dict[str, Any], own: Any, right: dict[str, Any]) -> Iterator[Check]:
    fit = estimate_moment_weights([Moment("age", d["age"][own], 42.0), Moment("male", d["male"][own], 0.55)])
    rate = estimate_weighted_rate(d["response"][own], fit).rate
    named = [*(f"patient {k + 1}" for k in range(int(own.sum()))), "effective number", "rate"]
    origin = "R 4.2.2: optim of sum(exp(z %*% a)), then Newton's steps; weighted.mean"
    found, wanted = [*fit.weights, fit.effective, rate], [*right["weights"], right["effective"], right["rate"]]
    yield from compare("weights by moments (MAIC)", named, found, wanted, tolerance=1e-8, origin=origin)


def _bias() -> Iterator[Check]:
    for ratio, limits, shown in (
        (0.80, (0.71, 0.91), (1.81, 1.43)),
        (3.9, (1.8, 8.7), (7.26, 3.00)),
        (10.72978, (8.017457, 20.0), (20.95, 15.52)),
    ):
        found = estimate_e_value(ratio, *limits, common=False)
        pairs = {"estimate": (round(found.estimate, 2), shown[0]), "nearest limit": (round(found.nearest, 2), shown[1])}
        yield from _pairs("E-values", f"ratio {ratio:g}", pairs, 1e-9, VANDERWEELE)
    found = estimate_e_value(0.56, 0.46, 0.69, common=True, hazard=True)
    pairs = {"estimate": (round(found.estimate, 2), 2.35), "nearest limit": (round(found.nearest, 2), 1.91)}
    yield from _pairs("E-values", "hazard ratio 0.56 of a common outcome", pairs, 1e-9, VANDERWEELE)
    indirect = estimate_indirect(math.log(1.1), 0.2, math.log(1.3), 0.18, conf_level=0.9)
    pairs = {
        "difference": (indirect.difference, -0.1670540847), "error": (indirect.error, 0.2690724809), "p": (indirect.p_value, 0.5346972582),
    }  # fmt: skip
    yield from _pairs("indirect comparison (Bucher)", "1.1 against 1.3", pairs, 1e-9, MAICPLUS)
