"""define.xml 2.1 with ARM 1.0: valid, and it says what the data are.

Origin: `published` (the schemas of CDISC, as the package odmlib has them, read by lxml) and `independent` (values, lengths and labels by
pyreadstat from the XPT files; references by odmlib's own checker). The elements are written by odmlib: its checker alone would be no proof.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cartrial.submission import Job
from cartrial.submission.adam import Shaped, shape_adam
from cartrial.submission.files.data import write_data
from cartrial.submission.files.define import define_text, render_html
from cartrial.submission.files.text import planned_lengths

odmlib = pytest.importorskip("odmlib")
etree = pytest.importorskip("lxml.etree")

NAMES = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1", "a": "http://www.cdisc.org/ns/arm/v1.0"}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture(scope="module")
def sets(job: Job) -> dict[str, Shaped]:
    return shape_adam(job)


@pytest.fixture(scope="module")
def text(job: Job, sets: dict[str, Shaped]) -> str:
    return define_text(job, sets, planned_lengths(sets.values(), "ascii"))


@pytest.fixture(scope="module")
def schema():  # type: ignore[no-untyped-def]
    return etree.XMLSchema(etree.parse(Path(odmlib.__file__).parent / "schemas" / "arm" / "1.0-define2.1" / "arm1-0-0.xsd"))


def test_it_is_valid_and_so_are_its_references(text: str, schema, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from odmlib.arm_loader import XMLArmLoader
    from odmlib.loader import ODMLoader
    from odmlib.oid_generator import create_oid_checker

    tree = etree.fromstring(text.encode("utf-8"))
    assert schema.validate(tree), schema.error_log
    path = tmp_path / "define.xml"
    path.write_text(text, encoding="utf-8")
    loader = ODMLoader(XMLArmLoader())
    loader.open_odm_document(str(path))
    root = loader.root() if hasattr(loader, "root") else loader.load_odm()
    checker = create_oid_checker("arm_1_0")
    root.verify_oids(checker)
    assert checker.check_oid_refs()


def test_the_schema_finds_planted_faults(text: str, schema) -> None:  # type: ignore[no-untyped-def]
    """An OID that stands twice, a class and an origin that are in no list, a set without its structure."""
    for path, attribute, value in (
        ("//o:ItemDef[2]", "OID", "IT.ADSL.STUDYID"),
        ("//d:Class", "Name", "BASIC"),
        ("//d:Origin", "Type", "Guessed"),
        ("//o:ItemGroupDef", f"{{{NAMES['d']}}}Structure", None),
    ):
        tree = etree.fromstring(text.encode("utf-8"))
        node = tree.xpath(path, namespaces=NAMES)[0]
        if value is None:
            del node.attrib[attribute]
        else:
            node.set(attribute, value)
        assert not schema.validate(tree), path


def test_it_agrees_with_the_files(job: Job, text: str, tmp_path: Path) -> None:
    """Each variable of each XPT file, in its order: label, type, length, and every value in its code list."""
    pyreadstat = pytest.importorskip("pyreadstat")
    write_data(job, tmp_path)
    tree = etree.fromstring(text.encode("utf-8"))
    items = {node.get("OID"): node for node in tree.iterfind(".//o:ItemDef", NAMES)}
    seen = 0
    for group in tree.iterfind(".//o:ItemGroupDef", NAMES):
        file = group.find("d:leaf", NAMES).get("{http://www.w3.org/1999/xlink}href")
        columns, meta = pyreadstat.read_xport(str(next(tmp_path.rglob(file))), output_format="dict")
        defined = [items[ref.get("ItemOID")] for ref in group.iterfind("o:ItemRef", NAMES)]
        assert [node.get("Name") for node in defined] == meta.column_names, file
        for node in defined:
            name = node.get("Name")
            seen += 1
            assert node.findtext("o:Description/o:TranslatedText", None, NAMES) == meta.column_names_to_labels[name]
            assert (node.get("DataType") == "text") == (meta.readstat_variable_types[name] == "string")
            assert int(node.get("Length")) == meta.variable_storage_width[name]
            listed = node.find("o:CodeListRef", NAMES)
            if listed is not None:
                terms = tree.xpath(f"//o:CodeList[@OID='{listed.get('CodeListOID')}']//@CodedValue", namespaces=NAMES)
                values = {f"{v:g}" if isinstance(v, float) else v for v in columns[name] if v not in ("", None)}
                assert values <= set(terms), (file, name, values - set(terms))
    assert seen > 150


def test_value_levels_and_analyses(text: str) -> None:
    """Each PARAMCD of a set has a condition, and each analysis is of a parameter that the set has."""
    tree = etree.fromstring(text.encode("utf-8"))
    conditions = set(tree.xpath("//d:WhereClauseDef/@OID", namespaces=NAMES))
    used = set(tree.xpath("//d:ValueListDef//@WhereClauseOID", namespaces=NAMES))
    assert used and used <= conditions
    results = tree.xpath("//a:AnalysisResult", namespaces=NAMES)
    main = [node for node in results if node.get("AnalysisPurpose") == "PRIMARY OUTCOME MEASURE"]
    assert [node.get("OID") for node in main] == ["AR.ORR3"]
    assert {ref for node in results for ref in node.xpath(".//@WhereClauseOID")} <= conditions


def test_people_can_read_it(text: str) -> None:
    style, page = render_html(text)
    assert "<xsl:stylesheet" in style
    assert "Subject-Level Analysis Dataset" in page and "Time-to-Event Analysis Dataset" in page
