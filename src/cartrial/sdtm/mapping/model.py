"""What may a mapping file say? How a spreadsheet becomes SDTM, as frozen objects."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cartrial.errors import InputError
from cartrial.faults import combined
from cartrial.sdtm.mapping.parts import Column, Columns, Condition, Day, Entry, Names, Take, Test, misfits, names_of
from cartrial.sdtm.vocabulary import schema
from cartrial.yamlfile import Lines, Part, nearest, raise_all, read_as, wrong

__all__ = ["DOMAINS", "FINDINGS_DOMAINS", "Check", "Mapping", "Rule", "Table", "read_mapping"]

FINDINGS_DOMAINS = ("LB", "RS", "FA", "SS", "VS", "TU", "TR")
DOMAINS = (*schema.DOMAINS, "MH", "CE", "VS")
Decimal = Literal["point", "comma"]
_GENERAL = ("VISIT", "VISITNUM", "EPOCH")


class Rule(Part):
    """How columns become records of one domain: for each row, one record for each column that holds a value.

    Parameters
    ----------
    table : str, optional
        Which of `tables`; the first unless said.
    column, columns, each : Column, Columns, tuple of Entry
        Which columns; one of the three, or none: one record for each subject.
    into : str, optional
        The variable that takes the value. Findings domains: --ORRES.
    type : {"number", "text", "date"}
        Default: number for LB and VS without `map`, else text.
    map : dict
        Value as collected to what stands in the record: a text (--STRESC in a findings domain), several variables, or `null` for no record.
        A value that is not in it is an error.
    only : tuple of str
        Records only for these values, in any spelling that the code list of `into` knows.
    date_format : tuple of str
        How its dates are written: forms of strptime, `iso`, `excel` (days from 1899-12-30). A text that two of them read
        differently is an error.
    set, also : dict
        Fixed variables; variables from other columns.
    not_done : tuple of str
        Values that say why a test was not done: LBSTAT NOT DONE with LBREASND.
    repeats : str, optional
        A rule whose records these repeat: equal records are dropped and counted, contradictions are findings, the rest is kept.
    assumption : str, optional
        What is assumed and does not stand in the sheet.
    """

    id: str
    domain: str
    table: str | None = None
    column: Column | None = None
    columns: Columns | None = None
    each: tuple[Entry, ...] = ()
    into: str | None = None
    type: Literal["number", "text", "date"] | None = None
    map: dict[str, str | dict[str, str] | None] = Field(default_factory=dict)
    only: tuple[str, ...] = ()
    when: Condition | None = None
    test: Test | None = None
    category: str | None = None
    specimen: str | None = None
    unit: str | None = None
    method: str | None = None
    visit: str | None = None
    day: Day | None = None
    date: Column | None = None
    date_format: tuple[str, ...] = ()
    decimal: Decimal | None = None
    lod: float | None = None
    lloq: float | None = None
    set: dict[str, str] = Field(default_factory=dict)
    also: dict[str, Take] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    not_done: tuple[str, ...] = ()
    repeats: str | None = None
    assumption: str | None = None

    @field_validator("date_format", mode="before")
    @classmethod
    def _forms(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value or ()

    @field_validator("domain")
    @classmethod
    def _domain(cls, value: str) -> str:
        if value.upper() not in DOMAINS:
            near = nearest(value, [name.lower() for name in DOMAINS])
            right = (f"The nearest is {near.upper()}; k" if near else "K") + f"nown are {', '.join(DOMAINS)}"
            raise wrong(f"no domain is called '{value}'", right=right)
        return value.upper()

    @model_validator(mode="after")
    def _complete(self) -> Rule:
        raise_all([*self._of_columns(), *self._of_variables()])
        return self

    def _of_columns(self) -> Iterator[PydanticCustomError]:
        """Yield what the rule does not say of the columns that it reads."""
        if sum((self.column is not None, self.columns is not None, bool(self.each))) > 1:
            yield wrong(f"rule '{self.id}': it reads columns in several ways", right="Give one of column, columns, each")
        if self.columns_given and self.into is None and self.domain not in FINDINGS_DOMAINS and not self.only and not self.map:
            what = f"say into which variable of {self.domain} the value goes (into), or for which values a record stands (only)"
            yield wrong(f"rule '{self.id}': {what}", right=f"Write into: {self.domain}..., or only: [...]")
        tested = self.test is not None or (self.each and all(entry.test for entry in self.each))
        if self.domain in FINDINGS_DOMAINS and self.columns_given and not tested:
            yield wrong(f"rule '{self.id}': a record of {self.domain} needs its test", right="Add test: CODE")

    def _of_variables(self) -> Iterator[PydanticCustomError]:
        """Yield the variables that its domain has not, and the numbers that are none."""
        names = [self.into, *self.set, *self.also, *(name for value in self.map.values() if isinstance(value, dict) for name in value)]
        for name in dict.fromkeys(names):
            if name is not None and not self.allows(name):
                right = f"Names start with {self.domain} or are {', '.join(_GENERAL)}"
                yield wrong(f"rule '{self.id}': {name} is no variable of {self.domain}", right=right)
        numbers = {**self.set, **{name: worth for value in self.map.values() if isinstance(value, dict) for name, worth in value.items()}}
        for name, worth in numbers.items():
            if schema.kind_of(self.domain, name) in ("number", "integer") and not _is_number(worth):
                yield wrong(f"rule '{self.id}': {name} is a number, and '{worth}' is none", right="Write it as 0.5 or 28")

    @property
    def columns_given(self) -> bool:
        """Whether the rule reads columns."""
        return self.column is not None or self.columns is not None or bool(self.each)

    @property
    def codes(self) -> str | None:
        """The code list of the variable that takes its values."""
        domain = schema.DOMAINS.get(self.domain)
        variable = domain.variable(self.into) if domain is not None and self.into else None
        return variable.codes if variable is not None else None

    @property
    def value_type(self) -> str:
        """How its values are read."""
        return self.type or ("number" if self.domain in ("LB", "VS") and not self.map else "text")

    def allows(self, name: str) -> bool:
        """Whether a variable may stand in the rule's domain."""
        return bool(re.fullmatch(r"[A-Z][A-Z0-9]{1,7}", name)) and (self.domain == "DM" or name.startswith(self.domain) or name in _GENERAL)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


