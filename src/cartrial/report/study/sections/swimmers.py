"""What happened to each subject?"""

from __future__ import annotations

import polars as pl

from cartrial.report.figures.swimmer import Swimmer, draw_swimmers
from cartrial.report.page.blocks import Block, Figure, Section, Text
from cartrial.report.study.data import ReportData
from cartrial.study.criteria.codes import words_of

__all__ = ["build"]

PART = 48
METHODS = ("PET-CT", "CT")


def build(data: ReportData) -> Section:
    """Return the swimmer plot, in parts that fit a page."""
    title = "Subjects over time"
    family = data.study.disease.family
    names = family.names
    if not data.followed:
        why = data.nobody or f"No {names.event} or survival was recorded"
        nothing = Text(f"{why}, so no course over time is drawn.")
        return Section("swimmers", title, [nothing], "Subjects")
    swimmers = _swimmers(data)
    if not swimmers:
        return Section(
            "swimmers",
            title,
            [Text("No infused subject has an assessment or a contact with a day, so no swimmer plot is drawn.")],
            "Subjects",
        )
    last = max(swimmer.end for swimmer in swimmers)
    reader = data.study.readers.primary
    blocks: list[Block] = []
    pieces = -(-len(swimmers) // PART)
    size = -(-len(swimmers) // pieces)
    for part in range(pieces):
        where = f" ({part + 1} of {pieces})" if pieces > 1 else ""
        document = draw_swimmers(
            swimmers,
            size=size,
            part=part,
            last=last,
            title=f"One line a subject: {names.response}, {names.event}, transplant, new therapy and death{where}",
            band=data.band,
            stretch=f"in {names.response}",
        )
        said = (
            f"Infused subjects{where}, longest known first. Assessments by the primary reader ({reader}); grey: time "
            f"known; green: from the first {family.said()} to {names.event} or the last assessment in {names.response}. "
            "A click opens the subject, as the menu above does."
        )
        if any(mark in METHODS for swimmer in swimmers for _, mark in swimmer.marks):
            said += " A bar across a line is a scan that was read: PET-CT, or CT alone."
        blocks.append(Figure(document, said, "swimmer"))
    return Section("swimmers", title, blocks, "Subjects")


def _swimmers(data: ReportData) -> list[Swimmer]:
    reader = data.study.readers.primary
    read = data.adam.adresp.filter((pl.col("READER") == reader) & (pl.col("CARDAY") > 0) & (pl.col("ADEQUATE") == "Y")).sort(
        "SUBJ", "CARDAY"
    )
    calls: dict[int, list[tuple[float, str]]] = {}
    scans: dict[int, list[tuple[float, str]]] = {}
    for subject, day, call, method in read.select("SUBJ", "CARDAY", "AVALC", "METHOD").iter_rows():
        calls.setdefault(subject, []).append((float(day), call))
        if method is not None:
            scans.setdefault(subject, []).append((float(day), method))
    events = _events(data)
    roles = data.study.disease.family.roles
    responds, ends = words_of(roles.responds), words_of(roles.ends)
    swimmers = []
    for row in data.infused.select("SUBJ", "LSTALDAY", "DTHDAY").iter_rows(named=True):
        subject = row["SUBJ"]
        seen = calls.get(subject, [])
        shown = _changes(seen, responds + ends)
        death = row["DTHDAY"]
        known = (
            [day for day in (death, row["LSTALDAY"]) if day is not None]
            + [day for day, _ in seen]
            + [day for day, _ in events.get(subject, [])]
        )
        if not known:
            continue
        end = float(death if death is not None else max(known))
        swimmers.append(
            Swimmer(
                data.labels[subject],
                end,
                _stretch(seen, responds, ends),
                _marks(scans.get(subject, []) + shown, events.get(subject, []), death, end),
                f"{data.page_of_subjects}#{data.addresses[subject]}",
            )
        )
    return sorted(swimmers, key=lambda swimmer: (-swimmer.end, swimmer.label))


def _events(data: ReportData) -> dict[int, list[tuple[float, str]]]:
    """Return the day of the first transplant and of the first new therapy of each subject."""
    frame = data.infused.select("SUBJ", pl.col("HSCTDAY").alias("hsct"), pl.col("NEWDAY").alias("new-therapy")).unpivot(index="SUBJ")
    events: dict[int, list[tuple[float, str]]] = {}
    for subject, what, day in frame.drop_nulls("value").sort("SUBJ", "value").iter_rows():
        events.setdefault(subject, []).append((float(day), what))
    return events


def _stretch(seen: list[tuple[float, str]], responds: tuple[str, ...], ends: tuple[str, ...]) -> list[tuple[float, float]]:
    start = next((day for day, call in seen if call in responds), None)
    # what follows an event that no response preceded does not count
    if start is None or any(call in ends and day < start for day, call in seen):
        return []
    event = next((day for day, call in seen if call in ends and day > start), None)
    return [(start, event if event is not None else max(day for day, call in seen if call in responds))]


def _changes(seen: list[tuple[float, str]], shown: tuple[str, ...]) -> list[tuple[float, str]]:
    """Return the calls that are drawn, each where it is another than the one before it."""
    before = ["", *(call for _, call in seen)]
    return [(day, call) for (day, call), last in zip(seen, before, strict=False) if call != last and call in shown]


def _marks(calls: list[tuple[float, str]], events: list[tuple[float, str]], death: float | None, end: float) -> list[tuple[float, str]]:
    marks = list(calls)
    marks.extend(events)
    marks.append((end, "ongoing") if death is None else (float(death), "death"))
    return marks
