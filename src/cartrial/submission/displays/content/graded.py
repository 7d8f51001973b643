"""Which displays show serious events, laboratory grades, recovery, and how times to event ended? Sections 14.2.4, 14.3.2 and 14.3.4."""

from __future__ import annotations

from collections.abc import Sequence

from cartrial.analysis.tables.ends import KINDS
from cartrial.analysis.tables.safety.grades import NOT_GRADED
from cartrial.report.page.rows import Cell, parts
from cartrial.report.study.data import EVENT_WORDS
from cartrial.report.study.phrases import variant_words
from cartrial.submission.displays.content.found import EMPTY, Known, Plan
from cartrial.submission.displays.content.given import Lines, shares
from cartrial.submission.displays.model import Display, Grid, Piece, Words, to_words

__all__ = ["end_displays", "grade_displays"]

ENDS = Plan("ends", "14.2.4", "Times to event: events, and reasons of censoring", "", "ADTTE; results: censoring")
SERIOUS = Plan("serious-by-term", "14.3.2.2", "Serious adverse events by class and term", "infused", "ADAE; results: serious")
SHIFT = Plan("shift", "14.3.4.1", "Laboratory grades: before against the worst after", "infused", "LB; results: shift")
RECOVERY = Plan("recovery", "14.3.4.2", "First recovery of blood counts", "infused", "LB; results: recovery")
_HEADS = {"event": "Events", "censored": "Censored", "competing": "Competing events"}
_LEVELS = {"any": "Any grade, n/N (%)", ">=3": "Grade 3 or more, n/N (%)", "5": "Grade 5, n/N (%)"}
_CALLED = (
    "Treatment-emergent events that were called serious; the worst grade of a subject. Events without a class: not coded. "
    "An event of grade 0 is none."
)
_SILENT = "Of {} of {} subjects it is not known whether an event was serious: none says so, and one or more do not say."
GRADES = ("0", "1", "2", "3", "4", "5", NOT_GRADED)


def end_displays(known: Known) -> list[Display]:
    """Return how the times to event ended, of every endpoint and variant."""
    rows: list[tuple[Words, ...]] = []
    groups: set[int] = set()
    for endpoint in known.study.endpoints:
        if endpoint.type != "time-to-event":
            continue
        for variant in known.study.variants(endpoint):
            lines = _ends(known, endpoint.id, variant.name)
            if not lines:
                continue
            groups.add(len(rows))
            named = f"{endpoint.label} ({endpoint.id}), {variant_words(variant.name, endpoint.type)}"
            rows.append((Words((Piece(named),)), Words()))
            rows += [(Words((Piece(label),)), to_words(cell)) for label, cell in lines]
    if not rows:
        return []
    grid = Grid(("How the time ended", "Subjects"), tuple(rows), frozenset({1}), frozenset(groups))
    said = "Subjects with a time. What a variant counts as an event or censors follows from its strategies."
    return [known.display(ENDS, "table", grid, (Words((Piece(said),)),))]


def _ends(known: Known, endpoint: str, variant: str) -> list[tuple[str, Cell | Words]]:
    if known.data is None:
        return [("Events", f"{EMPTY}/{EMPTY}"), ("Censored", f"{EMPTY}/{EMPTY}"), ("Each event and reason recorded", EMPTY)]
    data = known.data
    lines: list[tuple[str, Cell | Words]] = []
    for kind in KINDS:
        found = data.rows.where("censoring", endpoint, variant=variant, by=kind)
        whole = [row for row in found if not row["level"]]
        if not whole:
            continue
        lines.append((_HEADS[kind], parts("{}/{}", data.rows.stat(whole, "n"), data.rows.stat(whole, "N"))))
        levels = sorted((row for row in found if row["level"]), key=lambda row: (-(row["value"] or 0), row["level"]))
        names = data.study.disease.family.names
        for row in levels:
            words = names.put(EVENT_WORDS.get(row["level"], row["level"]))
            lines.append((f"{_HEADS[kind]}: {words}", data.rows.stat([row], "n")))
    return lines


def grade_displays(known: Known) -> list[Display]:
    """Return serious events, shifts of laboratory grades, and the first recovery of counts."""
    return [*_serious(known), *_shift(known), *_recovery(known)]


def _table(known: Known, plan: Plan, grid: Grid, notes: Sequence[Cell]) -> list[Display]:
    return [known.display(plan, "table", grid, [to_words(note) for note in notes])] if grid.rows else []


