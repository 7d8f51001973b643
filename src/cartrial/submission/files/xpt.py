"""How is a set written as a SAS transport file, version 5 (SAS technical paper TS-140)?

Written here and not by a library: a shared variable has one length in the whole study, bytes are equal in every run, and labels may be in
another encoding than ASCII. pyreadstat takes widths from the data of one set, puts the time into the file, and cuts the largest doubles.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.submission.files.text import encoded
from cartrial.submission.variables import Dataset, Variable

__all__ = ["ibm_doubles", "xpt_bytes"]

_CARD = 80
_LARGEST, _SMALLEST = 7.237005577332262e75, 5.397605346934028e-79
_SAS, _SYSTEM = (b"SAS     ", b"SAS     "), (b"9.4     ", b"X64_10PR")
_STAMP = b"01JAN60:00:00:00"
_EPOCH = -3653  # 1960-01-01 in days from 1970-01-01


def ibm_doubles(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return doubles as IBM floating point, eight bytes each; NaN is SAS's missing value.

    Exact for every double from 5.4e-79 to 7.2e75 in size: 56 bits of fraction hold the 53 of a double, shifted by at most three.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of uint8, shape (n, 8)

    Examples
    --------
    The first value is an example of the technical paper (1.0 is 0x4110000000000000).

    >>> import numpy as np
    >>> from cartrial.submission.files.xpt import ibm_doubles
    >>> [row.tobytes().hex() for row in ibm_doubles(np.array([1.0, -118.625, 0.0]))]
    ['4110000000000000', 'c276a00000000000', '0000000000000000']
    """
    fraction, exponent = np.frexp(np.abs(np.nan_to_num(values)))
    sixteen = -(-exponent.astype(np.int64) // 4)
    bits = (fraction * 2.0**53).astype(np.uint64) << np.uint64(3) >> (4 * sixteen - exponent).astype(np.uint64)
    first = ((sixteen + 64).astype(np.uint64) | np.where(np.signbit(values), 0x80, 0).astype(np.uint64)) << np.uint64(56)
    words = np.where(bits == 0, np.uint64(0), first | bits)
    words = np.where(np.isnan(values), np.uint64(0x2E) << np.uint64(56), words)
    return words.astype(">u8").view(np.uint8).reshape(-1, 8)


def xpt_bytes(dataset: Dataset, frame: pl.DataFrame, lengths: Mapping[str, int], *, encoding: str = "ascii", language: str = "en") -> bytes:
    """Return a set as the bytes of an XPT version 5 file; equal sets give equal bytes.

    Parameters
    ----------
    dataset : Dataset
        Name, label and variables.
    frame : polars.DataFrame
        A column for each variable: text, whole numbers, numbers, dates (written as SAS dates with the format DATE9.).
    lengths : mapping of str to int
        Bytes of each text variable.
    encoding : str
        Of text and labels.
    language : str
        Of labels, `en` or `zh`.

    Raises
    ------
    InputError
        If a number is beyond what the format holds.
    """
    parts, namestrs, place = [], [], 0
    for number, variable in enumerate(dataset.variables, 1):
        block = _column(dataset.name, variable, frame[variable.name], lengths.get(variable.name, 8), encoding)
        parts.append(block)
        namestrs.append(_namestr(variable, number, block.shape[1], place, encoding, language))
        place += block.shape[1]
    rows = np.concatenate(parts, axis=1) if frame.height else np.zeros((0, place), np.uint8)
    head = _headers(dataset, len(namestrs), encoded(dataset.labelled(language), encoding))
    names = _padded(b"".join(namestrs))
    return head + names + _record("OBS     ", "0" * 30) + _padded(rows.tobytes())


def _record(kind: str, rest: str) -> bytes:
    return f"HEADER RECORD*******{kind}HEADER RECORD!!!!!!!{rest}  ".encode("ascii")


def _padded(data: bytes) -> bytes:
    return data + b" " * (-len(data) % _CARD)


def _headers(dataset: Dataset, variables: int, label: bytes) -> bytes:
    made = b"".join((*_SYSTEM, b" " * 24, _STAMP))
    return b"".join(
        (
            _record("LIBRARY ", "0" * 30),
            b"".join((*_SAS, b"SASLIB  ", made)),
            _STAMP.ljust(_CARD),
            _record("MEMBER  ", "000000000000000001600000000140"),
            _record("DSCRPTR ", "0" * 30),
            b"".join((_SAS[0], dataset.name.encode("ascii").ljust(8), b"SASDATA ", made)),
            _STAMP + b" " * 16 + label.ljust(40) + b" " * 8,
            _record("NAMESTR ", f"000000{variables:04d}" + "0" * 20),
        )
    )


def _namestr(variable: Variable, number: int, width: int, place: int, encoding: str, language: str) -> bytes:
    form = (b"DATE", 9) if variable.kind == "date" else (b"", 0)
    return struct.pack(
        ">hhhh8s40s8shhh2s8shhl52s",
        *(2 if variable.kind == "text" else 1, 0, width, number),
        *(variable.name.encode("ascii").ljust(8), encoded(variable.labelled(language), encoding).ljust(40)),
        *(form[0].ljust(8), form[1], 0, 0, b"", b"        ", 0, 0, place, b""),
    )


def _column(name: str, variable: Variable, column: pl.Series, width: int, encoding: str) -> NDArray[np.uint8]:
    if variable.kind == "text":
        return _texts(column, width, encoding)
    if variable.kind == "date":
        return ibm_doubles((column.cast(pl.Int32).cast(pl.Float64) - _EPOCH).fill_null(float("nan")).to_numpy().astype(np.float64))
    values = column.cast(pl.Float64)
    size = values.abs()
    bad = column.filter((size > _LARGEST) | ((size < _SMALLEST) & (size > 0)) | ~values.is_finite())
    if len(bad):
        right = "SAS transport version 5 holds magnitudes from 5.4e-79 to 7.2e75"
        raise InputError(f"the number {bad[0]} is out of range", file=f"{name.lower()}.xpt", key=variable.name, right=right)
    return ibm_doubles(values.fill_null(float("nan")).to_numpy().astype(np.float64))


def _texts(column: pl.Series, width: int, encoding: str) -> NDArray[np.uint8]:
    """Return texts of one width, padded with blanks: each different text is encoded once."""
    texts = column.fill_null("")
    different = texts.unique().sort()
    block = b"".join(encoded(text, encoding).ljust(width) for text in different.to_list())
    table = np.frombuffer(block, np.uint8).reshape(len(different), width)
    places = texts.to_frame("T").join(pl.DataFrame({"T": different}).with_row_index("I"), on="T", how="left", maintain_order="left")["I"]
    block_of_rows: NDArray[np.uint8] = table[places.to_numpy()]
    return block_of_rows
