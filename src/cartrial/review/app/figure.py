"""How is the evidence of a case drawn? The figure of a subject's course, with what a reader may see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cartrial.report.figures.course import Course, Measure, Sheet, draw_course
from cartrial.report.figures.style import Document
from cartrial.report.study.subject.course import as_measure, as_placed
from cartrial.review.compare import limit_of
from cartrial.review.evidence import GIVEN, SHOWN
from cartrial.study import Study

__all__ = ["draw_case"]

_EMD, _PET, _INVOLVED = "outside marrow", "PET score", "marrow"
_MEASURED = (*SHOWN, "size")
_LINES = {"emd": _EMD, "pet": _PET, "involvement": _INVOLVED}
_IN_TABLES = ("lesion", "spleen", "worsened")
_OWN = "your calls"


def draw_case(study: Study, evidence: Mapping[str, Any], calls: Sequence[tuple[int, str]], band: str) -> Document:
    """Return the figure of a case as a Vega-Lite document.

    Parameters
    ----------
    study : Study
    evidence : mapping
        Of the case.
    calls : sequence of (day, status)
        Of the reader, at earlier assessments of the subject.
    band : str
        Of the provenance; blank for real data.
    """
    samples: dict[str, list[tuple[float, float | None, str, str]]] = {}
    given: list[tuple[float, float, str, str]] = []
    for row in evidence["rows"]:
        day = float(row["day"])
        if row["what"] in _MEASURED:
            if row["value"] is not None or row["kind"]:
                samples.setdefault(row["what"], []).append((day, row["value"], row["kind"], row["words"]))
        elif row["what"] in _LINES:
            given.append((day, day, _LINES[row["what"]], row["words"]))
        elif row["what"] not in _IN_TABLES:
            given.append((day, day, row["what"], row["words"]))
    measures = {key: as_measure(key, samples.get(key, ())) for key in _MEASURED}
    shown = [measure for measure in measures.values() if measure is not None]
    lines = [line for line in (*GIVEN, *_LINES.values()) if any(row[2] == line for row in given)]
    # the order of the family: shapes and colours are those of every other figure
    statuses = [status for status in study.disease.family.best_first if any(call == status for _, call in calls)]
    days = [row["day"] for row in evidence["rows"]] or [0]
    first, last = min(0, *days), max(evidence["day"], *days)
    course = Course(
        f"up to day {evidence['day']}",
        first - 0.02 * max(last, 30),
        max(last * 1.02, 30.0),
        [(float(day), _OWN, call) for day, call in calls],
        sorted(given),
        [(0.0, "infusion"), (float(evidence["day"]), f"day {evidence['day']}")],
        {measure.key: [as_placed(measure, sample) for sample in samples[measure.key]] for measure in shown},
    )
    return draw_course(Sheet([_OWN], statuses, lines, [_with_limit(study, measure) for measure in shown], in_days=True), course, band=band)


def _with_limit(study: Study, measure: Measure) -> Measure:
    """Return a panel with the limit of a complete remission, or of residual disease, as a dashed line."""
    if measure.key == "mrd":
        return replace(measure, limit=study.disease.mrd.negative_below)
    bound = limit_of(study, measure.key)
    return replace(measure, limit=bound.value) if bound else measure
