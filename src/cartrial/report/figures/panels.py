"""How is a model's simulated course drawn? Sets of axes one beneath the other, a series in one colour throughout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from cartrial.report.page.svg import COLOURS, Canvas, Scale, linear_ticks

if TYPE_CHECKING:
    from cartrial.virtual.published.panel import Line, Panel

__all__ = ["BAND", "draw_panels", "number_words"]

BAND = "Simulated from published models"
WIDTH, LEFT, RIGHT, PLOT, GAP = 840.0, 92.0, 24.0, 216.0, 66.0
LINES = ("blue", "orange", "green", "pink", "sky", "red")
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def number_words(value: float) -> str:
    """Return a number in words for people: powers of ten where it is very large or small."""
    if value == 0 or 1e-4 <= abs(value) < 1e5:
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}".replace(",", " ")
    power = math.floor(math.log10(abs(value)) + 1e-12)
    front = f"{value / 10.0**power:.4g}"
    return f"{'' if front == '1' else front + '·'}10{str(power).translate(RAISED)}"


def draw_panels(panels: dict[str, Panel], *, title: str) -> Markup:
    """Draw a model's picture: its sets of axes one beneath the other, a series in one colour throughout.

    Parameters
    ----------
    panels : dict of str to Panel
        Of `cartrial.virtual.published.show_model`.
    title : str
        Read out in place of the figure.

    Returns
    -------
    Markup
        The SVG.
    """
    keys = dict.fromkeys(_key(label) for panel in panels.values() for label in panel.lines if label)
    colours = {key: COLOURS[LINES[k % len(LINES)]] for k, key in enumerate(keys)}
    legends = [_legend_rows(panel) for panel in panels.values()]
    height = sum(20.0 * len(rows) + 8 + PLOT + GAP for rows in legends) - 12
    canvas = Canvas(WIDTH, height, title, BAND)
    top = 4.0
    for panel, rows in zip(panels.values(), legends, strict=True):
        for row in rows:
            for x, label in row:
                _legend(canvas, x, top + 10, label, panel.lines[label], colours[_key(label)])
            top += 20
        _panel(canvas, panel, top + 8, colours)
        top += 8 + PLOT + GAP
    return canvas.render()


def _key(label: str) -> str:
    return label.split(",")[0]


def _legend_rows(panel: Panel) -> list[list[tuple[float, str]]]:
    rows: list[list[tuple[float, str]]] = [[]]
    x = LEFT
    for label in panel.lines:
        if not label:
            continue
        wide = 52 + 6.6 * len(label)
        if rows[-1] and x + wide > WIDTH:
            rows.append([])
            x = LEFT
        rows[-1].append((x, label))
        x += wide
    return rows


def _legend(canvas: Canvas, x: float, y: float, label: str, line: Line, colour: str) -> None:
    if line.style == "points":
        canvas.mark(x + 11, y - 4, "ring", COLOURS["black"], size=3.6)
    else:
        if line.lower is not None:
            canvas.rect(x, y - 10, 22, 12, fill=colour, opacity=0.16)
        canvas.path(f"M{x:.1f} {y - 4:.1f}h22", "curve", stroke=colour, **_dash(line))
    canvas.text(x + 28, y, label, "small")


def _dash(line: Line) -> dict[str, str]:
    return {"stroke_dasharray": "5 4"} if line.style == "dashed" else {}


def _panel(canvas: Canvas, panel: Panel, top: float, colours: dict[str, str]) -> None:
    base = top + PLOT
    days = [float(value) for line in panel.lines.values() for value in (line.x[0], line.x[-1])]
    heights = [float(value) for line in panel.lines.values() for value in (line.y.min(), line.y.max())]
    low = min(heights) if panel.low is None else panel.low
    high = max(heights) if panel.high is None else panel.high
    x, y = Scale(min(days), max(days), LEFT, WIDTH - RIGHT), Scale(low, high, base, top, log=panel.log)
    for value, words in _levels(panel, low, high):
        canvas.line(LEFT, y(value), WIDTH - RIGHT, y(value), "grid")
        canvas.text(LEFT - 8, y(value) + 4, words, "tick", "end")
    canvas.line(LEFT, base, WIDTH - RIGHT, base)
    for tick in linear_ticks(min(days), max(days), 10):
        canvas.line(x(tick), base, x(tick), base + 5)
        canvas.text(x(tick), base + 19, f"{tick:g}", "tick", "middle")
    canvas.text((LEFT + WIDTH - RIGHT) / 2, base + 39, panel.x, "axis-title", "middle")
    canvas.upright(18, top + PLOT / 2, panel.y)
    for words, value in panel.limits.items():
        canvas.line(LEFT, y(value), WIDTH - RIGHT, y(value), "limit")
        canvas.text(WIDTH - RIGHT, y(value) - 5, words, "small", "end")
    colour = COLOURS["black"]
    for label, line in panel.lines.items():
        colour = colours[_key(label)] if label else colour
        if line.style == "points":
            _points(canvas, line, x, y, low, high)
            continue
        if line.lower is not None and line.upper is not None:
            there = [(x(a), _within(b, low, high, y)) for a, b in zip(line.x, line.upper, strict=True)]
            back = [(x(a), _within(b, low, high, y)) for a, b in zip(line.x[::-1], line.lower[::-1], strict=True)]
            canvas.path(_joined([*there, *back]) + "Z", "", fill=colour, opacity=0.16)
        for piece in _pieces(line, low, high):
            canvas.path(_joined([(x(a), y(b)) for a, b in piece]), "curve", stroke=colour, **_dash(line))


def _levels(panel: Panel, low: float, high: float) -> list[tuple[float, str]]:
    if not panel.log:
        return [(value, f"{value:g}") for value in linear_ticks(low, high, 5)]
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = 1 if last - first <= 8 else 2
    return [(10.0**power, number_words(10.0**power)) for power in range(first, last + 1, step)]


def _within(value: float, low: float, high: float, y: Scale) -> float:
    return y(min(max(float(value), low), high))


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points) if points else ""


def _pieces(line: Line, low: float, high: float) -> list[list[tuple[float, float]]]:
    """Cut a curve where it leaves the axes, so that it ends at the edge and is not drawn along it."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for a, b in zip(line.x, line.y, strict=True):
        if low <= b <= high:
            pieces[-1].append((float(a), float(b)))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if len(piece) > 1]


def _points(canvas: Canvas, line: Line, x: Scale, y: Scale, low: float, high: float) -> None:
    for k, (a, b) in enumerate(zip(line.x, line.y, strict=True)):
        if line.lower is not None and line.upper is not None:
            ends = (_within(line.lower[k], low, high, y), _within(line.upper[k], low, high, y))
            canvas.line(x(a), ends[0], x(a), ends[1], "whisker", stroke=COLOURS["black"])
        canvas.mark(x(a), _within(b, low, high, y), "ring", COLOURS["black"], size=3.6, tip=f"day {a:g}: {b:g}")
