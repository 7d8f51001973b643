"""Which parameters may each subject have, given the population? One round of draws for every chain and subject."""

from __future__ import annotations

import math
from typing import NamedTuple

from cartrial.kernels import kernel, part
from cartrial.kinetics.codes import BELOW, MEASURED
from cartrial.kinetics.curves_kernel import Floats, Integers, height
from cartrial.kinetics.random_kernel import quantile, scrambled, tail_draw
from cartrial.kinetics.samples_kernel import Formula, Sampled, bent, likelihood

__all__ = ["Chains", "Crowd", "Sums", "Walk", "complete", "explore"]

_WORD = 4294967296.0
# by this much a parameter that all subjects share is moved to see what the curves do
_NUDGE = 1e-4


class Crowd(NamedTuple):
    """The population: `mean` by subject, lower triangle and inverse of the covariance, residual SD, share of expanders (1: no other class).

    `never`: 1 for subjects without a quantifiable sample.
    """

    mean: Floats
    root: Floats
    precision: Floats
    error: float
    share: float
    never: Integers


class Walk(NamedTuple):
    """How draws move: keys by chain and subject, number of the round, moves of each kind, steps of one parameter and of all at once."""

    keys: Integers
    round: int
    moves: Integers
    step: Floats
    block: Floats


class Chains(NamedTuple):
    """Where the chains stand: parameters, class (1: expander), how often a step of one parameter was taken, and work space."""

    phi: Floats
    expander: Integers
    taken: Floats
    noise: Floats
    trial: Floats
    full: Floats


class Sums(NamedTuple):
    """Of the residuals of expanders: squares, number, and by parameters that all share the slope and curvature of the squares."""

    squares: Floats
    number: Floats
    slope: Floats
    curvature: Floats
    filled: Floats


@part
def make_noise(walk: Walk, c: int, i: int, place: int, noise: Floats) -> None:
    """Fill uniform numbers, strictly between 0 and 1, of a subject, chain and round."""
    key0, key1 = walk.keys[c, i, 0], walk.keys[c, i, 1]
    for k in range(0, len(noise) - 1, 2):
        x, y = scrambled(key0, key1, 2 * walk.round + place, k)
        noise[k] = (x + 0.5) / _WORD
        noise[k + 1] = (y + 0.5) / _WORD


@part
def propose(m: int, i: int, crowd: Crowd, walk: Walk, now: Floats, chains: Chains) -> None:
    """Fill the parameters that move m tries: from the population, one parameter, or all along what the subject's own draws show."""
    size = len(now)
    from_crowd, single = walk.moves[0], walk.moves[0] + walk.moves[1]
    for a in range(size):
        chains.trial[a] = now[a]
    if m < 0:
        return
    start = m * (size + 1)
    if from_crowd <= m < single:
        a = (m - from_crowd) % size
        chains.trial[a] += walk.step[a] * quantile(chains.noise[start])
        return
    for b in range(size):
        z = quantile(chains.noise[start + b])
        if m < from_crowd:
            for a in range(b, size):
                chains.trial[a] = (crowd.mean[i, a] if b == 0 else chains.trial[a]) + crowd.root[a, b] * z
        else:
            for a in range(b, size):
                chains.trial[a] += walk.block[i, a, b] * z


@part
def distance(crowd: Crowd, i: int, phi: Floats) -> float:
    """Return half the squared distance of parameters from the mean of the subject's population."""
    found = 0.0
    for a in range(len(phi)):
        for b in range(len(phi)):
            found += (phi[a] - crowd.mean[i, a]) * crowd.precision[a, b] * (phi[b] - crowd.mean[i, b])
    return 0.5 * found


@part
def placed(formula: Formula, phi: Floats, full: Floats) -> None:
    """Fill the six places with a subject's parameters and those that all share."""
    for k in range(len(full)):
        full[k] = formula.common[k]
    for a in range(len(phi)):
        full[formula.slot[a]] = phi[a]


