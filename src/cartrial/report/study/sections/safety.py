"""What harm was recorded? Events of special interest, by class, term and worst grade; blood counts, aplasia, deaths; conduct."""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Note, Section, Text
from cartrial.report.study.data import ReportData
from cartrial.report.study.sections.harm.blood import blood_blocks
from cartrial.report.study.sections.harm.conduct import conduct_blocks
from cartrial.report.study.sections.harm.deaths import death_blocks
from cartrial.report.study.sections.harm.events import kind_blocks, term_blocks
from cartrial.report.study.sections.harm.syndromes import interest_blocks, syndrome_blocks

__all__ = ["build"]

UNCALIBRATED = (
    "Severe grades of cytokine release syndrome, ICANS and cytopenia of virtual patients are calibrated to other products; lower grades "
    "are assumptions. Read nothing about this product into them."
)


def build(data: ReportData) -> Section:
    """Return the section on safety."""
    title = "Safety"
    found = data.rows.where("safety")
    if not found or data.infused.is_empty():
        return Section("safety", title, [Text(f"{data.nobody or 'Nothing of safety was recorded'}, so no safety is shown.")], title)
    graded = [row for row in found if row["by"] == "max_grade"]
    blocks: list[Block] = [Note(UNCALIBRATED)] if data.provenance == "virtual" else []
    if graded:
        blocks.extend(syndrome_blocks(data, graded))
        blocks.extend(kind_blocks(data, graded))
        blocks.extend(interest_blocks(data, graded))
        blocks.extend(term_blocks(data, graded))
    else:
        told = [note.message for note in data.notices if note.domain == "AE"]
        blocks.extend(Note(message) for message in told or ["No adverse event was recorded, so none is shown."])
    blocks.extend(blood_blocks(data))
    blocks.extend(death_blocks(data))
    blocks.extend(conduct_blocks(data))
    return Section("safety", title, blocks, title)
