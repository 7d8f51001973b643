"""Which cases may a person see? The only place that answers it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404

from cartrial.review.app.models import Case, Draft, Person, Read, Shown
from cartrial.review.app.state import Board, current_cut, read_board, seats_now, study_now

__all__ = ["Own", "adjudications", "find_adjudication", "find_case", "own_cases", "shown_code"]


@dataclass(frozen=True)
class Own:
    """A case as its reader sees it.

    Parameters
    ----------
    shown : Shown
    seat : int
    read : Read or None
        The reader's own, as it stands.
    draft : Draft or None
    is_open : bool
        Whether every earlier assessment of the subject is signed by this reader, or the charter has them read in any order.
    """

    shown: Shown
    seat: int
    read: Read | None
    draft: Draft | None
    is_open: bool

    @property
    def is_stale(self) -> bool:
        """Whether what the call rests on has changed since it was signed."""
        return self.read is not None and self.read.shown.window != self.shown.window

    @property
    def state(self) -> str:
        """What is to be done with it."""
        if self.read is not None:
            return "To read again" if self.is_stale else "Signed"
        if not self.is_open:
            return "Waits"
        return "Draft" if self.draft is not None else "To read"


def shown_code(shown: Shown) -> str:
    """Return the name of a case on pages: the code of its subject, and the day."""
    return f"{shown.case.subject.code}, day {shown.day}"


def own_cases(person: Person) -> list[Own]:
    """Return the cases of a reader's seats, by subject and day. Nothing that another person did is read.

    An assessment opens when the one before it is signed, unless the charter has them read in any order.
    """
    cut = current_cut()
    seats = {subject: seat for (subject, seat), holder in seats_now().items() if holder == person.pk}
    if cut is None or not seats or person.role != "reader":
        return []
    listed = Shown.objects.filter(loaded=cut, case__subject__in=seats).exclude(change="gone")
    listed = listed.select_related("case__subject").order_by("case__subject__code", "day")
    signed = Read.objects.filter(case__subject__in=seats).select_related("shown", "case").order_by("version")
    # a seat that went over keeps its reads: the sequence of a subject runs along the seat
    reads = {read.case_id: read for read in signed if read.seat == seats[read.case.subject_id]}
    drafts = {draft.case_id: draft for draft in Draft.objects.filter(person=person)}
    ordered = study_now().committee.order == "sequential"
    found: list[Own] = []
    for shown in listed:
        seat = seats[shown.case.subject_id]
        read = reads.get(shown.case_id)
        before = found[-1] if found and found[-1].shown.case.subject_id == shown.case.subject_id else None
        is_open = not ordered or before is None or (before.read is not None and before.is_open)
        found.append(Own(shown, seat, read, drafts.get(shown.case_id), is_open))
    return found


def find_case(person: Person, code: str, day: int) -> Own:
    """Return a case of a reader; there is none where it is another's, where it does not exist, and where it is not open yet.

    Raises
    ------
    Http404
        In each of these cases alike.
    """
    for own in own_cases(person):
        if own.shown.case.subject.code == code and own.shown.day == day and own.is_open:
            return own
    raise Http404


def adjudications(person: Person, board: Board | None = None) -> list[tuple[Shown, Read | None, Read, Read]]:
    """Return the cases of an adjudicator: where two readers differ, and those that he decided, with his own read and both of theirs."""
    if person.role != "adjudicator":
        return []
    board = board or read_board()
    own = set(Case.objects.filter(subject__seat__person=person).values_list("pk", flat=True))
    found: list[tuple[Shown, Read | None, Read, Read]] = []
    for shown in board.shown:
        one, two, judged = (board.reads.get((shown.case_id, seat)) for seat in (1, 2, 3))
        if one is None or two is None or shown.case_id in own:
            continue
        if judged is not None and not board.is_stale(shown, 3):
            if judged.person_id == person.pk:
                found.append((shown, judged, one, two))
        elif board.settled[shown.case_id].state == "differs":
            found.append((shown, None, one, two))
    return found


def find_adjudication(person: Person, code: str, day: int) -> tuple[Shown, Read | None, Read, Read]:
    """Return a case of an adjudicator.

    Raises
    ------
    Http404
        If the readers do not differ there, or the case does not exist.
    """
    for found in adjudications(person):
        if found[0].case.subject.code == code and found[0].day == day:
            return found
    raise Http404
