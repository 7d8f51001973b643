"""Which endpoints can a source not give? Rows without a value that say so, in place of an estimate (rules, A3 and A7)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.analysis.wording import DAY, MONTH, PROPORTION
from cartrial.endpoints.absent import BY_READER, NO_LESIONS, NOBODY_KNOWN, NOT_DERIVED, NOT_RECORDED

__all__ = ["absent_rows", "is_absent"]

_RATE = {"rate": PROPORTION, "lower": PROPORTION, "upper": PROPORTION}
_TIME = {f"median{end}": DAY for end in ("", "_lower", "_upper")}
_MONTHS = {f"median_months{end}": MONTH for end in ("", "_lower", "_upper")}


def is_absent() -> pl.Expr:
    """Whether a row of ADRS or ADTTE has no value because the source cannot give it."""
    rule = pl.col("RULE").cast(pl.String)
    return pl.col("AVAL").is_null() & (rule.str.starts_with(NOT_RECORDED) | rule.str.starts_with(NOT_DERIVED)).fill_null(False)


def absent_rows(
    adrs: pl.DataFrame,
    adtte: pl.DataFrame,
    labels: pl.DataFrame,
    conf_level: float,
    wanted: set[str],
    *,
    curves: bool,
    interval: str = "Clopper-Pearson",
) -> list[pl.DataFrame]:
    """Rows of the endpoints and variants that a trial's source cannot give: null, and the text `not recorded` or `not derived`.

    Parameters
    ----------
    adrs, adtte : polars.DataFrame
        TRIAL, PARAMCD, VARIANT, AVAL, RULE.
    labels : polars.DataFrame
        PARAMCD, VARIANT and the key columns of the results that follow from them.
    conf_level : float
    wanted : set of str
        Analyses: those of response and of survival are made.
    curves : bool
        Whether medians stand in months too.
    interval : str
        Method of the limits of a rate.

    Returns
    -------
    list of polars.DataFrame
        N, where it is known who would be in the population; n, rate and its limits; events, censored, median and its limits.
    """
    frames: list[pl.DataFrame] = []
    if "response" in wanted:
        frames += _rows(adrs, labels, "response", ("n",), _RATE, interval, conf_level)
    if "survival" in wanted:
        times = _TIME | (_MONTHS if curves else {})
        frames += _rows(adtte, labels, "survival", ("events", "censored"), times, "Kaplan-Meier, log(-log) limits", conf_level)
    return frames


def _rows(
    frame: pl.DataFrame,
    labels: pl.DataFrame,
    analysis: str,
    counts: tuple[str, ...],
    estimates: Mapping[str, str],
    method: str,
    conf_level: float,
) -> list[pl.DataFrame]:
    rule = pl.col("RULE").cast(pl.String)
    absent = frame.filter(is_absent()) if frame.height else frame
    if absent.is_empty():
        return []
    keys = ["PARAMCD", "VARIANT", "TRIAL"]
    found = absent.group_by(keys).agg(pl.len().cast(pl.Int64).alias("N"), rule.min().alias("RULE")).sort(keys)
    found = found.join(labels, on=["PARAMCD", "VARIANT"], how="inner", maintain_order="left").rename({"TRIAL": "trial"})
    unknown = pl.col("population").is_in(BY_READER) & rule.str.contains(f"no call by|{NO_LESIONS}")
    unknown |= rule.str.contains("|".join(NOBODY_KNOWN.values()))
    null = [pl.lit(None, dtype=pl.Float64).alias(name) for name in (*counts, *estimates)]
    found = found.with_columns(*null, pl.when(~unknown).then("N").alias("N"), rule.str.split(":").list.first().alias("said"))
    rows = []
    for (said,), part in found.group_by("said", maintain_order=True):
        made = [
            build_rows(part, ("N", *counts), analysis=analysis),
            build_rows(part, estimates, analysis=analysis, method=method, conf_level=conf_level),
        ]
        rows += [one.with_columns(pl.when(pl.col("value").is_null()).then(pl.lit(said)).otherwise("text").alias("text")) for one in made]
    return rows
