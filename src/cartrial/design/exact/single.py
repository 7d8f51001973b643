"""How many patients does a single stage need, and how does the answer jump with n? Exact binomial."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from cartrial.analysis.estimators.arguments import read_numbers
from cartrial.design.exact.binomial import SLACK
from cartrial.design.exact.checks import check_choice, check_errors, check_rates, check_whole
from cartrial.design.exact.staged import Staged, operate
from cartrial.errors import InputError

__all__ = ["design_single_stage", "estimate_power", "estimate_sawtooth"]

_SOURCE = "A'Hern 2001, doi:10.1002/sim.721; Fleming 1982, doi:10.2307/2530297 (exact binomial in place of the normal approximation)"
_MEANING = {
    "first": "the smallest n that meets both errors (a larger n may fail again)",
    "stable": "the smallest n from which every n up to {horizon} meets both errors",
}
_HORIZON = 400
_MOST = 5000


def design_single_stage(
    p0: float, p1: float, alpha: float, beta: float, *, rule: Literal["first", "stable"] = "first", n_max: int = 400
) -> Staged:
    """Exact single-stage design.

    Parameters
    ----------
    p0, p1 : float
        Response rates of the null hypothesis and of the alternative.
    alpha, beta : float
        One-sided type I error and type II error, both at most.
    rule : {"first", "stable"}
        Power rises with n as a saw does. `first`: the smallest n that meets both errors. `stable`: the smallest n from which every
        larger n does too, so that a few patients more never cost power; looked at up to 400 or twice `n_max`, whichever is more.
    n_max : int
        Largest n that may be the answer, at most 2500.

    Returns
    -------
    Staged
        One look: success with so many responders or more. For n, that is the fewest that keep the type I error.

    Raises
    ------
    InputError
        For rates, errors or a rule that cannot be, or if no n up to `n_max` is enough.

    Examples
    --------
    By hand: all of 3 subjects respond with a probability of 0.3³ = 0.027 under the null, which is at most 0.05, and of 0.8³ = 0.512 under
    the alternative; all of 2 would have 0.09.

    >>> from cartrial.design import design_single_stage
    >>> design = design_single_stage(0.3, 0.8, 0.05, 0.5)
    >>> design.n, design.efficacy
    ((3,), (3,))

    Power falls again after the first n that has it: 37 subjects would have less than 35.

    >>> [design_single_stage(0.2, 0.4, 0.05, 0.2, rule=rule).n for rule in ("first", "stable")]
    [(35,), (38,)]
    """
    p0, p1 = check_rates(p0, p1)
    alpha, beta = check_errors(alpha, beta)
    check_choice(rule, "rule", tuple(_MEANING))
    n_max = check_whole(n_max, "n_max", 1, _MOST // 2)
    horizon = max(_HORIZON, 2 * n_max) if rule == "stable" else n_max
    table = estimate_sawtooth(p0, p1, alpha, n_max=horizon)
    met = (table["power"] >= 1 - beta - SLACK).to_numpy()
    if rule == "first":
        found = np.flatnonzero(met)[:1]
    else:
        failed = np.flatnonzero(~met)
        found = np.arange(failed[-1] + 1 if len(failed) else 0, len(met))[:1]
    if not len(found) or found[0] >= n_max:
        raise InputError(
            f"no single stage ({rule} n) with n up to {n_max} has a type I error of {alpha:g} and a power of {1 - beta:g} at {p1:g} "
            f"against {p0:g}",
            key="n_max",
            right="Allow more patients, larger errors or a target further from the null",
        )
    row = table.row(int(found[0]), named=True)
    return Staged(
        name=f"Single stage, {rule} n",
        n=(row["n"],),
        futility=(row["r"] - 1,),
        efficacy=(row["r"],),
        p0=p0,
        p1=p1,
        method=(
            f"Exact binomial, {_MEANING[rule].format(horizon=horizon)}: one-sided type I error at most {alpha:g} at p0 = {p0:g} "
            f"(attained {row['alpha']:.4f}), power at least {1 - beta:g} at p1 = {p1:g} (attained {row['power']:.4f})."
        ),
        source=_SOURCE,
    )


def estimate_sawtooth(p0: float, p1: float, alpha: float, *, n_max: int = 400, n_min: int = 1) -> pl.DataFrame:
    """Critical value, attained type I error and power of each n.

    Parameters
    ----------
    p0, p1 : float
        Response rates of the null hypothesis and of the alternative.
    alpha : float
        One-sided type I error, at most.
    n_max, n_min : int
        From which n to which, 1 to 5000.

    Returns
    -------
    polars.DataFrame
        One row an n: n, r (fewest responders that count as success; null where not even n of n would do), alpha and power (attained; 0
        where r is null).

    Raises
    ------
    InputError
        For rates, an error or numbers that cannot be.

    Examples
    --------
    By hand: with 1 or 2 subjects even all responders are too likely (0.3, 0.09) for a type I error of 0.05; all of 3 are not (0.027).

    >>> from cartrial.design import estimate_sawtooth
    >>> estimate_sawtooth(0.3, 0.5, 0.05, n_max=3).select("n", "r", "power").rows()
    [(1, None, 0.0), (2, None, 0.0), (3, 3, 0.125)]
    """
    p0, p1 = check_rates(p0, p1)
    alpha, _ = check_errors(alpha, 0.5)
    n_max = check_whole(n_max, "n_max", 1, _MOST)
    n_min = check_whole(n_min, "n_min", 1, n_max)
    rows = []
    for n, (null, target) in enumerate(zip(_upper_tails(p0, n_max), _upper_tails(p1, n_max), strict=True), start=1):
        if n >= n_min:
            r = int((null > alpha + SLACK).sum())
            rows.append((n, r if r <= n else None, null[r], target[r]))
    return pl.DataFrame(rows, schema={"n": pl.Int32, "r": pl.Int32, "alpha": pl.Float64, "power": pl.Float64}, orient="row")


def estimate_power(*designs: Staged, p: ArrayLike | None = None) -> pl.DataFrame:
    """Power curves of designs.

    Parameters
    ----------
    *designs : Staged
    p : array of float, optional
        True rates; without: 0 to 1 by 0.01.

    Returns
    -------
    polars.DataFrame
        One row a design and rate: design (its name), p, success, expected_n, early_stop.

    Raises
    ------
    InputError
        Without a design, or for a rate that is not between 0 and 1.

    Examples
    --------
    By hand: 2 or more of 2 have the probability p².

    >>> from cartrial.design import Staged, estimate_power
    >>> both = Staged("both", (2,), (1,), (2,), 0.3, 0.7, "by hand", "none")
    >>> estimate_power(both, p=[0.3, 0.7])["success"].round(4).to_list()
    [0.09, 0.49]
    """
    if not designs:
        raise InputError("there is no design", key="designs", right="Give at least one")
    rates = np.atleast_1d(np.linspace(0, 1, 101) if p is None else read_numbers(p, "p", "Give rates between 0 and 1")).ravel()
    frames = []
    for design in designs:
        found = operate(design, rates)
        frames.append(
            pl.DataFrame(
                {
                    "design": [design.name] * len(rates),
                    "p": rates,
                    "success": found.success,
                    "expected_n": found.expected_n,
                    "early_stop": found.early_stop,
                }
            )
        )
    return pl.concat(frames)


def _upper_tails(p: float, n_max: int) -> Iterator[NDArray[np.float64]]:
    """Yield for n = 1, 2, ... the probabilities of so many responders or more, for 0 to n + 1 of them."""
    mass = np.zeros(n_max + 2)
    mass[0] = 1.0
    for n in range(1, n_max + 1):
        new = mass[: n + 2] * (1 - p)
        new[1:] += mass[: n + 1] * p
        mass[: n + 2] = new
        yield np.add.accumulate(new[::-1])[::-1]
