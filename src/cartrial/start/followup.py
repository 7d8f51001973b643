"""Until when was a responder known to be free of relapse?"""

from __future__ import annotations

from typing import Any

from cartrial.start.ask import Option, Question
from cartrial.start.consistent import note_days
from cartrial.start.draft import Draft, is_counted, is_dated

__all__ = ["read_followup"]


def read_followup(draft: Draft) -> None:
    """Read the date of the last assessment without relapse, which a sheet of best responses needs for every time (rules, A7)."""
    for layout in draft.layouts:
        for column in layout.columns:
            if column.topic != "last-assessment" or not column.filled:
                continue
            if draft.facts["level"] != "events":
                draft.leave(layout, column, "the last assessment is found among those by visit")
            elif is_dated(column):
                dates = draft.dates(layout, column)
                draft.use(layout, column, "last assessment, free of relapse", dates["how"])
                draft.happened("last assessment", layout, column)
                draft.facts["last-assessment"] = column.label
                rule: dict[str, Any] = {"id": "free of relapse", "domain": "RS", "column": draft.ref(layout, column), "type": "text"}
                rule |= {"test": "RLPSFREE", "set": {"RSEVAL": "INVESTIGATOR", "RSSTRESC": "Y"}, "date": draft.ref(layout, column)}
                said = f"on the date in {column.label} a patient without relapse was free of it"
                draft.add(layout, {**rule, "date-format": dates["forms"], "missing": draft.missing(column)}, said, *dates["assumed"])
            elif is_counted(column):
                draft.use(layout, column, "last assessment, free of relapse", "days from the infusion")
                note_days(draft, layout, column, column)
                draft.happened("last assessment", layout, column)
                draft.facts["last-assessment"] = column.label
                rule = {"id": "free of relapse", "domain": "RS", "column": draft.ref(layout, column), "type": "text", "test": "RLPSFREE"}
                day = {"column": draft.ref(layout, column)}
                draft.add(
                    layout, {**rule, "set": {"RSEVAL": "INVESTIGATOR", "RSSTRESC": "Y"}, "day": day, "missing": draft.missing(column)}
                )
    if (
        draft.facts["level"] == "events"
        and not draft.facts.get("last-assessment")
        and draft.facts.get("last-contact")
        and draft.facts.get("relapse")
    ):
        contact = draft.facts["last-contact"]
        option = Option("yes", "yes: times end there", f"a responder without relapse was free of it on the date in {contact}")
        no = Option("no", "not known: no duration of response is derived")
        text = f"No column says until when responders were examined. Were those without relapse free of it on the date in {contact}?"
        if draft.answers.ask(Question("relapse-free", text, (option, no), "yes")) == "yes":
            draft.facts["relapse-free-until"] = True
            draft.assume(draft.answers.assumption("relapse-free"))
