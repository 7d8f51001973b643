"""Which statuses are there, under which numbers, and what does each do?

A status is a number in every array and kernel, and its word in every file and table. What a status does is its role; rules ask for roles.
A role is a set of statuses in one integer, a bit for each, so that a compiled rule can ask it of a status without an array.
"""

from __future__ import annotations

__all__ = ["AGREEMENT", "BEST_FIRST", "CRH_NEUTROPHILS", "CRH_PLATELETS", "RESPONSES", "RISE", "roles", "statuses_of", "words_of"]

NE, CR, CRH, CRI, MLFS, NR, PD, RELAPSE, INDETERMINATE = range(9)

RESPONSES = ("NE", "CR", "CRh", "CRi", "MLFS", "NR", "PD", "RELAPSE", "INDETERMINATE")
"""The words, each at the place of its number."""


def roles(*statuses: int) -> int:
    """Return statuses as one integer, a bit for each.

    Examples
    --------
    >>> roles(CR, CRI)
    10
    """
    return sum(1 << status for status in statuses)


REMISSION = roles(CR, CRH, CRI)
"""Complete remission, with or without full recovery of counts: what a response is made of, and what a relapse can follow."""

RESISTANCE = roles(NR, PD)
"""Disease that no remission preceded: non-response where it is read in the response window."""

DISEASE = roles(NR, PD, RELAPSE)
"""Morphologic disease."""

PROGRESSION = roles(PD, RELAPSE)
"""What ends the time until progression."""


def statuses_of(role: int) -> tuple[int, ...]:
    """Return the statuses of a role, in the order of their numbers.

    Examples
    --------
    >>> statuses_of(REMISSION) == (CR, CRH, CRI)
    True
    """
    return tuple(status for status in range(len(RESPONSES)) if role >> status & 1)


def words_of(role: int) -> tuple[str, ...]:
    """Return the words of a role's statuses.

    Examples
    --------
    >>> words_of(REMISSION)
    ('CR', 'CRh', 'CRi')
    """
    return tuple(RESPONSES[status] for status in statuses_of(role))


BEST_FIRST = tuple(RESPONSES[status] for status in (CR, CRH, CRI, MLFS, NR, PD, RELAPSE, INDETERMINATE, NE))
"""The words, the best first: a subject's best call is the first of them, and tables are in this order."""

CRH_NEUTROPHILS, CRH_PLATELETS = 0.5, 50.0
"""Counts above these make a CRh, counts at or below both an aplastic marrow. Unit: 10^9/L."""

RISE = 1.25
"""Blasts that rose to so many times their value at baseline are progressive disease."""

AGREEMENT = {**dict.fromkeys(words_of(REMISSION), "remission"), **dict.fromkeys(words_of(RESISTANCE), "/".join(words_of(RESISTANCE)))}
"""Categories on which two readers agree, though not on the status; every other status is its own category."""
