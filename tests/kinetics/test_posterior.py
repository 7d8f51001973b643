"""Draws of a population by NUTS: their density against closed forms, their limits against a dense grid, what is refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.stats import halfnorm, multivariate_normal, norm

from cartrial import InputError
from cartrial.analysis.tables.cells import cell_model_rows
from cartrial.kinetics import Covariate, PopulationModel, fit_population
from cartrial.kinetics import nuts as module
from cartrial.kinetics.estimation.likelihood import pack, shown, unpack, weigh_points
from cartrial.kinetics.estimation.proposal import Points
from cartrial.kinetics.model import Problem
from cartrial.kinetics.nuts import draw_posterior
from cartrial.kinetics.posterior import PRIORS, Posterior, Sampler, limits_of
from cartrial.kinetics.tables import _fit_record, summary_lines
from helpers import ROOT

sys.path.insert(0, str(ROOT / "tests" / "kinetics"))
needs_nuts = pytest.mark.skipif(find_spec("numpyro") is None, reason="numpyro (extra `bayes`) is not installed")


def drawn(vectors: np.ndarray, **changes: object) -> Posterior:
    """A posterior that was set, not drawn."""
    many = vectors.shape[1]
    values = {"sizes": np.full(many, 900.0), "ratios": np.full(many, 1.001), "divergent": 0, **changes}
    return Posterior(vectors, sampler=Sampler(), seed=1, **values)  # type: ignore[arg-type]


def test_limits_are_quantiles_of_the_draws_and_are_withheld_where_chains_disagree() -> None:
    """By hand: of 0, 1, ..., 100 the equal tails of 95 % end at 2.5 and 97.5; 150 effective draws, R-hat 1.2, 2 % divergent are too bad."""
    from test_likelihood import cells

    problem = Problem.of(PopulationModel("rate", varying=("cmax",), classes=False), cells())
    found = drawn(np.repeat(np.arange(101.0)[:, None], 6, axis=1))
    low, high = limits_of(found, problem, 0.95)[1:]
    assert low.tolist() == pytest.approx([2.5] * 6) and high.tolist() == pytest.approx([97.5] * 6)
    assert found.why == ""
    assert "only 150 effective draws" in drawn(found.vectors, sizes=np.full(6, 150.0)).why
    assert "R-hat 1.20" in drawn(found.vectors, ratios=np.full(6, 1.2)).why
    assert "2 of 101 draws left the path" in drawn(found.vectors, divergent=2).why


def test_limits_by_draws_are_told_in_rows_record_and_summary() -> None:
    """By hand: draws of the logarithm of the peak between those of 500 and 2000; where too few count there are no limits."""
    from test_check import fitted

    one = fitted()
    vectors = np.repeat(pack(one.fit.problem, one.fit.estimate)[None], 101, axis=0)
    vectors[:, 0] = np.log(500.0) + np.log(4.0) * (np.linspace(0.0, 1.0, 101) - 0.025) / 0.95
    for sizes, lower in ((900.0, 500.0), (20.0, None)):
        found = drawn(vectors, sizes=np.full(vectors.shape[1], sizes))
        told = replace(one, fit=replace(one.fit, posterior=found))
        rows = cell_model_rows([told], study="S", provenance="example", units={})
        peak = rows.filter(endpoint="CMAX", statistic="typical_lower")
        assert peak["value"][0] == (None if lower is None else pytest.approx(lower))
        assert peak["method"][0] == "SAEM, likelihood by importance sampling, limits of the posterior by NUTS"
        assert rows.filter(endpoint="CMAX", statistic="typical")["value"][0] == pytest.approx(1000.0)
        record = _fit_record(told.fit)["limits"]
        assert record["by"] == "NUTS" and record["priors"] == PRIORS and record["least_effective_number"] == sizes
        assert any("priors: normal" in line for line in summary_lines([told]))


def test_a_spread_is_shown_as_that_and_not_as_the_root_of_a_covariance() -> None:
    """Independent: differences. With correlations the root's diagonal is no spread, in the estimate as in its standard error."""
    from test_likelihood import cells

    problem = Problem.of(PopulationModel("rate", varying=("cmax", "alpha"), full=True, classes=False), cells())
    vector = np.array([9.0, -1.9, -0.7, 2.3, np.log(0.5), np.log(0.4), 0.3, np.log(0.6)])
    found, slopes = shown(problem, vector)
    assert found[4:6] == pytest.approx(np.log([0.5, 0.5]))  # the root of 0.3² + 0.4²
    assert pack(problem, unpack(problem, vector)) == pytest.approx(vector)
    for j in range(len(vector)):
        step = 1e-6 * np.eye(len(vector))[j]
        change = (shown(problem, vector + step)[0] - shown(problem, vector - step)[0]) / 2e-6
        assert slopes[:, j] == pytest.approx(change, abs=1e-8), j


