"""Where do the data come from, and what was found in them?"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cartrial.report.page.blocks import Block, Details, Note, Section, Table, Text
from cartrial.report.study.data import ReportData
from cartrial.sdtm.checks.groups import count_findings, group_findings, in_order, said_of
from cartrial.sdtm.source import SEVERITIES

__all__ = ["build"]

PROVENANCE = {
    "real": "The data are recorded data of the study.",
    "example": "The data are invented to show the rules; they describe no patient.",
    "virtual": "The data are of virtual patients, simulated from a model; they describe no patient.",
}
# Findings listed of each rule, so that one that speaks of every row hides no other; and in all.
EACH = 50
MOST = 400


def build(data: ReportData) -> Section:
    """Return the section on the data and its findings."""
    blocks: list[Block] = [Text(PROVENANCE[data.provenance])]
    source = data.source
    if source is not None and source.files:
        if source.level == "events":
            blocks.append(
                Note("The source gives events (best response, dates), not records by visit: what only records can show is not derived.")
            )
        blocks.append(
            Table(
                ("File", "Domain", "Rows", "Form", "SHA-256"),
                [(file.name, file.domain, file.rows, file.form, file.sha256[:12]) for file in source.files],
                "Source files by domain; the full hashes stand in run.json"
                if data.hidden
                else "Source files; the full hashes stand in run.json",
                numeric=(2,),
                small=True,
            )
        )
    blocks.extend(_findings(data.findings, data.link_of))
    return Section("data", "Data and findings", blocks, "Data")


def _findings(findings: pl.DataFrame, link_of: Callable[[str | None], str]) -> list[Block]:
    if findings.is_empty():
        return [Text("The checks found nothing to report.")]
    counts = count_findings(findings)
    said = ", ".join(f"{counts[severity]} of severity {severity}" for severity in SEVERITIES if counts[severity])
    points = "1 point" if counts["findings"] == 1 else f"{counts['findings']} points"
    blocks: list[Block] = [Text(f"The checks of the source data found {points}: {said}.")]
    rows: list[tuple[str | int, ...]] = []
    for group in group_findings(findings):
        first, *further = [said_of(row) for row in group.examples]
        rows.append((group.severity, group.rule, group.count, group.subjects or "", first))
        rows += [("", "", "", "", said) for said in further]
    head = ("Severity", "Rule", "Findings", "Subjects", "For example")
    blocks.append(Table(head, rows, "Findings by rule, the worst first", numeric=(2, 3), small=True))
    listed = in_order(findings).filter(pl.int_range(pl.len()).over("SEVERITY", "RULE") < EACH).head(MOST)
    title = (
        f"Every finding ({findings.height})"
        if listed.height == findings.height
        else f"{listed.height} of {findings.height} findings, the first of each rule; cartrial check --all lists all"
    )
    every = [
        tuple(
            link_of(row[name]) if name == "USUBJID" else "" if row[name] is None else row[name]
            for name in ("SEVERITY", "RULE", "FILE", "ROW", "USUBJID", "VARIABLE", "MESSAGE")
        )
        for row in listed.iter_rows(named=True)
    ]
    columns = ("Severity", "Rule", "File", "Row", "Subject", "Variable", "Finding")
    blocks.append(Details(title, [Table(columns, every, numeric=(3,), small=True)], printed=False))
    return blocks
