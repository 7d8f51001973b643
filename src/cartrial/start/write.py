"""How are the mapping and the study file of a spreadsheet written, so that a person can read and edit them?"""

from __future__ import annotations

import datetime as dt
from typing import Any

import yaml

from cartrial.errors import InputError
from cartrial.start.ask import Option, Question
from cartrial.start.draft import Draft
from cartrial.start.people import PRODUCT

__all__ = ["mapping_text", "study_text"]

_LYMPHOMA_WORDS = {"PR", "SD"}
_VISITS = (
    *(("day 28", 28, 7), ("month 2", 60, 7), ("month 3", 90, 14), ("month 6", 180, 14), ("month 9", 270, 14), ("month 12", 360, 14)),
    *(("month 18", 540, 30), ("month 24", 720, 30)),
)
_SHEET = "assumption: made from a spreadsheet"
_RATE = "{hsct: composite, new-therapy: composite}"


def _flow(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False)
        .strip()
        .removesuffix("\n...")
    )


def _comment(text: str) -> str:
    return "# " + " ".join(text.split())


def mapping_text(draft: Draft, study_id: str, unread: list[str]) -> str:
    """Return the mapping: its tables, its rules, and as comments what was asked and what is not read."""
    first = draft.layouts[0].grid.file
    lines = [
        f"# How {first} becomes source data: written by `cartrial start`, and yours to read and correct.",
        "# Each rule names a column, what is read from it, and what is assumed. docs/sdtm.md explains every key.",
    ]
    for done in draft.answers.answered:
        said = "assumed" if done.assumed else "answered"
        lines.append(_comment(f"Asked: {done.question.text} {said[0].upper()}{said[1:]}: {done.word}."))
    lines += [_comment(f"Not read: {text}") for text in unread]
    lines += ["schema: 1", f"study-id: {_flow(study_id)}", f"level: {draft.facts['level']}", f"source: {_flow(f'the spreadsheet {first}')}"]
    if draft.facts.get("days"):
        lines.append(f"days: {draft.facts['days']}")
    tables = {draft.name(layout): _table(draft, layout) for layout in draft.tables}
    if len(tables) == 1:
        lines += [f"table: {_flow(next(iter(tables.values())))}"]
    else:
        lines += ["tables:", *(f"  {name}: {_flow(table)}" for name, table in tables.items())]
    lines.append("rules:")
    lines += [f"  - {_flow(_rule(rule))}" for rule in draft.rules]
    return "\n".join(lines) + "\n"


def _table(draft: Draft, layout: Any) -> dict[str, Any]:
    grid, header = layout.grid, list(layout.header)
    skipped = [row for row in layout.skipped if row < max(layout.rows)]
    said: dict[str, Any] = {"file": grid.file}
    if grid.sheet:
        said["sheet"] = grid.sheet
    said["header"] = header if len(header) > 1 else header[0]
    if layout.rows[0] != header[-1] + 1:
        said["first-row"] = layout.rows[0]
    if max(layout.rows) < grid.last_row:
        said["last-row"] = max(layout.rows)
    if inner := [row for row in skipped if row > layout.rows[0]]:
        said["skip-rows"] = inner
    return {**said, "subject": draft.ref(layout, layout.key), **({"long": True} if layout.long else {})}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    made = dict(rule)
    forms = made.get("date-format")
    if forms and len(forms) == 1:
        made["date-format"] = forms[0]
    return made


