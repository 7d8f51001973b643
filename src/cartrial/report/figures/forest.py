"""How are estimates with their intervals compared? Label and numbers on a line of their own above each interval, on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import wrap

from cartrial.report.figures.legend import LETTERS
from cartrial.report.figures.style import COLOURS, INK, PERCENT, SOFT, Document, document
from cartrial.report.page.rows import Stat

__all__ = ["LONG", "STEP", "Line", "draw_forest", "lead_rows", "word_layers"]

STEP, LONG = 34, 24
"""Height of a line (px), and how many letters of a label stand beside its numbers on a phone."""


@dataclass(frozen=True)
class Line:
    """One estimate. A line without one is a heading."""

    label: str
    n: Stat | None = None
    total: Stat | None = None
    rate: Stat | None = None
    lower: Stat | None = None
    upper: Stat | None = None
    main: bool = False


def draw_forest(lines: Sequence[Line], *, title: str, xlabel: str, band: str = "") -> Document:
    """Draw rates (0 to 1) with their intervals.

    Parameters
    ----------
    lines : sequence of Line
    title : str
        Read out in place of the figure.
    xlabel : str
        Title of the axis.

    Returns
    -------
    dict
        Dataset ``lines``: x, lo, hi, n and ``key``. Where there is one main estimate, its place is dotted down the figure.
    """
    rows: list[Document] = []
    for line in lines:
        kind = "heading" if line.n is None else "alone"
        if line.n is None or len(line.label) > LONG:
            rows.extend(lead_rows(line.label, kind))
        if line.n is not None:
            rows.append(_row(line if len(line.label) <= LONG else replace(line, label="")))
    rows = [{"i": i, **row} for i, row in enumerate(rows)]
    mains = [row for row in rows if row["main"] and "x" in row]
    datasets = {"lines": rows, "main": mains if len(mains) == 1 else []}
    return document(_layers(xlabel), title=title, band=band, height=STEP * len(rows), datasets=datasets)


def lead_rows(label: str, kind: str) -> list[Document]:
    """Return a label in lines of its own: on a phone it would be cut beside its numbers. `kind` is ``heading`` or ``alone``."""
    *leads, words = wrap(label, LETTERS) or [""]
    rows: list[Document] = [{"label": lead, "main": False, "text": "", kind: True, "lead": True} for lead in leads]
    return [*rows, {"label": words, "main": False, "text": "", kind: True}]


def _row(line: Line) -> Document:
    stats = {"n": line.n, "N": line.total, "x": line.rate, "lo": line.lower, "hi": line.upper}
    row: Document = {"label": line.label, "main": line.main, "key": [stat.key for stat in stats.values() if stat]}
    row |= {name: stat.value for name, stat in stats.items() if stat and stat.value is not None}
    counts = "/".join(stat.text for stat in (line.n, line.total) if stat)
    if line.rate is None or line.rate.value is None:
        return row | {"text": f"{counts}: {line.rate.text if line.rate else 'not estimable'}"}
    known = line.lower and line.upper and line.lower.value is not None and line.upper.value is not None
    limits = f" ({line.lower.text} to {line.upper.text})" if line.lower and line.upper and known else ""
    return row | {"text": f"{counts}: {line.rate.text} %{limits}", "tip": f"{line.label}\n{counts}, {line.rate.text} %{limits}".strip()}


def _words(lines: Document, y: Document, kind: str, lead: bool) -> Document:
    """Return the layer of headings or of labels that stand alone; the first lines of a long one stand nearer to the next."""
    return {
        **lines,
        "transform": [{"filter": f"datum.{kind} && {'' if lead else '!'}datum.lead"}],
        "mark": {"type": "text", "align": "left", "yOffset": (6 if kind == "heading" else 10) + 18 * lead}
        | ({"fontWeight": 600} if kind == "heading" else {}),
        "encoding": {"x": {"value": 0}, "y": y, "text": {"field": "label"}},
    }


def _layers(xlabel: str) -> list[Document]:
    axis = {"grid": True, "labelExpr": PERCENT, "values": [0, 0.25, 0.5, 0.75, 1]}
    x = {"field": "x", "type": "quantitative", "title": xlabel, "scale": {"domain": [0, 1], "nice": False}, "axis": axis}
    y = {"field": "i", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0, "paddingOuter": 0}}
    lines: Document = {"data": {"name": "lines"}}
    there: Document = {**lines, "transform": [{"filter": "isValid(datum.x)"}]}
    colour = {"condition": {"test": "datum.main", "value": COLOURS["blue"]}, "value": INK}
    tip = {"field": "tip"}
    return [
        {
            "data": {"name": "main"},
            "mark": {"type": "rule", "strokeDash": [3, 4], "color": COLOURS["blue"], "opacity": 0.6},
            "encoding": {"x": x},
        },
        {
            **there,
            "mark": {"type": "rule", "strokeWidth": 2, "yOffset": 9},
            "encoding": {"x": {**x, "field": "lo"}, "x2": {"field": "hi"}, "y": y, "color": colour, "tooltip": tip},
        },
        {
            **there,
            "mark": {"type": "point", "filled": True, "opacity": 1, "yOffset": 9},
            "encoding": {
                "x": x,
                "y": y,
                "color": colour,
                "shape": {"condition": {"test": "datum.main", "value": "diamond"}, "value": "square"},
                "size": {"field": "N", "type": "quantitative", "scale": {"range": [36, 150], "zero": False}, "legend": None},
                "tooltip": tip,
            },
        },
        *word_layers(lines, y),
    ]


def word_layers(lines: Document, y: Document) -> list[Document]:
    """Return the layers of labels, of headings and of the numbers at the right; a row with numbers has the field ``n``."""
    return [
        {
            **lines,
            "transform": [{"filter": "isValid(datum.n)"}],
            "mark": {"type": "text", "align": "left", "yOffset": -8, "limit": {"expr": "width - 186"}},
            "encoding": {"x": {"value": 0}, "y": y, "text": {"field": "label"}},
        },
        *(_words(lines, y, kind, lead) for kind in ("heading", "alone") for lead in (False, True)),
        {
            **lines,
            "mark": {"type": "text", "align": "right", "yOffset": -8, "color": SOFT},
            "encoding": {"x": {"value": {"expr": "width"}}, "y": y, "text": {"field": "text"}},
        },
    ]
