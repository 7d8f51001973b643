"""Which displays of a single-arm CAR-T study were not produced, and why not?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cartrial.submission.displays.model import Display

__all__ = ["ASKED", "Asked", "lacking_displays"]


class Asked(NamedTuple):
    """A display that a report by ICH E3 has: its number and title, how the ids begin that give it, and why there may be none.

    `beside` is the id of a display that has something of it, and the words that say so where that display is made.
    """

    number: str
    title: str
    ids: tuple[str, ...]
    why: str
    beside: tuple[str, str] = ("", "")


_RATE = "the study file has no response rate, or none could be estimated"
_TIME = "the study file has no such time, or none could be estimated"
_ALONE = "it has no table of its own"
_AE = "no adverse event was recorded"
_BASE = "the study file names no baseline characteristic, or none was recorded"
ASKED = (
    Asked("Table 14.1.1.1", "Disposition and milestones", ("disposition",), "nobody consented"),
    Asked("Table 14.1.1.2", "Status, and reasons of leaving", ("status",), "no status was recorded"),
    Asked("Table 14.1.1.3", "Analysis sets", ("analysis-sets",), "nobody was infused"),
    Asked("Table 14.1.1.4", "Protocol deviations", ("deviations",), "no deviation was recorded (DV)"),
    Asked("Table 14.1.2.1", "Demographics", ("baseline",), _BASE),
    Asked(
        "Table 14.1.2.2",
        "Disease history and prior therapy",
        (),
        _ALONE,
        ("baseline", "what the study file names of it stands with the demographics"),
    ),
    Asked("Table 14.1.2.3", "Disease burden", (), _ALONE, ("baseline", "what the study file names of it stands with the demographics")),
    Asked("Table 14.1.3.1", "Vein-to-vein time and product", ("vein-to-vein",), "nobody was infused"),
    Asked("Table 14.1.3.2", "Bridging therapy and lymphodepletion", ("bridging-lymphodepletion",), "nobody was infused"),
    Asked("Table 14.1.3.3", "Dose infused, re-infusion", ("dose",), "nobody was infused"),
    Asked("Table 14.2.1.1", "Primary response rate", ("rate-",), _RATE),
    Asked("Table 14.2.1.2", "Response under every sensitivity analysis", ("sensitivity",), "the study file has no variant of a rate"),
    Asked("Table 14.2.1.3", "Why subjects did not respond", ("no-response",), "every subject responded, or no rate was estimated"),
    Asked("Table 14.2.1.4", "Response by subgroup", ("subgroups",), "the study file names no subgroup, or none was recorded"),
    Asked("Figure 14.2.1.5", "Forest of subgroups", ("forest-subgroups",), "the study file names no subgroup, or none was recorded"),
    Asked("Table 14.2.2.1", "Other response endpoints", ("rates", "best-response"), _RATE),
    Asked("Table 14.2.2.2", "Residual disease by visit and assay", (), "not estimated by visit; an endpoint of it is among the others"),
    Asked("Table 14.2.2.3", "Agreement of readers", ("agreement",), "no two readers called the same subject"),
    Asked("Table 14.2.3", "Duration of response and other times to event", ("time-",), _TIME),
    Asked("Figure 14.2.3", "Kaplan–Meier curves", ("curve-",), _TIME),
    Asked("Table 14.2.4", "Reasons of censoring", ("ends",), _TIME),
    Asked("Figure 14.2.6", "Cumulative incidence", ("incidence-",), "no time to event has a competing event"),
    Asked("Table 14.2.7", "Transplant and subsequent therapy", ("later-therapy",), "nobody was infused"),
    Asked("Figure 14.2.8", "One line a subject", ("swimmer",), "nobody was infused"),
    Asked("Table 14.2.9.1", "Cellular kinetics", ("kinetics",), "no sample of the product's cells was recorded"),
    Asked("Figure 14.2.9.2", "The product's cells over time", ("profiles",), "no sample of the product's cells was recorded"),
    Asked("Table 14.2.9.3", "Cytokines", (), "no rule reads cytokines", ("cytopenia", "B-cell aplasia stands with prolonged cytopenia")),
    Asked("Table 14.3.1.1", "Overview of adverse events", ("adverse-events",), _AE),
    Asked("Table 14.3.1.2", "Adverse events by class, term and grade", ("events-by-term",), _AE),
    Asked(
        "Table 14.3.1.3",
        "Related events by class and term",
        (),
        "by term they are not counted",
        ("adverse-events", "how many had one is in the overview"),
    ),
    Asked("Table 14.3.1.4", "Cytokine release and neurotoxicity", ("syndromes",), "none was recorded, or the study file names none"),
    Asked("Table 14.3.1.5", "Infections, HLH, haematotoxicity", ("infections",), "none was recorded as such"),
    Asked("Table 14.3.1.6", "Low counts, prolonged cytopenia, aplasia", ("low-counts", "cytopenia"), "no blood count was recorded"),
    Asked(
        "Table 14.3.1.7",
        "Second malignancy, graft versus host disease",
        (),
        _ALONE,
        ("events-by-term", "it stands with the adverse events by class and term"),
    ),
    Asked("Table 14.3.2.1", "Deaths", ("deaths",), "no survival was recorded"),
    Asked("Table 14.3.2.2", "Serious events by class and term", ("serious-by-term",), _AE),
    Asked("Table 14.3.4.1", "Shift of laboratory grades", ("shift",), "no result has a grade (LBTOXGR); no limits of grades are stated"),
    Asked("Table 14.3.4.2", "First recovery of blood counts", ("recovery",), "no blood count was recorded"),
    Asked("Listing 16.2.1", "Subjects who left or were not infused", ("left",), "everybody was infused and is followed"),
    Asked("Listing 16.2.2", "Protocol deviations", ("deviations-listed",), "no deviation was recorded (DV)"),
    Asked("Listing 16.2.3", "Excluded from an efficacy set", ("excluded",), "nobody infused is excluded"),
    Asked("Listing 16.2.4", "Demographics and disease", ("subjects-listed",), "nobody was infused"),
    Asked("Listing 16.2.5.1", "Lymphodepletion and infusions", ("exposure-listed",), "none was recorded"),
    Asked("Listing 16.2.5.2", "Medication", ("medication-listed",), "none was recorded (CM)"),
    Asked("Listing 16.2.5.3", "Samples of the product's cells", ("samples-listed",), "none was recorded"),
    Asked("Listing 16.2.6.1", "Each read of the disease", ("reads",), "no read was recorded"),
    Asked("Listing 16.2.6.2", "Each endpoint's value", ("values-",), "no endpoint has a value"),
    Asked("Listing 16.2.7", "Adverse events and deaths", ("adverse-events-listed", "deaths-listed"), _AE),
    Asked("Listing 16.2.7.2", "Serious adverse events", ("serious-listed",), "no event was called serious, or none says whether it was"),
    Asked("Listing 16.2.8", "Laboratory values that decide a rule", ("laboratory-listed",), "no blood count was recorded"),
    Asked("Table 15", "Virtual against published", (), "set against published figures by cartrial predict, not in a display"),
)
"""The displays of a single-arm CAR-T study, numbers by ICH E3."""


def lacking_displays(displays: Sequence[Display]) -> list[Asked]:
    """Return which of `ASKED` there is no display of.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.submission.displays import make_displays
    >>> from cartrial.submission.displays.lacking import lacking_displays
    >>> [asked.number for asked in lacking_displays(make_displays(Study.load("inaticel")))][:2]
    ['Table 14.1.1.2', 'Table 14.1.1.3']
    """
    made = [display.id for display in displays]
    lacking = [asked for asked in ASKED if not any(_fits(name, start) for name in made for start in asked.ids)]
    return [one._replace(why=f"{one.why}; {one.beside[1]}") if one.beside[0] in made else one for one in lacking]


def _fits(name: str, start: str) -> bool:
    """Whether a name is a start, begins with one that ends in a hyphen, or is one with a number after it."""
    rest = name.removeprefix(start)
    return name.startswith(start) and (not rest or start.endswith("-") or rest.lstrip("-").isdigit())
