"""How does every figure look, and what does each Vega-Lite document have in common?

Figures are documents of Vega-Lite: plain dictionaries that hold their rows. The page's scripts draw them, and lay them out again for a
phone. Nothing is computed in them: each number is a row of results or of a derived set, as it is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cartrial.analysis.wording import DAYS_PER_MONTH

__all__ = ["COLOURS", "CONFIG", "INK", "MONTH", "PERCENT", "SOFT", "Document", "choice", "document", "month_ticks", "toggles", "visible"]

Document = dict[str, Any]

# Okabe and Ito: distinguishable with every common colour vision. Orange and sky as areas alone, or with an outline.
COLOURS = {
    "blue": "#0072B2",
    "red": "#D55E00",
    "green": "#009E73",
    "pink": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "black": "#1f2933",
    "grey": "#8794a0",
}
INK, SOFT, LINE = COLOURS["black"], "#52606d", "#d9e0e6"

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'
PERCENT = "format(100 * datum.value, '.3~g') + ' %'"
"""Label of an axis of shares."""
MONTH = f"round(datum.value / {DAYS_PER_MONTH})"
"""Label of an axis of days whose ticks stand at whole months: the month (of 30.4375 days; rules, A20)."""

CONFIG: Document = {
    "font": FONT,
    "padding": 2,
    "view": {"stroke": None},
    "aria": False,
    "customFormatTypes": False,
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelColor": INK,
        "titleColor": SOFT,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": SOFT,
        "tickColor": SOFT,
        "tickSize": 4,
        "labelOverlap": "greedy",
    },
    "axisY": {
        "domain": False,
        "ticks": False,
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "end",
        "titleBaseline": "bottom",
        "titleX": 0,
        "titleY": -8,
    },
    "axisX": {"grid": False, "labelSeparation": 8},
    "legend": {
        "orient": "top",
        "title": None,
        "labelFontSize": 12,
        "labelColor": INK,
        "labelLimit": 320,
        "symbolStrokeWidth": 2.5,
        "symbolOpacity": 1,
        "offset": 26,
        "columnPadding": 14,
        "symbolSize": 110,
    },
    "text": {"fontSize": 12, "color": INK},
    "title": {"color": "#8a3b00", "fontSize": 11, "fontWeight": 600, "anchor": "start", "offset": 10},
    "range": {"category": [COLOURS[name] for name in ("blue", "red", "green", "pink", "orange", "sky", "black")]},
}


def document(
    layers: Sequence[Document],
    *,
    title: str,
    band: str,
    height: Any,
    datasets: Mapping[str, Sequence[Mapping[str, Any]]],
    params: Sequence[Document] = (),
    controls: Sequence[Document] = (),
    **more: Any,
) -> Document:
    """Return a Vega-Lite document of layers over common axes, as wide as the page lets it be.

    Parameters
    ----------
    layers : sequence of dict
    title : str
        Read out in place of the figure.
    band : str
        Stands above the figure, in what is saved of it too; blank for real data.
    height : int or dict
        Of the axes, in px.
    datasets : mapping of str to rows
    params : sequence of dict
        Signals by which the page's controls reach the figure; of `choice` and `toggles` besides.
    controls : sequence of dict
        What the page shows above the figure: `choice`, `toggles`.
    """
    made: Document = {
        "$schema": SCHEMA,
        "description": title,
        "width": "container",
        "height": height,
        # resize: the height is laid out again where another group has more lines beneath the axis
        "autosize": {"type": "fit-x", "contains": "padding", "resize": True},
        "config": CONFIG,
        "datasets": {name: list(rows) for name, rows in datasets.items()},
        "layer": list(layers),
        **more,
    }
    signals = [*params, *({"name": control["signal"], "value": control["value"]} for control in controls)]
    if band:
        made["title"] = band
    if signals:
        made["params"] = signals
    if controls:
        made["usermeta"] = {"controls": list(controls)}
    return made


def choice(signal: str, label: str, options: Sequence[tuple[str, str]]) -> Document:
    """Return a drop-down of the page; `options` are values of the signal with their words, the first is shown first."""
    return {"kind": "choice", "signal": signal, "label": label, "value": options[0][0], "options": [list(pair) for pair in options]}


def toggles(names: Sequence[str] | Mapping[str, Sequence[str]], colours: Sequence[str], *, of: str = "") -> Document:
    """Return the page's boxes that show and hide series.

    Parameters
    ----------
    names : sequence of str, or mapping of str to sequence of str
        Values of the field ``g`` of the rows; by the value of the choice `of` where they hang on one.
    colours : sequence of str
        Of each in its order.
    of : str
        The signal of a `choice`.
    """
    series = {value: list(some) for value, some in names.items()} if isinstance(names, Mapping) else list(names)
    return {"kind": "toggles", "signal": "hidden", "label": "Show", "value": [], "series": series, "colours": list(colours), "of": of}


def visible(*more: str) -> Document:
    """Return the transform of what is not hidden; a layer with data of its own needs it itself."""
    return {"filter": " && ".join(("indexof(hidden, datum.g) < 0", *more))}


def month_ticks(last: float) -> list[float]:
    """Return the days of every 1, 2, 3, 6 or 12 months (of 30.4375 days, whole days) up to the last day, at most nine."""
    months = last / DAYS_PER_MONTH
    step = next((size for size in (1, 2, 3, 6, 12, 24, 36, 60, 120) if months / size <= 9), 240)
    return [float(int(k * step * DAYS_PER_MONTH + 0.5)) for k in range(int(months / step + 1e-9) + 1)]
