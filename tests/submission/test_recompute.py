"""Every figure follows from the submitted sets: R recomputes them from the XPT files alone.

Origin: `R` (`recompute.r` of an export, kept in `tests/oracle/recomputed`; R reads XPT by `foreign`, and estimates by `survival`, `cmprsk`
and base R). Where R is installed the program itself runs.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from cartrial.analysis import analyse
from cartrial.analysis.further import analyse_further
from cartrial.analysis.results import ANALYSES, FURTHER
from cartrial.run import derive_data, load_data
from cartrial.submission import Job
from cartrial.submission.files.programs import program_text
from helpers import ORACLE, ROOT, run_cli

KEY = ["analysis", "endpoint", "variant", "by", "level", "time", "statistic", "WINDOW", "WHO"]
TYPES = {"level": pl.String, "value": pl.Float64, "time": pl.Float64}
TEXTS = ["variant", "by", "level", "window", "population"]


def keyed(frame: pl.DataFrame) -> pl.DataFrame:
    """The key by which figures are matched: windows tell deaths apart, populations the end of the study."""
    death = (pl.col("endpoint") == "DEATH") & (pl.col("by") == "")
    return frame.with_columns(
        pl.when(death).then("window").otherwise(pl.lit("")).alias("WINDOW"),
        pl.when(pl.col("endpoint") == "status").then("population").otherwise(pl.lit("")).alias("WHO"),
        pl.col("time").cast(pl.Float64).fill_null(-1.0),
    )


def compare(name: str, analyses: tuple[str, ...] = (*ANALYSES, *FURTHER)) -> int:
    """Compare R's figures with the results, and return how many are numbers in both."""
    folder = ROOT / "examples" / name
    data = load_data(folder, folder / "data")
    derived = derive_data(data)
    made = [analyse(data.study, derived.adam, derived.records, analyses=[one for one in analyses if one in ANALYSES])]
    made += [analyse_further(data.study, derived.adam, derived.records)] if set(analyses) & set(FURTHER) else []
    results = keyed(pl.concat(made))
    recomputed = pl.read_csv(
        ORACLE / "recomputed" / f"{name}.csv", schema_overrides={"level": pl.String, "value": pl.Float64, "time": pl.Float64}
    )
    recomputed = recomputed.filter(pl.col("analysis").is_in(analyses))
    recomputed = keyed(recomputed.with_columns(pl.col(TEXTS).cast(pl.String).fill_null("")))
    both = recomputed.join(results.select(*KEY, printed="value"), on=KEY, how="left")
    assert both.height == recomputed.height
    far = (pl.col("value") - pl.col("printed")).abs() > 1e-9 * pl.max_horizontal(pl.lit(1.0), pl.col("printed").abs())
    wrong = both.filter(far.fill_null(False) | (pl.col("value").is_null() != pl.col("printed").is_null()))
    assert wrong.is_empty(), wrong
    return both["value"].count()


def test_rates_and_counts_of_lymphoma() -> None:
    assert compare("worked-lymphoma", ("flow", "response", "safety")) == 93


@pytest.mark.slow
@pytest.mark.shows("FMT-recompute-r")
def test_every_figure() -> None:
    assert compare("worked-lymphoma") == 626
    assert compare("worked") == 1782


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
@pytest.mark.parametrize("name", ["inaticel", "worked", "worked-lymphoma"])
def test_the_program_itself_finds_no_difference(name: str, tmp_path: Path) -> None:
    folder = ROOT / "examples" / name
    asked = (name, "--virtual") if name == "inaticel" else (str(folder), "--data", str(folder / "data"))
    assert run_cli("export", *asked, "--only", "adam,ard", "--out", str(tmp_path))[0] == 0
    program = next(tmp_path.rglob("recompute.r"))
    done = subprocess.run(["Rscript", program.name], cwd=program.parent, capture_output=True, text=True, check=False)
    if "there is no package" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[0])
    assert done.returncode == 0 and " 0 differences" in done.stdout, done.stdout + done.stderr
    assert int(done.stdout.split(" figures")[0].split()[-1]) > {"inaticel": 2650, "worked": 1780, "worked-lymphoma": 620}[name]


@pytest.mark.shows("FMT-recompute-r")
def test_no_result_stands_in_the_program(job: Job) -> None:
    """It holds what the study file asks for (by hand: the level, the tests' nulls, the limits) and reads sets alone."""
    text = program_text(job.study, job.adam)
    assert 'level_of <- 0.95\ninterval <- "clopper-pearson"' in text
    assert "results.json" not in text
