"""Do spoilt studies end in one message? A few of those of `benchmarks/fuzz.py`, which makes 5,000.

Expected values: `by hand`, from the issue: no traceback, exit code 0, 1 or 2, nothing half written.
"""

from __future__ import annotations

import importlib.util
import io
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from cartrial.errors import InputError
from cartrial.sdtm.mapping.workbook import open_workbook
from helpers import ROOT
from properties import count

pytest.importorskip("openpyxl", reason="the spoilt workbooks need openpyxl (extra: formats)")
pytest.importorskip("pyreadstat", reason="the spoilt SAS files need pyreadstat (extra: formats)")


@pytest.fixture
def fuzz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark as a module; what fails is kept in a folder of this test."""
    place = ROOT / "benchmarks" / "fuzz.py"
    spec = importlib.util.spec_from_file_location("fuzz", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fuzz", module)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    return module


@pytest.mark.parametrize(("number", "seed"), [(8, 7), pytest.param(100, 8, marks=pytest.mark.slow)])
def test_spoilt_studies_end_in_one_message(number: int, seed: int, fuzz: ModuleType) -> None:
    found = list(fuzz.fuzz(number, seed))
    assert len(found) == number
    assert [(i, name, fault) for i, name, _, fault in found if fault] == []


@pytest.mark.slow
def test_whole_studies_are_read(fuzz: ModuleType, tmp_path: Path) -> None:
    """What the spoilt studies are made from is good: exit code 0."""
    (tmp_path / "bases").mkdir()
    for position, base in enumerate(fuzz.bases(tmp_path / "bases")[:: count(1, quick=3)]):
        for name, content in base.files.items():
            path = tmp_path / str(position) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        code, said = fuzz.run("check", tmp_path / str(position), "--data", tmp_path / str(position) / "data")
        assert code == 0, said


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_workbook_with_a_spoilt_part_is_refused_wherever_it_is_spoilt(packed: int) -> None:
    """Expected: `by hand`, found by fuzzing: every byte of a packed sheet, spoilt in turn, ends in one message or is no fault."""
    import openpyxl

    book, whole, again = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    book.active.append(["USUBJID", "day"])
    book.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(again, "w", packed) as new:
        for part in old.namelist():
            new.writestr(part, old.read(part))
    data = again.getvalue()
    with zipfile.ZipFile(again) as parts:
        sheet = parts.getinfo("xl/worksheets/sheet1.xml")
    begin = sheet.header_offset + 30 + len(sheet.filename)
    refused = 0
    for place in range(begin, begin + sheet.compress_size, 7):
        spoilt = bytearray(data)
        spoilt[place] ^= 0x5A
        try:
            open_workbook("t.xlsx", bytes(spoilt))
        except InputError as error:
            refused += 1
            assert str(error).startswith("t.xlsx: this is not a workbook that can be read")
    assert refused > 5
