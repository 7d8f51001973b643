"""What is the primary result? The number, and all that it is a number of."""

from __future__ import annotations

from markupsafe import Markup

from cartrial.report.page.blocks import Big, Block, Card, Note, Text
from cartrial.report.page.rows import ResultRow, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.lacking import is_absent
from cartrial.report.study.phrases import READER_NAMES, strategies_sentence
from cartrial.report.study.sections.estimates import find_rate
from cartrial.study import Endpoint

__all__ = ["primary_card"]

OTHERS = 2
"""Warnings of other endpoints that stand with the primary result."""


def primary_card(data: ReportData, doubts: int) -> Card:
    """Return the box of the primary result; `doubts`: how many points it is to be read with."""
    endpoint = data.primary
    if endpoint is None:
        return Card("Primary endpoint", [Text("The study has no endpoint, so nothing is estimated.")], "main")
    role = "Primary endpoint" if endpoint.role == "primary" else "First endpoint (the study file names no primary one)"
    shown = {"response-rate": _rate, "time-to-event": _time, "best-response": _best}[endpoint.type](data, endpoint)
    blocks: list[Block] = [*shown, *(Note(words, warning=True) for words in _warnings(data, endpoint))]
    read = Markup('<a href="#primary">Definition and reasons</a>')
    if doubts:
        points = "1 point" if doubts == 1 else f"{doubts} points"
        read += Markup(' · <a href="#doubts">What is doubtful: {}</a>').format(points)
    return Card(f"{role}: {endpoint.label}", [*blocks, Text(read)], "main")


def _warnings(data: ReportData, endpoint: Endpoint) -> list[str]:
    """Return every warning that touches the endpoint, and the first of the others (rules, A3: on the first screen)."""
    told = [note for note in data.notices if note.severity == "warning"]
    ours = [note.message for note in told if endpoint.id in note.endpoints]
    others = [note.message for note in told if endpoint.id not in note.endpoints]
    more = f" ({len(others) - OTHERS} more below)" if len(others) > OTHERS else ""
    return ours + others[: OTHERS - 1] + [words + more for words in others[OTHERS - 1 : OTHERS]]


def _said(row: ResultRow, endpoint: Endpoint) -> Markup:
    """Return population, window, reader and strategies of a row."""
    reader = row["reader"]
    who = Markup(" Reader: {} ({}).").format(READER_NAMES.get(reader, reader), reader) if reader else Markup("")
    window = row["window"]
    said = Markup("{}{}.").format(window[:1].upper(), window[1:]) if window else Markup("")
    sentence = strategies_sentence(row["strategies"], endpoint.type)
    return said + who + (Markup(" {}{}.").format(sentence[:1].upper(), sentence[1:]) if sentence else Markup(""))


def _rate(data: ReportData, endpoint: Endpoint) -> list[Block]:
    estimate = find_rate(data, endpoint.id)
    if estimate is None or estimate.rate is None:
        return [Text("No subject of its population was recorded, so the primary endpoint is not estimated.")]
    row = data.rows.where("response", endpoint.id, variant="", by="", level="")[0]
    if estimate.absent:
        return [Big(estimate.rate, "", _said(row, endpoint), parts("{} subjects", estimate.population), endpoint.label)]
    beside: list[Markup] = []
    if estimate.waiting and estimate.waiting.value:
        beside.append(parts("{} more not yet assessable", estimate.waiting))
    if estimate.unread:
        beside.append(parts("{} of them not read by {}", estimate.unread, estimate.reader))
    who = parts("{} of {} {}", estimate.n, estimate.total, estimate.population)
    level = f"{100 * (estimate.level or 0.95):g}"
    interval = parts("{} % interval {} to {} % ({})", level, estimate.lower, estimate.upper, estimate.method)
    first = Markup("; ").join([who, *beside]) + Markup("; ") + interval
    return [Big(estimate.rate, "%", _said(row, endpoint), first, endpoint.label)]


def _time(data: ReportData, endpoint: Endpoint) -> list[Block]:
    found = data.rows.where("survival", endpoint.id, variant="", by="", level="")
    median, stat = data.rows.months(found), data.rows.stat
    if median is None:
        return [Text("No subject of its population has a time, so the primary endpoint is not estimated.")]
    if is_absent(median.text):
        return [Big(median, "", _said(found[0], endpoint), parts("{} subjects", found[0]["population"]), endpoint.label)]
    level = next((row["conf_level"] for row in found if row["statistic"] == "median_lower"), None)
    limits = (data.rows.months(found, "_lower"), data.rows.months(found, "_upper"))
    counts = (stat(found, "events"), stat(found, "N"), found[0]["population"])
    first = parts("Median, Kaplan–Meier; {} % limits {} to {} months; {} events of {} {}", f"{100 * (level or 0.95):g}", *limits, *counts)
    return [Big(median, "months", _said(found[0], endpoint), first, endpoint.label)]


def _best(data: ReportData, endpoint: Endpoint) -> list[Block]:
    found = data.rows.where("response", endpoint.id, variant="", by="best")
    if not found:
        return [Text("No subject of its population was recorded, so the primary endpoint is not estimated.")]
    order = data.study.disease.family.best_first
    levels = sorted({row["level"] for row in found if row["level"]}, key=order.index)
    total = data.rows.stat(found, "N", level="")
    each = [
        parts("{}: {}/{} ({} %)", level, data.rows.stat(found, "n", level=level), total, data.rows.stat(found, "rate", level=level))
        for level in levels
    ]
    return [Text(Markup("; ").join(each)), Text(parts("{}; {}", found[0]["population"], _said(found[0], endpoint)))]
