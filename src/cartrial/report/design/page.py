"""How is a study's design shown? One self-contained page, with its figures as JSON beside it."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartrial.design.protocol.design_rows import design_rows
from cartrial.design.protocol.paragraph import write_paragraph
from cartrial.design.protocol.rows import COLUMNS, PARTS
from cartrial.design.protocol.simulation import add_simulation, simulation_facts
from cartrial.design.protocol.study_design import StudyDesign
from cartrial.errors import InputError
from cartrial.files import built_beside
from cartrial.report.design.data import DesignData
from cartrial.report.page.blocks import Section

if TYPE_CHECKING:
    from cartrial.design.trials.characteristics import Characteristics

__all__ = ["design_data", "design_record", "design_text", "write_design"]

BAND = "OPERATING CHARACTERISTICS: virtual patients, simulated"
PACKAGES = ("cartrial", "polars", "numpy", "scipy", "numba")


def write_design(design: StudyDesign, out: str | Path, *, simulated: Characteristics | None = None) -> Path:
    """Write the page of a study's design, and its figures as JSON of the same name beside it.

    Parameters
    ----------
    design : StudyDesign
        Of `cartrial.design.design_study`.
    out : path
        HTML file.
    simulated : Characteristics, optional
        Of `cartrial.design.simulate_design`.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the place cannot be written to; nothing is written then.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import Study
    >>> from cartrial.design import design_study
    >>> from cartrial.report import write_design
    >>> with TemporaryDirectory() as folder:
    ...     page = write_design(design_study(Study.load("inaticel")), Path(folder, "design.html"))
    ...     sorted(path.name for path in page.parent.iterdir())
    ['design.html', 'design.json']
    """
    path = Path(out)
    if path.is_dir():
        raise InputError("the place for the page is a folder", file=str(path), right="Name an HTML file")
    data = design_data(design, simulated)
    record = design_record(data)
    text = design_text(data, record)
    with built_beside(path.parent) as folder:
        (folder / path.name).write_text(text, encoding="utf-8")
        lines = json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False)
        (folder / f"{path.stem}.json").write_text(lines + "\n", encoding="utf-8")
    return path


def design_data(design: StudyDesign, simulated: Characteristics | None = None) -> DesignData:
    """Return what the sections of a page read: a design, its figures, and what is said of its virtual trials."""
    rows = design_rows(design)
    if simulated is None:
        return DesignData(design, rows)
    add_simulation(rows, design, simulated)
    return DesignData(design, rows, simulation_facts(simulated, design.seed))


def design_record(data: DesignData) -> dict[str, Any]:
    """Return the content of the JSON file."""
    design: StudyDesign = data.design
    return {
        "schema": 1,
        "study": design.study.study.id,
        "study_hash": design.study.hash,
        "rules": design.study.rules,
        "endpoint": design.inputs.endpoint.id,
        "own": None if design.own is None else design.own.id,
        "recommended": design.recommended,
        "reason": design.reason,
        "paragraph": write_paragraph(design, data.rows, data.facts),
        "versions": {name: _version(name) for name in PACKAGES},
        "simulation": dict(data.facts),
        "columns": COLUMNS,
        "parts": PARTS,
        "rows": data.rows.records(),
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def design_text(data: DesignData, record: dict[str, Any]) -> str:
    """Return the page as HTML text."""
    from cartrial.report.design.history import history
    from cartrial.report.design.monitoring import awaited, safety, toxicity
    from cartrial.report.design.own import own
    from cartrial.report.design.rate import boundaries, curves, inputs, options, recommendation
    from cartrial.report.design.simulation import contrasts, operating
    from cartrial.report.design.text import limits, methods, paragraph
    from cartrial.report.design.time import calendar, funnel, survival
    from cartrial.report.page.render import render_page

    identity = data.design.study.study
    first = (own, recommendation, paragraph, inputs, options, boundaries, history, curves, operating, contrasts)
    builders = (*first, awaited, safety, toxicity, survival, calendar, funnel, limits, methods)
    sections: list[Section] = [found for found in (build(data) for build in builders) if found is not None]
    version = record["versions"]["cartrial"] or ""
    study = f"Study file: SHA-256 {record['study_hash']}, rules version {record['rules']}."
    facts = " · ".join(part for part in (identity.id, identity.registry, f"primary endpoint {record['endpoint']}") if part)
    return render_page(
        sections,
        title=f"{identity.title}: design",
        heading=identity.title.replace("B-cell", "B\u2011cell"),
        kind="Study design",
        facts=facts,
        band=BAND if data.simulated else "",
        footer=f"Made by cartrial {version}. {len(data.rows.rows)} figures. {study}",
        version=version,
    )
