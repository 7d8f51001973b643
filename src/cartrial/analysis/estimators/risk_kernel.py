"""In which order do subjects leave, group by group? A counting sort by time and state, then by group."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartrial.kernels import kernel

__all__ = ["sort_departures"]

# of arrays of int64
Integers = Any


@kernel
def sort_departures(groups: Integers, leaving: Integers, starts: Integers, width: int, packed: Integers) -> None:
    """Write `group * width + leaving` of each row into `packed`, rising.

    `groups`: group of each row. `leaving`: 0 to `width` - 1, the rank of its time and its state. `starts`: how many rows stand before
    each group, and the number of rows. All of int64.
    """
    n = len(groups)
    place = np.zeros(width + 1, np.int64)
    for i in range(n):
        place[leaving[i] + 1] += 1
    for k in range(width):
        place[k + 1] += place[k]
    group, key = np.empty(n, np.int32), np.empty(n, np.int32)
    for i in range(n):
        k = leaving[i]
        group[place[k]] = groups[i]
        key[place[k]] = k
        place[k] += 1
    free = starts.copy()
    for i in range(n):
        g = np.int64(group[i])
        packed[free[g]] = g * width + key[i]
        free[g] += 1
