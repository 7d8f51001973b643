"""How is one quantity drawn against another? Lines, steps and points with error bars, told apart by colour, dash and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cartrial.report.page.svg import COLOURS, Canvas, Scale, linear_ticks, step_path

__all__ = ["Guide", "Series", "draw_lines", "percent"]

WIDTH, LEFT, RIGHT, PLOT = 840.0, 84.0, 26.0, 280.0
DASHES = {"solid": "", "dashed": "7 4", "dotted": "2 4", "dashdot": "9 4 2 4"}


@dataclass(frozen=True)
class Series:
    """One line or one set of points.

    Parameters
    ----------
    label : str
    colour : str
        A key of `COLOURS`.
    points : sequence of (x, y)
        In the order of x.
    dash : str
        A key of `DASHES`; "none" draws no line.
    shape : str
        Of its marks, as in `Canvas.mark`; blank: no marks.
    bars : sequence of (x, lower, upper)
        Error bars.
    step : bool
        A step curve.
    """

    label: str
    colour: str
    points: Sequence[tuple[float, float]]
    dash: str = "solid"
    shape: str = ""
    bars: Sequence[tuple[float, float, float]] = ()
    step: bool = False


@dataclass(frozen=True)
class Guide:
    """A dashed line across the figure at a value of one axis, with its words."""

    value: float
    words: str
    axis: str = "x"


def percent(value: float) -> str:
    """Return a share as a tick of an axis."""
    return f"{100 * value:.3g} %"


def draw_lines(
    series: Sequence[Series],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    low: float | None = None,
    high: float | None = None,
    x_percent: bool = False,
    y_percent: bool = False,
    guides: Sequence[Guide] = (),
    band: str = "",
) -> Markup:
    """Draw series on common axes, their legend above.

    Parameters
    ----------
    series : sequence of Series
    title : str
        Read out in place of the figure.
    xlabel, ylabel : str
        Titles of the axes, with units.
    low, high : float, optional
        Ends of the vertical axis; those of the data without it.
    x_percent, y_percent : bool
        The axis holds shares and is labelled in percent.
    guides : sequence of Guide
    band : str

    Returns
    -------
    Markup
        The SVG.
    """
    legend = _legend_rows(series)
    top = 20.0 * len(legend) + 20
    base = top + PLOT
    canvas = Canvas(WIDTH, base + 50, title, band)
    xs = [x for item in series for x, _ in item.points]
    ys = [y for item in series for _, y in item.points] + [end for item in series for _, a, b in item.bars for end in (a, b)]
    first, last = min(xs), max(xs)
    low, high = min(ys) if low is None else low, max(ys) if high is None else high
    pad = 0.0 if all(item.dash != "none" for item in series) else 0.03 * (last - first)
    x, y = Scale(first - pad, last + pad, LEFT, WIDTH - RIGHT), Scale(low, high, base, top)
    for tick in linear_ticks(low, high, 6):
        canvas.line(LEFT, y(tick), WIDTH - RIGHT, y(tick), "grid")
        canvas.text(LEFT - 8, y(tick) + 4, percent(tick) if y_percent else f"{tick:g}", "tick", "end")
    for tick in linear_ticks(first, last, 10):
        canvas.line(x(tick), base, x(tick), base + 5)
        canvas.text(x(tick), base + 19, percent(tick) if x_percent else f"{tick:g}", "tick", "middle")
    canvas.line(LEFT, base, WIDTH - RIGHT, base)
    canvas.text((LEFT + WIDTH - RIGHT) / 2, base + 41, xlabel, "axis-title", "middle")
    canvas.upright(17, top + PLOT / 2, ylabel)
    _guides(canvas, guides, x, y, top, base)
    for item in series:
        _series(canvas, item, x, y, low, high)
    for k, row in enumerate(legend):
        for at, item in row:
            _legend(canvas, at, 14 + 20.0 * k, item)
    return canvas.render()


def _guides(canvas: Canvas, guides: Sequence[Guide], x: Scale, y: Scale, top: float, base: float) -> None:
    taken: list[float] = []
    for guide in sorted(guides, key=lambda item: item.value):
        if guide.axis == "y":
            canvas.line(LEFT, y(guide.value), WIDTH - RIGHT, y(guide.value), "limit")
            canvas.text(LEFT + 6, y(guide.value) - 5, guide.words, "small")
            continue
        at = x(guide.value)
        canvas.line(at, top, at, base, "limit")
        wide = 6.3 * len(guide.words)
        anchor = "end" if at + wide / 2 > WIDTH - RIGHT else "start" if at - wide / 2 < LEFT else "middle"
        row = 0 if all(at - other > wide for other in taken) else 1
        canvas.text(at, top - 5 - 12 * row, guide.words, "small", anchor)
        taken.append(at)


def _series(canvas: Canvas, item: Series, x: Scale, y: Scale, low: float, high: float) -> None:
    colour = COLOURS[item.colour]

    def place(value: float) -> float:
        return y(min(max(value, low), high))

    at = [(x(a), place(b)) for a, b in item.points]
    for a, lower, upper in item.bars:
        canvas.line(x(a), place(lower), x(a), place(upper), "whisker", stroke=colour)
        for end in (lower, upper):
            canvas.line(x(a) - 4, place(end), x(a) + 4, place(end), "whisker", stroke=colour)
    if item.dash != "none":
        path = step_path(at) if item.step else "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in at)
        canvas.path(path, "curve", stroke=colour, **_dashes(item))
    if item.shape:
        for (a, b), (value, share) in zip(at, item.points, strict=True):
            canvas.mark(a, b, item.shape, colour, size=4, tip=f"{item.label}: {value:g}, {share:.4g}")


def _dashes(item: Series) -> dict[str, str]:
    return {"stroke_dasharray": DASHES[item.dash]} if DASHES[item.dash] else {}


def _legend_rows(series: Sequence[Series]) -> list[list[tuple[float, Series]]]:
    rows: list[list[tuple[float, Series]]] = [[]]
    at = LEFT
    for item in series:
        if not item.label:
            continue
        wide = 54 + 6.6 * len(item.label)
        if rows[-1] and at + wide > WIDTH:
            rows.append([])
            at = LEFT
        rows[-1].append((at, item))
        at += wide
    return rows


def _legend(canvas: Canvas, at: float, y: float, item: Series) -> None:
    if item.dash != "none":
        canvas.path(f"M{at:.1f} {y - 4:.1f}h24", "curve", stroke=COLOURS[item.colour], **_dashes(item))
    if item.shape:
        canvas.mark(at + 12, y - 4, item.shape, COLOURS[item.colour], size=4)
    canvas.text(at + 30, y, item.label, "small")
