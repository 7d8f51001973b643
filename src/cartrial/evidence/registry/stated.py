"""How is a value of the registry written? Numbers are text, `not-stated` is a value, and nothing is left out."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator

from cartrial.yamlfile import wrong

__all__ = ["NOT_APPLICABLE", "NOT_REACHED", "NOT_STATED", "NoneStated", "Printed", "decimals", "exact"]

NOT_STATED, NOT_APPLICABLE = "not-stated", "not-applicable"
NOT_REACHED = ("NR", "NE")
"""Words of a median, or of a limit, that was not reached."""
_NUMBER = re.compile(r"\d+(\.\d+)?")


def _quoted(value: Any) -> Any:
    """Refuse a number in place of its text: 70.80 and 70.8 are not the same print."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise wrong("the number must be text: its decimals are used", right=f'Write it in quotes as it was printed, such as "{value}"')
    if isinstance(value, str) and value not in NOT_REACHED and (len(value) > 12 or not _NUMBER.fullmatch(value)):
        raise wrong(
            "the text is no printed number", right='Write digits with a decimal point, such as "70.8", or NR or NE where not reached'
        )
    return value


def _stated(value: Any) -> Any:
    """Return None where the source does not say; refuse an empty value."""
    if value is None:
        raise wrong("nothing stands here", right=f"Write {NOT_STATED} where the source does not say")
    return None if value == NOT_STATED else value


Printed = Annotated[str, BeforeValidator(_quoted)]
"""A number as it was printed, or NR or NE."""
NoneStated = BeforeValidator(_stated)
"""Of an optional field: `not-stated` is read as None, and nothing else is."""


def decimals(text: str) -> int:
    """Return how many decimals a number was printed with.

    Examples
    --------
    >>> decimals("70.80"), decimals("71")
    (2, 0)
    """
    return len(text.partition(".")[2])


def exact(text: str) -> Fraction:
    """Return a printed number exactly.

    Examples
    --------
    >>> exact("70.8")
    Fraction(354, 5)
    """
    return Fraction(text)
