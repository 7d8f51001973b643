"""How long does it take to write virtual trials as SDTM, and to simulate those that never become files?

python benchmarks/emission.py                           200 trials emitted, 500 trials simulated and derived (about 3 minutes)
python benchmarks/emission.py --other /path/to/src      the same beside another version, in turns in one run

Seconds are of the processor, one thread. Each turn is a process of its own; its first trials, which compile and warm up, do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time


def emit(trials: int) -> float:
    """Return seconds of the processor for so many trials as SDTM."""
    from cartrial.study import Study
    from cartrial.virtual.trial import emit_sdtm, plan_study

    study = Study.load("inaticel")
    plan = plan_study(study)
    emit_sdtm(study, plan=plan)
    start = time.process_time()
    for trial in range(trials):
        emit_sdtm(study, plan=plan, trial=trial, threads=1)
    return time.process_time() - start


def results(trials: int) -> float:
    """Return seconds of the processor for so many trials from patients to results, without files."""
    from cartrial.analysis import analyse
    from cartrial.endpoints import derive
    from cartrial.study import Study
    from cartrial.virtual.trial import plan_study, simulate_study, virtual_study

    study = virtual_study(Study.load("inaticel"))
    plan = plan_study(study)

    def run(first: int, number: int) -> None:
        records = simulate_study(study, plan=plan, first=first, trials=number, threads=1)
        analyse(study, derive(study, records), records)

    run(0, 50)
    start = time.process_time()
    for first in range(0, trials, 100):
        run(first, min(100, trials - first))
    return time.process_time() - start


def main() -> None:
    """Run in turns, and print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--other", help="src of another version")
    parser.add_argument("--emitted", type=int, default=200)
    parser.add_argument("--simulated", type=int, default=500)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--turn", choices=("emit", "results"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sizes = {"emit": asked.emitted, "results": asked.simulated}
    if asked.turn:
        print({"emit": emit, "results": results}[asked.turn](sizes[asked.turn]))
        return
    versions = {"this": None} | ({"other": asked.other} if asked.other else {})
    for what, size in sizes.items():
        seconds: dict[str, list[float]] = {name: [] for name in versions}
        for _ in range(asked.turns):
            for name, path in versions.items():
                env = dict(os.environ) | ({"PYTHONPATH": path, "CARTRIAL_CACHE": f"{path}/../.cache"} if path else {})
                command = [sys.executable, __file__, "--turn", what, "--emitted", str(asked.emitted), "--simulated", str(asked.simulated)]
                seconds[name].append(float(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout))
        found = {name: round(statistics.median(times), 2) for name, times in seconds.items()}
        found |= {"ratio": round(found["this"] / found["other"], 3)} if asked.other else {}
        print(
            json.dumps({"benchmark": what, "trials": size, "seconds": {k: [round(t, 2) for t in v] for k, v in seconds.items()}, **found})
        )


if __name__ == "__main__":
    main()
