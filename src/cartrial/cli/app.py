"""What do all commands share? The application, its common arguments, and how long work is shown.

Exit codes: 0 done, 1 `check` found what would stop a report, 2 bad input, 70 an error of cartrial itself.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cartrial
from cartrial.errors import InputError, PopulationWarning, printable

if TYPE_CHECKING:
    from cartrial.virtual.trial.arrivals import Plan

__all__ = [
    "MOST",
    "MOST_SEED",
    "SHOWN",
    "DataOption",
    "FiguresOption",
    "OutOption",
    "PopulationOption",
    "StudyArg",
    "app",
    "data_given",
    "draw_page",
    "formats_asked",
    "progress",
    "quietly",
    "refuse_of_virtual",
    "steps",
    "tell",
    "tell_aside",
    "tell_of",
]

app = typer.Typer(
    name="cartrial",
    help="A CAR-T cell therapy trial from its protocol to its report, through one definition of every endpoint.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

MOST = 10_000_000
"""Of subjects, trials or whatever else an option counts; beyond it numbers overflow before the memory is full."""
MOST_SEED = 2**63 - 1
SHOWN = 20
"""Trials whose screening is counted for what is said of virtual patients before many are simulated."""

StudyArg = Annotated[str, typer.Argument(metavar="STUDY", help="A built-in name, a YAML file or a study folder.")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="FOLDER", help="Folder of source data: SDTM tables, or the spreadsheet that the study's mapping.yaml describes."
    ),
]
PopulationOption = Annotated[
    str | None,
    typer.Option(
        "--population", metavar="NAME", help="Virtual patients: a built-in population or a YAML file; otherwise as the study file says."
    ),
]
FiguresOption = Annotated[
    str | None,
    typer.Option("--figures", metavar="FORMATS", help="Also write each figure as a file: svg, png, pdf, or several with commas."),
]
OutOption = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder to write to.")]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"cartrial {cartrial.__version__}")
        raise typer.Exit


@app.callback()
def _cartrial(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    # what every command shares is asked here; without this callback there would be no option beside the commands
    return


def data_given(data: Path | None) -> Path:
    """Return the folder of source data, which a command cannot do without."""
    if data is None:
        raise InputError("there is nothing to work on", key="--data", right="Give --data FOLDER with the study's source data")
    return data


def refuse_of_virtual(virtual: bool, given: Mapping[str, object]) -> None:
    """Refuse options of virtual patients beside real data: left in silence they would seem to have been followed."""
    named = [option for option, value in given.items() if value is not None]
    if named and not virtual:
        what = f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} of virtual patients alone"
        raise InputError(what, key=", ".join(named), right="Leave it out: all data are read; or give --virtual in place of --data")


def formats_asked(figures: str | None) -> tuple[str, ...]:
    """Return the formats of pictures that are asked for, before any work is done."""
    if not figures:
        return ()
    from cartrial.report.page.still import check_formats

    return check_formats(name.strip().lower() for name in figures.split(","))


def draw_page(page: Path, formats: tuple[str, ...]) -> None:
    """Write the figures of a page as files, and say where."""
    if formats:
        from cartrial.report.page.still import write_page_pictures

        many = write_page_pictures(page, formats)
        said = f"Wrote its {many} figure{'' if many == 1 else 's'} to {page.with_name(f'{page.stem}-figures')}."
        tell(said if many else "It has no figure.")


def tell(text: str) -> None:
    """Print a text that may hold data: what a terminal would obey is written out."""
    try:
        typer.echo(printable(text))
    except BrokenPipeError:
        # the reader went away (`| head`); Typer would end with 1, by which `check` says that it found something
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        raise SystemExit(141) from None


def tell_aside(text: str) -> None:
    """Print a remark on the error stream: it is no result."""
    typer.echo(printable(text), err=True)


def tell_of(plan: Plan, trials: int) -> None:
    """Say whose patients so many virtual trials draw where nobody chose them, and whom they leave out unasked."""
    from cartrial.virtual.trial import assess_patients

    patients = assess_patients(plan, min(trials, SHOWN))
    for text in patients.notices():
        few = patients.trials < trials and text == patients.left_out()
        tell_aside(f"{text} (Counted in {patients.trials} trials.)" if few else text)


@contextmanager
def quietly() -> Iterator[None]:
    """Leave to `tell_of` what the library warns of: once, and only where the command did what it was asked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        yield


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Show each step on the terminal while it runs; say nothing where there is none."""
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console

    with Console(stderr=True).status("Starting") as status:
        yield lambda step: status.update(step)


@contextmanager
def progress() -> Iterator[Callable[..., None]]:
    """Show how far each part of a long task is, a bar each; nothing where there is no terminal.

    It is called with a part, how much of it is done, of how much, and the words to show where they are not the name of the part.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as shown:
        parts: dict[str, TaskID] = {}

        def show(part: str, done: float, wanted: float, words: str = "") -> None:
            if part not in parts:
                parts[part] = shown.add_task(words or part, total=wanted)
            shown.update(parts[part], completed=done, total=wanted, description=words or part)

        yield show
