"""How is an endpoint said in words? Every footnote, shell and page takes its sentences from here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cartrial.study.attributes import RESPONSE
from cartrial.study.criteria.families import Family
from cartrial.study.criteria.leukaemia import LEUKAEMIA
from cartrial.study.criteria.sets import CallCriteria, CallOptions
from cartrial.study.endpoint import ANTIGEN_WORDS, Endpoint, Variant
from cartrial.study.model import Disease

if TYPE_CHECKING:
    from cartrial.study.study import Study

__all__ = ["at_level", "criteria_words", "describe_endpoint", "reader_words", "strategies_text", "window_text"]

READERS = {
    "IRC": "the independent review committee (readers 1 and 2, the adjudicator where they disagree)",
    "INV": "the investigator",
    "LAB": "the {derived} under the criteria",
    "READER 1": "independent reader 1",
    "READER 2": "independent reader 2",
}
POPULATIONS = {
    "enrolled": "all enrolled subjects",
    "leukapheresed": "all leukapheresed subjects",
    "infused": "all infused subjects",
    "assessed": "infused subjects with at least one adequate post-baseline assessment by the reader",
    "evaluable": "infused subjects with {disease} before lymphodepletion and an adequate post-baseline assessment, or death or new therapy before one",
    "responders": "subjects with {responses} at any usable assessment by the reader",
}
EVENTS = {
    "hsct": "allogeneic stem cell transplant",
    "new-therapy": "new anticancer therapy",
    "re-infusion": "re-infusion of the product",
    "product-failure": "failure of the product before infusion",
}
ORIGINS = {
    "first-response": "the first usable {responses}",
    "day-0": "the first infusion (day 0)",
    "enrolment": "enrolment",
    "aplasia": "the landmark's sample in aplasia",
}
RATE = {
    "treatment-policy": "is ignored (treatment policy)",
    "composite": "ends the time in which a response counts: an assessment after it does not count, one on or before it does (composite)",
    "while-on-treatment": "leaves the status at the last usable assessment before it (while on treatment)",
}
BEST = {
    "treatment-policy": "is ignored (treatment policy)",
    "composite": "ends the time in which an assessment counts (composite)",
    "while-on-treatment": "ends the time in which an assessment counts (while on treatment)",
    "hypothetical": "ends the time in which an assessment counts (hypothetical)",
}
TIME = {
    "treatment-policy": "is ignored (treatment policy)",
    "composite": "is an event on its date (composite)",
    "while-on-treatment": "ends the observation: censored there (while on treatment)",
    "hypothetical": "censors at the last usable assessment on or before it, as if it had not happened; this assumes that such subjects would have fared as those still observed (hypothetical)",
}


_AMONG_RESPONDERS = (
    " A time among responders is a principal-stratum question: it describes those who responded, not the effect of treatment on all."
)


def reader_words(reader: str, family: Family = LEUKAEMIA) -> str:
    """Return who a reader is, in words; LAB, the criteria, by what a family derives statuses from.

    Examples
    --------
    >>> from cartrial.study import reader_words
    >>> reader_words("INV")
    'the investigator'
    """
    return family.names.put(READERS[reader])


def window_text(study: Study, endpoint: Endpoint) -> str:
    """Return the window of an endpoint in a few words, with its days.

    Examples
    --------
    >>> from cartrial.study import Study, window_text
    >>> study = Study.load("inaticel")
    >>> window_text(study, study.endpoints[0])
    'at month 3 (day 76 to 104, nearest to day 90)'
    """
    window = endpoint.window
    if window is None:
        if endpoint.type == "best-response":
            early = f"; stable disease before day {endpoint.sd_from} alone is not evaluable" if endpoint.sd_from else ""
            return f"best, day 1 to the first {study.disease.family.names.progression} or the cutoff{early}"
        text = f"from {_origin(study, endpoint)}"
        return text + (
            f"; response window day {endpoint.response_window.from_} to {endpoint.response_window.to}"
            if "non-response" in endpoint.events
            else ""
        )
    if window.at:
        visit = study.visit(window.at)
        return f"at {visit.name} (day {visit.day - visit.minus} to {visit.day + visit.plus}, nearest to day {visit.day})"
    if window.within:
        visit = study.visit(window.within)
        return f"within {visit.name} (day 1 to {visit.day + visit.plus})"
    until = f", until the first {study.disease.family.names.progression}" if window.until == "progression" else ""
    if window.best:
        return f"best, day 1 to the cutoff{until}"
    bridging = f"; a {study.disease.family.names.response} from bridging before infusion counts" if window.bridging else ""
    return f"within {window.within_days} days from {'enrolment' if window.from_ == 'enrolment' else 'day 0'}{until}{bridging}"


def at_level(study: Study, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words about intervals of 95 % as they are at the study's own level."""
    return tuple(word.replace("95 %", study.interval.text) for word in words)


