"""What are the times of every time-to-event endpoint, variant and subgroup: medians, curves, incidences, follow-up, tests?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.gray import estimate_gray
from cartrial.analysis.estimators.incidence import AalenJohansen, estimate_incidence
from cartrial.analysis.estimators.km import KaplanMeier, estimate_follow_up, estimate_survival
from cartrial.analysis.estimators.logrank import estimate_logrank
from cartrial.analysis.estimators.models import estimate_cox
from cartrial.analysis.results import build_rows
from cartrial.analysis.wording import DAY, DAYS_PER_MONTH, MONTH, PROPORTION, day_of_month
from cartrial.coded import CODED
from cartrial.endpoints import derived_variants
from cartrial.study.endpoint import ANTIGEN_WORDS

if TYPE_CHECKING:
    from cartrial.study import Endpoint, Study

__all__ = ["LANDMARKS", "RISK_TIMES", "competing_words", "incidence_rows", "survival_rows"]

LANDMARKS = tuple(day_of_month(month) for month in (3, 6, 9, 12, 18, *range(24, 241, 12)))
"""Days at which curves are read: months 3, 6, 9, 12, 18, 24, then every twelve, at whole days. Unit: days from the origin."""

RISK_TIMES = tuple(day_of_month(month) for month in range(0, 241, 3))
"""Days under which subjects at risk stand beneath a curve: every third month, at whole days. Unit: days from the origin."""

_KEY = ["PARAMCD", "VARIANT", "TRIAL"]
_KM = "Kaplan-Meier, log(-log) limits"
_SURVIVAL = {"survival": PROPORTION, "survival_lower": PROPORTION, "survival_upper": PROPORTION}
_INCIDENCE = {"incidence": PROPORTION, "incidence_lower": PROPORTION, "incidence_upper": PROPORTION}
_QUANTILES = {f"{name}{suffix}": DAY for name in ("median", "q25", "q75") for suffix in ("", "_lower", "_upper")}
_MONTHS = {f"median_months{suffix}": MONTH for suffix in ("", "_lower", "_upper")}
_TEST = ("chi_square", "df", "p_value")


def survival_rows(
    study: Study,
    adtte: pl.DataFrame,
    subgroups: pl.DataFrame,
    labels: pl.DataFrame,
    conf_level: float,
    *,
    curves: bool,
    strata: pl.DataFrame | None = None,
) -> list[pl.DataFrame]:
    """Rows of the times to event that have no competing analysis.

    Parameters
    ----------
    study : Study
    adtte : polars.DataFrame
        TRIAL, SUBJ, PARAMCD, VARIANT, AVAL (days), CNSR (0 event, 1 censored).
    subgroups, labels
        As `responses.response_rows`.
    conf_level : float
    curves : bool
        Whether each step of each curve and the subjects at risk beneath it become rows, and groups are compared by a Cox model.
    strata : polars.DataFrame, optional
        TRIAL, SUBJ and one column of levels for each characteristic of `testing.strata` that is recorded; groups are compared within.

    Returns
    -------
    list of polars.DataFrame
        N, events, censored; median and quartiles with limits (curves: the median in months too); survival at the landmarks and (curves)
        at each time, there with at_risk (just before it) and n_censored (at it) up to the last time observed; rmst up to the last landmark
        within follow-up (of a curve that has reached 0: within the follow-up of its trial); follow-up (by = follow-up) of endpoints whose
        only event is death; for subgroups the same of the main analysis, with log-rank test and hazard ratio.
    """
    competing = _keyed_as(_competing(study), adtte)
    used = adtte.join(competing, on=["PARAMCD", "VARIANT"], how="anti") if competing.height else adtte
    if used.is_empty():
        return []
    horizon = _horizon(adtte)
    frames = _fit_rows(estimate_survival(used, _KEY, conf_level=conf_level), labels, conf_level, curves, horizon)
    death = [endpoint.id for endpoint in study.endpoints if endpoint.events == ("death",)]
    overall = used.filter(pl.col("PARAMCD").is_in(death) & (pl.col("VARIANT") == ""))
    if overall.height:
        summary = _labelled(estimate_follow_up(overall, _KEY, conf_level=conf_level).summary(), labels)
        units = {name: unit for name, unit in _QUANTILES.items() if name.startswith("median")} | (_MONTHS if curves else {})
        method = "reverse Kaplan-Meier, log(-log) limits"
        frames.append(build_rows(_in_months(summary), units, analysis="survival", by="follow-up", method=method, conf_level=conf_level))
    main = used.filter(pl.col("VARIANT") == "").join(subgroups, on=["TRIAL", "SUBJ"], how="left", maintain_order="left")
    for name in subgroups.columns[2:]:
        levelled = main.filter(pl.col(name).is_not_null()).with_columns(pl.col(name).cast(CODED).alias("level"))
        if levelled.is_empty():
            continue
        fit = estimate_survival(levelled, [*_KEY, "level"], conf_level=conf_level)
        frames.extend(_fit_rows(fit, labels, conf_level, curves, horizon, mean=False, by=name))
        within = [other for other in (study.testing.strata if study.testing else ()) if other != name]
        frames.extend(_compared(levelled, name, within, strata, labels, conf_level if curves else None))
    return frames


def _compared(
    levelled: pl.DataFrame,
    name: str,
    within: list[str],
    strata: pl.DataFrame | None,
    labels: pl.DataFrame,
    conf_level: float | None,
) -> list[pl.DataFrame]:
    """Return the log-rank test of the levels of a subgroup and (with a confidence level) their hazard ratios, within strata if asked.

    A stratum that is not recorded leaves nothing to compare within: the rows say that the test is not estimable.
    """
    method = "log-rank test" + (f", stratified by {', '.join(within)}" if within else "")
    lacking = [other for other in within if strata is None or other not in strata.columns]
    renamed = {other: f"STRATUM {other}" for other in within}
    if within and strata is not None and not lacking:
        columns = strata.select("TRIAL", "SUBJ", *within).rename(renamed)
        levelled = levelled.join(columns, on=["TRIAL", "SUBJ"], how="left", maintain_order="left")
        # whose stratum is unknown is left out, as in R
        levelled = levelled.filter(pl.all_horizontal(pl.col(one).is_not_null() for one in renamed.values()))
    if levelled.is_empty():
        return []
    test = estimate_logrank(levelled, "level", _KEY, strata=() if lacking else list(renamed.values()))
    test = test.filter((pl.col("groups") > 1) & (pl.col("events") > 0))
    if lacking:
        test = test.with_columns(pl.lit(None, dtype=test.schema[statistic]).alias(statistic) for statistic in _TEST)
    frames = [build_rows(_labelled(test, labels), _TEST, analysis="survival", by=name, method=method)]
    if conf_level is not None and not lacking:
        frames.extend(_hazard_rows(levelled, labels, conf_level, strata=list(renamed.values()), by=name))
    return frames


def _fit_rows(
    fit: KaplanMeier, labels: pl.DataFrame, conf_level: float, curves: bool, horizon: pl.DataFrame, *, mean: bool = True, **names: str
) -> list[pl.DataFrame]:
    summary = _in_months(_labelled(fit.summary((0.5, 0.25, 0.75)), labels))
    common = {"analysis": "survival", **names}
    frames = [
        build_rows(summary, ("N", "events", "censored"), **common),
        build_rows(summary, _QUANTILES | (_MONTHS if curves else {}), method=_KM, conf_level=conf_level, **common),
    ]
    at, risk = _read(fit, horizon, curves)
    if curves:
        frames.extend(_risk_rows(_labelled(risk, labels), **common))
    frames.append(build_rows(_labelled(at, labels), _SURVIVAL, method=_KM, conf_level=conf_level, **common))
    if mean:
        until = np.where(fit.ended, _limit(fit, horizon), np.concatenate(([0.0], LANDMARKS))[_landmarks_within(fit.table.last_time)])
        means = fit.restricted_mean(until).filter(pl.col("time") > 0)
        frames.append(
            build_rows(
                _labelled(means, labels).with_columns((pl.col("rmst") / DAYS_PER_MONTH).alias("rmst_months")),
                {"rmst": DAY, "standard_error": DAY} | ({"rmst_months": MONTH} if curves else {}),
                method="restricted mean survival time, Greenwood",
                **common,
            )
        )
    return frames


def _in_months(summary: pl.DataFrame) -> pl.DataFrame:
    """Add the median and its limits in months of 30.4375 days, as a page shows them."""
    return summary.with_columns((pl.col(name.replace("_months", "")) / DAYS_PER_MONTH).alias(name) for name in _MONTHS)


def _horizon(adtte: pl.DataFrame) -> pl.DataFrame:
    """Return TRIAL and LAST: the last time of any of its endpoints."""
    return adtte.group_by("TRIAL").agg(pl.col("AVAL").max().cast(pl.Float64).alias("LAST"))


def _landmarks_within(times: np.ndarray) -> np.ndarray:
    """Return how many landmarks are not after each time."""
    return np.asarray(np.searchsorted(LANDMARKS, times, side="right"))


def _limit(fit: KaplanMeier | AalenJohansen, horizon: pl.DataFrame) -> NDArray[np.float64]:
    """Return the last landmark of each group whose curve has ended: the last within its trial, or the first after its own last time."""
    trial = fit.table.keys.select("TRIAL").join(horizon, on="TRIAL", how="left", maintain_order="left")["LAST"].to_numpy()
    whole = np.concatenate(([0.0], LANDMARKS))[_landmarks_within(trial)]
    after = np.searchsorted(LANDMARKS, fit.table.last_time, side="left")
    own = np.asarray(LANDMARKS)[np.minimum(after, len(LANDMARKS) - 1)]
    return np.asarray(np.maximum(whole, own), np.float64)


def _read(fit: KaplanMeier | AalenJohansen, horizon: pl.DataFrame, curves: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the curves at the landmarks and (curves) at each of their times, and (curves) the subjects at risk and censored there.

    A curve that has reached 0 is read on at the landmarks of its trial (rules, A22).
    """
    limit = np.where(fit.ended, _limit(fit, horizon), fit.table.last_time)
    keys = fit.table.keys.columns
    limits = fit.table.keys.with_columns(pl.Series("LIMIT", limit))
    at = fit.at([day for day in LANDMARKS if day <= limit.max()])
    at = at.join(limits, on=keys, how="left", maintain_order="left").filter(pl.col("observed") & (pl.col("time") <= pl.col("LIMIT")))
    at = at.drop("LIMIT")
    if not curves:
        return at, at.clear()
    cause = ["cause"] if "cause" in at.columns else []
    once = [*keys, *cause, "time"]
    steps = fit.steps().select(*(name for name in at.columns if name != "observed"), pl.col("censored").alias("n_censored"))
    steps = steps.with_columns(observed=True)
    every = pl.concat([steps, fit.at([0.0]).filter(pl.col("observed")), at], how="diagonal_relaxed").unique(once, keep="first")
    last = float(fit.table.last_time.max())
    quarters = fit.at([day for day in RISK_TIMES if day <= last]).with_columns(n_censored=pl.lit(None))
    risk = pl.concat([every.with_columns(pl.col("n_censored").fill_null(0)), quarters], how="diagonal_relaxed").unique(once, keep="first")
    # beneath the drawn curve alone: nobody is at risk after its last time
    own = fit.table.keys.with_columns(pl.Series("LIMIT", fit.table.last_time))
    risk = risk.join(own, on=keys, how="left").filter(pl.col("time") <= pl.col("LIMIT")).drop("LIMIT")
    return every.sort(once), risk.sort(once)


