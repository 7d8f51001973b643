"""How is (shift I - j) x = r solved for the derivatives j of the rates?

Elimination without pivoting, in an order in which zeros of j stay zeros: memory, spent capacity, host T cells, exhausted cells, B cells and
CD19-negative blasts first; then sensitive and sanctuary blasts, effectors and, in an allogeneic product, rejection, which all depend on
each other. Alemtuzumab acts on the others and depends on none; from IL-6 on, states only follow. Numbers in brackets are positions of
`STATES`.
"""

from __future__ import annotations

import numba as nb

from cartrial.virtual.engine.lanes_kernel import Floats, Lanes, anywhere, pick

__all__ = ["factorise", "solve_block"]


@nb.njit(cache=True, error_model="numpy", nogil=True)
def factorise(j: Floats, shift: Lanes, allogeneic: Lanes, f: Floats) -> None:
    """Fill `f` with the factors of (shift I - j).

    Arrays for one patient, or tables of lanes for several; `shift` and `allogeneic` are then lanes too.

    Parameters
    ----------
    j : ndarray of float64, shape (17, 17)
        As `rates` fills it.
    shift : float
        1 / (gamma h).
    allogeneic : float
        Where it is not above 0, rejection stays out.
    f : ndarray of float64, shape (17, 17)
        Multipliers and what they leave, at the places of `j`; the diagonal holds reciprocals.
    """
    # memory [5] has effectors [4] and rejection [9]
    p = 1.0 / (shift - j[5, 5])
    f[5, 5] = p
    f[5, 4] = -j[5, 4]
    f[0, 5] = -j[0, 5] * p
    f[1, 5] = -j[1, 5] * p
    f[3, 5] = -j[3, 5] * p
    f[4, 5] = -j[4, 5] * p
    f[8, 5] = -j[8, 5] * p
    a04 = -j[0, 4] - f[0, 5] * f[5, 4]
    a14 = -j[1, 4] - f[1, 5] * f[5, 4]
    a34 = -j[3, 4] - f[3, 5] * f[5, 4]
    a44 = shift - j[4, 4] - f[4, 5] * f[5, 4]
    a84 = -j[8, 4] - f[8, 5] * f[5, 4]
    # spent capacity [6] has antigen: sensitive [0], sanctuary [1], B cells [3]
    p = 1.0 / shift
    f[6, 6] = p
    f[6, 0] = -j[6, 0]
    f[6, 1] = -j[6, 1]
    f[6, 3] = -j[6, 3]
    f[4, 6] = -j[4, 6] * p
    f[7, 6] = -j[7, 6] * p
    a40 = -j[4, 0] - f[4, 6] * f[6, 0]
    a41 = -j[4, 1] - f[4, 6] * f[6, 1]
    a43 = -j[4, 3] - f[4, 6] * f[6, 3]
    f[7, 0] = -j[7, 0] - f[7, 6] * f[6, 0]
    f[7, 1] = -j[7, 1] - f[7, 6] * f[6, 1]
    f[7, 3] = -j[7, 3] - f[7, 6] * f[6, 3]
    # host T cells [8] have effectors and exhausted cells [7]
    p = 1.0 / (shift - j[8, 8])
    f[8, 8] = p
    f[8, 4] = a84
    f[8, 7] = -j[8, 7]
    f[4, 8] = -j[4, 8] * p
    a44 -= f[4, 8] * a84
    a47 = -j[4, 7] - f[4, 8] * f[8, 7]
    # exhausted cells have antigen and effectors
    p = 1.0 / (shift - j[7, 7])
    f[7, 7] = p
    f[7, 4] = -j[7, 4]
    f[4, 7] = a47 * p
    a40 -= f[4, 7] * f[7, 0]
    a41 -= f[4, 7] * f[7, 1]
    a43 -= f[4, 7] * f[7, 3]
    a44 -= f[4, 7] * f[7, 4]
    # B cells have both kinds of CD19-positive blasts and effectors
    p = 1.0 / (shift - j[3, 3])
    f[3, 3] = p
    f[3, 0] = -j[3, 0]
    f[3, 1] = -j[3, 1]
    f[3, 4] = a34
    f[4, 3] = a43 * p
    a40 -= f[4, 3] * f[3, 0]
    a41 -= f[4, 3] * f[3, 1]
    a44 -= f[4, 3] * a34
    # CD19-negative blasts [2] have the room of the others
    p = 1.0 / (shift - j[2, 2])
    f[2, 2] = p
    f[2, 0] = -j[2, 0]
    f[2, 1] = -j[2, 1]
    f[0, 2] = -j[0, 2] * p
    f[1, 2] = -j[1, 2] * p
    a00 = shift - j[0, 0] - f[0, 2] * f[2, 0]
    a01 = -j[0, 1] - f[0, 2] * f[2, 1]
    a10 = -j[1, 0] - f[1, 2] * f[2, 0]
    a11 = shift - j[1, 1] - f[1, 2] * f[2, 1]
    # the dense rest
    p = 1.0 / a00
    f[0, 0] = p
    f[0, 1] = a01
    f[0, 4] = a04
    f[1, 0] = a10 * p
    f[4, 0] = a40 * p
    a11 -= f[1, 0] * a01
    a14 -= f[1, 0] * a04
    a41 -= f[4, 0] * a01
    a44 -= f[4, 0] * a04
    p = 1.0 / a11
    f[1, 1] = p
    f[1, 4] = a14
    f[4, 1] = a41 * p
    a44 -= f[4, 1] * a14
    f[4, 4] = 1.0 / a44
    if anywhere(allogeneic > 0.0):
        _factorise_rejection(j, shift, f)
    # what acts on all, and what only follows
    for i in range(10, 17):
        f[i, i] = 1.0 / (shift - j[i, i])


