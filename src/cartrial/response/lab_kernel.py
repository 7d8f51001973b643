"""Which status do the laboratory values give at each date, under a criteria set?

One subject after the other, one date after the other: what was found at the date and near it, whether that is a relapse, a remission,
disease that no remission preceded, or too little to say. Each part below is one sentence of the rule.
"""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartrial.kernels import kernel, part
from cartrial.response.codes import (
    BASELINE_MISSING,
    BEFORE_REMISSION,
    BLOOD_NOT_RECORDED,
    COUNTS_MISSING,
    EMD_NOT_RECORDED,
    EMD_TAKEN_AS_ABSENT,
    EMD_UNPROVEN,
    INADEQUATE_MARROW,
    LIMIT_UNDECIDED,
    NOTHING_SAID,
    PROVEN,
    RETURNED,
    TRANSFUSED,
)
from cartrial.response.range_kernel import (
    ABOVE,
    MISSING,
    Limit,
    Range,
    fails,
    is_missing,
    is_undecided,
    is_unknown,
    meets,
    significant_of,
)
from cartrial.response.status_kernel import is_in
from cartrial.study.criteria.codes import CR, CRH, CRH_NEUTROPHILS, CRH_PLATELETS, CRI, INDETERMINATE, MLFS, NE, NR, PD, RELAPSE, RISE

