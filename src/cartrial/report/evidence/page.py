"""How does the context page become a file?"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from cartrial.errors import InputError
from cartrial.files import built_beside
from cartrial.report.evidence import contradictions, forest, one_trial, prediction, survival
from cartrial.report.evidence.data import ContextData
from cartrial.report.evidence.dates import build_epidemiology, build_timeline
from cartrial.report.page.blocks import Note, Section
from cartrial.report.page.render import render_page

__all__ = ["context_sections", "write_context"]

_BANDS = {
    "virtual": "PUBLISHED NUMBERS BESIDE VIRTUAL PATIENTS: what is called this study or virtual is simulated",
    "example": "PUBLISHED NUMBERS BESIDE EXAMPLE DATA: what is called this study is invented",
}


def context_sections(data: ContextData) -> list[Section]:
    """Return the sections of the page: what cannot be true stands first.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> from cartrial.report.evidence.data import ContextData
    >>> from cartrial.report.evidence.page import context_sections
    >>> from cartrial.study import Study
    >>> sections = context_sections(ContextData(Study.load("inaticel"), load_evidence()))
    >>> [section.id for section in sections][:3]
    ['contradictions', 'rates', 'one-trial']
    """
    builders = (
        contradictions.build,
        forest.build,
        one_trial.build,
        survival.build,
        prediction.build,
        build_timeline,
        build_epidemiology,
    )
    sections = [build(data) for build in builders]
    if not data.leukaemia:
        said = f"Everything in the registry is of leukaemia. This study is of {data.study.disease.name}: nothing here may be put beside it."
        sections.insert(0, Section("other", "Read first", [Note(said)]))
    return sections


def write_context(data: ContextData, out: str | Path) -> Path:
    """Write the context page of a study.

    Parameters
    ----------
    data : ContextData
    out : path
        HTML file.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the place cannot be written to, or this trial may not be predicted from what was named.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.evidence import load_evidence
    >>> from cartrial.report.evidence.data import ContextData
    >>> from cartrial.report.evidence.page import write_context
    >>> from cartrial.study import Study
    >>> with TemporaryDirectory() as folder:
    ...     text = write_context(ContextData(Study.load("inaticel"), load_evidence()), f"{folder}/context.html").read_text()
    >>> "14/19 = 73.7 %" in text
    True
    """
    out = Path(out)
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError("the page is an HTML file", file=str(out), key="--out", right="Give a name that ends in .html")
    study, version = data.study, metadata.version("cartrial")
    held = data.evidence
    kind = "virtual" if data.simulated is not None or data.provenance == "virtual" else data.provenance
    facts = " · ".join(part for part in (study.study.id, study.study.registry, f"{len(held.results)} published results") if part)
    text = render_page(
        context_sections(data),
        title=f"{study.study.title}: what is already known",
        heading=study.study.title.replace("B-cell", "B\u2011cell"),
        kind="What is already known",
        facts=facts,
        band=_BANDS.get(kind, ""),
        footer=f"Made by cartrial {version}. Study file: SHA-256 {study.hash}. Registry: {len(held.results)} results of "
        f"{len(held.trials)} trials from {len(held.sources)} sources, as they were printed.",
        version=version,
    )
    with built_beside(out.parent) as folder:
        (folder / out.name).write_text(text, encoding="utf-8")
    return out
