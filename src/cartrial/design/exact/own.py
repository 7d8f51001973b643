"""What does a design do that a protocol states? Its boundaries as they are written, or as their rule gives them, and its exact errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cartrial.design.exact.binomial import SLACK
from cartrial.design.exact.checks import check_errors, check_rates
from cartrial.design.exact.looks import Spending, spend, spending_source, spending_words
from cartrial.design.exact.staged import Staged, operate
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["Boundary", "Spent", "design_own", "ignoring_futility", "spent_by_look"]

Floats = NDArray[np.float64]
_EXACT = "Schultz JR et al. Biometrics 1973;29:293-300"


@dataclass(frozen=True)
class Boundary(Shown):
    """How one kind of boundary is found: exactly one of the three.

    Parameters
    ----------
    spending : {"obrien-fleming", "pocock"} or float, optional
        As in `spend`.
    responders : sequence of int or None, optional
        The boundaries themselves, one a look; None: no such stop at this look.
    levels : sequence of float or None, optional
        One-sided levels of the exact binomial test at each look, of efficacy alone.
    """

    spending: Spending = None
    responders: Sequence[int | None] | None = None
    levels: Sequence[float | None] | None = None

    @property
    def words(self) -> str:
        """As a sentence has it."""
        if self.responders is not None:
            return "as given in responders"
        if self.levels is not None:
            return "at one-sided levels of " + ", ".join("none" if level is None else f"{level:g}" for level in self.levels)
        return spending_words(self.spending)


def design_own(
    p0: float,
    p1: float,
    alpha: float,
    n: Sequence[int],
    *,
    efficacy: Boundary | None = None,
    futility: Boundary | None = None,
    binding: bool = True,
    beta: float = 0.2,
) -> Staged:
    """Return a design as a protocol states it, whatever errors it has.

    Parameters
    ----------
    p0, p1 : float
        Response rates of the null hypothesis and of the alternative.
    alpha : float
        One-sided type I error that is spent.
    n : sequence of int
        Cumulative subjects at each look; one look is a single stage.
    efficacy, futility : Boundary, optional
        Without: no such stop before the last look. At the last look a success needs the fewest responders that keep the type I error,
        given all that was spent before, unless they or their level are given.
    binding : bool
        Whether the type I error counts on the stops for futility.
    beta : float
        Type II error that a spending function of futility spends.

    Returns
    -------
    Staged

    Raises
    ------
    InputError
        For input that cannot be, or where not even all responders are a success at the last look.

    Notes
    -----
    At each look the efficacy boundary of a spending function is the lowest whose cumulative probability under p0 is within what may be
    spent; what a discrete boundary leaves unspent goes on to the next look. The futility boundary is the highest whose cumulative
    probability under p1 is within what may be spent of beta.

    Examples
    --------
    By hand: of 2 looks at 1 and 2 subjects with a stop for efficacy at a level of 0.3, none but the second can be a success at a null of
    0.5: one responder of one has a probability of 0.5, two of two 0.25.

    >>> from cartrial.design import Boundary, design_own
    >>> design = design_own(0.5, 0.8, 0.3, (1, 2), efficacy=Boundary(levels=(0.3, 0.3)))
    >>> design.efficacy, design.futility
    ((None, 2), (None, 1))
    """
    p0, p1 = check_rates(p0, p1)
    alpha, beta = check_errors(alpha, beta)
    sizes = tuple(int(size) for size in n)
    for key, kind in (("efficacy", efficacy), ("futility", futility)):
        for given in (kind.responders, kind.levels) if kind is not None else ():
            if given is not None and len(given) != len(sizes):
                raise InputError(f"there are {len(given)} boundaries for {len(sizes)} looks", key=key, right="Give one a look")
    spent = _Looks(p0, p1, alpha, beta, efficacy, futility, binding)
    low, high = spent.boundaries(sizes)
    found = Staged("The study's own design", sizes, low, high, p0, p1, "", _EXACT)
    words = [f"{name} stop {kind.words}" for name, kind in (("efficacy", efficacy), ("futility", futility)) if kind is not None]
    stops = " and ".join(words) or ("no stop before the last look" if len(sizes) > 1 else "a single stage")
    bound = "" if futility is None else f", futility {'' if binding else 'not '}binding"
    rules = [kind.spending for kind in (efficacy, futility) if kind is not None and kind.spending is not None]
    end = (
        ""
        if efficacy is not None and efficacy.spending is None
        else (f"; at the last look the fewest responders that keep a one-sided type I error of {alpha:g}")
    )
    method = f"As stated: {stops}{bound}{end}. All figures are exact, at p0 = {p0:g} and p1 = {p1:g}."
    return replace(found, method=method, source=spending_source(rules) or _EXACT)


@dataclass(frozen=True)
class _Looks:
    """What a design is asked to keep."""

    p0: float
    p1: float
    alpha: float
    beta: float
    efficacy: Boundary | None
    futility: Boundary | None
    binding: bool

    def boundaries(self, sizes: tuple[int, ...]) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Return futility and efficacy boundaries."""
        from scipy.stats import binom

        lows: list[int | None] = []
        highs: list[int | None] = []
        null, target = np.ones(1), np.ones(1)
        falsely = futile = 0.0
        before = 0
        for look, n in enumerate(sizes):
            added = np.arange(n - before + 1)
            null = np.convolve(null, binom.pmf(added, n - before, self.p0))
            target = np.convolve(target, binom.pmf(added, n - before, self.p1))
            last = look == len(sizes) - 1
            # with fewer responders than these the trial has stopped before
            fewest = int(np.flatnonzero(target)[0])
            high = self._high(look, n, n / sizes[-1], falsely + np.cumsum(null[::-1])[::-1], last=last)
            if high is not None and (self.efficacy is None or self.efficacy.responders is None):
                high = max(high, fewest if last else fewest + 1)
            if last:
                if high is None:
                    right = "Allow a larger type I error or more subjects"
                    raise InputError(f"not even {n} responders of {n} keep the type I error at the last look", key="efficacy", right=right)
                return (*lows, high - 1), (*highs, high)
            low = self._low(look, n / sizes[-1], futile + np.cumsum(target), n if high is None else high - 1)
            stop, go = n + 1 if high is None else high, 0 if low is None else low + 1
            falsely, futile = falsely + float(null[stop:].sum()), futile + float(target[:go].sum())
            null[stop:] = target[stop:] = target[:go] = 0.0
            if self.binding:
                null[:go] = 0.0
            found_here = self.futility is not None and self.futility.responders is None
            lows.append(None if found_here and low is not None and low < fewest else low)
            highs.append(high)
            before = n
        raise AssertionError("the last look returns")

    def _high(self, look: int, n: int, fraction: float, tails: Floats, *, last: bool) -> int | None:
        """Return the fewest responders that are a success; `tails`: the error spent in all if so many were."""
        kind = self.efficacy
        if kind is not None and kind.responders is not None:
            return kind.responders[look]
        if kind is not None and kind.levels is not None:
            from scipy.stats import binom

            level = kind.levels[look]
            good = np.flatnonzero(binom.sf(np.arange(n + 1) - 1, n, self.p0) <= (-1.0 if level is None else level) + SLACK)
        else:
            allowed = self.alpha if last else spend(self.alpha, fraction, None if kind is None else kind.spending)
            if not last and (kind is None or kind.spending is None):
                return None
            good = np.flatnonzero(tails <= allowed + SLACK)
        least = max(int(good[0]), 1) if len(good) else n + 1
        return least if least <= n else None

    def _low(self, look: int, fraction: float, heads: Floats, most: int) -> int | None:
        """Return the most responders that stop for futility; `heads`: the type II error spent in all if so many did."""
        kind = self.futility
        if kind is None:
            return None
        if kind.responders is not None:
            return kind.responders[look]
        if kind.spending is None:
            raise InputError("levels of a test are of efficacy", key="futility", right="Give a spending function or responders")
        low = min(int((heads <= spend(self.beta, fraction, kind.spending) + SLACK).sum()) - 1, most - 1)
        return low if low >= 0 else None


