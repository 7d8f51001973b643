"""How are very many trials run? In batches of bounded memory, each a file that is there whole or not at all."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartrial.design.batches.batch import Job, batch_alone, write_batch
from cartrial.design.batches.manifest import MANIFEST, require_manifest
from cartrial.design.batches.places import Place, open_place
from cartrial.errors import InputError
from cartrial.processes import spread

if TYPE_CHECKING:
    import polars as pl

__all__ = ["BATCH", "MOST_TRIALS", "Interrupted", "read_batches", "run_batches"]

BATCH = 250
MOST_TRIALS = 10_000_000
_FILE = re.compile(r"^trials-(\d+)-(\d+)\.parquet$")


class Interrupted(KeyboardInterrupt):
    """The run was stopped from outside; what is finished is kept.

    Parameters
    ----------
    kept, wanted : int
        Batches.
    where : str
        The folder.
    """

    def __init__(self, kept: int, wanted: int, where: str) -> None:
        self.kept, self.wanted, self.where = kept, wanted, where
        super().__init__(
            f"Interrupted: {kept} of {wanted} batches are kept in {where}; give the same command again to go on with the rest."
        )


def run_batches(
    job: Job,
    trials: int,
    out: str | Path,
    *,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    processes: int = 1,
) -> str | Path:
    """Run trials in batches and keep their results; what is there already is not run again.

    Parameters
    ----------
    job : Job
    trials : int
        How many in all, numbered from 0.
    out : str or Path
        Folder of the results, or a URL of fsspec as `str`: `trials-FIRST-LAST.parquet` and `manifest.json`.
    batch : int
        Trials held at once. Results do not depend on it.
    progress : callable, optional
        Told the trials done and the trials wanted, at the start and after each batch.
    workers : int, optional
        Start so many processes of one thread on this machine and spread the batches over them (extra `dask`).
    scheduler : str, optional
        Address of a Dask scheduler (`tcp://host:8786`) whose workers run the batches. They must see `out` under the same name, and have
        the same versions and code.
    processes : int
        Without workers and scheduler: run in so many processes of one thread on this machine (`cartrial.processes.spread`); the job can be
        pickled. 1: in this one.

    Returns
    -------
    str or Path
        `out`: a Path where it is a folder, a str where it is a URL.

    Raises
    ------
    InputError
        If the folder holds the results of another job, version or code, or more trials than asked; if workers or scheduler cannot be
        used, or are lost.
    Interrupted
        On Ctrl-C. The batches that are there stay usable, and the same call goes on with the rest.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial.design import run_batches
    >>> class Numbers:
    ...     def identity(self):
    ...         return {"seed": 1}
    ...
    ...     def run(self, first, last):
    ...         return pl.DataFrame({"trial": list(range(first, last + 1))})
    >>> with TemporaryDirectory() as folder:
    ...     place = run_batches(Numbers(), 5, Path(folder) / "out", batch=3)
    ...     print(sorted(path.name for path in place.iterdir()))
    ['manifest.json', 'trials-000000-000002.parquet', 'trials-000003-000004.parquet']
    """
    if trials < 1 or batch < 1:
        raise InputError("there is no trial, or no trial in a batch", key="trials", right="Give at least 1 of each")
    if trials > MOST_TRIALS:
        raise InputError(f"{trials} trials are too many for one folder", key="trials", right=f"Give at most {MOST_TRIALS}")
    place, token = open_place(out), uuid.uuid4().hex[:12]
    if workers is not None or scheduler is not None:
        from cartrial.design.batches.cluster import check_workers

        check_workers(place, workers, scheduler)
    fresh = MANIFEST not in (place.names() or ())
    manifest = require_manifest(place, {"job": type(job).__qualname__, **job.identity()}, token)
    done = _spans(place)
    _require_whole(place, done)
    _require_more(place, done, trials)
    left = _left(done, trials, batch)
    finished = trials - sum(last - first + 1 for first, last in left)
    place.sweep(token)
    try:
        if progress:
            progress(finished, trials)
        if left:
            with closing(_runner(job, left, place, token, manifest, workers, scheduler, processes)) as running:
                for count in running:
                    finished += count
                    if progress:
                        progress(finished, trials)
    except KeyboardInterrupt:
        raise Interrupted(len(_spans(place)), len(done) + len(left), str(place)) from None
    except InputError:
        if fresh and not _spans(place):  # what was refused leaves nothing behind
            place.remove(MANIFEST)
        raise
    finally:
        place.sweep(token)
    return place.given


def _require_more(place: Place, done: list[tuple[int, int]], trials: int) -> None:
    """Refuse a folder that holds trials beyond those asked for: results of fewer cannot be told from it."""
    if done and done[-1][1] >= trials:
        held = sum(last - first + 1 for first, last in done)
        raise InputError(
            f"the folder holds {held} trials, up to number {done[-1][1]}, and {trials} are asked for",
            file=str(place),
            key="trials",
            right=f"Ask for {done[-1][1] + 1} or more, or name a new folder",
        )


def _runner(
    job: Job,
    spans: list[tuple[int, int]],
    place: Place,
    token: str,
    manifest: dict[str, Any],
    workers: int | None,
    scheduler: str | None,
    processes: int,
) -> Generator[int, None, None]:
    """Return what runs the batches, and yields the number of trials of each that is finished."""
    if workers is None and scheduler is None and processes > 1 and place.shared:
        return spread(partial(batch_alone, job, place.where, token), spans, processes)
    if workers is None and scheduler is None:
        return (write_batch(job, first, last, place, token) for first, last in spans)
    from cartrial.design.batches.cluster import run_on_workers

    return run_on_workers(job, spans, place, token, manifest, workers=workers, scheduler=scheduler)


def read_batches(folder: str | Path) -> pl.LazyFrame:
    """Return the results of every batch that is there; sorted within each batch as its job left them.

    Raises
    ------
    InputError
        If the folder has none, or two files hold the same trials.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial.design import read_batches
    >>> with TemporaryDirectory() as folder:
    ...     for first, last in ((0, 2), (3, 4)):
    ...         trials = pl.DataFrame({"trial": list(range(first, last + 1))})
    ...         trials.write_parquet(Path(folder) / f"trials-{first:06d}-{last:06d}.parquet")
    ...     print(read_batches(folder).collect()["trial"].to_list())
    [0, 1, 2, 3, 4]
    """
    import polars as pl

    place = open_place(folder)
    links = [place.link(f"trials-{first:06d}-{last:06d}.parquet") for first, last in _spans(place)]
    if not links:
        raise InputError("the folder holds no results of trials", file=str(folder), right="`stream_trials` makes them")
    paths = [link for link in links if isinstance(link, str)]
    return pl.scan_parquet(paths) if paths else _scan([link for link in links if not isinstance(link, str)])


def _scan(links: list[Callable[[], bytes]]) -> pl.LazyFrame:
    """Return the rows of files that are read one after the other, each when its turn comes."""
    import polars as pl
    from polars.io.plugins import register_io_source

    def read(columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _: int | None) -> Iterator[pl.DataFrame]:
        for link in links:
            lazy = pl.scan_parquet(io.BytesIO(link()))
            lazy = lazy if predicate is None else lazy.filter(predicate)
            frame = (lazy if columns is None else lazy.select(columns)).collect()
            if rows is not None:
                frame, rows = frame.head(rows), max(0, rows - frame.height)
            yield frame
            if rows == 0:
                return

    return register_io_source(read, schema=pl.read_parquet_schema(io.BytesIO(links[0]())))


def _spans(place: Place) -> list[tuple[int, int]]:
    """Return first and last trial of every batch that is there, in their order."""
    found = sorted((int(match[1]), int(match[2])) for name in place.names() or () if (match := _FILE.match(name)))
    for (first, last), (start, end) in pairwise(found):
        if start <= last:
            what = f"two files hold trial {start}: trials {first} to {last} and trials {start} to {end}"
            raise InputError(what, file=str(place), right="Delete one of them and run again")
    return found


def _require_whole(place: Place, spans: list[tuple[int, int]]) -> None:
    """Refuse a file that is no longer what was written; in an object store they are taken as they are."""
    import polars as pl

    for first, last in spans:
        link = place.link(f"trials-{first:06d}-{last:06d}.parquet")
        if not isinstance(link, str):
            continue
        try:
            pl.read_parquet_schema(link)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError("the batch is damaged", file=link, right="Delete this file and give the same command again") from error


def _left(done: list[tuple[int, int]], trials: int, batch: int) -> list[tuple[int, int]]:
    """Return first and last of the batches that are not there, at most `batch` long."""
    gaps, start = [], 0
    for first, last in [*done, (trials, trials)]:
        gaps.append((start, first))
        start = last + 1
    return [(a, min(a + batch, end) - 1) for begin, end in gaps for a in range(begin, end, batch)]
