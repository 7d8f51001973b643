"""What are the other response rates, and how do they hang on the strategies?"""

from __future__ import annotations

from cartrial.report.figures.forest import Line, draw_forest
from cartrial.report.page.blocks import Block, Definition, Details, Figure, Note, Section, Table, Text
from cartrial.report.page.rows import Cell, ResultRow, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.lacking import beside
from cartrial.report.study.phrases import strategies_sentence, strategy_cells, variant_words
from cartrial.report.study.sections.estimates import Estimate, find_rate, variant_names
from cartrial.report.study.sections.primary import estimand_items
from cartrial.report.study.sizes import size_blocks
from cartrial.study import Endpoint
from cartrial.study.words import at_level

__all__ = ["HEAD", "build"]

HEAD = (
    "Endpoint",
    "n/N",
    "Rate (%)",
    "95 % interval (%)",
    "Not yet assessable",
    "Population",
    "Window",
    "Reader",
    "Transplant",
    "New therapy",
)


def build(data: ReportData) -> Section:
    """Return the section on all response endpoints and their sensitivity."""
    title = "Response"
    found: list[tuple[Endpoint, str, Estimate]] = []
    for endpoint in data.rates():
        for name in variant_names(data, "response", endpoint):
            estimate = find_rate(data, endpoint.id, name)
            if estimate is not None:
                found.append((endpoint, name, estimate))
    bests = [block for endpoint in data.bests() for block in _best(data, endpoint)]
    if not found:
        nothing: list[Block] = [] if bests else [Text(f"{data.nobody or 'No response was recorded'}, so no response rate is shown.")]
        return Section("response", title, [*nothing, *bests, *size_blocks(data)], title)
    head = at_level(data.study, HEAD)
    mains = [(f"{endpoint.label} ({endpoint.id})", estimate) for endpoint, name, estimate in found if not name]
    blocks: list[Block] = [
        Table(
            head,
            [_cells(label, estimate) for label, estimate in mains],
            "All response endpoints, main analyses",
            numeric=(1, 2, 3, 4),
            wide=True,
            name="rates",
        )
    ]
    blocks.extend([*bests, *size_blocks(data)])
    if any(endpoint.mrd for endpoint in data.rates()):
        blocks.append(
            Note(
                "MRD not evaluable and MRD missing are non-responders in a rate of MRD-negative remission; how many "
                "they are stands in the listing, by reason."
            )
        )
    blocks.extend(_unread(found))
    rates = {endpoint.id for endpoint in data.rates()}
    unknown = [note for note in data.notices if note.rule == "domain-not-recorded" and rates & set(note.endpoints)]
    blocks.extend(Note(note.message) for note in unknown)
    blocks.extend(_sensitivity(data, found, head))
    words = [
        Definition(
            [
                ("Endpoint", f"{endpoint.label} ({endpoint.id})"),
                *beside(data, endpoint),
                *estimand_items(data.study, data.study.variants(endpoint)[0]),
            ]
        )
        for endpoint in data.rates()
    ]
    blocks.append(Details("Each response endpoint in words", words, printed=False))
    return Section("response", title, blocks, title)


def _best(data: ReportData, endpoint: Endpoint) -> list[Block]:
    """Return how many subjects had each status as their best response, by variant."""
    rows: list[tuple[Cell, ...]] = []
    first: ResultRow | None = None
    for name in variant_names(data, "response", endpoint):
        found = data.rows.where("response", endpoint.id, variant=name, by="best")
        first = first or (found[0] if found else None)
        total = data.rows.stat(found, "N", level="")
        for level in sorted({row["level"] for row in found if row["level"]}, key=data.study.disease.family.best_first.index):
            count, rate = (data.rows.stat(found, statistic, level=level) for statistic in ("n", "rate"))
            rows.append((variant_words(name, endpoint.type), level, parts("{}/{}", count, total), rate or ""))
    if first is None:
        return []
    words = Details(f"{endpoint.label} in words", [Definition(estimand_items(data.study, data.study.variants(endpoint)[0]))])
    caption = (
        f"{endpoint.label} ({endpoint.id}): subjects by best status. Population: {first['population']}; {first['window']}; "
        f"reader: {first['reader']}; {strategies_sentence(first['strategies'], endpoint.type)}"
    )
    return [Table(("Variant", "Best response", "n/N", "Share (%)"), rows, caption, numeric=(2, 3), small=True, name="best"), words]


def _cells(label: str, estimate: Estimate) -> tuple[Cell, ...]:
    return (
        label,
        estimate.fraction,
        estimate.rate,
        estimate.interval,
        estimate.waiting,
        estimate.population,
        estimate.window,
        estimate.reader,
        *strategy_cells(estimate.strategies, "response-rate"),
    )


def _unread(found: list[tuple[Endpoint, str, Estimate]]) -> list[Block]:
    """Return how many of N the reader has not read, where another source has an adequate assessment."""
    rows = [
        (f"{endpoint.label} ({endpoint.id})", variant_words(name), estimate.reader, estimate.unread, estimate.total)
        for endpoint, name, estimate in found
        if estimate.unread
    ]
    if not rows:
        return []
    caption = "Subjects in N whom the reader has not read, although another source has an adequate assessment: non-responders"
    return [Table(("Endpoint", "Variant", "Reader", "Not read", "N"), rows, caption, numeric=(3, 4), small=True, name="unread")]


def _sensitivity(data: ReportData, found: list[tuple[Endpoint, str, Estimate]], head: tuple[str, ...]) -> list[Block]:
    varied = {endpoint.id for endpoint, name, _ in found if name}
    if not varied:
        return [Text("The study file names no sensitivity variant of a response endpoint.")]
    rows: list[tuple[Cell, ...]] = []
    groups: set[int] = set()
    lines: list[Line] = []
    for endpoint, name, estimate in found:
        if endpoint.id not in varied:
            continue
        if not name:
            groups.add(len(rows))
            rows.append((f"{endpoint.label} ({endpoint.id})", *[""] * (len(head) - 1)))
            lines.append(Line(f"{endpoint.label} ({endpoint.id})"))
        rows.append(_cells(variant_words(name), estimate))
        if estimate.absent:
            continue
        lines.append(Line(variant_words(name), estimate.n, estimate.total, estimate.rate, estimate.lower, estimate.upper, main=not name))
    table = Table(
        ("Variant", *head[1:]),
        rows,
        "Sensitivity of the response rates to reader, population and strategies",
        numeric=(1, 2, 3, 4),
        group=frozenset(groups),
        wide=True,
        name="sensitivity",
    )
    figure = Figure(
        draw_forest(
            lines,
            title="Response rates of all variants with their intervals",
            xlabel="Rate with its interval",
            band=data.band,
        ),
        "Response rates by variant; a diamond is the main analysis of its endpoint. A contrast between strategies for "
        "transplant is a difference between questions, not an effect of transplant.",
        "forest-variants",
    )
    return [figure, table]
