"""What may a spreadsheet look like? Commas, per cent, blanks that group digits, local dates, several tables, several rows a patient.

Expected values: `by hand`, from the cells as they are shown and the rules (A13: a percent cell is the stored number × 100).
"""

from __future__ import annotations

import datetime as dt
import io
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.run import derive_data, load_data
from cartrial.sdtm import Source, check_sdtm, read_sdtm
from cartrial.sdtm.mapping import read_mapped
from cartrial.study import Study
from cases.case import case_path, derived, value
from sdtm_example import STUDY_YAML, small_tables, write_tables

openpyxl = pytest.importorskip("openpyxl", reason="spreadsheets need openpyxl (extra: formats)")

HEAD = "schema: 1\nstudy-id: inaticel-pivotal\nsource: invented\n"
INFUSION = "  - {id: inf, domain: EX, set: {EXTRT: CNCT19}, day: 0}\n"


def workbook(path: Path, sheets: dict[str, list[list[Any]]], touch: Callable[[Any], object] = lambda book: None) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    touch(book)
    book.save(path)


def mapped(
    folder: Path, rules: str, rows: list[list[Any]], *, more: str = "", touch: Callable[[Any], object] = lambda book: None
) -> Source:
    """Read a workbook of one sheet, subjects in column ID."""
    workbook(folder / "t.xlsx", {"data": rows}, touch)
    text = f"{HEAD}{more}table: {{file: t.xlsx}}\nsubject: {{header: ID}}\nrules:\n{INFUSION}{rules}"
    (folder / "mapping.yaml").write_text(text, encoding="utf-8")
    return read_sdtm(folder)


def one_number(
    folder: Path, text: object, *, more: str = "", rule: str = "", test: str = "FERRITIN", form: str | None = None
) -> dict[str, Any]:
    """Return the record of LB that one cell makes."""

    def formatted(book: Any) -> None:
        if form:
            book["data"]["B2"].number_format = form

    rules = f"  - {{id: x, domain: LB, column: Value, test: {test}, day: 28{rule}}}\n"
    return mapped(folder, rules, [["ID", "Value"], ["a", text]], more=more, touch=formatted).domains["LB"].row(0, named=True)


# numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0,5", 0.5),
        ("1.234", 1234.0),
        ("1.234,5", 1234.5),
        ("12.345.678", 12345678.0),
        ("1\u202f234,5", 1234.5),
        ("1\u2009234", 1234.0),
        ("1\u00a0234\u00a0567", 1234567.0),
        ("1'234,5", 1234.5),
        (",5", 0.5),
        ("-0,5", -0.5),
        ("\u22120,5", -0.5),
        ("1,5E-4", 1.5e-4),
        ("7", 7.0),
        (2.5, 2.5),
    ],
)
def test_decimal_comma(text: object, number: float, tmp_path: Path) -> None:
    assert one_number(tmp_path, text, more="decimal: comma\n")["LBSTRESN"] == number


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<0,01%", "<0.01%"),
        ("< 1.234,5", "<1234.5"),
        ("0,5", "0.5"),
        ("1.234", "1234"),
        ("NEG", "NEGATIVE"),
        ("<5", "<5"),
        ("12-15", "12-15"),
    ],
)
def test_decimal_comma_in_a_column_of_text(text: str, said: str, tmp_path: Path) -> None:
    """By hand: a text that spells a number or a limit is read with a point; what was collected stays."""
    row = one_number(tmp_path, text, rule=", type: text", more="decimal: comma\n")
    assert (row["LBORRES"], row["LBSTRESC"]) == (text, said)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5", 0.5),
        ("1 234.5", 1234.5),
        ("1\u2009234", 1234.0),
        ("1\u202f234\u202f567.25", 1234567.25),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0),
    ],
)
def test_decimal_point(text: str, number: float, tmp_path: Path) -> None:
    assert one_number(tmp_path, text)["LBSTRESN"] == number


