"""Is everything that is kept as it was when it was kept? The chain, the records against their events, and the guards of the tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from cartrial.review.app.acts.loading import owners_of, root_of, salt_digest
from cartrial.review.app.acts.trail import check_chain
from cartrial.review.app.models import Again, Event, Loaded, LockStep, Message, Person, Read, Seat, Shown
from cartrial.review.app.stores.guards import missing_guards
from cartrial.review.evidence import digest_of

__all__ = ["find_damage"]

Details = dict[int, dict[str, Any]]


def find_damage(seals: Iterable[str] = ()) -> list[str]:
    """Return what is wrong, a sentence each; nothing where all holds.

    Parameters
    ----------
    seals : iterable of str
        Lines of `cartrial review seal`, kept elsewhere.
    """
    said = [*check_chain(seals), *_reads(), *_cuts(), *_seats(), *_people(), *_locks(), *_messages()]
    return said + [f"The guard of the table {table} is missing." for table in missing_guards()]


def _content(text: str) -> dict[str, Any]:
    """Return what a text says; nothing where it was changed into what is no content."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _details(*kinds: str) -> Details:
    """Return the content of the events of some kinds, with their time as `at`, who they are of as `who`, and their kind as `event`."""
    events = Event.objects.filter(kind__in=kinds).order_by("number")
    return {event.number: _content(event.detail) | {"at": event.at, "who": event.who, "event": event.kind} for event in events}


def _is_as_said(detail: Mapping[str, Any] | None, kept: Mapping[str, Any]) -> bool:
    return detail is not None and all(detail.get(name) == value for name, value in kept.items())


def _is_time_of(detail: Mapping[str, Any] | None, at: Any) -> bool:
    """Whether a record has the time of its event."""
    try:
        return detail is not None and parse_datetime(str(detail["at"])) == at
    except ValueError:
        return False


def _reads() -> list[str]:
    said, events = [], _details("signed")
    names = ("seat", "version", "call", "reason", "changed", "first", "notice", "meaning", "digest")
    for read in Read.objects.order_by("event"):
        detail = events.pop(read.event, None)
        kept = {name: getattr(read, name) for name in names} | {"case": read.case_id, "shown": read.shown_id, "person": read.person_id}
        if detail is None:
            said.append(f"The read of event {read.event} has no event.")
        elif not _is_as_said(detail, kept) or not _is_time_of(detail, read.signed):
            said.append(f"The read of event {read.event} is not what was signed.")
    return said + [f"The read that event {number} signed is missing." for number in events]


def _cuts() -> list[str]:
    said, events = [], _details("loaded")
    drawn = sorted(tuple(row) for detail in events.values() for row in detail.get("again", ()))
    for cut in Loaded.objects.order_by("event"):
        detail = events.pop(cut.event, None)
        kept = {name: getattr(cut, name) for name in ("study", "study_hash", "cutoff", "provenance", "replaced", "files")}
        if detail is None or not _is_as_said(detail, kept) or detail.get("salt", salt_digest(cut.salt)) != salt_digest(cut.salt):
            said.append(f"The data cut of event {cut.event} is not what was loaded.")
        elif detail.get("cases") != root_of(cut):
            said.append(f"The cases of the data cut of event {cut.event} are not those that were loaded.")
        elif "owners" in detail and detail["owners"] != owners_of(cut):
            said.append(f"The cases of the data cut of event {cut.event} are of other subjects than those that were loaded.")
        for shown in Shown.objects.filter(loaded=cut):
            if hashlib.sha256(shown.evidence.encode()).hexdigest() != shown.digest:
                said.append(f"The findings of case {shown.case_id} in the data cut of event {cut.event} were changed.")
    if drawn != sorted(Again.objects.values_list("subject__code", "of__code", "seat")):
        said.append("The cases that are asked again are not those that were drawn.")
    return said + [f"The data cut that event {number} loaded is missing." for number in events]


def _seats() -> list[str]:
    events = _details("seat-given")
    seats = {seat.event: seat for seat in Seat.objects.select_related("subject")}
    said = []
    for number in sorted(events.keys() | seats.keys()):
        seat = seats.get(number)
        kept = {} if seat is None else {"subject": seat.subject.code, "seat": seat.seat, "person": seat.person_id, "reason": seat.reason}
        if seat is None or not _is_as_said(events.get(number), kept):
            said.append(f"The seat of event {number} is not what was given.")
    return said


def _people() -> list[str]:
    """Say who is not as was added: the name, the role, whether he may log in, whether he is there."""
    added: dict[Any, dict[str, Any]] = {}
    for detail in _details("user-added", "user-disabled").values():
        if detail["event"] == "user-added":
            content = {"username": detail.get("user"), "role": detail.get("role"), "full_name": detail.get("name"), "is_active": True}
            added[detail.get("person")] = content
        else:
            for content in added.values():
                content["is_active"] = content["is_active"] and content["username"] != detail.get("user")
    said = []
    for person in Person.objects.order_by("pk"):
        known = added.pop(person.pk, None)
        if known is None or any(getattr(person, name) != value for name, value in known.items()):
            said.append(f"The user {person.username} is not as was added.")
    return said + [f"The user {content['username']}, who was added, is missing." for content in added.values()]


def _locks() -> list[str]:
    said, events = [], _details("lock", "confirm", "unlock", "release")
    for step in LockStep.objects.order_by("event"):
        detail = events.pop(step.event, None)
        kept = {"event": step.kind, "digest": step.digest, "reason": step.reason, "person": step.person_id}
        if detail is None:
            said.append(f"The lock of event {step.event} has no event.")
        elif not _is_as_said(detail, kept) or not _is_time_of(detail, step.at) or digest_of(_content(step.document)) != step.digest:
            said.append(f"The lock of event {step.event} is not what was signed.")
    return said + [f"The lock that event {number} signed is missing." for number in events]


_ASKED = {"ask": "query", "answer": "query-answered"}


def _messages() -> list[str]:
    said, events = [], _details("query", "query-answered")
    for message in Message.objects.select_related("person").order_by("event"):
        detail = events.pop(message.event, None)
        kept = {"event": _ASKED.get(message.kind), "case": message.case_id, "asked_by": message.asked_by_id, "text": message.text}
        if not _is_as_said(detail, kept | {"who": message.person.username}) or not _is_time_of(detail, message.at):
            said.append(f"The query of event {message.event} is not what was written.")
    return said + [f"The query that event {number} wrote is missing." for number in events]