def test_without_the_extra_one_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: a package that cannot be imported."""
    monkeypatch.setitem(sys.modules, "numpyro", None)
    with pytest.raises(InputError, match=r'needs the package numpyro.*pip install "cartrial\[bayes\]"'):
        draw_posterior(None)  # type: ignore[arg-type]


@needs_nuts
@pytest.mark.slow
def test_the_smooth_curve_is_that_of_the_fit_but_for_its_corners() -> None:
    """Independent: the kernel's curve. At the peak it is lower by 0.7 of the gate times both slopes, a day beside it by nothing."""
    import jax

    from cartrial.kinetics import draw_curves

    values = {"fold": 100.0, "rho": 0.8, "tmax": 10.0, "cmax": 1000.0, "alpha": 0.3, "fb": 0.1, "beta": 0.01, "tlag": 4.0}
    rise = {"stein": np.log(100) / 10, "mono": np.log(100) / 10, "rate": 0.8, "lag": 0.8}
    days = np.array([0.5, 3.0, 5.0, 9.0, 11.0, 30.0, 200.0])
    with jax.enable_x64(True):
        for curve, slope in rise.items():
            names = PopulationModel(curve).parameters
            height = module.smooth_height(curve, 0.05)
            logs = [jax.numpy.log(jax.numpy.array([values[name]])) for name in names]
            expected = np.log(draw_curves(curve, {name: values[name] for name in names}, days)[0])
            assert np.asarray(height(logs, days, np.zeros(7, int))) == pytest.approx(expected, abs=1e-6), curve
            fall = 0.9 * 0.3 + 0.1 * 0.01 if curve == "stein" else 0.3
            dip = np.log(1000.0) - float(height(logs, np.array([10.0]), np.zeros(1, int))[0])
            assert dip == pytest.approx(0.05 * np.log(2) * (slope + fall), rel=1e-2), curve
            by_peak = jax.grad(lambda at, height=height, logs=logs: height([logs[0], at, *logs[2:]], 10.0, np.zeros(1, int))[0])
            assert np.isfinite(np.asarray(by_peak(logs[1]))).all()


