"""Which transplants of a sheet are not allogeneic, and as what do they count? None of them is the transplant of an endpoint."""

from __future__ import annotations

import re
from typing import Any

from cartrial.errors import InputError
from cartrial.start.ask import Option, Question
from cartrial.start.consistent import ask_unknown, days_of, infused_on
from cartrial.start.draft import Draft, is_counted, is_dated
from cartrial.start.happened.timed import answers_of, columns_of, is_yes, timed_by
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.words import plain

__all__ = ["read_autologous", "read_kinds"]

_AUTOLOGOUS = re.compile(r"\bauto|自体|自家|\bas[cz]t\b")
_ALLOGENEIC = re.compile(
    r"\ballo|haplo|\bm?mud\b|\bmmrd\b|\bmrd\b|\bmsd\b|sibling|related|\bcord\b|\bucb|donor|spender|matched|geschwister|"
    r"异基因|异体|单倍|全相合|脐血|脐带血|同胞|无关"
)
_AS_THERAPY = {"CMTRT": "AUTOLOGOUS STEM CELL TRANSPLANT", "CMCAT": "SUBSEQUENT ANTICANCER THERAPY"}


def read_autologous(draft: Draft) -> None:
    """Read columns of autologous transplants: as what one after the infusion counts is asked, and one before it is left.

    Raises
    ------
    InputError
        If a date cannot be read, or some transplants were before the infusion and others after it.
    """
    for layout, column in columns_of(draft, "autologous"):
        if is_dated(column) or is_counted(column):
            _dated(draft, layout, column, None, column.label)
        elif answers_of(column) and not any(is_yes(column, cell.text) for cell in column.filled):
            draft.use(layout, column, "autologous transplant", "no in every cell")
        else:
            said = f"autologous transplants in {column.label} were before the treatment, since no column says when"
            text = f"{column.label} speaks of autologous transplants, and no column says when. Were they before the treatment?"
            option = Option("before", "yes; if not, add a column with their dates", said)
            draft.answers.ask(Question(f"autologous-{column.letter.lower()}", text, (option,), "before"))
            draft.leave(layout, column, "of the time before the treatment")
            draft.assume(draft.answers.assumption(f"autologous-{column.letter.lower()}"))


def read_kinds(draft: Draft, layout: Layout, column: Column) -> dict[str, Any]:
    """Return the condition by which a date of a transplant is that of an allogeneic one, where a column beside it tells the kind.

    Raises
    ------
    InputError
        If a transplant has no kind although others have, or a kind is not known.
    """
    kinds = [
        other
        for other in layout.columns
        if other is not column
        and other.topic in ("transplant", "autologous")
        and other.filled
        and any(_kind(cell.text) for cell in other.filled)
    ]
    if not kinds:
        return {}
    if is_dated(column):
        # the forms of its dates are those of the whole column, not of the part that is read here
        draft.dates(layout, column)
    kind, subjects = kinds[0], layout.subjects()
    said = {cell.row: cell.text for cell in kind.filled}
    autologous = [text for text in dict.fromkeys(said.values()) if _kind(text) == "autologous"]
    draft.use(
        layout, kind, "kind of transplant", ", ".join(f"{text} = {_kind(text)}" for text in dict.fromkeys(said.values()) if _kind(text))
    )
    if not autologous:
        return {}
    for cell in column.filled:
        if _kind(said.get(cell.row, "")) is None:
            what = f"{layout.grid.lead}{kind.label} does not say of which kind the transplant of patient {subjects[cell.row]} was"
            raise InputError(what, **layout.grid.at(cell.row), right="Write allogeneic or autologous")
    rows = {row for row, text in said.items() if text in autologous}
    part = Column(column.number, column.path, [cell for cell in column.cells if cell.row in rows], column.topic, column.unit)
    if part.filled:
        _dated(draft, layout, part, {"column": draft.ref(layout, kind), "is": autologous}, f"{kind.label} and {column.label}")
    others = [text for text in dict.fromkeys(said.values()) if text not in autologous]
    return {"column": draft.ref(layout, kind), "is": others or ["allogeneic"]}


def _kind(text: str) -> str | None:
    """Return of which kind a transplant is by a word; of one that speaks of both the allogeneic one counts, which follows the other."""
    word = plain(text)
    return "allogeneic" if _ALLOGENEIC.search(word) else "autologous" if _AUTOLOGOUS.search(word) else None


def _dated(draft: Draft, layout: Layout, column: Column, when: dict[str, Any] | None, label: str) -> None:
    """Read dates of autologous transplants as what the answer says."""
    infused, days = infused_on(draft), days_of(draft, layout, column)
    late = [name for name, day in days.items() if name not in infused or day >= infused[name]]
    if not late:
        draft.leave(layout, column, "autologous transplants, all before the treatment")
        return
    names = ", ".join(late[:4]) + (" ..." if len(late) > 4 else "")
    options = (
        Option("therapy", "a new anticancer therapy on its date"),
        Option("allogeneic", "they were allogeneic: a transplant"),
        Option("nothing", "nothing: responses and times go on"),
    )
    text = f"By {label} there was an autologous transplant after the infusion ({names}), which is not the transplant of an endpoint"
    key = f"autologous-{column.letter.lower()}"
    word = draft.answers.ask(Question(key, f"{text}. As what does it count?", options))
    if word == "allogeneic" and when is None:
        column.topic = "transplant"
        return
    if word == "nothing":
        draft.assume(f"an autologous transplant in {label} changes no endpoint")
        draft.leave(layout, column, "autologous transplants change no endpoint by your answer")
        return
    time, assumed, how = timed_by(draft, layout, column)
    draft.happened("autologous transplant", layout, column)
    rule: dict[str, Any] = {"id": "autologous transplant", "column": draft.ref(layout, column), "when": when}
    if word == "allogeneic":
        rule |= {"domain": "PR", "set": {"PRTRT": "ALLOGENEIC STEM CELL TRANSPLANT"}}
    else:
        rule |= {"domain": "CM", "set": _AS_THERAPY}
        draft.facts["autologous"] = label
    rule |= {"into": f"{rule['domain']}STDTC", "type": "date"} if "date" in time else {"into": f"{rule['domain']}STDY", "type": "number"}
    draft.use(layout, column, f"autologous transplant: counts as {'a new therapy' if word == 'therapy' else 'a transplant'}", how)
    draft.add(
        layout, {**rule, **time, "missing": draft.missing(column)}, *assumed, ask_unknown(draft, layout, column, "an autologous transplant")
    )
