"""Which endpoint does an outcome of a registry record describe, and what does it leave open?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cartrial.errors import InputError

__all__ = ["Outcome", "draft_outcomes", "ordinary_visits", "plain", "read_outcomes"]

_VISITS = ((28, 7, "day 28"), (60, 7, "month 2"), (90, 14, "month 3"), (180, 14, "month 6"), (360, 14, "month 12"))
_LATE_VISITS = ((540, 30, "month 18"), (720, 30, "month 24"))
# The first that fits the measure, else the first that fits measure and description.
_KINDS = {
    "DOR": r"duration of (overall |objective |complete )?(response|remission)|\bDO[CO]?R\b",
    "EFS": r"event[- ]free|\bEFS\b",
    "RFS": r"(relapse|leuka?emia|disease)[- ]free|\b[RLD]FS\b",
    "PFS": r"progression[- ]free|\bPFS\b",
    "OS": r"overall survival|\bOS\b",
    "MRDN": r"\bMRD\b|(minimal|measurable) residual",
    "ORR": r"(overall|objective|total) (response|remission)|\bORR\b",
    "CRR": r"complete (remission|response)|\bCRR?\b|\bCRi\b",
    "RR": r"(response|remission) rate",
}
_ELSEWHERE = {
    "adverse events are described in the safety section of every report.": (
        r"adverse|toxic|\bDLT|cytokine release|\bCRS\b|ICANS|safety|tolerab|maximum tolerated"
    ),
    "the kinetics of the cells are described in every report (study.kinetics).": (
        r"expansion|persist|copies|kinetic|C-?max|\bAUC|(number|level|amount)s? of CAR"
    ),
}
_UNKNOWN = "it is no response rate and no time to event that is known here."
_NUMBERS = {
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8},
    **{"nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "eighteen": 18},
}
_UNITS = {"day": 1, "d": 1, "week": 7, "w": 7, "month": 30, "mo": 30, "m": 30, "year": 365, "y": 365}
_ORIGINS = {
    "enrolment": r"enrol|registration|admission|consent|inclusion",
    "day-0": r"infus|transfus|administ|injection|treatment|day 0\b|post-?CAR",
}
_RESPONSE = r"(from|after|since|between|first)[^;,]*(remission|response|\bCR)"
_TIMES = {
    "DOR": ("first-response", "responders", ["relapse", "death"], "hypothetical", "hypothetical"),
    "RFS": ("first-response", "responders", ["relapse", "death"], "treatment-policy", "treatment-policy"),
    "EFS": ("day-0", "infused", ["non-response", "relapse", "death"], "treatment-policy", "composite"),
    "PFS": ("day-0", "infused", ["non-response", "relapse", "death"], "treatment-policy", "composite"),
    "OS": ("day-0", "infused", ["death"], "treatment-policy", "treatment-policy"),
}
_NO_ORIGIN = "origin: the record does not say clearly whether time runs from enrolment or from infusion; drafted as infusion (day 0)."


@dataclass
class Outcome:
    """An outcome of a record and what became of it.

    Parameters
    ----------
    role : {"primary", "secondary", "exploratory"}
    measure, description, frame : str
        The record's words; blank where it has none.
    endpoint : dict
        As a study file has it; empty when none could be drafted.
    open : list of str
        What the record leaves open; when there is no endpoint, why.
    """

    role: str
    measure: str
    description: str
    frame: str
    endpoint: dict[str, Any] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The record's words on one line."""
        return "; ".join(word for word in (self.measure, self.description, self.frame) if word)


def plain(value: Any) -> str:
    """Return text on one line; anything else is no text."""
    return "".join(letter for letter in " ".join(value.split()) if letter.isprintable()) if isinstance(value, str) else ""


def ordinary_visits() -> list[dict[str, Any]]:
    """Return the schedule of assessments that a draft assumes. Units: days from day 0."""
    return [{"name": name, "day": day, "minus": margin, "plus": margin} for day, margin, name in (*_VISITS, *_LATE_VISITS)]


def read_outcomes(module: dict[str, Any], shape: str, file: str | None = None) -> list[Outcome]:
    """Return the outcomes of a record's outcomes module.

    Raises
    ------
    InputError
        If they are no lists of objects, one has no measure, or there are none. `shape` says what would be right.
    """
    found = []
    for key, role in (("primaryOutcomes", "primary"), ("secondaryOutcomes", "secondary"), ("otherOutcomes", "exploratory")):
        at, listed = f"protocolSection.outcomesModule.{key}", module.get(key, [])
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise InputError("outcomes are a list of objects with measure and timeFrame", file=file, key=at, right=shape)
        for item in listed:
            outcome = Outcome(role, plain(item.get("measure")), plain(item.get("description")), plain(item.get("timeFrame")))
            if not outcome.measure:
                raise InputError("an outcome has no measure", file=file, key=at, right="Each outcome names what is measured")
            found.append(outcome)
    if not found:
        right = "A study needs at least one outcome"
        raise InputError("the record has no outcomes", file=file, key="protocolSection.outcomesModule", right=right)
    return found


