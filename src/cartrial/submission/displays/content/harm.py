"""Which displays show the course of subjects, the product's cells and harm? Sections 14.2.8, 14.2.9 and 14.3."""

from __future__ import annotations

from cartrial.report.page.blocks import Figure
from cartrial.submission.displays.content.found import Known, Plan, caption_notes
from cartrial.submission.displays.model import Display

__all__ = ["course_displays", "harm_displays"]

_CELLS = "ADPC, ADPP; results: kinetics"
_EVENTS = "ADAE; results: safety"
TABLES = (
    (Plan("adverse-events", "14.3.1.1", "Overview of adverse events", "infused", _EVENTS), "kinds"),
    (Plan("events-by-term", "14.3.1.2", "Adverse events by class, term and worst grade", "infused", _EVENTS), "terms"),
    (
        Plan(
            "syndromes",
            "14.3.1.4",
            "Events of special interest: worst grade, onset, duration, treatment",
            "infused",
            "ADAE, ADCM; results: safety",
        ),
        "syndromes",
    ),
    (Plan("infections", "14.3.1.5", "Infections, HLH and haematotoxicity as recorded", "infused", _EVENTS), "interest"),
    (Plan("low-counts", "14.3.1.6.1", "Low blood counts near set days", "infused", "ADLB; results: safety"), "windows"),
    (Plan("cytopenia", "14.3.1.6.2", "Prolonged cytopenia and B-cell aplasia", "infused", "ADLB; results: safety"), "findings"),
    (Plan("deaths", "14.3.2.1", "Deaths", "infused", "ADSL; results: safety"), "deaths"),
)


def course_displays(known: Known) -> list[Display]:
    """Return the figures of each subject's course, and the displays of the product's cells."""
    found: list[Display] = []
    found += _figures(known, Plan("swimmer", "14.2.8", "One line a subject", "infused", "ADSL, ADRS by visit"), ("swimmer", "lesions"))
    found += known.table(Plan("kinetics", "14.2.9.1", "Cellular kinetics by best response", "infused", _CELLS), "kinetics")
    found += _figures(known, Plan("profiles", "14.2.9.2", "The product's cells over time", "infused", _CELLS), ("profiles-",))
    found += _figures(known, Plan("strips", "14.2.9.3", "Peak and area by best response", "infused", _CELLS), ("strip-",))
    return found


def harm_displays(known: Known) -> list[Display]:
    """Return the tables of safety."""
    return [display for plan, name in TABLES for display in known.table(plan, name)]


def _figures(known: Known, plan: Plan, begin: tuple[str, ...]) -> list[Display]:
    """Return the figures whose name begins so; several have a number each."""
    names = [
        (name, place)
        for name, found in known.blocks.items()
        if name.startswith(begin)
        for place, one in enumerate(found)
        if isinstance(one.block, Figure)
    ]
    many = len(names) > 1
    found: list[Display] = []
    for k, (name, place) in enumerate(names, 1):
        own = plan._replace(id=f"{plan.id}-{k}", number=f"{plan.number}.{k}") if many else plan
        block, notes = known.blocks[name][place]
        assert isinstance(block, Figure)
        if many:
            own = own._replace(title=str(block.document.get("description") or plan.title))
        found += [known.display(own, "figure", block, (*caption_notes(block), *notes))]
    return found
