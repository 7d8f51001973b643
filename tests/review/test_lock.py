"""The lock, what goes out under it, and that the loop closes.

Origin of every expectation: `by hand`; of the loop `independent`: the same calls in RS, as a trial without the workspace has them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.response import assess_response
from cartrial.sdtm import read_sdtm
from cartrial.sdtm.records import derive_records
from cartrial.sdtm.records.codes import ADJUDICATOR, INV, IRC, READER1, READER2
from review_example import PASSWORD, codes, example_data, load, open_empty, open_world, sign, write_folder

pytestmark = pytest.mark.usefixtures("each_store")


@pytest.fixture
def clients(each_store: str) -> dict[str, Any]:
    """Everybody signed in to a workspace with the small trial."""
    return open_world("read")


def step(client: Any, user: str, kind: str, reason: str = "analysis of the primary endpoint") -> int:
    return int(client.post("/lock/", {"kind": kind, "reason": reason, "name": user, "password": PASSWORD}).status_code)


def lock(clients: dict[str, Any]) -> None:
    assert step(clients["co"], "co", "lock") == 302
    assert step(clients["mo"], "mo", "confirm") == 302


def export(folder: Path, out: Path, number: int | None = None) -> int:
    from cartrial.review.app.acts.going_out import export_lock
    from cartrial.review.loaded import bring
    from cartrial.run import load_data

    write_folder(example_data(committee=True), folder)
    return export_lock(bring(load_data("inaticel", folder), replace=True), folder, out, number=number, by="test")


def load_from(folder: Path) -> None:
    """Load what stands in a folder, so that its digests are those of the files."""
    from cartrial.review.app.acts.loading import Cut, find_changes, keep_cut
    from cartrial.review.loaded import bring
    from cartrial.run import load_data

    write_folder(example_data(committee=True), folder)
    brought = bring(load_data("inaticel", folder), replace=True)
    cut = Cut(brought.study, brought.cases, brought.files, brought.replaced)
    keep_cut(cut, find_changes(cut), "test")


@pytest.mark.slow
def test_a_lock_needs_two_people_and_everything_read(clients: dict[str, Any]) -> None:
    assert step(clients["mo"], "mo", "confirm") == 409
    assert step(clients["co"], "co", "lock") == 302
    assert step(clients["co"], "co", "confirm") == 409
    assert step(clients["mo"], "mo", "confirm", reason=" ") == 422
    # a read that is changed between both signatures leaves the first of another document
    path = f"/case/{codes()['S-07-0001']}/28/"
    sign(clients["one"], "one", path, "CRi", changed="looked again")
    assert step(clients["mo"], "mo", "confirm") == 409
    assert step(clients["co"], "co", "lock") == 302
    assert step(clients["mo"], "mo", "confirm") == 302


@pytest.mark.slow
def test_nothing_is_signed_or_loaded_under_a_lock_until_two_release_it(clients: dict[str, Any]) -> None:
    path = f"/case/{codes()['S-07-0001']}/28/"
    digest = re.search(r'name="digest" value="([^"]*)"', clients["one"].get(path).content.decode())[1]  # type: ignore[index]
    lock(clients)
    assert "The reads are locked." in clients["one"].get(path).content.decode()
    stale = {"digest": digest, "version": "2", "call": "NR", "reason": "x", "changed": "x", "name": "one", "password": PASSWORD}
    assert clients["one"].post(path, stale).status_code == 409
    with pytest.raises(InputError, match="locked"):
        load(example_data({("S-07-0001", 28): 149.0}))
    assert step(clients["co"], "co", "unlock", "a corrected value") == 302
    assert step(clients["mo"], "mo", "release", "a corrected value") == 302
    assert load(example_data({("S-07-0001", 28): 149.0}))["window"] == 1


@pytest.mark.slow
def test_an_open_case_or_query_keeps_the_lock_open(clients: dict[str, Any]) -> None:
    clients["one"].post(f"/case/{codes()['S-07-0001']}/28/ask/", {"text": "Which laboratory?"})
    assert step(clients["co"], "co", "lock") == 409


@pytest.mark.slow
@pytest.mark.shows("FMT-workspace")
def test_what_goes_out_is_read_back_as_it_was_signed(clients: dict[str, Any], tmp_path: Path) -> None:
    """The committee of the exported folder is that of the same calls in RS; no name of a person or code of a subject is among the data."""
    load_from(tmp_path / "data")
    lock(clients)
    assert export(tmp_path / "data", tmp_path / "out") == 13
    out = tmp_path / "out" / "data"
    study = example_data().study
    wanted = derive_records(study, example_data(committee=True).source)
    found = derive_records(study, read_sdtm(out))
    for reader in (INV, READER1, READER2, ADJUDICATOR, IRC):
        one, two = (assess_response(study, records)[reader] for records in (wanted, found))
        assert list(one.day) == list(two.day) and list(one.status) == list(two.status), reader
    rs = pl.read_csv(out / "rs.csv", infer_schema=False)
    assert sorted(set(rs["RSEVALID"].drop_nulls())) == ["ADJUDICATOR", "READER 1", "READER 2"]
    text = (out / "rs.csv").read_text(encoding="utf-8")
    assert not [word for word in ("Eins", "Zwei", "Drei", "S-001", "as I see it") if word in text]
    kept = {path.name for path in (tmp_path / "out" / "trail").iterdir()}
    assert kept == {"lock.json", "audit.ndjson", "audit.html"}
    said = json.loads((tmp_path / "out" / "trail" / "lock.json").read_text(encoding="utf-8"))
    assert [signature["name"] for signature in said["signatures"]] == ["M. Coordinator", "M. Monitor"] and len(said["lock"]["cases"]) == 6


@pytest.mark.slow
def test_the_committee_takes_the_lower_call_and_the_adjudicators(clients: dict[str, Any], tmp_path: Path) -> None:
    """By hand: CRi of CRi and CR (reader 1), NR of NR and PD (reader 1), the adjudicator's CR; reader 1 where both agree."""
    load_from(tmp_path / "data")
    lock(clients)
    export(tmp_path / "data", tmp_path / "out")
    rs = pl.read_csv(tmp_path / "out" / "data" / "rs.csv", infer_schema=False).filter(pl.col("RSACPTFL") == "Y")
    found = {(row["USUBJID"], row["RSDTC"]): (row["RSEVALID"], row["RSSTRESC"]) for row in rs.iter_rows(named=True)}
    assert found == {
        **{("S-07-0001", "2022-01-29"): ("READER 1", "CR"), ("S-07-0001", "2022-04-01"): ("READER 1", "CRi")},
        **{("S-07-0001", "2022-06-30"): ("READER 1", "RELAPSE"), ("S-07-0002", "2022-01-30"): ("ADJUDICATOR", "CR")},
        **{("S-07-0002", "2022-04-02"): ("READER 1", "CR"), ("S-11-0003", "2022-01-28"): ("READER 1", "NR")},
    }


