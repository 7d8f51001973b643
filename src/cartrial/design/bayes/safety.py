"""When has a treatment harmed too many? Stopping boundaries for severe CRS, ICANS or treatment-related death."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from cartrial.design.bayes.monitoring import Floats, Integers, check_looks, check_prior, check_share, run_sets, shortest_number, tail_table
from cartrial.design.exact.checks import check_choice, check_number
from cartrial.errors import InputError
from cartrial.shown import Shown

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SafetyRule", "design_safety_bayes", "design_safety_exact", "operate_safety", "safety_boundaries"]

IVANOVA = "Ivanova A, Qaqish BF, Schell MJ. Biometrics 2005;61:540-545. doi:10.1111/j.1541-0420.2005.00311.x"
FLEMING = "O'Brien PC, Fleming TR. Biometrics 1979;35:549-556. doi:10.2307/2530245"
BAYES = "Thall PF, Simon RM, Estey EH. Stat Med 1995;14:357-379. doi:10.1002/sim.4780140404"
_SHAPES = ("pocock", "obrien-fleming")


@dataclass(frozen=True)
class SafetyRule(Shown):
    """A stopping rule for events that harm.

    Parameters
    ----------
    name : str
    n : tuple of int
        Subjects whose outcome is known at each look, cumulative.
    stop : tuple of int or None
        Stop with so many events or more; None: no number of events stops at this look.
    acceptable : float
        The highest rate that is accepted.
    false_stop : float
        Exact probability of ever stopping at that rate.
    event : str
        What is counted, for sentences: "severe CRS".
    method, source : str
    """

    name: str
    n: tuple[int, ...]
    stop: tuple[int | None, ...]
    acceptable: float
    false_stop: float
    event: str
    method: str
    source: str


def design_safety_exact(
    looks: Sequence[int], acceptable: float, *, false_stop: float = 0.1, shape: str = "pocock", event: str = "an event"
) -> SafetyRule:
    """Find the strictest boundary of a shape with a given probability of stopping at the acceptable rate.

    Parameters
    ----------
    looks : sequence of int
        Subjects known at each look, cumulative; `looks_after(1, n)` looks after each.
    acceptable : float
        Highest rate that is accepted.
    false_stop : float, default 0.1
        Highest probability of ever stopping at that rate, exact.
    shape : str, "pocock" or "obrien-fleming"
        Pocock: the same one-sided level at each look. O'Brien-Fleming: the same excess of events over those expected, so that early stops
        need more evidence.
    event : str
        What is counted.

    Returns
    -------
    SafetyRule

    Raises
    ------
    InputError
        For looks, rates or a shape that cannot be, or if no boundary stops this rarely.

    Notes
    -----
    Levels and excesses take finitely many values; the boundary is the strictest of them all, not of a grid. Pocock's shape is the R
    package stoppingrule's `calc.rule.bin(type = "Pocock")`.

    Examples
    --------
    The boundary of the R package stoppingrule (README, `calc.rule.bin(ns = 1:30, p0 = 0.20, alpha = 0.10, type = "Pocock")`): 3 of 3 or 4,
    4 of 5 to 7, 5 of 8 to 10 subjects.

    >>> from cartrial.design import design_safety_exact, looks_after
    >>> rule = design_safety_exact(looks_after(1, 30), 0.2, false_stop=0.1)
    >>> rule.stop[:10]
    (None, None, 3, 3, 4, 4, 4, 5, 5, 5)
    >>> round(rule.false_stop, 4)
    0.0992
    """
    n, rate, limit = check_looks(looks), _rate(acceptable), _limit(false_stop)
    check_choice(shape, "shape", _SHAPES)
    counts, sizes = np.arange(n[-1] + 1)[None, :], np.asarray(n)[:, None]
    if shape == "pocock":
        from scipy.special import bdtrc

        level = bdtrc(counts - 1.0, sizes, rate)
        level[:, 0] = 1.0
        evidence = np.where(counts <= sizes, -level, np.inf)
    else:
        # rounded: the same excess at two looks is one value
        evidence = np.where(counts <= sizes, np.round(counts - sizes * rate, 10), np.inf)
    high, before, critical, total = _strictest(n, evidence, rate, limit)
    if shape == "pocock":
        name, source, cut = "Pocock", IVANOVA, shortest_number(-critical, -before, upwards=True)
        method = f"Stop when P(so many events or more) at a rate of {rate:g} is at most {cut:g}, the same at each look."
    else:
        name, source, cut = "O'Brien-Fleming", FLEMING, shortest_number(before, critical, upwards=False)
        method = f"Stop when the events exceed those expected at a rate of {rate:g} by at least {cut:g}, the same at each look."
    return SafetyRule(name, n, _bounds(n, high), rate, total, event, method, source)


def design_safety_bayes(
    looks: Sequence[int],
    acceptable: float,
    *,
    prior: tuple[float, float] | None = None,
    tau: float | None = None,
    false_stop: float | None = None,
    event: str = "an event",
) -> SafetyRule:
    """Stop when the rate is too probably above the acceptable one.

    Parameters
    ----------
    looks : sequence of int
        Subjects known at each look, cumulative.
    acceptable : float
        Highest rate that is accepted.
    prior : tuple of float, optional
        Beta prior; worth one subject with the acceptable rate as its mean without it.
    tau : float, optional
        Stop when P(rate > acceptable | data) > tau.
    false_stop : float, optional
        Instead of tau: the lowest tau with which the probability of ever stopping at the acceptable rate is at most this, exact.
    event : str
        What is counted.

    Returns
    -------
    SafetyRule

    Raises
    ------
    InputError
        If not exactly one of tau and false_stop is given, one of them or the prior cannot be, or no boundary stops this rarely.

    Notes
    -----
    With `false_stop` this is `calc.rule.bin(type = "BB")` of the R package stoppingrule.

    Examples
    --------
    By hand: with a flat prior the posterior probability of a rate above 0.5 is 1 - 0.5⁴ = 0.94 after 3 of 3 events and 1 - 0.5³ = 0.88
    after 2 of 2.

    >>> from cartrial.design import design_safety_bayes
    >>> design_safety_bayes((2, 3), 0.5, prior=(1, 1), tau=0.9).stop
    (None, 3)
    """
    n, rate = check_looks(looks), _rate(acceptable)
    shape = (rate, 1.0 - rate) if prior is None else check_prior(prior)
    if (tau is None) == (false_stop is None):
        raise InputError("one of tau and false_stop is needed, and one alone", key="tau", right="For example tau=0.95")
    tails = tail_table(n, shape, rate)
    if tau is not None:
        cut = check_number(tau, "tau", right="Give a probability between 0 and 1, for example 0.95")
        high = np.array([np.searchsorted(row, cut, side="right") for row in tails])
        if (high == 0).any():
            raise InputError(
                f"with tau {cut:g} the prior alone stops without an event", key="tau", right="Give a higher tau or another prior"
            )
        total = _ever(n, high[None, :], rate)[0]
    else:
        high, before, critical, total = _strictest(n, tails, rate, _limit(false_stop))
        cut = shortest_number(before, critical, upwards=True)
    method = f"Stop when P(rate > {rate:g} | data) > {cut:g}, with a Beta({shape[0]:g}, {shape[1]:g}) prior."
    return SafetyRule("Bayesian", n, _bounds(n, high), rate, float(total), event, method, BAYES)


def operate_safety(rule: SafetyRule, rates: ArrayLike) -> pl.DataFrame:
    """Exact operating characteristics at true rates.

    Parameters
    ----------
    rule : SafetyRule
    rates : float or sequence of float

    Returns
    -------
    polars.DataFrame
        One row a rate: rate, stop (probability of ever stopping, at the last look too), stop_early (before the last look), expected_n
        (subjects known when the trial stops or ends) and expected_events among them.

    Raises
    ------
    InputError
        For a rate that is not between 0 and 1.

    Notes
    -----
    The expected number of events is the rate times the expected number of subjects (Wald's identity): whether to stop depends on the past
    alone. Subjects treated but not yet known at a stop come on top.

    Examples
    --------
    By hand: a rule that stops with any event among 1 or 2 subjects. At a rate of 0.2 it ever stops with 1 - 0.8² = 0.36, and 1 + 0.8
    subjects are expected.

    >>> from cartrial.design import SafetyRule, operate_safety
    >>> rule = SafetyRule("any", (1, 2), (1, 1), 0.2, 0.36, "severe CRS", "by hand", "none")
    >>> [round(value, 2) for value in operate_safety(rule, 0.2).select("stop", "stop_early", "expected_n").row(0)]
    [0.36, 0.2, 1.8]
    """
    import polars as pl

    try:
        true = np.atleast_1d(np.asarray(rates, float))
    except (TypeError, ValueError) as error:
        raise InputError(f"{rates!r} are no rates", key="rates", right="Give rates between 0 and 1") from error
    if true.ndim != 1 or not ((true >= 0) & (true <= 1)).all():
        raise InputError("a true rate is not between 0 and 1", key="rates", right="Give rates between 0 and 1")
    low = np.full((2, len(rule.n)), -1)
    high = np.tile([size + 1 if value is None else value for size, value in zip(rule.n, rule.stop, strict=True)], (2, 1))
    high[1, -1] = rule.n[-1] + 1
    crossed, expected = run_sets(rule.n, low, high, [float(rate) for rate in true])
    columns = {"rate": true, "stop": crossed[0], "stop_early": crossed[1], "expected_n": expected[0]}
    return pl.DataFrame({**columns, "expected_events": true * expected[0]})


def safety_boundaries(rule: SafetyRule) -> pl.DataFrame:
    """Return the boundary, one row a look: look, n, stop_if_at_least (null: no such stop).

    Examples
    --------
    By hand, as for `design_safety_bayes`: no number of events among 2 subjects stops the trial, 3 of 3 do.

    >>> from cartrial.design import design_safety_bayes, safety_boundaries
    >>> safety_boundaries(design_safety_bayes((2, 3), 0.5, prior=(1, 1), tau=0.9)).rows()
    [(1, 2, None), (2, 3, 3)]
    """
    import polars as pl

    columns = {"look": range(1, len(rule.n) + 1), "n": rule.n, "stop_if_at_least": rule.stop}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int32))


def _strictest(n: tuple[int, ...], evidence: Floats, rate: float, limit: float) -> tuple[Integers, float, float, float]:
    """Return the boundary that stops most often within the limit, the value of evidence before its own, its own, and how often it stops.

    Parameters
    ----------
    evidence : ndarray of float64, shape (looks, counts)
        Increasing in the counts, infinite above the subjects; a look stops where it is at least the critical value.
    """
    values = np.unique(evidence[np.isfinite(evidence)])
    left, right = 1, len(values)  # the first value that keeps the limit; the lowest stops with no event
    while left < right:
        middle = (left + right) // 2
        left, right = (left, middle) if _ever(n, _from(evidence, values[middle]), rate)[0] <= limit else (middle + 1, right)
    if left == len(values):
        raise InputError(
            f"no boundary stops with a probability of {limit:g} or less at {rate:g}",
            key="false_stop",
            right="Give more subjects, or a higher one",
        )
    high = _from(evidence, values[left])
    return high[0], float(values[left - 1]), float(values[left]), float(_ever(n, high, rate)[0])


def _from(evidence: Floats, critical: float) -> Integers:
    return np.array([[np.searchsorted(row, critical, side="left") for row in evidence]], np.int64)


def _ever(n: tuple[int, ...], high: Integers, rate: float) -> Floats:
    """Return the probability of ever stopping."""
    return run_sets(n, np.full_like(high, -1), np.minimum(high, np.asarray(n) + 1), (rate,), often=True)[0][:, 0]


def _bounds(n: tuple[int, ...], high: Any) -> tuple[int | None, ...]:
    return tuple(int(value) if value <= size else None for size, value in zip(n, high, strict=True))


def _rate(acceptable: Any) -> float:
    return check_number(acceptable, "acceptable", right="Give the highest rate that is accepted, for example 0.2")


def _limit(false_stop: Any) -> float:
    return check_share(false_stop, "false_stop")
