"""Which responses does a sheet hold, of which visit, and when were they seen?"""

from __future__ import annotations

from typing import Any

from cartrial.errors import InputError
from cartrial.sdtm.source import many
from cartrial.sdtm.vocabulary.terms import standard_term
from cartrial.start.ask import Option, Question, key_of_word
from cartrial.start.consistent import NO_DATE, infused_on, note_days
from cartrial.start.draft import Draft, is_counted, is_dated
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.topics import is_best, is_first, is_prior, visit_of
from cartrial.start.sheet.words import legend_of, plain, response_of, yes_no
from cartrial.start.times import Time, row_times, time_beside

__all__ = ["read_responses"]

_CENTRAL = ("irc", "central", "independent", "zentral", "独立", "中心评")
# days after a visit within which a dated relapse is the one that was seen at it
_NEAR = 31
_STATUSES = {word.lower(): standard_term(word, "RSSTRESC") or word for word in ("CR", "CRI", "PR", "SD", "NR", "PD", "NE")}


def _columns(draft: Draft, *topics: str | None) -> list[tuple[Layout, Column]]:
    return [
        (layout, column)
        for layout in draft.layouts
        for column in layout.columns
        if column.topic in topics and column.filled and column is not layout.key
    ]


def read_responses(draft: Draft) -> None:
    """Read every column of responses.

    Raises
    ------
    InputError
        If a response has no day although its column has days, or a word is no response.
    """
    calls: list[tuple[Layout, Column]] = []
    told = [(layout, column) for layout, column in _columns(draft, None) if _is_visit_of_words(column)]
    for layout, column in [*_columns(draft, "response", "vital"), *told]:
        if is_dated(column) or is_counted(column):
            continue
        known = [response_of(_meant(column, cell.text)) for cell in column.filled]
        if is_prior(column.path) and not is_best(column.path):
            draft.leave(layout, column, "of the time before the treatment")
        elif (
            # of a column that speaks of responses some words are enough: the others are asked
            sum(said is not None for said in known) >= (0.25 if column.topic == "response" else 0.5) * len(known)
            or (column.topic == "response" and all(yes_no(cell.text) is not None for cell in column.filled) and _plainly_cr(column))
            or (column.topic == "response" and all(cell.text.isdigit() and int(cell.text) < 10 for cell in column.filled))
        ):
            calls.append((layout, column))
        elif column.topic == "response":
            draft.leave(
                layout,
                column,
                "its words or codes are no responses that are known (CR, CRi, PR, SD, NR, PD); a header may say 1 = CR, 2 = NR",
            )
    best = [(layout, column) for layout, column in calls if not layout.long and visit_of(column.path) is None]
    by_visit = [(layout, column) for layout, column in calls if layout.long or visit_of(column.path) is not None]
    if by_visit:
        draft.facts["level"] = "records"
        for layout, column in best:
            draft.leave(layout, column, "the best response is derived from those by visit")
        for layout, column in by_visit:
            _by_visit(draft, layout, column)
    elif best:
        draft.facts["level"] = "events"
        _best(draft, best)
    else:
        draft.facts["level"] = "records"
        draft.facts["no-calls"] = True
    draft.facts["reader"] = "IRC" if calls and all(_is_central(column) for _, column in by_visit or best) else "INV"


def _is_visit_of_words(column: Column) -> bool:
    """Say whether a header names a visit and nothing else that is known (*D+28*), and the cells are responses."""
    return visit_of(column.path) is not None and all(response_of(cell.text) for cell in column.filled)


def _plainly_cr(column: Column) -> bool:
    return "cr" in plain(column.path[-1]).replace("/", " ").split() or "完全缓解" in column.header


def _is_central(column: Column) -> bool:
    return any(word in plain(column.header) for word in _CENTRAL)


def _meant(column: Column, text: str) -> str:
    """Return what a cell means: as the legend of its header says, or CR and NR of a column that says whether there was a CR."""
    meant = legend_of(column.header).get(text, text)
    if _plainly_cr(column) and all(yes_no(cell.text) is not None for cell in column.filled):
        return "CR" if yes_no(meant) else "NR"
    return meant


def _mapped(draft: Draft, layout: Layout, column: Column) -> tuple[dict[str, Any], list[str]]:
    """Return the status of each word of a column, and what is assumed of the words."""
    said: dict[str, Any] = {}
    assumed: list[str] = []
    for cell in column.filled:
        text = cell.text
        if text in said:
            continue
        found = response_of(_meant(column, text))
        if found is None and set(plain(text).replace("/", " ").replace("+", " ").split()) == {"cr", "cri"}:
            said[text] = _STATUSES["cri"]
            assumed.append(f"'{text}' in {column.label} is read as CRi, so that no rate of CR alone can be told")
            draft.facts["lumped"] = True
        elif found is None:
            options = tuple(Option(word, f"it is {status}") for word, status in _STATUSES.items())
            key = key_of_word(plain(text), layout.grid.place(column.number, cell.row))
            question = Question(key, f"'{text}' in {column.label} is no response that is known. Which is it?", options)
            said[text] = _STATUSES[draft.answers.ask(question)]
        else:
            said[text] = found[0]
    flagged = any(yes_no(cell.text) is not None and response_of(cell.text) is None for cell in column.filled)
    if column.topic == "response" and flagged and not legend_of(column.header):
        assumed.append(f"yes in {column.label} is CR and no is NR")
    return said, assumed