def _risk_rows(risk: pl.DataFrame, **names: str) -> list[pl.DataFrame]:
    """Return the subjects at risk just before each time, and how many are censored at it where the curve has the time."""
    there = risk.filter(pl.col("n_censored").is_not_null())
    return [build_rows(risk, ("at_risk",), **names), build_rows(there, ("n_censored",), **names)]


def _hazard_rows(levelled: pl.DataFrame, labels: pl.DataFrame, conf_level: float, *, strata: list[str], **names: str) -> list[pl.DataFrame]:
    """Hazard ratios of levels against the first. `method` says where Firth's penalty was taken, and what is not estimable."""
    frames = []
    statistics = ("hazard_ratio", "lower", "upper", "p_value")
    for key, one in levelled.sort(*_KEY, "SUBJ").group_by(_KEY, maintain_order=True):
        if one["level"].n_unique() < 2 or not (one["CNSR"] == 0).any():
            continue
        fit = estimate_cox(one, ["level"], strata=strata, conf_level=conf_level)
        wide = fit.select(
            pl.lit(key[0]).cast(one.schema["PARAMCD"]).alias("PARAMCD"),
            pl.lit(key[1]).cast(one.schema["VARIANT"]).alias("VARIANT"),
            pl.lit(key[2]).cast(one.schema["TRIAL"]).alias("TRIAL"),
            pl.concat_str("level", pl.lit(" against "), "reference").alias("level"),
            "method",
            *statistics,
        )
        frames.append(build_rows(_labelled(wide, labels), statistics, analysis="survival", conf_level=conf_level, **names))
    return frames


