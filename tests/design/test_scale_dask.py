"""Batches on Dask workers: the same results as in one process, whoever dies in the middle.

Origin of every expected value: `independent`, the same trials in one process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

import cartrial
from cartrial.analysis.results import results_hash
from cartrial.design.batches.run import BATCH, read_batches, run_batches
from cartrial.errors import InputError
from helpers import ROOT
from scale_jobs import Counting, Fatal, Wrong, trials_job

pytest.importorskip("numba", reason="the extra `virtual` is not installed")
pytest.importorskip("distributed", reason="the extra `dask` is not installed")

from distributed.versions import get_versions

from cartrial.design.batches.cluster import require_same

TRIALS = 24


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the hash of the results of one process and one batch."""
    return digest(run_batches(trials_job(), TRIALS, tmp_path_factory.mktemp("whole") / "out", batch=BATCH))


def digest(folder) -> str:
    return results_hash(read_batches(folder).collect())


def parts(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.suffix not in (".parquet", ".json")]


@pytest.mark.slow
def test_two_workers_give_what_one_process_gives(tmp_path: Path) -> None:
    one = run_batches(Counting(), 8, tmp_path / "one", batch=8)
    two = run_batches(Counting(), 8, tmp_path / "two", batch=3, workers=2)
    assert read_batches(two).collect().sort("trial").equals(read_batches(one).collect().sort("trial"))
    # by hand
    assert read_batches(two).collect().sort("trial")["square"].to_list() == [0, 1, 4, 9, 16, 25, 36, 49]
    assert parts(two) == []


@pytest.mark.slow
def test_a_worker_killed_in_the_middle(whole: str, tmp_path: Path) -> None:
    """Its batch is given to another, and each worker has one thread; this process keeps its own settings."""
    environment, notes, told = dict(os.environ), tmp_path / "notes", []
    notes.mkdir()
    out = tmp_path / "out"
    run_batches(Fatal(trials_job(), 9, notes), TRIALS, out, batch=3, workers=2, progress=lambda done, of: told.append((done, of)))
    assert (notes / "killed").exists()
    assert digest(out) == whole
    assert parts(out) == []
    assert told == [(done, TRIALS) for done in range(0, TRIALS + 1, 3)]
    seen = [path.read_text().split() for path in notes.glob("worker-*")]
    assert len(seen) >= 2 and all(note[:3] == ["1", "1", "1"] for note in seen)
    assert dict(os.environ) == environment


@pytest.mark.slow
def test_a_batch_that_ends_every_worker(tmp_path: Path) -> None:
    import dask

    words = "the batch of trials 2 to 3 ended its worker each time it was tried"
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), pytest.raises(InputError, match=words):
        run_batches(Fatal(trials_job(), 2, tmp_path, always=True), 4, tmp_path / "out", batch=2, workers=1)
    assert parts(tmp_path / "out") == []


@pytest.mark.slow
def test_what_a_job_refuses_is_said_as_it_said_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^trial: this trial cannot be run\. Run another\.$"):
        run_batches(Wrong(), 2, tmp_path / "out", workers=1)


def test_a_scheduler_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cartrial.design.batches.cluster._CONNECT", 1.0)
    for address in ("tcp://127.0.0.1:9", "no scheduler", "foo://x:1"):
        with pytest.raises(InputError, match=f"the scheduler at '{address}' cannot be reached"):
            run_batches(Counting(), 2, tmp_path / "out", scheduler=address)
        assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("who", "package", "version", "words"),
    [
        ("scheduler", "distributed", "2020.1.0", r"the scheduler has distributed 2020\.1\.0, and here is"),
        ("worker", "python", "3.9.2.final.0", r"the worker tcp://w:1 has python 3\.9, and here is 3\."),
        ("worker", "cartrial", None, "the worker tcp://w:1 has no cartrial"),
    ],
)
def test_another_version_is_named(who: str, package: str, version: str | None, words: str) -> None:
    """What Dask says of versions, with one changed."""
    same = get_versions(packages=["cartrial"])
    other = {**same, "packages": {**same["packages"], package: version}}
    parts = {
        "client": same,
        "scheduler": other if who == "scheduler" else same,
        "workers": {"tcp://w:1": other if who == "worker" else same},
    }
    require_same(SimpleNamespace(get_versions=lambda packages: {**parts, "scheduler": same, "workers": {"tcp://w:1": same}}))
    with pytest.raises(InputError, match=words):
        require_same(SimpleNamespace(get_versions=lambda packages: parts))


class Cluster:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.stack, self.folder = stack, folder
        self.scheduler = self._start("distributed.cli.dask_scheduler", "--port", "0", "--scheduler-file", str(folder / "scheduler.json"))
        while not (folder / "scheduler.json").exists():
            assert self.scheduler.poll() is None
            time.sleep(0.05)
        self.address = json.loads((folder / "scheduler.json").read_text())["address"]

    def _start(self, module: str, *options: str, paths: tuple[Path, ...] = ()) -> subprocess.Popen:
        path = os.pathsep.join([*map(str, paths), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), "DASK_TEMPORARY_DIRECTORY": str(self.folder)}
        command = [sys.executable, "-m", module, "--no-dashboard", *options]
        started = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        self.stack.callback(started.wait)
        self.stack.callback(started.kill)
        return started

    def worker(self, *paths: Path) -> subprocess.Popen:
        """Start a worker; packages in `paths` come first."""
        return self._start("distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny", paths=paths)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    folder.mkdir()
    with ExitStack() as stack:
        yield Cluster(folder, stack)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The scheduler at .* has no worker yet")
def test_a_scheduler_lost_and_started_again(whole: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with cluster(tmp_path / "first") as first:

        def kill(done: int, of: int) -> None:
            if done:
                first.scheduler.kill()

        first.worker()
        with pytest.raises(InputError, match=r"the scheduler was lost after \d of 12 batches\. What is finished is kept"):
            run_batches(trials_job(), TRIALS, out, batch=2, scheduler=first.address, progress=kill)
    kept = {path.name: path.stat().st_mtime_ns for path in out.glob("*.parquet")}
    assert 1 <= len(kept) < 12 and parts(out) == []
    with cluster(tmp_path / "second") as second:
        _other_code(second, tmp_path / "copy", out)
        threading.Timer(1.0, second.worker).start()
        with pytest.warns(UserWarning, match="has no worker yet"):
            run_batches(trials_job(), TRIALS, out, batch=2, scheduler=second.address)
    assert {name: (out / name).stat().st_mtime_ns for name in kept} == kept
    assert digest(out) == whole


def _other_code(cluster: Cluster, copy: Path, out: Path) -> None:
    """A worker whose package differs by one comment is refused."""
    shutil.copytree(Path(cartrial.__file__).parent, copy / "cartrial", ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "cartrial" / "analysis" / "km.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    worker = cluster.worker(copy)
    with pytest.raises(InputError, match=r"a worker on .* has other code of cartrial"):
        run_batches(trials_job(), TRIALS, out, batch=2, scheduler=cluster.address)
    worker.kill()
    worker.wait()
