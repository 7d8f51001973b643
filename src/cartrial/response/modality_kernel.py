"""Which of a reader's PET and CT calls speaks for an assessment?

One reader's calls of one subject after the other. PET decides where it is evaluable, whatever CT says; else CT progression is progression,
and what an assessment without PET is otherwise the study says (rules of lymphoma, paragraph L4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part
from cartrial.response.codes import CT_PROGRESSION, PET_CARRIED, PET_MISSING
from cartrial.response.status_kernel import is_adequate, is_in
from cartrial.sdtm.records.codes import CT, FAR, OVERALL, PET
from cartrial.study.criteria.codes import NE, NOTHING, Roles

__all__ = ["CARRY", "CT_CALL", "CT_SET", "NOT_EVALUABLE", "PAIRED_DAYS", "Imaging", "Spoken", "assess_modality"]

PAIRED_DAYS = 14
"""A PET and a CT of one visit lie so many days apart at most."""

CARRY, CT_CALL, NOT_EVALUABLE, CT_SET = range(4)
"""What an assessment without PET is: the last PET call, the CT call, NE; and, of criteria by CT alone, that no PET is read."""


class Imaging(NamedTuple):
    """Calls by reader and subject, and by day: those of a series s stand from `at[s]` to `at[s + 1]`. `day0`: of each series."""

    at: NDArray[np.int64]
    day: NDArray[np.int64]
    status: NDArray[np.int64]
    modality: NDArray[np.int64]
    day0: NDArray[np.int64]


class Spoken(NamedTuple):
    """Filled: whether a call speaks for its assessment, as which status, and its flags. Work space: `pair`, the other call of the visit."""

    speaks: NDArray[np.bool_]
    status: NDArray[np.int64]
    flags: NDArray[np.int64]
    pair: NDArray[np.int64]


@kernel
def assess_modality(imaging: Imaging, roles: Roles, missing: int, spoken: Spoken) -> None:
    """Fill `spoken` for every call."""
    for s in range(len(imaging.at) - 1):
        pair_visits(imaging, s, spoken)
        last, infused = NOTHING, False
        for i in range(imaging.at[s], imaging.at[s + 1]):
            if not infused and imaging.day[i] > imaging.day0[s]:
                # a PET before the infusion is no call that could be carried
                last, infused = NOTHING, True
            status, modality, other = imaging.status[i], imaging.modality[i], spoken.pair[i]
            beside = imaging.status[other] if other >= 0 else NOTHING
            whole = modality == OVERALL
            part_of_call = not whole and has_overall(imaging, s, i)
            if not part_of_call and (whole or speaks(modality, status, beside, missing)):
                called, flags = status, 0
                if modality == CT:
                    called, flags = by_ct(roles, status, last, missing)
                elif modality == PET:
                    flags = CT_PROGRESSION if beside != NOTHING and is_in(roles.ends, beside) and is_in(roles.complete, status) else 0
                spoken.speaks[i], spoken.status[i], spoken.flags[i] = True, called, flags
            if modality == PET and is_adequate(status):
                last = status


@part
def pair_visits(imaging: Imaging, s: int, spoken: Spoken) -> None:
    """A PET and a CT of one visit, the nearest first, each once."""
    for _ in range(imaging.at[s], imaging.at[s + 1]):
        one, two, nearest = -1, -1, PAIRED_DAYS + 1
        for i in range(imaging.at[s], imaging.at[s + 1]):
            for j in range(imaging.at[s], imaging.at[s + 1]):
                gap = abs(imaging.day[i] - imaging.day[j])
                if imaging.modality[i] == PET and imaging.modality[j] == CT and gap < nearest:
                    if spoken.pair[i] < 0 and spoken.pair[j] < 0:
                        one, two, nearest = i, j, gap
        if one >= 0:
            spoken.pair[one], spoken.pair[two] = two, one


@part
def has_overall(imaging: Imaging, s: int, i: int) -> bool:
    """The reader made an overall call of the visit: the calls by PET and by CT are parts of it."""
    nearest = FAR
    for j in range(imaging.at[s], imaging.at[s + 1]):
        if imaging.modality[j] == OVERALL:
            nearest = min(nearest, abs(imaging.day[i] - imaging.day[j]))
    return nearest <= PAIRED_DAYS


@part
def speaks(modality: int, status: int, beside: int, missing: int) -> bool:
    """PET where it is evaluable; else CT, and PET that is not only where there is no CT; by criteria of CT alone CT."""
    if missing == CT_SET:
        return modality == CT
    if modality == PET:
        return is_adequate(status) or beside == NOTHING
    return beside == NOTHING or not is_adequate(beside)


@part
def by_ct(roles: Roles, status: int, last: int, missing: int) -> tuple[int, int]:
    """An assessment by CT alone: progression is progression, what CT cannot evaluate is NE; else as the study says."""
    if missing == CT_SET or missing == CT_CALL or is_in(roles.ends, status) or not is_adequate(status):
        return status, 0
    if missing == NOT_EVALUABLE:
        return NE, PET_MISSING
    return (status, 0) if last == NOTHING else (last, PET_CARRIED)
