"""How near do individuals of a published curve come to those of the trial, and in what time, against Guyot's algorithm, in one run?

    python benchmarks/curves.py [--rounds 5]

Four sets of R's survival (tests/oracle/curves.json): two arms, read as vertices, vertices with marks of censoring, or pixels, with numbers
at risk at eighths and the total of events, or with one of them. Of each the error of the log hazard ratio, events too many in each arm, and
processor milliseconds for both arms, median of the rounds, after compiling. Guyot's algorithm is ours, given every vertex as a point. Then
1,000 further reconstructions of an arm of 50.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from cartrial.analysis import estimate_cox
from cartrial.evidence.curves import Reading, Reconstruction, arms_frame, reconstruct_curve

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from curve_truth import SETS, Arm, truth

READ = {
    "vertices": lambda arm: arm.vector(ticks=False),
    "vertices and marks": lambda arm: arm.vector(ticks=True),
    "pixels": lambda arm: arm.pixel(),
    "Guyot": lambda arm: arm.clicks(),
}
CASES = [
    *(("rows and events", name) for name in READ),
    *(("events", name) for name in ("vertices", "pixels", "Guyot")),
    *(("rows", name) for name in ("vertices", "pixels", "Guyot")),
    ("n alone", "vertices and marks"),
]


def reconstruct(arm: Arm, read: str, known: str) -> Reconstruction:
    """Reconstruct one arm."""
    return reconstruct_curve(
        READ[read](arm), arm.n, rows=arm.rows if "rows" in known else (), events=arm.events if "events" in known else None
    )


def measure(name: str, read: str, known: str, rounds: int) -> tuple[float | None, list[int], float]:
    """Return the error of the log hazard ratio (None where it is refused), events too many, and processor milliseconds."""
    arms, seconds = truth(name).arms, []
    found = [reconstruct(arm, read, known) for arm in arms]
    for _ in range(rounds):
        start = time.process_time()
        found = [reconstruct(arm, read, known) for arm in arms]
        seconds.append(time.process_time() - start)
    off = [int((one.status == 0).sum()) - arm.events for one, arm in zip(found, arms, strict=True)]
    ratio = float(estimate_cox(arms_frame(*found), ["ARM"])["coefficient"][0])
    return abs(ratio - truth(name).log_hr), off, 1000 * statistics.median(seconds)


def fifty(rounds: int) -> float:
    """Return processor seconds for 1,000 members of an arm of 50: exponential events, uniform censoring, read as pixels, events known."""
    random = np.random.default_rng(3)
    event, lost = random.exponential(20, 50), random.uniform(6, 40, 50)
    time_, status = np.minimum(event, lost), event > lost
    at = np.unique(time_[~status])
    survival = np.cumprod([1 - ((time_ == t) & ~status).sum() / (time_ >= t).sum() for t in at])
    reading = Reading("pixel", at, np.round(survival * 1200) / 1200, float(time_.max()), None, 0.014, 1 / 4157)
    seconds = []
    for _ in range(rounds + 1):
        start = time.process_time()
        reconstruct_curve(reading, 50, events=int((~status).sum()), members=1000)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds[1:])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print("| known beside n | read | " + " | ".join(SETS) + " | processor ms, both arms |")
    print("| --- | --- |" + " --- |" * (len(SETS) + 1))
    for known, read in CASES:
        cells, spent = [], []
        for name in SETS:
            error, off, milliseconds = measure(name, read, known, rounds)
            cells.append(f"{error:.4f}, {off[0]:+d} {off[1]:+d}".replace("+0", "0"))
            spent.append(milliseconds)
        print(f"| {known} | {read} | {' | '.join(cells)} | {min(spent):.0f} to {max(spent):.0f} |", flush=True)
    print(f"1,000 members of an arm of 50 (pixels, events): {fifty(rounds):.2f} s")


if __name__ == "__main__":
    main()
