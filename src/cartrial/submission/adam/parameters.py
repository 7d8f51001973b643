"""Which PARAMCD does each endpoint and variant, kinetic parameter and test have? A code that never changes once it was given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import polars as pl

from cartrial.errors import InputError

__all__ = ["coded", "parameter_codes"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def coded(name: str, variant: str = "") -> str:
    """Return the PARAMCD of a variant: the name itself of the main one, else four letters of it, V and three digits of a hash.

    The digits follow from the words alone: another variant added to the study file changes no code.

    Examples
    --------
    >>> from cartrial.submission.adam.parameters import coded
    >>> coded("ORR3"), coded("ORR3", "hsct=treatment-policy") == coded("ORR3", "hsct=treatment-policy")
    ('ORR3', True)
    >>> len(coded("ORR3", "hsct=treatment-policy"))
    8
    """
    if not variant:
        return name
    number = int.from_bytes(hashlib.sha256(f"{name} {variant}".encode()).digest()[:8], "big")
    digits = ""
    for _ in range(3):
        number, digit = divmod(number, len(_DIGITS))
        digits += _DIGITS[digit]
    return f"{name[:4]}V{digits}"


def parameter_codes(pairs: Iterable[tuple[str, str]]) -> pl.DataFrame:
    """Return the codes of names with their variants: NAME, VARIANT, PARAMCD.

    Raises
    ------
    InputError
        If two have the same code.
    """
    rows: dict[str, tuple[str, str]] = {}
    for name, variant in dict.fromkeys(pairs):
        code = coded(name, variant)
        if code in rows:
            other = " ".join(rows[code]).strip()
            raise InputError(
                f"'{name} {variant}' and '{other}' have one parameter code, {code}",
                key=name,
                right="Give one of the endpoints another id",
            )
        rows[code] = (name, variant)
    found = [(name, variant, code) for code, (name, variant) in rows.items()]
    return pl.DataFrame(found, schema={"NAME": pl.String, "VARIANT": pl.String, "PARAMCD": pl.String}, orient="row")
