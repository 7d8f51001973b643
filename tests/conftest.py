"""How do the tests run? With one thread of Polars each, a cache of compiled kernels inside the checkout, and one profile of properties."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

# before anything imports Polars: workers beside each other take a core each, and compiled kernels outlive a run
os.environ.setdefault("POLARS_MAX_THREADS", "1")
# as wide everywhere, whatever terminal runs the tests
os.environ["COLUMNS"] = "110"
os.environ.setdefault("CARTRIAL_CACHE", str(Path(__file__).parents[1] / ".cache"))

import pytest

import properties  # noqa: F401 -- loads the profile
from helpers import WORKED

# a file that counts for all of its tests, or leaves something of them to the profile
IN_FULL = re.compile(r"^\w+ = count\(|\bPROFILE\b", re.MULTILINE)


def _more_in_full(item: pytest.Function) -> bool:
    """Say whether a test has a number of examples: it draws them, it counts itself, or its file does."""
    counts = "count" in item.function.__code__.co_names or IN_FULL.search(inspect.getsource(item.module))
    return bool(counts) or getattr(item.function, "is_hypothesis_test", False)


# files that take minutes: begun first, so that no process is left alone with one of them at the end (with --no-loadscope-reorder)
FIRST = ("whole/test_docs.py", "qualify/test_qualify.py", "review/test_loop.py", "whole/test_equal.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    """Begin with what takes longest; leave out what `make test` just before has tried in the same way: not slow, no number of examples."""
    tests = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(tests).as_posix() not in FIRST)
    if os.environ.get("CARTRIAL_TEST_AFTER") != "quick":
        return
    left = [item for item in items if not item.get_closest_marker("slow") and not _more_in_full(item)]
    config.hook.pytest_deselected(items=left)
    out = set(left)
    items[:] = [item for item in items if item not in out]


ENDED: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep how each test ended, where the run is to be written: CARTRIAL_TEST_RESULTS names the file (`make test-all`)."""
    if "CARTRIAL_TEST_RESULTS" in os.environ and (report.when == "call" or report.outcome != "passed"):
        before = ENDED.get(report.nodeid)
        ENDED[report.nodeid] = "failed" if "failed" in (before, report.outcome) else report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write how each test ended; of processes beside each other the one that collects their reports."""
    path = os.environ.get("CARTRIAL_TEST_RESULTS")
    if path and ENDED and not hasattr(session.config, "workerinput"):
        finished = dt.datetime.now(dt.UTC).date().isoformat()
        Path(path).write_text(json.dumps({"finished": finished, "results": ENDED}, indent=0) + "\n", encoding="utf-8")


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """A process that opens a workspace hashes passwords as the first that opened one said: in tests cheaply, whichever is the first."""
    from cartrial.review.app.setup import open_workspace

    own = open_workspace.__kwdefaults__
    open_workspace.__kwdefaults__ = {**(own or {}), "fast_hasher": True}
    yield
    open_workspace.__kwdefaults__ = own


@pytest.fixture(scope="session")
def worked_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report of the worked example, made once by each process. For reading alone."""
    from cartrial.run import report

    out = tmp_path_factory.mktemp("worked-report")
    report(WORKED, WORKED / "data", out)
    return out
