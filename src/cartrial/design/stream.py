"""How are ten thousand virtual trials run? In batches of bounded memory, each a file that is there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartrial.errors import InputError
from cartrial.virtual.trial import INFUSED, plan_study, simulate_study, virtual_study

if TYPE_CHECKING:
    import polars as pl

    from cartrial.study import Study
    from cartrial.virtual.accrual import Plan

__all__ = ["BATCH", "read_trials", "stream_trials"]

BATCH = 250
_PART = re.compile(r"^trials-(\d+)-(\d+)\.parquet$")
_MANIFEST = "manifest.json"
_PACKAGES = ("cartrial", "polars", "numpy", "scipy", "numba")


def stream_trials(
    study: Study,
    trials: int,
    seed: int,
    out: str | Path,
    *,
    n: int = INFUSED,
    batch: int = BATCH,
    population: str | Path | None = None,
    plan: Plan | None = None,
    analyses: tuple[str, ...] | None = None,
    progress: Callable[[int, int], None] | None = None,
    threads: int | None = None,
) -> Path:
    """Simulate trials, derive their endpoints, estimate, and keep the results.

    Parameters
    ----------
    study : Study
    trials : int
        How many in all; those whose results are in `out` already are not run again.
    seed : int
    out : path
        Folder of the results: `trials-FIRST-LAST.parquet` and `manifest.json`.
    n : int
        Subjects infused by the cutoff, in each trial.
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

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If the folder holds the results of another study, seed, number, population, ensemble or version.

    Notes
    -----
    A batch is written beside its place and moved in. Interrupted, the batches that are there stay usable, and the same call goes on with
    the rest.
    """
    import polars as pl

    from cartrial.analysis import analyse
    from cartrial.analysis.results import ANALYSES, sort_results
    from cartrial.endpoints import derive

    if trials < 1 or batch < 1:
        raise InputError("there is no trial, or no trial in a batch", key="trials", right="Give at least 1 of each")
    study = virtual_study(study)
    plan = plan or plan_study(study, n=n, seed=seed, population=population)
    folder = _prepare(Path(out), plan, analyses)
    done = _done(folder)
    left = np.setdiff1d(np.arange(trials), done)
    finished = trials - len(left)
    if progress:
        progress(finished, trials)
    for first, last in _ranges(left, batch):
        records = simulate_study(study, plan=plan, trials=last - first + 1, first=first, threads=threads)
        results = analyse(study, derive(study, records), records, analyses=analyses or ANALYSES, curves=False)
        _write(folder, first, last, sort_results(results.with_columns((pl.col("trial") + first).cast(pl.Int32))))
        finished += last - first + 1
        if progress:
            progress(finished, trials)
    return folder


def read_trials(folder: str | Path) -> pl.LazyFrame:
    """Return the results of every trial that is there, as the results of a study with `trial` from 0; sorted within each batch.

    Raises
    ------
    InputError
        If the folder has none.
    """
    import polars as pl

    files = sorted(path for path in Path(folder).glob("trials-*.parquet") if _PART.match(path.name))
    if not files:
        raise InputError("the folder holds no results of trials", file=str(folder), right="`stream_trials` makes them")
    return pl.scan_parquet(files)


def _ranges(left: np.ndarray, batch: int) -> list[tuple[int, int]]:
    """Return first and last of runs of consecutive numbers, at most `batch` long."""
    found = []
    for run in np.split(left, np.flatnonzero(np.diff(left) > 1) + 1):
        found += [(int(part[0]), int(part[-1])) for part in (run[i : i + batch] for i in range(0, len(run), batch))]
    return found


def _done(folder: Path) -> np.ndarray:
    """Return the trials whose results are there."""
    spans = [match.groups() for path in folder.iterdir() if (match := _PART.match(path.name))]
    return np.unique(np.concatenate([np.arange(int(a), int(b) + 1) for a, b in spans])) if spans else np.empty(0, np.int64)


def _write(folder: Path, first: int, last: int, frame: pl.DataFrame) -> None:
    handle, name = tempfile.mkstemp(prefix=".trials-", suffix=".part", dir=folder)
    os.close(handle)
    try:
        frame.write_parquet(name)
        os.chmod(name, 0o644)
        os.replace(name, folder / f"trials-{first:06d}-{last:06d}.parquet")
    finally:
        Path(name).unlink(missing_ok=True)


def _identity(plan: Plan, analyses: tuple[str, ...] | None) -> dict[str, Any]:
    """Return what the results depend on."""
    from importlib import metadata

    def version(name: str) -> str | None:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return None

    def digest(content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    return {
        "study": plan.study.study.id,
        "study_hash": virtual_study(plan.study).hash,
        "seed": plan.seed,
        "infused": plan.size,
        "analyses": list(analyses) if analyses else "all",
        "population": f"{plan.population.id} {digest(plan.population.model_dump_json().encode())}",
        "settings": digest(plan.settings.model_dump_json().encode()),
        "ensemble": digest(np.ascontiguousarray(plan.ensemble.values).tobytes()),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def _prepare(folder: Path, plan: Plan, analyses: tuple[str, ...] | None) -> Path:
    """Make the folder, or see that what it holds is of the same plan."""
    from cartrial.virtual import LABEL

    wanted = _identity(plan, analyses)
    manifest = folder / _MANIFEST
    if manifest.is_file():
        try:
            held: Mapping[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError("the manifest cannot be read", file=str(manifest), right="Name a new folder") from error
        for key, value in wanted.items():
            if held.get(key) != value:
                what = f"the folder holds results with another {key.replace('_', ' ')} ({held.get(key)}, now {value})"
                raise InputError(what, file=str(folder), key=key, right="Name a new folder, or run with what it was made with")
        return folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("the place is no folder of trials", file=str(folder), right="Name a new or empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**wanted, "provenance": "virtual", "label": LABEL}, indent=2)
        beside = folder / f".{_MANIFEST}.part"
        beside.write_text(text + "\n", encoding="utf-8")
        os.replace(beside, manifest)
    except OSError as error:
        raise InputError("the results cannot be written there", file=str(folder), right="Name a folder that can be written to") from error
    return folder
