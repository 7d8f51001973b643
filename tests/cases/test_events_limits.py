"""In which unit is a limit of detection, in its cell and beside a value that says per cent?

Expected values: by hand from rules, paragraphs A8 and A13, written before the code ran: 0.01 % is 1e-4, the limit of the study.
"""

from __future__ import annotations

from pathlib import Path

import openpyxl
import polars as pl
import pytest

from cartrial import InputError
from cartrial.sdtm.mapping import read_mapped
from cartrial.sdtm.vocabulary.results import BELOW, EXACT, NEGATIVE, result_columns
from cases.events_sheet import derived, filled


def limits(place: Path) -> list[tuple[int, float | None, float]]:
    """Return REL, VALUE and LOD of each record of LB, as fractions."""
    return result_columns(read_mapped(place, place).domains["LB"]).select("REL", "VALUE", "LOD").rows()


def test_a_limit_in_per_cent_is_a_fraction(tmp_path: Path) -> None:
    said = ("0.01%", "0.01 %", "0.0001", "1E-4", "0.1%")
    place = filled(tmp_path, *({"mrd": "NEGATIVE", "mrd_limit": limit} for limit in said))
    assert limits(place) == [(NEGATIVE, None, 1e-4)] * 4 + [(NEGATIVE, None, 1e-3)]
    calls = derived(place).adam.adresp.filter(READER="INV").sort("USUBJID")
    assert calls["MRD"].to_list() == ["NEGATIVE"] * 4 + ["NOT EVALUABLE"]


def test_one_column_of_limits_is_read_in_one_unit(tmp_path: Path) -> None:
    """0.001 is 1e-3 beside a word, a percentage and a limit in per cent: none of the three is evaluable."""
    said = ("NEGATIVE", "0.005%", "<0.005 %")
    place = filled(tmp_path, *({"mrd": result, "mrd_limit": "0.001"} for result in said), {"mrd": "0.005%", "mrd_limit": "0.00001"})
    assert limits(place) == [(NEGATIVE, None, 1e-3), (EXACT, 5e-5, 1e-3), (BELOW, None, 1e-3), (EXACT, 5e-5, 1e-5)]
    calls = derived(place).adam.adresp.filter(READER="INV").sort("USUBJID")
    assert calls["MRD"].to_list() == ["NOT EVALUABLE"] * 3 + ["NEGATIVE"]


def test_a_limit_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'10 in a million' is no number"):
        limits(filled(tmp_path, {"mrd": "NEGATIVE", "mrd_limit": "10 in a million"}))


def test_a_number_of_no_percentage_in_per_cent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2, cell C2, C \(age\): the cell says 30% per cent, and AGE is no percentage"):
        read_mapped(*[filled(tmp_path, {"age": "30%"})] * 2)


RULES = """\
schema: 1
study-id: inaticel-pivotal
source: invented
table: {{file: t.xlsx}}
subject: id
rules:
  - {{id: mrd, domain: LB, test: MRD, column: mrd, day: 28, {}also: {{LBLOD: {{column: limit, type: number}}}}}}
"""


def workbook(folder: Path, unit: str, *rows: tuple[float, str, float, str]) -> Path:
    """Write values and limits with their formats."""
    (folder / "mapping.yaml").write_text(RULES.format(f"unit: {unit}, " if unit else ""), encoding="utf-8")
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "mrd", "limit"])
    for number, (result, shown, limit, format_) in enumerate(rows, 2):
        sheet.append([f"P{number}", result, limit])
        sheet.cell(number, 2).number_format, sheet.cell(number, 3).number_format = shown, format_
    book.save(folder / "t.xlsx")
    return folder


def test_percent_cells_of_values_and_limits(tmp_path: Path) -> None:
    """A13: a cell that is shown as 0.01% stores 0.0001. Each value is 5e-5, each limit 1e-4, in whatever format."""
    cells = [(5e-5, shown, 1e-4, limit) for shown in ("General", "0.000%") for limit in ("General", "0.000%")]
    for unit in ("", "fraction"):
        assert limits(workbook(tmp_path, unit, *cells)) == [(EXACT, 5e-5, 1e-4)] * 4
    # in a rule of per cent what stands alone is per cent
    cells = [(5e-3, "General", 1e-2, "General"), (5e-5, "0.000%", 1e-4, "0.000%")]
    assert limits(workbook(tmp_path, '"%"', *cells)) == [(EXACT, 5e-5, 1e-4)] * 2


def test_a_limit_in_per_cent_of_another_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the cell says 0\.01 %, and the unit of rule 'mrd' is none of per cent"):
        limits(workbook(tmp_path, "cells/10^4", (2, "General", 1e-4, "0.00%")))


def test_a_percent_sign_in_a_result_is_of_the_result_alone() -> None:
    """A8, in SDTM: LBLOD 0.001 without a unit is a fraction beside a word and beside a percentage; with the unit % it is per cent."""
    lb = {"LBTESTCD": "MRD", "LBSTRESC": ["NEGATIVE", "0.005%", "<0.005%"], "LBLOD": 1e-3}
    assert result_columns(pl.DataFrame(lb))["LOD"].to_list() == [1e-3] * 3
    assert result_columns(pl.DataFrame(lb | {"LBSTRESU": "%"}))["LOD"].to_list() == [1e-5] * 3
