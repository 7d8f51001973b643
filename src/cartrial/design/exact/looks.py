"""Where are the boundaries of a rate that is looked at several times? Exact error spending, and Fleming's multi-stage procedure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, e, floor, sqrt

import numpy as np
from numpy.typing import NDArray

from cartrial.design.exact.binomial import SLACK, binomial_tables
from cartrial.design.exact.checks import check_errors, check_number, check_rates, check_whole
from cartrial.design.exact.staged import Staged, operate
from cartrial.errors import InputError

__all__ = ["Spending", "design_fleming", "design_spending", "spend", "spending_source", "spending_words"]

Floats = NDArray[np.float64]
Spending = str | float | None
_MOST = 1000
_MOST_LOOKS = 20
_LAN = "Lan and DeMets 1983, doi:10.1093/biomet/70.3.659"
_HWANG = "Hwang, Shih and DeCani 1990, doi:10.1002/sim.4780091207"
_FLEMING = "Fleming 1982, doi:10.2307/2530297"
_SPENDING = ("obrien-fleming", "pocock")


def spend(error: float, fraction: float, spending: Spending) -> float:
    """Return how much of an error rate may be spent when a fraction of the subjects is known.

    Parameters
    ----------
    error : float
        One-sided error rate.
    fraction : float
        Subjects over the maximum, 0 to 1.
    spending : {"obrien-fleming", "pocock"}, float or None
        Lan and DeMets' functions, or the gamma of Hwang, Shih and DeCani (0 spends evenly, below 0 late, above 0 early). None: nothing
        before the last look.

    Returns
    -------
    float
        As R rpact's `asOF`, `asP` and `asHSD`, one-sided.

    Raises
    ------
    InputError
        For an unknown spending function or a fraction that is not between 0 and 1.
    """
    from scipy.special import ndtr, ndtri

    error = check_number(error, "error", right="For example 0.025")
    if not 0 <= fraction <= 1:
        raise InputError(f"the fraction {fraction:g} is not between 0 and 1", key="fraction", right="Give subjects over the maximum")
    _check_spending(spending, "spending")
    if fraction in (0, 1) or spending is None:
        return error * (fraction == 1)
    if spending == "obrien-fleming":
        return float(2 * ndtr(ndtri(error / 2) / sqrt(fraction)))
    if spending == "pocock":
        return float(error * np.log1p((e - 1) * fraction))
    gamma = float(spending)
    return error * (fraction if gamma == 0 else float(np.expm1(-gamma * fraction) / np.expm1(-gamma)))


def design_spending(
    p0: float,
    p1: float,
    alpha: float,
    beta: float,
    *,
    looks: int | Sequence[float] = 3,
    n: Sequence[int] | None = None,
    efficacy: Spending = "obrien-fleming",
    futility: Spending = "obrien-fleming",
    binding: bool = True,
    n_max: int = 200,
) -> Staged:
    """Boundaries by exact error spending, for the smallest maximum number of subjects that has the power.

    Parameters
    ----------
    p0, p1 : float
        Response rates of the null hypothesis and of the alternative.
    alpha, beta : float
        One-sided type I error and type II error, both at most.
    looks : int or sequence of float
        Number of looks, evenly spaced, or the increasing fractions of the maximum at which to look, the last being 1.
    n : sequence of int, optional
        Cumulative subjects at each look; then nothing is searched.
    efficacy, futility : {"obrien-fleming", "pocock"}, float or None
        How alpha is spent under p0, and beta under p1; see `spend`. None: no stop of this kind before the last look.
    binding : bool
        Whether the type I error counts on futility stops. Without, it is kept even if a committee goes on past them.
    n_max : int
        Largest maximum that is looked at, at most 1000.

    Returns
    -------
    Staged

    Raises
    ------
    InputError
        For input that cannot be, or if no maximum up to `n_max` has the power.

    Notes
    -----
    At each look the efficacy boundary is the lowest whose cumulative probability under p0 is within what may be spent, the futility
    boundary the highest whose cumulative probability under p1 is. Probabilities are exact, so what a discrete boundary leaves unspent
    goes on to the next look. A maximum above the smallest may again lack the power.

    Examples
    --------
    By hand: half of the type II error of 0.6 may be spent after 2 of 4 subjects. No responder has a probability of 0.2² = 0.04 at a rate of
    0.8, at most one has 0.36: the trial stops if none responded. At the end all 4 (0.5⁴ = 0.06) keep the type I error of 0.1, 3 or 4 would
    not.

    >>> from cartrial.design import design_spending
    >>> design = design_spending(0.5, 0.8, 0.1, 0.6, n=(2, 4), efficacy=None, futility=0)
    >>> design.futility, design.efficacy
    ((0, 3), (None, 4))
    """
    p0, p1 = check_rates(p0, p1)
    alpha, beta = check_errors(alpha, beta)
    for key, spending in (("efficacy", efficacy), ("futility", futility)):
        _check_spending(spending, key)
    if efficacy is None and futility is None:
        raise InputError("no look before the last could stop", key="efficacy", right="Give a spending function for efficacy or futility")
    plans = list(_plans(looks, n, check_whole(n_max, "n_max", 2, _MOST)))
    if not plans:
        raise InputError(f"n up to {n_max} leaves no subjects for every look", key="n_max", right="Allow more subjects or fewer looks")
    most = plans[-1][-1]
    null, target = binomial_tables(p0, most), binomial_tables(p1, most)
    spent = _Spent(alpha, beta, efficacy, futility, binding, null[0], target[0])
    attained = 0.0
    for sizes in plans:
        if n is None and not _within_reach(null, target, sizes[-1], alpha, 1 - beta):
            continue
        low, high, attained = _boundaries(sizes, spent)
        if attained >= 1 - beta - SLACK:
            break
    else:
        given = f"the looks {list(plans[-1])} have" if n is not None else f"no maximum up to {n_max} has"
        raise InputError(
            f"{given} a power of {1 - beta:g} at {p1:g} against {p0:g} with a type I error of {alpha:g}"
            + (f", but {attained:.3f}" if n is not None else ""),
            key="n" if n is not None else "n_max",
            right="Allow more subjects, larger errors or a target further from the null",
        )
    kinds = [f"{name} stop {spending_words(kind)}" for name, kind in (("efficacy", efficacy), ("futility", futility)) if kind is not None]
    method = (
        f"Exact error spending, {' and '.join(kinds)}, futility {'' if binding else 'not '}binding: one-sided type I error at most "
        f"{alpha:g} at p0 = {p0:g}, power at least {1 - beta:g} at p1 = {p1:g} (attained {attained:.4f}); "
        + ("looks as given." if n is not None else f"the smallest maximum up to {n_max} that has it.")
    )
    source = spending_source((efficacy, futility))
    return Staged(f"Error spending, {len(sizes)} looks", sizes, low, high, p0, p1, method, source)


def design_fleming(
    p0: float,
    p1: float,
    alpha: float,
    beta: float | None = None,
    *,
    stages: int = 2,
    n: Sequence[int] | None = None,
    n_max: int = 200,
) -> Staged:
    """Fleming's multi-stage procedure: boundaries for both decisions at each stage.

    Parameters
    ----------
    p0, p1 : float
        Response rates of the null hypothesis and of the alternative. The boundaries depend on p0 alone.
    alpha : float
        One-sided type I error.
    beta : float, optional
        Type II error; needed without `n`.
    stages : int
        Number of stages, as equal as can be.
    n : sequence of int, optional
        Cumulative subjects at the end of each stage. Then the boundaries are Fleming's, whatever their exact errors, which `method` says.
    n_max : int
        Largest maximum that is looked at, at most 1000.

    Returns
    -------
    Staged
        Without `n`: of the smallest maximum at which the exact type I error and power of Fleming's boundaries meet alpha and beta.

    Raises
    ------
    InputError
        For input that cannot be, or if no maximum up to `n_max` meets both errors.

    Examples
    --------
    By hand: with z = 1.645, 0.3 x 20 + z √(35 x 0.21) = 10.46 at 20 subjects and 0.3 x 35 + the same = 14.96 at 35, 10 and 15 as whole
    numbers: 0.3 is rejected with more responders than that.

    >>> from cartrial.design import design_fleming
    >>> design = design_fleming(0.3, 0.5, 0.05, n=(20, 35))
    >>> design.efficacy, design.futility
    ((11, 16), (6, 15))
    """
    from scipy.special import ndtri

    p0, p1 = check_rates(p0, p1)
    alpha, _ = check_errors(alpha, 0.5)
    z = -float(ndtri(alpha))
    if n is None:
        if beta is None:
            raise InputError("neither the type II error nor the stages' subjects are given", key="beta", right="Give one of them")
        check_errors(alpha, beta)
    n_max = check_whole(n_max, "n_max", 2, _MOST)
    for sizes in _plans(stages, n, n_max):
        low, high = _fleming(sizes, p0, z)
        if high[-1] is None or high[-1] > sizes[-1]:
            continue
        design = Staged(f"Fleming, {len(sizes)} stages", sizes, low, high, p0, p1, "", _FLEMING)
        found = operate(design, [p0, p1])
        if n is not None or (found.success[0] <= alpha + SLACK and found.success[1] >= 1 - (beta or 0) - SLACK):
            break
    else:
        if n is not None:
            raise InputError(f"Fleming's point of rejection lies above {sizes[-1]} of {sizes[-1]}", key="n", right="Allow more subjects")
        raise InputError(
            f"no maximum up to {n_max} gives Fleming's boundaries a type I error of {alpha:g} and a power of {1 - (beta or 0):g} at {p1:g} "
            f"against {p0:g}",
            key="n_max",
            right="Allow more subjects, larger errors or a target further from the null",
        )
    method = (
        f"Fleming's boundaries for a one-sided type I error of {alpha:g} at p0 = {p0:g}; exact type I error {found.success[0]:.4f}, "
        f"exact power {found.success[1]:.4f} at p1 = {p1:g}; "
        + ("stages as given." if n is not None else f"the smallest maximum up to {n_max} at which both are met.")
    )
    return Staged(design.name, sizes, low, high, p0, p1, method, _FLEMING)


@dataclass(frozen=True)
class _Spent:
    """What may be spent, and the binomial probabilities under both hypotheses."""

    alpha: float
    beta: float
    efficacy: Spending
    futility: Spending
    binding: bool
    null: Floats
    target: Floats


Bounds = tuple[int | None, ...]


def _boundaries(sizes: tuple[int, ...], spent: _Spent) -> tuple[Bounds, Bounds, float]:
    """Return futility and efficacy boundaries and the power."""
    lows: list[int | None] = []
    highs: list[int | None] = []
    null, target = np.ones(1), np.ones(1)
    falsely = futile = power = 0.0
    before = 0
    for n in sizes:
        last, fraction, m = n == sizes[-1], n / sizes[-1], n - before
        null = np.convolve(null, spent.null[m, : m + 1])
        target = np.convolve(target, spent.target[m, : m + 1])
        reached = np.flatnonzero(target)
        bottom, top = int(reached[0]), int(reached[-1])
        # the lowest efficacy boundary within what may be spent under the null
        tails = falsely + np.cumsum(null[::-1])[::-1]
        allowed = spend(spent.alpha, fraction, spent.efficacy) + SLACK
        within = max(int(np.argmax(np.append(tails, falsely) <= allowed)), 1)
        if last:
            within = max(within, bottom)
            if within > n:
                return (), (), 0.0
            return (*lows, within - 1), (*highs, within), power + float(target[within:].sum())
        within = max(within, bottom + 1)
        high = None if within > top or spent.efficacy is None else within
        # the highest futility boundary within what may be spent under the alternative, that leaves a way to go on
        heads = futile + np.cumsum(target)
        below = int((heads <= spend(spent.beta, fraction, spent.futility) + SLACK).sum()) - 1
        ceiling = top - 1 if high is None else high - 2
        low = min(below, ceiling) if spent.futility is not None else -1
        lows.append(low if low >= bottom else None)
        highs.append(high)
        stop = n + 1 if high is None else high
        go = low + 1 if low >= bottom else 0
        falsely, power = falsely + float(null[stop:].sum()), power + float(target[stop:].sum())
        futile += float(target[:go].sum())
        null[stop:] = target[stop:] = target[:go] = 0.0
        if spent.binding:
            null[:go] = 0.0
        before = n
    raise AssertionError("the last look returns")


def _within_reach(null: tuple[Floats, Floats], target: tuple[Floats, Floats], n: int, alpha: float, power: float) -> bool:
    """Return whether the most powerful test of n subjects (Neyman and Pearson's, randomised) has the power."""
    r = int(np.argmax(null[1][n] <= alpha))
    best = target[1][n, r]
    if r:
        best += target[0][n, r - 1] * (alpha - null[1][n, r]) / null[0][n, r - 1]
    return bool(best >= power - SLACK)


def _fleming(sizes: tuple[int, ...], p0: float, z: float) -> tuple[Bounds, Bounds]:
    """Return Fleming's acceptance and rejection points."""
    n = sizes[-1]
    far = (sqrt(n * p0) + sqrt(1 - p0) * z) ** 2 / (n + z * z)
    highs = [floor(size * p0 + z * sqrt(n * p0 * (1 - p0)) + 0.5) + 1 for size in sizes]
    lows = [floor(size * far - z * sqrt(n * far * (1 - far)) + 0.5) for size in sizes[:-1]]
    # from one stage to the next the points may touch or lie outside the sample
    lows = [min(low, high - 2, size - 1) for low, high, size in zip(lows, highs, sizes, strict=False)]
    return (
        (*(low if low >= 0 else None for low in lows), highs[-1] - 1),
        (*(high if 1 <= high <= size else None for high, size in zip(highs[:-1], sizes, strict=False)), highs[-1]),
    )


def _plans(looks: int | Sequence[float], n: Sequence[int] | None, n_max: int) -> Iterator[tuple[int, ...]]:
    """Yield the cumulative subjects at each look, for every maximum."""
    if n is not None:
        try:
            sizes = tuple(check_whole(size, "n", 1, _MOST) for size in n)
        except TypeError as error:
            raise InputError(f"{n!r} are no looks", key="n", right="Give increasing subjects, one a look") from error
        if len(sizes) < 2 or any(b <= a for a, b in pairwise(sizes)):
            raise InputError(f"{list(sizes)} are no two or more increasing looks", key="n", right="Give increasing subjects, one a look")
        yield sizes
        return
    if isinstance(looks, Sequence) and not isinstance(looks, str):
        fractions = [float(value) for value in looks]
        bad = len(fractions) < 2 or fractions[0] <= 0 or fractions[-1] != 1 or any(not b > a for a, b in pairwise(fractions))
        if bad or len(fractions) > _MOST_LOOKS:
            raise InputError(f"{list(looks)} are no fractions that increase to 1", key="looks", right="For example (0.5, 0.75, 1)")
    else:
        count = check_whole(looks, "looks", 2, _MOST_LOOKS)
        fractions = [(k + 1) / count for k in range(count)]
    for most in range(len(fractions), n_max + 1):
        sizes = tuple(ceil(fraction * most - 1e-9) for fraction in fractions)
        if all(b > a for a, b in pairwise(sizes)):
            yield sizes


def _check_spending(spending: Spending, key: str) -> None:
    number = isinstance(spending, int | float) and not isinstance(spending, bool) and abs(spending) <= 100
    if spending is not None and not number and spending not in _SPENDING:
        raise InputError(
            f"{spending!r} is no spending function",
            key=key,
            right=f"Known are {', '.join(_SPENDING)}, a gamma from -100 to 100, or None for no stop",
        )


def spending_words(spending: Spending) -> str:
    """Return how a spending function is called."""
    names = {"obrien-fleming": "as Lan and DeMets' O'Brien-Fleming type", "pocock": "as Lan and DeMets' Pocock type"}
    if spending is None:
        return "at the last look alone"
    return names[spending] if isinstance(spending, str) else f"as Hwang, Shih and DeCani's gamma = {spending:g}"


def spending_source(spending: Sequence[Spending]) -> str:
    """Return who published these spending functions."""
    named, gamma = (any(isinstance(one, kind) for one in spending) for kind in (str, int | float))
    return "; ".join([*([_LAN] if named else []), *([_HWANG] if gamma else [])])
