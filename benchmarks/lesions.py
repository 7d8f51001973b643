"""Call the scans of many trials by their lesions: 48 subjects, 10 scans after the baseline, three targets and a spleen each.

Prints the processor seconds of the two kernels, compiled; the records are made before, and are not counted.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from cartrial.response.imaging.lesion_kernel import (
    LesionRule,
    Lesions,
    Limits,
    Measured,
    Scanned,
    Scans,
    assess_lesions,
    gather_scans,
)
from cartrial.sdtm.vocabulary.imaging.codes import SPLEEN, TARGET
from cartrial.study.criteria.sets import CRITERIA, CallCriteria

SUBJECTS, SCANS, TARGETS = 48, 10, 3
EACH = TARGETS + 1


def run(trials: int) -> dict[str, float]:
    """Call every scan of invented subjects once."""
    criteria = CRITERIA["lugano-2014"]
    assert isinstance(criteria, CallCriteria) and criteria.lesions is not None
    rule = LesionRule(Limits(**criteria.lesions.model_dump()), False)
    draw = np.random.default_rng(1)
    series, visits = trials * SUBJECTS, trials * SUBJECTS * SCANS
    rows = visits * EACH
    long = np.round(draw.uniform(10, 60, rows))
    short = np.round(long * draw.uniform(0.5, 1, rows))
    lesion = np.repeat(np.arange(series), SCANS * EACH) * EACH + np.tile(np.arange(EACH), visits)
    kind = np.tile(np.array([TARGET] * TARGETS + [SPLEEN]), visits)
    long[kind == SPLEEN] += 100
    day = np.tile(np.repeat(np.arange(SCANS) * 60 + 28, EACH), series)
    at = np.arange(series + 1) * SCANS * EACH
    base_long, base_short = draw.uniform(20, 60, series * EACH), draw.uniform(10, 20, series * EACH)
    base = (base_long * base_short).reshape(series, EACH)[:, :TARGETS].sum(1)
    rows_of = Measured(lesion, kind, np.ones(rows, bool), np.full(rows, -1), long * short, long, short)
    one = np.ones(series, np.int64)
    scans = Scans(
        *(np.arange(series + 1) * SCANS, np.arange(visits + 1) * EACH, np.full(visits, -1), np.ones(series, bool), np.ones(series, bool)),
        *(one * TARGETS, one * 0, base, np.full(series, 140.0), -one),
    )
    low = Lesions(base_long * base_short, base_long, base_short)
    out = Scanned(np.zeros(visits, np.int64), np.zeros(visits, np.int64), np.zeros(visits), np.zeros(visits, np.int64))
    start = time.process_time()
    gather_scans(rows, at, day, lesion, np.full(series * EACH, -1), np.zeros(rows, np.int64))
    assess_lesions(rows, scans, rows_of, low, rule, out)
    return {"trials": trials, "scans": visits, "rows": rows, "processor_seconds": round(time.process_time() - start, 2)}


def main() -> None:
    """Run the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[1000, 10_000])
    sizes = parser.parse_args().trials
    run(20)  # compile and warm up
    for size in sizes:
        print(json.dumps({"benchmark": "lesions", **run(size)}))


if __name__ == "__main__":
    main()
