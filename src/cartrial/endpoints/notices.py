"""What must be told before any number is read? What the source lacks, and what was assumed in its place (rules, A3, A4, A5 and A7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from cartrial.endpoints.absent import NO_LESIONS, NOT_READ, NOT_RECORDED
from cartrial.endpoints.sets.baseline import level_column
from cartrial.response.codes import EMD_NOT_RECORDED, FROM_LAB, INADEQUATE_MARROW
from cartrial.sdtm.records import READERS
from cartrial.sdtm.records.codes import INV, LAB
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
    found = [*_endpoints(adrs, adtte, populations), *_not_read(adrs), *_characteristics(study, populations, adsl)]
    return (*found, *_lesions(study, populations), *not_known(study, populations))


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
        domain = "LB" if "MRD" in why else ("SS" if "survival" in why else "RS")
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
            f"{name}: {some} of {total} subjects were not read by {reader}, although another source has an adequate assessment of them; "
            "they count as non-responders."
        )
        yield Notice("not-read", "warning" if some > MANY * total else "note", "RS", message, (name,))


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
        if recorded.state(domain) != "read":
            why = recorded.words(domain)
        elif domain == "CM" and recorded.lacks("CM", "CMCAT"):
            why = "CM has no CMCAT, so no record can be told to be a new therapy"
        else:
            continue
        yield Notice("domain-not-recorded", "note", domain, f"{why}: {what} ({', '.join(touched)}).", touched)
    if not populations.survival_recorded().all():
        touched = tuple(endpoint.id for endpoint in study.endpoints if "death" in endpoint.events and endpoint.events != ("death",))
        if touched:
            why = recorded.words("SS") if recorded.state("SS") != "read" else "SS has no survival status"
            message = f"{why}, and no death is recorded: that nobody died is not known ({', '.join(touched)})."
            yield Notice("domain-not-recorded", "note", "SS", message, touched)
    if recorded.state("AE") != "read":
        message = f"{recorded.words('AE')}: adverse events are not recorded, so no table of them is made."
        yield Notice("domain-not-recorded", "note", "AE", message)


def _uses(endpoint: Endpoint, domain: str) -> bool:
    if domain == "DS":
        return endpoint.type == "time-to-event" or endpoint.population in ("enrolled", "leukapheresed")
    strategy = endpoint.strategies.new_therapy if domain == "CM" else endpoint.strategies.hsct
    return strategy != "treatment-policy" or (domain == "CM" and "non-response" in endpoint.events)