@nb.njit(cache=True, error_model="numpy", nogil=True)
def _factorise_rejection(j: Floats, shift: Lanes, f: Floats) -> None:
    """Add the row and the column of rejection [9] to the factors of the others; arguments as in `factorise`."""
    # its column, in the order of elimination
    f[5, 9] = -j[5, 9]
    a49 = -j[4, 9] - f[4, 5] * f[5, 9]
    f[7, 9] = -j[7, 9]
    f[8, 9] = -f[8, 5] * f[5, 9]
    f[3, 9] = -f[3, 5] * f[5, 9]
    f[0, 9] = -f[0, 5] * f[5, 9]
    a19 = -f[1, 5] * f[5, 9]
    f[1, 9] = a19 - f[1, 0] * f[0, 9]
    a49 -= f[4, 8] * f[8, 9] + f[4, 7] * f[7, 9] + f[4, 3] * f[3, 9] + f[4, 0] * f[0, 9] + f[4, 1] * f[1, 9]
    f[4, 9] = a49
    # its row
    f[9, 5] = -j[9, 5] * f[5, 5]
    f[9, 8] = -j[9, 8] * f[8, 8]
    f[9, 7] = (-j[9, 7] - f[9, 8] * f[8, 7]) * f[7, 7]
    a90 = -f[9, 7] * f[7, 0]
    a91 = -f[9, 7] * f[7, 1]
    f[9, 3] = -f[9, 7] * f[7, 3] * f[3, 3]
    f[9, 0] = (a90 - f[9, 3] * f[3, 0]) * f[0, 0]
    f[9, 1] = (a91 - f[9, 3] * f[3, 1] - f[9, 0] * f[0, 1]) * f[1, 1]
    a94 = -j[9, 4] - f[9, 5] * f[5, 4] - f[9, 8] * f[8, 4] - f[9, 7] * f[7, 4] - f[9, 3] * f[3, 4] - f[9, 0] * f[0, 4] - f[9, 1] * f[1, 4]
    f[9, 4] = a94 * f[4, 4]
    left = f[9, 5] * f[5, 9] + f[9, 8] * f[8, 9] + f[9, 7] * f[7, 9] + f[9, 3] * f[3, 9] + f[9, 0] * f[0, 9] + f[9, 1] * f[1, 9]
    f[9, 9] = 1.0 / (shift - j[9, 9] - left - f[9, 4] * f[4, 9])


