"""Which mixture of beta distributions is nearest to a prior? By Kullback and Leibler, of as few components as will do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.priors.meta_analytic import PredictivePrior
from cartrial.analysis.estimators.priors.mixture import BetaMixture, rates_rule
from cartrial.errors import InputError

__all__ = ["MOST", "MixtureFit", "fit_mixture"]

Floats = NDArray[np.float64]
MOST = 4
"""Most components."""
# a further component is kept where it brings the divergence down by this, which is a thousandth of what a patient tells
_WORTH = 1e-3
_POINTS = 400
_ROUNDS = 1500
_NEAR = 1e-7


@dataclass(frozen=True)
class MixtureFit:
    """A mixture and its distance from what it stands for: the divergence of Kullback and Leibler."""

    mixture: BetaMixture
    divergence: float


def fit_mixture(prior: PredictivePrior, *, components: int | None = None) -> MixtureFit:
    """Fit a mixture of beta distributions to the density of a prior, by expectation and maximisation on a quadrature rule.

    Schmidli H et al. Biometrics 2014;70:1023, who fit simulated draws; the density here is exact, and nothing is drawn.

    Parameters
    ----------
    prior : PredictivePrior
    components : int, optional
        1 to 4; otherwise as many as each bring the divergence down by 0.001.

    Returns
    -------
    MixtureFit

    Examples
    --------
    The mean of the mixture is that of the prior, nearly.

    >>> import numpy as np
    >>> from cartrial.analysis import estimate_map, fit_mixture
    >>> prior = estimate_map(np.array([20, 24]), np.array([30, 30]))
    >>> fit = fit_mixture(prior)
    >>> abs(fit.mixture.mean - prior.mean) < 0.005, fit.divergence < 0.002
    (True, True)
    """
    if components is not None and not 1 <= components <= MOST:
        raise InputError(f"a mixture has 1 to {MOST} components", key="components", right=f"Give 1 to {MOST}")
    p, rule = rates_rule(_POINTS)
    height = prior.density(p)
    share = rule * height
    share /= share.sum()
    kept = share > 1e-14
    p, share, height = p[kept], share[kept] / share[kept].sum(), height[kept]
    best: MixtureFit | None = None
    for number in [components] if components else range(1, MOST + 1):
        made = _fitted(p, share, number)
        found = MixtureFit(made, float((share * np.log(height / made.density(p))).sum()))
        if best is not None and found.divergence > best.divergence - _WORTH:
            break
        best = found
    assert best is not None
    return best


def _fitted(p: Floats, share: Floats, number: int) -> BetaMixture:
    """Return the mixture of so many components with the largest expected logarithm."""
    from scipy.special import betaln

    first, second = np.log(p), np.log1p(-p)
    # components begin around quantiles, ever wider
    below = np.cumsum(share)
    centres = np.interp((np.arange(number) + 0.5) / number, below, p)
    mean = float((share * p).sum())
    size = max(mean * (1 - mean) / float((share * (p - mean) ** 2).sum()) - 1, 1.0) * number
    sizes = size * 0.6 ** np.arange(number)
    w, a, b = np.full(number, 1 / number), np.maximum(centres * sizes, 1.0), np.maximum((1 - centres) * sizes, 1.0)
    before = -np.inf
    for _ in range(_ROUNDS):
        logs = np.log(w)[:, None] + (a - 1)[:, None] * first + (b - 1)[:, None] * second - betaln(a, b)[:, None]
        top = logs.max(axis=0)
        whole = np.exp(logs - top).sum(axis=0)
        expected = float((share * (top + np.log(whole))).sum())
        member = share * np.exp(logs - top) / whole
        w = np.maximum(member.sum(axis=1), 1e-12)
        a, b = _largest(a, b, (member * first).sum(axis=1) / w, (member * second).sum(axis=1) / w)
        w = w / w.sum()
        if expected - before < _NEAR:
            break
        before = expected
    order = np.argsort(-w)
    return BetaMixture(*(tuple(values[order].tolist()) for values in (w, a, b)))


def _largest(a: Floats, b: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Return the parameters, 1 or more, of beta distributions whose expected log p and log(1 - p) are these, by Newton's steps.

    A component below 1 is infinite at 0 or 1, and nobody could say what it is worth (R ``RBesT::mixfit(constrain_gt1 = TRUE)``).
    """
    from scipy.special import polygamma, psi

    for _ in range(20):
        f, g = psi(a) - psi(a + b) - first, psi(b) - psi(a + b) - second
        both = polygamma(1, a + b)
        one, two = polygamma(1, a) - both, polygamma(1, b) - both
        determinant = one * two - both * both
        step_a, step_b = (f * two + g * both) / determinant, (g * one + f * both) / determinant
        # one that is held at 1 leaves the other its own step
        step_a, step_b = np.where(b - step_b < 1, f / one, step_a), np.where(a - step_a < 1, g / two, step_b)
        new_a, new_b = np.maximum(a - step_a, np.maximum(a / 3, 1.0)), np.maximum(b - step_b, np.maximum(b / 3, 1.0))
        moved = max(np.abs(new_a / a - 1).max(), np.abs(new_b / b - 1).max())
        a, b = new_a, new_b
        if moved < 1e-8:
            break
    return a, b
