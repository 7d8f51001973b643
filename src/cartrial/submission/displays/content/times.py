"""Which displays show times to event? Section 14.2.3: all of them, the share at landmarks, then each with its curve."""

from __future__ import annotations

from cartrial.analysis.tables.times import LANDMARKS
from cartrial.analysis.wording import DAYS_PER_MONTH
from cartrial.report.page.rows import Cell, parts
from cartrial.report.study.lacking import is_absent
from cartrial.report.study.phrases import variant_words
from cartrial.report.study.sections.estimates import variant_names
from cartrial.study import Endpoint
from cartrial.study.attributes import RESPONSE
from cartrial.submission.displays.content.found import EMPTY, Known, Plan, estimand_notes
from cartrial.submission.displays.model import Display, Grid, Piece, Words, to_words

__all__ = ["time_displays"]

_TIMES = "ADTTE; results: survival"
TABLES = (
    (Plan("times", "14.2.3.1", "Times to event under every analysis", "", _TIMES), "times"),
    (Plan("landmarks", "14.2.3.2", "Share without an event at landmarks, main analyses", "", _TIMES), "landmarks"),
    (Plan("times-subgroups", "14.2.3.3", "Times to event by subgroup, main analyses", "", _TIMES), "times-subgroups"),
)
FIRST = 4
"""Number of the first single time to event within the section."""
SHELL_LANDMARKS = tuple(day for day in LANDMARKS if day <= 24.5 * DAYS_PER_MONTH)
"""Landmarks of a shell, whose follow-up is not known. Unit: days."""
MONTHS = "A month is 30.4375 days. NR: not reached; NE: not estimable."


def time_displays(known: Known) -> list[Display]:
    """Return the displays of times to event."""
    found: list[Display] = []
    for plan, name in TABLES:
        found += known.table(plan, name)
    times = [endpoint for endpoint in known.study.endpoints if endpoint.type == "time-to-event"]
    for place, endpoint in enumerate(times, FIRST):
        notes = estimand_notes(known.study, known.study.variants(endpoint)[0])
        named, number = f"{endpoint.label} ({endpoint.id})", f"14.2.3.{place}"
        found += _table(known, Plan(f"time-{endpoint.id}", f"{number}.1", named, _population(endpoint), _TIMES), endpoint, notes)
        curve = Plan(f"curve-{endpoint.id}", f"{number}.2", f"{named}: Kaplan–Meier curve", _population(endpoint), _TIMES)
        found += known.figure(curve, f"curve-{endpoint.id}")
        source = "ADTTE; results: incidence"
        events = Plan(f"incidence-{endpoint.id}", f"{number}.3", f"{named}: cumulative incidence", _population(endpoint), source)
        found += known.figure(events, f"incidence-{endpoint.id}")
    return found


def _population(endpoint: Endpoint) -> str:
    return f"Population: {endpoint.population}"


def _table(known: Known, plan: Plan, endpoint: Endpoint, notes: tuple[Words, ...]) -> list[Display]:
    """Return one time to event, a column an analysis."""
    names = [variant.name for variant in known.study.variants(endpoint)]
    if known.data is not None:
        names = [name for name in variant_names(known.data, "survival", endpoint) if _column(known, endpoint, name) is not None]
    columns = [column for name in names if (column := _column(known, endpoint, name)) is not None]
    if not columns:
        return []
    labels = [label for label in columns[0] if any(column.get(label) is not None for column in columns)]
    rows = tuple((Words((Piece(label),)), *(to_words(column.get(label)) for column in columns)) for label in labels)
    head = ("", *(words[:1].upper() + words[1:] for words in (variant_words(name, endpoint.type) for name in names)))
    grid = Grid(head, rows, frozenset(range(1, len(head))))
    limits = f"{known.study.interval.text} limits: log(−log) of the Kaplan–Meier estimate, Brookmeyer–Crowley for quantiles."
    return [known.display(plan, "table", grid, (Words((Piece(f"{MONTHS} {limits}"),)), *notes))]


def _column(known: Known, endpoint: Endpoint, name: str) -> dict[str, Cell | Words] | None:
    """Return the cells of one analysis by their label, None where it has no result."""
    followed = endpoint.events != (RESPONSE,)
    days = LANDMARKS if known.data is not None else SHELL_LANDMARKS
    landmarks = (
        [(day, f"Without an event at month {day / DAYS_PER_MONTH:.0f} (day {day:g}), % (limits)") for day in days] if followed else []
    )
    if known.data is None:
        span = f"{EMPTY} ({EMPTY} to {EMPTY})"
        counts: dict[str, Cell | Words] = dict.fromkeys(("Subjects (N)", "Events", "Censored"), EMPTY)
        return counts | {"Median, months (limits)": span} | {label: span for _, label in landmarks}
    data = known.data
    found = data.rows.where("survival", endpoint.id, variant=name, by="", level="")
    stat, months = data.rows.stat, data.rows.months
    median, events = months(found), stat(found, "events")
    if median is None and events is None:
        return None
    cells: dict[str, Cell | Words] = {
        "Subjects (N)": stat(found, "N") or stat(found, "n"),
        "Events": events,
        "Censored": stat(found, "censored"),
    }
    absent = median is not None and is_absent(median.text)
    cells["Median, months (limits)"] = (
        median if absent else parts("{} ({} to {})", *(months(found, end) for end in ("", "_lower", "_upper")))
    )
    for day, label in landmarks:
        at = stat(found, "survival", time=day)
        cells[label] = (
            parts("{} ({} to {})", at, *(stat(found, f"survival{end}", time=day) for end in ("_lower", "_upper"))) if at else None
        )
    mean = next((row for row in found if row["statistic"] == "rmst"), None)
    if mean is not None:
        until = f"{(mean['time'] or 0) / DAYS_PER_MONTH:.0f}"
        cells["Restricted mean, months"] = parts("{} up to month {}", stat(found, "rmst_months") or stat([mean], "rmst"), until)
    if not name:
        later = data.rows.where("survival", endpoint.id, variant="", by="follow-up")
        if months(later):
            cells["Follow-up, reverse Kaplan–Meier median, months (limits)"] = parts(
                "{} ({} to {})", *(months(later, end) for end in ("", "_lower", "_upper"))
            )
    return cells
