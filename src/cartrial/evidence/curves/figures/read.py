"""How is a curve read from a file? By what kind of file it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cartrial.errors import InputError
from cartrial.evidence.curves.figures.drawing import drawn_curves, read_drawn
from cartrial.evidence.curves.figures.image import image_colours, read_image, read_pixels
from cartrial.evidence.curves.figures.pdf import read_pdf
from cartrial.evidence.curves.figures.points import read_points
from cartrial.evidence.curves.figures.shapes import NAMES, Drawing
from cartrial.evidence.curves.figures.svg import read_svg
from cartrial.evidence.curves.reading import Reading, clean_reading

__all__ = ["list_curves", "read_curve"]


def read_curve(
    figure: str | Path, *, colour: str | None = None, page: int = 1, x_axis: str | None = None, y_axis: str | None = None
) -> Reading:
    """Read one survival curve of a figure.

    Parameters
    ----------
    figure : str or Path
        A PDF or SVG, whose vertices and marks of censoring are read; a PNG, whose columns are; or a CSV of points that were set by hand,
        with the columns time and survival.
    colour : str, optional
        Of the curve, `#rrggbb` or a name such as `red`. A drawing of one curve needs none.
    page : int
        Of a PDF.
    x_axis, y_axis : str, optional
        Where the numbers of an axis are: `POSITION=VALUE,POSITION=VALUE`, in points of a drawing (y upwards; of an SVG downwards with a
        minus) or in pixels of an image from the left and from the top. Of a drawing also `FIRST:LAST`, the numbers of its first and last
        mark. A drawing whose axes have texts needs none.

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
    if path.suffix.lower() == ".csv":
        reading = read_points(path)
    elif path.suffix.lower() in (".pdf", ".svg"):
        reading = read_drawn(drawn_curves(_drawing(path, page), x_axis, y_axis, file=path.name), wanted, file=path.name)
    else:
        reading = read_image(path, x_axis, y_axis, wanted)
    try:
        return clean_reading(reading)
    except InputError as error:
        raise InputError(error.what, file=path.name, right=error.right) from None


def list_curves(figure: str | Path, *, page: int = 1, x_axis: str | None = None, y_axis: str | None = None) -> list[dict[str, Any]]:
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
    for curve in drawn_curves(_drawing(path, page), x_axis, y_axis, file=path.name):
        drops = 0 if curve.rises else len(read_drawn([curve], None, file=path.name).time)
        last = float(curve.points[-1, 1])
        words = {"colour": curve.colour or "none", "dashed": curve.dashed, "drops": drops, "ticks": len(curve.ticks)}
        found.append(words | {"end": float(curve.points[-1, 0]), "last": last, "rises": curve.rises})
    return found


def _file(figure: str | Path) -> Path:
    path = Path(figure)
    if path.suffix.lower() not in (".pdf", ".svg", ".png", ".csv", ".jpg", ".jpeg"):
        raise InputError("the figure is of no kind that is read", file=path.name, right="Give a PDF, SVG or PNG, or points as CSV")
    if not path.is_file():
        raise InputError("there is no such file", file=str(path), right="Name a PDF, SVG, PNG or CSV")
    return path


def _drawing(path: Path, page: int) -> Drawing:
    if path.suffix.lower() == ".svg":
        return read_svg(path)
    if page < 1:
        raise InputError(f"there is no page {page}", file=path.name, key="page", right="The first is 1")
    return read_pdf(path, page)


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
