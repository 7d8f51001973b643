"""How is a number of subjects with its share put in a cell, and what are the grades called?"""

from __future__ import annotations

from markupsafe import Markup

from cartrial.report.page.rows import ABSENT, Cell, ResultRow, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.lacking import is_absent

__all__ = ["GRADES", "levels_of", "of_all", "with_share"]

GRADES = {
    "any": "Any",
    ">=3": "Grade 3 or more",
    "0": "None",
    "1": "Grade 1",
    "2": "Grade 2",
    "3": "Grade 3",
    "4": "Grade 4",
    "5": "Grade 5",
    "unknown": "Not known",
}


def with_share(data: ReportData, at: list[ResultRow], *, bare: bool = False) -> Cell:
    """Return `n (p %)` of rows with one key; `n` alone where there is no share, and what is said where it is not recorded.

    Parameters
    ----------
    data : ReportData
    at : list of ResultRow
    bare : bool
        Without the sign, and a none without its share: for tables whose head says both.
    """
    n, rate = data.rows.stat(at, "n"), data.rows.stat(at, "rate")
    if n is None:
        return ABSENT
    if rate is None or n.value is None or rate.value is None or (bare and not n.value):
        return n
    return parts("{} ({})" if bare else "{} ({} %)", n, rate)


def of_all(data: ReportData, at: list[ResultRow]) -> Cell:
    """Return `n/N (p %)` of rows with one key."""
    n, total, rate = (data.rows.stat(at, name) for name in ("n", "N", "rate"))
    if n is not None and is_absent(n.text):
        return n
    if rate is None or rate.value is None:
        return parts("{}/{}", n, total)
    return parts("{}/{} ({} %)", n, total, rate)


def levels_of(graded: list[ResultRow]) -> list[str]:
    """Return the grades to show: those that a study has; one that is not known only where it occurs."""
    seen = {row["level"] for row in graded}
    unknown = any(row["level"] == "unknown" and row["statistic"] == "n" and row["value"] for row in graded)
    return [level for level in GRADES if level in seen and (level != "unknown" or unknown)]


def joined(pieces: list[Markup]) -> Markup:
    """Return pieces with semicolons between them."""
    return Markup("; ").join(pieces)
