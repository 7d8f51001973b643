"""The study as one frozen object: loading, its variants, its hash, what in it is an assumption."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from cartrial.errors import InputError
from cartrial.study.eligibility import Eligibility
from cartrial.study.endpoint import Endpoint, Variant, resolve_variant
from cartrial.study.model import Characteristic, Disease, Events, Identity, Kinetics, Product, Readers, Safety, Testing
from cartrial.study.planned import DEATH, Design
from cartrial.yamlfile import Part, nearest, read_yaml, validate, wrong

__all__ = ["RULES", "Study", "builtin_studies"]

ASSUMPTION = "assumption"
RULES: Final = 2
"""Version of the rules."""


def _known(word: str, known: list[str]) -> str:
    """Say which words would be right, the nearest first."""
    near = nearest(word, known)
    return (f"The nearest is '{near}'; k" if near else "K") + f"nown are: {', '.join(known) or 'none'}"


def _in_variant(endpoint: Endpoint, at: tuple[str | int, ...], change: dict[str, Any], error: ValidationError) -> PydanticCustomError:
    """Return what is wrong with a sensitivity variant, at its place in the file."""
    first = error.errors()[0]
    context = first.get("ctx", {})
    place = [*first["loc"], *context.get("at", ())]
    if place[:1] == ["strategies"] and len(place) > 1 and place[1] in change:
        place = place[1:]
    if first["type"] == "unknown_key":
        place.append(context["key"])
    message = first["msg"].removeprefix("Value error, ").removeprefix(f"endpoint {endpoint.id}: ")
    if first["type"] not in ("unknown_key", "missing") and not isinstance(first["input"], dict | list | tuple):
        message += f" (found: {first['input']!r})"
    return wrong(f"endpoint {endpoint.id}: in a sensitivity variant: {message}", *at, *place, right=context.get("hint"))


def builtin_studies() -> dict[str, Path]:
    """Return the built-in studies: name to file.

    Examples
    --------
    >>> from cartrial.study import builtin_studies
    >>> sorted(builtin_studies())
    ['allo-cd19', 'inaticel']
    """
    folder = resources.files("cartrial.study") / "builtin"
    return {Path(str(file)).stem: Path(str(file)) for file in sorted(folder.iterdir(), key=str) if str(file).endswith(".yaml")}


class Study(Part):
    """A study file.

    The only place where a rule is stated: derivations, results, footnotes and shells read it.

    Parameters
    ----------
    rules : int
        Version of the rules that values are derived by.
    partial_day_0 : str, optional
        `15th`: an infusion of which the day is not known was given on the 15th.
    emd : str, optional
        `absent`: extramedullary disease that was never recorded was absent.
    events : Events
        What is assumed of a source that records events alone.
    """

    schema_version: Literal[1] = Field(alias="schema")
    rules: Literal[2] = RULES
    study: Identity
    product: Product
    eligibility: Eligibility | None = None
    partial_day_0: Literal["15th"] | None = Field(default=None, alias="partial-day-0")
    disease: Disease
    emd: Literal["absent"] | None = None
    events: Events = Events()
    readers: Readers
    testing: Testing | None = None
    design: Design | None = None
    baseline: tuple[Characteristic, ...] = ()
    subgroups: tuple[str, ...] = ()
    kinetics: Kinetics = Kinetics()
    safety: Safety = Safety()
    endpoints: tuple[Endpoint, ...] = ()
    unclear: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        ids = [endpoint.id for endpoint in self.endpoints]
        for i, name in enumerate(ids):
            if name in ids[:i]:
                raise wrong(f"two endpoints are called {name}", "endpoints", i, "id", right="Endpoint ids are unique")
        if not self.endpoints and not self.study.listing_only:
            raise wrong("the study has no endpoints", "endpoints", right="Add one, or say in study.listing-only why nothing is estimated")
        for i, endpoint in enumerate(self.endpoints):
            self._check_endpoint(endpoint, i)
        characteristics = [characteristic.id for characteristic in self.baseline]
        for i, name in enumerate(characteristics):
            if name in characteristics[:i]:
                raise wrong(f"two baseline characteristics are called {name}", "baseline", i, "id", right="Their ids are unique")
        for i, name in enumerate(self.subgroups):
            if name not in characteristics:
                raise wrong(f"subgroup '{name}' is not a baseline characteristic", "subgroups", i, right=_known(name, characteristics))
        for i, name in enumerate(self.testing.order if self.testing else ()):
            if name not in ids:
                raise wrong(f"testing.order names '{name}', which is no endpoint", "testing", "order", i, right=_known(name, ids))
        self._check_design()
        return self

    def _check_design(self) -> None:
        events = [special.id for special in self.safety.special] + [DEATH]
        times = [endpoint.id for endpoint in self.endpoints if endpoint.type == "time-to-event"]
        for i, rates in enumerate(self.design.safety if self.design else ()):
            if rates.event not in events:
                what = f"'{rates.event}' is no event of safety.special"
                raise wrong(what, "design", "safety", i, "event", right=_known(rates.event, events))
        for i, test in enumerate(self.design.survival if self.design else ()):
            if test.endpoint not in times:
                what = f"'{test.endpoint}' is no time to event of this study"
                raise wrong(what, "design", "survival", i, "endpoint", right=_known(test.endpoint, times))

    def _check_endpoint(self, endpoint: Endpoint, number: int) -> None:
        self._check_window(endpoint, ("endpoints", number))
        names = {""}
        for i, change in enumerate(endpoint.sensitivity):
            at = ("endpoints", number, "sensitivity", i)
            if not change:
                what = f"endpoint {endpoint.id}: sensitivity variant {i + 1} changes nothing"
                raise wrong(what, *at, right="Write what it changes, key: value")
            try:
                variant = resolve_variant(endpoint, change)
            except PydanticCustomError as error:
                context = error.context or {}
                raise wrong(error.message(), *at, *context["at"], right=context["hint"]) from None
            except ValidationError as error:
                raise _in_variant(endpoint, at, change, error) from None
            if variant.name in names:
                what = f"endpoint {endpoint.id}: the sensitivity variant {variant.name} stands twice"
                raise wrong(what, *at, right="Keep one of the two")
            names.add(variant.name)
            self._check_window(variant.endpoint, at)

    def _check_window(self, endpoint: Endpoint, at: tuple[str | int, ...]) -> None:
        visits = [visit.name for visit in self.disease.visits]
        for key in ("at", "within"):
            visit = getattr(endpoint.window, key) if endpoint.window else None
            if visit is not None and visit not in visits:
                raise wrong(f"endpoint {endpoint.id}: no visit is called '{visit}'", *at, "window", key, right=_known(visit, visits))

    @classmethod
    def load(cls, name: str | Path) -> Study:
        """Load a study.

        Parameters
        ----------
        name : str or Path
            A built-in name, a YAML file, or a folder that holds `study.yaml`.

        Raises
        ------
        InputError
            Naming the line and the key of what is wrong.

        Examples
        --------
        >>> from cartrial import Study
        >>> study = Study.load("inaticel")
        >>> study.study.registry, study.endpoints[0].id
        ('NCT04684147', 'ORR3')
        """
        path = Path(name)
        if path.is_dir():
            path = path / "study.yaml"
            if not path.is_file():
                raise InputError("the folder holds no study.yaml", file=str(path.parent), right="`cartrial new` makes a study folder")
        elif not path.is_file():
            known = builtin_studies()
            if str(name) not in known:
                near = nearest(str(name), list(known))
                raise InputError(
                    f"there is no study file, folder or built-in study called '{name}'" + (f"; the nearest is '{near}'" if near else ""),
                    right=f"Built in are: {', '.join(known)}",
                )
            path = known[str(name)]
        data, lines = read_yaml(path)
        return validate(cls, data, lines, path.name)

    def visit(self, name: str) -> Any:
        """Return the visit of that name.

        Examples
        --------
        >>> from cartrial import Study
        >>> visit = Study.load("inaticel").visit("month 3")
        >>> visit.day, visit.minus, visit.plus
        (90, 14, 14)
        """
        return next(visit for visit in self.disease.visits if visit.name == name)

    def variants(self, endpoint: Endpoint) -> tuple[Variant, ...]:
        """Return the main analysis of an endpoint and its sensitivity variants, readers filled in where an assessment is read.

        Examples
        --------
        >>> from cartrial import Study
        >>> study = Study.load("inaticel")
        >>> [variant.name for variant in study.variants(study.endpoints[0])][:3]
        ['', 'hsct=treatment-policy', 'population=assessed']
        """
        found = [Variant(name="", endpoint=endpoint), *(resolve_variant(endpoint, change) for change in endpoint.sensitivity)]
        return tuple(Variant(name=variant.name, endpoint=self._with_reader(variant.endpoint)) for variant in found)

    def _with_reader(self, endpoint: Endpoint) -> Endpoint:
        reader = (endpoint.reader or self.readers.primary) if endpoint.read else None
        return endpoint.model_copy(update={"reader": reader})

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content: the same for any order of keys, comments and layout."""
        content = self.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()).hexdigest()

    def assumptions(self) -> list[tuple[str, str]]:
        """Return every rule whose source is an assumption: where it stands, what is said."""
        return [*self._assumed_of_sources(), *_assumed(self.model_dump(mode="json", by_alias=True), "")]

    def _assumed_of_sources(self) -> Iterator[tuple[str, str]]:
        """Yield what is assumed of what a source did not record."""
        if self.partial_day_0:
            yield "partial-day-0", f"{ASSUMPTION}: an infusion of which the day is not known was given on the 15th"
        if self.emd:
            yield "emd", f"{ASSUMPTION}: extramedullary disease that was never recorded was absent"
        if self.events.relapse_free_until:
            yield "events.relapse-free-until", f"{ASSUMPTION}: a responder without an event was free of relapse until the last contact"


def _assumed(node: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        source = node.get("source")
        if isinstance(source, str) and ASSUMPTION in source.lower():
            name = node.get("id") if at.startswith("endpoints") else None
            yield str(name or at), source
        for key, value in node.items():
            yield from _assumed(value, f"{at}.{key}" if at else key)
    elif isinstance(node, list):
        for item in node:
            named = item if isinstance(item, dict) else {}
            label = next((named[key] for key in ("id", "name", "event", "endpoint") if named.get(key)), None)
            yield from _assumed(item, f"{at}.{label}" if label else at)
