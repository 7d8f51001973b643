"""Do the readers agree?"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from cartrial.report.blocks import Block, Section, Table, Text
from cartrial.report.data import ReportData
from cartrial.report.rows import parts

__all__ = ["build"]

ORDER = ("CR", "CRh", "CRi", "MLFS", "NR", "PD", "RELAPSE", "INDETERMINATE", "NE")


def build(data: ReportData) -> Section:
    """Return the section on reader concordance."""
    found = data.rows.where("concordance")
    title = "Readers"
    if not found:
        said = "Fewer than two readers were recorded, so their concordance is not shown."
        return Section("readers", "Reader concordance", [Text(said)], title)
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        groups[row["endpoint"], row["reader"], row["by"] if "level" in row and "agreement" not in row["statistic"] else row["by"]].append(row)
    blocks: list[Block] = []
    for (endpoint, reader, by), rows in groups.items():
        blocks.extend(_pair(data, endpoint, reader, by, rows))
    return Section("readers", "Reader concordance", blocks, title)


def _pair(data: ReportData, endpoint: str, reader: str, by: str, rows: list[dict[str, Any]]) -> list[Block]:
    stat = data.rows.stat
    blocks: list[Block] = []
    agreement, kappa, total = (stat(rows, name) for name in ("agreement", "kappa", "N"))
    what = {"best": "best response", "visit": "assessments"}.get(endpoint, endpoint or "assessments")
    name = reader or by
    if agreement or kappa:
        limits = parts(" ({} to {})", stat(rows, "lower"), stat(rows, "upper")) if stat(rows, "lower") else ""
        blocks.append(Text(parts("{}, {}: agreement {} % of {} pairs; Cohen's kappa {}{}.", name, what, agreement, total, kappa, limits)))
    return blocks + _cross(data, f"{name}, {what}", rows)


def _cross(data: ReportData, name: str, rows: list[dict[str, Any]]) -> list[Block]:
    cells = {}
    for row in rows:
        if row["statistic"] == "n" and row["level"]:
            first, _, second = row["level"].partition("|")
            cells[first.strip(), second.strip()] = data.rows.stat([row], "n")
    if not cells:
        return []
    place = {call: i for i, call in enumerate(ORDER)}
    down = sorted({first for first, _ in cells}, key=lambda call: place.get(call, 99))
    across = sorted({second for _, second in cells}, key=lambda call: place.get(call, 99))
    body = [(call, *(cells.get((call, other), "") for other in across)) for call in down]
    return [Table(("", *across), body, f"{name}: counts (rows: the first reader, columns: the second)", numeric=tuple(range(1, len(across) + 1)), small=True)]
