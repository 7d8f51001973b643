"""What does a design do that stops for too few responders or for too many toxicities? One pass subject by subject over both counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartrial.kernels import kernel

__all__ = ["run_joint"]


@kernel
def run_joint(n: Any, low: Any, high: Any, cells: Any, success: Any, expected: Any, stops: Any) -> None:
    """Fill the probability of passing every look, and the expected number of subjects.

    Parameters
    ----------
    n : ndarray of int64, shape (looks,)
        Cumulative subjects, increasing.
    low : ndarray of int64, shape (sets, looks)
        Stop with so many responders or fewer; -1: never.
    high : ndarray of int64, shape (sets, looks)
        Stop with so many toxicities or more; n + 1: never.
    cells : ndarray of float64, shape (truths, 4)
        Probability of response with toxicity, response without, no response with toxicity, and neither.
    success, expected : ndarray of float64, shape (sets, truths)
        Filled.
    stops : ndarray of float64, shape (sets or 0, truths, looks, 3)
        Filled where it has rows: probability of stopping at the look for too few responders alone, toxicities alone, and both.
    """
    keep = stops.shape[0] > 0
    now = np.zeros((n[-1] + 1, n[-1] + 1))
    for d in range(low.shape[0]):
        for j in range(cells.shape[0]):
            both, response, toxicity, neither = cells[j, 0], cells[j, 1], cells[j, 2], cells[j, 3]
            first, last, most, before = 0, 0, 0, 0
            now[0, 0] = 1.0
            subjects, passed = 0.0, 0.0
            for k in range(len(n)):
                left = 0.0
                for x in range(first, last + 1):
                    for y in range(most + 1):
                        left += now[x, y]
                subjects += left * (n[k] - before)
                for _ in range(before, n[k]):
                    last += 1
                    most += 1
                    for y in range(most + 1):
                        now[last, y] = 0.0
                    for x in range(first, last):
                        now[x, most] = 0.0
                    for x in range(last, first - 1, -1):
                        for y in range(most, -1, -1):
                            value = now[x, y] * neither
                            if y > 0:
                                value += now[x, y - 1] * toxicity
                            if x > first:
                                value += now[x - 1, y] * response
                                if y > 0:
                                    value += now[x - 1, y - 1] * both
                            now[x, y] = value
                before = n[k]
                if keep:
                    for x in range(first, last + 1):
                        for y in range(most + 1):
                            if x <= low[d, k] and y >= high[d, k]:
                                stops[d, j, k, 2] += now[x, y]
                            elif x <= low[d, k]:
                                stops[d, j, k, 0] += now[x, y]
                            elif y >= high[d, k]:
                                stops[d, j, k, 1] += now[x, y]
                first, most = max(first, low[d, k] + 1), min(most, high[d, k] - 1)
                if first > last or most < 0:
                    break
                if k == len(n) - 1:
                    for x in range(first, last + 1):
                        for y in range(most + 1):
                            passed += now[x, y]
            success[d, j] = passed
            expected[d, j] = subjects
