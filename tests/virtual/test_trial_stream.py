"""Many trials: equal in any batches, interrupted and taken up again, refused where the folder is of another plan."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from cartrial.analysis.results import check_results, results_hash, sort_results
from cartrial.design.trials.stream import read_trials, stream_trials
from cartrial.errors import InputError
from cartrial.study import Study
from cartrial.virtual.patients.ensemble import Ensemble
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.trial import plan_study
from properties import count

pytest.importorskip("numba")

ANALYSES = ("flow", "response", "survival")
TRIALS = 20


@pytest.fixture(scope="module")
def study() -> Study:
    """Return the built-in study without subgroups."""
    return Study.load("inaticel").model_copy(update={"subgroups": ()})


def plan_of(study: Study, seed: int = 5):
    """Return a plan of eight infused subjects a trial."""
    model = load_model()
    mean, _ = model.prior
    return plan_study(study, n=8, seed=seed, ensemble=Ensemble(np.stack([mean, mean + 0.1]), model, {}))


def run(study: Study, folder, batch: int, **options):
    """Run the trials into a folder and return their results."""
    stream_trials(study, TRIALS, 5, folder, batch=batch, plan=plan_of(study), analyses=ANALYSES, **options)
    return sort_results(read_trials(folder).collect())


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    """Return the results of one batch."""
    return run(study, tmp_path_factory.mktemp("whole") / "out", TRIALS)


def test_results_are_results(whole):
    check_results(whole)
    assert whole["trial"].unique().sort().to_list() == list(range(TRIALS))
    assert whole["provenance"].unique().to_list() == ["virtual"]
    infused = whole.filter((pl.col("analysis") == "flow") & (pl.col("endpoint") == "infused"))
    assert (infused["value"] == 8).all()


@pytest.mark.slow
def test_many_batches_give_the_same(study, whole, tmp_path):
    told, batch = [], count(1, quick=4)
    several = run(study, tmp_path / "out", batch, threads=1, progress=lambda done, of: told.append((done, of)))
    assert results_hash(several) == results_hash(whole)
    assert told[0] == (0, TRIALS) and told[-1] == (TRIALS, TRIALS) and len(told) == TRIALS // batch + 1
    assert json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["provenance"] == "virtual"


def test_interrupted_and_taken_up_again(study, whole, tmp_path):
    folder = tmp_path / "out"

    def stop(done: int, of: int) -> None:
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(study, folder, 4, progress=stop)
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json",
        "trials-000000-000003.parquet",
        "trials-000004-000007.parquet",
    ]
    assert read_trials(folder).collect()["trial"].n_unique() == 8
    kept = (folder / "trials-000000-000003.parquet").stat().st_mtime_ns
    assert results_hash(run(study, folder, 5)) == results_hash(whole)
    assert (folder / "trials-000000-000003.parquet").stat().st_mtime_ns == kept
    (folder / "trials-000004-000007.parquet").unlink()
    assert results_hash(run(study, folder, 3)) == results_hash(whole)


def test_another_plan_is_refused(study, tmp_path):
    folder = tmp_path / "out"
    stream_trials(study, 1, 5, folder, plan=plan_of(study), analyses=("flow",))
    with pytest.raises(InputError, match="another seed"):
        stream_trials(study, 1, 6, folder, plan=plan_of(study, 6), analyses=("flow",))
    with pytest.raises(InputError, match="another analyses"):
        stream_trials(study, 1, 5, folder, plan=plan_of(study))
    other = Study.load("inaticel")
    with pytest.raises(InputError, match="another study hash"):
        stream_trials(other, 1, 5, folder, plan=plan_of(other), analyses=("flow",))


def test_wrong_calls_are_refused(study, tmp_path):
    with pytest.raises(InputError, match="no trial"):
        stream_trials(study, 0, 5, tmp_path / "a", plan=plan_of(study))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="no folder of trials"):
        stream_trials(study, 1, 5, tmp_path / "b", plan=plan_of(study))
    with pytest.raises(InputError, match="no results"):
        read_trials(tmp_path / "b")
