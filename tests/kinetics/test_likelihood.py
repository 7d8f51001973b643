"""Likelihoods and slopes of a population, against closed forms and differences; and the same numbers in any order."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from cartrial import kernels
from cartrial.kinetics import Covariate, PopulationModel, read_set
from cartrial.kinetics.estimation.likelihood import assess_likelihood, pack, unpack, weigh_points
from cartrial.kinetics.estimation.proposal import draw_points
from cartrial.kinetics.estimation.saem import Draws, Estimate, Plan, run_saem
from cartrial.kinetics.estimation.starts import start_of
from cartrial.kinetics.model import Problem, SampleSet

DAYS = [2.0, 6.0, 10.0, 20.0]
MINE = ["A"] * 4 + ["B"] * 4 + ["C"] * 4
VALUES = [4.0, 6.5, 8.8, 7.1, 4.2, 7.0, 9.6, 8.2, 4.0, 4.0, 4.0, 4.0]
SIDES = [-1, 0, 0, 0, 0, 0, 1, 0, -1, -1, -1, -1]


def cells(order: list[int] | None = None) -> SampleSet:
    """Three subjects: some samples below 4, one of at least 9.6, one subject never quantifiable."""
    at = order or list(range(12))
    days = DAYS * 3
    pick = [[column[i] for i in at] for column in (MINE, days, VALUES, SIDES)]
    return read_set(*pick, columns={"AGE": {"A": 1.0, "B": 2.0, "C": 4.0}})


def guess(problem: Problem) -> Estimate:
    """A population near the samples."""
    coefficients = np.zeros(len(problem.names))
    by_name = {"rho": -0.7, "tmax": 2.3, "cmax": 9.0, "alpha": -1.9}
    coefficients[: len(problem.model.random)] = [by_name[name] for name in problem.model.random]
    common = np.zeros(6)
    common[:4] = list(by_name.values())
    size = len(problem.model.random)
    omega = 0.3 * np.eye(size) + 0.05 * (size > 1) * problem.model.full
    return Estimate(coefficients, omega, common, 0.6, 0.7 if problem.classes else 1.0)


def about(problem: Problem, estimate: Estimate) -> Draws:
    """Draws as the population has them."""
    mean = problem.design @ estimate.coefficients
    return Draws(mean, np.repeat(estimate.omega[None], len(mean), axis=0), np.repeat(mean[:, None], 4, axis=1))


def test_a_linear_model_has_its_closed_form() -> None:
    """Independent: with the asymptote alone varying, samples of a logistic curve are multivariate normal."""
    times = np.array([100.0, 500.0, 900.0])
    values = np.array([[30.0, 80.0, 120.0], [25.0, 60.0, 100.0]])
    samples = read_set(np.repeat(["A", "B"], 3).tolist(), np.tile(times, 2), values.ravel())
    problem = Problem.of(PopulationModel("logistic", varying=("asym",)), samples)
    common = np.array([0.0, 700.0, 350.0, 0.0, 0.0, 0.0])
    estimate = Estimate(np.array([180.0]), np.array([[900.0]]), common, 8.0, 1.0)
    g = 1.0 / (1.0 + np.exp((700.0 - times) / 350.0))
    covariance = 900.0 * np.outer(g, g) + 64.0 * np.eye(3)
    expected = multivariate_normal.logpdf(values, 180.0 * g, covariance).sum()
    precision = g @ g / 64.0 + 1.0 / 900.0
    mean = ((values @ g) / 64.0 + 180.0 / 900.0) / precision
    draws = Draws(mean[:, None], np.full((2, 1, 1), 1.0 / precision), np.repeat(mean[:, None, None], 4, axis=1))
    points = draw_points(problem, estimate, draws, 1, size=128)
    found = assess_likelihood(problem, estimate, weigh_points(problem, estimate, points))
    assert found.log == pytest.approx(expected, abs=0.01)
    assert abs(found.log - expected) < 4 * found.error + 1e-4
    assert found.mean[:, 0] == pytest.approx(mean, abs=0.05)
    assert found.spread[:, 0] == pytest.approx(precision**-0.5, rel=0.01)


@pytest.mark.parametrize(
    "model",
    [
        PopulationModel("rate", covariates=(Covariate("cmax", "AGE"),)),
        PopulationModel("rate", varying=("cmax", "alpha"), full=True, bounds={"alpha": (0.05, 0.7)}),
    ],
    ids=["class and covariate", "correlated, limits, shared"],
)
def test_slopes_are_those_of_the_likelihood(model: PopulationModel) -> None:
    """Independent: differences of the likelihood at the same points, with samples below, above and between limits."""
    problem = Problem.of(model, cells())
    estimate = guess(problem)
    points = draw_points(problem, estimate, about(problem, estimate), 3, size=4)
    here = assess_likelihood(problem, estimate, weigh_points(problem, estimate, points))
    vector = pack(problem, estimate)
    assert pack(problem, unpack(problem, vector)) == pytest.approx(vector)
    for j in range(len(vector)):
        logs = []
        for sign in (1.0, -1.0):
            moved = vector.copy()
            moved[j] += sign * 1e-5
            other = unpack(problem, moved)
            logs.append(assess_likelihood(problem, other, weigh_points(problem, other, points)).log)
        assert here.slope[j] == pytest.approx((logs[0] - logs[1]) / 2e-5, rel=1e-4, abs=1e-5), j


def test_never_quantifiable_may_be_of_the_other_class() -> None:
    """By hand, from the law of total probability: the class of expanders is certain of A and B, and of C it has p L / (p L + 1 - p)."""
    problem = Problem.of(PopulationModel("rate"), cells())
    estimate = guess(problem)
    points = draw_points(problem, estimate, about(problem, estimate), 3, size=4)
    found = assess_likelihood(problem, estimate, weigh_points(problem, estimate, points))
    assert found.expander[:2].tolist() == [1.0, 1.0]
    without = Estimate(estimate.coefficients, estimate.omega, estimate.common, estimate.error, 1.0)
    plain = Problem.of(PopulationModel("rate", classes=False), cells())
    logs = assess_likelihood(plain, without, weigh_points(plain, without, points))
    # alone, C adds ln(p L + 1 - p), the others ln p each
    seen = 0.7 * np.exp(logs.log - _of_two(plain, without, points))
    assert found.expander[2] == pytest.approx(seen / (seen + 0.3), rel=1e-9)
    # how well C's draws serve matters as far as its cells may have expanded, those of A and B wholly
    assert found.sizes[:2] == pytest.approx(logs.sizes[:2])
    assert logs.sizes[2] < found.sizes[2] == pytest.approx(min(logs.sizes[2] / found.expander[2], points.phi.shape[1]))


def _of_two(problem: Problem, estimate: Estimate, points: object) -> float:
    """Log likelihood of A and B."""
    samples = read_set(MINE[:8], DAYS * 2, VALUES[:8], SIDES[:8])
    part = Problem.of(problem.model, samples)
    first = type(points)(points.phi[:2], points.log_density[:2], points.replicates)  # type: ignore[attr-defined,call-arg]
    return assess_likelihood(part, estimate, weigh_points(part, estimate, first)).log


def test_rows_in_any_order_give_equal_numbers() -> None:
    """By hand: a key a subject and chain, and sums in the order of names; another seed gives others."""
    plan = Plan(3, 2, 2)
    model = PopulationModel("rate")
    straight, turned = (Problem.of(model, cells(order)) for order in (None, list(range(11, -1, -1))))
    one, trace = run_saem(straight, guess(straight), plan, 1)
    two, other = run_saem(turned, guess(turned), plan, 1)
    assert np.array_equal(trace, other)
    assert one.coefficients.tolist() == two.coefficients.tolist()
    assert not np.array_equal(trace, run_saem(straight, guess(straight), plan, 2)[1])


@pytest.mark.slow
@pytest.mark.skipif(find_spec("numba") is None, reason="numba (extra `fast`) is not installed: kernels are interpreted")
def test_compiled_is_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Independent: the same functions, interpreted and compiled, for every curve of cells, with what all subjects share."""
    for curve in ("stein", "lag"):
        model = PopulationModel(curve, varying=("cmax", "alpha"), bounds={"alpha": (0.01, 0.7)})
        problem = Problem.of(model, cells())
        start = start_of(problem, 1, 1)
        monkeypatch.setattr(kernels, "COMPILE_FROM", 10**9)
        interpreted = run_saem(problem, start, Plan(4, 3, 2), 1)[1]
        monkeypatch.setattr(kernels, "COMPILE_FROM", 0)
        assert run_saem(problem, start, Plan(4, 3, 2), 1)[1] == pytest.approx(interpreted, rel=1e-9)