@nb.njit(cache=True, error_model="numpy", nogil=True)
def solve_block(f: Floats, j: Floats, allogeneic: Lanes, r: Floats) -> None:
    """Solve (shift I - j) x = r in place.

    Parameters
    ----------
    f, j : ndarray of float64, shape (17, 17)
        Factors and derivatives.
    allogeneic : float
        As for the factors.
    r : ndarray of float64, shape (17,)
        Right side, then the solution.
    """
    x10 = r[10] * f[10, 10]
    x5 = r[5]
    x6 = r[6]
    x8 = r[8] + j[8, 10] * x10 - f[8, 5] * x5
    x7 = r[7] - f[7, 6] * x6
    x3 = r[3] - f[3, 5] * x5
    x2 = r[2]
    x0 = r[0] - f[0, 5] * x5 - f[0, 2] * x2
    x1 = r[1] - f[1, 5] * x5 - f[1, 2] * x2 - f[1, 0] * x0
    x4 = (r[4] - f[4, 5] * x5 - f[4, 6] * x6) - (f[4, 8] * x8 + f[4, 7] * x7) - (f[4, 3] * x3 + f[4, 0] * x0) - f[4, 1] * x1
    x9 = 0.0
    if anywhere(allogeneic > 0.0):
        x9 = (r[9] + j[9, 10] * x10 - f[9, 5] * x5) - (f[9, 8] * x8 + f[9, 7] * x7) - (f[9, 3] * x3 + f[9, 0] * x0)
        x9 = pick(allogeneic > 0.0, (x9 - f[9, 1] * x1 - f[9, 4] * x4) * f[9, 9], 0.0)
        x4 -= f[4, 9] * x9
        x1 -= f[1, 9] * x9
        x0 -= f[0, 9] * x9
        x3 -= f[3, 9] * x9
        x7 -= f[7, 9] * x9
        x8 -= f[8, 9] * x9
        x5 -= f[5, 9] * x9
    x4 *= f[4, 4]
    x1 = (x1 - f[1, 4] * x4) * f[1, 1]
    x0 = (x0 - f[0, 4] * x4 - f[0, 1] * x1) * f[0, 0]
    x2 = (x2 - f[2, 0] * x0 - f[2, 1] * x1) * f[2, 2]
    x3 = (x3 - f[3, 4] * x4 - f[3, 1] * x1 - f[3, 0] * x0) * f[3, 3]
    x7 = ((x7 - f[7, 4] * x4 - f[7, 1] * x1) - (f[7, 0] * x0 + f[7, 3] * x3)) * f[7, 7]
    x8 = (x8 - f[8, 4] * x4 - f[8, 7] * x7) * f[8, 8]
    x6 = (x6 - f[6, 1] * x1 - f[6, 0] * x0 - f[6, 3] * x3) * f[6, 6]
    x5 = (x5 - f[5, 4] * x4) * f[5, 5]
    r[0] = x0
    r[1] = x1
    r[2] = x2
    r[3] = x3
    r[4] = x4
    r[5] = x5
    r[6] = x6
    r[7] = x7
    r[8] = x8
    r[9] = x9
    r[10] = x10
    x11 = (r[11] + j[11, 0] * x0 + j[11, 1] * x1 + j[11, 4] * x4) * f[11, 11]
    r[11] = x11
    r[12] = (r[12] + j[12, 11] * x11) * f[12, 12]
    r[13] = (r[13] + j[13, 11] * x11) * f[13, 13]
    x14 = (r[14] + j[14, 11] * x11) * f[14, 14]
    r[14] = x14
    for i in (15, 16):
        r[i] = (r[i] + j[i, 0] * x0 + j[i, 1] * x1 + j[i, 2] * x2 + j[i, 14] * x14) * f[i, i]
