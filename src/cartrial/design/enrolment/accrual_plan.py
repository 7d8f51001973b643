"""Which numbers decide how fast a trial fills? Sites, their opening, and the losses and waits from consent to infusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import expm1, isfinite, log1p, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cartrial.errors import InputError
from cartrial.shown import Shown

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.virtual.patients.population import Population
    from cartrial.virtual.trial.arrivals import Accrued

__all__ = ["DAYS_PER_MONTH", "AccrualPlan"]

DAYS_PER_MONTH = 30.4375
_MONTH_3 = 90
_WIDEST = 3.0


@dataclass(frozen=True)
class AccrualPlan(Shown):
    """How a trial fills.

    Parameters
    ----------
    sites : int
    rate : float
        Subjects who consent per site and month of 30.4375 days, the mean over sites.
    spread : float
        Coefficient of variation of the sites' rates (gamma), at most 3; 0: all alike.
    activation : float
        Days over which the sites open at random times; counted from the first opening.
    openings : tuple of float, optional
        Instead: the day on which each site opens. The earliest becomes day 0.
    screening_failure, manufacturing_failure, drop : float
        Probabilities: of those who consent not to be enrolled; of the enrolled to have no product; of the others to die, withdraw or become
        ineligible before the infusion.
    screening_days, infusion_days : float
        Mean days from consent to enrolment, and from enrolment to infusion.
    screening_spread, infusion_spread : float
        Standard deviation of the logarithm of each; 0: always the mean.
    assessment : float
        Days from the infusion, or from enrolment, to the assessment that the analysis waits for.
    assessed_from : {"infusion", "enrolment"}
        From where `assessment` is counted; from enrolment, those who are never infused are waited for too.
    source : str
        Where the numbers come from.
    infused_band : (float, float), optional
        80 % band of the share of the enrolled that is infused, over virtual trials with their parameter sets; None: not simulated.
    child : bool
        Whether the subjects were drawn from a population of children and young adults.
    """

    sites: int
    rate: float
    spread: float = 0.0
    activation: float = 0.0
    openings: tuple[float, ...] | None = None
    screening_failure: float = 0.0
    manufacturing_failure: float = 0.0
    drop: float = 0.0
    screening_days: float = 0.0
    infusion_days: float = 0.0
    screening_spread: float = 0.0
    infusion_spread: float = 0.0
    assessment: float = _MONTH_3
    assessed_from: Literal["infusion", "enrolment"] = "infusion"
    source: str = "given"
    infused_band: tuple[float, float] | None = None
    child: bool = False

    def __post_init__(self) -> None:
        if self.sites < 1 or self.sites != int(self.sites):
            raise InputError(f"there are {self.sites} sites", key="sites", right="Give a whole number, at least 1")
        if not (isfinite(self.rate) and self.rate > 0):
            raise InputError(f"the rate {self.rate:g} is not above 0: nobody comes", key="rate", right="Give consents per site and month")
        for key in ("screening_failure", "manufacturing_failure", "drop"):
            share = getattr(self, key)
            if not 0 <= share < 1:
                raise InputError(f"the probability {share:g} cannot be", key=key, right="Give 0 or more, and below 1")
        if self.spread > _WIDEST:
            raise InputError(f"the spread {self.spread:g} is above {_WIDEST:g}", key="spread", right="Give the coefficient of variation")
        for key in ("spread", "activation", "screening_days", "infusion_days", "screening_spread", "infusion_spread", "assessment"):
            value = getattr(self, key)
            if not (isfinite(value) and value >= 0):
                raise InputError(f"the value {value:g} is negative or no number", key=key, right="Give 0 or more")
        if self.assessed_from not in ("infusion", "enrolment"):
            what = f"an assessment is not counted from {self.assessed_from!r}"
            raise InputError(what, key="assessed_from", right="Give infusion or enrolment")
        if self.openings is not None:
            days = np.asarray(self.openings, np.float64)
            if len(days) != self.sites or not np.isfinite(days).all():
                raise InputError(f"there are {len(days)} openings for {self.sites} sites", key="openings", right="Give one day a site")
            object.__setattr__(self, "openings", tuple(float(day) for day in np.sort(days) - days.min()))

    @property
    def enrolled_share(self) -> float:
        """Share of those who consent that is enrolled."""
        return 1 - self.screening_failure

    @property
    def infused_share(self) -> float:
        """Share of the enrolled that is infused."""
        return (1 - self.manufacturing_failure) * (1 - self.drop)

    @property
    def share(self) -> float:
        """Share of those who consent that is infused."""
        return self.enrolled_share * self.infused_share

    @classmethod
    def of_study(
        cls,
        study: Study,
        *,
        population: str | Path | Population | None = None,
        changes: Mapping[str, Any] | None = None,
        trials: int = 100,
        seed: int = 1,
    ) -> AccrualPlan:
        """Take the numbers of a study's virtual trials.

        Sites, rate, spread and activation are those of the settings (`virtual/data/trial.yaml`; log-normal rates there, gamma here with the
        same mean and variance). Losses and waits emerge from virtual patients: they are measured in `trials` virtual trials of 50 infused.

        Parameters
        ----------
        study : Study
        population : str, Path or Population, optional
            As in `plan_study`.
        changes : mapping, optional
            Of the settings, e.g. ``{"accrual": {"rate": 0.5}}``.
        trials, seed : int

        Returns
        -------
        AccrualPlan

        Raises
        ------
        InputError
            As `plan_study`; for a study that nobody can enter.
        """
        from cartrial.virtual.trial.arrivals import accrue_trials
        from cartrial.virtual.trial.choice import ORIGINS
        from cartrial.virtual.trial.conduct import plan_study, with_cutoff

        if trials < 1:
            raise InputError(f"there are {trials} trials", key="trials", right="Give at least 1")
        plan = plan_study(with_cutoff(study), n=50, seed=seed, population=population, changes=changes)
        people = accrue_trials(plan, np.arange(trials))
        accrual = plan.settings.accrual
        visit = min(study.disease.visits, key=lambda visit: abs(visit.day - _MONTH_3))
        return cls(
            sites=plan.sites,
            rate=accrual.rate.value,
            spread=sqrt(expm1(accrual.rate_spread.value**2)),
            activation=accrual.activation.value,
            assessment=float(visit.day),
            source=f"virtual/data/trial.yaml, and {trials} virtual trials of population {plan.population.id} ({ORIGINS[plan.origin]})",
            child=plan.population.patients.child,
            **_measure(people),
        )


def _measure(people: Accrued) -> dict[str, Any]:
    """Return losses and waits of virtual subjects."""
    enrolled = people.outcome >= 0
    failed = people.outcome == 1
    made = enrolled & ~failed
    waits = {
        "screening": (people.enrolled - people.consent)[enrolled],
        "infusion": (people.infusion - people.enrolled)[people.infused],
    }
    found: dict[str, Any] = {
        "screening_failure": 1 - float(enrolled.mean()),
        "manufacturing_failure": float(failed.sum() / enrolled.sum()),
        "drop": 1 - float(people.infused.sum() / made.sum()),
    }
    trial = people.trial - people.trial.min()
    shares = np.bincount(trial[enrolled], people.infused[enrolled]) / np.bincount(trial[enrolled])
    found["infused_band"] = tuple(float(end) for end in np.quantile(shares, [0.1, 0.9]))
    for name, days in waits.items():
        mean = float(days.mean())
        found[f"{name}_days"] = mean
        found[f"{name}_spread"] = sqrt(log1p((float(days.std()) / mean) ** 2)) if mean > 0 else 0.0
    return found
