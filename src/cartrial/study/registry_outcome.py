"""Which endpoint does an outcome of a registry record describe, and what does it leave open?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cartrial.errors import InputError

__all__ = ["Outcome", "draft_outcomes", "ordinary_visits", "plain", "read_outcomes"]

_VISITS = ((28, 7, "day 28"), (60, 7, "month 2"), (90, 14, "month 3"), (180, 14, "month 6"), (360, 14, "month 12"), (540, 30, "month 18"), (720, 30, "month 24"))
# In this order: the first that fits the measure, else measure and description.
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
    "adverse events are described in the safety section of every report.": r"adverse|toxic|\bDLT|cytokine release|\bCRS\b|ICANS|safety|tolerab|maximum tolerated",
    "the cells' kinetics are described in every report (study.kinetics).": r"expansion|persist|copies|kinetic|C-?max|\bAUC|(number|level|amount)s? of CAR",
}
_NUMBERS = {word: i for i, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)}
_UNITS = {"day": 1, "week": 7, "month": 30, "year": 365}
_FROM = {"enrolment": r"enrol|registration|admission|consent|inclusion", "day-0": r"infus|transfus|reinfus|administ|injection|treatment|day 0|post-?CAR"}
_TIMES = {
    "DOR": ("first-response", "responders", ["relapse", "death"], "hypothetical", "hypothetical"),
    "RFS": ("first-response", "responders", ["relapse", "death"], "treatment-policy", "treatment-policy"),
    "EFS": ("day-0", "infused", ["non-response", "relapse", "death"], "treatment-policy", "composite"),
    "PFS": ("day-0", "infused", ["non-response", "relapse", "death"], "treatment-policy", "composite"),
    "OS": ("day-0", "infused", ["death"], "treatment-policy", "treatment-policy"),
}


@dataclass
class Outcome:
    """An outcome of the record, and what became of it: an endpoint with the points that it leaves open, or why there is none."""

    role: str
    measure: str
    description: str
    frame: str
    endpoint: dict[str, Any] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "; ".join(word for word in (self.measure, self.description, self.frame) if word)


def read_outcomes(module: dict[str, Any], file: str | None = None) -> list[Outcome]:
    found = []
    for key, role in (("primaryOutcomes", "primary"), ("secondaryOutcomes", "secondary"), ("otherOutcomes", "exploratory")):
        at, listed = f"protocolSection.outcomesModule.{key}", module.get(key, [])
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise InputError("outcomes are a list of objects with measure and timeFrame", file=file, key=at, right=_SHAPE)
        for item in listed:
            outcome = Outcome(role, *(plain(item.get(name)) for name in ("measure", "description", "timeFrame")))
            if not outcome.measure:
                raise InputError("an outcome has no measure", file=file, key=at, right="Each outcome names what is measured")
            found.append(outcome)
    if not found:
        raise InputError("the record has no outcomes", file=file, key="protocolSection.outcomesModule", right="A study needs at least one outcome")
    return found


def plain(value: Any) -> str:
    """Return text on one line; anything else is no text."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def _draft(outcome: Outcome, visits: list[dict[str, Any]]) -> None:
    """Fill in the endpoint of an outcome with what it leaves open, or why it is not drafted. May add a visit."""
    both = f"{outcome.measure}; {outcome.description}"
    kind = next((name for words in (outcome.measure, both) for name, pattern in _KINDS.items() if re.search(pattern, words, re.I)), None)
    if kind is None:
        why = next((reason for reason, pattern in _ELSEWHERE.items() if re.search(pattern, both, re.I)), "it is no response rate or time to event that is known here.")
        outcome.open.append(why)
        return
    when = outcome.frame or both
    origins = [name for name, pattern in _FROM.items() if re.search(pattern, when, re.I)]
    origin = origins[0] if len(origins) == 1 else None
    if origin == "enrolment" and re.search("admission", when, re.I):
        outcome.open.append("origin: 'admission' is taken as enrolment.")
    label = outcome.measure if " " in outcome.measure or not outcome.description else f"{outcome.description.rstrip('.')} ({outcome.measure})"
    outcome.endpoint = {"id": kind, "label": label, "role": outcome.role, "type": "time-to-event" if kind in _TIMES else "response-rate"}
    (_time if kind in _TIMES else _rate)(outcome, kind, origin, when, visits)
    outcome.endpoint |= {"source": "assumption", "note": f"registry record: {outcome.text}"}


def _rate(outcome: Outcome, kind: str, origin: str | None, when: str, visits: list[dict[str, Any]]) -> None:
    listed = re.search(r"\bCRi\b|incomplete", outcome.text, re.I)
    response = ["CR"] if kind == "CRR" and not listed else ["CR", "CRi"]
    if not listed:
        outcome.open.append(f"response: the record does not say whether CRi counts (CR alone or CR+CRi); drafted as {' or '.join(response)}.")
    if origin is None:
        outcome.open.append("origin: the record does not say clearly whether time runs from enrolment or from infusion; drafted as infusion (day 0).")
    window = _window(outcome, origin or "day-0", when, visits)
    population = "enrolled" if origin == "enrolment" else "infused"
    outcome.open.append(f"population: the record does not name the denominator (enrolled, infused or assessed); drafted as {population}.")
    outcome.open.append("strategies: the record does not say what transplant and new therapy do to a response; drafted as composite.")
    strategies = {"hsct": "composite", "new-therapy": "composite"}
    if population == "enrolled":
        strategies["product-failure"] = "composite"
        outcome.open.append("strategies: the record does not say what failure of the product does; drafted as composite (a non-responder).")
    outcome.endpoint |= {"response": response, **({"mrd": "negative"} if kind == "MRDN" else {}), "window": window, "population": population, "strategies": strategies}
    if kind == "MRDN":
        outcome.open.append("MRD: the record's limit and assay are not read; drafted as below 1e-4 in CR or CRi.")
    if kind == "CRR" and not listed:
        outcome.endpoint["sensitivity"] = [{"response": ["CR", "CRi"]}]
    if "at" in window:
        day = next(visit["day"] for visit in visits if visit["name"] == window["at"])
        outcome.endpoint["id"] = f"{kind}{day // 30 if day % 30 == 0 else day}"


