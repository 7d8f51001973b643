"""Which grade had a toxicity, and when did it begin?"""

from __future__ import annotations

import re
from typing import Any

from cartrial.sdtm.vocabulary.terms import standard_term
from cartrial.start.ask import Option, Question, key_of_word
from cartrial.start.draft import Draft, is_counted, is_dated
from cartrial.start.happened.timed import answers_of, columns_of, is_yes, timed_by
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.words import plain

__all__ = ["read_graded"]

_GRADED = {
    "crs": ("CYTOKINE RELEASE SYNDROME", "cytokine release syndrome"),
    "icans": ("IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME", "neurotoxicity"),
}
# a text that speaks of grades without being one: 2-3, grade 2 or 3, >= 3
_SPOKEN = re.compile(r"(?<!\d)[0-5](?!\d)|\b(grade?|G)\b|级", re.IGNORECASE)


def read_graded(draft: Draft) -> None:
    """Read the toxicities that have a grade.

    Raises
    ------
    InputError
        If a date cannot be read.
    """
    for topic in _GRADED:
        _graded(draft, topic)


def _graded(draft: Draft, topic: str) -> None:
    """Read the highest grade of a toxicity and its onset, or whether it occurred."""
    decoded, what = _GRADED[topic]
    found = columns_of(draft, topic)
    onsets = [(layout, column) for layout, column in found if (is_dated(column) or is_counted(column)) and not _ended(column)]
    grades = [(layout, column) for layout, column in found if (layout, column) not in onsets and _is_graded(column)]
    flags = [(layout, column) for layout, column in found if (layout, column) not in onsets + grades and answers_of(column)]
    for layout, column in found:
        if (layout, column) not in onsets[:1] + (grades or flags)[:1]:
            draft.leave(layout, column, f"neither the grade nor the onset of {what}, or another column has it")
    draft.facts[topic] = bool(grades or flags)
    for layout, column in (grades or flags)[:1]:
        onset = next((one for other, one in onsets if other is layout), None)
        time, assumed, how = timed_by(draft, layout, onset) if onset else ({}, [], "")
        if onset:
            draft.use(layout, onset, f"onset of {what}", how)
            draft.happened(f"onset of {what}", layout, onset)
        rule: dict[str, Any] = {"id": what, "domain": "AE", "column": draft.ref(layout, column)}
        if grades:
            said = _asked(draft, layout, column, what)
            rule |= {"into": "AETOXGR", "map": said} if said else {"into": "AETOXGR", "only": ["1", "2", "3", "4", "5"]}
            rule |= {"set": {"AEDECOD": decoded}}
            draft.use(layout, column, f"highest grade of {what}", "0: none; empty: not known")
            scale = f"the grades of {what} in {column.label} are those of ASTCT"
        else:
            yes = list(dict.fromkeys(cell.text for cell in column.filled if is_yes(column, cell.text)))
            rule |= {"only": yes, "set": {"AETERM": what, "AEDECOD": decoded}}
            draft.use(layout, column, f"whether there was {what}", "no grade")
            scale = f"an empty cell in {column.label} means no {what}" if len(column.filled) < len(layout.rows) else ""
            if not yes:
                continue
        draft.add(layout, {**rule, **time, "missing": draft.missing(column, onset)}, scale, *assumed)


def _ended(column: Column) -> bool:
    words = plain(column.header)
    return any(word in words for word in ("end", "resol", "durat", "dauer", "结束", "持续", "缓解"))


def _is_graded(column: Column) -> bool:
    """Say whether most cells of a column are grades; the others are asked for."""
    words = {cell.text for cell in column.filled}
    # a column of 0 and 1 alone under a header without the word for a grade may say no and yes
    if words <= {"0", "1"} and not any(word in plain(column.header) for word in ("grad", "级", "级别", "max")):
        return False
    known = [_grade(cell.text) is not None or bool(_SPOKEN.search(cell.text)) for cell in column.filled]
    return sum(known) > 0.5 * len(known) and any(re.search(r"[1-5]|[IViv]", word) for word in words)


def _grade(text: str) -> str | None:
    return standard_term(text, "AETOXGR")


def _asked(draft: Draft, layout: Layout, column: Column, what: str) -> dict[str, Any]:
    """Ask for the grade of what is none (*2-3*); return what each word of the column says, nothing where all are grades."""
    words = {cell.text: cell for cell in column.filled}
    odd = [cell for text, cell in words.items() if _grade(text) is None]
    said: dict[str, Any] = {text: grade if (grade := _grade(text)) != "0" else None for text in words} if odd else {}
    for cell in odd:
        places = [layout.grid.place(column.number, one.row) for one in column.filled if one.text == cell.text]
        question = Question(
            key_of_word(plain(cell.text), places[0]).replace("word", f"grade-{column.letter.lower()}", 1),
            f"'{cell.text}' in cell {', '.join(places[:5])} of {column.label} is no grade from 0 to 5. Which one counts?",
            (
                *(Option(grade, f"grade {grade}") for grade in "12345"),
                Option("none", f"there was no {what}"),
                Option("unknown", f"there was {what}, and its grade is not known"),
            ),
        )
        word = draft.answers.ask(question)
        said[cell.text] = None if word == "none" else {"AETERM": what.upper()} if word == "unknown" else word
    return said
