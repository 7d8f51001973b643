"""The worked subjects and the truth table, as SDTM through the command line.

Origin of every expected value: `by hand`, written from the rules by someone who had not seen the code (tests/truth/README.md).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from cartrial.cli.app import app
from cartrial.endpoints import CNSR_CODES, kind_of_end
from cartrial.errors import InputError
from helpers import ROOT, WORKED
from properties import every

TRUTH = ROOT / "tests" / "truth"
STUDIES = {
    "worked": (WORKED, TRUTH / "worked_expected.csv", TRUTH / "worked_expected_status.csv"),
    "worked-children": (ROOT / "examples" / "worked-children", TRUTH / "worked_children_expected.csv", TRUTH / "none"),
    "worked-lymphoma": (ROOT / "examples" / "worked-lymphoma", TRUTH / "worked_lymphoma_expected.csv", TRUTH / "none"),
} | {
    folder.name: (folder, folder / "expected.csv", folder / "expected_status.csv")
    for folder in sorted(TRUTH.iterdir())
    if (folder / "study.yaml").is_file() and folder.name != "death_nodate"
}


@pytest.fixture(scope="module", params=every(2, STUDIES))
def derived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder, expected, status = STUDIES[request.param]
    out = tmp_path_factory.mktemp(request.param)
    result = CliRunner().invoke(app, ["derive", str(folder), "--data", str(folder / "data"), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return out / "adam", expected, status


def _read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False).fill_null("")


def _found(adam: Path) -> pl.DataFrame:
    whole = pl.col("AVAL").cast(pl.Int64).cast(pl.String).fill_null("")
    rates = pl.read_parquet(adam / "ADRS.parquet").select(
        "USUBJID", "PARAMCD", "VARIANT", whole, pl.col("AVALC"), pl.lit("").alias("CNSR"), pl.lit("").alias("DESC")
    )
    times = pl.read_parquet(adam / "ADTTE.parquet").select(
        "USUBJID",
        "PARAMCD",
        "VARIANT",
        whole,
        pl.lit("").alias("AVALC"),
        kind_of_end().cast(pl.String),
        pl.coalesce("EVNTDESC", "CNSDTDSC").alias("DESC"),
    )
    return pl.concat([rates, times])


@pytest.mark.shows("CMD-derive")
def test_every_cell_of_the_truth_table_by_hand(derived: tuple[Path, Path, Path]) -> None:
    adam, expected, _ = derived
    table = _read(expected)
    joined = table.join(_found(adam), on=["USUBJID", "PARAMCD", "VARIANT"], how="left", suffix="_FOUND")
    absent = pl.col("AVALC") == "ABSENT"
    equal = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_FOUND") for name in ("AVAL", "AVALC", "CNSR")) & (
        (pl.col("DESC") == "") | (pl.col("DESC") == pl.col("DESC_FOUND"))
    )
    wrong = joined.filter(pl.when(absent).then(pl.col("AVAL_FOUND").is_not_null()).otherwise(~equal.fill_null(False)))
    assert wrong.is_empty(), wrong.to_dicts()


def test_every_status_of_the_truth_table_by_hand(derived: tuple[Path, Path, Path]) -> None:
    adam, _, status = derived
    if not status.is_file():
        return
    found = pl.read_parquet(adam / "ADRESP.parquet").select(
        "USUBJID", "READER", pl.col("CARDAY").cast(pl.String), "AVALC", pl.col("MRD").fill_null("")
    )
    joined = _read(status).join(found, on=["USUBJID", "READER", "CARDAY"], how="left", suffix="_FOUND")
    equal = (pl.col("AVALC") == pl.col("AVALC_FOUND")) & ((pl.col("MRD") == "") | (pl.col("MRD") == pl.col("MRD_FOUND")))
    wrong = joined.filter(pl.when(pl.col("AVALC") == "ABSENT").then(pl.col("AVALC_FOUND").is_not_null()).otherwise(~equal.fill_null(False)))
    assert wrong.is_empty(), wrong.to_dicts()


@pytest.mark.shows("RULE-3.13")
def test_reasons_of_mrd_are_the_most_telling_by_hand(tmp_path: Path) -> None:
    """A remission with MRD positive or not evaluable, then one without a sample: the first says why."""
    folder = TRUTH / "readers_more"
    CliRunner().invoke(app, ["derive", str(folder), "--data", str(folder / "data"), "--out", str(tmp_path)], catch_exceptions=False)
    rows = pl.read_parquet(tmp_path / "adam" / "ADRS.parquet").filter((pl.col("PARAMCD") == "MRDN3") & (pl.col("VARIANT") == ""))
    found = dict(rows.select("USUBJID", "REASON").rows())
    assert found["MORE-04"] == "mrd-positive"
    assert found["MORE-05"] == "mrd-not-evaluable"
    assert rows.filter(pl.col("USUBJID") == "MORE-04")["CARDAY"][0] == 28


def test_the_truth_table_is_whole() -> None:
    worked = _read(TRUTH / "worked_expected.csv")
    assert {f"WORKED-{i:02d}" for i in range(1, 17)} <= set(worked["USUBJID"])
    subjects = sum(_read(expected)["USUBJID"].n_unique() for _, expected, _ in STUDIES.values())
    assert subjects >= 16 + 60


@pytest.mark.shows("RULE-1.11")
def test_a_death_without_a_date_is_refused(tmp_path: Path) -> None:
    folder = TRUTH / "death_nodate"
    with pytest.raises(InputError, match="no source dates the death"):
        CliRunner().invoke(
            app, ["derive", str(folder), "--data", str(folder / "data"), "--out", str(tmp_path / "out")], catch_exceptions=False
        )
    assert not (tmp_path / "out").exists()


def test_one_integer_of_cnsr_for_each_reason(derived: tuple[Path, Path, Path]) -> None:
    """Rules 9, A21: an event is 0; each reason for censoring and each competing event has its own integer, and EVNTDESC says which."""
    times = pl.read_parquet(derived[0] / "ADTTE.parquet")
    names = {code: name for name, code in CNSR_CODES.items()}
    for code, ended, reason in times.drop_nulls("CNSR").select("CNSR", "EVNTDESC", "CNSDTDSC").unique().rows():
        assert reason == (names[code] if code in range(1, 20) else None)
        # of a relapse EVNTDESC says the antigen too
        assert ended == reason if reason else ended.partition(",")[0] in names[code] or code == 0
