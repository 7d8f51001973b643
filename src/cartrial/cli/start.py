"""What can be typed by who has a spreadsheet and nothing else? `start`: what it understood, what it asks, what it wrote."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartrial.cli.app import app, steps, tell
from cartrial.errors import InputError, printable

if TYPE_CHECKING:
    from cartrial.start import Question, Started

__all__: list[str] = []


@app.command()
def start(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your spreadsheet: .xlsx or .csv, of any layout.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Study folder to make; otherwise named after the file.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take what is likely, and mark it as an assumption.")] = False,
    answer: Annotated[
        list[str] | None, typer.Option("--answer", metavar="KEY=WORD", help="Answer a question beforehand; may be given several times.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is there.")] = False,
) -> None:
    """Make a study of your own spreadsheet: says what it understood, asks what decides an endpoint, writes study and mapping."""
    from cartrial.start import Answers
    from cartrial.start import start as make

    given = {}
    for text in answer or []:
        key, sign, word = text.partition("=")
        if not sign or not word.strip():
            raise InputError(f"'{text}' is no answer", key="--answer", right="Write KEY=WORD, such as date-order=day-first")
        given[key.strip()] = word.strip()
    person = _asked if sys.stdin.isatty() and sys.stdout.isatty() and not yes else None
    answers = Answers(given, likely=yes, person=person)
    if person is None:
        with steps() as say:
            say("Reading the spreadsheet")
            made = make(file, out, answers=answers, force=force)
    else:
        made = make(file, out, answers=answers, force=force)
    _tell(made)


def _asked(question: Question) -> str:
    """Ask a person until there is an answer."""
    typer.echo()
    typer.echo(printable(question.text))
    for option in question.options:
        typer.echo(printable(f"  {option.word}: {option.means}"))
    if question.right:
        typer.echo(f"  or {question.right}")
    while True:
        word = question.read(typer.prompt("Answer", default=question.default))
        if word is not None:
            return word
        typer.echo(f"That is no answer. Answers are: {question.choices}")


def _tell(made: Started) -> None:
    """Print what was understood as a table, then what was assumed, what is not read, and what cannot be derived."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    wide = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if wide else 160, highlight=False)
    for line in made.tables:
        tell(line)
    tell("")
    tell("What was understood:")
    table = Table()
    several = len({read.table for read in made.read}) > 1
    for name in (*(("Table",) if several else ()), "Column", "Header", "Read as", "How"):
        table.add_column(name, overflow="fold")
    for read in made.read:
        cells = (*((read.table,) if several else ()), read.letter, read.header, read.what, read.how)
        table.add_row(*(escape(printable(cell)) for cell in cells))
    console.print(table)
    _list("Not read", made.unread)
    _list("Answered", [f"{done.question.text} {done.word}" for done in made.answered if not done.assumed])
    _list("Assumed, and marked so in the study and its report", made.assumptions)
    _list("Cannot be derived from this sheet", made.cannot)
    tell("")
    tell(f"{made.patients} patients, {made.infused} of them infused. Nothing was estimated yet.")
    tell(f"Wrote {made.folder / 'study.yaml'} and {made.folder / 'mapping.yaml'}, and a copy of the sheet in {made.folder / 'data'}.")
    tell("Read both, correct what is wrong, then:")
    tell(f"  cartrial report {made.folder} --data {made.folder / 'data'} --out out/{made.folder.name}")


def _list(title: str, lines: object) -> None:
    found = [str(line) for line in lines]  # type: ignore[attr-defined]
    if found:
        tell("")
        tell(f"{title}:")
        for line in found:
            tell(f"  - {' '.join(line.split())}")
