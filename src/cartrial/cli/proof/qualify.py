"""What can be typed of the installation itself? `qualify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import app, steps, tell
from cartrial.cli.owned import ForceOption, require_own_files

__all__: list[str] = []

FILES = ("qualify.html", "qualify.json")


@app.command()
def qualify(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the dossier goes: qualify.html, qualify.json, qualify.pdf.")],
    only: Annotated[
        str | None, typer.Option("--only", metavar="PARTS", help="installation, operation, performance; several with commas.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of the random data; otherwise drawn anew, and printed.")] = None,
    thorough: Annotated[bool, typer.Option("--thorough", help="Type the commands too that take minutes.")] = False,
    force: ForceOption = False,
) -> None:
    """Check this installation: its files, its commands, its figures against R's and published ones. Exit code 1 if anything failed."""
    from cartrial.files import built_beside, require_place
    from cartrial.qualify import PARTS, write_dossier
    from cartrial.qualify import qualify as check

    parts = tuple(name.strip().lower() for name in only.split(",")) if only else PARTS
    require_own_files(out, FILES, by="qualify.html", force=force)
    require_place(out)
    with steps() as say:
        found = check(parts, seed=seed, thorough=thorough, say=say)
        with built_beside(out) as place:
            names = write_dossier(found, place)
    tell(found.verdict)
    tell(f"Seed of the random data: {found.seed}.")
    for check_ in found.failed[:10]:
        tell(f"Failed: {check_.group}: {check_.what}: expected {check_.expected}, found {check_.found}.")
    tell(f"Wrote {', '.join(str(out / name) for name in names)} ({found.seconds:.0f} s).")
    if not found.passed:
        raise typer.Exit(1)
