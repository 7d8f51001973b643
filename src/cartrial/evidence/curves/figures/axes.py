"""Where on a figure are time and survival? From the marks of the axes and their numbers, or as is given."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cartrial.errors import InputError
from cartrial.evidence.curves.figures.shapes import Drawing, Floats, Word

__all__ = ["Axis", "axis_of_marks", "find_axes", "given_axis", "survival_scale"]

NUMBER = re.compile(r"[-−–]?(\d+(\.\d*)?|\.\d+)%?")
# marks are short, and their numbers near; in sizes of the drawing and of the letters
SHORT, NEAR = 0.05, 3.5
FORM = "Write POSITION=VALUE,POSITION=VALUE with two places of the axis"
MARKS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True)
class Axis:
    """A straight axis: value = at_zero + slope · position.

    Parameters
    ----------
    at_zero, slope : float
    residual : float
        Root mean square of its marks against their numbers, in the unit of the values.
    first, last : float
        The smallest and the largest number beside it.
    marks : tuple of (float, float)
        Positions of the marks, and the numbers beside them.
    """

    at_zero: float
    slope: float
    residual: float
    first: float
    last: float
    marks: tuple[tuple[float, float], ...] = ()

    def value(self, position: Floats) -> Floats:
        """Return the values at positions."""
        return self.at_zero + self.slope * np.asarray(position, float)


def given_axis(text: str, key: str) -> Axis:
    """Read an axis that is given as two positions with their values.

    Raises
    ------
    InputError
        If the text is no such pair.

    Examples
    --------
    >>> from cartrial.evidence.curves.figures.axes import given_axis
    >>> axis = given_axis("100=0,500=40", "--x-axis")
    >>> float(axis.value(300.0))
    20.0
    """
    number = r"\s*(-?\d+(?:\.\d+)?)\s*"
    found = re.fullmatch(f"{number}={number},{number}={number}", text)
    if not found:
        raise InputError(f"'{text}' is no axis", key=key, right=FORM)
    place, value, other_place, other = (float(part) for part in found.groups())
    if place == other_place or value == other:
        raise InputError(f"'{text}' has one place twice", key=key, right=FORM)
    slope = (other - value) / (other_place - place)
    return Axis(value - slope * place, slope, 0.0, min(value, other), max(value, other))


def axis_of_marks(text: str, drawing: Drawing, along: int, key: str) -> Axis | None:
    """Read an axis that is given as the values of its first and its last mark, FIRST:LAST; None where the text has another form.

    Raises
    ------
    InputError
        If the drawing has no row of marks there.
    """
    found = MARKS.fullmatch(text)
    if not found:
        return None
    first, last = (float(part) for part in found.groups())
    rows = [(places, level) for places, level in _marks(drawing, along) if _even(places)]
    if not rows or first >= last:
        what = "no row of evenly set marks was found" if not rows else f"'{text}' does not rise"
        raise InputError(what, key=key, right=FORM)
    # the outermost of the rows with most marks: below the curve, or to its left
    most = max(len(places) for places, _ in rows)
    places, _ = min((row for row in rows if len(row[0]) >= 0.7 * most), key=lambda row: row[1])
    slope = (last - first) / float(places[-1] - places[0])
    return Axis(
        first - slope * float(places[0]),
        slope,
        0.0,
        first,
        last,
        tuple((float(at), first + slope * float(at - places[0])) for at in places),
    )


def _even(places: Floats) -> bool:
    step = np.diff(places)
    return len(places) >= 3 and float(np.ptp(step)) < 0.02 * float(step.mean())


def survival_scale(axis: Axis) -> float:
    """Return 100 where an axis is in per cent, 1 where it is in fractions."""
    return 100.0 if max(abs(axis.first), abs(axis.last)) > 1.5 else 1.0


def find_axes(drawing: Drawing) -> tuple[Axis | None, Axis | None]:
    """Find the time axis and the survival axis of a drawing by the marks that have numbers beside them; None where there is none."""
    return _find(drawing, 0), _find(drawing, 1)


def _find(drawing: Drawing, along: int) -> Axis | None:
    """Of the rows of marks the one with the most numbers beside it; of equal ones the one with the least residual."""
    found = [axis for places, level in _marks(drawing, along) if (axis := _labelled(places, level, drawing.words, along))]
    return max(found, key=lambda axis: (len(axis.marks), -axis.residual), default=None)


def _marks(drawing: Drawing, along: int) -> Iterator[tuple[Floats, float]]:
    """Go through rows of at least two short marks across an axis, all at one level: their places along it, and the level."""
    size = max((float(shape.points.max()) for shape in drawing.shapes), default=1.0)
    rows: dict[tuple[float, float], list[float]] = {}
    for shape in drawing.shapes:
        width, height = shape.extent[along], shape.extent[1 - along]
        if len(shape.points) == 2 and width < 1e-6 * size and 0 < height < SHORT * size:
            low, high = shape.points[:, 1 - along].min(), shape.points[:, 1 - along].max()
            rows.setdefault((round(float(low), 1), round(float(high), 1)), []).append(float(shape.points[0, along]))
    for (low, high), places in rows.items():
        if len(set(places)) >= 2:
            yield np.unique(places), (low + high) / 2


def _labelled(places: Floats, level: float, words: tuple[Word, ...], along: int) -> Axis | None:
    """Return the axis of marks and their numbers: of the rows of numbers that stand at marks the nearest on a line."""
    step = float(np.diff(places).min())
    near = []
    for word in words:
        x, y = (word.x, word.y) if along == 0 else (word.y, word.x)
        mark = float(places[np.abs(places - x).argmin()])
        if NUMBER.fullmatch(word.text) and abs(y - level) < NEAR * word.size and abs(mark - x) < min(0.45 * step, word.size):
            value = float(word.text.replace("−", "-").replace("–", "-").rstrip("%"))
            near.append((abs(y - level), abs(mark - x), mark, value, word.size))
    for nearest, _, _, _, size in sorted(near):
        # numbers of a table below the axis stand farther away; beside an axis the middle of a longer number does too
        reach = nearest + (0.3, 1.5)[along] * size
        beside = sorted((aside, mark, value) for distance, aside, mark, value, _ in near if nearest <= distance <= reach)
        # of two numbers at one mark the one that is less aside
        row = {mark: value for _, mark, value in reversed(beside)}
        axis = _fitted(sorted(row.items())) if len(row) >= 2 else None
        if axis:
            return axis
    return None


def _fitted(found: list[tuple[float, float]]) -> Axis | None:
    """Return the straight axis through marks; None where they are on no line (a logarithmic axis, numbers of something else)."""
    place, value = np.array(found).T
    if len(np.unique(value)) < len(value):
        return None
    slope, at_zero = np.polyfit(place, value, 1)
    residual = float(np.sqrt(np.mean((at_zero + slope * place - value) ** 2)))
    extent = float(np.ptp(value))
    if slope <= 0 or residual > 0.005 * extent or not math.isfinite(residual):
        return None
    return Axis(
        float(at_zero), float(slope), residual, float(value.min()), float(value.max()), tuple((float(at), float(one)) for at, one in found)
    )
