"""Which two-stage design for response and toxicity expects the fewest subjects? A search that leaves out only what cannot win."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartrial.kernels import kernel

__all__ = ["search_bryant_day"]


@kernel
def search_bryant_day(mass: Any, tail: Any, alphas: Any, power: float, n1_low: int, n1_high: int, tie: float, best: Any) -> None:
    """Fill the best design of each number of subjects, where it beats every design of fewer subjects.

    Parameters
    ----------
    mass, tail : ndarray of float64, shape (2, 2, subjects + 1, subjects + 2)
        Binomial probabilities and upper tails: endpoint (response, no toxicity), hypothesis (null, alternative), n, x.
    alphas : ndarray of float64, shape (2,)
        Probability of success at most, where only the response rate, or only the toxicity, is unacceptable.
    power : float
        Probability of success at least, where both are acceptable.
    n1_low, n1_high : int
        Subjects of the first stage, from and to.
    tie : float
        Expected numbers of subjects this near are equal.
    best : ndarray of float64, shape (subjects + 1, 6)
        Filled where a design of n subjects expects fewer subjects than all designs of fewer: n1, response at most at each stage, no
        toxicity at most at each stage, expected subjects (the larger of the two with one endpoint unacceptable). Elsewhere 0.

    Notes
    -----
    Response and toxicity are independent, so the probability of success is the product of two one-endpoint two-stage designs. What is
    left out cannot win: each endpoint alone must have the power, so its false success is at most alpha over the power; the other
    endpoint goes on with at least the power. Boundaries are tried from the highest.
    """
    most = best.shape[0] - 1
    least = 1e300
    rows = np.empty((2, (most + 1) * (most + 1), 6))
    found = np.zeros(2, np.int64)
    for n in range(n1_low + 1, most + 1):
        reach = True
        for e in range(2):
            limit = alphas[e] / power
            r = n + 1
            while r > 0 and tail[e, 0, n, r - 1] <= limit:
                r -= 1
            if r > 0:
                share = (limit - tail[e, 0, n, r]) / mass[e, 0, n, r - 1]
                if tail[e, 1, n, r] + share * mass[e, 1, n, r - 1] < power:
                    reach = False
        if not reach:
            continue
        for n1 in range(n1_low, min(n1_high, n - 1) + 1):
            if n1 >= least - tie:
                break
            n2 = n - n1
            for e in range(2):
                found[e] = 0
                for first in range(n1 - 1, -1, -1):
                    on0, on1 = tail[e, 0, n1, first + 1], tail[e, 1, n1, first + 1]
                    if on1 < power or n1 + on0 * power * n2 >= least - tie:
                        continue
                    for last in range(n - 1, first - 1, -1):
                        if tail[e, 1, n, last + 1] < power:
                            continue
                        won, lost = 0.0, 0.0
                        for x in range(first + 1, n1 + 1):
                            need = min(max(last + 1 - x, 0), n2 + 1)
                            won += mass[e, 1, n1, x] * tail[e, 1, n2, need]
                            lost += mass[e, 0, n1, x] * tail[e, 0, n2, need]
                        if lost * power > alphas[e]:
                            break
                        if won >= power:
                            k = found[e]
                            rows[e, k, 0], rows[e, k, 1] = first, last
                            rows[e, k, 2], rows[e, k, 3] = lost, won
                            rows[e, k, 4], rows[e, k, 5] = on0, on1
                            found[e] = k + 1
                if found[e] == 0:
                    break
            if found[0] == 0 or found[1] == 0:
                continue
            for i in range(found[0]):
                for j in range(found[1]):
                    expected = n1 + n2 * max(rows[0, i, 4] * rows[1, j, 5], rows[0, i, 5] * rows[1, j, 4])
                    if expected >= least - tie or rows[0, i, 3] * rows[1, j, 3] < power:
                        continue
                    if rows[0, i, 2] * rows[1, j, 3] <= alphas[0] and rows[0, i, 3] * rows[1, j, 2] <= alphas[1]:
                        least = expected
                        best[n, 0] = n1
                        best[n, 1], best[n, 2] = rows[0, i, 0], rows[0, i, 1]
                        best[n, 3], best[n, 4] = rows[1, j, 0], rows[1, j, 1]
                        best[n, 5] = expected
