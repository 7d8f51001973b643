"""Which of a subject's assessments is the best?

One subject after the other: among the usable assessments until progression, the cutoff, and any event whose strategy does not ignore it,
the best by the order of the family's statuses, the earliest of equals.
"""

from __future__ import annotations

from typing import NamedTuple

from cartrial.endpoints.rules.codes import ENDS_RESPONSE, R_NO_ASSESSMENT, R_NO_RESPONSE, R_RELAPSE, R_RESPONSE
from cartrial.endpoints.rules.course_kernel import Codes, Courses, Members, Places, Reads, first_ice, subject_of
from cartrial.kernels import kernel, part
from cartrial.response.codes import AFTER_RELAPSE
from cartrial.response.status_kernel import is_adequate, is_in
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import Roles

__all__ = ["Best", "BestRule", "assess_best"]


class BestRule(NamedTuple):
    """What a study says of a best response."""

    place: Codes
    """The place of each status in the order of the family, the best first."""
    stable_from: int
    """Before this day, from day 0, what is neither response nor progression does not count."""
    strategy: tuple[int, int, int]
    """Of transplant, re-infusion and new therapy."""
    roles: Roles


class Best(NamedTuple):
    """Filled: the reason, and the best assessment (-1: none)."""

    reason: Codes
    chosen: Places


@kernel
def assess_best(reads: Reads, courses: Courses, member: Members, rule: BestRule, best: Best) -> None:
    """Fill `best` for every subject; of who is no member, none."""
    for s in range(len(reads.at) - 1):
        chosen, lowest = -1, len(rule.place)
        subject = subject_of(reads, courses, s)
        last = min(first_ice(subject.ice, rule.strategy, ENDS_RESPONSE, -FAR).day, subject.cutoff)
        for i in range(subject.at, subject.to):
            status = reads.status[i]
            usable = member[s] and subject.day0 < reads.day[i] <= last and not reads.flags[i] & AFTER_RELAPSE
            if usable and counts(rule.roles, status, reads.day[i] - subject.day0, rule.stable_from) and rule.place[status] < lowest:
                chosen, lowest = i, rule.place[status]
        best.chosen[s] = chosen
        best.reason[s] = why(rule.roles, reads.status[chosen]) if chosen >= 0 else R_NO_ASSESSMENT


@part
def counts(roles: Roles, status: int, day: int, stable_from: int) -> bool:
    """Adequate; what is neither response nor progression only from the day that the study names (rules of lymphoma, L8)."""
    stable = not is_in(roles.responds, status) and not is_in(roles.ends, status)
    return is_adequate(status) and not (stable and day < stable_from)


@part
def why(roles: Roles, status: int) -> int:
    """A response, the event of the disease, or no response."""
    if is_in(roles.responds, status):
        return R_RESPONSE
    return R_RELAPSE if is_in(roles.ends, status) else R_NO_RESPONSE
