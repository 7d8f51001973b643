"""How long until the events? Kaplan–Meier, cumulative incidence, follow-up."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from cartrial.analysis.tables.times import LANDMARKS
from cartrial.analysis.wording import DAYS_PER_MONTH
from cartrial.report.figures.curve import Curve, draw_curves, read_moments
from cartrial.report.figures.style import COLOURS
from cartrial.report.page.blocks import Block, Definition, Details, Figure, Note, Section, Table, Text
from cartrial.report.page.rows import ABSENT, Cell, ResultRow, parts
from cartrial.report.study.data import EVENT_WORDS, ReportData, in_order
from cartrial.report.study.lacking import beside, is_absent
from cartrial.report.study.phrases import level_words, lower_first, strategies_sentence, strategy_cells, variant_words
from cartrial.report.study.sections.estimates import variant_names
from cartrial.report.study.sections.primary import estimand_items
from cartrial.study import Endpoint
from cartrial.study.attributes import RESPONSE
from cartrial.study.words import at_level

__all__ = ["HEAD", "build", "origin_words"]

HEAD = (
    "Endpoint",
    "Subjects",
    "Events",
    "Censored",
    "Median (months)",
    "95 % limits (months)",
    "Population",
    "Reader",
    "Transplant",
    "New therapy",
)
ORIGINS = {
    "first-response": "the first response",
    "day-0": "the first infusion",
    "enrolment": "enrolment",
    "aplasia": "the landmark's sample",
}


def origin_words(endpoint: Endpoint) -> str:
    """Return the title of a time axis."""
    return f"Months since {ORIGINS[endpoint.origin or 'day-0']}"


def build(data: ReportData) -> Section:
    """Return the section on times to event."""
    title, event = "Times to event", data.study.disease.family.names.event
    if not data.rows.where("survival"):
        why = data.nobody or f"No {event} or survival was recorded"
        return Section("times", title, [Text(f"{why}, so no time to event is shown.")], "Times")
    blocks: list[Block] = [Note(words) for words in data.assumed]
    times = {endpoint.id for endpoint in data.times()}
    lacking = [note for note in data.notices if times & set(note.endpoints)]
    rows: list[tuple[Cell, ...]] = []
    groups: set[int] = set()
    for endpoint in data.times():
        variants = [(name, _median(data, endpoint.id, name)) for name in variant_names(data, "survival", endpoint)]
        variants = [(name, found) for name, found in variants if found]
        if not variants:
            continue
        groups.add(len(rows))
        rows.append((f"{endpoint.label} ({endpoint.id})", *[""] * (len(HEAD) - 1)))
        rows.extend((variant_words(name, endpoint.type), *found) for name, found in variants if found)
    if rows:
        caption = (
            "Times to event by variant. A month is 30.4375 days. NR: not reached; NE: not estimable. A contrast between strategies for "
            "transplant is a difference between questions, not an effect of transplant."
        )
        blocks.append(
            Table(
                ("Variant", *at_level(data.study, HEAD)[1:]),
                rows,
                caption,
                numeric=(1, 2, 3, 4, 5),
                group=frozenset(groups),
                wide=True,
                name="times",
            )
        )
    blocks.extend(Note(note.message) for note in lacking)
    blocks.extend(_landmarks(data))
    blocks.extend(_follow_up(data))
    for endpoint in data.times():
        blocks.extend(_figure(data, endpoint))
    for endpoint in data.times():
        blocks.extend(_incidence(data, endpoint))
    words = [
        Definition(
            [
                ("Endpoint", f"{endpoint.label} ({endpoint.id})"),
                *beside(data, endpoint),
                *estimand_items(data.study, data.study.variants(endpoint)[0]),
            ]
        )
        for endpoint in data.times()
    ]
    blocks.extend(_subgroups(data))
    blocks.append(Details("Each time to event in words", words, printed=False))
    return Section("times", title, blocks, "Times")


def _median(data: ReportData, endpoint: str, variant: str) -> tuple[Cell, ...] | None:
    found = data.rows.where("survival", endpoint, variant=variant, by="", level="")
    stat = data.rows.stat
    months = data.rows.months
    median = months(found)
    if not found or (median is None and stat(found, "events") is None):
        return None
    absent = median is not None and is_absent(median.text)
    limits: Cell = ABSENT if absent else parts("{} to {}", months(found, "_lower"), months(found, "_upper"))
    first = found[0]
    counts = (stat(found, "N") or stat(found, "n"), stat(found, "events"), stat(found, "censored"))
    return (*counts, median, limits, first["population"], first["reader"], *strategy_cells(first["strategies"], "time-to-event"))


def _with_assumptions(data: ReportData, endpoint: Endpoint, caption: Markup) -> Markup:
    """Add to a caption what the study file assumes of the source."""
    return caption + Markup("").join(Markup(" {}").format(words) for words in data.assumed_of(endpoint))


def _by_reader(row: ResultRow) -> str:
    """Return who read the assessments, where any is read."""
    return f"; reader: {row['reader']}" if row["reader"] else ""


def _landmarks(data: ReportData) -> list[Block]:
    """Return the share without an event at the landmarks of the main analyses."""
    followed = [endpoint for endpoint in data.times() if endpoint.events != (RESPONSE,)]
    found = {endpoint.id: data.rows.where("survival", endpoint.id, variant="", by="", level="") for endpoint in followed}
    stat = data.rows.stat
    days = [day for day in LANDMARKS if any(stat(rows, "survival", time=day) for rows in found.values())]
    rows = []
    for endpoint in followed:
        at = found[endpoint.id]
        cells = [parts("{} ({} to {})", *(stat(at, f"survival{end}", time=day) for end in ("", "_lower", "_upper"))) for day in days]
        mean = next((row for row in at if row["statistic"] == "rmst"), None)
        within = _mean(data, at, mean) if mean else ""
        if at and days:
            rows.append((f"{endpoint.label} ({endpoint.id})", *cells, within))
    if not rows:
        return []
    head = ("Endpoint", *(f"Month {day / DAYS_PER_MONTH:.0f} (day {day:g})" for day in days), "Restricted mean (months)")
    caption = "Share without an event (%, Kaplan–Meier) with its limits at months of 30.4375 days, main analyses"
    return [Table(head, rows, caption, numeric=tuple(range(1, len(head) - 1)), wide=True, name="landmarks")]


def _mean(data: ReportData, at: list[ResultRow], mean: ResultRow) -> Markup:
    """Return a restricted mean in months, its days in the hover, and up to when."""
    days, months = data.rows.stat([mean], "rmst"), data.rows.stat(at, "rmst_months")
    shown = replace(months, hover=f"{days.text} days") if months and days else days
    return parts("{} up to month {}" if months else "{} days up to month {}", shown, f"{(mean['time'] or 0) / DAYS_PER_MONTH:.0f}")


def _figure(data: ReportData, endpoint: Endpoint) -> list[Block]:
    found = data.rows.where("survival", endpoint.id, variant="", by="", level="")
    median = data.rows.stat(found, "median")
    if median is not None and is_absent(median.text):
        return [Text(parts("{}: {}, so no curve is drawn.", endpoint.label, median))]
    if endpoint.events == (RESPONSE,):
        return [Text(f"{endpoint.label}: every responder has the event, so no curve is drawn.")]
    main = Curve("All", read_moments(found, "survival"))
    if not main.drawn:
        return [Text(f"{endpoint.label}: no subject has a time, so no curve is drawn.")]
    curves, choices = [main], {"": "all subjects"}
    labels = {item.id: item for item in data.study.baseline}
    for name in data.study.subgroups:
        grouped = data.rows.where("survival", endpoint.id, variant="", by=name)
        levels = in_order(list({row["level"] for row in grouped if row["statistic"] == "survival"}), labels[name].levels)
        for level in levels:
            moments = read_moments([row for row in grouped if row["level"] == level], "survival")
            curves.append(Curve(level_words(level), moments, of=name))
        if levels:
            choices[name] = f"by {lower_first(labels[name].label)}"
    document = draw_curves(
        curves,
        title=f"{endpoint.label}: Kaplan–Meier curve with its limits and the numbers at risk",
        ylabel="alive" if endpoint.events == ("death",) else "without an event",
        xlabel=origin_words(endpoint),
        band=data.band,
        choices=choices,
    )
    first = found[0]
    stat = data.rows.stat
    caption = parts(
        "{} ({}). Median (months): {} ({} to {}); events: {} among {} subjects. Population: {}{}; {}. Band: "
        f"{data.study.interval.text} log(−log) limits; ticks: censored. A month is 30.4375 days.",
        endpoint.label,
        endpoint.id,
        *(data.rows.months(found, end) for end in ("", "_lower", "_upper")),
        stat(found, "events"),
        stat(found, "N") or stat(found, "n"),
        first["population"],
        _by_reader(first),
        strategies_sentence(first["strategies"], endpoint.type),
    )
    return [Figure(document, _with_assumptions(data, endpoint, caption), f"curve-{endpoint.id}")]


def _incidence(data: ReportData, endpoint: Endpoint) -> list[Block]:
    blocks: list[Block] = []
    everything = data.rows.where("incidence", endpoint.id, by="event")
    for variant in dict.fromkeys(row["variant"] for row in everything):
        rows = [row for row in everything if row["variant"] == variant]
        levels = sorted(dict.fromkeys(row["level"] for row in rows if row["statistic"] == "incidence"), key=lambda level: "death" in level)
        curves = []
        for level in levels:
            words = " or ".join(EVENT_WORDS.get(event, event) for event in level.split("+"))
            colour = COLOURS["black"] if "death" in level and len(levels) > 1 else COLOURS["red"]
            curves.append(Curve(words, read_moments([row for row in rows if row["level"] == level], "incidence"), colour))
        if not any(curve.drawn for curve in curves):
            continue
        first = rows[0]
        document = draw_curves(
            curves,
            title=f"{endpoint.label}: cumulative incidence of each event with its limits and the numbers at risk",
            ylabel="cumulative incidence",
            xlabel=origin_words(endpoint),
            band=data.band,
            joint=True,
        )
        named = f", variant {variant_words(variant, endpoint.type)}" if variant else ""
        counts = "; ".join(("{} {}",) * len(levels))
        events = [
            piece
            for curve, level in zip(curves, levels, strict=True)
            for piece in (curve.label, data.rows.stat(rows, "events", level=level))
        ]
        caption = parts(
            "{} ({}){}: cumulative incidence of each event, the other competing (Aalen–Johansen, "
            f"{data.study.interval.text} limits). Events: " + counts + "; subjects: {}. Population: {}{}; {}. A month is 30.4375 days.",
            endpoint.label,
            endpoint.id,
            named,
            *events,
            data.rows.stat(rows, "N"),
            first["population"],
            _by_reader(first),
            strategies_sentence(first["strategies"], endpoint.type),
        )
        blocks.append(Figure(document, _with_assumptions(data, endpoint, caption), f"incidence-{endpoint.id}"))
    return blocks


def _follow_up(data: ReportData) -> list[Block]:
    months = data.rows.months
    said: list[Block] = []
    for endpoint in data.times():
        found = data.rows.where("survival", endpoint.id, variant="", by="follow-up")
        median = months(found)
        if median:
            limits = (months(found, "_lower"), months(found, "_upper"))
            pattern = "Median follow-up for {} by the reverse Kaplan–Meier estimate: {} months ({} to {}); population: {}."
            said.append(Text(parts(pattern, lower_first(endpoint.label), median, *limits, found[0]["population"])))
    return said


def _subgroups(data: ReportData) -> list[Block]:
    """Return medians by subgroup, with the log-rank test and the hazard ratio, folded away."""
    stat = data.rows.stat
    labels = {item.id: item for item in data.study.baseline}
    rows: list[tuple[Cell, ...]] = []
    groups: set[int] = set()
    for endpoint in data.times():
        for name in data.study.subgroups:
            found = data.rows.where("survival", endpoint.id, variant="", by=name)
            levels = in_order(list({row["level"] for row in found if row["statistic"] == "median"}), labels[name].levels)
            if not levels:
                continue
            test = [row for row in found if row["method"].startswith("log-rank test")]
            groups.add(len(rows))
            rows.append((f"{endpoint.label} ({endpoint.id}) by {labels[name].label.lower()}", "", "", "", "", stat(test, "p_value") or ""))
            for level in levels:
                at = [row for row in found if row["level"] == level]
                ratio = [row for row in found if row["level"].startswith(f"{level} against ")]
                hazard = _hazard(data, ratio) if ratio else ""
                limits = parts("{} ({} to {})", *(data.rows.months(at, end) for end in ("", "_lower", "_upper")))
                rows.append((level_words(level), stat(at, "N"), stat(at, "events"), limits, hazard, ""))
    if not rows:
        return []
    head = ("Subgroup", "Subjects", "Events", "Median (months, limits)", "Hazard ratio (limits)", "Log-rank P")
    caption = (
        "Times to event by subgroup, main analyses; a hazard ratio (Cox model, ties by Efron) is against the level without one. Firth: the "
        "likelihood has no largest value, as where a level has no event, so by Firth's penalty with profile limits, ties by Breslow"
    )
    table = Table(head, rows, caption, numeric=(1, 2, 3, 4, 5), group=frozenset(groups), wide=True, name="times-subgroups")
    return [
        Details(
            "Times to event by subgroup",
            [table, Note("P values describe: the study was not planned to compare subgroups, and nothing is adjusted for their number.")],
            printed=False,
        )
    ]


def _hazard(data: ReportData, ratio: list[ResultRow]) -> Cell:
    """Return a hazard ratio with its limits, and what is unusual about it: by Firth, or not estimable."""
    method = ratio[0]["method"]
    if "not estimable" in method:
        return "not estimable"
    figures = [data.rows.stat(ratio, one) for one in ("hazard_ratio", "lower", "upper")]
    return parts("{} ({} to {}), Firth" if "Firth" in method else "{} ({} to {})", *figures)
