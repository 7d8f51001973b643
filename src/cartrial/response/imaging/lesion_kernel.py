"""What does CT say of lymphoma at each visit? One reader's measurements of one subject after the other.

Progression comes first, by any one of its signs, also while the sum of products falls; then not evaluable, complete and partial response,
stable disease (rules of lymphoma, paragraphs L2 and L3). Every lesion has its own nadir, before the visit. Lengths in mm, products in mm^2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part
from cartrial.response.codes import (
    IMAGING_BASELINE_MISSING,
    MARROW_NOT_CLEARED,
    NEW_LESION_SEEN,
    NO_DISEASE,
    SPLEEN_NOT_MEASURED,
    TARGET_NOT_EVALUATED,
)
from cartrial.sdtm.vocabulary.imaging.codes import (
    ABSENT,
    CLEAR,
    EQUIVOCAL,
    INVOLVED,
    NEW_LESION,
    NEWLY_INVOLVED,
    NON_TARGET,
    NOT_EVALUATED,
    SPLEEN,
    TARGET,
    UNEQUIVOCAL,
)
from cartrial.study.criteria.codes import CR, NE, PD, PR, SD

__all__ = [
    *("GROWN", "NEW", "OTHER_SIGN", "LesionRule", "Lesions", "Limits", "Measured", "Scanned", "Scans"),
    *("above", "assess_lesions", "gather_scans", "reaches"),
]

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]

SCAN_DAYS = 7
"""Measurements of different lesions so many days apart are one scan."""

EPS = 1e-9
"""Values that differ by less, of their size, are equal."""

NOT_NEW, SMALL_NEW, PROGRESSING_NEW, DOUBTFUL_NEW = range(4)

GROWN, NEW, OTHER_SIGN = 1, 2, 4
"""Signs of progression at a scan, a bit each: a target, a new lesion, anything else."""


class Limits(NamedTuple):
    """Limits of a criteria set; lengths in mm."""

    node: float
    """A node up to this longest diameter is normal."""
    new_node: float
    new_extranodal: float
    spleen: float
    spleen_step: float
    """A spleen that was not enlarged progresses when it is longer by so much."""
    fall: float
    """A partial response is a sum of products of at most this share of the one at baseline."""
    growth: float
    """A lesion has grown when its product is at least so many times its nadir and a diameter is longer: by"""
    step_small: float
    """so much where the longest diameter at the nadir was up to"""
    band: float
    """this, else by"""
    step_large: float


class LesionRule(NamedTuple):
    """What a study says. `spleen_nadir`: half of the excess of an enlarged spleen counts from its nadir, else from baseline."""

    limits: Limits
    spleen_nadir: bool


class Scans(NamedTuple):
    """Scans after the baseline, by series (one reader's of one subject) and day: those of series s stand from `at[s]` to `at[s + 1]`.

    `row_at`: where the rows of each scan start. `marrow`: of each scan, as `cartrial.sdtm.vocabulary.imaging.codes` says; -1: no sample.
    By series, of the baseline: whether there was one, whether it showed disease, how many targets and non-targets, the sum of products,
    the spleen (nan: not measured) and the marrow (-1: no sample).
    """

    at: Integers
    row_at: Integers
    marrow: Integers
    known: NDArray[np.bool_]
    disease: NDArray[np.bool_]
    targets: Integers
    others: Integers
    spd: Numbers
    spleen: Numbers
    base_marrow: Integers


class Measured(NamedTuple):
    """What was measured, by scan. `lesion`: its place in `Lesions`; `area`, `long`, `short`: nan where not measured."""

    lesion: Integers
    kind: Integers
    nodal: NDArray[np.bool_]
    state: Integers
    area: Numbers
    long: Numbers
    short: Numbers


class Lesions(NamedTuple):
    """The lesions of all series at their nadir, which starts as the baseline; nan: not of the baseline; of non-targets 0."""

    area: Numbers
    long: Numbers
    short: Numbers


class Scanned(NamedTuple):
    """Filled by scan: the status, its flags, the sum of products (nan where a target was not evaluated), and the signs of progression."""

    status: Integers
    flags: Integers
    spd: Numbers
    signs: Integers


@kernel
def gather_scans(at: Integers, day: Integers, lesion: Integers, last: Integers, scan: Integers) -> None:
    """Number the scans in `scan`, from 0 over all series: up to 7 days, as long as no lesion is measured on a second day.

    `at`: where the rows of each series start, sorted by day; `last`: -1 for each lesion, work space.
    """
    number = -1
    for s in range(len(at) - 1):
        first = at[s]
        for i in range(at[s], at[s + 1]):
            if i == first or day[i] != day[i - 1]:
                again, k = i == first, i
                while k < at[s + 1] and day[k] == day[i]:
                    again = again or last[lesion[k]] == number
                    k += 1
                if again or day[i] > day[first] + SCAN_DAYS:
                    number, first = number + 1, i
            scan[i] = number
            last[lesion[i]] = number


@kernel
def assess_lesions(scans: Scans, rows: Measured, low: Lesions, rule: LesionRule, out: Scanned) -> None:
    """Fill `out` for every scan, and move `low` to the nadirs."""
    limits = rule.limits
    for s in range(len(scans.at) - 1):
        low_spleen, cleared = scans.spleen[s], scans.base_marrow[s] == CLEAR
        for v in range(scans.at[s], scans.at[s + 1]):
            grown, worse, new, clear, found, gone, spd, spleen = False, False, False, True, 0, 0, 0.0, np.nan
            for i in range(scans.row_at[v], scans.row_at[v + 1]):
                kind, state, j = rows.kind[i], rows.state[i], rows.lesion[i]
                area, long, short = rows.area[i], rows.long[i], rows.short[i]
                if kind == TARGET and not np.isnan(area) and not np.isnan(low.area[j]):
                    found, spd = found + 1, spd + area
                    grown = grown or has_grown(limits, area / max(low.area[j], EPS), long, long - low.long[j], short - low.short[j])
                    clear = clear and is_normal(limits, rows.nodal[i], long, area)
                    if area < low.area[j]:
                        # of equals the earliest stays
                        low.area[j], low.long[j], low.short[j] = area, long, short
                elif kind == NON_TARGET:
                    worse, gone = worse or state == UNEQUIVOCAL, gone + (state == ABSENT and not np.isnan(low.area[j]))
                    clear = clear and (state == ABSENT or state == NOT_EVALUATED)
                elif kind == NEW_LESION:
                    there = new_lesion(limits, rows.nodal[i], long, state)
                    if there == DOUBTFUL_NEW and v + 1 < scans.at[s + 1]:
                        for k in range(scans.row_at[v + 1], scans.row_at[v + 2]):
                            # what is beyond doubt at the next visit dates from here
                            if rows.lesion[k] == j and new_lesion(limits, rows.nodal[k], rows.long[k], rows.state[k]) == PROGRESSING_NEW:
                                there = PROGRESSING_NEW
                    new, clear = new or there == PROGRESSING_NEW, clear and there != SMALL_NEW
                elif kind == SPLEEN:
                    spleen = long
            marrow, base = (
                scans.marrow[v],
                Base(scans.known[s], scans.disease[s], scans.targets[s], scans.others[s], scans.spd[s], scans.spleen[s]),
            )
            worse = worse or spleen_worse(rule, base.spleen, low_spleen, spleen) or marrow_worse(scans.base_marrow[s], marrow, cleared)
            cleared = (cleared or marrow == CLEAR) and marrow <= CLEAR
            marrow_clear = marrow <= CLEAR and (cleared or scans.base_marrow[s] < INVOLVED)
            flags = why_not_evaluable(limits, base, found, spleen)
            out.signs[v] = GROWN * grown + NEW * new + OTHER_SIGN * worse
            if out.signs[v]:
                out.status[v], out.flags[v] = PD, NEW_LESION_SEEN if new else 0
            elif flags:
                out.status[v], out.flags[v] = NE, flags
            else:
                out.status[v], out.flags[v] = response(limits, base, Seen(clear, gone, spd, spleen, marrow_clear))
            out.spd[v] = spd if found == base.targets and found > 0 else np.nan
            low_spleen = spleen if np.isnan(low_spleen) or spleen < low_spleen else low_spleen


class Base(NamedTuple):
    """A subject's baseline: see `Scans`."""

    known: bool
    disease: bool
    targets: int
    others: int
    spd: float
    spleen: float


class Seen(NamedTuple):
    """What a scan shows: nothing measured that a complete response excludes, non-targets that are gone, the sum, the spleen, the marrow."""

    clear: bool
    gone: int
    spd: float
    spleen: float
    marrow_clear: bool


@part
def above(value: float, limit: float) -> bool:
    """More than a limit; never of a number that is missing."""
    return value > limit + EPS * max(1.0, abs(limit))


@part
def reaches(value: float, limit: float) -> bool:
    """At least a limit; never of a number that is missing."""
    return value >= limit - EPS * max(1.0, abs(limit))


@part
def has_grown(limits: Limits, times: float, long: float, longer: float, wider: float) -> bool:
    """No normal node any more, its product half above its nadir, and a diameter longer by the step of its size at the nadir (L2, L3)."""
    step = limits.step_large if above(long - longer, limits.band) else limits.step_small
    return above(long, limits.node) and reaches(times, limits.growth) and (reaches(longer, step) or reaches(wider, step))


@part
def is_normal(limits: Limits, nodal: bool, long: float, area: float) -> bool:
    """A node of normal size; elsewhere gone (L2)."""
    return not above(long, limits.node) if nodal else area <= 0.0


@part
def new_lesion(limits: Limits, nodal: bool, long: float, state: int) -> int:
    """Progression above a size, at any size beyond doubt, and where no size was recorded; at no size while in doubt (L2, L3)."""
    if state == ABSENT or state == NOT_EVALUATED or long == 0.0:
        return NOT_NEW
    if state == EQUIVOCAL:
        return DOUBTFUL_NEW
    if state == UNEQUIVOCAL or above(long, limits.new_node if nodal else limits.new_extranodal):
        return PROGRESSING_NEW
    return PROGRESSING_NEW if np.isnan(long) else SMALL_NEW


@part
def spleen_worse(rule: LesionRule, base: float, low: float, now: float) -> bool:
    """Enlarged at baseline: half of the excess more, or enlarged again; not enlarged: longer by the step, and enlarged (L2, L3)."""
    limits = rule.limits
    start = low if rule.spleen_nadir else base
    if np.isnan(base) or not above(now, limits.spleen):
        return False
    if not above(base, limits.spleen):
        return reaches(now - start, limits.spleen_step)
    again = not above(low, limits.spleen) and reaches(now - low, limits.spleen_step)
    return again or (above(start, limits.spleen) and above(now, start + 0.5 * (start - limits.spleen)))


@part
def marrow_worse(base: int, now: int, cleared: bool) -> bool:
    """New or recurrent lymphoma in the marrow (L2)."""
    return now == NEWLY_INVOLVED or (now == INVOLVED and (base == CLEAR or cleared))


@part
def why_not_evaluable(limits: Limits, base: Base, found: int, spleen: float) -> int:
    """No baseline, no disease there (then no response is called), a target or an enlarged spleen not measured: flags, else 0 (L3)."""
    if not base.known:
        return IMAGING_BASELINE_MISSING
    if not base.disease:
        return NO_DISEASE
    missing = TARGET_NOT_EVALUATED if found < base.targets else 0
    return missing | (SPLEEN_NOT_MEASURED if above(base.spleen, limits.spleen) and np.isnan(spleen) else 0)


@part
def response(limits: Limits, base: Base, seen: Seen) -> tuple[int, int]:
    """Complete: all normal or gone, the marrow too; partial: the sum halved, the spleen's excess more than halved; else stable (L2, L3)."""
    if seen.clear and seen.gone >= base.others and not above(seen.spleen, limits.spleen):
        return (CR, 0) if seen.marrow_clear else (PR, MARROW_NOT_CLEARED)
    enlarged = above(base.spleen, limits.spleen)
    less = not enlarged or above(base.spleen - seen.spleen, 0.5 * (base.spleen - limits.spleen))
    smaller = base.targets > 0 and not above(seen.spd, limits.fall * base.spd)
    return (PR, 0) if smaller and less else (SD, 0)
