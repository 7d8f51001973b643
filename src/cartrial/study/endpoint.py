"""How is an endpoint defined? Window, population, reader, strategies, variants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cartrial.study.model import Reader
from cartrial.yamlfile import Part, nearest, raise_all, wrong

__all__ = [
    "ANTIGEN_WORDS",
    "EVENTS",
    "STRATEGIES",
    "Endpoint",
    "NonResponse",
    "ResponseWindow",
    "Samples",
    "Strategies",
    "Test",
    "Variant",
    "Window",
    "resolve_variant",
]

Strategy = Literal["treatment-policy", "composite", "while-on-treatment", "hypothetical"]
STRATEGIES = ("treatment-policy", "composite", "while-on-treatment", "hypothetical")
EVENTS = ("non-response", "relapse", "death")
ANTIGEN_WORDS = {
    "negative": "relapse, CD19-negative",
    "positive": "relapse, CD19-positive",
    "unknown": "relapse, CD19 unknown",
}
"""A relapse by what is known of the antigen on its cells."""
ENDS_OF_SAMPLES = ("relapse", "death", "hsct", "new-therapy", "re-infusion")
"""What competes with an event that samples show, where nothing else is said."""
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


class Competing(Part):
    """The events that compete with the others: cumulative incidence. An intercurrent event competes where its strategy is composite."""

    competing: tuple[Literal["relapse", "death", "hsct", "new-therapy", "re-infusion"], ...] = ()


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


class Endpoint(Part):
    """One endpoint, in every attribute of its estimand.

    Parameters
    ----------
    id : str
        At most 8 characters; becomes PARAMCD.
    type : "response-rate" or "time-to-event"
    population : str
        Whose endpoint it is; see `rules` of the documentation.
    reader : str, optional
        The study's primary reader unless said.
    sensitivity : tuple of dict
        What each variant changes.
    """

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")
    label: str
    role: Literal["primary", "secondary", "exploratory"] = "secondary"
    type: Literal["response-rate", "time-to-event"]
    population: POPULATIONS
    reader: Reader | None = None
    strategies: Strategies
    source: str = "assumption"
    note: str | None = None
    sensitivity: tuple[dict[str, Any], ...] = ()
    # response rates
    response: tuple[Literal["CR", "CRh", "CRi"], ...] = ("CR", "CRi")
    mrd: Literal["negative"] | None = None
    window: Window | None = None
    not_yet_assessable: Literal["exclude", "non-responder"] = "exclude"
    sustained_days: int = Field(default=0, ge=0)
    sustained_by: Literal["remission", "no-relapse"] = "remission"
    test: Test | None = None
    # times to event
    origin: Literal["first-response", "day-0", "enrolment", "aplasia"] | None = None
    events: tuple[Literal["non-response", "relapse", "death", "b-cell-recovery", "loss-of-persistence"], ...] = ()
    non_response: NonResponse = NonResponse()
    response_window: ResponseWindow = ResponseWindow()
    missed_visits: int = Field(default=0, ge=0)
    analysis: Competing = Competing()
    antigen: Literal["negative", "positive", "unknown"] | None = None
    # of samples
    samples: Samples | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_one_line(cls, data: Any) -> Any:
        data = with_sustained(data)
        if isinstance(data, dict) and data.get("samples") and data.get("type") == "time-to-event" and not data.get("analysis"):
            return {**data, "analysis": {"competing": ENDS_OF_SAMPLES}}
        return data

    @field_validator("response", "events", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @property
    def read(self) -> bool:
        """Whether its rule or its population reads an assessment; without, it has no reader (rules, A24)."""
        by_population = self.population in ("assessed", "evaluable", "responders")
        return self.type == "response-rate" or self.origin == "first-response" or set(self.events) != {"death"} or by_population

    @model_validator(mode="after")
    def _complete(self) -> Endpoint:
        raise_all(self._as_rate() if self.type == "response-rate" else self._as_time())
        return self

    def _wrong(self, what: str, *at: str, right: str) -> PydanticCustomError:
        return wrong(f"endpoint {self.id}: {what}", *at, right=right)

    def _as_rate(self) -> Iterator[PydanticCustomError]:
        """Yield what a response rate cannot have, and what it needs."""
        if self.window is None:
            yield self._wrong("a response rate needs a window", right="Add one, such as window: {at: month 3} or window: {best: cutoff}")
        if not self.response:
            yield self._wrong("it says of no response that it counts", "response", right="Say which, for example [CR, CRi]")
        for name, strategy in self.strategies.items():
            if strategy == "hypothetical":
                yield self._wrong(
                    f"hypothetical for {name} needs an imputation, which a response rate has not",
                    *("strategies", name),
                    right="Choose treatment-policy, composite or while-on-treatment",
                )
        if self.origin or (self.events and not self.samples) or self.analysis.competing or self.missed_visits or self.antigen:
            what = "origin, events, missed-visits, antigen and analysis belong to a time to event"
            yield self._wrong(what, right="Leave them out here, or say type: time-to-event")
        if "sustained_by" in self.model_fields_set and not self.sustained_days:
            what = "sustained-by says by what a response lasts, and nothing says how long"
            yield self._wrong(what, "sustained-by", right="Add sustained-days, for example 28")
        if self.samples:
            yield from self._of_samples()
            if self.window is not None and self.window.within_days is None:
                right = "Write window: {within-days: 180}"
                yield self._wrong("an early recovery is one before so many days from day 0", "window", right=right)

    def _as_time(self) -> Iterator[PydanticCustomError]:
        """Yield what a time to event cannot have, and what it needs."""
        if self.origin is None or not self.events:
            what = "a time to event needs an origin and its events"
            yield self._wrong(what, right="Add both, such as origin: first-response and events: [relapse, death]")
        if self.window is not None or self.mrd or self.test or self.sustained_days:
            what = "window, mrd, test and sustained-days belong to a response rate"
            yield self._wrong(what, right="Leave them out here, or say type: response-rate")
        if self.origin == "first-response" and self.population != "responders":
            yield self._wrong("a time from first response is defined among responders", "population", right="Write population: responders")
        if self.origin not in (None, "enrolment") and self.population in ("enrolled", "leukapheresed"):
            what = f"the population {self.population} needs origin enrolment, since not all of it is infused"
            yield self._wrong(what, "origin", right="Write origin: enrolment, or population: infused")
        if "non-response" in self.events and self.origin not in (None, "day-0"):
            what = "non-response is an event of a time from day 0"
            yield self._wrong(what, "events", right="Write origin: day-0, or leave non-response out")
        if "product_failure" in self.strategies.model_fields_set and self.strategies.product_failure != "treatment-policy":
            yield self._wrong(
                "product failure is no event of a time to event",
                *("strategies", "product-failure"),
                right="Leave product-failure out here; it counts in response rates among the enrolled",
            )
        yield from self._of_samples()
        composite = {name for name, strategy in self.strategies.items() if strategy == "composite"}
        may = {*self.events, *(composite - {"product-failure"}), *(ENDS_OF_SAMPLES if self.samples else ())}
        if self.events and set(self.analysis.competing) - may:
            what = "what competes must stand among the events, or be an intercurrent event whose strategy is composite"
            yield self._wrong(what, right=f"Add it to events, or choose among {', '.join(sorted(may))}")
        of_interest = "relapse" in self.events and "relapse" not in self.analysis.competing
        if self.antigen and not (of_interest and self.analysis.competing):
            what = "antigen says which relapses are of interest, and those with another antigen compete, as death does"
            yield self._wrong(what, "antigen", right="Write events: [relapse, death] and analysis: {competing: [death]}")
        if self.events and self.analysis.competing and not set(self.events) - set(self.analysis.competing):
            what = "an event of interest must be left beside those that compete"
            yield self._wrong(what, right="Take one out of analysis.competing, or add an event")

    def _of_samples(self) -> Iterator[PydanticCustomError]:
        """Yield what an endpoint of samples cannot have, and what is of samples alone."""
        events = {"BCELL": "b-cell-recovery", "CARTG": "loss-of-persistence", "CARTC": "loss-of-persistence"}
        if self.samples is None:
            if set(self.events) & set(events.values()):
                right = "Add samples: {test: BCELL}, or samples: {test: CARTG}"
                yield self._wrong(f"{self.events[0]} is an event of samples", "events", right=right)
            if self.origin == "aplasia":
                yield self._wrong("the origin aplasia is that of a recovery of B cells", "origin", right="Add samples: {test: BCELL}")
            return
        event = events[self.samples.test]
        if self.events != (event,):
            yield self._wrong(f"samples of {self.samples.test} show {event}", "events", right=f"Write events: [{event}]")
        origins = ("day-0", "aplasia") if self.samples.test == "BCELL" else ("day-0",)
        if self.type == "time-to-event" and self.origin not in origins:
            yield self._wrong(f"a time to {event} does not start there", "origin", right=f"Write one of {', '.join(origins)}")
        composite = {name for name, strategy in self.strategies.items() if strategy == "composite"}
        ending = {"relapse", "death", *composite} - {"product-failure"}
        if self.type == "time-to-event" and ending - set(self.analysis.competing):
            right = f"Write competing: [{', '.join(ENDS_OF_SAMPLES)}], or leave analysis out"
            yield self._wrong("whatever ends a time of samples competes", "analysis", "competing", right=right)
        if self.population in ("enrolled", "leukapheresed"):
            yield self._wrong("samples are of those who were infused", "population", right="Write population: infused, or responders")


def with_sustained(data: Any) -> Any:
    """Return the keys of an endpoint with `sustained: {days, by}` as the two keys that it stands for."""
    if not isinstance(data, dict) or not isinstance(data.get("sustained"), dict) or set(data["sustained"]) - {"days", "by"}:
        return data
    rest = {key: value for key, value in data.items() if key != "sustained"}
    return {**rest, **{f"sustained-{name}": value for name, value in data["sustained"].items()}}


class Variant(Part):
    """An endpoint as one analysis uses it. `name` is blank for the main one."""

    name: str
    endpoint: Endpoint


_STRATEGY_KEYS = ("hsct", "new-therapy", "re-infusion", "product-failure")
_SAME_IN_VARIANTS = ("id", "type", "sensitivity")


def resolve_variant(endpoint: Endpoint, change: dict[str, Any]) -> Variant:
    """Apply what a sensitivity variant changes.

    Parameters
    ----------
    endpoint : Endpoint
        The main analysis.
    change : dict
        Keys of an endpoint, or intercurrent events with their strategy.

    Returns
    -------
    Variant
        Named by what it changes, ``key=value`` joined by ``;``.

    Raises
    ------
    pydantic.ValidationError
        If a value is not possible.
    pydantic_core.PydanticCustomError
        If a key is unknown, or one that variants share with the main analysis.
    """
    change = with_sustained(change)
    known = [name.replace("_", "-") for name in Endpoint.model_fields if name not in _SAME_IN_VARIANTS] + [*_STRATEGY_KEYS]
    for key in change:
        if key in _SAME_IN_VARIANTS:
            raise wrong(f"endpoint {endpoint.id}: a sensitivity variant cannot change '{key}'", key, right="Write another endpoint")
        if key.replace("_", "-") not in known:
            near = nearest(key, known)
            hint = f"The nearest known key is '{near}'" if near else "Known keys are: " + ", ".join(known)
            raise wrong(f"endpoint {endpoint.id}: unknown key '{key}' in a sensitivity variant", key, right=hint)
    change = {key.replace("_", "-"): value for key, value in change.items()}
    data = endpoint.model_dump(by_alias=True, exclude={"sensitivity"}, exclude_defaults=True)
    names: list[str] = []
    for key, value in change.items():
        if key in _STRATEGY_KEYS:
            data["strategies"] = {**data.get("strategies", {}), key: value}
            names.append(f"{key}={value}")
        elif isinstance(value, dict):
            value = {inner.replace("_", "-"): worth for inner, worth in value.items()}
            old = data.get(key)
            data[key] = {**old, **value} if isinstance(old, dict) and key != "window" else value
            names.extend(f"{key}.{inner}={_words(worth)}" for inner, worth in value.items())
        else:
            data[key] = value
            names.append(f"{key}={_words(value)}")
    if "sustained-by" not in change and not data.get("sustained-days"):
        data.pop("sustained-by", None)
    return Variant(name=";".join(names), endpoint=Endpoint.model_validate(data))


def _words(value: Any) -> str:
    return "+".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
