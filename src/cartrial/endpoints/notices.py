"""What must be told before any number is read? What the source lacks, and what was assumed in its place (rules, A3, A4, A5 and A7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from cartrial.endpoints.absent import NO_LESIONS, NOT_READ, NOT_RECORDED
from cartrial.endpoints.relapse_free import called, undated_call, undated_relapse
from cartrial.endpoints.rules.codes import R_MRD_NOT_EVALUABLE, R_NO_ASSESSMENT, RATE_REASONS
from cartrial.endpoints.sets.baseline import level_column
from cartrial.response.codes import EMD_NOT_RECORDED, FROM_LAB, INADEQUATE_MARROW
from cartrial.sdtm.records import READERS
from cartrial.sdtm.records.codes import FAR, INV, LAB
from cartrial.sdtm.vocabulary.occurrence import assumed, happened
from cartrial.sdtm.vocabulary.terms import canonical, value_of
from cartrial.study.criteria.codes import NE

if TYPE_CHECKING:
    from cartrial.endpoints.populations import Populations
    from cartrial.study import Endpoint, Study

__all__ = ["MANY", "Notice", "find_notices", "not_known"]

MANY = 0.1
"""Share of N that a reader may have left unread before the estimate itself carries a warning."""

_LACKS = {
    "CM": "that no new therapy was given is not known",
    "PR": "that there was no transplant is not known",
    "DS": "that nobody withdrew, was lost or was taken off study is not known",
}


_SOURCE_OF = {"MRD": "LB", "lymphodepletion": "LB", "leukapheresis": "PR", "survival": "SS"}
"""By a word of why an endpoint is absent, the domain that lacks something; else it is RS."""

_EVENTS = {
    "CM": ("CMCAT", ("SUBSEQUENT ANTICANCER THERAPY",), "a new therapy"),
    "PR": ("PRTRT", ("ALLOGENEIC STEM CELL TRANSPLANT",), "a transplant"),
    "DS": ("DSDECOD", ("WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP"), "a withdrawal or a loss"),
}
"""The variable and the words of what an endpoint reads of a domain, and what that is."""

_TERMS = {
    "CM": ("CMCAT", "a new therapy", "note"),
    "PR": ("PRTRT", "a transplant", "warning"),
    "DS": ("DSDECOD", "a withdrawal or a loss", "warning"),
}
"""The variable that says what a record is of, what it cannot be told to be without it, and how bad that is: CMCAT is permissible."""


class Notice(NamedTuple):
    """One thing to be told: its rule and severity as a finding has them, its domain, its words, and the endpoints that it touches."""

    rule: str
    severity: str
    domain: str | None
    message: str
    endpoints: tuple[str, ...] = ()


def find_notices(study: Study, populations: Populations, adsl: pl.DataFrame, adrs: pl.DataFrame, adtte: pl.DataFrame) -> tuple[Notice, ...]:
    """Return what must be told of the source.

    Parameters
    ----------
    study : Study
    populations : Populations
    adsl, adrs, adtte : polars.DataFrame
    """
    recorded = populations.records.recorded
    if recorded.shared and not recorded.absent:
        return ()
    found = [
        *_endpoints(adrs, adtte, populations),
        *_not_read(adrs),
        *_undated(study, populations, adrs, adtte),
        *_not_evaluable(adrs),
        *_blind(study, populations),
    ]
    found += [*_empty(study, populations, adrs, adtte), *_characteristics(study, populations, adsl), *_lesions(study, populations)]
    return (*found, *_answered_by_record(study, populations), *not_known(study, populations))


def _endpoints(adrs: pl.DataFrame, adtte: pl.DataFrame, populations: Populations) -> Iterator[Notice]:
    """Endpoints that the source cannot give, by what it lacks."""
    rules = [
        frame.filter(
            pl.col("AVAL").is_null()
            & pl.col("RULE").str.contains("^not (recorded|derived)")
            # one warning says it, with how many remissions it touches
            & ~pl.col("RULE").str.contains(NO_LESIONS, literal=True)
        ).select("RULE", "PARAMCD", "VARIANT")
        for frame in (adrs, adtte)
    ]
    found = pl.concat(rules).unique(maintain_order=True).group_by("RULE", "PARAMCD", maintain_order=True).agg("VARIANT")
    # an endpoint is named alone where its main analysis is touched, else with its variants
    variants = pl.format("{} ({})", "PARAMCD", pl.col("VARIANT").list.join(", "))
    name = pl.when(pl.col("VARIANT").list.contains("")).then("PARAMCD").otherwise(variants).alias("NAME")
    found = found.with_columns(name).group_by("RULE", maintain_order=True).agg("NAME", "PARAMCD")
    found = found.sort(pl.col("NAME").list.len(), descending=True, maintain_order=True)
    for rule, names, endpoints in found.iter_rows():
        said, _, why = rule.partition(": ")
        severity = "not-recorded" if said == NOT_RECORDED else "not-derived"
        domain = next((name for words, name in _SOURCE_OF.items() if words in why), "RS")
        state = "" if populations.records.recorded.state(domain) == "read" else f" ({populations.records.recorded.words(domain)})"
        yield Notice(
            severity, "warning", domain, f"{why[:1].upper()}{why[1:]}{state}: {_listed(names)} {_are(names)} {said}.", tuple(endpoints)
        )


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]


def _not_read(adrs: pl.DataFrame) -> Iterator[Notice]:
    """Subjects whom the reader of an endpoint has not read, and another source has."""
    main = adrs.filter((pl.col("VARIANT") == "") & pl.col("AVAL").is_not_null())
    unread = pl.col("FLAGS").str.contains(NOT_READ, literal=True).fill_null(False)
    counts = main.group_by("PARAMCD", "READER", maintain_order=True).agg(unread.sum().alias("UNREAD"), pl.len().alias("N"))
    for name, reader, some, total in counts.filter(pl.col("UNREAD") > 0).iter_rows():
        message = (
            f"{name}: {some} of {total} subjects were not read by {reader} (no call, or all pending), although another source has an "
            "adequate assessment of them; they count as non-responders."
        )
        yield Notice("not-read", "warning" if some > MANY * total else "note", "RS", message, (name,))


def _not_evaluable(adrs: pl.DataFrame) -> Iterator[Notice]:
    """Subjects in remission whose residual disease could not be judged: non-responders, counted apart (rules, paragraph 3)."""
    main = adrs.filter((pl.col("VARIANT") == "") & pl.col("AVAL").is_not_null())
    some = (pl.col("REASON") == RATE_REASONS[R_MRD_NOT_EVALUABLE]).sum().alias("SOME")
    for name, count, total in main.group_by("PARAMCD", maintain_order=True).agg(some, pl.len()).filter(pl.col("SOME") > 0).iter_rows():
        message = (
            f"{name}: {count} of {total} subjects are in remission and their residual disease is not evaluable (a negative result by an "
            "assay that is not sensitive enough or of unknown limit); they count as non-responders."
        )
        yield Notice("mrd-not-evaluable", "warning" if count > MANY * total else "note", "LB", message, (name,))


def _blind(study: Study, populations: Populations) -> Iterator[Notice]:
    """Readers whose every call is NE: non-responders by the rules, and no response could have been seen."""
    variants = [variant.endpoint.reader for endpoint in study.endpoints for variant in study.variants(endpoint)]
    mains = [(endpoint.id, study.variants(endpoint)[0].endpoint.reader) for endpoint in study.endpoints]
    for reader in dict.fromkeys(name for name in variants if name):
        if populations.blind(READERS.index(reader)).any():
            touched = tuple(name for name, by in mains if by == reader)
            which = f" ({', '.join(touched)})" if touched else ""
            seen = f"no response or {study.disease.family.names.event} by {reader}"
            message = (
                f"Every call by {reader} after the infusion is NE (not evaluable), so {seen} could be seen; "
                f"a subject without one counts as a non-responder{which}."
            )
            yield Notice("reader-not-evaluable", "warning", "RS", message, touched)


def _empty(study: Study, populations: Populations, adrs: pl.DataFrame, adtte: pl.DataFrame) -> Iterator[Notice]:
    """Endpoints and variants of whose population nobody is, although subjects were infused: they have no row anywhere."""
    made = pl.concat([frame.select("PARAMCD", "VARIANT").unique() for frame in (adrs, adtte)])
    there = set(made.cast(pl.String).iter_rows())
    if not (populations.course.day0 < FAR).any():
        return
    for endpoint in study.endpoints:
        for variant in study.variants(endpoint):
            population = variant.endpoint.population
            if (endpoint.id, variant.name) in there or population == "responders":
                continue
            name = f"{endpoint.id} ({variant.name})" if variant.name else endpoint.id
            reader = f" by {variant.endpoint.reader}" if variant.endpoint.reader else ""
            message = f"No subject is in the population {population}{reader}, so {name} is not estimated."
            yield Notice("population-empty", "warning", None, message, (endpoint.id,))


def _answered_by_record(study: Study, populations: Populations) -> Iterator[Notice]:
    """Records that were asked for beforehand, in a table without a column of answers: each is taken as having happened."""
    for domain, what in {"EX": "exposure", "PR": "procedure", "CM": "therapy", "DS": "disposition"}.items():
        frame = populations.records.extra.get(domain)
        some = int(frame.select(assumed(frame, domain).sum()).item()) if frame is not None and frame.height else 0
        if some:
            are = "1 record was" if some == 1 else f"{some} records were"
            message = (
                f"{are} asked for ({domain}PRESP is Y) and {domain} has no {domain}OCCUR to say whether it happened: "
                f"each is read as a {what} that did. If it only lists what was asked, give {domain}OCCUR."
            )
            touched = tuple(endpoint.id for endpoint in study.endpoints if domain != "EX" and _uses(endpoint, domain))
            yield Notice("occurrence-assumed", "warning", domain, message, touched)


def _undated(study: Study, populations: Populations, adrs: pl.DataFrame, adtte: pl.DataFrame) -> Iterator[Notice]:
    """Responses and relapses whose day is not known and that are not used; in a form of best responses, who has none at all."""
    records, course = populations.records, populations.course
    if not records.extra:
        return
    roles, event = study.disease.family.roles, study.disease.family.names.event
    mains = [study.variants(endpoint)[0].endpoint for endpoint in study.endpoints]
    for reader in dict.fromkeys(endpoint.reader for endpoint in mains if endpoint.reader):
        code = READERS.index(reader)
        calls, told, blank, relapsed = populations.calls[code], _Touched(), _Touched(), _Touched()
        silent = ~called(study, records, course) if records.recorded.level == "events" else np.zeros(len(course.cutoff), bool)
        for endpoint in (endpoint for endpoint in mains if endpoint.reader == reader):
            of = adrs if endpoint.type == "response-rate" else adtte
            rows = of.filter((pl.col("PARAMCD") == endpoint.id) & (pl.col("VARIANT") == "") & pl.col("AVAL").is_not_null())
            if endpoint.type == "response-rate":
                no = rows.filter(pl.col("AVAL") == 0)
                told.add(endpoint, no, undated_call(study, records, course, code, roles.responds, _window(study, endpoint)))
                blank.add(endpoint, no.filter(pl.col("REASON") == RATE_REASONS[R_NO_ASSESSMENT]), silent)
            elif {"relapse", "progression"} & set(endpoint.events):
                relapsed.add(endpoint, rows.filter(pl.col("CNSR") > 0), undated_relapse(study, records, course, calls, code) < FAR)
        for touched, what in (
            (told, "The response of {} by {} has no whole date and is not used; without one it counts as no response ({})."),
            (blank, "No response of {} is given, not even NE, so that by {} it counts as no response ({})."),
            (relapsed, f"A {event} of {{}} by {{}} has no whole date and is not used: the time is censored as if there were none ({{}})."),
        ):
            if touched.subjects:
                who = "1 infused subject" if len(touched.subjects) == 1 else f"{len(touched.subjects)} infused subjects"
                yield Notice("response-undated", "warning", "RS", what.format(who, reader, _listed(touched.names)), tuple(touched.names))


class _Touched:
    """The endpoints that something touches, and the subjects of them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.subjects: set[int] = set()

    def add(self, endpoint: Endpoint, rows: pl.DataFrame, of: np.ndarray) -> None:
        """Add the subjects of some rows that are among those of a vector by subject."""
        found = [subject for subject in rows["SUBJ"].to_list() if of[subject]]
        if found:
            self.names.append(endpoint.id)
            self.subjects.update(found)


