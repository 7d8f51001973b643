"""What does the study file say of estimands, populations, visits, statistics and assumptions, as tables of a document?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartrial.analysis.tables.flow import MILESTONES
from cartrial.report.study.sections.primary import estimand_items
from cartrial.study import describe_endpoint
from cartrial.submission.guide.blocks import NOT_STATED, Block, Heading, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cartrial.study import Endpoint, Study

__all__ = ["assumed", "estimands", "protocol_number", "sets_of", "stated", "statistics", "variants_of", "visits_of"]

_TOLD = ("population", "variable", "window", "reader", "strategies", "events", "censoring", "summary")
_SETS = {
    **{"consented": "Gave informed consent.", "enrolled": "Enrolled in the study.", "leukapheresed": "Had leukapheresis."},
    **{"released": "A product was released for them.", "lymphodepleted": "Began lymphodepletion."},
    "infused": "Were given the product; also the safety set.",
    "assessed": "Infused, with at least one adequate assessment after baseline by the endpoint's reader.",
    "evaluable": "Infused, with disease before lymphodepletion, and an adequate assessment, death or new therapy after it.",
    "responders": "A response at any usable assessment by the endpoint's reader.",
}


def stated(value: object) -> str:
    """Return what a study file says, or that it does not."""
    return NOT_STATED if value in (None, "", (), []) else str(value)


def protocol_number(study: Study) -> str:
    """Return the number of the protocol: as it is stated, else the registry's."""
    return study.submission.protocol or study.study.registry or study.study.id


def estimands(study: Study, endpoints: Iterable[Endpoint], level: int, number: str) -> list[Block]:
    """Return the attributes of the estimand of each endpoint, under a heading each."""
    found: list[Block] = []
    for place, endpoint in enumerate(endpoints, 1):
        items = estimand_items(study, study.variants(endpoint)[0])
        found.append(Heading(level, f"{number}.{place} {endpoint.label} ({endpoint.id})"))
        found.append(Table(("Attribute", "In words"), tuple((name, words) for name, words in items), (1, 3)))
    return found


def variants_of(study: Study, endpoints: Iterable[Endpoint]) -> list[Block]:
    """Return the sensitivity analyses of endpoints as one table: of each the attributes that differ from the main analysis."""
    rows = []
    for endpoint in endpoints:
        main, *others = study.variants(endpoint)
        words = describe_endpoint(study, main)
        for variant in others:
            said = describe_endpoint(study, variant)
            other = [f"{key}: {said[key].removeprefix('Summary: ').rstrip('.')}" for key in _TOLD if said[key] != words[key]]
            rows.append((endpoint.id, variant.name.replace(";", "; "), "; ".join(other)))
    return (
        [Table(("Endpoint", "What is changed", "In words"), tuple(rows), (1, 2, 5))]
        if rows
        else [Text("No sensitivity analysis is stated.")]
    )


def sets_of(study: Study) -> Table:
    """Return the populations with the flags of ADSL that say who is in them."""
    used = {one.population for endpoint in study.endpoints for one in (variant.endpoint for variant in study.variants(endpoint))}
    rows = [(name, _SETS[name], flag, "yes" if name in used else "no") for name, flag in MILESTONES.items()]
    return Table(("Population", "Who", "Flag of ADSL", "Of an endpoint"), tuple(rows), (1.2, 4, 1, 1))


def visits_of(study: Study) -> Table:
    """Return the planned visits with their windows."""
    rows = [(visit.name, str(visit.day), f"day {visit.day - visit.minus} to {visit.day + visit.plus}") for visit in study.disease.visits]
    return Table(("Visit", "Day", "Window"), tuple(rows))


def statistics(study: Study) -> list[Block]:
    """Return intervals, tests, order and error as the study file has them."""
    interval, testing = study.interval, study.testing
    said = [
        ("Interval of rates", f"{interval.method}, level {interval.level:g}"),
        ("Times to event", f"Kaplan-Meier; log(-log) limits, level {interval.level:g}; competing events by Aalen-Johansen"),
        ("Test of the tested endpoint", str(testing.test) if testing else NOT_STATED),
        ("Type I error", f"{testing.alpha.value:g}, {testing.alpha.sides}-sided" if testing else NOT_STATED),
        ("Order of testing", ", ".join(testing.order) if testing and testing.order else NOT_STATED),
        ("Adjustment", str(testing.adjust) if testing else NOT_STATED),
        ("Strata", ", ".join(testing.strata) if testing and testing.strata else "none"),
    ]
    return [Table(("What", "How"), tuple(said), (1, 3))]


def assumed(study: Study) -> Block:
    """Return every rule whose source is an assumption."""
    rows = study.assumptions()
    return Table(("Rule", "Source"), tuple(rows), (1, 3)) if rows else Text("No rule of the study file is an assumption.")
