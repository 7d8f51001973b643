"""What is the result, how safe was it, how long and how many, and what is doubtful? One box each, all of it rows of the results."""

from __future__ import annotations

from markupsafe import Markup

from cartrial.report.page.blocks import Block, Card, Cards, Definition, Note, Points, Section, Table, Text
from cartrial.report.page.rows import Cell, ResultRow, Stat, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.lacking import is_absent
from cartrial.report.study.phrases import lower_first
from cartrial.report.study.sections.estimates import find_rate
from cartrial.report.study.summary.doubts import find_doubts
from cartrial.report.study.summary.primary import primary_card
from cartrial.study import Endpoint
from cartrial.study.attributes import RESPONSE

__all__ = ["build"]

RATES, TIMES = 3, 4
"""Most secondary rates and times in the summary; the sections have them all."""
_REACHED = ("consented", "enrolled", "leukapheresed", "released", "infused", "assessed", "responders")
_REACHED_WORDS = {"assessed": "assessed after infusion", "released": "with a product released"}


def build(data: ReportData) -> Section:
    """Return the summary."""
    doubts = find_doubts(data)
    cards = [primary_card(data, len(doubts))]
    for label, blocks in (("Also", _secondary(data)), *_safety(data), ("How long, how many", _numbers(data))):
        if blocks:
            cards.append(Card(label, blocks))
    cards.append(Card("What is doubtful", [Points(doubts)] if doubts else [Text(NOTHING)], "doubt"))
    return Section("summary", "Summary", [Cards(cards)])


NOTHING = "Nothing that the rules of this list look for: no finding of severity warning, no assumption, nothing absent or pending."


def _secondary(data: ReportData) -> list[Block]:
    """Return secondary rates, one of residual disease among them, and medians, in the order of the study file."""
    primary = data.primary
    named = [endpoint for endpoint in data.study.endpoints if endpoint.role == "secondary" and endpoint is not primary]
    asked = [endpoint for endpoint in named if endpoint.type == "response-rate"]
    residual = [endpoint for endpoint in asked if endpoint.mrd][:1]
    first = [endpoint for endpoint in asked if endpoint not in residual][: RATES - len(residual)]
    rates = [line for endpoint in asked if endpoint in (*first, *residual) and (line := _rate(data, endpoint))]
    times = [line for endpoint in named if endpoint.type == "time-to-event" if (line := _time(data, endpoint))][:TIMES]
    blocks: list[Block] = []
    level = data.study.interval.text
    if rates:
        blocks.append(Table(("Rate", "n/N", "%", f"{level} interval"), rates, numeric=(1, 2, 3), mini=True))
    if times:
        blocks.append(Table(("Time", "Events/N", "Median, months", f"{level} limits"), times, numeric=(1, 2, 3), mini=True))
    if blocks:
        where = [('<a href="#response">rates</a>', rates), ('<a href="#times">times</a>', times)]
        links = " and ".join(link for link, lines in where if lines)
        blocks.append(Text(Markup(f"Population, window, reader and strategies of each: {links}."), small=True))
    return blocks


def _rate(data: ReportData, endpoint: Endpoint) -> tuple[Cell, ...] | None:
    found = find_rate(data, endpoint.id)
    if found is None or found.rate is None:
        return None
    if found.absent:
        return (endpoint.label, "", found.rate, "")
    return (endpoint.label, found.fraction, found.rate, found.interval)


def _time(data: ReportData, endpoint: Endpoint) -> tuple[Cell, ...] | None:
    if endpoint.events == (RESPONSE,):
        return None
    found = data.rows.where("survival", endpoint.id, variant="", by="", level="")
    median, stat = data.rows.months(found), data.rows.stat
    if median is None:
        return None
    if is_absent(median.text):
        return (endpoint.label, "", median, "")
    limits = parts("{} to {}", data.rows.months(found, "_lower"), data.rows.months(found, "_upper"))
    return (endpoint.label, parts("{}/{}", stat(found, "events"), stat(found, "N")), median, limits)


def _safety(data: ReportData) -> list[tuple[str, list[Block]]]:
    """Return the events of special interest, serious events and deaths, with their numerators."""
    stat = data.rows.stat
    rows: list[tuple[Cell, ...]] = []
    infused: Stat | None = None
    unknown = False
    for item in data.study.safety.special:
        found = data.rows.where("safety", item.id, by="max_grade", variant="")
        any_grade, severe = ([row for row in found if row["level"] == level] for level in ("any", ">=3"))
        if any_grade:
            open_ = stat([row for row in found if row["level"] == "unknown"], "n")
            rows.append((item.label, _with_open(_share(data, any_grade), open_), _share(data, severe)))
            unknown = unknown or bool(open_ and open_.value)
            infused = infused or stat(any_grade, "N")
    for name, words in (("SERIOUS", "Serious event"), ("DEATH", f"Death {data.until}")):
        found = data.rows.where("safety", name, by="", level="", window="")
        if stat(found, "n"):
            open_ = stat(data.rows.where("safety", name, by="answer", level="unknown"), "n")
            rows.append((words, _with_open(_share(data, found), open_), ""))
            infused = infused or stat(found, "N")
    missing: list[Block] = []
    if not data.rows.where("safety", by="max_grade"):
        told = [note.message for note in data.notices if note.domain == "AE"]
        why = data.nobody or "No adverse event was recorded"
        missing = [Note(words) for words in (told if not data.nobody else []) or [f"{why}, so none is shown."]]
    if not rows:
        return [("Safety", missing)] if data.rows.where("flow", "infused") else []
    label = str(parts("Safety, N = {} infused", infused).striptags()) if infused else "Safety"
    table = Table(("Event", "Any grade, n (%)", "Grade ≥ 3, n (%)"), rows, numeric=(1, 2), mini=True)
    said = "Not known of a syndrome: whether there was one, or of which grade it was. " if unknown else ""
    return [(label, [*missing, table, Text(Markup('{}Grades, terms, times: <a href="#safety">safety</a>.').format(said), small=True)])]


def _with_open(cell: Cell, unknown: Stat | None) -> Cell:
    """Say beside a number of how many it is not known."""
    return parts("{}; {} not known", cell, unknown) if unknown is not None and unknown.value else cell


def _share(data: ReportData, found: list[ResultRow]) -> Cell:
    n, rate = (data.rows.stat(found, name) for name in ("n", "rate"))
    if n is None or n.value is None:
        return n if n is not None else ""
    return parts("{} ({} %)", n, rate) if rate else parts("{} of {}", n, data.rows.stat(found, "N"))


def _numbers(data: ReportData) -> list[Block]:
    """Return cutoff, follow-up and how many subjects reached each milestone."""
    stat = data.rows.stat
    items: list[tuple[str, Cell]] = [("Cutoff", data.cutoff_words or "none: the source has study days only")]
    for endpoint in data.times():
        found = data.rows.where("survival", endpoint.id, variant="", by="follow-up")
        median = data.rows.months(found)
        if median:
            limits = (data.rows.months(found, "_lower"), data.rows.months(found, "_upper"))
            said = parts("{} months ({} to {}), reverse Kaplan–Meier, {}", median, *limits, lower_first(endpoint.label))
            items.append(("Median follow-up", said))
    reached = [(name, stat(data.rows.where("flow", name), "n")) for name in _REACHED]
    shown = [parts("{} {}", number, _REACHED_WORDS.get(name, name)) for name, number in reached if number and number.value is not None]
    if shown:
        items.append(("Subjects", Markup(", ").join(shown)))
    return [Definition(items)]
