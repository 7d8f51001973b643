"""What does a status do? Parts that every kernel of the rules asks, and no kernel lists statuses itself."""

from __future__ import annotations

from cartrial.kernels import part
from cartrial.study.criteria.codes import CRH, CRI, NR, PROGRESSION, REMISSION, RESISTANCE

__all__ = ["common_status", "is_progression", "is_remission", "is_resistance"]


@part
def is_remission(status: int) -> bool:
    """CR, with or without full recovery of counts."""
    return REMISSION >> status & 1 == 1


@part
def is_resistance(status: int) -> bool:
    """NR or PD: disease without an earlier remission."""
    return RESISTANCE >> status & 1 == 1


@part
def is_progression(status: int) -> bool:
    """PD or RELAPSE."""
    return PROGRESSION >> status & 1 == 1


@part
def common_status(one: int, other: int) -> int:
    """Two calls agree on the category, and then on the lower of the two (rules, paragraph 4); -1 where they do not agree."""
    if one == other:
        return one
    if is_remission(one) and is_remission(other):
        # of two that differ, one is CRh or CRi; CRi is the lower
        return CRI if one == CRI or other == CRI else CRH
    if is_resistance(one) and is_resistance(other):
        return NR
    return -1
