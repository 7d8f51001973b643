"""How is a curve read from a file? By what kind of file it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cartrial.errors import InputError
from cartrial.evidence.curves.figures.drawing import drawing_axes, drawn_curves, read_drawn
from cartrial.evidence.curves.figures.image import image_colours, read_image, read_pixels
from cartrial.evidence.curves.figures.pdf import read_pdf
from cartrial.evidence.curves.figures.points import read_points
from cartrial.evidence.curves.figures.printed import printed_rows
from cartrial.evidence.curves.figures.shapes import NAMES, Drawing
from cartrial.evidence.curves.figures.svg import read_svg
from cartrial.evidence.curves.reading import Reading, clean_reading

__all__ = ["list_curves", "list_rows", "read_curve"]


def read_curve(
    figure: str | Path,
    *,
    colour: str | None = None,
    line: str | None = None,
    page: int = 1,
    box: str | None = None,
    x_axis: str | None = None,
    y_axis: str | None = None,
) -> Reading:
    """Read one survival curve of a figure.

    Parameters
    ----------
    figure : str or Path
        A PDF or SVG, whose vertices and marks of censoring are read; a PNG, whose columns are; or a CSV of points that were set by hand,
        with the columns time and survival.
    colour : str, optional
        Of the curve, `#rrggbb` or a name such as `red`. A drawing of one curve needs none.
    line : {"whole", "dashed"}, optional
        Where curves of one colour differ by it. Without it a whole line with two dashed ones beside it is the curve.
    page : int
        Of a PDF.
    box : str, optional
        The part of a page or image that has the figure: `LEFT,BOTTOM,RIGHT,TOP`, in the unit of the positions below.
    x_axis, y_axis : str, optional
        Where the numbers of an axis are: `POSITION=VALUE,POSITION=VALUE`, in points of a PDF from the left and from below, in units of an
        SVG or pixels of an image from the left and from the top. Of a drawing also `FIRST:LAST`, the numbers of its first and last mark.
        A drawing whose axes have texts needs none.

    Returns
    -------
    Reading
        Cleaned.

    Raises
    ------
    InputError
        If the file cannot be read or is of another kind, no axis or no curve is found, several may be meant, or the curve rises.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.evidence.curves import read_curve
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "points.csv"
    ...     _ = file.write_text("time,survival\\n0,100\\n2,90\\n5,40\\n", encoding="utf-8")
    ...     reading = read_curve(file)
    >>> reading.kind, [float(s) for s in reading.survival], reading.median()
    ('clicks', [0.9, 0.4], 5.0)
    """
    path = _file(figure)
    wanted = _colour(colour)
    if line not in (None, "whole", "dashed"):
        raise InputError(f"'{line}' is no line", key="--line", right="Write whole or dashed")
    if path.suffix.lower() == ".csv":
        reading = read_points(path)
    elif path.suffix.lower() in (".pdf", ".svg"):
        reading = read_drawn(drawn_curves(_drawing(path, page, box), x_axis, y_axis, file=path.name), wanted, line, file=path.name)
    else:
        reading = read_image(path, x_axis, y_axis, wanted, _box(box))
    try:
        return clean_reading(reading)
    except InputError as error:
        raise InputError(error.what, file=path.name, right=error.right) from None


def list_curves(
    figure: str | Path, *, page: int = 1, box: str | None = None, x_axis: str | None = None, y_axis: str | None = None
) -> list[dict[str, Any]]:
    """List what may be read of a figure: the curves of a drawing, the colours of an image.

    Returns
    -------
    list of dict
        Of a drawing colour, dashed, drops, ticks, end (time), last (survival at the end) and rises; of an image colour and pixels; of
        points their number.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.evidence.curves import list_curves
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "points.csv"
    ...     _ = file.write_text("time,survival\\n0,1\\n2,0.9\\n", encoding="utf-8")
    ...     list_curves(file)
    [{'points': 2}]
    """
    path = _file(figure)
    if path.suffix.lower() == ".csv":
        return [{"points": len(read_points(path).time)}]
    if path.suffix.lower() not in (".pdf", ".svg"):
        return [{"colour": name, "pixels": count} for name, count in image_colours(read_pixels(path))[:12]]
    found = []
    for curve in drawn_curves(_drawing(path, page, box), x_axis, y_axis, file=path.name):
        drops = 0 if curve.rises else len(read_drawn([curve], None, file=path.name).time)
        last = float(curve.points[-1, 1])
        words = {"colour": curve.colour or "none", "dashed": curve.dashed, "drops": drops, "ticks": len(curve.ticks)}
        found.append(words | {"end": float(curve.points[-1, 0]), "last": last, "rises": curve.rises})
    return found


def list_rows(
    figure: str | Path, *, page: int = 1, box: str | None = None, x_axis: str | None = None, y_axis: str | None = None
) -> list[tuple[str, list[tuple[float, int]]]]:
    """List the numbers at risk that are printed below the time axis of a drawing; none of an image or of points.

    Returns
    -------
    list of (str, list of (float, int))
        What stands before each row, and its times and numbers, from the top.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.evidence.curves import list_rows
    >>> words = "".join(f'<text x="{x}" y="{y}">{t}</text>' for y, row in ((168, "0 6 12"), (190, "10 9 7"), (40, "  ")) for x, t in
    ...     zip((50, 100, 150), row.split()))
    >>> ticks = "".join(f'<path d="M{x} 150 V155" stroke="red"/>' for x in (50, 100, 150))
    >>> sides = "".join(f'<path d="M45 {y} H50" stroke="red"/><text x="42" y="{y + 3}">{v}</text>' for y, v in ((150, 0), (50, 1)))
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "figure.svg"
    ...     head = '<svg xmlns="http://www.w3.org/2000/svg" text-anchor="middle">'
    ...     _ = file.write_text(f"{head}{ticks}{sides}{words}</svg>", encoding="utf-8")
    ...     list_rows(file)
    [('', [(0.0, 10), (6.0, 9), (12.0, 7)])]
    """
    path = _file(figure)
    if path.suffix.lower() not in (".pdf", ".svg"):
        return []
    drawing = _drawing(path, page, box)
    return printed_rows(drawing, drawing_axes(drawing, x_axis, y_axis, file=path.name)[0])


def _file(figure: str | Path) -> Path:
    path = Path(figure)
    if path.suffix.lower() not in (".pdf", ".svg", ".png", ".csv", ".jpg", ".jpeg"):
        raise InputError("the figure is of no kind that is read", file=path.name, right="Give a PDF, SVG or PNG, or points as CSV")
    if not path.is_file():
        raise InputError("there is no such file", file=str(path), right="Name a PDF, SVG, PNG or CSV")
    return path


def _drawing(path: Path, page: int, box: str | None) -> Drawing:
    if page < 1:
        raise InputError(f"there is no page {page}", file=path.name, key="page", right="The first is 1")
    drawing = read_svg(path) if path.suffix.lower() == ".svg" else read_pdf(path, page)
    part = _box(box)
    if part is None:
        return drawing
    left, bottom, right, top = part
    # an SVG counts from the top, a drawing upwards
    found = drawing.cut((left, -top, right, -bottom) if path.suffix.lower() == ".svg" else part)
    if not found.shapes:
        raise InputError("nothing is drawn in the box", file=path.name, key="--box", right="Look at the unit: points of a PDF from below")
    return found


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    """Return left, the smaller of bottom and top, right, and the larger one."""
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 4 or not all(re.fullmatch(r"\s*\d+(\.\d+)?\s*", part) for part in parts):
        raise InputError(f"'{text}' is no box", key="--box", right="Write LEFT,BOTTOM,RIGHT,TOP")
    left, bottom, right, top = (float(part) for part in parts)
    if left >= right or bottom == top:
        raise InputError(f"the box '{text}' is empty", key="--box", right="Write LEFT,BOTTOM,RIGHT,TOP")
    return left, min(bottom, top), right, max(bottom, top)


def _colour(colour: str | None) -> str | None:
    if colour is None:
        return None
    text = NAMES.get(colour.strip().lower(), colour.strip().lower())
    text = text if text.startswith("#") else f"#{text}"
    if re.fullmatch(r"#[0-9a-f]{3}", text):
        text = "#" + "".join(2 * digit for digit in text[1:])
    if not re.fullmatch(r"#[0-9a-f]{6}", text):
        raise InputError(f"'{colour}' is no colour", key="--colour", right="Write #rrggbb, or a name such as red")
    return text
