"""Which progressions can be a flare of immune cells, by LYRIC 2016? One reader's visits of one subject after the other (rules, L5).

A progression that can be one is indeterminate until the next imaging settles it: IR1 the sum of products up by half soon after the
infusion, IR2 a lesion new or grown while the sum is not, IR3 uptake alone. Lengths in mm, products in mm^2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part
from cartrial.response.codes import FLARE_LESION, FLARE_SUM, FLARE_UPTAKE, NEW_LESION_SEEN
from cartrial.response.imaging.lesion_kernel import GROWN, NEW, OTHER_SIGN, Limits, Measured, above, reaches
from cartrial.response.status_kernel import is_adequate, is_in
from cartrial.response.unconfirmed_kernel import LYRIC_DAYS
from cartrial.sdtm.vocabulary.imaging.codes import SPLEEN
from cartrial.study.criteria.codes import IR, Roles

__all__ = ["Sums", "Visits", "find_flares"]

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]

RISE = 1.5
"""The sum of products is up by half."""

FURTHER = 1.1
"""After IR1 the sum is progression when it is so many times what it was then, and a lesion (no spleen) is longer by its step."""


class Visits(NamedTuple):
    """A reader's calls by series (of one subject) and day, in place: those of series s stand from `at[s]` to `at[s + 1]`.

    `scan`: the CT of each visit, -1 where there is none; `worse`: clinical deterioration. By series: day 0, and the first transplant or new
    therapy.
    """

    at: Integers
    day: Integers
    status: Integers
    flags: Integers
    scan: Integers
    worse: NDArray[np.bool_]
    day0: Integers
    therapy: Integers


class Sums(NamedTuple):
    """By scan: where its rows start, the signs of progression, the sum of products (nan: not known) and its nadir before.

    `least`: of what was measured, so that the sum is at least that; `joint`, `joint_low`: the same with the new lesions, of all the six
    largest.
    """

    row_at: Integers
    signs: Integers
    spd: Numbers
    low: Numbers
    least: Numbers
    joint: Numbers
    joint_low: Numbers


@kernel
def find_flares(visits: Visits, sums: Sums, rows: Measured, limits: Limits, roles: Roles) -> None:
    """Make the progressions that can be a flare, and that nothing has settled, indeterminate, in place."""
    for s in range(len(visits.at) - 1):
        kind, first, last = 0, -1, -1
        for i in range(visits.at[s], visits.at[s + 1]):
            day, v = visits.day[i], visits.scan[i]
            if day <= visits.day0[s] or not is_adequate(visits.status[i]):
                continue
            if not is_in(roles.ends, visits.status[i]):
                kind = 0
                continue
            if kind and (day - last > LYRIC_DAYS or last <= visits.therapy[s] < day):
                kind = 0
            signs, shown = 0, Shown(0, np.nan, np.nan, np.nan, np.nan, np.nan)
            if v >= 0:
                signs = sums.signs[v]
                shown = Shown(signs, sums.spd[v], sums.low[v], sums.least[v], sums.joint[v], sums.joint_low[v])
            if visits.flags[i] & NEW_LESION_SEEN:
                shown = Shown(signs | NEW, shown.spd, shown.low, shown.least, shown.joint, shown.joint_low)
            if kind == 0:
                kind, first = flare_of(shown, 0 < day - visits.day0[s] <= LYRIC_DAYS and not visits.worse[i]), v
            else:
                before, longer = np.nan, False
                if kind == FLARE_SUM and v >= 0:
                    before = sums.spd[first]
                    for j in range(sums.row_at[v], sums.row_at[v + 1]):
                        for k in range(sums.row_at[first], sums.row_at[first + 1]):
                            if rows.lesion[k] == rows.lesion[j] and rows.kind[j] != SPLEEN:
                                steps = (rows.long[j] - rows.long[k], rows.short[j] - rows.short[k])
                                longer = longer or is_longer(limits, rows.long[k], *steps)
                if is_settled(kind, shown, before, longer):
                    kind = 0
            if kind == 0:
                break
            visits.status[i] = IR
            visits.flags[i] |= kind
            last = day


class Shown(NamedTuple):
    """What a visit shows: the signs of progression, the sums of products and their nadirs before, as `Sums` has them."""

    signs: int
    spd: float
    low: float
    least: float
    joint: float
    joint_low: float


@part
def is_up(now: float, low: float) -> bool:
    """A sum is up by half from its nadir; never one that is not known."""
    return now > 0.0 and reaches(now, RISE * low)


@part
def flare_of(shown: Shown, early: bool) -> int:
    """Which class a progression is, 0 where it counts: a sign that is no lesion or uptake, or a sum that is not known (L5).

    `early`: within 84 days, without clinical deterioration.
    """
    if shown.signs & OTHER_SIGN or np.isnan(shown.spd):
        return 0
    if is_up(shown.spd, shown.low):
        return FLARE_SUM if early else 0
    return FLARE_LESION if shown.signs else FLARE_UPTAKE


@part
def is_longer(limits: Limits, before: float, longer: float, wider: float) -> bool:
    """A diameter is longer by the step of the lesion's size before."""
    step = limits.step_large if above(before, limits.band) else limits.step_small
    return reaches(longer, step) or reaches(wider, step)


@part
def is_settled(kind: int, shown: Shown, before: float, longer: bool) -> bool:
    """After an indeterminate read the next imaging shows progression, by what its class asks or by a sign that is never a flare (L5).

    `before`: the sum at the first IR1; `longer`: a lesion is longer since by its step.
    """
    if shown.signs & OTHER_SIGN:
        return True
    if kind == FLARE_SUM:
        return longer and reaches(shown.least, FURTHER * before)
    if kind == FLARE_LESION:
        return is_up(shown.joint, shown.joint_low)
    return shown.signs & (GROWN | NEW) != 0 or is_up(shown.least, shown.low)
