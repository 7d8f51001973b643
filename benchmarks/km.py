"""How fast are Kaplan-Meier medians with log(-log) limits of 10,000 trials of 48 subjects, against R and lifelines, in one run?

    python benchmarks/km.py [--trials 10000] [--subjects 48]

The package: unsorted frame in, result frame out, median of five; beside it the same read from whole curves, as without the extra `fast`
(and as all of it was before one pass gave them), in turn. R: `survfit` and `quantile` looped over the same trials
(benchmarks/km_loop.R, if Rscript is there). lifelines: `KaplanMeierFitter` with its median and limits, looped over the first
300 trials and scaled to all. The figures must be the same.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl

from cartrial import kernels
from cartrial.analysis import estimate_survival

LIFELINES_TRIALS = 300


def simulate_frame(trials: int, subjects: int) -> pl.DataFrame:
    """Exponential times in whole days, uniform censoring, rows shuffled."""
    random = np.random.default_rng(20220927)
    rows = trials * subjects
    event, censored = random.exponential(400, rows), random.uniform(60, 900, rows)
    frame = pl.DataFrame(
        {
            "TRIAL": np.repeat(np.arange(trials, dtype=np.int32), subjects),
            "AVAL": np.ceil(np.minimum(event, censored)).astype(np.int32),
            "CNSR": (censored < event).astype(np.int8),
        }
    )
    return frame.sample(fraction=1.0, shuffle=True, seed=1)


def time_package(frame: pl.DataFrame, times: int = 5) -> tuple[float, float, pl.DataFrame]:
    """Return the median seconds of one pass and of whole curves, in turn, and the result; stop unless both are the same to the last bit."""
    result = estimate_survival(frame).summary()
    seconds: dict[int, list[float]] = {kernels.COMPILE_FROM: [], 1 << 60: []}
    for _ in range(times):
        for rows, spent in seconds.items():
            with patch.object(kernels, "COMPILE_FROM", rows), patch.object(kernels, "PATIENCE", 1 << 30):
                start = time.perf_counter()
                found = estimate_survival(frame).summary()
                spent.append(time.perf_counter() - start)
            if not found.equals(result):
                raise SystemExit("the pass and the curves differ")
    passed, curves = map(statistics.median, seconds.values())
    return passed, curves, result


def compare(name: str, found: pl.DataFrame, expected: pl.DataFrame, excused: Sequence[int] = ()) -> None:
    """Stop unless median and limits are the same in every trial that is not excused; say in how many excused ones they differ."""
    pairs = found.join(expected, on="TRIAL", how="inner", suffix="_other").sort("TRIAL")
    assert pairs.height == expected.height
    differs = np.zeros(pairs.height, bool)
    for column in ("median", "median_lower", "median_upper"):
        a, b = (pairs[c].cast(pl.Float64).fill_null(np.inf).to_numpy() for c in (column, f"{column}_other"))
        differs |= ~np.isclose(a, b, rtol=1e-9, atol=0)
    trials = pairs["TRIAL"].filter(pl.Series(differs))
    if not trials.is_in(list(excused)).all():
        raise SystemExit(f"{name}: median or limits differ in {differs.sum()} of {pairs.height} trials, first in trial {trials[0]}")
    print(f"{name}: same medians and limits in {pairs.height - differs.sum()} of {pairs.height} trials")


def time_r(frame: pl.DataFrame) -> tuple[float, pl.DataFrame] | None:
    """Run the loop in R; None where R is not there."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        trials, medians = Path(folder) / "trials.csv", Path(folder) / "medians.csv"
        frame.select(trial="TRIAL", time="AVAL", event=1 - pl.col("CNSR")).write_csv(trials)
        done = subprocess.run(
            ["Rscript", str(Path(__file__).with_name("km_loop.R")), str(trials), str(medians)], capture_output=True, text=True, check=True
        )
        names = {"trial": "TRIAL", "lower": "median_lower", "upper": "median_upper"}
        return json.loads(done.stdout)["seconds_loop"], pl.read_csv(
            medians, schema_overrides={"trial": pl.Int32, **dict.fromkeys(("median", "lower", "upper"), pl.Float64)}
        ).rename(names)


def time_lifelines(frame: pl.DataFrame) -> tuple[float, pl.DataFrame] | None:
    """Loop lifelines over the first trials; return seconds for all trials, scaled, and the result."""
    try:
        from lifelines import KaplanMeierFitter
        from lifelines.utils import median_survival_times
    except ModuleNotFoundError:
        return None
    some = frame.filter(pl.col("TRIAL") < LIFELINES_TRIALS)
    parts = [(key[0], part["AVAL"].to_numpy(), 1 - part["CNSR"].to_numpy()) for key, part in some.group_by("TRIAL", maintain_order=True)]
    rows = []
    start = time.perf_counter()
    for trial, times, events in parts:
        fit = KaplanMeierFitter().fit(times, events)
        limits = median_survival_times(fit.confidence_interval_)
        rows.append((trial, fit.median_survival_time_, *limits.iloc[0].tolist()))
    seconds = (time.perf_counter() - start) * frame["TRIAL"].n_unique() / len(parts)
    return seconds, pl.DataFrame(
        rows, schema={"TRIAL": pl.Int32, "median": pl.Float64, "median_lower": pl.Float64, "median_upper": pl.Float64}, orient="row"
    )


def main() -> None:
    """Time the three and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--subjects", type=int, default=48)
    given = parser.parse_args()
    frame = simulate_frame(given.trials, given.subjects)
    seconds, curves, result = time_package(frame)
    print(f"cartrial: {seconds:.3f} s for {given.trials} trials of {given.subjects} (unsorted frame in, result frame out, median of 5)")
    print(f"cartrial, read from whole curves: {curves:.3f} s, {curves / seconds:.1f} times as long, the same in every trial")
    if (r := time_r(frame)) is not None:
        compare("R survfit and quantile, looped", result, r[1])
        print(f"R: {r[0]:.2f} s (the loop alone), {r[0] / seconds:.0f} times as long")
    if (other := time_lifelines(frame)) is not None:
        odd = _conventions(frame.filter(pl.col("TRIAL") < LIFELINES_TRIALS))
        compare("lifelines, looped (where S reaches 0 or is exactly one half it may depart from R)", result, other[1], odd)
        print(f"lifelines: {other[0]:.1f} s (scaled from {LIFELINES_TRIALS} trials), {other[0] / seconds:.0f} times as long")


def _conventions(frame: pl.DataFrame) -> list[int]:
    """Trials in which lifelines may depart from R: S is exactly one half (it takes the first such time, R the midpoint), or S = 0 (it takes
    the last time as the upper limit, R none)."""
    steps = estimate_survival(frame).steps()
    odd = ((pl.col("survival") - 0.5).abs() < 1e-8) | (pl.col("survival") < 1e-12)
    return steps.filter(odd)["TRIAL"].unique().sort().to_list()


if __name__ == "__main__":
    main()
