"""How does work use every core? In processes of one thread each, that hand back what they have done in the order of what was asked."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from cartrial.errors import InputError

__all__ = ["ONE_THREAD", "cores", "interrupts_held", "processes_for", "spread"]

T = TypeVar("T")

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("NUMBA", "OMP", "OPENBLAS", "MKL")} | {"POLARS_MAX_THREADS": "1"}
"""Environment of a process that has one core to itself."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processes_for(work: int, least: int, asked: int | None = None) -> int:
    """Return in how many processes some work runs: as many as asked, else one a core, each with at least so much work.

    A process takes two to three seconds to start: work that is done as fast by one stays in this one.

    Raises
    ------
    InputError
        If fewer than one are asked for.

    Examples
    --------
    >>> from cartrial.processes import processes_for
    >>> processes_for(50, 100), processes_for(10_000, 100, 3)
    (1, 3)
    """
    if asked is not None and asked < 1:
        raise InputError(f"{asked} processes cannot be started", key="workers", right="Give 1 or more")
    return max(1, min(cores(), work // least)) if asked is None else asked


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C from what is started here: the workers are ended by the process that started them.

    Threads and processes inherit which signals are blocked. Python's resource tracker, started with the first process, would unblock.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Give the processes that are started here one thread each; this one keeps its own."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def spread(work: Callable[..., T], tasks: Sequence[tuple[Any, ...]], processes: int, *, apart: bool = False) -> Generator[T, None, None]:
    """Run tasks in processes of one thread each, and yield what each returns, in their order.

    Parameters
    ----------
    work : callable
        Called with each task; with what it holds it can be pickled. Sent to each process once.
    tasks : sequence of tuple
    processes : int
        1: in this one.
    apart : bool
        One process is another than this one, too: for what holds Python while this one does something else.

    Raises
    ------
    InputError
        If a process was ended from outside, as by a machine without memory. What a task raises is raised here, and ends the others.

    Notes
    -----
    Each process imports the module that was started: a script of its own keeps what it does under `if __name__ == "__main__"`. None
    outlives this process.

    Examples
    --------
    >>> from cartrial.processes import spread
    >>> list(spread(pow, [(2, 3), (3, 2)], 1))
    [8, 9]
    """
    if (not apart and (processes < 2 or len(tasks) < 2)) or not tasks:
        yield from (work(*task) for task in tasks)
        return
    count, before = min(processes, len(tasks)), multiprocessing.active_children()
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin, (pickle.dumps(work),))
    done = False
    try:
        with _one_thread_each(), interrupts_held():  # each of the first tasks starts a process
            running = deque(pool.submit(_do, task) for task in tasks[:count])
        running.extend(pool.submit(_do, task) for task in tasks[count:])
        while running:
            yield running.popleft().result()
        done = True
    except BrokenProcessPool as error:
        raise InputError(
            "one of the processes was ended from outside, as where memory is short",
            key="workers",
            right="Take fewer trials a batch, or one process (--workers 1)",
        ) from error
    finally:
        if not done:
            for process in multiprocessing.active_children():
                if process not in before:
                    process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


_payload = b""


def _begin(payload: bytes) -> None:
    global _payload
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _payload = payload


@cache
def _work() -> Callable[..., Any]:
    """Return what each task is given to; what cannot be read here is raised as of a task."""
    work: Callable[..., Any] = pickle.loads(_payload)
    return work


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(task: tuple[Any, ...]) -> Any:
    return _work()(*task)
