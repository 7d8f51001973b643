"""How is a model told? Tables of parameters, of each fit and of its searches; a summary in lines; the files of a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import cartrial
from cartrial.files import built_beside
from cartrial.kinetics.asked import KineticsFit
from cartrial.kinetics.courses import derive_courses
from cartrial.kinetics.curves import CURVES, PARAMETERS
from cartrial.kinetics.fit import PopulationFit
from cartrial.kinetics.posterior import PRIORS
from cartrial.kinetics.posthoc import INVENTED, UNITS, derive_adpp, peaks_not_sampled
from cartrial.study import Study

__all__ = ["parameter_table", "summary_lines", "write_kinetics", "write_tables"]

_NOT_AN_EFFECT = "a description of groups known after the infusion alone, not an effect, and no covariate of a forecast"


def parameter_table(found: Sequence[KineticsFit], conf_level: float = 0.95) -> pl.DataFrame:
    """Return the parameters of every fit, one a row.

    Parameters
    ----------
    found : sequence of KineticsFit
    conf_level : float

    Returns
    -------
    polars.DataFrame
        test, model (`population`, or `by` and an outcome, which is described), method, and the columns of `PopulationFit.parameters`;
        conf_level. Empty where not estimable.

    Examples
    --------
    >>> from cartrial.kinetics import parameter_table
    >>> parameter_table([]).is_empty()
    True
    """
    frames = []
    for one in found:
        for name, fit in (("population", one.fit), *((f"by {other.name}", other.fit) for other in one.descriptions)):
            labels = [pl.lit(one.test).alias("test"), pl.lit(name).alias("model"), pl.lit(fit.method).alias("method")]
            frames.append(fit.parameters(conf_level).select(*labels, pl.all(), pl.lit(conf_level).alias("conf_level")))
    return pl.concat(frames) if frames else pl.DataFrame()


def _fit_record(fit: PopulationFit) -> dict[str, Any]:
    """Return what is to be known of a fit, for machines; null where not estimable."""
    samples = fit.problem.samples
    logs, found = fit.minus_two_log, fit.polished.likelihood
    return {
        "curve": fit.problem.model.curve,
        "random_effects": list(fit.problem.model.random),
        "the_same_for_all": list(fit.problem.held),
        "bounds": {name: list(pair) for name, pair in fit.problem.model.bounds.items()},
        "subjects": len(samples.subjects),
        "samples": len(samples.rows.time),
        "below_limit": int(np.sum(samples.rows.side < 0)),
        "above_range": int(np.sum(samples.rows.side > 0)),
        "never_quantifiable": int(samples.never.sum()),
        "below_limit_by": "their probability in the likelihood, augmentation in both steps of the estimation",
        "minus_two_log_likelihood": logs,
        "monte_carlo_error": None if logs is None else 2.0 * found.error,
        "density_of": "the logarithm of the samples",
        "parameters": fit.size,
        "aic": None if logs is None else logs + 2 * fit.size,
        "bic": None if logs is None else logs + fit.size * log(len(samples.subjects)),
        "least_effective_size": float(found.sizes.min()),
        "shrinkage": fit.shrinkage(),
        "seed": fit.seed,
        "limits": _limits_record(fit),
        "starts": [{"minus_two_log_likelihood": one.minus_two_log, "monte_carlo_error": one.monte_carlo} for one in fit.starts],
        "notes": list(fit.notes),
    }


def _limits_record(fit: PopulationFit) -> dict[str, Any]:
    """Return whence the limits of the parameters come."""
    found = fit.posterior
    if found is None:
        return {"by": "Wald"}
    drawn = {"chains": found.sampler.chains, "draws": found.sampler.draws, "learned": found.sampler.learn, "gate_days": found.sampler.gate}
    sure = {"least_effective_number": float(found.sizes.min()), "largest_r_hat": float(found.ratios.max()), "divergent": found.divergent}
    return {"by": "NUTS", "priors": PRIORS, "seed": found.seed, **drawn, **sure}


def _record(one: KineticsFit) -> dict[str, Any]:
    spiked = peaks_not_sampled(one)
    return {
        "test": one.test,
        "limits_used": sorted(one.samples["ALLOQ"].drop_nulls().unique().to_list()),
        "population": _fit_record(one.fit),
        "descriptions": [
            {"by": other.name, "is": _NOT_AN_EFFECT, "gain_in_minus_two_log_likelihood": other.gain, "fit": _fit_record(other.fit)}
            for other in one.descriptions
        ],
        "peak_not_sampled": {"means": f"fitted peak above {INVENTED:g} times the highest sample", "subjects": list(spiked)},
        "notes": list(one.notes),
        "source": one.asked.source,
        "bounds_source": one.asked.bounds.source if one.asked.bounds else None,
    }


def summary_lines(found: Sequence[KineticsFit], units: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield what came of the models, a line each.

    Parameters
    ----------
    found : sequence of KineticsFit
    units : mapping of str to str, optional
        Of the samples, by test.

    Examples
    --------
    >>> from cartrial.kinetics import summary_lines
    >>> list(summary_lines([]))
    []
    """
    for one in found:
        about, curve = _fit_record(one.fit), CURVES[one.fit.problem.model.curve]
        limits = [f"{value:g}" for value in sorted(one.samples["ALLOQ"].drop_nulls().unique().to_list())]
        unit = (units or {}).get(one.test, "")
        yield (
            f"{one.test}: curve {about['curve']} ({curve.words}), {about['subjects']} subjects, "
            f"{about['samples']} samples, {about['below_limit']} below the limit ({', '.join(limits) or 'none'}{unit and f' {unit}'}), "
            f"{about['never_quantifiable']} never quantifiable"
        )
        logs = about["minus_two_log_likelihood"]
        said = "not estimable" if logs is None else f"{logs:.2f} (Monte Carlo error {about['monte_carlo_error']:.2f})"
        yield f"  -2 log likelihood {said}, {about['parameters']} parameters, least effective size {about['least_effective_size']:.0f}"
        if one.fit.posterior is not None:
            yield f"  Limits: 95 % of the posterior, {one.fit.posterior.words}; priors: {PRIORS}"
        for row in one.fit.parameters().iter_rows(named=True):
            yield f"  {_words(row, one.fit, unit)}"
        spiked = peaks_not_sampled(one)
        expanders = about["subjects"] - about["never_quantifiable"]
        yield f"  peak not sampled (fitted above {INVENTED:g} times the highest sample): {len(spiked)} of {expanders}"
        for other in one.descriptions:
            gain = "not estimable" if other.gain is None else f"{other.gain:.2f}"
            yield f"  By {other.name}, {_NOT_AN_EFFECT}: gain in -2 log likelihood {gain}"
            for row in other.fit.parameters().filter(pl.col("kind") == "ratio").iter_rows(named=True):
                yield f"    {_words(row, other.fit)}"
        for note in one.notes:
            yield f"  Note: {note}"


