"""Which numbered displays does a run have, as its metadata name them?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cartrial.submission.job import Job, Shown

if TYPE_CHECKING:
    from cartrial.report.study.data import ReportData

__all__ = ["displays_folder", "outlined", "report_data"]


def displays_folder(job: Job) -> Path:
    """Return the folder of the displays of a study, relative to the export."""
    return Path("m5", "53-clin-stud-rep", job.name)


def report_data(job: Job) -> ReportData:
    """Return what a report of the run reads."""
    from cartrial.report.page.rows import Rows
    from cartrial.report.study.data import ReportData

    provenance = job.adam.provenance or job.study.study.provenance
    return ReportData(job.study, job.source, job.adam, Rows(job.results), job.findings, provenance, given=job.records)


def outlined(job: Job) -> Job:
    """Return a job that knows its numbered displays.

    Raises
    ------
    InputError
        If `submission.numbering` of the study file names no display of the study, or gives two one number.
    """
    from cartrial.submission.displays import make_displays

    if job.shown:
        return job
    displays = make_displays(job.study, report_data(job), job.study.submission.numbering)
    shown = tuple(
        Shown(one.id, one.kind, one.label, one.title, str(one.population), one.file, tuple(map(str, one.notes)), frozenset(one.keys))
        for one in displays
    )
    return replace(job, shown=shown, displays=tuple(displays))
