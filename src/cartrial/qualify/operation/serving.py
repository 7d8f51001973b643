"""Does the committee's workspace answer, where its commands serve it?"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib import request

from cartrial.qualify.checks import Check, not_run, said
from cartrial.qualify.installation import lacking_for
from cartrial.qualify.operation.typed import LONGEST, PART, environment

__all__ = ["SERVED", "check_serving"]

GROUP = "commands that serve pages"
SERVED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("review serve inaticel --data truth/strategies/data --db served.db --port 0", ("review",)),
    ("review practice inaticel --virtual -n 2 --db practice.db --port 0", ("review", "virtual")),
)
"""What is typed without `cartrial`, and the extras that it needs."""


def check_serving(folder: Path) -> Iterator[Check]:
    """Yield for each command that serves pages: does a page answer at the address that it prints?"""
    for typed, needs in SERVED:
        absent = lacking_for(needs)
        if absent:
            yield not_run(PART, GROUP, f"cartrial {typed}", absent)
        else:
            yield said(PART, GROUP, f"cartrial {typed}: first page", "200", _answer(folder, typed), "the command's documentation")


def _answer(folder: Path, typed: str) -> str:
    """Serve, ask for the page at the address that is printed, and end the server; return the status or what was said instead."""
    command = [sys.executable, "-u", "-m", "cartrial", *typed.split()]
    log = folder / f"served-{typed.split()[1]}.txt"
    with (
        log.open("w", encoding="utf-8") as said_there,
        subprocess.Popen(
            command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said_there, text=True
        ) as server,
    ):
        late = threading.Timer(LONGEST, server.kill)
        late.start()
        try:
            for line in server.stdout or ():
                address = re.search(r"http://[\w.:-]+/?", line)
                if address:
                    with request.urlopen(address[0], timeout=LONGEST) as page:
                        return str(page.status)
            return f"no address: {log.read_text(encoding='utf-8')[-200:]}"
        except OSError as error:
            return f"no answer: {error}"
        finally:
            late.cancel()
            server.kill()
