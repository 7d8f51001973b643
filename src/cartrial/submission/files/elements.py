"""Of which elements does a define.xml consist? Sets, items, value levels, code lists and methods, for analysis data and tabulations.

The elements are odmlib's, which keeps their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cartrial.submission.files.dataset_json import item_oid, set_oid
from cartrial.submission.variables import CODES
from cartrial.submission.variables.terminology import LISTS, coded_by

if TYPE_CHECKING:
    from cartrial.submission.adam import Shaped
    from cartrial.submission.variables import Dataset, Variable

__all__ = ["Manner", "described", "elements_of", "method_oid", "where_oid"]

_KINDS = {"text": "text", "integer": "integer", "float": "float", "date": "integer"}


@dataclass(frozen=True)
class Manner:
    """How the define.xml of one kind of data is written.

    Parameters
    ----------
    purpose : str
        `Analysis` or `Tabulation`.
    standard : callable
        OID of the standard of a set.
    origin : callable
        Type, source and description of the origin of a variable of a set.
    by : callable
        The variable of a set by which values have levels, blank where none.
    valued : callable
        The variables of a set that have levels.
    method : callable
        How a variable is derived, blank where it is not.
    typed : callable
        DataType of a variable where it is not that of its kind.
    language : str
        Of labels.
    terminology : mapping of str to str
        OID of the standard of each publishing set.
    dictionaries : mapping of str to str
        Version of each dictionary that is stated.
    comment : str
        OID of the comment of the sets.
    """

    purpose: str
    standard: Callable[[Dataset], str]
    origin: Callable[[Dataset, Variable], tuple[str, str, str]]
    by: Callable[[Dataset], str]
    valued: Callable[[Dataset], tuple[str, ...]]
    method: Callable[[Dataset, Variable], str]
    typed: Callable[[Shaped, Variable], str] = lambda _, variable: _KINDS[variable.kind]
    language: str = "en"
    terminology: Mapping[str, str] = field(default_factory=dict)
    dictionaries: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""


def described(d: Any, text: str, language: str = "en") -> Any:
    """Return a Description in a language."""
    return d.Description(TranslatedText=[d.TranslatedText(lang=language, _content=text)])


def where_oid(name: str, code: str, by: str = "PARAMCD") -> str:
    """Return the OID of the condition that a variable of a set, PARAMCD without, has a value."""
    return f"WC.{name}.{by}.{code}"


def method_oid(name: str, variable: str) -> str:
    """Return the OID of the method of a variable."""
    return f"MT.{name}.{variable}"


def elements_of(d: Any, sets: Mapping[str, Shaped], lengths: Mapping[str, int], manner: Manner) -> dict[str, Any]:
    """Return the elements of a MetaDataVersion that say what the sets are, by their names in odmlib."""
    every = list(sets.values())
    return {
        "ValueListDef": [one for shaped in every for one in _value_lists(d, shaped, manner)],
        "WhereClauseDef": [one for shaped in every for one in _conditions(d, shaped, manner)],
        "ItemGroupDef": [_group(d, shaped, manner) for shaped in every],
        "ItemDef": [one for shaped in every for one in _items(d, shaped, lengths, manner)],
        "CodeList": list(_code_lists(d, sets, manner)),
        "MethodDef": [one for shaped in every for one in _methods(d, shaped, manner)],
    }


def _group(d: Any, shaped: Shaped, manner: Manner) -> Any:
    dataset = shaped.dataset
    refs = []
    for order, variable in enumerate(dataset.variables, 1):
        more: dict[str, Any] = {"KeySequence": dataset.keys.index(variable.name) + 1} if variable.name in dataset.keys else {}
        more |= {"MethodOID": method_oid(dataset.name, variable.name)} if manner.method(dataset, variable) else {}
        # mandatory is what no record lacks: a required treatment is blank of who failed screening
        mandatory = "Yes" if shaped.frame[variable.name].null_count() == 0 else "No"
        refs.append(d.ItemRef(ItemOID=item_oid(dataset.name, variable.name), OrderNumber=order, Mandatory=mandatory, **more))
    domain = {"Domain": dataset.name} if manner.purpose == "Tabulation" else {}
    return d.ItemGroupDef(
        OID=set_oid(dataset.name),
        Name=dataset.name,
        **domain,
        Repeating="No" if dataset.keys[-1:] == ("USUBJID",) else "Yes",
        IsReferenceData="No",
        SASDatasetName=dataset.name,
        Purpose=manner.purpose,
        Structure=dataset.structure,
        ArchiveLocationID=f"LF.{dataset.name}",
        CommentOID=manner.comment,
        StandardOID=manner.standard(dataset),
        Description=described(d, dataset.labelled(manner.language), manner.language),
        ItemRef=refs,
        Class=d.Class(Name=dataset.group, SubClass=[d.SubClass(Name=dataset.subclass)] if dataset.subclass else []),
        leaf=d.leaf(ID=f"LF.{dataset.name}", href=f"{dataset.name.lower()}.xpt", title=d.title(_content=f"{dataset.name.lower()}.xpt")),
    )


def _typed(shaped: Shaped, variable: Variable, lengths: Mapping[str, int], manner: Manner) -> dict[str, Any]:
    """Return type, length and format of an item; a number is eight bytes, a date of analysis a SAS date, a date of SDTM a text."""
    kind = manner.typed(shaped, variable)
    said: dict[str, Any] = {"DataType": kind}
    if kind in ("text", "integer", "float"):
        said["Length"] = lengths.get(variable.name, 1) if variable.kind == "text" else 8
    if variable.kind == "float":
        said["SignificantDigits"] = 12
    return said | ({"DisplayFormat": "DATE9."} if variable.kind == "date" else {})


def _origin(d: Any, dataset: Dataset, variable: Variable, manner: Manner) -> Any:
    kind, source, words = manner.origin(dataset, variable)
    more = {"Source": source} if source else {}
    return d.Origin(Type=kind, **more, **({"Description": described(d, words)} if words else {}))


def _items(d: Any, shaped: Shaped, lengths: Mapping[str, int], manner: Manner) -> Iterable[Any]:
    dataset, name = shaped.dataset, shaped.dataset.name
    for variable in dataset.variables:
        more: dict[str, Any] = {}
        if variable.codes and shaped.codes.get(variable.name):
            more["CodeListRef"] = d.CodeListRef(CodeListOID=_list_oid(name, variable))
        elif coded_by(variable.name) in manner.dictionaries:
            more["CodeListRef"] = d.CodeListRef(CodeListOID=f"CL.{coded_by(variable.name).upper()}")
        if variable.name in _valued(shaped, manner):
            more["ValueListRef"] = d.ValueListRef(ValueListOID=f"VL.{name}.{variable.name}")
        yield d.ItemDef(
            OID=item_oid(name, variable.name),
            Name=variable.name,
            SASFieldName=variable.name,
            **_typed(shaped, variable, lengths, manner),
            Description=described(d, variable.labelled(manner.language), manner.language),
            Origin=[_origin(d, dataset, variable, manner)],
            **more,
        )
    for variable, code, _ in _levels(shaped, manner):
        yield d.ItemDef(
            OID=f"{item_oid(name, variable.name)}.{code}",
            Name=variable.name,
            SASFieldName=variable.name,
            **_typed(shaped, variable, lengths, manner),
            Description=described(d, variable.labelled(manner.language), manner.language),
            Origin=[d.Origin(Type="Derived", Source="Sponsor")],
        )


def _valued(shaped: Shaped, manner: Manner) -> tuple[str, ...]:
    """Return the variables of a set that have value levels."""
    names = [variable.name for variable in shaped.dataset.variables]
    return tuple(name for name in manner.valued(shaped.dataset) if name in names and manner.by(shaped.dataset) in names)


def _levels(shaped: Shaped, manner: Manner) -> Iterable[tuple[Variable, str, str]]:
    """Yield variable, code and words of each value level that has a value."""
    by = manner.by(shaped.dataset)
    words = shaped.codes.get(by, {})
    for name in _valued(shaped, manner):
        known = shaped.frame.drop_nulls(name)[by].unique().sort().to_list()
        for code in known:
            yield shaped.dataset.variable(name), code, words.get(code, code)


def _value_lists(d: Any, shaped: Shaped, manner: Manner) -> Iterable[Any]:
    name, levels, by = shaped.dataset.name, list(_levels(shaped, manner)), manner.by(shaped.dataset)
    for variable in _valued(shaped, manner):
        refs = [
            d.ItemRef(
                ItemOID=f"{item_oid(name, variable)}.{code}",
                OrderNumber=order,
                Mandatory="No",
                MethodOID=f"{method_oid(name, variable)}.{code}",
                WhereClauseRef=[d.WhereClauseRef(WhereClauseOID=where_oid(name, code, by))],
            )
            for order, code in enumerate((code for one, code, _ in levels if one.name == variable), 1)
        ]
        yield d.ValueListDef(OID=f"VL.{name}.{variable}", ItemRef=refs)


def _conditions(d: Any, shaped: Shaped, manner: Manner) -> Iterable[Any]:
    name, by = shaped.dataset.name, manner.by(shaped.dataset)
    codes = shaped.frame[by].unique().sort().to_list() if by in shaped.frame.columns and _valued(shaped, manner) else []
    for code in codes:
        check = d.RangeCheck(Comparator="EQ", SoftHard="Soft", ItemOID=item_oid(name, by), CheckValue=[d.CheckValue(_content=code)])
        yield d.WhereClauseDef(OID=where_oid(name, code, by), RangeCheck=[check])


def _list_oid(name: str, variable: Variable) -> str:
    return f"CL.{variable.codes}" if variable.codes in CODES or variable.codes in LISTS else f"CL.{name}.{variable.name}"


def _listed(sets: Mapping[str, Shaped]) -> dict[str, tuple[Variable, dict[str, str]]]:
    """Return the code lists of all sets by their OID: a variable that has it, and codes with decodes; a shared list has those of all."""
    found: dict[str, tuple[Variable, dict[str, str]]] = {}
    for name, shaped in sets.items():
        for variable in shaped.dataset.variables:
            listed, oid = shaped.codes.get(variable.name), _list_oid(name, variable)
            if variable.codes and listed:
                found[oid] = (variable, {**found.get(oid, (variable, {}))[1], **listed})
    return found


def _code_lists(d: Any, sets: Mapping[str, Shaped], manner: Manner) -> Iterable[Any]:
    for oid, (variable, listed) in _listed(sets).items():
        known = LISTS.get(variable.codes)
        items = [_term(d, code, words, known.terms.get(code) if known else None) for code, words in listed.items()]
        standard = manner.terminology.get(known.published if known else "ADaM" if variable.codes == "SBJTSTAT" else "")
        more: dict[str, Any] = {"StandardOID": standard} if standard else {"IsNonStandard": "Yes"}
        if known:
            more["Alias"] = [d.Alias(Context="nci:ExtCodeID", Name=known.code)]
        kind = "integer" if variable.kind == "integer" else "text"
        yield d.CodeList(OID=oid, Name=known.name if known else oid.removeprefix("CL."), DataType=kind, CodeListItem=items, **more)
    used = {coded_by(variable.name) for shaped in sets.values() for variable in shaped.dataset.variables}
    for name, version in manner.dictionaries.items():
        if name in used:
            outside = d.ExternalCodeList(Dictionary=name, Version=version)
            yield d.CodeList(OID=f"CL.{name.upper()}", Name=f"{name} dictionary", DataType="text", ExternalCodeList=outside)


def _term(d: Any, code: str, words: str, nci: str | None) -> Any:
    more = {"Alias": [d.Alias(Context="nci:ExtCodeID", Name=nci)]} if nci else {}
    return d.CodeListItem(CodedValue=code, Decode=d.Decode(TranslatedText=[d.TranslatedText(lang="en", _content=words)]), **more)


def _methods(d: Any, shaped: Shaped, manner: Manner) -> Iterable[Any]:
    dataset, name = shaped.dataset, shaped.dataset.name
    for variable in dataset.variables:
        if said := manner.method(dataset, variable):
            yield d.MethodDef(
                OID=method_oid(name, variable.name), Name=f"{name}.{variable.name}", Type="Computation", Description=described(d, said)
            )
    for variable, code, words in _levels(shaped, manner):
        said = manner.method(dataset, variable) or variable.origin
        yield d.MethodDef(
            OID=f"{method_oid(name, variable.name)}.{code}",
            Name=f"{name}.{variable.name} of {code}",
            Type="Computation",
            Description=described(d, f"{words}. {said}"),
        )
