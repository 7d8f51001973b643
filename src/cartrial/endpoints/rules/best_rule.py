"""What does a study say of a best response, in the numbers that the kernel reads?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cartrial.endpoints.rules.best_kernel import Best, BestRule
from cartrial.endpoints.rules.strategies import strategy_codes
from cartrial.study.criteria.codes import RESPONSES

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint

__all__ = ["best_for", "rule_of"]


def rule_of(study: Study, endpoint: Endpoint) -> BestRule:
    """Return the rule of a best response."""
    family = study.disease.family
    place = np.full(len(RESPONSES), len(RESPONSES), np.int64)
    for i, status in enumerate(family.best_first):
        place[RESPONSES.index(status)] = i
    return BestRule(place, endpoint.sd_from, strategy_codes(endpoint), family.roles)


def best_for(subjects: int) -> Best:
    """Return empty bests."""
    return Best(np.zeros(subjects, np.int64), np.full(subjects, -1, np.int64))
