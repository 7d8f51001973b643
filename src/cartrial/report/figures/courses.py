"""How are fitted courses drawn over the samples that they were fitted to?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cartrial.report.figures.profile import DECADES
from cartrial.report.figures.style import COLOURS, INK, SOFT, Document, choice, document, toggles, visible

__all__ = ["Course", "draw_courses"]

_ALL = "all subjects"
_SAMPLED, _NOT_SAMPLED, _TYPICAL = "fitted course", "fitted course, peak not sampled", "typical course"
_COLOURS = {_SAMPLED: COLOURS["blue"], _NOT_SAMPLED: COLOURS["red"], _TYPICAL: COLOURS["black"]}
_DASHES = {_SAMPLED: [1, 0], _NOT_SAMPLED: [6, 3], _TYPICAL: [2, 3]}
_MARKS = {-1: "triangle-down", 0: "circle", 1: "triangle-up"}
_READING = (
    "datum.id + '\\nday ' + datum.day + ': ' + (datum.low ? 'below the limit of quantification' : "
    "(datum.most ? 'at least ' : '') + replace(format(datum.v, ',.6~r'), /,/g, ' '))"
)
_CHOSEN = f"who == '{_ALL}' || datum.id == who"


@dataclass(frozen=True)
class Course:
    """A subject's fitted course and samples.

    Parameters
    ----------
    label : str
        Blank: the typical course.
    line : sequence of (day, value)
        Empty where the model has no course.
    samples : sequence of (day, value, side)
        Side: -1, below the value; 0, measured; 1, at least the value.
    sampled : bool
        Whether the fitted peak is near a sample's height.
    """

    label: str
    line: Sequence[tuple[float, float]]
    samples: Sequence[tuple[float, float, int]] = ()
    sampled: bool = True


def draw_courses(courses: Sequence[Course], *, unit: str, title: str, band: str = "") -> Document:
    """Draw fitted courses and samples on a logarithmic axis; one subject may be chosen.

    Parameters
    ----------
    courses : sequence of Course
    unit : str
        Title of the vertical axis.

    Returns
    -------
    dict
        Datasets ``lines`` (id, g, day, v) and ``samples`` (id, day, v, low, most, mark: the side).
    """
    samples: list[Document] = [
        {"id": course.label, "day": day, "v": value, "low": side < 0, "most": side > 0, "mark": side}
        for course in courses
        for day, value, side in course.samples
    ]
    known = [row["v"] for row in samples]
    low, high = 10 ** math.floor(math.log10(min(known))), 10 ** math.ceil(math.log10(max(known) * 1.0001))
    lines: list[Document] = []
    for course in courses:
        words = _TYPICAL if not course.label else _SAMPLED if course.sampled else _NOT_SAMPLED
        # beneath the axis a course says nothing: what rises from there is cut off by the figure
        lines += [
            {"id": course.label or _ALL, "g": words, "day": day, "v": float(f"{value:.5g}")}
            for day, value in course.line
            if value >= low / 10
        ]
    names = [name for name in _COLOURS if any(row["g"] == name for row in lines)]
    days = [row["day"] for row in (*samples, *lines)]
    x = {
        "field": "day",
        "type": "quantitative",
        "title": "Days since first infusion",
        "scale": {"domain": [0, max(days) * 1.02], "nice": False},
        "axis": {"tickMinStep": 1},
    }
    peak = max([high, *(10 ** math.ceil(math.log10(row["v"])) for row in lines if row["v"] > 0)])
    scale = {"type": "log", "domain": [low, min(peak, high * 100)]}
    y = {"field": "v", "type": "quantitative", "title": unit, "scale": scale, "axis": DECADES}
    colours = [_COLOURS[name] for name in names]
    colour = {"field": "g", "type": "nominal", "scale": {"domain": names, "range": colours}, "legend": {"symbolType": "stroke"}}
    dash = {"field": "g", "type": "nominal", "scale": {"domain": names, "range": [_DASHES[name] for name in names]}, "legend": None}
    marks = {"domain": list(_MARKS), "range": [*_MARKS.values()]}
    shape = {"field": "mark", "type": "nominal", "scale": marks, "legend": None}
    layers: list[Document] = [
        {
            "data": {"name": "lines"},
            "transform": [visible(f"(datum.g == '{_TYPICAL}' || {_CHOSEN})")],
            "mark": {"type": "line", "clip": True, "strokeWidth": 1.4},
            "encoding": {
                "x": x,
                "y": y,
                "color": colour,
                "strokeDash": dash,
                "detail": {"field": "id"},
                "opacity": {"value": {"expr": f"who == '{_ALL}' ? 0.55 : 1"}},
            },
        },
        {
            "data": {"name": "samples"},
            "transform": [{"filter": _CHOSEN}, {"calculate": _READING, "as": "tip"}],
            "mark": {"type": "point", "filled": True, "size": 34, "color": INK, "stroke": SOFT, "clip": True},
            "encoding": {
                "x": x,
                "y": y,
                "shape": shape,
                "tooltip": {"field": "tip"},
                "opacity": {"value": {"expr": f"who == '{_ALL}' ? 0.45 : 1"}},
            },
        },
    ]
    people = [course.label for course in courses if course.label]
    controls = [choice("who", "Subject", [(name, name) for name in (_ALL, *people)]), toggles(names, colours)]
    return document(layers, title=title, band=band, height=320, datasets={"lines": lines, "samples": samples}, controls=controls)