def draft_outcomes(outcomes: list[Outcome], visits: list[dict[str, Any]]) -> list[str]:
    """Draft an endpoint of each outcome, ids unique.

    Parameters
    ----------
    outcomes : list of Outcome
        Their `endpoint` and `open` are filled in.
    visits : list of dict
        The schedule; a visit is added where an outcome names a day outside every window.

    Returns
    -------
    list of str
        What is open, endpoint by endpoint.
    """
    unclear: list[str] = []
    taken: set[str] = set()
    for outcome in outcomes:
        _draft(outcome, visits)
        if not outcome.endpoint:
            unclear.append(f"Not drafted ({outcome.role} outcome '{outcome.text}'): {outcome.open[0]}")
            continue
        stem, count = outcome.endpoint["id"], 1
        while outcome.endpoint["id"] in taken:
            count += 1
            outcome.endpoint["id"] = f"{stem[: 7 - len(str(count))]}V{count}"
        taken.add(outcome.endpoint["id"])
        unclear.extend(f"{outcome.endpoint['id']}, {point}" for point in outcome.open)
    return unclear


def _draft(outcome: Outcome, visits: list[dict[str, Any]]) -> None:
    both = f"{outcome.measure}; {outcome.description}"
    fits = (name for words in (outcome.measure, both) for name, pattern in _KINDS.items() if re.search(pattern, words, re.I))
    kind = next(fits, None)
    if kind is None:
        outcome.open.append(next((why for why, pattern in _ELSEWHERE.items() if re.search(pattern, both, re.I)), _UNKNOWN))
        return
    when = outcome.frame or both
    origins = [name for name, pattern in _ORIGINS.items() if re.search(pattern, when, re.I)]
    origin = origins[0] if len(origins) == 1 else None
    if origin and kind != "DOR":
        outcome.open.append(f"origin: '{when}' is read as {'infusion (day 0)' if origin == 'day-0' else origin}.")
    short = " " not in outcome.measure and outcome.description
    label = f"{outcome.description.rstrip('.')} ({outcome.measure})" if short else outcome.measure
    outcome.endpoint = {"id": kind, "label": label, "role": outcome.role, "type": "time-to-event" if kind in _TIMES else "response-rate"}
    if kind in _TIMES:
        _time(outcome, kind, origin, when)
    else:
        _rate(outcome, kind, origin, when, visits)
    outcome.endpoint |= {"source": "assumption", "note": f"registry record: {outcome.text}"}


def _rate(outcome: Outcome, kind: str, origin: str | None, when: str, visits: list[dict[str, Any]]) -> None:
    listed = re.search(r"\bCRi\b|incomplete", outcome.text, re.I)
    response = ["CR"] if kind == "CRR" and not listed else ["CR", "CRi"]
    population = "enrolled" if origin == "enrolment" else "infused"
    if not listed:
        drafted = " or ".join(response)
        outcome.open.append(f"response: the record does not say whether CRi counts (CR alone or CR+CRi); drafted as {drafted}.")
    if origin is None:
        outcome.open.append(_NO_ORIGIN)
    window = _window(outcome, origin or "day-0", when, visits)
    outcome.open.append(f"population: the record does not name the denominator (enrolled, infused, assessed); drafted as {population}.")
    outcome.open.append("strategies: the record does not say what transplant and new therapy do to a response; drafted as composite.")
    strategies = {"hsct": "composite", "new-therapy": "composite"}
    if population == "enrolled":
        strategies["product-failure"] = "composite"
        outcome.open.append("strategies: the record does not say what failure of the product does; drafted as composite (a non-responder).")
    outcome.endpoint["response"] = response
    if kind == "MRDN":
        outcome.endpoint["mrd"] = "negative"
        outcome.open.append("MRD: the limit and the assay are not read from the record; drafted as CR or CRi with MRD below 1e-4.")
    outcome.endpoint |= {"window": window, "population": population, "strategies": strategies}
    if kind == "CRR" and not listed:
        outcome.endpoint["sensitivity"] = [{"response": ["CR", "CRi"]}]
    if visit := window.get("at") or window.get("within"):
        day = next(item["day"] for item in visits if item["name"] == visit)
        stem = f"{kind[:4]}{'W' if 'within' in window else ''}"
        outcome.endpoint["id"] = f"{stem}{day // 30 if day % 30 == 0 else day}"[:8]


