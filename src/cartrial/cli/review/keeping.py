"""What can be typed so that what is kept stays? Seals, verification, copies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import tell
from cartrial.cli.review.group import DbOption, group, open_db
from cartrial.errors import InputError

__all__: list[str] = []


@group.command()
def seal(
    db: DbOption, to: Annotated[Path, typer.Option("--to", metavar="FILE", help="File that somebody else keeps; a line is added.")]
) -> None:
    """Add the length and the end of the trail to a file outside the database."""
    open_db(db)
    from cartrial.review.app.acts.trail import seal_line

    line = seal_line()
    with to.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    tell(line)


@group.command()
def verify(
    db: DbOption, seals: Annotated[Path | None, typer.Option("--seals", metavar="FILE", help="Lines of `cartrial review seal`.")] = None
) -> None:
    """Say whether all that is kept is as it was; exit code 1 where it is not."""
    open_db(db)
    from cartrial.review.app.acts.verify import find_damage
    from cartrial.review.app.models import Event, Read

    try:
        lines = seals.read_text(encoding="utf-8").splitlines() if seals else []
    except OSError as error:
        raise InputError(f"the seals cannot be read ({error.strerror})", file=str(seals), key="--seals") from None
    damage = find_damage(lines)
    for line in damage:
        tell(line)
    if damage:
        raise typer.Exit(1)
    against = f", against {len(lines)} seals" if seals else "; without seals a trail written anew as a whole would not be found"
    tell(f"Holds: {Event.objects.count()} events, {Read.objects.count()} signed reads{against}.")


@group.command()
def backup(db: DbOption, to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file.")]) -> None:
    """Copy the workspace whole while it is in use, with its key."""
    from cartrial.review.app.serve import back_up

    back_up(db, to)
    tell(f"Wrote {to} and {to}.key.")


@group.command()
def restore(
    db: DbOption, source: Annotated[Path, typer.Option("--from", metavar="FILE", help="A backup, with its key beside it.")]
) -> None:
    """Put a backup in a place where no workspace is, and verify it."""
    from cartrial.extras import require

    require("django", extra="review")
    from cartrial.review.app.serve import restore as put_back

    damage = put_back(source, db)
    for line in damage:
        tell(line)
    if damage:
        raise typer.Exit(1)
    tell(f"Restored to {db}: all that is kept holds.")
