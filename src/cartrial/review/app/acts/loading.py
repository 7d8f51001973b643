"""What does a data cut change, and how is it taken in? A case is never moved or dropped without being said."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cartrial
from cartrial.errors import InputError
from cartrial.response.pairs_kernel import PAIR_DAYS
from cartrial.review import cases
from cartrial.review.app.acts import trail
from cartrial.review.app.acts.rereads import alias_digest, draw_again, keep_again, rows_again
from cartrial.review.app.models import Case, Draft, Loaded, Person, Shown, Subject
from cartrial.review.app.state import current_cut, is_locked, require_apart
from cartrial.review.evidence import digest_of
from cartrial.study import Study

__all__ = ["CHANGES", "Change", "Cut", "find_changes", "keep_cut", "owners_of", "root_of", "salt_digest", "subject_digest"]

CHANGES = {
    "same": "the same findings",
    "history": "earlier findings changed; signed reads stand",
    "window": "findings that the call rests on changed; signed reads are to be made again",
    "moved": "the same sample on another date; signed reads are to be made again",
    "new": "new",
    "gone": "no longer there; signed reads are kept and not exported",
}


@dataclass(frozen=True)
class Cut:
    """A data cut to be loaded.

    Parameters
    ----------
    study : Study
    cases : sequence of cartrial.review.cases.Case
    files : sequence of (name, SHA-256)
    replaced : bool
        Whether the source has calls of a committee that are to be read anew.
    """

    study: Study
    cases: Sequence[cases.Case]
    files: Sequence[tuple[str, str]]
    replaced: bool


@dataclass(frozen=True)
class Change:
    """What a cut does to one case: `new` has none in the database, `gone` none in the cut."""

    kind: str
    before: Shown | None
    after: cases.Case | None


def subject_digest(salt: str, subject: str) -> str:
    """Return under what a subject is kept: its key itself, which often names the site, is not."""
    return hashlib.sha256(f"{salt}\n{subject}".encode()).hexdigest()


def find_changes(cut: Cut) -> list[Change]:
    """Return what a data cut changes, case by case."""
    last = current_cut()
    if last is None:
        return [Change("new", None, case) for case in cut.cases]
    known = Shown.objects.filter(loaded=last, case__subject__again=None).exclude(change="gone").select_related("case__subject")
    before = {(shown.case.subject.digest, shown.day): shown for shown in known}
    after = {(subject_digest(last.salt, case.subject), case.day): case for case in cut.cases}
    found = [_compared(before[key], case) for key, case in after.items() if key in before]
    left = {key: shown for key, shown in before.items() if key not in after}
    for (subject, day), case in ((key, case) for key, case in after.items() if key not in before):
        near = [key for key in left if key[0] == subject and abs(key[1] - day) <= PAIR_DAYS]
        moved = min(near, key=lambda key: (abs(key[1] - day), key[1]), default=None)
        found.append(Change("moved", left.pop(moved), case) if moved else Change("new", None, case))
    return found + [Change("gone", shown, None) for shown in left.values()]


def _compared(shown: Shown, case: cases.Case) -> Change:
    kind = "same" if shown.digest == case.digest else "history" if shown.window == case.window else "window"
    return Change(kind, shown, case)


def keep_cut(cut: Cut, changes: Sequence[Change], by: Person | str) -> Loaded:
    """Take a data cut in.

    Raises
    ------
    InputError
        If the reads are locked, the database is of another study, or other data were loaded since the changes were found.
    """
    with trail.change():
        last = current_cut()
        if last is not None and last.study != cut.study.study.id:
            raise InputError(f"the database is of the study {last.study}, not of {cut.study.study.id}", key="--db")
        require_apart(cut.study)
        if {change.before.loaded_id for change in changes if change.before} != ({last.pk} if last else set()):
            raise InputError("other data were loaded meanwhile", key="--db", right="Load again: what it changes is another now")
        if is_locked():
            raise InputError("the reads are locked", right="Release the lock first: it needs two people and a reason")
        salt = last.salt if last else secrets.token_hex(16)
        codes, drawn = _subjects(cut, salt)
        loaded, rows = Loaded(salt=salt, **_content(cut)), []
        for change in changes:
            case = change.before.case if change.before else Case.objects.create(subject=codes[subject_digest(salt, change.after.subject)])  # type: ignore[union-attr]
            rows.append(Shown(case=case, change=change.kind, **_shown(change)))
        days = {change.before.case_id: change.before.day for change in changes if change.before}
        rows += rows_again(rows, days, drawn, last)
        detail = {
            **{name: value for name, value in _content(cut).items() if name != "files"},
            **{"files": [list(file) for file in cut.files], "cartrial": cartrial.__version__},
            **{"changes": dict(sorted(Counter(change.kind for change in changes).items())), "cases": _root(rows)},
            "again": sorted([alias.code, codes[digest].code, seat] for (digest, seat), alias in drawn.items()),
            **{"owners": _owners(rows), "salt": salt_digest(salt)},
        }
        event = trail.record("loaded", by, detail)
        loaded.event = event.number
        loaded.save(force_insert=True)
        for row in rows:
            row.loaded = loaded
        Shown.objects.bulk_create(rows)
        # what was said of a draft is of findings that are no more; what was typed stays
        changed = [row.case_id for row in rows if row.change != "same"]
        Draft.objects.filter(case__in=changed).update(first="", notice="")
        keep_again(drawn, event.number, by)
    return loaded


def _content(cut: Cut) -> dict[str, Any]:
    study = cut.study
    return {
        **{"study": study.study.id, "study_hash": study.hash, "cutoff": str(study.study.cutoff or ""), "replaced": cut.replaced},
        **{"provenance": study.study.provenance, "files": [list(file) for file in cut.files]},
    }


def _shown(change: Change) -> dict[str, Any]:
    if change.after is None:
        assert change.before is not None
        names = ("day", "sampled", "derived", "evidence", "digest", "window", "history")
        return {name: getattr(change.before, name) for name in names}
    case = change.after
    text = json.dumps(case.evidence, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    digests = {"digest": case.digest, "window": case.window, "history": case.history}
    return {"day": case.day, "sampled": case.sampled, "derived": case.derived, "evidence": text, **digests}


def _root(rows: Sequence[Shown]) -> str:
    """Return one digest of what a cut says of every case."""
    return digest_of(sorted([row.case_id, row.day, row.change, row.derived, row.digest, row.window, row.history] for row in rows))


def root_of(loaded: Loaded) -> str:
    """Return the same of what the database holds."""
    return _root(list(Shown.objects.filter(loaded=loaded)))


def _owners(rows: Sequence[Shown]) -> str:
    """Return one digest of whose each case of a cut is: the subject's code, and under what its key is kept."""
    return digest_of(sorted([row.case_id, row.case.subject.code, row.case.subject.digest] for row in rows))


