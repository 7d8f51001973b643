"""What do the data sets mean? define.xml 2.1 with value levels, code lists, methods and analysis results (ARM 1.0).

The elements are odmlib's, which keeps their order; the schemas of CDISC are read by the tests, not by this writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartrial.extras import require
from cartrial.submission.adam import shape_adam
from cartrial.submission.files.data import adam_folder
from cartrial.submission.files.dataset_json import item_oid, set_oid
from cartrial.submission.files.text import planned_lengths
from cartrial.submission.variables import CODES

if TYPE_CHECKING:
    from cartrial.submission.adam import Shaped
    from cartrial.submission.job import Job
    from cartrial.submission.variables import Variable

__all__ = ["STYLESHEET", "define_text", "described", "render_html", "where_oid", "write_define"]

STYLESHEET = "define2-1.xsl"
"""Name of the stylesheet beside a define.xml: that of CDISC's DEFINE-XML team, from the package defineutils (MIT)."""

_STANDARDS = (
    ("STD.ADAMIG", "ADaMIG", "IG", "1.3", None),
    ("STD.OCCDS", "ADaM-OCCDSIG", "IG", "1.1", None),
    ("STD.CT", "CDISC/NCI", "CT", "2024-03-29", "ADaM"),
)
_CONTROLLED = ("NY", "SEX", "AGEU", "DATEFL", "SBJTSTAT")
_VALUED = ("AVAL", "AVALC")
_ZERO = {"text": "text", "integer": "integer", "float": "float", "date": "integer"}


def described(d: Any, text: str, language: str = "en") -> Any:
    """Return a Description in a language."""
    return d.Description(TranslatedText=[d.TranslatedText(lang=language, _content=text)])


def where_oid(name: str, code: str) -> str:
    """Return the OID of the condition that PARAMCD of a set has a code."""
    return f"WC.{name}.PARAMCD.{code}"