def _rule(draft: Draft, layout: Layout, column: Column, time: Time, **more: Any) -> None:
    said, assumed = _mapped(draft, layout, column)
    draft.facts.setdefault("statuses", set()).update(said.values())
    assumed += _leave_dated(draft, layout, column, time, said)
    evaluator = "INDEPENDENT ASSESSOR" if _is_central(column) else "INVESTIGATOR"
    reader, also = _reader(draft, layout)
    if not reader and evaluator == "INVESTIGATOR" and not any(word in plain(column.header) for word in ("inv", "local", "研究者")):
        assumed.append("responses are those of the investigator")
    rule: dict[str, Any] = {"id": more.pop("id"), "domain": "RS", "column": draft.ref(layout, column), "test": "OVRLRESP", **more}
    told = {text: status or "dated in the column of relapses" for text, status in list(said.items())[:8]}
    shown = ", ".join(f"{text} = {words}" for text, words in told.items() if text != words)
    draft.use(layout, column, f"response{time.how and ', ' + time.how}", shown, assumed=bool(assumed))
    missing = draft.missing(column, *time.columns)
    filled = {"map": said, "set": {"RSEVAL": evaluator}, "also": also, "missing": missing}
    draft.add(layout, {**rule, **filled, **time.rule}, *assumed, *time.assumed)
    _mrd_within(draft, layout, column, time, {key: value for key, value in more.items() if key in ("visit", "when")})


def _leave_dated(draft: Draft, layout: Layout, column: Column, time: Time, said: dict[str, Any]) -> list[str]:
    """Leave the words of a relapse at a nominal day to the column that has its date, where all whom they are said of stand in it.

    Returns what is assumed.
    """
    infused, dated = infused_on(draft), draft.facts.get("relapsed", {})
    nominal, subjects = time.rule.get("day"), layout.subjects()
    assumed: list[str] = []
    if not isinstance(nominal, int) or not dated:
        return assumed
    for text, status in list(said.items()):
        if status not in (_STATUSES["pd"], standard_term("RELAPSED", "RSSTRESC")):
            continue
        who = [subjects[cell.row] for cell in column.filled if cell.text == text]
        days = [(dated[name] - infused.get(name, NO_DATE)).days for name in who if name in dated]
        if len(days) == len(who) and all(day <= nominal + _NEAR for day in days):
            said[text] = None
            assumed.append(f"'{text}' in {column.label} is the relapse that has its date in another column")
    return assumed


def _reader(draft: Draft, layout: Layout) -> tuple[Column | None, dict[str, Any]]:
    """Return the column that says who read, where each of its words is known."""
    for column in layout.columns:
        if column.topic == "reader" and column.filled:
            terms = {cell.text: standard_term(cell.text, "RSEVAL") for cell in column.filled}
            if None in terms.values():
                draft.leave(layout, column, "its words do not say whether investigator or independent committee")
            else:
                draft.use(layout, column, "who read the response", ", ".join(f"{text} = {term}" for text, term in terms.items()))
                return column, {"RSEVAL": {"column": draft.ref(layout, column), "map": terms}}
    return None, {}


def _mrd_within(draft: Draft, layout: Layout, column: Column, time: Time, more: dict[str, Any]) -> None:
    """Read what a response says of residual disease (CR MRD-) as a result."""
    said = {cell.text: found[1] for cell in column.filled if (found := response_of(_meant(column, cell.text))) and found[1]}
    if not said:
        return
    every = {cell.text: said.get(cell.text) for cell in column.filled}
    draft.facts.setdefault("mrd-words", []).append((layout, column, every, time, more))


def _by_visit(draft: Draft, layout: Layout, column: Column) -> None:
    visit = visit_of(column.path)
    if layout.long and visit is None:
        for time, when in row_times(draft, layout):
            _rule(draft, layout, column, time, id="response", when=when)
        return
    assert visit is not None
    time = time_beside(draft, layout, column)
    _refuse_undated(draft, layout, column, time)
    draft.facts.setdefault("visits", {})[visit[0]] = visit[1]
    _rule(draft, layout, column, time, id=f"response {visit[0]}", visit=visit[0].upper())


