"""What do both define.xml of an export have in common: the study, its dictionaries, its document?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cartrial.submission.files.elements import described

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.submission.job import Job

__all__ = ["STYLESHEET", "dictionaries_of", "document_text"]

STYLESHEET = "define2-1.xsl"
"""Name of the stylesheet beside a define.xml: that of CDISC's DEFINE-XML team, from the package defineutils (MIT)."""


def dictionaries_of(study: Study) -> dict[str, str]:
    """Return the version of each dictionary that the study file states."""
    said = study.submission.dictionaries
    return {name: version for name, version in (("MedDRA", said.meddra), ("WHODrug", said.whodrug)) if version}


def document_text(d: Any, job: Job, kind: str, words: str, elements: Mapping[str, Any]) -> str:
    """Return define.xml of the elements of its one MetaDataVersion.

    Parameters
    ----------
    d : module
        Of odmlib.
    job : Job
    kind : str
        `adam` or `sdtm`.
    words : str
        What the data are.
    elements : mapping of str to list
        By their names in odmlib.
    """
    own, filed = job.study.study, job.study.submission
    version = d.MetaDataVersion(
        OID=f"MDV.{own.id}",
        Name=f"{own.id}: {words}",
        Description=f"{words.capitalize()} of {own.title}",
        DefineVersion="2.1.0",
        CommentDef=[d.CommentDef(OID="COM.PROVNC", Description=described(d, f"Provenance of the data: {job.adam.provenance}."))],
        **elements,
    )
    variables = d.GlobalVariables(
        StudyName=d.StudyName(_content=filed.study_name or own.id),
        StudyDescription=d.StudyDescription(_content=own.title),
        ProtocolName=d.ProtocolName(_content=filed.protocol or own.registry or own.id),
    )
    root = d.ODM(
        FileType="Snapshot",
        FileOID=f"{own.id}.define.{kind}",
        CreationDateTime=f"{job.made.isoformat()}T00:00:00",
        ODMVersion="1.3.2",
        Originator=filed.sponsor or "cartrial",
        SourceSystem="cartrial",
        Context="Submission",
        Study=d.Study(OID=f"ST.{own.id}", GlobalVariables=variables, MetaDataVersion=version),
    )
    text: str = root.to_xml_string()
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<?xml-stylesheet type="text/xsl" href="{STYLESHEET}"?>\n{text}\n'
