"""What trials differ in.

Origin: `independent` where the same normal model is worked out another way (all unknowns at once); `by hand` for what must be so.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal

from cartrial.errors import InputError
from cartrial.predict.known import load_known
from cartrial.virtual import Keys, draw_patients, load_ensemble, load_population
from cartrial.virtual.calibration import read_scores
from cartrial.virtual.calibration.between import (
    SCALE,
    Linear,
    estimate_spread,
    fitted_trials,
    load_linear,
    trial_ensemble,
    trial_moves,
    write_linear,
)
from cartrial.virtual.calibration.between_score import assess_left_out, assess_spread
from cartrial.virtual.calibration.targets import load_evaluation, load_targets
from cartrial.virtual.patients.population import load_model

TRIALS = ("one", "one", "one", "two", "two", "three")


def small(seed: int = 3) -> Linear:
    """Six results of three trials."""
    random = np.random.default_rng(seed)
    n = len(load_model().names)
    return Linear(tuple("abcdef"), TRIALS, random.normal(size=6), random.normal(size=(6, n)) / 3, load_model())


@pytest.mark.parametrize("trial", ["", "one", "three"])
def test_a_trials_own_parameters_are_those_of_the_whole_normal_model(trial: str) -> None:
    """Independent: common parameters and those of every trial are unknown together, and the results condition them all at once."""
    linear = small()
    spread = np.linspace(0.2, 1.1, len(linear.domains))[None, :]
    variance = linear.variances(spread)[0]
    n, names = len(variance), ["one", "two", "three", ""]
    # common, then each trial's own: the common one plus its difference
    joint = np.kron(np.ones((5, 5)), np.eye(n))
    for k in range(1, 5):
        joint[k * n : (k + 1) * n, k * n : (k + 1) * n] += np.diag(variance)
    seen = np.zeros((6, 5 * n))
    for i, name in enumerate(TRIALS):
        at = 1 + names.index(name)
        seen[i, at * n : (at + 1) * n] = -linear.jacobian[i]
    gain = joint @ seen.T @ np.linalg.inv(seen @ joint @ seen.T + np.eye(6))
    own = slice((1 + names.index(trial)) * n, (2 + names.index(trial)) * n)
    mean, covariance = (gain @ linear.level)[own], (joint - gain @ seen @ joint)[own, own]
    # the same without differences is what is taken off
    plain = np.linalg.inv(np.eye(n) + linear.jacobian.T @ linear.jacobian)
    moved, added = trial_moves(linear, spread, trial)
    np.testing.assert_allclose(moved[0], mean + plain @ linear.jacobian.T @ linear.level, atol=1e-10)
    np.testing.assert_allclose(added[0], covariance - plain, atol=1e-10)
    assert np.linalg.eigvalsh(added[0]).min() > -1e-10


def test_trials_that_do_not_differ_move_nothing() -> None:
    linear = small()
    for trial in ("", "two"):
        moved, added = trial_moves(linear, np.zeros((1, len(linear.domains))), trial)
        np.testing.assert_allclose(moved, 0, atol=1e-10)
        np.testing.assert_allclose(added, 0, atol=1e-10)


def test_a_spread_weighs_as_the_density_of_the_results() -> None:
    """Independent: SciPy's multivariate normal density, with what two results of one trial share in a loop."""
    linear = small()
    found = estimate_spread(linear, draws=40)
    density = []
    for spread in found.values:
        variance = linear.variances(spread[None, :])[0]
        covariance = np.eye(6) + linear.jacobian @ linear.jacobian.T
        for i in range(6):
            for j in range(6):
                if TRIALS[i] == TRIALS[j]:
                    covariance[i, j] += (linear.jacobian[i] * variance * linear.jacobian[j]).sum()
        density.append(multivariate_normal(np.zeros(6), covariance).pdf(linear.level))
    np.testing.assert_allclose(found.weight, np.array(density) / np.sum(density), rtol=1e-8)
    assert found.resample(30).shape == (30, len(linear.domains))


