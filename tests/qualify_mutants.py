"""Does `cartrial qualify` find a fault that was planted in the package?

python tests/qualify_mutants.py [FIRST LAST]      plants each of `MUTANTS` in a copy of the package, runs the part that must find it

Each mutant is one change of one line: a sign, a `<` for a `<=`, a constant, a rule that is left out. Exit code 1 where one is not found.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Mutant(NamedTuple):
    """A change of one line, and the part of the qualification that must fail by it."""

    what: str
    file: str
    old: str
    new: str
    part: str


RATES, TIMES = "endpoints/rules/rate_kernel.py", "endpoints/rules/time_kernel.py"
MUTANTS = [
    Mutant("one-sided tail", "analysis/estimators/rates.py", "tail = (1 - conf_level) / 2", "tail = 1 - conf_level", "performance"),
    Mutant("Wilson: sign", "analysis/estimators/rates.py", "middle - half, middle + half", "middle - half, middle - half", "performance"),
    Mutant(
        "mid-p: half left out",
        "analysis/estimators/rates.py",
        "_at_least(x, n, p)) / 2 < tail",
        "_at_least(x, n, p)) / 2 <= 2 * tail",
        "performance",
    ),
    Mutant("median: no midpoint", "analysis/estimators/km.py", "return (first + second) / 2", "return first", "performance"),
    Mutant(
        "restricted mean: tail",
        "analysis/estimators/km.py",
        "np.maximum(horizon - table.last_time, 0.0)",
        "np.maximum(horizon - table.last_time, 1.0)",
        "performance",
    ),
    Mutant(
        "log-rank: ties", "analysis/estimators/logrank.py", "(n - d) / np.maximum(n - 1, 1)", "(n - d) / np.maximum(n, 1)", "performance"
    ),
    Mutant(
        "incidence: ties of variance",
        "analysis/estimators/incidence.py",
        "own_weight = own * (1 - ",
        "own_weight = own * (1 + ",
        "performance",
    ),
    Mutant("Gray: ties", "analysis/estimators/gray.py", "tie = 1 - np.where(died > 1", "tie = 1 + np.where(died > 1", "performance"),
    Mutant(
        "kappa: error",
        "analysis/estimators/agreement.py",
        "np.sqrt(variance / (n * (1 - chance) ** 2))",
        "np.sqrt(variance / (n * (1 - chance)))",
        "performance",
    ),
    Mutant(
        "two stages: a look's limit",
        "design/exact/staged_kernel.py",
        "max(reached.first, look.low + 1)",
        "max(reached.first, look.low)",
        "performance",
    ),
    Mutant(
        "Simon: type I error", "design/exact/simon_kernel.py", "chance_of_success(null, stages, need) <= rule.alpha", "True", "performance"
    ),
    Mutant(
        "window: last day",
        RATES,
        "window.begin <= read.day <= window.end and open_",
        "window.begin <= read.day < window.end and open_",
        "operation",
    ),
    Mutant("nearest visit: ties", RATES, "if gap <= best:", "if gap < best:", "operation"),
    Mutant("what stops first", RATES, "first = stop.day < outcome.day or", "first = stop.day > outcome.day or", "operation"),
    Mutant(
        "event on one date",
        TIMES,
        "PLACE_ON_DATE[one.code] < PLACE_ON_DATE[other.code]",
        "PLACE_ON_DATE[one.code] > PLACE_ON_DATE[other.code]",
        "operation",
    ),
    Mutant("missed visits", TIMES, "missed >= rule.missed > 0", "missed > rule.missed > 0", "operation"),
    Mutant(
        "deaths are no events",
        TIMES,
        "if rule.on_death and subject.death < FAR:",
        "if rule.on_death and subject.death < 0:",
        "operation",
    ),
    Mutant(
        "operators of limits",
        "response/range_kernel.py",
        "(found.high < limit.value, found.high <= limit.value,",
        "(found.high <= limit.value, found.high <= limit.value,",
        "operation",
    ),
    Mutant(
        "on a limit of marrow",
        "response/range_kernel.py",
        "return (found.low >= limit.value,",
        "return (found.low > limit.value,",
        "operation",
    ),
    Mutant("days near a sample", "response/lab_kernel.py", "if gap <= NEAR_DAYS:", "if gap < NEAR_DAYS:", "operation"),
    Mutant(
        "readers: relapse overrules",
        "response/readers_kernel.py",
        "rows.day[row] >= relapse and",
        "rows.day[row] > relapse + 9999 and",
        "operation",
    ),
    Mutant("a file that was changed", "analysis/wording.py", '"""', '""" ', "installation"),
    Mutant(
        "Cox: ties by Efron",
        "analysis/estimators/models/likelihood.py",
        "fraction = (rows - start) / tied if efron",
        "fraction = (rows - start) / (tied + 1) if efron",
        "performance",
    ),
    Mutant("hazard ratio: one tail", "analysis/estimators/models/terms.py", "p_value = 2 * ndtr(", "p_value = ndtr(", "performance"),
    Mutant(
        "log-rank: degrees of freedom",
        "analysis/estimators/logrank.py",
        "chdtrc(np.maximum(df, 1),",
        "chdtrc(np.maximum(df, 1) + 1,",
        "performance",
    ),
    Mutant(
        "landmark: its own day left out",
        "analysis/estimators/km.py",
        "reached = last_before(table.time, offsets, when)\n        row",
        "reached = last_before(table.time, offsets, when, inclusive=False)\n        row",
        "performance",
    ),
    Mutant(
        "median of many: upper limit",
        "analysis/estimators/km_kernel.py",
        "value = 1.0 - math.exp(log / spread)",
        "value = 1.0 - math.exp(log * spread)",
        "performance",
    ),
    Mutant(
        "Fine-Gray: censored before events",
        "analysis/estimators/models/likelihood.py",
        "after = len(rank) - np.cumsum(left) - ",
        "after = len(rank) - np.cumsum(left) + left - ",
        "performance",
    ),
    Mutant(
        "after two stages: order of outcomes",
        "design/exact/inference.py",
        "return side * most + outcomes.x",
        "return side * most - outcomes.x",
        "performance",
    ),
    Mutant("unit: cells a microlitre", "sdtm/vocabulary/units.py", '"ul": 1e3', '"ul": 1e2', "operation"),
    Mutant(
        "readers: relapses 14 days apart",
        "response/readers_kernel.py",
        "if apart > RELAPSE_APART:",
        "if apart >= RELAPSE_APART:",
        "operation",
    ),
    Mutant(
        "blasts seen again within 7 days",
        "response/lab_kernel.py",
        "0 < abs(blood.day[j] - day) <= NEAR_DAYS",
        "0 < abs(blood.day[j] - day) < NEAR_DAYS",
        "operation",
    ),
    Mutant(
        "days after a transfusion",
        "response/lab_kernel.py",
        "transfusions.day[j] <= free_days",
        "transfusions.day[j] < free_days",
        "operation",
    ),
    Mutant(
        "first day that counts",
        TIMES,
        "since = start if start > subject.day0 else subject.day0 + 1",
        "since = start if start > subject.day0 else subject.day0",
        "operation",
    ),
    Mutant("last read before an event", TIMES, "else (event.day - 1 if event.day < FAR", "else (event.day if event.day < FAR", "operation"),
    Mutant("date of death: one day later", "endpoints/course.py", 'pl.col("ALIVE") + 1', 'pl.col("ALIVE") + 2', "operation"),
    Mutant(
        "relapse: exactly its day",
        TIMES,
        "since <= reads.day[i] < day:\n                day, source",
        "since < reads.day[i] < day:\n                day, source",
        "operation",
    ),
]


FIRST = """
import sys, tempfile
from pathlib import Path
from cartrial.qualify.checks import FAILED
from cartrial.qualify.figures import FIGURES, check_second
from cartrial.qualify.installation import check_installation
from cartrial.qualify.operation import check_tables
from cartrial.qualify.operation.truth import check_compiled
from cartrial.qualify.stored import unpack_truth
def checks(part, place):
    if part == "installation":
        yield from check_installation()
    elif part == "operation":
        yield from check_tables(Path(place))
    elif part == "compiled":
        unpack_truth(Path(place, "truth"))
        yield from check_compiled(Path(place))
    else:
        for check in FIGURES:
            yield from check()
        yield from check_second(1)
