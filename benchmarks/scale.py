"""Derive and estimate many trials: 48 subjects, 10 visits, 4 reader calls a visit, every endpoint and variant of `inaticel`.

Prints, for 1,000 and 10,000 trials: seconds, peak memory, and the ratio of the two (linear: 10).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import sys
import time
from functools import partial
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).parent))

from cartrial.analysis import analyse
from cartrial.endpoints import derive
from cartrial.processes import spread
from cartrial.sdtm.records import Records
from cartrial.study import Study
from tiling import one_trial, tile_records

BATCH = 500


def study() -> Study:
    """Return `inaticel` with the cutoff of the invented trial."""
    base = Study.load("inaticel")
    return base.model_copy(update={"study": base.study.model_copy(update={"cutoff": dt.date(2024, 6, 30)})})


def lean(plan: Study, records: Records) -> pl.DataFrame:
    """Derive and estimate as many trials are: numbers, that nobody prints."""
    return analyse(plan, derive(plan, records, texts=False), records, texts=False)


def batch(plan: Study, trial: Records, first: int, number: int) -> pl.DataFrame:
    """Derive and estimate some of the trials."""
    return lean(plan, tile_records(trial, number, first))


def run(trials: int, processes: int = 1) -> dict[str, float]:
    """Derive and estimate; the results of every batch are kept, its analysis data sets are not."""
    work = partial(batch, study(), one_trial())
    start = time.perf_counter()
    spans = [(first, min(BATCH, trials - first)) for first in range(0, trials, BATCH)]
    rows = pl.concat(list(spread(work, spans, processes))).height
    here, others = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    peak = here + (processes * others if processes > 1 else 0)
    return {"trials": trials, "processes": processes, "seconds": time.perf_counter() - start, "rows": rows, "peak_mb": peak}


def main() -> None:
    """Run the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--processes", type=int, default=1, help="the peak memory is then the sum of all at most")
    asked = parser.parse_args()
    sizes = asked.trials
    run(20)
    run(BATCH)  # compile and warm up
    found = [run(size, asked.processes) for size in sizes]
    for row in found:
        print(json.dumps({"benchmark": "derive and estimate", **{key: round(value, 2) for key, value in row.items()}}))
    if len(found) == 2:
        print(json.dumps({"ratio of seconds": round(found[1]["seconds"] / found[0]["seconds"], 2), "ratio of trials": sizes[1] / sizes[0]}))


if __name__ == "__main__":
    main()
