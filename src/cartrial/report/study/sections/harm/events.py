"""Which adverse events were recorded? Any, serious, related; by class, term and worst grade."""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Details, Note, Table
from cartrial.report.page.rows import Cell, ResultRow, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.sections.harm.words import GRADES, levels_of, of_all, with_share

__all__ = ["kind_blocks", "term_blocks"]

MOST = 40
_KINDS = {"SERIOUS": ("Any serious event", "serious"), "RELATED": ("Any related event", "related")}


def kind_blocks(data: ReportData, graded: list[ResultRow]) -> list[Block]:
    """Return how many had any event, one of grade 3 or more, a serious one, a related one."""
    rows: list[tuple[Cell, ...]] = []
    for level, words in (("any", "Any event"), (">=3", "Any event of grade 3 or more")):
        at = [row for row in graded if row["endpoint"] == "ANY" and not row["variant"] and row["level"] == level]
        if at:
            rows.append((words, of_all(data, at)))
    for name, (words, _) in _KINDS.items():
        kind = data.rows.where("safety", name, by="")
        if kind:
            rows.append((words, of_all(data, kind)))
    blocks: list[Block] = []
    if rows:
        head = ("Treatment-emergent adverse events", "n/N (%)")
        blocks.append(Table(head, rows, "Adverse events: infused subjects", numeric=(1,), small=True, name="kinds"))
    for name, (_, words) in _KINDS.items():
        kind = data.rows.where("safety", name, level="unknown")
        if kind:
            text = f"Of {{}} of {{}} subjects it is not known whether an event was {words}: none says so, and one or more do not say."
            blocks.append(Note(parts(text, data.rows.stat(kind, "n"), data.rows.stat(kind, "N"))))
    return blocks


def term_blocks(data: ReportData, graded: list[ResultRow]) -> list[Block]:
    """Return the table of events by class and term."""
    by: dict[tuple[str, str], dict[str, list[ResultRow]]] = {}
    for row in graded:
        by.setdefault((row["variant"], row["endpoint"]), {}).setdefault(row["level"], []).append(row)
    shown = [row for row in graded if row["variant"] or row["endpoint"] == "ANY"]
    levels = [level for level in levels_of(shown) if level != "0"]
    classes = sorted(endpoint for variant, endpoint in by if variant == "class")
    terms: dict[str, list[str]] = {}
    for variant, endpoint in by:
        if variant.startswith("class="):
            terms.setdefault(variant.removeprefix("class="), []).append(endpoint)
    body: list[tuple[Cell, ...]] = []
    groups: set[int] = set()

    def add(label: str, key: tuple[str, str]) -> None:
        body.append((label, *(with_share(data, by[key].get(level, []), bare=True) for level in levels)))

    if ("", "ANY") in by:
        groups.add(0)
        add("Any adverse event", ("", "ANY"))
    for name in [*classes, *sorted(set(terms) - set(classes))]:
        groups.add(len(body))
        if ("class", name) in by:
            add(name, ("class", name))
        else:
            body.append((name.capitalize(), *[""] * len(levels)))
        for term in sorted(terms.get(name, ())):
            add(term.capitalize(), (f"class={name}", term))
    if not body:
        return []
    total = data.rows.stat(data.rows.where("safety", "ANY"), "N") or data.rows.stat(graded, "N")
    caption = parts("Treatment-emergent adverse events by class, term and worst grade: subjects, n (%) of N = {} infused", total)
    head = ("Class and term", *(GRADES[level] for level in levels))
    table = Table(head, body, caption, numeric=tuple(range(1, len(head))), group=frozenset(groups), wide=True, name="terms")
    return [Details(f"Adverse events by class, term and grade ({len(body)} lines)", [table])] if len(body) > MOST else [table]