def _window(study: Study, endpoint: Endpoint) -> tuple[int, int]:
    """Return the first and the last day from day 0 on which a response counts, as far as they count from it."""
    window = endpoint.window
    visit = next((visit for visit in study.disease.visits if window is not None and visit.name in (window.at, window.within)), None)
    if visit is None:
        return -FAR, FAR
    return (visit.day - visit.minus if window is not None and window.at else 1), visit.day + visit.plus


def _characteristics(study: Study, populations: Populations, adsl: pl.DataFrame) -> Iterator[Notice]:
    """Requested characteristics of which no infused subject has a value."""
    infused = adsl.filter(pl.col("INFFL") == "Y")
    recorded = populations.records.recorded
    none = [item for item in study.baseline if infused.height and infused[level_column(item)].null_count() == infused.height]
    if not none:
        return
    domains = dict.fromkeys(item.from_.domain for item in none if recorded.state(item.from_.domain) != "read")
    why = f" ({'; '.join(recorded.words(domain) for domain in domains)})" if domains else ""
    labels = [f"{item.label} ({item.id})" for item in none]
    message = f"No infused subject has a value{why}: {_listed(labels)} {_are(labels)} {NOT_RECORDED}."
    yield Notice("not-recorded", "warning", none[0].from_.domain, message)