def strategies_text(endpoint: Endpoint) -> str:
    """Return the strategies of an endpoint, e.g. ``hsct=composite; new-therapy=composite``; re-infusion only where it is not ignored.

    Examples
    --------
    >>> from cartrial.study import Study, strategies_text
    >>> study = Study.load("inaticel")
    >>> strategies_text(study.endpoints[0])
    'hsct=composite; new-therapy=composite'
    """
    relevant = [name for name in _relevant(endpoint) if name != "re-infusion" or endpoint.strategies.re_infusion != "treatment-policy"]
    shown = [f"{name}={strategy}" for name, strategy in endpoint.strategies.items() if name in relevant]
    if endpoint.missed_visits:
        shown.append(f"missed-visits={endpoint.missed_visits}")
    if endpoint.clinical_progression:
        shown.append(f"clinical-progression={endpoint.clinical_progression}")
    if endpoint.no_baseline != "censor":
        shown.append(f"no-baseline={endpoint.no_baseline}")
    if endpoint.analysis.competing:
        shown.append("competing=" + "+".join(endpoint.analysis.competing))
    if endpoint.type == "response-rate" and endpoint.not_yet_assessable == "non-responder":
        shown.append("not-yet-assessable=non-responder")
    return "; ".join(shown)


def _relevant(endpoint: Endpoint) -> list[str]:
    """Return the intercurrent events that can touch the endpoint: no time to event ends with the failure of the product."""
    names = ["hsct", "new-therapy", "re-infusion"]
    waiting = endpoint.type == "response-rate" and endpoint.population in ("enrolled", "leukapheresed")
    return [*names, "product-failure"] if waiting else names


_BY_TESTS = (
    "also marrow from 5 % with one other test of at least 1 %, from 1 % with two, or with a second marrow within 28 days that has two; "
    "a remission needs CNS1"
)


def criteria_words(study: Study) -> str:
    """Return the response criteria in one sentence, with what is not required said so."""
    disease = study.disease
    if disease.marrow is None:
        return _called_words(disease)
    criteria = disease.marrow[0]
    words = (
        f"CR: marrow blasts {criteria.marrow} %, ANC {criteria.neutrophils} × 10⁹/L, platelets {criteria.platelets} × 10⁹/L, no circulating blasts, no extramedullary disease; "
        f"CRi: the same without ANC and/or platelets; relapse after CR or CRi: marrow {criteria.relapse_marrow} %, blood blasts {criteria.relapse_blood} %, or extramedullary disease; "
        + (f"{_BY_TESTS}; " if criteria.relapse_tests else "")
        + "".join(f"{words}; " for words in _option_words(disease))
        + (f"a remission is confirmed {disease.confirm_days} days later; " if disease.confirm_days else "confirmation is not required; ")
        + (
            f"no transfusion in the {disease.transfusion_free_days} days before a count"
            if disease.transfusion_free_days
            else "freedom from transfusion is not required"
        )
        + f" (criteria set {criteria.name})."
    )
    return words.replace(">=", "≥").replace("<=", "≤")


def _option_words(disease: Disease) -> Iterator[str]:
    """Yield what the criteria or their options say of when a remission counts, and of disease outside the marrow."""
    assert disease.marrow is not None
    if disease.remission_from:
        yield f"a remission counts from day {disease.remission_from} on"
    if disease.biopsy == "every-site":
        yield "disease outside the marrow and the central nervous system needs a biopsy after day 0"
    if disease.marrow[1].cns2 == "twice":
        yield "CNS2 twice, at least 7 days apart, is a relapse, dated at the first"
    if disease.mass == "third":
        yield "a mediastinal mass of at most a third of its first size is none"


