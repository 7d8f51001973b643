"""With what probability does a staged design stop at each look? By recursion over the number of responders."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartrial.kernels import kernel

__all__ = ["run_looks"]


@kernel
def run_looks(n: Any, low: Any, high: Any, p: Any, futility: Any, efficacy: Any, stopped: Any) -> None:
    """Fill the probabilities of stopping.

    Parameters
    ----------
    n : ndarray of int64, shape (looks,)
        Cumulative subjects, increasing.
    low, high : ndarray of int64, shape (looks,)
        Stop at a look with so many responders or fewer (-1: never), or with so many or more (n + 1: never).
    p : ndarray of float64, shape (rates,)
        True response rates, 0 to 1.
    futility, efficacy : ndarray of float64, shape (rates, looks)
        Filled: probability of stopping at the look below, and above.
    stopped : ndarray of float64, shape (rates or 0, looks, last n + 1)
        Filled where it has rows: probability of stopping at the look with so many responders.

    Notes
    -----
    A binomial probability is a product of ratios, from the mode outwards, divided by the sum: its relative error is a few times
    the machine's precision, for any number of subjects.
    """
    keep = stopped.shape[0] > 0
    most = n[-1]
    now, after, mass = np.zeros(most + 1), np.zeros(most + 1), np.zeros(most + 1)
    for j in range(len(p)):
        rate = p[j]
        now[:] = 0.0
        now[0] = 1.0
        before, first, last = 0, 0, 0
        for k in range(len(n)):
            m = n[k] - before
            mass[: m + 1] = 0.0
            if rate <= 0.0:
                mass[0] = 1.0
            elif rate >= 1.0:
                mass[m] = 1.0
            else:
                odds = rate / (1.0 - rate)
                mode = min(int((m + 1) * rate), m)
                mass[mode] = 1.0
                total = 1.0
                for y in range(mode, m):
                    mass[y + 1] = mass[y] * (odds * (m - y) / (y + 1))
                    total += mass[y + 1]
                for y in range(mode, 0, -1):
                    mass[y - 1] = mass[y] * (y / (odds * (m - y + 1)))
                    total += mass[y - 1]
                for y in range(m + 1):
                    mass[y] /= total
            after[: n[k] + 1] = 0.0
            for x in range(first, last + 1):
                for y in range(m + 1):
                    after[x + y] += now[x] * mass[y]
            below, above = 0.0, 0.0
            for x in range(first, last + m + 1):
                if x <= low[k]:
                    below += after[x]
                elif x >= high[k]:
                    above += after[x]
                else:
                    continue
                if keep:
                    stopped[j, k, x] = after[x]
            futility[j, k] = below
            efficacy[j, k] = above
            first, last = max(first, low[k] + 1), min(last + m, high[k] - 1)
            for x in range(first, last + 1):
                now[x] = after[x]
            before = n[k]
