"""Who was infused?"""

from __future__ import annotations

from typing import Any

from cartrial.report.blocks import Section, Table, Text
from cartrial.report.data import ReportData
from cartrial.report.rows import parts

__all__ = ["build"]


def build(data: ReportData) -> Section:
    """Return the baseline table."""
    title, characteristics = "Baseline", data.study.baseline
    rows: list[tuple[Any, ...]] = []
    groups: set[int] = set()
    total = None
    for characteristic in characteristics:
        found = [row for row in data.rows.where("baseline") if characteristic.id in (row["by"], row["endpoint"])]
        if not found:
            continue
        groups.add(len(rows))
        unit = f" ({characteristic.unit})" if characteristic.unit else ""
        rows.append((f"{characteristic.label}{unit}", ""))
        rows.extend(_numeric(data, found))
        levels = list(dict.fromkeys(row["level"] for row in found if row["level"]))
        levels = sorted(levels, key=characteristic.levels.index) if levels and set(levels) <= set(characteristic.levels) else levels
        for level in levels:
            at = [row for row in found if row["level"] == level]
            n, of, rate = (data.rows.stat(at, name) for name in ("n", "N", "rate"))
            total = total or of
            rows.append((level, parts("{} ({} %)", n, rate) if rate else n))
    if not rows:
        return Section("baseline", title, [Text("The study file names no baseline characteristic that was recorded, so no baseline table is shown.")], title)
    head = ("Characteristic", parts("Infused (N = {})", total) if total else "Infused")
    return Section("baseline", title, [Table(head, rows, "Baseline characteristics of the infused subjects", numeric=(1,), group=frozenset(groups))], title)


def _numeric(data: ReportData, found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    at = [row for row in found if not row["level"]]
    stat = {name: data.rows.stat(at, name) for name in ("N", "n", "mean", "standard_deviation", "median", "min", "max", "missing")}
    rows: list[tuple[Any, ...]] = []
    if stat["median"]:
        if stat["n"]:
            rows.append(("Subjects with a value", stat["n"]))
        rows.append(("Median (range)", parts("{} ({} to {})", stat["median"], stat["min"], stat["max"])))
    if stat["mean"]:
        rows.append(("Mean (SD)", parts("{} ({})", stat["mean"], stat["standard_deviation"])))
    if stat["missing"]:
        rows.append(("Missing", stat["missing"]))
    return rows
