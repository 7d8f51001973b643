"""How much does a matched comparison vary? Patients and the others are drawn again, and weighted anew each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_word
from cartrial.analysis.estimators.weighted.cox_kernel import fit_hazard
from cartrial.analysis.estimators.weighted.hazard import order_arms
from cartrial.analysis.estimators.weighted.moments import MomentWeights, effective_number, solve_moments
from cartrial.errors import InputError

__all__ = ["Bootstrap", "Scaling", "bootstrap_hazard", "bootstrap_rates"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Scaling = Literal["effective", "patients", "raw"]


@dataclass(frozen=True)
class Bootstrap:
    """Values of resamples.

    Parameters
    ----------
    values : ndarray of float64, shape (resamples that could be estimated,)
        Log hazard ratios or differences of rates.
    failed : int
        Resamples in which no weights reach the targets, or nothing can be estimated.
    both : bool
        Whether the others were drawn again too. Without them the spread is incomplete.
    """

    values: Floats
    failed: int
    both: bool

    @property
    def error(self) -> float:
        """The standard deviation over resamples."""
        return float(self.values.std(ddof=1))

    def limits(self, conf_level: float = 0.95) -> tuple[float, float]:
        """Return percentile limits."""
        low, high = np.quantile(self.values, [0.5 - conf_level / 2, 0.5 + conf_level / 2])
        return float(low), float(high)


def _scaled(weights: Floats, scaling: str) -> Floats:
    if scaling == "raw":
        return weights
    total = effective_number(weights) if scaling == "effective" else float(len(weights))
    return np.asarray(weights * (total / weights.sum()))


def bootstrap_hazard(
    weights: MomentWeights,
    time: Floats,
    event: Integers,
    other_time: Floats,
    other_event: Integers,
    *,
    resamples: int = 1000,
    seed: int = 1,
    scaling: Scaling = "effective",
    both: bool = True,
) -> Bootstrap:
    """Draw the hazard ratio of weighted patients against others again.

    Parameters
    ----------
    weights : MomentWeights
        Of the patients; estimated anew in each resample.
    time, event, other_time, other_event : ndarray
        Of patients and of others.
    resamples, seed : int
    scaling : {"effective", "patients", "raw"}
        What the weights sum to: the hazard ratio hangs on it.
    both : bool

    Returns
    -------
    Bootstrap

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial.analysis import Moment, bootstrap_hazard, estimate_moment_weights
    >>> weights = estimate_moment_weights([Moment("old", np.array([1.0, 0.0] * 5), 0.4)])
    >>> time, event = np.arange(1.0, 11.0), np.ones(10, int)
    >>> found = bootstrap_hazard(weights, time, event, time + 0.5, event, resamples=20)
    >>> len(found.values) + found.failed, found.both
    (20, True)
    """
    check_word(scaling, get_args(Scaling), "scaling", "scaling")
    _check_resamples(resamples)
    n, m = len(time), len(other_time)
    off = _off(weights)
    arms = order_arms(
        np.concatenate([time, other_time]), np.concatenate([event, other_event]), np.append(np.ones(n, int), np.zeros(m, int))
    )
    random = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        drawn = random.integers(0, n, n)
        other = np.bincount(random.integers(0, m, m), minlength=m) if both else np.ones(m, np.int64)
        solved = solve_moments(off[drawn])
        if solved is None:
            continue
        each = np.zeros(n)
        each[drawn] = _scaled(solved, scaling)
        copies = np.concatenate([np.bincount(drawn, minlength=n), other])
        subjects = arms.weighted(np.append(each, np.ones(m)), copies)
        beta, _ = fit_hazard(8 * (n + m), subjects, 0.0)
        if np.isfinite(beta):
            found.append(beta)
    return Bootstrap(np.array(found), resamples - len(found), both)


def bootstrap_rates(
    weights: MomentWeights, response: Floats, count: int, of: int, *, resamples: int = 1000, seed: int = 1, both: bool = True
) -> Bootstrap:
    """Draw the difference of a weighted rate from a count of others again. Parameters and result as `bootstrap_hazard`.

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial.analysis import Moment, bootstrap_rates, estimate_moment_weights
    >>> weights = estimate_moment_weights([Moment("old", np.array([1.0, 0.0] * 5), 0.4)])
    >>> found = bootstrap_rates(weights, np.array([1.0] * 8 + [0.0] * 2), 5, 10, resamples=20)
    >>> len(found.values) + found.failed
    20
    """
    _check_resamples(resamples)
    n, off = len(response), _off(weights)
    random = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        drawn = random.integers(0, n, n)
        other = random.binomial(of, count / of) / of if both else count / of
        solved = solve_moments(off[drawn])
        if solved is not None:
            found.append(float(solved @ response[drawn] / solved.sum()) - other)
    return Bootstrap(np.array(found), resamples - len(found), both)


def _off(weights: MomentWeights) -> Floats:
    return np.column_stack([one.values - one.target for one in weights.moments])


def _check_resamples(resamples: int) -> None:
    if resamples < 2:
        raise InputError(f"{resamples} resamples have no spread", key="resamples", right="Draw some hundreds")
