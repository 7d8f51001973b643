"""How is the course of virtual patients drawn? Panels over one time axis: lines of a patient, or bands of a population."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from cartrial.report.page.svg import COLOURS, Canvas, Scale, linear_ticks

__all__ = ["Line", "Panel", "draw_panels"]

WIDTH, LEFT, RIGHT, TOP, HEIGHT, GAP = 840.0, 92.0, 24.0, 30.0, 104.0, 26.0
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A quantity over the days of a figure.

    Parameters
    ----------
    label : str
    colour : str
    values : ndarray of float64, shape (days,)
    bands : sequence of (ndarray, ndarray)
        Lower and upper ends, each of shape (days,), the widest first.
    """

    label: str
    colour: str
    values: Floats
    bands: Sequence[tuple[Floats, Floats]] = ()


@dataclass(frozen=True)
class Panel:
    """One quantity on a logarithmic axis.

    Parameters
    ----------
    title : str
        With its unit.
    low, high : float
        Ends of the axis, powers of ten; what is below lies on the foot.
    lines : sequence of Line
    limit : (float, str), optional
        A dashed line and its words.
    points : sequence of (day, value, lower, upper)
        Published values with 95 % intervals.
    """

    title: str
    low: float
    high: float
    lines: Sequence[Line]
    limit: tuple[float, str] | None = None
    points: Sequence[tuple[float, float, float, float]] = field(default_factory=tuple)


def draw_panels(days: Floats, panels: Sequence[Panel], *, title: str, marks: Sequence[tuple[float, str]] = (), band: str = "") -> Markup:
    """Draw panels one beneath the other.

    Parameters
    ----------
    days : ndarray of float64, shape (days,)
        Days from the infusion.
    panels : sequence of Panel
    title : str
        Read out in place of the figure.
    marks : sequence of (day, words)
        What was done, as lines across all panels.
    band : str
        Text of the band.

    Returns
    -------
    Markup
        The SVG.
    """
    base = TOP + len(panels) * (HEIGHT + GAP) - GAP
    canvas = Canvas(WIDTH, base + 48, title, band)
    x = Scale(0, float(days[-1]), LEFT, WIDTH - RIGHT)
    for k, panel in enumerate(panels):
        _panel(canvas, days, panel, x, TOP + k * (HEIGHT + GAP))
    for k, (day, words) in enumerate(marks):
        canvas.line(x(day), TOP, x(day), base, "limit")
        canvas.text(x(day) + 4, TOP - 16 + 11 * (k % 2), words, "small")
    for tick in linear_ticks(0, float(days[-1]), 10):
        canvas.line(x(tick), base, x(tick), base + 5)
        canvas.text(x(tick), base + 19, f"{tick:g}", "tick", "middle")
    canvas.text((LEFT + WIDTH - RIGHT) / 2, base + 40, "Days since the infusion", "axis-title", "middle")
    return canvas.render()


def _panel(canvas: Canvas, days: Floats, panel: Panel, x: Scale, top: float) -> None:
    foot = top + HEIGHT
    y = Scale(panel.low, panel.high, foot, top + 12, log=True)
    powers = range(round(math.log10(panel.low)), round(math.log10(panel.high)) + 1)
    step = 1 if len(powers) <= 5 else 2
    for power in powers:
        canvas.line(LEFT, y(10.0**power), WIDTH - RIGHT, y(10.0**power), "grid")
        if (power - powers[0]) % step == 0:
            words = f"{10.0**power:,.0f}".replace(",", " ") if power >= 0 else f"{10.0**power:g}"
            canvas.text(LEFT - 8, y(10.0**power) + 4, words, "tick", "end")
    canvas.line(LEFT, foot, WIDTH - RIGHT, foot)
    canvas.text(LEFT, top + 4, panel.title, "label")
    if panel.limit:
        value, words = panel.limit
        canvas.line(LEFT, y(value), WIDTH - RIGHT, y(value), "limit")
        canvas.text(WIDTH - RIGHT, y(value) + 12, words, "small", "end")

    def at(values: Floats) -> list[tuple[float, float]]:
        clipped = np.clip(values, panel.low, panel.high)
        return [(x(float(day)), y(float(value))) for day, value in zip(days, clipped, strict=True)]

    for line in panel.lines:
        for k, (low, high) in enumerate(line.bands):
            path = "L".join(f"{a:.1f} {b:.1f}" for a, b in [*at(high), *reversed(at(low))])
            canvas.path(f"M{path}Z", "", fill=line.colour, fill_opacity=0.14 + 0.12 * k, stroke="none")
    for line in panel.lines:
        canvas.path("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in at(line.values)), "curve", stroke=line.colour)
    if len(panel.lines) > 1:
        right = WIDTH - RIGHT
        for line in reversed(panel.lines):
            canvas.text(right, top + 4, line.label, "small", "end")
            right -= 12 + 6.6 * len(line.label)
            canvas.line(right - 14, top, right + 4, top, "curve", stroke=line.colour)
            right -= 26
    for day, value, lower, upper in panel.points:
        canvas.line(x(day), y(lower), x(day), y(upper), "", stroke=COLOURS["black"], stroke_width=1.6)
        canvas.mark(x(day), y(value), "diamond", COLOURS["black"], size=4, tip=f"published: {value:g} ({lower:g} to {upper:g})")
