"""What are the rates of change of a patient's state, and their derivatives?

The equations stand here once; the solver, the reference solution of the tests and any later device read them from here.
Cells are in 1/uL of blood equivalent (one cell in the body: `ONE_CELL`), time in days. Numbers in capitals are those of `data/model.yaml`,
`equations`; the others belong to the patient. S, N, X, B, E, M, H, R and e^-s are exponentials of states.

    S, N, X   CD19-positive blasts; CD19-positive blasts in a sanctuary; CD19-negative blasts. L = S + N + X
    B         normal B cells
    E, M, W   effector, memory and exhausted CAR-T cells. C = E + M + W
    s         spent proliferative capacity; e^-s is left
    H, R, A   host T cells; host-versus-graft activity; effect of alemtuzumab
    I, F, P   IL-6, ferritin, CRP
    r, n, p   reserve of the marrow (logit), neutrophils, platelets
    c0 .. c3  factors of treatment on expansion, signal, yield and clearance of IL-6

    a  = (S + N + B) / (antigen-half + S + N + B)
    kE = kill E / (kill-half + E + target-weight (S + N))
    kM = kill memory-kill M / (memory-half + M)
    k  = kE + kM
    g  = growth (1 - L / CAPACITY)
    x  = c0 expansion a e^-s / (1 + (H + C) / room-half) E / (E + ONE_CELL)
    w  = exhaustion a (1 - e^-s)
    R* = R / (1 + R / REJECTION_CAP), 0 for an autologous product
    h  = HOST_RATE e^(-ALEMTUZUMAB_POWER A) ln((H + C) / HOST_CAPACITY)
    y  = kE S
    u  = ln(1 + c1 I / ACUTE_HALF)

    S'/S = g - k
    N'/N = g - reach k / (ACCESS_HALF + k)
    X'/X = g
    B'/B = B_SOURCE / B / (1 + (E + M) / memory-half) - 1 / B_LIFE - k
    E'/E = x - contraction - to-memory - w - R*
    M'/M = to-memory E / M - memory-loss - R*
    s'   = spending a
    W'   = w E - (EXHAUSTED_LOSS + R*) W
    H'/H = -h
    R'/R = -h + sensitisation C / (REJECTION_HALF + C)
    A'   = -A / alemtuzumab-time
    I'   = IL6_CLEARANCE (IL6_BASE + c2 il6-yield y / (1 + y / LYSIS_HALF) - c3 I)
    F'   = FERRITIN_RATE (FERRITIN_BASE (1 + FERRITIN_GAIN u) - F)
    P'   = CRP_RATE (CRP_BASE + CRP_GAIN u - P)
    r'   = recovery / (1 + c1 I / il6-brake)
    n'   = ANC_RATE (anc-base / (1 + e^-r) / (1 + L / MARROW_HALF) - n)
    p'   = PLT_RATE (plt-base / (1 + e^-r) / (1 + L / MARROW_HALF) - p)
"""

from __future__ import annotations

import numba as nb

from cartrial.virtual.engine.kernel_codes import (
    ACCESS_HALF,
    ACUTE_HALF,
    ALEMTUZUMAB_POWER,
    ANC_RATE,
    B_LIFE,
    B_SOURCE,
    CAPACITY,
    CRP_BASE,
    CRP_GAIN,
    CRP_RATE,
    EXHAUSTED_LOSS,
    FERRITIN_BASE,
    FERRITIN_GAIN,
    FERRITIN_RATE,
    HOST_CAPACITY,
    HOST_RATE,
    IL6_BASE,
    IL6_CLEARANCE,
    LYSIS_HALF,
    MARROW_HALF,
    ONE_CELL,
    PLT_RATE,
    Q_ALEMTUZUMAB_TIME,
    Q_ALLOGENEIC,
    Q_ANC_BASE,
    Q_ANTIGEN_HALF,
    Q_CONTRACTION,
    Q_EXHAUSTION,
    Q_EXPANSION,
    Q_GROWTH,
    Q_IL6_BRAKE,
    Q_IL6_YIELD,
    Q_KILL,
    Q_KILL_HALF,
    Q_MEMORY_HALF,
    Q_MEMORY_KILL,
    Q_MEMORY_LOSS,
    Q_PLT_BASE,
    Q_REACH,
    Q_RECOVERY,
    Q_ROOM_HALF,
    Q_SENSITISATION,
    Q_SPENDING,
    Q_TARGET_WEIGHT,
    Q_TO_MEMORY,
    REJECTION_CAP,
    REJECTION_HALF,
)
from cartrial.virtual.engine.lanes_kernel import Flags, Floats, anywhere, pick
from cartrial.virtual.engine.lanes_kernel_functions import exp, larger, log, smaller

