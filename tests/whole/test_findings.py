"""Has every rule of the findings an example that is spoilt so that it speaks?

Rules of checking have theirs in `tests/sdtm/test_check.py`; those of reading, of spreadsheets and of statuses have theirs here.
Origin of every expectation: `by hand`: the small source of `sdtm_example`, or a sheet of three patients, with one thing spoilt.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import cartrial
from cartrial.endpoints import ENDPOINT_RULES
from cartrial.run import Data, derive_data, load_data
from cartrial.sdtm import CHECK_RULES, MAPPING_RULES, READING_RULES, check_sdtm, read_sdtm, write_templates
from cartrial.sdtm.mapping import read_mapped
from cartrial.study import Study
from cases.case import case_path
from cases.events_sheet import derived, filled, read
from helpers import ROOT
from properties import every
from sdtm_example import STUDY_YAML, Table, small_tables, write_tables

PACKAGE = Path(cartrial.__file__).parent
Tables = dict[str, Table]
Example = Callable[[Path], pl.DataFrame]

SURVIVAL = """\
  - id: OS
    label: Overall survival
    type: time-to-event
    origin: day-0
    population: infused
    events: [death]
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
"""
MRD = """\
  - id: MRDN
    label: MRD-negative remission
    type: response-rate
    response: [CR, CRi]
    mrd: negative
    window: {at: day 28}
    population: infused
    strategies: {hsct: composite, new-therapy: composite}
"""


def tables(spoil: Callable[[Tables], object], *, derive: bool = False, of: str = "", **files: str) -> Example:
    """Return the findings of the small source with its tables spoilt, or files put beside them. `of`: another population of ORR3."""

    def example(folder: Path) -> pl.DataFrame:
        spoilt = small_tables()
        spoil(spoilt)
        data = write_tables(spoilt, folder / "data")
        for name, text in files.items():
            (data / name.replace("__", ".")).write_text(text, encoding="utf-8", errors="surrogateescape")
        text = STUDY_YAML.replace("population: infused", f"population: {of}") if of else STUDY_YAML
        (folder / "study.yaml").write_text(text + SURVIVAL + (MRD if not of else ""), encoding="utf-8")
        study, source = Study.load(folder / "study.yaml"), read_sdtm(data)
        findings = check_sdtm(study, source)
        return derive_data(Data(study, source, findings)).findings if derive else findings

    return example


def case(name: str) -> Example:
    """Return the findings of an input of `tests/cases` that has its own study and mapping."""

    def example(folder: Path) -> pl.DataFrame:
        place = case_path(name)
        return derive_data(load_data(place, place / "data" if (place / "data").is_dir() else place, require=False)).findings

    return example


RANGE_OF_DOSES = "  dose-range: [{to: 50, boundary: lower, dose: per-kg, low: 1, high: 2}, {dose: total, low: 1, high: 2}]\n"


def dosed(weight: float | None) -> Example:
    """Return the findings of the small source with a range of doses in its study file, and a weight of the first subject alone."""

    def example(folder: Path) -> pl.DataFrame:
        spoilt = small_tables()
        vs = {"STUDYID": "TRIAL", "DOMAIN": "VS", "USUBJID": "A", "VSSEQ": 1, "VSTESTCD": "WEIGHT", "VSSTRESU": "kg", "VSDTC": "2021-12-20"}
        data = write_tables(spoilt if weight is None else {**spoilt, "VS": [{**vs, "VSSTRESN": weight}]}, folder / "data")
        (folder / "study.yaml").write_text(STUDY_YAML.replace("disease:\n", RANGE_OF_DOSES + "disease:\n"), encoding="utf-8")
        study, source = Study.load(folder / "study.yaml"), read_sdtm(data)
        return derive_data(Data(study, source, check_sdtm(study, source))).findings

    return example


def free_before_the_response(folder: Path) -> pl.DataFrame:
    """Return the findings of a form of best responses whose last assessment is before the response."""
    (folder / "study.yaml").write_text(STUDY_YAML + SURVIVAL, encoding="utf-8")
    study = Study.load(folder / "study.yaml")
    write_templates(folder / "own", study_id=study.study.id, product=study.product.exposure[0])
    path = folder / "own" / "events" / "events.csv"
    cells = {"subject": "1", "infusion_date": "2022-01-01", "best_response": "CR", "response_date": "2022-01-29"}
    cells["last_assessment_date"] = "2022-01-15"
    names = path.read_text(encoding="utf-8").strip().split(",")
    path.write_text(f"{','.join(names)}\n{','.join(cells.get(name, '') for name in names)}\n", encoding="utf-8")
    return derive_data(load_data(folder / "study.yaml", path.parent, require=False)).findings


def undated_response(folder: Path) -> pl.DataFrame:
    """Return the findings of a form in which one of two responses has no day."""
    return derived(filled(folder, {"response_date": "2022-01"}, {})).findings


def read_by_the_site_alone(spoilt: Tables) -> None:
    """Leave B to the investigator."""
    mine = [row for row in spoilt["RS"] if row["USUBJID"] == "A"]
    spoilt["RS"] = mine + calls("B", ("INV", "NR", "2022-04-01"))


def calls(subject: str, *reads: tuple[str, str, str]) -> Table:
    """Return reads of a subject: reader, response, date."""
    keys = {"STUDYID": "TRIAL", "DOMAIN": "RS", "USUBJID": subject, "RSCAT": "ALL RESPONSE", "RSTESTCD": "OVRLRESP"}
    who = {"INV": ("INVESTIGATOR", None), "IRC": ("INDEPENDENT ASSESSOR", None)}
    return [
        {
            **keys,
            "RSSEQ": 50 + i,
            "RSEVAL": who.get(reader, ("INDEPENDENT ASSESSOR", reader))[0],
            "RSEVALID": who.get(reader, ("", reader))[1],
            "RSSTRESC": response,
            "RSDTC": date,
        }
        for i, (reader, response, date) in enumerate(reads)
    ]


def readings(subject: str, *reads: tuple[str, str, str]) -> Example:
    """Return the findings where all that was read of a subject is this."""

    def spoil(spoilt: Tables) -> None:
        spoilt["RS"] = [row for row in spoilt["RS"] if row["USUBJID"] != subject] + calls(subject, *reads)

    return tables(spoil, derive=True)


def of_lymphoma(folder: Path) -> pl.DataFrame:
    """Return the findings of the worked subjects of lymphoma: of LYM-19C one reader saw a progression, and nobody adjudicated."""
    place = ROOT / "tests" / "truth" / "lymphoma"
    return derive_data(load_data(place, place / "data")).findings


def change(domain: str, row: int, *, derive: bool = False, **values: object) -> Example:
    return tables(lambda spoilt: spoilt[domain][row].update(values), derive=derive)


def died_in_september(spoilt: Tables) -> None:
    """The month of the death is that of the cutoff, and its day is not known."""
    spoilt["DM"][1].update(DTHDTC="2022-09")
    spoilt["DS"][4].update(DSSTDTC="2022-09")
    del spoilt["SS"][1]


def nothing_seen(spoilt: Tables) -> None:
    """Every call is NE."""
    for row in spoilt["RS"]:
        row.update(RSSTRESC="NE")


def infused_again(spoilt: Tables) -> None:
    spoilt["EX"].append({**spoilt["EX"][1], "EXSEQ": 9, "EXSTDTC": "2022-01-08"})


HEAD = """\
schema: 1
study-id: TRIAL
source: invented
table: {file: t.xlsx, header: 1}
subject: A
missing: [n/a]
rules:
  - {id: infusion, domain: EX, set: {EXTRT: PRODUCT}, day: 0}
