"""What a charter changes, and what is read of imaging.

Origin of every expectation: `by hand`, from the keys of `review` as docs/study.md states them, and the worked subjects of lymphoma.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cartrial.errors import InputError
from cartrial.review.compare import differences
from cartrial.review.limits import lesion_table
from cartrial.review.loaded import bring
from cartrial.review.naming import mask_names, who_is_named
from cartrial.run import load_data
from cartrial.study import Study
from cartrial.study.charter.review import Review
from helpers import ROOT
from review_example import add_people, codes, example_data, give_seats, load, open_empty, open_world, sign, signed_in, with_charter

LYMPHOMA = ROOT / "examples" / "worked-lymphoma"


@pytest.mark.shows("STUDY-review")
def test_a_charter_is_part_of_the_digest_and_a_study_without_one_is_what_it_was() -> None:
    study = Study.load("inaticel")
    stated = [Review(), Review(checks="hidden"), Review(order="any"), Review(re_read={"share": 0.1})]
    digests = {study.model_copy(update={"review": review}).hash for review in (None, *stated)}
    assert len(digests) == 5 and study.hash in digests
    assert study.committee == Review() and "review" not in {where for where, _ in study.assumptions()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("review: {cheks: hidden}", "checks"),
        ("review: {checks: never}", "review.checks"),
        ("review: {re-read: {share: 1.5}}", "re-read.share"),
        ("review: {show: [kinetics]}", "review.show"),
        ("review: {charter: {version: 2.10}}", "in quotes"),
    ],
)
@pytest.mark.shows("STUDY-review")
@pytest.mark.shows("STUDY-review.charter.version", "STUDY-review.charter")
def test_a_charter_that_says_something_else_is_refused_with_its_key(text: str, words: str, tmp_path: Path) -> None:
    builtin = Path(ROOT / "src" / "cartrial" / "study" / "builtin" / "inaticel.yaml").read_text(encoding="utf-8")
    (tmp_path / "study.yaml").write_text(f"{builtin}\n{text}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Study.load(tmp_path)
    assert words in str(caught.value)


def world(**keys: Any) -> dict[str, Any]:
    """Return everybody's client in a workspace of the small trial under a charter."""
    open_empty()
    load(with_charter(example_data(committee=True), **keys))
    add_people()
    give_seats()
    return {user: signed_in(user) for user in ("one", "two", "three", "co", "mo")}


@pytest.mark.shows(
    "STUDY-review.order",
    "STUDY-review.checks",
    "STUDY-review.adjudicator",
    "STUDY-review.adjudicator.names",
    "STUDY-review.adjudicator.decision",
    "STUDY-review.charter.date",
)
def test_a_charter_has_cases_in_any_order_no_checks_and_a_choice_of_two_named_reads() -> None:
    stated = {"version": "1.2", "date": "2021-06-01"}
    clients = world(order="any", checks="hidden", adjudicator={"names": "shown", "decision": "one-of-two"}, charter=stated)
    assert "Charter 1.2 of 2021-06-01." in clients["one"].get("/").content.decode()
    own = codes()
    late = f"/case/{own['S-07-0001']}/180/"
    assert clients["one"].get(late).status_code == 200
    # the values give CR on day 28: nothing is said of NR, and no reason is asked
    assert sign(clients["one"], "one", f"/case/{own['S-07-0001']}/28/", "NR", reason="").status_code == 302
    path = f"/case/{own['S-07-0002']}/29/"
    for user, call in (("one", "CR"), ("two", "NR")):
        assert sign(clients[user], user, path, call, reason="").status_code == 302
    judged = f"/adjudication/{own['S-07-0002']}/29/"
    page = clients["three"].get(judged).content.decode()
    assert [page.index(f'<th scope="row">Reader {n}</th>') for n in (1, 2)] and "names are not shown" not in page
    assert re.findall(r'name="call" value="([^"]+)"', page) == ["CR", "NR"]
    answer = sign(clients["three"], "three", judged, "PD")
    assert answer.status_code == 422 and "one of the two reads: CR or NR" in answer.content.decode()
    assert sign(clients["three"], "three", judged, "NR").status_code == 302


@pytest.mark.slow
@pytest.mark.parametrize("checks", ["after-call", "shown"])
@pytest.mark.shows("STUDY-review.checks")
def test_the_status_by_the_limits_is_on_the_page_where_the_charter_says_so_alone(checks: str) -> None:
    clients = world(checks=checks)
    page = clients["one"].get(f"/case/{codes()['S-07-0001']}/28/").content.decode()
    assert ("By the limits of the study: <b>CR</b>" in page) == (checks == "shown")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["read-again", "confirm"])
