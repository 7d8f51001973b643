"""Does free text name a person, a site or a subject? Such words are refused where they are typed, and masked where they would go out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

__all__ = ["MASK", "mask_names", "name_words", "who_is_named"]

MASK = "[masked]"
"""Stands for what is masked."""

_TITLED = re.compile(r"\b(dr|prof|professor|mr|mrs|ms|frau|herr|mme)\b\.?\s+(?=[^\W\d_])", re.IGNORECASE)
_SITE = re.compile(r"\b(site|sites|centre|center|hospital|clinic|institution|zentrum)\s*(no\.?|number|nr\.?|#)?\s*\d+", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:[-_./][^\W_]+)*")
_NOT_NAMES = {
    *("dr", "prof", "professor", "med", "phd", "md", "mrs", "ms", "mr", "reader", "adjudicator", "coordinator", "monitor", "auditor"),
    *("administrator", "and", "the", "von", "van", "der", "del"),
}
_SHORTEST_NAME, _SHORTEST_USER = 3, 4


def name_words(user: str, name: str) -> set[str]:
    """Return the words by which a person is known: parts of the name as they are written, and the user name where it is no short word.

    Examples
    --------
    >>> from cartrial.review.naming import name_words
    >>> sorted(name_words("meier1", "Dr A. Meier"))
    ['Meier', 'meier1']
    """
    parts = {part for part in re.findall(r"[^\W\d_]+", name) if len(part) >= _SHORTEST_NAME and part.lower() not in _NOT_NAMES}
    return parts | ({user} if len(user) >= _SHORTEST_USER and user.lower() not in _NOT_NAMES else set())


def who_is_named(text: str, people: Iterable[tuple[str, str]], is_subject: Callable[[str], bool] = lambda word: False) -> str:
    """Return what a text names, in words for who typed it; blank where it names nobody.

    Parameters
    ----------
    text : str
    people : iterable of (user name, name)
        Who can log in.
    is_subject : callable
        Whether a word is a subject's own key.

    Notes
    -----
    A name is known as it is written, or in capitals; in small letters only as a user name: `young` is a word, Young a person.

    Examples
    --------
    >>> from cartrial.review.naming import who_is_named
    >>> who_is_named("as Meier called it", [("m1", "Dr A. Meier")])
    'names a person'
    >>> who_is_named("seen at site 12", []), who_is_named("marrow of day 90", [("m1", "Dr A. Meier")])
    ('names a site', '')
    """
    if _TITLED.search(text):
        return "names a person"
    known: set[str] = set()
    for user, name in people:
        own = name_words(user, name)
        known |= own | {word.upper() for word in own}
    words = set(_WORD.findall(text))
    parts = {part for word in words for part in re.split(r"[-_./]", word)}
    if known & (words | parts):
        return "names a person"
    if _SITE.search(text):
        return "names a site"
    return "names a subject by its own key" if any(is_subject(word) for word in words) else ""


def mask_names(text: str, words: Iterable[str]) -> str:
    """Return a text with whole words masked.

    Examples
    --------
    >>> from cartrial.review.naming import mask_names
    >>> mask_names("S-07-0001 was seen at BXL", ["S-07-0001", "BXL"])
    '[masked] was seen at [masked]'
    """
    wanted = sorted({word for word in words if word}, key=len, reverse=True)
    if not wanted:
        return text
    return re.sub(r"(?<![^\W_])(" + "|".join(map(re.escape, wanted)) + r")(?![^\W_])", MASK, text)
