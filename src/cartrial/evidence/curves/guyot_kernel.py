"""What does Guyot's algorithm make of clicks? One stretch between printed numbers at risk after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel

__all__ = ["Clicks", "fill_counts"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ROUNDS = 400


class Clicks(NamedTuple):
    """Points of a curve and the stretches between printed numbers at risk.

    `time`, `survival`: of the points, the first at time 0. `first`: the first point of each stretch, and the number of points.
    `at_risk`: at the start of each stretch. `end`: where each stretch ends.
    """

    time: Floats
    survival: Floats
    first: Integers
    at_risk: Integers
    end: Floats


@kernel
def fill_counts(clicks: Clicks, lost: Floats, closed: int, events: Integers, censored: Integers) -> None:
    """Fill events and censored at each point.

    Guyot P, Ades AE, Ouwens MJNM, Welton NJ. BMC Med Res Methodol 2012;12:9 (doi:10.1186/1471-2288-12-9), its steps 1 to 5. `lost`: how
    many are censored in each stretch, of which the first `closed` are corrected here until the number at risk at their end is met.
    """
    last_survival, at_risk = 1.0, clicks.at_risk[0]
    for stretch in range(len(clicks.at_risk)):
        low, high = clicks.first[stretch], clicks.first[stretch + 1]
        start = clicks.at_risk[stretch]
        at_risk = start if stretch <= closed else at_risk
        begin = clicks.time[low] if low < high else clicks.end[stretch]
        width = clicks.end[stretch] - begin
        kept = last_survival
        for _ in range(ROUNDS):
            here, survival = at_risk, kept
            whole = int(np.floor(max(lost[stretch], 0.0) + 0.5))
            for k in range(low, high):
                fallen = here * (1.0 - clicks.survival[k] / survival) if survival > 0.0 else 0.0
                d = min(max(int(np.floor(fallen + 0.5)), 0), here)
                if d > 0:
                    survival = survival * (1.0 - d / here)
                until = clicks.time[k + 1] if k + 1 < high else clicks.end[stretch]
                share_from = (clicks.time[k] - begin) / width if width > 0.0 else 0.0
                share_to = (until - begin) / width if width > 0.0 else 1.0
                c = int(np.floor(whole * share_to + 0.5)) - int(np.floor(whole * share_from + 0.5))
                events[k], censored[k] = d, min(max(c, 0), here - d)
                here -= d + censored[k]
            if stretch >= closed:
                break
            miss = here - clicks.at_risk[stretch + 1]
            if miss == 0 or (miss < 0 and whole == 0):
                break
            lost[stretch] = whole + miss
        last_survival = survival
        at_risk = here
