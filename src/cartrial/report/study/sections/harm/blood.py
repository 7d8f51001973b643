"""Whose counts were low, and who had no B cells?"""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Note, Table, Text
from cartrial.report.page.rows import Cell, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.lacking import is_absent
from cartrial.report.study.phrases import signs_of
from cartrial.report.study.sections.harm.words import joined, of_all
from cartrial.study import Study

__all__ = ["blood_blocks", "finding_names", "window_names", "window_note"]


_TESTS = {"BCELL": "B cells"}


def finding_names(study: Study) -> dict[str, str]:
    """Return the findings at any and at the last test: id and words."""
    cytopenia, aplasia = study.safety.cytopenia, study.safety.aplasia
    return {
        "NEUTROPENIA": f"Neutrophils below {cytopenia.neutrophils_below:g} × 10⁹/L",
        "THROMBOCYTOPENIA": f"Platelets below {cytopenia.platelets_below:g} × 10⁹/L",
        "APLASIA": f"B-cell aplasia: {_TESTS.get(aplasia.testcd, aplasia.testcd)} below {aplasia.below:g} {signs_of(aplasia.unit)}",
    }


def window_names(study: Study) -> dict[str, str]:
    """Return the findings at the last count of a window: id and words."""
    rule = study.safety.cytopenia
    low = f"Last neutrophils below {rule.last_neutrophils_below:g} × 10⁹/L", f"Last platelets below {rule.last_platelets_below:g} × 10⁹/L"
    return {"LOW-NEUT": low[0], "LOW-PLAT": low[1], "LOW-EITHER": "Either of both, of those with both counts"}


def window_note(study: Study) -> str:
    """Return how the counts near a day are read, in words."""
    margin = study.safety.cytopenia.margin
    return (
        f"The last count on a day of the window, {margin} days before to {margin} days after; of one date the lowest. N: subjects with a "
        "count in the window; the others are counted beside it, and are neither low nor not low. Transfusions, growth factor and a later "
        "transplant are not taken into account. This is no grade of ICAHT, which needs the course."
    )


def blood_blocks(data: ReportData) -> list[Block]:
    """Return low counts near the days that the study names, prolonged cytopenia and B-cell aplasia."""
    return [*_windows(data), *_findings(data)]


def _windows(data: ReportData) -> list[Block]:
    rule, names = data.study.safety.cytopenia, window_names(data.study)
    rows: list[tuple[Cell, ...]] = []
    groups: set[int] = set()
    absent: list[str] = []
    for name, words in names.items():
        lines: list[tuple[Cell, ...]] = []
        for day in rule.days:
            at = data.rows.where("safety", name, by="window", level=f"day {day}")
            n = data.rows.stat(at, "n")
            if n is None or is_absent(n.text):
                continue
            died, open_ = data.rows.stat(at, "died"), data.rows.stat(at, "open")
            without = [parts("{}", data.rows.stat(at, "missing"))]
            without += [parts("{} died before or in it", died)] if died and died.value else []
            without += [parts("{} not yet at its end", open_)] if open_ else []
            alone = data.rows.stat(at, "low_alone")
            without += [parts("{} with one count alone, low", alone)] if alone else []
            lines.append((f"Day {day} ({at[0]['window']})", of_all(data, at), joined(without)))
        if lines:
            groups.add(len(rows))
            rows += [(words, "", ""), *lines]
        elif name != "LOW-EITHER":
            absent.append("neutrophils" if name == "LOW-NEUT" else "platelets")
    blocks: list[Block] = []
    if rows:
        head = ("Count", "n/N with a count (%)", "Without a count")
        caption = "Low blood counts near set days: infused subjects"
        table = Table(head, rows, caption, numeric=(1,), group=frozenset(groups), small=True, name="windows")
        blocks += [table, Note(window_note(data.study))]
    if absent and rows:
        blocks.append(Text(f"No count of {' or '.join(absent)} after day 0 was recorded."))
    return blocks


def _findings(data: ReportData) -> list[Block]:
    names = finding_names(data.study)
    times = {"any": "at any test", "last": "at the last test"}
    rows: list[tuple[str, str, str, Cell]] = []
    missing: list[str] = []
    for name, words in names.items():
        # an adverse event may be called so too: its rows are by grade
        found = data.rows.where("safety", name, by=(*times, "visit"))
        if not found:
            missing.append(words)
        for by, level in dict.fromkeys((row["by"], row["level"]) for row in found):
            at = [row for row in found if row["by"] == by and row["level"] == level]
            rows.append((words, at[0]["window"], times.get(by) or f"at {level}", of_all(data, at)))
    order = [visit.name for visit in data.study.disease.visits]
    rows.sort(
        key=lambda row: (
            list(names.values()).index(row[0]),
            row[2] not in times.values(),
            *[i for i, name in enumerate(order) if row[2] == f"at {name}"],
        )
    )
    blocks: list[Block] = []
    if rows:
        head = ("Laboratory finding", "When", "Test", "n/N tested (%)")
        caption = "Prolonged cytopenia and B-cell aplasia: infused subjects that were tested"
        blocks.append(Table(head, rows, caption, numeric=(3,), small=True, name="findings"))
    if missing:
        listed = "; ".join(words[0].lower() + words[1:] if not words.startswith("B-") else words for words in missing)
        blocks.append(Text(f"No test was recorded for: {listed}."))
    return blocks
