"""The command line of virtual patients: `simulate`, `trials`, `supply`, `models`, `calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cartrial.cli.app import MOST, MOST_SEED, OutOption, StudyArg, app, progress
from cartrial.cli.batches import BatchOption, PlaceOption, SchedulerOption, WorkersOption, batches_kept
from cartrial.errors import InputError

__all__: list[str] = []

Infused = Annotated[int, typer.Option("-n", max=MOST, help="Virtual patients infused by the cutoff, in each trial.")]
Seed = Annotated[int, typer.Option("--seed", max=MOST_SEED, help="Seed; the same seed gives the same patients.")]


@app.command()
def simulate(
    study: StudyArg,
    out: OutOption,
    n: Infused = 39,
    trials: Annotated[int, typer.Option("--trials", max=MOST, help="How many trials.")] = 1,
    seed: Seed = 1,
    form: Annotated[str, typer.Option("--form", help="csv, parquet, xpt, dataset-json or ndjson.")] = "csv",
) -> None:
    """Write the SDTM of virtual patients, as a study's sites would have sent it."""
    from cartrial.study import Study
    from cartrial.virtual.trial import simulate as write_virtual

    forms = ("csv", "parquet", "xpt", "dataset-json", "ndjson")
    if form not in forms:
        raise InputError(f"there is no form '{form}'", key="--form", right=f"Name one of {', '.join(forms)}")
    folders = write_virtual(Study.load(study), out, n=n, trials=trials, seed=seed, form=form)
    typer.echo(f"Wrote {len(folders)} virtual trial{'s' if len(folders) > 1 else ''} to {out}.")


@app.command()
def trials(
    study: StudyArg,
    out: PlaceOption,
    number: Annotated[int, typer.Option("--trials", max=MOST, help="How many trials in all.")] = 1000,
    n: Infused = 39,
    seed: Seed = 1,
    batch: BatchOption = 250,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Simulate many trials and keep their results; goes on where it was interrupted."""
    with batches_kept():
        from cartrial.design.trials.stream import stream_trials
        from cartrial.study import Study

        loaded = Study.load(study)
        with progress() as show:
            options: dict[str, Any] = {"n": n, "batch": batch, "workers": workers, "scheduler": scheduler}
            stream_trials(loaded, number, seed, out, **options, progress=lambda done, wanted: show("virtual trials", done, wanted))
    typer.echo(f"The results of {number} virtual trials are in {out}.")


@app.command()
def supply(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="HTML file to write.")] = Path("supply.html"),
    n: Annotated[int, typer.Option("-n", max=MOST, help="Virtual patients enrolled in each arm.")] = 2000,
    seed: Seed = 1,
) -> None:
    """Compare an autologous with an allogeneic product from enrolment, on the same virtual patients."""
    from cartrial.design.trials.compare import compare_supply
    from cartrial.report.virtual.page import write_comparison

    write_comparison(compare_supply(n, seed), out)
    typer.echo(f"Wrote {out}.")


@app.command()
def models(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="HTML file to write.")] = Path("models.html"),
) -> None:
    """Show the published CAR-T models: equations, parameters with their sources, one figure each."""
    from cartrial.report.virtual.models import write_models_page

    write_models_page(out)
    typer.echo(f"Wrote {out}.")


@app.command()
def calibrate(
    out: OutOption,
    members: Annotated[int, typer.Option("--members", max=MOST, help="Parameter sets started; 85 in 100 are kept.")] = 160,
    seed: Annotated[int, typer.Option("--seed", max=MOST_SEED, help="Seed of the perturbations.")] = 9,
    left_out: Annotated[bool, typer.Option("--left-out/--no-left-out", help="Also predict each trial without itself.")] = True,
) -> None:
    """Make the ensemble of parameter sets again from the registry of published results."""
    from cartrial.virtual.calibration import calibrate as fit

    with progress() as show:

        def told(words: str, share: float) -> None:
            show("calibration", share, 1.0, words)

        found = fit(out, members=members, seed=seed, left_out=left_out, progress=told)
    beyond = (found.scores["z"].abs() > 1.96).sum()
    typer.echo(f"{found.scores.height} targets, {beyond} beyond |z| 1.96; {found.informed:.1f} informed directions. Wrote {out}.")
