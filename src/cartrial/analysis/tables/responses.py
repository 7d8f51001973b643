"""What are the rates of every response endpoint, variant and subgroup, and why did the others not respond?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.analysis.estimators.adjusted import adjust_p_values
from cartrial.analysis.estimators.rates import binomial_p_value, estimate_rate
from cartrial.analysis.results import build_rows
from cartrial.analysis.wording import PROPORTION
from cartrial.coded import CODED
from cartrial.endpoints.absent import NOT_READ

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["response_rows"]

_UNITS = {"rate": PROPORTION, "lower": PROPORTION, "upper": PROPORTION}
_COUNTS = ("n", "N", "not_yet_assessable")
# variants of which subgroups are shown
_DIVIDED = ("", "population=assessed")


def response_rows(study: Study, adrs: pl.DataFrame, subgroups: pl.DataFrame, labels: pl.DataFrame, conf_level: float) -> list[pl.DataFrame]:
    """Rows of the response endpoints.

    Parameters
    ----------
    study : Study
        Endpoints with their tests.
    adrs : polars.DataFrame
        TRIAL, SUBJ, PARAMCD, VARIANT, AVAL (1, 0, null: not yet assessable), REASON, FLAGS.
    subgroups : polars.DataFrame
        TRIAL, SUBJ and one column of levels for each subgroup.
    labels : polars.DataFrame
        PARAMCD, VARIANT and the key columns of the results that follow from them.
    conf_level : float

    Returns
    -------
    list of polars.DataFrame
        By endpoint and variant: n, N, not_yet_assessable, not_read (where it is not 0), rate, lower, upper (by the method of
        `testing.interval`, else Clopper-Pearson); p_value where the study states a null whose source is not an assumption, and of several
        endpoints of `testing.order` p_adjusted and rejected; n by reason among non-responders. By subgroup: the main analysis,
        and the one of the assessed where the study has it. Of a best response: N, and n and rate by status (`by` best).
    """
    best = [endpoint.id for endpoint in study.endpoints if endpoint.type == "best-response"]
    frames, key = _best(study, adrs.filter(pl.col("PARAMCD").is_in(best)), labels), ["PARAMCD", "VARIANT", "TRIAL"]
    adrs = adrs.filter(~pl.col("PARAMCD").is_in(best))
    if adrs.is_empty():
        return frames
    interval = study.interval.method
    whole = _labelled(estimate_rate(adrs, key, method=interval, conf_level=conf_level), labels)
    frames += [*_rate_rows(whole, conf_level, method=interval), *_tests(study, whole), *_unread(adrs, key, labels)]
    reasons = (
        adrs.filter(pl.col("AVAL") == 0)
        .group_by(*key, pl.col("REASON").cast(CODED).fill_null("not recorded").alias("level"))
        .len("n")
        .sort(*key, "level")
    )
    frames.append(build_rows(_labelled(reasons, labels), ("n",), analysis="response", by="reason"))
    main = adrs.filter(pl.col("VARIANT").is_in(_DIVIDED)).join(subgroups, on=["TRIAL", "SUBJ"], how="left", maintain_order="left")
    for name in subgroups.columns[2:]:
        level = pl.col(name).cast(CODED).fill_null("missing").alias("level")
        found = estimate_rate(main.select(*key, "AVAL", level), [*key, "level"], method=interval, conf_level=conf_level)
        frames.extend(_rate_rows(_labelled(found, labels), conf_level, method=interval, by=name))
    return frames


def _best(study: Study, adrs: pl.DataFrame, labels: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows of the best responses: how many subjects had each status as their best; every planned status stands, some with none."""
    if adrs.is_empty():
        return []
    key, order = ["PARAMCD", "VARIANT", "TRIAL"], study.disease.family.planned
    whole = adrs.group_by(key).agg(pl.len().cast(pl.Int64).alias("N")).sort(key)
    best = adrs.group_by(*key, pl.col("AVALC").cast(pl.String).alias("level")).agg(pl.len().cast(pl.Int64).alias("n"))
    levels = pl.DataFrame({"level": order}).with_row_index("PLACE")
    found = whole.join(levels, how="cross").join(best, on=[*key, "level"], how="full", coalesce=True).sort(*key, "PLACE", "level")
    found = found.with_columns(pl.col("n").fill_null(0), pl.col("N").fill_null(pl.col("N").max().over(key)))
    found = found.with_columns((pl.col("n") / pl.col("N")).alias("rate"))
    common = {"analysis": "response", "by": "best"}
    return [
        build_rows(_labelled(whole, labels), ("N",), **common),
        build_rows(_labelled(found, labels), ("n",), **common),
        build_rows(_labelled(found, labels), {"rate": PROPORTION}, **common),
    ]


