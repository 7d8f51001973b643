"""Can a design be searched with these rates, errors and numbers of subjects?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cartrial.errors import InputError

__all__ = ["check_choice", "check_errors", "check_integer", "check_number", "check_rates", "check_real", "check_whole"]


def check_number(value: Any, key: str, *, right: str) -> float:
    """Return a number strictly between 0 and 1.

    Raises
    ------
    InputError
        For anything else.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool | str) or not 0 < number < 1:
        raise InputError(f"{value!r} is not a number between 0 and 1", key=key, right=right)
    return number


def check_real(value: Any, key: str) -> float:
    """Return a number that is one, whatever its size: the caller says what it may be.

    Raises
    ------
    InputError
        For text, flags, lists and what is not a number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if isinstance(value, bool | str) or number != number:
        raise InputError(f"{value!r} is no number", key=key, right="Give a number")
    return number


def check_integer(value: Any, key: str) -> int:
    """Return a whole number below a million millions: the caller says what it may be.

    Raises
    ------
    InputError
        For anything else.
    """
    number = check_real(value, key)
    if not abs(number) < 1e12 or number != int(number):
        raise InputError(f"{value!r} is no whole number", key=key, right="Give a whole number")
    return int(number)


def check_rates(p0: Any, p1: Any) -> tuple[float, float]:
    """Return null and target of a rate.

    Raises
    ------
    InputError
        If one is not between 0 and 1, or the target is not above the null.
    """
    null = check_number(p0, "p0", right="Give the rate of the null hypothesis, for example 0.3")
    target = check_number(p1, "p1", right="Give the rate of the alternative, for example 0.5")
    if target <= null:
        raise InputError(f"the target {target:g} is not above the null {null:g}", key="p1", right="Give a target above the null")
    return null, target


def check_errors(alpha: Any, beta: Any) -> tuple[float, float]:
    """Return both error rates.

    Raises
    ------
    InputError
        If one is not between 0 and 1.
    """
    return (
        check_number(alpha, "alpha", right="Give the one-sided type I error, for example 0.025"),
        check_number(beta, "beta", right="Give the type II error, 1 - power, for example 0.1"),
    )


def check_whole(value: Any, key: str, low: int, high: int) -> int:
    """Return a whole number from low to high.

    Raises
    ------
    InputError
        For anything else.
    """
    try:
        whole = int(value)
        good = not isinstance(value, bool | str) and whole == value and low <= whole <= high
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise InputError(f"{value!r} is no whole number from {low} to {high}", key=key, right=f"Give one from {low} to {high}")
    return int(value)


def check_choice(value: Any, key: str, known: Sequence[str]) -> str:
    """Return one of the known words.

    Raises
    ------
    InputError
        For an unknown one.
    """
    if not isinstance(value, str) or value not in known:
        raise InputError(f"{value!r} is unknown", key=key, right="Known are: " + ", ".join(known))
    return value
