"""What is drawn in an SVG? Paths, lines, marks that are defined once and used, and texts (also those that Matplotlib draws as outlines)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from cartrial.errors import InputError
from cartrial.evidence.curves.figures.shapes import NAMES, Drawing, Floats, Shape, Word

__all__ = ["read_svg"]

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
COMMAND = re.compile(r"([MmLlHhVvZzCcSsQqTtAa])([^MmLlHhVvZzCcSsQqTtAa]*)")
# numbers that each command takes, of which the last two are where it ends
TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
DEEP = 50


def read_svg(path: Path) -> Drawing:
    """Read the shapes and words of an SVG; y counts upwards.

    Raises
    ------
    InputError
        If the file is no SVG.
    """
    data = path.read_bytes()
    if b"<!ENTITY" in data:
        raise InputError("the SVG defines entities", file=path.name, right="Save it from a drawing program without them")
    try:
        root = ElementTree.fromstring(data, ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True)))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"this cannot be read as SVG ({error})", file=path.name, right="Give the SVG of the figure") from None
    if _tag(root) != "svg":
        raise InputError("this is no SVG", file=path.name, right="Give the SVG of the figure")
    reader = _Reader({key: element for element in root.iter() if (key := element.get("id"))}, path.name)
    try:
        reader.walk(root, np.diag([1.0, -1.0, 1.0]), {}, 0)
    except (ValueError, IndexError, KeyError) as error:
        raise InputError(
            f"a shape of the SVG cannot be read ({error})", file=path.name, right="Save it anew from a drawing program"
        ) from None
    return Drawing(tuple(reader.shapes), tuple(reader.words), reader.image, from_top=True)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "comment"


class _Reader:
    """Goes through the elements and gathers shapes and words."""

    def __init__(self, named: Mapping[str, ElementTree.Element], file: str) -> None:
        self.named, self.file = named, file
        self.shapes: list[Shape] = []
        self.words: list[Word] = []
        self.image = False

    def walk(self, element: ElementTree.Element, place: Floats, style: dict[str, str], depth: int) -> None:
        """Read an element at its place, with the style that it inherits."""
        tag = _tag(element)
        if tag in ("defs", "symbol", "clipPath", "comment", "metadata", "style", "title", "desc", "mask", "pattern") or depth > DEEP:
            return
        place, style = place @ _transform(element.get("transform", "")), {**style, **_style(element)}
        if tag == "image":
            self.image = True
        elif tag == "use":
            self.use(element, place, style, depth)
        elif tag == "text":
            self.text(element, place, style)
        elif tag in OUTLINES:
            for points in OUTLINES[tag](element):
                self.add(points, place, style)
        else:
            before = len(self.shapes)
            for child in element:
                self.walk(child, place, style, depth + 1)
            self.outlined(element, before)

    def use(self, element: ElementTree.Element, place: Floats, style: dict[str, str], depth: int) -> None:
        """Read what is used, at the place of its use."""
        name = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == "href"), "").removeprefix("#")
        used = self.named.get(name)
        if used is None:
            return
        moved = place @ _moved(_number(element, "x"), _number(element, "y"))
        for part in used if _tag(used) == "symbol" else [used]:
            self.walk(part, moved, style, depth + 1)

    def text(self, element: ElementTree.Element, place: Floats, style: dict[str, str]) -> None:
        """Read a text: each of its lines that has a place of its own."""
        inner = [child for child in element if _tag(child) == "tspan"]
        own = "".join(element.itertext()).strip() if not any(child.get("x") for child in inner) else (element.text or "").strip()
        for part, text in [(element, own), *((child, "".join(child.itertext()).strip()) for child in inner if child.get("x"))]:
            if not text:
                continue
            look = {**style, **_style(part)}
            size = float((NUMBER.findall(look.get("font-size", "")) or ["10"])[0])
            width = 0.55 * size * len(text)
            shift = {"middle": 0.0, "end": -width / 2}.get(look.get("text-anchor", "start"), width / 2)
            x, y, _ = place @ np.array([_number(part, "x") + shift, _number(part, "y") - 0.35 * size, 1.0])
            self.words.append(Word(text, float(x), float(y), size * math.hypot(*place[:2, 0]), _colour(look.get("fill", "black")) or ""))

    def outlined(self, element: ElementTree.Element, before: int) -> None:
        """Take the comment that Matplotlib writes above the outlines of a text for the text."""
        first = next(iter(element), None)
        drawn = self.shapes[before:]
        if first is None or _tag(first) != "comment" or not drawn:
            return
        points = np.concatenate([shape.points for shape in drawn])
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        self.words.append(Word((first.text or "").strip(), float(x0 + x1) / 2, float(y0 + y1) / 2, float(max(y1 - y0, 1.0)) * 1.4))
        del self.shapes[before:]

    def add(self, points: Floats, place: Floats, style: dict[str, str]) -> None:
        """Add an outline, if it is stroked or filled."""
        stroke, fill = _colour(style.get("stroke", "none")), _colour(style.get("fill", "#000000"))
        if not len(points) or (stroke is None and fill is None):
            return
        dash = style.get("stroke-dasharray", "none").strip()
        moved = np.column_stack([points, np.ones(len(points))]) @ place.T
        colour = stroke if stroke is not None else fill
        self.shapes.append(Shape(moved[:, :2], colour or "", stroke is not None, dash not in ("none", "", "0")))


def _style(element: ElementTree.Element) -> dict[str, str]:
    found = {key: value for key, value in element.attrib.items() if key in PROPERTIES}
    for part in element.get("style", "").split(";"):
        key, colon, value = part.partition(":")
        if colon and key.strip() in PROPERTIES:
            found[key.strip()] = value.strip()
    return found


PROPERTIES = {"stroke", "fill", "stroke-dasharray", "font-size", "text-anchor"}


def _colour(text: str) -> str | None:
    """Return `#rrggbb`, None where nothing is painted, blank where the colour is of another kind."""
    text = text.strip().lower()
    if text in ("none", "transparent"):
        return None
    if re.fullmatch(r"#[0-9a-f]{6}", text):
        return text
    if re.fullmatch(r"#[0-9a-f]{3}", text):
        return "#" + "".join(2 * digit for digit in text[1:])
    if text.startswith("rgb"):
        parts = re.findall(r"([\d.]+)(%?)", text)[:3]
        return "#" + "".join(f"{min(round(float(value) * (2.55 if percent else 1)), 255):02x}" for value, percent in parts)
    return NAMES.get(text, "")


def _number(element: ElementTree.Element, key: str) -> float:
    found = NUMBER.match(element.get(key, "0").strip())
    return float(found[0]) if found else 0.0


def _moved(x: float, y: float) -> Floats:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _transform(text: str) -> Floats:
    """Return the matrix of a transform attribute."""
    matrix = np.eye(3)
    for name, inside in re.findall(r"(\w+)\s*\(([^)]*)\)", text):
        values = [float(value) for value in NUMBER.findall(inside)]
        if name == "translate":
            step = _moved(values[0], values[1] if len(values) > 1 else 0.0)
        elif name == "scale":
            step = np.diag([values[0], values[1] if len(values) > 1 else values[0], 1.0])
        elif name == "matrix":
            a, b, c, d, e, f = values
            step = np.array([[a, c, e], [b, d, f], [0.0, 0.0, 1.0]])
        elif name == "rotate":
            cos, sin = math.cos(math.radians(values[0])), math.sin(math.radians(values[0]))
            centre = values[1:3] if len(values) > 2 else [0.0, 0.0]
            step = _moved(*centre) @ np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]) @ _moved(-centre[0], -centre[1])
        else:
            raise ValueError(f"transform {name}")
        matrix = matrix @ step
    return matrix


def _path(element: ElementTree.Element) -> Iterator[Floats]:
    """Go through the parts of a path: where each of its strokes ends."""
    points: list[tuple[float, float]] = []
    x = y = 0.0
    for command, inside in COMMAND.findall(element.get("d", "")):
        kind, relative = command.upper(), command.islower()
        values = [float(value) for value in NUMBER.findall(inside)]
        if kind == "Z":
            if points:
                x, y = points[0]
                points.append(points[0])
            continue
        for start in range(0, len(values), TAKES[kind]):
            given = values[start : start + TAKES[kind]]
            if kind == "H":
                x = given[0] + x * relative
            elif kind == "V":
                y = given[0] + y * relative
            else:
                x, y = given[-2] + x * relative, given[-1] + y * relative
            if kind == "M" and start == 0:
                if points:
                    yield np.array(points)
                points = []
            points.append((x, y))
    if points:
        yield np.array(points)


def _line(element: ElementTree.Element) -> Iterator[Floats]:
    yield np.array([[_number(element, "x1"), _number(element, "y1")], [_number(element, "x2"), _number(element, "y2")]])


def _polyline(element: ElementTree.Element) -> Iterator[Floats]:
    values = [float(value) for value in NUMBER.findall(element.get("points", ""))]
    yield np.array(values[: len(values) // 2 * 2]).reshape(-1, 2)


def _circle(element: ElementTree.Element) -> Iterator[Floats]:
    x, y, r = (_number(element, key) for key in ("cx", "cy", "r"))
    yield np.array([[x - r, y - r], [x + r, y + r]])


OUTLINES = {"path": _path, "line": _line, "polyline": _polyline, "circle": _circle}
