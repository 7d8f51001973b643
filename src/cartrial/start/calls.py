"""Which responses does a sheet hold, of which visit, and when were they seen?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cartrial.errors import InputError
from cartrial.sdtm.source import many
from cartrial.sdtm.vocabulary.terms import standard_term
from cartrial.start.ask import Option, Question, key_of_word
from cartrial.start.consistent import note_days
from cartrial.start.draft import Draft, is_counted, is_dated
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.topics import is_best, is_first, is_prior, of_visit, visit_of
from cartrial.start.sheet.words import legend_of, plain, response_of, yes_no

__all__ = ["Time", "read_responses", "row_times", "time_beside"]

_CENTRAL = ("irc", "central", "independent", "zentral", "独立", "中心评")
# words by which the date of what was done is told from that of a report
_TAKEN = ("sample", "collect", "assess", "visit", "exam", "bm ", "marrow", "scan", "采样", "检查", "访视", "评估", "untersuch", "entnahme")
_STATUSES = {word.lower(): standard_term(word, "RSSTRESC") or word for word in ("CR", "CRI", "PR", "SD", "NR", "PD", "NE")}


@dataclass(frozen=True)
class Time:
    """When something in a column was seen: what a rule says of it, what is assumed, and how it is told."""

    rule: dict[str, Any] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    how: str = ""
    columns: tuple[Column, ...] = ()


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
            sum(said is not None for said in known) >= 0.5 * len(known)
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
    evaluator = "INDEPENDENT ASSESSOR" if _is_central(column) else "INVESTIGATOR"
    reader, also = _reader(draft, layout)
    if not reader and evaluator == "INVESTIGATOR" and not any(word in plain(column.header) for word in ("inv", "local", "研究者")):
        assumed.append("responses are those of the investigator")
    rule: dict[str, Any] = {"id": more.pop("id"), "domain": "RS", "column": draft.ref(layout, column), "test": "OVRLRESP", **more}
    shown = ", ".join(f"{text} = {status}" for text, status in list(said.items())[:8] if text != status)
    draft.use(layout, column, f"response{time.how and ', ' + time.how}", shown, assumed=bool(assumed))
    missing = draft.missing(column, *time.columns)
    filled = {"map": said, "set": {"RSEVAL": evaluator}, "also": also, "missing": missing}
    draft.add(layout, {**rule, **filled, **time.rule}, *assumed, *time.assumed)
    draft.facts.setdefault("statuses", set()).update(said.values())
    _mrd_within(draft, layout, column, time, {key: value for key, value in more.items() if key in ("visit", "when")})


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
