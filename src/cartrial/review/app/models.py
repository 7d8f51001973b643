"""Which tables has the workspace? All but drafts and the head of the chain are only ever added to."""

from __future__ import annotations

import json
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models

__all__ = [
    *("ROLES", "Again", "Case", "Draft", "Event", "Head", "Loaded", "LockStep", "Message", "Person"),
    *("Read", "Seat", "Shown", "Subject"),
]

ROLES = {
    "reader": "reads the cases of the subjects whose seat is his",
    "adjudicator": "decides where two readers differ",
    "coordinator": "gives seats, answers queries, signs the lock",
    "monitor": "confirms the lock; sees no call",
    "auditor": "reads the trail",
    "administrator": "keeps users; sees no clinical page",
}
"""What a person does; one role each."""

_LONG = 64


class Person(AbstractUser):
    """Who may log in."""

    role = models.CharField(max_length=20, choices=[(role, role) for role in ROLES])
    full_name = models.CharField(max_length=200)
    own_password = models.BooleanField(default=False)
    """Whether the password was chosen by its owner: one that was given must be changed first."""


class Loaded(models.Model):
    """A data cut that was loaded: what it was of."""

    study = models.CharField(max_length=_LONG)
    study_hash = models.CharField(max_length=_LONG)
    cutoff = models.CharField(max_length=20)
    provenance = models.CharField(max_length=20)
    files = models.JSONField()
    """Names and digests of the source files."""
    salt = models.CharField(max_length=_LONG)
    replaced = models.BooleanField()
    """Whether the source has calls of a committee, which the export leaves out."""
    event = models.BigIntegerField(unique=True)


class Subject(models.Model):
    """A subject by a digest of its key, and the code that readers see, drawn by lot."""

    digest = models.CharField(max_length=_LONG, unique=True)
    code = models.CharField(max_length=20, unique=True)


class Again(models.Model):
    """A subject that a reader is asked again: it has cases and a code like any other, and is one that the seat has already."""

    subject = models.OneToOneField(Subject, on_delete=models.PROTECT, related_name="again")
    of = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="asked_again")
    seat = models.IntegerField()
    event = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["of", "seat"], name="again_once")]


class Case(models.Model):
    """An assessment that the committee reads; where it stands and what is shown of it is in `Shown`."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT)


class Shown(models.Model):
    """What a data cut says of a case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    loaded = models.ForeignKey(Loaded, on_delete=models.PROTECT)
    day = models.IntegerField()
    sampled = models.BooleanField()
    change = models.CharField(max_length=20)
    """Against the cut before: same, history, window, moved, new or gone."""
    derived = models.CharField(max_length=20)
    evidence = models.TextField()
    digest = models.CharField(max_length=_LONG)
    window = models.CharField(max_length=_LONG)
    history = models.CharField(max_length=_LONG)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "loaded"], name="shown_once")]

    @property
    def visit(self) -> str:
        """The scheduled visit whose window holds the day; blank: none."""
        return str(json.loads(self.evidence)["visit"])


class Seat(models.Model):
    """Who reads a subject as reader 1 or 2; the last row of a subject and seat stands."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT)
    seat = models.IntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    reason = models.TextField(blank=True)
    event = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["subject", "person"], name="one_seat_a_person")]


class Draft(models.Model):
    """What a reader has typed and not signed."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    call = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True)
    first = models.CharField(max_length=20, blank=True)
    """The call before a difference was first shown."""
    notice = models.TextField(blank=True)
    revision = models.IntegerField(default=0)
    saved = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "person"], name="one_draft_a_person")]


class Read(models.Model):
    """A signed call. The last version of a case and seat stands."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    shown = models.ForeignKey(Shown, on_delete=models.PROTECT)
    seat = models.IntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    version = models.IntegerField()
    call = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    changed = models.TextField(blank=True)
    """Why a signed call was changed."""
    first = models.CharField(max_length=20, blank=True)
    notice = models.TextField(blank=True)
    meaning = models.TextField()
    digest = models.CharField(max_length=_LONG)
    signed = models.DateTimeField()
    event = models.BigIntegerField(unique=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "seat", "version"], name="one_read_a_version")]


class Message(models.Model):
    """A query: asked by a reader, answered by the coordinator."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="asked")
    kind = models.CharField(max_length=10)
    """`ask` or `answer`, which closes it."""
    text = models.TextField()
    at = models.DateTimeField()
    event = models.BigIntegerField(unique=True)


class LockStep(models.Model):
    """A signature of a lock (`lock`, then `confirm`) or of its end (`unlock`, then `release`)."""

    kind = models.CharField(max_length=10)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    reason = models.TextField()
    document = models.TextField()
    digest = models.CharField(max_length=_LONG)
    at = models.DateTimeField()
    event = models.BigIntegerField(unique=True)


class Event(models.Model):
    """A link of the chain: what happened, and the digest of all before it."""

    number = models.BigIntegerField(primary_key=True)
    at = models.CharField(max_length=40)
    who = models.CharField(max_length=200)
    role = models.CharField(max_length=20, blank=True)
    kind = models.CharField(max_length=40)
    detail = models.TextField()
    before = models.CharField(max_length=_LONG)
    digest = models.CharField(max_length=_LONG)


class Head(models.Model):
    """Where the chain ends: one row, which is read and written under one lock."""

    number = models.BigIntegerField()
    digest = models.CharField(max_length=_LONG)
    at = models.CharField(max_length=40)
