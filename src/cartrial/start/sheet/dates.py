"""In which forms are the dates of a column written, and is the day before the month?"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["DAY_FIRST", "MONTH_FIRST", "Forms", "forms_of", "looks_dated", "shape"]

DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
# years in which the events of such a trial can lie
_YEARS = (1990, 2060)
# the days that spreadsheet programs count from 1899-12-30, of these years
_SERIAL = (32_874, 58_800)
_SEPARATED = re.compile(r"^(\d{1,4})([./\- ])(\d{1,2})\2(\d{1,4})(?: \d{1,2}:\d{2}(:\d{2})?)?$")
_PARTIAL = re.compile(r"^\d{4}$|^\d{4}-\d{2}$|^\d{1,2}[./\-]\d{4}$|^(?:\?\?|xx|XX|00|--)[./\-]\d{1,2}[./\-]\d{4}$")
_NAMED = (
    *("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d%b%Y", "%d.%b.%Y", "%d/%b/%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d. %B %Y"),
    *("%Y年%m月%d日", "%Y%m%d"),
)


@dataclass(frozen=True)
class Forms:
    """How the dates of a column are written.

    Parameters
    ----------
    forms : tuple of str
        As `date-format` of a mapping names them: forms of strptime, `iso`, `excel`. Of what is ambiguous, both.
    ambiguous : tuple of str
        Texts that are one day with the day first, and another with the month first.
    decided : str, optional
        Which of both comes first where other texts of the column tell.
    unread : tuple of str
        Texts that are no date in any form.
    clash : tuple of str
        A text with the day first and one with the month first, where the column has both.
    """

    forms: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    decided: str | None = None
    unread: tuple[str, ...] = ()
    clash: tuple[str, ...] = ()

    def read(self, order: str) -> tuple[str, ...]:
        """Return the forms with the day or the month first where the texts leave it open."""
        if not self.ambiguous:
            return self.forms
        return tuple(form for form in self.forms if not _ordered(form) or _ordered(form) == order)


def _ordered(form: str) -> str | None:
    if re.match(r"%d[./\- ]%m", form):
        return DAY_FIRST
    return MONTH_FIRST if re.match(r"%m[./\- ]%d", form) else None


def shape(text: str) -> str:
    """Return what a text looks like: digits as 9, one for one or two of them."""
    return re.sub(r"\d{3,}", lambda found: "9" * len(found[0]), re.sub(r"(?<!\d)\d{1,2}(?!\d)", "9", text))


def looks_dated(value: object, text: str) -> bool:
    """Say whether a cell may hold a date: a date, a text that is written like one. A number alone is none."""
    if isinstance(value, dt.date):
        return True
    return not isinstance(value, bool | int | float) and bool(_readings(text) or (_PARTIAL.match(text) and not text.isdigit()))


def is_serial(number: float) -> bool:
    """Say whether a number can be the day number of a date."""
    return _SERIAL[0] <= number <= _SERIAL[1]


def forms_of(texts: Iterable[str], numbers: Iterable[float] = ()) -> Forms:
    """Return the forms in which dates are written.

    Parameters
    ----------
    texts : iterable of str
        Cells that are texts.
    numbers : iterable of float
        Cells that are numbers.

    Examples
    --------
    >>> from cartrial.start.sheet.dates import forms_of
    >>> forms_of(["03.04.2022", "25.04.2022"]).forms
    ('%d.%m.%Y',)
    >>> forms_of(["03/04/2022"]).ambiguous
    ('03/04/2022',)
    """
    shapes: dict[str, list[str]] = {}
    forms: list[str] = []
    unread: list[str] = []
    ambiguous: list[str] = []
    clash: tuple[str, ...] = ()
    decided = None
    for text in dict.fromkeys(texts):
        shapes.setdefault(shape(text), []).append(text)
    # a month alone is read in the form of the whole dates
    for group in sorted(shapes.values(), key=lambda group: not _readings(group[0])):
        found, order, both, against = _of_shape(group)
        if not found and all(_PARTIAL.match(text) for text in group):
            found = ["iso"] if re.fullmatch(r"\d{4}(-\d{2})?", group[0]) else []
            if not found:
                unread += [text for text in group if not any(_sign(text) in form for form in forms)]
                continue
        forms += [form for form in found if form not in forms]
        ambiguous += both
        decided, clash = decided or order, clash or against
        if not found and not against:
            unread += [text for text in group if not _readings(text)] or group
    for number in numbers:
        if re.fullmatch(r"(19|20)\d{6}", f"{number:.0f}"):
            form = "%Y%m%d"
        elif is_serial(number):
            form = "excel"
        else:
            unread.append(f"{number:g}")
            continue
        forms += [] if form in forms else [form]
    return Forms(tuple(forms), tuple(ambiguous), decided, tuple(unread), clash)


def _sign(text: str) -> str:
    return next((sign for sign in "./-" if sign in text), "?")


def _of_shape(group: list[str]) -> tuple[list[str], str | None, list[str], tuple[str, ...]]:
    """Return the forms of texts of one shape, which order they prove, what is ambiguous, and two that contradict each other."""
    readings = [_readings(text) for text in group]
    shared = [form for form in readings[0] if all(form in reading for reading in readings)]
    if not shared:
        proofs = {_proof(reading): text for reading, text in zip(readings, group, strict=True) if _proof(reading)}
        clash = tuple(proofs[order] for order in (DAY_FIRST, MONTH_FIRST)) if len(proofs) > 1 else ()
        return [], None, [], clash
    different = [text for reading, text in zip(readings, group, strict=True) if len({reading[form] for form in shared}) > 1]
    if different:
        return shared, None, different, ()
    return shared[:1], _ordered(shared[0]) if any(_proof(reading) for reading in readings) else None, [], ()


def _proof(reading: dict[str, dt.date]) -> str | None:
    orders = {_ordered(form) for form in reading} - {None}
    return orders.pop() if len(orders) == 1 else None


def _readings(text: str) -> dict[str, dt.date]:
    """Return each form in which a text is a date, and which."""
    found: dict[str, dt.date] = {}
    forms: list[str] = list(_NAMED)
    if part := _SEPARATED.match(text):
        first, sign, _, last = part.groups()[:4]
        time = f" %H:%M{':%S' if part[5] else ''}" if ":" in text else ""
        if len(first) == 4:
            forms = [f"%Y{sign}%m{sign}%d{time}"]
        else:
            year = "%Y" if len(last) == 4 else "%y" if len(last) == 2 else "?"
            forms = [f"%d{sign}%m{sign}{year}{time}", f"%m{sign}%d{sign}{year}{time}"]
    for form in forms:
        try:
            read = dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
        if _YEARS[0] <= read.year <= _YEARS[1]:
            found["iso" if form == "%Y-%m-%d" and len(text) == 10 else form] = read
    if not found and re.fullmatch(r"\d{4}-\d{2}-\d{2}T[\d:.]+", text):
        found["iso"] = dt.date.fromisoformat(text[:10])
    return found
