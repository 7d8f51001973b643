"""The command line of virtual patients: `simulate`, `trials`, `supply`, `models`, `calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cartrial.cli.app import (
    MOST,
    MOST_SEED,
    FiguresOption,
    OutOption,
    PopulationOption,
    StudyArg,
    app,
    draw_page,
    formats_asked,
    progress,
    quietly,
    tell_of,
)
from cartrial.cli.batches import BatchOption, PlaceOption, SchedulerOption, WorkersOption, batches_kept, spread_over
from cartrial.cli.owned import ForceOption, require_own_files, require_own_page, require_own_trials
from cartrial.errors import InputError

__all__: list[str] = []

Infused = Annotated[
    int | None,
    typer.Option("-n", max=MOST, help="Virtual patients infused by the cutoff, in each trial; otherwise as the study file says, or 39."),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", max=MOST_SEED, help="The same seed gives the same patients; otherwise as the study file says, or 1."),
]


@app.command()
def simulate(
    study: StudyArg,
    out: OutOption,
    n: Infused = None,
    trials: Annotated[int, typer.Option("--trials", max=MOST, help="How many trials.")] = 1,
    seed: Seed = None,
    population: PopulationOption = None,
    form: Annotated[str, typer.Option("--form", help="csv, parquet, xpt, dataset-json or ndjson.")] = "csv",
    force: ForceOption = False,
) -> None:
    """Write the SDTM of virtual patients, as a study's sites would have sent it."""
    from cartrial.study import Study
    from cartrial.virtual.trial import plan_study
    from cartrial.virtual.trial import simulate as write_virtual

    forms = ("csv", "parquet", "xpt", "dataset-json", "ndjson")
    if form not in forms:
        raise InputError(f"there is no form '{form}'", key="--form", right=f"Name one of {', '.join(forms)}")
    require_own_trials(out, force=force)
    loaded = Study.load(study)
    with quietly():
        plan = plan_study(loaded, n=n, seed=seed, population=population)
    folders = write_virtual(loaded, out, trials=trials, plan=plan, form=form)
    tell_of(plan, trials)
    typer.echo(f"Wrote {len(folders)} virtual trial{'s' if len(folders) > 1 else ''} to {out}.")


@app.command()
def trials(
    study: StudyArg,
    out: PlaceOption,
    number: Annotated[int, typer.Option("--trials", max=MOST, help="How many trials in all.")] = 1000,
    n: Infused = None,
    seed: Seed = None,
    population: PopulationOption = None,
    batch: BatchOption = 250,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Simulate many trials and keep their results; goes on where it was interrupted."""
    with batches_kept():
        from cartrial.design.trials.stream import stream_trials
        from cartrial.study import Study
        from cartrial.virtual.trial import plan_study, virtual_study

        loaded = Study.load(study)
        plan = plan_study(virtual_study(loaded), n=n, seed=seed, population=population)
        with progress() as show:
            options: dict[str, Any] = {"plan": plan, "batch": batch, **spread_over(number, workers, scheduler)}
            stream_trials(loaded, number, plan.seed, out, **options, progress=lambda done, wanted: show("virtual trials", done, wanted))
    tell_of(plan, number)
    typer.echo(f"The results of {number} virtual trials are in {out}.")


@app.command()
def supply(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="HTML file to write.")] = Path("supply.html"),
    n: Annotated[int, typer.Option("-n", max=MOST, help="Virtual patients enrolled in each arm.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", max=MOST_SEED, help="The same seed gives the same patients.")] = 1,
    population: Annotated[
        list[str] | None,
        typer.Option(
            "--population",
            metavar="NAME",
            help="Built-in population or YAML file, one for each product; the patients of both arms are those of the autologous one.",
        ),
    ] = None,
    figures: FiguresOption = None,
    force: ForceOption = False,
) -> None:
    """Compare an autologous with an allogeneic product from enrolment, on the same virtual patients."""
    from cartrial.design.trials.compare import compare_supply
    from cartrial.report.virtual.page import write_comparison

    require_own_page(out, force=force)
    formats, arms = formats_asked(figures), _by_product(population or [])
    write_comparison(compare_supply(n, seed, autologous=arms["autologous"], allogeneic=arms["allogeneic"]), out)
    typer.echo(f"Wrote {out}.")
    draw_page(out, formats)


def _by_product(names: list[str]) -> dict[str, str]:
    """Return the populations of a comparison by the type of their product: those named, else those of adults."""
    from cartrial.design.trials.compare import ALLOGENEIC, AUTOLOGOUS
    from cartrial.virtual.patients.population import load_population

    found: dict[str, str] = {}
    for name in names:
        source = load_population(name).product.source
        if source in found:
            what = f"'{found[source]}' and '{name}' both have an {source} product"
            raise InputError(what, key="--population", right="Name at most one population for each product")
        found[source] = name
    return {"autologous": AUTOLOGOUS, "allogeneic": ALLOGENEIC} | found


@app.command()
def models(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="HTML file to write.")] = Path("models.html"),
    figures: FiguresOption = None,
    force: ForceOption = False,
) -> None:
    """Show the published CAR-T models: equations, parameters with their sources, one figure each."""
    from cartrial.report.virtual.models import write_models_page

    formats = formats_asked(figures)
    require_own_page(out, force=force)
    write_models_page(out)
    typer.echo(f"Wrote {out}.")
    draw_page(out, formats)


@app.command()
def calibrate(
    out: OutOption,
    members: Annotated[int, typer.Option("--members", max=MOST, help="Parameter sets started; 85 in 100 are kept.")] = 160,
    seed: Annotated[int, typer.Option("--seed", max=MOST_SEED, help="Seed of the perturbations.")] = 9,
    left_out: Annotated[bool, typer.Option("--left-out/--no-left-out", help="Also predict each trial without itself.")] = True,
    force: ForceOption = False,
) -> None:
    """Make the ensemble of parameter sets again from the registry of published results."""
    from cartrial.virtual.calibration import calibrate as fit
    from cartrial.virtual.calibration.run import FILES

    require_own_files(out, FILES, by="ensemble.csv", force=force)
    with progress() as show:

        def told(words: str, share: float) -> None:
            show("calibration", share, 1.0, words)

        found = fit(out, members=members, seed=seed, left_out=left_out, progress=told)
    beyond = (found.scores["z"].abs() > 1.96).sum()
    typer.echo(f"{found.scores.height} targets, {beyond} beyond |z| 1.96; {found.informed:.1f} informed directions. Wrote {out}.")
