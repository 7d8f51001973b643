"""How many patients is a prior worth? Three measures of the effective sample size."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_word
from cartrial.analysis.estimators.priors.mixture import BetaMixture, rates_rule
from cartrial.errors import InputError

__all__ = ["SIZES", "effective_size"]

Floats = NDArray[np.float64]
Size = Literal["elir", "moment", "morita"]
SIZES: tuple[Size, ...] = ("elir", "moment", "morita")
"""Expected local information ratio, matching of moments, and the information at the mode."""
_POINTS = 400
# the flattened prior of Morita, Thall and Mueller has this share of one patient
_FLAT = 0.01


def effective_size(prior: BetaMixture, method: Size = "elir") -> float:
    """Return how many patients a prior is worth.

    elir: Neuenschwander B et al. Biometrics 2020;76:578 (doi:10.1111/biom.13252). moment: the beta distribution of the same mean and
    standard deviation. morita: Morita S, Thall P, Mueller P. Biometrics 2008;64:595, at the mode. All as R ``RBesT::ess`` has them.

    Parameters
    ----------
    prior : BetaMixture
    method : {"elir", "moment", "morita"}

    Returns
    -------
    float

    Raises
    ------
    InputError
        elir of a component that is infinite at 0 or 1, or uniform beside others below 1, has no meaning; morita of a prior with several
        modes, or with its mode at 0 or 1.

    Examples
    --------
    A beta distribution of 5 and 15 is worth 20 by each, within 0.01 by the last.

    >>> from cartrial.analysis import BetaMixture, effective_size
    >>> [round(effective_size(BetaMixture((1.0,), (5,), (15,)), method), 1) for method in ("elir", "moment", "morita")]
    [20.0, 20.0, 20.0]
    """
    check_word(method, SIZES, "method", "effective sample size")
    if method == "moment":
        return prior.mean * (1 - prior.mean) / prior.sd**2 - 1
    return _elir(prior) if method == "elir" else _morita(prior)


def _elir(prior: BetaMixture) -> float:
    """Mean over the prior of its information over that of one patient."""
    if min(*prior.a, *prior.b) < 1:
        raise InputError("the information of a component below 1 has no mean", key="method", right="Ask for the size by moments")
    p, weights = rates_rule(_POINTS)
    return float((weights * prior.density(p) * p * (1 - p) * _information(prior, p)).sum())


def _information(prior: BetaMixture, p: Floats) -> Floats:
    """Return minus the second derivative of the logarithm of the density."""
    from scipy.special import betaln

    w, a, b = (np.array(values, np.float64) for values in (prior.weights, prior.a, prior.b))
    p = np.atleast_1d(p)[:, None]
    logs = np.log(w) + (a - 1) * np.log(p) + (b - 1) * np.log1p(-p) - betaln(a, b)
    share = np.exp(logs - logs.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    slope = (a - 1) / p - (b - 1) / (1 - p)
    bend = (a - 1) / p**2 + (b - 1) / (1 - p) ** 2
    mean = (share * slope).sum(axis=1)
    return np.asarray((share * bend).sum(axis=1) - (share * slope**2).sum(axis=1) + mean**2, np.float64)


def _morita(prior: BetaMixture) -> float:
    """Information at the mode, over that which a patient is expected to bring there."""
    mode = _mode(prior)
    flat = (_FLAT * mode - 1) / mode**2 + (_FLAT * (1 - mode) - 1) / (1 - mode) ** 2
    patient = prior.mean / mode**2 + (1 - prior.mean) / (1 - mode) ** 2
    return (float(_information(prior, np.array([mode]))[0]) - flat) / patient


def _mode(prior: BetaMixture) -> float:
    from scipy.optimize import minimize_scalar

    grid = np.linspace(0, 1, 4001)[1:-1]
    height = prior.density(grid)
    turns = np.diff(height)
    turns[np.abs(turns) < 1e-12 * height.max()] = 0
    way = np.sign(turns[turns != 0])
    # it rises and then falls: one mode inside
    if not way.size or way[0] < 0 or way[-1] > 0 or (np.diff(way) != 0).sum() != 1:
        raise InputError("the prior has several modes, or one at 0 or 1", key="method", right="Ask for the size by elir or by moments")
    top = int(height.argmax())
    found = minimize_scalar(
        lambda p: -float(prior.density(np.array(p))), bounds=(grid[top - 1], grid[top + 1]), method="bounded", options={"xatol": 1e-12}
    )
    return float(found.x)
