"""What does a prior made of other trials cost? The error rates of a trial that borrows, by enumeration of its outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from cartrial.analysis.estimators.priors.mixture import BetaMixture, probability_greater
from cartrial.design.exact.checks import check_number, check_whole
from cartrial.shown import Shown

__all__ = ["Borrowed", "BorrowedArms", "operate_borrowed", "operate_borrowed_arms"]

# every outcome of a trial is gone through
_MOST, _MOST_OF_ARM = 2000, 300


@dataclass(frozen=True)
class Borrowed(Shown):
    """A single-arm trial that is judged by a posterior.

    Parameters
    ----------
    smallest : int or None
        Fewest responses that are a success; None where not even all are.
    table : polars.DataFrame
        One row for each true rate: rate, success (probability of it: at the null the type I error), bias of the posterior mean, cover
        of the 95 % credible interval.
    """

    smallest: int | None
    table: pl.DataFrame


def operate_borrowed(prior: BetaMixture, *, n: int, null: float, rates: Sequence[float], certainty: float = 0.975) -> Borrowed:
    """Return the operating characteristics of a single-arm trial that succeeds where P(rate > null) is above a certainty.

    Parameters
    ----------
    prior : BetaMixture
        Of the rate; borrowed, or uniform.
    n : int
        Subjects.
    null : float
        Rate that a success exceeds.
    rates : sequence of float
        True rates to ask; the null is the type I error.
    certainty : float

    Returns
    -------
    Borrowed

    Examples
    --------
    48 subjects against 65 %: 38 responses with a uniform prior, an error of 2.5 %.

    >>> from cartrial.analysis import BetaMixture
    >>> from cartrial.design import operate_borrowed
    >>> found = operate_borrowed(BetaMixture((1.0,), (1,), (1,)), n=48, null=0.65, rates=[0.65])
    >>> found.smallest, round(found.table["success"][0], 4)
    (38, 0.0249)
    """
    from scipy.stats import binom

    check_whole(n, "n", 1, _MOST)
    for name, value in (("null", null), ("certainty", certainty), *(("rates", rate) for rate in rates)):
        check_number(value, name, right="Give a number between 0 and 1, for example 0.65")
    after = [prior.posterior(x, n) for x in range(n + 1)]
    above = np.array([1 - float(one.below(np.array(null))) for one in after])
    success = above > certainty
    middle = np.array([one.mean for one in after])
    low, high = (np.array([one.quantile(q) for one in after]) for q in (0.025, 0.975))
    rows = []
    for rate in rates:
        chance = binom.pmf(np.arange(n + 1), n, rate)
        held = (low <= rate) & (rate <= high)
        rows.append(
            {
                "rate": float(rate),
                "success": float(chance @ success),
                "bias": float(chance @ middle - rate),
                "cover": float(chance @ held),
            }
        )
    return Borrowed(int(success.argmax()) if success.any() else None, pl.DataFrame(rows))


@dataclass(frozen=True)
class BorrowedArms(Shown):
    """Two arms of which one borrows.

    Parameters
    ----------
    success : ndarray of bool, shape (n_treatment + 1, n_control + 1)
        Whether so many responses in each arm are a success.
    """

    success: np.ndarray

    def power(self, treatment: float, control: float) -> float:
        """Return the probability of a success at true rates."""
        from scipy.stats import binom

        sizes = [size - 1 for size in self.success.shape]
        chances = [binom.pmf(np.arange(n + 1), n, rate) for n, rate in zip(sizes, (treatment, control), strict=True)]
        return float(chances[0] @ self.success @ chances[1])


def operate_borrowed_arms(
    treatment: BetaMixture, control: BetaMixture, *, n_treatment: int, n_control: int, certainty: float = 0.95
) -> BorrowedArms:
    """Return which outcomes of two arms are a success: P(treatment above control) above a certainty. As R ``RBesT::decision2S``.

    Examples
    --------
    With uniform priors and six a side, six against none is one and one against none is not.

    >>> from cartrial.analysis import BetaMixture
    >>> from cartrial.design import operate_borrowed_arms
    >>> uniform = BetaMixture((1.0,), (1,), (1,))
    >>> success = operate_borrowed_arms(uniform, uniform, n_treatment=6, n_control=6).success
    >>> bool(success[6, 0]), bool(success[1, 0])
    (True, False)
    """
    check_whole(n_treatment, "n_treatment", 1, _MOST_OF_ARM)
    check_whole(n_control, "n_control", 1, _MOST_OF_ARM)
    check_number(certainty, "certainty", right="Give a number between 0 and 1, for example 0.95")
    first = [treatment.posterior(x, n_treatment) for x in range(n_treatment + 1)]
    second = [control.posterior(x, n_control) for x in range(n_control + 1)]
    return BorrowedArms(np.array([[probability_greater(one, other) > certainty for other in second] for one in first]))
