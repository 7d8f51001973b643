"""Rows of what was signed, and of what happened, are neither changed nor removed: the database itself refuses it (SQLite)."""

from __future__ import annotations

from django.db import migrations

TABLES = ("event", "read", "shown", "case", "subject", "loaded", "seat", "message", "lockstep")


def _guards(table: str) -> list[tuple[str, str]]:
    made = []
    for act in ("update", "delete"):
        name = f"{table}_no_{act}"
        refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only added'); END"
        made.append((f"CREATE TRIGGER {name} BEFORE {act.upper()} ON review_{table} {refuse};", f"DROP TRIGGER {name};"))
    return made


class Migration(migrations.Migration):
    dependencies = [("review", "0001_tables")]
    operations = [migrations.RunSQL(sql, reverse) for table in TABLES for sql, reverse in _guards(table)]
