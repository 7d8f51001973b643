"""Which boundaries stop for too few responders or too many toxicities, with most power? BOP2 on both at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cartrial.design.bayes.bop2 import SOURCE, check_cutoff, choose_cutoff, lower_bounds
from cartrial.design.bayes.cells import Cells, cells_of, check_cells, check_prior, margins_of
from cartrial.design.bayes.joint_kernel import JointAnswers, JointBoundaries, run_joint
from cartrial.design.bayes.monitoring import Floats, Integers, check_looks, tail_table
from cartrial.design.exact.checks import check_number
from cartrial.errors import InputError
from cartrial.shown import Shown

if TYPE_CHECKING:
    import polars as pl

__all__ = ["JointDesign", "JointOperating", "design_bop2_joint", "joint_boundaries", "operate_joint"]

SCALES, EXPONENTS = 100, 20
_TRUTHS = ("futile and toxic", "effective but toxic", "safe but futile")


@dataclass(frozen=True)
class JointDesign(Shown):
    """Boundaries on responders and on toxicities, looked at together.

    Parameters
    ----------
    name : str
    n : tuple of int
        Cumulative subjects at each look.
    futility : tuple of int or None
        Stop with so many responders or fewer.
    toxicity : tuple of int or None
        Stop with so many subjects with toxicity, or more.
    null, alternative : tuple of float
        Probabilities of the four cells: response with toxicity, response without, no response with toxicity, neither.
    scale, exponent : float
        Lambda and gamma of the cut-off 1 - lambda (n/N)^gamma, the same for both.
    prior : tuple of float
        Dirichlet prior of the four cells.
    type_one : dict of str to float
        Exact probability of passing every look where the treatment is futile and toxic (`null`), effective but toxic, and safe but
        futile.
    power : float
        The same at `alternative`.
    expected_null, expected_target : float
        Expected number of subjects.
    method, source : str
    """

    name: str
    n: tuple[int, ...]
    futility: tuple[int | None, ...]
    toxicity: tuple[int | None, ...]
    null: Cells
    alternative: Cells
    scale: float
    exponent: float
    prior: Cells
    type_one: dict[str, float]
    power: float
    expected_null: float
    expected_target: float
    method: str
    source: str


@dataclass(frozen=True)
class JointOperating:
    """What a joint design does at one truth.

    Parameters
    ----------
    cells : tuple of float
        The truth.
    success : float
        Probability of passing every look, the last included.
    stop_futility, stop_toxicity, stop_both : tuple of float
        Probability of stopping at each look for too few responders alone, for too many toxicities alone, and for both.
    expected_n : float
    early_stop : float
        Probability of stopping before the last look.
    """

    cells: Cells
    success: float
    stop_futility: tuple[float, ...]
    stop_toxicity: tuple[float, ...]
    stop_both: tuple[float, ...]
    expected_n: float
    early_stop: float


class _Errors(NamedTuple):
    """What a search keeps to: see `design_bop2_joint`."""

    alpha: float
    partial_alpha: float | None
    power: float | None


def design_bop2_joint(
    null: ArrayLike,
    alternative: ArrayLike,
    looks: Sequence[int],
    *,
    alpha: float = 0.1,
    partial_alpha: float | None = None,
    power: float | None = None,
    cutoff: tuple[float, float] | None = None,
    prior: ArrayLike | None = None,
) -> JointDesign:
    """Find, or take, the cut-off of a BOP2 design of response and toxicity.

    Parameters
    ----------
    null, alternative : sequence of 4 float
        Cells (see `cells_of`) of a treatment that is futile and toxic, and of one worth going on with. The rates of `null` are the
        limits: the response rate to exceed and the toxicity rate to stay below.
    looks : sequence of int
        Cumulative subjects at each look; the last is the maximum.
    alpha : float, default 0.1
        Highest probability of passing every look at `null`, exact.
    partial_alpha : float, optional
        Highest probability of passing where the treatment is effective but toxic, or safe but futile. Not controlled without it; the
        design reports both either way.
    power : float, optional
        As in `design_bop2`.
    cutoff : tuple of float, optional
        Lambda and gamma; nothing is searched.
    prior : sequence of 4 float, optional
        Dirichlet prior; the cells of `null`, worth one subject, without it.

    Returns
    -------
    JointDesign

    Raises
    ------
    InputError
        For cells, looks or errors that cannot be, or if no cut-off of the grid meets the errors.

    Notes
    -----
    Stop when P(response rate <= limit | data) or P(toxicity rate > limit | data) exceeds 1 - lambda (n/N)^gamma, the last look included.
    Both posteriors are Beta, as sums of cells of a Dirichlet. The grid has lambda 0.01 to 0.99 in steps of 0.01 and gamma 0 to 1 in
    steps of 0.05. The partial nulls take one rate of `null`, the other of `alternative`, and the odds ratio of `null`; to control them
    is the proposal of BOP2-TE (Chen, Zhou, Lee, Yuan 2024, arXiv:2408.05816).

    Examples
    --------
    The cells, looks, cut-off and futility boundary of the R package BOP2FE (README, `BOP2FE_jointefftox`).

    >>> from cartrial.design import design_bop2_joint
    >>> null, alternative = (0.15, 0.30, 0.15, 0.40), (0.18, 0.42, 0.02, 0.38)
    >>> design = design_bop2_joint(null, alternative, (10, 15, 20, 25, 30, 35, 40), cutoff=(0.7, 1))
    >>> design.futility
    (3, 5, 8, 10, 13, 16, 19)
    """
    lower, upper = check_cells(null, "null", positive=True), check_cells(alternative, "alternative")
    n = check_looks(looks)
    shape = lower if prior is None else check_prior(prior)
    truths = _truths(lower, upper)
    errors = None if cutoff is not None else _check_errors(alpha, partial_alpha, power)
    pairs = _grid() if cutoff is None else np.array([check_cutoff(cutoff)])
    pairs, low, high = _boundaries(n, lower, shape, pairs)
    if cutoff is not None and ((low >= n).any() or (high <= 0).any()):
        raise InputError("with this cut-off a look always stops", key="cutoff", right="Give a lower lambda or a higher gamma")
    success, expected = _run_sets(n, low, high, truths)
    best = 0 if errors is None else _choose(errors, success, expected)
    scale, exponent = float(pairs[best, 0]), float(pairs[best, 1])
    rate0, tox0 = margins_of(lower)
    method = (
        f"Stop when P(response rate <= {rate0:g} | data) or P(toxicity rate > {tox0:g} | data) exceeds 1 - {scale:.4g} (n/{n[-1]})^"
        f"{exponent:.4g}; Dirichlet({', '.join(f'{value:.4g}' for value in shape)}) prior; cut-off: {_wanted(errors)}."
    )
    return JointDesign(
        "BOP2, response and toxicity",
        n,
        tuple(None if value < 0 else int(value) for value in low[best]),
        tuple(None if value > size else int(value) for size, value in zip(n, high[best], strict=True)),
        lower,
        upper,
        scale,
        exponent,
        shape,
        {name: float(value) for name, value in zip(_TRUTHS, success[best, :3], strict=True)},
        float(success[best, 3]),
        float(expected[best, 0]),
        float(expected[best, 3]),
        method,
        SOURCE,
    )


def operate_joint(design: JointDesign, cells: ArrayLike) -> JointOperating:
    """Exact operating characteristics at one truth, by enumeration over both counts.

    Parameters
    ----------
    design : JointDesign
    cells : sequence of 4 float
        The truth; see `cells_of`.

    Returns
    -------
    JointOperating

    Raises
    ------
    InputError
        For cells that are no probabilities.

    Examples
    --------
    By hand: where everyone responds without toxicity every look is passed; where nobody responds, the trial stops at the first.

    >>> from cartrial.design import design_bop2_joint, operate_joint
    >>> design = design_bop2_joint((0.15, 0.3, 0.15, 0.4), (0.18, 0.42, 0.02, 0.38), (10, 20, 40), cutoff=(0.7, 1))
    >>> for cells in ((0, 1, 0, 0), (0, 0, 0, 1)):
    ...     found = operate_joint(design, cells)
    ...     print(round(found.success, 4), round(found.expected_n, 4))
    1.0 40.0
    0.0 10.0
    """
    truth = check_cells(cells, "cells")
    low = np.array([[-1 if value is None else value for value in design.futility]])
    high = np.array([[size + 1 if value is None else value for size, value in zip(design.n, design.toxicity, strict=True)]])
    stops = np.zeros((1, 1, len(design.n), 3))
    success, expected = _run_sets(design.n, low, high, np.array([truth]), stops)
    by_look = stops[0, 0]
    futility, toxicity, both = (tuple(float(value) for value in by_look[:, k]) for k in range(3))
    return JointOperating(truth, float(success[0, 0]), futility, toxicity, both, float(expected[0, 0]), float(by_look[:-1].sum()))


def joint_boundaries(design: JointDesign) -> pl.DataFrame:
    """Return the boundaries, one row a look: look, n, stop_if_responders_at_most, stop_if_toxicities_at_least (null: no such stop).

    Examples
    --------
    So many responders of 10, 20 and 40 stop in the R package BOP2FE too (README, `BOP2FE_jointefftox`).

    >>> from cartrial.design import design_bop2_joint, joint_boundaries
    >>> design = design_bop2_joint((0.15, 0.3, 0.15, 0.4), (0.18, 0.42, 0.02, 0.38), (10, 20, 40), cutoff=(0.7, 1))
    >>> joint_boundaries(design).rows()
    [(1, 10, 3, 5), (2, 20, 8, 7), (3, 40, 19, 11)]
    """
    import polars as pl

    columns: dict[str, Any] = {
        "look": range(1, len(design.n) + 1),
        "n": design.n,
        "stop_if_responders_at_most": design.futility,
        "stop_if_toxicities_at_least": design.toxicity,
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int32))


def _run_sets(n: tuple[int, ...], low: Integers, high: Integers, truths: Floats, stops: Floats | None = None) -> tuple[Floats, Floats]:
    success, expected = np.zeros((2, len(low), len(truths)))
    work = int(len(low) * len(truths) * n[-1] ** 3 // 3)
    kept = np.zeros((0, len(truths), len(n), 3)) if stops is None else stops
    boundaries = JointBoundaries(*(np.ascontiguousarray(value, np.int64) for value in (n, low, high)))
    run_joint(work, boundaries, np.ascontiguousarray(truths, float), JointAnswers(success, expected, kept))
    return success, expected


def _check_errors(alpha: Any, partial_alpha: Any, power: Any) -> _Errors:
    right = "Give a number between 0 and 1"
    return _Errors(
        check_number(alpha, "alpha", right="Give the highest type I error, for example 0.1"),
        None if partial_alpha is None else check_number(partial_alpha, "partial_alpha", right=right),
        None if power is None else check_number(power, "power", right=right),
    )


def _truths(null: Cells, alternative: Cells) -> Floats:
    """Return the cells of a treatment that is futile and toxic, effective but toxic, safe but futile, and worth going on with."""
    (rate0, tox0), (rate1, tox1) = margins_of(null), margins_of(alternative)
    if rate1 <= rate0:
        raise InputError(f"the target response rate {rate1:g} is not above {rate0:g}", key="alternative", right="Give a higher one")
    if tox1 >= tox0:
        raise InputError(f"the toxicity rate {tox1:g} is not below {tox0:g}", key="alternative", right="Give a lower one")
    ratio = null[0] * null[3] / (null[1] * null[2])
    return np.array([null, cells_of(rate1, tox0, ratio), cells_of(rate0, tox1, ratio), alternative])


def _grid() -> Floats:
    """Return all pairs of lambda and gamma that are searched."""
    scales, exponents = np.arange(1, SCALES) / SCALES, np.arange(EXPONENTS + 1) / EXPONENTS
    return np.stack(np.meshgrid(scales, exponents, indexing="ij"), axis=-1).reshape(-1, 2)


def _boundaries(n: tuple[int, ...], null: Cells, prior: Cells, pairs: Floats) -> tuple[Floats, Integers, Integers]:
    """Return the boundaries on responders and on toxicities of each pair of lambda and gamma; of pairs with the same the first."""
    (rate0, tox0), (a, b, c, d) = margins_of(null), prior
    futile = tail_table(n, (a + b, c + d), rate0)
    # acceptable, as a function of the subjects without toxicity: increasing
    safe = tail_table(n, (b + d, a + c), 1.0 - tox0)
    share = np.asarray(n) / n[-1]
    cuts = pairs[:, :1] * share[None, :] ** pairs[:, 1:]
    low, high = lower_bounds(futile, cuts), np.asarray(n) - lower_bounds(safe, cuts)
    _, kept = np.unique(np.hstack([low, high]), axis=0, return_index=True)
    kept.sort()
    return pairs[kept], low[kept], high[kept]


def _choose(errors: _Errors, success: Floats, expected: Floats) -> int:
    """Return which boundaries keep the errors and are best: see `choose_cutoff`."""
    partial = 1.0 if errors.partial_alpha is None else errors.partial_alpha
    limits = np.array([errors.alpha, partial, partial])
    excess = (success[:, :3] / limits).max(axis=1) * errors.alpha  # the worst truth, on the scale of alpha
    return choose_cutoff(excess, success[:, 3], expected[:, 0], errors.alpha, errors.power)


def _wanted(errors: _Errors | None) -> str:
    """Return how the cut-off was found, in words."""
    if errors is None:
        return "given"
    alpha, partial, power = errors
    rest = "" if partial is None else f", and at most {partial:g} where it is only effective or only safe"
    if power is None:
        return f"most power with type I error at most {alpha:g}{rest}"
    return f"fewest subjects expected at the null with power at least {power:g} and type I error at most {alpha:g}{rest}"
