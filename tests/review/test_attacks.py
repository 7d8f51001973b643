"""What is refused, and what is found: other readers' pages, forged requests, guessed passwords, changed rows.

Origin of every expectation: `by hand`, the issue's list of attacks and the research's threats.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from review_example import PASSWORD, PEOPLE, add_people, codes, example_data, load, open_empty, open_world, sign
from review_stores import OWNER, SERVER, cluster, store, use_store

pytestmark = pytest.mark.usefixtures("each_store")

PLACES = (
    "/",
    "/progress/",
    "/concordance/",
    "/trail/",
    "/seats/",
    "/users/",
    "/lock/",
    "/queries/",
    "/password/",
    "/static/review/review.css",
)
SEEN = {
    **{"reader": {"/", "/queries/", "/password/"}, "adjudicator": {"/", "/password/"}},
    "coordinator": {"/", "/progress/", "/concordance/", "/seats/", "/lock/", "/queries/", "/password/"},
    **{"monitor": {"/", "/progress/", "/lock/", "/password/"}, "auditor": {"/", "/progress/", "/concordance/", "/trail/", "/password/"}},
    "administrator": {"/", "/users/", "/password/"},
}


@pytest.fixture
def clients(each_store: str) -> dict[str, Any]:
    """Everybody signed in to a workspace with the small trial."""
    return open_world("seated")


@pytest.mark.slow
def test_a_page_is_there_for_its_roles_and_for_nobody_else(clients: dict[str, Any]) -> None:
    for user, (_, role) in PEOPLE.items():
        found = {place for place in PLACES[:-1] if clients[user].get(place).status_code == 200}
        assert found == SEEN[role], user
        case = f"/case/{codes()['S-07-0001']}/28/"
        assert (clients[user].get(case).status_code == 200) == (user in ("one", "two")), user
        assert (clients[user].post(f"{case}draft/", {"call": "CR", "revision": "0"}).status_code == 404) == (user not in ("one", "two"))


@pytest.mark.slow
def test_every_page_asks_who_is_there() -> None:
    """From the list of addresses itself: each sends a stranger to the log-in, but the log-in."""
    from django.test import Client

    open_empty()
    load(example_data())
    from cartrial.review.app.urls import urlpatterns

    for pattern in urlpatterns:
        url = "/" + re.sub(r"<(int|day):\w+>", "28", str(pattern.pattern).replace("<str:code>", "S-001"))
        answer = Client().get(url)
        assert answer.status_code == (200 if url == "/login/" else 302), url


def test_a_case_that_is_anothers_is_as_one_that_does_not_exist(clients: dict[str, Any]) -> None:
    code = codes()["S-07-0001"]
    answers = [
        clients["spare"].get(path) for path in (f"/case/{code}/28/", f"/case/{code}/29/", "/case/S-999/28/", "/adjudication/S-001/28/")
    ]
    assert {answer.status_code for answer in answers} == {404} and len({masked(answer.content) for answer in answers}) == 1


def masked(page: bytes) -> bytes:
    """Return a page without the token of its forms, which is another each time."""
    return re.sub(rb'(csrfmiddlewaretoken" value=")[^"]+', rb"\1", page)


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"HTTP_ORIGIN": "https://evil.example"}])
def test_a_form_from_elsewhere_is_refused(more: dict[str, str], clients: dict[str, Any]) -> None:
    client = signed_in_checked("one")
    answer = client.post(f"/case/{codes()['S-07-0001']}/28/", {"call": "CR"}, **more)
    assert answer.status_code == 403


def signed_in_checked(user: str) -> Any:
    """Sign in with a client whose forms are checked, with the token of the page."""
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', client.get("/login/").content.decode())[1]  # type: ignore[index]
    assert client.post("/login/", {"username": user, "password": PASSWORD, "csrfmiddlewaretoken": token}).status_code == 302
    return client


@pytest.mark.slow
def test_a_planted_session_is_not_the_one_after_the_log_in(clients: dict[str, Any]) -> None:
    from django.test import Client

    client = Client()
    client.cookies["review"] = "plantedplantedplantedplanted1234"
    client.post("/login/", {"username": "one", "password": PASSWORD})
    assert client.cookies["review"].value != "plantedplantedplantedplanted1234"
    assert client.cookies["review"]["httponly"] and client.cookies["review"]["samesite"] == "Strict"


@pytest.mark.slow
def test_five_wrong_passwords_lock_the_name_at_the_address_whatever_a_header_says() -> None:
    from django.test import Client

    open_empty()
    add_people()
    for i in range(5):
        Client(HTTP_X_FORWARDED_FOR=f"10.0.0.{i}").post("/login/", {"username": "one", "password": "wrong"})
    answer = Client(HTTP_X_FORWARDED_FOR="10.9.9.9").post("/login/", {"username": "one", "password": PASSWORD})
    assert answer.status_code == 429 and "Too many wrong passwords" in answer.content.decode()
    assert Client().post("/login/", {"username": "two", "password": PASSWORD}).status_code == 302


@pytest.mark.slow
def test_guesses_at_a_signature_count_too(clients: dict[str, Any]) -> None:
    path = f"/case/{codes()['S-07-0001']}/28/"
    for _ in range(5):
        sign(clients["one"], "one", path, "CR", password="wrong")
    assert sign(clients["one"], "one", path, "CR").status_code == 429


@pytest.mark.slow
def test_script_and_sql_in_every_field_are_text(clients: dict[str, Any]) -> None:
    bad = "<script>alert(1)</script>'; DROP TABLE review_read; --"
    path = f"/case/{codes()['S-07-0001']}/28/"
    assert sign(clients["one"], "one", path, "CR", reason=bad).status_code == 302
    clients["one"].post(f"{path}ask/", {"text": bad})
    for user, place in (("one", path), ("one", "/queries/"), ("co", "/queries/"), ("au", "/trail/")):
        page = clients[user].get(place).content.decode()
        assert "<script>alert" not in page and "&lt;script&gt;" in page, place
    for place in ("/case/%27%20OR%201=1--/28/", "/trail/?kind=%27--", "/trail/?page=x"):
        assert clients["au"].get(place).status_code in (200, 404)
    assert sign(clients["one"], "one", path, bad, changed="x").status_code == 422


def test_no_page_allows_script_or_style_that_stands_in_it(clients: dict[str, Any]) -> None:
    for user, place in (("one", f"/case/{codes()['S-07-0001']}/28/"), ("one", "/"), ("au", "/trail/"), ("co", "/lock/")):
        answer = clients[user].get(place)
        policy, page = answer.headers["Content-Security-Policy"], answer.content.decode()
        assert "default-src 'none'" in policy and "unsafe" not in policy and answer.headers["Cache-Control"] == "no-store"
        assert not re.search(r"\sstyle=|<style|\son\w+=", page)
        assert all('src="' in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", page))


def test_a_session_that_is_over_keeps_the_text_and_sends_no_log_in_page_into_a_form(clients: dict[str, Any]) -> None:
    from django.test import Client

    answer = Client().post(f"/case/{codes()['S-07-0001']}/28/draft/", {"call": "CR"}, HTTP_HX_REQUEST="true")
    assert answer.status_code == 401 and "Your text is still here" in answer.content.decode() and "<form" not in answer.content.decode()


@pytest.mark.slow
def test_a_session_ends_after_twelve_hours_however_busy(clients: dict[str, Any]) -> None:
    client = clients["one"]
    session = client.session
    session["began"] -= 12 * 3600 + 1
    session.save()
    assert client.get("/").status_code == 302


@pytest.mark.slow
def test_a_session_that_is_used_lives_for_half_an_hour_after_its_last_minute(clients: dict[str, Any]) -> None:
    """By hand: who asks again after a minute has thirty minutes from then; who rested for thirty is sent to the log-in."""
    import datetime as dt

    from django.contrib.sessions.models import Session

    def left() -> float:
        ends = Session.objects.get(pk=clients["one"].cookies["review"].value).expire_date
        return (ends - dt.datetime.now(dt.UTC)).total_seconds() / 60

    def rest(minutes: float) -> None:
        key = clients["one"].cookies["review"].value
        ends = Session.objects.get(pk=key).expire_date - dt.timedelta(minutes=minutes)
        Session.objects.filter(pk=key).update(expire_date=ends)
        session = clients["one"].session
        session["seen"] = session.get("seen", 0) - 60 * minutes
        Session.objects.filter(pk=key).update(session_data=session.encode(dict(session)))

    clients["one"].get("/")
    rest(28)
    assert left() < 2.1
    assert clients["one"].get("/").status_code == 200 and left() > 29
    rest(30)
    assert clients["one"].get("/").status_code == 302


@pytest.mark.slow
def test_a_given_password_is_changed_before_anything_else(clients: dict[str, Any]) -> None:
    from cartrial.review.app.models import Person

    Person.objects.filter(username="one").update(own_password=False)
    client = clients["one"]
    assert client.get("/").headers["Location"] == "/password/"
    weak = client.post("/password/", {"old_password": PASSWORD, "new_password1": "password1234", "new_password2": "password1234"})
    assert weak.status_code == 200 and "too common" in weak.content.decode()
    good = {"old_password": PASSWORD, "new_password1": "words that nobody guesses", "new_password2": "words that nobody guesses"}
    assert client.post("/password/", good).status_code == 302 and client.get("/").status_code == 200


def _raw(statement: str) -> None:
    """Change the database as the server can: under the guards."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