def incidence_rows(
    study: Study, adtte: pl.DataFrame, subgroups: pl.DataFrame, labels: pl.DataFrame, conf_level: float, *, curves: bool
) -> list[pl.DataFrame]:
    """Rows of cumulative incidence, one level for each event.

    Of every variant with a competing analysis; and of the main analysis of an endpoint that counts relapse (of lymphoma: progression) and
    death alone, the first against death without it, where the study states no competing analysis of it.

    Parameters
    ----------
    study, subgroups, labels, conf_level, curves
        As `survival_rows`.
    adtte : polars.DataFrame
        TRIAL, SUBJ, PARAMCD, VARIANT, AVAL (days), CNSR (0 event of interest, 1 censored, 2 competing), EVNTDESC.

    Returns
    -------
    list of polars.DataFrame
        N, events, censored; incidence at the landmarks and (curves) at each time, limits and variance as R's survfit; Gray's test by
        subgroup for the main analysis.
    """
    competing = _keyed_as(_competing(study), adtte)
    parts = []
    if competing.height:
        parts.append(adtte.join(competing, on=["PARAMCD", "VARIANT"], how="inner", maintain_order="left"))
    default = _keyed_as(_default(study), adtte)
    if default.height:
        code = (
            pl.when(pl.col("CNSR") == 1)
            .then(1)
            .when(pl.col("EVNTDESC").cast(pl.String) == "death")
            .then(2)
            .otherwise(0)
            .cast(adtte.schema["CNSR"])
        )
        parts.append(adtte.join(default, on=["PARAMCD", "VARIANT"], how="inner", maintain_order="left").with_columns(code.alias("CNSR")))
    used = pl.concat(parts) if parts else adtte.clear()
    if used.is_empty():
        return []
    names = pl.concat([competing, default])
    fit = estimate_incidence(used, _KEY, conf_level=conf_level)
    frames = _incidence_fit(fit, labels, names, conf_level, curves, _horizon(adtte))
    joined = used.join(subgroups, on=["TRIAL", "SUBJ"], how="left", maintain_order="left")
    for name in subgroups.columns[2:]:
        levelled = joined.filter(pl.col(name).is_not_null()).with_columns(pl.col(name).cast(CODED).alias("group"))
        if levelled.is_empty():
            continue
        for cause in fit.causes:
            test = estimate_gray(levelled, "group", _KEY, cause=cause).filter((pl.col("groups") > 1) & (pl.col("events") > 0))
            test = _named(_labelled(test.with_columns(pl.lit(cause).alias("cause")), labels, keep=True), names)
            frames.append(build_rows(test, _TEST, analysis="incidence", by=name, method="Gray's test"))
    return frames


