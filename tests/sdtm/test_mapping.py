"""A spreadsheet through a mapping file: what is read, what is refused, what is said. Expected values are written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.sdtm.mapping import read_mapped, read_mapping
from helpers import ROOT

openpyxl = pytest.importorskip("openpyxl", reason="spreadsheets need openpyxl (extra: formats)")

HEAD = """schema: 1
study-id: S1
source: invented for a test
table: {file: t.xlsx, header: [1, 2]}
subject: A
missing: ["-", N/A]
rules:
"""
INFUSION = "  - {id: infusion, domain: EX, set: {EXTRT: CELLS}, day: 0}\n"
SHEET: list[list[Any]] = [
    ["Who", None, None, "Day 7", None, "Day 14", None],
    ["ID", "CRS", "Grade", "Date", "CRP", "Date", "CRP"],
    ["a", 1, 2, 6.5, "3.5", 14, "<0.2"],
    ["b", 0, 0, 7, "-", None, 9],
    ["c", 1, None, None, 4, 13, "Hemolyzed"],
]


def write(folder: Path, rules: str, rows: list[list[Any]] | None = None, *, head: str = HEAD, sheets: tuple[str, ...] = ("data",)) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = sheets[0]
    for name in sheets[1:]:
        book.create_sheet(name)
    for row in SHEET if rows is None else rows:
        sheet.append(row)
    book.save(folder / "t.xlsx")
    path = folder / "mapping.yaml"
    path.write_text(head + rules, encoding="utf-8")
    return path


def refused(folder: Path, rules: str, rows: list[list[Any]] | None = None, **more: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_mapped(write(folder, rules, rows, **more), folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


CRP = """  - id: CRP
    domain: LB
    test: CRP
    specimen: BLOOD
    unit: mg/L
    not-done: [Hemolyzed]
    each: [{column: E, day: D, visit: DAY 7}, {column: G, day: F, visit: DAY 14}]
"""


@pytest.mark.shows("FMT-mapping")
def test_values_days_and_trace(tmp_path: Path) -> None:
    source = read_mapped(write(tmp_path, INFUSION + CRP), tmp_path)
    found = source.domains["LB"].select(
        "USUBJID", "LBSEQ", "LBORRES", "LBSTRESN", "LBSTRESU", "LBLLOQ", "LBSTAT", "LBREASND", "LBDY", "ROW", "SRCCOL"
    )
    assert found.rows() == [
        ("a", 1, "3.5", 3.5, "mg/L", None, None, None, 6.5, 3, "E;D"),
        ("a", 2, "<0.2", None, "mg/L", 0.2, None, None, 14.0, 3, "G;F"),
        ("b", 1, "9", 9.0, "mg/L", None, None, None, None, 4, "G;F"),
        ("c", 1, None, None, "mg/L", None, "NOT DONE", "HEMOLYZED", 13.0, 5, "G;F"),
        ("c", 2, "4", 4.0, "mg/L", None, None, None, None, 5, "E;D"),
    ]
    assert source.domains["EX"].select("USUBJID", "EXTRT", "EXSTDY").rows() == [
        ("a", "CELLS", 0.0),
        ("b", "CELLS", 0.0),
        ("c", "CELLS", 0.0),
    ]
    rules = source.findings["RULE"].to_list()
    assert rules.count("day-missing") == 2 and rules.count("missing-code") == 1 and rules.count("not-done") == 1
    assert "value-missing" not in rules
    assert {file.domain for file in source.files} == {"DM", "EX", "LB", ""} and all(len(file.sha256) == 64 for file in source.files)


def test_no_value_is_ever_an_empty_text(tmp_path: Path) -> None:
    source = read_mapped(write(tmp_path, INFUSION + CRP), tmp_path)
    for frame in source.domains.values():
        for column in frame.select(pl.col(pl.String)):
            assert (column == "").sum() == 0


def test_event_with_its_grade_from_another_column(tmp_path: Path) -> None:
    rules = (
        "  - {id: CRS, domain: AE, column: B, only: [1], set: {AEDECOD: Cytokine release syndrome}, "
        "also: {AETOXGR: {column: C, type: number}}, day: D}\n"
    )
    source = read_mapped(write(tmp_path, rules), tmp_path)
    assert source.domains["AE"].select("USUBJID", "AEDECOD", "AETOXGR", "AESTDY", "SRCCOL").rows() == [
        ("a", "Cytokine release syndrome", "2", 6.5, "B;C;D"),
        ("c", "Cytokine release syndrome", None, None, "B;C;D"),
    ]


def test_conditions_limits_and_what_an_entry_says_for_itself(tmp_path: Path) -> None:
    rules = """  - id: CRP
    domain: LB
    test: CRP
    lloq: 0.1
    lod: 0.05
    when: {column: B, is: 1}
    missing: [Hemolyzed]
    category: CHEMISTRY
    each: [{column: E, day: D, set: {LBNAM: LOCAL}}, {column: G, day: F, set: {LBNAM: CENTRAL}, unit: mg/L, method: NEPHELOMETRY}]
