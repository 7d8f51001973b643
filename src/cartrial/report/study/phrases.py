"""How are strategies, variants, levels and readers said on a page? In words; the code of a row stands in its hover."""

from __future__ import annotations

import re
from typing import NamedTuple

from markupsafe import Markup

__all__ = [
    "POPULATION_WORDS",
    "READER_NAMES",
    "Strategies",
    "level_words",
    "lower_first",
    "read_strategies",
    "signs_of",
    "strategies_sentence",
    "strategy_cells",
    "variant_words",
]

READER_NAMES = {
    "IRC": "independent committee",
    "INV": "investigator",
    "LAB": "laboratory values",
    "READER 1": "independent reader 1",
    "READER 2": "independent reader 2",
    "ADJUDICATOR": "adjudicator",
}
POPULATION_WORDS = {
    "enrolled": "enrolled",
    "leukapheresed": "leukapheresed",
    "infused": "infused",
    "assessed": "assessed after infusion",
    "evaluable": "evaluable",
    "responders": "responders",
}
LEVEL_WORDS = {"Y": "yes", "N": "no", "F": "female", "M": "male", "missing": "not recorded"}
EVENTS = {
    "hsct": "transplant",
    "new-therapy": "new therapy",
    "re-infusion": "re-infusion",
    "product-failure": "product failure",
    "non-response": "non-response",
    "mrd-relapse": "relapse of residual disease",
    "b-cell-recovery": "recovery of B cells",
    "loss-of-persistence": "loss of persistence",
}
# What a strategy does, by the type of the endpoint (rules, paragraph 5).
STRATEGIES = {
    "response-rate": {
        "treatment-policy": "ignored",
        "composite": "no response after it",
        "while-on-treatment": "last status before it",
    },
    "best-response": {
        "treatment-policy": "ignored",
        "composite": "nothing counts after it",
        "while-on-treatment": "nothing counts after it",
        "hypothetical": "nothing counts after it",
    },
    "time-to-event": {
        "treatment-policy": "ignored",
        "composite": "is an event",
        "while-on-treatment": "observation stops at it",
        "hypothetical": "censored before it",
    },
}
ORIGINS = {"first-response": "the first response", "day-0": "the first infusion", "enrolment": "enrolment", "aplasia": "aplasia"}
OTHER = {
    "day-0=earliest": "an infusion of unknown day on the earliest day of its month",
    "day-0=latest": "an infusion of unknown day on the latest day of its month",
    "partial-date=after-cutoff": "partial dates read as after the cutoff",
    "not-yet-assessable=non-responder": "window still open: no response",
    "not-yet-assessable=exclude": "window still open: left out of N",
    "missed-visits=0": "missed visits ignored",
    "non-response.dated=at-assessment": "non-response on the date of its assessment",
    "non-response.dated=day-0": "non-response on day 0",
    "non-response.loss=censor": "lost without response: censored",
    "non-response.loss=event": "lost without response: an event",
    "sustained-by=no-relapse": "sustained where no relapse is seen",
    "sustained-by=remission": "sustained where the remission is seen again",
    "sustained-days=0": "not required to last",
    "window.until=progression": "until progression",
    "window.best=cutoff": "window: best up to the cutoff",
    "mrd=negative": "MRD negative",
    "clinical-progression=event": "a progression that a clinician saw is an event",
    "no-baseline=event": "without imaging at baseline: what happened counts",
}


class Strategies(NamedTuple):
    """What is done with intercurrent events, as cells of a table: transplant, new therapy, and whatever else a row names."""

    transplant: Markup | str
    therapy: Markup | str
    other: str


def read_strategies(code: str, kind: str) -> Strategies:
    """Return the strategies of a results row in words.

    Parameters
    ----------
    code : str
        As the row has them: ``hsct=composite; new-therapy=composite``.
    kind : {"response-rate", "best-response", "time-to-event"}
        Type of the endpoint.

    Examples
    --------
    >>> from cartrial.report.study.phrases import read_strategies
    >>> said = read_strategies("hsct=composite; new-therapy=treatment-policy; missed-visits=2", "time-to-event")
    >>> str(said.therapy.striptags()), said.other
    ('ignored', 'censored before 2 missed visits')
    """
    found = _parts(code)
    first, second = (_cell(name, found, kind) if name in found else "" for name in ("hsct", "new-therapy"))
    return Strategies(first, second, "; ".join(_others(found, kind)))


def strategy_cells(code: str, kind: str) -> tuple[Markup | str, Markup | str]:
    """Return the strategies of a results row as the last two cells of a table: transplant; new therapy and whatever else there is.

    Examples
    --------
    >>> from cartrial.report.study.phrases import strategy_cells
    >>> cells = strategy_cells("hsct=hypothetical; new-therapy=composite; competing=death", "time-to-event")
    >>> [str(cell.striptags()) for cell in cells]
    ['censored before it', 'is an event; competing: death']
    """
    said = read_strategies(code, kind)
    return said.transplant, Markup("; ").join(part for part in (said.therapy, said.other) if part)