def define_text(job: Job, sets: Mapping[str, Shaped], lengths: Mapping[str, int]) -> str:
    """Return define.xml of the sets; equal sets give equal text.

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

    own = job.study.study
    version = d.MetaDataVersion(
        OID=f"MDV.{own.id}",
        Name=f"{own.id}: analysis data",
        Description=f"Analysis data of {own.title}",
        DefineVersion="2.1.0",
        Standards=d.Standards(Standard=[_standard(d, *said) for said in _STANDARDS]),
        ValueListDef=[one for shaped in sets.values() for one in _value_lists(d, shaped)],
        WhereClauseDef=[one for shaped in sets.values() for one in _conditions(d, shaped)],
        ItemGroupDef=[_group(d, shaped, job.language) for shaped in sets.values()],
        ItemDef=[one for shaped in sets.values() for one in _items(d, shaped, lengths, job.language)],
        CodeList=list(_code_lists(d, sets)),
        MethodDef=[one for shaped in sets.values() for one in _methods(d, shaped)],
        CommentDef=[d.CommentDef(OID="COM.PROVNC", Description=described(d, f"Provenance of the data: {job.adam.provenance}."))],
        leaf=[d.leaf(ID="LF.RECOMPUTE", href="../programs/recompute.r", title=d.title(_content="recompute.r"))],
        AnalysisResultDisplays=result_displays(d, job, sets),
    )
    variables = d.GlobalVariables(
        StudyName=d.StudyName(_content=own.id),
        StudyDescription=d.StudyDescription(_content=own.title),
        ProtocolName=d.ProtocolName(_content=own.registry or own.id),
    )
    root = d.ODM(
        FileType="Snapshot",
        FileOID=f"{own.id}.define.adam",
        CreationDateTime=f"{job.made.isoformat()}T00:00:00",
        ODMVersion="1.3.2",
        Originator="cartrial",
        SourceSystem="cartrial",
        Context="Submission",
        Study=d.Study(OID=f"ST.{own.id}", GlobalVariables=variables, MetaDataVersion=version),
    )
    text: str = root.to_xml_string()
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<?xml-stylesheet type="text/xsl" href="{STYLESHEET}"?>\n{text}\n'


def _standard(d: Any, oid: str, name: str, kind: str, version: str, published: str | None) -> Any:
    more = {"PublishingSet": published} if published else {}
    return d.Standard(OID=oid, Name=name, Type=kind, Version=version, Status="Final", **more)


def _group(d: Any, shaped: Shaped, language: str) -> Any:
    dataset = shaped.dataset
    refs = []
    for order, variable in enumerate(dataset.variables, 1):
        more: dict[str, Any] = {"KeySequence": dataset.keys.index(variable.name) + 1} if variable.name in dataset.keys else {}
        more |= {"MethodOID": _method_oid(dataset.name, variable.name)} if not variable.predecessor else {}
        mandatory = "Yes" if variable.required or shaped.frame[variable.name].null_count() == 0 else "No"
        refs.append(d.ItemRef(ItemOID=item_oid(dataset.name, variable.name), OrderNumber=order, Mandatory=mandatory, **more))
    sub = [d.SubClass(Name=dataset.subclass)] if dataset.subclass else []
    return d.ItemGroupDef(
        OID=set_oid(dataset.name),
        Name=dataset.name,
        Repeating="No" if dataset.name == "ADSL" else "Yes",
        IsReferenceData="No",
        SASDatasetName=dataset.name,
        Purpose="Analysis",
        Structure=dataset.structure,
        ArchiveLocationID=f"LF.{dataset.name}",
        CommentOID="COM.PROVNC",
        StandardOID="STD.OCCDS" if dataset.group.startswith("OCCURRENCE") else "STD.ADAMIG",
        Description=described(d, dataset.labelled(language), language),
        ItemRef=refs,
        Class=d.Class(Name=dataset.group, SubClass=sub),
        leaf=d.leaf(ID=f"LF.{dataset.name}", href=f"{dataset.name.lower()}.xpt", title=d.title(_content=f"{dataset.name.lower()}.xpt")),
    )


def _method_oid(name: str, variable: str) -> str:
    return f"MT.{name}.{variable}"


def _typed(variable: Variable, lengths: Mapping[str, int]) -> dict[str, Any]:
    """Return type, length and format of an item; a number is eight bytes, a date a SAS date."""
    said: dict[str, Any] = {"DataType": _ZERO[variable.kind], "Length": lengths.get(variable.name, 1) if variable.kind == "text" else 8}
    if variable.kind == "float":
        said["SignificantDigits"] = 12
    return said | ({"DisplayFormat": "DATE9."} if variable.kind == "date" else {})


def _origin(d: Any, variable: Variable) -> Any:
    if variable.predecessor:
        return d.Origin(Type="Predecessor", Description=described(d, variable.predecessor))
    assigned = variable.origin.startswith(("Assigned", "The product that", "real, example"))
    return d.Origin(Type="Assigned" if assigned else "Derived", Source="Sponsor")


def _items(d: Any, shaped: Shaped, lengths: Mapping[str, int], language: str) -> Iterable[Any]:
    name = shaped.dataset.name
    for variable in shaped.dataset.variables:
        more: dict[str, Any] = {}
        if variable.codes and shaped.codes.get(variable.name):
            more["CodeListRef"] = d.CodeListRef(CodeListOID=_list_oid(name, variable))
        if variable.name in _valued(shaped):
            more["ValueListRef"] = d.ValueListRef(ValueListOID=f"VL.{name}.{variable.name}")
        yield d.ItemDef(
            OID=item_oid(name, variable.name),
            Name=variable.name,
            SASFieldName=variable.name,
            **_typed(variable, lengths),
            Description=described(d, variable.labelled(language), language),
            Origin=[_origin(d, variable)],
            **more,
        )
    for variable, code, _ in _levels(shaped):
        yield d.ItemDef(
            OID=f"{item_oid(name, variable.name)}.{code}",
            Name=variable.name,
            SASFieldName=variable.name,
            **_typed(variable, lengths),
            Description=described(d, variable.labelled(language), language),
            Origin=[d.Origin(Type="Derived", Source="Sponsor")],
        )


def _valued(shaped: Shaped) -> tuple[str, ...]:
    """Return the variables of a set that have value levels, by PARAMCD."""
    names = [variable.name for variable in shaped.dataset.variables]
    return tuple(name for name in _VALUED if name in names and "PARAMCD" in names)


def _levels(shaped: Shaped) -> Iterable[tuple[Variable, str, str]]:
    """Yield variable, code and words of each value level that has a value."""
    words = shaped.codes.get("PARAMCD", {})
    for name in _valued(shaped):
        known = shaped.frame.drop_nulls(name)["PARAMCD"].unique().sort().to_list()
        for code in known:
            yield shaped.dataset.variable(name), code, words.get(code, code)


def _value_lists(d: Any, shaped: Shaped) -> Iterable[Any]:
    name, levels = shaped.dataset.name, list(_levels(shaped))
    for variable in _valued(shaped):
        refs = [
            d.ItemRef(
                ItemOID=f"{item_oid(name, variable)}.{code}",
                OrderNumber=order,
                Mandatory="No",
                MethodOID=f"{_method_oid(name, variable)}.{code}",
                WhereClauseRef=[d.WhereClauseRef(WhereClauseOID=where_oid(name, code))],
            )
            for order, code in enumerate((code for one, code, _ in levels if one.name == variable), 1)
        ]
        yield d.ValueListDef(OID=f"VL.{name}.{variable}", ItemRef=refs)


def _conditions(d: Any, shaped: Shaped) -> Iterable[Any]:
    name = shaped.dataset.name
    codes = shaped.frame["PARAMCD"].unique().sort().to_list() if "PARAMCD" in shaped.frame.columns else []
    for code in codes:
        check = d.RangeCheck(Comparator="EQ", SoftHard="Soft", ItemOID=item_oid(name, "PARAMCD"), CheckValue=[d.CheckValue(_content=code)])
        yield d.WhereClauseDef(OID=where_oid(name, code), RangeCheck=[check])


def _list_oid(name: str, variable: Variable) -> str:
    return f"CL.{variable.codes}" if variable.codes in CODES else f"CL.{name}.{variable.name}"


def _code_lists(d: Any, sets: Mapping[str, Shaped]) -> Iterable[Any]:
    seen: set[str] = set()
    for name, shaped in sets.items():
        for variable in shaped.dataset.variables:
            listed, oid = shaped.codes.get(variable.name), _list_oid(name, variable)
            if not variable.codes or not listed or oid in seen:
                continue
            seen.add(oid)
            items = [
                d.CodeListItem(CodedValue=code, Decode=d.Decode(TranslatedText=[d.TranslatedText(lang="en", _content=words)]))
                for code, words in listed.items()
            ]
            own = {"StandardOID": "STD.CT"} if variable.codes in _CONTROLLED else {"IsNonStandard": "Yes"}
            kind = "integer" if variable.kind == "integer" else "text"
            yield d.CodeList(OID=oid, Name=oid.removeprefix("CL."), DataType=kind, CodeListItem=items, **own)


def _methods(d: Any, shaped: Shaped) -> Iterable[Any]:
    name = shaped.dataset.name
    for variable in shaped.dataset.variables:
        if not variable.predecessor:
            yield d.MethodDef(
                OID=_method_oid(name, variable.name),
                Name=f"{name}.{variable.name}",
                Type="Computation",
                Description=described(d, variable.origin),
            )
    for variable, code, words in _levels(shaped):
        yield d.MethodDef(
            OID=f"{_method_oid(name, variable.name)}.{code}",
            Name=f"{name}.{variable.name} of {code}",
            Type="Computation",
            Description=described(d, f"{words}. {variable.origin}"),
        )


def write_define(job: Job, out: Path) -> None:
    """Write define.xml with its stylesheet beside the data, and the page that people read into ``exchange``.

    Browsers refuse a stylesheet of a local file, so the rendered page stands apart: an agency is not given it.

    Parameters
    ----------
    job : Job
    out : Path
        The folder of the whole export.
    """
    sets = shape_adam(job)
    text = define_text(job, sets, planned_lengths(sets.values(), job.written))
    style, page = render_html(text)
    datasets, exchange = out / adam_folder(job) / "datasets", out / "exchange"
    for folder in (datasets, exchange):
        folder.mkdir(parents=True, exist_ok=True)
    (datasets / "define.xml").write_text(text, encoding="utf-8")
    (datasets / STYLESHEET).write_text(style, encoding="utf-8")
    (exchange / "define-adam.html").write_text(page, encoding="utf-8")


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
