"""What is a section made of? Paragraphs, tables, figures and lists: the same for a report and for its empty shells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from cartrial.report.page.rows import Cell, Stat

__all__ = ["Big", "Block", "Definition", "Details", "Figure", "Note", "Section", "Steps", "Table", "Text"]


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
    """A figure, drawn by the page's scripts.

    Parameters
    ----------
    document : dict
        Of Vega-Lite, from `cartrial.report.figures`.
    caption : str
        Estimator, population, kind of limits, what marks mean.
    name : str
        Names the figure on its page and the files that are saved of it: letters, digits and hyphens.
    """

    document: dict[str, Any]
    caption: str | Markup = ""
    name: str = "figure"
    kind: str = "figure"


@dataclass(frozen=True)
class Steps:
    """Counts as bars from a common start, as lines of the page: words that wrap at any width.

    Parameters
    ----------
    items : sequence of (label, Stat)
    caption : str
    """

    items: Sequence[tuple[str, Stat]]
    caption: str = ""
    kind: str = "steps"

    @property
    def shares(self) -> list[float]:
        """How long each bar is, in percent of the longest."""
        most = max((stat.value or 0 for _, stat in self.items), default=0) or 1
        return [round(100 * (stat.value or 0) / most, 2) for _, stat in self.items]


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


Block = Text | Note | Table | Figure | Definition | Big | Details | Steps


@dataclass(frozen=True)
class Section:
    """A section of a page: its anchor, its heading and what stands in it."""

    id: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    short: str = ""
