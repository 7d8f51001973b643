"""Old beside new: the same work by two checkouts, in turn, a process each, and the ratio of their processor and wall seconds.

    git worktree add ../old COMMIT
    python benchmarks/against.py ../old estimate --trials 500 --times 5

`estimate`: derive and estimate (`scale.py` of each). `concordance`: its tables alone. `trials`: virtual trials of `inaticel` to their
results. `km`: medians with limits of 10,000 trials of 48. `study`: one small study, derived and estimated. Each checkout does the work
as it would by itself; what it has found is compared row by row, where both have the row.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

HERE = Path(__file__).resolve()
KINDS = ("estimate", "concordance", "trials", "km", "study")


def _estimate(trials: int) -> Callable[[], pl.DataFrame]:
    import scale
    from cartrial.analysis import analyse
    from cartrial.endpoints import derive
    from tiling import one_trial, tile_records

    plan, trial = scale.study(), one_trial()
    lean = getattr(scale, "lean", lambda *given: analyse(given[0], derive(*given), given[1]))
    return lambda: pl.concat(lean(plan, tile_records(trial, min(500, trials - at), at)) for at in range(0, trials, 500))


def _concordance(trials: int) -> Callable[[], pl.DataFrame]:
    import scale
    from cartrial.analysis import analyse
    from cartrial.endpoints import derive
    from tiling import one_trial, tile_records

    plan, records = scale.study(), tile_records(one_trial(), trials)
    given = {"texts": False} if "texts" in inspect.signature(derive).parameters else {}
    adam, printed = derive(plan, records, **given), {"texts": False} if "texts" in inspect.signature(analyse).parameters else {}
    return lambda: analyse(plan, adam, records, analyses=["concordance"], **printed)


def _study(_: int) -> Callable[[], pl.DataFrame]:
    import scale
    from cartrial.analysis import analyse
    from cartrial.endpoints import derive
    from tiling import one_trial

    plan, records = scale.study(), one_trial()
    return lambda: analyse(plan, derive(plan, records), records)


def _trials(trials: int) -> Callable[[], pl.DataFrame]:
    from cartrial.design.trials.stream import TrialsJob
    from cartrial.study import Study
    from cartrial.virtual.trial import plan_study, virtual_study

    study = Study.load("inaticel")
    job = TrialsJob(virtual_study(study), plan_study(virtual_study(study), seed=1), None, 1)
    return lambda: pl.concat(job.run(at, min(at + 250, trials) - 1) for at in range(0, trials, 250))


def _km(trials: int) -> Callable[[], pl.DataFrame]:
    import km

    frame = km.simulate_frame(trials, 48)
    medians = getattr(km, "medians", lambda given: km.estimate_survival(given).summary())
    return lambda: medians(frame)


def serve(kind: str, trials: int, out: str) -> None:
    """Do the work once, write what it gives, and again for every line of the input."""
    sys.path[:0] = [str(Path(os.environ["CARTRIAL_CHECKOUT"]) / "benchmarks")]
    work = {"estimate": _estimate, "concordance": _concordance, "trials": _trials, "km": _km, "study": _study}[kind](trials)
    found = work()
    found.with_columns(pl.col(pl.Categorical).cast(pl.String)).write_parquet(out)
    del found
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter(), time.process_time()
        work()
        print(json.dumps([time.process_time() - start[1], time.perf_counter() - start[0]]), flush=True)


def differing(old: Path, new: Path) -> tuple[int, int]:
    """Return how many rows both have, and in how many of them a number differs (by more than 1e-9 of it)."""
    first, second = pl.read_parquet(old), pl.read_parquet(new)
    values = [name for name, kind in first.schema.items() if kind.is_float() and name not in ("time", "conf_level")]
    keys = [name for name in first.columns if name not in (*values, "text", "rules") and name in second.columns]
    if "TRIAL" in keys:
        keys = ["TRIAL"]
    both = first.select(*keys, *values).join(second.select(*keys, *values), on=keys, nulls_equal=True, suffix="_new")
    apart = {name: (pl.col(name) - pl.col(f"{name}_new")).abs() for name in values}
    near = [
        pl.col(name).eq_missing(pl.col(f"{name}_new")) | (gap <= 1e-9 * pl.col(name).abs()).fill_null(False) for name, gap in apart.items()
    ]
    return both.height, both.filter(~pl.all_horizontal(near)).height


def _start(checkout: Path, kind: str, trials: int, out: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "CARTRIAL_CHECKOUT": str(checkout), "POLARS_MAX_THREADS": "1"}
    asked = [sys.executable, str(HERE), str(checkout), kind, "--trials", str(trials), "--serve", str(out)]
    return subprocess.Popen(asked, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(process: subprocess.Popen[str], line: str | None = None) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    if line is not None:
        process.stdin.write(line)
        process.stdin.flush()
    said = process.stdout.readline()
    if not said:
        raise SystemExit("one of the two ended")
    return said.strip()


def main() -> None:
    """Time both in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.kind, given.trials, given.serve)
        return
    with tempfile.TemporaryDirectory() as place:
        wanted = {"old": given.old.resolve(), "new": HERE.parents[1]}
        kept = {name: Path(place) / f"{name}.parquet" for name in wanted}
        running = {name: _start(path, given.kind, given.trials, kept[name]) for name, path in wanted.items()}
        for process in running.values():
            _ask(process)
        rows, odd = differing(kept["old"], kept["new"])
        spent: dict[str, list[list[float]]] = {name: [] for name in running}
        for _ in range(given.times):
            for name, process in running.items():
                spent[name].append(json.loads(_ask(process, "again\n")))
        for process in running.values():
            process.communicate()
    shown: dict[str, Any] = {"benchmark": given.kind, "trials": given.trials, "times": given.times, "rows in both": rows, "differ": odd}
    for place_of, clock in enumerate(("processor", "wall")):
        middle = {name: statistics.median(one[place_of] for one in times) for name, times in spent.items()}
        shown |= {f"{name} {clock} s": round(seconds, 3) for name, seconds in middle.items()}
        shown[f"{clock} ratio"] = round(middle["old"] / middle["new"], 2)
    print(json.dumps(shown))


if __name__ == "__main__":
    main()
