"""What the tests of the committee's workspace share: a small trial, a workspace in memory, and people who are signed in."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.run import Data
from cartrial.sdtm import Source
from cartrial.study import Study
from cartrial.study.charter.review import Review
from review_stores import store

PASSWORD = "a long sentence of words"
PEOPLE = {
    **{"one": ("Dr A. Eins", "reader"), "two": ("Dr B. Zwei", "reader"), "spare": ("Dr D. Vier", "reader")},
    **{"three": ("Dr C. Drei", "adjudicator"), "co": ("M. Coordinator", "coordinator"), "mo": ("M. Monitor", "monitor")},
    **{"au": ("A. Auditor", "auditor"), "ad": ("A. Administrator", "administrator")},
}

# day: marrow %, ANC, platelets, and the calls of reader 1, reader 2 and, where they differ, of the adjudicator
TRIAL: dict[str, dict[int, tuple[float, float, float, str, str, str]]] = {
    "S-07-0001": {28: (1.0, 1.5, 150, "CR", "CR", ""), 90: (2.0, 0.5, 40, "CRi", "CR", ""), 180: (60.0, 1.2, 90, "RELAPSE", "RELAPSE", "")},
    "S-07-0002": {29: (3.0, 2.0, 120, "CR", "NR", "CR"), 91: (1.0, 1.4, 130, "CR", "CR", "")},
    "S-11-0003": {27: (70.0, 0.2, 15, "NR", "PD", "")},
}
SEAT = {1: "one", 2: "two"}


def example_data(changes: dict[tuple[str, int], float] | None = None, *, committee: bool = False) -> Data:
    """Return the small trial; `changes` are platelets of a subject and day, `committee` adds the readers' calls to RS."""
    import datetime as dt

    start = dt.date(2022, 1, 1)
    who = [{"STUDYID": "S", "USUBJID": name, "ROW": i + 2} for i, name in enumerate(TRIAL)]
    lb, rs, fa, ex = [], [], [], []
    for name, visits in TRIAL.items():
        at = {"STUDYID": "S", "USUBJID": name}
        ex.append(at | {"EXSEQ": 1, "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"})
        before = {-6: (80.0, 1.0, 50.0), **{day: values[:3] for day, values in visits.items()}}
        for day, (marrow, neutrophils, platelets) in before.items():
            date = (start + dt.timedelta(days=day)).isoformat()
            platelets = (changes or {}).get((name, day), platelets)
            tests = (
                ("BLAST", "BONE MARROW", "%", marrow),
                ("NEUT", "BLOOD", "10^9/L", neutrophils),
                ("PLAT", "BLOOD", "10^9/L", platelets),
            )
            for test, specimen, unit, value in (*tests, ("CARTG", "BLOOD", "copies/ug DNA", 4.71147)):
                row = {"LBSEQ": len(lb) + 1, "LBTESTCD": test, "LBSPEC": specimen, "LBSTRESN": value, "LBSTRESC": f"{value:g}"}
                lb.append(at | row | {"LBORRES": f"{value:g}", "LBSTRESU": unit, "LBDTC": date})
            fa.append(
                at | {"FASEQ": len(fa) + 1, "FATESTCD": "OCCUR", "FAOBJ": "EXTRAMEDULLARY DISEASE", "FASTRESC": "ABSENT", "FADTC": date}
            )
        for day, (_, _, _, *calls) in visits.items():
            date = (start + dt.timedelta(days=day)).isoformat()
            readers = [("INVESTIGATOR", None, "INDETERMINATE")]
            if committee:
                readers += [
                    ("INDEPENDENT ASSESSOR", seat, call)
                    for seat, call in zip(("READER 1", "READER 2", "ADJUDICATOR"), calls, strict=True)
                    if call
                ]
            for evaluator, reader, call in readers:
                row = {
                    "RSSEQ": len(rs) + 1,
                    "RSTESTCD": "OVRLRESP",
                    "RSSTRESC": call,
                    "RSORRES": call,
                    "RSEVAL": evaluator,
                    "RSEVALID": reader,
                }
                rs.append(at | row | {"RSDTC": date})
    tables = {
        "DM": pl.DataFrame([row | {"SITEID": "SITE-7734", "SEX": "F"} for row in who]),
        "EX": pl.DataFrame(ex),
        "LB": pl.DataFrame(lb),
    }
    tables |= {"FA": pl.DataFrame(fa), "RS": pl.DataFrame(rs, schema_overrides={"RSEVALID": pl.String})}
    study = Study.load("inaticel")
    return Data(
        study,
        Source({name: frame.with_columns(pl.int_range(2, frame.height + 2).alias("ROW")) for name, frame in tables.items()}),
        pl.DataFrame(),
    )


