"""Which survival curves does a drawing show, where do they fall, and where are their marks of censoring?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cartrial.errors import InputError
from cartrial.evidence.curves.figures.axes import Axis, axis_of_marks, find_axes, given_axis, survival_scale
from cartrial.evidence.curves.figures.shapes import LETTERS, Drawing, Floats, Shape
from cartrial.evidence.curves.reading import Reading

__all__ = ["DrawnCurve", "drawing_axes", "drawn_curves", "read_drawn"]

# of the survival axis: a curve begins as near to 1, and a mark is as near to its curve
NEAR_ONE, ON_CURVE = 0.02, 0.004
# of the axes: a mark is as small, a curve as long, and begins as near to 0
MARK, CURVE, START = 0.06, 0.05, 0.01
# of the error of a reading: places that were one, written in whole units
SAME = 5.0
GIVE_AXES = "Give --x-axis and --y-axis as FIRST:LAST, the numbers of the first and the last mark, or POSITION=VALUE,POSITION=VALUE"
PANEL = "; of a page with several figures give one with --box LEFT,BOTTOM,RIGHT,TOP"
# in sizes of a letter that stands for a mark: how far its middle is from it
LETTER = 0.5


@dataclass(frozen=True)
class DrawnCurve:
    """A curve of a drawing in the units of its axes.

    Parameters
    ----------
    colour : str
    dashed : bool
    points : ndarray of float64, shape (points, 2)
        Time and survival (a fraction) of the vertices.
    ticks : ndarray of float64, shape (ticks,)
        Times of the marks of censoring.
    rises : bool
    time_error, survival_error : float
    """

    colour: str
    dashed: bool
    points: Floats
    ticks: Floats
    rises: bool
    time_error: float
    survival_error: float


def drawn_curves(drawing: Drawing, x_axis: str | None, y_axis: str | None, *, file: str) -> list[DrawnCurve]:
    """Find the curves of a drawing: lines that begin at time 0 and survival 1, or at 0 and rise.

    Parameters
    ----------
    drawing : Drawing
    x_axis, y_axis : str or None
        As `given_axis` reads them; None: found.
    file : str
        For messages.

    Raises
    ------
    InputError
        If there are no lines (a bitmap), or an axis is not found.
    """
    if not any(len(shape.points) > 2 and shape.stroked for shape in drawing.shapes) and not _joined(drawing):
        if drawing.has_image:
            raise InputError(
                "the figure of this page is an image, not a drawing",
                file=file,
                right="Save it as PNG and give that, with its axes and colour",
            )
        raise InputError("nothing is drawn on this page", file=file, right="Name the page of the figure with --page")
    times, survival = drawing_axes(drawing, x_axis, y_axis, file=file)
    scale = survival_scale(survival)
    lines = [(shape.colour, shape.dashed, shape.points) for shape in drawing.shapes if len(shape.points) > 2 and shape.stroked]
    lines += _joined(drawing)
    extent = (times.last - times.first) or 1.0
    quantum = _quantum(drawing) / np.sqrt(12)
    # the place of survival 1 was rounded too
    errors = (
        abs(times.slope) * quantum + 0.2 * times.residual,
        1.5 * abs(survival.slope) * quantum / scale + 0.2 * survival.residual / scale,
    )
    curves = []
    for colour, dashed, points in lines:
        data = np.column_stack([times.value(points[:, 0]), survival.value(points[:, 1]) / scale])
        data = data if data[0, 0] <= data[-1, 0] else data[::-1]
        starts_at = data[0, 1]
        falls, rises = abs(starts_at - 1) < NEAR_ONE, abs(starts_at) < NEAR_ONE and data[-1, 1] > CURVE
        if abs(data[0, 0]) > START * extent or np.ptp(data[:, 0]) < CURVE * extent or not (falls or rises):
            continue
        if np.any(np.diff(data[:, 0]) < -2 * errors[0] - 1e-3 * extent):
            continue
        curves.append(DrawnCurve(colour, dashed, data, np.zeros(0), bool(rises), *errors))
    return [_with_ticks(curve, curves, drawing, times, survival) for curve in curves]


def drawing_axes(drawing: Drawing, x_axis: str | None, y_axis: str | None, *, file: str) -> tuple[Axis, Axis]:
    """Return the axes of time and of survival, found or as given.

    Raises
    ------
    InputError
        If one is neither found nor given.
    """
    found = find_axes(drawing)
    names = (("--x-axis", x_axis, "time"), ("--y-axis", y_axis, "survival"))
    axes = []
    for along, (axis, (key, given, name)) in enumerate(zip(found, names, strict=True)):
        if given:
            axis = axis_of_marks(given, drawing, along, key) or given_axis(given, key)
            if along and drawing.from_top and not axis.marks:
                axis = replace(axis, slope=-axis.slope)
        if axis is None:
            raise InputError(f"no {name} axis with marks and their numbers was found", file=file, key=key, right=GIVE_AXES + PANEL)
        axes.append(axis)
    return axes[0], axes[1]


def _joined(drawing: Drawing) -> list[tuple[str, bool, Floats]]:
    """Return lines that are drawn piece by piece: each piece begins where the one before it of its colour ended."""
    found: list[tuple[str, bool, Floats]] = []
    run: list[Shape] = []
    pieces = [shape for shape in drawing.shapes if len(shape.points) == 2 and shape.stroked]
    for piece in [*pieces, None]:
        if piece and run and piece.colour == run[-1].colour and np.allclose(piece.points[0], run[-1].points[1], atol=0.02):
            run.append(piece)
            continue
        if len(run) >= 3:
            found.append((run[0].colour, run[0].dashed, np.concatenate([run[0].points, *(part.points[1:] for part in run[1:])])))
        run = [piece] if piece else []
    return found


def _quantum(drawing: Drawing) -> float:
    """Return the unit in which the long lines are written."""
    points = np.concatenate([shape.points.ravel() for shape in drawing.shapes if len(shape.points) > 8 and shape.stroked] or [np.zeros(1)])
    # 1/256: what Cairo writes, in R's svg() too
    units = (1.0, 0.1, 0.01, 1 / 256, 1e-3)
    return next((unit for unit in units if np.allclose(points / unit, np.round(points / unit), rtol=0, atol=1e-3)), 1e-4)


def _with_ticks(curve: DrawnCurve, curves: list[DrawnCurve], drawing: Drawing, times: Axis, survival: Axis) -> DrawnCurve:
    """Return a curve with its marks of censoring: small shapes whose middle lies on it, of its colour or of no other curve's."""
    scale = survival_scale(survival)
    size = np.array([abs(MARK * (times.last - times.first) / times.slope), abs(MARK * scale / survival.slope)]).max()
    others = {other.colour for other in curves if other.colour != curve.colour}
    own: list[float] = []
    free: list[float] = []
    tall = abs(survival.slope) / scale
    small = [(shape.centre, shape.colour, ON_CURVE) for shape in drawing.shapes if 0 < shape.extent.max() <= size]
    small += [(np.array([word.x, word.y]), word.colour, LETTER * word.size * tall) for word in drawing.words if word.text in LETTERS]
    for centre, colour, near in small:
        if colour in others:
            continue
        time, level = float(times.value(centre[0])), float(survival.value(centre[1])) / scale
        if _on(curve, time, level, near) and (colour == curve.colour or level > ON_CURVE):
            (own if colour == curve.colour else free).append(time)
    found = np.sort(np.array(own or free, np.float64))
    if len(found):
        # a cross is two strokes with one middle
        apart = np.append(True, np.diff(found) > SAME * curve.time_error)
        found = found[apart]
    return DrawnCurve(curve.colour, curve.dashed, curve.points, found, curve.rises, curve.time_error, curve.survival_error)


