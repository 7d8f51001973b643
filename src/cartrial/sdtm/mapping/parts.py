"""How does a mapping file name columns, days and tests? The small parts that its rules are made of."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cartrial.yamlfile import Part

__all__ = ["Column", "Columns", "Condition", "Day", "Entry", "Take", "Test"]

_LETTERS = re.compile(r"[A-Z]{1,3}")


class Column(Part):
    """One column of the table. A word alone is its letter (one to three capitals), else its header.

    Parameters
    ----------
    letter : str, optional
        `A`, `XE`.
    header : tuple of str
        The headers of its header rows, top to bottom; fewer than there are rows are the lowest ones.
    occurrence : int, optional
        Which of several columns of that header, from 1. A repeated header without it is an error.
    """

    letter: str | None = None
    header: tuple[str, ...] = ()
    occurrence: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        if isinstance(data, str | int | float):
            word = str(data).strip()
            return {"letter": word} if _LETTERS.fullmatch(word) else {"header": [word]}
        return data

    @field_validator("header", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> Column:
        if (self.letter is None) == (not self.header):
            raise ValueError("a column is given by its letter or by its header")
        if self.letter is not None and not _LETTERS.fullmatch(self.letter):
            raise ValueError(f"'{self.letter}' is no column letter; letters are A to XFD")
        return self

    def __str__(self) -> str:
        return self.letter or " / ".join(self.header)


class Columns(Part):
    """Several columns: a list, or `{from: ET, to: VY}`."""

    list_: tuple[Column, ...] = Field(default=(), alias="list")
    from_: Column | None = Field(default=None, alias="from")
    to: Column | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        if isinstance(data, list):
            return {"list": data}
        return {"list": [data]} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _one(self) -> Columns:
        if bool(self.list_) == (self.from_ is not None) or (self.from_ is None) != (self.to is None):
            raise ValueError("columns are a list, or {from: ..., to: ...}")
        return self


class Take(Part):
    """A column that fills one more variable of the record: `AETOXGR: {column: E}`, or `AETOXGR: E`."""

    column: Column
    type: Literal["number", "text", "date"] = "text"
    map: dict[str, str | None] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"column": data} if isinstance(data, str) or (isinstance(data, dict) and "column" not in data and "header" in data) else data


class Condition(Part):
    """The record stands only where a column holds one of these values."""

    column: Column
    is_: tuple[str, ...] = Field(alias="is", min_length=1)

    @field_validator("is_", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]


class Day(Part):
    """The study day of a record, day 0 being the first infusion: a number, or from a column, or from a header.

    Parameters
    ----------
    nominal : float, optional
        A fixed day; where `column` is given too, the day of cells that are blank there. Unit: days.
    column : Column, optional
    header : int, optional
        The header row (of the sheet) that states the day, found by `pattern` (one group).
    """

    nominal: float | None = None
    column: Column | None = None
    header: int | None = None
    pattern: str = r"(-?\d+)"

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        if isinstance(data, int | float):
            return {"nominal": data}
        return {"column": data} if isinstance(data, str) else data


class Test(Part):
    """The test of a record: its code, or one for each header of a block of columns.

    Parameters
    ----------
    code : str, optional
        --TESTCD.
    header : int, optional
        The header row (of the sheet) that names the test.
    map : dict
        Header to --TESTCD, or to `{test, unit, specimen}`. A header that is not in it is an error; `null` leaves the column out.
    """

    __test__ = False

    code: str | None = None
    header: int | None = None
    map: dict[str, str | dict[str, str] | None] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"code": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _one(self) -> Test:
        if (self.code is None) == (self.header is None):
            raise ValueError("a test is a code, or {header: row, map: {...}}")
        for code in [self.code] if self.code else [_code(value) for value in self.map.values() if value]:
            if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,7}", code or ""):
                raise ValueError(f"'{code}' is no test code; a test code has at most 8 capitals and digits")
        for value in self.map.values():
            if isinstance(value, dict) and set(value) - {"test", "unit", "specimen"}:
                raise ValueError("a test is mapped to a code or to {test, unit, specimen}")
        return self


def _code(value: str | dict[str, str]) -> str:
    return value.get("test", "") if isinstance(value, dict) else value


class Entry(Part):
    """One column of a rule with what it says for itself; the rest is the rule's."""

    column: Column
    day: Day | None = None
    date: Column | None = None
    test: Test | None = None
    visit: str | None = None
    unit: str | None = None
    specimen: str | None = None
    method: str | None = None
    set: dict[str, str] = Field(default_factory=dict)
