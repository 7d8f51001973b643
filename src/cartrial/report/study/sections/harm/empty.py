"""Which tables of safety will there be? The same as in the report, with `xx` for numbers."""

from __future__ import annotations

from cartrial.analysis.tables.safety.deaths import WITHIN
from cartrial.report.page.blocks import Block, Note, Table
from cartrial.report.study.sections.harm.blood import finding_names, window_names, window_note
from cartrial.report.study.sections.harm.conduct import MISSED
from cartrial.report.study.sections.harm.syndromes import CONVENTIONS, ENDINGS, watched_names
from cartrial.report.study.sections.harm.words import GRADES
from cartrial.sdtm.vocabulary.harm.care import CARE
from cartrial.study import Study

__all__ = ["empty_safety"]

X, P = "xx", "xx.x"
SHARE, OF = f"{X} ({P} %)", f"{X}/{X} ({P} %)"
_GRADED = ("any", "1", "2", "3", "4", "5", ">=3")


def empty_safety(study: Study) -> list[Block]:
    """Return the tables of safety of a study, without numbers.

    Parameters
    ----------
    study : Study
    """
    return [*_syndromes(study), *_events(), *_blood(study), _deaths(), *_conduct(study)]


def _syndromes(study: Study) -> list[Block]:
    special = study.safety.special
    if not special:
        return []
    wide = len(special)
    rows: list[tuple[str, ...]] = [("Infused subjects (N)", *[X] * wide)]
    groups = {1}
    rows.append(("Worst grade, n (%)", *[""] * wide))
    rows += [(words, *[X if level == "unknown" else SHARE] * wide) for level, words in GRADES.items()]
    groups.add(len(rows))
    rows.append(("Time, days", *[""] * wide))
    rows += [(f"{name}, median (range)", *[f"{X} ({X} to {X}), n = {X}"] * wide) for name in ("Onset", "Duration")]
    rows += [(f"{words}, n of those with it", *[f"{X}/{X}"] * wide) for words in ENDINGS.values()]
    groups.add(len(rows))
    rows.append(("Given for it, n of those with it (%)", *[""] * wide))
    rows += [(name[0].upper() + name[1:], *[OF] * wide) for name in CARE]
    head = ("", *(f"{item.id} ({item.scale})" for item in special))
    caption = "Table: worst grade, onset, duration and treatment of events of special interest, infused subjects"
    numeric = tuple(range(1, wide + 1))
    table = Table(head, rows, caption, numeric=numeric, group=frozenset(groups), wide=True, name="syndromes")
    return [table, Note(CONVENTIONS)]


def _events() -> list[Block]:
    names = ("Any event", "Any event of grade 3 or more", "Any serious event", "Any related event")
    lines = [(name, OF) for name in names]
    columns = ("Treatment-emergent adverse events", "n/N (%)")
    kinds = Table(columns, lines, "Table: adverse events", numeric=(1,), small=True, name="kinds")
    head = ("Event", "N", *(f"{GRADES[level]}, n (%)" for level in _GRADED), GRADES["unknown"])
    numeric = tuple(range(1, len(head)))
    interest = [(words, X, *[SHARE] * len(_GRADED), X) for words in watched_names().values()]
    terms = [(name, X, *[SHARE] * len(_GRADED), X) for name in ("Each class recorded", "Each term recorded")]
    watched = "Table: infections, HLH and haematotoxicity as recorded, by worst grade"
    return [
        kinds,
        Table(head, interest, watched, numeric=numeric, wide=True, name="interest"),
        Table(head, terms, "Table: adverse events by class, term and worst grade", numeric=numeric, wide=True, name="terms"),
    ]


def _blood(study: Study) -> list[Block]:
    rule = study.safety.cytopenia
    rows: list[tuple[str, ...]] = []
    groups: set[int] = set()
    for words in window_names(study).values():
        groups.add(len(rows))
        rows.append((words, "", ""))
        rows += [(f"Day {day} (day {day - rule.margin} to {day + rule.margin})", OF, X) for day in rule.days]
    blocks: list[Block] = []
    if rule.days:
        head = ("Count", "n/N with a count (%)", "Without a count")
        caption = "Table: low blood counts near set days, infused subjects"
        table = Table(head, rows, caption, numeric=(1,), group=frozenset(groups), small=True, name="windows")
        blocks += [table, Note(window_note(study))]
    names = finding_names(study)
    found = [(words, test, OF) for words in names.values() for test in ("at any test", "at the last test")]
    found += [(names["APLASIA"], f"at {visit.name}", OF) for visit in study.disease.visits]
    caption = f"Table: prolonged cytopenia (after day {rule.after_day}) and B-cell aplasia, infused subjects that were tested"
    head = ("Laboratory finding", "Test", "n/N tested (%)")
    return [*blocks, Table(head, found, caption, numeric=(2,), small=True, name="findings")]


def _deaths() -> Block:
    rows = [(f"Within {days} days of infusion", OF, f"{X} followed for less") for days in WITHIN]
    rows += [("At any time on or before the cutoff", OF, ""), ("By cause: each cause recorded", OF, "")]
    return Table(("Deaths", "n/N infused (%)", "In N"), rows, "Table: deaths of infused subjects", numeric=(1,), small=True, name="deaths")


def _conduct(study: Study) -> list[Block]:
    visits = [(f"{visit.name} (day {visit.day - visit.minus} to {visit.day + visit.plus})", X, X, X, OF) for visit in study.disease.visits]
    head = ("Visit", "Expected (N)", "Adequate", "Not evaluable", "Missed, n/N (%)")
    caption = f"Table: assessments by visit, reader {study.readers.primary}"
    missed = Table(head, visits, caption, numeric=(1, 2, 3, 4), small=True, name="missed")
    kinds = [("Any deviation", OF, X), ("Each category recorded", OF, X), ("Each kind recorded", OF, X)]
    columns = ("Protocol deviations", "Subjects, n/N (%)", "Records")
    table = Table(columns, kinds, "Table: protocol deviations", numeric=(1, 2), small=True, name="deviations")
    return [missed, Note(study.disease.family.names.put(MISSED)), table]
