"""Who reads which virtual patients, and how right was each reader? Kept apart from every study: a workspace of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cartrial.analysis import binomial_limits, estimate_agreement
from cartrial.review.app.acts.trail import change, record
from cartrial.review.app.models import Person, Read, Seat, Shown, Subject
from cartrial.review.app.state import current_cut, seats_now, study_now

__all__ = ["Score", "score_readers", "seat_reader"]

_FIRST_SEAT = 10
"""Seats of practice start after those of a committee: each reader has one of his own, in every subject."""


@dataclass(frozen=True)
class Score:
    """How far a reader is, and how right he was.

    Parameters
    ----------
    person : Person
    cases, signed : int
    rows : tuple of (code, day, known, call)
        The first call that was signed of each case: once the truth is shown, another one would prove nothing.
    """

    person: Person
    cases: int
    signed: int
    rows: tuple[tuple[str, int, str, str], ...]

    @property
    def is_done(self) -> bool:
        """Whether every case is signed."""
        return self.cases > 0 and self.signed == self.cases

    @property
    def right(self) -> int:
        """Calls that are the known status."""
        return sum(known == call for _, _, known, call in self.rows)

    @property
    def missed(self) -> list[tuple[str, int, str, str]]:
        """Cases of which another status was called."""
        return [row for row in self.rows if row[2] != row[3]]

    @property
    def pairs(self) -> pl.DataFrame:
        """The known status FIRST, and the call SECOND."""
        return pl.DataFrame([(known, call) for _, _, known, call in self.rows], schema=["FIRST", "SECOND"], orient="row")

    @property
    def estimate(self) -> dict[str, Any]:
        """Share of right calls with exact 95 % limits (Clopper and Pearson), and kappa with its limits."""
        n = len(self.rows)
        low, high = binomial_limits(np.array([self.right]), np.array([n]))
        agreement = estimate_agreement(self.pairs, ()).row(0, named=True)
        return {"n": n, "right": self.right, "share": self.right / n, "low": float(low[0]), "high": float(high[0]), "kappa": agreement}

    @property
    def verdict(self) -> str:
        """What the charter makes of it; it says nothing where it states no limit."""
        limit = study_now().committee.practice.agreement
        if limit is None:
            return "The charter states no limit: the coordinator judges."
        words = "qualifies" if self.right >= limit * len(self.rows) else "does not qualify"
        return f"The charter asks for {100 * limit:g} % of right calls: {self.person.full_name} {words}."


def seat_reader(person: Person, by: Person | str) -> None:
    """Give a reader a seat of his own in every virtual patient, where he has none."""
    with change():
        held = {subject for (subject, _), holder in seats_now().items() if holder == person.pk}
        seat = _FIRST_SEAT + person.pk
        for subject in Subject.objects.exclude(pk__in=held).order_by("code"):
            content = {"subject": subject.code, "seat": seat, "person": person.pk, "user": person.username, "reason": ""}
            event = record("seat-given", by, content)
            Seat(subject=subject, seat=seat, person=person, reason="", event=event.number).save(force_insert=True)


def score_readers(person: Person | None = None) -> list[Score]:
    """Return how far each reader is, or one; by name."""
    cut = current_cut()
    shown = {row.case_id: row for row in Shown.objects.filter(loaded=cut).select_related("case__subject").defer("evidence")}
    readers = Person.objects.filter(role="reader").order_by("full_name")
    found = []
    for reader in readers if person is None else readers.filter(pk=person.pk):
        own = [shown[case] for case in shown if (shown[case].case.subject_id, _FIRST_SEAT + reader.pk) in seats_now()]
        calls = dict(Read.objects.filter(person=reader, version=1).values_list("case_id", "call"))
        rows = tuple((row.case.subject.code, row.day, row.derived, calls[row.case_id]) for row in own if row.case_id in calls)
        found.append(Score(reader, len(own), len(rows), tuple(sorted(rows))))
    return found
