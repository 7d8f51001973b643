"""When was what stands in a column seen? By the date or day beside it, in its row, or by the nominal day of its visit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cartrial.errors import InputError
from cartrial.start.ask import Option, Question
from cartrial.start.consistent import note_days
from cartrial.start.draft import Draft, is_counted, is_dated
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.topics import of_visit, visit_of
from cartrial.start.sheet.words import plain

__all__ = ["Time", "row_times", "time_beside"]

# words by which the date of what was done is told from that of a report
_TAKEN = ("sample", "collect", "assess", "visit", "exam", "bm ", "marrow", "scan", "采样", "检查", "访视", "评估", "untersuch", "entnahme")


@dataclass(frozen=True)
class Time:
    """When something in a column was seen: what a rule says of it, what is assumed, and how it is told."""

    rule: dict[str, Any] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    how: str = ""
    columns: tuple[Column, ...] = ()


def time_beside(
    draft: Draft, layout: Layout, column: Column, *, topics: tuple[str, ...] = ("response", "date", "visit", "study-day")
) -> Time:
    """Return when what stands in a column of a visit was seen: the date of that visit, else its nominal day."""
    visit = visit_of(column.path)
    beside = [
        other
        for other in layout.columns
        if other is not column and other.topic in topics and visit_of(other.path) == visit and (is_dated(other) or is_counted(other))
    ]
    near = min(beside, key=lambda other: (other.topic != column.topic, abs(other.number - column.number)), default=None)
    if near is None and visit is None:
        return Time()
    if near is None:
        assert visit is not None
        note_days(draft, layout, column, visit[1])
        said = f"{visit[0]} was day {visit[1]} after the infusion, where the sheet gives no date of it"
        return Time({"day": visit[1]}, (said,), f"{visit[0]}, nominal day {visit[1]}")
    name = visit[0] if visit else ""
    if is_counted(near):
        draft.use(layout, near, f"day of {name or 'the response'}", "days from the infusion")
        note_days(draft, layout, column, near)
        draft.happened(f"assessment of {name}" if name else "response", layout, near)
        return Time({"day": {"column": draft.ref(layout, near)}}, (), name or "with its day", (near,))
    dates = draft.dates(layout, near)
    if all(other.letter != near.letter for other in draft.read if other.table == draft.name(layout)):
        draft.use(layout, near, f"date of {name or 'the response'}", dates["how"])
        draft.happened(f"assessment of {name}" if name else "response", layout, near)
    return Time({"date": draft.ref(layout, near), "date-format": dates["forms"]}, tuple(dates["assumed"]), name or "with its date", (near,))


def row_times(draft: Draft, layout: Layout) -> list[tuple[Time, dict[str, Any]]]:
    """Return when the rows of a long table were seen: by their date or day, else each visit by its nominal day.

    Raises
    ------
    InputError
        If the rows say neither.
    """
    known: dict[int, list[tuple[Time, dict[str, Any]]]] = draft.facts.setdefault("row-times", {})
    number = draft.layouts.index(layout)
    if number not in known:
        known[number] = _row_times(draft, layout)
    return known[number]


def _row_times(draft: Draft, layout: Layout) -> list[tuple[Time, dict[str, Any]]]:
    # the date of a row is no date of something that happens once: it differs from row to row of a patient
    own = [
        column
        for column in layout.columns
        if column.topic in ("date", "response", "visit", "study-day", "mrd", None) and column is not layout.key
    ]
    dated = [column for column in own if is_dated(column) and _varies(layout, column)]
    if len(dated) > 1:
        taken = [column for column in dated if any(word in plain(column.header) for word in _TAKEN)]
        dated = taken if len(taken) == 1 else dated
    if len(dated) > 1:
        options = tuple(Option(column.letter.lower(), column.header) for column in dated)
        word = draft.answers.ask(
            Question("visit-date", f"Several columns of {layout.grid.name} are dates of a row. Which is that of the sample?", options)
        )
        dated = [column for column in dated if column.letter.lower() == word]
    if dated:
        column = dated[0]
        dates = draft.dates(layout, column)
        if all(read.letter != column.letter for read in draft.read if read.table == draft.name(layout)):
            draft.use(layout, column, "date of the assessment", dates["how"])
        return [(Time({"date": draft.ref(layout, column), "date-format": dates["forms"]}, tuple(dates["assumed"]), "", (column,)), {})]
    counted = [
        column
        for column in own
        if is_counted(column) or (column.topic == "study-day" and all(cell.number is not None for cell in column.filled))
    ]
    if counted:
        column = counted[0]
        note_days(draft, layout, column, column)
        if all(read.letter != column.letter for read in draft.read if read.table == draft.name(layout)):
            draft.use(layout, column, "day of the assessment", "days from the infusion")
        return [(Time({"day": {"column": draft.ref(layout, column)}}, ("days of assessments count from the infusion",), "", (column,)), {})]
    for column in layout.columns:
        named = {cell.text: of_visit(cell.text) for cell in column.filled} if column.topic == "visit" else {}
        if named and all(named.values()):
            draft.use(layout, column, "visit", "nominal days")
            for visit in named.values():
                if visit:
                    note_days(draft, layout, column, visit[1])
            said = "each visit was on its nominal day after the infusion, since the sheet gives no date"
            return [
                (
                    Time({"day": visit[1]}, (said,), f"{visit[0]}, nominal day {visit[1]}"),
                    {"column": draft.ref(layout, column), "is": [text]},
                )
                for text, visit in named.items()
                if visit
            ]
    what = f"{layout.grid.lead}its rows say neither a date nor a day nor a visit that is known"
    raise InputError(what, file=layout.grid.file, right="Add a column with the date of each assessment")


def _varies(layout: Layout, column: Column) -> bool:
    subjects = layout.subjects()
    values: dict[str, set[str]] = {}
    for cell in column.filled:
        values.setdefault(subjects[cell.row], set()).add(cell.text)
    return any(len(several) > 1 for several in values.values()) or column.topic == "date"
