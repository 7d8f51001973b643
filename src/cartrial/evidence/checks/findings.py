"""What was found, of which results, and how bad is it? A verdict with its arithmetic in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cartrial.shown import Shown

__all__ = ["VERDICTS", "Finding", "Verdict", "worst_first"]

Verdict = Literal["impossible", "contradictory", "unexplained", "undecided", "consistent"]
VERDICTS: dict[Verdict, str] = {
    "impossible": "no arithmetic prints it",
    "contradictory": "two statements that cannot both hold",
    "unexplained": "it holds only with another denominator or method",
    "undecided": "several counts would print it",
    "consistent": "it can be as printed",
}
"""The verdicts, the worst first, and what each says."""


@dataclass(frozen=True)
class Finding(Shown):
    """One thing that was checked.

    Parameters
    ----------
    verdict : str
        Of `VERDICTS`.
    rule : str
        What was checked: count, limits, survival, order, same, sum, follow-up.
    results : tuple of str
        Ids of results or sums; empty of a statement.
    said : str
        The arithmetic in one line.
    """

    verdict: Verdict
    rule: str
    results: tuple[str, ...]
    said: str


def worst_first(findings: list[Finding]) -> list[Finding]:
    """Return findings by verdict, otherwise in their order.

    Examples
    --------
    >>> found = [Finding("consistent", "sum", (), "1 + 1 = 2"), Finding("impossible", "sum", (), "1 + 1 = 3")]
    >>> [finding.verdict for finding in worst_first(found)]
    ['impossible', 'consistent']
    """
    order = list(VERDICTS)
    return sorted(findings, key=lambda finding: order.index(finding.verdict))
