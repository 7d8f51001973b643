"""Processes of one thread each: the results of one, in the same order, and nothing left behind."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from cartrial.analysis import results_hash
from cartrial.design.batches.run import read_batches, run_batches
from cartrial.errors import InputError
from cartrial.predict import check_predictions
from cartrial.processes import ONE_THREAD, cores, processes_for, spread
from scale_jobs import ended_at_two, trials_job, where_it_ran

TRIALS = 10

_FIGURES = """id,trial,population,n,endpoint,window,statistic,time_months,count,value,lower,upper
cr,mskcc,infused,53,CR,best,rate,,44,,,
rr,eliana,infused,75,CR/CRi,best,rate,,61,,,
"""


def test_as_many_processes_as_there_is_work_for() -> None:
    """Expected: `by hand`."""
    assert processes_for(99, 100) == processes_for(199, 100) == 1
    assert processes_for(10**6, 100) == cores() and processes_for(0, 100) == 1
    assert processes_for(5, 100, 1) == 1 and processes_for(5, 100, 7) == 7
    with pytest.raises(InputError, match="workers: 0 processes cannot be started"):
        processes_for(5, 100, 0)


def test_one_process_is_this_one() -> None:
    """Expected: `by hand`."""
    assert {pid for _, pid, _ in spread(where_it_ran, [(1,), (2,)], 1)} == {os.getpid()}
    assert {pid for _, pid, _ in spread(where_it_ran, [(1,)], 2)} == {os.getpid()}


@pytest.mark.slow
def test_two_processes_keep_the_order_and_one_thread_each() -> None:
    """Expected: `by hand`. Here the number of threads is as it was."""
    before, running = {name: os.environ.get(name) for name in ONE_THREAD}, multiprocessing.active_children()
    found = list(spread(where_it_ran, [(number,) for number in range(9)], 2))
    assert [number for number, *_ in found] == list(range(9)) and {threads for *_, threads in found} == {"1"}
    assert os.getpid() not in {pid for _, pid, _ in found}
    assert {name: os.environ.get(name) for name in ONE_THREAD} == before and multiprocessing.active_children() == running


@pytest.mark.slow
def test_who_stops_listening_leaves_no_process() -> None:
    """Expected: `by hand`."""
    running = multiprocessing.active_children()
    found = spread(where_it_ran, [(number,) for number in range(9)], 2)
    assert next(found)[0] == 0
    found.close()
    assert multiprocessing.active_children() == running


@pytest.mark.slow
def test_a_process_that_was_ended_is_named() -> None:
    """Expected: `by hand`: one sentence with what to do."""
    with pytest.raises(InputError, match=r"ended from outside.*fewer trials a batch, or one process"):
        list(spread(ended_at_two, [(number,) for number in range(6)], 2))


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    """Expected: `independent`: the same batches by one process, row by row and file by file."""
    one = run_batches(trials_job(), TRIALS, tmp_path / "one", batch=3)
    two = run_batches(trials_job(), TRIALS, tmp_path / "two", batch=3, processes=2)
    assert sorted(path.name for path in Path(one).iterdir()) == sorted(path.name for path in Path(two).iterdir())
    first, second = read_batches(one).collect(), read_batches(two).collect()
    assert first.equals(second) and results_hash(first) == results_hash(second)


@pytest.mark.slow
def test_predictions_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    """Expected: `independent`: the same figures by one process."""
    table = tmp_path / "figures.csv"
    table.write_text(_FIGURES, encoding="utf-8")
    one, two = (check_predictions(table, trials=20, processes=processes) for processes in (1, 2))
    assert one.frame.equals(two.frame) and one.frame["state"].to_list() == ["compared"] * 2
