"""How are published rates drawn, and the dates of a product? As printed, in the lines of a forest, without a mark that sums them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cartrial.report.figures.forest import LONG, STEP, lead_rows, word_layers
from cartrial.report.figures.style import COLOURS, INK, PERCENT, SOFT, Document, document

__all__ = ["Known", "Span", "draw_known", "draw_spans"]

_NONE = {"axis": None, "scale": {"paddingInner": 0, "paddingOuter": 0}}


@dataclass(frozen=True)
class Known:
    """One rate as it was printed. A line without `text` is a heading.

    Parameters
    ----------
    label : str
        Of whom.
    text : str
        Counts, rate and limits, as printed.
    value : float, optional
        A fraction.
    printed, exact : tuple of float, optional
        Limits as printed, and those of Clopper and Pearson of its count: fractions.
    method : str
        Which method printed the limits.
    stated : bool
        Whether its reader is.
    own : bool
        Whether it is of the study itself.
    doubt : str
        The number of what speaks against it, blank where nothing does.
    """

    label: str
    text: str = ""
    value: float | None = None
    printed: tuple[float, float] | None = None
    exact: tuple[float, float] | None = None
    method: str = ""
    stated: bool = False
    own: bool = False
    doubt: str = ""


@dataclass(frozen=True)
class Span:
    """Something that happened on a day, or in a month or year that is all that is known.

    Parameters
    ----------
    label, text : str
        What, and when as it was read.
    first, last : str
        The first and the last day that it may have been, ISO.
    """

    label: str
    text: str
    first: str
    last: str


def draw_known(lines: Sequence[Known], *, title: str, xlabel: str, band: str = "") -> Document:
    """Draw rates with their limits as printed, and the exact limits of their counts thin behind them.

    Parameters
    ----------
    lines : sequence of Known
    title : str
        Read out in place of the figure.
    xlabel : str
        Title of the axis.

    Returns
    -------
    dict
        Dataset ``lines``: x, lo, hi, lo0, hi0 (exact) and ``kind``, by which a mark is drawn.

    Examples
    --------
    >>> from cartrial.report.figures.known import Known, draw_known
    >>> made = draw_known([Known("A trial", "34/48, 70.8 %", 34 / 48, stated=True)], title="Rates", xlabel="Rate")
    >>> made["datasets"]["lines"][0]["kind"]
    'stated'
    """
    rows: list[Document] = []
    for line in lines:
        if not line.text:
            rows += lead_rows(line.label, "heading")
            continue
        if len(line.label) + len(line.text) > 2 * LONG:
            rows += lead_rows(line.label, "alone")
        rows.append(_row(line))
    return document(
        _layers(xlabel),
        title=title,
        band=band,
        height=STEP * len(rows),
        datasets={"lines": [{"i": i, **row} for i, row in enumerate(rows)]},
    )


def _row(line: Known) -> Document:
    alone = len(line.label) + len(line.text) > 2 * LONG
    kind = "own" if line.own else "doubt" if line.doubt else "stated" if line.stated else "open"
    row: Document = {"label": "" if alone else line.label, "text": line.text, "n": 1, "kind": kind, "doubt": line.doubt}
    if line.value is not None:
        row["x"] = line.value
    for limits, ends in ((line.printed, ("lo", "hi")), (line.exact, ("lo0", "hi0"))):
        row |= dict(zip(ends, limits, strict=True)) if limits else {}
    widest = line.printed or line.exact or (line.value or 0, line.value or 0)
    said = " ".join(part for part in (line.method, f"[{line.doubt}]" if line.doubt else "") if part)
    # small words stand where the interval leaves room
    row |= {"left" if widest[0] > 1 - widest[1] else "right": said} if said else {}
    return row | {"tip": f"{line.label}\n{line.text}" + (f"\nlimits: {line.method}" if line.method else "")}


def _layers(xlabel: str) -> list[Document]:
    axis = {"grid": True, "labelExpr": PERCENT, "values": [0, 0.25, 0.5, 0.75, 1]}
    x = {"field": "x", "type": "quantitative", "title": xlabel, "scale": {"domain": [0, 1], "nice": False}, "axis": axis}
    y: Document = {"field": "i", "type": "ordinal", **_NONE}
    lines: Document = {"data": {"name": "lines"}}
    there: Document = {**lines, "transform": [{"filter": "isValid(datum.x)"}]}
    colour = {"condition": {"test": "datum.kind == 'own'", "value": COLOURS["blue"]}, "value": INK}
    fill = {
        "condition": [{"test": "datum.kind == 'own'", "value": COLOURS["blue"]}, {"test": "datum.kind == 'stated'", "value": INK}],
        "value": "white",
    }
    shape = {
        "condition": [{"test": "datum.kind == 'own'", "value": "diamond"}, {"test": "datum.kind == 'doubt'", "value": "triangle"}],
        "value": "square",
    }
    small = {"type": "text", "fontSize": 10, "color": SOFT, "yOffset": 9}
    return [
        {
            **lines,
            "transform": [{"filter": "isValid(datum.lo0)"}],
            "mark": {"type": "rule", "strokeWidth": 7, "opacity": 0.18, "yOffset": 9},
            "encoding": {"x": {**x, "field": "lo0"}, "x2": {"field": "hi0"}, "y": y, "color": colour},
        },
        {
            **lines,
            "transform": [{"filter": "isValid(datum.lo)"}],
            "mark": {"type": "rule", "strokeWidth": 2, "yOffset": 9},
            "encoding": {"x": {**x, "field": "lo"}, "x2": {"field": "hi"}, "y": y, "color": colour, "tooltip": {"field": "tip"}},
        },
        {
            **there,
            "mark": {"type": "point", "opacity": 1, "size": 70, "strokeWidth": 1.8, "yOffset": 9},
            "encoding": {"x": x, "y": y, "stroke": colour, "fill": fill, "shape": shape, "tooltip": {"field": "tip"}},
        },
        *(
            {
                **lines,
                "transform": [{"filter": f"isValid(datum.{side})"}],
                "mark": {**small, "align": side},
                "encoding": {"x": {"value": {"expr": at}}, "y": y, "text": {"field": side}},
            }
            for side, at in (("left", "0"), ("right", "width"))
        ),
        *word_layers(lines, y),
    ]


def draw_spans(spans: Sequence[Span], *, title: str) -> Document:
    """Draw what happened when: a day is a point, a month or a year a bar as long as what is not known.

    Examples
    --------
    >>> from cartrial.report.figures.known import Span, draw_spans
    >>> made = draw_spans([Span("approved", "2023-11-08", "2023-11-08", "2023-11-08")], title="Dates")
    >>> made["datasets"]["lines"][0]["day"]
    True
    """
    rows: list[Document] = []
    for span in spans:
        if len(span.label) > LONG:
            rows += lead_rows(span.label, "alone")
        label = "" if len(span.label) > LONG else span.label
        times = {"lo": span.first, "hi": span.last, "day": span.first == span.last}
        rows.append({"label": label, "text": span.text, "n": 1, "tip": f"{span.label}\n{span.text}", **times})
    x: Document = {
        "field": "lo",
        "type": "temporal",
        "title": None,
        "axis": {"format": "%Y", "tickCount": "year", "grid": True},
    }
    y: Document = {"field": "i", "type": "ordinal", **_NONE}
    lines: Document = {"data": {"name": "lines"}}
    tip = {"field": "tip"}
    layers = [
        {
            **lines,
            "transform": [{"filter": "isValid(datum.lo) && !datum.day"}],
            "mark": {"type": "rule", "strokeWidth": 7, "strokeCap": "round", "color": COLOURS["sky"], "yOffset": 9},
            "encoding": {"x": x, "x2": {"field": "hi"}, "y": y, "tooltip": tip},
        },
        {
            **lines,
            "transform": [{"filter": "datum.day"}],
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1, "color": COLOURS["blue"], "yOffset": 9},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
        *word_layers(lines, y),
    ]
    held = [{"i": i, **row} for i, row in enumerate(rows)]
    return document(layers, title=title, band="", height=STEP * len(rows), datasets={"lines": held})
