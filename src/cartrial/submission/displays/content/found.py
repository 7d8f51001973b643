"""Where does a display take its rows from? From the tables and figures of the report or of its shells, found by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cartrial.report.page.blocks import Block, Details, Figure, Flow, Note, Section, Table
from cartrial.report.study.sections.primary import estimand_items
from cartrial.submission.displays.model import Display, Grid, Piece, Words, joined, to_grid, to_words

if TYPE_CHECKING:
    from cartrial.report.study.data import ReportData
    from cartrial.study import Study, Variant

__all__ = ["EMPTY", "Found", "Known", "Plan", "caption_notes", "estimand_notes"]

EMPTY = "xx"
"""What stands for a number in a shell."""

# What a caption of a shell begins with: the display says it by its number.
_SCREEN = re.compile(r";[^.;]*\b(?:hover|click)\b[^.;]*(?=[.;])|(?<=\.) [^.;]*\b(?:Hover|hover|click)\b[^.;]*\.")
"""What a caption says of a page on a screen alone."""
_KIND = ("Table and forest figure: ", "Table: ", "Figure: ", "Listing: ")
POPULATIONS = {
    "consented": "All subjects who consented",
    "enrolled": "Enrolled subjects",
    "infused": "Infused subjects (safety set)",
    "responders": "Responders",
}


class Plan(NamedTuple):
    """What a display is called before it is made."""

    id: str
    number: str
    title: str
    population: str
    source: str


class Found(NamedTuple):
    """A table or figure of a page, and the notes of its section that belong to it."""

    block: Table | Figure
    notes: tuple[Words, ...]


@dataclass(frozen=True)
class Known:
    """All that displays are made of.

    Parameters
    ----------
    study : Study
    data : ReportData or None
        Of a run; None for shells.
    sections : sequence of Section
        Of the report, or of the shells.
    """

    study: Study
    data: ReportData | None
    sections: Sequence[Section] = field(repr=False)

    @cached_property
    def blocks(self) -> dict[str, list[Found]]:
        """Tables and figures of the sections by name, in their order."""
        found: dict[str, list[Found]] = {}
        for section in self.sections:
            blocks = list(_flat(section.blocks))
            places = [place for place, block in enumerate(blocks) if isinstance(block, Table | Figure)]
            # what is said before the first table of a section is said of all that stands in it
            lead = _notes(blocks[: places[0]]) if places else ()
            for place, end in zip(places, [*places[1:], len(blocks)], strict=False):
                block = blocks[place]
                assert isinstance(block, Table | Figure)
                if block.name:
                    found.setdefault(block.name, []).append(Found(block, (*_notes(blocks[place + 1 : end]), *lead)))
        return found

    @cached_property
    def flow(self) -> Flow | None:
        """The flow of subjects; shells have none, but a table of its milestones."""
        return next((block for section in self.sections for block in section.blocks if isinstance(block, Flow)), None)

    def number(self, population: str) -> Words:
        """Return how many subjects a population has."""
        if self.data is None:
            return Words((Piece(EMPTY),))
        return to_words(self.data.rows.stat(self.data.rows.where("flow", population, by=""), "n"))

    def of(self, population: str) -> Words:
        """Return who is shown, with their number."""
        if population not in POPULATIONS:
            return Words((Piece(population),)) if population else Words()
        number = self.number(population)
        if not number.keys and self.data is not None:
            return Words((Piece(POPULATIONS[population]),))
        return Words((Piece(f"{POPULATIONS[population]} (N = "), *number, Piece(")")))

    def table(self, plan: Plan, name: str, *, at: int = 0, kind: str = "table", more: Sequence[Words] = ()) -> list[Display]:
        """Return the display of a named table; none where the page has it not, or it has no row."""
        found = self.blocks.get(name, [])[at : at + 1]
        return [
            self.display(plan, kind, to_grid(block), (*caption_notes(block), *more, *notes))
            for block, notes in found
            if isinstance(block, Table) and block.rows
        ]

    def figure(self, plan: Plan, name: str, more: Sequence[Words] = ()) -> list[Display]:
        """Return the display of a named figure; none where the page has it not."""
        found = self.blocks.get(name, [])[:1]
        return [
            self.display(plan, "figure", block, (*caption_notes(block), *more, *notes))
            for block, notes in found
            if isinstance(block, Figure)
        ]

    def display(self, plan: Plan, kind: str, body: Grid | Figure, notes: Sequence[Words] = ()) -> Display:
        """Return a display; the same note stands in it once."""
        once = {str(note): note for note in notes if str(note)}
        return Display(plan.id, kind, plan.number, plan.title, self.of(plan.population), body, tuple(once.values()), plan.source)


def _flat(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Details):
            yield from _flat(block.blocks)
        else:
            yield block


def _notes(blocks: Sequence[Block]) -> tuple[Words, ...]:
    return tuple(to_words(block.text) for block in blocks if isinstance(block, Note))


def caption_notes(block: Table | Figure) -> tuple[Words, ...]:
    """Return what a page says beneath a table or figure, without the kind that a shell names."""
    said = to_words(block.caption)
    if said and (kind := next((words for words in _KIND if said[0].text.startswith(words)), None)):
        rest = said[0].text.removeprefix(kind)
        said = Words((Piece(rest[:1].upper() + rest[1:], said[0].key), *said[1:]))
    said = Words(Piece(_SCREEN.sub("", piece.text), piece.key) for piece in said)
    note = to_words(block.note) if isinstance(block, Table) else Words()
    return tuple(words for words in (said, note) if words)


def estimand_notes(study: Study, variant: Variant) -> tuple[Words, ...]:
    """Return the attributes of an estimand as one note."""
    items = [Words((Piece(f"{name}: {text}"),)) for name, text in estimand_items(study, variant)]
    return (joined([item if str(item).endswith(".") else Words((*item, Piece("."))) for item in items], " "),)
