"""Who was infused? Summaries of the baseline characteristics, for many trials at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import are_printed, build_rows, said
from cartrial.analysis.wording import PROPORTION, decimals_of, fixed_text
from cartrial.endpoints.absent import NOT_RECORDED

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["baseline_rows", "subgroup_levels"]

_AVERAGED = ("mean", "standard_deviation")
_NUMBERS = ("median", "q25", "q75", "min", "max", "mean", "standard_deviation")


def subgroup_levels(study: Study, adsl: pl.DataFrame, asked: Sequence[str] | None = None) -> pl.DataFrame:
    """Return TRIAL, SUBJ and one column of levels for each subgroup of the study, or characteristic asked for, recorded as levels."""
    names = [
        name
        for name in (study.subgroups if asked is None else asked)
        if name in adsl.columns and not adsl.schema[name].is_numeric() and adsl[name].null_count() < adsl.height
    ]
    return adsl.select("TRIAL", "SUBJ", *(pl.col(name).cast(pl.String) for name in names))


def baseline_rows(study: Study, adsl: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows of the baseline table, over the infused subjects: `endpoint` is the characteristic.

    Parameters
    ----------
    study : Study
        Its baseline characteristics.
    adsl : polars.DataFrame
        TRIAL, SUBJ, INFFL and a column for each characteristic: a number, or a level, then with the number it was cut from as `<id>N`.

    Returns
    -------
    list of polars.DataFrame
        Numbers: n (with a value), N, median, q25, q75, min, max, mean, standard_deviation. Levels (`by` the characteristic): n, N, rate
        (the share of those with a value). `missing`: without a value. A characteristic of which a trial has none: n, null (`by`
        recorded).
    """
    infused = adsl.filter(pl.col("INFFL").cast(pl.String) == "Y")
    frames: list[pl.DataFrame] = []
    for item in study.baseline:
        if item.id not in infused.columns:
            continue
        number = f"{item.id}N" if f"{item.id}N" in infused.columns else item.id
        labels = {"analysis": "baseline", "population": "infused", "endpoint": item.id}
        known = infused[item.id].null_count() < infused.height
        if known and infused.schema[number].is_numeric():
            found = _numbers(infused, number)
            frames.append(build_rows(found, ("n", "N"), **labels))
            numbers = found.filter(pl.col("n") > 0)
            for name in _NUMBERS:
                rows = build_rows(numbers, {name: item.unit}, **labels)
                if are_printed():
                    # as many decimals in a characteristic: one more for what is averaged
                    places = numbers.select(fixed_text(pl.col(name), pl.col("decimals") + (name in _AVERAGED)).alias("text"))
                    rows = rows.with_columns(places["text"])
                frames.append(rows)
        if known and not infused.schema[item.id].is_numeric():
            found = _asked(_levels(infused, item.id, item.levels), infused.group_by(trial="TRIAL").len("infused"))
            frames.append(build_rows(found, {"n": "", "N": "", "rate": PROPORTION}, by=item.id, **labels))
        gaps = (
            infused.group_by(trial="TRIAL")
            .agg(pl.col(item.id).null_count().cast(pl.Int64).alias("missing"), pl.len().cast(pl.Int64).alias("N"))
            .sort("trial")
        )
        frames.append(build_rows(gaps, ("missing",), **labels))
        none = gaps.filter(pl.col("missing") == pl.col("N")).with_columns(n=pl.lit(None, dtype=pl.Int64))
        frames.append(build_rows(none, ("n",), by="recorded", **labels).with_columns(said(NOT_RECORDED)))
    return frames


def _numbers(infused: pl.DataFrame, name: str) -> pl.DataFrame:
    value = pl.col(name).cast(pl.Float64)
    return (
        infused.sort("TRIAL", name)
        .group_by(trial="TRIAL", maintain_order=True)
        .agg(
            value.count().cast(pl.Int64).alias("n"),
            pl.len().cast(pl.Int64).alias("N"),
            value.median().alias("median"),
            value.quantile(0.25, "linear").alias("q25"),
            value.quantile(0.75, "linear").alias("q75"),
            value.min().alias("min"),
            value.max().alias("max"),
            value.mean().alias("mean"),
            value.std().alias("standard_deviation"),
            pl.max_horizontal(decimals_of(value, 2), pl.min_horizontal(decimals_of(value, 2) + 1, decimals_of(value.median(), 2))).alias(
                "decimals"
            ),
        )
    )


def _asked(found: pl.DataFrame, infused: pl.DataFrame) -> pl.DataFrame:
    """Leave out the level N, and the share of Y, where of all the infused of a trial none is recorded as N and some as nothing.

    Then what occurred was volunteered, and of the others it was not asked (rules, A5).
    """
    no = pl.col("n").filter(pl.col("level") == "N").sum().over("trial")
    joined = found.join(infused, on="trial", how="left", maintain_order="left")
    volunteered = (no == 0) & (pl.col("N") < pl.col("infused")) & (pl.col("level") == "Y").any().over("trial")
    joined = joined.filter(~(volunteered & (pl.col("level") != "Y")))
    volunteered = volunteered & (pl.col("level") == "Y")
    return joined.with_columns(pl.when(~volunteered).then(name).alias(name) for name in ("N", "rate")).drop("infused")


def _levels(infused: pl.DataFrame, name: str, levels: tuple[str, ...]) -> pl.DataFrame:
    """Count each level: those the study names, also where nobody has them, and any other that is recorded."""
    known = infused.filter(pl.col(name).is_not_null()).select(trial="TRIAL", level=pl.col(name).cast(pl.String))
    totals = known.group_by("trial").agg(pl.len().cast(pl.Int64).alias("N"))
    counts = known.group_by("trial", "level").agg(pl.len().cast(pl.Int64).alias("n"))
    named = pl.DataFrame({"level": list(levels), "order": range(len(levels))}, schema={"level": pl.String, "order": pl.Int64})
    grid = totals.join(named, how="cross")
    unnamed = counts.join(named, on="level", how="anti").join(totals, on="trial")
    other = unnamed.select("trial", "N", "level", pl.lit(len(levels), pl.Int64).alias("order"))
    every = pl.concat([grid, other]).sort("trial", "order", "level")
    every = every.join(counts, on=["trial", "level"], how="left", maintain_order="left")
    return every.with_columns(pl.col("n").fill_null(0)).with_columns(rate=pl.col("n") / pl.col("N"))