def _incidence_fit(
    fit: AalenJohansen, labels: pl.DataFrame, names: pl.DataFrame, conf_level: float, curves: bool, horizon: pl.DataFrame
) -> list[pl.DataFrame]:
    def ready(frame: pl.DataFrame) -> pl.DataFrame:
        return _named(_labelled(frame, labels, keep=True), names)

    at, risk = _read(fit, horizon, curves)
    frames = [build_rows(ready(fit.summary()), ("N", "events", "censored"), analysis="incidence", by="event")]
    if curves:
        frames.extend(_risk_rows(ready(risk), analysis="incidence", by="event"))
    method = "Aalen-Johansen, log limits, variance as R survfit"
    frames.append(build_rows(ready(at), _INCIDENCE, analysis="incidence", by="event", method=method, conf_level=conf_level))
    return frames


def _labelled(frame: pl.DataFrame, labels: pl.DataFrame, *, keep: bool = False) -> pl.DataFrame:
    joined = frame.join(labels, on=["PARAMCD", "VARIANT"], how="inner", maintain_order="left")
    return joined.rename({"TRIAL": "trial"}) if keep else joined.rename({"TRIAL": "trial"}).drop("PARAMCD", "VARIANT")


def _named(frame: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Add `level`: the words for the event of each cause."""
    joined = frame.join(names, on=["PARAMCD", "VARIANT"], how="left", maintain_order="left")
    return joined.with_columns(pl.when(pl.col("cause") == 0).then(pl.col("INTEREST")).otherwise(pl.col("AGAINST")).alias("level"))


_NAMES = {"PARAMCD": pl.String, "VARIANT": pl.String, "INTEREST": pl.String, "AGAINST": pl.String}


def competing_words(study: Study) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return which variants have a competing analysis, and which a default one against death: PARAMCD, VARIANT, INTEREST, AGAINST."""
    return _competing(study), _default(study)


def _keyed_as(names: pl.DataFrame, adtte: pl.DataFrame) -> pl.DataFrame:
    """Return names of variants with keys of the type that the times have them."""
    return names.with_columns(pl.col(key).cast(adtte.schema[key]) for key in ("PARAMCD", "VARIANT"))


def _competing(study: Study) -> pl.DataFrame:
    """Return the variants with a competing analysis: PARAMCD, VARIANT, and the words for both kinds of event."""
    found = [
        (endpoint.id, variant.name, "+".join(_events(variant.endpoint)), "+".join(_against(variant.endpoint)))
        for endpoint in study.endpoints
        if endpoint.type == "time-to-event"
        for variant in derived_variants(study, endpoint)
        if variant.endpoint.analysis.competing
    ]
    return pl.DataFrame(found, schema=_NAMES, orient="row")


def _events(endpoint: Endpoint) -> list[str]:
    competing = (*endpoint.analysis.competing, "product-failure")
    of_interest = [str(event) for event in endpoint.events if event not in competing]
    own = [ANTIGEN_WORDS[endpoint.antigen] if event == "relapse" and endpoint.antigen else event for event in of_interest]
    return own + [name for name, strategy in endpoint.strategies.items() if strategy == "composite" and name not in competing]


def _against(endpoint: Endpoint) -> list[str]:
    others = [words for name, words in ANTIGEN_WORDS.items() if name != endpoint.antigen] if endpoint.antigen else []
    return [*others, *endpoint.analysis.competing]


def _default(study: Study) -> pl.DataFrame:
    stated, event = set(_competing(study)["PARAMCD"].to_list()), study.disease.family.names.event
    found = [
        (endpoint.id, "", event, "death")
        for endpoint in study.endpoints
        if endpoint.type == "time-to-event" and set(_events(endpoint)) == {event, "death"} and endpoint.id not in stated
    ]
    return pl.DataFrame(found, schema=_NAMES, orient="row")
