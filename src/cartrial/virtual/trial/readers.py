"""What does each reader call a visit? Criteria applied to what was measured, with errors, in the order of the visits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartrial.response.readers_kernel import RELAPSE_APART, UNDECIDED
from cartrial.study.criteria.codes import (
    CR,
    CRH,
    CRH_NEUTROPHILS,
    CRH_PLATELETS,
    CRI,
    INDETERMINATE,
    MLFS,
    NE,
    NR,
    PD,
    RELAPSE,
    RISE,
    statuses_of,
)
from cartrial.study.criteria.leukaemia import DISEASE, LEUKAEMIA, REMISSION
from cartrial.virtual.trial.assays import BLAST, CIRCULATING, HEMODILUTE, NEUT, PLAT

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.criteria.sets import Bound
    from cartrial.virtual.trial.settings import TrialSettings

__all__ = ["READINGS", "Evidence", "Reader", "agree", "evidence", "read_visit"]

# streams of the errors of the investigator, both readers and the adjudicator
READINGS = range(1200, 1204)
# marrow blasts (%) between which an error about remission is made
_NEAR = (0.0, 20.0)
_NEVER = 2**30
# what two calls have in common, by both
_COMMON = LEUKAEMIA.agreed

Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]


def meets(values: NDArray[np.float64], bound: Bound) -> Flags:
    """Return where values meet a bound of the criteria."""
    compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[bound.op]
    return np.asarray(compare(values, bound.value))


@dataclass(frozen=True)
class Evidence:
    """One visit's findings under the criteria. Arrays of bool, shape (subjects,), `recovered` of int64: CR, CRh, CRi or MLFS."""

    adequate: Flags
    clear: Flags
    over: Flags
    disease: Flags
    progressed: Flags
    near: Flags
    recovered: Codes


def evidence(
    study: Study, visit: NDArray[np.float64], lesions: Flags, before: NDArray[np.float64], lesions_before: Flags, transfused: Flags
) -> Evidence:
    """Apply the criteria to the results of a visit.

    Parameters
    ----------
    visit, before : ndarray of float64, shape (subjects, tests)
        Results at the visit, and the last before lymphodepletion.
    lesions, lesions_before : ndarray of bool, shape (subjects,)
    transfused : ndarray of bool, shape (subjects,)
        A transfusion within the days that the criteria ask to be free of one: platelets then count as not recovered.
    """
    assert study.disease.marrow is not None
    criteria, options = study.disease.marrow
    marrow, blood, neutrophils, platelets = (visit[:, test] for test in (BLAST, CIRCULATING, NEUT, PLAT))
    adequate = marrow != HEMODILUTE
    elsewhere = (blood > 0) | lesions
    clear = adequate & meets(marrow, criteria.marrow) & ~elsewhere
    over = lesions | (adequate & meets(marrow, criteria.relapse_marrow)) | meets(blood, criteria.relapse_blood)
    enough = meets(platelets, criteria.platelets) & ~transfused
    recovered = np.where(meets(neutrophils, criteria.neutrophils) & enough, CR, CRI)
    both_fail = ~meets(neutrophils, criteria.neutrophils) & ~enough
    if options.cri == "exactly-one":
        recovered = np.where(both_fail, MLFS, recovered)
    if options.aplastic == "MLFS":
        recovered = np.where(both_fail & (neutrophils <= CRH_NEUTROPHILS) & (platelets <= CRH_PLATELETS), MLFS, recovered)
    if options.crh:
        recovered = np.where((recovered != CR) & (neutrophils > CRH_NEUTROPHILS) & (platelets > CRH_PLATELETS), CRH, recovered)
    start = before[:, BLAST]
    progressed = adequate & meets(marrow, criteria.refractory_marrow) & (marrow > start) & (marrow >= RISE * start)
    progressed |= lesions & ~lesions_before
    near = adequate & (marrow >= _NEAR[0]) & (marrow <= _NEAR[1])
    return Evidence(adequate, clear, over, adequate | elsewhere, progressed, near, recovered.astype(np.int64))


@dataclass
class Reader:
    """What a reader has called so far: remission and relapse by subject, and the day of the first relapse that was not overruled."""

    subjects: int
    remission: Flags = field(init=False)
    relapsed: Flags = field(init=False)
    relapse_day: Codes = field(init=False)

    def __post_init__(self) -> None:
        self.remission = np.zeros(self.subjects, bool)
        self.relapsed = np.zeros(self.subjects, bool)
        self.relapse_day = np.full(self.subjects, _NEVER, np.int64)

    def true(self, seen: Evidence) -> Codes:
        """Return the call without error, given the reader's own earlier calls."""
        fresh = np.where(seen.clear, seen.recovered, np.where(seen.disease, np.where(seen.progressed, PD, NR), NE))
        later = np.where(seen.over, RELAPSE, np.where(seen.clear, seen.recovered, np.where(seen.disease, INDETERMINATE, NE)))
        return np.where(self.relapsed, RELAPSE, np.where(self.remission, later, fresh)).astype(np.int64)

    def note(self, call: Codes, day: Codes, present: Flags) -> None:
        """Remember the calls of a visit."""
        self.remission |= present & np.isin(call, statuses_of(REMISSION))
        relapse = present & (call == RELAPSE)
        self.relapse_day = np.where(relapse & (self.relapse_day == _NEVER), day, self.relapse_day)
        self.relapsed |= relapse

    def overrule(self, relapse: Flags) -> None:
        """A relapse that the adjudicator did not uphold dates nothing (rules, amendment A1)."""
        self.relapse_day = np.where(relapse, _NEVER, self.relapse_day)


def read_visit(settings: TrialSettings, reader: Reader, seen: Evidence, chance: NDArray[np.float64], error: float) -> Codes:
    """Return a reader's calls of a visit.

    Parameters
    ----------
    chance : ndarray of float64, shape (subjects, 2)
        Uniform: whether an error is made, and of which kind.

    Notes
    -----
    An error takes CR for CRi or the reverse; or, with marrow blasts near the limit, a remission for none or the reverse.
    """
    call = reader.true(seen)
    wrong = (chance[:, 0] < error) & ~reader.relapsed & seen.adequate
    counts = wrong & (chance[:, 1] < settings.readers.recovery_share.value)
    swapped = np.where(call == CR, CRI, np.where(call == CRI, CR, call))
    call = np.where(counts, swapped, call)
    status = wrong & ~counts & seen.near
    good = np.isin(call, statuses_of(REMISSION))
    missed = status & good & ~reader.remission
    found = status & np.isin(call, statuses_of(DISEASE))
    return np.where(missed, NR, np.where(found, CRI, call)).astype(np.int64)


def agree(one: Codes, two: Codes, first: Reader, second: Reader) -> tuple[Flags, Codes]:
    """Return where two readers agree, and on what, by the committee's rule. Meaningless where either made no call (-1)."""
    call = _COMMON[one, two]
    apart = np.abs(first.relapse_day - second.relapse_day) > RELAPSE_APART
    return (call != UNDECIDED) & ~((call == RELAPSE) & apart), call
