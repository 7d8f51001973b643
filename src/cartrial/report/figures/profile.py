"""How are the product's cells drawn over time, and their peak by response?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from cartrial.report.figures.legend import LETTERS
from cartrial.report.figures.style import COLOURS, SOFT, Document, document, toggles, visible

__all__ = ["GROUPS", "Profile", "draw_profiles", "draw_strip"]

# Response by the primary reader: words, colour, shape.
GROUPS = {
    "Y": ("responder", COLOURS["green"], "circle"),
    "N": ("non-responder", COLOURS["red"], "diamond"),
    "": ("response not known", COLOURS["grey"], "square"),
}
WORDS = {words: (colour, shape) for words, colour, shape in GROUPS.values()}
DECADES = {
    "grid": True,
    "labelExpr": "datum.value >= 1 ? replace(format(datum.value, ','), /,/g, ' ') : datum.value",
    "values": [10.0**k for k in range(-6, 13)],
}


READING = (
    "datum.id + ', ' + datum.g + '\\nday ' + datum.day + ': ' + (datum.low ? 'below the limit of quantification' : "
    "replace(format(datum.v, ',.6~r'), /,/g, ' '))"
)
"""What hover says of a sample."""


@dataclass(frozen=True)
class Profile:
    """One subject's samples. `points`: (day, value); below the limit of quantification the value is None."""

    label: str
    group: str
    points: Sequence[tuple[float, float | None]]


def draw_profiles(profiles: Sequence[Profile], *, lloq: float | None, unit: str, title: str, band: str = "") -> Document:
    """Draw individual profiles on a logarithmic axis; what is below the limit is a triangle at half the limit.

    Parameters
    ----------
    profiles : sequence of Profile
    lloq : float or None
        Lower limit of quantification: a dashed line. Without one limit, what is below lies on the foot.
    unit : str
        Of the values.

    Returns
    -------
    dict
        Dataset ``samples``: id, g, day, v, low. Hover follows one subject.
    """
    known = [value for profile in profiles for _, value in profile.points if value]
    days = [day for profile in profiles for day, _ in profile.points]
    foot = lloq / 2 if lloq else 10 ** math.floor(math.log10(min(known) * 0.9))
    top = 10 ** math.ceil(math.log10(max([*known, lloq or 0.0]) * 1.0001))
    rows: list[Document] = []
    for profile in profiles:
        words = GROUPS[profile.group][0]
        for day, value in profile.points:
            rows.append({"id": profile.label, "g": words, "day": day, "v": value or foot, "low": not value})
    groups = [words for words in WORDS if any(row["g"] == words for row in rows)]
    x = {
        "field": "day",
        "type": "quantitative",
        "title": "Days since first infusion",
        "scale": {"domain": [min(0, *days), max(days) * 1.02], "nice": False},
        "axis": {"tickMinStep": 1},
    }
    y = {"field": "v", "type": "quantitative", "title": unit, "scale": {"type": "log", "domain": [foot / 1.25, top]}, "axis": DECADES}
    colour = _colour(groups)
    samples: Document = {"data": {"name": "samples"}, "transform": [visible()]}
    near = {"name": "near", "select": {"type": "point", "on": "pointerover", "clear": "pointerout", "fields": ["id"]}}
    shape = {"field": "low", "type": "nominal", "scale": {"domain": [False, True], "range": ["circle", "triangle-down"]}, "legend": None}
    layers: list[Document] = [
        {
            **samples,
            "mark": {"type": "line", "strokeWidth": 1.3},
            "encoding": {"x": x, "y": y, "color": colour, "detail": {"field": "id"}, "opacity": _near(0.75)},
        },
        {
            "data": {"name": "samples"},
            "transform": [visible(), {"calculate": READING, "as": "tip"}],
            "params": [near],
            "mark": {"type": "point", "filled": True, "size": 38},
            "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "opacity": _near(0.9), "tooltip": {"field": "tip"}},
        },
    ]
    if lloq:
        layers += [
            {
                "data": {"name": "limit"},
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": SOFT},
                "encoding": {"y": {"field": "v", "type": "quantitative"}},
            },
            {
                "data": {"name": "limit"},
                "mark": {"type": "text", "align": "right", "dy": -6, "fontSize": 11, "color": SOFT, "text": "limit of quantification"},
                "encoding": {"y": {"field": "v", "type": "quantitative"}, "x": {"value": {"expr": "width"}}},
            },
        ]
    datasets: dict[str, list[Document]] = {"samples": rows, "limit": [{"v": lloq}] if lloq else []}
    controls = [toggles(groups, [WORDS[words][0] for words in groups])]
    return document(layers, title=title, band=band, height=300, datasets=datasets, controls=controls)


def _number(value: float) -> str:
    return f"{value:,.6g}".replace(",", " ")


def _colour(groups: Sequence[str]) -> Document:
    return {
        "field": "g",
        "type": "nominal",
        "scale": {"domain": list(groups), "range": [WORDS[words][0] for words in groups]},
        "legend": {"symbolType": "circle"},
    }


def _near(full: float) -> Document:
    return {"condition": {"param": "near", "value": full}, "value": 0.08}


def draw_strip(values: Sequence[tuple[str, str, float]], *, label: str, title: str, band: str = "") -> Document:
    """Draw one point a subject in its response group, on a logarithmic axis.

    Parameters
    ----------
    values : sequence of (subject, group, value)
        Positive values alone; `group` is a key of `GROUPS`.
    """
    groups = [words for key, (words, _, _) in GROUPS.items() if any(key == group for _, group, _ in values)]
    ordered = sorted(values, key=lambda item: item[2])
    rows: list[Document] = []
    for words in groups:
        own = [(subject, value) for subject, group, value in ordered if GROUPS[group][0] == words]
        for k, (subject, value) in enumerate(own):
            tip = f"{subject}, {words}: {_number(value)}"
            rows.append({"id": subject, "g": words, "v": value, "aside": (k % 5 - 2) * 5.5, "tip": tip})
    low = 10 ** math.floor(math.log10(ordered[0][2]))
    high = 10 ** math.ceil(math.log10(ordered[-1][2] * 1.0001))
    x = {
        "field": "v",
        "type": "quantitative",
        "title": wrap(label, LETTERS),
        "scale": {"type": "log", "domain": [low, high]},
        "axis": DECADES,
    }
    y = {"field": "g", "type": "nominal", "title": None, "sort": groups, "axis": {"grid": False, "labelLimit": 140}}
    shapes = {"domain": groups, "range": [WORDS[words][1] for words in groups]}
    layer = {
        "data": {"name": "values"},
        "mark": {"type": "point", "filled": True, "size": 44, "opacity": 0.9},
        "encoding": {
            "x": x,
            "y": y,
            "yOffset": {"field": "aside", "type": "quantitative", "scale": {"domain": [-24, 24]}},
            "color": {**_colour(groups), "legend": None},
            "shape": {"field": "g", "type": "nominal", "scale": shapes, "legend": None},
            "tooltip": {"field": "tip"},
        },
    }
    return document([layer], title=title, band=band, height=46 * len(groups), datasets={"values": rows})
