"""What is one published result? Its number, and every attribute without which it cannot be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, Tag, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cartrial.evidence.registry.stated import NOT_APPLICABLE, NOT_REACHED, NOT_STATED, NoneStated, Printed, decimals, exact
from cartrial.study.criteria.codes import words_of
from cartrial.study.criteria.leukaemia import REMISSION
from cartrial.study.endpoint import POPULATIONS, STRATEGIES, Window
from cartrial.yamlfile import Part, nearest, raise_all, wrong

__all__ = ["RESPONSE_WORDS", "STAGES", "Interval", "Measure", "Read", "Result", "Value"]

STAGES = (*get_args(POPULATIONS), "other")
"""Populations of a study file; any other is named by its `group`."""
RESPONSE_WORDS = (*words_of(REMISSION), "CRp")
"""Remissions that a rate can count; CRp is remission with partial recovery of platelets, as older papers have it."""
# of a type of measure: the keys that it needs, and those that it may have
_KEYS = {
    "response-rate": (("response",), ("mrd",)),
    "pooled-rate": (("response",), ("mrd",)),
    "survival": (("endpoint", "time", "unit", "origin"), ()),
    "median": (("endpoint", "unit", "origin"), ()),
    "hazard-ratio": (("endpoint", "origin", "against"), ()),
    "proportion": (("what", "kind"), ()),
}
_UNITS = {"response-rate": "%", "pooled-rate": "%", "survival": "%", "proportion": "%", "hazard-ratio": "ratio"}
Strategy = Literal["treatment-policy", "composite", "while-on-treatment", "hypothetical", "not-stated", "not-applicable"]


class Measure(Part):
    """What was measured. `type` says which of the other keys there are.

    Parameters
    ----------
    type : str
    response : tuple of str
        Of a rate: the remissions that count.
    mrd : "negative", optional
        Of a rate: counted only where residual disease is negative.
    endpoint : str
        Of a time to an event.
    time, unit : str
        Of a survival: when it was read. The unit of a median is that of its value.
    origin : str
        From when time runs.
    against : str
        Of a hazard ratio: the other group.
    what, kind : str
        Of a proportion: of what, and whether that is safety, a baseline characteristic, flow, treatment or an outcome.
    """

    type: Literal["response-rate", "pooled-rate", "survival", "median", "hazard-ratio", "proportion"]
    response: tuple[str, ...] = ()
    mrd: Literal["negative"] | None = None
    endpoint: Literal["OS", "EFS", "RFS", "DOR", "PFS"] | None = None
    time: Printed | None = None
    unit: Literal["days", "weeks", "months", "years"] | None = None
    origin: Literal["day-0", "enrolment", "first-response", "not-stated"] | None = None
    against: str | None = None
    what: str | None = None
    kind: Literal["safety", "baseline", "flow", "treatment", "outcome"] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Measure:
        needed, allowed = _KEYS[self.type]
        given = self.model_fields_set - {"type"}
        faults = [wrong(f"a {self.type} needs '{key}'", key, right="Add it") for key in needed if not getattr(self, key)]
        extra = [key for key in given if key not in (*needed, *allowed)]
        faults += [
            wrong(f"'{key}' is no key of a {self.type}", key, right=f"Its keys are {', '.join((*needed, *allowed))}") for key in extra
        ]
        raise_all([*faults, *self._words()])
        return self

    def _words(self) -> Iterator[PydanticCustomError]:
        """Yield what no remission is called, and a time that is none."""
        if self.time in NOT_REACHED:
            yield wrong("the time of a survival is a number", "time", right='Write it as printed, such as "24"')
        for i, word in enumerate(self.response):
            if word == "PR":
                yield wrong("PR is no category of response in leukaemia", "response", i, right="Name remissions, or give the claim alone")
            elif word not in RESPONSE_WORDS:
                near = nearest(word, list(RESPONSE_WORDS))
                right = f"The nearest is '{near}'" if near else f"Known are {', '.join(RESPONSE_WORDS)}"
                yield wrong(f"no remission is called '{word}'", "response", i, right=right)


class Value(Part):
    """A printed number with its unit."""

    text: Printed
    unit: Literal["%", "days", "weeks", "months", "years", "ratio"]


class Interval(Part):
    """Printed limits: their level in per cent, and the method that the source names."""

    text: tuple[Printed, Printed]
    level: Annotated[Annotated[float, Field(ge=50, lt=100)] | None, NoneStated]
    method: str


class Read(Part):
    """Who read the source, when, and as what."""

    by: str
    on: str
    as_: Literal["abstract", "full text", "table", "registry", "label", "press", "news", "excerpt", "second hand"] = Field(alias="as")


_WHEN = re.compile(r"(day|week|month|year) \d+(\.\d+)?")


def _is_window(value: Any) -> str:
    return "window" if isinstance(value, dict | Window) else "word"


class Result(Part):
    """One published number with its attributes. Every one is there; `not-stated` says that the source is silent.

    Parameters
    ----------
    id, cut : str
        Of the result, and of the cut of its trial.
    population : str
        A stage of the study file's words, or `other`.
    group : str
        `all` of that stage, or whom.
    of : int or None
        Patients. None: not stated, as elsewhere.
    measure : Measure
    window : Window or str or None
        Of a response; `not-applicable` of anything else.
    reader, strategies, criteria : str
        As in a study file; `not-stated`, `not-applicable`.
    count : int or None
        Patients with the outcome, where the source counts them.
    value, interval : Value, Interval or None
        As printed.
    source, where, read : str, str, Read
        Key of the source, the place in it, and who read it as what.
    sure : {"high", "medium", "low"}
    kind : {"printed", "derived", "digitised", "reconstructed"}
        Anything but printed has a `rule`.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    cut: str
    population: str
    group: Annotated[str, Field(min_length=1)]
    of: Annotated[Annotated[int, Field(ge=1)] | None, NoneStated]
    measure: Measure
    window: Annotated[
        Annotated[Window, Tag("window")] | Annotated[Literal["not-stated", "not-applicable"], Tag("word")], Discriminator(_is_window)
    ]
    reader: Literal["IRC", "INV", "central", "mixed", "not-stated", "not-applicable"]
    strategies: dict[Literal["hsct", "new-therapy"], Strategy]
    criteria: str
    count: Annotated[Annotated[int, Field(ge=0)] | None, NoneStated]
    value: Annotated[Value | None, NoneStated]
    interval: Annotated[Interval | None, NoneStated]
    source: str
    where: Annotated[str, Field(min_length=1)]
    read: Read
    sure: Literal["high", "medium", "low"]
    kind: Literal["printed", "derived", "digitised", "reconstructed"]
    rule: str | None = None
    note: str = ""
    earlier: tuple[str, ...] = ()

    @field_validator("population")
    @classmethod
    def _stage(cls, word: str) -> str:
        if word not in STAGES:
            near = nearest(word, list(STAGES))
            right = (f"The nearest is '{near}'; w" if near else "W") + "rite another population as `other`, and name it under `group`"
            raise wrong(f"no population is called '{word}'", right=right)
        return word

    @property
    def unit(self) -> str:
        """The unit that its value must have."""
        return _UNITS.get(self.measure.type) or str(self.measure.unit)

    @property
    def level(self) -> float:
        """The level of its limits, a fraction; 0.95 where the source does not say."""
        return (self.interval.level if self.interval and self.interval.level else 95.0) / 100

    @property
    def is_share(self) -> bool:
        """Whether its value is a count over its patients."""
        return self.measure.type in ("response-rate", "proportion")

    @model_validator(mode="after")
    def _possible(self) -> Result:
        raise_all([*self._attributes(), *self._numbers(), *self._limits()])
        return self

    def _attributes(self) -> Iterator[PydanticCustomError]:
        """Yield attributes that are left out, or that the measure has not."""
        for event in ("hsct", "new-therapy"):
            if event not in self.strategies:
                what = f"the strategy for {event} is left out"
                yield wrong(what, "strategies", right=f"Write one of {', '.join(STRATEGIES)}, {NOT_STATED} or {NOT_APPLICABLE}")
        if isinstance(self.window, Window):
            for when in (self.window.at, self.window.within):
                if when and not _WHEN.fullmatch(str(when)):
                    yield wrong(f"no window is '{when}'", "window", right="Write it as in a study file, such as month 3 or day 28")
        rate = self.measure.type in ("response-rate", "pooled-rate")
        if rate and self.window == NOT_APPLICABLE:
            yield wrong("a response rate has a window", "window", right=f"Write it, or {NOT_STATED}")
        if not rate and self.window != NOT_APPLICABLE:
            yield wrong(f"a {self.measure.type} has no window", "window", right=f"Write {NOT_APPLICABLE}")
        if self.population == "other" and self.group == "all":
            yield wrong("another population has no name", "group", right="Say who these patients are")
        if (self.kind == "printed") == (self.rule is not None):
            right = (
                "Name the rule, such as: only count of 48 that prints 85.4" if self.rule is None else "Leave the rule out, or say derived"
            )
            yield wrong(f"a {self.kind} number {'needs a rule' if self.rule is None else 'follows from no rule'}", "rule", right=right)

    def _numbers(self) -> Iterator[PydanticCustomError]:
        """Yield numbers that cannot be."""
        if self.count is None and self.value is None:
            yield wrong("neither a count nor a value is stated", "value", right="A result has one of them")
        if self.count is not None and self.of is not None and self.count > self.of:
            yield wrong(f"{self.count} of {self.of} patients cannot be", "count", right="Write a count that is not above n")
        if self.value is None:
            return
        if self.value.unit != self.unit:
            yield wrong(f"the unit of a {self.measure.type} is {self.unit}", "value", "unit", right=f"Write {self.unit}")
        reached = self.value.text not in NOT_REACHED
        if not reached and self.measure.type != "median":
            yield wrong(f"a {self.measure.type} is a number", "value", "text", right="NR is a word of medians and limits")
        if reached and self.unit == "%" and exact(self.value.text) > 100:
            yield wrong(f"{self.value.text} is above 100 per cent", "value", "text", right="Write per cent from 0 to 100")

    def _limits(self) -> Iterator[PydanticCustomError]:
        """Yield limits that are in the wrong order, above 100 per cent, or not around a number that was derived here."""
        if self.interval is None:
            return
        low, high = self.interval.text
        if low in NOT_REACHED and high not in NOT_REACHED:
            yield wrong("the lower limit is not reached and the upper is", "interval", "text", right="Write them in order")
        numbers = [exact(text) for text in (low, high) if text not in NOT_REACHED]
        if self.unit == "%" and (len(numbers) < 2 or max(numbers) > 100):
            yield wrong("limits of a share are two numbers up to 100 per cent", "interval", "text", right="Write per cent from 0 to 100")
        if numbers != sorted(numbers):
            yield wrong(f"the lower limit {low} is above the upper {high}", "interval", "text", right="Write them in order")
        elif self.kind == "derived" and self.value and self.value.text not in NOT_REACHED and numbers:
            value = exact(self.value.text)
            if value < numbers[0] or (len(numbers) > 1 and value > numbers[1]):
                yield wrong(f"the derived value {self.value.text} is not between its limits", "value", right="Derive it again")

    @property
    def uneven(self) -> bool:
        """Whether its limits have other decimals than its value."""
        if self.interval is None or self.value is None:
            return False
        texts = [text for text in (self.value.text, *self.interval.text) if text not in NOT_REACHED]
        return len({decimals(text) for text in texts}) > 1
