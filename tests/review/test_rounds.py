"""Worked subjects and the truth table, read by a committee through the pages: the report of what comes out is that of the source.

Origin of every expectation: `independent`, the report of the source's own rows; and `by hand`, the truth table (tests/truth/README.md).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from helpers import ROOT, run_cli
from review_example import read_source

TRUTH = ROOT / "tests" / "truth"


def chartered(folder: Path, tmp: Path) -> Path:
    """Return a copy of a study's folder whose charter has assessments before the infusion read too."""
    shutil.copytree(folder, tmp / "study")
    path = tmp / "study" / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nreview: {baseline: true}\n", encoding="utf-8")
    return tmp / "study"


def read_round(folder: Path, tmp: Path) -> tuple[Path, Path, int]:
    """Let a committee read a study's data; return the study, what was exported, and how many reads."""
    from cartrial.run import load_data

    study = chartered(folder, tmp)
    many = read_source(load_data(study, study / "data"), study / "data", tmp / "out")
    return study, tmp / "out" / "data", many


def rows_of(study: Path, data: Path, out: Path) -> set[str]:
    """Return the results of a report but the agreement of readers, whom the source does not have for every subject."""
    assert run_cli("report", str(study), "--data", str(data), "--out", str(out))[0] == 0
    results = pl.read_parquet(out / "results.parquet").filter(pl.col("analysis") != "concordance")
    return {json.dumps(row, sort_keys=True) for row in results.to_dicts()}


@pytest.mark.slow
def test_worked_subjects_of_lymphoma_read_by_a_committee_give_the_results_of_their_own_rows(tmp_path: Path) -> None:
    study, exported, _ = read_round(ROOT / "examples" / "worked-lymphoma", tmp_path)
    wanted, found = rows_of(study, study / "data", tmp_path / "own"), rows_of(study, exported, tmp_path / "ours")
    assert len(wanted) > 500 and found == wanted


def derived(study: Path, data: Path, out: Path) -> list[tuple[object, ...]]:
    """Return the values of the committee's endpoints."""
    assert run_cli("derive", str(study), "--data", str(data), "--out", str(out))[0] == 0
    rates, times = (pl.read_parquet(out / "adam" / f"{name}.parquet") for name in ("ADRS", "ADTTE"))
    return sorted(rates.select("USUBJID", "PARAMCD", "VARIANT", "AVAL", "AVALC").rows()) + sorted(
        times.select("USUBJID", "PARAMCD", "VARIANT", "AVAL", "CNSR").rows()
    )


@pytest.mark.parametrize(
    "name",
    [
        "options_crh",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("lymphoma", "lab_beside_inv", "readers_more", "strategies", "sustained")),
    ],
)
def test_the_truth_table_read_by_a_committee_keeps_every_value(name: str, tmp_path: Path) -> None:
    study, exported, many = read_round(TRUTH / name, tmp_path)
    assert many > 0
    assert derived(study, exported, tmp_path / "ours") == derived(study, study / "data", tmp_path / "own")
