"""The loop closes: a trial read in the workspace gives the results of the same calls in RS, through requests and through a browser.

Origin of every expectation: `independent`, the report of the trial's own central reads.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from browsers import chromium, launched
from helpers import run_cli
from review_browser import ADD, check, enter, follow
from review_example import PASSWORD, PEOPLE, SEAT, add_people, example_data, give_seats, open_empty, sign, signed_in, write_folder


def own_calls(folder: Path) -> dict[tuple[str, int, str], str]:
    """Return the central reads of a folder: subject, day, reader."""
    from cartrial.run import load_data
    from cartrial.sdtm.records import READERS, derive_records
    from cartrial.study.criteria.codes import RESPONSES

    data = load_data("inaticel", folder)
    records = derive_records(data.study, data.source)
    joined = records.calls.join(records.subjects.select("SUBJ", "USUBJID", "DAY0"), on="SUBJ").filter(pl.col("READER").is_in([1, 2, 3]))
    return {
        (row["USUBJID"], row["DAY"] - row["DAY0"], READERS[row["READER"]]): RESPONSES[row["RESP"]] for row in joined.iter_rows(named=True)
    }


def results(data: Path, out: Path) -> list[str]:
    assert run_cli("report", "inaticel", "--data", str(data), "--out", str(out))[0] == 0
    return sorted(json.dumps(row, sort_keys=True) for row in pl.read_parquet(out / "results.parquet").to_dicts())


def codes_by_key(folder: Path) -> dict[str, str]:
    from cartrial.review.app.acts.loading import subject_digest
    from cartrial.review.app.models import Subject
    from cartrial.review.app.state import current_cut

    cut = current_cut()
    assert cut is not None
    known = dict(Subject.objects.values_list("digest", "code"))
    return {name: known[digest] for name, _, _ in own_calls(folder) if (digest := subject_digest(cut.salt, name)) in known}


@pytest.mark.slow
def test_a_virtual_trial_read_in_the_workspace_gives_the_results_of_its_own_central_reads(tmp_path: Path) -> None:
    open_empty()
    from cartrial.review.app.acts.going_out import export_lock
    from cartrial.review.app.acts.loading import Cut, find_changes, keep_cut
    from cartrial.review.app.state import use_study
    from cartrial.review.loaded import bring
    from cartrial.run import load_data

    folder = tmp_path / "data"
    assert run_cli("simulate", "inaticel", "-n", "12", "--seed", "3", "--out", str(folder))[0] == 0
    brought = bring(load_data("inaticel", folder), replace=True)
    cut = Cut(brought.study, brought.cases, brought.files, brought.replaced)
    keep_cut(cut, find_changes(cut), "test")
    use_study(brought.study)
    add_people()
    give_seats()
    clients = {user: signed_in(user) for user in PEOPLE}
    code, calls = codes_by_key(folder), own_calls(folder)
    for user, reader in (("one", "READER 1"), ("two", "READER 2"), ("three", "ADJUDICATOR")):
        page = "adjudication" if user == "three" else "case"
        for (name, day, who), call in sorted(calls.items()):
            if who == reader:
                assert sign(clients[user], user, f"/{page}/{code[name]}/{day}/", call).status_code == 302, (name, day, who)
    for user, kind in (("co", "lock"), ("mo", "confirm")):
        fields = {"kind": kind, "reason": "the loop", "name": user, "password": PASSWORD}
        assert clients[user].post("/lock/", fields).status_code == 302
    assert export_lock(brought, folder, tmp_path / "out", number=None, by="test") == len(calls)
    wanted, found = results(folder, tmp_path / "own"), results(tmp_path / "out" / "data", tmp_path / "ours")
    assert len(wanted) > 1000 and found == wanted


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[tuple[str, dict[str, str], Path]]:
    """A workspace that is served by a process of its own: its address, first passwords, and the folder that it is in."""
    pytest.importorskip("django", reason="the extra review is not installed")
    chromium()
    write_folder(example_data(committee=True), tmp_path / "data")
    db = str(tmp_path / "review.db")
    command = [sys.executable, "-m", "cartrial", "review", "serve", "inaticel", "--data", str(tmp_path / "data"), "--db", db]
    server = subprocess.Popen([*command, "--port", "0", "--replace-committee"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = next(found[1] for line in server.stdout if (found := re.search(r"(http://\S+)", line)))
        # in a process of its own: this one may hash passwords cheaply
        done = subprocess.run([sys.executable, "-c", ADD, db, json.dumps(PEOPLE)], capture_output=True, text=True, check=True)
        yield address, json.loads(done.stdout), tmp_path
    finally:
        server.terminate()
        server.wait()


@pytest.mark.slow
@pytest.mark.shows("CMD-review-export")
@pytest.mark.shows("CMD-review-serve")
def test_the_small_trial_goes_through_a_browser_by_keyboard_without_a_fault_of_access_or_policy(workspace: Any) -> None:
    address, first, folder = workspace
    calls, said, faults = own_calls(folder / "data"), [], []
    with launched() as browser:
        people = {user: enter(browser, address, user, first[user], said) for user in ("co", "one", "two", "three", "mo", "au")}
        co = people["co"]
        co.goto(f"{address}seats/")
        for seat, user in SEAT.items():
            co.select_option("#seat", str(seat))
            co.select_option("#person", user)
            follow(co, "main button")
        for seat, user in SEAT.items():
            faults += read_cases(people[user], address, user, f"READER {seat}", calls, folder)
        judge = people["three"]
        judge.goto(address)
        faults += check(judge)
        follow(judge, "main table a")
        judge.wait_for_selector("html[data-drawn]")
        faults += check(judge)
        judge.check("input[name=call][value=CR]")
        judge.fill("#reason", "marrow in remission")
        put_signature(judge, "three")
        for user in ("co", "mo"):
            people[user].goto(f"{address}lock/")
            faults += check(people[user])
            people[user].fill("#reason", "analysis")
            put_signature(people[user], user)
        for user, place in (("co", ""), ("co", "seats/"), ("co", "queries/"), ("co", "concordance/"), ("au", ""), ("one", "queries/")):
            people[user].goto(f"{address}{place}")
            faults += check(people[user])
    assert faults == [] and said == []
    db = str(folder / "review.db")
    assert run_cli("review", "verify", "--db", db)[0] == 0
    out = folder / "out"
    assert run_cli("review", "export", "inaticel", "--data", str(folder / "data"), "--db", db, "--out", str(out))[0] == 0
    assert results(out / "data", folder / "ours") == results(folder / "data", folder / "own")


def put_signature(page: Any, user: str) -> None:
    """Type what a signature asks, and send it; the page that follows says that it is kept."""
    if page.locator("#name").count():
        page.fill("#name", user)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("p.said.success")


def read_cases(page: Any, address: str, user: str, reader: str, calls: dict[tuple[str, int, str], str], folder: Path) -> list[str]:
    """Read every case of the small trial by keyboard, as the pages lead from one to the next."""
    by_days: dict[tuple[int, ...], dict[int, str]] = {}
    for name in {name for name, _, _ in calls}:
        own = {day: call for (subject, day, who), call in calls.items() if subject == name and who == reader}
        # a subject is known to a reader by its days alone
        by_days |= {(day,): own for day in own}
    page.goto(address)
    faults = check(page)
    follow(page, "main table a")
    for number in range(sum(who == reader for _, _, who in calls)):
        page.wait_for_selector("html[data-drawn]")
        if number == 0:
            faults += check(page)
        day = int(page.url.rstrip("/").rsplit("/", 1)[1])
        options = page.eval_on_selector_all("input[name=call]", "nodes => nodes.map(node => node.value)")
        page.keyboard.press(str(options.index(by_days[day,][day]) + 1))
        page.wait_for_selector("#draft .saved:not(:empty)")
        page.keyboard.press("r")
        page.keyboard.type("as I see it")
        put_signature(page, user)
    return faults
