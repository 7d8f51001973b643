"""What rate do several trials have, by the normal model of their log odds? REML with Knapp and Hartung's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.pooled.likelihood import read_trials
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["NormalRate", "estimate_pooled_normal"]

Floats = NDArray[np.float64]
_ROUNDS = 200
_NEAR = 1e-12


@dataclass(frozen=True)
class NormalRate(Shown):
    """The rate of several trials by the normal model.

    Parameters
    ----------
    trials : int
    mean, heterogeneity : float
        Of the log odds; the variance between trials is 0 where REML falls from there.
    error : float
        Of the mean: Knapp and Hartung's.
    rate, lower, upper : float
        Of the median trial.
    predicted_lower, predicted_upper : float
        Between which a new trial's rate lies; not a number without a degree of freedom.
    corrected : int
        Trials in which all or none responded, to whose counts a half was added.
    floored : bool
        Whether the limits would have been narrower than those of a common rate, and were not let be.
    """

    trials: int
    mean: float
    heterogeneity: float
    error: float
    rate: float
    lower: float
    upper: float
    predicted_lower: float
    predicted_upper: float
    corrected: int
    floored: bool


def estimate_pooled_normal(
    x: np.ndarray, n: np.ndarray, *, conf_level: float = 0.95, floor: bool = True, prediction: Literal["k-1", "k-2"] = "k-2"
) -> NormalRate:
    """Estimate the rate of several trials by REML on the log odds, with limits of Knapp and Hartung.

    Matches R ``metafor::rma(measure = "PLO", test = "knha")`` where `floor` is False and `prediction` is k-1. Its factor can be near 0,
    and then the limits have no width: with `floor` it is at least 1 (Roever C. BMC Med Res Methodol 2015;15:99). Where all or none
    responded a half is added to both counts of that trial.

    Parameters
    ----------
    x, n : ndarray of integers, shape (trials,)
    conf_level : float
    floor : bool
    prediction : {"k-1", "k-2"}
        Degrees of freedom of the prediction: metafor's, or Higgins'.

    Returns
    -------
    NormalRate

    Examples
    --------
    Eight groups given placebo; metafor has -1.084933 and 0.083434 at a threshold of 1e-14.

    >>> import numpy as np
    >>> from cartrial.analysis import estimate_pooled_normal
    >>> found = estimate_pooled_normal(np.array([23, 12, 19, 9, 39, 6, 9, 10]), np.array([107, 44, 51, 39, 139, 20, 78, 35]))
    >>> round(found.mean, 5), round(found.heterogeneity, 6)
    (-1.08493, 0.083434)
    """
    from scipy.special import expit, stdtrit

    counts = read_trials(x, n)
    whole = (counts.x == 0) | (counts.x == counts.n)
    events, rest = counts.x + 0.5 * whole, counts.n - counts.x + 0.5 * whole
    odds, variance = np.log(events / rest), 1 / events + 1 / rest
    spread = _reml(odds, variance)
    weight = 1 / (variance + spread)
    mean = float((weight * odds).sum() / weight.sum())
    trials = odds.size
    factor = float((weight * (odds - mean) ** 2).sum() / (trials - 1))
    floored = floor and factor < 1
    error = float(np.sqrt(max(factor, 1.0 if floor else 0.0) / weight.sum()))
    half = float(stdtrit(trials - 1, 0.5 + conf_level / 2)) * error
    degrees = trials - (1 if prediction == "k-1" else 2)
    wide = float(stdtrit(degrees, 0.5 + conf_level / 2)) * np.sqrt(spread + error**2) if degrees else np.nan
    rate, lower, upper, low, high = (float(expit(mean + step)) for step in (0.0, -half, half, -wide, wide))
    return NormalRate(trials, mean, spread, error, rate, lower, upper, low, high, int(whole.sum()), floored)


def _reml(odds: Floats, variance: Floats) -> float:
    """Return the variance between trials of the largest restricted likelihood, by Fisher's scoring with halved steps."""
    spread = max(float(odds.var(ddof=1) - variance.mean()), 0.0)
    log = _restricted(odds, variance, spread)
    for _ in range(_ROUNDS):
        weight = 1 / (variance + spread)
        mean = (weight * odds).sum() / weight.sum()
        score = -0.5 * (weight.sum() - (weight**2).sum() / weight.sum()) + 0.5 * (weight**2 * (odds - mean) ** 2).sum()
        squares, cubes = (weight**2).sum(), (weight**3).sum()
        information = 0.5 * (squares - 2 * cubes / weight.sum() + (squares / weight.sum()) ** 2)
        step = score / information
        for _ in range(60):
            tried = max(float(spread + step), 0.0)
            new = _restricted(odds, variance, tried)
            if new >= log - 1e-14:
                break
            step /= 2
        moved = abs(tried - spread)
        spread, log = tried, new
        if moved < _NEAR * (1 + spread):
            return spread
    raise InputError("the restricted likelihood has no largest value that was found", key="x", right="Use the exact likelihood")


def _restricted(odds: Floats, variance: Floats, spread: float) -> float:
    """Return the restricted log likelihood, without its constant."""
    weight = 1 / (variance + spread)
    mean = (weight * odds).sum() / weight.sum()
    return float(0.5 * np.log(weight).sum() - 0.5 * np.log(weight.sum()) - 0.5 * (weight * (odds - mean) ** 2).sum())