"""
HEADERS = ("ID", "CRS", "Grade", "Day", "CRP")
PATIENTS: tuple[tuple[Any, ...], ...] = (("a", 1, 2, 7, 3.5), ("b", 0, 0, 7, 1.25), ("c", 1, 1, 13, 4))
CRP = "  - {id: CRP, domain: LB, test: CRP, specimen: BLOOD, unit: mg/L, not-done: [lysed], column: E, day: D}\n"
AGAIN = "  - {id: again, domain: LB, test: CRP, specimen: BLOOD, unit: mg/L, column: F, day: D, repeats: CRP}\n"
FLAG = "checks: [{check: flag, flag: B, value: C, above: 0, meaning: CRS has a grade}]\n"


def sheet(
    rules: str = CRP,
    *,
    head: str = HEAD,
    headers: tuple[str | None, ...] = HEADERS,
    rows: tuple[tuple[Any, ...], ...] = PATIENTS,
    touch: Callable[[Any], object] = lambda sheet: None,
    **cells: Any,
) -> Example:
    """Return the findings of a sheet of three patients with some cells changed."""

    def example(folder: Path) -> pl.DataFrame:
        openpyxl = pytest.importorskip("openpyxl", reason="spreadsheets need openpyxl (extra: formats)")
        book = openpyxl.Workbook()
        for row in (headers, *rows):
            book.active.append(row)
        for name, value in cells.items():
            book.active[name].value = value
        touch(book.active)
        book.save(folder / "t.xlsx")
        (folder / "mapping.yaml").write_text(head + rules, encoding="utf-8")
        return read_mapped(folder / "mapping.yaml", folder).findings

    return example


def coloured(*names: str) -> Callable[[Any], object]:
    def touch(page: Any) -> None:
        from openpyxl.styles import PatternFill

        for name in names:
            page[name].fill = PatternFill("solid", fgColor="FFFF0000")

    return touch


def commented(name: str) -> Callable[[Any], object]:
    def touch(page: Any) -> None:
        from openpyxl.comments import Comment

        page[name].comment = Comment("in mg/dL", "x")

    return touch


MARKED = "checks: [{check: marked, by: fill, same-header: true, meaning: ceiling}]\n"
RANGE = "checks: [{check: range, columns: [D], from: 0, to: 10, meaning: window}]\n"
PILE = "checks: [{check: pile-up, rules: [CRP], top-count: 3, meaning: limits}]\n"

QUESTIONS = "STUDYID,DOMAIN,USUBJID,QSTESTCD\nTRIAL,QS,A,ONE\n"


def form(*patients: dict[str, str]) -> Example:
    """Return what is found in the shipped form of events, filled in for some patients."""
    return lambda folder: read(filled(folder, *patients)).findings


EXAMPLES: dict[str, Example] = {
    # reading
    "file-ignored": tables(lambda spoilt: None, results__csv="A\n1\n"),
    "file-other": tables(lambda spoilt: None, README__md="of the study"),
    "domain-split": tables(lambda spoilt: None, qsco__csv=QUESTIONS, qsda__csv=QUESTIONS),
    "byte-undecoded": tables(lambda spoilt: None, ts__csv="STUDYID,DOMAIN,TSVAL\nTRIAL,TS,the patient\udc92s\n"),
    "date-invalid": change("AE", 0, AEENDTC="UNKNOWN"),
    "number-invalid": change("EX", 0, EXDOSE="some"),
    "domain-empty": tables(lambda spoilt: spoilt.pop("CM"), cm__csv="STUDYID,DOMAIN,USUBJID,CMSEQ,CMTRT,CMCAT,CMSTDTC\n"),
    "term-mapped": change("RS", 0, RSSTRESC="complete response"),
    "unit-converted": change("LB", 2, LBSTRESU="10^6/L", LBSTRESN=1800, LBSTRESC="1800"),
    # doses
    "dose-outside": dosed(20),
    "weight-missing": dosed(None),
    # spreadsheets
    "repeat-contradicts": sheet(CRP + AGAIN, headers=(*HEADERS, "CRP again"), F2=3.5, F3=9),
    "blank-header": sheet(E1=None, rows=PATIENTS),
    "header-comment": sheet(touch=commented("E1")),
    "day-missing": sheet(D2=None),
    "missing-code": sheet(E2="n/a"),
    "flag-contradicts": sheet(CRP + FLAG, C2=0),
    "flag-unknown": sheet(CRP + FLAG, B2=7),
    "outside-range": sheet(CRP + RANGE),
    "marked-cell": sheet(CRP + MARKED, touch=coloured("E2")),
    "unmarked-cell": sheet(CRP + MARKED, touch=coloured("E2"), E4=3.5),
    "pile-up": sheet(CRP + PILE, E2=9, E3=9, E4=9),
    "word-left-out": sheet("  - {id: CRS, domain: AE, column: B, only: [1], set: {AEDECOD: CRS}, day: D}\n"),
    "merged-cell": sheet(touch=lambda page: page.merge_cells("E2:E3")),
    "percent-cell": sheet(CRP.replace("unit: mg/L, ", ""), E2="3.5 %", E3="1 %", E4="2 %"),
    "sheet-other": sheet(head=HEAD.replace("header: 1", "header: 1, sheet: Sheet"), touch=lambda page: page.parent.create_sheet("Other")),
    "repeated-record": sheet(head=HEAD.replace("header: 1", "header: 1, long: true"), rows=(*PATIENTS, PATIENTS[0])),
    "mapping-assumption": sheet(CRP.replace("id: CRP,", "id: CRP, assumption: it was fasting,")),
    "response-order": form({"first_response": "CR", "first_response_date": "2022-03-01"}),
    "infusion-blank": form({"infusion_date": ""}),
    "events-only": sheet(head=HEAD.replace("source:", "level: events\nsource:")),
    "repeated-block": sheet(CRP + AGAIN, headers=(*HEADERS, "CRP again"), F2=3.5),
    "repeated-header": sheet(C1="Day"),
    "cell-comment": sheet(touch=commented("E2")),
    "unmapped-column": sheet(),
    "blank-column": sheet(headers=(*HEADERS, "Never")),
    "blank-cell": sheet(E2=None),
    "rows-below": sheet(head=HEAD.replace("header: 1", "header: 1, last-row: 3")),
    "text-number": sheet(E2="3.5"),
    "fractional-day": sheet(D2=6.5),
    "value-missing": sheet(E2=None),
    "not-done": sheet(E2="lysed"),
    "formula-without-value": sheet(B2="=1+1"),
    "checks-passed": sheet(CRP + RANGE.replace("to: 10", "to: 90")),
    # statuses and endpoints
    "call-against-lab": change("RS", 0, derive=True, RSSTRESC="NR"),
    "reading-pending": readings("A", ("READER 1", "CR", "2022-01-29"), ("READER 2", "NR", "2022-01-29")),
    "relapse-unadjudicated": readings(
        "A",
        ("READER 1", "CR", "2022-01-29"),
        ("READER 2", "CR", "2022-01-29"),
        ("READER 1", "RELAPSE", "2022-04-01"),
        ("READER 2", "CR", "2022-04-01"),
    ),
    "progression-unadjudicated": of_lymphoma,
    "event-dates-apart": readings(
        "A",
        *((reader, "CR", "2022-01-29") for reader in ("READER 1", "READER 2")),
        ("READER 1", "RELAPSE", "2022-03-01"),
        ("READER 2", "CR", "2022-03-01"),
        *((reader, "RELAPSE", "2022-04-01") for reader in ("READER 1", "READER 2")),
    ),
    "relapse-without-remission": readings("B", ("IRC", "RELAPSE", "2022-04-01")),
    "nr-after-remission": readings("B", ("IRC", "CR", "2022-01-29"), ("IRC", "NR", "2022-04-01")),
    "informative-censoring": readings(
        "B", ("IRC", "CR", "2022-01-29"), ("INV", "CR", "2022-01-29"), ("IRC", "CR", "2022-04-01"), ("INV", "RELAPSE", "2022-04-01")
    ),
    "infusion-again": tables(infused_again, derive=True),
    "date-across-cutoff": tables(died_in_september, derive=True),
    "adjudication-unused": readings("A", ("READER 1", "CR", "2022-01-29"), ("ADJUDICATOR", "CR", "2022-01-29")),
    "adjudication-ignored": readings(
        "A", ("READER 1", "CR", "2022-01-29"), ("READER 2", "CR", "2022-01-29"), ("ADJUDICATOR", "CR", "2022-01-29")
    ),
    # what a source lacks
    "not-recorded": tables(lambda spoilt: spoilt.pop("RS"), derive=True),
    "not-read": tables(read_by_the_site_alone, derive=True),
    "domain-not-recorded": tables(lambda spoilt: spoilt.pop("CM"), derive=True),
    "reader-not-evaluable": tables(nothing_seen, derive=True),
    "population-empty": tables(nothing_seen, derive=True, of="assessed"),
    "mrd-not-evaluable": change("LB", 4, derive=True, LBLOD=1e-3),
    "occurrence-assumed": change("CM", 0, derive=True, CMPRESP="Y"),
    "relapse-free-contradicts": free_before_the_response,
    "response-undated": undated_response,
    "not-derived": case("data/events-template"),
    "emd-not-recorded": case("sheets/records-emd-missing"),
}
OTHERS = {name for name, _, _ in (*READING_RULES, *MAPPING_RULES, *ENDPOINT_RULES)}


def test_every_rule_has_a_spoilt_example() -> None:
    asked = "add to EXAMPLES of tests/whole/test_findings.py an input that is spoilt so that the rule speaks"
    assert not OTHERS - set(EXAMPLES), f"{asked}: {sorted(OTHERS - set(EXAMPLES))}"
    assert not set(EXAMPLES) - OTHERS, f"no such rule in READING_RULES, MAPPING_RULES, ENDPOINT_RULES: {sorted(set(EXAMPLES) - OTHERS)}"


@pytest.mark.slow
def test_every_finding_is_of_a_rule_that_is_listed() -> None:
    """The first argument of `finding` and its likes, wherever it stands in the package, is a rule of one of the lists."""
    made: dict[str, str] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "") if isinstance(node, ast.Call) else ""
            first = node.args[0] if name in ("finding", "_finding") and node.args else None  # type: ignore[attr-defined]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                made.setdefault(first.value, path.relative_to(PACKAGE).as_posix())
    assert len(made) > 20
    lost = {rule: place for rule, place in made.items() if rule not in OTHERS | {rule.id for rule in CHECK_RULES}}
    assert not lost, f"list them in READING_RULES, MAPPING_RULES (sdtm/checks/check.py) or ENDPOINT_RULES (endpoints/check.py): {lost}"


@pytest.mark.parametrize("rule", every(3, EXAMPLES))
def test_a_rule_finds_what_is_spoilt(rule: str, tmp_path: Path) -> None:
    hits = EXAMPLES[rule](tmp_path).filter(pl.col("RULE") == rule)
    assert hits.height, f"{rule} says nothing"
    listed = next(severity for name, severity, _ in (*READING_RULES, *MAPPING_RULES, *ENDPOINT_RULES) if name == rule)
    assert set(hits["SEVERITY"]) <= ({"warning", "note"} if listed == "as declared" else set(listed.split(" or ")))
    for message in hits["MESSAGE"].to_list():
        assert message.endswith(".") and not message[0].isspace(), message