def _refuse_undated(draft: Draft, layout: Layout, column: Column, time: Time) -> None:
    """Refuse a response without a date in a column of dates: it would count as none."""
    if not time.columns:
        return
    dated, subjects = {cell.row for beside in time.columns for cell in beside.filled}, layout.subjects()
    lacking = [
        cell
        for cell in column.filled
        if cell.row not in dated and (found := response_of(_meant(column, cell.text))) and found[0] not in ("NE", "NR", "SD")
    ]
    if lacking:
        names = ", ".join(f"{subjects[cell.row]} (row {layout.grid.at(cell.row)['row']})" for cell in lacking[:5])
        what = f"{layout.grid.lead}{column.label} has a response and {time.columns[0].label} no date of it: {names}"
        raise InputError(what, **layout.grid.at(lacking[0].row), right="Write the date; a response without one cannot count")


def _best(draft: Draft, found: list[tuple[Layout, Column]]) -> None:
    """Read best responses, one a patient."""
    first = [(layout, column) for layout, column in found if is_first(column.path) and not is_best(column.path)]
    named = [(layout, column) for layout, column in found if is_best(column.path)]
    chosen = named or [pair for pair in found if pair not in first] or found
    if len(chosen) > 1:
        options = tuple(Option(column.letter.lower(), column.header) for _, column in chosen)
        word = draft.answers.ask(
            Question("best-response", "Several columns hold a response. Which is the best response to the infusion?", options)
        )
        chosen = [pair for pair in chosen if pair[1].letter.lower() == word] or chosen[:1]
    layout, column = chosen[0]
    for other, beside in found:
        if beside is not column and (other, beside) not in first[:1]:
            draft.leave(other, beside, f"the best response is read from {column.label}")
    assumed: tuple[str, ...] = ()
    if not named:
        option = Option("best", "it is the best response", f"the response in {column.label} is the best one")
        draft.answers.ask(
            Question("which-response", f"{column.label} does not say which response it holds. Is it the best one?", (option,), "best")
        )
        assumed = (draft.answers.assumption("which-response"),)
    time = _time_of_best(draft, layout, column)
    _refuse_undated(draft, layout, column, time)
    draft.facts["best"] = (layout, column, time)
    met = {cell.row for cell in column.filled if (one := response_of(_meant(column, cell.text))) and one[0].startswith(("CR", "PR"))}
    draft.facts["responders"] = {name for row, name in layout.subjects().items() if row in met}
    subjects, given = layout.subjects(), {cell.row for cell in column.filled}
    if none := [name for row, name in subjects.items() if row not in given]:
        names = ", ".join(none[:5]) + (" ..." if len(none) > 5 else "")
        assumed += (f"{many(len(none), 'patient')} without a response in {column.label} ({names}): no response, if infused",)
    for other, beside in first[:1]:
        if beside is not column and other is layout:
            when = time_beside(draft, other, beside, topics=("response", "date"))
            if when.columns and is_first(when.columns[0].path):
                _rule(draft, other, beside, when, id="first response")
            else:
                draft.leave(other, beside, "the first response has no date of its own")
    _rule(draft, layout, column, Time(time.rule, (*assumed, *time.assumed), time.how, time.columns), id="best response")


def _time_of_best(draft: Draft, layout: Layout, column: Column) -> Time:
    dates = [
        other
        for other in layout.columns
        if other.topic in ("response", "date") and (is_dated(other) or is_counted(other)) and not is_prior(other.path)
    ]
    dates = [other for other in dates if is_best(other.path)] or [other for other in dates if not is_first(other.path)] or dates
    if len(dates) > 1:
        names = " and ".join(other.label for other in dates)
        raise InputError(
            f"{names} may both hold the date of the best response",
            file=layout.grid.file,
            right="Keep one of them, or name it 'best response date'",
        )
    if dates:
        near = dates[0]
        if is_counted(near):
            draft.use(layout, near, "day of the best response", "days from the infusion")
            note_days(draft, layout, column, near)
            draft.happened("best response", layout, near)
            return Time({"day": {"column": draft.ref(layout, near)}}, (), "best", (near,))
        told = draft.dates(layout, near)
        draft.use(layout, near, "date of the best response", told["how"])
        draft.happened("best response", layout, near)
        said = f"{near.label} is the date of the best response" if is_first(near.path) else ""
        return Time(
            {"date": draft.ref(layout, near), "date-format": told["forms"]}, (*told["assumed"], *([said] if said else [])), "best", (near,)
        )
    option = Option(
        "day-28", "take day 28", "the best response was seen on day 28, since the sheet gives no date of it; no time counts from it"
    )
    draft.answers.ask(
        Question(
            "response-date", f"No column holds the date of the response in {column.label}. On which day was it seen?", (option,), "day-28"
        )
    )
    draft.facts["undated"] = True
    note_days(draft, layout, column, 28)
    return Time({"day": 28}, (draft.answers.assumption("response-date"),), "best")
