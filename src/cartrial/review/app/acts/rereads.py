"""Which cases is a reader asked again without knowing it? Whole subjects, drawn by lot, under codes of the same lot."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence

from cartrial.review.app.acts.trail import record
from cartrial.review.app.models import Again, Case, Loaded, Person, Seat, Shown, Subject
from cartrial.review.app.state import seats_now

__all__ = ["alias_digest", "draw_again", "give_again", "keep_again", "rows_again"]

_SEATS = (1, 2)


def alias_digest(salt: str, digest: str, seat: int) -> str:
    """Return under what a subject that is asked again of a seat is kept."""
    return hashlib.sha256(f"{salt}\nagain\n{seat}\n{digest}".encode()).hexdigest()


def draw_again(share: float, cases: Mapping[str, int], new: Collection[str]) -> list[tuple[str, int]]:
    """Draw which subjects are asked again, of which seat, so that each seat has its share of the cases.

    A subject is asked again whole: a case alone, with a course before it that was never asked, would tell what it is.

    Parameters
    ----------
    share : float
        Of the cases of each seat.
    cases : mapping of str to int
        How many cases each subject has, by digest.
    new : collection of str
        Subjects that no cut before had: of these alone is drawn. A code that comes later than the first cut, with the course of a subject
        that was there before, would tell what it is.
    """
    if share <= 0:
        return []
    drawn: list[tuple[str, int]] = []
    known = set(Again.objects.values_list("of__digest", "seat"))
    for seat in _SEATS:
        have = sum(cases.get(digest, 0) for digest, at in known if at == seat)
        left = sorted(digest for digest in new if (digest, seat) not in known)
        secrets.SystemRandom().shuffle(left)
        while left and have < share * sum(cases.values()):
            digest = left.pop()
            have += cases[digest]
            drawn.append((digest, seat))
    return drawn


def rows_again(
    rows: Sequence[Shown], before: Mapping[int, int], drawn: Mapping[tuple[str, int], Subject], last: Loaded | None
) -> list[Shown]:
    """Return what a data cut says of the cases that are asked again: the same as of the cases that they are.

    Parameters
    ----------
    rows : sequence of Shown
        Of the cut.
    before : mapping of int to int
        The day of each case in the cut before, by case.
    drawn : mapping of (digest, seat) to Subject
        Those drawn with this cut.
    last : Loaded, optional
        The cut before.
    """
    aliases: dict[int, list[Subject]] = {}
    for again in Again.objects.select_related("subject"):
        aliases.setdefault(again.of_id, []).append(again.subject)
    by_digest = {row.case.subject.digest: row.case.subject_id for row in rows}
    for (digest, _), alias in drawn.items():
        aliases.setdefault(by_digest[digest], []).append(alias)
    known = {(shown.case.subject_id, shown.day): shown.case for shown in Shown.objects.filter(loaded=last).select_related("case")}
    found = []
    names = ("day", "sampled", "change", "derived", "evidence", "digest", "window", "history")
    for row in rows:
        for alias in aliases.get(row.case.subject_id, ()):
            case = known.get((alias.pk, before[row.case_id])) if row.case_id in before else None
            found.append(Shown(case=case or Case.objects.create(subject=alias), **{name: getattr(row, name) for name in names}))
    return found


def keep_again(drawn: Mapping[tuple[str, int], Subject], event: int, by: Person | str) -> None:
    """Keep what was drawn with a data cut; a seat that is held already is held there too."""
    held = seats_now()
    for (digest, seat), alias in drawn.items():
        again = Again(subject=alias, of=Subject.objects.get(digest=digest), seat=seat, event=event)
        again.save(force_insert=True)
        person = held.get((again.of_id, seat))
        if person is not None:
            _sit(again, Person.objects.get(pk=person), "", by)


def give_again(subject: Subject, seat: int, person: Person, reason: str, by: Person | str) -> None:
    """Give a seat of a subject, where it is asked again of that seat, to who has it."""
    for again in Again.objects.filter(of=subject, seat=seat).select_related("subject"):
        _sit(again, person, reason, by)


def _sit(again: Again, person: Person, reason: str, by: Person | str) -> None:
    content = {"subject": again.subject.code, "seat": again.seat, "person": person.pk, "user": person.username, "reason": reason}
    event = record("seat-given", by, content)
    Seat(subject=again.subject, seat=again.seat, person=person, reason=reason, event=event.number).save(force_insert=True)