__all__ = ["rates"]

# products are quicker than quotients
_PER_CAPACITY = 1.0 / CAPACITY
_PER_HOST_CAPACITY = 1.0 / HOST_CAPACITY
_PER_REJECTION_CAP = 1.0 / REJECTION_CAP
_PER_ACUTE_HALF = 1.0 / ACUTE_HALF
_PER_B_LIFE = 1.0 / B_LIFE


@nb.njit(cache=True, error_model="numpy", nogil=True)
def rates(y: Floats, q: Floats, alive: Floats | Flags, care: Floats, d: Floats, j: Floats, with_jacobian: bool) -> None:
    """Fill `d` with the rates of change and, where asked, `j` with their derivatives.

    Arrays for one patient, or tables of lanes (`lanes_kernel`) for several.

    Parameters
    ----------
    y : ndarray of float64, shape (17,)
        State, in the order of `STATES`.
    q : ndarray of float64, shape (26,)
        Parameters, in the order of `PARAMETERS`.
    alive : ndarray of bool or float64, shape (3,)
        Which clones of blasts exist: 1, or 0.
    care : ndarray of float64, shape (4,)
        Factors of treatment on expansion, IL-6 signal, IL-6 yield and IL-6 clearance.
    d : ndarray of float64, shape (17,)
        Rates, 1/day.
    j : ndarray of float64, shape (17, 17)
        d rate / d state; only entries that can differ from zero are written.
    with_jacobian : bool
        Without it, `j` stays as it is.
    """
    sensitive = alive[0] * exp(y[0])
    sanctuary = alive[1] * exp(y[1])
    negative = alive[2] * exp(y[2])
    bcell = exp(y[3])
    effector = exp(y[4])
    memory = exp(y[5])
    left = exp(-y[6])
    exhausted = y[7]
    host = exp(y[8])
    blasts = sensitive + sanctuary + negative
    cart = effector + memory + exhausted

    antigen = sensitive + sanctuary + bcell
    antigen_over = 1.0 / (q[Q_ANTIGEN_HALF] + antigen)
    a = antigen * antigen_over
    kill_over = 1.0 / (q[Q_KILL_HALF] + effector + q[Q_TARGET_WEIGHT] * (sensitive + sanctuary))
    by_effector = q[Q_KILL] * effector * kill_over
    memory_over = 1.0 / (q[Q_MEMORY_HALF] + memory)
    by_memory = q[Q_KILL] * q[Q_MEMORY_KILL] * memory * memory_over
    kill = by_effector + by_memory
    access = 1.0 / (ACCESS_HALF + kill)
    growth = q[Q_GROWTH] * (1.0 - blasts * _PER_CAPACITY)
    d[0] = growth - kill
    d[1] = growth - q[Q_REACH] * kill * access
    d[2] = growth

    source_over = 1.0 / (bcell * (q[Q_MEMORY_HALF] + effector + memory))
    source = B_SOURCE * q[Q_MEMORY_HALF] * source_over
    d[3] = source - _PER_B_LIFE - kill

    rejection = 0.0
    rejection_slope = 0.0
    if anywhere(q[Q_ALLOGENEIC] > 0.0):
        activity = exp(smaller(y[9], 30.0))
        over = 1.0 / (1.0 + activity * _PER_REJECTION_CAP)
        rejection = pick(q[Q_ALLOGENEIC] > 0.0, activity * over, 0.0)
        rejection_slope = rejection * over
    crowd = host + cart
    room_over = 1.0 / (q[Q_ROOM_HALF] + crowd)
    room = q[Q_ROOM_HALF] * room_over
    whole = effector / (effector + ONE_CELL)
    expand = care[0] * q[Q_EXPANSION] * a * room * left * whole
    tire = q[Q_EXHAUSTION] * a * (1.0 - left)
    feed = q[Q_TO_MEMORY] * exp(smaller(y[4] - y[5], 600.0))
    d[4] = expand - q[Q_CONTRACTION] - q[Q_TO_MEMORY] - tire - rejection
    d[5] = feed - q[Q_MEMORY_LOSS] - rejection
    d[6] = q[Q_SPENDING] * a
    d[7] = tire * effector - (EXHAUSTED_LOSS + rejection) * exhausted

    host_rate = HOST_RATE
    if anywhere(y[10] != 0.0):
        host_rate = HOST_RATE * exp(-ALEMTUZUMAB_POWER * y[10])
    fill = log(crowd * _PER_HOST_CAPACITY)
    contact_over = 1.0 / (REJECTION_HALF + cart)
    d[8] = -host_rate * fill
    d[9] = -host_rate * fill + q[Q_SENSITISATION] * cart * contact_over
    d[10] = -y[10] / q[Q_ALEMTUZUMAB_TIME]

    il6 = y[11]
    lysis = by_effector * sensitive
    lysis_over = LYSIS_HALF / (LYSIS_HALF + lysis)
    clearance = IL6_CLEARANCE * care[3]
    d[11] = IL6_CLEARANCE * (IL6_BASE + care[2] * q[Q_IL6_YIELD] * lysis * lysis_over) - clearance * il6
    signal = larger(il6, 0.0) * care[1]
    acute = log(1.0 + signal * _PER_ACUTE_HALF)
    d[12] = FERRITIN_RATE * (FERRITIN_BASE * (1.0 + FERRITIN_GAIN * acute) - y[12])
    d[13] = CRP_RATE * (CRP_BASE + CRP_GAIN * acute - y[13])
    brake = q[Q_IL6_BRAKE] / (q[Q_IL6_BRAKE] + signal)
    d[14] = q[Q_RECOVERY] * brake
    reserve = 1.0 / (1.0 + exp(-y[14]))
    space = MARROW_HALF / (MARROW_HALF + blasts)
    d[15] = ANC_RATE * (q[Q_ANC_BASE] * reserve * space - y[15])
    d[16] = PLT_RATE * (q[Q_PLT_BASE] * reserve * space - y[16])
    if not with_jacobian:
        return

    e_sens = -by_effector * q[Q_TARGET_WEIGHT] * sensitive * kill_over
    e_sanc = -by_effector * q[Q_TARGET_WEIGHT] * sanctuary * kill_over
    e_eff = by_effector * (1.0 - effector * kill_over)
    e_mem = by_memory * q[Q_MEMORY_HALF] * memory_over
    slope = q[Q_GROWTH] * _PER_CAPACITY
    j[0, 0] = -slope * sensitive - e_sens
    j[0, 1] = -slope * sanctuary - e_sanc
    j[0, 2] = -slope * negative
    j[0, 4] = -e_eff
    j[0, 5] = -e_mem
    reach = q[Q_REACH] * ACCESS_HALF * access * access
    j[1, 0] = -slope * sensitive - reach * e_sens
    j[1, 1] = -slope * sanctuary - reach * e_sanc
    j[1, 2] = -slope * negative
    j[1, 4] = -reach * e_eff
    j[1, 5] = -reach * e_mem
    j[2, 0] = -slope * sensitive
    j[2, 1] = -slope * sanctuary
    j[2, 2] = -slope * negative
    j[3, 0] = -e_sens
    j[3, 1] = -e_sanc
    j[3, 3] = -source
    c = -source * source_over * bcell
    j[3, 4] = c * effector - e_eff
    j[3, 5] = c * memory - e_mem

    a_slope = q[Q_ANTIGEN_HALF] * antigen_over * antigen_over
    a_sens = a_slope * sensitive
    a_sanc = a_slope * sanctuary
    a_b = a_slope * bcell
    c = care[0] * q[Q_EXPANSION] * room * left * whole - q[Q_EXHAUSTION] * (1.0 - left)
    j[4, 0] = c * a_sens
    j[4, 1] = c * a_sanc
    j[4, 3] = c * a_b
    c = -expand * room_over
    j[4, 4] = c * effector + expand * (1.0 - whole)
    j[4, 5] = c * memory
    j[4, 6] = -expand - q[Q_EXHAUSTION] * a * left
    j[4, 7] = c
    j[4, 8] = c * host
    j[4, 9] = -rejection_slope
    j[5, 4] = feed
    j[5, 5] = -feed
    j[5, 9] = -rejection_slope
    j[6, 0] = q[Q_SPENDING] * a_sens
    j[6, 1] = q[Q_SPENDING] * a_sanc
    j[6, 3] = q[Q_SPENDING] * a_b
    c = q[Q_EXHAUSTION] * (1.0 - left) * effector
    j[7, 0] = c * a_sens
    j[7, 1] = c * a_sanc
    j[7, 3] = c * a_b
    j[7, 4] = tire * effector
    j[7, 6] = q[Q_EXHAUSTION] * a * left * effector
    j[7, 7] = -(EXHAUSTED_LOSS + rejection)
    j[7, 9] = -rejection_slope * exhausted

    c = -host_rate / crowd
    j[8, 4] = c * effector
    j[8, 5] = c * memory
    j[8, 7] = c
    j[8, 8] = c * host
    j[8, 10] = ALEMTUZUMAB_POWER * host_rate * fill
    contact = c + q[Q_SENSITISATION] * REJECTION_HALF * contact_over * contact_over
    j[9, 4] = contact * effector
    j[9, 5] = contact * memory
    j[9, 7] = contact
    j[9, 8] = c * host
    j[9, 10] = ALEMTUZUMAB_POWER * host_rate * fill
    j[10, 10] = -1.0 / q[Q_ALEMTUZUMAB_TIME]

    c = IL6_CLEARANCE * care[2] * q[Q_IL6_YIELD] * lysis_over * lysis_over
    j[11, 0] = c * sensitive * (by_effector + e_sens)
    j[11, 1] = c * sensitive * e_sanc
    j[11, 4] = c * sensitive * e_eff
    j[11, 11] = -clearance
    rise = care[1] / (ACUTE_HALF + signal)
    j[12, 11] = FERRITIN_RATE * FERRITIN_BASE * FERRITIN_GAIN * rise
    j[12, 12] = -FERRITIN_RATE
    j[13, 11] = CRP_RATE * CRP_GAIN * rise
    j[13, 13] = -CRP_RATE
    j[14, 11] = -q[Q_RECOVERY] * brake * brake * care[1] / q[Q_IL6_BRAKE]
    swing = reserve * (1.0 - reserve) * space
    crowding = -reserve * space * space * (1.0 / MARROW_HALF)
    for i, rate, base in ((15, ANC_RATE, q[Q_ANC_BASE]), (16, PLT_RATE, q[Q_PLT_BASE])):
        j[i, 14] = rate * base * swing
        j[i, 0] = rate * base * crowding * sensitive
        j[i, 1] = rate * base * crowding * sanctuary
        j[i, 2] = rate * base * crowding * negative
        j[i, i] = -rate
