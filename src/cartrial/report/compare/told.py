"""How is a comparison of two runs told: in lines, to machines, on a page?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cartrial.files import built_beside
from cartrial.report.compare.differ import Changed, Comparison, Moved
from cartrial.report.page.blocks import Block, Definition, Details, Note, Section, Table, Text
from cartrial.report.page.render import BANDS, render_page
from cartrial.report.study.phrases import strategies_sentence, variant_words

__all__ = ["EXITS", "compared_document", "compared_lines", "write_comparison_page"]

EXITS = {0: "the results are the same", 1: "results differ", 2: "the input cannot be used"}
"""What the exit codes of `compare` mean."""

# Rows of a table on the page; the document for machines has all.
MOST = 1500
# groups of results in the terminal where none is of a main analysis
FIRST = 12
HEADLINE = ("response", "survival", "incidence", "kinetics", "safety", "flow", "baseline", "concordance")


def compared_lines(found: Comparison, *, every: bool = False) -> Iterator[str]:
    """Yield the lines of a comparison: facts of the runs, main results, subjects; with `every` also the other results."""
    one, two = found.one, found.two
    yield f"Study {one.record['study']}: {one.folder} against {two.folder}."
    for words, before, after in found.facts:
        yield f"  {words}: {before}, then {after}."
    if not found.differs:
        yield f"The results are the same: {found.same} rows, {one.sets['ADSL'].height} subjects."
        return
    main = [group for group in found.results if is_main(group)]
    # where no main analysis differs, what does is told all the same
    shown = found.results if every else main or found.results[:FIRST]
    yield f"{results_words(found)}"
    for group in shown:
        yield f"  {group_words(group)}: {statistics_words(group)}"
    if len(shown) < len(found.results):
        which = "those of main analyses" if main else "the first; none is a main analysis"
        yield f"  Of {len(found.results)} groups of results {len(shown)} are shown, {which}; --all shows every one."
    yield subjects_words(found)
    for words, names in (("In the second run alone", found.new), ("In the first run alone", found.gone)):
        if names:
            yield f"  {words}: {', '.join(names)}."
    variants = sum(1 for moved in found.moved if moved.variant)
    for moved in found.moved:
        if every or not moved.variant:
            yield f"  {moved_words(moved)}"
    if variants and not every:
        yield f"  Values in variants that differ: {variants}; --all shows each."


def results_words(found: Comparison) -> str:
    """Return how many rows of the results differ, in a sentence."""
    counts = found.counts
    return f"Results: {found.same} rows are the same, {counts['changed']} changed, {counts['new']} new, {counts['gone']} gone."


def subjects_words(found: Comparison) -> str:
    """Return how many subjects are another, in a sentence."""
    touched = len({moved.subject for moved in found.moved})
    both = found.two.sets["ADSL"].height - len(found.new)
    return f"Subjects: {touched} of {both} in both runs differ in a value, {len(found.new)} are new, {len(found.gone)} gone."


def is_main(group: Changed) -> bool:
    """Whether a group of results is of a main analysis and no point of a curve."""
    return not group.variant and not group.by and group.time is None


def group_words(group: Changed) -> str:
    """Return what a group of results is of."""
    parts = [
        f"{group.analysis}, {group.endpoint}" if group.endpoint else group.analysis,
        f"with {_variant(group)}" if group.variant else "",
        f"by {group.by}" if group.by else "",
        group.level,
        f"day {group.time:g}" if group.time is not None else "",
    ]
    return ", ".join(part for part in parts if part)


_KINDS = {"response": "response-rate", "survival": "time-to-event", "incidence": "time-to-event"}
"""Type of the endpoints of an analysis, by which strategies are said in words."""


def _variant(group: Changed) -> str:
    """Return the variant of an endpoint in words; other analyses name a test or a class in its place."""
    kind = _KINDS.get(group.analysis)
    return variant_words(group.variant, kind) if kind and "=" in group.variant else group.variant


def statistics_words(group: Changed) -> str:
    """Return the statistics of a group before and after; one that a run has not is named so."""
    said = [f"{name} {_text(before)} → {_text(after)}" for name, (before, after) in group.statistics.items() if before != after]
    kind = _KINDS.get(group.analysis, "response-rate")
    for name, pair in group.attributes.items():
        before, after = (strategies_sentence(words, kind) if name == "strategies" else words for words in pair)
        said.append(f"{name} '{before}' → '{after}'")
    return "; ".join(said) or "in digits that are not printed"


def _text(text: str | None) -> str:
    return "(no such row)" if text is None else text or "(blank)"


def moved_words(moved: Moved) -> str:
    """Return what is another of a subject in one line."""
    what = f"{moved.what}{f' with {_of_subject(moved)}' if moved.variant else ''}"
    why = f" By: {moved.why}." if moved.why else ""
    rules = f" Rule: {moved.rules[0] or 'none'} → {moved.rules[1] or 'none'}." if moved.rules[0] != moved.rules[1] else ""
    records = f" Record: {moved.records[0] or 'none'} → {moved.records[1] or 'none'}." if moved.records[0] != moved.records[1] else ""
    return f"{moved.subject}  {what}: {moved.before} → {moved.after}.{why}{rules}{records}"


def _of_subject(moved: Moved) -> str:
    """Return the variant of a subject's value in words; a time says by its own words that it is one."""
    timed = any(words.startswith(("event", "censored", "competing")) for words in (moved.before, moved.after))
    return variant_words(moved.variant, "time-to-event" if timed else "response-rate")


