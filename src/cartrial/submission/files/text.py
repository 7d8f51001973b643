"""How is text written as bytes: in which encoding, and how long is each variable in the whole study?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cartrial.endpoints.variables.model import MOST_LABEL, MOST_TEXT
from cartrial.errors import InputError
from cartrial.submission.adam.shaped import Shaped

__all__ = ["encoded", "plain", "planned_lengths", "require_writable"]

_PLAIN = {
    "≥": ">=",
    "≤": "<=",
    "–": "-",
    "—": "-",
    "‑": "-",
    "−": "-",
    "×": "x",
    "µ": "u",
    "μ": "u",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
}
_PLAIN |= {"\u00a0": " ", "\u202f": " ", "…": "...", "⁹": "^9", "°": " deg", "±": "+/-"}


def plain(text: str) -> str:
    """Return a text with its typographic signs written in ASCII.

    Examples
    --------
    >>> from cartrial.submission.files.text import plain
    >>> plain("≥ 10 × 10⁹/L")
    '>= 10 x 10^9/L'
    """
    for sign, word in _PLAIN.items():
        text = text.replace(sign, word)
    return text


def encoded(text: str, encoding: str) -> bytes:
    """Return the bytes of a text; in ASCII its typographic signs are written out.

    Raises
    ------
    UnicodeEncodeError
        If the encoding has not all of its letters.
    """
    return (plain(text) if encoding == "ascii" else text).encode(encoding)


def planned_lengths(sets: Iterable[Shaped], encoding: str) -> dict[str, int]:
    """Return the bytes of each text variable: as many as its longest value has in any set of the study, at least 1.

    A shared variable has one length in the whole study, so that joining sets cuts nothing.
    """
    lengths: dict[str, int] = {}
    for shaped in sets:
        for variable in shaped.dataset.variables:
            if variable.kind == "text":
                values = shaped.frame[variable.name].drop_nulls().unique().to_list()
                longest = max((len(_lenient(value, encoding)) for value in values), default=1)
                lengths[variable.name] = max(lengths.get(variable.name, 1), longest, 1)
    return lengths


def _lenient(text: str, encoding: str) -> bytes:
    return (plain(text) if encoding == "ascii" else text).encode(encoding, errors="replace")


def require_writable(sets: Mapping[str, Shaped], encoding: str, language: str) -> None:
    """Refuse what the files of an encoding cannot hold, before anything is written.

    Raises
    ------
    InputError
        If a text or a label has letters that the encoding lacks, or is longer than 200 or 40 bytes.
    """
    for name, shaped in sets.items():
        for variable in shaped.dataset.variables:
            _require(variable.labelled(language), encoding, MOST_LABEL, name, variable.name, "label")
            if variable.kind == "text":
                for value in shaped.frame[variable.name].drop_nulls().unique(maintain_order=True).to_list():
                    _require(value, encoding, MOST_TEXT, name, variable.name, "text")


def _require(text: str, encoding: str, most: int, name: str, variable: str, what: str) -> None:
    try:
        size = len(encoded(text, encoding))
    except UnicodeEncodeError as error:
        raise InputError(
            f"the {what} '{text}' has letters that {encoding} lacks ({text[error.start : error.end]})",
            file=f"{name.lower()}.xpt",
            key=variable,
            right="Give --encoding utf-8 or gb18030, or write it in other letters",
        ) from None
    if size > most:
        raise InputError(
            f"the {what} '{text[:60]}...' has {size} bytes",
            file=f"{name.lower()}.xpt",
            key=variable,
            right=f"SAS transport version 5 holds at most {most}",
        )