def _window(outcome: Outcome, origin: str, when: str, visits: list[dict[str, Any]]) -> dict[str, Any]:
    until = {"until": "progression"} if re.search(r"progress|relapse", when, re.I) else {}
    days = _days(when)
    if not days:
        outcome.open.append("window: the record names no time; drafted as best response up to the cutoff.")
        return {"best": "cutoff", **until}
    span = re.search(r"up to|within|through|until|during|maximum|\bto\b|-\s*\d", when, re.I)
    if span or len(days) > 1 or origin == "enrolment":
        how = "any assessment up to" if span else "the record names several times or counts from enrolment: any assessment up to"
        outcome.open.append(f"window: '{when}' is read as {how} day {days[-1]} from {'enrolment' if origin == 'enrolment' else 'infusion'}, not at one visit.")
        return {"within-days": days[-1], "from": origin, **until}
    day = days[0]
    visit = next((visit for visit in visits if visit["day"] - visit["minus"] <= day <= visit["day"] + visit["plus"]), None)
    if visit is None:
        room = [visit["day"] - visit["minus"] - day - 1 for visit in visits if visit["day"] > day] + [day - visit["day"] - visit["plus"] - 1 for visit in visits if visit["day"] < day]
        margin = min(7, day - 1, *room)
        visit = {"name": f"day {day}", "day": day, "minus": margin, "plus": margin}
        visits.append(visit)
    outcome.open.append(f"window: '{when}' is read as the visit {visit['name']} (day {visit['day']}, {visit['minus']} days before to {visit['plus']} after), not any time up to it.")
    return {"at": visit["name"]}


def _time(outcome: Outcome, kind: str, origin: str | None, when: str, visits: list[dict[str, Any]]) -> None:
    start, population, events, hsct, therapy = _TIMES[kind]
    if kind in ("DOR", "RFS") and (kind == "DOR" or origin is None or re.search(r"(from|after|since)[^;,]*(remission|response|\bCR\b)", outcome.text, re.I)):
        if not re.search(r"(from|after|since|between|first)[^;,]*(remission|response|\bCR)", outcome.text, re.I):
            outcome.open.append("origin: the record does not name it; drafted as the first CR or CRi.")
    elif origin == "enrolment":
        start, population, events = "enrolment", "enrolled", [event for event in events if event != "non-response"]
        if kind != "OS":
            outcome.open.append("events: non-response is not an event of a time from enrolment; drafted as relapse or death.")
    elif origin == "day-0":
        start, population, events = "day-0", "infused", events if kind == "OS" else ["non-response", "relapse", "death"]
    else:
        outcome.open.append("origin: the record does not say clearly whether time runs from enrolment or from infusion; drafted as infusion (day 0).")
    if kind != "OS":
        outcome.open.append(f"events: the record does not define them fully; drafted as {', '.join(events)}.")
    if re.search(r"\brate\b", outcome.measure + outcome.description, re.I):
        outcome.open.append("summary: a rate without its time point; drafted as a time to event (Kaplan–Meier).")
    if _days(when):
        outcome.open.append(f"window: '{when}' is read as the length of follow-up; observation is not cut there.")
    outcome.open.append(f"strategies: the record does not name them; drafted as {hsct} for transplant and {therapy} for new therapy.")
    outcome.endpoint |= {"origin": start, "population": population, "events": events, "strategies": {"hsct": hsct, "new-therapy": therapy}}


def _days(text: str) -> list[int]:
    """Return the times that a text names, in days, rising. Month k is day 30k, month 1 day 28."""
    words = re.sub(r"\b(" + "|".join(_NUMBERS) + r")\b", lambda match: str(_NUMBERS[match.group().lower()]), text, flags=re.I)
    found = re.findall(r"(\d+(?:\.\d+)?)\s*-?\s*(day|week|month|year|d\b|w\b|mo?\b|y\b)", words, re.I)
    found += [(number, unit) for unit, number in re.findall(r"\b(day|week|month|year|d|w|m)\s*\+?(\d+)", words, re.I)]
    units = {**_UNITS, **{unit[0]: size for unit, size in _UNITS.items()}, "mo": 30}
    days = {28 if (float(number), units[unit.lower()]) == (1.0, 30) else round(float(number) * units[unit.lower()]) for number, unit in found}
    return sorted(day for day in days if 1 <= day <= 3650)


def _number(outcomes: list[Outcome], unclear: list[str]) -> None:
    """Make the endpoint ids unique, and list what is open."""
    taken: set[str] = set()
    for outcome in outcomes:
        if not outcome.endpoint:
            unclear.append(f"Not drafted ({outcome.role} outcome '{outcome.text}'): {outcome.open[0]}")
            continue
        stem, count = outcome.endpoint["id"], 1
        while outcome.endpoint["id"] in taken:
            count += 1
            outcome.endpoint["id"] = f"{stem[: 7 - len(str(count))]}V{count}"
        taken.add(outcome.endpoint["id"])
        unclear.extend(f"{outcome.endpoint['id']}, {point}" for point in outcome.open)