def _on(curve: DrawnCurve, time: float, level: float, near: float) -> bool:
    """Say whether a place lies on a curve; R draws the mark of who is censored at the time of an event half-way down the drop."""
    tolerance = SAME * curve.time_error
    if not curve.points[0, 0] + tolerance < time <= curve.points[-1, 0] + tolerance:
        return False
    last = int(np.searchsorted(curve.points[:, 0], time + tolerance, side="right")) - 1
    earlier = int(np.searchsorted(curve.points[:, 0], time - tolerance, side="right")) - 1
    levels = curve.points[max(earlier, 0) : last + 1, 1]
    return bool(levels.min() - near < level < levels.max() + near)


def read_drawn(curves: list[DrawnCurve], colour: str | None, line: str | None = None, *, file: str) -> Reading:
    """Return the reading of one curve of a drawing.

    Parameters
    ----------
    curves : list of DrawnCurve
    colour : str or None
        `#rrggbb`.
    line : {"whole", "dashed"} or None
        None: whole where two dashed lines of its colour are its limits.
    file : str
        For messages.

    Raises
    ------
    InputError
        If there is none, none of the colour or line, several to choose from, or it rises.
    """
    falling = [curve for curve in curves if not curve.rises]
    if not falling:
        if curves:
            raise InputError(
                "the curve rises: it shows a cumulative incidence, not a survival",
                file=file,
                right="Events of one cause alone say nothing of those at risk; give a Kaplan-Meier curve, which falls from 1",
            )
        raise InputError(
            "no curve begins at time 0 and survival 1", file=file, right="Look at the page and the axes; a curve may be an image" + PANEL
        )
    names = ", ".join(dict.fromkeys(curve.colour or "none" for curve in falling))
    chosen = [curve for curve in falling if colour is None or curve.colour == colour]
    if not chosen:
        raise InputError(f"no curve has the colour {colour}", file=file, key="--colour", right=f"Curves have the colours {names}")
    whole = [curve for curve in chosen if not curve.dashed]
    if line is not None:
        chosen = [curve for curve in chosen if curve.dashed == (line == "dashed")]
        if not chosen:
            raise InputError(f"no curve of the colour is {line}", file=file, key="--line", right="Lines are whole or dashed")
    elif len(chosen) == 3 * len(whole):
        chosen = whole
    if len(chosen) > 1:
        if len({curve.colour for curve in chosen}) > 1:
            raise InputError(f"the figure has {len(chosen)} curves", file=file, key="--colour", right=f"Name one of the colours {names}")
        if len({curve.dashed for curve in chosen}) > 1:
            raise InputError(f"{len(chosen)} curves have one colour", file=file, key="--line", right="Say --line whole or --line dashed")
        raise InputError(
            f"{len(chosen)} curves have the colour {chosen[0].colour}",
            file=file,
            key="--colour",
            right="Set points by hand and give them as CSV",
        )
    return _reading(chosen[0])


def _reading(curve: DrawnCurve) -> Reading:
    time, level = curve.points.T
    # the level after each time: of several vertices at one time the last
    new = np.append(np.diff(time) > 2 * curve.time_error, True)
    time, level = time[new], level[new]
    offset = curve.points[0, 1] - 1.0
    level = level - offset
    falls = level < np.append(1.0, np.minimum.accumulate(level)[:-1]) - 2 * curve.survival_error
    notes = (f"the curve was drawn at {1 + offset:.4f} where it begins",) if abs(offset) > 10 * curve.survival_error else ()
    ticks = curve.ticks if len(curve.ticks) else None
    return Reading(
        "vector", time[falls], level[falls], float(curve.points[-1, 0]), ticks, curve.time_error, max(curve.survival_error, 5e-6), notes
    )