def compared_document(found: Comparison) -> dict[str, Any]:
    """Return everything that is another, for machines."""
    code = 1 if found.differs else 0
    return {
        "study": found.one.record["study"],
        "runs": [{"folder": str(run.folder), **{key: run.record.get(key) for key in RUN_FACTS}} for run in (found.one, found.two)],
        "facts": [{"what": words, "before": before, "after": after} for words, before, after in found.facts],
        "rows": {"same": found.same, **found.counts},
        "results": [
            {
                **{key: getattr(group, key) for key in ("analysis", "endpoint", "variant", "by", "level", "time")},
                "statistics": {name: {"before": before, "after": after} for name, (before, after) in group.statistics.items()},
                "attributes": {name: {"before": before, "after": after} for name, (before, after) in group.attributes.items()},
            }
            for group in found.results
        ],
        "subjects": {
            "new": list(found.new),
            "gone": list(found.gone),
            "changed": [
                {
                    **{key: getattr(moved, key) for key in ("subject", "what", "variant", "before", "after", "why")},
                    "rules": list(moved.rules),
                    "records": list(moved.records),
                }
                for moved in found.moved
            ],
        },
        "exit": {"code": code, "meaning": EXITS[code]},
    }


RUN_FACTS = ("cutoff", "study_hash", "rules", "provenance", "time")


def write_comparison_page(found: Comparison, out: str | Path) -> Path:
    """Write the page of a comparison.

    Parameters
    ----------
    found : Comparison
    out : path
        HTML file.

    Raises
    ------
    InputError
        If the place cannot be written to.
    """
    from importlib import metadata

    path = Path(out)
    version = metadata.version("cartrial")
    study = found.one.record["study"]
    text = render_page(
        _sections(found),
        title=f"{study}: two runs",
        heading=f"Two runs of {study}",
        kind="What differs between two runs",
        facts=f"{found.one.folder.name} against {found.two.folder.name}",
        band=BANDS.get(found.one.record["provenance"], ""),
        footer=f"Made by cartrial {version}. Nothing is estimated here: every number stands in the results of one of the two runs.",
        version=version,
    )
    with built_beside(path.parent) as folder:
        (folder / path.name).write_text(text, encoding="utf-8")
    return path


