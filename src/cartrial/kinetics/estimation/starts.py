"""Where does a search begin? At what the samples show, and at random about it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cartrial.kinetics.codes import ABOVE, MEASURED, MOST_PARAMETERS
from cartrial.kinetics.estimation.saem import Estimate
from cartrial.kinetics.model import Problem, SampleSet

__all__ = ["start_of"]

_USUAL = {"fold": 1000.0, "rho": 1.0, "tmax": 10.0, "cmax": 100.0, "alpha": 0.15, "fb": 0.02, "beta": 0.005, "tlag": 1.0}
_SPREAD = {"tmax": 0.5, "fold": 1.5}


def start_of(problem: Problem, seed: int, number: int, given: Mapping[str, float] | None = None) -> Estimate:
    """Return where a search begins: from the samples, and after the first at random about it."""
    values = {**_USUAL, **_seen(problem.samples), **(given or {})}
    away = np.random.Generator(np.random.Philox(key=[seed & (2**64 - 1), number])).standard_normal(MOST_PARAMETERS)
    model = problem.model
    common = np.zeros(MOST_PARAMETERS)
    for place, name in enumerate(model.parameters):
        low, high = model.bounds.get(name, (0.0, 0.0))
        value = values[name]
        if not model.logarithms:
            common[place] = value * (1.0 + 0.1 * away[place] * (number > 0))
            continue
        if high > 0:
            inside = min(max((value - low) / (high - low), 0.1), 0.9)
            common[place] = np.log(inside / (1.0 - inside))
        else:
            common[place] = np.log(value)
        common[place] += 0.5 * away[place] * (number > 0) * (0.3 if name == "tmax" else 1.0)
    coefficients = np.zeros(len(problem.names))
    spread = np.empty(len(model.random))
    for j, name in enumerate(model.random):
        coefficients[j] = common[model.parameters.index(name)]
        spread[j] = 0.2 * abs(coefficients[j]) if not model.logarithms else _SPREAD.get(name, 1.0)
    error = 0.1 * float(np.abs(problem.samples.rows.value).mean()) if not model.logarithms else 1.0
    never = float(problem.samples.never.mean())
    return Estimate(coefficients, np.diag(spread**2), common, error, min(max(1.0 - never, 0.05), 0.98) if problem.classes else 1.0)


def _seen(samples: SampleSet) -> dict[str, float]:
    """Return the median peak and its median day, of subjects with a quantifiable sample."""
    rows = samples.rows
    peaks, days = [], []
    for first, last in zip(rows.first[:-1], rows.first[1:], strict=True):
        values = np.where((rows.side[first:last] == MEASURED) | (rows.side[first:last] == ABOVE), rows.value[first:last], -np.inf)
        at = int(np.argmax(values))
        if np.isfinite(values[at]):
            peaks.append(values[at])
            days.append(max(rows.time[first + at], 0.5))
    return {"cmax": float(np.exp(min(np.median(peaks), 100.0))), "tmax": float(np.median(days))}
