"""How do the tabulations of virtual patients leave? SDTM as SAS transport files, with one length a variable, and their define.xml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.sdtm.vocabulary.schema import DOMAINS, domain_label, kind_of, variable_label
from cartrial.submission.adam.shaped import Shaped
from cartrial.submission.files.document import dictionaries_of, document_text
from cartrial.submission.files.elements import Manner, elements_of
from cartrial.submission.files.text import planned_lengths, require_writable
from cartrial.submission.files.xpt import xpt_bytes
from cartrial.submission.variables import Dataset, Variable
from cartrial.submission.variables.terminology import LISTS, listed_as, origin_of

if TYPE_CHECKING:
    from cartrial.submission.job import Job

__all__ = ["define_tabulations", "sdtm_folder", "tabulations", "write_tabulations"]

_CLASSES = {
    **dict.fromkeys(("DM",), "SPECIAL PURPOSE"),
    **dict.fromkeys(("EX", "CM", "PR"), "INTERVENTIONS"),
    **dict.fromkeys(("AE", "DS", "MH", "DV", "HO"), "EVENTS"),
    "FA": "FINDINGS ABOUT",
}
"""Classes of observations; every other domain has findings."""


def sdtm_folder(job: Job) -> Path:
    """Return the folder of the tabulations of a study, relative to the export."""
    return Path("m5", "datasets", job.name, "tabulations", "sdtm")


def tabulations(job: Job) -> dict[str, Shaped]:
    """Return the domains of a source as sets to be written, in the order in which they were made; labels are those of SDTMIG."""
    return {name: _shaped(name, frame.drop("ROW", strict=False)) for name, frame in job.source.domains.items()}


def _shaped(domain: str, frame: pl.DataFrame) -> Shaped:
    kinds = {name: "text" if dtype == pl.String else "integer" if _whole(frame[name]) else "float" for name, dtype in frame.schema.items()}
    label = domain_label(domain)
    variables = tuple(
        Variable(
            name, kind, variable_label(domain, name), variable_label(domain, name), origin_of(domain, name)[2], listed_as(domain, name)
        )
        for name, kind in kinds.items()
    )
    keys = tuple(name for name in ("STUDYID", "USUBJID", f"{domain}SEQ") if name in frame.columns)
    blank = frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep())
    records = DOMAINS[domain].records if domain in DOMAINS else "one row per record of a subject"
    dataset = Dataset(
        domain,
        label,
        label,
        _CLASSES.get(domain, "FINDINGS"),
        f"{records[:1].upper()}{records[1:].replace('row per', 'record per', 1)}",
        keys,
        variables,
    )
    return Shaped(dataset, blank, _codes(variables, blank, domain))


def _whole(column: pl.Series) -> bool:
    known = column.drop_nulls()
    return column.dtype.is_integer() or (column.dtype.is_float() and bool((known == known.round()).all()))


def _codes(variables: tuple[Variable, ...], frame: pl.DataFrame, domain: str) -> dict[str, dict[str, str]]:
    """Return the values of each variable with a code list, and of a test code its words."""
    found: dict[str, dict[str, str]] = {}
    for variable in variables:
        name = variable.name
        tested = name.endswith("TESTCD") and name.removesuffix("CD") in frame.columns
        if tested:
            pairs = frame.select(name, name.removesuffix("CD")).drop_nulls(name).unique(subset=name).sort(name)
            found[name] = {code: words or code for code, words in pairs.iter_rows()}
        elif variable.codes in LISTS and variable.kind == "text":
            found[name] = {value: value for value in frame[name].drop_nulls().unique().sort().to_list()}
    return found


def define_tabulations(job: Job) -> str:
    """Return define.xml of the tabulations: origins, methods, code lists with NCI's codes where known, results by test.

    Parameters
    ----------
    job : Job

    Raises
    ------
    InputError
        If odmlib is not installed.
    """
    d = require("odmlib.arm_1_0.model", extra="submission")
    sets = tabulations(job)
    said = job.study.submission.standards
    terms = said.terminology_sdtm.isoformat()
    standards = (
        d.Standard(OID="STD.SDTMIG", Name="SDTMIG", Type="IG", Version=said.sdtmig, Status="Final"),
        d.Standard(OID="STD.CT.SDTM", Name="CDISC/NCI", Type="CT", Version=terms, Status="Final", PublishingSet="SDTM"),
    )
    manner = Manner(
        "Tabulation",
        standard=lambda _: "STD.SDTMIG",
        origin=lambda dataset, variable: (*origin_of(dataset.name, variable.name)[:2], ""),
        by=lambda dataset: f"{dataset.name}TESTCD",
        valued=lambda dataset: (f"{dataset.name}STRESC", f"{dataset.name}STRESN"),
        method=lambda dataset, variable: origin_of(dataset.name, variable.name)[2],
        typed=_typed,
        terminology={"SDTM": "STD.CT.SDTM"},
        dictionaries=dictionaries_of(job.study),
        comment="COM.PROVNC",
    )
    lengths = planned_lengths(sets.values(), job.written)
    elements = {"Standards": d.Standards(Standard=list(standards)), **elements_of(d, sets, lengths, manner)}
    return document_text(d, job, "sdtm", "tabulations", elements)


def _typed(shaped: Shaped, variable: Variable) -> str:
    """Return the type of a variable: dates of SDTM are texts of ISO 8601, whole or not."""
    if variable.kind != "text" or kind_of(shaped.dataset.name, variable.name) != "date":
        return variable.kind
    values = shaped.frame[variable.name].drop_nulls()
    timed, whole = values.str.contains("T").any(), (values.str.len_bytes() == 10).all()
    return "date" if whole else "incompleteDatetime" if timed else "partialDate"


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
    folder = out / sdtm_folder(job)
    folder.mkdir(parents=True, exist_ok=True)
    for name, shaped in sets.items():
        (folder / f"{name.lower()}.xpt").write_bytes(xpt_bytes(shaped.dataset, shaped.frame, lengths, encoding=job.written))
