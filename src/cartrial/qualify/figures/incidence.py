"""Are cumulative incidences with competing events right, and Gray's test?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from cartrial.analysis.estimators.gray import estimate_gray
from cartrial.analysis.estimators.incidence import estimate_incidence
from cartrial.qualify.checks import Check, compare
from cartrial.qualify.stored import read_stored

__all__ = ["check_incidence"]

_CODES = {1: 0, 0: 1, 2: 2}
"""Cause of R's sets to CNSR: 0 the event of interest, 1 censored, 2 the competing event."""
_FIT = 'R 4.2.2, survival 3.5-3: survfit(Surv(time, factor(cause)) ~ 1, conf.type = "log")'


def check_incidence() -> Iterator[Check]:
    """Yield incidences at a time, with standard errors and limits, and Gray's statistics, of 60 random sets in one call."""
    sets = read_stored()["random_competing"]
    frame = pl.concat(
        pl.DataFrame({"TRIAL": i, "AVAL": [float(t) for t in one["time"]], "CNSR": [_CODES[c] for c in one["cause"]], "G": one["group"]})
        for i, one in enumerate(sets.values())
    ).with_columns(pl.col("CNSR").cast(pl.Int8))
    when = np.array([one["at"] for one in sets.values()], float)
    found, aalen = estimate_incidence(frame).at_each(when), estimate_incidence(frame, variance="cuminc").at_each(when)
    columns = (
        ("incidence at a time", "estimate", "incidence"),
        ("incidence, standard error", "std_err", "standard_error"),
        ("incidence, lower limit", "lower", "incidence_lower"),
        ("incidence, upper limit", "upper", "incidence_upper"),
    )
    for cause, key in ((0, "cause_1"), (2, "cause_2")):
        one_cause = found.filter(pl.col("cause") == cause)
        named = [f"{name}, {key.replace('_', ' ')}" for name in sets]
        for group, r, column in columns:
            right = [one[key][r] for one in sets.values()]
            yield from compare(group, named, one_cause[column], right, tolerance=1e-9, origin=_FIT)
        right = [one[key]["cuminc_var"] for one in sets.values()]
        kept = [name for name, value in zip(named, right, strict=True) if value is not None]
        error = aalen.filter(pl.col("cause") == cause)["standard_error"].to_list()
        squared = [value**2 for value, wanted in zip(error, right, strict=True) if wanted is not None]
        origin = "R 4.2.2, cmprsk 2.2-11: timepoints(cuminc(time, cause), at)$var"
        yield from compare(
            "incidence, variance of cuminc", kept, squared, [v for v in right if v is not None], tolerance=1e-8, origin=origin
        )
        statistics = estimate_gray(frame, "G", cause=cause)["chi_square"].to_list()
        # where the test is singular R gives a number that is no statistic: none here
        right = [one[key]["gray"] if one[key]["gray"] and one[key]["gray"] > 0 else None for one in sets.values()]
        pairs = [
            (name, value, wanted) for name, value, wanted in zip(named, statistics, right, strict=True) if value is not None or not wanted
        ]
        origin = "R 4.2.2, cmprsk 2.2-11: cuminc(time, cause, group)$Tests"
        names, values, wanted = zip(*pairs, strict=True)
        yield from compare("Gray's test", names, values, wanted, tolerance=1e-8, origin=origin)
