"""How is published survival drawn with curves of the study, of figures and of virtual trials? Over months, each kind in its own marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cartrial.report.figures.legend import name_layers, name_lines
from cartrial.report.figures.style import COLOURS, PERCENT, Document, document

__all__ = ["Area", "Middle", "Point", "Stepped", "draw_together"]

KINDS: dict[str, tuple[str, str, str]] = {
    "Published, of this trial": ("blue", "", "diamond"),
    "Published, of other trials": ("grey", "", "circle"),
    "This study": ("blue", "solid", ""),
    "Reconstructed from a figure": ("green", "dashed", ""),
    "Virtual trials, 80 % of them": ("sky", "solid", ""),
}
"""What is drawn, with its colour, its dash and the shape of its marks."""


@dataclass(frozen=True)
class Point:
    """A survival at a time with its printed limits: fractions by month. `doubt`: a check speaks against it."""

    kind: str
    label: str
    month: float
    value: float
    limits: tuple[float, float] | None = None
    doubt: bool = False


@dataclass(frozen=True)
class Middle:
    """A median with its limits in months; an end that is not reached is None."""

    kind: str
    label: str
    month: float
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class Stepped:
    """A curve: survival from each month on."""

    kind: str
    months: Sequence[float]
    survival: Sequence[float]


@dataclass(frozen=True)
class Area:
    """A band over months."""

    kind: str
    months: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def draw_together(
    points: Sequence[Point], middles: Sequence[Middle], curves: Sequence[Stepped], areas: Sequence[Area], *, title: str, band: str = ""
) -> Document:
    """Draw survival over months.

    Parameters
    ----------
    points, middles, curves, areas
        Their kinds are keys of `KINDS`.
    title : str
        Read out in place of the figure.

    Returns
    -------
    dict
        Datasets ``points``, ``middles``, ``curve``, ``area``, and ``names`` of the kinds that are there.

    Examples
    --------
    >>> from cartrial.report.figures.together import Point, draw_together
    >>> made = draw_together([Point("Published, of this trial", "A", 24.0, 0.5)], [], [], [], title="Survival")
    >>> made["datasets"]["points"][0]["y"]
    0.5
    """
    there = {kind for some in (points, middles, curves, areas) for kind in (one.kind for one in some)}
    kinds = [kind for kind in KINDS if kind in there]
    far = [point.month for point in points] + [end for one in middles for end in (one.month, one.lower, one.upper) if end is not None]
    far += [months[-1] for months in (*(one.months for one in curves), *(one.months for one in areas)) if len(months)]
    last = max(far, default=12.0)
    datasets: dict[str, list[Document]] = {
        "points": [
            {"g": one.kind, "x": one.month, "y": one.value, "tip": one.label, "doubt": one.doubt}
            | (dict(zip(("lo", "hi"), one.limits, strict=True)) if one.limits else {})
            for one in points
        ],
        "middles": [
            {
                "g": one.kind,
                "x": one.month,
                "lo": one.month if one.lower is None else one.lower,
                "hi": (last if one.lower is not None else one.month) if one.upper is None else one.upper,
                "tip": one.label,
            }
            for one in middles
        ],
        "curve": [
            {"g": one.kind, "i": f"{one.kind} {k}", "x": month, "y": value}
            for k, one in enumerate(curves)
            for month, value in zip(one.months, one.survival, strict=True)
        ],
        "area": [
            {"g": one.kind, "x": month, "lo": low, "hi": high}
            for one in areas
            for month, low, high in zip(one.months, one.low, one.high, strict=True)
        ],
        "names": name_lines([(kind, bool(KINDS[kind][1]), KINDS[kind][2]) for kind in kinds]),
    }
    step = next((size for size in (1, 3, 6, 12, 24) if last / size <= 9), 48)
    ticks = [step * k for k in range(int(last / step + 1e-9) + 1)]
    return document(_layers(kinds, last, ticks), title=title, band=band, height=300, datasets=datasets)


def _layers(kinds: list[str], last: float, ticks: list[int]) -> list[Document]:
    x = {
        "field": "x",
        "type": "quantitative",
        "title": "Months",
        "scale": {"domain": [0, last], "nice": False, "zero": False},
        "axis": {"values": ticks},
    }
    axis = {"labelExpr": PERCENT, "values": [0, 0.25, 0.5, 0.75, 1], "grid": True}
    y = {"field": "y", "type": "quantitative", "title": "Free of the event", "scale": {"domain": [0, 1], "nice": False}, "axis": axis}
    colours = {"domain": kinds, "range": [COLOURS[KINDS[kind][0]] for kind in kinds]}
    colour = {"field": "g", "type": "nominal", "scale": colours, "legend": None}
    dashes = {"domain": kinds, "range": [[7, 4] if KINDS[kind][1] == "dashed" else [1, 0] for kind in kinds]}
    dash = {"field": "g", "type": "nominal", "scale": dashes, "legend": None}
    shapes = {"domain": kinds, "range": [KINDS[kind][2] or "circle" for kind in kinds]}
    shape = {"field": "g", "type": "nominal", "scale": shapes, "legend": None}
    fill = {**colour, "condition": {"test": "datum.doubt", "value": "white"}}
    tip = {"field": "tip"}
    middle = {**{key: part for key, part in y.items() if key != "field"}, "datum": 0.5}
    return [
        {
            "data": {"name": "area"},
            "mark": {"type": "area", "opacity": 0.3},
            "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}, "color": colour},
        },
        {
            "data": {"name": "curve"},
            "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
            "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash, "detail": {"field": "i"}},
        },
        {
            "data": {"name": "middles"},
            "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.65},
            "encoding": {"x": {**x, "field": "lo"}, "x2": {"field": "hi"}, "y": middle, "color": colour, "tooltip": tip},
        },
        {
            "data": {"name": "middles"},
            "mark": {"type": "tick", "orient": "vertical", "size": 16, "thickness": 2.5},
            "encoding": {"x": x, "y": middle, "color": colour, "tooltip": tip},
        },
        {
            "data": {"name": "points"},
            "transform": [{"filter": "isValid(datum.lo)"}],
            "mark": {"type": "rule", "strokeWidth": 1.3, "opacity": 0.8},
            "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}, "color": colour, "tooltip": tip},
        },
        {
            "data": {"name": "points"},
            "mark": {"type": "point", "size": 60, "opacity": 1, "strokeWidth": 1.8},
            "encoding": {"x": x, "y": y, "stroke": colour, "fill": fill, "shape": shape, "tooltip": tip},
        },
        *name_layers({"data": {"name": "names"}}, colour, dash, list(dict.fromkeys(KINDS[kind][2] for kind in kinds))),
    ]
