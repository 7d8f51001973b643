"""What is handed over, to whom, in which language, and what is it dated?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from cartrial.endpoints import Adam
    from cartrial.sdtm import Source
    from cartrial.sdtm.records import Records
    from cartrial.study import Study
    from cartrial.submission.displays.model import Display

__all__ = ["AGENCIES", "ENCODINGS", "LANGUAGES", "Job", "Shown"]

AGENCIES = ("fda", "nmpa", "pmda")
LANGUAGES = ("en", "zh")
ENCODINGS = ("ascii", "utf-8", "gb18030")
"""What an XPT file may be written in. The format does not say which it is: the reviewer's guide does."""


@dataclass(frozen=True)
class Shown:
    """A numbered display, as metadata name it.

    Parameters
    ----------
    id, kind : str
        `kind` is table, figure or listing.
    label, title, population : str
        ``Table 14.2.1.1``; its title; who is shown.
    file : str
        Name of its file, without what its form ends in.
    notes : tuple of str
    keys : frozenset of int
        Numbers of the results rows that it prints, from 0.
    """

    id: str
    kind: str
    label: str
    title: str
    population: str
    file: str
    notes: tuple[str, ...] = ()
    keys: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Job:
    """One study as it is exported: its file, data, derived sets and results, and for whom.

    Parameters
    ----------
    study : Study
    source : Source
    records : Records
    adam : Adam
    results : polars.DataFrame
        Rows of `cartrial.analysis.analyse`, sorted; the only origin of a statistic.
    findings : polars.DataFrame
    agency : str
        `fda`, `nmpa` or `pmda`.
    language : str
        Of labels: `en` or `zh`.
    encoding : str, optional
        Of XPT files: `ascii`, `utf-8` or `gb18030`; without it as the agency has them.
    date : datetime.date, optional
        What the files say of when they were made; without it the cutoff, and without a cutoff 1970-01-01. No clock is read, so that equal
        input gives equal bytes.
    shown : tuple of Shown
        The numbered displays of the run, in their order, where a part names them.
    displays : tuple of Display
        The same as they are printed.
    workers : int
        How much is done side by side, in threads and processes; the files are the same.
    """

    study: Study
    source: Source
    records: Records
    adam: Adam
    results: pl.DataFrame
    findings: pl.DataFrame
    agency: str = "fda"
    language: str = "en"
    encoding: str | None = None
    date: dt.date | None = None
    shown: tuple[Shown, ...] = ()
    displays: tuple[Display, ...] = ()
    workers: int = 1

    @property
    def name(self) -> str:
        """The study as folders are called: lower case, letters, digits and hyphens."""
        return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in self.study.study.id.lower()).strip("-")

    @property
    def written(self) -> str:
        """The encoding of XPT files."""
        return self.encoding or ("gb18030" if self.agency == "nmpa" else "ascii")

    @property
    def made(self) -> dt.date:
        """The date that stands where a format asks when a file was made."""
        return self.date or self.study.study.cutoff or dt.date(1970, 1, 1)
