"""What do the data sets mean? define.xml 2.1 with value levels, code lists, methods and analysis results (ARM 1.0).

The schemas of CDISC are read by the tests, not by this writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartrial.extras import require
from cartrial.submission.adam import shape_adam
from cartrial.submission.files.data import adam_folder
from cartrial.submission.files.document import STYLESHEET, dictionaries_of, document_text
from cartrial.submission.files.elements import Manner, elements_of
from cartrial.submission.files.tabulations import define_tabulations, sdtm_folder
from cartrial.submission.files.text import planned_lengths

if TYPE_CHECKING:
    from cartrial.submission.adam import Shaped
    from cartrial.submission.job import Job
    from cartrial.submission.variables import Dataset, Variable

__all__ = ["define_text", "render_html", "write_define"]

_ASSIGNED = ("Assigned", "The product that", "real, example")


def define_text(job: Job, sets: Mapping[str, Shaped], lengths: Mapping[str, int]) -> str:
    """Return define.xml of the analysis data; equal sets give equal text.

    Parameters
    ----------
    job : Job
    sets : mapping of str to Shaped
    lengths : mapping of str to int
        Bytes of each text variable in the whole study, as the XPT files have them.

    Raises
    ------
    InputError
        If odmlib is not installed.
    """
    d = require("odmlib.arm_1_0.model", extra="submission")
    from cartrial.submission.files.arm import result_displays

    said, plan = job.study.submission.standards, job.study.submission.sap
    standards = (
        d.Standard(OID="STD.ADAMIG", Name="ADaMIG", Type="IG", Version=said.adamig, Status="Final"),
        d.Standard(OID="STD.OCCDS", Name="ADaM-OCCDSIG", Type="IG", Version=said.occds, Status="Final"),
        _terminology(d, "STD.CT", said.terminology_adam.isoformat(), "ADaM"),
        _terminology(d, "STD.CT.SDTM", said.terminology_sdtm.isoformat(), "SDTM"),
    )
    leaves = [d.leaf(ID="LF.RECOMPUTE", href="../programs/recompute.r", title=d.title(_content="recompute.r"))]
    if plan:
        leaves.append(d.leaf(ID="LF.SAP", href=plan.file, title=d.title(_content=plan.named)))
    elements = {
        "Standards": d.Standards(Standard=list(standards)),
        **elements_of(d, sets, lengths, _manner(job)),
        "leaf": leaves,
        "AnalysisResultDisplays": result_displays(d, job, sets),
    }
    return document_text(d, job, "adam", "analysis data", elements)


def _terminology(d: Any, oid: str, version: str, published: str) -> Any:
    return d.Standard(OID=oid, Name="CDISC/NCI", Type="CT", Version=version, Status="Final", PublishingSet=published)


def _manner(job: Job) -> Manner:
    def origin(_: Dataset, variable: Variable) -> tuple[str, str, str]:
        if variable.predecessor:
            return "Predecessor", "", variable.predecessor
        return ("Assigned" if variable.origin.startswith(_ASSIGNED) else "Derived"), "Sponsor", ""

    return Manner(
        "Analysis",
        standard=lambda dataset: "STD.OCCDS" if dataset.group.startswith("OCCURRENCE") else "STD.ADAMIG",
        origin=origin,
        by=lambda _: "PARAMCD",
        valued=lambda _: ("AVAL", "AVALC"),
        method=lambda _, variable: "" if variable.predecessor else variable.origin,
        language=job.language,
        terminology={"ADaM": "STD.CT", "SDTM": "STD.CT.SDTM"},
        dictionaries=dictionaries_of(job.study),
        comment="COM.PROVNC",
    )


def write_define(job: Job, out: Path) -> None:
    """Write define.xml with its stylesheet beside the data, and the page that people read into ``exchange``.

    Browsers refuse a stylesheet of a local file, so the rendered page stands apart: an agency is not given it. Tabulations that the export
    has already are described likewise.

    Parameters
    ----------
    job : Job
    out : Path
        The folder of the whole export.
    """
    sets = shape_adam(job)
    text = define_text(job, sets, planned_lengths(sets.values(), job.written))
    _write(text, out / adam_folder(job) / "datasets", out / "exchange" / "define-adam.html")
    if (out / sdtm_folder(job)).is_dir():
        _write(define_tabulations(job), out / sdtm_folder(job), out / "exchange" / "define-sdtm.html")


def _write(text: str, folder: Path, page: Path) -> None:
    style, rendered = render_html(text)
    for place in (folder, page.parent):
        place.mkdir(parents=True, exist_ok=True)
    (folder / "define.xml").write_text(text, encoding="utf-8")
    (folder / STYLESHEET).write_text(style, encoding="utf-8")
    page.write_text(rendered, encoding="utf-8")


def render_html(define: str) -> tuple[str, str]:
    """Return the stylesheet of a define.xml, and the define.xml rendered by it as a page for people.

    Raises
    ------
    InputError
        If lxml or defineutils is not installed.
    """
    etree = require("lxml.etree", extra="submission")
    package = require("defineutils", extra="submission")
    style = (Path(str(package.__file__)).parent / "definehtml" / STYLESHEET).read_text(encoding="utf-8")
    made = etree.XSLT(etree.fromstring(style.encode("utf-8")))(etree.fromstring(define.encode("utf-8")))
    return style, str(made)
