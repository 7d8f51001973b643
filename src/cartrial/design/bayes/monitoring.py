"""What do the monitoring rules share? Looks, posterior tails, checks of what is asked, and many sets of boundaries run at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartrial.design.bayes.monitor_kernel import run_many
from cartrial.design.exact.checks import check_whole
from cartrial.errors import InputError
from cartrial.kernels import COMPILE_FROM

__all__ = ["looks_after", "predictive_table", "run_sets", "shortest_number", "tail_table"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
MOST = 1000


def looks_after(first: int, n_max: int, every: int = 1) -> tuple[int, ...]:
    """Return the looks of continuous monitoring, or by cohorts.

    Parameters
    ----------
    first : int
        Subjects at the first look.
    n_max : int
        Subjects at the last look.
    every : int, default 1
        Subjects between looks; the last cohort may be smaller.

    Returns
    -------
    tuple of int
        Cumulative subjects at each look.

    Raises
    ------
    InputError
        If the first look is later than the last, or a number is below 1.

    Examples
    --------
    >>> from cartrial.design import looks_after
    >>> looks_after(10, 25, every=5)
    (10, 15, 20, 25)
    """
    first, n_max, every = (check_whole(value, key, 1, MOST) for value, key in ((first, "first"), (n_max, "n_max"), (every, "every")))
    if first > n_max:
        raise InputError(
            f"the first look, at {first} subjects, is later than the last, at {n_max}", key="n_max", right="Give more subjects"
        )
    return (*range(first, n_max, every), n_max)


def check_looks(looks: Sequence[int]) -> tuple[int, ...]:
    """Return the cumulative subjects at each look."""
    try:
        given = tuple(looks)
    except TypeError as error:
        raise InputError(
            f"{looks!r} is no list of looks", key="looks", right="Give cumulative subjects, for example (10, 20, 30)"
        ) from error
    whole = tuple(check_whole(value, "looks", 1, MOST) for value in given)
    if not whole or any(b <= a for a, b in pairwise(whole)):
        raise InputError(
            f"the looks {list(whole)} do not increase", key="looks", right="Give cumulative subjects, for example (10, 20, 30)"
        )
    return whole


def check_share(value: Any, key: str, *, low: float = 0.0, high: float = 1.0, ends: bool = False) -> float:
    """Return a number between two others, the ends excluded (or included)."""
    try:
        share = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{value!r} is no number", key=key, right="Give one number") from error
    if not (low <= share <= high if ends else low < share < high):
        between = f"Give a number from {low:g} to {high:g}" if ends else f"Give a number above {low:g} and below {high:g}"
        raise InputError(f"{share:g} cannot be used", key=key, right=between)
    return share


def check_prior(prior: Any, key: str = "prior") -> tuple[float, float]:
    """Return the two parameters of a Beta prior."""
    try:
        a, b = (float(value) for value in prior)
    except (TypeError, ValueError) as error:
        raise InputError(f"{prior!r} is no Beta prior", key=key, right="Give two positive numbers, for example (0.5, 0.5)") from error
    if not (0 < a < 1e6 and 0 < b < 1e6):
        raise InputError(f"Beta({a:g}, {b:g}) is no prior that can be used", key=key, right="Give two positive numbers below a million")
    return a, b


def tail_table(looks: Sequence[int], prior: tuple[float, float], rate: float) -> Floats:
    """Return the posterior probability that the rate is above another, for each look and number of events.

    Parameters
    ----------
    looks : sequence of int
        Cumulative subjects.
    prior : tuple of float
        Beta prior.
    rate : float

    Returns
    -------
    ndarray of float64, shape (looks, last n + 1)
        Increasing in the number of events; infinite where there are more events than subjects.
    """
    from scipy.special import betaincc

    n = np.asarray(looks)[:, None]
    x = np.arange(n[-1, 0] + 1)[None, :]
    inside = np.minimum(x, n)
    return np.where(x <= n, betaincc(prior[0] + inside, prior[1] + n - inside, rate), np.inf)


def predictive_table(n_max: int, least: int, prior: tuple[float, float]) -> Floats:
    """Return the predictive probability of a number of responders at the end, at every number of subjects before it.

    Parameters
    ----------
    n_max : int
        Subjects at the end.
    least : int
        Responders wanted at the end.
    prior : tuple of float
        Beta prior.

    Returns
    -------
    ndarray of float64, shape (n_max + 1, n_max + 1)
        Row n, column x: x responders of n. Infinite for x above n.

    Notes
    -----
    Backwards from the end: the next subject responds with the posterior mean (a + x) / (a + b + n). The sum over the beta-binomial
    distribution of those to come, without a sum.
    """
    a, b = prior
    table = np.full((n_max + 1, n_max + 1), np.inf)
    table[n_max] = np.arange(n_max + 1) >= least
    for n in range(n_max - 1, -1, -1):
        x = np.arange(n + 1)
        mean = (a + x) / (a + b + n)
        table[n, : n + 1] = mean * table[n + 1, 1 : n + 2] + (1.0 - mean) * table[n + 1, : n + 1]
    return table


def run_sets(n: Sequence[int], low: Integers, high: Integers, p: Sequence[float], *, often: bool = False) -> tuple[Floats, Floats]:
    """Run many sets of boundaries at several rates, exactly.

    Parameters
    ----------
    n : sequence of int
        Cumulative subjects at each look.
    low, high : ndarray of int64, shape (sets, looks)
        Stop with so many events or fewer (-1: never), or with so many or more (n + 1: never).
    p : sequence of float
        True rates.
    often : bool, default False
        It will be called many times: compiled at once.

    Returns
    -------
    crossed, expected : ndarray of float64, shape (sets, rates)
        Probability of crossing the upper boundary at any look, and expected number of subjects.
    """
    sizes, rates = np.asarray(n, np.int64), np.asarray(p, float)
    crossed, expected = np.zeros((2, len(low), len(rates)))
    work = COMPILE_FROM if often else int(len(low) * len(rates) * sizes[-1] ** 2 // 2)
    run_many(work, sizes, np.ascontiguousarray(low, np.int64), np.ascontiguousarray(high, np.int64), rates, crossed, expected)
    return crossed, expected


def shortest_number(low: float, high: float, *, upwards: bool) -> float:
    """Return the number with the fewest decimals from low to high, the upper end excluded (upwards) or the lower end (not)."""
    for digits in range(1, 17):
        scale = 10.0**digits
        found = np.ceil(low * scale) / scale if upwards else np.floor(high * scale) / scale
        if (low <= found < high) if upwards else (low < found <= high):
            return float(found)
    return low if upwards else high
