"""How is a command typed: in a process of its own, as a user types it, or one after the other in one; and what came of it?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["LONGEST", "PART", "environment", "type_command", "type_commands"]

PART = "operation"
LONGEST = 600
"""Seconds: a command that takes longer has failed. Long, so that a busy machine is no fault of the installation."""


def environment() -> dict[str, str]:
    """Return the environment of a command: plain text, wide lines, and one process a command."""
    return {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200", "NO_COLOR": "1", "POLARS_MAX_THREADS": "1"}


_SESSION = """
import contextlib, io, json, sys, traceback
import cartrial.kernels
if sys.argv[1] == "compiled":
    cartrial.kernels.COMPILE_FROM = 0
else:
    cartrial.kernels.PATIENCE = 10**9
from cartrial.__main__ import main
out = sys.stdout
for line in sys.stdin.read().splitlines():
    code, said = 0, io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        sys.argv = ["cartrial", *json.loads(line)]
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            code = 1
            traceback.print_exc()
    print(json.dumps([code, said.getvalue()]), file=out, flush=True)
"""
"""Types each line that comes in, and says of each its exit code and what it said. Many small studies compile no kernel, as one does not."""


def type_command(folder: Path, *words: str) -> tuple[int, str]:
    """Type `cartrial` and words in a folder, in a process of its own; return exit code and output.

    Examples
    --------
    >>> from pathlib import Path
    >>> from cartrial.qualify.operation.typed import type_command
    >>> code, output = type_command(Path("."), "--version")
    >>> code, output.split()[0]
    (0, 'cartrial')
    """
    return _run(folder, ("-m", "cartrial", *words))


def type_commands(folder: Path, lines: Sequence[Sequence[str]], *, compiled: bool = False) -> list[tuple[int, str]]:
    """Type lines one after the other in one process, which is started once; return exit code and output of each.

    Parameters
    ----------
    folder : Path
    lines : sequence of sequence of str
        Each the words after `cartrial`.
    compiled : bool
        Run every kernel compiled, as thousands of subjects do, whatever is in the cache.

    Examples
    --------
    >>> from pathlib import Path
    >>> from cartrial.qualify.operation.typed import type_commands
    >>> [code for code, _ in type_commands(Path("."), [["--version"], ["qualify", "--only", "looks", "--out", "x"]])]
    [0, 2]
    """
    asked = "".join(f"{json.dumps(list(words))}\n" for words in lines)
    code, output = _run(folder, ("-c", _SESSION, "compiled" if compiled else "plain"), asked)
    found = [json.loads(line) for line in output.splitlines() if line.startswith("[")]
    # where the process itself ended, those that were not typed end as it did
    return [(code, said) for code, said in found] + [(code or 1, output)] * (len(lines) - len(found))


def _run(folder: Path, arguments: Sequence[str], asked: str = "") -> tuple[int, str]:
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment(),
            input=asked,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, f"it ran longer than {LONGEST} s"
    return done.returncode, done.stdout + done.stderr
