"""Is everything that is kept as it was when it was kept? The chain, the records against their events, and the guards of the tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from cartrial.review.app.acts.loading import root_of
from cartrial.review.app.acts.trail import check_chain
from cartrial.review.app.models import Again, Event, Loaded, LockStep, Message, Person, Read, Seat, Shown
from cartrial.review.app.stores.guards import missing_guards
from cartrial.review.evidence import digest_of

__all__ = ["find_damage"]


def find_damage(seals: Iterable[str] = ()) -> list[str]:
    """Return what is wrong, a sentence each; nothing where all holds.

    Parameters
    ----------
    seals : iterable of str
        Lines of `cartrial review seal`, kept elsewhere.
    """
    return [*check_chain(seals), *_reads(), *_cuts(), *_others(), *_guards()]


def _details(kind: str) -> dict[int, dict[str, Any]]:
    return {event.number: json.loads(event.detail) for event in Event.objects.filter(kind=kind).order_by("number")}


def _reads() -> list[str]:
    said, events = [], _details("signed")
    names = ("seat", "version", "call", "reason", "changed", "first", "notice", "meaning", "digest")
    for read in Read.objects.order_by("event"):
        detail = events.pop(read.event, None)
        kept = {name: getattr(read, name) for name in names} | {"case": read.case_id, "shown": read.shown_id, "person": read.person_id}
        if detail is None:
            said.append(f"The read of event {read.event} has no event.")
        elif any(detail.get(name) != value for name, value in kept.items()):
            said.append(f"The read of event {read.event} is not what was signed.")
    return said + [f"The read that event {number} signed is missing." for number in events]


def _cuts() -> list[str]:
    said, events = [], _details("loaded")
    for cut in Loaded.objects.order_by("event"):
        detail = events.pop(cut.event, None)
        kept = {name: getattr(cut, name) for name in ("study", "study_hash", "cutoff", "provenance", "replaced", "files")}
        if detail is None or any(detail[name] != value for name, value in kept.items()):
            said.append(f"The data cut of event {cut.event} is not what was loaded.")
        elif detail["cases"] != root_of(cut):
            said.append(f"The cases of the data cut of event {cut.event} are not those that were loaded.")
        for shown in Shown.objects.filter(loaded=cut):
            if hashlib.sha256(shown.evidence.encode()).hexdigest() != shown.digest:
                said.append(f"The findings of case {shown.case_id} in the data cut of event {cut.event} were changed.")
    return said + [f"The data cut that event {number} loaded is missing." for number in events]


def _others() -> list[str]:
    said = []
    seats = {number: (detail["subject"], detail["seat"], detail["person"]) for number, detail in _details("seat-given").items()}
    kept = {seat.event: (seat.subject.code, seat.seat, seat.person_id) for seat in Seat.objects.select_related("subject")}
    said += [
        f"The seat of event {number} is not what was given."
        for number in seats.keys() | kept.keys()
        if seats.get(number) != kept.get(number)
    ]
    drawn = sorted(tuple(row) for detail in _details("loaded").values() for row in detail.get("again", ()))
    if drawn != sorted(Again.objects.values_list("subject__code", "of__code", "seat")):
        said.append("The cases that are asked again are not those that were drawn.")
    people = {detail["person"]: (detail["user"], detail["role"], detail["name"]) for detail in _details("user-added").values()}
    for person in Person.objects.all():
        if people.get(person.pk) != (person.username, person.role, person.full_name):
            said.append(f"The user {person.username} is not as was added.")
    for kind in ("lock", "confirm", "unlock", "release"):
        steps = {step.event: step for step in LockStep.objects.filter(kind=kind)}
        for number, detail in _details(kind).items():
            step = steps.pop(number, None)
            if step is None or detail["digest"] != step.digest or digest_of(json.loads(step.document)) != step.digest:
                said.append(f"The lock of event {number} is not what was signed.")
        said += [f"The lock of event {number} has no event." for number in steps]
    for message in Message.objects.all():
        detail = json.loads(Event.objects.filter(pk=message.event).values_list("detail", flat=True).first() or "{}")
        if detail.get("text") != message.text:
            said.append(f"The query of event {message.event} is not what was written.")
    return said


def _guards() -> list[str]:
    """Say which table has lost what keeps its rows from being changed."""
    return [f"The guard of the table {table} is missing." for table in missing_guards()]
