"""Which variables have another type than ADaM gives them, and what do the other rules read in their place?"""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl

from cartrial.submission.conform.read import Held

__all__ = ["mistyped", "typed"]

_TEXT = re.compile(
    r"STUDYID|USUBJID|SUBJID|SITEID|AGEU|SEX|RACE|ARM|EOSSTT|PARAM|PARAMCD|AVALC|EVNTDESC|CNSDTDSC|TRT[PA]|TRT\d\d[PA]|[A-Z0-9]{1,5}DTF"
)
_NUMBER = re.compile(r"AGE|AVAL|CNSR|ADY|ASTDY|AENDY")


def mistyped(held: Held) -> dict[str, str]:
    """Return what each variable of a set should be that is something else: text or a number.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.submission.conform.read import Held
    >>> from cartrial.submission.conform.types import mistyped
    >>> mistyped(Held("ADSL", "adsl.xpt", pl.DataFrame({"USUBJID": [1.0], "AGE": ["54"], "SEX": ["F"]}), {}, {}))
    {'USUBJID': 'text', 'AGE': 'a number'}
    """
    found = {}
    for name, kind in held.frame.schema.items():
        if _TEXT.fullmatch(name) and kind != pl.String:
            found[name] = "text"
        elif _NUMBER.fullmatch(name) and not kind.is_numeric():
            found[name] = "a number"
    return found


def typed(held: Held) -> Held:
    """Return a set whose variables have the type that they should have; what is no number is blank then.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.submission.conform.read import Held
    >>> from cartrial.submission.conform.types import typed
    >>> typed(Held("ADSL", "adsl.xpt", pl.DataFrame({"USUBJID": [1.5], "AGE": ["54"]}), {}, {})).frame.row(0)
    ('1.5', 54.0)
    """
    kinds = {"text": pl.String, "a number": pl.Float64}
    casts = []
    for name, kind in mistyped(held).items():
        column = pl.col(name).to_physical() if held.frame.schema[name] == pl.Date and kind == "a number" else pl.col(name)
        casts.append(column.cast(kinds[kind], strict=False))
    return replace(held, frame=held.frame.with_columns(casts))