"""
    found = read_mapped(write(tmp_path, rules), tmp_path).domains["LB"]
    assert found.select("USUBJID", "LBORRES", "LBLLOQ", "LBLOD", "LBNAM", "LBORRESU", "LBMETHOD", "LBCAT", "SRCCOL").rows() == [
        ("a", "3.5", 0.1, 0.05, "LOCAL", None, None, "CHEMISTRY", "E;B;D"),
        ("a", "<0.2", 0.2, 0.05, "CENTRAL", "mg/L", "NEPHELOMETRY", "CHEMISTRY", "G;B;F"),
        ("c", "4", 0.1, 0.05, "LOCAL", None, None, "CHEMISTRY", "E;B;D"),
    ]


def test_repeated_headers_need_path_or_occurrence(tmp_path: Path) -> None:
    rule = "  - {{id: CRP, domain: LB, test: CRP, unit: mg/L, missing: [Hemolyzed], column: {}, day: 1}}\n"
    message = refused(tmp_path, rule.format("{header: CRP}"))
    assert "2 columns have the header 'CRP' (E, G)" in message and "mapping.yaml, row 8" in message
    for column, first in (
        ("{header: CRP, occurrence: 2}", "<0.2"),
        ("{header: [Day 14, CRP]}", "<0.2"),
        ("{header: [Day 7, CRP]}", "3.5"),
        ("E", "3.5"),
    ):
        source = read_mapped(write(tmp_path, rule.format(column)), tmp_path)
        assert source.domains["LB"]["LBORRES"][0] == first
    assert "no occurrence 3" in refused(tmp_path, rule.format("{header: CRP, occurrence: 3}"))


def test_block_with_tests_and_days_from_headers(tmp_path: Path) -> None:
    rows = [["", "Day 3", None, "Day -1 ", None], ["ID", "IL-6", "x", "IL-6", "x"], ["a", 5, 1, "6", 2]]
    rules = "  - {id: block, domain: LB, columns: {from: B, to: E}, test: {header: 2, map: {IL-6: IL6, x: null}}, day: {header: 1}}\n"
    source = read_mapped(write(tmp_path, rules, rows), tmp_path)
    assert source.domains["LB"].select("LBTESTCD", "LBSTRESN", "LBDY", "SRCCOL").rows() == [("IL6", 6.0, -1.0, "D"), ("IL6", 5.0, 3.0, "B")]
    assert "header 'x', which test.map does not name" in refused(tmp_path, rules.replace(", x: null", ""), rows)


def test_repeated_block_is_read_once_and_contradictions_are_listed(tmp_path: Path) -> None:
    rows = [
        ["", "a", "b", "c", "d"],
        ["ID", "IL6", "day", "IL6", "day"],
        ["a", 5, 3, 5, 3],
        ["b", 5, 3, 6, 3],
        ["c", 5, 3, 7, 4],
        ["d", None, None, "1.50", 4],
    ]
    first = "  - {id: first, domain: LB, column: B, test: IL6, day: C}\n"
    rules = first + "  - {id: again, domain: LB, column: D, test: IL6, day: E, repeats: first}\n"
    source = read_mapped(write(tmp_path, rules, rows), tmp_path)
    assert source.domains["LB"].select("USUBJID", "LBSTRESN", "LBDY").rows() == [
        ("a", 5.0, 3.0),
        ("b", 5.0, 3.0),
        ("c", 5.0, 3.0),
        ("c", 7.0, 4.0),
        ("d", 1.5, 4.0),
    ]
    wrong = source.findings.filter(pl.col("RULE") == "repeat-contradicts")
    assert wrong.select("ROW", "USUBJID", "VARIABLE").rows() == [(4, "b", "D")] and "D4 says 6, cell B4 says 5" in wrong["MESSAGE"][0]
    assert "1 repeat" in source.findings.filter(pl.col("RULE") == "repeated-block")["MESSAGE"][0]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("  - {id: x, domain: LB, colum: E, test: CRP}\n", "unknown key 'colum'. The nearest known key is 'column'"),
        ("  - {id: x, domain: LX, column: E, test: CRP}\n", "no domain is called 'LX'"),
        ("  - {id: x, domain: LB, column: ZZ, test: CRP}\n", "has no column ZZ. Its columns are A to G"),
        ("  - {id: x, domain: LB, column: {header: Grad}, test: CRP}\n", "The nearest is 'Grade'"),
        ("  - {id: x, domain: LB, column: E}\n", "needs its test"),
        ("  - {id: x, domain: LB, column: E, test: creatinine}\n", "is no test code"),
        ("  - {id: x, domain: AE, column: B}\n", "say into which variable of AE"),
        ("  - {id: x, domain: AE, column: B, into: TOXGR}\n", "TOXGR is no variable of AE"),
        ("  - {id: x, domain: EX, set: {EXTRT: A, EXDOSE: much}}\n", "EXDOSE is a number, and 'much' is none"),
        ("  - {id: x, domain: LB, column: B, each: [{column: C}], test: CRP}\n", "one of column, columns, each"),
        ("  - {id: x, domain: LB, columns: {from: E, to: B}, test: CRP}\n", "column B stands before E"),
        (INFUSION + INFUSION, "two rules are called 'infusion'"),
        ("  - {id: x, domain: LB, column: E, test: CRP, repeats: y}\n", "which is no rule above it"),
        (
            "  - {id: x, domain: MH, column: B, into: MHOCCUR, map: {1: Y}}\n",
            "t.xlsx, row 4, cell B4, B (Who / CRS): '0' is not among the values that rule 'x' maps",
        ),
        (
            "  - {id: x, domain: AE, column: B, only: [1], also: {AETOXGR: {column: C, map: {1: a}}}}\n",
            "cell C3, C (Who / Grade): '2' is not among",
        ),
        ("  - {id: x, domain: LB, column: G, test: CRP}\n", "cell G5, G (Day 14 / CRP): 'Hemolyzed' is no number"),
        ("  - {id: x, domain: LB, column: E, test: CRP, day: G}\n", "cell G3, G (Day 14 / CRP): '<0.2' is no study day"),
        ("  - {id: x, domain: LB, column: E, test: CRP, date: D}\n", "is no date. Write dates as YYYY-MM-DD"),
        ("  - {id: x, domain: LB, column: E, test: CRP, day: {header: 2}}\n", "states no day"),
        (INFUSION + "checks: [{check: flag, flag: B, meaning: m}]\n", "a flag check needs flag and value"),
        (INFUSION + "checks: [{check: range, columns: [C], meaning: m}]\n", "needs from, to, or both"),
        (INFUSION + "checks: [{check: range, rules: [infusoin], from: 0, meaning: m}]\n", "the nearest is 'infusion'"),
        (INFUSION + "checks: [{check: fill, meaning: m}]\n", "mapping.yaml, row 9, checks.0.check"),
    ],
)
@pytest.mark.shows("FMT-mapping")
def test_a_wrong_mapping_is_refused_in_one_line(tmp_path: Path, rules: str, words: str) -> None:
    assert words in refused(tmp_path, rules)


def test_an_unknown_key_names_its_line(tmp_path: Path) -> None:
    message = refused(tmp_path, INFUSION + "  - id: x\n    domain: LB\n    column: E\n    tests: CRP\n")
    assert message == "mapping.yaml, row 12, rules.1.tests: unknown key 'tests'. The nearest known key is 'test'."


def test_wrong_files_sheets_and_rows(tmp_path: Path) -> None:
    named = HEAD.replace("header: [1, 2]", "sheet: dta, header: [1, 2]")
    assert "t.xlsx has no sheet 'dta'. Its sheets are: data." in refused(tmp_path, INFUSION, head=named)
    assert "t.xlsx has 2 sheets. Name one with sheet: data, notes." in refused(tmp_path, INFUSION, sheets=("data", "notes"))
    assert "it is not in the data folder" in refused(tmp_path, INFUSION, head=HEAD.replace("t.xlsx", "u.xlsx"))
    assert "there is no row below header row 9" in refused(tmp_path, INFUSION, head=HEAD.replace("[1, 2]", "[1, 9]"))
    assert "not read through a mapping" in refused(tmp_path, INFUSION, head=HEAD.replace("t.xlsx", "mapping.yaml"))
    assert "stands in rows 3, 6" in refused(tmp_path, INFUSION, [*SHEET, ["a", 1]])
    assert "t.xlsx, row 6: the row has 1 value and no subject key in column A (Who / ID)" in refused(
        tmp_path, INFUSION, [*SHEET, [None, 7]]
    )
    assert "no row has a subject key" in refused(tmp_path, INFUSION, [*SHEET[:2], ["-", None]])
    (tmp_path / "t.xlsx").write_bytes(b"PK no workbook")
    with pytest.raises(InputError, match="not a workbook that can be read"):
        read_mapped(tmp_path / "mapping.yaml", tmp_path)


def test_a_summary_below_the_table_is_left_out_by_last_row(tmp_path: Path) -> None:
    head = HEAD.replace("header: [1, 2]", "header: [1, 2], last-row: 5")
    source = read_mapped(write(tmp_path, INFUSION, [*SHEET, [None, 2, "mean"]], head=head), tmp_path)
    assert source.domains["DM"].height == 3
    assert "Row 6 below the last subject is left out by the mapping." in source.findings["MESSAGE"].to_list()


def test_declared_checks(tmp_path: Path) -> None:
    from openpyxl.styles import Font, PatternFill

    checks = """checks:
  - {check: flag, flag: B, value: C, above: 0, meaning: CRS has a grade}
  - {check: range, columns: [D, F], from: 7, to: 14, whole-days: true, meaning: window}
  - {check: range, columns: [C], from: 0, meaning: grades}
  - {check: marked, by: fill, same-header: true, meaning: ceiling}
  - {check: marked, by: font, columns: [B], meaning: typed in colour}
