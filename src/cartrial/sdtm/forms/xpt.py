"""How is a SAS transport file, version 5, read and written, and what may it hold?

The bytes are read and written by pyreadstat (ReadStat); the limits of the format (SAS technical paper TS-140) are kept here, since it
lets some of them pass.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.sdtm.forms.text import decoded
from cartrial.sdtm.vocabulary.schema import domain_label, variable_label

__all__ = ["read_xpt_table", "xpt_bytes"]

CARD = 80
LIBRARY = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
LIBRARY_8 = b"HEADER RECORD*******LIBV8   HEADER RECORD!!!!!!!"
MEMBER = b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
NAMES = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
OBSERVATIONS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
# Where the library and the member say when they were made, and what is written there instead: equal data give equal bytes.
STAMPS = (144, 160, 464, 480)
STAMP = b"01JAN70:00:00:00"
# Magnitudes that IBM floating point holds.
LARGEST, SMALLEST = 7.2e75, 5.4e-79


def read_xpt_table(data: bytes, file: str) -> pl.DataFrame:
    """Return an XPT version 5 file as a frame; a byte of its text that is no UTF-8 is marked (`cartrial.sdtm.forms.text`).

    Raises
    ------
    InputError
        If pyreadstat is not installed, or the file is of another version, holds no or several data sets, or is cut off.

    Notes
    -----
    The format does not say how many records there are: a file cut off exactly between two records reads as a whole one.
    """
    _layout(data, file)
    pyreadstat = require("pyreadstat", extra="formats")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.xpt"
        path.write_bytes(data)
        try:
            columns, meta = pyreadstat.read_xport(str(path), output_format="dict")
        except Exception:
            # text of another encoding, or text of UTF-8 that was cut within a letter: read byte by byte
            columns, meta = _bytewise(pyreadstat, path, file)
    types = {name: pl.String if meta.readstat_variable_types[name] == "string" else None for name in columns}
    return pl.DataFrame([pl.Series(name, values, dtype=types[name], strict=False) for name, values in columns.items()])


def _bytewise(pyreadstat: ModuleType, path: Path, file: str) -> tuple[dict[str, list[Any]], Any]:
    try:
        columns, meta = pyreadstat.read_xport(str(path), output_format="dict", encoding="ISO-8859-1")
    except Exception as error:
        raise InputError(f"the file cannot be read as SAS transport, version 5 ({error})", file=file, right="Write it again") from None

    def text(value: Any) -> Any:
        return decoded(value.encode("latin-1")) if isinstance(value, str) else value

    return {name: [text(value) for value in values] for name, values in columns.items()}, meta


def _layout(data: bytes, file: str) -> list[tuple[str, int]]:
    """Return names and widths of the variables; refuse a file that is not one whole data set of version 5."""
    if not data:
        raise InputError("the file is empty", file=file, right="It is a SAS transport file, version 5")
    if data.startswith(LIBRARY_8):
        raise InputError("the file is SAS transport version 8", file=file, right="Write it as version 5")
    if not data.startswith(LIBRARY):
        raise InputError("the file is no SAS transport file", file=file, right="It starts with LIBRARY HEADER RECORD")
    cut = InputError("the file is cut off", file=file, right="Write or copy it again")
    members = data.count(MEMBER)
    if members > 1:
        raise InputError(f"the file holds {members} data sets", file=file, right="One domain stands in one file")
    names, observations = data.find(NAMES), data.find(OBSERVATIONS)
    if len(data) % CARD or members == 0 or names < 0 or observations < 0:
        raise cut
    try:
        count = int(data[names + 54 : names + 58])
        size = int(data[data.find(MEMBER) + 74 : data.find(MEMBER) + 78])
        first = names + CARD
        entries = [data[first + i * size : first + (i + 1) * size] for i in range(count)]
        layout = [(entry[8:16].decode("latin-1").strip(), struct.unpack(">h", entry[4:6])[0]) for entry in entries]
    except (ValueError, struct.error):
        raise cut from None
    width = sum(each for _, each in layout)
    body = data[observations + CARD :]
    rest = body[len(body) - len(body) % width :] if width else body
    if rest.strip(b" "):
        raise cut
    return layout


def xpt_bytes(frame: pl.DataFrame, domain: str) -> bytes:
    """Return a domain as an XPT version 5 file; equal frames give equal bytes.

    Raises
    ------
    InputError
        If pyreadstat is not installed, or a name is over 8 characters, a label over 40, a text over 200 bytes or not ASCII, or a number
        out of range.
    """
    _require_names(frame, domain)
    for name in frame.columns:
        _require_values(frame, domain, name)
    pyreadstat = require("pyreadstat", extra="formats")
    labels: dict[str, Any] = {name: variable_label(domain, name) for name in frame.columns}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.xpt"
        pyreadstat.write_xport(
            frame, str(path), file_label=domain_label(domain), column_labels=labels, table_name=domain, file_format_version=5
        )
        data = bytearray(path.read_bytes())
    for start in STAMPS:
        data[start : start + len(STAMP)] = STAMP
    return bytes(data)


def _require_names(frame: pl.DataFrame, domain: str) -> None:
    file = f"{domain.lower()}.xpt"
    for name in (domain, *frame.columns):
        if len(name) > 8 or not name.isascii() or not name.replace("_", "A").isalnum() or name[:1].isdigit():
            raise InputError(
                "the name cannot stand in SAS transport version 5",
                file=file,
                key=name,
                right="It has at most 8 letters and digits, a letter first",
            )
    for name in frame.columns:
        label = variable_label(domain, name)
        if len(label) > 40:
            raise InputError(
                f"the label has {len(label)} characters", file=file, key=name, right="SAS transport version 5 holds at most 40"
            )


def _require_values(frame: pl.DataFrame, domain: str, name: str) -> None:
    file = f"{domain.lower()}.xpt"
    column = frame[name]
    if column.dtype == pl.String:
        foreign = frame.with_row_index("__ROW", offset=2).filter(pl.col(name).str.contains(r"[^\x20-\x7E]"))
        if foreign.height:
            row, said = foreign["__ROW"][0], foreign[name][0]
            raise InputError(
                f"the text '{said}' is not plain ASCII",
                file=file,
                row=row,
                key=name,
                right="SAS transport version 5 holds ASCII; write Dataset-JSON or Parquet instead",
            )
        long = frame.with_row_index("__ROW", offset=2).filter(pl.col(name).str.len_bytes() > 200)
        if long.height:
            raise InputError(
                f"the text has {long[name].str.len_bytes()[0]} characters",
                file=file,
                row=long["__ROW"][0],
                key=name,
                right="SAS transport version 5 holds at most 200",
            )
        return
    value = pl.col(name).cast(pl.Float64).abs()
    bad = frame.with_row_index("__ROW", offset=2).filter((value > LARGEST) | ((value < SMALLEST) & (value > 0)) | ~value.is_finite())
    if column.dtype.is_integer():
        bad = frame.with_row_index("__ROW", offset=2).filter(value > 2**53)
    if bad.height:
        raise InputError(
            f"the number {bad[name][0]} is out of range",
            file=file,
            row=bad["__ROW"][0],
            key=name,
            right="SAS transport version 5 holds magnitudes from 5.4e-79 to 7.2e75",
        )
