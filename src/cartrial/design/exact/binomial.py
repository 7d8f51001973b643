"""What are the binomial probabilities of every number of subjects up to a cap?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SLACK", "binomial_tables"]

# two probabilities this near are equal: far above the rounding of a sum, far below any digit that is printed
SLACK = 1e-12


def binomial_tables(p: float, n_max: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return probabilities and upper tails of 0 to n_max subjects.

    Parameters
    ----------
    p : float
        Response rate, 0 to 1.
    n_max : int

    Returns
    -------
    mass, tail : ndarray of float64, shape (n_max + 1, n_max + 2)
        `mass[n, x]`: x responders of n; `tail[n, x]`: x or more. Sums of positive terms only, so the relative error stays below n_max
        times the machine's precision.
    """
    mass = np.zeros((n_max + 1, n_max + 2))
    mass[0, 0] = 1.0
    for n in range(1, n_max + 1):
        mass[n] = mass[n - 1] * (1 - p)
        mass[n, 1:] += mass[n - 1, :-1] * p
    return mass, np.ascontiguousarray(np.cumsum(mass[:, ::-1], axis=1)[:, ::-1])
