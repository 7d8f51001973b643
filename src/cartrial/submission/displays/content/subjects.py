"""Which displays show who the subjects are? Section 14.1: disposition, sets, demographics, conduct."""

from __future__ import annotations

from collections.abc import Sequence

from cartrial.report.page.blocks import Box
from cartrial.report.study.phrases import READER_NAMES
from cartrial.submission.displays.content.found import Known, Plan
from cartrial.submission.displays.model import Display, Grid, Piece, Words, to_words

__all__ = ["subject_displays"]

FLOW = Plan("disposition", "14.1.1.1", "Disposition and milestones from consent to infusion", "consented", "ADSL; results: flow")
STATUS = Plan("status", "14.1.1.2", "Status of the subjects at the end of observation", "consented", "ADSL; results: flow")
SETS = Plan("analysis-sets", "14.1.1.3", "Analysis sets", "infused", "ADSL; results: flow")
DEVIATIONS = Plan("deviations", "14.1.1.4", "Protocol deviations", "infused", "DV; results: conduct")
MISSED = Plan("missed-assessments", "14.1.1.5", "Assessments of the disease by visit", "infused", "ADRS by visit; results: conduct")
BASELINE = Plan("baseline", "14.1.2.1", "Demographics and disease before lymphodepletion", "infused", "ADSL; results: baseline")


def subject_displays(known: Known) -> list[Display]:
    """Return the tables of disposition, analysis sets, conduct and baseline."""
    return [
        *_flow(known),
        *known.table(STATUS, "status"),
        *_sets(known),
        *known.table(DEVIATIONS, "deviations"),
        *known.table(MISSED, "missed"),
        *known.table(BASELINE, "baseline"),
    ]


def _flow(known: Known) -> list[Display]:
    if known.flow is None:
        return known.table(FLOW, "milestones")
    return [known.display(FLOW, "table", _boxes(("Milestone", "Subjects"), known.flow.boxes))]


def _sets(known: Known) -> list[Display]:
    if known.flow is None or not known.flow.ends:
        return []
    reader = known.study.readers.primary
    said = f"By the {READER_NAMES.get(reader, reader)} ({reader})."
    return [known.display(SETS, "table", _boxes(("Analysis set", "Subjects"), known.flow.ends), (Words((Piece(said),)),))]


def _boxes(head: tuple[str, str], boxes: Sequence[Box]) -> Grid:
    """Return the steps of a flow as rows, who was lost beneath the step that was not reached."""
    rows: list[tuple[Words, ...]] = []
    steps: set[int] = set()
    for box in boxes:
        steps.add(len(rows))
        note = f" ({box.note})" if box.note else ""
        rows.append((Words((Piece(f"{box.label}{note}"),)), to_words(box.number)))
        rows.extend((Words((Piece(label),)), to_words(number)) for label, number in box.losses)
    return Grid(head, tuple(rows), frozenset({1}), frozenset(steps))