"""
    path = write(tmp_path, INFUSION + checks)
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    sheet = book.active
    sheet["G4"].fill = PatternFill("solid", fgColor="FFFF0000")
    sheet["E5"].value = 9
    sheet["B3"].font = Font(color="FF0070C0")
    sheet["C3"].font = Font(color="FF0070C0")
    sheet["E2"].comment = openpyxl.comments.Comment("in mg/dL", "x")
    book.save(tmp_path / "t.xlsx")
    source = read_mapped(path, tmp_path)
    found = {rule: source.findings.filter(pl.col("RULE") == rule) for rule in source.findings["RULE"].unique().to_list()}
    assert found["outside-range"].select("ROW", "USUBJID", "VARIABLE").rows() == [(3, "a", "D")]
    assert "flag-contradicts" not in found, "a blank grade contradicts nothing"
    assert (
        found["marked-cell"]["VARIABLE"].to_list() == ["G", "B"]
        and "9 stands with a fill colour (FFFF0000) in 1 cell: G4" in found["marked-cell"]["MESSAGE"][0]
    )
    assert "9 under 'CRP' stands without the colour in 1 cell: E5" in found["unmarked-cell"]["MESSAGE"][0]
    assert "2 of 5 checks of the mapping found nothing: CRS has a grade; grades." in found["checks-passed"]["MESSAGE"].to_list()
    assert "“in mg/dL” on E2 ('CRP')" in found["header-comment"]["MESSAGE"][0]


def test_pile_up_names_both_ends(tmp_path: Path) -> None:
    values = [0.25] * 6 + [1 + i / 10 for i in range(60)] + [99] * 5 + [500]
    rows = [["", ""], ["ID", "IL-6"], *([f"s{i}", value] for i, value in enumerate(values))]
    rules = "  - {id: block, domain: LB, column: B, test: IL6, day: 1}\n"
    rules += "checks: [{check: pile-up, rules: [block], top-count: 4, meaning: limits}]\n"
    found = read_mapped(write(tmp_path, rules, rows), tmp_path).findings.filter(pl.col("RULE") == "pile-up")["MESSAGE"].to_list()
    assert len(found) == 2 and "0.25 (6 times): probably lower" in found[0]
    assert "99 (5 times): probably upper" in found[1] and "Higher values: 1, up to 500." in found[1]


def test_events_with_dates_from_csv(tmp_path: Path) -> None:
    """The event level: best response with its date, relapse, transplant, death, last contact."""
    (tmp_path / "events.csv").write_text(
        "id;age;infused;best;best_date;relapse;hsct;contact;alive\n"
        "1;34;03/01/2022;CR;31/01/2022;;10/03/2022;01/09/2022;yes\n"
        "2;41;17/01/2022;CRi;14/02/2022;20/05/2022;;02/07/2022;no\n",
        encoding="utf-8",
    )
    (tmp_path / "mapping.yaml").write_text(
        """schema: 1
