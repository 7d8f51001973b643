"""Cases that are asked again, and the filters of lists.

Origin of every expectation: `by hand`, from the small trial: three subjects with three, two and one case.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from review_example import PASSWORD, TRIAL, add_people, codes, example_data, load, open_empty, open_world, sign, signed_in, with_charter


@pytest.fixture(autouse=True)
def opened() -> None:
    """Django is set up before a test imports a table."""
    open_empty()


def world(share: float) -> dict[str, Any]:
    open_empty()
    load(with_charter(example_data(committee=True), re_read={"share": share}))
    add_people()
    give_seats_once()
    return {user: signed_in(user) for user in ("one", "two", "three", "co", "mo", "au")}


def give_seats_once() -> None:
    """As the coordinator does: the seats of the subjects alone; those of what is asked again follow."""
    from cartrial.review.app.acts.people import give_seat
    from cartrial.review.app.models import Person, Subject

    for subject in Subject.objects.filter(again=None):
        for seat, user in ((1, "one"), (2, "two")):
            give_seat(subject, seat, Person.objects.get(username=user), "", Person.objects.get(username="co"))


def cases_of(client: Any) -> list[str]:
    return re.findall(r'<th scope="row">(?:<a [^>]*>)?(S-\d+, day -?\d+)', client.get("/").content.decode())


def read_everything(client: Any, user: str, seat: int, again: str = "") -> None:
    """Sign every case of a reader as the small trial has it, by its days; `again`: other calls of what is asked again, by day 28."""
    known = {codes()[name]: name for name in TRIAL}
    from cartrial.review.app.models import Again

    same = {row.subject.code: row.of.code for row in Again.objects.select_related("subject", "of")}
    for case in cases_of(client):
        code, day = case.split(", day ")
        call = TRIAL[known[same.get(code, code)]][int(day)][2 + seat]
        changed = again if code in same and int(day) == 28 else ""
        assert sign(client, user, f"/case/{code}/{day}/", changed or call).status_code == 302, case


@pytest.mark.shows("STUDY-review.re-read", "STUDY-review.re-read.share")
def test_each_seat_is_asked_at_least_its_share_again_by_whole_subjects_under_codes_of_the_same_lot() -> None:
    from cartrial.review.app.acts.verify import find_damage
    from cartrial.review.app.models import Again, Subject

    clients = world(0.5)
    assert find_damage() == []
    for seat, user in ((1, "one"), (2, "two")):
        own = cases_of(clients[user])
        days = [int(case.split("day ")[1]) for case in own]
        agains = list(Again.objects.filter(seat=seat).select_related("subject", "of"))
        assert len(own) - 6 >= 3 and sorted(days) == sorted(day for name in names(agains) for day in TRIAL[name])
        # nothing on the list says which they are
        assert own == sorted(own, key=lambda case: (case.split(",")[0], int(case.split("day ")[1])))
    wanted = Subject.objects.count()
    assert sorted(Subject.objects.values_list("code", flat=True)) == [f"S-{i:03d}" for i in range(1, wanted + 1)]
    # the coordinator gives seats of subjects alone, and the list of progress has the committee's cases alone
    assert len(re.findall(r'<th scope="row">S-', clients["co"].get("/seats/").content.decode())) == 3
    assert len(re.findall(r'<th scope="row">S-', clients["co"].get("/progress/").content.decode())) == 6


def names(agains: list[Any]) -> list[str]:
    by_code = {code: name for name, code in codes().items()}
    return [*TRIAL, *(by_code[again.of.code] for again in agains)]


@pytest.mark.slow
def test_what_was_read_twice_is_compared_after_the_lock_and_exported_in_no_row() -> None:
    """Everything is asked again (share 1); reader 1 calls day 28 CR and then CRi: 5 of 6 agree. The lock waits for what is asked again."""
    import json

    from cartrial.review.app.models import LockStep

    clients = world(1.0)
    read_everything(clients["one"], "one", 1, again="CRi")
    said = clients["co"].get("/lock/").content.decode()
    assert "6 of 12 cases that are asked again are signed (<b>not met</b>)" in said
    read_everything(clients["two"], "two", 2)
    assert sign(clients["three"], "three", f"/adjudication/{codes()['S-07-0002']}/29/", "CR").status_code == 302
    assert "Settled: 6" in clients["co"].get("/progress/").content.decode()
    before = clients["co"].get("/concordance/").content.decode()
    assert "6 cases asked again under another code; 6 read twice" in before and "Agreement 0.833" not in before
    for user, kind in (("co", "lock"), ("mo", "confirm")):
        fields = {"kind": kind, "reason": "analysis", "name": user, "password": PASSWORD}
        assert clients[user].post("/lock/", fields).status_code == 302
    page = clients["co"].get("/concordance/").content.decode()
    # of the two readers CR, RELAPSE and CR are the same of six
    assert [page.count(f"Agreement {share}") for share in ("0.500", "0.833", "1.000")] == [1, 1, 1]
    document = json.loads(LockStep.objects.get(kind="confirm").document)
    assert len(document["cases"]) == 6 and len(document["again"]) == 12


@pytest.mark.slow
def test_a_new_cut_changes_what_is_asked_again_as_it_changes_the_case() -> None:
    from cartrial.review.app.acts.verify import find_damage
    from cartrial.review.app.models import Again, Shown
    from cartrial.review.app.state import current_cut

    world(1.0)
    changed = load(with_charter(example_data({("S-07-0001", 28): 149.0}, committee=True), re_read={"share": 1.0}))
    assert changed == {"window": 1, "history": 2, "same": 3} and find_damage() == []
    rows = Shown.objects.filter(loaded=current_cut(), case__subject__in=Again.objects.values("subject"))
    assert sorted(rows.values_list("change", flat=True)) == sorted(["window"] * 2 + ["history"] * 4 + ["same"] * 6)
    assert Again.objects.count() == 6


def test_lists_are_filtered_by_state_visit_and_subject() -> None:
    clients = open_world("seated")
    code = codes()["S-07-0001"]
    assert sign(clients["one"], "one", f"/case/{code}/28/", "CR").status_code == 302
    wanted = {"": 6, "?state=Signed": 1, "?state=Waits": 2, "?visit=day+28": 3, f"?subject={code}": 3, "?state=no+such": 0}
    for query, many in wanted.items():
        page = clients["one"].get(f"/{query}").content.decode()
        assert len(re.findall(r'<th scope="row">', page)) == many, query
    assert len(re.findall(r'<th scope="row">', clients["co"].get("/progress/?state=1+of+2+reads+signed").content.decode())) == 1
