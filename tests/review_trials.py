"""What a served workspace is put through: a crowd, kills in the middle of writing, a full disk. For tests and for the benchmark."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cartrial.run import Data
from review_clients import Browser
from review_example import PASSWORD, load
from review_server import Forked
from review_stores import SERVER, cluster


def make_store(kind: str, folder: Path, *, fast: bool = True, database: str = "served", tablespace: str = "") -> str:
    """Make an empty workspace and leave it open; return its name: a file, or a database by the server's lesser role."""
    from cartrial.review.app.serve import place_of
    from cartrial.review.app.setup import open_workspace
    from cartrial.review.app.stores.grants import role_sql

    if kind == "sqlite":
        db = str(folder / f"{database}.db")
        open_workspace(place_of(db, must_exist=False), fast_hasher=fast)
        return db
    made = cluster()
    made.make(database, tablespace)
    open_workspace(place_of(made.url(database), must_exist=False), fast_hasher=fast)
    made.lend(database, role_sql(SERVER))
    db = made.url(database, SERVER)
    open_workspace(place_of(db, must_exist=True), fast_hasher=fast)
    return db


def fill(data: Data, readers: int) -> list[str]:
    """Load data, add so many readers, and give the two seats of each subject in turn; return the readers."""
    from cartrial.review.app.acts.people import add_person, give_seat
    from cartrial.review.app.models import Person, Subject

    load(data)
    names = [f"reader{i:02d}" for i in range(1, readers + 1)]
    for name in [*names, "co"]:
        add_person(name, f"Dr {name}", "coordinator" if name == "co" else "reader", "test")
        person = Person.objects.get(username=name)
        person.set_password(PASSWORD)
        person.own_password = True
        person.save()
    people, by = [Person.objects.get(username=name) for name in names], Person.objects.get(username="co")
    for i, subject in enumerate(Subject.objects.order_by("code")):
        for seat in (1, 2):
            give_seat(subject, seat, people[(2 * i + seat - 1) % readers], "", by)
    return names


def close() -> None:
    """Let go of the workspace, so that others alone write to it."""
    from django.db import connections

    connections.close_all()


def kept(db: str) -> tuple[set[tuple[str, int, str, str]], dict[tuple[str, str], int], list[str]]:
    """Return the reads (page, version, call, who), the revisions of drafts by (page, who), and what does not hold."""
    from cartrial.review.app.acts.verify import find_damage
    from cartrial.review.app.models import Draft, Read, Shown
    from cartrial.review.app.serve import open_store

    open_store(db)
    pages = {shown.case_id: f"/case/{shown.case.subject.code}/{shown.day}/" for shown in Shown.objects.select_related("case__subject")}
    reads = {(pages[read.case_id], read.version, read.call, read.person.username) for read in Read.objects.select_related("person")}
    drafts = {(pages[draft.case_id], draft.person.username): draft.revision for draft in Draft.objects.select_related("person")}
    return reads, drafts, find_damage()


def lost(db: str, browsers: list[Browser]) -> list[str]:
    """Return what was acknowledged and is not kept, and what of the trail does not hold."""
    reads, drafts, damage = kept(db)
    close()
    signed = [(browser.user, *signature) for browser in browsers for signature in browser.signed]
    said = [f"{user} {page} {version} {call}" for user, page, version, call in signed if (page, version, call, user) not in reads]
    said += [f"draft of {b.user} {page}" for b in browsers for page, n in b.drafted.items() if drafts.get((page, b.user), 0) < n]
    return said + damage


def at_once(tasks: list[Callable[[], Any]]) -> list[Any]:
    """Run tasks beside each other; return what each returned, or its error."""
    found: list[Any] = [None] * len(tasks)

    def run(i: int) -> None:
        try:
            found[i] = tasks[i]()
        except Exception as error:  # of a server that is killed
            found[i] = error

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return found


@dataclass
class Crowd:
    """What a crowd met."""

    seconds: float
    processor: float
    times: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(map(len, self.times.values()))

    def at(self, what: str, share: float) -> float:
        """Return a quantile of the times of one kind of request. Unit: seconds."""
        ordered = sorted(self.times[what])
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def crowd(server: Forked, browsers: list[Browser], rounds: int) -> Crowd:
    """Let everybody work at once: in each round the list, a case and a draft; one signature each in all."""
    for browser in browsers:
        browser.enter()
        browser.times.clear()

    def work(number: int, browser: Browser) -> int:
        refused, chance = 0, random.Random(number)
        for i in range(rounds):
            pages = browser.cases()
            page = chance.choice(pages)
            refused += browser.ask(page, what="case").status != 200
            refused += browser.draft(page, f"seen {i}").status != 200
            if i == number % rounds:
                refused += browser.sign(page, "CR").status != 302
                # what is signed is no draft any more
                browser.drafted.pop(page, None)
        return refused

    began = time.perf_counter()
    refused = at_once([lambda i=i, b=b: work(i, b) for i, b in enumerate(browsers)])  # type: ignore[misc]
    seconds = time.perf_counter() - began
    assert not [error for error in refused if isinstance(error, Exception)], refused
    times: dict[str, list[float]] = {}
    for browser in browsers:
        for what, took in browser.times:
            times.setdefault(what, []).append(took)
    server.kill()
    return Crowd(seconds, server.seconds(), times, sum(refused))


def write_until_killed(server: Forked, browsers: list[Browser], times: int, seed: int = 1) -> int:
    """Kill a server so many times while all sign and type; return how many requests were cut off."""
    chance, cut = random.Random(seed), 0
    port = server.start()
    for browser in browsers:
        browser.move(port)
        browser.enter()
    for number in range(times):
        over = threading.Event()

        def write(browser: Browser, over: threading.Event = over) -> int:
            try:
                pages = browser.cases()
                for i in range(10_000):
                    if over.is_set():
                        return 0
                    answer = browser.sign(pages[0], ("CR", "CRi")[(len(browser.signed) + i) % 2])
                    assert answer.status in (200, 302, 409), answer.status
                    # a signature ends the draft of its case: what is typed is of another
                    assert pages[0] == pages[-1] or browser.draft(pages[-1], f"seen {i}").status in (200, 409)
            except (OSError, http_error()):
                return 1
            return 0

        def end(over: threading.Event = over) -> None:
            time.sleep(0.5 + chance.random() * 1.5)
            server.kill()
            over.set()

        found = at_once([end, *(lambda b=b: write(b) for b in browsers)])  # type: ignore[misc]
        failed = [error for error in found if isinstance(error, Exception)]
        assert not failed, (number, failed)
        cut += sum(value for value in found[1:])
        port = server.start()
        for browser in browsers:
            browser.move(port)
    server.kill()
    return cut


def sign_at_once(shown: Any, seat: int, people: list[Any], call: str = "CR") -> list[str]:
    """Let people, or windows of one, sign the first read of a case at the same moment, a connection each; return who was told what."""
    from django.db import connections

    from cartrial.review.app.acts.signing import Asked, Refused, sign_read

    gate = threading.Barrier(len(people))

    def sign(person: Any, at: int) -> str:
        try:
            gate.wait(timeout=30)
            sign_read(person, shown, at, Asked(call, "", "", shown.digest, 1))
        except Refused as refused:
            return str(refused)
        finally:
            connections.close_all()
        return "kept"

    return at_once([lambda p=p, i=i: sign(p, seat or i + 1) for i, p in enumerate(people)])  # type: ignore[misc]


def http_error() -> type[Exception]:
    """Return what a connection raises that ends in the middle of an answer."""
    import http.client

    return http.client.HTTPException
