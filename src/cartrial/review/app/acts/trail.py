"""What happened, in which order, and does the record of it still hold? A chain of digests in the transaction of each change."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from cartrial.review.app.models import Event, Head, Person

__all__ = ["FIRST", "change", "check_chain", "now_utc", "receipt_of", "record", "seal_line", "tell_login", "tell_logout", "tell_refused"]

FIRST = "0" * 64
"""Stands before the first event."""

BACK_SECONDS = 2.0
"""A clock that is further back than this against the last event is an event itself."""


def now_utc() -> dt.datetime:
    """Return the time of the clock, in UTC."""
    return dt.datetime.now(dt.UTC)


def _digest(number: int, at: str, who: str, role: str, kind: str, detail: str, before: str) -> str:
    text = json.dumps([number, at, who, role, kind, detail, before], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def change() -> Iterator[None]:
    """Make a change of what is kept: a transaction in which nobody else makes one, so that what it read still stands when it ends.

    Notes
    -----
    A file has one writer at a time by itself; on a server, who holds the end of the chain is that writer.
    """
    with transaction.atomic():
        _hold_head()
        yield


def _hold_head() -> Head:
    head = Head.objects.select_for_update().first()
    if head is None:
        raise RuntimeError("the end of the trail is missing: cartrial review verify says what is left")
    return head


def record(kind: str, who: Person | str, detail: Mapping[str, Any]) -> Event:
    """Add an event to the chain, within the transaction of what it records.

    Parameters
    ----------
    kind : str
    who : Person or str
        A person, or the name of who types commands.
    detail : mapping
        What is recorded; JSON.

    Notes
    -----
    Events are ordered by their number. Their time never goes back: where the clock does, the last time is kept, and the step is recorded.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an event stands in the transaction of its change")
    head = _hold_head()
    now = now_utc().isoformat(timespec="milliseconds")
    if head.at and now < head.at:
        back = (dt.datetime.fromisoformat(head.at) - dt.datetime.fromisoformat(now)).total_seconds()
        if back > BACK_SECONDS:
            _add(head, head.at, "cartrial", "", "clock-back", {"clock": now, "seconds": round(back, 3)})
        now = head.at
    name, role = (who.username, who.role) if isinstance(who, Person) else (who, "")
    return _add(head, now, name, role, kind, detail)


def _add(head: Head, at: str, who: str, role: str, kind: str, detail: Mapping[str, Any]) -> Event:
    text = json.dumps(detail, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    number = head.number + 1
    digest = _digest(number, at, who, role, kind, text, head.digest)
    event = Event(number=number, at=at, who=who, role=role, kind=kind, detail=text, before=head.digest, digest=digest)
    event.save(force_insert=True)
    head.number, head.digest, head.at = number, digest, at
    head.save()
    return event


def tell_login(sender: object, request: Any, user: Person, **_: object) -> None:
    """Record a log-in."""
    request.session["began"] = now_utc().timestamp()
    with change():
        record("login", user, {})


def tell_logout(sender: object, request: Any, user: Person | None, **_: object) -> None:
    """Record a log-out."""
    if user is not None:
        with change():
            record("logout", user, {})


def tell_refused(sender: object, credentials: Mapping[str, Any], request: Any = None, **_: object) -> None:
    """Record a password that was refused; a name that is no person's may be a password typed in the wrong field, and is not kept."""
    name = str(credentials.get("username", ""))
    known = Person.objects.filter(username=name).exists()
    with change():
        record("password-refused", name if known else "unknown", {"signed_in": bool(request is not None and request.user.is_authenticated)})


def receipt_of(event: Event) -> str:
    """Return what a person keeps of a signature: the first eight digits of the digest of what was signed.

    Notes
    -----
    Neither the number of the event nor its place in the chain: both count what everybody does, and would tell a reader of the other.
    """
    digest = hashlib.sha256(event.detail.encode()).hexdigest()
    return f"{digest[:4]} {digest[4:8]}"


def seal_line() -> str:
    """Return what somebody else keeps: the time, the length of the chain and its end."""
    head = Head.objects.first()
    number, digest = (head.number, head.digest) if head else (0, FIRST)
    return f"{now_utc().isoformat(timespec='seconds')} {number} {digest}"


def check_chain(seals: Iterable[str] = ()) -> list[str]:
    """Return what is wrong with the chain, a sentence each; nothing where it holds.

    Parameters
    ----------
    seals : iterable of str
        Lines of `seal_line`, kept outside the database: they alone show a chain that was written anew.
    """
    said: list[str] = []
    before, number, digests = FIRST, 0, {0: FIRST}
    for event in Event.objects.order_by("number").iterator():
        if event.number > number + 1:
            missing = f"event {number + 1} is" if event.number == number + 2 else f"events {number + 1} to {event.number - 1} are"
            said.append(f"{missing} missing.")
        elif event.before != before:
            said.append(f"Event {event.number} does not follow the event before it.")
        stated = _digest(event.number, event.at, event.who, event.role, event.kind, event.detail, event.before)
        if stated != event.digest:
            said.append(f"Event {event.number} was changed.")
        before, number = event.digest, event.number
        digests[number] = event.digest
    head = Head.objects.first()
    if head is None or (head.number, head.digest) != (number, before):
        said.append(
            f"The chain ends at event {number}, but its head says {head.number if head else 0}: events at the end are missing or added."
        )
    elif number and head.at != Event.objects.get(number=number).at:
        said.append("The head of the chain has another time than its last event.")
    for line in seals:
        said += _broken_seal(line, digests)
    return [f"{text[0].upper()}{text[1:]}" for text in said]


def _broken_seal(line: str, digests: Mapping[int, str]) -> list[str]:
    parts = line.split()
    if not parts:
        return []
    if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdecimal()):
        return [f"'{line.strip()[:80]}' is no seal: a line is a time, a number and a digest."]
    at, number, digest = parts[0], int(parts[1]), parts[2]
    if digests.get(number) != digest:
        return [f"The seal of {at} names event {number}, which is not there or was written anew."]
    return []
