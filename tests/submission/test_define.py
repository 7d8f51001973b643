"""define.xml 2.1 with ARM 1.0: valid, and it says what the data are.

Origin: `published` (the schemas of CDISC, as the package odmlib has them, read by lxml) and `independent` (values, lengths and labels by
pyreadstat from the XPT files; references by odmlib's own checker). The elements are written by odmlib: its checker alone would be no proof.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from cartrial.study.submission import Dictionaries, Plan, Submission
from cartrial.submission import Job
from cartrial.submission.adam import Shaped, shape_adam
from cartrial.submission.conform.define import check_define
from cartrial.submission.conform.read import read_tabulations
from cartrial.submission.files.data import write_data
from cartrial.submission.files.define import define_text, render_html
from cartrial.submission.files.tabulations import define_tabulations, sdtm_folder, write_tabulations
from cartrial.submission.files.text import planned_lengths
from cartrial.submission.job import Shown
from cartrial.submission.variables.terminology import LISTS
from helpers import data_path, needs_data

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


@pytest.mark.shows("FMT-define-xml")
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


@pytest.mark.shows("FMT-define-xml")
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


def test_what_a_record_lacks_is_not_mandatory(job: Job, sets: dict[str, Shaped]) -> None:
    """By hand: of who failed screening there is no treatment, and a variable is mandatory where no record lacks it (Define-XML 2.1)."""
    first = pl.int_range(pl.len()) == 0
    failed = replace(sets["ADSL"], frame=sets["ADSL"].frame.with_columns(TRT01P=pl.when(~first).then("TRT01P")))
    made = {**sets, "ADSL": failed}
    tree = etree.fromstring(define_text(job, made, planned_lengths(made.values(), "ascii")).encode("utf-8"))
    said = {node.get("ItemOID"): node.get("Mandatory") for node in tree.iterfind(".//o:ItemGroupDef[@Name='ADSL']/o:ItemRef", NAMES)}
    assert (said["IT.ADSL.TRT01P"], said["IT.ADSL.TRT01A"], said["IT.ADSL.USUBJID"]) == ("No", "Yes", "Yes")


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


@pytest.fixture(scope="module")
def tabulated(job: Job) -> str:
    filed = Submission(protocol="CT-101", sponsor="A sponsor", dictionaries=Dictionaries(meddra="26.1"))
    return define_tabulations(replace(job, study=job.study.model_copy(update={"submission": filed})))


@pytest.mark.shows("STUDY-submission.protocol", "STUDY-submission.dictionaries", "STUDY-submission.dictionaries.meddra")
def test_tabulations_are_described(job: Job, tabulated: str, schema, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """By hand: the number of the protocol, the dictionary by which events are coded, what a derived number is; a changed set is found."""
    tree = etree.fromstring(tabulated.encode("utf-8"))
    assert schema.validate(tree), schema.error_log
    assert tree.findtext(".//o:ProtocolName", None, NAMES) == "CT-101"
    assert tree.xpath("//o:ExternalCodeList/@Dictionary", namespaces=NAMES) == ["MedDRA"]
    linked = tree.xpath("//o:ItemDef[@OID='IT.AE.AEDECOD']/o:CodeListRef/@CodeListOID", namespaces=NAMES)
    assert linked == ["CL.MEDDRA"]
    assert "within the subject" in tree.xpath("string(//o:MethodDef[@OID='MT.AE.AESEQ'])", namespaces=NAMES)
    groups = {node.get("Name"): node.find("d:Class", NAMES).get("Name") for node in tree.iterfind(".//o:ItemGroupDef", NAMES)}
    assert groups["DM"] == "SPECIAL PURPOSE" and groups["AE"] == "EVENTS" and groups["RS"] == "FINDINGS"
    virtual = replace(job, adam=replace(job.adam, provenance="virtual"))
    write_tabulations(virtual, tmp_path)
    folder = tmp_path / sdtm_folder(virtual)
    (folder / "define.xml").write_text(define_tabulations(virtual), encoding="utf-8")
    domains = read_tabulations(folder)
    assert set(domains) == set(groups) and check_define(folder, domains) == []
    ae = domains["AE"]
    other = replace(ae, frame=ae.frame.with_columns(pl.lit("PERHAPS").alias("AEOUT")).drop("AETOXGR"))
    assert {rule for rule, _ in check_define(folder, domains | {"AE": other})} == {"define-code", "define-variable"}


@needs_data("dataset_json/define_sdtm_2-1.xml")
def test_codes_are_those_of_cdisc_and_one_to_one() -> None:
    """Published: the define.xml examples of CDISC, in which each code that is used here belongs to that term of that list."""
    said: dict[tuple[str, str], set[str]] = {}
    for name in ("sdtm", "adam"):
        tree = etree.fromstring(data_path(f"dataset_json/define_{name}_2-1.xml").read_bytes())
        for listed in tree.iterfind(".//o:CodeList", NAMES):
            for alias in listed.findall("o:Alias", NAMES):
                for term in listed:
                    codes = {one.get("Name") for one in term.findall("o:Alias", NAMES)} - {""}
                    if term.get("CodedValue") and codes:
                        said.setdefault((alias.get("Name"), term.get("CodedValue")), set()).update(codes)
    ours = {(terms.code, term): {code} for terms in LISTS.values() for term, code in terms.terms.items()}
    assert len(ours) > 60 and {key: said[key] for key in ours} == ours
    for terms in LISTS.values():
        assert len(set(terms.terms.values())) == len(terms.terms)


def test_codes_stand_in_both_defines(text: str, tabulated: str) -> None:
    """Published: No Yes Response is C66742, its Y C49488."""
    for define in (text, tabulated):
        tree = etree.fromstring(define.encode("utf-8"))
        assert tree.xpath("//o:CodeList[@OID='CL.NY']/o:Alias/@Name", namespaces=NAMES) == ["C66742"]
        assert tree.xpath("//o:CodeList[@OID='CL.NY']/*[@CodedValue='Y']/o:Alias/@Name", namespaces=NAMES) == ["C49488"]


@pytest.mark.shows("STUDY-submission.sap.file", "STUDY-submission.sap.pages")
@pytest.mark.shows("STUDY-submission.sap.title", "STUDY-submission.sap.version", "STUDY-submission.sap.date")
@pytest.mark.shows("STUDY-submission.sap", "STUDY-submission.study-name")
def test_analyses_stand_under_the_numbers_of_displays(job: Job, sets: dict[str, Shaped], schema) -> None:  # type: ignore[no-untyped-def]
    """By hand: the first row of the primary endpoint is shown by a table with a number of the study file; pages are the plan's."""
    key = job.results.with_row_index("K").filter(pl.col("endpoint") == "ORR3")["K"]
    assert key.is_empty()  # of these results the flow alone was estimated: a row stands in for one
    row = job.results[:1].with_columns(analysis=pl.lit("response"), endpoint=pl.lit("ORR3"), variant=pl.lit(""))
    shown = (Shown("rate-ORR3", "table", "Table 14.9.1", "Response", "infused", "t-14-9-1", keys=frozenset({0})),)
    plan = Plan(file="sap.pdf", title="Plan of Analysis", version="2.0", date=dt.date(2022, 6, 1), pages={"ORR3": "31, 32"})
    filed = Submission(sap=plan, study_name="CT-101")
    study = job.study.model_copy(update={"submission": filed})
    made = define_text(replace(job, study=study, results=row, shown=shown), sets, planned_lengths(sets.values(), "ascii"))
    tree = etree.fromstring(made.encode("utf-8"))
    assert schema.validate(tree), schema.error_log
    first = tree.find(".//a:ResultDisplay", NAMES)
    assert (first.get("OID"), first.get("Name")) == ("RD.T-14-9-1", "Table 14.9.1")
    assert first.xpath("./a:AnalysisResult/@OID", namespaces=NAMES) == ["AR.ORR3"]
    assert first.xpath(".//d:PDFPageRef/@PageRefs", namespaces=NAMES) == ["31 32"]
    assert tree.xpath("//d:leaf[@ID='LF.SAP']/d:title/text()", namespaces=NAMES) == ["Plan of Analysis, version 2.0, 2022-06-01"]
    assert tree.xpath("//o:StudyName/text()", namespaces=NAMES) == ["CT-101"]
    others = tree.xpath("//a:ResultDisplay/@Name", namespaces=NAMES)[1:]
    assert "ORR3" in others  # its variants, which no display shows
