"""What can be typed of the page of published evidence? `evidence context`: what is already known beside a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import MOST, FiguresOption, StudyArg, draw_page, formats_asked, tell
from cartrial.cli.evidence.known import AssumeOption, evidence
from cartrial.cli.owned import ForceOption, require_own_page

__all__: list[str] = []


@evidence.command("context")
def context(
    study: StudyArg,
    results: Annotated[
        Path | None, typer.Option("--results", metavar="FOLDER", help="Of a report of this study: its results stand beside.")
    ] = None,
    simulated: Annotated[
        Path | None, typer.Option("--simulated", metavar="FOLDER", help="Of `cartrial trials`: survival of virtual trials as a band.")
    ] = None,
    curves: Annotated[
        list[str] | None,
        typer.Option("--curve", metavar="ENDPOINT=FOLDER", help="Of `cartrial evidence curve`: a reconstructed curve, e.g. OS=FOLDER."),
    ] = None,
    beside: Annotated[
        list[str] | None, typer.Option("--from", metavar="RESULT", help="Predict this trial's primary endpoint from this result too.")
    ] = None,
    n: Annotated[int | None, typer.Option("--n", min=1, max=MOST, help="Subjects whose responses are predicted.")] = None,
    assume: AssumeOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="HTML file to write.")] = Path("context.html"),
    figures: FiguresOption = None,
    force: ForceOption = False,
) -> None:
    """Write a page on what is already known beside a study: contradictions, rates, survival, a prediction, dates, epidemiology."""
    from cartrial.evidence import load_evidence, read_assumptions
    from cartrial.files import require_place
    from cartrial.report.evidence.data import ContextData, read_own, read_reconstructed, read_simulated
    from cartrial.report.evidence.page import write_context
    from cartrial.report.evidence.prediction import require_beside
    from cartrial.study import Study

    formats = formats_asked(figures)
    loaded = Study.load(study)
    require_place(out.parent)
    require_own_page(out, force=force)
    own, provenance = read_own(loaded, results) if results is not None else (None, "")
    data = ContextData(
        study=loaded,
        evidence=load_evidence(),
        own=own,
        provenance=provenance,
        curves=read_reconstructed(curves or []),
        simulated=read_simulated(loaded, simulated) if simulated is not None else None,
        assume=read_assumptions(assume or []),
        beside=tuple(dict.fromkeys(beside or ())),
        n=n,
    )
    require_beside(data)
    write_context(data, out)
    tell(f"Wrote {out}.")
    draw_page(out, formats)
