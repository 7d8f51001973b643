"""Which published figures lie in the predictive interval of virtual trials? All figures of a table, asked and compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.predict.compare import Compared, compare_figure, estimate_trials
from cartrial.predict.express import Question, Unexpressed, express_figure, express_figures, named_populations
from cartrial.predict.figures import Figure, read_figures
from cartrial.predict.known import load_known
from cartrial.predict.trials import Asked, Cohort, plan_cohort
from cartrial.predict.used import USES, is_kept, use_of
from cartrial.processes import spread
from cartrial.shown import Shown
from cartrial.virtual.calibration.between import trial_ensemble
from cartrial.virtual.patients.ensemble import load_ensemble
from cartrial.virtual.patients.population import Population

__all__ = ["LEAST", "TRIALS", "Predictions", "check_predictions"]

TRIALS = 500
"""Virtual trials of each figure, where nothing else is said."""
LEAST = 20
"""Fewest trials: the interval leaves one in twenty out on each side."""
COMPARED, UNEXPRESSED, LEFT_OUT = "compared", "not expressed", "left out"

_MOST = 100_000
# share of the trials that must have a value: of a survival those have one in which somebody was followed so long, or all had died
_WITH_VALUE = 0.5
Progress = Callable[[int, int], None]
SCHEMA = {
    **{"id": pl.String, "trial": pl.String, "population": pl.String, "virtual_population": pl.String, "n": pl.Int64},
    **{"endpoint": pl.String, "window": pl.String, "statistic": pl.String, "time_months": pl.Float64},
    **{"value": pl.Float64, "value_lower": pl.Float64, "value_upper": pl.Float64},
    **{"predicted": pl.Float64, "lower": pl.Float64, "upper": pl.Float64, "inside": pl.Boolean, "position": pl.Float64},
    **{"trials": pl.Int64, "not_reached": pl.Float64, "without": pl.Int64, "used": pl.String, "evaluation": pl.Boolean},
    **{"state": pl.String, "note": pl.String},
}


@dataclass(frozen=True)
class Predictions(Shown):
    """Published figures beside virtual trials.

    Parameters
    ----------
    frame : polars.DataFrame
        A row for each figure in the order of the table: id, trial, population, virtual_population, n, endpoint, window, statistic,
        time_months; value with value_lower and value_upper as published; predicted (the median of the trials), lower and upper (their
        central 90 %); inside; position (share of the trials below, of equal ones a half); trials (that gave a value), not_reached (share of
        them), without (trials that gave none); used (by the calibration, one of `USES`); evaluation (kept for evaluation alone); state
        (`compared`, `not expressed`, `left out`); note. Rates and survival in per cent, medians in months, infinite where not reached.
    trials, seed : int
    """

    frame: pl.DataFrame
    trials: int
    seed: int

    def totals(self) -> pl.DataFrame:
        """Return how many figures lie inside: all compared, those that the fit has not used, those for evaluation alone, each use.

        Returns
        -------
        polars.DataFrame
            figures (`all`, `not fitted`, `evaluation`, then those of `USES`), inside, compared, share (null where none was compared).
        """
        compared = self.frame.filter(pl.col("state") == COMPARED)
        groups = {"all": compared, "not fitted": compared.filter(pl.col("used") != "fit")}
        groups["evaluation"] = compared.filter(pl.col("evaluation").fill_null(False))
        groups |= {use: compared.filter(pl.col("used") == use) for use in USES}
        rows = [
            (name, int(found["inside"].sum()), found.height, float(found["inside"].mean()) if found.height else None)  # type: ignore[arg-type]
            for name, found in groups.items()
        ]
        schema = {"figures": pl.String, "inside": pl.Int64, "compared": pl.Int64, "share": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row")


def check_predictions(
    figures: str | Path | tuple[Figure, ...],
    *,
    trials: int = TRIALS,
    seed: int = 1,
    population: str | Path | Population | Mapping[str, str | Path | Population] | None = None,
    alike: bool = False,
    progress: Progress | None = None,
    threads: int | None = None,
    processes: int = 1,
) -> Predictions:
    """Compare published figures with virtual trials of their size.

    Parameters
    ----------
    figures : path or tuple of Figure
        As `read_figures` takes or returns them.
    trials : int
        Virtual trials of each figure, at least `LEAST`. Each draws parameters of its own (`trial_ensemble`), and so many patients: the
        interval holds what is not known of the parameters, what trials differ in, and the chance of the patients.
    seed : int
    population : str, Path or Population, or a mapping of them by trial, optional
        A virtual population (built in, a file, or the population itself) for every trial, or by the trial's name, in place of that of the
        table. A file is looked for where the process runs; one that the table names stands beside the table.
    alike : bool
        Take all trials of a population to have the same parameters, as the calibration does: the interval lacks what trials differ in.
    progress : callable, optional
        Told the trials done and wanted, over all virtual populations.
    threads : int, optional
        Nothing depends on it.
    processes : int
        Run the trials in so many processes of one thread, as `cartrial.processes.spread`; nothing depends on it. 1: in this one.

    Returns
    -------
    Predictions

    Raises
    ------
    InputError
        As `read_figures` and `express_figures`, or for fewer trials than `LEAST`.

    Notes
    -----
    The trials of one virtual population, new ones or those of one fitted trial, are simulated once. A figure's result depends on its row,
    the seed and the number of trials alone (and on the rows of its own trial and cut, where it does not state how many were infused).

    Examples
    --------
    Twenty trials are far too few to learn from. Of 53 patients 44 had responded, which is in 83 of 100.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.predict import check_predictions
    >>> head = "id,trial,population,n,endpoint,window,statistic,time_months,count,value,lower,upper"
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "figures.csv"
    ...     _ = file.write_text(head + "\\nmskcc-cr,mskcc,infused,53,CR,best,rate,,44,,,\\n", encoding="utf-8")
    ...     found = check_predictions(file, trials=20)
    >>> found.frame.select("virtual_population", "n", "used", "trials").row(0), round(found.frame["value"].item(), 1)
    (('mskcc', 53, 'fit', 20), 83.0)
    """
    if not LEAST <= trials <= _MOST:
        raise InputError(f"{trials} trials cannot be compared with", key="trials", right=f"Give {LEAST} to {_MOST}")
    chosen = named_populations(population)
    file, folder = "", None
    if not isinstance(figures, tuple):
        file, folder = Path(figures).name, Path(figures).parent

        def asks(figure: Figure) -> object:
            named = chosen.get(figure.trial) or chosen.get("")
            return express_figure(figure, load_known(), named=named or figure.virtual_population, file=file, folder=folder)

        figures = read_figures(figures, further=asks)
    asked = express_figures(figures, file=file, folder=folder, population=chosen)
    questions = [item for item in asked if isinstance(item, Question)]
    estimates = iter(
        _estimates(questions, _cohorts(questions, seed, alike=alike), trials, progress, 1 if processes > 1 else threads, processes)
    )
    rows = []
    for item in asked:
        if isinstance(item, Unexpressed):
            rows.append(_row(item.figure) | {"state": LEFT_OUT if item.figure.left_out else UNEXPRESSED, "note": item.why})
            continue
        values, counts = next(estimates)
        rows.append(_compared(item, compare_figure(values, item.figure.value, item.figure.half), counts))
    return Predictions(pl.DataFrame(rows, schema=SCHEMA, orient="row"), trials, seed)


def _cohorts(questions: list[Question], seed: int, *, alike: bool = False) -> list[Cohort]:
    """Return the trials of each virtual population and fitted trial, with what is asked of them."""
    people: dict[str, Population] = {}
    asked: dict[tuple[str, str], list[Asked]] = {}
    for key, question in enumerate(questions):
        for population, n in question.parts:
            text = population.model_dump_json()
            people[text] = population
            asked.setdefault((text, "" if alike else question.own), []).append(Asked(key, question, n))
    return [
        plan_cohort(people[text], items, seed, load_ensemble() if alike else trial_ensemble(own)) for (text, own), items in asked.items()
    ]


def _estimates(
    questions: Sequence[Question], cohorts: Sequence[Cohort], trials: int, progress: Progress | None, threads: int | None, processes: int
) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Run the trials of every population, and return the estimates of each question and its number of patients, by trial.

    A question of one population is estimated batch by batch, so that patients are not kept; one of a mixture when all have run.
    """
    found = [np.full(trials, math.nan) for _ in questions]
    counts = [np.zeros(trials, np.int64) for _ in questions]
    kept: dict[int, list[pl.DataFrame]] = {}

    def take(key: int, answers: pl.DataFrame) -> None:
        values = estimate_trials(questions[key], answers, trials)
        found[key] = np.where(np.isnan(values), found[key], values)
        counts[key] += np.bincount(answers["TRIAL"].to_numpy(), minlength=trials)

    done, wanted = 0, trials * len(cohorts)
    tasks = [
        (place, first, min(first + cohort.batch, trials) - 1)
        for place, cohort in enumerate(cohorts)
        for first in range(0, trials, cohort.batch)
    ]
    answered = spread(partial(_answer_of, tuple(cohorts), threads), tasks, processes)
    for (_, first, last), found_here in zip(tasks, answered, strict=True):
        for key, answers in found_here.items():
            if len(questions[key].parts) == 1:
                take(key, answers)
            else:
                kept.setdefault(key, []).append(answers)
        done += last - first + 1
        if progress:
            progress(done, wanted)
    for key, parts in kept.items():
        take(key, pl.concat(parts))
    return list(zip(found, counts, strict=True))


