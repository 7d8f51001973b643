"""How is the dossier shown: one page, one PDF, and one document for machines?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from typing import Any

from cartrial.extras import require
from cartrial.qualify.checks import FAILED, NOT_RUN, PASSED, Check
from cartrial.qualify.figures import COVERED, LEFT
from cartrial.qualify.requirements import read_requirements
from cartrial.qualify.run import PARTS, Qualification
from cartrial.report.page.blocks import Definition, Details, Note, Section, Table, Text
from cartrial.report.page.render import render_page

__all__ = ["qualification_document", "qualification_page", "write_dossier"]

HEAD = ("check", "expected", "found", "tolerance", "origin", "verdict")
WIDTHS = "(4fr, 3fr, 3fr, 1.2fr, 4fr, 1.2fr)"
REQUIRED = ("number", "requirement", "stated in", "tests", "last result")
COVERAGE = "Coverage: which estimators and designs are compared?"
NOTE = "The result is that of the tests of the project before the release; no test of the project is run here."
WORDS = {
    "installation": "Installation: are the files those that were released?",
    "operation": "Operation: do the commands do what they say?",
    "performance": "Performance: are the figures right?",
}

_START = """#set document(title: "Qualification of an installation", author: "cartrial")
#set text(font: "Libertinus Serif", size: 8pt)
#set table(stroke: 0.3pt, inset: 2pt)
#set page(paper: "a4", flipped: true, margin: 15mm,
  footer: align(center, context [Page #counter(page).get().first() of #counter(page).final().first()]))
#text(size: 14pt, weight: "bold")[Qualification of an installation of cartrial]

#strong({sentence}) #{when}

"""


def write_dossier(found: Qualification, folder: Path) -> list[str]:
    """Write the dossier into a folder: qualify.html, qualify.json, and qualify.pdf where the extra `submission` is installed.

    Returns
    -------
    list of str
        Names of the files.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.qualify import qualify, write_dossier
    >>> with TemporaryDirectory() as folder:
    ...     write_dossier(qualify(("installation",)), Path(folder))[:2]
    ['qualify.html', 'qualify.json']
    """
    (folder / "qualify.html").write_text(qualification_page(found), encoding="utf-8")
    text = json.dumps(qualification_document(found), indent=1, ensure_ascii=False)
    (folder / "qualify.json").write_text(text + "\n", encoding="utf-8")
    names = ["qualify.html", "qualify.json"]
    if util.find_spec("typst") is not None:
        (folder / "qualify.pdf").write_bytes(_pdf(found))
        names.append("qualify.pdf")
    return names


def _pdf(found: Qualification) -> bytes:
    typst = require("typst", extra="submission")

    def text(words: str) -> str:
        return json.dumps(words, ensure_ascii=False)

    def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], widths: str) -> str:
        cells = ", ".join(text(cell) for row in rows for cell in row)
        heads = ", ".join(f"strong({text(cell)})" for cell in head)
        return f"#table(columns: {widths}, table.header({heads}), {cells})\n"

    parts = [_START.format(sentence=text(found.verdict), when=text(f"{found.when:%Y-%m-%d %H:%M} UTC; {found.seconds:.0f} s"))]
    if found.failed:
        parts.append(f"= #{text('What failed')}\n" + table(HEAD, _rows(found.failed), WIDTHS))
    parts.append(table(("what", "found"), _machine(found), "(3fr, 5fr)"))
    absent = _not_run(found)
    if absent:
        parts.append(f"= #{text('What could not be checked here')}\n" + table(("check", "why"), absent, "(3fr, 5fr)"))
    for part in PARTS:
        checks = [check for check in found.checks if check.part == part]
        if checks:
            parts.append(f"= #{text(WORDS[part])}\n")
        for group, rows in _by_group(checks):
            parts.append(f"== #{text(group)}\n")
            parts.append(table(HEAD, _rows(rows), WIDTHS))
    if "performance" in found.parts:
        parts.append(f"= #{text(COVERAGE)}\n" + table(("function", "compared by"), _coverage(), "(3fr, 5fr)"))
    required = _requirements()
    if required:
        parts.append(f"= #{text('Requirements')}\n#{text(NOTE)}\n\n" + table(REQUIRED, required, "(1fr, 4fr, 3fr, 5fr, 1fr)"))
    made: bytes = typst.compile({"main.typ": "".join(parts).encode()}, format="pdf", ignore_system_fonts=True, pdf_tags=False)
    return made


def qualification_document(found: Qualification) -> dict[str, Any]:
    """Return everything for machines: verdict, counts, machine, and each check.

    Examples
    --------
    >>> from cartrial.qualify import qualification_document, qualify
    >>> held = qualification_document(qualify(("installation",)))
    >>> held["verdict"], held["parts"], held["counts"]["failed"]
    ('passed', ['installation'], 0)
    """
    return {
        "verdict": PASSED if found.passed else FAILED,
        "sentence": found.verdict,
        "when": found.when.isoformat().replace("+00:00", "Z"),
        "seconds": round(found.seconds, 1),
        "seed": found.seed,
        "parts": list(found.parts),
        "counts": found.counts,
        "machine": dict(found.machine),
        "covered": {**COVERED, **{name: why for name, why in LEFT.items()}},
        "requirements": [one._asdict() for one in read_requirements()],
        "checks": [check._asdict() for check in found.checks],
    }


def qualification_page(found: Qualification) -> str:
    """Return the dossier as one self-contained page: verdict, machine, what failed, a summary, and each check by group.

    Examples
    --------
    >>> from cartrial.qualify import qualification_page, qualify
    >>> "Installation: are the files those that were released?" in qualification_page(qualify(("installation",)))
    True
    """
    version = dict(found.machine)["cartrial"]
    sections = [_summary(found)]
    for part in PARTS:
        checks = [check for check in found.checks if check.part == part]
        if checks:
            sections.append(
                Section(part, WORDS[part], [_details(group, list(rows)) for group, rows in _by_group(checks)], short=part.title())
            )
    if "performance" in found.parts:
        details = Details(
            f"{len(COVERED)} compared, {len(LEFT)} not, each with the reason",
            [Table(("function", "compared by"), _coverage(), small=True, wide=True)],
        )
        sections.append(Section("coverage", COVERAGE, [details], short="Coverage"))
    required = _requirements()
    if required:
        details = Details(f"{len(required):,} requirements", [Table(REQUIRED, required, small=True, wide=True, dense=True)])
        note = Text(NOTE)
        sections.append(Section("requirements", "Requirements: which tests show them?", [note, details], short="Requirements"))
    return render_page(
        sections,
        title="Qualification of an installation",
        heading="Qualification of an installation",
        kind="cartrial qualify",
        facts=f"{found.verdict} {found.when:%Y-%m-%d %H:%M} UTC, {found.seconds:.0f} s.",
        band="",
        footer="It shows what this installation does on this machine. Whether a use is validated is for its owner to say.",
        version=version,
    )


def _by_group(checks: list[Check]) -> list[tuple[str, list[Check]]]:
    ordered: dict[str, list[Check]] = {}
    for check in checks:
        ordered.setdefault(check.group, []).append(check)
    return list(ordered.items())


def _rows(checks: list[Check]) -> list[tuple[str, ...]]:
    return [(check.what, check.expected, check.found, check.tolerance, check.origin, check.verdict) for check in checks]


def _machine(found: Qualification) -> list[tuple[str, str]]:
    return [*found.machine, ("seed of random data", str(found.seed))]


def _not_run(found: Qualification) -> list[tuple[str, ...]]:
    return [(f"{check.group}: {check.what}", check.found) for check in found.checks if check.verdict == NOT_RUN]


def _coverage() -> list[tuple[str, ...]]:
    compared = [(name, "; ".join(groups)) for name, groups in COVERED.items()]
    return [*compared, *((name, f"not compared: {why}") for name, why in LEFT.items())]


def _requirements() -> list[tuple[str, ...]]:
    return [(one.id, one.text, one.where, ", ".join(one.tests), one.result) for one in read_requirements()]


def _summary(found: Qualification) -> Section:
    rows = []
    for part in PARTS:
        checks = [check for check in found.checks if check.part == part]
        for group, held in _by_group(checks):
            counts = {verdict: sum(check.verdict == verdict for check in held) for verdict in (PASSED, FAILED, NOT_RUN)}
            rows.append(
                (part, group, *map(str, counts.values()), held[0].origin if len({check.origin for check in held}) == 1 else "several")
            )
    blocks: list[Any] = [Note(found.verdict, warning=not found.passed)]
    if len(found.parts) < len(PARTS):
        blocks.append(Text(f"Checked: {', '.join(found.parts)} alone."))
    if found.failed:
        blocks.append(Table(HEAD, _rows(found.failed), caption="What failed", wide=True))
    absent = _not_run(found)
    if absent:
        blocks.append(Table(("check", "why"), absent, caption="What could not be checked here", wide=True))
    head = ("part", "what", PASSED, FAILED, NOT_RUN, "origin of what is expected")
    blocks.append(Table(head, rows, caption="Checks by group", numeric=(2, 3, 4), wide=True))
    blocks.append(Definition(_machine(found)))
    return Section("verdict", "Verdict", blocks, short="Verdict")


def _details(group: str, checks: list[Check]) -> Details:
    counts = sum(check.verdict == PASSED for check in checks)
    summary = f"{group[:1].upper()}{group[1:]}: {counts:,} of {len(checks):,} passed"
    return Details(summary, [Table(HEAD, _rows(checks), small=True, wide=True, dense=True)])
