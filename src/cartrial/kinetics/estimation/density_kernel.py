"""How dense are the draws of a subject's parameters, a mixture of normals and one t distribution?"""

from __future__ import annotations

import math

from cartrial.kernels import kernel
from cartrial.kinetics.curves_kernel import Floats

__all__ = ["fill_density"]


@kernel
def fill_density(phi: Floats, centre: Floats, inverse: Floats, constant: Floats, degrees: float, out: Floats) -> None:
    """Fill the logarithm of the density of draws `phi` (subjects, draws, d).

    Part m of subject i has the centre `centre[i, m]`, the inverse of the root of its covariance `inverse[i, m]`, and the logarithm of its
    share and of its normalisation `constant[i, m]`. The first part is the t distribution.
    """
    size = phi.shape[2]
    for i in range(phi.shape[0]):
        for k in range(phi.shape[1]):
            most, total = -math.inf, 0.0
            for m in range(centre.shape[1]):
                squared = 0.0
                for a in range(size):
                    z = 0.0
                    for b in range(a + 1):
                        z += inverse[i, m, a, b] * (phi[i, k, b] - centre[i, m, b])
                    squared += z * z
                if m == 0:
                    log = constant[i, m] - 0.5 * (degrees + size) * math.log1p(squared / degrees)
                else:
                    log = constant[i, m] - 0.5 * squared
                if log > most:
                    total = total * math.exp(most - log) + 1.0
                    most = log
                else:
                    total += math.exp(log - most)
            out[i, k] = most + math.log(total)
