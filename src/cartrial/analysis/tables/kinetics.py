"""How do the product's cells expand and persist? Summaries of Cmax, Tmax, area and persistence, for many trials at once."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cartrial.analysis.estimators.arguments import check_free, check_names, read_amounts
from cartrial.analysis.estimators.groups import group_rows
from cartrial.analysis.estimators.km import estimate_survival
from cartrial.analysis.results import build_rows
from cartrial.analysis.wording import DAY

__all__ = ["estimate_kinetics", "kinetics_rows"]

_DAYS = ("TMAX", "TLAST", "PERSIST")
_SUMMARY = ("N", "n", "geometric_mean", "cv", "mean", "standard_deviation", "median", "q25", "q75", "min", "max", "_")
_AMOUNTS = ("geometric_mean", "median", "q25", "q75", "min", "max", "mean", "standard_deviation")


def estimate_kinetics(frame: pl.DataFrame, by: Sequence[str] = ("TRIAL",), *, value: str = "AVAL", zeros: bool = False) -> pl.DataFrame:
    """Summarise measurements of the product's cells, for every group of a frame at once.

    Parameters
    ----------
    frame : polars.DataFrame
        One row for each subject.
    by : sequence of str
        Columns that define a group.
    value : str
        Column of measurements. Null: not known, counted in N alone.
    zeros : bool
        Whether a zero is a value, as it is of a day. If not, it means never quantifiable and is counted in N alone.

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
    >>> found.select("N", "n", pl.col("geometric_mean").round(6), "mean").row(0)
    (5, 3, 10.0, 37.0)
    """
    by = check_names(by, "by")
    check_free(by, (*_SUMMARY, value))
    group_rows(frame, by)
    frame = frame.with_columns(read_amounts(frame, value))
    amount = pl.col(value)
    chosen = amount.filter(amount.is_not_null() if zeros else amount > 0)
    logs = amount.filter(amount > 0).log()
    ordered = frame.sort(*by, value)
    grouped = ordered.group_by(list(by), maintain_order=True) if by else ordered.group_by(pl.lit(0).alias("_"))
    found = grouped.agg(
        pl.len().cast(pl.Int64).alias("N"),
        chosen.count().cast(pl.Int64).alias("n"),
        logs.mean().exp().alias("geometric_mean"),
        (100 * (logs.var().exp() - 1).sqrt()).alias("cv"),
        chosen.mean().alias("mean"),
        chosen.std().alias("standard_deviation"),
        chosen.median().alias("median"),
        chosen.quantile(0.25, "linear").alias("q25"),
        chosen.quantile(0.75, "linear").alias("q75"),
        chosen.min().alias("min"),
        chosen.max().alias("max"),
    )
    return found if by else found.drop("_")


def kinetics_rows(adck: pl.DataFrame, adsl: pl.DataFrame, conf_level: float) -> list[pl.DataFrame]:
    """Rows of cellular kinetics: `endpoint` the parameter, `variant` the measurement.

    Parameters
    ----------
    adck : polars.DataFrame
        TRIAL, SUBJ, PARCAT1, PARAMCD, AVAL, AVALU, CNSR, EXPANDFL.
    adsl : polars.DataFrame
        TRIAL, SUBJ, RESPFL (Y: response at any time by the primary reader).
    conf_level : float

    Returns
    -------
    list of polars.DataFrame
        Overall and by response (`by` response, `level` Y or N), of subjects in whom the cells were ever quantifiable: N, n (with a value),
        median, q25, q75, min, max; geometric mean, cv and mean of what is no time. Persistence: median by Kaplan-Meier. The number of
        subjects who never expanded: `by` expansion, `level` N.
    """
    if adck.is_empty():
        return []
    rows = adck.join(adsl.select("TRIAL", "SUBJ", "RESPFL"), on=["TRIAL", "SUBJ"], how="left", maintain_order="left").with_columns(
        trial=pl.col("TRIAL"),
        endpoint=pl.col("PARAMCD").cast(pl.String),
        variant=pl.col("PARCAT1").cast(pl.String),
        level=pl.col("RESPFL").cast(pl.String).fill_null("N"),
        AVALU=pl.col("AVALU").cast(pl.String).fill_null(""),
        expanded=pl.col("EXPANDFL").cast(pl.String) == "Y",
    )
    key = ["trial", "endpoint", "variant"]
    unit = rows.group_by("endpoint", "variant").agg(pl.col("AVALU").max().alias("unit"))
    frames: list[pl.DataFrame] = []
    expanded = rows.filter("expanded")
    days = pl.col("endpoint").is_in(list(_DAYS))
    for by, columns in (("", key), ("response", [*key, "level"])):
        labels = {"analysis": "kinetics", "population": "infused", "by": by}
        amounts = estimate_kinetics(expanded.filter(~days), columns).join(
            unit, on=["endpoint", "variant"], how="left", maintain_order="left"
        )
        times = estimate_kinetics(expanded.filter(days), columns, zeros=True)
        frames.extend(build_rows(found, ("N", "n"), **labels) for found in (amounts, times))
        amounts, times = amounts.filter(pl.col("n") > 0), times.filter((pl.col("n") > 0) & (pl.col("endpoint") != "PERSIST"))
        frames.append(build_rows(amounts, dict.fromkeys(_AMOUNTS, "*"), **labels))
        frames.append(build_rows(amounts, {"cv": "%"}, method="geometric coefficient of variation", **labels))
        frames.append(build_rows(times, dict.fromkeys(("median", "q25", "q75", "min", "max"), DAY), **labels))
        frames.extend(_persistence(expanded, columns, labels, conf_level))
    subjects = rows.group_by("trial", "variant", "SUBJ").agg(pl.col("expanded").any())
    counts = (
        subjects.group_by("trial", "variant")
        .agg((~pl.col("expanded")).sum().cast(pl.Int64).alias("n"), pl.len().cast(pl.Int64).alias("N"))
        .sort("trial", "variant")
    )
    frames.append(build_rows(counts, ("n", "N"), analysis="kinetics", population="infused", endpoint="EXPAND", by="expansion", level="N"))
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
