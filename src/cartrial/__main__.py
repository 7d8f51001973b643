"""The command `cartrial`, and `python -m cartrial`: bad input ends in one line and exit code 2, an error of cartrial itself in 70."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from cartrial.cli.app import app
from cartrial.errors import InputError, printable

__all__ = ["CRASHED", "main"]

CRASHED = 70
"""Exit code of an error of cartrial itself (EX_SOFTWARE of sysexits.h): never 1, by which `check` says that it found something."""


def main() -> None:
    """Run the command line."""
    try:
        app(standalone_mode=True)
        sys.stdout.flush()
    except InputError as error:
        _end(str(error), 2)
    except BrokenPipeError:
        _end("", 141)  # as the shell says of a program whose reader went away
    except OSError as error:
        _end(f"{error.filename or 'the output'}: {error.strerror or error}. Nothing was finished.", 2)
    except MemoryError:
        _end("The memory of this machine is used up. Give less data at once, or more memory.", 2)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of Polars is no Exception
        if os.environ.get("CARTRIAL_TRACEBACK"):
            traceback.print_exc()
        said = " ".join(str(error).split())[:300]
        _end(f"cartrial itself failed ({type(error).__name__}: {said}). Please report it; CARTRIAL_TRACEBACK=1 shows where.", CRASHED)


def _end(message: str, code: int) -> None:
    """Say why, and end; a stream that cannot be written to is left alone."""
    try:
        if message:
            typer.echo(printable(message), err=True)
        sys.stdout.flush()
    except OSError:
        # what is still held back for a closed pipe or a full disk would be tried again, and told, when Python ends
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    raise SystemExit(code) from None


if __name__ == "__main__":
    main()
