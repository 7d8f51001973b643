"""Where does the curve of one colour fall in an image? Read with Pillow, extra `curves`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.evidence.curves.figures.axes import given_axis, survival_scale
from cartrial.evidence.curves.figures.shapes import Floats
from cartrial.evidence.curves.reading import Reading
from cartrial.extras import require

__all__ = ["image_colours", "read_image", "read_pixels"]

Integers = NDArray[np.int64]

# of the distance between the colour and white: a pixel that is covered less is background. Of what is covered: more aside is another hue
COVERED, HUE, FAINT = 0.35, 0.3, 0.04
# pixels: of a row that make a level; between levels; from where survival is 1 to where the curve begins; that a mark reaches above it
LEVEL, STEP, NEAR, MARK = 4, 0.8, 4, 2
# of the columns from time 0 on: a line that goes through so many
LINE = 0.8
# pixels of a colour; and the cosine by which one is a shade of another
LEAST, SHADE = 20, 0.97
MOST_PIXELS = 60_000_000


def read_image(
    path: Path, x_axis: str | None, y_axis: str | None, colour: str | None, box: tuple[float, float, float, float] | None = None
) -> Reading:
    """Read the curve of one colour: the level of each column, followed from time 0 and survival 1.

    Parameters
    ----------
    path : Path
        A PNG.
    x_axis, y_axis : str
        As `given_axis` reads them; positions in pixels from the left and from the top.
    colour : str
        `#rrggbb`.
    box : tuple of float, optional
        Left, top, right and bottom of the part that has the figure, in pixels.

    Raises
    ------
    InputError
        If the file is no PNG, an axis or the colour is not given, or nothing of the colour is where the curve begins.
    """
    pixels = read_pixels(path)
    if not x_axis or not y_axis:
        key = "--x-axis" if not x_axis else "--y-axis"
        right = "Give --x-axis and --y-axis as POSITION=VALUE,POSITION=VALUE with pixels from the left and from the top"
        raise InputError("the axes of an image are not found by themselves", file=path.name, key=key, right=right)
    if not colour:
        found = ", ".join(name for name, _ in image_colours(pixels)[:6]) or "none but black and grey"
        raise InputError("the colour of the curve is not given", file=path.name, key="--colour", right=f"Colours of the image are {found}")
    times, survival = given_axis(x_axis, "--x-axis"), given_axis(y_axis, "--y-axis")
    scale = survival_scale(survival)
    left, top = (0.0 - times.at_zero) / times.slope, (scale - survival.at_zero) / survival.slope
    bottom = (0.0 - survival.at_zero) / survival.slope
    cover = _cover(pixels, colour)
    if box is not None:
        inside = np.zeros(cover.shape, bool)
        inside[int(box[1]) : int(np.ceil(box[3])), int(box[0]) : int(np.ceil(box[2]))] = True
        cover = np.where(inside, cover, 0.0)
    if cover.max() < COVERED:
        found = ", ".join(name for name, _ in image_colours(pixels)[:6]) or "none but black and grey"
        raise InputError(f"nothing has the colour {colour}", file=path.name, key="--colour", right=f"Colours of the image are {found}")
    column, row, end = _followed(cover, left, top, bottom, path.name)
    level = survival.value(row) / scale
    time = times.value(column)
    # lines may have been set to whole pixels
    x_error, y_error = abs(times.slope) / np.sqrt(12), abs(survival.slope) / scale / np.sqrt(12)
    fall = np.append(1.0, np.minimum.accumulate(level)[:-1]) - level
    keep = fall > y_error
    notes = ("drops nearer to each other than a pixel are one; where another curve lies on this one its drops are late",)
    return Reading("pixel", time[keep], level[keep], float(times.value(np.array([end]))[0]), None, float(x_error), float(y_error), notes)


def read_pixels(path: Path) -> Floats:
    """Return red, green and blue from 0 to 255, on white."""
    image = require("PIL.Image", extra="curves")
    try:
        with image.open(path) as opened:
            if opened.format != "PNG":
                right = "A JPEG blurs the colours: set points by hand and give them as CSV" if opened.format == "JPEG" else "Save it as PNG"
                raise InputError(f"the image is {opened.format}, not PNG", file=path.name, right=right)
            if opened.width * opened.height > MOST_PIXELS:
                raise InputError("the image is too large", file=path.name, right="Cut the figure out of it")
            page = image.new("RGBA", opened.size, "white")
            return np.asarray(image.alpha_composite(page, opened.convert("RGBA")).convert("RGB"), float)
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, image.DecompressionBombError) as error:
        raise InputError(f"this cannot be read as an image ({error})", file=path.name, right="Give a PNG") from None


def image_colours(pixels: Floats) -> list[tuple[str, int]]:
    """Return the colours of an image that are neither grey nor shades of a more frequent one, with their pixels."""
    flat = pixels.reshape(-1, 3).astype(np.int64)
    flat = flat[np.ptp(flat, axis=1) > 60]
    if not len(flat):
        return []
    codes, counts = np.unique(flat @ np.array([65536, 256, 1]), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    found: list[tuple[str, int]] = []
    kept: list[Floats] = []
    for k in order[:200]:
        away = 255.0 - np.array([codes[k] >> 16, codes[k] >> 8 & 255, codes[k] & 255], float)
        away /= np.linalg.norm(away)
        if counts[k] >= LEAST and not any(float(away @ other) > SHADE for other in kept):
            kept.append(away)
            found.append((f"#{int(codes[k]):06x}", int(counts[k])))
    return found


def _cover(pixels: Floats, colour: str) -> Floats:
    """Return how much of each pixel the colour covers on white, 0 where another hue is there."""
    wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], float)
    away = wanted - 255.0
    length = float(away @ away) or 1.0
    share = ((pixels - 255.0) @ away) / length
    rest = np.linalg.norm(pixels - 255.0 - share[..., None] * away, axis=2) / np.sqrt(length)
    return np.where((rest < HUE * share + FAINT) & (share < 1.3), np.clip(share, 0.0, 1.0), 0.0)


def _runs(column: NDArray[np.bool_]) -> Integers:
    """Return first and last row of each run of a column, shape (runs, 2)."""
    edges = np.diff(np.concatenate([[0], column.astype(np.int8), [0]]))
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1])


def _followed(cover: Floats, left: float, top: float, bottom: float, file: str) -> tuple[Floats, Floats, float]:
    """Follow the curve from where it begins: place and level of each drop in pixels, and where it ends.

    In each column what touches the piece of the column before it is the curve; where another curve lies on it, it goes on at the nearest
    piece that is not higher.
    """
    mask = cover > COVERED
    height = abs(bottom - top)
    # an axis or a line of a grid in the colour of the curve is no piece of it
    lines = mask[:, max(int(left), 0) :].mean(axis=1) > LINE
    edge, full = np.full(mask.shape[1], np.nan), np.ones(mask.shape[1])
    low, high = top - NEAR, top + NEAR
    for x in range(max(int(left), 0), mask.shape[1]):
        runs = _runs(mask[: int(bottom) + 4, x])
        touching = runs[(runs[:, 0] <= high + 1) & (runs[:, 1] >= low - 1)]
        if not len(touching) and np.isnan(edge[x - 1]):
            below = runs[(runs[:, 0] >= low - 1) & (runs[:, 0] - high < 0.2 * height) & ~lines[runs[:, 1]]]
            touching = below[:1]
        # a mark of censoring reaches above its curve; a drop does not
        if len(touching) and touching[-1, 0] > low - MARK:
            low, high = (int(part) for part in touching[-1])
            edge[x], full[x] = _lower_edge(cover[:, x], low, high)
    seen = np.flatnonzero(~np.isnan(edge))
    if not len(seen) or abs(edge[seen[0]] - top) > 0.1 * height or seen[0] - left > 0.1 * mask.shape[1]:
        raise InputError(
            "no curve of this colour begins at time 0 and survival 1", file=file, key="--colour", right="Look at the axes and the colour"
        )
    return _drops(cover, edge, full, seen, top)


def _lower_edge(column: Floats, low: int, high: int) -> tuple[float, float]:
    """Return where a run ends below, in parts of a pixel, and how much of the width of its column it covers."""
    full = float(column[max(high - 1, low) : high + 1].max())
    rows = np.arange(max(high - 1, low), high + 1)
    last = int(rows[column[rows] >= 0.95 * full][-1])
    return last + 1 + float(column[last + 1 : last + 3].sum()) / full, full


def _drops(cover: Floats, edge: Floats, full: Floats, seen: Integers, top: float) -> tuple[Floats, Floats, float]:
    """Return places and levels of the drops.

    A mark of censoring reaches below its curve and ends there: the level of a column is at most that of any later one. Levels nearer than
    a part of a pixel are one, that of the most columns.
    """
    bottoms = np.minimum.accumulate(edge[seen][::-1])[::-1]
    starts: list[int] = []
    levels: list[float] = []
    begin = 0
    for k in range(1, len(bottoms) + 1):
        if k < len(bottoms) and bottoms[k] - bottoms[k - 1] <= STEP / 4:
            continue
        level = float(np.median(bottoms[begin:k]))
        if levels and level - levels[-1] < STEP:
            # the corner of a drop, or a shade of its level: what has more columns counts
            if k - begin > begin - starts[-1]:
                levels[-1] = level
        else:
            starts.append(begin)
            levels.append(level)
        begin = k
    thick = _thickness(cover, levels, seen, starts)
    place = seen[starts] + (1 - full[seen[starts]]) + thick / 2
    rows = np.array(levels) - thick / 2
    if rows[0] > top + STEP:
        # survival 1 is under an axis or another curve
        return place, rows, float(seen[-1] + 1)
    if len(starts) > 1 and starts[1] >= 3 * LEVEL and abs(rows[0] - top) < 2 * STEP:
        # survival 1 where it is drawn, rather than where somebody measured it
        rows += top - rows[0]
    return place[1:], rows[1:], float(seen[-1] + 1)


def _thickness(cover: Floats, levels: list[float], seen: Integers, starts: list[int]) -> float:
    """Return the width of the line: how much the colour covers above the lower edge of long levels."""
    widths = []
    for level, a, b in zip(levels, starts, [*starts[1:], len(seen)], strict=True):
        if b - a >= 2 * LEVEL:
            high = int(np.ceil(level)) + 1
            widths.append(float(np.median(cover[max(high - 12, 0) : high, seen[a + LEVEL : b - 1]].sum(axis=0))))
    return float(np.median(widths)) if widths else 1.0