def _unread(adrs: pl.DataFrame, key: list[str], labels: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows of the subjects in N whom the reader has not read, and another source has; they are non-responders (rules, A3)."""
    unread = adrs.filter(pl.col("FLAGS").cast(pl.String).str.contains(NOT_READ, literal=True).fill_null(False))
    found = unread.group_by(key).agg(pl.len().cast(pl.Int64).alias("not_read")).sort(key)
    return [build_rows(_labelled(found, labels), ("not_read",), analysis="response")]


def _labelled(frame: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    return frame.join(labels, on=["PARAMCD", "VARIANT"], how="inner", maintain_order="left").rename({"TRIAL": "trial"})


def _rate_rows(wide: pl.DataFrame, conf_level: float, *, method: str, **labels: str) -> list[pl.DataFrame]:
    return [
        build_rows(wide, _COUNTS, analysis="response", **labels),
        build_rows(wide, _UNITS, analysis="response", method=method, conf_level=conf_level, **labels),
    ]


def _tests(study: Study, whole: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows of the tests of rates against their nulls, and of what remains of them where several endpoints are tested."""
    frames = []
    kind = study.testing.test if study.testing else "exact"
    main: dict[str, pl.DataFrame] = {}
    for endpoint in study.endpoints:
        test = endpoint.test
        if test is None or "assumption" in test.source.lower():
            continue
        rows = whole.filter(pl.col("endpoint") == endpoint.id)
        p = binomial_p_value(rows["n"].to_numpy(), rows["N"].to_numpy(), test.null, test=kind)
        rows = rows.with_columns(pl.Series("p_value", p).fill_nan(None))
        main[endpoint.id] = rows.filter(pl.col("variant") == "")
        frames.append(
            build_rows(rows, ("p_value",), analysis="response", method=f"{kind} binomial test, one-sided, null rate {test.null:g}")
        )
    return [*frames, *_adjusted(study, main)]


def _adjusted(study: Study, main: dict[str, pl.DataFrame]) -> list[pl.DataFrame]:
    """Rows of the p-values adjusted for the endpoints of `testing.order`, and of which nulls are rejected: of main analyses alone."""
    testing = study.testing
    if testing is None or len(testing.order) < 2 or not any(name in main for name in testing.order):
        return []
    trials = pl.concat([main[name].select("trial") for name in testing.order if name in main]).unique().sort("trial")
    none = pl.DataFrame(schema={"trial": trials.schema["trial"], "p_value": pl.Float64})
    columns = [
        trials.join(main.get(name, none).select("trial", "p_value"), on="trial", how="left", maintain_order="left")["p_value"].to_numpy()
        for name in testing.order
    ]
    adjusted = adjust_p_values(np.column_stack([column.astype(np.float64) for column in columns]), testing.adjust)
    level = testing.alpha.value / testing.alpha.sides
    frames = []
    for place, name in enumerate(testing.order):
        if name not in main:
            continue
        found = trials.with_columns(pl.Series("p_adjusted", adjusted[:, place]).fill_nan(None))
        found = found.with_columns((pl.col("p_adjusted") <= level).cast(pl.Float64).alias("rejected"))
        rows = main[name].join(found, on="trial", how="left", maintain_order="left")
        method = f"{testing.adjust} of {', '.join(testing.order)}; one-sided type I error {level:g}"
        frames.append(build_rows(rows, ("p_adjusted", "rejected"), analysis="response", method=method))
    return frames