def _lesions(study: Study, populations: Populations) -> Iterator[Notice]:
    """Extramedullary disease that was never recorded, where statuses come from the laboratory."""
    recorded, calls = populations.records.recorded, populations.calls
    variants = [variant.endpoint for endpoint in study.endpoints for variant in study.variants(endpoint)]
    readers = {READERS.index(endpoint.reader) for endpoint in variants if endpoint.reader}
    used = [calls[code] for code in (INV, LAB) if code in readers]
    never = ~recorded.has("EMD", populations.trial)
    day0 = populations.course.day0
    undecided, by_lesions = EMD_NOT_RECORDED | INADEQUATE_MARROW | FROM_LAB, EMD_NOT_RECORDED | FROM_LAB
    held = [
        int(np.sum(never[of.subject] & (of.status == NE) & (of.flags & undecided == by_lesions) & (of.day > day0[of.subject])))
        for of in used
    ]
    many = max(held, default=0)
    if not many:
        return
    lacks = recorded.words("FA") if recorded.state("FA") != "read" else "FA has no record of it"
    message = (
        f"Extramedullary disease was never recorded ({lacks}): {many} remission{'s' if many > 1 else ''} by the laboratory values "
        f"{'are' if many > 1 else 'is'} not evaluable (NE) because of it, and no response by them can be seen. "
        "Record it; or the study file says emd: absent, an assumption."
    )
    touched = [endpoint.id for endpoint in study.endpoints if study.variants(endpoint)[0].endpoint.reader in ("INV", "LAB")]
    hidden = [READERS[code] for code in (INV, LAB) if code in readers and populations.hidden(code).any()]
    if hidden:
        message += f" The endpoints by {_listed(hidden)} that need a response or a relapse are {NOT_RECORDED}."
    yield Notice("emd-not-recorded", "warning", "FA", message, tuple(touched))


