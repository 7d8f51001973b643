"""May a published result be put beside an endpoint of a study file? The endpoint states every attribute; the source seldom does."""

from __future__ import annotations

from collections.abc import Mapping

from cartrial.evidence.gate.compare import Comparison, compare_attributes
from cartrial.evidence.gate.estimand import attributes_of
from cartrial.evidence.registry.model import Result
from cartrial.evidence.registry.stated import NOT_APPLICABLE
from cartrial.evidence.registry.words import window_words
from cartrial.study import Endpoint, Study

__all__ = ["compare_endpoint", "endpoint_attributes", "endpoint_response", "time_attributes"]


def endpoint_response(endpoint: Endpoint) -> str:
    """Return what a rate of a study file counts, in the words of the registry.

    Examples
    --------
    >>> from cartrial.evidence.gate.beside import endpoint_response
    >>> from cartrial.study import Study
    >>> endpoint_response(Study.load("inaticel").endpoints[0])
    'CR+CRi'
    """
    return ("MRD-negative " if endpoint.mrd else "") + "+".join(endpoint.response)


def endpoint_attributes(study: Study, endpoint: Endpoint) -> dict[str, str | None]:
    """Return the attributes of a response rate of a study file, by the names of `attributes_of`.

    Examples
    --------
    >>> from cartrial.evidence.gate.beside import endpoint_attributes
    >>> from cartrial.study import Study
    >>> study = Study.load("inaticel")
    >>> held = endpoint_attributes(study, study.endpoints[0])
    >>> held["window"], held["reader"], held["hsct"], held["criteria"]
    ('at month 3', 'IRC', 'composite', 'nccn')
    """
    window = window_words(endpoint.window) if endpoint.window else None
    held: dict[str, str | None] = {"measure": "response-rate", "response": endpoint_response(endpoint), "window": window}
    return held | _common(study, endpoint)


def time_attributes(study: Study, endpoint: Endpoint) -> dict[str, str | None]:
    """Return the attributes of a time to an event of a study file, time zero (`origin`) among them.

    Examples
    --------
    >>> from cartrial.evidence.gate.beside import time_attributes
    >>> from cartrial.study import Study
    >>> study = Study.load("inaticel")
    >>> held = time_attributes(study, next(one for one in study.endpoints if one.id == "OS"))
    >>> held["origin"], held["hsct"], held["reader"]
    ('day-0', 'treatment-policy', 'not-applicable')
    """
    held: dict[str, str | None] = {"endpoint": endpoint.id, "origin": endpoint.origin}
    return held | _common(study, endpoint)


def _common(study: Study, endpoint: Endpoint) -> dict[str, str | None]:
    strategies = dict(endpoint.strategies.items())
    reader = (endpoint.reader or study.readers.primary) if endpoint.read else NOT_APPLICABLE
    held: dict[str, str | None] = {"population": endpoint.population, "reader": reader}
    held |= {event: strategies[event] for event in ("hsct", "new-therapy")}
    return held | {"criteria": study.disease.criteria.name if endpoint.read else NOT_APPLICABLE}


def compare_endpoint(study: Study, endpoint: Endpoint, result: Result, *, assume: Mapping[str, str] | None = None) -> Comparison:
    """Compare a response rate of a study file with a published one.

    Parameters
    ----------
    study : Study
    endpoint : Endpoint
        A response rate of it.
    result : Result
    assume : mapping of str to str, optional
        As in `compare_results`.

    Returns
    -------
    Comparison
        Its left side is the endpoint. A group within the population is a note, as between two results.

    Examples
    --------
    The primary endpoint of the pivotal study and what was published of it: the abstract has neither strategies nor criteria.

    >>> from cartrial.evidence import compare_endpoint, load_evidence
    >>> from cartrial.study import Study
    >>> study = Study.load("inaticel")
    >>> found = compare_endpoint(study, study.endpoints[0], load_evidence().find("inati-48-orr3")[1])
    >>> found.status, [one.name for one in found.attributes if one.status != "same"]
    ('not established', ['hsct', 'new-therapy', 'criteria'])
    """
    attributes = compare_attributes(endpoint_attributes(study, endpoint), attributes_of(result), assume or {})
    part = result.population != "other" and result.group != "all"
    return Comparison(endpoint.id, result.id, attributes, (f"of a part of the population: {result.group}",) if part else ())
