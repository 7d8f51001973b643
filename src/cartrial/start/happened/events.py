"""What happened after the infusion? Relapse, transplant, new therapy, death, last contact, toxicity."""

from __future__ import annotations

from typing import Any

from cartrial.errors import InputError
from cartrial.sdtm.source import many
from cartrial.sdtm.vocabulary.terms import standard_term
from cartrial.start.ask import Option, Question
from cartrial.start.consistent import ask_unknown, days_of
from cartrial.start.draft import Draft, is_counted, is_dated, no_words
from cartrial.start.happened.autologous import read_autologous, read_kinds
from cartrial.start.happened.graded import read_graded
from cartrial.start.happened.timed import answers_of, columns_of, is_yes, timed_by
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.topics import is_prior
from cartrial.start.sheet.words import is_unknown_word, legend_of, plain, vital_of, yes_no

__all__ = ["read_events"]

_RELAPSED = standard_term("RELAPSED", "RSSTRESC")
_INTO = {"PR": "PR", "CM": "CM"}
_HAPPENED: dict[str, tuple[str, dict[str, str], str]] = {
    "transplant": ("PR", {"PRTRT": "ALLOGENEIC STEM CELL TRANSPLANT"}, "a transplant"),
    "therapy": ("CM", {"CMTRT": "NOT SPECIFIED", "CMCAT": "SUBSEQUENT ANTICANCER THERAPY"}, "a new anticancer therapy"),
    "relapse": ("RS", {"RSEVAL": "INVESTIGATOR", "RSSTRESC": _RELAPSED or ""}, "a relapse"),
}


def read_events(draft: Draft) -> None:
    """Read what happened after the infusion.

    Raises
    ------
    InputError
        If two columns contradict each other, or a cell cannot be read.
    """
    for layout in draft.layouts:
        for column in layout.columns:
            if column.topic in ("transplant", "autologous", "therapy", "relapse", "crs", "icans") and is_prior(column.path):
                draft.leave(layout, column, "of the time before the treatment")
    read_autologous(draft)
    for topic in _HAPPENED:
        _happened(draft, topic)
    if draft.facts.get("autologous") and draft.facts.get("therapy") is None:
        draft.facts["therapy"] = draft.facts["autologous"]
        draft.assume(f"the autologous transplants in {draft.facts['autologous']} are the only new anticancer therapies")
    _ends(draft)
    read_graded(draft)


def _happened(draft: Draft, topic: str) -> None:
    domain, fixed, what = _HAPPENED[topic]
    found = columns_of(draft, topic)
    timed = [(layout, column) for layout, column in found if is_dated(column) or is_counted(column)]
    flags = [(layout, column) for layout, column in found if (layout, column) not in timed and answers_of(column)]
    for layout, column in found:
        if (layout, column) not in timed + flags:
            draft.leave(layout, column, f"neither a date of {what} nor a yes or no")
    if len(timed) > 1:
        names = " and ".join(column.label for _, column in timed)
        raise InputError(f"{names} may both hold the date of {what}", file=timed[0][0].grid.file, right="Keep one of them in the sheet")
    if not timed and not flags:
        draft.facts[topic] = None
        for layout, column in found:
            _ask_left(draft, topic, layout, column, what)
        return
    layout, column = (timed or flags)[0]
    flag = next((one for other, one in flags if other is layout), None)
    for other, one in flags:
        if one is not flag:
            draft.leave(other, one, f"whether there was {what} is read from {(flag or column).label}")
    if not timed:
        _undated(draft, topic, layout, column)
        return
    _compare(draft, topic, layout, column, flag)
    time, assumed, how = timed_by(draft, layout, column)
    draft.facts[topic] = column.label
    unknown = ask_unknown(draft, layout, column, what, flag)
    empty = _empty(draft, topic, layout, column, flag)
    draft.happened(what.split(" ", 1)[1], layout, column)
    if topic == "relapse":
        draft.facts["relapsed"] = days_of(draft, layout, column)
    draft.use(layout, column, f"date of {what}" if "date" in time else f"day of {what}", how + "; empty: none")
    rule: dict[str, Any] = {"id": topic, "domain": domain, "column": draft.ref(layout, column)}
    if topic == "transplant":
        rule["when"] = read_kinds(draft, layout, column)
        assumed = [*assumed, *_allogeneic(draft, layout, column)]
    if domain == "RS":
        rule |= {"type": "text", "test": "OVRLRESP"}
    elif "date" in time:
        rule |= {"into": f"{domain}STDTC", "type": "date"}
    else:
        rule |= {"into": f"{domain}STDY", "type": "number"}
    draft.add(layout, {**rule, "set": fixed, **time, "missing": draft.missing(column)}, *assumed, unknown, empty)


