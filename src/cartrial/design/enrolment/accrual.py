"""When are enough subjects enrolled, infused and assessed? Sites that open one after the other, and what is lost on the way.

Consents are a Poisson process with gamma rates between sites: Anisimov VV, Fedorov VV. Stat Med 2007;26:4958 (doi:10.1002/sim.2956).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_columns, read_numbers
from cartrial.design.enrolment.accrual_plan import DAYS_PER_MONTH, AccrualPlan
from cartrial.design.exact.checks import check_integer, check_real
from cartrial.errors import InputError
from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform

__all__ = ["Goal", "estimate_accrual", "expected_accrual", "expected_day", "simulate_accrual"]

Goal = Literal["enrolled", "infused"]
Floats = NDArray[np.float64]
# streams of random numbers apart from those of virtual patients, trials and survival designs
_RATES, _OPENINGS, _ARRIVALS, _FATES, _WAITS = range(4100, 4105)
_TRIAL = 2**32 - 2
_AT_ONCE = 1_000_000
_MOST_SCREENED = 1_000_000
_MILESTONES = ("first_consent", "last_enrolled", "last_infused", "last_assessed")


def expected_accrual(plan: AccrualPlan, days: Sequence[float]) -> pl.DataFrame:
    """Return what is expected by calendar days, in closed form.

    Parameters
    ----------
    plan : AccrualPlan
    days : sequence of float
        From the opening of the first site.

    Returns
    -------
    polars.DataFrame
        day, sites_open, screened, enrolled, infused, assessed: expected numbers. Waits are taken at their means, which is exact for the
        time after the last site has opened.

    Examples
    --------
    By hand: two sites, of which the second opens after a month, and two subjects a site and month: 2 within one month, 4 + 2 within two;
    half of them are enrolled.

    >>> from cartrial.design import AccrualPlan, expected_accrual
    >>> month = 30.4375
    >>> plan = AccrualPlan(sites=2, rate=2, openings=(0, month), screening_failure=0.5)
    >>> found = expected_accrual(plan, [month, 2 * month]).select("sites_open", "screened", "enrolled")
    >>> [[round(value, 6) for value in row] for row in found.rows()]
    [[2.0, 2.0, 1.0], [2.0, 6.0, 3.0]]
    """
    day = np.atleast_1d(read_numbers(days, "days", "Give numbers"))
    if not np.isfinite(day).all():
        raise InputError("a day is missing", key="days", right="Give numbers")
    enrolled = plan.screening_days
    infused = enrolled + plan.infusion_days
    share, start = (plan.share, infused) if plan.assessed_from == "infusion" else (plan.enrolled_share, enrolled)
    return pl.DataFrame(
        {
            "day": day,
            "sites_open": _open(plan, day),
            "screened": _screened(plan, day),
            "enrolled": plan.enrolled_share * _screened(plan, day - enrolled),
            "infused": plan.share * _screened(plan, day - infused),
            "assessed": share * _screened(plan, day - start - plan.assessment),
        }
    )


def expected_day(plan: AccrualPlan, n: int, goal: Goal = "infused") -> float:
    """Return the day by which n subjects are expected to be enrolled or infused.

    The mean of the time to the n-th subject is later, since slow sites weigh more in it: `simulate_accrual` has it.

    Examples
    --------
    By hand: one subject a month of 30.4375 days, half of whom are enrolled.

    >>> from cartrial.design import AccrualPlan, expected_day
    >>> plan = AccrualPlan(sites=1, rate=1, screening_failure=0.5)
    >>> round(expected_day(plan, 3, "enrolled"), 3) == round(6 * 30.4375, 3)
    True
    """
    _check(n, goal)
    share, wait = (
        (plan.share, plan.screening_days + plan.infusion_days) if goal == "infused" else (plan.enrolled_share, plan.screening_days)
    )
    wanted = n / share
    high = 1.0
    while _screened(plan, np.array([high]))[0] < wanted:
        high *= 2
    low = 0.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if _screened(plan, np.array([middle]))[0] >= wanted else (middle, high)
    return high + wait


def simulate_accrual(plan: AccrualPlan, n: int, goal: Goal = "infused", *, trials: int = 2_000, seed: int = 1) -> pl.DataFrame:
    """Simulate the accrual of trials.

    Subjects are screened in the order of consent until n of them are enrolled, or will be infused; those who are not are replaced.

    Parameters
    ----------
    plan : AccrualPlan
    n : int
    goal : {"infused", "enrolled"}
    trials, seed : int

    Returns
    -------
    polars.DataFrame
        One row for each trial: TRIAL, screened, enrolled, infused (numbers), first_consent, last_enrolled, last_infused, last_assessed
        (days from the opening of the first site; null where nobody is infused).

    Raises
    ------
    InputError
        If there is no trial or no subject, or a million screened subjects are not enough.

    Examples
    --------
    By hand: the 25th subject of two a month comes after 25 x 30.4375 / 2 days on average, with a standard deviation of a fifth of that.

    >>> from cartrial.design import AccrualPlan, simulate_accrual
    >>> found = simulate_accrual(AccrualPlan(sites=4, rate=0.5), 25, "enrolled", trials=200)
    >>> found["screened"].unique().to_list()
    [25]
    >>> mean = 25 * 30.4375 / 2
    >>> abs(found["last_enrolled"].mean() - mean) < 4 * mean / 5 / 200**0.5
    True
    """
    _check(n, goal)
    trials = check_integer(trials, "trials")
    if trials < 1:
        raise InputError(f"there are {trials} trials", key="trials", right="Give at least 1")
    share = plan.share if goal == "infused" else plan.enrolled_share
    size = int((n + 4 * np.sqrt(n) + 6) / share) + 1
    parts = []
    left = np.arange(trials)
    while len(left):
        if size > _MOST_SCREENED:
            right = "Ask for fewer subjects, or lose fewer on the way"
            raise InputError(f"a million screened subjects are not enough for {n} {goal}", key="n", right=right)
        short = []
        for trial in np.array_split(left, -(-len(left) * size // _AT_ONCE)):
            if len(trial):
                frame, enough = _batch(plan, trial, size, n, goal, seed)
                parts.append(frame)
                short.append(trial[~enough])
        left = np.concatenate(short)
        size *= 2
    return pl.concat(parts).sort("TRIAL")


def estimate_accrual(times: pl.DataFrame, *, band: float = 0.8) -> pl.DataFrame:
    """Summarise simulated accrual.

    Parameters
    ----------
    times : polars.DataFrame
        As `simulate_accrual` returns it.
    band : float
        Share of trials inside the band.

    Returns
    -------
    polars.DataFrame
        One row for each number (screened, enrolled, infused) and milestone (days): quantity, unit, mean, mc_error (of the mean), lower,
        median, upper, months (the median in months of 30.4375 days; null for numbers).

    Examples
    --------
    By hand: nobody is lost, so that as many are screened as are infused.

    >>> from cartrial.design import AccrualPlan, estimate_accrual, simulate_accrual
    >>> found = estimate_accrual(simulate_accrual(AccrualPlan(sites=4, rate=0.5), 5, trials=50))
    >>> found.filter(quantity="screened").select("unit", "mean", "mc_error", "lower", "upper").rows()
    [('subjects', 5.0, 0.0, 5.0, 5.0)]
    """
    check_columns(times, "screened", "enrolled", "infused", *_MILESTONES)
    band = check_real(band, "band")
    if not 0 < band < 1:
        raise InputError(f"the band {band:g} is not between 0 and 1", key="band", right="For example 0.8")
    rows = []
    for name in ("screened", "enrolled", "infused", *_MILESTONES):
        values = times[name].drop_nulls().to_numpy().astype(np.float64)
        if not len(values):
            raise InputError(f"no trial has a value of {name}", key="times", right="Give trials in which somebody is infused")
        lower, median, upper = np.quantile(values, [(1 - band) / 2, 0.5, (1 + band) / 2])
        days = name in _MILESTONES
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        rows.append(
            {
                "quantity": name,
                "unit": "day" if days else "subjects",
                "mean": float(values.mean()),
                "mc_error": error,
                "lower": float(lower),
                "median": float(median),
                "upper": float(upper),
                "months": float(median) / DAYS_PER_MONTH if days else None,
            }
        )
    return pl.DataFrame(rows, schema_overrides={"mc_error": pl.Float64, "months": pl.Float64})


def _check(n: int, goal: str) -> None:
    n = check_integer(n, "n")
    if n < 1:
        raise InputError(f"there are {n} subjects", key="n", right="Give at least 1")
    if goal not in get_args(Goal):
        raise InputError(f"the goal {goal} is unknown", key="goal", right=f"Known are: {', '.join(get_args(Goal))}")


def _open(plan: AccrualPlan, day: Floats) -> Floats:
    """Return the expected number of open sites."""
    if plan.openings is not None:
        sites: Floats = np.sum(day[:, None] >= np.asarray(plan.openings), axis=1).astype(np.float64)
        return sites
    s = plan.sites
    if s == 1 or plan.activation == 0:
        return np.where(day >= 0, float(s), 0.0)
    u = np.clip(day, 0.0, plan.activation) / plan.activation
    return np.where(day >= 0, 1 + (s - 1) * (u**s + u * s / (s - 1) * (1 - u ** (s - 1))), 0.0)


def _screened(plan: AccrualPlan, day: Floats) -> Floats:
    """Return the expected number of consents.

    Openings are uniform over the activation A, counted from the first: given the time r A from the first opening to the end of
    activation, with r of a Beta(sites, 1) distribution, the others are uniform over it.
    """
    rate = plan.rate / DAYS_PER_MONTH
    if plan.openings is not None:
        consents: Floats = rate * np.clip(day[:, None] - np.asarray(plan.openings), 0.0, None).sum(1)
        return consents
    t = np.clip(day, 0.0, None)
    s, a = plan.sites, plan.activation
    if s == 1 or a == 0:
        return rate * s * t
    early = np.minimum(t, a)
    u = early / a
    other = t - early + early * u**s - a / 2 * s / (s + 1) * u ** (s + 1) + early * u / 2 * s / (s - 1) * (1 - u ** (s - 1))
    return rate * (t + (s - 1) * other)


def _batch(plan: AccrualPlan, trial: NDArray[np.int64], size: int, n: int, goal: Goal, seed: int) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
    """Return the trials that have enough among the first `size` screened, and which these are."""
    shape = (len(trial), size)
    keys = Keys("accrual", seed, np.repeat(trial, size), np.tile(np.arange(size), len(trial)))
    consent = _consents(plan, trial, size, seed, keys)
    u = draw_uniform(keys, _FATES, 3).reshape(*shape, 3)
    z = draw_normal(keys, _WAITS, 2).reshape(*shape, 2)
    eligible = u[:, :, 0] >= plan.screening_failure
    infused = eligible & (u[:, :, 1] >= plan.manufacturing_failure) & (u[:, :, 2] >= plan.drop)
    enrolment = consent + _wait(plan.screening_days, plan.screening_spread, z[:, :, 0])
    infusion = enrolment + _wait(plan.infusion_days, plan.infusion_spread, z[:, :, 1])

    reached = infused if goal == "infused" else eligible
    counted = np.cumsum(reached, axis=1)
    enough = counted[:, -1] >= n
    keep = np.less(counted - reached, n)
    found: dict[str, Any] = {
        "TRIAL": trial,
        "screened": keep.sum(1),
        "enrolled": (keep & eligible).sum(1),
        "infused": (keep & infused).sum(1),
        "first_consent": consent[:, 0],
        "last_enrolled": np.where(keep & eligible, enrolment, -np.inf).max(1),
        "last_infused": np.where(keep & infused, infusion, -np.inf).max(1),
    }
    frame = pl.DataFrame({name: values[enough] for name, values in found.items()})
    last = pl.when(pl.col("last_infused").is_finite()).then(pl.col("last_infused"))
    start = last if plan.assessed_from == "infusion" else pl.col("last_enrolled")
    return frame.with_columns(last_infused=last, last_assessed=start + plan.assessment), enough


def _wait(mean: float, spread: float, z: Floats) -> Floats:
    """Return log-normal waits of a mean."""
    return mean * np.exp(spread * z - spread**2 / 2)


def _consents(plan: AccrualPlan, trial: NDArray[np.int64], size: int, seed: int, keys: Keys) -> Floats:
    """Return the days of consent, shape (trials, size): unit exponential steps through the inverse of the sites' cumulated rate."""
    from scipy.special import gammaincinv

    of_trial = Keys("accrual", seed, trial, np.full(len(trial), _TRIAL))
    rate = np.full((len(trial), plan.sites), plan.rate / DAYS_PER_MONTH)
    if plan.spread > 0:
        shape = plan.spread**-2
        rate *= gammaincinv(shape, draw_uniform(of_trial, _RATES, plan.sites)) / shape
    if plan.openings is not None:
        opening = np.broadcast_to(np.asarray(plan.openings, np.float64), rate.shape)
    else:
        opening = draw_uniform(of_trial, _OPENINGS, plan.sites) * plan.activation
        opening = opening - opening.min(1, keepdims=True)
    order = np.argsort(opening, axis=1, kind="stable")
    opening, rate = np.take_along_axis(opening, order, 1), np.take_along_axis(rate, order, 1)
    total = np.cumsum(rate, axis=1)
    steps = np.cumsum(-np.log(draw_uniform(keys, _ARRIVALS, 1)).reshape(len(trial), size), axis=1)
    reached = np.zeros(len(trial))
    day: Floats = steps / total[:, :1]
    for site in range(1, plan.sites):
        reached = reached + total[:, site - 1] * (opening[:, site] - opening[:, site - 1])
        later = opening[:, site, None] + (steps - reached[:, None]) / total[:, site, None]
        day = np.where(steps >= reached[:, None], later, day)
    return day
