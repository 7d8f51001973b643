"""What rate do several trials have, by the exact likelihood of their counts? Estimate, profile limits, prediction, influence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.limits import normal_quantile
from cartrial.analysis.estimators.pooled.likelihood import Counts, hermite_of, likelihood, read_trials
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["PooledRate", "estimate_influence", "estimate_pooled"]

Floats = NDArray[np.float64]
# standard deviations of log odds between which the likelihood is looked at first, and the least that is told from 0
_GRID = np.array([0.0, 0.03, 0.1, 0.2, 0.35, 0.6, 1.0, 1.6, 2.5, 4.0, 7.0])
_LEAST = 1e-5
# a spread so near its best changes the likelihood by less than 1e-8
_NEAR = 1e-4
_ROUNDS = 60
# points that tell between which spreads the best one lies
_FEW = 11


@dataclass(frozen=True)
class PooledRate(Shown):
    """The rate of several trials.

    Parameters
    ----------
    trials, events, patients : int
    mean, error : float
        Of the log odds over trials.
    heterogeneity : float
        Variance of the log odds between trials; 0 where the likelihood falls from there.
    log_likelihood : float
    rate, lower, upper : float
        The median trial's rate, which is that of the mean log odds, with its profile limits.
    mean_rate : float
        The mean of the trials' rates, which is nearer to one half.
    predicted_lower, predicted_upper : float
        Between which a new trial's rate lies; not a number for two trials.
    conf_level : float
    """

    trials: int
    events: int
    patients: int
    mean: float
    error: float
    heterogeneity: float
    log_likelihood: float
    rate: float
    lower: float
    upper: float
    mean_rate: float
    predicted_lower: float
    predicted_upper: float
    conf_level: float


def estimate_pooled(x: np.ndarray, n: np.ndarray, *, conf_level: float = 0.95) -> PooledRate:
    """Estimate the rate of several trials by the exact binomial-normal likelihood.

    Matches R ``lme4::glmer`` with ``nAGQ`` and ``metafor::rma.glmm(measure = "PLO")``, and works where they stop: for equal rates, and
    for trials in which all or none responded. Limits are those of the profile likelihood. The prediction is Higgins' (J R Stat Soc A
    2009;172:137): Student's quantile of trials - 2 degrees of freedom on the log odds.

    Parameters
    ----------
    x, n : ndarray of integers, shape (trials,)
        Patients with the outcome, and all.
    conf_level : float

    Returns
    -------
    PooledRate

    Raises
    ------
    InputError
        If there are fewer than two trials, one has no patients, or all or none responded in every one.

    Examples
    --------
    Eight groups given placebo (the set AS of the R package RBesT); lme4 has -1.1108 and 0.0786.

    >>> import numpy as np
    >>> from cartrial.analysis import estimate_pooled
    >>> found = estimate_pooled(np.array([23, 12, 19, 9, 39, 6, 9, 10]), np.array([107, 44, 51, 39, 139, 20, 78, 35]))
    >>> round(found.mean, 4), round(found.heterogeneity, 4), round(found.lower, 4), round(found.upper, 4)
    (-1.1108, 0.0786, 0.1902, 0.3147)
    """
    from scipy.special import expit, stdtrit

    counts = read_trials(x, n)
    if counts.x.sum() in (0, counts.n.sum()):
        raise InputError("all or none responded in every trial", key="x", right="Give exact limits of the sum, which need no model")
    mean, spread, log = _largest(counts)
    error = _error(counts, mean, spread)
    lower, upper = _profile(counts, mean, spread, log, max(error, 1e-3), normal_quantile(conf_level))
    trials = counts.x.size
    if trials > 2:
        half = float(stdtrit(trials - 2, 0.5 + conf_level / 2)) * np.sqrt(spread**2 + error**2)
        predicted = (float(expit(mean - half)), float(expit(mean + half)))
    else:
        predicted = (np.nan, np.nan)
    return PooledRate(
        trials=trials,
        events=int(counts.x.sum()),
        patients=int(counts.n.sum()),
        mean=mean,
        error=error,
        heterogeneity=spread**2,
        log_likelihood=log,
        rate=float(expit(mean)),
        lower=lower,
        upper=upper,
        mean_rate=_mean_rate(mean, spread),
        predicted_lower=predicted[0],
        predicted_upper=predicted[1],
        conf_level=conf_level,
    )


def estimate_influence(x: np.ndarray, n: np.ndarray, *, conf_level: float = 0.95) -> list[PooledRate]:
    """Estimate the rate without each trial in turn.

    Returns
    -------
    list of PooledRate
        In the order of the trials that are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial.analysis import estimate_influence
    >>> [one.events for one in estimate_influence(np.array([3, 4, 9]), np.array([10, 10, 10]))]
    [13, 12, 7]
    """
    counts = read_trials(x, n)
    if counts.x.size < 3:
        raise InputError("of two trials none can be left out", key="x", right="Give three or more")
    kept = ~np.eye(counts.x.size, dtype=bool)
    return [estimate_pooled(counts.x[row].astype(np.int64), counts.n[row].astype(np.int64), conf_level=conf_level) for row in kept]


def _mean_rate(mean: float, spread: float) -> float:
    """Return the mean over trials of a rate whose log odds are normal."""
    from scipy.special import expit

    nodes, weights = hermite_of(81)
    return float((weights * expit(mean + spread * np.sqrt(2) * nodes)).sum() / np.sqrt(np.pi))


def _best_spread(counts: Counts, mean: Floats, near: float = _NEAR) -> tuple[Floats, Floats]:
    """Return for each mean the spread of the largest likelihood, to within `near`, and that likelihood."""
    pairs = likelihood(counts, np.repeat(mean, _GRID.size), np.tile(_GRID, mean.size), _FEW)
    best = pairs.log.reshape(mean.size, -1).argmax(axis=1)
    # the slope at 0 is 0: a rise from there shows just beyond it
    low, middle = np.maximum(_GRID[np.maximum(best - 1, 0)], _LEAST), np.maximum(_GRID[best], _LEAST)
    high = _GRID[np.minimum(best + 1, _GRID.size - 1)]
    ends = np.concatenate([low, middle, high])
    rise, slope, fall = likelihood(counts, np.tile(mean, 3), ends).by_spread.reshape(3, -1)
    before = slope < 0
    low, rise = np.where(before, low, middle), np.where(before, rise, slope)
    high, fall = np.where(before, middle, high), np.where(before, slope, fall)
    at = _root(counts, mean, (low, rise), (high, fall), near)
    spread = np.where(at <= 2 * _LEAST, 0.0, at)
    return spread, likelihood(counts, mean, spread).log


def _root(counts: Counts, mean: Floats, low: tuple[Floats, Floats], high: tuple[Floats, Floats], near: float) -> Floats:
    """Return where the slopes by the spread are 0, by false position (Illinois) from their ends; an end where they do not change sign."""
    (a, fa), (b, fb) = low, high
    none = (fa <= 0) | (fb >= 0)
    end = np.where(fa <= 0, a, b)
    side = np.zeros(a.size)
    at = np.where(none, end, a)
    for _ in range(_ROUNDS):
        with np.errstate(divide="ignore", invalid="ignore"):
            new = np.where(none, end, (a * fb - b * fa) / (fb - fa))
        moved = np.abs(new - at).max()
        at = new
        if moved < near:
            break
        f = likelihood(counts, mean, at).by_spread
        above = f > 0
        a, b = np.where(above & ~none, at, a), np.where(~above & ~none, at, b)
        fb = np.where(above & (side > 0), fb / 2, np.where(above, fb, f))
        fa = np.where(~above & (side < 0), fa / 2, np.where(above, f, fa))
        side = np.where(above, 1, -1)
    return at


def _largest(counts: Counts) -> tuple[float, float, float]:
    """Return mean and spread of the largest likelihood, and the likelihood."""
    share = np.clip(counts.x.sum() / counts.n.sum(), 1e-6, 1 - 1e-6)
    mean = float(np.log(share / (1 - share)))
    spread, log = _best_spread(counts, np.array([mean]))
    at = np.array([mean, spread[0]])
    for _ in range(_ROUNDS):
        step = _newton_step(counts, at)
        for _ in range(20):
            new = np.array([at[0] + step[0], abs(at[1] + step[1])])
            tried = float(likelihood(counts, new[:1], new[1:]).log[0])
            if tried >= log[0] - 1e-12:
                break
            step = step / 2
        at, log = new, np.array([tried])
        if np.abs(step).max() < 1e-9:
            break
    if at[1] > _GRID[-1]:
        raise InputError("the trials are so unlike that their spread has no estimate", key="x", right="Show them side by side")
    return float(at[0]), float(at[1]), float(log[0])


def _slopes(counts: Counts, mean: float, spread: float) -> tuple[Floats, Floats]:
    """Return the first and second derivatives of the likelihood, the second by central differences of the first."""
    h = 1e-5
    means = np.array([mean, mean + h, mean - h, mean, mean])
    spreads = np.abs(np.array([spread, spread, spread, spread + h, spread - h]))
    found = likelihood(counts, means, spreads)
    sign = np.array([1.0, 1.0, 1.0, 1.0, 1.0 if spread >= h else -1.0])  # the likelihood is even in the spread
    by_spread = found.by_spread * sign
    second = np.array(
        [
            [found.by_mean[1] - found.by_mean[2], found.by_mean[3] - found.by_mean[4]],
            [by_spread[1] - by_spread[2], by_spread[3] - by_spread[4]],
        ]
    ) / (2 * h)
    return np.array([found.by_mean[0], found.by_spread[0]]), (second + second.T) / 2


def _newton_step(counts: Counts, at: Floats) -> Floats:
    """Return a step that climbs: Newton's where the likelihood is concave, else along its slope; along the mean alone at no spread."""
    first, second = _slopes(counts, float(at[0]), float(at[1]))
    if at[1] == 0:
        return np.array([-first[0] / second[0, 0], 0.0])
    if second[0, 0] < 0 and np.linalg.det(second) > 0:
        step = -np.linalg.solve(second, first)
    else:
        step = np.array([-first[0] / second[0, 0], np.sign(first[1]) * 0.1])
    return np.asarray(np.clip(step, -1.0, 1.0), np.float64)


