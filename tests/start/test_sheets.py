"""Does a spreadsheet that nobody described become right values, or a question? Five messy ones.

Expected values: by hand, from the cells of `tests/start_sheets.py` and the rules, before the code was run on them. A duration is the date
of its end minus that of its origin, plus one day.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cartrial.errors import InputError
from start_sheets import made, rates, times

Y, N = 1.0, 0.0
EVENT, CENSORED = True, False


@pytest.mark.slow
def test_a_german_sheet_with_a_title_decimal_commas_and_a_total(tmp_path: Path) -> None:
    """P01 `<0,01` per cent is below 1e-4 by an assay that sees 1e-4, P02 0,005 % is 5e-5, P04 0,2 % is 2e-3.

    Free of relapse until the last contact, P04 was so on the day of its transplant, where its duration of response is censored.
    """
    study = made(tmp_path, "german", mrd_limit="1e-4")
    assert rates(study) == {"BORR": [Y, Y, N, Y], "CRR": [Y, N, N, Y], "MRDN": [Y, Y, N, N]}
    assert times(study, "DOR") == {"P01": (214, CENSORED), "P02": (129, EVENT), "P04": (26, CENSORED)}
    assert times(study, "OS") == {"P01": (242, CENSORED), "P02": (254, EVENT), "P03": (66, EVENT), "P04": (221, CENSORED)}
    assert (study.patients, study.infused) == (4, 4)
    assert "row 8 (a total ('Gesamt'))" in study.tables[0]
    assert [text for text in study.unread if "column M (Bemerkung)" in text]


@pytest.mark.slow
def test_merged_headers_by_visit_with_percent_cells_and_three_kinds_of_dates(tmp_path: Path) -> None:
    """MRD is shown as per cent: 0.0002 stored is 0.02 %, which is 2e-4 and positive. A-02's infusion is 44571, 2022-01-10.

    At month 3 (day 76 to 104): A-01 day 91 CR, A-02 relapse, A-03 nothing, A-04 after its transplant, A-05 day 91 CR.
    """
    study = made(tmp_path, "visits", mrd_limit="1e-5")
    wanted = {"BORR": [Y, Y, N, Y, Y], "CRR": [Y, N, N, Y, Y], "MRDN": [Y, N, N, Y, Y], "ORR3": [Y, N, N, N, Y]}
    assert rates(study) == wanted
    assert times(study, "OS") == {
        "A-01": (242, CENSORED),
        "A-02": (173, EVENT),
        "A-03": (66, EVENT),
        "A-04": (221, CENSORED),
        "A-05": (214, CENSORED),
    }
    assert any("44571" in text and "2022-01-10" in text for text in study.assumptions)


@pytest.mark.slow
def test_several_sheets_and_statuses_from_blasts_and_counts(tmp_path: Path) -> None:
    """Patient 1: 1 % blasts, ANC 1.5, platelets 150, twice: CR. 2: 3 %, 0.8, 60: CRi; then 40 %: relapse. 3: 60 %: no response.

    Without a word on extramedullary disease no marrow is a remission, and no response is derived.
    """
    study = made(tmp_path, "several", emd="absent")
    assert rates(study) == {"BORR": [Y, Y, N], "CRR": [Y, N, N], "ORR3": [Y, N, N]}
    assert any("sheet 'Read me'" in text for text in study.unread)


@pytest.mark.slow
def test_what_decides_a_remission_is_not_assumed(tmp_path: Path) -> None:
    """The same sheets where nobody is asked."""
    study = made(tmp_path, "several")
    assert rates(study) == {"BORR": [None] * 3, "CRR": [None] * 3, "ORR3": [None] * 3}
    assert any(text.startswith("Best overall response rate: extramedullary disease") for text in study.cannot)


@pytest.mark.slow
def test_a_chinese_sheet(tmp_path: Path) -> None:
    """The patients of the German sheet in other words; MRD is said as negative (S001, S004) and positive (S002)."""
    study = made(tmp_path, "chinese", mrd_limit="1e-4")
    assert rates(study) == {"BORR": [Y, Y, N, Y], "CRR": [Y, N, N, Y], "MRDN": [Y, N, N, Y]}
    assert times(study, "DOR") == {"S001": (214, CENSORED), "S002": (129, EVENT), "S004": (26, CENSORED)}


def test_the_order_of_day_and_month_is_asked_and_never_guessed(tmp_path: Path) -> None:
    """No date of the sheet tells; PR says neither leukaemia nor lymphoma for sure. Nothing is written."""
    with pytest.raises(InputError, match=r"01/03/2022 .*column B \(Infusion Date\) can be read in two ways") as error:
        made(tmp_path, "american")
    assert len(error.value.errors) == 2
    assert "--answer date-order=" in str(error.value) and "--answer disease=" in str(error.value)
    assert not (tmp_path / "study").exists()


@pytest.mark.slow
def test_the_answer_decides(tmp_path: Path) -> None:
    """Months first: 101 is followed from 2022-01-03 to 09-01, 102 died on 08-01 (from 01-10), 103 relapsed on 06-05 (from 02-07)."""
    study = made(tmp_path, "american", date_order="month-first", disease="lymphoma")
    assert rates(study) == {"CRR": [Y, N, Y], "ORR": [Y, Y, Y]}
    assert times(study, "PFS") == {"101": (242, CENSORED), "102": (204, EVENT), "103": (119, EVENT)}
    assert any("column I (HSCT): it is empty" in text for text in study.unread)
