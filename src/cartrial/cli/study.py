"""What can be typed of a study? Its files, its data, its report, one subject of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartrial.cli.app import (
    MOST,
    MOST_SEED,
    SHOWN,
    DataOption,
    FiguresOption,
    OutOption,
    PopulationOption,
    StudyArg,
    app,
    data_given,
    draw_page,
    formats_asked,
    quietly,
    refuse_of_virtual,
    steps,
    tell,
    tell_aside,
)
from cartrial.cli.owned import ForceOption, JsonOption, OpenOption, open_page, require_own_files, require_own_folder, require_own_page
from cartrial.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from cartrial.sdtm import Source
    from cartrial.study import Study
    from cartrial.virtual.trial import VirtualPatients

__all__: list[str] = []


@app.command()
def studies(as_json: JsonOption = False) -> None:
    """List the built-in studies."""
    from cartrial.study import Study, builtin_studies

    known = builtin_studies()
    if as_json:
        tell(json.dumps([_listed(name, Study.load(name)) for name in known], indent=2, ensure_ascii=False))
        return
    width = max(map(len, known))
    for name in known:
        study = Study.load(name)
        tell(f"{name:{width}s} {study.study.title} ({study.study.registry or 'no registry number'}; {len(study.endpoints)} endpoints)")


def _listed(name: str, study: Study) -> dict[str, object]:
    """Return what is told to machines of a built-in study."""
    endpoints = [{"id": endpoint.id, "label": endpoint.label, "type": endpoint.type, "role": endpoint.role} for endpoint in study.endpoints]
    own = study.study
    return {"name": name, "id": own.id, "title": own.title, "registry": own.registry, "hash": study.hash, "endpoints": endpoints}


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to make.")],
    source: Annotated[str | None, typer.Option("--from", metavar="STUDY", help="Built-in study to start from.")] = None,
    registry: Annotated[
        Path | None, typer.Option("--registry", metavar="JSON", help="ClinicalTrials.gov API v2 record to draft a study from.")
    ] = None,
    usdm: Annotated[Path | None, typer.Option("--usdm", metavar="JSON", help="Protocol in USDM 3 or 4 to draft a study from.")] = None,
) -> None:
    """Make a study folder to edit, with empty data templates."""
    from cartrial.files import built_beside
    from cartrial.sdtm import write_templates
    from cartrial.study import Study, builtin_studies

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("the folder is there already and is not empty", file=str(folder), right="Name a new folder")
    if sum(given is not None for given in (source, registry, usdm)) != 1:
        raise InputError("say what to start from", key="--from", right="Give --from STUDY, --registry JSON or --usdm JSON, one of them")
    unclear: list[str] = []
    if registry is not None:
        from cartrial.study.registry.record import draft_study, read_registry

        text, unclear = draft_study(read_registry(registry))
    elif usdm is not None:
        from cartrial.submission.usdm import draft_protocol, read_usdm

        text, unclear = draft_protocol(read_usdm(usdm))
    else:
        known = builtin_studies()
        if source not in known:
            raise InputError(f"there is no built-in study called '{source}'", key="--from", right=f"Built in are: {', '.join(known)}")
        text = known[str(source)].read_text(encoding="utf-8")
    with built_beside(folder) as place:
        (place / "study.yaml").write_text(text, encoding="utf-8")
        drafted = Study.load(place / "study.yaml")
        write_templates(
            place / "templates", study_id=drafted.study.id, product=drafted.product.exposure[0], derive=drafted.disease.family.derive
        )
    tell(f"Wrote {folder / 'study.yaml'} and empty data templates in {folder / 'templates'}.")
    for number, point in enumerate(unclear, 1):
        tell(f"Unclear {number}: {point}")


@app.command()
def schema(
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to write it; without, it is printed.")] = None,
) -> None:
    """Print the JSON Schema of study files, by which editors complete and check them while they are typed."""
    from cartrial.files import built_beside, require_place
    from cartrial.study.schema import study_schema

    text = json.dumps(study_schema(), indent=1, ensure_ascii=False) + "\n"
    if to is None:
        tell(text.rstrip("\n"))
        return
    if to.is_dir():
        raise InputError("a folder stands where the schema would be written", file=str(to), right="Name a file, such as study.schema.json")
    require_place(to.parent)
    with built_beside(to.parent) as place:
        (place / to.name).write_text(text, encoding="utf-8")
    tell(f"Wrote {to}. First line of a study file for editors: # yaml-language-server: $schema={to.name}")


@app.command()
def check(
    study: StudyArg,
    data: DataOption = None,
    every: Annotated[bool, typer.Option("--all", help="List each single finding, not the first of each rule.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document with everything that was found.")] = False,
) -> None:
    """Check a study file, and its source data where given. Writes nothing; exit code 1 if something would stop a report."""
    from cartrial.cli.checked import failed_document, finding_lines, found_document, source_lines, study_lines, virtual_lines
    from cartrial.sdtm.checks.groups import count_findings, counts_text, group_findings

    try:
        loaded, source, findings, patients = _check(study, data)
    except InputError as error:
        if as_json:
            tell(json.dumps(failed_document(error), indent=2))
        raise
    counts = count_findings(findings)
    code = 1 if counts["stop"] else 0
    if as_json:
        tell(json.dumps(found_document(loaded, source, findings, code, patients), indent=2))
        raise typer.Exit(code)
    for line in study_lines(loaded):
        tell(line)
    for line in virtual_lines(patients):
        tell(line)
    if source is not None:
        for line in source_lines(loaded, source):
            tell(line)
    for line in finding_lines(findings, every=every):
        tell(line)
    if source is not None:
        if not every and any(group.more for group in group_findings(findings)):
            tell("The first finding of each rule is shown; --all lists each, --json for machines.")
        tell(counts_text(counts))
    raise typer.Exit(code)


def _check(study: str, data: Path | None) -> tuple[Study, Source | None, pl.DataFrame, VirtualPatients | InputError | None]:
    """Return a study, its source where there is one, what was found, and its virtual patients: those of the data, or of a trial to be."""
    from cartrial.run import derive_data, load_data
    from cartrial.sdtm.checks.check import check_study
    from cartrial.study import Study

    loaded = Study.load(study)
    if data is None:
        return loaded, None, check_study(loaded), _virtual(loaded)
    with steps() as say:
        found = load_data(study, data, require=False, say=say)
        findings = found.findings
        if "stop" not in findings["SEVERITY"].to_list():
            findings = derive_data(found, say=say).findings
    return loaded, found.source, findings, found.virtual


def _virtual(study: Study) -> VirtualPatients | InputError:
    """Return whom virtual trials of a study would draw and enrol; why not is an error only where the study file names a population."""
    from cartrial.virtual.trial.conduct import plan_study, with_cutoff
    from cartrial.virtual.trial.patients import assess_patients

    try:
        with quietly():
            return assess_patients(plan_study(with_cutoff(study)), SHOWN)
    except InputError as error:
        if study.virtual.population is not None:
            raise
        return error


@app.command()
def derive(study: StudyArg, out: OutOption, data: DataOption = None, force: ForceOption = False) -> None:
    """Derive the ADaM sets of a study."""
    from cartrial.files import built_beside, require_place
    from cartrial.report.study.outputs import write_adam
    from cartrial.run import derive_data, load_data
    from cartrial.study import Study

    require_place(out)
    require_own_folder(out, Study.load(study).study.id, force=force)
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
    n: Annotated[
        int | None, typer.Option("-n", max=MOST, help="Virtual patients infused by the cutoff; otherwise as the study file says, or 39.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", max=MOST_SEED, help="Seed of the virtual patients; otherwise as the study file says, or 1.")
    ] = None,
    population: PopulationOption = None,
    figures: FiguresOption = None,
    deidentify: Annotated[
        bool, typer.Option("--deidentify", help="Hide whose data they are: codes, study days, no site, no date, no words of a site.")
    ] = False,
    salt: Annotated[
        Path | None,
        typer.Option("--salt", metavar="FILE", help="With --deidentify: file with a secret, so that a later cut has the same codes."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="With --deidentify: file to write which code is whose; written nowhere else."),
    ] = None,
    force: ForceOption = False,
    open_it: OpenOption = False,
) -> None:
    """Write the report of a study: report.html, results.json, results.parquet, adam/ and run.json."""
    from cartrial import run
    from cartrial.report.study.hidden.ask import Hide
    from cartrial.study import Study

    if virtual == (data is not None):
        what = "--data and --virtual are both given" if virtual else "there is nothing to report on"
        raise InputError(what, key="--data, --virtual", right="Give --data FOLDER with the study's source data, or --virtual")
    refuse_of_virtual(virtual, {"--population": population, "-n": n, "--seed": seed})
    if not deidentify and (salt is not None or key is not None):
        raise InputError("a salt and a key are of codes", key="--salt, --key", right="Give --deidentify with them")
    hide = Hide(salt, key) if deidentify else None
    if hide is None:  # what is hidden is written into an empty folder alone
        require_own_folder(out, Study.load(study).study.id, force=force)
    with steps() as say, quietly():
        formats = [name.strip().lower() for name in figures.split(",")] if figures else []
        patients = run.report(study, data, out, n=n, seed=seed, population=population, figures=formats, hide=hide, say=say)
    if virtual and patients is not None:
        for words in patients.notices():
            tell_aside(words)
    tell(f"Wrote {out / 'report.html'}.")
    open_page(out / "report.html", asked=open_it)


@app.command()
def shells(
    study: StudyArg,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File .html, .rtf, .docx or .pdf, or a folder.")] = Path("shells.html"),
    figures: FiguresOption = None,
    force: ForceOption = False,
    open_it: OpenOption = False,
) -> None:
    """Write the tables and figures that a study will produce, empty, for its analysis plan."""
    formats = formats_asked(figures)
    from cartrial.report import write_shells
    from cartrial.study import Study

    loaded = Study.load(study)
    if out.suffix.lower() in ("", ".rtf", ".docx", ".pdf"):
        if formats:
            raise InputError("figures are written beside a page alone", key="--figures", right="Name an HTML file with --out")
        _numbered(loaded, out, force=force)
        return
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"shells are not written as '{out.suffix}'", key="--out", right="End the name in .html, .rtf, .docx or .pdf")
    require_own_page(out, force=force)
    write_shells(loaded, out)
    tell(f"Wrote {out}.")
    draw_page(out, formats)
    open_page(out, asked=open_it)


def _numbered(study: Study, out: Path, *, force: bool) -> None:
    """Write the shells as numbered displays: into one file as its name ends, all of them into a folder where it has no ending."""
    from cartrial.files import built_beside, require_place
    from cartrial.submission.displays import write_displays, write_shell_file

    folder = not out.suffix
    require_place(out if folder else out.parent)
    if folder and out.is_dir() and any(out.iterdir()) and not (out / "displays.json").is_file() and not force:
        right = "Name a new folder, or a file that ends in .html, .rtf, .docx or .pdf; or give --force"
        raise InputError("the folder holds what shells are not", file=str(out), key="--out", right=right)
    # of a file of these forms nobody can say whether it was worked on
    require_own_files(*((out, ("displays.docx", "displays.pdf")) if folder else (out.parent, (out.name,))), by="", force=force)
    with steps() as say:
        if folder:
            with built_beside(out) as place:
                number = len(write_displays(study, None, place, numbering=study.submission.numbering, say=say))
        else:
            number = write_shell_file(study, out, say)
    tell(f"Wrote {number} displays to {out}.")


@app.command()
def explain(
    study: StudyArg,
    subject: Annotated[str, typer.Option("--subject", metavar="ID", help="USUBJID, or its last part.")],
    data: DataOption = None,
    endpoint: Annotated[str | None, typer.Option("--endpoint", metavar="ID", help="One endpoint alone.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain one subject: timeline, statuses by reader, endpoint values with rule and source rows."""
    from cartrial.cli.checked import subject_document
    from cartrial.report import explain_subject
    from cartrial.run import derive_data, load_data

    with steps() as say:
        loaded = load_data(study, data_given(data), say=say)
        adam = derive_data(loaded, say=say).adam
    if as_json:
        tell(json.dumps(subject_document(loaded.study, adam, loaded.source, subject, endpoint), indent=2, ensure_ascii=False))
        return
    tell(explain_subject(loaded.study, adam, loaded.source, subject, endpoint))
