"""What was not recorded, or cannot be derived from what was? It is named, trial by trial, and never becomes 0 % (rules, A3 and A7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cartrial.endpoints.populations import first_response
from cartrial.endpoints.relapse_free import is_followed, undated_call, undated_relapse, undated_response
from cartrial.endpoints.rules.codes import R_MRD_MISSING, R_MRD_NOT_EVALUABLE
from cartrial.sdtm.records import READERS
from cartrial.sdtm.records.codes import FAR

if TYPE_CHECKING:
    from cartrial.endpoints.populations import Populations
    from cartrial.study import Endpoint, Study

__all__ = ["NOBODY_KNOWN", "NOT_DERIVED", "NOT_READ", "NOT_RECORDED", "NO_LESIONS", "missing_of_rate", "missing_of_time", "with_unread"]

NOT_RECORDED, NOT_DERIVED = "not recorded", "not derived"
"""How the rule of a value begins that the source cannot give."""

NO_LESIONS = "extramedullary disease was never recorded"

NOBODY_KNOWN = {
    "evaluable": "no disease before lymphodepletion, and no assessment there, is recorded of anybody, so who is evaluable is not known",
    "leukapheresed": "no leukapheresis is recorded of anybody, so who is leukapheresed is not known",
}
"""Why it is not known who is in a population."""

NOT_READ = "not read"
"""Flag of a subject that its endpoint's reader has not read and another source has."""

BY_READER = ("assessed", "evaluable", "responders")


def with_unread(populations: Populations, endpoint: Endpoint, reader: int, member: np.ndarray) -> np.ndarray:
    """Add the infused of trials that the reader has not read, where the reader's calls say who is in the population.

    And those of trials in which nothing recorded says of anybody whether he is in it.

    Parameters
    ----------
    populations : Populations
    endpoint : Endpoint
    reader : int
    member : ndarray of bool, shape (subjects,)
    """
    infused = populations.course.day0 < FAR
    member = np.asarray(member | (populations.unrecorded(endpoint.population, reader)[populations.trial] & infused))
    if endpoint.population not in BY_READER:
        return member
    return np.asarray(member | (populations.unknown(reader)[populations.trial] & infused))


_PENDING = "every reading is pending, since of no date two readers agree and none is adjudicated"
_USABLE = "with a whole date after day 0 and up to the cutoff, of an infused subject"


def _unread(populations: Populations, reader: int, trial: np.ndarray) -> list[tuple[np.ndarray, str]]:
    """Say of which rows the reader has no call: all pending, none that could be used, none at all, or no remission for want of EMD."""
    unread = populations.unread(reader)[trial]
    unusable = populations.records.recorded.unusable(READERS[reader], trial)
    who = f"{NOT_RECORDED}: no call by {READERS[reader]}"
    hidden = (populations.hidden(reader)[trial], f"{NOT_RECORDED}: {NO_LESIONS}, and every remission needs it")
    pending = (populations.pending(reader)[trial] & unread, f"{who} was made: {_PENDING}")
    return [pending, (unread & unusable, f"{who} {_USABLE}"), (unread, f"{who} in the source"), hidden]


def _nobody(populations: Populations, population: str, reader: int, trial: np.ndarray) -> list[tuple[np.ndarray, str]]:
    """Say of which rows it is not known who is in the population."""
    why = NOBODY_KNOWN.get(population)
    return [(populations.unrecorded(population, reader)[trial], f"{NOT_RECORDED}: {why}")] if why else []


def missing_of_rate(
    study: Study, populations: Populations, endpoint: Endpoint, reader: int, rows: np.ndarray, reason: np.ndarray
) -> list[tuple[np.ndarray, str]]:
    """Return why values of a response rate are null: rows (bool, shape as `rows`) and the rule, the first that holds for a row.

    Parameters
    ----------
    study : Study
    populations : Populations
    endpoint : Endpoint
    reader : int
    rows : ndarray of int64
        Subjects.
    reason : ndarray of int64
        What the rule for rates says of each.
    """
    trial = populations.trial[rows]
    found = [*_unread(populations, reader, trial), *_nobody(populations, endpoint.population, reader, trial)]
    if populations.records.recorded.level == "events":
        everybody = np.ones(len(rows), bool)
        if endpoint.window is not None and endpoint.window.at:
            found.append((everybody, f"{NOT_DERIVED}: the source has best responses, and no assessments by visit"))
        days = max(endpoint.sustained_days, study.disease.confirm_days)
        if days:
            found.append((everybody, f"{NOT_DERIVED}: the source has best responses, of which none is seen again {days} days later"))
    if endpoint.mrd:
        without = np.zeros(populations.trials, bool)
        # what cannot be read is not evaluable, and is no result either
        without[trial[np.isin(reason, (R_MRD_MISSING, R_MRD_NOT_EVALUABLE))]] = True
        without &= ~populations.records.recorded.has("MRD", np.arange(populations.trials))
        specimens = " or ".join(name.lower() for name in study.disease.mrd.specimens)
        unusable = without & populations.records.recorded.unusable("MRD", np.arange(populations.trials))
        methods = " or ".join(name.lower() for name in study.disease.mrd.methods)
        what = f"MRD result of {specimens}" + (f" by {methods}" if methods else "")
        found.append((unusable[trial], f"{NOT_RECORDED}: no {what} that can be read, {_USABLE}, although there are remissions"))
        found.append((without[trial], f"{NOT_RECORDED}: no {what} in the source, although there are remissions"))
        why = f"no negative {what} says its limit of detection, so nobody could be MRD-negative"
        found.append((populations.without_limits(reader)[trial], f"{NOT_RECORDED}: {why}"))
    return found


