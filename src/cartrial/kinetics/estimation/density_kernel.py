"""Where do the draws of a subject's parameters lie, and how dense are they? A mixture of normals and one t distribution."""

from __future__ import annotations

import math
from typing import NamedTuple

from cartrial.kernels import kernel, part
from cartrial.kinetics.curves_kernel import Floats, Integers

__all__ = ["Mixture", "fill_density", "fill_points"]


class Mixture(NamedTuple):
    """A mixture for each subject: the t distribution first, then narrow normals of one covariance, the population last.

    `t`, `narrow`, `crowd`: inverses of the roots of their covariances, lower triangles, by subject. `centre` (subjects, parts, d): centres,
    those of the narrow normals turned by `narrow`, so that a point is turned once for all of them. `constant` (subjects, parts): logarithms
    of shares and normalisations. `turned`: room for a point.
    """

    t: Floats
    narrow: Floats
    crowd: Floats
    centre: Floats
    constant: Floats
    turned: Floats


@part
def squared(inverse: Floats, phi: Floats, centre: Floats) -> float:
    """Return the squared distance of a point from a centre."""
    found = 0.0
    for a in range(len(phi)):
        z = 0.0
        for b in range(a + 1):
            z += inverse[a, b] * (phi[b] - centre[b])
        found += z * z
    return found


@kernel
def fill_density(phi: Floats, of: Mixture, degrees: float, out: Floats) -> None:
    """Fill the logarithm of the density of draws `phi` (subjects, draws, d)."""
    size, last = phi.shape[2], of.centre.shape[1] - 1
    for i in range(phi.shape[0]):
        for k in range(phi.shape[1]):
            far = squared(of.t[i], phi[i, k], of.centre[i, 0])
            heavy = of.constant[i, 0] - 0.5 * (degrees + size) * math.log1p(far / degrees)
            wide = of.constant[i, last] - 0.5 * squared(of.crowd[i], phi[i, k], of.centre[i, last])
            most = max(heavy, wide)
            total = math.exp(heavy - most) + math.exp(wide - most)
            for a in range(size):
                z = 0.0
                for b in range(a + 1):
                    z += of.narrow[i, a, b] * phi[i, k, b]
                of.turned[a] = z
            for m in range(1, last):
                far = 0.0
                for a in range(size):
                    far += (of.turned[a] - of.centre[i, m, a]) ** 2
                log = of.constant[i, m] - 0.5 * far
                # beyond e^-40 of what is there nothing is added to its last digit
                if log > most:
                    total = total * math.exp(most - log) + 1.0
                    most = log
                elif log > most - 40.0:
                    total += math.exp(log - most)
            out[i, k] = most + math.log(total)


@part
def turned_about(centre: Floats, root: Floats, stretch: float, normal: Floats, phi: Floats) -> None:
    """Fill a point: standard normal values turned by the root of a covariance, about a centre."""
    for a in range(len(phi)):
        z = 0.0
        for b in range(a + 1):
            z += root[a, b] * normal[b]
        phi[a] = centre[a] + stretch * z


@kernel
def fill_points(number: Integers, stretch: Floats, normal: Floats, of: Mixture, phi: Floats) -> None:
    """Fill points `phi` (subjects, draws, d), each of the part of the mixture that `number` says; `of` has roots, and plain centres."""
    last = of.centre.shape[1] - 1
    for i in range(phi.shape[0]):
        for k in range(phi.shape[1]):
            m = number[i, k]
            if m == 0:
                turned_about(of.centre[i, 0], of.t[i], stretch[i, k], normal[i, k], phi[i, k])
            elif m == last:
                turned_about(of.centre[i, m], of.crowd[i], 1.0, normal[i, k], phi[i, k])
            else:
                turned_about(of.centre[i, m], of.narrow[i], 1.0, normal[i, k], phi[i, k])