@pytest.mark.slow
def test_other_files_than_those_of_the_lock_are_refused(clients: dict[str, Any], tmp_path: Path) -> None:
    lock(clients)
    with pytest.raises(InputError, match="not those of the lock"):
        export(tmp_path / "data", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_nothing_goes_out_without_a_lock(clients: dict[str, Any], tmp_path: Path) -> None:
    load_from(tmp_path / "data")
    with pytest.raises(InputError, match="not locked"):
        export(tmp_path / "data", tmp_path / "out")


def test_a_root_of_digests_changes_with_each_of_them() -> None:
    """By hand: of one the digest itself; of three the last is digested with itself."""

    open_empty()
    from cartrial.review.app.acts.locks import merkle_root
    from cartrial.review.evidence import digest_of

    a, b, c = (digest_of(i) for i in range(3))
    assert merkle_root([a]) == a
    assert merkle_root([a, b, c]) == digest_of([digest_of([a, b]), digest_of([c, c])])


@pytest.mark.slow
def test_concordance_is_that_of_the_estimator_and_counts_what_the_adjudicator_overruled(clients: dict[str, Any]) -> None:
    """By hand: readers 1 and 2 of six cases agree on the category in three words of six; the one decision went against reader 2: 1 of 6."""
    page = clients["au"].get("/concordance/").content.decode()
    rows = page.split("<tbody>")[1].split("</tbody>")[0]
    assert rows.count('<td class="num">16.7 %</td>') == 1 and rows.count('<td class="num">0.0 %</td>') == 1
    assert "6 assessments that both have signed" in page and "Agreement 0.500" in page
    assert "Agreement" not in clients["co"].get("/concordance/").content.decode()
    lock(clients)
    assert "Agreement 0.500" in clients["co"].get("/concordance/").content.decode()
