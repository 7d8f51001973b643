"""Which status do the laboratory values give at each date, under a criteria set?"""

from __future__ import annotations

from typing import Any

from cartrial.kernels import kernel
from cartrial.response.codes import (
    BASELINE_MISSING,
    BLOOD_NOT_RECORDED,
    COUNTS_MISSING,
    EMD_NOT_RECORDED,
    EMD_TAKEN_AS_ABSENT,
    INADEQUATE_MARROW,
    TRANSFUSED,
)
from cartrial.study.criteria.codes import CR, CRH, CRI, INDETERMINATE, MLFS, NE, NR, PD, RELAPSE

__all__ = ["assess_lab"]


@kernel
def assess_lab(
    at: Any,
    day: Any,
    marrow: Any,
    kind: Any,
    blood_at: Any,
    blood_day: Any,
    blood: Any,
    neut_at: Any,
    neut_day: Any,
    neut: Any,
    plat_at: Any,
    plat_day: Any,
    plat: Any,
    emd_at: Any,
    emd_day: Any,
    emd: Any,
    trans_at: Any,
    trans_day: Any,
    day0: Any,
    base_day: Any,
    ops: Any,
    limits: Any,
    crh: bool,
    exactly_one: bool,
    aplastic_mlfs: bool,
    transfusion_days: int,
    status: Any,
    flags: Any,
) -> None:
    """Fill `status` and `flags` of every candidate date.

    Parameters
    ----------
    at : ndarray of int64, shape (subjects + 1,)
        Where each subject's candidates start; likewise `*_at` of the other records.
    day, marrow, kind : ndarray, shape (candidates,)
        Day, marrow blasts in % (nan where inadequate), and 1 for a marrow sample, 0 for blood or EMD evidence alone. Sorted by day.
    blood, neut, plat, emd : ndarray
        Circulating blasts (%), counts (10^9/L), EMD (1 present, 0 absent, -1 not done), each with its days.
    day0, base_day : ndarray of int64, shape (subjects,)
        Day 0 and the last day of baseline.
    ops, limits : ndarray, shape (6,)
        Operators (0 <, 1 <=, 2 >, 3 >=) and limits: marrow, ANC, platelets, relapse marrow, relapse blood, refractory marrow.
    status, flags : ndarray of int64, shape (candidates,)
        Filled; status -1 where a candidate is no assessment (evidence near a marrow sample).

    Notes
    -----
    Counts, circulating blasts and EMD are the nearest within 7 days, each on its own, the earlier on a tie, the lowest of one date.
    """
    for s in range(len(at) - 1):
        # baseline: the last values on or before the last day before lymphodepletion
        base_marrow = -1.0
        for i in range(at[s], at[s + 1]):
            if day[i] <= base_day[s] and kind[i] == 1 and marrow[i] == marrow[i]:
                base_marrow = marrow[i]
        base_blood = -1.0
        base_blood_day = -(2**40)
        for j in range(blood_at[s], blood_at[s + 1]):
            if blood_day[j] <= base_day[s]:
                if blood_day[j] != base_blood_day or blood[j] < base_blood:
                    base_blood = blood[j]
                base_blood_day = blood_day[j]
        base_emd = -1
        base_emd_day = -(2**40)
        for j in range(emd_at[s], emd_at[s + 1]):
            if emd_day[j] <= base_day[s] and emd[j] >= 0:
                if emd_day[j] != base_emd_day or emd[j] > base_emd:
                    base_emd = emd[j]
                base_emd_day = emd_day[j]
        remission = False
        relapsed = False
        started = False
        for i in range(at[s], at[s + 1]):
            d = day[i]
            if d > day0[s] and not started:
                started = True
                remission = False
                relapsed = False
            if kind[i] == 0:
                near = False
                for j in range(at[s], at[s + 1]):
                    if kind[j] == 1 and day[j] - d <= 7 and d - day[j] <= 7:
                        near = True
                if near:
                    status[i] = -1
                    continue
            f = 0
            # nearest within 7 days: the earlier on a tie, the lowest of one date
            b = -1.0
            best = 8
            best_day = 0
            for j in range(blood_at[s], blood_at[s + 1]):
                gap = blood_day[j] - d if blood_day[j] > d else d - blood_day[j]
                if (
                    gap < best
                    or (gap == best and best < 8 and blood_day[j] < best_day)
                    or (gap == best and best < 8 and blood_day[j] == best_day and blood[j] < b)
                ):
                    b, best, best_day = blood[j], gap, blood_day[j]
            b_day = best_day
            anc = -1.0
            best = 8
            best_day = 0
            for j in range(neut_at[s], neut_at[s + 1]):
                gap = neut_day[j] - d if neut_day[j] > d else d - neut_day[j]
                if (
                    gap < best
                    or (gap == best and best < 8 and neut_day[j] < best_day)
                    or (gap == best and best < 8 and neut_day[j] == best_day and neut[j] < anc)
                ):
                    anc, best, best_day = neut[j], gap, neut_day[j]
            platelets = -1.0
            plat_on = 0
            best = 8
            best_day = 0
            for j in range(plat_at[s], plat_at[s + 1]):
                gap = plat_day[j] - d if plat_day[j] > d else d - plat_day[j]
                if (
                    gap < best
                    or (gap == best and best < 8 and plat_day[j] < best_day)
                    or (gap == best and best < 8 and plat_day[j] == best_day and plat[j] < platelets)
                ):
                    platelets, best, best_day = plat[j], gap, plat_day[j]
                    plat_on = plat_day[j]
            e = -1
            best = 8
            best_day = 0
            for j in range(emd_at[s], emd_at[s + 1]):
                if emd[j] < 0:
                    continue
                gap = emd_day[j] - d if emd_day[j] > d else d - emd_day[j]
                if (
                    gap < best
                    or (gap == best and best < 8 and emd_day[j] < best_day)
                    or (gap == best and best < 8 and emd_day[j] == best_day and emd[j] > e)
                ):
                    e, best, best_day = emd[j], gap, emd_day[j]
            adequate = kind[i] == 1 and marrow[i] == marrow[i]
            m = marrow[i] if adequate else 0.0
            if kind[i] == 1 and not adequate:
                f |= INADEQUATE_MARROW
            emd_known = e >= 0
            if not emd_known:
                if base_emd == 0:
                    emd_known = True
                    e = 0
                    f |= EMD_TAKEN_AS_ABSENT
                else:
                    f |= EMD_NOT_RECORDED
            if b < 0:
                f |= BLOOD_NOT_RECORDED
            evidence = b > 0 or e == 1
            marrow_ok = False
            if adequate:
                x = m
                marrow_ok = (
                    x < limits[0]
                    if ops[0] == 0
                    else (x <= limits[0] if ops[0] == 1 else (x > limits[0] if ops[0] == 2 else x >= limits[0]))
                )
            clear = adequate and marrow_ok and not evidence
            if remission or relapsed:
                over = e == 1
                if adequate:
                    x = m
                    if (
                        x < limits[3]
                        if ops[3] == 0
                        else (x <= limits[3] if ops[3] == 1 else (x > limits[3] if ops[3] == 2 else x >= limits[3]))
                    ):
                        over = True
                if b >= 0:
                    x = b
                    if (
                        x < limits[4]
                        if ops[4] == 0
                        else (x <= limits[4] if ops[4] == 1 else (x > limits[4] if ops[4] == 2 else x >= limits[4]))
                    ):
                        over = True
                if over:
                    status[i] = RELAPSE
                    relapsed = True
                    flags[i] = f
                    continue
                if not clear:
                    status[i] = INDETERMINATE if adequate or evidence else NE
                    flags[i] = f
                    continue
            if clear:
                if not emd_known:
                    status[i] = NE
                    flags[i] = f
                    continue
                anc_ok = False
                if anc >= 0:
                    x = anc
                    anc_ok = (
                        x < limits[1]
                        if ops[1] == 0
                        else (x <= limits[1] if ops[1] == 1 else (x > limits[1] if ops[1] == 2 else x >= limits[1]))
                    )
                plat_ok = False
                if platelets >= 0:
                    x = platelets
                    plat_ok = (
                        x < limits[2]
                        if ops[2] == 0
                        else (x <= limits[2] if ops[2] == 1 else (x > limits[2] if ops[2] == 2 else x >= limits[2]))
                    )
                if transfusion_days > 0 and plat_ok:
                    for j in range(trans_at[s], trans_at[s + 1]):
                        if 0 <= plat_on - trans_day[j] <= transfusion_days:
                            plat_ok = False
                            f |= TRANSFUSED
                found = CRI
                if anc < 0 or platelets < 0:
                    f |= COUNTS_MISSING
                elif anc_ok and plat_ok:
                    found = CR
                elif crh and anc > 0.5 and platelets > 50.0:
                    found = CRH
                elif not anc_ok and not plat_ok:
                    if exactly_one or (aplastic_mlfs and anc <= 0.5 and platelets <= 50.0):
                        found = MLFS
                status[i] = found
                if found != MLFS:
                    remission = True
                flags[i] = f
                continue
            if not adequate and not evidence:
                status[i] = NE
                flags[i] = f
                continue
            # adequate or evidence of disease, and not in remission: NR or PD
            found = NR
            if base_marrow < 0 and base_blood < 0 and base_emd < 0:
                f |= BASELINE_MISSING
            if adequate and base_marrow >= 0:
                x = m
                disease = (
                    x < limits[5]
                    if ops[5] == 0
                    else (x <= limits[5] if ops[5] == 1 else (x > limits[5] if ops[5] == 2 else x >= limits[5]))
                )
                if disease and x > base_marrow and x >= 1.25 * base_marrow:
                    found = PD
            if b > 0 and base_blood >= 0 and b > base_blood and b >= 1.25 * base_blood:
                confirmed = False
                for j in range(blood_at[s], blood_at[s + 1]):
                    gap = blood_day[j] - b_day if blood_day[j] > b_day else b_day - blood_day[j]
                    if blood[j] > 0 and 0 < gap <= 7 and blood_day[j] > base_day[s]:
                        confirmed = True
                if confirmed:
                    found = PD
            if e == 1 and base_emd == 0:
                found = PD
            status[i] = found
            flags[i] = f
