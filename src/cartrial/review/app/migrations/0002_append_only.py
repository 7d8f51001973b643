"""Rows of what was signed, and of what happened, are neither changed nor removed: the database itself refuses it."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from cartrial.review.app.stores.guards import put_guards

TABLES = ("event", "read", "shown", "case", "subject", "loaded", "seat", "message", "lockstep")


def _guard(apps: Any, editor: Any) -> None:
    put_guards(editor, TABLES)


class Migration(migrations.Migration):
    dependencies = [("review", "0001_tables")]
    operations = [migrations.RunPython(_guard)]
