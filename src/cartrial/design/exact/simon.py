"""Which two-stage design of a response rate is best? Simon's optimal and minimax designs, and the admissible ones between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.design.exact.binomial import SLACK, binomial_tables
from cartrial.design.exact.checks import check_choice, check_errors, check_rates, check_whole
from cartrial.design.exact.simon_kernel import Binomial, Rule, search_simon
from cartrial.design.exact.staged import Staged, operate
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["SimonDesigns", "design_simon"]

Floats = NDArray[np.float64]
_MOST = 500
_TIE = 1e-9
_SIMON = "Simon 1989, doi:10.1016/0197-2456(89)90015-9"
_JUNG = "Jung, Lee, Kim and George 2004, doi:10.1002/sim.1600"
_MANDER = "Mander and Thompson 2010, doi:10.1016/j.cct.2010.07.008"


@dataclass(frozen=True)
class SimonDesigns(Shown):
    """Two-stage designs that meet the same errors.

    Parameters
    ----------
    optimal, minimax : Staged
        The fewest expected subjects; the fewest subjects, and of those designs the fewest expected.
    admissible : tuple of Staged
        From minimax to optimal: each minimises weight x maximum n + (1 - weight) x expected n for some weight.
    weights : tuple of (float, float)
        The interval of weights, from and to, in which each of them does.
    p0, p1 : float
        Response rates of the null hypothesis and of the alternative.
    """

    optimal: Staged
    minimax: Staged
    admissible: tuple[Staged, ...]
    weights: tuple[tuple[float, float], ...]
    p0: float
    p1: float

    def table(self) -> pl.DataFrame:
        """Return the admissible designs side by side.

        Returns
        -------
        polars.DataFrame
            design, r1, n1, e1 (null: no stop for efficacy), r, n; expected_n_p0, expected_n_p1, stop_p0 and stop_p1 (probability of
            ending after the first stage), alpha, power; weight_from, weight_to. Stop if responders <= r1, success after the first
            stage if >= e1, at the end if > r.
        """
        rows = []
        for design, (low, high) in zip(self.admissible, self.weights, strict=True):
            found = operate(design, [self.p0, self.p1])
            rows.append(
                {
                    "design": design.name,
                    "r1": design.futility[0],
                    "n1": design.n[0],
                    "e1": design.efficacy[0],
                    "r": design.futility[1],
                    "n": design.n[1],
                    "expected_n_p0": found.expected_n[0],
                    "expected_n_p1": found.expected_n[1],
                    "stop_p0": found.early_stop[0],
                    "stop_p1": found.early_stop[1],
                    "alpha": found.success[0],
                    "power": found.success[1],
                    "weight_from": low,
                    "weight_to": high,
                }
            )
        whole = dict.fromkeys(("r1", "n1", "e1", "r", "n"), pl.Int32)
        return pl.DataFrame(rows, schema_overrides=whole)


def design_simon(
    p0: float,
    p1: float,
    alpha: float,
    beta: float,
    *,
    n_max: int = 100,
    n1_min: int = 1,
    n1_max: int | None = None,
    efficacy: bool = False,
    under: Literal["p0", "p1"] = "p0",
) -> SimonDesigns:
    """Search all two-stage designs for the optimal, the minimax and the admissible ones.

    Parameters
    ----------
    p0, p1 : float
        Response rates of the null hypothesis and of the alternative.
    alpha, beta : float
        One-sided type I error and type II error, both at most.
    n_max : int
        Most subjects of both stages, at most 500. The optimal design is the best up to here.
    n1_min, n1_max : int
        Fewest and most subjects of the first stage; without `n1_max`: n_max - 1.
    efficacy : bool
        Whether the first stage may also end with success (Mander and Thompson 2010).
    under : {"p0", "p1"}
        The rate at which few subjects are wanted: the null, as Simon, or the alternative.

    Returns
    -------
    SimonDesigns

    Raises
    ------
    InputError
        For rates, errors or numbers that cannot be, or if no design is found.

    Notes
    -----
    A design stops after n1 subjects with r1 >= 0 responders or fewer; it succeeds with more than r > r1 of n. Where several r meet both
    errors the highest is taken, as in Simon 1989: the smallest type I error. Ties of the expected number (within 1e-9): the smaller n,
    then the smaller n1. Tuples, expected numbers and weights agree with R clinfun's `ph2simon`.

    Examples
    --------
    Simon 1989, Table 1: 0.2 against 0.4 with errors of 0.05 and 0.2.

    >>> from cartrial.design import design_simon
    >>> found = design_simon(0.2, 0.4, 0.05, 0.2)
    >>> found.optimal.n, found.optimal.futility
    ((13, 43), (3, 12))
    >>> found.minimax.n, found.minimax.futility
    ((18, 33), (4, 10))
    """
    p0, p1 = check_rates(p0, p1)
    alpha, beta = check_errors(alpha, beta)
    check_choice(under, "under", ("p0", "p1"))
    n_max = check_whole(n_max, "n_max", 2, _MOST)
    n1_min = check_whole(n1_min, "n1_min", 1, n_max - 1)
    wide = n_max * 3 // 2
    null, target = Binomial(*binomial_tables(p0, wide)), Binomial(*binomial_tables(p1, wide))
    best = np.zeros((wide + 1, 5))
    first = wide - 1 if n1_max is None else check_whole(n1_max, "n1_max", n1_min, n_max - 1)
    rule = Rule(alpha + SLACK, 1 - beta - SLACK, n1_min, first, efficacy, _TIE)
    search_simon(wide**3, null, target, (null if under == "p0" else target).mass, rule, best)
    sizes = np.flatnonzero(best[:, 1])
    beyond = sizes[sizes > n_max]
    sizes = sizes[sizes <= n_max]
    where = f"with n up to {n_max}"
    if n1_min > 1 or n1_max is not None:
        where += f" and n1 from {n1_min} to {n_max - 1 if n1_max is None else n1_max}"
    if not len(sizes):
        smallest = f"The smallest design that does has n = {beyond[0]}" if len(beyond) else ""
        raise InputError(
            f"no two-stage design {where} has a type I error of {alpha:g} and a power of {1 - beta:g} at {p1:g} against {p0:g}",
            key="n_max",
            right=smallest or "Allow more patients or a target further from the null",
        )
    corners = _hull(sizes, best[sizes, 4])
    turns = [_turn(best[a, 4] - best[b, 4], b - a) for a, b in pairwise(corners)]
    weights = tuple(zip([*turns, 0.0], [1.0, *turns], strict=True))
    stops = "for futility or efficacy" if efficacy else "for futility"
    met = (
        f"of all two-stage designs {where} that may stop {stops} after the first stage, with a one-sided type I error of at most "
        f"{alpha:g} at p0 = {p0:g} and a power of at least {1 - beta:g} at p1 = {p1:g} (exact binomial)"
    )
    designs = []
    for place, (size, weight) in enumerate(zip(corners, weights, strict=True)):
        name, aim = _words(place, len(corners), size, weight, {"p0": "null", "p1": "alternative"}[under])
        method = f"{aim} {met}."
        if place == len(corners) - 1 and len(beyond):
            fewer = f"{best[beyond[-1], 4]:.1f} in place of {best[size, 4]:.1f}"
            method = f"{method[:-1]}; n = {beyond[-1]}, more than allowed, would expect {fewer}."
        r1, n1, e1, r = (int(value) for value in best[size, :4])
        source = "; ".join([_SIMON, *([_MANDER] if efficacy else []), *([_JUNG] if 0 < place < len(corners) - 1 else [])])
        name += " with efficacy stop" if efficacy else ""
        designs.append(Staged(name, (n1, size), (r1, r), (None if e1 > n1 else e1, r + 1), p0, p1, method, source))
    return SimonDesigns(optimal=designs[-1], minimax=designs[0], admissible=tuple(designs), weights=weights, p0=p0, p1=p1)


def _hull(sizes: NDArray[np.int64], expected: Floats) -> list[int]:
    """Return the sizes on the lower convex hull of (size, expected); expected falls as size rises."""
    corners: list[tuple[int, float]] = []
    for n, e in zip(sizes.tolist(), expected.tolist(), strict=True):
        while len(corners) > 1:
            (n0, e0), (n1, e1) = corners[-2:]
            if (e1 - e0) * (n - n0) < (e - e0) * (n1 - n0):
                break
            corners.pop()
        corners.append((n, e))
    return [n for n, _ in corners]


def _turn(gain: float, more: int) -> float:
    """Return the weight at which expecting so many fewer subjects is worth so many more at most."""
    return float(gain / (gain + more))


def _words(place: int, among: int, size: int, weight: tuple[float, float], rate: str) -> tuple[str, str]:
    """Return the name of an admissible design and what it is best at."""
    if among == 1:
        return "Simon optimal and minimax", f"The fewest subjects, and the fewest expected under the {rate},"
    if place == 0:
        return "Simon minimax", f"The fewest subjects, and then the fewest expected under the {rate},"
    if place == among - 1:
        return "Simon optimal", f"The fewest expected subjects under the {rate}"
    low, high = weight
    aim = f"The least w x n + (1 - w) x expected n under the {rate}, for weights w from {low:.3f} to {high:.3f},"
    return f"Simon admissible (n = {size})", aim
