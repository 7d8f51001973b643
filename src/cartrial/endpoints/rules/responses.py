"""Which statuses are a response of an endpoint, in the numbers that the kernels read?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartrial.study.criteria.codes import RESPONSES, roles

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint

__all__ = ["counted", "started_by"]


def counted(study: Study, endpoint: Endpoint) -> int:
    """Return which statuses a response rate counts, one bit each; in leukaemia CRh counts where CRi does."""
    named = {*endpoint.response, *(also for status, also in study.disease.family.counts_with.items() if status in endpoint.response)}
    return roles(*(RESPONSES.index(name) for name in named))


def started_by(study: Study, endpoint: Endpoint) -> int:
    """Return which statuses start a time from first response, one bit each: every response, unless the time names its own."""
    return counted(study, endpoint) if endpoint.names_response else study.disease.family.roles.responds
