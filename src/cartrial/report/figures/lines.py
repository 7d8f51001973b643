"""How is one quantity drawn against another? Lines, steps and points with error bars, told apart by colour, dash and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cartrial.report.figures.legend import DASHES, name_layers, name_lines
from cartrial.report.figures.style import COLOURS, INK, PERCENT, SOFT, Document, document, toggles, visible

__all__ = ["Guide", "Series", "draw_lines"]

SHAPES = {"circle": "circle", "square": "square", "diamond": "diamond", "triangle": "triangle-up"}


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
        Of its marks, a key of `SHAPES`; blank: no marks.
    bars : sequence of (x, lower, upper)
        Error bars.
    """

    label: str
    colour: str
    points: Sequence[tuple[float, float]]
    dash: str = "solid"
    shape: str = ""
    bars: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True)
class Guide:
    """A dashed line across the figure at a value of one axis, with its words."""

    value: float
    words: str
    axis: str = "x"


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
) -> Document:
    """Draw series on common axes, their names beneath.

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
    dict
        Datasets: ``points`` (g, x, y), ``bars`` (g, x, lo, hi).
    """
    xs = [x for item in series for x, _ in item.points]
    ys = [y for item in series for _, y in item.points] + [end for item in series for _, a, b in item.bars for end in (a, b)]
    pad = 0.0 if all(item.dash != "none" for item in series) else 0.03 * (max(xs) - min(xs))
    ends = [min(xs) - pad, max(xs) + pad], [min(ys) if low is None else low, max(ys) if high is None else high]

    def said(item: Series, x: float, y: float) -> str:
        at = f"{100 * x:.4g} %" if x_percent else f"{x:g}"
        return (f"{item.label}\n" if item.label else "") + f"{xlabel}: {at}\n{ylabel}: " + (f"{100 * y:.4g} %" if y_percent else f"{y:.5g}")

    points = [
        {"g": item.label, "x": x, "y": y, "stroke": item.dash != "none", "shape": SHAPES.get(item.shape, ""), "tip": said(item, x, y)}
        for item in series
        for x, y in item.points
    ]
    bars = [{"g": item.label, "x": x, "lo": lo, "hi": hi} for item in series for x, lo, hi in item.bars]
    named = name_lines([(item.label, item.dash != "none", SHAPES.get(item.shape, "")) for item in series if item.label])
    marked = [
        {"v": guide.value, "words": guide.words, "axis": guide.axis, "k": k, "late": guide.value > sum(ends[0]) / 2}
        for k, guide in enumerate(sorted(guides, key=lambda guide: (guide.axis, guide.value)))
    ]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": xlabel,
        "scale": {"domain": ends[0], "nice": False, "zero": False},
        "axis": {"tickCount": {"expr": "ceil(width / 75)"}, **({"labelExpr": PERCENT} if x_percent else {})},
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "title": ylabel,
        "scale": {"domain": ends[1], "clamp": True, "nice": high is None, "zero": False},
        "axis": {"labelExpr": PERCENT, "tickCount": 6} if y_percent else {"tickCount": 6},
    }
    datasets = {"points": points, "bars": bars, "names": named, "guides": marked}
    controls = [toggles([item.label for item in series if item.label], [COLOURS[item.colour] for item in series if item.label])]
    shown = controls if len({row["g"] for row in named}) > 1 else []
    fixed = [] if shown else [{"name": "hidden", "value": []}]
    layers = _layers(series, x, y)
    return document(layers, title=title, band=band, height=280, datasets=datasets, params=fixed, controls=shown)


def _layers(series: Sequence[Series], x: Document, y: Document) -> list[Document]:
    names = [item.label for item in series]
    colour = {
        "field": "g",
        "type": "nominal",
        "scale": {"domain": names, "range": [COLOURS[item.colour] for item in series]},
        "legend": None,
    }
    dashes = [DASHES.get(item.dash, DASHES["solid"]) for item in series]
    dash = {"field": "g", "type": "nominal", "scale": {"domain": names, "range": dashes}, "legend": None}
    shapes = list(dict.fromkeys(SHAPES[item.shape] for item in series if item.shape))
    points: Document = {"data": {"name": "points"}}
    tip = {"tooltip": {"field": "tip"}}
    across: Document = {"type": "rule", "strokeDash": [4, 4], "color": SOFT}
    words: Document = {"type": "text", "fontSize": 11, "color": SOFT}

    def guides(test: str) -> Document:
        return {"data": {"name": "guides"}, "transform": [{"filter": test}]}

    at = {**x, "field": "v"}
    high = {"value": {"expr": "9 + 13 * datum.k"}}
    layers: list[Document] = [
        {**guides("datum.axis == 'x'"), "mark": across, "encoding": {"x": at}},
        {**guides("datum.axis == 'y'"), "mark": across, "encoding": {"y": {**y, "field": "v"}}},
        *(
            {
                **guides(f"datum.axis == 'x' && {'' if late else '!'}datum.late"),
                "mark": {**words, "align": "right" if late else "left", "dx": -4 if late else 4},
                "encoding": {"x": at, "y": high, "text": {"field": "words"}},
            }
            for late in (False, True)
        ),
        {
            **guides("datum.axis == 'y'"),
            "mark": {**words, "align": "left", "dx": 4, "dy": -7},
            "encoding": {"x": {"value": 0}, "y": {**y, "field": "v"}, "text": {"field": "words"}},
        },
        {
            "data": {"name": "bars"},
            "transform": [visible()],
            "mark": {"type": "rule", "strokeWidth": 1.6},
            "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}, "color": colour},
        },
        {
            **points,
            "transform": [visible("datum.stroke")],
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash},
        },
        *(
            {
                **points,
                "transform": [visible(f"datum.shape == '{shape}'")],
                "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1, "shape": shape, "stroke": INK, "strokeWidth": 0.5},
                "encoding": {"x": x, "y": y, "fill": colour, **tip},
            }
            for shape in shapes
        ),
        # what a pointer meets where a line has no marks
        {
            **points,
            "transform": [visible("datum.shape == ''")],
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0},
            "encoding": {"x": x, "y": y, **tip},
        },
    ]
    if any(names):
        layers += name_layers({"data": {"name": "names"}, "transform": [visible()]}, colour, dash, shapes)
    return layers
