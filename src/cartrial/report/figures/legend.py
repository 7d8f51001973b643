"""How are the series of a figure named? One line each beneath the axes, so that no name is cut at any width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from cartrial.report.figures.style import INK, Document

__all__ = ["BELOW", "DASHES", "LETTERS", "LINE", "below", "name_layers", "name_lines"]

BELOW, LINE = 56, 16
"""Where the first line beneath the axes stands, and how high a line is. Unit: px."""

LETTERS = 42
"""How many letters stand on a line of a phone."""

DASHES: Mapping[str, list[float]] = {"solid": [1, 0], "dashed": [7, 4], "dotted": [2, 4], "dashdot": [9, 4, 2, 4]}


def below(lines: str, height: str = "height") -> Document:
    """Return the place of a line beneath the axes; `lines` is an expression of their number, `height` that of the axes."""
    return {"value": {"expr": f"{height} + {BELOW} + {LINE} * ({lines})"}}


def name_lines(series: Sequence[tuple[str, bool, str]]) -> list[Document]:
    """Return the rows of `name_layers` of series (name, whether it has a line, shape of its marks): a long name takes several lines."""
    rows: list[Document] = []
    for name, stroke, shape in series:
        for place, words in enumerate(wrap(name, LETTERS)):
            first = place == 0
            rows.append({"g": name, "words": words, "k": len(rows), "stroke": stroke and first, "shape": shape if first else ""})
    return rows


def name_layers(
    data: Document,
    colour: Document,
    dash: Document | None = None,
    shapes: Sequence[str] = (),
    *,
    lines: str = "datum.k",
    height: str = "height",
) -> list[Document]:
    """Return the layers that name series beneath the axes.

    Parameters
    ----------
    data : dict
        ``data`` and ``transform``: rows as of `name_lines`.
    colour, dash : dict
        Encodings of the series.
    shapes : sequence of str
        Shapes among the rows.
    lines, height : str
        As `below`.
    """
    y = below(lines, height)
    more = data.get("transform", [])
    layers: list[Document] = [
        {
            **data,
            "transform": [*more, {"filter": "datum.stroke"}],
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"x": {"value": -4}, "x2": {"value": 22}, "y": y, "color": colour, **({"strokeDash": dash} if dash else {})},
        }
    ]
    layers += [
        {
            **data,
            "transform": [*more, {"filter": f"datum.shape == '{shape}'"}],
            "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1, "shape": shape, "stroke": INK, "strokeWidth": 0.5},
            "encoding": {"x": {"value": 9}, "y": y, "fill": colour},
        }
        for shape in dict.fromkeys(shapes)
        if shape
    ]
    layers.append(
        {
            **data,
            "mark": {"type": "text", "align": "left"},
            "encoding": {"x": {"value": 30}, "y": y, "text": {"field": "words"}},
        }
    )
    return layers
