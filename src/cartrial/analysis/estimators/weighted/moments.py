"""Which weights give patients the means of others? Matching-adjusted weights, found where they exist, refused where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError

__all__ = ["Moment", "MomentWeights", "effective_number", "estimate_moment_weights", "require_feasible", "solve_moments"]

Floats = NDArray[np.float64]
_STEPS, _PRECISE = 200, 1e-10
# beyond this many standard deviations of log weight nothing is left to be found
_FAR = 60.0
_EDGE = "the targets lie on the edge of what the patients span, so that some patients would weigh nothing at all"


@dataclass(frozen=True)
class Moment:
    """One number that the weighted mean of the patients has to meet.

    Parameters
    ----------
    name : str
    values : ndarray of float64, shape (patients,)
    target : float
    """

    name: str
    values: Floats
    target: float


@dataclass(frozen=True)
class MomentWeights:
    """Weights of patients, and what they bring about.

    Parameters
    ----------
    moments : tuple of Moment
    weights : ndarray of float64, shape (patients,)
        exp of a combination of what a patient differs from the targets; none sums to anything by itself.
    """

    moments: tuple[Moment, ...]
    weights: Floats

    @property
    def effective(self) -> float:
        """The number of patients that the weights are worth: of equal weights their number."""
        return effective_number(self.weights)

    def scaled(self, total: float) -> Floats:
        """Return the weights with this sum."""
        return np.asarray(self.weights * (total / self.weights.sum()))

    def balance(self) -> list[tuple[str, float, float, float]]:
        """Return name, mean before, mean after and target of each moment."""
        share = self.weights / self.weights.sum()
        return [(one.name, float(one.values.mean()), float(share @ one.values), one.target) for one in self.moments]


def effective_number(weights: Floats) -> float:
    """Return (sum of w)^2 over the sum of w^2: Kish's effective sample size.

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial.analysis.estimators.weighted.moments import effective_number
    >>> effective_number(np.array([1.0, 1.0, 2.0])).__round__(4)
    2.6667
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def estimate_moment_weights(moments: Sequence[Moment]) -> MomentWeights:
    """Find the weights by the method of moments.

    Signorovitch JE et al. Pharmacoeconomics 2010;28:935 (doi:10.2165/11538370-000000000-00000); R ``maicplus::estimate_weights``. The
    weights are exp(a'(x - target)) at the smallest value of their sum, a convex function of a.

    Parameters
    ----------
    moments : sequence of Moment

    Returns
    -------
    MomentWeights

    Raises
    ------
    InputError
        If the targets are outside what the patients span, named by moment.

    Examples
    --------
    By hand: a share of 1/2 where one in four patients has it: those weigh three times as much as the others, and are worth 3 of 4.

    >>> import numpy as np
    >>> from cartrial.analysis import Moment, estimate_moment_weights
    >>> found = estimate_moment_weights([Moment("prior transplant", np.array([1.0, 0.0, 0.0, 0.0]), 0.5)])
    >>> [round(float(w), 6) for w in found.weights / found.weights[1]], round(found.effective, 6)
    ([3.0, 1.0, 1.0, 1.0], 3.0)
    """
    if not moments:
        raise InputError("there is nothing to match", key="covariates", right="Name at least one moment")
    x = np.column_stack([one.values for one in moments])
    if not np.isfinite(x).all():
        missing = [f"{one.name} of {int((~np.isfinite(one.values)).sum())}" for one in moments if not np.isfinite(one.values).all()]
        raise InputError(f"values are missing: {', '.join(missing)}", key="covariates", right="Leave these patients out, and count them")
    require_feasible(moments)
    found = solve_moments(x - np.array([one.target for one in moments]))
    if found is None:
        names = ", ".join(one.name for one in moments)
        raise InputError(f"{_EDGE} ({names})", key="covariates", right="Match fewer of them")
    return MomentWeights(tuple(moments), found)


