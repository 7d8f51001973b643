"""Which figures does a report have? Each by its name, as a picture of its own that a notebook shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import check_results, sort_results
from cartrial.report.page.blocks import Figure
from cartrial.report.page.drawing import find_figures
from cartrial.report.page.rows import Rows
from cartrial.report.study.data import ReportData
from cartrial.study import Study

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm import Source

__all__ = ["draw_figures"]


def draw_figures(study: Study, adam: Adam, results: pl.DataFrame, source: Source | None = None) -> dict[str, Figure]:
    """Draw the figures of a report: curves, forests, courses of subjects, profiles of cells.

    Parameters
    ----------
    study : Study
    adam : Adam
    results : polars.DataFrame
        Rows of `cartrial.analysis.analyse`; the only origin of a statistic.
    source : Source, optional
        Recorded data, for samples and dated events.

    Returns
    -------
    dict
        Figures by name. In a notebook each shows itself: as a document of Vega-Lite, and as a still picture with the extra `figures`.
        `document` is what Vega-Lite draws.

    Raises
    ------
    InputError
        If the rows are not results.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study, analyse, derive
    >>> from cartrial.report import draw_figures
    >>> from cartrial.sdtm import Source
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    >>> ex = {"EXSEQ": [1, 1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1, 1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["CR", "NR"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> study = Study.load("inaticel")
    >>> adam = derive(study, source)
    >>> "forest-variants" in draw_figures(study, adam, analyse(study, adam), source)
    True
    """
    from cartrial.report.study.write import page_sections
    from cartrial.sdtm import no_findings

    check_results(results)
    data = ReportData(study, source, adam, Rows(sort_results(results)), no_findings(), adam.provenance or study.study.provenance)
    return {figure.name: figure for figure in find_figures(page_sections(data))}
