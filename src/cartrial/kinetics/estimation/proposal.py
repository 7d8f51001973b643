"""From where are parameters drawn, so that few draws are wasted on what a subject's samples rule out?

A mixture for each subject: a t distribution about its own draws, narrow normals about some of them (the likelihood of a curve with a kink
may have several tops), and the population. Points are Sobol's, whole blocks of a power of two, shifted at random for each subject; each
replicate has its own shift, and how far replicates lie apart is the Monte Carlo error (Owen 2023, Practical Quasi-Monte Carlo Integration).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.stats import qmc

from cartrial.kinetics.curves_kernel import Floats
from cartrial.kinetics.estimation.density_kernel import Mixture, fill_density, fill_points
from cartrial.kinetics.estimation.saem import Draws, Estimate
from cartrial.kinetics.model import Problem, root_of

__all__ = ["Points", "draw_points"]

_T_SHARE, _CENTRES_SHARE = 0.6, 0.25
_DEGREES = 5.0
_WIDER = 1.2
_NARROW = 0.5
_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Points:
    """Draws of shape (subjects, replicates * size, random effects), and the logarithm of the density that they came from."""

    phi: Floats
    log_density: Floats
    replicates: int


def draw_points(problem: Problem, estimate: Estimate, draws: Draws, seed: int, *, size: int = 512, replicates: int = 8) -> Points:
    """Draw points for every subject.

    Parameters
    ----------
    problem : Problem
    estimate : Estimate
        Where the population stands.
    draws : Draws
        Of every subject.
    seed : int
        Another seed gives fresh points.
    size : int
        Points a replicate, a power of two.
    replicates : int
    """
    mean = problem.design @ estimate.coefficients
    subjects, d = mean.shape
    uniform = _uniform(problem, seed, size, replicates, d + 2)
    choice, radius = uniform[..., 0], uniform[..., 1]
    normal = np.asarray(special.ndtri(uniform[..., 2:]), np.float64)
    roots = root_of(_WIDER * draws.covariance), root_of(_NARROW**2 * draws.covariance), root_of(estimate.omega)
    wide, narrow, crowd = (np.ascontiguousarray(np.broadcast_to(root, (subjects, d, d))) for root in roots)
    kept = draws.centres.shape[1]
    centre = np.concatenate([draws.mean[:, None], draws.centres, mean[:, None]], axis=1)
    of_t = choice < _T_SHARE
    which = np.clip(((choice - _T_SHARE) / _CENTRES_SHARE * kept).astype(np.int64), 0, kept)
    stretch = np.ones(choice.shape)
    stretch[of_t] = np.sqrt(_DEGREES / (2.0 * special.gammaincinv(_DEGREES / 2.0, radius[of_t])))
    mixture = Mixture(wide, narrow, crowd, centre, np.empty((0, 0)), np.empty(d))
    phi = np.empty(normal.shape)
    fill_points(phi.size, np.where(of_t, 0, 1 + which), stretch, normal, mixture, phi)
    return Points(phi, _density(phi, mixture), replicates)


def _density(phi: Floats, roots: Mixture) -> Floats:
    """Return the logarithm of the density of a mixture, of which the roots and the centres are given."""
    draws, d, parts = phi.shape[1], phi.shape[2], roots.centre.shape[1]
    wide, narrow, crowd = (np.asarray(np.linalg.inv(root), np.float64) for root in roots[:3])
    centre = roots.centre.copy()
    centre[:, 1:-1] = centre[:, 1:-1] @ np.swapaxes(narrow, 1, 2)
    number = np.array([0, *[1] * (parts - 2), 2])
    half = np.stack([np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) for root in roots[:3]], axis=1)[:, number]
    share = np.array([_T_SHARE, *[_CENTRES_SHARE / (parts - 2)] * (parts - 2), 1.0 - _T_SHARE - _CENTRES_SHARE])
    of_t = special.gammaln((_DEGREES + d) / 2) - special.gammaln(_DEGREES / 2) - 0.5 * d * np.log(_DEGREES * np.pi)
    norm = np.array([of_t, *[-0.5 * d * _LOG_2PI] * (parts - 1)])
    out = np.empty((len(phi), draws))
    of = Mixture(wide, narrow, crowd, centre, np.log(share) + norm - half, np.empty(d))
    fill_density(out.size * parts, phi, of, _DEGREES, out)
    return out


def _uniform(problem: Problem, seed: int, size: int, replicates: int, dimensions: int) -> Floats:
    """Return Sobol's points, shifted for each subject and replicate: (subjects, replicates * size, dimensions)."""
    base = np.asarray(qmc.Sobol(dimensions, scramble=False).random(size))
    shifts = np.empty((len(problem.samples.subjects), replicates, dimensions))
    for i, name in enumerate(problem.samples.marks):
        key = np.frombuffer(hashlib.sha256(f"{seed}\x1fpoints\x1f{name}".encode()).digest()[:16], np.uint64)
        shifts[i] = np.random.Generator(np.random.Philox(key=key)).random((replicates, dimensions))
    moved = (base[None, None] + shifts[:, :, None]) % 1.0
    return np.clip(moved.reshape(len(shifts), replicates * size, dimensions), 1e-12, 1.0 - 1e-12)
