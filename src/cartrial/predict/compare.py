"""Does a published value lie where virtual trials do? Estimates by trial, their central 90 %, and the value among them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.km import estimate_survival
from cartrial.analysis.estimators.rates import estimate_rate
from cartrial.analysis.wording import DAYS_PER_MONTH
from cartrial.predict.express import Question
from cartrial.shown import Shown

__all__ = ["OUTSIDE", "Compared", "compare_figure", "estimate_trials"]

Floats = NDArray[np.float64]

OUTSIDE = 5
"""Trials in a hundred that lie outside the predictive interval, on each side."""


@dataclass(frozen=True)
class Compared(Shown):
    """A published value among those of virtual trials. Infinite: not reached.

    Parameters
    ----------
    median, lower, upper : float
        Of the trials; the interval holds 90 % of them.
    inside : bool
    position : float
        Share of the trials whose value lies below the published one; of those that equal it a half.
    trials : int
        Trials that gave a value.
    not_reached : float
        Share of them whose median was not reached.
    without : int
        Trials that gave none.
    """

    median: float
    lower: float
    upper: float
    inside: bool
    position: float
    trials: int
    not_reached: float
    without: int


def compare_figure(values: Floats, published: float, half: float = 0.0) -> Compared | None:
    """Place a published value among those of virtual trials.

    Parameters
    ----------
    values : ndarray of float64, shape (trials,)
        Not a number where a trial gave none, infinite where a median was not reached.
    published : float
        Infinite where not reached.
    half : float
        Half a unit of its last printed decimal: what is nearer to it is equal.

    Returns
    -------
    Compared or None
        None if no trial gave a value.

    Notes
    -----
    The interval runs between order statistics, as many trials being left out below as above: 25 each of 500. No quantile is interpolated,
    so that a share of n patients stays one of n patients and a median that is not reached stays so.

    Examples
    --------
    By hand: of the values 1 to 20 one is left out on each side, and 19 is just inside; 18 lie below it, and one is equal.

    >>> import numpy as np
    >>> from cartrial.predict import compare_figure
    >>> found = compare_figure(np.arange(1.0, 21.0), 19.0)
    >>> found.lower, found.upper, found.inside, found.position
    (2.0, 19.0, True, 0.925)
    """
    known = np.sort(values[~np.isnan(values)])
    count = len(known)
    if count == 0:
        return None
    outside = count * OUTSIDE // 100
    lower, upper = float(known[outside]), float(known[count - 1 - outside])
    slack = half + 1e-9
    with np.errstate(invalid="ignore"):
        equal = (known == published) | (np.abs(known - published) <= slack)
    below = (known < published) & ~equal
    inside = lower - slack <= published <= upper + slack
    median = (float(known[(count - 1) // 2]) + float(known[count // 2])) / 2
    position = (float(below.sum()) + float(equal.sum()) / 2) / count
    return Compared(median, lower, upper, inside, position, count, float(np.isinf(known).mean()), len(values) - count)


def estimate_trials(question: Question, answers: pl.DataFrame, trials: int) -> Floats:
    """Estimate the statistic of a figure in each virtual trial.

    Parameters
    ----------
    question : Question
    answers : polars.DataFrame
        As `Cohort.answer` gives them, of all virtual populations of the question.
    trials : int

    Returns
    -------
    ndarray of float64, shape (trials,)
        Per cent, or months of a median; not a number where a trial has no patient of the population or none was followed so long.
    """
    found = np.full(trials, math.nan)
    if answers.is_empty():
        return found
    if question.kind != "time":
        rates = estimate_rate(answers, ["TRIAL"])
        found[rates["TRIAL"].to_numpy()] = 100 * rates["rate"].fill_null(math.nan).to_numpy()
        return found
    curves = estimate_survival(answers, ["TRIAL"])
    if question.figure.statistic == "median":
        medians = curves.summary()
        found[medians["TRIAL"].to_numpy()] = (medians["median"].cast(pl.Float64) / DAYS_PER_MONTH).fill_null(math.inf).to_numpy()
        return found
    read = curves.at([question.day]).filter("observed")
    found[read["TRIAL"].to_numpy()] = 100 * read["survival"].fill_null(math.nan).to_numpy()
    return found
