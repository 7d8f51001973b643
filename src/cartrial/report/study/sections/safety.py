"""What harm was recorded? Events of special interest, by class, term and worst grade; cytopenia, aplasia, deaths."""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Details, Note, Section, Table, Text
from cartrial.report.page.rows import Cell, ResultRow, Stat, parts
from cartrial.report.study.data import ReportData

__all__ = ["build"]

GRADES = {
    "any": "Any",
    ">=3": "Grade 3 or more",
    "0": "None",
    "1": "Grade 1",
    "2": "Grade 2",
    "3": "Grade 3",
    "4": "Grade 4",
    "5": "Grade 5",
    "unknown": "Grade not known",
}
MOST = 40


UNCALIBRATED = (
    "Severe grades of cytokine release syndrome, ICANS and cytopenia of virtual patients are calibrated to other products; lower grades "
    "are assumptions. Read nothing about this product into them."
)


def build(data: ReportData) -> Section:
    """Return the section on safety."""
    title = "Safety"
    found = data.rows.where("safety")
    if not found:
        return Section("safety", title, [Text("No subject was infused, so no safety is shown.")], title)
    graded = [row for row in found if row["by"] == "max_grade"]
    blocks: list[Block] = [Note(UNCALIBRATED)] if data.provenance == "virtual" else []
    if graded:
        blocks.extend(_special(data, graded))
        blocks.extend(_terms(data, graded))
    else:
        told = [note.message for note in data.notices if note.domain == "AE"]
        blocks.extend(Note(message) for message in told or ["No adverse event was recorded, so none is shown."])
    blocks.extend(_laboratory(data))
    blocks.extend(_deaths(data))
    return Section("safety", title, blocks, title)


def _levels(graded: list[ResultRow]) -> list[str]:
    """Return the grades to show: those that a study has; a grade that is not known only where it occurs."""
    seen = {row["level"] for row in graded}
    unknown = any(row["level"] == "unknown" and row["statistic"] == "n" and row["value"] for row in graded)
    return [level for level in GRADES if level in seen and (level != "unknown" or unknown)]


def _counts(data: ReportData, graded: list[ResultRow]) -> dict[tuple[str, str], dict[str, Stat]]:
    counts: dict[tuple[str, str], dict[str, Stat]] = {}
    for row in graded:
        if row["statistic"] == "n":
            counts.setdefault((row["variant"], row["endpoint"]), {})[row["level"]] = Stat(row["text"], row["key"], row["value"])
    return counts


def _special(data: ReportData, graded: list[ResultRow]) -> list[Block]:
    levels, counts = _levels(graded), _counts(data, graded)
    stat = data.rows.stat
    rows: list[tuple[Cell, ...]] = []
    for item in data.study.safety.special:
        at = counts.get(("", item.id))
        if at:
            total = stat([row for row in graded if row["endpoint"] == item.id and not row["variant"]], "N")
            rows.append((f"{item.label} ({item.id})", *(at.get(level, "") for level in levels), total, item.scale))
    for name, words in (("SERIOUS", "Any serious event"), ("RELATED", "Any related event")):
        kind = data.rows.where("safety", name, by="")
        if kind:
            rows.append((words, *(stat(kind, "n") if level == "any" else "" for level in levels), stat(kind, "N"), ""))
    head = ("Event", *(GRADES[level] for level in levels), "N", "Scale")
    blocks: list[Block] = [
        Table(head, rows, "Worst grade of events of special interest: infused subjects", numeric=tuple(range(1, len(head) - 1)), wide=True)
    ]
    for name, words in (("SERIOUS", "serious"), ("RELATED", "related")):
        kind = data.rows.where("safety", name, level="unknown")
        if kind:
            text = f"Of {{}} of {{}} subjects it is not known whether an event was {words}: none says so, and one or more do not say."
            blocks.append(Note(parts(text, stat(kind, "n"), stat(kind, "N"))))
    spans = []
    for item in data.study.safety.special:
        for by, words in (("onset", "first onset (days from day 0)"), ("duration", "duration, first onset to last end (days)")):
            seen = data.rows.where("safety", item.id, by=by)
            if seen:
                span = parts("{} to {}", stat(seen, "min"), stat(seen, "max"))
                spans.append((item.id, words, stat(seen, "n"), stat(seen, "median"), span))
    if spans:
        blocks.append(
            Table(
                ("Event", "Time", "Subjects", "Median", "Range"),
                spans,
                "Onset and duration of events of special interest",
                numeric=(2, 3, 4),
                small=True,
            )
        )
    return blocks


