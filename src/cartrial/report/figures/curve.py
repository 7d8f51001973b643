"""How is a curve over time drawn? Kaplan–Meier or cumulative incidence, read on hover, with its numbers at risk beneath."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cartrial.analysis.tables.times import RISK_TIMES
from cartrial.analysis.wording import DAYS_PER_MONTH
from cartrial.report.figures.legend import below, name_layers
from cartrial.report.figures.style import (
    COLOURS,
    INK,
    MONTH,
    PERCENT,
    Document,
    choice,
    document,
    month_ticks,
    toggles,
    visible,
)
from cartrial.report.page.rows import ResultRow, Stat

__all__ = ["Curve", "Moment", "draw_curves", "empty_curves", "read_moments"]

ORDER = [COLOURS[name] for name in ("blue", "red", "green", "pink", "orange", "sky", "black")]


@dataclass(frozen=True)
class Moment:
    """What the results say of a curve at one time; what they do not say is None.

    Parameters
    ----------
    day : float
    value, lower, upper : Stat
    at_risk : Stat
        Just before the day; None after the last time observed.
    censored : Stat
        At the day.
    """

    day: float
    value: Stat | None = None
    lower: Stat | None = None
    upper: Stat | None = None
    at_risk: Stat | None = None
    censored: Stat | None = None


@dataclass(frozen=True)
class Curve:
    """One step curve: what it is of, what it is at each time, and (where the reader may choose) in which choice it stands."""

    label: str
    moments: Sequence[Moment]
    colour: str = ""
    of: str = ""

    @property
    def drawn(self) -> list[Moment]:
        """The times at which the curve has a height, up to the last observed."""
        end = max((moment.day for moment in self.moments if moment.at_risk), default=float("inf"))
        return [moment for moment in self.moments if moment.day <= end and moment.value is not None and moment.value.value is not None]


def read_moments(rows: Sequence[ResultRow], name: str) -> list[Moment]:
    """Return a curve from its results rows; `name` is the statistic (``survival``, ``incidence``)."""
    fields = {name: "value", f"{name}_lower": "lower", f"{name}_upper": "upper", "at_risk": "at_risk", "n_censored": "censored"}
    at: dict[float, dict[str, Stat]] = {}
    for row in rows:
        if row["statistic"] in fields and row["time"] is not None:
            at.setdefault(row["time"], {})[fields[row["statistic"]]] = Stat(row["text"], row["key"], row["value"])
    return [Moment(day, **stats) for day, stats in sorted(at.items())]


def draw_curves(
    curves: Sequence[Curve],
    *,
    title: str,
    ylabel: str,
    xlabel: str,
    band: str = "",
    choices: Mapping[str, str] | None = None,
    joint: bool = False,
) -> Document:
    """Draw step curves.

    Parameters
    ----------
    curves : sequence of Curve
        With choices: those of each choice in a row.
    title : str
        Read out in place of the figure.
    choices : mapping of str to str, optional
        Values of `Curve.of` with their words: the reader chooses one, the first is shown first.
    joint : bool
        The curves compete: they have one set of numbers at risk, of those free of every event.

    Returns
    -------
    dict
        Datasets: ``curve`` (day, s, lo, hi, n censored where there are any, and ``key``: the numbers of their results rows), ``risk`` and
        ``reading`` (what stands on hover from day a to day b). Days are shown as months of 30.4375 days.
    """
    places: dict[str, list[Curve]] = {}
    for curve in curves:
        places.setdefault(curve.of, []).append(curve)
    ordered = [(of, k, curve) for of, some in places.items() for k, curve in enumerate(some)]
    most = max((len(some) for some in places.values()), default=1)
    days = [moment.day for curve in curves for moment in curve.drawn]
    last = max(days, default=0.0) or 30.0
    ticks = _ticks(curves, last)
    datasets = {
        "curve": [row for of, k, curve in ordered for row in _steps(of, k, curve)],
        "risk": [row for of, k, curve in ordered for row in _risk(of, k, curve, ticks) if not (joint and k)],
        "names": [_name(of, k, curve) for of, k, curve in ordered] if most > 1 else [],
        "reading": [row for of, some in places.items() for row in _reading(of, some, last)],
    }
    colours = [next((one.colour for _, at, one in ordered if at == k and one.colour), ORDER[k % len(ORDER)]) for k in range(most)]
    controls: list[Document] = []
    names: list[str] | dict[str, list[str]] = [curve.label for curve in curves]
    if choices and len(choices) > 1:
        controls.append(choice("pick", "Groups", list(choices.items())))
        names = {of: [curve.label for curve in some] for of, some in places.items()}
    if most > 1:
        controls.append(toggles(names, colours, of="pick" if len(controls) else ""))
    # every chart has both signals: a choice of one, and nothing hidden
    taken = {control["signal"] for control in controls}
    both: list[Document] = [{"name": "pick", "value": next(iter(places), "")}, {"name": "hidden", "value": []}]
    fixed = [signal for signal in both if signal["name"] not in taken]
    layers = _layers(ticks, last, colours, xlabel, ylabel, several=most > 1, joint=joint)
    return document(layers, title=title, band=band, height=300, datasets=datasets, params=fixed, controls=controls)


def empty_curves(title: str, ylabel: str, xlabel: str) -> Document:
    """Draw the axes alone, for a shell: the same document without a curve, ``xx`` for the numbers at risk."""
    ticks = [float(day) for day in RISK_TIMES if day <= 24.5 * DAYS_PER_MONTH]
    risk = [{"of": "", "k": 0, "g": "", "day": day, "n": "xx"} for day in ticks]
    datasets: dict[str, list[Document]] = {"curve": [], "risk": risk, "names": [], "reading": []}
    fixed: list[Document] = [{"name": "pick", "value": ""}, {"name": "hidden", "value": []}]
    layers = _layers(ticks, ticks[-1], ORDER[:1], xlabel, ylabel, several=False, joint=False)
    return document(layers, title=title, band="", height=300, datasets=datasets, params=fixed)


def _ticks(curves: Sequence[Curve], last: float) -> list[float]:
    """Return the days that have numbers at risk among every third month, at most ten; else those of `month_ticks`."""
    there = {moment.day for curve in curves for moment in curve.moments if moment.at_risk} & set(RISK_TIMES)
    found = sorted(day for day in there if day <= last)
    return found[:: max(1, -(-len(found) // 10))] if len(found) > 2 else month_ticks(last)


def _steps(of: str, k: int, curve: Curve) -> list[Document]:
    rows = []
    for moment in curve.drawn:
        stats = {"s": moment.value, "lo": moment.lower, "hi": moment.upper}
        if moment.censored and moment.censored.value:
            stats["n"] = moment.censored
        row: Document = {"of": of, "k": k, "g": curve.label, "day": moment.day, "key": [stat.key for stat in stats.values() if stat]}
        rows.append(row | {name: stat.value for name, stat in stats.items() if stat and stat.value is not None})
    return rows


def _name(of: str, k: int, curve: Curve) -> Document:
    return {"of": of, "k": k, "g": curve.label, "words": curve.label, "stroke": True, "shape": ""}


def _risk(of: str, k: int, curve: Curve, ticks: Sequence[float]) -> list[Document]:
    shown = set(ticks)
    return [
        {"of": of, "k": k, "g": curve.label, "day": moment.day, "n": moment.at_risk.text, "key": moment.at_risk.key}
        for moment in curve.moments
        if moment.at_risk and moment.day in shown
    ]


def _reading(of: str, curves: Sequence[Curve], last: float) -> list[Document]:
    """Return, for each interval between two times of any of the curves, what they are there in words."""
    drawn = [(curve.label if len(curves) > 1 else "", curve.drawn) for curve in curves]
    drawn = [(label, moments) for label, moments in drawn if moments]
    times = sorted({moment.day for _, moments in drawn for moment in moments})
    own = [[moment.day for moment in moments] for _, moments in drawn]
    rows = []
    for i, day in enumerate(times):
        end = times[i + 1] if i + 1 < len(times) else last * 1.02
        lines = [f"From day {day:g} (month {day / DAYS_PER_MONTH:.1f})"]
        for (label, moments), days in zip(drawn, own, strict=True):
            front = f"{label}: " if label else ""
            lines.append(front + _words(moments, days, day))
        rows.append({"of": of, "a": day, "b": end, "tip": "\n".join(lines)})
    return rows


def _words(moments: Sequence[Moment], days: Sequence[float], day: float) -> str:
    at = bisect_right(days, day) - 1
    if at < 0:
        return "not observed yet"
    if day > days[-1]:
        return "not observed so long"
    moment = moments[at]
    limits = f" ({moment.lower.text} to {moment.upper.text})" if moment.lower and moment.upper else ""
    # just before a day between two times of a curve as many are at risk as just before the next
    ahead = moments[min(bisect_left(days, day), len(moments) - 1)]
    risk = f", {ahead.at_risk.text} at risk" if ahead.at_risk else ""
    return f"{moment.value.text if moment.value else 'NE'} %{limits}{risk}"


def _layers(
    ticks: Sequence[float], last: float, colours: Sequence[str], xlabel: str, ylabel: str, *, several: bool, joint: bool
) -> list[Document]:
    x = {
        "field": "day",
        "type": "quantitative",
        "title": xlabel,
        "scale": {"domain": [0, last * 1.02], "nice": False},
        # a label stands exactly above its number at risk
        "axis": {"values": list(ticks), "labelExpr": MONTH, "labelFlush": False},
    }
    y = {
        "field": "s",
        "type": "quantitative",
        "title": ylabel,
        "scale": {"domain": [0, 1]},
        "axis": {"labelExpr": PERCENT, "values": [0, 0.25, 0.5, 0.75, 1]},
    }
    colour = {"field": "k", "type": "ordinal", "scale": {"domain": list(range(len(colours))), "range": list(colours)}, "legend": None}
    shown = [visible("datum.of == pick")]
    layers: list[Document] = [
        {
            "data": {"name": "curve"},
            "transform": [visible("datum.of == pick", "isValid(datum.lo)", "isValid(datum.hi)")],
            "mark": {"type": "area", "interpolate": "step-after", "opacity": 0.07 if several else 0.13},
            "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}, "color": colour},
        },
        {
            "data": {"name": "curve"},
            "transform": shown,
            "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
            "encoding": {"x": x, "y": y, "color": colour},
        },
        {
            "data": {"name": "curve"},
            "transform": [visible("datum.of == pick", "datum.n > 0")],
            "mark": {"type": "tick", "orient": "vertical", "size": 9, "thickness": 1.3},
            "encoding": {"x": x, "y": y, "color": colour},
        },
        {
            "data": {"name": "risk"},
            "transform": shown,
            "mark": {"type": "text"},
            "encoding": {"x": x, "y": below("2 + 2 * datum.k" if several and not joint else "1"), "text": {"field": "n"}},
        },
        {
            "data": {"values": [{"words": "At risk: free of every event" if joint else "At risk"}]},
            "mark": {"type": "text", "align": "left", "fontWeight": 600},
            "encoding": {"x": {"value": -4}, "y": below("0"), "text": {"field": "words"}},
        },
    ]
    if several:
        layers += name_layers({"data": {"name": "names"}, "transform": shown}, colour, lines="2 + datum.k" if joint else "1 + 2 * datum.k")
    layers.append(
        {
            "data": {"name": "reading"},
            "transform": [{"filter": "datum.of == pick"}],
            "params": [{"name": "hover", "select": {"type": "point", "on": "pointerover", "clear": "pointerout", "fields": ["a"]}}],
            "mark": {"type": "rect", "color": INK},
            "encoding": {
                "x": {**x, "field": "a"},
                "x2": {"field": "b"},
                "y": {"value": 0},
                "y2": {"value": {"expr": "height"}},
                "opacity": {"condition": {"param": "hover", "empty": False, "value": 0.08}, "value": 0},
                "tooltip": {"field": "tip"},
            },
        }
    )
    return layers
