"""Do the parts of a study file fit together? Names that one part gives and another uses, and what each variant changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from cartrial.faults import in_words
from cartrial.study.attributes import OF_SAMPLES, RESPONSE
from cartrial.study.criteria.families import RULE_EVENT, Family
from cartrial.study.criteria.sets import FAMILIES, read_criteria
from cartrial.study.endpoint import Endpoint, resolve_variant
from cartrial.study.planned import DEATH, Design
from cartrial.yamlfile import Part, nearest, wrong

__all__ = ["Parts", "misfits", "parts_of"]

At = tuple[str | int, ...]
Model = TypeVar("Model", bound=Part)


@dataclass(frozen=True)
class Parts:
    """What of a study file names something, or uses a name; what cannot be read is left out, or None.

    Parameters
    ----------
    endpoints : list of (int, Endpoint)
        Those that can be read, with their positions.
    ids, times : list of str
        Ids of all endpoints in their order; of the times to event.
    visits : list of str
    characteristics, events : list of str
        Ids of the baseline characteristics; of adverse events of special interest.
    subgroups, order, strata, pages : list of str
        `pages`: endpoints whose place in the analysis plan is said.
    design : Design or None
    bare : bool
        Whether nothing is estimated and the file does not say why.
    family : Family or None
        Of the criteria.
    """

    endpoints: list[tuple[int, Endpoint]]
    ids: list[str] | None
    times: list[str]
    visits: list[str] | None
    characteristics: list[str] | None
    subgroups: list[str]
    order: list[str]
    events: list[str]
    design: Design | None
    bare: bool
    family: Family | None = None
    strata: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)


def parts_of(data: dict[str, Any], events: list[str], keys: list[str]) -> Parts:
    """Return the parts of a file some of whose values are wrong.

    `events` are those of a file that names none, `keys` all that a file may have: where one is misspelt, what it holds is not known.
    """
    endpoints = _list(data.get("endpoints"))
    unknown = {nearest(str(key), keys) for key in data if key not in keys}
    visits = _list(_of(data.get("disease"), "visits"))
    special = _list(_of(data.get("safety"), "special"))
    design = _made(Design, data.get("design")) if data.get("design") else None
    return Parts(
        endpoints=[(i, made) for i, item in enumerate(endpoints) if (made := _made(Endpoint, item)) is not None],
        ids=None if _other(data, "endpoints", unknown) else _named(endpoints),
        times=_named([item for item in endpoints if _of(item, "type") == "time-to-event"]),
        visits=names if (names := _named(visits, "name")) and len({*names, "None"}) == len(names) + 1 else None,
        characteristics=None if _other(data, "baseline", unknown) else _named(_list(data.get("baseline"))),
        subgroups=[str(name) for name in _list(data.get("subgroups"))],
        order=[str(name) for name in _list(_of(data.get("testing"), "order"))],
        strata=[str(name) for name in _list(_of(data.get("testing"), "strata"))],
        pages=[str(name) for name in _of(_of(data.get("submission"), "sap"), "pages") or ()],
        events=_named(special) if special else events,
        design=design,
        bare=not endpoints and not _other(data, "endpoints", unknown) and not _of(data.get("study"), "listing-only"),
        family=_family(_of(data.get("disease"), "criteria")),
    )


def _family(criteria: Any) -> Family | None:
    try:
        return read_criteria(criteria).family  # type: ignore[no-any-return]
    except (ValidationError, PydanticCustomError, AttributeError):
        return None


def _other(data: dict[str, Any], key: str, unknown: set[str | None]) -> bool:
    """Say whether a key holds no list, or stands misspelt."""
    return key in unknown or (key in data and not isinstance(data[key], list | tuple))


def _of(node: Any, key: str) -> Any:
    return node.get(key) if isinstance(node, dict) else None


def _list(node: Any) -> list[Any]:
    return list(node) if isinstance(node, list | tuple) else []


def _named(items: list[Any], key: str = "id") -> list[str]:
    return [str(_of(item, key)) for item in items]


def _made(model: type[Model], item: Any) -> Model | None:
    try:
        return model.model_validate(item)
    except ValidationError:
        return None


def misfits(parts: Parts) -> Iterator[PydanticCustomError]:
    """Yield every name that stands twice or is not known where it is used, and every variant that cannot be."""
    yield from _twice(parts.ids, "endpoints", "two endpoints are called {}", "Endpoint ids are unique")
    if parts.bare:
        yield wrong("the study has no endpoints", "endpoints", right="Add one, or say in study.listing-only why nothing is estimated")
    for number, endpoint in parts.endpoints:
        yield from _of_endpoint(endpoint, number, parts.visits, parts.family)
        if parts.family is not None:
            yield from _of_criteria(endpoint, ("endpoints", number), parts.family)
    yield from _twice(parts.characteristics, "baseline", "two baseline characteristics are called {}", "Their ids are unique")
    for i, name in enumerate(parts.subgroups):
        if parts.characteristics is not None and name not in parts.characteristics:
            what = f"subgroup '{name}' is not a baseline characteristic"
            yield wrong(what, "subgroups", i, right=_known(name, parts.characteristics))
    for i, name in enumerate(parts.order):
        if parts.ids is not None and name not in parts.ids:
            yield wrong(f"testing.order names '{name}', which is no endpoint", "testing", "order", i, right=_known(name, parts.ids))
    for i, name in enumerate(parts.strata):
        if parts.characteristics is not None and name not in parts.characteristics:
            what = f"stratum '{name}' is not a baseline characteristic"
            yield wrong(what, "testing", "strata", i, right=_known(name, parts.characteristics))
    for name in parts.pages:
        if parts.ids is not None and name not in parts.ids:
            what = f"submission.sap.pages names '{name}', which is no endpoint"
            yield wrong(what, "submission", "sap", "pages", name, right=_known(name, parts.ids))
    yield from _of_design(parts)


def _twice(names: list[str] | None, group: str, what: str, right: str) -> Iterator[PydanticCustomError]:
    for i, name in enumerate(names or ()):
        if names and name in names[:i] and name != "None":
            yield wrong(what.format(name), group, i, "id", right=right)


def _known(word: str, known: list[str]) -> str:
    """Say which words would be right, the nearest first."""
    near = nearest(word, known)
    return (f"The nearest is '{near}'; k" if near else "K") + f"nown are: {', '.join(known) or 'none'}"


def _of_design(parts: Parts) -> Iterator[PydanticCustomError]:
    events = [*parts.events, DEATH]
    for i, rates in enumerate(parts.design.safety if parts.design else ()):
        if rates.event not in events:
            what = f"'{rates.event}' is no event of safety.special"
            yield wrong(what, "design", "safety", i, "event", right=_known(rates.event, events))
    for i, test in enumerate(parts.design.survival if parts.design else ()):
        if parts.ids is not None and test.endpoint not in parts.times:
            what = f"'{test.endpoint}' is no time to event of this study"
            yield wrong(what, "design", "survival", i, "endpoint", right=_known(test.endpoint, parts.times))


def _of_endpoint(endpoint: Endpoint, number: int, visits: list[str] | None, family: Family | None) -> Iterator[PydanticCustomError]:
    yield from _of_window(endpoint, ("endpoints", number), visits)
    names = [""]
    for i, change in enumerate(endpoint.sensitivity):
        at = ("endpoints", number, "sensitivity", i)
        if not change:
            what = f"endpoint {endpoint.id}: sensitivity variant {i + 1} changes nothing"
            yield wrong(what, *at, right="Write what it changes, key: value")
            continue
        try:
            variant = resolve_variant(endpoint, change)
        except PydanticCustomError as error:
            context = error.context or {}
            yield wrong(error.message(), *at, *context["at"], right=context["hint"])
            continue
        except ValidationError as error:
            yield from _of_variant(endpoint, at, change, error)
            continue
        names.append(variant.name)
        if names.count(variant.name) == 2:
            what = f"endpoint {endpoint.id}: the sensitivity variant {variant.name} stands twice"
            yield wrong(what, *at, right="Keep one of the two")
        if "window" in change:
            yield from _of_window(variant.endpoint, at, visits)
        if family is not None and {"response", "events"} & {key.replace("_", "-") for key in change}:
            yield from _of_criteria(variant.endpoint, at, family)


def _of_criteria(endpoint: Endpoint, at: At, family: Family) -> Iterator[PydanticCustomError]:
    """Yield statuses and events that the criteria of the study do not have."""
    responses, events = list(family.responses), ["non-response", family.names.event, *family.events, "death", RESPONSE, *OF_SAMPLES]
    stated = endpoint.response if "response" in endpoint.model_fields_set else ()
    for key, named, known in (("response", stated, responses), ("events", endpoint.events, events)):
        for i, word in enumerate(named):
            if word not in known:
                what = f"endpoint {endpoint.id}: '{word}' is no {'response' if key == 'response' else 'event'} of {family.name}"
                others = {other.names.event for other in FAMILIES.values()}
                right = f"Write {family.names.event}" if key == "events" and word in others else _known(word, known)
                yield wrong(what, *at, key, i, right=right)
    if endpoint.antigen and family.names.event != RULE_EVENT:
        yield wrong(f"endpoint {endpoint.id}: antigen is of a relapse of leukaemia", *at, "antigen", right="Leave it out")


def _of_window(endpoint: Endpoint, at: At, visits: list[str] | None) -> Iterator[PydanticCustomError]:
    for key in ("at", "within"):
        visit = getattr(endpoint.window, key) if endpoint.window else None
        if visit is not None and visits is not None and visit not in visits:
            yield wrong(f"endpoint {endpoint.id}: no visit is called '{visit}'", *at, "window", key, right=_known(visit, visits))


def _of_variant(endpoint: Endpoint, at: At, change: dict[str, Any], error: ValidationError) -> Iterator[PydanticCustomError]:
    """Yield what is wrong with a sensitivity variant, at its place in the file."""
    for fault in error.errors():
        place = [*fault["loc"], *(fault.get("ctx") or {}).get("at", ())]
        if place[:1] == ["strategies"] and len(place) > 1 and place[1] in change:
            place = place[1:]
        what, right = in_words(fault)
        said = what.removeprefix(f"endpoint {endpoint.id}: ")
        yield wrong(f"endpoint {endpoint.id}: in a sensitivity variant: {said}", *at, *place, right=right)