study-id: S2
level: events
source: invented for a test
table: {file: events.csv}
subject: id
rules:
  - {id: age, domain: DM, column: age, into: AGE}
  - {id: infusion, domain: EX, date: infused, date-format: "%d/%m/%Y", set: {EXTRT: CELLS}}
  - {id: best, domain: RS, column: best, test: OVRLRESP, date: best_date, date-format: "%d/%m/%Y", set: {RSEVAL: INVESTIGATOR}}
  - id: relapse
    domain: RS
    column: relapse
    type: date
    test: OVRLRESP
    date: relapse
    date-format: "%d/%m/%Y"
    into: RSORRES
    set: {RSSTRESC: RELAPSE, RSEVAL: INVESTIGATOR}
  - id: transplant
    domain: PR
    column: hsct
    type: date
    into: PRSTDTC
    date: hsct
    date-format: "%d/%m/%Y"
    set: {PRTRT: ALLOGENEIC STEM CELL TRANSPLANT}
  - {id: contact, domain: SS, column: alive, test: SURVSTAT, map: {yes: ALIVE, no: DEAD}, date: contact, date-format: "%d/%m/%Y"}
""",
        encoding="utf-8",
    )
    source = read_mapped(tmp_path, tmp_path)
    assert source.level == "events"
    assert source.domains["DM"].select("USUBJID", "AGE").rows() == [("1", 34.0), ("2", 41.0)]
    assert source.domains["EX"]["EXSTDTC"].to_list() == ["2022-01-03", "2022-01-17"]
    assert source.domains["RS"].select("USUBJID", "RSSTRESC", "RSDTC").rows() == [
        ("1", "CR", "2022-01-31"),
        ("2", "CRi", "2022-02-14"),
        ("2", "RELAPSE", "2022-05-20"),
    ]
    assert source.domains["PR"].select("USUBJID", "PRSTDTC").rows() == [("1", "2022-03-10")]
    assert source.domains["SS"].select("SSORRES", "SSSTRESC", "SSDTC").rows() == [
        ("yes", "ALIVE", "2022-09-01"),
        ("no", "DEAD", "2022-07-02"),
    ]
    assert "events-only" in source.findings["RULE"].to_list()


@pytest.mark.shows("FMT-xlsx")
def test_excel_dates_and_days(tmp_path: Path) -> None:
    import datetime as dt

    rows = [["", "", ""], ["ID", "CRP", "taken"], ["a", 5, dt.datetime(2022, 1, 31)], ["b", 6, "2022-02"]]
    source = read_mapped(write(tmp_path, "  - {id: x, domain: LB, column: B, test: CRP, date: C}\n", rows), tmp_path)
    assert source.domains["LB"]["LBDTC"].to_list() == ["2022-01-31", "2022-02"]


def test_a_formula_without_a_stored_value_is_no_blank(tmp_path: Path) -> None:
    rows = [["", "", ""], ["ID", "CRP", "double"], ["a", 5, "=B3*2"]]
    rule = "  - {{id: x, domain: LB, column: {}, test: CRP, day: 1}}\n"
    message = refused(tmp_path, rule.format("C"), rows)
    assert message.startswith("t.xlsx, row 3, cell C3, C (double): the cell holds a formula whose value is not stored in the file.")
    source = read_mapped(write(tmp_path, rule.format("B"), rows), tmp_path)
    assert source.domains["LB"]["LBSTRESN"].to_list() == [5.0]
    assert "Formulas without a stored value in columns that are not mapped: 1 (C)." in source.findings["MESSAGE"].to_list()


def test_csv_errors(tmp_path: Path) -> None:
    text = (
        "schema: 1\nstudy-id: S\nsource: test\ntable: {file: t.csv}\nsubject: id\nrules: [{id: x, domain: EX, set: {EXTRT: C}, day: 0}]\n"
    )
    (tmp_path / "mapping.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "t.csv").write_text("id,a\n1,2\n3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"t\.csv, row 3: this row has 1 values and the first one has 2"):
        read_mapped(tmp_path, tmp_path)
    (tmp_path / "t.csv").write_bytes(b"id,a\n1,\xff\n")
    assert read_mapped(tmp_path, tmp_path).findings.filter(RULE="byte-undecoded").height == 1, "no rule reads column a"
    (tmp_path / "t.csv").write_bytes(b"id,a\n\xff,1\n")
    with pytest.raises(InputError, match=r"^t.csv, row 2, cell A2, A \(id\): the byte 0xff is not UTF-8 text"):
        read_mapped(tmp_path, tmp_path)


def test_two_rules_for_one_variable_of_dm(tmp_path: Path) -> None:
    rules = "  - {id: x, domain: DM, column: B, into: SITEID}\n  - {id: y, domain: DM, column: C, into: SITEID}\n"
    assert "two rules give SITEID of DM" in refused(tmp_path, rules)


def test_two_tables_give_a_variable_of_dm_each_of_its_own_subjects(tmp_path: Path) -> None:
    """By hand: subject 1 of the first file is from A, subject 2 of the second from B; a subject of both is refused."""
    text = "schema: 1\nstudy-id: S\nsource: test\ntables: {a: {file: a.csv}, b: {file: b.csv}}\nsubject: id\nrules:\n"
    text += "  - {id: x, table: a, domain: DM, set: {ARM: A}}\n  - {id: y, table: b, domain: DM, set: {ARM: B}}\n"
    (tmp_path / "mapping.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "a.csv").write_text("id,n\n1,2\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("id,n\n2,2\n", encoding="utf-8")
    dm = read_mapped(tmp_path, tmp_path).domains["DM"]
    assert dm.select("USUBJID", "ARM").rows() == [("1", "A"), ("2", "B")]
    (tmp_path / "b.csv").write_text("id,n\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="two rules give ARM of DM"):
        read_mapped(tmp_path, tmp_path)


def test_examples_are_read() -> None:
    for name in ("car22", "brudno2016"):
        mapping = read_mapping(ROOT / "examples" / name)
        assert mapping.rules and mapping.source


def test_every_fault_of_a_mapping_is_said_at_once(tmp_path: Path) -> None:
    """By hand: values, names that fit nowhere, and keys, a line each in the order of the file."""
    rules = (
        INFUSION
        + "  - {id: CRP, domain: LX, column: E, test: CRP}\n"
        + "  - {id: more, domain: LB, colum: G, test: CRP}\n"
        + "  - {id: late, domain: LB, column: G, test: crp value}\n"
        + "  - {id: CRP, domain: LB, column: G, test: CRP, repeats: infusio}\n"
        + "checks: [{check: range, columns: [C], meaning: m}, {check: marked, rules: [mroe], meaning: m}]\n"
    )
    with pytest.raises(InputError) as caught:
        read_mapped(write(tmp_path, rules), tmp_path)
    assert [(fault.row, fault.key) for fault in caught.value.errors] == [
        (9, "rules.1.domain"),
        (10, "rules.2.colum"),
        (11, "rules.3.test"),
        (12, "rules.4.id"),
        (12, "rules.4.repeats"),
        (13, "checks.0"),
        (13, "checks.1.rules"),
    ], str(caught.value)
    assert all(fault.right for fault in caught.value.errors)


def test_every_rule_whose_column_or_cell_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    rules = INFUSION + "".join(
        f"  - {{id: {name}, domain: LB, column: {column}, test: CRP}}\n"
        for name, column in (("one", "{header: Grad}"), ("two", "ZZ"), ("three", "E"), ("four", "G"))
    )
    with pytest.raises(InputError) as caught:
        read_mapped(write(tmp_path, rules), tmp_path)
    assert [(fault.file, fault.row) for fault in caught.value.errors] == [("mapping.yaml", 9), ("mapping.yaml", 10), ("t.xlsx", 5)]


def test_words_of_a_result_stand_among_numbers(tmp_path: Path) -> None:
    """A column of the laboratory holds `neg` and BLQ beside limits with a comma: each says what it says; another word is refused."""
    rows = [
        ["Who", None, None, "Day 7", None],
        ["ID", "CRS", "Grade", "Date", "CRP"],
        ["a", 1, 2, 7, "<0,01%"],
        ["b", 0, 0, 7, "neg"],
        ["c", 1, 1, 7, "0,5"],
    ]
    rule = "  - {id: mrd, domain: LB, test: MRD, specimen: BONE MARROW, unit: fraction, column: E, day: D}\n"
    head = HEAD.replace("subject: A", "subject: A\ndecimal: comma")
    found = read_mapped(write(tmp_path, INFUSION + rule, rows, head=head), tmp_path).domains["LB"]
    assert found.select("USUBJID", "LBORRES", "LBSTRESC", "LBSTRESN").rows() == [
        ("a", "<0,01%", "<0.01", None),
        ("b", "neg", "neg", None),
        ("c", "0,5", "0.5", 0.5),
    ]
    assert "'perhaps' is no number" in refused(tmp_path, INFUSION + rule, [*rows, ["d", 1, 1, 7, "perhaps"]], head=head)
