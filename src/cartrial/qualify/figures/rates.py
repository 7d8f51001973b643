"""Are rates right: their limits, exact tests, and the agreement of readers?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from cartrial.analysis.estimators.agreement import kappa_of_tables
from cartrial.analysis.estimators.rates import RateMethod, binomial_limits, binomial_p_value
from cartrial.qualify.checks import Check, compare
from cartrial.qualify.stored import read_stored

__all__ = ["check_agreement", "check_rates"]

METHODS: dict[RateMethod, tuple[str, str]] = {
    "Clopper-Pearson": ("clopper_pearson", "binom.test(x, n, conf.level = level)$conf.int"),
    "Wilson": ("wilson", "prop.test(x, n, conf.level = level, correct = FALSE)$conf.int"),
    "mid-p": ("mid_p", "uniroot of pbinom(x - 1, n, p) + dbinom(x, n, p) / 2"),
}

SIDES: tuple[tuple[Literal["greater", "less"], str], ...] = (("greater", "p_greater"), ("less", "p_less"))


def check_rates() -> Iterator[Check]:
    """Yield the limits of rates by three methods and two levels, and exact tests."""
    cases = read_stored()["proportions"]
    x, n = (np.array([case[key] for case in cases.values()]) for key in ("x", "n"))
    for method, (key, snippet) in METHODS.items():
        for level in ("0.95", "0.90"):
            for side, found in zip(("lower", "upper"), binomial_limits(x, n, method, float(level)), strict=True):
                named = [f"{name}, {float(level):.0%}, {side}" for name in cases]
                right = [case[level][key][side] for case in cases.values()]
                yield from compare(f"limits of a rate, {method}", named, found, right, tolerance=1e-9, origin=f"R 4.2.2: {snippet}")
    for name, case in cases.items():
        for side, key in SIDES:
            null = np.array(case["null"])
            found = binomial_p_value(np.full(null.size, case["x"]), np.full(null.size, case["n"]), null, side)
            named = [f"{name} against {value:g}, {side}" for value in null]
            snippet = f'R 4.2.2: binom.test(x, n, p, alternative = "{side}")$p.value'
            yield from compare("exact binomial test", named, found, case[key], tolerance=1e-9, origin=snippet)


def check_agreement() -> Iterator[Check]:
    """Yield kappa with its standard error and limits."""
    origin = "R 4.2.2, from Fleiss, Cohen and Everitt 1969, doi:10.1037/h0028106"
    for name, right in read_stored()["kappa"].items():
        found = kappa_of_tables(np.array([right["table"]]))
        keys = ("agreement", "chance", "kappa", "se", "lower", "upper")
        got = [found["standard_error" if key == "se" else key][0] for key in keys]
        named = [f"{name}, {key}" for key in keys]
        yield from compare("agreement of two readers", named, got, [right[key] for key in keys], tolerance=1e-9, origin=origin)