def _allogeneic(draft: Draft, layout: Layout, column: Column) -> list[str]:
    """Return what is assumed of transplants whose kind no header and no column says."""
    words = plain(" ".join(other.header for other in layout.columns if other.topic == "transplant"))
    told = any(word in words for word in ("allo", "alo", "haplo", "donor", "异基因", "异体"))
    told = told or any(read.what == "kind of transplant" for read in draft.read)
    return [] if told else [f"the transplants in {column.label} are allogeneic"]


def _ask_left(draft: Draft, topic: str, layout: Layout, column: Column, what: str) -> None:
    """Ask whether a column may be left out that speaks of what decides a time, and cannot be read."""
    shown = column.filled[0].text
    draft.answers.ask(
        Question(
            f"leave-{topic}-{column.letter.lower()}",
            f"{column.label} speaks of {what} and holds neither dates nor yes and no ('{shown}'). May it be left out?",
            (Option("yes", "leave it out: it says of nobody whether and when it happened"),),
        )
    )


def _compare(draft: Draft, topic: str, layout: Layout, column: Column, flag: Column | None) -> None:
    """Refuse a yes without its date and a date beside a no."""
    if flag is None:
        return
    what = _HAPPENED[topic][2]
    dated = {cell.row for cell in column.filled if yes_no(cell.text) is not False or cell.number is not None}
    said = {cell.row: is_yes(flag, cell.text) for cell in flag.filled}
    subjects = layout.subjects()
    for row, yes in sorted(said.items()):
        if yes and row not in dated:
            problem = f"{layout.grid.lead}patient {subjects[row]} had {what} by {flag.label}, and {column.label} has no date of it"
            raise InputError(problem, **layout.grid.at(row), right="Write the date, or the month of it as YYYY-MM")
        if yes is False and row in dated:
            problem = (
                f"{layout.grid.lead}patient {subjects[row]} had no {what.split(' ', 1)[1]} by {flag.label}, and {column.label} has a date"
            )
            raise InputError(problem, **layout.grid.at(row), right="Correct one of the two cells")
    draft.use(layout, flag, f"whether there was {what}", "agrees with the dates")


def _empty(draft: Draft, topic: str, layout: Layout, column: Column, flag: Column | None) -> str:
    """Ask what an empty cell means; return what is assumed."""
    what, subjects = _HAPPENED[topic][2], layout.subjects()
    beside = flag or column
    answered = {subjects[cell.row] for cell in (*beside.filled, *column.cells) if cell in beside.filled or is_unknown_word(cell.text)}
    blank = [name for name in dict.fromkeys(subjects.values()) if name not in answered]
    explicit = any(is_yes(flag, cell.text) is False for cell in flag.filled) if flag else bool(no_words(column))
    if not blank:
        return ""
    some = f"{', '.join(blank[:4])}{' ...' if len(blank) > 4 else ''}"
    text = f"{len(blank)} of {len(set(subjects.values()))} patients have an empty cell in {beside.label} ({some})"
    text += ", and others say no. " if explicit else ". "
    option = Option(
        "none", f"they had no {what.split(' ', 1)[1]}", f"an empty cell in {beside.label} means that there was no {what.split(' ', 1)[1]}"
    )
    key = f"empty-{topic}"
    draft.answers.ask(Question(key, f"{text}What does it mean?", (option,), None if explicit else "none"))
    return draft.answers.assumption(key)


def _undated(draft: Draft, topic: str, layout: Layout, flag: Column) -> None:
    """Take a yes without any date: an event whose day is not known would be lost from every time."""
    what, subjects = _HAPPENED[topic][2], layout.subjects()
    happened = [subjects[cell.row] for cell in flag.filled if is_yes(flag, cell.text)]
    if happened:
        count = many(len(happened), "patient")
        problem = f"{layout.grid.lead}{count} had {what} by {flag.label} ({', '.join(happened[:4])}), and no column says when"
        right = "Add a column with its date: it decides what counts before and after it"
        raise InputError(problem, file=layout.grid.file, right=right)
    draft.facts[topic] = flag.label
    unknown = ask_unknown(draft, layout, flag, what)
    empty = _empty(draft, topic, layout, flag, flag)
    draft.use(layout, flag, f"whether there was {what}", "no in every cell")
    domain, fixed, _ = _HAPPENED[topic]
    if domain in ("PR", "CM"):
        said = dict.fromkeys((cell.text for cell in flag.filled), "N")
        rule = {"id": topic, "domain": domain, "column": draft.ref(layout, flag), "into": f"{domain}OCCUR", "map": said, "set": fixed}
        draft.add(layout, {**rule, "missing": draft.missing(flag)}, unknown, empty)


