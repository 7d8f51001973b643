"""What was understood so far? Rules of the mapping to be, what each column is read as, what is assumed, and what is left."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from cartrial.errors import InputError
from cartrial.start.ask import Answers, Option, Question
from cartrial.start.sheet.dates import DAY_FIRST, MONTH_FIRST, Forms, forms_of, is_serial, looks_dated
from cartrial.start.sheet.grid import Cell
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.words import is_missing_word, vital_of, yes_no

__all__ = ["Draft", "Read", "day_of", "is_counted", "is_dated", "is_flag", "no_words"]

_DAYS = re.compile(r"\bdays?\b|\btage?\b|天|\bjours?\b|\bd\b", re.IGNORECASE)
_MONTHS = re.compile(r"\bmonths?\b|\bmonate?\b|个?月数|\bmois\b|\bweeks?\b|\byears?\b|\bmo\b", re.IGNORECASE)
_VISIT_DAY = re.compile(
    r"(days?|tag|jour|d)[ +]*\d+|\d+ ?(days?|tage?|天|d)\b(?! ?(after|from|since|post|to|nach|后))|第 ?\d+ ?[天日]", re.IGNORECASE
)
_DECISIVE = ("death", "end-date", "relapse", "transplant", "therapy", "infusion", "last-contact", "last-assessment")
_MEASURED = ("mrd-limit", "blasts", "blood-blasts", "neutrophils", "platelets", "copies", "cells", "age", "dose", "crs-grade")
_LETTERS = re.compile(r"[A-Z]{1,3}")


@dataclass(frozen=True)
class Read:
    """How a column is read: its table and letter, its header, as what, and in which way."""

    table: str
    letter: str
    header: str
    what: str
    how: str = ""
    assumed: bool = False


def no_words(column: Column) -> list[str]:
    """Return the words in a column of dates that say that it did not happen."""
    return list(dict.fromkeys(cell.text for cell in column.filled if isinstance(cell.value, str) and _is_no(column, cell.text)))


def is_dated(column: Column) -> bool:
    """Say whether most cells of a column are dates, or numbers that a spreadsheet keeps dates as."""
    if column.topic in _MEASURED:
        return False
    cells = [cell for cell in column.filled if not _is_no(column, cell.text) and yes_no(cell.text) is None]
    dated = sum(looks_dated(cell.value, cell.text) or _is_serial(cell) for cell in cells)
    # of what decides a time one date is enough: whatever else stands there has to be read, too
    return dated > 0 if column.topic in _DECISIVE else bool(cells) and dated >= 0.5 * len(cells)


def _is_no(column: Column, text: str) -> bool:
    """Say whether a cell of dates says that it did not happen: no, or alive in a column of deaths."""
    return yes_no(text) is False or (column.topic in ("death", "end-date") and vital_of(text) is False)


def _is_serial(cell: Cell) -> bool:
    number = cell.number
    return number is not None and not cell.percent and (is_serial(number) or bool(re.fullmatch(r"(19|20)\d{6}", f"{number:.0f}")))


def is_counted(column: Column) -> bool:
    """Say whether a column holds days from the infusion: numbers, under a header that says days."""
    if column.topic in _MEASURED:
        return False
    cells = [cell for cell in column.filled if not _is_no(column, cell.text) or cell.number is not None]
    return (
        bool(cells)
        and all(cell.number is not None for cell in cells)
        and bool(_DAYS.search(_VISIT_DAY.sub("", column.header)))
        and not is_dated(column)
    )


def is_flag(column: Column) -> bool:
    """Say whether every cell of a column is a yes or a no."""
    return bool(column.filled) and all(yes_no(cell.text) is not None for cell in column.filled)


@dataclass
class Draft:
    """What a mapping and a study file will say.

    Parameters
    ----------
    layouts : list of Layout
        The tables by which patients are read, the one with one row a patient first.
    answers : Answers
    rules : list of dict
        Rules of the mapping, as they are written.
    read : list of Read
    assumptions : list of str
        What is taken as so although the sheet does not say it, a sentence each.
    cannot : list of str
        What cannot be derived, and why.
    used : set of (int, int)
        Layout and column that a rule reads.
    left : dict of (int, int) to str
        Why a column whose words are known is not read.
    last : date, optional
        The last date that is read.
    """

    layouts: list[Layout]
    answers: Answers
    rules: list[dict[str, Any]] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    cannot: list[str] = field(default_factory=list)
    used: set[tuple[int, int]] = field(default_factory=set)
    left: dict[tuple[int, int], str] = field(default_factory=dict)
    last: dt.date | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    dated: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)

    @property
    def tables(self) -> list[Layout]:
        """The tables of the mapping: each sheet by itself, also where several are read as one."""
        return [part for layout in self.layouts for part in (layout.parts or [layout])]

    def name(self, layout: Layout) -> str:
        """Return the name of a table in the mapping."""
        if layout.parts:
            return ", ".join(self.name(part) for part in layout.parts)
        words = re.sub(r"[^a-z0-9]+", "-", (layout.grid.sheet or "table").lower()).strip("-") or "table"
        same = [other for other in self.tables if other is not layout and other.grid.sheet.lower() == layout.grid.sheet.lower()]
        words = "table" if words.isdigit() else words
        return f"{words}-{self.tables.index(layout) + 1}" if same or words == "table" else words

    def where(self, layout: Layout) -> dict[str, str]:
        """Return what a rule says of its table: nothing where there is one."""
        return {"table": self.name(layout)} if len(self.tables) > 1 else {}

    def ref(self, layout: Layout, column: Column) -> Any:
        """Return a column as a mapping names it: by its header, which holds when another column is inserted; else by its letter."""
        own = column.path[-1]
        if not own or sum(other.path[-1] == own for other in layout.columns) > 1:
            return column.letter
        return {"header": own} if _LETTERS.fullmatch(own) or not own[0].isalpha() else own

    def use(self, layout: Layout, column: Column, what: str, how: str = "", *, assumed: bool = False) -> None:
        """Note that a column is read."""
        self.used.add((self.layouts.index(layout), column.number))
        self.read.append(Read(self.name(layout), column.letter, column.header, what, how, assumed))

    def leave(self, layout: Layout, column: Column, why: str) -> None:
        """Note why a column is not read."""
        self.left.setdefault((self.layouts.index(layout), column.number), why)

    def assume(self, text: str) -> str:
        """Note an assumption once, and return it as a rule writes it."""
        if text and text not in self.assumptions:
            self.assumptions.append(text)
        return text

    def add(self, layout: Layout, rule: dict[str, Any], *assumed: str) -> None:
        """Add a rule; what is assumed in it becomes its assumption."""
        said = [self.assume(text) for text in assumed if text]
        for part in layout.parts or [layout]:
            ids, number, name = [other["id"] for other in self.rules], 2, rule["id"]
            while name in ids:
                name, number = f"{rule['id']} {number}", number + 1
            more = {key: value for key, value in rule.items() if key != "id" and value not in (None, (), [], {}, "")}
            made = {"id": name, **self.where(part), **more}
            if said:
                made["assumption"] = "; ".join(said)
            self.rules.append(made)

    def reach(self, day: dt.date | None) -> None:
        """Note that the data go on until a day."""
        if day is not None and (self.last is None or day > self.last):
            self.last = day

    def happened(self, what: str, layout: Layout, column: Column) -> None:
        """Note that a column of dates holds what came after the infusion."""
        self.facts.setdefault("moments", []).append((what, layout, column))

    def missing(self, *columns: Column | None) -> list[str]:
        """Return the words of some columns that say that a value is not known, and in dates that nothing happened."""
        found = [cell.text for column in columns if column for cell in column.cells if is_missing_word(cell.text)]
        return list(dict.fromkeys([*found, *(word for column in columns if column and is_dated(column) for word in no_words(column))]))

    def dates(self, layout: Layout, column: Column) -> dict[str, Any]:
        """Return what a rule says of the dates of a column, and check that each cell is one.

        Raises
        ------
        InputError
            If a cell is no date, or the column has days first and months first.
        """
        place = (self.layouts.index(layout), column.number)
        if place not in self.dated:
            self.dated[place] = self._dates(layout, column)
        return dict(self.dated[place])

    def _dates(self, layout: Layout, column: Column) -> dict[str, Any]:
        cells = [cell for cell in column.filled if not _is_no(column, cell.text)]
        kept = [cell for cell in cells if cell.is_date]
        texts = [cell.text for cell in cells if isinstance(cell.value, str)]
        numbers = [cell.number for cell in cells if cell.number is not None]
        forms = forms_of(texts, numbers)
        self._refuse(layout, column, cells, forms)
        if numbers and layout.grid.from_1904:
            what = f"{layout.grid.lead}{column.label}: the workbook counts days from 1904, and some dates are plain numbers"
            raise InputError(what, file=layout.grid.file, right="Format the column as dates")
        order, assumed = self._order(layout, column, forms, kept)
        said = forms.read(order)
        if numbers and "excel" in said:
            assumed.append(f"in {column.label} numbers such as {numbers[0]:g} are day numbers of a spreadsheet ({_serial(numbers[0])})")
        if any("%y" in form for form in said):
            assumed.append(f"in {column.label} years of two figures are of this century")
        for cell in cells:
            self.reach(day_of(cell, said))
        only_iso = set(said) <= {"iso"}
        return {
            "forms": [] if only_iso else list(said),
            "assumed": assumed,
            "how": ", ".join(_spelt(form) for form in said) or "date cells",
        }

    def _refuse(self, layout: Layout, column: Column, cells: list[Cell], forms: Forms) -> None:
        if forms.clash:
            what = f"{layout.grid.lead}{column.label}: '{forms.clash[0]}' has the day first and '{forms.clash[1]}' the month first"
            raise InputError(what, file=layout.grid.file, right="Write all dates of the column in one way, best as YYYY-MM-DD")
        if forms.unread:
            places = (
                [
                    layout.grid.place(column.number, cell.row)
                    for cell in cells
                    if cell.text in forms.unread or f"{cell.number:g}" in forms.unread
                ]
                if any(cell.number is not None for cell in cells)
                else [layout.grid.place(column.number, cell.row) for cell in cells if cell.text in forms.unread]
            )
            what = f"{layout.grid.lead}{column.label}: '{forms.unread[0]}' is no date that can be read (cell {', '.join(places[:5])})"
            raise InputError(what, file=layout.grid.file, right="Write YYYY-MM-DD; leave the cell empty where there is none")

    def _order(self, layout: Layout, column: Column, forms: Forms, kept: list[Cell]) -> tuple[str, list[str]]:
        """Return whether the day or the month comes first, and what is assumed of it."""
        if forms.decided and kept and all(cell.value.day <= 12 for cell in kept) and not forms.ambiguous:
            self._ask_swapped(layout, column, kept)
        if not forms.ambiguous:
            return DAY_FIRST, []
        example = forms.ambiguous[0]
        proof = {order for other in self.layouts for beside in other.columns for order in [self._decided(beside)] if order}
        if "." in example and MONTH_FIRST not in proof:
            return DAY_FIRST, ["dates with points have the day first, as in 03.04.2022 for the third of April"]
        word = self.answers.ask(
            Question(
                "date-order",
                f"Dates such as {example} in {column.label} can be read in two ways"
                + (f"; other columns have the {'day' if DAY_FIRST in proof else 'month'} first" if len(proof) == 1 else "")
                + ". Which comes first?",
                (
                    Option(
                        DAY_FIRST,
                        f"{example} has the day first",
                        "dates that can be read in two ways have the day first, as in other columns",
                    ),
                    Option(
                        MONTH_FIRST,
                        f"{example} has the month first",
                        "dates that can be read in two ways have the month first, as in other columns",
                    ),
                ),
                proof.pop() if len(proof) == 1 else None,
            )
        )
        return word, [self.answers.assumption("date-order")]

    def _decided(self, column: Column) -> str | None:
        if not is_dated(column):
            return None
        texts = [cell.text for cell in column.filled if isinstance(cell.value, str)]
        return forms_of(texts).decided if texts else None

    def _ask_swapped(self, layout: Layout, column: Column, kept: list[Cell]) -> None:
        """Ask of dates that a spreadsheet program may have turned round: all whose day could be a month, beside texts that could not."""
        key = f"swapped-{column.letter.lower()}"
        self.answers.ask(
            Question(
                key,
                f"In {column.label} dates up to the 12th are date cells and later ones text, as where the day was taken for the month; "
                f"is cell {layout.grid.place(column.number, kept[0].row)} really {kept[0].text}?",
                (Option("yes", "the date cells are right as they stand"),),
            )
        )


def _spelt(form: str) -> str:
    known = {"%d": "DD", "%m": "MM", "%Y": "YYYY", "%y": "YY", "%b": "Mon", "%B": "Month", "%H": "hh", "%M": "mm", "%S": "ss"}
    return {"iso": "YYYY-MM-DD", "excel": "day numbers"}.get(form) or re.sub(r"%\w", lambda found: known.get(found[0], found[0]), form)


def _serial(number: float) -> str:
    return (dt.date(1899, 12, 30) + dt.timedelta(days=int(number))).isoformat()


def day_of(cell: Cell, forms: tuple[str, ...]) -> dt.date | None:
    """Return the date of a cell; None where its day is not known."""
    if isinstance(cell.value, dt.datetime):
        return cell.value.date()
    if isinstance(cell.value, dt.date):
        return cell.value
    if cell.number is not None and is_serial(cell.number):
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(cell.number))
    for form in forms:
        try:
            return dt.date.fromisoformat(cell.text[:10]) if form == "iso" else dt.datetime.strptime(cell.text, form).date()
        except ValueError:
            continue
    return None
