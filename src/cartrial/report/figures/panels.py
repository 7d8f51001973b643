"""How are several quantities drawn over one time? Sets of axes one beneath the other, a series in one colour throughout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cartrial.report.figures.legend import DASHES, name_layers, name_lines
from cartrial.report.figures.style import CONFIG, INK, SCHEMA, SOFT, Document

__all__ = ["Panel", "Trace", "draw_panels", "number_words"]

Floats = NDArray[np.float64]
_READING = "(datum.g ? datum.g + '\\n' : '') + format(datum.x, '.4~g') + ': ' + format(datum.y, '.4~g')"
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def number_words(value: float) -> str:
    """Return a number in words for people: powers of ten where it is very large or small."""
    if value == 0 or 1e-4 <= abs(value) < 1e5:
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}".replace(",", " ")
    power = math.floor(math.log10(abs(value)) + 1e-12)
    front = f"{value / 10.0**power:.4g}"
    return f"{'' if front == '1' else front + '·'}10{str(power).translate(RAISED)}"


@dataclass(frozen=True)
class Trace:
    """A quantity over the horizontal axis, or points with whiskers.

    Parameters
    ----------
    label : str
        Blank: not named.
    colour : str
    x, y : ndarray of float64, shape (points,)
    bands : sequence of (ndarray, ndarray)
        Lower and upper ends, each of shape (points,), the widest first; of points: their whiskers.
    style : str
        ``curve``, ``dashed`` or ``points``.
    tip : str
        Of points: what they are, read on hover.
    """

    label: str
    colour: str
    x: Floats
    y: Floats
    bands: Sequence[tuple[Floats, Floats]] = ()
    style: str = "curve"
    tip: str = ""


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Parameters
    ----------
    title : str
        Of the vertical axis, with its unit.
    low, high : float
        Its ends: what lies outside is cut off.
    traces : sequence of Trace
    x : str
        Title of the horizontal axis; blank where a panel beneath has it.
    log : bool
        Whether the vertical axis is logarithmic.
    limits : mapping of str to float
        Dashed lines, by their words.
    """

    title: str
    low: float
    high: float
    traces: Sequence[Trace]
    x: str = ""
    log: bool = True
    limits: Mapping[str, float] = field(default_factory=dict)


def draw_panels(panels: Sequence[Panel], *, title: str, band: str = "", height: int = 104) -> Document:
    """Draw panels one beneath the other; the page gives them their width.

    Parameters
    ----------
    panels : sequence of Panel
    title : str
        Read out in place of the figure.
    height : int
        Of each set of axes, in px.

    Returns
    -------
    dict
        Datasets of panel i: ``lines-i`` (g, x, y, lo0, hi0, ...), ``points-i`` (with c, the colour, and tip), ``limits-i``, ``names-i``.
    """
    datasets: dict[str, list[Document]] = {}
    views = []
    for i, panel in enumerate(panels):
        datasets |= {f"{name}-{i}": rows for name, rows in _rows(panel).items()}
        views.append({"width": 680, "height": height, "layer": _layers(panel, i, height)})
    made: Document = {
        "$schema": SCHEMA,
        "description": title,
        "autosize": {"type": "pad", "resize": True},
        "config": CONFIG,
        "datasets": datasets,
        "vconcat": views,
        "spacing": 14,
        "resolve": {"scale": dict.fromkeys(("color", "fill", "strokeDash"), "independent")},
        "usermeta": {"aside": 84},
    }
    return made | ({"title": band} if band else {})


