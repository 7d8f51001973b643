"""How likely was each subject to be in the trial, and which weights make the others like it? Propensity, and weights of two estimands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_word
from cartrial.analysis.estimators.weighted.moments import effective_number
from cartrial.errors import InputError

__all__ = ["PropensityWeights", "estimate_propensity", "standardised_differences"]

Floats = NDArray[np.float64]
Estimand = Literal["treated", "overlap"]
_STEPS, _PRECISE, _APART = 100, 1e-12, 30.0


@dataclass(frozen=True)
class PropensityWeights:
    """Weights of subjects of two arms.

    Parameters
    ----------
    estimand : str
        ``treated``: those of the trial as they are, the others made like them (ATT). ``overlap``: both made like those who could have
        been in either (ATO).
    score, weights : ndarray of float64, shape (subjects,)
    names : tuple of str
    before, after : ndarray of float64, shape (covariates,)
        Standardised differences without and with weights.
    effective : tuple of float
        Subjects that the weights of arm 1 and of arm 0 are worth.
    """

    estimand: str
    score: Floats
    weights: Floats
    names: tuple[str, ...]
    before: Floats
    after: Floats
    effective: tuple[float, float]


def estimate_propensity(x: Floats, arm: NDArray[np.int64], names: Sequence[str], estimand: Estimand = "treated") -> PropensityWeights:
    """Estimate the propensity by logistic regression, and weigh.

    Weights of the treated are 1, and e/(1 - e) of the others; overlap weights are 1 - e and e (Li F, Morgan KL, Zaslavsky AM. J Am Stat
    Assoc 2018;113:390, doi:10.1080/01621459.2016.1260466), which balance the means of every covariate exactly. R ``glm(family =
    binomial)``.

    Parameters
    ----------
    x : ndarray of float64, shape (subjects, covariates)
    arm : ndarray of int64, shape (subjects,)
        1 in the trial, 0 not.
    names : sequence of str
    estimand : {"treated", "overlap"}

    Returns
    -------
    PropensityWeights

    Raises
    ------
    InputError
        If an arm is empty, a value is missing, covariates say the same, or they tell the arms apart wholly.

    Examples
    --------
    By hand: one of two with, and one of four without, is in the trial: odds 1 and 1/3.

    >>> import numpy as np
    >>> from cartrial.analysis import estimate_propensity
    >>> x, arm = np.array([[1.0], [1.0], [0.0], [0.0], [0.0], [0.0]]), np.array([1, 0, 1, 0, 0, 0])
    >>> [round(float(w), 6) for w in estimate_propensity(x, arm, ["prior transplant"]).weights]
    [1.0, 1.0, 1.0, 0.333333, 0.333333, 0.333333]
    """
    check_word(estimand, get_args(Estimand), "estimand", "estimand")
    if set(np.unique(arm).tolist()) != {0, 1}:
        raise InputError("there are not two arms", key="arm", right="Give subjects of the trial and others")
    if not np.isfinite(x).all():
        missing = [f"{name} of {int(count)}" for name, count in zip(names, (~np.isfinite(x)).sum(0), strict=True) if count]
        raise InputError(f"values are missing: {', '.join(missing)}", key="covariates", right="Leave these subjects out, and count them")
    spread = x.std(0)
    if (spread == 0).any():
        flat = ", ".join(name for name, one in zip(names, spread, strict=True) if one == 0)
        raise InputError(f"{flat} does not vary", key="covariates", right="Leave it out")
    z = np.column_stack([np.ones(len(x)), (x - x.mean(0)) / spread])
    if np.linalg.matrix_rank(z) < z.shape[1]:
        raise InputError(f"{', '.join(names)} say the same", key="covariates", right="Leave one of them out")
    score = _logistic(z, arm.astype(float))
    if score is None:
        right = "There is no common support: compare fewer covariates, or other patients"
        raise InputError(f"{', '.join(names)} tell the two arms apart wholly", key="covariates", right=right)
    weights = np.where(arm == 1, 1.0, score / (1 - score)) if estimand == "treated" else np.where(arm == 1, 1 - score, score)
    effective = (effective_number(weights[arm == 1]), effective_number(weights[arm == 0]))
    before = standardised_differences(x, arm, np.ones(len(x)))
    return PropensityWeights(estimand, score, weights, tuple(names), before, standardised_differences(x, arm, weights), effective)


def _logistic(z: Floats, y: Floats) -> Floats | None:
    """Return fitted probabilities by Newton's steps; None where the arms are apart."""
    beta = np.zeros(z.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-(z @ beta)))
        step = np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + 1e-300 * np.eye(len(beta)), z.T @ (y - p))
        beta = beta + step * min(1.0, 5 / max(np.abs(step).max(), 1e-300))
        if np.abs(z @ beta).max() > _APART:
            return None
        if np.abs(step).max() < _PRECISE * (1 + np.abs(beta).max()):
            return np.asarray(1 / (1 + np.exp(-(z @ beta))))
    return None


def standardised_differences(x: Floats, arm: NDArray[np.int64], weights: Floats) -> Floats:
    """Return weighted differences of the means in standard deviations: the root of the mean of both arms' unweighted variances.

    Austin PC. Stat Med 2009;28:3083 (doi:10.1002/sim.3697).

    Examples
    --------
    By hand: means 1 and 0, variances 2 and 2.

    >>> import numpy as np
    >>> from cartrial.analysis.estimators.weighted.propensity import standardised_differences
    >>> x, arm = np.array([[0.0], [2.0], [-1.0], [1.0]]), np.array([1, 1, 0, 0])
    >>> standardised_differences(x, arm, np.ones(4)).round(6).tolist()
    [0.707107]
    """
    one, other = x[arm == 1], x[arm == 0]
    means = [np.average(part, axis=0, weights=weights[arm == side]) for part, side in ((one, 1), (other, 0))]
    spread = np.sqrt((one.var(0, ddof=1) + other.var(0, ddof=1)) / 2)
    return np.asarray((means[0] - means[1]) / np.where(spread > 0, spread, 1.0))
