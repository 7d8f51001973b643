"""How is what a check found told? Rule by rule to people, whole to machines."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import cartrial
from cartrial.errors import InputError
from cartrial.study.study import ASSUMPTION

if TYPE_CHECKING:
    import polars as pl

    from cartrial.endpoints import Adam
    from cartrial.sdtm import Source
    from cartrial.study import Study
    from cartrial.virtual.trial import VirtualPatients

__all__ = [
    "EXITS",
    "failed_document",
    "finding_lines",
    "found_document",
    "source_lines",
    "study_lines",
    "subject_document",
    "virtual_lines",
]

EXITS = {0: "nothing would stop a report", 1: "something would stop a report", 2: "the input cannot be used"}
"""What the exit codes of `check` mean."""

# Of one message where not every finding is asked for. Unit: characters.
LONGEST = 500
INDENT = 14


def study_lines(study: Study) -> Iterator[str]:
    """Yield what is known of a study file that can be used."""
    count = "1 endpoint" if len(study.endpoints) == 1 else f"{len(study.endpoints)} endpoints"
    yield f"{study.study.id}: the study file can be used ({count}, hash {study.hash[:12]}, rules version {study.rules})."
    assumptions = study.assumptions()
    for place, source in assumptions:
        if source != ASSUMPTION:
            yield from _line("assumption", f"{place}: {source}")
    bare = [place for place, source in assumptions if source == ASSUMPTION]
    if bare:
        yield from _line("assumption", f"{', '.join(bare)}: no source is named")
    for point in study.unclear:
        yield from _line("unclear", point)


def virtual_lines(patients: VirtualPatients | InputError | None) -> Iterator[str]:
    """Yield who the virtual patients are or would be, or why there can be none."""
    if isinstance(patients, InputError):
        yield from _line("virtual", f"No virtual trial of this study can be simulated: {patients}")
    elif patients is not None:
        for i, (label, words) in enumerate(patients.lines()):
            yield from _line("" if i else "virtual", f"{label}: {words}")


def source_lines(study: Study, source: Source) -> Iterator[str]:
    """Yield which domains were read, and which that a rule may ask for are not there."""
    held = _domains(source)
    yield from _line("read", "; ".join(f"{name} {_size(counts)}" for name, counts in held.items()))
    absent = _absent(study, source)
    if absent:
        yield from _line("not there", ", ".join(absent))


def finding_lines(findings: pl.DataFrame, *, every: bool) -> Iterator[str]:
    """Yield findings: the first example of each rule with its counts, or every one of them."""
    from cartrial.sdtm.checks.groups import group_findings, in_order, said_of

    if every:
        for row in in_order(findings).iter_rows(named=True):
            yield from _line(row["SEVERITY"], f"{said_of(row)} [{row['RULE']}]")
        return
    for group in group_findings(findings):
        for i, row in enumerate(group.examples):
            said = textwrap.shorten(said_of(row), LONGEST, placeholder=" ...")
            counts = f"{group.counts}: " if i == 0 and group.counts else ""
            yield from _line(group.severity if i == 0 else "", f"{counts}{said} [{group.rule}]")
        if len(group.examples) > 1 and group.more:
            yield from _line("", f"and {group.more} more")


def _line(label: str, text: str) -> Iterator[str]:
    """Yield a text after its label: as wide as the terminal, or in one line where there is none."""
    line = f"  {label:10s}  {' '.join(text.split())}"
    if not sys.stdout.isatty():
        yield line
        return
    width = max(shutil.get_terminal_size((100, 24)).columns - 1, 40)
    yield from textwrap.wrap(line, width, subsequent_indent=" " * INDENT, break_on_hyphens=False)


def _size(counts: dict[str, int | None]) -> str:
    """Return the records and subjects of a domain in words."""
    records, subjects = counts["records"], counts["subjects"]
    if not subjects or records == subjects:
        return f"{records} {'subject' if subjects else 'record'}{'' if records == 1 else 's'}"
    return f"{records} records of {subjects} subject{'' if subjects == 1 else 's'}"


def _domains(source: Source) -> dict[str, dict[str, int | None]]:
    return {
        name: {"records": frame.height, "subjects": frame["USUBJID"].n_unique() if "USUBJID" in frame.columns else None}
        for name, frame in source.domains.items()
    }


def _absent(study: Study, source: Source) -> list[str]:
    from cartrial.sdtm import DOMAINS

    asked = ("", study.disease.family.derive)
    return [name for name, domain in DOMAINS.items() if domain.read_for in asked and name not in source.domains]


def found_document(
    study: Study, source: Source | None, findings: pl.DataFrame, code: int, patients: VirtualPatients | InputError | None = None
) -> dict[str, Any]:
    """Return everything that a check found, for machines."""
    from cartrial.sdtm.checks.groups import count_findings, group_findings

    def finding(row: dict[str, Any]) -> dict[str, Any]:
        names = ("FILE", "ROW", "DOMAIN", "USUBJID", "VARIABLE", "RULE", "SEVERITY", "MESSAGE")
        return {"subject" if name == "USUBJID" else name.lower(): row[name] for name in names}

    groups = [
        {
            "rule": group.rule,
            "severity": group.severity,
            "count": group.count,
            "subjects": group.subjects,
            "examples": [finding(row) for row in group.examples],
        }
        for group in group_findings(findings)
    ]
    return {
        "cartrial": cartrial.__version__,
        "study": {
            "id": study.study.id,
            "title": study.study.title,
            "hash": study.hash,
            "rules": study.rules,
            "rules_stated": "rules" in study.model_fields_set,
        },
        "assumptions": [{"place": place, "source": said} for place, said in study.assumptions()],
        "unclear": list(study.unclear),
        "virtual": {"error": str(patients)} if isinstance(patients, InputError) else patients and patients.record(),
        "data": None if source is None else _data(study, source),
        "counts": count_findings(findings),
        "groups": groups,
        "findings": [finding(row) for row in findings.iter_rows(named=True)],
        "exit": {"code": code, "meaning": EXITS[code]},
    }


def _data(study: Study, source: Source) -> dict[str, Any]:
    names = ("name", "domain", "rows", "form", "sha256")
    files = [{name: getattr(file, name) for name in names} for file in source.files]
    return {"level": source.level, "files": files, "domains": _domains(source), "absent": _absent(study, source)}


def subject_document(study: Study, adam: Adam, source: Source | None, name: str, endpoint: str | None = None) -> dict[str, Any]:
    """Return everything that was derived of one subject, for machines: the rows of each ADaM set, with what explains them in words.

    Raises
    ------
    InputError
        If the subject or the endpoint does not exist.
    """
    import polars as pl

    from cartrial.report import explain_subject
    from cartrial.report.study.explain import find_subject
    from cartrial.report.study.outputs import DATASETS

    words = explain_subject(study, adam, source, name, endpoint, width=150)
    subject = find_subject(adam.adsl, name)
    sets = {}
    for name_of in DATASETS:
        rows: pl.DataFrame = getattr(adam, name_of)
        rows = rows.filter(pl.col("SUBJ") == subject["SUBJ"])
        if endpoint is not None and name_of in ("adrs", "adtte"):
            rows = rows.filter(pl.col("PARAMCD") == endpoint)
        dated = rows.with_columns(pl.col(pl.Date, pl.Datetime).dt.to_string("%Y-%m-%d"))
        sets[name_of.upper()] = dated.drop("TRIAL", "SUBJ", strict=False).to_dicts()
    return {
        "cartrial": cartrial.__version__,
        "study": {"id": study.study.id, "hash": study.hash},
        "subject": subject["USUBJID"],
        "provenance": adam.provenance or study.study.provenance,
        **sets,
        "words": words.splitlines(),
    }


def failed_document(error: InputError) -> dict[str, Any]:
    """Return what is wrong with an input that cannot be used, for machines."""
    errors = [
        {"file": fault.file, "row": fault.row, "key": fault.key, "what": fault.what, "right": fault.right, "message": str(fault)}
        for fault in error.errors
    ]
    return {"cartrial": cartrial.__version__, "errors": errors, "exit": {"code": 2, "meaning": EXITS[2]}}