def _answer_of(cohorts: tuple[Cohort, ...], threads: int | None, place: int, first: int, last: int) -> dict[int, pl.DataFrame]:
    """Return the answers of some trials of a virtual population."""
    return cohorts[place].answer(first, last, threads=threads)


def _row(figure: Figure) -> dict[str, object]:
    """Return what is published of a figure."""
    names = ("id", "trial", "population", "n", "endpoint", "window", "statistic")
    row: dict[str, object] = dict.fromkeys(SCHEMA) | {name: getattr(figure, name) for name in names}
    row |= {"time_months": figure.time, "value_lower": figure.lower, "value_upper": figure.upper}
    row |= {"value": None if math.isnan(figure.value) else figure.value}
    return row | {"used": use_of(figure)[0], "evaluation": is_kept(figure)}


def _compared(question: Question, found: Compared | None, counts: NDArray[np.int64]) -> dict[str, object]:
    """Return the row of a figure that was asked; `counts` are its patients by trial."""
    row = _row(question.figure) | {"virtual_population": question.names}
    if found is None:
        return row | {"state": UNEXPRESSED, "note": "no virtual trial has anybody in the population who was followed so long"}
    if found.without > (1 - _WITH_VALUE) * len(counts):
        few = f"{found.without} of {len(counts)} virtual trials gave no value: they have nobody in the population who was followed so long"
        return row | {"state": UNEXPRESSED, "note": few}
    said = [*use_of(question.figure)[1], *question.said]
    n = sum(number for _, number in question.parts)
    if question.of == question.population and counts.min() < n:
        said.insert(0, f"{(counts < n).sum()} trials have fewer than {n} such patients, {counts.min()} at least")
    if found.not_reached > 0:
        said.insert(0, f"not reached in {100 * found.not_reached:.0f} % of the trials")
    if found.without:
        said.insert(0, f"{found.without} trials gave no value")
    row |= {"predicted": found.median, "lower": found.lower, "upper": found.upper, "inside": found.inside, "position": found.position}
    row |= {"trials": found.trials, "not_reached": found.not_reached, "without": found.without}
    return row | {"state": COMPARED, "note": "; ".join(said)}