def strategies_sentence(code: str, kind: str) -> str:
    """Return the strategies of a results row as one sentence, for a caption.

    Examples
    --------
    >>> from cartrial.report.study.phrases import strategies_sentence
    >>> strategies_sentence("hsct=composite; new-therapy=composite", "response-rate")
    'transplant and new therapy: no response after it'
    >>> strategies_sentence("hsct=treatment-policy; new-therapy=composite", "time-to-event")
    'transplant: ignored; new therapy: is an event'
    """
    found = _parts(code)
    said = {name: _done(name, found, kind) for name in ("hsct", "new-therapy") if name in found}
    words = [f"{EVENTS[name]}: {does}" for name, does in said.items()]
    if len(said) > 1 and len(set(said.values())) == 1:
        words = [f"transplant and new therapy: {said['hsct'].replace('is an event', 'are events').replace('competes', 'compete')}"]
    return "; ".join([*words, *_others(found, kind)])


def variant_words(name: str, kind: str = "response-rate") -> str:
    """Return what a variant changes, in words.

    Parameters
    ----------
    name : str
        ``key=value`` pieces joined by ``;``, as `Study.variants` names it; blank: the main analysis.
    kind : {"response-rate", "best-response", "time-to-event"}
        Type of the endpoint.

    Examples
    --------
    >>> from cartrial.report.study.phrases import variant_words
    >>> variant_words("hsct=treatment-policy;reader=INV")
    'transplant: ignored, reader: investigator'
    >>> variant_words("hsct=hypothetical", "time-to-event")
    'transplant: censored before it'
    >>> variant_words("population=responders;window.within=month 3")
    'population: responders, window: within month 3'
    """
    return ", ".join(_changed(piece, kind) for piece in name.split(";")) if name else "main analysis"


def level_words(level: str) -> str:
    """Return a level of a characteristic as it is printed.

    Examples
    --------
    >>> from cartrial.report.study.phrases import level_words
    >>> level_words(">= 40 years"), level_words("Y")
    ('≥ 40 years', 'yes')
    """
    return LEVEL_WORDS.get(level, level.replace(">=", "≥").replace("<=", "≤"))


def lower_first(words: str) -> str:
    """Return words that go on within a sentence: a first letter that begins no abbreviation is small.

    Examples
    --------
    >>> from cartrial.report.study.phrases import lower_first
    >>> lower_first("Overall survival"), lower_first("MRD-negative remission")
    ('overall survival', 'MRD-negative remission')
    """
    return words if words[1:2].isupper() or words[1:2] in ("-", "\u2011") else words[:1].lower() + words[1:]


def signs_of(unit: str) -> str:
    """Return a unit with the signs of print.

    Examples
    --------
    >>> from cartrial.report.study.phrases import signs_of
    >>> signs_of("copies/ug*day"), signs_of("cells/uL")
    ('copies/µg × day', 'cells/µL')
    """
    return re.sub(r"\bu(?=[gLl]\b)", "µ", unit).replace("*", " × ")


def _parts(code: str) -> dict[str, str]:
    return dict(piece.split("=", 1) for piece in code.split("; ") if "=" in piece)


def _does(strategy: str, kind: str) -> str:
    return STRATEGIES[kind].get(strategy, strategy.replace("-", " "))


def _done(name: str, found: dict[str, str], kind: str) -> str:
    """Return what is done with an event; one that competes is no event of the endpoint."""
    return "competes" if name in found.get("competing", "").split("+") else _does(found[name], kind)


def _cell(name: str, found: dict[str, str], kind: str) -> Markup:
    return Markup('<span title="{}={}">{}</span>').format(name, found[name], _done(name, found, kind))


def _others(found: dict[str, str], kind: str) -> list[str]:
    words = [f"{EVENTS[name]}: {_done(name, found, kind)}" for name in ("re-infusion", "product-failure") if name in found]
    if "missed-visits" in found:
        words.append(_missed(found["missed-visits"]))
    if "competing" in found:
        words.append(f"competing: {_listed(found['competing'])}")
    known = ("hsct", "new-therapy", "re-infusion", "product-failure", "missed-visits", "competing")
    return words + [OTHER.get(f"{key}={value}", f"{key.replace('-', ' ')}: {value}") for key, value in found.items() if key not in known]


def _missed(number: str) -> str:
    return "missed visits ignored" if number == "0" else f"censored before {number} missed visit{'' if number == '1' else 's'}"


def _listed(value: str) -> str:
    return " or ".join(EVENTS.get(part, part) for part in value.split("+"))


def _changed(piece: str, kind: str) -> str:
    key, _, value = piece.partition("=")
    if piece in OTHER:
        return OTHER[piece]
    if key in EVENTS:
        return f"{EVENTS[key]}: {_does(value, kind)}"
    patterns = {
        "reader": f"reader: {READER_NAMES.get(value, value)}",
        "population": f"population: {POPULATION_WORDS.get(value, value)}",
        "missed-visits": _missed(value),
        "analysis.competing": f"competing event: {_listed(value)}",
        "window.at": f"window: at {value}",
        "window.within": f"window: within {value}",
        "window.within-days": f"window: within {value} days",
        "window.from": f"window from {ORIGINS.get(value, value)}",
        "origin": f"time from {ORIGINS.get(value, value)}",
        "sustained-days": f"lasting {value} days",
        "response": f"response: {_listed(value)}",
        "events": f"events: {_listed(value)}",
    }
    return patterns.get(key, f"{key.replace('-', ' ').replace('.', ', ')}: {_listed(value)}")
