"""How does a figure become a picture without a browser? By vl-convert, of the extra `figures`: SVG, PNG, PDF."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.files import built_beside
from cartrial.report.page.blocks import Figure

__all__ = ["FORMATS", "check_formats", "draw_svg", "notebook_bundle", "write_page_pictures", "write_pictures"]

FORMATS = ("svg", "png", "pdf")
"""Formats of files. Two runs on one machine give equal bytes of SVG and PNG; a PDF holds the time it was made."""

WIDTH, PANELS = 760, 680
"""Width of a picture, and of the axes of panels. Unit: px."""
_VERSION = "6.4"
_SCALE = 3
_LETTERS = 120
VEGA_LITE = "application/vnd.vegalite.v6+json"
"""What notebooks call a document of this version of Vega-Lite."""


def check_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """Return formats of pictures in the order of `FORMATS`.

    Raises
    ------
    InputError
        If one is unknown, or the extra `figures` is not installed.
    """
    wanted = set(formats)
    unknown = sorted(wanted - set(FORMATS))
    if unknown:
        raise InputError(f"'{unknown[0]}' is no format of a figure", key="--figures", right=f"Known are: {', '.join(FORMATS)}")
    if wanted:
        require("vl_convert", extra="figures")
    return tuple(name for name in FORMATS if name in wanted)


def draw_svg(figure: Figure) -> str:
    """Return a figure as SVG that can stand beside others in one page: its marks' names begin with the figure's."""
    svg: str = require("vl_convert", extra="figures").vegalite_to_svg(_sized(figure.document), vl_version=_VERSION)
    # a link that leads out of the figure, to a subject, stays what it is
    return re.sub(r'(\bid="|url\(#|href="#(?!subject-))', rf"\g<1>{figure.name}-", svg)


def write_pictures(figures: Sequence[Figure], folder: Path, formats: Sequence[str]) -> None:
    """Write each figure into a folder, as one file a format, named as the figure is on its page."""
    draw = require("vl_convert", extra="figures")
    folder.mkdir()
    for figure in figures:
        sized = _sized(figure.document)
        for name in formats:
            path = folder / f"{figure.name}.{name}"
            if name == "svg":
                path.write_text(draw.vegalite_to_svg(sized, vl_version=_VERSION), encoding="utf-8")
            elif name == "png":
                path.write_bytes(draw.vegalite_to_png(sized, vl_version=_VERSION, scale=_SCALE))
            else:
                path.write_bytes(draw.vegalite_to_pdf(sized, vl_version=_VERSION))


def write_page_pictures(page: str | Path, formats: Sequence[str]) -> int:
    """Write each figure of a page that cartrial wrote into the folder ``NAME-figures`` beside it, one file a format.

    Parameters
    ----------
    page : str or Path
        HTML file; its documents stand in it.
    formats : sequence of str
        Of `check_formats`.

    Returns
    -------
    int
        How many figures the page has.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    path = Path(page)
    found = re.search(r'<script type="application/json" id="figure-documents">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    figures = [Figure(document, name=name) for name, document in json.loads(found[1]).items()] if found else []
    if figures and formats:
        with built_beside(path.parent) as folder:
            write_pictures(figures, folder / f"{path.stem}-figures", formats)
    return len(figures)


def _sized(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with a width of its own: there is no page to give it one."""
    if "vconcat" in document:
        return document | {"vconcat": [view | {"width": PANELS} for view in document["vconcat"]]}
    return document | {"width": WIDTH}


def notebook_bundle(figure: Figure) -> dict[str, Any]:
    """Return what a notebook shows of a figure, by the kind of content; its caption stands in the picture, whoever draws it.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    dict
        The document of Vega-Lite; text; and HTML, with a still picture where the extra `figures` is installed.
    """
    # statistics in a caption are marked, by HTML
    caption = figure.caption.striptags() if isinstance(figure.caption, Markup) else figure.caption
    title = {"text": figure.document.get("title") or figure.name, "subtitle": textwrap.wrap(caption, _LETTERS), "anchor": "start"}
    # room for letters that are wider where it is looked at than where they were measured
    room = {"left": 20, "right": 12, "top": 5, "bottom": 5}
    document = _sized(figure.document) | {"title": title | {"subtitleFontSize": 11}, "padding": room}
    if find_spec("vl_convert") is None:
        picture = Markup("<p>A still picture needs the extra <code>figures</code>.</p>")
    else:
        picture = Markup(draw_svg(Figure(document, name=figure.name)))
    told = Markup('<figure style="overflow-x: auto; margin: 0">{}<figcaption>{}</figcaption></figure>').format(picture, caption)
    return {VEGA_LITE: document, "text/html": str(told), "text/plain": f"Figure {figure.name}: {caption}"}