@pytest.mark.parametrize(
    ("text", "more", "right"),
    [
        ("1,234", "", "Say `decimal: comma` in the mapping if commas are decimal signs"),
        ("0,5", "", "Say `decimal: comma`"),
        ("0.5", "decimal: comma\n", "write a comma"),
        ("0.500", "decimal: comma\n", "write a comma"),
        ("1.2345", "decimal: comma\n", "write a comma"),
        ("1.23.456", "decimal: comma\n", "write a comma"),
        ("1 23", "", "Write a number"),
        ("1_000", "", "Write a number"),
        ("nan", "", "Write a number"),
        ("inf", "", "Write a number"),
        ("1e400", "", "Write a number"),
    ],
)
def test_what_could_be_two_numbers_is_refused(text: str, more: str, right: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"t.xlsx, row 2, cell B2, B \(Value\): .* is no number") as refused:
        one_number(tmp_path, text, more=more)
    assert right in str(refused.value)


def test_decimal_of_a_table_and_of_a_rule(tmp_path: Path) -> None:
    """The nearest word counts: rule, table, mapping."""
    assert one_number(tmp_path, "1,5", rule=", decimal: comma")["LBSTRESN"] == 1.5
    assert one_number(tmp_path, "1.5", rule=", decimal: point", more="decimal: comma\n")["LBSTRESN"] == 1.5
    (tmp_path / "t.csv").write_text("ID;Value\na;1,5\n")
    rules = f"{INFUSION}  - {{id: x, domain: LB, column: Value, test: CRP, day: 28}}\n"
    (tmp_path / "mapping.yaml").write_text(
        f"{HEAD}table: {{file: t.csv, decimal: comma}}\nsubject: {{header: ID}}\nrules:\n{rules}", encoding="utf-8"
    )
    assert read_sdtm(tmp_path).domains["LB"]["LBSTRESN"].to_list() == [1.5]


# per cent


@pytest.mark.slow
@pytest.mark.shows("RULE-7.15", "FMT-xlsx")
def test_a_percent_cell_is_what_it_shows(tmp_path: Path) -> None:
    """P2: 0.6 shown as 60 % is marrow of 60 % blasts and no remission; P1: 2 is 2 %."""
    folder = case_path("data/xlsx-percent-cell")
    blasts = read_sdtm(folder).domains["LB"].filter(LBTESTCD="BLAST")
    assert blasts.filter(USUBJID="P2")["LBSTRESN"].to_list() == [60.0, 60.0]
    assert blasts.filter(USUBJID="P1")["LBSTRESN"].to_list() == [60.0, 2.0]
    calls = derived("data/xlsx-percent-cell").adam.adresp.filter(READER="LAB").select("USUBJID", "AVALC").rows()
    assert ("P1", "CR") in calls
    assert ("P2", "CR") not in calls
    found = read_sdtm(folder).findings.filter(RULE="percent-cell")
    assert found.select("SEVERITY", "VARIABLE").rows() == [("warning", "G")]


@pytest.mark.parametrize(
    ("stored", "form", "number"),
    [
        (0.6, "0%", 60.0),
        (0.07, "0.00%", 7.0),
        (0.00015, "0%", 0.015),
        (1, "0%", 100.0),
        (0.6, "0.0%;[Red]-0.0%", 60.0),
        (0.005, "0%", 0.5),
        (60, '0"%"', 60.0),
        (60, r"0\%", 60.0),
        (60, "General", 60.0),
        ("60 %", None, 60.0),
        ("60%", "0%", 60.0),
    ],
)
@pytest.mark.shows("RULE-7.15")
def test_percent_formats(stored: object, form: str | None, number: float, tmp_path: Path) -> None:
    """A quoted or escaped sign is a letter beside the number; the display is rounded, the stored number is not."""
    found = one_number(tmp_path, stored, test="BLAST", rule=", unit: '%', specimen: BONE MARROW", form=form)
    assert (found["LBSTRESN"], found["LBSTRESU"]) == (number, "%")


