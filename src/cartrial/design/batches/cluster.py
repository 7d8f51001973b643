"""How are batches spread over processes and machines? As Dask tasks that each write their own file, and may be run twice."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Generator, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from cartrial.design.batches.batch import Job, one_thread, write_batch
from cartrial.design.batches.manifest import MANIFEST, environment
from cartrial.design.batches.places import Place, open_place
from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.processes import ONE_THREAD, interrupts_held

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["check_workers", "require_same", "run_on_worker", "run_on_workers"]

MOST_WORKERS = 256
# batches handed out at once: enough to keep workers busy and to let a cluster grow, few enough to cost nothing when it is lost
_IN_FLIGHT = 32
_CONNECT = 15.0
_WIRE = ("cartrial", "python", "dask", "distributed", "cloudpickle", "msgpack")
_BUSY = threading.Lock()


def check_workers(place: Place, workers: int | None, scheduler: str | None) -> None:
    """Refuse what cannot be run on workers, before anything is written.

    Raises
    ------
    InputError
        If both are given, the number cannot be, workers would not see the place, or Dask is not installed.
    """
    if workers is not None and scheduler is not None:
        raise InputError("both a number of workers and a scheduler are given", key="workers, scheduler", right="Give one of them")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"{workers} workers cannot be started", key="workers", right=f"Give 1 to {MOST_WORKERS}")
    if not place.shared:
        raise InputError("workers do not see this place", file=str(place), right="Name a folder, or an object store that all workers reach")
    require("distributed", extra="dask")


def run_on_workers(
    job: Job,
    spans: list[tuple[int, int]],
    place: Place,
    token: str,
    manifest: dict[str, Any],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Generator[int, None, None]:
    """Run batches on Dask workers, and yield the number of trials of each that is finished.

    Parameters
    ----------
    job : Job
    spans : list of tuple of int
        First and last trial of each batch.
    place : Place
        Where each worker writes.
    token : str
        Of this run.
    manifest : dict
        What the place's manifest holds; a worker sees by it that it has the right place.
    workers : int, optional
        Processes on this machine, one thread each.
    scheduler : str, optional
        Address of a scheduler.

    Raises
    ------
    InputError
        If the scheduler cannot be reached or is lost, a batch ends every worker that tries it, or a worker has another version.
    """
    with _quiet(), _connected(workers, scheduler) as client:
        yield from _hand_out(client, _tasks(job, spans, place, token, manifest), len(spans))


Task = tuple[str, tuple[Any, ...]]


def _tasks(job: Job, spans: list[tuple[int, int]], place: Place, token: str, manifest: dict[str, Any]) -> Iterator[Task]:
    """Return the key and the arguments of every task."""
    import cloudpickle

    payload = cloudpickle.dumps(job)
    known = environment()
    for first, last in spans:
        yield f"trials-{first}-{last}-{token}", (payload, first, last, place.where, token, manifest, known)


def _hand_out(client: Client, tasks: Iterator[Task], total: int) -> Generator[int, None, None]:
    """Keep a bounded number of tasks in flight, and yield what each returns."""
    from distributed import as_completed

    running: Any = as_completed(loop=client.loop)
    flying = finished = 0
    while finished < total:
        try:
            threads: Any = client.nthreads()
            for key, arguments in islice(tasks, max(_IN_FLIGHT, 2 * sum(threads.values())) - flying):
                running.add(client.submit(run_on_worker, *arguments, key=key, pure=False))
                flying += 1
            future = next(running)
            count = None if future.status == "error" else int(future.result())
        except (CancelledError, OSError, RuntimeError, StopIteration) as error:
            raise InputError(
                f"the scheduler was lost after {finished} of {total} batches",
                key="scheduler",
                right="What is finished is kept; start the scheduler and give the same command again to go on with the rest",
            ) from error
        if count is None:
            raise _failure(future)
        flying, finished = flying - 1, finished + 1
        yield count


def _failure(future: Future[Any]) -> BaseException:
    """Return what went wrong with a task; said in one sentence where it lies in the workers."""
    from distributed import KilledWorker

    error: Any = future.exception()
    if isinstance(error, KilledWorker):
        first, last = str(future.key).split("-")[1:3]
        return InputError(
            f"the batch of trials {first} to {last} ended its worker each time it was tried",
            key="workers",
            right="Give each worker more memory, or take fewer trials a batch",
        )
    if isinstance(error, ImportError) or "deserializ" in str(error):
        return InputError(f"the scheduler or a worker has not what is needed ({error})", key="scheduler", right=_SAME)
    return error if isinstance(error, BaseException) else RuntimeError(f"the task failed: {error}")


_SAME = "Start the scheduler and its workers from the environment of this command"


@contextmanager
def _connected(workers: int | None, scheduler: str | None) -> Iterator[Client]:
    """Give a client of a cluster of its own, or of a scheduler that is there."""
    from distributed import Client

    if workers is None:
        with _reached(str(scheduler)) as client:
            yield client
        return
    with _local(workers) as cluster, Client(cluster, set_as_default=False) as client:
        yield client


@contextmanager
def _reached(address: str) -> Iterator[Client]:
    """Give a client of a scheduler that is there."""
    from distributed import Client

    client = None
    try:
        try:
            _knock(address)
            client = Client(address, timeout=_CONNECT, set_as_default=False)
            require_same(client)
            threads: Any = client.nthreads()
        except InputError:
            raise
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(
                f"the scheduler at '{address}' cannot be reached",
                key="scheduler",
                right="Give the address that it printed, as tcp://host:8786",
            ) from error
        if not threads:
            warnings.warn(f"The scheduler at {address} has no worker yet; batches start when one joins.", stacklevel=2)
        yield client
    finally:
        if client is not None:
            with suppress(Exception):
                client.close(timeout=_CONNECT)


def _knock(address: str) -> None:
    """See that somebody listens at an address, at once where nobody does: a client that cannot connect ends with noise.

    Raises
    ------
    OSError, ValueError
        If not.
    """
    from distributed.comm.addressing import get_address_host_port, normalize_address, parse_address
    from distributed.comm.registry import get_backend

    whole = normalize_address(address)
    protocol = parse_address(whole)[0]
    get_backend(protocol)
    if protocol in ("tcp", "tls"):
        host, port = get_address_host_port(whole)
        socket.create_connection((host, int(port)), timeout=_CONNECT).close()


@contextmanager
def _local(workers: int) -> Iterator[Any]:
    """Give a cluster of processes on this machine, one thread each; nothing of it stays behind."""
    import dask
    from distributed import LocalCluster

    before = dict(os.environ)
    with (
        tempfile.TemporaryDirectory(prefix="cartrial-workers-", ignore_cleanup_errors=True) as scratch,
        dask.config.set({"temporary-directory": scratch}),
    ):
        with interrupts_held():
            cluster: Any = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs=logging.CRITICAL + 1,
                env=ONE_THREAD,
            )
        try:
            yield cluster
        finally:
            cluster.close()
            for name in set(os.environ) - set(before):  # Dask sets threads for its workers in this process too
                del os.environ[name]
            os.environ.update(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log and version warnings from the terminal: what matters is said by an error of our own."""
    logger = logging.getLogger("distributed")
    level = logger.level
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed.")]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in ("distributed", *names):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="distributed")
            yield
    finally:
        logger.setLevel(level)
        for name, before in levels.items():
            logging.getLogger(name).setLevel(before)


