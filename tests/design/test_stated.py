"""What a study file states of limits of toxicity and of a test of a time: is it what the boundaries and designs are made of?"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom

from cartrial.design.protocol import time
from cartrial.design.protocol.inputs import read_inputs
from cartrial.design.protocol.safety import find_safety
from cartrial.study import Study
from helpers import ROOT

STUDY = Study.load(ROOT / "tests" / "study" / "full" / "leukaemia.yaml")


def probability_of_stopping(n: tuple[int, ...], stop: tuple[int | None, ...], rate: float) -> float:
    """Independent: events counted look by look."""
    alive, before, stopped = {0: 1.0}, 0, 0.0
    for size, boundary in zip(n, stop, strict=True):
        after: dict[int, float] = {}
        for events, share in alive.items():
            for more in range(size - before + 1):
                after[events + more] = after.get(events + more, 0.0) + share * float(binom.pmf(more, size - before, rate))
        stopped += sum(share for events, share in after.items() if boundary is not None and events >= boundary)
        alive = {events: share for events, share in after.items() if boundary is None or events < boundary}
        before = size
    return stopped


@pytest.mark.slow
@pytest.mark.shows(
    "STUDY-design.safety",
    "STUDY-design.safety.event",
    "STUDY-design.safety.grade-from",
    "STUDY-design.safety.acceptable",
    "STUDY-design.safety.unacceptable",
)
def test_limits_of_toxicity_are_those_of_the_study() -> None:
    """The file: CRS from grade 3, 10 % acceptable and 30 % not. Independent: the boundary stops at those rates as often as is said."""
    (plan,), absent = find_safety(read_inputs(STUDY), 40)
    assert (plan.id, plan.label, absent) == ("CRS", "cytokine release of grade 3 or more", ())
    for rule, table in zip(plan.rules, plan.operating, strict=True):
        assert table["rate"].to_list() == [0.1, 0.3]
        found = [probability_of_stopping(tuple(rule.n), tuple(rule.stop), rate) for rate in (0.1, 0.3)]
        np.testing.assert_allclose(table["stop"].to_list(), found, rtol=1e-9)
        assert found[0] <= 0.1 < found[1]


@pytest.mark.slow
@pytest.mark.shows(
    "STUDY-design.survival",
    "STUDY-design.survival.endpoint",
    "STUDY-design.survival.at",
    "STUDY-design.survival.null",
    "STUDY-design.survival.alternative",
    "STUDY-design.survival.shape",
)
def test_a_test_of_a_time_is_that_of_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file: overall survival at day 365, 40 % against 60 %, a Weibull curve of shape 1.2: at half the time 0.4^(0.5^1.2)."""
    monkeypatch.setattr(time, "_errors", lambda design, seed: {})
    plan = SimpleNamespace(sites=10, rate=0.5, enrolled_share=0.9, share=0.8)
    (found,), _ = time.find_survival(read_inputs(STUDY), SimpleNamespace(plan=plan))
    assert found.test.endpoint == "OS" and [name for name, _ in found.designs][2] == "Survival at day 365"
    design = found.designs[2][1]
    null, better = design.null, design.alternative
    assert null.survival(365.0) == pytest.approx(0.4) and better.survival(365.0) == pytest.approx(0.6)
    assert null.survival(182.5) == pytest.approx(0.4 ** (0.5**1.2))
    assert better.survival(182.5) == pytest.approx(0.6 ** (0.5**1.2))
