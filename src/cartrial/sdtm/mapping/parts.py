"""How does a mapping file name columns, days and tests, and do its names fit together? The small parts that its rules are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cartrial.yamlfile import FARTHEST, Part, nearest, wrong

__all__ = ["Column", "Columns", "Condition", "Day", "Entry", "Names", "Take", "Test", "misfits", "names_of"]

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
            raise wrong("a column is given by its letter or by its header", right="Write one of the two, such as B or {header: Age}")
        if self.letter is not None and not _LETTERS.fullmatch(self.letter):
            raise wrong(f"'{self.letter}' is no column letter", "letter", right="Letters are A to XFD")
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
            raise wrong("the columns are neither a list nor a range", right="Write [B, C], or {from: B, to: F}")
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

    nominal: float | None = Field(default=None, ge=-FARTHEST, le=FARTHEST)
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
            raise wrong("a test is a code, or read from a header", right="Write its code, or {header: row, map: {...}}")
        for code in [self.code] if self.code else [_code(value) for value in self.map.values() if value]:
            if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,7}", code or ""):
                raise wrong(f"'{code}' is no test code", right="A test code has at most 8 capitals and digits")
        for value in self.map.values():
            if isinstance(value, dict) and set(value) - {"test", "unit", "specimen"}:
                raise wrong("a test is mapped to something else than a code", "map", right="Map it to a code, or to {test, unit, specimen}")
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


@dataclass(frozen=True)
class Names:
    """What of a mapping file names something, or uses a name.

    Parameters
    ----------
    rules : list of (id, repeats, table)
        In their order; repeats and table are None where they are not given.
    checks : list of (check, rules, table)
    tables : dict of str to bool
        Tables by name, and whether they say which column has the subject key.
    table : bool or None
        The same of the one table without a name; None where there is none.
    subject : bool
        Whether the mapping itself says it.
    """

    rules: list[tuple[str, str | None, str | None]]
    checks: list[tuple[str, list[str], str | None]]
    tables: dict[str, bool]
    table: bool | None
    subject: bool


def names_of(data: dict[str, Any]) -> Names:
    """Return the names in a file some of whose values are wrong."""

    def parts(key: str) -> list[dict[str, Any]]:
        found = data.get(key)
        return [part if isinstance(part, dict) else {} for part in found] if isinstance(found, list) else []

    def text(part: dict[str, Any], key: str) -> str | None:
        return str(part[key]) if isinstance(part.get(key), str | int | float) else None

    def listed(part: dict[str, Any]) -> list[str]:
        found = part.get("rules")
        return [str(name) for name in found] if isinstance(found, list) else [found] if isinstance(found, str) else []

    tables = data["tables"] if isinstance(data.get("tables"), dict) else {}
    table = data.get("table")
    return Names(
        [(text(rule, "id") or "", text(rule, "repeats"), text(rule, "table")) for rule in parts("rules")],
        [(text(check, "check") or "", listed(check), text(check, "table")) for check in parts("checks")],
        {str(name): isinstance(part, dict) and "subject" in part for name, part in tables.items()},
        "subject" in table if isinstance(table, dict) else None if table is None else True,
        "subject" in data or any(str(key).startswith("subj") for key in data),
    )


def misfits(names: Names) -> Iterator[PydanticCustomError]:
    """Yield every name that stands twice or is not known where it is used."""
    if (names.table is None) == (not names.tables):
        yield wrong("a mapping has one table, or several tables by name", right="Write table, or tables with a name for each")
    if names.table is False and not names.subject:
        yield wrong("the column of the subject key is not given", right="Give subject")
    for name, given in names.tables.items():
        if not given and not names.subject:
            yield wrong("the column of the subject key is not given", "tables", name, right="Give subject")
    places = (("rules", [table for _, _, table in names.rules]), ("checks", [table for _, _, table in names.checks]))
    for place, tables in places:
        for i, table in enumerate(tables):
            if table is not None and table not in names.tables:
                near = nearest(table, list(names.tables))
                known = f"The nearest is '{near}'" if near else "Name them under tables"
                yield wrong(f"there is no table '{table}'", place, i, "table", right=known)
    yield from _of_rules(names)


def _of_rules(names: Names) -> Iterator[PydanticCustomError]:
    ids = [name for name, _, _ in names.rules]
    for i, (name, repeats, _) in enumerate(names.rules):
        if name and name in ids[:i]:
            yield wrong(f"two rules are called '{name}'", "rules", i, "id", right="Give each its own id")
        if repeats is not None and repeats not in ids[:i]:
            near = nearest(repeats, ids[:i])
            right = f"The nearest is '{near}'" if near else "Name the id of a rule that stands before it"
            yield wrong(f"rule '{name}' repeats '{repeats}', which is no rule above it", "rules", i, "repeats", right=right)
    for i, (check, rules, _) in enumerate(names.checks):
        for name in rules:
            if name not in ids:
                near = nearest(name, ids)
                what = f"a {check} check names the rule '{name}', which there is not" + (f"; the nearest is '{near}'" if near else "")
                yield wrong(what, "checks", i, "rules", right=f"Known are {', '.join(ids)}")