def with_charter(data: Data, **keys: Any) -> Data:
    """Return a source whose study has a charter: keys of `review`, as Python names them."""
    review = Review.model_validate(keys)
    return Data(data.study.model_copy(update={"review": review}), data.source, data.findings)


def open_empty() -> None:
    """Open a workspace as it is before anything is loaded, in the store of the test."""
    pytest.importorskip("django", reason="the extra review is not installed")
    _open("empty")


def _open(name: str) -> None:
    kept = store()
    # a command, or a test of the other store, may have opened something else in this process
    if _OPENED[:1] != [kept.place()] or not same_place(kept.place()):
        kept.open()
        _OPENED[:] = [kept.place()]
        if "empty" not in kept.kept:
            kept.keep("empty")
    from django.core.cache import cache

    cache.clear()
    kept.bring(name)


_OPENED: list[str] = []


def same_place(place: str) -> bool:
    """Whether Django still has that store open."""
    from django.db import connection

    from cartrial.review.app.stores.address import database_of

    return str(connection.settings_dict["NAME"]) == database_of(place)["NAME"]


def load(data: Data, by: Any = "test") -> dict[str, int]:
    """Load a data cut; return how many cases it changes, by kind."""
    from collections import Counter

    from cartrial.review.app.acts.loading import Cut, find_changes, keep_cut
    from cartrial.review.app.state import use_study
    from cartrial.review.loaded import bring

    brought = bring(data, replace=True)
    cut = Cut(brought.study, brought.cases, brought.files, brought.replaced)
    changes = find_changes(cut)
    keep_cut(cut, changes, by)
    use_study(brought.study)
    return dict(Counter(change.kind for change in changes))


def add_people() -> None:
    """Add everybody, each with a password of his own."""
    from cartrial.review.app.acts.people import add_person
    from cartrial.review.app.models import Person

    for user, (name, role) in PEOPLE.items():
        add_person(user, name, role, "test")
        person = Person.objects.get(username=user)
        person.set_password(PASSWORD)
        person.own_password = True
        person.save()


def give_seats() -> None:
    """Give seat 1 of every subject to one, seat 2 to two."""
    from cartrial.review.app.acts.people import give_seat
    from cartrial.review.app.models import Person, Subject

    for subject in Subject.objects.all():
        for seat, user in SEAT.items():
            give_seat(subject, seat, Person.objects.get(username=user), "", Person.objects.get(username="co"))


def signed_in(user: str, **more: Any) -> Any:
    """Return the client of a person who is signed in."""
    from django.test import Client

    client = Client(**more)
    answer = client.post("/login/", {"username": user, "password": PASSWORD})
    assert answer.status_code == 302, answer.status_code
    return client


_SESSIONS: dict[tuple[str, str], dict[str, str]] = {}


def open_world(name: str) -> dict[str, Any]:
    """Return everybody's client in a workspace that is made once and copied: `seated`, nobody has read; `read`, all is read and decided."""
    from django.test import Client

    open_empty()
    key = store().place(), name
    if key not in _SESSIONS:
        load(example_data(committee=True))
        add_people()
        give_seats()
        made = {user: signed_in(user) for user in PEOPLE}
        if name == "read":
            read_all(made)
            assert sign(made["three"], "three", f"/adjudication/{codes()['S-07-0002']}/29/", "CR").status_code == 302
        store().keep(name)
        _SESSIONS[key] = {user: client.cookies["review"].value for user, client in made.items()}
    _open(name)
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    from cartrial.review.app.setup import IDLE_MINUTES
    from cartrial.review.app.state import use_study

    use_study(Study.load("inaticel"))
    # the copy is of when the workspace was made: on a busy machine that is longer ago than a session lives
    Session.objects.update(expire_date=timezone.now() + dt.timedelta(minutes=IDLE_MINUTES))
    clients = {user: Client() for user in PEOPLE}
    for user, client in clients.items():
        client.cookies["review"] = _SESSIONS[key][user]
    return clients


def codes() -> dict[str, str]:
    """Return the code of each subject by its own key."""
    from cartrial.review.app.acts.loading import subject_digest
    from cartrial.review.app.models import Subject
    from cartrial.review.app.state import current_cut

    cut = current_cut()
    assert cut is not None
    return {name: Subject.objects.get(digest=subject_digest(cut.salt, name)).code for name in TRIAL}


def sign(client: Any, user: str, path: str, call: str, reason: str = "as I see it", **more: str) -> Any:
    """Sign a call on the page of a case."""
    page = client.get(path)
    assert page.status_code == 200, (path, page.status_code)
    text = page.content.decode()
    fields = dict(re.findall(r'type="hidden" name="(digest|version|between)" value="([^"]*)"', text))
    return client.post(path, {**fields, "call": call, "reason": reason, "name": user, "password": PASSWORD, **more})


