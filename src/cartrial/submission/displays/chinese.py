"""How is a display said in Chinese? By one table of phrases; what it has not stays English, and is listed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import NamedTuple

from cartrial.submission.displays.model import KINDS, Display, Grid, Piece, Words

__all__ = ["Phrases", "read_phrases", "translate_displays", "translate_words"]

_SLOT = "{}"
_NUMBER = re.compile(r"\bxx(?:\.x)?(?![a-z])|\d+(?:\.\d+)?")
_LETTERS = re.compile(r"[a-z]{2}")
_CODED = re.compile(r"^(.*\S) \(([^()]*[A-Z][^()]*|primary endpoint)\)$", re.DOTALL)
_BETWEEN = (("; ", "；"), (": ", "："), (", ", "，"))


class Phrases(NamedTuple):
    """The table: terms with their translation, and phrases with a slot for each number or statistic."""

    terms: dict[str, str]
    phrases: dict[str, str]


@cache
def read_phrases() -> Phrases:
    """Return the table of phrases."""
    import yaml

    text = resources.files("cartrial.submission.displays").joinpath("words.zh.yaml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    return Phrases(found["terms"], found["phrases"])


def translate_words(words: Words) -> Words | None:
    """Return words in Chinese, each statistic and number in its place; None where the table has them not.

    Examples
    --------
    >>> from cartrial.submission.displays.chinese import translate_words
    >>> from cartrial.submission.displays.model import Piece, Words
    >>> str(translate_words(Words((Piece("Infused subjects (safety set) (N = "), Piece("39", 7), Piece(")")))))
    '已输注受试者（安全性分析集）（N = 39）'
    """
    pattern = ""
    kept: list[Piece] = []
    for piece in words:
        if piece.key is not None:
            pattern, kept = pattern + _SLOT, [*kept, piece]
            continue
        kept += [Piece(number) for number in _NUMBER.findall(piece.text)]
        pattern += _NUMBER.sub(_SLOT, piece.text)
    said = _said(pattern)
    if said is None or said.count(_SLOT) != len(kept):
        return None
    texts = said.split(_SLOT)
    pieces = [Piece(texts[0])]
    for slot, text in zip(kept, texts[1:], strict=True):
        pieces += [slot, Piece(text)]
    return Words(piece for piece in pieces if piece.text)


def _said(pattern: str) -> str | None:
    """Return a pattern in Chinese: as the table has it, else its parts, where it has all of them; of a group, `by` stands before."""
    phrases = read_phrases().phrases
    if pattern in phrases:
        return phrases[pattern]
    # codes such as CR and IRC, and terms in capitals, are those of the data
    if not _LETTERS.search(pattern):
        return pattern
    coded = _CODED.match(pattern)
    if coded and (named := _said(coded[1])) is not None:
        return f"{named}（{phrases.get(coded[2], coded[2])}）"
    whole, by, group = pattern.rpartition(" by ")
    if by and (named := _said(whole)) and (told := _said(group[:1].upper() + group[1:])):
        return f"{named}（按{told}）"
    for english, chinese in _BETWEEN:
        if english in pattern:
            parts = [_said(part) for part in pattern.split(english)]
            if all(part is not None for part in parts):
                return chinese.join(part for part in parts if part is not None)
    return None


def translate_displays(displays: Sequence[Display]) -> tuple[list[Display], list[str]]:
    """Return displays in Chinese, and the titles, headings, lines and notes that stay English, sorted.

    Records of listings are data: what the table has is translated, and what it has not is not listed. Figures keep their English words.
    """
    left: set[str] = set()

    def said(words: Words, *, data: bool = False) -> Words:
        found = translate_words(words)
        if found is None and not data:
            left.add(str(words))
        return words if found is None else found

    made = []
    for display in displays:
        body = display.body
        if isinstance(body, Grid):
            listed = display.kind == "listing"
            head = tuple(str(said(Words((Piece(text),)))) if text else "" for text in body.head)
            rows = tuple(tuple(said(cell, data=listed) for cell in row) for row in body.rows)
            body = replace(body, head=head, rows=rows)
        made.append(
            replace(
                display,
                title=str(said(Words((Piece(display.title),)))),
                population=said(display.population),
                body=body,
                notes=tuple(said(note) for note in display.notes),
                noun=read_phrases().phrases[KINDS[display.kind]],
            )
        )
    return made, sorted(left)
