"""When may the reads be locked, and what does a lock hold? Two people sign it, and two end it."""

from __future__ import annotations

import json
from typing import Any

import cartrial
from cartrial.review.app.acts.people import list_people
from cartrial.review.app.acts.trail import change, record, seal_line
from cartrial.review.app.acts.verify import find_damage
from cartrial.review.app.models import LockStep, Person
from cartrial.review.app.state import Board, current_cut, is_locked, open_queries, read_board, rereads_now, study_now
from cartrial.review.evidence import digest_of

__all__ = ["NEXT", "add_step", "conditions", "lock_document", "merkle_root", "next_step"]

NEXT = {
    "lock": ("coordinator", "sign the lock"),
    "confirm": ("monitor", "confirm the lock"),
    "unlock": ("coordinator", "ask for the end of the lock"),
    "release": ("monitor", "end the lock"),
}
"""Each step, who takes it, and what it is called."""


def conditions(board: Board | None = None, *, whole: bool = True) -> list[tuple[str, bool]]:
    """Return what a lock needs, and whether it holds.

    Parameters
    ----------
    board : Board, optional
    whole : bool
        Whether the trail is checked too, which takes longest.
    """
    board = board or read_board()
    many = len(board.shown)
    both = sum((shown.case_id, 1) in board.reads and (shown.case_id, 2) in board.reads for shown in board.shown)
    stale = sum(board.is_stale(shown, seat) for shown in board.shown for seat in (1, 2))
    differ = sum(settled.state == "differs" for settled in board.settled.values())
    queries = len(open_queries())
    found = [
        (f"{both} of {many} cases have both reads", both == many and many > 0),
        (f"Open adjudications: {differ or 'none'}", differ == 0),
        (f"Reads on findings that have changed since: {stale or 'none'}", stale == 0),
        (f"Open queries: {queries or 'none'}", queries == 0),
    ]
    again = rereads_now()
    if again:
        done = sum(reread.second is not None for reread in again)
        found.append((f"{done} of {len(again)} cases that are asked again are signed", done == len(again)))
    if whole:
        damage = find_damage()
        found.append(("The trail holds, and the records are those of its events" if not damage else " ".join(damage), not damage))
    return found


def merkle_root(digests: list[str]) -> str:
    """Return the root of a tree of digests: pairs are digested together, the last of an odd number with itself."""
    level = digests or [digest_of([])]
    while len(level) > 1:
        level = [digest_of([level[i], level[min(i + 1, len(level) - 1)]]) for i in range(0, len(level), 2)]
    return level[0]


def lock_document() -> dict[str, Any]:
    """Return what a lock fixes: the study, the sources, the findings and reads of each case, and where the trail ended."""
    cut, board = current_cut(), read_board()
    assert cut is not None
    rows = []
    for shown in board.shown:
        reads = {
            str(seat): {"version": read.version, "call": read.call, "digest": read.digest, "event": read.event}
            for seat in (1, 2, 3)
            if (read := board.reads.get((shown.case_id, seat))) is not None and not board.is_stale(shown, seat)
        }
        rows.append({"case": shown.case_id, "day": shown.day, "digest": shown.digest, "reads": reads})
    return {
        **{"study": cut.study, "study_hash": cut.study_hash, "cutoff": cut.cutoff, "provenance": cut.provenance},
        "charter": study_now().committee.model_dump(mode="json", by_alias=True),
        **{"cartrial": cartrial.__version__, "files": cut.files, "loaded": cut.event, "cases": rows},
        **{"root": merkle_root([digest_of(row) for row in rows]), "people": [dict(person) for person in list_people()]},
        "again": [
            {"case": reread.shown.case_id, "of": reread.code, "day": reread.shown.day, "seat": reread.seat, "event": reread.second.event}
            for reread in rereads_now()
            if reread.second is not None
        ],
    }


def next_step() -> str:
    """Return what may be signed next: lock, confirm, unlock or release."""
    last = LockStep.objects.order_by("-event").first()
    if is_locked():
        return "release" if last is not None and last.kind == "unlock" else "unlock"
    if last is None or last.kind != "lock":
        return "lock"
    # a signature of what has changed since is no signature of what is there now
    return "confirm" if last.digest == digest_of(lock_document()) else "lock"


def add_step(kind: str, person: Person, reason: str) -> LockStep:
    """Keep a signature of the lock or of its end.

    Raises
    ------
    ValueError
        With the words for who signs: if it is not what may be signed next, or something that a lock needs is missing.
    """
    with change():
        if kind != next_step():
            raise ValueError("This was changed meanwhile. Load the page again.")
        if person.role != NEXT[kind][0]:
            raise ValueError("Another role signs this.")
        if not reason.strip():
            raise ValueError("Say what it is for.")
        if kind in ("lock", "confirm") and not all(holds for _, holds in conditions()):
            raise ValueError("Something that the lock needs is missing.")
        if kind in ("lock", "confirm"):
            document = lock_document()
        else:
            document = json.loads(LockStep.objects.filter(kind="confirm").order_by("-event")[0].document)
        digest = digest_of(document)
        event = record(
            kind, person, {"digest": digest, "reason": reason, "person": person.pk, "name": person.full_name, "seal": seal_line()}
        )
        step = LockStep(kind=kind, person=person, reason=reason, digest=digest, at=event.at, event=event.number)
        step.document = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        step.save(force_insert=True)
    return step
