"""What does a dose-finding design do when the true DLT rates are known? Selections, subjects, DLTs and overdoses as one frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.design.dose.designs import DoseDesign, Doses
from cartrial.design.exact.checks import check_number
from cartrial.errors import InputError

__all__ = ["STATISTICS", "DoseResults", "Scenarios", "check_scenarios", "summarise"]

Scenarios = Mapping[str, Sequence[float]] | Sequence[float]

STATISTICS = {
    "selected": "Probability that the dose is selected; level 0: that no dose is.",
    "subjects": "Subjects treated at the dose; without a level: in the trial.",
    "dlts": "Subjects with a DLT at the dose; without a level: in the trial.",
    "overdose_selected": "Probability that a dose with a true DLT rate above the target is selected.",
    "overdose_subjects": "Mean share of a trial's subjects treated at such a dose.",
    "overdose_60": "Probability that more than 60 % of the planned subjects are treated at such a dose.",
    "days": "Days from the first open place until the last subject's DLT window closes.",
    "days_p90": "The number of days that nine trials in ten do not exceed.",
}
SCHEMA = {
    "design": pl.String,
    "scenario": pl.String,
    "statistic": pl.String,
    "level": pl.Int32,
    "dose": pl.String,
    "truth": pl.Float64,
    "value": pl.Float64,
    "se": pl.Float64,
}
_ABOVE = 1e-12


@dataclass(frozen=True)
class DoseResults:
    """Operating characteristics of a dose-finding design.

    Parameters
    ----------
    design : DoseDesign
    frame : polars.DataFrame
        One row for each scenario and statistic of `STATISTICS`: `design`, `scenario`, `statistic`, `level` (from 1; 0: no dose; null: the
        whole trial), `dose` (label), `truth` (its true DLT rate), `value`, `se` (Monte-Carlo standard error; 0 where enumerated).
    notes : tuple of str
        What is doubtful or assumed, one sentence each.
    trials : int or None
        Simulated trials of each scenario; None where all paths were enumerated.
    seed : int or None
    """

    design: DoseDesign
    frame: pl.DataFrame
    notes: tuple[str, ...]
    trials: int | None
    seed: int | None

    def table(self) -> pl.DataFrame:
        """Return one row for each scenario and dose: `selected`, `subjects` and `dlts`, each followed by its standard error."""
        keys = ["scenario", "level", "dose", "truth"]
        doses = self.frame.filter(pl.col("level").is_not_null())
        out = doses.select(keys).unique(maintain_order=True)
        for name in ("selected", "subjects", "dlts"):
            one = doses.filter(pl.col("statistic") == name).select(
                "scenario", "level", pl.col("value").alias(name), pl.col("se").alias(f"{name}_se")
            )
            out = out.join(one, on=["scenario", "level"], how="left", maintain_order="left")
        return out


@dataclass(frozen=True)
class Checked:
    """Scenarios that can be run: names, probabilities of shape (scenarios, doses), labels of the doses, notes and the target."""

    names: tuple[str, ...]
    p: NDArray[np.float64]
    labels: tuple[str, ...]
    notes: tuple[str, ...]
    target: float | None


def check_scenarios(design: DoseDesign, scenarios: Scenarios, doses: Doses | None, target: float | None) -> Checked:
    """Return scenarios that can be run.

    Raises
    ------
    InputError
        If there is none, a probability is outside 0 to 1, lengths differ, or the first dose of the design does not exist.
    """
    named = dict(scenarios) if isinstance(scenarios, Mapping) else {"scenario 1": scenarios}
    if not named or not all(len(p) for p in named.values()):
        raise InputError("there is no scenario, or one without a dose", key="scenarios", right="Give true DLT rates, one for each dose")
    count = len(doses.levels) if doses else len(next(iter(named.values())))
    notes = []
    rows = []
    for name, p in named.items():
        if len(p) != count:
            raise InputError(f"{name} has {len(p)} doses, not {count}", key="scenarios", right="Give one true DLT rate for each dose")
        try:
            row = np.array([float(value) for value in p])
        except (TypeError, ValueError):
            row = np.array([np.nan])
        if not np.all((row >= 0) & (row <= 1)):
            raise InputError(f"{name} has a DLT rate outside 0 to 1", key="scenarios", right="Give probabilities from 0 to 1")
        if np.any(np.diff(row) < 0):
            notes.append(f"The true DLT rates of {name} do not increase with the dose, which every design here presumes.")
        rows.append(row)
    if design.start > count:
        raise InputError(f"the start is dose {design.start} of {count}", key="start", right="Start at one of the doses")
    if target is not None:
        target = check_number(target, "target", right="Give the DLT rate above which a dose is an overdose")
    aim = design.target if target is None else target
    if aim is None:
        notes.append("No target is given, so no dose counts as an overdose.")
    labels = doses.labels if doses else tuple(f"dose {k}" for k in range(1, count + 1))
    return Checked(tuple(map(str, named)), np.array(rows), labels, tuple(notes), aim)


def summarise(
    design: DoseDesign,
    checked: Checked,
    scenario: int,
    selected: NDArray[np.int64],
    subjects: NDArray[np.int64],
    dlts: NDArray[np.int64],
    *,
    weights: NDArray[np.float64] | None = None,
    days: NDArray[np.float64] | None = None,
) -> list[tuple[str, str, str, int | None, str | None, float | None, float, float]]:
    """Return the rows of one scenario's frame.

    Parameters
    ----------
    selected : ndarray of int64, shape (trials,)
        Dose from 1, 0 for none.
    subjects, dlts : ndarray of int64, shape (trials, doses)
    weights : ndarray of float64, shape (trials,), optional
        Probability of each trial where all are enumerated; then there is no Monte-Carlo error.
    days : ndarray of float64, shape (trials,), optional
    """
    rows = []
    p, labels, trials = checked.p[scenario], checked.labels, len(selected)

    def add(statistic: str, values: NDArray[np.generic], level: int | None = None) -> None:
        x = values.astype(np.float64)
        if weights is None:
            mean, error = float(x.mean()), float(x.std(ddof=1) / np.sqrt(trials))
        else:
            mean, error = float(weights @ x), 0.0
        dose = labels[level - 1] if level else ("none" if level == 0 else None)
        truth = float(p[level - 1]) if level else None
        rows.append((design.name, checked.names[scenario], statistic, level, dose, truth, mean, error))

    for level in range(len(p) + 1):
        add("selected", selected == level, level)
    for name, counts in (("subjects", subjects), ("dlts", dlts)):
        for level in range(1, len(p) + 1):
            add(name, counts[:, level - 1], level)
        add(name, counts.sum(axis=1))
    if checked.target is not None:
        above = p > checked.target + _ABOVE
        over = subjects[:, above].sum(axis=1)
        add("overdose_selected", np.concatenate([[False], above])[selected])
        add("overdose_subjects", over / subjects.sum(axis=1))
        add("overdose_60", over > 0.6 * sum(design.sizes(len(p))))
    if days is not None:
        add("days", days)
        rows.append((design.name, checked.names[scenario], "days_p90", None, None, None, *_quantile(days, 0.9)))
    return rows


def _quantile(values: NDArray[np.float64], q: float) -> tuple[float, float]:
    """Return a quantile and its standard error, half the distance between the order statistics one binomial error to either side."""
    ordered = np.sort(values)
    n = len(ordered)
    spread = np.sqrt(n * q * (1 - q))
    low, high = (int(np.clip(round(n * q + side * spread), 0, n - 1)) for side in (-1, 1))
    return float(np.quantile(ordered, q)), float(ordered[high] - ordered[low]) / 2