TABLES = ("event", "read", "shown", "case", "subject", "loaded", "seat")


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_the_database_refuses_to_change_or_remove_what_is_kept(table: str, each_store: str, clients: dict[str, Any]) -> None:
    from django.db import DatabaseError

    sign(clients["one"], "one", f"/case/{codes()['S-07-0001']}/28/", "CR")
    for statement in (f"UPDATE review_{table} SET {'number = number' if table == 'event' else 'id = id'}", f"DELETE FROM review_{table}"):
        with pytest.raises(DatabaseError, match="permission denied" if each_store == "postgresql" else "only added"):
            _raw(statement)


@pytest.mark.slow
def test_on_a_server_the_role_that_owns_the_tables_is_refused_too_and_the_other_cannot_take_the_guards_away() -> None:
    """By hand: the owner meets the guards, TRUNCATE among them; the lesser role of `cartrial review role` may touch none."""
    import psycopg

    made = cluster()
    use_store("postgresql")
    clients = open_world("seated")
    sign(clients["one"], "one", f"/case/{codes()['S-07-0001']}/28/", "CR")
    use_store("sqlite")
    name = "UPDATE review_person SET full_name = 'Dr N. Other' WHERE username = 'one'"
    for role, statement, words in (
        (OWNER, "UPDATE review_read SET call = 'NR'", "rows of read are only added"),
        (OWNER, "DELETE FROM review_event", "rows of event are only added"),
        (OWNER, "TRUNCATE review_read", "rows of read are only added"),
        (OWNER, name, "as they were added"),
        (SERVER, name, "as they were added"),
        (SERVER, "DELETE FROM review_person", "permission denied"),
        (SERVER, "TRUNCATE review_event", "permission denied"),
        (SERVER, "ALTER TABLE review_read DISABLE TRIGGER ALL", "must be owner"),
        (SERVER, "DROP TRIGGER read_no_update ON review_read", "must be owner"),
        (SERVER, "DROP TABLE review_read", "must be owner"),
        (SERVER, "SET session_replication_role = replica", "permission denied"),
        (SERVER, "CREATE TABLE other (a integer)", "permission denied"),
    ):
        with psycopg.connect(made.url("review", role), autocommit=True) as link, pytest.raises(psycopg.Error, match=words):
            link.execute(statement)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE review_read SET call = 'NR'", "is not what was signed"),
        ("UPDATE review_event SET detail = replace(detail, 'CR', 'NR') WHERE kind = 'signed'", "was changed"),
        ("DELETE FROM review_event WHERE number = 5", "Event 5 is missing"),
        ("DELETE FROM review_event WHERE number = (SELECT max(number) FROM review_event)", "its head says"),
        ("DELETE FROM review_read", "is missing"),
        ("UPDATE review_shown SET evidence = replace(evidence, '150', '90')", "were changed"),
        ("UPDATE review_shown SET derived = 'NR'", "are not those that were loaded"),
        ("UPDATE review_seat SET seat = seat + 1", "is not what was given"),
        ("UPDATE review_person SET role = 'auditor' WHERE username = 'one'", "is not as was added"),
    ],
)
def test_a_changed_row_is_found(statement: str, words: str, clients: dict[str, Any]) -> None:
    from cartrial.review.app.acts.verify import find_damage

    sign(clients["one"], "one", f"/case/{codes()['S-07-0001']}/28/", "CR")
    assert find_damage() == []
    store().free(statement)
    assert any(words in line for line in find_damage()), find_damage()


