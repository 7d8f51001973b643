"""Several at once, and what fails: signatures at one moment, a crowd, kills, a full disk, copies of what is in use, in both stores.

Origin of every expectation: `by hand`, the issue: nothing that was acknowledged is lost, the chain holds, and what fails is said.
`benchmarks/review.py` does the same in the numbers of the issue; no test compares a time of the clock.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helpers import run_cli
from review_clients import Browser
from review_example import PASSWORD, codes, example_data, open_world, sign
from review_server import Forked
from review_stores import cluster
from review_trials import at_once, close, crowd, fill, kept, lost, make_store, sign_at_once, write_until_killed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="servers are forked")


@pytest.fixture
def served(each_store: str, tmp_path: Path) -> Iterator[str]:
    """A workspace with the small trial and four readers, in a store that other processes reach; nobody serves it yet."""
    pytest.importorskip("django", reason="the extra review is not installed")
    db = make_store(each_store, tmp_path)
    fill(example_data(committee=True), 4)
    close()
    yield db
    close()


def test_two_readers_sign_one_case_at_one_moment_and_one_reader_in_six_windows_signs_it_once(served: str) -> None:
    """Every case: of both readers two are kept; of six windows exactly one, the others are told why."""
    from cartrial.review.app.acts.verify import find_damage
    from cartrial.review.app.models import Person, Read, Shown
    from cartrial.review.app.state import seats_now

    seats, cases = seats_now(), list(Shown.objects.select_related("case__subject"))
    both, windows = cases[:3], cases[3:]
    for shown in both:
        readers = [Person.objects.get(pk=seats[shown.case.subject_id, seat]) for seat in (1, 2)]
        assert sign_at_once(shown, 0, readers) == ["kept", "kept"]
    for shown in windows:
        one = Person.objects.get(pk=seats[shown.case.subject_id, 1])
        said = sorted(sign_at_once(shown, 1, [one] * 6))
        assert said.count("kept") == 1 and all("another window" in words for words in said if words != "kept"), said
    assert Read.objects.count() == 2 * len(both) + len(windows) and find_damage() == []


@pytest.mark.slow
def test_a_crowd_loses_nothing_and_the_chain_holds(served: str) -> None:
    browsers = [Browser(f"reader{i:02d}", 0) for i in (1, 2, 3, 4, 1, 2)]
    with Forked(served) as server:
        port = server.start()
        for browser in browsers:
            browser.move(port)
        met = crowd(server, browsers[:4], 4)
    assert met.refused == 0 and met.requests == 4 * (4 * 3 + 2) and lost(served, browsers[:4]) == []


@pytest.mark.slow
def test_a_server_that_is_killed_while_it_writes_loses_nothing_that_it_acknowledged(served: str) -> None:
    browsers = [Browser(f"reader{i:02d}", 0) for i in (1, 2, 3, 4)]
    with Forked(served) as server:
        write_until_killed(server, browsers, 2)
    assert lost(served, browsers) == []


@pytest.mark.slow
def test_thirty_guesses_at_one_moment_are_no_more_than_the_lock_and_the_threads_let_through(served: str) -> None:
    """A guess that is being answered when the fifth fails is answered too: at most one a thread of the server, of which there are four."""
    from cartrial.review.app.setup import GUESSES

    with Forked(served) as server:
        port = server.start()
        windows = [Browser("reader01", port) for _ in range(30)]
        for window in windows:
            window.ask("/login/")
        together = threading.Barrier(len(windows))

        def guess(number: int) -> int:
            together.wait()
            return windows[number].ask("/login/", {"username": "reader01", "password": f"a guess {number}"}).status

        with ThreadPoolExecutor(len(windows)) as pool:
            met = Counter(pool.map(guess, range(len(windows))))
        assert set(met) == {200, 429} and met[200] <= GUESSES - 1 + 3, met
        right = windows[0].ask("/login/", {"username": "reader01", "password": PASSWORD})
        assert right.status == 429 and "Too many wrong passwords" in right.text
        other = Browser("reader02", port)
        other.enter()


def no_room(page: str) -> bool:
    return "nothing of this was kept" in page and "Traceback" not in page and "Signed" not in page


@pytest.mark.slow
def test_a_full_disk_is_said_and_what_was_signed_before_stays(tmp_path: Path) -> None:
    """A file may grow by 64 KiB: signatures are kept until it is full, then refused in words; with room again they go on."""
    pytest.importorskip("django", reason="the extra review is not installed")
    db = make_store("sqlite", tmp_path)
    fill(example_data(committee=True), 4)
    close()
    browser, long = Browser("reader01", 0), "x" * 1900
    with Forked(db, log=tmp_path / "log") as server:
        browser.move(server.start())
        browser.enter()
        page = browser.cases()[0]
        assert browser.sign(page, "CR").status == 302
        server.kill()
        browser.move(server.start(limit=Path(db).stat().st_size + 65_536))
        answers = [browser.sign(page, ("CRi", "CR")[i % 2], long) for i in range(60)]
        refused = [answer for answer in answers if answer.status == 503]
        assert 302 in {answer.status for answer in answers} and refused and all(no_room(answer.text) for answer in refused)
        # 409: the call is the one that stands, for the one between was refused
        assert {answer.status for answer in answers} <= {302, 409, 503}
        server.kill()
        browser.move(server.start())
        assert browser.sign(page, "PD").status == 302
        server.kill()
    assert lost(db, [browser]) == [] and "Traceback" not in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB for the tables of a server."""
    made = cluster()
    place = Path(made.folder) / "small"
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        (place / "tables").mkdir(mode=0o700)
        made.own(place / "tables")
        made.boss("postgres", f"CREATE TABLESPACE small LOCATION '{place / 'tables'}'")
        yield place
        close()
        made.boss("postgres", "DROP DATABASE IF EXISTS small WITH (FORCE)", "DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


@pytest.mark.slow
def test_a_full_disk_of_a_server_is_said_and_what_was_signed_before_stays(small_disk: Path, tmp_path: Path) -> None:
    pytest.importorskip("django", reason="the extra review is not installed")
    db = make_store("postgresql", tmp_path, database="small", tablespace="small")
    fill(example_data(committee=True), 4)
    close()
    browser, long = Browser("reader01", 0), "x" * 1900
    with Forked(db, log=tmp_path / "log") as server:
        browser.move(server.start())
        browser.enter()
        page = browser.cases()[0]
        assert browser.sign(page, "CR").status == 302
        filler = small_disk / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                while file.write(b"\0" * 65_536):
                    pass
        except OSError:
            pass
        # each with a reason of its own: where one is kept and the next is not, the one after changes something too
        answers = [browser.sign(page, ("CRi", "CR")[i % 2], f"{i} {long}") for i in range(40)]
        refused = [answer for answer in answers if answer.status == 503]
        assert refused and all(no_room(answer.text) for answer in refused) and {answer.status for answer in answers} <= {302, 503}
        filler.unlink()
        assert browser.sign(page, "PD").status == 302
        server.kill()
    assert lost(db, [browser]) == [] and "Traceback" not in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.shows("FMT-workspace")
def test_a_copy_of_what_is_in_use_is_whole_and_is_worked_on_elsewhere(served: str, tmp_path: Path) -> None:
    """What was acknowledged before the copy began is in it; it holds against itself; and it is signed on where it was put back."""
    browsers = [Browser(f"reader{i:02d}", 0) for i in (1, 2, 3, 4)]
    with Forked(served) as server:
        port = server.start()
        for browser in browsers:
            browser.move(port)
            browser.enter()
        pages = [browser.cases()[0] for browser in browsers]
        copies: list[tuple[set[Any], Path]] = []

        def copy() -> None:
            for i in range(3):
                before = {(page, version, call, b.user) for b in browsers for page, version, call in list(b.signed)}
                to = tmp_path / f"copy{i}.db"
                command = [sys.executable, "-m", "cartrial", "review", "backup", "--db", served, "--to", str(to)]
                done = subprocess.run(command, capture_output=True, check=False)
                assert done.returncode == 0, done.stderr
                copies.append((before, to))

        def work(browser: Browser, page: str) -> None:
            for i in range(400):
                if len(copies) == 3:
                    return
                assert browser.sign(page, ("CR", "CRi")[i % 2]).status == 302

        found = at_once([copy, *(lambda b=b, p=p: work(b, p) for b, p in zip(browsers, pages, strict=True))])  # type: ignore[misc]
        assert not [error for error in found if isinstance(error, Exception)], found
        server.kill()
    assert lost(served, browsers) == []
    for before, path in copies:
        reads, _, damage = kept(str(path))
        assert before <= reads and damage == []
    again = str(tmp_path / "again.db")
    assert run_cli("review", "restore", "--from", str(copies[-1][1]), "--db", again)[0] == 0
    close()
    with Forked(again) as server:
        browsers[0].move(server.start())
        browsers[0].enter()
        assert browsers[0].sign(pages[0], "PD").status == 302
        server.kill()
    assert kept(again)[2] == []
    close()


def asked_of_the_store(client: Any, path: str, form: dict[str, str] | None = None) -> list[str]:
    """Return the statements that a page asks of the store, without their values."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as caught:
        answer = client.get(path) if form is None else client.post(path, form)
    assert answer.status_code == 200
    return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in caught.captured_queries]


def test_a_readers_pages_ask_the_same_of_the_store_whatever_the_other_did(each_store: str) -> None:
    """The time of an answer is that of its statements: they are the same, one for one, when the other reader has signed and when not."""
    clients = open_world("seated")
    path = f"/case/{codes()['S-07-0002']}/29/"

    def crawl() -> list[list[str]]:
        draft = asked_of_the_store(clients["one"], f"{path}draft/", {"call": "CR", "reason": "", "revision": "0"})
        return [*(asked_of_the_store(clients["one"], place) for place in ("/", path, "/queries/", "/password/")), draft]

    clients["one"].get("/")
    before = crawl()
    open_world("seated")
    clients["one"].get("/")
    assert sign(clients["two"], "two", path, "NR").status_code == 302
    assert crawl() == before and sum(map(len, before)) > 20
