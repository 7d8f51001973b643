"""A second implementation of exact designs, slow and from the definitions; it shares no code with the package.

Probabilities are sums over outcomes of products of `math.comb` and powers, in floats or in fractions. Searches try every design.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from math import comb
from typing import Any

from helpers import ORACLE

Number = float | Fraction
Ends = dict[tuple[int, int], Any]


@cache
def r_figures() -> dict[str, Any]:
    """Figures of R (tests/oracle/design_exact.R)."""
    return json.loads((ORACLE / "design_exact.json").read_text(encoding="utf-8"))


def pmf(n: int, x: int, p: Any) -> Any:
    """Probability of x responders of n."""
    return comb(n, x) * p**x * (1 - p) ** (n - x) if 0 <= x <= n else 0 * p


def upper(n: int, x: int, p: Any) -> Any:
    """Probability of x responders or more of n."""
    return sum((pmf(n, k, p) for k in range(max(x, 0), n + 1)), 0 * p)


def ends(n: tuple[int, ...], futility: tuple[int | None, ...], efficacy: tuple[int | None, ...], p: Any) -> Ends:
    """Probability of every end (look from 0, responders), by following every way on from every state."""
    found: Ends = {}

    steps = [b - a for a, b in zip((0, *n), n, strict=False)]
    masses = [[pmf(step, more, p) for more in range(step + 1)] for step in steps]
    states: list[dict[int, Any]] = [{} for _ in n]

    def follow(look: int, responders: int, probability: Any) -> None:
        for more, mass in enumerate(masses[look]):
            states[look][responders + more] = states[look].get(responders + more, 0) + probability * mass

    follow(0, 0, 1)
    for look in range(len(n)):
        for x, probability in sorted(states[look].items()):
            low, high = futility[look], efficacy[look]
            if (low is not None and x <= low) or (high is not None and x >= high):
                found[look, x] = probability
            else:
                follow(look + 1, x, probability)
    return found


def characteristics(design: Any, p: Any) -> tuple[Any, Any, Any]:
    """Success, expected subjects and early stop of a Staged design."""
    outcomes = ends(design.n, design.futility, design.efficacy, p)
    won = sum(q for (look, x), q in outcomes.items() if design.efficacy[look] is not None and x >= design.efficacy[look])
    expected = sum(q * design.n[look] for (look, _), q in outcomes.items())
    early = sum((q for (look, _), q in outcomes.items() if look < len(design.n) - 1), 0 * p)
    return won, expected, early


def two_stage_success(r1: int, n1: int, e1: int, r: int, n: int, p: Any) -> Any:
    """Simon's design, with success at once from e1 responders on (n1 + 1: never)."""
    return upper(n1, e1, p) + sum(pmf(n1, x, p) * upper(n - n1, r + 1 - x, p) for x in range(r1 + 1, e1))


def all_two_stage(
    p0: float, p1: float, alpha: float, beta: float, n_max: int, *, efficacy: bool = False, under: str = "p0"
) -> Iterator[tuple[float, int, int, int, int, int]]:
    """Every design that meets both errors: expected subjects, n, n1, r1, e1, r. Only those that never differ from another are left out
    (a first stage that decides, a second that cannot)."""
    masses = {p: [[pmf(n, x, p) for x in range(n + 1)] for n in range(n_max + 1)] for p in (p0, p1)}
    tails = {p: [[sum(row[x:]) for x in range(len(row))] + [0.0] * (n_max + 2) for row in masses[p]] for p in (p0, p1)}

    def success(p: float, r1: int, n1: int, e1: int, r: int, n: int) -> float:
        first, second = masses[p][n1], tails[p][n - n1]
        return tails[p][n1][e1] + sum(first[x] * second[max(r + 1 - x, 0)] for x in range(r1 + 1, e1))

    wanted = {"p0": p0, "p1": p1}[under]
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            for r1 in range(n1):
                for e1 in range(r1 + 2, n1 + 2) if efficacy else (n1 + 1,):
                    inside = sum(masses[wanted][n1][r1 + 1 : e1])
                    for r in range(r1 + 1, n):
                        if success(p0, r1, n1, e1, r, n) <= alpha and success(p1, r1, n1, e1, r, n) >= 1 - beta:
                            yield n1 + inside * (n - n1), n, n1, r1, e1, r
