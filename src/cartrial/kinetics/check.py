"""Would trials of the fitted population look like the one that was fitted? Simulated samples beside the measured ones, by window of days.

A visual predictive check with two parts, as samples below a limit have no value: quantiles of what was measured, and the share that is
below the limit (Bergstrand and Karlsson 2009, doi:10.1208/s12248-009-9112-5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.kinetics.asked import KineticsFit
from cartrial.kinetics.codes import ABOVE, BELOW, MOST_PARAMETERS
from cartrial.kinetics.curves_kernel import Floats
from cartrial.kinetics.estimation.saem import Estimate
from cartrial.kinetics.model import Problem, root_of
from cartrial.kinetics.simulate_kernel import fill_samples

__all__ = ["QUANTILES", "Window", "check_kinetics", "check_population", "make_windows", "simulate_samples"]

QUANTILES = {"q10": 0.1, "q50": 0.5, "q90": 0.9}
"""Quantiles of the measured samples of a window, by their names in the results."""
_LEAST_MEASURED = 5
_BAND = (0.05, 0.95)


class Window(NamedTuple):
    """Days whose samples are looked at together: the first, the last, their median."""

    first: float
    last: float
    middle: float


def make_windows(days: Sequence[float] | Floats, most: int = 6) -> tuple[Window, ...]:
    """Return windows of about as many samples each; all samples of one day stand in one.

    Examples
    --------
    Twelve samples, in three windows of four or more:

    >>> from cartrial.kinetics.check import make_windows
    >>> [(w.first, w.last) for w in make_windows([1, 1, 1, 3, 3, 3, 7, 7, 10, 28, 28, 28], 3)]
    [(1.0, 3.0), (7.0, 28.0)]
    """
    ordered = np.sort(np.asarray(days, np.float64))
    aim = len(ordered) / most
    groups: list[list[float]] = []
    for day in np.unique(ordered):
        samples = ordered[ordered == day].tolist()
        if groups and len(groups[-1]) < aim:
            groups[-1] += samples
        else:
            groups.append(samples)
    if len(groups) > 1 and len(groups[-1]) < aim / 2:
        groups[-2:] = [groups[-2] + groups[-1]]
    return tuple(Window(group[0], group[-1], float(np.median(group))) for group in groups)


def simulate_samples(problem: Problem, estimate: Estimate, *, trials: int, seed: int) -> Floats:
    """Simulate the samples of a problem's subjects on their own days, each trial of new subjects with the same covariates.

    Parameters
    ----------
    problem : Problem
    estimate : Estimate
        The population.
    trials : int
    seed : int
        A subject's numbers hang on it and on the subject alone (`SampleSet.marks`).

    Returns
    -------
    ndarray, shape (trials, samples)
        Logarithms, without limits; minus infinity of subjects whose cells never expand.
    """
    rows, d = problem.samples.rows, len(problem.model.random)
    mean, root = problem.design @ estimate.coefficients, root_of(estimate.omega)
    phi = np.empty((len(mean), trials, d))
    out = np.empty((trials, len(rows.time)))
    for i, name in enumerate(problem.samples.marks):
        key = np.frombuffer(hashlib.sha256(f"{seed}\x1fcheck\x1f{name}".encode()).digest()[:16], np.uint64)
        random = np.random.Generator(np.random.Philox(key=key))
        phi[i] = mean[i] + random.standard_normal((trials, d)) @ root.T
        mine = slice(rows.first[i], rows.first[i + 1])
        out[:, mine] = random.standard_normal((trials, mine.stop - mine.start))
        if problem.classes:
            out[random.random(trials) >= estimate.share, mine] = -np.inf
    fill_samples(out.size, rows, problem.formula(estimate.common), phi, float(estimate.error), np.zeros(MOST_PARAMETERS), out)
    return out


def check_population(problem: Problem, estimate: Estimate, limits: Floats, *, trials: int = 1000, seed: int = 1) -> pl.DataFrame:
    """Return what was measured beside what trials of a population give, by window of days.

    Parameters
    ----------
    problem : Problem
    estimate : Estimate
    limits : ndarray, shape (samples,)
        Logarithm of the limit of quantitation of every sample; minus infinity where it has none.
    trials, seed : int

    Returns
    -------
    polars.DataFrame
        One row a window and statistic: first, last, middle (days), samples, n (of which measured), statistic (`q10`, `q50`, `q90` of the
        measured ones; `below`, the share below the limit), observed, predicted (median of the trials), lower, upper (between which 90 %
        of the trials lie). A quantile of fewer than five measured samples is null, observed or simulated; so is one that hangs on a
        sample above its range.

    Raises
    ------
    InputError
        If fewer than 100 trials are asked for: they have no 5 % quantile to speak of.
    """
    if trials < 100:
        raise InputError(f"{trials} trials are too few for a band of 90 %", key="trials", right="Simulate 100 or more")
    rows = problem.samples.rows
    windows = make_windows(rows.time)
    simulated = simulate_samples(problem, estimate, trials=trials, seed=seed)
    low = simulated < limits
    with np.errstate(over="ignore"):  # what is infinite decides no quantile
        values = np.where(low, np.nan, np.exp(np.where(low, 0.0, simulated)))
    measured = np.exp(rows.value)
    measured[rows.side == ABOVE] = np.inf
    found: list[dict[str, object]] = []
    for window in windows:
        here = (rows.time >= window.first) & (rows.time <= window.last)
        own = measured[here & (rows.side != BELOW)]
        base = {**window._asdict(), "samples": int(here.sum()), "n": len(own)}
        for name, share in QUANTILES.items():
            observed = _quantiles(own[None], share)[0]
            found.append(base | {"statistic": name, "observed": observed} | _banded(_quantiles(values[:, here], share)))
        share_below = float(np.mean(rows.side[here] == BELOW))
        found.append(base | {"statistic": "below", "observed": share_below} | _banded(low[:, here].mean(axis=1)))
    return pl.DataFrame(found).with_columns(pl.col("observed", "predicted", "lower", "upper").cast(pl.Float64).fill_nan(None))


def _quantiles(values: Floats, share: float) -> Floats:
    """Return a quantile of each row (R's type 7) among its numbers; not a number where they are few, or an infinite one decides."""
    known = np.sum(~np.isnan(values), axis=1)
    if not np.any(known >= _LEAST_MEASURED):
        return np.full(len(values), np.nan)
    ordered = np.sort(values, axis=1)  # what is no number stands last
    place = np.maximum(known - 1, 0) * share
    at = np.floor(place).astype(np.int64)
    low, high = (np.take_along_axis(ordered, np.minimum(k, values.shape[1] - 1)[:, None], axis=1)[:, 0] for k in (at, at + 1))
    part = place - at
    with np.errstate(invalid="ignore"):
        found = np.where(part > 0, low + part * (high - low), low)
    return np.asarray(np.where((known >= _LEAST_MEASURED) & np.isfinite(found), found, np.nan), np.float64)


def _banded(values: NDArray[np.float64]) -> dict[str, float]:
    """Return median and band of the trials; not numbers where half of them have no value."""
    known = values[~np.isnan(values)]
    if 2 * len(known) <= len(values):
        return dict.fromkeys(("predicted", "lower", "upper"), float("nan"))
    lower, middle, upper = np.quantile(known, (_BAND[0], 0.5, _BAND[1]))
    return {"predicted": float(middle), "lower": float(lower), "upper": float(upper)}


def check_kinetics(found: KineticsFit, *, trials: int = 1000, seed: int = 1) -> pl.DataFrame:
    """Return `check_population` of a fitted model: its own samples, with their limits, beside those of simulated trials.

    Parameters
    ----------
    found : KineticsFit
    trials, seed : int
        Of the simulation.

    Returns
    -------
    polars.DataFrame
        As `check_population`, in the unit of the samples.
    """
    problem = found.fit.problem
    named = found.samples.filter(pl.col("USUBJID").is_in(list(problem.samples.subjects))).sort("USUBJID", "AFRLT")
    limits = named["ALLOQ"].log().fill_null(float("-inf")).to_numpy()
    assert np.array_equal(named["AFRLT"].to_numpy(), problem.samples.rows.time), "one sample a subject and day"
    return check_population(problem, found.fit.estimate, limits, trials=trials, seed=seed)
