"""Which columns are of a topic, when was what stands in them, and what do their answers say?"""

from __future__ import annotations

from typing import Any

from cartrial.start.consistent import note_days
from cartrial.start.draft import Draft, is_counted, is_flag
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.topics import is_prior
from cartrial.start.sheet.words import legend_of, plain, yes_no

__all__ = ["answers_of", "columns_of", "is_yes", "timed_by"]


def columns_of(draft: Draft, topic: str) -> list[tuple[Layout, Column]]:
    """Return the columns of a topic that are of the time after the treatment, with their tables."""
    return [
        (layout, column)
        for layout in draft.layouts
        for column in layout.columns
        if column.topic == topic and column.filled and column is not layout.key and not is_prior(column.path)
    ]


def timed_by(draft: Draft, layout: Layout, column: Column) -> tuple[dict[str, Any], list[str], str]:
    """Return what a rule says of the time in a column, what is assumed, and how it is written; a date or a day from the infusion."""
    if is_counted(column):
        note_days(draft, layout, column, column)
        told = any(word in plain(column.header) for word in ("infusion", "car-t", "car t", "回输", "输注"))
        assumed = [] if told else [f"the days in {column.label} count from the infusion"]
        return {"day": {"column": draft.ref(layout, column)}}, assumed, "days from the infusion"
    dates = draft.dates(layout, column)
    return {"date": draft.ref(layout, column), "date-format": dates["forms"]}, dates["assumed"], dates["how"]


def answers_of(column: Column) -> bool:
    """Say whether every cell of a column is a yes or a no, by its words or the legend of its header."""
    legend = legend_of(column.header)
    return is_flag(column) or bool(legend and all(yes_no(legend.get(cell.text, "")) is not None for cell in column.filled))


def is_yes(column: Column, text: str) -> bool | None:
    """Return what a cell of a column of answers says; None where it is none."""
    return yes_no(legend_of(column.header).get(text, text))
