"""What of the study file itself should a reader of its results know?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from cartrial.sdtm.checks.frame import CheckRule, Context, found, with_rule
from cartrial.sdtm.source import Source, join_findings

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["STUDY_RULES", "check_study"]


def _rules_unstated(context: Context) -> Iterator[pl.DataFrame]:
    if "rules" not in context.study.model_fields_set:
        version = context.study.rules
        message = (
            f"The study file does not say by which version of the rules values are derived; version {version} is taken, and numbers may "
            f"differ from those of version {version - 1}. Write rules: {version} into it."
        )
        nowhere = pl.DataFrame({"FILE": [None]}, schema={"FILE": pl.String})
        yield found(nowhere, message, domain=None, variable="rules")


STUDY_RULES = (
    CheckRule(
        "rules-unstated",
        "note",
        "study file: rules",
        "The study file says by which version of the rules values are derived.",
        _rules_unstated,
    ),
)


def check_study(study: Study) -> pl.DataFrame:
    """Return what is doubtful in a study file that can be used; `check_sdtm` returns it too."""
    context = Context(study, Source({}))
    return join_findings(with_rule(frame, rule) for rule in STUDY_RULES for frame in rule.find(context))
