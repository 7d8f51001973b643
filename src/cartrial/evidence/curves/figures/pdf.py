"""What is drawn on a page of a PDF? Read with pdfminer.six, extra `curves`."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cartrial.errors import InputError
from cartrial.evidence.curves.figures.shapes import LETTERS, Drawing, Shape, Word, colour_name
from cartrial.extras import require

__all__ = ["read_pdf"]


def read_pdf(path: Path, page: int) -> Drawing:
    """Read the shapes and words of one page.

    Parameters
    ----------
    path : Path
    page : int
        The first is 1.

    Raises
    ------
    InputError
        If the file is no PDF, is encrypted, or has no such page; if pdfminer.six is not installed.
    """
    require("pdfminer", extra="curves")
    from pdfminer.layout import LTPage
    from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect, PDFTextExtractionNotAllowed

    try:
        with _quietly():
            layout = _layout(path, page)
    except (PDFEncryptionError, PDFPasswordIncorrect, PDFTextExtractionNotAllowed):
        raise InputError("the PDF is encrypted", file=path.name, right="Give a copy that needs no password") from None
    except Exception as error:  # whatever a spoilt file makes pdfminer raise
        said = str(error) or type(error).__name__
        raise InputError(f"this cannot be read as PDF ({said})", file=path.name, right="Give the PDF of the publication") from None
    if not isinstance(layout, LTPage):
        raise InputError(f"the PDF has no page {page}", file=path.name, key="page", right=f"It has {layout}")
    return _drawing(layout)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what pdfminer logs of a spoilt file off the error stream, which has one message."""
    logger = logging.getLogger("pdfminer")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _layout(path: Path, page: int) -> Any:
    """Return the layout of a page, or the number of pages where it is not among them."""
    from pdfminer.converter import PDFPageAggregator
    from pdfminer.pdfdocument import PDFDocument
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage
    from pdfminer.pdfparser import PDFParser

    with path.open("rb") as file:
        document = PDFDocument(PDFParser(file))
        resources = PDFResourceManager()
        device = PDFPageAggregator(resources, laparams=None)
        number = 0
        for number, found in enumerate(PDFPage.create_pages(document), 1):
            if number == page:
                PDFPageInterpreter(resources, device).process_page(found)
                return device.get_result()
        if number == 0:
            raise ValueError("no pages")
        return number


def _drawing(layout: Any) -> Drawing:
    from pdfminer.layout import LTChar, LTCurve, LTImage

    shapes, chars, image = [], [], False
    for item, used in _items(layout):
        if isinstance(item, LTChar):
            chars.append(item)
        elif isinstance(item, LTImage):
            image = True
        elif isinstance(item, LTCurve) and (item.stroke or item.fill):
            shapes.append(_shape(item, used))
    return Drawing(tuple(shapes), tuple(_words(chars)), image)


def _items(layout: Any, used: bool = False) -> Iterator[tuple[Any, bool]]:
    """Go through what is drawn; says whether it stands in a form that takes its colour from where it is used."""
    from pdfminer.layout import LTFigure

    for item in layout:
        if isinstance(item, LTFigure):
            yield from _items(item, True)
        else:
            yield item, used


def _shape(item: Any, used: bool) -> Shape:
    colour = _colour(item.stroking_color if item.stroke else item.non_stroking_color, used)
    dash = getattr(item, "dashing_style", None)
    return Shape(np.array(item.pts, float), colour, bool(item.stroke), bool(dash and dash[0]))


def _colour(raw: Any, used: bool) -> str:
    """Return the colour; blank where it is a pattern, or none was set in a form, which has that of the place where it is used."""
    if used and isinstance(raw, int):
        # what pdfminer begins with: colours that are set are floats
        return ""
    parts = tuple(raw) if isinstance(raw, list | tuple) else (raw,)
    known = bool(parts) and all(isinstance(part, int | float) for part in parts)
    return colour_name(tuple(float(part) for part in parts)) if known else ""


def _words(chars: list[Any]) -> Iterator[Word]:
    """Join characters that follow each other along one line, whatever its direction; a blank ends a word."""
    run: list[Any] = []
    for char in chars:
        text = char.get_text()
        if run and (not text.strip() or not _follows(run[-1], char)):
            yield from _split(run)
            run = []
        if text.strip():
            run.append(char)
    if run:
        yield from _split(run)


def _split(run: list[Any]) -> Iterator[Word]:
    """Give marks of censoring that are letters one by one, whatever stands beside them."""
    alone = all(char.get_text() in LETTERS for char in run)
    yield from (_word([char]) for char in run) if alone else [_word(run)]


def _follows(one: Any, other: Any) -> bool:
    a, b, *_ = one.matrix
    length = math.hypot(a, b) or 1.0
    along = ((other.matrix[4] - one.matrix[4]) * a + (other.matrix[5] - one.matrix[5]) * b) / length
    across = abs((other.matrix[5] - one.matrix[5]) * a - (other.matrix[4] - one.matrix[4]) * b) / length
    width = max(one.bbox[2] - one.bbox[0], one.bbox[3] - one.bbox[1]) or 1.0
    return bool(other.matrix[:4] == one.matrix[:4] and across < 0.2 * width and 0 < along < 1.5 * width)


def _word(run: list[Any]) -> Word:
    box = np.array([char.bbox for char in run])
    x0, y0, x1, y1 = box[:, 0].min(), box[:, 1].min(), box[:, 2].max(), box[:, 3].max()
    size = float(max(char.size for char in run))
    state = getattr(run[0], "graphicstate", None)
    colour = _colour(getattr(state, "ncolor", None), False)
    return Word("".join(char.get_text() for char in run), float(x0 + x1) / 2, float(y0 + y1) / 2, size, colour)
