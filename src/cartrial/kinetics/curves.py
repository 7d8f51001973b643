"""Which curves are there, what are their parameters, and how do they run?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cartrial.errors import InputError
from cartrial.kinetics.codes import LAG, LOGISTIC, MONO, MOST_PARAMETERS, ORAL, RATE, STEIN
from cartrial.kinetics.curves_kernel import Floats, fill_curves

__all__ = ["CURVES", "PARAMETERS", "Curve", "draw_curves"]


class Curve(NamedTuple):
    """A curve: its number, its parameters by place, its words, whether a study file may name it, whether logarithms of parameters vary."""

    code: int
    parameters: tuple[str, ...]
    words: str
    named: bool = True
    logarithms: bool = True


PARAMETERS = {
    "fold": "fold of the expansion, from day 0 to the peak",
    "rho": "rate of the growth, 1/day",
    "tmax": "day of the peak",
    "cmax": "peak",
    "alpha": "rate of the contraction, 1/day",
    "fb": "share of the peak that persists",
    "beta": "rate of the decline of what persists, 1/day",
    "tlag": "day on which the growth begins",
}
"""Parameters of curves of cells; all are above 0, and their logarithms vary."""

CURVES = {
    "stein": Curve(STEIN, ("fold", "tmax", "cmax", "alpha", "fb", "beta"), "growth by a fold, contraction, persistence"),
    "mono": Curve(MONO, ("fold", "tmax", "cmax", "alpha"), "growth by a fold, contraction"),
    "rate": Curve(RATE, ("rho", "tmax", "cmax", "alpha"), "growth at a rate, contraction"),
    "lag": Curve(LAG, ("rho", "tmax", "cmax", "alpha", "tlag"), "nothing, then growth at a rate, contraction"),
    "logistic": Curve(LOGISTIC, ("asym", "xmid", "scal"), "R's SSlogis, of which exact fits are published", named=False, logarithms=False),
    "oral": Curve(ORAL, ("ke", "ka", "cl"), "R's SSfol, of which exact fits can be had by quadrature", named=False),
}
"""Curves by name."""


def draw_curves(curve: str, parameters: Mapping[str, ArrayLike], times: ArrayLike) -> Floats:
    """Return the course of cells by their parameters.

    Parameters
    ----------
    curve : str
        `stein`, `mono`, `rate` or `lag`.
    parameters : mapping of str to array_like, shape (n,)
        Every parameter of the curve: above 0, in days and the unit of the measurement.
    times : array_like, shape (m,)
        Days after the infusion.

    Returns
    -------
    ndarray, shape (n, m)
        In the unit of `cmax`.

    Raises
    ------
    InputError
        If there is no such curve, or a parameter is missing or not above 0.

    Examples
    --------
    Ten cells on day 0 grow a hundredfold until day 10 and halve each day after.

    >>> from math import log
    >>> from cartrial.kinetics import draw_curves
    >>> draw_curves("mono", {"fold": 100, "tmax": 10, "cmax": 1000, "alpha": log(2)}, [0, 5, 10, 12]).round(6).tolist()
    [[10.0, 100.0, 1000.0, 250.0]]
    """
    found = CURVES.get(curve)
    if found is None or not found.named:
        raise InputError(
            f"there is no curve '{curve}'", key="curve", right=f"Name one of {', '.join(n for n in CURVES if CURVES[n].named)}"
        )
    columns = []
    for name in found.parameters:
        value = np.atleast_1d(np.asarray(parameters.get(name, np.nan), np.float64))
        if not np.all(value > 0) or not np.all(np.isfinite(value)):
            raise InputError(f"the curve '{curve}' needs {name}, a number above 0", key=name)
        columns.append(np.log(value))
    rows = max(map(len, columns))
    phi = np.zeros((rows, MOST_PARAMETERS))
    for place, column in enumerate(columns):
        phi[:, place] = column
    at = np.ascontiguousarray(times, np.float64).reshape(-1)
    out = np.empty((rows, len(at)))
    fill_curves(out.size, found.code, phi, at, out)
    return np.exp(out)
