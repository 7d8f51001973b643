"""What does a product from the shelf change? Autologous against allogeneic from enrolment, with the same patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from cartrial.errors import InputError
from cartrial.virtual.patients.population import load_population
from cartrial.virtual.trial import virtual_study
from cartrial.virtual.trial.arrivals import NEVER, Plan, accrue_trials
from cartrial.virtual.trial.emit import records_of
from cartrial.virtual.trial.rows import make_rows
from cartrial.virtual.trial.settings import load_trial_settings

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.virtual.patients.ensemble import Ensemble
    from cartrial.virtual.patients.population import Population

__all__ = ["ALLOGENEIC", "ARMS", "AUTOLOGOUS", "WAITED", "Comparison", "compare_supply", "published_of"]

ARMS = ("autologous", "allogeneic")
AUTOLOGOUS, ALLOGENEIC = "autologous-cd19", "allogeneic-cd19"
"""Populations that are compared where none is named: the same adults with either product."""
# endpoint of the rows on days from enrolment to infusion
WAITED = "DAYS TO INFUSION"
_TRIALS = 20
# month 12 at a whole day: a landmark of every curve, whether or not somebody died on that day
MONTH_12 = 365.0
_STUDY = "allo-cd19"
_MOST_SITES = 10


@dataclass(frozen=True)
class Comparison:
    """Both products in the same patients.

    Parameters
    ----------
    study : Study
        Endpoints from enrolment.
    results : polars.DataFrame
        Results of all enrolled subjects of an arm as one trial, `by` product, `level` the arm; beside the study's endpoints, days to
        infusion. Differences have the level "allogeneic - autologous" and `text` with the band over the ensemble's parameter sets.
    waits : dict of str to ndarray of int64
        Days from enrolment to infusion by arm, of the infused.
    populations : dict of str to Population
    enrolled, sets : int
        Subjects of an arm, and parameter sets drawn, one for each of the trials.
    seed : int
    """

    study: Study
    results: pl.DataFrame
    waits: dict[str, np.ndarray]
    populations: dict[str, Population]
    enrolled: int
    sets: int
    seed: int


def compare_supply(
    n: int = 2000,
    seed: int = 1,
    *,
    autologous: str | Path = AUTOLOGOUS,
    allogeneic: str | Path = ALLOGENEIC,
    ensemble: Ensemble | None = None,
    say: Callable[[str], None] | None = None,
) -> Comparison:
    """Enrol the same patients twice, and give each the product of one population.

    Parameters
    ----------
    n : int
        Enrolled subjects of each arm.
    seed : int
    autologous, allogeneic : str or Path
        Populations, built in or a file, whose product, supply and clinic are compared. The patients are those of `autologous` in both
        arms: same keys, same baseline, same parameter sets.
    ensemble : Ensemble, optional
    say : callable, optional
        Told each step.

    Returns
    -------
    Comparison

    Notes
    -----
    The study is the built-in `allo-cd19`: CRR and OS from enrolment in all enrolled, DOR in responders, at least two years of follow-up.
    The subjects are spread over up to 20 trials, each with its own parameter set of the ensemble.

    Examples
    --------
    The fewest subjects that can be compared: 20 enrolled in each arm, one in each of 20 trials. Days to infusion are those of the infused
    alone.

    >>> from cartrial.design import compare_supply
    >>> found = compare_supply(20)
    >>> found.enrolled, found.sets, sorted(found.waits)
    (20, 20, ['allogeneic', 'autologous'])
    >>> all(len(days) <= 20 for days in found.waits.values())
    True
    """
    from cartrial.analysis import analyse
    from cartrial.analysis.results import join_rows
    from cartrial.endpoints import derive
    from cartrial.study import Study
    from cartrial.virtual.patients.ensemble import load_ensemble

    if not 20 <= n <= 200_000:
        raise InputError(f"{n} subjects an arm cannot be compared", key="n", right="Give 20 to 200000")
    base = virtual_study(Study.load(_STUDY)).model_copy(update={"subgroups": ()})
    ensemble = ensemble or load_ensemble()
    trials = next(k for k in range(_TRIALS, 0, -1) if n % k == 0)
    people = {"autologous": load_population(autologous), "allogeneic": load_population(allogeneic)}
    people["allogeneic"] = people["allogeneic"].with_patients(people["autologous"])
    frames, waits, single = [], {}, {}
    for arm in ARMS:
        if say:
            say(f"Simulating {n} subjects, {arm} product")
        study = base.model_copy(
            update={"product": base.product.model_copy(update={"type": arm}), "study": base.study.model_copy(update={"sites": _MOST_SITES})}
        )
        plan = Plan(study, load_trial_settings(study), people[arm], ensemble, seed, n // trials, "enrolled")
        accrued = accrue_trials(plan, np.arange(trials))
        records = records_of(plan, make_rows(plan, accrued), names=False)
        reached = accrued.enrolled < NEVER
        waits[arm] = (accrued.infusion - accrued.enrolled)[accrued.infused]
        single[arm] = _single(
            analyse(study, derive(study, records), records, analyses=("response", "survival"), curves=False), accrued, reached
        )
        pooled = records.replace(subjects=records.subjects.with_columns(pl.lit(0, dtype=pl.Int32).alias("TRIAL")))
        found = analyse(study, derive(study, pooled), pooled, analyses=("flow", "response", "survival"), curves=True)
        named = found.with_columns(pl.when(pl.col("by") == "").then(pl.lit("product")).otherwise("by").alias("by"))
        frames.append(named.filter(pl.col("by") == "product").with_columns(pl.lit(arm).alias("level")))
        frames.append(join_rows(_waiting(waits[arm], arm), study=study.study.id, provenance="virtual"))
    frames.append(join_rows(_differences(single), study=base.study.id, provenance="virtual"))
    return Comparison(base, pl.concat(frames), waits, people, n, trials, seed)


def _waiting(days: np.ndarray, arm: str) -> list[pl.DataFrame]:
    from cartrial.analysis.results import build_rows

    values = dict(zip(("min", "q1", "median", "q3", "max"), np.quantile(days, [0, 0.25, 0.5, 0.75, 1]), strict=True))
    wide = pl.DataFrame({"trial": pl.Series([0], dtype=pl.Int32), **{name: [float(value)] for name, value in values.items()}})
    return [build_rows(wide, dict.fromkeys(values, "day"), analysis="flow", endpoint=WAITED, population="infused", by="product", level=arm)]


def _single(results: pl.DataFrame, accrued: Any, reached: np.ndarray) -> dict[str, np.ndarray]:
    """Return figures of each trial: share infused, remission rate, survival at a year."""
    shares = np.bincount(accrued.trial[reached], weights=accrued.infused[reached]) / np.bincount(accrued.trial[reached])
    main = results.filter((pl.col("variant") == "") & (pl.col("by") == "")).sort("trial")
    remission = main.filter((pl.col("endpoint") == "CRR") & (pl.col("statistic") == "rate"))["value"].to_numpy()
    alive = main.filter((pl.col("endpoint") == "OS") & (pl.col("statistic") == "survival"))
    year = alive.filter(pl.col("time") == MONTH_12)["value"].to_numpy()
    return {"infused": shares, "CRR": remission, "OS": year}


def _differences(single: dict[str, dict[str, np.ndarray]]) -> list[pl.DataFrame]:
    """Return differences between the arms with the 80 % band over trials: parameter sets and chance of as many subjects together."""
    from cartrial.analysis.results import build_rows

    frames = []
    for name, analysis, time in (("infused", "flow", None), ("CRR", "response", None), ("OS", "survival", MONTH_12)):
        one, two = single["allogeneic"][name], single["autologous"][name]
        if len(one) != len(two) or not len(one):
            continue
        apart = one - two
        low, high = np.quantile(apart, [0.1, 0.9])
        wide = pl.DataFrame(
            {"trial": pl.Series([0], dtype=pl.Int32), "time": [time], "mean": [float(apart.mean())], "lower": [low], "upper": [high]}
        )
        labels: dict[str, Any] = {"analysis": analysis, "endpoint": name, "population": "enrolled", "by": "product"}
        method = "difference in the same patients; 80 % band over the trials"
        frames.append(
            build_rows(
                wide.with_columns(pl.col("time").cast(pl.Float64)),
                dict.fromkeys(("mean", "lower", "upper"), "proportion"),
                level="allogeneic - autologous",
                method=method,
                conf_level=0.8,
                **labels,
            )
        )
    return frames


def published_of(study: Study, population: str) -> pl.DataFrame:
    """Return what was published of a study's population beside what the calibrated model says.

    Parameters
    ----------
    study : Study
        Its registry number or name is not read; the population is.
    population : str
        A built-in population.

    Returns
    -------
    polars.DataFrame
        target, trial, measure, at (days), blasts_from, blasts_to (before lymphodepletion; null: of all patients), use (`fit`, `consulted`
        or `held-out`), source, note, n, of (null where not counted), published, lower, upper (95 %), simulated, band_low, band_high (80 %;
        null where the calibration has no such row).

    Examples
    --------
    The response at month 3 of the study, as counts.

    >>> from cartrial.design import published_of
    >>> from cartrial.study import Study
    >>> table = published_of(Study.load("inaticel"), "inaticel")
    >>> table.filter(target="inaticel-orr-at-3").select("n", "of", "use").rows()
    [(34, 48, 'fit')]
    """
    from cartrial.virtual.calibration import read_scores
    from cartrial.virtual.calibration.targets import load_targets

    rows = []
    for target in load_targets().targets:
        if target.populations.get(population, 0) < 1:
            continue
        value, low, high = target.published
        names = {"target": target.id, "trial": target.trial, "measure": target.measure, "at": target.at, "use": target.use}
        band = (target.blasts.from_, target.blasts.to) if target.blasts else (None, None)
        rows.append(
            {
                **names,
                **{"blasts_from": band[0], "blasts_to": band[1]},
                "source": target.source,
                "note": target.note,
                "n": target.n,
                "of": target.of,
                "published": value,
                "lower": low,
                "upper": high if target.upper_reached else None,
            }
        )
    if not rows:
        return pl.DataFrame()
    frame = pl.DataFrame(rows, infer_schema_length=None)
    try:
        scores = read_scores().select("target", "simulated", "band_low", "band_high")
    except InputError:
        scores = pl.DataFrame(schema={"target": pl.String, "simulated": pl.Float64, "band_low": pl.Float64, "band_high": pl.Float64})
    return frame.join(scores, on="target", how="left", maintain_order="left")
