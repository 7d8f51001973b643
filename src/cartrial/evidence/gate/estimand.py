"""What exactly does a result estimate? Its attributes, each stated, not stated, or assumed by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import get_args

from cartrial.errors import InputError
from cartrial.evidence.registry.model import Measure, Result
from cartrial.evidence.registry.stated import NOT_STATED
from cartrial.evidence.registry.words import response_words, window_words
from cartrial.faults import nearest
from cartrial.study.criteria.codes import CR, RESPONSES
from cartrial.study.criteria.sets import CRITERIA
from cartrial.study.endpoint import STRATEGIES

__all__ = ["ASSUMABLE", "attributes_of", "is_response_rate", "read_assumptions"]

_READERS = tuple(word for word in get_args(Result.model_fields["reader"].annotation) if not word.startswith("not-"))
_ORIGINS = tuple(
    word for part in get_args(Measure.model_fields["origin"].annotation) for word in get_args(part) if not word.startswith("not-")
)
_WINDOW = re.compile(r"best|(at|within) \S.*")
ASSUMABLE: dict[str, tuple[str, ...]] = {
    "window": (),
    "reader": _READERS,
    "hsct": STRATEGIES,
    "new-therapy": STRATEGIES,
    "criteria": tuple(CRITERIA),
    "origin": _ORIGINS,
}
"""Attributes that may be assumed where a source is silent, with the words that they can be; a window is written as in a study file."""


def attributes_of(result: Result) -> dict[str, str | None]:
    """Return the attributes of what a result estimates; None where the source does not say.

    Who the patients are (product, ages, a group within the population) is no attribute of it: that is what a comparison compares.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> from cartrial.evidence.gate.estimand import attributes_of
    >>> held = attributes_of(load_evidence().find("inati-48-orr3")[1])
    >>> held["response"], held["population"], held["window"], held["reader"], held["hsct"]
    ('CR+CRi', 'infused', 'at month 3', 'IRC', None)
    """
    measure = result.measure
    held: dict[str, str | None] = {"measure": measure.type}
    if measure.type in ("response-rate", "pooled-rate"):
        held |= {"response": response_words(measure), "window": _stated(window_words(result.window))}
    elif measure.type == "proportion":
        held["of what"] = measure.what
    else:
        held |= {"endpoint": measure.endpoint, "origin": _stated(str(measure.origin))}
        held |= {"time": f"{measure.time} {measure.unit}"} if measure.time else {}
        held |= {"against": measure.against} if measure.against else {}
    held["population"] = result.group if result.population == "other" else result.population
    held["reader"] = _stated(result.reader)
    held |= {event: _stated(strategy) for event, strategy in result.strategies.items()}
    held["criteria"] = _stated(result.criteria)
    return held


def _stated(word: str) -> str | None:
    return None if word == NOT_STATED else word


def is_response_rate(result: Result) -> bool:
    """Whether a result is a rate of response: of those in complete remission at least, of one trial.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> sum(is_response_rate(result) for _, result in load_evidence().results)
    42
    """
    return result.measure.type == "response-rate" and RESPONSES[CR] in result.measure.response


def read_assumptions(texts: Iterable[str]) -> Mapping[str, str]:
    """Read assumptions, each ``attribute=word``.

    Raises
    ------
    InputError
        If an attribute cannot be assumed, a word is none of its own, or one is assumed twice.

    Examples
    --------
    >>> from cartrial.evidence.gate.estimand import read_assumptions
    >>> read_assumptions(["hsct=treatment-policy"])
    {'hsct': 'treatment-policy'}
    """
    held: dict[str, str] = {}
    for text in texts:
        name, _, word = (part.strip() for part in text.partition("="))
        if name not in ASSUMABLE or not word:
            near = nearest(name, list(ASSUMABLE))
            right = (
                f"The nearest is '{near}'; write {near}=..." if near and word else f"Write one of {', '.join(ASSUMABLE)}, as hsct=composite"
            )
            raise InputError(f"'{text}' assumes nothing that a source may leave out", key="--assume", right=right)
        known = ASSUMABLE[name]
        if known and word not in known:
            near = nearest(word, list(known))
            right = f"The nearest is '{near}'" if near else f"Known are {', '.join(known)}"
            raise InputError(f"the {name} cannot be '{word}'", key="--assume", right=right)
        if name == "window" and not _WINDOW.fullmatch(word):
            raise InputError(f"no window is '{word}'", key="--assume", right="Write best, at month 3 or within month 3")
        if held.get(name, word) != word:
            raise InputError(f"the {name} is assumed to be '{held[name]}' and '{word}'", key="--assume", right="Assume one of them")
        held[name] = word
    return held