@pytest.mark.parametrize(("unit", "lod"), [("", 1e-4), (", unit: fraction", 1e-4), (", unit: '%'", 0.01)])
def test_a_percent_cell_of_residual_disease_is_a_share(unit: str, lod: float, tmp_path: Path) -> None:
    """0.05 % is 5e-4, and the limit of detection, said in the unit of the rule, is 1e-4 in each."""
    found = one_number(tmp_path, 0.0005, test="MRD", form="0.00%", rule=f", specimen: BONE MARROW, lod: {lod}{unit}")
    assert found["LBSTRESN"] == pytest.approx(5e-4, rel=1e-12)
    assert found["LBLOD"] == pytest.approx(1e-4, rel=1e-12)


@pytest.mark.parametrize("text", ["<0.01%", "<0.01 %", "< 0,01 %", "≤0.01%"])
@pytest.mark.parametrize("unit", ["", ", unit: '%'", ", unit: fraction"])
def test_a_limit_in_per_cent_needs_no_map(text: str, unit: str, tmp_path: Path) -> None:
    """<0.01 % is below 1e-4 whatever the unit of the rule; it is no measurement."""
    more = "decimal: comma\n" if "," in text else ""
    found = one_number(tmp_path, text, test="MRD", more=more, rule=f", specimen: BONE MARROW{unit}")
    assert found["LBLLOQ"] == pytest.approx(1e-4, rel=1e-12)
    assert found["LBSTRESN"] is None
    assert found["LBORRES"] == text


def test_a_percent_cell_of_a_count_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cell B2, B \(Value\): the cell says 60 % and the rule 'x' the unit 10\^9/L"):
        one_number(tmp_path, 0.6, test="NEUT", form="0%", rule=", unit: 10^9/L")


def test_braces_in_the_words_of_a_rule_are_words(tmp_path: Path) -> None:
    """Expected: `by hand`, found by fuzzing: what a person writes is no pattern."""
    with pytest.raises(InputError, match=r"the cell says 60 % and the rule 'x' the unit \{0\} \{\}"):
        one_number(tmp_path, 0.6, test="NEUT", form="0%", rule=", unit: '{0} {}'")


# dates


@pytest.mark.parametrize(
    ("text", "form", "iso"),
    [
        ("27.09.2022", "%d.%m.%Y", "2022-09-27"),
        ("3.4.2022", "%d.%m.%Y", "2022-04-03"),
        ("03.2022", "%d.%m.%Y", "2022-03"),
        ("3.2022", "%d.%m.%Y", "2022-03"),
        ("2022", "%d.%m.%Y", "2022"),
        ("??.03.2022", "%d.%m.%Y", "2022-03"),
        ("00.03.2022", "%d.%m.%Y", "2022-03"),
        ("XX.XX.2022", "%d.%m.%Y", "2022"),
        ("UNK.UNK.2022", "%d.%m.%Y", "2022"),
        ("03/2022", "%m/%d/%Y", "2022-03"),
        ("03/??/2022", "%m/%d/%Y", "2022-03"),
        ("Mar 2022", "%d %b %Y", "2022-03"),
        ("UN-Mar-2022", "%d-%b-%Y", "2022-03"),
        ("Mar-2022", "%d-%b-%Y", "2022-03"),
        ("2022/03", "%Y/%m/%d", "2022-03"),
        ("03.22", "%d.%m.%y", "2022-03"),
        (dt.datetime(2022, 3, 4), "%d.%m.%Y", "2022-03-04"),
        ("2022-03", None, "2022-03"),
    ],
)
def test_dates_in_a_local_form(text: object, form: str | None, iso: str, tmp_path: Path) -> None:
    said = f', date-format: "{form}"' if form else ""
    rules = f"  - {{id: d, domain: PR, set: {{PRTRT: LEUKAPHERESIS}}, date: When{said}}}\n"
    assert mapped(tmp_path, rules, [["ID", "When"], ["a", text]]).domains["PR"]["PRSTDTC"].to_list() == [iso]


