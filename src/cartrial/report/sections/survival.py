"""How long until the events? Kaplan–Meier, cumulative incidence, follow-up."""

from __future__ import annotations

from typing import Any

import polars as pl

from cartrial.analysis.times import LANDMARKS
from cartrial.report.blocks import Block, Definition, Details, Figure, Section, Table, Text
from cartrial.report.data import EVENT_WORDS, ReportData
from cartrial.report.figures.curve import Curve, draw_curves
from cartrial.report.rows import Stat, parts
from cartrial.report.sections.estimates import variant_names, variant_words
from cartrial.report.sections.primary import estimand_items
from cartrial.report.svg import COLOURS, DAYS_PER_MONTH
from cartrial.study import Endpoint

__all__ = ["HEAD", "build", "origin_words"]

HEAD = ("Endpoint", "Subjects", "Events", "Censored", "Median (days)", "95 % limits (days)", "Population", "Reader", "Strategies")
ORIGINS = {"first-response": "the first response", "day-0": "the first infusion", "enrolment": "enrolment"}


def origin_words(endpoint: Endpoint) -> str:
    """Return the title of a time axis."""
    return f"Months since {ORIGINS[endpoint.origin or 'day-0']} (1 month = 30.4375 days)"


def build(data: ReportData) -> Section:
    """Return the section on times to event."""
    title = "Times to event"
    if not data.rows.where("survival"):
        return Section("times", title, [Text("No relapse or survival was recorded, so no time to event is shown.")], "Times")
    blocks: list[Block] = []
    rows: list[tuple[Any, ...]] = []
    groups: set[int] = set()
    for endpoint in data.times():
        variants = [(name, _median(data, endpoint.id, name)) for name in variant_names(data, "survival", endpoint)]
        variants = [(name, found) for name, found in variants if found]
        if not variants:
            continue
        groups.add(len(rows))
        rows.append((f"{endpoint.label} ({endpoint.id})", *[""] * (len(HEAD) - 1)))
        rows.extend((variant_words(name), *found) for name, found in variants if found)
    if rows:
        caption = "Times to event by variant. NR: not reached. A contrast between strategies for transplant is a difference between questions, not an effect of transplant."
        blocks.append(Table(("Variant", *HEAD[1:]), rows, caption, numeric=(1, 2, 3, 4, 5), group=frozenset(groups), wide=True))
    blocks.extend(_landmarks(data))
    blocks.extend(_follow_up(data))
    for endpoint in data.times():
        blocks.extend(_figure(data, endpoint))
    for endpoint in data.times():
        blocks.extend(_incidence(data, endpoint))
    words = [Definition([("Endpoint", f"{endpoint.label} ({endpoint.id})"), *estimand_items(data.study, data.study.variants(endpoint)[0])]) for endpoint in data.times()]
    blocks.append(Details("Each time to event in words", words))
    return Section("times", title, blocks, "Times")


def _median(data: ReportData, endpoint: str, variant: str) -> tuple[Any, ...] | None:
    found = data.rows.where("survival", endpoint, variant=variant, by="", level="")
    stat = data.rows.stat
    median = stat(found, "median")
    if not found or (median is None and stat(found, "events") is None):
        return None
    limits = parts("{} to {}", stat(found, "median_lower"), stat(found, "median_upper"))
    first = found[0]
    counts = (stat(found, "N") or stat(found, "n"), stat(found, "events"), stat(found, "censored"))
    return (*counts, median, limits, first["population"], first["reader"], first["strategies"])


def _landmarks(data: ReportData) -> list[Block]:
    """Return the share without an event at the nominal months (30 days each) of the main analyses."""
    found = {endpoint.id: data.rows.where("survival", endpoint.id, variant="", by="", level="") for endpoint in data.times()}
    stat = data.rows.stat
    days = [day for day in LANDMARKS if any(stat(rows, "survival", time=day) for rows in found.values())]
    rows = []
    for endpoint in data.times():
        at = found[endpoint.id]
        cells = [parts("{} ({} to {})", *(stat(at, f"survival{end}", time=day) for end in ("", "_lower", "_upper"))) for day in days]
        if at and days:
            rows.append((f"{endpoint.label} ({endpoint.id})", *cells))
    if not rows:
        return []
    head = ("Endpoint", *(f"Month {day / 30:g} (day {day:g})" for day in days))
    caption = "Share without an event (%, Kaplan–Meier) with its limits at nominal months of 30 days, main analyses"
    return [Table(head, rows, caption, numeric=tuple(range(1, len(head))), wide=True)]