def test_trials_that_differ_more_are_found_to() -> None:
    """By hand: the same number of each trial, once the same in all and once far apart."""
    model = load_model()
    names = tuple(f"r{i}" for i in range(12))
    jacobian = np.zeros((12, len(model.names)))
    jacobian[:, model.names.index("severe-crs")] = 4.0
    apart = np.where(np.arange(12) % 2, 4.0, -4.0)
    medians = [
        estimate_spread(Linear(names, names, level, jacobian, model)).quantiles()[load_linear().domains.index("toxicity"), 1]
        for level in (np.zeros(12), apart)
    ]
    assert medians[0] < 0.2 < 0.6 < medians[1]


def test_nothing_but_fitted_results_says_how_much_trials_differ() -> None:
    linear = load_linear()
    uses = {target.id: target for target in load_targets().targets}
    kept = {name for (table, name) in load_evaluation() if table == "targets"}
    assert {uses[name].use for name in linear.targets} == {"fit"} and not kept & set(linear.targets)
    assert [uses[name].trial for name in linear.targets] == list(linear.trials)
    assert list(linear.targets) == [target.id for target in load_targets().targets if target.use == "fit"]


def test_the_scale_is_that_of_the_best_score() -> None:
    """Of the stored scores; the fitted trials lie inside nine times in ten, and not always."""
    stored = read_scores("between")
    best = stored.row(stored["score"].arg_max() or 0, named=True)
    assert best["scale"] == SCALE
    assert 0.85 < best["inside"] / best["results"] < 0.96
    left_out = assess_left_out(load_linear(), read_scores("left-out"), draws=60)
    assert 0.85 < np.mean(left_out["z_spread"].abs().to_numpy() < 1.645) < 0.96
    assert (left_out["width"] >= 1).all()


@pytest.mark.slow
def test_the_stored_scores_are_made_again() -> None:
    again, stored = assess_spread(load_linear()), read_scores("between")
    np.testing.assert_allclose(again.select(pl.col(pl.Float64)).to_numpy(), stored.select(pl.col(pl.Float64)).to_numpy(), atol=2e-4)
    assert again["inside"].to_list() == stored["inside"].to_list()


def test_a_virtual_trial_keeps_its_member_and_its_patients() -> None:
    """Only parameters move: four sets of one member stand beside one another, and chances do not depend on parameters."""
    keys = Keys.trials("between", 1, 30, 2)
    people = load_population("mskcc")
    plain, new = (draw_patients(people, sets, keys) for sets in (load_ensemble(), trial_ensemble()))
    np.testing.assert_array_equal(new.member // 4, plain.member)
    np.testing.assert_array_equal(new.covariates["age"], plain.covariates["age"])
    np.testing.assert_array_equal(new.covariates["marrow"], plain.covariates["marrow"])
    assert not np.allclose(new.hazards["severe_crs"], plain.hazards["severe_crs"])


def test_a_fit_is_written_and_read(tmp_path: Path) -> None:
    linear = small()
    write_linear(tmp_path / "made.csv", linear)
    again = load_linear(tmp_path / "made.csv")
    np.testing.assert_allclose(again.jacobian, linear.jacobian, atol=1e-5)
    assert (again.targets, again.trials) == (linear.targets, linear.trials)
    (tmp_path / "other.csv").write_text("target,trial,level\n", encoding="utf-8")
    with pytest.raises(InputError, match="not of the present model"):
        load_linear(tmp_path / "other.csv")
    with pytest.raises(InputError, match="no result of a trial 'zuma3' is fitted"):
        trial_ensemble("zuma3")


def test_every_trial_that_is_said_to_share_patients_is_fitted() -> None:
    assert {name for trial in load_known().trials.values() for name in trial.shares} <= set(fitted_trials())
