"""What can be typed of the cells of a population? `kinetics`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import MOST, MOST_SEED, OutOption, PopulationOption, StudyArg, app, refuse_of_virtual, steps, tell
from cartrial.cli.owned import ForceOption, require_own_files
from cartrial.errors import InputError

__all__: list[str] = []


@app.command()
def kinetics(
    study: StudyArg,
    out: OutOption,
    data: Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help="Folder of source data.")] = None,
    virtual: Annotated[bool, typer.Option("--virtual", help="Fit virtual patients of the study.")] = False,
    n: Annotated[int | None, typer.Option("-n", max=MOST, help="Virtual patients infused.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=MOST_SEED, help="Of the estimation; otherwise as the study file says.")
    ] = None,
    population: PopulationOption = None,
    force: ForceOption = False,
) -> None:
    """Fit the population model of the product's cells that the study file asks for (kinetics: model)."""
    from cartrial.report.study.cells.page import FILES
    from cartrial.run import kinetics as fit

    if (data is None) != virtual:
        raise InputError("say whose cells to fit", key="--data", right="Give --data FOLDER or --virtual, one of the two")
    refuse_of_virtual(virtual, {"--population": population, "-n": n})
    if data is not None and out.resolve() == data.resolve():
        raise InputError("the source data stand there", file=str(out), key="--out", right="Name another place")
    require_own_files(out, FILES, by="kinetics.html", force=force)
    with steps() as say:
        lines = fit(study, data, out, n=n, seed=seed, population=population, say=say)
    for line in lines:
        tell(line)
    tell(f"Wrote {out}.")
