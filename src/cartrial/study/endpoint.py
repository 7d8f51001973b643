"""How is an endpoint defined? Window, population, reader, strategies, variants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cartrial.study.attributes import (
    ANTIGEN_WORDS,
    ENDS_OF_SAMPLES,
    OF_DISEASE,
    OF_SAMPLES,
    POPULATIONS,
    RESPONSE,
    STRATEGIES,
    Competing,
    NonResponse,
    ResponseWindow,
    Samples,
    Strategies,
    Test,
    Window,
    unknown_words,
)
from cartrial.study.criteria.families import Reader
from cartrial.study.criteria.sets import FAMILIES
from cartrial.yamlfile import Part, nearest, raise_all, wrong

__all__ = [
    "ANTIGEN_WORDS",
    "POPULATIONS",
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


class Endpoint(Part):
    """One endpoint, in every attribute of its estimand.

    Parameters
    ----------
    id : str
        At most 8 characters; becomes PARAMCD.
    type : "response-rate", "best-response" or "time-to-event"
    population : str
        Whose endpoint it is; see `rules` of the documentation.
    reader : str, optional
        The study's primary reader unless said.
    sensitivity : tuple of dict
        What each variant changes.
    response : tuple of str
        Statuses that a response rate counts; by default those of the family of criteria. Of a time among responders, what it starts with.
    sd_from : int
        Of a best response: stable disease before this day alone is not evaluable. Unit: days from day 0.
    clinical_progression : {"event"}, optional
        Of a time to event: a progression that a clinician saw without imaging (DS, RS of CLINRESP) is one.
    no_baseline : {"censor", "event"}
        Of a time to event that starts with the infusion or enrolment: a subject without imaging before lymphodepletion, where statuses are
        derived from it, is censored on the first day, or ends by what happened.
    events : tuple of str
        `non-response`, `death`, and the event of the family of criteria: `relapse` or `progression`.
    """

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")
    label: str
    role: Literal["primary", "secondary", "exploratory"] = "secondary"
    type: Literal["response-rate", "best-response", "time-to-event"]
    population: POPULATIONS
    reader: Reader | None = None
    strategies: Strategies
    source: str = "assumption"
    note: str | None = None
    sensitivity: tuple[dict[str, Any], ...] = ()
    # response rates
    response: tuple[str, ...] = ("CR", "CRi")
    mrd: Literal["negative"] | None = None
    window: Window | None = None
    not_yet_assessable: Literal["exclude", "non-responder"] = "exclude"
    sustained_days: int = Field(default=0, ge=0)
    sustained_by: Literal["remission", "no-relapse"] = "remission"
    test: Test | None = None
    # best responses
    sd_from: int = Field(default=0, ge=0)
    # times to event
    origin: Literal["first-response", "day-0", "enrolment", "aplasia"] | None = None
    events: tuple[str, ...] = ()
    non_response: NonResponse = NonResponse()
    response_window: ResponseWindow = ResponseWindow()
    missed_visits: int = Field(default=0, ge=0)
    clinical_progression: Literal["event"] | None = None
    no_baseline: Literal["censor", "event"] = "censor"
    analysis: Competing = Competing()
    antigen: Literal["negative", "positive", "unknown"] | None = None
    # of samples
    samples: Samples | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_one_line(cls, data: Any) -> Any:
        data = with_failure(with_sustained(data))
        if isinstance(data, dict) and data.get("samples") and data.get("type") == "time-to-event" and not data.get("analysis"):
            return {**data, "analysis": {"competing": ENDS_OF_SAMPLES}}
        return data

    @field_validator("response", "events", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("response", "events")
    @classmethod
    def _of_a_family(cls, words: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.field_name == "response":
            known = list(dict.fromkeys(word for family in FAMILIES.values() for word in family.responses))
        else:
            of_families = [event for family in FAMILIES.values() for event in (family.names.event, *family.events)]
            known = ["non-response", *dict.fromkeys(of_families), "death", RESPONSE, *OF_SAMPLES]
        raise_all(unknown_words(words, known))
        return words

    @property
    def read(self) -> bool:
        """Whether its rule or its population reads an assessment; without, it has no reader (rules, A24)."""
        by_population = self.population in ("assessed", "evaluable", "responders")
        return self.type != "time-to-event" or self.origin == "first-response" or set(self.events) != {"death"} or by_population

    @property
    def names_response(self) -> bool:
        """Whether a time among responders says which response it starts with, or is a time to."""
        return self.type == "time-to-event" and "response" in self.model_fields_set

    @property
    def timed(self) -> bool:
        """Whether an event that an assessment shows ends it: relapse, progression or non-response."""
        return self.type == "time-to-event" and set(self.events) != {"death"}

    @model_validator(mode="after")
    def _complete(self) -> Endpoint:
        checks = {"response-rate": self._as_rate, "best-response": self._as_best, "time-to-event": self._as_time}
        raise_all(checks[self.type]())
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
        if self.clinical_progression or (self.events and not self.samples) or any(self._of_time()):
            what = "origin, events, missed-visits, no-baseline, antigen and analysis belong to a time to event"
            yield self._wrong(what, right="Leave them out here, or say type: time-to-event")
        if "sustained_by" in self.model_fields_set and not self.sustained_days:
            what = "sustained-by says by what a response lasts, and nothing says how long"
            yield self._wrong(what, "sustained-by", right="Add sustained-days, for example 28")
        if self.samples:
            yield from self._of_samples()
            if self.window is not None and self.window.within_days is None:
                right = "Write window: {within-days: 180}"
                yield self._wrong("an early recovery is one before so many days from day 0", "window", right=right)

    def _of_time(self) -> Iterator[Any]:
        """Yield what only a time to event has."""
        yield from (self.origin, self.analysis.competing, self.missed_visits, self.antigen, self.no_baseline != "censor")

    def _as_best(self) -> Iterator[PydanticCustomError]:
        """Yield what a best response cannot have."""
        if self.window is not None or self.mrd or self.test or self.sustained_days or "response" in self.model_fields_set:
            what = "window, response, mrd, test and sustained-days belong to a response rate"
            yield self._wrong(what, right="Leave them out here, or say type: response-rate")
        if self.clinical_progression or self.events or any(self._of_time()):
            what = "origin, events, missed-visits, no-baseline and analysis belong to a time to event"
            yield self._wrong(what, right="Leave them out here, or say type: time-to-event")

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
        if "response" in self.model_fields_set and self.population != "responders":
            what = "response says which response a time among responders starts with"
            yield self._wrong(what, "response", right="Leave it out here, or write population: responders")
        if self.origin not in (None, "enrolment") and self.population in ("enrolled", "leukapheresed"):
            what = f"the population {self.population} needs origin enrolment, since not all of it is infused"
            yield self._wrong(what, "origin", right="Write origin: enrolment, or population: infused")
        if RESPONSE in self.events and (len(self.events) > 1 or self.origin != "day-0" or self.population != "responders"):
            right = "Write origin: day-0, population: responders and events: [response]"
            yield self._wrong("a time to response is that of the responders, from day 0, and has no other event", "events", right=right)
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
        may = {*self.events, *(composite - {"product-failure"}), *((*ENDS_OF_SAMPLES, *OF_DISEASE) if self.samples else ())}
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
        ending, competing = {"death", *composite} - {"product-failure"}, set(self.analysis.competing)
        if self.type == "time-to-event" and (ending - competing or not competing & set(OF_DISEASE)):
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


_BY = ("failure-by", "failure_by", "or-not-responding-by", "or_not_responding_by")
SHORT_KEYS: dict[str, dict[str, Any]] = {
    "failure-by": {"type": "integer", "minimum": 1, "description": "No response by this day is an event."},
    "or-not-responding-by": {"type": "integer", "minimum": 1, "description": "No response by this day is an event, as of lymphoma."},
    "sustained": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"days": {"type": "integer", "minimum": 0}, "by": {"enum": ["remission", "no-relapse"]}},
        "description": "sustained-days and sustained-by in one.",
    },
}
"""Keys of an endpoint that stand for others, as JSON Schema."""


def with_failure(data: Any, events: tuple[str, ...] = ()) -> Any:
    """Return the keys of a time to event with `failure-by: DAY`, or `or-not-responding-by: DAY`, as what it stands for.

    The lack of a response by that day is an event: non-response, of a response window that ends on it.

    Parameters
    ----------
    data : object
        Keys of an endpoint, or of what a variant changes.
    events : tuple of str
        The events that a variant has where it does not change them.
    """
    named = [key for key in _BY if isinstance(data, dict) and key in data]
    if not named:
        return data
    day = data[named[0]]
    if len(named) > 1 or isinstance(day, bool) or not isinstance(day, int) or day < 1:
        raise wrong(
            f"{named[0]} is the day by which there is a response", named[0], right="Write a whole number of days, as in failure-by: 35"
        )
    if any(key in data for key in ("response-window", "response_window")):
        raise wrong(f"{named[0]} and response-window say the same", named[0], right="Leave one of them out")
    rest = {key: value for key, value in data.items() if key not in _BY}
    listed = rest.get("events", events)
    listed = [listed] if isinstance(listed, str) else list(listed)
    return {**rest, "events": listed if "non-response" in listed else ["non-response", *listed], "response-window": {"to": day}}


class Variant(Part):
    """An endpoint as one analysis uses it. `name` is blank for the main one."""

    name: str
    endpoint: Endpoint


_STRATEGY_KEYS = ("hsct", "new-therapy", "re-infusion", "product-failure")
_SAME_IN_VARIANTS = ("id", "type", "sensitivity")


def keys_of_variants() -> list[str]:
    """Return the keys that a sensitivity variant may change: those of an endpoint, and intercurrent events.

    Examples
    --------
    >>> "population" in keys_of_variants(), "hsct" in keys_of_variants(), "type" in keys_of_variants()
    (True, True, False)
    """
    return [name.replace("_", "-") for name in Endpoint.model_fields if name not in _SAME_IN_VARIANTS] + [*_STRATEGY_KEYS]


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
    by = next((f"{key.replace('_', '-')}={change[key]}" for key in _BY if key in change), "")
    implied = ("response-window.",) if "events" in change else ("response-window.", "events=")
    change = with_failure(change, endpoint.events)
    known = keys_of_variants()
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
    if by:
        names = [by, *(name for name in names if not name.startswith(implied))]
    return Variant(name=";".join(names), endpoint=Endpoint.model_validate(data))


def _words(value: Any) -> str:
    return "+".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
