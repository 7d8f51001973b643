"""Does `cartrial qualify` pass where all is right, and fail where anything is not?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cartrial.qualify import PARTS, compare, qualify
from cartrial.qualify.checks import FAILED, NOT_RUN, PASSED, Check
from cartrial.qualify.figures import rates
from cartrial.qualify.installation import check_installation, describe_machine
from cartrial.qualify.stored import read_stored
from helpers import run_cli
from qualify_data import DATA, members, stored_figures, truth_archive


def test_what_is_shipped_is_what_the_tests_hold() -> None:
    """By hand: R's figures and the truth tables stand once; a copy that is older than they fails here."""
    assert json.loads((DATA / "figures.json").read_text(encoding="utf-8")) == json.loads(json.dumps(stored_figures()))
    assert members((DATA / "truth.zip").read_bytes()) == members(truth_archive())
    assert len(read_stored()["design"]["simon"]) == 23


def test_figures_are_compared_as_they_are_said_to_be() -> None:
    """By hand: relative above 1, absolute below; none is equal to none alone."""
    found = compare(
        "g",
        list("abcdef"),
        [100.0000001, 0.1, None, np.nan, 1.0, None],
        [100, 0.1 + 1e-8, None, None, None, 1.0],
        tolerance=1e-8,
        origin="",
    )
    assert [check.verdict for check in found] == [PASSED, PASSED, PASSED, PASSED, FAILED, FAILED]
    with pytest.raises(ValueError, match="zip"):
        compare("g", ["a"], [1.0], [1.0, 2.0], tolerance=1e-9, origin="")


@pytest.mark.shows("FMT-qualification")
def test_the_figures_of_this_installation_are_right() -> None:
    """R and published: a thousand figures and more, each with where it comes from."""
    found = qualify(("performance",))
    assert found.passed, found.failed[:5]
    assert found.counts[PASSED] >= 3800 and found.counts[NOT_RUN] == 0
    assert all("R 4.2.2" in check.origin or check.origin.startswith("published: ") for check in found.checks)
    assert {check.group for check in found.checks} >= {
        "log-rank test",
        "Gray's test",
        "Simon's designs",
        "agreement of two readers",
        "several looks",
    }


@pytest.mark.shows("FMT-qualification", "CMD-qualify")
def test_a_fault_is_found_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By hand: limits of another level fail, exit code 1, and the dossier says which, what was expected and what was found."""
    right = rates.binomial_limits
    monkeypatch.setattr(rates, "binomial_limits", lambda x, n, method="Clopper-Pearson", level=0.95: right(x, n, method, 0.94))
    monkeypatch.setattr("cartrial.qualify.run.FIGURES", (rates.check_rates,))
    code, out, _ = run_cli("qualify", "--only", "performance", "--out", str(tmp_path / "q"))
    held = json.loads((tmp_path / "q" / "qualify.json").read_text(encoding="utf-8"))
    assert code == 1 and out.startswith("Failed: ") and held["verdict"] == FAILED and held["counts"]["failed"] > 100
    page = (tmp_path / "q" / "qualify.html").read_text(encoding="utf-8")
    assert "What failed" in page and "34/48, 95%, lower" in page
    wrong = next(check for check in held["checks"] if check["what"] == "34/48, 95%, lower")
    assert wrong["expected"] == "0.559365220086" and wrong["verdict"] == FAILED


def test_a_part_that_is_none_is_refused(tmp_path: Path) -> None:
    """By hand."""
    code, _, err = run_cli("qualify", "--only", "looks", "--out", str(tmp_path / "q"))
    assert code == 2 and "installation, operation, performance" in err and not (tmp_path / "q").exists()


def test_files_are_held_against_the_record_of_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By hand: SHA-256 of a file, as PEP 376 writes it; a file that was changed, and one that was added."""
    from importlib import metadata

    site = tmp_path / "site"
    (site / "cartrial").mkdir(parents=True)
    (site / "cartrial" / "a.py").write_bytes(b"abc")
    (site / "cartrial" / "b.py").write_bytes(b"changed")
    info = site / "cartrial-9.dist-info"
    info.mkdir()
    # FIPS 180-4 of "abc", in the letters of base 64
    digest = "sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cartrial\nVersion: 9\n", encoding="utf-8")
    (info / "RECORD").write_text(f"cartrial/a.py,{digest},3\ncartrial/b.py,{digest},3\ncartrial-9.dist-info/RECORD,,\n", encoding="utf-8")
    held = metadata.PathDistribution(info)
    monkeypatch.setattr(metadata, "files", lambda _: held.files)
    monkeypatch.setattr(metadata, "distribution", lambda _: held)
    by_name: dict[str, Check] = {check.what: check for check in check_installation()}
    assert by_name["cartrial/a.py"].verdict == PASSED and by_name["cartrial/b.py"].verdict == FAILED
    assert by_name["Python files that the wheel has not"].verdict == PASSED
    (site / "cartrial" / "c.py").write_bytes(b"")
    by_name = {check.what: check for check in check_installation()}
    assert by_name["Python files that the wheel has not"].found == "cartrial/c.py"


def test_the_machine_is_described() -> None:
    """By hand: versions of what the base install needs, and each extra."""
    names = [name for name, _ in describe_machine()]
    assert {"cartrial", "Python", "platform", "polars", "extra submission", "extra review"} <= set(names)


@pytest.mark.slow
@pytest.mark.shows("CMD-qualify")
def test_commands_formats_refusals_and_truth_tables_through_the_command_line(tmp_path: Path) -> None:
    """By hand: the truth tables' values, and what the documentation says of each command."""
    code, out, err = run_cli("qualify", "--only", "operation", "--out", str(tmp_path / "q"))
    held = json.loads((tmp_path / "q" / "qualify.json").read_text(encoding="utf-8"))
    assert code == 0, (out, err)
    assert held["counts"]["passed"] >= 450 and held["parts"] == ["operation"] and set(PARTS) > set(held["parts"])