@pytest.mark.slow
def test_a_guard_that_was_taken_away_is_found(clients: dict[str, Any]) -> None:
    from cartrial.review.app.acts.verify import find_damage

    store().drop_guard("review_read", "read_no_update")
    assert find_damage() == ["The guard of the table read is missing."]


def test_a_chain_written_anew_is_found_against_a_seal_alone(clients: dict[str, Any]) -> None:
    """All events and the read are changed with digests that fit: only a line that somebody else keeps shows it."""
    from cartrial.review.app.acts import trail, verify
    from cartrial.review.app.models import Event, Head

    sign(clients["one"], "one", f"/case/{codes()['S-07-0001']}/28/", "CR")
    seal = trail.seal_line()
    assert verify.find_damage([seal]) == []
    before = trail.FIRST
    for event in Event.objects.order_by("number"):
        detail = event.detail.replace('"call":"CR"', '"call":"NR"')
        digest = trail._digest(event.number, event.at, event.who, event.role, event.kind, detail, before)
        text = detail.replace("'", "''")
        store().free(f"UPDATE review_event SET detail = '{text}', before = '{before}', digest = '{digest}' WHERE number = {event.number}")
        before = digest
    Head.objects.update(digest=before)
    store().free("UPDATE review_read SET call = 'NR'")
    assert verify.find_damage() == []
    assert any("was written anew" in line for line in verify.find_damage([seal]))