@pytest.mark.parametrize(
    "text", ["13.2022", "32.01.2022", "31.02.2022", "03.22", "27.09.22", "9.2022.27", "09/27/2022", "44652", "2022.03", "03.0022"]
)
def test_what_is_no_date_of_the_form_is_refused(text: str, tmp_path: Path) -> None:
    rules = '  - {id: d, domain: PR, set: {PRTRT: LEUKAPHERESIS}, date: When, date-format: "%d.%m.%Y"}\n'
    with pytest.raises(InputError, match=r"cell B2, B \(When\): '.*' is no date. Write dates as 27.09.2022"):
        mapped(tmp_path, rules, [["ID", "When"], ["a", text]])


def test_days_of_1904(tmp_path: Path) -> None:
    """A workbook of an old Macintosh counts from 1904; the day shown is the day read."""
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    def old(book: Any) -> None:
        book.epoch = CALENDAR_MAC_1904

    rules = "  - {id: d, domain: PR, set: {PRTRT: LEUKAPHERESIS}, date: When}\n"
    rows = [["ID", "When"], ["a", dt.datetime(2022, 3, 4)]]
    assert mapped(tmp_path, rules, rows, touch=old).domains["PR"]["PRSTDTC"].to_list() == ["2022-03-04"]


# several tables, several rows

PATIENTS = [["ID", "Age", "Infused"], ["a", 40, dt.datetime(2022, 1, 1)], ["b", 50, dt.datetime(2022, 2, 1)]]
VISITS = [
    ["Patient", "Date", "Blasts", "ANC"],
    ["a", dt.datetime(2022, 1, 29), 2, 1.5],
    ["b", dt.datetime(2022, 3, 1), 30, 0.4],
    ["a", dt.datetime(2022, 4, 1), 1, 2],
]
TABLES = """tables:
  patients: {file: t.xlsx, sheet: Patients, subject: {header: ID}}
  visits: {file: t.xlsx, sheet: Visits, subject: Patient, long: true}
  labs: {file: labs.csv, subject: Patient, long: true, decimal: comma}
rules:
  - {id: age, domain: DM, column: Age, into: AGE}
  - {id: inf, domain: EX, set: {EXTRT: CNCT19}, date: Infused}
  - {id: bm, table: visits, domain: LB, column: Blasts, test: BLAST, specimen: BONE MARROW, unit: "%", date: Date}
  - {id: anc, table: visits, domain: LB, column: {header: ANC}, test: NEUT, specimen: BLOOD, unit: 10^9/L, date: Date}
  - {id: crp, table: labs, domain: LB, column: {header: CRP}, test: CRP, unit: mg/L, date: taken, date-format: "%d.%m.%Y"}
"""


def tables(folder: Path, text: str = TABLES, visits: list[list[Any]] | None = None) -> Source:
    workbook(folder / "t.xlsx", {"Patients": PATIENTS, "Visits": VISITS if visits is None else visits, "Legend": [["1", "yes"]]})
    (folder / "labs.csv").write_text("Patient;taken;CRP\nb;02.02.2022;3,5\nb;03.2022;10\n")
    (folder / "mapping.yaml").write_text(HEAD + text, encoding="utf-8")
    return read_sdtm(folder)


def test_several_sheets_and_files_in_one_mapping(tmp_path: Path) -> None:
    source = tables(tmp_path)
    assert source.domains["DM"].select("USUBJID", "AGE").rows() == [("a", 40.0), ("b", 50.0)]
    assert source.domains["EX"].select("USUBJID", "EXSTDTC").rows() == [("a", "2022-01-01"), ("b", "2022-02-01")]
    lb = source.domains["LB"].sort("USUBJID", "LBTESTCD", "LBDTC").select("USUBJID", "LBTESTCD", "LBSTRESN", "LBDTC").rows()
    assert lb == [
        ("a", "BLAST", 2.0, "2022-01-29"),
        ("a", "BLAST", 1.0, "2022-04-01"),
        ("a", "NEUT", 1.5, "2022-01-29"),
        ("a", "NEUT", 2.0, "2022-04-01"),
        ("b", "BLAST", 30.0, "2022-03-01"),
        ("b", "CRP", 3.5, "2022-02-02"),
        ("b", "CRP", 10.0, "2022-03"),
        ("b", "NEUT", 0.4, "2022-03-01"),
    ]
    assert source.domains["LB"].select(pl.struct("USUBJID", "LBSEQ").is_unique().all()).item()
    assert source.domains["LB"]["ROW"].n_unique() == 5
    [message] = source.findings.filter(RULE="sheet-other")["MESSAGE"].to_list()
    assert message == "1 other sheet of the file is not read by the mapping: 'Legend'."


