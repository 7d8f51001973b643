"""The command `cartrial`, and `python -m cartrial`: bad input ends in one line and exit code 2."""

from __future__ import annotations

import typer

from cartrial.cli.app import app
from cartrial.errors import InputError

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    try:
        app(standalone_mode=True)
    except InputError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
