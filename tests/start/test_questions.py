"""Where a sheet does not say what decides an endpoint, or contradicts itself, is there a question or one message, and nothing written?

Expected values: by hand, from the cells beside each case.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cartrial.errors import InputError
from cartrial.run import load_data
from cartrial.start import Answers, start
from helpers import run_cli
from start_sheets import book, day, rates, times

HEAD: list[Any] = ["ID", "Infusion date", "Best response", "Date of best response"]
FIRST: list[Any] = ["1", day("2022-05-03"), "CR", day("2022-06-04")]
SECOND: list[Any] = ["2", day("2022-05-03"), "NR", day("2022-06-04")]


def sheet(*more: list[Any]) -> list[list[Any]]:
    """Return two patients with further columns: the header and both cells of each."""
    return [[*row, *(column[i] for column in more)] for i, row in enumerate((HEAD, FIRST, SECOND))]


STOPS: dict[str, tuple[list[list[Any]], str]] = {
    "date cells that a program may have turned round": (
        [HEAD, ["1", day("2022-05-03"), "CR", day("2022-06-04")], ["2", "13/03/2022", "NR", day("2022-06-04")]],
        r"date cells and later ones text.*is cell B2 really 2022-05-03\? \(swapped-b\)",
    ),
    "days first and months first in one column": (
        [HEAD, ["1", "13/03/2022", "CR", "15/04/2022"], ["2", "03/14/2022", "NR", "15/04/2022"]],
        "'13/03/2022' has the day first and '03/14/2022' the month first",
    ),
    "MRD without a unit": (sheet(["MRD", 0.01, 0.005]), r"In which unit .*column E \(MRD\).*mrd-unit-e"),
    "MRD with per cent in some cells": (sheet(["MRD", "0.01%", "0.5"]), "some cells say per cent, and cell E3"),
    "an empty transplant beside a no": (
        [[*HEAD, "HSCT", "HSCT date"], [*FIRST, "no", None], [*SECOND, None, None], ["3", *FIRST[1:], "yes", day("2022-07-01")]],
        r"1 of 3 patients have an empty cell in column E \(HSCT\) \(2\), and others say no",
    ),
    "a transplant without its date": (sheet(["HSCT", "no", "yes"]), "1 patient had a transplant .* and no column says when"),
    "a transplant said no and dated": (
        [[*HEAD, "HSCT", "HSCT date"], [*FIRST, "no", day("2022-07-01")], [*SECOND, "no", None]],
        "patient 1 had no transplant .* has a date",
    ),
    "a patient twice": ([HEAD, FIRST, SECOND, SECOND], "patient 2 stands in rows 3, 4"),
    "one patient spelt in two ways": ([HEAD, ["P-1", *FIRST[1:]], ["P1", *SECOND[1:]]], "look like one patient"),
    "codes without a legend": (
        [HEAD, ["1", FIRST[1], 1, FIRST[3]], ["2", SECOND[1], 2, SECOND[3]]],
        "'1' in column C .* no response that is known",
    ),
    "a patient's rows without a number": (
        [
            ["Patient", "Infusion date", "Visit date", "Response"],
            ["1", day("2022-05-03"), day("2022-06-01"), "CR"],
            [None, None, day("2022-08-01"), "CR"],
            ["2", day("2022-05-03"), day("2022-06-01"), "NR"],
        ],
        "row 3: .* no patient's number in column A",
    ),
    "a last contact in the future": (sheet(["Last contact", day("2150-01-01"), day("2022-09-01")]), "2150"),
    "a last contact after the day of death": (
        [
            ["ID", "Best response", "Day of best response", "Death (days after infusion)", "Last contact (days after infusion)"],
            ["1", "CR", 28, 100, 200],
            ["2", "NR", 28, None, 150],
        ],
        "patient 1 died on day 100 and was last seen alive on day 200",
    ),
    "an autologous transplant after the infusion": (
        sheet(["Auto-SCT date", day("2022-08-01"), None]),
        r"column E \(Auto-SCT date\) there was an autologous transplant after the infusion \(1\).*autologous-e=WORD",
    ),
    "a kind of transplant in a column of its own": (
        sheet(["SCT date", day("2022-08-01"), day("2022-08-01")], ["SCT type", "auto", "haplo"]),
        r"column F \(SCT type\) and column E \(SCT date\) there was an autologous transplant after the infusion \(1\)",
    ),
    "a transplant without its kind": (
        sheet(["SCT date", day("2022-08-01"), day("2022-08-01")], ["SCT type", "auto", None]),
        "does not say of which kind the transplant of patient 2 was",
    ),
    "a grade that is two": (
        sheet(["CRS grade", "2-3", 1]),
        r"'2-3' in cell E2 of column E \(CRS grade\) is no grade from 0 to 5.*grade-e-2-3=WORD",
    ),
    "a response before the infusion": (
        [HEAD, ["1", day("2022-05-03"), "CR", day("2021-06-04")], SECOND],
        "best response of patient 1 .* is 2021-06-04, before the infusion on 2022-05-03",
    ),
    "alive after death": (
        [[*HEAD, "Date of death", "Last contact"], [*FIRST, day("2022-07-01"), day("2022-09-01")], [*SECOND, None, day("2022-09-01")]],
        "patient 1 died on 2022-07-01 and was last seen alive on 2022-09-01",
    ),
    "dead without a date": (
        [[*HEAD, "Status", "Date of death"], [*FIRST, "dead", None], [*SECOND, "alive", None]],
        "no column says when|has no date of death|patients have died",
    ),
    "a transplant that nobody knows of": (
        sheet(["Transplant date", "unknown", day("2022-09-01")]),
        r"'unknown' in column E \(Transplant date\) \(1\) may say .*unknown-e",
    ),
    "a death that nobody knows of": (
        sheet(["Date of death", "?", day("2022-09-01")]),
        r"'\?' in column E \(Date of death\) \(1\) may say .*unknown-e",
    ),
    "a relapse after death": (
        [[*HEAD, "Relapse date", "Date of death"], [*FIRST, day("2022-08-01"), day("2022-07-01")], [*SECOND, None, None]],
        "patient 1 died on 2022-07-01 and has a relapse on 2022-08-01",
    ),
    "a relapse before the response": (
        [[*HEAD, "Relapse date"], [*FIRST, day("2022-05-20")], [*SECOND, None]],
        "patient 1 relapsed on 2022-05-20, before the best response on",
    ),
    "days that count from the response": (
        sheet(["Relapse (days after CR)", 100, None]),
        r"column E \(Relapse \(days after CR\)\) counts days from 'cr'",
    ),
    "a follow-up in months alone": (
        sheet(["Date of death", None, day("2022-09-01")], ["Follow-up (months)", 7.9, 4]),
        r"column F \(Follow-up \(months\)\) .*May it be left out",
    ),
    "excluded patients below the table": (
        [HEAD, FIRST, SECOND, [], ["Excluded patients"], HEAD, ["9", *FIRST[1:]]],
        "row 5 says 'Excluded patients', and patient 9 stands below it",
    ),
    "a word that a shell would read": (
        [HEAD, FIRST, SECOND, ["3", day("2022-05-03"), "PD->death", day("2022-06-04")]],
        r"--answer word-pd-death-c4=WORD",
    ),
    "a day before the infusion": (
        [["ID", "Day of best response", "Best response", "Death (days)"], ["1", 28, "CR", None], ["2", -3, "NR", 90]],
        r"patient 2 has day -3 in column B \(Day of best response\), before the infusion",
    ),
    "no infusion": ([["ID", "Best response"], ["1", "CR"], ["2", "NR"]], "no column holds the date of the infusion"),
    "two infusions": (
        [
            ["ID", "1st infusion", "2nd infusion", "Best response", "Date of best response"],
            ["1", day("2022-05-03"), None, "CR", day("2022-06-04")],
            ["2", day("2022-05-03"), day("2022-08-03"), "CR", day("2022-06-04")],
        ],
        "Which is day 0",
    ),
    "a response without its date": ([HEAD, FIRST, ["2", day("2022-05-03"), "CR", None]], r"no date of it: 2 \(row 3\)"),
    "a formula whose value is not stored": (
        [HEAD, FIRST, ["2", day("2022-05-03"), "CR", "=B3+28"]],
        "cell D3 is a formula whose value is not stored",
    ),
    "months in another language": (
        [HEAD, ["1", "3. Mai 2022", *FIRST[2:]], ["2", "4. Mai 2022", *SECOND[2:]]],
        "'3. Mai 2022' in column B",
    ),
    "a relapse in words alone": (
        sheet(["Relapse", "CNS, treated", "none seen"]),
        r"column E \(Relapse\) speaks of a relapse .*May it be left out",
    ),
    "one date of death among words": (
        [[*HEAD, "Date of death"], [*FIRST, "lives in Bern"], [*SECOND, day("2022-07-01")]],
        r"column E \(Date of death\): 'lives in Bern' is no date",
    ),
    "a word that is no date": (
        [HEAD, FIRST, ["2", day("2022-05-03"), "CR", "spring"]],
        r"'spring' is no date that can be read \(cell D3\)",
    ),
    "a word that is no response": ([HEAD, FIRST, SECOND, ["3", day("2022-05-03"), "vgpr", day("2022-06-04")]], "'vgpr' in column C"),
}


@pytest.mark.parametrize("name", STOPS)
def test_it_stops_with_what_would_be_right(name: str, tmp_path: Path) -> None:
    rows, message = STOPS[name]
    path = book(tmp_path / "ours.xlsx", {"S": rows})
    with pytest.raises(InputError, match=message):
        start(path, tmp_path / "study", answers=Answers(likely=True))
    assert sorted(item.name for item in tmp_path.iterdir()) == ["ours.xlsx"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("damaged.xlsx", b"PK\x03\x04broken", "not a workbook that can be read"),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted, or of the old kind"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "of the old kind (.xls)"),
        ("picture.png", b"\x89PNG", "files of the kind '.png' are not read"),
        ("numbers.csv", b"a,b,c\n1,2,3\n", "no table of patients was found"),
    ],
)
@pytest.mark.shows("CMD-start")
def test_a_file_that_cannot_be_read_is_one_message(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    code, out, err = run_cli("start", tmp_path / name, "--out", tmp_path / "study", "--yes")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (tmp_path / "study").exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "notes.txt").write_text("mine")
    code, _, err = run_cli("start", book(tmp_path / "ours.xlsx", {"S": sheet()}), "--out", tmp_path / "study", "--yes")
    assert code == 2 and "--force" in err
    assert [item.name for item in (tmp_path / "study").iterdir()] == ["notes.txt"]


@pytest.mark.shows("CMD-start")
def test_an_answer_that_is_none_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "ours.xlsx", {"S": sheet(["MRD", 0.01, 0.005])})
    code, _, err = run_cli("start", path, "--out", tmp_path / "study", "--yes", "--answer", "mrd-unit-e=litres")
    assert code == 2 and "'litres' is no answer" in err


@pytest.mark.slow
def test_a_legend_in_the_header(tmp_path: Path) -> None:
    """1 is CR and 3 NR. Patient 1 was seen alive on day 212 (2022-12-01), 2 died on day 90 (2022-08-01): 213 and 91 days."""
    rows: list[list[Any]] = [
        [
            "ID",
            "Infusion date",
            "Best response (1=CR, 2=CRi, 3=NR)",
            "Date of best response",
            "Death (0=no, 1=yes)",
            "Date of death",
            "Last FU",
        ],
        ["1", day("2022-05-03"), 1, day("2022-06-04"), 0, None, day("2022-12-01")],
        ["2", day("2022-05-03"), 3, day("2022-06-04"), 1, day("2022-08-01"), day("2022-08-01")],
    ]
    study = start(book(tmp_path / "a.xlsx", {"S": rows}), tmp_path / "study", answers=Answers(likely=True))
    assert rates(study) == {"BORR": [1.0, 0.0], "CRR": [1.0, 0.0]}
    assert times(study, "OS") == {"1": (213, False), "2": (91, True)}


@pytest.mark.slow
@pytest.mark.parametrize(("word", "censored"), [("therapy", 59), ("allogeneic", 59), ("nothing", 181)])
def test_an_autologous_transplant_counts_as_it_is_answered(word: str, censored: int, tmp_path: Path) -> None:
    """Patient 1 responded on 2022-06-04, had an autologous transplant on 2022-08-01, and was in remission on 2022-12-01: 59 or 181 days.

    As a new therapy or a transplant it ends the duration of response on its day; as neither it goes on to the last contact. Patient 2 had
    one before the infusion in another column, which is never read.
    """
    more = [["Auto-SCT date", day("2022-08-01"), None], ["Prior ASCT", None, day("2020-01-01")]]
    ends = [["Relapse", "no", "no"], ["Date of death", None, day("2022-11-01")], ["Last contact", day("2022-12-01"), None]]
    path = book(tmp_path / "a.xlsx", {"S": sheet(*more, *ends)})
    study = start(path, tmp_path / "study", answers=Answers({"autologous-e": word}, likely=True))
    assert times(study, "DOR") == {"1": (censored, False)}
    assert rates(study)["BORR"] == [1.0, 0.0]


@pytest.mark.slow
def test_a_grade_that_is_asked_is_the_one_that_counts(tmp_path: Path) -> None:
    """`2-3` is answered 3; `>=2` is not known, an event without a grade; 1 is 1 and 0 none."""
    rows = [*sheet(["CRS grade", "2-3", ">=2"]), ["3", *SECOND[1:], 1], ["4", *SECOND[1:], 0]]
    answers = Answers({"grade-e-2-3": "3", "grade-e-2-e3": "unknown"}, likely=True)
    study = start(book(tmp_path / "a.xlsx", {"S": rows}), tmp_path / "study", answers=answers)
    events = load_data(study.folder, study.folder / "data").source.domains["AE"]
    assert dict(events.select("USUBJID", "AETOXGR").iter_rows()) == {"1": "3", "2": None, "3": "1"}


ENDS: list[list[Any]] = [
    ["Relapse date", None, day("2022-09-04")],
    ["Date of death", None, day("2022-11-01")],
    ["Last FU", day("2022-12-01"), day("2022-10-01")],
]


@pytest.mark.slow
def test_a_sheet_for_each_cohort_is_one_study(tmp_path: Path) -> None:
    """Patient 2 of the second sheet, below a title, had a complete response on 2022-06-04 and relapsed on 2022-09-04: 93 days."""
    head, first, second = sheet(*ENDS)
    second = [*second[:2], "CR", *second[3:]]
    path = book(tmp_path / "a.xlsx", {"Low dose": [head, first], "队列": [["Dose 2"], head, second]})
    study = start(path, tmp_path / "study", answers=Answers(likely=True))
    assert [len(study.tables), study.patients, study.infused] == [2, 2, 2]
    assert dict(study.derived.adam.adsl.select("USUBJID", "COHORT").iter_rows()) == {"1": "Low dose", "2": "队列"}
    assert rates(study)["BORR"] == [1.0, 1.0]
    assert times(study, "DOR") == {"1": (181, False), "2": (93, True)}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({3: "spring"}, "response.: 'spring' is no date that can be read .cell D3 of sheet 'B'"),
        ({5: day("2022-05-01")}, "the death of patient 2 in column F .* before the infusion"),
    ],
)
def test_a_message_names_the_sheet_of_a_cohort(columns: dict[int, Any], message: str, tmp_path: Path) -> None:
    head, first, second = sheet(*ENDS)
    second = [columns.get(number, cell) for number, cell in enumerate(second)]
    path = book(tmp_path / "a.xlsx", {"A": [head, first], "B": [["Dose 2"], head, second]})
    with pytest.raises(InputError, match=message):
        start(path, tmp_path / "study", answers=Answers(likely=True))


def test_sheets_of_unlike_columns_and_patients_are_refused(tmp_path: Path) -> None:
    head, first, second = sheet(*ENDS)
    path = book(tmp_path / "a.xlsx", {"A": [head, first], "B": [head[:-1], second[:-1]]})
    with pytest.raises(InputError, match=r"sheet 'B' has 1 patient that sheet 'A' has not \(2\).*have the same columns in one order"):
        start(path, tmp_path / "study", answers=Answers(likely=True))


def test_a_text_file_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ID,Infusion date,Best response\n1,2022-05-03,CR\n2,2022-13-45,NR\n")
    with pytest.raises(InputError) as caught:
        start(tmp_path / "a.csv", tmp_path / "study", answers=Answers(likely=True))
    assert str(caught.value).startswith("a.csv: column B (Infusion date): '2022-13-45' is no date that can be read (cell B3).")


@pytest.mark.slow
def test_what_no_column_tells_is_not_derived(tmp_path: Path) -> None:
    """Last contacts without a column of relapses or deaths: nobody is taken as free of relapse, or as alive to the end."""
    rows = sheet(["Last contact", day("2022-12-01"), day("2022-12-01")])
    study = start(book(tmp_path / "a.xlsx", {"S": rows}), tmp_path / "study", answers=Answers(likely=True))
    assert study.derived.adam.adtte.height == 0
    assert any(text.startswith("Duration of response and time to relapse: no column holds a relapse") for text in study.cannot)
    assert any(text.startswith("Overall survival: no column says who died") for text in study.cannot)


@pytest.mark.slow
def test_titles_totals_and_headers_in_between(tmp_path: Path) -> None:
    """A1 and B1 responded, A2 did not, B2 was not infused."""
    head = [*HEAD, "Last contact"]
    rows: list[list[Any]] = [
        head,
        ["Cohort A"],
        ["A1", *FIRST[1:], day("2022-12-01")],
        ["A2", *SECOND[1:], day("2022-12-01")],
        ["Mean", None, "50 %"],
    ]
    rows += [["Cohort B"], head, ["B1", *FIRST[1:], day("2022-12-01")], ["B2"], ["* lost to follow-up"]]
    study = start(book(tmp_path / "a.xlsx", {"S": rows}), tmp_path / "study", answers=Answers(likely=True))
    assert (study.patients, study.infused) == (4, 3)
    assert rates(study)["BORR"] == [1.0, 0.0, 1.0]


@pytest.mark.slow
def test_one_row_a_measurement_and_merged_patients(tmp_path: Path) -> None:
    """Patient 1: CR at day 29 and 90, MRD <0.01 % by an assay that sees 1e-4; 2: NR, then PD, MRD 5 %."""
    visits: list[list[Any]] = [["Patient", "Infusion date", "Visit date", "Response"]]
    visits += [["1", day("2022-05-03"), day("2022-06-01"), "CR"], [None, None, day("2022-08-01"), "CR"]]
    visits += [["2", day("2022-05-04"), day("2022-06-03"), "NR"], [None, None, day("2022-08-05"), "PD"]]
    results: list[list[Any]] = [
        ["Patient", "Date", "Test", "Result", "Unit"],
        ["1", day("2022-06-01"), "MRD", "<0.01", "%"],
        ["1", day("2022-06-01"), "ANC", "1.2", "10^9/L"],
    ]
    results += [["2", day("2022-06-03"), "MRD", "5", "%"], ["2", day("2022-06-03"), "Sodium", "140", "mmol/L"]]
    path = book(tmp_path / "a.xlsx", {"Visits": visits, "Labs": results}, merged=("A2:A3", "B2:B3", "A4:A5", "B4:B5"))
    study = start(path, tmp_path / "study", answers=Answers(likely=True))
    assert rates(study) == {"BORR": [1.0, 0.0], "CRR": [1.0, 0.0], "MRDN": [1.0, 0.0], "ORR3": [1.0, 0.0]}
    assert any("not read: Sodium" in read.how for read in study.read)


def test_remarks_below_the_table_are_no_patients(tmp_path: Path) -> None:
    """By hand: a cutoff with its date would else be a third patient, infused on that day and without a response: 1 of 3, not 1 of 2."""
    below = [[], ["Data cutoff", day("2022-09-01")], ["Source: charts", 2022]]
    path = book(tmp_path / "ours.xlsx", {"S": [HEAD, FIRST, SECOND, *below]})
    study = start(path, tmp_path / "study", answers=Answers(likely=True))
    assert (study.patients, rates(study)["BORR"]) == (2, [1.0, 0.0])
    assert "row 5 (a note ('Data cutoff')), row 6 (a note ('Source: charts'))" in study.tables[0]


def test_an_odd_number_at_the_end_is_a_patient(tmp_path: Path) -> None:
    """By hand: 12b has few cells and another form than the others, and stands right below them."""
    path = book(tmp_path / "ours.xlsx", {"S": [HEAD, FIRST, SECOND, ["12b", day("2022-05-03"), None, None]]})
    assert start(path, tmp_path / "study", answers=Answers(likely=True)).patients == 3


@pytest.mark.slow
def test_the_age_is_that_at_the_treatment(tmp_path: Path) -> None:
    """By hand: 66 and 60 years at the infusion, 20 and 30 at the diagnosis, which is no age of a baseline."""
    rows = sheet(["Age at diagnosis", 20, 30], ["Age", 65, 59], ["Age at infusion", 66, 60])
    study = start(book(tmp_path / "ours.xlsx", {"S": rows}), tmp_path / "study", answers=Answers(likely=True))
    assert study.derived.adam.adsl.sort("USUBJID")["AGE"].to_list() == [66, 60]
    alone = sheet(["Age at diagnosis", 20, 30])
    study = start(book(tmp_path / "other.xlsx", {"S": alone}), tmp_path / "other", answers=Answers(likely=True))
    assert study.derived.adam.adsl["AGE"].to_list() == [None, None]
    assert "column E (Age at diagnosis): the age of another time than the treatment." in study.unread


def test_points_do_not_make_the_day_first_where_another_column_has_the_month_first(tmp_path: Path) -> None:
    """By hand: 01.31.2022 proves the month first, so that 01.03.2022 is the third of January, not the first of March."""
    rows = [HEAD, ["1", "01.03.2022", "CR", "01.31.2022"], ["2", "01.10.2022", "NR", "02.07.2022"]]
    study = start(book(tmp_path / "ours.xlsx", {"S": rows}), tmp_path / "study", answers=Answers(likely=True))
    assert study.derived.adam.adsl.sort("USUBJID")["TRTSDT"].cast(str).to_list() == ["2022-01-03", "2022-01-10"]
    assert any("month first" in text for text in study.assumptions)


def test_hidden_rows_are_told(tmp_path: Path) -> None:
    """By hand: what a filter hides is in the file, and counts; who sees one patient on the screen is told of the other."""
    import openpyxl

    path = book(tmp_path / "ours.xlsx", {"S": [HEAD, FIRST, SECOND]})
    workbook = openpyxl.load_workbook(path)
    workbook["S"].row_dimensions[3].hidden = True
    workbook.save(path)
    study = start(path, tmp_path / "study", answers=Answers(likely=True))
    assert study.patients == 2 and "read although hidden: row 3" in study.tables[0]
    assert any("that the file hides count as the others (1 row)" in text for text in study.assumptions)


def test_a_header_that_names_a_visit_alone_holds_its_responses(tmp_path: Path) -> None:
    """By hand: CR on days 32 and 91 is a response at month 3, NR on day 32 none."""
    head = ["ID", "Infusion date", "D+28", "D+28 date", "M3", "M3 date"]
    first = ["1", day("2022-05-03"), "CR", day("2022-06-04"), "CR", day("2022-08-02")]
    second = ["2", day("2022-05-03"), "NR", day("2022-06-04"), None, None]
    study = start(book(tmp_path / "ours.xlsx", {"S": [head, first, second]}), tmp_path / "study", answers=Answers(likely=True))
    assert rates(study)["BORR"] == [1.0, 0.0] and rates(study)["ORR3"][0] == 1.0
