"""The command line of two runs: `compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import app, steps, tell
from cartrial.cli.owned import ForceOption, require_own_page
from cartrial.errors import InputError

__all__: list[str] = []


@app.command()
def compare(
    one: Annotated[Path, typer.Argument(metavar="OUT1", help="Output folder of the first run of `report`.")],
    two: Annotated[
        Path, typer.Argument(metavar="OUT2", help="Output folder of the second run: a new cut, a new version, a new study file.")
    ],
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="HTML file to write: the comparison as a page.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every result that differs, not those of main analyses alone.")] = False,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document with everything that differs.")] = False,
) -> None:
    """Compare two runs of a study: which results, which subjects, by which rule or record. Exit code 1 if any differ."""
    from cartrial.report.compare import compare_runs, compared_document, compared_lines, read_run, write_comparison_page

    if to is not None and (to.is_dir() or to.suffix.lower() not in (".html", ".htm")):
        raise InputError("the page is an HTML file", file=str(to), key="--to", right="Name a file ending in .html")
    if to is not None:
        require_own_page(to, force=force)
    with steps() as say:
        say("Reading the two runs")
        found = compare_runs(read_run(one), read_run(two))
        if to is not None:
            say("Writing the page")
            write_comparison_page(found, to)
    if as_json:
        tell(json.dumps(compared_document(found), indent=2, ensure_ascii=False))
    else:
        for line in compared_lines(found, every=every):
            tell(line)
        if to is not None:
            tell(f"Wrote {to}.")
    raise typer.Exit(1 if found.differs else 0)
