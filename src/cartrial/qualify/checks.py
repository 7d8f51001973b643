"""What is one check: what was expected, by whom, what was found, and were they the same?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

__all__ = ["FAILED", "NOT_RUN", "PASSED", "Check", "compare", "not_run", "said", "unbroken"]

PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"


class Check(NamedTuple):
    """One comparison.

    Parameters
    ----------
    part : str
        `installation`, `operation` or `performance`.
    group : str
        What is checked, by words that many checks share.
    what : str
        Which value of it.
    expected, found : str
    tolerance : str
        How far apart they may be; `equal`: not at all.
    origin : str
        Where the expected value comes from: R with its packages, a publication, by hand, the package's own record.
    verdict : str
        `passed`, `failed`, or `not run` where something it needs is absent, which `found` names.
    """

    part: str
    group: str
    what: str
    expected: str
    found: str
    tolerance: str
    origin: str
    verdict: str


def said(part: str, group: str, what: str, expected: object, found: object, origin: str) -> Check:
    """Return a check of two values that must be equal.

    Examples
    --------
    >>> from cartrial.qualify.checks import said
    >>> said("operation", "exit codes", "cartrial --version", 0, 0, "by hand").verdict
    'passed'
    """
    return Check(part, group, what, str(expected), str(found), "equal", origin, PASSED if expected == found else FAILED)


def not_run(part: str, group: str, what: str, why: str) -> Check:
    """Return what could not be checked here, and why."""
    return Check(part, group, what, "", why, "", "", NOT_RUN)


def unbroken(part: str, what: str, checks: Iterator[Check]) -> Iterator[Check]:
    """Yield checks; where they break off, a failed one in the place of the rest, so that the dossier of a fault is written.

    Examples
    --------
    >>> from cartrial.qualify.checks import said, unbroken
    >>> def broken():
    ...     yield said("operation", "sums", "1 + 1", 2, 1 + 1, "by hand")
    ...     1 / 0
    >>> [(check.verdict, check.found) for check in unbroken("operation", "sums", broken())]
    [('passed', '2'), ('failed', 'ZeroDivisionError: division by zero')]
    """
    try:
        yield from checks
    except OSError:
        raise  # no space, a folder that cannot be written to: no fault of the installation
    except Exception as error:
        yield said(part, "checks that broke off", what, "an end", f"{type(error).__name__}: {error}"[:300], "the checks themselves")


def compare(
    group: str, named: Sequence[str], found: Iterable[Any], expected: Iterable[Any], *, tolerance: float, origin: str
) -> list[Check]:
    """Return a check for each of the figures that were computed, beside those that are stored.

    Parameters
    ----------
    group : str
    named : sequence of str
        Which figure each is.
    found, expected : iterable of float or None
        As many; None is not reached or not defined, and is equal to None and to NaN alone.
    tolerance : float
        Relative; absolute below 1.
    origin : str

    Raises
    ------
    ValueError
        If they are not as many.

    Examples
    --------
    >>> from cartrial.qualify import compare
    >>> [check.verdict for check in compare("means", ["a", "b"], [0.5, None], [0.5, 1.0], tolerance=1e-9, origin="by hand")]
    ['passed', 'failed']
    """
    rows = zip(named, found, expected, strict=True)
    return [
        Check("performance", group, what, _digits(right), _digits(value), f"{tolerance:g}", origin, _verdict(value, right, tolerance))
        for what, value, right in rows
    ]


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _digits(value: Any) -> str:
    return "none" if _absent(value) else f"{float(value):.12g}"


def _verdict(found: Any, expected: Any, tolerance: float) -> str:
    if _absent(found) or _absent(expected):
        return PASSED if _absent(found) and _absent(expected) else FAILED
    near = abs(float(found) - float(expected)) <= tolerance * max(1.0, abs(float(expected)))
    return PASSED if near else FAILED
