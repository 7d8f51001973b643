"""Which attributes has an endpoint? Strategies, window, non-response, test, competing events, samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cartrial.study.criteria.sets import FAMILIES
from cartrial.yamlfile import Part, nearest, raise_all, wrong

__all__ = [
    *("ANTIGEN_WORDS", "ENDS_OF_SAMPLES", "OF_DISEASE", "OF_SAMPLES", "POPULATIONS", "RESPONSE", "STRATEGIES"),
    *("Competing", "NonResponse", "ResponseWindow", "Samples", "Strategies", "Strategy", "Test", "Window", "unknown_words"),
]

Strategy = Literal["treatment-policy", "composite", "while-on-treatment", "hypothetical"]
STRATEGIES = ("treatment-policy", "composite", "while-on-treatment", "hypothetical")
ANTIGEN_WORDS = {
    "negative": "relapse, CD19-negative",
    "positive": "relapse, CD19-positive",
    "unknown": "relapse, CD19 unknown",
}
"""A relapse by what is known of the antigen on its cells."""
ENDS_OF_SAMPLES = ("relapse", "death", "hsct", "new-therapy", "re-infusion")
"""What competes with an event that samples show, where nothing else is said."""
OF_SAMPLES = ("b-cell-recovery", "loss-of-persistence")
"""Events that samples show."""
RESPONSE = "response"
"""The event of a time to response."""
POPULATIONS = Literal["enrolled", "leukapheresed", "infused", "assessed", "evaluable", "responders"]


class Strategies(Part):
    """One strategy of ICH E9(R1) for each intercurrent event. Those of transplant and new therapy must be stated."""

    hsct: Strategy
    new_therapy: Strategy
    re_infusion: Strategy = "treatment-policy"
    product_failure: Strategy = "composite"

    def items(self) -> list[tuple[str, str]]:
        """Return the events with their strategies, in kebab case."""
        return [(name.replace("_", "-"), getattr(self, name)) for name in type(self).model_fields]


class Window(Part):
    """When a response counts. Exactly one of `at`, `within`, `best`, `within-days`.

    Parameters
    ----------
    at : str
        The nearest usable assessment in that visit's window.
    within : str
        Any usable assessment up to the end of that visit's window.
    best : "cutoff", optional
        Any usable assessment up to the cutoff.
    within_days : int
        Any usable assessment up to that many days from `from`. Unit: days.
    from_ : {"day-0", "enrolment"}
    until : {"none", "progression"}
        Whether assessments after the first PD or RELAPSE count.
    bridging : bool
        Whether a remission from bridging therapy before infusion counts.
    """

    at: str | None = None
    within: str | None = None
    best: Literal["cutoff"] | None = None
    within_days: int | None = Field(default=None, ge=1)
    from_: Literal["day-0", "enrolment"] = Field(default="day-0", alias="from")
    until: Literal["none", "progression"] = "none"
    bridging: bool = False

    @model_validator(mode="after")
    def _one(self) -> Window:
        given = [name for name in ("at", "within", "best", "within_days") if getattr(self, name) is not None]
        if len(given) != 1:
            names = ", ".join(name.replace("_", "-") for name in given)
            right = f"Keep one of {names}" if given else "Add one, such as at: month 3"
            raise wrong("a window says exactly one of: at, within, best, within-days", right=right)
        return self


class NonResponse(Part):
    """How non-response becomes an event.

    Parameters
    ----------
    dated : {"day-0", "at-assessment"}
        The event's date: day 0, or the earliest of the last NR/PD read, new therapy and death.
    loss : {"event", "censor"}
        Whether loss after a single read of NR is an event or a censoring.
    """

    dated: Literal["day-0", "at-assessment"] = "day-0"
    loss: Literal["event", "censor"] = "event"


class ResponseWindow(Part):
    """In which days a response must be seen for non-response not to be an event. Unit: days from day 0."""

    from_: int = Field(default=1, alias="from")
    to: int = 104

    @model_validator(mode="after")
    def _order(self) -> ResponseWindow:
        if self.to < self.from_:
            raise wrong("the response window ends before it starts", "to", right="Write from below to")
        return self


class Test(Part):
    """The hypothesis about a rate. A null whose source is `assumption` gives no p-value in a study's results."""

    __test__ = False

    null: float = Field(gt=0, lt=1)
    alternative: float | None = Field(default=None, gt=0, lt=1)
    source: str = "assumption"


OF_DISEASE = tuple(dict.fromkeys(family.names.event for family in FAMILIES.values()))


def unknown_words(words: tuple[str, ...], known: list[str]) -> Iterator[PydanticCustomError]:
    """Yield which words no family of criteria knows."""
    for i, word in enumerate(words):
        if word not in known:
            near = nearest(word, known)
            right = (f"The nearest is '{near}'; k" if near else "K") + f"nown are: {', '.join(known)}"
            yield wrong(f"the word is none of those that can stand here (found: '{word}')", i, right=right)


class Competing(Part):
    """The events that compete with the others: cumulative incidence. An intercurrent event competes where its strategy is composite."""

    competing: tuple[str, ...] = ()

    @field_validator("competing")
    @classmethod
    def _known(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        raise_all(unknown_words(words, [*OF_DISEASE, "death", "hsct", "new-therapy", "re-infusion"]))
        return words


class Samples(Part):
    """Samples of a test whose course is the event: B cells that recover, or cells of the product that are no longer found.

    Parameters
    ----------
    test : {"BCELL", "CARTG", "CARTC"}
    limit : float
        B cells from which aplasia has ended. Unit: cells/uL.
    percent : float, optional
        The same of B cells that were counted in % of lymphocytes; without it those samples are not used.
    apart : int
        Days that two samples stand apart that show the event.
    day, from_, to : int
        The landmark at which a subject must be in aplasia: the nearest sample to this day, between these. Units: days from day 0.
    """

    test: Literal["BCELL", "CARTG", "CARTC"]
    limit: float = Field(default=50.0, gt=0)
    percent: float | None = Field(default=None, gt=0)
    apart: int = Field(default=7, ge=1)
    day: int = Field(default=28, ge=1)
    from_: int = Field(default=14, ge=1, alias="from")
    to: int = Field(default=42, ge=1)
    source: str = "assumption"
