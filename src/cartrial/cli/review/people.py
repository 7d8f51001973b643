"""What can be typed of who may log in?"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from cartrial.cli.app import tell
from cartrial.cli.review.group import DbOption, group, open_db, typist
from cartrial.errors import InputError

__all__: list[str] = []

people = typer.Typer(help="Who may log in.", no_args_is_help=True)
group.add_typer(people, name="users")


@people.command("add")
def add_user(
    user: Annotated[str, typer.Argument(metavar="USER", help="The name to log in with.")],
    name: Annotated[str, typer.Option("--name", help="The person's name, as it stands with each signature.")],
    role: Annotated[str, typer.Option("--role", help="reader, adjudicator, coordinator, monitor, auditor or administrator.")],
    db: DbOption,
) -> None:
    """Add a person; prints the first password."""
    open_db(db)
    from cartrial.review.app.acts.people import add_person

    tell(f"{user}, first password {add_person(user, name, role, typist())} (shown once, to be changed at the first log-in).")


@people.command("reset")
def reset_user(user: Annotated[str, typer.Argument(metavar="USER")], db: DbOption) -> None:
    """Give a person a new password; ends its sessions, and a lock for wrong passwords."""
    open_db(db)
    from cartrial.review.app.acts.people import reset_password

    tell(f"{user}, new password {reset_password(user, typist())} (shown once, to be changed at the next log-in).")


@people.command("disable")
def disable_user(
    user: Annotated[str, typer.Argument(metavar="USER")], db: DbOption, reason: Annotated[str, typer.Option("--reason", help="Why.")] = ""
) -> None:
    """Let a person log in no more; what was signed stays."""
    open_db(db)
    from cartrial.review.app.acts.people import disable_person

    disable_person(user, reason, typist())
    tell(f"{user} can log in no more.")


@people.command("list")
def list_users(
    db: DbOption, at: Annotated[str, typer.Option("--at", metavar="DATE", help="As it was at the end of a day, UTC.")] = ""
) -> None:
    """List who may log in, now or at a date."""
    try:
        # the trail has UTC: a date as it was at its end, a time with an offset is brought there
        moment = dt.datetime.fromisoformat(at) if at else None
        at = "" if moment is None else moment.date().isoformat() if _is_date(at) else _in_utc(moment)
    except ValueError:
        raise InputError(f"'{at}' is no date", key="--at", right="An ISO date or time, as 2026-12-01 or 2026-12-01T12:00") from None
    open_db(db)
    from cartrial.review.app.acts.people import list_people

    for person in list_people(at):
        tell(f"{person['user']}  {person['role']}  {person['name']}  since {person['since'][:16]}")


def _is_date(text: str) -> bool:
    """Whether a text in ISO 8601 says a day and no time."""
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _in_utc(moment: dt.datetime) -> str:
    """Return a time as the trail writes it, in UTC unless it says where it is."""
    there = moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
    return there.isoformat()
