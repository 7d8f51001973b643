"""What can be typed of published figures? `predict`: do they lie where virtual trials of their size do?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import MOST, MOST_SEED, app, progress, tell
from cartrial.errors import InputError

__all__: list[str] = []

LEAST = 200
"""Trials of a process: fewer are done before it has started."""


@app.command()
def predict(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV table of published figures, one a row.")],
    trials: Annotated[int, typer.Option("--trials", max=MOST, help="Virtual trials of each figure, at least 20.")] = 500,
    seed: Annotated[int, typer.Option("--seed", max=MOST_SEED, help="Seed of the virtual patients.")] = 1,
    population: Annotated[
        list[str] | None,
        typer.Option("--population", metavar="[TRIAL=]NAME", help="Virtual population, or a file, for every trial or the named one."),
    ] = None,
    alike: Annotated[bool, typer.Option("--alike", help="Take all trials of a population to have the same parameters.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Also write predictions.csv and .json there.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            max=64,
            metavar="N",
            help="Processes of one thread, about 0.7 GB each; without it one a core, for 400 trials or more.",
        ),
    ] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Also print what was assumed to read each row.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare published figures with virtual trials of their size: inside or outside the 90 % predictive interval."""
    from cartrial.files import require_place
    from cartrial.predict import check_predictions, prediction_lines, predictions_document, write_predictions
    from cartrial.processes import processes_for

    if out is not None:
        require_place(out)
    try:
        chosen = _by_trial(population or [])
        with progress() as show:

            def told(done: int, wanted: int) -> None:
                show("virtual trials", done, wanted)

            many = processes_for(trials, LEAST, workers)
            found = check_predictions(file, trials=trials, seed=seed, population=chosen, alike=alike, progress=told, processes=many)
    except InputError as error:
        if as_json:
            from cartrial.cli.checked import failed_document

            tell(json.dumps(failed_document(error), indent=2))
        raise
    if out is not None:
        write_predictions(found, out)
    if as_json:
        tell(json.dumps(predictions_document(found), indent=2, allow_nan=False))
        return
    for line in prediction_lines(found, notes=notes):
        tell(line)
    if out is not None:
        tell(f"Wrote {out / 'predictions.csv'} and {out / 'predictions.json'}.")


def _by_trial(given: list[str]) -> dict[str, str]:
    """Return populations by trial, under "" that of every other trial."""
    chosen: dict[str, str] = {}
    for text in given:
        trial, equals, name = text.partition("=")
        trial, name = (trial.strip(), name.strip()) if equals else ("", text.strip())
        if not name or (equals and not trial):
            raise InputError(f"'{text}' names no population", key="--population", right="Write NAME, or TRIAL=NAME")
        if trial in chosen:
            raise InputError(f"two populations are named for {trial or 'every trial'}", key="--population", right="Name one")
        chosen[trial] = name
    return chosen
