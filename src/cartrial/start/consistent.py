"""Can the dates of a sheet be true together? What happened after the infusion, what before; and how far its days reach."""

from __future__ import annotations

import datetime as dt
import re

from cartrial.errors import InputError
from cartrial.start.ask import Option, Question
from cartrial.start.draft import Draft, day_of, is_counted
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.words import is_unknown_word, plain

_AFTER = ("response", "relapse", "death", "end-date", "last-contact", "last-assessment", "transplant", "therapy")
_OTHER = (
    r"(cri?|best response|first response|response|remission|ansprechen|diagnos\w*|enrol\w*|inclusion|consent|l?e?u?k?apheres\w*|"
    r"leuka\w*|relapse|rezidiv|progression|transplant\w*|a?l?l?o? ?hsct|sct|birth|randomi\w*|缓解|诊断|入组|单采|复发|移植)"
)
_ORIGIN = re.compile(
    rf"\b(?:after|from|since|post|nach|seit|ab|von|depuis|après)(?: the| first| best| initial| last)* {_OTHER}\b|距{_OTHER}"
)
_SPAN = re.compile(rf"^(?:days? |tage? |time )?{_OTHER} (?:to|until|till|bis|至|到)\b")

NO_DATE = dt.date(1900, 1, 1)
"""From which the days of a sheet without dates are counted, to be compared alone."""

__all__ = ["NO_DATE", "ask_unknown", "days_of", "infused_on", "note_days", "require_order"]


def infused_on(draft: Draft) -> dict[str, dt.date]:
    """Return the date of the infusion of each patient who has one."""
    if "infusion" not in draft.facts:
        return {}
    layout, column = draft.facts["infusion"]
    return _dates(draft, layout, column)


def _dates(draft: Draft, layout: Layout, column: Column) -> dict[str, dt.date]:
    forms = tuple(draft.dates(layout, column)["forms"]) or ("iso",)
    subjects = layout.subjects()
    found: dict[str, dt.date] = {}
    for cell in column.filled:
        day = day_of(cell, forms)
        if day is not None:
            found[subjects[cell.row]] = min(day, found.get(subjects[cell.row], day))
    return found


def days_of(draft: Draft, layout: Layout, column: Column) -> dict[str, dt.date]:
    """Return the first date of a column for each patient.

    Days count from the date of the infusion; in a sheet without dates from one day for all, so that they can be compared.
    """
    if not is_counted(column):
        return _dates(draft, layout, column)
    infused, subjects = infused_on(draft), layout.subjects()
    found: dict[str, dt.date] = {}
    for cell in column.filled:
        name = subjects[cell.row]
        start = infused.get(name) if "infusion" in draft.facts else NO_DATE
        if cell.number is not None and start is not None and abs(cell.number) < 36_500:
            day = start + dt.timedelta(days=int(cell.number))
            found[name] = min(day, found.get(name, day))
    return found


def note_days(draft: Draft, layout: Layout, column: Column, day: int | Column) -> None:
    """Note how far what was seen on a day from the infusion reaches: the data go on until then.

    `day` is the nominal day of a column's cells, or the column of their days.
    """
    if isinstance(day, Column):
        _require_origin(layout, day)
        _refuse_negative(layout, day)
        _refuse_parts(layout, day)
    infused, subjects = infused_on(draft), layout.subjects()
    days = (
        {cell.row: cell.number for cell in day.filled}
        if isinstance(day, Column)
        else dict.fromkeys((cell.row for cell in column.filled), day)
    )
    for cell in column.filled:
        number, start = days.get(cell.row), infused.get(subjects[cell.row])
        if number is not None and start is not None and number < 36_500:
            draft.reach(start + dt.timedelta(days=int(number)))