def _rows(panel: Panel) -> dict[str, list[Document]]:
    lines: list[Document] = []
    points: list[Document] = []
    for trace in panel.traces:
        every = -(-len(trace.x) // 60)
        for j, (x, y) in enumerate(zip(trace.x.tolist(), trace.y.tolist(), strict=True)):
            if not math.isfinite(y) or (panel.log and y <= 0):
                continue
            row: Document = {"g": trace.label, "x": x, "y": _short(y)}
            for k, (lower, upper) in enumerate(trace.bands):
                row |= {f"lo{k}": _short(max(lower[j], panel.low)), f"hi{k}": _short(min(upper[j], panel.high))}
            if trace.style == "points":
                points.append(row | {"c": trace.colour, "tip": f"{trace.tip or trace.label}\n{x:g}: {y:.4g}"})
            else:
                # hover reads some sixty places of a line: a mark for each of its points would take seconds to draw
                lines.append(row | ({"read": True} if j % every == 0 else {}))
    named = [trace for trace in panel.traces if trace.label]
    shown = [(trace.label, trace.style != "points", "circle" if trace.style == "points" else "") for trace in named]
    names = name_lines(shown if len(shown) > 1 else [])
    limits = [{"v": value, "words": words} for words, value in panel.limits.items()]
    return {"lines": lines, "points": points, "names": names, "limits": limits}


def _short(value: float) -> float:
    """Return a value to five significant digits: a picture shows no more, and a page stays small."""
    return float(f"{value:.5g}")


def _layers(panel: Panel, i: int, height: int) -> list[Document]:
    traces = [trace for trace in panel.traces if trace.style != "points"]
    first, last = min(float(trace.x.min()) for trace in panel.traces), max(float(trace.x.max()) for trace in panel.traces)
    kind = {"type": "log"} if panel.log else {"zero": False}
    axis: Document = {"minExtent": 56, "maxExtent": 56, "tickCount": 5}
    if panel.log:
        powers = range(math.ceil(math.log10(panel.low) - 1e-9), math.floor(math.log10(panel.high) + 1e-9) + 1)
        step = -(-len(powers) // max(3, height // 22))
        axis |= {"values": [10.0**power for power in powers[::step]], "labelExpr": _decades(powers[::step])}
    x: Document = {
        "field": "x",
        "type": "quantitative",
        "title": panel.x or None,
        "scale": {"domain": [first, last], "nice": False, "zero": False},
        "axis": {"labelFlush": True, "tickCount": 10} if panel.x else {"labels": False, "ticks": False},
    }
    y: Document = {
        "field": "y",
        "type": "quantitative",
        "title": panel.title,
        "scale": {"domain": [panel.low, panel.high], "nice": False, **kind},
        "axis": axis,
    }
    names = list(dict.fromkeys(trace.label for trace in panel.traces))
    colours = [next(trace.colour for trace in panel.traces if trace.label == name) for name in names]
    dashed = [DASHES["dashed" if any(t.label == name and t.style == "dashed" for t in traces) else "solid"] for name in names]
    colour = {"field": "g", "type": "nominal", "scale": {"domain": names, "range": colours}, "legend": None}
    dash = {"field": "g", "type": "nominal", "scale": {"domain": names, "range": dashed}, "legend": None}
    lines, points, limits = ({"data": {"name": f"{name}-{i}"}} for name in ("lines", "points", "limits"))
    bands = max((len(trace.bands) for trace in traces), default=0)
    layers: list[Document] = [
        {
            **lines,
            "transform": [{"filter": f"isValid(datum.lo{k})"}],
            "mark": {"type": "area", "opacity": 0.14 + 0.12 * k, "clip": True},
            "encoding": {"x": x, "y": {**y, "field": f"lo{k}"}, "y2": {"field": f"hi{k}"}, "color": colour},
        }
        for k in range(bands)
    ]
    layers.append(
        {
            **lines,
            "mark": {"type": "line", "strokeWidth": 2, "clip": True},
            "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash},
        }
    )
    layers += _points(points, x, y, any(trace.bands for trace in panel.traces if trace.style == "points"))
    if panel.limits:
        at = {**y, "field": "v"}
        far = {key: value for key, value in x.items() if key != "field"} | {"datum": last}
        words = {"type": "text", "align": "right", "dy": -6, "fontSize": 11, "color": SOFT}
        layers += [
            {**limits, "mark": {"type": "rule", "strokeDash": [5, 4], "color": SOFT}, "encoding": {"y": at}},
            {**limits, "mark": words, "encoding": {"y": at, "x": far, "text": {"field": "words"}}},
        ]
    layers.append(
        {
            **lines,
            "transform": [{"filter": "datum.read"}, {"calculate": _READING, "as": "tip"}],
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0, "clip": True},
            "encoding": {"x": x, "y": y, "tooltip": {"field": "tip"}},
        }
    )
    if len(names) > 1:
        layers += name_layers({"data": {"name": f"names-{i}"}}, colour, dash, ["circle"], height=str(height if panel.x else height - 40))
    return layers


def _decades(powers: Sequence[int]) -> str:
    """Return the expression that labels powers of ten."""
    words = ", ".join(f"'{power}': '{number_words(10.0**power)}'" for power in powers)
    return f"({{{words}}})[round(log(datum.value) / LN10)]"


def _points(points: Document, x: Document, y: Document, whiskers: bool) -> list[Document]:
    layers: list[Document] = []
    if whiskers:
        layers.append(
            {
                **points,
                "mark": {"type": "rule", "color": INK, "strokeWidth": 1.6, "clip": True},
                "encoding": {"x": x, "y": {**y, "field": "lo0"}, "y2": {"field": "hi0"}},
            }
        )
    layers.append(
        {
            **points,
            "mark": {"type": "point", "filled": True, "stroke": INK, "strokeWidth": 0.8, "size": 44, "opacity": 1},
            "encoding": {"x": x, "y": y, "tooltip": {"field": "tip"}, "color": {"field": "c", "type": "nominal", "scale": None}},
        }
    )
    return layers
