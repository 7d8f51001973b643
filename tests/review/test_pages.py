"""The pages of lymphoma, of what is asked again, and of practice, in a browser at three widths, with scripts and without.

Origin of every expectation: `by hand`, WCAG 2.2 AA as axe tests it, and the worked subjects of lymphoma.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from browsers import launched
from helpers import ROOT
from review_browser import ADD, check, enter, follow
from review_example import PEOPLE

CHARTER = "\nreview: {charter: {version: '2.0', date: 2021-05-01}, baseline: true, order: any, checks: shown, re-read: {share: 0.2}}\n"


@contextmanager
def served(*command: str, db: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve a workspace from a process of its own: its address, and the first passwords of everybody."""
    words = [sys.executable, "-m", "cartrial", "review", *command, "--db", str(db), "--port", "0"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = next(found[1] for line in server.stdout if (found := re.search(r"(http://\S+)", line)))
        done = subprocess.run([sys.executable, "-c", ADD, str(db), json.dumps(PEOPLE)], capture_output=True, text=True, check=True)
        yield address, json.loads(done.stdout)
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def browser() -> Iterator[Any]:
    pytest.importorskip("django", reason="the extra review is not installed")
    pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    with launched() as started:
        yield started


def give_all(page: Any, address: str) -> None:
    page.goto(f"{address}seats/")
    for seat, user in (("1", "one"), ("2", "two")):
        page.select_option("#seat", seat)
        page.select_option("#person", user)
        follow(page, "main button")


@pytest.mark.slow
@pytest.mark.shows("CMD-review-serve")
def test_lymphoma_is_read_at_three_widths_without_a_fault_of_access_or_policy(browser: Any, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "worked-lymphoma", tmp_path / "study")
    study = tmp_path / "study" / "study.yaml"
    study.write_text(study.read_text(encoding="utf-8") + CHARTER, encoding="utf-8")
    command = ("serve", str(tmp_path / "study"), "--data", str(tmp_path / "study" / "data"), "--replace-committee")
    said: list[str] = []
    with served(*command, db=tmp_path / "review.db") as (address, first):
        co = enter(browser, address, "co", first["co"], said)
        give_all(co, address)
        faults = check(co)
        one = enter(browser, address, "one", first["one"], said)
        one.goto(address)
        assert "Charter 2.0 of 2021-05-01" in one.content()
        faults += check(one)
        one.select_option("#filter-visit", "month 3")
        follow(one, "form.filter button")
        faults += check(one)
        # the subject with a PET: the one whose day 28 has a score
        for link in one.eval_on_selector_all("main table a", "nodes => nodes.map(node => node.href)"):
            one.goto(link)
            if "score 3" in one.content():
                break
        one.wait_for_selector("html[data-drawn]")
        assert "target 1, lymph node" in one.content() and "By the limits of the study" in one.content()
        faults += check(one)
        plain = browser.new_context(java_script_enabled=False, storage_state=one.context.storage_state()).new_page()
        plain.goto(one.url)
        assert plain.locator("input[name=call]").count() == 6 and "25 × 20 mm" in plain.content()
        for place in ("", "concordance/", "lock/"):
            co.goto(f"{address}{place}")
            faults += check(co)
    assert faults == [] and said == []


@pytest.mark.slow
@pytest.mark.shows("CMD-review-practice")
def test_practice_is_read_without_scripts_and_its_result_has_no_fault_of_access(browser: Any, tmp_path: Path) -> None:
    said: list[str] = []
    with served("practice", "inaticel", "--virtual", "-n", "2", "--seed", "3", db=tmp_path / "practice.db") as (address, first):
        one = enter(browser, address, "one", first["one"], said)
        plain = browser.new_context(java_script_enabled=False, storage_state=one.context.storage_state()).new_page()
        plain.goto(address)
        assert "PRACTICE: virtual patients" in plain.content()
        faults = check(one)
        named = True
        while plain.goto(f"{address}?state=To+read") and plain.locator("main table tbody a").count():
            follow(plain, "main table tbody a")
            plain.check("input[name=call][value=CR]")
            plain.fill("#reason", "as I see it")
            if named:
                plain.fill("#name", "one")
            plain.fill("#password", "a long sentence of words")
            follow(plain, "form.read button")
            assert "Signed CR" in plain.content()
            named = False
        one.goto(f"{address}results/")
        assert "calls right" in one.content()
        faults += check(one)
        co = enter(browser, address, "co", first["co"], said)
        co.goto(address)
        assert "Dr A. Eins" in co.content() and "calls right" in co.content()
        faults += check(co)
    assert faults == [] and said == []
