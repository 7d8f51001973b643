"""Has each requirement a test, is each that a test names one, and is what is shipped and printed of them up to date?

Expected values: by hand. Requirements stand in docs/rules.md, study/schema/meanings.yaml, tests/requirements.yaml and the code.
"""

from __future__ import annotations

import csv
import importlib
import re
from pathlib import Path

import cartrial
from helpers import ROOT
from requirements import ending, marked, named_by_estimators, outcome, requirements, shown, stored, table, truth_rows

PACKAGE = Path(cartrial.__file__).parent
MADE = re.compile(r"^(estimate|design|operate|simulate|bootstrap|tip|compare_weighted|fit|power_prior|kappa|binomial|adjust)(_|$)")
# what writes, reads or lays out what others estimate
NO_ESTIMATE = {"design_rows", "fit_kinetics"}


def test_each_requirement_has_a_test() -> None:
    silent = [name for name in requirements() if name not in shown()]
    assert not silent, f"no test names {', '.join(silent)}: mark one that shows it with pytest.mark.shows"


def test_each_number_that_a_test_names_is_a_requirement() -> None:
    unknown = {name: tests for name, tests in shown().items() if name not in requirements()}
    assert not unknown


def test_each_requirement_is_seen_to_by_a_file_that_is_there() -> None:
    assert not [one for one in requirements().values() if not (PACKAGE / one.where).exists()]
    assert all(one.text.strip() for one in requirements().values())


def test_each_public_estimator_and_design_is_of_a_requirement() -> None:
    rooms = [importlib.import_module(f"cartrial.{room}") for room in ("analysis", "design")]
    public = {name for room in rooms for name in room.__all__}
    missing = {name for name in public if MADE.match(name)} - named_by_estimators() - NO_ESTIMATE
    assert not missing
    everywhere = public | {
        name
        for room in ("kinetics", "evidence", "evidence.curves", "predict", "virtual.calibration")
        for name in importlib.import_module(f"cartrial.{room}").__all__
    }
    assert not named_by_estimators() - everywhere


def test_the_paragraphs_that_comments_cite_are_stated() -> None:
    """A1 to A24 and the chapters: what a comment of the code names stands on the page of rules."""
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert not [f"A{i}" for i in range(1, 25) if not re.search(rf"\bA{i}\b", page)]
    cited = {
        name
        for room in ("response", "endpoints", "analysis", "study", "sdtm")
        for path in (PACKAGE / room).rglob("*.py")
        for line in re.findall(r"rules[^\n]*", path.read_text(encoding="utf-8"))
        for name in re.findall(r"\b[LP]\d\b", line)
    }
    assert cited and not [name for name in cited if f"**{name}." not in page]


def test_subjects_of_the_truth_tables_are_there() -> None:
    for row in truth_rows():
        folder = ROOT / "tests" / "truth"
        name = row["study"]
        held = [folder / f"{name.replace('-', '_')}_expected.csv", folder / f"{name.replace('-', '_')}_expected_status.csv"]
        held += [folder / name / "expected.csv", folder / name / "expected_status.csv"]
        known = {
            line["USUBJID"] for path in held if path.is_file() for line in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        }
        assert row["subjects"] and set(row["subjects"].split()) <= known, row


def test_what_is_shipped_is_what_the_tests_say() -> None:
    """Of results the words alone: they are those of the last run that was written, not of this one."""
    held = stored()
    made = table({}, "")
    said = [{key: row[key] for key in ("id", "text", "where", "tests")} for row in held["requirements"]]
    assert said == [{key: row[key] for key in ("id", "text", "where", "tests")} for row in made["requirements"]], (
        "run: python tests/requirements.py"
    )
    ending_words = re.compile(r"(passed|failed)(, \d+ of \d+ run)?|not run")
    assert all(ending_words.fullmatch(row["result"]) for row in held["requirements"])


def test_marks_are_read_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "test_x.py"
    path.write_text(
        'import pytest\npytestmark = pytest.mark.shows("A-1")\n\n\n@pytest.mark.slow\n@pytest.mark.shows("B-1", "B-2")\n'
        "def test_one():\n    pass\n\n\ndef test_two():\n    pass\n",
        encoding="utf-8",
    )
    assert marked(path) == {"test_one": ["A-1", "B-1", "B-2"], "test_two": ["A-1"]}


def test_the_worst_of_its_parameters_is_the_end_of_a_test() -> None:
    ran = {"a::t[x]": "passed", "a::t[y]": "failed", "a::u": "skipped", "a::v[p]": "passed", "a::v[q]": "skipped"}
    assert [outcome(name, ran) for name in ("a::t", "a::t[x]", "a::u", "a::v", "a::w")] == [
        "failed",
        "passed",
        "not run",
        "passed",
        "not run",
    ]
    assert [ending(words) for words in (["passed"], ["passed", "not run"], ["failed", "passed"], ["not run"])] == [
        "passed",
        "passed, 1 of 2 run",
        "failed",
        "not run",
    ]