def _words(row: dict[str, Any], fit: PopulationFit, unit: str = "") -> str:
    bounded = row["parameter"] in fit.problem.model.bounds
    ratio = "ratio of the odds within its limits" if bounded else "ratio"
    name = PARAMETERS.get(row["parameter"], row["parameter"]) + (f", {unit}" if unit and row["parameter"] == "cmax" else "")
    what = {
        "typical": f"{row['parameter']}, {name}",
        "ratio": f"{row['parameter']} of {row['covariate']}: {ratio}",
        "spread": f"spread of {row['parameter']}, standard deviation of the {'logit' if bounded else 'logarithm'}",
        "residual": "residual, standard deviation of the logarithm",
        "share": "share of expanders",
    }[row["kind"]]
    limits = "NE" if row["lower"] is None else f"{row['lower']:.4g} to {row['upper']:.4g}"
    cv = "" if row["cv"] is None else f", CV {row['cv']:.0f} %"
    shrunk = "" if row["shrinkage"] is None else f", shrinkage {100 * row['shrinkage']:.0f} %"
    return f"{what}: {row['estimate']:.4g} ({limits}){cv}{shrunk}"


def write_kinetics(study: Study, found: Sequence[KineticsFit], out: Path, *, units: Mapping[str, str]) -> None:
    """Write what came of the models: parameters.csv, adppk.csv, adpp.csv, courses.csv, trace.csv, kinetics.json, summary.txt.

    Parameters
    ----------
    study : Study
    found : sequence of KineticsFit
    out : Path
        Folder; what stands there of an earlier run is replaced.
    units : mapping of str to str
        Of the samples, by test.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import Study
    >>> from cartrial.kinetics import write_kinetics
    >>> with TemporaryDirectory() as folder:
    ...     write_kinetics(Study.load("inaticel"), [], Path(folder, "out"), units={})
    ...     sorted(path.name for path in Path(folder, "out").iterdir())
    ['kinetics.json', 'summary.txt']
    """
    with built_beside(out) as place:
        write_tables(study, found, place, units=units)


def write_tables(study: Study, found: Sequence[KineticsFit], place: Path, *, units: Mapping[str, str]) -> None:
    """Write the files of `write_kinetics` into a folder that is being built."""
    about = {
        "cartrial": cartrial.__version__,
        "study": study.study.id,
        "study_hash": study.hash,
        "rules": study.rules,
        "provenance": study.study.provenance,
        "models": [_record(one) for one in found],
    }
    (place / "kinetics.json").write_text(json.dumps(about, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (place / "summary.txt").write_text("".join(f"{line}\n" for line in summary_lines(found, units)), encoding="utf-8")
    if not found:
        return
    band = pl.lit(study.study.provenance).alias("PROVENANCE")
    unit = pl.when((pl.col("kind") == "typical") & (pl.col("parameter") == "cmax")).then(
        pl.col("test").replace_strict(units, default="", return_dtype=pl.String)
    )
    whole = unit.when(pl.col("kind") == "typical").then(pl.col("parameter").replace_strict(UNITS, default="1/day"))
    parameter_table(found).with_columns(whole.alias("unit"), pl.lit(study.study.provenance).alias("provenance")).write_csv(
        place / "parameters.csv"
    )
    adpp = [derive_adpp(one, auc_to=study.kinetics.auc_to, unit=units.get(one.test, "")) for one in found]
    sets = {"adppk": [one.samples for one in found], "adpp": adpp, "courses": [derive_courses(one) for one in found]}
    for name, frames in sets.items():
        pl.concat(frames).with_columns(band).write_csv(place / f"{name}.csv")
    pl.concat([_traces(one) for one in found], how="diagonal").write_csv(place / "trace.csv")


def _traces(one: KineticsFit) -> pl.DataFrame:
    """Return the course of every search: test, start (the best is 1), round, and each parameter on the scale on which it varies."""
    problem = one.fit.problem
    names = [f"{name} by {column}" if column else name for name, column in problem.names]
    names += [f"spread of {name}" for name in problem.model.random] + list(problem.held) + ["residual", "share"]
    frames = []
    for number, start in enumerate(one.fit.starts, 1):
        frame = pl.DataFrame(start.trace, schema=names, orient="row")
        labels = [pl.lit(one.test).alias("test"), pl.lit(number).alias("start"), (pl.int_range(pl.len()) + 1).alias("round")]
        frames.append(frame.select(*labels, pl.all()))
    return pl.concat(frames)
