"""How is a command typed: in a process of its own, as a user types it, and what came of it?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["LONGEST", "PART", "environment", "type_command"]

PART = "operation"
LONGEST = 600
"""Seconds: a command that takes longer has failed. Long, so that a busy machine is no fault of the installation."""


def environment() -> dict[str, str]:
    """Return the environment of a command: plain text, wide lines, and one process a command."""
    return {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200", "NO_COLOR": "1", "POLARS_MAX_THREADS": "1"}


_COMPILED = "import cartrial.kernels; cartrial.kernels.COMPILE_FROM = 0; from cartrial.__main__ import main; main()"


def type_command(folder: Path, *words: str, compiled: bool = False) -> tuple[int, str]:
    """Type `cartrial` and words in a folder; return exit code and output.

    Parameters
    ----------
    folder : Path
    *words : str
    compiled : bool
        Run every kernel compiled, as thousands of subjects do, whatever is in the cache.

    Examples
    --------
    >>> from pathlib import Path
    >>> from cartrial.qualify.operation.typed import type_command
    >>> code, output = type_command(Path("."), "--version")
    >>> code, output.split()[0]
    (0, 'cartrial')
    """
    try:
        done = subprocess.run(
            [sys.executable, *(("-c", _COMPILED) if compiled else ("-m", "cartrial")), *words],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
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
