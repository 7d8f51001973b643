"""What do commands that run very many trials share? Where results go, who runs them, and what Ctrl-C leaves."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from cartrial.cli.app import MOST, quietly

__all__ = ["INTERRUPTED", "BatchOption", "PlaceOption", "SchedulerOption", "WorkersOption", "batches_kept"]

INTERRUPTED = 130

PlaceOption = Annotated[str, typer.Option("--out", metavar="FOLDER", help="Folder to write to, or a URL such as s3://bucket/folder.")]
BatchOption = Annotated[int, typer.Option("--batch", max=MOST, help="Trials held at once; results do not depend on it.")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", max=MOST, metavar="N", help="Spread the batches over N processes of one thread (extra dask).")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Dask scheduler, as tcp://host:8786, whose workers run the batches (extra dask)."),
]


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
