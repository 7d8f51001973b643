"""How does a figure of the page become a picture on paper? SVG by vl-convert, and PNG of that SVG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cartrial.extras import require
from cartrial.report.page.still import draw_svg
from cartrial.submission.displays.forms.paper import Sheet, sheet_of

if TYPE_CHECKING:
    from cartrial.report.page.blocks import Figure

__all__ = ["Picture", "draw_picture", "draw_png"]

AROUND = 230.0
"""Room of a sheet that titles, notes and edges take. Unit: pt."""
PIXELS = 200 / 72
"""Of a PNG for each pt on paper: 200 an inch."""


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
    svg = draw_svg(figure)
    found = re.search(r'<svg[^>]*\bwidth="([\d.]+)"[^>]*\bheight="([\d.]+)"', svg)
    wide, high = (float(size) for size in found.groups()) if found else (760.0, 400.0)
    sheet = sheet_of(wide, high)
    scale = min(sheet.inner / wide, (sheet.height - AROUND) / high, 1.0)
    return Picture(svg, wide, wide * scale, high * scale, sheet)


def draw_png(picture: Picture) -> bytes:
    """Return a picture as PNG."""
    png: bytes = require("vl_convert", extra="submission").svg_to_png(picture.svg, scale=PIXELS * picture.width / picture.wide)
    return png