def solve_moments(off: Floats) -> Floats | None:
    """Return the weights of what patients differ from the targets, shape (patients, moments); None where there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial.analysis.estimators.weighted.moments import solve_moments
    >>> [round(float(w), 6) for w in solve_moments(np.array([[1.0], [-1.0], [-1.0]]))]
    [1.414214, 0.707107, 0.707107]
    >>> solve_moments(np.array([[1.0], [2.0]])) is None
    True
    """
    scale = off.std(0)
    scale[scale == 0] = 1.0
    z = off / scale
    a = np.zeros(z.shape[1])
    w = np.ones(len(z))
    for _ in range(_STEPS):
        slope = w @ z
        if np.abs(slope).max() <= _PRECISE * w.sum():
            return w
        step = np.linalg.lstsq((z * w[:, None]).T @ z, -slope, rcond=1e-12)[0]
        value, length = w.sum(), 1.0
        while True:
            log = z @ (a + length * step)
            if log.max() < 600 and np.exp(log).sum() <= value * (1 + 1e-12):
                break
            length /= 2
            if length < 1e-12:
                return None
        a = a + length * step
        w = np.exp(z @ a)
        if np.abs(a).max() > _FAR:
            return None
    return None


def require_feasible(moments: Sequence[Moment]) -> None:
    """Refuse targets that no weights of these patients reach.

    Raises
    ------
    InputError
        If a target is outside the range of its own values; or, by a linear programme, outside the convex hull of all of them together,
        with the moments that would have to give way.

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial.analysis.estimators.weighted.moments import Moment, require_feasible
    >>> age = Moment("age", np.array([30.0, 40.0]), 50.0)
    >>> try:
    ...     require_feasible([age])
    ... except Exception as error:
    ...     print(error)
    covariates: age 50 is outside what the patients have (30 to 40). Leave it out, or find patients who have it.
    """
    from scipy.optimize import linprog

    out = [one for one in moments if not one.values.min() <= one.target <= one.values.max()]
    if out:
        said = "; ".join(
            f"{one.name} {one.target:g} is outside what the patients have ({one.values.min():g} to {one.values.max():g})" for one in out
        )
        raise InputError(said, key="covariates", right="Leave it out, or find patients who have it")
    x = np.column_stack([one.values - one.target for one in moments])
    scale = x.std(0)
    scale[scale == 0] = 1.0
    n, k = x.shape
    # the least by which the targets would have to move, each in its standard deviation
    meets = np.vstack([np.hstack([(x / scale).T, np.eye(k), -np.eye(k)]), np.concatenate([np.ones(n), np.zeros(2 * k)])])
    found = linprog(np.concatenate([np.zeros(n), np.ones(2 * k)]), A_eq=meets, b_eq=np.append(np.zeros(k), 1.0), method="highs")
    off = found.x[n : n + k] + found.x[n + k :]
    if found.fun > 1e-7:
        # what keeps them apart is a direction: a moment with no part in it can stay
        apart = [one.name for one, weight in zip(moments, np.abs(found.eqlin.marginals[:k]), strict=True) if weight > 1e-7]
        moved = [one.name for one, by in zip(moments, off, strict=True) if by > 1e-7]
        names = ", ".join(moved)
        what = f"no weights of these patients reach all targets together: {', '.join(apart)} do not go together"
        raise InputError(what, key="covariates", right=f"Leave one of them out; {names} would have to move")
    # in the middle: weights that are all above 0, the least of them as large as may be
    least = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.hstack([-np.eye(n), np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=np.vstack([np.hstack([(x / scale).T, np.zeros((k, 1))]), np.append(np.ones(n), 0.0)]),
        b_eq=np.append(np.zeros(k), 1.0),
        method="highs",
    )
    if least.fun is None or -least.fun < 1e-9 / n:
        names = ", ".join(one.name for one in moments)
        raise InputError(f"{_EDGE} ({names})", key="covariates", right="Match fewer of them")
