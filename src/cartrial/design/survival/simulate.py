"""How often is a single-arm survival trial right, the normal approximation left aside? Its trials simulated, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.km import estimate_survival
from cartrial.design.exact.checks import check_integer
from cartrial.design.survival.chi_square import ExactDesign
from cartrial.design.survival.curves import FollowUp, Weibull, normal_quantile_of
from cartrial.design.survival.estimate import one_sample_tests
from cartrial.design.survival.landmark import CurveDesign, scaled
from cartrial.design.survival.log_rank import LogRankDesign
from cartrial.errors import InputError
from cartrial.virtual.patients.randomness import Keys, draw_uniform

__all__ = ["simulate_exact_events", "simulate_kaplan_meier", "simulate_log_rank"]

Floats = NDArray[np.float64]
Design = LogRankDesign | ExactDesign | CurveDesign
# a stream of random numbers apart from those of virtual patients and trials
_SUBJECTS = 4000
_AT_ONCE = 1_000_000


def simulate_log_rank(design: LogRankDesign, *, trials: int = 10_000, seed: int = 1, truth: Weibull | None = None) -> pl.DataFrame:
    """Simulate the errors of the one-sample log-rank tests at a fixed calendar time.

    Parameters
    ----------
    design : LogRankDesign
    trials : int
    seed : int
    truth : Weibull, optional
        A third truth beside null and alternative, e.g. one whose hazards are not proportional.

    Returns
    -------
    polars.DataFrame
        One row for each truth (`null`, `alternative`, `other`) and test (`log-rank`, `modified`, `poisson`): truth, test, nominal (alpha or
        1 - beta; null for `other`), trials, rejections, rate, mc_error (standard error of the rate by simulation), events and duration
        (means over trials).

    Notes
    -----
    All truths and tests see the same subjects, entries and losses.

    Examples
    --------
    Three tests of the same subjects; the mean number of events is the expected one, within what chance leaves of 500 trials.

    >>> from cartrial.design import design_one_sample_log_rank, simulate_log_rank, weibull
    >>> design = design_one_sample_log_rank(weibull(at=12, survival=0.3), hazard_ratio=0.5, rate=2, follow_up=6)
    >>> found = simulate_log_rank(design, trials=500).filter(truth="alternative")
    >>> found["test"].to_list(), found["nominal"].to_list()
    (['log-rank', 'modified', 'poisson'], [0.8, 0.8, 0.8])
    >>> abs(found["events"][0] / design.events - 1) < 0.05
    True
    """

    def judge(time: Floats, event: NDArray[np.bool_], entry: Floats) -> dict[str, tuple[Any, ...]]:
        observed = event.sum(1)
        expected = design.null.cumulative_hazard(time).sum(1)
        length = np.full(len(time), design.follow.duration)
        tests = one_sample_tests(observed, np.maximum(expected, 1e-300))
        return {name: (p <= design.alpha, observed, length) for name, (_, p) in tests.items()}

    return _simulate(design, trials, seed, truth, lambda *subjects: judge(*_seen(design.follow, *subjects)))


def simulate_exact_events(design: ExactDesign, *, trials: int = 10_000, seed: int = 1, truth: Weibull | None = None) -> pl.DataFrame:
    """Simulate the exact test of a trial that ends with its d-th event, however long that takes.

    Parameters and columns as in `simulate_log_rank`; the test is `exact`, and `duration` the mean calendar time to the d-th event, or to
    the last subject's end where so many are never seen.

    Examples
    --------
    The probability of rejecting the null where it is true is 0.05, within what chance leaves of 500 trials.

    >>> from cartrial.design import design_exact_events, simulate_exact_events, weibull
    >>> design = design_exact_events(weibull(median=8), hazard_ratio=0.5, accrual=12, follow_up=6)
    >>> null = simulate_exact_events(design, trials=500).filter(truth="null").to_dicts()[0]
    >>> abs(null["rate"] - 0.05) < 4 * (0.05 * 0.95 / 500) ** 0.5
    True
    """

    def judge(entry: Floats, time: Floats, loss: Floats) -> dict[str, tuple[Any, ...]]:
        limit = loss if design.follow.restricted is None else np.minimum(loss, design.follow.restricted)
        happened = np.where(time <= limit, entry + time, np.inf)
        nth = np.partition(happened, design.events - 1, axis=1)[:, design.events - 1]
        end = np.minimum(nth, (entry + np.minimum(time, limit)).max(1))
        lived = np.clip(np.minimum(np.minimum(time, limit), end[:, None] - entry), 0.0, None)
        expected = design.null.cumulative_hazard(lived).sum(1)
        return {"exact": (expected > design.critical, (happened <= end[:, None]).sum(1), end)}

    if design.events > design.n:
        raise InputError(f"{design.n} subjects cannot have {design.events} events", key="n", right="Give more subjects")
    return _simulate(design, trials, seed, truth, judge)


def simulate_kaplan_meier(design: CurveDesign, *, trials: int = 10_000, seed: int = 1, truth: Weibull | None = None) -> pl.DataFrame:
    """Simulate the errors of a test of survival at a landmark, or of the restricted mean.

    Estimates are those of `analysis.estimate_survival`, as of real patients. Parameters and columns as in `simulate_log_rank`, and `bias`
    (mean estimate less the truth) and `not_estimable`: the share of trials in which nobody was seen up to the time. These reject nothing.

    Notes
    -----
    Without any event before the time no standard error exists; then the exact binomial test decides: the null is rejected if its survival
    to the power of those still at risk is at most alpha.

    Examples
    --------
    By hand: where nobody dies the exact test decides, and 0.7 to the power of 9 or more is below 0.05: the null is rejected.

    >>> from cartrial.design import design_landmark, simulate_kaplan_meier, weibull
    >>> design = design_landmark(weibull(at=6, survival=0.7), weibull(at=6, survival=0.9), 6, accrual=1, follow_up=6)
    >>> found = simulate_kaplan_meier(design, trials=50, truth=weibull(median=1e9))
    >>> design.n >= 9, found.filter(truth="other")["rate"].to_list()
    (True, [1.0])
    """
    quantile = normal_quantile_of(1 - design.alpha)

    def judge(time: Floats, event: NDArray[np.bool_], entry: Floats) -> dict[str, tuple[Any, ...]]:
        n_trials, n = time.shape
        frame = pl.DataFrame({"TRIAL": np.repeat(np.arange(n_trials), n), "AVAL": time.ravel(), "CNSR": (~event).astype(np.int8).ravel()})
        found = estimate_survival(frame)
        at = found.at([design.time])
        alive = at["survival"].to_numpy()
        estimable = at["observed"].to_numpy() | (alive == 0)
        if design.measure == "rmst":
            mean = found.restricted_mean(design.time)
            value, error = mean["rmst"].to_numpy(), mean["standard_error"].to_numpy()
            distance = value - design.value_null
        else:
            value = alive
            place, slope = scaled(alive, design.scale)
            with np.errstate(invalid="ignore"):
                error = slope * at["standard_error"].fill_null(np.nan).to_numpy()
            distance = place - scaled(design.value_null, design.scale)[0]
        with np.errstate(invalid="ignore"):
            reject = (alive > 0) & (distance > quantile * error)
        exact = design.null.survival(design.time) ** at["at_risk"].to_numpy() <= design.alpha
        reject = estimable & np.where(alive == 1, exact, reject)
        length = np.full(n_trials, design.follow.duration)
        return {"Kaplan-Meier": (reject, event.sum(1), length, value, ~estimable)}

    return _simulate(design, trials, seed, truth, lambda *subjects: judge(*_seen(design.follow, *subjects)))


def _seen(follow: FollowUp, entry: Floats, time: Floats, loss: Floats) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Return the time each subject is seen, whether the event is seen, and entry."""
    limit = np.minimum(follow.duration - entry, loss)
    if follow.restricted is not None:
        limit = np.minimum(limit, follow.restricted)
    return np.minimum(time, limit), time <= limit, entry


