"""Jobs of the scale tests: in a module of their own, so that worker processes can import them."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cartrial.design.batches.batch import threads_here
from cartrial.design.trials.stream import TrialsJob
from cartrial.errors import InputError
from cartrial.study import Study
from cartrial.virtual.patients.ensemble import Ensemble
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.trial import plan_study

ANALYSES = ("flow", "response")


def trials_job() -> TrialsJob:
    """Return virtual trials of eight infused subjects, with two parameter sets and two analyses."""
    study = Study.load("inaticel").model_copy(update={"subgroups": ()})
    model = load_model()
    mean, _ = model.prior
    return TrialsJob(study, plan_study(study, n=8, seed=5, ensemble=Ensemble(np.stack([mean, mean + 0.1]), model, {})), ANALYSES)


def where_it_ran(number: int) -> tuple[int, int, str | None]:
    """Return the number, the process, and how many threads it gives polars."""
    return number, os.getpid(), os.environ.get("POLARS_MAX_THREADS")


def ended_at_two(number: int) -> int:
    """Return the number; the process that is given 2 is killed."""
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@dataclass(frozen=True)
class Counting:
    """One row a trial: its number and its square; `ran` gets an empty file for each batch that was run."""

    seed: int = 1
    ran: Path | None = None

    def identity(self) -> dict[str, Any]:
        return {"seed": self.seed}

    def run(self, first: int, last: int) -> pl.DataFrame:
        if self.ran is not None:
            self.ran.mkdir(parents=True, exist_ok=True)
            (self.ran / f"{first}-{last}").touch()
        trial = pl.Series("trial", range(first, last + 1), dtype=pl.Int32)
        return pl.DataFrame({"trial": trial, "square": (trial.cast(pl.Int64) ** 2)})


@dataclass(frozen=True)
class Fatal:
    """The trials of another job; the process that runs trial `at` first is killed, once, or each time."""

    job: TrialsJob
    at: int
    notes: Path
    always: bool = False

    def identity(self) -> dict[str, Any]:
        return self.job.identity()

    def run(self, first: int, last: int) -> pl.DataFrame:
        (self.notes / f"worker-{os.getpid()}").write_text(
            f"{os.environ['NUMBA_NUM_THREADS']} {pl.thread_pool_size()} {threads_here()} {threading.active_count()}"
        )
        flag = self.notes / "killed"
        if first <= self.at <= last and (self.always or not flag.exists()):
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.job.run(first, last)


@dataclass(frozen=True)
class Wrong:
    """A job that refuses a trial."""

    def identity(self) -> dict[str, Any]:
        return {}

    def run(self, first: int, last: int) -> pl.DataFrame:
        raise InputError("this trial cannot be run", key="trial", right="Run another")
