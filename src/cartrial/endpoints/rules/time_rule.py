"""What does a study say of a time to event, in the numbers that the kernel reads?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cartrial.endpoints.rules.responses import started_by
from cartrial.endpoints.rules.strategies import strategy_codes
from cartrial.endpoints.rules.time_kernel import Origin, Rule, Times, Visits

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint

__all__ = ["origin_of", "rule_of", "times_for", "visits_of"]


def rule_of(study: Study, endpoint: Endpoint) -> Rule:
    """Return the rule of a time to event."""
    return Rule(
        on_nonresponse="non-response" in endpoint.events,
        on_relapse=study.disease.family.names.event in endpoint.events,
        on_mrd="mrd-relapse" in endpoint.events,
        on_death="death" in endpoint.events,
        opens=endpoint.response_window.from_,
        closes=endpoint.response_window.to,
        at_assessment=endpoint.non_response.dated == "at-assessment",
        loss_censors=endpoint.non_response.loss == "censor",
        missed=endpoint.missed_visits,
        strategy=strategy_codes(endpoint),
        roles=study.disease.family.roles,
    )


def origin_of(study: Study, endpoint: Endpoint) -> Origin:
    """Return the rule of a first response."""
    family = study.disease.family
    return Origin(started_by(study, endpoint), study.disease.confirm_days, strategy_codes(endpoint), family.roles)


def visits_of(study: Study) -> Visits:
    """Return the schedule of disease assessments."""
    visits = study.disease.visits
    return Visits(
        day=np.array([visit.day for visit in visits], np.int64),
        low=np.array([visit.day - visit.minus for visit in visits], np.int64),
        high=np.array([visit.day + visit.plus for visit in visits], np.int64),
    )


def times_for(subjects: int) -> Times:
    """Return empty times."""
    return Times(*(np.full(subjects, -1, np.int64) for _ in range(4)))
