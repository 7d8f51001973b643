"""How is a curve over time drawn? Kaplan–Meier or cumulative incidence, with its numbers at risk beneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cartrial.report.page.rows import Stat
from cartrial.report.page.svg import DAYS_PER_MONTH, Canvas, Scale, step_path

__all__ = ["Curve", "draw_curves", "empty_curves"]

LEFT, RIGHT, TOP, PLOT, WIDTH = 92.0, 26.0, 14.0, 300.0, 840.0


@dataclass(frozen=True)
class Curve:
    """One step curve.

    Parameters
    ----------
    points : sequence of (day, value, lower, upper)
        In the order of days; limits None where not estimable.
    censored : sequence of float
        Days of censoring: marks on the curve.
    at_risk : sequence of (day, Stat)
    end : float
        Last day observed: the curve is drawn to it.
    """

    label: str
    colour: str
    points: Sequence[tuple[float, float, float | None, float | None]]
    censored: Sequence[float] = ()
    at_risk: Sequence[tuple[float, Stat]] = ()
    end: float = 0.0


def draw_curves(curves: Sequence[Curve], *, title: str, ylabel: str, xlabel: str, band: str = "", rising: bool = False) -> Markup:
    """Draw step curves.

    Parameters
    ----------
    curves : sequence of Curve
    title : str
        Read out in place of the figure.
    rising : bool
        Cumulative incidence, from 0 up; else survival, from 1 down.

    Returns
    -------
    Markup
        The SVG. Days are shown as months of 30.4375 days.
    """
    risk = [curve for curve in curves if curve.at_risk]
    base = TOP + PLOT
    height = base + 56 + (22 + 17 * len(risk) if risk else 0)
    canvas = Canvas(WIDTH, height, title, band)
    last = max((curve.end for curve in curves), default=0.0) or 30.0
    x, y = Scale(0, last * 1.03, LEFT, WIDTH - RIGHT), Scale(0, 1, base, TOP)
    ticks = _ticks(risk, last)
    _frame(canvas, x, y, ticks, xlabel, ylabel)
    for curve in curves:
        _curve(canvas, curve, x, y, 0.0 if rising else 1.0)
    if len(curves) > 1:
        _legend(canvas, curves, rising)
    if risk:
        _risk_table(canvas, risk, x, base + 62)
    return canvas.render()


def empty_curves(title: str, ylabel: str, xlabel: str) -> Markup:
    """Draw the axes alone, for a shell."""
    canvas = Canvas(WIDTH, TOP + PLOT + 95, title)
    x, y = Scale(0, 740, LEFT, WIDTH - RIGHT), Scale(0, 1, TOP + PLOT, TOP)
    ticks = [month * DAYS_PER_MONTH for month in range(0, 25, 3)]
    _frame(canvas, x, y, ticks, xlabel, ylabel)
    canvas.text(8, TOP + PLOT + 62, "At risk", "small strong")
    for tick in ticks:
        canvas.text(x(tick), TOP + PLOT + 80, "xx", "small", "middle")
    return canvas.render()


def _ticks(risk: Sequence[Curve], last: float) -> list[float]:
    times = sorted({day for curve in risk for day, _ in curve.at_risk if day <= last * 1.02})
    if len(times) < 3:
        step = next(size for size in (1, 2, 3, 6, 12, 24, 60, 1000) if last / DAYS_PER_MONTH / size <= 9)
        return [k * step * DAYS_PER_MONTH for k in range(int(last / DAYS_PER_MONTH / step) + 1)]
    return times[:: max(1, -(-len(times) // 10))]


def _frame(canvas: Canvas, x: Scale, y: Scale, ticks: Sequence[float], xlabel: str, ylabel: str) -> None:
    base = TOP + PLOT
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        canvas.line(LEFT, y(share), WIDTH - RIGHT, y(share), "grid" if share else "axis")
        canvas.text(LEFT - 8, y(share) + 4, f"{share * 100:.0f} %", "tick", "end")
    for tick in ticks:
        month = tick / DAYS_PER_MONTH
        canvas.line(x(tick), base, x(tick), base + 5)
        canvas.text(x(tick), base + 19, f"{month:.0f}" if abs(month - round(month)) < 0.02 else f"{month:.1f}", "tick", "middle")
    canvas.text((LEFT + WIDTH - RIGHT) / 2, base + 40, xlabel, "axis-title", "middle")
    canvas.upright(LEFT - 56, TOP + PLOT / 2, ylabel)


def _curve(canvas: Canvas, curve: Curve, x: Scale, y: Scale, start: float) -> None:
    points = sorted(curve.points, key=lambda point: point[0])
    line = [(x(0), y(start)), *((x(day), y(value)) for day, value, _, _ in points)]
    line.append((x(max(curve.end, points[-1][0] if points else 0)), line[-1][1]))
    limited = [(day, low, high) for day, _, low, high in points if low is not None and high is not None]
    if limited:
        ends = [*(day for day, _, _ in limited[1:]), max(curve.end, limited[-1][0])]
        up = "".join(
            f"{'M' if i == 0 else 'L'}{x(day):.1f} {y(high):.1f}H{x(end):.1f}"
            for i, ((day, _, high), end) in enumerate(zip(limited, ends, strict=True))
        )
        down = "".join(f"L{x(end):.1f} {y(low):.1f}H{x(day):.1f}" for (day, low, _), end in reversed(list(zip(limited, ends, strict=True))))
        canvas.path(f"{up}{down}Z", "limits", fill=curve.colour)
    canvas.path(step_path(line), "curve", stroke=curve.colour)
    level, at, marks = start, 0, []
    for day in sorted(curve.censored):
        while at < len(points) and points[at][0] <= day:
            level, at = points[at][1], at + 1
        marks.append(f"M{x(day):.1f} {y(level) - 5:.1f}v10")
    canvas.path("".join(marks), "censored", stroke=curve.colour)


def _legend(canvas: Canvas, curves: Sequence[Curve], rising: bool) -> None:
    for i, curve in enumerate(curves):
        at = TOP + 14 + 19 * i if rising else TOP + PLOT - 12 - 19 * (len(curves) - 1 - i)
        canvas.line(LEFT + 14, at - 4, LEFT + 40, at - 4, "curve", stroke=curve.colour)
        canvas.text(LEFT + 47, at, curve.label, "small")


def _risk_table(canvas: Canvas, curves: Sequence[Curve], x: Scale, top: float) -> None:
    canvas.text(8, top, "At risk", "small strong")
    for i, curve in enumerate(curves):
        canvas.text(8, top + 17 * (i + 1), curve.label if len(curves) > 1 else "Subjects", "small")
        shown = _ticks(curves, max(day for other in curves for day, _ in other.at_risk))
        for day, stat in curve.at_risk:
            if day in shown and x(day) <= WIDTH - RIGHT + 1:
                canvas.text(x(day), top + 17 * (i + 1), stat, "small", "middle")
