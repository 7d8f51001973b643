"""From which source record does a derived value come? Columns that every endpoint row carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import polars as pl

from cartrial.coded import CODED
from cartrial.endpoints.course import SOURCES, Course
from cartrial.response.arrays import Calls
from cartrial.response.codes import CLINICAL_DISPOSITION, FREE_ASSUMED, FROM_IMAGING, FROM_LAB, FROM_PET
from cartrial.sdtm.records.codes import FAR

__all__ = ["NOWHERE", "Trace", "are_lean", "as_dates", "constant", "domain_of", "lean_sets", "nothing", "study_day", "take"]

NOWHERE = -1


_LEAN: ContextVar[bool] = ContextVar("lean", default=False)


@contextmanager
def lean_sets(lean: bool = True) -> Iterator[None]:
    """Let sets that are derived here carry words as codes, and leave empty what no estimate reads: sources, sentences, flags and dates."""
    token = _LEAN.set(lean)
    try:
        yield
    finally:
        _LEAN.reset(token)


def are_lean() -> bool:
    """Whether sets that are derived here are for estimates alone."""
    return _LEAN.get()


def nothing(kind: pl.DataType | type[pl.DataType], rows: int) -> pl.Series:
    """Return a column without a value."""
    return pl.Series([None], dtype=kind).new_from_index(0, rows)


def take(names: Sequence[str | None], codes: np.ndarray) -> pl.Series:
    """Return names by their codes; a code of -1 gives null."""
    return pl.Series([*names, None], dtype=CODED if are_lean() else pl.String)[np.where(codes < 0, len(names), codes)]


def constant(value: str | None, rows: int) -> pl.Series:
    """Return one text repeated."""
    return pl.Series([value], dtype=CODED if are_lean() else pl.String).new_from_index(0, rows)


def as_dates(day: np.ndarray, dated: np.ndarray) -> pl.Series:
    """Return days as dates; null where there is no day or the source has study days alone."""
    if are_lean():
        return nothing(pl.Date, len(day))
    known = (day < FAR) & (day > -FAR) & dated
    series = pl.Series(np.where(known, day, 0).astype(np.int32)).cast(pl.Date)
    return series.zip_with(pl.Series(known), pl.Series([None], dtype=pl.Date).new_from_index(0, len(day)))


def study_day(day: pl.Expr) -> pl.Expr:
    """Return days from day 0 as ADaM counts them: the first day of treatment is day 1, the day before it -1, and there is no day 0."""
    return day + pl.when(day >= 0).then(1).otherwise(0)


_EVENTS = {"DEATH": "death", "HSCT": "transplant", "RE": "re-infusion", "NEW": "new therapy"}


def with_imputed(words: pl.Series, course: Course, rows: np.ndarray, decided: Mapping[str, np.ndarray]) -> pl.Series:
    """Add to the flags of some subjects that the date of the event that decides was imputed (rules, paragraph 1).

    Parameters
    ----------
    words : polars.Series of str, shape (rows,)
    course : Course
    rows : ndarray of int64, shape (rows,)
        The subject of each row.
    decided : mapping of str to ndarray of bool, shape (rows,)
        Of DEATH, HSCT, RE and NEW: where it decides.
    """
    if are_lean():
        return words
    for name, where in decided.items():
        imputed = where & course.imputed(name)[rows]
        if imputed.any():
            added = constant(f"date of {_EVENTS[name]} imputed", len(rows)).zip_with(pl.Series(imputed), constant(None, len(rows)))
            words = pl.select(pl.concat_str(pl.lit(words), pl.lit(added), separator="; ", ignore_nulls=True)).to_series()
            words = words.set(words == "", None)
    return words


_DOMAINS = ((FROM_LAB, "LB"), (FREE_ASSUMED, "SS"), (FROM_IMAGING, "TR"), (FROM_PET, "FA"), (CLINICAL_DISPOSITION, "DS"))


def domain_of(flags: np.ndarray) -> np.ndarray:
    """Return where an assessment was recorded, by its flags: index in `SOURCES`."""
    return np.select([flags & bit != 0 for bit, _ in _DOMAINS], [SOURCES.index(name) for _, name in _DOMAINS], 0)


class Trace:
    """Source columns, filled step by step.

    Parameters
    ----------
    subjects : ndarray of int64, shape (rows,)
        The subject of each row.
    """

    def __init__(self, subjects: np.ndarray) -> None:
        self.subjects = subjects
        self.domain = np.full(len(subjects), -1, np.int64)
        self.sequence = np.full(len(subjects), -1, np.int64)

    VARIABLES = (
        "RSSTRESC",
        "LBSTRESN",
        "PRSTDTC",
        "CMSTDTC",
        "EXSTDTC",
        "DSSTDTC",
        "DTHDTC",
        "AEENDTC",
        "SSDTC",
        "FADTC",
        "DDDTC",
        "TRSTRESN",
    )

    def from_assessment(self, calls: Calls, where: np.ndarray, position: np.ndarray) -> None:
        """Rows `where` (bool) come from the assessment at `position`."""
        rows = np.flatnonzero(where & (position >= 0))
        chosen = position[rows]
        flags = calls.flags[chosen]
        self.domain[rows] = domain_of(flags)
        self.sequence[rows] = calls.seq[chosen]

    def from_course(self, course: Course, where: np.ndarray, name: str) -> None:
        """Rows `where` (bool) come from an event of the course: DEATH, HSCT, RE, NEW or ALIVE."""
        rows = np.flatnonzero(where)
        if len(rows):
            domain, sequence = course.source(name)
            self.domain[rows], self.sequence[rows] = domain[self.subjects[rows]], sequence[self.subjects[rows]]

    def from_sample(self, where: np.ndarray, sequence: np.ndarray) -> None:
        """Rows `where` (bool) come from the record of LB of that --SEQ."""
        self.domain[where], self.sequence[where] = SOURCES.index("LB"), sequence[where]

    def from_disposition(self, where: np.ndarray) -> None:
        """Rows `where` (bool) come from DS."""
        self.domain[where] = SOURCES.index("DS")

    def columns(self) -> dict[str, pl.Series]:
        """Return SRCDOM, SRCVAR and SRCSEQ."""
        if are_lean():
            empty = {"SRCDOM": pl.String, "SRCVAR": pl.String, "SRCSEQ": pl.Int64}
            return {name: nothing(kind, len(self.subjects)) for name, kind in empty.items()}
        sequence = pl.Series(self.sequence)
        return {
            "SRCDOM": take(SOURCES, self.domain),
            "SRCVAR": take(self.VARIABLES, self.domain),
            "SRCSEQ": sequence.zip_with(sequence >= 0, pl.Series([None], dtype=pl.Int64).new_from_index(0, len(sequence))),
        }
