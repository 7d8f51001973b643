"""The command line of design: `design`, `dose`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartrial.cli.app import (
    MOST,
    MOST_SEED,
    FiguresOption,
    PopulationOption,
    StudyArg,
    app,
    draw_page,
    formats_asked,
    progress,
    steps,
    tell,
    tell_of,
)
from cartrial.cli.batches import SchedulerOption, WorkersOption, batches_kept, spread_over
from cartrial.cli.owned import ForceOption, JsonOption, OpenOption, open_page, require_own_page
from cartrial.errors import InputError

if TYPE_CHECKING:
    from cartrial.design.dose.designs import DoseDesign
    from cartrial.design.dose.results import DoseResults
    from cartrial.design.protocol.rows import Row, Rows
    from cartrial.design.protocol.study_design import StudyDesign

__all__: list[str] = []

_DESIGNS = ("boin", "mtpi2", "3+3", "table")
_WAYS = {"calibration": "finding the true rates", "trials": "virtual trials"}


@app.command()
def design(
    study: StudyArg,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="HTML file to write; its figures stand as JSON beside it.")
    ] = None,
    trials: Annotated[int, typer.Option("--trials", max=MOST, help="Virtual trials for each true rate.")] = 2000,
    truths: Annotated[int, typer.Option("--truths", max=MOST, help="True rates from the null to the target.")] = 9,
    n_max: Annotated[int | None, typer.Option("--n-max", max=MOST, help="Most subjects; otherwise the study's.")] = None,
    power: Annotated[float | None, typer.Option("--power", help="Power at the target; otherwise the study's.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", max=MOST_SEED, help="Seed of everything simulated; otherwise as the study file says, or 1.")
    ] = None,
    population: PopulationOption = None,
    out: Annotated[str | None, typer.Option("--out", metavar="FOLDER", help="Folder or URL that keeps batches of virtual trials.")] = None,
    patients: Annotated[
        int,
        typer.Option(
            "--patients", max=MOST, help="Virtual patients by whom the share of resistant patients is found that gives each true rate."
        ),
    ] = 100_000,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    simulation: Annotated[
        bool,
        typer.Option(
            "--simulation/--no-simulation", help="Run virtual trials of the study's endpoint for the page, or show the exact figures alone."
        ),
    ] = True,
    figures: FiguresOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
    open_it: OpenOption = False,
) -> None:
    """Design a study from its file: sample size, boundaries, operating characteristics. Without --to, a summary of the exact figures."""
    if as_json and to is not None:
        raise InputError("the page has its JSON beside it", key="--json", right="Give --json or --to, one of the two")
    if figures and to is None:
        raise InputError("figures are of a page", key="--figures", right="Give --to FILE with it")
    formats = formats_asked(figures)
    if to is not None and not to.is_dir():
        require_own_page(to, force=force)
    with batches_kept():
        _design(study, to, trials, truths, n_max, power, seed, population, out, patients, workers, scheduler, simulation, as_json)
    if to is not None:
        draw_page(to, formats)
        open_page(to, asked=open_it)


def _design(
    study: str,
    to: Path | None,
    trials: int,
    truths: int,
    n_max: int | None,
    power: float | None,
    seed: int | None,
    population: str | None,
    out: str | None,
    patients: int,
    workers: int | None,
    scheduler: str | None,
    simulation: bool,
    as_json: bool,
) -> None:
    from cartrial.design.protocol.design_rows import design_rows
    from cartrial.design.protocol.study_design import design_study
    from cartrial.study import Study

    if to is not None and to.is_dir():
        raise InputError("the place for the page is a folder", file=str(to), right="Name an HTML file")
    if to is not None and to.suffix.lower() not in (".html", ".htm"):
        raise InputError("the page is an HTML file", file=str(to), key="--to", right="Name a file ending in .html")
    spread = (workers is not None and workers != 1) or scheduler is not None
    if (spread or out) and (to is None or not simulation):
        raise InputError("virtual trials are run for a page alone", key="--to", right="Give --to FILE, without --no-simulation")
    if spread and out is None:
        raise InputError("workers need a place for their results", key="--out", right="Name a folder")
    loaded = Study.load(study)
    with steps() as say:
        found = design_study(loaded, n_max=n_max, power=power, seed=seed, population=population, say=say)
    if as_json:
        from cartrial.report.design.page import design_data, design_record

        tell(json.dumps(design_record(design_data(found)), ensure_ascii=False, indent=1, allow_nan=False))
        return
    if to is None:
        _summary(found, design_rows(found))
        _tell_of(found)
        return
    from cartrial.files import built_beside
    from cartrial.report.design.page import write_design

    with built_beside(to.parent):
        # the place is tried before the long part of the work
        pass
    simulated = None
    if simulation:
        from cartrial.design.protocol.simulation import simulate_design

        with progress() as show:

            def told(phase: str, done: int, wanted: int) -> None:
                show(_WAYS[phase], done, wanted)

            options = {"truths": truths, "patients": patients, "out": out, **spread_over(trials, workers, scheduler)}
            simulated = simulate_design(found, trials, progress=told, **options)
    write_design(found, to, simulated=simulated)
    _tell_of(found)
    typer.echo(f"Wrote {to} and {to.with_suffix('.json').name}: {found.leading.staged.name}, {found.leading.n} subjects.")


def _tell_of(found: StudyDesign) -> None:
    """Say whose patients the losses and the virtual trials are of, where nobody chose them, and whom they leave out unasked."""
    from cartrial.virtual.trial.conduct import plan_study, with_cutoff

    if not found.timing.simulated:
        return
    tell_of(plan_study(with_cutoff(found.study), n=found.leading.n, seed=found.seed, population=found.population), MOST)


def _summary(found: StudyDesign, rows: Rows) -> None:
    """Print the designs, their boundaries and the paragraph."""
    from cartrial.design.bayes.committee import committee_table
    from cartrial.design.protocol.paragraph import write_paragraph
    from cartrial.design.protocol.safety import steps_of

    best, plan = found.best, found.inputs

    def of(name: str, statistic: str) -> str:
        row = rows.find("design", name, statistic)
        return row[1].text if row else "–"

    typer.echo(f"{plan.study.study.id}, {plan.endpoint.id}: {plan.endpoint.label}")
    own = found.own
    if own is not None:
        errors = f"type I error {of(own.id, 'alpha')}, power {of(own.id, 'power')}"
        typer.echo(f"The study's own design: {own.n} subjects ({plan.endpoint.population}), {errors}.")
        typer.echo(own.staged.method)
        _print_table(("Look", "Decision"), committee_table(own.staged).select("look", "sentence").rows(), own.staged.name)
    if best is not own:
        typer.echo(f"Recommended: {best.staged.name}, {best.n} subjects ({plan.endpoint.population}).")
    statistics = ("n", "alpha", "power", "expected_n_null", "expected_n_target", "early_stop_null")
    head = ("Design", "Most", "Alpha", "Power", "EN null", "EN target", "Early stop")
    _print_table(head, [(option.staged.name, *(of(option.id, name) for name in statistics)) for option in found.options], "Designs, exact")
    if best is not own:
        _print_table(("Look", "Decision"), committee_table(best.staged).select("look", "sentence").rows(), best.staged.name)
    if found.history is not None:
        priced = [_priced(rows, cost.id, cost.name, plan.p0, plan.p1) for cost in found.history.costs]
        said = ", ".join(one.result for one in found.history.made.results)
        _print_table(
            ("Prior", "Worth, ELIR / moments", "Success from", "Alpha", "Power"),
            priced,
            f"Borrowing from {said}: one look at {found.leading.n}",
        )
        typer.echo(f"Assumed: {', '.join(found.history.assumed) or 'nothing'}.")
    if found.safety:
        steps = {item.id: dict(steps_of(item.rules[0])) for item in found.safety}
        counts = sorted({events for one in steps.values() for events in one})
        lines = [(f"{events} events", *(one.get(events) for one in steps.values())) for events in counts]
        _print_table(
            ("Stop with", *(f"{name}: of at most" for name in steps)), lines, "Stopping for toxicity: so many events of so many subjects"
        )
    _print_table(("Input", "Value", "Source"), [(item.label, item.text, item.source) for item in plan.items], "What the designs rest on")
    for name, reason in found.absent:
        typer.echo(f"Not found: {name}: {reason}")
    typer.echo(f"\nFor the protocol: {write_paragraph(found, rows)}")


def _priced(rows: Rows, name: str, words: str, null: float, target: float) -> tuple[str, ...]:
    """Return a line of what a prior is worth and costs."""
    worth = " / ".join(_text(rows.find("prior", name, f"worth_{kind}")) for kind in ("elir", "moment"))
    least = rows.find("prior", name, "least_responders")
    ends = [rows.find("prior", name, "success", variant=of, truth=rate) for of, rate in (("null", null), ("target", target))]
    return (words, worth, *[_text(one) for one in (least, *ends)])


def _text(found: tuple[int, Row] | None) -> str:
    return "–" if found is None else found[1].text


def _print_table(head: tuple[str, ...], rows: list[tuple[Any, ...]], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for place, name in enumerate(head):
        numeric = bool(place) and name not in ("Decision", "Value", "Source", "What to do")
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    Console(soft_wrap=False, highlight=False, markup=False, emoji=False).print(table)


@app.command()
def dose(
    rule: Annotated[str, typer.Argument(metavar="DESIGN", help="boin, mtpi2, 3+3, or table: one's own.")],
    target: Annotated[float, typer.Option("--target", help="Probability of a dose-limiting toxicity aimed for.")] = 0.3,
    table: Annotated[
        Path | None, typer.Option("--table", metavar="FILE", help="Own decision table: CSV or Parquet with n, dlt, decision.")
    ] = None,
    n: Annotated[int, typer.Option("-n", max=MOST, help="Most subjects of the trial.")] = 30,
    cohort: Annotated[int, typer.Option("--cohort", max=MOST, help="Subjects of a cohort.")] = 3,
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", metavar="P,P,...", help="True probabilities, one for each dose; may be repeated.")
    ] = None,
    trials: Annotated[int, typer.Option("--trials", max=MOST, help="Simulated trials of each scenario.")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", max=MOST_SEED, help="Seed of the simulated trials.")] = 1,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="CSV or Parquet file for the decision table.")] = None,
) -> None:
    """Print the decision table of a dose-finding design, and with scenarios how often it is right."""
    from cartrial.design.dose.simulate import simulate_doses
    from cartrial.design.dose.upload import check_decision_table, write_decision_table

    found = _dose_design(rule, target, table, n, cohort)
    scenarios = _scenarios(scenario or [])
    results = simulate_doses(found, scenarios, trials=trials, seed=seed) if scenarios else None
    if to is not None:
        write_decision_table(found.table, to)
    typer.echo(found.method)
    typer.echo(f"Source: {found.source}.")
    frame = found.frame()
    head = ("DLTs", *(f"n = {name}" for name in frame.columns[1:]))
    _print_table(head, frame.rows(), "Decision by subjects treated at the dose and those with a DLT")
    _print_table(("Letter", "What to do"), found.legend().rows(), "Letters")
    for note in check_decision_table(found.table) if rule == "table" else ():
        typer.echo(f"Note: {note}")
    if results is not None:
        _doses(results)
    if to is not None:
        typer.echo(f"Wrote {to}.")


def _dose_design(rule: str, target: float, table: Path | None, n: int, cohort: int) -> DoseDesign:
    from cartrial.design.dose.designs import design_boin, design_from_table, design_mtpi2, design_three_plus_three
    from cartrial.design.dose.upload import read_decision_table

    if rule not in _DESIGNS:
        raise InputError(f"there is no design '{rule}'", key="DESIGN", right=f"Name one of {', '.join(_DESIGNS)}")
    if (rule == "table") != (table is not None):
        raise InputError("one's own table needs both", key="--table", right="Write `cartrial dose table --table FILE`")
    if rule == "boin":
        return design_boin(target, max_n=n, cohort=cohort)
    if rule == "mtpi2":
        return design_mtpi2(target, max_n=n, cohort=cohort)
    if table is not None:
        return design_from_table(read_decision_table(table), target, max_n=n, cohort=cohort, name=table.name)
    return design_three_plus_three()


def _scenarios(given: list[str]) -> dict[str, list[float]]:
    """Return scenarios by number."""
    found = {}
    for number, text in enumerate(given, 1):
        try:
            found[f"scenario {number}"] = [float(part) for part in text.split(",")]
        except ValueError:
            raise InputError(
                f"'{text}' are no probabilities", key="--scenario", right="For example --scenario 0.05,0.15,0.3,0.45"
            ) from None
    return found


def _doses(results: DoseResults) -> None:
    """Print how often each dose is selected."""
    table = results.table()
    for name in table["scenario"].unique(maintain_order=True):
        rows = []
        for row in table.filter(scenario=name).iter_rows(named=True):
            truth = "" if row["truth"] is None else f"{100 * row['truth']:g} %"
            figures = [
                "" if row[key] is None else f"{scale * row[key]:.1f} ± {scale * row[f'{key}_se']:.1f}{unit}"
                for key, scale, unit in (("selected", 100, " %"), ("subjects", 1, ""), ("dlts", 1, ""))
            ]
            rows.append((row["dose"] or "none", truth, *figures))
        head = ("Dose", "True rate", "Selected", "Subjects", "DLTs")
        _print_table(head, rows, f"{name}: {results.trials} trials, mean ± Monte-Carlo standard error")
    for note in results.notes:
        typer.echo(f"Note: {note}")
