"""How many examples does a property get? A share of its number in `make test`, all of it in `make test-all`, more when hunting.

Every test of properties says ``@examples(60)``; the profile decides what that means. None has a deadline: how fast a machine is, and what
else runs on it, is no property. The first two profiles draw the same examples each time, so that a failure is one of the change and not of
the day; ``search`` draws new ones: ``CARTRIAL_TEST_PROFILE=search pytest tests/sdtm``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

__all__ = ["PROFILE", "count", "every", "examples"]

SHARES = {"quick": 1 / 6, "all": 1.0, "search": 10.0}
LEAST = 4
PROFILE = os.environ.get("CARTRIAL_TEST_PROFILE", "quick")

for _name in SHARES:
    settings.register_profile(
        _name,
        max_examples=max(LEAST, round(100 * SHARES[_name])),
        deadline=None,
        derandomize=_name != "search",
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )
settings.load_profile(PROFILE)


def count(number: int, *, quick: int) -> int:
    """Return how often something is tried: `number` times in full, `quick` times in `make test`."""
    return quick if PROFILE == "quick" else number


def every(step: int, cases: Iterable[Any]) -> list[Any]:
    """Return cases of a test of which `make test` runs the first of every `step`, and `make test-all` all."""
    return [case if i % step == 0 else pytest.param(*_values(case), marks=pytest.mark.slow) for i, case in enumerate(cases)]


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)


def examples(number: int, *, suppress_health_check: Sequence[HealthCheck] = (), **more: Any) -> Callable[[Any], Any]:
    """Return the settings of a property that has `number` examples in full."""
    wanted = max(min(LEAST, number), round(number * SHARES[PROFILE]))
    return settings(max_examples=wanted, suppress_health_check=[HealthCheck.too_slow, *suppress_health_check], **more)
