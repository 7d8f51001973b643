"""What came of the population models that a study file asks for, and where are they written beside a report?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

    from cartrial.endpoints import Adam
    from cartrial.kinetics import KineticsFit
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["CellFits", "cell_units", "fit_cells", "rows_of", "write_cells"]


class CellFits(NamedTuple):
    """The fitted models, one a test, and of tests of which nothing could be fitted the reason."""

    found: tuple[KineticsFit, ...]
    failed: str = ""


def fit_cells(study: Study, adam: Adam, records: Records, *, say: Callable[[str], None] | None = None) -> CellFits | None:
    """Fit what a study file asks for; None where it asks for nothing.

    What cannot be fitted does not stop a report: its section says why. `cartrial kinetics` stops.
    """
    from cartrial.errors import InputError

    if study.kinetics.model is None:
        return None
    from cartrial.kinetics import fit_kinetics

    found: list[KineticsFit] = []
    failed: dict[str, None] = {}
    for test in study.kinetics.tests:
        try:
            found += fit_kinetics(study, adam, records, tests=(test,), say=say)
        except InputError as error:
            failed[str(error).rstrip(".")] = None
    return CellFits(tuple(found), ". ".join(failed))


def cell_units(adam: Adam) -> dict[str, str]:
    """Return the unit of the samples of each test, as the peaks of ADCK have it."""
    peaks = adam.adck.filter(PARAMCD="CMAX").select("PARCAT1", "AVALU").drop_nulls()
    return {str(test): str(unit) for test, unit in peaks.iter_rows()}


def rows_of(study: Study, adam: Adam, cells: CellFits) -> pl.DataFrame:
    """Return the results rows of fitted models."""
    from cartrial.analysis.tables.cells import cell_model_rows

    provenance = adam.provenance or study.study.provenance
    return cell_model_rows(cells.found, study=study.study.id, provenance=provenance, units=cell_units(adam))


def write_cells(study: Study, adam: Adam, cells: CellFits, folder: Path) -> None:
    """Write the tables of fitted models into a new folder."""
    from cartrial.kinetics.tables import write_tables

    folder.mkdir()
    write_tables(study, cells.found, folder, units=cell_units(adam))
