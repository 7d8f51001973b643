"""What is a section made of? Paragraphs, tables, figures and lists: the same for a report and for its empty shells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from cartrial.report.page.rows import Cell

__all__ = ["Big", "Block", "Definition", "Details", "Figure", "Note", "Section", "Table", "Text"]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str | Markup
    kind: str = "text"


@dataclass(frozen=True)
class Note:
    """A footnote or a warning, set apart."""

    text: str | Markup
    kind: str = "note"


@dataclass(frozen=True)
class Table:
    """A table that scrolls inside its own box.

    Parameters
    ----------
    head : sequence of str
        Column headings.
    rows : sequence of sequences
        Cells: text, or statistics of `cartrial.report.page.rows`.
    caption : str
        What the table shows, with population and reader where it shows a rate.
    numeric : sequence of int
        Columns set to the right.
    group : set of int
        Rows that head a group of rows.
    small : bool
        As narrow as its content.
    wide : bool
        Many columns of words: smaller type, words given room.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    numeric: Sequence[int] = ()
    group: frozenset[int] = frozenset()
    note: str | Markup = ""
    small: bool = False
    wide: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Figure:
    """An SVG figure in a box of its own; `width` is the least width at which it is legible, in px."""

    svg: Markup
    caption: str | Markup = ""
    width: int = 620
    kind: str = "figure"


@dataclass(frozen=True)
class Definition:
    """Terms with their text."""

    items: Sequence[tuple[str, Cell]]
    kind: str = "definition"


@dataclass(frozen=True)
class Big:
    """The one number a section is about, with everything that it is a number of."""

    number: Cell
    unit: str
    line: Cell
    interval: Cell
    label: str
    kind: str = "big"


@dataclass(frozen=True)
class Details:
    """A long list, folded away until asked for; printed in full."""

    summary: str
    blocks: Sequence[Block]
    kind: str = "details"


Block = Text | Note | Table | Figure | Definition | Big | Details


@dataclass(frozen=True)
class Section:
    """A section of a page: its anchor, its heading and what stands in it."""

    id: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    short: str = ""
