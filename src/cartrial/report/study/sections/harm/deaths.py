"""Who died, by when, and of what?"""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Details, Note, Table, Text
from cartrial.report.page.rows import Cell, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.sections.harm.words import joined, of_all

__all__ = ["death_blocks"]


def death_blocks(data: ReportData) -> list[Block]:
    """Return deaths of the infused within some days and at all, their causes, and each with its day."""
    found = data.rows.where("safety", "DEATH")
    if not found:
        return [Text("Neither survival nor a death was recorded, so deaths are not counted.")]
    rows: list[tuple[Cell, ...]] = []
    notes: list[Block] = []
    for window in sorted({row["window"] for row in found if row["by"] == "" and row["window"]}, key=lambda text: (len(text), text)):
        at = [row for row in found if row["by"] == "" and row["window"] == window]
        shorter, unknown = data.rows.stat(at, "shorter"), data.rows.stat(at, "unknown")
        more = [parts("{} followed for less", shorter)] if shorter and shorter.value else []
        more += [parts("of {} the date is partial and may lie outside", unknown)] if unknown else []
        rows.append((f"W{window[1:]}", of_all(data, at), joined(more)))
    rows.append((f"At any time {data.until}", of_all(data, [row for row in found if row["by"] == "" and not row["window"]]), ""))
    groups: set[int] = set()
    causes = [row for row in found if row["by"] == "cause"]
    levels = list(dict.fromkeys(row["level"] for row in causes))
    if levels and levels != [""]:
        groups.add(len(rows))
        rows.append(("By cause", "", ""))
        for level in levels:
            rows.append((level[0].upper() + level[1:], of_all(data, [row for row in causes if row["level"] == level]), ""))
    elif levels:
        notes.append(Note("No cause of death was recorded (DD, or an adverse event that was fatal)."))
    head: tuple[str, ...] = ("Deaths", "n/N infused (%)", "In N")
    if not any(row[2] for row in rows):
        head, rows = head[:2], [row[:2] for row in rows]
    blocks: list[Block] = [
        Table(
            head,
            rows,
            "Deaths of infused subjects, days from the infusion",
            numeric=(1,),
            group=frozenset(groups),
            small=True,
            name="deaths",
        )
    ]
    if any(row["statistic"] == "shorter" and row["value"] for row in found):
        notes.insert(
            0,
            Note("Followed for less: alive when last seen, before that day; these subjects are in N, and not known to have lived so long."),
        )
    return [*blocks, *notes, *_each(data)]


def _each(data: ReportData) -> list[Block]:
    dead = data.infused.filter(data.infused["DTHFL"] == "Y").sort("DTHDAY", "USUBJID")
    if not dead.height:
        return []
    rows = [
        (
            data.labels[row["SUBJ"]],
            row["DTHDT"].isoformat() if row["DTHDT"] else "",
            "" if row["DTHDAY"] is None else row["DTHDAY"],
            row.get("DTHSRC") or "",
        )
        for row in dead.iter_rows(named=True)
    ]
    head = ("Subject", "Date", "Day", "Source domain")
    table = Table(head, rows, "Deaths of infused subjects", numeric=(2,), small=True, name="each-death")
    return [Details("Each death", [table, Note("A date that was partial is imputed and flagged in adam/ADSL.")])]
