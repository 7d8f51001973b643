"""A server of the committee's workspace that can be killed and started again at once: a process that has all imported forks it.

Run as a program with the name of a store and a few words, it is asked in lines: `start` answers with the port, `limit N` does so with
files of at most N bytes, `kill` (signal 9) answers when nothing is left, `seconds` with the processor time of the killed.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType

HERE = Path(__file__).resolve()


class Forked:
    """A server that is started, killed and started again; `fast`: passwords are hashed cheaply, so that more is written in a second."""

    def __init__(self, db: str, study: str = "inaticel", *, fast: bool = True, log: Path | None = None) -> None:
        self._log = (log or Path(os.devnull)).open("a", encoding="utf-8")
        command = [sys.executable, str(HERE), db, study, "fast" if fast else "slow"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parents[1] / "src"), str(HERE.parent)])}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, bufsize=1, env=environment
        )
        assert self._answer("hello") == "ready"

    def _answer(self, line: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        answer = self._process.stdout.readline().strip()
        assert answer, "the server does not answer"
        return answer

    def start(self, limit: int = 0) -> int:
        """Start it, with files of at most so many bytes (0: no limit); return its port."""
        return int(self._answer(f"limit {limit}" if limit else "start"))

    def kill(self) -> None:
        """End it as a power cut of the process would: signal 9."""
        assert self._answer("kill") == "killed"

    def seconds(self) -> float:
        """Return the processor time that the servers which were killed have used. Unit: seconds."""
        return float(self._answer("seconds"))

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        self._log.close()


def _serve(db: str, limit: int, to: int) -> None:
    from cartrial.review.app.serve import place_of, run

    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    ready = lambda address: os.write(to, address.rstrip("/").rsplit(":", 1)[1].encode() + b"\n")  # noqa: E731
    run(place_of(db, must_exist=True), port=0, listen="127.0.0.1", proxy="", ready=ready)


def main(db: str, study: str, how: str) -> None:
    """Import everything, then fork servers as the lines of standard input ask."""
    from cartrial.review.app.serve import place_of
    from cartrial.review.app.setup import open_workspace

    open_workspace(place_of(db, must_exist=True), fast_hasher=how == "fast")
    from django.core.wsgi import get_wsgi_application
    from django.db import connections

    from cartrial.review.app.state import use_study
    from cartrial.review.app.urls import urlpatterns
    from cartrial.study import Study

    assert urlpatterns and get_wsgi_application()
    use_study(Study.load(study))
    connections.close_all()
    child = 0

    def stop(*_: object) -> None:
        if child:
            os.kill(child, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    for line in sys.stdin:
        word, _, number = line.strip().partition(" ")
        if word in ("start", "limit"):
            read, write = os.pipe()
            child = os.fork()
            if not child:
                os.close(read)
                _serve(db, int(number or 0), write)
                os._exit(0)
            os.close(write)
            with os.fdopen(read) as port:
                print(port.readline().strip(), flush=True)
        elif word == "kill":
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            child = 0
            print("killed", flush=True)
        elif word == "seconds":
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            print(used.ru_utime + used.ru_stime, flush=True)
        else:
            print("ready", flush=True)
    stop()


if __name__ == "__main__":
    main(*sys.argv[1:4])
