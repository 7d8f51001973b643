"""What `cartrial check` prints: rule by rule with counts, the worst first; every finding; one document for machines.

Origin of every expectation: `by hand`: the first sixteen worked subjects with a few things spoilt, and frames of findings written here.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from cartrial.cli.checked import finding_lines
from cartrial.report.page.blocks import Details, Table
from cartrial.report.study.sections.provenance import _findings
from cartrial.sdtm import finding, findings_frame, join_findings
from cartrial.sdtm.checks.groups import count_findings, counts_text, group_findings
from helpers import run_cli, worked_folder
from spoil import add, both, data, study, write

DOUBTFUL = both(
    data("dm.csv", "WORKED-01,01,25,", "WORKED-01,01,250,"),
    add("dm.csv", "WORKED,DM,WORKED-98,01,30,M,2021-11-17,,,", "WORKED,DM,WORKED-99,01,30,M,2021-11-17,,,"),
    write("data/notes.csv", "A\n1\n"),
    write("data/minutes.csv", "A\n1\n"),
)
STOPS = both(data("rs.csv", ",CR,", ",GOOD,"), data("rs.csv", ",CR,", ",WELL,"), data("lb.csv", "60,60,60,%", "60,60,60,bananas"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return worked_folder(tmp_path_factory.mktemp("whole") / "study")


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "study")
    return tmp_path / "study"


def checked(folder: Path, *options: str) -> tuple[int, str, str]:
    return run_cli("check", folder, "--data", folder / "data", *options)


@pytest.mark.shows("CMD-check")
def test_findings_stand_by_rule_with_counts_the_worst_first(folder: Path) -> None:
    both(DOUBTFUL, STOPS)(folder)
    code, out, err = checked(folder)
    assert (code, err) == (1, "")
    lines = out.splitlines()
    # two of one subject's rows: a rule once, with both counts and the first of the two
    unknown = [line for line in lines if line.startswith("  stop ") and "term-unknown" in line]
    assert len(unknown) == 1
    assert re.search(r"2 findings in \d subjects?: rs\.csv, row 2, WORKED-01, RSSTRESC: 'GOOD'.*\[term-unknown\]$", unknown[0])
    assert "'WELL'" not in out
    severities = [line.split()[0] for line in lines if re.match(r"  (stop|warning|note) ", line)]
    assert severities == sorted(severities, key=["stop", "warning", "note"].index)
    assert re.fullmatch(r"3 would stop a report, \d+ warnings?, \d+ notes?: \d+ findings of \d+ rules\.", lines[-1])
    assert "--all" in lines[-2]


@pytest.mark.slow
def test_what_is_said_of_the_source_as_a_whole_is_each_named(folder: Path) -> None:
    """A file that was not read is a fact of its own: the second is not hidden behind the first."""
    DOUBTFUL(folder)
    code, out, _ = checked(folder)
    assert code == 0
    assert "minutes.csv" in out and "notes.csv" in out


def test_all_lists_each_finding(folder: Path) -> None:
    both(DOUBTFUL, STOPS)(folder)
    _, out, _ = checked(folder, "--all")
    lines = [line for line in out.splitlines() if re.match(r"  (stop|warning|note) ", line)]
    assert int(re.findall(r"(\d+) findings? of", out)[0]) == len(lines)
    assert any("'WELL'" in line and line.endswith("[term-unknown]") for line in lines)
    assert "--all" not in out


@pytest.mark.shows("CMD-check")
def test_json_is_one_document_with_everything(folder: Path) -> None:
    both(DOUBTFUL, STOPS)(folder)
    code, out, err = checked(folder, "--json")
    assert (code, err) == (1, "")
    found = json.loads(out)
    assert found["exit"] == {"code": 1, "meaning": "something would stop a report"}
    assert (found["study"]["id"], found["study"]["rules"], len(found["study"]["hash"])) == ("worked", 2, 64)
    assert found["counts"]["findings"] == len(found["findings"]) == sum(group["count"] for group in found["groups"])
    assert found["counts"]["rules"] == len(found["groups"]) and found["counts"]["stop"] == 3
    assert {"file": "rs.csv", "row": 2, "subject": "WORKED-01", "rule": "term-unknown"}.items() <= found["groups"][0]["examples"][0].items()
    assert found["data"]["domains"]["DM"] == {"records": 18, "subjects": 18}
    assert {file["name"] for file in found["data"]["files"]} >= {"dm.csv", "rs.csv"}
    assert found["assumptions"] and {"place", "source"} == set(found["assumptions"][0])


@pytest.mark.slow
def test_json_of_a_study_alone_and_of_clean_data(folder: Path) -> None:
    code, out, _ = run_cli("check", folder, "--json")
    assert code == 0 and json.loads(out)["data"] is None
    code, out, _ = checked(folder, "--json")
    assert code == 0 and json.loads(out)["exit"] == {"code": 0, "meaning": "nothing would stop a report"}


def test_json_of_what_cannot_be_used_has_every_error(folder: Path) -> None:
    both(study("2022-09-27", "2022-02-30"), study("{at: month 3}", "{at: month 33}"))(folder)
    code, out, err = checked(folder, "--json")
    found = json.loads(out)
    assert code == 2 and found["exit"] == {"code": 2, "meaning": "the input cannot be used"}
    assert [error["key"] for error in found["errors"]] == ["study.cutoff", "endpoints.0.window.at"]
    assert err.splitlines() == [error["message"] for error in found["errors"]]


@pytest.mark.slow
def test_check_names_the_domains_that_were_read_and_that_are_not_there(folder: Path) -> None:
    (folder / "data" / "cm.csv").unlink()
    _, out, _ = checked(folder)
    assert re.search(r"^  read {8}.*DM 16 subjects.*RS \d+ records of \d+ subjects", out, re.MULTILINE)
    assert re.search(r"^  not there   CM", out, re.MULTILINE)


@pytest.mark.slow
def test_a_study_file_without_rules_is_noted_with_and_without_data(folder: Path) -> None:
    study("rules: 2\n", "")(folder)
    for code, out, _ in (run_cli("check", folder), checked(folder)):
        assert code == 0
        assert "note        rules: The study file does not say by which version of the rules" in out and "[rules-unstated]" in out


def test_a_terminal_is_not_overrun_and_a_pipe_gets_whole_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    DOUBTFUL(folder)
    findings = many(3)
    piped = list(finding_lines(findings, every=False))
    assert len(piped) == 1 and len(piped[0]) > 60
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    wrapped = list(finding_lines(findings, every=False))
    assert max(map(len, wrapped)) < 60 and " ".join(" ".join(wrapped).split()) == " ".join(piped[0].split())
    assert all("\x1b" not in line for line in wrapped + piped)


def many(number: int) -> pl.DataFrame:
    message = "The record is dated 2022-06-01, after the death (2022-05-21), and is one of very many such records."
    rows = [
        finding("after-death", "warning", message, file="lb.csv", row=i + 2, domain="LB", usubjid=f"S-{i % 40:03d}", variable="LBDTC")
        for i in range(number)
    ]
    return join_findings([findings_frame(rows)])


def test_thousands_of_one_rule_stay_one_line_and_a_bounded_page() -> None:
    rare = findings_frame([finding("age", "warning", "The age is 250; ages are 0 to 120 years.", usubjid="S-001", variable="AGE")])
    findings = join_findings([many(20_000), rare])
    assert len(list(finding_lines(findings, every=False))) == 2
    assert len(list(finding_lines(findings, every=True))) == 20_001
    blocks = _findings(findings, lambda subject: subject or "")
    tables = [block for block in blocks if isinstance(block, Table)]
    assert [row[:4] for row in tables[0].rows] == [("warning", "after-death", 20_000, 40), ("warning", "age", 1, 1)]
    listed = next(block for block in blocks if isinstance(block, Details)).blocks[0]
    assert isinstance(listed, Table) and len(listed.rows) <= 400
    assert "age" in {row[1] for row in listed.rows}, "one rule hides no other"
    assert counts_text(count_findings(findings)) == "0 would stop a report, 20001 warnings, 0 notes: 20001 findings of 2 rules."


def test_within_a_severity_the_rule_of_most_subjects_comes_first() -> None:
    rows = [
        *(finding("b", "note", "One subject, often.", row=i, usubjid="S-1") for i in range(9)),
        *(finding("a", "note", "Two subjects.", row=i, usubjid=f"S-{i}") for i in range(2)),
        finding("c", "stop", "It stops."),
        *(finding("d", "warning", f"File {i} is not read.", file=f"{i:02d}.csv") for i in range(14)),
    ]
    groups = group_findings(findings_frame(rows))
    assert [group.rule for group in groups] == ["c", "d", "a", "b"]
    assert [(group.count, group.subjects, len(group.examples), group.more) for group in groups] == [
        (1, 0, 1, 0),
        (14, 0, 10, 4),
        (2, 2, 1, 1),
        (9, 1, 1, 8),
    ]
    assert groups[2].counts == "2 findings in 2 subjects" and groups[0].counts == ""


def test_no_finding_is_said_too() -> None:
    assert list(finding_lines(findings_frame([]), every=False)) == []
    nothing = count_findings(findings_frame([]))
    assert counts_text(nothing) == "0 would stop a report, 0 warnings, 0 notes: nothing was found."
    assert counts_text(nothing, 27) == "0 would stop a report, 0 warnings, 0 notes: nothing was found by 27 rules."