def _ends(draft: Draft) -> None:
    """Read death and last contact, each from its own column or both from one."""
    deaths = [(layout, column) for layout, column in columns_of(draft, "death") if is_dated(column) or is_counted(column)]
    for layout, column in columns_of(draft, "death"):
        if (layout, column) not in deaths and _dead(column) is None:
            draft.leave(layout, column, "neither a date nor a yes or no")
            if not deaths:
                _ask_left(draft, "death", layout, column, "a death")
    contacts = [(layout, column) for layout, column in columns_of(draft, "last-contact") if is_dated(column) or is_counted(column)]
    both = [(layout, column) for layout, column in columns_of(draft, "end-date") if is_dated(column) or is_counted(column)]
    status = [
        (layout, column, dead)
        for topic in ("vital", "death")
        for layout, column in columns_of(draft, topic)
        if (dead := _dead(column)) is not None and not is_dated(column)
    ]
    for group, what in ((deaths, "date of death"), (contacts, "date of last contact"), (both, "date of death or last contact")):
        if len(group) > 1:
            names = " and ".join(column.label for _, column in group)
            raise InputError(f"{names} may both hold the {what}", file=group[0][0].grid.file, right="Keep one of them in the sheet")
    for layout, column in columns_of(draft, "vital"):
        if _dead(column) is None and not is_dated(column):
            draft.leave(layout, column, "its words or codes do not say who is alive and who has died")
            if not deaths and not status:
                _ask_left(draft, "death", layout, column, "who is alive")
    if deaths:
        _death(draft, *deaths[0], status[0] if status and status[0][0] is deaths[0][0] else None)
        if contacts:
            _contact(draft, *contacts[0], None)
    elif status and (both or contacts):
        _one_column(draft, status[0], (both or contacts)[0], named=bool(both))
    elif contacts and not status:
        _contact(draft, *contacts[0], None)
    elif both:
        layout, column = both[0]
        what = f"{layout.grid.lead}{column.label} holds deaths and last contacts, and no column says who has died"
        what += "".join(f"; {beside.label} does not by words that are known" for _, beside in columns_of(draft, "vital")[:1])
        raise InputError(what, file=layout.grid.file, right="Add a column with alive or dead")
    elif status and any(status[0][2].values()):
        layout, column, _ = status[0]
        what = f"{layout.grid.lead}patients have died by {column.label}, and no column says when"
        raise InputError(what, file=layout.grid.file, right="Add a column with the date of death")
    if not (contacts or both):
        draft.facts["last-contact"] = None
        for layout, column in columns_of(draft, "last-contact") if draft.facts.get("death") else ():
            draft.leave(layout, column, "neither dates nor days from the infusion")
            text = f"{column.label} speaks of the follow-up and holds neither dates nor days ('{column.filled[0].text}'): patients alive "
            option = Option("yes", "leave it out; better write the date of last contact, or days")
            key = f"leave-contact-{column.letter.lower()}"
            draft.answers.ask(Question(key, f"{text}would count until their last assessment alone. May it be left out?", (option,)))


def _dead(column: Column) -> dict[str, bool] | None:
    """Return by word whether it says that the patient is dead; None where a word says neither."""
    legend = legend_of(column.header)
    said: dict[str, bool] = {}
    for cell in column.filled:
        dead = vital_of(legend.get(cell.text, cell.text))
        if dead is None and column.topic == "death":
            dead = yes_no(legend.get(cell.text, cell.text))
        if dead is None and column.topic == "vital" and plain(column.header) in ("alive", "living", "lebt", "lebend", "存活", "是否存活"):
            alive = yes_no(cell.text)
            dead = None if alive is None else not alive
        if dead is None:
            return None
        said[cell.text] = dead
    return said or None


