"""Readers practise on virtual patients, in a workspace of their own.

Origin of every expectation: `by hand`, from the small trial, whose values are CR, CRi, RELAPSE, CR, CR and NR. The exact
limits of 5 in 6 solve 6p^5(1-p) + p^6 = 0.025 and p^6 = 0.975: 0.3588 and 0.9958.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from cartrial.errors import InputError
from cartrial.review.practice import bring_practice, practice_study
from helpers import run_cli
from review_example import PASSWORD, add_people, example_data, load, open_empty, sign, signed_in, with_charter

KNOWN = {28: "CR", 90: "CRi", 180: "RELAPSE", 29: "CR", 91: "CR", 27: "NR"}


def world(**keys: Any) -> dict[str, Any]:
    """Return clients of a workspace in which the small trial stands for virtual patients."""
    open_empty()
    from cartrial.review.app.acts.loading import Cut, find_changes, keep_cut
    from cartrial.review.app.state import use_study

    data = with_charter(example_data(committee=True), **keys)
    brought = bring_practice(data.study, data)
    cut = Cut(brought.study, brought.cases, [], brought.replaced)
    keep_cut(cut, find_changes(cut), "test")
    use_study(practice_study(data.study))
    add_people()
    return {user: signed_in(user) for user in ("one", "two", "spare", "co", "ad", "three", "mo", "au")}


def cases_of(client: Any) -> list[tuple[str, int]]:
    found = re.findall(r'<th scope="row">(?:<a [^>]*>)?(S-\d+), day (\d+)', client.get("/").content.decode())
    return [(code, int(day)) for code, day in found]


def read(client: Any, user: str, calls: dict[int, str]) -> None:
    for code, day in cases_of(client):
        answer = sign(client, user, f"/case/{code}/{day}/", calls[day])
        assert answer.status_code == 302, (day, answer.content.decode()[:2000])


@pytest.mark.shows("STUDY-review.practice", "STUDY-review.practice.agreement")
def test_a_reader_reads_all_alone_and_sees_the_result_when_the_last_case_is_signed() -> None:
    clients = world(practice={"agreement": 0.8})
    assert len(cases_of(clients["one"])) == len(cases_of(clients["spare"])) == 6
    page = clients["one"].get("/").content.decode()
    assert "PRACTICE: virtual patients" in page
    assert "0 of 6 cases signed" in clients["one"].get("/results/").content.decode()
    read(clients["one"], "one", KNOWN | {90: "CR"})
    own = clients["one"].get("/results/").content.decode()
    for words in ("5 of 6 calls right: <b>0.833</b>", "0.359 to 0.996", "asks for 80 % of right calls: Dr A. Eins qualifies", "Known</th>"):
        assert words in own, words
    assert re.search(r"day 90</a></th><td>CRi</td><td>CR</td>", own)
    # others' results are the coordinator's alone, and a call that is changed once the truth is known proves nothing
    code = next(code for code, day in cases_of(clients["one"]) if day == 90)
    assert sign(clients["one"], "one", f"/case/{code}/90/", "CRi", changed="seen").status_code == 302
    assert "5 of 6 calls right" in clients["co"].get("/").content.decode()
    assert "Dr A. Eins" not in clients["two"].get("/results/").content.decode()
    assert "0 of 6 cases signed" in clients["two"].get("/results/").content.decode()


def test_practice_has_no_lock_no_seats_no_adjudication_and_says_nothing_of_limits() -> None:
    clients = world()
    for user in clients:
        for place in ("/lock/", "/seats/", "/concordance/", "/progress/"):
            assert clients[user].get(place).status_code == 404, (user, place)
    code, day = cases_of(clients["one"])[0]
    path = f"/case/{code}/{day}/"
    draft = clients["one"].post(f"{path}draft/", {"call": "NE" if KNOWN[day] != "NE" else "CR", "reason": "", "revision": "0"})
    assert draft.status_code == 200 and "Check before signing" not in draft.content.decode()


def test_practice_and_the_data_of_a_study_are_never_in_one_workspace() -> None:
    from cartrial.review.app.state import use_study
    from cartrial.study import Study

    world()
    with pytest.raises(InputError, match="never in one workspace"):
        load(example_data(committee=True))
    with pytest.raises(InputError):
        use_study(Study.load("inaticel"))
    open_empty()
    load(example_data(committee=True))
    with pytest.raises(InputError):
        use_study(practice_study(Study.load("inaticel")))
    from cartrial.review.app.acts.loading import Cut, keep_cut

    with pytest.raises(InputError, match="never in one workspace"):
        keep_cut(Cut(practice_study(Study.load("inaticel")), [], [], False), [], "test")


@pytest.mark.slow
@pytest.mark.shows("STUDY-review.practice.agreement")
def test_a_charter_without_a_limit_leaves_the_judgement_to_the_coordinator() -> None:
    clients = world()
    read(clients["two"], "two", KNOWN)
    page = clients["co"].get("/results/").content.decode()
    assert "6 of 6 calls right" in page and "the coordinator judges" in page and PASSWORD not in page


@pytest.mark.shows("CMD-review-practice")
def test_practice_asks_for_virtual_patients_and_says_where_there_are_none(tmp_path: Any) -> None:
    db = str(tmp_path / "p.db")
    for study, more, words in (("inaticel", [], "--virtual"), ("cnct19-nhl", ["--virtual"], "no virtual patients of lymphoma")):
        code, *said = run_cli("review", "practice", study, *more, "--db", db)
        assert code == 2 and words in " ".join(" ".join(map(str, said)).split()) and not list(tmp_path.iterdir()), said


@pytest.mark.slow
def test_virtual_patients_of_the_study_are_cases_with_a_known_status() -> None:
    from cartrial.run import simulate_data
    from cartrial.study import Study

    data = simulate_data("inaticel", n=6, seed=3)
    brought = bring_practice(Study.load("inaticel"), data)
    assert len(brought.cases) > 6 and all(case.derived for case in brought.cases)
    assert len({case.subject for case in brought.cases}) > 1
    again = bring_practice(Study.load("inaticel"), simulate_data("inaticel", n=6, seed=3))
    assert [case.digest for case in again.cases] == [case.digest for case in brought.cases]
