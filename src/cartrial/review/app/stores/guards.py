"""What keeps rows from being changed? Guards in the database itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

from cartrial.review.app.stores.grants import APPEND_ONLY

__all__ = ["guard_sql", "missing_guards", "owns_tables", "person_sql", "put_guards"]

_KEPT = ("id", "username", "full_name", "role")
_ACTS = {"sqlite": ("update", "delete"), "postgresql": ("update", "delete", "truncate")}


def guard_sql(vendor: str, table: str) -> list[str]:
    """Return the statements by which a database refuses to change or remove rows of a table; they may be run again.

    Parameters
    ----------
    vendor : str
        `sqlite` or `postgresql`.
    table : str
        Without the prefix `review_`.
    """
    return _guards(vendor, table, [(act, "") for act in _ACTS[vendor]], f"rows of {table} are only added")


def person_sql(vendor: str) -> list[str]:
    """Return the statements that keep the name and role of a person, under which something may be signed, as they were added."""
    different = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in _KEPT)
    acts = [(act, different if act == "update" else "") for act in _ACTS[vendor]]
    return _guards(vendor, "person", acts, "the name and role of a person stay as they were added")


def _guards(vendor: str, table: str, acts: Iterable[tuple[str, str]], words: str) -> list[str]:
    made = []
    if vendor == "postgresql":
        refuse = f"BEGIN RAISE EXCEPTION USING MESSAGE = '{words}'; END"
        made.append(f"CREATE OR REPLACE FUNCTION review_{table}_kept() RETURNS trigger LANGUAGE plpgsql AS $${refuse}$$;")
    for act, when in acts:
        name, held = f"{table}_no_{act}", f" WHEN ({when})" if when else ""
        if vendor == "postgresql":
            each = "STATEMENT" if act == "truncate" else "ROW"
            what = f"BEFORE {act.upper()} ON review_{table} FOR EACH {each}{held} EXECUTE FUNCTION review_{table}_kept();"
            made.append(f"CREATE OR REPLACE TRIGGER {name} {what}")
        else:
            refuse = f"BEGIN SELECT RAISE(ABORT, '{words}'); END;"
            made.append(f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {act.upper()} ON review_{table}{held} {refuse}")
    return made


def put_guards(editor: Any, tables: Iterable[str]) -> None:
    """Put the guards of tables in place, from a migration that made them, or made them anew.

    Parameters
    ----------
    editor : schema editor of Django
    tables : iterable of str
        Without the prefix `review_`; `person` among them gets its own.
    """
    vendor = editor.connection.vendor
    for table in tables:
        for statement in person_sql(vendor) if table == "person" else guard_sql(vendor, table):
            # no parameters: a per cent sign is one
            editor.execute(statement, params=None)


def missing_guards() -> list[str]:
    """Return the tables that have lost what keeps their rows from being changed."""
    vendor = connection.vendor
    if vendor == "postgresql":
        asked = """
            SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE c.relnamespace = current_schema()::regnamespace AND t.tgenabled IN ('O', 'A')
            AND position('RAISE EXCEPTION' IN p.prosrc) > 0
        """
    else:
        asked = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger' AND instr(sql, 'RAISE(ABORT') > 0"
    with connection.cursor() as cursor:
        cursor.execute(asked)
        there = set(cursor.fetchall())
    wanted = {table: {(f"review_{table}", f"{table}_no_{act}") for act in _ACTS[vendor]} for table in (*APPEND_ONLY, "person")}
    return [table for table, guards in wanted.items() if not guards <= there]


def owns_tables() -> bool:
    """Whether who is connected to a server could take the guards away: it owns the tables, or is the server's superuser."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = to_regclass('review_event')")
        row = cursor.fetchone()
    return bool(row and row[0])