def _death(draft: Draft, layout: Layout, column: Column, status: tuple[Layout, Column, dict[str, bool]] | None) -> None:
    dated = {cell.row for cell in column.filled if yes_no(cell.text) is not False or cell.number is not None}
    subjects = layout.subjects()
    if status is not None:
        _, flag, dead = status
        for cell in flag.filled:
            if dead[cell.text] != (cell.row in dated):
                right = "Correct one of the two cells"
                says = "has died" if dead[cell.text] else "is alive"
                what = f"{layout.grid.lead}patient {subjects[cell.row]} {says} by {flag.label}, and {column.label} " + (
                    "has no date of death" if dead[cell.text] else "has a date of death"
                )
                raise InputError(what, **layout.grid.at(cell.row), right=right)
        draft.use(layout, flag, "alive or dead", "agrees with the dates of death")
    time, assumed, how = timed_by(draft, layout, column)
    draft.use(layout, column, "date of death" if "date" in time else "day of death", how + "; empty: alive")
    draft.happened("death", layout, column)
    rule: dict[str, Any] = {"id": "death", "domain": "DM", "column": draft.ref(layout, column), "set": {"DTHFL": "Y"}}
    rule |= (
        {"into": "DTHDTC", "type": "date", "date-format": time["date-format"]} if "date" in time else {"into": "DTHDY", "type": "number"}
    )
    unknown = ask_unknown(draft, layout, column, "a death", status[1] if status else None)
    alive = "" if status else f"a patient without a date in {column.label} has not died"
    draft.add(layout, {**rule, "missing": draft.missing(column)}, *assumed, unknown, alive)
    draft.facts["death"] = column.label


def _contact(draft: Draft, layout: Layout, column: Column, when: dict[str, Any] | None, what: str = "last known alive") -> None:
    time, assumed, how = timed_by(draft, layout, column)
    draft.use(layout, column, what, how)
    draft.happened("last contact", layout, column)
    draft.facts["last-contact"] = column.label
    rule: dict[str, Any] = {"id": "last contact", "domain": "SS", "column": draft.ref(layout, column), "type": "text", "test": "SURVSTAT"}
    draft.add(layout, {**rule, "set": {"SSSTRESC": "ALIVE"}, "when": when, **time, "missing": draft.missing(column)}, *assumed)


def _one_column(draft: Draft, status: tuple[Layout, Column, dict[str, bool]], ends: tuple[Layout, Column], *, named: bool) -> None:
    """Read one column of dates as that of death of those who died, and of last contact of the others."""
    layout, column = ends
    _, flag, dead = status
    if status[0] is not layout:
        what = f"{flag.label} and {column.label} stand in two sheets"
        raise InputError(what, file=layout.grid.file, right="Put alive or dead and its date into one sheet")
    words = [word for word, gone in dead.items() if gone]
    if words and not named:
        option = Option("yes", "of those who died it is the date of death", f"of those who died {column.label} is the date of death")
        draft.answers.ask(
            Question("death-date", f"No column is called date of death. Is {column.label} that date for those who died?", (option,))
        )
    subjects, given = layout.subjects(), {cell.row for cell in column.filled}
    for cell in flag.filled:
        if dead[cell.text] and cell.row not in given:
            what = f"{layout.grid.lead}patient {subjects[cell.row]} has died by {flag.label}, and {column.label} is empty"
            raise InputError(what, **layout.grid.at(cell.row), right="Write the date of death")
    unsaid = [subjects[row] for row in sorted(given) if row not in {cell.row for cell in flag.filled}]
    if unsaid:
        what = f"{layout.grid.lead}{flag.label} does not say whether {', '.join(unsaid[:4])} died"
        raise InputError(what, file=layout.grid.file, right="Write alive or dead for every patient")
    draft.use(layout, flag, "alive or dead", ", ".join(f"{word} = {'dead' if gone else 'alive'}" for word, gone in dead.items()))
    time, assumed, _ = timed_by(draft, layout, column)
    if words:
        rule: dict[str, Any] = {"id": "death", "domain": "DM", "column": draft.ref(layout, column), "set": {"DTHFL": "Y"}}
        rule |= (
            {"into": "DTHDTC", "type": "date", "date-format": time["date-format"]}
            if "date" in time
            else {"into": "DTHDY", "type": "number"}
        )
        when = {"column": draft.ref(layout, flag), "is": words}
        draft.add(layout, {**rule, "when": when, "missing": draft.missing(column)}, *assumed)
    draft.facts["death"] = column.label
    alive = [word for word, gone in dead.items() if not gone] or ["alive"]
    what = "date of death of those who died, last known alive of the others" if words else "last known alive"
    _contact(draft, layout, column, {"column": draft.ref(layout, flag), "is": alive}, what)
