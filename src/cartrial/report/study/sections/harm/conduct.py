"""How closely was the protocol kept? Deviations as recorded, and missed assessments by visit."""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Note, Table, Text
from cartrial.report.page.rows import Cell, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.lacking import is_absent
from cartrial.report.study.sections.harm.words import of_all

__all__ = ["MISSED", "conduct_blocks"]

MISSED = (
    "Expected: infused subjects with an assessment in the window, and those whose window closed by the cutoff (where there is none: by the "
    "last day known alive) before a death, withdrawal, loss, new therapy or {event}. Missed: no assessment by the reader in the window."
)
_MOST = 12


def conduct_blocks(data: ReportData) -> list[Block]:
    """Return deviations and missed assessments; one line where nothing is recorded."""
    return [*_missed(data), *_deviations(data)]


def _missed(data: ReportData) -> list[Block]:
    stat = data.rows.stat
    rows: list[tuple[Cell, ...]] = []
    for visit in data.study.disease.visits:
        at = data.rows.where("conduct", "VISIT", by="visit", level=visit.name)
        n = stat(at, "n")
        if n is None or is_absent(n.text):
            continue
        rows.append((f"{visit.name} ({at[0]['window']})", stat(at, "N"), stat(at, "adequate"), stat(at, "not_evaluable"), of_all(data, at)))
    if not rows:
        return [Text("Assessments by visit were not recorded for the primary reader, so missed ones are not counted.")]
    head = ("Visit", "Expected (N)", "Adequate", "Not evaluable", "Missed, n/N (%)")
    caption = f"Assessments of the disease by visit: infused subjects, reader {data.study.readers.primary}"
    return [Table(head, rows, caption, numeric=(1, 2, 3, 4), small=True, name="missed"), Note(data.study.disease.family.names.put(MISSED))]


def _deviations(data: ReportData) -> list[Block]:
    found = data.rows.where("conduct", "DEVIATION")
    whole = [row for row in found if row["by"] == "" and row["population"] == "infused"]
    n = data.rows.stat(whole, "n")
    if n is None or is_absent(n.text):
        return [Text("No protocol deviation was recorded (DV), which is no proof that there was none.")]
    rows: list[tuple[Cell, ...]] = [("Any deviation", of_all(data, whole), data.rows.stat(whole, "records"))]
    groups: set[int] = set()
    for by, words in (("category", "By category"), ("kind", "By kind")):
        at = [row for row in found if row["by"] == by]
        levels = list(dict.fromkeys(row["level"] for row in at))
        if levels:
            groups.add(len(rows))
            rows.append((words, "", ""))
        for level in levels[:_MOST]:
            own = [row for row in at if row["level"] == level]
            rows.append((level[0].upper() + level[1:], of_all(data, own), data.rows.stat(own, "records")))
        if len(levels) > _MOST:
            rows.append((f"and {len(levels) - _MOST} more kinds, in results.json", "", ""))
    head = ("Protocol deviations", "Subjects, n/N (%)", "Records")
    blocks: list[Block] = [
        Table(
            head,
            rows,
            "Protocol deviations of infused subjects, as recorded",
            numeric=(1, 2),
            group=frozenset(groups),
            small=True,
            name="deviations",
        )
    ]
    other = data.rows.stat(data.rows.where("conduct", "DEVIATION", population="not infused"), "records")
    if other is not None:
        blocks.append(Note(parts("Records of subjects who were not infused, counted in none of these lines: {}.", other)))
    return blocks
