"""How many subjects and events does a single arm need to beat a known survival curve? The one-sample log-rank test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, sqrt
from typing import Literal, get_args

from cartrial.design.exact.checks import check_choice, check_number
from cartrial.design.survival.curves import (
    FollowUp,
    Weibull,
    accrual_of,
    benefit,
    check_above,
    check_one_sided,
    expected_events,
    integrate_time,
    normal_quantile_of,
    smallest,
)
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["Formula", "LogRankDesign", "design_one_sample_log_rank", "log_rank_power"]

Formula = Literal["wu-2015", "kwak-jung-2014", "wu-2014"]
_SOURCES = {
    "wu-2015": (
        "(O - E) / sqrt(E), exact variance under the alternative: Wu J. Pharm Stat 2015;14:26 (doi:10.1002/pst.1654); test: Woolson RF. "
        "Biometrics 1981;37:687 (doi:10.2307/2530150), Finkelstein DM et al. J Natl Cancer Inst 2003;95:1434"
    ),
    "kwak-jung-2014": (
        "(O - E) / sqrt(E), variance at the mean of both hazards: Kwak M, Jung SH. Stat Med 2014;33:2004 (doi:10.1002/sim.6073); test: "
        "Woolson RF. Biometrics 1981;37:687 (doi:10.2307/2530150)"
    ),
    "wu-2014": (
        "(O - E) / sqrt((O + E) / 2), exact variance under the alternative: Wu J. J Biom Biostat 2014;5:210; Stat Biopharm Res 2017;9:25 "
        "(doi:10.1080/19466315.2016.1174147)"
    ),
}
_MOST = 100_000


@dataclass(frozen=True)
class LogRankDesign(Shown):
    """A single-arm trial judged by a one-sample log-rank test.

    Parameters
    ----------
    formula : "wu-2015", "kwak-jung-2014" or "wu-2014"
    null, alternative : Weibull
    follow : FollowUp
    n : int
    events, events_null : float
        Expected number of observed events, under the alternative and under the null.
    alpha, beta : float
        One-sided errors that were asked for.
    power : float
        By the formula, at `n`.
    critical : float
        The null is rejected if the statistic is below this.
    source : str
    """

    formula: Formula
    null: Weibull
    alternative: Weibull
    follow: FollowUp
    n: int
    events: float
    events_null: float
    alpha: float
    beta: float
    power: float
    critical: float
    source: str

    @property
    def hazard_ratio(self) -> float:
        """Hazard of the alternative over that of the null."""
        return float(self.alternative.cumulative_hazard(self.null.scale))


def design_one_sample_log_rank(
    null: Weibull,
    *,
    hazard_ratio: float | None = None,
    at: float | None = None,
    survival: float | None = None,
    follow_up: float,
    accrual: float | None = None,
    rate: float | None = None,
    loss: float = 0.0,
    restricted: float | None = None,
    alpha: float = 0.05,
    beta: float = 0.2,
    formula: Formula = "wu-2015",
    most: int = _MOST,
) -> LogRankDesign:
    """Find the number of subjects of a one-sample log-rank test.

    Parameters
    ----------
    null : Weibull
        The survival to beat.
    hazard_ratio : float, optional
        The alternative, below 1.
    at, survival : float, optional
        Instead: the alternative's survival at a landmark, with proportional hazards.
    follow_up : float
        From the last entry to the analysis. Unit of time: that of `null`.
    accrual : float, optional
        Duration of accrual, if it is fixed.
    rate : float, optional
        Instead: subjects per unit of time, so that accrual lasts n / rate.
    loss : float
        Hazard of loss to follow-up.
    restricted : float, optional
        Nobody is followed longer than this.
    alpha, beta : float
        One-sided type I error, and type II error.
    formula : {"wu-2015", "kwak-jung-2014", "wu-2014"}
        Whose variance, and which statistic (`wu-2014`: the modified one).
    most : int
        No design needs more subjects than this.

    Returns
    -------
    LogRankDesign
        With the smallest n whose power by the formula is 1 - beta.

    Raises
    ------
    InputError
        If the alternative is no better than the null, times or errors cannot be, or no n up to `most` is enough.

    Notes
    -----
    With O the observed events and E the sum of the null's cumulative hazard at the subjects' last times, each subject adds a term of
    mean p1 - p0 and variance p1 - p1² + 2 p00 - p0² - 2 p01 + 2 p0 p1 (Wu 2015), where p0 and p1 are the integrals of G S1 dΛ0 and
    G S1 dΛ1, p00 and p01 those with Λ0 beside. The normal approximation is poor in small samples: `simulate_log_rank` gives the true
    errors. `kwak-jung-2014` is as its public implementations have it; it gives smaller, underpowered samples.

    Examples
    --------
    The example of Wu 2015 (Pharm Stat 14:26), primary biliary cirrhosis: 88 subjects.

    >>> from cartrial.design import design_one_sample_log_rank, weibull
    >>> null = weibull(shape=1.22, median=9)
    >>> design = design_one_sample_log_rank(null, hazard_ratio=1 / 1.75, accrual=5, follow_up=3)
    >>> design.n, round(design.power, 3)
    (88, 0.803)
    """
    alpha, beta = check_one_sided(alpha, beta)
    alternative = null.with_hazard_ratio(benefit(null, hazard_ratio, at, survival))
    if formula not in get_args(Formula):
        raise InputError(f"the formula {formula} is unknown", key="formula", right=f"Known are: {', '.join(get_args(Formula))}")
    follow_of = accrual_of(accrual, rate, follow_up=follow_up, loss=loss, restricted=restricted)

    def power_of(n: int) -> float:
        return log_rank_power(null, alternative, follow_of(n), n, alpha=alpha, formula=formula)

    n = smallest(lambda n: power_of(n) >= 1 - beta, most)
    if n is None:
        what = f"no number of subjects up to {most} gives a power of {1 - beta:g}; {most} give {power_of(most):.3f}"
        raise InputError(what, key="most", right="Allow more subjects, longer follow-up or a larger effect")
    follow = follow_of(n)
    return LogRankDesign(
        formula,
        null,
        alternative,
        follow,
        n,
        expected_events(alternative, follow, n),
        expected_events(null, follow, n),
        alpha,
        beta,
        power_of(n),
        -normal_quantile_of(1 - alpha),
        _SOURCES[formula],
    )


def log_rank_power(
    null: Weibull, alternative: Weibull, follow: FollowUp, n: int, *, alpha: float = 0.05, formula: Formula = "wu-2015"
) -> float:
    """Return the power of a one-sample log-rank test by its normal approximation.

    Parameters
    ----------
    null, alternative : Weibull
        With one shape.
    follow : FollowUp
    n : int
    alpha : float
        One-sided.
    formula : {"wu-2015", "kwak-jung-2014", "wu-2014"}

    Examples
    --------
    The power of the example of Wu 2015 (Pharm Stat 14:26) with its 88 subjects, as R's logRank1s has it.

    >>> from cartrial.design import FollowUp, log_rank_power, weibull
    >>> null = weibull(shape=1.22, median=9)
    >>> round(log_rank_power(null, null.with_hazard_ratio(1 / 1.75), FollowUp(5, 3), 88), 3)
    0.803
    """
    from scipy.special import ndtr

    if alternative.shape != null.shape:
        raise InputError("the hazards are not proportional", key="alternative", right="Give both curves one shape")
    check_above(n, "n")
    alpha = check_number(alpha, "alpha", right="Give the one-sided type I error, for example 0.025")
    check_choice(formula, "formula", get_args(Formula))
    shift, spread_null, spread = _spreads(null, alternative, follow, formula)
    return float(ndtr((sqrt(n) * shift - spread_null * normal_quantile_of(1 - alpha)) / spread))


@lru_cache(maxsize=4096)
def _spreads(null: Weibull, alternative: Weibull, follow: FollowUp, formula: Formula) -> tuple[float, float, float]:
    """Return p0 - p1, and the standard deviations of the statistic's denominator and of one subject's term."""
    ratio = float(alternative.cumulative_hazard(null.scale))
    p1 = expected_events(alternative, follow)
    p01 = integrate_time(alternative, follow, lambda time, u: float(follow.seen(time)) * exp(-u) * u / ratio)
    p0, p00 = p1 / ratio, p01 / ratio
    if formula == "kwak-jung-2014":
        return p0 - p1, sqrt(p0), sqrt(expected_events(null.with_hazard_ratio((1 + ratio) / 2), follow))
    exact = sqrt(p1 - p1**2 + 2 * p00 - p0**2 - 2 * p01 + 2 * p0 * p1)
    return p0 - p1, sqrt(p0 if formula == "wu-2015" else (p0 + p1) / 2), exact