__all__ = ["Assessed", "Candidates", "Evidence", "LabRule", "Labs", "Limit", "Starts", "assess_lab"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

NEAR_DAYS = 7

PRESENT, SUSPECTED, ABSENT = 0.0, 0.5, 1.0
"""Extramedullary disease as a value: the lowest of one date speaks for it, and so disease found does."""

NO_ASSESSMENT = -1
"""Stands for the status of a candidate that is no assessment of its own."""


class Evidence(NamedTuple):
    """Records of one kind, one a date, by subject and day: those of subject s stand from `at[s]` to `at[s + 1]`."""

    at: Integers
    day: Integers
    low: Floats
    high: Floats
    seq: Integers
    """Of the record in its domain, -1 where there is none."""


class Labs(NamedTuple):
    """Circulating blasts (%), counts (10^9/L), extramedullary disease (`PRESENT` or `ABSENT`), and transfusions."""

    blood: Evidence
    neutrophils: Evidence
    platelets: Evidence
    emd: Evidence
    transfusions: Evidence


class Candidates(NamedTuple):
    """Dates that may be an assessment, by subject and day.

    `sampled`: 1 for a marrow sample, 0 for circulating blasts or extramedullary disease alone. `low`, `high`: marrow blasts in %, nan
    without an adequate sample.
    """

    at: Integers
    day: Integers
    low: Floats
    high: Floats
    sampled: Integers
    proof: Integers
    """What other tests say of it (`cartrial.response.codes`): nothing, a relapse, or neither relapse nor remission yet."""


class Starts(NamedTuple):
    """Day 0 of each subject, the last day of its baseline, and the first day of a remission after day 0."""

    day0: Integers
    baseline: Integers
    remission: Integers


class LabRule(NamedTuple):
    """What a criteria set asks of a remission, a relapse and morphologic disease, and its options."""

    marrow: Limit
    neutrophils: Limit
    platelets: Limit
    relapse_marrow: Limit
    relapse_blood: Limit
    refractory_marrow: Limit
    crh: bool
    exactly_one: bool
    """CRi is exactly one count that fails; both failing is MLFS."""
    aplastic_mlfs: bool
    transfusion_free_days: int
    remission: int
    """The statuses that are a remission, one bit each."""


class Assessed(NamedTuple):
    """Filled for each candidate: the status (`NO_ASSESSMENT`: evidence near a marrow sample) and the flags.

    `blood`, `neutrophils`, `platelets`, `emd`: which record each of these was read from, its number in the domain, -1 for none.
    """

    status: Integers
    flags: Integers
    blood: Integers
    neutrophils: Integers
    platelets: Integers
    emd: Integers


class Near(NamedTuple):
    """A record near a date. In this order, since the least of two is the one that speaks."""

    gap: int
    day: int
    low: float
    high: float
    seq: int


class Baseline(NamedTuple):
    """The last values before lymphodepletion."""

    marrow: Range
    blood: Range
    emd: float


class Used(NamedTuple):
    """The records that what is known at one date was read from, by their numbers."""

    blood: int
    neutrophils: int
    platelets: int
    emd: int


class Findings(NamedTuple):
    """What is known at one date. `confirmed`: the circulating blasts. `transfused`: before the platelets."""

    marrow: Range
    blood: Range
    confirmed: bool
    neutrophils: Range
    platelets: Range
    transfused: bool
    emd: float
    proof: int
    used: Used


@kernel
def assess_lab(candidates: Candidates, labs: Labs, starts: Starts, rule: LabRule, assessed: Assessed) -> None:
    """Fill `assessed` for every candidate."""
    for s in range(len(candidates.at) - 1):
        baseline = baseline_of(candidates, labs, s, starts.baseline[s])
        infused, remitted = False, False
        for i in range(candidates.at[s], candidates.at[s + 1]):
            if candidates.day[i] > starts.day0[s] and not infused:
                # a remission before infusion is none that a relapse after it can follow
                infused, remitted = True, False
            status, flags, used = NO_ASSESSMENT, 0, Used(-1, -1, -1, -1)
            if candidates.sampled[i] or not has_marrow_near(candidates, s, candidates.day[i]):
                findings = findings_at(candidates, labs, starts.baseline[s], rule, s, i)
                status, flags = status_of(findings, baseline, remitted, rule)
                used = findings.used
                flags |= not_recorded(findings, baseline, candidates.sampled[i])
                if infused and candidates.day[i] < starts.remission[s] and is_in(rule.remission, status):
                    status, flags = NE, flags | BEFORE_REMISSION
                remitted = remitted or is_in(rule.remission, status)
            assessed.status[i], assessed.flags[i] = status, flags
            assessed.blood[i], assessed.neutrophils[i] = used.blood, used.neutrophils
            assessed.platelets[i], assessed.emd[i] = used.platelets, used.emd


@part
def baseline_of(candidates: Candidates, labs: Labs, s: int, last: int) -> Baseline:
    """The last assessment before lymphodepletion, each value on its own."""
    marrow = Range(MISSING, MISSING)
    for i in range(candidates.at[s], candidates.at[s + 1]):
        if candidates.day[i] <= last and not isnan(candidates.low[i]):
            marrow = Range(candidates.low[i], candidates.high[i])
    return Baseline(marrow, last_value(labs.blood, s, last), last_value(labs.emd, s, last).low)


@part
def last_value(evidence: Evidence, s: int, last: int) -> Range:
    """The value of the last date up to a day."""
    value = Range(MISSING, MISSING)
    for j in range(evidence.at[s], evidence.at[s + 1]):
        if evidence.day[j] <= last:
            value = Range(evidence.low[j], evidence.high[j])
    return value


@part
def has_marrow_near(candidates: Candidates, s: int, day: int) -> bool:
    """Evidence within 7 days of a marrow sample belongs to that sample's assessment."""
    for i in range(candidates.at[s], candidates.at[s + 1]):
        if candidates.sampled[i] and abs(candidates.day[i] - day) <= NEAR_DAYS:
            return True
    return False


@part
def findings_at(candidates: Candidates, labs: Labs, baseline: int, rule: LabRule, s: int, i: int) -> Findings:
    """Counts, circulating blasts and extramedullary disease, each on its own (rules, paragraph 3)."""
    day = candidates.day[i]
    blood, platelets = nearest(labs.blood, s, day), nearest(labs.platelets, s, day)
    neutrophils, emd = nearest(labs.neutrophils, s, day), nearest(labs.emd, s, day)
    return Findings(
        Range(candidates.low[i], candidates.high[i]),
        Range(blood.low, blood.high),
        blood.low > 0 and is_confirmed(labs.blood, s, blood.day, baseline),
        Range(neutrophils.low, neutrophils.high),
        Range(platelets.low, platelets.high),
        rule.transfusion_free_days > 0 and is_transfused(labs.transfusions, s, platelets.day, rule.transfusion_free_days),
        emd.low,
        candidates.proof[i],
        Used(blood.seq, neutrophils.seq, platelets.seq, emd.seq),
    )


@part
def nearest(evidence: Evidence, s: int, day: int) -> Near:
    """The record nearest to a date within 7 days, the earlier on a tie (rules, paragraph 3)."""
    speaks = Near(NEAR_DAYS + 1, 0, MISSING, MISSING, -1)
    for j in range(evidence.at[s], evidence.at[s + 1]):
        gap = abs(evidence.day[j] - day)
        if gap <= NEAR_DAYS:
            near = Near(gap, evidence.day[j], evidence.low[j], evidence.high[j], evidence.seq[j])
            speaks = near if near < speaks else speaks
    return speaks


@part
def is_confirmed(blood: Evidence, s: int, day: int, baseline: int) -> bool:
    """Circulating blasts are seen on another day too, within 7 days and after baseline."""
    for j in range(blood.at[s], blood.at[s + 1]):
        if blood.low[j] > 0 and 0 < abs(blood.day[j] - day) <= NEAR_DAYS and blood.day[j] > baseline:
            return True
    return False


@part
def is_transfused(transfusions: Evidence, s: int, day: int, free_days: int) -> bool:
    """A count within the days after a transfusion does not count as recovered."""
    for j in range(transfusions.at[s], transfusions.at[s + 1]):
        if 0 <= day - transfusions.day[j] <= free_days:
            return True
    return False


@part
def is_doubtful(blood: Range) -> bool:
    """There may be circulating blasts, or none (rules, A8)."""
    return blood.low <= 0 < blood.high


@part
def not_recorded(findings: Findings, baseline: Baseline, sampled: int) -> int:
    """Flags of what was not recorded; EMD not recorded is absent if absent at baseline (rules, paragraph 3)."""
    flags = INADEQUATE_MARROW if sampled and is_missing(findings.marrow) else 0
    if isnan(findings.emd):
        flags |= EMD_TAKEN_AS_ABSENT if baseline.emd == ABSENT else EMD_NOT_RECORDED
    if is_missing(findings.blood):
        flags |= BLOOD_NOT_RECORDED
    return flags


@part
def status_of(findings: Findings, baseline: Baseline, remitted: bool, rule: LabRule) -> tuple[int, int]:
    """The status of one date, and its flags."""
    disease_elsewhere = findings.blood.low > 0 or findings.emd == PRESENT
    if remitted and is_relapse(findings, rule):
        return RELAPSE, 0
    if findings.emd == SUSPECTED and not disease_elsewhere and not fails(findings.marrow, rule.marrow):
        return NE, EMD_UNPROVEN
    if is_missing(findings.marrow) and not disease_elsewhere:
        return NE, 0
    if remitted and may_be_relapse(findings, rule):
        return NE, LIMIT_UNDECIDED
    if not disease_elsewhere and findings.proof in (NOTHING_SAID, RETURNED) and not fails(findings.marrow, rule.marrow):
        if is_undecided(findings.marrow, rule.marrow) or is_doubtful(findings.blood):
            return NE, LIMIT_UNDECIDED
        if isnan(findings.emd) and baseline.emd != ABSENT:
            return NE, 0
        return remission_of(findings, rule)
    if remitted:
        return INDETERMINATE, 0
    return resistance_of(findings, baseline, rule)


@part
def is_relapse(findings: Findings, rule: LabRule) -> bool:
    """Blasts beyond the criteria's limits for a relapse, or extramedullary disease (rules, paragraph 3)."""
    by_blasts = meets(findings.blood, rule.relapse_blood) or meets(findings.marrow, rule.relapse_marrow)
    return by_blasts or findings.emd == PRESENT or findings.proof in (PROVEN, RETURNED)


@part
def may_be_relapse(findings: Findings, rule: LabRule) -> bool:
    """Whether blasts are beyond the limits for a relapse cannot be decided (rules, A8)."""
    return is_undecided(findings.blood, rule.relapse_blood) or is_undecided(findings.marrow, rule.relapse_marrow)


@part
def remission_of(findings: Findings, rule: LabRule) -> tuple[int, int]:
    """CR with both counts recovered, CRi without one or both; CRh and MLFS as the criteria's options say (rules, paragraph 3)."""
    neutrophils_recovered = meets(findings.neutrophils, rule.neutrophils)
    platelets_reached = meets(findings.platelets, rule.platelets)
    platelets_recovered = platelets_reached and not findings.transfused
    flags = TRANSFUSED if platelets_reached and findings.transfused else 0
    if is_unknown(findings.neutrophils, rule.neutrophils) or is_unknown(findings.platelets, rule.platelets):
        return CRI, flags | COUNTS_MISSING
    if neutrophils_recovered and platelets_recovered:
        return CR, flags
    least_neutrophils, least_platelets = Limit(ABOVE, CRH_NEUTROPHILS), Limit(ABOVE, CRH_PLATELETS)
    partly = meets(findings.neutrophils, least_neutrophils) and meets(findings.platelets, least_platelets)
    aplastic = fails(findings.neutrophils, least_neutrophils) and fails(findings.platelets, least_platelets)
    undecided = is_undecided(findings.neutrophils, least_neutrophils) or is_undecided(findings.platelets, least_platelets)
    if rule.crh and partly:
        return CRH, flags
    if undecided and (rule.crh or rule.aplastic_mlfs):
        return CRI, flags | COUNTS_MISSING
    if not neutrophils_recovered and not platelets_recovered and (rule.exactly_one or (rule.aplastic_mlfs and aplastic)):
        return MLFS, flags
    return CRI, flags


@part
def resistance_of(findings: Findings, baseline: Baseline, rule: LabRule) -> tuple[int, int]:
    """PD where blasts rose or extramedullary disease is new, else NR; baseline missing: NR (rules, paragraph 3)."""
    nothing = is_missing(baseline.marrow) and is_missing(baseline.blood) and isnan(baseline.emd)
    flags = BASELINE_MISSING if nothing else 0
    in_marrow = meets(findings.marrow, rule.refractory_marrow) and has_risen(findings.marrow, baseline.marrow)
    in_blood = findings.confirmed and has_risen(findings.blood, baseline.blood)
    new_emd = findings.emd == PRESENT and baseline.emd == ABSENT
    return PD if in_marrow or in_blood or new_emd else NR, flags


@part
def has_risen(blasts: Range, before: Range) -> bool:
    """Up by at least a quarter of the value at baseline, wherever both lie (rules, paragraph 3)."""
    return not is_missing(before) and blasts.low > before.high and blasts.low >= significant_of(RISE * before.high)