def _sections(found: Comparison) -> list[Section]:
    said = (
        results_words(found) if found.differs else f"The results are the same: {found.same} rows, {found.one.sets['ADSL'].height} subjects."
    )
    first: list[Block] = [Text(said), Text(subjects_words(found))]
    head = ("", found.one.folder.name or "first run", found.two.folder.name or "second run")
    runs = [("Time of the run", *(str(run.record.get("time") or "not recorded") for run in (found.one, found.two))), *found.facts]
    first.append(Table(head, runs, "The two runs: what they do not share", small=True))
    return [
        Section("summary", "What differs", first, "Summary"),
        Section("results", "Results", _result_blocks(found), "Results"),
        Section("subjects", "Subjects", _subject_blocks(found), "Subjects"),
        Section("reading", "How to read this", [Definition(_READING)], "Reading"),
    ]


def _result_blocks(found: Comparison) -> list[Block]:
    if not found.results:
        return [Text("Every row of the results is the same in both runs.")]
    main = [group for group in found.results if is_main(group)]
    rest = [group for group in found.results if not is_main(group)]
    blocks: list[Block] = []
    if main:
        blocks.append(Table(("Result", "First run → second run"), _rows(main), "Main analyses", small=True))
    else:
        blocks.append(Text("No main analysis differs."))
    if rest:
        more = f"; the first {MOST} of them" if len(rest) > MOST else ""
        table = Table(("Result", "First run → second run"), _rows(rest[:MOST]), "Variants, subgroups, points of curves", small=True)
        blocks.append(Details(f"Variants, subgroups and points of curves ({len(rest)} groups of results{more})", [table]))
    return blocks


def _rows(groups: Sequence[Changed]) -> list[tuple[str, str]]:
    return [(group_words(group), statistics_words(group)) for group in groups]


def _subject_blocks(found: Comparison) -> list[Block]:
    blocks: list[Block] = []
    for words, names in (("In the second run alone", found.new), ("In the first run alone", found.gone)):
        if names:
            blocks.append(Note(f"{words} ({len(names)}): {', '.join(names)}."))
    if not found.moved:
        return [*blocks, Text("No subject of both runs differs in a value.")]
    head = ("Subject", "What", "First run", "Second run", "By", "Rule", "Record")
    main = [moved for moved in found.moved if not moved.variant]
    other = [moved for moved in found.moved if moved.variant]
    blocks.append(Table(head, [_cells(moved) for moved in main[:MOST]], _caption("Values that differ", main), wide=True))
    if other:
        table = Table(head, [_cells(moved) for moved in other[:MOST]], _caption("Values in variants", other), wide=True)
        blocks.append(Details(f"Values in variants ({len(other)})", [table]))
    return blocks


def _caption(words: str, rows: Sequence[Moved]) -> str:
    return words if len(rows) <= MOST else f"{words}: the first {MOST} of {len(rows)}; `cartrial compare --json` has all"


def _cells(moved: Moved) -> tuple[str, ...]:
    what = f"{moved.what}{f', with {_of_subject(moved)}' if moved.variant else ''}"
    rules, records = (_pair(pair) for pair in (moved.rules, moved.records))
    return moved.subject, what, moved.before, moved.after, moved.why, rules, records


def _pair(pair: tuple[str, str]) -> str:
    return pair[0] if pair[0] == pair[1] else f"{pair[0] or 'none'} → {pair[1] or 'none'}"


_READING = [
    (
        "Results",
        "a row differs where its value (12 significant digits), its printed text, population, reader, window or strategies are.",
    ),
    ("Subjects", "values of ADRS and ADTTE, statuses of ADRESP, and columns of ADSL; the day of the cutoff is none of a subject's."),
    (
        "By",
        "what can be seen from both runs: a record after the first cutoff, another record, another rule on the same record, or neither.",
    ),
    ("Rule, Record", "as each run gives them; one alone where both are the same."),
]
