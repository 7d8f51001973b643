"""What the tests of the committee's workspace share: a small trial, a workspace in memory, and people who are signed in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.run import Data
from cartrial.sdtm import Source
from cartrial.study import Study
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
    from cartrial.review.app.state import use_study

    use_study(Study.load("inaticel"))
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
    fields = {name: re.search(rf'name="{name}" value="([^"]*)"', text)[1] for name in ("digest", "version")}  # type: ignore[index]
    return client.post(path, {**fields, "call": call, "reason": reason, "name": user, "password": PASSWORD, **more})


def read_all(clients: dict[str, Any]) -> None:
    """Let both readers read every case of the small trial."""
    for name, code in codes().items():
        for day, (_, _, _, *calls) in TRIAL[name].items():
            for seat, user in SEAT.items():
                answer = sign(clients[user], user, f"/case/{code}/{day}/", calls[seat - 1])
                assert answer.status_code == 302, answer.content.decode()[:3000]


def write_folder(data: Data, folder: Path) -> None:
    """Write a source as CSV."""
    from cartrial.sdtm import write_sdtm

    write_sdtm(data.source, folder)
