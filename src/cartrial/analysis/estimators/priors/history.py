"""How much of one earlier trial is believed? Power priors, fixed and normalised, and the commensurate prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.priors.meta_analytic import LARGEST_SCALE, PredictivePrior
from cartrial.analysis.estimators.priors.mixture import BetaMixture
from cartrial.errors import InputError

__all__ = ["PowerPosterior", "commensurate_prior", "normalised_power_posterior", "power_prior"]

Floats = NDArray[np.float64]
_POINTS = 200
_SPREADS, _ODDS = 120, 160
# standard deviations of the history's log odds, and scales of the spread, beyond which there is nothing
_REACH, _SCALES = 9.0, 7.0


@dataclass(frozen=True)
class PowerPosterior:
    """What a normalised power prior becomes: the mean of the power and of the rate."""

    power: float
    mean: float


def power_prior(x: int, n: int, power: float, *, a: float = 1.0, b: float = 1.0) -> BetaMixture:
    """Return a prior in which each earlier patient counts for a fixed part.

    Ibrahim J, Chen M. Stat Sci 2000;15:46.

    Parameters
    ----------
    x, n : int
        Of the earlier trial.
    power : float
        From 0, the earlier trial is not believed, to 1, its patients are as the trial's own.
    a, b : float
        Of the beta distribution before any trial.

    Examples
    --------
    A tenth of 39 of 55, then 41 of 48: (1 + 3.9 + 41) / (2 + 5.5 + 48).

    >>> from cartrial.analysis import power_prior
    >>> round(power_prior(39, 55, 0.1).posterior(41, 48).mean, 6)
    0.827027
    """
    _check(x, n)
    if not 0 <= power <= 1:
        raise InputError(f"the power {power:g} is no share", key="power", right="Give 0 to 1")
    return BetaMixture((1.0,), (a + power * x,), (b + power * (n - x),))


def normalised_power_posterior(history: tuple[int, int], trial: tuple[int, int], *, a: float = 1.0, b: float = 1.0) -> PowerPosterior:
    """Return the posterior of a power that is uniform from 0 to 1, and of the rate.

    Duan Y, Ye K, Smith E. Environmetrics 2006;17:95: the prior is normalised for each power, so that the trial itself says how much of
    history to believe.

    Parameters
    ----------
    history, trial : tuple of (int, int)
        Patients with the outcome, and all.

    Examples
    --------
    >>> from cartrial.analysis import normalised_power_posterior
    >>> found = normalised_power_posterior((39, 55), (41, 48))
    >>> round(found.power, 6), round(found.mean, 6)
    (0.466139, 0.799424)
    """
    from scipy.special import betaln

    (x, n), (y, m) = history, trial
    _check(x, n)
    _check(y, m)
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    power = (nodes + 1) / 2
    first, second = a + power * x, b + power * (n - x)
    logs = betaln(first + y, second + m - y) - betaln(first, second)
    share = weights * np.exp(logs - logs.max())
    share /= share.sum()
    return PowerPosterior(float((share * power).sum()), float((share * (first + y) / (first + second + m)).sum()))


def commensurate_prior(x: int, n: int, *, mean_sd: float = 2.0, spread_scale: float = 1.0) -> PredictivePrior:
    """Return the prior of a rate whose log odds are normal around those of one earlier trial.

    Hobbs B et al. Biometrics 2011;67:1047. The standard deviation between the two is half-normal; the prior of the earlier trial's log
    odds is normal around 0.

    Parameters
    ----------
    x, n : int
        Of the earlier trial.
    mean_sd, spread_scale : float

    Examples
    --------
    41 of 48, after 39 of 55 elsewhere.

    >>> from cartrial.analysis import commensurate_prior
    >>> [round(value, 4) for value in commensurate_prior(39, 55, spread_scale=0.5).updated(41, 48)]
    [0.8067, 0.7046, 0.9001]
    """
    from scipy.special import ndtri

    _check(x, n)
    for name, value in (("mean_sd", mean_sd), ("spread_scale", spread_scale)):
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"the scale {value:g} is not above 0", key=name, right="Give one such as 1")
        if value > LARGEST_SCALE:
            what = f"the scale {value:g} is above {LARGEST_SCALE:g}: odds differ by no such factor between trials"
            raise InputError(what, key=name, right="Give one such as 1")
    nodes, rule = np.polynomial.legendre.leggauss(_ODDS)
    centre = np.log((x + 0.5) / (n - x + 0.5))
    reach = _REACH * np.sqrt(1 / (x + 0.5) + 1 / (n - x + 0.5))
    odds = centre + reach * nodes
    logs = x * odds - n * np.logaddexp(0, odds) - (odds / mean_sd) ** 2 / 2
    means = rule * np.exp(logs - logs.max())
    roots, weights = np.polynomial.legendre.leggauss(_SPREADS)
    u = np.sqrt(_SCALES * spread_scale) * (roots + 1) / 2
    spreads = weights * 2 * u * np.exp(-((u * u / spread_scale) ** 2) / 2)
    made = np.outer(means / means.sum(), spreads / spreads.sum())
    low, median, high = (float(spread_scale * ndtri(0.5 + q / 2)) for q in (0.025, 0.5, 0.975))
    return PredictivePrior(
        ends=(float(centre - reach), float(centre + reach)),
        spreads=u * u,
        weights=made,
        spread_mean=float(spread_scale * np.sqrt(2 / np.pi)),
        **{"spread_low": low, "spread_median": median, "spread_high": high},
        notes=("one trial tells nothing of how much trials differ: the prior of the spread decides",),
    )


def _check(x: int, n: int) -> None:
    if not 0 <= x <= n or n < 1:
        raise InputError(f"{x} of {n} patients cannot be", key="x", right="Give 0 <= x <= n")
