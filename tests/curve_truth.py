"""Curves whose individuals R knew: what a figure of them shows, as tests/oracle/curves.R keeps it, read as a drawing or an image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np

from cartrial.evidence.curves import Reading
from helpers import ROOT

SETS = ("gbsg", "veteran", "lung", "colon")
FIGURES = ROOT / "tests" / "evidence" / "figures"


@dataclass(frozen=True)
class Arm:
    """One arm: what a figure shows of it, and what stands beside it."""

    end: float
    n: int
    events: int
    time: np.ndarray
    survival: np.ndarray
    marks: np.ndarray
    last: float
    rows: list[tuple[float, int]]

    def vector(self, *, ticks: bool) -> Reading:
        """Vertices in units of 0.01 pt of 400 × 300 pt."""
        errors = self.end / 40000 / np.sqrt(12), 1 / 30000 / np.sqrt(12)
        return Reading("vector", self.time, self.survival, self.last, self.marks if ticks else None, *errors)

    def pixel(self) -> Reading:
        """1000 × 600 pixels: the last level of each column, to half a row."""
        column, row = np.floor(self.time / self.end * 1000 + 0.5), np.round(self.survival * 1200)
        last = np.append(column[1:] != column[:-1], True)
        return Reading("pixel", column[last] / 1000 * self.end, row[last] / 1200, self.last, None, self.end / 3464, 1 / 4157)

    def clicks(self) -> Reading:
        """Every drop, as if clicked without error."""
        return Reading("clicks", self.time, self.survival, self.last, None, self.end / 1000, 1e-4)


@dataclass(frozen=True)
class Truth:
    """Two arms and the log hazard ratio, its standard error and the log-rank chi-square of their individuals."""

    log_hr: float
    se: float
    logrank: float
    arms: tuple[Arm, Arm]


@cache
def truth(name: str) -> Truth:
    """Return what R says of a set."""
    found = json.loads((ROOT / "tests" / "oracle" / "curves.json").read_text(encoding="utf-8"))
    one, meta = found[name], found["meta"]
    return Truth(one["log_hr"], one["se"], one["logrank"], tuple(_arm(arm, one["end"], meta) for arm in one["arms"].values()))


def _arm(arm: dict, end: float, meta: dict) -> Arm:
    drops, ticks = np.array(arm["drops"], float), np.array(arm["ticks"], float)
    scale = end / meta["width"]
    rows = [(end * k / 8, count) for k, count in enumerate(arm["rows"])]
    survival = drops[:, 1] / meta["height"]
    return Arm(end, arm["n"], arm["events"], drops[:, 0] * scale, survival, ticks[:, 0] * scale, arm["last"] * scale, rows)
