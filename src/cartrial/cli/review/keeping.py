"""What can be typed so that what is kept stays? Seals, verification, copies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import tell
from cartrial.cli.review.group import DbOption, group, open_db
from cartrial.errors import InputError

__all__: list[str] = []

_SEALS = "Name the file that cartrial review seal adds its lines to"


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
    except UnicodeDecodeError:
        raise InputError("this file holds no seals: it is no text", file=str(seals), key="--seals", right=_SEALS) from None
    damage = find_damage(lines)
    for line in damage:
        tell(line)
    if damage:
        raise typer.Exit(1)
    against = f", against {len(lines)} seals" if seals else "; without seals a trail written anew as a whole would not be found"
    tell(f"Holds: {Event.objects.count()} events, {Read.objects.count()} signed reads{against}.")


@group.command()
def backup(db: DbOption, to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file.")]) -> None:
    """Copy the workspace whole while it is in use, into a file, whichever store it is in."""
    from cartrial.extras import require

    require("django", extra="review")
    from cartrial.review.app.copies import back_up

    back_up(db, to)
    tell(f"Wrote {to}.")


@group.command()
def restore(db: DbOption, source: Annotated[Path, typer.Option("--from", metavar="FILE", help="A backup.")]) -> None:
    """Put a backup in a place where no workspace is, and verify it."""
    from cartrial.extras import require

    require("django", extra="review")
    from cartrial.review.app.copies import restore as put_back

    damage = put_back(source, db)
    for line in damage:
        tell(line)
    if damage:
        raise typer.Exit(1)
    from cartrial.review.app.stores.address import shown

    tell(f"Restored to {shown(db)}: all that is kept holds.")


@group.command()
def prepare(db: DbOption) -> None:
    """Make the tables of a workspace, or bring them to this version, with the role that owns the database."""
    open_db(db)
    from cartrial.review.app.stores.address import shown

    tell(f"The tables of {shown(db)} are those of this version.")


@group.command()
def role(name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the role: small letters, digits, underscores.")]) -> None:
    """Print the SQL of a PostgreSQL role for the server: it adds what is signed, and can neither alter nor remove it."""
    from cartrial.review.app.stores.grants import role_sql

    tell(role_sql(name).rstrip())