def owners_of(loaded: Loaded) -> str:
    """Return the same of what the database holds."""
    return _owners(list(Shown.objects.filter(loaded=loaded).select_related("case__subject").defer("evidence")))


def salt_digest(salt: str) -> str:
    """Return what the trail says of the salt of a cut, which is long enough that nobody finds it by trying."""
    return digest_of(["salt", salt])


def _subjects(cut: Cut, salt: str) -> tuple[dict[str, Subject], dict[tuple[str, int], Subject]]:
    """Return the subjects of a cut by digest, and those that are asked again with it, by digest and seat.

    Those that are new get the next codes by one lot, so that no code tells of a site, an order, or a subject that is asked again.
    """
    cases = Counter(subject_digest(salt, case.subject) for case in cut.cases)
    known = {subject.digest: subject for subject in Subject.objects.all()}
    new = set(cases) - set(known)
    again = {alias_digest(salt, digest, seat): (digest, seat) for digest, seat in draw_again(cut.study.committee.re_read.share, cases, new)}
    drawn = sorted(new | set(again))
    secrets.SystemRandom().shuffle(drawn)
    for number, digest in enumerate(drawn, len(known) + 1):
        known[digest] = Subject.objects.create(digest=digest, code=f"S-{number:03d}")
    return known, {key: known[alias] for alias, key in again.items()}
