"""How did the size of the lesions change, subject by subject, the largest growth first?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cartrial.report.figures.style import COLOURS, INK, SOFT, Document, document

__all__ = ["STATUSES", "Bar", "draw_waterfall"]

# Best response: its colour. What is not drawn by a colour alone stands in the hover and in the table beside.
STATUSES = {
    "CR": COLOURS["green"],
    "PR": COLOURS["sky"],
    "SD": COLOURS["grey"],
    "IR": COLOURS["pink"],
    "PD": COLOURS["red"],
    "NE": "#d9e0e6",
}
LEAST = 14
"""Width (px) of a bar that has room for its subject's name below."""


@dataclass(frozen=True)
class Bar:
    """One subject: the best change in per cent, and the best response.

    Parameters
    ----------
    tip : str
        What is said on hover.
    """

    label: str
    change: float
    status: str
    tip: str


def draw_waterfall(bars: Sequence[Bar], *, limit: float, title: str, ylabel: str, band: str = "") -> Document:
    """Draw one bar a subject, from the largest growth to the largest fall.

    Parameters
    ----------
    bars : sequence of Bar
    limit : float
        Where a line is dotted: the change from which a partial response is one. Unit: per cent.
    title : str
        Read out in place of the figure.
    ylabel : str
        Title of the axis of changes.

    Returns
    -------
    dict
        Dataset ``bars``: id, change (per cent), status.
    """
    ordered = sorted(bars, key=lambda bar: (-bar.change, bar.label))
    rows = [{"i": i, "id": bar.label, "change": bar.change, "status": bar.status, "tip": bar.tip} for i, bar in enumerate(ordered)]
    top = max([bar.change for bar in bars] + [0.0])
    shown = [status for status in STATUSES if any(bar.status == status for bar in bars)]
    x = {
        "field": "id",
        "type": "nominal",
        "sort": {"field": "i", "op": "min"},
        "title": None,
        "scale": {"paddingInner": 0.18, "paddingOuter": 0.1},
        "axis": {
            "labelAngle": -90,
            "labelExpr": f"width / {max(len(rows), 1)} > {LEAST} ? datum.label : ''",
            "labelOverlap": False,
            "labelLimit": 90,
            "ticks": False,
            "domain": False,
            "orient": "bottom",
        },
    }
    y = {
        "field": "change",
        "type": "quantitative",
        "title": ylabel,
        "scale": {"domain": [-100, max(50.0, 1.05 * top)], "nice": False},
        "axis": {"grid": True, "labelExpr": "datum.label + ' %'", "tickCount": 6},
    }
    colour = {
        "field": "status",
        "type": "nominal",
        "title": None,
        "scale": {"domain": shown, "range": [STATUSES[status] for status in shown]},
        "legend": {"symbolType": "square", "columns": {"expr": "width < 420 ? 3 : 7"}},
    }
    rules: Document = {"type": "rule", "color": SOFT}
    layers: list[Document] = [
        {
            "data": {"name": "bars"},
            "mark": {"type": "bar", "stroke": INK, "strokeWidth": 0.4},
            "encoding": {"x": x, "y": y, "color": colour, "tooltip": {"field": "tip"}},
        },
        {"data": {"values": [{"change": 0}]}, "mark": {**rules, "strokeWidth": 1}, "encoding": {"y": y}},
        {"data": {"values": [{"change": limit}]}, "mark": {**rules, "strokeDash": [4, 3]}, "encoding": {"y": y}},
    ]
    # a change of 0 is a bar without height: a point tells that it is there
    layers.append(
        {
            "data": {"name": "bars"},
            "transform": [{"filter": "abs(datum.change) < 0.5"}],
            "mark": {"type": "point", "filled": True, "size": 26, "color": INK, "opacity": 1},
            "encoding": {"x": x, "y": y, "tooltip": {"field": "tip"}},
        }
    )
    return document(layers, title=title, band=band, height=320, datasets={"bars": rows})
