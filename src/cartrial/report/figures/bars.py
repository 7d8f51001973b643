"""How are the milestones from consent to evaluable drawn? One bar each, its number at its end."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cartrial.report.page.rows import Stat
from cartrial.report.page.svg import COLOURS, Canvas, Scale

__all__ = ["draw_bars"]

WIDTH, STEP, LEFT = 620.0, 32.0, 190.0


def draw_bars(lines: Sequence[tuple[str, Stat | None]], *, title: str, band: str = "") -> Markup:
    """Draw counts as bars from a common start.

    Parameters
    ----------
    lines : sequence of (label, Stat)

    Returns
    -------
    Markup
        The SVG.
    """
    canvas = Canvas(WIDTH, STEP * len(lines) + 8, title, band)
    most = max((stat.value or 0 for _, stat in lines if stat), default=1) or 1
    x = Scale(0, most, LEFT, WIDTH - 70)
    for i, (label, stat) in enumerate(lines):
        at = 4 + STEP * i
        canvas.text(LEFT - 12, at + 19, label, "label", "end")
        if stat is None or stat.value is None:
            canvas.text(LEFT, at + 19, stat, "small")
            continue
        canvas.rect(LEFT, at + 3, x(stat.value) - LEFT, STEP - 10, fill=COLOURS["blue"], opacity=0.88, rx=3)
        canvas.text(x(stat.value) + 9, at + 20, stat, "strong")
    return canvas.render()