@pytest.mark.shows("STUDY-review.changed-findings")
def test_findings_that_changed_are_read_on_an_empty_form_unless_they_are_to_be_confirmed(way: str) -> None:
    clients = world(changed_findings=way)
    path = f"/case/{codes()['S-07-0001']}/28/"
    assert sign(clients["one"], "one", path, "CR").status_code == 302
    load(with_charter(example_data({("S-07-0001", 28): 149.0}, committee=True), changed_findings=way))
    page = clients["one"].get(path).content.decode()
    assert "read again" in page and ('value="CR" checked' in page) == (way == "confirm")


@pytest.mark.shows("STUDY-review.show")
def test_what_is_shown_beside_the_status_is_what_the_charter_lists() -> None:
    """The worked subject WL-06 has a transplant on day 60: it is shown where the charter lists it, and lymphodepletion where it does."""
    data = load_data(LYMPHOMA, LYMPHOMA / "data")
    for show, wanted in (((), set()), (("transplant",), {"transplant"}), (("lymphodepletion",), {"lymphodepletion"})):
        cases = bring(with_charter(data, show=show), replace=True).cases
        given = {row["what"] for case in cases if case.subject == "WL-06" for row in case.evidence["rows"]}
        assert given & {"transplant", "lymphodepletion", "new therapy"} == wanted


@pytest.mark.shows("STUDY-review.measurements")
@pytest.mark.shows("STUDY-review.baseline")
def test_imaging_makes_cases_with_the_sizes_and_scores_of_the_committee() -> None:
    """By hand, WL-13: 40 x 30 mm before, 25 x 20 mm on day 28 with score 4, decreased (PR); score 3 on day 90 (CR)."""
    data = load_data(LYMPHOMA, LYMPHOMA / "data")
    cases = {(case.subject, case.day): case for case in bring(with_charter(data, baseline=True), replace=True).cases}
    first = cases["WL-13", 28]
    assert (first.derived, cases["WL-13", 90].derived, cases["WL-13", -7].derived) == ("PR", "CR", "")
    assert lesion_table(first.evidence) == {"days": [-7, 28], "rows": [("target 1, lymph node", ["40 × 30 mm", "25 × 20 mm"])]}
    near = {(row["what"], row["words"]) for row in first.evidence["rows"] if row["near"]}
    assert near == {("lesion", "25 × 20 mm"), ("size", "500 mm²"), ("pet", "score 4, uptake decreased")}
    said = differences(data.study, first.evidence, first.derived, "CR")
    assert "PET, five-point score, day 28: score 4, uptake decreased (CR by PET: 1 to 3)." in said
    assert "Sum of products of targets, day 28: 500 mm², 42 % of 1200 mm² at baseline (PR: at most 50 % of the sum at baseline)." in said
    # what the investigator measured is nowhere, and the committee's measurements not where the charter has the investigator's shown
    other = bring(with_charter(data, measurements="investigator"), replace=True).cases
    assert not [row for case in other if case.subject == "WL-13" for row in case.evidence["rows"] if row["what"] in ("lesion", "pet")]


def test_texts_that_name_people_sites_or_subjects_are_refused_and_masked() -> None:
    people = [("meier1", "Dr A. Meier"), ("young", "B. Young")]
    for text in ("as Meier saw it", "MEIER agrees", "ask meier1", "dr smith called CR", "Young agrees", "young agrees"):
        assert who_is_named(text, people) == "names a person", text
    assert who_is_named("seen at Site No. 12", people) == "names a site"
    assert who_is_named("see S-07-0001", people, lambda word: word == "S-07-0001") == "names a subject by its own key"
    for text in ("platelets of day 28 are 9", "the younger marrow", "site of disease unclear", "reader 1 of two"):
        assert who_is_named(text, people) == "", text
    assert mask_names("S-07-0001x S-07-0001, 0001", ["S-07-0001"]) == "S-07-0001x [masked], 0001"


def test_a_reason_with_a_name_or_a_subjects_key_is_not_signed() -> None:
    clients = open_world("seated")
    path = f"/case/{codes()['S-07-0001']}/28/"
    for reason, words in (("Zwei saw it", "names a person"), ("as S-11-0003", "names a subject"), ("from site 7734", "names a site")):
        answer = sign(clients["one"], "one", path, "CR", reason=reason)
        assert answer.status_code == 422 and words in answer.content.decode(), reason
    clients["one"].post(f"{path}ask/", {"text": "ask S-07-0001"})
    from cartrial.review.app.models import Message, Read

    assert not Read.objects.exists() and not Message.objects.exists()
