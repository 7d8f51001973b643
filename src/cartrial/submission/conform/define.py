"""Does a define.xml refer to what it has, and does it say what the data are?"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from cartrial.errors import InputError
from cartrial.submission.conform.read import Held
from cartrial.submission.conform.rules import Found

__all__ = ["DEFINE_RULES", "check_define"]

DEFINE_RULES = (
    ("define-reference", "stop", "a reference to an item, code list, method, comment, condition or document that the define has not"),
    ("define-file", "stop", "a file that the define names and that is not there; a set that it does not name"),
    ("define-variable", "stop", "a variable of a set that the define has not, or of the define that the set has not"),
    ("define-label", "warning", "a label that differs between define and data"),
    ("define-type", "stop", "a text that the define has as a number, or the other way round"),
    ("define-length", "warning", "a text that is longer than the define says"),
    ("define-code", "stop", "a value that is not in the code list of its variable"),
    ("define-method", "warning", "a derived variable without a method"),
)
"""Rules of a define.xml: id, severity, what they look for."""

_NS = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1", "a": "http://www.cdisc.org/ns/arm/v1.0"}
_DEF, _LINK = f"{{{_NS['d']}}}", "{http://www.w3.org/1999/xlink}"
# who refers to what: the attribute, and the element and attribute that it must name
_REFERENCES = (
    ("ItemOID", "o:ItemDef", "OID"),
    (f"{_DEF}ItemOID", "o:ItemDef", "OID"),
    ("CodeListOID", "o:CodeList", "OID"),
    ("MethodOID", "o:MethodDef", "OID"),
    (f"{_DEF}CommentOID", "d:CommentDef", "OID"),
    ("WhereClauseOID", "d:WhereClauseDef", "OID"),
    ("ValueListOID", "d:ValueListDef", "OID"),
    (f"{_DEF}StandardOID", "d:Standard", "OID"),
    ("ItemGroupOID", "o:ItemGroupDef", "OID"),
    ("leafID", "d:leaf", "ID"),
    (f"{_DEF}ArchiveLocationID", "d:leaf", "ID"),
)


def check_define(place: Path, sets: Mapping[str, Held]) -> list[tuple[str, Found]]:
    """Return the findings of a define.xml beside the sets of a folder: rule and finding; none where there is none.

    Raises
    ------
    InputError
        If the file is no XML.
    """
    path = place / "define.xml"
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    if "<!ENTITY" in text or "<!DOCTYPE" in text:
        raise InputError("the define declares entities, which are not read", file=path.name, right="A define.xml has none")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise InputError(f"the define is no XML ({error})", file=path.name, right="Write it again") from None
    found = [("define-reference", one) for one in _references(root)]
    return [*found, *_against(root, place, sets)]


def _references(root: ET.Element) -> Iterable[Found]:
    for attribute, target, key in _REFERENCES:
        known = {node.get(key) for node in root.iterfind(f".//{target}", _NS)}
        for node in root.iter():
            said = node.get(attribute)
            if said is not None and said not in known:
                yield Found("", said, f"{attribute.rpartition('}')[2]} names {said}, which the define has not")


def _against(root: ET.Element, place: Path, sets: Mapping[str, Held]) -> Iterable[tuple[str, Found]]:
    items = {node.get("OID"): node for node in root.iterfind(".//o:ItemDef", _NS)}
    lists = {
        node.get("OID"): {item.get("CodedValue") for item in node if item.get("CodedValue") is not None}
        for node in root.iterfind(".//o:CodeList", _NS)
    }
    for leaf in root.iterfind(".//d:leaf", _NS):
        href = leaf.get(f"{_LINK}href") or ""
        if not href.startswith(("http:", "https:")) and not (place / href).exists():
            yield "define-file", Found("", href, "the define names a file that is not there")
    groups = {str(node.get("Name")).upper(): node for node in root.iterfind(".//o:ItemGroupDef", _NS)}
    for name in sets:
        if name not in groups:
            yield "define-file", Found(name, "", "the define does not name the set")
    for name, group in groups.items():
        if name in sets:
            refs = [(ref, items.get(ref.get("ItemOID"))) for ref in group.iterfind("o:ItemRef", _NS)]
            yield from _variables(sets[name], [(ref, node) for ref, node in refs if node is not None], lists)


def _variables(
    held: Held, refs: list[tuple[ET.Element, ET.Element]], lists: Mapping[str | None, set[str | None]]
) -> Iterable[tuple[str, Found]]:
    named = {str(node.get("Name")) for _, node in refs}
    for name in held.frame.columns:
        if name not in named:
            yield "define-variable", Found(held.name, name, "the define has not the variable")
    for ref, node in refs:
        name = str(node.get("Name"))
        if name not in held.frame.columns:
            yield "define-variable", Found(held.name, name, "the set has not the variable")
            continue
        yield from _variable(held, name, ref, node, lists)


def _variable(
    held: Held, name: str, ref: ET.Element, node: ET.Element, lists: Mapping[str | None, set[str | None]]
) -> Iterable[tuple[str, Found]]:
    column = held.frame[name]
    label = node.findtext("o:Description/o:TranslatedText", "", _NS).strip()
    if label != held.labels.get(name, ""):
        yield "define-label", Found(held.name, name, f"the define has the label '{label}', the data '{held.labels.get(name, '')}'")
    is_text = column.dtype == pl.String
    numeric = node.get("DataType") in ("integer", "float")
    if is_text == numeric:
        yield "define-type", Found(held.name, name, f"the define has it as {node.get('DataType')}")
    length, longest = int(node.get("Length") or 0), max((len(str(value).encode()) for value in column.drop_nulls().unique()), default=0)
    if is_text and 0 < length < longest:
        yield "define-length", Found(held.name, name, f"a value has {longest} bytes, the define says {length}")
    listed = node.find("o:CodeListRef", _NS)
    if listed is not None and (terms := lists.get(listed.get("CodeListOID"))):
        values = column.drop_nulls().unique().to_list()
        words = {f"{value:g}" if isinstance(value, float) else str(value) for value in values}
        for word in sorted(words - {str(term) for term in terms})[:3]:
            yield "define-code", Found(held.name, name, f"'{word}' is not in the code list")
    derived = any(origin.get("Type") == "Derived" for origin in node.iterfind("d:Origin", _NS))
    if derived and ref.get("MethodOID") is None and node.find("d:ValueListRef", _NS) is None:
        yield "define-method", Found(held.name, name, "it is derived and has no method")
