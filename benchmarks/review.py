"""The committee's workspace under a crowd, kills and in two worlds, in both stores, some ten minutes.

PostgreSQL is started for it where it is installed. A part alone: `python benchmarks/review.py crowd sqlite`; or start, long, kill, worlds.
"""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests")]

from cartrial.run import Data, load_data  # noqa: E402
from review_clients import Browser  # noqa: E402
from review_example import example_data  # noqa: E402
from review_server import Forked  # noqa: E402
from review_trials import close, crowd, fill, lost, make_store, write_until_killed  # noqa: E402

CLIENTS, ROUNDS, KILLS, REQUESTS = 20, 8, 20, 100


def simulated(folder: Path, subjects: int = 39) -> Data:
    """Return a virtual trial of so many infused subjects."""
    out = folder / "trial"
    command = [sys.executable, "-m", "cartrial", "simulate", "inaticel", "-n", str(subjects), "--seed", "3", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return load_data("inaticel", out)


def start(kind: str, folder: Path) -> None:
    """Time a start from nothing to the address, the data of a trial loaded, and the first page; processor time of all of it."""
    simulated(folder)
    for name in ("first", "second", "third"):
        db = str(folder / f"{name}.db")
        command = [sys.executable, "-m", "cartrial", "review", "serve", "inaticel", "--data", str(folder / "trial"), "--db", db]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.Popen([*command, "--port", "0", "--replace-committee"], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        address = next(found[1] for line in process.stdout if (found := re.search(r"(http://\S+)", line)))
        up = time.perf_counter()
        urllib.request.urlopen(address, timeout=60).read()
        page = time.perf_counter()
        process.terminate()
        process.wait(timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"start, {name}: {up - began:.2f} s, first page {page - up:.2f} s, processor {used:.2f} s", flush=True)


def meet(kind: str, folder: Path) -> None:
    """Let twenty people work at once, passwords hashed as in use."""
    for hashed, fast in (("cheaply", True), ("as in use", False)):
        if fast is not FAST[0]:
            continue
        db = make_store(kind, folder, fast=fast)
        names = fill(simulated(folder), CLIENTS)
        close()
        browsers = [Browser(name, 0) for name in names]
        with Forked(db, fast=fast) as server:
            port = server.start()
            for browser in browsers:
                browser.move(port)
            met = crowd(server, browsers, ROUNDS)
        times = ", ".join(f"{what} {met.at(what, 0.5):.2f} / {met.at(what, 0.95):.2f}" for what in met.times)
        print(
            f"{kind}, passwords hashed {hashed}: {met.requests} requests in {met.seconds:.1f} s, {met.requests / met.seconds:.0f} a second"
        )
        print(f"  processor {1000 * met.processor / met.requests:.1f} ms a request, log-ins included; seconds, median / 95 %: {times}")
        print(f"  refused {met.refused}, lost or broken {lost(db, browsers)}", flush=True)


def long(kind: str, folder: Path) -> None:
    """Time the list of a reader with a thousand cases and more, alone."""
    db = make_store(kind, folder)
    fill(simulated(folder, 250), 2)
    close()
    with Forked(db) as server:
        reader = Browser("reader01", 0)
        reader.move(server.start())
        reader.enter()
        times = sorted(_asked(reader, "", "list") for _ in range(REQUESTS))
        cases = len(reader.cases())
    print(
        f"{kind}, list of {cases} cases open to the reader of 250 subjects: median {1000 * times[50]:.0f}, 95 % {1000 * times[95]:.0f} ms"
    )


def kill(kind: str, folder: Path) -> None:
    """Kill the server twenty times while four people sign and type."""
    db = make_store(kind, folder)
    names = fill(example_data(committee=True), 4)
    close()
    browsers = [Browser(name, 0) for name in names]
    with Forked(db) as server:
        cut = write_until_killed(server, browsers, KILLS)
    signed = sum(len(browser.signed) for browser in browsers)
    print(
        f"{kind}: {KILLS} kills, {cut} requests cut off, {signed} signatures acknowledged, lost or broken {lost(db, browsers)}", flush=True
    )


def worlds(kind: str, folder: Path) -> None:
    """Ask two workspaces that differ in what the other reader did for the same pages, in drawn order; compare the ranks of the times."""
    from scipy.stats import mannwhitneyu

    servers: list[tuple[Forked, Browser]] = []
    for number in (0, 1):
        db = make_store(kind, folder, database=f"world{number}")
        fill(example_data(committee=True), 2)
        close()
        server, reader, other = Forked(db), Browser("reader01", 0), Browser("reader02", 0)
        port = server.start()
        for browser in (reader, other):
            browser.move(port)
            browser.enter()
        if number:
            for _ in range(3):
                for page in other.cases():
                    assert other.sign(page, "NR").status in (302, 409)
        servers.append((server, reader))
    chance, pages = random.Random(1), {}
    for _, reader in servers:
        pages[id(reader)] = sorted(reader.cases(), key=lambda page: int(page.split("/")[3]))[0]
    for what in ("list", "case", "draft", "no case"):
        found: tuple[list[float], list[float]] = ([], [])
        for which in chance.sample([0, 1] * REQUESTS, 2 * REQUESTS):
            found[which].append(_asked(servers[which][1], pages[id(servers[which][1])], what))
        p = float(mannwhitneyu(*found).pvalue)
        middle = [sorted(times)[REQUESTS // 2] * 1000 for times in found]
        print(f"{kind}, {what}: median {middle[0]:.1f} and {middle[1]:.1f} ms, p {p:.3f}", flush=True)
    for server, _ in servers:
        server.kill()
        server.__exit__(None, None, None)


def _asked(reader: Browser, page: str, what: str) -> float:
    if what == "draft":
        return reader.draft(page, "seen").seconds
    return reader.ask({"list": "/", "case": page, "no case": "/case/S-999/1/"}[what]).seconds


PARTS: dict[str, Any] = {"start": start, "long": long, "crowd": meet, "kill": kill, "worlds": worlds}
FAST = [True]


def main() -> int:
    """Run the parts that are named, or each in a process of its own: a process hashes passwords in one way."""
    if len(sys.argv) > 2:
        FAST[0] = "slow" not in sys.argv
        with tempfile.TemporaryDirectory() as folder:
            PARTS[sys.argv[1]](sys.argv[2], Path(folder))
        return 0
    stores = ["sqlite", *(["postgresql"] if shutil.which("pg_config") or os.path.isdir("/usr/lib/postgresql") else [])]
    runs = [["start", "sqlite"], *([part, kind] for part in ("long", "crowd", "kill", "worlds") for kind in stores)]
    runs += [["crowd", kind, "slow"] for kind in stores]
    only = sys.argv[1:2]
    runs = [run for run in runs if not only or run[0] == only[0]]
    return sum(subprocess.run([sys.executable, __file__, *run], check=False, timeout=900).returncode != 0 for run in runs)


if __name__ == "__main__":
    raise SystemExit(main())
