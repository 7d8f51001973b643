"""Subjects that a reader is asked again have a table of their own; its rows are only added."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from cartrial.review.app.stores.guards import put_guards


def _guard(apps: Any, editor: Any) -> None:
    put_guards(editor, ["again"])


class Migration(migrations.Migration):
    dependencies = [("review", "0003_one_head")]
    operations = [
        migrations.CreateModel(
            name="Again",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seat", models.IntegerField()),
                ("event", models.BigIntegerField()),
                ("of", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="asked_again", to="review.subject")),
                ("subject", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="again", to="review.subject")),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("of", "seat"), name="again_once")]},
        ),
        migrations.RunPython(_guard),
    ]
