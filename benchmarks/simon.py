"""How fast is the search for Simon's designs, against a plain NumPy enumeration of all designs, in one run?

    python benchmarks/simon.py [--p0 0.2] [--p1 0.35] [--alpha 0.05] [--beta 0.1] [--n-max 100]

The package: `design_simon`, compiled, median of nine after one that compiles. NumPy: for every n and n1 a matrix over all r1 and r at
once, once. The optimal and the minimax design must be the same, and their expected numbers equal to 1e-9.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from scipy.stats import binom

from cartrial.design.exact.simon import SimonDesigns, design_simon
from cartrial.design.exact.staged import operate

Design = tuple[float, int, int, int, int]


def enumerate_designs(p0: float, p1: float, alpha: float, beta: float, n_max: int) -> tuple[Design, Design]:
    """Return the optimal and the minimax design: expected subjects, n, n1, r1, r (the highest r with the power)."""
    count = np.arange(n_max + 2)
    mass = {p: binom.pmf(count[None, :], count[: n_max + 1, None], p) for p in (p0, p1)}
    tail = {p: binom.sf(count[None, :] - 1, count[: n_max + 1, None], p) for p in (p0, p1)}
    optimal = minimax = (np.inf, n_max + 1, 0, 0, 0)
    for n in range(2, n_max + 1):
        r = np.arange(n)
        for n1 in range(1, n):
            x = np.arange(n1 + 1)
            need = np.clip(r[None, :] + 1 - x[:, None], 0, n - n1 + 1)
            success = {}
            for p in (p0, p1):
                paths = mass[p][n1, : n1 + 1, None] * tail[p][n - n1][need]
                success[p] = np.cumsum(paths[::-1], axis=0)[::-1][1:]  # row r1: more than r1 responders in the first stage
            good = (success[p0] <= alpha) & (success[p1] >= 1 - beta) & (r[None, :] > x[:-1, None])
            if not good.any():
                continue
            expected = n1 + tail[p0][n1, 1 : n1 + 1] * (n - n1)
            r1 = int(np.argmin(np.where(good.any(axis=1), expected, np.inf)))
            found = (float(expected[r1]), n, n1, r1, int(np.flatnonzero(good[r1])[-1]))
            optimal = min(optimal, found)
            minimax = min(minimax, found, key=lambda design: (design[1], design[0]))
    return optimal, minimax


def time_package(errors: tuple[float, float, float, float], n_max: int) -> tuple[float, float, SimonDesigns]:
    """Return the seconds of the first call, the median of nine more, and the designs."""
    start = time.perf_counter()
    found = design_simon(*errors, n_max=n_max)
    first = time.perf_counter() - start
    seconds = []
    for _ in range(9):
        start = time.perf_counter()
        found = design_simon(*errors, n_max=n_max)
        seconds.append(time.perf_counter() - start)
    return first, statistics.median(seconds), found


def main() -> None:
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("p0", 0.2), ("p1", 0.35), ("alpha", 0.05), ("beta", 0.1)):
        parser.add_argument(f"--{name}", type=float, default=value)
    parser.add_argument("--n-max", type=int, default=100)
    given = parser.parse_args()
    errors = (given.p0, given.p1, given.alpha, given.beta)
    first, seconds, found = time_package(errors, given.n_max)
    print(
        f"cartrial: {1000 * seconds:.2f} ms, all admissible designs (median of 9; the first call {first:.2f} s, imports and compiled code)"
    )
    start = time.perf_counter()
    expected = enumerate_designs(*errors, given.n_max)
    plain = time.perf_counter() - start
    for name, design, other in (("optimal", found.optimal, expected[0]), ("minimax", found.minimax, expected[1])):
        (n1, n), (r1, r) = design.n, design.futility
        subjects = float(operate(design, given.p0).expected_n)
        if (n, n1, r1, r) != other[1:] or abs(subjects - other[0]) > 1e-9:
            raise SystemExit(f"{name}: {r1}/{n1} {r}/{n}, {subjects} expected, but NumPy has {other}")
        print(f"{name}: {r1}/{n1} {r}/{n}, {subjects:.2f} expected, the same by both")
    print(f"NumPy enumeration: {plain:.2f} s, {plain / seconds:.0f} times as long")


if __name__ == "__main__":
    main()
