"""What happened to each subject, in one line each?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cartrial.report.figures.style import COLOURS, INK, MONTH, Document, choice, document, month_ticks

__all__ = ["MARKS", "Swimmer", "draw_swimmers"]

STEP = 16
KNOWN = "time known"
# What happened: shape, colour, words. Shapes differ as well as colours.
# A scan is a bar that stands out above and below the status that was read on it.
_BAR = "M-.34,-1.7H.34V1.7H-.34Z"
MARKS = {
    "PET-CT": (_BAR, COLOURS["pink"], "PET-CT"),
    "CT": (_BAR, "#ffffff", "CT alone"),
    "CR": ("circle", COLOURS["green"], "CR"),
    "CRh": ("circle", COLOURS["sky"], "CRh"),
    "CRi": ("circle", "#9fe0c8", "CRi"),
    "PR": ("circle", COLOURS["sky"], "PR"),
    "RELAPSE": ("triangle-down", COLOURS["red"], "relapse"),
    "PD": ("triangle-down", COLOURS["red"], "progression"),
    "hsct": ("diamond", COLOURS["blue"], "stem cell transplant"),
    "new-therapy": ("square", COLOURS["orange"], "new anticancer therapy"),
    "re-infusion": ("square", COLOURS["pink"], "re-infusion"),
    "death": ("cross", COLOURS["black"], "death"),
    "ongoing": ("triangle-right", COLOURS["grey"], "alive at last contact"),
}


@dataclass(frozen=True)
class Swimmer:
    """One subject. Units: days from day 0.

    Parameters
    ----------
    end : float
        Last day known.
    response : sequence of (start, end)
        Stretches in response by the primary reader.
    marks : sequence of (day, key of `MARKS`)
    link : str
        What a click opens; blank for nothing.
    """

    label: str
    end: float
    response: Sequence[tuple[float, float]] = ()
    marks: Sequence[tuple[float, str]] = field(default_factory=tuple)
    link: str = ""


def draw_swimmers(
    swimmers: Sequence[Swimmer],
    *,
    last: float,
    title: str,
    band: str = "",
    stretch: str = "in remission",
    size: int = 0,
    part: int = 0,
) -> Document:
    """Draw one line a subject; the reader chooses the order, and opens a subject by a click or from the menu beside it.

    Parameters
    ----------
    swimmers : sequence of Swimmer
        All of them, in the order from top to bottom that is shown first.
    last : float
        Last day of the axis: the same on every part of a long figure.
    size, part : int
        Of a long figure: how many subjects stand on a part, and which part this is, from 0. The parts are sorted as one.
    stretch : str
        What a stretch in response is called.

    Notes
    -----
    A mark of a scan, PET-CT or CT, stands on each day of an assessment by it.

    Returns
    -------
    dict
        Datasets: ``bars`` (id, a, b, what) and ``marks`` (id, a, what), in days; shown as months of 30.4375 days.
    """
    places = _places(swimmers)
    bars: list[Document] = []
    marks: list[Document] = []
    shown_here = swimmers[part * size : (part + 1) * size] if size else swimmers
    for swimmer in shown_here:
        said = [(day, MARKS[key][2]) for day, key in sorted(swimmer.marks, key=lambda mark: mark[0])]
        tip = "\n".join([swimmer.label, *(f"day {day:g}: {words}" for day, words in said)])
        common = {"id": swimmer.label, **places[swimmer.label], "tip": tip} | ({"open": swimmer.link} if swimmer.link else {})
        bars.append({**common, "a": 0, "b": max(swimmer.end, 0), "what": KNOWN})
        bars.extend({**common, "a": start, "b": end, "what": stretch} for start, end in swimmer.response)
        marks.extend({**common, "a": max(day, 0), "what": MARKS[key][2]} for day, key in swimmer.marks)
    shown = [MARKS[key] for key in MARKS if any(key == mark for swimmer in swimmers for _, mark in swimmer.marks)]
    order = choice("order", "Order", [("end", "longest known first"), ("response", "first response first"), ("name", "by subject")])
    made = document(
        _layers(last, shown, stretch),
        title=title,
        band=band,
        height=STEP * len(shown_here),
        datasets={"bars": bars, "marks": marks},
        controls=[order],
        resolve={"scale": {"color": "independent"}},
    )
    linked = sorted(((swimmer.label, swimmer.link) for swimmer in swimmers if swimmer.link) if part == 0 else ())
    if linked:
        opened = {"kind": "open", "label": "Subject", "options": [[link, label] for label, link in linked]}
        made["usermeta"]["controls"] = [order, opened]
    if size and len(swimmers) > size:
        made["usermeta"]["part"] = {"of": "swimmer", "place": part, "size": size}
    return made


def _places(swimmers: Sequence[Swimmer]) -> dict[str, Document]:
    """Return the place of each subject in each order, from 0."""
    first = {swimmer.label: min((start for start, _ in swimmer.response), default=float("inf")) for swimmer in swimmers}
    orders = {
        "end": [swimmer.label for swimmer in swimmers],
        "response": sorted(first, key=lambda label: (first[label], label)),
        "name": sorted(first),
    }
    return {label: {order: labels.index(label) for order, labels in orders.items()} for label in first}


def _layers(last: float, shown: Sequence[tuple[str, str, str]], stretch: str) -> list[Document]:
    x = {
        "field": "a",
        "type": "quantitative",
        "title": "Months since first infusion",
        "scale": {"domain": [0, last * 1.03], "nice": False},
        "axis": {"grid": True, "values": month_ticks(last), "labelExpr": MONTH},
    }
    y = {
        "field": "id",
        "type": "nominal",
        "title": None,
        "sort": {"field": "place", "op": "min", "order": "ascending"},
        "axis": {"grid": False, "labelFontSize": 11, "labelOverlap": False, "labelLimit": 110},
    }
    tip = {"tooltip": {"field": "tip"}, "href": {"field": "open"}}
    placed: Document = {"calculate": "datum[order]", "as": "place"}
    ground = {"domain": [KNOWN, stretch], "range": ["#dfe5ea", "#9fd8c3"]}
    words = [item[2] for item in shown]
    columns = {"expr": "width < 420 ? 1 : width < 800 ? 4 : 7"}
    return [
        {
            "data": {"name": "bars"},
            "transform": [placed],
            "mark": {"type": "bar", "height": 9},
            "encoding": {
                "x": x,
                "x2": {"field": "b"},
                "y": y,
                "color": {
                    "field": "what",
                    "type": "nominal",
                    "scale": ground,
                    "legend": {"orient": "bottom", "offset": 4, "columns": 2, "symbolType": "square"},
                },
                **tip,
            },
        },
        {
            "data": {"name": "marks"},
            "transform": [placed],
            "mark": {"type": "point", "size": 62, "strokeWidth": 0.7, "stroke": INK, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                "shape": {
                    "field": "what",
                    "type": "nominal",
                    "scale": {"domain": words, "range": [item[0] for item in shown]},
                    "legend": {"columns": columns},
                },
                "fill": {
                    "field": "what",
                    "type": "nominal",
                    "scale": {"domain": words, "range": [item[1] for item in shown]},
                    "legend": {"columns": columns},
                },
                **tip,
            },
        },
    ]