def study_text(draft: Draft, study_id: str, title: str) -> str:
    """Return the study file: what is assumed of it says so, and a protocol's words go in its place."""
    lymphoma = _disease(draft) == "lymphoma"
    cutoff = _cutoff(draft)
    events, days = draft.facts["level"] == "events", bool(draft.facts.get("days"))
    primary = _primary(draft, lymphoma=lymphoma)
    tests = sorted({"CARTG", "CARTC"} & draft.facts.get("tests", set()))
    lines = [
        "# The study of a spreadsheet: written by `cartrial start`, and yours to correct. docs/study.md explains every key.",
        "# Where it says `assumption`, put what your protocol says, and name the protocol as the source.",
        "schema: 1",
        "rules: 2",
        "study:",
        f"  id: {_flow(study_id)}",
        f"  title: {_flow(title)}",
        f"  cutoff: {'none' if days else cutoff}",
        f"  source: {_flow(_source(draft, 'cutoff', 'the spreadsheet'))}",
        "product:",
        "  name: CAR-T cells",
        "  type: autologous",
        f"  exposure: [{PRODUCT}]",
        "  lymphodepletion: [LYMPHODEPLETION]",
        f"  source: {_flow(_SHEET)}",
        "disease:",
        f"  name: {'B-cell lymphoma' if lymphoma else 'B-cell acute lymphoblastic leukaemia'}",
        f"  criteria: {'lugano-2014' if lymphoma else 'nccn'}",
        "  visits:",
        *(f"    - {{name: {name}, day: {day}, minus: {width}, plus: {width}}}" for name, day, width in _VISITS),
        f"  source: {_flow('assumption: the sheet names neither its criteria nor its planned visits')}",
        f"readers: {{primary: {draft.facts['reader']}, source: {_flow('assumption: who read is taken from the headers')}}}",
    ]
    if draft.facts.get("age") or draft.facts.get("sex") or draft.facts.get("cohort"):
        lines.append("baseline:")
        if draft.facts.get("age"):
            lines.append("  - {id: AGE, label: Age, unit: years, from: {domain: DM, variable: AGE}, source: the spreadsheet}")
        if draft.facts.get("sex"):
            lines.append("  - {id: SEX, label: Sex, from: {domain: DM, variable: SEX}, source: the spreadsheet}")
        if draft.facts.get("cohort"):
            lines.append("  - {id: COHORT, label: Sheet, from: {domain: DM, variable: ARM}, source: the spreadsheet}")
            lines.append("subgroups: [COHORT]")
    if tests:
        lines.append(f"kinetics: {{tests: [{', '.join(tests)}], source: {_flow(_SHEET)}}}")
    if not draft.facts.get("crs") and not draft.facts.get("icans"):
        lines.append(f"safety: {{special: [], source: {_flow('the spreadsheet has no adverse events')}}}")
    if draft.facts.get("emd") == "absent":
        lines.append("emd: absent")
        draft.assume(draft.answers.assumption("emd"))
    if draft.facts.get("relapse-free-until"):
        lines.append("events: {relapse-free-until: last-contact}")
    lines.append("endpoints:")
    found = _endpoints(draft, lymphoma=lymphoma, events=events)
    if not found:
        layout, named = draft.layouts[0], ("response", "vital", "death", "mrd")
        left = [
            f"{column.label}: {draft.left[0, column.number]}"
            for column in layout.columns
            if column.topic in named and (0, column.number) in draft.left
        ]
        what = f"{layout.grid.lead}no endpoint can be derived" + (f" ({'; '.join(left)})" if left else "")
        right = "A report needs responses (CR, CRi, NR, PD) with their dates, or dates of death and last contact"
        raise InputError(what, file=layout.grid.file, right=right)
    for endpoint in found:
        lines += endpoint(primary)
    lines += ["unclear:", *(f"  - {_flow(text)}" for text in draft.assumptions)] if draft.assumptions else []
    return "\n".join(lines) + "\n"


def _source(draft: Draft, key: str, known: str) -> str:
    said = draft.answers.assumption(key)
    return f"assumption: {said}" if said else known


def _disease(draft: Draft) -> str:
    statuses: set[str] = draft.facts.get("statuses", set())
    words = " ".join(column.header.lower() for layout in draft.layouts for column in layout.columns)
    told = "lymphoma" if any(word in words for word in ("lymphoma", "dlbcl", "deauville", "lugano", "lymphom", "淋巴瘤")) else ""
    leukaemia = any(column.topic in ("mrd", "blasts") for layout in draft.layouts for column in layout.columns) or any(
        status not in ("CR", "PR", "SD", "PD", "NE") for status in statuses
    )
    likely: str | None = told or ("leukaemia" if leukaemia or not statuses & _LYMPHOMA_WORDS else None)
    return draft.answers.ask(
        Question(
            "disease",
            "Which disease have the patients?",
            (
                Option(
                    "leukaemia",
                    "acute lymphoblastic leukaemia, criteria NCCN",
                    "the disease is acute lymphoblastic leukaemia, by the criteria of NCCN",
                ),
                Option(
                    "lymphoma", "B-cell lymphoma, criteria Lugano 2014", "the disease is B-cell lymphoma, by the criteria of Lugano 2014"
                ),
            ),
            likely,
        )
    )


def _cutoff(draft: Draft) -> str:
    if draft.facts.get("days") or draft.last is None:
        return "none"
    last = draft.last.isoformat()
    late = draft.last > dt.date.today()
    text = f"Until which date are the data complete? The last date of the sheet is {last}" + (
        ", in the future. Is it right?" if late else "."
    )
    said = Option(last, "the last date of the sheet", f"the data are complete until {last}, the last date of the sheet")
    return draft.answers.ask(Question("cutoff", text, (said,), None if late else last, _iso, "a date as YYYY-MM-DD"))


