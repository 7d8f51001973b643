"""What harm was recorded? Events by class, term and worst grade; CRS and ICANS; cytopenia, aplasia, deaths."""

from __future__ import annotations

from typing import Any

import polars as pl

from cartrial.report.blocks import Block, Details, Note, Section, Table, Text
from cartrial.report.data import ReportData
from cartrial.report.rows import Stat, parts

__all__ = ["build"]

GRADES = {"0": "None", "any": "Any grade", "1": "Grade 1", "2": "Grade 2", "3": "Grade 3", "4": "Grade 4", "5": "Grade 5", ">=3": "Grade 3 or more"}


def build(data: ReportData) -> Section:
    """Return the section on safety."""
    title = "Safety"
    found = data.rows.where("safety")
    if not found:
        return Section("safety", title, [Text("No adverse event was recorded, so no safety table is shown.")], title)
    special = {item.id: item for item in data.study.safety.special}
    by_grade = [row for row in found if row["by"] == "max_grade"]
    blocks: list[Block] = []
    blocks.extend(_special(data, [row for row in by_grade if row["endpoint"] in special]))
    blocks.extend(_terms(data, [row for row in by_grade if row["endpoint"] not in special]))
    blocks.extend(_others(data, [row for row in found if row["by"] != "max_grade"]))
    blocks.extend(_deaths(data))
    return Section("safety", title, blocks, title)


def _grid(data: ReportData, rows: list[dict[str, Any]]) -> tuple[list[str], dict[str, dict[str, Stat]], dict[str, Stat]]:
    """Return the grades that occur, the counts by term and grade, and N by term."""
    counts: dict[str, dict[str, Stat]] = {}
    totals: dict[str, Stat] = {}
    for row in rows:
        stat = Stat(row["text"], row["key"], row["value"])
        if row["statistic"] == "n":
            counts.setdefault(row["endpoint"], {})[row["level"]] = stat
        elif row["statistic"] == "N":
            totals.setdefault(row["endpoint"], stat)
    seen = {level for levels in counts.values() for level in levels}
    return [level for level in GRADES if level in seen], counts, totals


def _special(data: ReportData, rows: list[dict[str, Any]]) -> list[Block]:
    if not rows:
        return []
    levels, counts, totals = _grid(data, rows)
    names = {item.id: f"{item.label} ({item.id}, {item.scale})" for item in data.study.safety.special}
    body = [(names[item.id], *(counts[item.id].get(level, "") for level in levels), totals.get(item.id, "")) for item in data.study.safety.special if item.id in counts]
    head = ("Event of special interest", *(GRADES[level] for level in levels), "N")
    return [Table(head, body, "Worst grade of each event of special interest, subjects infused", numeric=tuple(range(1, len(head))))]


def _terms(data: ReportData, rows: list[dict[str, Any]]) -> list[Block]:
    if not rows:
        return []
    levels, counts, totals = _grid(data, rows)
    frame = data.adam.adae.select(pl.col("AEBODSYS").fill_null("Not classed"), pl.col("AEDECOD").str.to_uppercase()).unique()
    classes: dict[str, list[str]] = {}
    place = {term: system for system, term in frame.iter_rows()}
    systems = {system.upper(): system for system in place.values()}
    headed = {term for term in counts if term.upper() in systems}
    for term in counts:
        if term not in headed:
            classes.setdefault(place.get(term.upper(), ""), []).append(term)
    body: list[tuple[Any, ...]] = []
    groups: set[int] = set()
    total = next(iter(totals.values()), None)
    for system in sorted(classes):
        own = next((counts[term] for term in headed if term.upper() == system.upper()), {})
        groups.add(len(body))
        body.append((system or "Any adverse event", *(own.get(level, "") for level in levels)))
        body.extend((term, *(counts[term].get(level, "") for level in levels)) for term in sorted(classes[system]))
    caption = parts("Adverse events by class, term and worst grade: subjects (N = {} infused)", total) if total else "Adverse events by class, term and worst grade: subjects"
    table = Table(("Class and term", *(GRADES[level] for level in levels)), body, caption, numeric=tuple(range(1, len(levels) + 1)), group=frozenset(groups), small=True)
    return [Details(f"Adverse events by class, term and grade ({len(counts) - len(headed)} terms)", [table])] if len(body) > 60 else [table]


def _others(data: ReportData, rows: list[dict[str, Any]]) -> list[Block]:
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["endpoint"], row["by"], row["level"]), []).append(row)
    if not groups:
        return []
    stat = data.rows.stat
    body = []
    for (endpoint, by, level), at in groups.items():
        words = " ".join(part.replace("_", " ") for part in (endpoint, by, level) if part)
        value = parts("{} of {}", stat(at, "n"), stat(at, "N")) if stat(at, "n") and stat(at, "N") else stat(at, "n") or ""
        spread = parts("{} ({} to {})", stat(at, "median"), stat(at, "min"), stat(at, "max")) if stat(at, "median") else ""
        body.append((words, value, spread))
    safety = data.study.safety
    limits = (
        f"Prolonged cytopenia: the last count after day {safety.cytopenia.after_day} is below {safety.cytopenia.neutrophils_below:g} (neutrophils) or "
        f"{safety.cytopenia.platelets_below:g} (platelets) 10^9/L. B-cell aplasia: {safety.aplasia.testcd} below {safety.aplasia.below:g} {safety.aplasia.unit}."
    )
    return [Table(("Measure", "Subjects", "Median (range)"), body, "Other safety results, subjects infused", numeric=(1, 2), small=True), Note(limits)]


def _deaths(data: ReportData) -> list[Block]:
    dead = data.infused.filter(pl.col("DTHFL") == "Y").sort("DTHDY")
    if dead.is_empty():
        return [Text("No death of an infused subject was recorded on or before the cutoff.")]
    rows = [(data.labels[row["SUBJ"]], row["DTHDT"].isoformat() if row["DTHDT"] else "", "" if row["DTHDY"] is None else row["DTHDY"]) for row in dead.iter_rows(named=True)]
    return [Details("Deaths of infused subjects", [Table(("Subject", "Date", "Day"), rows, "Deaths on or before the cutoff", numeric=(2,), small=True)])]