def _window(outcome: Outcome, origin: str, when: str, visits: list[dict[str, Any]]) -> dict[str, Any]:
    until = {"until": "progression"} if re.search(r"progress|relapse", when, re.I) else {}
    days = _days(when)
    if not days:
        outcome.open.append("window: the record names no time; drafted as best response up to the cutoff.")
        return {"best": "cutoff", **until}
    span = bool(re.search(r"up to|within|through|until|during|maximum|\bto\b|\d\s*-\s*\d", when, re.I))
    if origin == "enrolment" or (until and span):
        since = "enrolment" if origin == "enrolment" else "infusion"
        outcome.open.append(f"window: '{when}' is read as any assessment up to day {days[-1]} from {since}, not as the one of that visit.")
        if origin == "enrolment":
            outcome.open.append("window: whether a remission from bridging before infusion counts is not said; drafted as not.")
        return {"within-days": days[-1], "from": origin, **until}
    visit = _visit(days[-1], visits)
    if span or len(days) > 1:
        several = "" if span else " (the last of several times)"
        end = visit["day"] + visit["plus"]
        upto = f"up to the end of {visit['name']}{several}, day {end}"
        outcome.open.append(f"window: '{when}' is read as any assessment {upto}, not as the one of that visit.")
        return {"within": visit["name"]}
    days_of = f"day {visit['day'] - visit['minus']} to {visit['day'] + visit['plus']}"
    outcome.open.append(f"window: '{when}' is read as the visit {visit['name']} ({days_of}), not as any assessment up to it.")
    return {"at": visit["name"]}


def _visit(day: int, visits: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the visit whose window holds a day, made where there is none."""
    for visit in visits:
        if visit["day"] - visit["minus"] <= day <= visit["day"] + visit["plus"]:
            return visit
    gaps = [visit["day"] - visit["minus"] - day if visit["day"] > day else day - visit["day"] - visit["plus"] for visit in visits]
    margin = max(0, min(7, day - 1, *(gap - 1 for gap in gaps)))
    visits.append({"name": f"day {day}", "day": day, "minus": margin, "plus": margin})
    return visits[-1]


def _time(outcome: Outcome, kind: str, origin: str | None, when: str) -> None:
    start, population, events, hsct, therapy = _TIMES[kind]
    of_responders = bool(re.search(_RESPONSE, outcome.text, re.I))
    if kind == "DOR" or (kind == "RFS" and (origin is None or of_responders)):
        if not of_responders:
            outcome.open.append("origin: the record does not name it; drafted as the first CR or CRi.")
    elif origin == "enrolment":
        start, population, events = "enrolment", "enrolled", [event for event in events if event != "non-response"]
        if kind != "OS":
            outcome.open.append("events: non-response is no event of a time from enrolment.")
    elif origin == "day-0":
        start, population = "day-0", "infused"
        events = events if kind == "OS" else ["non-response", "relapse", "death"]
    else:
        outcome.open.append(_NO_ORIGIN)
    if kind != "OS":
        outcome.open.append(f"events: the record is not read for their definition; drafted as {', '.join(events)}.")
    outcome.open.append(f"population: the record does not name it; drafted as {population}.")
    if re.search(r"\brate\b", f"{outcome.measure} {outcome.description}", re.I):
        outcome.open.append("summary: the record names a rate; drafted as a time to event (Kaplan–Meier), read off at any time.")
    if _days(when):
        outcome.open.append(f"window: '{when}' is read as the length of follow-up; observation is not cut there.")
    outcome.open.append(f"strategies: the record does not name them; drafted as {hsct} for transplant and {therapy} for new therapy.")
    strategies = {"hsct": hsct, "new-therapy": therapy}
    outcome.endpoint |= {"origin": start, "population": population, "events": events, "strategies": strategies}


def _days(text: str) -> list[int]:
    """Return the times that a text names, in days, rising. Month k is day 30k, month 1 day 28, a year 365 days."""
    numbered = re.sub(r"\b(" + "|".join(_NUMBERS) + r")\b", lambda match: str(_NUMBERS[match.group().lower()]), text, flags=re.I)
    found = re.findall(r"(\d{1,4}(?:\.\d+)?)\s*-?\s*(day|week|month|year|mo\b|[dwmy]\b)", numbered, re.I)
    found += [(number, unit) for unit, number in re.findall(r"\b(day|week|month|year|[dwmy])\s*\+?(\d{1,4})\b", numbered, re.I)]
    sizes = [(float(number), _UNITS[unit.lower()]) for number, unit in found]
    days = {28 if size == (1.0, 30) else round(size[0] * size[1]) for size in sizes}
    return sorted(day for day in days if 1 <= day <= 3650)
