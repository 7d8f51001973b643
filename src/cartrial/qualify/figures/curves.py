"""Are curves right in the small sets where definitions part: medians that fall on a half, ties, everyone censored, strata?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import polars as pl

from cartrial.analysis.estimators.gray import estimate_gray
from cartrial.analysis.estimators.incidence import estimate_incidence
from cartrial.analysis.estimators.km import estimate_follow_up, estimate_survival
from cartrial.analysis.estimators.logrank import estimate_logrank
from cartrial.analysis.tables.kinetics import estimate_kinetics
from cartrial.qualify.checks import Check, compare
from cartrial.qualify.stored import read_stored

__all__ = ["check_curves", "check_kinetics"]

SURVIVAL = "R 4.2.2, survival 3.5-3"
TYPES: tuple[Literal["log-log", "log", "plain"], ...] = ("log-log", "log", "plain")
QUARTILES = ("q25", "median", "q75")


def check_curves() -> Iterator[Check]:
    """Yield medians, curves and means by each type of limits, incidences, and tests within strata, of sets that were made by hand."""
    held = read_stored()
    for name, groups in held["km_quantile"].items():
        for group in groups:
            yield from _survival(held, name, group)
    for name, one in held["logrank"].items():
        strata = ("stratum",) if name.endswith("strata") else ()
        row = estimate_logrank(_survived("two_groups_ties"), "group", (), strata=strata).row(0, named=True)
        call = f"{SURVIVAL}: survdiff({one['call']}): $chisq, pchisq(., df, lower.tail = FALSE)"
        found, right = [row["chi_square"], row["df"], row["p_value"]], [one["chisq"], one["df"], one["p"]]
        yield from compare(
            "log-rank test within strata", [f"{name}, {k}" for k in ("chi-square", "df", "p")], found, right, tolerance=1e-9, origin=call
        )
    for name in held["aalen_johansen"]:
        yield from _incidence(held, name)


def _survival(held: dict[str, Any], name: str, group: str) -> Iterator[Check]:
    frame = _survived(name).filter(pl.lit(True) if group == "all" else pl.col("group") == group) if name in held["sets"] else pl.DataFrame()
    for kind in TYPES:
        what = f"{name}, {group}, limits {kind}"
        fit = estimate_survival(frame, (), conf_type=kind)
        fit_call = f'{SURVIVAL}: survfit(Surv(time, event) ~ 1, conf.type = "{kind}")'
        right = held["km_quantile"][name][group][kind]
        yield from _quartiles("quartiles by type of limits", what, fit.summary((0.25, 0.5, 0.75)), right, f"{fit_call}, quantile()")
        right, at = held["km_landmark"][name][group][kind], held["km_landmark"][name][group][kind]["time"]
        found = fit.at(at)
        for column, key in (
            ("at_risk", "n_risk"), ("survival", "surv"), ("standard_error", "std_err"), ("survival_lower", "lower"),
            ("survival_upper", "upper"),
        ):  # fmt: skip
            named = [f"{what}, {column.replace('_', ' ')} at {time:g}" for time in at]
            origin = f"{fit_call}, summary(times, extend = TRUE)"
            yield from compare("landmarks by type of limits", named, found[column], right[key], tolerance=1e-9, origin=origin)
        follow = estimate_follow_up(frame, (), conf_type=kind).summary((0.25, 0.5, 0.75))
        origin = f'{SURVIVAL}: quantile(survfit(Surv(time, 1 - event) ~ 1, conf.type = "{kind}"))'
        yield from _quartiles("follow-up, reverse Kaplan-Meier", what, follow, held["reverse_km"][name][group][kind], origin)
    for one in held["rmst"][name][group]:
        row = estimate_survival(frame, ()).restricted_mean(one["tau"]).row(0, named=True)
        # where the horizon lies before the first time R stops: the mean is the horizon, by definition
        right = [one["tau"], 0.0] if one["estimate"] is None else [one["estimate"], one["std_err"]]
        named = [f"{name}, {group}, to {one['tau']:g}, {what}" for what in ("mean", "standard error")]
        origin = f"{SURVIVAL}: print(survfit, rmean = tau); the horizon where it lies before the first time"
        yield from compare(
            "restricted means of small sets", named, [row["rmst"], row["standard_error"]], right, tolerance=1e-9, origin=origin
        )


def _quartiles(group: str, what: str, found: pl.DataFrame, right: dict[str, Any], origin: str) -> Iterator[Check]:
    row = found.row(0, named=True)
    for suffix, key in (("", "estimate"), ("_lower", "lower"), ("_upper", "upper")):
        named = [f"{what}, {name}{suffix.replace('_', ', ')}" for name in QUARTILES]
        yield from compare(group, named, [row[name + suffix] for name in QUARTILES], right[key], tolerance=1e-9, origin=origin)


def _incidence(held: dict[str, Any], name: str) -> Iterator[Check]:
    frame = competing(held["sets"][name])
    for group, right in held["aalen_johansen"][name].items():
        chosen = frame if group == "all" else frame.filter(pl.col("group") == group)
        for kind in TYPES:
            found = estimate_incidence(chosen, (), conf_type=kind).at(right["time"])
            for cause, key in ((0, "cause_1"), (2, "cause_2")):
                if key not in right or kind not in right[key]:
                    continue
                rows, one = found.filter(pl.col("cause") == cause), right[key]
                origin = f'{SURVIVAL}: summary(survfit(Surv(time, factor(cause)) ~ 1, conf.type = "{kind}"), times, extend = TRUE)'
                for column, values in (
                    ("incidence", one["estimate"]),
                    ("standard_error", one["std_err"]),
                    ("incidence_lower", one[kind]["lower"]),
                    ("incidence_upper", one[kind]["upper"]),
                ):
                    named = [f"{name}, {group}, {key}, limits {kind}, {column} at {time:g}" for time in right["time"]]
                    yield from compare("incidences by type of limits", named, rows[column], values, tolerance=1e-9, origin=origin)
    for key, test in held["cuminc_gray"][name]["by_group"].get("gray", {}).items():
        row = estimate_gray(frame, "group", (), cause={"cause_1": 0, "cause_2": 2}[key]).row(0, named=True)
        named = [f"{name}, {key}, {what}" for what in ("chi-square", "df", "p")]
        given, wanted = [row["chi_square"], row["df"], row["p_value"]], [test["stat"], test["df"], test["p"]]
        origin = "R 4.2.2, cmprsk 2.2-11: cuminc(time, cause, group)$Tests"
        yield from compare("Gray's test of small sets", named, given, wanted, tolerance=1e-9, origin=origin)


def check_kinetics() -> Iterator[Check]:
    """Yield geometric means, coefficients of variation, quartiles and ranges of kinetics."""
    held = read_stored()
    frame = pl.DataFrame(held["sets"]["kinetics"])
    origin = "R 4.2.2: exp(mean(log(x))), 100 * sqrt(exp(var(log(x))) - 1), mean, sd, range, quantile(type = 7)"
    for group, measures in held["kinetics_summary"].items():
        chosen = frame if group == "all" else frame.filter(pl.col("group") == group)
        for measure, one in measures.items():
            row = estimate_kinetics(chosen.filter(pl.col(measure) > 0), (), value=measure).row(0, named=True)
            pairs = {
                "n": one["n_positive"], "geometric_mean": one["geometric_mean"], "cv": one["geometric_cv_percent"], "mean": one["mean"],
                "standard_deviation": one["sd"], "min": one["min"], "max": one["max"],
                **dict(zip(("q25", "median", "q75"), one["quantile_type_7"], strict=True)),
            }  # fmt: skip
            named = [f"{group}, {measure}, {key.replace('_', ' ')}" for key in pairs]
            yield from compare("kinetics of a group", named, [row[key] for key in pairs], pairs.values(), tolerance=1e-9, origin=origin)


def _survived(name: str) -> pl.DataFrame:
    return survived(read_stored()["sets"][name])


def survived(columns: dict[str, Any]) -> pl.DataFrame:
    """Return a stored set as times to an event: AVAL, CNSR 0 the event, 1 censored."""
    frame = pl.DataFrame(columns)
    return frame.with_columns(AVAL=pl.col("time").cast(pl.Float64), CNSR=(1 - pl.col("event")).cast(pl.Int8))


def competing(columns: dict[str, Any]) -> pl.DataFrame:
    """Return a stored set with competing events: R's cause 1, 0, 2 is CNSR 0, 1, 2."""
    frame = pl.DataFrame(columns)
    code = pl.col("cause").cast(pl.Int8).replace_strict({1: 0, 0: 1, 2: 2}, return_dtype=pl.Int8)
    return frame.with_columns(AVAL=pl.col("time").cast(pl.Float64), CNSR=code)
