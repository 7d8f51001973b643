"""How is a figure drawn? Plain SVG: text stays text, the page's fonts are used, equal input gives equal bytes.

Figures are written directly rather than through a plotting library: the library's import alone took a quarter of the
time that the room may use, and its text would shrink beyond reading on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from cartrial.report.page.rows import Stat

__all__ = ["COLOURS", "DAYS_PER_MONTH", "Canvas", "Scale", "linear_ticks", "month_ticks", "step_path"]

DAYS_PER_MONTH = 30.4375
# Okabe and Ito: distinguishable with every common colour vision.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "sky": "#56B4E9",
    "pink": "#CC79A7",
    "yellow": "#F0E442",
    "black": "#1f2933",
    "grey": "#8794a0",
}


class Scale:
    """A linear or logarithmic axis: data to pixels."""

    def __init__(self, low: float, high: float, start: float, end: float, *, log: bool = False) -> None:
        self.log = log
        self.low, self.high = (math.log10(low), math.log10(high)) if log else (low, high)
        if self.high <= self.low:
            self.high = self.low + 1.0
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        at = math.log10(value) if self.log else value
        return self.start + (at - self.low) / (self.high - self.low) * (self.end - self.start)


def linear_ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Return round numbers from low to high, at most `most` steps apart."""
    span = max(high - low, 1e-9)
    size = 10.0 ** math.floor(math.log10(span / most))
    step = next(size * factor for factor in (1, 2, 5, 10, 20) if span / (size * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def month_ticks(days: float, most: int = 9) -> list[int]:
    """Return months (30.4375 days, for display alone) from 0 to just before `days`."""
    months = days / DAYS_PER_MONTH
    step = next((size for size in (1, 2, 3, 6, 12, 24, 36, 60, 120) if months / size <= most), 240)
    return list(range(0, int(months + 1e-9) + 1, step))


def step_path(points: Sequence[tuple[float, float]]) -> str:
    """Return the path of a right-continuous step curve through pixel points."""
    if not points:
        return ""
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for x, y in points[1:]:
        path.append(f"H{x:.1f}V{y:.1f}")
    return "".join(path)


class Canvas:
    """An SVG drawing with a band when the data are not of patients.

    Parameters
    ----------
    width, height : float
        Size of the drawing without the band, in px.
    title : str
        Read out in place of the figure.
    band : str
        Text of the band; blank for real data.
    """

    BAND = 22.0

    def __init__(self, width: float, height: float, title: str, band: str = "") -> None:
        self.width, self.height, self.title, self.band = width, height, title, band
        self.parts: list[str] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, cls: str = "axis", **style: str | float) -> None:
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{cls}"{_style(style)}/>')

    def path(self, d: str, cls: str = "curve", **style: str | float) -> None:
        if d:
            self.parts.append(f'<path d="{d}" class="{cls}"{_style(style)}/>')

    def rect(self, x: float, y: float, width: float, height: float, *, tip: str = "", **style: str | float) -> None:
        inner = f"><title>{escape(tip)}</title></rect>" if tip else "/>"
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}"{_style(style)}{inner}')

    def mark(self, x: float, y: float, shape: str, colour: str, *, size: float = 4.5, tip: str = "") -> None:
        """Draw a point: circle, ring, square, diamond, triangle, cross or arrow; shapes tell what colours tell."""
        s, title = size, f"<title>{escape(tip)}</title>" if tip else ""
        outline = {
            "square": f"M{x - s:.1f} {y - s:.1f}h{2 * s:.1f}v{2 * s:.1f}h{-2 * s:.1f}Z",
            "diamond": (
                f"M{x:.1f} {y - 1.35 * s:.1f}l{1.35 * s:.1f} {1.35 * s:.1f}l{-1.35 * s:.1f} {1.35 * s:.1f}l{-1.35 * s:.1f} {-1.35 * s:.1f}Z"
            ),
            "triangle": f"M{x:.1f} {y - 1.2 * s:.1f}l{1.15 * s:.1f} {2.1 * s:.1f}h{-2.3 * s:.1f}Z",
            "arrow": f"M{x:.1f} {y - s:.1f}l{1.6 * s:.1f} {s:.1f}l{-1.6 * s:.1f} {s:.1f}Z",
        }
        if shape == "cross":
            d = f"M{x - s:.1f} {y - s:.1f}l{2 * s:.1f} {2 * s:.1f}M{x - s:.1f} {y + s:.1f}l{2 * s:.1f} {-2 * s:.1f}"
            self.parts.append(f'<path d="{d}" stroke="{colour}" stroke-width="2.2" fill="none">{title}</path>')
        elif shape in outline:
            self.parts.append(f'<path d="{outline[shape]}" fill="{colour}" stroke="#fff" stroke-width=".8">{title}</path>')
        else:
            paint = (
                f'fill="#fff" stroke="{colour}" stroke-width="2"' if shape == "ring" else f'fill="{colour}" stroke="#fff" stroke-width=".8"'
            )
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{s:.1f}" {paint}>{title}</circle>')

    def text(self, x: float, y: float, text: str | Stat | None, cls: str = "", anchor: str = "start", **style: str | float) -> None:
        """Write text; a statistic carries its row number."""
        key = f' data-key="{text.key}"' if isinstance(text, Stat) else ""
        anchors = "" if anchor == "start" else f' text-anchor="{anchor}"'
        classes = f' class="{cls}"' if cls else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}"{classes}{anchors}{key}{_style(style)}>{escape("–" if text is None else str(text))}</text>'
        )

    def pieces(self, x: float, y: float, pieces: Sequence[str | Stat | None], cls: str = "") -> None:
        """Write text of which some parts are statistics."""
        spans = "".join(
            f'<tspan data-key="{piece.key}">{escape(piece.text)}</tspan>'
            if isinstance(piece, Stat)
            else str(escape("–" if piece is None else piece))
            for piece in pieces
        )
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{cls}">{spans}</text>')

    def upright(self, x: float, y: float, text: str) -> None:
        """Write the title of a vertical axis."""
        self.parts.append(
            f'<text transform="translate({x:.1f} {y:.1f}) rotate(-90)" text-anchor="middle" class="axis-title">{escape(text)}</text>'
        )

    def render(self) -> Markup:
        """Return the drawing."""
        top = self.BAND if self.band else 0.0
        height = self.height + top
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {height:.0f}" '
            f'style="max-width:{1.12 * self.width:.0f}px" role="img" '
            f'aria-label="{escape(self.title)}">'
        )
        if self.band:
            head += (
                f'<rect width="{self.width:.0f}" height="{top - 4:.0f}" class="band-box"/><text x="{self.width / 2:.1f}" '
                f'y="13" text-anchor="middle" class="band-text">{escape(self.band)}</text>'
            )
        return Markup(f'{head}<g transform="translate(0 {top:.0f})">{"".join(self.parts)}</g></svg>')


def _style(style: dict[str, str | float]) -> str:
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
