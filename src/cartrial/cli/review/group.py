"""What do the verbs of `cartrial review` share? The group, the option that names the workspace, and how it is opened."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from cartrial.cli.app import app

__all__ = ["DbOption", "group", "open_db", "typist"]

group = typer.Typer(help="The committee's workspace: blinded reads, adjudication, signatures, and a trail of them.", no_args_is_help=True)
app.add_typer(group, name="review")

DbOption = Annotated[str, typer.Option("--db", metavar="FILE|URL", help="The workspace: one file, or postgresql://USER@HOST/DATABASE.")]


def typist() -> str:
    return f"command line ({getpass.getuser()})"


def open_db(db: str) -> None:
    from cartrial.extras import require

    require("django", extra="review")
    from cartrial.review.app.serve import open_store

    open_store(db)
