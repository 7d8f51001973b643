"""What the tests of the committee's workspace keep their rows in: memory, or a PostgreSQL that is started for them."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sqlite3
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MEMORY = ":memory:"
BOSS, OWNER, SERVER = "boss", "review_owner", "review_server"
_PLACES = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt")


def _program(name: str) -> str | None:
    """Return a program of PostgreSQL: Debian keeps those of a server outside the path."""
    found = sorted(Path(root) for root in _PLACES if Path(root).is_dir())
    beside = [path for root in found for path in sorted(root.glob(f"*/bin/{name}"), reverse=True)]
    return str(beside[0]) if beside else shutil.which(name)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL that was started for the tests, reached through a socket in its folder alone."""

    folder: str

    def url(self, database: str, role: str = OWNER) -> str:
        """Return the address of a database."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    def boss(self, database: str, *statements: str) -> None:
        """Run statements as the superuser."""
        import psycopg

        with psycopg.connect(self.url(database, BOSS), autocommit=True) as link:
            for statement in statements:
                link.execute(statement)

    def make(self, database: str, tablespace: str = "") -> None:
        """Make an empty database in the place of one of that name."""
        where = f" TABLESPACE {tablespace}" if tablespace else ""
        self.boss("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", f"CREATE DATABASE {database} OWNER {OWNER}{where}")

    def own(self, path: Path) -> None:
        """Give a folder to the user who runs it."""
        who = _unprivileged()
        if who:
            shutil.chown(path, who)

    def lend(self, database: str, statements: str) -> None:
        """Run the statements that make the role of the server; one role serves several databases of a cluster."""
        first, rest = statements.split("\n", 1)
        assert first == f"CREATE ROLE {SERVER} LOGIN;"
        self.boss(database, f"DO $$BEGIN {first} EXCEPTION WHEN duplicate_object THEN NULL; END$$", rest)


@functools.cache
def cluster() -> Cluster:
    """Start a PostgreSQL in a folder of its own; skip where there is none. Root may not run it: another user does then."""
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    initdb, ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or ctl is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder, who = tempfile.mkdtemp(prefix="cartrial-pg-"), _unprivileged()
    if who:
        shutil.chown(folder, who)
    data, how = f"{folder}/data", {"capture_output": True, "text": True, "timeout": 60, "cwd": folder, **({"user": who} if who else {})}
    made = subprocess.run([initdb, "-D", data, "-U", BOSS, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], check=False, **how)
    if made.returncode:
        pytest.skip(f"PostgreSQL cannot be set up here: {made.stderr.strip()[-200:]}")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=60"
    started = subprocess.run([ctl, "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "-t", "30", "start"], check=False, **how)
    assert started.returncode == 0, started.stdout

    def stop() -> None:
        subprocess.run([ctl, "-D", data, "-m", "immediate", "-w", "stop"], check=False, **how)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    made_here = Cluster(folder)
    made_here.boss("postgres", f"CREATE ROLE {OWNER} LOGIN")
    return made_here


def _unprivileged() -> str | None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd

    return next((name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()}), None)


class Memory:
    """Rows in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, sqlite3.Connection] = {}

    def place(self) -> str:
        """Return the name of the store, as Django knows it."""
        return MEMORY

    def open(self) -> None:
        """Open it, empty."""
        self._open()

    def _open(self) -> None:
        from cartrial.review.app.setup import Place, open_workspace

        open_workspace(Place(self.place(), "k" * 60, ("testserver",)), fast_hasher=True)

    def keep(self, name: str) -> None:
        """Keep what is there under a name."""
        from django.db import connection

        connection.ensure_connection()
        self.kept[name] = sqlite3.connect(MEMORY, check_same_thread=False)
        connection.connection.backup(self.kept[name])

    def bring(self, name: str) -> None:
        """Put back what was kept."""
        from django.db import connection

        connection.ensure_connection()
        self.kept[name].backup(connection.connection)

    def free(self, statement: str) -> None:
        """Change rows as who owns the store can: without the guards, and without looking at references."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            guards = cursor.fetchall()
            for name, _ in guards:
                cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute("PRAGMA foreign_keys = OFF")
            try:
                cursor.execute(statement)
            finally:
                for _, sql in guards:
                    cursor.execute(sql)

    def drop_guard(self, table: str, name: str) -> None:
        """Take a guard away."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER {name}")

    def text(self) -> bytes:
        """Return all that is kept, as it stands in the store."""
        from django.db import connection

        return bytes(connection.connection.serialize())


class Server(Memory):
    """Rows in PostgreSQL, in a database that the server's lesser role is lent; what is kept are copies of it."""

    NAME = "review"

    def __init__(self) -> None:
        self.kept = {}
        self.cluster = cluster()

    def place(self) -> str:
        return self.cluster.url(self.NAME, SERVER)

    def open(self) -> None:
        from cartrial.review.app.setup import Place, open_workspace
        from cartrial.review.app.stores.grants import role_sql

        self.cluster.make(self.NAME)
        open_workspace(Place(self.cluster.url(self.NAME), "k" * 60, ("testserver",)), fast_hasher=True)
        self.cluster.lend(self.NAME, role_sql(SERVER))
        self._open()

    def keep(self, name: str) -> None:
        self._copy(self.NAME, f"kept_{name}")
        self.kept[name] = None  # type: ignore[assignment]

    def bring(self, name: str) -> None:
        self._copy(f"kept_{name}", self.NAME)

    def _copy(self, source: str, to: str) -> None:
        from django.db import connections

        connections.close_all()
        drop, make = f"DROP DATABASE IF EXISTS {to} WITH (FORCE)", f"CREATE DATABASE {to} OWNER {OWNER} TEMPLATE {source}"
        self.cluster.boss("postgres", drop, make)

    def free(self, statement: str) -> None:
        self.cluster.boss(self.NAME, "SET session_replication_role = replica", statement)

    def drop_guard(self, table: str, name: str) -> None:
        self.cluster.boss(self.NAME, f"DROP TRIGGER {name} ON {table}")

    def text(self) -> bytes:
        from django.db import connection

        with connection.cursor() as cursor:
            return "\n".join(str(row[0]) for table in connection.introspection.table_names() for row in self._rows(cursor, table)).encode()

    def _rows(self, cursor: Any, table: str) -> Any:
        cursor.execute(f'SELECT t::text FROM "{table}" t')
        return cursor.fetchall()


_STORES: dict[str, Memory] = {}
_NOW = ["sqlite"]


def use_store(name: str) -> None:
    """Say in which store the tests that follow keep their rows: `sqlite` or `postgresql`."""
    _NOW[0] = name


def store() -> Memory:
    """Return the store of now."""
    if _NOW[0] not in _STORES:
        _STORES[_NOW[0]] = Server() if _NOW[0] == "postgresql" else Memory()
    return _STORES[_NOW[0]]
