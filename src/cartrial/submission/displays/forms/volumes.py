"""Which listings have a PDF of their own, and in which parts?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from cartrial.submission.displays.model import Display, Grid

__all__ = ["TOGETHER", "VOLUME", "Volume", "split_listings"]

TOGETHER = 10_000
"""Rows up to which listings stand with tables and figures in one PDF: some 250 pages."""
VOLUME = 4_000
"""Rows that a PDF of a listing has at most, but for a subject with more: some 100 pages, which typst sets in 300 MB of memory."""


class Volume(NamedTuple):
    """A listing, or a part of one, that is a PDF of its own: what it shows, the name of its file, and its line in the contents."""

    display: Display
    file: str
    line: str


def split_listings(displays: Sequence[Display], words: Mapping[str, str] | None = None) -> tuple[list[Display], list[Volume]]:
    """Return the displays that stand in one PDF, and the listings that have files of their own; these depend on the rows alone.

    Parameters
    ----------
    displays : sequence of Display
    words : mapping of str to str, optional
        Words of the pages in another language.

    Returns
    -------
    together : list of Display
        All, where the listings have `TOGETHER` rows at most; else tables and figures.
    volumes : list of Volume
        The listings; one of more than `VOLUME` rows in parts of whole subjects.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.submission.displays import make_displays
    >>> from cartrial.submission.displays.forms.volumes import split_listings
    >>> shells = make_displays(Study.load("inaticel"))
    >>> together, volumes = split_listings(shells)
    >>> len(together) == len(shells), volumes
    (True, [])
    """
    listings = [one for one in displays if one.kind == "listing" and isinstance(one.body, Grid)]
    if sum(len(one.body.rows) for one in listings if isinstance(one.body, Grid)) <= TOGETHER:
        return list(displays), []
    out = {one.id for one in listings}
    return [one for one in displays if one.id not in out], [part for one in listings for part in _parts(one, words or {})]


def _parts(display: Display, words: Mapping[str, str]) -> list[Volume]:
    """Return a listing as its files: whole, or in parts that say which they are of how many and of which subjects."""
    grid = display.body
    if not isinstance(grid, Grid) or len(grid.rows) <= VOLUME:
        return [Volume(display, f"{display.file}.pdf", f"{display.label} {display.title}: {display.file}.pdf")]
    starts = _starts([str(row[0]) for row in grid.rows])
    said, made = words.get("part {} of {}", "part {} of {}"), []
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(grid.rows)], strict=True), 1):
        part = said.format(number, len(starts))
        body = replace(grid, rows=grid.rows[start:end], group=frozenset(at - start for at in grid.group if start <= at < end))
        file = f"{display.file}-part-{number}.pdf"
        who = f"{grid.rows[start][0]} – {grid.rows[end - 1][0]}"
        line = f"{display.label} {display.title}, {part} ({who}): {file}"
        made.append(Volume(replace(display, title=f"{display.title}, {part}", body=body), file, line))
    return made


def _starts(subjects: Sequence[str]) -> list[int]:
    """Return the first row of each part: as many whole subjects as fit, or one where it alone is too long."""
    firsts = [at for at, name in enumerate(subjects) if not at or name != subjects[at - 1]]
    starts = [0]
    for first, end in zip(firsts, [*firsts[1:], len(subjects)], strict=True):
        if end - starts[-1] > VOLUME and first > starts[-1]:
            starts.append(first)
    return starts
