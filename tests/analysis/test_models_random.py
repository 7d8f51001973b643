"""1,500 random sets of few against many: every fit gives a figure, and the right one (R; independent for Firth)."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import chi2, norm

from analysis_oracle import adcr, adtte, models
from cartrial.analysis import estimate_cox, estimate_fine_gray, estimate_firth
from model_sets import SETS, model_set

FEW = range(6, SETS, 20)
ALL = range(SETS)
FIGURES = ("coefficient", "standard_error", "hazard_ratio", "lower", "upper", "p_value")
FIRTH = "Cox model with Firth's penalty, ties by Breslow, profile limits"

some = pytest.mark.parametrize("numbers", [FEW, pytest.param(ALL, marks=pytest.mark.slow)], ids=["few", "all"])


def near(found: float, expected: float, tolerance: float = 5e-10) -> bool:
    return abs(found - expected) <= tolerance * max(1.0, abs(expected))


def wald(row: dict, coefficient: float, error: float) -> bool:
    """origin R: coefficient and standard error; limits and p-value from them."""
    z = norm.ppf(0.975)
    expected = {
        "coefficient": coefficient,
        "standard_error": error,
        "hazard_ratio": np.exp(coefficient),
        "lower": np.exp(coefficient - z * error),
        "upper": np.exp(coefficient + z * error),
        "p_value": 2 * norm.sf(abs(coefficient / error)),
    }
    return all(near(row[name], value, 5e-9 if name in ("lower", "upper") else 1e-9) for name, value in expected.items())


def firth_of_two_groups(frame: pl.DataFrame) -> dict[str, float]:
    """origin independent: with h the hazard ratio, n1 and n0 at risk, p = n1 h/(n1 h + n0) of the few at each event.

    The logarithm of the penalised likelihood is the sum of x b - log(n1 h + n0), and half the logarithm of the sum of p (1 - p).
    """
    time, event, group = (frame[name].to_numpy() for name in ("time", "event", "group"))
    at = time[event == 1]
    own = group[event == 1]
    few = np.array([((time >= t) & (group == 1)).sum() for t in at])
    many = np.array([((time >= t) & (group == 0)).sum() for t in at])

    def value(b: float) -> float:
        p = few * np.exp(b) / (few * np.exp(b) + many)
        return float((own * b - np.log(few * np.exp(b) + many)).sum() + 0.5 * np.log((p * (1 - p)).sum()))

    def slope(b: float) -> float:
        p = few * np.exp(b) / (few * np.exp(b) + many)
        return float((own - p).sum() + 0.5 * (p * (1 - p) * (1 - 2 * p)).sum() / (p * (1 - p)).sum())

    best = brentq(slope, -25, 25, xtol=1e-13)
    p = few * np.exp(best) / (few * np.exp(best) + many)

    def fall(b: float) -> float:
        return 2 * (value(best) - value(b)) - float(chi2.ppf(0.95, 1))

    return {
        "coefficient": best,
        "standard_error": float((p * (1 - p)).sum() ** -0.5),
        "hazard_ratio": np.exp(best),
        "lower": np.exp(brentq(fall, -30, best, xtol=1e-12)),
        "upper": np.exp(brentq(fall, best, 30, xtol=1e-12)),
        "p_value": float(chi2.sf(2 * (value(best) - value(0.0)), 1)),
    }


@some
@pytest.mark.shows("EST-cox")
def test_cox(numbers: range) -> None:
    """origin R: coxph() where it does not warn of a coefficient without end; else Firth (independent). No figure is missing."""
    expected, by_firth = models()["random_cox"], 0
    for i in numbers:
        row = quietly(lambda i=i: estimate_cox(adtte(model_set(i)), ["group"]))
        assert row["converged"]
        if expected["warned"][i]:
            by_firth += 1
            assert row["method"] == FIRTH
            assert same_firth(row, firth_of_two_groups(model_set(i))), i
        else:
            assert row["method"] == "Cox model, ties by Efron"
            assert wald(row, expected["coef"][0][i], expected["se"][0][i]), i
    assert by_firth == sum(expected["warned"][i] for i in numbers)
    assert by_firth > 0


@pytest.mark.slow
@some
@pytest.mark.shows("EST-firth")
def test_firth(numbers: range) -> None:
    for i in numbers:
        row = quietly(lambda i=i: estimate_firth(adtte(model_set(i)), ["group"]))
        assert row["converged"]
        assert row["method"] == FIRTH
        assert same_firth(row, firth_of_two_groups(model_set(i))), i


@some
@pytest.mark.shows("EST-fine-gray")
def test_fine_gray(numbers: range) -> None:
    """origin R: finegray() with coxph(); where coxph() warns: not estimable, and no figure."""
    expected = models()["random_fine_gray"]
    for i in numbers:
        row = quietly(lambda i=i: estimate_fine_gray(adcr(model_set(i)), ["group"]))
        if expected["warned"][i]:
            assert "not estimable" in row["method"]
            assert not row["converged"]
            assert [row[name] for name in FIGURES] == [None] * 6
        else:
            assert row["converged"]
            assert wald(row, expected["coef"][0][i], expected["se"][0][i]), i


@pytest.mark.slow
def test_cox_with_a_second_covariate() -> None:
    """origin R: coxph() of the group and a number."""
    expected = models()["random_cox_two"]
    for j, i in enumerate(range(0, SETS, 5)):
        found = estimate_cox(adtte(model_set(i)), ["group", "x"])
        assert found["converged"].all()
        if not expected["warned"][j]:
            for k, row in enumerate(found.iter_rows(named=True)):
                assert wald(row, expected["coef"][k][j], expected["se"][k][j]), i


@pytest.mark.parametrize("number", [1, 7, 12, 105])
def test_firth_with_a_second_covariate(number: int) -> None:
    """origin independent: the penalised likelihood from its definition, its profile by scipy's simplex (good to 1e-5)."""
    frame = model_set(number)
    x = frame.select("group", "x").to_numpy()
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    time, event = frame["time"].to_numpy(), frame["event"].to_numpy()

    def value(b: np.ndarray) -> float:
        risk, total, information = np.exp(x @ b), 0.0, np.zeros((2, 2))
        for i in np.flatnonzero(event):
            w = risk * (time >= time[i])
            mean = w @ x / w.sum()
            total += x[i] @ b - np.log(w.sum())
            information += (x * w[:, None]).T @ x / w.sum() - np.outer(mean, mean)
        return total + 0.5 * np.log(np.linalg.det(information))

    def best(function: Callable[[np.ndarray], float], start: list[float]) -> tuple[np.ndarray, float]:
        options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000}
        found = minimize(lambda b: -function(b), start, method="Nelder-Mead", options=options)
        return found.x, -found.fun

    beta, top = best(value, [0.0, 0.0])
    rows = estimate_firth(adtte(frame), ["group", "x"])
    for k, row in enumerate(rows.iter_rows(named=True)):
        scale = frame.select("group", "x").to_numpy().std(axis=0)[k]

        def drop(b: float, k: int = k) -> float:
            inner = best(lambda other: value(np.insert(other, k, b)), [float(beta[1 - k])])[1]
            return 2 * (top - inner)

        assert row["coefficient"] * scale == pytest.approx(beta[k], rel=1e-5, abs=1e-6)
        assert row["p_value"] == pytest.approx(float(chi2.sf(drop(0.0), 1)), rel=1e-5)
        for name in ("lower", "upper"):
            assert drop(float(np.log(row[name])) * scale) == pytest.approx(float(chi2.ppf(0.95, 1)), rel=1e-5)


def same_firth(row: dict, expected: dict[str, float]) -> bool:
    return all(near(row[name], expected[name], 1e-8) for name in FIGURES)


def quietly(fit: Callable[[], pl.DataFrame]) -> dict:
    """Return the only row of a fit; no warning reaches the terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit().row(0, named=True)
