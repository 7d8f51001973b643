"""What happened to each subject, in one line each?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from cartrial.report.page.svg import COLOURS, DAYS_PER_MONTH, Canvas, Scale, month_ticks

__all__ = ["MARKS", "Swimmer", "draw_swimmers"]

WIDTH, LEFT, RIGHT, STEP = 840.0, 118.0, 40.0, 15.0
# What happened: shape, colour, words. Shapes differ as well as colours.
MARKS = {
    "CR": ("circle", COLOURS["green"], "CR"),
    "CRh": ("circle", COLOURS["sky"], "CRh"),
    "CRi": ("ring", COLOURS["green"], "CRi"),
    "RELAPSE": ("triangle", COLOURS["red"], "relapse"),
    "hsct": ("diamond", COLOURS["blue"], "stem cell transplant"),
    "new-therapy": ("square", COLOURS["orange"], "new anticancer therapy"),
    "re-infusion": ("square", COLOURS["pink"], "re-infusion"),
    "death": ("cross", COLOURS["black"], "death"),
    "ongoing": ("arrow", COLOURS["grey"], "alive at last contact"),
}


@dataclass(frozen=True)
class Swimmer:
    """One subject. Units: days from day 0.

    Parameters
    ----------
    end : float
        Last day known.
    remission : sequence of (start, end)
        Stretches in CR or CRi by the primary reader.
    marks : sequence of (day, key of `MARKS`)
    """

    label: str
    end: float
    remission: Sequence[tuple[float, float]] = ()
    marks: Sequence[tuple[float, str]] = field(default_factory=tuple)


def draw_swimmers(swimmers: Sequence[Swimmer], *, last: float, title: str, band: str = "") -> Markup:
    """Draw one line a subject.

    Parameters
    ----------
    swimmers : sequence of Swimmer
        In the order from top to bottom.
    last : float
        Last day of the axis: the same on every part of a long figure.

    Returns
    -------
    Markup
        The SVG. Days are shown as months of 30.4375 days.
    """
    shown = [key for key in MARKS if any(key == mark for swimmer in swimmers for _, mark in swimmer.marks)]
    top = 44.0 if len(shown) > 5 else 26.0
    base = top + STEP * len(swimmers) + 4
    canvas = Canvas(WIDTH, base + 42, title, band)
    x = Scale(0, last * 1.02, LEFT, WIDTH - RIGHT)
    for month in month_ticks(last):
        at = x(month * DAYS_PER_MONTH)
        canvas.line(at, top - 4, at, base, "grid")
        canvas.text(at, base + 16, str(month), "tick", "middle")
    canvas.line(LEFT, base, WIDTH - RIGHT, base)
    canvas.text((LEFT + WIDTH - RIGHT) / 2, base + 35, "Months since the first infusion (1 month = 30.4375 days)", "axis-title", "middle")
    _legend(canvas, shown)
    for i, swimmer in enumerate(swimmers):
        at = top + STEP * i + STEP / 2
        canvas.text(LEFT - 8, at + 4, swimmer.label, "subject", "end")
        canvas.rect(LEFT, at - 3.5, x(max(swimmer.end, 0)) - LEFT, 7, fill="#dfe5ea", rx=2)
        for start, end in swimmer.remission:
            canvas.rect(x(start), at - 3.5, x(end) - x(start), 7, fill="#9fd8c3")
        for day, key in swimmer.marks:
            shape, colour, words = MARKS[key]
            canvas.mark(x(max(day, 0)), at, shape, colour, size=4, tip=f"{swimmer.label}: {words}, day {day:g}")
    return canvas.render()


def _legend(canvas: Canvas, shown: Sequence[str]) -> None:
    x, y = LEFT, 12.0
    entries = [*((MARKS[key][2], key) for key in shown), ("in remission", "")]
    for words, key in entries:
        width = 26 + 6.9 * len(words)
        if x + width > WIDTH - 8:
            x, y = LEFT, y + 18
        if key:
            canvas.mark(x + 5, y - 4, MARKS[key][0], MARKS[key][1], size=4.5)
        else:
            canvas.rect(x, y - 8, 12, 7, fill="#9fd8c3")
        canvas.text(x + 16, y, words, "small")
        x += width