def ask_unknown(draft: Draft, layout: Layout, column: Column, what: str, flag: Column | None = None) -> str:
    """Ask what `unknown` in a column of dates means, unless a column beside it says it; return what is assumed.

    It may be that the date is not known, or whether it happened at all: neither is a no.
    """
    subjects, said = layout.subjects(), {cell.row for cell in flag.filled} if flag else set()
    cells = [cell for cell in column.cells if is_unknown_word(cell.text) and cell.row not in said]
    if not cells:
        return ""
    names = ", ".join(subjects[cell.row] for cell in cells[:5]) + (" ..." if len(cells) > 5 else "")
    text = f"'{cells[0].text}' in {column.label} ({names}) may say that there was {what} on a day not known, or that nobody knows of one"
    right = f"there was no {what.split(' ', 1)[1]} as far as is known; write the month as YYYY-MM where there was one"
    assumed = f"'{cells[0].text}' in {column.label} means that there was no {what.split(' ', 1)[1]} ({names})"
    key = f"unknown-{column.letter.lower()}"
    draft.answers.ask(Question(key, f"{text}. Is it read as none?", (Option("none", right, assumed),)))
    return draft.assume(assumed)


def _refuse_negative(layout: Layout, column: Column) -> None:
    """Refuse a day before the infusion of what came after it; a table of visits may begin before."""
    early = [] if layout.long or column.topic not in _AFTER else [cell for cell in column.filled if (cell.number or 0) < 0]
    if early:
        name = layout.subjects()[early[0].row]
        what = f"{layout.grid.lead}patient {name} has day {early[0].text} in {column.label}, before the infusion"
        right = "Correct the day; what was before the treatment belongs into another column"
        raise InputError(what, **layout.grid.at(early[0].row), right=right)


def _refuse_parts(layout: Layout, column: Column) -> None:
    """Refuse half days: a day is counted whole, and nobody knows to which side."""
    for cell in column.filled:
        if cell.number is not None and not float(cell.number).is_integer():
            what = f"{layout.grid.lead}{cell.text} in {column.label} is no whole day"
            raise InputError(what, **layout.grid.at(cell.row), right="Write whole days from the infusion, or dates")


def _require_origin(layout: Layout, column: Column) -> None:
    """Refuse days that count from something else than the infusion by their header."""
    words = " ".join(re.sub(r"[_\-()\[\],;:/.]+", " ", plain(column.header)).split())
    if found := _ORIGIN.search(words) or _SPAN.search(words):
        what = f"{layout.grid.lead}{column.label} counts days from '{found[1]}', and days are read from the infusion"
        raise InputError(what, file=layout.grid.file, right="Write the date in its place, or the days from the infusion")


def require_order(draft: Draft) -> None:
    """Refuse what stands before the infusion although it came after it, and a contact after a death.

    Raises
    ------
    InputError
        With each patient and both dates.
    """
    infused = infused_on(draft)
    wrong: list[InputError] = []
    moments: list[tuple[str, Layout, Column]] = draft.facts.get("moments", [])
    seen: dict[str, dict[str, dt.date]] = {}
    for what, layout, column in moments:
        seen[what] = days_of(draft, layout, column)
        if layout.long:
            continue
        early = {name: day for name, day in seen[what].items() if name in infused and day < infused[name]}
        for name, day in list(early.items())[:5]:
            text = f"{layout.grid.lead}the {what} of patient {name} in {column.label} is {day}, before the infusion on {infused[name]}"
            right = "Correct the date; what was before the treatment belongs into another column"
            wrong.append(InputError(text, file=layout.grid.file, right=right))
    wrong += [InputError(text, file=draft.layouts[0].grid.file, right="Correct one of the two") for text in _contradictions(draft, seen)]
    if wrong:
        raise InputError.together(wrong)


def _contradictions(draft: Draft, seen: dict[str, dict[str, dt.date]]) -> list[str]:
    """Return what happened to whom after his death, and relapses before the response that they end."""
    said = []
    for name, died in seen.get("death", {}).items():
        for what, days in seen.items():
            if what != "death" and name in days and days[name] > died:
                late = "was last seen alive" if what == "last contact" else f"has a {what}"
                said.append(f"patient {name} died {_on(draft, died)} and {late} {_on(draft, days[name])}")
    responders = draft.facts.get("responders", set())
    for name, day in seen.get("best response", {}).items():
        relapse = seen.get("relapse", {}).get(name)
        if relapse is not None and relapse < day and name in responders:
            said.append(f"patient {name} relapsed {_on(draft, relapse)}, before the best response {_on(draft, day)}")
    return said


def _on(draft: Draft, day: dt.date) -> str:
    """Return a date as it is said; of a sheet of days its day."""
    return f"on {day}" if "infusion" in draft.facts else f"on day {(day - NO_DATE).days}"
