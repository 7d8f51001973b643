"""Reads, signatures and the trail, through the pages.

Origin of every expectation: `by hand`, from the research's data contract, its blinding matrix and 21 CFR 11 as it is named there.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from review_example import PASSWORD, SEAT, TRIAL, codes, example_data, load, open_world, read_all, sign

pytestmark = pytest.mark.usefixtures("each_store")


@pytest.fixture
def clients(each_store: str) -> dict[str, Any]:
    """Everybody signed in to a workspace with the small trial."""
    return open_world("seated")


def paths(client: Any, url: str = "/") -> list[str]:
    return re.findall(r'href="(/(?:case|adjudication)/[^"]+)"', client.get(url).content.decode())


def first_path() -> str:
    return f"/case/{codes()['S-07-0001']}/28/"


@pytest.mark.slow
def test_a_case_opens_when_the_one_before_it_is_signed(clients: dict[str, Any]) -> None:
    assert sorted(path.split("/")[-2] for path in paths(clients["one"])) == ["27", "28", "29"]
    later = f"/case/{codes()['S-07-0001']}/90/"
    assert clients["one"].get(later).status_code == 404
    assert sign(clients["one"], "one", first_path(), "CR").status_code == 302
    assert clients["one"].get(later).status_code == 200
    assert clients["two"].get(later).status_code == 404


def test_a_signature_says_who_when_what_and_why_and_leaves_an_event(clients: dict[str, Any]) -> None:
    from cartrial.review.app.acts.verify import find_damage
    from cartrial.review.app.models import Event, Read

    sign(clients["one"], "one", first_path(), "CR", reason="all recovered")
    read = Read.objects.get()
    detail = json.loads(Event.objects.get(pk=read.event).detail)
    assert (read.call, read.seat, read.version, read.person.username) == ("CR", 1, 1, "one")
    assert detail["name"] == "Dr A. Eins" and "without knowledge of other assessments" in detail["meaning"]
    assert detail["digest"] == read.shown.digest and detail["reason"] == "all recovered"
    assert find_damage() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"password": "wrong"}, "This is not your password."),
        ({"name": "two"}, "both are asked at the first signature"),
        ({"call": "SD"}, "Choose a status."),
        ({"call": "NE", "reason": " "}, "Say why it cannot be evaluated."),
        ({"call": "NR", "reason": ""}, "Change the call, or say why it stands."),
    ],
)
def test_a_signature_is_refused_in_words(more: dict[str, str], words: str, clients: dict[str, Any]) -> None:
    from cartrial.review.app.models import Read

    fields = {"call": "CR", "reason": "x", **more}
    answer = sign(clients["one"], "one", first_path(), fields.pop("call"), **fields)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Read.objects.exists()


@pytest.mark.slow
def test_later_signatures_of_a_session_ask_the_password_alone(clients: dict[str, Any]) -> None:
    assert sign(clients["one"], "one", first_path(), "CR").status_code == 302
    later = f"/case/{codes()['S-07-0001']}/90/"
    assert 'name="name"' not in clients["one"].get(later).content.decode()
    assert sign(clients["one"], "one", later, "CRi", name="").status_code == 302


def test_a_signed_call_is_changed_by_a_new_version_with_a_reason(clients: dict[str, Any]) -> None:
    from cartrial.review.app.models import Read

    path = first_path()
    sign(clients["one"], "one", path, "CR")
    assert sign(clients["one"], "one", path, "CRi").status_code == 422
    assert sign(clients["one"], "one", path, "CR", changed="again").status_code == 409
    assert sign(clients["one"], "one", path, "CRi", changed="platelets misread").status_code == 302
    assert list(Read.objects.order_by("version").values_list("version", "call")) == [(1, "CR"), (2, "CRi")]


def test_the_difference_is_said_after_the_call_and_kept_with_the_call_before(clients: dict[str, Any]) -> None:
    from cartrial.review.app.models import Read

    path = first_path()
    assert "needs" not in clients["one"].get(path).content.decode().split('id="draft"')[1].split("</div>")[0]
    answer = clients["one"].post(f"{path}draft/", {"call": "CRi", "reason": "", "revision": "0"})
    assert answer.status_code == 200 and "Platelets of day 28 are 150" in answer.content.decode()
    assert sign(clients["one"], "one", path, "CR", reason="").status_code == 302
    read = Read.objects.get()
    assert (read.first, read.call) == ("CRi", "CR") and "Platelets of day 28" in read.notice


@pytest.mark.slow
def test_a_draft_of_an_older_window_is_refused_and_none_is_lost(clients: dict[str, Any]) -> None:
    from cartrial.review.app.models import Draft

    path = f"{first_path()}draft/"
    assert clients["one"].post(path, {"call": "CR", "reason": "a", "revision": "0"}).status_code == 200
    assert clients["one"].post(path, {"call": "NR", "reason": "b", "revision": "0"}).status_code == 409
    assert clients["one"].post(path, {"call": "CR", "reason": "c", "revision": "1"}).status_code == 200
    assert Draft.objects.get().reason == "c"


@pytest.mark.slow
def test_a_page_of_findings_that_have_changed_since_is_not_signed(clients: dict[str, Any]) -> None:
    path = first_path()
    page = clients["one"].get(path).content.decode()
    digest = re.search(r'name="digest" value="([^"]*)"', page)[1]  # type: ignore[index]
    load(example_data({("S-07-0001", 28): 149.0}))
    fields = {"digest": digest, "version": "1", "call": "CR", "reason": "", "name": "one", "password": PASSWORD}
    assert clients["one"].post(path, fields).status_code == 409


@pytest.mark.slow
def test_a_changed_finding_asks_for_the_signed_read_again(clients: dict[str, Any]) -> None:
    read_all(clients)
    load(example_data({("S-07-0001", 28): 149.0}))
    page = clients["one"].get("/").content.decode()
    assert page.count("<b>To read again</b>") == 1
    assert sign(clients["one"], "one", first_path(), "CR", reason="x", changed="platelets corrected").status_code == 302
    assert "To read again" not in clients["one"].get("/").content.decode()


def test_two_readers_sign_one_case_and_one_reader_in_two_windows_signs_it_once(clients: dict[str, Any]) -> None:
    from cartrial.review.app.acts.signing import Asked, Refused, sign_read
    from cartrial.review.app.models import Person, Read, Shown

    shown = Shown.objects.get(case__subject__code=codes()["S-07-0001"], day=28)
    asked = Asked("CR", "", "", shown.digest, 1)
    for seat, user in SEAT.items():
        sign_read(Person.objects.get(username=user), shown, seat, asked)
    with pytest.raises(Refused, match="another window"):
        sign_read(Person.objects.get(username="one"), shown, 1, Asked("NR", "", "", shown.digest, 1))
    assert Read.objects.count() == 2


@pytest.mark.slow
def test_a_query_is_asked_and_answered(clients: dict[str, Any]) -> None:
    path = first_path()
    clients["one"].post(f"{path}ask/", {"text": "Where is the marrow report?"})
    assert "Where is the marrow report?" in clients["co"].get("/queries/").content.decode()
    assert "Where is the marrow report?" not in clients["two"].get("/queries/").content.decode()
    url = re.search(r'action="(/queries/[^"]+)"', clients["co"].get("/queries/").content.decode())[1]  # type: ignore[index]
    assert clients["co"].post(url, {"text": "It was lost."}).status_code == 302
    assert "It was lost." in clients["one"].get("/queries/").content.decode()


def test_an_adjudicator_decides_between_two_unnamed_reads(clients: dict[str, Any]) -> None:
    """One case of the small trial differs: day 29 of the second subject. What he is shown names nobody and no seat."""
    assert paths(clients["three"]) == []
    read_all(clients)
    path = f"/adjudication/{codes()['S-07-0002']}/29/"
    assert paths(clients["three"]) == [path]
    page = clients["three"].get(path).content.decode()
    assert not [word for word in ("Eins", "Zwei", "READER", "reader 1", "reader 2", "S-07") if word in page]
    assert sign(clients["three"], "three", path, "CR", reason="").status_code == 422
    assert sign(clients["three"], "three", path, "CR").status_code == 302
    assert "Settled: 6" in clients["co"].get("/progress/").content.decode()


@pytest.mark.slow
def test_an_adjudication_falls_when_a_read_under_it_is_changed(clients: dict[str, Any]) -> None:
    """A1 and the safest reading: the adjudicator decided between other reads. It is asked again, and its decision counts no more."""
    read_all(clients)
    path = f"/adjudication/{codes()['S-07-0002']}/29/"
    sign(clients["three"], "three", path, "CR")
    sign(clients["two"], "two", path.replace("adjudication", "case"), "PD", changed="blasts counted anew")
    assert "To be adjudicated: 1" in clients["co"].get("/progress/").content.decode()
    assert sign(clients["three"], "three", path, "NR", changed="reads changed").status_code == 302
    assert "Settled: 6" in clients["co"].get("/progress/").content.decode()


@pytest.mark.slow
def test_names_and_calls_of_the_small_trial_are_complete(clients: dict[str, Any]) -> None:
    """Both readers of six cases: twelve reads, each as it was meant."""
    from cartrial.review.app.models import Read

    read_all(clients)
    name = {code: subject for subject, code in codes().items()}
    found = {
        (name[read.case.subject.code], read.shown.day, read.seat): read.call
        for read in Read.objects.select_related("case__subject", "shown")
    }
    wanted = {
        (subject, day, seat): calls[seat - 1] for subject, days in TRIAL.items() for day, (_, _, _, *calls) in days.items() for seat in SEAT
    }
    assert found == wanted