def _called_words(disease: Disease) -> str:
    """Return criteria whose calls are collected, in one sentence."""
    assert isinstance(disease.criteria, CallCriteria)
    by = {"pet-ct": "PET decides where it is evaluable, else CT", "ct": "CT alone decides"}[disease.criteria.modality]
    without = {
        "carry": "without PET the last PET call stands while CT shows no progression",
        "ct": "without PET the CT call stands",
        "ne": "without PET an assessment is not evaluable, unless CT shows progression",
    }.get(disease.missing_pet)
    confirmed = f"a response is confirmed {disease.confirm_days} days later" if disease.confirm_days else "confirmation is not required"
    name, days = disease.progression
    counted = {
        "overturned": ["a progression counts unless the reader's next read is a response"],
        "confirmed": [
            f"a progression counts where a later read, {days} or more days on, is one too, or death, transplant or new therapy came"
        ],
        "lyric": [
            "a progression that can be a flare of immune cells is indeterminate (LYRIC 2016): the sum of products up by half by day 84 without clinical deterioration (IR1), a lesion new or grown while the sum is not (IR2), uptake alone (IR3); the next imaging within 84 days settles it, and a progression is then dated at it"
        ],
    }.get(name, [])
    counted += (
        ["readers agree on PR where both see a response"] if disease.family.agreement and not disease.criteria.family.agreement else []
    )
    counted += (
        ["a CR of a subject without disease at baseline is no response"]
        if isinstance(disease.options, CallOptions) and disease.options.no_disease == "non-responder"
        else []
    )
    statuses = [f"{status}: {words}" for status, words in disease.criteria.statuses.items()]
    collected = "calls are those collected"
    collected += (
        "; of a reader without calls they are derived from his measurements" if disease.imaging else ", none is derived from measurements"
    )
    return f"{'; '.join([*statuses, collected, by, *([without] if without else []), confirmed, *counted])} (criteria set {disease.criteria.name})."


def _origin(study: Study, endpoint: Endpoint) -> str:
    return ORIGINS[endpoint.origin or "day-0"].format(responses=_responses(study, endpoint))


def _responses(study: Study, endpoint: Endpoint) -> str:
    """Return the statuses that make a responder of an endpoint."""
    return study.disease.family.said(*(endpoint.response if endpoint.names_response else ()))


def describe_endpoint(study: Study, variant: Variant) -> dict[str, str]:
    """Say an endpoint in words, generated from the study file.

    Parameters
    ----------
    study : Study
    variant : Variant
        As `study.variants` gives it: the reader is filled in, where there is one.

    Returns
    -------
    dict
        Keys: population, treatment, variable, window, reader, events, strategies, censoring, summary, sentence.

    Examples
    --------
    >>> from cartrial.study import Study, describe_endpoint
    >>> study = Study.load("inaticel")
    >>> words = describe_endpoint(study, study.variants(study.endpoints[0])[0])
    >>> words["variable"], words["population"]
    ('CR or CRi (criteria set nccn)', 'all infused subjects')
    """
    endpoint = variant.endpoint
    reader = (
        reader_words(endpoint.reader or study.readers.primary, study.disease.family)
        if endpoint.read
        else "none, since no assessment is read"
    )
    table = {"response-rate": RATE, "best-response": BEST, "time-to-event": TIME}[endpoint.type]
    strategies = "; ".join(
        f"{EVENTS[name]} {table[strategy]}" for name, strategy in endpoint.strategies.items() if name in _relevant(endpoint)
    )
    words = {
        "population": study.disease.family.names.put(POPULATIONS[endpoint.population], responses=_responses(study, endpoint)),
        "treatment": f"{study.product.name}, {study.product.type}, as given in this single-arm study",
        "window": window_text(study, endpoint),
        "reader": reader,
        "strategies": strategies,
    }
    if endpoint.type == "response-rate":
        words |= _rate_words(study, endpoint)
    elif endpoint.type == "best-response":
        words |= _best_words(study)
    else:
        words |= _time_words(study, endpoint)
    if endpoint.samples:
        words |= _sample_words(study, endpoint)
    words["sentence"] = (
        f"{endpoint.label}: {words['variable']}, among {words['population']}, {'as assessed by' if endpoint.read else 'reader:'} {reader}, {words['window']}; {strategies}. {words['summary']}"
    )
    return words


def _rate_words(study: Study, endpoint: Endpoint) -> dict[str, str]:
    responses = " or ".join(endpoint.response)
    variable = f"{responses} (criteria set {study.disease.criteria.name})"
    if endpoint.mrd:
        variable += f" with MRD negative (below {study.disease.mrd.negative_below:g} by an assay with a limit of detection of at most that); MRD not evaluable or missing is a non-response"
    if endpoint.sustained_days:
        again = (
            "seen again" if endpoint.sustained_by == "remission" else "with another remission, or blood and examination without relapse,"
        )
        variable += f", {again} at least {endpoint.sustained_days} days later"
    if endpoint.not_yet_assessable == "exclude":
        waiting = (
            "Subjects whose window is still open at the cutoff and whose endpoint is undecided are left out of N and counted beside it"
        )
    else:
        waiting = "Subjects whose window is still open at the cutoff count as non-responders"
    return {
        "variable": variable,
        "events": "nothing usable in a closed window is a non-response",
        "censoring": waiting + ".",
        "summary": f"Summary: the rate with its {study.interval.words} interval. {waiting}.",
    }