@needs_nuts
@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        PopulationModel("stein", varying=("cmax", "alpha", "beta"), covariates=(Covariate("cmax", "AGE"),)),
        PopulationModel("rate", varying=("cmax", "alpha"), full=True, bounds={"alpha": (0.05, 0.7)}, classes=False),
    ],
    ids=["class, covariate, shared", "correlated, limits, shared"],
)
@pytest.mark.shows("EST-cell-model-draws")
def test_the_density_is_that_of_the_samples_the_subjects_and_the_priors(model: PopulationModel) -> None:
    """Independent: the kernel's likelihood of each subject's curve, SciPy's normal densities, the volume of spreads by differences.

    Constants are left out: what counts is the difference between two places.
    """
    import jax
    from test_likelihood import cells

    problem = Problem.of(model, cells())
    d, p, q = len(model.random), len(problem.names), len(problem.held)
    random = np.random.default_rng(3)
    centre = {"rho": -0.7, "fold": 5.0, "tmax": 2.3, "cmax": 9.0, "alpha": -1.9, "fb": -3.0, "beta": -4.0}
    first = [0.1 if column else centre[name] for name, column in problem.names] + [centre[name] for name in problem.held]
    size = len(first) + d + (1 if model.full else 0) + 1 + int(problem.classes)
    known = np.full((3, d), 0.3)
    found, expected = [], []
    with jax.enable_x64(True):
        potential = module._potential(problem, known, 1e-7)
        for _ in range(3):
            theta = np.array([*first, *[0.0] * (size - len(first))]) + 0.2 * random.standard_normal(size)
            estimate = unpack(problem, theta)
            spread = np.sqrt(np.diag(estimate.omega))
            mean = problem.design @ estimate.coefficients
            phi = mean + 0.4 * random.standard_normal((3, d))
            own = known * mean + (phi - mean) / spread ** (1.0 - known)
            found.append(-float(potential({"population": theta, "own": own})))
            logs = weigh_points(problem, estimate, Points(phi[:, None], np.zeros((3, 1)), 1)).found.likelihood[:, 0]
            if problem.classes:
                never = problem.samples.never
                logs = np.where(never, np.log(estimate.share * np.exp(logs) + 1 - estimate.share), np.log(estimate.share) + logs)
            value = logs.sum() + sum(multivariate_normal.logpdf(one, at, estimate.omega) for one, at in zip(phi, mean, strict=True))
            value += np.sum((1.0 - known) * np.log(spread))
            value += norm.logpdf(theta[: p + q], scale=10).sum() + halfnorm.logpdf([*spread, estimate.error], scale=5).sum()
            value += np.log(estimate.error) + _volume(problem, theta, p + q, d, model.full)
            value += np.log(estimate.share * (1 - estimate.share)) if problem.classes else 0.0
            expected.append(float(value))
    assert np.diff(found) == pytest.approx(np.diff(expected), abs=1e-4)


def _volume(problem: Problem, theta: np.ndarray, at: int, d: int, full: bool) -> float:
    """Return the logarithm of how spreads and correlations change with what stands in the vector, by differences."""
    places = list(range(at, at + d + (d * (d - 1) // 2 if full else 0)))

    def told(vector: np.ndarray) -> np.ndarray:
        omega = unpack(problem, vector).omega
        spread = np.sqrt(np.diag(omega))
        return np.concatenate([spread, (omega / np.outer(spread, spread))[np.tril_indices(d, -1)] if full else []])

    columns = []
    for j in places:
        step = 1e-6 * np.eye(len(theta))[j]
        columns.append((told(theta + step) - told(theta - step)) / 2e-6)
    return float(np.linalg.slogdet(np.array(columns))[1])


@needs_nuts
@pytest.mark.slow
@pytest.mark.shows("EST-cell-model-draws")
def test_draws_lie_about_the_maximum_of_a_dense_grid_as_wide_as_walds_limits() -> None:
    """Independent: the maximum on a dense grid. Means within half a standard deviation, as spreads have a tail; widths those of Wald."""
    from test_fit import GRID, exact, grid_samples

    fit = fit_population(GRID, grid_samples(), starts=1)
    found = draw_posterior(fit, sampler=Sampler(300, 700, 2))
    assert found.why == "" and found.ratios.max() < 1.03, found.words
    peak = exact()["grid"]["maximum"]
    maximum = [peak["cmax"], peak["alpha"], peak["fold"], peak["tmax"], *np.log([peak["w_cmax"], peak["w_alpha"], peak["error"]])]
    errors = np.sqrt(np.diag(fit.polished.covariance))  # type: ignore[arg-type]
    assert (found.vectors.mean(axis=0) - maximum) / errors == pytest.approx(np.zeros(7), abs=0.5)
    assert found.vectors.std(axis=0) / errors == pytest.approx(np.ones(7), abs=0.25)
    table = replace(fit, posterior=found).parameters()
    assert (table["upper"] > table["estimate"]).all() and (table["lower"] < table["estimate"]).all()
    assert table["estimate"].equals(fit.parameters()["estimate"])
