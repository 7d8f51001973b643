"""How is one subject's course drawn? Statuses by reader, treatments and measurements over one axis of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cartrial.report.figures.style import COLOURS, CONFIG, INK, MONTH, SCHEMA, SOFT, Document, month_ticks
from cartrial.report.figures.swimmer import MARKS

__all__ = ["BELOW", "Course", "Measure", "Sheet", "course_rows", "course_signals", "draw_course"]

BELOW, ABOVE = "below", "above"
"""What a sample is that is no number: at most, or at least, where it is drawn."""

ASIDE = 128
LABELS = 116
_OTHER = ("circle", "#b6c1cb")
_PLAIN = "(datum.value >= 1 ? replace(format(datum.value, ','), /,/g, ' ') : format(datum.value, '~f'))"
_TIP = "'day ' + datum.d + (isValid(datum.e) && datum.e > datum.d ? ' to ' + datum.e : '') + ': ' + "


@dataclass(frozen=True)
class Measure:
    """What one panel shows.

    Parameters
    ----------
    key : str
        Names its samples.
    title : str
        With its unit.
    low, high : float
        Ends of the axis: the same for every subject of a study.
    log : bool
    joined : bool
        Whether a line joins the samples: not where they are of several methods.
    limit : float, optional
        A dashed line across.
    """

    key: str
    title: str
    low: float
    high: float
    log: bool
    joined: bool = True
    limit: float | None = None


@dataclass(frozen=True)
class Sheet:
    """What the figures of all subjects of a study have in common.

    Parameters
    ----------
    readers : sequence of str
        Lines of the first panel.
    statuses : sequence of str
        That any subject has: each with a shape and a colour.
    treatments : sequence of str
        Lines of the second panel.
    measures : sequence of Measure
    in_days : bool
        Whether the axis counts days, and not months.
    """

    readers: Sequence[str]
    statuses: Sequence[str]
    treatments: Sequence[str]
    measures: Sequence[Measure]
    in_days: bool = False


@dataclass(frozen=True)
class Course:
    """One subject. Units: days from day 0.

    Parameters
    ----------
    label : str
    first, last : float
        Ends of the axis.
    statuses : sequence of (day, reader, status)
    treatments : sequence of (start, end, line, words)
    events : sequence of (day, words)
        Drawn as lines through all panels.
    samples : mapping of str to sequence of (day, value, words, kind)
        By the key of a `Measure`; `kind` is blank, `BELOW` or ``above``; words are what was recorded.
    """

    label: str
    first: float
    last: float
    statuses: Sequence[tuple[float, str, str]] = ()
    treatments: Sequence[tuple[float, float, str, str]] = ()
    events: Sequence[tuple[float, str]] = ()
    samples: Mapping[str, Sequence[tuple[float, float, str, str]]] = field(default_factory=dict)


def course_rows(sheet: Sheet, course: Course) -> dict[str, list[Document]]:
    """Return the datasets of one subject: ``statuses``, ``treatments``, ``events``, and ``samples-i`` of each measure."""
    rows: dict[str, list[Document]] = {
        "statuses": [{"d": day, "r": reader, "s": status} for day, reader, status in course.statuses],
        "treatments": [
            {"d": start, "r": line, "w": words} | ({"e": end} if end > start else {}) for start, end, line, words in course.treatments
        ],
        "events": [{"d": day, "w": words} for day, words in course.events],
    }
    for i, measure in enumerate(sheet.measures):
        rows[f"samples-{i}"] = [
            {"d": day, "v": value} | ({"w": words} if kind or words != f"{value:g}" else {}) | ({"k": kind} if kind else {})
            for day, value, words, kind in course.samples.get(measure.key, ())
        ]
    return rows


def course_signals(course: Course | None) -> dict[str, object]:
    """Return the values of the figure's signals: the ends of the axis and its ticks at whole months."""
    first, last = (course.first, course.last) if course else (0.0, 1.0)
    return {"from": first, "to": last, "ticks": month_ticks(last)}


def draw_course(sheet: Sheet, course: Course | None = None, *, band: str = "") -> Document:
    """Draw the course of a subject; without one the figure that is filled with the rows of `course_rows` and `course_signals`."""
    views = [_statuses(sheet)]
    if sheet.treatments:
        views.append(_treatments(sheet))
    views += [_samples(measure, i) for i, measure in enumerate(sheet.measures)]
    for layer in views[-1]["layer"]:
        if "x" in layer["encoding"]:
            layer["encoding"]["x"] = _axis(last=True, in_days=sheet.in_days)
    made: Document = {
        "$schema": SCHEMA,
        "description": f"Course of subject {course.label}" if course else "Course of a subject",
        "autosize": {"type": "pad", "resize": True},
        "config": CONFIG,
        "datasets": course_rows(sheet, course) if course else {},
        "params": [{"name": name, "value": value} for name, value in course_signals(course).items()],
        "vconcat": views,
        "spacing": 18,
        "resolve": {"scale": dict.fromkeys(("color", "fill", "shape"), "independent")},
        "usermeta": {"aside": ASIDE},
    }
    return made | ({"title": band} if band else {})


def _axis(*, last: bool = False, in_days: bool = False, field: str = "d") -> Document:
    shown: Document = {"labels": False, "ticks": False, "grid": False}
    if last:
        months: Document = {"values": {"expr": "ticks"}, "labelExpr": MONTH}
        shown = {**({"tickMinStep": 1, "tickCount": {"expr": "width < 420 ? 4 : 9"}} if in_days else months), "grid": True}
    return {
        "field": field,
        "type": "quantitative",
        "title": f"{'Days' if in_days else 'Months'} since first infusion" if last else None,
        "scale": {"domain": [{"expr": "from"}, {"expr": "to"}], "nice": False, "zero": False},
        "axis": shown,
    }


