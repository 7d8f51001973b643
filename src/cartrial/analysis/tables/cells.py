"""How is a fitted population model of the cells told in results? Its parameters, its fit, its check against simulated trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log
from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import SCHEMA, build_rows, join_rows
from cartrial.analysis.wording import DAY, PROPORTION

if TYPE_CHECKING:
    from cartrial.kinetics import KineticsFit, PopulationFit

__all__ = ["cell_model_rows"]

_CHECK = "simulated trials of the fitted population"
_BAND = 0.9
_UNITS = {"tmax": DAY, "tlag": DAY, "fold": "", "fb": ""}
_COUNTS = ("N", "samples", "below_limit", "above_range", "never_quantifiable", "peak_not_sampled", "parameters", "starts")


def cell_model_rows(
    found: Sequence[KineticsFit], *, study: str, provenance: str, units: dict[str, str], conf_level: float = 0.95
) -> pl.DataFrame:
    """Return the rows of fitted models.

    Parameters
    ----------
    found : sequence of KineticsFit
    study, provenance : str
    units : dict of str to str
        Of the samples, by test.
    conf_level : float
        Of the limits of parameters; what lies between the simulated limits is 90 % of the trials.

    Returns
    -------
    polars.DataFrame
        Analysis `cell-model`, columns as `cartrial.analysis.SCHEMA`; `variant` is the test, `by` an outcome that is described, else blank.
        Endpoint of a parameter, in capitals: `typical`, `spread` (standard deviation of the logarithm, or of the logit within limits), each
        with limits; `cv`, `shrinkage`; with the covariate as level `ratio`. ERROR: `spread`. EXPANDER: `share`. MODEL: how many of what was
        fitted, -2 log likelihood with its Monte Carlo error, aic, bic, effective_size, gain of a description. CHECK, by window: `q10`,
        `q50`, `q90`, `below` as the trials have them, with limits, and as `observed_...`; how many of
        those `compared` lie `outside`. Null where not estimable.

    Examples
    --------
    >>> from cartrial.analysis.tables.cells import cell_model_rows
    >>> cell_model_rows([], study="S", provenance="example", units={}).height
    0
    """
    frames = [frame for one in found for frame in _of_test(one, units.get(one.test, ""), conf_level)]
    if not frames:
        return pl.DataFrame(schema=SCHEMA)
    return join_rows(frames, study=study, provenance=provenance)


def _of_test(one: KineticsFit, unit: str, conf_level: float) -> Iterator[pl.DataFrame]:
    from cartrial.kinetics.check import check_kinetics

    labels: dict[str, str | float | None] = {
        "analysis": "cell-model",
        "trial": int(one.samples["TRIAL"][0]),
        "population": "infused",
        "variant": one.test,
    }
    yield from _parameters(one.fit, unit, conf_level, labels)
    yield _model(one, labels)
    for other in one.descriptions:
        described = {**labels, "by": other.name}
        yield from _parameters(other.fit, unit, conf_level, described)
        counts = _wide({"N": len(other.fit.problem.samples.subjects), "gain": other.gain} | _likelihood(other.fit))
        yield build_rows(counts, ("N", "gain", *_likelihood(other.fit)), endpoint="MODEL", method=other.fit.method, **described)
    yield from _check(check_kinetics(one), unit, labels)


def _parameters(fit: PopulationFit, unit: str, conf_level: float, labels: dict[str, str | float | None]) -> Iterator[pl.DataFrame]:
    """Yield the rows of the parameters of a fit, a frame each kind of statistic."""
    table = fit.parameters(conf_level).with_columns(
        endpoint=pl.when(kind="residual").then(pl.lit("ERROR")).otherwise(pl.col("parameter").str.to_uppercase()),
        level=pl.col("covariate"),
    )
    units = {"cmax": unit, **_UNITS}
    for kind, name in (("typical", "typical"), ("ratio", "ratio"), ("spread", "spread"), ("residual", "spread"), ("share", "share")):
        mine = table.filter(pl.col("kind") == kind)
        for parameter in mine["parameter"].unique(maintain_order=True):
            of = units.get(parameter, "1/day") if kind == "typical" else PROPORTION if kind == "share" else ""
            wide = mine.filter(pl.col("parameter") == parameter)
            wide = wide.rename({"estimate": name, "lower": f"{name}_lower", "upper": f"{name}_upper"})
            statistics = {name: of, f"{name}_lower": of, f"{name}_upper": of}
            if kind == "spread":
                statistics |= {"cv": "%", "shrinkage": PROPORTION}
            yield build_rows(wide, statistics, method=fit.method, conf_level=conf_level, **labels)


def _likelihood(fit: PopulationFit) -> dict[str, float | None]:
    """Return -2 log likelihood and what follows from it; null where too few draws count."""
    logs, found = fit.minus_two_log, fit.polished.likelihood
    return {
        "minus_two_log_likelihood": logs,
        "monte_carlo_error": None if logs is None else 2.0 * found.error,
        "aic": None if logs is None else logs + 2 * fit.size,
        "bic": None if logs is None else logs + fit.size * log(len(fit.problem.samples.subjects)),
        "effective_size": float(found.sizes.min()),
    }


def _model(one: KineticsFit, labels: dict[str, str | float | None]) -> pl.DataFrame:
    """Return how many of what was fitted, and how well."""
    from cartrial.kinetics.posthoc import peaks_not_sampled

    samples = one.fit.problem.samples
    counts = {
        "N": len(samples.subjects),
        "samples": len(samples.rows.time),
        "below_limit": int((samples.rows.side < 0).sum()),
        "above_range": int((samples.rows.side > 0).sum()),
        "never_quantifiable": int(samples.never.sum()),
        "peak_not_sampled": len(peaks_not_sampled(one)),
        "parameters": one.fit.size,
        "starts": len(one.fit.starts),
    }
    more = _likelihood(one.fit)
    return build_rows(_wide(counts | more), (*_COUNTS, *more), endpoint="MODEL", method=one.fit.method, **labels)


def _check(windows: pl.DataFrame, unit: str, labels: dict[str, str | float | None]) -> Iterator[pl.DataFrame]:
    """Yield the rows of the check, a frame each statistic."""
    first, last = pl.col("first").cast(pl.Int64), pl.col("last").cast(pl.Int64)
    days = pl.when(first == last).then(pl.format("day {}", first)).otherwise(pl.format("day {} to {}", first, last))
    windows = windows.with_columns(time=pl.col("middle"), level=days)
    told = pl.col("observed").is_not_null() & pl.col("lower").is_not_null()
    outside = told & ~pl.col("observed").is_between("lower", "upper")
    counted = windows.select(outside.sum().alias("outside"), told.sum().alias("compared"))
    yield build_rows(counted, ("outside", "compared"), endpoint="CHECK", method=_CHECK, **labels)
    labels = {**labels, "endpoint": "CHECK", "by": "window"}
    for (name,), mine in windows.group_by("statistic", maintain_order=True):
        of = PROPORTION if name == "below" else unit
        wide = mine.rename({"predicted": str(name), "lower": f"{name}_lower", "upper": f"{name}_upper", "observed": f"observed_{name}"})
        simulated = {str(name): of, f"{name}_lower": of, f"{name}_upper": of}
        yield build_rows(wide, simulated, method=_CHECK, conf_level=_BAND, **labels)
        yield build_rows(wide, {f"observed_{name}": of}, **labels)
        if name == "below":
            yield build_rows(wide, ("samples", "n"), **labels)


def _wide(values: dict[str, float | None]) -> pl.DataFrame:
    schema = {name: pl.Int64 if isinstance(value, int) else pl.Float64 for name, value in values.items()}
    return pl.DataFrame([values], schema=schema)
