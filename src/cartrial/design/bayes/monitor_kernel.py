"""How do many sets of boundaries do at several rates? One pass subject by subject."""

from __future__ import annotations

import numpy as np

from cartrial.design.bayes.joint_kernel import Floats, Integers
from cartrial.kernels import kernel

__all__ = ["run_many"]


@kernel
def run_many(n: Integers, low: Integers, high: Integers, p: Floats, crossed: Floats, expected: Floats) -> None:
    """Fill the probability of crossing the upper boundary, and the expected number of subjects.

    Parameters
    ----------
    n : ndarray of int64, shape (looks,)
        Cumulative subjects, increasing.
    low, high : ndarray of int64, shape (sets, looks)
        Stop at a look with so many events or fewer (-1: never), or with so many or more (n + 1: never).
    p : ndarray of float64, shape (rates,)
        True rates.
    crossed, expected : ndarray of float64, shape (sets, rates)
        Filled.
    """
    now = np.zeros(n[-1] + 1)
    for d in range(low.shape[0]):
        for j in range(len(p)):
            yes, no = p[j], 1.0 - p[j]
            first, last, before = 0, 0, 0
            now[0] = 1.0
            above, subjects = 0.0, 0.0
            for k in range(len(n)):
                left = 0.0
                for x in range(first, last + 1):
                    left += now[x]
                subjects += left * (n[k] - before)
                for _ in range(before, n[k]):
                    last += 1
                    now[last] = now[last - 1] * yes
                    for x in range(last - 1, first, -1):
                        now[x] = now[x] * no + now[x - 1] * yes
                    now[first] *= no
                before = n[k]
                for x in range(max(first, high[d, k]), last + 1):
                    above += now[x]
                first, last = max(first, low[d, k] + 1), min(last, high[d, k] - 1)
                if first > last:
                    break
            crossed[d, j] = above
            expected[d, j] = subjects
