"""What leaves the workspace under a lock? The reads, the trail for people and machines, and the lock itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from cartrial.errors import InputError
from cartrial.files import built_beside, sha256_of
from cartrial.review.app.acts.loading import subject_digest
from cartrial.review.app.acts.trail import change, receipt_of, record, seal_line
from cartrial.review.app.acts.verify import find_damage
from cartrial.review.app.models import Case, Event, Loaded, LockStep, Read
from cartrial.review.app.state import is_locked
from cartrial.review.export import Signed, merge_reads, write_source
from cartrial.review.loaded import Brought
from cartrial.review.naming import mask_names
from cartrial.review.workflow import settle_cases

__all__ = ["export_lock"]


def _lock(number: int | None) -> tuple[LockStep, LockStep, int]:
    """Return the two signatures of a lock, the first lock being 1."""
    steps = list(LockStep.objects.select_related("person").order_by("event"))
    confirmed = [i for i, step in enumerate(steps) if step.kind == "confirm"]
    if number is None and not is_locked():
        raise InputError("the reads are not locked", right="What goes out is what was locked; --lock N names an earlier lock")
    if not confirmed or (number is not None and not 1 <= number <= len(confirmed)):
        raise InputError(f"there is no lock {number or ''}".rstrip(), key="--lock", right=f"There are {len(confirmed)} locks")
    place = confirmed[(number or len(confirmed)) - 1]
    first = next(step for step in reversed(steps[:place]) if step.kind == "lock")
    return first, steps[place], confirmed.index(place) + 1


def export_lock(brought: Brought, data: Path, out: Path, *, number: int | None, by: str) -> int:
    """Write what a lock fixed: `data/` with RS, `trail/` with the events and the lock.

    Parameters
    ----------
    brought : Brought
        The study and the source that were read.
    data, out : Path
        Folder of the source, and folder to write to.
    number : int, optional
        Of the lock; the one that holds.
    by : str
        Who exports.

    Returns
    -------
    int
        How many reads went out.

    Raises
    ------
    InputError
        If there is no such lock, the source or the study is another than that of the lock, or something kept was changed.
    """
    damage = find_damage()
    if damage:
        raise InputError(f"what is kept does not hold: {damage[0]}", key="--db", right="cartrial review verify says all of it")
    first, confirmed, which = _lock(number)
    document = json.loads(confirmed.document)
    if brought.study.hash != document["study_hash"]:
        raise InputError("the study file is another than that of the lock")
    if [list(file) for file in brought.files] != document["files"]:
        changed = sorted(name for name, digest in brought.files if [name, digest] not in document["files"])
        raise InputError("the source files are not those of the lock", file=changed[0] if changed else str(data))
    reads = _signed(brought, document)
    merged = merge_reads(brought, reads)
    with built_beside(out) as place:
        (place / "data").mkdir()
        (place / "trail").mkdir()
        write_source(brought, merged, data, place / "data")
        rs = next(path for path in (place / "data").iterdir() if path.stem.lower() == "rs")
        signatures = [
            {"step": step.kind, "name": step.person.full_name, "at": step.at.isoformat(), "for": step.reason, "event": step.event}
            for step in (first, confirmed)
        ]
        with change():
            event = record("exported", by, {"lock": which, "digest": confirmed.digest, "reads": len(reads), "rs": sha256_of(rs)})
        content = {"lock": document, "digest": confirmed.digest, "signatures": signatures}
        content |= {"exported": {"event": event.number, "rs": [rs.name, sha256_of(rs)]}, "seal": seal_line()}
        (place / "trail" / "lock.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        _write_trail(place / "trail", hidden_words(brought))
    return len(reads)


def hidden_words(brought: Brought) -> set[str]:
    """Return what no text may say outside: the subjects' own keys, and the numbers of sites of three signs and more."""
    dm = brought.data.source.domains.get("DM")
    names = [name for name in ("USUBJID", "SUBJID", "SITEID") if dm is not None and name in dm.columns]
    words = {str(word).strip() for name in names for word in dm[name].drop_nulls()}  # type: ignore[index]
    return {word for word in words if len(word) >= _SHORTEST_KEY}


_SHORTEST_KEY = 3
_TEXTS = ("reason", "changed", "text")


def _masked(event: Event, words: set[str]) -> tuple[dict[str, Any], bool]:
    """Return what an event says, with texts that people typed masked, and whether anything was."""
    detail = json.loads(event.detail)
    texts = {name: mask_names(detail[name], words) for name in _TEXTS if isinstance(detail.get(name), str)}
    return detail | texts, any(detail[name] != text for name, text in texts.items())


def _write_trail(place: Path, words: set[str]) -> None:
    events = [(event, *_masked(event, words)) for event in Event.objects.order_by("number")]
    names = ("number", "at", "who", "role", "kind", "before", "digest")
    with (place / "audit.ndjson").open("w", encoding="utf-8") as file:
        for event, detail, masked in events:
            text = json.dumps(detail, ensure_ascii=True, sort_keys=True, separators=(",", ":")) if masked else event.detail
            content = {name: getattr(event, name) for name in names} | {"detail": text} | ({"masked": True} if masked else {})
            content |= {"receipt": receipt_of(event)} if event.kind == "signed" else {}
            file.write(json.dumps(content, ensure_ascii=True, separators=(",", ":")) + "\n")
    rows = [{"event": event, "detail": detail, "receipt": receipt_of(event)} for event, detail, _ in events]
    cut = Loaded.objects.order_by("-event")[0]
    (place / "audit.html").write_text(
        render_to_string("review/audit.html", {"rows": rows, "cut": cut, "seal": seal_line()}), encoding="utf-8"
    )


def _signed(brought: Brought, document: dict[str, Any]) -> list[Signed]:
    """Return the reads of a lock with the subjects' own keys, which the source alone knows."""
    salt = Loaded.objects.get(event=document["loaded"]).salt
    subjects = {subject_digest(salt, name): name for name in brought.records.subjects["USUBJID"]}
    owner = {case.pk: subjects[case.subject.digest] for case in Case.objects.select_related("subject") if case.subject.digest in subjects}
    kept = {read.event: read for read in Read.objects.all()}
    numbered = {name: i for i, name in enumerate(dict.fromkeys(owner[row["case"]] for row in document["cases"]))}
    place = {row["case"]: (numbered[owner[row["case"]]], row["day"]) for row in document["cases"]}
    calls = {(row["case"], int(seat)): kept[read["event"]] for row in document["cases"] for seat, read in row["reads"].items()}
    standing = [(*place[case], seat, read.call) for (case, seat), read in calls.items()]
    sampled = {(case.subject, case.day): case.sampled for case in brought.cases}
    cases = {place[row["case"]]: sampled[owner[row["case"]], row["day"]] for row in document["cases"]}
    settled = settle_cases(brought.study, cases, standing)
    found = []
    for (case, seat), read in calls.items():
        taken = _taken(
            {at: calls[case, at].call for at in (1, 2, 3) if (case, at) in calls}, settled[place[case]].status, settled[place[case]].why
        )
        found.append(Signed(owner[case], place[case][1], seat, read.call, case, read.version, taken == seat))
    return found


def _taken(calls: dict[int, str], status: str, why: str) -> int:
    """Return the seat whose call the committee took; 0 where it has none."""
    if not status:
        return 0
    if why == "adjudicated":
        return 3
    return next((seat for seat in (1, 2) if calls.get(seat) == status), 1)
