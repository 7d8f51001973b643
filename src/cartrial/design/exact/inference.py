"""What does a trial that could stop early say about the response rate? Estimates, p-value and interval by its own sample space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb, log
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from cartrial.analysis.estimators.arguments import read_numbers
from cartrial.design.exact.checks import check_choice, check_number, check_whole
from cartrial.design.exact.staged import Staged, operate, stopping_probabilities
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["Inference", "estimate_after", "estimate_bias", "unbiased_estimates"]

Floats = NDArray[np.float64]
_GRID = np.linspace(0, 1, 201)
_KIM = "Jung and Kim 2004, doi:10.1002/sim.1653"
_CHEN = "Koyama and Chen 2008, doi:10.1002/sim.3123"
_METHODS = {
    "stagewise": f"outcomes ordered by stage: futility stops by look, the last look, efficacy stops backwards ({_CHEN})",
    "umvue": f"outcomes ordered by their unbiased estimate ({_KIM})",
}


@dataclass(frozen=True)
class Inference(Shown):
    """The response rate after a trial that could stop early.

    Parameters
    ----------
    look, n, responders : int
        Where it ended.
    success : bool
        Whether the null hypothesis is rejected.
    naive : float
        Responders over subjects.
    naive_bias : float
        Bias of the naive estimate, were the unbiased estimate the true rate.
    unbiased : float
        Uniformly minimum variance unbiased estimate.
    median_unbiased : float
        Rate at which the p-value would be one half.
    p_value : float
        One-sided, at the design's p0.
    lower, upper : float
        Exact two-sided limits of Clopper-Pearson type.
    conf_level : float
    method : str
        One sentence, with citations.
    """

    look: int
    n: int
    responders: int
    success: bool
    naive: float
    naive_bias: float
    unbiased: float
    median_unbiased: float
    p_value: float
    lower: float
    upper: float
    conf_level: float
    method: str


@dataclass(frozen=True)
class _Outcomes:
    """Every way to end: its look, responders, subjects, number of paths, and unbiased estimate; arrays of one length."""

    look: NDArray[np.int64]
    x: NDArray[np.int64]
    n: NDArray[np.int64]
    log_paths: Floats
    unbiased: tuple[Fraction, ...]

    def probability(self, p: float, among: NDArray[np.bool_]) -> float:
        """Return the probability of some of the outcomes at a true rate."""
        x, n = self.x[among], self.n[among]
        if p in (0, 1):
            return float(np.exp(self.log_paths[among])[x == (n if p else 0)].sum())
        return float(np.exp(self.log_paths[among] + x * np.log(p) + (n - x) * np.log1p(-p)).sum())


def estimate_after(
    design: Staged,
    responders: int,
    *,
    n: int | None = None,
    first: int | None = None,
    conf_level: float = 0.95,
    ordering: Literal["stagewise", "umvue"] = "stagewise",
) -> Inference:
    """Estimate the rate from where a trial ended.

    Parameters
    ----------
    design : Staged
        Two looks or any other number.
    responders : int
        Responders in all.
    n : int, optional
        Subjects in all; without: the design's maximum.
    first : int, optional
        Responders of the first stage; needed only where the second stage had another size than planned.
    conf_level : float
    ordering : {"stagewise", "umvue"}
        How outcomes are ordered. For two stages without efficacy stop both are the same.

    Returns
    -------
    Inference

    Raises
    ------
    InputError
        If the trial would not have ended there, or if `n` is not a look of the design and the method of Koyama and Chen does not apply.

    Notes
    -----
    Unbiased estimate: Jung and Kim 2004, also R clinfun's `twostage.inference`. p-value and median-unbiased estimate: Koyama and Chen
    2008. Limits: the rates at which the observed outcome or a higher one (a lower one) has half of 1 - conf_level; the upper limit is
    that of Clopper and Pearson, so that the interval covers at least at its level, and thus above that of `twostage.inference`.

    A second stage of another size than planned, without regard to its responses: Koyama and Chen keep the conditional type I error of
    the plan and translate the p-value through it. The unbiased estimate takes the size that was reached (Porcher and Desseaux 2012,
    doi:10.1186/1471-2288-12-117).

    Examples
    --------
    Simon's optimal design for 0.2 against 0.4 with errors of 0.05 and 0.1. Of those who stop at once none but the number of responders
    counts: the limits are those of Clopper and Pearson for 4 of 19.

    >>> from cartrial.design import Staged, estimate_after
    >>> simon = Staged("Simon optimal", (19, 54), (4, 15), (None, 16), 0.2, 0.4, "as published", "Simon 1989")
    >>> stopped = estimate_after(simon, 4, n=19)
    >>> print(f"{stopped.unbiased:.4f} {stopped.lower:.4f} {stopped.upper:.4f}")
    0.2105 0.0605 0.4557

    The stop for futility makes responders over subjects too low.

    >>> won = estimate_after(simon, 16)
    >>> won.success, won.unbiased > won.naive
    (True, True)
    """
    check_choice(ordering, "ordering", tuple(_METHODS))
    level = check_number(conf_level, "conf_level", right="For example 0.95")
    n = check_whole(design.n[-1] if n is None else n, "n", 1, 100_000)
    responders = check_whole(responders, "responders", 0, n)
    if n not in design.n:
        return _after_another_size(design, responders, n, first, level)
    look = design.n.index(n)
    low, high = design.futility[look], design.efficacy[look]
    success = high is not None and responders >= high
    if not success and (low is None or responders > low):
        raise InputError(
            f"with {responders} responders of {n} the trial goes on", key="responders", right="Give the end of the trial, or its actual n"
        )
    outcomes = _outcomes(design)
    at = np.flatnonzero((outcomes.look == look) & (outcomes.x == responders))
    if not len(at):
        raise InputError(
            f"{responders} responders of {n} cannot be: the trial stops before", key="responders", right="Check the boundaries"
        )
    if ordering == "umvue":
        rank = np.array([estimate >= outcomes.unbiased[at[0]] for estimate in outcomes.unbiased]).astype(int)
        rank += [estimate > outcomes.unbiased[at[0]] for estimate in outcomes.unbiased]
        above, beyond = rank >= 1, rank == 2
    else:
        place = _stagewise(design, outcomes)
        above, beyond = place >= place[at[0]], place > place[at[0]]
    return _inference(
        design,
        (look + 1, n, responders, success),
        float(outcomes.unbiased[at[0]]),
        lambda p: outcomes.probability(p, above),
        lambda p: outcomes.probability(p, beyond),
        level,
        f"Exact; {_METHODS[ordering]}; unbiased estimate of {_KIM}; limits of Clopper-Pearson type.",
    )


def estimate_bias(design: Staged, p: ArrayLike) -> pl.DataFrame:
    """Bias of responders over subjects where the trial ended.

    Parameters
    ----------
    design : Staged
    p : float or array of float
        True rates.

    Returns
    -------
    polars.DataFrame
        p, mean (of the naive estimate), bias.

    Examples
    --------
    By hand: one subject, and a second one where the first responds. The naive estimate is 0, 1/2 or 1; its mean at a rate of 0.5 is 0.25 x
    0.5 + 0.25 x 1 = 0.375.

    >>> from cartrial.design import Staged, estimate_bias
    >>> design = Staged("two", (1, 2), (0, 1), (None, 2), 0.3, 0.5, "by hand", "none")
    >>> estimate_bias(design, 0.5).rows()
    [(0.5, 0.375, -0.125)]
    """
    rates = np.atleast_1d(read_numbers(p, "p", "Give rates between 0 and 1")).ravel()
    ended = stopping_probabilities(design, rates)
    naive = np.arange(design.n[-1] + 1) / np.array(design.n)[:, None]
    mean = (ended * naive).sum(axis=(1, 2))
    return pl.DataFrame({"p": rates, "mean": mean, "bias": mean - rates})


def unbiased_estimates(design: Staged) -> pl.DataFrame:
    """Return the unbiased estimate (UMVUE) of every way to end.

    Returns
    -------
    polars.DataFrame
        look (from 1), n, responders, success, naive, unbiased; by look and responders.

    Examples
    --------
    By hand: one subject, and a second one where the first responds. A trial that goes on began with a response, so that its unbiased
    estimate is 1, whatever the second does; the mean is the rate.

    >>> from cartrial.design import Staged, unbiased_estimates
    >>> design = Staged("two", (1, 2), (0, 1), (None, 2), 0.3, 0.5, "by hand", "none")
    >>> unbiased_estimates(design).select("look", "responders", "naive", "unbiased").rows()
    [(1, 0, 0.0, 0.0), (2, 1, 0.5, 1.0), (2, 2, 1.0, 1.0)]
    """
    outcomes = _outcomes(design)
    ends = zip(outcomes.look.tolist(), outcomes.x.tolist(), strict=True)
    won = [(high := design.efficacy[look]) is not None and x >= high for look, x in ends]
    return pl.DataFrame(
        {
            "look": outcomes.look + 1,
            "n": outcomes.n,
            "responders": outcomes.x,
            "success": won,
            "naive": outcomes.x / outcomes.n,
            "unbiased": [float(value) for value in outcomes.unbiased],
        }
    )


def _inference(
    design: Staged,
    end: tuple[int, int, int, bool],
    unbiased: float,
    at_least: Callable[[float], float],
    more: Callable[[float], float],
    level: float,
    method: str,
) -> Inference:
    """Invert the probabilities of the observed outcome or a higher one, and of a higher one."""
    look, n, responders, success = end
    tail = (1 - level) / 2
    return Inference(
        look=look,
        n=n,
        responders=responders,
        success=success,
        naive=responders / n,
        naive_bias=float(estimate_bias(design, min(max(unbiased, 0.0), 1.0))["bias"][0]),
        unbiased=unbiased,
        median_unbiased=_rise(at_least, 0.5),
        p_value=min(at_least(design.p0), 1.0),
        lower=_rise(at_least, tail),
        upper=1 - _rise(lambda q: 1 - more(1 - q), tail),
        conf_level=level,
        method=method,
    )


def _rise(function: Callable[[float], float], level: float) -> float:
    """Return the smallest rate at which a function passes a level, 0 if it starts above: a function from 0 to 1 that ends at 1."""
    from scipy.optimize import brentq

    values = np.array([function(p) for p in _GRID])
    at = int(np.argmax(values > level))
    if at == 0:
        return 0.0 if values[0] > level else 1.0
    return float(brentq(lambda p: function(p) - level, _GRID[at - 1], _GRID[at], xtol=1e-14, rtol=1e-14))


def _outcomes(design: Staged) -> _Outcomes:
    """Count the paths to every end, all and those whose first subject responds: their ratio is the unbiased estimate."""
    ends: list[tuple[int, int, int, int, Fraction]] = []
    going: dict[int, tuple[int, int]] = {}
    before = 0
    for look, (n, low, high) in enumerate(zip(design.n, design.futility, design.efficacy, strict=True)):
        m = n - before
        ways = [comb(m, y) for y in range(m + 1)]
        arrived: dict[int, tuple[int, int]] = {}
        if look == 0:
            arrived = {y: (ways[y], comb(m - 1, y - 1) if y else 0) for y in range(m + 1)}
        for x, (paths, hits) in going.items():
            for y, way in enumerate(ways):
                old = arrived.get(x + y, (0, 0))
                arrived[x + y] = (old[0] + paths * way, old[1] + hits * way)
        going = {}
        for x, (paths, hits) in sorted(arrived.items()):
            if (low is not None and x <= low) or (high is not None and x >= high):
                ends.append((look, x, n, paths, Fraction(hits, paths)))
            else:
                going[x] = (paths, hits)
        before = n
    look_, x_, n_, paths_, unbiased = zip(*ends, strict=True)
    return _Outcomes(np.array(look_), np.array(x_), np.array(n_), np.array([log(value) for value in paths_]), unbiased)


def _stagewise(design: Staged, outcomes: _Outcomes) -> NDArray[np.int64]:
    """Return places in the order by stage, higher is more in favour of the treatment."""
    most, last = design.n[-1] + 1, design.looks - 1
    high = np.array([size + 1 if value is None else value for size, value in zip(design.n, design.efficacy, strict=True)])[outcomes.look]
    side = np.where(outcomes.x >= high, 2 * last - outcomes.look, outcomes.look)
    return side * most + outcomes.x


def _after_another_size(design: Staged, responders: int, n: int, first: int | None, level: float) -> Inference:
    """Koyama and Chen's inference where the second stage had another size than planned."""
    from scipy.special import bdtrc, betaincinv

    n1, planned = design.n[0], design.n[-1]
    r1, need = design.futility[0], design.efficacy[-1]
    if design.looks != 2 or r1 is None or need is None or design.efficacy[0] is not None:
        raise InputError(
            f"{n} subjects are no look of the design {list(design.n)}, and only for two stages without efficacy stop is another size "
            "covered by a published method",
            key="n",
            right=f"Give one of {', '.join(map(str, design.n))}",
        )
    if n < n1:
        raise InputError(
            f"the first stage ended with {n} of {n1} subjects, for which there is no published method here",
            key="n",
            right=f"Give {n1} or more",
        )
    if first is None:
        raise InputError(
            f"the second stage had {n - n1} subjects in place of {planned - n1}, and the first stage's responders are not given",
            key="first",
            right="Give the responders of the first stage",
        )
    first = check_whole(first, "first", 0, n1)
    m, x2, n2, wanted = n - n1, responders - first, planned - n1, need - first
    if first <= r1:
        raise InputError(
            f"with {first} responders of {n1} the trial stops after the first stage", key="first", right=f"Give more than {r1}"
        )
    if not 0 <= x2 <= m:
        raise InputError(f"{x2} responders of {m} in the second stage cannot be", key="responders", right="Give responders of both stages")
    if not 1 <= wanted <= n2:
        decided = "certain" if wanted < 1 else "out of reach"
        raise InputError(
            f"with {first} responders of {n1} success was {decided} before the second stage, where Koyama and Chen's method does not "
            "see the second stage",
            key="first",
            right="Report the planned rule's decision and the naive estimate as such",
        )
    x1 = np.arange(r1 + 1, n1 + 1)
    ways = np.array([log(comb(n1, int(x))) for x in x1])

    def at_least(p: float, seen: int = x2) -> float:
        if p in (0, 1):
            return float(p)
        conditional = 1.0 if seen <= 0 else 0.0 if seen > m else float(bdtrc(seen - 1, m, p))
        rate = float(betaincinv(wanted, n2 - wanted + 1, conditional))
        still = need - x1
        onwards = np.where(still <= 0, 1.0, np.where(still > n2, 0.0, bdtrc(np.clip(still, 1, n2) - 1, n2, rate)))
        return float((np.exp(ways + x1 * np.log(p) + (n1 - x1) * np.log1p(-p)) * onwards).sum())

    reached = Staged(design.name, (n1, n), (r1, n - 1), (None, n), design.p0, design.p1, design.method, design.source)
    table = unbiased_estimates(reached)
    unbiased = table.filter((pl.col("look") == 2) & (pl.col("responders") == responders))["unbiased"][0]
    return _inference(
        reached,
        (2, n, responders, at_least(design.p0) <= float(operate(design, design.p0).success) + 1e-12),
        unbiased,
        at_least,
        lambda p: at_least(p, x2 + 1),
        level,
        f"Second stage of {m} subjects in place of {n2}: p-value, median-unbiased estimate and limits through the planned conditional "
        f"type I error ({_CHEN}); unbiased estimate of {_KIM} with the size reached.",
    )
