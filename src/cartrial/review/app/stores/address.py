"""Which store does a name mean, and how does Django reach it? One file (SQLite), or a database on a server (PostgreSQL)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from cartrial.errors import InputError
from cartrial.extras import require

__all__ = ["MEMORY", "database_of", "is_server", "shown"]

MEMORY = ":memory:"
_SCHEMES = ("postgresql://", "postgres://")
_SECONDS = {"connect": 10, "wait": 20}
# Django's own names of what a connection needs; everything else of an address goes on as it is
_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def is_server(db: str) -> bool:
    """Whether a name is the address of a server, not of a file."""
    return "://" in db


def shown(db: str) -> str:
    """Return the name of a store as it may be printed: without a password.

    Examples
    --------
    >>> from cartrial.review.app.stores.address import shown
    >>> shown("postgresql://review:secret@db.example:5432/review")
    'postgresql://review@db.example:5432/review'
    """
    if not is_server(db):
        return db
    scheme, rest = db.split("://", 1)
    who, at, where = rest.rpartition("@")
    return f"{scheme}://{who.split(':', 1)[0]}{at}{where.split('?', 1)[0]}"


def database_of(db: str) -> dict[str, Any]:
    """Return Django's settings of a store.

    Parameters
    ----------
    db : str
        Path of a file, `MEMORY`, or `postgresql://USER@HOST:PORT/DATABASE`, as PostgreSQL's own programs read it: what is not said comes
        from their environment (`PGPASSWORD`, `PGPASSFILE`, `PGHOST`).

    Raises
    ------
    InputError
        If the address is of another kind of server, cannot be read or names no database, or the driver is not installed.
    """
    if not is_server(db):
        # the rollback journal: in WAL the last changes stand in a second file, which a copy of the first leaves behind
        start = "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL;"
        options = {"transaction_mode": "IMMEDIATE", "timeout": _SECONDS["wait"], "init_command": start}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": db, "OPTIONS": options}
    right = "A database of PostgreSQL is named postgresql://USER@HOST:PORT/DATABASE, anything else is a file"
    if not db.startswith(_SCHEMES):
        raise InputError(f"'{urlsplit(db).scheme}' is no kind of database that is known here", key="--db", right=right)
    require("psycopg", extra="review-postgres")
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(db)
    except psycopg.Error as error:
        raise InputError(f"the address of the database cannot be read ({error})", key="--db", right=right) from None
    if not parts.get("dbname"):
        raise InputError("the address names no database", key="--db", right=right)
    named = {name: str(parts.pop(key, "") or "") for key, name in _NAMES.items()}
    options = {"connect_timeout": _SECONDS["connect"], **parts}
    # what is signed is on the disk before it is acknowledged, whatever the server's default; and nobody waits for ever
    said = f"-c synchronous_commit=on -c lock_timeout={_SECONDS['wait']}s"
    options["options"] = f"{parts.get('options') or ''} {said}".strip()
    # a connection is kept by its thread, and tried before it is used again
    return {"ENGINE": "django.db.backends.postgresql", **named, "OPTIONS": options, "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
