"""Which statuses are there, under which numbers, and what can a status do?

A status is a number in every array and kernel, and its word in every file and table. The list is one for all families of response criteria,
and its numbers never change. What a status does is its role, and roles are the family's (`cartrial.study.criteria.families`); rules ask for
roles. A role is a set of statuses in one integer, a bit for each, so that a compiled rule can ask it of a status without an array.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CRH_NEUTROPHILS", "CRH_PLATELETS", "NOTHING", "RESPONSES", "Roles", "roles", "statuses_of", "words_of"]

NE, CR, CRH, CRI, MLFS, NR, PD, RELAPSE, INDETERMINATE, PR, SD, IR, MRD_RELAPSE = range(13)

RESPONSES = ("NE", "CR", "CRh", "CRi", "MLFS", "NR", "PD", "RELAPSE", "INDETERMINATE", "PR", "SD", "IR", "MRD RELAPSE")
"""The words, each at the place of its number."""

NOTHING = -1
"""In place of a status where there is none. No role may be asked of it."""


class Roles(NamedTuple):
    """What the statuses of a family do: for each role the statuses that have it, a bit for each.

    Every status but NE is adequate: it was assessed, and can censor.
    """

    responds: int
    """A response: what a rate counts where a study says nothing else, and what a time can start with."""
    complete: int
    """A response after which a lesser one is flagged; no event."""
    fails: int
    """No response: read in the response window without one, it is non-response."""
    progresses: int
    """What ends a window that is open until progression."""
    ends: int
    """The event of the disease; final for its reader."""
    follows: int
    """What only a response can precede: without one it is `without`."""
    disease: int
    """Disease, where it is the last call before lymphodepletion."""
    becomes: int
    """The status that a failure after a response is, else `NOTHING`."""
    without: int
    """The status that what only a response can precede is without one, else `NOTHING`."""
    stops: bool
    """Whether a reader reads no further after what ends."""


def roles(*statuses: int) -> int:
    """Return statuses as one integer, a bit for each.

    Examples
    --------
    >>> roles(CR, CRI)
    10
    """
    return sum(1 << status for status in statuses)


def statuses_of(role: int) -> tuple[int, ...]:
    """Return the statuses of a role, in the order of their numbers.

    Examples
    --------
    >>> statuses_of(roles(CR, CRI)) == (CR, CRI)
    True
    """
    return tuple(status for status in range(len(RESPONSES)) if role >> status & 1)


def words_of(role: int) -> tuple[str, ...]:
    """Return the words of a role's statuses.

    Examples
    --------
    >>> words_of(roles(CR, PR))
    ('CR', 'PR')
    """
    return tuple(RESPONSES[status] for status in statuses_of(role))


CRH_NEUTROPHILS, CRH_PLATELETS = 0.5, 50.0
"""Counts above these make a CRh, counts at or below both an aplastic marrow. Unit: 10^9/L."""

RISE = 1.25
"""Blasts that rose to so many times their value at baseline are progressive disease."""
