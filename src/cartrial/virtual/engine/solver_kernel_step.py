"""What is one step of Rodas5P? Eight stages, an error estimate of order 4 and a continuous extension of order 4.

Coefficients: Steinebach 2023, BIT Numerical Mathematics 63:27, doi:10.1007/s10543-023-00967-x. The sums are written out so that they are
compiled without loops.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from cartrial.virtual.engine.kernel_codes import N_STATES
from cartrial.virtual.engine.lanes_kernel import Floats, Lanes, pick, row
from cartrial.virtual.engine.lanes_kernel_functions import exp, larger
from cartrial.virtual.engine.rates_kernel import rates
from cartrial.virtual.engine.solver_kernel_linear import solve_block

__all__ = ["GAMMA", "bounded", "step"]

GAMMA = 0.21193756319429014
A21 = 3.0
A31 = 2.849394379747939
A32 = 0.45842242204463923
A41 = -6.954028509809101
A42 = 2.489845061869568
A43 = -10.358996098473584
A51 = 2.8029986275628964
A52 = 0.5072464736228206
A53 = -0.3988312541770524
A54 = -0.04721187230404641
A61 = -7.502846399306121
A62 = 2.561846144803919
A63 = -11.627539656261098
A64 = -0.18268767659942256
A65 = 0.030198172008377946
C21 = -14.155112264123755
C31 = -17.97296035885952
C32 = -2.859693295451294
C41 = 147.12150275711716
C42 = -1.41221402718213
C43 = 71.68940251302358
C51 = 165.43517024871676
C52 = -0.4592823456491126
C53 = 42.90938336958603
C54 = -5.961986721573306
C61 = 24.854864614690072
C62 = -3.0009227002832186
C63 = 47.4931110020768
C64 = 5.5814197821558125
C65 = -0.6610691825249471
C71 = 30.91273214028599
C72 = -3.1208243349937974
C73 = 77.79954646070892
C74 = 34.28646028294783
C75 = -19.097331116725623
C76 = -28.087943162872662
C81 = 37.80277123390563
C82 = -3.2571969029072276
C83 = 112.26918849496327
C84 = 66.9347231244047
C85 = -40.06618937091002
C86 = -54.66780262877968
C87 = -9.48861652309627
H21 = 25.948786856663858
H22 = -2.5579724845846235
H23 = 10.433815404888879
H24 = -2.3679251022685204
H25 = 0.524948541321073
H26 = 1.1241088310450404
H27 = 0.4272876194431874
H28 = -0.17202221070155493
H31 = -9.91568850695171
H32 = -0.9689944594115154
H33 = 3.0438037242978453
H34 = -24.495224566215796
H35 = 20.176138334709044
H36 = 15.98066361424651
H37 = -6.789040303419874
H38 = -6.710236069923372
H41 = 11.419903575922262
H42 = 2.8879645146136994
H43 = 72.92137995996029
H44 = 80.12511834622643
H45 = -52.072871366152654
H46 = -59.78993625266729
H47 = -0.15582684282751913
H48 = 4.883087185713722

_LOGARITHMS = (3, 4, 5, 8)
_OTHERS = (6, 7, 9, 10, 11, 12, 13, 14, 15, 16)


@nb.njit(error_model="numpy", nogil=True)
def bounded(y: Floats, alive: Floats) -> Lanes:
    """Return 1 where a state can be written as numbers of 32 bits: ln cells below 80, the others below 1e35; else what is no number.

    Cells beyond would be written as infinite, and `exp` takes them for e^700. A lost clone's logarithm may be anything: it is not read.
    """
    found = 1.0
    for i in range(3):
        found = pick(pick(alive[i] > 0.0, y[i], 0.0) < 80.0, found, np.nan)
    for i in _LOGARITHMS:
        found = pick(y[i] < 80.0, found, np.nan)
    for i in _OTHERS:
        found = pick(larger(y[i], -y[i]) < 1e35, found, np.nan)
    return found


@nb.njit(error_model="numpy", nogil=True)
def step(
    y: Floats,
    q: Floats,
    alive: Floats,
    care: Floats,
    allogeneic: Lanes,
    h: Lanes,
    rtol: float,
    k: Floats,
    j: Floats,
    lu: Floats,
    z: Floats,
    k2: Floats,
    k3: Floats,
    k4: Floats,
    at: Floats,
) -> Lanes:
    """Fill `z`, the state after the step, and `k2`, `k3`, `k4` of its continuous extension; return the squared error over the tolerance.

    Arrays for one patient, or tables of lanes for several; `allogeneic`, `h` and what is returned are then lanes too.

    Parameters
    ----------
    y : ndarray of float64, shape (17,)
        State before the step.
    q, alive, care
        As in `rates`.
    allogeneic : float
        As in `factorise`.
    k : ndarray of float64, shape (8, 17)
        Stages; the first row holds the rates at `y` on entry.
    j, lu : ndarray of float64, shape (17, 17)
        Derivatives at `y`, and their factors.
    h, rtol : float
        Step (days), tolerance.
    z, k2, k3, k4, at : ndarray of float64, shape (17,)
        Filled; `at` is work space.
    """
    over = 1.0 / h
    n = N_STATES
    solve_block(lu, j, allogeneic, row(k, 0))
    for i in range(n):
        at[i] = y[i] + A21 * k[0, i]
    rates(at, q, alive, care, row(k, 1), j, False)
    for i in range(n):
        k[1, i] += over * (C21 * k[0, i])
    solve_block(lu, j, allogeneic, row(k, 1))
    for i in range(n):
        at[i] = y[i] + A31 * k[0, i] + A32 * k[1, i]
    rates(at, q, alive, care, row(k, 2), j, False)
    for i in range(n):
        k[2, i] += over * (C31 * k[0, i] + C32 * k[1, i])
    solve_block(lu, j, allogeneic, row(k, 2))
    for i in range(n):
        at[i] = y[i] + A41 * k[0, i] + A42 * k[1, i] + A43 * k[2, i]
    rates(at, q, alive, care, row(k, 3), j, False)
    for i in range(n):
        k[3, i] += over * (C41 * k[0, i] + C42 * k[1, i] + C43 * k[2, i])
    solve_block(lu, j, allogeneic, row(k, 3))
    for i in range(n):
        at[i] = y[i] + A51 * k[0, i] + A52 * k[1, i] + A53 * k[2, i] + A54 * k[3, i]
    rates(at, q, alive, care, row(k, 4), j, False)
    for i in range(n):
        k[4, i] += over * (C51 * k[0, i] + C52 * k[1, i] + C53 * k[2, i] + C54 * k[3, i])
    solve_block(lu, j, allogeneic, row(k, 4))
    for i in range(n):
        at[i] = y[i] + A61 * k[0, i] + A62 * k[1, i] + A63 * k[2, i] + A64 * k[3, i] + A65 * k[4, i]
    rates(at, q, alive, care, row(k, 5), j, False)
    for i in range(n):
        k[5, i] += over * (C61 * k[0, i] + C62 * k[1, i] + C63 * k[2, i] + C64 * k[3, i] + C65 * k[4, i])
    solve_block(lu, j, allogeneic, row(k, 5))
    for i in range(n):
        at[i] += k[5, i]
    rates(at, q, alive, care, row(k, 6), j, False)
    for i in range(n):
        k[6, i] += over * (C71 * k[0, i] + C72 * k[1, i] + C73 * k[2, i] + C74 * k[3, i] + C75 * k[4, i] + C76 * k[5, i])
    solve_block(lu, j, allogeneic, row(k, 6))
    for i in range(n):
        at[i] += k[6, i]
    rates(at, q, alive, care, row(k, 7), j, False)
    for i in range(n):
        k[7, i] += over * (C81 * k[0, i] + C82 * k[1, i] + C83 * k[2, i] + C84 * k[3, i] + C85 * k[4, i] + C86 * k[5, i] + C87 * k[6, i])
    solve_block(lu, j, allogeneic, row(k, 7))
    for i in range(n):
        z[i] = at[i] + k[7, i]
    for i in range(n):
        k2[i] = (
            H21 * k[0, i] + H22 * k[1, i] + H23 * k[2, i] + H24 * k[3, i] + H25 * k[4, i] + H26 * k[5, i] + H27 * k[6, i] + H28 * k[7, i]
        )
    for i in range(n):
        k3[i] = (
            H31 * k[0, i] + H32 * k[1, i] + H33 * k[2, i] + H34 * k[3, i] + H35 * k[4, i] + H36 * k[5, i] + H37 * k[6, i] + H38 * k[7, i]
        )
    for i in range(n):
        k4[i] = (
            H41 * k[0, i] + H42 * k[1, i] + H43 * k[2, i] + H44 * k[3, i] + H45 * k[4, i] + H46 * k[5, i] + H47 * k[6, i] + H48 * k[7, i]
        )
    car = exp(z[4]) + exp(z[5]) + larger(z[7], -z[7]) + 1e-9
    per_rtol = 1.0 / rtol
    err = 0.0
    for i in range(n):
        if i == 7:
            e = k[7, i] * per_rtol / car
        elif i < 11 or i == 14:
            e = k[7, i] * per_rtol
        else:
            e = k[7, i] / (rtol * larger(larger(y[i], -y[i]), larger(z[i], -z[i])) + 1e-9)
        if i < 3:
            e = pick(alive[i] > 0.0, e, 0.0)
        elif i == 4 or i == 5:
            e = pick(z[i] < -18.0, 0.01 * e, e)
        err += e * e
    return err * (1.0 / n)
