"""What does a model's picture hold? Plain arrays, which a page or a notebook draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Line", "Panel"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """One curve, or points.

    Parameters
    ----------
    x, y : array of shape (points,)
    lower, upper : array of shape (points,), optional
        A band, or the whiskers of points.
    style : str
        ``curve``, ``dashed`` or ``points``.
    """

    x: Array
    y: Array
    lower: Array | None = None
    upper: Array | None = None
    style: str = "curve"


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Parameters
    ----------
    x, y : str
        Titles of the axes, with units.
    lines : mapping of str to Line
        By label.
    log : bool
        Whether the vertical axis is logarithmic.
    low, high : float, optional
        Ends of the vertical axis; what lies outside is cut off.
    limits : mapping of str to float
        Horizontal lines, by label.
    """

    x: str
    y: str
    lines: Mapping[str, Line]
    log: bool = True
    low: float | None = None
    high: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
