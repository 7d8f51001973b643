"""Who was infused?"""

from __future__ import annotations

from cartrial.report.page.blocks import Section, Table, Text
from cartrial.report.page.rows import Cell, ResultRow, parts
from cartrial.report.study.data import ReportData, in_order
from cartrial.report.study.phrases import level_words

__all__ = ["build"]


def build(data: ReportData) -> Section:
    """Return the baseline table: every characteristic that the study file names."""
    title = "Baseline"
    rows: list[tuple[Cell, ...]] = []
    groups: set[int] = set()
    for item in data.study.baseline:
        found = data.rows.where("baseline", item.id)
        groups.add(len(rows))
        unit = f" ({item.unit})" if item.unit else ""
        rows.append((f"{item.label}{unit}", ""))
        rows.extend(_numbers(data, [row for row in found if not row["by"]]))
        nothing = data.rows.stat([row for row in found if row["by"] == "recorded"], "n")
        if nothing:
            rows.append(("No value", nothing))
        for level in in_order(list({row["level"] for row in found if row["by"] == item.id}), item.levels):
            at = [row for row in found if row["by"] == item.id and row["level"] == level]
            n, total, rate = (data.rows.stat(at, name) for name in ("n", "N", "rate"))
            volunteered = total is not None and total.value is None
            share = parts("{} (nothing is recorded of the others)", n) if volunteered else parts("{} of {} ({} %)", n, total, rate)
            rows.append((level_words(level), share))
        missing = data.rows.stat(found, "missing")
        if missing:
            rows.append(("Missing", missing))
    if not rows:
        named = "none was recorded" if data.study.baseline else "the study file names none"
        return Section("baseline", title, [Text(f"No baseline characteristic is shown: {named}.")], title)
    total = data.rows.stat(data.rows.where("flow", "infused"), "n")
    caption = parts("Baseline characteristics of the infused subjects (N = {}); a share is of those with a value", total)
    table = Table(("Characteristic", "Infused"), rows, caption, numeric=(1,), group=frozenset(groups), paired=True, name="baseline")
    return Section("baseline", title, [table], title)


def _numbers(data: ReportData, at: list[ResultRow]) -> list[tuple[Cell, ...]]:
    stat = {name: data.rows.stat(at, name) for name in ("n", "median", "q25", "q75", "min", "max", "mean", "standard_deviation")}
    rows: list[tuple[Cell, ...]] = []
    if stat["median"]:
        rows.append(("Subjects with a value", stat["n"]))
        rows.append(("Median (range)", parts("{} ({} to {})", stat["median"], stat["min"], stat["max"])))
        rows.append(("Quartiles", parts("{} to {}", stat["q25"], stat["q75"])))
    if stat["mean"]:
        rows.append(("Mean (SD)", parts("{} ({})", stat["mean"], stat["standard_deviation"])))
    return rows