def not_known(study: Study, populations: Populations) -> Iterator[Notice]:
    """Yield domains without a record, and what is therefore not known of each endpoint."""
    recorded = populations.records.recorded
    for domain, what in _LACKS.items():
        touched = tuple(endpoint.id for endpoint in study.endpoints if _uses(endpoint, domain))
        if not touched:
            continue
        variable, told, severity = _TERMS[domain]
        blank = _blank_after(populations, domain, variable) if domain != "CM" else 0
        if recorded.state(domain) != "read":
            why, severity = recorded.words(domain), "note"
        elif recorded.lacks(domain, variable):
            why = f"{domain} has no {variable}, so no record can be told to be {told}"
        elif blank:
            many = "1 record" if blank == 1 else f"{blank} records"
            why = f"{variable} of {many} of {domain} after the infusion is blank, so {'it' if blank == 1 else 'each'} may be {told}"
        else:
            continue
        yield Notice("domain-not-recorded", severity, domain, f"{why}: {what} ({', '.join(touched)}).", touched)
    yield from _without_day(study, populations)
    yield from _enrolment(study, populations)
    if not populations.survival_recorded().all():
        touched = tuple(endpoint.id for endpoint in study.endpoints if "death" in endpoint.events and endpoint.events != ("death",))
        if touched:
            why = recorded.words("SS") if recorded.state("SS") != "read" else "SS has no survival status"
            message = f"{why}, and no death is recorded: that nobody died is not known ({', '.join(touched)})."
            yield Notice("domain-not-recorded", "note", "SS", message, touched)
    if recorded.state("AE") != "read":
        message = f"{recorded.words('AE')}: adverse events are not recorded, so no table of them is made."
        yield Notice("domain-not-recorded", "note", "AE", message)
    elif recorded.lacks("AE", "AEDECOD"):
        labels = [f"{item.label} ({item.id})" for item in study.safety.special]
        if labels:
            yield Notice(
                "not-recorded", "warning", "AE", f"No adverse event has a term (AEDECOD): {_listed(labels)} {_are(labels)} {NOT_RECORDED}."
            )


