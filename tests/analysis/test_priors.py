"""Priors made of earlier trials: meta-analytic-predictive, mixtures, robust, power, commensurate; and what they are worth.

Origin of every expectation: `published` (the reference outputs of RBesT 1.9 and the figures printed with the notes on this room, from two
quadratures and a Markov chain), `independent` (a second computation here), `by hand` (closed forms), before the code ran.
"""

from __future__ import annotations

import numpy as np
import pytest

from cartrial.analysis import (
    BetaMixture,
    commensurate_prior,
    effective_size,
    estimate_map,
    fit_mixture,
    normalised_power_posterior,
    power_prior,
)
from cartrial.analysis.estimators.priors.mixture import probability_greater
from cartrial.errors import InputError

PLACEBO = (np.array([23, 12, 19, 9, 39, 6, 9, 10]), np.array([107, 44, 51, 39, 139, 20, 78, 35]))
SIX = (np.array([41, 44, 39, 24, 17, 27]), np.array([48, 53, 55, 35, 20, 29]))
WEIGHTS = (0.4612914, 0.1917812, 0.1893896, 0.1575378)
# the mixture of RBesT's vignette
VIGNETTE = BetaMixture(
    tuple(weight / sum(WEIGHTS) for weight in WEIGHTS),
    (33.9513487, 19.4400089, 12.2692310, 2.2521243),
    (103.0146367, 41.5205219, 55.9202833, 5.4812202),
)


def beta(a: float, b: float) -> BetaMixture:
    return BetaMixture((1.0,), (a,), (b,))


@pytest.mark.shows("EST-map-prior")
def test_the_prior_of_eight_placebo_groups() -> None:
    """Published: tau 0.37946 (0.0440, 0.3529, 0.8748), mean -1.10371, MAP 0.25828, SD 0.0874 (0.1108, 0.2487, 0.4715).

    The quantiles are printed there with an error in the fourth digit; here they do not move when the grid is refined (below).
    """
    prior = estimate_map(*PLACEBO)
    assert round(prior.spread_mean, 5) == 0.37946
    assert [round(value, 4) for value in (prior.spread_low, prior.spread_median, prior.spread_high)] == [0.044, 0.3529, 0.8748]
    assert round(prior.log_odds, 5) == -1.10371
    assert (round(prior.mean, 5), round(prior.sd, 4)) == (0.25828, 0.0874)
    assert [prior.quantile(q) for q in (0.025, 0.5, 0.975)] == pytest.approx([0.1108, 0.2487, 0.4715], abs=1e-4)
    narrow = estimate_map(*PLACEBO, spread_scale=0.5)
    assert [round(value, 4) for value in (narrow.spread_mean, narrow.mean, narrow.sd)] == [0.3319, 0.2561, 0.0769]


def test_the_prior_of_six_trials() -> None:
    """Published: mean 0.791, 95 % 0.508 to 0.949."""
    prior = estimate_map(*SIX)
    assert [round(value, 3) for value in (prior.mean, prior.quantile(0.025), prior.quantile(0.975))] == [0.791, 0.508, 0.949]


@pytest.mark.slow
def test_a_finer_grid_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Independent: half again as many nodes of each."""
    from cartrial.analysis.estimators.priors import meta_analytic

    before = estimate_map(*PLACEBO)
    for name, more in (("_MEANS", 241), ("_SPREADS", 120), ("_POINTS", 31)):
        monkeypatch.setattr(meta_analytic, name, more)
    after = estimate_map(*PLACEBO)
    assert [after.quantile(q) for q in (0.025, 0.5, 0.975)] == pytest.approx([before.quantile(q) for q in (0.025, 0.5, 0.975)], abs=1e-8)
    assert (after.mean, after.sd, after.spread_high) == pytest.approx((before.mean, before.sd, before.spread_high), abs=1e-8)


@pytest.mark.slow
@pytest.mark.shows("EST-map-prior")
def test_the_prior_by_a_plain_rectangle_rule() -> None:
    """Independent: 400 by 300 rectangles of mean and spread, each trial's integral by 200 rectangles."""
    x, n = np.array([3, 8]), np.array([12, 20])
    means, spreads = np.linspace(-6, 5, 220), np.linspace(0.01, 4, 160)
    z = np.linspace(-6, 6, 121)
    m, s = np.meshgrid(means, spreads, indexing="ij")
    p = 1 / (1 + np.exp(-(m[..., None] + s[..., None] * z)))
    log = sum(np.log((p**a * (1 - p) ** (b - a) * np.exp(-z * z / 2)).sum(axis=-1)) for a, b in zip(x, n, strict=True))
    weight = np.exp(log - m**2 / 8 - s**2 / 2)
    weight /= weight.sum()
    mean = float((weight * (p * np.exp(-z * z / 2)).sum(axis=-1) / np.exp(-z * z / 2).sum()).sum())
    prior = estimate_map(x, n)
    assert prior.mean == pytest.approx(mean, abs=1e-3)
    assert prior.spread_mean == pytest.approx(float((weight * s).sum()), abs=5e-3)


