"""Are times to an event right: curves, medians, means and tests?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from cartrial.analysis.estimators.km import estimate_survival
from cartrial.analysis.estimators.logrank import estimate_logrank
from cartrial.kernels import COMPILE_FROM
from cartrial.qualify.checks import Check, compare, not_run
from cartrial.qualify.installation import lacking_for
from cartrial.qualify.stored import read_stored

__all__ = ["check_times"]

_FIT = 'R 4.2.2, survival 3.5-3: survfit(Surv(time, event) ~ 1, conf.type = "log-log")'


def check_times() -> Iterator[Check]:
    """Yield medians, survival, restricted means and log-rank statistics of 200 random sets, estimated in one call as 200 trials."""
    sets = read_stored()["random_sets"]
    frame = pl.concat(
        pl.DataFrame({"TRIAL": i, "AVAL": [float(t) for t in one["time"]], "CNSR": [1 - e for e in one["event"]], "G": one["group"]})
        for i, one in enumerate(sets.values())
    )
    fit = estimate_survival(frame)
    summary = fit.summary()
    landmark = fit.at_each(np.array([one["at"] for one in sets.values()], float))
    means = fit.restricted_mean([one["tau"] for one in sets.values()])
    mean = "R 4.2.2, survival 3.5-3: print(survfit, rmean = tau)"
    columns = (
        ("median", "median", summary["median"], f"{_FIT}, quantile()"),
        ("median, lower limit", "lower", summary["median_lower"], f"{_FIT}, quantile()"),
        ("median, upper limit", "upper", summary["median_upper"], f"{_FIT}, quantile()"),
        ("survival at a time", "surv", landmark["survival"], f"{_FIT}, summary()"),
        ("survival, standard error", "surv_std_err", landmark["standard_error"], f"{_FIT}, summary()"),
        ("survival, lower limit", "surv_lower", landmark["survival_lower"], f"{_FIT}, summary()"),
        ("survival, upper limit", "surv_upper", landmark["survival_upper"], f"{_FIT}, summary()"),
        ("restricted mean", "rmst", means["rmst"], mean),
        ("restricted mean, standard error", "rmst_std_err", means["standard_error"], mean),
    )
    for group, key, found, origin in columns:
        yield from compare(group, list(sets), found, [one[key] for one in sets.values()], tolerance=1e-9, origin=origin)
    yield from _many(frame, sets)
    # R gives 0 where a group has no expected event, and a log-rank test is not defined: here it is none
    tests = estimate_logrank(frame, "G")["chi_square"].to_list()
    right = [one["logrank_chisq"] or (None if value is None else 0.0) for value, one in zip(tests, sets.values(), strict=True)]
    origin = "R 4.2.2, survival 3.5-3: survdiff(Surv(time, event) ~ group)$chisq; its 0 where a group has no expected event is none here"
    yield from compare("log-rank test", list(sets), tests, right, tolerance=1e-9, origin=origin)


def _many(frame: pl.DataFrame, sets: dict[str, Any]) -> Iterator[Check]:
    """Yield medians of the same sets again, so often that they are found by a compiled kernel, as those of a batch of trials are."""
    group = "median and its limits, of a batch of trials"
    lacking = lacking_for(("fast",))
    if lacking:
        yield not_run("performance", group, "random sets", lacking)
        return
    # times that are nearly ties are read from the curves, one set after the other
    kept = {i: name for i, (name, one) in enumerate(sets.items()) if all(float(time).is_integer() for time in one["time"])}
    whole = frame.filter(pl.col("TRIAL").is_in(list(kept)))
    again = range(COMPILE_FROM // whole.height + 1)
    many = pl.concat([whole.with_columns(pl.col("TRIAL") + number * len(sets)) for number in again])
    found = estimate_survival(many).summary().tail(len(kept))
    for what, key, column in (("median", "median", "median"), ("lower", "lower", "median_lower"), ("upper", "upper", "median_upper")):
        named = [f"{name}, {what}" for name in kept.values()]
        right = [sets[name][key] for name in kept.values()]
        yield from compare(group, named, found[column], right, tolerance=1e-9, origin=f"{_FIT}, quantile()")
