"""How are ten thousand virtual trials run? Through the endpoints and estimates of a real one, batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartrial.design.batches.batch import threads_here
from cartrial.design.batches.run import BATCH, read_batches, run_batches
from cartrial.virtual.trial import plan_study, simulate_study, virtual_study

if TYPE_CHECKING:
    import polars as pl

    from cartrial.study import Study
    from cartrial.virtual.trial.arrivals import Plan

__all__ = ["BATCH", "TrialsJob", "read_trials", "stream_trials"]


@dataclass(frozen=True)
class TrialsJob:
    """Virtual trials to their results; a `Job` of `run_batches`.

    Parameters
    ----------
    study : Study
        Its endpoints.
    plan : Plan
        Where the subjects come from.
    analyses : tuple of str, optional
        All without it; curves and Cox models excepted.
    threads : int, optional
        Nothing depends on it.
    """

    study: Study
    plan: Plan
    analyses: tuple[str, ...] | None = None
    threads: int | None = None

    def identity(self) -> dict[str, Any]:
        """Return what the results depend on."""
        from cartrial.virtual import LABEL

        def digest(content: bytes) -> str:
            return hashlib.sha256(content).hexdigest()

        plan = self.plan
        return {
            "study": plan.study.study.id,
            "study_hash": virtual_study(self.study).hash,
            "simulated_study_hash": virtual_study(plan.study).hash,
            "seed": plan.seed,
            "infused": plan.size,
            "analyses": list(self.analyses) if self.analyses else "all",
            "population": f"{plan.population.id} {digest(plan.population.model_dump_json().encode())}",
            "settings": digest(plan.settings.model_dump_json().encode()),
            "ensemble": digest(np.ascontiguousarray(plan.ensemble.values).tobytes()),
            "provenance": "virtual",
            "label": LABEL,
        }

    def run(self, first: int, last: int) -> pl.DataFrame:
        """Return the results of trials `first` to `last`, inclusive, sorted by key; no value is printed (`text` is null)."""
        import polars as pl

        from cartrial.analysis import analyse
        from cartrial.analysis.results import ANALYSES, sort_results
        from cartrial.coded import codes_as_text
        from cartrial.endpoints import derive

        study = virtual_study(self.study)
        threads = self.threads or threads_here()
        records = simulate_study(study, plan=self.plan, trials=last - first + 1, first=first, threads=threads)
        results = analyse(
            study, derive(study, records, texts=False), records, analyses=self.analyses or ANALYSES, curves=False, texts=False
        )
        return codes_as_text(sort_results(results.with_columns((pl.col("trial") + first).cast(pl.Int32))))


def stream_trials(
    study: Study,
    trials: int,
    seed: int | None,
    out: str | Path,
    *,
    n: int | None = None,
    batch: int = BATCH,
    population: str | Path | None = None,
    plan: Plan | None = None,
    analyses: tuple[str, ...] | None = None,
    progress: Callable[[int, int], None] | None = None,
    threads: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    processes: int = 1,
) -> str | Path:
    """Simulate trials, derive their endpoints, estimate, and keep the results.

    Parameters
    ----------
    study : Study
    trials : int
        How many in all; those whose results are in `out` already are not run again.
    seed : int or None
        None: as in `plan_study`.
    out : str or Path
        Folder of the results, or a URL of fsspec as `str`: `trials-FIRST-LAST.parquet` and `manifest.json`.
    n : int, optional
        Subjects infused by the cutoff, in each trial; without it as in `plan_study`.
    batch : int
        Trials held at once. Results do not depend on it.
    population : str or Path, optional
        As in `plan_study`.
    plan : Plan, optional
        Instead of `n`, `seed` and `population`.
    analyses : tuple of str, optional
        Make these analyses alone (`flow`, `response`, `survival` ...); all without it, curves and Cox models excepted.
    progress : callable, optional
        Told the trials done and the trials wanted, after each batch.
    threads : int, optional
        Nothing depends on it.
    workers, scheduler, processes : optional
        As in `run_batches`.

    Returns
    -------
    Path or str
        `out`: a Path where it is a folder, a str where it is a URL.

    Raises
    ------
    InputError
        If the folder holds the results of another study, seed, number, population, ensemble, version or code, or more trials.

    Notes
    -----
    A batch is written beside its place and moved in. Interrupted, the batches that are there stay usable, and the same call goes on with
    the rest.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.design import stream_trials
    >>> from cartrial.study import Study
    >>> with TemporaryDirectory() as folder:
    ...     place = stream_trials(Study.load("inaticel"), 2, 1, Path(folder) / "out", n=2, batch=1, analyses=("flow",))
    ...     print(sorted(path.name for path in place.iterdir()))
    ['manifest.json', 'trials-000000-000000.parquet', 'trials-000001-000001.parquet']
    """
    plan = plan or plan_study(virtual_study(study), n=n, seed=seed, population=population)
    job = TrialsJob(virtual_study(study), plan, analyses, threads)
    return run_batches(job, trials, out, batch=batch, progress=progress, workers=workers, scheduler=scheduler, processes=processes)


def read_trials(folder: str | Path) -> pl.LazyFrame:
    """Return the results of every trial that is there, as the results of a study with `trial` from 0; sorted within each batch.

    Raises
    ------
    InputError
        If the folder has none.

    Examples
    --------
    Each trial has the two infused subjects that were asked for.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.design import read_trials, stream_trials
    >>> from cartrial.study import Study
    >>> with TemporaryDirectory() as folder:
    ...     place = stream_trials(Study.load("inaticel"), 2, 1, Path(folder) / "out", n=2, analyses=("flow",))
    ...     infused = read_trials(place).filter(analysis="flow", endpoint="infused", by="").collect()
    >>> infused["trial"].to_list(), infused["value"].to_list()
    ([0, 1], [2.0, 2.0])
    """
    return read_batches(folder)
