"""What does a drawing consist of? Lines and words with their places, whatever file they stood in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LETTERS", "NAMES", "Drawing", "Floats", "Shape", "Word", "colour_name"]

Floats = NDArray[np.float64]

NAMES = {
    **{"black": "#000000", "white": "#ffffff", "red": "#ff0000", "blue": "#0000ff", "green": "#008000", "lime": "#00ff00"},
    **{"gray": "#808080", "grey": "#808080", "orange": "#ffa500", "purple": "#800080", "brown": "#a52a2a", "navy": "#000080"},
    **{"magenta": "#ff00ff", "cyan": "#00ffff", "teal": "#008080", "maroon": "#800000", "yellow": "#ffff00"},
}
"""Names of colours that can be written for them."""
LETTERS = frozenset("|+×xoO◦○•ı")
"""Texts that stand for marks of censoring."""


@dataclass(frozen=True)
class Shape:
    """A line or outline.

    Parameters
    ----------
    points : ndarray of float64, shape (points, 2)
        x to the right and y upwards, in the unit of the file.
    colour : str
        Of its stroke, else of its filling: `#rrggbb`; blank where the file leaves it to the place of use.
    stroked, dashed : bool
    """

    points: Floats
    colour: str
    stroked: bool
    dashed: bool

    @property
    def centre(self) -> Floats:
        """The middle of its extent."""
        return np.asarray((self.points.min(axis=0) + self.points.max(axis=0)) / 2)

    @property
    def extent(self) -> Floats:
        """Its width and height."""
        return np.asarray(self.points.max(axis=0) - self.points.min(axis=0))


@dataclass(frozen=True)
class Word:
    """A text, the middle of its place, its size and its colour (as of a `Shape`)."""

    text: str
    x: float
    y: float
    size: float
    colour: str = ""


@dataclass(frozen=True)
class Drawing:
    """Shapes in the order in which they are drawn, words, and whether there is an image among them.

    `from_top`: positions in the file count from the top, though y counts upwards here.
    """

    shapes: tuple[Shape, ...]
    words: tuple[Word, ...]
    has_image: bool
    from_top: bool = False

    def cut(self, box: tuple[float, float, float, float]) -> Drawing:
        """Return what lies within left, bottom, right and top."""
        left, bottom, right, top = box
        corner, far = np.array([left, bottom]), np.array([right, top])
        shapes = tuple(shape for shape in self.shapes if (shape.points >= corner).all() and (shape.points <= far).all())
        words = tuple(word for word in self.words if left <= word.x <= right and bottom <= word.y <= top)
        return Drawing(shapes, words, self.has_image, self.from_top)


def colour_name(parts: tuple[float, ...]) -> str:
    """Return `#rrggbb` of a grey, red-green-blue or cyan-magenta-yellow-black colour with parts from 0 to 1.

    Examples
    --------
    >>> from cartrial.evidence.curves.figures.shapes import colour_name
    >>> colour_name((0.0,)), colour_name((1.0, 0.0, 0.0)), colour_name((1.0, 0.0, 0.0, 0.0))
    ('#000000', '#ff0000', '#00ffff')
    """
    if len(parts) == 1:
        parts = (parts[0],) * 3
    elif len(parts) == 4:
        parts = tuple((1 - part) * (1 - parts[3]) for part in parts[:3])
    return "#" + "".join(f"{round(255 * min(max(part, 0.0), 1.0)):02x}" for part in parts[:3])