def _best_words(study: Study) -> dict[str, str]:
    family = study.disease.family
    return {
        "variable": f"the best of {', '.join(family.best_first)} (criteria set {study.disease.criteria.name})",
        "events": "nothing usable is NE",
        "censoring": f"What follows the first {family.names.progression} or the cutoff does not count.",
        "summary": "Summary: the number and share of subjects by best response.",
    }


def _sample_words(study: Study, endpoint: Endpoint) -> dict[str, str]:
    """Return what is said otherwise of an endpoint whose event samples show."""
    samples, origin = endpoint.samples, _origin(study, endpoint)
    assert samples is not None
    apart = f"in samples at least {samples.apart} days apart with none between that denies it, dated at the first"
    if samples.test == "BCELL":
        share = f" (or {samples.percent:g} % of lymphocytes)" if samples.percent else ""
        event = f"recovery of B cells ({endpoint.events[0]}), at or above {samples.limit:g} cells/uL{share} {apart}"
        asked = f"; of those in aplasia in the sample nearest to day {samples.day}, day {samples.from_} to {samples.to}, without an event before it"
    else:
        event = f"loss of persistence ({endpoint.events[0]}), {samples.test} below the limit of quantification {apart}, after the peak"
        asked = "; of those with a quantifiable sample"
    words = {"events": event, "censoring": "Censored at the last sample."}
    if endpoint.type == "response-rate":
        within = endpoint.window.within_days if endpoint.window else None
        return {
            **words,
            "variable": f"{event}, before day {within}{asked}",
            "censoring": "A subject without recovery in a closed window has none.",
        }
    return {**words, "variable": f"time from {origin} to {event} (days, date − origin + 1){asked}"}


def _time_words(study: Study, endpoint: Endpoint) -> dict[str, str]:
    names = study.disease.family.names
    named = {"death": "death from any cause", "relapse": ANTIGEN_WORDS.get(endpoint.antigen or "", "relapse")}
    events = " or ".join(named.get(event, EVENTS.get(event, event)) for event in endpoint.events)
    variable = f"time from {_origin(study, endpoint)} to {events} (days, date − origin + 1)"
    if endpoint.events == (RESPONSE,):
        return {
            "variable": f"time from the first infusion (day 0) to the first usable {_responses(study, endpoint)} (days, date − origin + 1)",
            "events": RESPONSE,
            "censoring": "Every responder has the event, so nobody is censored.",
            "summary": f"Summary: median and quartiles (Kaplan–Meier estimate), without a curve.{_AMONG_RESPONDERS}",
        }
    if endpoint.events == ("death",):
        censoring = "Censored at the latest of alive status, attended assessment or sample, dose, procedure or start of new therapy on or before the cutoff."
    else:
        censoring = "Censored at the last usable assessment."
    if "non-response" in endpoint.events:
        dated = (
            "day 0" if endpoint.non_response.dated == "day-0" else f"the earliest of the last {names.failure} read, new therapy and death"
        )
        censoring += f" Non-response (an adequate {names.failure} and no {study.disease.family.said()} from day {endpoint.response_window.from_} to {endpoint.response_window.to}) is an event on {dated}"
        censoring += (
            "; loss before the window closes is censored."
            if endpoint.non_response.loss == "censor"
            else "; loss after one such read is an event."
        )
    if endpoint.missed_visits:
        censoring += f" An event after {endpoint.missed_visits} or more consecutive scheduled visits without an adequate assessment is censored at the last usable assessment before the gap."
    if endpoint.clinical_progression:
        censoring += f" A {study.disease.family.names.event} that a clinician saw without imaging is an event on its day."
    if study.disease.imaging and endpoint.timed and endpoint.origin != "first-response":
        censoring += (
            " Without imaging before lymphodepletion a subject whose status is derived from it is censored on the first day."
            if endpoint.no_baseline == "censor"
            else " What happened to a subject without imaging before lymphodepletion counts."
        )
    if endpoint.analysis.competing:
        summary = f"Summary: cumulative incidence (Aalen–Johansen), {' and '.join(EVENTS.get(name, name) for name in endpoint.analysis.competing)} competing."
    else:
        summary = "Summary: Kaplan–Meier estimate with log(−log) limits; median with its limits."
    if endpoint.population == "responders":
        summary += _AMONG_RESPONDERS
    return {"variable": variable, "events": events, "censoring": censoring, "summary": summary}
