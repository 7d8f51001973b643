"""Which method printed the limits of a rate? All of those in use are asked, for all rates at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.evidence.registry.stated import decimals, exact

__all__ = ["CLASSES", "Asked", "Fit", "fit_limits"]

Floats = NDArray[np.float64]
CLASSES = ("exact", "rounded twice", "truncated", "one unit")
"""How well printed limits fit, the best first: by one rounding, only so, or within a unit of the last decimal."""
_NONE = len(CLASSES)


@dataclass(frozen=True)
class Asked:
    """Printed limits of a count of n, in per cent."""

    count: int
    of: int
    lower: str
    upper: str
    level: float = 0.95


@dataclass(frozen=True)
class Fit:
    """A method that printed the limits, how well, and its own limits in per cent."""

    method: str
    kind: str
    lower: float
    upper: float


def fit_limits(asked: Sequence[Asked]) -> list[tuple[Fit, ...]]:
    """Return for each rate the methods that could have printed its limits, the best fits first.

    Parameters
    ----------
    asked : sequence of Asked

    Returns
    -------
    list of tuple of Fit
        Of each rate; empty where no method comes within a unit.

    Examples
    --------
    34 of 48: the upper limit of Clopper and Pearson is 83.047, which prints 83.1 only by way of 83.05.

    >>> from cartrial.evidence import Asked, fit_limits
    >>> [(fit.method, fit.kind) for fit in fit_limits([Asked(34, 48, "55.9", "83.1")])[0]][:1]
    [('Clopper-Pearson', 'rounded twice')]
    """
    # the estimators bring the tables of a study with them, which nobody needs who lists results
    from cartrial.analysis.estimators.rate_methods import METHODS, method_limits

    fits: list[list[Fit]] = [[] for _ in asked]
    levels = defaultdict(list)
    for place, one in enumerate(asked):
        levels[one.level].append(place)
    for level, places in levels.items():
        x, n = (np.array([getattr(asked[place], name) for place in places]) for name in ("count", "of"))
        printed = [[getattr(asked[place], name) for place in places] for name in ("lower", "upper")]
        for method in METHODS:
            limits = [100 * values for values in method_limits(x, n, method, level)]
            worst = np.maximum(*(_classes(values, texts) for values, texts in zip(limits, printed, strict=True)))
            for i, place in enumerate(places):
                if worst[i] < _NONE:
                    fits[place].append(Fit(method, CLASSES[worst[i]], float(limits[0][i]), float(limits[1][i])))
    return [tuple(sorted(found, key=lambda fit: CLASSES.index(fit.kind))) for found in fits]


def _classes(values: Floats, texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each value's class in `CLASSES`; their number where it is in none."""
    scale = 10.0 ** np.array([decimals(text) for text in texts])
    wanted = np.array([float(exact(text)) for text in texts]) * scale
    # a limit that is known exactly (0, 1) is no irrational number: 9 decimals decide a half
    units = np.round(values * scale, 9)
    twice = np.floor(np.floor(units * 10 + 0.5) / 10 + 0.5)
    ways = [np.floor(units + 0.5) == wanted, twice == wanted, np.floor(units) == wanted, np.abs(units - wanted) <= 1]
    return np.select(ways, list(range(_NONE)), _NONE)
