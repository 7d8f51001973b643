"""Batches: where they lie, what they depend on, what an interruption leaves. One process.

Origin of every expected value: `by hand`, from the trials' numbers; `independent`, the same trials in one batch.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import cartrial
from cartrial import kernels
from cartrial.cli.app import app
from cartrial.design.batches import manifest
from cartrial.design.batches.batch import threads_here
from cartrial.design.batches.places import open_place
from cartrial.design.batches.run import MOST_TRIALS, Interrupted, read_batches, run_batches
from cartrial.errors import InputError
from properties import every
from scale_jobs import Counting


def numbers(folder) -> list[int]:
    return read_batches(folder).select("trial").collect()["trial"].to_list()


def test_batches_of_any_size(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    place = run_batches(Counting(), 23, tmp_path / "a", batch=10, progress=lambda done, of: told.append((done, of)))
    assert place == tmp_path / "a"
    assert told == [(0, 23), (10, 23), (20, 23), (23, 23)]
    assert sorted(path.name for path in place.iterdir()) == [
        "manifest.json",
        *(f"trials-{first:06d}-{last:06d}.parquet" for first, last in ((0, 9), (10, 19), (20, 22))),
    ]
    assert read_batches(place).collect().equals(Counting().run(0, 22))
    assert read_batches(run_batches(Counting(), 23, str(tmp_path / "b"), batch=4)).collect().equals(Counting().run(0, 22))
    assert threads_here() is None


def test_only_what_is_missing_is_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    run_batches(Counting(), 12, tmp_path / "out", batch=4)
    (tmp_path / "out" / "trials-000004-000007.parquet").unlink()
    run_batches(Counting(ran=ran), 18, tmp_path / "out", batch=3)
    assert sorted(path.name for path in ran.iterdir()) == ["12-14", "15-17", "4-6", "7-7"]
    assert numbers(tmp_path / "out") == list(range(18))


def test_a_damaged_batch_is_refused(tmp_path: Path) -> None:
    run_batches(Counting(), 8, tmp_path / "out", batch=4)
    file = tmp_path / "out" / "trials-000004-000007.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    with pytest.raises(InputError, match=r"trials-000004-000007\.parquet: the batch is damaged"):
        run_batches(Counting(), 8, tmp_path / "out", batch=4)
    file.unlink()
    run_batches(Counting(), 8, tmp_path / "out", batch=4)
    assert file.read_bytes() == whole


def test_what_is_refused_leaves_no_manifest_behind(tmp_path: Path) -> None:
    class Refusing(Counting):
        def run(self, first: int, last: int) -> pl.DataFrame:
            raise InputError("no", right="Yes")

    with pytest.raises(InputError, match="no"):
        run_batches(Refusing(), 2, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    run_batches(Counting(), 2, tmp_path / "out")
    with pytest.raises(InputError, match="another job"):
        run_batches(Refusing(), 2, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_more_trials_than_asked_are_said(tmp_path: Path) -> None:
    run_batches(Counting(), 60, tmp_path / "out", batch=30)
    with pytest.raises(InputError, match=r"the folder holds 60 trials, up to number 59, and 30 are asked for\. Ask for 60 or more"):
        run_batches(Counting(), 30, tmp_path / "out", batch=30)
    assert numbers(tmp_path / "out") == list(range(60))


@pytest.mark.parametrize(
    ("trials", "batch", "words"), [(0, 1, "no trial"), (1, 0, "no trial"), (MOST_TRIALS + 1, 1, f"at most {MOST_TRIALS}")]
)
def test_numbers_that_cannot_be_run(trials: int, batch: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        run_batches(Counting(), trials, tmp_path / "out", batch=batch)
    assert not (tmp_path / "out").exists()


def test_two_files_with_one_trial_are_refused(tmp_path: Path) -> None:
    run_batches(Counting(), 8, tmp_path, batch=4)
    Counting().run(3, 5).write_parquet(tmp_path / "trials-000003-000005.parquet")
    for call in (read_batches, lambda folder: run_batches(Counting(), 9, folder)):
        with pytest.raises(InputError, match="two files hold trial 3: trials 0 to 3 and trials 3 to 5"):
            call(tmp_path)


def test_another_job_or_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_batches(Counting(), 4, tmp_path / "out")
    held = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert held["job"] == "Counting" and held["seed"] == 1 and held["code"] == manifest.code_hash() and len(held["code"]) == 64
    with pytest.raises(InputError, match=r"another seed \(1, now 2\)"):
        run_batches(Counting(seed=2), 4, tmp_path / "out")
    monkeypatch.setattr(manifest, "code_hash", lambda: "0" * 64)
    with pytest.raises(InputError, match="other code of cartrial"):
        run_batches(Counting(), 8, tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        run_batches(Counting(), 8, tmp_path / "out")


def test_the_code_is_that_of_results(tmp_path: Path) -> None:
    source = Path(cartrial.__file__).parent
    copy = tmp_path / "cartrial"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = manifest.code_hash(copy)
    assert manifest.code_hash(copy) == before
    for name in ("report/page.py", "cli.py"):
        (copy / name).write_text("# changed\n", encoding="utf-8")
    manifest.code_hash.cache_clear()
    assert manifest.code_hash(copy) == before
    found = {before}
    for name in ("virtual/engine/rates_kernel.py", "analysis/estimators/km.py", "kernels.py", "virtual/data/trial.yaml"):
        with (copy / name).open("a", encoding="utf-8") as file:
            file.write("# changed\n")
        manifest.code_hash.cache_clear()
        found.add(manifest.code_hash(copy))
    assert len(found) == 5


def test_interrupted_says_what_is_kept(tmp_path: Path) -> None:
    def stop(done: int, of: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        run_batches(Counting(), 10, tmp_path / "out", batch=2, progress=stop)
    assert (
        str(caught.value)
        == f"Interrupted: 2 of 5 batches are kept in {tmp_path / 'out'}; give the same command again to go on with the rest."
    )
    assert numbers(tmp_path / "out") == [0, 1, 2, 3]


def test_parts_left_behind(tmp_path: Path) -> None:
    """A part of a run that was killed long ago goes; one that somebody may be writing stays, and is no file of the folder."""
    run_batches(Counting(), 2, tmp_path)
    old, young = tmp_path / ".trials-dead-x.part", tmp_path / ".trials-other-x.part"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    run_batches(Counting(), 4, tmp_path)
    assert not old.exists() and young.exists()
    assert "manifest.json" in (open_place(tmp_path).names() or ()) and young.name not in (open_place(tmp_path).names() or ())


def test_an_object_store(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="the extra `dask` is not installed")
    url = f"memory://{tmp_path.name}/out"
    with pytest.raises(InputError, match="holds no results"):
        read_batches(url)
    assert run_batches(Counting(), 6, url, batch=4) == url
    assert run_batches(Counting(), 10, url, batch=4) == url
    expected = Counting().run(0, 9)
    lazy = read_batches(url)
    assert lazy.collect().equals(expected)
    assert lazy.filter(pl.col("square") > 30).select("trial").collect()["trial"].to_list() == [6, 7, 8, 9]
    assert lazy.head(7).collect().equals(expected.head(7))
    with pytest.raises(InputError, match="another seed"):
        run_batches(Counting(seed=2), 10, url)
    with pytest.raises(InputError, match="asked for"):
        run_batches(Counting(), 5, url)
    with pytest.raises(InputError, match="workers do not see this place"):
        run_batches(Counting(), 20, url, workers=2)


def test_a_store_whose_files_grow_gets_them_moved_in(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="the extra `dask` is not installed")
    from fsspec.implementations.memory import MemoryFileSystem

    seen: list[str] = []

    class Growing(MemoryFileSystem):
        protocol = "growing"
        store: dict = {}  # noqa: RUF012 -- fsspec's own form
        pseudo_dirs = [""]  # noqa: RUF012

        @classmethod
        def _strip_protocol(cls, path):
            return super()._strip_protocol(path.removeprefix("growing://"))

        def pipe_file(self, path, value, **options):
            seen.append(path)
            return super().pipe_file(path, value, **options)

    fsspec.register_implementation("growing", Growing, clobber=True)
    url = f"growing://{tmp_path.name}"
    run_batches(Counting(), 5, url, batch=3)
    assert len(seen) == 3 and all(re.search(r"/\.trials-\w+-(manifest|trials).*\.part$", path) for path in seen)
    assert open_place(url).names() == ["manifest.json", "trials-000000-000002.parquet", "trials-000003-000004.parquet"]
    assert numbers(url) == list(range(5))
    place = open_place(url)
    place.fs.pipe_file(f"{place.root}/.trials-mine-x.part", b"half")
    place.sweep("mine")
    assert not place.fs.glob(f"{place.root}/.trials-*")


def test_a_store_that_does_not_answer(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="the extra `dask` is not installed")
    from fsspec.implementations.memory import MemoryFileSystem

    class Failing(MemoryFileSystem):
        protocol = "failing"
        fault: Exception = ConnectionError("no route to the store")

        def ls(self, path, detail=True, **options):
            raise FileNotFoundError(path) if isinstance(self.fault, FileNotFoundError) else self.fault

        def makedirs(self, path, exist_ok=False):
            raise self.fault

    fsspec.register_implementation("failing", Failing, clobber=True)
    with pytest.raises(InputError, match=r"does not do what is asked \(no route to the store\)\. Check the URL"):
        run_batches(Counting(), 1, "failing://bucket/folder")
    Failing.fault = FileNotFoundError("bucket")
    with pytest.raises(InputError, match="there is no such bucket or folder"):
        run_batches(Counting(), 1, "failing://bucket/folder")


@pytest.mark.parametrize(("out", "words"), [("nosuch://bucket/folder", "cannot be used"), (Path("s3://bucket/folder"), "a URL is no path")])
def test_a_url_that_cannot_be_used(out: str | Path, words: str) -> None:
    pytest.importorskip("fsspec", reason="the extra `dask` is not installed")
    with pytest.raises(InputError, match=words):
        run_batches(Counting(), 1, out)


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    assert run_batches(Counting(), 3, (tmp_path / "with space").as_uri()) == tmp_path / "with space"
    assert numbers(tmp_path / "with space") == [0, 1, 2]


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="no folder of trials"):
        run_batches(Counting(), 1, tmp_path / "file")
    with pytest.raises(InputError, match="cannot be written there"):
        run_batches(Counting(), 1, tmp_path / "file" / "below")


@pytest.mark.slow
@pytest.mark.parametrize("number", every(2, [signal.SIGINT, signal.SIGTERM]))
def test_a_signal_leaves_whole_batches_and_says_so(number: signal.Signals, tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="the extra `virtual` is not installed")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "cartrial", "trials", "inaticel", "--trials", "5000", "--batch", "2", "-n", "4", "--out", str(out)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not list(out.glob("*.parquet")):
        assert running.poll() is None, running.communicate()[1]
        time.sleep(0.02)
    running.send_signal(number)
    printed, said = running.communicate()
    names = sorted(path.name for path in out.iterdir())
    kept = len(names) - 1
    assert running.returncode == 130
    assert printed == ""
    assert said == f"Interrupted: {kept} of 2500 batches are kept in {out}; give the same command again to go on with the rest.\n"
    # two processes work beside each other: the second batch may be there before the first
    first = [int(name.split("-")[1]) for name in names[1:]]
    assert names == ["manifest.json", *(f"trials-{n:06d}-{n + 1:06d}.parquet" for n in first)] and all(n % 2 == 0 for n in first)
    assert numbers_of_trials(out) == [n + i for n in first for i in (0, 1)]


def numbers_of_trials(folder: Path) -> list[int]:
    return read_batches(folder).select(pl.col("trial").unique().sort()).collect()["trial"].to_list()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "Give one of them"),
        (["--workers", "0"], "Give 1 to 256"),
        (["--trials", "0"], "no trial"),
        (["--seed", "-1"], "the seed -1 is negative"),
    ],
)
def test_the_command_refuses(options: list[str], words: str, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    found = CliRunner().invoke(app, ["trials", "inaticel", "--out", str(tmp_path / "out"), *options])
    assert isinstance(found.exception, InputError) and words in str(found.exception)


def test_the_command_refuses_more_trials_than_can_be_kept(tmp_path: Path) -> None:
    """By hand: the option says its range itself, exit 2, and nothing is written."""
    found = CliRunner().invoke(app, ["trials", "inaticel", "--out", str(tmp_path / "out"), "--trials", "99999999999"])
    assert found.exit_code == 2 and "10000000" in found.output and not (tmp_path / "out").exists()


def test_small_calls_add_up_to_a_compiled_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="the extra `fast` is not installed")
    monkeypatch.setattr(kernels, "COMPILE_FROM", 10)
    ways: list[str] = []
    mine = kernels.Kernel(lambda x: ways.append("interpreted"))
    monkeypatch.setattr(mine, "compiled", lambda: lambda x: ways.append("compiled"))
    for _ in range(25):
        mine(5, 1)
    assert ways == ["interpreted"] * 20 + ["compiled"] * 5
