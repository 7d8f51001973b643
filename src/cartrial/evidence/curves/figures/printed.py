"""Which numbers at risk are printed below a curve? Rows of whole numbers that stand under the marks of the time axis."""

from __future__ import annotations

import re
from itertools import pairwise

from cartrial.evidence.curves.figures.axes import Axis
from cartrial.evidence.curves.figures.shapes import Drawing, Word

__all__ = ["printed_rows"]

WHOLE = re.compile(r"\d{1,5}")
# of the size of letters: words of one row; and how far the middle of a number is from its mark
LEVEL, ASIDE = 0.35, 1.0
# of the marks: so many have a number in a row
SHARE, LEAST = 0.6, 3


def printed_rows(drawing: Drawing, times: Axis) -> list[tuple[str, list[tuple[float, int]]]]:
    """Find the rows of numbers at risk of a drawing, from the top.

    Parameters
    ----------
    drawing : Drawing
    times : Axis
        With its marks.

    Returns
    -------
    list of (str, list of (float, int))
        What stands before each row, the name of its arm, and its times and numbers.
    """
    values = dict(times.marks)
    left = min(values, default=0.0)
    found = []
    for level in _levels(drawing.words):
        row: dict[float, Word] = {}
        for word in level:
            mark = min(values, key=lambda place: abs(place - word.x), default=None)
            if mark is not None and WHOLE.fullmatch(word.text) and abs(mark - word.x) <= ASIDE * word.size:
                row.setdefault(mark, word)
        numbers = [(values[mark], int(word.text)) for mark, word in sorted(row.items())]
        counts = [count for _, count in numbers]
        # the numbers of the axis itself rise
        falls = all(later <= before for before, later in pairwise(counts)) and counts[:1] != counts[-1:]
        if len(row) >= max(LEAST, SHARE * len(values)) and falls and left in row:
            used = set(map(id, row.values()))
            name = " ".join(word.text for word in sorted(level, key=lambda word: word.x) if id(word) not in used and word.x < left)
            found.append((name, numbers))
    return found


def _levels(words: tuple[Word, ...]) -> list[list[Word]]:
    """Return the words by their level, from the top."""
    levels: list[list[Word]] = []
    for word in sorted(words, key=lambda word: -word.y):
        if levels and abs(levels[-1][0].y - word.y) <= LEVEL * word.size:
            levels[-1].append(word)
        else:
            levels.append([word])
    return levels
