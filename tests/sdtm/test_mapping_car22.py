"""The real 59-patient spreadsheet: what the mapping reads against an independent recount of the sheet.

Origin of every expected value: `independent`, counted here from the cells with openpyxl by letter and row, without the mapping;
the numbers written out are those of the sheet (README of the data folder).
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import polars as pl
import pytest

from cartrial.sdtm.mapping import read_mapped
from cartrial.sdtm.source import Source
from helpers import ROOT, data_path, needs_data

openpyxl = pytest.importorskip("openpyxl", reason="spreadsheets need openpyxl (extra: formats)")

SHEET = "car22/clinical_data_05-12-20_v1.xlsx"
FILE = data_path(SHEET)
DATA = FILE.parent
EXAMPLE = ROOT / "examples" / "car22"

needs_sheet = needs_data(SHEET)


@cache
def sheet() -> Any:
    return openpyxl.load_workbook(FILE, data_only=True).worksheets[0]


@cache
def source() -> Source:
    return read_mapped(EXAMPLE / "mapping.yaml", DATA)


def column(letter: str) -> list[Any]:
    return [sheet()[f"{letter}{row}"].value for row in range(4, 63)]


def number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def messages(rule: str) -> list[str]:
    return source().findings.filter(pl.col("RULE") == rule)["MESSAGE"].to_list()


@pytest.mark.slow
@needs_sheet
def test_subjects_and_infusions() -> None:
    ids = [str(value) for value in column("A")]
    assert len(set(ids)) == 59
    assert source().domains["DM"]["USUBJID"].to_list() == ids
    infused = source().domains["EX"]
    assert infused["USUBJID"].to_list() == ids and infused["EXSTDY"].to_list() == [0.0] * 59
    assert Counter(infused["EXDOSTXT"]) == {f"DOSE LEVEL {level}": count for level, count in Counter(column("Q")).items()}
    assert Counter(column("Q")) == {1: 33, 2: 24, 3: 2}


@pytest.mark.slow
@needs_sheet
def test_response_and_residual_disease() -> None:
    codes = Counter(column("G"))
    assert codes == {0: 37, 1: 5, 2: 1, 3: 10, 4: 5, "-": 1}
    calls = source().domains["RS"]
    assert Counter(calls["RSORRES"]) == {"MRD- CR": 37, "MRD+ CR": 5, "PR": 1, "SD": 10, "PD": 5}
    assert Counter(calls["RSSTRESC"]) == {"CR": 42, "NR": 11, "PD": 5}
    assert calls["RSDY"].unique().to_list() == [28.0]
    mrd = source().domains["LB"].filter(pl.col("LBTESTCD") == "MRD")
    assert Counter(mrd["LBSTRESC"]) == {"NEGATIVE": 37, "POSITIVE": 5}
    assert mrd["LBSTRESN"].null_count() == 42 and set(mrd["LBLOD"]) == {1e-4}
    missing = set(source().domains["DM"]["USUBJID"]) - set(calls["USUBJID"])
    assert missing == {"6941"} and sheet()["A53"].value == 6941


@needs_sheet
def test_toxicity_and_treatment() -> None:
    assert Counter(column("E")) == {0: 7, 1: 26, 2: 21, 3: 3, 4: 2}
    events = source().domains["AE"]
    crs = events.filter(pl.col("AEDECOD") == "Cytokine release syndrome")
    assert crs.height == 52 and Counter(crs["AETOXGR"]) == {"1": 26, "2": 21, "3": 3, "4": 2}
    assert crs["AESTDY"].to_list() == [float(day) for day in column("F") if day is not None]
    hlh = events.filter(pl.col("AEDECOD") == "Haemophagocytic lymphohistiocytosis")
    assert hlh.height == 21 and hlh["AESTDY"].to_list() == [float(day) for day in column("C") if day is not None]
    # who has no answer (N/A) was neither given it nor not
    cm = source().domains["CM"]
    given = Counter(cm.filter(pl.col("CMOCCUR").is_null())["CMTRT"])
    open_ = Counter(cm.filter(CMOCCUR="U")["CMTRT"])
    assert open_ == {"TOCILIZUMAB": column("S").count("N/A"), "CORTICOSTEROIDS": column("T").count("N/A")}
    assert given == {name: column(letter).count(1) for name, letter in (("TOCILIZUMAB", "S"), ("CORTICOSTEROIDS", "T"), ("ANAKINRA", "U"))}


@needs_sheet
def test_baseline() -> None:
    history = source().domains["MH"].filter(pl.col("MHOCCUR") == "Y")
    expected = {
        f"PRIOR {name}": column(letter).count(1)
        for name, letter in (("HCT", "J"), ("BLINATUMOMAB", "K"), ("INOTUZUMAB", "L"), ("CAR", "M"))
    }
    assert Counter(history["MHTERM"]) == expected
    blasts = source().domains["LB"].filter(pl.col("LBTESTCD") == "BLAST")
    assert blasts["LBSTRESN"].to_list() == [value for value in map(number, column("N")) if value is not None] and blasts.height == 57
    lesions = source().domains["FA"].filter(pl.col("FAOBJ") == "EXTRAMEDULLARY DISEASE")
    assert Counter(lesions["FASTRESC"]) == {"ABSENT": 47, "PRESENT": 12}


@needs_sheet
def test_expansion_and_inflammation_on_actual_days() -> None:
    labs = source().domains["LB"]
    for test, columns in (
        ("CARTC", (("EG", "EE"), ("EJ", "EH"), ("EM", "EK"), ("EP", "EN"), ("ES", "EQ"))),
        ("CARTP", (("EF", "EE"), ("EI", "EH"), ("EL", "EK"), ("EO", "EN"), ("ER", "EQ"))),
        ("CRP", (("V", "W"), ("AB", "AC"), ("AH", "AI"), ("AN", "AO"), ("AT", "AU"))),
        ("FERRITIN", (("X", "Y"), ("AD", "AE"), ("AJ", "AK"), ("AP", "AQ"), ("AV", "AW"))),
        ("LDH", (("Z", "AA"), ("AF", "AG"), ("AL", "AM"), ("AR", "AS"), ("AX", "AY"))),
    ):
        ids = column("A")
        expected = [
            (str(ids[row]), number(value), float(day))
            for value_column, day_column in columns
            for row, (value, day) in enumerate(zip(column(value_column), column(day_column), strict=True))
            if number(value) is not None
        ]
        found = labs.filter((pl.col("LBTESTCD") == test) & (pl.col("LBSPEC") == "BLOOD") & pl.col("LBSTAT").is_null())
        assert sorted(found.select("USUBJID", "LBSTRESN", "LBDY").rows()) == sorted(expected), test
    assert labs.filter(pl.col("LBSTAT") == "NOT DONE").select("LBTESTCD", "LBREASND").rows() == [("LDH", "HEMOLYZED")] * 3


@needs_sheet
def test_cytokines_are_read_once() -> None:
    """Columns ET to VY by day; the day-21 and day-28 blocks repeat them, their IL-18 alone is new."""
    from openpyxl.utils import column_index_from_string as index

    daily = sum(
        value is not None for row in range(4, 63) for value in (sheet().cell(row, col).value for col in range(index("ET"), index("VY") + 1))
    )
    again = [
        sum(value is not None for col in range(index(a), index(b) + 1) for value in column(openpyxl.utils.get_column_letter(col)))
        for a, b in (("WA", "WM"), ("WQ", "XC"))
    ]
    il18 = [sum(value is not None for value in column(letter)) for letter in ("WO", "XE")]
    assert (again, il18) == ([557, 689], [23, 34])
    names = ["IFNG", "IL10", "IL12P70", "IL13", "IL1B", "IL2", "IL4", "IL6", "IL8", "TNFA", "GMCSF", "IL15", "MIP1A", "IL18"]
    assert source().domains["LB"].filter(pl.col("LBTESTCD").is_in(names)).height == daily + sum(il18)
    assert not messages("repeat-contradicts") and any("557 repeat" in text for text in messages("repeated-block"))


@needs_sheet
def test_each_quirk_is_a_finding() -> None:
    contradiction = source().findings.filter(pl.col("RULE") == "flag-contradicts")
    assert contradiction.select("ROW", "USUBJID").rows() == [(11, "1056")] and "35.1" in contradiction["MESSAGE"][0]
    assert any("Column ER holds values and its header is blank" in text for text in messages("blank-header"))
    assert any("%CAR by flow/100) * %T by flow" in text and "EF3 ('Day 0_%CAR (%of T)')" in text for text in messages("header-comment"))
    marked = " ".join(messages("marked-cell"))
    for cell in ("AB9", "AJ13", "MU37", "XE59", "DX45"):
        assert cell in marked
    unmarked = " ".join(messages("unmarked-cell"))
    assert "5001 under 'IL-18' stands without the colour in 9 cells" in unmarked and "the highest value is 432390" in unmarked
    codes = source().findings.filter(pl.col("RULE").is_in(["missing-code", "not-done"]))
    written = [
        sheet().cell(row, col).coordinate
        for row in range(4, 63)
        for col in range(1, 630)
        if sheet().cell(row, col).value in ("-", "---", "N/A", "Hemolyzed")
    ]
    assert sorted(text.split(" in cell ")[1].split(",")[0] for text in codes["MESSAGE"]) == sorted(written) and len(written) == 12
    texts = sum(
        isinstance(value, str) and number(value) is not None
        for row in sheet().iter_rows(min_row=4, max_row=62, values_only=True)
        for value in row
    )
    assert texts == 1443 and any(text.startswith("1443 numbers in 50 columns are stored as text") for text in messages("text-number"))
    for rule in (
        "fractional-day",
        "repeated-header",
        "unmapped-column",
        "blank-column",
        "rows-below",
        "value-missing",
        "pile-up",
        "checks-passed",
    ):
        assert messages(rule), rule
    assert not messages("outside-range") and not messages("day-missing")
    assert all(text.endswith(".") for text in source().findings["MESSAGE"])


@needs_sheet
def test_every_record_names_its_row_and_column() -> None:
    from openpyxl.utils import column_index_from_string as index

    labs = source().domains["LB"]
    for row, letters, result in labs.select("ROW", "SRCCOL", "LBORRES").filter(pl.col("LBORRES").is_not_null()).sample(400, seed=1).rows():
        value = sheet().cell(row, index(letters.split(";")[0])).value
        assert number(value) == number(result) or result in ("MRD-", "MRD+")
    assert labs.group_by("USUBJID", "LBSEQ").len()["len"].max() == 1


def test_brudno_is_a_listing_of_events() -> None:
    """Fifteen of twenty rows of PMC4872017, table 2, read against the table as printed (`independent`: typed from the page)."""
    from cartrial.study import Study

    folder = ROOT / "examples" / "brudno2016"
    assert Study.load(folder).study.listing_only
    read = read_mapped(folder, folder / "data")
    assert read.level == "events" and "events-only" in read.findings["RULE"].to_list()
    calls = read.domains["RS"].filter(pl.col("RSTESTCD") == "OVRLRESP")
    printed = [
        "SD",
        "SD",
        "PD",
        "SD",
        "CR",
        "SD",
        "PD",
        "SD",
        "PR",
        "SD",
        "PR",
        "MRD-negative CR",
        "SD",
        "MRD-negative CR",
        "MRD-negative CR",
    ]
    assert calls["RSORRES"].to_list() == printed
    months = read.domains["RS"].filter(pl.col("RSTESTCD") == "FUPINT")
    assert months["RSSTRESN"].to_list() == [3, 1, 31, 30, 3, 24, 3, 2, 18, 16, 9, 5, 3]
    assert months.filter(pl.col("RSENRTPT") == "ONGOING")["USUBJID"].to_list() == ["P4", "P5", "P8", "P11", "P12"]
    assert read.domains["EX"]["EXDOSE"].to_list() == [0.4, 0.7, 2.4, 2.2, 1.0, 4.6, 0.7, 3.9, 2.2, 7.8, 3.1, 5.2, 7.1, 7.0, 6.9]
    assert not any(
        name.endswith("DTC") for frame in read.domains.values() for name in frame.columns if frame[name].null_count() < frame.height
    )


@pytest.mark.slow
@needs_sheet
def test_the_study_finds_its_levels_and_rates_in_it() -> None:
    from cartrial.endpoints import derive
    from cartrial.sdtm import read_sdtm
    from cartrial.study import Study

    study = Study.load(EXAMPLE)
    adam = derive(study, read_sdtm(DATA, mapping=EXAMPLE / "mapping.yaml"))
    for item in study.baseline:
        assert set(adam.adsl[item.id].drop_nulls()) <= set(item.levels), item.id
    assert Counter(adam.adsl["EMD"]) == {"N": 47, "Y": 12}
    blasts = [value for value in map(number, column("N")) if value is not None]
    levels = ["below 5 %" if value < 5 else "5 to below 25 %" if value < 25 else "25 % or more" for value in blasts]
    assert Counter(adam.adsl["BURDEN"].drop_nulls()) == Counter(levels)
    counts = adam.adrs.group_by("PARAMCD", "VARIANT").agg((pl.col("AVAL") == 1).sum().alias("n"), pl.len().alias("N"))
    found = {(name, variant): (n, total) for name, variant, n, total in counts.rows()}
    assert found[("ORR", "")] == (42, 59) and found[("ORR", "population=assessed")] == (42, 58)
    assert found[("MRDNEG", "")] == (37, 59) and found[("MRDNEGR", "")] == (37, 42)
