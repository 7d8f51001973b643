"""What was once missed: receipts that counted what others did, rows that no event covered, decisions on a page of other reads.

Origin of every expectation: `by hand`, from the issue's list of attacks and of what a reader may not learn.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from helpers import run_cli
from review_example import PASSWORD, codes, example_data, load, open_empty, open_world, sign, with_charter
from review_stores import store

pytest.importorskip("django", reason="the extra review is not installed")


@pytest.fixture(autouse=True)
def opened() -> None:
    """Django is set up before a test imports a table."""
    open_empty()


TIMES = re.compile(rb"\d\d:\d\d(:\d\d)?|\d{4}-\d\d-\d\d")
TOKEN = re.compile(rb'(csrfmiddlewaretoken" value=")[^"]+')


def said(answer: Any) -> tuple[int, dict[str, str], bytes]:
    """Return all that an answer says: its status, its headers, and its bytes without tokens and times of the clock."""
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    return answer.status_code, headers, TIMES.sub(b"", TOKEN.sub(rb"\1", answer.content))


def test_receipts_errors_and_lists_of_a_reader_are_the_same_byte_for_byte_whatever_the_other_did() -> None:
    """Two worlds of one copy. In the second, reader 2 has read, changed a call and asked before; reader 1 does the same in both."""
    worlds = []
    for busy in (False, True):
        clients = open_world("seated")
        one, two, path = clients["one"], clients["two"], f"/case/{codes()['S-07-0002']}/29/"
        if busy:
            assert sign(two, "two", path, "NR").status_code == 302
            assert sign(two, "two", path, "PD", changed="counted anew").status_code == 302
            assert two.post(f"{path}ask/", {"text": "was there a biopsy"}).status_code == 302
        answers = [sign(one, "one", path, "CR", password="wrong"), sign(one, "one", path, "CR"), one.get(path)]
        assert b"Signed CR for" in answers[2].content
        answers += [sign(one, "one", path, "CR"), sign(one, "one", path, "CRi", changed="platelets"), one.get("/?state=Signed")]
        answers += [one.post(f"{path}draft/", {"call": "CR", "reason": "x", "revision": "0"}), one.get("/queries/"), one.get("/lock/")]
        answers += [one.get(f"/adjudication/{codes()['S-07-0002']}/29/"), one.get("/?state=To+adjudicate&subject=S-999"), one.get("/")]
        worlds.append([said(answer) for answer in answers])
    assert worlds[0] == worlds[1]


def test_a_receipt_is_the_digest_of_what_was_signed_and_stands_in_the_trail() -> None:
    from cartrial.review.app.models import Event

    clients = open_world("seated")
    path = f"/case/{codes()['S-07-0001']}/28/"
    sign(clients["one"], "one", path, "CR")
    digest = hashlib.sha256(Event.objects.get(kind="signed").detail.encode()).hexdigest()
    receipt = f"{digest[:4]} {digest[4:8]}"
    assert f"version 1: receipt {receipt}." in clients["one"].get(path).content.decode()
    assert f"receipt: {receipt}" in clients["au"].get("/trail/").content.decode()


def test_an_adjudication_is_of_the_reads_that_its_page_showed() -> None:
    """Reader 2 changes NR into PD while the page of CR against NR is open: what was seen is no more, and nothing is kept."""
    from cartrial.review.app.models import Read

    clients = open_world("read")
    path = f"/adjudication/{codes()['S-07-0002']}/29/"
    page = clients["three"].get(path).content.decode()
    fields = dict(re.findall(r'type="hidden" name="(digest|version|between)" value="([^"]*)"', page))
    sign(clients["two"], "two", path.replace("adjudication", "case"), "PD", changed="blasts counted anew")
    typed = {**fields, "call": "NR", "reason": "so", "changed": "so", "name": "three", "password": PASSWORD}
    answer = clients["three"].post(path, typed)
    assert answer.status_code == 409 and "changed a call since this page" in answer.content.decode()
    assert Read.objects.filter(seat=3).count() == 1
    assert sign(clients["three"], "three", path, "NR", changed="reader 2 counted anew").status_code == 302


def test_guesses_at_the_old_password_count_and_the_given_one_is_not_kept() -> None:
    clients = open_world("seated")
    client, new = clients["one"], "words that nobody guesses"
    same = client.post("/password/", {"old_password": PASSWORD, "new_password1": PASSWORD, "new_password2": PASSWORD})
    assert same.status_code == 200 and "choose another" in same.content.decode()
    typed = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    assert [client.post("/password/", typed).status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    assert client.post("/password/", typed | {"old_password": PASSWORD}).status_code == 429


def test_what_was_said_of_a_draft_is_not_said_of_other_findings() -> None:
    """NR is typed of a marrow of 1 % and 150 platelets; the next cut has 149: what was typed stays, what was said of it is said anew."""
    from cartrial.review.app.models import Draft

    clients = open_world("seated")
    path = f"/case/{codes()['S-07-0001']}/28/"
    assert "Marrow blasts of day 28" in clients["one"].post(f"{path}draft/", {"call": "NR", "revision": "0"}).content.decode()
    assert "Marrow blasts of day 28" in clients["one"].get(path).content.decode()
    load(example_data({("S-07-0001", 28): 149.0}, committee=True))
    assert "Marrow blasts of day 28" not in clients["one"].get(path).content.decode()
    assert Draft.objects.values_list("call", "first", "notice").get() == ("NR", "", "")


def test_a_query_of_a_case_that_is_no_longer_there_keeps_no_lock_open() -> None:
    """S-11-0003 is gone from the second cut, and is no row of the third: nobody could answer."""
    from cartrial.review.app.state import open_queries
    from cartrial.sdtm import Source

    clients = open_world("seated")
    clients["one"].post(f"/case/{codes()['S-11-0003']}/27/ask/", {"text": "is there a later sample"})
    data = example_data(committee=True)
    kept = {name: frame.filter(frame["USUBJID"] != "S-11-0003") for name, frame in data.source.domains.items()}
    less = type(data)(data.study, Source(kept), data.findings)
    assert load(less)["gone"] == 1 and len(open_queries()) == 1
    assert "gone" not in load(less) and open_queries() == set()
    assert "no longer there" in clients["co"].get("/queries/").content.decode()


@pytest.fixture(scope="module")
def finished() -> None:
    """A locked workspace with everything in it: reads, a decision, a query with its answer, somebody who left."""
    clients = open_world("read")
    from cartrial.review.app.acts.people import disable_person
    from cartrial.review.app.acts.verify import find_damage
    from cartrial.review.app.models import Person

    code, one = codes()["S-07-0001"], Person.objects.get(username="one").pk
    clients["one"].post(f"/case/{code}/28/ask/", {"text": "was the marrow taken"})
    assert clients["co"].post(f"/queries/{code}/28/{one}/", {"text": "it was"}).status_code == 302
    for user, kind in (("co", "lock"), ("mo", "confirm")):
        assert clients[user].post("/lock/", {"kind": kind, "reason": "analysis", "name": user, "password": PASSWORD}).status_code == 302
    disable_person("spare", "left", "test")
    assert find_damage() == []
    store().keep("finished")


CHANGED = (
    ("UPDATE review_case SET subject_id = 1 + subject_id % 3 WHERE id = 1", "are of other subjects"),
    ("UPDATE review_subject SET digest = 'x' WHERE id = 1", "are of other subjects"),
    ("UPDATE review_loaded SET salt = '00'", "is not what was loaded"),
    ("UPDATE review_read SET signed = '2020-01-01 00:00:00' WHERE id = 1", "is not what was signed"),
    ("DELETE FROM review_message", "wrote is missing"),
    ("UPDATE review_message SET kind = 'answer'", "is not what was written"),
    ("UPDATE review_message SET case_id = case_id + 1", "is not what was written"),
    ("UPDATE review_lockstep SET reason = 'other' WHERE kind = 'lock'", "is not what was signed"),
    ("UPDATE review_lockstep SET person_id = 1 WHERE kind = 'lock'", "is not what was signed"),
    ("UPDATE review_lockstep SET document = 'none' WHERE kind = 'lock'", "is not what was signed"),
    ("UPDATE review_seat SET reason = 'other'", "is not what was given"),
    ("UPDATE review_person SET is_active = 1 WHERE username = 'spare'", "is not as was added"),
    ("DELETE FROM review_person WHERE username = 'spare'", "is missing"),
    ("UPDATE review_event SET detail = 'none' WHERE kind = 'signed'", "was changed"),
    ("UPDATE review_event SET detail = '[]' WHERE kind IN ('loaded', 'user-added', 'user-disabled', 'lock', 'query')", "was changed"),
    ("UPDATE review_head SET at = '2099-01-01'", "another time"),
)


@pytest.mark.parametrize(("statement", "words"), CHANGED)
def test_a_changed_row_of_a_finished_workspace_is_found(statement: str, words: str, finished: None) -> None:
    from cartrial.review.app.acts.verify import find_damage

    store().bring("finished")
    store().free(statement)
    assert any(words in line for line in find_damage()), find_damage()


def test_what_is_asked_again_after_a_later_cut_is_of_subjects_that_are_new_with_it() -> None:
    """A charter that asks again from the second cut on, of subjects that were all there before: a code that came now would tell."""
    from cartrial.review.app.models import Again

    open_world("seated")
    load(with_charter(example_data(committee=True), re_read={"share": 1.0}))
    assert Again.objects.count() == 0


def test_files_of_something_else_are_left_as_they_are_and_what_cannot_be_loaded_leaves_none(tmp_path: Path) -> None:
    other, empty, none = tmp_path / "other.db", tmp_path / "empty.db", tmp_path / "none.db"
    with sqlite3.connect(other) as link:
        link.execute("CREATE TABLE patients (name TEXT)")
    empty.touch()
    before = other.read_bytes()
    for arguments in (
        ("verify", "--db", str(other)),
        ("verify", "--db", str(empty)),
        ("restore", "--from", str(other), "--db", str(none)),
        ("serve", "inaticel", "--db", str(none), "--data", str(tmp_path / "nothing")),
        ("serve", "inaticel", "--db", str(none)),
    ):
        assert run_cli("review", *arguments)[0] == 2, arguments
    assert other.read_bytes() == before and not none.exists() and empty.stat().st_size == 0


@pytest.mark.shows("CMD-review-serve")
def test_one_proxy_is_believed_and_one_host_is_asked_for(tmp_path: Path) -> None:
    """A star stands for everybody in the server's library and in Django: headers of anybody would be believed, any host served."""
    db = str(tmp_path / "none.db")
    for proxy, host in (("*", "review.example"), ("proxy.example", "review.example"), ("10.0.0.5", "*"), ("10.0.0.5", ".example")):
        code, _, err = run_cli("review", "serve", "inaticel", "--db", db, "--behind-proxy", proxy, "--host-name", host)
        assert code == 2 and ("no address" in err or "no name of a host" in err), (proxy, host)


@pytest.mark.shows("CMD-review-verify")
def test_seals_and_dates_of_another_kind_are_said_in_one_message(tmp_path: Path) -> None:
    from cartrial.review.app.acts.trail import check_chain
    from cartrial.review.app.serve import open_store

    db, seals = tmp_path / "review.db", tmp_path / "seals.txt"
    open_store(str(db), must_exist=False)
    seals.write_bytes(b"\xff\xfe\x00")
    assert run_cli("review", "verify", "--db", str(db), "--seals", str(seals))[0] == 2
    assert [line for line in check_chain(["2026-12-01 ² abc"]) if "is no seal" in line]
    for at, code in (("yesterday", 2), ("2026-13-45", 2), ("2026-12-01", 0)):
        assert run_cli("review", "users", "list", "--db", str(db), "--at", at)[0] == code
