"""What can be typed of files that leave the house? `export`, `conform`."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import (
    MOST,
    MOST_SEED,
    DataOption,
    OutOption,
    PopulationOption,
    StudyArg,
    app,
    quietly,
    refuse_of_virtual,
    steps,
    tell,
    tell_aside,
)
from cartrial.cli.owned import ForceOption, JsonOption, require_own_folder
from cartrial.errors import InputError

__all__: list[str] = []


@app.command()
def export(
    study: StudyArg,
    out: OutOption,
    data: DataOption = None,
    virtual: Annotated[bool, typer.Option("--virtual", help="Simulate virtual patients instead of reading data.")] = False,
    only: Annotated[str | None, typer.Option("--only", metavar="PARTS", help="Parts of the export, several with commas.")] = None,
    agency: Annotated[str, typer.Option("--agency", metavar="NAME", help="For whom: fda, nmpa or pmda.")] = "fda",
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="Language of labels: en or zh.")] = "en",
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", metavar="NAME", help="Of XPT files: ascii, utf-8 or gb18030; otherwise the agency's."),
    ] = None,
    date: Annotated[
        str | None, typer.Option("--date", metavar="DATE", help="What files say of when they were made; otherwise the cutoff.")
    ] = None,
    n: Annotated[int | None, typer.Option("-n", max=MOST, help="Virtual patients infused by the cutoff.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", max=MOST_SEED, help="Seed of the virtual patients.")] = None,
    population: PopulationOption = None,
    force: ForceOption = False,
) -> None:
    """Write the files in which a study leaves the house: data, metadata, programs and results."""
    import polars as pl

    from cartrial import run
    from cartrial.analysis import sort_results
    from cartrial.analysis.further import analyse_further
    from cartrial.files import require_place
    from cartrial.processes import cores
    from cartrial.study import Study
    from cartrial.submission import Job, export_study
    from cartrial.submission.export import require_asked

    if virtual == (data is not None):
        what = "--data and --virtual are both given" if virtual else "there is nothing to export"
        raise InputError(what, key="--data, --virtual", right="Give --data FOLDER with the study's source data, or --virtual")
    refuse_of_virtual(virtual, {"--population": population, "-n": n, "--seed": seed})
    parts = [name.strip().lower() for name in only.split(",")] if only is not None else []
    require_asked(parts, agency, language, encoding)
    made = _date(date)
    require_own_folder(out, Study.load(study).study.id, force=force, names=("m5", "exchange", "export.json"), by="export.json")
    require_place(out)
    with steps() as say, quietly():
        if data is None:
            loaded = run.simulate_data(study, n=n, seed=seed, population=population, say=say)
        else:
            loaded = run.load_data(study, data, say=say)
        derived = run.derive_data(loaded, say=say)
        results = run.estimate_data(loaded, derived, say=say)[0]
        results = sort_results(pl.concat([results, analyse_further(loaded.study, derived.adam, derived.records)]))
        whole = (loaded.study, loaded.source, derived.records, derived.adam, results, derived.findings)
        job = Job(*whole, agency=agency, language=language, encoding=encoding, date=made, workers=cores())
        export_study(job, out, only=parts, say=say)
    for words in loaded.virtual.notices() if virtual and loaded.virtual is not None else ():
        tell_aside(words)
    tell(f"Wrote {out}.")


@app.command()
def conform(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of ADaM as XPT or Dataset-JSON, or of an export.")],
    every: Annotated[bool, typer.Option("--all", help="List each single finding, not the first of each rule.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check analysis data against the rules of ADaM, and their define.xml against the data. Exit code 1 if anything was found."""
    from cartrial.cli.checked import finding_lines
    from cartrial.sdtm.checks.groups import count_findings, counts_text
    from cartrial.submission.conform import CONFORM_RULES, check_adam

    with steps() as say:
        say("Reading the sets")
        findings = check_adam(folder)
    if as_json:
        tell(json.dumps({"folder": str(folder), "findings": findings.to_dicts()}, indent=2, ensure_ascii=False))
    else:
        for line in finding_lines(findings, every=every):
            tell(line)
        tell(counts_text(count_findings(findings), len(CONFORM_RULES)))
    raise typer.Exit(1 if findings.height else 0)


def _date(said: str | None) -> dt.date | None:
    """Return the date of an option."""
    try:
        return None if said is None else dt.date.fromisoformat(said)
    except ValueError:
        raise InputError(f"'{said}' is no date", key="--date", right="Write it as 2022-09-27") from None
