"""How is a workspace copied whole while it is in use, and put back? A copy is one file, whichever store it is of."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartrial.errors import InputError
from cartrial.review.app.serve import open_store, place_of
from cartrial.review.app.stores.address import database_of, is_server, shown

if TYPE_CHECKING:
    from django.db.models import Model

__all__ = ["back_up", "restore"]

_OTHER = "copy"
_ROWS = 500


def back_up(db: str, to: Path) -> None:
    """Copy a workspace whole, while it is in use, into a file that is a workspace itself.

    Parameters
    ----------
    db : str
        A file, whose key is copied too; or a PostgreSQL database, of which all that is kept is copied as it stood at one moment, and
        sessions are not.
    to : Path
        A new file.

    Raises
    ------
    InputError
        If something stands at that place already, or the copy cannot be written: nothing is left of it then.
    """
    from django.db import DatabaseError

    place_of(db, must_exist=True)
    if to.exists():
        raise InputError("a file stands there already", file=str(to), key="--to", right="A backup never replaces another: name a new file")
    part = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        # readable by its owner alone, from the start
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if is_server(db):
            _copy_server(db, part)
        else:
            _copy_file(Path(db), part)
            key = to.with_name(f"{to.name}.key")
            shutil.copyfile(f"{db}.key", key)
            os.chmod(key, 0o600)
        os.replace(part, to)
    except (OSError, sqlite3.Error, DatabaseError) as error:
        raise InputError(f"the backup cannot be written ({error})", file=str(to), key="--to") from None
    finally:
        part.unlink(missing_ok=True)


def _copy_file(source: Path, to: Path) -> None:
    one = sqlite3.connect(f"file:{source.absolute()}?mode=ro", uri=True)
    two = sqlite3.connect(to)
    try:
        one.backup(two)
    finally:
        one.close()
        two.close()


@contextmanager
def _second(database: str) -> Iterator[str]:
    """Give Django a second store for a while."""
    from django.db import connections

    connections.settings[_OTHER] = connections.configure_settings({"default": {}, _OTHER: database_of(database)})[_OTHER]
    try:
        yield _OTHER
    finally:
        connections[_OTHER].close()
        del connections[_OTHER]
        del connections.settings[_OTHER]


def _copy_server(db: str, to: Path) -> None:
    open_store(db)
    from django.core.management import call_command
    from django.db import connection, transaction

    with _second(str(to)) as other:
        call_command("migrate", verbosity=0, interactive=False, database=other)
        with transaction.atomic():
            with connection.cursor() as cursor:
                # as all tables stood at one moment, whatever is written meanwhile
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            _copy_rows("default", other)


def _kept_tables() -> list[type[Model]]:
    """Return the tables of the workspace: what Django keeps of sessions, and axes of guesses, passes."""
    from django.apps import apps

    return list(apps.get_app_config("review").get_models())


def _copy_rows(source: str, to: str) -> None:
    """Copy every row of every table that is kept, with its number; references are looked at when all are there."""
    from django.db import transaction

    from cartrial.review.app.models import Head

    with transaction.atomic(using=to):
        Head.objects.using(to).all().delete()
        for table in _kept_tables():
            rows: list[Any] = []
            for row in table._default_manager.using(source).order_by("pk").iterator(chunk_size=_ROWS):
                rows.append(row)
                if len(rows) == _ROWS:
                    table._default_manager.using(to).bulk_create(rows)
                    rows = []
            table._default_manager.using(to).bulk_create(rows)


def restore(backup: Path, db: str) -> list[str]:
    """Put a backup in the place of a workspace that is not there, and return what of it does not hold.

    Parameters
    ----------
    backup : Path
    db : str
        A file that is not there, or a PostgreSQL database that holds no workspace; a backup of either goes into either.

    Raises
    ------
    InputError
        If a workspace stands there already, or there is no such backup.
    """
    if not backup.is_file():
        raise InputError("there is no such backup", file=str(backup), key="--from")
    if is_server(db):
        _put_on_server(backup, db)
    else:
        if Path(db).exists():
            raise InputError("a workspace stands there already", file=db, key="--db", right="Move it away first: it is never replaced")
        back_up(str(backup), Path(db))
        open_store(db)
    from cartrial.review.app.acts.trail import change, record
    from cartrial.review.app.acts.verify import find_damage

    damage = find_damage()
    if not damage:
        with change():
            at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            record("restored", "cartrial review restore", {"from": backup.name, "at": at})
    return damage


def _put_on_server(backup: Path, db: str) -> None:
    place_of(str(backup), must_exist=True)
    open_store(db)
    from django.core.management import call_command
    from django.core.management.color import no_style
    from django.db import DatabaseError, connection, transaction

    from cartrial.review.app.models import Event, Person

    if Event.objects.exists() or Person.objects.exists():
        what, right = "a workspace stands there already", "Name another database: it is never replaced"
        raise InputError(what, file=shown(db), key="--db", right=right)
    try:
        with _second(str(backup)) as other:
            call_command("migrate", verbosity=0, interactive=False, database=other)
            with transaction.atomic():
                _copy_rows(other, "default")
                with connection.cursor() as cursor:
                    for statement in connection.ops.sequence_reset_sql(no_style(), _kept_tables()):
                        cursor.execute(statement)
    except DatabaseError as error:
        first = str(error).strip().split("\n")[0]
        what, right = f"the backup cannot be put back ({first})", "Restore with the role that owns the database"
        raise InputError(what, file=shown(db), key="--db", right=right) from None
