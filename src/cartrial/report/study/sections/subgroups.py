"""Does the primary rate differ between subgroups?"""

from __future__ import annotations

from cartrial.report.figures.forest import Line, draw_forest
from cartrial.report.page.blocks import Block, Figure, Note, Section, Text
from cartrial.report.page.rows import parts
from cartrial.report.study.data import ReportData, in_order
from cartrial.report.study.phrases import level_words, strategies_sentence
from cartrial.report.study.sections.estimates import find_rate
from cartrial.study import Endpoint

__all__ = ["ASSESSED", "build"]

ASSESSED = "population=assessed"
"""The variant whose subgroups are shown beside those of the main analysis."""


def build(data: ReportData) -> Section:
    """Return the forest of the primary rate by subgroup."""
    title, endpoint = "Subgroups", data.primary
    if not data.study.subgroups:
        return Section("subgroups", title, [Text("The study file names no subgroup.")], title)
    overall = find_rate(data, endpoint.id) if endpoint and endpoint.type == "response-rate" else None
    if overall is None or endpoint is None or overall.absent:
        said = "The primary endpoint is not a response rate or was not estimated, so no subgroup is shown."
        return Section("subgroups", title, [Text(said)], title)
    blocks: list[Block] = []
    for variant in ("", ASSESSED):
        blocks.extend(_forest(data, endpoint, variant))
    if not blocks:
        return Section("subgroups", title, [Text("No subgroup characteristic was recorded, so no subgroup is shown.")], title)
    note = Note("Subgroups are described, not tested: the study was not planned to compare them.")
    return Section("subgroups", title, [*blocks, note], title)


def _forest(data: ReportData, endpoint: Endpoint, variant: str) -> list[Block]:
    """Return the forest of one analysis; nothing where it was not estimated, or no subgroup was recorded."""
    overall = find_rate(data, endpoint.id, variant)
    if overall is None or overall.absent:
        return []
    lines = [Line("All", overall.n, overall.total, overall.rate, overall.lower, overall.upper, main=True)]
    for name in data.study.subgroups:
        characteristic = next(item for item in data.study.baseline if item.id == name)
        found = data.rows.where("response", endpoint.id, variant=variant, by=name)
        levels = in_order(list({row["level"] for row in found}), characteristic.levels)
        if not levels:
            continue
        lines.append(Line(characteristic.label))
        for level in levels:
            at = find_rate(data, endpoint.id, variant, name, level)
            if at is not None:
                lines.append(Line(level_words(level), at.n, at.total, at.rate, at.lower, at.upper))
    if len(lines) == 1:
        return []
    document = draw_forest(
        lines, title=f"{endpoint.label} by subgroup, {overall.population}", xlabel="Rate with its interval", band=data.band
    )
    caption = parts(
        "{} by subgroup: number, rate and interval; the square grows with N, dotted: all. Population: {}; {}; reader: {}; {}.",
        endpoint.label,
        overall.population,
        overall.window,
        overall.reader,
        strategies_sentence(overall.strategies, endpoint.type),
    )
    return [Figure(document, caption, "forest-subgroups" + ("-assessed" if variant else ""))]
