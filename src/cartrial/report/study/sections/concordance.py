"""Do the readers agree?"""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Note, Section, Table, Text
from cartrial.report.page.rows import ResultRow, parts
from cartrial.report.study.data import ReportData
from cartrial.study.criteria.codes import RESPONSES

__all__ = ["build"]

WHAT = {"visit": "assessments", "best": "best response"}
NO_LIMITS = "none: the formula has no width here"
"""Where readers agree throughout, or one gives one call alone, the standard error is 0, which is no certainty."""


def build(data: ReportData) -> Section:
    """Return the section on reader concordance."""
    title, short = "Reader concordance", "Readers"
    found = [row for row in data.rows.where("concordance") if row["by"] != data.study.disease.family.names.event]
    if not found:
        return Section("readers", title, [Text("No two readers read the same subjects, so no concordance is shown.")], short)
    blocks: list[Block] = [_agreement(data, found)]
    blocks.append(Note(f"{_categories(data)} Reads are paired by date, nearest within 7 days."))
    for reader, endpoint in _groups(found):
        blocks.extend(_cross(data, reader, endpoint, found))
    blocks.extend(_informative(data))
    return Section("readers", title, blocks, short)


def _categories(data: ReportData) -> str:
    """Say on what the readers are compared."""
    family = data.study.disease.family
    groups = [sorted(group, key=RESPONSES.index) for group in family.agreement.values()]
    one = [f"{', '.join(group[:-1])} and {group[-1]} are one" for group in groups]
    return f"Agreement is on the category: {', '.join(one)}, every other call its own." if one else "Every call is a category of its own."


def _groups(found: list[ResultRow]) -> list[tuple[str, str]]:
    return sorted(dict.fromkeys((row["reader"], row["endpoint"]) for row in found), key=lambda pair: (pair[0], pair[1] != "visit"))


def _agreement(data: ReportData, found: list[ResultRow]) -> Table:
    rows = []
    for reader, endpoint in _groups(found):
        at = [row for row in found if row["reader"] == reader and row["endpoint"] == endpoint and not row["level"]]
        total, agreement, kappa, lower, upper = (data.rows.stat(at, name) for name in ("N", "agreement", "kappa", "lower", "upper"))
        limits = parts("{} to {}", lower, upper) if _known(at, "lower") or not _known(at, "kappa") else NO_LIMITS
        rows.append((reader, WHAT.get(endpoint, endpoint), total, agreement, kappa, limits))
    head = ("Readers", "Compared by", "Pairs", "Agreement (%)", "Cohen's kappa", f"{data.study.interval.text} interval")
    return Table(head, rows, "Agreement of two readers", numeric=(2, 3, 4, 5), name="agreement")


def _known(rows: list[ResultRow], statistic: str) -> bool:
    return any(row["statistic"] == statistic and row["value"] is not None for row in rows)


def _cross(data: ReportData, reader: str, endpoint: str, found: list[ResultRow]) -> list[Block]:
    cells = {}
    for row in found:
        if row["reader"] == reader and row["endpoint"] == endpoint and row["level"]:
            first, _, second = row["level"].partition(" | ")
            cells[first, second] = data.rows.stat([row], "n")
    if not cells:
        return []
    place = {call: i for i, call in enumerate(data.study.disease.family.best_first)}
    down = sorted({first for first, _ in cells}, key=lambda call: place.get(call, 99))
    across = sorted({second for _, second in cells}, key=lambda call: place.get(call, 99))
    names = reader.split(" and ")
    body = [(call, *(cells.get((call, other), "") for other in across)) for call in down]
    caption = f"{reader}, by {WHAT.get(endpoint, endpoint)}: {names[0]} down, {names[-1]} across; an empty cell did not occur"
    return [Table(("", *across), body, caption, numeric=tuple(range(1, len(across) + 1)), small=True, name="cross")]


def _informative(data: ReportData) -> list[Block]:
    found = data.rows.where("concordance", by=data.study.disease.family.names.event)
    if not found:
        return []
    labels = {endpoint.id: endpoint.label for endpoint in data.study.endpoints}
    rows = [
        (f"{labels.get(row['endpoint'], row['endpoint'])} ({row['endpoint']})", row["population"], data.rows.stat([row], "n"))
        for row in found
    ]
    caption = (
        "Possibly informative censoring: subjects censored for new therapy whom the investigator had called "
        f"{data.study.disease.family.names.happened} and the committee had not"
    )
    return [Table(("Endpoint", "Population", "Subjects"), rows, caption, numeric=(2,), small=True, name="informative")]