def _error(counts: Counts, mean: float, spread: float) -> float:
    """Return the standard error of the mean: by the information on both parameters, on the mean alone at no spread."""
    _, second = _slopes(counts, mean, spread)
    if spread == 0:
        return float(np.sqrt(-1 / second[0, 0]))
    return float(np.sqrt(np.linalg.inv(-second)[0, 0]))


def _profile(counts: Counts, mean: float, spread: float, log: float, error: float, z: float) -> tuple[float, float]:
    """Return the limits of the rate: where twice the fall of the profile likelihood is z squared."""
    from scipy.special import expit

    def beyond(means: Floats) -> Floats:
        """Signed root of the deviance less z: nearly a straight line."""
        _, found = _best_spread(counts, means)
        return np.sqrt(np.maximum(2 * (log - found), 0.0)) - z

    sides = np.array([-1.0, 1.0])
    near, far = np.array([mean, mean]), mean + sides * z * error
    f_near, f_far = np.full(2, -z), beyond(far)
    for _ in range(_ROUNDS):
        if (f_far >= 0).all():
            break
        far = np.where(f_far < 0, mean + 2 * (far - mean), far)
        f_far = beyond(far)
    for _ in range(_ROUNDS):
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.where(f_far == f_near, far, far - f_far * (far - near) / (f_far - f_near))
        f_at = beyond(at)
        near, f_near, far, f_far = far, f_far, at, f_at
        if np.abs(f_at).max() < 1e-9:
            break
    low, high = expit(far)
    return float(low), float(high)