def read_all(clients: dict[str, Any]) -> None:
    """Let both readers read every case of the small trial."""
    for name, code in codes().items():
        for day, (_, _, _, *calls) in TRIAL[name].items():
            for seat, user in SEAT.items():
                answer = sign(clients[user], user, f"/case/{code}/{day}/", calls[seat - 1])
                assert answer.status_code == 302, answer.content.decode()[:3000]


def read_source(data: Data, source: Path, out: Path) -> int:
    """Let a committee read a source through the pages: each reader as the source has it, else as the committee's own status; return the
    number of reads that were exported."""
    from cartrial.response import assess_response
    from cartrial.review.loaded import bring
    from cartrial.sdtm.records.codes import ADJUDICATOR, IRC, LAB, READER1, READER2
    from cartrial.study.criteria.codes import NE, RESPONSES

    open_empty()
    from cartrial.review.app.acts.going_out import export_lock
    from cartrial.review.app.acts.loading import subject_digest
    from cartrial.review.app.models import Shown, Subject
    from cartrial.review.app.state import current_cut, read_board

    brought = bring(data, replace=True)
    load(data)
    add_people()
    give_seats()
    clients = {user: signed_in(user) for user in ("one", "two", "three", "co", "mo")}
    subjects = dict(brought.records.subjects.select("SUBJ", "USUBJID").iter_rows())
    zero = dict(brought.records.subjects.select("SUBJ", "DAY0").iter_rows())
    own: dict[int, dict[tuple[str, int], str]] = {}
    for reader, calls in assess_response(data.study, brought.records).items():
        rows = zip(calls.subject, calls.day, calls.status, strict=True)
        own[reader] = {
            (subjects[int(s)], int(day) - zero[int(s)]): RESPONSES[int(status)] for s, day, status in rows if zero[int(s)] is not None
        }
    said = _as_recorded(brought.records, subjects, zero)
    cut = current_cut()
    assert cut is not None
    name = {
        Subject.objects.get(digest=subject_digest(cut.salt, subject)).code: subject for subject in {case.subject for case in brought.cases}
    }

    def call_of(reader: int, key: tuple[str, int]) -> str:
        last = own[LAB].get(key) or ("PD" if key[1] <= 0 else RESPONSES[NE])
        return said.get((reader, *key)) or own[IRC].get(key) or last

    def put(user: str, page: str, shown: Shown, call: str) -> None:
        fields = {"digest": shown.digest, "version": "1", "call": call, "reason": "as recorded", "name": user, "password": PASSWORD}
        if user == "three":
            seen = clients[user].get(f"/{page}/{shown.case.subject.code}/{shown.day}/").content.decode()
            fields["between"] = re.search(r'name="between" value="([^"]+)"', seen)[1]  # type: ignore[index]
        answer = clients[user].post(f"/{page}/{shown.case.subject.code}/{shown.day}/", fields)
        assert answer.status_code == 302, (shown.day, call, answer.content.decode()[:3000])

    for shown in read_board().shown:
        for user, reader in (("one", READER1), ("two", READER2)):
            put(user, "case", shown, call_of(reader, (name[shown.case.subject.code], shown.day)))
    # each decision may settle another
    while waiting := _differing(read_board()):
        put("three", "adjudication", waiting[0], call_of(ADJUDICATOR, (name[waiting[0].case.subject.code], waiting[0].day)))
    for user, kind in (("co", "lock"), ("mo", "confirm")):
        answer = clients[user].post("/lock/", {"kind": kind, "reason": "analysis", "name": user, "password": PASSWORD})
        assert answer.status_code == 302, answer.content.decode()[:3000]
    return export_lock(brought, source, out, number=None, by="test")


def _differing(board: Any) -> list[Any]:
    return [shown for shown in board.shown if board.settled[shown.case_id].state == "differs"]


def _as_recorded(records: Any, subjects: dict[int, str], zero: dict[int, int]) -> dict[tuple[int, str, int], str]:
    """Return what each reader called, before any rule: by reader, subject and day."""
    from cartrial.study.criteria.codes import RESPONSES

    return {
        (row["READER"], subjects[row["SUBJ"]], row["DAY"] - zero[row["SUBJ"]]): RESPONSES[row["RESP"]]
        for row in records.calls.filter(pl.col("DAY") == pl.col("DAYX")).iter_rows(named=True)
        if zero[row["SUBJ"]] is not None
    }


def write_folder(data: Data, folder: Path) -> None:
    """Write a source as CSV."""
    from cartrial.sdtm import write_sdtm

    write_sdtm(data.source, folder)
