"""Cytokine release and neurotoxicity: how bad, from when, how long, and what was given? Other events of interest as recorded."""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Note, Table, Text
from cartrial.report.page.rows import Cell, ResultRow, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.lacking import is_absent
from cartrial.report.study.sections.harm.words import GRADES, joined, levels_of, of_all, with_share
from cartrial.sdtm.vocabulary.harm.care import CARE
from cartrial.sdtm.vocabulary.harm.events import WATCHED

__all__ = ["CONVENTIONS", "ENDINGS", "interest_blocks", "syndrome_blocks", "watched_names"]

CONVENTIONS = (
    "Onset: days from the infusion (day 0) to the first event. Duration: from the first onset to the last end, both included, of those in "
    "whom it has ended; the others are named. Given for it: of those who had the event, by the reason or the category of the record; where "
    "it gives neither, a drug begun, or a stay in intensive care, while one of the events lasted."
)
ENDINGS = {
    "ongoing at the cutoff": "Going on at the cutoff",
    "ongoing at death": "Going on at death",
    "end not known": "End not known",
}


def watched_names() -> dict[str, str]:
    """Return the events that are shown as they were recorded: id and words."""
    return {**{name: words for name, (words, _) in WATCHED.items()}, "INFECTION": "Infections (class of infections and infestations)"}


def syndrome_blocks(data: ReportData, graded: list[ResultRow]) -> list[Block]:
    """Return the table of events of special interest, one column an event: grades, onset, duration, treatment."""
    special = [item for item in data.study.safety.special if any(row["endpoint"] == item.id and not row["variant"] for row in graded)]
    if not special:
        return []
    own = [row for row in graded if not row["variant"] and row["endpoint"] in {item.id for item in special}]
    rows: list[tuple[Cell, ...]] = [("Infused subjects (N)", *(data.rows.stat(_of(own, item.id), "N") for item in special))]
    groups = {1}
    rows.append(("Worst grade, n (%)", *[""] * len(special)))
    for level in levels_of(own):
        cells = [with_share(data, [row for row in _of(own, item.id) if row["level"] == level]) for item in special]
        rows.append((f"{GRADES[level]}{' (event, or its grade)' if level == 'unknown' else ''}", *cells))
    had = [item.id for item in special if data.rows.where("safety", item.id, by="course")]
    if had:
        groups.add(len(rows))
        rows.append(("Time, days", *[""] * len(special)))
        for by, words in (("onset", "Onset, median (range)"), ("duration", "Duration, median (range)")):
            times = [_time(data, item.id, by) for item in special]
            if any(times):
                rows.append((words, *times))
        for level, words in ENDINGS.items():
            found = [data.rows.where("safety", item.id, by="course", level=level) for item in special]
            if any(row["value"] for at in found for row in at if row["statistic"] == "n"):
                rows.append((f"{words}, n of those with it", *(of_all(data, at) for at in found)))
        given = [item for item in special if data.rows.where("safety", item.id, by="treatment")]
        if given:
            groups.add(len(rows))
            rows.append(("Given for it, n of those with it (%)", *[""] * len(special)))
            for name in CARE:
                rows.append((name[0].upper() + name[1:], *(_care(data, item.id, name) for item in special)))
    head = ("", *(f"{item.id} ({item.scale})" for item in special))
    named = ", ".join(f"{item.label} ({item.id})" for item in special)
    caption = f"Worst grade, onset, duration and treatment of events of special interest: infused subjects. {named}"
    numeric = tuple(range(1, len(head)))
    blocks: list[Block] = [Table(head, rows, caption, numeric=numeric, group=frozenset(groups), wide=True, name="syndromes")]
    return [*blocks, *(Note(words) for words in ([CONVENTIONS] if had else []))]


def _of(rows: list[ResultRow], name: str) -> list[ResultRow]:
    return [row for row in rows if row["endpoint"] == name]


def _time(data: ReportData, name: str, by: str) -> Cell:
    at = data.rows.where("safety", name, by=by, level="")
    median = data.rows.stat(at, "median")
    if median is None:
        return ""
    said = parts("{} ({} to {}), n = {}", median, data.rows.stat(at, "min"), data.rows.stat(at, "max"), data.rows.stat(at, "n"))
    guessed = data.rows.stat(data.rows.where("safety", name, by=by, level="imputed"), "n")
    return parts("{}; of a partial date: {}", said, guessed) if guessed else said


def _care(data: ReportData, name: str, what: str) -> Cell:
    at = data.rows.where("safety", name, by="treatment", level=what)
    if not at:
        return ""
    pieces = [parts("{}", of_all(data, at))]
    for statistic, pattern in (("by_date", "{} by the date alone"), ("unknown", "of {} not known")):
        more = data.rows.stat(at, statistic)
        if more is not None:
            pieces.append(parts(pattern, more))
    return joined(pieces)


def interest_blocks(data: ReportData, graded: list[ResultRow]) -> list[Block]:
    """Return infections, HLH, IEC-HS and ICAHT as they were recorded; one line for those of which nothing was."""
    special = {item.id for item in data.study.safety.special}
    names = {name: words for name, words in watched_names().items() if name not in special}
    rows: list[tuple[Cell, ...]] = []
    absent: list[str] = []
    for name, words in names.items():
        own = [row for row in graded if row["endpoint"] == name and not row["variant"]]
        n = data.rows.stat([row for row in own if row["level"] == "any"], "n")
        if n is None:
            continue
        if is_absent(n.text):
            absent.append(words)
            continue
        at = {level: [row for row in own if row["level"] == level] for level in GRADES}
        unknown = data.rows.stat(at["unknown"], "n")
        cells = [with_share(data, at[level]) for level in ("any", "1", "2", "3", "4", "5", ">=3")]
        rows.append((words, data.rows.stat(at["any"], "N"), *cells, unknown))
    blocks: list[Block] = []
    if rows:
        head = ("Event", "N", "Any, n (%)", *(f"Grade {grade}" for grade in range(1, 6)), "Grade 3 or more", "Not known")
        caption = "Infections, HLH and haematotoxicity as recorded, by worst grade: infused subjects"
        blocks.append(Table(head, rows, caption, numeric=tuple(range(1, len(head))), wide=True, name="interest"))
    if absent:
        listed = "; ".join(absent)
        blocks.append(Text(f"No adverse event was recorded as one of these, which is no proof that there was none: {listed}."))
    return blocks