def test_a_finding_names_the_table_and_the_row_of_it(tmp_path: Path) -> None:
    """A count in a unit that is none, in the fourth row of the second table."""
    visits = [*VISITS[:3], ["a", dt.datetime(2022, 4, 1), 101, 2]]
    found = check_sdtm(Study.load("inaticel"), tables(tmp_path, visits=visits)).filter(RULE="value-impossible")
    assert found.select("FILE", "ROW", "USUBJID").rows() == [("t.xlsx [Visits]", 4, "a")]


@pytest.mark.slow
def test_a_subject_of_a_long_table_that_is_no_patient_is_found(tmp_path: Path) -> None:
    found = check_sdtm(Study.load("inaticel"), tables(tmp_path, visits=[*VISITS, ["c", dt.datetime(2022, 4, 1), 1, 2]]))
    assert found.filter(RULE="subject-orphan").select("FILE", "ROW", "SEVERITY").rows() == [("t.xlsx [Visits]", 5, "stop")]


LONG = [
    ["ID", "Sex", "Infused", "Date", "Call"],
    ["a", "M", "2022-01-01", "2022-01-29", "CR"],
    ["a", None, "2022-01-01", "2022-04-01", "CR"],
    ["a", "M", None, "2022-04-01", "CR"],
    ["b", "F", "2022-02-01", "2022-03-01", "NR"],
]
LONG_RULES = """table: {file: t.xlsx, long: true}
subject: {header: ID}
rules:
  - {id: sex, domain: DM, column: Sex, into: SEX}
  - {id: inf, domain: EX, set: {EXTRT: CNCT19}, date: Infused}
  - {id: call, domain: RS, column: Call, test: OVRLRESP, set: {RSEVAL: INDEPENDENT ASSESSOR}, date: Date}
"""


def long(folder: Path, rows: list[list[Any]]) -> Source:
    workbook(folder / "t.xlsx", {"data": rows})
    (folder / "mapping.yaml").write_text(HEAD + LONG_RULES, encoding="utf-8")
    return read_sdtm(folder)


@pytest.mark.slow
def test_one_long_table(tmp_path: Path) -> None:
    """A patient is infused once, though the date stands in each of his rows; a call that stands twice is one call."""
    source = long(tmp_path, LONG)
    assert source.domains["DM"].select("USUBJID", "SEX").rows() == [("a", "M"), ("b", "F")]
    assert source.domains["EX"].select("USUBJID", "EXSTDTC", "ROW").rows() == [("a", "2022-01-01", 2), ("b", "2022-02-01", 5)]
    assert source.domains["RS"].select("USUBJID", "RSSTRESC", "RSDTC").rows() == [
        ("a", "CR", "2022-01-29"),
        ("a", "CR", "2022-04-01"),
        ("b", "NR", "2022-03-01"),
    ]
    assert source.findings.filter(RULE="repeated-record").height == 1
    adam = derive_data(load_data("inaticel", tmp_path)).adam
    assert value(adam, "ORR3", subject="a")["AVALC"] == "Y"


def test_two_values_of_a_patient_are_refused(tmp_path: Path) -> None:
    rows = [*LONG, ["a", "F", "2022-01-01", "2022-06-30", "CR"]]
    with pytest.raises(InputError, match=r"^t.xlsx, row 6: the rows of subject a say different things of SEX; this one says F"):
        long(tmp_path, rows)


