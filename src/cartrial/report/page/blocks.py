"""What is a section made of? Paragraphs, tables, figures and lists: the same for a report and for its empty shells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from cartrial.report.page.rows import Cell, Stat

__all__ = [
    "Big",
    "Block",
    "Box",
    "Card",
    "Cards",
    "Definition",
    "Details",
    "Figure",
    "Flow",
    "Note",
    "Points",
    "Section",
    "Steps",
    "Table",
    "Text",
]


@dataclass(frozen=True)
class Text:
    """A paragraph; `small`: of less weight."""

    text: str | Markup
    small: bool = False
    kind: str = "text"


@dataclass(frozen=True)
class Note:
    """A footnote, set apart; `warning`: what must not be overlooked."""

    text: str | Markup
    warning: bool = False
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
    mini : bool
        Within a card: without caption, frame or box of its own.
    dense : bool
        Many rows of a line each: small type, and on paper no row is broken into lines.
    paired : bool
        Long and narrow: on paper in two columns.
    name : str
        By which the table is found again, among those of a report or of its shells, by who writes it elsewhere.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    numeric: Sequence[int] = ()
    group: frozenset[int] = frozenset()
    note: str | Markup = ""
    small: bool = False
    wide: bool = False
    mini: bool = False
    dense: bool = False
    paired: bool = False
    name: str = ""
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

    @property
    def halved(self) -> bool:
        """Whether two of its kind stand side by side on paper: curves and points need no more width than a phone has."""
        return "vconcat" not in self.document and self.name.startswith(("curve-", "incidence-", "strip-", "forest-subgroups"))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What a notebook shows: the document, and a still picture where the extra `figures` is installed."""
        from cartrial.report.page.still import notebook_bundle

        return notebook_bundle(self)


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
class Box:
    """A step of a flow of subjects.

    Parameters
    ----------
    label : str
    number : Stat
        Subjects that reached it.
    losses : sequence of (label, Stat)
        Who of the step before did not reach it, by reason; their sum first.
    note : str
        What the step is, where its name does not say so.
    """

    label: str
    number: Cell
    losses: Sequence[tuple[str, Cell]] = ()
    note: Cell = ""


@dataclass(frozen=True)
class Flow:
    """The flow of subjects as boxes one beneath the other, with those who left beside them; `ends` stand side by side at its foot."""

    boxes: Sequence[Box]
    ends: Sequence[Box] = ()
    caption: str | Markup = ""
    kind: str = "flow"


@dataclass(frozen=True)
class Points:
    """A list of short points."""

    items: Sequence[Cell]
    kind: str = "points"


@dataclass(frozen=True)
class Card:
    """A box of a summary: what it is about, and what it says.

    Parameters
    ----------
    label : str
    blocks : sequence of Block
    look : {"", "main", "doubt"}
        The first box, and one across the page that warns.
    """

    label: str
    blocks: Sequence[Block]
    look: str = ""


@dataclass(frozen=True)
class Cards:
    """Boxes side by side, one beneath the other where there is no room."""

    items: Sequence[Card]
    kind: str = "cards"


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
    """A long list, folded away until asked for.

    Parameters
    ----------
    summary : str
    blocks : sequence of Block
    printed : bool
        Whether paper has it in full; else it has its heading alone.
    """

    summary: str
    blocks: Sequence[Block]
    printed: bool = True
    kind: str = "details"


Block = Text | Note | Table | Figure | Definition | Big | Details | Steps | Flow | Points | Cards


@dataclass(frozen=True)
class Section:
    """A section of a page: its anchor, its heading and what stands in it."""

    id: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    short: str = ""
