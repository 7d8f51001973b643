"""What does a status do? Parts that every kernel of the rules asks, with the roles of the study's family; none lists statuses itself."""

from __future__ import annotations

from cartrial.kernels import part
from cartrial.study.criteria.codes import NE

__all__ = ["is_adequate", "is_in"]


@part
def is_in(role: int, status: int) -> bool:
    """The status has the role, one of `Roles`."""
    return role >> status & 1 == 1


@part
def is_adequate(status: int) -> bool:
    """It was assessed: not NE, which every family shares (rules, paragraph 3)."""
    return status != NE
