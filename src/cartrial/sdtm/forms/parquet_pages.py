"""Do the pages of a Parquet file hold as many values as the file says they do?

A page that states thousands of millions of values makes the reader ask for that much memory, and the whole process ends there: no exception
is raised that could become a message. The heads of the pages are therefore read beforehand, and the values themselves are not.
"""

from __future__ import annotations

import struct
from typing import Any

__all__ = ["pages_fit"]

_MARK = b"PAR1"
_DEEPEST = 12
# numbers of the fields in parquet.thrift of the Apache Parquet format, version 2.10
_ROW_GROUPS, _COLUMNS, _META = 4, 1, 3
_VALUES, _PLAIN_SIZE, _SIZE, _DATA_AT, _DICTIONARY_AT = 5, 6, 7, 9, 11
_PAGE_PLAIN_SIZE, _PAGE_SIZE, _DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_2 = 2, 3, 5, 7, 8


def pages_fit(data: bytes) -> bool:
    """Say whether every page of a Parquet file lies in its column and states no more values than the column has.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    bool
        False too where the heads cannot be read. A dictionary may hold more words than are used, but none of less than a byte.

    Notes
    -----
    Source: Apache Parquet format 2.10 (parquet.thrift) and the compact protocol of Apache Thrift.

    Examples
    --------
    >>> import io
    >>> import polars as pl
    >>> from cartrial.sdtm.forms.parquet_pages import pages_fit
    >>> file = io.BytesIO()
    >>> pl.DataFrame({"USUBJID": ["01", "02"]}).write_parquet(file)
    >>> pages_fit(file.getvalue()), pages_fit(file.getvalue()[:-9])
    (True, False)
    """
    try:
        length = int.from_bytes(data[-8:-4], "little")
        if data[:4] != _MARK or data[-4:] != _MARK or not 0 < length <= len(data) - 12:
            return False
        footer = _Heads(data, len(data) - 8 - length).structure()
        return all(_column_fits(data, column[_META]) for group in footer[_ROW_GROUPS] for column in group[_COLUMNS])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error):
        return False


def _column_fits(data: bytes, column: dict[int, Any]) -> bool:
    at = min(place for place in (column[_DATA_AT], column.get(_DICTIONARY_AT)) if place)
    end = at + column[_SIZE]
    if not 4 <= at <= end <= len(data):
        return False
    while at < end:
        heads = _Heads(data, at)
        page = heads.structure()
        at = heads.at + page[_PAGE_SIZE]
        if not 0 <= page[_PAGE_SIZE] <= end - heads.at or not 0 <= page[_PAGE_PLAIN_SIZE] <= column[_PLAIN_SIZE]:
            return False
        most = page[_PAGE_PLAIN_SIZE] if _DICTIONARY_PAGE in page else column[_VALUES]
        stated = next((page[kind][1] for kind in (_DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_2) if kind in page), 0)
        if not 0 <= stated <= most:
            return False
    return True


class _Heads:
    """Reads structures of Thrift's compact protocol: field number to number, bytes, list or structure."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def structure(self, depth: int = 0) -> dict[int, Any]:
        if depth > _DEEPEST:
            raise ValueError
        fields: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != 0:
            number = number + (head >> 4) if head >> 4 else self._whole()
            kind = head & 15
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2, 3):
            return self._byte()
        if kind in (4, 5, 6):
            return self._whole()
        if kind == 7:
            self.at += 8
            return struct.unpack_from("<d", self.data, self.at - 8)[0]
        if kind == 8:
            return self._bytes()
        if kind in (9, 10):
            head = self._byte()
            size = head >> 4 if head >> 4 != 15 else self._plain()
            return [self.structure(depth + 1) if head & 15 == 12 else self._value(head & 15, depth + 1) for _ in range(self._bounded(size))]
        if kind == 12:
            return self.structure(depth + 1)
        raise ValueError

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _bytes(self) -> bytes:
        size = self._bounded(self._plain())
        self.at += size
        return self.data[self.at - size : self.at]

    def _bounded(self, size: int) -> int:
        """Refuse a size that the rest of the file cannot hold."""
        if size > len(self.data) - self.at:
            raise ValueError
        return size

    def _plain(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError

    def _whole(self) -> int:
        value = self._plain()
        return (value >> 1) ^ -(value & 1)
