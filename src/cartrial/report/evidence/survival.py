"""How do published survival, the study's own curves, curves of figures and virtual trials lie beside each other?"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cartrial.analysis.wording import DAYS_PER_MONTH
from cartrial.evidence import Result
from cartrial.evidence.registry.stated import NOT_REACHED, NOT_STATED, exact
from cartrial.evidence.registry.words import measure_words, number_words, population_words
from cartrial.report.evidence.data import ContextData, months_of
from cartrial.report.figures.together import Area, Middle, Point, Stepped, draw_together
from cartrial.report.page.blocks import Block, Details, Figure, Note, Section, Table, Text
from cartrial.sdtm.source import many
from cartrial.study.words import EVENTS

if TYPE_CHECKING:
    from cartrial.study import Endpoint

__all__ = ["build"]

_NAMES = {"OS": "Overall survival", "EFS": "Event-free survival", "RFS": "Relapse-free survival", "DOR": "Duration of response"}
_HEAD = ("Trial", "Measure", "Published", "From", "Transplant", "Doubt", "Source")
Key = tuple[str, str]


def build(data: ContextData) -> Section:
    """Return a figure for each endpoint and population: published times and medians over curves."""
    held: dict[Key, list[tuple[str, Result]]] = defaultdict(list)
    for trial, one in data.results():
        if one.measure.type in ("survival", "median") and one.value is not None and one.measure.endpoint:
            held[one.measure.endpoint, one.group if one.population == "other" else one.population].append((trial, one))
    asked: dict[Key, Endpoint] = {
        (endpoint.id, endpoint.population): endpoint for endpoint in data.study.endpoints if endpoint.type == "time-to-event"
    }
    first = [key for key in asked if key in held or data.own is not None or data.simulated is not None]
    rest = sorted((key for key in held if key not in asked), key=lambda key: (-len(held[key]), key))
    blocks: list[Block] = [
        Text(
            "Published survival stands as points with limits as printed, hollow where a check speaks against it; medians are lines at one "
            "half from limit to limit, to the edge where the upper one was not reached. A median that was not reached has no mark; its row "
            "is in the table below its figure."
        )
    ]
    blocks += [block for key in first for block in _blocks(data, key, held.get(key, []), asked[key])]
    folded = [block for key in rest if len(held[key]) > 1 for block in _blocks(data, key, held[key], None)]
    # a figure of one point says no more than its row
    alone = [_row(data, *held[key][0]) for key in rest if len(held[key]) == 1]
    folded += [Table(_HEAD, alone, "Endpoints and populations of which one number was published", wide=True)] if alone else []
    if folded:
        blocks.append(Details(f"{len(rest)} other endpoints and populations", folded))
    if data.curves:
        blocks.append(Note("Of a figure, no data: " + "; ".join(curve.told for curve in data.curves) + "."))
    return Section("survival", "Published survival, beside curves", blocks, "Survival")


def _blocks(data: ContextData, key: Key, rows: list[tuple[str, Result]], endpoint: Endpoint | None) -> list[Block]:
    name, population = key
    points, middles = _published(data, rows)
    curves, areas, said = _curves(data, name, endpoint)
    title = f"{_NAMES.get(name, name)}, {population}"
    band = "VIRTUAL PATIENTS: curve and band are simulated" if _virtual(data, curves, areas) else ""
    caption = f"{title}. {_stated(rows)}{said}"
    blocks: list[Block] = []
    if points or middles or curves or areas:
        figure = draw_together(points, middles, curves, areas, title=title, band=band)
        blocks.append(Figure(figure, caption, f"survival-{name}-{population}"))
    else:
        blocks.append(Text(caption))
    if rows:
        table = Table(_HEAD, [_row(data, *row) for row in rows], title, wide=True)
        blocks.append(Details(f"{title}: {many(len(rows), 'published number')}", [table]))
    return blocks


def _virtual(data: ContextData, curves: list[Stepped], areas: list[Area]) -> bool:
    return bool(areas) or (data.provenance == "virtual" and any(curve.kind == "This study" for curve in curves))


def _published(data: ContextData, rows: list[tuple[str, Result]]) -> tuple[list[Point], list[Middle]]:
    points, middles = [], []
    for trial, one in rows:
        kind = "Published, of this trial" if data.is_own(trial) else "Published, of other trials"
        label = f"{data.evidence.trials[trial].trial.name}, {population_words(one)}\n{measure_words(one.measure)}: {number_words(one)}"
        doubt = data.doubt(one.id)
        label += f"\nsee contradictions, {doubt}" if doubt else ""
        assert one.value is not None
        if one.value.text in NOT_REACHED:
            continue
        value = float(exact(one.value.text))
        ends = [None if text in NOT_REACHED else float(exact(text)) for text in one.interval.text] if one.interval else [None, None]
        if one.measure.type == "survival":
            month = months_of(float(exact(str(one.measure.time))), str(one.measure.unit))
            low, high = ends
            points.append(
                Point(kind, label, month, value / 100, None if low is None or high is None else (low / 100, high / 100), bool(doubt))
            )
        else:
            lower, upper = (None if end is None else months_of(end, one.value.unit) for end in ends)
            middles.append(Middle(kind, label, months_of(value, one.value.unit), lower, upper))
    return points, middles


def _curves(data: ContextData, name: str, endpoint: Endpoint | None) -> tuple[list[Stepped], list[Area], str]:
    curves = [Stepped("Reconstructed from a figure", curve.months, curve.survival) for curve in data.curves if curve.endpoint == name]
    areas: list[Area] = []
    said = ""
    if endpoint is None:
        # a curve of a figure is drawn with the study's own endpoint alone, so that it stands once
        return [], [], ""
    if data.own is not None:
        rows = data.own.where("survival", name, variant="", by="", statistic="survival")
        steps = [(row["time"] / DAYS_PER_MONTH, row["value"]) for row in rows if row["time"] is not None and row["value"] is not None]
        if steps:
            curves.insert(0, Stepped("This study", [month for month, _ in steps], [value for _, value in steps]))
            n = data.own.stat(data.own.where("survival", name, variant="", by=""), "N")
            strategies = "; ".join(f"{EVENTS[event]}: {strategy.replace('-', ' ')}" for event, strategy in endpoint.strategies.items()[:2])
            said += f" This study: n {n}, from {str(endpoint.origin).replace('-', ' ')}, {strategies}."
    if data.simulated is not None and name in data.simulated.bands:
        band = data.simulated.bands[name]
        areas.append(Area("Virtual trials, 80 % of them", *(list(part) for part in zip(*band, strict=True))))
        said += f" Band: the middle 80 % of {data.simulated.trials} virtual trials, while nine in ten of them have somebody at risk."
    return curves, areas, said


def _stated(rows: list[tuple[str, Result]]) -> str:
    if not rows:
        return "Nothing was published of it."
    silent = sum(one.measure.origin in (None, NOT_STATED) for _, one in rows)
    hsct = sum(one.strategies["hsct"] == NOT_STATED for _, one in rows)
    return f"{many(len(rows), 'published number')}; from when time runs is not stated of {silent}, what a transplant does of {hsct}."


def _row(data: ContextData, trial: str, one: Result) -> tuple[str, ...]:
    return (
        f"{data.evidence.trials[trial].trial.name}, {population_words(one)}",
        measure_words(one.measure),
        number_words(one),
        str(one.measure.origin),
        one.strategies["hsct"],
        data.doubt(one.id),
        data.evidence.sources[one.source].citation,
    )