def _serious(known: Known) -> list[Display]:
    head = ("Event", *_LEVELS.values())
    notes: list[Cell] = [_CALLED]
    if known.data is None:
        share = Words((Piece(f"{EMPTY}/{EMPTY} ({EMPTY} %)"),))
        names = ("Any serious event", "Each class recorded", "Each term recorded")
        rows = tuple((Words((Piece(name),)), *[share] * len(_LEVELS)) for name in names)
        return _table(known, SERIOUS, Grid(head, rows, frozenset({1, 2, 3}), frozenset({1})), notes)
    data = known.data
    lines: list[tuple[str, str, str, bool]] = [("Any serious event", "ANY", "", False)]
    classes = [row for row in data.rows.where("serious", variant="class", level="any") if row["statistic"] == "n"]
    for one in sorted(classes, key=lambda row: (-(row["value"] or 0), row["endpoint"])):
        lines.append((one["endpoint"], one["endpoint"], "class", True))
        own = f"class={one['endpoint']}"
        terms = [row for row in data.rows.where("serious", variant=own, level="any") if row["statistic"] == "n"]
        lines += [
            (row["endpoint"].capitalize(), row["endpoint"], own, False)
            for row in sorted(terms, key=lambda row: (-(row["value"] or 0), row["endpoint"]))
        ]
    body: list[tuple[Words, ...]] = []
    groups: set[int] = set()
    if silent := data.rows.where("serious", "ANY", by="answer"):
        notes.append(parts(_SILENT, data.rows.stat(silent, "n"), data.rows.stat(silent, "N")))
    for label, endpoint, variant, heads in lines:
        found = data.rows.where("serious", endpoint, variant=variant)
        if not found:
            continue
        if heads:
            groups.add(len(body))
        if all(row["by"] == "" for row in found):
            cells: list[Cell | Words] = [data.rows.stat(found, "n"), "", ""]
        else:
            cells = [shares(known, [row for row in found if row["level"] == level]) for level in _LEVELS]
        body.append((Words((Piece(label),)), *map(to_words, cells)))
    return _table(known, SERIOUS, Grid(head, tuple(body), frozenset({1, 2, 3}), frozenset(groups)), notes)


def _shift(known: Known) -> list[Display]:
    head = ("Test, grade before", *(f"Grade {grade}" if grade != NOT_GRADED else "Not graded" for grade in GRADES))
    notes = (
        "Grades as the source has them (LBTOXGR); none is derived from a value. Before: the last before lymphodepletion, or the infusion. "
        "Worst after: of days after the infusion, by the cutoff. A pair that no subject has is blank.",
    )
    numeric = frozenset(range(1, len(head)))
    if known.data is None:
        rows = tuple((Words((Piece(name),)), *[Words((Piece(EMPTY),))] * len(GRADES)) for name in ("each test, each grade",))
        return _table(known, SHIFT, Grid(head, rows, numeric), notes)
    data = known.data
    tests = sorted({row["endpoint"] for row in data.rows.where("shift") if row["endpoint"]})
    lines: list[tuple[Words, ...]] = []
    groups: set[int] = set()
    for test in tests:
        found = data.rows.where("shift", test)
        groups.add(len(lines))
        lines.append((Words((Piece(f"{test} (N = "), *to_words(data.rows.stat(found, "N")), Piece(")"))), *[Words()] * len(GRADES)))
        for before in GRADES:
            here = [row for row in found if row["by"] == before]
            if not here:
                continue
            cells = (data.rows.stat([row for row in here if row["level"] == after], "n") for after in GRADES)
            label = f"Grade {before}" if before != NOT_GRADED else "Not graded"
            lines.append((Words((Piece(label),)), *(to_words(cell) if cell else Words() for cell in cells)))
    return _table(known, SHIFT, Grid(head, tuple(lines), numeric, frozenset(groups)), notes)


def _recovery(known: Known) -> list[Display]:
    rule = known.study.safety.cytopenia
    lines = Lines(known, "recovery")
    for test, words, limit in (("NEUT", "Neutrophils", rule.neutrophils_below), ("PLAT", "Platelets", rule.platelets_below)):
        lines.head(f"{words} (limit {limit:g} × 10⁹/L)")
        lines.share("Ever below the limit, of those tested", test, by="low")
        lines.number("Day of the first result below it", test, by="first-low")
        lines.share("With a later result at or above it, of those ever below", test, by="recovered")
        lines.number("Day of the first such result, of those with one", test, by="first-recovery")
        if known.data is not None:
            lines.share("Results after the infusion", test)
    notes = (
        "Dated results after the infusion, by the cutoff; the lowest of a date. Days: from the infusion, which is day 0. Who has not "
        "recovered is not among the days: no time to recovery is estimated. Transfusions and growth factors are not looked at.",
    )
    return lines.display(RECOVERY, ("", "Infused subjects"), notes)
