"""How are estimates with their intervals compared? One line each, on one axis, the printed text beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cartrial.report.page.rows import Stat
from cartrial.report.page.svg import COLOURS, Canvas, Scale

__all__ = ["Line", "draw_forest"]

WIDTH, STEP = 840.0, 26.0


@dataclass(frozen=True)
class Line:
    """One estimate. A line without one is a heading."""

    label: str
    n: Stat | None = None
    total: Stat | None = None
    rate: Stat | None = None
    lower: Stat | None = None
    upper: Stat | None = None
    main: bool = False


def draw_forest(lines: Sequence[Line], *, title: str, xlabel: str, band: str = "", label_width: float = 270.0) -> Markup:
    """Draw rates (0 to 1) with their intervals.

    Parameters
    ----------
    lines : sequence of Line
    title : str
        Read out in place of the figure.
    xlabel : str
        Title of the axis, with its unit.

    Returns
    -------
    Markup
        The SVG. Where there is one main estimate, its place is dotted down the figure.
    """
    top, right = 30.0, 215.0
    base = top + STEP * len(lines)
    canvas = Canvas(WIDTH, base + 46, title, band)
    x = Scale(0, 1, label_width, WIDTH - right)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        canvas.line(x(share), top - 6, x(share), base, "grid")
        canvas.text(x(share), base + 17, f"{share * 100:.0f} %", "tick", "middle")
    canvas.line(label_width, base, WIDTH - right, base)
    canvas.text((label_width + WIDTH - right) / 2, base + 37, xlabel, "axis-title", "middle")
    canvas.text(WIDTH - right + 14, top - 12, "n/N", "small strong")
    canvas.text(WIDTH - right + 74, top - 12, "Rate, % (interval)", "small strong")
    mains = [line.rate.value for line in lines if line.main and line.rate and line.rate.value is not None]
    if len(mains) == 1:
        canvas.line(x(mains[0]), top - 6, x(mains[0]), base, "main-line")
    for i, line in enumerate(lines):
        _line(canvas, line, x, top + STEP * i + STEP / 2, WIDTH - right)
    return canvas.render()


def _line(canvas: Canvas, line: Line, x: Scale, at: float, end: float) -> None:
    heading = line.n is None
    canvas.text(4 if heading else 16, at + 4, line.label, "strong" if heading or line.main else "label")
    if heading:
        return
    canvas.pieces(end + 14, at + 4, (line.n, "/", line.total), "small")
    if line.rate is None or line.rate.value is None:
        canvas.text(end + 74, at + 4, line.rate or "not estimable", "small")
        return
    colour = COLOURS["blue"] if line.main else COLOURS["black"]
    if line.lower and line.upper and line.lower.value is not None and line.upper.value is not None:
        canvas.line(x(line.lower.value), at, x(line.upper.value), at, "whisker", stroke=colour)
        canvas.pieces(end + 74, at + 4, (line.rate, " (", line.lower, " to ", line.upper, ")"), "small")
    else:
        canvas.text(end + 74, at + 4, line.rate, "small")
    canvas.mark(x(line.rate.value), at, "diamond" if line.main else "square", colour, size=4.5 if line.main else 4)
