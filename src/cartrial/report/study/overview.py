"""How did each subject fare, on one line? Every endpoint's main value, transplant, new therapy and death."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from markupsafe import Markup

from cartrial.analysis.wording import DAYS_PER_MONTH
from cartrial.endpoints.rules.codes import COMPETING_FROM
from cartrial.report.page.blocks import Block, Table, Text
from cartrial.report.page.rows import ABSENT, Cell
from cartrial.report.study.data import EVENT_WORDS, ReportData, reason_words
from cartrial.report.study.phrases import lower_first
from cartrial.study import Endpoint

__all__ = ["overview_blocks"]

SHORT = {"Y": "yes", "N": "no", "NYA": "open"}
EVENTS = {"HSCTDAY": "Transplant", "NEWDAY": "New therapy", "DTHDAY": "Death"}
NOTE = (
    "A time is in months of 30.4375 days from its origin, its days on hover: + censored, * ended by a competing event. Transplant, new "
    "therapy and death are in months from the first infusion. open: not yet assessable; a dash: not in the population, or did not happen."
)


def overview_blocks(data: ReportData) -> list[Block]:
    """Return the table of one line a subject, and the endpoints that the source cannot give of anybody."""
    values = {endpoint.id: _main(data, endpoint) for endpoint in data.study.endpoints}
    shown = [endpoint for endpoint in data.study.endpoints if any(_known(endpoint, row) for row in values[endpoint.id].values())]
    if not shown:
        return []
    events = [name for name in EVENTS if name in data.adam.adsl.columns and data.adam.adsl[name].null_count() < data.adam.adsl.height]
    rows = []
    for row in data.adam.adsl.sort("SUBJ").iter_rows(named=True):
        own = [values[endpoint.id].get(row["SUBJ"]) for endpoint in shown]
        if row["INFFL"] != "Y" and not any(own):
            continue
        cells = [_cell(data, endpoint, value) for endpoint, value in zip(shown, own, strict=True)]
        rows.append((data.link(row["SUBJ"]), _who(row), *cells, *(_months(row[name], "day {}") for name in events)))
    names = "; ".join(f"{endpoint.id}: {lower_first(endpoint.label)}" for endpoint in shown)
    head = ("Subject", "Sex, age", *(endpoint.id for endpoint in shown), *(EVENTS[name] for name in events))
    caption = f"One line a subject, main analyses. {names}"
    blocks: list[Block] = [Table(head, rows, caption, numeric=tuple(range(2, len(head))), note=NOTE, dense=True, name="overview")]
    # an endpoint without a value is not derived, not recorded, or of nobody
    lacking = [endpoint.id for endpoint in data.study.endpoints if endpoint not in shown]
    if lacking:
        blocks.append(Text(f"No subject has a value of: {', '.join(lacking)}."))
    return blocks


def _main(data: ReportData, endpoint: Endpoint) -> dict[int, Mapping[str, Any]]:
    frame = data.adam.adtte if endpoint.type == "time-to-event" else data.adam.adrs
    mine = frame.filter(pl.col("PARAMCD") == endpoint.id, pl.col("VARIANT") == "")
    return {row["SUBJ"]: row for row in mine.iter_rows(named=True)}


def _known(endpoint: Endpoint, value: Mapping[str, Any]) -> bool:
    """Whether a subject has a value: a best response is a word without a number, and so is what is not yet assessable."""
    return value["AVAL"] is not None or (endpoint.type != "time-to-event" and bool(value["AVALC"]))


def _who(row: Mapping[str, Any]) -> str:
    years = row.get("AGE")
    parts = (row.get("SEX") or "", "" if years is None else f"{years:g}")
    return ", ".join(part for part in parts if part)


def _cell(data: ReportData, endpoint: Endpoint, value: Mapping[str, Any] | None) -> Cell:
    if value is None:
        return ABSENT
    if endpoint.type == "time-to-event":
        return _time(value)
    said = SHORT.get(value["AVALC"] or "", value["AVALC"] or "")
    if not _known(endpoint, value):
        return _titled("not known", (value["RULE"] or "").partition(":")[0])
    reason = "" if value["REASON"] in (None, "", "response") else reason_words(data.study, value["REASON"])
    return _titled(said, reason) if reason else said


def _time(value: Mapping[str, Any]) -> Cell:
    if value["AVAL"] is None or value["CNSR"] is None:
        return _titled("not known", (value["RULE"] or "").partition(":")[0])
    event = EVENT_WORDS.get(value["EVNTDESC"], value["EVNTDESC"] or "")
    competes = value["CNSR"] >= COMPETING_FROM
    mark = "" if value["CNSR"] == 0 else "*" if competes else "+"
    said = event if value["CNSR"] == 0 else f"{event} (competing)" if competes else f"censored: {event}"
    return _titled(f"{value['AVAL'] / DAYS_PER_MONTH:.1f}{mark}", f"{value['AVAL']:g} days; {said}")


def _months(day: float | None, pattern: str) -> Cell:
    return ABSENT if day is None else _titled(f"{day / DAYS_PER_MONTH:.1f}", pattern.format(f"{day:g}"))


def _titled(text: str, title: str) -> Markup:
    return Markup('<span title="{}">{}</span>').format(title, text)