def require_same(client: Client) -> None:
    """Refuse a scheduler or workers of another version, or without this package: they could not read a task, and would end."""
    found: Any = client.get_versions(packages=["cartrial"])
    here = _versions(found["client"])
    for who, versions in {"the scheduler": found["scheduler"], **{f"the worker {name}": v for name, v in found["workers"].items()}}.items():
        for name, version in _versions(versions).items():
            if version != here[name]:
                has = f"{name} {version}, and here is {here[name]}" if version else f"no {name}"
                raise InputError(f"{who} has {has}", key="scheduler", right=_SAME)


def _versions(of: dict[str, Any]) -> dict[str, Any]:
    packages = {**of["packages"], "python": ".".join(str(of["packages"]["python"]).split(".")[:2])}
    return {name: packages.get(name) for name in _WIRE}


def run_on_worker(payload: bytes, first: int, last: int, where: str, token: str, manifest: dict[str, Any], known: dict[str, Any]) -> int:
    """Run one batch here, unless its file is there, and return the number of its trials.

    Parameters
    ----------
    payload : bytes
        The pickled job.
    first, last : int
        Trials, inclusive.
    where, token, manifest
        Place to write to, the run's token, and what the place's manifest holds.
    known : dict
        Versions and code of the client.

    Raises
    ------
    InputError
        If this process has other versions or code, or does not see the place.
    """
    _require_known(known)
    place = open_place(where)
    _require_place(place, manifest)
    if f"trials-{first:06d}-{last:06d}.parquet" in (place.names() or ()):
        return last - first + 1
    with _BUSY, one_thread():
        return write_batch(_job(payload), first, last, place, token)


@lru_cache(maxsize=2)
def _job(payload: bytes) -> Job:
    import cloudpickle

    job: Job = cloudpickle.loads(payload)
    return job


def _require_known(known: dict[str, Any]) -> None:
    here = environment()
    who = f"a worker on {os.uname().nodename if hasattr(os, 'uname') else sys.platform}"
    for name, version in known["versions"].items():
        if here["versions"].get(name) != version:
            raise InputError(f"{who} has {name} {here['versions'].get(name)}, and the client has {version}", key="scheduler", right=_SAME)
    if here["code"] != known["code"]:
        raise InputError(f"{who} has other code of cartrial, though the version is the same", key="scheduler", right=_SAME)


def _require_place(place: Place, manifest: dict[str, Any]) -> None:
    import json

    try:
        seen = json.loads(place.read(MANIFEST))
    except (OSError, ValueError):
        seen = None
    if seen != manifest:
        raise InputError(
            "a worker does not see this folder, or sees another one there",
            file=place.where,
            right="Name a folder that all workers share, or the URL of an object store",
        )
