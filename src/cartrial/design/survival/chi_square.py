"""How many events does an exact test of a survival curve need? The trial ends with its d-th event, and chi-square decides."""

from __future__ import annotations

from dataclasses import dataclass

from cartrial.design.survival.curves import FollowUp, Weibull, accrual_of, benefit, check_one_sided, expected_events, smallest
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["SOURCE", "ExactDesign", "design_exact_events", "exact_power"]

SOURCE = (
    "total time on test against chi-square: Epstein B. Ann Math Stat 1954;25:555 (doi:10.1214/aoms/1177728723); Weibull times: Phadnis MA. "
    "Contemp Clin Trials Commun 2019;15:100360 (doi:10.1016/j.conctc.2019.100360)"
)


@dataclass(frozen=True)
class ExactDesign(Shown):
    """A single-arm trial that ends with its d-th event.

    Parameters
    ----------
    null, alternative : Weibull
    follow : FollowUp
        As planned: the d-th event is expected at its end under the alternative.
    n : int
    events : int
        d.
    alpha, beta : float
        One-sided errors that were asked for; the test's size is `alpha` exactly.
    power : float
        Exact.
    critical : float
        The null is rejected if the expected events (the sum of the null's cumulative hazard over subjects) exceed this at the d-th event.
    source : str
    """

    null: Weibull
    alternative: Weibull
    follow: FollowUp
    n: int
    events: int
    alpha: float
    beta: float
    power: float
    critical: float
    source: str = SOURCE

    @property
    def hazard_ratio(self) -> float:
        """Hazard of the alternative over that of the null."""
        return float(self.alternative.cumulative_hazard(self.null.scale))


def exact_power(events: int, hazard_ratio: float, alpha: float) -> tuple[float, float]:
    """Return the critical number of expected events and the power of the exact test with so many events.

    At the d-th event twice the sum of the cumulative hazards is chi-square with 2 d degrees of freedom, whatever the pattern of entry: in
    the time scale of that sum, events are a Poisson process.
    """
    from scipy.special import gammaincc, gammainccinv

    critical = float(gammainccinv(events, alpha))
    return critical, float(gammaincc(events, hazard_ratio * critical))


def design_exact_events(
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
    most: int = 100_000,
) -> ExactDesign:
    """Find the number of events of the exact test, and the subjects that are expected to have them by the planned end.

    Parameters as in `design_one_sample_log_rank`.

    Returns
    -------
    ExactDesign

    Raises
    ------
    InputError
        If the alternative is no better than the null, times or errors cannot be, or `most` events or subjects are not enough.

    Notes
    -----
    Subjects may be lost, so that the d-th event is never seen: then the null is rejected if the critical value is passed all the same, and
    the size is at most `alpha`. Analysed at a fixed calendar time instead, the test is no longer exact.

    Examples
    --------
    The first number of events d with 0.8 or more in R's `1 - pchisq(0.5 * qchisq(0.95, 2 * d), 2 * d)`.

    >>> from cartrial.design import design_exact_events, weibull
    >>> design = design_exact_events(weibull(median=8), hazard_ratio=0.5, accrual=12, follow_up=6)
    >>> design.events, round(design.power, 3)
    (13, 0.817)
    """
    alpha, beta = check_one_sided(alpha, beta)
    ratio = benefit(null, hazard_ratio, at, survival)
    alternative = null.with_hazard_ratio(ratio)
    follow_of = accrual_of(accrual, rate, follow_up=follow_up, loss=loss, restricted=restricted)
    events = smallest(lambda d: exact_power(d, ratio, alpha)[1] >= 1 - beta, most)
    if events is None:
        raise InputError(
            f"no number of events up to {most} gives a power of {1 - beta:g}", key="most", right="Allow more, or a larger effect"
        )
    n = smallest(lambda n: expected_events(alternative, follow_of(n), n) >= events, most)
    if n is None:
        raise InputError(
            f"{most} subjects have fewer than {events} expected events", key="most", right="Allow more subjects or longer follow-up"
        )
    critical, power = exact_power(events, ratio, alpha)
    return ExactDesign(null, alternative, follow_of(n), n, events, alpha, beta, power, critical)