class Check(Part):
    """A check of the sheet that belongs to no single record.

    Parameters
    ----------
    table : str, optional
        Which of `tables`; the first unless said.
    check : {"flag", "range", "marked", "pile-up"}
        flag: a yes/no column agrees with what another column says. range: values stand within limits. marked: cells
        with a fill or font colour. pile-up: one number repeated at the low or the high end of a test.
    flag, yes, no : Column, tuple of str
        The flag's column and its values.
    value : Column
        The column that decides it, with one of `is`, `at-least`, `above`, `present`.
    columns : Columns
        range, marked: which columns. `rules` in place of it: all columns of these rules.
    from, to : float
        range: limits, both included; `whole-days`: a day counts as its whole part.
    by, colours : {"fill", "font"}, tuple of str
        marked: colours as AARRGGBB; none: every colour but black and white.
    same_header : bool
        marked: list too where a marked number stands under the same header without the colour.
    low_share, top_count : float, int
        pile-up: a number held by at least this share of a test's values, below its median; a number that stands at least this often
        among the highest 5 %.
    """

    check: Literal["flag", "range", "marked", "pile-up"]
    table: str | None = None
    flag: Column | None = None
    yes: tuple[str, ...] = ("1",)
    no: tuple[str, ...] = ("0",)
    value: Column | None = None
    is_: tuple[str, ...] = Field(default=(), alias="is")
    at_least: float | None = None
    above: float | None = None
    present: bool = False
    columns: Columns | None = None
    rules: tuple[str, ...] = ()
    from_: float | None = Field(default=None, alias="from")
    to: float | None = None
    whole_days: bool = False
    by: Literal["fill", "font"] = "fill"
    colours: tuple[str, ...] = ()
    same_header: bool = False
    low_share: float = Field(default=0.05, gt=0, le=1)
    top_count: int = Field(default=5, ge=2)
    meaning: str
    severity: Literal["note", "warning"] = "warning"

    @field_validator("is_", "yes", "no", "rules", "colours", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return value if isinstance(value, list | tuple) else [value]

    @model_validator(mode="after")
    def _complete(self) -> Check:
        if self.check == "flag":
            if self.flag is None or self.value is None:
                raise wrong("a flag check needs flag and value", right="Name the columns of both")
            if sum((bool(self.is_), self.at_least is not None, self.above is not None, self.present)) != 1:
                raise wrong("a flag check says exactly one of is, at-least, above, present", right="Keep or add one of them")
        if self.check == "range" and self.from_ is None and self.to is None:
            raise wrong("a range check needs from, to, or both", right="Write the limits, both included")
        if self.check != "flag" and self.columns is None and not self.rules and self.check != "marked":
            raise wrong(f"a {self.check} check needs columns or rules", right="Write columns: [A, B], or rules: [id]")
        return self


class Table(Part):
    """Where the values stand.

    Parameters
    ----------
    file, sheet : str
        A file of the data folder (.xlsx, .csv); its sheet, by default the only one.
    header : tuple of int
        Header rows, the first row being 1. A blank cell above the lowest one takes the header to its left.
    first_row, last_row : int, optional
        Rows with data: by default from below the header to the end; rows without a subject key at the end must be blank.
    subject : Column, optional
        The column of the subject key in this table; by default that of the mapping.
    skip_rows : tuple of int
        Rows between the first and the last that hold no data: titles, totals, repeated headers.
    long : bool
        A subject may have several rows.
    decimal : {"point", "comma"}, optional
        The decimal sign of its texts; by default that of the mapping.
    """

    # rows of an .xlsx
    farthest: ClassVar[int] = 1_048_576

    file: str
    sheet: str | None = None
    header: tuple[int, ...] = (1,)
    first_row: int | None = Field(default=None, ge=2)
    last_row: int | None = Field(default=None, ge=2)
    skip_rows: tuple[int, ...] = ()
    subject: Column | None = None
    long: bool = False
    decimal: Decimal | None = None

    @field_validator("header", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return [value] if isinstance(value, int) else value

    @model_validator(mode="after")
    def _order(self) -> Table:
        if list(self.header) != sorted(set(self.header)) or not self.header or self.header[0] < 1:
            raise wrong("the header rows are not in rising order", "header", right="Write them as [1, 2]")
        if self.first_row is not None and self.first_row <= self.header[-1]:
            raise wrong("the first row of data is above the header", "first-row", right=f"Write {self.header[-1] + 1} or more")
        return self


class Mapping(Part):
    """A mapping file.

    Parameters
    ----------
    days : {"from-0", "from-1"}, optional
        How the study days of the sheet count: the infusion is day 0, or day 1 (then the day before is -1, and there is no day 0). Left
        out, the number of the infusion itself tells.
    """

    schema_version: Literal[1] = Field(alias="schema")
    study_id: str
    level: Literal["records", "events"] = "records"
    source: str
    table: Table | None = None
    tables: dict[str, Table] = Field(default_factory=dict)
    subject: Column | None = None
    prefix: str = ""
    decimal: Decimal = "point"
    missing: tuple[str, ...] = ()
    days: Literal["from-0", "from-1"] | None = None
    rules: tuple[Rule, ...] = Field(min_length=1)
    checks: tuple[Check, ...] = ()

    _lines: Lines = PrivateAttr(default_factory=dict)
    _file: str = PrivateAttr(default="")

    @model_validator(mode="wrap")
    @classmethod
    def _fits_together(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            mapping = handler(data)
        except ValidationError as error:
            more = misfits(names_of(data)) if isinstance(data, dict) else ()
            raise combined(cls.__name__, error, more) from None
        raise_all(misfits(mapping._names()))
        return mapping

    def _names(self) -> Names:
        return Names(
            [(rule.id, rule.repeats, rule.table) for rule in self.rules],
            [(check.check, list(check.rules), check.table) for check in self.checks],
            {name: table.subject is not None for name, table in self.tables.items()},
            None if self.table is None else self.table.subject is not None,
            self.subject is not None,
        )

    @property
    def named(self) -> dict[str, Table]:
        """Its tables by name; one `table` has the empty name."""
        return self.tables if self.table is None else {"": self.table}

    def subject_of(self, name: str) -> Column:
        """Return the column of the subject key of a table."""
        column = self.named[name].subject or self.subject
        assert column is not None
        return column

    def table_of(self, part: Rule | Check) -> str:
        """Return the name of the table that a rule or a check reads."""
        return part.table if part.table is not None else next(iter(self.named))

    @property
    def file(self) -> str:
        """Name of the mapping file."""
        return self._file

    def error(self, what: str, *at: str | int, right: str | None = None) -> InputError:
        """Return an error of the mapping file that names the line of a key."""
        row = next((self._lines[at[:i]] for i in range(len(at), -1, -1) if at[:i] in self._lines), None)
        named = [self.rules[part].id if i == 1 and at[0] == "rules" and isinstance(part, int) else str(part) for i, part in enumerate(at)]
        return InputError(what, file=self._file, row=row, key=".".join(named), right=right)


def read_mapping(path: str | Path) -> Mapping:
    """Read a mapping file.

    Parameters
    ----------
    path : str or Path
        A YAML file, or a folder that holds `mapping.yaml`.

    Raises
    ------
    InputError
        Naming the file, the line and the key of what is wrong; an unknown key with the nearest known one.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "mapping.yaml"
    mapping, lines = read_as(Mapping, path)
    mapping._lines = lines
    mapping._file = path.name
    return mapping
