"""How is a run's result written: the page, the numbers, the derived sets, the record of the run?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from markupsafe import Markup

from cartrial.analysis.results import check_results, results_hash, sort_results, write_results
from cartrial.files import built_beside, sha256_of
from cartrial.report.page.blocks import Note, Section, Table, Text
from cartrial.report.page.drawing import find_figures, name_figures
from cartrial.report.page.render import BANDS, render_page
from cartrial.report.page.rows import Rows
from cartrial.report.page.still import check_formats, write_pictures
from cartrial.report.study.cells.fits import CellFits, write_cells
from cartrial.report.study.data import SUBJECTS, ReportData
from cartrial.report.study.hidden.hide import Hiding, bare_source, hide_adam, hide_findings, hide_record
from cartrial.report.study.hidden.search import require_hidden
from cartrial.report.study.outputs import files_in, files_of_run, run_record, take_away, write_adam
from cartrial.study import Study

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm import Source
    from cartrial.sdtm.records import Records
    from cartrial.virtual.trial import VirtualPatients

__all__ = ["page_sections", "page_text", "page_texts", "write_report"]

KINDS = {"real": "Study report", "example": "Study report of an invented example", "virtual": "Study report of virtual patients"}


def write_report(
    study: Study,
    source: Source | None,
    adam: Adam,
    results: pl.DataFrame,
    findings: pl.DataFrame,
    out: str | Path,
    *,
    seed: int | None = None,
    virtual: VirtualPatients | None = None,
    figures: Sequence[str] = (),
    cells: CellFits | None = None,
    hiding: Hiding | None = None,
    records: Records | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> None:
    """Write everything a run leaves into a folder.

    ``report.html`` (self-contained), ``results.json`` and ``results.parquet`` (canonical order, 12 significant digits),
    ``adam/`` (each derived set as CSV and Parquet) and ``run.json``. Everything is built beside `out` and moved in at the end.

    Parameters
    ----------
    study : Study
    source : Source or None
        Recorded data: files for the provenance, samples and dated events for figures.
    adam : Adam
    results : pl.DataFrame
        Rows of `cartrial.analysis.analyse`; the only origin of a statistic.
    findings : pl.DataFrame
        Findings of `cartrial.sdtm.check_sdtm`.
    out : str or Path
        A folder; made when it does not exist. What a former run left in it is replaced or taken away; other files stay.
    seed : int, optional
        Of the simulation.
    virtual : VirtualPatients, optional
        Who the virtual patients are; without it the page cannot say.
    figures : sequence of str
        Formats (``svg``, ``png``, ``pdf``): ``figures/`` has each figure as a file, and the page has them as still pictures for readers
        without scripts. Needs the extra `figures`.
    cells : CellFits, optional
        Fitted population models of the cells, whose rows stand in `results`: ``cells/`` has their tables, the page a section.
    hiding : Hiding, optional
        Hide whose data they are: `source`, `adam` and `results` are of subjects under codes, and what is written has study days alone.
    records, arguments : Records and mapping, optional
        What `adam` was derived from (else `source` is read as records again); what was asked for, kept in ``run.json``.

    Raises
    ------
    InputError
        If the place cannot be written to, the rows are not results, a format is unknown, or what is to be hidden would still be shown.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial import Study, analyse, check_sdtm, derive, write_report
    >>> from cartrial.sdtm import Source
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    >>> ex = {"EXSEQ": [1, 1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1, 1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["CR", "NR"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> study = Study.load("inaticel")
    >>> adam = derive(study, source)
    >>> with TemporaryDirectory() as folder:
    ...     write_report(study, source, adam, analyse(study, adam), check_sdtm(study, source), folder)
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['adam', 'report.html', 'results.json', 'results.parquet', 'run.json']
    """
    formats = check_formats(figures)
    check_results(results)
    ordered, provenance = sort_results(results), adam.provenance or study.study.provenance
    of = study if hiding is None else _without_cutoff(study)
    record = run_record(of, source, ordered, results_hash(ordered), provenance, findings, seed)
    more = {"virtual": virtual and virtual.record(), "arguments": arguments and dict(arguments)}
    record |= {name: said for name, said in more.items() if said is not None}
    if hiding is not None:
        source, adam, findings = bare_source(source) if source is not None else None, hide_adam(adam), hide_findings(findings)
        record, records = hide_record(record, hiding.codes), hiding.records
    former = files_of_run(Path(out))
    with built_beside(Path(out)) as folder:
        data = ReportData(study, source, adam, Rows(ordered), findings, record["provenance"], hiding is not None, records)
        sections = page_sections(data, virtual, cells)
        for name, text in page_texts(data, sections, record, still=bool(formats)).items():
            (folder / name).write_text(text, encoding="utf-8")
        if formats:
            write_pictures(find_figures(sections), folder / "figures", formats)
        for name in ("results.json", "results.parquet"):
            write_results(ordered, folder / name)
        write_adam(adam, provenance, folder / "adam", hidden=hiding is not None)
        if cells is not None and cells.found:
            write_cells(study, adam, cells, folder / "cells")
        _write_record(folder, record)
        if hiding is not None:
            _look_again(folder, study, hiding, sections)
    take_away(Path(out), [name for name in former if name not in record["files"]])


def _write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write the record of the run, with the hashes of the derived sets and the names of all files; it is the last of them."""
    record |= {"derived": {path.stem: sha256_of(path) for path in sorted((folder / "adam").glob("*.parquet"))}, "files": files_in(folder)}
    (folder / "run.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _without_cutoff(study: Study) -> Study:
    """Return a study without its cutoff: its hash would tell the date to who tries each, since all else of the file is known."""
    return study.model_copy(update={"study": study.study.model_copy(update={"cutoff": None})})


def _look_again(folder: Path, study: Study, hiding: Hiding, sections: Sequence[Section]) -> None:
    """Refuse what would still tell whose the data are; dates of the study file may stand there, its cutoff may not."""
    cutoff = study.study.cutoff
    pictures = {figure.name: json.dumps(figure.document, ensure_ascii=False) for figure in find_figures(sections)}
    said = _without_cutoff(study).model_dump_json()
    require_hidden(folder, hiding.source, said, cutoff=cutoff.isoformat() if cutoff else None, pictures=pictures)


def page_sections(data: ReportData, virtual: VirtualPatients | None = None, cells: CellFits | None = None) -> list[Section]:
    """Return the sections of report.html, each figure with a name of its own; `virtual` and `cells` as in `write_report`."""
    from cartrial.report.study.sections import LISTING_ONLY, SECTIONS

    reason = data.study.study.listing_only
    sections = [build(data) for build in (LISTING_ONLY if reason else SECTIONS)]
    if reason:
        note = Note(f"Nothing is estimated in this report: {reason.rstrip('.')}.")
        sections.insert(1, Section("why", "Why nothing is estimated", [note], "Why a listing"))
    if cells is not None and not reason:
        from cartrial.report.study.cells.section import build as build_cells

        after = next(place for place, section in enumerate(sections, 1) if section.id == "kinetics")
        sections.insert(after, build_cells(data, cells))
    if data.provenance == "virtual" and not reason:
        from cartrial.report.study.sections.published import virtual_sections

        sections[len(sections) - 2 : len(sections) - 2] = virtual_sections(data, virtual)
    from cartrial.report.study import known

    if not reason:
        from cartrial.report.study.summary.page import build as summarise

        sections.insert(len(sections) - 1, known.build(data))
        sections.insert(0, summarise(data))
    return name_figures(sections)


def page_texts(data: ReportData, sections: Sequence[Section], record: dict[str, Any], *, still: bool = False) -> dict[str, str]:
    """Return the pages by name: report.html, and subjects.html where subjects' sheets stand apart; `still`: with still pictures."""
    from cartrial.report.study.subject.drawer import render_subjects

    aside = render_subjects(data)
    if not data.apart:
        return {"report.html": page_text(data, sections, record, still=still, aside=aside)}
    return {
        "report.html": page_text(data, sections, record, still=still),
        SUBJECTS: page_text(data, [_index(data)], record, still=still, aside=aside),
    }


def _index(data: ReportData) -> Section:
    """Return the section from which each sheet of the page of subjects is opened."""
    rows = [
        (data.link(row["SUBJ"], near=True), *("yes" if row[name] == "Y" else "" for name in ("INFFL", "RESPFL", "DTHFL")))
        for row in data.adam.adsl.sort("SUBJ").iter_rows(named=True)
    ]
    head = ("Subject", "Infused", "Responder", "Died")
    reader = data.study.readers.primary
    text = Text(Markup('Each subject of <a href="report.html">the report</a>: what happened, statuses by reader, and each endpoint.'))
    return Section("listing", "Subjects", [text, Table(head, rows, f"Subjects; responders by reader {reader}", small=True)])


def page_text(data: ReportData, sections: Sequence[Section], record: dict[str, Any], *, still: bool = False, aside: str = "") -> str:
    """Return one page of a study; `still` and `aside` as in `cartrial.report.page.render_page`."""
    study, identity = data.study, data.study.study
    cutoff = f"data cutoff {data.cutoff_words}" if identity.cutoff else "study days only, no data cutoff"
    facts = " · ".join(part for part in (identity.id, identity.registry, cutoff, f"provenance: {record['provenance']}") if part)
    seed = f" Seed {record['seed']}." if record["seed"] is not None else ""
    more = "" if data.hidden else ", data hashes and time"
    footer = (
        f"Made by cartrial {record['versions']['cartrial'] or ''}. Results: {record['results']['rows']} rows, SHA-256 "
        f"{record['results']['sha256']}. "
        f"Study file: SHA-256 {record['study_hash']}, rules version {study.rules}.{seed} Versions{more} stand in run.json."
    )
    return render_page(
        sections,
        title=f"{identity.title}: report",
        heading=identity.title.replace("B-cell", "B\u2011cell"),
        kind=KINDS[record["provenance"]],
        facts=facts,
        band=BANDS[record["provenance"]],
        footer=footer,
        version=record["versions"]["cartrial"] or "",
        still=still,
        aside=aside,
        results=data.rows.all,
    )
