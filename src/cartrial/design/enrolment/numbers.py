"""How many subjects must be enrolled so that enough are infused? Exact, with a known or an uncertain share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cartrial.design.exact.checks import check_integer, check_real
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["Enrolment", "design_enrolment"]


@dataclass(frozen=True)
class Enrolment(Shown):
    """How many to enrol so that enough are infused.

    Parameters
    ----------
    n : int
        To be infused.
    share : float
        Of the enrolled who are infused.
    enrol : int
    certainty : float
        That was asked for.
    probability : float
        That at least `n` of `enrol` are infused.
    expected : float
        n / share: so many on average, if the infused are awaited one by one.
    """

    n: int
    share: float
    enrol: int
    certainty: float
    probability: float
    expected: float


def design_enrolment(n: int, share: float | None = None, *, seen: tuple[int, int] | None = None, certainty: float = 0.8) -> Enrolment:
    """Find the smallest number to enrol for n infused, exactly.

    Parameters
    ----------
    n : int
        Subjects to be infused.
    share : float, optional
        Of the enrolled who are infused, taken as known: the number is binomial.
    seen : (int, int), optional
        Instead: infused and enrolled of an earlier trial, e.g. (79, 97). The share is then uncertain and the number beta-binomial, with
        Jeffreys' prior.
    certainty : float
        Probability of n or more infused.

    Returns
    -------
    Enrolment

    Raises
    ------
    InputError
        If the share is not above 0 and at most 1, or not exactly one of `share` and `seen` is given.

    Examples
    --------
    By hand: where half of the enrolled are infused, two enrolled have one infused with a probability of 3/4.

    >>> from cartrial.design import design_enrolment
    >>> found = design_enrolment(1, 0.5, certainty=0.75)
    >>> found.enrol, round(found.probability, 2), found.expected
    (2, 0.75, 2.0)
    """
    n, certainty = check_integer(n, "n"), check_real(certainty, "certainty")
    if n < 1:
        raise InputError(f"there are {n} subjects", key="n", right="Give at least 1")
    if not 0 < certainty < 1:
        raise InputError(f"the certainty {certainty:g} is not between 0 and 1", key="certainty", right="For example 0.8")
    if (share is None) == (seen is None):
        raise InputError(
            "the share of the infused is not given by one fact", key="share", right="Give it, or the counts of an earlier trial"
        )
    if seen is not None:
        infused, enrolled = seen
        if not 0 < infused <= enrolled:
            raise InputError(f"{infused} infused of {enrolled} enrolled cannot be used", key="seen", right="Give 0 < infused <= enrolled")
        a, b = infused + 0.5, enrolled - infused + 0.5
        mean = a / (a + b)
    else:
        mean = check_real(share, "share")
        a = b = 0.0
        if not 0 < mean <= 1:
            raise InputError(f"the share {mean:g} is not above 0 and at most 1", key="share", right="For example 0.8")

    def probability(enrol: int) -> float:
        return _at_least(n, enrol, mean) if seen is None else _at_least_beta(n, enrol, a, b)

    high = n
    while probability(high) < certainty:
        high *= 2
        if high > 2**24:
            raise InputError(f"{high} enrolled are not enough for {n} infused", key="share", right="Use a larger share")
    low = n - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if probability(middle) >= certainty else (middle, high)
    return Enrolment(n, mean, high, certainty, probability(high), n / mean)


def _at_least(n: int, of: int, share: float) -> float:
    """Return the chance of n or more of a binomial number."""
    from scipy.special import betainc

    return float(betainc(n, of - n + 1, share)) if of >= n else 0.0


def _at_least_beta(n: int, of: int, a: float, b: float) -> float:
    """Return the chance of n or more of a beta-binomial number."""
    from scipy.special import betaln, gammaln

    x = np.arange(n, of + 1)
    choose = gammaln(of + 1) - gammaln(x + 1) - gammaln(of - x + 1)
    return float(np.exp(choose + betaln(x + a, of - x + b) - betaln(a, b)).sum())
