"""What has to be known of an endpoint beside its number? What the source lacks, and what the study file assumes in its place."""

from __future__ import annotations

from cartrial.report.study.data import ReportData
from cartrial.study import Endpoint

__all__ = ["beside", "is_absent"]


def beside(data: ReportData, endpoint: Endpoint) -> list[tuple[str, str]]:
    """Return what is not known of an endpoint, and what was assumed of it, as terms with their text."""
    touched = [note for note in data.notices if endpoint.id in note.endpoints]
    items = [("Not known", note.message) for note in touched if note.rule == "domain-not-recorded"]
    items += [("Warning", note.message) for note in touched if note.rule != "domain-not-recorded"]
    return [*items, *(("Assumed", words) for words in data.assumed_of(endpoint))]


def is_absent(text: str) -> bool:
    """Whether a statistic's text says that the source cannot give it."""
    return text.startswith(("not recorded", "not derived"))
