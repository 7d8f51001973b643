"""Limits of a rate by every method that publications use.

Origin of every expectation: `R`, tests/oracle/evidence.R (binom.test, prop.test, qbeta, and formulas written there from the papers).
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from cartrial.analysis.estimators.rate_methods import METHODS, method_limits
from cartrial.errors import InputError
from helpers import ORACLE

CASES = json.loads((ORACLE / "evidence.json").read_text(encoding="utf-8"))["rate_methods"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['x']}/{case['n']} {case['level']}")
def test_limits_are_those_of_r(case: dict[str, object]) -> None:
    limits = case["limits"]
    assert isinstance(limits, dict)
    assert set(limits) == set(METHODS)
    x, n = (np.array([case[name]]) for name in ("x", "n"))
    for method, wanted in limits.items():
        found = [float(limit[0]) for limit in method_limits(x, n, method, float(str(case["level"])))]
        assert found == pytest.approx([np.nan if limit is None else limit for limit in wanted], abs=1e-9, nan_ok=True), method


def test_many_rates_are_asked_at_once() -> None:
    """By hand: each gets its own limits, in the shape in which they were asked."""
    x, n = np.array([[0, 5], [10, 3]]), np.array([[10, 10], [10, 7]])
    for method in METHODS:
        lower, upper = method_limits(x, n, method)
        alone = [[method_limits(x[i, j : j + 1], n[i, j : j + 1], method) for j in range(2)] for i in range(2)]
        assert np.array_equal(lower, [[float(one[0][0]) for one in row] for row in alone], equal_nan=True)
        assert np.array_equal(upper, [[float(one[1][0]) for one in row] for row in alone], equal_nan=True)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="Wilson"):
        method_limits(np.array([1]), np.array([2]), "Wilsn")
