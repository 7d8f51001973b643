"""What does the charter of the review committee say? The section `review` of a study file; where it is silent, the safest reading."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field, field_validator

from cartrial.yamlfile import Part, wrong

__all__ = ["Adjudicating", "Charter", "Practice", "Reread", "Review"]


class Charter(Part):
    """Which version of the charter is followed.

    Parameters
    ----------
    version : str
    date : date, optional
        From which it holds.
    """

    version: str = Field(min_length=1, max_length=40)
    date: dt.date | None = None

    @field_validator("version", mode="before")
    @classmethod
    def _as_written(cls, value: Any) -> Any:
        if isinstance(value, float):
            # 2.10 as a number is 2.1, another version
            raise wrong("a version with a point is text", right="Write it in quotes, as '2.0'")
        return value


class Adjudicating(Part):
    """How two reads that differ are decided.

    Parameters
    ----------
    names : {"hidden", "shown"}
        Whether the adjudicator sees both reads unnamed, in an order drawn by lot, or as those of reader 1 and 2.
    decision : {"any", "one-of-two"}
        Whether any status may be called, or one of the two that were read.
    """

    names: Literal["hidden", "shown"] = "hidden"
    decision: Literal["any", "one-of-two"] = "any"


class Reread(Part):
    """How many cases a reader is asked again without knowing it.

    Parameters
    ----------
    share : float
        At least this share of the cases of each seat, by whole subjects, under another code. Unit: 1.
    """

    share: float = Field(default=0.0, ge=0, le=1)


class Practice(Part):
    """How readers practise on virtual patients.

    Parameters
    ----------
    subjects : int
        Virtual patients infused.
    agreement : float, optional
        Share of right calls from which a reader qualifies; without it the coordinator judges. Unit: 1.
    """

    subjects: int = Field(default=8, ge=1, le=200)
    agreement: float | None = Field(default=None, gt=0, le=1)


class Review(Part):
    """The charter of the review committee, as far as the workspace carries it out.

    Parameters
    ----------
    charter : Charter, optional
    baseline : bool
        Whether assessments on or before day 0 are read too.
    order : {"sequential", "any"}
        Whether an assessment opens when the reader has signed the one before it.
    show : tuple of str
        What a reader sees beside the findings of which a status is made.
    measurements : {"committee", "investigator"}
        Of imaging: whose measurements of lesions and uptake readers are shown.
    checks : {"after-call", "shown", "hidden"}
        Whether it is said where a call and the study's limits differ: after the call, with the limits' status before it, or never.
    changed_findings : {"read-again", "confirm"}
        Whether a case whose findings changed is read on an empty form, or with the signed call in it.
    adjudicator : Adjudicating
    re_read : Reread
    practice : Practice

    Examples
    --------
    >>> from cartrial.study.charter.review import Review
    >>> charter = Review()
    >>> charter.checks, charter.order, charter.adjudicator.names, charter.re_read.share
    ('after-call', 'sequential', 'hidden', 0.0)
    """

    charter: Charter | None = None
    baseline: bool = False
    order: Literal["sequential", "any"] = "sequential"
    show: tuple[Literal["mrd", "lymphodepletion", "transfusion", "growth-factor", "transplant", "new-therapy"], ...] = (
        *("mrd", "lymphodepletion"),
        *("transfusion", "growth-factor"),
    )
    measurements: Literal["committee", "investigator"] = "committee"
    checks: Literal["after-call", "shown", "hidden"] = "after-call"
    changed_findings: Literal["read-again", "confirm"] = "read-again"
    adjudicator: Adjudicating = Adjudicating()
    re_read: Reread = Reread()
    practice: Practice = Practice()
    source: str = "assumption"
