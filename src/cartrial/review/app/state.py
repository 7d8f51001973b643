"""Of which study is the workspace, what stands now, and what does the committee's rule say of it?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import OuterRef, Subquery

from cartrial.errors import InputError
from cartrial.report.page.render import BANDS
from cartrial.review.app.models import Again, Loaded, LockStep, Message, Read, Seat, Shown
from cartrial.review.practice import PRACTICE, PRACTICE_BAND
from cartrial.review.workflow import Settled, settle_cases
from cartrial.study import Study

__all__ = [
    "Board",
    "Reread",
    "band_of",
    "current_cut",
    "is_locked",
    "is_practice",
    "open_queries",
    "read_board",
    "require_apart",
    "rereads_now",
    "seats_now",
    "study_now",
    "use_study",
]

_USED: list[Study] = []


def use_study(study: Study) -> None:
    """Say of which study the workspace is, for this process.

    Raises
    ------
    InputError
        If data of another study, or by other rules of it, were loaded.
    """
    cut = current_cut()
    if cut is not None and cut.study != study.study.id:
        raise InputError(f"the database is of the study {cut.study}, not of {study.study.id}", key="--db")
    if cut is not None and cut.study_hash != study.hash:
        raise InputError(
            "the study file is another than that of the data in the database", right="Load the data again: cartrial review load"
        )
    if cut is not None and (cut.provenance == PRACTICE) != (study.study.provenance == PRACTICE):
        raise InputError(_MIXED, key="--db", right=_APART)
    _USED[:] = [study]


_MIXED = "virtual patients for practice and the data of a study are never in one workspace"
_APART = "cartrial review practice serves what is practised, in a file of its own; serve, load and export are for a study's data"


def require_apart(study: Study) -> None:
    """Refuse a cut of a study in a workspace of practice, and one of practice in any that holds something.

    Raises
    ------
    InputError
    """
    cut = current_cut()
    if cut is not None and PRACTICE in (cut.provenance, study.study.provenance):
        raise InputError(_MIXED, key="--db", right=_APART)


def is_practice() -> bool:
    """Whether the workspace is one of practice."""
    cut = current_cut()
    return cut is not None and cut.provenance == PRACTICE


def band_of(cut: Loaded | None) -> str:
    """Return what stands across every page: whose data these are."""
    return "" if cut is None else PRACTICE_BAND if cut.provenance == PRACTICE else BANDS.get(cut.provenance, "")


def study_now() -> Study:
    """Return the study of the workspace."""
    return _USED[0]


def current_cut() -> Loaded | None:
    """Return the data cut that stands, the last one loaded."""
    return Loaded.objects.order_by("-event").first()


def seats_now() -> dict[tuple[int, int], int]:
    """Return who sits where: (subject, seat) to person."""
    return {(seat.subject_id, seat.seat): seat.person_id for seat in Seat.objects.order_by("event", "pk")}


def is_locked() -> bool:
    """Whether a lock holds: confirmed, and not released since."""
    last = LockStep.objects.filter(kind__in=["confirm", "release"]).order_by("-event").first()
    return last is not None and last.kind == "confirm"


def open_queries() -> set[tuple[int, int]]:
    """Return (case, who asked) of the queries without an answer; nobody waits for one of a case that the present cut does not have."""
    last: dict[tuple[int, int], str] = {}
    for case, asked_by, kind in Message.objects.order_by("event").values_list("case_id", "asked_by_id", "kind"):
        last[case, asked_by] = kind
    there = set(Shown.objects.filter(loaded=current_cut()).values_list("case_id", flat=True)) if last else set()
    return {key for key, kind in last.items() if kind == "ask" and key[0] in there}


@dataclass(frozen=True)
class Board:
    """Everything that stands now. Readers' pages never build one: it holds what others did.

    Parameters
    ----------
    shown : tuple of Shown
        Cases of the present cut, without their evidence.
    reads : dict of (case, seat) to Read
        Signed reads that stand.
    """

    shown: tuple[Shown, ...]
    reads: dict[tuple[int, int], Read]

    def is_stale(self, shown: Shown, seat: int) -> bool:
        """Whether a read is of findings that have changed since, or an adjudication of reads that were changed after it."""
        read = self.reads.get((shown.case_id, seat))
        if read is None:
            return False
        later = any(other.event > read.event for at in (1, 2) if (other := self.reads.get((shown.case_id, at))))
        return read.shown.window != shown.window or (seat == 3 and later)

    @cached_property
    def settled(self) -> dict[int, Settled]:
        """What the rule of the committee says of each case."""
        number = {subject: i for i, subject in enumerate(dict.fromkeys(shown.case.subject_id for shown in self.shown))}
        place = {shown.case_id: (number[shown.case.subject_id], shown.day) for shown in self.shown}
        standing = [
            (*place[shown.case_id], seat, read.call)
            for shown in self.shown
            for seat in (1, 2, 3)
            if (read := self.reads.get((shown.case_id, seat))) is not None and not self.is_stale(shown, seat)
        ]
        found = settle_cases(study_now(), {place[shown.case_id]: shown.sampled for shown in self.shown}, standing)
        return {case: found[at] for case, at in place.items()}


def read_board() -> Board:
    """Return what stands now."""
    cut = current_cut()
    if cut is None:
        return Board((), {})
    # what is asked again is no case of the committee
    shown = Shown.objects.filter(loaded=cut, case__subject__again=None).exclude(change="gone").select_related("case__subject")
    shown = shown.defer("evidence")
    return Board(tuple(shown.order_by("case__subject__code", "day")), {(read.case_id, read.seat): read for read in standing_reads()})


def standing_reads() -> Iterable[Read]:
    """Return the last version of each read."""
    last = Read.objects.filter(case=OuterRef("case"), seat=OuterRef("seat")).order_by("-version").values("pk")[:1]
    return Read.objects.filter(pk=Subquery(last), case__subject__again=None).select_related("shown").defer("shown__evidence")


@dataclass(frozen=True)
class Reread:
    """A case that a seat is asked again, with both reads as they stand; a read of findings that changed since is none."""

    shown: Shown
    seat: int
    code: str
    first: Read | None
    second: Read | None

    @property
    def is_pair(self) -> bool:
        """Whether one person has read it twice."""
        return self.first is not None and self.second is not None and self.first.person_id == self.second.person_id


def rereads_now() -> list[Reread]:
    """Return the cases that are asked again, by seat, code and day."""
    cut = current_cut()
    agains = {again.subject_id: again for again in Again.objects.select_related("of")}
    if cut is None or not agains:
        return []
    last = Read.objects.order_by("version").select_related("shown", "case")
    reads = {(read.case.subject_id, read.shown.day, read.seat): read for read in last.defer("shown__evidence")}
    shown = (
        Shown.objects.filter(loaded=cut, case__subject__in=agains).exclude(change="gone").select_related("case__subject").defer("evidence")
    )
    found = []
    for row in shown.order_by("case__subject__code", "day"):
        again = agains[row.case.subject_id]
        both = (reads.get((subject, row.day, again.seat)) for subject in (again.of_id, again.subject_id))
        fresh = [read if read is not None and read.shown.window == row.window else None for read in both]
        found.append(Reread(row, again.seat, again.of.code, fresh[0], fresh[1]))
    return sorted(found, key=lambda reread: reread.seat)