@kernel
def explore(samples: Sampled, formula: Formula, crowd: Crowd, walk: Walk, chains: Chains) -> None:
    """Move every chain of every subject once; a subject of the other class gets parameters of the population."""
    size = len(formula.slot)
    total = walk.moves[0] + walk.moves[1] + walk.moves[2]
    for c in range(len(chains.phi)):
        for i in range(len(samples.first) - 1):
            make_noise(walk, c, i, 0, chains.noise)
            now = chains.phi[c, i]
            like, prior = 0.0, 0.0
            chains.expander[c, i] = 1
            for m in range(-1, total):
                propose(m, i, crowd, walk, now, chains)
                placed(formula, chains.trial, chains.full)
                new_like = likelihood(samples, formula.curve, bent(formula, chains.full), i, crowd.error)
                new_prior = distance(crowd, i, chains.trial)
                if m < 0:
                    like, prior = new_like, new_prior
                    if crowd.share < 1.0 and crowd.never[i] == 1:
                        seen = crowd.share * math.exp(like)
                        if chains.noise[total * (size + 1)] * (seen + 1.0 - crowd.share) > seen:
                            chains.expander[c, i] = 0
                            propose(0, i, crowd, walk, now, chains)
                            for a in range(size):
                                now[a] = chains.trial[a]
                            break
                    continue
                gain = new_like - like
                if m >= walk.moves[0]:
                    gain += prior - new_prior
                if math.log(chains.noise[m * (size + 1) + size]) < gain:
                    for a in range(size):
                        now[a] = chains.trial[a]
                    like, prior = new_like, new_prior
                    if walk.moves[0] <= m < walk.moves[0] + walk.moves[1]:
                        chains.taken[(m - walk.moves[0]) % size] += 1.0


@part
def completed(value: float, side: int, level: float, error: float, u: float) -> float:
    """Return a measurement, or one drawn beyond its limit: the residual variance needs both (Samson 2006)."""
    if side == MEASURED:
        return value
    if side == BELOW:
        return level + error * tail_draw((value - level) / error, u)
    return level - error * tail_draw((level - value) / error, u)


@kernel
def complete(samples: Sampled, formula: Formula, crowd: Crowd, walk: Walk, chains: Chains, sums: Sums) -> None:
    """Sum what the population's residuals show, with values drawn for samples beyond a limit; non-expanders have no residuals."""
    q = len(formula.held)
    for c in range(len(chains.phi)):
        for i in range(len(samples.first) - 1):
            if chains.expander[c, i] == 0:
                continue
            make_noise(walk, c, i, 1, chains.noise)
            placed(formula, chains.phi[c, i], chains.full)
            shape = bent(formula, chains.full)
            first, last = samples.first[i], samples.first[i + 1]
            for r in range(first, last):
                level = height(formula.curve, shape, samples.time[r], samples.amount[i])
                full = completed(samples.value[r], samples.side[r], level, crowd.error, chains.noise[r - first])
                sums.filled[r, 0] = full - level
                sums.squares[0] += (full - level) ** 2
                sums.number[0] += 1.0
            for b in range(q):
                chains.full[formula.held[b]] += _NUDGE
                above = bent(formula, chains.full)
                chains.full[formula.held[b]] -= 2.0 * _NUDGE
                below = bent(formula, chains.full)
                chains.full[formula.held[b]] += _NUDGE
                for r in range(first, last):
                    rise = height(formula.curve, above, samples.time[r], samples.amount[i])
                    fall = height(formula.curve, below, samples.time[r], samples.amount[i])
                    sums.filled[r, 1 + b] = (rise - fall) / (2.0 * _NUDGE)
            for r in range(first, last):
                for a in range(q):
                    sums.slope[a] += sums.filled[r, 1 + a] * sums.filled[r, 0]
                    for b in range(q):
                        sums.curvature[a, b] += sums.filled[r, 1 + a] * sums.filled[r, 1 + b]
