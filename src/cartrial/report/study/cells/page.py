"""What does `cartrial kinetics` leave? The models' tables, their rows of results, and a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import results_hash, sort_results, write_results
from cartrial.files import built_beside
from cartrial.kinetics.tables import summary_lines, write_tables
from cartrial.report.page.drawing import name_figures
from cartrial.report.page.rows import Rows
from cartrial.report.study.cells.fits import CellFits, cell_units, rows_of
from cartrial.report.study.cells.section import build
from cartrial.report.study.data import ReportData
from cartrial.report.study.outputs import run_record

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.kinetics import KineticsFit
    from cartrial.sdtm import Source
    from cartrial.study import Study

__all__ = ["FILES", "write_cell_page"]

FILES = (
    *("kinetics.html", "results.json", "kinetics.json", "summary.txt"),
    *(f"{name}.csv" for name in ("parameters", "adppk", "adpp", "courses", "trace")),
)
"""What is written into the folder."""


def write_cell_page(
    study: Study,
    source: Source,
    adam: Adam,
    found: Sequence[KineticsFit],
    findings: pl.DataFrame,
    out: str | Path,
    *,
    seed: int | None = None,
) -> list[str]:
    """Write kinetics.html, results.json, and the tables of `cartrial.kinetics.write_kinetics` into a folder.

    Parameters
    ----------
    study, source, adam : Study, Source, Adam
    found : sequence of KineticsFit
    findings : polars.DataFrame
        As of `cartrial.check_sdtm`.
    out : str or Path
        A folder; other files in it stay.
    seed : int, optional
        Of virtual patients.

    Returns
    -------
    list of str
        The summary, a line each.
    """
    from cartrial.report.study.sections import identity
    from cartrial.report.study.write import page_text

    cells = CellFits(tuple(found))
    provenance = adam.provenance or study.study.provenance
    rows = sort_results(rows_of(study, adam, cells))
    record = run_record(study, source, rows, results_hash(rows), provenance, findings, seed)
    data = ReportData(study, source, adam, Rows(rows), findings, provenance)
    with built_beside(Path(out)) as folder:
        write_tables(study, found, folder, units=cell_units(adam))
        write_results(rows, folder / "results.json")
        sections = name_figures([build(data, cells), identity.build(data)])
        (folder / "kinetics.html").write_text(page_text(data, sections, record), encoding="utf-8")
    return list(summary_lines(found, cell_units(adam)))