def _draw(follow: FollowUp, n: int, seed: int, first: int, last: int) -> tuple[Floats, Floats, Floats]:
    """Return entry, unit exponential and time of loss of the subjects of some trials, each of shape (trials, n)."""
    keys = Keys.trials("one-sample survival", seed, last - first, n, first=first)
    u = draw_uniform(keys, _SUBJECTS, 3).reshape(last - first, n, 3)
    loss = -np.log(u[:, :, 2]) / follow.loss if follow.loss > 0 else np.full(u.shape[:2], np.inf)
    return u[:, :, 0] * follow.accrual, -np.log(u[:, :, 1]), loss


def _chunks(trials: int, n: int) -> Iterator[tuple[int, int]]:
    step = max(1, _AT_ONCE // n)
    for first in range(0, trials, step):
        yield first, min(first + step, trials)


def _simulate(design: Design, trials: int, seed: int, truth: Weibull | None, judge: Callable[..., dict[str, Any]]) -> pl.DataFrame:
    """Return rejections and means by truth and test."""
    trials = check_integer(trials, "trials")
    if trials < 1:
        raise InputError(f"there are {trials} trials", key="trials", right="Give at least 1")
    curves = {"null": design.null, "alternative": design.alternative} | ({"other": truth} if truth else {})
    nominal = {"null": design.alpha, "alternative": 1 - design.beta}
    sums: dict[tuple[str, str], Any] = {}
    for first, last in _chunks(trials, design.n):
        entry, unit, loss = _draw(design.follow, design.n, seed, first, last)
        for name, curve in curves.items():
            for test, values in judge(entry, curve.time_of(unit), loss).items():
                part = np.array([np.sum(value) for value in values], np.float64)
                sums[name, test] = sums.get((name, test), 0.0) + part
    rows = []
    for (name, test), total in sums.items():
        rate = total[0] / trials
        row = {"truth": name, "test": test, "nominal": nominal.get(name), "trials": trials, "rejections": int(total[0]), "rate": rate}
        row |= {"mc_error": float(np.sqrt(rate * (1 - rate) / trials)), "events": total[1] / trials, "duration": total[2] / trials}
        if isinstance(design, CurveDesign):
            curve = curves[name]
            true = curve.restricted_mean(design.time) if design.measure == "rmst" else curve.survival(design.time)
            row |= {"bias": total[3] / trials - float(true), "not_estimable": total[4] / trials}
        rows.append(row)
    return pl.DataFrame(rows)