with tempfile.TemporaryDirectory() as place:
    wrong = next((check for check in checks(sys.argv[1], place) if check.verdict == FAILED), None)
if wrong:
    print(f"{wrong.group}: {wrong.what}: expected {wrong.expected}, found {wrong.found}"[:150])
sys.exit(1 if wrong else 0)
"""
"""The checks of a part, in the order of the dossier, up to the first that fails; of operation, those of the truth tables alone."""


STALE = Mutant(
    "a stale kernel",
    RATES,
    "window.begin <= read.day <= window.end and open_",
    "window.begin <= read.day <  window.end and open_",
    "compiled",
)


def planted(mutant: Mutant, folder: Path, wheel: Path) -> bool:
    """Say whether the qualification of an installed wheel fails by a mutant: the first check of its part that fails."""
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile", "--target", str(site), str(wheel)], check=True
    )
    place = site / "cartrial" / mutant.file
    text = place.read_text(encoding="utf-8")
    if mutant.old not in text:
        raise SystemExit(f"{mutant.what}: '{mutant.old}' does not stand in {mutant.file}")
    place.write_text(text.replace(mutant.old, mutant.new, 1), encoding="utf-8")
    held = {**os.environ, "PYTHONPATH": str(site), "CARTRIAL_CACHE": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    if mutant is STALE:
        _leave_stale(place, text, folder, held)
    done = subprocess.run([sys.executable, "-c", FIRST, mutant.part], env=held, cwd=folder, capture_output=True, text=True, check=False)
    # what breaks off is found too, and said
    said = done.stdout.strip() or done.stderr.strip()[-150:].replace("\n", " ")
    print(f"{mutant.what:32} {mutant.part:12} {'NOT FOUND' if done.returncode == 0 else 'found'}  {said}", flush=True)
    return done.returncode != 0


def _leave_stale(place: Path, text: str, folder: Path, held: dict[str, str]) -> None:
    """Compile the faulty kernels, mend the source, compile again, and put what was compiled of the fault in the place of the other.

    A cache under another name, or of a source with another size or time, is passed over by the package and by Numba.
    """
    name = [sys.executable, "-c", "from cartrial.kernels import cache_folder; print(cache_folder())"]
    kept = []
    for _ in range(2):
        subprocess.run([sys.executable, "-c", FIRST, "compiled"], env=held, cwd=folder, capture_output=True, check=False)
        kept.append(Path(subprocess.run(name, env=held, capture_output=True, text=True, check=True).stdout.strip()))
        place.write_text(text, encoding="utf-8")
    faulty, good = kept
    for compiled in faulty.rglob(f"{place.stem}.*.nbc"):
        shutil.copyfile(compiled, good / compiled.relative_to(faulty))


def main(first: int = 1, last: int = len(MUTANTS) + 1) -> int:
    """Plant the mutants by number and return how many were not found."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
        subprocess.run(build, check=True)
        wheel = next(folder.glob("cartrial-*.whl"))
        found = [planted(mutant, folder, wheel) for mutant in [*MUTANTS, STALE][first - 1 : last]]
    print(f"{sum(found)} of {len(found)} found.")
    return len(found) - sum(found)


if __name__ == "__main__":
    raise SystemExit(1 if main(*map(int, sys.argv[1:])) else 0)