@pytest.mark.slow
def test_density_and_probability_agree() -> None:
    """By hand: the probability below a rate is the integral of the density up to it."""
    prior = estimate_map(*PLACEBO)
    p = np.linspace(1e-4, 1 - 1e-4, 4001)
    height = prior.density(p)
    area = np.concatenate([[0], np.cumsum((height[1:] + height[:-1]) / 2 * np.diff(p))])
    assert area[-1] == pytest.approx(1, abs=1e-4)
    assert float(np.interp(0.3, p, area)) == pytest.approx(float(prior.below(np.array([0.3]))[0]), abs=1e-4)


@pytest.mark.shows("EST-map-prior")
def test_what_the_mixture_of_the_vignette_is_worth() -> None:
    """Published: RBesT prints mean 0.255, SD 0.0866, ESS 38, 24, 95, and 27 with a fifth of Beta(1, 1)."""
    assert (VIGNETTE.mean, VIGNETTE.sd) == (pytest.approx(0.25545885, abs=1e-8), pytest.approx(0.08662045, abs=1e-8))
    assert [round(effective_size(VIGNETTE, method), 2) for method in ("elir", "moment", "morita")] == [37.61, 24.35, 94.57]
    assert round(effective_size(VIGNETTE.robust(0.2)), 2) == 26.5


def test_what_simple_priors_are_worth() -> None:
    """By hand: Beta(5, 15) 20, Beta(1, 1) 0 by elir and 2 by moments. Independent, with the notes: 7.65, 3.16, 8.48."""
    for method in ("elir", "moment"):
        assert effective_size(beta(5, 15), method) == pytest.approx(20, abs=1e-9)
    assert effective_size(beta(5, 15), "morita") == pytest.approx(20, abs=0.01)
    assert (effective_size(beta(1, 1)), effective_size(beta(1, 1), "moment")) == (pytest.approx(0, abs=1e-9), pytest.approx(2))
    mixed = BetaMixture((0.2, 0.8), (1, 10), (1, 2))
    assert [effective_size(mixed, method) for method in ("elir", "moment", "morita")] == pytest.approx([7.65, 3.16, 8.48], abs=0.01)
    with pytest.raises(InputError, match="Ask for the size by moments"):
        effective_size(beta(0.5, 3))
    with pytest.raises(InputError, match="several modes"):
        effective_size(BetaMixture((0.5, 0.5), (20, 5), (5, 20)), "morita")


@pytest.mark.slow
def test_the_mixture_that_stands_for_six_trials() -> None:
    """Published: ESS 22.9; 16.1 and 8.0 with a fifth and a half of Beta(1, 1)."""
    fit = fit_mixture(estimate_map(*SIX))
    assert fit.divergence < 1e-3
    assert effective_size(fit.mixture) == pytest.approx(22.9, abs=0.1)
    assert effective_size(fit.mixture.robust(0.2)) == pytest.approx(16.1, abs=0.1)
    assert effective_size(fit.mixture.robust(0.5)) == pytest.approx(8.0, abs=0.1)
    assert (fit.mixture.mean, fit.mixture.sd) == (pytest.approx(0.791, abs=5e-4), pytest.approx(0.1074, abs=5e-4))


def test_a_fit_never_has_a_component_below_one() -> None:
    """By hand: a history of few trials has heavy ends, and its components stay finite at 0 and 1."""
    fit = fit_mixture(estimate_map(np.array([9]), np.array([10])))
    assert min(*fit.mixture.a, *fit.mixture.b) >= 1
    assert effective_size(fit.mixture) > 0
    with pytest.raises(InputError, match="1 to 4 components"):
        fit_mixture(estimate_map(np.array([9]), np.array([10])), components=5)