@pytest.mark.slow
def test_a_clock_that_is_set_back_is_an_event_and_time_never_goes_back(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime as dt

    from cartrial.review.app.acts import trail
    from cartrial.review.app.models import Event

    monkeypatch.setattr(trail, "now_utc", lambda: dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
    clients["one"].get(f"/case/{codes()['S-07-0001']}/28/")
    assert Event.objects.filter(kind="clock-back").count() == 1
    times = list(Event.objects.order_by("number").values_list("at", flat=True))
    assert times == sorted(times) and trail.check_chain() == []


@pytest.mark.slow
def test_no_byte_a_reader_gets_depends_on_what_the_other_did(clients: dict[str, Any]) -> None:
    """Two worlds: reader 2 has signed nothing, or everything, with an adjudication after it. Every page of reader 1 is the same."""

    def crawl() -> dict[str, bytes]:
        seen: dict[str, bytes] = {}
        todo = ["/", "/queries/", "/password/"]
        while todo:
            url = todo.pop()
            page = masked(clients["one"].get(url).content)
            seen[url] = page
            todo += [found for found in re.findall(r'href="(/case/[^"]+)"', page.decode()) if found not in seen and found not in todo]
        return seen

    for name, day, call in (("S-07-0001", 28, "CR"), ("S-07-0002", 29, "CR")):
        assert sign(clients["one"], "one", f"/case/{codes()[name]}/{day}/", call).status_code == 302
    clients["one"].get("/")
    before = crawl()
    path = f"/case/{codes()['S-07-0002']}/29/"
    assert sign(clients["two"], "two", path, "NR").status_code == 302
    assert sign(clients["three"], "three", path.replace("case", "adjudication"), "NR").status_code == 302
    assert crawl() == before and len(before) == 8


@pytest.mark.slow
def test_nothing_that_a_reader_must_not_know_is_in_the_database() -> None:
    """The file is searched for cells of the product, the investigator's calls, site, sex, dates of the trial and keys of subjects."""
    open_empty()
    load(example_data(committee=True))
    text = store().text()
    assert not [
        word
        for word in (b"4.71147", b"CARTG", b"INDETERMINATE", b"SITE-7734", b"S-07-", b"S-11-", b"2022-01-01", b"2022-01-29")
        if word in text
    ]


def test_behind_a_proxy_cookies_are_bound_to_the_host_and_go_by_tls_alone() -> None:
    pytest.importorskip("django")
    from cartrial.review.app.setup import Place, _settings

    found = _settings(Place(":memory:", "k" * 60, ("review.example",), True), False)
    assert found["SESSION_COOKIE_NAME"] == "__Host-review" and found["SESSION_COOKIE_SECURE"] and found["CSRF_COOKIE_SECURE"]
    assert found["SECURE_SSL_REDIRECT"] and found["SECURE_HSTS_SECONDS"] >= 31_536_000 and found["ALLOWED_HOSTS"] == ["review.example"]
    assert not found["DEBUG"] and found["PASSWORD_HASHERS"] == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


@pytest.mark.slow
def test_the_workspace_asks_django_whether_it_may_be_deployed() -> None:
    """`check --deploy` of Django with the settings behind a proxy, in a process of its own: nothing to say."""
    import subprocess
    import sys

    script = """
import django
from django.conf import settings
from cartrial.review.app.setup import Place, _settings
settings.configure(**_settings(Place(":memory:", "k%9x_" * 12 + "abcdefgh", ("review.example",), True), False))
django.setup()
from django.core.management import call_command
call_command("check", "--deploy", "--fail-level", "WARNING")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_django_is_imported_by_the_workspace_alone() -> None:
    import cartrial

    package = Path(cartrial.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^(from|import) django", path.read_text(encoding="utf-8"), re.M)
    }
    assert found and all(name.startswith("review/app/") for name in found), found


def test_each_guard_and_each_role_in_short(each_store: str, clients: dict[str, Any]) -> None:
    """The small sibling of the long lists: a page of each role, a row that is refused, one that is found."""
    from django.db import DatabaseError

    from cartrial.review.app.acts.verify import find_damage
    from cartrial.review.app.models import Read

    path = f"/case/{codes()['S-07-0001']}/28/"
    assert [clients[user].get(path).status_code for user in ("one", "spare", "co", "ad")] == [200, 404, 404, 404]
    assert [clients[user].get("/trail/").status_code for user in ("au", "mo")] == [200, 404]
    assert sign(clients["one"], "one", path, "CR", password="wrong").status_code == 422
    assert sign(clients["one"], "one", path, "CR").status_code == 302
    with pytest.raises(DatabaseError, match="permission denied" if each_store == "postgresql" else "only added"):
        _raw("DELETE FROM review_read")
    event = Read.objects.get().event
    store().free("UPDATE review_read SET call = 'NR'")
    assert find_damage() == [f"The read of event {event} is not what was signed."]
