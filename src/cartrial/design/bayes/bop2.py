"""Which boundaries of one response rate have most power? Bayesian optimal phase II design (BOP2), its cut-off searched exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartrial.design.bayes.monitoring import Floats, Integers, check_looks, check_prior, check_share, run_sets, tail_table
from cartrial.design.exact.checks import check_number, check_rates
from cartrial.design.exact.staged import Staged
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["Bop2", "design_bop2"]

SOURCE = "Zhou H, Lee JJ, Yuan Y. Stat Med 2017;36:3302-3314. doi:10.1002/sim.7338"
STEPS = 100


@dataclass(frozen=True)
class Bop2(Shown):
    """A design with its cut-off.

    Parameters
    ----------
    design : Staged
        The boundaries; no early success.
    scale, exponent : float
        Lambda and gamma of the cut-off 1 - lambda (n/N)^gamma on the posterior probability of a rate at or below the null.
    prior : tuple of float
        Beta prior.
    type_one, power : float
        Exact probability of success at p0 and p1.
    expected_null, expected_target : float
        Expected number of subjects at p0 and p1.
    """

    design: Staged
    scale: float
    exponent: float
    prior: tuple[float, float]
    type_one: float
    power: float
    expected_null: float
    expected_target: float


def design_bop2(
    p0: float,
    p1: float,
    looks: Sequence[int],
    *,
    alpha: float = 0.1,
    power: float | None = None,
    prior: tuple[float, float] | None = None,
    cutoff: tuple[float, float] | None = None,
) -> Bop2:
    """Find, or take, the cut-off of a BOP2 design of one response rate.

    Parameters
    ----------
    p0, p1 : float
        Null and target rate.
    looks : sequence of int
        Cumulative subjects at each look; the last is the maximum.
    alpha : float, default 0.1
        Highest type I error, exact.
    power : float, optional
        Without it the cut-off with most power is taken. With it, of those with at least this power, the one with the fewest subjects
        expected at p0.
    prior : tuple of float, optional
        Beta prior; worth one subject with mean p0 without it.
    cutoff : tuple of float, optional
        Lambda and gamma; nothing is searched, and `alpha` and `power` are not read.

    Returns
    -------
    Bop2

    Raises
    ------
    InputError
        For rates, looks, errors or a prior that cannot be, or if no cut-off of the grid meets the errors.

    Notes
    -----
    Stop when P(p <= p0 | data) > 1 - lambda (n/N)^gamma; at the last look the same rule decides. The grid has lambda 0.01 to 0.99 and
    gamma 0 to 1, each in steps of 0.01; equal boundaries are run once. Ties go to the fewest subjects expected at p0.

    Examples
    --------
    The boundaries of Lin, Coleman and Yuan, arXiv:1810.00709, Table 2: go on with 2, 4 and 8 responders of 10, 20 and 30; success with 12
    of 40.

    >>> from cartrial.design import design_bop2
    >>> design = design_bop2(0.2, 0.4, (10, 20, 30, 40)).design
    >>> design.futility, design.efficacy
    ((1, 3, 7, 11), (None, None, None, 12))
    """
    null, target = check_rates(p0, p1)
    n = check_looks(looks)
    prior = (null, 1 - null) if prior is None else check_prior(prior)
    tails = tail_table(n, prior, null)
    share = np.asarray(n) / n[-1]
    if cutoff is not None:
        given = check_cutoff(cutoff)
        pairs = np.array([given])
        low = lower_bounds(tails, given[0] * share[None, :] ** given[1])
        wanted = "given"
        if not 0 <= low[0, -1] < n[-1]:
            raise InputError(f"with lambda {given[0]:g} the last look always decides the same", key="cutoff", right="Give another lambda")
    else:
        alpha = check_number(alpha, "alpha", right="Give the one-sided type I error, for example 0.1")
        power = None if power is None else check_number(power, "power", right="Give the least power, for example 0.9")
        pairs, low = grid_of_cutoffs(tails, share)
        decides = (low[:, -1] >= 0) & (low[:, -1] < n[-1])
        pairs, low = pairs[decides], low[decides]
        wanted = f"most power with type I error at most {alpha:g}"
        if power is not None:
            wanted = f"fewest subjects expected at p0 with type I error at most {alpha:g} and power at least {power:g}"
    high = np.tile(np.asarray(n) + 1, (len(low), 1))
    high[:, -1] = low[:, -1] + 1
    success, expected = run_sets(n, low, high, (null, target))
    best = 0 if cutoff is not None else choose_cutoff(success[:, 0], success[:, 1], expected[:, 0], alpha, power)
    scale, exponent = float(pairs[best, 0]), float(pairs[best, 1])
    method = (
        f"Stop when P(p <= {null:g} | data) > 1 - {scale:.4g} (n/{n[-1]})^{exponent:.4g} "
        f"with a Beta({prior[0]:g}, {prior[1]:g}) prior; cut-off: {wanted}."
    )
    futility = tuple(None if value < 0 else int(value) for value in low[best])
    efficacy = (*(None for _ in n[:-1]), int(low[best, -1]) + 1)
    return Bop2(
        Staged("BOP2", n, futility, efficacy, null, target, method, SOURCE),
        scale,
        exponent,
        prior,
        float(success[best, 0]),
        float(success[best, 1]),
        float(expected[best, 0]),
        float(expected[best, 1]),
    )


def check_cutoff(cutoff: Any) -> tuple[float, float]:
    """Return lambda and gamma."""
    try:
        scale, exponent = cutoff
    except (TypeError, ValueError) as error:
        raise InputError(f"{cutoff!r} is no cut-off", key="cutoff", right="Give lambda and gamma, for example (0.86, 1)") from error
    return check_share(scale, "cutoff"), check_share(exponent, "cutoff", ends=True)


def lower_bounds(tails: Floats, cuts: Floats) -> Integers:
    """Return the highest number of events whose tail is below the cut, -1 for none.

    Parameters
    ----------
    tails : ndarray of float64, shape (looks, counts)
        Increasing along the counts.
    cuts : ndarray of float64, shape (sets, looks)

    Returns
    -------
    ndarray of int64, shape (sets, looks)
    """
    return np.stack([np.searchsorted(row, cuts[:, k], side="left") - 1 for k, row in enumerate(tails)], axis=1).astype(np.int64)


def grid_of_cutoffs(tails: Floats, share: Floats, steps: int = STEPS) -> tuple[Floats, Integers]:
    """Return pairs of lambda and gamma, one for each different set of boundaries, and the boundaries."""
    scales, exponents = np.arange(1, steps) / steps, np.arange(steps + 1) / steps
    pairs = np.stack(np.meshgrid(scales, exponents, indexing="ij"), axis=-1).reshape(-1, 2)
    low = lower_bounds(tails, pairs[:, :1] * share[None, :] ** pairs[:, 1:])
    _, first = np.unique(low, axis=0, return_index=True)
    first.sort()
    return pairs[first], low[first]


def choose_cutoff(type_one: Floats, power: Floats, expected: Floats, alpha: float, wanted: float | None) -> int:
    """Return the position of the best cut-off.

    Parameters
    ----------
    type_one, power, expected : ndarray of float64, shape (sets,)
        Type I error, power, and expected subjects under the null.
    alpha : float
    wanted : float or None
        Least power; None: as much as there is.
    """
    fits = (type_one <= alpha) & (power > 0)
    if not fits.any():
        raise InputError(
            f"no cut-off has a type I error of {alpha:g} or less",
            key="alpha",
            right="Give more subjects at the last look, or a higher alpha",
        )
    if wanted is None:
        return int(np.lexsort((expected, -np.round(np.where(fits, power, -1.0), 14)))[0])
    best = power[fits].max()
    fits &= power >= wanted
    if not fits.any():
        raise InputError(
            f"no cut-off with type I error at most {alpha:g} has a power of {wanted:g}; the best has {best:.3f}",
            key="power",
            right="Give more subjects at the last look",
        )
    return int(np.argmin(np.where(fits, expected, np.inf)))
