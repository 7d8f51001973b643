"""Is anything of the source still to be found in what is written? The last look before a folder is given away."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm import Source

__all__ = ["require_hidden", "telling_words"]

_DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_NAMES = ("USUBJID", "SUBJID", "SITEID", "INVID", "INVNAM", "RSUBJID")
SHORTEST = 4


def telling_words(source: Source) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of subjects and sites that could be nothing else, and the dates of a source.

    A name that is a number, or shorter than four letters, is left out: it is found in any text. Dates are those of whole days.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.report.study.hidden.search import telling_words
    >>> from cartrial.sdtm import Source
    >>> dm = pl.DataFrame({"USUBJID": ["ABC-01"], "SUBJID": ["01"], "SITEID": ["Ward 7"], "RFSTDTC": ["2022-03-04T09:30"]})
    >>> names, dates = telling_words(Source({"DM": dm}))
    >>> sorted(names), sorted(dates)
    (['ABC-01', 'Ward 7'], ['2022-03-04'])
    """
    names: set[str] = set()
    dates: set[str] = set()
    for frame in source.domains.values():
        for column, dtype in frame.schema.items():
            if dtype != pl.String:
                continue
            texts = frame[column].drop_nulls().unique().to_list()
            if column in _NAMES:
                names.update(text for text in texts if len(text) >= SHORTEST and any(sign.isalpha() for sign in text))
            for text in texts:
                dates.update(_DATE.findall(text))
    return frozenset(names), frozenset(dates)


def require_hidden(
    folder: Path, source: Source, allowed: str = "", *, cutoff: str | None = None, pictures: Mapping[str, str] | None = None
) -> None:
    """Refuse a folder in which a name or a date of the source is to be found.

    Parameters
    ----------
    folder : Path
    source : Source
        As it was.
    allowed : str
        A text whose dates may stand there: that of the study file, without its cutoff.
    cutoff : str, optional
        May stand nowhere either.
    pictures : mapping of str to str, optional
        By the name of a figure, what it is drawn of: the words of a PNG or PDF cannot be read out of it.

    Raises
    ------
    InputError
        Naming the file and the kind of what is there, not the word itself.
    """
    names, dates = telling_words(source)
    # as a page and a document write them; results are in small letters here and in capitals there
    spelt = names | {html.escape(name) for name in names} | {json.dumps(name, ensure_ascii=False)[1:-1] for name in names}
    small = {name.casefold() for name in names}
    dates = dates - set(_DATE.findall(allowed)) | ({cutoff} if cutoff else set())
    for path in sorted(folder.rglob("*")):
        for text in _texts(path, path.relative_to(folder), pictures or {}):
            what = "a date of the source" if dates & set(_DATE.findall(text)) else ""
            what = what or ("the name of a subject or a site" if any(name in text for name in spelt) else "")
            if not what and path.suffix == ".parquet" and _said(small, text.casefold()):
                what = "the name of a subject or a site"
            if what:
                raise InputError(
                    f"the folder would still show {what} ({path.relative_to(folder)}), so nothing was written",
                    key="--deidentify",
                    right="Take it out of the study file, or out of coded columns of the source (AEDECOD, DVDECOD)",
                )


def _said(names: set[str], text: str) -> bool:
    """Whether one of some names stands in a text as a word, both in small letters."""
    return any(name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)


def _texts(path: Path, place: Path, pictures: Mapping[str, str]) -> Iterator[str]:
    """Yield all that a file and its name say; a picture of which nobody knows what it was drawn of is refused."""
    yield place.as_posix()
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path)
        yield "\n".join(frame.columns)
        for column, dtype in frame.schema.items():
            if dtype == pl.String or dtype.is_temporal():
                yield "\n".join(frame[column].drop_nulls().unique().cast(pl.String).to_list())
    elif path.suffix in (".png", ".pdf"):
        if path.stem not in pictures:
            what = f"nobody can say what the picture {place} shows, so nothing was written"
            raise InputError(what, key="--deidentify", right="Leave it out of --figures")
        yield pictures[path.stem]
    elif path.is_file():
        yield path.read_text(encoding="utf-8", errors="replace")