def _without_date(
    study: Study, populations: Populations, endpoint: Endpoint, reader: int, rows: np.ndarray, settled: np.ndarray
) -> tuple[np.ndarray, str]:
    """Of whom it is not known until when they were free of relapse, when they relapsed, or when they responded (rules, A7)."""
    records, calls, course = populations.records, populations.calls[reader], populations.course
    responders = first_response(study, calls, course, endpoint)[rows] >= 0
    relapse = undated_relapse(study, records, course, calls, reader)[rows]
    relapsed = responders & (relapse < FAR) & (relapse <= settled)
    lacking = responders & ~relapsed & (settled == FAR) & ~is_followed(study, records, course, calls)[rows]
    # where the time starts with the response it has no start, else the subject would be one without a response
    touched = responders if endpoint.origin == "first-response" else ~responders & (settled == FAR)
    unknown = touched & undated_response(study, records, course, calls, reader)[rows]
    event = study.disease.family.names.event
    trial, count = populations.trial[rows], f"{int(responders.sum())} responders"
    said = {
        f"a date last known free of {event} is missing for {int(lacking.sum())} of the {count} (without an event)": lacking,
        f"the {event} of {int(relapsed.sum())} of the {count} has no whole date": relapsed,
        f"the response of {int(unknown.sum())} of the {len(rows)} subjects has no whole date": unknown,
    }
    if "non-response" in endpoint.events:
        # who did not respond on a day that is not known has an event, and no date of a last assessment either
        window = (endpoint.response_window.from_, endpoint.response_window.to)
        failed = (
            ~responders & (settled == FAR) & undated_call(study, records, course, reader, study.disease.family.roles.fails, window)[rows]
        )
        said[f"the call of no response of {int(failed.sum())} of the {len(rows)} subjects has no whole date"] = failed
    where = np.any(list(said.values()), axis=0)
    return np.isin(trial, trial[where]), f"{NOT_DERIVED}: {', and '.join(words for words, some in said.items() if some.any())}"


def missing_of_time(
    study: Study, populations: Populations, endpoint: Endpoint, reader: int, rows: np.ndarray, followed: np.ndarray, settled: np.ndarray
) -> list[tuple[np.ndarray, str]]:
    """Return why values of a time to event are null, as `missing_of_rate`.

    Parameters
    ----------
    study, populations, endpoint, reader, rows
        As `missing_of_rate`.
    followed : ndarray of bool, shape as `rows`
        Whether any of the endpoint's events could be seen in the trial.
    settled : ndarray of int64, shape as `rows`
        The day of the event with which the time ends; `FAR` where it ends, without one, at an assessment.
    """
    found: list[tuple[np.ndarray, str]] = []
    if endpoint.read:
        found += _unread(populations, reader, populations.trial[rows])
    found += _nobody(populations, endpoint.population, reader, populations.trial[rows])
    if populations.records.recorded.level == "events":
        everybody = np.ones(len(rows), bool)
        if endpoint.missed_visits:
            found.append((everybody, f"{NOT_DERIVED}: the source has best responses, and no visits that could be missed"))
        if endpoint.read and study.disease.confirm_days:
            days = study.disease.confirm_days
            found.append((everybody, f"{NOT_DERIVED}: the source has best responses, of which none is seen again {days} days later"))
        if endpoint.read and endpoint.timed:
            found.append(_without_date(study, populations, endpoint, reader, rows, settled))
    if endpoint.samples is not None:
        return [*found, (~followed, f"{NOT_RECORDED}: no sample of {endpoint.samples.test} from day 0 up to the cutoff in the source")]
    what = (
        "no survival status and no death up to the cutoff"
        if endpoint.events == ("death",)
        else "no assessment after the origin, no survival status and no death up to the cutoff"
    )
    found.append((~followed, f"{NOT_RECORDED}: {what} in the source"))
    return found
