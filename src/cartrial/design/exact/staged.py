"""What does a design with looks do at a true rate? Exact probabilities, by recursion over the sample space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.design.exact.staged_kernel import Boundaries, StagedAnswers, run_looks
from cartrial.errors import InputError
from cartrial.shown import Shown

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Operating", "Staged", "boundaries", "operate", "stopping_probabilities"]

Floats = NDArray[np.float64]
_MOST = 10_000


@dataclass(frozen=True)
class Staged(Shown):
    """A monitored rate (responses or toxicities) with its stopping boundaries.

    Parameters
    ----------
    name : str
        For example "Simon optimal".
    n : tuple of int
        Cumulative subjects at each look, increasing; the last is the maximum.
    futility : tuple of int or None
        Stop, not promising, with so many responders or fewer; None: no such stop at this look.
    efficacy : tuple of int or None
        Stop, promising, with so many responders or more; None: no such stop. At the last look one more than the futility boundary.
    p0 : float
        The rate of the null hypothesis.
    p1 : float or None
        The rate of the alternative.
    method : str
        How the boundaries were found, with parameters: one sentence.
    source : str
        Citation with DOI.

    Raises
    ------
    InputError
        If the looks do not increase, a boundary cannot be reached, boundaries touch before the last look or leave a gap at it, or a
        rate is not between 0 and 1.
    """

    name: str
    n: tuple[int, ...]
    futility: tuple[int | None, ...]
    efficacy: tuple[int | None, ...]
    p0: float
    p1: float | None
    method: str
    source: str

    def __post_init__(self) -> None:
        for key in ("n", "futility", "efficacy"):
            object.__setattr__(self, key, _whole_numbers(getattr(self, key), key))
        n = self.n
        if not n or any(value is None for value in n):
            raise InputError("a design has no looks", key="n", right="Give the cumulative subjects at each look")
        if n[0] < 1 or any(b <= a for a, b in pairwise(n)) or n[-1] > _MOST:
            raise InputError(f"the looks {list(n)} do not increase from 1", key="n", right=f"Give increasing subjects, 1 to {_MOST}")
        for key in ("futility", "efficacy"):
            if len(getattr(self, key)) != len(n):
                raise InputError(f"there are {len(getattr(self, key))} boundaries for {len(n)} looks", key=key, right="Give one a look")
        for look, (size, low, high) in enumerate(zip(n, self.futility, self.efficacy, strict=True), start=1):
            _check_look(look, size, low, high, last=look == len(n))
        rates = {"p0": self.p0} if self.p1 is None else {"p0": self.p0, "p1": self.p1}
        for key, rate in rates.items():
            if not 0 < rate < 1:
                raise InputError(f"the rate {rate:g} is not between 0 and 1", key=key, right="For example 0.3")
        if self.p1 == self.p0:
            raise InputError("null and alternative are the same rate", key="p1", right="Give another rate than p0")

    @property
    def looks(self) -> int:
        """Number of looks, the last one included."""
        return len(self.n)

    @property
    def _low(self) -> NDArray[np.int64]:
        return np.array([-1 if value is None else value for value in self.futility], np.int64)

    @property
    def _high(self) -> NDArray[np.int64]:
        return np.array([size + 1 if value is None else value for size, value in zip(self.n, self.efficacy, strict=True)], np.int64)


@dataclass(frozen=True)
class Operating(Shown):
    """What a design does at true rates. Arrays have the shape of `p`; those by look have one more dimension, the looks.

    Parameters
    ----------
    p : ndarray of float64
        True rates.
    success : ndarray of float64
        Probability that the null hypothesis is rejected.
    stop_futility, stop_efficacy : ndarray of float64, shape (..., looks)
        Probability of ending at the look without, and with, success; the last look included. All together they sum to 1.
    expected_n : ndarray of float64
        Expected number of subjects.
    early_stop : ndarray of float64
        Probability of ending before the last look.
    """

    p: Any
    success: Any
    stop_futility: Floats
    stop_efficacy: Floats
    expected_n: Any
    early_stop: Any


def operate(design: Staged, p: ArrayLike) -> Operating:
    """Exact operating characteristics.

    Parameters
    ----------
    design : Staged
    p : float or array of float
        True rates, 0 to 1, of any shape.

    Returns
    -------
    Operating
        Of a single rate: numbers.

    Raises
    ------
    InputError
        For a rate that is not between 0 and 1.

    Notes
    -----
    Recursion of Schultz, Nichol, Elfring and Weed (Biometrics 1973;29:293-300) over the responders at each look: no approximation.

    Examples
    --------
    Simon's optimal design for 0.2 against 0.4 stops early under the null with a probability of 0.75 and then expects 20.6 subjects (Simon
    1989, Table 1).

    >>> from cartrial.design import Staged, operate
    >>> simon = Staged("Simon optimal", (13, 43), (3, 12), (None, 13), 0.2, 0.4, "as published", "Simon 1989")
    >>> found = operate(simon, 0.2)
    >>> print(f"{found.early_stop:.2f} {found.expected_n:.1f}")
    0.75 20.6
    >>> operate(simon, [0.0, 1.0]).success.tolist()
    [0.0, 1.0]
    """
    rates = _rates(p)
    found = _run(design, rates.reshape(-1), keep=False)
    ended = found.futility + found.efficacy

    def shaped(values: Floats) -> Any:
        return values.reshape(rates.shape)[()]

    return Operating(
        p=rates[()],
        success=shaped(found.efficacy.sum(axis=1)),
        stop_futility=found.futility.reshape(*rates.shape, design.looks),
        stop_efficacy=found.efficacy.reshape(*rates.shape, design.looks),
        expected_n=shaped(ended @ np.array(design.n, float)),
        early_stop=shaped(ended[:, :-1].sum(axis=1)),
    )


def stopping_probabilities(design: Staged, p: ArrayLike) -> Floats:
    """Return the probability of ending at each look with each number of responders.

    Parameters
    ----------
    design : Staged
    p : float or array of float
        True rates, 0 to 1.

    Returns
    -------
    ndarray of float64, shape (..., looks, last n + 1)
    """
    rates = _rates(p)
    found = _run(design, rates.reshape(-1), keep=True)
    return found.stopped.reshape(*rates.shape, design.looks, design.n[-1] + 1)


def boundaries(design: Staged) -> pl.DataFrame:
    """Return the boundaries as a committee reads them.

    Returns
    -------
    polars.DataFrame
        One row a look: look, n (cumulative subjects), stop_if_at_most, success_if_at_least (responders; null: no such stop).

    Examples
    --------
    >>> from cartrial.design import Staged, boundaries
    >>> simon = Staged("Simon optimal", (13, 43), (3, 12), (None, 13), 0.2, 0.4, "as published", "Simon 1989")
    >>> boundaries(simon).rows()
    [(1, 13, 3, None), (2, 43, 12, 13)]
    """
    import polars as pl

    return pl.DataFrame(
        {"look": range(1, design.looks + 1), "n": design.n, "stop_if_at_most": design.futility, "success_if_at_least": design.efficacy},
        schema={"look": pl.Int32, "n": pl.Int32, "stop_if_at_most": pl.Int32, "success_if_at_least": pl.Int32},
    )


def _run(design: Staged, p: Floats, *, keep: bool) -> StagedAnswers:
    """Return the probabilities of stopping; with `keep` by number of responders too."""
    n = np.array(design.n, np.int64)
    futility, efficacy = np.zeros((2, p.size, design.looks))
    answers = StagedAnswers(futility, efficacy, np.zeros((p.size if keep else 0, design.looks, design.n[-1] + 1)))
    work = p.size * int((n * np.diff(n, prepend=0)).sum())
    run_looks(work, Boundaries(n, design._low, design._high), p, answers)
    return answers


def _rates(p: ArrayLike) -> Floats:
    try:
        rates = np.asarray(p, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{p!r} is no rate", key="p", right="Give rates between 0 and 1") from error
    if not ((rates >= 0) & (rates <= 1)).all():
        raise InputError("a true rate is not between 0 and 1", key="p", right="Give rates between 0 and 1")
    return rates


def _whole_numbers(values: Sequence[Any], key: str) -> tuple[int | None, ...]:
    try:
        given = tuple(values)
        whole = tuple(None if value is None else int(value) for value in given)
        if any(isinstance(a, bool) or (a is not None and a != b) for a, b in zip(given, whole, strict=True)):
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{values!r} are not whole numbers, one a look", key=key, right="For example (13, 43)") from error
    return whole


def _check_look(look: int, size: int, low: int | None, high: int | None, *, last: bool) -> None:
    if low is not None and not 0 <= low <= size:
        raise InputError(
            f"{low} of {size} responders cannot be a boundary at look {look}", key="futility", right=f"Give 0 to {size} or None"
        )
    if high is not None and not 1 <= high <= size:
        raise InputError(
            f"{high} of {size} responders cannot be a boundary at look {look}", key="efficacy", right=f"Give 1 to {size} or None"
        )
    if low is not None and high is not None and low >= high:
        raise InputError(
            f"look {look} stops for futility at {low} or fewer and for efficacy at {high} or more",
            key="futility",
            right="Keep it below efficacy",
        )
    if last and (low is None or high is None or high != low + 1):
        raise InputError(
            f"the last look leaves the trial undecided: futility {low}, efficacy {high}",
            key="efficacy",
            right="At the last look efficacy is one more than futility",
        )
