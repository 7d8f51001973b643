"""How is the check of a model drawn? Two panels: quantiles of what was measured, and the share below the limit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cartrial.report.figures.panels import Panel, Trace, draw_panels
from cartrial.report.figures.style import COLOURS, Document
from cartrial.report.page.rows import ResultRow

__all__ = ["draw_check"]

_LINES = {"q90": ("90 % quantile", COLOURS["green"]), "q50": ("median", COLOURS["blue"]), "q10": ("10 % quantile", COLOURS["pink"])}
_NAN = float("nan")


def draw_check(rows: Sequence[ResultRow], *, unit: str, title: str, band: str = "") -> Document | None:
    """Draw the rows of a check; None where there are not two windows to join.

    Parameters
    ----------
    rows : sequence of ResultRow
        Endpoint CHECK of one test.
    unit : str
        Of the samples.
    """
    times = sorted({row["time"] for row in rows if row["time"] is not None})
    if len(times) < 2:
        return None

    def of(statistic: str) -> np.ndarray:
        found = {row["time"]: row["value"] for row in rows if row["statistic"] == statistic}
        return np.array([_NAN if found.get(time) is None else found[time] for time in times], np.float64)

    x = np.array(times, np.float64)
    traces: list[Trace] = []
    for name, (words, colour) in _LINES.items():
        traces.append(Trace(words, colour, x, of(name), [(of(f"{name}_lower"), of(f"{name}_upper"))]))
        traces.append(Trace("", colour, x, of(f"observed_{name}"), style="points", tip=f"measured, {words}"))
    heights = np.concatenate(
        [of(f"{pre}{name}{end}") for name in _LINES for pre, end in (("observed_", ""), ("", "_lower"), ("", "_upper"))]
    )
    heights = heights[np.isfinite(heights) & (heights > 0)]
    if not len(heights):
        return None
    low, high = 10 ** math.floor(math.log10(heights.min())), 10 ** math.ceil(math.log10(heights.max() * 1.0001))
    below = [
        Trace("", COLOURS["blue"], x, 100 * of("below"), [(100 * of("below_lower"), 100 * of("below_upper"))]),
        Trace("", COLOURS["black"], x, 100 * of("observed_below"), style="points", tip="measured, share below the limit, %"),
    ]
    most = 100 * float(np.nanmax([*of("below_upper"), *of("observed_below"), 0.05]))
    panels = [
        Panel(f"Quantiles of measured samples, {unit}", low, high, traces),
        Panel("Below the limit, % of samples", 0.0, min(100.0, 1.1 * most), below, x="Days since first infusion", log=False),
    ]
    return draw_panels(panels, title=title, band=band, height=190)