def _without_day(study: Study, populations: Populations) -> Iterator[Notice]:
    """Events of the infused that have neither a date nor a study day: they are not used."""
    infused = pl.DataFrame({"SUBJ": np.flatnonzero(populations.course.day0 < FAR)}, schema={"SUBJ": pl.Int32})
    for domain, (variable, words, what) in _EVENTS.items():
        frame = populations.records.extra.get(domain)
        touched = tuple(endpoint.id for endpoint in study.endpoints if _uses(endpoint, domain))
        if frame is None or "DAY" not in frame.columns or not touched:
            continue
        of = canonical(value_of(frame, variable), variable).is_in(words) & pl.col("DAY").is_null() & happened(frame, domain)
        subjects = frame.filter(of).join(infused, on="SUBJ", how="semi")["SUBJ"].n_unique()
        if subjects:
            who = "1 infused subject" if subjects == 1 else f"{subjects} infused subjects"
            of_whom = f"{what[0].upper()}{what[1:]} of {who}"
            message = f"{of_whom} has no date in {domain} and is not used, as if there were none ({', '.join(touched)})."
            yield Notice("domain-not-recorded", "warning", domain, message, touched)


def _enrolment(study: Study, populations: Populations) -> Iterator[Notice]:
    """Endpoints of the enrolled in a source that records no enrolment: who was neither leukapheresed nor treated is not in N."""
    touched = tuple(endpoint.id for endpoint in study.endpoints if endpoint.population == "enrolled")
    outside = int((populations.course.enrolled >= FAR).sum())
    if touched and outside and populations.records.subjects["ENROLLED"].null_count() == len(populations.trial):
        of = "1 subject" if outside == 1 else f"{outside} subjects"
        message = (
            f"No enrolment is recorded, so of {of} neither leukapheresed, lymphodepleted nor infused it is not known whether they were "
            f"enrolled; they are not in N ({', '.join(touched)})."
        )
        yield Notice("domain-not-recorded", "warning", "DS", message, touched)


def _blank_after(populations: Populations, domain: str, variable: str) -> int:
    """Count the records of a domain that may lie after the infusion, up to the cutoff, and do not say what they are of."""
    frame, course = populations.records.extra.get(domain), populations.course.frame.select("SUBJ", "DAY0", "CUTOFF")
    if frame is None or not {"DAY", "DAYX"} <= set(frame.columns):
        return 0
    blank = frame.filter(value_of(frame, variable).is_null() & happened(frame, domain)).join(course, on="SUBJ")
    return blank.filter((pl.col("DAYX") >= pl.col("DAY0")).fill_null(True) & (pl.col("DAY") <= pl.col("CUTOFF")).fill_null(True)).height


def _uses(endpoint: Endpoint, domain: str) -> bool:
    if domain == "DS":
        return endpoint.type == "time-to-event" or endpoint.population in ("enrolled", "leukapheresed")
    strategy = endpoint.strategies.new_therapy if domain == "CM" else endpoint.strategies.hsct
    return strategy != "treatment-policy" or (domain == "CM" and "non-response" in endpoint.events)