def _lines(order: Sequence[str]) -> Document:
    return {
        "field": "r",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(order)},
        "axis": {"grid": False, "labelLimit": LABELS, "minExtent": LABELS, "maxExtent": LABELS, "labelOverlap": False},
    }


def _events(words: bool = False) -> list[Document]:
    """Return the layers of what happened: a dashed line in every panel, its words in the first."""
    data: Document = {"data": {"name": "events"}, "transform": [{"calculate": _TIP + "datum.w", "as": "tip"}]}
    rule = {"type": "rule", "strokeDash": [3, 3], "color": INK if words else SOFT, "clip": True}
    layers: list[Document] = [{**data, "mark": rule, "encoding": {"x": _axis(), "tooltip": {"field": "tip"}}}]
    if words:
        for side, there in (("left", "<="), ("right", ">")):
            near = {"filter": f"datum.d {there} from + 0.8 * (to - from)"}
            text = {"type": "text", "align": side, "dx": 3 if side == "left" else -3, "baseline": "bottom", "fontSize": 11}
            at = {"x": _axis(), "y": {"value": -3}, "text": {"field": "w"}}
            layers.append({**data, "transform": [near], "mark": text, "encoding": at})
    return layers


def _statuses(sheet: Sheet) -> Document:
    shapes = [MARKS[status][:2] if status in MARKS else ("circle", COLOURS["orange"]) for status in sheet.statuses]
    shapes = [_OTHER if status in ("NE", "NA") else shape for status, shape in zip(sheet.statuses, shapes, strict=True)]
    domain = list(sheet.statuses)
    # a legend of nothing has no size, and with it the whole figure none
    legend = {"columns": {"expr": "width < 420 ? 4 : 8"}, "orient": "bottom", "offset": 6} if domain else None
    marks: Document = {
        "data": {"name": "statuses"},
        "transform": [{"calculate": _TIP + "datum.s + ' (' + datum.r + ')'", "as": "tip"}],
        "mark": {"type": "point", "size": 75, "strokeWidth": 0.7, "stroke": INK, "opacity": 1, "clip": True},
        "encoding": {
            "x": _axis(),
            "y": _lines(sheet.readers),
            "shape": {
                "field": "s",
                "type": "nominal",
                "scale": {"domain": domain, "range": [shape for shape, _ in shapes]},
                "legend": legend,
            },
            "fill": {
                "field": "s",
                "type": "nominal",
                "scale": {"domain": domain, "range": [colour for _, colour in shapes]},
                "legend": legend,
            },
            "tooltip": {"field": "tip"},
        },
    }
    return {"width": 680, "height": 18 * max(1, len(sheet.readers)), "layer": [marks, *_events(words=True)]}


def _treatments(sheet: Sheet) -> Document:
    data: Document = {"data": {"name": "treatments"}, "transform": [{"calculate": _TIP + "datum.w", "as": "tip"}]}
    at = {"x": _axis(), "y": _lines(sheet.treatments), "tooltip": {"field": "tip"}}
    bar = {"type": "rule", "strokeWidth": 6, "color": COLOURS["sky"], "clip": True}
    lasting = [*data["transform"], {"filter": "isValid(datum.e)"}]
    point = {"type": "point", "filled": True, "size": 46, "opacity": 1, "color": COLOURS["blue"], "clip": True}
    layers = [
        {**data, "mark": point, "encoding": at},
        {**data, "transform": lasting, "mark": bar, "encoding": {**at, "x2": {"field": "e"}}},
    ]
    return {"width": 680, "height": 18 * len(sheet.treatments), "layer": [*layers, *_events()]}


def _samples(measure: Measure, i: int) -> Document:
    data: Document = {
        "data": {"name": f"samples-{i}"},
        "transform": [
            {"calculate": "isValid(datum.k) ? datum.k : ''", "as": "k"},
            {"calculate": _TIP + "(isValid(datum.w) ? datum.w : format(datum.v, '.6~g'))", "as": "tip"},
        ],
    }
    scale: Document = {"domain": [measure.low, measure.high], "nice": False, **({"type": "log"} if measure.log else {"zero": False})}
    axis: Document = {"tickCount": 3, "minExtent": LABELS, "maxExtent": LABELS, "grid": True}
    if measure.log:
        axis["labelExpr"] = "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6 ? " + _PLAIN + " : ''"
    y: Document = {"field": "v", "type": "quantitative", "title": measure.title, "scale": scale, "axis": axis}
    kinds = {"field": "k", "type": "nominal", "legend": None}
    shape = {**kinds, "scale": {"domain": ["", BELOW, ABOVE], "range": ["circle", "triangle-down", "triangle-up"]}}
    colour = {"value": COLOURS["blue"]}
    line = {"type": "line", "strokeWidth": 1.3, "clip": True}
    point = {"type": "point", "filled": True, "size": 40, "opacity": 1, "clip": True}
    layers: list[Document] = [{**data, "mark": line, "encoding": {"x": _axis(), "y": y, "color": colour}}] if measure.joined else []
    layers += [
        {**data, "mark": point, "encoding": {"x": _axis(), "y": y, "shape": shape, "color": colour, "tooltip": {"field": "tip"}}},
    ]
    if measure.limit is not None:
        rule = {"type": "rule", "strokeDash": [5, 4], "color": COLOURS["red"]}
        # an axis of its own layer would be drawn over that of the samples: it has the same scale
        layers.append({"data": {"values": [{"v": measure.limit}]}, "mark": rule, "encoding": {"y": y}})
    return {"width": 680, "height": 60, "layer": [*layers, *_events()]}
