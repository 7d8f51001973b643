"""What is one batch of trials, and how is it run? Its file is there whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from cartrial.design.batches.places import Place, open_place

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Job", "batch_alone", "one_thread", "rows_alone", "threads_here", "write_batch"]

_THREADS: ContextVar[int | None] = ContextVar("threads", default=None)


class Job(Protocol):
    """What is run for each batch of trials. It can be pickled."""

    def identity(self) -> dict[str, Any]:
        """Return what the results depend on, as JSON has it: kept in `manifest.json`, and a folder of another identity is refused."""

    def run(self, first: int, last: int) -> pl.DataFrame:
        """Return the results of trials `first` to `last`, inclusive. They depend on the trials' numbers alone, not on the batch.

        What takes a number of threads is given `threads_here()`.
        """


def threads_here() -> int | None:
    """Return how many threads a job may use: None for all, 1 on one of several workers."""
    return _THREADS.get()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let what runs here use one thread."""
    token = _THREADS.set(1)
    try:
        yield
    finally:
        _THREADS.reset(token)


def write_batch(job: Job, first: int, last: int, place: Place, token: str) -> int:
    """Run one batch, write its file, and return the number of its trials."""
    content = io.BytesIO()
    job.run(first, last).write_parquet(content)
    place.write(f"trials-{first:06d}-{last:06d}.parquet", content.getvalue(), token)
    return last - first + 1


def batch_alone(job: Job, where: str, token: str, first: int, last: int) -> int:
    """Run one batch in a process of one thread, and write its file."""
    with one_thread():
        return write_batch(job, first, last, open_place(where), token)


def rows_alone(job: Job, first: int, last: int) -> pl.DataFrame:
    """Run one batch in a process of one thread, and return its rows."""
    with one_thread():
        return job.run(first, last)
