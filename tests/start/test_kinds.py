"""Further kinds of messy spreadsheets: do they become right values, or a message that says what would be right?

Expected values: by hand, from the cells beside each case, before the code was run on them. A duration is the date of its end minus that of
its origin, plus one day.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cartrial.errors import InputError
from cartrial.start import Answers, Started, start
from start_sheets import Rows, book, day, rates, times

EVENT, CENSORED = True, False


def made(folder: Path, sheets: dict[str, Rows], merged: tuple[str, ...] = (), percent: tuple[str, ...] = (), **answers: str) -> Started:
    path = book(folder / "ours.xlsx", sheets, merged=merged, percent=percent)
    given = {key.replace("_", "-"): word for key, word in answers.items()}
    return start(path, folder / "study", answers=Answers(given, likely=True))


def test_patients_in_columns_are_told_to_be_turned(tmp_path: Path) -> None:
    rows = [
        ["", "P1", "P2", "P3"],
        ["Infusion date", day("2022-01-03"), day("2022-01-10"), day("2022-01-24")],
        ["Best response", "CR", "CR", "NR"],
        ["Date of response", day("2022-01-31"), day("2022-02-07"), day("2022-02-21")],
        ["Last contact", day("2022-09-01"), None, day("2022-08-01")],
    ]
    with pytest.raises(InputError, match=r"the headers stand below each other in column A, so that patients are columns\. Turn the table"):
        made(tmp_path, {"S": rows})


def test_half_days_are_refused(tmp_path: Path) -> None:
    rows: Rows = [["ID", "Best response", "Day of best response", "Last contact (days)"], ["1", "CR", 28, 240], ["2", "NR", 28, 120.5]]
    with pytest.raises(InputError, match=r"row 3: sheet 'S', 120\.5 in column D .* is no whole day"):
        made(tmp_path, {"S": rows})


@pytest.mark.slow
def test_french_words_and_a_status_beside_one_date(tmp_path: Path) -> None:
    """P1: 2022-01-31 to its transplant on 2022-04-15, 75 days. P2: 2022-02-07 to 2022-06-15, 129; 2022-01-10 to 2022-09-20, 254."""
    head = ["N° patient", "Sexe", "Âge", "Date de perfusion", "Meilleure réponse", "Date de réponse", "Rechute", "Date de rechute"]
    rows: Rows = [
        [*head, "Allogreffe", "Date allogreffe", "Statut vital", "Date des dernières nouvelles"],
        ["P1", "H", 33, "03/01/2022", "RC", "31/01/2022", "non", None, "oui", "15/04/2022", "vivant", "01/09/2022"],
        ["P2", "F", 51, "10/01/2022", "RCi", "07/02/2022", "oui", "15/06/2022", "non", None, "décédé", "20/09/2022"],
        ["P3", "F", 45, "24/01/2022", "échec", "21/02/2022", "non", None, "non", None, "vivant", None],
    ]
    study = made(tmp_path, {"S": rows}, death_date="yes")
    assert rates(study) == {"BORR": [1.0, 1.0, 0.0], "CRR": [1.0, 0.0, 0.0]}
    assert times(study, "DOR") == {"P1": (75, CENSORED), "P2": (129, EVENT)}
    assert times(study, "OS") == {"P1": (242, CENSORED), "P2": (254, EVENT), "P3": (29, CENSORED)}


@pytest.mark.slow
def test_names_below_merged_headers(tmp_path: Path) -> None:
    """A1 has 5e-5 shown as a percentage, negative by 1e-5; A2 5e-4, and progressed on 2022-04-11, 64 days after 2022-02-07."""
    rows: Rows = [
        ["Pt", "Infusion", "Day 28", None, None, "Month 3", None, None, "Death", "Last seen"],
        [None, "date", "date", "response", "MRD", "date", "response", "MRD", "date", "date"],
        *(
            [name, *(None if cell is None else day(cell) if isinstance(cell, str) and cell[0] == "2" else cell for cell in cells)]
            for name, *cells in (
                ("A1", "2022-01-03", "2022-01-31", "CR", 0.00005, "2022-04-04", "CR", 0.0, None, "2022-09-01"),
                ("A2", "2022-01-10", "2022-02-07", "CRi", 0.0005, "2022-04-11", "PD", 0.3, "2022-07-01", None),
                ("A3", "2022-01-24", "2022-02-21", "NR", 0.5, None, None, None, "2022-03-30", None),
            )
        ),
    ]
    study = made(tmp_path, {"S": rows}, ("C1:E1", "F1:H1"), tuple(f"{c}{r}" for c in "EH" for r in (3, 4, 5)), mrd_limit="1e-5")
    assert rates(study) == {"BORR": [1.0, 1.0, 0.0], "CRR": [1.0, 0.0, 0.0], "MRDN": [1.0, 0.0, 0.0], "ORR3": [1.0, 0.0, 0.0]}
    assert times(study, "DOR") == {"A1": (64, CENSORED), "A2": (64, EVENT)}


@pytest.mark.slow
def test_responses_of_a_tall_table_ask_of_disease_outside_the_marrow(tmp_path: Path) -> None:
    """Patient 1: 1.0 % blasts, 1.5 and 150: CR. 2: 3.0 %, 0.8 and 60: CRi, then 40 % on 2022-04-11, 64 days after 2022-02-07."""
    patients: Rows = [
        ["Patient", "Infusion", "Verstorben am", "Letzter Kontakt"],
        ["1", "03.01.2022", None, "01.09.2022"],
        ["2", "10.01.2022", "01.07.2022", None],
    ]
    results: Rows = [["Patient", "Datum", "Parameter", "Wert", "Einheit"]]
    for name, date, *values in (
        ("1", "31.01.2022", "1,0", "1,5", "150"),
        ("2", "07.02.2022", "3,0", "0,8", "60"),
        ("2", "11.04.2022", "40", "0,2", "20"),
    ):
        for test, value, unit in zip(("KM-Blasten", "Neutrophile", "Thrombozyten"), values, ("%", "10^9/L", "10^9/L"), strict=True):
            results.append([name, date, test, value, unit])
    study = made(tmp_path, {"Patienten": patients, "Labor": results}, emd="absent")
    assert rates(study)["CRR"] == [1.0, 0.0] and rates(study)["BORR"] == [1.0, 1.0]
    assert times(study, "DOR") == {"1": (1, CENSORED), "2": (64, EVENT)}


@pytest.mark.slow
def test_a_relapse_has_its_own_date_and_not_that_of_a_visit(tmp_path: Path) -> None:
    """Patient 2 relapsed on day 92, and the visit has no date: 65 days after day 28. `CR (ongoing)` is CR: 63 days."""
    head = ["ID", "Response D28", "Response D90", "Days to relapse", "Days to death", "Days to last contact"]
    rows: Rows = [head, ["1", "CR", "CR (ongoing)", None, None, 240], ["2", "CRi", "relapsed", 92, 180, 180]]
    study = made(tmp_path, {"S": rows})
    assert times(study, "DOR") == {"1": (63, CENSORED), "2": (65, EVENT)}
    assert times(study, "OS") == {"1": (241, CENSORED), "2": (181, EVENT)}
    assert rates(study)["ORR3"] == [1.0, 0.0]
    assert any("relapsed = dated in the column of relapses" in read.how for read in study.read)


def test_a_column_of_responses_asks_of_the_words_that_it_does_not_know(tmp_path: Path) -> None:
    """One of three is known: it was left out before, and the sheet had no response at all."""
    head: list[Any] = ["ID", "Infusion date", "Best response", "Date of best response"]
    rows = [head, *([str(k), day("2022-05-03"), word, day("2022-06-04")] for k, word in enumerate(("CR", "bmCR", "tumour-free"), 1))]
    with pytest.raises(InputError, match=r"'bmCR' in column C .* is no response that is known.*\n.*'tumour-free' in column C"):
        made(tmp_path, {"S": rows})
