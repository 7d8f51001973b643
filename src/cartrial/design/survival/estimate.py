"""Did a single arm live longer than a known survival curve says? The one-sample log-rank test and the ratio of events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.analysis.estimators.arguments import check_level, read_numbers
from cartrial.design.survival.curves import Weibull
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["OneSampleLogRank", "estimate_one_sample_log_rank", "one_sample_tests"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OneSampleLogRank(Shown):
    """Observed against expected events of one sample. P-values are one-sided, small when there are fewer events than expected.

    Parameters
    ----------
    n, observed : int
    expected : float
        The sum of the null's cumulative hazard at the subjects' last times.
    statistic, p_value : float
        (O - E) / sqrt(E).
    modified, modified_p_value : float
        (O - E) / sqrt((O + E) / 2).
    poisson_p_value : float
        The probability of O events or fewer if O is Poisson with mean E.
    chi_square, two_sided_p_value : float
        (O - E)² / E on 1 degree of freedom.
    ratio, lower, upper : float
        O / E, the standardised mortality ratio, with its exact Poisson interval.
    conf_level : float
    """

    n: int
    observed: int
    expected: float
    statistic: float
    p_value: float
    modified: float
    modified_p_value: float
    poisson_p_value: float
    chi_square: float
    two_sided_p_value: float
    ratio: float
    lower: float
    upper: float
    conf_level: float


def one_sample_tests(observed: ArrayLike, expected: ArrayLike) -> dict[str, tuple[Floats, Floats]]:
    """Return each test's statistic and one-sided p-value, for any number of trials at once.

    Parameters
    ----------
    observed, expected : array_like, same shape
        Events; what is expected is above 0.

    Returns
    -------
    dict
        `log-rank`, `modified`, `poisson` -> statistic (for `poisson` the observed events), p-value.
    """
    from scipy.special import gammaincc, ndtr

    o, e = np.asarray(observed, np.float64), np.asarray(expected, np.float64)
    plain = (o - e) / np.sqrt(e)
    modified = (o - e) / np.sqrt((o + e) / 2)
    return {"log-rank": (plain, ndtr(plain)), "modified": (modified, ndtr(modified)), "poisson": (o, gammaincc(o + 1, e))}


def estimate_one_sample_log_rank(
    times: ArrayLike, events: ArrayLike, null: Weibull | ArrayLike, *, conf_level: float = 0.95
) -> OneSampleLogRank:
    """Compare the events of one sample with those that a survival curve expects.

    Woolson RF. Biometrics 1981;37:687 (doi:10.2307/2530150); Finkelstein DM et al. J Natl Cancer Inst 2003;95:1434; modified: Wu J. J Biom
    Biostat 2014;5:210. Matches R ``survdiff(Surv(times, events) ~ offset(S0))``; the ratio's interval is that of R ``poisson.test``.

    Parameters
    ----------
    times : array_like of float, shape (n,)
        From entry to the event or the last time seen. Unit: that of `null`.
    events : array_like of bool or 0 and 1, shape (n,)
        1: event. (ADaM's CNSR has it the other way round.)
    null : Weibull or array_like of float, shape (n,)
        The curve, or each subject's own survival at its time, as from life tables.
    conf_level : float

    Returns
    -------
    OneSampleLogRank

    Raises
    ------
    InputError
        If there are no subjects, the lengths differ, a time is negative or missing, an event is neither 0 nor 1, or nothing is expected.

    Examples
    --------
    By hand: with a hazard of 0.1 times of 5, 10, 10 and 15 expect 4 events; 2 were seen, so that (2 - 4) / √4 = -1.

    >>> from cartrial.design import estimate_one_sample_log_rank, weibull
    >>> found = estimate_one_sample_log_rank([5, 10, 10, 15], [1, 0, 1, 0], weibull(hazard=0.1))
    >>> found.observed, round(found.expected, 6), round(found.statistic, 6), round(found.p_value, 4)
    (2, 4.0, -1.0, 0.1587)
    """
    from scipy.special import chdtrc, gammaincinv

    time = read_numbers(times, "times", "Give times of 0 or more").ravel()
    event = np.asarray(events)
    event = (event if event.dtype == bool else read_numbers(events, "events", "1 is an event, 0 is censored")).ravel().astype(np.float64)
    if not len(time):
        raise InputError("there are no subjects", key="times", right="Give one time a subject")
    if len(event) != len(time):
        raise InputError(f"there are {len(time)} times and {len(event)} events", key="events", right="Give one of each a subject")
    if not (np.isfinite(time) & (time >= 0)).all():
        raise InputError("a time is missing or negative", key="times", right="Give times of 0 or more")
    if not np.isin(event, (0.0, 1.0)).all():
        raise InputError("an event is neither 0 nor 1", key="events", right="1 is an event, 0 is censored")
    conf_level = check_level(conf_level)
    observed, expected = int(event.sum()), float(_expected(time, null).sum())
    if expected <= 0:
        raise InputError("no event is expected, since nobody was followed", key="times", right="Give times above 0")
    tests = one_sample_tests(observed, expected)
    tail = (1 - conf_level) / 2
    chi_square = (observed - expected) ** 2 / expected
    return OneSampleLogRank(
        len(time),
        observed,
        expected,
        float(tests["log-rank"][0]),
        float(tests["log-rank"][1]),
        float(tests["modified"][0]),
        float(tests["modified"][1]),
        float(tests["poisson"][1]),
        chi_square,
        float(chdtrc(1, chi_square)),
        observed / expected,
        float(gammaincinv(observed, tail)) / expected if observed else 0.0,
        float(gammaincinv(observed + 1, 1 - tail)) / expected,
        conf_level,
    )


def _expected(time: Floats, null: Weibull | ArrayLike) -> Floats:
    """Return each subject's expected events."""
    if isinstance(null, Weibull):
        return np.asarray(null.cumulative_hazard(time))
    survival = read_numbers(null, "null", "Give a curve, or a survival above 0, at most 1, a subject").ravel()
    if len(survival) != len(time) or not ((survival > 0) & (survival <= 1)).all():
        raise InputError("the null's survival does not fit", key="null", right="Give a curve, or a survival above 0, at most 1, a subject")
    return -np.log(survival)