def test_two_rows_of_a_patient_need_the_word(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"subject a stands in rows 2, 3. One row for each subject; a table with several says `long: true`"
    ):
        mapped(tmp_path, "", [["ID"], ["a"], ["a"]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TABLES.replace("table: visits,", "table: visit,", 1), "rules.2.table: there is no table 'visit'. The nearest is 'visits'"),
        ("table: {file: t.xlsx}\n" + TABLES, "a mapping has one table, or several tables by name"),
        (TABLES.replace(", subject: Patient", "", 1), "tables.visits: the column of the subject key is not given"),
    ],
)
def test_a_wrong_word_for_a_table_is_one_message(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        tables(tmp_path, text)
    assert words in str(refused.value)


# cells that are no values


def test_a_blank_looking_cell_in_the_last_row(tmp_path: Path) -> None:
    def touch(book: Any) -> None:
        book["data"].cell(1_048_576, 3).value = " "
        book["data"].cell(1_048_576, 4).number_format = "0%"

    started = time.process_time()
    source = mapped(
        tmp_path,
        "  - {id: x, domain: LB, column: CRP, test: CRP, day: 28}\n".replace("column: CRP", "column: {header: CRP}"),
        [["ID", "CRP"], ["a", 5]],
        touch=touch,
    )
    assert time.process_time() - started < 5
    assert source.domains["LB"]["LBSTRESN"].to_list() == [5.0]
    [message] = source.findings.filter(RULE="rows-below")["MESSAGE"].to_list()
    assert message.startswith("Rows 3 to 1048576 below the last subject")


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?"])
def test_an_error_that_is_read_is_refused(error: str, tmp_path: Path) -> None:
    rows = [["ID", "Site", "Other"], ["a", error, error]]
    with pytest.raises(InputError, match=r"^t.xlsx, row 2, cell B2, B \(Site\): the cell shows the error #"):
        mapped(tmp_path, "  - {id: x, domain: DM, column: Site, into: SITEID}\n", rows)
    assert mapped(tmp_path, "", rows).domains["DM"].height == 1
    listed = f'  - {{id: x, domain: DM, column: Site, into: SITEID, missing: ["{error}"]}}\n'
    assert mapped(tmp_path, listed, rows).domains["DM"]["SITEID"].to_list() == [None]


@pytest.mark.shows("FMT-xlsx")
def test_a_formula_is_its_stored_value_or_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cell B2, .*holds a formula whose value is not stored"):
        mapped(tmp_path, "  - {id: x, domain: LB, column: {header: CRP}, test: CRP, day: 28}\n", [["ID", "CRP"], ["a", "=1+1"]])


def test_numbers_as_text_and_booleans(tmp_path: Path) -> None:
    rules = """  - {id: x, domain: LB, column: {header: CRP}, test: CRP, day: 28}
  - {id: y, domain: DM, column: Died, into: DTHFL, map: {TRUE: Y, FALSE: N}}
"""
    source = mapped(tmp_path, rules, [["ID", "CRP", "Died"], ["a", "5.5", True], ["b", 6, False]])
    assert source.domains["LB"]["LBSTRESN"].to_list() == [5.5, 6.0]
    assert source.domains["DM"]["DTHFL"].to_list() == ["Y", "N"]


def test_merged_cells_are_read_in_each_row_and_named(tmp_path: Path) -> None:
    """B2:B3 merged: both patients have the value that both rows show; C2:D2 merged: the second column has none."""

    def touch(book: Any) -> None:
        book["data"].merge_cells("B2:B3")
        book["data"].merge_cells("C2:D2")

    rules = "  - {id: x, domain: LB, columns: [B, C, D], test: CRP, day: 28}\n"
    source = mapped(tmp_path, rules, [["ID", "one", "two", "three"], ["a", 5, 6, 7], ["b", 9, 8, 8]], touch=touch)
    assert source.domains["LB"].select("USUBJID", "LBSTRESN", "SRCCOL").rows() == [
        ("a", 5.0, "B"),
        ("a", 6.0, "C"),
        ("b", 5.0, "B"),
        ("b", 8.0, "C"),
        ("b", 8.0, "D"),
    ]
    assert source.findings.filter(RULE="merged-cell").select("SEVERITY", "ROW", "VARIABLE").rows() == [
        ("warning", 2, "B"),
        ("warning", 2, "C–D"),
    ]


# doors


@pytest.mark.parametrize("name", ["../secret.csv", "{outside}/secret.csv", "link.csv", "down/../../secret.csv", "linked/secret.csv"])
def test_a_mapping_reads_nothing_outside_its_folder(name: str, tmp_path: Path) -> None:
    folder, outside = tmp_path / "data", tmp_path
    (folder / "down").mkdir(parents=True)
    (outside / "secret.csv").write_text("ID\na\n")
    (folder / "link.csv").symlink_to(outside / "secret.csv")
    (folder / "linked").symlink_to(outside)
    name = name.format(outside=outside)
    (folder / "mapping.yaml").write_text(f"{HEAD}table: {{file: {name}}}\nsubject: {{header: ID}}\nrules:\n{INFUSION}")
    with pytest.raises(InputError, match=r"^mapping.yaml, row 4, table.file: the file .* stands outside the data folder"):
        read_mapped(folder, folder)


def test_a_file_below_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "down").mkdir()
    (tmp_path / "down" / "t.csv").write_text("ID\na\n")
    (tmp_path / "mapping.yaml").write_text(f"{HEAD}table: {{file: down/t.csv}}\nsubject: {{header: ID}}\nrules:\n{INFUSION}")
    assert read_sdtm(tmp_path).domains["DM"]["USUBJID"].to_list() == ["a"]


