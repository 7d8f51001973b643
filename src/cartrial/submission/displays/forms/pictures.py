"""How does a figure of the page become a picture on paper? SVG by vl-convert, and PNG of that SVG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cartrial.extras import require
from cartrial.report.page.still import draw_svg
from cartrial.submission.displays.forms.paper import Sheet, sheet_of

if TYPE_CHECKING:
    from cartrial.report.page.blocks import Figure

__all__ = ["Picture", "draw_picture", "draw_png", "lighter"]

AROUND = 230.0
"""Room of a sheet that titles, notes and edges take. Unit: pt."""
PIXELS = 200 / 72
"""Of a PNG for each pt on paper: 200 an inch."""
_SHAPE = re.compile(r"<(?:path|line|rect|circle)\b[^>]*/>")
_OPACITY, _PAINT = re.compile(r' opacity="([\d.]+)"'), re.compile(r' (fill|stroke)="(?!none|transparent)[^"]*"')


class Picture(NamedTuple):
    """A figure as SVG with its own width, and the sheet and size that it has on paper in pt."""

    svg: str
    wide: float
    width: float
    height: float
    sheet: Sheet


def draw_picture(figure: Figure) -> Picture:
    """Return a figure as a picture that fits a page; equal figures give equal bytes.

    Raises
    ------
    InputError
        If vl-convert is not installed.
    """
    svg = lighter(draw_svg(figure))
    found = re.search(r'<svg[^>]*\bwidth="([\d.]+)"[^>]*\bheight="([\d.]+)"', svg)
    wide, high = (float(size) for size in found.groups()) if found else (760.0, 400.0)
    sheet = sheet_of(wide, high)
    scale = min(sheet.inner / wide, (sheet.height - AROUND) / high, 1.0)
    return Picture(svg, wide, wide * scale, high * scale, sheet)


def lighter(svg: str) -> str:
    """Return a picture whose see-through shapes are see-through paint: a shape with an opacity is drawn on a sheet of its own first.

    Where there are thousands that takes half a minute. A shape with both fill and stroke stays as it is: there the paints would mix.

    Examples
    --------
    >>> from cartrial.submission.displays.forms.pictures import lighter
    >>> lighter('<path d="M0,0h1" stroke="#000" opacity="0.5"/>')
    '<path d="M0,0h1" stroke="#000" stroke-opacity="0.5"/>'
    """

    def painted(shape: re.Match[str]) -> str:
        paints = _PAINT.findall(shape[0])
        if len(paints) > 1 or "-opacity=" in shape[0]:
            return shape[0]
        return _OPACITY.sub(rf' {paints[0]}-opacity="\1"' if paints else "", shape[0])

    return _SHAPE.sub(painted, svg)


def draw_png(picture: Picture) -> bytes:
    """Return a picture as PNG."""
    png: bytes = require("vl_convert", extra="submission").svg_to_png(picture.svg, scale=PIXELS * picture.width / picture.wide)
    return png
