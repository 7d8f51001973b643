"""What is a display? A numbered table, figure or listing, with all that a page of it says; the same for a study's shells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from cartrial.report.page.rows import Stat

if TYPE_CHECKING:
    from cartrial.report.page.blocks import Figure, Table
    from cartrial.report.page.rows import Cell

__all__ = ["ABSENT", "KINDS", "Display", "Grid", "Piece", "Words", "joined", "to_grid", "to_words"]

ABSENT = "–"
"""What is printed where there is no number."""

KINDS = {"table": "Table", "figure": "Figure", "listing": "Listing"}
"""What each kind of display is called."""


class Piece(NamedTuple):
    """Some words; `key` is the number of the results row whose `text` they are, from 0, None where they are no statistic."""

    text: str
    key: int | None = None


class Words(tuple[Piece, ...]):
    """A text whose statistics know their results rows.

    Examples
    --------
    >>> from cartrial.submission.displays.model import Piece, Words
    >>> words = Words((Piece("29", 7), Piece(" of "), Piece("39", 8)))
    >>> str(words), words.keys
    ('29 of 39', (7, 8))
    """

    def __str__(self) -> str:
        return "".join(piece.text for piece in self)

    @property
    def keys(self) -> tuple[int, ...]:
        """The results rows of its statistics."""
        return tuple(piece.key for piece in self if piece.key is not None)


class _Reader(HTMLParser):
    """Reads the pieces of a cell of a page: the text, and which of it is a statistic of which row."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[Piece] = []
        self._keys: list[int | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":
            self._keys.append(next((int(value) for name, value in attrs if name == "data-key" and value), None))

    def handle_endtag(self, tag: str) -> None:
        self._keys.pop()

    def handle_data(self, data: str) -> None:
        self.pieces.append(Piece(data, next((key for key in self._keys if key is not None), None)))


def to_words(cell: Cell | Words) -> Words:
    """Return a cell of a page as words: links and hovers are left out, statistics keep the number of their row.

    Examples
    --------
    >>> from cartrial.report.page.rows import Stat, parts
    >>> from cartrial.submission.displays.model import to_words
    >>> to_words(parts("{} (n = {})", Stat("74.4", 3), 39))
    (Piece(text='74.4', key=3), Piece(text=' (n = 39)', key=None))
    """
    if isinstance(cell, Words):
        return cell
    if cell is None:
        return Words((Piece(ABSENT),))
    if isinstance(cell, Stat):
        return Words((Piece(cell.text, cell.key),))
    if isinstance(cell, Markup):
        reader = _Reader()
        reader.feed(str(cell))
        reader.close()
        return Words(reader.pieces)
    if isinstance(cell, float):
        return Words((Piece(f"{cell:g}"),))
    return Words((Piece(str(cell)),) if str(cell) else ())


@dataclass(frozen=True)
class Grid:
    """The body of a table or a listing.

    Parameters
    ----------
    head : tuple of str
        Column headings.
    rows : tuple of tuples of Words
        As many cells each as there are headings.
    numeric : frozenset of int
        Columns set to the right.
    group : frozenset of int
        Rows that head those after them.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Words, ...], ...]
    numeric: frozenset[int] = frozenset()
    group: frozenset[int] = frozenset()


def to_grid(table: Table) -> Grid:
    """Return a table of a page as the body of a display."""
    rows = tuple(tuple(to_words(cell) for cell in row) for row in table.rows)
    return Grid(tuple(map(str, table.head)), rows, frozenset(table.numeric), table.group)


@dataclass(frozen=True)
class Display:
    """A numbered output, complete: what stands on each of its pages.

    Parameters
    ----------
    id : str
        By which a study file, a test and a program know it; it does not change with the number.
    kind : {"table", "figure", "listing"}
    number : str
        As in section 14 or 16.2 of a report by ICH E3.
    title : str
    population : Words
        Who is shown, with their number.
    body : Grid or Figure
    notes : tuple of Words
        Estimand, reader, interval and conventions, from the study file.
    source : str
        Derived sets and results that it is made of.
    noun : str
        What its kind is called in another language; blank: in English.
    """

    id: str
    kind: str
    number: str
    title: str
    population: Words
    body: Grid | Figure
    notes: tuple[Words, ...] = ()
    source: str = ""
    noun: str = ""

    @property
    def label(self) -> str:
        """Kind and number: ``Table 14.1.1.1``."""
        return f"{self.noun or KINDS[self.kind]} {self.number}"

    @property
    def file(self) -> str:
        """Name of its file, without what its form ends in: ``t-14-1-1-1``."""
        return f"{self.kind[0]}-{self.number.replace('.', '-')}"

    @property
    def keys(self) -> tuple[int, ...]:
        """Numbers of the results rows that it prints, in reading order; those of a figure stand in its document."""
        cells: Iterable[Words] = (cell for row in self.body.rows for cell in row) if isinstance(self.body, Grid) else ()
        return tuple(key for words in (self.population, *cells, *self.notes) for key in words.keys)


def joined(texts: Sequence[Words], between: str = "; ") -> Words:
    """Return texts as one, with something between them."""
    pieces: list[Piece] = []
    for text in texts:
        pieces += [Piece(between)] if pieces else []
        pieces += text
    return Words(pieces)