def ignoring_futility(design: Staged) -> Staged:
    """Return a design whose stops for futility before the last look are gone past: what its type I error is if a committee does so.

    Examples
    --------
    >>> from cartrial.design import Staged, operate
    >>> from cartrial.design.exact.own import ignoring_futility
    >>> two = Staged("by hand", (1, 2), (0, 1), (None, 2), 0.5, 0.8, "by hand", "none")
    >>> float(operate(ignoring_futility(two), 0.5).success), ignoring_futility(two).futility
    (0.25, (None, 1))
    """
    return replace(design, futility=(*(None for _ in design.n[:-1]), design.futility[-1]))


@dataclass(frozen=True)
class Spent:
    """What a design has spent by a look.

    Parameters
    ----------
    look, n : int
    level : float or None
        One-sided exact p-value of the fewest responders that are a success there, as if there were no other look; None: no such stop.
    alpha, power : float
        Probability of a success up to this look at the null and at the alternative.
    beta : float
        Probability at the alternative of a stop for futility up to this look; at the last look of no success in all.
    """

    look: int
    n: int
    level: float | None
    alpha: float
    power: float
    beta: float


def spent_by_look(design: Staged, *, binding: bool = True) -> tuple[Spent, ...]:
    """Return what a design has spent by each look, exactly; where it is not binding, alpha as if nobody stopped for futility.

    Examples
    --------
    By hand: two of two at a rate of 0.5 have a probability of 0.25.

    >>> from cartrial.design import Staged
    >>> from cartrial.design.exact.own import spent_by_look
    >>> spent_by_look(Staged("by hand", (2,), (1,), (2,), 0.5, 0.8, "by hand", "none"))[0].alpha
    0.25
    """
    from scipy.stats import binom

    assert design.p1 is not None
    null = operate(design if binding else ignoring_futility(design), design.p0)
    target = operate(design, design.p1)
    alpha, power, beta = (np.cumsum(values) for values in (null.stop_efficacy, target.stop_efficacy, target.stop_futility))
    return tuple(
        Spent(
            look + 1,
            n,
            None if high is None else float(binom.sf(high - 1, n, design.p0)),
            float(alpha[look]),
            float(power[look]),
            float(beta[look]),
        )
        for look, (n, high) in enumerate(zip(design.n, design.efficacy, strict=True))
    )
