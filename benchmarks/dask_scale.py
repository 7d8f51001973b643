"""Virtual trials of `inaticel` on two Dask workers against one, one thread each: the same batches, the same results.

Prints, for each run: seconds from the command to the last batch, of them those after every worker had finished its first batch, and the
processor seconds of the workers; then the ratios of medians. Processor seconds a trial are what other work on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from cartrial.analysis.results import results_hash
from cartrial.design.batches.run import read_batches
from cartrial.design.trials.stream import stream_trials
from cartrial.study import Study


def run(workers: int, trials: int, batch: int, folder: Path) -> dict[str, float | str]:
    """Run the trials and read the clock at each batch."""
    clock: list[tuple[float, int]] = []
    spent = 0.0

    def progress(done: int, _: int) -> None:
        nonlocal spent
        clock.append((time.perf_counter(), done))
        times = [process.cpu_times() for process in psutil.Process().children(recursive=True)]
        spent = sum(time.user + time.system for time in times)

    load = os.getloadavg()[0]
    stream_trials(Study.load("inaticel"), trials, 1, folder, batch=batch, workers=workers, progress=progress)
    (start, _), (warm, ready), (end, done) = clock[0], clock[workers], clock[-1]
    return {
        "workers": workers,
        "seconds": end - start,
        "ms a trial, warm": 1000 * (end - warm) / (done - ready),
        "worker processor s": spent,
        "load before": load,
        "hash": results_hash(read_batches(folder).collect())[:12],
    }


def main() -> None:
    """Run one and two workers in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=125)
    parser.add_argument("--times", type=int, default=1)
    asked = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as place:
        for i in range(-1, asked.times):
            for workers in (1, 2):
                # the first run compiles
                row = run(workers, asked.trials if i >= 0 else 4 * asked.batch, asked.batch, Path(place) / f"{i}-{workers}")
                if i >= 0:
                    found.append(row)
                    rounded = {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}
                    print(json.dumps({"benchmark": "dask", "trials": asked.trials, "batch": asked.batch, **rounded}), flush=True)
    if len({row["hash"] for row in found}) > 1:
        raise SystemExit("the results differ")

    def ratio(name: str) -> float:
        one, two = (statistics.median(float(row[name]) for row in found if row["workers"] == workers) for workers in (1, 2))
        return round(one / two, 2)

    shown = {
        "whole run": ratio("seconds"),
        "warm": ratio("ms a trial, warm"),
        "processor seconds, one over two": ratio("worker processor s"),
    }
    print(json.dumps({"two workers against one": shown}))


if __name__ == "__main__":
    main()