def _points(rows: list[dict[str, Any]], name: str) -> list[tuple[float, float, float | None, float | None]]:
    at: dict[float, dict[str, float | None]] = {}
    for row in rows:
        if row["statistic"] in (name, f"{name}_lower", f"{name}_upper") and row["time"] is not None:
            at.setdefault(row["time"], {})[row["statistic"]] = row["value"]
    return [(day, value[name], value.get(f"{name}_lower"), value.get(f"{name}_upper")) for day, value in sorted(at.items()) if value.get(name) is not None]


def _risk(data: ReportData, rows: list[dict[str, Any]]) -> list[tuple[float, Stat]]:
    found = [(row["time"], data.rows.stat([row], "at_risk")) for row in rows if row["statistic"] == "at_risk" and row["time"] is not None]
    months = [pair for pair in found if abs(pair[0] / DAYS_PER_MONTH - round(pair[0] / DAYS_PER_MONTH)) < 0.02]
    return sorted(months or found, key=lambda pair: pair[0])


def _figure(data: ReportData, endpoint: Endpoint) -> list[Block]:
    found = data.rows.where("survival", endpoint.id, variant="", by="", level="")
    points = _points(found, "survival")
    times = data.adam.adtte.filter((pl.col("PARAMCD") == endpoint.id) & (pl.col("VARIANT") == ""))
    if not found or times.is_empty():
        return [Text(f"{endpoint.label}: no subject has a time, so no curve is drawn.")]
    censored = sorted(times.filter(pl.col("CNSR") == 1)["AVAL"].drop_nulls().to_list())
    curve = Curve(endpoint.label, COLOURS["blue"], points, censored, _risk(data, found), times["AVAL"].max() or 0)
    svg = draw_curves([curve], title=f"{endpoint.label}: Kaplan–Meier curve", ylabel="Share alive" if endpoint.events == ("death",) else "Share without an event", xlabel=origin_words(endpoint), band=data.band)
    first = found[0]
    stat = data.rows.stat
    caption = parts(
        "{} ({}). Median (days): {} ({} to {}); events: {} among {} subjects. Population: {}; reader: {}; {}. Band: 95 % log(−log) limits; ticks: censored.",
        endpoint.label,
        endpoint.id,
        stat(found, "median"),
        stat(found, "median_lower"),
        stat(found, "median_upper"),
        stat(found, "events"),
        stat(found, "N") or stat(found, "n"),
        first["population"],
        first["reader"],
        first["strategies"],
    )
    return [Figure(svg, caption)]


def _incidence(data: ReportData, endpoint: Endpoint) -> list[Block]:
    blocks: list[Block] = []
    everything = data.rows.where("incidence", endpoint.id)
    colours = (COLOURS["red"], COLOURS["black"], COLOURS["blue"], COLOURS["orange"])
    for variant in dict.fromkeys(row["variant"] for row in everything):
        rows = [row for row in everything if row["variant"] == variant]
        curves = []
        end = max((row["time"] or 0 for row in rows), default=0)
        for i, level in enumerate(dict.fromkeys(row["level"] for row in rows if row["statistic"] == "incidence")):
            at = [row for row in rows if row["level"] == level]
            curves.append(Curve(EVENT_WORDS.get(level, level), colours[i % 4], _points(at, "incidence"), (), _risk(data, at), end))
        if not curves:
            continue
        first = rows[0]
        svg = draw_curves(curves, title=f"{endpoint.label}: cumulative incidence", ylabel="Cumulative incidence", xlabel=origin_words(endpoint), band=data.band, rising=True)
        caption = f"{endpoint.label}: cumulative incidence of each event, the others competing. Population: {first['population']}; reader: {first['reader']}; {first['strategies']}."
        blocks.append(Figure(svg, caption))
    return blocks


def _follow_up(data: ReportData) -> list[Block]:
    stat = data.rows.stat
    said: list[Block] = []
    for endpoint in data.times():
        found = data.rows.where("survival", endpoint.id, variant="", by="follow-up")
        median = stat(found, "median")
        if median:
            limits = (stat(found, "median_lower"), stat(found, "median_upper"))
            pattern = "Median follow-up for {} by the reverse Kaplan–Meier estimate: {} days ({} to {}); population: {}."
            said.append(Text(parts(pattern, endpoint.label[:1].lower() + endpoint.label[1:], median, *limits, found[0]["population"])))
    return said
