"""Who may log in, and since when?"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError

from cartrial.errors import InputError
from cartrial.review.app.acts.practising import seat_reader
from cartrial.review.app.acts.rereads import give_again
from cartrial.review.app.acts.trail import change, record
from cartrial.review.app.models import ROLES, Event, Person, Seat, Subject
from cartrial.review.app.state import is_locked, is_practice, seats_now

__all__ = ["add_person", "disable_person", "first_administrator", "give_seat", "list_people", "reset_password"]


def _password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _end_sessions(person: Person) -> None:
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(person.pk):
            session.delete()


def add_person(username: str, full_name: str, role: str, by: Person | str) -> str:
    """Add a person, and return the password that must be changed at the first log-in.

    Raises
    ------
    InputError
        If the name is taken or none, or there is no such role.
    """
    if role not in ROLES:
        raise InputError(f"'{role}' is no role", key="role", right=f"It is one of {', '.join(ROLES)}")
    if not full_name.strip():
        raise InputError("a person has a name, which stands with every signature", key="name")
    if Person.objects.filter(username__iexact=username).exists():
        raise InputError(f"'{username}' is taken", key="user", right="A name is never given twice: what was signed under it stays his")
    password = _password()
    person = Person(username=username, full_name=full_name.strip(), role=role)
    person.set_password(password)
    try:
        person.full_clean()
    except ValidationError as error:
        raise InputError(f"'{username}' cannot be a user name", key="user", right=" ".join(error.messages)) from None
    with change():
        person.save()
        record("user-added", by, {"user": username, "name": person.full_name, "role": role, "person": person.pk})
        if role == "reader" and is_practice():
            seat_reader(person, by)
    return password


def first_administrator() -> str | None:
    """Add the first person, the administrator, where there is nobody; return the password, or None where there is somebody."""
    return None if Person.objects.exists() else add_person("admin", "Administrator", "administrator", "cartrial review serve")


def find_person(username: str) -> Person:
    """Return a person by user name.

    Raises
    ------
    InputError
        If there is none.
    """
    person = Person.objects.filter(username=username).first()
    if person is None:
        known = ", ".join(Person.objects.order_by("username").values_list("username", flat=True))
        raise InputError(f"there is no user '{username}'", key="user", right=f"Known are {known}" if known else "Add one first")
    return person


def disable_person(username: str, reason: str, by: Person | str) -> None:
    """Let a person log in no more; what was signed stays."""
    person = find_person(username)
    with change():
        Person.objects.filter(pk=person.pk).update(is_active=False)
        _end_sessions(person)
        record("user-disabled", by, {"user": username, "reason": reason})


def reset_password(username: str, by: Person | str) -> str:
    """Give a person a new password, which must be changed at the next log-in; its sessions end, and so does a lock for wrong passwords."""
    from axes.utils import reset

    person, password = find_person(username), _password()
    with change():
        person.set_password(password)
        person.own_password = False
        person.save()
        _end_sessions(person)
        reset(username=username)
        record("password-reset", by, {"user": username})
    return password


def list_people(at: str = "") -> list[Mapping[str, str]]:
    """Return who could log in at a time, by the trail: user, name, role, since.

    Parameters
    ----------
    at : str
        ISO date or time, UTC; blank: now.
    """
    found: dict[str, dict[str, str]] = {}
    for event in Event.objects.filter(kind__in=["user-added", "user-disabled"]).order_by("number"):
        # a date alone means its end
        if at and event.at[: len(at)] > at:
            break
        detail = json.loads(event.detail)
        if event.kind == "user-added":
            found[detail["user"]] = {"user": detail["user"], "name": detail["name"], "role": detail["role"], "since": event.at}
        else:
            found.pop(detail["user"], None)
    return list(found.values())


def give_seat(subject: Subject, seat: int, person: Person, reason: str, by: Person) -> None:
    """Give a seat of a subject to a reader; one that goes over needs a reason, and earlier reads stay.

    Raises
    ------
    InputError
        If the person is no reader, has or had a seat in this subject, the seat is taken and no reason is given, or the reads are locked.
    """
    if seat not in (1, 2):
        raise InputError("a subject has the seats 1 and 2")
    if person.role != "reader" or not person.is_active:
        raise InputError(f"{person.full_name} is no reader")
    with change():
        if is_locked():
            raise InputError("the reads are locked")
        if Seat.objects.filter(subject=subject, person=person).exists():
            raise InputError(f"{person.full_name} has, or had, a seat in {subject.code}", right="One person has one seat in a subject")
        if (subject.pk, seat) in seats_now() and not reason.strip():
            raise InputError(f"seat {seat} of {subject.code} is taken", right="Say why it goes over")
        event = record(
            "seat-given", by, {"subject": subject.code, "seat": seat, "person": person.pk, "user": person.username, "reason": reason}
        )
        Seat(subject=subject, seat=seat, person=person, reason=reason, event=event.number).save(force_insert=True)
        give_again(subject, seat, person, reason, by)
