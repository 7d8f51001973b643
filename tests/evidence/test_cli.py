"""What is typed of published evidence: what is printed, the exit codes, and one message for each wrong argument.

Origin of every expectation: `by hand`, from docs/evidence.md and the rows of the registry.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cartrial.evidence.registry.read import DATA
from helpers import run_cli


@pytest.mark.shows("CMD-evidence-list")
def test_results_are_listed_by_trial_and_by_endpoint() -> None:
    code, out, err = run_cli("evidence", "list", "inaticel")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "inaticel: inati-cel pivotal trial"
    assert len(lines) == 10
    assert "inati-48-orr3  CR+CRi at month 3, infused: 34/48, 70.8 % (55.9-83.1)" in out
    code, out, _ = run_cli("evidence", "list", "--endpoint", "cr+cri", "--json")
    held = json.loads(out)
    assert code == 0 and len(held) == 18  # 17 rates and a pooled one
    assert {one["measure"]["type"] for one in held} == {"response-rate", "pooled-rate"}


@pytest.mark.shows("CMD-evidence-show")
def test_one_result_is_shown_whole() -> None:
    code, out, _ = run_cli("evidence", "show", "inati-48-orr3")
    assert code == 0
    for text in ("at month 3", "IRC", "hsct          not-stated", "median 23.7 months", "doi 10.1182/bloodadvances.2024014182"):
        assert text in out
    code, out, _ = run_cli("evidence", "show", "inati-48-orr3", "--json")
    assert json.loads(out)["value"] == {"text": "70.8", "unit": "%"}


@pytest.mark.shows("CMD-evidence-check")
def test_the_registry_is_checked() -> None:
    code, out, _ = run_cli("evidence", "check")
    assert code == 1
    assert out.splitlines()[0].startswith("impossible     mskcc-nt: no count of 53 prints 48 %")
    assert "consistent " not in out.split("1 impossible")[0]
    code, every, _ = run_cli("evidence", "check", "--all")
    assert len(every.splitlines()) > 150
    code, out, _ = run_cli("evidence", "check", "--json")
    held = json.loads(out)
    assert code == held["exit"] == 1
    assert held["findings"][0]["results"] == ["mskcc-nt"]


def test_a_file_is_checked_alone(tmp_path: Path) -> None:
    code, out, _ = run_cli("evidence", "check", DATA / "trials" / "calm.yaml")
    assert (code, out) == (0, "3 consistent\n")
    code, out, _ = run_cli("evidence", "check", DATA)
    assert code == 1
    spoilt = tmp_path / "calm.yaml"
    spoilt.write_text((DATA / "trials" / "calm.yaml").read_text(encoding="utf-8").replace('"48"', "48"), encoding="utf-8")
    code, out, err = run_cli("evidence", "check", spoilt)
    assert (code, out) == (2, "")
    assert "results.0.value.text: the number must be text" in err


@pytest.mark.shows("CMD-evidence-check")
def test_a_claim_is_checked() -> None:
    code, out, err = run_cli("evidence", "check", "--claim", "14/19 = 67 %")
    assert (code, err) == (1, "")
    assert out == "impossible     14/19 = 73.7 %, not 67 %; 14 prints 67 % only of 21\n"
    code, out, _ = run_cli("evidence", "check", "--claim", "14/21 = 67 %")
    assert (code, out) == (0, "consistent     14/21 = 66.7 %\n")


@pytest.mark.slow
def test_what_cannot_be_asked_is_one_message() -> None:
    for arguments, message in (
        (("list", "inaticell"), "no trial is called 'inaticell'. The nearest is 'inaticel'"),
        (("list", "--endpoint", "nothing"), "no result is of 'nothing'"),
        (("show", "inati-48-orr4"), "The nearest is 'inati-48-orr3'"),
        (("check", "--claim", "nothing"), "nothing in 'nothing' can be computed"),
        (("check", "no.yaml", "--claim", "14/19 = 67 %"), "two questions"),
        (("check", "no.yaml"), "the file cannot be read"),
    ):
        code, out, err = run_cli("evidence", *arguments)
        assert (code, out) == (2, ""), arguments
        assert message in err and len(err.splitlines()) == 1
