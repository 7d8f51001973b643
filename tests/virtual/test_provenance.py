"""Virtual patients are never mistaken for real: whatever form their tables are kept in, and without the file that says so beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cartrial.run import report
from cartrial.study import Study
from cartrial.virtual.trial import simulate
from properties import every

pytest.importorskip("numba", reason="virtual patients need the extra `virtual`")


@pytest.mark.slow
@pytest.mark.parametrize("form", every(5, ["csv", "parquet", "xpt", "dataset-json", "ndjson"]))
def test_simulated_data_read_back_are_virtual(tmp_path: Path, form: str) -> None:
    simulate(Study.load("inaticel"), tmp_path / "data", n=5, form=form)
    (tmp_path / "data" / "about.yaml").unlink()
    report("inaticel", tmp_path / "data", tmp_path / "out")
    assert json.loads((tmp_path / "out" / "run.json").read_text())["provenance"] == "virtual"
    assert {row["provenance"] for row in json.loads((tmp_path / "out" / "results.json").read_text())} == {"virtual"}
    assert "VIRTUAL PATIENTS" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_each_of_several_trials_says_what_it_is(tmp_path: Path) -> None:
    folders = simulate(Study.load("inaticel"), tmp_path / "data", n=3, trials=2)
    assert all("virtual" in (folder / "about.yaml").read_text(encoding="utf-8") for folder in folders)
