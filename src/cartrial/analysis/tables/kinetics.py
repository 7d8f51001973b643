"""How do the product's cells expand and persist? Summaries of Cmax, Tmax, area and persistence, for many trials at once."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cartrial.analysis.estimators.arguments import check_column, check_free, check_names, read_amounts
from cartrial.analysis.estimators.groups import group_rows
from cartrial.analysis.estimators.km import estimate_survival
from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.ratios import ratio_rows
from cartrial.analysis.wording import DAY
from cartrial.errors import InputError

__all__ = ["estimate_kinetics", "kinetics_rows"]

_DAYS = ("TMAX", "TLAST", "PERSIST")
_SUMMARY = ("N", "n", "geometric_mean", "cv", "mean", "standard_deviation", "median", "q25", "q75", "min", "max", "_")
_ENDS = ("__EXACT", "__LEAST", "__MOST")
_AMOUNTS = ("geometric_mean", "median", "q25", "q75", "min", "max", "mean", "standard_deviation")


def estimate_kinetics(
    frame: pl.DataFrame, by: Sequence[str] = ("TRIAL",), *, value: str = "AVAL", at_least: str | None = None
) -> pl.DataFrame:
    """Summarise measurements of the product's cells, for every group of a frame at once.

    Parameters
    ----------
    frame : polars.DataFrame
        One row for each subject.
    by : sequence of str
        Columns that define a group.
    value : str
        Column of measurements. Null: not known, counted in N alone. Zero: never quantifiable, a value everywhere but in the geometric
        mean and its coefficient of variation.
    at_least : str, optional
        Column that is true where the value is only the least that it can be. Such a value is in no mean, and a quantile that depends on
        how much more it is, is null.

    Returns
    -------
    polars.DataFrame
        One row for each group, sorted: its columns, N (rows), n (values), geometric_mean, cv (geometric: 100 sqrt(exp(s^2) - 1),
        s the standard deviation of the logarithms), mean, standard_deviation, median, q25, q75 (R's type 7), min, max.

    Raises
    ------
    InputError
        If a measurement is no number, not finite or negative, or a group column cannot be.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import estimate_kinetics
    >>> found = estimate_kinetics(pl.DataFrame({"TRIAL": 1, "AVAL": [1.0, 10.0, 100.0, 0.0, None]}))
    >>> found.select("N", "n", pl.col("geometric_mean").round(6), "median").row(0)
    (5, 4, 10.0, 5.5)
    """
    by = check_names(by, "by")
    check_column(frame, value, "of measurements")
    check_free(by, (*_SUMMARY, value, *_ENDS))
    group_rows(frame, by)
    frame = frame.with_columns(read_amounts(frame, value))
    amount = pl.col(value)
    over = _flags(frame, at_least) if at_least is not None else pl.lit(False)
    # two amounts, the least and far more: a quantile that is the same of both is decided
    frame = frame.with_columns(
        pl.when(~over).then(amount).alias("__EXACT"),
        amount.alias("__LEAST"),
        pl.when(over).then(2 * amount.max() + 1).otherwise(amount).alias("__MOST"),
    )
    exact, least, most = (pl.col(name) for name in _ENDS)
    logs = exact.filter(exact > 0).log()
    grouped = frame.sort(*by, value).group_by(list(by), maintain_order=True) if by else frame.sort(value).group_by(pl.lit(0).alias("_"))
    found = grouped.agg(
        pl.len().cast(pl.Int64).alias("N"),
        amount.count().cast(pl.Int64).alias("n"),
        logs.mean().exp().alias("geometric_mean"),
        (100 * (logs.var().exp() - 1).sqrt()).alias("cv"),
        exact.mean().alias("mean"),
        exact.std().alias("standard_deviation"),
        *_decided("median", least.median(), most.median()),
        *_decided("q25", least.quantile(0.25, "linear"), most.quantile(0.25, "linear")),
        *_decided("q75", least.quantile(0.75, "linear"), most.quantile(0.75, "linear")),
        *_decided("min", least.min(), most.min()),
        *_decided("max", least.max(), most.max()),
    )
    return found if by else found.drop("_")


def _flags(frame: pl.DataFrame, name: str) -> pl.Expr:
    if check_column(frame, name, "of what is at least so much").dtype != pl.Boolean:
        raise InputError(f"the column {name!r} holds no flags", key="at_least", right="True or false; empty is false")
    return pl.col(name).fill_null(False)


def _decided(name: str, least: pl.Expr, most: pl.Expr) -> list[pl.Expr]:
    return [pl.when(least == most).then(least).alias(name)]


def kinetics_rows(adck: pl.DataFrame, adsl: pl.DataFrame, conf_level: float) -> list[pl.DataFrame]:
    """Rows of cellular kinetics: `endpoint` the parameter, `variant` the measurement.

    Parameters
    ----------
    adck : polars.DataFrame
        TRIAL, SUBJ, PARCAT1, PARAMCD, AVAL, AVALC, AVALU, CNSR, EXPANDFL, REASON, FLAGS.
    adsl : polars.DataFrame
        TRIAL, SUBJ, RESPFL (Y: response at any time by the primary reader).
    conf_level : float

    Returns
    -------
    list of polars.DataFrame
        Overall and by response (`by` response, `level` Y or N), of subjects with a sample after day 0: N, n (with a value), median, q25,
        q75, min, max; geometric mean, cv and mean of what is no time. Subjects whose cells were never quantifiable are 0 in Cmax and
        area (rules, A14). Persistence: median by Kaplan-Meier, of those who expanded. The number of subjects who never expanded: `by`
        expansion, `level` N; with a value that is only the least
        that it can be: `by` at least, `level` the value; whose area ends with a sample before its
        last day, by that day: `by` ends on day; without an area, by the reason: `by` missing. Of Cmax and area the ratio of responders
        to non-responders: `by` ratio (`ratio_rows`).
    """
    if adck.is_empty():
        return []
    rows = adck.join(adsl.select("TRIAL", "SUBJ", "RESPFL"), on=["TRIAL", "SUBJ"], how="left", maintain_order="left").with_columns(
        trial=pl.col("TRIAL"),
        endpoint=pl.col("PARAMCD").cast(pl.String),
        variant=pl.col("PARCAT1").cast(pl.String),
        level=pl.col("RESPFL").cast(pl.String),
        AVALU=pl.col("AVALU").cast(pl.String).fill_null(""),
        expanded=pl.col("EXPANDFL").cast(pl.String) == "Y",
        over=pl.col("AVALC").is_not_null(),
    )
    key = ["trial", "endpoint", "variant"]
    unit = rows.group_by("endpoint", "variant").agg(pl.col("AVALU").max().alias("unit"))
    frames: list[pl.DataFrame] = []
    # where no sample was taken after day 0 nothing is known of expansion
    everybody = rows.filter(pl.col("EXPANDFL").is_not_null())
    days = pl.col("endpoint").is_in(list(_DAYS))
    for by, columns in (("", key), ("response", [*key, "level"])):
        # without a call by the reader nobody is known to have responded, or not to have
        sampled = everybody.filter(pl.col("level").is_not_null()) if by else everybody
        labels = {"analysis": "kinetics", "population": "infused", "by": by}
        amounts = estimate_kinetics(sampled.filter(~days), columns, at_least="over").join(
            unit, on=["endpoint", "variant"], how="left", maintain_order="left"
        )
        if by:
            compared = pl.col("endpoint").str.contains("^(CMAX|AUC)")
            frames.extend(ratio_rows(sampled.filter(compared), conf_level))
        times = estimate_kinetics(sampled.filter(days), columns)
        frames.extend(build_rows(found, ("N", "n"), **labels) for found in (amounts, times))
        amounts, times = amounts.filter(pl.col("n") > 0), times.filter((pl.col("n") > 0) & (pl.col("endpoint") != "PERSIST"))
        frames.append(build_rows(amounts, dict.fromkeys(_AMOUNTS, "*"), **labels))
        frames.append(build_rows(amounts, {"cv": "%"}, method="geometric coefficient of variation", **labels))
        frames.append(build_rows(times, dict.fromkeys(("median", "q25", "q75", "min", "max"), DAY), **labels))
        frames.extend(_persistence(sampled.filter("expanded"), columns, labels, conf_level))
    subjects = everybody.group_by("trial", "variant", "SUBJ").agg(pl.col("expanded").any())
    counts = (
        subjects.group_by("trial", "variant")
        .agg((~pl.col("expanded")).sum().cast(pl.Int64).alias("n"), pl.len().cast(pl.Int64).alias("N"))
        .sort("trial", "variant")
    )
    labels = {"analysis": "kinetics", "population": "infused"}
    frames.append(build_rows(counts, ("n", "N"), endpoint="EXPAND", by="expansion", level="N", **labels))
    over = rows.filter("over").with_columns(level=pl.col("AVALC").cast(pl.String))
    over = over.group_by(*key, "level").agg(pl.len().cast(pl.Int64).alias("n"), pl.col("AVAL").first()).sort(*key, "AVAL")
    frames.append(build_rows(over, ("n",), by="at least", **labels))
    areas = rows.filter(pl.col("endpoint").str.starts_with("AUC"))
    ends = pl.when(pl.col("AVAL").is_not_null()).then(pl.col("FLAGS").cast(pl.String).str.extract(r"^to day (\d+)", 1))
    for by, level in (("ends on day", ends), ("missing", pl.col("REASON").cast(pl.String))):
        counted = (
            areas.select(*key, level.alias("level")).drop_nulls("level").group_by(*key, "level").agg(pl.len().cast(pl.Int64).alias("n"))
        )
        frames.append(build_rows(counted.sort(*key, "level"), ("n",), by=by, **labels))
    return frames


def _persistence(expanded: pl.DataFrame, columns: list[str], labels: dict[str, str], conf_level: float) -> list[pl.DataFrame]:
    lasting = expanded.filter((pl.col("endpoint") == "PERSIST") & pl.col("AVAL").is_not_null() & pl.col("CNSR").is_not_null())
    if lasting.is_empty():
        return []
    found = estimate_survival(lasting, columns, conf_level=conf_level).summary()
    return [
        build_rows(found, ("events", "censored"), **labels),
        build_rows(
            found,
            dict.fromkeys(("median", "median_lower", "median_upper"), DAY),
            method="Kaplan-Meier, log(-log) limits",
            conf_level=conf_level,
            **labels,
        ),
    ]