def _terms(data: ReportData, graded: list[ResultRow]) -> list[Block]:
    levels, counts = [level for level in _levels(graded) if level != "0"], _counts(data, graded)
    classes = sorted(endpoint for variant, endpoint in counts if variant == "class")
    terms: dict[str, list[str]] = {}
    for variant, endpoint in counts:
        if variant.startswith("class="):
            terms.setdefault(variant.removeprefix("class="), []).append(endpoint)
    body: list[tuple[Cell, ...]] = []
    groups: set[int] = set()

    def add(label: str, key: tuple[str, str]) -> None:
        body.append((label, *(counts[key].get(level, "") for level in levels)))

    if ("", "ANY") in counts:
        groups.add(0)
        add("Any adverse event", ("", "ANY"))
    for name in [*classes, *sorted(set(terms) - set(classes))]:
        groups.add(len(body))
        if ("class", name) in counts:
            add(name, ("class", name))
        else:
            body.append((name.capitalize(), *[""] * len(levels)))
        for term in sorted(terms.get(name, ())):
            add(term.capitalize(), (f"class={name}", term))
    if not body:
        return []
    total = data.rows.stat(data.rows.where("safety", "ANY"), "N") or data.rows.stat(graded, "N")
    caption = parts("Treatment-emergent adverse events by class, term and worst grade: subjects (N = {} infused)", total)
    head = ("Class and term", *(GRADES[level] for level in levels))
    table = Table(head, body, caption, numeric=tuple(range(1, len(head))), group=frozenset(groups), wide=True)
    return [Details(f"Adverse events by class, term and grade ({len(body)} lines)", [table])] if len(body) > MOST else [table]


def _laboratory(data: ReportData) -> list[Block]:
    safety = data.study.safety
    names = {
        "NEUTROPENIA": f"Neutrophils below {safety.cytopenia.neutrophils_below:g} 10^9/L",
        "THROMBOCYTOPENIA": f"Platelets below {safety.cytopenia.platelets_below:g} 10^9/L",
        "APLASIA": f"B-cell aplasia: {safety.aplasia.testcd} below {safety.aplasia.below:g} {safety.aplasia.unit}",
    }
    times = {"any": "at any test", "last": "at the last test"}
    rows, missing = [], []
    for name, words in names.items():
        found = data.rows.where("safety", name)
        if not found:
            missing.append(words)
        for by, level in dict.fromkeys((row["by"], row["level"]) for row in found):
            at = [row for row in found if row["by"] == by and row["level"] == level]
            n, total, rate = (data.rows.stat(at, statistic) for statistic in ("n", "N", "rate"))
            rows.append((words, at[0]["window"], times.get(by) or f"at {level}", parts("{}/{}", n, total), rate))
    order = [visit.name for visit in data.study.disease.visits]
    rows.sort(
        key=lambda row: (
            list(names.values()).index(row[0]),
            row[2] not in times.values(),
            *[i for i, name in enumerate(order) if row[2] == f"at {name}"],
        )
    )
    blocks: list[Block] = []
    if rows:
        head = ("Laboratory finding", "When", "Test", "n/N tested", "Share (%)")
        blocks.append(
            Table(head, rows, "Prolonged cytopenia and B-cell aplasia: infused subjects that were tested", numeric=(3, 4), small=True)
        )
    if missing:
        blocks.append(
            Text(
                "No test was recorded for: "
                f"{'; '.join(words[0].lower() + words[1:] if not words.startswith('B-') else words for words in missing)}."
            )
        )
    return blocks


def _deaths(data: ReportData) -> list[Block]:
    found = data.rows.where("safety", "DEATH")
    if not found:
        return []
    said: list[Block] = [
        Text(parts(f"Deaths {data.until}: {{}} of {{}} infused subjects.", data.rows.stat(found, "n"), data.rows.stat(found, "N")))
    ]
    dead = data.infused.filter(data.infused["DTHFL"] == "Y").sort("DTHDAY", "USUBJID")
    if dead.height:
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
        said.append(
            Details(
                "Each death",
                [
                    Table(head, rows, "Deaths of infused subjects", numeric=(2,), small=True),
                    Note("A date that was partial is imputed and flagged in adam/ADSL."),
                ],
            )
        )
    return said
