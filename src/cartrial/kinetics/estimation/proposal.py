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
from cartrial.kinetics.estimation.density_kernel import fill_density
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
    spread = root_of(_WIDER * draws.covariance)
    narrow = root_of(_NARROW**2 * draws.covariance)
    crowd = np.broadcast_to(root_of(estimate.omega), (subjects, d, d))
    heavy = np.sqrt(_DEGREES / (2.0 * special.gammaincinv(_DEGREES / 2.0, radius)))
    kept = draws.centres.shape[1]
    which = np.clip(((choice - _T_SHARE) / _CENTRES_SHARE * kept).astype(int), 0, kept - 1)
    about = np.take_along_axis(draws.centres, which[..., None].repeat(d, axis=-1), axis=1)
    phi = np.where(
        (choice < _T_SHARE)[..., None],
        draws.mean[:, None] + heavy[..., None] * _turned(spread, normal),
        np.where((choice < _T_SHARE + _CENTRES_SHARE)[..., None], about + _turned(narrow, normal), mean[:, None] + _turned(crowd, normal)),
    )
    phi = np.ascontiguousarray(phi)
    return Points(phi, _density(phi, (draws.mean, draws.centres, mean), (spread, narrow, crowd)), replicates)


def _density(phi: Floats, centres: tuple[Floats, Floats, Floats], roots: tuple[Floats, Floats, Floats]) -> Floats:
    """Return the logarithm of the density of the mixture: the t distribution, the narrow normals, the population."""
    subjects, draws, d = phi.shape
    kept = centres[1].shape[1]
    centre = np.concatenate([centres[0][:, None], centres[1], centres[2][:, None]], axis=1)
    number = np.array([0, *[1] * kept, 2])
    inverse = np.stack([np.linalg.inv(root) for root in roots], axis=1)[:, number]
    half = np.stack([np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) for root in roots], axis=1)[:, number]
    share = np.array([_T_SHARE, *[_CENTRES_SHARE / kept] * kept, 1.0 - _T_SHARE - _CENTRES_SHARE])
    of_t = special.gammaln((_DEGREES + d) / 2) - special.gammaln(_DEGREES / 2) - 0.5 * d * np.log(_DEGREES * np.pi)
    norm = np.array([of_t, *[-0.5 * d * _LOG_2PI] * (kept + 1)])
    out = np.empty((subjects, draws))
    constant = np.log(share) + norm - half
    fill_density(out.size * (kept + 2), phi, centre, np.ascontiguousarray(inverse), constant, _DEGREES, out)
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


def _turned(root: Floats, normal: Floats) -> Floats:
    return np.asarray(normal @ np.swapaxes(root, 1, 2))
