"""What does a reader's sequence of calls make of each call? One subject after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part
from cartrial.response.codes import (
    AFTER_RELAPSE,
    INDETERMINATE_WITHOUT_REMISSION,
    LESSER_RESPONSE,
    NR_AFTER_REMISSION,
    RELAPSE_WITHOUT_REMISSION,
)
from cartrial.response.status_kernel import is_in
from cartrial.study.criteria.codes import NOTHING, Roles

__all__ = ["Flags", "Integers", "Reads", "assess_sequence"]

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Reads(NamedTuple):
    """One reader's calls, by subject and day: those of subject s stand from `at[s]` to `at[s + 1]`.

    `used`, `overruled`: false, work space; paired or given to a pair, and a relapse or progression that was overruled.
    """

    at: Integers
    day: Integers
    status: Integers
    flags: Integers
    seq: Integers
    used: Flags
    overruled: Flags


@kernel
def assess_sequence(reads: Reads, day0: Integers, roles: Roles) -> None:
    """Make one reader's calls consistent, in place; a remission on or before day 0 is no earlier remission."""
    for s in range(len(reads.at) - 1):
        remission, relapse, infused, complete = False, False, False, False
        for i in range(reads.at[s], reads.at[s + 1]):
            if not infused and reads.day[i] > day0[s]:
                remission, relapse, infused, complete = False, False, True, False
            call = int(reads.status[i])
            status = consistent_status(roles, call, remission)
            if relapse or status != call:
                reads.status[i] = status
                reads.flags[i] |= why_inconsistent(roles, call, status, relapse)
            if complete and is_lesser(roles, status):
                reads.flags[i] |= LESSER_RESPONSE
            complete = complete or is_in(roles.complete, status)
            remission = remission or is_in(roles.responds, status)
            relapse = relapse or is_in(roles.ends, status)


@part
def consistent_status(roles: Roles, call: int, remission: bool) -> int:
    """NR or PD after a remission is RELAPSE; RELAPSE or INDETERMINATE without one is NR (rules, paragraph 3); in families that say so."""
    if remission:
        return roles.becomes if roles.becomes != NOTHING and is_in(roles.fails, call) else call
    return roles.without if is_in(roles.follows, call) else call


@part
def why_inconsistent(roles: Roles, call: int, status: int, relapse: bool) -> int:
    """What follows a relapse does not count; before one, the change of a call is flagged (rules, paragraph 3)."""
    if relapse:
        return AFTER_RELAPSE
    if is_in(roles.ends, status):
        return NR_AFTER_REMISSION
    return RELAPSE_WITHOUT_REMISSION if is_in(roles.ends, call) else INDETERMINATE_WITHOUT_REMISSION


@part
def is_lesser(roles: Roles, status: int) -> bool:
    """A response that is not complete: after a complete one it is no event, and the data should be queried (rules of lymphoma, L1)."""
    return is_in(roles.responds, status) and not is_in(roles.complete, status)
