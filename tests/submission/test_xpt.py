"""XPT, version 5, and Dataset-JSON 1.1: what is written is what stands in the set.

Origin: `published` (SAS technical paper TS-140: the layout and its example), `independent` (bytes decoded by rational arithmetic; the
reader pyreadstat, which shares no code with the writer).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.submission.adam.shaped import Shaped
from cartrial.submission.files.dataset_json import dataset_json_bytes
from cartrial.submission.files.text import planned_lengths, require_writable
from cartrial.submission.files.xpt import ibm_doubles, xpt_bytes
from cartrial.submission.variables import Dataset, Variable

VARIABLES = (
    Variable("USUBJID", "text", "Unique Subject Identifier", "受试者唯一编号", "DM.USUBJID"),
    Variable("AVAL", "float", "Analysis Value", "分析值", "by hand"),
    Variable("AVALC", "text", "Analysis Value (C)", "分析值(字符)", "by hand"),
    Variable("ADT", "date", "Analysis Date", "分析日期", "by hand"),
    Variable("CNSR", "integer", "Censor", "删失", "by hand"),
)
SET = Dataset("ADTTE", "Time to Event", "事件时间", "BASIC DATA STRUCTURE", "one", ("USUBJID",), VARIABLES)
FRAME = pl.DataFrame(
    {
        "USUBJID": ["S-1", "S-2", "S-3"],
        "AVAL": [0.1, None, 1e70],
        "AVALC": ["relapse", None, "d"],
        "ADT": [dt.date(1959, 12, 31), None, dt.date(2022, 9, 27)],
        "CNSR": [0, 1, None],
    }
)


def decoded(data: bytes) -> Fraction | None:
    """IBM floating point by TS-140: sign, excess-64 exponent of 16, 56 bits of fraction; a first byte of `.` alone is missing."""
    if data == b"\x2e" + b"\0" * 7:
        return None
    size = Fraction(int.from_bytes(data[1:], "big"), 2**56) * Fraction(16) ** ((data[0] & 0x7F) - 64)
    return -size if data[0] & 0x80 else size


@pytest.mark.shows("FMT-xpt-v5")
def test_every_double_is_exact() -> None:
    """0, powers of 2 and their neighbours, 2^53, the ends of the range, and 5,000 at random: decoded as fractions, not as floats."""
    rng = np.random.default_rng(1)
    powers = [2.0**k for k in range(-259, 252)]
    odd = [math.nextafter(x, 0) for x in powers[1:]] + [math.nextafter(x, math.inf) for x in powers]
    ends = [0.0, 2.0**53, 2.0**53 - 1, 5.4e-79, 7.2e75, 0.1, 1 / 3, 118.625]
    drawn = rng.uniform(0.1, 1, 5_000) * 10.0 ** rng.integers(-77, 75, 5_000)
    values = np.array([*powers, *odd, *ends, *drawn])
    values = np.concatenate([values, -values])
    rows = ibm_doubles(values)
    assert [decoded(row.tobytes()) for row in rows] == [Fraction(value) for value in values.tolist()]
    assert decoded(ibm_doubles(np.array([math.nan]))[0].tobytes()) is None


@pytest.mark.shows("FMT-xpt-v5")
def test_an_independent_reader_finds_values_labels_formats_and_lengths(tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    path = tmp_path / "adtte.xpt"
    path.write_bytes(xpt_bytes(SET, FRAME, {"USUBJID": 11, "AVALC": 9}))
    columns, meta = pyreadstat.read_xport(str(path), output_format="dict")
    assert columns["USUBJID"] == ["S-1", "S-2", "S-3"] and columns["AVALC"] == ["relapse", "", "d"]
    assert columns["AVAL"] == [0.1, None, 1e70]
    assert columns["ADT"] == FRAME["ADT"].to_list() and columns["CNSR"] == [0.0, 1.0, None]
    assert meta.column_labels == [variable.label for variable in VARIABLES]
    assert (meta.table_name, meta.file_label) == ("ADTTE", "Time to Event")
    assert meta.original_variable_types["ADT"] == "DATE9"
    assert [meta.variable_storage_width[name] for name in SET_NAMES] == [11, 8, 9, 8, 8]


SET_NAMES = [variable.name for variable in VARIABLES]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_labels_and_values_in_chinese(encoding: str, tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    frame = FRAME.with_columns(AVALC=pl.Series(["复发", "死亡", None]))
    lengths = planned_lengths([Shaped(SET, frame)], encoding)
    assert lengths["AVALC"] == {"utf-8": 6, "gb18030": 4}[encoding]
    path = tmp_path / "adtte.xpt"
    path.write_bytes(xpt_bytes(SET, frame, lengths, encoding=encoding, language="zh"))
    columns, meta = pyreadstat.read_xport(str(path), output_format="dict", encoding=encoding)
    assert columns["AVALC"] == ["复发", "死亡", ""]
    assert meta.column_labels == [variable.chinese for variable in VARIABLES]


def test_what_cannot_be_written_is_refused() -> None:
    """ASCII has no Chinese letters; typographic signs are written out; 200 bytes are the most; numbers have a range."""
    plain = Shaped(SET, FRAME.with_columns(AVALC=pl.lit("≥ 5 × 10⁹/L")))
    require_writable({"ADTTE": plain}, "ascii", "en")
    assert planned_lengths([plain], "ascii")["AVALC"] == len(">= 5 x 10^9/L")
    for text, word in (("复发", "letters that ascii lacks"), ("x" * 201, "201 bytes")):
        with pytest.raises(InputError, match=word):
            require_writable({"ADTTE": Shaped(SET, FRAME.with_columns(AVALC=pl.lit(text)))}, "ascii", "en")
    with pytest.raises(InputError, match="out of range"):
        xpt_bytes(SET, FRAME.with_columns(AVAL=pl.lit(1e76)), {})


@pytest.mark.shows("FMT-dataset-json-write")
def test_dataset_json_says_the_same() -> None:
    found = json.loads(dataset_json_bytes(Shaped(SET, FRAME), "S", {"USUBJID": 11, "AVALC": 9}, dt.date(2022, 9, 27)))
    assert found["rows"] == [["S-1", 0.1, "relapse", "1959-12-31", 0], ["S-2", None, "", None, 1], ["S-3", 1e70, "d", "2022-09-27", None]]
    assert found["columns"][3] == {
        **{"itemOID": "IT.ADTTE.ADT", "name": "ADT", "label": "Analysis Date", "dataType": "date"},
        **{"targetDataType": "integer", "displayFormat": "DATE9."},
    }
    assert (found["records"], found["columns"][0]["keySequence"], found["columns"][2]["length"]) == (3, 1, 9)
