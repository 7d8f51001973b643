"""The end of the chain is a row from the start, so that writers at the same moment wait for one another; persons keep their names."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from cartrial.review.app.stores.guards import put_guards


def _head(apps: Any, editor: Any) -> None:
    heads = apps.get_model("review", "Head").objects.using(editor.connection.alias)
    if not heads.exists():
        heads.create(number=0, digest="0" * 64, at="")


def _guard(apps: Any, editor: Any) -> None:
    put_guards(editor, ["person"])


class Migration(migrations.Migration):
    dependencies = [("review", "0002_append_only")]
    operations = [migrations.RunPython(_head), migrations.RunPython(_guard)]