def test_a_posterior_is_in_closed_form() -> None:
    """By hand: weights go by the probability of the counts, parameters by counting."""
    prior = BetaMixture((0.5, 0.5), (1, 5), (1, 15))
    after = prior.posterior(3, 10)
    assert (after.a, after.b) == ((4, 8), (8, 22))
    p = np.linspace(1e-6, 1 - 1e-6, 200_001)
    height = prior.density(p) * p**3 * (1 - p) ** 7
    assert after.mean == pytest.approx(float((height * p).sum() / height.sum()), abs=1e-6)
    assert float(after.below(np.array(0.3))) == pytest.approx(float(height[p <= 0.3].sum() / height.sum()), abs=1e-4)
    assert after.quantile(float(after.below(np.array(0.3)))) == pytest.approx(0.3, abs=1e-9)


def test_two_arms_of_the_vignette() -> None:
    """Published: RBesT's P = 0.9917197 for 14 of 24 against 1 of 6 with the robust prior."""
    treatment = beta(0.5, 1).posterior(14, 24)
    assert probability_greater(treatment, VIGNETTE.robust(0.2).posterior(1, 6)) == pytest.approx(0.9917197, abs=5e-8)


@pytest.mark.shows("EST-power-prior")
def test_power_priors() -> None:
    """Closed form: (1 + 3.9 + 41) / (2 + 5.5 + 48) and (1 + 19.5 + 41) / (2 + 27.5 + 48); limits of that beta distribution."""
    found = power_prior(39, 55, 0.1).posterior(41, 48)
    assert found.mean == pytest.approx(45.9 / 55.5)
    assert [round(found.quantile(q), 6) for q in (0.025, 0.975)] == [0.718114, 0.913692]
    assert round(power_prior(39, 55, 0.5).posterior(41, 48).mean, 6) == 0.793548
    assert power_prior(39, 55, 0).posterior(41, 48).mean == pytest.approx(42 / 50)
    both = normalised_power_posterior((39, 55), (41, 48))
    assert (round(both.power, 6), round(both.mean, 6)) == (0.466139, 0.799424)


@pytest.mark.shows("EST-power-prior")
def test_the_commensurate_prior() -> None:
    """Published with the notes: 0.8067 (0.7046 to 0.9001)."""
    found = commensurate_prior(39, 55, spread_scale=0.5).updated(41, 48)
    assert [round(value, 4) for value in found] == [0.8067, 0.7046, 0.9001]


def test_one_trial_says_that_it_says_little() -> None:
    assert "one trial tells nothing" in estimate_map(np.array([39]), np.array([55])).notes[0]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: estimate_map(np.array([0]), np.array([0])), "each with patients"),
        (lambda: estimate_map(np.array([3]), np.array([9]), spread_scale=0.0), "the scale 0 is not above 0"),
        (lambda: estimate_map(np.array([3]), np.array([9]), mean_sd=-1.0), "the scale -1 is not above 0"),
        (lambda: beta(1, 1).robust(1.2), "the weight 1.2 is no share"),
        (lambda: beta(1, 1).posterior(5, 4), "5 of 4 patients cannot be"),
        (lambda: BetaMixture((0.5, 0.4), (1, 1), (1, 1)), "the weights sum to 0.9"),
        (lambda: BetaMixture((1.0,), (0,), (1,)), "above 0"),
        (lambda: BetaMixture((1.0,), (1, 2), (1,)), "a weight and two parameters"),
        (lambda: power_prior(3, 9, 1.5), "the power 1.5 is no share"),
        (lambda: commensurate_prior(10, 9), "10 of 9 patients cannot be"),
        (lambda: commensurate_prior(3, 9, spread_scale=0.0), "the scale 0 is not above 0"),
        (lambda: commensurate_prior(3, 9, spread_scale=1000.0), "the scale 1000 is above 10"),
        (lambda: estimate_map(np.array([3]), np.array([9]), spread_scale=1000.0), "the scale 1000 is above 10"),
        (lambda: effective_size(beta(2, 2), "elr"), "elir"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_said(ask: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ask()  # type: ignore[operator]
