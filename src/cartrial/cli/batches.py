"""What do commands that run very many trials share? Where results go, who runs them, and what Ctrl-C leaves."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from cartrial.cli.app import MOST, quietly

__all__ = ["INTERRUPTED", "BatchOption", "PlaceOption", "SchedulerOption", "WorkersOption", "batches_kept", "spread_over"]

INTERRUPTED = 130

PlaceOption = Annotated[str, typer.Option("--out", metavar="FOLDER", help="Folder to write to, or a URL such as s3://bucket/folder.")]
BatchOption = Annotated[int, typer.Option("--batch", max=MOST, help="Trials held at once; results do not depend on it.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        max=MOST,
        metavar="N",
        help="Processes of one thread. Without it one a core, each with 200 trials at least and about 0.9 GB; 1: this one alone; more "
        "than 1: workers of Dask, which take over from one that is lost (extra dask).",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Dask scheduler, as tcp://host:8786, whose workers run the batches (extra dask)."),
]


LEAST = 200
"""Trials of a process: fewer are done before it has started."""


def spread_over(trials: int, workers: int | None, scheduler: str | None) -> dict[str, Any]:
    """Return who runs so many trials, as `run_batches` takes it: the cores of this machine where nothing is asked for."""
    if scheduler is not None or (workers is not None and workers != 1):
        return {"workers": workers, "scheduler": scheduler}
    from cartrial.processes import processes_for

    return {"processes": processes_for(trials, LEAST, workers)}


@contextmanager
def batches_kept() -> Iterator[None]:
    """Say in one sentence what Ctrl-C or SIGTERM left, and end with exit code 130; show a warning as one line."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with warnings.catch_warnings(), quietly():
            warnings.showwarning = lambda message, *_, **__: typer.echo(str(message), err=True)
            yield
    except KeyboardInterrupt as error:
        typer.echo(str(error) or "Interrupted; nothing was written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)
