"""How few subjects does predictive monitoring need? Lee and Liu's search, over every set of boundaries instead of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cartrial.design.bayes.bop2 import lower_bounds
from cartrial.design.bayes.monitoring import (
    MOST,
    Floats,
    Integers,
    check_prior,
    check_share,
    looks_after,
    predictive_table,
    run_sets,
    shortest_number,
    tail_table,
)
from cartrial.design.bayes.predictive import design_predictive
from cartrial.design.exact.checks import check_choice, check_number, check_rates, check_whole
from cartrial.design.exact.staged import Staged
from cartrial.errors import InputError
from cartrial.shown import Shown

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LeeLiu", "design_lee_liu"]


@dataclass(frozen=True)
class LeeLiu(Shown):
    """The smallest design of its kind, and all cut-offs that meet the errors with as many subjects.

    Parameters
    ----------
    design : Staged
    theta_l, theta_t : tuple of float
        The cut-offs that give this design: above the first number, up to and with the second (theta_l); from the first, below the
        second (theta_t).
    type_one, power : float
        Exact.
    expected_null : float
        Expected number of subjects at p0.
    region : polars.DataFrame
        One row a set of boundaries: responders (wanted at the end), theta_l_from, theta_l_to, theta_t_from, theta_t_to, type_one, power,
        expected_null.
    """

    design: Staged
    theta_l: tuple[float, float]
    theta_t: tuple[float, float]
    type_one: float
    power: float
    expected_null: float
    region: pl.DataFrame


def design_lee_liu(
    p0: float,
    p1: float,
    *,
    alpha: float = 0.1,
    power: float = 0.9,
    prior: tuple[float, float] | None = None,
    first: int = 10,
    every: int = 1,
    n_cap: int = 100,
    theta_l: tuple[float, float] = (0.001, 0.5),
    choose: str = "expected_n",
) -> LeeLiu:
    """Find the fewest subjects, and the cut-offs, with which predictive monitoring for futility meets both errors.

    Parameters
    ----------
    p0, p1 : float
        Null and target rate.
    alpha, power : float
        Highest type I error and least power, exact.
    prior : tuple of float, optional
        Beta prior; worth one subject with mean p0 without it.
    first, every : int
        The first look, and the subjects between looks.
    n_cap : int, default 100
        Most subjects tried.
    theta_l : tuple of float, default (0.001, 0.5)
        Lowest and highest cut-off of the predictive probability tried. The lower one is the first of the paper's grid.
    choose : str, "expected_n" or "power"
        Of the cut-offs that fit with the fewest subjects, those with the fewest subjects expected at p0, or with most power.

    Returns
    -------
    LeeLiu

    Raises
    ------
    InputError
        For input that cannot be, or if `n_cap` subjects are too few.

    Notes
    -----
    No grid: with n subjects theta_t matters only through the number of responders wanted at the end, and theta_l only where it passes a
    predictive probability that a trial can show. Each set of boundaries between two such values is looked at.

    Examples
    --------
    It needs no more subjects than Simon's minimax design with the same errors, 10 of 36 (Simon 1989, Table 1).

    >>> from cartrial.design import design_lee_liu
    >>> found = design_lee_liu(0.2, 0.4, alpha=0.1, power=0.9)
    >>> found.design.n[-1], found.design.futility[-1]
    (36, 10)
    >>> found.type_one <= 0.1, found.power >= 0.9
    (True, True)
    """
    null, target = check_rates(p0, p1)
    right = "Give a number between 0 and 1, for example 0.9"
    alpha, power = check_number(alpha, "alpha", right=right), check_number(power, "power", right=right)
    prior = (null, 1 - null) if prior is None else check_prior(prior)
    first, every = check_whole(first, "first", 1, MOST), check_whole(every, "every", 1, MOST)
    n_cap = check_whole(n_cap, "n_cap", 2, MOST)
    try:
        lowest, highest = theta_l
    except (TypeError, ValueError) as error:
        raise InputError(f"{theta_l!r} is no range", key="theta_l", right="Give two numbers, for example (0.001, 0.5)") from error
    highest = check_share(highest, "theta_l", ends=True)
    lowest = check_share(lowest, "theta_l", high=highest, ends=True)
    check_choice(choose, "choose", ("expected_n", "power"))
    rows: list[_Row] = []
    asked = _Asked(null, target, alpha, power, prior, lowest, highest)
    for n_max in range(2, n_cap + 1):
        if not _can_be(n_max, asked):
            continue
        looks = looks_after(first, n_max, every) if first < n_max else (n_max,)
        rows = [row for least in range(1, n_max + 1) for row in _sets_that_fit(looks, least, asked)]
        if rows:
            break
    else:
        what = f"no design with up to {n_cap} subjects has type I error at most {alpha:g} and power at least {power:g}"
        raise InputError(what, key="n_cap", right="Allow more subjects, or wider errors")
    import polars as pl

    region = pl.DataFrame(rows, orient="row", schema=_REGION)
    order = ["expected_null", "power"] if choose == "expected_n" else ["power", "expected_null"]
    best = region.sort(order, descending=[name == "power" for name in order]).row(0, named=True)
    final = shortest_number(best["theta_t_from"], best["theta_t_to"], upwards=True)
    interim = shortest_number(best["theta_l_from"], best["theta_l_to"], upwards=False)
    design = design_predictive(looks, null, target, theta_t=final, theta_l=interim, prior=prior)
    return LeeLiu(
        design,
        (best["theta_l_from"], best["theta_l_to"]),
        (best["theta_t_from"], best["theta_t_to"]),
        best["type_one"],
        best["power"],
        best["expected_null"],
        region,
    )


_REGION = {
    "responders": int,
    **dict.fromkeys(("theta_l_from", "theta_l_to", "theta_t_from", "theta_t_to", "type_one", "power", "expected_null"), float),
}
_Row = tuple[int, float, float, float, float, float, float, float]


@dataclass(frozen=True)
class _Asked:
    """What the search was asked for."""

    p0: float
    p1: float
    alpha: float
    power: float
    prior: tuple[float, float]
    lowest: float
    highest: float


def _can_be(n: int, asked: _Asked) -> bool:
    """Say whether any test of n subjects meets both errors: the most powerful one, randomised at the edge (Neyman and Pearson)."""
    from scipy.special import bdtrc

    x = np.arange(n + 2) - 1.0  # more than x responders
    null, target = bdtrc(x, n, asked.p0), bdtrc(x, n, asked.p1)
    null[0] = target[0] = 1.0
    first = int(np.argmax(null <= asked.alpha))
    edge = (asked.alpha - null[first]) / (null[first - 1] - null[first])
    return bool(target[first] + edge * (target[first - 1] - target[first]) >= asked.power - 1e-9)


def _sets_that_fit(looks: tuple[int, ...], least: int, asked: _Asked) -> list[_Row]:
    """Return the sets of boundaries that meet both errors; more futility lowers both probabilities, so they are neighbours."""
    n_max, interim = looks[-1], list(looks[:-1])
    high = np.array([[size + 1 for size in interim] + [least]])

    def run(low: Integers) -> tuple[Floats, Floats]:
        return run_sets(looks, low, np.repeat(high, len(low), axis=0), (asked.p0, asked.p1), often=True)

    if run(np.array([[-1] * len(interim) + [least - 1]]))[0][0, 1] < asked.power:
        return []
    table = predictive_table(n_max, least, asked.prior)[interim]
    values = np.unique(table[np.isfinite(table)])
    ends = np.append(values[(values >= asked.lowest) & (values < asked.highest)] if interim else [], asked.highest)
    low = np.full((len(ends), len(looks)), least - 1)
    if interim:
        low[:, :-1] = lower_bounds(table, np.repeat(ends[:, None], len(interim), axis=1))
    start, stop = 0, len(low)  # the first set that keeps the type I error
    while start < stop:
        middle = (start + stop) // 2
        start, stop = (start, middle) if run(low[middle : middle + 1])[0][0, 0] <= asked.alpha else (middle + 1, stop)
    if start == len(low) or run(low[start : start + 1])[0][0, 1] < asked.power:
        return []
    last, stop = start, len(low)  # the last one with the power
    while stop - last > 1:
        middle = (last + stop) // 2
        last, stop = (middle, stop) if run(low[middle : middle + 1])[0][0, 1] >= asked.power else (last, middle)
    crossed, expected = run(low[start:stop])
    starts = np.append(asked.lowest, ends)[start:stop]
    tail = tail_table((n_max,), asked.prior, asked.p0)[0]
    return [
        (least, float(a), float(b), float(tail[least - 1]), float(tail[least]), float(c[0]), float(c[1]), float(e[0]))
        for a, b, c, e in zip(starts, ends[start:stop], crossed, expected, strict=True)
        if b > a
    ]
