"""In which order, and how briefly, are findings shown? By rule, with counts, the worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from cartrial.sdtm.source import SEVERITIES, many

__all__ = ["Group", "count_findings", "counts_text", "group_findings", "in_order", "place_of", "said_of"]

# Examples of a rule that speaks of the source as a whole; every other rule has one.
MOST = 10


@dataclass(frozen=True)
class Group:
    """The findings of one rule.

    Parameters
    ----------
    severity, rule : str
    count, subjects : int
        Findings; subjects that they name.
    examples : tuple of dict
        The first finding, as a row of the findings frame. Findings of no one record and no one subject (a file that was not read, a
        source that is not there) are each a fact of its own: up to ten of them.
    """

    severity: str
    rule: str
    count: int
    subjects: int
    examples: tuple[dict[str, Any], ...]

    @property
    def counts(self) -> str:
        """How often the rule speaks, and in how many subjects; blank where it speaks once."""
        subjects = f" in {many(self.subjects, 'subject')}" if self.subjects else ""
        return "" if self.count == 1 else f"{many(self.count, 'finding')}{subjects}"

    @property
    def more(self) -> int:
        """How many findings stand beside the examples."""
        return self.count - len(self.examples)


def in_order(findings: pl.DataFrame) -> pl.DataFrame:
    """Return findings rule by rule: what would stop a report first, then by how many subjects and findings a rule has.

    Returns
    -------
    polars.DataFrame
        The columns of the findings frame, COUNT and SUBJECTS of the rule.
    """
    severity = pl.col("SEVERITY").replace_strict(dict(zip(SEVERITIES, range(3), strict=True)), default=3, return_dtype=pl.Int64)
    over = ["SEVERITY", "RULE"]
    count, subjects = pl.len(), pl.col("USUBJID").drop_nulls().n_unique()
    counted = findings.with_columns(count.over(over).cast(pl.Int64).alias("COUNT"), subjects.over(over).cast(pl.Int64).alias("SUBJECTS"))
    return counted.sort(severity, -pl.col("SUBJECTS"), -pl.col("COUNT"), "RULE", maintain_order=True)


def group_findings(findings: pl.DataFrame) -> tuple[Group, ...]:
    """Return findings by rule, worst first: stop, warning, note; within these the rule that most subjects have.

    Examples
    --------
    >>> from cartrial.sdtm import finding, findings_frame
    >>> from cartrial.sdtm.checks.groups import group_findings
    >>> rare = finding("age", "warning", "The age is 250.", usubjid="S-01")
    >>> many = [finding("date-order", "warning", f"Row {row} is early.", row=row, usubjid=f"S-{row}") for row in (2, 3)]
    >>> [(group.rule, group.counts) for group in group_findings(findings_frame([rare, *many]))]
    [('date-order', '2 findings in 2 subjects'), ('age', '')]
    """
    whole = pl.col("ROW").is_null() & pl.col("USUBJID").is_null()
    rank = pl.int_range(pl.len()).over("SEVERITY", "RULE")
    shown = in_order(findings).with_columns(rank.alias("RANK")).filter((pl.col("RANK") == 0) | (whole & (pl.col("RANK") < MOST)))
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in shown.drop("RANK").iter_rows(named=True):
        groups.setdefault((row["SEVERITY"], row["RULE"]), []).append(row)
    return tuple(Group(*key, rows[0]["COUNT"], rows[0]["SUBJECTS"], tuple(rows)) for key, rows in groups.items())


def place_of(row: dict[str, Any]) -> str:
    """Return where a finding is: file, row, subject and variable, as far as it has them."""
    parts = (row["FILE"], f"row {row['ROW']}" if row["ROW"] is not None else None, row["USUBJID"], row["VARIABLE"])
    return ", ".join(str(part) for part in parts if part)


def said_of(row: dict[str, Any]) -> str:
    """Return a finding with its place; a message that begins with its file, and has no other place, as it is.

    Examples
    --------
    >>> from cartrial.sdtm import finding
    >>> from cartrial.sdtm.checks.groups import said_of
    >>> said_of(finding("age", "warning", "The age is 250.", file="dm.csv", row=2))
    'dm.csv, row 2: The age is 250.'
    >>> said_of(finding("file-ignored", "warning", "rs.txt is not read.", file="rs.txt"))
    'rs.txt is not read.'
    """
    place, message = place_of(row), str(row["MESSAGE"])
    return message if not place or message.startswith(f"{place} ") else f"{place}: {message}"


def count_findings(findings: pl.DataFrame) -> dict[str, int]:
    """Return how many findings there are, of how many rules, and of each severity."""
    counts = {severity: findings.filter(pl.col("SEVERITY") == severity).height for severity in SEVERITIES}
    return {"findings": findings.height, "rules": findings["RULE"].n_unique(), **counts}


def counts_text(counts: dict[str, int], asked: int | None = None) -> str:
    """Return counts as words: how many would stop a report, warnings, notes; of nothing found, by how many rules, where that is known."""
    found = f"{many(counts['findings'], 'finding')} of {many(counts['rules'], 'rule')}"
    if not counts["findings"]:
        found = "nothing was found" + (f" by {many(asked, 'rule')}" if asked else "")
    return f"{counts['stop']} would stop a report, {many(counts['warning'], 'warning')}, {many(counts['note'], 'note')}: {found}."
