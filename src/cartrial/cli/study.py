"""What can be typed of a study? Its files, its data, its report, one subject of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import DataOption, OutOption, StudyArg, app, data_given, steps, tell
from cartrial.errors import InputError

__all__: list[str] = []


@app.command()
def studies() -> None:
    """List the built-in studies."""
    from cartrial.study import Study, builtin_studies

    for name in builtin_studies():
        study = Study.load(name)
        tell(f"{name:12s} {study.study.title} ({study.study.registry or 'no registry number'}; {len(study.endpoints)} endpoints)")


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to make.")],
    source: Annotated[str | None, typer.Option("--from", metavar="STUDY", help="Built-in study to start from.")] = None,
    registry: Annotated[
        Path | None, typer.Option("--registry", metavar="JSON", help="ClinicalTrials.gov API v2 record to draft a study from.")
    ] = None,
) -> None:
    """Make a study folder to edit, with empty data templates."""
    from cartrial.files import built_beside
    from cartrial.sdtm import write_templates
    from cartrial.study import Study, builtin_studies

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("the folder is there already and is not empty", file=str(folder), right="Name a new folder")
    if (source is None) == (registry is None):
        raise InputError("say what to start from", key="--from", right="Give --from STUDY or --registry JSON, one of the two")
    unclear: list[str] = []
    if registry is not None:
        from cartrial.study.registry.record import draft_study, read_registry

        text, unclear = draft_study(read_registry(registry))
    else:
        known = builtin_studies()
        if source not in known:
            raise InputError(f"there is no built-in study called '{source}'", key="--from", right=f"Built in are: {', '.join(known)}")
        text = known[str(source)].read_text(encoding="utf-8")
    with built_beside(folder) as place:
        (place / "study.yaml").write_text(text, encoding="utf-8")
        drafted = Study.load(place / "study.yaml")
        write_templates(place / "templates", study_id=drafted.study.id, product=drafted.product.exposure[0])
    tell(f"Wrote {folder / 'study.yaml'} and empty data templates in {folder / 'templates'}.")
    for number, point in enumerate(unclear, 1):
        tell(f"Unclear {number}: {point}")


@app.command()
def check(study: StudyArg, data: DataOption = None) -> None:
    """Check a study file, and its source data where given. Writes nothing; exit code 1 if something would stop a report."""
    from cartrial.run import derive_data, load_data
    from cartrial.study import Study

    loaded = Study.load(study)
    tell(f"{loaded.study.id}: the study file can be used ({len(loaded.endpoints)} endpoints, hash {loaded.hash[:12]}).")
    for place, source in loaded.assumptions():
        tell(f"  assumption  {place}: {source}")
    for point in loaded.unclear:
        tell(f"  unclear     {point}")
    if data is None:
        return
    with steps() as say:
        found = load_data(study, data, require=False, say=say)
        findings = found.findings
        if "stop" not in findings["SEVERITY"].to_list():
            findings = derive_data(found, say=say).findings
    for severity in ("stop", "warning", "note"):
        for row in findings.filter(findings["SEVERITY"] == severity).iter_rows(named=True):
            where = ", ".join(
                str(part) for part in (row["FILE"], f"row {row['ROW']}" if row["ROW"] else None, row["USUBJID"], row["VARIABLE"]) if part
            )
            tell(f"  {severity:8s}  {where + ': ' if where else ''}{row['MESSAGE']} [{row['RULE']}]")
    counts = {severity: findings.filter(findings["SEVERITY"] == severity).height for severity in ("stop", "warning", "note")}
    tell(f"{counts['stop']} would stop a report, {counts['warning']} warnings, {counts['note']} notes.")
    if counts["stop"]:
        raise typer.Exit(1)


@app.command()
def derive(study: StudyArg, out: OutOption, data: DataOption = None) -> None:
    """Derive the ADaM sets of a study."""
    from cartrial.files import built_beside
    from cartrial.report.study.outputs import write_adam
    from cartrial.run import derive_data, load_data

    with steps() as say:
        adam = derive_data(load_data(study, data_given(data), say=say), say=say).adam
        with built_beside(out) as place:
            write_adam(adam, adam.provenance, place / "adam")
    tell(f"Wrote the ADaM sets to {out / 'adam'}.")


@app.command()
def report(
    study: StudyArg,
    out: OutOption,
    data: DataOption = None,
    virtual: Annotated[bool, typer.Option("--virtual", help="Simulate virtual patients instead of reading data.")] = False,
    n: Annotated[int, typer.Option("-n", help="Virtual patients infused by the cutoff.")] = 39,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the virtual patients.")] = 1,
) -> None:
    """Write the report of a study: report.html, results.json, results.parquet, adam/ and run.json."""
    from cartrial import run

    if virtual == (data is not None):
        what = "--data and --virtual are both given" if virtual else "there is nothing to report on"
        raise InputError(what, key="--data, --virtual", right="Give --data FOLDER with the study's source data, or --virtual")
    with steps() as say:
        run.report(study, data, out, n=n, seed=seed, say=say)
    tell(f"Wrote {out / 'report.html'}.")


@app.command()
def shells(
    study: StudyArg,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="HTML file to write.")] = Path("shells.html"),
) -> None:
    """Write the tables and figures that a study will produce, empty, for its analysis plan."""
    from cartrial.report import write_shells
    from cartrial.study import Study

    write_shells(Study.load(study), out)
    tell(f"Wrote {out}.")


@app.command()
def explain(
    study: StudyArg,
    subject: Annotated[str, typer.Option("--subject", metavar="ID", help="USUBJID, or its last part.")],
    data: DataOption = None,
    endpoint: Annotated[str | None, typer.Option("--endpoint", metavar="ID", help="One endpoint alone.")] = None,
) -> None:
    """Explain one subject: timeline, statuses by reader, endpoint values with rule and source rows."""
    from cartrial.report import explain_subject
    from cartrial.run import derive_data, load_data

    with steps() as say:
        loaded = load_data(study, data_given(data), say=say)
        adam = derive_data(loaded, say=say).adam
    tell(explain_subject(loaded.study, adam, loaded.source, subject, endpoint))
