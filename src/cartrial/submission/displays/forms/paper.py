"""What stands on every page, and how wide is each column? The same for RTF, DOCX and PDF."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple

from cartrial.submission.displays.model import Grid

if TYPE_CHECKING:
    from cartrial.report.study.data import ReportData
    from cartrial.study import Study

__all__ = ["CHINESE", "FONT", "LYING", "MARGIN", "SIZE", "SMALL", "UPRIGHT", "Paper", "Sheet", "column_widths", "paper_of", "sheet_of"]

MARGIN = 50.0
"""At each side of a sheet. Unit: pt."""
FONT = "Times New Roman"
CHINESE = "SimSun"
"""Of Chinese letters in DOCX: the machine that opens it has it, or takes another."""
SIZE, SMALL = 9.0, 8.0
"""Size of the type of tables and of notes. Unit: pt."""
_SIGN, _CAPITAL, _PADDING = 0.48, 0.72, 12.0
"""Mean width of a sign and of a capital in parts of the type's size (Times), and the room of a cell beside its text in pt."""


class Sheet(NamedTuple):
    """A sheet of paper. Unit: pt."""

    width: float
    height: float

    @property
    def inner(self) -> float:
        """Width of the text."""
        return self.width - 2 * MARGIN

    @property
    def upright(self) -> bool:
        """Whether it stands."""
        return self.height > self.width


LYING, UPRIGHT = Sheet(841.9, 595.3), Sheet(595.3, 841.9)
"""A4: tables, listings and wide figures lie."""


def sheet_of(width: float, height: float) -> Sheet:
    """Return the sheet on which a figure has the larger place.

    Examples
    --------
    >>> from cartrial.submission.displays.forms.paper import sheet_of
    >>> sheet_of(760, 400).upright, sheet_of(760, 900).upright
    (False, True)
    """
    return UPRIGHT if height > 0.75 * width else LYING


@dataclass(frozen=True)
class Paper:
    """What stands on every page beside its display.

    Parameters
    ----------
    study : str
        Which study it is.
    band : str
        What warns of data that are of no patients; blank for real data.
    stamp : str
        Cutoff and what the display was made of: hashes, version.
    date : datetime.date
        What a format demands a date of: never the clock.
    absent : tuple of str
        Displays that were not produced, with the reason: a line each beneath the contents.
    elsewhere : tuple of str
        Listings that have files of their own: a line each beneath the contents.
    words : mapping of str to str
        Words of the pages themselves in another language; without: English.
    """

    study: str
    band: str
    stamp: str
    date: dt.date
    absent: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)

    def say(self, text: str) -> str:
        """Return a word of the page in its language."""
        return self.words.get(text, text)


def paper_of(study: Study, data: ReportData | None = None, results: str = "", made: dt.date | None = None) -> Paper:
    """Return what stands on every page of a study's displays.

    Parameters
    ----------
    study : Study
    data : ReportData, optional
        Of a run; without it the pages are shells.
    results : str
        Hash of the results.
    made : datetime.date, optional
        Of the files; without it the cutoff, and without a cutoff 1970-01-01.
    """
    identity = study.study
    cutoff = identity.cutoff.isoformat() if identity.cutoff else ""
    until = f"Data cutoff {data.cutoff_words if data is not None else cutoff}." if cutoff else "Study days only, no data cutoff."
    words = f"cartrial {metadata.version('cartrial')}; study file SHA-256 {study.hash[:16]}, rules version {study.rules}"
    words += f"; results SHA-256 {results[:16]}." if results else "; no data were read."
    return Paper(
        study=", ".join(part for part in (identity.id, identity.registry) if part),
        band=data.band if data is not None else "SHELL: no data were read",
        stamp=f"{until} {words}",
        date=made or identity.cutoff or dt.date(1970, 1, 1),
    )


def column_widths(grid: Grid, total: float = LYING.inner, size: float = SIZE) -> list[float]:
    """Return the width of each column: as its content needs, and where there is not so much room, shared so that words stay whole.

    Parameters
    ----------
    grid : Grid
    total : float
        Width of the page. Unit: pt.
    size : float
        Of the type. Unit: pt.

    Returns
    -------
    list of float
        Unit: pt; their sum is `total` at most.

    Examples
    --------
    >>> from cartrial.submission.displays.forms.paper import column_widths
    >>> from cartrial.submission.displays.model import Grid, Piece, Words
    >>> cells = tuple(Words((Piece(text),)) for text in ("Consented", "45"))
    >>> column_widths(Grid(("Milestone", "Subjects"), (cells,)), 700)
    [53.04, 48.72]
    """
    columns = [[head, *(str(row[at]) for i, row in enumerate(grid.rows) if i not in grid.group)] for at, head in enumerate(grid.head)]
    if grid.group and len(grid.head) > 1:
        # a heading of rows reaches over the columns beside it where those are empty
        columns[0] += [str(row[0]) for i, row in enumerate(grid.rows) if i in grid.group and any(row[1:])]
    full = [max(map(_width, texts), default=1.0) * size + _PADDING for texts in columns]
    if sum(full) <= total:
        return full
    least = [max((_width(word) for text in texts for word in text.split()), default=1.0) * size + _PADDING for texts in columns]
    room = total - sum(least)
    if room <= 0:
        return [width * total / sum(least) for width in least]
    wanted = [most - few for most, few in zip(full, least, strict=True)]
    # a column that needs little gets all of it; the long ones share what remains
    widths, left = list(least), set(range(len(full)))
    while left and room > 1e-6:
        share = room / len(left)
        small = [at for at in left if wanted[at] <= share]
        if not small:
            for at in left:
                widths[at] += share
            break
        for at in small:
            widths[at] += wanted[at]
            room -= wanted[at]
            left.discard(at)
    return widths


@cache
def _width(text: str) -> float:
    """Return the width of a text in parts of the type's size."""
    capitals = sum(map(str.isupper, text))
    return capitals * _CAPITAL + (len(text) - capitals) * _SIGN
