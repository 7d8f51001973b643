"""Spreadsheets as investigators keep them, made in the test: what a person would type, merge and format."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from cartrial.start import Answers, Started, start

__all__ = ["BOOKS", "book", "day", "made", "rates", "times"]

Rows = list[list[Any]]


def day(text: str) -> dt.date:
    """Return a date cell."""
    return dt.date.fromisoformat(text)


def book(path: Path, sheets: dict[str, Rows], *, merged: tuple[str, ...] = (), percent: tuple[str, ...] = ()) -> Path:
    """Write a workbook; merged areas and percent cells are of its first sheet."""
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    first = workbook.worksheets[0]
    for area in merged:
        first.merge_cells(area)
    for cell in percent:
        first[cell].number_format = "0.000%"
    workbook.save(path)
    return path


GERMAN: Rows = [
    ["CAR-T-Kohorte, Stand Herbst"],
    [],
    [
        *("Pat.-Nr.", "Alter", "Geschlecht", "Infusionsdatum", "Bestes Ansprechen", "Datum Ansprechen", "MRD (%)", "Rezidiv Datum"),
        *("Allo-SZT Datum", "Letzter Kontakt", "Todesdatum", "CRS Grad", "Bemerkung"),
    ],
    ["P01", 34, "m", "03.01.2022", "Vollremission", "31.01.2022", "<0,01", None, None, "01.09.2022", None, 1, None],
    ["P02", 51, "w", "10.01.2022", "CRi", "07.02.2022", "0,005", "15.06.2022", None, "01.08.2022", "20.09.2022", 2, "Port"],
    ["P03", 45, "w", "24.01.2022", "kein Ansprechen", "21.02.2022", "12,5", None, None, None, "30.03.2022", 3, None],
    ["P04", 29, "m", "07.02.2022", "Vollremission", "07.03.2022", "0,2", None, "01.04.2022", "15.09.2022", None, 0, None],
    ["Gesamt", 39.75, None, None, "3/4"],
]
VISITS: Rows = [
    ["Patient", "Age", "CAR-T infusion", "Month 1", None, None, "Month 3", None, None, "Transplant", None, "Death", "Last follow-up"],
    ["ID", "years", "Date", "Date", "Response", "MRD", "Date", "Response", "MRD", "Y/N", "Date", "Date", "Date"],
    ["A-01", 23, day("2022-01-03"), day("2022-01-31"), "CR", 0.00005, day("2022-04-04"), "CR", 0.0, "no", None, None, day("2022-09-01")],
    ["A-02", 31, 44571, "2022-02-07", "CRi", 0.0002, "2022-04-11", "Relapse", 0.12, "no", None, day("2022-07-01"), day("2022-07-01")],
    ["A-03", 40, "2022-01-24", day("2022-02-21"), "NR", 0.3, None, None, None, "no", None, day("2022-03-30"), None],
    [
        *("A-04", 28, day("2022-02-07"), day("2022-03-07"), "CR", 0.00001, day("2022-05-09"), "CR", 0.00001),
        *("yes", day("2022-04-01"), None, day("2022-09-15")),
    ],
    [
        "A-05",
        28,
        day("2022-02-14"),
        day("2022-03-14"),
        "CR",
        0.00001,
        day("2022-05-16"),
        "CR",
        0.00001,
        "no",
        None,
        None,
        day("2022-09-15"),
    ],
]
SEVERAL: dict[str, Rows] = {
    "Read me": [["Made by the data manager"]],
    "Patients": [
        ["Patient ID", "Sex", "Age", "Date of infusion", "Date of death", "Date last contact"],
        [1, "M", 20, day("2022-01-03"), None, day("2022-09-01")],
        [2, "F", 30, day("2022-01-10"), day("2022-07-01"), None],
        [3, "F", 30, day("2022-01-24"), day("2022-03-30"), None],
    ],
    "Visits": [
        ["Patient ID", "Sample date", "BM blasts (%)", "ANC (10^9/L)", "PLT (10^9/L)", "PB blasts (%)"],
        [1, day("2022-01-31"), 1, 1.5, 150, 0],
        [1, day("2022-04-04"), 0.5, 2, 200, 0],
        [2, day("2022-02-07"), 3, 0.8, 60, 0],
        [2, day("2022-04-11"), 40, 0.2, 20, 10],
        [3, day("2022-02-21"), 60, 0.1, 10, 20],
    ],
}
CHINESE: Rows = [
    [
        "受试者编号",
        "性别",
        "年龄",
        "回输日期",
        "最佳疗效",
        "疗效评估日期",
        "MRD",
        "复发日期",
        "移植日期",
        "死亡日期",
        "末次随访日期",
        "CRS分级",
    ],
    ["S001", "男", 25, "2022年1月3日", "完全缓解", "2022年1月31日", "阴性", None, None, None, "2022年9月1日", "2级"],
    ["S002", "女", 41, "2022年1月10日", "CRi", "2022年2月7日", "阳性", "2022年6月15日", None, "2022年9月20日", "2022年8月1日", "1级"],
    ["S003", "女", 33, "2022年1月24日", "未缓解", "2022年2月21日", None, None, None, "2022年3月30日", None, "无"],
    ["S004", "男", 19, "2022年2月7日", "完全缓解", "2022年3月7日", "阴性", None, "2022年4月1日", None, "2022年9月15日", "0级"],
    ["合计", None, None, "4例"],
]
AMERICAN: Rows = [
    [
        "Subject",
        "Infusion Date",
        "Best Response",
        "Response Date",
        "Relapse?",
        "Relapse Date",
        "Status",
        "Date of death or last FU",
        "HSCT",
    ],
    ["101", "01/03/2022", "CR", "02/01/2022", "N", None, "Alive", "09/01/2022"],
    ["102", "01/10/2022", "PR", "02/07/2022", "N", None, "Dead", "08/01/2022"],
    ["103", "02/07/2022", "CR", "03/07/2022", "Y", "06/05/2022", "Alive", "10/09/2022"],
]
_PERCENT = tuple(f"{column}{row}" for column in "FI" for row in range(3, 8))

BOOKS: dict[str, dict[str, Any]] = {
    "german": {"sheets": {"Patienten": GERMAN}},
    "visits": {"sheets": {"Data": VISITS}, "merged": ("D1:F1", "G1:I1", "J1:K1"), "percent": _PERCENT},
    "several": {"sheets": SEVERAL},
    "chinese": {"sheets": {"数据": CHINESE}},
    "american": {"sheets": {"Sheet1": AMERICAN}},
}


def made(folder: Path, name: str, *, likely: bool = True, **answers: str) -> Started:
    """Make the study of one of the books; `date_order` answers `date-order`."""
    path = book(folder / f"{name}.xlsx", **BOOKS[name])
    return start(path, folder / "study", answers=Answers({key.replace("_", "-"): word for key, word in answers.items()}, likely=likely))


def _values(study: Started, frame: str) -> pl.DataFrame:
    values: pl.DataFrame = getattr(study.derived.adam, frame)
    return values.filter(pl.col("VARIANT") == "").sort("PARAMCD", "USUBJID")


def rates(study: Started) -> dict[str, list[float | None]]:
    """Return each rate as the values of its patients, in the order of their numbers."""
    groups = _values(study, "adrs").group_by("PARAMCD", maintain_order=True).agg("AVAL")
    return dict(groups.iter_rows())


def times(study: Started, endpoint: str) -> dict[str, tuple[float | None, bool]]:
    """Return the time of each patient and whether it ends in an event."""
    rows = _values(study, "adtte").filter(pl.col("PARAMCD") == endpoint)
    return {name: (time, censored == 0) for name, time, censored in rows.select("USUBJID", "AVAL", "CNSR").iter_rows()}
