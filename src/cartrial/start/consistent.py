"""Can the dates of a sheet be true together? What happened after the infusion, what before; and how far its days reach."""

from __future__ import annotations

import datetime as dt

from cartrial.errors import InputError
from cartrial.start.draft import Draft, day_of
from cartrial.start.sheet.layout import Column, Layout

__all__ = ["infused_on", "note_days", "require_order"]


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


def note_days(draft: Draft, layout: Layout, column: Column, day: int | Column) -> None:
    """Note how far what was seen on a day from the infusion reaches: the data go on until then.

    `day` is the nominal day of a column's cells, or the column of their days.
    """
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
        seen[what] = _dates(draft, layout, column)
        if layout.long:
            continue
        early = {name: day for name, day in seen[what].items() if name in infused and day < infused[name]}
        for name, day in list(early.items())[:5]:
            text = f"{layout.grid.name}: the {what} of patient {name} in {column.label} is {day}, before the infusion on {infused[name]}"
            right = "Correct the date; what was before the treatment belongs into another column"
            wrong.append(InputError(text, file=layout.grid.file, right=right))
    for name, day in seen.get("death", {}).items():
        contact = seen.get("last contact", {}).get(name)
        if contact is not None and contact > day:
            text = f"patient {name} died on {day} and was last seen alive on {contact}"
            wrong.append(InputError(text, file=draft.layouts[0].grid.file, right="Correct one of the two dates"))
    if wrong:
        raise InputError.together(wrong)
