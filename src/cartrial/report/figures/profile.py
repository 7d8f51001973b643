"""How are the product's cells drawn over time, and their peak by response?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cartrial.report.page.svg import COLOURS, Canvas, Scale, linear_ticks

__all__ = ["GROUPS", "Profile", "draw_profiles", "draw_strip"]

WIDTH, LEFT, RIGHT, TOP, PLOT = 840.0, 92.0, 24.0, 36.0, 290.0
# Response by the primary reader: words, colour, shape.
GROUPS = {
    "Y": ("responder", COLOURS["green"], "circle"),
    "N": ("non-responder", COLOURS["red"], "triangle"),
    "": ("response not known", COLOURS["grey"], "square"),
}


@dataclass(frozen=True)
class Profile:
    """One subject's samples. `points`: (day, value); below the limit of quantification the value is None."""

    label: str
    group: str
    points: Sequence[tuple[float, float | None]]


def _decades(canvas: Canvas, y: Scale, low: float, high: float) -> None:
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        value = 10.0**power
        if low <= value <= high * 1.0001:
            canvas.line(LEFT, y(value), WIDTH - RIGHT, y(value), "grid")
            canvas.text(LEFT - 8, y(value) + 4, f"{value:,.0f}".replace(",", " ") if power >= 0 else f"{value:g}", "tick", "end")


def _legend(canvas: Canvas, groups: Sequence[str]) -> None:
    x = LEFT
    for group in groups:
        words, colour, shape = GROUPS[group]
        canvas.mark(x + 5, 12, shape, colour)
        canvas.text(x + 16, 16, words, "small")
        x += 40 + 6.9 * len(words)


def draw_profiles(profiles: Sequence[Profile], *, lloq: float | None, unit: str, title: str, band: str = "") -> Markup:
    """Draw individual profiles on a logarithmic axis; what is below the limit is drawn at the foot.

    Parameters
    ----------
    profiles : sequence of Profile
    lloq : float or None
        Lower limit of quantification: a dashed line.
    unit : str
        Of the values.
    """
    values = [value for profile in profiles for _, value in profile.points if value]
    days = [day for profile in profiles for day, _ in profile.points]
    low = 10 ** math.floor(math.log10(min([*values, lloq or values[0]]) * 0.9))
    high = 10 ** math.ceil(math.log10(max(values)))
    base = TOP + PLOT
    canvas = Canvas(WIDTH, base + 48, title, band)
    x = Scale(min(0, *days) if days else 0, max(days) * 1.02, LEFT, WIDTH - RIGHT)
    y = Scale(low, high, base - 14, TOP, log=True)
    _decades(canvas, y, low, high)
    for tick in linear_ticks(min(0, *days), max(days), 10):
        canvas.line(x(tick), base, x(tick), base + 5)
        canvas.text(x(tick), base + 19, f"{tick:g}", "tick", "middle")
    canvas.line(LEFT, base, WIDTH - RIGHT, base)
    canvas.text((LEFT + WIDTH - RIGHT) / 2, base + 40, "Days since the first infusion", "axis-title", "middle")
    canvas.upright(18, TOP + PLOT / 2, unit)
    if lloq:
        canvas.line(LEFT, y(lloq), WIDTH - RIGHT, y(lloq), "limit")
        canvas.text(WIDTH - RIGHT, y(lloq) - 5, "lower limit of quantification", "small", "end")
    for profile in profiles:
        _, colour, shape = GROUPS[profile.group]
        at = [(x(day), y(value) if value and value >= low else base - 5) for day, value in profile.points]
        canvas.path("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in at), "profile", stroke=colour)
        for a, b in at:
            canvas.mark(a, b, shape, colour, size=2.6, tip=profile.label)
    _legend(canvas, [group for group in GROUPS if any(profile.group == group for profile in profiles)])
    return canvas.render()


def draw_strip(values: Sequence[tuple[str, float]], *, label: str, title: str, band: str = "") -> Markup:
    """Draw one point a subject in its response group, on a logarithmic axis.

    Parameters
    ----------
    values : sequence of (group, value)
        Positive values alone; `group` is a key of `GROUPS`.
    """
    groups = [group for group in GROUPS if any(group == other for other, _ in values)]
    low = 10 ** math.floor(math.log10(min(value for _, value in values)))
    high = 10 ** math.ceil(math.log10(max(value for _, value in values) * 1.0001))
    step, base = 46.0, 10 + 46.0 * len(groups)
    canvas = Canvas(WIDTH, base + 44, title, band)
    x = Scale(low, high, LEFT + 60, WIDTH - RIGHT - 20, log=True)
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        canvas.line(x(10.0**power), 6, x(10.0**power), base, "grid")
        canvas.text(
            x(10.0**power), base + 17, f"{10.0**power:,.0f}".replace(",", " ") if power >= 0 else f"{10.0**power:g}", "tick", "middle"
        )
    canvas.line(LEFT + 60, base, WIDTH - RIGHT - 20, base)
    canvas.text((LEFT + 60 + WIDTH - RIGHT - 20) / 2, base + 37, label, "axis-title", "middle")
    for i, group in enumerate(groups):
        words, colour, shape = GROUPS[group]
        at = 10 + step * i + step / 2
        canvas.text(LEFT + 50, at + 4, words, "label", "end")
        for k, value in enumerate(sorted(value for other, value in values if other == group)):
            canvas.mark(x(value), at + (k % 5 - 2) * 5.5, shape, colour, size=3.8, tip=f"{value:g}")
    return canvas.render()
