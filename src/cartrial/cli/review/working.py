"""What can be typed of data and reads? Serve the pages, take data in, write what was locked."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartrial.cli.app import DataOption, OutOption, StudyArg, data_given, steps, tell
from cartrial.cli.review.group import DbOption, group, open_db, typist
from cartrial.errors import InputError

if TYPE_CHECKING:
    from cartrial.review.app.models import Person
    from cartrial.review.loaded import Brought

__all__: list[str] = []

ReplaceOption = Annotated[
    bool, typer.Option("--replace-committee", help="Have calls of a committee that the source holds read anew; they are not exported.")
]
ByOption = Annotated[str, typer.Option("--by", metavar="USER", help="The coordinator who signs for it; the password is asked.")]


def _bring(study: str, data: Path | None, replace: bool) -> Brought:
    from cartrial.extras import require
    from cartrial.review.loaded import bring
    from cartrial.run import load_data

    require("django", extra="review")
    with steps() as say:
        return bring(load_data(study, data_given(data), say=say), replace=replace)


def _signed_by(user: str) -> Person:
    """Return the coordinator whose name and password are given."""
    from django.contrib.auth import authenticate

    if not user:
        raise InputError("cases are there already, and a coordinator signs what changes them", key="--by", right="Give --by USER")
    password = getpass.getpass(f"Password of {user}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    from django.http import HttpRequest

    request = HttpRequest()
    request.META["REMOTE_ADDR"] = "127.0.0.1"
    person: Person | None = authenticate(request, username=user, password=password)
    if person is None or person.role != "coordinator":
        raise InputError("this is no coordinator's name and password", key="--by", right="Nothing was loaded")
    if not person.own_password:
        raise InputError("a password that was given signs nothing", key="--by", right="Log in, and choose another first")
    return person


def _load(brought: Brought, by: str, *, yes: bool) -> None:
    from cartrial.review.app.acts.loading import CHANGES, Cut, find_changes, keep_cut
    from cartrial.review.app.state import current_cut

    cut = Cut(brought.study, brought.cases, brought.files, brought.replaced)
    changes = find_changes(cut)
    first = current_cut() is None
    for kind, words in CHANGES.items():
        number = sum(change.kind == kind for change in changes)
        if number:
            tell(f"{number} {'case' if number == 1 else 'cases'}: {words}")
    if not first and all(change.kind == "same" for change in changes) and current_cut().study_hash == brought.study.hash:  # type: ignore[union-attr]
        tell("Nothing has changed: nothing was loaded.")
        return
    person = typist() if first else _signed_by(by)
    if not first and not yes and not typer.confirm("Load these data?"):
        raise typer.Exit(1)
    loaded = keep_cut(cut, changes, person)
    tell(f"Loaded, event {loaded.event}.")


@group.command()
def serve(
    study: StudyArg,
    db: DbOption,
    data: DataOption = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0: any.")] = 8000,
    behind_proxy: Annotated[
        str, typer.Option("--behind-proxy", metavar="ADDRESS", help="The proxy with TLS whose headers are believed.")
    ] = "",
    host_name: Annotated[str, typer.Option("--host-name", metavar="NAME", help="Behind a proxy: the name in the browser's address.")] = "",
    listen: Annotated[str, typer.Option("--listen", metavar="ADDRESS", help="Address to listen at.")] = "127.0.0.1",
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="PostgreSQL: file of the secret that signs sessions; made where it is not.")
    ] = None,
    replace_committee: ReplaceOption = False,
) -> None:
    """Serve the workspace; makes it, and loads the data, where it is not there yet."""
    from cartrial.extras import require

    require("django", extra="review")
    from cartrial.review.app.serve import check_proxy, place_of, run
    from cartrial.review.app.setup import open_workspace
    from cartrial.study import Study

    if bool(behind_proxy) != bool(host_name):
        raise InputError("a proxy and the name that browsers ask for go together", key="--behind-proxy", right="Give both, or neither")
    if behind_proxy:
        check_proxy(behind_proxy, host_name)
    if listen not in ("127.0.0.1", "::1", "localhost") and not behind_proxy:
        raise InputError(
            "other machines would reach it without TLS", key="--listen", right="Give --behind-proxy and --host-name, or listen at 127.0.0.1"
        )
    loaded = Study.load(study)
    # what cannot be loaded leaves no file behind
    brought = None if Path(db).exists() or "://" in db else _bring(study, data, replace_committee)
    place = place_of(db, must_exist=False, hosts=(host_name,) if host_name else (), proxied=bool(behind_proxy), key=key)
    open_workspace(place)
    from cartrial.review.app.acts.people import first_administrator
    from cartrial.review.app.state import current_cut, use_study

    if current_cut() is None:
        _load(brought or _bring(study, data, replace_committee), "", yes=True)
    use_study(loaded)
    from cartrial.review.app.stores.guards import owns_tables

    if owns_tables():
        tell("This role owns the tables, and could take their guards away: serve with a lesser one (cartrial review role NAME).")
    password = first_administrator()
    if password:
        tell(f"First user: admin, password {password} (shown once, to be changed at the first log-in).")
    run(
        place, port=port, listen=listen, proxy=behind_proxy, ready=lambda address: tell(f"The workspace is at {address} (end with Ctrl-C).")
    )


@group.command()
def load(
    study: StudyArg,
    db: DbOption,
    data: DataOption = None,
    by: ByOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to load.")] = False,
    replace_committee: ReplaceOption = False,
) -> None:
    """Take a data cut in: says what it changes, case by case, and asks."""
    brought = _bring(study, data, replace_committee)
    from cartrial.review.app.serve import open_store

    open_store(db, must_exist=False)
    _load(brought, by, yes=yes)


@group.command()
def export(
    study: StudyArg,
    db: DbOption,
    out: OutOption,
    data: DataOption = None,
    lock: Annotated[int | None, typer.Option("--lock", min=1, metavar="N", help="An earlier lock; otherwise the one that holds.")] = None,
) -> None:
    """Write what was locked: source data with the committee's RS, the trail, and the lock."""
    brought = _bring(study, data, True)
    open_db(db)
    from cartrial.review.app.acts.going_out import export_lock
    from cartrial.review.app.state import use_study

    use_study(brought.study)
    many = export_lock(brought, data_given(data), out, number=lock, by=typist())
    tell(f"Wrote {many} reads into {out / 'data'}, and the trail into {out / 'trail'}.")
    tell(f"  cartrial report {study} --data {out / 'data'} --out {out / 'report'}")