def _iso(text: str) -> str | None:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _primary(draft: Draft, *, lymphoma: bool) -> str:
    options = [Option("best", "best response", "the primary endpoint is the best response")]
    if draft.facts["level"] == "records":
        options.append(Option("month-3", "response at month 3", "the primary endpoint is the response at month 3"))
    if len(options) == 1:
        return "ORR" if lymphoma else "BORR"
    word = draft.answers.ask(Question("primary", "Which is the primary endpoint?", tuple(options), "best"))
    return "ORR3" if word == "month-3" else "ORR" if lymphoma else "BORR"


def _endpoints(draft: Draft, *, lymphoma: bool, events: bool) -> list[Any]:
    """Return the endpoints that the sheet can give, each as its lines once the primary one is known; note those that it cannot."""
    found: list[Any] = []
    cannot, facts = draft.cannot, draft.facts
    others = sorted({"PR", "SD"} & facts.get("statuses", set()))
    if others and not lymphoma:
        draft.assume(f"{' and '.join(others)} count as no response, since the criteria of acute leukaemia do not know them")
    for key in ("disease", "cutoff", "primary"):
        draft.assume(draft.answers.assumption(key))

    def rate(name: str, label: str, response: str, window: str, more: str = "") -> None:
        found.append(lambda primary: _rate(name, label, response, window, more, primary))

    def time(name: str, label: str, origin: str, population: str, happens: str, strategies: str) -> None:
        found.append(lambda primary: _time(name, label, origin, population, happens, strategies))

    undated, lumped = facts.get("undated"), facts.get("lumped")
    responds = "[CR, PR]" if lymphoma else "[CR, CRi]"
    until = ", until: progression" if lymphoma else ""
    if facts.get("no-calls") and not facts.get("tests"):
        cannot.append("Any response: no column holds one.")
    else:
        rate("ORR" if lymphoma else "BORR", "Best overall response rate", responds, f"{{best: cutoff{until}}}")
        if not lumped:
            rate("CRR", "Complete response rate, best response", "[CR]", f"{{best: cutoff{until}}}")
        if events:
            cannot.append("Response at a visit (month 3): the sheet has best responses, and no assessments by visit.")
        else:
            rate("ORR3", "Overall response rate at month 3", responds, "{at: month 3}")
        if not lymphoma and facts.get("mrd"):
            rate("MRDN", "MRD-negative remission, best response", responds, "{best: cutoff}", "mrd: negative")
        event = "progression" if lymphoma else "relapse"
        seen = not events or facts.get("last-assessment") or facts.get("relapse-free-until")
        why = (
            "no column holds the date of the response"
            if undated
            else f"no column holds a {event}"
            if events and not facts.get("relapse")
            else f"no column holds a last assessment without {event}"
            if not seen
            else "no column says who died, and a death is an event"
            if not facts.get("death")
            else ""
        )
        if why:
            cannot.append(f"Duration of response and time to {event}: {why}.")
        else:
            strategies = "{hsct: hypothetical, new-therapy: hypothetical}"
            time("DOR", "Duration of response", "first-response", "responders", f"[{event}, death]", strategies)
            if lymphoma:
                time("PFS", "Progression-free survival", "day-0", "infused", "[progression, death]", strategies)
            else:
                composite = "{hsct: treatment-policy, new-therapy: composite}"
                time("EFS", "Event-free survival", "day-0", "infused", "[non-response, relapse, death]", composite)
    if facts.get("death"):
        time("OS", "Overall survival", "day-0", "infused", "[death]", "{hsct: treatment-policy, new-therapy: treatment-policy}")
    else:
        cannot.append("Overall survival: no column says who died and when.")
    if facts.get("death") and not facts.get("last-contact"):
        cannot.append("Overall survival beyond the last assessment: no column holds a date of last contact.")
    for topic, what in (("transplant", "transplant"), ("therapy", "new anticancer therapy")):
        if facts.get(topic) is None:
            cannot.append(
                f"What counts before and after a {what}: no column says whether there was one; the report says so beside each endpoint."
            )
    if not facts.get("crs"):
        cannot.append("Cytokine release syndrome: no column holds its grade.")
    return found


def _rate(name: str, label: str, response: str, window: str, more: str, primary: str) -> list[str]:
    lines = [f"  - id: {name}", f"    label: {label}", *(["    role: primary"] if name == primary else []), "    type: response-rate"]
    lines += [f"    response: {response}", *([f"    {more}"] if more else []), f"    window: {window}", "    population: infused"]
    return [*lines, f"    strategies: {_RATE}", f"    source: {_flow(_SHEET)}"]


def _time(name: str, label: str, origin: str, population: str, happens: str, strategies: str) -> list[str]:
    lines = [f"  - id: {name}", f"    label: {label}", "    type: time-to-event", f"    origin: {origin}", f"    population: {population}"]
    return [*lines, f"    events: {happens}", f"    strategies: {strategies}", f"    source: {_flow(_SHEET)}"]
