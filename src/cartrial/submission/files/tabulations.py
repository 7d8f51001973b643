"""How do the tabulations of virtual patients leave? SDTM as SAS transport files, with one length a variable in the whole study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.vocabulary.schema import domain_label, variable_label
from cartrial.submission.adam.shaped import Shaped
from cartrial.submission.files.text import planned_lengths, require_writable
from cartrial.submission.files.xpt import xpt_bytes
from cartrial.submission.variables import Dataset, Variable

if TYPE_CHECKING:
    from cartrial.submission.job import Job

__all__ = ["tabulations", "write_tabulations"]


def tabulations(job: Job) -> dict[str, Shaped]:
    """Return the domains of a source as sets to be written, in the order in which they were made; labels are those of SDTMIG."""
    return {name: _shaped(name, frame.drop("ROW", strict=False)) for name, frame in job.source.domains.items()}


def _shaped(domain: str, frame: pl.DataFrame) -> Shaped:
    kinds = {name: "text" if dtype == pl.String else "integer" if dtype.is_integer() else "float" for name, dtype in frame.schema.items()}
    label = domain_label(domain)
    variables = tuple(
        Variable(name, kind, variable_label(domain, name), variable_label(domain, name), f"{domain}.{name}") for name, kind in kinds.items()
    )
    keys = tuple(name for name in ("STUDYID", "USUBJID", f"{domain}SEQ") if name in frame.columns)
    blank = frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep())
    return Shaped(Dataset(domain, label, label, "SDTM", "One record a row", keys, variables), blank)


def write_tabulations(job: Job, out: Path) -> None:
    """Write the SDTM of virtual patients into ``m5/…/tabulations/sdtm``; a study with patients has its own, which stays as it is.

    Parameters
    ----------
    job : Job
    out : Path
        The folder of the whole export.

    Raises
    ------
    InputError
        If the data are not of virtual patients, or a text cannot be written in the encoding.
    """
    if job.adam.provenance != "virtual":
        raise InputError("only the SDTM of virtual patients is written", key="--only", right="Hand over the tabulations that were read")
    sets = tabulations(job)
    require_writable(sets, job.written, "en")
    lengths = planned_lengths(sets.values(), job.written)
    folder = out / "m5" / "datasets" / job.name / "tabulations" / "sdtm"
    folder.mkdir(parents=True, exist_ok=True)
    for name, shaped in sets.items():
        (folder / f"{name.lower()}.xpt").write_bytes(xpt_bytes(shaped.dataset, shaped.frame, lengths, encoding=job.written))
