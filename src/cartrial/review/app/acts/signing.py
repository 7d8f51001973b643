"""How does a call become a signed read? What is asked of it, and the transaction in which it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import authenticate
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from cartrial.review.app.acts.trail import change, record
from cartrial.review.app.acts.wording import fault_of_text
from cartrial.review.app.models import Draft, Person, Read, Shown
from cartrial.review.app.state import current_cut, is_locked, read_board, seats_now, study_now
from cartrial.review.compare import differences
from cartrial.review.evidence import digest_of
from cartrial.review.workflow import statuses_asked
from cartrial.study.criteria.codes import NE, RESPONSES

__all__ = ["ADJUDICATION", "MEANING", "Asked", "Refused", "both_reads", "faults_of", "notice_of", "sign_read", "sign_with_password"]

MEANING = "I made this assessment from the findings shown here, without knowledge of other assessments."
ADJUDICATION = "I decided between the two assessments shown here, from the same findings, without knowledge of who made them."

LONGEST = 2000
"""Of a reason. Unit: characters."""


class Refused(Exception):
    """A signature that cannot be kept, with the words for who signs."""


@dataclass(frozen=True)
class Asked:
    """What is signed.

    Parameters
    ----------
    call, reason : str
    changed : str
        Why a signed call is changed.
    digest : str
        Of the findings of the page on which it was made.
    version : int
        Of the read that it will be.
    between : str
        Of an adjudication: the two reads of the page on which it was made, as `both_reads` gives them.
    """

    call: str
    reason: str
    changed: str
    digest: str
    version: int
    between: str = ""


def both_reads(one: Read, two: Read) -> str:
    """Return a digest of the two reads that a page shows, which tells neither their order nor their events."""
    cut = current_cut()
    return digest_of([cut.salt if cut else "", *sorted((one.event, two.event))])


def notice_of(shown: Shown, call: str) -> list[str]:
    """Return where a call differs from what the study's limits make of the values, in words of the values; nothing where the charter has
    it hidden."""
    if study_now().committee.checks == "hidden" or call not in statuses_asked(study_now()):
        return []
    return differences(study_now(), json.loads(shown.evidence), shown.derived, call)


def faults_of(asked: Asked, notice: list[str], *, between: Sequence[str] = ()) -> dict[str, str]:
    """Return what is wrong with a call by field, before it is signed; `between`: the two calls that an adjudicator decides on."""
    faults, adjudicated = {}, bool(between)
    if asked.call not in statuses_asked(study_now()):
        faults["call"] = "Choose a status."
    elif between and study_now().committee.adjudicator.decision == "one-of-two" and asked.call not in between:
        faults["call"] = f"The charter asks for one of the two reads: {' or '.join(sorted(set(between)))}."
    if len(asked.reason) > LONGEST or len(asked.changed) > LONGEST:
        faults["reason"] = f"At most {LONGEST} characters."
    elif not asked.reason.strip():
        if adjudicated:
            faults["reason"] = "Give the reason of the decision."
        elif asked.call == RESPONSES[NE]:
            faults["reason"] = "Say why it cannot be evaluated."
        elif notice:
            faults["reason"] = "Change the call, or say why it stands."
    if asked.version > 1 and not asked.changed.strip():
        faults["changed"] = "Say why the signed call is changed."
    for name in ("reason", "changed"):
        why = fault_of_text(getattr(asked, name))
        if why and name not in faults:
            faults[name] = why
    return faults


def sign_with_password(request: HttpRequest, fields: Mapping[str, str]) -> str:
    """Return why a signature is refused; blank where its password, and at the first of a session its name, are right."""
    first = not request.session.get("signed")
    if first and fields.get("name", "").strip() != request.user.username:
        return "Give your user name and your password: both are asked at the first signature of a session."
    # through the door of the log-in, so that guesses count
    person = authenticate(request, username=request.user.username, password=fields.get("password", ""))
    if person is None or person.pk != request.user.pk:
        return "This is not your password."
    if first:
        request.session["signed"] = True
    return ""


def sign_read(person: Person, shown: Shown, seat: int, asked: Asked, *, first: str = "", notice: str = "") -> Read:
    """Keep a signed read, with its event, or neither.

    Parameters
    ----------
    person : Person
    shown : Shown
        The findings of the page.
    seat : int
    asked : Asked
    first, notice : str
        The call before a difference was shown, and the words of it.

    Raises
    ------
    Refused
        If the findings have changed since the page was made, the reads are locked, the seat went over, or another window was first.
    """
    try:
        with change():
            return _keep(person, shown, seat, asked, first, notice)
    except IntegrityError:
        raise Refused("This case was signed in another window meanwhile. Load the page again.") from None


def _keep(person: Person, shown: Shown, seat: int, asked: Asked, first: str, notice: str) -> Read:
    if is_locked():
        raise Refused("The reads are locked: nothing can be signed.")
    now = Shown.objects.filter(case=shown.case_id, loaded=current_cut()).exclude(change="gone").first()
    if now is None or asked.digest != now.digest:
        raise Refused("The findings have changed since this page was made. Load it again and read them.")
    if seat != 3 and seats_now().get((shown.case.subject_id, seat)) != person.pk:
        raise Refused("This seat went over to another person.")
    last = Read.objects.filter(case=shown.case_id, seat=seat).order_by("-version").first()
    if asked.version != (last.version + 1 if last else 1):
        raise Refused("This case was signed in another window meanwhile. Load the page again.")
    if last and (last.call, last.reason, last.digest) == (asked.call, asked.reason, asked.digest):
        raise Refused("Nothing was changed: the signed call stands.")
    content: dict[str, Any] = {
        **{"case": shown.case_id, "shown": now.pk, "seat": seat, "version": asked.version, "call": asked.call, "reason": asked.reason},
        **{"changed": asked.changed, "first": first, "notice": notice, "digest": asked.digest},
        "meaning": ADJUDICATION if seat == 3 else MEANING,
    }
    if seat == 3:
        reads = read_board().reads
        one, two = (reads.get((shown.case_id, at)) for at in (1, 2))
        if one is None or two is None or asked.between != both_reads(one, two):
            raise Refused("A reader has changed a call since this page was made. Load it again: it shows both as they stand.")
        # what was decided between
        content["between"] = [one.event, two.event]
    event = record("signed", person, {**content, "person": person.pk, "name": person.full_name})
    content.pop("between", None)
    columns = {name: value for name, value in content.items() if name not in ("case", "shown")}
    read = Read(case_id=shown.case_id, shown=now, person=person, signed=parse_datetime(event.at), event=event.number, **columns)
    read.save(force_insert=True)
    Draft.objects.filter(case=shown.case_id, person=person).delete()
    return read