def packed(folder: Path, sheet: bytes, strings: bytes | None = None) -> None:
    """Put a sheet of our own bytes into a workbook."""
    plain = io.BytesIO()
    openpyxl.Workbook().save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(folder / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = sheet if name == "xl/worksheets/sheet1.xml" else old.read(name)
            new.writestr(name, strings if strings is not None and name == "xl/sharedStrings.xml" else content)


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData>%s</worksheet>'
CELL = b'<c r="A1" t="inlineStr"><is><t>ID</t></is></c>'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (lambda: SHEET % (b'<row r="1">' + b'<c r="A1" s="0"/>' * 2_100_000 + b"</row>", b""), "more than 2000000 cells"),
        (
            lambda: SHEET % (b"", b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
            "more than 2000000 cells, or areas that are merged",
        ),
        (lambda: SHEET % (b"", b"<hyperlinks><hyperlink display='x' ref='A1:XFD1048576'/></hyperlinks>"), "merged or linked"),
        (lambda: SHEET % (b"<!--" + b" " * 300_000_000 + b"-->", b""), "unpacks to more than 256 MB"),
    ],
    ids=["cells", "merged", "linked", "bytes"],
)
def test_a_workbook_that_would_fill_the_memory_is_refused(sheet: Callable[[], bytes], words: str, tmp_path: Path) -> None:
    # made here: as parameters they would stay in each process, 350 MB of them
    packed(tmp_path, sheet())
    assert (tmp_path / "t.xlsx").stat().st_size < 1_000_000
    (tmp_path / "mapping.yaml").write_text(f"{HEAD}table: {{file: t.xlsx}}\nsubject: {{header: ID}}\nrules:\n{INFUSION}")
    started = time.process_time()
    with pytest.raises(InputError, match=words):
        read_sdtm(tmp_path)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"no workbook", b"PK\x03\x04" + bytes(200)],
    ids=["empty", "two bytes", "text", "cut off"],
)
def test_what_is_no_workbook_is_one_message(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_bytes(content)
    (tmp_path / "mapping.yaml").write_text(f"{HEAD}table: {{file: t.xlsx}}\nsubject: {{header: ID}}\nrules:\n{INFUSION}")
    with pytest.raises(InputError, match=r"^t.xlsx: this is not a workbook that can be read"):
        read_sdtm(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("ID,a\na,1\n".encode("utf-16"), "the text is UTF-16"),
        (b"ID,a\na,\x001\n", "row 2: the file holds bytes that are no text"),
        (b"ID,a\n\xe9,a\n", r"row 2, cell A2, A \(ID\): the byte 0xe9 is not UTF-8 text"),
        (b"", "there is no row below header row 1"),
        (b"ID,a\n", "there is no row below header row 1"),
        (b'ID,a\na,"' + b"x" * 200_000 + b'"\n', "row 2, B2: the cell holds 200000 characters. Shorten it."),
    ],
)
def test_a_text_file_that_cannot_be_read_is_one_message(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    (tmp_path / "mapping.yaml").write_text(f"{HEAD}table: {{file: t.csv}}\nsubject: {{header: ID}}\nrules:\n{INFUSION}")
    with pytest.raises(InputError, match=words):
        read_sdtm(tmp_path)


def test_other_files_beside_a_mapping_are_named(tmp_path: Path) -> None:
    (tmp_path / "rs.csv").write_text("STUDYID\n")
    source = mapped(tmp_path, "", [["ID"], ["a"]])
    assert source.findings.filter(RULE="file-ignored").select("FILE", "SEVERITY").rows() == [("rs.csv", "warning")]


# the mapping beside a study file


@pytest.mark.slow
@pytest.mark.parametrize("name", ["template-all-responders", "records-emd-missing"])
def test_a_mapping_beside_the_study_file_is_read(name: str) -> None:
    """By hand: a study is named by its folder or by its file, and its mapping stands beside the file either way."""
    place = case_path(f"sheets/{name}")
    by_file = load_data(place / "study.yaml", place / "data", require=False)
    by_folder = load_data(place, place / "data", require=False)
    assert by_file.source.level == by_folder.source.level
    assert by_file.source.domains["RS" if name.startswith("template") else "LB"].height > 0
    assert {k: v.rows() for k, v in by_file.source.domains.items()} == {k: v.rows() for k, v in by_folder.source.domains.items()}
    assert by_file.findings.rows() == by_folder.findings.rows()


def test_a_mapping_in_the_data_folder_wins(tmp_path: Path) -> None:
    """By hand: the mapping beside the data says another level than that beside the study file."""
    place = Path(shutil.copytree(case_path("sheets/template-all-responders"), tmp_path / "study"))
    text = (place / "mapping.yaml").read_text(encoding="utf-8")
    (place / "data" / "mapping.yaml").write_text(text.replace("level: events", "level: records"), encoding="utf-8")
    assert load_data(place / "study.yaml", place / "data", require=False).source.level == "records"


@pytest.mark.parametrize("text", ["", "table: {file: events.csv}\n", "tables: [a]\n", "table: {file: 3}\n", "a: [\n"])
def test_a_mapping_of_other_data_beside_the_study_file_is_left_alone(text: str, tmp_path: Path) -> None:
    """By hand: a folder of tables by domain, without the table that the mapping names."""
    (tmp_path / "study.yaml").write_text(STUDY_YAML, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(text, encoding="utf-8")
    data = load_data(tmp_path / "study.yaml", write_tables(small_tables(), tmp_path / "data"))
    assert data.source.domains["DM"].height == len(small_tables()["DM"])


def test_a_misspelt_table_of_the_mapping_beside_the_study_file_is_named(tmp_path: Path) -> None:
    """By hand: only a spreadsheet is there, so the mapping is meant for it, and what it names is missing."""
    place = Path(shutil.copytree(case_path("sheets/records-emd-missing"), tmp_path / "study"))
    (place / "data" / "visits.xlsx").rename(place / "data" / "visit.xlsx")
    with pytest.raises(InputError, match=r"visits\.xlsx"):
        load_data(place / "study.yaml", place / "data")


def test_a_fault_of_the_mapping_beside_the_study_file_is_named(tmp_path: Path) -> None:
    """By hand: the key of the file is misspelt, and the file stands in the data folder."""
    place = Path(shutil.copytree(case_path("sheets/template-all-responders"), tmp_path / "study"))
    text = (place / "mapping.yaml").read_text(encoding="utf-8")
    (place / "mapping.yaml").write_text(text.replace("{file: events.csv", "{fil: events.csv"), encoding="utf-8")
    with pytest.raises(InputError, match="fil"):
        load_data(place / "study.yaml", place / "data")
