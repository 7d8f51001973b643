"""What a borrowed prior costs: type I error, power, bias and cover by enumeration.

Origin of every expectation: `published`, the table printed with the notes on evidence (enumeration, six trials against 65 %), and the
power of RBesT's vignette; `by hand` where said.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from cartrial.analysis import BetaMixture, estimate_map, fit_mixture
from cartrial.design import operate_borrowed, operate_borrowed_arms
from cartrial.errors import InputError

WEIGHTS = (0.4612914, 0.1917812, 0.1893896, 0.1575378)
VIGNETTE = BetaMixture(
    tuple(weight / sum(WEIGHTS) for weight in WEIGHTS),
    (33.9513487, 19.4400089, 12.2692310, 2.2521243),
    (103.0146367, 41.5205219, 55.9202833, 5.4812202),
)


def beta(a: float, b: float) -> BetaMixture:
    return BetaMixture((1.0,), (a,), (b,))


@pytest.mark.slow
@pytest.mark.shows("EST-borrowed")
def test_what_borrowing_costs_a_single_arm() -> None:
    """Published: success of a uniform prior, robust MAP by half and by a fifth, MAP, power prior of a tenth, all pooled."""
    history = fit_mixture(estimate_map(np.array([41, 44, 39, 24, 17, 27]), np.array([48, 53, 55, 35, 20, 29]))).mixture
    priors = [beta(1, 1), history.robust(0.5), history.robust(0.2), history, beta(1 + 19.2, 1 + 4.8), beta(193, 49)]
    found = [operate_borrowed(prior, n=48, null=0.65, rates=[0.65, 0.8]) for prior in priors]
    assert [one.smallest for one in found] == [38, 37, 36, 36, 36, 12]
    assert [round(one.table["success"][0], 4) for one in found] == [0.0249, 0.051, 0.0943, 0.0943, 0.0943, 1.0]
    # 37 or more of 48 at 80 % are 0.75948, which the notes print as 0.760
    assert [one.table["success"][1] for one in found] == pytest.approx([0.639, 0.760, 0.852, 0.852, 0.852, 1.0], abs=6e-4)
    assert [round(one.table["bias"][0], 3) for one in found] == pytest.approx([-0.006, 0.017, 0.03, 0.041, 0.045, 0.123], abs=1e-3)
    assert [round(one.table["cover"][0], 3) for one in found] == pytest.approx([0.952, 0.938, 0.894, 0.901, 0.905, 0.0], abs=1e-3)


def test_a_trial_that_no_count_makes_a_success() -> None:
    """By hand: three of three against 90 % leave 0.9^4 = 0.656 below it."""
    found = operate_borrowed(beta(1, 1), n=3, null=0.9, rates=[0.9])
    assert found.smallest is None and found.table["success"][0] == 0


@pytest.mark.parametrize(
    ("treatment", "control", "n_control", "wanted"),
    [
        (beta(0.5, 1), VIGNETTE, 6, 0.302),
        (beta(0.5, 1), VIGNETTE.robust(0.2), 6, 0.368),
        (beta(1, 1), beta(1, 1), 6, 0.529),
        (beta(1, 1), beta(1, 1), 24, 0.341),
    ],
    ids=["MAP", "robust", "uniform", "uniform, 24 a side"],
)
@pytest.mark.shows("EST-borrowed")
def test_power_of_two_arms(treatment: BetaMixture, control: BetaMixture, n_control: int, wanted: float) -> None:
    """Published: the difference at which RBesT's vignette has 80 % power."""
    arms = operate_borrowed_arms(treatment, control, n_treatment=24, n_control=n_control)
    at = VIGNETTE.mean
    assert brentq(lambda more: arms.power(at + more, at) - 0.8, 0.01, 0.74) == pytest.approx(wanted, abs=5e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n": 0}, "n"), ({"null": 1.0}, "null"), ({"certainty": 0.0}, "certainty"), ({"rates": [1.2]}, "rates")],
)
def test_what_cannot_be_is_said(options: dict[str, object], message: str) -> None:
    asked: dict[str, object] = {"n": 10, "null": 0.5, "rates": [0.5], "certainty": 0.975, **options}
    with pytest.raises(InputError, match=message):
        operate_borrowed(beta(1, 1), **asked)  # type: ignore[arg-type]
