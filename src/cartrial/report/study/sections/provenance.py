"""Where do the data come from, and what was found in them?"""

from __future__ import annotations

import polars as pl

from cartrial.report.page.blocks import Block, Details, Note, Section, Table, Text
from cartrial.report.study.data import ReportData

__all__ = ["build"]

PROVENANCE = {
    "real": "The data are recorded data of the study.",
    "example": "The data are invented to show the rules; they describe no patient.",
    "virtual": "The data are of virtual patients, simulated from a model; they describe no patient.",
}
SEVERITIES = ("stop", "warning", "note")
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
                "Source files; the full hashes stand in run.json",
                numeric=(2,),
                small=True,
            )
        )
    blocks.extend(_findings(data.findings))
    return Section("data", "Data and findings", blocks, "Data")


def _findings(findings: pl.DataFrame) -> list[Block]:
    if findings.is_empty():
        return [Text("The checks found nothing to report.")]
    counts = {severity: findings.filter(pl.col("SEVERITY") == severity).height for severity in SEVERITIES}
    said = ", ".join(f"{count} of severity {severity}" for severity, count in counts.items() if count)
    blocks: list[Block] = [Text(f"The checks of the source data found {findings.height} points: {said}.")]
    order = pl.col("SEVERITY").replace_strict({name: i for i, name in enumerate(SEVERITIES)}, default=9)
    rules = (
        findings.group_by("SEVERITY", "RULE", "DOMAIN")
        .agg(pl.len().alias("COUNT"), pl.col("MESSAGE").first())
        .sort(order, -pl.col("COUNT").cast(pl.Int64), "RULE", "DOMAIN")
    )
    blocks.append(
        Table(
            ("Severity", "Rule", "Domain", "Count", "For example"),
            [(row["SEVERITY"], row["RULE"], row["DOMAIN"] or "", row["COUNT"], row["MESSAGE"]) for row in rules.iter_rows(named=True)],
            "Findings by rule",
            numeric=(3,),
            small=True,
        )
    )
    listed = findings.sort(order, "FILE", "ROW", nulls_last=True).head(MOST)
    title = (
        f"Every finding ({findings.height})"
        if findings.height <= MOST
        else f"The first {MOST} of {findings.height} findings; `cartrial check` lists all"
    )
    rows = [
        tuple("" if row[name] is None else row[name] for name in ("SEVERITY", "FILE", "ROW", "USUBJID", "VARIABLE", "MESSAGE"))
        for row in listed.iter_rows(named=True)
    ]
    blocks.append(Details(title, [Table(("Severity", "File", "Row", "Subject", "Variable", "Finding"), rows, numeric=(2,), small=True)]))
    return blocks
